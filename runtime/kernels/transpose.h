/* transpose.h: turning squares of floats over. */
#ifndef RNET_TRANSPOSE_H
#define RNET_TRANSPOSE_H

#include "../rnet_kernels.h"
#include "vec.h"

/* Blocks of d x d are exchanged across the diagonal, for d = 1, 2, 4, ...: of
 * rows a and b, d apart, the upper becomes a's lanes with bit d clear and b's
 * moved up beside them; the lower, what is left. */
#define UPPER(l, d) ((l) & (d) ? RNET_W + (l) - (d) : (l))
#define LOWER(l, d) ((l) & (d) ? RNET_W + (l) : (l) + (d))
#define LANES4(f, l, d) f(l, d), f(l + 1, d), f(l + 2, d), f(l + 3, d)
#if RNET_W == 16
#define LANES(f, d) LANES4(f, 0, d), LANES4(f, 4, d), LANES4(f, 8, d), \
                    LANES4(f, 12, d)
#elif RNET_W == 8
#define LANES(f, d) LANES4(f, 0, d), LANES4(f, 4, d)
#else
#define LANES(f, d) LANES4(f, 0, d)
#endif
#define EXCHANGE(d)                                                         \
    static ALWAYS_INLINE void v_exchange##d(vf *a, vf *b)                   \
    {                                                                       \
        vf upper = __builtin_shufflevector(*a, *b, LANES(UPPER, d));        \
        *b = __builtin_shufflevector(*a, *b, LANES(LOWER, d));              \
        *a = upper;                                                         \
    }
EXCHANGE(1)
EXCHANGE(2)
#if RNET_W >= 8
EXCHANGE(4)
#endif
#if RNET_W >= 16
EXCHANGE(8)
#endif
#undef EXCHANGE
#undef LANES
#undef LANES4
#undef LOWER
#undef UPPER

/* r[i] lane j <-> r[j] lane i */
static ALWAYS_INLINE void v_transpose(vf r[RNET_W])
{
#if RNET_W >= 16
    UNROLL for (int i = 0; i < 8; i++)
        v_exchange8(r + i, r + i + 8);
#endif
#if RNET_W >= 8
    UNROLL for (int i = 0; i < RNET_W / 2; i++)
        v_exchange4(r + (i / 4 * 8 + i % 4), r + (i / 4 * 8 + i % 4 + 4));
#endif
    UNROLL for (int i = 0; i < RNET_W / 2; i++)
        v_exchange2(r + (i / 2 * 4 + i % 2), r + (i / 2 * 4 + i % 2 + 2));
    UNROLL for (int i = 0; i < RNET_W / 2; i++)
        v_exchange1(r + 2 * i, r + 2 * i + 1);
}

/* to[j * 32 + i] = from[i * 32 + j] of a square of RNET_W; both aligned. */
static ALWAYS_INLINE void transpose_square(float *to, const float *from)
{
    vf r[RNET_W];
    UNROLL for (int i = 0; i < RNET_W; i++)
        r[i] = v_load(from + i * RNET_LANES);
    v_transpose(r);
    UNROLL for (int i = 0; i < RNET_W; i++)
        v_store(to + i * RNET_LANES, r[i]);
}

/* to[j][i] = from[i][j], i < count, j < 32; the other i < 32 are 0. */
static inline void transpose_lanes(float *to, const float *from, int count)
{
    float padded[RNET_W * RNET_LANES] __attribute__((aligned(64)));

    for (int i = 0; i < RNET_LANES; i += RNET_W) {
        const float *rows = from + i * RNET_LANES;
        if (i + RNET_W > count) {
            for (int k = 0; k < RNET_W * RNET_LANES; k += RNET_W)
                v_store(padded + k, i + k / RNET_LANES < count
                                        ? v_load(rows + k) : v_zero());
            rows = padded;
        }
        for (int j = 0; j < RNET_LANES; j += RNET_W)
            transpose_square(to + j * RNET_LANES + i, rows + j);
    }
}

/* to[j][i] = row[i][j], i < rows, j < count: rows anywhere in memory, nothing
 * past row[i][count - 1] is read; the rest of the 32 x 32 is 0. */
static inline void transpose_rows(float *to, const float *const *row, int rows,
                                  int count)
{
    for (int i = 0; i < RNET_LANES; i += RNET_W)
        for (int j = 0; j < RNET_LANES; j += RNET_W) {
            vf r[RNET_W];
            int n = count - j < 0 ? 0 : count - j;
            UNROLL for (int k = 0; k < RNET_W; k++)
                r[k] = i + k >= rows ? v_zero()
                       : n >= RNET_W ? v_loadu(row[i + k] + j)
                       : n ? v_load_first(row[i + k] + j, n) : v_zero();
            v_transpose(r);
            UNROLL for (int k = 0; k < RNET_W; k++)
                v_store(to + (j + k) * RNET_LANES + i, r[k]);
        }
}

#endif
