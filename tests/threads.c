/* threads.c: two emitted networks in one program, used at the same time.
 *
 *     cc -DNETWORK=digits -DOTHER=letters threads.c sample.c ...
 *
 * Each of two threads trains its own network, through a pool of its own or a
 * parallel_for that starts threads for each call; the results must be, to the
 * bit, what one thread gives by itself.  Meant for -fsanitize=thread too. */
#include "sample.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS 4
#define WORKERS 3
#define BATCH 70                /* more than two strips of 32 rows */

extern const struct rnet_network NETWORK, OTHER;

/* ------------------------------------------- a parallel_for of the caller's */

struct share {                  /* what one worker of one call does */
    rnet_task *task;
    void *context;
    long tasks;
    int worker;
};

static void *do_share(void *argument)
{
    const struct share *share = argument;
    for (long i = share->worker; i < share->tasks; i += WORKERS)
        share->task(share->context, i, share->worker);
    return NULL;
}

static void start_threads(void *user, long tasks, rnet_task *task,
                          void *context)
{
    struct share shares[WORKERS];
    pthread_t threads[WORKERS];
    (void)user;
    for (int i = 0; i < WORKERS; i++) {
        shares[i] = (struct share) { task, context, tasks, i };
        if (i && pthread_create(&threads[i], NULL, do_share, &shares[i]))
            exit(2);
    }
    do_share(&shares[0]);
    for (int i = 1; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
}

/* ------------------------------------------------------------- one network */

enum manner { ALONE, POOL, OWN };

struct run {
    const struct rnet_network *net;
    enum manner manner;
    struct sample sample;
    enum rnet_status status;
};

static void give_threads(struct run *run)
{
    struct rnet_work *work = &run->sample.work;
    if (run->manner == POOL)
        work->pool = rnet_pool_create(WORKERS);
    if (run->manner == POOL && !work->pool)
        run->status = RNET_NO_THREADS;
    if (run->manner == OWN) {
        work->parallel_for = start_threads;
        work->workers = WORKERS;
    }
}

/* Training changes running statistics, so calls differ from one another. */
static void *do_run(void *argument)
{
    struct run *run = argument;
    sample_make(&run->sample, run->net, BATCH, WORKERS, 5);
    give_threads(run);
    for (int i = 0; i < CALLS && run->status == RNET_OK; i++) {
        run->status = sample_train(&run->sample);
        run->sample.work.step++;
    }
    if (run->status == RNET_OK)
        run->status = sample_infer(&run->sample);
    rnet_pool_destroy(run->sample.work.pool);
    return NULL;
}

/* 1 when both gave the same bits. */
static int same(const struct run *a, const struct run *b)
{
    const struct rnet_network *net = a->net;
    const struct sample *x = &a->sample, *y = &b->sample;
    int equal = !memcmp(&x->loss, &y->loss, sizeof x->loss)
        && !memcmp(x->params, y->params, net->param_floats * sizeof(float))
        && !memcmp(x->grads, y->grads, net->grad_floats * sizeof(float));
    for (int i = 0; i < net->output_count; i++)
        equal &= !memcmp(x->output[i], y->output[i],
                         BATCH * net->outputs[i].size * sizeof(float));
    return equal;
}

static int check(const struct run *expected, const struct run *run,
                 const char *what)
{
    int good = run->status == RNET_OK && same(expected, run);
    printf("%-20s %-28s %s\n", run->net->name, what, good ? "ok" : "FAILED");
    if (run->status != RNET_OK)
        printf("    %s\n", rnet_status_text(run->status));
    return !good;
}

/* Both networks at once, each in a thread of its own. */
static int check_pair(const struct run expected[2], enum manner first,
                      enum manner second, const char *what)
{
    struct run runs[2] = { { .net = &NETWORK, .manner = first },
                           { .net = &OTHER, .manner = second } };
    pthread_t threads[2];
    int failures = 0;
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, do_run, &runs[i]))
            exit(2);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++) {
        failures += check(&expected[i], &runs[i], what);
        sample_free(&runs[i].sample);
    }
    return failures;
}

int main(void)
{
    struct run expected[2] = { { .net = &NETWORK }, { .net = &OTHER } };
    int failures = 0;
    for (int i = 0; i < 2; i++) {
        do_run(&expected[i]);
        if (expected[i].status != RNET_OK) {
            printf("%s: %s\n", expected[i].net->name,
                   rnet_status_text(expected[i].status));
            return 1;
        }
    }
    failures += check_pair(expected, ALONE, ALONE, "at the same time");
    failures += check_pair(expected, POOL, POOL, "with pools");
    failures += check_pair(expected, OWN, POOL, "a parallel_for and a pool");
    for (int i = 0; i < 2; i++)
        sample_free(&expected[i].sample);
    return failures != 0;
}
