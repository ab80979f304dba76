/* mixes.c: trials of mixes of blocks, of the Sinkhorn projection, of sines and
 * of graphs. */
#include <string.h>

#include "trial.h"

/* ------------------------------------------------------- mixes of blocks */

/* A value in the rows' layout, or one set of floats for all rows. */
static struct value value_or_one(struct trial *t, struct shape shape, int one)
{
    if (!one)
        return given(t, shape, -2, 2);
    return (struct value) { .shape = plain(1, 1, shape.features),
                            .p = params(t, shape.features, -2, 2) };
}

static double element(const struct value *v, long row, long feature)
{
    return *at(v, v->stride ? row : 0, feature);
}

/* layout, rows, from, to, features of a block */
static struct shape wide(struct trial *t, const int *d, long features)
{
    t->run.batch = d[1];
    return (struct shape) { (enum rnet_layout)d[0], d[1], 1, features };
}

static void mix_either(struct trial *t, const int *d, int transposed)
{
    long from = d[2], to = d[3], n = d[4];
    int one = pick(t, 3);       /* 1: x is one for all, 2: w */
    struct shape shape = wide(t, d, to * n);
    struct value x = value_or_one(t, wide(t, d, from * n), one == 1);
    struct value w = value_or_one(t, wide(t, d, from * to), one == 2);
    struct rnet_steps steps = tail(t, shape);
    double *acc = accumulator(t, shape);

    if (!t->book) {
        (transposed ? rnet_mix_transposed : rnet_mix)(
            &t->run, rows_of(shape), from, to, n, x.p, x.stride, w.p, w.stride,
            steps);
        return;
    }
    for (long r = 0; r < d[1]; r++)
        for (long j = 0; j < to; j++)
            for (long i = 0; i < from; i++)
                for (long f = 0; f < n; f++)
                    acc[r * to * n + j * n + f] +=
                        element(&w, r, transposed ? j * from + i : i * to + j)
                        * element(&x, r, i * n + f);
    book_steps(t, steps, acc);
}

static void mix(struct trial *t, const int *d)
{
    mix_either(t, d, 0);
}

static void mix_transposed(struct trial *t, const int *d)
{
    mix_either(t, d, 1);
}

static void dots(struct trial *t, const int *d)
{
    long from = d[2], to = d[3], n = d[4];
    struct shape shape = wide(t, d, from * to);
    struct value x = given(t, wide(t, d, from * n), -2, 2);
    struct value y = value_or_one(t, wide(t, d, to * n), pick(t, 2));
    struct rnet_steps steps = tail(t, shape);
    double *acc = accumulator(t, shape);

    if (!t->book) {
        rnet_dots(&t->run, rows_of(shape), from, to, n, x.p, x.stride, y.p,
                  y.stride, steps);
        return;
    }
    for (long r = 0; r < d[1]; r++)
        for (long i = 0; i < from; i++)
            for (long j = 0; j < to; j++)
                for (long f = 0; f < n; f++)
                    acc[(r * from + i) * to + j] +=
                        element(&x, r, i * n + f) * element(&y, r, j * n + f);
    book_steps(t, steps, acc);
}

/* ----------------------------------------------------------------- Sinkhorn */

#define MOST (2 * RNET_SINKHORN_ITERATIONS)
#define SIDE RNET_SINKHORN_LARGEST

/* m, before each division, and what it is divided by. */
struct sinkhorn { double m[MOST + 1][SIDE][SIDE], sums[MOST][SIDE]; };

static void project(struct sinkhorn *s, int n, int halves,
                    const struct value *x, long row)
{
    for (int i = 0; i < n * n; i++)
        s->m[0][i / n][i % n] = exp(*at(x, row, i));
    for (int h = 0; h < halves; h++) {
        for (int line = 0; line < n; line++) {
            s->sums[h][line] = 0;
            for (int k = 0; k < n; k++)
                s->sums[h][line] += h % 2 ? s->m[h][line][k]
                                          : s->m[h][k][line];
        }
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                s->m[h + 1][i][j] = s->m[h][i][j]
                                    / s->sums[h][h % 2 ? i : j];
    }
}

/* y = x / sum x: dx = (dy - sum dy y) / sum x */
static void project_grad(const struct sinkhorn *s, int n, int halves,
                         double dy[SIDE][SIDE])
{
    for (int h = halves - 1; h >= 0; h--)
        for (int line = 0; line < n; line++) {
            double product = 0;

            for (int k = 0; k < n; k++)
                product += h % 2 ? dy[line][k] * s->m[h + 1][line][k]
                                 : dy[k][line] * s->m[h + 1][k][line];
            for (int k = 0; k < n; k++) {
                double *d = h % 2 ? &dy[line][k] : &dy[k][line];

                *d = (*d - product) / s->sums[h][line];
            }
        }
}

/* layout, rows, n, iterations */
static void sinkhorn(struct trial *t, const int *d)
{
    int n = d[2];
    struct shape shape = wide(t, d, n * n);
    struct value x = given(t, shape, -2, 2);
    struct rnet_steps steps = tail(t, shape);
    double *acc = accumulator(t, shape);
    struct sinkhorn s;

    if (!t->book) {
        rnet_sinkhorn(&t->run, rows_of(shape), n, d[3], x.p, x.stride, steps);
        return;
    }
    for (long r = 0; r < d[1]; r++) {
        project(&s, n, 2 * d[3], &x, r);
        for (int i = 0; i < n * n; i++)
            acc[r * n * n + i] = s.m[2 * d[3]][i / n][i % n];
    }
    book_steps(t, steps, acc);
}

static void sinkhorn_grad(struct trial *t, const int *d)
{
    int n = d[2];
    struct shape shape = wide(t, d, n * n);
    struct value x = given(t, shape, -2, 2), dy = given(t, shape, -2, 2);
    struct rnet_steps steps = tail(t, shape);
    double *acc = accumulator(t, shape), g[SIDE][SIDE];
    struct sinkhorn s;

    if (!t->book) {
        rnet_sinkhorn_grad(&t->run, rows_of(shape), n, d[3], x.p, x.stride,
                           dy.p, dy.stride, steps);
        return;
    }
    for (long r = 0; r < d[1]; r++) {
        project(&s, n, 2 * d[3], &x, r);
        for (int i = 0; i < n * n; i++)
            g[i / n][i % n] = *at(&dy, r, i);
        project_grad(&s, n, 2 * d[3], g);
        for (int i = 0; i < n * n; i++)
            acc[r * n * n + i] = g[i / n][i % n] * s.m[0][i / n][i % n];
    }
    book_steps(t, steps, acc);
}

/* -------------------------------------------------------------------- sines */

#define BASE 10000.0

/* layout, samples, rows of a sample, heads, half a head, neighbours */
static void rope_either(struct trial *t, const int *d, int back)
{
    long head = 2L * d[4], features = head * d[3], half = d[4];
    struct shape shape = { (enum rnet_layout)d[0], (long)d[1] * d[2], d[2],
                           features };
    struct value x = given(t, shape, -3, 3);
    struct rnet_steps steps;
    double *acc = accumulator(t, shape);

    t->run.batch = d[1];
    steps = tail(t, shape);
    if (!t->book) {
        (back ? rnet_rope_grad : rnet_rope)(
            &t->run, rows_of(shape), features, head,
            d[5] ? RNET_NEIGHBOURS : RNET_HALVES, BASE, x.p, x.stride, steps);
        return;
    }
    for (long r = 0; r < shape.rows; r++)
        for (long p = 0; p < features / 2; p++) {
            long i = p % half, first = p / half * head + (d[5] ? 2 * i : i);
            long second = first + (d[5] ? 1 : half);
            double angle = (double)(r % d[2])
                           * pow(BASE, -2.0 * (double)i / (double)head)
                           * (back ? -1 : 1);
            double a = *at(&x, r, first), b = *at(&x, r, second);

            acc[r * features + first] = a * cos(angle) - b * sin(angle);
            acc[r * features + second] = b * cos(angle) + a * sin(angle);
        }
    book_steps(t, steps, acc);
}

static void rope(struct trial *t, const int *d)
{
    rope_either(t, d, 0);
}

static void rope_grad(struct trial *t, const int *d)
{
    rope_either(t, d, 1);
}

/* layout, samples, rows of a sample, features */
static void sine_positions(struct trial *t, const int *d)
{
    struct shape shape = { (enum rnet_layout)d[0], (long)d[1] * d[2], d[2],
                           d[3] };
    struct rnet_steps steps;
    double *acc = accumulator(t, shape);

    t->run.batch = d[1];
    steps = tail(t, shape);
    if (!t->book) {
        rnet_sine_positions(&t->run, rows_of(shape), d[3], BASE, steps);
        return;
    }
    for (long r = 0; r < shape.rows; r++)
        for (long f = 0; f < d[3]; f++) {
            double angle = (double)(r % d[2])
                           * pow(BASE, -2.0 * (double)(f / 2) / d[3]);

            acc[r * d[3] + f] = f % 2 ? cos(angle) : sin(angle);
        }
    book_steps(t, steps, acc);
}

static double rate(long i, long half, long shift)
{
    return pow(BASE, -(double)i / (double)(half - shift));
}

/* layout, rows, half the features, shift */
static void sine_features(struct trial *t, const int *d)
{
    long half = d[2] + 1, n = 2 * half;
    struct shape shape = wide(t, d, n);
    struct value x = given(t, wide(t, d, 1), -30, 30);
    struct rnet_steps steps = tail(t, shape);
    double *acc = accumulator(t, shape);

    if (!t->book) {
        rnet_sine_features(&t->run, rows_of(shape), n, BASE, d[3], x.p,
                           x.stride, steps);
        return;
    }
    for (long r = 0; r < d[1]; r++)
        for (long i = 0; i < half; i++) {
            double angle = *at(&x, r, 0) * rate(i, half, d[3]);

            acc[r * n + i] = sin(angle);
            acc[r * n + half + i] = cos(angle);
        }
    book_steps(t, steps, acc);
}

static void sine_features_grad(struct trial *t, const int *d)
{
    long half = d[2] + 1, n = 2 * half;
    struct shape shape = wide(t, d, 1);
    struct value dy = given(t, wide(t, d, n), -2, 2);
    struct value y = given(t, wide(t, d, n), -1, 1);
    struct rnet_steps steps = tail(t, shape);
    double *acc = accumulator(t, shape);

    if (!t->book) {
        rnet_sine_features_grad(&t->run, rows_of(shape), n, BASE, d[3], dy.p,
                                dy.stride, y.p, y.stride, steps);
        return;
    }
    for (long r = 0; r < d[1]; r++)
        for (long i = 0; i < half; i++)
            acc[r] += rate(i, half, d[3])
                      * (*at(&dy, r, i) * *at(&y, r, half + i)
                         - *at(&dy, r, half + i) * *at(&y, r, i));
    book_steps(t, steps, acc);
}

/* ------------------------------------------------------------------- graphs */

/* Some nodes without neighbours, some with many; loops and doubled edges. */
static struct rnet_graph *graph_of(struct trial *t, long nodes, int weighted)
{
    struct rnet_graph *graph = room(t, 2 * (long)sizeof *graph, 64);
    int64_t *offsets = room(t, 2 * (nodes + 1), 8);

    memset(graph, 0, 2 * sizeof *graph);
    offsets[0] = 0;
    for (long i = 0; i < nodes; i++)
        offsets[i + 1] = offsets[i] + (pick(t, 3) ? pick(t, 7) : 0);
    graph->nodes = nodes;
    graph->offsets = offsets;
    graph->neighbours = indices(t, (long)offsets[nodes], 0, (int)nodes - 1);
    if (weighted)
        graph->weights = caller(t, (long)offsets[nodes], 0, 2);
    return graph;
}

static double weight(const struct rnet_graph *graph, int64_t e)
{
    return graph->weights ? graph->weights[e] : 1;
}

static double degree(const struct rnet_graph *graph, long node)
{
    double sum = 0;

    for (int64_t e = graph->offsets[node]; e < graph->offsets[node + 1]; e++)
        sum += weight(graph, e);
    return sum;
}

/* a_ij of an edge; a node's own is edge -1 */
static double share(const struct rnet_graph *graph, enum rnet_aggregate kind,
                    long i, long j, double w)
{
    if (kind == RNET_AGGREGATE_SUM)
        return w;
    if (kind == RNET_AGGREGATE_MEAN)
        return degree(graph, i) == 0 ? 0 : w / degree(graph, i);
    return w / sqrt((degree(graph, i) + 1) * (degree(graph, j) + 1));
}

static void spread(const struct rnet_graph *graph, enum rnet_aggregate kind,
                   long n, const struct value *x, int back, double *acc)
{
    for (long i = 0; i < graph->nodes; i++)
        for (int64_t e = graph->offsets[i]; e <= graph->offsets[i + 1]; e++) {
            int self = e == graph->offsets[i + 1];
            long j = self ? i : graph->neighbours[e];
            double a = self ? 1 : weight(graph, e);

            if (self && kind != RNET_AGGREGATE_SYMMETRIC)
                continue;
            a = share(graph, kind, i, j, a);
            for (long f = 0; f < n; f++)
                acc[(back ? j : i) * n + f] += a * *at(x, back ? i : j, f);
        }
}

static float *scratch_of(struct trial *t, long count)
{
    scratch(t, (size_t)count, RNET_WORKER_FLOATS);
    return t->run.scratch;
}

/* nodes, features, kind, weights */
static void aggregate(struct trial *t, const int *d)
{
    struct rnet_graph *graph = graph_of(t, d[0], d[3]);
    struct value x = given(t, plain(d[0], 1, d[1]), -2, 2);
    struct shape to = strips(d[0], 1, d[1]);
    struct rnet_steps steps;
    double *acc = accumulator(t, to);

    t->run.batch = d[0];
    steps = tail(t, to);
    if (!t->book) {
        rnet_aggregate(&t->run, graph, d[1], (enum rnet_aggregate)d[2], x.p,
                       x.stride, scratch_of(t, d[0]), steps);
        return;
    }
    spread(graph, (enum rnet_aggregate)d[2], d[1], &x, 0, acc);
    book_steps(t, steps, acc);
}

/* ... with or without the transposed graph */
static void aggregate_grad(struct trial *t, const int *d)
{
    struct rnet_graph *graph = graph_of(t, d[0], d[3]);
    struct value dy = given(t, plain(d[0], 1, d[1]), -2, 2);
    struct shape to = strips(d[0], 1, d[1]);
    long edges = (long)graph->offsets[d[0]];
    int64_t *offsets = room(t, 2 * (d[0] + 1L), 8);
    int32_t *neighbours = indices(t, edges, 0, 0);
    float *weights = room(t, edges, 4);
    struct rnet_steps steps;
    double *acc = accumulator(t, to);

    t->run.batch = d[0];
    steps = tail(t, to);
    if (pick(t, 2))
        rnet_graph_transpose(graph, graph + 1, offsets, neighbours, weights);
    if (!t->book) {
        rnet_aggregate_grad(&t->run, graph, d[1], (enum rnet_aggregate)d[2],
                            dy.p, dy.stride,
                            scratch_of(t, d[0] * ((d[1] + 15L) / 16 * 16 + 1)),
                            steps);
        return;
    }
    spread(graph, (enum rnet_aggregate)d[2], d[1], &dy, 1, acc);
    book_steps(t, steps, acc);
}

static const int rows[] = { 0, 1, 2, 31, 32, 33, 65, -1 };
static const int blocks[] = { 1, 2, 3, 4, 5, 8, -1 };
static const int sides[] = { 1, 2, 3, 4, 5, 6, 7, 8, -1 };
static const int iterations[] = { 1, 2, 20, RNET_SINKHORN_ITERATIONS, -1 };
static const int samples[] = { 0, 1, 3, -1 };
static const int lengths[] = { 1, 2, 31, 32, 33, 40, -1 };
static const int heads[] = { 1, 2, 3, -1 };
static const int evens[] = { 2, 4, 6, 14, 16, 18, 30, 32, 34, 62, 64, 66, 98,
                             -1 };
static const int nodes[] = { 1, 2, 31, 32, 33, 64, 97, -1 };
static const int kinds[] = { 0, 1, 2, -1 };

const struct kernel mix_kernels[] = {
    { "rnet_mix", mix, 1, 0, { layouts, rows, blocks, blocks, around },
      { { RNET_PLAIN, 34, 2, 3, 7 }, { RNET_STRIPS, 34, 3, 2, 16 } } },
    { "rnet_mix_transposed", mix_transposed, 1, 0,
      { layouts, rows, blocks, blocks, around },
      { { RNET_PLAIN, 34, 2, 3, 7 }, { RNET_STRIPS, 34, 3, 2, 16 } } },
    { "rnet_dots", dots, 1, 0, { layouts, rows, blocks, blocks, around },
      { { RNET_PLAIN, 34, 2, 3, 7 }, { RNET_STRIPS, 34, 3, 2, 16 } } },
    { "rnet_sinkhorn", sinkhorn, 1, 1e-5, { layouts, rows, sides, iterations },
      { { RNET_PLAIN, 34, 3, 4 }, { RNET_STRIPS, 34, 4, 4 } } },
    { "rnet_sinkhorn_grad", sinkhorn_grad, 1, 5e-5,
      { layouts, rows, sides, iterations },
      { { RNET_PLAIN, 34, 3, 4 }, { RNET_STRIPS, 34, 4, 4 } } },
    { "rnet_rope", rope, 1, 1e-5,
      { layouts, samples, lengths, heads, around, bits },
      { { RNET_PLAIN, 2, 17, 3, 3, 0 }, { RNET_STRIPS, 2, 17, 2, 8, 1 } } },
    { "rnet_rope_grad", rope_grad, 1, 1e-5,
      { layouts, samples, lengths, heads, around, bits },
      { { RNET_PLAIN, 2, 17, 3, 3, 0 }, { RNET_STRIPS, 2, 17, 2, 8, 1 } } },
    { "rnet_sine_positions", sine_positions, 1, 1e-5,
      { layouts, samples, lengths, evens },
      { { RNET_PLAIN, 2, 17, 18 }, { RNET_STRIPS, 2, 17, 32 } } },
    { "rnet_sine_features", sine_features, 1, 1e-5,
      { layouts, rows, around, bits },
      { { RNET_PLAIN, 34, 10, 0 }, { RNET_STRIPS, 34, 15, 1 } } },
    { "rnet_sine_features_grad", sine_features_grad, 1, 1e-5,
      { layouts, rows, around, bits },
      { { RNET_PLAIN, 34, 10, 0 }, { RNET_STRIPS, 34, 15, 1 } } },
    { "rnet_aggregate", aggregate, 1, 1e-5, { nodes, around, kinds, bits },
      { { 34, 21, 0, 1 }, { 64, 32, 2, 0 } } },
    { "rnet_aggregate_grad", aggregate_grad, 1, 1e-5,
      { nodes, around, kinds, bits },
      { { 34, 21, 0, 1 }, { 64, 32, 2, 0 } } },
    { NULL, NULL, 0, 0, { NULL }, { { 0 } } },
};
