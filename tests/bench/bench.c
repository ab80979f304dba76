/* bench.c: whole networks, ours beside the peers, in one table.
 *
 *     bench FOLDER [NAME=COMMAND]...
 *
 * FOLDER/bench has our program `networks` and takes the weights in between,
 * FOLDER gets bench.json.  Each COMMAND is a peer (peers.py says what it must answer) and
 * is called with `MODEL KIND BATCH THREADS WEIGHTS`.  Every row first asks all
 * for the same result, then lets them run in turns.
 *
 *   BENCH_ONLY     models, separated by commas: M1,M2,M5
 *   BENCH_THREADS  numbers of threads: 1,2
 *   BENCH_ROUNDS   turns of each: 9
 *
 * Times with one thread are CPU time of the process, which other programs
 * hardly touch; with more they are the clock's. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_PEERS 8
#define MAX_ROUNDS 99
#define MAX_ROWS 64
#define TURN_MS 150.0           /* that one turn takes, about */

/* Work is two operations a multiply-add, training three times forward. */
static const struct workload {
    const char *name, *model, *kind;
    int batch;
    double macs;                /* of one sample, forward */
} workloads[] = {
    { "M1 train momentum", "M1", "train-momentum", 64, 4600832 },
    { "M1 train AdamW", "M1", "train-adamw", 64, 4600832 },
    { "M1 infer", "M1", "infer", 64, 4600832 },
    { "M2 train momentum", "M2", "train-momentum", 32, 40551040 },
    { "M2 infer", "M2", "infer", 1, 40551040 },
    { "M5 train AdamW", "M5", "train-adamw", 4, 3045064704 },
    { "M5 infer", "M5", "infer", 4, 3045064704 },
};

struct peer { char *name, *command; };

struct program {                /* that runs a workload: a child */
    const char *name;
    char way[128];              /* how it runs it */
    pid_t pid;
    FILE *to, *from;
    double times[MAX_ROUNDS];
    double middle, low, high;   /* ms of a step: median, quartiles */
    double kilobytes;
};

struct row {
    const struct workload *workload;
    int threads;
    double flops, peak;
    struct program ours, best;  /* best.name is NULL without peers */
};

__attribute__((noreturn, format(printf, 1, 2)))
static void fail(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    fprintf(stderr, "bench: ");
    vfprintf(stderr, format, list);
    fprintf(stderr, "\n");
    va_end(list);
    exit(1);
}

/* ---------------------------------------------------------------- children */

/* Starts a shell command with pipes to its standard input and output. */
static void start(struct program *program, const char *name,
                  const char *command)
{
    int down[2], up[2];

    program->name = name;
    if (pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
        fail("no pipe: %s", strerror(errno));
    program->pid = fork();
    if (program->pid < 0)
        fail("no process: %s", strerror(errno));
    if (program->pid == 0) {
        dup2(down[0], 0);
        dup2(up[1], 1);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(down[0]);
    close(up[1]);
    program->to = fdopen(down[1], "w");
    program->from = fdopen(up[0], "r");
    if (!program->to || !program->from)
        fail("no stream: %s", strerror(errno));
}

static void stop(struct program *program)
{
    fclose(program->to);
    fclose(program->from);
    waitpid(program->pid, NULL, 0);
}

/* The next line that a child says; 0 when it has ended. */
static int listen(struct program *program, char *line, int size)
{
    if (!fgets(line, size, program->from))
        return 0;
    line[strcspn(line, "\n")] = 0;
    return 1;
}

/* Gives an order and takes the answer. */
static int ask(struct program *program, const char *order, char *line,
               int size)
{
    fprintf(program->to, "%s\n", order);
    fflush(program->to);
    return listen(program, line, size);
}

/* Milliseconds a step over so many. */
static double turn(struct program *program, int steps, int threads)
{
    char order[32], line[128];
    double wall, cpu;

    snprintf(order, sizeof order, "run %d", steps);
    if (!ask(program, order, line, sizeof line)
        || sscanf(line, "%lf %lf", &wall, &cpu) != 2)
        fail("%s ended", program->name);
    return threads > 1 ? wall : cpu;
}

static double number(struct program *program, const char *order)
{
    char line[128];

    if (!ask(program, order, line, sizeof line))
        fail("%s ended", program->name);
    return atof(line);
}

/* --------------------------------------------------------- measuring a row */

/* Whether two answers to `check` are the same numbers, but for rounding.  A
 * training step drifts: later losses may differ more. */
static int agree(const char *one, const char *two)
{
    double bound = 1e-5;
    char *end_one, *end_two;

    for (;;) {
        double a = strtod(one, &end_one), b = strtod(two, &end_two);

        if (end_one == one || end_two == two)
            return end_one == one && end_two == two && bound > 1e-5;
        if (!(fabs(a - b) <= bound * (fabs(a) + 1)))
            return 0;
        one = end_one;
        two = end_two;
        bound *= 4;
    }
}

/* Losses must be finite and fall; outputs must be finite. */
static int sound(const char *answer, int training)
{
    double first = 0, last = 0;
    char *end;
    int count = 0;

    for (;; answer = end, count++) {
        double value = strtod(answer, &end);

        if (end == answer)
            return count > 1 && (!training || last < first);
        if (!isfinite(value))
            return 0;
        first = count ? first : value;
        last = value;
    }
}

static int by_size(const void *one, const void *two)
{
    double a = *(const double *)one, b = *(const double *)two;

    return a < b ? -1 : a > b;
}

static void summarize(struct program *program, int rounds)
{
    qsort(program->times, (size_t)rounds, sizeof(double), by_size);
    program->middle = program->times[rounds / 2];
    program->low = program->times[rounds / 4];
    program->high = program->times[rounds - 1 - rounds / 4];
}

/* As many steps as take one turn. */
static int steps_of_turn(struct program *program)
{
    double once = turn(program, 1, 2);

    once = turn(program, 1 + (int)(20 / once), 2);
    return 1 + (int)(TURN_MS / once);
}

/* All run in turns; the peak is the best that was seen in between. */
static void take_turns(struct program *programs, int count, int rounds,
                       struct row *row)
{
    int steps[MAX_PEERS + 1];

    for (int i = 0; i < count; i++)
        steps[i] = steps_of_turn(&programs[i]);
    for (int round = 0; round < rounds; round++) {
        double peak = row->threads * number(&programs[0], "peak");

        row->peak = peak > row->peak ? peak : row->peak;
        for (int i = 0; i < count; i++)
            programs[i].times[round] = turn(&programs[i], steps[i],
                                            row->threads);
    }
    for (int i = 0; i < count; i++) {
        summarize(&programs[i], rounds);
        programs[i].kilobytes = number(&programs[i], "memory");
    }
}

/* A peer is ready when it agrees with our answer and has found its way; else
 * this says why not. */
static int prepare(struct program *peer, const char *ours)
{
    char line[512];

    if (!listen(peer, line, sizeof line)
        || !ask(peer, "check 4", line, sizeof line)) {
        printf("  %s did not start\n", peer->name);
        return 0;
    }
    if (!agree(ours, line)) {
        printf("  %s gives %s, ours %s: not compared\n", peer->name, line,
               ours);
        return 0;
    }
    if (ask(peer, "prepare", peer->way, sizeof peer->way))
        return 1;
    printf("  %s found no way to run\n", peer->name);
    return 0;
}

static void open_ours(struct program *ours, const char *folder,
                      const char *arguments, char *answer, int size,
                      int training)
{
    char command[1024], line[128];

    snprintf(command, sizeof command, "exec '%s/bench/networks' %s", folder,
             arguments);
    start(ours, "librnet", command);
    if (!listen(ours, line, sizeof line)
        || !ask(ours, "check 4", answer, size))
        fail("%s: it ended", command);
    if (!sound(answer, training))
        fail("%s: wrong results: %s", command, answer);
}

static void measure(struct row *row, const char *folder,
                    const struct peer *peers, int peer_count, int rounds)
{
    const struct workload *w = row->workload;
    int training = strstr(w->kind, "train") != NULL, count = 1;
    struct program programs[MAX_PEERS + 1] = { 0 };
    char arguments[512], command[2048], answer[512];

    snprintf(arguments, sizeof arguments, "%s %s %d %d '%s/bench/weights'", w->model,
             w->kind, w->batch, row->threads, folder);
    open_ours(&programs[0], folder, arguments, answer, sizeof answer,
              training);
    for (int i = 0; i < peer_count; i++) {
        snprintf(command, sizeof command, "OMP_NUM_THREADS=%d exec %s %s",
                 row->threads, peers[i].command, arguments);
        start(&programs[count], peers[i].name, command);
        if (prepare(&programs[count], answer))
            count++;
        else
            stop(&programs[count]);
    }
    take_turns(programs, count, rounds, row);
    row->flops = 2 * w->macs * w->batch * (training ? 3 : 1);
    row->ours = programs[0];
    for (int i = 1; i < count; i++)
        if (i == 1 || programs[i].middle < row->best.middle)
            row->best = programs[i];
    for (int i = 0; i < count; i++)
        stop(&programs[i]);
}

/* ------------------------------------------------------------------- output */

static double rate(const struct row *row, const struct program *program)
{
    return row->flops / program->middle * 1e3;
}

static void print_head(void)
{
    printf("\n%-18s %3s  %9s %-15s %8s %6s  %9s %-15s %6s  %6s %7s\n", "",
           "thr", "ours, ms", "(quartiles)", "GFLOP/s", "peak", "peer, ms",
           "(quartiles)", "ratio", "MB", "of peer");
}

static void print_row(const struct row *row)
{
    const struct program *ours = &row->ours, *best = &row->best;
    char spread[32];

    snprintf(spread, sizeof spread, "(%.3g-%.3g)", ours->low, ours->high);
    printf("%-18s %3d  %9.3f %-15s %8.1f %5.0f%%", row->workload->name,
           row->threads, ours->middle, spread, rate(row, ours) * 1e-9,
           100 * rate(row, ours) / row->peak);
    if (best->name) {
        snprintf(spread, sizeof spread, "(%.3g-%.3g)", best->low, best->high);
        printf("  %9.3f %-15s %6.2f  %6.1f %6.0f%%  %s: %s", best->middle,
               spread, best->middle / ours->middle, ours->kilobytes / 1024,
               100 * ours->kilobytes / best->kilobytes, best->name, best->way);
    } else {
        printf("  %9s %-15s %6s  %6.1f", "-", "", "-", ours->kilobytes / 1024);
    }
    printf("\n");
    fflush(stdout);
}

/* A string without what JSON would have to escape. */
static void write_string(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++)
        fputc(*text == '"' || *text == '\\' || *text < ' ' ? '\'' : *text,
              file);
    fputc('"', file);
}

static void write_row(FILE *file, const struct row *row)
{
    const struct program *ours = &row->ours, *best = &row->best;

    fprintf(file, "  {\"name\": \"%s, %d thread%s\", \"ms\": %.6g, "
            "\"ms_quartiles\": [%.6g, %.6g], \"gflops\": %.6g, "
            "\"peak_share\": %.4f, ", row->workload->name, row->threads,
            row->threads > 1 ? "s" : "", ours->middle, ours->low, ours->high,
            rate(row, ours) * 1e-9, rate(row, ours) / row->peak);
    fprintf(file, "\"memory_kb\": %.0f, \"best_peer\": ", ours->kilobytes);
    if (!best->name) {
        fprintf(file, "null, \"ratio\": null, \"memory_ratio\": null}");
        return;
    }
    write_string(file, best->name);
    fprintf(file, ", \"peer_way\": ");
    write_string(file, best->way);
    fprintf(file, ", \"peer_ms\": %.6g, \"ratio\": %.4f, "
            "\"memory_ratio\": %.4f}", best->middle,
            best->middle / ours->middle, ours->kilobytes / best->kilobytes);
}

static void write_json(const char *folder, const struct row *rows, int count)
{
    char path[1024];

    snprintf(path, sizeof path, "%s/bench.json", folder);
    FILE *file = fopen(path, "w");
    if (!file)
        fail("%s: %s", path, strerror(errno));
    fprintf(file, "[\n");
    for (int i = 0; i < count; i++) {
        write_row(file, &rows[i]);
        fprintf(file, i + 1 < count ? ",\n" : "\n");
    }
    fprintf(file, "]\n");
    if (fclose(file))
        fail("%s: %s", path, strerror(errno));
    printf("\n%s\n", path);
}

/* --------------------------------------------------------------------- main */

/* Whether `word` is in a list that commas separate; NULL has all. */
static int listed(const char *list, const char *word)
{
    size_t size = strlen(word);

    for (const char *at = list; at && *at; at += strcspn(at, ",")) {
        at += *at == ',';
        if (!strncmp(at, word, size) && (at[size] == ',' || !at[size]))
            return 1;
    }
    return !list || !*list;
}

static int read_peers(struct peer *peers, int argc, char **argv)
{
    int count = 0;

    for (int i = 2; i < argc && count < MAX_PEERS; i++) {
        char *equals = strchr(argv[i], '=');

        if (!equals)
            fail("'%s' is not NAME=COMMAND", argv[i]);
        *equals = 0;
        peers[count++] = (struct peer) { argv[i], equals + 1 };
    }
    return count;
}

int main(int argc, char **argv)
{
    const char *only = getenv("BENCH_ONLY"), *turns = getenv("BENCH_ROUNDS");
    const char *threads = getenv("BENCH_THREADS");
    int rounds = turns ? atoi(turns) : 9, count = 0, peer_count;
    struct peer peers[MAX_PEERS];
    static struct row rows[MAX_ROWS];

    if (argc < 2 || rounds < 1 || rounds > MAX_ROUNDS)
        fail("usage: bench FOLDER [NAME=COMMAND]...");
    signal(SIGPIPE, SIG_IGN);
    peer_count = read_peers(peers, argc, argv);
    print_head();
    for (int many = 1; many <= 8; many++) {
        char word[8];

        snprintf(word, sizeof word, "%d", many);
        if (!listed(threads && *threads ? threads : "1,2", word))
            continue;
        for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
            if (!listed(only, workloads[i].model) || count == MAX_ROWS)
                continue;
            struct row *row = &rows[count++];

            row->workload = &workloads[i];
            row->threads = many;
            measure(row, argv[1], peers, peer_count, rounds);
            print_row(row);
        }
    }
    write_json(argv[1], rows, count);
    return 0;
}
