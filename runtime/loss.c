/* loss.c: softmax and the losses. */
#include "isa.h"
#include "kernels/loss.h"

static const struct loss_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(loss_kernels);

static void softmax_task(void *context, long row, long count)
{
    tables[rnet_isa()]->softmax(context, row, count);
}

void rnet_softmax(const struct rnet_run *run, struct rnet_rows rows,
                  long features, const float *x, long x_stride,
                  struct rnet_steps tail)
{
    struct loss_job job = {
        .run = run, .rows = rows, .features = features, .x = x,
        .x_stride = x_stride, .steps = tail,
    };

    rnet_by_rows(run, rows, tail, softmax_task, &job);
}

static void softmax_grad_task(void *context, long row, long count)
{
    tables[rnet_isa()]->softmax_grad(context, row, count);
}

void rnet_softmax_grad(const struct rnet_run *run, struct rnet_rows rows,
                       long features, const float *y, long y_stride,
                       const float *dy, long dy_stride, struct rnet_steps tail)
{
    struct loss_job job = {
        .run = run, .rows = rows, .features = features, .x = dy,
        .x_stride = dy_stride, .y = y, .y_stride = y_stride, .steps = tail,
    };

    rnet_by_rows(run, rows, tail, softmax_grad_task, &job);
}

/* *loss += weight / count * sum of lines, in their order */
static void add_loss(float *loss, const float *lines, long rows, float weight,
                     long count)
{
    double sum = 0;

    for (long line = 0; line < (rows + RNET_LANES - 1) / RNET_LANES; line++)
        sum += lines[line];
    if (count)
        *loss += (float)(weight * (sum / (double)count));
}

static void cross_entropy_task(void *context, long row, long count)
{
    tables[rnet_isa()]->cross_entropy(context, row, count);
}

void rnet_cross_entropy(const struct rnet_run *run, struct rnet_rows rows,
                        long features, float weight, const float *x,
                        long x_stride, const int32_t *label, float *lines,
                        float *loss, struct rnet_steps tail)
{
    struct loss_job job = {
        .run = run, .rows = rows, .features = features, .x = x,
        .x_stride = x_stride, .label = label, .lines = lines, .steps = tail,
        .scale = (float)(weight / (double)rows.rows),
    };

    rnet_by_rows(run, rows, tail, cross_entropy_task, &job);
    add_loss(loss, lines, rows.rows, weight, rows.rows);
}

static void loss_task(void *context, long row, long count)
{
    tables[rnet_isa()]->loss(context, row, count);
}

void rnet_loss(const struct rnet_run *run, struct rnet_rows rows,
               long features, enum rnet_loss kind, float weight,
               const float *x, long x_stride, const float *target,
               float *lines, float *loss, struct rnet_steps tail)
{
    long count = rows.rows * features;
    struct loss_job job = {
        .run = run, .rows = rows, .features = features, .x = x,
        .x_stride = x_stride, .target = target, .lines = lines, .kind = kind,
        .scale = (float)(weight / (double)count), .steps = tail,
    };

    rnet_by_rows(run, rows, tail, loss_task, &job);
    add_loss(loss, lines, rows.rows, weight, count);
}
