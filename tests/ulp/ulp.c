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
#include "truths.h"

static const struct point_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(point_kernels);
static const char *const names[RNET_ISAS] = { "scalar", "base", "avx2",
                                              "avx512" };

/* ------------------------------------------------------------------- truths */

TRUTHS(double, , exp, log, log1p, expm1, tanh, erfc, sqrt)
TRUTHS(long double, long_, expl, logl, log1pl, expm1l, tanhl, erfcl, sqrtl)

/* Units are those of the result, but of no less than `floor`: below it, and
 * where slopes cross 0, the absolute error counts. */
static const struct function {
    const char *name;
    enum rnet_op op;
    double (*truth)(double);
    fast_truth *fast;
    long double (*long_truth)(long double);
    double limit, floor;
} functions[] = {
#define ROW(op, truth, limit, floor) \
    RNET_##op, truth, fast_##truth, long_##truth, limit, floor
    { "exp", ROW(EXP, exp_of, 1.25, 0) },
    { "log", ROW(LOG, log_of, 1, 0) },
    { "tanh", ROW(TANH, tanh_of, 1.5, 0) },
    { "sigmoid", ROW(SIGMOID, sigmoid, 2.5, 0) },
    { "softplus", ROW(SOFTPLUS, softplus, 2, 0) },
    { "elu", ROW(ELU, elu, 1.25, 0) },
    { "silu", ROW(SILU, silu, 3.5, 0) },
    { "gelu", ROW(GELU, gelu, 5.5, 0) },
    { "gelu_tanh", ROW(GELU_TANH, gelu_tanh, 3.5, 0) },
    { "sqrt", ROW(SQRT, sqrt_of, 0.5, 0) },
    { "silu_grad", ROW(SILU_GRAD, silu_slope, 1.5, 1) },
    { "gelu_grad", ROW(GELU_GRAD, gelu_slope, 1.5, 1) },
    { "gelu_tanh_grad", ROW(GELU_TANH_GRAD, gelu_tanh_slope, 1.5, 1) },
    { "softplus_grad", ROW(SOFTPLUS_GRAD, sigmoid, 1.5, 1) },
#undef ROW
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

/* What results are measured against: truths within float's range, and 1 / unit
 * of each. */
struct scale { double truth[COUNT], inverse[COUNT]; };

static inline double inverse_of(double truth, double floor)
{
    double size = fabs(within(truth));

    size = size > 0x1.fffffep127 ? 0x1.fffffep127 : size;
    return inverse_unit(size > floor ? size : floor);
}

static inline double error(double y, double truth, double inverse)
{
    return fabs(within(y) - truth) * inverse;
}

/* NaN where the truth is none, or none where it is. */
static inline int odd(float y, double truth)
{
    return (y != y) != (truth != truth);
}

struct worst { double units; float x, y; long odd; };

static void look_closer(const float *x, const float *y,
                        const struct scale *scale, struct worst *worst)
{
    for (int i = 0; i < COUNT; i++) {
        double units = error(y[i], scale->truth[i], scale->inverse[i]);
        int wrong = odd(y[i], scale->truth[i]);

        worst->odd += wrong;
        if (wrong || units > worst->units) {
            worst->units = wrong ? INFINITY : units;
            worst->x = x[i];
            worst->y = y[i];
        }
    }
}

/* The largest of LANES numbers each, which are vectors to the compiler. */
#define LANES 16

static void compare(const float *x, const float *y, const struct scale *scale,
                    struct worst *worst)
{
    double most[LANES] = { 0 };
    int64_t some[LANES] = { 0 }, any = 0;
    int larger = 0;

    for (int i = 0; i < COUNT; i += LANES)
        for (int k = 0; k < LANES; k++) {
            double units = error(y[i + k], scale->truth[i + k],
                                 scale->inverse[i + k]);

            most[k] = units > most[k] ? units : most[k];
            some[k] |= odd(y[i + k], scale->truth[i + k]);
        }
    for (int k = 0; k < LANES; k++) {
        any |= some[k];
        larger |= most[k] > worst->units;
    }
    if (any || larger)
        look_closer(x, y, scale, worst);
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

/* What the truth's formula does not say: NaN, infinities, roots. */
static double special(const struct function *f, float x)
{
    if (x != x || (x < 0 && (f->op == RNET_LOG || f->op == RNET_SQRT)))
        return NAN;
    if (x < 0 && (f->op == RNET_GELU || f->op == RNET_SILU
                  || f->op == RNET_GELU_TANH))
        return 0;               /* at -infinity */
    return f->truth(x);
}

static int is_special(const struct function *f, float x)
{
    int root = f->op == RNET_LOG || f->op == RNET_SQRT;

    return (x - x != 0) | (root & (x < 0));
}

static void set_truth(const struct function *f, double truth, int i,
                      struct scale *scale)
{
    scale->inverse[i] = inverse_of(truth, f->floor);
    scale->truth[i] = within(truth);
}

/* The truth by itself, to which the fast one is held: NaN, which no result is,
 * where it is not near. */
static double checked(const struct function *f, float x, double fast)
{
    double truth = f->truth(x), most = fabs(truth) + f->floor;

    return fabs(within(truth) - fast) > 1e-12 * most + 1e-60 ? NAN : truth;
}

static void make_scale(const struct function *f, const float *x, int some,
                       struct scale *scale)
{
    int specials = 0;

    f->fast(x, scale->truth, COUNT);
    for (int i = 0; i < COUNT; i++) {
        set_truth(f, scale->truth[i], i, scale);
        specials |= is_special(f, x[i]);
    }
    for (int i = 0; (some || specials) && i < COUNT; i++)
        if (is_special(f, x[i]))
            set_truth(f, special(f, x[i]), i, scale);
        else if (some)
            set_truth(f, checked(f, x[i], scale->truth[i]), i, scale);
}

/* some: the scalar twin and tasks' modes too */
static void measure(const struct function *f, const float *x, int some,
                    struct worst worst[RNET_ISAS])
{
    static struct scale scale;
    static float y[COUNT];

    make_scale(f, x, some, &scale);
    for (int isa = !some; isa <= (int)rnet_isa(); isa++) {
        apply(isa, f->op, x, y);
        compare(x, y, &scale, worst + isa);
        if (some) {
            apply_in_task(isa, f->op, x, y, scale.truth);
            compare(x, y, &scale, worst + isa);
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
    double truth = (double)f->long_truth(worst->x);

    return error(worst->y, within(truth), inverse_of(truth, f->floor));
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
