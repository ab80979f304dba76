/* tail.h: the frequent lists of steps, each in one sweep over the tile, with
 * the vector in a register from the first step to the last.  Others are the
 * interpreter's (point.c). */
#ifndef RNET_TAIL_H
#define RNET_TAIL_H

#include "tile.h"

/* What a list may hold: in this order, each at most once, what comes from
 * SINKS on in any order. */
enum tail_part {
    TAIL_AFFINE = 1, TAIL_AFFINE2 = 2, TAIL_BIAS = 4, TAIL_ADD = 8,
    TAIL_RELU = 16, TAIL_MASK = 32,
    TAIL_SINKS = 64,
    TAIL_MOMENTS = 64, TAIL_CENTRED = 128, TAIL_STORE = 256,
    TAIL_ACCUMULATE = 512,
    TAIL_ALSO = 1024            /* a second STORE, of input programs */
};
#define TAIL_PARTS 11

/* Plain layout; tile->inner is a multiple of 16; acc need not be aligned and
 * stays as it is. */
typedef void tail_kernel(const struct rnet_step *const *step,
                         const struct rnet_tile *tile);

struct tail {
    tail_kernel *run;           /* NULL: the list is none of these */
    const struct rnet_step *step[TAIL_PARTS];   /* by the bit of its part */
};

struct tail RNET_NAME(tail)(struct rnet_steps steps);
/* Of an input program, whose first step loads: a tail of what it loads, which
 * stores by the step `to`, too. */
struct tail RNET_NAME(program_tail)(struct rnet_steps program,
                                    const struct rnet_step *to);

#endif
