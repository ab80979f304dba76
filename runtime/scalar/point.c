/* point.c: the scalar twin of the step interpreter: one element at a time,
 * the formula of every step as it is defined. */
#include <math.h>
#include <string.h>

#include "../kernels/point.h"

struct state {
    const struct rnet_run *run;
    const struct rnet_tile *tile;
    float temp[RNET_TEMPS][RNET_TILE_FLOATS];
};

static long row_of(const struct rnet_tile *tile, int i, int j)
{
    return tile->layout == RNET_STRIPS ? tile->row + j
                                       : tile->row + i * tile->row_step;
}

static long feature_of(const struct rnet_tile *tile, int i, int j)
{
    return tile->feature + (tile->layout == RNET_STRIPS ? i : j);
}

static long sample_of(const struct rnet_tile *tile, int i, int j)
{
    return tile->layout == RNET_STRIPS
               ? row_of(tile, i, j) / tile->rows_per_sample
               : tile->sample;
}

/* Element (row, feature) of a value in the tile's layout. */
static float *full(const struct rnet_tile *tile, float *x, long stride, int i,
                   int j)
{
    long row = row_of(tile, i, j), feature = feature_of(tile, i, j);

    if (tile->layout == RNET_STRIPS)
        return x + (row / RNET_LANES * stride + feature) * RNET_LANES
               + row % RNET_LANES;
    return x + row * stride + feature;
}

static float operand(struct state *state, const struct rnet_step *step, int i,
                     int j)
{
    const struct rnet_tile *tile = state->tile;

    switch (step->kind) {
    case RNET_NONE:
        return 0;
    case RNET_FULL:
        return *full(tile, step->x, step->stride, i, j);
    case RNET_FEATURE:
        return step->x[feature_of(tile, i, j)];
    case RNET_ROW:
        return step->x[row_of(tile, i, j)];
    case RNET_SAMPLE:
        return step->x[sample_of(tile, i, j)];
    case RNET_SAMPLE_FEATURE:
        return step->x[sample_of(tile, i, j) * step->stride
                       + feature_of(tile, i, j)];
    case RNET_SCALAR:
        return *step->x;
    case RNET_CONST:
        return step->value;
    case RNET_TEMP:
        return state->temp[step->stride][i * tile->acc_stride + j];
    case RNET_INPUT:
        return tile->input[i * tile->input_stride + tile->feature + j];
    }
    return 0;
}

static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

/* Phi(x), the normal distribution */
static double normal(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2);
}

/* 2 sqrt(2 / pi) (x + 0.044715 x^3): gelu's tanh form is x sigmoid(that) */
static double gelu_inner(double x)
{
    return 2 * M_2_SQRTPI * M_SQRT1_2 * (x + 0.044715 * x * x * x);
}

/* x y, and 0 where y has gone to 0 ahead of x going to -infinity */
static double gated(double x, double y)
{
    return y == 0 ? 0 : x * y;
}

static float unary(enum rnet_op op, float x, float value)
{
    switch (op) {
    case RNET_RELU:
        return x < 0 ? 0 : x;
    case RNET_LEAKY:
        return x > 0 ? x : value * x;
    case RNET_RELU6:
        return x < 0 ? 0 : x > 6 ? 6 : x;
    case RNET_GELU:
        return gated(x, normal(x));
    case RNET_GELU_TANH:
        return gated(x, sigmoid(gelu_inner(x)));
    case RNET_SILU:
        return gated(x, sigmoid(x));
    case RNET_SIGMOID:
        return sigmoid(x);
    case RNET_TANH:
        return tanh(x);
    case RNET_EXP:
        return exp(x);
    case RNET_LOG:
        return log(x);
    case RNET_SQRT:
        return sqrt(x);
    case RNET_SQUARE:
        return x * x;
    case RNET_ABS:
        return fabs(x);
    case RNET_ELU:
        return x > 0 ? x : value * expm1(x);
    case RNET_SOFTPLUS:
        return (x < 0 ? 0 : x) + log1p(exp(-fabs(x)));
    default:
        return x;
    }
}

static double gelu_slope(double x)
{
    return normal(x) + gated(x, exp(-0.5 * x * x) * M_2_SQRTPI * M_SQRT1_2 / 2);
}

static double gelu_tanh_slope(double x)
{
    double inner = gelu_inner(x), s = sigmoid(inner), t = sigmoid(-inner);
    double slope = 2 * M_2_SQRTPI * M_SQRT1_2 * (1 + 3 * 0.044715 * x * x);

    return s + gated(x * slope, s * t);
}

static double silu_slope(double x)
{
    return sigmoid(x) + gated(x, sigmoid(x) * sigmoid(-x));
}

/* y is the output or the input of f, as rnet_op says. */
static float gradient(enum rnet_op op, float acc, float y, float value)
{
    switch (op) {
    case RNET_RELU_GRAD:
        return y > 0 ? acc : 0;
    case RNET_LEAKY_GRAD:
        return y > 0 ? acc : value * acc;
    case RNET_SIGMOID_GRAD:
        return acc * (y * (1 - y));
    case RNET_TANH_GRAD:
        return acc * (1 - y * y);
    case RNET_RELU6_GRAD:
        return y > 0 && y < 6 ? acc : 0;
    case RNET_ELU_GRAD:
        return y > 0 ? acc : acc * (y + value);
    case RNET_GELU_GRAD:
        return acc * gelu_slope(y);
    case RNET_GELU_TANH_GRAD:
        return acc * gelu_tanh_slope(y);
    case RNET_SILU_GRAD:
        return acc * silu_slope(y);
    case RNET_ABS_GRAD:
        return y > 0 ? acc : y < 0 ? -acc : 0;
    case RNET_SOFTPLUS_GRAD:
        return acc * sigmoid(y);
    default:
        return acc;
    }
}

/* MAX and MIN give NaN when either side is NaN. */
static float binary(enum rnet_op op, float acc, float x)
{
    switch (op) {
    case RNET_LOAD:
        return x;
    case RNET_ADD:
        return acc + x;
    case RNET_SUB:
        return acc - x;
    case RNET_RSUB:
        return x - acc;
    case RNET_MUL:
        return acc * x;
    case RNET_DIV:
        return acc / x;
    case RNET_RDIV:
        return x / acc;
    case RNET_MAX:
        return acc > x || acc != acc ? acc : x;
    case RNET_MIN:
        return acc < x || acc != acc ? acc : x;
    default:
        return acc;
    }
}

static float dropout(const struct state *state, const struct rnet_step *step,
                     float acc, long row, long feature)
{
    uint32_t word = rnet_dropout_word(state->run, step->key, row, feature);

    return word >= rnet_dropout_limit(step->value)
               ? acc * rnet_dropout_scale(step->value) : 0;
}

static float element(struct state *state, const struct rnet_step *step,
                     float acc, int i, int j)
{
    long feature = feature_of(state->tile, i, j);

    if (step->op <= RNET_MIN)
        return binary(step->op, acc, operand(state, step, i, j));
    if (step->op <= RNET_SOFTPLUS)
        return unary(step->op, acc, step->value);
    if (step->op <= RNET_SOFTPLUS_GRAD)
        return gradient(step->op, acc, operand(state, step, i, j),
                        step->value);
    switch (step->op) {
    case RNET_AFFINE:
        return acc * step->a[feature] + step->b[feature];
    case RNET_AFFINE2:
        return acc * step->a[feature]
               + (step->b[feature] * operand(state, step, i, j)
                  + step->c[feature]);
    case RNET_DROPOUT:
        return dropout(state, step, acc, row_of(state->tile, i, j), feature);
    default:
        return dropout(state, step, acc, sample_of(state->tile, i, j), 0);
    }
}

static void store(struct state *state, const struct rnet_step *step, float acc,
                  int i, int j)
{
    float *to = step->kind == RNET_TEMP
        ? state->temp[step->stride] + i * state->tile->acc_stride + j
        : full(state->tile, step->x, step->stride, i, j);

    *to = step->op == RNET_STORE ? acc : *to + acc;
}

static void sum(struct state *state, const struct rnet_step *step, float acc,
                int i, int j)
{
    const struct rnet_tile *tile = state->tile;
    long feature = feature_of(tile, i, j), features = tile->features;
    float *line = rnet_sum_line(step, tile) + feature - tile->feature;
    float centred;

    switch (step->op) {
    case RNET_SUM:
        *line += acc;
        break;
    case RNET_SUM_PRODUCT:
        *line += acc * operand(state, step, i, j);
        break;
    case RNET_SUM_MOMENTS:
        centred = acc - rnet_moments_centre(line, features, acc);
        line[0] += centred;
        line[features] += centred * centred;
        break;
    case RNET_SUM_CENTRED:
        centred = operand(state, step, i, j) - step->b[feature];
        line[0] += acc;
        line[features] += acc * centred;
        break;
    case RNET_SUM_ALL:
        step->sums[tile->chunk] += acc;
        break;
    default:
        step->sums[tile->chunk] += acc * operand(state, step, i, j);
    }
}

void RNET_NAME(steps)(const struct rnet_run *run, const struct rnet_tile *tile,
                      struct rnet_steps steps)
{
    struct state state;

    state.run = run;
    state.tile = tile;
    for (int k = 0; k < steps.count; k++) {
        const struct rnet_step *step = steps.step + k;

        for (int i = 0; i < tile->outer; i++)
            for (int j = 0; j < tile->inner; j++) {
                float *acc = tile->acc + i * tile->acc_stride + j;

                if (step->op >= RNET_SUM)
                    sum(&state, step, *acc, i, j);
                else if (step->op >= RNET_STORE)
                    store(&state, step, *acc, i, j);
                else
                    *acc = element(&state, step, *acc, i, j);
            }
    }
}

static void part(const struct rnet_run *run, const struct rnet_part *part,
                 struct rnet_steps steps)
{
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    struct rnet_tile tile;

    rnet_steps_begin(steps, part->chunk, part->feature,
                     part->feature_count, part->features);
    rnet_tile_first(&tile, part, acc);
    do {
        rnet_tile_size(&tile, part);
        memset(acc, 0, sizeof acc);
        RNET_NAME(steps)(run, &tile, steps);
    } while (rnet_tile_next(&tile, part));
}

const struct point_kernels RNET_NAME(point_kernels) = { part };
