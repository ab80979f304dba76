/* test_position.c: rotary embeddings, tables of sines and sines of values
 * against libm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "values.h"

static struct rnet_step store(const struct value *y)
{
    return (struct rnet_step) { .op = RNET_STORE, .kind = RNET_FULL,
                                .x = y->p, .stride = y->stride };
}

static double get(struct rnet_rows rows, const struct value *v, long r, long f)
{
    return (double)v->p[place(rows.layout, v->stride, r, f)];
}

static void near(const char *what, int isa, double got, double truth,
                 double limit)
{
    if (!(fabs(got - truth) <= limit))
        fail_msg("%s, %s: %.9g, not %.9g", names[isa], what, got, truth);
}

/* An angle of thousands of turns is rounded by double alone. */
static double angle_of(struct rnet_rows rows, long row, double base, long pair,
                       long head)
{
    return (double)(row % rows.rows_per_sample)
           * pow(base, -2.0 * (double)pair / (double)head);
}

/* ------------------------------------------------------------------- rope */

struct rope { long features, head; enum rnet_pairing pairing; double base; };

static double turned(struct rnet_rows rows, const struct value *x, long row,
                     long f, const struct rope *rope)
{
    long half = rope->head / 2, at = f % rope->head;
    int halves = rope->pairing == RNET_HALVES;
    int second = halves ? at >= half : at % 2;
    long other = f + (second ? -1 : 1) * (halves ? half : 1);
    double a = angle_of(rows, row, rope->base,
                        halves ? at % half : at / 2, rope->head);

    return get(rows, x, row, f) * cos(a)
           + (second ? 1 : -1) * get(rows, x, row, other) * sin(a);
}

/* Forward by steps that are summed, and back to where it was. */
static void check_rope(struct rnet_rows rows, const struct rope *rope, int isa)
{
    struct value x = value(rows, rope->features, 1);
    struct value y = value(rows, rope->features, 0);
    struct value back = value(rows, rope->features, 0);
    struct array sums = array(((rows.rows + 31) / 32 + rows.rows)
                              * rope->features, 0);
    struct rnet_step steps[2] = { store(&y), { .op = RNET_SUM,
                                               .sums = sums.p } };
    struct rnet_step step = store(&back);
    struct rnet_run run = { .batch = rows.rows / rows.rows_per_sample };

    rnet_rope(&run, rows, rope->features, rope->head, rope->pairing,
              rope->base, x.p, x.stride, (struct rnet_steps) { steps, 2 });
    rnet_rope_grad(&run, rows, rope->features, rope->head, rope->pairing,
                   rope->base, y.p, y.stride,
                   (struct rnet_steps) { &step, 1 });
    for (long f = 0; f < rope->features; f++) {
        long each = rows.layout == RNET_PLAIN ? rows.rows_per_sample : 32;
        double total = 0;
        for (long r = 0; r < rows.rows; r++) {
            double truth = turned(rows, &x, r, f, rope);
            near("rope", isa, get(rows, &y, r, f), truth, 1.5e-6);
            near("turned back", isa, get(rows, &back, r, f),
                 get(rows, &x, r, f), 3e-6);
            total += truth;
            if ((r + 1) % each && r + 1 < rows.rows)
                continue;
            near("sum", isa, (double)sums.p[r / each * rope->features + f],
                 total, 1e-3);
            total = 0;
        }
    }
    assert_true(intact(rows, rope->features, &y));
    assert_true(intact(rows, rope->features, &back));
    rnet_free(sums.all);
    rnet_free(x.array.all);
    rnet_free(y.array.all);
    rnet_free(back.array.all);
}

static void rope(void **state)
{
    static const int heads[] = { 2, 4, 16, 30, 32, 34, 64, 66, 128, 130 };

    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (int i = 0; i < SIZES && use(isa); i++)
            for (int j = 0; j < 10; j++)
                for (int way = 0; way < 4; way++) {
                    struct rnet_rows rows = {
                        (enum rnet_layout)(way % 2), sizes[i] * 2L, sizes[i]
                    };
                    struct rope rope = {
                        heads[j] * ((i + j) % 3 + 1L), heads[j],
                        (enum rnet_pairing)(way / 2), j % 2 ? 1e4 : 5e5
                    };
                    if (sizes[i] < 500 || j % 4 == 0)
                        check_rope(rows, &rope, isa);
                }
}

/* ------------------------------------------------------------------ sines */

static void check_sines(struct rnet_rows rows, long features, double base,
                        int isa)
{
    struct value y = value(rows, features, 0);
    struct rnet_step step = store(&y);
    struct rnet_run run = { .batch = rows.rows / rows.rows_per_sample };

    rnet_sine_positions(&run, rows, features, base,
                        (struct rnet_steps) { &step, 1 });
    for (long r = 0; r < rows.rows; r++)
        for (long f = 0; f < features; f++) {
            double a = angle_of(rows, r, base, f / 2, features);
            near("sine", isa, get(rows, &y, r, f), f % 2 ? cos(a) : sin(a),
                 1.3e-7);
        }
    assert_true(intact(rows, features, &y));
    rnet_free(y.array.all);
}

/* Positions far beyond what float's angles would bear. */
static void sines(void **state)
{
    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (int layout = 0; layout < 2 && use(isa); layout++) {
            for (int i = 0; i < SIZES; i++)
                for (int j = 0; j < SIZES - 1; j++)
                    check_sines((struct rnet_rows) { (enum rnet_layout)layout,
                                                     sizes[i] * 3L, sizes[i] },
                                sizes[j], 1e4, isa);
            check_sines((struct rnet_rows) { (enum rnet_layout)layout, 100000,
                                             100000 }, 4, 2, isa);
        }
}

/* -------------------------------------------------------- sines of values */

struct wave { long features, shift; double base; };

static double rate_of(const struct wave *wave, long i)
{
    return pow(wave->base, -(double)i / (double)(wave->features / 2
                                                 - wave->shift));
}

static void check_features(struct rnet_rows rows, const struct wave *wave,
                           const struct value *x, const struct value *y,
                           int isa)
{
    long half = wave->features / 2;

    for (long r = 0; r < rows.rows; r++)
        for (long f = 0; f < wave->features; f++) {
            double a = get(rows, x, r, 0) * rate_of(wave, f % half);
            near("sine of a value", isa, get(rows, y, r, f),
                 f < half ? sin(a) : cos(a), 1.3e-7);
        }
}

static void check_slope(struct rnet_rows rows, const struct wave *wave,
                        const struct value *dy, const struct value *y,
                        const struct value *dx, int isa)
{
    long half = wave->features / 2;

    for (long r = 0; r < rows.rows; r++) {
        double sum = 0;
        for (long i = 0; i < half; i++)
            sum += rate_of(wave, i)
                   * (get(rows, dy, r, i) * get(rows, y, r, half + i)
                      - get(rows, dy, r, half + i) * get(rows, y, r, i));
        near("slope of a value", isa, get(rows, dx, r, 0), sum, 1e-4);
    }
}

static void check_waves(struct rnet_rows rows, const struct wave *wave,
                        int isa)
{
    struct value x = value(rows, 1, 1), y = value(rows, wave->features, 0);
    struct value dy = value(rows, wave->features, 1);
    struct value dx = value(rows, 1, 0);
    struct rnet_step steps[2] = { store(&y), store(&dx) };
    struct rnet_run run = { .batch = rows.rows / rows.rows_per_sample };

    for (long r = 0; r < rows.rows; r++)        /* a thousand, in between */
        x.p[place(rows.layout, x.stride, r, 0)] *= 123.4567f;
    rnet_sine_features(&run, rows, wave->features, wave->base, wave->shift,
                       x.p, x.stride, (struct rnet_steps) { steps, 1 });
    rnet_sine_features_grad(&run, rows, wave->features, wave->base,
                            wave->shift, dy.p, dy.stride, y.p, y.stride,
                            (struct rnet_steps) { steps + 1, 1 });
    check_features(rows, wave, &x, &y, isa);
    check_slope(rows, wave, &dy, &y, &dx, isa);
    assert_true(intact(rows, wave->features, &y));
    assert_true(intact(rows, 1, &dx));
    rnet_free(x.array.all);
    rnet_free(y.array.all);
    rnet_free(dy.array.all);
    rnet_free(dx.array.all);
}

static void waves(void **state)
{
    static const int halves[] = { 2, 3, 16, 31, 32, 33, 64, 65 };

    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (int i = 0; i < SIZES && use(isa); i++)
            for (int j = 0; j < 8; j++)
                for (int way = 0; way < 4; way++) {
                    struct rnet_rows rows = {
                        (enum rnet_layout)(way % 2), sizes[i] * (1L + j % 2),
                        1L + j % 2
                    };
                    struct wave wave = { 2L * halves[j], way / 2,
                                         j % 3 ? 1e4 : 50 };
                    check_waves(rows, &wave, isa);
                }
}

/* A time that is no number gives no numbers. */
static void not_finite(void **state)
{
    static const float values[] = { NAN, INFINITY, -INFINITY };
    struct rnet_rows rows = { RNET_STRIPS, 3, 1 };
    struct rnet_run run = { .batch = 3 };

    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        if (use(isa)) {
            struct value x = value(rows, 1, 0), y = value(rows, 6, 0);
            struct rnet_step step = store(&y);
            memcpy(x.p, values, sizeof values);
            rnet_sine_features(&run, rows, 6, 1e4, 1, x.p, x.stride,
                               (struct rnet_steps) { &step, 1 });
            for (int i = 0; i < 18; i++)
                assert_true(isnan(get(rows, &y, i % 3, i / 3)));
            rnet_free(x.array.all);
            rnet_free(y.array.all);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rope), cmocka_unit_test(sines),
        cmocka_unit_test(waves), cmocka_unit_test(not_finite)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
