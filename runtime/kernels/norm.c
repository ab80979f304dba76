/* norm.c: layer, RMS and group norms on vectors.
 *
 * Strips: rows are lanes, so statistics are vertical sums.  Plain rows: lanes
 * are features, one horizontal sum a row.  Maps: sums a feature over the
 * pixels first, then over the features of each group.
 *
 * The variance is taken about the mean, and the mean is corrected by what the
 * centred sum then leaves: mean += sum(x - mean) / n (Chan et al. 1983). */
#include <math.h>
#include <string.h>

#include "norm.h"
#include "vec.h"

#define VECTORS (RNET_LANES / RNET_W)   /* of a strip's row */
#define CHAINS (RNET_W == 16 ? 4 : 1)   /* sums kept apart, for the latency */

/* One value for each lane of a strip. */
struct lanes { vf v[VECTORS]; };

static ALWAYS_INLINE struct lanes lanes_zero(void)
{
    struct lanes lanes;

    UNROLL
    for (int j = 0; j < VECTORS; j++)
        lanes.v[j] = v_zero();
    return lanes;
}

static void begin(const struct norm_job *job, const struct rnet_part *part)
{
    rnet_steps_begin(job->steps, part->chunk, part->feature,
                     part->feature_count, job->features);
}

static void clear_sums(const struct norm_job *job, long chunk, long feature,
                       long count)
{
    float *line = job->sums + chunk * 2 * job->features + feature;
    size_t bytes = (size_t)count * sizeof(float);

    memset(line, 0, bytes);
    memset(line + job->features, 0, bytes);
}

/* ----------------------------------------------------------- strips, forward */

/* Sum over n features of the 32 lanes. */
static struct lanes strip_sum(const float *x, long n)
{
    struct lanes sum[CHAINS];
    long k = 0;

    UNROLL
    for (int c = 0; c < CHAINS; c++)
        sum[c] = lanes_zero();
    for (; k + CHAINS <= n; k += CHAINS)
        UNROLL
        for (int c = 0; c < CHAINS; c++)
            UNROLL
            for (int j = 0; j < VECTORS; j++)
                sum[c].v[j] += v_loadu(x + (k + c) * RNET_LANES + j * RNET_W);
    for (; k < n; k++)
        UNROLL
        for (int j = 0; j < VECTORS; j++)
            sum[0].v[j] += v_loadu(x + k * RNET_LANES + j * RNET_W);
    UNROLL
    for (int c = 1; c < CHAINS; c++)
        UNROLL
        for (int j = 0; j < VECTORS; j++)
            sum[0].v[j] += sum[c].v[j];
    return sum[0];
}

/* Sums of x - mean and of its square. */
static void strip_centred(const float *x, long n, const struct lanes *mean,
                          struct lanes *sum, struct lanes *squares)
{
    struct lanes centre = *mean, s = lanes_zero(), q = lanes_zero();
    struct lanes s2 = lanes_zero(), q2 = lanes_zero();
    long k = 0;

    for (; k + 2 <= n; k += 2)
        UNROLL
        for (int j = 0; j < VECTORS; j++) {
            vf d = v_loadu(x + k * RNET_LANES + j * RNET_W) - centre.v[j];
            vf e = v_loadu(x + (k + 1) * RNET_LANES + j * RNET_W)
                   - centre.v[j];

            s.v[j] += d;
            q.v[j] += d * d;
            s2.v[j] += e;
            q2.v[j] += e * e;
        }
    if (k < n)
        UNROLL
        for (int j = 0; j < VECTORS; j++) {
            vf d = v_loadu(x + k * RNET_LANES + j * RNET_W) - centre.v[j];

            s.v[j] += d;
            q.v[j] += d * d;
        }
    UNROLL
    for (int j = 0; j < VECTORS; j++) {
        sum->v[j] = s.v[j] + s2.v[j];
        squares->v[j] = q.v[j] + q2.v[j];
    }
}

static void strip_moments(const struct norm_job *job, const float *x, long n,
                          struct lanes *mean, struct lanes *rstd)
{
    float each = 1 / (float)n;
    struct lanes sum, squares;

    *mean = lanes_zero();
    if (job->kind == RNET_NORM_LAYER) {
        *mean = strip_sum(x, n);
        for (int j = 0; j < VECTORS; j++)
            mean->v[j] *= each;
    }
    strip_centred(x, n, mean, &sum, &squares);
    for (int j = 0; j < VECTORS; j++) {
        vf rest = sum.v[j] * each, var = squares.v[j] * each;

        if (job->kind == RNET_NORM_LAYER) {
            var = v_max(v_zero(), var - rest * rest);
            mean->v[j] += rest;
        }
        rstd->v[j] = 1 / v_sqrt(var + job->epsilon);
    }
}

static void strip_apply(const struct norm_job *job, struct rnet_part *part,
                        const float *x, const struct lanes *mean,
                        const struct lanes *rstd)
{
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    struct rnet_tile tile;

    rnet_tile_first(&tile, part, acc);
    do {
        rnet_tile_size(&tile, part);
        for (int i = 0; i < tile.outer; i++)
            UNROLL
            for (int j = 0; j < VECTORS; j++) {
                long at = i * RNET_LANES + j * RNET_W;

                v_store(acc + at,
                        (v_loadu(x + at) - mean->v[j]) * rstd->v[j]);
            }
        x += tile.outer * RNET_LANES;
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, part));
}

static void strip(const struct norm_job *job, long row, long count)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->features, row,
                                           count);
    const float *x = job->x + part.chunk * job->x_stride * RNET_LANES;
    long width = job->features / job->groups;

    begin(job, &part);
    for (long group = 0; group < job->groups; group++) {
        struct lanes mean, rstd;
        long at = rnet_rstd_index(row, group, job->groups);

        strip_moments(job, x, width, &mean, &rstd);
        for (int j = 0; job->rstd && j < VECTORS; j++)
            v_storeu(job->rstd + at + j * RNET_W, rstd.v[j]);
        part.feature = group * width;
        part.feature_count = width;
        strip_apply(job, &part, x, &mean, &rstd);
        x += width * RNET_LANES;
    }
}

/* ---------------------------------------------------------- strips, backward */

/* What the gradient of one group is made of:
 * dx = rstd (g - mean(g) - xhat mean(g xhat)), g = gamma dy, rounded: a group of
 * one value has dx = 0. */
struct slopes { struct lanes mean, product, rstd; };

static void strip_means(const float *dy, const float *xhat, const float *gamma,
                        long n, struct lanes *sum, struct lanes *product)
{
    struct lanes s = lanes_zero(), p = lanes_zero();

    for (long k = 0; k < n; k++) {
        vf scale = v_set(gamma ? gamma[k] : 1);

        UNROLL
        for (int j = 0; j < VECTORS; j++) {
            long at = k * RNET_LANES + j * RNET_W;
            vf g = scale * v_loadu(dy + at);

            s.v[j] += g;
            p.v[j] += g * v_loadu(xhat + at);
        }
    }
    *sum = s;
    *product = p;
}

/* line[k] = sum dy xhat and line2[k] = sum dy over `count` lanes. */
static void strip_lines(const float *dy, const float *xhat, long n, int count,
                        float *line, float *line2)
{
    for (long k = 0; k < n; k++) {
        vf sum = v_zero(), product = v_zero();

        UNROLL
        for (int j = 0; j < VECTORS; j++) {
            long at = k * RNET_LANES + j * RNET_W;
            vi valid = vi_lanes() < count - j * RNET_W;
            vf d = v_loadu(dy + at);

            sum += v_keep(valid, d);
            product += v_keep(valid, d * v_loadu(xhat + at));
        }
        line[k] = v_sum(product);
        line2[k] = v_sum(sum);
    }
}

static void strip_grad_apply(const struct norm_job *job,
                             struct rnet_part *part, const float *dy,
                             const float *xhat, const struct slopes *by)
{
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    struct rnet_tile tile;

    rnet_tile_first(&tile, part, acc);
    do {
        rnet_tile_size(&tile, part);
        for (int i = 0; i < tile.outer; i++) {
            vf gamma = v_set(job->gamma ? job->gamma[tile.feature + i] : 1);

            UNROLL
            for (int j = 0; j < VECTORS; j++) {
                long at = i * RNET_LANES + j * RNET_W;
                vf g = v_rounded(gamma * v_loadu(dy + at))
                       - by->mean.v[j];

                g = g - v_loadu(xhat + at) * by->product.v[j];
                v_store(acc + at, g * by->rstd.v[j]);
            }
        }
        dy += tile.outer * RNET_LANES;
        xhat += tile.outer * RNET_LANES;
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, part));
}

static void strip_grad(const struct norm_job *job, long row, long count)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->features, row,
                                           count);
    const float *dy = job->x + part.chunk * job->x_stride * RNET_LANES;
    const float *xhat = job->xhat + part.chunk * job->xhat_stride * RNET_LANES;
    long width = job->features / job->groups;
    float each = 1 / (float)width;

    begin(job, &part);
    if (job->sums) {
        float *line = job->sums + part.chunk * 2 * job->features;

        strip_lines(dy, xhat, job->features, (int)count, line,
                    line + job->features);
    }
    for (long group = 0; group < job->groups; group++) {
        long at = rnet_rstd_index(row, group, job->groups);
        struct slopes by;

        part.feature = group * width;
        part.feature_count = width;
        strip_means(dy, xhat, job->gamma ? job->gamma + part.feature : NULL,
                    width, &by.mean, &by.product);
        for (int j = 0; j < VECTORS; j++) {
            by.mean.v[j] *= job->kind == RNET_NORM_RMS ? 0 : each;
            by.product.v[j] *= each;
            by.rstd.v[j] = v_loadu(job->rstd + at + j * RNET_W);
        }
        strip_grad_apply(job, &part, dy, xhat, &by);
        dy += width * RNET_LANES;
        xhat += width * RNET_LANES;
    }
}

/* ------------------------------------------------------- plain rows, forward */

/* What a plain tile is normalised by, for each of its rows. */
struct row_scale { float mean, product, rstd; };

static float row_sum(const float *x, long n)
{
    vf sum[4] = { { 0 } };
    long j = 0;

    for (; j + 4 * RNET_W <= n; j += 4 * RNET_W)
        UNROLL
        for (int c = 0; c < 4; c++)
            sum[c] += v_loadu(x + j + c * RNET_W);
    for (; j < n; j += RNET_W)
        sum[0] += v_load_up_to(x + j, n - j);
    return v_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/* Sums of x - mean and of its square. */
static void row_centred(const float *x, long n, float mean, float *sum,
                        float *squares)
{
    vf s[2] = { { 0 } }, q[2] = { { 0 } }, d;
    long j = 0;

    for (; j + 2 * RNET_W <= n; j += 2 * RNET_W)
        UNROLL
        for (int c = 0; c < 2; c++) {
            d = v_loadu(x + j + c * RNET_W) - mean;
            s[c] += d;
            q[c] += d * d;
        }
    for (; j < n; j += RNET_W) {
        int part = v_part(n, j);

        d = v_keep(vi_first(part), v_load_up_to(x + j, part) - mean);
        s[0] += d;
        q[0] += d * d;
    }
    *sum = v_sum(s[0] + s[1]);
    *squares = v_sum(q[0] + q[1]);
}

static struct row_scale row_moments(const struct norm_job *job, const float *x,
                                    long n)
{
    float each = 1 / (float)n, sum, squares;
    struct row_scale scale = { 0, 0, 0 };

    if (job->kind == RNET_NORM_LAYER)
        scale.mean = row_sum(x, n) * each;
    row_centred(x, n, scale.mean, &sum, &squares);
    squares *= each;
    if (job->kind == RNET_NORM_LAYER) {
        sum *= each;
        scale.mean += sum;
        squares -= sum * sum;
        if (squares < 0)
            squares = 0;
    }
    scale.rstd = 1 / sqrtf(squares + job->epsilon);
    return scale;
}

static void plain_apply(const struct norm_job *job, struct rnet_part *part,
                        const struct row_scale *scale)
{
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    struct rnet_tile tile;

    rnet_tile_first(&tile, part, acc);
    do {
        rnet_tile_size(&tile, part);
        for (int i = 0; i < tile.outer; i++) {
            const struct row_scale *by = scale + tile.row - part->row + i;
            const float *x = job->x + (tile.row + i) * job->x_stride
                             + tile.feature;

            for (int j = 0; j < tile.inner; j += RNET_W)
                v_store(acc + i * tile.acc_stride + j,
                        (v_load_up_to(x + j, v_part(tile.inner, j))
                         - by->mean) * by->rstd);
        }
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, part));
}

static void plain(const struct norm_job *job, long row, long count)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->features, row,
                                           count);
    struct row_scale scale[RNET_LANES];
    long width = job->features / job->groups;

    if (rnet_rows_begin(job->rows, row))
        begin(job, &part);
    for (long group = 0; group < job->groups; group++) {
        part.feature = group * width;
        part.feature_count = width;
        for (long i = 0; i < count; i++) {
            long at = rnet_rstd_index(row + i, group, job->groups);

            scale[i] = row_moments(
                job, job->x + (row + i) * job->x_stride + part.feature, width);
            if (job->rstd)
                job->rstd[at] = scale[i].rstd;
        }
        plain_apply(job, &part, scale);
    }
}

/* ------------------------------------------------------ plain rows, backward */

static void row_means(const float *dy, const float *xhat, const float *gamma,
                      long n, float *sum, float *product)
{
    vf s = v_zero(), p = v_zero();

    for (long j = 0; j < n; j += RNET_W) {
        int part = v_part(n, j);
        vf g = v_load_up_to(dy + j, part);

        if (gamma)
            g *= v_load_up_to(gamma + j, part);
        s += g;
        p += g * v_load_up_to(xhat + j, part);
    }
    *sum = v_sum(s);
    *product = v_sum(p);
}

/* line += sum dy xhat and line2 += sum dy over rows */
static void plain_lines(const struct norm_job *job,
                        const struct rnet_part *part, float *line,
                        float *line2)
{
    for (long j = 0; j < part->feature_count; j += RNET_W) {
        int count = v_part(part->feature_count, j);
        vf sum = v_zero(), product = v_zero();

        for (long r = part->row; r < part->row + part->row_count; r++) {
            long f = part->feature + j;
            vf d = v_load_up_to(job->x + r * job->x_stride + f, count);

            sum += d;
            product += d * v_load_up_to(job->xhat + r * job->xhat_stride + f,
                                        count);
        }
        v_store_up_to(line + j, v_load_up_to(line + j, count) + product,
                      count);
        v_store_up_to(line2 + j, v_load_up_to(line2 + j, count) + sum, count);
    }
}

static void plain_grad_apply(const struct norm_job *job,
                             struct rnet_part *part,
                             const struct row_scale *scale)
{
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    struct rnet_tile tile;

    rnet_tile_first(&tile, part, acc);
    do {
        rnet_tile_size(&tile, part);
        for (int i = 0; i < tile.outer; i++) {
            const struct row_scale *by = scale + tile.row - part->row + i;
            long row = tile.row + i, f = tile.feature;

            for (int j = 0; j < tile.inner; j += RNET_W) {
                int count = v_part(tile.inner, j);
                vf g = v_load_up_to(job->x + row * job->x_stride + f + j,
                                    count);

                if (job->gamma)
                    g = v_rounded(g * v_load_up_to(job->gamma + f + j, count));
                g = g - by->mean
                    - v_load_up_to(job->xhat + row * job->xhat_stride + f + j,
                                   count) * by->product;
                v_store(acc + i * tile.acc_stride + j, g * by->rstd);
            }
        }
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, part));
}

static struct row_scale row_slopes(const struct norm_job *job, long row,
                                   long group, long width)
{
    float each = 1 / (float)width;
    long f = group * width;
    struct row_scale by;

    row_means(job->x + row * job->x_stride + f,
              job->xhat + row * job->xhat_stride + f,
              job->gamma ? job->gamma + f : NULL, width, &by.mean,
              &by.product);
    by.mean = job->kind == RNET_NORM_RMS ? 0 : by.mean * each;
    by.product *= each;
    by.rstd = job->rstd[rnet_rstd_index(row, group, job->groups)];
    return by;
}

static void plain_grad(const struct norm_job *job, long row, long count)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->features, row,
                                           count);
    struct row_scale scale[RNET_LANES];
    long width = job->features / job->groups, chunk = row / RNET_LANES;

    if (rnet_rows_begin(job->rows, row))
        begin(job, &part);
    if (job->sums) {
        float *line = job->sums + chunk * 2 * job->features;

        if (row % RNET_LANES == 0)
            clear_sums(job, chunk, 0, job->features);
        plain_lines(job, &part, line, line + job->features);
    }
    for (long group = 0; group < job->groups; group++) {
        part.feature = group * width;
        part.feature_count = width;
        for (long i = 0; i < count; i++)
            scale[i] = row_slopes(job, row + i, group, width);
        plain_grad_apply(job, &part, scale);
    }
}

static void rows(const struct norm_job *job, long row, long count)
{
    if (job->rows.layout == RNET_STRIPS)
        strip(job, row, count);
    else
        plain(job, row, count);
}

static void rows_grad(const struct norm_job *job, long row, long count)
{
    if (job->rows.layout == RNET_STRIPS)
        strip_grad(job, row, count);
    else
        plain_grad(job, row, count);
}

/* ------------------------------------------------------------ maps, forward */

/* Pixels that are summed in registers before they join the total. */
#define PIXELS 64

/* sum[f] = sum over pixels of x - mean[f] (mean NULL: of x); squares[f], unless
 * NULL, = sum of its square. */
static void map_sums(const struct norm_job *job, const struct rnet_part *part,
                     const float *mean, float *sum, float *squares)
{
    const float *x = job->x + part->row * job->x_stride + part->feature;
    size_t bytes = (size_t)part->feature_count * sizeof(float);

    memset(sum, 0, bytes);
    if (squares)
        memset(squares, 0, bytes);
    for (long p = 0; p < part->row_count; p += PIXELS) {
        long last = p + PIXELS < part->row_count ? p + PIXELS
                                                 : part->row_count;

        for (long j = 0; j < part->feature_count; j += RNET_W) {
            int count = v_part(part->feature_count, j);
            vf s = v_zero(), q = v_zero();
            vf m = mean ? v_load_up_to(mean + j, count) : v_zero();

            for (long r = p; r < last; r++) {
                vf d = v_load_up_to(x + r * job->x_stride + j, count) - m;

                s += d;
                q += d * d;
            }
            v_store_up_to(sum + j, v_load_up_to(sum + j, count) + s, count);
            if (squares)
                v_store_up_to(squares + j,
                              v_load_up_to(squares + j, count) + q, count);
        }
    }
}

/* x[f] = the mean over its group: sum of x over the group, over n. */
static void spread(float *x, long count, long width, double n)
{
    for (long f = 0; f < count; f += width) {
        double sum = 0;

        for (long k = 0; k < width; k++)
            sum += x[f + k];
        for (long k = 0; k < width; k++)
            x[f + k] = (float)(sum / n);
    }
}

/* mean[f] and rstd[f] of each feature's group; `rest` is scratch. */
static void map_moments(const struct norm_job *job,
                        const struct rnet_part *part, float *mean, float *rstd,
                        float *rest)
{
    long width = job->features / job->groups, count = part->feature_count;
    double n = (double)width * (double)part->row_count;

    memset(mean, 0, (size_t)count * sizeof(float));
    if (job->kind == RNET_NORM_LAYER) {
        map_sums(job, part, NULL, mean, NULL);
        spread(mean, count, width, n);
    }
    map_sums(job, part, mean, rest, rstd);
    spread(rest, count, width, n);
    spread(rstd, count, width, n);
    for (long f = 0; f < count; f++) {
        float var = rstd[f];

        if (job->kind == RNET_NORM_LAYER) {
            mean[f] += rest[f];
            var -= rest[f] * rest[f];
            if (var < 0)
                var = 0;
        }
        rstd[f] = 1 / sqrtf(var + job->epsilon);
    }
}

static void maps_apply(const struct norm_job *job, struct rnet_part *part,
                       const float *mean, const float *rstd)
{
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    struct rnet_tile tile;

    rnet_tile_first(&tile, part, acc);
    do {
        rnet_tile_size(&tile, part);
        for (int i = 0; i < tile.outer; i++) {
            const float *x = job->x + (tile.row + i) * job->x_stride
                             + tile.feature;
            long f = tile.feature - part->feature;

            for (int j = 0; j < tile.inner; j += RNET_W) {
                int count = v_part(tile.inner, j);

                v_store(acc + i * tile.acc_stride + j,
                        (v_load_up_to(x + j, count)
                         - v_load_up_to(mean + f + j, count))
                            * v_load_up_to(rstd + f + j, count));
            }
        }
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, part));
}

static struct rnet_part map_part(const struct norm_job *job, long sample,
                                 long feature, long count)
{
    long pixels = job->rows.rows_per_sample;
    struct rnet_part part = rnet_rows_part(job->rows, job->features,
                                           sample * pixels, pixels);

    part.feature = feature;
    part.feature_count = count;
    return part;
}

static void maps(const struct norm_job *job, long sample, long feature,
                 long count, float *scratch)
{
    struct rnet_part part = map_part(job, sample, feature, count);
    long width = job->features / job->groups;
    float *mean = scratch, *rstd = scratch + count;

    begin(job, &part);
    map_moments(job, &part, mean, rstd, scratch + 2 * count);
    for (long f = 0; job->rstd && f < count; f += width)
        job->rstd[sample * job->groups + (feature + f) / width] = rstd[f];
    maps_apply(job, &part, mean, rstd);
}

/* ----------------------------------------------------------- maps, backward */

static void maps_grad_apply(const struct norm_job *job,
                            struct rnet_part *part, const float *mean,
                            const float *product, const float *rstd)
{
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    struct rnet_tile tile;

    rnet_tile_first(&tile, part, acc);
    do {
        rnet_tile_size(&tile, part);
        for (int i = 0; i < tile.outer; i++) {
            long row = tile.row + i, f = tile.feature;
            long k = f - part->feature;

            for (int j = 0; j < tile.inner; j += RNET_W) {
                int count = v_part(tile.inner, j);
                vf g = v_load_up_to(job->x + row * job->x_stride + f + j,
                                    count);

                if (job->gamma)
                    g = v_rounded(g * v_load_up_to(job->gamma + f + j, count));
                g = g - v_load_up_to(mean + k + j, count)
                    - v_load_up_to(job->xhat + row * job->xhat_stride + f + j,
                                   count)
                          * v_load_up_to(product + k + j, count);
                v_store(acc + i * tile.acc_stride + j,
                        g * v_load_up_to(rstd + k + j, count));
            }
        }
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, part));
}

static void maps_grad(const struct norm_job *job, long sample, long feature,
                      long count, float *scratch)
{
    struct rnet_part part = map_part(job, sample, feature, count);
    struct rnet_part pixels = part;
    long width = job->features / job->groups;
    float *product = scratch, *mean = product + count, *rstd = mean + count;
    double n = (double)width * (double)part.row_count;

    begin(job, &part);
    memset(scratch, 0, 2 * (size_t)count * sizeof(float));
    pixels.row_count = PIXELS;
    for (; pixels.row < part.row + part.row_count; pixels.row += PIXELS) {
        if (pixels.row + PIXELS > part.row + part.row_count)
            pixels.row_count = part.row + part.row_count - pixels.row;
        plain_lines(job, &pixels, product, mean);
    }
    if (job->sums) {
        float *line = job->sums + sample * 2 * job->features + feature;

        memcpy(line, product, (size_t)count * sizeof(float));
        memcpy(line + job->features, mean, (size_t)count * sizeof(float));
    }
    for (long f = 0; f < count; f++) {
        float gamma = job->gamma ? job->gamma[feature + f] : 1;

        product[f] *= gamma;
        mean[f] *= job->kind == RNET_NORM_RMS ? 0 : gamma;
        rstd[f] = job->rstd[sample * job->groups + (feature + f) / width];
    }
    spread(product, count, width, n);
    spread(mean, count, width, n);
    maps_grad_apply(job, &part, mean, product, rstd);
}

const struct norm_kernels RNET_NAME(norm_kernels) = { rows, rows_grad, maps,
                                                      maps_grad };
