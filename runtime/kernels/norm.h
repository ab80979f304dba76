/* norm.h: kernels of the norms over rows and over maps. */
#ifndef RNET_KERNELS_NORM_H
#define RNET_KERNELS_NORM_H

#include "point.h"

/* One call of rnet_norm_rows, _maps or their gradients. */
struct norm_job {
    const struct rnet_run *run;
    struct rnet_rows rows;
    long features, groups;
    enum rnet_norm kind;
    float epsilon;
    const float *x;             /* gradients: dy */
    long x_stride;
    const float *xhat;          /* gradients alone, as what follows */
    long xhat_stride;
    const float *gamma;         /* or NULL */
    float *sums;                /* or NULL */
    float *rstd;                /* forward: or NULL; gradients read it */
    struct rnet_steps steps;
};

struct norm_kernels {
    /* Rows [row, row + count) as rnet_by_rows cuts them. */
    void (*rows)(const struct norm_job *job, long row, long count);
    void (*rows_grad)(const struct norm_job *job, long row, long count);
    /* All pixels of one sample, `count` features from `feature` on: whole
     * groups.  scratch: 4 * count floats, 64-byte aligned. */
    void (*maps)(const struct norm_job *job, long sample, long feature,
                 long count, float *scratch);
    void (*maps_grad)(const struct norm_job *job, long sample, long feature,
                      long count, float *scratch);
};
extern const struct norm_kernels rnet_scalar_norm_kernels,
    rnet_base_norm_kernels, rnet_avx2_norm_kernels, rnet_avx512_norm_kernels;

/* rstd of (row, group) over rows. */
static inline long rnet_rstd_index(long row, long group, long groups)
{
    return (row / RNET_LANES * groups + group) * RNET_LANES + row % RNET_LANES;
}

#endif
