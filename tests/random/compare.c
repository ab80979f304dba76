/* compare.c: emitted networks against the interpreter.
 *
 *     compare [--seed N] [--work N] [--list FILE] ...
 *
 * A line of the list (or of standard input) is one network, words apart by
 * tabs:
 *
 *     options of rnetc, blanks apart; the code; form=symbol form=symbol ...
 *
 * where the code is a shared object and each form names a table in it, as
 * "fused=f1_net".  Each network has a process of its own, and in it each
 * instruction set of the machine.  Prints what differs, then a line
 *
 *     FAILED options        or    undecided (why) options
 *
 * and at last figures.  --work: multiply-adds that a network may cost, about;
 * large batches are tried as it allows. */
#include "emitted.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 64, FORMS = 8, SECONDS = 120 };

static struct figures { long networks, comparisons, undecided, failed; }
    *figures;                           /* shared with all processes */
static uint64_t seed = 1;
static double work = 2e7;

/* ---- a line of the list ---- */

struct job {
    char *line, *shown;
    char *argv[WORDS];
    int argc;
    const char *code;
    struct code_form {
        const char *name, *symbol;
        const struct rnet_network *net;
    } forms[FORMS];
    int form_count;
};

static bool read_forms(struct job *job, char *text)
{
    char *end = NULL;

    for (char *word = strtok_r(text, " \n", &end);
         word && job->form_count < FORMS; word = strtok_r(NULL, " \n", &end)) {
        char *symbol = strchr(word, '=');
        if (!symbol)
            return false;
        *symbol++ = '\0';
        job->forms[job->form_count++] = (struct code_form) {
            word, symbol, NULL
        };
    }
    return job->form_count > 0;
}

static bool read_job(struct job *job, char *line)
{
    char *fields = NULL, *words = NULL;

    *job = (struct job) { .argc = 1 };
    job->argv[0] = "compare";
    char *options = strtok_r(line, "\t", &fields);
    job->code = options ? strtok_r(NULL, "\t", &fields) : NULL;
    char *forms = job->code ? strtok_r(NULL, "\t", &fields) : NULL;
    if (!forms || !read_forms(job, forms))
        return false;
    job->shown = strdup(options);
    for (char *word = strtok_r(options, " ", &words);
         word && job->argc + 1 < WORDS; word = strtok_r(NULL, " ", &words))
        job->argv[job->argc++] = word;
    return true;
}

static bool load(struct job *job)
{
    void *code = dlopen(job->code, RTLD_NOW | RTLD_LOCAL);

    for (int i = 0; code && i < job->form_count; i++) {
        job->forms[i].net = dlsym(code, job->forms[i].symbol);
        if (!job->forms[i].net)
            code = NULL;
    }
    if (!code)
        printf("    %s\n", dlerror());
    return code != NULL;
}

/* ---- instruction sets ---- */

static const char *const sets[] = {
    "scalar", "base",
#ifdef __x86_64__
    "avx2", "avx512",
#endif
};
enum { SETS = sizeof sets / sizeof sets[0] };

static bool has_set(int number)
{
#ifdef __x86_64__
    if (strcmp(sets[number], "avx2") == 0)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (strcmp(sets[number], "avx512") == 0)
        return __builtin_cpu_supports("avx512f")
            && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512vl")
            && __builtin_cpu_supports("avx512dq");
#endif
    return number < 2;
}

static int count_sets(void)
{
    int count = 0;

    for (int i = 0; i < SETS; i++)
        count += has_set(i);
    return count;
}

/* Runs in a process of its own: the set is chosen once for each. */
static int judge_set(const struct job *job, const struct trial *trial, int set)
{
    int failures = 0;

    setenv("RNET_ISA", sets[set], 1);
    struct pools *pools = pools_new();
    alarm(SECONDS);
    if (strcmp(rnet_isa_name(), sets[set])) {
        printf("    RNET_ISA=%s gives %s\n", sets[set], rnet_isa_name());
        return 1;
    }
    for (int i = 0; i < job->form_count; i++)
        failures += emitted_judge(job->forms[i].net, job->forms[i].name, trial,
                                  pools);
    return failures;
}

/* 0: well; another number: a failure, or how it ended. */
static int wait_for(pid_t process, const char *what)
{
    int status;

    if (process < 0 || waitpid(process, &status, 0) < 0) {
        printf("    no process for %s: %s\n", what, strerror(errno));
        return 1;
    }
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    printf("    %s ended by signal %d%s\n", what, WTERMSIG(status),
           WTERMSIG(status) == SIGALRM ? ": out of time" : "");
    return 1;
}

/* After one set has failed the others say so alone. */
static bool set_fails(const struct job *job, const struct trial *trial,
                      int set, bool again)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (again && !freopen("/dev/null", "w", stdout))
            _exit(2);
        int bad = judge_set(job, trial, set);
        fflush(stdout);
        _exit(bad != 0);
    }
    bool bad = wait_for(child, sets[set]) != 0;
    if (bad && again)
        printf("    %s differs as well\n", sets[set]);
    return bad;
}

static int judge_sets(const struct job *job, const struct trial *trial)
{
    int failures = 0;

    for (int set = 0; set < SETS; set++)
        if (has_set(set))
            failures += set_fails(job, trial, set, failures);
    figures->comparisons += (long)job->form_count * count_sets()
                          * THREAD_COUNTS;
    return failures;
}

/* ---- one network ---- */

enum { GOOD, BAD, UNDECIDED };

static int try_runs(const struct job *job, const struct subject *subject,
                    size_t batch, uint64_t number, int runs)
{
    struct trial trial;
    int result;

    trial_make(subject, batch, number, runs, &trial);
    if (trial.bad_name) {
        printf("    the interpreter looked for a tensor that is in no list\n");
        result = BAD;
    } else if (trial.verdict != DECIDED) {
        printf("undecided (%s %s, batch %zu, %.2g)\t%s\n",
               verdict_text(trial.verdict), trial.name ? trial.name : "",
               batch, trial.difference, job->shown);
        result = UNDECIDED;
        if (trial.verdict == NEAR_A_KINK && judge_sets(job, &trial))
            result = BAD;               /* what is no gradient is decided */
    } else {
        result = judge_sets(job, &trial) ? BAD : GOOD;
    }
    trial_free(&trial);
    return result;
}

/* What seems to differ is measured with more runs in float. */
static int try_batch(const struct job *job, const struct subject *subject,
                     size_t batch, uint64_t number)
{
    int result = try_runs(job, subject, batch, number, FEW_RUNS);

    if (result != BAD)
        return result;
    printf("  once more, with %d runs in float:\n", MOST_RUNS);
    return try_runs(job, subject, batch, number, MOST_RUNS);
}

/* Up to and around what a vector, a strip and two of them hold. */
static size_t choose_batch(const struct subject *subject, uint64_t *state,
                           bool small)
{
    static const size_t batches[] = { 1, 2, 3, 5, 16, 17, 31, 32, 33, 64,
                                      65 };
    int64_t count = small ? 4 : sizeof batches / sizeof batches[0];
    size_t batch = batches[draw_below(state, count)];
    size_t most = (size_t)(work / (subject->work + 1));

    return batch <= most ? batch : most > 3 ? 3 : most > 1 ? most : 1;
}

/* Two batches, unless they are the same; undecided when both are. */
static int judge_network(const struct job *job, uint64_t number)
{
    struct subject *subject = subject_read(job->argc, (char **)job->argv);
    uint64_t state = seed ^ number * UINT64_C(0x2545F4914F6CDD1D);
    int result = BAD;

    if (!subject) {
        printf("    the compiler does not take it\n");
        return BAD;
    }
    size_t large = choose_batch(subject, &state, false);
    size_t small = choose_batch(subject, &state, true);
    result = try_batch(job, subject, large, draw_word(&state));
    if (small != large && result != BAD) {
        int second = try_batch(job, subject, small, draw_word(&state));
        result = second == UNDECIDED ? result : second;
    }
    subject_free(subject);
    return result;
}

/* A number that the network has whatever stands before it in the list: of its
 * file's name without folders and all that follows a dot, so that the
 * shrinker's x.trial.rnet draws the numbers of x.rnet. */
static uint64_t number_of(const char *text)
{
    uint64_t h = UINT64_C(1469598103934665603);
    const char *slash = strrchr(text, '/');

    text = slash ? slash + 1 : text;

    for (; *text && *text != '.'; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return h;
}

static void judge_line(char *line)
{
    struct job job;

    if (!read_job(&job, line)) {
        fprintf(stderr, "compare: a bad line in the list\n");
        exit(2);
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int result = load(&job) ? judge_network(&job, number_of(job.shown))
                                : BAD;
        fflush(stdout);
        _exit(result);
    }
    int result = wait_for(child, "the network");
    figures->networks++;
    figures->undecided += result == UNDECIDED;
    figures->failed += result == BAD;
    if (result == BAD)
        printf("FAILED\t%s\n", job.shown);
    free(job.shown);
}

static FILE *read_arguments(int argc, char **argv)
{
    FILE *list = stdin;

    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--work") == 0)
            work = strtod(argv[i + 1], NULL);
        else if (strcmp(argv[i], "--list") == 0)
            list = fopen(argv[i + 1], "r");
        else
            return NULL;
    return argc % 2 ? list : NULL;
}

int main(int argc, char **argv)
{
    FILE *list = read_arguments(argc, argv);
    char *line = NULL;
    size_t size = 0;

    figures = mmap(NULL, sizeof *figures, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!list || figures == MAP_FAILED) {
        fprintf(stderr, "usage: compare [--seed N] [--work N] [--list FILE]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    while (getline(&line, &size, list) > 0)
        judge_line(line);
    printf("networks %ld comparisons %ld undecided %ld failed %ld\n",
           figures->networks, figures->comparisons, figures->undecided,
           figures->failed);
    free(line);
    return figures->failed != 0;
}
