/* digits: emitted by rnetc 0.1.0 from residual_mlp.rnet; do not edit. */
#ifndef DIGITS_H
#define DIGITS_H

#include <rnet.h>

#if RNET_VERSION != 5
#error "rnetc 0.1.0 wrote this for another rnet.h: take both of one release"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define DIGITS_CLASSES                  10
#define DIGITS_WIDTH                    256
#define DIGITS_DEPTH                    4
#define DIGITS_IMAGE_SIZE               784  /* input image [28, 28] */
#define DIGITS_LABEL_SIZE               1  /* target label int [] */
#define DIGITS_LOGITS_SIZE              10  /* output logits [10] */
#define DIGITS_PARAMETERS               729866  /* trainable scalars */
#define DIGITS_GRAD_FLOATS              733968  /* of gradients, of each optimiser state */
#define DIGITS_PARAM_FLOATS             733968  /* of parameters */

/* Bytes of work memory. */
#define DIGITS_INFER_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)41472 * (((size_t)(batch) + 31) / 32) \
     + (size_t)(threads) * 49152))
#define DIGITS_TRAIN_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)156992 * (((size_t)(batch) + 31) / 32) \
     + (size_t)(threads) * 49152))

/* The network as a table: names, shapes, offsets, entry points. */
extern const struct rnet_network digits;

/* Initial parameters, as the network says. */
enum rnet_status digits_init(float *params, uint64_t seed);

/* Forward.  work: DIGITS_INFER_BYTES(batch, threads).
 * image (batch, 28, 28)
 * logits (batch, 10)
 */
enum rnet_status digits_infer(const float *params, const float *image,
                              float *logits, size_t batch,
                              struct rnet_work *work);

/* Forward and backward.  *loss is set; grads += dloss/dparams; gradients of
 * inputs are set, each may be NULL.  Running statistics in params move.
 * work: DIGITS_TRAIN_BYTES(batch, threads).
 * image (batch, 28, 28)
 * label (batch), each 0 ... 9
 * logits (batch, 10), or NULL
 */
enum rnet_status digits_train(float *params, const float *image,
                              const int32_t *label, float *logits, float *loss,
                              float *grads, float *image_grad, size_t batch,
                              struct rnet_work *work);

#ifdef __cplusplus
}
#endif
#endif
