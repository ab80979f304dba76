/* rows.c: scalar twins of the dense kernels: three loops each. */
#include "../kernels/rows.h"
#include "../kernels/tile.h"

/* Element (row, feature) of a value in strips. */
static long at(long row, long feature, long stride)
{
    return (row / RNET_LANES * stride + feature) * RNET_LANES
           + row % RNET_LANES;
}

/* Element (out, in) of weights of `out` rows, in panels. */
static long panel_at(long o, long i, long out)
{
    return at(i, o, out);
}

/* acc of one element of the result. */
typedef float element(const struct rows_job *job, long row, long feature);

static float linear_at(const struct rows_job *job, long row, long o)
{
    float acc = 0;
    for (long i = 0; i < job->in; i++)
        acc += job->w[panel_at(o, i, job->out)]
               * job->x[at(row, i, job->x_stride)];
    return acc;
}

static float grad_input_at(const struct rows_job *job, long row, long i)
{
    float acc = 0;
    for (long o = 0; o < job->out; o++)
        acc += job->w[panel_at(o, i, job->out)]
               * job->dy[at(row, o, job->dy_stride)];
    return acc;
}

static float embedding_at(const struct rows_job *job, long row, long feature)
{
    return job->w[panel_at(rows_index(job, row), feature, job->vocabulary)];
}

static float pack_at(const struct rows_job *job, long row, long feature)
{
    return job->x[row * job->x_stride + feature];
}

static float unpack_at(const struct rows_job *job, long row, long feature)
{
    return job->x[at(row, feature, job->x_stride)];
}

/* One tile in strips, 32 features at most, and its steps. */
static void strip_tile(const struct rows_job *job, long strip, long feature,
                       long count, long features, element *f)
{
    float acc[RNET_LANES * RNET_LANES] __attribute__((aligned(64))) = { 0 };
    long row = strip * RNET_LANES;
    const struct rnet_tile tile = {
        .acc = acc, .acc_stride = RNET_LANES, .outer = (int)count,
        .inner = rows_lanes(job, strip), .layout = RNET_STRIPS, .row = row,
        .row_step = 1, .feature = feature, .features = features,
        .chunk = strip, .sample = row / job->rows_per_sample,
        .rows_per_sample = job->rows_per_sample
    };

    for (int i = 0; i < tile.outer; i++)
        for (int j = 0; j < tile.inner; j++)
            acc[i * RNET_LANES + j] = f(job, row + j, feature + i);
    RNET_NAME(steps)(job->run, &tile, job->steps);
}

static void strips(const struct rows_job *job, const struct rows_part *part,
                   long features, element *f)
{
    long end = part->feature + part->features;

    for (long s = part->strip; s < part->strip + part->strips; s++) {
        rnet_steps_begin(job->steps, s, part->feature, part->features,
                         features);
        for (long i = part->feature; i < end; i += RNET_LANES)
            strip_tile(job, s, i, rows_least(RNET_LANES, end - i), features,
                       f);
    }
}

static void linear(const struct rows_job *job, const struct rows_part *part,
                   float *scratch)
{
    (void)scratch;
    strips(job, part, job->out, linear_at);
}

static void grad_input(const struct rows_job *job,
                       const struct rows_part *part, float *scratch)
{
    (void)scratch;
    strips(job, part, job->in, grad_input_at);
}

static void embedding(const struct rows_job *job, const struct rows_part *part,
                      float *scratch)
{
    (void)scratch;
    strips(job, part, job->out, embedding_at);
}

static void pack(const struct rows_job *job, const struct rows_part *part,
                 float *scratch)
{
    (void)scratch;
    strips(job, part, job->out, pack_at);
}

/* ∂L/∂w[o][i] = sum over rows of dy[row][o] x[row][i] */
static float grad_weight_at(const struct rows_job *job, long o, long i)
{
    float acc = 0;
    for (long row = 0; row < job->rows; row++)
        acc += job->dy[at(row, o, job->dy_stride)]
               * job->x[at(row, i, job->x_stride)];
    return acc;
}

static void grad_weight(const struct rows_job *job,
                        const struct rows_part *part, float *scratch)
{
    long first = part->panel * RNET_LANES;
    long last = rows_least(job->in, first + part->panels * RNET_LANES);

    (void)scratch;
    for (long o = part->feature; o < part->feature + part->features; o++) {
        for (long i = first; i < last; i++)
            job->dw[panel_at(o, i, job->out)] += grad_weight_at(job, o, i);
        if (!job->db || part->panel > 0)
            continue;
        for (long row = 0; row < job->rows; row++)
            job->db[o] += job->dy[at(row, o, job->dy_stride)];
    }
}

/* 16 features' weights or biases at a time. */
static void step_weight(const struct rows_job *job,
                        const struct rows_part *part, float *scratch)
{
    long end = part->feature + part->features;

    (void)scratch;
    for (long p = part->panel; p < part->panel + part->panels; p++)
        for (long o = part->feature; o < end; o++) {
            float gradient[RNET_LANES] = { 0 };
            for (long i = 0; i < RNET_LANES && p * RNET_LANES + i < job->in;
                 i++)
                gradient[i] = grad_weight_at(job, o, p * RNET_LANES + i);
            rnet_update(job->run, job->step_w + (p * job->out + o)
                                                    * RNET_LANES,
                        gradient, RNET_LANES, 1);
        }
    if (!job->step_b || part->panel > 0 || part->feature > 0)
        return;
    for (long o = 0; o < job->out; o += 16) {
        float gradient[16] __attribute__((aligned(64))) = { 0 };
        for (long k = 0; k < 16 && o + k < job->out; k++)
            for (long row = 0; row < job->rows; row++)
                gradient[k] += job->dy[at(row, o + k, job->dy_stride)];
        rnet_update(job->run, job->step_b + o, gradient, 16, 0);
    }
}

static void embedding_grad(const struct rows_job *job,
                           const struct rows_part *part, float *scratch)
{
    (void)scratch;
    for (long row = 0; row < job->rows; row++)
        for (long f = part->feature; f < part->feature + part->features; f++)
            job->dw[panel_at(rows_index(job, row), f, job->vocabulary)] +=
                job->dy[at(row, f, job->dy_stride)];
}

/* One row of 32 features at most, plain, and its steps. */
static void row_tile(const struct rows_job *job, long row, long feature)
{
    float acc[RNET_LANES] __attribute__((aligned(64))) = { 0 };
    const struct rnet_tile tile = {
        .acc = acc, .acc_stride = RNET_LANES, .outer = 1,
        .inner = (int)rows_least(RNET_LANES, job->out - feature),
        .layout = RNET_PLAIN, .row = row, .row_step = 1, .feature = feature,
        .features = job->out, .chunk = row / job->rows_per_sample,
        .sample = row / job->rows_per_sample,
        .rows_per_sample = job->rows_per_sample
    };

    for (int j = 0; j < tile.inner; j++)
        acc[j] = unpack_at(job, row, feature + j);
    RNET_NAME(steps)(job->run, &tile, job->steps);
}

static void unpack(const struct rows_job *job, const struct rows_part *part,
                   float *scratch)
{
    long end = (part->strip + part->strips) * RNET_LANES;

    (void)scratch;
    for (long row = part->strip * RNET_LANES;
         row < rows_least(end, job->rows); row++) {
        if (row % job->rows_per_sample == 0)
            rnet_steps_begin(job->steps, row / job->rows_per_sample, 0,
                             job->out, job->out);
        for (long i = 0; i < job->out; i += RNET_LANES)
            row_tile(job, row, i);
    }
}

const struct rows_kernels RNET_NAME(rows_kernels) = {
    linear, grad_input, grad_weight, step_weight, embedding, embedding_grad,
    pack, unpack
};
