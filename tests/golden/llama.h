/* llama: emitted by rnetc 0.1.0 from llama.rnet; do not edit. */
#ifndef LLAMA_H
#define LLAMA_H

#include <rnet.h>

#if RNET_VERSION != 5
#error "rnetc 0.1.0 wrote this for another rnet.h: take both of one release"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define LLAMA_VOCAB                     11
#define LLAMA_CONTEXT                   35
#define LLAMA_WIDTH                     8
#define LLAMA_LAYERS                    2
#define LLAMA_HEADS                     4
#define LLAMA_GROUPS                    2
#define LLAMA_HIDDEN                    11
#define LLAMA_WORD_SIZE                 35  /* input word int [35] */
#define LLAMA_NEXT_SIZE                 35  /* target next int [35] */
#define LLAMA_LOGITS_SIZE               385  /* output logits [35, 11] */
#define LLAMA_PARAMETERS                1128  /* trainable scalars */
#define LLAMA_GRAD_FLOATS               4240  /* of gradients, of each optimiser state */
#define LLAMA_PARAM_FLOATS              4240  /* of parameters */

/* Bytes of work memory. */
#define LLAMA_INFER_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)1984 * (((size_t)(batch) * 35 + 31) / 32) \
     + (size_t)(threads) * 49152))
#define LLAMA_TRAIN_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)0 \
     + (size_t)9408 * (((size_t)(batch) * 35 + 31) / 32) \
     + (size_t)288 * (size_t)(batch) \
     + (size_t)(threads) * 66560))

/* The network as a table: names, shapes, offsets, entry points. */
extern const struct rnet_network llama;

/* Initial parameters, as the network says. */
enum rnet_status llama_init(float *params, uint64_t seed);

/* Forward.  work: LLAMA_INFER_BYTES(batch, threads).
 * word (batch, 35), each 0 ... 10
 * logits (batch, 35, 11)
 */
enum rnet_status llama_infer(const float *params, const int32_t *word,
                             float *logits, size_t batch,
                             struct rnet_work *work);

/* Forward and backward.  *loss is set; grads += dloss/dparams; gradients of
 * inputs are set, each may be NULL.  Running statistics in params move.
 * work: LLAMA_TRAIN_BYTES(batch, threads).
 * word (batch, 35), each 0 ... 10
 * next (batch, 35), each 0 ... 10
 * logits (batch, 35, 11), or NULL
 */
enum rnet_status llama_train(float *params, const int32_t *word,
                             const int32_t *next, float *logits, float *loss,
                             float *grads, size_t batch,
                             struct rnet_work *work);

#ifdef __cplusplus
}
#endif
#endif
