/* mix.c: entry points of mixes of blocks and of the Sinkhorn projection. */
#include "isa.h"
#include "kernels/mix.h"

static const struct mix_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(mix_kernels);

static void mix_task(void *context, long row, long count)
{
    tables[rnet_isa()]->mix(context, row, count);
}

void rnet_mix(const struct rnet_run *run, struct rnet_rows rows, long from,
              long to, long features, const float *x, long x_stride,
              const float *w, long w_stride, struct rnet_steps tail)
{
    struct mix_job job = {
        .run = run, .rows = rows, .from = from, .to = to,
        .features = features, .w_from = to, .w_to = 1, .x = x,
        .x_stride = x_stride, .w = w, .w_stride = w_stride, .steps = tail,
    };

    rnet_by_rows(run, rows, tail, mix_task, &job);
}

void rnet_mix_transposed(const struct rnet_run *run, struct rnet_rows rows,
                         long from, long to, long features, const float *x,
                         long x_stride, const float *w, long w_stride,
                         struct rnet_steps tail)
{
    struct mix_job job = {
        .run = run, .rows = rows, .from = from, .to = to,
        .features = features, .w_from = 1, .w_to = from, .x = x,
        .x_stride = x_stride, .w = w, .w_stride = w_stride, .steps = tail,
    };

    rnet_by_rows(run, rows, tail, mix_task, &job);
}

static void dots_task(void *context, long row, long count)
{
    tables[rnet_isa()]->dots(context, row, count);
}

void rnet_dots(const struct rnet_run *run, struct rnet_rows rows, long from,
               long to, long features, const float *x, long x_stride,
               const float *y, long y_stride, struct rnet_steps tail)
{
    struct mix_job job = {
        .run = run, .rows = rows, .from = from, .to = to,
        .features = features, .x = x, .x_stride = x_stride, .y = y,
        .y_stride = y_stride, .steps = tail,
    };

    rnet_by_rows(run, rows, tail, dots_task, &job);
}

static void sinkhorn_task(void *context, long row, long count)
{
    tables[rnet_isa()]->sinkhorn(context, row, count);
}

void rnet_sinkhorn(const struct rnet_run *run, struct rnet_rows rows, int n,
                   int iterations, const float *x, long x_stride,
                   struct rnet_steps tail)
{
    struct mix_job job = {
        .run = run, .rows = rows, .n = n, .iterations = iterations, .x = x,
        .x_stride = x_stride, .steps = tail,
    };

    rnet_by_rows(run, rows, tail, sinkhorn_task, &job);
}

static void sinkhorn_grad_task(void *context, long row, long count)
{
    tables[rnet_isa()]->sinkhorn_grad(context, row, count);
}

void rnet_sinkhorn_grad(const struct rnet_run *run, struct rnet_rows rows,
                        int n, int iterations, const float *x, long x_stride,
                        const float *dy, long dy_stride,
                        struct rnet_steps tail)
{
    struct mix_job job = {
        .run = run, .rows = rows, .n = n, .iterations = iterations, .x = x,
        .x_stride = x_stride, .y = dy, .y_stride = dy_stride, .steps = tail,
    };

    rnet_by_rows(run, rows, tail, sinkhorn_grad_task, &job);
}
