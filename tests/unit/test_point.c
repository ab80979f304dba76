/* test_point.c: every step with every kind of operand, in both layouts and at
 * awkward sizes: vectors against the scalar twin, and the twin against formulas
 * written out here.  Data are small whole numbers wherever the result is
 * exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/isa.h"
#include "../../runtime/kernels/point.h"
#include "values.h"

/* ------------------------------------------------------------------- a case */

/* Everything that a step may point at. */
struct world {
    struct rnet_rows rows;
    long features, chunks;
    struct rnet_run run;
    struct rnet_work work;
    struct value x, other;
    struct array feature[4], row, sample, sample_feature, scalar;
};

static struct world world(enum rnet_layout layout, long rows, long features,
                          long rows_per_sample)
{
    struct world w = { .rows = { layout, rows, rows_per_sample },
                       .features = features };
    long samples = rows / rows_per_sample;

    w.chunks = layout == RNET_STRIPS ? (rows + 31) / 32 : samples;
    w.run.seed = 0x123456789abcdef;
    w.run.step = 5;
    w.x = value(w.rows, features, 1);
    w.other = value(w.rows, features, 1);
    for (int i = 0; i < 4; i++)
        w.feature[i] = array(features, 1);
    w.row = array(rows, 1);
    w.sample = array(samples, 1);
    w.sample_feature = array(samples * (features + 2), 1);
    w.scalar = array(1, 1);
    return w;
}

static void world_free(struct world *w)
{
    rnet_free(w->x.array.all);
    rnet_free(w->other.array.all);
    for (int i = 0; i < 4; i++)
        rnet_free(w->feature[i].all);
    rnet_free(w->row.all);
    rnet_free(w->sample.all);
    rnet_free(w->sample_feature.all);
    rnet_free(w->scalar.all);
}

static struct rnet_step full(enum rnet_op op, const struct value *v)
{
    return (struct rnet_step) { .op = op, .kind = RNET_FULL, .x = v->p,
                                .stride = v->stride };
}

static struct rnet_step with_kind(const struct world *w, enum rnet_op op,
                                  enum rnet_kind kind)
{
    struct rnet_step step = { .op = op, .kind = kind, .value = 0.5f,
                              .a = w->feature[1].p, .b = w->feature[2].p,
                              .c = w->feature[3].p, .key = 7 };

    switch (kind) {
    case RNET_FULL:
        step.x = w->other.p;
        step.stride = w->other.stride;
        break;
    case RNET_FEATURE:
        step.x = w->feature[0].p;
        break;
    case RNET_ROW:
        step.x = w->row.p;
        break;
    case RNET_SAMPLE:
        step.x = w->sample.p;
        break;
    case RNET_SAMPLE_FEATURE:
        step.x = w->sample_feature.p;
        step.stride = w->features + 2;
        break;
    case RNET_SCALAR:
        step.x = w->scalar.p;
        break;
    case RNET_TEMP:
        step.stride = 2;
        break;
    default:
        break;
    }
    return step;
}

/* What operand (row, feature) is, as the header says. */
static double operand(const struct world *w, enum rnet_kind kind, long r,
                      long f)
{
    long sample = r / w->rows.rows_per_sample;

    switch (kind) {
    case RNET_FULL:
    case RNET_TEMP:
        return w->other.p[place(w->rows.layout, w->other.stride, r, f)];
    case RNET_FEATURE:
        return w->feature[0].p[f];
    case RNET_ROW:
        return w->row.p[r];
    case RNET_SAMPLE:
        return w->sample.p[sample];
    case RNET_SAMPLE_FEATURE:
        return w->sample_feature.p[sample * (w->features + 2) + f];
    case RNET_SCALAR:
        return *w->scalar.p;
    default:
        return 0.5;
    }
}

/* acc = x; temporary 2 = other; op; y = acc; accumulated += acc. */
static void run_case(const struct world *w, struct rnet_step step,
                     const struct value *y, const struct value *more)
{
    struct rnet_step list[6] = {
        full(RNET_LOAD, &w->other),
        { .op = RNET_STORE, .kind = RNET_TEMP, .stride = 2 },
        full(RNET_LOAD, &w->x),
        step,
        full(RNET_STORE, y),
        full(RNET_ACCUMULATE, more),
    };

    rnet_point(&w->run, w->rows, w->features, (struct rnet_steps) { list, 6 });
}

/* Transcendental steps agree to a few units, the others exactly. */
static double tolerance(enum rnet_op op)
{
    switch (op) {
    case RNET_GELU: case RNET_GELU_TANH: case RNET_SILU: case RNET_SIGMOID:
    case RNET_TANH: case RNET_EXP: case RNET_LOG: case RNET_ELU:
    case RNET_SOFTPLUS: case RNET_GELU_GRAD: case RNET_GELU_TANH_GRAD:
    case RNET_SILU_GRAD: case RNET_SOFTPLUS_GRAD: case RNET_DROPOUT:
    case RNET_DROP_SAMPLE:
        return 1e-6;
    default:
        return 0;
    }
}

/* 1 where the formula is plain arithmetic, which `truth` has. */
static int formula(enum rnet_op op, double acc, double x, double *truth)
{
    switch (op) {
    case RNET_LOAD: *truth = x; return 1;
    case RNET_ADD: *truth = acc + x; return 1;
    case RNET_SUB: *truth = acc - x; return 1;
    case RNET_RSUB: *truth = x - acc; return 1;
    case RNET_MUL: *truth = acc * x; return 1;
    case RNET_DIV: *truth = (float)(acc / x); return 1;
    case RNET_RDIV: *truth = (float)(x / acc); return 1;
    case RNET_MAX: *truth = acc > x ? acc : x; return 1;
    case RNET_MIN: *truth = acc < x ? acc : x; return 1;
    case RNET_RELU: *truth = acc > 0 ? acc : 0; return 1;
    case RNET_LEAKY: *truth = acc > 0 ? acc : 0.5 * acc; return 1;
    case RNET_RELU6: *truth = acc < 0 ? 0 : acc > 6 ? 6 : acc; return 1;
    case RNET_SQUARE: *truth = acc * acc; return 1;
    case RNET_ABS: *truth = fabs(acc); return 1;
    case RNET_RELU_GRAD: *truth = x > 0 ? acc : 0; return 1;
    case RNET_LEAKY_GRAD: *truth = x > 0 ? acc : 0.5 * acc; return 1;
    case RNET_RELU6_GRAD: *truth = x > 0 && x < 6 ? acc : 0; return 1;
    case RNET_SIGMOID_GRAD: *truth = acc * x * (1 - x); return 1;
    case RNET_TANH_GRAD: *truth = acc * (1 - x * x); return 1;
    case RNET_ELU_GRAD: *truth = x > 0 ? acc : acc * (x + 0.5); return 1;
    case RNET_ABS_GRAD: *truth = x > 0 ? acc : -acc; return 1;
    default: return 0;
    }
}

static void check_formula(const struct world *w, struct rnet_step step,
                          const struct value *y)
{
    for (long r = 0; r < w->rows.rows; r++)
        for (long f = 0; f < w->features; f++) {
            double acc = w->x.p[place(w->rows.layout, w->x.stride, r, f)];
            double truth, x = operand(w, step.kind, r, f);
            float got = y->p[place(w->rows.layout, y->stride, r, f)];

            if (step.op == RNET_AFFINE)
                truth = acc * step.a[f] + step.b[f];
            else if (step.op == RNET_AFFINE2)
                truth = acc * step.a[f] + step.b[f] * x + step.c[f];
            else if (!formula(step.op, acc, x, &truth))
                return;
            if (got != truth)
                fail_msg("op %d kind %d, layout %d, (%ld, %ld): %g, not %g",
                         step.op, step.kind, w->rows.layout, r, f,
                         (double)got, truth);
        }
}

static void check_case(const struct world *w, enum rnet_op op,
                       enum rnet_kind kind)
{
    struct rnet_step step = with_kind(w, op, kind);
    struct value y[2], more[2];

    for (int isa = 0; isa < RNET_ISAS; isa++) {
        int k = isa > 0;
        int exact;

        if (!use(isa))
            continue;
        y[k] = value(w->rows, w->features, 0);
        random_state = 99;
        more[k] = value(w->rows, w->features, 1);
        run_case(w, step, y + k, more + k);
        exact = same_value(w->rows, w->features, y, y + k, tolerance(op))
                && same_value(w->rows, w->features, more, more + k,
                              tolerance(op) * 4);
        if (!k)
            check_formula(w, step, y);
        if (!exact || !intact(w->rows, w->features, y + k)
            || !intact(w->rows, w->features, more + k))
            fail_msg("%s: op %d kind %d, layout %d, %ld x %ld: %s", names[isa],
                     op, kind, w->rows.layout, w->rows.rows, w->features,
                     exact ? "wrote outside" : "differs from the twin");
        if (k) {
            rnet_free(y[1].array.all);
            rnet_free(more[1].array.all);
        }
    }
    rnet_free(y[0].array.all);
    rnet_free(more[0].array.all);
}

static int takes_operand(enum rnet_op op)
{
    return op <= RNET_MIN
           || (op >= RNET_RELU_GRAD && op <= RNET_SOFTPLUS_GRAD)
           || op == RNET_AFFINE2;
}

static void check_world(struct world *w)
{
    for (int op = 0; op <= RNET_DROP_SAMPLE; op++) {
        if (!takes_operand((enum rnet_op)op)) {
            check_case(w, (enum rnet_op)op, RNET_NONE);
            continue;
        }
        for (int kind = RNET_FULL; kind <= RNET_TEMP; kind++)
            check_case(w, (enum rnet_op)op, (enum rnet_kind)kind);
    }
}

static void every_step(void **state)
{
    static const int shapes[][3] = {    /* rows, features, rows of a sample */
        { 1, 1, 1 }, { 33, 17, 1 }, { 64, 32, 1 }, { 12, 16, 4 },
        { 66, 65, 33 }, { 98, 12, 49 }, { 5, 300, 5 }, { 40, 100, 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (int layout = 0; layout < 2; layout++) {
            struct world w = world((enum rnet_layout)layout, shapes[i][0],
                                   shapes[i][1], shapes[i][2]);

            check_world(&w);
            world_free(&w);
        }
}

static void every_size(void **state)
{
    (void)state;
    for (int i = 0; i < SIZES; i++)
        for (int j = 0; j < SIZES; j++)
            for (int layout = 0; layout < 2; layout++) {
                struct world w = world((enum rnet_layout)layout, sizes[i],
                                       sizes[j], 1);

                check_case(&w, RNET_ADD, RNET_FULL);
                check_case(&w, RNET_MUL, RNET_FEATURE);
                check_case(&w, RNET_SUB, RNET_ROW);
                check_case(&w, RNET_AFFINE2, RNET_FULL);
                check_case(&w, RNET_DROPOUT, RNET_NONE);
                world_free(&w);
            }
}

/* --------------------------------------------------------------------- sums */

static long rows_of_chunk(const struct world *w)
{
    return w->rows.layout == RNET_STRIPS ? 32 : w->rows.rows_per_sample;
}

/* Terms of the two lines of a sum at (row, feature). */
static void terms(const struct world *w, const struct rnet_step *step, long r,
                  long f, double *first, double *second)
{
    double acc = w->x.p[place(w->rows.layout, w->x.stride, r, f)];
    double x = operand(w, step->kind, r, f);

    *first = acc;
    *second = 0;
    if (step->op == RNET_SUM_PRODUCT || step->op == RNET_SUM_PRODUCT_ALL)
        *first = acc * x;
    if (step->op == RNET_SUM_MOMENTS) {
        long start = r - r % rows_of_chunk(w);

        *first = acc - (double)w->x.p[place(w->rows.layout, w->x.stride, start,
                                            f)];
        *second = *first * *first;
    }
    if (step->op == RNET_SUM_CENTRED)
        *second = acc * (x - step->b[f]);
}

static struct array lines_of(const struct world *w, const struct rnet_step *step)
{
    int all = step->op >= RNET_SUM_ALL;
    int moments = step->op == RNET_SUM_MOMENTS;
    int two = moments || step->op == RNET_SUM_CENTRED;
    long wide = all ? 1 : w->features * (1 + two + moments);
    long each = rows_of_chunk(w);
    struct array sums = array(w->chunks * wide, 0);

    for (long i = 0; i < sums.count; i++)
        sums.p[i] = 0;
    for (long r = 0; r < w->rows.rows; r++)
        for (long f = 0; f < w->features; f++) {
            float *line = sums.p + r / each * wide + (all ? 0 : f);
            double first, second;

            terms(w, step, r, f, &first, &second);
            line[0] += (float)first;
            if (two)
                line[w->features] += (float)second;
            if (moments && r % each == 0)
                line[2 * w->features] =
                    w->x.p[place(w->rows.layout, w->x.stride, r, f)];
        }
    return sums;
}

static void check_sums(const struct world *w, enum rnet_op op,
                       enum rnet_kind kind)
{
    struct rnet_step step = with_kind(w, op, kind);
    struct array expected = lines_of(w, &step);

    for (int isa = 0; isa < RNET_ISAS; isa++) {
        struct array sums = array(expected.count, 0);
        struct rnet_step list[2] = { full(RNET_LOAD, &w->x), step };

        if (use(isa)) {
            list[1].sums = sums.p;
            rnet_point(&w->run, w->rows, w->features,
                       (struct rnet_steps) { list, 2 });
            for (long i = 0; i < sums.count; i++)
                if (sums.p[i] != expected.p[i])
                    fail_msg("%s: sum %d kind %d, layout %d, %ld x %ld: "
                             "%ld is %g, not %g", names[isa], op, kind,
                             w->rows.layout, w->rows.rows, w->features, i,
                             (double)sums.p[i], (double)expected.p[i]);
            for (long i = 0; i < GUARD; i++)
                assert_true(isnan(sums.all[i])
                            && isnan(sums.p[sums.count + i]));
        }
        rnet_free(sums.all);
    }
    rnet_free(expected.all);
}

static void sums(void **state)
{
    (void)state;
    for (int i = 0; i < SIZES; i++)
        for (int j = 0; j < SIZES; j++)
            for (int layout = 0; layout < 2; layout++)
                for (int op = RNET_SUM; op < RNET_OPS; op++) {
                    struct world w = world((enum rnet_layout)layout,
                                           2 * sizes[i], sizes[j], sizes[i]);

                    check_sums(&w, (enum rnet_op)op, RNET_FULL);
                    check_sums(&w, (enum rnet_op)op, RNET_ROW);
                    check_sums(&w, (enum rnet_op)op, RNET_SAMPLE_FEATURE);
                    world_free(&w);
                }
}

/* -------------------------------------------------------------------- lists */

/* Lists of up to ten steps: bit i of `chosen` takes the i-th of these. */
enum { LISTED = 10 };

static int list_of(const struct world *w, int chosen, const struct value *to,
                   float *const sums[2], struct rnet_step *list)
{
    const struct rnet_step all[LISTED] = {
        with_kind(w, RNET_AFFINE, RNET_NONE),
        with_kind(w, RNET_AFFINE2, RNET_FULL),
        with_kind(w, RNET_ADD, RNET_FEATURE), with_kind(w, RNET_ADD, RNET_FULL),
        { .op = RNET_RELU }, with_kind(w, RNET_RELU_GRAD, RNET_FULL),
        { .op = RNET_SUM_MOMENTS, .sums = sums[0] },
        { .op = RNET_SUM_CENTRED, .kind = RNET_FULL, .x = w->other.p,
          .stride = w->other.stride, .b = w->feature[3].p, .sums = sums[1] },
        full(RNET_STORE, to), full(RNET_ACCUMULATE, to)
    };
    int count = 1;

    list[0] = full(RNET_LOAD, &w->x);
    for (int i = 0; i < LISTED; i++)
        if (chosen >> i & 1)
            list[count++] = all[i];
    return count;
}

struct outcome { struct value to; struct array sums[2]; };

static struct outcome run_list(const struct world *w, int chosen)
{
    struct outcome out;
    struct rnet_step list[LISTED + 1];
    int count;

    random_state = 7;
    out.to = value(w->rows, w->features, 1);
    for (int i = 0; i < 2; i++)
        out.sums[i] = array(w->chunks * 3 * w->features, 0);
    count = list_of(w, chosen, &out.to,
                    (float *[2]) { out.sums[0].p, out.sums[1].p }, list);
    rnet_point(&w->run, w->rows, w->features,
               (struct rnet_steps) { list, count });
    return out;
}

static void outcome_free(struct outcome *out)
{
    rnet_free(out->to.array.all);
    rnet_free(out->sums[0].all);
    rnet_free(out->sums[1].all);
}

static int same_outcome(const struct world *w, const struct outcome *a,
                        const struct outcome *b)
{
    size_t bytes = (size_t)(a->sums[0].count + 2 * GUARD) * sizeof(float);

    return same_value(w->rows, w->features, &a->to, &b->to, 0)
           && intact(w->rows, w->features, &b->to)
           && !memcmp(a->sums[0].all, b->sums[0].all, bytes)
           && !memcmp(a->sums[1].all, b->sums[1].all, bytes);
}

static void check_lists(const struct world *w)
{
    for (int chosen = 0; chosen < 1 << LISTED; chosen++) {
        assert_int_equal(rnet_isa_use(RNET_ISA_SCALAR), RNET_ISA_SCALAR);
        struct outcome truth = run_list(w, chosen);

        for (int isa = 1; isa < RNET_ISAS; isa++) {
            if (!use(isa))
                continue;
            struct outcome out = run_list(w, chosen);

            if (!same_outcome(w, &truth, &out))
                fail_msg("%s: list %x, %ld x %ld differs from the twin",
                         names[isa], (unsigned)chosen, w->rows.rows,
                         w->features);
            outcome_free(&out);
        }
        outcome_free(&truth);
    }
}

/* Every choice of steps that have a sweep of their own, and more. */
static void lists(void **state)
{
    static const int shapes[][3] = {    /* rows, features, rows of a sample */
        { 6, 16, 3 }, { 130, 16, 65 }, { 9, 48, 9 }, { 5, 272, 1 },
        { 14, 33, 7 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct world w = world(RNET_PLAIN, shapes[i][0], shapes[i][1],
                               shapes[i][2]);

        check_lists(&w);
        world_free(&w);
    }
}

static void add_sums(void **state)
{
    static const int chunks[] = { 0, 1, 7, 300 };
    struct rnet_run run = { 0 };

    (void)state;
    for (int c = 0; c < 4; c++)
        for (int j = 0; j < SIZES; j++) {
            struct array y = array(sizes[j], 1);
            struct array lines = array((sizes[j] + 3) * chunks[c] + 1, 1);
            struct array before = array(sizes[j], 0);

            memcpy(before.p, y.p, (size_t)sizes[j] * sizeof(float));
            rnet_add_sums(&run, y.p, lines.p, chunks[c], sizes[j] + 3,
                          sizes[j], 0.5f);
            for (int f = 0; f < sizes[j]; f++) {
                float sum = 0;

                for (int k = 0; k < chunks[c]; k++)
                    sum += lines.p[k * (sizes[j] + 3) + f];
                assert_true(y.p[f] == before.p[f] + 0.5f * sum);
            }
            assert_true(isnan(y.p[sizes[j]]));
            rnet_free(y.all);
            rnet_free(lines.all);
            rnet_free(before.all);
        }
}

/* ------------------------------------------------------------------ the rest */

/* Dropout keeps what rnet_dropout_word says. */
static void dropout(void **state)
{
    (void)state;
    for (int layout = 0; layout < 2; layout++) {
        struct world w = world((enum rnet_layout)layout, 70, 37, 7);
        struct rnet_step step = with_kind(&w, RNET_DROPOUT, RNET_NONE);

        step.value = 0.25f;
        for (int isa = 0; isa < RNET_ISAS; isa++) {
            struct value y = value(w.rows, 37, 0), more = value(w.rows, 37, 1);

            if (use(isa)) {
                run_case(&w, step, &y, &more);
                for (long r = 0; r < 70; r++)
                    for (long f = 0; f < 37; f++) {
                        uint32_t word = rnet_dropout_word(&w.run, 7, r, f);
                        float x = w.x.p[place(w.rows.layout, w.x.stride, r, f)];
                        float kept = word >= 0x40000000u
                                         ? x * (float)(1 / 0.75) : 0;

                        assert_true(y.p[place(w.rows.layout, y.stride, r, f)]
                                    == kept);
                    }
            }
            rnet_free(y.array.all);
            rnet_free(more.array.all);
        }
        world_free(&w);
    }
}

/* A batch is kept as its word says: always with p = 0, else 1 - p of the
 * steps, to within five standard errors. */
static void batches_kept(void **state)
{
    enum { STEPS = 40000 };
    static const float chances[] = { 0, 0.1f, 0.25f, 0.5f, 0.999f };
    struct rnet_run run = { .seed = 5 };

    (void)state;
    for (int i = 0; i < 5; i++) {
        double p = (double)chances[i], kept = 0;

        for (run.step = 0; run.step < STEPS; run.step++) {
            double word = rnet_dropout_word(&run, (uint32_t)i, 0, 0);
            int keeps = rnet_keeps_batch(&run, i, chances[i]);

            assert_int_equal(keeps, word >= p * 4294967296.0);
            kept += keeps;
        }
        assert_true(fabs(kept - STEPS * (1 - p))
                    <= 5 * sqrt(STEPS * p * (1 - p)));
    }
}

typedef void steps_kernel(const struct rnet_run *run,
                          const struct rnet_tile *tile,
                          struct rnet_steps steps);
steps_kernel rnet_scalar_steps, rnet_base_steps;
#if defined __x86_64__
steps_kernel rnet_avx2_steps, rnet_avx512_steps;
#endif

/* A convolution's tile: rows apart, operands from its input. */
static void tile_with_gaps(void **state)
{
    static steps_kernel *const kernels[RNET_ISAS] = {
        rnet_scalar_steps, rnet_base_steps,
#if defined __x86_64__
        rnet_avx2_steps, rnet_avx512_steps,
#endif
    };
    static float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    struct array input = array(400, 1), y = array(60 * 20, 0);
    struct rnet_run run = { 0 };
    struct rnet_step list[] = {
        { .op = RNET_LOAD, .kind = RNET_INPUT },
        { .op = RNET_STORE, .kind = RNET_FULL, .x = y.p, .stride = 20 },
    };
    struct rnet_tile tile = {
        .acc = acc, .acc_stride = 32, .outer = 5, .inner = 12,
        .layout = RNET_PLAIN, .row = 3, .row_step = 7, .feature = 8,
        .features = 20, .rows_per_sample = 60, .input = input.p,
        .input_stride = 50,
    };

    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++) {
        if (!use(isa) || !kernels[isa])
            continue;
        kernels[isa](&run, &tile, (struct rnet_steps) { list, 2 });
        for (long i = 0; i < 60 * 20; i++) {
            long row = i / 20 - 3, f = i % 20 - 8;
            int inside = row % 7 == 0 && row >= 0 && row / 7 < 5 && f >= 0
                         && f < 12;

            if (inside)
                assert_true(y.p[i] == input.p[row / 7 * 50 + 8 + f]);
            else
                assert_true(isnan(y.p[i]));
            y.p[i] = NAN;
        }
    }
    rnet_free(input.all);
    rnet_free(y.all);
}

/* NaN goes through ReLU, and through MAX and MIN from either side. */
static void nan_stays(void **state)
{
    static const enum rnet_op ops[] = { RNET_RELU, RNET_LEAKY, RNET_MAX,
                                        RNET_MIN };

    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (int k = 0; k < 6 && use(isa); k++) {
            struct world w = world(RNET_PLAIN, 3, 20, 1);
            struct value y = value(w.rows, 20, 0), more = value(w.rows, 20, 1);
            struct value *from = k < 4 ? &w.x : &w.other;

            from->p[7] = NAN;
            run_case(&w, with_kind(&w, ops[k < 4 ? k : k - 2], RNET_FULL), &y, &more);
            for (int f = 0; f < 20; f++)
                assert_true(!!isnan(y.p[f]) == (f == 7));
            rnet_free(y.array.all);
            rnet_free(more.array.all);
            world_free(&w);
        }
}

/* The same bits in any order of tasks. */
static void orders(void **state)
{
    (void)state;
    for (int layout = 0; layout < 2; layout++) {
        struct world w = world((enum rnet_layout)layout, 3 * 400, 700, 400);
        struct rnet_step step = with_kind(&w, RNET_SUM_MOMENTS, RNET_NONE);
        struct array lines[4];

        for (long i = 0; i < 4; i++) {
            struct rnet_step list[2] = { full(RNET_LOAD, &w.x), step };

            lines[i] = array(w.chunks * 2100, 0);
            list[1].sums = lines[i].p;
            w.work = (struct rnet_work) { .parallel_for = play, .user = &i,
                                          .workers = 7 };
            w.run.work = i ? &w.work : NULL;
            use(RNET_ISAS - 1);
            rnet_point(&w.run, w.rows, 700, (struct rnet_steps) { list, 2 });
            assert_memory_equal(lines[i].p, lines[0].p,
                                (size_t)lines[0].count * sizeof(float));
        }
        for (int i = 0; i < 4; i++)
            rnet_free(lines[i].all);
        world_free(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step),
        cmocka_unit_test(every_size),
        cmocka_unit_test(sums),
        cmocka_unit_test(lists),
        cmocka_unit_test(add_sums),
        cmocka_unit_test(dropout),
        cmocka_unit_test(batches_kept),
        cmocka_unit_test(tile_with_gaps),
        cmocka_unit_test(nan_stays),
        cmocka_unit_test(orders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
