/* densenet: emitted by rnetc 0.1.0 from densenet.rnet; do not edit.
 *
 * 44410 parameters, 8 blocks.  Values lie where the plan put them: `saved` is
 * what the backward pass reads, `scratch` lives for one pass.  The layouts
 * and the kernels are described in rnet_kernels.h. */
#include "densenet.h"

#include <rnet_kernels.h>

static const struct rnet_conv conv_1x1_24_48_0 = {
    .height = 32, .width = 32, .in = 24,
    .out_height = 32, .out_width = 32, .out = 48,
    .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0,
    .groups = 1
};
static const struct rnet_conv conv_3x3_48_12_1 = {
    .height = 32, .width = 32, .in = 48,
    .out_height = 32, .out_width = 32, .out = 12,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_conv conv_1x1_36_48_2 = {
    .height = 32, .width = 32, .in = 36,
    .out_height = 32, .out_width = 32, .out = 48,
    .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0,
    .groups = 1
};
static const struct rnet_conv conv_1x1_48_24_3 = {
    .height = 32, .width = 32, .in = 48,
    .out_height = 32, .out_width = 32, .out = 24,
    .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0,
    .groups = 1
};
static const struct rnet_pool_shape pool_4 = {
    .kind = RNET_POOL_AVERAGE, .height = 32, .width = 32,
    .channels = 24, .out_height = 16, .out_width = 16,
    .out_channels = 24, .kernel_height = 2, .kernel_width = 2,
    .stride_y = 2, .stride_x = 2, .pad_top = 0, .pad_left = 0,
    .count_pad = 1
};
static const struct rnet_conv conv_1x1_24_48_5 = {
    .height = 16, .width = 16, .in = 24,
    .out_height = 16, .out_width = 16, .out = 48,
    .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0,
    .groups = 1
};
static const struct rnet_conv conv_3x3_48_12_6 = {
    .height = 16, .width = 16, .in = 48,
    .out_height = 16, .out_width = 16, .out = 12,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_conv conv_1x1_36_48_7 = {
    .height = 16, .width = 16, .in = 36,
    .out_height = 16, .out_width = 16, .out = 48,
    .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0,
    .groups = 1
};
static const struct rnet_conv conv_1x1_48_24_8 = {
    .height = 16, .width = 16, .in = 48,
    .out_height = 16, .out_width = 16, .out = 24,
    .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0,
    .groups = 1
};
static const struct rnet_pool_shape pool_9 = {
    .kind = RNET_POOL_AVERAGE, .height = 16, .width = 16,
    .channels = 24, .out_height = 8, .out_width = 8,
    .out_channels = 24, .kernel_height = 2, .kernel_width = 2,
    .stride_y = 2, .stride_x = 2, .pad_top = 0, .pad_left = 0,
    .count_pad = 1
};
static const struct rnet_conv conv_1x1_24_48_10 = {
    .height = 8, .width = 8, .in = 24,
    .out_height = 8, .out_width = 8, .out = 48,
    .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0,
    .groups = 1
};
static const struct rnet_conv conv_3x3_48_12_11 = {
    .height = 8, .width = 8, .in = 48,
    .out_height = 8, .out_width = 8, .out = 12,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_conv conv_1x1_36_48_12 = {
    .height = 8, .width = 8, .in = 36,
    .out_height = 8, .out_width = 8, .out = 48,
    .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0,
    .groups = 1
};
static const struct rnet_conv conv_3x3_3_24_13 = {
    .height = 32, .width = 32, .in = 3,
    .out_height = 32, .out_width = 32, .out = 24,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_pool_shape pool_14 = {
    .kind = RNET_POOL_AVERAGE, .height = 8, .width = 8,
    .channels = 48, .out_height = 1, .out_width = 1,
    .out_channels = 48, .kernel_height = 8, .kernel_width = 8,
    .stride_y = 8, .stride_x = 8, .pad_top = 0, .pad_left = 0,
    .count_pad = 1
};

/* ---- dense_layer_12 (densenet.rnet:5) of [32, 32, 24] ----
 *
 *     block dense_layer(k) {
 *         shortcut dense
 *         norm batch -> relu before weights
 *         conv(4 * k, 1) -> conv(k, 3)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    DENSE_LAYER_12_BATCHNORM_0_WEIGHT = 0,
    DENSE_LAYER_12_BATCHNORM_0_BIAS = 32,
    DENSE_LAYER_12_BATCHNORM_0_RUNNING_MEAN = 0,
    DENSE_LAYER_12_BATCHNORM_0_RUNNING_VAR = 32,
    DENSE_LAYER_12_CONV_0_WEIGHT = 64,
    DENSE_LAYER_12_BATCHNORM_1_WEIGHT = 1216,
    DENSE_LAYER_12_BATCHNORM_1_BIAS = 1264,
    DENSE_LAYER_12_BATCHNORM_1_RUNNING_MEAN = 64,
    DENSE_LAYER_12_BATCHNORM_1_RUNNING_VAR = 112,
    DENSE_LAYER_12_CONV_1_WEIGHT = 1312,
};

static void dense_layer_12_infer(const struct rnet_run *run,
                                 const float *params, const float *state,
                                 float *scratch, const float *x, float *y)
{
    float *scale = scratch + 122880 * run->batch + 96;
    float *shift = scratch + 122880 * run->batch + 128;
    float *scale_2 = scratch + 122880 * run->batch;
    float *shift_2 = scratch + 122880 * run->batch + 48;
    float *relu = scratch + 98304 * run->batch;
    float *relu_2 = scratch + 49152 * run->batch;
    rnet_batch_norm_infer(run, 24, params + DENSE_LAYER_12_BATCHNORM_0_WEIGHT,
                          params + DENSE_LAYER_12_BATCHNORM_0_BIAS, 1e-05f,
                          state + DENSE_LAYER_12_BATCHNORM_0_RUNNING_MEAN,
                          state + DENSE_LAYER_12_BATCHNORM_0_RUNNING_VAR,
                          scale, shift);
    rnet_batch_norm_infer(run, 48, params + DENSE_LAYER_12_BATCHNORM_1_WEIGHT,
                          params + DENSE_LAYER_12_BATCHNORM_1_BIAS, 1e-05f,
                          state + DENSE_LAYER_12_BATCHNORM_1_RUNNING_MEAN,
                          state + DENSE_LAYER_12_BATCHNORM_1_RUNNING_VAR,
                          scale_2, shift_2);
    /* relu = relu(scale (x) + shift) */
    /* y = x */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
               24,
               RNET_STEPS(RNET_WITH(LOAD, x, 24),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                          RNET_WITH(STORE, relu, 24), RNET_WITH(LOAD, x, 24),
                          RNET_WITH(STORE, y, 36)));
    /* relu_2 = relu(scale_2 (conv.0.weight * relu) + shift_2) */
    rnet_conv(run, run->batch, &conv_1x1_24_48_0,
              RNET_STEPS(RNET_WITH(LOAD, relu, 24)),
              params + DENSE_LAYER_12_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(RELU),
                         RNET_WITH(STORE, relu_2, 48)));
    /* y = conv.1.weight * relu_2 */
    rnet_conv(run, run->batch, &conv_3x3_48_12_1,
              RNET_STEPS(RNET_WITH(LOAD, relu_2, 48)),
              params + DENSE_LAYER_12_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, y + 24, 36)));
}

static void dense_layer_12_forward(const struct rnet_run *run,
                                   const float *params, float *state,
                                   float *saved, float *scratch,
                                   const float *x, float *y)
{
    float *sums = scratch;
    float *scale = saved;
    float *shift = saved + 32;
    float *moments = saved + 64;
    float *conv = saved + 112;
    float *sums_2 = scratch;
    float *scale_2 = saved + 49152 * run->batch + 112;
    float *shift_2 = saved + 49152 * run->batch + 160;
    float *moments_2 = saved + 49152 * run->batch + 208;
    /* y = x */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
               24,
               RNET_STEPS(RNET_WITH(LOAD, x, 24),
                          RNET_SUM_TO(SUM_MOMENTS, sums),
                          RNET_WITH(STORE, y, 36)));
    rnet_batch_norm(run, 24, 1024 * run->batch, sums, 1024,
                    params + DENSE_LAYER_12_BATCHNORM_0_WEIGHT,
                    params + DENSE_LAYER_12_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + DENSE_LAYER_12_BATCHNORM_0_RUNNING_MEAN,
                    state + DENSE_LAYER_12_BATCHNORM_0_RUNNING_VAR, scale,
                    shift, moments);
    /* conv = conv.0.weight * relu */
    rnet_conv(run, run->batch, &conv_1x1_24_48_0,
              RNET_STEPS(RNET_WITH(LOAD, x, 24),
                         RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
              params + DENSE_LAYER_12_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 48),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 48, 1024 * run->batch, sums_2, 1024,
                    params + DENSE_LAYER_12_BATCHNORM_1_WEIGHT,
                    params + DENSE_LAYER_12_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + DENSE_LAYER_12_BATCHNORM_1_RUNNING_MEAN,
                    state + DENSE_LAYER_12_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* y = conv.1.weight * relu */
    rnet_conv(run, run->batch, &conv_3x3_48_12_1,
              RNET_STEPS(RNET_WITH(LOAD, conv, 48),
                         RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(RELU)),
              params + DENSE_LAYER_12_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, y + 24, 36)));
}

static void dense_layer_12_backward(const struct rnet_run *run,
                                    const float *params, float *grads,
                                    float *saved, float *scratch,
                                    const float *x, const float *dy, float *dx)
{
    float *d_batchnorm = scratch;
    float *conv = saved + 112;
    float *shift = saved + 49152 * run->batch + 160;
    float *scale = saved + 49152 * run->batch + 112;
    float *sums = scratch + 49152 * run->batch;
    float *moments = saved + 49152 * run->batch + 208;
    float *a = scratch + 73776 * run->batch;
    float *b = scratch + 73776 * run->batch + 48;
    float *c = scratch + 73776 * run->batch + 96;
    float *d_batchnorm_2 = scratch + 49152 * run->batch;
    float *shift_2 = saved + 32;
    float *scale_2 = saved;
    float *sums_2 = scratch + 73728 * run->batch;
    float *moments_2 = saved + 64;
    float *a_2 = scratch + 73776 * run->batch;
    float *b_2 = scratch + 73776 * run->batch + 32;
    float *c_2 = scratch + 73776 * run->batch + 64;
    /* d_batchnorm = relu'(input) (conv.1.weight' * dy) */
    rnet_conv_grad(run, run->batch, &conv_3x3_48_12_1,
                   RNET_STEPS(RNET_WITH(LOAD, conv, 48),
                              RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, dy + 24, 36)),
                   params + DENSE_LAYER_12_CONV_1_WEIGHT,
                   grads + DENSE_LAYER_12_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm, 48),
                              RNET_CENTRED_SUMS(conv, 48, moments, sums)));
    rnet_batch_norm_grad(run, 48, 1024 * run->batch, sums, 1024,
                         params + DENSE_LAYER_12_BATCHNORM_1_WEIGHT, moments,
                         grads + DENSE_LAYER_12_BATCHNORM_1_WEIGHT,
                         grads + DENSE_LAYER_12_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm_2 = relu'(input) (conv.0.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_1x1_24_48_0,
                   RNET_STEPS(RNET_WITH(LOAD, x, 24),
                              RNET_SCALE_SHIFT(scale_2, shift_2),
                              RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 48),
                              RNET_COMBINE(conv, 48, a, b, c)),
                   params + DENSE_LAYER_12_CONV_0_WEIGHT,
                   grads + DENSE_LAYER_12_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm_2, 24),
                              RNET_CENTRED_SUMS(x, 24, moments_2, sums_2)));
    rnet_batch_norm_grad(run, 24, 1024 * run->batch, sums_2, 1024,
                         params + DENSE_LAYER_12_BATCHNORM_0_WEIGHT, moments_2,
                         grads + DENSE_LAYER_12_BATCHNORM_0_WEIGHT,
                         grads + DENSE_LAYER_12_BATCHNORM_0_BIAS, a_2, b_2,
                         c_2);
    /* dx = a_2 (d_batchnorm_2) + b_2 x + c_2 + dy */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
               24,
               RNET_STEPS(RNET_WITH(LOAD, d_batchnorm_2, 24),
                          RNET_COMBINE(x, 24, a_2, b_2, c_2),
                          RNET_WITH(ADD, dy, 36), RNET_WITH(STORE, dx, 24)));
}

/* ---- dense_layer_12_v2 (densenet.rnet:5) of [32, 32, 36], as dense_layer_12 ---- */

enum {           /* where its parameters lie, in floats */
    DENSE_LAYER_12_V2_BATCHNORM_0_WEIGHT = 0,
    DENSE_LAYER_12_V2_BATCHNORM_0_BIAS = 48,
    DENSE_LAYER_12_V2_BATCHNORM_0_RUNNING_MEAN = 0,
    DENSE_LAYER_12_V2_BATCHNORM_0_RUNNING_VAR = 48,
    DENSE_LAYER_12_V2_CONV_0_WEIGHT = 96,
    DENSE_LAYER_12_V2_BATCHNORM_1_WEIGHT = 1824,
    DENSE_LAYER_12_V2_BATCHNORM_1_BIAS = 1872,
    DENSE_LAYER_12_V2_BATCHNORM_1_RUNNING_MEAN = 96,
    DENSE_LAYER_12_V2_BATCHNORM_1_RUNNING_VAR = 144,
    DENSE_LAYER_12_V2_CONV_1_WEIGHT = 1920,
};

static void dense_layer_12_v2_infer(const struct rnet_run *run,
                                    const float *params, const float *state,
                                    float *scratch, const float *x, float *y)
{
    float *scale = scratch + 135168 * run->batch;
    float *shift = scratch + 135168 * run->batch + 48;
    float *scale_2 = scratch + 135168 * run->batch + 96;
    float *shift_2 = scratch + 135168 * run->batch + 144;
    float *relu = scratch + 98304 * run->batch;
    float *relu_2 = scratch + 49152 * run->batch;
    rnet_batch_norm_infer(run, 36,
                          params + DENSE_LAYER_12_V2_BATCHNORM_0_WEIGHT,
                          params + DENSE_LAYER_12_V2_BATCHNORM_0_BIAS, 1e-05f,
                          state + DENSE_LAYER_12_V2_BATCHNORM_0_RUNNING_MEAN,
                          state + DENSE_LAYER_12_V2_BATCHNORM_0_RUNNING_VAR,
                          scale, shift);
    rnet_batch_norm_infer(run, 48,
                          params + DENSE_LAYER_12_V2_BATCHNORM_1_WEIGHT,
                          params + DENSE_LAYER_12_V2_BATCHNORM_1_BIAS, 1e-05f,
                          state + DENSE_LAYER_12_V2_BATCHNORM_1_RUNNING_MEAN,
                          state + DENSE_LAYER_12_V2_BATCHNORM_1_RUNNING_VAR,
                          scale_2, shift_2);
    /* relu = relu(scale (x) + shift) */
    /* y = x */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
               36,
               RNET_STEPS(RNET_WITH(LOAD, x, 36),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                          RNET_WITH(STORE, relu, 36), RNET_WITH(LOAD, x, 36),
                          RNET_WITH(STORE, y, 48)));
    /* relu_2 = relu(scale_2 (conv.0.weight * relu) + shift_2) */
    rnet_conv(run, run->batch, &conv_1x1_36_48_2,
              RNET_STEPS(RNET_WITH(LOAD, relu, 36)),
              params + DENSE_LAYER_12_V2_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(RELU),
                         RNET_WITH(STORE, relu_2, 48)));
    /* y = conv.1.weight * relu_2 */
    rnet_conv(run, run->batch, &conv_3x3_48_12_1,
              RNET_STEPS(RNET_WITH(LOAD, relu_2, 48)),
              params + DENSE_LAYER_12_V2_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, y + 36, 48)));
}

static void dense_layer_12_v2_forward(const struct rnet_run *run,
                                      const float *params, float *state,
                                      float *saved, float *scratch,
                                      const float *x, float *y)
{
    float *sums = scratch;
    float *scale = saved;
    float *shift = saved + 48;
    float *moments = saved + 96;
    float *conv = saved + 176;
    float *sums_2 = scratch;
    float *scale_2 = saved + 49152 * run->batch + 176;
    float *shift_2 = saved + 49152 * run->batch + 224;
    float *moments_2 = saved + 49152 * run->batch + 272;
    /* y = x */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
               36,
               RNET_STEPS(RNET_WITH(LOAD, x, 36),
                          RNET_SUM_TO(SUM_MOMENTS, sums),
                          RNET_WITH(STORE, y, 48)));
    rnet_batch_norm(run, 36, 1024 * run->batch, sums, 1024,
                    params + DENSE_LAYER_12_V2_BATCHNORM_0_WEIGHT,
                    params + DENSE_LAYER_12_V2_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + DENSE_LAYER_12_V2_BATCHNORM_0_RUNNING_MEAN,
                    state + DENSE_LAYER_12_V2_BATCHNORM_0_RUNNING_VAR, scale,
                    shift, moments);
    /* conv = conv.0.weight * relu */
    rnet_conv(run, run->batch, &conv_1x1_36_48_2,
              RNET_STEPS(RNET_WITH(LOAD, x, 36),
                         RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
              params + DENSE_LAYER_12_V2_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 48),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 48, 1024 * run->batch, sums_2, 1024,
                    params + DENSE_LAYER_12_V2_BATCHNORM_1_WEIGHT,
                    params + DENSE_LAYER_12_V2_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + DENSE_LAYER_12_V2_BATCHNORM_1_RUNNING_MEAN,
                    state + DENSE_LAYER_12_V2_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* y = conv.1.weight * relu */
    rnet_conv(run, run->batch, &conv_3x3_48_12_1,
              RNET_STEPS(RNET_WITH(LOAD, conv, 48),
                         RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(RELU)),
              params + DENSE_LAYER_12_V2_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, y + 36, 48)));
}

static void dense_layer_12_v2_backward(const struct rnet_run *run,
                                       const float *params, float *grads,
                                       float *saved, float *scratch,
                                       const float *x, const float *dy,
                                       float *dx)
{
    float *d_batchnorm = scratch;
    float *conv = saved + 176;
    float *shift = saved + 49152 * run->batch + 224;
    float *scale = saved + 49152 * run->batch + 176;
    float *sums = scratch + 49152 * run->batch;
    float *moments = saved + 49152 * run->batch + 272;
    float *a = scratch + 86096 * run->batch;
    float *b = scratch + 86096 * run->batch + 48;
    float *c = scratch + 86096 * run->batch + 96;
    float *d_batchnorm_2 = scratch + 49152 * run->batch;
    float *shift_2 = saved + 48;
    float *scale_2 = saved;
    float *sums_2 = scratch + 86016 * run->batch;
    float *moments_2 = saved + 96;
    float *a_2 = scratch + 86096 * run->batch;
    float *b_2 = scratch + 86096 * run->batch + 48;
    float *c_2 = scratch + 86096 * run->batch + 96;
    /* d_batchnorm = relu'(input) (conv.1.weight' * dy) */
    rnet_conv_grad(run, run->batch, &conv_3x3_48_12_1,
                   RNET_STEPS(RNET_WITH(LOAD, conv, 48),
                              RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, dy + 36, 48)),
                   params + DENSE_LAYER_12_V2_CONV_1_WEIGHT,
                   grads + DENSE_LAYER_12_V2_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm, 48),
                              RNET_CENTRED_SUMS(conv, 48, moments, sums)));
    rnet_batch_norm_grad(run, 48, 1024 * run->batch, sums, 1024,
                         params + DENSE_LAYER_12_V2_BATCHNORM_1_WEIGHT,
                         moments, grads + DENSE_LAYER_12_V2_BATCHNORM_1_WEIGHT,
                         grads + DENSE_LAYER_12_V2_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm_2 = relu'(input) (conv.0.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_1x1_36_48_2,
                   RNET_STEPS(RNET_WITH(LOAD, x, 36),
                              RNET_SCALE_SHIFT(scale_2, shift_2),
                              RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 48),
                              RNET_COMBINE(conv, 48, a, b, c)),
                   params + DENSE_LAYER_12_V2_CONV_0_WEIGHT,
                   grads + DENSE_LAYER_12_V2_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm_2, 36),
                              RNET_CENTRED_SUMS(x, 36, moments_2, sums_2)));
    rnet_batch_norm_grad(run, 36, 1024 * run->batch, sums_2, 1024,
                         params + DENSE_LAYER_12_V2_BATCHNORM_0_WEIGHT,
                         moments_2,
                         grads + DENSE_LAYER_12_V2_BATCHNORM_0_WEIGHT,
                         grads + DENSE_LAYER_12_V2_BATCHNORM_0_BIAS, a_2, b_2,
                         c_2);
    /* dx = a_2 (d_batchnorm_2) + b_2 x + c_2 + dy */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
               36,
               RNET_STEPS(RNET_WITH(LOAD, d_batchnorm_2, 36),
                          RNET_COMBINE(x, 36, a_2, b_2, c_2),
                          RNET_WITH(ADD, dy, 48), RNET_WITH(STORE, dx, 36)));
}

/* ---- transition (densenet.rnet:10) of [32, 32, 48] ----
 *
 *     block transition {
 *         input x [.., c]
 *         batchnorm -> relu -> conv(c / 2, 1, bias = no) -> avgpool(2)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    TRANSITION_BATCHNORM_0_WEIGHT = 0,
    TRANSITION_BATCHNORM_0_BIAS = 48,
    TRANSITION_BATCHNORM_0_RUNNING_MEAN = 0,
    TRANSITION_BATCHNORM_0_RUNNING_VAR = 48,
    TRANSITION_CONV_0_WEIGHT = 96,
};

static void transition_infer(const struct rnet_run *run, const float *params,
                             const float *state, float *scratch,
                             const float *x, float *y)
{
    float *scale = scratch + 73728 * run->batch;
    float *shift = scratch + 73728 * run->batch + 48;
    float *relu = scratch;
    float *conv = scratch + 49152 * run->batch;
    rnet_batch_norm_infer(run, 48, params + TRANSITION_BATCHNORM_0_WEIGHT,
                          params + TRANSITION_BATCHNORM_0_BIAS, 1e-05f,
                          state + TRANSITION_BATCHNORM_0_RUNNING_MEAN,
                          state + TRANSITION_BATCHNORM_0_RUNNING_VAR, scale,
                          shift);
    /* relu = relu(scale (x) + shift) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
               48,
               RNET_STEPS(RNET_WITH(LOAD, x, 48),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                          RNET_WITH(STORE, relu, 48)));
    /* conv = conv.0.weight * relu */
    rnet_conv(run, run->batch, &conv_1x1_48_24_3,
              RNET_STEPS(RNET_WITH(LOAD, relu, 48)),
              params + TRANSITION_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 24)));
    /* y = pool(conv) */
    rnet_pool(run, run->batch, &pool_4, conv, 24,
              RNET_STEPS(RNET_WITH(STORE, y, 24)));
}

static void transition_forward(const struct rnet_run *run, const float *params,
                               float *state, float *saved, float *scratch,
                               const float *x, float *y)
{
    float *sums = scratch;
    float *scale = saved;
    float *shift = saved + 48;
    float *moments = saved + 96;
    float *conv = scratch;
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
               48,
               RNET_STEPS(RNET_WITH(LOAD, x, 48),
                          RNET_SUM_TO(SUM_MOMENTS, sums)));
    rnet_batch_norm(run, 48, 1024 * run->batch, sums, 1024,
                    params + TRANSITION_BATCHNORM_0_WEIGHT,
                    params + TRANSITION_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + TRANSITION_BATCHNORM_0_RUNNING_MEAN,
                    state + TRANSITION_BATCHNORM_0_RUNNING_VAR, scale, shift,
                    moments);
    /* conv = conv.0.weight * relu */
    rnet_conv(run, run->batch, &conv_1x1_48_24_3,
              RNET_STEPS(RNET_WITH(LOAD, x, 48),
                         RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
              params + TRANSITION_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 24)));
    /* y = pool(conv) */
    rnet_pool(run, run->batch, &pool_4, conv, 24,
              RNET_STEPS(RNET_WITH(STORE, y, 24)));
}

static void transition_backward(const struct rnet_run *run,
                                const float *params, float *grads,
                                float *saved, float *scratch, const float *x,
                                const float *dy, float *dx)
{
    float *d_conv = scratch + 49152 * run->batch;
    float *d_batchnorm = scratch;
    float *shift = saved + 48;
    float *scale = saved;
    float *sums = scratch + 73728 * run->batch;
    float *moments = saved + 96;
    float *a = scratch + 73824 * run->batch;
    float *b = scratch + 73824 * run->batch + 48;
    float *c = scratch + 73824 * run->batch + 96;
    /* d_conv = pool_grad(dy) */
    rnet_pool_grad(run, run->batch, &pool_4, dy, 24, NULL, 0,
                   RNET_STEPS(RNET_WITH(STORE, d_conv, 24)));
    /* d_batchnorm = relu'(input) (conv.0.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_1x1_48_24_3,
                   RNET_STEPS(RNET_WITH(LOAD, x, 48),
                              RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, d_conv, 24)),
                   params + TRANSITION_CONV_0_WEIGHT,
                   grads + TRANSITION_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm, 48),
                              RNET_CENTRED_SUMS(x, 48, moments, sums)));
    rnet_batch_norm_grad(run, 48, 1024 * run->batch, sums, 1024,
                         params + TRANSITION_BATCHNORM_0_WEIGHT, moments,
                         grads + TRANSITION_BATCHNORM_0_WEIGHT,
                         grads + TRANSITION_BATCHNORM_0_BIAS, a, b, c);
    /* dx = a (d_batchnorm) + b x + c */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
               48,
               RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 48),
                          RNET_COMBINE(x, 48, a, b, c),
                          RNET_WITH(STORE, dx, 48)));
}

/* ---- dense_layer_12_v3 (densenet.rnet:5) of [16, 16, 24], as dense_layer_12 ---- */

enum {           /* where its parameters lie, in floats */
    DENSE_LAYER_12_V3_BATCHNORM_0_WEIGHT = 0,
    DENSE_LAYER_12_V3_BATCHNORM_0_BIAS = 32,
    DENSE_LAYER_12_V3_BATCHNORM_0_RUNNING_MEAN = 0,
    DENSE_LAYER_12_V3_BATCHNORM_0_RUNNING_VAR = 32,
    DENSE_LAYER_12_V3_CONV_0_WEIGHT = 64,
    DENSE_LAYER_12_V3_BATCHNORM_1_WEIGHT = 1216,
    DENSE_LAYER_12_V3_BATCHNORM_1_BIAS = 1264,
    DENSE_LAYER_12_V3_BATCHNORM_1_RUNNING_MEAN = 64,
    DENSE_LAYER_12_V3_BATCHNORM_1_RUNNING_VAR = 112,
    DENSE_LAYER_12_V3_CONV_1_WEIGHT = 1312,
};

static void dense_layer_12_v3_infer(const struct rnet_run *run,
                                    const float *params, const float *state,
                                    float *scratch, const float *x, float *y)
{
    float *scale = scratch + 30720 * run->batch + 96;
    float *shift = scratch + 30720 * run->batch + 128;
    float *scale_2 = scratch + 30720 * run->batch;
    float *shift_2 = scratch + 30720 * run->batch + 48;
    float *relu = scratch + 24576 * run->batch;
    float *relu_2 = scratch + 12288 * run->batch;
    rnet_batch_norm_infer(run, 24,
                          params + DENSE_LAYER_12_V3_BATCHNORM_0_WEIGHT,
                          params + DENSE_LAYER_12_V3_BATCHNORM_0_BIAS, 1e-05f,
                          state + DENSE_LAYER_12_V3_BATCHNORM_0_RUNNING_MEAN,
                          state + DENSE_LAYER_12_V3_BATCHNORM_0_RUNNING_VAR,
                          scale, shift);
    rnet_batch_norm_infer(run, 48,
                          params + DENSE_LAYER_12_V3_BATCHNORM_1_WEIGHT,
                          params + DENSE_LAYER_12_V3_BATCHNORM_1_BIAS, 1e-05f,
                          state + DENSE_LAYER_12_V3_BATCHNORM_1_RUNNING_MEAN,
                          state + DENSE_LAYER_12_V3_BATCHNORM_1_RUNNING_VAR,
                          scale_2, shift_2);
    /* relu = relu(scale (x) + shift) */
    /* y = x */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 256 * run->batch, 256 },
               24,
               RNET_STEPS(RNET_WITH(LOAD, x, 24),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                          RNET_WITH(STORE, relu, 24), RNET_WITH(LOAD, x, 24),
                          RNET_WITH(STORE, y, 36)));
    /* relu_2 = relu(scale_2 (conv.0.weight * relu) + shift_2) */
    rnet_conv(run, run->batch, &conv_1x1_24_48_5,
              RNET_STEPS(RNET_WITH(LOAD, relu, 24)),
              params + DENSE_LAYER_12_V3_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(RELU),
                         RNET_WITH(STORE, relu_2, 48)));
    /* y = conv.1.weight * relu_2 */
    rnet_conv(run, run->batch, &conv_3x3_48_12_6,
              RNET_STEPS(RNET_WITH(LOAD, relu_2, 48)),
              params + DENSE_LAYER_12_V3_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, y + 24, 36)));
}

static void dense_layer_12_v3_forward(const struct rnet_run *run,
                                      const float *params, float *state,
                                      float *saved, float *scratch,
                                      const float *x, float *y)
{
    float *sums = scratch;
    float *scale = saved;
    float *shift = saved + 32;
    float *moments = saved + 64;
    float *conv = saved + 112;
    float *sums_2 = scratch;
    float *scale_2 = saved + 12288 * run->batch + 112;
    float *shift_2 = saved + 12288 * run->batch + 160;
    float *moments_2 = saved + 12288 * run->batch + 208;
    /* y = x */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 256 * run->batch, 256 },
               24,
               RNET_STEPS(RNET_WITH(LOAD, x, 24),
                          RNET_SUM_TO(SUM_MOMENTS, sums),
                          RNET_WITH(STORE, y, 36)));
    rnet_batch_norm(run, 24, 256 * run->batch, sums, 256,
                    params + DENSE_LAYER_12_V3_BATCHNORM_0_WEIGHT,
                    params + DENSE_LAYER_12_V3_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + DENSE_LAYER_12_V3_BATCHNORM_0_RUNNING_MEAN,
                    state + DENSE_LAYER_12_V3_BATCHNORM_0_RUNNING_VAR, scale,
                    shift, moments);
    /* conv = conv.0.weight * relu */
    rnet_conv(run, run->batch, &conv_1x1_24_48_5,
              RNET_STEPS(RNET_WITH(LOAD, x, 24),
                         RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
              params + DENSE_LAYER_12_V3_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 48),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 48, 256 * run->batch, sums_2, 256,
                    params + DENSE_LAYER_12_V3_BATCHNORM_1_WEIGHT,
                    params + DENSE_LAYER_12_V3_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + DENSE_LAYER_12_V3_BATCHNORM_1_RUNNING_MEAN,
                    state + DENSE_LAYER_12_V3_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* y = conv.1.weight * relu */
    rnet_conv(run, run->batch, &conv_3x3_48_12_6,
              RNET_STEPS(RNET_WITH(LOAD, conv, 48),
                         RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(RELU)),
              params + DENSE_LAYER_12_V3_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, y + 24, 36)));
}

static void dense_layer_12_v3_backward(const struct rnet_run *run,
                                       const float *params, float *grads,
                                       float *saved, float *scratch,
                                       const float *x, const float *dy,
                                       float *dx)
{
    float *d_batchnorm = scratch;
    float *conv = saved + 112;
    float *shift = saved + 12288 * run->batch + 160;
    float *scale = saved + 12288 * run->batch + 112;
    float *sums = scratch + 12288 * run->batch;
    float *moments = saved + 12288 * run->batch + 208;
    float *a = scratch + 18480 * run->batch;
    float *b = scratch + 18480 * run->batch + 48;
    float *c = scratch + 18480 * run->batch + 96;
    float *d_batchnorm_2 = scratch + 12288 * run->batch;
    float *shift_2 = saved + 32;
    float *scale_2 = saved;
    float *sums_2 = scratch + 18432 * run->batch;
    float *moments_2 = saved + 64;
    float *a_2 = scratch + 18480 * run->batch;
    float *b_2 = scratch + 18480 * run->batch + 32;
    float *c_2 = scratch + 18480 * run->batch + 64;
    /* d_batchnorm = relu'(input) (conv.1.weight' * dy) */
    rnet_conv_grad(run, run->batch, &conv_3x3_48_12_6,
                   RNET_STEPS(RNET_WITH(LOAD, conv, 48),
                              RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, dy + 24, 36)),
                   params + DENSE_LAYER_12_V3_CONV_1_WEIGHT,
                   grads + DENSE_LAYER_12_V3_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm, 48),
                              RNET_CENTRED_SUMS(conv, 48, moments, sums)));
    rnet_batch_norm_grad(run, 48, 256 * run->batch, sums, 256,
                         params + DENSE_LAYER_12_V3_BATCHNORM_1_WEIGHT,
                         moments, grads + DENSE_LAYER_12_V3_BATCHNORM_1_WEIGHT,
                         grads + DENSE_LAYER_12_V3_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm_2 = relu'(input) (conv.0.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_1x1_24_48_5,
                   RNET_STEPS(RNET_WITH(LOAD, x, 24),
                              RNET_SCALE_SHIFT(scale_2, shift_2),
                              RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 48),
                              RNET_COMBINE(conv, 48, a, b, c)),
                   params + DENSE_LAYER_12_V3_CONV_0_WEIGHT,
                   grads + DENSE_LAYER_12_V3_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm_2, 24),
                              RNET_CENTRED_SUMS(x, 24, moments_2, sums_2)));
    rnet_batch_norm_grad(run, 24, 256 * run->batch, sums_2, 256,
                         params + DENSE_LAYER_12_V3_BATCHNORM_0_WEIGHT,
                         moments_2,
                         grads + DENSE_LAYER_12_V3_BATCHNORM_0_WEIGHT,
                         grads + DENSE_LAYER_12_V3_BATCHNORM_0_BIAS, a_2, b_2,
                         c_2);
    /* dx = a_2 (d_batchnorm_2) + b_2 x + c_2 + dy */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 256 * run->batch, 256 },
               24,
               RNET_STEPS(RNET_WITH(LOAD, d_batchnorm_2, 24),
                          RNET_COMBINE(x, 24, a_2, b_2, c_2),
                          RNET_WITH(ADD, dy, 36), RNET_WITH(STORE, dx, 24)));
}

/* ---- dense_layer_12_v4 (densenet.rnet:5) of [16, 16, 36], as dense_layer_12 ---- */

enum {           /* where its parameters lie, in floats */
    DENSE_LAYER_12_V4_BATCHNORM_0_WEIGHT = 0,
    DENSE_LAYER_12_V4_BATCHNORM_0_BIAS = 48,
    DENSE_LAYER_12_V4_BATCHNORM_0_RUNNING_MEAN = 0,
    DENSE_LAYER_12_V4_BATCHNORM_0_RUNNING_VAR = 48,
    DENSE_LAYER_12_V4_CONV_0_WEIGHT = 96,
    DENSE_LAYER_12_V4_BATCHNORM_1_WEIGHT = 1824,
    DENSE_LAYER_12_V4_BATCHNORM_1_BIAS = 1872,
    DENSE_LAYER_12_V4_BATCHNORM_1_RUNNING_MEAN = 96,
    DENSE_LAYER_12_V4_BATCHNORM_1_RUNNING_VAR = 144,
    DENSE_LAYER_12_V4_CONV_1_WEIGHT = 1920,
};

static void dense_layer_12_v4_infer(const struct rnet_run *run,
                                    const float *params, const float *state,
                                    float *scratch, const float *x, float *y)
{
    float *scale = scratch + 33792 * run->batch;
    float *shift = scratch + 33792 * run->batch + 48;
    float *scale_2 = scratch + 33792 * run->batch + 96;
    float *shift_2 = scratch + 33792 * run->batch + 144;
    float *relu = scratch + 24576 * run->batch;
    float *relu_2 = scratch + 12288 * run->batch;
    rnet_batch_norm_infer(run, 36,
                          params + DENSE_LAYER_12_V4_BATCHNORM_0_WEIGHT,
                          params + DENSE_LAYER_12_V4_BATCHNORM_0_BIAS, 1e-05f,
                          state + DENSE_LAYER_12_V4_BATCHNORM_0_RUNNING_MEAN,
                          state + DENSE_LAYER_12_V4_BATCHNORM_0_RUNNING_VAR,
                          scale, shift);
    rnet_batch_norm_infer(run, 48,
                          params + DENSE_LAYER_12_V4_BATCHNORM_1_WEIGHT,
                          params + DENSE_LAYER_12_V4_BATCHNORM_1_BIAS, 1e-05f,
                          state + DENSE_LAYER_12_V4_BATCHNORM_1_RUNNING_MEAN,
                          state + DENSE_LAYER_12_V4_BATCHNORM_1_RUNNING_VAR,
                          scale_2, shift_2);
    /* relu = relu(scale (x) + shift) */
    /* y = x */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 256 * run->batch, 256 },
               36,
               RNET_STEPS(RNET_WITH(LOAD, x, 36),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                          RNET_WITH(STORE, relu, 36), RNET_WITH(LOAD, x, 36),
                          RNET_WITH(STORE, y, 48)));
    /* relu_2 = relu(scale_2 (conv.0.weight * relu) + shift_2) */
    rnet_conv(run, run->batch, &conv_1x1_36_48_7,
              RNET_STEPS(RNET_WITH(LOAD, relu, 36)),
              params + DENSE_LAYER_12_V4_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(RELU),
                         RNET_WITH(STORE, relu_2, 48)));
    /* y = conv.1.weight * relu_2 */
    rnet_conv(run, run->batch, &conv_3x3_48_12_6,
              RNET_STEPS(RNET_WITH(LOAD, relu_2, 48)),
              params + DENSE_LAYER_12_V4_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, y + 36, 48)));
}

static void dense_layer_12_v4_forward(const struct rnet_run *run,
                                      const float *params, float *state,
                                      float *saved, float *scratch,
                                      const float *x, float *y)
{
    float *sums = scratch;
    float *scale = saved;
    float *shift = saved + 48;
    float *moments = saved + 96;
    float *conv = saved + 176;
    float *sums_2 = scratch;
    float *scale_2 = saved + 12288 * run->batch + 176;
    float *shift_2 = saved + 12288 * run->batch + 224;
    float *moments_2 = saved + 12288 * run->batch + 272;
    /* y = x */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 256 * run->batch, 256 },
               36,
               RNET_STEPS(RNET_WITH(LOAD, x, 36),
                          RNET_SUM_TO(SUM_MOMENTS, sums),
                          RNET_WITH(STORE, y, 48)));
    rnet_batch_norm(run, 36, 256 * run->batch, sums, 256,
                    params + DENSE_LAYER_12_V4_BATCHNORM_0_WEIGHT,
                    params + DENSE_LAYER_12_V4_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + DENSE_LAYER_12_V4_BATCHNORM_0_RUNNING_MEAN,
                    state + DENSE_LAYER_12_V4_BATCHNORM_0_RUNNING_VAR, scale,
                    shift, moments);
    /* conv = conv.0.weight * relu */
    rnet_conv(run, run->batch, &conv_1x1_36_48_7,
              RNET_STEPS(RNET_WITH(LOAD, x, 36),
                         RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
              params + DENSE_LAYER_12_V4_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 48),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 48, 256 * run->batch, sums_2, 256,
                    params + DENSE_LAYER_12_V4_BATCHNORM_1_WEIGHT,
                    params + DENSE_LAYER_12_V4_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + DENSE_LAYER_12_V4_BATCHNORM_1_RUNNING_MEAN,
                    state + DENSE_LAYER_12_V4_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* y = conv.1.weight * relu */
    rnet_conv(run, run->batch, &conv_3x3_48_12_6,
              RNET_STEPS(RNET_WITH(LOAD, conv, 48),
                         RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(RELU)),
              params + DENSE_LAYER_12_V4_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, y + 36, 48)));
}

static void dense_layer_12_v4_backward(const struct rnet_run *run,
                                       const float *params, float *grads,
                                       float *saved, float *scratch,
                                       const float *x, const float *dy,
                                       float *dx)
{
    float *d_batchnorm = scratch;
    float *conv = saved + 176;
    float *shift = saved + 12288 * run->batch + 224;
    float *scale = saved + 12288 * run->batch + 176;
    float *sums = scratch + 12288 * run->batch;
    float *moments = saved + 12288 * run->batch + 272;
    float *a = scratch + 21584 * run->batch;
    float *b = scratch + 21584 * run->batch + 48;
    float *c = scratch + 21584 * run->batch + 96;
    float *d_batchnorm_2 = scratch + 12288 * run->batch;
    float *shift_2 = saved + 48;
    float *scale_2 = saved;
    float *sums_2 = scratch + 21504 * run->batch;
    float *moments_2 = saved + 96;
    float *a_2 = scratch + 21584 * run->batch;
    float *b_2 = scratch + 21584 * run->batch + 48;
    float *c_2 = scratch + 21584 * run->batch + 96;
    /* d_batchnorm = relu'(input) (conv.1.weight' * dy) */
    rnet_conv_grad(run, run->batch, &conv_3x3_48_12_6,
                   RNET_STEPS(RNET_WITH(LOAD, conv, 48),
                              RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, dy + 36, 48)),
                   params + DENSE_LAYER_12_V4_CONV_1_WEIGHT,
                   grads + DENSE_LAYER_12_V4_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm, 48),
                              RNET_CENTRED_SUMS(conv, 48, moments, sums)));
    rnet_batch_norm_grad(run, 48, 256 * run->batch, sums, 256,
                         params + DENSE_LAYER_12_V4_BATCHNORM_1_WEIGHT,
                         moments, grads + DENSE_LAYER_12_V4_BATCHNORM_1_WEIGHT,
                         grads + DENSE_LAYER_12_V4_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm_2 = relu'(input) (conv.0.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_1x1_36_48_7,
                   RNET_STEPS(RNET_WITH(LOAD, x, 36),
                              RNET_SCALE_SHIFT(scale_2, shift_2),
                              RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 48),
                              RNET_COMBINE(conv, 48, a, b, c)),
                   params + DENSE_LAYER_12_V4_CONV_0_WEIGHT,
                   grads + DENSE_LAYER_12_V4_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm_2, 36),
                              RNET_CENTRED_SUMS(x, 36, moments_2, sums_2)));
    rnet_batch_norm_grad(run, 36, 256 * run->batch, sums_2, 256,
                         params + DENSE_LAYER_12_V4_BATCHNORM_0_WEIGHT,
                         moments_2,
                         grads + DENSE_LAYER_12_V4_BATCHNORM_0_WEIGHT,
                         grads + DENSE_LAYER_12_V4_BATCHNORM_0_BIAS, a_2, b_2,
                         c_2);
    /* dx = a_2 (d_batchnorm_2) + b_2 x + c_2 + dy */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 256 * run->batch, 256 },
               36,
               RNET_STEPS(RNET_WITH(LOAD, d_batchnorm_2, 36),
                          RNET_COMBINE(x, 36, a_2, b_2, c_2),
                          RNET_WITH(ADD, dy, 48), RNET_WITH(STORE, dx, 36)));
}

/* ---- transition_v2 (densenet.rnet:10) of [16, 16, 48], as transition ---- */

enum {           /* where its parameters lie, in floats */
    TRANSITION_V2_BATCHNORM_0_WEIGHT = 0,
    TRANSITION_V2_BATCHNORM_0_BIAS = 48,
    TRANSITION_V2_BATCHNORM_0_RUNNING_MEAN = 0,
    TRANSITION_V2_BATCHNORM_0_RUNNING_VAR = 48,
    TRANSITION_V2_CONV_0_WEIGHT = 96,
};

static void transition_v2_infer(const struct rnet_run *run,
                                const float *params, const float *state,
                                float *scratch, const float *x, float *y)
{
    float *scale = scratch + 18432 * run->batch;
    float *shift = scratch + 18432 * run->batch + 48;
    float *relu = scratch;
    float *conv = scratch + 12288 * run->batch;
    rnet_batch_norm_infer(run, 48, params + TRANSITION_V2_BATCHNORM_0_WEIGHT,
                          params + TRANSITION_V2_BATCHNORM_0_BIAS, 1e-05f,
                          state + TRANSITION_V2_BATCHNORM_0_RUNNING_MEAN,
                          state + TRANSITION_V2_BATCHNORM_0_RUNNING_VAR, scale,
                          shift);
    /* relu = relu(scale (x) + shift) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 256 * run->batch, 256 },
               48,
               RNET_STEPS(RNET_WITH(LOAD, x, 48),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                          RNET_WITH(STORE, relu, 48)));
    /* conv = conv.0.weight * relu */
    rnet_conv(run, run->batch, &conv_1x1_48_24_8,
              RNET_STEPS(RNET_WITH(LOAD, relu, 48)),
              params + TRANSITION_V2_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 24)));
    /* y = pool(conv) */
    rnet_pool(run, run->batch, &pool_9, conv, 24,
              RNET_STEPS(RNET_WITH(STORE, y, 24)));
}

static void transition_v2_forward(const struct rnet_run *run,
                                  const float *params, float *state,
                                  float *saved, float *scratch, const float *x,
                                  float *y)
{
    float *sums = scratch;
    float *scale = saved;
    float *shift = saved + 48;
    float *moments = saved + 96;
    float *conv = scratch;
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 256 * run->batch, 256 },
               48,
               RNET_STEPS(RNET_WITH(LOAD, x, 48),
                          RNET_SUM_TO(SUM_MOMENTS, sums)));
    rnet_batch_norm(run, 48, 256 * run->batch, sums, 256,
                    params + TRANSITION_V2_BATCHNORM_0_WEIGHT,
                    params + TRANSITION_V2_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + TRANSITION_V2_BATCHNORM_0_RUNNING_MEAN,
                    state + TRANSITION_V2_BATCHNORM_0_RUNNING_VAR, scale,
                    shift, moments);
    /* conv = conv.0.weight * relu */
    rnet_conv(run, run->batch, &conv_1x1_48_24_8,
              RNET_STEPS(RNET_WITH(LOAD, x, 48),
                         RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
              params + TRANSITION_V2_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 24)));
    /* y = pool(conv) */
    rnet_pool(run, run->batch, &pool_9, conv, 24,
              RNET_STEPS(RNET_WITH(STORE, y, 24)));
}

static void transition_v2_backward(const struct rnet_run *run,
                                   const float *params, float *grads,
                                   float *saved, float *scratch,
                                   const float *x, const float *dy, float *dx)
{
    float *d_conv = scratch + 12288 * run->batch;
    float *d_batchnorm = scratch;
    float *shift = saved + 48;
    float *scale = saved;
    float *sums = scratch + 18432 * run->batch;
    float *moments = saved + 96;
    float *a = scratch + 18528 * run->batch;
    float *b = scratch + 18528 * run->batch + 48;
    float *c = scratch + 18528 * run->batch + 96;
    /* d_conv = pool_grad(dy) */
    rnet_pool_grad(run, run->batch, &pool_9, dy, 24, NULL, 0,
                   RNET_STEPS(RNET_WITH(STORE, d_conv, 24)));
    /* d_batchnorm = relu'(input) (conv.0.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_1x1_48_24_8,
                   RNET_STEPS(RNET_WITH(LOAD, x, 48),
                              RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, d_conv, 24)),
                   params + TRANSITION_V2_CONV_0_WEIGHT,
                   grads + TRANSITION_V2_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm, 48),
                              RNET_CENTRED_SUMS(x, 48, moments, sums)));
    rnet_batch_norm_grad(run, 48, 256 * run->batch, sums, 256,
                         params + TRANSITION_V2_BATCHNORM_0_WEIGHT, moments,
                         grads + TRANSITION_V2_BATCHNORM_0_WEIGHT,
                         grads + TRANSITION_V2_BATCHNORM_0_BIAS, a, b, c);
    /* dx = a (d_batchnorm) + b x + c */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 256 * run->batch, 256 },
               48,
               RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 48),
                          RNET_COMBINE(x, 48, a, b, c),
                          RNET_WITH(STORE, dx, 48)));
}

/* ---- dense_layer_12_v5 (densenet.rnet:5) of [8, 8, 24], as dense_layer_12 ---- */

enum {           /* where its parameters lie, in floats */
    DENSE_LAYER_12_V5_BATCHNORM_0_WEIGHT = 0,
    DENSE_LAYER_12_V5_BATCHNORM_0_BIAS = 32,
    DENSE_LAYER_12_V5_BATCHNORM_0_RUNNING_MEAN = 0,
    DENSE_LAYER_12_V5_BATCHNORM_0_RUNNING_VAR = 32,
    DENSE_LAYER_12_V5_CONV_0_WEIGHT = 64,
    DENSE_LAYER_12_V5_BATCHNORM_1_WEIGHT = 1216,
    DENSE_LAYER_12_V5_BATCHNORM_1_BIAS = 1264,
    DENSE_LAYER_12_V5_BATCHNORM_1_RUNNING_MEAN = 64,
    DENSE_LAYER_12_V5_BATCHNORM_1_RUNNING_VAR = 112,
    DENSE_LAYER_12_V5_CONV_1_WEIGHT = 1312,
};

static void dense_layer_12_v5_infer(const struct rnet_run *run,
                                    const float *params, const float *state,
                                    float *scratch, const float *x, float *y)
{
    float *scale = scratch + 7680 * run->batch + 96;
    float *shift = scratch + 7680 * run->batch + 128;
    float *scale_2 = scratch + 7680 * run->batch;
    float *shift_2 = scratch + 7680 * run->batch + 48;
    float *relu = scratch + 6144 * run->batch;
    float *relu_2 = scratch + 3072 * run->batch;
    rnet_batch_norm_infer(run, 24,
                          params + DENSE_LAYER_12_V5_BATCHNORM_0_WEIGHT,
                          params + DENSE_LAYER_12_V5_BATCHNORM_0_BIAS, 1e-05f,
                          state + DENSE_LAYER_12_V5_BATCHNORM_0_RUNNING_MEAN,
                          state + DENSE_LAYER_12_V5_BATCHNORM_0_RUNNING_VAR,
                          scale, shift);
    rnet_batch_norm_infer(run, 48,
                          params + DENSE_LAYER_12_V5_BATCHNORM_1_WEIGHT,
                          params + DENSE_LAYER_12_V5_BATCHNORM_1_BIAS, 1e-05f,
                          state + DENSE_LAYER_12_V5_BATCHNORM_1_RUNNING_MEAN,
                          state + DENSE_LAYER_12_V5_BATCHNORM_1_RUNNING_VAR,
                          scale_2, shift_2);
    /* relu = relu(scale (x) + shift) */
    /* y = x */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 24,
               RNET_STEPS(RNET_WITH(LOAD, x, 24),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                          RNET_WITH(STORE, relu, 24), RNET_WITH(LOAD, x, 24),
                          RNET_WITH(STORE, y, 36)));
    /* relu_2 = relu(scale_2 (conv.0.weight * relu) + shift_2) */
    rnet_conv(run, run->batch, &conv_1x1_24_48_10,
              RNET_STEPS(RNET_WITH(LOAD, relu, 24)),
              params + DENSE_LAYER_12_V5_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(RELU),
                         RNET_WITH(STORE, relu_2, 48)));
    /* y = conv.1.weight * relu_2 */
    rnet_conv(run, run->batch, &conv_3x3_48_12_11,
              RNET_STEPS(RNET_WITH(LOAD, relu_2, 48)),
              params + DENSE_LAYER_12_V5_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, y + 24, 36)));
}

static void dense_layer_12_v5_forward(const struct rnet_run *run,
                                      const float *params, float *state,
                                      float *saved, float *scratch,
                                      const float *x, float *y)
{
    float *sums = scratch;
    float *scale = saved;
    float *shift = saved + 32;
    float *moments = saved + 64;
    float *conv = saved + 112;
    float *sums_2 = scratch;
    float *scale_2 = saved + 3072 * run->batch + 112;
    float *shift_2 = saved + 3072 * run->batch + 160;
    float *moments_2 = saved + 3072 * run->batch + 208;
    /* y = x */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 24,
               RNET_STEPS(RNET_WITH(LOAD, x, 24),
                          RNET_SUM_TO(SUM_MOMENTS, sums),
                          RNET_WITH(STORE, y, 36)));
    rnet_batch_norm(run, 24, 64 * run->batch, sums, 64,
                    params + DENSE_LAYER_12_V5_BATCHNORM_0_WEIGHT,
                    params + DENSE_LAYER_12_V5_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + DENSE_LAYER_12_V5_BATCHNORM_0_RUNNING_MEAN,
                    state + DENSE_LAYER_12_V5_BATCHNORM_0_RUNNING_VAR, scale,
                    shift, moments);
    /* conv = conv.0.weight * relu */
    rnet_conv(run, run->batch, &conv_1x1_24_48_10,
              RNET_STEPS(RNET_WITH(LOAD, x, 24),
                         RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
              params + DENSE_LAYER_12_V5_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 48),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 48, 64 * run->batch, sums_2, 64,
                    params + DENSE_LAYER_12_V5_BATCHNORM_1_WEIGHT,
                    params + DENSE_LAYER_12_V5_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + DENSE_LAYER_12_V5_BATCHNORM_1_RUNNING_MEAN,
                    state + DENSE_LAYER_12_V5_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* y = conv.1.weight * relu */
    rnet_conv(run, run->batch, &conv_3x3_48_12_11,
              RNET_STEPS(RNET_WITH(LOAD, conv, 48),
                         RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(RELU)),
              params + DENSE_LAYER_12_V5_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, y + 24, 36)));
}

static void dense_layer_12_v5_backward(const struct rnet_run *run,
                                       const float *params, float *grads,
                                       float *saved, float *scratch,
                                       const float *x, const float *dy,
                                       float *dx)
{
    float *d_batchnorm = scratch;
    float *conv = saved + 112;
    float *shift = saved + 3072 * run->batch + 160;
    float *scale = saved + 3072 * run->batch + 112;
    float *sums = scratch + 3072 * run->batch;
    float *moments = saved + 3072 * run->batch + 208;
    float *a = scratch + 4656 * run->batch;
    float *b = scratch + 4656 * run->batch + 48;
    float *c = scratch + 4656 * run->batch + 96;
    float *d_batchnorm_2 = scratch + 3072 * run->batch;
    float *shift_2 = saved + 32;
    float *scale_2 = saved;
    float *sums_2 = scratch + 4608 * run->batch;
    float *moments_2 = saved + 64;
    float *a_2 = scratch + 4656 * run->batch;
    float *b_2 = scratch + 4656 * run->batch + 32;
    float *c_2 = scratch + 4656 * run->batch + 64;
    /* d_batchnorm = relu'(input) (conv.1.weight' * dy) */
    rnet_conv_grad(run, run->batch, &conv_3x3_48_12_11,
                   RNET_STEPS(RNET_WITH(LOAD, conv, 48),
                              RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, dy + 24, 36)),
                   params + DENSE_LAYER_12_V5_CONV_1_WEIGHT,
                   grads + DENSE_LAYER_12_V5_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm, 48),
                              RNET_CENTRED_SUMS(conv, 48, moments, sums)));
    rnet_batch_norm_grad(run, 48, 64 * run->batch, sums, 64,
                         params + DENSE_LAYER_12_V5_BATCHNORM_1_WEIGHT,
                         moments, grads + DENSE_LAYER_12_V5_BATCHNORM_1_WEIGHT,
                         grads + DENSE_LAYER_12_V5_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm_2 = relu'(input) (conv.0.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_1x1_24_48_10,
                   RNET_STEPS(RNET_WITH(LOAD, x, 24),
                              RNET_SCALE_SHIFT(scale_2, shift_2),
                              RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 48),
                              RNET_COMBINE(conv, 48, a, b, c)),
                   params + DENSE_LAYER_12_V5_CONV_0_WEIGHT,
                   grads + DENSE_LAYER_12_V5_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm_2, 24),
                              RNET_CENTRED_SUMS(x, 24, moments_2, sums_2)));
    rnet_batch_norm_grad(run, 24, 64 * run->batch, sums_2, 64,
                         params + DENSE_LAYER_12_V5_BATCHNORM_0_WEIGHT,
                         moments_2,
                         grads + DENSE_LAYER_12_V5_BATCHNORM_0_WEIGHT,
                         grads + DENSE_LAYER_12_V5_BATCHNORM_0_BIAS, a_2, b_2,
                         c_2);
    /* dx = a_2 (d_batchnorm_2) + b_2 x + c_2 + dy */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 24,
               RNET_STEPS(RNET_WITH(LOAD, d_batchnorm_2, 24),
                          RNET_COMBINE(x, 24, a_2, b_2, c_2),
                          RNET_WITH(ADD, dy, 36), RNET_WITH(STORE, dx, 24)));
}

/* ---- dense_layer_12_v6 (densenet.rnet:5) of [8, 8, 36], as dense_layer_12 ---- */

enum {           /* where its parameters lie, in floats */
    DENSE_LAYER_12_V6_BATCHNORM_0_WEIGHT = 0,
    DENSE_LAYER_12_V6_BATCHNORM_0_BIAS = 48,
    DENSE_LAYER_12_V6_BATCHNORM_0_RUNNING_MEAN = 0,
    DENSE_LAYER_12_V6_BATCHNORM_0_RUNNING_VAR = 48,
    DENSE_LAYER_12_V6_CONV_0_WEIGHT = 96,
    DENSE_LAYER_12_V6_BATCHNORM_1_WEIGHT = 1824,
    DENSE_LAYER_12_V6_BATCHNORM_1_BIAS = 1872,
    DENSE_LAYER_12_V6_BATCHNORM_1_RUNNING_MEAN = 96,
    DENSE_LAYER_12_V6_BATCHNORM_1_RUNNING_VAR = 144,
    DENSE_LAYER_12_V6_CONV_1_WEIGHT = 1920,
};

static void dense_layer_12_v6_infer(const struct rnet_run *run,
                                    const float *params, const float *state,
                                    float *scratch, const float *x, float *y)
{
    float *scale = scratch + 8448 * run->batch;
    float *shift = scratch + 8448 * run->batch + 48;
    float *scale_2 = scratch + 8448 * run->batch + 96;
    float *shift_2 = scratch + 8448 * run->batch + 144;
    float *relu = scratch + 6144 * run->batch;
    float *relu_2 = scratch + 3072 * run->batch;
    rnet_batch_norm_infer(run, 36,
                          params + DENSE_LAYER_12_V6_BATCHNORM_0_WEIGHT,
                          params + DENSE_LAYER_12_V6_BATCHNORM_0_BIAS, 1e-05f,
                          state + DENSE_LAYER_12_V6_BATCHNORM_0_RUNNING_MEAN,
                          state + DENSE_LAYER_12_V6_BATCHNORM_0_RUNNING_VAR,
                          scale, shift);
    rnet_batch_norm_infer(run, 48,
                          params + DENSE_LAYER_12_V6_BATCHNORM_1_WEIGHT,
                          params + DENSE_LAYER_12_V6_BATCHNORM_1_BIAS, 1e-05f,
                          state + DENSE_LAYER_12_V6_BATCHNORM_1_RUNNING_MEAN,
                          state + DENSE_LAYER_12_V6_BATCHNORM_1_RUNNING_VAR,
                          scale_2, shift_2);
    /* relu = relu(scale (x) + shift) */
    /* y = x */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 36,
               RNET_STEPS(RNET_WITH(LOAD, x, 36),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                          RNET_WITH(STORE, relu, 36), RNET_WITH(LOAD, x, 36),
                          RNET_WITH(STORE, y, 48)));
    /* relu_2 = relu(scale_2 (conv.0.weight * relu) + shift_2) */
    rnet_conv(run, run->batch, &conv_1x1_36_48_12,
              RNET_STEPS(RNET_WITH(LOAD, relu, 36)),
              params + DENSE_LAYER_12_V6_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(RELU),
                         RNET_WITH(STORE, relu_2, 48)));
    /* y = conv.1.weight * relu_2 */
    rnet_conv(run, run->batch, &conv_3x3_48_12_11,
              RNET_STEPS(RNET_WITH(LOAD, relu_2, 48)),
              params + DENSE_LAYER_12_V6_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, y + 36, 48)));
}

static void dense_layer_12_v6_forward(const struct rnet_run *run,
                                      const float *params, float *state,
                                      float *saved, float *scratch,
                                      const float *x, float *y)
{
    float *sums = scratch;
    float *scale = saved;
    float *shift = saved + 48;
    float *moments = saved + 96;
    float *conv = saved + 176;
    float *sums_2 = scratch;
    float *scale_2 = saved + 3072 * run->batch + 176;
    float *shift_2 = saved + 3072 * run->batch + 224;
    float *moments_2 = saved + 3072 * run->batch + 272;
    /* y = x */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 36,
               RNET_STEPS(RNET_WITH(LOAD, x, 36),
                          RNET_SUM_TO(SUM_MOMENTS, sums),
                          RNET_WITH(STORE, y, 48)));
    rnet_batch_norm(run, 36, 64 * run->batch, sums, 64,
                    params + DENSE_LAYER_12_V6_BATCHNORM_0_WEIGHT,
                    params + DENSE_LAYER_12_V6_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + DENSE_LAYER_12_V6_BATCHNORM_0_RUNNING_MEAN,
                    state + DENSE_LAYER_12_V6_BATCHNORM_0_RUNNING_VAR, scale,
                    shift, moments);
    /* conv = conv.0.weight * relu */
    rnet_conv(run, run->batch, &conv_1x1_36_48_12,
              RNET_STEPS(RNET_WITH(LOAD, x, 36),
                         RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
              params + DENSE_LAYER_12_V6_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 48),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 48, 64 * run->batch, sums_2, 64,
                    params + DENSE_LAYER_12_V6_BATCHNORM_1_WEIGHT,
                    params + DENSE_LAYER_12_V6_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + DENSE_LAYER_12_V6_BATCHNORM_1_RUNNING_MEAN,
                    state + DENSE_LAYER_12_V6_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* y = conv.1.weight * relu */
    rnet_conv(run, run->batch, &conv_3x3_48_12_11,
              RNET_STEPS(RNET_WITH(LOAD, conv, 48),
                         RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(RELU)),
              params + DENSE_LAYER_12_V6_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, y + 36, 48)));
}

static void dense_layer_12_v6_backward(const struct rnet_run *run,
                                       const float *params, float *grads,
                                       float *saved, float *scratch,
                                       const float *x, const float *dy,
                                       float *dx)
{
    float *d_batchnorm = scratch;
    float *conv = saved + 176;
    float *shift = saved + 3072 * run->batch + 224;
    float *scale = saved + 3072 * run->batch + 176;
    float *sums = scratch + 3072 * run->batch;
    float *moments = saved + 3072 * run->batch + 272;
    float *a = scratch + 5456 * run->batch;
    float *b = scratch + 5456 * run->batch + 48;
    float *c = scratch + 5456 * run->batch + 96;
    float *d_batchnorm_2 = scratch + 3072 * run->batch;
    float *shift_2 = saved + 48;
    float *scale_2 = saved;
    float *sums_2 = scratch + 5376 * run->batch;
    float *moments_2 = saved + 96;
    float *a_2 = scratch + 5456 * run->batch;
    float *b_2 = scratch + 5456 * run->batch + 48;
    float *c_2 = scratch + 5456 * run->batch + 96;
    /* d_batchnorm = relu'(input) (conv.1.weight' * dy) */
    rnet_conv_grad(run, run->batch, &conv_3x3_48_12_11,
                   RNET_STEPS(RNET_WITH(LOAD, conv, 48),
                              RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, dy + 36, 48)),
                   params + DENSE_LAYER_12_V6_CONV_1_WEIGHT,
                   grads + DENSE_LAYER_12_V6_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm, 48),
                              RNET_CENTRED_SUMS(conv, 48, moments, sums)));
    rnet_batch_norm_grad(run, 48, 64 * run->batch, sums, 64,
                         params + DENSE_LAYER_12_V6_BATCHNORM_1_WEIGHT,
                         moments, grads + DENSE_LAYER_12_V6_BATCHNORM_1_WEIGHT,
                         grads + DENSE_LAYER_12_V6_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm_2 = relu'(input) (conv.0.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_1x1_36_48_12,
                   RNET_STEPS(RNET_WITH(LOAD, x, 36),
                              RNET_SCALE_SHIFT(scale_2, shift_2),
                              RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 48),
                              RNET_COMBINE(conv, 48, a, b, c)),
                   params + DENSE_LAYER_12_V6_CONV_0_WEIGHT,
                   grads + DENSE_LAYER_12_V6_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm_2, 36),
                              RNET_CENTRED_SUMS(x, 36, moments_2, sums_2)));
    rnet_batch_norm_grad(run, 36, 64 * run->batch, sums_2, 64,
                         params + DENSE_LAYER_12_V6_BATCHNORM_0_WEIGHT,
                         moments_2,
                         grads + DENSE_LAYER_12_V6_BATCHNORM_0_WEIGHT,
                         grads + DENSE_LAYER_12_V6_BATCHNORM_0_BIAS, a_2, b_2,
                         c_2);
    /* dx = a_2 (d_batchnorm_2) + b_2 x + c_2 + dy */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 36,
               RNET_STEPS(RNET_WITH(LOAD, d_batchnorm_2, 36),
                          RNET_COMBINE(x, 36, a_2, b_2, c_2),
                          RNET_WITH(ADD, dy, 48), RNET_WITH(STORE, dx, 36)));
}

/* ---- densenet (densenet.rnet:15) ----
 *
 *     network densenet(k = 12, n = 2, classes = 10, side = 32, colours = 3) {
 *         input image [side, side, colours]
 *         conv(2 * k, 3, bias = no)
 *         repeat n { dense_layer(k) }
 *         transition
 *         repeat n { dense_layer(k) }
 *         transition
 *         repeat n { dense_layer(k) }
 *         batchnorm -> relu -> avgpool(all) -> linear(classes)
 *         output logits
 *         loss cross_entropy(logits, label)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    DENSENET_CONV_0_WEIGHT = 0,
    DENSENET_BATCHNORM_0_WEIGHT = 864,
    DENSENET_BATCHNORM_0_BIAS = 912,
    DENSENET_BATCHNORM_0_RUNNING_MEAN = 0,
    DENSENET_BATCHNORM_0_RUNNING_VAR = 48,
    DENSENET_LINEAR_0_WEIGHT = 960,
    DENSENET_LINEAR_0_BIAS = 1600,
};

static void densenet_infer_pass(const struct rnet_run *run,
                                const float *params, const float *state,
                                float *scratch, const float *image,
                                const int32_t *label, float *logits)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *scale = scratch + 1856 * strips + 86016 * run->batch;
    float *shift = scratch + 1856 * strips + 86016 * run->batch + 48;
    float *conv = scratch + 1856 * strips;
    float *dense_layer = scratch + 1856 * strips + 49152 * run->batch;
    float *dense_layer_2 = scratch + 1856 * strips;
    float *transition = scratch + 1856 * strips + 49152 * run->batch;
    float *dense_layer_3 = scratch + 1856 * strips + 12288 * run->batch;
    float *dense_layer_4 = scratch + 1856 * strips;
    float *transition_2 = scratch + 1856 * strips + 12288 * run->batch;
    float *dense_layer_5 = scratch + 1856 * strips + 3072 * run->batch;
    float *dense_layer_6 = scratch + 1856 * strips;
    float *relu = scratch + 1856 * strips;
    float *avgpool = scratch + 1856 * strips + 3072 * run->batch;
    float *avgpool_2 = scratch;
    float *linear = scratch + 1536 * strips;
    rnet_batch_norm_infer(run, 48, params + DENSENET_BATCHNORM_0_WEIGHT,
                          params + DENSENET_BATCHNORM_0_BIAS, 1e-05f,
                          state + DENSENET_BATCHNORM_0_RUNNING_MEAN,
                          state + DENSENET_BATCHNORM_0_RUNNING_VAR, scale,
                          shift);
    /* conv = conv.0.weight * image */
    rnet_conv(run, run->batch, &conv_3x3_3_24_13,
              RNET_STEPS(RNET_WITH(LOAD, image, 3)),
              params + DENSENET_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 24)));
    dense_layer_12_infer(run, params + 1616, state + 96,
                         scratch + 1856 * strips + 86016 * run->batch + 96,
                         conv, dense_layer);
    dense_layer_12_v2_infer(run, params + 9840, state + 256,
                            scratch + 1856 * strips + 86016 * run->batch + 96,
                            dense_layer, dense_layer_2);
    transition_infer(run, params + 18672, state + 448,
                     scratch + 1856 * strips + 86016 * run->batch + 96,
                     dense_layer_2, transition);
    dense_layer_12_v3_infer(run, params + 20304, state + 544,
                            scratch + 1856 * strips + 86016 * run->batch + 96,
                            transition, dense_layer_3);
    dense_layer_12_v4_infer(run, params + 28528, state + 704,
                            scratch + 1856 * strips + 86016 * run->batch + 96,
                            dense_layer_3, dense_layer_4);
    transition_v2_infer(run, params + 37360, state + 896,
                        scratch + 1856 * strips + 86016 * run->batch + 96,
                        dense_layer_4, transition_2);
    dense_layer_12_v5_infer(run, params + 38992, state + 992,
                            scratch + 1856 * strips + 86016 * run->batch + 96,
                            transition_2, dense_layer_5);
    dense_layer_12_v6_infer(run, params + 47216, state + 1152,
                            scratch + 1856 * strips + 86016 * run->batch + 96,
                            dense_layer_5, dense_layer_6);
    /* relu = relu(scale (dense_layer_6) + shift) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 48,
               RNET_STEPS(RNET_WITH(LOAD, dense_layer_6, 48),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                          RNET_WITH(STORE, relu, 48)));
    /* avgpool = pool(relu) */
    rnet_pool(run, run->batch, &pool_14, relu, 48,
              RNET_STEPS(RNET_WITH(STORE, avgpool, 48)));
    /* avgpool_2 = pack(avgpool) */
    rnet_pack_rows(run, run->batch, 48, avgpool, 48,
                   RNET_STEPS(RNET_WITH(STORE, avgpool_2, 48)));
    /* linear = linear.0.weight avgpool_2 + linear.0.bias */
    rnet_linear(run, run->batch, 48, 10, avgpool_2, 48,
                params + DENSENET_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + DENSENET_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 10)));
    /* logits = unpack(linear) */
    rnet_unpack_rows(run, run->batch, 10, linear, 10,
                     RNET_STEPS(RNET_WITH(STORE, logits, 10)));
}

static void densenet_forward_pass(const struct rnet_run *run,
                                  const float *params, float *state,
                                  float *saved, float *scratch,
                                  const float *image, const int32_t *label,
                                  float *logits)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *conv = saved;
    float *dense_layer = saved + 24576 * run->batch;
    float *dense_layer_2 = saved + 61440 * run->batch;
    float *transition = saved + 110592 * run->batch;
    float *dense_layer_3 = saved + 116736 * run->batch;
    float *dense_layer_4 = saved + 125952 * run->batch;
    float *transition_2 = saved + 138240 * run->batch;
    float *dense_layer_5 = saved + 139776 * run->batch;
    float *dense_layer_6 = saved + 142080 * run->batch;
    float *sums = scratch;
    float *scale = scratch + 144 * run->batch;
    float *shift = scratch + 144 * run->batch + 48;
    float *moments = saved + 145152 * run->batch;
    float *relu = saved + 145152 * run->batch + 96;
    float *avgpool = scratch;
    float *avgpool_2 = saved + 148224 * run->batch + 96;
    float *linear = saved + 1536 * strips + 148224 * run->batch + 96;
    /* conv = conv.0.weight * image */
    rnet_conv(run, run->batch, &conv_3x3_3_24_13,
              RNET_STEPS(RNET_WITH(LOAD, image, 3)),
              params + DENSENET_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 24)));
    dense_layer_12_forward(run, params + 1616, state + 96,
                           saved + 1856 * strips + 148224 * run->batch + 96,
                           scratch + 144 * run->batch + 96, conv, dense_layer);
    dense_layer_12_v2_forward(run, params + 9840, state + 256,
                              saved + 1856 * strips + 197376 * run->batch + 400,
                              scratch + 144 * run->batch + 96, dense_layer,
                              dense_layer_2);
    transition_forward(run, params + 18672, state + 448,
                       saved + 1856 * strips + 246528 * run->batch + 768,
                       scratch + 144 * run->batch + 96, dense_layer_2,
                       transition);
    dense_layer_12_v3_forward(run, params + 20304, state + 544,
                              saved + 1856 * strips + 246528 * run->batch + 960,
                              scratch + 144 * run->batch + 96, transition,
                              dense_layer_3);
    dense_layer_12_v4_forward(run, params + 28528, state + 704,
                              saved + 1856 * strips + 258816 * run->batch + 1264,
                              scratch + 144 * run->batch + 96, dense_layer_3,
                              dense_layer_4);
    transition_v2_forward(run, params + 37360, state + 896,
                          saved + 1856 * strips + 271104 * run->batch + 1632,
                          scratch + 144 * run->batch + 96, dense_layer_4,
                          transition_2);
    dense_layer_12_v5_forward(run, params + 38992, state + 992,
                              saved + 1856 * strips + 271104 * run->batch + 1824,
                              scratch + 144 * run->batch + 96, transition_2,
                              dense_layer_5);
    dense_layer_12_v6_forward(run, params + 47216, state + 1152,
                              saved + 1856 * strips + 274176 * run->batch + 2128,
                              scratch + 144 * run->batch + 96, dense_layer_5,
                              dense_layer_6);
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 48,
               RNET_STEPS(RNET_WITH(LOAD, dense_layer_6, 48),
                          RNET_SUM_TO(SUM_MOMENTS, sums)));
    rnet_batch_norm(run, 48, 64 * run->batch, sums, 64,
                    params + DENSENET_BATCHNORM_0_WEIGHT,
                    params + DENSENET_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + DENSENET_BATCHNORM_0_RUNNING_MEAN,
                    state + DENSENET_BATCHNORM_0_RUNNING_VAR, scale, shift,
                    moments);
    /* relu = relu(scale (dense_layer_6) + shift) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 48,
               RNET_STEPS(RNET_WITH(LOAD, dense_layer_6, 48),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                          RNET_WITH(STORE, relu, 48)));
    /* avgpool = pool(relu) */
    rnet_pool(run, run->batch, &pool_14, relu, 48,
              RNET_STEPS(RNET_WITH(STORE, avgpool, 48)));
    /* avgpool_2 = pack(avgpool) */
    rnet_pack_rows(run, run->batch, 48, avgpool, 48,
                   RNET_STEPS(RNET_WITH(STORE, avgpool_2, 48)));
    /* linear = linear.0.weight avgpool_2 + linear.0.bias */
    rnet_linear(run, run->batch, 48, 10, avgpool_2, 48,
                params + DENSENET_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + DENSENET_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 10)));
    if (logits) {
        /* logits = unpack(linear) */
        rnet_unpack_rows(run, run->batch, 10, linear, 10,
                         RNET_STEPS(RNET_WITH(STORE, logits, 10)));
    }
}

static void densenet_backward_pass(const struct rnet_run *run,
                                   const float *params, float *grads,
                                   float *saved, float *scratch,
                                   const float *image, const int32_t *label,
                                   float *loss, float *image_grad)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *linear = saved + 1536 * strips + 148224 * run->batch + 96;
    float *d_linear = scratch + 1536 * strips;
    float *lines = scratch;
    float *avgpool = saved + 148224 * run->batch + 96;
    float *d_avgpool = scratch;
    float *d_avgpool_2 = scratch + 1856 * strips + 3168 * run->batch;
    float *relu = saved + 145152 * run->batch + 96;
    float *d_batchnorm = scratch + 1856 * strips;
    float *dense_layer = saved + 142080 * run->batch;
    float *sums = scratch + 1856 * strips + 3072 * run->batch;
    float *moments = saved + 145152 * run->batch;
    float *a = scratch + 1856 * strips + 86016 * run->batch;
    float *b = scratch + 1856 * strips + 86016 * run->batch + 48;
    float *c = scratch + 1856 * strips + 86016 * run->batch + 96;
    float *d_dense_layer = scratch + 1856 * strips;
    float *dense_layer_2 = saved + 139776 * run->batch;
    float *d_dense_layer_2 = scratch + 1856 * strips + 3072 * run->batch;
    float *transition = saved + 138240 * run->batch;
    float *d_transition = scratch + 1856 * strips + 12288 * run->batch;
    float *dense_layer_3 = saved + 125952 * run->batch;
    float *d_dense_layer_3 = scratch + 1856 * strips;
    float *dense_layer_4 = saved + 116736 * run->batch;
    float *d_dense_layer_4 = scratch + 1856 * strips + 12288 * run->batch;
    float *transition_2 = saved + 110592 * run->batch;
    float *d_transition_2 = scratch + 1856 * strips + 49152 * run->batch;
    float *dense_layer_5 = saved + 61440 * run->batch;
    float *d_dense_layer_5 = scratch + 1856 * strips;
    float *dense_layer_6 = saved + 24576 * run->batch;
    float *d_dense_layer_6 = scratch + 1856 * strips + 49152 * run->batch;
    float *conv = saved;
    float *d_conv = scratch + 1856 * strips;
    float *d_image = scratch + 1856 * strips + 24576 * run->batch;
    /* d_linear = dloss / dlinear */
    rnet_cross_entropy(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 },
                       10, 1.0f, linear, 10, label, lines, loss,
                       RNET_STEPS(RNET_WITH(STORE, d_linear, 10)));
    rnet_linear_grad_weight(run, run->batch, 48, 10,
                            grads + DENSENET_LINEAR_0_WEIGHT,
                            grads + DENSENET_LINEAR_0_BIAS, d_linear, 10,
                            avgpool, 48);
    /* d_avgpool = linear.0.weight' d_linear */
    rnet_linear_grad_input(run, run->batch, 48, 10, d_linear, 10,
                           params + DENSENET_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_avgpool, 48)));
    /* d_avgpool_2 = unpack(d_avgpool) */
    rnet_unpack_rows(run, run->batch, 48, d_avgpool, 48,
                     RNET_STEPS(RNET_WITH(STORE, d_avgpool_2, 48)));
    /* d_batchnorm = relu'(relu) (pool_grad(d_avgpool_2)) */
    rnet_pool_grad(run, run->batch, &pool_14, d_avgpool_2, 48, NULL, 0,
                   RNET_STEPS(RNET_WITH(RELU_GRAD, relu, 48),
                              RNET_WITH(STORE, d_batchnorm, 48),
                              RNET_CENTRED_SUMS(dense_layer, 48, moments,
                                                sums)));
    rnet_batch_norm_grad(run, 48, 64 * run->batch, sums, 64,
                         params + DENSENET_BATCHNORM_0_WEIGHT, moments,
                         grads + DENSENET_BATCHNORM_0_WEIGHT,
                         grads + DENSENET_BATCHNORM_0_BIAS, a, b, c);
    /* d_dense_layer = a (d_batchnorm) + b dense_layer + c */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 48,
               RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 48),
                          RNET_COMBINE(dense_layer, 48, a, b, c),
                          RNET_WITH(STORE, d_dense_layer, 48)));
    dense_layer_12_v6_backward(run, params + 47216, grads + 47216,
                               saved + 1856 * strips + 274176 * run->batch + 2128,
                               scratch + 1856 * strips + 86016 * run->batch + 144,
                               dense_layer_2, d_dense_layer, d_dense_layer_2);
    dense_layer_12_v5_backward(run, params + 38992, grads + 38992,
                               saved + 1856 * strips + 271104 * run->batch + 1824,
                               scratch + 1856 * strips + 86016 * run->batch + 144,
                               transition, d_dense_layer_2, d_transition);
    transition_v2_backward(run, params + 37360, grads + 37360,
                           saved + 1856 * strips + 271104 * run->batch + 1632,
                           scratch + 1856 * strips + 86016 * run->batch + 144,
                           dense_layer_3, d_transition, d_dense_layer_3);
    dense_layer_12_v4_backward(run, params + 28528, grads + 28528,
                               saved + 1856 * strips + 258816 * run->batch + 1264,
                               scratch + 1856 * strips + 86016 * run->batch + 144,
                               dense_layer_4, d_dense_layer_3, d_dense_layer_4);
    dense_layer_12_v3_backward(run, params + 20304, grads + 20304,
                               saved + 1856 * strips + 246528 * run->batch + 960,
                               scratch + 1856 * strips + 86016 * run->batch + 144,
                               transition_2, d_dense_layer_4, d_transition_2);
    transition_backward(run, params + 18672, grads + 18672,
                        saved + 1856 * strips + 246528 * run->batch + 768,
                        scratch + 1856 * strips + 86016 * run->batch + 144,
                        dense_layer_5, d_transition_2, d_dense_layer_5);
    dense_layer_12_v2_backward(run, params + 9840, grads + 9840,
                               saved + 1856 * strips + 197376 * run->batch + 400,
                               scratch + 1856 * strips + 86016 * run->batch + 144,
                               dense_layer_6, d_dense_layer_5, d_dense_layer_6);
    dense_layer_12_backward(run, params + 1616, grads + 1616,
                            saved + 1856 * strips + 148224 * run->batch + 96,
                            scratch + 1856 * strips + 86016 * run->batch + 144,
                            conv, d_dense_layer_6, d_conv);
    rnet_conv_grad(run, run->batch, &conv_3x3_3_24_13,
                   RNET_STEPS(RNET_WITH(LOAD, image, 3)),
                   RNET_STEPS(RNET_WITH(LOAD, d_conv, 24)),
                   params + DENSENET_CONV_0_WEIGHT,
                   grads + DENSENET_CONV_0_WEIGHT, NULL, RNET_NO_STEPS);
    if (image_grad) {
        /* d_image = conv.0.weight' * d_conv */
        rnet_conv_grad(run, run->batch, &conv_3x3_3_24_13,
                       RNET_STEPS(RNET_WITH(LOAD, image, 3)),
                       RNET_STEPS(RNET_WITH(LOAD, d_conv, 24)),
                       params + DENSENET_CONV_0_WEIGHT, NULL, NULL,
                       RNET_STEPS(RNET_WITH(STORE, d_image, 3)));
        /* image_grad = d_image */
        rnet_point(run,
                   (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
                   3,
                   RNET_STEPS(RNET_WITH(LOAD, d_image, 3),
                              RNET_WITH(STORE, image_grad, 3)));
    }
}

/* ---- entry points ---- */

_Static_assert(RNET_WORKER_FLOATS == 49152,
               "librnet and rnetc do not belong together");
_Static_assert(RNET_CONV_WORKER_FLOATS(32, 32, 24,
    32, 32, 48, 1, 1, 1, 1, 0, 0, 0, 0)
    <= 87616, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(32, 32, 48,
    32, 32, 12, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 87616, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(48, 12, 3, 3, 1)
    <= 55488, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(24, 48, 1, 1, 1)
    <= 55488, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(32, 32, 36,
    32, 32, 48, 1, 1, 1, 1, 0, 0, 0, 0)
    <= 87616, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(36, 48, 1, 1, 1)
    <= 55488, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(32, 32, 48,
    32, 32, 24, 1, 1, 1, 1, 0, 0, 0, 0)
    <= 87616, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(48, 24, 1, 1, 1)
    <= 55488, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(16, 16, 24,
    16, 16, 48, 1, 1, 1, 1, 0, 0, 0, 0)
    <= 87616, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(16, 16, 48,
    16, 16, 12, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 87616, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(16, 16, 36,
    16, 16, 48, 1, 1, 1, 1, 0, 0, 0, 0)
    <= 87616, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(16, 16, 48,
    16, 16, 24, 1, 1, 1, 1, 0, 0, 0, 0)
    <= 87616, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(8, 8, 24,
    8, 8, 48, 1, 1, 1, 1, 0, 0, 0, 0)
    <= 87616, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(8, 8, 48,
    8, 8, 12, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 87616, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(8, 8, 36,
    8, 8, 48, 1, 1, 1, 1, 0, 0, 0, 0)
    <= 87616, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(32, 32, 3,
    32, 32, 24, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 87616, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(3, 24, 3, 3, 1)
    <= 55488, "librnet needs more scratch than rnetc knows");

enum rnet_status densenet_infer(const float *params, const float *image,
                                float *logits, size_t batch,
                                struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, DENSENET_INFER_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if (!image || !logits)
        return RNET_NULL;
    if (batch == 0)
        return RNET_OK;
    struct rnet_run here, *run = &here;
    float *memory = (float *)work->memory;

    rnet_begin(run, work, batch, 0);
    run->scratch = memory;
    run->scratch_floats = 0;
    run->workers = memory + 0;
    run->worker_floats = 136768;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    densenet_infer_pass(run, params, params + DENSENET_GRAD_FLOATS, memory,
                        image, NULL, logits);
    rnet_end(run);
    return RNET_OK;
}

static enum rnet_status infer_by_table(const float *params,
    const void *const *inputs, float *const *outputs,
    size_t batch, struct rnet_work *work)
{
    if (!inputs || !outputs)
        return RNET_NULL;
    return densenet_infer(params, (const float *)inputs[0], outputs[0], batch,
                          work);
}

enum rnet_status densenet_train(float *params, const float *image,
                                const int32_t *label, float *logits,
                                float *loss, float *grads, float *image_grad,
                                size_t batch, struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, DENSENET_TRAIN_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if ((status = rnet_check_array(grads)) != RNET_OK)
        return status;
    if (!image || !label || !loss)
        return RNET_NULL;
    status = rnet_check_indices(label, batch, 10);
    if (status != RNET_OK)
        return status;
    if (batch == 0) {
        *loss = 0;
        return RNET_OK;
    }
    struct rnet_run here, *run = &here;
    float *memory = (float *)work->memory;

    rnet_begin(run, work, batch, 1);
    run->scratch = memory;
    run->scratch_floats = 55488;
    run->workers = memory + 55488;
    run->worker_floats = 136768;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    const long strips = RNET_STRIP_COUNT(1 * run->batch);
    densenet_forward_pass(run, params, params + DENSENET_GRAD_FLOATS, memory,
                          memory + 1856 * strips + 277248 * run->batch + 2496,
                          image, label, logits);
    *loss = 0;
    densenet_backward_pass(run, params, grads, memory,
                           memory + 1856 * strips + 277248 * run->batch + 2496,
                           image, label, loss, image_grad);
    work->step++;
    rnet_end(run);
    return RNET_OK;
}

static enum rnet_status train_by_table(float *params,
    const void *const *inputs, float *const *outputs, float *loss,
    float *grads, float *const *input_grads,
    size_t batch, struct rnet_work *work)
{
    (void)input_grads;
    if (!inputs)
        return RNET_NULL;
    return densenet_train(params, (const float *)inputs[0],
                          (const int32_t *)inputs[1],
                          outputs ? outputs[0] : NULL, loss, grads,
                          input_grads ? input_grads[0] : NULL, batch, work);
}

/* ---- the table ---- */

static const struct rnet_tensor tensors[] = {
    { .name = "conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1, .rank = 4,
      .shape = { 24, 3, 3, 3 }, .floats = 864, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.27216553f },
    { .name = "batchnorm.0.weight", .groups = 1, .rank = 1, .shape = { 48 },
      .offset = 864, .floats = 48, .trainable = 1, .mean = 1.0f },
    { .name = "batchnorm.0.bias", .groups = 1, .rank = 1, .shape = { 48 },
      .offset = 912, .floats = 48, .trainable = 1 },
    { .name = "batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56048, .floats = 48 },
    { .name = "batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56096, .floats = 48, .mean = 1.0f },
    { .name = "linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 10, 48 }, .offset = 960, .floats = 640,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.20412415f },
    { .name = "linear.0.bias", .groups = 1, .rank = 1, .shape = { 10 },
      .offset = 1600, .floats = 16, .trainable = 1 },
    { .name = "dense_layer.0.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 24 }, .offset = 1616, .floats = 32, .trainable = 1,
      .mean = 1.0f },
    { .name = "dense_layer.0.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 24 }, .offset = 1648, .floats = 32, .trainable = 1 },
    { .name = "dense_layer.0.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 24 }, .offset = 56144, .floats = 32 },
    { .name = "dense_layer.0.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 24 }, .offset = 56176, .floats = 32, .mean = 1.0f },
    { .name = "dense_layer.0.conv.0.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 48, 24, 1, 1 }, .offset = 1680,
      .floats = 1152, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.28867513f },
    { .name = "dense_layer.0.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 2832, .floats = 48, .trainable = 1,
      .mean = 1.0f },
    { .name = "dense_layer.0.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 2880, .floats = 48, .trainable = 1 },
    { .name = "dense_layer.0.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56208, .floats = 48 },
    { .name = "dense_layer.0.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56256, .floats = 48, .mean = 1.0f },
    { .name = "dense_layer.0.conv.1.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 12, 48, 3, 3 }, .offset = 2928,
      .floats = 6912, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.068041382f },
    { .name = "dense_layer.1.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 36 }, .offset = 9840, .floats = 48, .trainable = 1,
      .mean = 1.0f },
    { .name = "dense_layer.1.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 36 }, .offset = 9888, .floats = 48, .trainable = 1 },
    { .name = "dense_layer.1.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 36 }, .offset = 56304, .floats = 48 },
    { .name = "dense_layer.1.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 36 }, .offset = 56352, .floats = 48, .mean = 1.0f },
    { .name = "dense_layer.1.conv.0.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 48, 36, 1, 1 }, .offset = 9936,
      .floats = 1728, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.23570226f },
    { .name = "dense_layer.1.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 11664, .floats = 48, .trainable = 1,
      .mean = 1.0f },
    { .name = "dense_layer.1.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 11712, .floats = 48, .trainable = 1 },
    { .name = "dense_layer.1.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56400, .floats = 48 },
    { .name = "dense_layer.1.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56448, .floats = 48, .mean = 1.0f },
    { .name = "dense_layer.1.conv.1.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 12, 48, 3, 3 }, .offset = 11760,
      .floats = 6912, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.068041382f },
    { .name = "transition.0.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 18672, .floats = 48, .trainable = 1,
      .mean = 1.0f },
    { .name = "transition.0.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 18720, .floats = 48, .trainable = 1 },
    { .name = "transition.0.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56496, .floats = 48 },
    { .name = "transition.0.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56544, .floats = 48, .mean = 1.0f },
    { .name = "transition.0.conv.0.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 24, 48, 1, 1 }, .offset = 18768,
      .floats = 1536, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.20412415f },
    { .name = "dense_layer.2.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 24 }, .offset = 20304, .floats = 32, .trainable = 1,
      .mean = 1.0f },
    { .name = "dense_layer.2.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 24 }, .offset = 20336, .floats = 32, .trainable = 1 },
    { .name = "dense_layer.2.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 24 }, .offset = 56592, .floats = 32 },
    { .name = "dense_layer.2.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 24 }, .offset = 56624, .floats = 32, .mean = 1.0f },
    { .name = "dense_layer.2.conv.0.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 48, 24, 1, 1 }, .offset = 20368,
      .floats = 1152, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.28867513f },
    { .name = "dense_layer.2.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 21520, .floats = 48, .trainable = 1,
      .mean = 1.0f },
    { .name = "dense_layer.2.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 21568, .floats = 48, .trainable = 1 },
    { .name = "dense_layer.2.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56656, .floats = 48 },
    { .name = "dense_layer.2.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56704, .floats = 48, .mean = 1.0f },
    { .name = "dense_layer.2.conv.1.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 12, 48, 3, 3 }, .offset = 21616,
      .floats = 6912, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.068041382f },
    { .name = "dense_layer.3.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 36 }, .offset = 28528, .floats = 48, .trainable = 1,
      .mean = 1.0f },
    { .name = "dense_layer.3.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 36 }, .offset = 28576, .floats = 48, .trainable = 1 },
    { .name = "dense_layer.3.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 36 }, .offset = 56752, .floats = 48 },
    { .name = "dense_layer.3.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 36 }, .offset = 56800, .floats = 48, .mean = 1.0f },
    { .name = "dense_layer.3.conv.0.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 48, 36, 1, 1 }, .offset = 28624,
      .floats = 1728, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.23570226f },
    { .name = "dense_layer.3.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 30352, .floats = 48, .trainable = 1,
      .mean = 1.0f },
    { .name = "dense_layer.3.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 30400, .floats = 48, .trainable = 1 },
    { .name = "dense_layer.3.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56848, .floats = 48 },
    { .name = "dense_layer.3.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56896, .floats = 48, .mean = 1.0f },
    { .name = "dense_layer.3.conv.1.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 12, 48, 3, 3 }, .offset = 30448,
      .floats = 6912, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.068041382f },
    { .name = "transition.1.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 37360, .floats = 48, .trainable = 1,
      .mean = 1.0f },
    { .name = "transition.1.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 37408, .floats = 48, .trainable = 1 },
    { .name = "transition.1.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56944, .floats = 48 },
    { .name = "transition.1.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 56992, .floats = 48, .mean = 1.0f },
    { .name = "transition.1.conv.0.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 24, 48, 1, 1 }, .offset = 37456,
      .floats = 1536, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.20412415f },
    { .name = "dense_layer.4.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 24 }, .offset = 38992, .floats = 32, .trainable = 1,
      .mean = 1.0f },
    { .name = "dense_layer.4.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 24 }, .offset = 39024, .floats = 32, .trainable = 1 },
    { .name = "dense_layer.4.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 24 }, .offset = 57040, .floats = 32 },
    { .name = "dense_layer.4.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 24 }, .offset = 57072, .floats = 32, .mean = 1.0f },
    { .name = "dense_layer.4.conv.0.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 48, 24, 1, 1 }, .offset = 39056,
      .floats = 1152, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.28867513f },
    { .name = "dense_layer.4.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 40208, .floats = 48, .trainable = 1,
      .mean = 1.0f },
    { .name = "dense_layer.4.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 40256, .floats = 48, .trainable = 1 },
    { .name = "dense_layer.4.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 57104, .floats = 48 },
    { .name = "dense_layer.4.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 57152, .floats = 48, .mean = 1.0f },
    { .name = "dense_layer.4.conv.1.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 12, 48, 3, 3 }, .offset = 40304,
      .floats = 6912, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.068041382f },
    { .name = "dense_layer.5.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 36 }, .offset = 47216, .floats = 48, .trainable = 1,
      .mean = 1.0f },
    { .name = "dense_layer.5.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 36 }, .offset = 47264, .floats = 48, .trainable = 1 },
    { .name = "dense_layer.5.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 36 }, .offset = 57200, .floats = 48 },
    { .name = "dense_layer.5.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 36 }, .offset = 57248, .floats = 48, .mean = 1.0f },
    { .name = "dense_layer.5.conv.0.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 48, 36, 1, 1 }, .offset = 47312,
      .floats = 1728, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.23570226f },
    { .name = "dense_layer.5.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 49040, .floats = 48, .trainable = 1,
      .mean = 1.0f },
    { .name = "dense_layer.5.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 49088, .floats = 48, .trainable = 1 },
    { .name = "dense_layer.5.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 57296, .floats = 48 },
    { .name = "dense_layer.5.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 48 }, .offset = 57344, .floats = 48, .mean = 1.0f },
    { .name = "dense_layer.5.conv.1.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 12, 48, 3, 3 }, .offset = 49136,
      .floats = 6912, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.068041382f },
};

static const struct rnet_port inputs[] = {
    { .name = "image", .integer = 0, .target = 0, .classes = 0,
      .rank = 3, .shape = { 32, 32, 3 }, .size = 3072 },
    { .name = "label", .integer = 1, .target = 1, .classes = 10,
      .rank = 0, .shape = { 0 }, .size = 1 },
};

static const struct rnet_port outputs[] = {
    { .name = "logits", .integer = 0, .target = 0, .classes = 0,
      .rank = 1, .shape = { 10 }, .size = 10 },
};

static size_t infer_bytes(size_t batch, int threads)
{
    (void)batch;
    return DENSENET_INFER_BYTES(batch, threads);
}

static size_t train_bytes(size_t batch, int threads)
{
    (void)batch;
    return DENSENET_TRAIN_BYTES(batch, threads);
}

const struct rnet_network densenet = {
    .version = RNET_VERSION,
    .name = "densenet",
    .trainable = 44410,
    .grad_floats = 56048,
    .param_floats = 57392,
    .tensors = tensors,
    .tensor_rows = 77,
    .inputs = inputs,
    .outputs = outputs,
    .input_count = 2,
    .output_count = 1,
    .infer_bytes = infer_bytes,
    .train_bytes = train_bytes,
    .infer = infer_by_table,
    .train = train_by_table,
};

enum rnet_status densenet_init(float *params, uint64_t seed)
{
    return rnet_init_params(&densenet, params, seed);
}
