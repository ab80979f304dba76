/* graph.h: kernels of aggregation over a graph's edges. */
#ifndef RNET_KERNELS_GRAPH_H
#define RNET_KERNELS_GRAPH_H

#include "rows.h"

/* Features that a task of `scatter` takes: a line of the cache. */
#define GRAPH_BLOCK 16

/* One call: y_i = after_i (sum over edges (i, j) of w_ij before_j x_j, plus
 * before_i x_i with `self`). */
struct graph_job {
    struct rows_job rows;       /* x, plain; features are `out`; steps, tail */
    const struct rnet_graph *graph;
    enum rnet_aggregate kind;
    const float *before, *after;    /* one a node; NULL: 1 */
    int self;
    float *sums;                /* scatter: y, plain */
    long sums_stride;           /* a multiple of GRAPH_BLOCK */
};

struct graph_kernels {
    /* to[i] of nodes [first, first + count): 1 / d_i, symmetric D_ii^-1/2 */
    void (*factors)(const struct rnet_graph *graph, enum rnet_aggregate kind,
                    long first, long count, float *to);
    /* acc = y, of a part's strips */
    void (*gather)(const struct graph_job *job, const struct rows_part *part);
    /* sums = y with the edges turned round, features [feature, feature +
     * GRAPH_BLOCK) of all nodes */
    void (*scatter)(const struct graph_job *job, long feature);
};
extern const struct graph_kernels rnet_scalar_graph_kernels,
    rnet_base_graph_kernels, rnet_avx2_graph_kernels,
    rnet_avx512_graph_kernels;

static inline float graph_factor(const float *factors, long node)
{
    return factors ? factors[node] : 1;
}

static inline float graph_weight(const struct rnet_graph *graph, int64_t edge)
{
    return graph->weights ? graph->weights[edge] : 1;
}

/* d_i */
static inline float graph_degree(const struct rnet_graph *graph, long node)
{
    int64_t edge = graph->offsets[node], end = graph->offsets[node + 1];
    float sum = 0;

    if (!graph->weights)
        return (float)(end - edge);
    for (; edge < end; edge++)
        sum += graph->weights[edge];
    return sum;
}

#endif
