/* norm.c: layer, RMS and group norms; the finishers of batch norm. */
#include <math.h>

#include "isa.h"
#include "kernels/norm.h"

static const struct norm_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(norm_kernels);

/* Features that one task of a norm over maps takes, at least. */
#define MAP_FEATURES 64

static long at_most(long a, long b)
{
    return a < b ? a : b;
}

static long quotient_up(long a, long b)
{
    return (a + b - 1) / b;
}

/* ------------------------------------------------------------- over rows */

static void rows_task(void *context, long row, long count)
{
    const struct norm_job *job = context;

    if (job->xhat)
        tables[rnet_isa()]->rows_grad(job, row, count);
    else
        tables[rnet_isa()]->rows(job, row, count);
}

void rnet_norm_rows(const struct rnet_run *run, struct rnet_rows rows,
                    long features, enum rnet_norm kind, long groups,
                    float epsilon, const float *x, long x_stride, float *rstd,
                    struct rnet_steps tail)
{
    struct norm_job job = {
        .run = run, .rows = rows, .features = features, .groups = groups,
        .kind = kind, .epsilon = epsilon, .x = x, .x_stride = x_stride,
        .rstd = rstd, .steps = tail,
    };

    rnet_by_rows(run, rows, tail, rows_task, &job);
}

void rnet_norm_rows_grad(const struct rnet_run *run, struct rnet_rows rows,
                         long features, enum rnet_norm kind, long groups,
                         const float *dy, long dy_stride, const float *xhat,
                         long xhat_stride, const float *rstd,
                         const float *gamma, float *sums,
                         struct rnet_steps tail)
{
    struct norm_job job = {
        .run = run, .rows = rows, .features = features, .groups = groups,
        .kind = kind, .x = dy, .x_stride = dy_stride, .xhat = xhat,
        .xhat_stride = xhat_stride, .gamma = gamma, .sums = sums,
        .rstd = (float *)rstd, .steps = tail,
    };

    rnet_by_rows(run, rows, tail, rows_task, &job);
}

/* ------------------------------------------------------------- over maps */

/* Groups of one task. */
static long groups_of_task(const struct norm_job *job)
{
    long width = job->features / job->groups;

    if (rnet_steps_sum_all(job->steps))
        return job->groups;
    return at_most(quotient_up(MAP_FEATURES, width), job->groups);
}

static void maps_task(void *context, long index, int worker)
{
    const struct norm_job *job = context;
    long width = job->features / job->groups, each = groups_of_task(job);
    long tasks = quotient_up(job->groups, each);
    long group = index % tasks * each;
    long count = at_most(each, job->groups - group) * width;
    float *scratch = job->run->workers
                     + (size_t)worker * job->run->worker_floats;

    if (job->xhat)
        tables[rnet_isa()]->maps_grad(job, index / tasks, group * width, count,
                                      scratch);
    else
        tables[rnet_isa()]->maps(job, index / tasks, group * width, count,
                                 scratch);
}

static void over_maps(struct norm_job *job)
{
    long samples = job->rows.rows / job->rows.rows_per_sample;

    rnet_parallel(job->run,
                  samples * quotient_up(job->groups, groups_of_task(job)),
                  maps_task, job);
}

void rnet_norm_maps(const struct rnet_run *run, struct rnet_rows rows,
                    long features, enum rnet_norm kind, long groups,
                    float epsilon, const float *x, long x_stride, float *rstd,
                    struct rnet_steps tail)
{
    struct norm_job job = {
        .run = run, .rows = rows, .features = features, .groups = groups,
        .kind = kind, .epsilon = epsilon, .x = x, .x_stride = x_stride,
        .rstd = rstd, .steps = tail,
    };

    over_maps(&job);
}

void rnet_norm_maps_grad(const struct rnet_run *run, struct rnet_rows rows,
                         long features, enum rnet_norm kind, long groups,
                         const float *dy, long dy_stride, const float *xhat,
                         long xhat_stride, const float *rstd,
                         const float *gamma, float *sums,
                         struct rnet_steps tail)
{
    struct norm_job job = {
        .run = run, .rows = rows, .features = features, .groups = groups,
        .kind = kind, .x = dy, .x_stride = dy_stride, .xhat = xhat,
        .xhat_stride = xhat_stride, .gamma = gamma, .sums = sums,
        .rstd = (float *)rstd, .steps = tail,
    };

    over_maps(&job);
}

/* ------------------------------------------------------------- batch norm */

/* Features of one task, and lines from which on there are tasks. */
#define BATCH_FEATURES 64
#define BATCH_SUMS 16384

struct batch_job {
    long features, count, chunk, chunks;
    const float *sums, *gamma, *beta, *saved;
    float epsilon, momentum;
    float *running_mean, *running_var, *scale, *shift, *keep;
    float *dgamma, *dbeta, *a, *b, *c;
    int moves;                  /* running statistics do */
};

/* Sums over chunks of both lines of features [first, first + count): of
 * SUM_CENTRED. */
static void add_chunks(const struct batch_job *job, long first, long count,
                       double *sum, double *sum2)
{
    for (long f = 0; f < count; f++)
        sum[f] = sum2[f] = 0;
    for (long chunk = 0; chunk < job->chunks; chunk++) {
        const float *line = job->sums + chunk * 2 * job->features + first;

        for (long f = 0; f < count; f++) {
            sum[f] += line[f];
            sum2[f] += line[job->features + f];
        }
    }
}

/* scale = gamma / sqrt(var + epsilon), shift = beta - mean scale: of the scale
 * as it is rounded, whose error is the same in every row. */
static void set_affine(float *scale, float *shift, double gamma, double beta,
                       double mean, double rstd)
{
    *scale = (float)(gamma * rstd);
    *shift = (float)(beta - mean * (double)*scale);
}

/* One chunk of SUM_MOMENTS: of n rows, sum (x - centre), sum (x - centre)^2. */
struct moments { double n, sum, squares, centre; };

static struct moments moments_of(const struct batch_job *job, long chunk,
                                 long f)
{
    const float *line = job->sums + 3 * chunk * job->features + f;

    return (struct moments) {
        (double)at_most(job->chunk, job->count - chunk * job->chunk),
        line[0], line[job->features], line[2 * job->features]
    };
}

static double batch_mean(const struct batch_job *job, long f)
{
    double sum = 0;

    for (long chunk = 0; chunk < job->chunks; chunk++) {
        struct moments m = moments_of(job, chunk, f);

        sum += m.sum + m.n * m.centre;
    }
    return sum / (double)job->count;
}

static double batch_variance(const struct batch_job *job, long f, double mean)
{
    double squares = 0;

    for (long chunk = 0; chunk < job->chunks; chunk++) {
        struct moments m = moments_of(job, chunk, f);
        double off = m.centre - mean;

        squares += m.squares + off * (2 * m.sum + m.n * off);
    }
    return squares < 0 ? 0 : squares / (double)job->count;
}

static void batch_feature(const struct batch_job *job, long f)
{
    double n = (double)job->count, mean = batch_mean(job, f);
    double var = batch_variance(job, f, mean);
    double rstd = 1 / sqrt(var + (double)job->epsilon);

    if (job->moves) {
        job->running_mean[f] += (float)(job->momentum
            * (mean - job->running_mean[f]));
        job->running_var[f] += (float)(job->momentum
            * (var * n / (n - 1) - job->running_var[f]));
    }
    set_affine(job->scale + f, job->shift + f,
               job->gamma ? job->gamma[f] : 1, job->beta ? job->beta[f] : 0,
               mean, rstd);
    job->keep[f] = (float)mean;
    job->keep[job->features + f] = (float)rstd;
}

static void batch_task(void *context, long index, int worker)
{
    const struct batch_job *job = context;
    long first = index * BATCH_FEATURES;
    long count = at_most(BATCH_FEATURES, job->features - first);

    (void)worker;
    for (long f = 0; f < count; f++)
        batch_feature(job, first + f);
}

static void over_features(const struct rnet_run *run, struct batch_job *job,
                          rnet_task *task)
{
    long tasks = quotient_up(job->features, BATCH_FEATURES);

    if (job->chunks * job->features >= BATCH_SUMS) {
        rnet_parallel(run, tasks, task, job);
        return;
    }
    for (long index = 0; index < tasks; index++)
        task(job, index, 0);
}

void rnet_batch_norm(const struct rnet_run *run, long features, long count,
                     const float *sums, long chunk, const float *gamma,
                     const float *beta, float epsilon, float momentum,
                     float *running_mean, float *running_var, float *scale,
                     float *shift, float *saved)
{
    struct batch_job job = {
        .features = features, .count = count, .chunk = chunk,
        .chunks = quotient_up(count, chunk), .sums = sums,
        .gamma = gamma, .beta = beta, .epsilon = epsilon, .momentum = momentum,
        .running_mean = running_mean, .running_var = running_var,
        .scale = scale, .shift = shift, .keep = saved,
        .moves = run->held <= 0,
    };

    over_features(run, &job, batch_task);
}

void rnet_batch_norm_infer(const struct rnet_run *run, long features,
                           const float *gamma, const float *beta,
                           float epsilon, const float *running_mean,
                           const float *running_var, float *scale,
                           float *shift)
{
    (void)run;
    for (long f = 0; f < features; f++)
        set_affine(scale + f, shift + f, gamma ? gamma[f] : 1,
                   beta ? beta[f] : 0, running_mean[f],
                   1 / sqrt((double)running_var[f] + (double)epsilon));
}

/* sum = sum dy, sum2 = sum dy (x - mean); the gradient of x is
 * gamma rstd (dy - sum / n - (x - mean) rstd^2 sum2 / n) = a dy + b x + c; c is
 * made of a and b as they are rounded: the gradients of all rows sum to 0. */
static void batch_grad_feature(const struct batch_job *job, long f, double sum,
                               double sum2)
{
    double n = (double)job->count, mean = job->saved[f];
    double rstd = job->saved[job->features + f];
    double a = (job->gamma ? job->gamma[f] : 1) * rstd;
    double b = -a * rstd * rstd * sum2 / n;

    if (job->dgamma)
        job->dgamma[f] += (float)(sum2 * rstd);
    if (job->dbeta)
        job->dbeta[f] += (float)sum;
    job->a[f] = (float)a;
    job->b[f] = (float)b;
    job->c[f] = (float)(-job->a[f] * sum / n - job->b[f] * mean);
}

static void batch_grad_task(void *context, long index, int worker)
{
    const struct batch_job *job = context;
    double sum[BATCH_FEATURES], sum2[BATCH_FEATURES];
    long first = index * BATCH_FEATURES;
    long count = at_most(BATCH_FEATURES, job->features - first);

    (void)worker;
    add_chunks(job, first, count, sum, sum2);
    for (long f = 0; f < count; f++)
        batch_grad_feature(job, first + f, sum[f], sum2[f]);
}

void rnet_batch_norm_grad(const struct rnet_run *run, long features,
                          long count, const float *sums, long chunk,
                          const float *gamma, const float *saved,
                          float *dgamma, float *dbeta, float *a, float *b,
                          float *c)
{
    struct batch_job job = {
        .features = features, .count = count,
        .chunks = quotient_up(count, chunk), .sums = sums,
        .gamma = gamma, .saved = saved, .dgamma = dgamma, .dbeta = dbeta,
        .a = a, .b = b, .c = c,
    };

    over_features(run, &job, batch_grad_task);
}
