/* densenet: emitted by rnetc 0.1.0 from densenet.rnet; do not edit. */
#ifndef DENSENET_H
#define DENSENET_H

#include <rnet.h>

#if RNET_VERSION != 5
#error "rnetc 0.1.0 wrote this for another rnet.h: take both of one release"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define DENSENET_K                      12
#define DENSENET_N                      2
#define DENSENET_CLASSES                10
#define DENSENET_SIDE                   32
#define DENSENET_COLOURS                3
#define DENSENET_IMAGE_SIZE             3072  /* input image [32, 32, 3] */
#define DENSENET_LABEL_SIZE             1  /* target label int [] */
#define DENSENET_LOGITS_SIZE            10  /* output logits [10] */
#define DENSENET_PARAMETERS             44410  /* trainable scalars */
#define DENSENET_GRAD_FLOATS            56048  /* of gradients, of each optimiser state */
#define DENSENET_PARAM_FLOATS           57392  /* of parameters */

/* Bytes of work memory. */
#define DENSENET_INFER_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)288 \
     + (size_t)1856 * (((size_t)(batch) + 31) / 32) \
     + (size_t)221184 * (size_t)(batch) \
     + (size_t)(threads) * 136768))
#define DENSENET_TRAIN_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)58272 \
     + (size_t)3712 * (((size_t)(batch) + 31) / 32) \
     + (size_t)449360 * (size_t)(batch) \
     + (size_t)(threads) * 136768))

/* The network as a table: names, shapes, offsets, entry points. */
extern const struct rnet_network densenet;

/* Initial parameters, as the network says. */
enum rnet_status densenet_init(float *params, uint64_t seed);

/* Forward.  work: DENSENET_INFER_BYTES(batch, threads).
 * image (batch, 32, 32, 3)
 * logits (batch, 10)
 */
enum rnet_status densenet_infer(const float *params, const float *image,
                                float *logits, size_t batch,
                                struct rnet_work *work);

/* Forward and backward.  *loss is set; grads += dloss/dparams; gradients of
 * inputs are set, each may be NULL.  Running statistics in params move.
 * work: DENSENET_TRAIN_BYTES(batch, threads).
 * image (batch, 32, 32, 3)
 * label (batch), each 0 ... 9
 * logits (batch, 10), or NULL
 */
enum rnet_status densenet_train(float *params, const float *image,
                                const int32_t *label, float *logits,
                                float *loss, float *grads, float *image_grad,
                                size_t batch, struct rnet_work *work);

#ifdef __cplusplus
}
#endif
#endif
