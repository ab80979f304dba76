/* test_mix.c: mixes of blocks, dot products and the Sinkhorn projection against
 * textbook loops, for every instruction set and both layouts.  Mixes and dots
 * work on whole numbers: results are exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "values.h"

/* A value, or with `shared` one set of floats for all rows. */
struct input { struct value v; int shared; };

static struct input input(struct rnet_rows rows, long features, int shared)
{
    struct input in = { .shared = shared };

    if (!shared) {
        in.v = value(rows, features, 1);
        return in;
    }
    in.v.array = array(features, 1);
    in.v.p = in.v.array.p;
    return in;
}

static double get(struct rnet_rows rows, const struct input *in, long row,
                  long f)
{
    return in->shared ? in->v.p[f]
                      : in->v.p[place(rows.layout, in->v.stride, row, f)];
}

static long chunk_of(struct rnet_rows rows, long row)
{
    return rows.layout == RNET_STRIPS ? row / 32 : row / rows.rows_per_sample;
}

/* What a call stores, and the sums that ride on it. */
struct output { struct value y; struct array sums; struct rnet_step step[2]; };

static struct output output(struct rnet_rows rows, long features)
{
    struct output out = {
        .y = value(rows, features, 0),
        .sums = array((chunk_of(rows, rows.rows - 1) + 1) * features, 0),
    };

    out.step[0] = (struct rnet_step) { .op = RNET_STORE, .kind = RNET_FULL,
                                       .x = out.y.p, .stride = out.y.stride };
    out.step[1] = (struct rnet_step) { .op = RNET_SUM, .sums = out.sums.p };
    return out;
}

static struct rnet_steps tail(const struct output *out)
{
    return (struct rnet_steps) { out->step, 2 };
}

/* Every element is `truth` (rows, features), and the sums are its. */
static void check(const char *what, int isa, struct rnet_rows rows,
                  long features, struct output *out, const double *truth)
{
    double *sums = calloc((size_t)out->sums.count, sizeof *sums);

    for (long r = 0; r < rows.rows; r++)
        for (long f = 0; f < features; f++) {
            double t = truth[r * features + f];
            double got = out->y.p[place(rows.layout, out->y.stride, r, f)];

            sums[chunk_of(rows, r) * features + f] += t;
            if (got != t)
                fail_msg("%s, %s: %ld rows, layout %d, (%ld, %ld): %g, not %g",
                         names[isa], what, rows.rows, rows.layout, r, f, got,
                         t);
        }
    for (long i = 0; i < out->sums.count; i++)
        assert_true(out->sums.p[i] == sums[i]);
    assert_true(intact(rows, features, &out->y));
    rnet_free(out->y.array.all);
    rnet_free(out->sums.all);
    free(sums);
}

/* -------------------------------------------------------------------- mixes */

struct mix {
    struct rnet_rows rows;
    long from, to, features;
    int shared_x, shared_w;
};

/* y[j] = sum over i of w[i][j] x[i], w's element from its place. */
static double *mixed(const struct mix *m, const struct input *x,
                     const struct input *w, int transposed)
{
    double *y = calloc((size_t)(m->rows.rows * m->to * m->features),
                       sizeof *y);

    for (long r = 0; r < m->rows.rows; r++)
        for (long i = 0; i < m->from; i++)
            for (long j = 0; j < m->to; j++)
                for (long f = 0; f < m->features; f++)
                    y[(r * m->to + j) * m->features + f] +=
                        get(m->rows, w, r, transposed ? j * m->from + i
                                                      : i * m->to + j)
                        * get(m->rows, x, r, i * m->features + f);
    return y;
}

static void check_mix(const struct mix *m, int transposed)
{
    struct input x = input(m->rows, m->from * m->features, m->shared_x);
    struct input w = input(m->rows, m->from * m->to, m->shared_w);
    double *truth = mixed(m, &x, &w, transposed);
    struct rnet_run run = { 0 };

    for (int isa = 0; isa < RNET_ISAS; isa++) {
        struct output out = output(m->rows, m->to * m->features);

        if (!use(isa))
            continue;
        (transposed ? rnet_mix_transposed : rnet_mix)(
            &run, m->rows, m->from, m->to, m->features, x.v.p, x.v.stride,
            w.v.p, w.v.stride, tail(&out));
        check(transposed ? "transposed mix" : "mix", isa, m->rows,
              m->to * m->features, &out, truth);
    }
    rnet_free(x.v.array.all);
    rnet_free(w.v.array.all);
    free(truth);
}

static double *products(const struct mix *m, const struct input *x,
                        const struct input *y)
{
    double *s = calloc((size_t)(m->rows.rows * m->from * m->to), sizeof *s);

    for (long r = 0; r < m->rows.rows; r++)
        for (long i = 0; i < m->from; i++)
            for (long j = 0; j < m->to; j++)
                for (long f = 0; f < m->features; f++)
                    s[(r * m->from + i) * m->to + j] +=
                        get(m->rows, x, r, i * m->features + f)
                        * get(m->rows, y, r, j * m->features + f);
    return s;
}

static void check_dots(const struct mix *m)
{
    struct input x = input(m->rows, m->from * m->features, 0);
    struct input y = input(m->rows, m->to * m->features, m->shared_w);
    double *truth = products(m, &x, &y);
    struct rnet_run run = { 0 };

    for (int isa = 0; isa < RNET_ISAS; isa++) {
        struct output out = output(m->rows, m->from * m->to);

        if (!use(isa))
            continue;
        rnet_dots(&run, m->rows, m->from, m->to, m->features, x.v.p,
                  x.v.stride, y.v.p, y.v.stride, tail(&out));
        check("dots", isa, m->rows, m->from * m->to, &out, truth);
    }
    rnet_free(x.v.array.all);
    rnet_free(y.v.array.all);
    free(truth);
}

static void mixes(void **state)
{
    static const int blocks[][2] = {
        { 1, 1 }, { 1, 4 }, { 4, 1 }, { 4, 5 }, { 7, 7 }, { 33, 1 },
    };

    (void)state;
    for (int i = 0; i < SIZES; i++)
        for (int j = 0; j < SIZES; j++)
            for (int k = 0; k < 6; k++) {
                struct mix m = {
                    .rows = { k & 1 ? RNET_STRIPS : RNET_PLAIN,
                              i == SIZES - 1 ? 1000 : sizes[i], 1 },
                    .from = blocks[(i + j + k) % 6][0],
                    .to = blocks[(i + j + k) % 6][1], .features = sizes[j],
                    .shared_w = k / 2 == 1, .shared_x = k / 2 == 2,
                };

                if (m.rows.rows * m.features * m.from > 400000)
                    continue;
                check_mix(&m, 0);
                check_mix(&m, 1);
                check_dots(&m);
            }
}

/* More products than one tile holds, and chunks that are samples. */
static void many_products(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        struct mix m = { .rows = { k & 1 ? RNET_STRIPS : RNET_PLAIN, 90, 45 },
                         .from = 19, .to = 17, .features = 6,
                         .shared_w = k / 2 };

        check_mix(&m, 0);
        check_mix(&m, 1);
        check_dots(&m);
    }
}

/* ----------------------------------------------------------------- Sinkhorn */

static double fraction(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (double)(int32_t)random_state / 2147483648.0;
}

/* The projection of the n x n matrix e^x. */
static void project(const double *x, int n, int iterations, double *m)
{
    for (int i = 0; i < n * n; i++)
        m[i] = exp(x[i]);
    for (int turn = 0; turn < iterations; turn++) {
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int i = 0; i < n; i++)
                sum += m[i * n + j];
            for (int i = 0; i < n; i++)
                m[i * n + j] /= sum;
        }
        for (int i = 0; i < n; i++) {
            double sum = 0;
            for (int j = 0; j < n; j++)
                sum += m[i * n + j];
            for (int j = 0; j < n; j++)
                m[i * n + j] /= sum;
        }
    }
}

/* <dy, d projection / dx[e]> by differences */
static double slope(double *x, const double *dy, int n, int iterations, int e)
{
    double high[64], low[64], at = x[e], sum = 0;

    x[e] = at + 1e-5;
    project(x, n, iterations, high);
    x[e] = at - 1e-5;
    project(x, n, iterations, low);
    x[e] = at;
    for (int i = 0; i < n * n; i++)
        sum += dy[i] * (high[i] - low[i]) / 2e-5;
    return sum;
}

static void close_to(const char *what, int isa, double got, double truth,
                     double limit)
{
    if (!(fabs(got - truth) <= limit * (1 + fabs(truth))))
        fail_msg("%s, %s: %.9g, not %.9g", names[isa], what, got, truth);
}

static void spread(struct rnet_rows rows, long features,
                   const struct value *v, double reach)
{
    for (long r = 0; r < rows.rows; r++)
        for (long f = 0; f < features; f++)
            v->p[place(rows.layout, v->stride, r, f)] =
                (float)(fraction() * reach);
}

static void check_row(struct rnet_rows rows, long row, int n, int iterations,
                      int isa, struct value v[4])
{
    double x[64], dy[64], m[64];

    for (int e = 0; e < n * n; e++) {
        x[e] = v[0].p[place(rows.layout, v[0].stride, row, e)];
        dy[e] = v[1].p[place(rows.layout, v[1].stride, row, e)];
    }
    project(x, n, iterations, m);
    for (int e = 0; e < n * n; e++) {
        close_to("sinkhorn", isa,
                 v[2].p[place(rows.layout, v[2].stride, row, e)], m[e], 2e-6);
        close_to("its gradient", isa,
                 v[3].p[place(rows.layout, v[3].stride, row, e)],
                 slope(x, dy, n, iterations, e), 5e-6);
    }
}

static void check_sinkhorn(struct rnet_rows rows, int n, int iterations,
                           int isa)
{
    struct value v[4];
    struct rnet_run run = { 0 };
    struct rnet_step step[2];

    for (int k = 0; k < 4; k++)
        v[k] = value(rows, n * n, 0);
    spread(rows, n * n, &v[0], iterations == 20 ? 3 : 6);
    spread(rows, n * n, &v[1], 1);
    for (int k = 0; k < 2; k++)
        step[k] = (struct rnet_step) { .op = RNET_STORE, .kind = RNET_FULL,
                                       .x = v[2 + k].p,
                                       .stride = v[2 + k].stride };
    rnet_sinkhorn(&run, rows, n, iterations, v[0].p, v[0].stride,
                  (struct rnet_steps) { step, 1 });
    rnet_sinkhorn_grad(&run, rows, n, iterations, v[0].p, v[0].stride, v[1].p,
                       v[1].stride, (struct rnet_steps) { step + 1, 1 });
    for (long r = 0; r < rows.rows; r++)
        check_row(rows, r, n, iterations, isa, v);
    assert_true(intact(rows, n * n, &v[2]) && intact(rows, n * n, &v[3]));
    for (int k = 0; k < 4; k++)
        rnet_free(v[k].array.all);
}

static void sinkhorn(void **state)
{
    static const int rows[] = { 1, 3, 31, 32, 33, 70 };
    static const int iterations[] = { 20, 1, 3, RNET_SINKHORN_ITERATIONS };

    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (int i = 0; i < 6 && use(isa); i++)
            for (int n = 1; n <= RNET_SINKHORN_LARGEST; n++)
                for (int layout = 0; layout < 2; layout++)
                    check_sinkhorn((struct rnet_rows) {
                        (enum rnet_layout)layout, rows[i], 1
                    }, n, iterations[(i + n) % 4], isa);
}

/* Rows and columns sum to one; exponents are not too large; what is impossible
 * (-infinity) has weight 0; NaN stays in its row. */
static void odd_matrices(void **state)
{
    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (int layout = 0; layout < 2 && use(isa); layout++) {
            struct rnet_rows rows = { (enum rnet_layout)layout, 4, 1 };
            struct value x = value(rows, 9, 0), y = value(rows, 9, 0);
            struct rnet_step step = { .op = RNET_STORE, .kind = RNET_FULL,
                                      .x = y.p, .stride = y.stride };
            struct rnet_run run = { 0 };
            float *p[4], *q[4];
            long each = layout == RNET_PLAIN ? 1 : 32;

            spread(rows, 9, &x, 2);
            for (long r = 0; r < 4; r++) {
                p[r] = x.p + place(rows.layout, x.stride, r, 0);
                q[r] = y.p + place(rows.layout, y.stride, r, 0);
            }
            for (int f = 0; f < 9; f++)
                p[1][f * each] += f % 3 ? 300 : -300;
            for (int f = 0; f < 3; f++)
                p[2][f * 3 * each] = -INFINITY;
            p[3][4 * each] = NAN;
            rnet_sinkhorn(&run, rows, 3, 20, x.p, x.stride,
                          (struct rnet_steps) { &step, 1 });
            for (long r = 0; r < 2; r++)
                for (int k = 0; k < 3; k++) {
                    close_to("row", isa, (double)q[r][3 * k * each]
                             + (double)q[r][(3 * k + 1) * each]
                             + (double)q[r][(3 * k + 2) * each], 1, 1e-6);
                    close_to("column", isa, (double)q[r][k * each]
                             + (double)q[r][(3 + k) * each]
                             + (double)q[r][(6 + k) * each], 1, 1e-4);
                }
            for (int f = 0; f < 3; f++)
                assert_true(q[2][f * 3 * each] == 0
                            && q[2][(f * 3 + 1) * each] > 0);
            assert_true(isnan(q[3][4 * each]));
            rnet_free(x.array.all);
            rnet_free(y.array.all);
        }
}

/* ---------------------------------------------------------------- all of it */

/* The same bits in any order of tasks. */
static void orders(void **state)
{
    (void)state;
    for (int layout = 0; layout < 2; layout++) {
        struct rnet_rows rows = { (enum rnet_layout)layout, 300, 50 };
        struct input x = input(rows, 80, 0), w = input(rows, 16, 0);
        float first[160];

        spread(rows, 80, &x.v, 1);
        spread(rows, 16, &w.v, 1);
        use(RNET_ISAS - 1);
        for (long i = 0; i < 4; i++) {
            struct rnet_work work = { .parallel_for = play, .user = &i,
                                      .workers = 7 };
            struct rnet_run run = { .work = i ? &work : NULL };
            struct output out = output(rows, 80);

            rnet_mix(&run, rows, 4, 4, 20, x.v.p, x.v.stride, w.v.p,
                     w.v.stride, tail(&out));
            if (i == 0)
                memcpy(first, out.sums.p, sizeof first);
            assert_memory_equal(first, out.sums.p, sizeof first);
            rnet_free(out.y.array.all);
            rnet_free(out.sums.all);
        }
        rnet_free(x.v.array.all);
        rnet_free(w.v.array.all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixes),
        cmocka_unit_test(many_products),
        cmocka_unit_test(sinkhorn),
        cmocka_unit_test(odd_matrices),
        cmocka_unit_test(orders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
