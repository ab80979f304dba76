/* optimizer.c: SGD, Adam, sums of squares. */
#include "optimizer.h"
#include "vec.h"

static void sgd(float *w, float *velocity, const float *grad,
                const float *decay, long groups,
                const struct rnet_sgd_rule *rule)
{
    const vf rate = v_set(rule->rate), momentum = v_set(rule->momentum);
    const vf fresh = v_set(rule->fresh);
    for (long i = 0; i < groups * 16; i += RNET_W) {
        vf weight = v_load(w + i), m;
        vf g = v_load(grad + i) + v_set(decay[i / 16]) * weight;
        if (velocity) {
            m = momentum * v_load(velocity + i) + fresh * g;
            v_store(velocity + i, m);
            g = rule->nesterov ? g + momentum * m : m;
        }
        v_store(w + i, weight - rate * g);
    }
}

static void adam(float *w, float *moment1, float *moment2, const float *grad,
                 const float *decay, long groups,
                 const struct rnet_adam_rule *rule)
{
    const vf beta1 = v_set(rule->beta1), fresh1 = v_set(rule->fresh1);
    const vf beta2 = v_set(rule->beta2), fresh2 = v_set(rule->fresh2);
    const vf rate = v_set(rule->rate), root = v_set(rule->root);
    const vf epsilon = v_set(rule->epsilon), least = v_set(RNET_LEAST_MOMENT);
    for (long i = 0; i < groups * 16; i += RNET_W) {
        float decays = decay[i / 16];
        vf weight = v_load(w + i);
        vf g = v_load(grad + i) + v_set(rule->coupled * decays) * weight;
        vf m = beta1 * v_load(moment1 + i) + fresh1 * g;
        vf v = beta2 * v_load(moment2 + i) + fresh2 * g * g;
        v_store(moment1 + i, m);
        v_store(moment2 + i, v);
        weight -= v_set(rule->decoupled * decays) * weight;
        vf below = root * v_sqrt(v_max(least, v)) + epsilon;
        v_store(w + i, weight - rate * (m / below));
    }
}

typedef double vd4 __attribute__((vector_size(32)));

/* Four sums of each four lanes, added up in order. */
static double squares(const float *x, long groups)
{
    vd4 sum[4] = { { 0 } };
    for (long i = 0; i < groups; i++)
        UNROLL
        for (int k = 0; k < 4; k++) {
            const vf4 *part = (const vf4 *)(x + i * 16 + k * 4);
            vd4 wide = __builtin_convertvector(*part, vd4);
            sum[k] += wide * wide;
        }
    vd4 all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    return (all[0] + all[1]) + (all[2] + all[3]);
}

static void scale(float *x, float factor, long groups)
{
    const vf factors = v_set(factor);
    for (long i = 0; i < groups * 16; i += RNET_W)
        v_store(x + i, factors * v_load(x + i));
}

const struct optimizer_kernels RNET_NAME(optimizer_kernels) = {
    sgd, adam, squares, scale
};
