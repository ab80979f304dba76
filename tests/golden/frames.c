/* frames: emitted by rnetc 0.1.0 from frames.rnet; do not edit.
 *
 * 1832 parameters, 0 blocks.  Values lie where the plan put them: `saved` is
 * what the backward pass reads, `scratch` lives for one pass.  The layouts
 * and the kernels are described in rnet_kernels.h. */
#include "frames.h"

#include <rnet_kernels.h>

static const struct rnet_pool_shape pool_0 = {
    .kind = RNET_POOL_SUM, .height = 5, .width = 6,
    .channels = 3, .out_height = 6, .out_width = 11,
    .out_channels = 3, .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .pad_top = 1, .pad_left = 2,
    .count_pad = 1
};
static const struct rnet_conv conv_3x3_3_4_1 = {
    .height = 6, .width = 11, .in = 3,
    .out_height = 4, .out_width = 9, .out = 4,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0,
    .groups = 1
};
static const struct rnet_pool_shape pool_2 = {
    .kind = RNET_POOL_SUM, .height = 4, .width = 9,
    .channels = 4, .out_height = 6, .out_width = 11,
    .out_channels = 4, .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .pad_top = 1, .pad_left = 1,
    .count_pad = 1
};
static const struct rnet_conv conv_3x3_4_5_3 = {
    .height = 6, .width = 11, .in = 4,
    .out_height = 4, .out_width = 9, .out = 5,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0,
    .groups = 1
};
static const struct rnet_pool_shape pool_4 = {
    .kind = RNET_POOL_SUM, .height = 4, .width = 9,
    .channels = 5, .out_height = 3, .out_width = 4,
    .out_channels = 5, .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .pad_top = 0, .pad_left = -2,
    .count_pad = 1
};
static const struct rnet_pool_shape pool_5 = {
    .kind = RNET_POOL_AVERAGE, .height = 3, .width = 4,
    .channels = 5, .out_height = 3, .out_width = 4,
    .out_channels = 5, .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .pad_top = 1, .pad_left = 1,
    .count_pad = 0
};
static const struct rnet_pool_shape pool_6 = {
    .kind = RNET_POOL_SUM, .height = 3, .width = 4,
    .channels = 5, .out_height = 5, .out_width = 6,
    .out_channels = 5, .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .pad_top = 1, .pad_left = 1,
    .count_pad = 1
};
static const struct rnet_pool_shape pool_7 = {
    .kind = RNET_POOL_SUM, .height = 5, .width = 6,
    .channels = 5, .out_height = 3, .out_width = 4,
    .out_channels = 5, .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .pad_top = -1, .pad_left = -1,
    .count_pad = 1
};
static const struct rnet_pool_shape pool_8 = {
    .kind = RNET_POOL_SUM, .height = 1, .width = 4,
    .channels = 3, .out_height = 1, .out_width = 7,
    .out_channels = 3, .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .pad_top = 0, .pad_left = 1,
    .count_pad = 1
};
static const struct rnet_conv conv_1x3_3_5_9 = {
    .height = 1, .width = 7, .in = 3,
    .out_height = 1, .out_width = 5, .out = 5,
    .kernel_height = 1, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0,
    .groups = 1
};
static const struct rnet_pool_shape pool_10 = {
    .kind = RNET_POOL_SUM, .height = 1, .width = 5,
    .channels = 5, .out_height = 1, .out_width = 2,
    .out_channels = 5, .kernel_height = 1, .kernel_width = 1,
    .stride_y = 1, .stride_x = 1, .pad_top = 0, .pad_left = -1,
    .count_pad = 1
};
static const struct rnet_pool_shape pool_11 = {
    .kind = RNET_POOL_AVERAGE, .height = 1, .width = 2,
    .channels = 5, .out_height = 1, .out_width = 1,
    .out_channels = 5, .kernel_height = 1, .kernel_width = 2,
    .stride_y = 1, .stride_x = 2, .pad_top = 0, .pad_left = 0,
    .count_pad = 1
};
static const struct rnet_pool_shape pool_12 = {
    .kind = RNET_POOL_MAX, .height = 1, .width = 2,
    .channels = 5, .out_height = 1, .out_width = 1,
    .out_channels = 5, .kernel_height = 1, .kernel_width = 2,
    .stride_y = 1, .stride_x = 2, .pad_top = 0, .pad_left = 0,
    .count_pad = 1
};

/* ---- frames (frames.rnet:3) ----
 *
 *     network frames {
 *         input image [5, 6, 3]
 *         pad([1, 0, 2, 3]) -> conv(4, 3, padding = 0) -> tanh
 *         pad(1) -> conv(5, 3, padding = 0) -> silu -> crop([3, 4])
 *         avgpool(3, stride = 1, padding = 1, count_pad = no)
 *         concat(pad([0, 0, 0, 0]), pad(1) -> tanh -> crop([3, 4])) -> tanh
 *         flatten -> linear(12) -> reshape([4, 3])
 *         pad([1, 2]) -> conv1d(5, 3, padding = 0) -> tanh -> crop(2)
 *         concat(avgpool(all), maxpool(all)) -> linear(3)
 *         output y
 *         loss mse(y, target)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    FRAMES_CONV_0_WEIGHT = 0,
    FRAMES_CONV_0_BIAS = 432,
    FRAMES_CONV_1_WEIGHT = 448,
    FRAMES_CONV_1_BIAS = 1024,
    FRAMES_LINEAR_0_WEIGHT = 1040,
    FRAMES_LINEAR_0_BIAS = 2576,
    FRAMES_CONV1D_0_WEIGHT = 2592,
    FRAMES_CONV1D_0_BIAS = 2736,
    FRAMES_LINEAR_1_WEIGHT = 2752,
    FRAMES_LINEAR_1_BIAS = 2848,
};

static void frames_infer_pass(const struct rnet_run *run, const float *params,
                              float *scratch, const float *image,
                              const float *target, float *y)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)target;
    float *pad = scratch + 4224 * strips;
    float *tanh = scratch + 4224 * strips + 272 * run->batch;
    float *pad_2 = scratch + 4224 * strips;
    float *silu = scratch + 4224 * strips + 464 * run->batch;
    float *crop = scratch + 4224 * strips;
    float *avgpool = scratch + 4224 * strips + 288 * run->batch;
    float *concat = scratch + 4224 * strips + 160 * run->batch;
    float *tanh_2 = scratch + 4224 * strips;
    float *tanh_3 = scratch + 4224 * strips + 160 * run->batch;
    float *tanh_4 = scratch;
    float *linear = scratch + 3840 * strips;
    float *linear_2 = scratch + 4224 * strips + 32 * run->batch;
    float *pad_3 = scratch + 4224 * strips;
    float *tanh_5 = scratch + 4224 * strips + 32 * run->batch;
    float *crop_2 = scratch + 4224 * strips;
    float *avgpool_2 = scratch + 4224 * strips + 16 * run->batch;
    float *maxpool = scratch + 4224 * strips + 32 * run->batch;
    float *concat_2 = scratch;
    float *linear_3 = scratch + 320 * strips;
    /* pad = pool(image) */
    rnet_pool(run, run->batch, &pool_0, image, 3,
              RNET_STEPS(RNET_WITH(STORE, pad, 3)));
    /* tanh = tanh(conv.0.weight * pad + conv.0.bias) */
    rnet_conv(run, run->batch, &conv_3x3_3_4_1,
              RNET_STEPS(RNET_WITH(LOAD, pad, 3)),
              params + FRAMES_CONV_0_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + FRAMES_CONV_0_BIAS),
                         RNET_DO(TANH), RNET_WITH(STORE, tanh, 4)));
    /* pad_2 = pool(tanh) */
    rnet_pool(run, run->batch, &pool_2, tanh, 4,
              RNET_STEPS(RNET_WITH(STORE, pad_2, 4)));
    /* silu = silu(conv.1.weight * pad_2 + conv.1.bias) */
    rnet_conv(run, run->batch, &conv_3x3_4_5_3,
              RNET_STEPS(RNET_WITH(LOAD, pad_2, 4)),
              params + FRAMES_CONV_1_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + FRAMES_CONV_1_BIAS),
                         RNET_DO(SILU), RNET_WITH(STORE, silu, 5)));
    /* crop = pool(silu) */
    rnet_pool(run, run->batch, &pool_4, silu, 5,
              RNET_STEPS(RNET_WITH(STORE, crop, 5)));
    /* avgpool = pool(crop) */
    /* concat = avgpool */
    rnet_pool(run, run->batch, &pool_5, crop, 5,
              RNET_STEPS(RNET_WITH(STORE, avgpool, 5),
                         RNET_WITH(STORE, concat, 10)));
    /* tanh_2 = tanh(pool(avgpool)) */
    rnet_pool(run, run->batch, &pool_6, avgpool, 5,
              RNET_STEPS(RNET_DO(TANH), RNET_WITH(STORE, tanh_2, 5)));
    /* concat = pool(tanh_2) */
    rnet_pool(run, run->batch, &pool_7, tanh_2, 5,
              RNET_STEPS(RNET_WITH(STORE, concat + 5, 10)));
    /* tanh_3 = tanh(concat) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 12 * run->batch, 12 }, 10,
               RNET_STEPS(RNET_WITH(LOAD, concat, 10), RNET_DO(TANH),
                          RNET_WITH(STORE, tanh_3, 10)));
    /* tanh_4 = pack(tanh_3) */
    rnet_pack_rows(run, run->batch, 120, tanh_3, 120,
                   RNET_STEPS(RNET_WITH(STORE, tanh_4, 120)));
    /* linear = linear.0.weight tanh_4 + linear.0.bias */
    rnet_linear(run, run->batch, 120, 12, tanh_4, 120,
                params + FRAMES_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + FRAMES_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 12)));
    /* linear_2 = unpack(linear) */
    rnet_unpack_rows(run, run->batch, 12, linear, 12,
                     RNET_STEPS(RNET_WITH(STORE, linear_2, 12)));
    /* pad_3 = pool(linear_2) */
    rnet_pool(run, run->batch, &pool_8, linear_2, 3,
              RNET_STEPS(RNET_WITH(STORE, pad_3, 3)));
    /* tanh_5 = tanh(conv1d.0.weight * pad_3 + conv1d.0.bias) */
    rnet_conv(run, run->batch, &conv_1x3_3_5_9,
              RNET_STEPS(RNET_WITH(LOAD, pad_3, 3)),
              params + FRAMES_CONV1D_0_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + FRAMES_CONV1D_0_BIAS),
                         RNET_DO(TANH), RNET_WITH(STORE, tanh_5, 5)));
    /* crop_2 = pool(tanh_5) */
    rnet_pool(run, run->batch, &pool_10, tanh_5, 5,
              RNET_STEPS(RNET_WITH(STORE, crop_2, 5)));
    /* avgpool_2 = pool(crop_2) */
    rnet_pool(run, run->batch, &pool_11, crop_2, 5,
              RNET_STEPS(RNET_WITH(STORE, avgpool_2, 5)));
    /* maxpool = pool(crop_2) */
    rnet_pool(run, run->batch, &pool_12, crop_2, 5,
              RNET_STEPS(RNET_WITH(STORE, maxpool, 5)));
    /* concat_2 = pack(avgpool_2) */
    rnet_pack_rows(run, run->batch, 5, avgpool_2, 5,
                   RNET_STEPS(RNET_WITH(STORE, concat_2, 10)));
    /* concat_2 = pack(maxpool) */
    rnet_pack_rows(run, run->batch, 5, maxpool, 5,
                   RNET_STEPS(RNET_WITH(STORE, concat_2 + 160, 10)));
    /* linear_3 = linear.1.weight concat_2 + linear.1.bias */
    rnet_linear(run, run->batch, 10, 3, concat_2, 10,
                params + FRAMES_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + FRAMES_LINEAR_1_BIAS),
                           RNET_WITH(STORE, linear_3, 3)));
    /* y = unpack(linear_3) */
    rnet_unpack_rows(run, run->batch, 3, linear_3, 3,
                     RNET_STEPS(RNET_WITH(STORE, y, 3)));
}

static void frames_forward_pass(const struct rnet_run *run,
                                const float *params, float *saved,
                                float *scratch, const float *image,
                                const float *target, float *y)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)target;
    float *pad = saved;
    float *tanh = saved + 208 * run->batch;
    float *pad_2 = saved + 352 * run->batch;
    float *conv = saved + 624 * run->batch;
    float *silu = scratch + 384 * strips;
    float *crop = scratch + 384 * strips + 192 * run->batch;
    float *avgpool = scratch + 384 * strips + 128 * run->batch;
    float *concat = scratch + 384 * strips;
    float *tanh_2 = saved + 816 * run->batch;
    float *tanh_3 = saved + 976 * run->batch;
    float *tanh_4 = saved + 1104 * run->batch;
    float *linear = scratch;
    float *linear_2 = scratch + 384 * strips;
    float *pad_3 = saved + 3840 * strips + 1104 * run->batch;
    float *tanh_5 = saved + 3840 * strips + 1136 * run->batch;
    float *crop_2 = saved + 3840 * strips + 1168 * run->batch;
    float *avgpool_2 = scratch + 384 * strips;
    float *maxpool = scratch + 384 * strips + 16 * run->batch;
    float *concat_2 = saved + 3840 * strips + 1184 * run->batch;
    float *linear_3 = saved + 4160 * strips + 1184 * run->batch;
    /* pad = pool(image) */
    rnet_pool(run, run->batch, &pool_0, image, 3,
              RNET_STEPS(RNET_WITH(STORE, pad, 3)));
    /* tanh = tanh(conv.0.weight * pad + conv.0.bias) */
    rnet_conv(run, run->batch, &conv_3x3_3_4_1,
              RNET_STEPS(RNET_WITH(LOAD, pad, 3)),
              params + FRAMES_CONV_0_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + FRAMES_CONV_0_BIAS),
                         RNET_DO(TANH), RNET_WITH(STORE, tanh, 4)));
    /* pad_2 = pool(tanh) */
    rnet_pool(run, run->batch, &pool_2, tanh, 4,
              RNET_STEPS(RNET_WITH(STORE, pad_2, 4)));
    /* conv = conv.1.weight * pad_2 + conv.1.bias */
    /* silu = silu(conv) */
    rnet_conv(run, run->batch, &conv_3x3_4_5_3,
              RNET_STEPS(RNET_WITH(LOAD, pad_2, 4)),
              params + FRAMES_CONV_1_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + FRAMES_CONV_1_BIAS),
                         RNET_WITH(STORE, conv, 5), RNET_DO(SILU),
                         RNET_WITH(STORE, silu, 5)));
    /* crop = pool(silu) */
    rnet_pool(run, run->batch, &pool_4, silu, 5,
              RNET_STEPS(RNET_WITH(STORE, crop, 5)));
    /* avgpool = pool(crop) */
    /* concat = avgpool */
    rnet_pool(run, run->batch, &pool_5, crop, 5,
              RNET_STEPS(RNET_WITH(STORE, avgpool, 5),
                         RNET_WITH(STORE, concat, 10)));
    /* tanh_2 = tanh(pool(avgpool)) */
    rnet_pool(run, run->batch, &pool_6, avgpool, 5,
              RNET_STEPS(RNET_DO(TANH), RNET_WITH(STORE, tanh_2, 5)));
    /* concat = pool(tanh_2) */
    rnet_pool(run, run->batch, &pool_7, tanh_2, 5,
              RNET_STEPS(RNET_WITH(STORE, concat + 5, 10)));
    /* tanh_3 = tanh(concat) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 12 * run->batch, 12 }, 10,
               RNET_STEPS(RNET_WITH(LOAD, concat, 10), RNET_DO(TANH),
                          RNET_WITH(STORE, tanh_3, 10)));
    /* tanh_4 = pack(tanh_3) */
    rnet_pack_rows(run, run->batch, 120, tanh_3, 120,
                   RNET_STEPS(RNET_WITH(STORE, tanh_4, 120)));
    /* linear = linear.0.weight tanh_4 + linear.0.bias */
    rnet_linear(run, run->batch, 120, 12, tanh_4, 120,
                params + FRAMES_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + FRAMES_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 12)));
    /* linear_2 = unpack(linear) */
    rnet_unpack_rows(run, run->batch, 12, linear, 12,
                     RNET_STEPS(RNET_WITH(STORE, linear_2, 12)));
    /* pad_3 = pool(linear_2) */
    rnet_pool(run, run->batch, &pool_8, linear_2, 3,
              RNET_STEPS(RNET_WITH(STORE, pad_3, 3)));
    /* tanh_5 = tanh(conv1d.0.weight * pad_3 + conv1d.0.bias) */
    rnet_conv(run, run->batch, &conv_1x3_3_5_9,
              RNET_STEPS(RNET_WITH(LOAD, pad_3, 3)),
              params + FRAMES_CONV1D_0_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + FRAMES_CONV1D_0_BIAS),
                         RNET_DO(TANH), RNET_WITH(STORE, tanh_5, 5)));
    /* crop_2 = pool(tanh_5) */
    rnet_pool(run, run->batch, &pool_10, tanh_5, 5,
              RNET_STEPS(RNET_WITH(STORE, crop_2, 5)));
    /* avgpool_2 = pool(crop_2) */
    rnet_pool(run, run->batch, &pool_11, crop_2, 5,
              RNET_STEPS(RNET_WITH(STORE, avgpool_2, 5)));
    /* maxpool = pool(crop_2) */
    rnet_pool(run, run->batch, &pool_12, crop_2, 5,
              RNET_STEPS(RNET_WITH(STORE, maxpool, 5)));
    /* concat_2 = pack(avgpool_2) */
    rnet_pack_rows(run, run->batch, 5, avgpool_2, 5,
                   RNET_STEPS(RNET_WITH(STORE, concat_2, 10)));
    /* concat_2 = pack(maxpool) */
    rnet_pack_rows(run, run->batch, 5, maxpool, 5,
                   RNET_STEPS(RNET_WITH(STORE, concat_2 + 160, 10)));
    /* linear_3 = linear.1.weight concat_2 + linear.1.bias */
    rnet_linear(run, run->batch, 10, 3, concat_2, 10,
                params + FRAMES_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + FRAMES_LINEAR_1_BIAS),
                           RNET_WITH(STORE, linear_3, 3)));
    if (y) {
        /* y = unpack(linear_3) */
        rnet_unpack_rows(run, run->batch, 3, linear_3, 3,
                         RNET_STEPS(RNET_WITH(STORE, y, 3)));
    }
}

static void frames_backward_pass(const struct rnet_run *run,
                                 const float *params, float *grads,
                                 float *saved, float *scratch,
                                 const float *image, const float *target,
                                 float *loss, float *image_grad)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)image;
    float *linear = saved + 4160 * strips + 1184 * run->batch;
    float *d_linear = scratch + 320 * strips;
    float *lines = scratch;
    float *concat = saved + 3840 * strips + 1184 * run->batch;
    float *d_concat = scratch;
    float *d_maxpool = scratch + 4224 * strips;
    float *d_avgpool = scratch + 4224 * strips + 16 * run->batch;
    float *d_crop = scratch + 4224 * strips + 32 * run->batch;
    float *crop = saved + 3840 * strips + 1168 * run->batch;
    float *d_crop_2 = scratch + 4224 * strips + 32 * run->batch;
    float *tanh = saved + 3840 * strips + 1136 * run->batch;
    float *d_conv = scratch + 4224 * strips;
    float *d_pad = scratch + 4224 * strips + 32 * run->batch;
    float *pad = saved + 3840 * strips + 1104 * run->batch;
    float *d_linear_2 = scratch + 4224 * strips;
    float *d_linear_3 = scratch + 3840 * strips;
    float *tanh_2 = saved + 1104 * run->batch;
    float *d_tanh = scratch;
    float *d_tanh_2 = scratch + 4224 * strips;
    float *tanh_3 = saved + 976 * run->batch;
    float *d_concat_2 = scratch + 4224 * strips + 160 * run->batch;
    float *tanh_4 = saved + 816 * run->batch;
    float *d_pad_2 = scratch + 4224 * strips;
    float *d_avgpool_2 = scratch + 4224 * strips + 288 * run->batch;
    float *d_crop_3 = scratch + 4224 * strips;
    float *conv = saved + 624 * run->batch;
    float *d_conv_2 = scratch + 4224 * strips + 272 * run->batch;
    float *d_pad_3 = scratch + 4224 * strips;
    float *pad_2 = saved + 352 * run->batch;
    float *tanh_5 = saved + 208 * run->batch;
    float *d_conv_3 = scratch + 4224 * strips + 272 * run->batch;
    float *pad_3 = saved;
    float *d_pad_4 = scratch + 4224 * strips;
    float *d_image = scratch + 4224 * strips + 208 * run->batch;
    /* d_linear = dloss / dlinear */
    rnet_loss(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 3,
              RNET_LOSS_SQUARED, 1.0f, linear, 3, target, lines, loss,
              RNET_STEPS(RNET_WITH(STORE, d_linear, 3)));
    rnet_linear_grad_weight(run, run->batch, 10, 3,
                            grads + FRAMES_LINEAR_1_WEIGHT,
                            grads + FRAMES_LINEAR_1_BIAS, d_linear, 3, concat,
                            10);
    /* d_concat = linear.1.weight' d_linear */
    rnet_linear_grad_input(run, run->batch, 10, 3, d_linear, 3,
                           params + FRAMES_LINEAR_1_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_concat, 10)));
    /* d_maxpool = unpack(d_concat) */
    rnet_unpack_rows(run, run->batch, 5, d_concat + 160, 10,
                     RNET_STEPS(RNET_WITH(STORE, d_maxpool, 5)));
    /* d_avgpool = unpack(d_concat) */
    rnet_unpack_rows(run, run->batch, 5, d_concat, 10,
                     RNET_STEPS(RNET_WITH(STORE, d_avgpool, 5)));
    /* d_crop = pool_grad(d_maxpool) */
    rnet_pool_grad(run, run->batch, &pool_12, d_maxpool, 5, crop, 5,
                   RNET_STEPS(RNET_WITH(STORE, d_crop, 5)));
    /* d_crop_2 = pool_grad(d_avgpool) + d_crop */
    rnet_pool_grad(run, run->batch, &pool_11, d_avgpool, 5, NULL, 0,
                   RNET_STEPS(RNET_WITH(ADD, d_crop, 5),
                              RNET_WITH(STORE, d_crop_2, 5)));
    /* d_conv = tanh'(tanh) (pool_grad(d_crop_2)) */
    rnet_pool_grad(run, run->batch, &pool_10, d_crop_2, 5, NULL, 0,
                   RNET_STEPS(RNET_WITH(TANH_GRAD, tanh, 5),
                              RNET_WITH(STORE, d_conv, 5)));
    /* d_pad = conv1d.0.weight' * d_conv */
    rnet_conv_grad(run, run->batch, &conv_1x3_3_5_9,
                   RNET_STEPS(RNET_WITH(LOAD, pad, 3)),
                   RNET_STEPS(RNET_WITH(LOAD, d_conv, 5)),
                   params + FRAMES_CONV1D_0_WEIGHT,
                   grads + FRAMES_CONV1D_0_WEIGHT,
                   grads + FRAMES_CONV1D_0_BIAS,
                   RNET_STEPS(RNET_WITH(STORE, d_pad, 3)));
    /* d_linear_2 = pool_grad(d_pad) */
    rnet_pool_grad(run, run->batch, &pool_8, d_pad, 3, NULL, 0,
                   RNET_STEPS(RNET_WITH(STORE, d_linear_2, 3)));
    /* d_linear_3 = pack(d_linear_2) */
    rnet_pack_rows(run, run->batch, 12, d_linear_2, 12,
                   RNET_STEPS(RNET_WITH(STORE, d_linear_3, 12)));
    rnet_linear_grad_weight(run, run->batch, 120, 12,
                            grads + FRAMES_LINEAR_0_WEIGHT,
                            grads + FRAMES_LINEAR_0_BIAS, d_linear_3, 12,
                            tanh_2, 120);
    /* d_tanh = linear.0.weight' d_linear_3 */
    rnet_linear_grad_input(run, run->batch, 120, 12, d_linear_3, 12,
                           params + FRAMES_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_tanh, 120)));
    /* d_tanh_2 = unpack(d_tanh) */
    rnet_unpack_rows(run, run->batch, 120, d_tanh, 120,
                     RNET_STEPS(RNET_WITH(STORE, d_tanh_2, 120)));
    /* d_concat_2 = tanh'(tanh_3) (d_tanh_2) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 12 * run->batch, 12 }, 10,
               RNET_STEPS(RNET_WITH(LOAD, d_tanh_2, 10),
                          RNET_WITH(TANH_GRAD, tanh_3, 10),
                          RNET_WITH(STORE, d_concat_2, 10)));
    /* d_pad_2 = tanh'(tanh_4) (pool_grad(d_concat_2)) */
    rnet_pool_grad(run, run->batch, &pool_7, d_concat_2 + 5, 10, NULL, 0,
                   RNET_STEPS(RNET_WITH(TANH_GRAD, tanh_4, 5),
                              RNET_WITH(STORE, d_pad_2, 5)));
    /* d_avgpool_2 = pool_grad(d_pad_2) + d_concat_2 */
    rnet_pool_grad(run, run->batch, &pool_6, d_pad_2, 5, NULL, 0,
                   RNET_STEPS(RNET_WITH(ADD, d_concat_2, 10),
                              RNET_WITH(STORE, d_avgpool_2, 5)));
    /* d_crop_3 = pool_grad(d_avgpool_2) */
    rnet_pool_grad(run, run->batch, &pool_5, d_avgpool_2, 5, NULL, 0,
                   RNET_STEPS(RNET_WITH(STORE, d_crop_3, 5)));
    /* d_conv_2 = silu'(conv) (pool_grad(d_crop_3)) */
    rnet_pool_grad(run, run->batch, &pool_4, d_crop_3, 5, NULL, 0,
                   RNET_STEPS(RNET_WITH(SILU_GRAD, conv, 5),
                              RNET_WITH(STORE, d_conv_2, 5)));
    /* d_pad_3 = conv.1.weight' * d_conv_2 */
    rnet_conv_grad(run, run->batch, &conv_3x3_4_5_3,
                   RNET_STEPS(RNET_WITH(LOAD, pad_2, 4)),
                   RNET_STEPS(RNET_WITH(LOAD, d_conv_2, 5)),
                   params + FRAMES_CONV_1_WEIGHT, grads + FRAMES_CONV_1_WEIGHT,
                   grads + FRAMES_CONV_1_BIAS,
                   RNET_STEPS(RNET_WITH(STORE, d_pad_3, 4)));
    /* d_conv_3 = tanh'(tanh_5) (pool_grad(d_pad_3)) */
    rnet_pool_grad(run, run->batch, &pool_2, d_pad_3, 4, NULL, 0,
                   RNET_STEPS(RNET_WITH(TANH_GRAD, tanh_5, 4),
                              RNET_WITH(STORE, d_conv_3, 4)));
    rnet_conv_grad(run, run->batch, &conv_3x3_3_4_1,
                   RNET_STEPS(RNET_WITH(LOAD, pad_3, 3)),
                   RNET_STEPS(RNET_WITH(LOAD, d_conv_3, 4)),
                   params + FRAMES_CONV_0_WEIGHT, grads + FRAMES_CONV_0_WEIGHT,
                   grads + FRAMES_CONV_0_BIAS, RNET_NO_STEPS);
    if (image_grad) {
        /* d_pad_4 = conv.0.weight' * d_conv_3 */
        rnet_conv_grad(run, run->batch, &conv_3x3_3_4_1,
                       RNET_STEPS(RNET_WITH(LOAD, pad_3, 3)),
                       RNET_STEPS(RNET_WITH(LOAD, d_conv_3, 4)),
                       params + FRAMES_CONV_0_WEIGHT, NULL, NULL,
                       RNET_STEPS(RNET_WITH(STORE, d_pad_4, 3)));
        /* d_image = pool_grad(d_pad_4) */
        rnet_pool_grad(run, run->batch, &pool_0, d_pad_4, 3, NULL, 0,
                       RNET_STEPS(RNET_WITH(STORE, d_image, 3)));
        /* image_grad = d_image */
        rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 30 * run->batch, 30 },
                   3,
                   RNET_STEPS(RNET_WITH(LOAD, d_image, 3),
                              RNET_WITH(STORE, image_grad, 3)));
    }
}

/* ---- entry points ---- */

_Static_assert(RNET_WORKER_FLOATS == 49152,
               "librnet and rnetc do not belong together");
_Static_assert(RNET_CONV_WORKER_FLOATS(6, 11, 3,
    4, 9, 4, 3, 3, 1, 1, 0, 0, 0, 0)
    <= 2304, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(6, 11, 4,
    4, 9, 5, 3, 3, 1, 1, 0, 0, 0, 0)
    <= 2304, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(1, 7, 3,
    1, 5, 5, 1, 3, 1, 1, 0, 0, 0, 0)
    <= 2304, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(3, 5, 1, 3, 1)
    <= 18624, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(4, 5, 3, 3, 1)
    <= 18624, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(3, 4, 3, 3, 1)
    <= 18624, "librnet needs more scratch than rnetc knows");

enum rnet_status frames_infer(const float *params, const float *image,
                              float *y, size_t batch, struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, FRAMES_INFER_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if (!image || !y)
        return RNET_NULL;
    if (batch == 0)
        return RNET_OK;
    struct rnet_run here, *run = &here;
    float *memory = (float *)work->memory;

    rnet_begin(run, work, batch, 0);
    run->scratch = memory;
    run->scratch_floats = 0;
    run->workers = memory + 0;
    run->worker_floats = 51456;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    frames_infer_pass(run, params, memory, image, NULL, y);
    rnet_end(run);
    return RNET_OK;
}

static enum rnet_status infer_by_table(const float *params,
    const void *const *inputs, float *const *outputs,
    size_t batch, struct rnet_work *work)
{
    if (!inputs || !outputs)
        return RNET_NULL;
    return frames_infer(params, (const float *)inputs[0], outputs[0], batch,
                        work);
}

enum rnet_status frames_train(float *params, const float *image,
                              const float *target, float *y, float *loss,
                              float *grads, float *image_grad, size_t batch,
                              struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, FRAMES_TRAIN_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if ((status = rnet_check_array(grads)) != RNET_OK)
        return status;
    if (!image || !target || !loss)
        return RNET_NULL;
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
    run->worker_floats = 51456;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    const long strips = RNET_STRIP_COUNT(1 * run->batch);
    frames_forward_pass(run, params, memory,
                        memory + 4256 * strips + 1184 * run->batch, image,
                        target, y);
    *loss = 0;
    frames_backward_pass(run, params, grads, memory,
                         memory + 4256 * strips + 1184 * run->batch, image,
                         target, loss, image_grad);
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
    return frames_train(params, (const float *)inputs[0],
                        (const float *)inputs[1], outputs ? outputs[0] : NULL,
                        loss, grads, input_grads ? input_grads[0] : NULL,
                        batch, work);
}

/* ---- the table ---- */

static const struct rnet_tensor tensors[] = {
    { .name = "conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1, .rank = 4,
      .shape = { 4, 3, 3, 3 }, .floats = 432, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.27216553f },
    { .name = "conv.0.bias", .groups = 1, .rank = 1, .shape = { 4 },
      .offset = 432, .floats = 16, .trainable = 1 },
    { .name = "conv.1.weight", .pack = RNET_PACK_CONV, .groups = 1, .rank = 4,
      .shape = { 5, 4, 3, 3 }, .offset = 448, .floats = 576, .trainable = 1,
      .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.23570226f },
    { .name = "conv.1.bias", .groups = 1, .rank = 1, .shape = { 5 },
      .offset = 1024, .floats = 16, .trainable = 1 },
    { .name = "linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 12, 120 }, .offset = 1040, .floats = 1536,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.12909944f },
    { .name = "linear.0.bias", .groups = 1, .rank = 1, .shape = { 12 },
      .offset = 2576, .floats = 16, .trainable = 1 },
    { .name = "conv1d.0.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 3, .shape = { 5, 3, 3 }, .offset = 2592, .floats = 144,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.47140452f },
    { .name = "conv1d.0.bias", .groups = 1, .rank = 1, .shape = { 5 },
      .offset = 2736, .floats = 16, .trainable = 1 },
    { .name = "linear.1.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 3, 10 }, .offset = 2752, .floats = 96,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.4472136f },
    { .name = "linear.1.bias", .groups = 1, .rank = 1, .shape = { 3 },
      .offset = 2848, .floats = 16, .trainable = 1 },
};

static const struct rnet_port inputs[] = {
    { .name = "image", .integer = 0, .target = 0, .classes = 0,
      .rank = 3, .shape = { 5, 6, 3 }, .size = 90 },
    { .name = "target", .integer = 0, .target = 1, .classes = 0,
      .rank = 1, .shape = { 3 }, .size = 3 },
};

static const struct rnet_port outputs[] = {
    { .name = "y", .integer = 0, .target = 0, .classes = 0,
      .rank = 1, .shape = { 3 }, .size = 3 },
};

static size_t infer_bytes(size_t batch, int threads)
{
    (void)batch;
    return FRAMES_INFER_BYTES(batch, threads);
}

static size_t train_bytes(size_t batch, int threads)
{
    (void)batch;
    return FRAMES_TRAIN_BYTES(batch, threads);
}

const struct rnet_network frames = {
    .version = RNET_VERSION,
    .name = "frames",
    .trainable = 1832,
    .grad_floats = 2864,
    .param_floats = 2864,
    .tensors = tensors,
    .tensor_rows = 10,
    .inputs = inputs,
    .outputs = outputs,
    .input_count = 2,
    .output_count = 1,
    .infer_bytes = infer_bytes,
    .train_bytes = train_bytes,
    .infer = infer_by_table,
    .train = train_by_table,
};

enum rnet_status frames_init(float *params, uint64_t seed)
{
    return rnet_init_params(&frames, params, seed);
}
