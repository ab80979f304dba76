/* small_network.h: a table with every packing, repeats in repeats, and running
 * statistics, for the tests of the runtime's services. */
#ifndef SMALL_NETWORK_H
#define SMALL_NETWORK_H

#include "../../runtime/rnet.h"

enum {
    AT_LINEAR = 0,                      /* [5, 70]: 3 panels of 5 x 32 */
    AT_BIAS = AT_LINEAR + 480,
    AT_RESIDUAL = AT_BIAS + 16,         /* 3 x (scale, 2 x [3, 33]) */
    STRIDE_INNER = 2 * 3 * 32,
    STRIDE_OUTER = 16 + 2 * STRIDE_INNER,
    AT_STAGE = AT_RESIDUAL + 3 * STRIDE_OUTER,
    CONV_FLOATS = 2 * 3 * 2 * 3 * 16,   /* [20, 3, 3, 2] */
    AT_GROUPED = AT_STAGE + 4 * CONV_FLOATS,
    GROUPED_FLOATS = 2 * 2 * 1 * 3 * 2 * 16,    /* [40, 2, 1, 3], 2 groups */
    AT_DEPTHWISE = AT_GROUPED + GROUPED_FLOATS,
    DEPTHWISE_FLOATS = 3 * 3 * 32,      /* [18, 1, 3, 3], 18 groups */
    GRAD_FLOATS = AT_DEPTHWISE + DEPTHWISE_FLOATS,
    AT_MEAN = GRAD_FLOATS,
    AT_VARIANCE = AT_MEAN + 32,
    PARAM_FLOATS = AT_VARIANCE + 32,
    TENSORS = 2 + 3 + 6 + 4 + 1 + 1 + 2
};

static const struct rnet_tensor small_tensors[] = {
    { .name = "linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 5, 70 }, .offset = AT_LINEAR, .floats = 480,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.5f },
    { .name = "linear.0.bias", .groups = 1, .rank = 1, .shape = { 5 },
      .offset = AT_BIAS, .floats = 16, .trainable = 1,
      .init = RNET_INIT_UNIFORM, .mean = 1, .spread = 0.25f },
    { .name = "residual.#.scale", .groups = 1, .rank = 1, .shape = { 1 },
      .offset = AT_RESIDUAL, .floats = 16, .repeats = 1,
      .repeat = { { 3, STRIDE_OUTER } }, .index = { { 0, { 3 } } },
      .trainable = 1, .init = RNET_INIT_CONSTANT, .mean = 0.125f },
    { .name = "residual.#.linear.0.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 3, 33 }, .offset = AT_RESIDUAL + 16,
      .floats = STRIDE_INNER, .repeats = 2,
      .repeat = { { 3, STRIDE_OUTER }, { 2, STRIDE_INNER } },
      .index = { { 1, { 3, 1 } } }, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.5f },
    { .name = "stage.#.block.#.conv.0.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 20, 3, 3, 2 }, .offset = AT_STAGE,
      .floats = CONV_FLOATS, .repeats = 2,
      .repeat = { { 2, 2 * CONV_FLOATS }, { 2, CONV_FLOATS } },
      .index = { { 0, { 1, 0 } }, { 5, { 0, 10 } } }, .trainable = 1,
      .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.5f },
    { .name = "conv.0.weight", .pack = RNET_PACK_CONV, .groups = 2, .rank = 4,
      .shape = { 40, 2, 1, 3 }, .offset = AT_GROUPED,
      .floats = GROUPED_FLOATS, .trainable = 1, .decay = 1,
      .init = RNET_INIT_UNIFORM, .spread = 2 },
    { .name = "conv.1.weight", .pack = RNET_PACK_CONV, .groups = 18, .rank = 4,
      .shape = { 18, 1, 3, 3 }, .offset = AT_DEPTHWISE,
      .floats = DEPTHWISE_FLOATS, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 1 },
    { .name = "batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 18 }, .offset = AT_MEAN, .floats = 32 },
    { .name = "batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 18 }, .offset = AT_VARIANCE, .floats = 32, .mean = 1 },
};

static const struct rnet_network small = {
    .version = RNET_VERSION, .name = "small",
    .grad_floats = GRAD_FLOATS, .param_floats = PARAM_FLOATS,
    .tensors = small_tensors,
    .tensor_rows = sizeof small_tensors / sizeof *small_tensors,
};

#endif
