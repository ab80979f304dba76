/* preact: emitted by rnetc 0.1.0 from preact.rnet; do not edit.
 *
 * 2876 parameters, 3 blocks.  Values lie where the plan put them: `saved` is
 * what the backward pass reads, `scratch` lives for one pass.  The layouts
 * and the kernels are described in rnet_kernels.h. */
#include "preact.h"

#include <rnet_kernels.h>

static const struct rnet_conv conv_3x3_4_4_0 = {
    .height = 8, .width = 6, .in = 4,
    .out_height = 8, .out_width = 6, .out = 4,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_conv conv_3x3_4_8_1 = {
    .height = 8, .width = 6, .in = 4,
    .out_height = 4, .out_width = 3, .out = 8,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 2, .stride_x = 2, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_conv conv_3x3_8_8_2 = {
    .height = 4, .width = 3, .in = 8,
    .out_height = 4, .out_width = 3, .out = 8,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_conv conv_1x1_4_8_3 = {
    .height = 8, .width = 6, .in = 4,
    .out_height = 4, .out_width = 3, .out = 8,
    .kernel_height = 1, .kernel_width = 1,
    .stride_y = 2, .stride_x = 2, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0,
    .groups = 1
};
static const struct rnet_conv conv_3x3_3_4_4 = {
    .height = 8, .width = 6, .in = 3,
    .out_height = 8, .out_width = 6, .out = 4,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_pool_shape pool_5 = {
    .kind = RNET_POOL_AVERAGE, .height = 4, .width = 3,
    .channels = 8, .out_height = 1, .out_width = 1,
    .out_channels = 8, .kernel_height = 4, .kernel_width = 3,
    .stride_y = 4, .stride_x = 3, .pad_top = 0, .pad_left = 0,
    .count_pad = 1
};

/* ---- preact_4_1 (preact.rnet:3) of [8, 6, 4] ----
 *
 *     block preact(channels, stride = 1) {
 *         shortcut projection
 *         norm batch -> silu before weights
 *         conv(channels, 3, stride, bias = no) -> conv(channels, 3, bias = no)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    PREACT_4_1_BATCHNORM_0_WEIGHT = 0,
    PREACT_4_1_BATCHNORM_0_BIAS = 16,
    PREACT_4_1_BATCHNORM_0_RUNNING_MEAN = 0,
    PREACT_4_1_BATCHNORM_0_RUNNING_VAR = 16,
    PREACT_4_1_CONV_0_WEIGHT = 32,
    PREACT_4_1_BATCHNORM_1_WEIGHT = 608,
    PREACT_4_1_BATCHNORM_1_BIAS = 624,
    PREACT_4_1_BATCHNORM_1_RUNNING_MEAN = 32,
    PREACT_4_1_BATCHNORM_1_RUNNING_VAR = 48,
    PREACT_4_1_CONV_1_WEIGHT = 640,
};

static void preact_4_1_infer(const struct rnet_run *run, const float *params,
                             const float *state, float *scratch,
                             const float *x, float *y)
{
    float *scale = scratch + 576 * run->batch;
    float *shift = scratch + 576 * run->batch + 16;
    float *scale_2 = scratch + 576 * run->batch + 32;
    float *shift_2 = scratch + 576 * run->batch + 48;
    float *silu = scratch;
    float *silu_2 = scratch + 384 * run->batch;
    rnet_batch_norm_infer(run, 4, params + PREACT_4_1_BATCHNORM_0_WEIGHT,
                          params + PREACT_4_1_BATCHNORM_0_BIAS, 1e-05f,
                          state + PREACT_4_1_BATCHNORM_0_RUNNING_MEAN,
                          state + PREACT_4_1_BATCHNORM_0_RUNNING_VAR, scale,
                          shift);
    rnet_batch_norm_infer(run, 4, params + PREACT_4_1_BATCHNORM_1_WEIGHT,
                          params + PREACT_4_1_BATCHNORM_1_BIAS, 1e-05f,
                          state + PREACT_4_1_BATCHNORM_1_RUNNING_MEAN,
                          state + PREACT_4_1_BATCHNORM_1_RUNNING_VAR, scale_2,
                          shift_2);
    /* silu = silu(scale (x) + shift) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 48 * run->batch, 48 }, 4,
               RNET_STEPS(RNET_WITH(LOAD, x, 4),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(SILU),
                          RNET_WITH(STORE, silu, 4)));
    /* silu_2 = silu(scale_2 (conv.0.weight * silu) + shift_2) */
    rnet_conv(run, run->batch, &conv_3x3_4_4_0,
              RNET_STEPS(RNET_WITH(LOAD, silu, 4)),
              params + PREACT_4_1_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(SILU),
                         RNET_WITH(STORE, silu_2, 4)));
    /* y = conv.1.weight * silu_2 + x */
    rnet_conv(run, run->batch, &conv_3x3_4_4_0,
              RNET_STEPS(RNET_WITH(LOAD, silu_2, 4)),
              params + PREACT_4_1_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(ADD, x, 4), RNET_WITH(STORE, y, 4)));
}

static void preact_4_1_forward(const struct rnet_run *run, const float *params,
                               float *state, float *saved, float *scratch,
                               const float *x, float *y)
{
    float *sums = scratch;
    float *scale = scratch + 16 * run->batch;
    float *shift = scratch + 16 * run->batch + 16;
    float *moments = saved;
    float *batchnorm = saved + 16;
    float *silu = saved + 192 * run->batch + 16;
    float *conv = saved + 384 * run->batch + 16;
    float *sums_2 = scratch;
    float *scale_2 = scratch + 16 * run->batch;
    float *shift_2 = scratch + 16 * run->batch + 16;
    float *moments_2 = saved + 576 * run->batch + 16;
    float *batchnorm_2 = saved + 576 * run->batch + 32;
    float *silu_2 = saved + 768 * run->batch + 32;
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 48 * run->batch, 48 }, 4,
               RNET_STEPS(RNET_WITH(LOAD, x, 4),
                          RNET_SUM_TO(SUM_MOMENTS, sums)));
    rnet_batch_norm(run, 4, 48 * run->batch, sums, 48,
                    params + PREACT_4_1_BATCHNORM_0_WEIGHT,
                    params + PREACT_4_1_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + PREACT_4_1_BATCHNORM_0_RUNNING_MEAN,
                    state + PREACT_4_1_BATCHNORM_0_RUNNING_VAR, scale, shift,
                    moments);
    /* batchnorm = scale (x) + shift */
    /* silu = silu(batchnorm) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 48 * run->batch, 48 }, 4,
               RNET_STEPS(RNET_WITH(LOAD, x, 4),
                          RNET_SCALE_SHIFT(scale, shift),
                          RNET_WITH(STORE, batchnorm, 4), RNET_DO(SILU),
                          RNET_WITH(STORE, silu, 4)));
    /* conv = conv.0.weight * silu */
    rnet_conv(run, run->batch, &conv_3x3_4_4_0,
              RNET_STEPS(RNET_WITH(LOAD, silu, 4)),
              params + PREACT_4_1_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 4),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 4, 48 * run->batch, sums_2, 48,
                    params + PREACT_4_1_BATCHNORM_1_WEIGHT,
                    params + PREACT_4_1_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + PREACT_4_1_BATCHNORM_1_RUNNING_MEAN,
                    state + PREACT_4_1_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* batchnorm_2 = scale_2 (conv) + shift_2 */
    /* silu_2 = silu(batchnorm_2) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 48 * run->batch, 48 }, 4,
               RNET_STEPS(RNET_WITH(LOAD, conv, 4),
                          RNET_SCALE_SHIFT(scale_2, shift_2),
                          RNET_WITH(STORE, batchnorm_2, 4), RNET_DO(SILU),
                          RNET_WITH(STORE, silu_2, 4)));
    /* y = conv.1.weight * silu_2 + x */
    rnet_conv(run, run->batch, &conv_3x3_4_4_0,
              RNET_STEPS(RNET_WITH(LOAD, silu_2, 4)),
              params + PREACT_4_1_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(ADD, x, 4), RNET_WITH(STORE, y, 4)));
}

static void preact_4_1_backward(const struct rnet_run *run,
                                const float *params, float *grads,
                                float *saved, float *scratch, const float *x,
                                const float *dy, float *dx)
{
    float *batchnorm = saved + 576 * run->batch + 32;
    float *d_batchnorm = scratch;
    float *silu = saved + 768 * run->batch + 32;
    float *conv = saved + 384 * run->batch + 16;
    float *sums = scratch + 192 * run->batch;
    float *moments = saved + 576 * run->batch + 16;
    float *a = scratch + 400 * run->batch;
    float *b = scratch + 400 * run->batch + 16;
    float *c = scratch + 400 * run->batch + 32;
    float *batchnorm_2 = saved + 16;
    float *d_batchnorm_2 = scratch + 192 * run->batch;
    float *silu_2 = saved + 192 * run->batch + 16;
    float *sums_2 = scratch + 384 * run->batch;
    float *moments_2 = saved;
    float *a_2 = scratch + 400 * run->batch;
    float *b_2 = scratch + 400 * run->batch + 16;
    float *c_2 = scratch + 400 * run->batch + 32;
    /* d_batchnorm = silu'(batchnorm) (conv.1.weight' * dy) */
    rnet_conv_grad(run, run->batch, &conv_3x3_4_4_0,
                   RNET_STEPS(RNET_WITH(LOAD, silu, 4)),
                   RNET_STEPS(RNET_WITH(LOAD, dy, 4)),
                   params + PREACT_4_1_CONV_1_WEIGHT,
                   grads + PREACT_4_1_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH(SILU_GRAD, batchnorm, 4),
                              RNET_WITH(STORE, d_batchnorm, 4),
                              RNET_CENTRED_SUMS(conv, 4, moments, sums)));
    rnet_batch_norm_grad(run, 4, 48 * run->batch, sums, 48,
                         params + PREACT_4_1_BATCHNORM_1_WEIGHT, moments,
                         grads + PREACT_4_1_BATCHNORM_1_WEIGHT,
                         grads + PREACT_4_1_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm_2 = silu'(batchnorm_2) (conv.0.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_3x3_4_4_0,
                   RNET_STEPS(RNET_WITH(LOAD, silu_2, 4)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 4),
                              RNET_COMBINE(conv, 4, a, b, c)),
                   params + PREACT_4_1_CONV_0_WEIGHT,
                   grads + PREACT_4_1_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH(SILU_GRAD, batchnorm_2, 4),
                              RNET_WITH(STORE, d_batchnorm_2, 4),
                              RNET_CENTRED_SUMS(x, 4, moments_2, sums_2)));
    rnet_batch_norm_grad(run, 4, 48 * run->batch, sums_2, 48,
                         params + PREACT_4_1_BATCHNORM_0_WEIGHT, moments_2,
                         grads + PREACT_4_1_BATCHNORM_0_WEIGHT,
                         grads + PREACT_4_1_BATCHNORM_0_BIAS, a_2, b_2, c_2);
    /* dx = a_2 (d_batchnorm_2) + b_2 x + c_2 + dy */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 48 * run->batch, 48 }, 4,
               RNET_STEPS(RNET_WITH(LOAD, d_batchnorm_2, 4),
                          RNET_COMBINE(x, 4, a_2, b_2, c_2),
                          RNET_WITH(ADD, dy, 4), RNET_WITH(STORE, dx, 4)));
}

/* ---- preact_8_2 (preact.rnet:3) of [8, 6, 4], as preact_4_1 ---- */

enum {           /* where its parameters lie, in floats */
    PREACT_8_2_BATCHNORM_0_WEIGHT = 0,
    PREACT_8_2_BATCHNORM_0_BIAS = 16,
    PREACT_8_2_BATCHNORM_0_RUNNING_MEAN = 0,
    PREACT_8_2_BATCHNORM_0_RUNNING_VAR = 16,
    PREACT_8_2_CONV_0_WEIGHT = 32,
    PREACT_8_2_BATCHNORM_1_WEIGHT = 608,
    PREACT_8_2_BATCHNORM_1_BIAS = 624,
    PREACT_8_2_BATCHNORM_1_RUNNING_MEAN = 32,
    PREACT_8_2_BATCHNORM_1_RUNNING_VAR = 48,
    PREACT_8_2_CONV_1_WEIGHT = 640,
    PREACT_8_2_SHORTCUT_CONV_0_WEIGHT = 1792,
};

static void preact_8_2_infer(const struct rnet_run *run, const float *params,
                             const float *state, float *scratch,
                             const float *x, float *y)
{
    float *scale = scratch + 384 * run->batch;
    float *shift = scratch + 384 * run->batch + 16;
    float *scale_2 = scratch + 384 * run->batch + 32;
    float *shift_2 = scratch + 384 * run->batch + 48;
    float *silu = scratch;
    float *silu_2 = scratch + 288 * run->batch;
    float *conv = scratch + 192 * run->batch;
    rnet_batch_norm_infer(run, 4, params + PREACT_8_2_BATCHNORM_0_WEIGHT,
                          params + PREACT_8_2_BATCHNORM_0_BIAS, 1e-05f,
                          state + PREACT_8_2_BATCHNORM_0_RUNNING_MEAN,
                          state + PREACT_8_2_BATCHNORM_0_RUNNING_VAR, scale,
                          shift);
    rnet_batch_norm_infer(run, 8, params + PREACT_8_2_BATCHNORM_1_WEIGHT,
                          params + PREACT_8_2_BATCHNORM_1_BIAS, 1e-05f,
                          state + PREACT_8_2_BATCHNORM_1_RUNNING_MEAN,
                          state + PREACT_8_2_BATCHNORM_1_RUNNING_VAR, scale_2,
                          shift_2);
    /* silu = silu(scale (x) + shift) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 48 * run->batch, 48 }, 4,
               RNET_STEPS(RNET_WITH(LOAD, x, 4),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(SILU),
                          RNET_WITH(STORE, silu, 4)));
    /* silu_2 = silu(scale_2 (conv.0.weight * silu) + shift_2) */
    rnet_conv(run, run->batch, &conv_3x3_4_8_1,
              RNET_STEPS(RNET_WITH(LOAD, silu, 4)),
              params + PREACT_8_2_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(SILU),
                         RNET_WITH(STORE, silu_2, 8)));
    /* conv = conv.1.weight * silu_2 */
    rnet_conv(run, run->batch, &conv_3x3_8_8_2,
              RNET_STEPS(RNET_WITH(LOAD, silu_2, 8)),
              params + PREACT_8_2_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 8)));
    /* y = shortcut.conv.0.weight * silu + conv */
    rnet_conv(run, run->batch, &conv_1x1_4_8_3,
              RNET_STEPS(RNET_WITH(LOAD, silu, 4)),
              params + PREACT_8_2_SHORTCUT_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(ADD, conv, 8), RNET_WITH(STORE, y, 8)));
}

static void preact_8_2_forward(const struct rnet_run *run, const float *params,
                               float *state, float *saved, float *scratch,
                               const float *x, float *y)
{
    float *sums = scratch;
    float *scale = scratch + 96 * run->batch;
    float *shift = scratch + 96 * run->batch + 16;
    float *moments = saved;
    float *batchnorm = saved + 16;
    float *silu = saved + 192 * run->batch + 16;
    float *conv = saved + 384 * run->batch + 16;
    float *sums_2 = scratch;
    float *scale_2 = scratch + 96 * run->batch;
    float *shift_2 = scratch + 96 * run->batch + 16;
    float *moments_2 = saved + 480 * run->batch + 16;
    float *batchnorm_2 = saved + 480 * run->batch + 32;
    float *silu_2 = saved + 576 * run->batch + 32;
    float *conv_2 = scratch;
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 48 * run->batch, 48 }, 4,
               RNET_STEPS(RNET_WITH(LOAD, x, 4),
                          RNET_SUM_TO(SUM_MOMENTS, sums)));
    rnet_batch_norm(run, 4, 48 * run->batch, sums, 48,
                    params + PREACT_8_2_BATCHNORM_0_WEIGHT,
                    params + PREACT_8_2_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + PREACT_8_2_BATCHNORM_0_RUNNING_MEAN,
                    state + PREACT_8_2_BATCHNORM_0_RUNNING_VAR, scale, shift,
                    moments);
    /* batchnorm = scale (x) + shift */
    /* silu = silu(batchnorm) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 48 * run->batch, 48 }, 4,
               RNET_STEPS(RNET_WITH(LOAD, x, 4),
                          RNET_SCALE_SHIFT(scale, shift),
                          RNET_WITH(STORE, batchnorm, 4), RNET_DO(SILU),
                          RNET_WITH(STORE, silu, 4)));
    /* conv = conv.0.weight * silu */
    rnet_conv(run, run->batch, &conv_3x3_4_8_1,
              RNET_STEPS(RNET_WITH(LOAD, silu, 4)),
              params + PREACT_8_2_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 8),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 8, 12 * run->batch, sums_2, 12,
                    params + PREACT_8_2_BATCHNORM_1_WEIGHT,
                    params + PREACT_8_2_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + PREACT_8_2_BATCHNORM_1_RUNNING_MEAN,
                    state + PREACT_8_2_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* batchnorm_2 = scale_2 (conv) + shift_2 */
    /* silu_2 = silu(batchnorm_2) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 12 * run->batch, 12 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, conv, 8),
                          RNET_SCALE_SHIFT(scale_2, shift_2),
                          RNET_WITH(STORE, batchnorm_2, 8), RNET_DO(SILU),
                          RNET_WITH(STORE, silu_2, 8)));
    /* conv_2 = conv.1.weight * silu_2 */
    rnet_conv(run, run->batch, &conv_3x3_8_8_2,
              RNET_STEPS(RNET_WITH(LOAD, silu_2, 8)),
              params + PREACT_8_2_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv_2, 8)));
    /* y = shortcut.conv.0.weight * silu + conv_2 */
    rnet_conv(run, run->batch, &conv_1x1_4_8_3,
              RNET_STEPS(RNET_WITH(LOAD, silu, 4)),
              params + PREACT_8_2_SHORTCUT_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(ADD, conv_2, 8), RNET_WITH(STORE, y, 8)));
}

static void preact_8_2_backward(const struct rnet_run *run,
                                const float *params, float *grads,
                                float *saved, float *scratch, const float *x,
                                const float *dy, float *dx)
{
    float *d_silu = scratch;
    float *silu = saved + 192 * run->batch + 16;
    float *batchnorm = saved + 480 * run->batch + 32;
    float *d_batchnorm = scratch + 192 * run->batch;
    float *silu_2 = saved + 576 * run->batch + 32;
    float *conv = saved + 384 * run->batch + 16;
    float *sums = scratch + 288 * run->batch;
    float *moments = saved + 480 * run->batch + 16;
    float *a = scratch + 304 * run->batch;
    float *b = scratch + 304 * run->batch + 16;
    float *c = scratch + 304 * run->batch + 32;
    float *batchnorm_2 = saved + 16;
    float *d_batchnorm_2 = scratch;
    float *sums_2 = scratch + 288 * run->batch;
    float *moments_2 = saved;
    float *a_2 = scratch + 304 * run->batch;
    float *b_2 = scratch + 304 * run->batch + 16;
    float *c_2 = scratch + 304 * run->batch + 32;
    /* d_silu = shortcut.conv.0.weight' * dy */
    rnet_conv_grad(run, run->batch, &conv_1x1_4_8_3,
                   RNET_STEPS(RNET_WITH(LOAD, silu, 4)),
                   RNET_STEPS(RNET_WITH(LOAD, dy, 8)),
                   params + PREACT_8_2_SHORTCUT_CONV_0_WEIGHT,
                   grads + PREACT_8_2_SHORTCUT_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH(STORE, d_silu, 4)));
    /* d_batchnorm = silu'(batchnorm) (conv.1.weight' * dy) */
    rnet_conv_grad(run, run->batch, &conv_3x3_8_8_2,
                   RNET_STEPS(RNET_WITH(LOAD, silu_2, 8)),
                   RNET_STEPS(RNET_WITH(LOAD, dy, 8)),
                   params + PREACT_8_2_CONV_1_WEIGHT,
                   grads + PREACT_8_2_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH(SILU_GRAD, batchnorm, 8),
                              RNET_WITH(STORE, d_batchnorm, 8),
                              RNET_CENTRED_SUMS(conv, 8, moments, sums)));
    rnet_batch_norm_grad(run, 8, 12 * run->batch, sums, 12,
                         params + PREACT_8_2_BATCHNORM_1_WEIGHT, moments,
                         grads + PREACT_8_2_BATCHNORM_1_WEIGHT,
                         grads + PREACT_8_2_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm_2 = silu'(batchnorm_2) (conv.0.weight' * d_conv + d_silu) */
    rnet_conv_grad(run, run->batch, &conv_3x3_4_8_1,
                   RNET_STEPS(RNET_WITH(LOAD, silu, 4)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 8),
                              RNET_COMBINE(conv, 8, a, b, c)),
                   params + PREACT_8_2_CONV_0_WEIGHT,
                   grads + PREACT_8_2_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH(ADD, d_silu, 4),
                              RNET_WITH(SILU_GRAD, batchnorm_2, 4),
                              RNET_WITH(STORE, d_batchnorm_2, 4),
                              RNET_CENTRED_SUMS(x, 4, moments_2, sums_2)));
    rnet_batch_norm_grad(run, 4, 48 * run->batch, sums_2, 48,
                         params + PREACT_8_2_BATCHNORM_0_WEIGHT, moments_2,
                         grads + PREACT_8_2_BATCHNORM_0_WEIGHT,
                         grads + PREACT_8_2_BATCHNORM_0_BIAS, a_2, b_2, c_2);
    /* dx = a_2 (d_batchnorm_2) + b_2 x + c_2 */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 48 * run->batch, 48 }, 4,
               RNET_STEPS(RNET_WITH(LOAD, d_batchnorm_2, 4),
                          RNET_COMBINE(x, 4, a_2, b_2, c_2),
                          RNET_WITH(STORE, dx, 4)));
}

/* ---- preact_8_1 (preact.rnet:3) of [4, 3, 8], as preact_4_1 ---- */

enum {           /* where its parameters lie, in floats */
    PREACT_8_1_BATCHNORM_0_WEIGHT = 0,
    PREACT_8_1_BATCHNORM_0_BIAS = 16,
    PREACT_8_1_BATCHNORM_0_RUNNING_MEAN = 0,
    PREACT_8_1_BATCHNORM_0_RUNNING_VAR = 16,
    PREACT_8_1_CONV_0_WEIGHT = 32,
    PREACT_8_1_BATCHNORM_1_WEIGHT = 1184,
    PREACT_8_1_BATCHNORM_1_BIAS = 1200,
    PREACT_8_1_BATCHNORM_1_RUNNING_MEAN = 32,
    PREACT_8_1_BATCHNORM_1_RUNNING_VAR = 48,
    PREACT_8_1_CONV_1_WEIGHT = 1216,
};

static void preact_8_1_infer(const struct rnet_run *run, const float *params,
                             const float *state, float *scratch,
                             const float *x, float *y)
{
    float *scale = scratch + 288 * run->batch;
    float *shift = scratch + 288 * run->batch + 16;
    float *scale_2 = scratch + 288 * run->batch + 32;
    float *shift_2 = scratch + 288 * run->batch + 48;
    float *silu = scratch;
    float *silu_2 = scratch + 192 * run->batch;
    rnet_batch_norm_infer(run, 8, params + PREACT_8_1_BATCHNORM_0_WEIGHT,
                          params + PREACT_8_1_BATCHNORM_0_BIAS, 1e-05f,
                          state + PREACT_8_1_BATCHNORM_0_RUNNING_MEAN,
                          state + PREACT_8_1_BATCHNORM_0_RUNNING_VAR, scale,
                          shift);
    rnet_batch_norm_infer(run, 8, params + PREACT_8_1_BATCHNORM_1_WEIGHT,
                          params + PREACT_8_1_BATCHNORM_1_BIAS, 1e-05f,
                          state + PREACT_8_1_BATCHNORM_1_RUNNING_MEAN,
                          state + PREACT_8_1_BATCHNORM_1_RUNNING_VAR, scale_2,
                          shift_2);
    /* silu = silu(scale (x) + shift) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 12 * run->batch, 12 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, x, 8),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(SILU),
                          RNET_WITH(STORE, silu, 8)));
    /* silu_2 = silu(scale_2 (conv.0.weight * silu) + shift_2) */
    rnet_conv(run, run->batch, &conv_3x3_8_8_2,
              RNET_STEPS(RNET_WITH(LOAD, silu, 8)),
              params + PREACT_8_1_CONV_0_WEIGHT,
              RNET_STEPS(RNET_SCALE_SHIFT(scale_2, shift_2), RNET_DO(SILU),
                         RNET_WITH(STORE, silu_2, 8)));
    /* y = conv.1.weight * silu_2 + x */
    rnet_conv(run, run->batch, &conv_3x3_8_8_2,
              RNET_STEPS(RNET_WITH(LOAD, silu_2, 8)),
              params + PREACT_8_1_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(ADD, x, 8), RNET_WITH(STORE, y, 8)));
}

static void preact_8_1_forward(const struct rnet_run *run, const float *params,
                               float *state, float *saved, float *scratch,
                               const float *x, float *y)
{
    float *sums = scratch;
    float *scale = scratch + 32 * run->batch;
    float *shift = scratch + 32 * run->batch + 16;
    float *moments = saved;
    float *batchnorm = saved + 16;
    float *silu = saved + 96 * run->batch + 16;
    float *conv = saved + 192 * run->batch + 16;
    float *sums_2 = scratch;
    float *scale_2 = scratch + 32 * run->batch;
    float *shift_2 = scratch + 32 * run->batch + 16;
    float *moments_2 = saved + 288 * run->batch + 16;
    float *batchnorm_2 = saved + 288 * run->batch + 32;
    float *silu_2 = saved + 384 * run->batch + 32;
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 12 * run->batch, 12 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, x, 8),
                          RNET_SUM_TO(SUM_MOMENTS, sums)));
    rnet_batch_norm(run, 8, 12 * run->batch, sums, 12,
                    params + PREACT_8_1_BATCHNORM_0_WEIGHT,
                    params + PREACT_8_1_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + PREACT_8_1_BATCHNORM_0_RUNNING_MEAN,
                    state + PREACT_8_1_BATCHNORM_0_RUNNING_VAR, scale, shift,
                    moments);
    /* batchnorm = scale (x) + shift */
    /* silu = silu(batchnorm) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 12 * run->batch, 12 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, x, 8),
                          RNET_SCALE_SHIFT(scale, shift),
                          RNET_WITH(STORE, batchnorm, 8), RNET_DO(SILU),
                          RNET_WITH(STORE, silu, 8)));
    /* conv = conv.0.weight * silu */
    rnet_conv(run, run->batch, &conv_3x3_8_8_2,
              RNET_STEPS(RNET_WITH(LOAD, silu, 8)),
              params + PREACT_8_1_CONV_0_WEIGHT,
              RNET_STEPS(RNET_WITH(STORE, conv, 8),
                         RNET_SUM_TO(SUM_MOMENTS, sums_2)));
    rnet_batch_norm(run, 8, 12 * run->batch, sums_2, 12,
                    params + PREACT_8_1_BATCHNORM_1_WEIGHT,
                    params + PREACT_8_1_BATCHNORM_1_BIAS, 1e-05f, 0.1f,
                    state + PREACT_8_1_BATCHNORM_1_RUNNING_MEAN,
                    state + PREACT_8_1_BATCHNORM_1_RUNNING_VAR, scale_2,
                    shift_2, moments_2);
    /* batchnorm_2 = scale_2 (conv) + shift_2 */
    /* silu_2 = silu(batchnorm_2) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 12 * run->batch, 12 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, conv, 8),
                          RNET_SCALE_SHIFT(scale_2, shift_2),
                          RNET_WITH(STORE, batchnorm_2, 8), RNET_DO(SILU),
                          RNET_WITH(STORE, silu_2, 8)));
    /* y = conv.1.weight * silu_2 + x */
    rnet_conv(run, run->batch, &conv_3x3_8_8_2,
              RNET_STEPS(RNET_WITH(LOAD, silu_2, 8)),
              params + PREACT_8_1_CONV_1_WEIGHT,
              RNET_STEPS(RNET_WITH(ADD, x, 8), RNET_WITH(STORE, y, 8)));
}

static void preact_8_1_backward(const struct rnet_run *run,
                                const float *params, float *grads,
                                float *saved, float *scratch, const float *x,
                                const float *dy, float *dx)
{
    float *batchnorm = saved + 288 * run->batch + 32;
    float *d_batchnorm = scratch;
    float *silu = saved + 384 * run->batch + 32;
    float *conv = saved + 192 * run->batch + 16;
    float *sums = scratch + 96 * run->batch;
    float *moments = saved + 288 * run->batch + 16;
    float *a = scratch + 208 * run->batch;
    float *b = scratch + 208 * run->batch + 16;
    float *c = scratch + 208 * run->batch + 32;
    float *batchnorm_2 = saved + 16;
    float *d_batchnorm_2 = scratch + 96 * run->batch;
    float *silu_2 = saved + 96 * run->batch + 16;
    float *sums_2 = scratch + 192 * run->batch;
    float *moments_2 = saved;
    float *a_2 = scratch + 208 * run->batch;
    float *b_2 = scratch + 208 * run->batch + 16;
    float *c_2 = scratch + 208 * run->batch + 32;
    /* d_batchnorm = silu'(batchnorm) (conv.1.weight' * dy) */
    rnet_conv_grad(run, run->batch, &conv_3x3_8_8_2,
                   RNET_STEPS(RNET_WITH(LOAD, silu, 8)),
                   RNET_STEPS(RNET_WITH(LOAD, dy, 8)),
                   params + PREACT_8_1_CONV_1_WEIGHT,
                   grads + PREACT_8_1_CONV_1_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH(SILU_GRAD, batchnorm, 8),
                              RNET_WITH(STORE, d_batchnorm, 8),
                              RNET_CENTRED_SUMS(conv, 8, moments, sums)));
    rnet_batch_norm_grad(run, 8, 12 * run->batch, sums, 12,
                         params + PREACT_8_1_BATCHNORM_1_WEIGHT, moments,
                         grads + PREACT_8_1_BATCHNORM_1_WEIGHT,
                         grads + PREACT_8_1_BATCHNORM_1_BIAS, a, b, c);
    /* d_batchnorm_2 = silu'(batchnorm_2) (conv.0.weight' * d_conv) */
    rnet_conv_grad(run, run->batch, &conv_3x3_8_8_2,
                   RNET_STEPS(RNET_WITH(LOAD, silu_2, 8)),
                   RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 8),
                              RNET_COMBINE(conv, 8, a, b, c)),
                   params + PREACT_8_1_CONV_0_WEIGHT,
                   grads + PREACT_8_1_CONV_0_WEIGHT, NULL,
                   RNET_STEPS(RNET_WITH(SILU_GRAD, batchnorm_2, 8),
                              RNET_WITH(STORE, d_batchnorm_2, 8),
                              RNET_CENTRED_SUMS(x, 8, moments_2, sums_2)));
    rnet_batch_norm_grad(run, 8, 12 * run->batch, sums_2, 12,
                         params + PREACT_8_1_BATCHNORM_0_WEIGHT, moments_2,
                         grads + PREACT_8_1_BATCHNORM_0_WEIGHT,
                         grads + PREACT_8_1_BATCHNORM_0_BIAS, a_2, b_2, c_2);
    /* dx = a_2 (d_batchnorm_2) + b_2 x + c_2 + dy */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 12 * run->batch, 12 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, d_batchnorm_2, 8),
                          RNET_COMBINE(x, 8, a_2, b_2, c_2),
                          RNET_WITH(ADD, dy, 8), RNET_WITH(STORE, dx, 8)));
}

/* ---- preact (preact.rnet:8) ----
 *
 *     network preact(classes = 4) {
 *         input image [8, 6, 3]
 *         conv(4, 3)
 *         repeat 2 { preact(4) }
 *         repeat 2 as i { preact(8, stride = i == 0 ? 2 : 1) }
 *         batchnorm -> silu -> avgpool(all) -> linear(classes)
 *         output logits
 *         loss cross_entropy(logits, label)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    PREACT_CONV_0_WEIGHT = 0,
    PREACT_CONV_0_BIAS = 432,
    PREACT_BATCHNORM_0_WEIGHT = 448,
    PREACT_BATCHNORM_0_BIAS = 464,
    PREACT_BATCHNORM_0_RUNNING_MEAN = 0,
    PREACT_BATCHNORM_0_RUNNING_VAR = 16,
    PREACT_LINEAR_0_WEIGHT = 480,
    PREACT_LINEAR_0_BIAS = 608,
};

static void preact_infer_pass(const struct rnet_run *run, const float *params,
                              const float *state, float *scratch,
                              const float *image, const int32_t *label,
                              float *logits)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *scale = scratch + 384 * strips + 288 * run->batch;
    float *shift = scratch + 384 * strips + 288 * run->batch + 16;
    float *conv = scratch + 384 * strips;
    float *x_2 = scratch + 384 * strips;
    float *preact_2 = scratch + 384 * strips + 192 * run->batch;
    float *preact_3 = scratch + 384 * strips + 192 * run->batch;
    float *silu = scratch + 384 * strips + 192 * run->batch;
    float *avgpool = scratch + 384 * strips;
    float *avgpool_2 = scratch;
    float *linear = scratch + 256 * strips;
    rnet_batch_norm_infer(run, 8, params + PREACT_BATCHNORM_0_WEIGHT,
                          params + PREACT_BATCHNORM_0_BIAS, 1e-05f,
                          state + PREACT_BATCHNORM_0_RUNNING_MEAN,
                          state + PREACT_BATCHNORM_0_RUNNING_VAR, scale, shift);
    /* conv = conv.0.weight * image + conv.0.bias */
    rnet_conv(run, run->batch, &conv_3x3_3_4_4,
              RNET_STEPS(RNET_WITH(LOAD, image, 3)),
              params + PREACT_CONV_0_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + PREACT_CONV_0_BIAS),
                         RNET_WITH(STORE, conv, 4)));
    for (long i = 0; i < 2; i++) {
        const float *p = params + 624 + i * 1216;
        const float *s = state + 32 + i * 64;
        const float *x_3 = i == 0 ? conv : x_2;
        float *y_2 = x_2;
        preact_4_1_infer(run, p, s,
                         scratch + 384 * strips + 288 * run->batch + 32, x_3,
                         y_2);
    }
    preact_8_2_infer(run, params + 3056, state + 160,
                     scratch + 384 * strips + 288 * run->batch + 32, x_2,
                     preact_2);
    preact_8_1_infer(run, params + 4912, state + 224,
                     scratch + 384 * strips + 288 * run->batch + 32, preact_2,
                     preact_3);
    /* silu = silu(scale (preact_3) + shift) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 12 * run->batch, 12 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, preact_3, 8),
                          RNET_SCALE_SHIFT(scale, shift), RNET_DO(SILU),
                          RNET_WITH(STORE, silu, 8)));
    /* avgpool = pool(silu) */
    rnet_pool(run, run->batch, &pool_5, silu, 8,
              RNET_STEPS(RNET_WITH(STORE, avgpool, 8)));
    /* avgpool_2 = pack(avgpool) */
    rnet_pack_rows(run, run->batch, 8, avgpool, 8,
                   RNET_STEPS(RNET_WITH(STORE, avgpool_2, 8)));
    /* linear = linear.0.weight avgpool_2 + linear.0.bias */
    rnet_linear(run, run->batch, 8, 4, avgpool_2, 8,
                params + PREACT_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + PREACT_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 4)));
    /* logits = unpack(linear) */
    rnet_unpack_rows(run, run->batch, 4, linear, 4,
                     RNET_STEPS(RNET_WITH(STORE, logits, 4)));
}

static void preact_forward_pass(const struct rnet_run *run,
                                const float *params, float *state,
                                float *saved, float *scratch,
                                const float *image, const int32_t *label,
                                float *logits)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *conv = saved;
    float *x_2 = saved + 192 * run->batch;
    float *kept_2 = saved + 384 * strips + 2592 * run->batch + 80;
    float *preact_2 = saved + 384 * run->batch;
    float *preact_3 = saved + 480 * run->batch;
    float *sums = scratch;
    float *scale = scratch + 112 * run->batch;
    float *shift = scratch + 112 * run->batch + 16;
    float *moments = saved + 576 * run->batch;
    float *batchnorm = saved + 576 * run->batch + 16;
    float *silu = scratch;
    float *avgpool = scratch + 96 * run->batch;
    float *avgpool_2 = saved + 672 * run->batch + 16;
    float *linear = saved + 256 * strips + 672 * run->batch + 16;
    /* conv = conv.0.weight * image + conv.0.bias */
    rnet_conv(run, run->batch, &conv_3x3_3_4_4,
              RNET_STEPS(RNET_WITH(LOAD, image, 3)),
              params + PREACT_CONV_0_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + PREACT_CONV_0_BIAS),
                         RNET_WITH(STORE, conv, 4)));
    for (long i = 0; i < 2; i++) {
        const float *p = params + 624 + i * 1216;
        float *s = state + 32 + i * 64;
        float *kept = saved + 384 * strips + 672 * run->batch + 16 + i * (960 * run->batch + 32);
        const float *x_3 = i ? kept_2 + (i - 1) * (192 * run->batch) : conv;
        float *y_2 = i < 1 ? kept_2 + i * (192 * run->batch) : x_2;
        preact_4_1_forward(run, p, s, kept, scratch + 112 * run->batch + 32,
                           x_3, y_2);
    }
    preact_8_2_forward(run, params + 3056, state + 160,
                       saved + 384 * strips + 2784 * run->batch + 80,
                       scratch + 112 * run->batch + 32, x_2, preact_2);
    preact_8_1_forward(run, params + 4912, state + 224,
                       saved + 384 * strips + 3456 * run->batch + 112,
                       scratch + 112 * run->batch + 32, preact_2, preact_3);
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 12 * run->batch, 12 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, preact_3, 8),
                          RNET_SUM_TO(SUM_MOMENTS, sums)));
    rnet_batch_norm(run, 8, 12 * run->batch, sums, 12,
                    params + PREACT_BATCHNORM_0_WEIGHT,
                    params + PREACT_BATCHNORM_0_BIAS, 1e-05f, 0.1f,
                    state + PREACT_BATCHNORM_0_RUNNING_MEAN,
                    state + PREACT_BATCHNORM_0_RUNNING_VAR, scale, shift,
                    moments);
    /* batchnorm = scale (preact_3) + shift */
    /* silu = silu(batchnorm) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 12 * run->batch, 12 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, preact_3, 8),
                          RNET_SCALE_SHIFT(scale, shift),
                          RNET_WITH(STORE, batchnorm, 8), RNET_DO(SILU),
                          RNET_WITH(STORE, silu, 8)));
    /* avgpool = pool(silu) */
    rnet_pool(run, run->batch, &pool_5, silu, 8,
              RNET_STEPS(RNET_WITH(STORE, avgpool, 8)));
    /* avgpool_2 = pack(avgpool) */
    rnet_pack_rows(run, run->batch, 8, avgpool, 8,
                   RNET_STEPS(RNET_WITH(STORE, avgpool_2, 8)));
    /* linear = linear.0.weight avgpool_2 + linear.0.bias */
    rnet_linear(run, run->batch, 8, 4, avgpool_2, 8,
                params + PREACT_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + PREACT_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 4)));
    if (logits) {
        /* logits = unpack(linear) */
        rnet_unpack_rows(run, run->batch, 4, linear, 4,
                         RNET_STEPS(RNET_WITH(STORE, logits, 4)));
    }
}

static void preact_backward_pass(const struct rnet_run *run,
                                 const float *params, float *grads,
                                 float *saved, float *scratch,
                                 const float *image, const int32_t *label,
                                 float *loss, float *image_grad)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *linear = saved + 256 * strips + 672 * run->batch + 16;
    float *d_linear = scratch + 256 * strips;
    float *lines = scratch;
    float *avgpool = saved + 672 * run->batch + 16;
    float *d_avgpool = scratch;
    float *d_avgpool_2 = scratch + 384 * strips;
    float *batchnorm = saved + 576 * run->batch + 16;
    float *d_batchnorm = scratch + 384 * strips + 192 * run->batch;
    float *preact_2 = saved + 480 * run->batch;
    float *sums = scratch + 384 * strips + 16 * run->batch;
    float *moments = saved + 576 * run->batch;
    float *a = scratch + 384 * strips + 336 * run->batch;
    float *b = scratch + 384 * strips + 336 * run->batch + 16;
    float *c = scratch + 384 * strips + 336 * run->batch + 32;
    float *d_preact = scratch + 384 * strips + 192 * run->batch;
    float *preact_3 = saved + 384 * run->batch;
    float *d_preact_2 = scratch + 384 * strips + 192 * run->batch;
    float *x_2 = saved + 192 * run->batch;
    float *d_x = scratch + 384 * strips;
    float *kept_2 = saved + 384 * strips + 2592 * run->batch + 80;
    float *conv = saved;
    float *d_conv = scratch + 384 * strips;
    float *d_image = scratch + 384 * strips + 192 * run->batch;
    /* d_linear = dloss / dlinear */
    rnet_cross_entropy(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 },
                       4, 1.0f, linear, 4, label, lines, loss,
                       RNET_STEPS(RNET_WITH(STORE, d_linear, 4)));
    rnet_linear_grad_weight(run, run->batch, 8, 4,
                            grads + PREACT_LINEAR_0_WEIGHT,
                            grads + PREACT_LINEAR_0_BIAS, d_linear, 4, avgpool,
                            8);
    /* d_avgpool = linear.0.weight' d_linear */
    rnet_linear_grad_input(run, run->batch, 8, 4, d_linear, 4,
                           params + PREACT_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_avgpool, 8)));
    /* d_avgpool_2 = unpack(d_avgpool) */
    rnet_unpack_rows(run, run->batch, 8, d_avgpool, 8,
                     RNET_STEPS(RNET_WITH(STORE, d_avgpool_2, 8)));
    /* d_batchnorm = silu'(batchnorm) (pool_grad(d_avgpool_2)) */
    rnet_pool_grad(run, run->batch, &pool_5, d_avgpool_2, 8, NULL, 0,
                   RNET_STEPS(RNET_WITH(SILU_GRAD, batchnorm, 8),
                              RNET_WITH(STORE, d_batchnorm, 8),
                              RNET_CENTRED_SUMS(preact_2, 8, moments, sums)));
    rnet_batch_norm_grad(run, 8, 12 * run->batch, sums, 12,
                         params + PREACT_BATCHNORM_0_WEIGHT, moments,
                         grads + PREACT_BATCHNORM_0_WEIGHT,
                         grads + PREACT_BATCHNORM_0_BIAS, a, b, c);
    /* d_preact = a (d_batchnorm) + b preact_2 + c */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 12 * run->batch, 12 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, d_batchnorm, 8),
                          RNET_COMBINE(preact_2, 8, a, b, c),
                          RNET_WITH(STORE, d_preact, 8)));
    preact_8_1_backward(run, params + 4912, grads + 4912,
                        saved + 384 * strips + 3456 * run->batch + 112,
                        scratch + 384 * strips + 336 * run->batch + 48,
                        preact_3, d_preact, d_preact_2);
    preact_8_2_backward(run, params + 3056, grads + 3056,
                        saved + 384 * strips + 2784 * run->batch + 80,
                        scratch + 384 * strips + 336 * run->batch + 48, x_2,
                        d_preact_2, d_x);
    for (long i = 1; i >= 0; i--) {
        const float *p = params + 624 + i * 1216;
        float *g = grads + 624 + i * 1216;
        float *kept = saved + 384 * strips + 672 * run->batch + 16 + i * (960 * run->batch + 32);
        const float *x_3 = i ? kept_2 + (i - 1) * (192 * run->batch) : conv;
        const float *dy_2 = i == 1 ? d_x : d_conv;
        float *dx_2 = d_conv;
        preact_4_1_backward(run, p, g, kept,
                            scratch + 384 * strips + 336 * run->batch + 48,
                            x_3, dy_2, dx_2);
    }
    rnet_conv_grad(run, run->batch, &conv_3x3_3_4_4,
                   RNET_STEPS(RNET_WITH(LOAD, image, 3)),
                   RNET_STEPS(RNET_WITH(LOAD, d_conv, 4)),
                   params + PREACT_CONV_0_WEIGHT, grads + PREACT_CONV_0_WEIGHT,
                   grads + PREACT_CONV_0_BIAS, RNET_NO_STEPS);
    if (image_grad) {
        /* d_image = conv.0.weight' * d_conv */
        rnet_conv_grad(run, run->batch, &conv_3x3_3_4_4,
                       RNET_STEPS(RNET_WITH(LOAD, image, 3)),
                       RNET_STEPS(RNET_WITH(LOAD, d_conv, 4)),
                       params + PREACT_CONV_0_WEIGHT, NULL, NULL,
                       RNET_STEPS(RNET_WITH(STORE, d_image, 3)));
        /* image_grad = d_image */
        rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 48 * run->batch, 48 },
                   3,
                   RNET_STEPS(RNET_WITH(LOAD, d_image, 3),
                              RNET_WITH(STORE, image_grad, 3)));
    }
}

/* ---- entry points ---- */

_Static_assert(RNET_WORKER_FLOATS == 49152,
               "librnet and rnetc do not belong together");
_Static_assert(RNET_CONV_WORKER_FLOATS(8, 6, 4,
    8, 6, 4, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 2496, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(4, 4, 3, 3, 1)
    <= 18624, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(8, 6, 4,
    4, 3, 8, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 2496, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(4, 3, 8,
    4, 3, 8, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 2496, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(8, 6, 4,
    4, 3, 8, 1, 1, 1, 1, 0, 0, 0, 0)
    <= 2496, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(4, 8, 1, 1, 1)
    <= 18624, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(8, 8, 3, 3, 1)
    <= 18624, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(4, 8, 3, 3, 1)
    <= 18624, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(8, 6, 3,
    8, 6, 4, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 2496, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(3, 4, 3, 3, 1)
    <= 18624, "librnet needs more scratch than rnetc knows");

enum rnet_status preact_infer(const float *params, const float *image,
                              float *logits, size_t batch,
                              struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, PREACT_INFER_BYTES(batch,
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
    run->worker_floats = 51648;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    preact_infer_pass(run, params, params + PREACT_GRAD_FLOATS, memory, image,
                      NULL, logits);
    rnet_end(run);
    return RNET_OK;
}

static enum rnet_status infer_by_table(const float *params,
    const void *const *inputs, float *const *outputs,
    size_t batch, struct rnet_work *work)
{
    if (!inputs || !outputs)
        return RNET_NULL;
    return preact_infer(params, (const float *)inputs[0], outputs[0], batch,
                        work);
}

enum rnet_status preact_train(float *params, const float *image,
                              const int32_t *label, float *logits, float *loss,
                              float *grads, float *image_grad, size_t batch,
                              struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, PREACT_TRAIN_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if ((status = rnet_check_array(grads)) != RNET_OK)
        return status;
    if (!image || !label || !loss)
        return RNET_NULL;
    status = rnet_check_indices(label, batch, 4);
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
    run->scratch_floats = 18624;
    run->workers = memory + 18624;
    run->worker_floats = 51648;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    const long strips = RNET_STRIP_COUNT(1 * run->batch);
    preact_forward_pass(run, params, params + PREACT_GRAD_FLOATS, memory,
                        memory + 384 * strips + 3936 * run->batch + 144, image,
                        label, logits);
    *loss = 0;
    preact_backward_pass(run, params, grads, memory,
                         memory + 384 * strips + 3936 * run->batch + 144,
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
    return preact_train(params, (const float *)inputs[0],
                        (const int32_t *)inputs[1],
                        outputs ? outputs[0] : NULL, loss, grads,
                        input_grads ? input_grads[0] : NULL, batch, work);
}

/* ---- the table ---- */

static const struct rnet_tensor tensors[] = {
    { .name = "conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1, .rank = 4,
      .shape = { 4, 3, 3, 3 }, .floats = 432, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.27216553f },
    { .name = "conv.0.bias", .groups = 1, .rank = 1, .shape = { 4 },
      .offset = 432, .floats = 16, .trainable = 1 },
    { .name = "batchnorm.0.weight", .groups = 1, .rank = 1, .shape = { 8 },
      .offset = 448, .floats = 16, .trainable = 1, .mean = 1.0f },
    { .name = "batchnorm.0.bias", .groups = 1, .rank = 1, .shape = { 8 },
      .offset = 464, .floats = 16, .trainable = 1 },
    { .name = "batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 7280, .floats = 16 },
    { .name = "batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 7296, .floats = 16, .mean = 1.0f },
    { .name = "linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 4, 8 }, .offset = 480, .floats = 128,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.5f },
    { .name = "linear.0.bias", .groups = 1, .rank = 1, .shape = { 4 },
      .offset = 608, .floats = 16, .trainable = 1 },
    { .name = "preact.#.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 4 }, .offset = 624, .floats = 16,
      .repeats = 1, .repeat = { { 2, 1216 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .mean = 1.0f },
    { .name = "preact.#.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 4 }, .offset = 640, .floats = 16,
      .repeats = 1, .repeat = { { 2, 1216 } }, .index = { { 0, { 1 } } },
      .trainable = 1 },
    { .name = "preact.#.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 4 }, .offset = 7312, .floats = 16,
      .repeats = 1, .repeat = { { 2, 64 } }, .index = { { 0, { 1 } } } },
    { .name = "preact.#.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 4 }, .offset = 7328, .floats = 16,
      .repeats = 1, .repeat = { { 2, 64 } }, .index = { { 0, { 1 } } },
      .mean = 1.0f },
    { .name = "preact.#.conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 4, 4, 3, 3 }, .offset = 656, .floats = 576,
      .repeats = 1, .repeat = { { 2, 1216 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.23570226f },
    { .name = "preact.#.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 4 }, .offset = 1232, .floats = 16,
      .repeats = 1, .repeat = { { 2, 1216 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .mean = 1.0f },
    { .name = "preact.#.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 4 }, .offset = 1248, .floats = 16,
      .repeats = 1, .repeat = { { 2, 1216 } }, .index = { { 0, { 1 } } },
      .trainable = 1 },
    { .name = "preact.#.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 4 }, .offset = 7344, .floats = 16,
      .repeats = 1, .repeat = { { 2, 64 } }, .index = { { 0, { 1 } } } },
    { .name = "preact.#.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 4 }, .offset = 7360, .floats = 16,
      .repeats = 1, .repeat = { { 2, 64 } }, .index = { { 0, { 1 } } },
      .mean = 1.0f },
    { .name = "preact.#.conv.1.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 4, 4, 3, 3 }, .offset = 1264, .floats = 576,
      .repeats = 1, .repeat = { { 2, 1216 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.23570226f },
    { .name = "preact.2.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 4 }, .offset = 3056, .floats = 16, .trainable = 1,
      .mean = 1.0f },
    { .name = "preact.2.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 4 }, .offset = 3072, .floats = 16, .trainable = 1 },
    { .name = "preact.2.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 4 }, .offset = 7440, .floats = 16 },
    { .name = "preact.2.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 4 }, .offset = 7456, .floats = 16, .mean = 1.0f },
    { .name = "preact.2.conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 8, 4, 3, 3 }, .offset = 3088, .floats = 576,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.23570226f },
    { .name = "preact.2.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 3664, .floats = 16, .trainable = 1,
      .mean = 1.0f },
    { .name = "preact.2.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 3680, .floats = 16, .trainable = 1 },
    { .name = "preact.2.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 7472, .floats = 16 },
    { .name = "preact.2.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 7488, .floats = 16, .mean = 1.0f },
    { .name = "preact.2.conv.1.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 8, 8, 3, 3 }, .offset = 3696, .floats = 1152,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.16666667f },
    { .name = "preact.2.shortcut.conv.0.weight", .pack = RNET_PACK_CONV,
      .groups = 1, .rank = 4, .shape = { 8, 4, 1, 1 }, .offset = 4848,
      .floats = 64, .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.70710678f },
    { .name = "preact.3.batchnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 4912, .floats = 16, .trainable = 1,
      .mean = 1.0f },
    { .name = "preact.3.batchnorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 4928, .floats = 16, .trainable = 1 },
    { .name = "preact.3.batchnorm.0.running_mean", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 7504, .floats = 16 },
    { .name = "preact.3.batchnorm.0.running_var", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 7520, .floats = 16, .mean = 1.0f },
    { .name = "preact.3.conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 8, 8, 3, 3 }, .offset = 4944, .floats = 1152,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.16666667f },
    { .name = "preact.3.batchnorm.1.weight", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 6096, .floats = 16, .trainable = 1,
      .mean = 1.0f },
    { .name = "preact.3.batchnorm.1.bias", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 6112, .floats = 16, .trainable = 1 },
    { .name = "preact.3.batchnorm.1.running_mean", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 7536, .floats = 16 },
    { .name = "preact.3.batchnorm.1.running_var", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 7552, .floats = 16, .mean = 1.0f },
    { .name = "preact.3.conv.1.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 8, 8, 3, 3 }, .offset = 6128, .floats = 1152,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.16666667f },
};

static const struct rnet_port inputs[] = {
    { .name = "image", .integer = 0, .target = 0, .classes = 0,
      .rank = 3, .shape = { 8, 6, 3 }, .size = 144 },
    { .name = "label", .integer = 1, .target = 1, .classes = 4,
      .rank = 0, .shape = { 0 }, .size = 1 },
};

static const struct rnet_port outputs[] = {
    { .name = "logits", .integer = 0, .target = 0, .classes = 0,
      .rank = 1, .shape = { 4 }, .size = 4 },
};

static size_t infer_bytes(size_t batch, int threads)
{
    (void)batch;
    return PREACT_INFER_BYTES(batch, threads);
}

static size_t train_bytes(size_t batch, int threads)
{
    (void)batch;
    return PREACT_TRAIN_BYTES(batch, threads);
}

const struct rnet_network preact = {
    .version = RNET_VERSION,
    .name = "preact",
    .trainable = 2876,
    .grad_floats = 7280,
    .param_floats = 7568,
    .tensors = tensors,
    .tensor_rows = 39,
    .inputs = inputs,
    .outputs = outputs,
    .input_count = 2,
    .output_count = 1,
    .infer_bytes = infer_bytes,
    .train_bytes = train_bytes,
    .infer = infer_by_table,
    .train = train_by_table,
};

enum rnet_status preact_init(float *params, uint64_t seed)
{
    return rnet_init_params(&preact, params, seed);
}
