/* bench_point.c: nanoseconds an element of the steps on a tile in L1, and of
 * passes over values, for each instruction set.  One thread. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../../runtime/isa.h"
#include "../../runtime/kernels/point.h"

static const char *const names[RNET_ISAS] = { "scalar", "base", "avx2",
                                              "avx512" };

/* CPU time of this thread: other processes do not count. */
static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

struct job {
    struct rnet_run run;
    struct rnet_rows rows;
    long features;
    struct rnet_steps steps;
    float *x, *y, *z;
    float *rstd;
};

typedef void work(struct job *job);

/* Best of some turns, ns an element. */
static double measure(struct job *job, work *f)
{
    double best = 1e30, count = (double)(job->rows.rows * job->features);
    int calls = (int)(4e5 / count) + 1;

    for (int turn = 0; turn < 12; turn++) {
        double start = now(), each;

        for (int i = 0; i < calls; i++)
            f(job);
        each = (now() - start) / calls / count;
        if (each < best)
            best = each;
    }
    return best;
}

static void point(struct job *job)
{
    rnet_point(&job->run, job->rows, job->features, job->steps);
}

static void layer_norm(struct job *job)
{
    rnet_norm_rows(&job->run, job->rows, job->features, RNET_NORM_LAYER, 1,
                   1e-5f, job->x, job->features, job->rstd, job->steps);
}

static void layer_norm_grad(struct job *job)
{
    rnet_norm_rows_grad(&job->run, job->rows, job->features, RNET_NORM_LAYER,
                        1, job->z, job->features, job->x, job->features,
                        job->rstd, NULL, job->rstd + 4096, job->steps);
}

static void softmax(struct job *job)
{
    rnet_softmax(&job->run, job->rows, job->features, job->x, job->features,
                 job->steps);
}

/* Four streams of a quarter of the features, weights of each row. */
static void mix(struct job *job)
{
    rnet_mix(&job->run, job->rows, 4, 4, job->features / 4, job->x,
             job->features, job->z, 16, job->steps);
}

static void dots(struct job *job)
{
    rnet_dots(&job->run, job->rows, 4, 4, job->features / 4, job->x,
              job->features, job->z, job->features, RNET_NO_STEPS);
}

static void sinkhorn(struct job *job)
{
    rnet_sinkhorn(&job->run, job->rows, 4, 20, job->x, job->features,
                  job->steps);
}

static struct rnet_step full(enum rnet_op op, float *x, long features)
{
    return (struct rnet_step) { .op = op, .kind = RNET_FULL, .x = x,
                                .stride = features, .value = 0.1f };
}

/* Loads, applies the op and stores; (32, 32) in strips. */
static void bench_op(struct job *job, const char *what, enum rnet_op op)
{
    struct rnet_step list[3] = {
        full(RNET_LOAD, job->x, 32), full(op, job->z, 32),
        full(RNET_STORE, job->y, 32),
    };

    job->rows = (struct rnet_rows) { RNET_STRIPS, 32, 1 };
    job->features = 32;
    job->steps = (struct rnet_steps) { list, 3 };
    printf("%-24s", what);
    for (int isa = RNET_ISA_BASE; isa < RNET_ISAS; isa++)
        if (rnet_isa_use((enum rnet_isa)isa) == (enum rnet_isa)isa)
            printf("  %s %6.3f", names[isa], measure(job, point));
    printf("\n");
}

static void bench_pass(struct job *job, const char *what,
                       enum rnet_layout layout, long rows, long features,
                       work *f)
{
    struct rnet_step list[2] = {
        { .op = RNET_LOAD, .kind = RNET_FULL, .x = job->x, .stride = features },
        full(RNET_STORE, job->y, features),
    };

    job->rows = (struct rnet_rows) { layout, rows, 1 };
    job->features = features;
    job->steps = f == point ? (struct rnet_steps) { list, 2 }
                            : (struct rnet_steps) { list + 1, 1 };
    printf("%-24s", what);
    for (int isa = RNET_ISA_BASE; isa < RNET_ISAS; isa++)
        if (rnet_isa_use((enum rnet_isa)isa) == (enum rnet_isa)isa)
            printf("  %s %6.3f", names[isa], measure(job, f));
    printf("\n");
}

int main(void)
{
    static const struct { const char *what; enum rnet_op op; } ops[] = {
        { "add", RNET_ADD }, { "relu", RNET_RELU },
        { "exp", RNET_EXP }, { "log", RNET_LOG }, { "tanh", RNET_TANH },
        { "sigmoid", RNET_SIGMOID }, { "silu", RNET_SILU },
        { "gelu", RNET_GELU }, { "gelu, tanh", RNET_GELU_TANH },
        { "gelu gradient", RNET_GELU_GRAD },
        { "silu gradient", RNET_SILU_GRAD }, { "dropout", RNET_DROPOUT },
    };
    struct job job = { .x = rnet_alloc(1 << 20), .y = rnet_alloc(1 << 20),
                       .z = rnet_alloc(1 << 20), .rstd = rnet_alloc(1 << 16) };

    if (!job.x || !job.y || !job.z || !job.rstd)
        return 1;
    for (long i = 0; i < 1 << 20; i++)
        job.x[i] = job.z[i] = (float)(i % 1000) / 250 - 2;
    printf("ns an element; load and store included\n");
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        bench_op(&job, ops[i].what, ops[i].op);
    bench_pass(&job, "layer norm, strips", RNET_STRIPS, 64, 256, layer_norm);
    bench_pass(&job, "layer norm, plain", RNET_PLAIN, 64, 256, layer_norm);
    bench_pass(&job, "its gradient, strips", RNET_STRIPS, 64, 256,
               layer_norm_grad);
    bench_pass(&job, "its gradient, plain", RNET_PLAIN, 64, 256,
               layer_norm_grad);
    bench_pass(&job, "softmax, strips", RNET_STRIPS, 64, 256, softmax);
    bench_pass(&job, "softmax, plain", RNET_PLAIN, 64, 256, softmax);
    bench_pass(&job, "mix of 4 to 4, strips", RNET_STRIPS, 64, 256, mix);
    bench_pass(&job, "mix of 4 to 4, plain", RNET_PLAIN, 64, 256, mix);
    bench_pass(&job, "dots of 4 and 4, strips", RNET_STRIPS, 64, 256, dots);
    bench_pass(&job, "dots of 4 and 4, plain", RNET_PLAIN, 64, 256, dots);
    bench_pass(&job, "sinkhorn of 4, strips", RNET_STRIPS, 64, 16, sinkhorn);
    bench_pass(&job, "sinkhorn of 4, plain", RNET_PLAIN, 64, 16, sinkhorn);
    bench_pass(&job, "copy, strips", RNET_STRIPS, 64, 256, point);
    return 0;
}
