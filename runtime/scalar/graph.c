/* graph.c: scalar twins of aggregation. */
#include <math.h>

#include "../kernels/graph.h"
#include "../kernels/tile.h"

static void factors(const struct rnet_graph *graph, enum rnet_aggregate kind,
                    long first, long count, float *to)
{
    for (long i = first; i < first + count; i++) {
        double degree = (double)graph_degree(graph, i);

        if (kind == RNET_AGGREGATE_SYMMETRIC)
            to[i] = degree + 1 > 0 ? (float)(1 / sqrt(degree + 1)) : 0;
        else
            to[i] = degree != 0 ? (float)(1 / degree) : 0;
    }
}

static float gather_at(const struct graph_job *job, long node, long feature)
{
    const struct rnet_graph *graph = job->graph;
    const float *x = job->rows.x + feature;
    long stride = job->rows.x_stride;
    float sum = 0;

    for (int64_t e = graph->offsets[node]; e < graph->offsets[node + 1]; e++) {
        long from = graph->neighbours[e];

        sum += graph_weight(graph, e) * graph_factor(job->before, from)
               * x[from * stride];
    }
    if (job->self)
        sum += graph_factor(job->before, node) * x[node * stride];
    return sum * graph_factor(job->after, node);
}

/* One tile in strips, and its steps. */
static void gather_tile(const struct graph_job *job, long strip, long feature,
                        int count)
{
    float acc[RNET_LANES * RNET_LANES] __attribute__((aligned(64))) = { 0 };
    long row = strip * RNET_LANES;
    const struct rnet_tile tile = {
        .acc = acc, .acc_stride = RNET_LANES, .outer = count,
        .inner = rows_lanes(&job->rows, strip), .layout = RNET_STRIPS,
        .row = row, .row_step = 1, .feature = feature,
        .features = job->rows.out, .chunk = strip, .sample = row,
        .rows_per_sample = 1
    };

    for (int i = 0; i < tile.outer; i++)
        for (int j = 0; j < tile.inner; j++)
            acc[i * RNET_LANES + j] = gather_at(job, row + j, feature + i);
    RNET_NAME(steps)(job->rows.run, &tile, job->rows.steps);
}

static void gather(const struct graph_job *job, const struct rows_part *part)
{
    long end = part->feature + part->features;

    for (long s = part->strip; s < part->strip + part->strips; s++) {
        rnet_steps_begin(job->rows.steps, s, part->feature,
                         part->features, job->rows.out);
        for (long f = part->feature; f < end; f += RNET_LANES)
            gather_tile(job, s, f, (int)rows_least(RNET_LANES, end - f));
    }
}

/* y_to += factor x_from */
static void add_block(const struct graph_job *job, long to, long from,
                      float factor, long feature)
{
    const float *x = job->rows.x + from * job->rows.x_stride;
    float *sums = job->sums + to * job->sums_stride;
    long end = rows_least(feature + GRAPH_BLOCK, job->rows.out);

    factor *= graph_factor(job->before, from) * graph_factor(job->after, to);
    for (long f = feature; f < end; f++)
        sums[f] += factor * x[f];
}

static void scatter(const struct graph_job *job, long feature)
{
    const struct rnet_graph *graph = job->graph;

    for (long i = 0; i < graph->nodes; i++)
        for (long f = feature; f < feature + GRAPH_BLOCK; f++)
            job->sums[i * job->sums_stride + f] = 0;
    for (long i = 0; i < graph->nodes; i++) {
        for (int64_t e = graph->offsets[i]; e < graph->offsets[i + 1]; e++)
            add_block(job, graph->neighbours[e], i, graph_weight(graph, e),
                      feature);
        if (job->self)
            add_block(job, i, i, 1, feature);
    }
}

const struct graph_kernels RNET_NAME(graph_kernels) = {
    factors, gather, scatter
};
