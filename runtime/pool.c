/* pool.c: a pool of threads, and running tasks on whatever threads a call has.
 *
 * One atomic word, `state`, says what the pool does: a generation number that
 * grows with every job, whether the job is open, how many workers are inside
 * it, and whether the caller sleeps.  A worker joins an open job by adding 1 to
 * the count, takes tasks until none is left and leaves by subtracting 1.  The
 * caller takes tasks too, closes the job and waits for those inside: never for
 * a worker that did not wake up in time. */
#include "modes.h"
#include "rnet_kernels.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define INSIDE     0xffffu              /* workers in the job */
#define OPEN       (1u << 16)           /* workers may join */
#define WAITING    (1u << 17)           /* the caller sleeps until they left */
#define GENERATION 18                   /* shift of the job's number */
#define MAX_THREADS 4096

/* Turns of a waiting loop before sleeping: some 50 microseconds.  The jobs of a
 * training step follow each other closely, and waking a thread costs as much
 * as a small job. */
#define SPINS 1500

struct rnet_pool {
    _Alignas(64) _Atomic uint64_t state;
    _Alignas(64) atomic_long next;      /* first task not taken */
    _Alignas(64) long tasks;            /* the job, fixed while it is open */
    rnet_task *task;
    void *context;
    const struct rnet_work *work;
    atomic_flag busy;                   /* a caller has the pool */
    atomic_int sleepers;
    atomic_int stop;
    pthread_mutex_t lock;
    pthread_cond_t wake;                /* for workers */
    pthread_cond_t left;                /* for the caller */
    int threads;                        /* the caller included */
    pid_t process;                      /* that has the threads */
    struct member { struct rnet_pool *pool; int worker; pthread_t thread; }
        *members;
};

/* ------------------------------------------------- state of each thread */

/* The tasks this thread is inside of, innermost first: a call made from
 * inside a task of the same work runs inline, as the same worker. */
struct frame {
    const struct rnet_work *work;
    int worker;
    const struct frame *outer;
};
static _Thread_local const struct frame *innermost;

static const struct frame *frame_of(const struct rnet_work *work)
{
    const struct frame *frame = innermost;
    while (frame && frame->work != work)
        frame = frame->outer;
    return frame;
}

static void rest(void)
{
#if defined __SSE2__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile ("yield");
#endif
}

/* --------------------------------------------------------------- workers */

static void take_tasks(struct rnet_pool *pool, int worker)
{
    const struct frame frame = { pool->work, worker, innermost };
    const long tasks = pool->tasks;
    innermost = &frame;
    for (;;) {
        long index = atomic_fetch_add_explicit(&pool->next, 1,
                                               memory_order_relaxed);
        if (index >= tasks)
            break;
        pool->task(pool->context, index, worker);
    }
    innermost = frame.outer;
}

/* Is there an open job other than number `seen`? */
static int has_job(const struct rnet_pool *pool, uint64_t seen)
{
    uint64_t state = atomic_load(&pool->state);
    return (state & OPEN) && state >> GENERATION != seen;
}

/* Joins the open job and sets *seen to its number; 0 when it has closed. */
static int join(struct rnet_pool *pool, uint64_t *seen)
{
    uint64_t state = atomic_load(&pool->state);
    while ((state & OPEN) && state >> GENERATION != *seen)
        if (atomic_compare_exchange_weak(&pool->state, &state, state + 1)) {
            *seen = state >> GENERATION;
            return 1;
        }
    return 0;
}

static void leave(struct rnet_pool *pool)
{
    uint64_t before = atomic_fetch_sub(&pool->state, 1);
    if ((before & INSIDE) != 1 || !(before & WAITING))
        return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_signal(&pool->left);
    pthread_mutex_unlock(&pool->lock);
}

/* Waits for a job other than `seen` or for the end of the pool. */
static void await_job(struct rnet_pool *pool, uint64_t seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (has_job(pool, seen) || atomic_load(&pool->stop))
            return;
        rest();
    }
    pthread_mutex_lock(&pool->lock);
    /* sleepers first, then the state; the caller does it the other way round,
     * so that one of the two sees the other */
    atomic_fetch_add(&pool->sleepers, 1);
    while (!has_job(pool, seen) && !atomic_load(&pool->stop))
        pthread_cond_wait(&pool->wake, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
}

static void *work_loop(void *argument)
{
    const struct member *member = argument;
    struct rnet_pool *pool = member->pool;
    uint64_t seen = 0;
    set_modes();
    for (;;) {
        await_job(pool, seen);
        if (atomic_load(&pool->stop))
            return NULL;
        if (join(pool, &seen)) {
            take_tasks(pool, member->worker);
            leave(pool);
        }
    }
}

/* ---------------------------------------------------------------- caller */

static void open_job(struct rnet_pool *pool)
{
    uint64_t number = (atomic_load(&pool->state) >> GENERATION) + 1;
    atomic_store(&pool->state, number << GENERATION | OPEN);
    int asleep = atomic_load(&pool->sleepers);
    if (asleep == 0 || pool->process != getpid())
        return;                         /* fork gave a child no threads */
    pthread_mutex_lock(&pool->lock);
    if (pool->tasks - 1 < asleep)
        for (long i = 0; i < pool->tasks - 1; i++)
            pthread_cond_signal(&pool->wake);
    else
        pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

static void close_job(struct rnet_pool *pool)
{
    uint64_t state = atomic_fetch_and(&pool->state, ~(uint64_t)OPEN);
    for (int i = 0; (state & INSIDE) && i < SPINS; i++) {
        rest();
        state = atomic_load(&pool->state);
    }
    if (!(state & INSIDE))
        return;
    pthread_mutex_lock(&pool->lock);
    state = atomic_fetch_or(&pool->state, WAITING);
    while (state & INSIDE) {
        pthread_cond_wait(&pool->left, &pool->lock);
        state = atomic_load(&pool->state);
    }
    pthread_mutex_unlock(&pool->lock);
}

/* Runs a job; 0, doing nothing, when another caller has the pool. */
static int run_job(struct rnet_pool *pool, const struct rnet_work *work,
                   long tasks, rnet_task *task, void *context)
{
    if (atomic_flag_test_and_set_explicit(&pool->busy, memory_order_acquire))
        return 0;
    pool->work = work;
    pool->tasks = tasks;
    pool->task = task;
    pool->context = context;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    open_job(pool);
    take_tasks(pool, 0);
    close_job(pool);
    atomic_flag_clear_explicit(&pool->busy, memory_order_release);
    return 1;
}

/* ------------------------------------------------------- making the pool */

static int start_workers(struct rnet_pool *pool)
{
    sigset_t all, old;
    int started = 1;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);   /* signals are the program's */
    for (; started < pool->threads; started++) {
        struct member *member = &pool->members[started];
        member->pool = pool;
        member->worker = started;
        if (pthread_create(&member->thread, NULL, work_loop, member))
            break;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return started;
}

static void stop_workers(struct rnet_pool *pool, int started)
{
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->stop, 1);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 1; i < started; i++)
        pthread_join(pool->members[i].thread, NULL);
    pthread_cond_destroy(&pool->left);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
}

static void release(struct rnet_pool *pool)
{
    free(pool->members);
    rnet_free(pool);
}

static int init_locks(struct rnet_pool *pool)
{
    if (pthread_mutex_init(&pool->lock, NULL))
        return 0;
    if (pthread_cond_init(&pool->wake, NULL)) {
        pthread_mutex_destroy(&pool->lock);
        return 0;
    }
    if (pthread_cond_init(&pool->left, NULL)) {
        pthread_cond_destroy(&pool->wake);
        pthread_mutex_destroy(&pool->lock);
        return 0;
    }
    return 1;
}

struct rnet_pool *rnet_pool_create(int threads)
{
    if (threads < 1 || threads > MAX_THREADS)
        return NULL;
    struct rnet_pool *pool = rnet_alloc_bytes(sizeof *pool);
    if (!pool)
        return NULL;
    atomic_flag_clear(&pool->busy);
    pool->threads = threads;
    pool->process = getpid();
    pool->members = calloc((size_t)threads, sizeof *pool->members);
    if (!pool->members || !init_locks(pool)) {
        release(pool);
        return NULL;
    }
    int started = start_workers(pool);
    if (started < threads) {
        stop_workers(pool, started);
        release(pool);
        return NULL;
    }
    return pool;
}

/* In a child process there is nothing to stop: releases memory alone. */
void rnet_pool_destroy(struct rnet_pool *pool)
{
    if (!pool)
        return;
    if (pool->process == getpid())
        stop_workers(pool, pool->threads);
    release(pool);
}

int rnet_pool_threads(const struct rnet_pool *pool)
{
    return pool ? pool->threads : 1;
}

/* --------------------------------------------------------- running tasks */

int rnet_work_threads(const struct rnet_work *work)
{
    if (!work)
        return 1;
    if (work->parallel_for)
        return work->workers > 1 ? work->workers : 1;
    return rnet_pool_threads(work->pool);
}

static void run_inline(long tasks, rnet_task *task, void *context, int worker)
{
    for (long i = 0; i < tasks; i++)
        task(context, i, worker);
}

/* A task on a thread of the caller's parallel_for. */
struct guest { const struct rnet_work *work; rnet_task *task; void *context; };

static void run_guest(void *argument, long index, int worker)
{
    const struct guest *guest = argument;
    const struct frame frame = { guest->work, worker, innermost };
    uint64_t modes = set_modes();
    innermost = &frame;
    guest->task(guest->context, index, worker);
    innermost = frame.outer;
    restore_modes(modes);
}

static void dispatch(const struct rnet_work *work, long tasks, rnet_task *task,
                     void *context)
{
    const struct frame *frame = frame_of(work);
    if (frame) {
        run_inline(tasks, task, context, frame->worker);
    } else if (tasks == 1 || rnet_work_threads(work) == 1) {
        run_inline(tasks, task, context, 0);
    } else if (work->parallel_for) {
        struct guest guest = { work, task, context };
        work->parallel_for(work->user, tasks, run_guest, &guest);
    } else if (!run_job(work->pool, work, tasks, task, context)) {
        run_inline(tasks, task, context, 0);
    }
}

/* Denormals are zero inside tasks; the caller's modes are as before after. */
void rnet_parallel(const struct rnet_run *run, long tasks, rnet_task *task,
                   void *context)
{
    if (tasks <= 0)
        return;
    uint64_t modes = set_modes();
    dispatch(run->work, tasks, task, context);
    restore_modes(modes);
}
