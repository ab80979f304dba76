/* squeeze: emitted by rnetc 0.1.0 from squeeze.rnet; do not edit. */
#ifndef SQUEEZE_H
#define SQUEEZE_H

#include <rnet.h>

#if RNET_VERSION != 5
#error "rnetc 0.1.0 wrote this for another rnet.h: take both of one release"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define SQUEEZE_CHANNELS                6
#define SQUEEZE_IMAGE_SIZE              90  /* input image [5, 6, 3] */
#define SQUEEZE_LABEL_SIZE              1  /* target label int [] */
#define SQUEEZE_LOGITS_SIZE             3  /* output logits [3] */
#define SQUEEZE_PARAMETERS              1573  /* trainable scalars */
#define SQUEEZE_GRAD_FLOATS             4656  /* of gradients, of each optimiser state */
#define SQUEEZE_PARAM_FLOATS            4656  /* of parameters */

/* Bytes of work memory. */
#define SQUEEZE_INFER_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)608 * (((size_t)(batch) + 31) / 32) \
     + (size_t)768 * (size_t)(batch) \
     + (size_t)(threads) * 51520))
#define SQUEEZE_TRAIN_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)18624 \
     + (size_t)1856 * (((size_t)(batch) + 31) / 32) \
     + (size_t)3008 * (size_t)(batch) \
     + (size_t)(threads) * 51520))

/* The network as a table: names, shapes, offsets, entry points. */
extern const struct rnet_network squeeze;

/* Initial parameters, as the network says. */
enum rnet_status squeeze_init(float *params, uint64_t seed);

/* Forward.  work: SQUEEZE_INFER_BYTES(batch, threads).
 * image (batch, 5, 6, 3)
 * logits (batch, 3)
 */
enum rnet_status squeeze_infer(const float *params, const float *image,
                               float *logits, size_t batch,
                               struct rnet_work *work);

/* Forward and backward.  *loss is set; grads += dloss/dparams; gradients of
 * inputs are set, each may be NULL.  Running statistics in params move.
 * work: SQUEEZE_TRAIN_BYTES(batch, threads).
 * image (batch, 5, 6, 3)
 * label (batch), each 0 ... 2
 * logits (batch, 3), or NULL
 */
enum rnet_status squeeze_train(float *params, const float *image,
                               const int32_t *label, float *logits,
                               float *loss, float *grads, float *image_grad,
                               size_t batch, struct rnet_work *work);

#ifdef __cplusplus
}
#endif
#endif
