/* few.h: products of a few rows, where tiles would leave most lanes idle: the
 * lanes are features of x instead, and weights are read once. */
#ifndef RNET_FEW_H
#define RNET_FEW_H

#include "rows.h"
#include "vec.h"

#define FEW_ROWS 4
#define FEW_VECTORS (RNET_LANES / RNET_W)

/* The longest rows that fit in scratch. */
#define FEW_FEATURES (RNET_WORKER_FLOATS / FEW_ROWS / RNET_LANES * RNET_LANES)

static inline int few_applies(const struct rows_job *job, long features)
{
    return job->rows <= FEW_ROWS && features <= FEW_FEATURES;
}

/* Floats from one gathered row to the next. */
static ALWAYS_INLINE long few_stride(long features)
{
    return (features + RNET_LANES - 1) / RNET_LANES * RNET_LANES;
}

/* The rows at x, in strips, one after the other, zeros up to the stride. */
static inline void few_gather(float *to, const float *x, long features,
                              long rows)
{
    long stride = few_stride(features);

    for (long r = 0; r < rows; r++, to += stride) {
        for (long f = 0; f < features; f++)
            to[f] = x[f * RNET_LANES + r];
        for (long f = features; f < stride; f++)
            to[f] = 0;
    }
}

/* acc[o][r] += w[o] . x[r] over 32 features, of which `count` are valid. */
static ALWAYS_INLINE void few_panel(vf acc[8][FEW_ROWS], int outs, int rows,
                                    const float *w, const float *x,
                                    long stride, int count)
{
    UNROLL for (int v = 0; v < FEW_VECTORS; v++)
        UNROLL for (int o = 0; o < outs; o++) {
            vf weight = v_load(w + o * RNET_LANES + v * RNET_W);
            if (count < RNET_LANES)
                weight = v_keep(vi_first(count - v * RNET_W), weight);
            UNROLL for (int r = 0; r < rows; r++)
                acc[o][r] += weight * v_load(x + r * stride + v * RNET_W);
        }
}

/* to[o * 32 + r] = row o of w . row r of x, for constants outs and rows. */
static ALWAYS_INLINE void few_dots(float *to, int outs, int rows,
                                   const float *w, long w_step, const float *x,
                                   long features)
{
    vf acc[8][FEW_ROWS];
    long stride = few_stride(features), left = features;

    UNROLL for (int o = 0; o < outs; o++)
        UNROLL for (int r = 0; r < rows; r++)
            acc[o][r] = v_zero();
    for (; left >= RNET_LANES; left -= RNET_LANES) {
        UNROLL for (int line = 0; line < 2 * outs; line++)
            v_prefetch(w + outs * RNET_LANES + line * 16);
        few_panel(acc, outs, rows, w, x, stride, RNET_LANES);
        w += w_step;
        x += RNET_LANES;
    }
    if (left > 0)
        few_panel(acc, outs, rows, w, x, stride, (int)left);
    UNROLL for (int o = 0; o < outs; o++)
        UNROLL for (int r = 0; r < rows; r++)
            to[o * RNET_LANES + r] = v_sum(acc[o][r]);
}

/* Results side by side: enough chains to hide the latency of an addition, and
 * not more than there are registers. */
#define FEW_OUTS(rows) \
    ((rows) == 1 ? 8 : (rows) == 2 || RNET_REGISTERS == 32 ? 4 : 2)

static ALWAYS_INLINE void few_rows(float *to, long outs, int rows,
                                   const float *w, long w_step, const float *x,
                                   long features)
{
    const int step = FEW_OUTS(rows);
    long o = 0;

    for (; o + step <= outs; o += step)
        few_dots(to + o * RNET_LANES, step, rows, w + o * RNET_LANES, w_step,
                 x, features);
    for (; o < outs; o++)
        few_dots(to + o * RNET_LANES, 1, rows, w + o * RNET_LANES, w_step, x,
                 features);
}

/* to[o * 32 + r] for `outs` rows of w, `rows` rows of x. */
static void few_linear(float *to, long outs, long rows, const float *w,
                       long w_step, const float *x, long features)
{
    switch (rows) {
    case 1:
        few_rows(to, outs, 1, w, w_step, x, features);
        break;
    case 2:
        few_rows(to, outs, 2, w, w_step, x, features);
        break;
    case 3:
        few_rows(to, outs, 3, w, w_step, x, features);
        break;
    default:
        few_rows(to, outs, 4, w, w_step, x, features);
    }
}

/* to[i * 32] = sum over o of dy[o] w[o * 32 + i], i < 32: one row of dx.
 * Four sums, of every fourth o, run side by side. */
static inline void few_columns(float *to, const float *w, const float *dy,
                               long outs)
{
    vf acc[4][FEW_VECTORS];
    float dx[RNET_LANES] __attribute__((aligned(64)));
    long o = 0;

    UNROLL for (int i = 0; i < 4 * FEW_VECTORS; i++)
        acc[i / FEW_VECTORS][i % FEW_VECTORS] = v_zero();
    for (; o + 4 <= outs; o += 4, w += 4 * RNET_LANES)
        UNROLL for (int i = 0; i < 4 * FEW_VECTORS; i++)
            acc[i / FEW_VECTORS][i % FEW_VECTORS] +=
                v_set(dy[o + i / FEW_VECTORS]) * v_load(w + i * RNET_W);
    for (; o < outs; o++, w += RNET_LANES)
        UNROLL for (int v = 0; v < FEW_VECTORS; v++)
            acc[0][v] += v_set(dy[o]) * v_load(w + v * RNET_W);
    UNROLL for (int v = 0; v < FEW_VECTORS; v++)
        v_store(dx + v * RNET_W, (acc[0][v] + acc[1][v])
                                 + (acc[2][v] + acc[3][v]));
    for (int i = 0; i < RNET_LANES; i++)
        to[i * RNET_LANES] = dx[i];
}

#endif
