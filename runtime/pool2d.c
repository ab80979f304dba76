/* pool2d.c: pooling, cut into tasks: images, or rows or channels of them when
 * images are few and the sums of the tail allow it. */
#include "isa.h"
#include "kernels/pool2d.h"

static const struct pool2d_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(pool2d_kernels);

#define FEW_IMAGES 8            /* fewer than these are cut */
#define PART_FLOATS 65536       /* of a part's result, about */
#define CHANNELS   64           /* of a part, when rows cannot be cut */

struct job {
    const struct rnet_run *run;
    const struct pool2d_kernels *kernels;
    const struct rnet_pool_shape *shape;
    const float *x, *dy;
    long x_stride, dy_stride;
    struct rnet_steps tail;
    int height, channels;       /* of the result */
    int rows, bands, features, slices;
};

static long divide_up(long a, long b)
{
    return (a + b - 1) / b;
}

static void cut_job(struct job *job, long batch, int width)
{
    double floats = (double)job->height * width * job->channels;
    long bands = (long)(floats / PART_FLOATS) + 1;

    job->rows = job->height;
    job->features = job->channels;
    if (batch < FEW_IMAGES && !rnet_steps_sum(job->tail))
        job->rows = (int)divide_up(job->height,
                                   bands < job->height ? bands : job->height);
    else if (batch < FEW_IMAGES && !rnet_steps_sum_all(job->tail)
             && job->channels > CHANNELS)
        job->features = CHANNELS;
    job->bands = (int)divide_up(job->height, job->rows);
    job->slices = (int)divide_up(job->channels, job->features);
}

static void task(void *context, long index, int worker)
{
    const struct job *job = context;
    struct pool2d_part part = {
        .image = index / job->bands / job->slices,
        .row = (int)(index % job->bands) * job->rows,
        .row_count = job->rows,
        .feature = (int)(index / job->bands % job->slices) * job->features,
        .feature_count = job->features
    };

    (void)worker;
    if (part.row + part.row_count > job->height)
        part.row_count = job->height - part.row;
    if (part.feature + part.feature_count > job->channels)
        part.feature_count = job->channels - part.feature;
    if (part.row == 0)
        rnet_steps_begin(job->tail, part.image, part.feature,
                         part.feature_count, job->channels);
    if (job->dy)
        job->kernels->grad(job->run, job->shape, job->dy, job->dy_stride,
                           job->x, job->x_stride, job->tail, &part);
    else
        job->kernels->pool(job->run, job->shape, job->x, job->x_stride,
                           job->tail, &part);
}

static void run_job(struct job *job, long batch, int width)
{
    job->kernels = tables[rnet_isa()];
    cut_job(job, batch, width);
    rnet_parallel(job->run, batch * job->bands * job->slices, task, job);
}

void rnet_pool(const struct rnet_run *run, long batch,
               const struct rnet_pool_shape *pool, const float *x,
               long x_stride, struct rnet_steps tail)
{
    struct job job = {
        .run = run, .shape = pool, .x = x, .x_stride = x_stride, .tail = tail,
        .height = pool->out_height, .channels = pool->out_channels
    };

    run_job(&job, batch, pool->out_width);
}

void rnet_pool_grad(const struct rnet_run *run, long batch,
                    const struct rnet_pool_shape *pool, const float *dy,
                    long dy_stride, const float *x, long x_stride,
                    struct rnet_steps tail)
{
    struct job job = {
        .run = run, .shape = pool, .x = x, .x_stride = x_stride, .dy = dy,
        .dy_stride = dy_stride, .tail = tail,
        .height = pool->height, .channels = pool->channels
    };

    run_job(&job, batch, pool->width);
}
