/* resnet_cifar: emitted by rnetc 0.1.0 from resnet_cifar.rnet; do not edit. */
#ifndef RESNET_CIFAR_H
#define RESNET_CIFAR_H

#include <rnet.h>

#if RNET_VERSION != 5
#error "rnetc 0.1.0 wrote this for another rnet.h: take both of one release"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define RESNET_CIFAR_N                  3
#define RESNET_CIFAR_WIDTH              16
#define RESNET_CIFAR_CLASSES            10
#define RESNET_CIFAR_SIDE               32
#define RESNET_CIFAR_COLOURS            3
#define RESNET_CIFAR_IMAGE_SIZE         3072  /* input image [32, 32, 3] */
#define RESNET_CIFAR_LABEL_SIZE         1  /* target label int [] */
#define RESNET_CIFAR_LOGITS_SIZE        10  /* output logits [10] */
#define RESNET_CIFAR_PARAMETERS         269722  /* trainable scalars */
#define RESNET_CIFAR_GRAD_FLOATS        269728  /* of gradients, of each optimiser state */
#define RESNET_CIFAR_PARAM_FLOATS       271104  /* of parameters */

/* Bytes of work memory. */
#define RESNET_CIFAR_INFER_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)288 \
     + (size_t)2368 * (((size_t)(batch) + 31) / 32) \
     + (size_t)65536 * (size_t)(batch) \
     + (size_t)(threads) * 112704))
#define RESNET_CIFAR_TRAIN_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)297776 \
     + (size_t)4736 * (((size_t)(batch) + 31) / 32) \
     + (size_t)348224 * (size_t)(batch) \
     + (size_t)(threads) * 112704))

/* The network as a table: names, shapes, offsets, entry points. */
extern const struct rnet_network resnet_cifar;

/* Initial parameters, as the network says. */
enum rnet_status resnet_cifar_init(float *params, uint64_t seed);

/* Forward.  work: RESNET_CIFAR_INFER_BYTES(batch, threads).
 * image (batch, 32, 32, 3)
 * logits (batch, 10)
 */
enum rnet_status resnet_cifar_infer(const float *params, const float *image,
                                    float *logits, size_t batch,
                                    struct rnet_work *work);

/* Forward and backward.  *loss is set; grads += dloss/dparams; gradients of
 * inputs are set, each may be NULL.  Running statistics in params move.
 * work: RESNET_CIFAR_TRAIN_BYTES(batch, threads).
 * image (batch, 32, 32, 3)
 * label (batch), each 0 ... 9
 * logits (batch, 10), or NULL
 */
enum rnet_status resnet_cifar_train(float *params, const float *image,
                                    const int32_t *label, float *logits,
                                    float *loss, float *grads,
                                    float *image_grad, size_t batch,
                                    struct rnet_work *work);

#ifdef __cplusplus
}
#endif
#endif
