/* norm.c: the scalar twin of the norms: textbook loops in double. */
#include <math.h>

#include "../kernels/norm.h"

static const float *at(const struct norm_job *job, const float *x, long stride,
                       long row, long feature)
{
    if (job->rows.layout == RNET_PLAIN)
        return x + row * stride + feature;
    return x + (row / RNET_LANES * stride + feature) * RNET_LANES
           + row % RNET_LANES;
}

static double x_at(const struct norm_job *job, long row, long feature)
{
    return *at(job, job->x, job->x_stride, row, feature);
}

static double xhat_at(const struct norm_job *job, long row, long feature)
{
    return *at(job, job->xhat, job->xhat_stride, row, feature);
}

static double gamma_at(const struct norm_job *job, long feature)
{
    return job->gamma ? job->gamma[feature] : 1;
}

/* A block of rows and features that is normalised together. */
struct block { long row, rows, feature, features; };

/* mean (0 for RMS) and 1 / sqrt(var + epsilon) */
static void moments(const struct norm_job *job, struct block block,
                    double *mean, double *rstd)
{
    double sum = 0, squares = 0, n = (double)block.rows * block.features;
    long row_end = block.row + block.rows;
    long feature_end = block.feature + block.features;

    for (long r = block.row; r < row_end; r++)
        for (long f = block.feature; f < feature_end; f++)
            sum += x_at(job, r, f);
    *mean = job->kind == RNET_NORM_RMS ? 0 : sum / n;
    for (long r = block.row; r < row_end; r++)
        for (long f = block.feature; f < feature_end; f++)
            squares += (x_at(job, r, f) - *mean) * (x_at(job, r, f) - *mean);
    *rstd = 1 / sqrt(squares / n + job->epsilon);
}

/* mean(g) (0 for RMS) and mean(g xhat), g = gamma dy */
static void means(const struct norm_job *job, struct block block, double *mean,
                  double *product)
{
    double sum = 0, sum2 = 0, n = (double)block.rows * block.features;

    for (long r = block.row; r < block.row + block.rows; r++)
        for (long f = block.feature; f < block.feature + block.features; f++) {
            double g = gamma_at(job, f) * x_at(job, r, f);

            sum += g;
            sum2 += g * xhat_at(job, r, f);
        }
    *mean = job->kind == RNET_NORM_RMS ? 0 : sum / n;
    *product = sum2 / n;
}

/* What one block is normalised by. */
struct scale { double mean, product, rstd; };

static double forward(const struct norm_job *job, const struct scale *by,
                      long row, long feature)
{
    return (x_at(job, row, feature) - by->mean) * by->rstd;
}

static double backward(const struct norm_job *job, const struct scale *by,
                       long row, long feature)
{
    double g = gamma_at(job, feature) * x_at(job, row, feature);

    return by->rstd
           * (g - by->mean - xhat_at(job, row, feature) * by->product);
}

static void group_scale(const struct norm_job *job, struct block block,
                        float *rstd, struct scale *to)
{
    if (job->xhat) {
        means(job, block, &to->mean, &to->product);
        to->rstd = *rstd;
        return;
    }
    moments(job, block, &to->mean, &to->rstd);
    if (rstd)
        *rstd = to->rstd;
}

/* Tile by tile over one group; scales: one for each row, or one for all. */
static void finish(const struct norm_job *job, const struct rnet_part *part,
                   const struct scale *scales, int by_rows)
{
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    int strips = part->rows.layout == RNET_STRIPS;
    struct rnet_tile tile;

    rnet_tile_first(&tile, part, acc);
    do {
        rnet_tile_size(&tile, part);
        for (int i = 0; i < tile.outer; i++)
            for (int j = 0; j < tile.inner; j++) {
                long row = tile.row + (strips ? j : i);
                long feature = tile.feature + (strips ? i : j);
                const struct scale *by =
                    scales + (by_rows ? row - part->row : 0);

                acc[i * tile.acc_stride + j] =
                    job->xhat ? backward(job, by, row, feature)
                              : forward(job, by, row, feature);
            }
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, part));
}

/* sums[chunk] += sum dy xhat and sum dy over the part's rows. */
static void add_sums(const struct norm_job *job, const struct rnet_part *part,
                     long chunk)
{
    long end = part->feature + part->feature_count;
    float *line = job->sums + chunk * 2 * job->features;

    for (long f = part->feature; f < end; f++) {
        double sum = 0, product = 0;

        for (long r = part->row; r < part->row + part->row_count; r++) {
            sum += x_at(job, r, f);
            product += x_at(job, r, f) * xhat_at(job, r, f);
        }
        line[f] += product;
        line[job->features + f] += sum;
    }
}

static void clear_sums(const struct norm_job *job, long chunk, long feature,
                       long count)
{
    float *line = job->sums + chunk * 2 * job->features + feature;

    for (long f = 0; f < count; f++)
        line[f] = line[job->features + f] = 0;
}

static void rows(const struct norm_job *job, long row, long count)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->features, row,
                                           count);
    struct scale scales[RNET_LANES];
    long width = job->features / job->groups;

    if (rnet_rows_begin(job->rows, row))
        rnet_steps_begin(job->steps, part.chunk, 0, job->features,
                         job->features);
    if (job->sums && row % RNET_LANES == 0)
        clear_sums(job, row / RNET_LANES, 0, job->features);
    if (job->sums)
        add_sums(job, &part, row / RNET_LANES);
    for (long group = 0; group < job->groups; group++) {
        part.feature = group * width;
        part.feature_count = width;
        for (long r = 0; r < count; r++) {
            struct block block = { row + r, 1, part.feature, width };
            long at_rstd = rnet_rstd_index(row + r, group, job->groups);

            group_scale(job, block, job->rstd ? job->rstd + at_rstd : NULL,
                        scales + r);
        }
        finish(job, &part, scales, 1);
    }
}

static void maps(const struct norm_job *job, long sample, long feature,
                 long count, float *scratch)
{
    long pixels = job->rows.rows_per_sample;
    struct rnet_part part = rnet_rows_part(job->rows, job->features,
                                           sample * pixels, pixels);
    long width = job->features / job->groups, end = feature + count;

    (void)scratch;
    rnet_steps_begin(job->steps, sample, feature, count, job->features);
    part.feature = feature;
    part.feature_count = count;
    if (job->sums) {
        clear_sums(job, sample, feature, count);
        add_sums(job, &part, sample);
    }
    for (; part.feature < end; part.feature += width) {
        struct block block = { part.row, pixels, part.feature, width };
        long at_rstd = sample * job->groups + part.feature / width;
        struct scale scale;

        part.feature_count = width;
        group_scale(job, block, job->rstd ? job->rstd + at_rstd : NULL,
                    &scale);
        finish(job, &part, &scale, 0);
    }
}

const struct norm_kernels RNET_NAME(norm_kernels) = { rows, rows, maps, maps };
