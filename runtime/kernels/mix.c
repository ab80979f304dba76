/* mix.c: mixes of blocks of features, their dot products and the Sinkhorn
 * projection, on vectors.  Strips: lanes are rows, so that weights of each row
 * are vectors.  Plain: lanes are features. */
#include <math.h>

#include "mix.h"
#include "math.h"

#define VECTORS (RNET_LANES / RNET_W)   /* of a strip's row */

static void begin(const struct mix_job *job, const struct rnet_part *part)
{
    if (rnet_rows_begin(job->rows, part->row))
        rnet_steps_begin(job->steps, part->chunk, 0, part->features,
                         part->features);
}

/* ------------------------------------------------------- operands in strips */

/* The strip of an operand: element k has 32 lanes at p + 32 k, or, of one for
 * all rows, is p[k]. */
struct operand { const float *p; long step; };

static struct operand operand_of(const float *x, long stride, long row)
{
    if (stride == 0)
        return (struct operand) { x, 1 };
    return (struct operand) { x + row / RNET_LANES * stride * RNET_LANES,
                              RNET_LANES };
}

/* `lanes`: of each row, which is a constant after inlining. */
static ALWAYS_INLINE vf get(const float *p, int lanes)
{
    return lanes ? v_loadu(p) : v_set(*p);
}

/* -------------------------------------------------------------------- mixes */

/* Features whose sums are in registers together. */
#define TOGETHER 4

/* acc[k] = sum over i of w_i x_i[k], k < count <= TOGETHER */
static ALWAYS_INLINE void
strip_sums(const struct mix_job *job, struct operand x, struct operand w,
           float *acc, int count, int x_lanes, int w_lanes)
{
    for (int v = 0; v < RNET_LANES; v += RNET_W) {
        const float *from = x.p + (x_lanes ? v : 0);
        const float *by = w.p + (w_lanes ? v : 0);
        vf sum[TOGETHER] = { v_zero(), v_zero(), v_zero(), v_zero() };

        for (long i = 0; i < job->from; i++) {
            vf weight = get(by, w_lanes);

            UNROLL
            for (int k = 0; k < count; k++)
                sum[k] += weight * get(from + k * x.step, x_lanes);
            from += job->features * x.step;
            by += job->w_from * w.step;
        }
        UNROLL
        for (int k = 0; k < count; k++)
            v_store(acc + k * RNET_LANES + v, sum[k]);
    }
}

/* The tile's features are within block `to`; x at the first of them. */
static ALWAYS_INLINE void
fill_strip(const struct mix_job *job, const struct rnet_tile *tile,
           struct operand x, struct operand w, int x_lanes, int w_lanes)
{
    int k = 0;

    for (; k + TOGETHER <= tile->outer; k += TOGETHER) {
        strip_sums(job, x, w, tile->acc + k * RNET_LANES, TOGETHER, x_lanes,
                   w_lanes);
        x.p += TOGETHER * x.step;
    }
    for (; k < tile->outer; k++) {
        strip_sums(job, x, w, tile->acc + k * RNET_LANES, 1, x_lanes, w_lanes);
        x.p += x.step;
    }
}

static void mix_strip(const struct mix_job *job, const struct rnet_tile *tile,
                      long to)
{
    struct operand x = operand_of(job->x, job->x_stride, tile->row);
    struct operand w = operand_of(job->w, job->w_stride, tile->row);

    x.p += (tile->feature - to * job->features) * x.step;
    w.p += to * job->w_to * w.step;
    if (x.step == 1)
        fill_strip(job, tile, x, w, 0, 1);
    else if (w.step == 1)
        fill_strip(job, tile, x, w, 1, 0);
    else
        fill_strip(job, tile, x, w, 1, 1);
}

/* acc[k] = sum over i of w_i x_i[k], k < count <= TOGETHER vectors */
static ALWAYS_INLINE void
row_sums(const struct mix_job *job, const float *x, const float *w, float *acc,
         int vectors, int last)
{
    vf sum[TOGETHER] = { v_zero(), v_zero(), v_zero(), v_zero() };

    for (long i = 0; i < job->from; i++) {
        vf weight = v_set(*w);

        UNROLL
        for (int k = 0; k < vectors - 1; k++)
            sum[k] += weight * v_loadu(x + k * RNET_W);
        sum[vectors - 1] += weight
            * v_load_up_to(x + (vectors - 1) * RNET_W, last);
        x += job->features;
        w += job->w_from;
    }
    UNROLL
    for (int k = 0; k < vectors; k++)
        v_store(acc + k * RNET_W, sum[k]);
}

static void mix_row(const struct mix_job *job, const float *x, const float *w,
                    float *acc, int count)
{
    int k = 0;

    for (; k + TOGETHER * RNET_W <= count; k += TOGETHER * RNET_W)
        row_sums(job, x + k, w, acc + k, TOGETHER, RNET_W);
    for (; k < count; k += RNET_W)
        row_sums(job, x + k, w, acc + k, 1, v_part(count, k));
}

static void mix_plain(const struct mix_job *job, const struct rnet_tile *tile,
                      long to)
{
    for (int i = 0; i < tile->outer; i++) {
        long row = tile->row + i;

        mix_row(job,
                job->x + row * job->x_stride + tile->feature
                    - to * job->features,
                job->w + row * job->w_stride + to * job->w_to,
                tile->acc + i * tile->acc_stride, tile->inner);
    }
}

/* Some features of block `to`. */
static void mix_part(const struct mix_job *job, struct rnet_part *part,
                     long to)
{
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    struct rnet_tile tile;

    rnet_tile_first(&tile, part, acc);
    do {
        rnet_tile_size(&tile, part);
        if (tile.layout == RNET_STRIPS)
            mix_strip(job, &tile, to);
        else
            mix_plain(job, &tile, to);
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, part));
}

/* Features in the outer loop: those of all blocks of x are in the cache when
 * the next block of the result reads them. */
static void mix(const struct mix_job *job, long row, long count)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->to * job->features,
                                           row, count);
    long wide = part.rows.layout == RNET_STRIPS ? RNET_LANES
                                                : RNET_POINT_WIDTH;

    begin(job, &part);
    for (long f = 0; f < job->features; f += wide)
        for (long to = 0; to < job->to; to++) {
            part.feature = to * job->features + f;
            part.feature_count = job->features - f < wide ? job->features - f
                                                          : wide;
            mix_part(job, &part, to);
        }
}

/* --------------------------------------------------------------------- dots */

/* acc[k] = <x_k, y_k>, k < count <= TOGETHER, x of each row */
static ALWAYS_INLINE void
strip_dots(const struct operand *x, const struct operand *y, long n, float *acc,
           int count, int y_lanes)
{
    for (int v = 0; v < RNET_LANES; v += RNET_W) {
        vf sum[TOGETHER] = { v_zero(), v_zero(), v_zero(), v_zero() };

        for (long f = 0; f < n; f++)
            UNROLL
            for (int k = 0; k < count; k++)
                sum[k] += v_loadu(x[k].p + f * RNET_LANES + v)
                          * get(y[k].p + f * (y_lanes ? RNET_LANES : 1)
                                + (y_lanes ? v : 0), y_lanes);
        UNROLL
        for (int k = 0; k < count; k++)
            v_store(acc + k * RNET_LANES + v, sum[k]);
    }
}

/* Products [first, first + count) of the strip. */
static ALWAYS_INLINE void
dots_group(const struct mix_job *job, struct operand x, struct operand y,
           long first, float *acc, int count, int y_lanes)
{
    struct operand a[TOGETHER], b[TOGETHER];

    UNROLL
    for (int k = 0; k < count; k++) {
        long i = (first + k) / job->to, j = (first + k) % job->to;

        a[k].p = x.p + i * job->features * RNET_LANES;
        b[k].p = y.p + j * job->features * y.step;
    }
    strip_dots(a, b, job->features, acc, count, y_lanes);
}

static ALWAYS_INLINE void fill_dots(const struct mix_job *job,
                                    const struct rnet_tile *tile, int y_lanes)
{
    struct operand x = operand_of(job->x, job->x_stride, tile->row);
    struct operand y = operand_of(job->y, job->y_stride, tile->row);
    int k = 0;

    for (; k + TOGETHER <= tile->outer; k += TOGETHER)
        dots_group(job, x, y, tile->feature + k, tile->acc + k * RNET_LANES,
                   TOGETHER, y_lanes);
    for (; k < tile->outer; k++)
        dots_group(job, x, y, tile->feature + k, tile->acc + k * RNET_LANES, 1,
                   y_lanes);
}

static float row_dot(const float *x, const float *y, long n)
{
    vf sum[2] = { v_zero(), v_zero() };
    long j = 0;

    for (; j + 2 * RNET_W <= n; j += 2 * RNET_W)
        UNROLL
        for (int c = 0; c < 2; c++)
            sum[c] += v_loadu(x + j + c * RNET_W) * v_loadu(y + j + c * RNET_W);
    for (; j < n; j += RNET_W)
        sum[0] += v_load_up_to(x + j, n - j) * v_load_up_to(y + j, n - j);
    return v_sum(sum[0] + sum[1]);
}

static void dots_plain(const struct mix_job *job, const struct rnet_tile *tile)
{
    for (int i = 0; i < tile->outer; i++) {
        const float *x = job->x + (tile->row + i) * job->x_stride;
        const float *y = job->y + (tile->row + i) * job->y_stride;

        for (int k = 0; k < tile->inner; k++) {
            long at = tile->feature + k;

            tile->acc[i * tile->acc_stride + k] =
                row_dot(x + at / job->to * job->features,
                        y + at % job->to * job->features, job->features);
        }
    }
}

static void dots(const struct mix_job *job, long row, long count)
{
    struct rnet_part part = rnet_rows_part(job->rows, job->from * job->to, row,
                                           count);
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64))) = { 0 };
    struct rnet_tile tile;

    begin(job, &part);
    rnet_tile_first(&tile, &part, acc);
    do {
        rnet_tile_size(&tile, &part);
        if (tile.layout == RNET_PLAIN)
            dots_plain(job, &tile);
        else if (job->y_stride == 0)
            fill_dots(job, &tile, 0);
        else
            fill_dots(job, &tile, 1);
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, &part));
}

/* ----------------------------------------------------------------- Sinkhorn */

enum { LARGEST = RNET_SINKHORN_LARGEST, ELEMENTS = LARGEST * LARGEST,
       HALVES = 2 * RNET_SINKHORN_ITERATIONS };

/* One matrix a lane: element (i, j) at i n + j. */
struct matrices { int n; vf m[ELEMENTS]; };

/* A line of a matrix: a column when `half` is even, else a row. */
struct line { int first, step; };

static struct line line_of(int n, int half, int line)
{
    if (half % 2)
        return (struct line) { line * n, 1 };
    return (struct line) { line, n };
}

/* 1 / sum, and 0 for 0 */
static ALWAYS_INLINE vf inverse(vf sum)
{
    return v_keep(sum != v_zero(), 1 / sum);
}

/* m = e^(x - the largest of the column), which changes nothing after the first
 * division; -infinity alone has 0. */
static void exponents(struct matrices *of)
{
    for (int j = 0; j < of->n; j++) {
        vf most = v_set(-INFINITY);

        for (int i = 0; i < of->n; i++)
            most = v_max(of->m[i * of->n + j], most);
        most = v_select(most == v_set(-INFINITY), v_zero(), most);
        for (int i = 0; i < of->n; i++)
            of->m[i * of->n + j] = v_exp_negative(of->m[i * of->n + j] - most);
    }
}

static void divide(struct matrices *of, int half, vf *sums)
{
    for (int line = 0; line < of->n; line++) {
        struct line at = line_of(of->n, half, line);
        vf sum = v_zero(), by;

        for (int k = 0; k < of->n; k++)
            sum += of->m[at.first + k * at.step];
        by = inverse(sum);
        for (int k = 0; k < of->n; k++)
            of->m[at.first + k * at.step] *= by;
        sums[line] = sum;
    }
}

/* y = x / sum x: ∂L/∂x = (dy - sum dy y) / sum x; y becomes x again. */
static void divide_grad(struct matrices *y, struct matrices *dy, int half,
                        const vf *sums)
{
    for (int line = 0; line < y->n; line++) {
        struct line at = line_of(y->n, half, line);
        vf product = v_zero(), by = inverse(sums[line]);

        for (int k = 0; k < y->n; k++)
            product += y->m[at.first + k * at.step]
                       * dy->m[at.first + k * at.step];
        for (int k = 0; k < y->n; k++) {
            int e = at.first + k * at.step;

            dy->m[e] = (dy->m[e] - product) * by;
            y->m[e] *= sums[line];
        }
    }
}

/* m becomes the projection, or its gradient from dy. */
static void project(const struct mix_job *job, struct matrices *m,
                    struct matrices *dy)
{
    vf sums[HALVES][LARGEST];
    int halves = 2 * job->iterations;

    exponents(m);
    for (int half = 0; half < halves; half++)
        divide(m, half, sums[half]);
    if (!dy)
        return;
    for (int half = halves - 1; half >= 0; half--)
        divide_grad(m, dy, half, sums[half]);
    for (int e = 0; e < m->n * m->n; e++)
        m->m[e] *= dy->m[e];
}

/* RNET_W rows, or as many as there are: plain rows are turned. */
static void get_matrices(const struct mix_job *job, const float *x,
                         long stride, long row, int rows, struct matrices *to)
{
    float lanes[RNET_W] __attribute__((aligned(64))) = { 0 };
    struct operand strip = operand_of(x, stride, row);

    to->n = job->n;
    for (int e = 0; e < job->n * job->n; e++) {
        if (job->rows.layout == RNET_STRIPS) {
            to->m[e] = v_loadu(strip.p + e * RNET_LANES + row % RNET_LANES);
            continue;
        }
        for (int r = 0; r < rows; r++)
            lanes[r] = x[(row + r) * stride + e];
        to->m[e] = v_load(lanes);
    }
}

/* To rows of the tile from its `first` on; in strips the tile's memory goes on
 * for all features. */
static void put_matrices(const struct rnet_tile *tile, int first, int rows,
                         const struct matrices *from)
{
    float lanes[RNET_W] __attribute__((aligned(64)));

    if (tile->layout == RNET_STRIPS) {
        for (int e = 0; e < from->n * from->n; e++)
            v_store(tile->acc + e * RNET_LANES + first, from->m[e]);
        return;
    }
    for (int e = 0; e < from->n * from->n; e++) {
        v_store(lanes, from->m[e]);
        for (int r = 0; r < rows; r++)
            tile->acc[(first + r) * tile->acc_stride + e] = lanes[r];
    }
}

static void fill_matrices(const struct mix_job *job,
                          const struct rnet_tile *tile)
{
    int rows = tile->layout == RNET_STRIPS ? tile->inner : tile->outer;
    struct matrices m, dy;

    for (int r = 0; r < rows; r += RNET_W) {
        int count = v_part(rows, r);

        get_matrices(job, job->x, job->x_stride, tile->row + r, count, &m);
        if (job->y)
            get_matrices(job, job->y, job->y_stride, tile->row + r, count,
                         &dy);
        project(job, &m, job->y ? &dy : NULL);
        put_matrices(tile, r, count, &m);
    }
}

/* The steps on a strip's matrices, a tile of 32 features at a time. */
static void strip_steps(const struct mix_job *job, struct rnet_tile *tile)
{
    long features = tile->features;

    for (; tile->feature < features; tile->feature += RNET_LANES) {
        tile->outer = (int)(features - tile->feature < RNET_LANES
                            ? features - tile->feature : RNET_LANES);
        RNET_NAME(steps)(job->run, tile, job->steps);
        tile->acc += RNET_LANES * RNET_LANES;
    }
}

static void sinkhorn(const struct mix_job *job, long row, long count)
{
    struct rnet_part part = rnet_rows_part(job->rows, (long)job->n * job->n,
                                           row, count);
    float acc[ELEMENTS * RNET_LANES] __attribute__((aligned(64))) = { 0 };
    struct rnet_tile tile;

    begin(job, &part);
    rnet_tile_first(&tile, &part, acc);
    do {
        rnet_tile_size(&tile, &part);
        fill_matrices(job, &tile);
        if (tile.layout == RNET_STRIPS) {
            strip_steps(job, &tile);
            return;
        }
        RNET_NAME(steps)(job->run, &tile, job->steps);
    } while (rnet_tile_next(&tile, &part));
}

const struct mix_kernels RNET_NAME(mix_kernels) = {
    mix, dots, sinkhorn, sinkhorn
};
