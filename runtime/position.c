/* position.c: entry points of rotary embeddings, of tables of sines and of
 * sines of values. */
#include "isa.h"
#include "kernels/position.h"

static const struct position_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(position_kernels);

static void rope_task(void *context, long row, long count)
{
    tables[rnet_isa()]->rope(context, row, count);
}

void rnet_rope(const struct rnet_run *run, struct rnet_rows rows,
               long features, long head, enum rnet_pairing pairing,
               double base, const float *x, long x_stride,
               struct rnet_steps tail)
{
    struct position_job job = {
        .run = run, .rows = rows, .features = features, .head = head,
        .pairing = pairing, .base = base, .sign = 1, .x = x,
        .x_stride = x_stride, .steps = tail
    };

    rnet_by_rows(run, rows, tail, rope_task, &job);
}

void rnet_rope_grad(const struct rnet_run *run, struct rnet_rows rows,
                    long features, long head, enum rnet_pairing pairing,
                    double base, const float *dy, long dy_stride,
                    struct rnet_steps tail)
{
    struct position_job job = {
        .run = run, .rows = rows, .features = features, .head = head,
        .pairing = pairing, .base = base, .sign = -1, .x = dy,
        .x_stride = dy_stride, .steps = tail
    };

    rnet_by_rows(run, rows, tail, rope_task, &job);
}

static void sines_task(void *context, long row, long count)
{
    tables[rnet_isa()]->sines(context, row, count);
}

void rnet_sine_positions(const struct rnet_run *run, struct rnet_rows rows,
                         long features, double base, struct rnet_steps tail)
{
    struct position_job job = {
        .run = run, .rows = rows, .features = features, .head = features,
        .pairing = RNET_NEIGHBOURS, .base = base, .sign = 1, .steps = tail
    };

    rnet_by_rows(run, rows, tail, sines_task, &job);
}

static void features_task(void *context, long row, long count)
{
    tables[rnet_isa()]->features(context, row, count);
}

void rnet_sine_features(const struct rnet_run *run, struct rnet_rows rows,
                        long features, double base, long shift, const float *x,
                        long x_stride, struct rnet_steps tail)
{
    struct position_job job = {
        .run = run, .rows = rows, .features = features, .base = base,
        .shift = shift, .x = x, .x_stride = x_stride, .steps = tail
    };

    rnet_by_rows(run, rows, tail, features_task, &job);
}

static void features_grad_task(void *context, long row, long count)
{
    tables[rnet_isa()]->features_grad(context, row, count);
}

void rnet_sine_features_grad(const struct rnet_run *run, struct rnet_rows rows,
                             long features, double base, long shift,
                             const float *dy, long dy_stride, const float *y,
                             long y_stride, struct rnet_steps tail)
{
    struct position_job job = {
        .run = run, .rows = rows, .features = features, .base = base,
        .shift = shift, .x = dy, .x_stride = dy_stride, .y = y,
        .y_stride = y_stride, .steps = tail
    };

    rnet_by_rows(run, rows, tail, features_grad_task, &job);
}
