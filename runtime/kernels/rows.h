/* rows.h: kernels of dense layers, embeddings and changes of layout: what the
 * entry points in ../rows.c hand to the kernels of an instruction set. */
#ifndef RNET_ROWS_H
#define RNET_ROWS_H

#include "../rnet_kernels.h"

/* A tail that is done in registers: the stages that are there, in this order.
 * Values are in strips.
 *   acc += bias[f];  acc += before;  acc = mask > 0 ? acc : 0;
 *   acc = max(acc, 0) (inner_relu);  acc += after;  acc = max(acc, 0) (relu);
 *   acc += out (accumulate);  out = acc */
struct rows_tail {
    float *out;                 /* NULL: not such a tail, run the steps */
    const float *bias, *before, *mask, *after;
    long out_stride, before_stride, mask_stride, after_stride;
    int inner_relu, relu, accumulate;
};
/* Recognises them; of any other list `out` is NULL. */
struct rows_tail rnet_rows_tail(struct rnet_steps steps);

/* One call of an entry point.  What a kernel does not need is unset. */
struct rows_job {
    const struct rnet_run *run;
    long rows, rows_per_sample;
    long in, out;               /* features; an embedding's are `out` */
    const float *x;             /* plain in pack, else in strips */
    long x_stride;
    const float *dy;
    long dy_stride;
    const float *w;             /* weights or table, in panels */
    float *dw, *db;             /* gradients of weights or table; of a bias */
    long dw_stride;             /* features of dy that dw has room for, from */
    long dw_panel, dw_feature;  /* these on */
    float *step_w, *step_b;     /* what an optimiser's step is done to */
    long vocabulary;
    const int32_t *index;       /* NULL: the row's number in its sample */
    struct rnet_steps steps;
    struct rows_tail tail;
};

/* One task: strips [strip, strip + strips), features [feature, feature +
 * features) of the result.  grad_weight: features are those of dy, `panel`
 * and `panels` are 32s of features of x; grad_input and embedding_grad have
 * `feature` a multiple of 32. */
struct rows_part {
    long strip, strips;
    long feature, features;
    long panel, panels;
};

typedef void rows_kernel(const struct rows_job *job,
                         const struct rows_part *part, float *scratch);

struct rows_kernels {
    rows_kernel *linear;        /* acc (rows, out) = x w^T */
    rows_kernel *grad_input;    /* acc (rows, in) = dy w */
    rows_kernel *grad_weight;   /* dw += dy^T x; db += sum of dy, with panel 0 */
    rows_kernel *step_weight;   /* the same, given to rnet_update at once */
    rows_kernel *embedding;     /* acc (rows, out) = w[index[row]] */
    rows_kernel *embedding_grad; /* dw[index[row]] += dy[row] */
    rows_kernel *pack;          /* acc, in strips, = x, plain */
    rows_kernel *unpack;        /* acc, plain, = x, in strips; all features */
};
extern const struct rows_kernels rnet_scalar_rows_kernels,
    rnet_base_rows_kernels, rnet_avx2_rows_kernels, rnet_avx512_rows_kernels;

static inline long rows_least(long a, long b)
{
    return a < b ? a : b;
}

/* The row of an embedding's table. */
static inline long rows_index(const struct rows_job *job, long row)
{
    return job->index ? job->index[row] : row % job->rows_per_sample;
}

/* Valid lanes of a strip. */
static inline int rows_lanes(const struct rows_job *job, long strip)
{
    return (int)rows_least(RNET_LANES, job->rows - strip * RNET_LANES);
}

/* True when plain tiles must not straddle samples. */
static inline int rows_by_sample(struct rnet_steps steps)
{
    for (int k = 0; k < steps.count; k++) {
        const struct rnet_step *step = steps.step + k;
        if (step->kind == RNET_SAMPLE || step->kind == RNET_SAMPLE_FEATURE
            || step->op == RNET_DROP_SAMPLE || step->op >= RNET_SUM)
            return 1;
    }
    return 0;
}

#endif
