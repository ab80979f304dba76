/* frames: emitted by rnetc 0.1.0 from frames.rnet; do not edit. */
#ifndef FRAMES_H
#define FRAMES_H

#include <rnet.h>

#if RNET_VERSION != 5
#error "rnetc 0.1.0 wrote this for another rnet.h: take both of one release"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define FRAMES_IMAGE_SIZE               90  /* input image [5, 6, 3] */
#define FRAMES_TARGET_SIZE              3  /* target target [3] */
#define FRAMES_Y_SIZE                   3  /* output y [3] */
#define FRAMES_PARAMETERS               1832  /* trainable scalars */
#define FRAMES_GRAD_FLOATS              2864  /* of gradients, of each optimiser state */
#define FRAMES_PARAM_FLOATS             2864  /* of parameters */

/* Bytes of work memory. */
#define FRAMES_INFER_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)4224 * (((size_t)(batch) + 31) / 32) \
     + (size_t)656 * (size_t)(batch) \
     + (size_t)(threads) * 51456))
#define FRAMES_TRAIN_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)18624 \
     + (size_t)8480 * (((size_t)(batch) + 31) / 32) \
     + (size_t)1648 * (size_t)(batch) \
     + (size_t)(threads) * 51456))

/* The network as a table: names, shapes, offsets, entry points. */
extern const struct rnet_network frames;

/* Initial parameters, as the network says. */
enum rnet_status frames_init(float *params, uint64_t seed);

/* Forward.  work: FRAMES_INFER_BYTES(batch, threads).
 * image (batch, 5, 6, 3)
 * y (batch, 3)
 */
enum rnet_status frames_infer(const float *params, const float *image,
                              float *y, size_t batch, struct rnet_work *work);

/* Forward and backward.  *loss is set; grads += dloss/dparams; gradients of
 * inputs are set, each may be NULL.  Running statistics in params move.
 * work: FRAMES_TRAIN_BYTES(batch, threads).
 * image (batch, 5, 6, 3)
 * target (batch, 3)
 * y (batch, 3), or NULL
 */
enum rnet_status frames_train(float *params, const float *image,
                              const float *target, float *y, float *loss,
                              float *grads, float *image_grad, size_t batch,
                              struct rnet_work *work);

#ifdef __cplusplus
}
#endif
#endif
