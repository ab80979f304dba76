/* processes.c: an emitted network in programs that fork, share pools, take
 * signals, change the floating-point modes, run short of threads, and make and
 * destroy pools a thousand times.
 *
 *     cc -DNETWORK=name processes.c sample.c ...; processes [SECONDS]
 *
 * Each check is a process of its own, which is ended after SECONDS: nothing may
 * wait for ever.  Results must be, to the bit, those of one thread alone. */
#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) \
    || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#endif
#if !defined SANITIZED
#define SANITIZED 0
#endif

/* Sanitizers are slow, keep memory of their own, and know no threads that a
 * child starts. */
enum { BATCH = 70, THREADS = 3, CALLS = SANITIZED ? 2 : 6,
       CYCLES = SANITIZED ? 100 : 1000, OWN_POOLS = SANITIZED ? 0 : 3 };

extern const struct rnet_network NETWORK;

/* ------------------------------------------------------------ one training */


static uint64_t hash(uint64_t hash, const void *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    return hash;
}

static int train(struct sample *sample)
{
    int good = 1;

    for (int i = 0; i < CALLS && good; i++) {
        good = sample_train(sample) == RNET_OK;
        sample->work.step++;
    }
    return good && sample_infer(sample) == RNET_OK;
}

static uint64_t results(const struct sample *s)
{
    uint64_t sum = hash(14695981039346656037u, &s->loss, sizeof s->loss);

    sum = hash(sum, s->params, s->net->param_floats * sizeof(float));
    sum = hash(sum, s->grads, s->net->grad_floats * sizeof(float));
    for (int i = 0; i < s->net->output_count; i++)
        sum = hash(sum, s->output[i],
                   s->batch * s->net->outputs[i].size * sizeof(float));
    return sum;
}

static uint64_t expected;       /* of one thread alone */

/* Trains from the start, on a pool or without; whether it gave the same. */
static int trains(struct rnet_pool *pool)
{
    struct sample sample;

    sample_make(&sample, &NETWORK, BATCH, THREADS, 5);
    sample.work.pool = pool;
    int good = train(&sample);
    if (good && !expected)
        expected = results(&sample);
    good = good && results(&sample) == expected;
    sample_free(&sample);
    return good;
}

/* ------------------------------------------------------------------- checks */

static void *train_on(void *pool)
{
    return trains(pool) ? pool : NULL;
}

/* Four threads and one pool: who finds it taken goes on alone. */
static int share_a_pool(void)
{
    struct rnet_pool *pool = rnet_pool_create(THREADS);
    pthread_t threads[4];
    void *good;
    int all = 1;

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, train_on, pool);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &good);
        all &= good != NULL;
    }
    rnet_pool_destroy(pool);
    return all;
}

/* The child's exit status: 0 when all is well. */
static int in_child(int (*check)(void *), void *argument)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        alarm(240);
        _exit(check(argument) ? 0 : 1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* The parent's pool is of no use in the child, and does no harm: calls run on
 * their own thread.  A pool of its own works. */
static int use_and_replace(void *pool)
{
    int good = trains(pool);

    rnet_pool_destroy(pool);
    for (int i = 0; i < OWN_POOLS; i++) {
        struct rnet_pool *own = rnet_pool_create(THREADS);
        good &= own && trains(own);
        rnet_pool_destroy(own);
    }
    return good;
}

static int grandchild(void *pool)
{
    return in_child(use_and_replace, pool) && use_and_replace(pool);
}

static int fork_with_a_pool(void)
{
    struct rnet_pool *pool = rnet_pool_create(THREADS);
    int good = trains(pool);

    good &= in_child(use_and_replace, pool);    /* workers still spin */
    usleep(20000);
    good &= in_child(use_and_replace, pool);    /* they sleep */
    good &= in_child(grandchild, pool);
    good &= trains(pool);
    rnet_pool_destroy(pool);
    return good;
}

static atomic_int stop;

static void *train_until_stop(void *pool)
{
    int good = 1;

    while (!atomic_load(&stop))
        good &= trains(pool);
    return good ? pool : NULL;
}

/* While another thread is in the middle of a call, with the pool taken.  (A
 * sanitizer's own locks may be taken then, too.) */
static int fork_during_a_call(void)
{
    struct rnet_pool *pool = rnet_pool_create(THREADS);
    pthread_t thread;
    void *trained;
    int good = 1;

    if (SANITIZED) {
        rnet_pool_destroy(pool);
        return 1;
    }
    pthread_create(&thread, NULL, train_until_stop, pool);
    for (int i = 0; i < 25 && good; i++) {
        usleep(1000 * (unsigned)(i % 5));
        good = in_child(use_and_replace, pool);
    }
    atomic_store(&stop, 1);
    pthread_join(thread, &trained);
    rnet_pool_destroy(pool);
    return good && trained;
}

static long resident_kilobytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int open_files(void)
{
    int count = 0;

    for (int i = 0; i < 256; i++)
        count += fcntl(i, F_GETFD) >= 0;
    return count;
}

static long count_threads(void)
{
    char line[200];
    long threads = 0;
    FILE *file = fopen("/proc/self/status", "r");

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Threads: %ld", &threads) == 1)
            break;
    if (file)
        fclose(file);
    return threads;
}

/* A pool is destroyed while its workers spin, wait, or have not begun. */
static int cycles(int count)
{
    int good = 1;

    for (int i = 0; i < count && good; i++) {
        struct rnet_pool *pool = rnet_pool_create(1 + i % 5);
        struct sample sample;
        good = pool != NULL;
        if (i % 4 == 0) {
            sample_make(&sample, &NETWORK, 33, 5, 5);
            sample.work.pool = pool;
            good &= sample_infer(&sample) == RNET_OK;
            sample_free(&sample);
        }
        rnet_pool_destroy(pool);
    }
    return good;
}

static int many_cycles(void)
{
    int good = cycles(50);
    long kilobytes = resident_kilobytes(), files = open_files();
    long threads = count_threads();     /* a sanitizer may have its own */

    good &= cycles(CYCLES);
    long more = resident_kilobytes() - kilobytes;
    if (more > 4096)
        printf("    %ld KB more after %d cycles\n", more, CYCLES);
    good &= SANITIZED || more <= 4096;
    return good && open_files() == files
        && count_threads() == threads;
}

static atomic_int signals, strange;
static pthread_t caller;

static void on_signal(int number)
{
    (void)number;
    atomic_fetch_add(&signals, 1);
    if (!pthread_equal(pthread_self(), caller))
        atomic_fetch_add(&strange, 1);
}

/* Signals come often, to the caller alone: workers leave them to the program. */
static int signals_during_calls(void)
{
    struct sigaction action = { .sa_handler = on_signal };  /* no SA_RESTART */
    struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { 0 };
    struct rnet_pool *pool = rnet_pool_create(THREADS);
    int good = 1;

    caller = pthread_self();
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 20 && good; i++)
        good = trains(pool);
    setitimer(ITIMER_REAL, &never, NULL);
    rnet_pool_destroy(pool);
    return good && signals > 0 && strange == 0;
}

static int is_blocked(void)
{
    sigset_t now;

    pthread_sigmask(SIG_BLOCK, NULL, &now);
    return sigismember(&now, SIGUSR1);
}

/* Making a pool leaves the caller's mask as it was. */
static int mask_stays(void)
{
    sigset_t one;
    int before = is_blocked();
    struct rnet_pool *pool = rnet_pool_create(THREADS);

    int open = !before && !is_blocked();
    rnet_pool_destroy(pool);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &one, NULL);
    pool = rnet_pool_create(THREADS);
    rnet_pool_destroy(pool);
    return open && is_blocked();
}

/* As a user who may have three threads and no more. */
static int few_threads(void)
{
    struct rlimit few = { 3, 3 };
    long threads = count_threads();

    if (geteuid() == 0 && setresuid(65432, 65432, 65432))
        return 1;
    if (setrlimit(RLIMIT_NPROC, &few))
        return 1;
    for (int i = 0; i < 100; i++)
        if (rnet_pool_create(16) || count_threads() != threads)
            return 0;
    struct rnet_pool *pool = rnet_pool_create(2);
    int good = pool && trains(pool);
    rnet_pool_destroy(pool);
    return good;
}

static pthread_barrier_t together;

static void *first_call(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&together);
    return (void *)rnet_isa_name();
}

/* The first calls into the library, from many threads at once. */
static int first_calls(void)
{
    pthread_t threads[16];
    void *name;
    int good = 1;

    pthread_barrier_init(&together, NULL, 16);
    for (int i = 0; i < 16; i++)
        pthread_create(&threads[i], NULL, first_call, NULL);
    for (int i = 0; i < 16; i++) {
        pthread_join(threads[i], &name);
        good &= name == (void *)rnet_isa_name();
    }
    pthread_barrier_destroy(&together);
    return good;
}

#if defined __SSE2__ && !defined __clang__
/* Rounding upwards, denormals flushed, and with flags raised: the results are
 * the same, and the caller's modes and flags too. */
static int modes_stay(void)
{
    struct rnet_pool *pool = rnet_pool_create(THREADS);
    struct rnet_pool *const pools[2] = { NULL, pool };
    int good = 1;

    for (int i = 0; i < 2; i++) {
        struct sample sample;
        sample_make(&sample, &NETWORK, BATCH, THREADS, 5);
        sample.work.pool = pools[i];
        __builtin_ia32_ldmxcsr(0x1f80 | 0x4000 | 0x8000 | 0x20);
        int done = train(&sample);
        unsigned after = __builtin_ia32_stmxcsr();
        __builtin_ia32_ldmxcsr(0x1f80);
        good &= done && after == (0x1f80 | 0x4000 | 0x8000 | 0x20);
        good &= results(&sample) == expected;
        sample_free(&sample);
    }
    rnet_pool_destroy(pool);
    return good;
}

/* Initial values, too, and the steps of optimisers. */
static uint64_t begin_and_step(int modes)
{
    size_t count = NETWORK.grad_floats;
    float *params = rnet_alloc(NETWORK.param_floats), *grads = rnet_alloc(count);
    float *first = rnet_alloc(count), *second = rnet_alloc(count);
    struct rnet_adam adam = { .rate = 0.01, .beta1 = 0.9, .beta2 = 0.99,
        .epsilon = 1e-8, .moment1 = first, .moment2 = second };

    if (modes)
        fesetround(FE_UPWARD);
    rnet_init_params(&NETWORK, params, 3);
    memcpy(grads, params, count * sizeof *grads);
    double norm = rnet_clip(&NETWORK, grads, 0.5);
    for (int i = 0; i < 3; i++)
        rnet_adam_step(&NETWORK, &adam, params, grads, NULL);
    fesetround(FE_TONEAREST);
    uint64_t sum = hash(hash(1, params, NETWORK.param_floats * sizeof(float)),
                        &norm, sizeof norm);
    rnet_free(params);
    rnet_free(grads);
    rnet_free(first);
    rnet_free(second);
    return sum;
}

static int modes_do_not_matter(void)
{
    return begin_and_step(0) == begin_and_step(1);
}
#else
static int modes_stay(void) { return 1; }
static int modes_do_not_matter(void) { return 1; }
#endif

/* A worker's stack is as large as the limit of the process says. */
static int small_stacks(void)
{
    struct rlimit small = { 256 << 10, 256 << 10 };
    setrlimit(RLIMIT_STACK, &small);
    struct rnet_pool *pool = rnet_pool_create(THREADS);
    int good = pool && trains(pool);
    rnet_pool_destroy(pool);
    return good;
}

static int errno_stays(void)
{
    struct rnet_pool *pool = rnet_pool_create(THREADS);

    errno = 0;
    int good = trains(pool);
    if (strcmp(rnet_isa_name(), "scalar"))  /* whose exp may set it */
        good &= errno == 0;
    rnet_pool_destroy(pool);
    return good;
}

/* ------------------------------------------------------------ a call in a call */

struct inside { struct sample sample; atomic_int bad; };

/* Each task first runs another network's whole inference. */
static void nested(void *user, long tasks, rnet_task *task, void *context)
{
    struct inside *inside = user;

    for (long i = 0; i < tasks; i++) {
        if (i == 0 && sample_infer(&inside->sample) != RNET_OK)
            atomic_fetch_add(&inside->bad, 1);
        task(context, i, (int)(i % THREADS));
    }
}

static int a_call_in_a_call(void)
{
    struct inside inside = { .bad = 0 };
    struct sample sample;

    sample_make(&inside.sample, &NETWORK, BATCH, THREADS, 5);
    inside.sample.work.pool = rnet_pool_create(THREADS);
    sample_make(&sample, &NETWORK, BATCH, THREADS, 5);
    sample.work.parallel_for = nested;
    sample.work.user = &inside;
    sample.work.workers = THREADS;
    int good = train(&sample) && results(&sample) == expected && !inside.bad;
    rnet_pool_destroy(inside.sample.work.pool);
    sample_free(&inside.sample);
    sample_free(&sample);
    return good;
}

/* ------------------------------------------------------------------------ all */

static const struct { const char *name; int (*run)(void); int fresh; } checks[] = {
    { "the first calls of 16 threads", first_calls, 1 },
    { "four threads share a pool", share_a_pool, 0 },
    { "fork with a pool alive", fork_with_a_pool, 0 },
    { "fork during another thread's call", fork_during_a_call, 0 },
    { "1,000 pools and works", many_cycles, 0 },
    { "signals during calls", signals_during_calls, 0 },
    { "the signal mask", mask_stays, 0 },
    { "a limit of threads", few_threads, 0 },
    { "the caller's modes stay", modes_stay, 0 },
    { "the caller's modes do not matter", modes_do_not_matter, 0 },
    { "small stacks", small_stacks, 0 },
    { "errno stays", errno_stays, 0 },
    { "a call inside of a call", a_call_in_a_call, 0 },
};

static int run(int i, unsigned seconds)
{
    int status;
    fflush(stdout);
    pid_t child = fork();

    if (child == 0) {
        alarm(seconds);
        int good = (checks[i].fresh || trains(NULL)) && checks[i].run();
        fflush(stdout);
        _exit(good ? 0 : 1);
    }
    waitpid(child, &status, 0);
    if (status)
        printf("FAILED: %s%s\n", checks[i].name,
               WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM
               ? ": it waits for ever" : "");
    return status == 0;
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 1 ? (unsigned)atoi(argv[1]) : 240;
    int count = (int)(sizeof checks / sizeof *checks), good = 0;

    for (int i = 0; i < count; i++)
        good += run(i, seconds);
    printf("%d passed, %d failed\n", good, count - good);
    return good != count;
}
