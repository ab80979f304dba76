/* step.h: the gradients of a network, by `train` or, with --fuse-optimizer, by
 * one `step` at a rate of 0: SGD's velocity and Adam's first moment (beta1 = 0)
 * are then the gradient. */
#ifndef STEP_H
#define STEP_H

#include <rnet.h>

#include <string.h>

static inline int can_train(const struct rnet_network *net)
{
    return net->train || net->step;
}

static inline int steps_by_adam(const struct rnet_network *net)
{
    return strstr(net->name, "adam") != NULL;
}

/* *loss, grads += gradients: as net->train.  `name` has "adam" where the rule of
 * the step is Adam. */
static inline enum rnet_status
gradients_of(const struct rnet_network *net, float *params,
             const void *const *inputs, float *const *outputs, float *loss,
             float *grads, float *const *input_grads, size_t batch,
             struct rnet_work *work)
{
    if (net->train)
        return net->train(params, inputs, outputs, loss, grads, input_grads,
                          batch, work);
    size_t count = net->grad_floats;
    float *found = rnet_alloc(count ? count : 1);
    float *other = rnet_alloc(count ? count : 1);
    struct rnet_sgd sgd = { .momentum = 0.5, .velocity = found };
    struct rnet_adam adam = { .beta2 = 0.5, .epsilon = 1, .moment1 = found,
                              .moment2 = other };
    enum rnet_status status = RNET_NO_MEMORY;

    if (found && other) {
        memset(found, 0, count * sizeof *found);
        memset(other, 0, count * sizeof *other);
        status = net->step(params, inputs, outputs, loss, steps_by_adam(net)
                           ? (void *)&adam : (void *)&sgd, input_grads, batch,
                           work);
        for (size_t i = 0; i < count; i++)
            grads[i] += found[i];
    }
    rnet_free(found);
    rnet_free(other);
    return status;
}

#endif
