/* mix.h: kernels of mixes of blocks of features, of their dot products, and of
 * the Sinkhorn projection. */
#ifndef RNET_KERNELS_MIX_H
#define RNET_KERNELS_MIX_H

#include "point.h"

/* One call; each kernel reads what its entry point has. */
struct mix_job {
    const struct rnet_run *run;
    struct rnet_rows rows;
    long from, to;              /* blocks of x; of acc (dots: of y) */
    long features;              /* of a block */
    long w_from, w_to;          /* w of block i for block j: i w_from + j w_to */
    const float *x, *y, *w;     /* y: of dots; Sinkhorn's gradient: dy */
    long x_stride, y_stride, w_stride;  /* 0: the same for all rows */
    int n, iterations;          /* Sinkhorn: n x n */
    struct rnet_steps steps;
};

/* Each takes rows as rnet_by_rows cuts them. */
struct mix_kernels {
    void (*mix)(const struct mix_job *job, long row, long count);
    void (*dots)(const struct mix_job *job, long row, long count);
    void (*sinkhorn)(const struct mix_job *job, long row, long count);
    void (*sinkhorn_grad)(const struct mix_job *job, long row, long count);
};
extern const struct mix_kernels rnet_scalar_mix_kernels, rnet_base_mix_kernels,
    rnet_avx2_mix_kernels, rnet_avx512_mix_kernels;

#endif
