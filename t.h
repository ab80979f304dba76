/* net: emitted by rnetc 0.1.0 from t.rnet; do not edit. */
#ifndef NET_H
#define NET_H

#include <rnet.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NET_X_SIZE                      192  /* input x [8, 8, 3] */
#define NET_T_SIZE                      3  /* target t [3] */
#define NET_Y_SIZE                      3  /* output y [3] */
#define NET_PARAMETERS                  174231  /* trainable scalars */
#define NET_GRAD_FLOATS                 928496  /* of gradients, of each optimiser state */
#define NET_PARAM_FLOATS                992496  /* of parameters */

/* Bytes of work memory. */
#define NET_INFER_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)64000 \
     + (size_t)2144 * (((size_t)(batch) + 31) / 32) \
     + (size_t)896 * (size_t)(batch) \
     + (size_t)(threads) * 52608))
#define NET_TRAIN_BYTES(batch, threads) \
    (sizeof(float) * ((size_t)114640 \
     + (size_t)4288 * (((size_t)(batch) + 31) / 32) \
     + (size_t)384656 * (size_t)(batch) \
     + (size_t)(threads) * 52608))

/* The network as a table: names, shapes, offsets, entry points. */
extern const struct rnet_network net;

/* Initial parameters, as the network says. */
enum rnet_status net_init(float *params, uint64_t seed);

/* Forward.  work: NET_INFER_BYTES(batch, threads).
 * x (batch, 8, 8, 3)
 * y (batch, 3)
 */
enum rnet_status net_infer(const float *params, const float *x, float *y,
                           size_t batch, struct rnet_work *work);

/* Forward and backward.  *loss is set; grads += dloss/dparams; gradients of
 * inputs are set, each may be NULL.  Running statistics in params move.
 * work: NET_TRAIN_BYTES(batch, threads).
 * x (batch, 8, 8, 3)
 * t (batch, 3)
 * y (batch, 3), or NULL
 */
enum rnet_status net_train(float *params, const float *x, const float *t,
                           float *y, float *loss, float *grads, float *x_grad,
                           size_t batch, struct rnet_work *work);

#ifdef __cplusplus
}
#endif
#endif
