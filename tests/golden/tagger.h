/* tagger: emitted by rnetc 0.1.0 from tagger.rnet; do not edit. */
#ifndef TAGGER_H
#define TAGGER_H

#include <rnet.h>

#if RNET_VERSION != 5
#error "rnetc 0.1.0 wrote this for another rnet.h: take both of one release"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define TAGGER_VOCAB                    7
#define TAGGER_CONTEXT                  3
#define TAGGER_WIDTH                    5
#define TAGGER_TOKEN_SIZE               3  /* input token int [3] */
#define TAGGER_LABEL_SIZE               1  /* target label int [] */
#define TAGGER_LOGITS_SIZE              4  /* output logits [4] */
#define TAGGER_PARAMETERS               239  /* trainable scalars */
#define TAGGER_GRAD_FLOATS              704  /* of gradients, of each optimiser state */
#define TAGGER_PARAM_FLOATS             704  /* of parameters */

/* Bytes of work memory. */
#define TAGGER_INFER_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)160 * (((size_t)(batch) * 3 + 31) / 32) \
     + (size_t)800 * (((size_t)(batch) + 31) / 32) \
     + (size_t)16 * (size_t)(batch) \
     + (size_t)(threads) * 49152))
#define TAGGER_TRAIN_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)160 * (((size_t)(batch) * 3 + 31) / 32) \
     + (size_t)1728 * (((size_t)(batch) + 31) / 32) \
     + (size_t)16 * (size_t)(batch) \
     + (size_t)(threads) * 49152))

/* The network as a table: names, shapes, offsets, entry points. */
extern const struct rnet_network tagger;

/* Initial parameters, as the network says. */
enum rnet_status tagger_init(float *params, uint64_t seed);

/* Forward.  work: TAGGER_INFER_BYTES(batch, threads).
 * token (batch, 3), each 0 ... 6
 * logits (batch, 4)
 */
enum rnet_status tagger_infer(const float *params, const int32_t *token,
                              float *logits, size_t batch,
                              struct rnet_work *work);

/* Forward and backward.  *loss is set; grads += dloss/dparams; gradients of
 * inputs are set, each may be NULL.  Running statistics in params move.
 * work: TAGGER_TRAIN_BYTES(batch, threads).
 * token (batch, 3), each 0 ... 6
 * label (batch), each 0 ... 3
 * logits (batch, 4), or NULL
 */
enum rnet_status tagger_train(float *params, const int32_t *token,
                              const int32_t *label, float *logits, float *loss,
                              float *grads, size_t batch,
                              struct rnet_work *work);

#ifdef __cplusplus
}
#endif
#endif
