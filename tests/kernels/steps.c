/* steps.c: lists of steps to ride on kernels, and what they should do, element
 * by element, by the formulas of rnet_kernels.h. */
#include <string.h>

#include "trial.h"

/* ----------------------------------------------------------------- recipes */

/* OWN: the value that the step before it read. */
enum { OWN = RNET_INPUT + 1 };
struct part { int op, kind; };
struct recipe { struct part part[TRIAL_STEPS]; int count; };

#define MOST_RECIPES 800
static struct recipe recipes[MOST_RECIPES];
static int recipes_made;

static void add(const struct part *part, int count)
{
    struct recipe *recipe = recipes + recipes_made++;

    if (recipes_made > MOST_RECIPES)
        abort();
    memcpy(recipe->part, part, (size_t)count * sizeof *part);
    recipe->count = count;
}

#define ADD(...) \
    add((const struct part[]) { __VA_ARGS__ }, \
        (int)(sizeof (const struct part[]) { __VA_ARGS__ } \
              / sizeof(struct part)))
#define STORED { RNET_STORE, RNET_FULL }

/* Each operation by each kind of operand. */
static void add_single(void)
{
    static const int kinds[] = { RNET_FULL, RNET_FEATURE, RNET_ROW,
                                 RNET_SAMPLE, RNET_SAMPLE_FEATURE,
                                 RNET_SCALAR, RNET_CONST };

    for (int op = RNET_LOAD; op <= RNET_MIN; op++) {
        for (int k = 0; k < 7; k++)
            ADD({ op, kinds[k] }, STORED);
        ADD({ RNET_STORE, RNET_TEMP }, { RNET_MUL, RNET_CONST },
            { op, RNET_TEMP }, STORED);
    }
    for (int op = RNET_RELU; op <= RNET_SOFTPLUS; op++)
        ADD({ op, RNET_NONE }, STORED);
    for (int op = RNET_RELU_GRAD; op <= RNET_SOFTPLUS_GRAD; op++) {
        ADD({ op, RNET_FULL }, STORED);
        ADD({ op, RNET_FULL }, { RNET_STORE, OWN });
        ADD({ RNET_STORE, RNET_TEMP }, { RNET_ADD, RNET_FULL },
            { op, RNET_TEMP }, STORED);
    }
    ADD({ RNET_AFFINE, RNET_NONE }, STORED);
    ADD({ RNET_AFFINE2, RNET_FULL }, STORED);
    ADD({ RNET_STORE, RNET_TEMP }, { RNET_AFFINE2, RNET_TEMP }, STORED);
    ADD({ RNET_DROPOUT, RNET_NONE }, STORED);
    ADD({ RNET_DROP_SAMPLE, RNET_NONE }, STORED);
    ADD({ RNET_ACCUMULATE, RNET_FULL });
    ADD({ RNET_STORE, RNET_TEMP }, { RNET_ADD, RNET_FEATURE },
        { RNET_ACCUMULATE, RNET_TEMP }, { RNET_LOAD, RNET_TEMP }, STORED);
    ADD(STORED, { RNET_RELU, RNET_NONE }, STORED);
}

static void add_sums(void)
{
    static const struct part sums[] = {
        { RNET_SUM, RNET_NONE }, { RNET_SUM_MOMENTS, RNET_NONE },
        { RNET_SUM_PRODUCT, RNET_FULL }, { RNET_SUM_CENTRED, RNET_FULL },
        { RNET_SUM_ALL, RNET_NONE }, { RNET_SUM_PRODUCT_ALL, RNET_FULL },
        { RNET_SUM_PRODUCT, RNET_FEATURE },
        { RNET_SUM_PRODUCT, RNET_SAMPLE_FEATURE },
        { RNET_SUM_PRODUCT_ALL, RNET_ROW },
    };

    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        ADD(sums[i]);
        ADD(sums[i], STORED);
        ADD({ RNET_ADD, RNET_FEATURE }, STORED, sums[i]);
        ADD({ RNET_STORE, RNET_TEMP }, { RNET_RELU, RNET_NONE }, sums[i],
            { sums[i].op, sums[i].kind == RNET_FULL ? RNET_TEMP
                                                    : sums[i].kind });
    }
}

/* The lists that kernels do in registers: every choice of what may stand in
 * them, and with each end. */
static void add_frequent(void)
{
    static const struct part firsts[] = {
        { -1, 0 }, { RNET_AFFINE, RNET_NONE }, { RNET_AFFINE2, RNET_FULL },
        { RNET_ADD, RNET_FEATURE }
    };
    static const struct part ends[][2] = {
        { STORED, { -1, 0 } }, { { RNET_ACCUMULATE, RNET_FULL }, { -1, 0 } },
        { { RNET_STORE, OWN }, { -1, 0 } },
        { { RNET_SUM_MOMENTS, RNET_NONE }, STORED },
        { STORED, { RNET_SUM_MOMENTS, RNET_NONE } },
        { { RNET_SUM_MOMENTS, RNET_NONE }, { -1, 0 } },
        { { RNET_SUM_CENTRED, RNET_FULL }, STORED },
        { { RNET_SUM_CENTRED, RNET_FULL }, { -1, 0 } },
    };
    static const struct part middle[] = {
        { RNET_ADD, RNET_FULL }, { RNET_RELU, RNET_NONE },
        { RNET_RELU_GRAD, RNET_FULL }, { RNET_ADD, RNET_FULL }
    };

    for (int i = 0; i < 4 * 16 * 8; i++) {
        struct part part[TRIAL_STEPS];
        int count = 0, end = i / 64;

        if (firsts[i % 4].op >= 0)
            part[count++] = firsts[i % 4];
        for (int k = 0; k < 4; k++)
            if (i / 4 >> k & 1)
                part[count++] = middle[k];
        if (ends[end][0].kind == OWN && !(i / 4 & 13))
            continue;           /* nothing was read */
        for (int k = 0; k < 2; k++)
            if (ends[end][k].op >= 0)
                part[count++] = ends[end][k];
        add(part, count);
    }
}

static void make_recipes(void)
{
    if (recipes_made)
        return;
    add_single();
    add_sums();
    add_frequent();
}

int recipe_count(void)
{
    make_recipes();
    return recipes_made;
}

#define NAME(op) [RNET_##op] = #op
static const char *const op_names[RNET_OPS] = {
    NAME(LOAD), NAME(ADD), NAME(SUB), NAME(RSUB), NAME(MUL), NAME(DIV),
    NAME(RDIV), NAME(MAX), NAME(MIN), NAME(RELU), NAME(LEAKY), NAME(GELU),
    NAME(GELU_TANH), NAME(SILU), NAME(SIGMOID), NAME(TANH), NAME(EXP),
    NAME(LOG), NAME(SQRT), NAME(SQUARE), NAME(ABS), NAME(ELU), NAME(RELU6),
    NAME(SOFTPLUS), NAME(RELU_GRAD), NAME(LEAKY_GRAD), NAME(SIGMOID_GRAD),
    NAME(TANH_GRAD), NAME(ELU_GRAD), NAME(RELU6_GRAD), NAME(GELU_GRAD),
    NAME(GELU_TANH_GRAD), NAME(SILU_GRAD), NAME(ABS_GRAD),
    NAME(SOFTPLUS_GRAD), NAME(AFFINE), NAME(AFFINE2), NAME(DROPOUT),
    NAME(DROP_SAMPLE), NAME(STORE), NAME(ACCUMULATE), NAME(SUM),
    NAME(SUM_MOMENTS), NAME(SUM_PRODUCT), NAME(SUM_CENTRED), NAME(SUM_ALL),
    NAME(SUM_PRODUCT_ALL),
};
static const char *const kind_names[] = {
    "", " full", " feature", " row", " sample", " sample_feature", " scalar",
    " const", " temp", " input", " own"
};

const char *recipe_name(int index)
{
    static char text[300];
    const struct recipe *recipe = recipes + index;

    text[0] = 0;
    for (int i = 0; i < recipe->count; i++) {
        strcat(text, i ? ", " : "");
        strcat(text, op_names[recipe->part[i].op]);
        strcat(text, kind_names[recipe->part[i].kind]);
    }
    return text;
}

static int is_rounded(int op)
{
    return op == RNET_DIV || op == RNET_RDIV || op == RNET_LEAKY
           || (op >= RNET_GELU && op <= RNET_SQRT) || op == RNET_ELU
           || op == RNET_SOFTPLUS || op == RNET_LEAKY_GRAD
           || op == RNET_ELU_GRAD
           || (op >= RNET_GELU_GRAD && op <= RNET_SILU_GRAD)
           || op == RNET_SOFTPLUS_GRAD || op == RNET_DROPOUT
           || op == RNET_DROP_SAMPLE;
}

/* 0: small errors of acc become large, or NaN; 1: results are rounded; 2: whole
 * numbers stay whole. */
int recipe_is_smooth(int index)
{
    int smooth = 2;

    for (int i = 0; i < recipes[index].count; i++) {
        const struct part *part = recipes[index].part + i;

        if (part->op == RNET_RDIV || part->op == RNET_LOG
            || part->op == RNET_SQRT || part->op == RNET_EXP
            || (part->op == RNET_DIV && part->kind == RNET_TEMP)
            || (part->op >= RNET_RELU_GRAD && part->op <= RNET_ABS_GRAD
                && part->kind == RNET_TEMP))
            return 0;
        if (is_rounded(part->op))
            smooth = 1;
    }
    return smooth;
}

/* -------------------------------------------------------------------- tails */

static long samples_of(struct shape shape)
{
    return shape.rows / shape.per_sample;
}

/* Divisors are not 0.  *own becomes the value that is read. */
static void fill_operand(struct trial *t, struct rnet_step *step,
                         struct shape shape, struct value *own)
{
    long count = step->kind == RNET_FEATURE ? shape.features
                 : step->kind == RNET_ROW ? shape.rows
                 : step->kind == RNET_SAMPLE ? samples_of(shape) : 1;
    int low = step->op == RNET_DIV ? 1 : -2;

    if (step->kind == RNET_FULL) {
        *own = given(t, shape, low, 2);
        step->x = own->p;
        step->stride = own->stride;
    } else if (step->kind == RNET_SAMPLE_FEATURE) {
        step->stride = shape.features + pick(t, 3);
        count = samples_of(shape) * step->stride;
        step->x = caller(t, count, low, 2);
    } else if (step->kind == RNET_TEMP) {
        step->stride = 2;
    } else if (step->kind != RNET_CONST && step->kind != RNET_NONE) {
        step->x = caller(t, count, low, 2);
    }
}

/* Where the step before it read, or where it is told. */
static void fill_store(struct trial *t, struct rnet_step *step, int kind,
                       struct shape shape, const struct value *own)
{
    struct value v;

    if (kind == RNET_TEMP) {
        step->stride = 2;
        return;
    }
    if (kind == OWN && !own->p)     /* it read the kernel's input */
        kind = RNET_FULL;
    v = kind == OWN ? *own
        : step->op == RNET_STORE ? asked(t, shape) : given(t, shape, -2, 2);
    if (kind == OWN || step->op == RNET_ACCUMULATE)
        result(t, v);
    step->kind = RNET_FULL;
    step->x = v.p;
    step->stride = v.stride;
}

static long rows_of_chunk(struct shape shape)
{
    return shape.layout == RNET_STRIPS ? 32 : shape.per_sample;
}

static long lines_of_sum(enum rnet_op op)
{
    return op == RNET_SUM_MOMENTS ? 3 : op == RNET_SUM_CENTRED ? 2 : 1;
}

static void fill_sums(struct trial *t, struct rnet_step *step,
                      struct shape shape, struct sums *sums)
{
    long chunks = shape.layout == RNET_STRIPS ? lines_of(shape)
                                              : samples_of(shape);
    long line = step->op >= RNET_SUM_ALL ? 1
                : lines_of_sum(step->op) * shape.features;

    sums->count = chunks * line;
    sums->result = t->result_count;
    step->sums = added_to(t, room(t, sums->count, 4), sums->count);
    if (t->book) {
        sums->sum = numbers(t, sums->count);
        sums->reach = numbers(t, sums->count);
    }
}

static int reads_map(const struct rnet_step *step)
{
    return step->kind == RNET_FULL
           && (step->op == RNET_SUM_CENTRED || step->op == RNET_AFFINE2
               || (step->op >= RNET_RELU_GRAD
                   && step->op <= RNET_SOFTPLUS_GRAD));
}

static struct rnet_step make_step(struct trial *t, struct part part,
                                  struct list *list, struct value *own)
{
    struct shape shape = list->shape;
    struct rnet_step step = { .op = part.op, .kind = part.kind };

    step.value = step.op == RNET_DROPOUT ? (float)pick(t, 5) / 4
                 : step.kind == RNET_CONST ? 3 : 0.5f;
    step.key = 5;
    if (step.op == RNET_STORE || step.op == RNET_ACCUMULATE) {
        fill_store(t, &step, part.kind, shape, own);
        return step;
    }
    if (t->takes_input && reads_map(&step) && pick(t, 2))
        step.kind = RNET_INPUT;
    else
        fill_operand(t, &step, shape, own);
    if (step.op == RNET_AFFINE || step.op == RNET_AFFINE2) {
        step.a = params(t, shape.features, -2, 2);
        step.c = params(t, shape.features, -2, 2);
    }
    if (step.op == RNET_AFFINE || step.op == RNET_AFFINE2
        || step.op == RNET_SUM_CENTRED)
        step.b = params(t, shape.features, -2, 2);
    if (step.op >= RNET_SUM)
        fill_sums(t, &step, shape, list->sums + list->count);
    return step;
}

/* Steps that have a TEMP store into it first; kinds that a kernel's operand
 * cannot be are left out by who asks. */
struct rnet_steps tail(struct trial *t, struct shape shape)
{
    const struct recipe *recipe = recipes + t->recipe;
    struct list *list = t->lists + t->list_count++;
    struct value own = { .shape = shape };

    list->shape = shape;
    for (int i = 0; i < recipe->count; i++, list->count++)
        list->step[list->count] = make_step(t, recipe->part[i], list, &own);
    return (struct rnet_steps) { list->step, list->count };
}

struct rnet_steps program(struct trial *t, const struct value *x, int more)
{
    static const struct part parts[] = {
        { RNET_ADD, RNET_FEATURE }, { RNET_RELU, RNET_NONE },
        { RNET_AFFINE, RNET_NONE }, { RNET_ADD, RNET_FULL },
        { RNET_MUL, RNET_SAMPLE_FEATURE }, { RNET_RELU_GRAD, RNET_FULL },
        { RNET_AFFINE2, RNET_FULL }, { RNET_SUB, RNET_SCALAR },
        { RNET_MAX, RNET_FULL }, { RNET_MIN, RNET_CONST },
        { RNET_ADD, RNET_ROW }, { RNET_RSUB, RNET_SAMPLE },
        { RNET_RELU6, RNET_NONE }, { RNET_LEAKY, RNET_NONE },
        { RNET_ABS, RNET_NONE }, { RNET_ABS_GRAD, RNET_FULL },
        { RNET_DROP_SAMPLE, RNET_NONE },
    };
    const int count = (int)(sizeof parts / sizeof parts[0]);
    struct list *list = t->lists + t->list_count++;
    struct value own;

    list->shape = x->shape;
    list->step[list->count++] = (struct rnet_step) {
        .op = RNET_LOAD, .kind = RNET_FULL, .x = x->p, .stride = x->stride
    };
    for (; more > 0; more--, list->count++)
        list->step[list->count] = make_step(t, parts[pick(t, count)], list,
                                           &own);
    return (struct rnet_steps) { list->step, list->count };
}

/* ------------------------------------------------------------- the textbook */

static double normal(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2);
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static double inner(double x)
{
    return 2 * sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
}

static double function(enum rnet_op op, double x, double value)
{
    switch (op) {
    case RNET_RELU: return x < 0 ? 0 : x;
    case RNET_LEAKY: return x > 0 ? x : value * x;
    case RNET_GELU: return x * normal(x);
    case RNET_GELU_TANH: return x * logistic(inner(x));
    case RNET_SILU: return x * logistic(x);
    case RNET_SIGMOID: return logistic(x);
    case RNET_TANH: return tanh(x);
    case RNET_EXP: return exp(x);
    case RNET_LOG: return log(x);
    case RNET_SQRT: return sqrt(x);
    case RNET_SQUARE: return x * x;
    case RNET_ABS: return fabs(x);
    case RNET_ELU: return x > 0 ? x : value * expm1(x);
    case RNET_RELU6: return x < 0 ? 0 : x > 6 ? 6 : x;
    default: return x > 30 ? x : log1p(exp(x));
    }
}

static double slope(enum rnet_op op, double y, double value)
{
    double s = logistic(y), u = logistic(inner(y));

    switch (op) {
    case RNET_RELU_GRAD: return y > 0;
    case RNET_LEAKY_GRAD: return y > 0 ? 1 : value;
    case RNET_SIGMOID_GRAD: return y * (1 - y);
    case RNET_TANH_GRAD: return 1 - y * y;
    case RNET_ELU_GRAD: return y > 0 ? 1 : y + value;
    case RNET_RELU6_GRAD: return y > 0 && y < 6;
    case RNET_GELU_GRAD:
        return normal(y) + y * exp(-y * y / 2) / sqrt(2 * M_PI);
    case RNET_GELU_TANH_GRAD:
        return u + y * u * (1 - u) * 2 * sqrt(2 / M_PI)
                       * (1 + 3 * 0.044715 * y * y);
    case RNET_SILU_GRAD: return s + y * s * (1 - s);
    case RNET_ABS_GRAD: return (y > 0) - (y < 0);
    default: return s;
    }
}

static double arithmetic(enum rnet_op op, double acc, double x)
{
    switch (op) {
    case RNET_LOAD: return x;
    case RNET_ADD: return acc + x;
    case RNET_SUB: return acc - x;
    case RNET_RSUB: return x - acc;
    case RNET_MUL: return acc * x;
    case RNET_DIV: return acc / x;
    case RNET_RDIV: return x / acc;
    case RNET_MAX: return fmax(acc, x);
    default: return fmin(acc, x);
    }
}

/* One element of a result, and where it lies. */
struct element {
    struct trial *t;
    struct shape shape;
    long row, feature;
    double temp[RNET_TEMPS];
};

static float *element_of(const struct element *e, float *x, long stride)
{
    struct value v = { .shape = e->shape, .p = x, .stride = stride };

    return at(&v, e->row, e->feature);
}

static double operand(const struct element *e, const struct rnet_step *step)
{
    long sample = e->row / e->shape.per_sample;

    switch (step->kind) {
    case RNET_FULL: return *element_of(e, step->x, step->stride);
    case RNET_FEATURE: return step->x[e->feature];
    case RNET_ROW: return step->x[e->row];
    case RNET_SAMPLE: return step->x[sample];
    case RNET_SAMPLE_FEATURE:
        return step->x[sample * step->stride + e->feature];
    case RNET_SCALAR: return *step->x;
    case RNET_CONST: return step->value;
    case RNET_TEMP: return e->temp[step->stride];
    case RNET_INPUT:
        return e->t->input[e->row * e->shape.features + e->feature];
    default: return 0;
    }
}

/* Word `feature` % 4 of the counter that rnet_dropout_word documents. */
static int kept(const struct element *e, const struct rnet_step *step, long row,
                long feature)
{
    const struct rnet_run *run = &e->t->run;
    const uint32_t counter[4] = { (uint32_t)row, (uint32_t)(feature / 4),
                                  step->key, (uint32_t)run->step };
    const uint32_t key[2] = { (uint32_t)run->seed,
                              (uint32_t)(run->seed >> 32) };
    uint32_t words[4];

    rnet_philox(counter, key, words);
    return words[feature % 4] >= (double)step->value * 4294967296.0;
}

static void add_sum(struct sums *sums, long i, double x)
{
    sums->sum[i] += x;
    sums->reach[i] += fabs(x);
}

static void sum(const struct element *e, const struct rnet_step *step,
                struct sums *sums, double acc)
{
    long chunk = e->row / rows_of_chunk(e->shape), n = e->shape.features;
    long line = lines_of_sum(step->op) * chunk * n + e->feature;
    double x = operand(e, step), b = step->b ? step->b[e->feature] : 0;

    switch (step->op) {
    case RNET_SUM: add_sum(sums, line, acc); break;
    case RNET_SUM_PRODUCT: add_sum(sums, line, acc * x); break;
    case RNET_SUM_ALL: add_sum(sums, chunk, acc); break;
    case RNET_SUM_PRODUCT_ALL: add_sum(sums, chunk, acc * x); break;
    case RNET_SUM_MOMENTS:
        add_sum(sums, line, acc);
        add_sum(sums, line + n, acc * acc);
        break;
    default:
        add_sum(sums, line, acc);
        add_sum(sums, line + n, acc * (x - b));
    }
}

static void finish_sums(struct trial *t, const struct list *list)
{
    for (int i = 0; i < list->count; i++)
        for (long k = 0; k < list->sums[i].count; k++) {
            const struct sums *sums = list->sums + i;
            double *reach = &t->results[sums->result].reach;

            list->step[i].sums[k] = (float)sums->sum[k];
            *reach = fmax(*reach, sums->reach[k]);
        }
}

static void store(struct element *e, const struct rnet_step *step, double acc)
{
    if (step->kind == RNET_TEMP)
        e->temp[step->stride] = acc
            + (step->op == RNET_STORE ? 0 : e->temp[step->stride]);
    else
        *element_of(e, step->x, step->stride) = (float)(acc
            + (step->op == RNET_STORE
                   ? 0 : *element_of(e, step->x, step->stride)));
}

static double apply(struct element *e, const struct rnet_step *step, double acc)
{
    enum rnet_op op = step->op;
    long f = e->feature, sample = e->row / e->shape.per_sample;

    if (op <= RNET_MIN)
        return arithmetic(op, acc, operand(e, step));
    if (op <= RNET_SOFTPLUS)
        return function(op, acc, step->value);
    if (op <= RNET_SOFTPLUS_GRAD)
        return acc * slope(op, operand(e, step), step->value);
    if (op == RNET_AFFINE)
        return acc * step->a[f] + step->b[f];
    if (op == RNET_AFFINE2)
        return acc * step->a[f] + step->b[f] * operand(e, step) + step->c[f];
    if (op == RNET_DROPOUT)
        return kept(e, step, e->row, f) ? acc / (1 - step->value) : 0;
    if (op == RNET_DROP_SAMPLE)
        return kept(e, step, sample, 0) ? acc / (1 - step->value) : 0;
    store(e, step, acc);
    return acc;
}

/* The lines of a chunk about 0, as the book has them: about which row they are
 * is the kernel's choice. */
static void about_zero(float *line, long features, long rows)
{
    for (long f = 0; f < features; f++, line++) {
        double sum = line[0], centre = line[2 * features];

        line[0] = (float)(sum + (double)rows * centre);
        line[features] = (float)(line[features]
                                 + centre * (2 * sum + (double)rows * centre));
        line[2 * features] = 0;
    }
}

void settle_sums(struct trial *t)
{
    for (int k = 0; k < t->list_count; k++) {
        struct shape shape = t->lists[k].shape;
        long each = rows_of_chunk(shape), rows = shape.rows;

        for (int i = 0; i < t->lists[k].count; i++) {
            const struct rnet_step *step = t->lists[k].step + i;
            float *line = step->sums;

            for (long at = 0; step->op == RNET_SUM_MOMENTS && at < rows;
                 at += each, line += 3 * shape.features)
                about_zero(line, shape.features,
                           rows - at < each ? rows - at : each);
        }
    }
}

void book_steps(struct trial *t, struct rnet_steps steps, double *acc)
{
    struct list *list = t->lists;

    while (list->step != steps.step)
        list++;
    for (long row = 0; row < list->shape.rows; row++)
        for (long f = 0; f < list->shape.features; f++) {
            struct element e = { .t = t, .shape = list->shape, .row = row,
                                 .feature = f };
            double *a = acc + row * list->shape.features + f;

            for (int i = 0; i < steps.count; i++)
                if (steps.step[i].op >= RNET_SUM)
                    sum(&e, steps.step + i, list->sums + i, *a);
                else
                    *a = apply(&e, steps.step + i, *a);
        }
    finish_sums(t, list);
}
