/* mix.c: the scalar twin of mixes of blocks and of the Sinkhorn projection. */
#include <math.h>

#include "../kernels/mix.h"

/* Element (row, feature); with stride 0 the same for all rows. */
static double at(const struct mix_job *job, const float *x, long stride,
                 long row, long feature)
{
    if (job->rows.layout == RNET_PLAIN || stride == 0)
        return x[row * stride + feature];
    return x[(row / RNET_LANES * stride + feature) * RNET_LANES
             + row % RNET_LANES];
}

/* acc of one element of the result. */
typedef double element(const void *from, long row, long feature);

/* Tile by tile: acc = f, then the steps. */
static void finish(const struct mix_job *job, long row, long count,
                   long features, element *f, const void *from)
{
    struct rnet_part part = rnet_rows_part(job->rows, features, row, count);
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    int strips = part.rows.layout == RNET_STRIPS;
    struct rnet_tile tile;

    if (rnet_rows_begin(job->rows, row))
        rnet_steps_begin(job->steps, part.chunk, 0, features, features);
    rnet_tile_first(&tile, &part, acc);
    do {
        rnet_tile_size(&tile, &part);
        for (int i = 0; i < tile.outer; i++)
            for (int j = 0; j < tile.inner; j++)
                acc[i * tile.acc_stride + j] =
                    f(from, tile.row + (strips ? j : i),
                      tile.feature + (strips ? i : j));
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, &part));
}

/* -------------------------------------------------------------- mixes, dots */

static double mix_at(const void *from, long row, long feature)
{
    const struct mix_job *job = from;
    long block = feature / job->features, f = feature % job->features;
    double acc = 0;

    for (long i = 0; i < job->from; i++)
        acc += at(job, job->w, job->w_stride, row,
                  i * job->w_from + block * job->w_to)
               * at(job, job->x, job->x_stride, row, i * job->features + f);
    return acc;
}

static void mix(const struct mix_job *job, long row, long count)
{
    finish(job, row, count, job->to * job->features, mix_at, job);
}

static double dots_at(const void *from, long row, long feature)
{
    const struct mix_job *job = from;
    long i = feature / job->to * job->features;
    long j = feature % job->to * job->features;
    double acc = 0;

    for (long f = 0; f < job->features; f++)
        acc += at(job, job->x, job->x_stride, row, i + f)
               * at(job, job->y, job->y_stride, row, j + f);
    return acc;
}

static void dots(const struct mix_job *job, long row, long count)
{
    finish(job, row, count, job->from * job->to, dots_at, job);
}

/* ----------------------------------------------------------------- Sinkhorn */

enum { LARGEST = RNET_SINKHORN_LARGEST, HALVES = 2 * RNET_SINKHORN_ITERATIONS };

typedef double matrix[LARGEST][LARGEST];

/* Results for some rows, row after row. */
struct result {
    long row;
    int n;
    matrix m[RNET_LANES];
};

static double result_at(const void *from, long row, long feature)
{
    const struct result *result = from;

    return result->m[row - result->row][feature / result->n]
                    [feature % result->n];
}

/* m[i][j] = e^(x[i][j] - the largest of column j), which changes nothing after
 * the first division; -infinity alone has 0. */
static void exponents(const struct mix_job *job, long row, matrix m)
{
    for (int j = 0; j < job->n; j++) {
        double most = -INFINITY;

        for (int i = 0; i < job->n; i++)
            most = fmax(most, at(job, job->x, job->x_stride, row,
                                 i * job->n + j));
        for (int i = 0; i < job->n; i++)
            m[i][j] = exp(at(job, job->x, job->x_stride, row, i * job->n + j)
                          - (most == -INFINITY ? 0 : most));
    }
}

/* Element k of line `line`: of a column when `half` is even, else of a row. */
static double *in_line(matrix m, int half, int line, int k)
{
    return half % 2 ? &m[line][k] : &m[k][line];
}

static double inverse(double sum)
{
    return sum == 0 ? 0 : 1 / sum;
}

static void divide(matrix m, int n, int half, double *sums)
{
    for (int line = 0; line < n; line++) {
        sums[line] = 0;
        for (int k = 0; k < n; k++)
            sums[line] += *in_line(m, half, line, k);
        for (int k = 0; k < n; k++)
            *in_line(m, half, line, k) *= inverse(sums[line]);
    }
}

/* y = x / sum x: ∂L/∂x = (dy - sum dy y) / sum x; y becomes x again. */
static void divide_grad(matrix y, matrix dy, int n, int half,
                        const double *sums)
{
    for (int line = 0; line < n; line++) {
        double product = 0;

        for (int k = 0; k < n; k++)
            product += *in_line(y, half, line, k) * *in_line(dy, half, line, k);
        for (int k = 0; k < n; k++) {
            double *d = in_line(dy, half, line, k);

            *d = (*d - product) * inverse(sums[line]);
            *in_line(y, half, line, k) *= sums[line];
        }
    }
}

static void sinkhorn(const struct mix_job *job, long row, long count)
{
    struct result result = { .row = row, .n = job->n };
    double sums[LARGEST];

    for (long k = 0; k < count; k++) {
        exponents(job, row + k, result.m[k]);
        for (int half = 0; half < 2 * job->iterations; half++)
            divide(result.m[k], job->n, half, sums);
    }
    finish(job, row, count, (long)job->n * job->n, result_at, &result);
}

static void row_grad(const struct mix_job *job, long row, matrix dx)
{
    double sums[HALVES][LARGEST];
    matrix m;

    exponents(job, row, m);
    for (int half = 0; half < 2 * job->iterations; half++)
        divide(m, job->n, half, sums[half]);
    for (int i = 0; i < job->n; i++)
        for (int j = 0; j < job->n; j++)
            dx[i][j] = at(job, job->y, job->y_stride, row, i * job->n + j);
    for (int half = 2 * job->iterations - 1; half >= 0; half--)
        divide_grad(m, dx, job->n, half, sums[half]);
    for (int i = 0; i < job->n; i++)
        for (int j = 0; j < job->n; j++)
            dx[i][j] *= m[i][j];
}

static void sinkhorn_grad(const struct mix_job *job, long row, long count)
{
    struct result result = { .row = row, .n = job->n };

    for (long k = 0; k < count; k++)
        row_grad(job, row + k, result.m[k]);
    finish(job, row, count, (long)job->n * job->n, result_at, &result);
}

const struct mix_kernels RNET_NAME(mix_kernels) = {
    mix, dots, sinkhorn, sinkhorn_grad
};
