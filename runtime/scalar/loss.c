/* loss.c: the scalar twin of softmax and the losses. */
#include <math.h>

#include "../kernels/loss.h"

static double at(const struct loss_job *job, const float *x, long stride,
                 long row, long feature)
{
    if (job->rows.layout == RNET_PLAIN)
        return x[row * stride + feature];
    return x[(row / RNET_LANES * stride + feature) * RNET_LANES
             + row % RNET_LANES];
}

static double x_at(const struct loss_job *job, long row, long feature)
{
    return at(job, job->x, job->x_stride, row, feature);
}

/* The gradient at an element; `a` and `b` are two numbers of its row. */
typedef double formula(const struct loss_job *job, long row, long feature,
                       double a, double b);

/* Tile by tile: acc = f, then the steps. */
static void finish(const struct loss_job *job, struct rnet_part part,
                   const double *a, const double *b, formula *f)
{
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    int strips = part.rows.layout == RNET_STRIPS;
    struct rnet_tile tile;

    if (rnet_rows_begin(job->rows, part.row))
        rnet_steps_begin(job->steps, part.chunk, 0, job->features,
                         job->features);
    if (job->steps.count == 0)
        return;
    rnet_tile_first(&tile, &part, acc);
    do {
        rnet_tile_size(&tile, &part);
        for (int i = 0; i < tile.outer; i++)
            for (int j = 0; j < tile.inner; j++) {
                long row = tile.row + (strips ? j : i);
                long feature = tile.feature + (strips ? i : j);
                long k = row - part.row;

                acc[i * tile.acc_stride + j] = f(job, row, feature, a[k], b[k]);
            }
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, &part));
}

/* Largest x of a row and sum of e^(x - largest).  A row of -infinity alone has
 * largest 0, sum 0. */
static void exponents(const struct loss_job *job, long row, double *largest,
                      double *sum)
{
    *largest = -INFINITY;
    for (long f = 0; f < job->features; f++)
        if (x_at(job, row, f) > *largest)
            *largest = x_at(job, row, f);
    if (*largest == -INFINITY)
        *largest = 0;
    *sum = 0;
    for (long f = 0; f < job->features; f++)
        *sum += exp(x_at(job, row, f) - *largest);
}

/* a largest, b 1 / sum */
static double probability(const struct loss_job *job, long row, long feature,
                          double a, double b)
{
    return exp(x_at(job, row, feature) - a) * b;
}

static void softmax(const struct loss_job *job, long row, long count)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->features, row,
                                           count);
    double largest[RNET_LANES], inverse[RNET_LANES], sum;

    for (long k = 0; k < count; k++) {
        exponents(job, row + k, largest + k, &sum);
        inverse[k] = sum == 0 ? 0 : 1 / sum;
    }
    finish(job, part, largest, inverse, probability);
}

/* y (dy - a), a = sum y dy */
static double softmax_slope(const struct loss_job *job, long row, long feature,
                            double a, double b)
{
    (void)b;
    return at(job, job->y, job->y_stride, row, feature)
           * (x_at(job, row, feature) - a);
}

static void softmax_grad(const struct loss_job *job, long row, long count)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->features, row,
                                           count);
    double sums[RNET_LANES];

    for (long k = 0; k < count; k++) {
        sums[k] = 0;
        for (long f = 0; f < job->features; f++)
            sums[k] += at(job, job->y, job->y_stride, row + k, f)
                       * x_at(job, row + k, f);
    }
    finish(job, part, sums, sums, softmax_slope);
}

/* a largest, b 1 / sum; with q the softmax:
 * q_c (label + rest sum w) - label [c = t] - rest w_c */
static double cross_entropy_slope(const struct loss_job *job, long row,
                                  long feature, double a, double b)
{
    struct loss_share share = rnet_loss_share(job, row);
    double slope = -share.label * (feature == job->label[row]);

    if (share.rest != 0)
        slope -= share.rest * rnet_class_weight(job->entropy, feature);
    return (slope + probability(job, row, feature, a, b)
                    * (share.label + share.rest * job->classes)) * job->scale;
}

/* sum of w_c (-log q_c), with log = log(sum e^x) */
static double all_classes(const struct loss_job *job, long row, double log)
{
    double sum = 0;

    for (long f = 0; f < job->features; f++)
        sum += rnet_class_weight(job->entropy, f) * (log - x_at(job, row, f));
    return sum;
}

static double row_loss(const struct loss_job *job, long row, double log)
{
    struct loss_share share = rnet_loss_share(job, row);
    double sum = 0;

    if (share.label != 0)
        sum += share.label * (log - x_at(job, row, job->label[row]));
    if (share.rest != 0)
        sum += share.rest * all_classes(job, row, log);
    return sum;
}

static void cross_entropy(const struct loss_job *job, long row, long count)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->features, row,
                                           count);
    double largest[RNET_LANES], inverse[RNET_LANES], sum, total = 0;

    for (long k = 0; k < count; k++) {
        exponents(job, row + k, largest + k, &sum);
        inverse[k] = sum == 0 ? 0 : 1 / sum;
        total += row_loss(job, row + k, largest[k] + log(sum));
    }
    rnet_loss_line(job, row, (float)total);
    finish(job, part, largest, inverse, cross_entropy_slope);
}

static double error(enum rnet_loss kind, double x, double target)
{
    switch (kind) {
    case RNET_LOSS_SQUARED:
        return (x - target) * (x - target);
    case RNET_LOSS_BINARY:
        return (x < 0 ? 0 : x) - x * target + log1p(exp(-fabs(x)));
    case RNET_LOSS_ABSOLUTE:
        return fabs(x - target);
    }
    return 0;
}

static double error_slope(enum rnet_loss kind, double x, double target)
{
    switch (kind) {
    case RNET_LOSS_SQUARED:
        return 2 * (x - target);
    case RNET_LOSS_BINARY:
        return 1 / (1 + exp(-x)) - target;
    case RNET_LOSS_ABSOLUTE:
        return (x > target) - (x < target);
    }
    return 0;
}

static double loss_slope(const struct loss_job *job, long row, long feature,
                         double a, double b)
{
    (void)a, (void)b;
    return error_slope(job->kind, x_at(job, row, feature),
                       job->target[row * job->features + feature])
           * job->scale;
}

static void loss(const struct loss_job *job, long row, long count)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->features, row,
                                           count);
    double total = 0, unused[RNET_LANES] = { 0 };

    for (long r = row; r < row + count; r++)
        for (long f = 0; f < job->features; f++)
            total += error(job->kind, x_at(job, r, f),
                           job->target[r * job->features + f]);
    rnet_loss_line(job, row, (float)total);
    finish(job, part, unused, unused, loss_slope);
}

const struct loss_kernels RNET_NAME(loss_kernels) = {
    softmax, softmax_grad, cross_entropy, loss
};
