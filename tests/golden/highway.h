/* highway: emitted by rnetc 0.1.0 from highway.rnet; do not edit. */
#ifndef HIGHWAY_H
#define HIGHWAY_H

#include <rnet.h>

#if RNET_VERSION != 5
#error "rnetc 0.1.0 wrote this for another rnet.h: take both of one release"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define HIGHWAY_WIDTH                   50
#define HIGHWAY_DEPTH                   49
#define HIGHWAY_BIAS                    -4
#define HIGHWAY_CLASSES                 10
#define HIGHWAY_IMAGE_SIZE              784  /* input image [28, 28] */
#define HIGHWAY_LABEL_SIZE              1  /* target label int [] */
#define HIGHWAY_LOGITS_SIZE             10  /* output logits [10] */
#define HIGHWAY_PARAMETERS              289660  /* trainable scalars */
#define HIGHWAY_GRAD_FLOATS             360592  /* of gradients, of each optimiser state */
#define HIGHWAY_PARAM_FLOATS            360592  /* of parameters */

/* Bytes of work memory. */
#define HIGHWAY_INFER_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)28288 * (((size_t)(batch) + 31) / 32) \
     + (size_t)(threads) * 49152))
#define HIGHWAY_TRAIN_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)372096 * (((size_t)(batch) + 31) / 32) \
     + (size_t)(threads) * 49152))

/* The network as a table: names, shapes, offsets, entry points. */
extern const struct rnet_network highway;

/* Initial parameters, as the network says. */
enum rnet_status highway_init(float *params, uint64_t seed);

/* Forward.  work: HIGHWAY_INFER_BYTES(batch, threads).
 * image (batch, 28, 28)
 * logits (batch, 10)
 */
enum rnet_status highway_infer(const float *params, const float *image,
                               float *logits, size_t batch,
                               struct rnet_work *work);

/* Forward and backward.  *loss is set; grads += dloss/dparams; gradients of
 * inputs are set, each may be NULL.  Running statistics in params move.
 * work: HIGHWAY_TRAIN_BYTES(batch, threads).
 * image (batch, 28, 28)
 * label (batch), each 0 ... 9
 * logits (batch, 10), or NULL
 */
enum rnet_status highway_train(float *params, const float *image,
                               const int32_t *label, float *logits,
                               float *loss, float *grads, float *image_grad,
                               size_t batch, struct rnet_work *work);

#ifdef __cplusplus
}
#endif
#endif
