/* check.c: what emitted entry points check before they run a kernel. */
#include <string.h>

#include "rnet_kernels.h"

enum rnet_status rnet_check_array(const void *array)
{
    if (!array)
        return RNET_NULL;
    return (uintptr_t)array % RNET_ALIGN ? RNET_MISALIGNED : RNET_OK;
}

enum rnet_status rnet_check_work(const struct rnet_work *work, size_t bytes,
                                 int version)
{
    if (version != RNET_VERSION)
        return RNET_BAD_VERSION;
    if (!work)
        return RNET_NULL;
    if (bytes == 0)
        return RNET_OK;
    enum rnet_status status = rnet_check_array(work->memory);
    if (status)
        return status;
    return work->bytes < bytes ? RNET_TOO_SMALL : RNET_OK;
}

/* RNET_BAD_LABEL unless 0 <= index[i] < classes for every i < count. */
enum rnet_status rnet_check_indices(const int32_t *index, size_t count,
                                    long classes)
{
    if (count == 0)
        return RNET_OK;
    if (!index)
        return RNET_NULL;
    /* a negative index is a large one when read as unsigned */
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++)
        if ((uint32_t)index[i] > largest)
            largest = (uint32_t)index[i];
    if (largest > INT32_MAX || (long)largest >= classes)
        return RNET_BAD_LABEL;
    return RNET_OK;
}

enum rnet_status rnet_check_labels(const int32_t *label, size_t count,
                                   long classes, int32_t ignore)
{
    int bad = 0;

    if (count && !label)
        return RNET_NULL;
    for (size_t i = 0; i < count; i++)
        bad |= (label[i] < 0 || label[i] >= classes) & (label[i] != ignore);
    return bad ? RNET_BAD_LABEL : RNET_OK;
}

/* ----------------------------------------------------------------- graphs */

/* Offsets ascend from 0, neighbours are nodes. */
static enum rnet_status check_edges(const struct rnet_graph *graph)
{
    if (!graph->offsets)
        return RNET_NULL;
    int bad = graph->offsets[0] != 0;
    for (long i = 0; i < graph->nodes; i++)
        bad |= graph->offsets[i + 1] < graph->offsets[i];
    if (bad)
        return RNET_BAD_GRAPH;
    enum rnet_status status =
        rnet_check_indices(graph->neighbours,
                           (size_t)graph->offsets[graph->nodes], graph->nodes);
    return status == RNET_BAD_LABEL ? RNET_BAD_GRAPH : status;
}

/* A word of an edge that looks random. */
static uint64_t edge_word(uint64_t to, uint64_t from, double weight)
{
    uint64_t bits, word;

    memcpy(&bits, &weight, sizeof bits);
    word = ((to << 32) ^ from ^ bits * 0x9e3779b97f4a7c15u)
           * 0xd6e8feb86659fd93u;
    word = (word ^ word >> 32) * 0xd6e8feb86659fd93u;
    return word ^ word >> 32;
}

/* The sum of all edges' words; reversed: as if each went the other way.  Two
 * graphs have the same edges when their sums agree, but for one of 2^64. */
static uint64_t edges_word(const struct rnet_graph *graph, int reversed)
{
    uint64_t sum = 0;

    for (long i = 0; i < graph->nodes; i++)
        for (int64_t e = graph->offsets[i]; e < graph->offsets[i + 1]; e++) {
            uint64_t a = (uint64_t)i, b = (uint64_t)graph->neighbours[e];
            double weight = graph->weights ? (double)graph->weights[e] : 1;

            sum += reversed ? edge_word(b, a, weight)
                            : edge_word(a, b, weight);
        }
    return sum;
}

static enum rnet_status check_transposed(const struct rnet_graph *graph)
{
    const struct rnet_graph *other = graph->transposed;

    if (other->nodes != graph->nodes)
        return RNET_BAD_GRAPH;
    enum rnet_status status = other == graph ? RNET_OK : check_edges(other);
    if (status)
        return status;
    return edges_word(graph, 0) == edges_word(other, 1) ? RNET_OK
                                                        : RNET_BAD_GRAPH;
}

enum rnet_status rnet_check_graph(const struct rnet_graph *graph,
                                  size_t batch, int transposed)
{
    if (!graph)
        return RNET_NULL;
    if (graph->nodes < 0 || (uint64_t)graph->nodes != batch
        || graph->nodes > INT32_MAX)
        return RNET_BAD_GRAPH;
    enum rnet_status status = check_edges(graph);
    if (status || !transposed || !graph->transposed)
        return status;
    return check_transposed(graph);
}
