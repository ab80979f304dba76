/* test_pool.c: every task once, on one thread a worker, however it is run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../runtime/rnet_kernels.h"

#define TASKS 1000
#define WORKERS 16

struct count {
    atomic_int runs[TASKS];
    atomic_int inside[WORKERS];         /* threads that are worker i now */
    atomic_int clashes;
    struct rnet_run run;                /* of nested calls */
};

static void count_task(void *context, long index, int worker)
{
    struct count *count = context;
    if (worker < 0 || worker >= WORKERS
        || atomic_fetch_add(&count->inside[worker], 1) != 0)
        atomic_fetch_add(&count->clashes, 1);
    atomic_fetch_add(&count->runs[index], 1);
    for (volatile int i = 0; i < 100; i++)
        ;
    atomic_fetch_sub(&count->inside[worker], 1);
}

static void assert_runs(struct count *count, long tasks, int runs)
{
    for (long i = 0; i < TASKS; i++)
        assert_int_equal(count->runs[i], i < tasks ? runs : 0);
    assert_int_equal(count->clashes, 0);
}

static void run_tasks(struct rnet_pool *pool, long tasks)
{
    struct rnet_work work = { .pool = pool };
    struct rnet_run run = { .work = &work };
    struct count *count = calloc(1, sizeof *count);
    rnet_parallel(&run, tasks, count_task, count);
    assert_runs(count, tasks < 0 ? 0 : tasks, 1);
    free(count);
}

static void test_every_task_once(void **state)
{
    static const int threads[] = { 1, 2, 3, 7 };
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct rnet_pool *pool = rnet_pool_create(threads[i]);
        assert_non_null(pool);
        assert_int_equal(rnet_pool_threads(pool), threads[i]);
        for (long tasks = -1; tasks < 20; tasks++)
            run_tasks(pool, tasks);
        for (int again = 0; again < 200; again++)
            run_tasks(pool, TASKS);
        usleep(3000);                   /* let them fall asleep */
        run_tasks(pool, 2);
        run_tasks(pool, TASKS);
        rnet_pool_destroy(pool);
    }
    run_tasks(NULL, TASKS);
}

static void test_create_and_destroy(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct rnet_pool *pool = rnet_pool_create(1 + i % 4);
        assert_non_null(pool);
        if (i % 3 == 0)
            run_tasks(pool, 5);
        rnet_pool_destroy(pool);
    }
    rnet_pool_destroy(NULL);
}

static void test_bad_sizes(void **state)
{
    (void)state;
    assert_null(rnet_pool_create(0));
    assert_null(rnet_pool_create(-3));
    assert_null(rnet_pool_create(1 << 30));
    assert_int_equal(rnet_pool_threads(NULL), 1);
    assert_int_equal(rnet_work_threads(NULL), 1);
}

#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) \
    || __has_feature(memory_sanitizer)
#define SANITIZED
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ \
    || defined SANITIZED
static void test_no_threads(void **state) { (void)state; skip(); }
#else
/* No address space for so many stacks: the pool is not made, nothing stays. */
static void test_no_threads(void **state)
{
    struct rlimit old, low;
    (void)state;
    getrlimit(RLIMIT_AS, &old);
    low = (struct rlimit) { (rlim_t)1 << 29, old.rlim_max };
    setrlimit(RLIMIT_AS, &low);
    for (int i = 0; i < 5; i++)
        assert_null(rnet_pool_create(4096));
    struct rnet_pool *pool = rnet_pool_create(2);
    setrlimit(RLIMIT_AS, &old);
    assert_non_null(pool);
    run_tasks(pool, TASKS);
    rnet_pool_destroy(pool);
}
#endif

static void slow_task(void *context, long index, int worker)
{
    (void)index, (void)worker;
    usleep(2000);
    atomic_fetch_add((atomic_int *)context, 1);
}

/* Tasks longer than any spin: caller and workers sleep, and all wake again;
 * and all workers take part. */
static void test_sleep(void **state)
{
    (void)state;
    struct rnet_pool *pool = rnet_pool_create(3);
    struct rnet_work work = { .pool = pool };
    struct rnet_run run = { .work = &work };
    atomic_int done = 0;
    for (int i = 1; i <= 10; i++) {
        rnet_parallel(&run, 4, slow_task, &done);
        assert_int_equal(done, 4 * i);
    }
    rnet_pool_destroy(pool);
}

static void meet_task(void *context, long index, int worker)
{
    atomic_int *met = context;
    (void)index, (void)worker;
    atomic_fetch_add(met, 1);
    for (int i = 0; i < 20000 && *met < 3; i++)
        usleep(100);
}

/* Three tasks that wait for each other end early: three threads ran. */
static void test_runs_at_once(void **state)
{
    (void)state;
    struct rnet_pool *pool = rnet_pool_create(3);
    struct rnet_work work = { .pool = pool };
    struct rnet_run run = { .work = &work };
    atomic_int met = 0;
    rnet_parallel(&run, 3, meet_task, &met);
    assert_int_equal(met, 3);
    rnet_pool_destroy(pool);
}

static void nested_inner(void *context, long index, int worker)
{
    struct count *count = context;
    atomic_fetch_add(&count->runs[index], 1);
    if (count->inside[worker] != 1)     /* the worker of the outer task */
        atomic_fetch_add(&count->clashes, 1);
}

static void nested_outer(void *context, long index, int worker)
{
    struct count *count = context;
    (void)index;
    if (atomic_fetch_add(&count->inside[worker], 1) != 0)
        atomic_fetch_add(&count->clashes, 1);
    rnet_parallel(&count->run, 50, nested_inner, count);
    atomic_fetch_sub(&count->inside[worker], 1);
}

static void test_nested(void **state)
{
    (void)state;
    struct rnet_pool *pool = rnet_pool_create(3);
    struct rnet_work work = { .pool = pool };
    struct count *count = calloc(1, sizeof *count);
    count->run.work = &work;
    for (int i = 1; i <= 50; i++) {
        rnet_parallel(&count->run, 30, nested_outer, count);
        assert_runs(count, 50, 30 * i);
    }
    free(count);
    rnet_pool_destroy(pool);
}

static void *many_runs(void *pool)
{
    for (int i = 0; i < 300; i++)
        run_tasks(pool, 64);
    return NULL;
}

/* Two threads, with a pool each and with one for both. */
static void test_two_callers(void **state)
{
    (void)state;
    struct rnet_pool *a = rnet_pool_create(3), *b = rnet_pool_create(2);
    for (int shared = 0; shared < 2; shared++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, many_runs, a), 0);
        many_runs(shared ? a : b);
        pthread_join(thread, NULL);
    }
    rnet_pool_destroy(a);
    rnet_pool_destroy(b);
}

static void reversed(void *user, long tasks, rnet_task *task, void *context)
{
    ++*(int *)user;
    for (long i = tasks - 1; i >= 0; i--)
        task(context, i, (int)(i % 5));
}

static void test_parallel_for(void **state)
{
    (void)state;
    int calls = 0;
    struct rnet_work work = { .parallel_for = reversed, .user = &calls,
                              .workers = 5 };
    struct count *count = calloc(1, sizeof *count);
    count->run.work = &work;
    assert_int_equal(rnet_work_threads(&work), 5);
    rnet_parallel(&count->run, 70, count_task, count);
    assert_runs(count, 70, 1);
    assert_int_equal(calls, 1);
    memset(count, 0, sizeof count->runs);
    rnet_parallel(&count->run, 30, nested_outer, count);
    assert_runs(count, 50, 30);
    assert_int_equal(calls, 2);
    free(count);
}

#if defined __SSE2__
static const unsigned caller_modes = 0x1f80 | 0x6000;   /* towards zero */

static void modes_task(void *context, long index, int worker)
{
    volatile float denormal = 1e-40f, root = 1e-20f, product;
    uint32_t bits;
    (void)index, (void)worker;
    product = root * root;              /* would be denormal */
    memcpy(&bits, (const void *)&product, sizeof bits);
    if (bits != 0 || denormal * 1e30f != 0
        || (__builtin_ia32_stmxcsr() & 0x6000))
        atomic_fetch_add((atomic_int *)context, 1);
}

struct guest_call { long tasks; rnet_task *task; void *context; int wrong; };

static void *guest_thread(void *argument)
{
    struct guest_call *call = argument;
    __builtin_ia32_ldmxcsr(caller_modes);
    for (long i = 0; i < call->tasks; i++) {
        call->task(call->context, i, 0);
        call->wrong += __builtin_ia32_stmxcsr() != caller_modes;
    }
    return NULL;
}

/* A parallel_for that runs everything in a thread with modes of its own. */
static void elsewhere(void *user, long tasks, rnet_task *task, void *context)
{
    struct guest_call call = { tasks, task, context, 0 };
    pthread_t thread;
    pthread_create(&thread, NULL, guest_thread, &call);
    pthread_join(thread, NULL);
    *(int *)user += call.wrong;
}

/* Denormals are zero and rounding is to nearest in every task, on every kind
 * of thread; the caller's modes stay as they were. */
static void test_modes(void **state)
{
    (void)state;
    struct rnet_pool *pool = rnet_pool_create(3);
    int disturbed = 0;
    struct rnet_work works[3] = {
        { .pool = pool }, { .pool = NULL },
        { .parallel_for = elsewhere, .user = &disturbed, .workers = 5 } };
    for (int i = 0; i < 3; i++) {
        struct rnet_run run = { .work = &works[i] };
        atomic_int wrong = 0;
        __builtin_ia32_ldmxcsr(caller_modes);
        rnet_parallel(&run, 100, modes_task, &wrong);
        unsigned after = __builtin_ia32_stmxcsr();
        __builtin_ia32_ldmxcsr(0x1f80);
        assert_int_equal(after, caller_modes);
        assert_int_equal(wrong, 0);
    }
    assert_int_equal(disturbed, 0);
    rnet_pool_destroy(pool);
}
#else
static void test_modes(void **state) { (void)state; skip(); }
#endif

/* A child has no threads but its own; jobs and destroy still work there. */
static void test_fork(void **state)
{
    (void)state;
    struct rnet_pool *pool = rnet_pool_create(3);
    run_tasks(pool, TASKS);
    usleep(3000);
    pid_t child = fork();
    if (child == 0) {
        struct rnet_work work = { .pool = pool };
        struct rnet_run run = { .work = &work };
        atomic_int done = 0;
        alarm(20);
        for (int i = 0; i < 20; i++)
            rnet_parallel(&run, 3, slow_task, &done);
        rnet_pool_destroy(pool);
        _exit(done == 60 ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    rnet_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_once),
        cmocka_unit_test(test_create_and_destroy),
        cmocka_unit_test(test_bad_sizes),
        cmocka_unit_test(test_no_threads),
        cmocka_unit_test(test_sleep),
        cmocka_unit_test(test_runs_at_once),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_two_callers),
        cmocka_unit_test(test_parallel_for),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
