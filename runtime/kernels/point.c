/* point.c: the step interpreter, on vectors.
 *
 * The operand of a step becomes a `view` first, in which element (i, j) is
 * p[i * step + j], or p[i * step] for all j; so every step is a loop over the
 * tile for each of these two, whatever the layout. */
#include <string.h>

#include "math.h"
#include "moments.h"
#include "philox.h"
#include "point.h"
#include "tail.h"

struct view {
    const float *p;
    long step;
    int varies;                 /* with j */
};

struct state {
    const struct rnet_run *run;
    const struct rnet_tile *tile;
    float gathered[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    float temp[RNET_TEMPS][RNET_TILE_FLOATS] __attribute__((aligned(64)));
};

static long width(const struct rnet_tile *tile)
{
    return tile->layout == RNET_STRIPS ? RNET_LANES : tile->inner;
}

/* ----------------------------------------------------------------- operands */

/* Element (0, 0) of a value in the tile's layout, and its step. */
static float *full(const struct rnet_tile *tile, float *x, long stride,
                   long *step)
{
    if (tile->layout == RNET_STRIPS) {
        *step = RNET_LANES;
        return x + (tile->row / RNET_LANES * stride + tile->feature)
                       * RNET_LANES;
    }
    *step = tile->row_step * stride;
    return x + tile->row * stride + tile->feature;
}

/* Strips: one value a lane, gathered from x[(lane's sample) * stride]. */
static void gather_lanes(const struct rnet_tile *tile, const float *x,
                         long stride, float *to)
{
    long rows = tile->rows_per_sample;

    for (int j = 0; j < RNET_LANES; j++)
        to[j] = j < tile->inner ? x[(tile->row + j) / rows * stride] : 0;
}

static struct view by_row(struct state *state, const float *x)
{
    const struct rnet_tile *tile = state->tile;

    if (tile->layout == RNET_PLAIN)
        return (struct view) { x + tile->row, tile->row_step, 0 };
    if (tile->inner == RNET_LANES)
        return (struct view) { x + tile->row, 0, 1 };
    memset(state->gathered, 0, RNET_LANES * sizeof(float));
    memcpy(state->gathered, x + tile->row,
           (size_t)tile->inner * sizeof(float));
    return (struct view) { state->gathered, 0, 1 };
}

static struct view by_sample(struct state *state, const float *x)
{
    const struct rnet_tile *tile = state->tile;

    if (tile->layout == RNET_PLAIN)
        return (struct view) { x + tile->sample, 0, 0 };
    gather_lanes(tile, x, 1, state->gathered);
    return (struct view) { state->gathered, 0, 1 };
}

static struct view by_sample_feature(struct state *state, const float *x,
                                     long stride)
{
    const struct rnet_tile *tile = state->tile;

    x += tile->feature;
    if (tile->layout == RNET_PLAIN)
        return (struct view) { x + tile->sample * stride, 0, 1 };
    for (int i = 0; i < tile->outer; i++)
        gather_lanes(tile, x + i, stride, state->gathered + i * RNET_LANES);
    return (struct view) { state->gathered, RNET_LANES, 1 };
}

static struct view by_feature(const struct rnet_tile *tile, const float *x)
{
    int plain = tile->layout == RNET_PLAIN;

    return (struct view) { x + tile->feature, !plain, plain };
}

static struct view operand(struct state *state, const struct rnet_step *step)
{
    const struct rnet_tile *tile = state->tile;
    struct view view = { &step->value, 0, 0 };

    switch (step->kind) {
    case RNET_NONE:
    case RNET_CONST:
        return view;
    case RNET_FULL:
        view.p = full(tile, step->x, step->stride, &view.step);
        view.varies = 1;
        return view;
    case RNET_FEATURE:
        return by_feature(tile, step->x);
    case RNET_ROW:
        return by_row(state, step->x);
    case RNET_SAMPLE:
        return by_sample(state, step->x);
    case RNET_SAMPLE_FEATURE:
        return by_sample_feature(state, step->x, step->stride);
    case RNET_SCALAR:
        return (struct view) { step->x, 0, 0 };
    case RNET_TEMP:
        return (struct view) { state->temp[step->stride], tile->acc_stride, 1 };
    case RNET_INPUT:
        return (struct view) { tile->input + tile->feature, tile->input_stride,
                               1 };
    }
    return view;
}

/* -------------------------------------------------------------- elementwise */

typedef vf operation(vf acc, vf x, vf value);

static ALWAYS_INLINE void
row_varying(float *acc, const float *x, long count, vf value, operation *f)
{
    long j = 0;

    for (; j + RNET_W <= count; j += RNET_W)
        v_store(acc + j, f(v_load(acc + j), v_loadu(x + j), value));
    if (j < count)
        v_store(acc + j, f(v_load(acc + j),
                            v_load_first(x + j, (int)(count - j)), value));
}

static ALWAYS_INLINE void
row_constant(float *acc, vf x, long count, vf value, operation *f)
{
    for (long j = 0; j < count; j += RNET_W)
        v_store(acc + j, f(v_load(acc + j), x, value));
}

/* acc = f(acc, operand, value) */
static ALWAYS_INLINE void
map(const struct rnet_tile *tile, struct view view, float value, operation *f)
{
    long count = width(tile), outer = tile->outer, stride = tile->acc_stride;
    vf all = v_set(value);

    if (count == stride && (view.step == stride || !view.varies)
        && (view.varies || !view.step)) {
        count *= outer;         /* all rows are one */
        outer = 1;
    }
    if (view.varies)
        for (long i = 0; i < outer; i++)
            row_varying(tile->acc + i * stride, view.p + i * view.step, count,
                        all, f);
    else
        for (long i = 0; i < outer; i++)
            row_constant(tile->acc + i * stride, v_set(view.p[i * view.step]),
                         count, all, f);
}

/* acc = f(acc, 0, value) */
static ALWAYS_INLINE void
map_alone(const struct rnet_tile *tile, float value, operation *f)
{
    long count = width(tile), outer = tile->outer, stride = tile->acc_stride;
    vf all = v_set(value);

    if ((count + 15) / 16 * 16 == stride) {
        count = stride * outer;
        outer = 1;
    }
    for (long i = 0; i < outer; i++)
        row_constant(tile->acc + i * stride, v_set(0), count, all, f);
}

#define OPERATION(name, formula) \
    static ALWAYS_INLINE vf name(vf acc, vf x, vf value) \
    { \
        (void)acc, (void)x, (void)value; \
        return formula; \
    }

OPERATION(do_load, x)
OPERATION(do_add, acc + x)
OPERATION(do_sub, acc - x)
OPERATION(do_rsub, x - acc)
OPERATION(do_mul, acc * x)
OPERATION(do_div, acc / x)
OPERATION(do_rdiv, x / acc)
/* NaN on either side gives NaN */
OPERATION(do_max, v_select((acc > x) | (acc != acc), acc, x))
OPERATION(do_min, v_select((acc < x) | (acc != acc), acc, x))

OPERATION(do_relu, v_keep(~(acc < 0), acc))
OPERATION(do_leaky, v_select(acc > 0, acc, value * acc))
OPERATION(do_relu6, v_select(acc > 6, v_set(6), v_keep(~(acc < 0), acc)))
OPERATION(do_gelu, v_gelu(acc))
OPERATION(do_gelu_tanh, v_gelu_tanh(acc))
OPERATION(do_silu, v_silu(acc))
OPERATION(do_sigmoid, v_sigmoid(acc))
OPERATION(do_tanh, v_tanh(acc))
OPERATION(do_exp, v_exp(acc))
OPERATION(do_log, v_log(acc))
OPERATION(do_sqrt, v_sqrt(acc))
OPERATION(do_square, acc * acc)
OPERATION(do_abs, v_abs(acc))
OPERATION(do_elu, v_select(acc > 0, acc, value * v_expm1_negative(acc)))
OPERATION(do_softplus, v_softplus(acc))

OPERATION(do_relu_grad, v_keep(x > 0, acc))
OPERATION(do_leaky_grad, v_select(x > 0, acc, value * acc))
OPERATION(do_relu6_grad, v_keep((x > 0) & (x < 6), acc))
OPERATION(do_sigmoid_grad, acc * (x * (1 - x)))
OPERATION(do_tanh_grad, acc * (1 - x * x))
OPERATION(do_elu_grad, v_select(x > 0, acc, acc * (x + value)))
OPERATION(do_gelu_grad, acc * v_gelu_slope(x))
OPERATION(do_gelu_tanh_grad, acc * v_gelu_tanh_slope(x))
OPERATION(do_silu_grad, acc * v_silu_slope(x))
OPERATION(do_abs_grad, v_keep(x > 0, acc) - v_keep(x < 0, acc))
OPERATION(do_softplus_grad, acc * v_sigmoid(x))

static void arithmetic(const struct rnet_tile *tile, struct view view,
                       enum rnet_op op)
{
    switch (op) {
    case RNET_LOAD:
        map(tile, view, 0, do_load);
        break;
    case RNET_ADD:
        map(tile, view, 0, do_add);
        break;
    case RNET_SUB:
        map(tile, view, 0, do_sub);
        break;
    case RNET_RSUB:
        map(tile, view, 0, do_rsub);
        break;
    case RNET_MUL:
        map(tile, view, 0, do_mul);
        break;
    case RNET_DIV:
        map(tile, view, 0, do_div);
        break;
    case RNET_RDIV:
        map(tile, view, 0, do_rdiv);
        break;
    case RNET_MAX:
        map(tile, view, 0, do_max);
        break;
    default:
        map(tile, view, 0, do_min);
    }
}

static void function(const struct rnet_tile *tile, enum rnet_op op, float value)
{
    switch (op) {
    case RNET_RELU:
        map_alone(tile, value, do_relu);
        break;
    case RNET_LEAKY:
        map_alone(tile, value, do_leaky);
        break;
    case RNET_GELU:
        map_alone(tile, value, do_gelu);
        break;
    case RNET_GELU_TANH:
        map_alone(tile, value, do_gelu_tanh);
        break;
    case RNET_SILU:
        map_alone(tile, value, do_silu);
        break;
    case RNET_SIGMOID:
        map_alone(tile, value, do_sigmoid);
        break;
    case RNET_TANH:
        map_alone(tile, value, do_tanh);
        break;
    case RNET_EXP:
        map_alone(tile, value, do_exp);
        break;
    case RNET_LOG:
        map_alone(tile, value, do_log);
        break;
    case RNET_SQRT:
        map_alone(tile, value, do_sqrt);
        break;
    case RNET_SQUARE:
        map_alone(tile, value, do_square);
        break;
    case RNET_ABS:
        map_alone(tile, value, do_abs);
        break;
    case RNET_RELU6:
        map_alone(tile, value, do_relu6);
        break;
    case RNET_ELU:
        map_alone(tile, value, do_elu);
        break;
    default:
        map_alone(tile, value, do_softplus);
    }
}

static void slope(const struct rnet_tile *tile, struct view view,
                  enum rnet_op op, float value)
{
    switch (op) {
    case RNET_RELU_GRAD:
        map(tile, view, value, do_relu_grad);
        break;
    case RNET_LEAKY_GRAD:
        map(tile, view, value, do_leaky_grad);
        break;
    case RNET_SIGMOID_GRAD:
        map(tile, view, value, do_sigmoid_grad);
        break;
    case RNET_TANH_GRAD:
        map(tile, view, value, do_tanh_grad);
        break;
    case RNET_RELU6_GRAD:
        map(tile, view, value, do_relu6_grad);
        break;
    case RNET_ELU_GRAD:
        map(tile, view, value, do_elu_grad);
        break;
    case RNET_GELU_GRAD:
        map(tile, view, value, do_gelu_grad);
        break;
    case RNET_GELU_TANH_GRAD:
        map(tile, view, value, do_gelu_tanh_grad);
        break;
    case RNET_SILU_GRAD:
        map(tile, view, value, do_silu_grad);
        break;
    case RNET_ABS_GRAD:
        map(tile, view, value, do_abs_grad);
        break;
    default:
        map(tile, view, value, do_softplus_grad);
    }
}

/* ------------------------------------------------------------------- affine */

/* One vector of p at j: p[j...], or p[0] in all lanes. */
static ALWAYS_INLINE vf
view_at(const float *p, long j, int count, int varies)
{
    if (!varies)
        return v_set(*p);
    return count < RNET_W ? v_load_first(p + j, count) : v_loadu(p + j);
}

/* One vector of a tile, or all vectors that share their features: a column of
 * a plain tile, a row of a strip.  acc is `count` vectors, `step` apart. */
struct line { float *acc; long count, step; };

static ALWAYS_INLINE struct line line_of(const struct rnet_tile *tile, long k)
{
    if (tile->layout == RNET_STRIPS)
        return (struct line) { tile->acc + k * RNET_LANES,
                               RNET_LANES / RNET_W, RNET_W };
    return (struct line) { tile->acc + k * RNET_W, tile->outer,
                           tile->acc_stride };
}

static ALWAYS_INLINE long line_count(const struct rnet_tile *tile)
{
    return tile->layout == RNET_STRIPS ? tile->outer
                                       : (tile->inner + RNET_W - 1) / RNET_W;
}

/* p[f] in the lanes of line k. */
static ALWAYS_INLINE vf line_factor(const struct rnet_tile *tile,
                                    const float *p, long k)
{
    p += tile->feature;
    if (tile->layout == RNET_STRIPS)
        return v_set(p[k]);
    return view_at(p, k * RNET_W, v_part(tile->inner, k * RNET_W), 1);
}

/* acc a[f] + b[f] */
static void affine(const struct rnet_tile *tile, const struct rnet_step *step)
{
    for (long k = 0; k < line_count(tile); k++) {
        struct line line = line_of(tile, k);
        vf a = line_factor(tile, step->a, k), b = line_factor(tile, step->b, k);

        for (long i = 0; i < line.count; i++, line.acc += line.step)
            v_store(line.acc, v_load(line.acc) * a + b);
    }
}

/* acc a[f] + (b[f] x + c[f]) */
static void affine2(const struct rnet_tile *tile, const struct rnet_step *step,
                    struct view x)
{
    int strips = tile->layout == RNET_STRIPS;

    for (long k = 0; k < line_count(tile); k++) {
        struct line line = line_of(tile, k);
        vf a = line_factor(tile, step->a, k), b = line_factor(tile, step->b, k);
        vf c = line_factor(tile, step->c, k);
        const float *p = x.p + (strips ? k * x.step
                                       : k * RNET_W * (x.varies != 0));
        long part = strips ? RNET_W : v_part(tile->inner, k * RNET_W);
        long next = strips ? RNET_W * (x.varies != 0) : x.step;

        for (long i = 0; i < line.count; i++, line.acc += line.step) {
            vf at = view_at(p + i * next, 0, (int)part, x.varies);

            v_store(line.acc, v_load(line.acc) * a + (at * b + c));
        }
    }
}

/* ------------------------------------------------------------------ dropout */

static struct philox_vector words_at(const struct state *state, uint32_t key,
                                     vu row, vu quad)
{
    return philox_vector(row, quad, key, (uint32_t)state->run->step,
                         state->run->seed);
}

/* Keeps acc where words say so. */
static ALWAYS_INLINE void keep(float *acc, vu words, uint32_t limit, float scale)
{
    vi kept = (vi)(words >= vu_set(limit));

    v_store(acc, v_keep(kept, v_load(acc) * scale));
}

/* Lanes are rows: one counter serves four features. */
static void dropout_strip(const struct state *state,
                          const struct rnet_step *step)
{
    const struct rnet_tile *tile = state->tile;
    uint32_t limit = rnet_dropout_limit(step->value);
    float scale = rnet_dropout_scale(step->value);
    long end = tile->feature + tile->outer;

    for (long quad = tile->feature / 4; quad * 4 < end; quad++)
        for (int j = 0; j < RNET_LANES; j += RNET_W) {
            vu row = vu_set((uint32_t)(tile->row + j)) + (vu)vi_lanes();
            struct philox_vector got = words_at(state, step->key, row,
                                                vu_set((uint32_t)quad));

            for (int k = 0; k < 4; k++) {
                long i = quad * 4 + k - tile->feature;

                if (i >= 0 && i < tile->outer)
                    keep(tile->acc + i * RNET_LANES + j, got.word[k], limit,
                         scale);
            }
        }
}

/* Words of `quads` quadruples of features of one row, in their order. */
static void row_words(const struct state *state, uint32_t key, long row,
                      long quad, long quads, uint32_t *words)
{
    for (long q = 0; q < quads; q += RNET_W) {
        vu at = vu_set((uint32_t)(quad + q)) + (vu)vi_lanes();
        struct philox_vector got = words_at(state, key, vu_set((uint32_t)row),
                                            at);

        for (int lane = 0; lane < RNET_W; lane++)
            for (int k = 0; k < 4; k++)
                *words++ = got.word[k][lane];
    }
}

static void dropout_plain(const struct state *state,
                          const struct rnet_step *step)
{
    const struct rnet_tile *tile = state->tile;
    uint32_t words[RNET_TILE_FLOATS + 8 * RNET_W], limit;
    float scale = rnet_dropout_scale(step->value);
    long quad = tile->feature / 4, skip = tile->feature % 4;

    limit = rnet_dropout_limit(step->value);
    for (int i = 0; i < tile->outer; i++) {
        float *acc = tile->acc + i * tile->acc_stride;

        row_words(state, step->key, tile->row + i * tile->row_step, quad,
                  (skip + tile->inner + 3) / 4, words);
        for (long j = 0; j < tile->inner; j += RNET_W)
            keep(acc + j, (vu)v_loadu((float *)words + skip + j), limit,
                 scale);
    }
}

/* 0 or the scale, for each lane of a strip by its sample. */
static void drop_lanes(struct state *state, const struct rnet_step *step)
{
    const struct rnet_tile *tile = state->tile;
    uint32_t limit = rnet_dropout_limit(step->value);
    float scale = rnet_dropout_scale(step->value);

    for (int j = 0; j < RNET_LANES; j += RNET_W) {
        vu sample;
        struct philox_vector got;

        for (int lane = 0; lane < RNET_W; lane++)
            sample[lane] = (uint32_t)((tile->row + j + lane)
                                      / tile->rows_per_sample);
        got = words_at(state, step->key, sample, vu_set(0));
        v_store(state->gathered + j,
                 v_keep((vi)(got.word[0] >= vu_set(limit)), v_set(scale)));
    }
}

/* NaN in a dropped element goes too. */
OPERATION(do_drop, v_keep(x != 0, acc * x))

static void drop_sample(struct state *state, const struct rnet_step *step)
{
    const struct rnet_tile *tile = state->tile;
    struct view view = { state->gathered, 0, tile->layout == RNET_STRIPS };

    if (view.varies)
        drop_lanes(state, step);
    else
        state->gathered[0] =
            rnet_dropout_word(state->run, step->key, tile->sample, 0)
                    >= rnet_dropout_limit(step->value)
                ? rnet_dropout_scale(step->value) : 0;
    map(tile, view, 0, do_drop);
}

static void dropout(struct state *state, const struct rnet_step *step)
{
    if (step->value == 0)               /* keeps all: nothing is drawn */
        return;
    if (step->op == RNET_DROP_SAMPLE)
        drop_sample(state, step);
    else if (state->tile->layout == RNET_STRIPS)
        dropout_strip(state, step);
    else
        dropout_plain(state, step);
}

/* ------------------------------------------------------------------- stores */

static void store_row(float *to, const float *acc, long count)
{
    long j = 0;

    for (; j + RNET_W <= count; j += RNET_W)
        v_storeu(to + j, v_load(acc + j));
    if (j < count)
        v_store_first(to + j, v_load(acc + j), (int)(count - j));
}

static void accumulate_row(float *to, const float *acc, long count)
{
    long j = 0;
    int part;

    for (; j + RNET_W <= count; j += RNET_W)
        v_storeu(to + j, v_loadu(to + j) + v_load(acc + j));
    if (j == count)
        return;
    part = (int)(count - j);
    v_store_first(to + j, v_load_first(to + j, part) + v_load(acc + j), part);
}

static void store(struct state *state, const struct rnet_step *step)
{
    const struct rnet_tile *tile = state->tile;
    long stride = tile->acc_stride, count = width(tile), outer = tile->outer;
    float *to = state->temp[step->stride & (RNET_TEMPS - 1)];

    if (step->kind == RNET_FULL)
        to = full(tile, step->x, step->stride, &stride);
    if (count == stride && stride == tile->acc_stride) {
        count *= outer;
        outer = 1;
    }
    for (long i = 0; i < outer; i++)
        if (step->op == RNET_STORE)
            store_row(to + i * stride, tile->acc + i * tile->acc_stride, count);
        else
            accumulate_row(to + i * stride, tile->acc + i * tile->acc_stride,
                           count);
}

/* --------------------------------------------------------------------- sums */

/* What is summed: first and second term of one vector. */
typedef void terms(vf acc, vf x, vf b, vf *first, vf *second);

static ALWAYS_INLINE void terms_sum(vf acc, vf x, vf b, vf *first, vf *second)
{
    (void)x, (void)b, (void)second;
    *first = acc;
}

static ALWAYS_INLINE void terms_product(vf acc, vf x, vf b, vf *first, vf *second)
{
    (void)b, (void)second;
    *first = acc * x;
}

static ALWAYS_INLINE void terms_moments(vf acc, vf x, vf b, vf *first, vf *second)
{
    (void)x;
    *first = acc - b;
    *second = *first * *first;
}

static ALWAYS_INLINE void terms_centred(vf acc, vf x, vf b, vf *first, vf *second)
{
    *first = acc;
    *second = acc * (x - b);
}

static ALWAYS_INLINE void add_to_line(float *line, vf sum, int part)
{
    if (part == RNET_W)
        v_storeu(line, v_loadu(line) + sum);
    else
        v_store_first(line, v_load_first(line, part) + sum, part);
}

/* Lanes are features. */
static ALWAYS_INLINE void
sum_plain(const struct rnet_tile *tile, struct view x, const float *b,
          float *line, float *line2, terms *f)
{
    long features = tile->features;

    for (long j = 0; j < tile->inner; j += RNET_W) {
        int part = v_part(tile->inner, j);
        vf at = f == terms_moments
            ? moments_centre(line + j, features, v_load(tile->acc + j), part)
            : b ? view_at(b + tile->feature, j, part, 1) : v_set(0);
        vf first = v_set(0), second = v_set(0), sum = first, sum2 = first;

        for (int i = 0; i < tile->outer; i++) {
            f(v_load(tile->acc + i * tile->acc_stride + j),
              view_at(x.p + i * x.step, j, part, x.varies), at, &first,
              &second);
            sum += first;
            sum2 += second;
        }
        add_to_line(line + j, sum, part);
        if (line2)
            add_to_line(line2 + j, sum2, part);
    }
}

/* Lanes are rows; those past the last are left out. */
static ALWAYS_INLINE void
sum_strip(const struct rnet_tile *tile, struct view x, const float *b,
          float *line, float *line2, terms *f)
{
    for (int i = 0; i < tile->outer; i++) {
        vf at = v_set(f == terms_moments
            ? rnet_moments_centre(line + i, tile->features,
                                  tile->acc[i * RNET_LANES])
            : b ? b[tile->feature + i] : 0);
        vf first = v_set(0), second = v_set(0), sum = first, sum2 = first;

        for (int j = 0; j < RNET_LANES; j += RNET_W) {
            vi valid = vi_lanes() < tile->inner - j;

            f(v_load(tile->acc + i * RNET_LANES + j),
              view_at(x.p + i * x.step, j, RNET_W, x.varies), at, &first, &second);
            sum += v_keep(valid, first);
            sum2 += v_keep(valid, second);
        }
        line[i] += v_sum(sum);
        if (line2)
            line2[i] += v_sum(sum2);
    }
}

static ALWAYS_INLINE void
sum_rows(const struct rnet_tile *tile, struct view x, const float *b,
         float *line, float *line2, terms *f)
{
    if (tile->layout == RNET_STRIPS)
        sum_strip(tile, x, b, line, line2, f);
    else
        sum_plain(tile, x, b, line, line2, f);
}

static ALWAYS_INLINE void
sum_all(const struct rnet_tile *tile, struct view x, float *total, terms *f)
{
    vf sum = v_set(0), first = sum, unused;

    for (int i = 0; i < tile->outer; i++)
        for (long j = 0; j < tile->inner; j += RNET_W) {
            int part = v_part(tile->inner, j);

            f(v_load(tile->acc + i * tile->acc_stride + j),
              view_at(x.p + i * x.step, j, part, x.varies), v_set(0), &first,
              &unused);
            sum += v_keep(vi_lanes() < part, first);
        }
    *total += v_sum(sum);
}

static void sum(struct state *state, const struct rnet_step *step)
{
    const struct rnet_tile *tile = state->tile;
    long features = tile->features;
    float *line = rnet_sum_line(step, tile);
    float *total = step->sums + tile->chunk;
    struct view x = operand(state, step);

    switch (step->op) {
    case RNET_SUM:
        sum_rows(tile, x, NULL, line, NULL, terms_sum);
        break;
    case RNET_SUM_PRODUCT:
        sum_rows(tile, x, NULL, line, NULL, terms_product);
        break;
    case RNET_SUM_MOMENTS:
        sum_rows(tile, x, NULL, line, line + features, terms_moments);
        break;
    case RNET_SUM_CENTRED:
        sum_rows(tile, x, step->b, line, line + features, terms_centred);
        break;
    case RNET_SUM_ALL:
        sum_all(tile, x, total, terms_sum);
        break;
    default:
        sum_all(tile, x, total, terms_product);
    }
}

/* -------------------------------------------------------------- interpreter */

static void apply(struct state *state, const struct rnet_step *step)
{
    enum rnet_op op = step->op;

    if (op <= RNET_MIN)
        arithmetic(state->tile, operand(state, step), op);
    else if (op <= RNET_SOFTPLUS)
        function(state->tile, op, step->value);
    else if (op <= RNET_SOFTPLUS_GRAD)
        slope(state->tile, operand(state, step), op, step->value);
    else if (op == RNET_AFFINE)
        affine(state->tile, step);
    else if (op == RNET_AFFINE2)
        affine2(state->tile, step, operand(state, step));
    else if (op <= RNET_DROP_SAMPLE)
        dropout(state, step);
    else if (op <= RNET_ACCUMULATE)
        store(state, step);
    else
        sum(state, step);
}

void RNET_NAME(steps)(const struct rnet_run *run, const struct rnet_tile *tile,
                      struct rnet_steps steps)
{
    struct state state;

    state.run = run;
    state.tile = tile;
    for (int k = 0; k < steps.count; k++)
        apply(&state, steps.step + k);
}

/* ---------------------------------------------------------------- rnet_point */

/* A plain value whose list is a frequent one after its LOAD: the sweep takes
 * its tiles from where they lie.  0 when it is no such list. */
static int swept(const struct rnet_part *part, struct rnet_steps steps)
{
    const struct rnet_step *load = steps.step;
    struct tail tail;
    struct rnet_tile tile;

    if (part->rows.layout != RNET_PLAIN || part->feature_count % 16
        || steps.count < 2 || load->op != RNET_LOAD || load->kind != RNET_FULL)
        return 0;
    tail = RNET_NAME(tail)((struct rnet_steps) { load + 1, steps.count - 1 });
    if (!tail.run)
        return 0;
    rnet_tile_first(&tile, part, NULL);
    do {
        rnet_tile_size(&tile, part);
        tile.acc = load->x + tile.row * load->stride + tile.feature;
        tile.acc_stride = load->stride;
        tail.run(tail.step, &tile);
    } while (rnet_tile_next(&tile, part));
    return 1;
}

static void interpreted(const struct rnet_run *run,
                        const struct rnet_part *part, struct rnet_steps steps)
{
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    int loads = steps.count > 0 && steps.step[0].op == RNET_LOAD;
    struct rnet_tile tile;

    memset(acc, 0, sizeof acc);
    rnet_tile_first(&tile, part, acc);
    do {
        rnet_tile_size(&tile, part);
        if (!loads)
            memset(acc, 0, sizeof acc);
        RNET_NAME(steps)(run, &tile, steps);
    } while (rnet_tile_next(&tile, part));
}

static void part(const struct rnet_run *run, const struct rnet_part *part,
                 struct rnet_steps steps)
{
    rnet_steps_begin(steps, part->chunk, part->feature,
                     part->feature_count, part->features);
    if (!swept(part, steps))
        interpreted(run, part, steps);
}

const struct point_kernels RNET_NAME(point_kernels) = { part };
