/* preact: emitted by rnetc 0.1.0 from preact.rnet; do not edit. */
#ifndef PREACT_H
#define PREACT_H

#include <rnet.h>

#if RNET_VERSION != 5
#error "rnetc 0.1.0 wrote this for another rnet.h: take both of one release"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define PREACT_CLASSES                  4
#define PREACT_IMAGE_SIZE               144  /* input image [8, 6, 3] */
#define PREACT_LABEL_SIZE               1  /* target label int [] */
#define PREACT_LOGITS_SIZE              4  /* output logits [4] */
#define PREACT_PARAMETERS               2876  /* trainable scalars */
#define PREACT_GRAD_FLOATS              7280  /* of gradients, of each optimiser state */
#define PREACT_PARAM_FLOATS             7568  /* of parameters */

/* Bytes of work memory. */
#define PREACT_INFER_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)96 \
     + (size_t)384 * (((size_t)(batch) + 31) / 32) \
     + (size_t)864 * (size_t)(batch) \
     + (size_t)(threads) * 51648))
#define PREACT_TRAIN_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)18864 \
     + (size_t)768 * (((size_t)(batch) + 31) / 32) \
     + (size_t)4672 * (size_t)(batch) \
     + (size_t)(threads) * 51648))

/* The network as a table: names, shapes, offsets, entry points. */
extern const struct rnet_network preact;

/* Initial parameters, as the network says. */
enum rnet_status preact_init(float *params, uint64_t seed);

/* Forward.  work: PREACT_INFER_BYTES(batch, threads).
 * image (batch, 8, 6, 3)
 * logits (batch, 4)
 */
enum rnet_status preact_infer(const float *params, const float *image,
                              float *logits, size_t batch,
                              struct rnet_work *work);

/* Forward and backward.  *loss is set; grads += dloss/dparams; gradients of
 * inputs are set, each may be NULL.  Running statistics in params move.
 * work: PREACT_TRAIN_BYTES(batch, threads).
 * image (batch, 8, 6, 3)
 * label (batch), each 0 ... 3
 * logits (batch, 4), or NULL
 */
enum rnet_status preact_train(float *params, const float *image,
                              const int32_t *label, float *logits, float *loss,
                              float *grads, float *image_grad, size_t batch,
                              struct rnet_work *work);

#ifdef __cplusplus
}
#endif
#endif
