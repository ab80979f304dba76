/* mangle.c: the whole compiler on what is left of good files after harm:
 * `mangle [-e EVERY] [-m MEGABYTES] FILE...`.
 * Every prefix; every token deleted, doubled, swapped with the next, with the
 * one after that, and replaced by each sign; of these, every EVERY-th.  Each
 * compiles or gives errors with their places, in 2 s of the processor and
 * MEGABYTES of memory (without sanitizers, which need it themselves).  A file
 * is a process, so that one that dies does not end the rest: the input that it
 * died of is printed. */
#include "pipeline.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 2, MOST_TOKENS = 8192, LONGEST = 1 << 18 };

struct token { const char *text; size_t length; };
struct tokens { struct token token[MOST_TOKENS]; int count; };

/* Shared with the process that runs a file. */
static struct state {
    long inputs, compiled;
    char name[256], text[LONGEST];
    size_t length;
} *state;

static long every = 1, megabytes, turn;

/* ---- one input ---- */

static void add(struct token token)
{
    if (state->length + token.length >= LONGEST)
        exit(2);
    memcpy(state->text + state->length, token.text, token.length);
    state->length += token.length;
    state->text[state->length] = '\0';
}

static void watch_time(int seconds)
{
    struct itimerval timer = { .it_value.tv_sec = seconds };

    setitimer(ITIMER_PROF, &timer, NULL);
    alarm(20 * (unsigned)seconds);
}

static void run(void)
{
    watch_time(SECONDS);
    state->compiled += pipeline(state->text, state->length);
    watch_time(0);
    state->inputs++;
}

/* Whether it is this one's turn. */
static int begin(void)
{
    state->length = 0;
    return turn++ % every == 0;
}

/* ---- harm ---- */

/* Words, blanks, comments, signs: each a token. */
static size_t token_length(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789."
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    if (strncmp(text, "//", 2) == 0)
        return strcspn(text, "\n");
    if (strspn(text, letters))
        return strspn(text, letters);
    return strspn(text, " \t\n") ? strspn(text, " \t\n") : 1;
}

static void cut(struct tokens *tokens, const char *text)
{
    tokens->count = 0;
    while (*text && tokens->count < MOST_TOKENS) {
        size_t length = token_length(text);

        tokens->token[tokens->count++] = (struct token) { text, length };
        text += length;
    }
}

/* The tokens with `taken` from number `at` taken out, and `count` put there. */
static void replace(const struct tokens *tokens, int at, int taken,
                    const struct token *instead, int count)
{
    if (!begin())
        return;
    for (int i = 0; i < at; i++)
        add(tokens->token[i]);
    for (int i = 0; i < count; i++)
        add(instead[i]);
    for (int i = at + taken; i < tokens->count; i++)
        add(tokens->token[i]);
    run();
}

static void harm_token(const struct tokens *tokens, int i)
{
    static const char *const signs[] = {
        "(", ")", "[", "]", "{", "}", "->", "..", "=", "+=", "?", ":", ",",
        ".", "-", "^", "<", ";", "%", "\"", "/*", "block", "then", "as", "if",
        "else", "norm", "after", "repeat", "frozen", "input", "7", "2w", "x"
    };
    const struct token *t = &tokens->token[i];

    replace(tokens, i, 1, NULL, 0);
    replace(tokens, i, 1, (struct token[]) { t[0], t[0] }, 2);
    if (i + 1 < tokens->count)
        replace(tokens, i, 2, (struct token[]) { t[1], t[0] }, 2);
    if (i + 2 < tokens->count)
        replace(tokens, i, 3, (struct token[]) { t[2], t[1], t[0] }, 3);
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
        replace(tokens, i, 1, &(struct token) { signs[k], strlen(signs[k]) },
                1);
}

static void harm(const char *text, size_t length)
{
    static struct tokens tokens;

    for (size_t i = 0; i <= length; i++)
        if (begin()) {
            add((struct token) { text, i });
            run();
        }
    cut(&tokens, text);
    for (int i = 0; i < tokens.count; i++)
        if (!strspn(tokens.token[i].text, " \t\n")
            && strncmp(tokens.token[i].text, "//", 2))
            harm_token(&tokens, i);
}

/* ---- files ---- */

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(LONGEST, 1);

    if (!file || !text)
        exit(2);
    *length = fread(text, 1, LONGEST / 2, file);
    fclose(file);
    return text;
}

static void limit_memory(void)
{
    struct rlimit limit = { (rlim_t)megabytes << 20, (rlim_t)megabytes << 20 };

    if (megabytes)
        setrlimit(RLIMIT_AS, &limit);
}

static void child(const char *path)
{
    size_t length;
    char *text = read_file(path, &length);

    limit_memory();
    harm(text, length);
    free(text);
    exit(0);
}

/* False when its process died. */
static int harm_file(const char *path)
{
    int status = 0;
    pid_t process;

    snprintf(state->name, sizeof state->name, "%s", path);
    fflush(NULL);
    process = fork();
    if (process == 0)
        child(path);
    if (process < 0 || waitpid(process, &status, 0) != process || status == 0)
        return process > 0;
    fprintf(stderr, "mangle: %s: %s %d of:\n%.*s\n", path,
            WIFSIGNALED(status) ? "died by signal" : "ended with status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
            (int)state->length, state->text);
    return 0;
}

int main(int argc, char **argv)
{
    int option, failed = 0;

    state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    while ((option = getopt(argc, argv, "e:m:")) != -1) {
        if (option == 'e')
            every = atol(optarg) > 0 ? atol(optarg) : 1;
        else if (option == 'm')
            megabytes = atol(optarg);
        else
            return 2;
    }
    for (; optind < argc; optind++)
        failed += !harm_file(argv[optind]);
    printf("%ld inputs, %ld compiled, %d files failed\n", state->inputs,
           state->compiled, failed);
    return failed > 0;
}
