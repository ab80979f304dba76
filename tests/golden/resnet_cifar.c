/* resnet_cifar: emitted by rnetc 0.1.0 from resnet_cifar.rnet; do not edit.
 *
 * 269722 parameters, 5 blocks.  Values lie where the plan put them: `saved` is
 * what the backward pass reads, `scratch` lives for one pass.  The layouts
 * and the kernels are described in rnet_kernels.h. */
#include "resnet_cifar.h"

#include <rnet_kernels.h>

static const struct rnet_conv conv_3x3_16_16_0 = {
    .height = 32, .width = 32, .in = 16,
    .out_height = 32, .out_width = 32, .out = 16,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_conv conv_3x3_16_32_1 = {
    .height = 32, .width = 32, .in = 16,
    .out_height = 16, .out_width = 16, .out = 32,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 2, .stride_x = 2, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_conv conv_3x3_32_32_2 = {
    .height = 16, .width = 16, .in = 32,
    .out_height = 16, .out_width = 16, .out = 32,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_pool_shape pool_3 = {
    .kind = RNET_POOL_AVERAGE, .height = 32, .width = 32,
    .channels = 16, .out_height = 16, .out_width = 16,
    .out_channels = 32, .kernel_height = 1, .kernel_width = 1,
    .stride_y = 2, .stride_x = 2, .pad_top = 0, .pad_left = 0,
    .count_pad = 0
};
static const struct rnet_conv conv_3x3_32_64_4 = {
    .height = 16, .width = 16, .in = 32,
    .out_height = 8, .out_width = 8, .out = 64,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 2, .stride_x = 2, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_conv conv_3x3_64_64_5 = {
    .height = 8, .width = 8, .in = 64,
    .out_height = 8, .out_width = 8, .out = 64,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_pool_shape pool_6 = {
    .kind = RNET_POOL_AVERAGE, .height = 16, .width = 16,
    .channels = 32, .out_height = 8, .out_width = 8,
    .out_channels = 64, .kernel_height = 1, .kernel_width = 1,
    .stride_y = 2, .stride_x = 2, .pad_top = 0, .pad_left = 0,
    .count_pad = 0
};
static const struct rnet_conv conv_3x3_3_16_7 = {
    .height = 32, .width = 32, .in = 3,
    .out_height = 32, .out_width = 32, .out = 16,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_pool_shape pool_8 = {
    .kind = RNET_POOL_AVERAGE, .height = 8, .width = 8,
    .channels = 64, .out_height = 1, .out_width = 1,
    .out_channels = 64, .kernel_height = 8, .kernel_width = 8,
    .stride_y = 8, .stride_x = 8, .pad_top = 0, .pad_left = 0,
    .count_pad = 1
};

/* ---- basic_16_1 (resnet_cifar.rnet:6) of [32, 32, 16] ----
 *
 *     block basic(channels, stride = 1) {
 *         shortcut projection(pad)
 *         norm batch after weights
 *         conv(channels, 3, stride) -> relu -> conv(channels, 3)
 *         then relu
 *     }
 */

enum {           /* where its parameters lie, in floats */
    BASIC_16_1_CONV_0_WEIGHT = 0,
    BASIC_16_1_BATCHNORM_0_WEIGHT = 2304,
    BASIC_16_1_BATCHNORM_0_BIAS = 2320,
    BASIC_16_1_BATCHNORM_0_RUNNING_MEAN = 0,
    BASIC_16_1_BATCHNORM_0_RUNNING_VAR = 16,
    BASIC_16_1_CONV_1_WEIGHT = 2336,
    BASIC_16_1_BATCHNORM_1_WEIGHT = 4640,
    BASIC_16_1_BATCHNORM_1_BIAS = 4656,
    BASIC_16_1_BATCHNORM_1_RUNNING_MEAN = 32,
    BASIC_16_1_BATCHNORM_1_RUNNING_VAR = 48,
};

static void basic_16_1_infer(const struct rnet_run *run, const float *params,
                             const float *state, float *scratch,
                             const float *x, float *y)
{
    float *scale = scratch + 32768 * run->batch;
    float *shift = scratch + 32768 * run->batch + 16;
    float *scale_2 = scratch + 32768 * run->batch + 32;
    float *shift_2 = scratch + 32768 * run->batch + 48;
    float *relu = scratch + 16384 * run->batch;
    rnet_batch_norm_infer(run, 16, params + BASIC_16_1_BATCHNORM_0_WEIGHT,
                          params + BASIC_16_1_BATCHNORM_0_BIAS, 1e-05f,
                          state + BASIC_16_1_BATCHNORM_0_RUNNING_MEAN,
                          state + BASIC_16_1_BATCHNORM_0_RUNNING_VAR, scale,
                          shift);
    rnet_batch_norm_infer(run, 16, params + BASIC_16_1_BATCHNORM_1_WEIGHT,
                          params + BASIC_16_1_BATCHNORM_1_BIAS, 1e-05f,
                          state + BASIC_16_1_BATCHNORM_1_RUNNING_MEAN,
                          state + BASIC_16_1_BATCHNORM_1_RUNNING_VAR, scale_2,
                          shift_2);
    /* relu = relu(scale (conv.0.weight * x) + shift) */
    rnet_conv(run, run->batch, &conv_3x3_16_16_0,
              RNET_STEPS(RNET_WITH(LOAD, x, 16)),
              params + BASIC_16_1_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                         RNET_WITH(STORE, relu, 16)));
    /* y = relu(scale_2 (conv.1.weight * relu) + shift_2 + x) */
    rnet_conv(run, run->batch, &conv_3x3_16_16_0,
              RNET_STEPS(RNET_WITH(LOAD, relu, 16)),
              params + BASIC_16_1_CONV_1_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2),
                         RNET_WITH(ADD, x, 16), RNET_DO(RELU),
                         RNET_WITH(STORE, y, 16)));
}

static void basic_16_1_forward(const struct rnet_run *run, const float *params,
                               float *state, float *saved, float *scratch,
                               const float *x, float *y)
{
    float *conv = saved;
    float *sums = scratch;
    float *scale = saved + 16384 * run->batch;
    float *shift = saved + 16384 * run->batch + 16;
    float *moments = saved + 16384 * run->batch + 32;
    float *conv_2 = saved + 16384 * run->batch + 64;
    float *sums_2 = scratch;
    float *scale_2 = scratch + 48 * run->batch;
    float *shift_2 = scratch + 48 * run->batch + 16;
    float *moments_2 = saved + 32768 * run->batch + 64;
    /* conv = conv.0.weight * x */
    rnet_conv(run, run->batch, &conv_3x3_16_16_0,
              RNET_STEPS(RNET_WITH(LOAD, x, 16)),
              params + BASIC_16_1_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 16),
                         RNET_SUM_TO(SUM_MOMENTS, sums)));
    rnet_batch_norm(run, 16, 1024 * run->batch, sums, 1024,
                    params + BASIC_16_1_BATCHNORM_0_WEIGHT,
                    params + BASIC_16_1_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + BASIC_16_1_BATCHNORM_0_RUNNING_MEAN,
                    state + BASIC_16_1_BATCHNORM_0_RUNNING_VAR, scale, shift,
                    moments);
    /* conv_2 = conv.1.weight * relu */
    rnet_conv(run, run->batch, &conv_3x3_16_16_0,
              RNET_STEPS(RNET_WITH(LOAD, conv, 16),
                         RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
              params + BASIC_16_1_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv_2, 16),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 16, 1024 * run->batch, sums_2, 1024,
                    params + BASIC_16_1_BATCHNORM_1_WEIGHT,
                    params + BASIC_16_1_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + BASIC_16_1_BATCHNORM_1_RUNNING_MEAN,
                    state + BASIC_16_1_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* y = relu(scale_2 (conv_2) + shift_2 + x) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
               16,
               RNET_STEPS(RNET_WITH(LOAD, conv_2, 16),
                          RNET_SCALE_SHIFT(scale_2, shift_2),
                          RNET_WITH(ADD, x, 16), RNET_DO(RELU),
                          RNET_WITH(STORE, y, 16)));
}

static void basic_16_1_backward(const struct rnet_run *run,
                                const float *params, float *grads,
                                float *saved, float *scratch, const float *x,
                                const float *y, const float *dy, float *dx)
{
    float *d_sum = scratch;
    float *conv = saved + 16384 * run->batch + 64;
    float *sums = scratch + 16384 * run->batch;
    float *moments = saved + 32768 * run->batch + 64;
    float *a = scratch + 32800 * run->batch;
    float *b = scratch + 32800 * run->batch + 16;
    float *c = scratch + 32800 * run->batch + 32;
    float *d_batchnorm = scratch + 16384 * run->batch;
    float *conv_2 = saved;
    float *shift = saved + 16384 * run->batch + 16;
    float *scale = saved + 16384 * run->batch;
    float *sums_2 = scratch + 32768 * run->batch;
    float *moments_2 = saved + 16384 * run->batch + 32;
    float *a_2 = scratch + 32800 * run->batch;
    float *b_2 = scratch + 32800 * run->batch + 16;
    float *c_2 = scratch + 32800 * run->batch + 32;
    /* d_sum = relu'(y) (dy) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
               16,
               RNET_STEPS(RNET_WITH(LOAD, dy, 16),
                          RNET_WITH(RELU_GRAD, y, 16),
                          RNET_WITH(STORE, d_sum, 16),
                          RNET_CENTRED_SUMS(conv, 16, moments, sums)));
    rnet_batch_norm_grad(run, 16, 1024 * run->batch, sums, 1024,
                         params + BASIC_16_1_BATCHNORM_1_WEIGHT, moments,
                         grads + BASIC_16_1_BATCHNORM_1_WEIGHT,
                         grads + BASIC_16_1_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm = relu'(input) (conv.1.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_3x3_16_16_0,
                   RNET_STEPS(RNET_WITH(LOAD, conv_2, 16),
                              RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, d_sum, 16),
                              RNET_COMBINE(conv, 16, a, b, c)),
                   params + BASIC_16_1_CONV_1_WEIGHT,
                   grads + BASIC_16_1_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm, 16),
                              RNET_CENTRED_SUMS(conv_2, 16, moments_2,
                                                sums_2)));
    rnet_batch_norm_grad(run, 16, 1024 * run->batch, sums_2, 1024,
                         params + BASIC_16_1_BATCHNORM_0_WEIGHT, moments_2,
                         grads + BASIC_16_1_BATCHNORM_0_WEIGHT,
                         grads + BASIC_16_1_BATCHNORM_0_BIAS, a_2, b_2, c_2);
    /* dx = conv.0.weight' * d_conv + d_sum */
    rnet_conv_grad(run, run->batch, &conv_3x3_16_16_0,
                   RNET_STEPS(RNET_WITH(LOAD, x, 16)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 16),
                              RNET_COMBINE(conv_2, 16, a_2, b_2, c_2)),
                   params + BASIC_16_1_CONV_0_WEIGHT,
                   grads + BASIC_16_1_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH(ADD, d_sum, 16),
                              RNET_WITH(STORE, dx, 16)));
}

/* ---- basic_32_2 (resnet_cifar.rnet:6) of [32, 32, 16], as basic_16_1 ---- */

enum {           /* where its parameters lie, in floats */
    BASIC_32_2_CONV_0_WEIGHT = 0,
    BASIC_32_2_BATCHNORM_0_WEIGHT = 4608,
    BASIC_32_2_BATCHNORM_0_BIAS = 4640,
    BASIC_32_2_BATCHNORM_0_RUNNING_MEAN = 0,
    BASIC_32_2_BATCHNORM_0_RUNNING_VAR = 32,
    BASIC_32_2_CONV_1_WEIGHT = 4672,
    BASIC_32_2_BATCHNORM_1_WEIGHT = 13888,
    BASIC_32_2_BATCHNORM_1_BIAS = 13920,
    BASIC_32_2_BATCHNORM_1_RUNNING_MEAN = 64,
    BASIC_32_2_BATCHNORM_1_RUNNING_VAR = 96,
};

static void basic_32_2_infer(const struct rnet_run *run, const float *params,
                             const float *state, float *scratch,
                             const float *x, float *y)
{
    float *scale = scratch + 24576 * run->batch;
    float *shift = scratch + 24576 * run->batch + 32;
    float *scale_2 = scratch + 24576 * run->batch + 64;
    float *shift_2 = scratch + 24576 * run->batch + 96;
    float *relu = scratch + 8192 * run->batch;
    float *batchnorm = scratch + 16384 * run->batch;
    rnet_batch_norm_infer(run, 32, params + BASIC_32_2_BATCHNORM_0_WEIGHT,
                          params + BASIC_32_2_BATCHNORM_0_BIAS, 1e-05f,
                          state + BASIC_32_2_BATCHNORM_0_RUNNING_MEAN,
                          state + BASIC_32_2_BATCHNORM_0_RUNNING_VAR, scale,
                          shift);
    rnet_batch_norm_infer(run, 32, params + BASIC_32_2_BATCHNORM_1_WEIGHT,
                          params + BASIC_32_2_BATCHNORM_1_BIAS, 1e-05f,
                          state + BASIC_32_2_BATCHNORM_1_RUNNING_MEAN,
                          state + BASIC_32_2_BATCHNORM_1_RUNNING_VAR, scale_2,
                          shift_2);
    /* relu = relu(scale (conv.0.weight * x) + shift) */
    rnet_conv(run, run->batch, &conv_3x3_16_32_1,
              RNET_STEPS(RNET_WITH(LOAD, x, 16)),
              params + BASIC_32_2_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                         RNET_WITH(STORE, relu, 32)));
    /* batchnorm = scale_2 (conv.1.weight * relu) + shift_2 */
    rnet_conv(run, run->batch, &conv_3x3_32_32_2,
              RNET_STEPS(RNET_WITH(LOAD, relu, 32)),
              params + BASIC_32_2_CONV_1_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2),
                         RNET_WITH(STORE, batchnorm, 32)));
    /* y = relu(pool(x) + batchnorm) */
    rnet_pool(run, run->batch, &pool_3, x, 16,
              RNET_STEPS(RNET_WITH(ADD, batchnorm, 32), RNET_DO(RELU),
                         RNET_WITH(STORE, y, 32)));
}

static void basic_32_2_forward(const struct rnet_run *run, const float *params,
                               float *state, float *saved, float *scratch,
                               const float *x, float *y)
{
    float *conv = saved;
    float *sums = scratch;
    float *scale = saved + 8192 * run->batch;
    float *shift = saved + 8192 * run->batch + 32;
    float *moments = saved + 8192 * run->batch + 64;
    float *conv_2 = saved + 8192 * run->batch + 128;
    float *sums_2 = scratch;
    float *scale_2 = scratch + 8192 * run->batch;
    float *shift_2 = scratch + 8192 * run->batch + 32;
    float *moments_2 = saved + 16384 * run->batch + 128;
    float *batchnorm = scratch;
    /* conv = conv.0.weight * x */
    rnet_conv(run, run->batch, &conv_3x3_16_32_1,
              RNET_STEPS(RNET_WITH(LOAD, x, 16)),
              params + BASIC_32_2_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 32),
                         RNET_SUM_TO(SUM_MOMENTS, sums)));
    rnet_batch_norm(run, 32, 256 * run->batch, sums, 256,
                    params + BASIC_32_2_BATCHNORM_0_WEIGHT,
                    params + BASIC_32_2_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + BASIC_32_2_BATCHNORM_0_RUNNING_MEAN,
                    state + BASIC_32_2_BATCHNORM_0_RUNNING_VAR, scale, shift,
                    moments);
    /* conv_2 = conv.1.weight * relu */
    rnet_conv(run, run->batch, &conv_3x3_32_32_2,
              RNET_STEPS(RNET_WITH(LOAD, conv, 32),
                         RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
              params + BASIC_32_2_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv_2, 32),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 32, 256 * run->batch, sums_2, 256,
                    params + BASIC_32_2_BATCHNORM_1_WEIGHT,
                    params + BASIC_32_2_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + BASIC_32_2_BATCHNORM_1_RUNNING_MEAN,
                    state + BASIC_32_2_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* batchnorm = scale_2 (conv_2) + shift_2 */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 256 * run->batch, 256 },
               32,
               RNET_STEPS(RNET_WITH(LOAD, conv_2, 32),
                          RNET_SCALE_SHIFT(scale_2, shift_2),
                          RNET_WITH(STORE, batchnorm, 32)));
    /* y = relu(pool(x) + batchnorm) */
    rnet_pool(run, run->batch, &pool_3, x, 16,
              RNET_STEPS(RNET_WITH(ADD, batchnorm, 32), RNET_DO(RELU),
                         RNET_WITH(STORE, y, 32)));
}

static void basic_32_2_backward(const struct rnet_run *run,
                                const float *params, float *grads,
                                float *saved, float *scratch, const float *x,
                                const float *y, const float *dy, float *dx)
{
    float *d_sum = scratch + 16384 * run->batch;
    float *conv = saved + 8192 * run->batch + 128;
    float *sums = scratch + 24576 * run->batch;
    float *moments = saved + 16384 * run->batch + 128;
    float *d_x = scratch;
    float *a = scratch + 32832 * run->batch;
    float *b = scratch + 32832 * run->batch + 32;
    float *c = scratch + 32832 * run->batch + 64;
    float *d_batchnorm = scratch + 24576 * run->batch;
    float *conv_2 = saved;
    float *shift = saved + 8192 * run->batch + 32;
    float *scale = saved + 8192 * run->batch;
    float *sums_2 = scratch + 32768 * run->batch;
    float *moments_2 = saved + 8192 * run->batch + 64;
    float *a_2 = scratch + 32832 * run->batch;
    float *b_2 = scratch + 32832 * run->batch + 32;
    float *c_2 = scratch + 32832 * run->batch + 64;
    /* d_sum = relu'(y) (dy) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 256 * run->batch, 256 },
               32,
               RNET_STEPS(RNET_WITH(LOAD, dy, 32),
                          RNET_WITH(RELU_GRAD, y, 32),
                          RNET_WITH(STORE, d_sum, 32),
                          RNET_CENTRED_SUMS(conv, 32, moments, sums)));
    /* d_x = pool_grad(d_sum) */
    rnet_pool_grad(run, run->batch, &pool_3, d_sum, 32, NULL, 0,
                   RNET_STEPS(RNET_WITH(STORE, d_x, 16)));
    rnet_batch_norm_grad(run, 32, 256 * run->batch, sums, 256,
                         params + BASIC_32_2_BATCHNORM_1_WEIGHT, moments,
                         grads + BASIC_32_2_BATCHNORM_1_WEIGHT,
                         grads + BASIC_32_2_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm = relu'(input) (conv.1.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_3x3_32_32_2,
                   RNET_STEPS(RNET_WITH(LOAD, conv_2, 32),
                              RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, d_sum, 32),
                              RNET_COMBINE(conv, 32, a, b, c)),
                   params + BASIC_32_2_CONV_1_WEIGHT,
                   grads + BASIC_32_2_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm, 32),
                              RNET_CENTRED_SUMS(conv_2, 32, moments_2,
                                                sums_2)));
    rnet_batch_norm_grad(run, 32, 256 * run->batch, sums_2, 256,
                         params + BASIC_32_2_BATCHNORM_0_WEIGHT, moments_2,
                         grads + BASIC_32_2_BATCHNORM_0_WEIGHT,
                         grads + BASIC_32_2_BATCHNORM_0_BIAS, a_2, b_2, c_2);
    /* dx = conv.0.weight' * d_conv + d_x */
    rnet_conv_grad(run, run->batch, &conv_3x3_16_32_1,
                   RNET_STEPS(RNET_WITH(LOAD, x, 16)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 32),
                              RNET_COMBINE(conv_2, 32, a_2, b_2, c_2)),
                   params + BASIC_32_2_CONV_0_WEIGHT,
                   grads + BASIC_32_2_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH(ADD, d_x, 16),
                              RNET_WITH(STORE, dx, 16)));
}

/* ---- basic_32_1 (resnet_cifar.rnet:6) of [16, 16, 32], as basic_16_1 ---- */

enum {           /* where its parameters lie, in floats */
    BASIC_32_1_CONV_0_WEIGHT = 0,
    BASIC_32_1_BATCHNORM_0_WEIGHT = 9216,
    BASIC_32_1_BATCHNORM_0_BIAS = 9248,
    BASIC_32_1_BATCHNORM_0_RUNNING_MEAN = 0,
    BASIC_32_1_BATCHNORM_0_RUNNING_VAR = 32,
    BASIC_32_1_CONV_1_WEIGHT = 9280,
    BASIC_32_1_BATCHNORM_1_WEIGHT = 18496,
    BASIC_32_1_BATCHNORM_1_BIAS = 18528,
    BASIC_32_1_BATCHNORM_1_RUNNING_MEAN = 64,
    BASIC_32_1_BATCHNORM_1_RUNNING_VAR = 96,
};

static void basic_32_1_infer(const struct rnet_run *run, const float *params,
                             const float *state, float *scratch,
                             const float *x, float *y)
{
    float *scale = scratch + 16384 * run->batch;
    float *shift = scratch + 16384 * run->batch + 32;
    float *scale_2 = scratch + 16384 * run->batch + 64;
    float *shift_2 = scratch + 16384 * run->batch + 96;
    float *relu = scratch + 8192 * run->batch;
    rnet_batch_norm_infer(run, 32, params + BASIC_32_1_BATCHNORM_0_WEIGHT,
                          params + BASIC_32_1_BATCHNORM_0_BIAS, 1e-05f,
                          state + BASIC_32_1_BATCHNORM_0_RUNNING_MEAN,
                          state + BASIC_32_1_BATCHNORM_0_RUNNING_VAR, scale,
                          shift);
    rnet_batch_norm_infer(run, 32, params + BASIC_32_1_BATCHNORM_1_WEIGHT,
                          params + BASIC_32_1_BATCHNORM_1_BIAS, 1e-05f,
                          state + BASIC_32_1_BATCHNORM_1_RUNNING_MEAN,
                          state + BASIC_32_1_BATCHNORM_1_RUNNING_VAR, scale_2,
                          shift_2);
    /* relu = relu(scale (conv.0.weight * x) + shift) */
    rnet_conv(run, run->batch, &conv_3x3_32_32_2,
              RNET_STEPS(RNET_WITH(LOAD, x, 32)),
              params + BASIC_32_1_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                         RNET_WITH(STORE, relu, 32)));
    /* y = relu(scale_2 (conv.1.weight * relu) + shift_2 + x) */
    rnet_conv(run, run->batch, &conv_3x3_32_32_2,
              RNET_STEPS(RNET_WITH(LOAD, relu, 32)),
              params + BASIC_32_1_CONV_1_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2),
                         RNET_WITH(ADD, x, 32), RNET_DO(RELU),
                         RNET_WITH(STORE, y, 32)));
}

static void basic_32_1_forward(const struct rnet_run *run, const float *params,
                               float *state, float *saved, float *scratch,
                               const float *x, float *y)
{
    float *conv = saved;
    float *sums = scratch;
    float *scale = saved + 8192 * run->batch;
    float *shift = saved + 8192 * run->batch + 32;
    float *moments = saved + 8192 * run->batch + 64;
    float *conv_2 = saved + 8192 * run->batch + 128;
    float *sums_2 = scratch;
    float *scale_2 = scratch + 96 * run->batch;
    float *shift_2 = scratch + 96 * run->batch + 32;
    float *moments_2 = saved + 16384 * run->batch + 128;
    /* conv = conv.0.weight * x */
    rnet_conv(run, run->batch, &conv_3x3_32_32_2,
              RNET_STEPS(RNET_WITH(LOAD, x, 32)),
              params + BASIC_32_1_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 32),
                         RNET_SUM_TO(SUM_MOMENTS, sums)));
    rnet_batch_norm(run, 32, 256 * run->batch, sums, 256,
                    params + BASIC_32_1_BATCHNORM_0_WEIGHT,
                    params + BASIC_32_1_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + BASIC_32_1_BATCHNORM_0_RUNNING_MEAN,
                    state + BASIC_32_1_BATCHNORM_0_RUNNING_VAR, scale, shift,
                    moments);
    /* conv_2 = conv.1.weight * relu */
    rnet_conv(run, run->batch, &conv_3x3_32_32_2,
              RNET_STEPS(RNET_WITH(LOAD, conv, 32),
                         RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
              params + BASIC_32_1_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv_2, 32),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 32, 256 * run->batch, sums_2, 256,
                    params + BASIC_32_1_BATCHNORM_1_WEIGHT,
                    params + BASIC_32_1_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + BASIC_32_1_BATCHNORM_1_RUNNING_MEAN,
                    state + BASIC_32_1_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* y = relu(scale_2 (conv_2) + shift_2 + x) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 256 * run->batch, 256 },
               32,
               RNET_STEPS(RNET_WITH(LOAD, conv_2, 32),
                          RNET_SCALE_SHIFT(scale_2, shift_2),
                          RNET_WITH(ADD, x, 32), RNET_DO(RELU),
                          RNET_WITH(STORE, y, 32)));
}

static void basic_32_1_backward(const struct rnet_run *run,
                                const float *params, float *grads,
                                float *saved, float *scratch, const float *x,
                                const float *y, const float *dy, float *dx)
{
    float *d_sum = scratch;
    float *conv = saved + 8192 * run->batch + 128;
    float *sums = scratch + 8192 * run->batch;
    float *moments = saved + 16384 * run->batch + 128;
    float *a = scratch + 16448 * run->batch;
    float *b = scratch + 16448 * run->batch + 32;
    float *c = scratch + 16448 * run->batch + 64;
    float *d_batchnorm = scratch + 8192 * run->batch;
    float *conv_2 = saved;
    float *shift = saved + 8192 * run->batch + 32;
    float *scale = saved + 8192 * run->batch;
    float *sums_2 = scratch + 16384 * run->batch;
    float *moments_2 = saved + 8192 * run->batch + 64;
    float *a_2 = scratch + 16448 * run->batch;
    float *b_2 = scratch + 16448 * run->batch + 32;
    float *c_2 = scratch + 16448 * run->batch + 64;
    /* d_sum = relu'(y) (dy) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 256 * run->batch, 256 },
               32,
               RNET_STEPS(RNET_WITH(LOAD, dy, 32),
                          RNET_WITH(RELU_GRAD, y, 32),
                          RNET_WITH(STORE, d_sum, 32),
                          RNET_CENTRED_SUMS(conv, 32, moments, sums)));
    rnet_batch_norm_grad(run, 32, 256 * run->batch, sums, 256,
                         params + BASIC_32_1_BATCHNORM_1_WEIGHT, moments,
                         grads + BASIC_32_1_BATCHNORM_1_WEIGHT,
                         grads + BASIC_32_1_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm = relu'(input) (conv.1.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_3x3_32_32_2,
                   RNET_STEPS(RNET_WITH(LOAD, conv_2, 32),
                              RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, d_sum, 32),
                              RNET_COMBINE(conv, 32, a, b, c)),
                   params + BASIC_32_1_CONV_1_WEIGHT,
                   grads + BASIC_32_1_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm, 32),
                              RNET_CENTRED_SUMS(conv_2, 32, moments_2,
                                                sums_2)));
    rnet_batch_norm_grad(run, 32, 256 * run->batch, sums_2, 256,
                         params + BASIC_32_1_BATCHNORM_0_WEIGHT, moments_2,
                         grads + BASIC_32_1_BATCHNORM_0_WEIGHT,
                         grads + BASIC_32_1_BATCHNORM_0_BIAS, a_2, b_2, c_2);
    /* dx = conv.0.weight' * d_conv + d_sum */
    rnet_conv_grad(run, run->batch, &conv_3x3_32_32_2,
                   RNET_STEPS(RNET_WITH(LOAD, x, 32)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 32),
                              RNET_COMBINE(conv_2, 32, a_2, b_2, c_2)),
                   params + BASIC_32_1_CONV_0_WEIGHT,
                   grads + BASIC_32_1_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH(ADD, d_sum, 32),
                              RNET_WITH(STORE, dx, 32)));
}

/* ---- basic_64_2 (resnet_cifar.rnet:6) of [16, 16, 32], as basic_16_1 ---- */

enum {           /* where its parameters lie, in floats */
    BASIC_64_2_CONV_0_WEIGHT = 0,
    BASIC_64_2_BATCHNORM_0_WEIGHT = 18432,
    BASIC_64_2_BATCHNORM_0_BIAS = 18496,
    BASIC_64_2_BATCHNORM_0_RUNNING_MEAN = 0,
    BASIC_64_2_BATCHNORM_0_RUNNING_VAR = 64,
    BASIC_64_2_CONV_1_WEIGHT = 18560,
    BASIC_64_2_BATCHNORM_1_WEIGHT = 55424,
    BASIC_64_2_BATCHNORM_1_BIAS = 55488,
    BASIC_64_2_BATCHNORM_1_RUNNING_MEAN = 128,
    BASIC_64_2_BATCHNORM_1_RUNNING_VAR = 192,
};

static void basic_64_2_infer(const struct rnet_run *run, const float *params,
                             const float *state, float *scratch,
                             const float *x, float *y)
{
    float *scale = scratch + 12288 * run->batch;
    float *shift = scratch + 12288 * run->batch + 64;
    float *scale_2 = scratch + 12288 * run->batch + 128;
    float *shift_2 = scratch + 12288 * run->batch + 192;
    float *relu = scratch + 4096 * run->batch;
    float *batchnorm = scratch + 8192 * run->batch;
    rnet_batch_norm_infer(run, 64, params + BASIC_64_2_BATCHNORM_0_WEIGHT,
                          params + BASIC_64_2_BATCHNORM_0_BIAS, 1e-05f,
                          state + BASIC_64_2_BATCHNORM_0_RUNNING_MEAN,
                          state + BASIC_64_2_BATCHNORM_0_RUNNING_VAR, scale,
                          shift);
    rnet_batch_norm_infer(run, 64, params + BASIC_64_2_BATCHNORM_1_WEIGHT,
                          params + BASIC_64_2_BATCHNORM_1_BIAS, 1e-05f,
                          state + BASIC_64_2_BATCHNORM_1_RUNNING_MEAN,
                          state + BASIC_64_2_BATCHNORM_1_RUNNING_VAR, scale_2,
                          shift_2);
    /* relu = relu(scale (conv.0.weight * x) + shift) */
    rnet_conv(run, run->batch, &conv_3x3_32_64_4,
              RNET_STEPS(RNET_WITH(LOAD, x, 32)),
              params + BASIC_64_2_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                         RNET_WITH(STORE, relu, 64)));
    /* batchnorm = scale_2 (conv.1.weight * relu) + shift_2 */
    rnet_conv(run, run->batch, &conv_3x3_64_64_5,
              RNET_STEPS(RNET_WITH(LOAD, relu, 64)),
              params + BASIC_64_2_CONV_1_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2),
                         RNET_WITH(STORE, batchnorm, 64)));
    /* y = relu(pool(x) + batchnorm) */
    rnet_pool(run, run->batch, &pool_6, x, 32,
              RNET_STEPS(RNET_WITH(ADD, batchnorm, 64), RNET_DO(RELU),
                         RNET_WITH(STORE, y, 64)));
}

static void basic_64_2_forward(const struct rnet_run *run, const float *params,
                               float *state, float *saved, float *scratch,
                               const float *x, float *y)
{
    float *conv = saved;
    float *sums = scratch;
    float *scale = saved + 4096 * run->batch;
    float *shift = saved + 4096 * run->batch + 64;
    float *moments = saved + 4096 * run->batch + 128;
    float *conv_2 = saved + 4096 * run->batch + 256;
    float *sums_2 = scratch;
    float *scale_2 = scratch + 4096 * run->batch;
    float *shift_2 = scratch + 4096 * run->batch + 64;
    float *moments_2 = saved + 8192 * run->batch + 256;
    float *batchnorm = scratch;
    /* conv = conv.0.weight * x */
    rnet_conv(run, run->batch, &conv_3x3_32_64_4,
              RNET_STEPS(RNET_WITH(LOAD, x, 32)),
              params + BASIC_64_2_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 64),
                         RNET_SUM_TO(SUM_MOMENTS, sums)));
    rnet_batch_norm(run, 64, 64 * run->batch, sums, 64,
                    params + BASIC_64_2_BATCHNORM_0_WEIGHT,
                    params + BASIC_64_2_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + BASIC_64_2_BATCHNORM_0_RUNNING_MEAN,
                    state + BASIC_64_2_BATCHNORM_0_RUNNING_VAR, scale, shift,
                    moments);
    /* conv_2 = conv.1.weight * relu */
    rnet_conv(run, run->batch, &conv_3x3_64_64_5,
              RNET_STEPS(RNET_WITH(LOAD, conv, 64),
                         RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
              params + BASIC_64_2_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv_2, 64),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 64, 64 * run->batch, sums_2, 64,
                    params + BASIC_64_2_BATCHNORM_1_WEIGHT,
                    params + BASIC_64_2_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + BASIC_64_2_BATCHNORM_1_RUNNING_MEAN,
                    state + BASIC_64_2_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* batchnorm = scale_2 (conv_2) + shift_2 */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 64,
               RNET_STEPS(RNET_WITH(LOAD, conv_2, 64),
                          RNET_SCALE_SHIFT(scale_2, shift_2),
                          RNET_WITH(STORE, batchnorm, 64)));
    /* y = relu(pool(x) + batchnorm) */
    rnet_pool(run, run->batch, &pool_6, x, 32,
              RNET_STEPS(RNET_WITH(ADD, batchnorm, 64), RNET_DO(RELU),
                         RNET_WITH(STORE, y, 64)));
}

static void basic_64_2_backward(const struct rnet_run *run,
                                const float *params, float *grads,
                                float *saved, float *scratch, const float *x,
                                const float *y, const float *dy, float *dx)
{
    float *d_sum = scratch + 8192 * run->batch;
    float *conv = saved + 4096 * run->batch + 256;
    float *sums = scratch + 12288 * run->batch;
    float *moments = saved + 8192 * run->batch + 256;
    float *d_x = scratch;
    float *a = scratch + 16512 * run->batch;
    float *b = scratch + 16512 * run->batch + 64;
    float *c = scratch + 16512 * run->batch + 128;
    float *d_batchnorm = scratch + 12288 * run->batch;
    float *conv_2 = saved;
    float *shift = saved + 4096 * run->batch + 64;
    float *scale = saved + 4096 * run->batch;
    float *sums_2 = scratch + 16384 * run->batch;
    float *moments_2 = saved + 4096 * run->batch + 128;
    float *a_2 = scratch + 16512 * run->batch;
    float *b_2 = scratch + 16512 * run->batch + 64;
    float *c_2 = scratch + 16512 * run->batch + 128;
    /* d_sum = relu'(y) (dy) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 64,
               RNET_STEPS(RNET_WITH(LOAD, dy, 64),
                          RNET_WITH(RELU_GRAD, y, 64),
                          RNET_WITH(STORE, d_sum, 64),
                          RNET_CENTRED_SUMS(conv, 64, moments, sums)));
    /* d_x = pool_grad(d_sum) */
    rnet_pool_grad(run, run->batch, &pool_6, d_sum, 64, NULL, 0,
                   RNET_STEPS(RNET_WITH(STORE, d_x, 32)));
    rnet_batch_norm_grad(run, 64, 64 * run->batch, sums, 64,
                         params + BASIC_64_2_BATCHNORM_1_WEIGHT, moments,
                         grads + BASIC_64_2_BATCHNORM_1_WEIGHT,
                         grads + BASIC_64_2_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm = relu'(input) (conv.1.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_3x3_64_64_5,
                   RNET_STEPS(RNET_WITH(LOAD, conv_2, 64),
                              RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, d_sum, 64),
                              RNET_COMBINE(conv, 64, a, b, c)),
                   params + BASIC_64_2_CONV_1_WEIGHT,
                   grads + BASIC_64_2_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm, 64),
                              RNET_CENTRED_SUMS(conv_2, 64, moments_2,
                                                sums_2)));
    rnet_batch_norm_grad(run, 64, 64 * run->batch, sums_2, 64,
                         params + BASIC_64_2_BATCHNORM_0_WEIGHT, moments_2,
                         grads + BASIC_64_2_BATCHNORM_0_WEIGHT,
                         grads + BASIC_64_2_BATCHNORM_0_BIAS, a_2, b_2, c_2);
    /* dx = conv.0.weight' * d_conv + d_x */
    rnet_conv_grad(run, run->batch, &conv_3x3_32_64_4,
                   RNET_STEPS(RNET_WITH(LOAD, x, 32)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 64),
                              RNET_COMBINE(conv_2, 64, a_2, b_2, c_2)),
                   params + BASIC_64_2_CONV_0_WEIGHT,
                   grads + BASIC_64_2_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH(ADD, d_x, 32),
                              RNET_WITH(STORE, dx, 32)));
}

/* ---- basic_64_1 (resnet_cifar.rnet:6) of [8, 8, 64], as basic_16_1 ---- */

enum {           /* where its parameters lie, in floats */
    BASIC_64_1_CONV_0_WEIGHT = 0,
    BASIC_64_1_BATCHNORM_0_WEIGHT = 36864,
    BASIC_64_1_BATCHNORM_0_BIAS = 36928,
    BASIC_64_1_BATCHNORM_0_RUNNING_MEAN = 0,
    BASIC_64_1_BATCHNORM_0_RUNNING_VAR = 64,
    BASIC_64_1_CONV_1_WEIGHT = 36992,
    BASIC_64_1_BATCHNORM_1_WEIGHT = 73856,
    BASIC_64_1_BATCHNORM_1_BIAS = 73920,
    BASIC_64_1_BATCHNORM_1_RUNNING_MEAN = 128,
    BASIC_64_1_BATCHNORM_1_RUNNING_VAR = 192,
};

static void basic_64_1_infer(const struct rnet_run *run, const float *params,
                             const float *state, float *scratch,
                             const float *x, float *y)
{
    float *scale = scratch + 8192 * run->batch;
    float *shift = scratch + 8192 * run->batch + 64;
    float *scale_2 = scratch + 8192 * run->batch + 128;
    float *shift_2 = scratch + 8192 * run->batch + 192;
    float *relu = scratch + 4096 * run->batch;
    rnet_batch_norm_infer(run, 64, params + BASIC_64_1_BATCHNORM_0_WEIGHT,
                          params + BASIC_64_1_BATCHNORM_0_BIAS, 1e-05f,
                          state + BASIC_64_1_BATCHNORM_0_RUNNING_MEAN,
                          state + BASIC_64_1_BATCHNORM_0_RUNNING_VAR, scale,
                          shift);
    rnet_batch_norm_infer(run, 64, params + BASIC_64_1_BATCHNORM_1_WEIGHT,
                          params + BASIC_64_1_BATCHNORM_1_BIAS, 1e-05f,
                          state + BASIC_64_1_BATCHNORM_1_RUNNING_MEAN,
                          state + BASIC_64_1_BATCHNORM_1_RUNNING_VAR, scale_2,
                          shift_2);
    /* relu = relu(scale (conv.0.weight * x) + shift) */
    rnet_conv(run, run->batch, &conv_3x3_64_64_5,
              RNET_STEPS(RNET_WITH(LOAD, x, 64)),
              params + BASIC_64_1_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                         RNET_WITH(STORE, relu, 64)));
    /* y = relu(scale_2 (conv.1.weight * relu) + shift_2 + x) */
    rnet_conv(run, run->batch, &conv_3x3_64_64_5,
              RNET_STEPS(RNET_WITH(LOAD, relu, 64)),
              params + BASIC_64_1_CONV_1_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2),
                         RNET_WITH(ADD, x, 64), RNET_DO(RELU),
                         RNET_WITH(STORE, y, 64)));
}

static void basic_64_1_forward(const struct rnet_run *run, const float *params,
                               float *state, float *saved, float *scratch,
                               const float *x, float *y)
{
    float *conv = saved;
    float *sums = scratch;
    float *scale = saved + 4096 * run->batch;
    float *shift = saved + 4096 * run->batch + 64;
    float *moments = saved + 4096 * run->batch + 128;
    float *conv_2 = saved + 4096 * run->batch + 256;
    float *sums_2 = scratch;
    float *scale_2 = scratch + 192 * run->batch;
    float *shift_2 = scratch + 192 * run->batch + 64;
    float *moments_2 = saved + 8192 * run->batch + 256;
    /* conv = conv.0.weight * x */
    rnet_conv(run, run->batch, &conv_3x3_64_64_5,
              RNET_STEPS(RNET_WITH(LOAD, x, 64)),
              params + BASIC_64_1_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 64),
                         RNET_SUM_TO(SUM_MOMENTS, sums)));
    rnet_batch_norm(run, 64, 64 * run->batch, sums, 64,
                    params + BASIC_64_1_BATCHNORM_0_WEIGHT,
                    params + BASIC_64_1_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + BASIC_64_1_BATCHNORM_0_RUNNING_MEAN,
                    state + BASIC_64_1_BATCHNORM_0_RUNNING_VAR, scale, shift,
                    moments);
    /* conv_2 = conv.1.weight * relu */
    rnet_conv(run, run->batch, &conv_3x3_64_64_5,
              RNET_STEPS(RNET_WITH(LOAD, conv, 64),
                         RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
              params + BASIC_64_1_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv_2, 64),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 64, 64 * run->batch, sums_2, 64,
                    params + BASIC_64_1_BATCHNORM_1_WEIGHT,
                    params + BASIC_64_1_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + BASIC_64_1_BATCHNORM_1_RUNNING_MEAN,
                    state + BASIC_64_1_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* y = relu(scale_2 (conv_2) + shift_2 + x) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 64,
               RNET_STEPS(RNET_WITH(LOAD, conv_2, 64),
                          RNET_SCALE_SHIFT(scale_2, shift_2),
                          RNET_WITH(ADD, x, 64), RNET_DO(RELU),
                          RNET_WITH(STORE, y, 64)));
}

static void basic_64_1_backward(const struct rnet_run *run,
                                const float *params, float *grads,
                                float *saved, float *scratch, const float *x,
                                const float *y, const float *dy, float *dx)
{
    float *d_sum = scratch;
    float *conv = saved + 4096 * run->batch + 256;
    float *sums = scratch + 4096 * run->batch;
    float *moments = saved + 8192 * run->batch + 256;
    float *a = scratch + 8320 * run->batch;
    float *b = scratch + 8320 * run->batch + 64;
    float *c = scratch + 8320 * run->batch + 128;
    float *d_batchnorm = scratch + 4096 * run->batch;
    float *conv_2 = saved;
    float *shift = saved + 4096 * run->batch + 64;
    float *scale = saved + 4096 * run->batch;
    float *sums_2 = scratch + 8192 * run->batch;
    float *moments_2 = saved + 4096 * run->batch + 128;
    float *a_2 = scratch + 8320 * run->batch;
    float *b_2 = scratch + 8320 * run->batch + 64;
    float *c_2 = scratch + 8320 * run->batch + 128;
    /* d_sum = relu'(y) (dy) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 64 * run->batch, 64 }, 64,
               RNET_STEPS(RNET_WITH(LOAD, dy, 64),
                          RNET_WITH(RELU_GRAD, y, 64),
                          RNET_WITH(STORE, d_sum, 64),
                          RNET_CENTRED_SUMS(conv, 64, moments, sums)));
    rnet_batch_norm_grad(run, 64, 64 * run->batch, sums, 64,
                         params + BASIC_64_1_BATCHNORM_1_WEIGHT, moments,
                         grads + BASIC_64_1_BATCHNORM_1_WEIGHT,
                         grads + BASIC_64_1_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm = relu'(input) (conv.1.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_3x3_64_64_5,
                   RNET_STEPS(RNET_WITH(LOAD, conv_2, 64),
                              RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU)),
                   RNET_STEPS(RNET_WITH(LOAD, d_sum, 64),
                              RNET_COMBINE(conv, 64, a, b, c)),
                   params + BASIC_64_1_CONV_1_WEIGHT,
                   grads + BASIC_64_1_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH_INPUT(RELU_GRAD, 0.0f),
                              RNET_WITH(STORE, d_batchnorm, 64),
                              RNET_CENTRED_SUMS(conv_2, 64, moments_2,
                                                sums_2)));
    rnet_batch_norm_grad(run, 64, 64 * run->batch, sums_2, 64,
                         params + BASIC_64_1_BATCHNORM_0_WEIGHT, moments_2,
                         grads + BASIC_64_1_BATCHNORM_0_WEIGHT,
                         grads + BASIC_64_1_BATCHNORM_0_BIAS, a_2, b_2, c_2);
    /* dx = conv.0.weight' * d_conv + d_sum */
    rnet_conv_grad(run, run->batch, &conv_3x3_64_64_5,
                   RNET_STEPS(RNET_WITH(LOAD, x, 64)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 64),
                              RNET_COMBINE(conv_2, 64, a_2, b_2, c_2)),
                   params + BASIC_64_1_CONV_0_WEIGHT,
                   grads + BASIC_64_1_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH(ADD, d_sum, 64),
                              RNET_WITH(STORE, dx, 64)));
}

/* ---- resnet_cifar (resnet_cifar.rnet:13) ----
 *
 *     network resnet_cifar(n = 3, width = 16, classes = 10, side = 32, colours = 3) {
 *         input image [side, side, colours]
 *         conv(width, 3) -> batchnorm -> relu
 *         repeat n      { basic(width) }
 *         repeat n as i { basic(2 * width, stride = i == 0 ? 2 : 1) }
 *         repeat n as i { basic(4 * width, stride = i == 0 ? 2 : 1) }
 *         avgpool(all) -> linear(classes)
 *         output logits
 *         loss cross_entropy(logits, label)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    RESNET_CIFAR_CONV_0_WEIGHT = 0,
    RESNET_CIFAR_BATCHNORM_0_WEIGHT = 432,
    RESNET_CIFAR_BATCHNORM_0_BIAS = 448,
    RESNET_CIFAR_BATCHNORM_0_RUNNING_MEAN = 0,
    RESNET_CIFAR_BATCHNORM_0_RUNNING_VAR = 16,
    RESNET_CIFAR_LINEAR_0_WEIGHT = 464,
    RESNET_CIFAR_LINEAR_0_BIAS = 1104,
};

static void resnet_cifar_infer_pass(const struct rnet_run *run,
                                    const float *params, const float *state,
                                    float *scratch, const float *image,
                                    const int32_t *label, float *logits)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *scale = scratch + 2368 * strips + 32768 * run->batch;
    float *shift = scratch + 2368 * strips + 32768 * run->batch + 16;
    float *relu = scratch + 2368 * strips + 16384 * run->batch;
    float *x_2 = scratch + 2368 * strips + 16384 * run->batch;
    float *basic = scratch + 2368 * strips;
    float *x_4 = scratch + 2368 * strips;
    float *basic_2 = scratch + 2368 * strips + 8192 * run->batch;
    float *x_6 = scratch + 2368 * strips + 8192 * run->batch;
    float *avgpool = scratch + 2368 * strips;
    float *avgpool_2 = scratch;
    float *linear = scratch + 2048 * strips;
    rnet_batch_norm_infer(run, 16, params + RESNET_CIFAR_BATCHNORM_0_WEIGHT,
                          params + RESNET_CIFAR_BATCHNORM_0_BIAS, 1e-05f,
                          state + RESNET_CIFAR_BATCHNORM_0_RUNNING_MEAN,
                          state + RESNET_CIFAR_BATCHNORM_0_RUNNING_VAR, scale,
                          shift);
    /* relu = relu(scale (conv.0.weight * image) + shift) */
    rnet_conv(run, run->batch, &conv_3x3_3_16_7,
              RNET_STEPS(RNET_WITH(LOAD, image, 3)),
              params + RESNET_CIFAR_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                         RNET_WITH(STORE, relu, 16)));
    for (long i = 0; i < 3; i++) {
        const float *p = params + 1120 + i * 4672;
        const float *s = state + 32 + i * 64;
        const float *x_3 = i == 0 ? relu : x_2;
        float *y_2 = x_2;
        basic_16_1_infer(run, p, s,
                         scratch + 2368 * strips + 32768 * run->batch + 32,
                         x_3, y_2);
    }
    basic_32_2_infer(run, params + 15136, state + 224,
                     scratch + 2368 * strips + 32768 * run->batch + 32, x_2,
                     basic);
    for (long i_2 = 0; i_2 < 2; i_2++) {
        const float *p_2 = params + 29088 + i_2 * 18560;
        const float *s_2 = state + 352 + i_2 * 128;
        const float *x_5 = i_2 == 0 ? basic : x_4;
        float *y_3 = x_4;
        basic_32_1_infer(run, p_2, s_2,
                         scratch + 2368 * strips + 32768 * run->batch + 32,
                         x_5, y_3);
    }
    basic_64_2_infer(run, params + 66208, state + 608,
                     scratch + 2368 * strips + 32768 * run->batch + 32, x_4,
                     basic_2);
    for (long i_3 = 0; i_3 < 2; i_3++) {
        const float *p_3 = params + 121760 + i_3 * 73984;
        const float *s_3 = state + 864 + i_3 * 256;
        const float *x_7 = i_3 == 0 ? basic_2 : x_6;
        float *y_4 = x_6;
        basic_64_1_infer(run, p_3, s_3,
                         scratch + 2368 * strips + 32768 * run->batch + 32,
                         x_7, y_4);
    }
    /* avgpool = pool(x_6) */
    rnet_pool(run, run->batch, &pool_8, x_6, 64,
              RNET_STEPS(RNET_WITH(STORE, avgpool, 64)));
    /* avgpool_2 = pack(avgpool) */
    rnet_pack_rows(run, run->batch, 64, avgpool, 64,
                   RNET_STEPS(RNET_WITH(STORE, avgpool_2, 64)));
    /* linear = linear.0.weight avgpool_2 + linear.0.bias */
    rnet_linear(run, run->batch, 64, 10, avgpool_2, 64,
                params + RESNET_CIFAR_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + RESNET_CIFAR_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 10)));
    /* logits = unpack(linear) */
    rnet_unpack_rows(run, run->batch, 10, linear, 10,
                     RNET_STEPS(RNET_WITH(STORE, logits, 10)));
}

static void resnet_cifar_forward_pass(const struct rnet_run *run,
                                      const float *params, float *state,
                                      float *saved, float *scratch,
                                      const float *image, const int32_t *label,
                                      float *logits)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *conv = saved;
    float *sums = scratch;
    float *scale = scratch + 64 * run->batch;
    float *shift = scratch + 64 * run->batch + 16;
    float *moments = saved + 16384 * run->batch;
    float *relu = saved + 16384 * run->batch + 32;
    float *x_2 = saved + 32768 * run->batch + 32;
    float *kept_2 = saved + 2368 * strips + 172032 * run->batch + 320;
    float *basic = saved + 49152 * run->batch + 32;
    float *x_4 = saved + 57344 * run->batch + 32;
    float *kept_4 = saved + 2368 * strips + 253952 * run->batch + 896;
    float *basic_2 = saved + 65536 * run->batch + 32;
    float *x_6 = saved + 69632 * run->batch + 32;
    float *kept_6 = saved + 2368 * strips + 286720 * run->batch + 2048;
    float *avgpool = scratch;
    float *avgpool_2 = saved + 73728 * run->batch + 32;
    float *linear = saved + 2048 * strips + 73728 * run->batch + 32;
    /* conv = conv.0.weight * image */
    rnet_conv(run, run->batch, &conv_3x3_3_16_7,
              RNET_STEPS(RNET_WITH(LOAD, image, 3)),
              params + RESNET_CIFAR_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 16),
                         RNET_SUM_TO(SUM_MOMENTS, sums)));
    rnet_batch_norm(run, 16, 1024 * run->batch, sums, 1024,
                    params + RESNET_CIFAR_BATCHNORM_0_WEIGHT,
                    params + RESNET_CIFAR_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + RESNET_CIFAR_BATCHNORM_0_RUNNING_MEAN,
                    state + RESNET_CIFAR_BATCHNORM_0_RUNNING_VAR, scale, shift,
                    moments);
    /* relu = relu(scale (conv) + shift) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
               16,
               RNET_STEPS(RNET_WITH(LOAD, conv, 16),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(RELU),
                          RNET_WITH(STORE, relu, 16)));
    for (long i = 0; i < 3; i++) {
        const float *p = params + 1120 + i * 4672;
        float *s = state + 32 + i * 64;
        float *kept = saved + 2368 * strips + 73728 * run->batch + 32 + i * (32768 * run->batch + 96);
        const float *x_3 = i ? kept_2 + (i - 1) * (16384 * run->batch) : relu;
        float *y_2 = i < 2 ? kept_2 + i * (16384 * run->batch) : x_2;
        basic_16_1_forward(run, p, s, kept, scratch + 64 * run->batch + 32,
                           x_3, y_2);
    }
    basic_32_2_forward(run, params + 15136, state + 224,
                       saved + 2368 * strips + 204800 * run->batch + 320,
                       scratch + 64 * run->batch + 32, x_2, basic);
    for (long i_2 = 0; i_2 < 2; i_2++) {
        const float *p_2 = params + 29088 + i_2 * 18560;
        float *s_2 = state + 352 + i_2 * 128;
        float *kept_3 = saved + 2368 * strips + 221184 * run->batch + 512 + i_2 * (16384 * run->batch + 192);
        const float *x_5 = i_2 ? kept_4 + (i_2 - 1) * (8192 * run->batch) : basic;
        float *y_3 = i_2 < 1 ? kept_4 + i_2 * (8192 * run->batch) : x_4;
        basic_32_1_forward(run, p_2, s_2, kept_3,
                           scratch + 64 * run->batch + 32, x_5, y_3);
    }
    basic_64_2_forward(run, params + 66208, state + 608,
                       saved + 2368 * strips + 262144 * run->batch + 896,
                       scratch + 64 * run->batch + 32, x_4, basic_2);
    for (long i_3 = 0; i_3 < 2; i_3++) {
        const float *p_3 = params + 121760 + i_3 * 73984;
        float *s_3 = state + 864 + i_3 * 256;
        float *kept_5 = saved + 2368 * strips + 270336 * run->batch + 1280 + i_3 * (8192 * run->batch + 384);
        const float *x_7 = i_3 ? kept_6 + (i_3 - 1) * (4096 * run->batch) : basic_2;
        float *y_4 = i_3 < 1 ? kept_6 + i_3 * (4096 * run->batch) : x_6;
        basic_64_1_forward(run, p_3, s_3, kept_5,
                           scratch + 64 * run->batch + 32, x_7, y_4);
    }
    /* avgpool = pool(x_6) */
    rnet_pool(run, run->batch, &pool_8, x_6, 64,
              RNET_STEPS(RNET_WITH(STORE, avgpool, 64)));
    /* avgpool_2 = pack(avgpool) */
    rnet_pack_rows(run, run->batch, 64, avgpool, 64,
                   RNET_STEPS(RNET_WITH(STORE, avgpool_2, 64)));
    /* linear = linear.0.weight avgpool_2 + linear.0.bias */
    rnet_linear(run, run->batch, 64, 10, avgpool_2, 64,
                params + RESNET_CIFAR_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + RESNET_CIFAR_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 10)));
    if (logits) {
        /* logits = unpack(linear) */
        rnet_unpack_rows(run, run->batch, 10, linear, 10,
                         RNET_STEPS(RNET_WITH(STORE, logits, 10)));
    }
}

static void resnet_cifar_backward_pass(const struct rnet_run *run,
                                       const float *params, float *grads,
                                       float *saved, float *scratch,
                                       const float *image,
                                       const int32_t *label, float *loss,
                                       float *image_grad)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *linear = saved + 2048 * strips + 73728 * run->batch + 32;
    float *d_linear = scratch + 2048 * strips;
    float *lines = scratch;
    float *avgpool = saved + 73728 * run->batch + 32;
    float *d_avgpool = scratch;
    float *d_avgpool_2 = scratch + 2368 * strips + 4096 * run->batch;
    float *d_x = scratch + 2368 * strips;
    float *kept_2 = saved + 2368 * strips + 286720 * run->batch + 2048;
    float *basic = saved + 65536 * run->batch + 32;
    float *x_3 = saved + 69632 * run->batch + 32;
    float *d_basic = scratch + 2368 * strips;
    float *x_4 = saved + 57344 * run->batch + 32;
    float *d_x_2 = scratch + 2368 * strips + 16384 * run->batch;
    float *kept_4 = saved + 2368 * strips + 253952 * run->batch + 896;
    float *basic_2 = saved + 49152 * run->batch + 32;
    float *d_basic_2 = scratch + 2368 * strips + 16384 * run->batch;
    float *x_6 = saved + 32768 * run->batch + 32;
    float *d_x_3 = scratch + 2368 * strips;
    float *kept_6 = saved + 2368 * strips + 172032 * run->batch + 320;
    float *relu = saved + 16384 * run->batch + 32;
    float *d_relu = scratch + 2368 * strips;
    float *d_batchnorm = scratch + 2368 * strips;
    float *conv = saved;
    float *sums = scratch + 2368 * strips + 16384 * run->batch;
    float *moments = saved + 16384 * run->batch;
    float *a = scratch + 2368 * strips + 24576 * run->batch;
    float *b = scratch + 2368 * strips + 24576 * run->batch + 16;
    float *c = scratch + 2368 * strips + 24576 * run->batch + 32;
    float *d_image = scratch + 2368 * strips + 16384 * run->batch;
    /* d_linear = dloss / dlinear */
    rnet_cross_entropy(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 },
                       10, 1.0f, linear, 10, label, lines, loss,
                       RNET_STEPS(RNET_WITH(STORE, d_linear, 10)));
    rnet_linear_grad_weight(run, run->batch, 64, 10,
                            grads + RESNET_CIFAR_LINEAR_0_WEIGHT,
                            grads + RESNET_CIFAR_LINEAR_0_BIAS, d_linear, 10,
                            avgpool, 64);
    /* d_avgpool = linear.0.weight' d_linear */
    rnet_linear_grad_input(run, run->batch, 64, 10, d_linear, 10,
                           params + RESNET_CIFAR_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_avgpool, 64)));
    /* d_avgpool_2 = unpack(d_avgpool) */
    rnet_unpack_rows(run, run->batch, 64, d_avgpool, 64,
                     RNET_STEPS(RNET_WITH(STORE, d_avgpool_2, 64)));
    /* d_x = pool_grad(d_avgpool_2) */
    rnet_pool_grad(run, run->batch, &pool_8, d_avgpool_2, 64, NULL, 0,
                   RNET_STEPS(RNET_WITH(STORE, d_x, 64)));
    for (long i = 1; i >= 0; i--) {
        const float *p = params + 121760 + i * 73984;
        float *g = grads + 121760 + i * 73984;
        float *kept = saved + 2368 * strips + 270336 * run->batch + 1280 + i * (8192 * run->batch + 384);
        const float *x_2 = i ? kept_2 + (i - 1) * (4096 * run->batch) : basic;
        const float *y_2 = i < 1 ? kept_2 + i * (4096 * run->batch) : x_3;
        const float *dy_2 = i == 1 ? d_x : d_basic;
        float *dx_2 = d_basic;
        basic_64_1_backward(run, p, g, kept,
                            scratch + 2368 * strips + 24576 * run->batch + 48,
                            x_2, y_2, dy_2, dx_2);
    }
    basic_64_2_backward(run, params + 66208, grads + 66208,
                        saved + 2368 * strips + 262144 * run->batch + 896,
                        scratch + 2368 * strips + 24576 * run->batch + 48, x_4,
                        basic, d_basic, d_x_2);
    for (long i_2 = 1; i_2 >= 0; i_2--) {
        const float *p_2 = params + 29088 + i_2 * 18560;
        float *g_2 = grads + 29088 + i_2 * 18560;
        float *kept_3 = saved + 2368 * strips + 221184 * run->batch + 512 + i_2 * (16384 * run->batch + 192);
        const float *x_5 = i_2 ? kept_4 + (i_2 - 1) * (8192 * run->batch) : basic_2;
        const float *y_3 = i_2 < 1 ? kept_4 + i_2 * (8192 * run->batch) : x_4;
        const float *dy_3 = i_2 == 1 ? d_x_2 : d_basic_2;
        float *dx_3 = d_basic_2;
        basic_32_1_backward(run, p_2, g_2, kept_3,
                            scratch + 2368 * strips + 24576 * run->batch + 48,
                            x_5, y_3, dy_3, dx_3);
    }
    basic_32_2_backward(run, params + 15136, grads + 15136,
                        saved + 2368 * strips + 204800 * run->batch + 320,
                        scratch + 2368 * strips + 24576 * run->batch + 48, x_6,
                        basic_2, d_basic_2, d_x_3);
    for (long i_3 = 2; i_3 >= 0; i_3--) {
        const float *p_3 = params + 1120 + i_3 * 4672;
        float *g_3 = grads + 1120 + i_3 * 4672;
        float *kept_5 = saved + 2368 * strips + 73728 * run->batch + 32 + i_3 * (32768 * run->batch + 96);
        const float *x_7 = i_3 ? kept_6 + (i_3 - 1) * (16384 * run->batch) : relu;
        const float *y_4 = i_3 < 2 ? kept_6 + i_3 * (16384 * run->batch) : x_6;
        const float *dy_4 = i_3 == 2 ? d_x_3 : d_relu;
        float *dx_4 = d_relu;
        basic_16_1_backward(run, p_3, g_3, kept_5,
                            scratch + 2368 * strips + 24576 * run->batch + 48,
                            x_7, y_4, dy_4, dx_4);
    }
    /* d_batchnorm = relu'(relu) (d_relu) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 1024 * run->batch, 1024 },
               16,
               RNET_STEPS(RNET_WITH(LOAD, d_relu, 16),
                          RNET_WITH(RELU_GRAD, relu, 16),
                          RNET_WITH(STORE, d_batchnorm, 16),
                          RNET_CENTRED_SUMS(conv, 16, moments, sums)));
    rnet_batch_norm_grad(run, 16, 1024 * run->batch, sums, 1024,
                         params + RESNET_CIFAR_BATCHNORM_0_WEIGHT, moments,
                         grads + RESNET_CIFAR_BATCHNORM_0_WEIGHT,
                         grads + RESNET_CIFAR_BATCHNORM_0_BIAS, a, b, c);
    rnet_conv_grad(run, run->batch, &conv_3x3_3_16_7,
                   RNET_STEPS(RNET_WITH(LOAD, image, 3)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 16),
                              RNET_COMBINE(conv, 16, a, b, c)),
                   params + RESNET_CIFAR_CONV_0_WEIGHT,
                   grads + RESNET_CIFAR_CONV_0_WEIGHT, NULL, RNET_NO_STEPS);
    if (image_grad) {
        /* d_image = conv.0.weight' * d_conv */
        rnet_conv_grad(run, run->batch, &conv_3x3_3_16_7,
                       RNET_STEPS(RNET_WITH(LOAD, image, 3)),
                       RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 16),
                                  RNET_COMBINE(conv, 16, a, b, c)),
                       params + RESNET_CIFAR_CONV_0_WEIGHT, NULL, NULL,
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
_Static_assert(RNET_CONV_WORKER_FLOATS(32, 32, 16,
    32, 32, 16, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 63552, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(16, 16, 3, 3, 1)
    <= 295488, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(32, 32, 16,
    16, 16, 32, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 63552, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(16, 16, 32,
    16, 16, 32, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 63552, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(32, 32, 3, 3, 1)
    <= 295488, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(16, 32, 3, 3, 1)
    <= 295488, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(16, 16, 32,
    8, 8, 64, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 63552, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(8, 8, 64,
    8, 8, 64, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 63552, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(64, 64, 3, 3, 1)
    <= 295488, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(32, 64, 3, 3, 1)
    <= 295488, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(32, 32, 3,
    32, 32, 16, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 63552, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(3, 16, 3, 3, 1)
    <= 295488, "librnet needs more scratch than rnetc knows");

enum rnet_status resnet_cifar_infer(const float *params, const float *image,
                                    float *logits, size_t batch,
                                    struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, RESNET_CIFAR_INFER_BYTES(batch,
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
    run->worker_floats = 112704;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    resnet_cifar_infer_pass(run, params, params + RESNET_CIFAR_GRAD_FLOATS,
                            memory, image, NULL, logits);
    rnet_end(run);
    return RNET_OK;
}

static enum rnet_status infer_by_table(const float *params,
    const void *const *inputs, float *const *outputs,
    size_t batch, struct rnet_work *work)
{
    if (!inputs || !outputs)
        return RNET_NULL;
    return resnet_cifar_infer(params, (const float *)inputs[0], outputs[0],
                              batch, work);
}

enum rnet_status resnet_cifar_train(float *params, const float *image,
                                    const int32_t *label, float *logits,
                                    float *loss, float *grads,
                                    float *image_grad, size_t batch,
                                    struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, RESNET_CIFAR_TRAIN_BYTES(batch,
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
    run->scratch_floats = 295488;
    run->workers = memory + 295488;
    run->worker_floats = 112704;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    const long strips = RNET_STRIP_COUNT(1 * run->batch);
    resnet_cifar_forward_pass(run, params, params + RESNET_CIFAR_GRAD_FLOATS,
                              memory,
                              memory + 2368 * strips + 290816 * run->batch + 2048,
                              image, label, logits);
    *loss = 0;
    resnet_cifar_backward_pass(run, params, grads, memory,
                               memory + 2368 * strips + 290816 * run->batch + 2048,
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
    return resnet_cifar_train(params, (const float *)inputs[0],
                              (const int32_t *)inputs[1],
                              outputs ? outputs[0] : NULL, loss, grads,
                              input_grads ? input_grads[0] : NULL, batch, work);
}

/* ---- the table ---- */

static const struct rnet_tensor tensors[] = {
    { .name = "conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1, .rank = 4,
      .shape = { 16, 3, 3, 3 }, .floats = 432, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.27216553f },
    { .name = "batchnorm.0.weight", .groups = 1, .rank = 1, .shape = { 16 },
      .offset = 432, .floats = 16, .trainable = 1, .mean = 1.0f },
    { .name = "batchnorm.0.bias", .groups = 1, .rank = 1, .shape = { 16 },
      .offset = 448, .floats = 16, .trainable = 1 },
    { .name = "batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 16 }, .offset = 269728, .floats = 16 },
    { .name = "batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 16 }, .offset = 269744, .floats = 16, .mean = 1.0f },
    { .name = "linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 10, 64 }, .offset = 464, .floats = 640,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.176776695f },
    { .name = "linear.0.bias", .groups = 1, .rank = 1, .shape = { 10 },
      .offset = 1104, .floats = 16, .trainable = 1 },
    { .name = "basic.#.conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 16, 16, 3, 3 }, .offset = 1120, .floats = 2304,
      .repeats = 1, .repeat = { { 3, 4672 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.11785113f },
    { .name = "basic.#.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 16 }, .offset = 3424, .floats = 16,
      .repeats = 1, .repeat = { { 3, 4672 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .mean = 1.0f },
    { .name = "basic.#.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 16 }, .offset = 3440, .floats = 16,
      .repeats = 1, .repeat = { { 3, 4672 } }, .index = { { 0, { 1 } } },
      .trainable = 1 },
    { .name = "basic.#.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 16 }, .offset = 269760, .floats = 16,
      .repeats = 1, .repeat = { { 3, 64 } }, .index = { { 0, { 1 } } } },
    { .name = "basic.#.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 16 }, .offset = 269776, .floats = 16,
      .repeats = 1, .repeat = { { 3, 64 } }, .index = { { 0, { 1 } } },
      .mean = 1.0f },
    { .name = "basic.#.conv.1.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 16, 16, 3, 3 }, .offset = 3456, .floats = 2304,
      .repeats = 1, .repeat = { { 3, 4672 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.11785113f },
    { .name = "basic.#.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 16 }, .offset = 5760, .floats = 16,
      .repeats = 1, .repeat = { { 3, 4672 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .mean = 1.0f },
    { .name = "basic.#.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 16 }, .offset = 5776, .floats = 16,
      .repeats = 1, .repeat = { { 3, 4672 } }, .index = { { 0, { 1 } } },
      .trainable = 1 },
    { .name = "basic.#.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 16 }, .offset = 269792, .floats = 16,
      .repeats = 1, .repeat = { { 3, 64 } }, .index = { { 0, { 1 } } } },
    { .name = "basic.#.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 16 }, .offset = 269808, .floats = 16,
      .repeats = 1, .repeat = { { 3, 64 } }, .index = { { 0, { 1 } } },
      .mean = 1.0f },
    { .name = "basic.3.conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 32, 16, 3, 3 }, .offset = 15136, .floats = 4608,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.11785113f },
    { .name = "basic.3.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 19744, .floats = 32, .trainable = 1,
      .mean = 1.0f },
    { .name = "basic.3.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 19776, .floats = 32, .trainable = 1 },
    { .name = "basic.3.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 269952, .floats = 32 },
    { .name = "basic.3.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 269984, .floats = 32, .mean = 1.0f },
    { .name = "basic.3.conv.1.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 32, 32, 3, 3 }, .offset = 19808, .floats = 9216,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.083333333f },
    { .name = "basic.3.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 29024, .floats = 32, .trainable = 1,
      .mean = 1.0f },
    { .name = "basic.3.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 29056, .floats = 32, .trainable = 1 },
    { .name = "basic.3.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 270016, .floats = 32 },
    { .name = "basic.3.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 270048, .floats = 32, .mean = 1.0f },
    { .name = "basic.#.conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 32, 32, 3, 3 }, .offset = 29088, .floats = 9216,
      .repeats = 1, .repeat = { { 2, 18560 } }, .index = { { 4, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.083333333f },
    { .name = "basic.#.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 38304, .floats = 32,
      .repeats = 1, .repeat = { { 2, 18560 } }, .index = { { 4, { 1 } } },
      .trainable = 1, .mean = 1.0f },
    { .name = "basic.#.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 38336, .floats = 32,
      .repeats = 1, .repeat = { { 2, 18560 } }, .index = { { 4, { 1 } } },
      .trainable = 1 },
    { .name = "basic.#.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 270080, .floats = 32,
      .repeats = 1, .repeat = { { 2, 128 } }, .index = { { 4, { 1 } } } },
    { .name = "basic.#.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 270112, .floats = 32,
      .repeats = 1, .repeat = { { 2, 128 } }, .index = { { 4, { 1 } } },
      .mean = 1.0f },
    { .name = "basic.#.conv.1.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 32, 32, 3, 3 }, .offset = 38368, .floats = 9216,
      .repeats = 1, .repeat = { { 2, 18560 } }, .index = { { 4, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.083333333f },
    { .name = "basic.#.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 47584, .floats = 32,
      .repeats = 1, .repeat = { { 2, 18560 } }, .index = { { 4, { 1 } } },
      .trainable = 1, .mean = 1.0f },
    { .name = "basic.#.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 47616, .floats = 32,
      .repeats = 1, .repeat = { { 2, 18560 } }, .index = { { 4, { 1 } } },
      .trainable = 1 },
    { .name = "basic.#.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 270144, .floats = 32,
      .repeats = 1, .repeat = { { 2, 128 } }, .index = { { 4, { 1 } } } },
    { .name = "basic.#.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 32 }, .offset = 270176, .floats = 32,
      .repeats = 1, .repeat = { { 2, 128 } }, .index = { { 4, { 1 } } },
      .mean = 1.0f },
    { .name = "basic.6.conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 64, 32, 3, 3 }, .offset = 66208, .floats = 18432,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.083333333f },
    { .name = "basic.6.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 84640, .floats = 64, .trainable = 1,
      .mean = 1.0f },
    { .name = "basic.6.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 84704, .floats = 64, .trainable = 1 },
    { .name = "basic.6.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 270336, .floats = 64 },
    { .name = "basic.6.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 270400, .floats = 64, .mean = 1.0f },
    { .name = "basic.6.conv.1.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 64, 64, 3, 3 }, .offset = 84768, .floats = 36864,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.058925565f },
    { .name = "basic.6.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 121632, .floats = 64, .trainable = 1,
      .mean = 1.0f },
    { .name = "basic.6.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 121696, .floats = 64, .trainable = 1 },
    { .name = "basic.6.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 270464, .floats = 64 },
    { .name = "basic.6.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 270528, .floats = 64, .mean = 1.0f },
    { .name = "basic.#.conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 64, 64, 3, 3 }, .offset = 121760, .floats = 36864,
      .repeats = 1, .repeat = { { 2, 73984 } }, .index = { { 7, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.058925565f },
    { .name = "basic.#.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 158624, .floats = 64,
      .repeats = 1, .repeat = { { 2, 73984 } }, .index = { { 7, { 1 } } },
      .trainable = 1, .mean = 1.0f },
    { .name = "basic.#.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 158688, .floats = 64,
      .repeats = 1, .repeat = { { 2, 73984 } }, .index = { { 7, { 1 } } },
      .trainable = 1 },
    { .name = "basic.#.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 270592, .floats = 64,
      .repeats = 1, .repeat = { { 2, 256 } }, .index = { { 7, { 1 } } } },
    { .name = "basic.#.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 270656, .floats = 64,
      .repeats = 1, .repeat = { { 2, 256 } }, .index = { { 7, { 1 } } },
      .mean = 1.0f },
    { .name = "basic.#.conv.1.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 64, 64, 3, 3 }, .offset = 158752, .floats = 36864,
      .repeats = 1, .repeat = { { 2, 73984 } }, .index = { { 7, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.058925565f },
    { .name = "basic.#.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 195616, .floats = 64,
      .repeats = 1, .repeat = { { 2, 73984 } }, .index = { { 7, { 1 } } },
      .trainable = 1, .mean = 1.0f },
    { .name = "basic.#.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 195680, .floats = 64,
      .repeats = 1, .repeat = { { 2, 73984 } }, .index = { { 7, { 1 } } },
      .trainable = 1 },
    { .name = "basic.#.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 270720, .floats = 64,
      .repeats = 1, .repeat = { { 2, 256 } }, .index = { { 7, { 1 } } } },
    { .name = "basic.#.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 64 }, .offset = 270784, .floats = 64,
      .repeats = 1, .repeat = { { 2, 256 } }, .index = { { 7, { 1 } } },
      .mean = 1.0f },
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
    return RESNET_CIFAR_INFER_BYTES(batch, threads);
}

static size_t train_bytes(size_t batch, int threads)
{
    (void)batch;
    return RESNET_CIFAR_TRAIN_BYTES(batch, threads);
}

const struct rnet_network resnet_cifar = {
    .version = RNET_VERSION,
    .name = "resnet_cifar",
    .trainable = 269722,
    .grad_floats = 269728,
    .param_floats = 271104,
    .tensors = tensors,
    .tensor_rows = 57,
    .inputs = inputs,
    .outputs = outputs,
    .input_count = 2,
    .output_count = 1,
    .infer_bytes = infer_bytes,
    .train_bytes = train_bytes,
    .infer = infer_by_table,
    .train = train_by_table,
};

enum rnet_status resnet_cifar_init(float *params, uint64_t seed)
{
    return rnet_init_params(&resnet_cifar, params, seed);
}
