/* graph.c: aggregation over a graph's edges: gathered in the direction in
 * which rows are read, scattered where only the other one is at hand. */
#include <string.h>

#include "isa.h"
#include "kernels/graph.h"

static const struct graph_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(graph_kernels);

#define FACTORS_TASK 4096       /* nodes of a task that makes factors */
#define GATHER_TASK  65536      /* multiply-adds of a task, about */
#define GATHER_TASKS 256        /* at most */

static long divide_up(long a, long b)
{
    return (a + b - 1) / b;
}

/* ---------------------------------------------------------------- factors */

struct factors {
    const struct rnet_graph *graph;
    enum rnet_aggregate kind;
    float *to;
};

static void factors_task(void *context, long index, int worker)
{
    const struct factors *factors = context;
    long first = index * FACTORS_TASK;

    (void)worker;
    tables[rnet_isa()]->factors(factors->graph, factors->kind, first,
                                rows_least(FACTORS_TASK,
                                           factors->graph->nodes - first),
                                factors->to);
}

static void make_factors(const struct rnet_run *run,
                         const struct rnet_graph *graph,
                         enum rnet_aggregate kind, float *to)
{
    struct factors factors = { graph, kind, to };

    if (kind != RNET_AGGREGATE_SUM)
        rnet_parallel(run, divide_up(graph->nodes, FACTORS_TASK),
                      factors_task, &factors);
}

/* ----------------------------------------------------------------- gather */

struct gather {
    const struct graph_job *job;
    long strips, tasks;
};

static void gather_task(void *context, long index, int worker)
{
    const struct gather *gather = context;
    long strip = index * gather->strips / gather->tasks;
    struct rows_part part = {
        .strip = strip,
        .strips = (index + 1) * gather->strips / gather->tasks - strip,
        .features = gather->job->rows.out
    };

    (void)worker;
    tables[rnet_isa()]->gather(gather->job, &part);
}

static void gather(const struct graph_job *job)
{
    const struct rnet_graph *graph = job->graph;
    struct gather gather = { .job = job };
    double work = ((double)graph->offsets[graph->nodes]
                   + (double)graph->nodes) * (double)job->rows.out;
    long tasks = (long)(work / GATHER_TASK) + 1;

    gather.strips = divide_up(graph->nodes, RNET_LANES);
    gather.tasks = rows_least(rows_least(tasks, GATHER_TASKS), gather.strips);
    rnet_parallel(job->rows.run, gather.tasks, gather_task, &gather);
}

/* ---------------------------------------------------------------- scatter */

static void scatter_task(void *context, long index, int worker)
{
    (void)worker;
    tables[rnet_isa()]->scatter(context, index * GRAPH_BLOCK);
}

/* Each task owns some features: edges are added in their order. */
static void scatter(const struct graph_job *job, struct rnet_steps tail)
{
    rnet_parallel(job->rows.run, divide_up(job->rows.out, GRAPH_BLOCK),
                  scatter_task, (void *)job);
    rnet_pack_rows(job->rows.run, job->rows.rows, job->rows.out, job->sums,
                   job->sums_stride, tail);
}

/* ----------------------------------------------------------- entry points */

static struct graph_job job_of(const struct rnet_run *run,
                               const struct rnet_graph *graph, long features,
                               enum rnet_aggregate kind, const float *x,
                               long x_stride, struct rnet_steps tail)
{
    return (struct graph_job) {
        .rows = { .run = run, .rows = graph->nodes, .rows_per_sample = 1,
                  .out = features, .x = x, .x_stride = x_stride,
                  .steps = tail, .tail = rnet_rows_tail(tail) },
        .graph = graph, .kind = kind,
        .self = kind == RNET_AGGREGATE_SYMMETRIC
    };
}

void rnet_aggregate(const struct rnet_run *run, const struct rnet_graph *graph,
                    long features, enum rnet_aggregate kind, const float *x,
                    long x_stride, float *scratch, struct rnet_steps tail)
{
    struct graph_job job = job_of(run, graph, features, kind, x, x_stride,
                                  tail);

    make_factors(run, graph, kind, scratch);
    job.after = kind == RNET_AGGREGATE_SUM ? NULL : scratch;
    job.before = kind == RNET_AGGREGATE_SYMMETRIC ? scratch : NULL;
    gather(&job);
}

void rnet_aggregate_grad(const struct rnet_run *run,
                         const struct rnet_graph *graph, long features,
                         enum rnet_aggregate kind, const float *dy,
                         long dy_stride, float *scratch,
                         struct rnet_steps tail)
{
    struct graph_job job = job_of(run, graph, features, kind, dy, dy_stride,
                                  tail);
    float *factors = scratch + (size_t)graph->nodes * RNET_ROUND16(features);

    make_factors(run, graph, kind, factors);
    job.before = kind == RNET_AGGREGATE_SUM ? NULL : factors;
    job.after = kind == RNET_AGGREGATE_SYMMETRIC ? factors : NULL;
    job.sums = scratch;
    job.sums_stride = (long)RNET_ROUND16(features);
    if (graph->transposed) {
        job.graph = graph->transposed;
        gather(&job);
    } else {
        scatter(&job, tail);
    }
}

/* ------------------------------------------------------------- transposed */

/* offsets[j] = where the edges from node j begin: as many are before them. */
static void count_edges(const struct rnet_graph *graph, int64_t *offsets)
{
    int64_t sum = 0;

    memset(offsets, 0, ((size_t)graph->nodes + 1) * sizeof *offsets);
    for (int64_t e = 0; e < graph->offsets[graph->nodes]; e++)
        offsets[graph->neighbours[e]]++;
    for (long j = 0; j <= graph->nodes; j++) {
        int64_t count = offsets[j];

        offsets[j] = sum;
        sum += count;
    }
}

enum rnet_status rnet_graph_transpose(struct rnet_graph *graph,
                                      struct rnet_graph *transposed,
                                      int64_t *offsets, int32_t *neighbours,
                                      float *weights)
{
    if (!graph || !transposed || !offsets)
        return RNET_NULL;
    enum rnet_status status = rnet_check_graph(graph, (size_t)graph->nodes, 0);
    if (status)
        return status;
    if ((!neighbours && graph->offsets[graph->nodes])
        || (graph->weights && !weights))
        return RNET_NULL;
    count_edges(graph, offsets);
    for (long i = 0; i < graph->nodes; i++)
        for (int64_t e = graph->offsets[i]; e < graph->offsets[i + 1]; e++) {
            int64_t to = offsets[graph->neighbours[e]]++;

            neighbours[to] = (int32_t)i;
            if (graph->weights)
                weights[to] = graph->weights[e];
        }
    /* each begins now where the next one began */
    memmove(offsets + 1, offsets, (size_t)graph->nodes * sizeof *offsets);
    offsets[0] = 0;
    *transposed = (struct rnet_graph) {
        graph->nodes, offsets, neighbours, graph->weights ? weights : NULL,
        graph
    };
    graph->transposed = transposed;
    return RNET_OK;
}
