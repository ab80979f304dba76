/* tail.c: see tail.h. */
#include "moments.h"
#include "tail.h"
#include "vec.h"

/* ----------------------------------------------------------- reading a list */

/* What the step is, 0 when it is none of these. */
static int part_of(const struct rnet_step *step)
{
    int full = step->kind == RNET_FULL;
    int map = full || step->kind == RNET_INPUT;

    switch (step->op) {
    case RNET_AFFINE:
        return TAIL_AFFINE;
    case RNET_AFFINE2:
        return full ? TAIL_AFFINE2 : 0;
    case RNET_ADD:
        return full ? TAIL_ADD : step->kind == RNET_FEATURE ? TAIL_BIAS : 0;
    case RNET_RELU:
        return TAIL_RELU;
    case RNET_RELU_GRAD:
        return map ? TAIL_MASK : 0;
    case RNET_SUM_MOMENTS:
        return TAIL_MOMENTS;
    case RNET_SUM_CENTRED:
        return map ? TAIL_CENTRED : 0;
    case RNET_STORE:
        return full ? TAIL_STORE : 0;
    case RNET_ACCUMULATE:
        return full ? TAIL_ACCUMULATE : 0;
    default:
        return 0;
    }
}

/* The parts of all steps together, and the steps; 0 when they do not fit. */
static int read_parts(struct rnet_steps steps, const struct rnet_step **step)
{
    int all = 0;

    for (int i = 0; i < steps.count; i++) {
        int part = part_of(steps.step + i);

        if (part == 0 || (part < TAIL_SINKS ? all >= part
                                            : (all & part) != 0))
            return 0;
        all |= part;
        step[__builtin_ctz((unsigned)part)] = steps.step + i;
    }
    return all;
}

/* ---------------------------------------------------------------- the sweep */

/* An operand at one vector of channels, and from row to row. */
struct stream { float *p; long step; };

static ALWAYS_INLINE vf at(struct stream stream, int row)
{
    return v_loadu(stream.p + row * stream.step);
}

static ALWAYS_INLINE struct stream
stream_of(const struct rnet_step *step, const struct rnet_tile *tile, int c)
{
    if (step->kind == RNET_INPUT)
        return (struct stream) { (float *)tile->input + tile->feature + c,
                                 tile->input_stride };
    return (struct stream) {
        step->x + tile->row * step->stride + tile->feature + c,
        tile->row_step * step->stride
    };
}

/* One vector of channels: what its rows share. */
struct column {
    vf scale, slope, shift, bias, centre;
    struct stream other, add, mask, centred, to, also;
};

#define STEP_OF(part) step[__builtin_ctz(part)]

static ALWAYS_INLINE struct column
column_of(const struct rnet_step *const *step, const struct rnet_tile *tile,
          int c, int parts)
{
    struct column column = { .scale = v_zero() };
    long f = tile->feature + c;

    if (parts & TAIL_AFFINE) {
        column.scale = v_loadu(STEP_OF(TAIL_AFFINE)->a + f);
        column.shift = v_loadu(STEP_OF(TAIL_AFFINE)->b + f);
    }
    if (parts & TAIL_AFFINE2) {
        column.scale = v_loadu(STEP_OF(TAIL_AFFINE2)->a + f);
        column.slope = v_loadu(STEP_OF(TAIL_AFFINE2)->b + f);
        column.shift = v_loadu(STEP_OF(TAIL_AFFINE2)->c + f);
        column.other = stream_of(STEP_OF(TAIL_AFFINE2), tile, c);
    }
    if (parts & TAIL_BIAS)
        column.bias = v_loadu(STEP_OF(TAIL_BIAS)->x + f);
    if (parts & TAIL_ADD)
        column.add = stream_of(STEP_OF(TAIL_ADD), tile, c);
    if (parts & TAIL_MASK)
        column.mask = stream_of(STEP_OF(TAIL_MASK), tile, c);
    if (parts & TAIL_CENTRED) {
        column.centre = v_loadu(STEP_OF(TAIL_CENTRED)->b + f);
        column.centred = stream_of(STEP_OF(TAIL_CENTRED), tile, c);
    }
    if (parts & TAIL_STORE)
        column.to = stream_of(STEP_OF(TAIL_STORE), tile, c);
    if (parts & TAIL_ACCUMULATE)
        column.to = stream_of(STEP_OF(TAIL_ACCUMULATE), tile, c);
    if (parts & TAIL_ALSO)
        column.also = stream_of(STEP_OF(TAIL_ALSO), tile, c);
    return column;
}

/* What is summed and stored. */
static ALWAYS_INLINE vf
value_of(vf acc, const struct column *column, int row, int parts)
{
    if (parts & TAIL_AFFINE)
        acc = acc * column->scale + column->shift;
    if (parts & TAIL_AFFINE2)
        acc = acc * column->scale
              + (at(column->other, row) * column->slope + column->shift);
    if (parts & TAIL_BIAS)
        acc += column->bias;
    if (parts & TAIL_ADD)
        acc += at(column->add, row);
    if (parts & TAIL_RELU)
        acc = v_keep(~(acc < 0), acc);
    if (parts & TAIL_MASK)
        acc = v_where_positive(at(column->mask, row), acc);
    return acc;
}

static ALWAYS_INLINE void
one_row(vf acc, const struct column *column, int row, vf sum[2], int parts)
{
    acc = value_of(acc, column, row, parts);
    if (parts & TAIL_MOMENTS) {
        vf centred = acc - column->centre;

        sum[0] += centred;
        sum[1] += centred * centred;
    }
    if (parts & TAIL_CENTRED) {
        sum[0] += acc;
        sum[1] += acc * (at(column->centred, row) - column->centre);
    }
    if (parts & TAIL_ACCUMULATE)
        acc += at(column->to, row);
    if (parts & (TAIL_STORE | TAIL_ACCUMULATE))
        v_storeu(column->to.p + row * column->to.step, acc);
    if (parts & TAIL_ALSO)
        v_storeu(column->also.p + row * column->also.step, acc);
}

static ALWAYS_INLINE void add_to_line(float *line, vf sum)
{
    v_storeu(line, v_loadu(line) + sum);
}

/* What the step sums in these features. */
static ALWAYS_INLINE float *
line_of(const struct rnet_step *const *step, const struct rnet_tile *tile,
        int c, int parts)
{
    if (parts & TAIL_MOMENTS)
        return rnet_sum_line(STEP_OF(TAIL_MOMENTS), tile) + c;
    return parts & TAIL_CENTRED ? rnet_sum_line(STEP_OF(TAIL_CENTRED), tile) + c
                                : NULL;
}

/* Two chains of sums, as an addition takes some cycles. */
static ALWAYS_INLINE void
sweep(const struct rnet_step *const *step, const struct rnet_tile *tile,
      int parts)
{
    for (int c = 0; c < tile->inner; c += RNET_W) {
        struct column column = column_of(step, tile, c, parts);
        struct stream acc = { tile->acc + c, tile->acc_stride };
        vf sum[4] = { v_zero(), v_zero(), v_zero(), v_zero() };
        float *line = line_of(step, tile, c, parts);
        int row = 0;

        if (parts & TAIL_MOMENTS)
            column.centre = moments_centre(line, tile->features,
                value_of(at(acc, 0), &column, 0, parts), RNET_W);
        for (; row + 2 <= tile->outer; row += 2) {
            one_row(at(acc, row), &column, row, sum, parts);
            one_row(at(acc, row + 1), &column, row + 1, sum + 2, parts);
        }
        if (row < tile->outer)
            one_row(at(acc, row), &column, row, sum, parts);
        if (parts & (TAIL_MOMENTS | TAIL_CENTRED)) {
            add_to_line(line, sum[0] + sum[2]);
            add_to_line(line + tile->features, sum[1] + sum[3]);
        }
    }
}

/* ----------------------------------------------------------------- the table */

#define EACH_TAIL(define) \
    define(store, TAIL_STORE) \
    define(accumulate, TAIL_ACCUMULATE) \
    define(add, TAIL_ADD | TAIL_STORE) \
    define(relu, TAIL_RELU | TAIL_STORE) \
    define(add_relu, TAIL_ADD | TAIL_RELU | TAIL_STORE) \
    define(bias, TAIL_BIAS | TAIL_STORE) \
    define(bias_relu, TAIL_BIAS | TAIL_RELU | TAIL_STORE) \
    define(bias_add, TAIL_BIAS | TAIL_ADD | TAIL_STORE) \
    define(bias_add_relu, TAIL_BIAS | TAIL_ADD | TAIL_RELU | TAIL_STORE) \
    define(affine, TAIL_AFFINE | TAIL_STORE) \
    define(affine_relu, TAIL_AFFINE | TAIL_RELU | TAIL_STORE) \
    define(affine_add, TAIL_AFFINE | TAIL_ADD | TAIL_STORE) \
    define(affine_add_relu, TAIL_AFFINE | TAIL_ADD | TAIL_RELU | TAIL_STORE) \
    define(affine2, TAIL_AFFINE2 | TAIL_STORE) \
    define(affine2_add, TAIL_AFFINE2 | TAIL_ADD | TAIL_STORE) \
    define(moments, TAIL_MOMENTS | TAIL_STORE) \
    define(moments_alone, TAIL_MOMENTS) \
    define(add_moments, TAIL_ADD | TAIL_MOMENTS | TAIL_STORE) \
    define(centred, TAIL_CENTRED | TAIL_STORE) \
    define(centred_alone, TAIL_CENTRED) \
    define(mask, TAIL_MASK | TAIL_STORE) \
    define(mask_centred, TAIL_MASK | TAIL_CENTRED | TAIL_STORE) \
    define(add_mask, TAIL_ADD | TAIL_MASK | TAIL_STORE) \
    define(add_mask_centred, TAIL_ADD | TAIL_MASK | TAIL_CENTRED | TAIL_STORE) \
    define(relu_also, TAIL_RELU | TAIL_STORE | TAIL_ALSO) \
    define(add_relu_also, TAIL_ADD | TAIL_RELU | TAIL_STORE | TAIL_ALSO) \
    define(affine_relu_also, TAIL_AFFINE | TAIL_RELU | TAIL_STORE | TAIL_ALSO) \
    define(affine_add_relu_also, TAIL_AFFINE | TAIL_ADD | TAIL_RELU \
           | TAIL_STORE | TAIL_ALSO)
#define TAIL(name, parts) \
    static NOINLINE void tail_##name(const struct rnet_step *const *step, \
                                     const struct rnet_tile *tile) \
    { sweep(step, tile, parts); }
#define TAIL_ROW(name, parts) { parts, tail_##name },

EACH_TAIL(TAIL)
static const struct { int parts; tail_kernel *run; } tails[] = {
    EACH_TAIL(TAIL_ROW)
};

static tail_kernel *find(int parts)
{
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
        if (tails[i].parts == parts)
            return tails[i].run;
    return NULL;
}

struct tail RNET_NAME(tail)(struct rnet_steps steps)
{
    struct tail tail = { .run = NULL };

    tail.run = find(read_parts(steps, tail.step));
    return tail;
}

/* The program's own STORE is the second one. */
struct tail RNET_NAME(program_tail)(struct rnet_steps program,
                                    const struct rnet_step *to)
{
    struct tail tail = { .run = NULL };
    struct rnet_steps rest = { program.step + 1, program.count - 1 };
    int parts = read_parts(rest, tail.step);

    if (program.step->kind != RNET_FULL || parts == 0
        || parts & TAIL_ACCUMULATE)
        return tail;
    if (parts & TAIL_STORE) {
        tail.step[__builtin_ctz(TAIL_ALSO)] =
            tail.step[__builtin_ctz(TAIL_STORE)];
        parts |= TAIL_ALSO;
    }
    tail.step[__builtin_ctz(TAIL_STORE)] = to;
    tail.run = find(parts | TAIL_STORE);
    return tail;
}
