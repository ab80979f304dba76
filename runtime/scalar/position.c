/* position.c: the scalar twin of rotary embeddings, tables of sines and sines
 * of values. */
#include "../kernels/position.h"

static double at(const struct position_job *job, const float *x, long stride,
                 long row, long feature)
{
    if (job->rows.layout == RNET_PLAIN)
        return x[row * stride + feature];
    return x[(row / RNET_LANES * stride + feature) * RNET_LANES
             + row % RNET_LANES];
}

static double x_at(const struct position_job *job, long row, long feature)
{
    return at(job, job->x, job->x_stride, row, feature);
}

static double angle(const struct position_job *job, long row, long feature)
{
    long position = row % job->rows.rows_per_sample;

    return (double)position * position_angle(job, position_pair(job, feature));
}

/* The element of the result. */
typedef double formula(const struct position_job *job, long row, long feature);

static double turned(const struct position_job *job, long row, long feature)
{
    long half = job->head / 2, in_head = feature % job->head;
    long step = job->pairing == RNET_HALVES ? half : 1;
    int second = job->pairing == RNET_HALVES ? in_head >= half : in_head % 2;
    double a = angle(job, row, in_head);
    double other = x_at(job, row, second ? feature - step : feature + step);

    return x_at(job, row, feature) * cos(a)
           + (second ? job->sign : -job->sign) * other * sin(a);
}

static double sine(const struct position_job *job, long row, long feature)
{
    double a = angle(job, row, feature);

    return feature % 2 ? cos(a) : sin(a);
}

static double feature_of(const struct position_job *job, long row,
                         long feature)
{
    long half = job->features / 2;
    double a = x_at(job, row, 0) * position_rate(job, feature % half);

    return feature < half ? sin(a) : cos(a);
}

static double feature_slope(const struct position_job *job, long row,
                            long feature)
{
    long half = job->features / 2;
    double sum = 0;

    (void)feature;
    for (long i = 0; i < half; i++)
        sum += position_rate(job, i)
               * (x_at(job, row, i)
                      * at(job, job->y, job->y_stride, row, half + i)
                  - x_at(job, row, half + i)
                        * at(job, job->y, job->y_stride, row, i));
    return sum;
}

/* Tile by tile: acc = f, then the steps. */
static void fill(const struct position_job *job, long features, long row,
                 long count, formula *f)
{
    struct rnet_part part = rnet_rows_part(job->rows, features, row, count);
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    int strips = job->rows.layout == RNET_STRIPS;
    struct rnet_tile tile;

    if (rnet_rows_begin(job->rows, row))
        rnet_steps_begin(job->steps, part.chunk, 0, features, features);
    rnet_tile_first(&tile, &part, acc);
    do {
        rnet_tile_size(&tile, &part);
        for (int i = 0; i < tile.outer; i++)
            for (int j = 0; j < tile.inner; j++)
                acc[i * tile.acc_stride + j] =
                    (float)f(job, tile.row + (strips ? j : i),
                             tile.feature + (strips ? i : j));
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, &part));
}

static void rope(const struct position_job *job, long row, long count)
{
    fill(job, job->features, row, count, turned);
}

static void sines(const struct position_job *job, long row, long count)
{
    fill(job, job->features, row, count, sine);
}

static void features(const struct position_job *job, long row, long count)
{
    fill(job, job->features, row, count, feature_of);
}

static void features_grad(const struct position_job *job, long row,
                          long count)
{
    fill(job, 1, row, count, feature_slope);
}

const struct position_kernels RNET_NAME(position_kernels) = {
    rope, sines, features, features_grad
};
