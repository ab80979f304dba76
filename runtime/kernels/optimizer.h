/* optimizer.h: kernels of the optimisers.  All arrays are 64-byte aligned and
 * in groups of 16 floats; decay[i] belongs to group i. */
#ifndef RNET_OPTIMIZER_H
#define RNET_OPTIMIZER_H

#include "tile.h"

/* Least second moment to divide by: denormals are zero in here, and 0 / 0, with
 * an epsilon of 0, would turn padding into NaN. */
#define RNET_LEAST_MOMENT 1.2e-38f

struct optimizer_kernels {
    /* g = grad + decay w; m = momentum m + fresh g; w -= rate m, or with
     * nesterov rate (g + momentum m), or without velocity (NULL) rate g */
    void (*sgd)(float *w, float *velocity, const float *grad,
                const float *decay, long groups,
                const struct rnet_sgd_rule *rule);
    /* w -= decoupled decay w; g = grad + coupled decay w;
     * m = beta1 m + fresh1 g; v = beta2 v + fresh2 g g;
     * w -= rate m / (root sqrt(v) + epsilon) */
    void (*adam)(float *w, float *moment1, float *moment2, const float *grad,
                 const float *decay, long groups,
                 const struct rnet_adam_rule *rule);
    /* sum of x^2 */
    double (*squares)(const float *x, long groups);
    /* x *= factor */
    void (*scale)(float *x, float factor, long groups);
};
extern const struct optimizer_kernels rnet_scalar_optimizer_kernels,
    rnet_base_optimizer_kernels, rnet_avx2_optimizer_kernels,
    rnet_avx512_optimizer_kernels;

#endif
