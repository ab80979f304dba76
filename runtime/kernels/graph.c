/* graph.c: aggregation over a graph's edges, whole rows of neighbours in the
 * lanes. */
#include "graph.h"
#include "strip.h"
#include "transpose.h"

#define VECTORS (RNET_LANES / RNET_W)

/* ---------------------------------------------------------------- factors */

static ALWAYS_INLINE vf inverses(vf degree, enum rnet_aggregate kind)
{
    if (kind == RNET_AGGREGATE_SYMMETRIC) {
        degree += 1;
        return v_keep(degree > 0, 1 / v_sqrt(degree));
    }
    return v_keep(degree != 0, 1 / degree);
}

static void factors(const struct rnet_graph *graph, enum rnet_aggregate kind,
                    long first, long count, float *to)
{
    for (long i = 0; i < count; i += RNET_W) {
        int part = (int)rows_least(RNET_W, count - i);
        vf degree = v_zero();

        for (int k = 0; k < part; k++)
            degree[k] = graph_degree(graph, first + i + k);
        v_store_first(to + first + i, inverses(degree, kind), part);
    }
}

/* ----------------------------------------------------------------- gather */

/* Up to `n` vectors of a row; with `last` < RNET_W the last has so many. */
struct width { int n, last; };

/* acc += factor x */
static ALWAYS_INLINE void add_row(vf *acc, struct width width, float factor,
                                  const float *x)
{
    UNROLL for (int v = 0; v < width.n; v++)
        acc[v] += v_set(factor)
                  * (width.last < RNET_W && v == width.n - 1
                         ? v_load_first(x + v * RNET_W, width.last)
                         : v_loadu(x + v * RNET_W));
}

/* to = y of one node, of the features from `x` on */
static ALWAYS_INLINE void gather_row(const struct graph_job *job, long node,
                                     const float *x, struct width width,
                                     float *to)
{
    const struct rnet_graph *graph = job->graph;
    long stride = job->rows.x_stride;
    int64_t end = graph->offsets[node + 1];
    vf acc[VECTORS];

    UNROLL for (int v = 0; v < width.n; v++)
        acc[v] = v_zero();
    for (int64_t e = graph->offsets[node]; e < end; e++) {
        long from = graph->neighbours[e];

        add_row(acc, width, graph_weight(graph, e)
                            * graph_factor(job->before, from),
                x + from * stride);
    }
    if (job->self)
        add_row(acc, width, graph_factor(job->before, node),
                x + node * stride);
    UNROLL for (int v = 0; v < width.n; v++)
        v_store(to + v * RNET_W,
                acc[v] * v_set(graph_factor(job->after, node)));
}

/* `lanes` nodes from `node` on. */
static ALWAYS_INLINE void gather_rows(const struct graph_job *job, long node,
                                      int lanes, const float *x,
                                      struct width width, float *to)
{
    for (int i = 0; i < lanes; i++)
        gather_row(job, node + i, x, width, to + i * RNET_LANES);
}

/* The features from `feature` on in as few goes as powers of two allow. */
static void gather_block(const struct graph_job *job, long node, int lanes,
                         long feature, int count, float *to)
{
    const float *x = job->rows.x + feature;
    int j = 0;

#define GO(vectors)                                                         \
    for (; (vectors) <= VECTORS && j + (vectors) * RNET_W <= count;         \
         j += (vectors) * RNET_W)                                           \
        gather_rows(job, node, lanes, x + j,                                \
                    (struct width) { vectors, RNET_W }, to + j)
    GO(8);
    GO(4);
    GO(2);
    GO(1);
#undef GO
    if (j < count)
        gather_rows(job, node, lanes, x + j, (struct width) { 1, count - j },
                    to + j);
}

static void gather(const struct graph_job *job, const struct rows_part *part)
{
    float rows[RNET_LANES * RNET_LANES] __attribute__((aligned(64))) = { 0 };
    struct buffer buffer;
    long end = part->feature + part->features;

    buffer_init(&buffer, &job->rows, job->rows.out);
    buffer_begin(&job->rows, part, job->rows.out);
    for (long s = part->strip; s < part->strip + part->strips; s++)
        for (long f = part->feature; f < end; f += RNET_LANES) {
            int lanes = rows_lanes(&job->rows, s);
            int count = (int)rows_least(RNET_LANES, end - f);

            gather_block(job, s * RNET_LANES, lanes, f, count, rows);
            transpose_lanes(buffer.acc, rows, lanes);
            buffer_finish(&buffer, &job->rows, s, f, count);
        }
}

/* ---------------------------------------------------------------- scatter */

#define BLOCK_VECTORS (GRAPH_BLOCK / RNET_W)

/* GRAPH_BLOCK features of a row, zeros after the first `count`. */
static ALWAYS_INLINE void load_block(vf *to, const float *x, int count)
{
    UNROLL for (int v = 0; v < BLOCK_VECTORS; v++) {
        int part = count - v * RNET_W;

        to[v] = part >= RNET_W ? v_loadu(x + v * RNET_W)
                : part > 0 ? v_load_first(x + v * RNET_W, part) : v_zero();
    }
}

/* to += factor x */
static ALWAYS_INLINE void add_block(float *to, float factor, const vf *x)
{
    UNROLL for (int v = 0; v < BLOCK_VECTORS; v++)
        v_store(to + v * RNET_W,
                v_load(to + v * RNET_W) + v_set(factor) * x[v]);
}

static void scatter(const struct graph_job *job, long feature)
{
    const struct rnet_graph *graph = job->graph;
    long stride = job->sums_stride;
    float *sums = job->sums + feature;
    int count = (int)rows_least(GRAPH_BLOCK, job->rows.out - feature);
    vf x[BLOCK_VECTORS];

    for (long i = 0; i < graph->nodes; i++)
        UNROLL for (int v = 0; v < BLOCK_VECTORS; v++)
            v_store(sums + i * stride + v * RNET_W, v_zero());
    for (long i = 0; i < graph->nodes; i++) {
        float before = graph_factor(job->before, i);

        load_block(x, job->rows.x + i * job->rows.x_stride + feature, count);
        for (int64_t e = graph->offsets[i]; e < graph->offsets[i + 1]; e++) {
            long to = graph->neighbours[e];

            add_block(sums + to * stride, graph_weight(graph, e) * before
                                          * graph_factor(job->after, to), x);
        }
        if (job->self)
            add_block(sums + i * stride,
                      before * graph_factor(job->after, i), x);
    }
}

const struct graph_kernels RNET_NAME(graph_kernels) = {
    factors, gather, scatter
};
