/* position.h: kernels of sines: of a row's position in its sample, and of a
 * number that each row has. */
#ifndef RNET_KERNELS_POSITION_H
#define RNET_KERNELS_POSITION_H

#include "point.h"

/* One call; the sines have no x, and one head of all features. */
struct position_job {
    const struct rnet_run *run;
    struct rnet_rows rows;
    long features, head;
    enum rnet_pairing pairing;
    double base;
    int sign;                   /* 1, or -1: turn back */
    const float *x;             /* or dy */
    long x_stride;
    const float *y;             /* sine_features_grad */
    long y_stride, shift;
    struct rnet_steps steps;
};

/* Each takes rows as rnet_by_rows cuts them. */
struct position_kernels {
    void (*rope)(const struct position_job *job, long row, long count);
    void (*sines)(const struct position_job *job, long row, long count);
    void (*features)(const struct position_job *job, long row, long count);
    void (*features_grad)(const struct position_job *job, long row,
                          long count);
};
extern const struct position_kernels rnet_scalar_position_kernels,
    rnet_base_position_kernels, rnet_avx2_position_kernels,
    rnet_avx512_position_kernels;

/* Radians a position turns pair i by. */
static inline double position_angle(const struct position_job *job, long i)
{
    return pow(job->base, -2.0 * (double)i / (double)job->head);
}

/* Radians by which feature i < features / 2 turns for each unit of x. */
static inline double position_rate(const struct position_job *job, long i)
{
    return pow(job->base, -(double)i / (double)(job->features / 2
                                                - job->shift));
}

/* The pair of a feature of a head. */
static inline long position_pair(const struct position_job *job, long feature)
{
    return job->pairing == RNET_HALVES ? feature % (job->head / 2)
                                       : feature / 2;
}

#endif
