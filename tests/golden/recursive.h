/* recursive: emitted by rnetc 0.1.0 from recursive.rnet; do not edit. */
#ifndef RECURSIVE_H
#define RECURSIVE_H

#include <rnet.h>

#if RNET_VERSION != 5
#error "rnetc 0.1.0 wrote this for another rnet.h: take both of one release"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define RECURSIVE_WIDTH                 9
#define RECURSIVE_X_SIZE                5  /* input x [5] */
#define RECURSIVE_TARGET_SIZE           2  /* target target [2] */
#define RECURSIVE_Y_SIZE                2  /* output y [2] */
#define RECURSIVE_PARAMETERS            524  /* trainable scalars */
#define RECURSIVE_GRAD_FLOATS           1904  /* of gradients, of each optimiser state */
#define RECURSIVE_PARAM_FLOATS          1904  /* of parameters */

/* Bytes of work memory. */
#define RECURSIVE_INFER_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)1312 * (((size_t)(batch) + 31) / 32) \
     + (size_t)(threads) * 49152))
#define RECURSIVE_TRAIN_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)4128 * (((size_t)(batch) + 31) / 32) \
     + (size_t)(threads) * 49152))

/* The network as a table: names, shapes, offsets, entry points. */
extern const struct rnet_network recursive;

/* Initial parameters, as the network says. */
enum rnet_status recursive_init(float *params, uint64_t seed);

/* Forward.  work: RECURSIVE_INFER_BYTES(batch, threads).
 * x (batch, 5)
 * y (batch, 2)
 */
enum rnet_status recursive_infer(const float *params, const float *x, float *y,
                                 size_t batch, struct rnet_work *work);

/* Forward and backward.  *loss is set; grads += dloss/dparams; gradients of
 * inputs are set, each may be NULL.  Running statistics in params move.
 * work: RECURSIVE_TRAIN_BYTES(batch, threads).
 * x (batch, 5)
 * target (batch, 2)
 * y (batch, 2), or NULL
 */
enum rnet_status recursive_train(float *params, const float *x,
                                 const float *target, float *y, float *loss,
                                 float *grads, float *x_grad, size_t batch,
                                 struct rnet_work *work);

#ifdef __cplusplus
}
#endif
#endif
