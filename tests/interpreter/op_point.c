/* op_point.c: functions and arithmetic, element by element; dropout. */
#include "tape.h"

/* ---- functions: docs/LANGUAGE.md, Layers ---- */

static real sigmoid(real x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

/* Phi(x), the normal distribution's; and its density */
static real normal(real x) { return erfc(-x / sqrt((real)2)) / 2; }
static real density(real x)
{
    return exp(-x * x / 2) / sqrt(2 * (real)M_PI);
}

static real relu(real x, real a) { return (void)a, x > 0 ? x : 0; }
static real relu_slope(real x, real a) { return (void)a, x > 0; }
static real leaky(real x, real a) { return x > 0 ? x : a * x; }
static real leaky_slope(real x, real a) { return x > 0 ? 1 : a; }
static real relu6(real x, real a)
{
    return (void)a, x > 6 ? 6 : x > 0 ? x : 0;
}
static real relu6_slope(real x, real a) { return (void)a, x > 0 && x < 6; }
static real elu(real x, real a) { return x > 0 ? x : a * expm1(x); }
static real elu_slope(real x, real a) { return x > 0 ? 1 : a * exp(x); }
static real gelu(real x, real a) { return (void)a, x * normal(x); }
static real gelu_slope(real x, real a)
{
    return (void)a, normal(x) + x * density(x);
}

static real gelu_tanh_inner(real x)
{
    return sqrt(2 / (real)M_PI) * (x + (real)0.044715 * x * x * x);
}
static real gelu_tanh(real x, real a)
{
    return (void)a, x * (1 + tanh(gelu_tanh_inner(x))) / 2;
}
static real gelu_tanh_slope(real x, real a)
{
    real t = tanh(gelu_tanh_inner(x));
    real inner = sqrt(2 / (real)M_PI) * (1 + 3 * (real)0.044715 * x * x);

    return (void)a, (1 + t) / 2 + x * (1 - t * t) * inner / 2;
}

static real silu(real x, real a) { return (void)a, x * sigmoid(x); }
static real silu_slope(real x, real a)
{
    real s = sigmoid(x);

    return (void)a, s + x * s * (1 - s);
}
static real sigmoid_of(real x, real a) { return (void)a, sigmoid(x); }
static real sigmoid_slope(real x, real a)
{
    return (void)a, sigmoid(x) * sigmoid(-x);
}
static real tanh_of(real x, real a) { return (void)a, tanh(x); }
static real tanh_slope(real x, real a)
{
    real t = tanh(x);

    return (void)a, 1 - t * t;
}
static real softplus(real x, real a)
{
    return (void)a, (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}
static real softplus_slope(real x, real a) { return (void)a, sigmoid(x); }
static real exp_of(real x, real a) { return (void)a, exp(x); }
static real log_of(real x, real a) { return (void)a, log(x); }
static real log_slope(real x, real a) { return (void)a, 1 / x; }
static real abs_of(real x, real a) { return (void)a, fabs(x); }
static real abs_slope(real x, real a)
{
    return (void)a, x > 0 ? 1 : x < 0 ? -1 : 0;
}

/* kinks: at 0, and for two of them at 6 as well */
static const struct curve {
    const char *step;
    real (*of)(real x, real a), (*slope)(real x, real a);
    int kinks;
} curves[] = {
    { "RELU", relu, relu_slope, 1 },
    { "LEAKY", leaky, leaky_slope, 1 },
    { "RELU6", relu6, relu6_slope, 2 },
    { "ELU", elu, elu_slope, 1 },
    { "GELU", gelu, gelu_slope, 0 },
    { "GELU_TANH", gelu_tanh, gelu_tanh_slope, 0 },
    { "SILU", silu, silu_slope, 0 },
    { "SIGMOID", sigmoid_of, sigmoid_slope, 0 },
    { "TANH", tanh_of, tanh_slope, 0 },
    { "SOFTPLUS", softplus, softplus_slope, 0 },
    { "EXP", exp_of, exp_of, 0 },
    { "LOG", log_of, log_slope, 0 },
    { "ABS", abs_of, abs_slope, 1 },
};

static const struct curve *curve_of(const struct node *node)
{
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
        if (strcmp(curves[i].step, node->point.step) == 0)
            return &curves[i];
    return NULL;
}

static void note_kinks(struct machine *m, const struct step *s,
                       const struct curve *f)
{
    size_t size = s->out->size;
    double *margin = f->kinks ? margins_new(m, size * (size_t)f->kinks) : NULL;

    for (size_t i = 0; i < size && f->kinks; i++)
        margin[i] = (double)s->in[0]->x[i];
    for (size_t i = 0; i < size && f->kinks == 2; i++)
        margin[size + i] = (double)s->in[0]->x[i] - 6;
}

static void curve_forward(struct machine *m, struct step *s,
                             const struct curve *f)
{
    real a = narrow(s->node->point.number);

    note_kinks(m, s, f);
    for (size_t i = 0; i < s->out->size; i++)
        s->out->x[i] = f->of(s->in[0]->x[i], a);
}

static void curve_backward(struct step *s, const struct curve *f)
{
    real a = narrow(s->node->point.number);

    for (size_t i = 0; i < s->out->size; i++)
        s->in[0]->dx[i] += s->out->dx[i] * f->slope(s->in[0]->x[i], a);
}

/* ---- arithmetic: acc op operand ---- */

enum arithmetic { ADD, SUB, RSUB, MUL, DIV, RDIV, LOAD, UNKNOWN };

static enum arithmetic arithmetic_of(const struct node *node)
{
    static const char *const steps[] = { "ADD", "SUB", "RSUB", "MUL", "DIV",
                                         "RDIV", "LOAD" };
    int i = ADD;

    while (i < UNKNOWN && strcmp(steps[i], node->point.step))
        i++;
    if (i == UNKNOWN) {
        fprintf(stderr, "interpreter: unknown step %s\n", node->point.step);
        abort();
    }
    return (enum arithmetic)i;
}

static real operate(enum arithmetic step, real a, real b, real *da, real *db)
{
    *da = *db = 1;
    switch (step) {
    case ADD: return a + b;
    case SUB: return *db = -1, a - b;
    case RSUB: return *da = -1, b - a;
    case MUL: return *da = b, *db = a, a * b;
    case DIV: return *da = 1 / b, *db = -a / (b * b), a / b;
    case RDIV: return *da = -b / (a * a), *db = 1 / a, b / a;
    default: return *da = 0, b;
    }
}

/* Which of the operand's elements goes with element i. */
static size_t operand_at(const struct machine *m, const struct step *s,
                         size_t i)
{
    size_t feature = i % s->features, row = i / s->features;

    switch (s->node->point.by) {
    case BY_FULL:
        return i;
    case BY_SAMPLE_FEATURE:
        return row / (s->rows / m->feed->batch) * s->features + feature;
    case BY_FEATURE:
        return feature;
    default:
        return 0;
    }
}

static struct tensor *operand_of(const struct step *s)
{
    return s->in[1] ? s->in[1] : s->param[0];
}

static real accumulator(const struct step *s, size_t i)
{
    return s->in[0] ? s->in[0]->x[i] : 0;
}

static void arithmetic_forward(struct machine *m, struct step *s)
{
    const struct tensor *operand = operand_of(s);
    enum arithmetic step = arithmetic_of(s->node);
    real number = narrow(s->node->point.number), da, db;

    for (size_t i = 0; i < s->out->size; i++)
        s->out->x[i] = operate(step, accumulator(s, i), operand
                               ? operand->x[operand_at(m, s, i)] : number,
                               &da, &db);
}

static void arithmetic_backward(struct machine *m, struct step *s)
{
    struct tensor *operand = operand_of(s);
    enum arithmetic step = arithmetic_of(s->node);
    real number = narrow(s->node->point.number), da, db;

    for (size_t i = 0; i < s->out->size; i++) {
        size_t at = operand_at(m, s, i);
        operate(step, accumulator(s, i), operand ? operand->x[at] : number,
                &da, &db);
        if (s->in[0])
            s->in[0]->dx[i] += da * s->out->dx[i];
        if (operand)
            operand->dx[at] += db * s->out->dx[i];
    }
}

/* ---- what drops ---- */

/* 1 / (1 - p) or 0; of `drop batch` 1 or 0, in inference 1 - p. */
static real factor(const struct machine *m, const struct step *s, size_t row,
                   size_t feature)
{
    const char *step = s->node->point.step;
    double p = drop_chance(s->node);
    int64_t key = s->key + s->node->point.key;
    size_t sample = row / (s->rows / m->feed->batch);
    bool batch = strcmp(step, "DROP_BATCH") == 0;

    if (!m->training)
        return batch ? narrow(1 - s->node->point.number) : 1;
    if (batch)
        row = feature = 0;
    else if (strcmp(step, "DROP_SAMPLE") == 0)
        row = sample, feature = 0;
    bool kept = (double)dropout_word(m, key, row, feature)
                >= p * 4294967296.0;
    return !kept ? 0 : batch ? 1 : 1 / (1 - (real)p);
}

static void drop_forward(struct machine *m, struct step *s)
{
    s->kept = keep(m, s->out->size);
    for (size_t i = 0; i < s->out->size; i++) {
        s->kept[i] = factor(m, s, i / s->features, i % s->features);
        s->out->x[i] = s->kept[i] == 0 ? 0 : s->in[0]->x[i] * s->kept[i];
    }
}

static void drop_backward(struct step *s)
{
    for (size_t i = 0; i < s->out->size; i++)
        s->in[0]->dx[i] += s->out->dx[i] * s->kept[i];
}

/* ---- one rule for all ---- */

static bool drops(const struct step *s)
{
    return strncmp(s->node->point.step, "DROP", 4) == 0;
}

static void forward(struct machine *m, struct step *s)
{
    const struct curve *f = curve_of(s->node);

    if (f)
        curve_forward(m, s, f);
    else if (drops(s))
        drop_forward(m, s);
    else
        arithmetic_forward(m, s);
}

static void backward(struct machine *m, struct step *s)
{
    const struct curve *f = curve_of(s->node);

    if (f)
        curve_backward(s, f);
    else if (drops(s))
        drop_backward(s);
    else
        arithmetic_backward(m, s);
}

const struct rule TWIN(point_rules)[] = {
    { OP_POINT, forward, backward }, { 0 }
};
