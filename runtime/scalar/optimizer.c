/* optimizer.c: SGD, Adam and sums of squares, one scalar at a time. */
#include "../kernels/optimizer.h"

#include <math.h>

static void sgd(float *w, float *velocity, const float *grad,
                const float *decay, long groups,
                const struct rnet_sgd_rule *rule)
{
    for (long i = 0; i < groups * 16; i++) {
        float g = grad[i] + decay[i / 16] * w[i];
        if (velocity) {
            velocity[i] = rule->momentum * velocity[i] + rule->fresh * g;
            g = rule->nesterov ? g + rule->momentum * velocity[i]
                               : velocity[i];
        }
        w[i] -= rule->rate * g;
    }
}

static void adam(float *w, float *moment1, float *moment2, const float *grad,
                 const float *decay, long groups,
                 const struct rnet_adam_rule *rule)
{
    for (long i = 0; i < groups * 16; i++) {
        float g = grad[i] + rule->coupled * decay[i / 16] * w[i];
        float m = rule->beta1 * moment1[i] + rule->fresh1 * g;
        float v = rule->beta2 * moment2[i] + rule->fresh2 * g * g;
        float safe = v < RNET_LEAST_MOMENT ? RNET_LEAST_MOMENT : v;
        moment1[i] = m;
        moment2[i] = v;
        w[i] -= rule->decoupled * decay[i / 16] * w[i];
        w[i] -= rule->rate * (m / (rule->root * (float)sqrt(safe)
                                   + rule->epsilon));
    }
}

static double squares(const float *x, long groups)
{
    double sum = 0;
    for (long i = 0; i < groups * 16; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

static void scale(float *x, float factor, long groups)
{
    for (long i = 0; i < groups * 16; i++)
        x[i] *= factor;
}

const struct optimizer_kernels RNET_NAME(optimizer_kernels) = {
    sgd, adam, squares, scale
};
