/* denseformer: emitted by rnetc 0.1.0 from denseformer.rnet; do not edit. */
#ifndef DENSEFORMER_H
#define DENSEFORMER_H

#include <rnet.h>

#if RNET_VERSION != 5
#error "rnetc 0.1.0 wrote this for another rnet.h: take both of one release"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define DENSEFORMER_LAYERS              3
#define DENSEFORMER_WIDTH               8
#define DENSEFORMER_X_SIZE              18  /* input x [3, 6] */
#define DENSEFORMER_LABEL_SIZE          1  /* target label int [] */
#define DENSEFORMER_LOGITS_SIZE         4  /* output logits [4] */
#define DENSEFORMER_PARAMETERS          1333  /* trainable scalars */
#define DENSEFORMER_GRAD_FLOATS         3904  /* of gradients, of each optimiser state */
#define DENSEFORMER_PARAM_FLOATS        3904  /* of parameters */

/* Bytes of work memory. */
#define DENSEFORMER_INFER_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)2752 * (((size_t)(batch) * 3 + 31) / 32) \
     + (size_t)896 * (((size_t)(batch) + 31) / 32) \
     + (size_t)32 * (size_t)(batch) \
     + (size_t)(threads) * 49152))
#define DENSEFORMER_TRAIN_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)11424 * (((size_t)(batch) * 3 + 31) / 32) \
     + (size_t)1792 * (((size_t)(batch) + 31) / 32) \
     + (size_t)32 * (size_t)(batch) \
     + (size_t)(threads) * 49152))

/* The network as a table: names, shapes, offsets, entry points. */
extern const struct rnet_network denseformer;

/* Initial parameters, as the network says. */
enum rnet_status denseformer_init(float *params, uint64_t seed);

/* Forward.  work: DENSEFORMER_INFER_BYTES(batch, threads).
 * x (batch, 3, 6)
 * logits (batch, 4)
 */
enum rnet_status denseformer_infer(const float *params, const float *x,
                                   float *logits, size_t batch,
                                   struct rnet_work *work);

/* Forward and backward.  *loss is set; grads += dloss/dparams; gradients of
 * inputs are set, each may be NULL.  Running statistics in params move.
 * work: DENSEFORMER_TRAIN_BYTES(batch, threads).
 * x (batch, 3, 6)
 * label (batch), each 0 ... 3
 * logits (batch, 4), or NULL
 */
enum rnet_status denseformer_train(float *params, const float *x,
                                   const int32_t *label, float *logits,
                                   float *loss, float *grads, float *x_grad,
                                   size_t batch, struct rnet_work *work);

#ifdef __cplusplus
}
#endif
#endif
