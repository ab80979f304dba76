/* test_math.c: the functions of the steps against libm's double, in units of
 * the last place of float; what they make of infinities and NaN. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../../runtime/isa.h"
#include "../../runtime/kernels/point.h"

static const struct point_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(point_kernels);
static const char *const names[RNET_ISAS] = { "scalar", "base", "avx2",
                                              "avx512" };
#define COUNT 16384

/* y = op(x), or the gradient of op at x times 1 */
static void apply(int isa, enum rnet_op op, const float *x, float *y,
                  long count)
{
    const struct rnet_run run = { 0 };
    const struct rnet_part part = { { RNET_PLAIN, 1, 1 }, count, 0, 1, 0,
                                    count, 0, 0 };
    struct rnet_step step[3] = {
        { .op = RNET_LOAD, .kind = RNET_FULL, .x = (float *)x,
          .stride = count },
        { .op = op, .value = 1 },
        { .op = RNET_STORE, .kind = RNET_FULL, .x = y, .stride = count },
    };

    if (op >= RNET_RELU_GRAD) {
        step[1] = step[0];
        step[1].op = op;
        step[0] = (struct rnet_step) { .op = RNET_LOAD, .kind = RNET_CONST,
                                       .value = 1 };
    }
    tables[isa]->part(&run, &part, (struct rnet_steps) { step, 3 });
}

/* Distance between neighbouring floats at y, no less than at 2^-126. */
static double unit(double y)
{
    int exponent;

    frexp(y, &exponent);
    return ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

/* ------------------------------------------------------------------- truths */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double phi(double x) { return 0.5 * erfc(-x * M_SQRT1_2); }
static double gelu(double x) { return x * phi(x); }
static double silu(double x) { return x * sigmoid(x); }
static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}
static double elu(double x) { return x > 0 ? x : expm1(x); }

static double inner(double x)
{
    return 2 * sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
}

static double gelu_tanh(double x) { return x * sigmoid(inner(x)); }

static double gelu_slope(double x)
{
    return phi(x) + x * exp(-x * x / 2) / sqrt(2 * M_PI);
}

static double silu_slope(double x)
{
    return sigmoid(x) + x * sigmoid(x) * sigmoid(-x);
}

static double gelu_tanh_slope(double x)
{
    double slope = 2 * sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x);

    return sigmoid(inner(x))
           + x * slope * sigmoid(inner(x)) * sigmoid(-inner(x));
}

/* Errors are in units of the last place of the result, but of no less than
 * `floor` (slopes cross 0). */
static const struct function {
    const char *name;
    enum rnet_op op;
    double (*truth)(double);
    double low, high, limit, floor;
} functions[] = {
    { "exp", RNET_EXP, exp, -87, 88.7, 1.5, 0 },
    { "log", RNET_LOG, log, 1e-37, 3e38, 2, 0 },
    { "log near 1", RNET_LOG, log, 0.5, 2, 2, 0 },
    { "tanh", RNET_TANH, tanh, -12, 12, 2, 0 },
    { "tanh near 0", RNET_TANH, tanh, -1, 1, 2, 0 },
    { "sigmoid", RNET_SIGMOID, sigmoid, -87, 40, 2.5, 0 },
    { "softplus", RNET_SOFTPLUS, softplus, -87, 40, 3, 0 },
    { "elu", RNET_ELU, elu, -40, 1, 2.5, 0 },
    { "silu", RNET_SILU, silu, -87, 40, 4, 0 },
    { "gelu", RNET_GELU, gelu, -12.5, 12, 5, 0 },
    { "gelu near 0", RNET_GELU, gelu, -1, 1, 4, 0 },
    { "gelu_tanh", RNET_GELU_TANH, gelu_tanh, -9.5, 12, 4, 0 },
    { "silu slope", RNET_SILU_GRAD, silu_slope, -80, 40, 4, 0.25 },
    { "gelu slope", RNET_GELU_GRAD, gelu_slope, -12.5, 12, 4, 0.25 },
    { "gelu_tanh slope", RNET_GELU_TANH_GRAD, gelu_tanh_slope, -9, 12, 4,
      0.25 },
    { "softplus slope", RNET_SOFTPLUS_GRAD, sigmoid, -87, 40, 2.5, 0 },
    { "sqrt", RNET_SQRT, sqrt, 0, 1e30, 0.51, 0 },
};
#define FUNCTIONS ((int)(sizeof functions / sizeof functions[0]))

static double worst_of(const struct function *f, const float *x,
                       const float *y, long count, float *where)
{
    double worst = 0;

    for (long i = 0; i < count; i++) {
        double truth = f->truth(x[i]);
        double error = fabs(y[i] - truth) / unit(fmax(fabs(truth), f->floor));

        if (!(error <= worst)) {
            worst = error;
            *where = x[i];
        }
    }
    return worst;
}

/* Points evenly over [low, high], then evenly over the bits of floats. */
static void sample(const struct function *f, int turn, float *x)
{
    for (int i = 0; i < COUNT; i++) {
        double t = (turn % 16 * (double)COUNT + i) / (16.0 * COUNT);
        double reach = f->low < 0 ? ((i & 1) ? f->low : f->high) : f->high;

        x[i] = (float)(f->low + t * (f->high - f->low));
        if (turn >= 16)
            x[i] = (float)(reach * exp2(-20 * t));
        if (x[i] < f->low || x[i] > f->high)
            x[i] = (float)f->high;
    }
}

static void errors(void **state)
{
    static float x[COUNT], y[COUNT];

    (void)state;
    for (int k = 0; k < FUNCTIONS; k++) {
        printf("%-16s", functions[k].name);
        for (int isa = 0; isa < RNET_ISAS; isa++) {
            double worst = 0;
            float where = 0;

            if ((int)rnet_isa() < isa)
                continue;
            for (int turn = 0; turn < 32; turn++) {
                float at = 0;
                double here;

                sample(functions + k, turn, x);
                apply(isa, functions[k].op, x, y, COUNT);
                here = worst_of(functions + k, x, y, COUNT, &at);
                if (!(here <= worst)) {
                    worst = here;
                    where = at;
                }
            }
            printf("  %s %.3f at %-11.6g", names[isa], worst, (double)where);
            if (!(worst <= functions[k].limit))
                fail_msg("%s, %s: %g units at %.9g", functions[k].name,
                         names[isa], worst, (double)where);
        }
        printf("\n");
    }
}

/* --------------------------------------------------- infinities, NaN, zero */

static const struct special {
    enum rnet_op op;
    float x, y;
} specials[] = {
    { RNET_EXP, -INFINITY, 0 }, { RNET_EXP, INFINITY, INFINITY },
    { RNET_EXP, 0, 1 }, { RNET_EXP, 1000, INFINITY }, { RNET_EXP, -1000, 0 },
    { RNET_LOG, 0, -INFINITY }, { RNET_LOG, INFINITY, INFINITY },
    { RNET_LOG, -1, NAN }, { RNET_LOG, -INFINITY, NAN }, { RNET_LOG, 1, 0 },
    { RNET_TANH, INFINITY, 1 }, { RNET_TANH, -INFINITY, -1 },
    { RNET_TANH, 0, 0 }, { RNET_SIGMOID, INFINITY, 1 },
    { RNET_SIGMOID, -INFINITY, 0 }, { RNET_SIGMOID, 0, 0.5f },
    { RNET_GELU, INFINITY, INFINITY }, { RNET_GELU, -INFINITY, 0 },
    { RNET_GELU, 0, 0 }, { RNET_GELU_TANH, INFINITY, INFINITY },
    { RNET_GELU_TANH, -INFINITY, 0 }, { RNET_SILU, INFINITY, INFINITY },
    { RNET_SILU, -INFINITY, 0 }, { RNET_SOFTPLUS, INFINITY, INFINITY },
    { RNET_SOFTPLUS, -INFINITY, 0 }, { RNET_ELU, -INFINITY, -1 },
    { RNET_ELU, INFINITY, INFINITY }, { RNET_GELU_GRAD, INFINITY, 1 },
    { RNET_GELU_GRAD, -INFINITY, 0 }, { RNET_GELU_TANH_GRAD, INFINITY, 1 },
    { RNET_GELU_TANH_GRAD, -INFINITY, 0 }, { RNET_SILU_GRAD, INFINITY, 1 },
    { RNET_SILU_GRAD, -INFINITY, 0 }, { RNET_SILU_GRAD, 0, 0.5f },
    { RNET_GELU_GRAD, 0, 0.5f }, { RNET_RELU, -INFINITY, 0 },
    { RNET_RELU_GRAD, 0, 0 }, { RNET_RELU_GRAD, -1, 0 },
    { RNET_RELU_GRAD, 1e-30f, 1 }, { RNET_ABS_GRAD, 0, 0 },
    { RNET_ABS_GRAD, -2, -1 }, { RNET_SOFTPLUS_GRAD, -INFINITY, 0 },
    { RNET_SQRT, -1, NAN }, { RNET_SQRT, INFINITY, INFINITY },
};

static void check_special(int isa, enum rnet_op op, float x, float expected)
{
    float xs[33], ys[33];

    for (int i = 0; i < 33; i++)
        xs[i] = x;
    apply(isa, op, xs, ys, 33);
    for (int i = 0; i < 33; i++)
        if (isnan(expected) ? !isnan(ys[i]) : ys[i] != expected)
            fail_msg("%s: op %d of %g is %g, not %g", names[isa], op,
                     (double)x, (double)ys[i], (double)expected);
}

static void special_values(void **state)
{
    (void)state;
    for (int isa = 0; isa <= (int)rnet_isa(); isa++) {
        for (size_t k = 0; k < sizeof specials / sizeof specials[0]; k++)
            check_special(isa, specials[k].op, specials[k].x, specials[k].y);
        for (int op = RNET_RELU; op <= RNET_SOFTPLUS; op++)
            check_special(isa, (enum rnet_op)op, NAN, NAN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors),
        cmocka_unit_test(special_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
