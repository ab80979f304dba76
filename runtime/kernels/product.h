/* product.h: the one kernel of dense products: a tile of up to TILE_ROWS
 * results of 2 vectors, or of 1,
 *     acc[i][lane] = sum over k of coefficient(i, k) b[k * 32 + lane]
 * where coefficients lie in squares of 32 x 32, one after the other at `step`
 * floats: by rows, coefficient(i, k) = a[i * 32 + k] (forward and weight
 * gradients), or by columns, a[k * 32 + i] (input gradients).  All other
 * strides are constants. */
#ifndef RNET_PRODUCT_H
#define RNET_PRODUCT_H

#include "strip.h"

struct product {
    const float *a, *b;
    const float *ahead;         /* wanted next, prefetched for each segment of */
    long ahead_step;            /* 32 k: 32 lines, of each row or of 2 KB */
    const float *then[2];       /* wanted after that, where there are `thens` */
    int thens;
    long step;
    long depth;
};

enum form { BY_ROWS, BY_COLUMNS };

/* A function for each number of rows and width: see product.c. */
typedef void tile_function(const struct product *p,
                           const struct rows_tail *tail, struct place place);

/* By form, by width (0: 2 vectors, 1: 1) and by rows - 1. */
extern tile_function *const RNET_NAME(tiles)[2][2][TILE_ROWS];

/* Lanes [0, lanes) of `rows` results. */
static ALWAYS_INLINE void run_tiles(enum form form, int rows, int lanes,
                                    const struct product *p,
                                    const struct rows_tail *tail,
                                    struct place place)
{
    for (place.lane = 0; place.lane < lanes; place.lane += TILE_LANES)
        RNET_NAME(tiles)[form][lanes - place.lane <= RNET_W][rows - 1](
            p, tail, place);
}

/* Rows split into the fewest groups of at most TILE_ROWS, all but equal. */
static ALWAYS_INLINE long groups_of(long rows)
{
    return (rows + TILE_ROWS - 1) / TILE_ROWS;
}

static ALWAYS_INLINE long group_start(long group, long rows)
{
    return group * rows / groups_of(rows);
}

#endif
