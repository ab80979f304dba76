/* loss.c: softmax and the losses on vectors.  Strips: each lane has its row, so
 * everything is vertical.  Plain: one row after the other. */
#include <math.h>

#include "loss.h"
#include "math.h"

#define VECTORS (RNET_LANES / RNET_W)   /* of a strip's row */

/* Numbers for each row of a block. */
struct stats {
    float a[RNET_LANES] __attribute__((aligned(64)));
    float b[RNET_LANES] __attribute__((aligned(64)));
    /* cross-entropy: what is taken off at the label, off each class's w_c */
    float label[RNET_LANES], rest[RNET_LANES] __attribute__((aligned(64)));
};

/* First element of a block of rows. */
static const float *block(const struct loss_job *job, const float *x,
                          long stride, long row)
{
    if (job->rows.layout == RNET_PLAIN)
        return x + row * stride;
    return x + row / RNET_LANES * stride * RNET_LANES;
}

/* ------------------------------------------------------ largest, exponentials */

/* -infinity becomes 0, so that e^(x - largest) is 0 and not NaN. */
static ALWAYS_INLINE vf finite_largest(vf largest)
{
    return v_select(largest == v_set(-INFINITY), v_zero(), largest);
}

/* a = the largest x, b = sum of e^(x - a); NaN in x makes b NaN. */
static void strip_exponents(const float *x, long n, struct stats *to)
{
    vf largest[VECTORS], sum[VECTORS];

    UNROLL
    for (int j = 0; j < VECTORS; j++) {
        largest[j] = v_set(-INFINITY);
        sum[j] = v_zero();
    }
    for (long f = 0; f < n; f++)
        UNROLL
        for (int j = 0; j < VECTORS; j++)
            largest[j] = v_max(v_loadu(x + f * RNET_LANES + j * RNET_W),
                               largest[j]);
    UNROLL
    for (int j = 0; j < VECTORS; j++)
        largest[j] = finite_largest(largest[j]);
    for (long f = 0; f < n; f++)
        UNROLL
        for (int j = 0; j < VECTORS; j++)
            sum[j] += v_exp_negative(v_loadu(x + f * RNET_LANES + j * RNET_W)
                                     - largest[j]);
    UNROLL
    for (int j = 0; j < VECTORS; j++) {
        v_store(to->a + j * RNET_W, largest[j]);
        v_store(to->b + j * RNET_W, sum[j]);
    }
}

static void row_exponents(const float *x, long n, float *a, float *b)
{
    vf largest = v_set(-INFINITY), sum = v_zero();

    for (long j = 0; j < n; j += RNET_W) {
        int part = v_part(n, j);

        largest = v_max(v_select(vi_first(part), v_load_up_to(x + j, part),
                                 v_set(-INFINITY)), largest);
    }
    largest = finite_largest(v_set(v_highest(largest)));
    for (long j = 0; j < n; j += RNET_W) {
        int part = v_part(n, j);

        sum += v_keep(vi_first(part),
                      v_exp_negative(v_load_up_to(x + j, part) - largest));
    }
    *a = largest[0];
    *b = v_sum(sum);
}

static void exponents(const struct loss_job *job, long row, long count,
                      struct stats *to)
{
    const float *x = block(job, job->x, job->x_stride, row);

    if (job->rows.layout == RNET_STRIPS) {
        strip_exponents(x, job->features, to);
        return;
    }
    for (long k = 0; k < count; k++)
        row_exponents(x + k * job->x_stride, job->features, to->a + k,
                      to->b + k);
}

/* scale / b, and 0 for 0: a row of -infinity alone has softmax 0. */
static ALWAYS_INLINE float inverse(float b, double scale)
{
    return b == 0 ? 0 : (float)(scale / (double)b);
}

static void invert(struct stats *stats, float scale)
{
    for (int k = 0; k < RNET_LANES; k += RNET_W) {
        vf b = v_load(stats->b + k);

        v_store(stats->b + k, v_keep(b != 0, v_set(scale) / b));
    }
}

/* --------------------------------------------------------------- tile by tile */

/* acc of one vector, from x, y and its row's numbers */
typedef vf formula(vf x, vf y, vf a, vf b);

static ALWAYS_INLINE void fill_strip(const struct loss_job *job,
                                     const struct rnet_tile *tile,
                                     const struct stats *stats, formula *f)
{
    const float *x = block(job, job->x, job->x_stride, tile->row)
                     + tile->feature * RNET_LANES;
    const float *y = job->y ? block(job, job->y, job->y_stride, tile->row)
                              + tile->feature * RNET_LANES : x;

    for (int i = 0; i < tile->outer; i++)
        UNROLL
        for (int j = 0; j < VECTORS; j++) {
            long at = i * RNET_LANES + j * RNET_W;
            vf acc = f(v_loadu(x + at), v_loadu(y + at),
                       v_load(stats->a + j * RNET_W),
                       v_load(stats->b + j * RNET_W));

            v_store(tile->acc + at,
                    v_keep(vi_lanes() < tile->inner - j * RNET_W, acc));
        }
}

static ALWAYS_INLINE void fill_plain(const struct loss_job *job,
                                     const struct rnet_tile *tile, long row,
                                     const struct stats *stats, formula *f)
{
    for (int i = 0; i < tile->outer; i++) {
        long at = tile->row + i;
        const float *x = job->x + at * job->x_stride + tile->feature;
        const float *y = job->y ? job->y + at * job->y_stride + tile->feature
                                : x;

        for (int j = 0; j < tile->inner; j += RNET_W) {
            int part = v_part(tile->inner, j);

            v_store(tile->acc + i * tile->acc_stride + j,
                    f(v_load_up_to(x + j, part), v_load_up_to(y + j, part),
                      v_set(stats->a[at - row]), v_set(stats->b[at - row])));
        }
    }
}

/* Takes off what the labels' rows have there. */
static void subtract_labels(const struct loss_job *job,
                            const struct rnet_tile *tile, const float *off)
{
    int strips = tile->layout == RNET_STRIPS;
    int rows = strips ? tile->inner : tile->outer;
    int wide = strips ? tile->outer : tile->inner;

    for (int k = 0; k < rows; k++) {
        long f = job->label[tile->row + k] - tile->feature;

        if (f >= 0 && f < wide)
            tile->acc[strips ? f * RNET_LANES + k
                             : k * tile->acc_stride + f] -= off[k];
    }
}

/* Weights of the classes from f on. */
static ALWAYS_INLINE vf weights_at(const struct loss_job *job, long f, int part)
{
    const float *classes = job->entropy->classes;

    return classes ? v_load_up_to(classes + f, part) : v_set(1);
}

/* Takes off[row] w_c off everywhere. */
static void subtract_classes(const struct loss_job *job,
                             const struct rnet_tile *tile, const float *off)
{
    int strips = tile->layout == RNET_STRIPS;
    int inner = strips ? RNET_LANES : tile->inner;

    for (int i = 0; i < tile->outer; i++)
        for (int j = 0; j < inner; j += RNET_W) {
            float *acc = tile->acc + i * tile->acc_stride + j;
            vf share = strips
                ? v_load(off + j)
                      * v_set(rnet_class_weight(job->entropy,
                                                tile->feature + i))
                : v_set(off[i]) * weights_at(job, tile->feature + j,
                                             v_part(inner, j));

            v_store(acc, v_load(acc) - share);
        }
}

static void begin(const struct loss_job *job, const struct rnet_part *part)
{
    if (rnet_rows_begin(job->rows, part->row))
        rnet_steps_begin(job->steps, part->chunk, 0, job->features,
                         job->features);
}

/* acc = f, less the labels, then the steps. */
static ALWAYS_INLINE void finish(const struct loss_job *job, long row,
                                 long count, const struct stats *stats,
                                 formula *f)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->features, row,
                                           count);
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    struct rnet_tile tile;

    begin(job, &part);
    if (job->steps.count == 0)
        return;
    rnet_tile_first(&tile, &part, acc);
    do {
        rnet_tile_size(&tile, &part);
        if (tile.layout == RNET_STRIPS)
            fill_strip(job, &tile, stats, f);
        else
            fill_plain(job, &tile, row, stats, f);
        if (job->label)
            subtract_labels(job, &tile, stats->label + (tile.row - row));
        if (job->entropy && job->entropy->smoothing != 0)
            subtract_classes(job, &tile, stats->rest + (tile.row - row));
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, &part));
}

/* -------------------------------------------------------------------- softmax */

static ALWAYS_INLINE vf probability(vf x, vf y, vf a, vf b)
{
    (void)y;
    return v_exp_negative(x - a) * b;
}

static void softmax(const struct loss_job *job, long row, long count)
{
    struct stats stats;

    exponents(job, row, count, &stats);
    invert(&stats, 1);
    finish(job, row, count, &stats, probability);
}

/* y (dy - a), a = sum y dy */
static ALWAYS_INLINE vf softmax_slope(vf x, vf y, vf a, vf b)
{
    (void)b;
    return y * (x - a);
}

static void strip_products(const struct loss_job *job, long row,
                           struct stats *stats)
{
    const float *x = block(job, job->x, job->x_stride, row);
    const float *y = block(job, job->y, job->y_stride, row);
    vf sum[VECTORS];

    UNROLL
    for (int j = 0; j < VECTORS; j++)
        sum[j] = v_zero();
    for (long f = 0; f < job->features; f++)
        UNROLL
        for (int j = 0; j < VECTORS; j++) {
            long at = f * RNET_LANES + j * RNET_W;

            sum[j] += v_loadu(x + at) * v_loadu(y + at);
        }
    UNROLL
    for (int j = 0; j < VECTORS; j++)
        v_store(stats->a + j * RNET_W, sum[j]);
}

static float row_product(const float *x, const float *y, long n)
{
    vf sum = v_zero();

    for (long j = 0; j < n; j += RNET_W)
        sum += v_load_up_to(x + j, n - j) * v_load_up_to(y + j, n - j);
    return v_sum(sum);
}

static void softmax_grad(const struct loss_job *job, long row, long count)
{
    struct stats stats = { .a = { 0 }, .b = { 0 } };

    if (job->rows.layout == RNET_STRIPS)
        strip_products(job, row, &stats);
    else
        for (long k = 0; k < count; k++)
            stats.a[k] = row_product(job->x + (row + k) * job->x_stride,
                                     job->y + (row + k) * job->y_stride,
                                     job->features);
    finish(job, row, count, &stats, softmax_slope);
}

/* -------------------------------------------------------------- cross-entropy */

static float x_at_label(const struct loss_job *job, long row)
{
    long label = job->label[row];

    if (job->rows.layout == RNET_PLAIN)
        return job->x[row * job->x_stride + label];
    return block(job, job->x, job->x_stride, row)[label * RNET_LANES
                                                  + row % RNET_LANES];
}

/* rest = sum over classes of w_c (a - x), of a strip's rows or of one */
static void strip_classes(const struct loss_job *job, long row,
                          struct stats *stats)
{
    const float *x = block(job, job->x, job->x_stride, row);
    vf sum[VECTORS];

    UNROLL
    for (int j = 0; j < VECTORS; j++)
        sum[j] = v_zero();
    for (long f = 0; f < job->features; f++)
        UNROLL
        for (int j = 0; j < VECTORS; j++)
            sum[j] += v_set(rnet_class_weight(job->entropy, f))
                      * (v_load(stats->a + j * RNET_W)
                         - v_loadu(x + f * RNET_LANES + j * RNET_W));
    UNROLL
    for (int j = 0; j < VECTORS; j++)
        v_store(stats->rest + j * RNET_W, sum[j]);
}

static float row_classes(const struct loss_job *job, long row, float largest)
{
    const float *x = job->x + row * job->x_stride;
    vf sum = v_zero();

    for (long f = 0; f < job->features; f += RNET_W) {
        int part = v_part(job->features, f);

        sum += v_keep(vi_first(part), weights_at(job, f, part)
                                      * (v_set(largest)
                                         - v_load_up_to(x + f, part)));
    }
    return v_sum(sum);
}

static void all_classes(const struct loss_job *job, long row, long count,
                        struct stats *stats)
{
    if (job->rows.layout == RNET_STRIPS) {
        strip_classes(job, row, stats);
        return;
    }
    for (long k = 0; k < count; k++)
        stats->rest[k] = row_classes(job, row + k, stats->a[k]);
}

/* log(sum e^x) - x_t of the k-th of a block's rows */
static double label_loss(const struct loss_job *job, long row, long k,
                         const struct stats *stats, const float *logs)
{
    return (double)(stats->a[k] - x_at_label(job, row + k)) + (double)logs[k];
}

/* The loss of the k-th of a block's rows; sets in stats the factor b of
 * e^(x - a) in its gradient, and what is taken off that: b is made of the numbers
 * that are taken off, as rounded, so that all classes' gradients sum to 0. */
static double weighted_loss(const struct loss_job *job, long row, long k,
                            struct stats *stats, const float *logs)
{
    struct loss_share share = rnet_loss_share(job, row + k);
    double sum = 0;

    if (share.label != 0)
        sum += (double)share.label * label_loss(job, row, k, stats, logs);
    if (share.rest != 0)
        sum += (double)share.rest * ((double)stats->rest[k]
                                     + job->classes * (double)logs[k]);
    stats->label[k] = job->scale * share.label;
    stats->rest[k] = job->scale * share.rest;
    stats->b[k] = inverse(stats->b[k], (double)stats->label[k]
                                       + job->classes * (double)stats->rest[k]);
    return sum;
}

static double weighted_losses(const struct loss_job *job, long row, long count,
                              struct stats *stats, const float *logs)
{
    double total = 0;

    if (job->entropy->smoothing != 0)
        all_classes(job, row, count, stats);
    for (long k = 0; k < count; k++)
        total += weighted_loss(job, row, k, stats, logs);
    return total;
}

static double plain_losses(const struct loss_job *job, long row, long count,
                           struct stats *stats, const float *logs)
{
    double total = 0;

    for (long k = 0; k < count; k++)
        total += label_loss(job, row, k, stats, logs);
    invert(stats, job->scale);
    for (int k = 0; k < RNET_LANES; k++)
        stats->label[k] = job->scale;
    return total;
}

static void cross_entropy(const struct loss_job *job, long row, long count)
{
    struct stats stats = { .a = { 0 }, .b = { 0 } };
    float logs[RNET_LANES] __attribute__((aligned(64)));

    exponents(job, row, count, &stats);
    for (int j = 0; j < RNET_LANES; j += RNET_W)
        v_store(logs + j, v_log(v_load(stats.b + j)));
    rnet_loss_line(job, row, (float)(job->entropy ? weighted_losses
                                                  : plain_losses)
                                (job, row, count, &stats, logs));
    finish(job, row, count, &stats, probability);
}

/* ------------------------------------------------------------- element-wise */

/* The loss of a vector, and its slope. */
typedef vf pair(vf x, vf target, vf *slope);

static ALWAYS_INLINE vf squared(vf x, vf target, vf *slope)
{
    vf d = x - target;

    *slope = d + d;
    return d * d;
}

/* max(x, 0) - x t + log(1 + e^-|x|); sigmoid(x) - t */
static ALWAYS_INLINE vf binary(vf x, vf target, vf *slope)
{
    vf e = v_exp_negative(-v_abs(x));

    *slope = v_select(x < 0, e, v_set(1)) / (1 + e) - target;
    return v_select(x < 0, v_zero(), x) - x * target + v_log1p_unit(e);
}

static ALWAYS_INLINE vf absolute(vf x, vf target, vf *slope)
{
    vf d = x - target;

    *slope = v_keep(d > 0, v_set(1)) - v_keep(d < 0, v_set(1));
    return v_abs(d);
}

/* The strip tile's targets, as they lie in the strip. */
static void turn_targets(const struct loss_job *job,
                         const struct rnet_tile *tile, float *to)
{
    for (int i = 0; i < tile->outer; i++)
        for (int j = 0; j < RNET_LANES; j++)
            to[i * RNET_LANES + j] =
                j < tile->inner ? job->target[(tile->row + j) * job->features
                                              + tile->feature + i] : 0;
}

static ALWAYS_INLINE vf strip_errors(const struct loss_job *job,
                                     const struct rnet_tile *tile, pair *f)
{
    float target[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    const float *x = block(job, job->x, job->x_stride, tile->row)
                     + tile->feature * RNET_LANES;
    vf sum = v_zero();

    turn_targets(job, tile, target);
    for (int i = 0; i < tile->outer; i++)
        UNROLL
        for (int j = 0; j < VECTORS; j++) {
            long at = i * RNET_LANES + j * RNET_W;
            vi valid = vi_lanes() < tile->inner - j * RNET_W;
            vf slope, error = f(v_loadu(x + at), v_load(target + at), &slope);

            sum += v_keep(valid, error);
            v_store(tile->acc + at, v_keep(valid, slope * job->scale));
        }
    return sum;
}

static ALWAYS_INLINE vf plain_errors(const struct loss_job *job,
                                     const struct rnet_tile *tile, pair *f)
{
    vf sum = v_zero();

    for (int i = 0; i < tile->outer; i++) {
        long row = tile->row + i;
        const float *x = job->x + row * job->x_stride + tile->feature;
        const float *target = job->target + row * job->features
                              + tile->feature;

        for (int j = 0; j < tile->inner; j += RNET_W) {
            int part = v_part(tile->inner, j);
            vf slope, error = f(v_load_up_to(x + j, part),
                                v_load_up_to(target + j, part), &slope);

            sum += v_keep(vi_first(part), error);
            v_store(tile->acc + i * tile->acc_stride + j, slope * job->scale);
        }
    }
    return sum;
}

static ALWAYS_INLINE float errors(const struct loss_job *job,
                                  const struct rnet_tile *tile, pair *f)
{
    return v_sum(tile->layout == RNET_STRIPS ? strip_errors(job, tile, f)
                                             : plain_errors(job, tile, f));
}

static float errors_of_kind(const struct loss_job *job,
                            const struct rnet_tile *tile)
{
    switch (job->kind) {
    case RNET_LOSS_SQUARED:
        return errors(job, tile, squared);
    case RNET_LOSS_BINARY:
        return errors(job, tile, binary);
    case RNET_LOSS_ABSOLUTE:
        return errors(job, tile, absolute);
    }
    return 0;
}

static void loss(const struct loss_job *job, long row, long count)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->features, row,
                                           count);
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    struct rnet_tile tile;
    double total = 0;

    begin(job, &part);
    rnet_tile_first(&tile, &part, acc);
    do {
        rnet_tile_size(&tile, &part);
        total += (double)errors_of_kind(job, &tile);
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, &part));
    rnet_loss_line(job, row, (float)total);
}

const struct loss_kernels RNET_NAME(loss_kernels) = {
    softmax, softmax_grad, cross_entropy, loss
};
