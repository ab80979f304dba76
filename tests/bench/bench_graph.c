/* bench_graph.c: aggregation over random graphs, in GB/s of neighbours' rows
 * read, gathered and scattered.  One thread.  Arguments: shapes "nodes
 * degree features", else those of docs' table. */
#include "../../runtime/isa.h"
#include "../../runtime/rnet_kernels.h"
#include "peak.h"

struct bench {
    struct rnet_run run;
    struct rnet_graph graph, transposed;
    long features;
    enum rnet_aggregate kind;
    float *x, *y, *scratch;
    struct rnet_step step;
};

static void *have(size_t bytes)
{
    void *memory = rnet_alloc_bytes(bytes);
    if (!memory)
        exit(1);
    return memory;
}

static float *filled(size_t count)
{
    float *p = have(count * sizeof *p);
    for (size_t i = 0; i < count; i++)
        p[i] = (float)(i % 13) / 16;
    return p;
}

/* `degree` neighbours each, anywhere. */
static void make_graph(struct bench *b, long nodes, long degree)
{
    size_t edges = (size_t)(nodes * degree);
    int64_t *offsets = have(2 * ((size_t)nodes + 1) * sizeof *offsets);
    int32_t *neighbours = have(2 * edges * sizeof *neighbours);
    uint32_t random = 1;

    for (long i = 0; i <= nodes; i++)
        offsets[i] = i * degree;
    for (size_t e = 0; e < edges; e++) {
        random = random * 1664525u + 1013904223u;
        neighbours[e] = (int32_t)((uint64_t)random * (uint64_t)nodes >> 32);
    }
    b->graph = (struct rnet_graph) { .nodes = nodes, .offsets = offsets,
                                     .neighbours = neighbours };
    if (rnet_graph_transpose(&b->graph, &b->transposed, offsets + nodes + 1,
                             neighbours + edges, NULL))
        exit(1);
}

static void forward(void *context)
{
    struct bench *b = context;
    rnet_aggregate(&b->run, &b->graph, b->features, b->kind, b->x, b->features,
                   b->scratch, (struct rnet_steps) { &b->step, 1 });
}

static void backward(void *context)
{
    struct bench *b = context;
    rnet_aggregate_grad(&b->run, &b->graph, b->features, b->kind, b->x,
                        b->features, b->scratch,
                        (struct rnet_steps) { &b->step, 1 });
}

static void line(struct bench *b, const char *name, void (*run)(void *))
{
    double edges = (double)b->graph.offsets[b->graph.nodes];
    double seconds = peak_least(run, b, 15);

    printf("  %s %6.2f ns/edge %5.1f GB/s", name, 1e9 * seconds / edges,
           edges * (double)b->features * 4e-9 / seconds);
}

static void shape(long nodes, long degree, long features)
{
    struct bench b = { .features = features,
                       .kind = RNET_AGGREGATE_SYMMETRIC };
    size_t strips = (size_t)RNET_STRIP_COUNT(nodes) * 32;

    make_graph(&b, nodes, degree);
    b.x = filled((size_t)(nodes * features));
    b.y = filled(strips * (size_t)features);
    b.scratch = filled((size_t)nodes * (RNET_ROUND16(features) + 1));
    b.step = (struct rnet_step) { .op = RNET_STORE, .kind = RNET_FULL,
                                  .x = b.y, .stride = features };
    printf("%8ld x %3ld, %4ld:", nodes, degree, features);
    line(&b, "forward", forward);
    line(&b, "gradient", backward);
    b.graph.transposed = NULL;
    line(&b, "scattered", backward);
    printf("\n");
    rnet_free((void *)b.graph.offsets);
    rnet_free((void *)b.graph.neighbours);
    rnet_free(b.x);
    rnet_free(b.y);
    rnet_free(b.scratch);
}

int main(int count, char **argument)
{
    static const long shapes[][3] = {
        { 2708, 4, 16 }, { 2708, 4, 64 }, { 20000, 9, 7 }, { 20000, 9, 64 },
        { 169343, 14, 16 }, { 169343, 14, 128 }
    };

    printf("aggregation, %s\n", rnet_isa_name());
    for (int i = 1; i + 2 < count; i += 3)
        shape(atol(argument[i]), atol(argument[i + 1]), atol(argument[i + 2]));
    for (size_t i = 0; count < 4 && i < sizeof shapes / sizeof *shapes; i++)
        shape(shapes[i][0], shapes[i][1], shapes[i][2]);
    return 0;
}
