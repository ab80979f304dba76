/* loss.h: kernels of softmax and the losses. */
#ifndef RNET_KERNELS_LOSS_H
#define RNET_KERNELS_LOSS_H

#include "point.h"

/* One call; each kernel reads what its entry point has. */
struct loss_job {
    const struct rnet_run *run;
    struct rnet_rows rows;
    long features;
    const float *x;             /* softmax's gradient: dy */
    long x_stride;
    const float *y;             /* softmax's gradient: its output */
    long y_stride;
    const int32_t *label;
    const float *target;        /* plain (rows, features) */
    float *lines;               /* one sum for each 32 rows */
    float scale;                /* of the gradient: weight / count */
    enum rnet_loss kind;
    struct rnet_steps steps;
};

/* Each takes rows as rnet_by_rows cuts them. */
struct loss_kernels {
    void (*softmax)(const struct loss_job *job, long row, long count);
    void (*softmax_grad)(const struct loss_job *job, long row, long count);
    void (*cross_entropy)(const struct loss_job *job, long row, long count);
    void (*loss)(const struct loss_job *job, long row, long count);
};
extern const struct loss_kernels rnet_scalar_loss_kernels,
    rnet_base_loss_kernels, rnet_avx2_loss_kernels, rnet_avx512_loss_kernels;

/* Adds to the line of these rows, which the first of them sets. */
static inline void rnet_loss_line(const struct loss_job *job, long row,
                                  float sum)
{
    float *line = job->lines + row / RNET_LANES;

    *line = row % RNET_LANES == 0 ? sum : *line + sum;
}

#endif
