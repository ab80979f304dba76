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
    const struct rnet_entropy *entropy;     /* or NULL */
    double classes;             /* sum of the classes' weights */
    const float *target;        /* plain (rows, features) */
    float *lines;               /* one sum for each 32 rows */
    float scale;                /* of the gradient: weight / count, weight /
                                   sum r w_t */
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

/* A row's cross-entropy is label (-log q_t) + rest sum_c w_c (-log q_c); both
 * are 0 where it does not count. */
struct loss_share { float label, rest; };

static inline float rnet_class_weight(const struct rnet_entropy *entropy,
                                      long class)
{
    return entropy->classes ? entropy->classes[class] : 1;
}

/* r, and 0 where the label is ignored */
static inline float rnet_row_weight(const struct loss_job *job, long row)
{
    const struct rnet_entropy *entropy = job->entropy;

    if (entropy->ignores && job->label[row] == entropy->ignore)
        return 0;
    return entropy->rows ? entropy->rows[row] : 1;
}

static inline struct loss_share rnet_loss_share(const struct loss_job *job,
                                                long row)
{
    const struct rnet_entropy *entropy = job->entropy;
    float weight = entropy ? rnet_row_weight(job, row) : 1;

    if (!entropy || weight == 0)
        return (struct loss_share) { weight, 0 };
    return (struct loss_share) {
        weight * (1 - entropy->smoothing)
            * rnet_class_weight(entropy, job->label[row]),
        weight * entropy->smoothing / (float)job->features
    };
}

/* Adds to the line of these rows, which the first of them sets. */
static inline void rnet_loss_line(const struct loss_job *job, long row,
                                  float sum)
{
    float *line = job->lines + row / RNET_LANES;

    *line = row % RNET_LANES == 0 ? sum : *line + sum;
}

#endif
