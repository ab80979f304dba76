/* ulp.c [--all | --list] [FUNCTION...]: the vector functions of every
 * instruction set against libm's double, in units of the last place of float:
 * over all 2^32 floats, or over every 4099th and the borders.
 *
 * The double's own error, at most some 2^-45 of the value, is 1e-6 units; where
 * the worst is, long double says once more how far it is. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../../runtime/isa.h"
#include "../../runtime/kernels/point.h"

static const struct point_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(point_kernels);
static const char *const names[RNET_ISAS] = { "scalar", "base", "avx2",
                                              "avx512" };

/* ------------------------------------------------------------------- truths */

/* Each in double and in long double. */
#define TRUTHS(real, of, exp, log, log1p, expm1, tanh, erfc, sqrt) \
    static real of##exp_of(real x) { return exp(x); } \
    static real of##log_of(real x) { return log(x); } \
    static real of##tanh_of(real x) { return tanh(x); } \
    static real of##sqrt_of(real x) { return sqrt(x); } \
    static real of##sigmoid(real x) \
    { \
        return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); \
    } \
    static real of##times(real x, real y) { return y == 0 ? 0 : x * y; } \
    static real of##normal(real x) \
    { \
        return erfc(-x * (real)0.70710678118654752440084436210484904L) / 2; \
    } \
    static real of##bell(real x) \
    { \
        return exp(-x * x / 2) * (real)0.39894228040143267793994605993438187L; \
    } \
    static real of##gelu(real x) { return of##times(x, of##normal(x)); } \
    static real of##silu(real x) { return of##times(x, of##sigmoid(x)); } \
    static real of##elu(real x) { return x > 0 ? x : expm1(x); } \
    static real of##softplus(real x) \
    { \
        return (x < 0 ? 0 : x) + log1p(exp(x < 0 ? x : -x)); \
    } \
    static real of##inner(real x) \
    { \
        const real c = (real)1.5957691216057307117597842397375274738L; \
        return c * x + c * (real)0.044715L * x * x * x; \
    } \
    static real of##gelu_tanh(real x) \
    { \
        return of##times(x, of##sigmoid(of##inner(x))); \
    } \
    static real of##gelu_slope(real x) \
    { \
        return of##normal(x) + of##times(x, of##bell(x)); \
    } \
    static real of##silu_slope(real x) \
    { \
        real s = of##sigmoid(x); \
        return s + of##times(x, s * of##sigmoid(-x)); \
    } \
    static real of##gelu_tanh_slope(real x) \
    { \
        const real c = (real)1.5957691216057307117597842397375274738L; \
        real u = of##inner(x), s = of##sigmoid(u); \
        real slope = c + 3 * c * (real)0.044715L * x * x; \
        return s + of##times(x * slope, s * of##sigmoid(-u)); \
    }

TRUTHS(double, , exp, log, log1p, expm1, tanh, erfc, sqrt)
TRUTHS(long double, long_, expl, logl, log1pl, expm1l, tanhl, erfcl, sqrtl)

/* Units are those of the result, but of no less than `floor`: below it, and
 * where slopes cross 0, the absolute error counts. */
static const struct function {
    const char *name;
    enum rnet_op op;
    double (*truth)(double);
    long double (*long_truth)(long double);
    double limit, floor;
} functions[] = {
    { "exp", RNET_EXP, exp_of, long_exp_of, 1, 0 },
    { "log", RNET_LOG, log_of, long_log_of, 1, 0 },
    { "tanh", RNET_TANH, tanh_of, long_tanh_of, 1.25, 0 },
    { "sigmoid", RNET_SIGMOID, sigmoid, long_sigmoid, 2.25, 0 },
    { "softplus", RNET_SOFTPLUS, softplus, long_softplus, 2, 0 },
    { "elu", RNET_ELU, elu, long_elu, 1, 0 },
    { "silu", RNET_SILU, silu, long_silu, 3, 0 },
    { "gelu", RNET_GELU, gelu, long_gelu, 4, 0 },
    { "gelu_tanh", RNET_GELU_TANH, gelu_tanh, long_gelu_tanh, 3, 0 },
    { "sqrt", RNET_SQRT, sqrt_of, long_sqrt_of, 0.5, 0 },
    { "silu_grad", RNET_SILU_GRAD, silu_slope, long_silu_slope, 2, 1 },
    { "gelu_grad", RNET_GELU_GRAD, gelu_slope, long_gelu_slope, 2, 1 },
    { "gelu_tanh_grad", RNET_GELU_TANH_GRAD, gelu_tanh_slope,
      long_gelu_tanh_slope, 2, 1 },
    { "softplus_grad", RNET_SOFTPLUS_GRAD, sigmoid, long_sigmoid, 2, 1 },
};
#define FUNCTIONS ((int)(sizeof functions / sizeof functions[0]))

/* --------------------------------------------------------------- evaluation */

#define COUNT 2048

/* y = op(x), or the gradient of op at x times 1 */
static void apply(int isa, enum rnet_op op, const float *x, float *y)
{
    const struct rnet_run run = { 0 };
    const struct rnet_part part = { { RNET_PLAIN, 1, 1 }, COUNT, 0, 1, 0,
                                    COUNT, 0, 0 };
    struct rnet_step step[3] = {
        { .op = RNET_LOAD, .kind = RNET_FULL, .x = (float *)x,
          .stride = COUNT },
        { .op = op, .value = 1 },
        { .op = RNET_STORE, .kind = RNET_FULL, .x = y, .stride = COUNT },
    };

    if (op >= RNET_RELU_GRAD) {
        step[1] = step[0];
        step[1].op = op;
        step[0] = (struct rnet_step) { .op = RNET_LOAD, .kind = RNET_CONST,
                                       .value = 1 };
    }
    tables[isa]->part(&run, &part, (struct rnet_steps) { step, 3 });
}

/* ------------------------------------------------------------------- errors */

static double from_bits(uint64_t bits)
{
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 1 / (distance of the floats around y); it stays the same below 2^-126. */
static inline double inverse_unit(double y)
{
    uint64_t bits;

    y = fabs(y) > 0x1p-126 ? y : 0x1p-126;
    memcpy(&bits, &y, sizeof bits);
    bits &= UINT64_C(0x7ff) << 52;
    return from_bits((UINT64_C(2046) << 52) - bits) * 0x1p23;
}

/* What is past float's range counts as its border. */
static inline double within(double y)
{
    return y > 0x1p128 ? 0x1p128 : y < -0x1p128 ? -0x1p128 : y;
}

static inline double error(double y, double truth, double floor)
{
    double size = fabs(within(truth));

    size = size > 0x1.fffffep127 ? 0x1.fffffep127 : size;
    size = size > floor ? size : floor;
    return fabs(within(y) - within(truth)) * inverse_unit(size);
}

/* NaN where the truth is none, or none where it is. */
static inline int odd(float y, double truth)
{
    return (y != y) != (truth != truth);
}

struct worst { double units; float x, y; long odd; };

static void look_closer(const struct function *f, const float *x,
                        const float *y, const double *truth,
                        struct worst *worst)
{
    for (int i = 0; i < COUNT; i++) {
        double units = error(y[i], truth[i], f->floor);

        if (odd(y[i], truth[i]))
            worst->odd++;
        if (odd(y[i], truth[i]) || units > worst->units) {
            worst->units = odd(y[i], truth[i]) ? INFINITY : units;
            worst->x = x[i];
            worst->y = y[i];
        }
    }
}

static void compare(const struct function *f, const float *x, const float *y,
                    const double *truth, struct worst *worst)
{
    double most = 0;
    int some = 0;

    for (int i = 0; i < COUNT; i++) {
        double units = error(y[i], truth[i], f->floor);

        most = units > most ? units : most;
        some |= odd(y[i], truth[i]);
    }
    if (some || most > worst->units)
        look_closer(f, x, y, truth, worst);
}

/* As inside of tasks, which take denormals as 0 and make none: these are left
 * out. */
static void apply_in_task(int isa, enum rnet_op op, const float *x, float *y,
                          const double *truth)
{
#if defined __SSE2__
    unsigned saved = __builtin_ia32_stmxcsr();

    __builtin_ia32_ldmxcsr(0x9fc0);
    apply(isa, op, x, y);
    __builtin_ia32_ldmxcsr(saved);
#else
    apply(isa, op, x, y);
#endif
    for (int i = 0; i < COUNT; i++)
        if (fabsf(x[i]) < 0x1p-126f || fabs(truth[i]) < 0x1p-126)
            y[i] = (float)truth[i];
}

/* some: the scalar twin and tasks' modes too */
static void measure(const struct function *f, const float *x, int some,
                    struct worst worst[RNET_ISAS])
{
    static double truth[COUNT];
    static float y[COUNT];

    for (int i = 0; i < COUNT; i++)
        truth[i] = f->truth(x[i]);
    for (int isa = !some; isa <= (int)rnet_isa(); isa++) {
        apply(isa, f->op, x, y);
        compare(f, x, y, truth, worst + isa);
        if (some) {
            apply_in_task(isa, f->op, x, y, truth);
            compare(f, x, y, truth, worst + isa);
        }
    }
}

/* ------------------------------------------------------------------- inputs */

static float float_of(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Where functions leave float's range, change their formula, round to a limit;
 * 0, infinity and what is no number. */
static const float borders[] = {
    0, 0x1p-149f, 0x1p-126f, 0x1p-63f, 0x1p-24f, 0x1p-12f, 0.3f, 0.41421356f,
    0.5f, 0.625f, 0.70710678f, 1, 1.41421356f, 2, 4, 5.5f, 6, 8, 9.01f, 10,
    13.1f, 14.5f, 16, 16.6f, 20, 30, 40, 64, 87, 87.3365f, 87.4f, 88,
    88.7228394f, 89, 90, 92, 100, 103.278931f, 103.972084f, 104, 105, 120,
    128, 1000, 0x1p24f, 0x1p64f, 0x1.fffffep127f, INFINITY, NAN,
};
#define BORDERS ((int)(sizeof borders / sizeof borders[0]))
#define REACH 16                /* floats on each side of a border */

static struct {
    float x[COUNT];
    int count;
} batch;

static void flush(const struct function *f, int some, struct worst *worst)
{
    while (batch.count < COUNT)
        batch.x[batch.count++] = 1;
    measure(f, batch.x, some, worst);
    batch.count = 0;
}

static void take(const struct function *f, uint32_t bits, int some,
                 struct worst *worst)
{
    batch.x[batch.count++] = float_of(bits);
    if (batch.count == COUNT)
        flush(f, some, worst);
}

static void some_floats(const struct function *f, struct worst *worst)
{
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += 4099)
        take(f, (uint32_t)bits, 1, worst);
    for (int i = 0; i < BORDERS; i++)
        for (int k = -REACH; k <= REACH; k++) {
            uint32_t bits = bits_of(borders[i]) + (uint32_t)k;

            take(f, bits, 1, worst);
            take(f, bits ^ UINT32_C(0x80000000), 1, worst);
        }
    flush(f, 1, worst);
}

static void all_floats(const struct function *f, struct worst *worst)
{
    uint32_t bits = 0;

    do {
        for (int i = 0; i < COUNT; i++)
            batch.x[i] = float_of(bits++);
        measure(f, batch.x, 0, worst);
    } while (bits);
}

/* ------------------------------------------------------------------- report */

static double exact_error(const struct function *f,
                          const struct worst *worst)
{
    return error(worst->y, (double)f->long_truth(worst->x), f->floor);
}

static int report(const struct function *f, const struct worst *worst, int all)
{
    double most = 0;
    int good;

    printf("%-14s", f->name);
    for (int isa = all; isa <= (int)rnet_isa(); isa++) {
        const struct worst *w = worst + isa;
        double units = w->odd ? INFINITY : exact_error(f, w);

        printf("  %s %.3f at %.9g", names[isa], units, (double)w->x);
        most = units > most ? units : most;
    }
    good = most <= f->limit;
    printf("%s\n", good ? "" : "  FAILED");
    if (all)
        printf("figure ulp of %s: %.2f\n", f->name, most);
    fflush(stdout);
    return good;
}

static int wanted(const char *name, char **list)
{
    for (char **one = list; *one; one++)
        if (!strcmp(*one, name))
            return 1;
    return !*list;
}

static int list_them(void)
{
    for (int k = 0; k < FUNCTIONS; k++)
        printf("%s\n", functions[k].name);
    return 0;
}

int main(int argc, char **argv)
{
    int all = argc > 1 && !strcmp(argv[1], "--all"), good = 0, count = 0;

    if (argc > 1 && !strcmp(argv[1], "--list"))
        return list_them();
    for (int k = 0; k < FUNCTIONS; k++) {
        struct worst worst[RNET_ISAS] = { { 0 } };

        if (!wanted(functions[k].name, argv + 1 + all))
            continue;
        if (all)
            all_floats(functions + k, worst);
        else
            some_floats(functions + k, worst);
        good += report(functions + k, worst, all);
        count++;
    }
    printf("%d passed, %d failed\n", good, count - good);
    return good != count;
}
