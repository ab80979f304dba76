/* shrink.c: makes a .rnet smaller while a command still fails on it the same
 * way.
 *
 *     shrink FILE COMMAND [ARGUMENT ...]
 *
 * The command gets the name of a file as its last argument; it fails the same
 * way when it ends with the status that it ends with for FILE.  The result is
 * FILE with "small" before its end, beside it: x.rnet gives x.small.rnet.
 *
 * Candidates, until none fails any more (delta debugging, Zeller 1999): runs of
 * statements and of tokens left out, the longest first; what stands in a pair
 * of brackets left out, and the brackets alone; numbers made smaller.  Comments
 * and blanks go first. */
#include "draw.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct token {
    const char *text;
    bool line;                  /* the first of a line */
};

struct tokens { struct token *token; int count; };

struct shrink {
    struct tokens now;
    const char *trial;          /* the file that candidates are written to */
    char **command;             /* with room for the file's name */
    int words, status, tries, taken;
};

/* ---- tokens ---- */

static const char *skip_blanks(const char *at, bool *line)
{
    for (;;) {
        const char *end = at;
        if (isspace((unsigned char)*at))
            end = at + 1;
        else if (!strncmp(at, "//", 2))
            end = at + strcspn(at, "\n");
        else if (!strncmp(at, "/*", 2) && strstr(at + 2, "*/"))
            end = strstr(at + 2, "*/") + 2;
        if (end == at)
            return at;
        *line |= memchr(at, '\n', (size_t)(end - at)) != NULL;
        at = end;
    }
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Names, numbers, texts, signs of one or two characters. */
static size_t token_length(const char *at)
{
    static const char *const two[] = { "->", "..", "||", "&&", "==", "!=",
                                       "<=", ">=", "+=" };
    size_t length = 0;

    if (*at == '"')
        return 1 + strcspn(at + 1, "\"\n") + 1;
    while (is_word(at[length])
           || (at[length] == '.' && length && isdigit((unsigned char)*at)
               && isdigit((unsigned char)at[length + 1])))
        length++;
    if (length && isdigit((unsigned char)*at) && at[length - 1] == 'e')
        while (at[length] == '-' || isdigit((unsigned char)at[length]))
            length++;
    for (size_t i = 0; !length && i < sizeof two / sizeof *two; i++)
        if (!strncmp(at, two[i], 2))
            return 2;
    return length ? length : 1;
}

static struct tokens cut(const char *text)
{
    size_t most = strlen(text) + 1;
    struct tokens all = { draw_memory(most * sizeof *all.token), 0 };
    bool line = true;

    for (const char *at = skip_blanks(text, &line); *at;
         at = skip_blanks(at, &line)) {
        size_t length = token_length(at);
        all.token[all.count++] = (struct token) {
            draw_format("%.*s", (int)length, at), line };
        at += length;
        line = false;
    }
    return all;
}

static bool is(const struct tokens *t, int i, const char *text)
{
    return i >= 0 && i < t->count && !strcmp(t->token[i].text, text);
}

/* ---- trying ---- */

static void write_tokens(const struct tokens *t, const char *path)
{
    FILE *file = fopen(path, "wb");
    int depth = 0;

    if (!file) {
        perror(path);
        exit(2);
    }
    for (int i = 0; i < t->count; i++) {
        depth -= is(t, i, "}");
        if (i && t->token[i].line)
            fprintf(file, "\n%*s", depth > 0 ? 4 * depth : 0, "");
        else if (i && !is(t, i, ",") && !is(t, i, ")") && !is(t, i, "]")
                 && !is(t, i, "(") && !is(t, i - 1, "(") && !is(t, i - 1, "[")
                 && !is(t, i, ".") && !is(t, i - 1, "."))
            putc(' ', file);
        else if (i && is(t, i, "(") && !is_word(*t->token[i - 1].text)
                 && !is(t, i - 1, "("))
            putc(' ', file);
        fputs(t->token[i].text, file);
        depth += is(t, i, "{");
    }
    fputs("\n", file);
    if (fclose(file)) {
        perror(path);
        exit(2);
    }
}

static int run(struct shrink *s)
{
    int status;
    pid_t child = fork();

    s->tries++;
    if (child == 0) {
        s->command[s->words] = (char *)s->trial;
        if (!freopen("/dev/null", "w", stdout)
            || !freopen("/dev/null", "w", stderr))
            _exit(126);
        execvp(s->command[0], s->command);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0) {
        perror("shrink");
        exit(2);
    }
    return status;
}

static bool fails(struct shrink *s, const struct tokens *t)
{
    write_tokens(t, s->trial);
    return run(s) == s->status;
}

/* Takes the candidate when it fails. */
static bool take(struct shrink *s, const struct tokens *t)
{
    if (!fails(s, t))
        return false;
    s->now = *t;
    s->taken++;
    return true;
}

/* ---- candidates ---- */

/* Without tokens `from` to `to`, and then without `from2` to `to2`. */
static struct tokens without(const struct tokens *t, int from, int to,
                             int from2, int to2)
{
    struct tokens less = { draw_memory(((size_t)t->count + 1)
                                       * sizeof *less.token), 0 };
    bool line = false;

    for (int i = 0; i < t->count; i++) {
        line |= t->token[i].line;
        if ((i >= from && i < to) || (i >= from2 && i < to2))
            continue;
        less.token[less.count] = t->token[i];
        less.token[less.count++].line = line;
        line = false;
    }
    return less;
}

static bool drop(struct shrink *s, int from, int to)
{
    struct tokens less = without(&s->now, from, to, 0, 0);
    return take(s, &less);
}

/* Where a token's bracket is closed, or -1. */
static int closing(const struct tokens *t, int open)
{
    int depth = 0;

    for (int i = open; i < t->count; i++) {
        depth += is(t, i, "{") || is(t, i, "(") || is(t, i, "[");
        depth -= is(t, i, "}") || is(t, i, ")") || is(t, i, "]");
        if (depth == 0)
            return i;
    }
    return -1;
}

/* How many lines begin, and where the n-th does. */
static int line_start(const struct tokens *t, int n)
{
    int i = 0;

    for (; i < t->count; i++)
        if (t->token[i].line && n-- == 0)
            break;
    return i;
}

static bool drop_lines(struct shrink *s)
{
    int lines = 0;
    bool any = false;

    for (int i = 0; i < s->now.count; i++)
        lines += s->now.token[i].line;
    for (int size = lines / 2; size > 0; size /= 2)
        for (int at = 0; line_start(&s->now, at) < s->now.count;) {
            int from = line_start(&s->now, at);
            if (drop(s, from, line_start(&s->now, at + size)))
                any = true;
            else
                at += size > 1 ? (size + 1) / 2 : 1;
        }
    return any;
}

/* What stands in brackets, with a head before them and without; the brackets
 * alone, likewise. */
static bool drop_brackets(struct shrink *s)
{
    bool any = false;

    for (int i = 0; i < s->now.count; i++) {
        int end = is(&s->now, i, "{") || is(&s->now, i, "(")
                  || is(&s->now, i, "[") ? closing(&s->now, i) : -1;
        for (int head = 0; end >= 0 && head <= 6 && head <= i; head++) {
            struct tokens bare = without(&s->now, i - head, i + 1, end,
                                         end + 1);
            if (drop(s, i - head, end + 1) || take(s, &bare)) {
                any = true;
                i -= head + 1;
                break;
            }
        }
    }
    return any;
}

static bool drop_runs(struct shrink *s)
{
    bool any = false;

    for (int size = 12; size > 0; size--)
        for (int at = 0; at + size <= s->now.count;)
            if (drop(s, at, at + size))
                any = true;
            else
                at++;
    return any;
}

/* Numbers: 1, 2, half, one less. */
static bool lower_numbers(struct shrink *s)
{
    bool any = false;

    for (int i = 0; i < s->now.count; i++) {
        const char *text = s->now.token[i].text;
        if (!isdigit((unsigned char)*text))
            continue;
        double n = atof(text);
        const double less[] = { 0, 1, 2, (double)(long)(n / 2), n - 1 };
        for (int k = 0; k < 5; k++) {
            struct tokens other = without(&s->now, 0, 0, 0, 0);
            if (less[k] >= n || less[k] != (double)(long)less[k])
                continue;
            other.token[i].text = draw_format("%ld", (long)less[k]);
            if (take(s, &other)) {
                any = true;
                break;
            }
        }
    }
    return any;
}

/* ---- the program ---- */

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct text text = { 0 };
    char bytes[4096];
    size_t count;

    if (!file) {
        perror(path);
        exit(2);
    }
    while ((count = fread(bytes, 1, sizeof bytes, file)) > 0)
        text_add(&text, "%.*s", (int)count, bytes);
    fclose(file);
    return text.bytes ? text.bytes : "";
}

static char *beside(const char *path, const char *word)
{
    const char *end = strrchr(path, '.');
    size_t length = end ? (size_t)(end - path) : strlen(path);

    return draw_format("%.*s.%s.rnet", (int)length, path, word);
}

int main(int count, char **argument)
{
    if (count < 3) {
        fputs("usage: shrink FILE COMMAND [ARGUMENT ...]\n", stderr);
        return 2;
    }
    struct shrink s = { .trial = beside(argument[1], "trial"),
                        .words = count - 2 };
    s.command = draw_memory(((size_t)count + 1) * sizeof *s.command);
    memcpy(s.command, argument + 2, (size_t)s.words * sizeof *s.command);
    s.now = cut(read_text(argument[1]));
    int before = s.now.count;
    write_tokens(&s.now, s.trial);
    s.status = run(&s);
    if (s.status == 0) {
        fprintf(stderr, "shrink: the command does not fail on %s\n",
                argument[1]);
        remove(s.trial);
        return 2;
    }
    while (drop_lines(&s) | drop_brackets(&s) | drop_runs(&s)
           | lower_numbers(&s))
        ;
    write_tokens(&s.now, beside(argument[1], "small"));
    remove(s.trial);
    printf("%s: %d tokens of %d, %d tries\n", beside(argument[1], "small"),
           s.now.count, before, s.tries);
    draw_release();
    return 0;
}
