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

/* The sum of lines, in their order. */
static double line_sum(const float *lines, long rows)
{
    double sum = 0;

    for (long line = 0; line < (rows + RNET_LANES - 1) / RNET_LANES; line++)
        sum += lines[line];
    return sum;
}

/* *loss += weight / count * sum of lines */
static void add_loss(float *loss, const float *lines, long rows, float weight,
                     double count)
{
    if (count != 0)
        *loss += (float)(weight * (line_sum(lines, rows) / count));
}

/* --------------------------------------------------------- cross-entropy */

/* The line of these rows: sum r w_t. */
static void weights_task(void *context, long row, long count)
{
    const struct loss_job *job = context;
    double sum = 0;

    for (long k = row; k < row + count; k++) {
        float weight = rnet_row_weight(job, k);

        if (weight != 0)
            sum += weight * rnet_class_weight(job->entropy, job->label[k]);
    }
    rnet_loss_line(job, row, (float)sum);
}

/* What the sum of the rows' losses is divided by. */
static double entropy_count(struct loss_job *job)
{
    if (!job->entropy)
        return (double)job->rows.rows;
    for (long c = 0; c < job->features; c++)
        job->classes += rnet_class_weight(job->entropy, c);
    rnet_by_rows(job->run, job->rows, RNET_NO_STEPS, weights_task, job);
    return line_sum(job->lines, job->rows.rows);
}

static void cross_entropy_task(void *context, long row, long count)
{
    tables[rnet_isa()]->cross_entropy(context, row, count);
}

void rnet_weighted_cross_entropy(const struct rnet_run *run,
                                 struct rnet_rows rows, long features,
                                 float weight,
                                 const struct rnet_entropy *entropy,
                                 const float *x, long x_stride,
                                 const int32_t *label, float *lines,
                                 float *loss, struct rnet_steps tail)
{
    struct loss_job job = {
        .run = run, .rows = rows, .features = features, .x = x,
        .x_stride = x_stride, .label = label, .entropy = entropy,
        .lines = lines, .steps = tail,
    };
    double count = entropy_count(&job);

    job.scale = count != 0 ? (float)(weight / count) : 0;
    rnet_by_rows(run, rows, tail, cross_entropy_task, &job);
    add_loss(loss, lines, rows.rows, weight, count);
}

void rnet_cross_entropy(const struct rnet_run *run, struct rnet_rows rows,
                        long features, float weight, const float *x,
                        long x_stride, const int32_t *label, float *lines,
                        float *loss, struct rnet_steps tail)
{
    rnet_weighted_cross_entropy(run, rows, features, weight, NULL, x, x_stride,
                                label, lines, loss, tail);
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
    add_loss(loss, lines, rows.rows, weight, (double)count);
}
