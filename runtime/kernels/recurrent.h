/* recurrent.h: kernels of recurrent layers: what the entry points in
 * ../recurrent.c hand to the kernels of an instruction set.
 *
 * A recurrence works on values in order of time: [step][block][width][32],
 * where a block is 32 samples, in the lanes.  Lanes past the last sample hold
 * anything.  Step k is time k, or steps - 1 - k in reverse. */
#ifndef RNET_KERNELS_RECURRENT_H
#define RNET_KERNELS_RECURRENT_H

#include "../rnet_kernels.h"

/* One call of an entry point.  `blocks` [batch / 32]; step k reads slot k of
 * `state` and `cell` and writes slot k + 1. */
struct recurrent_job {
    const struct rnet_run *run;
    long batch, blocks, steps, hidden;
    long outs;                  /* rows of w: 4 or 3 hidden */
    int reverse;
    const float *w, *bias;      /* bias: or NULL */
    float *gate;                /* width 4 hidden.  LSTM: i, f, g, o; GRU: r, z,
                                   n, q = W_hn h + b_hn.  In: what the inputs
                                   give to the first `outs`; out: the gates */
    float *state;               /* width hidden: h, steps + 1 slots */
    float *cell;                /* LSTM: c, likewise */
    /* gradients */
    const float *dy;            /* width hidden */
    float *dgate;               /* width 4 hidden: what multiplies w in the
                                   first `outs`, before the activation; GRU: r,
                                   z, q, n */
    float *carry;               /* [block][hidden][32]: what step k + 1 gives to
                                   step k beside the product: dc, of a GRU dh */
};

/* One step of one block, features [feature, feature + features) of the result;
 * feature is a multiple of 32.  scratch: RNET_WORKER_FLOATS. */
struct recurrent_part { long block, step, feature, features; };

typedef void recurrent_kernel(const struct recurrent_job *job,
                              const struct recurrent_part *part,
                              float *scratch);

/* A value in strips, a row for each time of each sample, and one in order of
 * time. */
struct recurrent_order {
    long batch, blocks, steps;
    int reverse;
    float *rows;
    long stride;
    float *times;
    long width;
};

/* Features [feature, feature + features) of one block from one order to the
 * other. */
typedef void recurrent_move(const struct recurrent_order *order, long block,
                            long feature, long features);

struct recurrent_kernels {
    recurrent_kernel *lstm, *lstm_grad, *gru, *gru_grad;
    recurrent_move *rows_to_times, *times_to_rows;
};
extern const struct recurrent_kernels rnet_scalar_recurrent_kernels,
    rnet_base_recurrent_kernels, rnet_avx2_recurrent_kernels,
    rnet_avx512_recurrent_kernels;

static inline long recurrent_least(long a, long b)
{
    return a < b ? a : b;
}

/* Samples of a block. */
static inline int recurrent_lanes(long batch, long block)
{
    return (int)recurrent_least(RNET_LANES, batch - block * RNET_LANES);
}

/* Where the slot of a step begins. */
static inline long recurrent_slot(const struct recurrent_job *job,
                                  const struct recurrent_part *part, long step,
                                  long width)
{
    return (step * job->blocks + part->block) * width * RNET_LANES;
}

/* Where (time, block) lies in order of time. */
static inline float *recurrent_time(const struct recurrent_order *order,
                                    long time, long block, long feature)
{
    long step = order->reverse ? order->steps - 1 - time : time;

    return order->times + ((step * order->blocks + block) * order->width
                           + feature) * RNET_LANES;
}

#endif
