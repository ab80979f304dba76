/* test_graph.c: aggregation over graphs, each instruction set against the dense
 * matrix written out, and the checks of graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "values.h"

/* Arrays of a graph of at most so many nodes and edges. */
#define NODES 1100
#define EDGES 9000
struct arrays {
    struct rnet_graph graph;
    int64_t offsets[NODES + 1];
    int32_t neighbours[EDGES];
    float weights[EDGES];
};

static uint32_t next_random(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

/* Nodes without neighbours, with themselves and with some twice among them. */
static void make_graph(struct arrays *a, long nodes, int weighted)
{
    int64_t edges = 0;

    for (long i = 0; i < nodes; i++) {
        long degree = i % 5 == 3 ? 0 : next_random() % 9;

        a->offsets[i] = edges;
        for (long k = 0; k < degree && edges < EDGES; k++, edges++) {
            a->neighbours[edges] = (int32_t)(next_random() % nodes);
            a->weights[edges] = (float)(1 + next_random() % 4);
        }
    }
    a->offsets[nodes] = edges;
    a->graph = (struct rnet_graph) {
        nodes, a->offsets, a->neighbours, weighted ? a->weights : NULL, NULL
    };
}

static double weight_of(const struct rnet_graph *graph, int64_t edge)
{
    return graph->weights ? graph->weights[edge] : 1;
}

/* a[i][j] from the definition in rnet_kernels.h */
static double *matrix_of(const struct rnet_graph *graph,
                         enum rnet_aggregate kind)
{
    long n = graph->nodes;
    double *a = calloc((size_t)(n * n), sizeof *a);
    double *degree = calloc((size_t)n, sizeof *degree);

    for (long i = 0; i < n; i++)
        for (int64_t e = graph->offsets[i]; e < graph->offsets[i + 1]; e++) {
            a[i * n + graph->neighbours[e]] += weight_of(graph, e);
            degree[i] += weight_of(graph, e);
        }
    for (long i = 0; kind == RNET_AGGREGATE_SYMMETRIC && i < n; i++) {
        a[i * n + i] += 1;
        degree[i] += 1;
    }
    for (long i = 0; kind != RNET_AGGREGATE_SUM && i < n; i++)
        for (long j = 0; j < n; j++)
            if (a[i * n + j] != 0)
                a[i * n + j] /= kind == RNET_AGGREGATE_MEAN
                                    ? degree[i] : sqrt(degree[i] * degree[j]);
    free(degree);
    return a;
}

static struct rnet_step store(const struct value *y)
{
    return (struct rnet_step) { .op = RNET_STORE, .kind = RNET_FULL,
                                .x = y->p, .stride = y->stride };
}

static struct rnet_rows rows_of(enum rnet_layout layout, long rows)
{
    return (struct rnet_rows) { layout, rows, 1 };
}

/* One call: y = aggregate(x), or its gradient. */
struct call {
    struct rnet_run run;
    const struct rnet_graph *graph;
    enum rnet_aggregate kind;
    long features;
    int gradient;
};

static void run_call(const struct call *call, const struct value *x,
                     struct rnet_steps tail)
{
    long nodes = call->graph->nodes;
    long sums = nodes * (long)RNET_ROUND16(call->features);
    struct array scratch = array(call->gradient ? sums + nodes : nodes, 0);

    if (call->gradient)
        rnet_aggregate_grad(&call->run, call->graph, call->features,
                            call->kind, x->p, x->stride, scratch.p, tail);
    else
        rnet_aggregate(&call->run, call->graph, call->features, call->kind,
                       x->p, x->stride, scratch.p, tail);
    assert_true(isnan(scratch.p[scratch.count]) && isnan(scratch.p[-1]));
    if (call->graph->transposed && call->gradient)
        assert_true(isnan(scratch.p[0]));
    rnet_free(scratch.all);
}

static double truth_at(const struct call *call, const double *a,
                       const struct value *x, long i, long f)
{
    long n = call->graph->nodes;
    double sum = 0;

    for (long j = 0; j < n; j++)
        if (a[call->gradient ? j * n + i : i * n + j] != 0)
            sum += a[call->gradient ? j * n + i : i * n + j]
                   * x->p[j * x->stride + f];
    return sum;
}

/* Whole numbers: sums are exact, the others as exact as factors are. */
static void check_call(const struct call *call, const double *a, int isa)
{
    long nodes = call->graph->nodes;
    struct value x = value(rows_of(RNET_PLAIN, nodes), call->features, 1);
    struct rnet_rows rows = rows_of(RNET_STRIPS, nodes);
    struct value y = value(rows, call->features, 0);
    struct rnet_step step = store(&y);
    double limit = call->kind == RNET_AGGREGATE_SUM ? 0 : 1e-6;

    run_call(call, &x, (struct rnet_steps) { &step, 1 });
    for (long i = 0; i < nodes; i++)
        for (long f = 0; f < call->features; f++) {
            double truth = truth_at(call, a, &x, i, f);
            double got = y.p[place(RNET_STRIPS, y.stride, i, f)];

            if (!(fabs(got - truth) <= limit * (8 + fabs(truth))))
                fail_msg("%s, kind %d, gradient %d, (%ld, %ld) of (%ld, %ld): "
                         "%.9g, not %.9g", names[isa], call->kind,
                         call->gradient, i, f, nodes, call->features, got,
                         truth);
        }
    assert_true(intact(rows, call->features, &y));
    rnet_free(x.array.all);
    rnet_free(y.array.all);
}

/* Forward, gradient by either way. */
static void check_graph(struct arrays *from, struct arrays *to, long features,
                        enum rnet_aggregate kind)
{
    struct call call = { .graph = &from->graph, .features = features,
                         .kind = kind };
    double *a = matrix_of(&from->graph, kind);

    assert_int_equal(rnet_graph_transpose(&from->graph, &to->graph,
                                          to->offsets, to->neighbours,
                                          to->weights), RNET_OK);
    assert_int_equal(rnet_check_graph(&from->graph,
                                      (size_t)from->graph.nodes, 1), RNET_OK);
    for (int isa = 0; isa < RNET_ISAS; isa++) {
        if (!use(isa))
            continue;
        call.gradient = 0;
        check_call(&call, a, isa);
        call.gradient = 1;
        from->graph.transposed = &to->graph;
        check_call(&call, a, isa);
        from->graph.transposed = NULL;
        check_call(&call, a, isa);
    }
    free(a);
}

static struct arrays one, two;

static void aggregates(void **state)
{
    static const long nodes[] = { 1, 2, 31, 32, 33, 100 };

    (void)state;
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < SIZES; j++)
            for (int k = 0; k < 6; k++) {
                make_graph(&one, nodes[i], k % 2);
                check_graph(&one, &two, sizes[j], (enum rnet_aggregate)(k / 2));
            }
    make_graph(&one, 1000, 0);
    check_graph(&one, &two, 33, RNET_AGGREGATE_SYMMETRIC);
}

/* No edges at all, no neighbours array; and no nodes. */
static void without_edges(void **state)
{
    static const int64_t offsets[41];
    struct rnet_graph graph = { .nodes = 40, .offsets = offsets };

    (void)state;
    graph.transposed = &graph;
    assert_int_equal(rnet_check_graph(&graph, 40, 1), RNET_OK);
    for (int kind = 0; kind < 3; kind++)
        for (int isa = 0; isa < RNET_ISAS && use(isa); isa++)
            for (int gradient = 0; gradient < 2; gradient++) {
                struct call call = { .graph = &graph, .features = 17,
                                     .kind = (enum rnet_aggregate)kind,
                                     .gradient = gradient };
                double *a = matrix_of(&graph, call.kind);

                check_call(&call, a, isa);
                free(a);
            }
    graph.nodes = 0;
    assert_int_equal(rnet_check_graph(&graph, 0, 1), RNET_OK);
    rnet_aggregate(&(struct rnet_run) { 0 }, &graph, 5, RNET_AGGREGATE_SUM,
                   NULL, 5, NULL, RNET_NO_STEPS);
    rnet_aggregate_grad(&(struct rnet_run) { 0 }, &graph, 5,
                        RNET_AGGREGATE_SUM, NULL, 5, NULL,
                        RNET_NO_STEPS);
}

/* A degree whose factor would be infinite or no number has factor 0. */
static void odd_degrees(void **state)
{
    static const int64_t offsets[] = { 0, 2, 3, 4 };
    static const int32_t neighbours[] = { 1, 2, 0, 0 };
    static const float weights[] = { 3, -3, -1, -5 };
    struct rnet_graph graph = { 3, offsets, neighbours, weights, NULL };
    /* symmetric: D = 1, 0, -4; mean: d = 0, -1, -5 */
    static const float truth[2][3] = { { 1, 0, 0 }, { 0, 1, 1 } };
    static float x[3] = { 1, 1, 1 };

    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (int k = 0; k < 2 && use(isa); k++) {
            _Alignas(64) float y[32];
            float factors[3];
            struct rnet_run run = { 0 };

            rnet_aggregate(&run, &graph, 1, k ? RNET_AGGREGATE_MEAN
                                              : RNET_AGGREGATE_SYMMETRIC, x,
                           1, factors, RNET_STEPS(RNET_WITH(STORE, y, 1)));
            for (int i = 0; i < 3; i++)
                assert_true(y[i] == truth[k][i]);
        }
}

/* Sums over nodes, a bias, a skip: what rides on the kernel. */
static void tails(void **state)
{
    struct call call = { .graph = &one.graph, .features = 41 };
    struct rnet_rows rows = rows_of(RNET_STRIPS, 77);

    (void)state;
    make_graph(&one, 77, 1);
    for (int k = 0; k < 4 * RNET_ISAS; k++) {
        struct value x = value(rows_of(RNET_PLAIN, 77), 41, 1);
        struct value plain = value(rows, 41, 0), y = value(rows, 41, 0);
        struct value skip = value(rows, 41, 1);
        struct array sums = array(3 * 41, 0), bias = array(41, 1);
        struct rnet_step step = store(&plain);

        if (!use(k / 4))
            continue;
        call.gradient = k & 1;
        run_call(&call, &x, (struct rnet_steps) { &step, 1 });
        if (k & 2)
            run_call(&call, &x,
                     RNET_STEPS(RNET_BY_FEATURE(ADD, bias.p),
                                RNET_WITH(ADD, skip.p, skip.stride),
                                RNET_DO(RELU),
                                RNET_WITH(STORE, y.p, y.stride)));
        else
            run_call(&call, &x,
                     RNET_STEPS(RNET_SUM_TO(SUM, sums.p),
                                RNET_BY_FEATURE(ADD, bias.p),
                                RNET_WITH(ADD, skip.p, skip.stride),
                                RNET_DO(RELU),
                                RNET_WITH(STORE, y.p, y.stride)));
        for (long f = 0; f < 41; f++)
            for (long r = 0, c = 0; r < 77; r++) {
                long at = place(RNET_STRIPS, y.stride, r, f);
                float sum = plain.p[at] + bias.p[f] + skip.p[at];

                assert_true(y.p[at] == (sum > 0 ? sum : 0));
                c += (long)plain.p[at];
                if (!(k & 2) && (r % 32 == 31 || r == 76)) {
                    assert_true(sums.p[r / 32 * 41 + f] == (float)c);
                    c = 0;
                }
            }
        rnet_free(x.array.all);
        rnet_free(plain.array.all);
        rnet_free(y.array.all);
        rnet_free(skip.array.all);
        rnet_free(sums.all);
        rnet_free(bias.all);
    }
}

/* The same bits in any order of tasks. */
static void orders(void **state)
{
    struct rnet_rows rows = rows_of(RNET_STRIPS, 1000);
    struct value x = value(rows_of(RNET_PLAIN, 1000), 100, 1);
    struct value first = value(rows, 100, 0), y = value(rows, 100, 0);

    (void)state;
    use(RNET_ISAS - 1);
    make_graph(&one, 1000, 1);
    for (long i = 0; i < 1000 * x.stride - 8; i++)
        x.p[i] *= 1.1f;
    for (long k = 0; k < 12; k++) {
        long i = k / 3;
        struct rnet_work work = { .parallel_for = play, .user = &i,
                                  .workers = 7 };
        struct rnet_step step = store(i ? &y : &first);
        struct call call = {
            .graph = &one.graph, .kind = RNET_AGGREGATE_SYMMETRIC,
            .features = 100, .run = { .work = i ? &work : NULL },
            .gradient = k % 3 > 0
        };

        one.graph.transposed = NULL;
        if (k % 3 == 1)
            rnet_graph_transpose(&one.graph, &two.graph, two.offsets,
                                 two.neighbours, two.weights);
        step = store(&first);
        run_call(&(struct call) { .graph = &one.graph, .kind = call.kind,
                                  .features = 100, .gradient = call.gradient },
                 &x, (struct rnet_steps) { &step, 1 });
        step = store(&y);
        run_call(&call, &x, (struct rnet_steps) { &step, 1 });
        assert_true(same_value(rows, 100, &first, &y, 0));
    }
    rnet_free(x.array.all);
    rnet_free(first.array.all);
    rnet_free(y.array.all);
}

/* ------------------------------------------------------------------ checks */

#define REFUSED(graph, batch) \
    assert_int_equal(rnet_check_graph(graph, batch, 1), RNET_BAD_GRAPH)

static void checks(void **state)
{
    struct rnet_graph *graph = &one.graph;

    (void)state;
    assert_int_equal(rnet_check_graph(NULL, 0, 0), RNET_NULL);
    make_graph(&one, 50, 1);
    assert_int_equal(rnet_check_graph(graph, 50, 1), RNET_OK);
    REFUSED(graph, 49);
    REFUSED(graph, 51);
    graph->nodes = -1;
    REFUSED(graph, (size_t)-1);
    graph->nodes = 50;
    graph->offsets = NULL;
    assert_int_equal(rnet_check_graph(graph, 50, 1), RNET_NULL);
    graph->offsets = one.offsets;
    graph->neighbours = NULL;
    assert_int_equal(rnet_check_graph(graph, 50, 1), RNET_NULL);
    graph->neighbours = one.neighbours;
    for (long i = 0; i <= 50; i++) {
        int64_t kept = one.offsets[i];

        one.offsets[i] = i ? one.offsets[i - 1] - 1 : 1;
        REFUSED(graph, 50);
        one.offsets[i] = kept;
    }
    for (long e = 0; e < one.offsets[50]; e += 7) {
        int32_t kept = one.neighbours[e];

        one.neighbours[e] = 50;
        REFUSED(graph, 50);
        one.neighbours[e] = -1;
        REFUSED(graph, 50);
        one.neighbours[e] = kept;
    }
    assert_int_equal(rnet_check_graph(graph, 50, 1), RNET_OK);
}

/* A transposed graph that is not: an edge less, other weights, the graph
 * itself where it is directed.  Inference does not look at it. */
static void transposed(void **state)
{
    struct rnet_graph *graph = &one.graph;

    (void)state;
    for (int weighted = 0; weighted < 2; weighted++) {
        make_graph(&one, 50, weighted);
        graph->transposed = graph;
        REFUSED(graph, 50);
        assert_int_equal(rnet_check_graph(graph, 50, 0), RNET_OK);
        assert_int_equal(rnet_graph_transpose(graph, &two.graph, two.offsets,
                                              two.neighbours, two.weights),
                         RNET_OK);
        assert_ptr_equal(graph->transposed, &two.graph);
        assert_ptr_equal(two.graph.transposed, graph);
        assert_int_equal(rnet_check_graph(graph, 50, 1), RNET_OK);
        assert_int_equal(rnet_check_graph(&two.graph, 50, 1), RNET_OK);
        two.neighbours[20] = (two.neighbours[20] + 1) % 50;
        REFUSED(graph, 50);
        two.neighbours[20] = (two.neighbours[20] + 49) % 50;
        two.weights[30] += 1;
        assert_int_equal(rnet_check_graph(graph, 50, 1),
                         weighted ? RNET_BAD_GRAPH : RNET_OK);
        two.weights[30] -= 1;
        two.graph.nodes = 49;
        REFUSED(graph, 50);
        two.graph.nodes = 50;
        two.offsets[50]--;
        REFUSED(graph, 50);
        assert_int_equal(rnet_check_graph(graph, 50, 0), RNET_OK);
    }
}

/* A ring is its own transposed. */
static void undirected(void **state)
{
    struct rnet_graph *graph = &one.graph;

    (void)state;
    for (long i = 0; i <= 50; i++)
        one.offsets[i] = 2 * i;
    for (long i = 0; i < 50; i++) {
        one.neighbours[2 * i] = (int32_t)((i + 1) % 50);
        one.neighbours[2 * i + 1] = (int32_t)((i + 49) % 50);
    }
    *graph = (struct rnet_graph) { 50, one.offsets, one.neighbours, NULL,
                                   graph };
    assert_int_equal(rnet_check_graph(graph, 50, 1), RNET_OK);
    assert_int_equal(rnet_graph_transpose(NULL, &two.graph, two.offsets,
                                          two.neighbours, NULL), RNET_NULL);
    assert_int_equal(rnet_graph_transpose(graph, &two.graph, two.offsets, NULL,
                                          NULL), RNET_NULL);
    one.neighbours[3] = 51;
    assert_int_equal(rnet_graph_transpose(graph, &two.graph, two.offsets,
                                          two.neighbours, NULL),
                     RNET_BAD_GRAPH);
}

/* Every array that is needed, sizes past an index's, a transposed graph whose
 * offsets descend; without edges no array of them is needed. */
static void arguments(void **state)
{
    struct rnet_graph *graph = &one.graph;
    const int64_t none[3] = { 0 };
    int64_t offsets[3];
    struct rnet_graph empty = { .nodes = 2, .offsets = none }, other;

    (void)state;
    make_graph(&one, 50, 1);
    assert_int_equal(rnet_graph_transpose(graph, NULL, two.offsets,
                                          two.neighbours, two.weights),
                     RNET_NULL);
    assert_int_equal(rnet_graph_transpose(graph, &two.graph, NULL,
                                          two.neighbours, two.weights),
                     RNET_NULL);
    assert_int_equal(rnet_graph_transpose(graph, &two.graph, two.offsets,
                                          two.neighbours, NULL), RNET_NULL);
    assert_int_equal(rnet_graph_transpose(graph, &two.graph, two.offsets,
                                          two.neighbours, two.weights),
                     RNET_OK);
    two.offsets[1] = -1;
    REFUSED(graph, 50);
    graph->nodes = INT32_MAX + 1L;
    REFUSED(graph, INT32_MAX + 1ul);
    assert_int_equal(rnet_graph_transpose(&empty, &other, offsets, NULL, NULL),
                     RNET_OK);
    assert_int_equal(rnet_check_graph(&empty, 2, 1), RNET_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aggregates),
        cmocka_unit_test(without_edges),
        cmocka_unit_test(odd_degrees),
        cmocka_unit_test(tails),
        cmocka_unit_test(orders),
        cmocka_unit_test(checks),
        cmocka_unit_test(transposed),
        cmocka_unit_test(undirected),
        cmocka_unit_test(arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
