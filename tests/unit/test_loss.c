/* test_loss.c: softmax and the losses against textbook loops in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "values.h"

static struct rnet_rows rows_of(int layout, long rows)
{
    return (struct rnet_rows) { (enum rnet_layout)layout, rows, 1 };
}

/* A value of numbers in (-reach, reach). */
static struct value spread(struct rnet_rows rows, long features, double reach)
{
    struct value v = value(rows, features, 0);

    for (long r = 0; r < rows.rows; r++)
        for (long f = 0; f < features; f++) {
            random_state = random_state * 1664525u + 1013904223u;
            v.p[place(rows.layout, v.stride, r, f)] =
                (float)((int32_t)random_state / 2147483648.0 * reach);
        }
    return v;
}

static double get(struct rnet_rows rows, const struct value *v, long r, long f)
{
    return v->p[place(rows.layout, v->stride, r, f)];
}

static struct rnet_step store(const struct value *y)
{
    return (struct rnet_step) { .op = RNET_STORE, .kind = RNET_FULL,
                                .x = y->p, .stride = y->stride };
}

static void near(const char *what, int isa, double got, double truth,
                 double limit)
{
    if (!(fabs(got - truth) <= limit * (1 + fabs(truth))))
        fail_msg("%s, %s: %.9g, not %.9g", names[isa], what, got, truth);
}

/* log of the sum of e^x over a row */
static double log_sum(struct rnet_rows rows, const struct value *x, long r,
                      long features)
{
    double most = -INFINITY, sum = 0;

    for (long f = 0; f < features; f++)
        most = fmax(most, get(rows, x, r, f));
    for (long f = 0; f < features; f++)
        sum += exp(get(rows, x, r, f) - most);
    return most + log(sum);
}

/* Lanes past the last row of what was stored. */
static void assert_padding_zero(struct rnet_rows rows, long features,
                                const struct value *y)
{
    for (long r = rows.rows; rows.layout == RNET_STRIPS && r % 32; r++)
        for (long f = 0; f < features; f++) {
            float v = y->p[place(rows.layout, y->stride, r, f)];

            assert_true(v == 0 || isnan(v));    /* the twin leaves them */
        }
}

/* ------------------------------------------------------------------- softmax */

static void check_softmax(struct rnet_rows rows, long features, int isa,
                          double reach)
{
    struct value x = spread(rows, features, reach);
    struct value dy = spread(rows, features, 1);
    struct value y = value(rows, features, 0), dx = value(rows, features, 0);
    struct rnet_step step = store(&y), step2 = store(&dx);
    struct rnet_run run = { 0 };

    rnet_softmax(&run, rows, features, x.p, x.stride,
                 (struct rnet_steps) { &step, 1 });
    rnet_softmax_grad(&run, rows, features, y.p, y.stride, dy.p, dy.stride,
                      (struct rnet_steps) { &step2, 1 });
    for (long r = 0; r < rows.rows; r++) {
        double total = log_sum(rows, &x, r, features), dot = 0;

        for (long f = 0; f < features; f++)
            dot += exp(get(rows, &x, r, f) - total) * get(rows, &dy, r, f);
        for (long f = 0; f < features; f++) {
            double t = exp(get(rows, &x, r, f) - total);

            near("softmax", isa, get(rows, &y, r, f), t, 2e-6);
            near("gradient", isa, get(rows, &dx, r, f),
                 t * (get(rows, &dy, r, f) - dot), 3e-6);
        }
    }
    assert_true(intact(rows, features, &y) && intact(rows, features, &dx));
    rnet_free(x.array.all);
    rnet_free(dy.array.all);
    rnet_free(y.array.all);
    rnet_free(dx.array.all);
}

static void softmax(void **state)
{
    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (int i = 0; i < SIZES && use(isa); i++)
            for (int j = 0; j < SIZES; j++)
                for (int layout = 0; layout < 2; layout++)
                    check_softmax(rows_of(layout, sizes[i]), sizes[j], isa,
                                  j % 2 ? 5 : 200);
}

/* -------------------------------------------------------------- cross-entropy */

static void check_cross_entropy(struct rnet_rows rows, long features, int isa,
                                double reach)
{
    struct value x = spread(rows, features, reach);
    struct value dx = value(rows, features, 0);
    struct rnet_step step = store(&dx);
    struct array lines = array((rows.rows + 31) / 32, 0);
    int32_t *label = malloc((size_t)rows.rows * sizeof *label);
    struct rnet_run run = { 0 };
    float loss = 1;
    double truth = 1;

    for (long r = 0; r < rows.rows; r++)
        label[r] = (int32_t)((r * 7 + 3) % features);
    rnet_cross_entropy(&run, rows, features, 0.5f, x.p, x.stride, label,
                       lines.p, &loss, (struct rnet_steps) { &step, 1 });
    for (long r = 0; r < rows.rows; r++) {
        double total = log_sum(rows, &x, r, features);

        truth += 0.5 * (total - get(rows, &x, r, label[r]))
                 / (double)rows.rows;
        for (long f = 0; f < features; f++)
            near("slope of cross-entropy", isa,
                 get(rows, &dx, r, f) * (double)rows.rows,
                 0.5 * (exp(get(rows, &x, r, f) - total) - (f == label[r])),
                 2e-6);
    }
    near("cross-entropy", isa, loss, truth, 3e-7);
    assert_true(intact(rows, features, &dx));
    assert_padding_zero(rows, features, &dx);
    assert_true(isnan(lines.p[lines.count]));
    free(label);
    rnet_free(lines.all);
    rnet_free(x.array.all);
    rnet_free(dx.array.all);
}

static void cross_entropy(void **state)
{
    static const double reach[] = { 1, 20, 1e4 };

    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (int i = 0; i < SIZES && use(isa); i++)
            for (int j = 0; j < SIZES; j++)
                for (int layout = 0; layout < 2; layout++)
                    check_cross_entropy(rows_of(layout, sizes[i]), sizes[j],
                                        isa, reach[(i + j) % 3]);
}

/* Cross-entropy with weights, from the formula in rnet_kernels.h; labels of
 * 100 and more are ignored. */
struct weighted {
    struct rnet_rows rows;
    long features;
    struct rnet_entropy how;
    struct value x, dx;
    struct array classes, weights;
    int32_t *label;
};

static double class_weight(const struct weighted *w, long class)
{
    return w->how.classes ? w->how.classes[class] : 1;
}

static double row_weight(const struct weighted *w, long r)
{
    if (w->how.ignores && w->label[r] == w->how.ignore)
        return 0;
    return w->how.rows ? w->how.rows[r] : 1;
}

static double weighted_count(const struct weighted *w)
{
    double sum = 0;

    for (long r = 0; r < w->rows.rows; r++)
        if (row_weight(w, r) != 0)
            sum += row_weight(w, r) * class_weight(w, w->label[r]);
    return sum;
}

/* The share of class c in row r's loss, of -log q_c */
static double share_of(const struct weighted *w, long r, long c)
{
    double share = w->how.smoothing / (double)w->features;

    if (row_weight(w, r) == 0)
        return 0;
    if (c == w->label[r])
        share += 1 - w->how.smoothing;
    return row_weight(w, r) * class_weight(w, c) * share;
}

/* Compares row r's gradient; returns its loss. */
static double check_row(const struct weighted *w, long r, int isa, double count)
{
    double total = log_sum(w->rows, &w->x, r, w->features), sum = 0, all = 0;

    for (long c = 0; c < w->features; c++) {
        double share = share_of(w, r, c);

        all += share;
        sum += share == 0 ? 0 : share * (total - get(w->rows, &w->x, r, c));
    }
    for (long c = 0; c < w->features; c++) {
        double q = exp(get(w->rows, &w->x, r, c) - total);

        near("slope of weighted cross-entropy", isa,
             get(w->rows, &w->dx, r, c) * count,
             0.5 * (all * q - share_of(w, r, c)), 3e-6);
    }
    return sum;
}

static void check_weighted(struct weighted *w, int isa)
{
    double count = weighted_count(w), truth = 0;
    struct array lines = array((w->rows.rows + 31) / 32, 0);
    struct rnet_step step = store(&w->dx);
    struct rnet_run run = { 0 };
    float loss = 1;

    rnet_weighted_cross_entropy(&run, w->rows, w->features, 0.5f, &w->how,
                                w->x.p, w->x.stride, w->label, lines.p, &loss,
                                (struct rnet_steps) { &step, 1 });
    for (long r = 0; r < w->rows.rows; r++)
        truth += check_row(w, r, isa, count);
    near("weighted cross-entropy", isa, loss,
         1 + (count != 0 ? 0.5 * truth / count : 0), 6e-7);
    assert_true(intact(w->rows, w->features, &w->dx));
    assert_padding_zero(w->rows, w->features, &w->dx);
    assert_true(isnan(lines.p[lines.count]));
    rnet_free(lines.all);
}

/* how: bits of smoothing, classes, rows, ignore one label, all of them. */
static void weigh(struct rnet_rows rows, long features, int how, int isa)
{
    struct weighted w = {
        .rows = rows, .features = features, .x = spread(rows, features, 8),
        .dx = value(rows, features, 0), .classes = array(features, 1),
        .weights = array(rows.rows, 1),
        .label = malloc((size_t)rows.rows * sizeof *w.label)
    };

    for (long c = 0; c < features; c++)
        w.classes.p[c] = fabsf(w.classes.p[c]) / 4;
    for (long r = 0; r < rows.rows; r++) {
        w.weights.p[r] = r % 5 == 2 ? 0 : fabsf(w.weights.p[r]);
        w.label[r] = (int32_t)((r * 7 + 3) % features);
        if ((how & 8 && r % 3 == 1) || how & 16)
            w.label[r] = -100;
    }
    w.how = (struct rnet_entropy) {
        .smoothing = how & 1 ? 0.1f : 0,
        .classes = how & 2 ? w.classes.p : NULL,
        .rows = how & 4 ? w.weights.p : NULL,
        .ignores = how >= 8, .ignore = -100
    };
    check_weighted(&w, isa);
    rnet_free(w.x.array.all);
    rnet_free(w.dx.array.all);
    rnet_free(w.classes.all);
    rnet_free(w.weights.all);
    free(w.label);
}

static void weighted(void **state)
{
    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (int i = 0; i < SIZES && use(isa); i++)
            for (int j = 0; j < SIZES; j++)
                for (int k = 0; k < 6; k++)
                    weigh(rows_of(k & 1, sizes[i]), sizes[j],
                          (i * 5 + j * 3 + k * 7) % 32, isa);
}

/* With nothing to weigh by, the same bits as without. */
static void unweighted(void **state)
{
    struct rnet_rows rows = rows_of(RNET_PLAIN, 100);
    struct value x = spread(rows, 40, 4), dx[2];
    struct rnet_entropy none = { 0 };
    int32_t label[100];

    (void)state;
    for (int i = 0; i < 100; i++)
        label[i] = i % 40;
    for (int isa = 0; isa < RNET_ISAS; isa++) {
        float lines[4], loss[2] = { 0, 0 };

        for (int k = 0; k < 2 && use(isa); k++) {
            struct rnet_run run = { 0 };
            struct rnet_step step;

            dx[k] = value(rows, 40, 0);
            step = store(&dx[k]);
            rnet_weighted_cross_entropy(&run, rows, 40, 2, k ? &none : NULL,
                                        x.p, x.stride, label, lines, &loss[k],
                                        (struct rnet_steps) { &step, 1 });
        }
        if (!use(isa))
            continue;
        assert_true(loss[0] == loss[1] && loss[0] > 0);
        assert_true(same_value(rows, 40, &dx[0], &dx[1], 0));
        rnet_free(dx[0].array.all);
        rnet_free(dx[1].array.all);
    }
    rnet_free(x.array.all);
}

/* Logits of +-10,000 have the loss of their difference, exactly. */
static void large_logits(void **state)
{
    static float x[4] = { 1e4f, -1e4f, -1e4f, 1e4f };
    static const int32_t label[2] = { 1, 1 };

    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++) {
        float dx[4], lines[1], loss = 0;
        struct rnet_step step = { .op = RNET_STORE, .kind = RNET_FULL,
                                  .x = dx, .stride = 2 };
        struct rnet_run run = { 0 };

        if (!use(isa))
            continue;
        rnet_cross_entropy(&run, rows_of(RNET_PLAIN, 2), 2, 1, x, 2, label,
                           lines, &loss, (struct rnet_steps) { &step, 1 });
        assert_true(loss == 1e4f);
        assert_true(dx[0] == 0.5f && dx[1] == -0.5f && dx[2] == 0
                    && dx[3] == 0);
    }
}

/* A row of -infinity has softmax 0; +infinity or NaN makes its row NaN. */
static void odd_rows(void **state)
{
    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (int layout = 0; layout < 2 && use(isa); layout++) {
            struct rnet_rows rows = rows_of(layout, 4);
            struct value x = spread(rows, 20, 3), y = value(rows, 20, 0);
            struct rnet_step step = store(&y);
            struct rnet_run run = { 0 };

            for (long f = 0; f < 20; f++)
                x.p[place(rows.layout, x.stride, 1, f)] = -INFINITY;
            x.p[place(rows.layout, x.stride, 2, 7)] = NAN;
            x.p[place(rows.layout, x.stride, 3, 19)] = INFINITY;
            rnet_softmax(&run, rows, 20, x.p, x.stride,
                         (struct rnet_steps) { &step, 1 });
            for (long f = 0; f < 20; f++) {
                assert_false(isnan(get(rows, &y, 0, f)));
                assert_true(get(rows, &y, 1, f) == 0);
                assert_true(isnan(get(rows, &y, 2, f)));
            }
            assert_true(isnan(get(rows, &y, 3, 19)));
            rnet_free(x.array.all);
            rnet_free(y.array.all);
        }
}

/* ------------------------------------------------------------- element-wise */

static double error(enum rnet_loss kind, double x, double t, double *slope)
{
    switch (kind) {
    case RNET_LOSS_SQUARED:
        *slope = 2 * (x - t);
        return (x - t) * (x - t);
    case RNET_LOSS_ABSOLUTE:
        *slope = x > t ? 1 : x < t ? -1 : 0;
        return fabs(x - t);
    default:
        *slope = 1 / (1 + exp(-x)) - t;
        return -t * x + fmax(x, 0) + log1p(exp(-fabs(x)));
    }
}

static void check_loss(struct rnet_rows rows, long features, int isa,
                       enum rnet_loss kind, double reach)
{
    struct value x = spread(rows, features, reach);
    struct value dx = value(rows, features, 0);
    struct array target = array(rows.rows * features, 1);
    struct array lines = array((rows.rows + 31) / 32, 0);
    struct rnet_step step = store(&dx);
    struct rnet_run run = { 0 };
    double truth = 1, count = (double)(rows.rows * features), slope;
    float loss = 1;

    for (long i = 0; kind == RNET_LOSS_BINARY && i < target.count; i++)
        target.p[i] = target.p[i] > 0;
    rnet_loss(&run, rows, features, kind, 2, x.p, x.stride, target.p, lines.p,
              &loss, (struct rnet_steps) { &step, 1 });
    for (long r = 0; r < rows.rows; r++)
        for (long f = 0; f < features; f++) {
            truth += 2 / count * error(kind, get(rows, &x, r, f),
                                       target.p[r * features + f], &slope);
            near("slope of a loss", isa, get(rows, &dx, r, f) * count,
                 2 * slope, 1e-6);
        }
    near("loss", isa, loss, truth, 1e-6);
    assert_true(intact(rows, features, &dx));
    assert_padding_zero(rows, features, &dx);
    rnet_free(lines.all);
    rnet_free(target.all);
    rnet_free(x.array.all);
    rnet_free(dx.array.all);
}

static void losses(void **state)
{
    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (int i = 0; i < SIZES && use(isa); i++)
            for (int j = 0; j < SIZES; j++)
                for (int k = 0; k < 6; k++)
                    check_loss(rows_of(k & 1, sizes[i]), sizes[j], isa,
                               (enum rnet_loss)(k / 2), j % 2 ? 3 : 100);
}

/* The same bits in any order of tasks, and no gradient without a tail. */
static void orders(void **state)
{
    struct rnet_rows rows = rows_of(RNET_STRIPS, 500);
    struct value x = spread(rows, 40, 4);
    int32_t label[500] = { 0 };
    float first = 0;

    (void)state;
    use(RNET_ISAS - 1);
    for (long i = 0; i < 4; i++) {
        struct rnet_work work = { .parallel_for = play, .user = &i,
                                  .workers = 7 };
        struct rnet_run run = { .work = i ? &work : NULL };
        float lines[16], loss = 0;

        rnet_cross_entropy(&run, rows, 40, 1, x.p, x.stride, label, lines,
                           &loss, (struct rnet_steps) { NULL, 0 });
        if (i == 0)
            first = loss;
        assert_true(loss == first && loss > 0);
    }
    rnet_free(x.array.all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax),
        cmocka_unit_test(cross_entropy),
        cmocka_unit_test(weighted),
        cmocka_unit_test(unweighted),
        cmocka_unit_test(large_logits),
        cmocka_unit_test(odd_rows),
        cmocka_unit_test(losses),
        cmocka_unit_test(orders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
