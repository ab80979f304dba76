/* test_recurrent.c: LSTM and GRU on each instruction set against loops in
 * double, written from the formulas; gradients against differences of these
 * loops; kernels against their twins, element by element. */
#include <math.h>

#include "maps.h"

/* -1 ... 1 */
static double fraction(void)
{
    return (double)random_word() / 1073741824.0 - 1;
}

/* ------------------------------------------------------------- the layer */

/* Inputs, as loops want them and as kernels do.  A value lies in a slice of a
 * wider one, NaN beside it and past its last row. */
struct layer {
    int gru;
    struct { long steps, hidden; int reverse; } shape;
    long batch, rows, outs;
    double *gates, *w, *b, *dy;
    long gates_stride, y_stride;
    struct guarded gates_strips, panels, bias, dy_strips;
};

static long strips(long rows) { return (rows + 31) / 32; }

static long at(long row, long feature, long stride)
{
    return (row / 32 * stride + feature) * 32 + row % 32;
}

/* Floats drawn at random, held as doubles. */
static double *numbers(long count, double size)
{
    double *p = calloc((size_t)count, sizeof *p);

    assert_non_null(p);
    for (long i = 0; i < count; i++)
        p[i] = (float)(size * fraction());
    return p;
}

static struct guarded in_strips(const double *plain, long rows, long features,
                                long stride)
{
    struct guarded g = guarded((size_t)(strips(rows) * stride * 32));

    for (long r = 0; r < rows; r++)
        for (long f = 0; f < features; f++)
            g.p[at(r, f, stride)] = (float)plain[r * features + f];
    return g;
}

static struct guarded in_panels(const double *w, long outs, long in)
{
    struct guarded g = guarded((size_t)(strips(in) * outs * 32));

    memset(g.p, 0, g.count * sizeof *g.p);
    for (long o = 0; o < outs; o++)
        for (long i = 0; i < in; i++)
            g.p[at(i, o, outs)] = (float)w[o * in + i];
    return g;
}

static struct layer make(int gru, long batch, long steps, long hidden,
                         int reverse)
{
    struct layer l = { .gru = gru, .batch = batch, .rows = batch * steps,
                       .outs = (gru ? 3 : 4) * hidden,
                       .shape = { steps, hidden, reverse } };

    l.gates_stride = l.outs + 3;
    l.y_stride = hidden + 2;
    l.gates = numbers(l.rows * l.outs, 2);
    l.w = numbers(l.outs * hidden, 2 / sqrt((double)hidden));
    l.b = numbers(l.outs, 0.5);
    l.dy = numbers(l.rows * hidden, 1);
    l.gates_strips = in_strips(l.gates, l.rows, l.outs, l.gates_stride);
    l.dy_strips = in_strips(l.dy, l.rows, hidden, l.y_stride);
    l.panels = in_panels(l.w, l.outs, hidden);
    l.bias = guarded((size_t)l.outs);
    for (long o = 0; o < l.outs; o++)
        l.bias.p[o] = (float)l.b[o];
    return l;
}

static void drop(struct layer *l)
{
    free(l->gates);
    free(l->w);
    free(l->b);
    free(l->dy);
    release(&l->gates_strips);
    release(&l->dy_strips);
    release(&l->panels);
    release(&l->bias);
}

/* --------------------------------------------------------- textbook loops */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* p[o] = w[o] . h + b[o] */
static void affine(const struct layer *l, const double *h, double *p)
{
    for (long o = 0; o < l->outs; o++) {
        p[o] = l->b[o];
        for (long i = 0; i < l->shape.hidden; i++)
            p[o] += l->w[o * l->shape.hidden + i] * h[i];
    }
}

static void lstm_step(const struct layer *l, const double *x, const double *p,
                      double *h, double *c)
{
    long n = l->shape.hidden;

    for (long k = 0; k < n; k++) {
        double i = sigmoid(x[k] + p[k]), f = sigmoid(x[n + k] + p[n + k]);
        double g = tanh(x[2 * n + k] + p[2 * n + k]);
        double o = sigmoid(x[3 * n + k] + p[3 * n + k]);

        c[k] = f * c[k] + i * g;
        h[k] = o * tanh(c[k]);
    }
}

static void gru_step(const struct layer *l, const double *x, const double *p,
                     double *h)
{
    long n = l->shape.hidden;

    for (long k = 0; k < n; k++) {
        double r = sigmoid(x[k] + p[k]), z = sigmoid(x[n + k] + p[n + k]);
        double new = tanh(x[2 * n + k] + r * p[2 * n + k]);

        h[k] = (1 - z) * new + z * h[k];
    }
}

/* y (rows, hidden) of one sample; returns sum y dy. */
static double textbook_sample(const struct layer *l, long sample, double *y)
{
    long n = l->shape.hidden, steps = l->shape.steps;
    double *h = calloc((size_t)(2 * n + l->outs), sizeof *h), *c = h + n;
    double sum = 0;

    assert_non_null(h);
    for (long k = 0; k < steps; k++) {
        long row = sample * steps + (l->shape.reverse ? steps - 1 - k : k);

        affine(l, h, c + n);
        if (l->gru)
            gru_step(l, l->gates + row * l->outs, c + n, h);
        else
            lstm_step(l, l->gates + row * l->outs, c + n, h, c);
        for (long i = 0; i < n; i++) {
            sum += h[i] * l->dy[row * n + i];
            if (y)
                y[row * n + i] = h[i];
        }
    }
    free(h);
    return sum;
}

/* ∂(sum y dy)/∂*p by differences, over samples [first, last) */
static double slope(const struct layer *l, double *p, long first, long last)
{
    const double step = 1e-5, old = *p;
    double sum = 0;

    for (int side = -1; side <= 1; side += 2) {
        *p = old + side * step;
        for (long sample = first; sample < last; sample++)
            sum += side * textbook_sample(l, sample, NULL);
    }
    *p = old;
    return sum / (2 * step);
}

/* ------------------------------------------------------------------ calls */

/* What a call leaves behind. */
struct result { struct guarded y, dgates, dw, db; };

static struct guarded ones(size_t count)
{
    struct guarded g = guarded(count);

    for (size_t i = 0; i < count; i++)
        g.p[i] = 1;
    return g;
}

static struct result call(const struct layer *l, enum rnet_isa isa,
                          int threads, int biased)
{
    long n = l->shape.hidden, steps = l->shape.steps;
    struct bench_run b = open_run(threads, l->batch, 16, RNET_WORKER_FLOATS);
    struct result to = {
        guarded((size_t)(strips(l->rows) * l->y_stride * 32)),
        guarded((size_t)(strips(l->rows) * l->gates_stride * 32)),
        ones(l->panels.count), ones((size_t)l->outs)
    };
    struct guarded saved =
        guarded(l->gru ? RNET_GRU_FLOATS(l->batch, steps, n)
                       : RNET_LSTM_FLOATS(l->batch, steps, n));
    struct guarded scratch =
        guarded(l->gru ? RNET_GRU_SCRATCH_FLOATS(l->batch, steps, n)
                       : RNET_LSTM_SCRATCH_FLOATS(l->batch, steps, n));

    chosen = isa;
    b.run.work = &b.work;
    (l->gru ? rnet_gru : rnet_lstm)
        (&b.run, l->batch, steps, n, l->shape.reverse, to.y.p, l->y_stride,
         saved.p, l->gates_strips.p, l->gates_stride, l->panels.p,
         biased ? l->bias.p : NULL);
    (l->gru ? rnet_gru_grad : rnet_lstm_grad)
        (&b.run, l->batch, steps, n, l->shape.reverse, to.dgates.p,
         l->gates_stride, to.dw.p, biased ? to.db.p : NULL, l->dy_strips.p,
         l->y_stride, saved.p, l->panels.p, scratch.p);
    release(&saved);
    release(&scratch);
    close_run(&b);
    return to;
}

static void drop_result(struct result *r)
{
    release(&r->y);
    release(&r->dgates);
    release(&r->dw);
    release(&r->db);
}

/* ----------------------------------------------------------- comparisons */

static void near(const struct layer *l, const char *what, long i, double got,
                 double truth, double limit)
{
    if (!(fabs(got - truth) <= limit * (1 + fabs(truth))))
        fail_msg("%s, %s, batch %ld, %ld steps, hidden %ld, reverse %d: "
                 "%s[%ld] is %.9g, not %.9g", isa_names[chosen],
                 l->gru ? "gru" : "lstm", l->batch, l->shape.steps,
                 l->shape.hidden, l->shape.reverse, what, i, got, truth);
}

/* Elements are near `truth`, or there is none; beside them all is NaN. */
static void check_value(const struct layer *l, const char *what,
                        const struct guarded *got, long features, long stride,
                        const double *truth)
{
    for (long r = 0; r < l->rows; r++)
        for (long f = 0; f < stride; f++) {
            float x = got->p[at(r, f, stride)];

            if (f < features && truth)
                near(l, what, r * features + f, x, truth[r * features + f],
                     2e-6);
            assert_true(isnan(x) == (f >= features));
        }
}

/* Gradients of `count` scalars drawn at random. */
static void check_slopes(struct layer *l, const struct result *r, int count)
{
    long n = l->shape.hidden;

    for (int k = 0; k < count; k++) {
        long row = pick((int)l->rows), o = pick((int)l->outs);
        long i = pick((int)n), sample = row / l->shape.steps;

        near(l, "dgates", row * l->outs + o,
             r->dgates.p[at(row, o, l->gates_stride)],
             slope(l, l->gates + row * l->outs + o, sample, sample + 1), 1e-5);
        near(l, "dw", o * n + i, r->dw.p[at(i, o, l->outs)] - 1,
             slope(l, l->w + o * n + i, 0, l->batch), 2e-5);
        near(l, "db", o, r->db.p[o] - 1, slope(l, l->b + o, 0, l->batch),
             2e-5);
    }
}

static void same_as_twin(const struct layer *l, const char *what,
                         const struct guarded *got, const struct guarded *twin)
{
    for (size_t i = 0; i < twin->count; i++) {
        if (isnan(got->p[i]) && isnan(twin->p[i]))
            continue;
        near(l, what, (long)i, got->p[i], twin->p[i], 1e-5);
    }
}

static void check(struct layer l, int slopes)
{
    double *y = calloc((size_t)(l.rows * l.shape.hidden), sizeof *y);
    struct result twin = call(&l, RNET_ISA_SCALAR, 1, 1);

    for (long sample = 0; sample < l.batch; sample++)
        textbook_sample(&l, sample, y);
    check_value(&l, "y", &twin.y, l.shape.hidden, l.y_stride, y);
    check_value(&l, "dgates", &twin.dgates, l.outs, l.gates_stride, NULL);
    check_slopes(&l, &twin, slopes);
    for (int isa = RNET_ISA_BASE; isa < RNET_ISAS; isa++) {
        struct result r;

        if (!isa_runs((enum rnet_isa)isa))
            continue;
        r = call(&l, (enum rnet_isa)isa, 1, 1);
        check_value(&l, "y", &r.y, l.shape.hidden, l.y_stride, y);
        same_as_twin(&l, "dgates", &r.dgates, &twin.dgates);
        same_as_twin(&l, "dw", &r.dw, &twin.dw);
        same_as_twin(&l, "db", &r.db, &twin.db);
        drop_result(&r);
    }
    drop_result(&twin);
    free(y);
    drop(&l);
}

/* ------------------------------------------------------------------ tests */

static void small(void **unused)
{
    static const long batches[] = { 1, 2, 4, 5, 16, 31, 32, 33, 65 };
    static const long sizes[] = { 1, 2, 5, 14, 16, 31, 32, 33, 65 };
    static const long times[] = { 1, 2, 3, 7, 31, 32, 33, 40 };
    int turn = 0;

    (void)unused;
    for (int i = 0; i < 9; i++)
        for (int j = 0; j < 9; j++)
            for (int k = 0; k < 2; k++, turn++)
                check(make(turn % 2, batches[i], times[turn * 5 / 2 % 8],
                           sizes[j], turn / 2 % 2), 3);
}

/* Sizes whose steps are cut into parts. */
static void large(void **unused)
{
    (void)unused;
    for (int gru = 0; gru < 2; gru++) {
        check(make(gru, 40, 3, 200, 0), 2);
        check(make(gru, 3, 4, 650, 1), 1);
    }
}

/* Long sequences, many samples. */
static void lengths(void **unused)
{
    (void)unused;
    check(make(0, 1, 2100, 3, 0), 2);
    check(make(1, 1, 2100, 3, 1), 2);
    check(make(0, 1000, 4, 6, 1), 2);
    check(make(1, 1000, 4, 6, 0), 2);
}

static void without_bias(void **unused)
{
    (void)unused;
    for (int gru = 0; gru < 2; gru++)
        for (int isa = 0; isa < RNET_ISAS; isa++) {
            struct layer l = make(gru, 33, 5, 20, 0);
            struct result a, b;

            memset(l.bias.p, 0, l.bias.count * sizeof *l.bias.p);
            if (isa_runs((enum rnet_isa)isa)) {
                a = call(&l, (enum rnet_isa)isa, 1, 1);
                b = call(&l, (enum rnet_isa)isa, 1, 0);
                assert_true(equal(&a.y, &b.y, "y"));
                assert_true(equal(&a.dgates, &b.dgates, "dgates"));
                assert_true(equal(&a.dw, &b.dw, "dw"));
                assert_true(b.db.p[7] == 1);
                drop_result(&a);
                drop_result(&b);
            }
            drop(&l);
        }
}

static void threads(void **unused)
{
    static const long shapes[][3] = { { 100, 5, 40 }, { 40, 3, 200 },
                                      { 3, 2, 700 }, { 700, 3, 70 } };

    (void)unused;
    for (int k = 0; k < 8; k++) {
        const long *s = shapes[k / 2];
        struct layer l = make(k % 2, s[0], s[1], s[2], 0);
        enum rnet_isa isa = RNET_ISA_AVX512;

        while (!isa_runs(isa))
            isa--;
        struct result one = call(&l, isa, 1, 1);
        for (int count = 2; count <= 7; count += count - 1) {
            struct result r = call(&l, isa, count, 1);

            assert_true(equal(&one.y, &r.y, "y"));
            assert_true(equal(&one.dgates, &r.dgates, "dgates"));
            assert_true(equal(&one.dw, &r.dw, "dw"));
            assert_true(equal(&one.db, &r.db, "db"));
            drop_result(&r);
        }
        drop_result(&one);
        drop(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small),   cmocka_unit_test(large),
        cmocka_unit_test(lengths), cmocka_unit_test(without_bias),
        cmocka_unit_test(threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
