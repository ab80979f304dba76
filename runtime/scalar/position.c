/* position.c: the scalar twin of rotary embeddings and tables of sines. */
#include "../kernels/position.h"

static double x_at(const struct position_job *job, long row, long feature)
{
    if (job->rows.layout == RNET_PLAIN)
        return job->x[row * job->x_stride + feature];
    return job->x[(row / RNET_LANES * job->x_stride + feature) * RNET_LANES
                  + row % RNET_LANES];
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

/* Tile by tile: acc = f, then the steps. */
static void fill(const struct position_job *job, long row, long count,
                 formula *f)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->features, row,
                                           count);
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    int strips = job->rows.layout == RNET_STRIPS;
    struct rnet_tile tile;

    if (rnet_rows_begin(job->rows, row))
        RNET_NAME(steps_begin)(job->steps, part.chunk, 0, job->features,
                               job->features);
    if (!rnet_tile_first(&tile, &part, acc))
        return;
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
    fill(job, row, count, turned);
}

static void sines(const struct position_job *job, long row, long count)
{
    fill(job, row, count, sine);
}

const struct position_kernels RNET_NAME(position_kernels) = { rope, sines };
