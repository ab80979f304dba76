/* bench.c: whole networks, ours beside the peers, in one table.
 *
 *     bench FOLDER [NAME=COMMAND]...
 *
 * FOLDER/bench has the table `rows`, our program `networks`, and takes the
 * weights in between and what peers say of themselves, peers.log; FOLDER gets
 * bench.json.  Each COMMAND is a peer
 * (networks.c says what it must answer) and is called with `NETWORK KIND BATCH
 * THREADS WEIGHTS`.  Every row first asks all for the same result, then lets
 * them run in turns.
 *
 *   BENCH_THREADS  numbers of threads: 1,2
 *   BENCH_ROUNDS   turns of each: 9
 *
 * Times with one thread are CPU time of the process, which other programs
 * hardly touch; those of single calls and with more threads are the clock's. */
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
#define MAX_ROWS 32
#define MAX_THREADS 4
#define TURN_MS 150.0           /* that one turn takes, about */

/* How often a row goes through its network, counted in forward passes; a
 * training must get its loss down. */
static const struct kind { const char *name; int passes, trains, single; }
kinds[] = {
    { "infer", 1, 0, 0 },
    { "latency", 1, 0, 1 },
    { "grad", 3, 0, 0 },
    { "train-momentum", 3, 1, 0 },
    { "train-adamw", 3, 1, 0 },
};

struct workload {
    char name[64], network[32];
    const struct kind *kind;
    int batch;
    double macs;                /* multiply-adds of one sample, forward */
};

struct peer { char *name, *command; };

struct program {                /* that runs a workload: a child */
    const char *name;
    char way[128];              /* how it runs it */
    pid_t pid;
    FILE *to, *from;
    double times[MAX_ROUNDS];
    double middle, low, high;   /* ms of a step: median, quartiles */
    double looped;              /* the same in a loop, of single calls */
    double kilobytes;
};

struct row {
    struct workload workload;
    int threads;
    double flops, peak;
    int count;                  /* of programs; the first is ours */
    struct program programs[MAX_PEERS + 1];
    int best;                   /* the fastest peer; 0: there is none */
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
static double turn(struct program *program, int steps, const struct row *row)
{
    char order[32], line[128];
    double first, second;

    snprintf(order, sizeof order, "run %d", steps);
    if (!ask(program, order, line, sizeof line)
        || sscanf(line, "%lf %lf", &first, &second) != 2)
        fail("%s ended", program->name);
    if (row->workload.kind->single)
        program->looped = second;
    return row->threads > 1 || row->workload.kind->single ? first : second;
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
 * training drifts: of ResNet-18 with 4 images PyTorch's own ways differ by
 * 1.8e-5, 2.5e-4 and 1.8e-3 in the second to fourth loss. */
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
        bound *= 8;
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
static int steps_of_turn(struct program *program, const struct row *row)
{
    double once = turn(program, 1, row);

    once = turn(program, 1 + (int)(20 / once), row);
    return 1 + (int)(TURN_MS / once);
}

/* All run in turns; the peak is the best that was seen in between. */
static void take_turns(struct row *row, int rounds)
{
    struct program *programs = row->programs;
    int steps[MAX_PEERS + 1];

    for (int i = 0; i < row->count; i++)
        steps[i] = steps_of_turn(&programs[i], row);
    for (int round = 0; round < rounds; round++) {
        double peak = row->threads * number(&programs[0], "peak");

        row->peak = peak > row->peak ? peak : row->peak;
        for (int i = 0; i < row->count; i++)
            programs[i].times[round] = turn(&programs[i], steps[i], row);
    }
    for (int i = 0; i < row->count; i++) {
        summarize(&programs[i], rounds);
        programs[i].kilobytes = number(&programs[i], "memory");
    }
}

/* A peer is ready when it agrees with our answer and has found its way; else
 * this says why not, but of one that passes: it has no such kind. */
static int prepare(struct program *peer, const char *ours)
{
    char line[512];

    if (!listen(peer, line, sizeof line)) {
        printf("  %s did not start\n", peer->name);
        return 0;
    }
    if (!strncmp(line, "pass", 4))
        return 0;
    if (!ask(peer, "check 4", line, sizeof line)) {
        printf("  %s ended\n", peer->name);
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

/* Starts all of a row; those that agree stay. */
static void gather(struct row *row, const char *folder,
                   const struct peer *peers, int peer_count)
{
    const struct workload *w = &row->workload;
    char arguments[512], command[2048], answer[512];

    snprintf(arguments, sizeof arguments, "%s %s %d %d '%s/bench/weights'",
             w->network, w->kind->name, w->batch, row->threads, folder);
    open_ours(&row->programs[0], folder, arguments, answer, sizeof answer,
              w->kind->trains);
    row->count = 1;
    for (int i = 0; i < peer_count; i++) {
        struct program *peer = &row->programs[row->count];

        snprintf(command, sizeof command, "OMP_NUM_THREADS=%d exec %s %s "
                 "2>>'%s/bench/peers.log'", row->threads, peers[i].command,
                 arguments, folder);
        start(peer, peers[i].name, command);
        if (prepare(peer, answer))
            row->count++;
        else
            stop(peer);
    }
}

static void measure(struct row *row, const char *folder,
                    const struct peer *peers, int peer_count, int rounds)
{
    const struct workload *w = &row->workload;

    gather(row, folder, peers, peer_count);
    take_turns(row, rounds);
    /* two operations a multiply-add */
    row->flops = 2 * w->macs * w->batch * w->kind->passes;
    for (int i = 1; i < row->count; i++)
        if (i == 1 || row->programs[i].middle
                      < row->programs[row->best].middle)
            row->best = i;
    for (int i = 0; i < row->count; i++)
        stop(&row->programs[i]);
}

/* ------------------------------------------------------------------- output */

static double rate(const struct row *row, const struct program *program)
{
    return row->flops / program->middle * 1e3;
}

#define NAME_WIDTH 34

static void print_head(void)
{
    printf("\n%-*s %3s  %9s %-17s %8s %6s  %9s %-17s %6s  %6s %7s\n",
           NAME_WIDTH, "", "thr", "ours, ms", "(quartiles)", "GFLOP/s", "peak",
           "peer, ms", "(quartiles)", "ratio", "MB", "of peer");
}

static void print_time(const struct program *program)
{
    char spread[32];

    snprintf(spread, sizeof spread, "(%.4g-%.4g)", program->low,
             program->high);
    printf("  %9.4g %-17s", program->middle, spread);
}

static void print_peer(const struct row *row, const struct program *peer)
{
    const struct program *ours = &row->programs[0];

    print_time(peer);
    printf(" %6.2f  %6.1f %6.0f%%  %s: %s", peer->middle / ours->middle,
           ours->kilobytes / 1024, 100 * ours->kilobytes / peer->kilobytes,
           peer->name, peer->way);
}

static void print_row(const struct row *row)
{
    const struct program *ours = &row->programs[0];
    const struct program *peer = &row->programs[row->best];

    printf("%-*s %3d", NAME_WIDTH, row->workload.name, row->threads);
    print_time(ours);
    printf(" %8.1f %5.0f%%", rate(row, ours) * 1e-9,
           100 * rate(row, ours) / row->peak);
    if (row->best)
        print_peer(row, peer);
    else
        printf("  %9s %-17s %6s  %6.1f", "-", "", "-", ours->kilobytes / 1024);
    printf("\n");
    if (row->workload.kind->single) {
        printf("%*s  %9.4g", NAME_WIDTH + 4, "looped", ours->looped);
        if (row->best)
            printf("%*s  %9.4g", 34, "", peer->looped);
        printf("\n");
    }
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

/* Every peer that was measured. */
static void write_peers(FILE *file, const struct row *row)
{
    fprintf(file, ", \"peers\": [");
    for (int i = 1; i < row->count; i++) {
        const struct program *peer = &row->programs[i];

        fprintf(file, i > 1 ? ", {\"name\": " : "{\"name\": ");
        write_string(file, peer->name);
        fprintf(file, ", \"way\": ");
        write_string(file, peer->way);
        fprintf(file, ", \"ms\": %.6g, \"ms_quartiles\": [%.6g, %.6g], "
                "\"memory_kb\": %.0f}", peer->middle, peer->low, peer->high,
                peer->kilobytes);
    }
    fprintf(file, "]}");
}

static void write_row(FILE *file, const struct row *row)
{
    const struct program *ours = &row->programs[0];
    const struct program *best = &row->programs[row->best];

    fprintf(file, "  {\"name\": \"%s, %d thread%s\", \"ms\": %.6g, "
            "\"ms_quartiles\": [%.6g, %.6g], \"gflops\": %.6g, "
            "\"peak_share\": %.4f, ", row->workload.name, row->threads,
            row->threads > 1 ? "s" : "", ours->middle, ours->low, ours->high,
            rate(row, ours) * 1e-9, rate(row, ours) / row->peak);
    if (row->workload.kind->single)
        fprintf(file, "\"looped_ms\": %.6g, ", ours->looped);
    fprintf(file, "\"memory_kb\": %.0f, \"best_peer\": ", ours->kilobytes);
    if (row->best) {
        write_string(file, best->name);
        fprintf(file, ", \"ratio\": %.4f, \"memory_ratio\": %.4f",
                best->middle / ours->middle,
                ours->kilobytes / best->kilobytes);
    } else {
        fprintf(file, "null, \"ratio\": null, \"memory_ratio\": null");
    }
    write_peers(file, row);
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

/* -------------------------------------------------------------------- main */

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].name, name))
            return &kinds[i];
    fail("no kind '%s'", name);
}

/* A line of `rows`: name, network, kind, batch, multiply-adds, by tabs. */
static void read_workload(struct workload *workload, const char *line)
{
    char kind[32];

    if (sscanf(line, "%63[^\t]\t%31[^\t]\t%31[^\t]\t%d\t%lf",
               workload->name, workload->network, kind, &workload->batch,
               &workload->macs) != 5)
        fail("rows: %s", line);
    workload->kind = find_kind(kind);
}

static int read_workloads(struct workload *workloads, const char *folder)
{
    char path[1024], line[256];
    int count = 0;

    snprintf(path, sizeof path, "%s/bench/rows", folder);
    FILE *file = fopen(path, "r");
    if (!file)
        fail("%s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file)) {
        if (count == MAX_ROWS)
            fail("%s: more than %d rows", path, MAX_ROWS);
        read_workload(&workloads[count++], line);
    }
    fclose(file);
    return count;
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

/* A number from the environment, or what stands for it. */
static int setting(const char *name, int without, int most)
{
    const char *text = getenv(name);
    int value = text && *text ? atoi(text) : without;

    if (value < 1 || value > most)
        fail("%s is %s, not 1 to %d", name, text, most);
    return value;
}

/* The numbers of threads, that commas separate. */
static int read_threads(int *threads)
{
    const char *list = getenv("BENCH_THREADS");
    int count = 0;

    for (list = list && *list ? list : "1,2"; count < MAX_THREADS;) {
        char *end;

        threads[count++] = (int)strtol(list, &end, 10);
        if (end == list || threads[count - 1] < 1)
            fail("BENCH_THREADS is numbers with commas between, not '%s'",
                 list);
        if (*end != ',')
            break;
        list = end + 1;
    }
    return count;
}

int main(int argc, char **argv)
{
    static struct row rows[MAX_ROWS * MAX_THREADS];
    static struct workload workloads[MAX_ROWS];
    struct peer peers[MAX_PEERS];
    int threads[MAX_THREADS], count = 0;

    if (argc < 2)
        fail("usage: bench FOLDER [NAME=COMMAND]...");
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);

    int rounds = setting("BENCH_ROUNDS", 9, MAX_ROUNDS);
    int peer_count = read_peers(peers, argc, argv);
    int workload_count = read_workloads(workloads, argv[1]);
    int thread_count = read_threads(threads);

    print_head();
    for (int many = 0; many < thread_count; many++)
        for (int i = 0; i < workload_count; i++) {
            struct row *row = &rows[count++];

            row->workload = workloads[i];
            row->threads = threads[many];
            measure(row, argv[1], peers, peer_count, rounds);
            print_row(row);
        }
    write_json(argv[1], rows, count);
    return 0;
}
