/* squeeze: emitted by rnetc 0.1.0 from squeeze.rnet; do not edit.
 *
 * 1573 parameters, 1 block.  Values lie where the plan put them: `saved` is
 * what the backward pass reads, `scratch` lives for one pass.  The layouts
 * and the kernels are described in rnet_kernels.h. */
#include "squeeze.h"

#include <rnet_kernels.h>

static const struct rnet_conv conv_3x3_6_6_0 = {
    .height = 5, .width = 6, .in = 6,
    .out_height = 5, .out_width = 6, .out = 6,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};
static const struct rnet_pool_shape pool_1 = {
    .kind = RNET_POOL_AVERAGE, .height = 5, .width = 6,
    .channels = 6, .out_height = 1, .out_width = 1,
    .out_channels = 6, .kernel_height = 5, .kernel_width = 6,
    .stride_y = 5, .stride_x = 6, .pad_top = 0, .pad_left = 0,
    .count_pad = 1
};
static const struct rnet_conv conv_3x3_3_6_2 = {
    .height = 5, .width = 6, .in = 3,
    .out_height = 5, .out_width = 6, .out = 6,
    .kernel_height = 3, .kernel_width = 3,
    .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1,
    .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
    .groups = 1
};

/* ---- basic_6 (squeeze.rnet:6) of [5, 6, 6] ----
 *
 *     block basic(channels) {
 *         shortcut identity
 *         conv(channels, 3) -> silu -> conv(channels, 3) -> se(2)
 *         then silu
 *     }
 */

enum {           /* where its parameters lie, in floats */
    BASIC_6_CONV_0_WEIGHT = 0,
    BASIC_6_CONV_0_BIAS = 864,
    BASIC_6_CONV_1_WEIGHT = 880,
    BASIC_6_CONV_1_BIAS = 1744,
    BASIC_6_SE_0_LINEAR_0_WEIGHT = 1760,
    BASIC_6_SE_0_LINEAR_0_BIAS = 1824,
    BASIC_6_SE_0_LINEAR_1_WEIGHT = 1840,
    BASIC_6_SE_0_LINEAR_1_BIAS = 2032,
};

static void basic_6_infer(const struct rnet_run *run, const float *params,
                          float *scratch, const float *x, float *y)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *silu = scratch + 320 * strips + 192 * run->batch;
    float *conv = scratch + 320 * strips;
    float *avgpool = scratch + 320 * strips + 192 * run->batch;
    float *avgpool_2 = scratch;
    float *silu_2 = scratch + 256 * strips;
    float *sigmoid = scratch;
    float *sigmoid_2 = scratch + 320 * strips + 192 * run->batch;
    /* silu = silu(conv.0.weight * x + conv.0.bias) */
    rnet_conv(run, run->batch, &conv_3x3_6_6_0,
              RNET_STEPS(RNET_WITH(LOAD, x, 6)),
              params + BASIC_6_CONV_0_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + BASIC_6_CONV_0_BIAS),
                         RNET_DO(SILU), RNET_WITH(STORE, silu, 6)));
    /* conv = conv.1.weight * silu + conv.1.bias */
    rnet_conv(run, run->batch, &conv_3x3_6_6_0,
              RNET_STEPS(RNET_WITH(LOAD, silu, 6)),
              params + BASIC_6_CONV_1_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + BASIC_6_CONV_1_BIAS),
                         RNET_WITH(STORE, conv, 6)));
    /* avgpool = pool(conv) */
    rnet_pool(run, run->batch, &pool_1, conv, 6,
              RNET_STEPS(RNET_WITH(STORE, avgpool, 6)));
    /* avgpool_2 = pack(avgpool) */
    rnet_pack_rows(run, run->batch, 6, avgpool, 6,
                   RNET_STEPS(RNET_WITH(STORE, avgpool_2, 6)));
    /* silu_2 = silu(se.0.linear.0.weight avgpool_2 + se.0.linear.0.bias) */
    rnet_linear(run, run->batch, 6, 2, avgpool_2, 6,
                params + BASIC_6_SE_0_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + BASIC_6_SE_0_LINEAR_0_BIAS),
                           RNET_DO(SILU), RNET_WITH(STORE, silu_2, 2)));
    /* sigmoid = sigmoid(se.0.linear.1.weight silu_2 + se.0.linear.1.bias) */
    rnet_linear(run, run->batch, 2, 6, silu_2, 2,
                params + BASIC_6_SE_0_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + BASIC_6_SE_0_LINEAR_1_BIAS),
                           RNET_DO(SIGMOID), RNET_WITH(STORE, sigmoid, 6)));
    /* sigmoid_2 = unpack(sigmoid) */
    rnet_unpack_rows(run, run->batch, 6, sigmoid, 6,
                     RNET_STEPS(RNET_WITH(STORE, sigmoid_2, 6)));
    /* y = silu((conv) sigmoid_2 + x) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 30 * run->batch, 30 }, 6,
               RNET_STEPS(RNET_WITH(LOAD, conv, 6),
                          RNET_BY_SAMPLE(MUL, sigmoid_2, 6),
                          RNET_WITH(ADD, x, 6), RNET_DO(SILU),
                          RNET_WITH(STORE, y, 6)));
}

static void basic_6_forward(const struct rnet_run *run, const float *params,
                            float *saved, float *scratch, const float *x,
                            float *y)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *conv = saved;
    float *silu = saved + 192 * run->batch;
    float *conv_2 = saved + 384 * run->batch;
    float *avgpool = scratch;
    float *avgpool_2 = saved + 576 * run->batch;
    float *linear = saved + 192 * strips + 576 * run->batch;
    float *silu_2 = saved + 256 * strips + 576 * run->batch;
    float *sigmoid = saved + 320 * strips + 576 * run->batch;
    float *sigmoid_2 = saved + 512 * strips + 576 * run->batch;
    float *sum = saved + 512 * strips + 592 * run->batch;
    /* conv = conv.0.weight * x + conv.0.bias */
    /* silu = silu(conv) */
    rnet_conv(run, run->batch, &conv_3x3_6_6_0,
              RNET_STEPS(RNET_WITH(LOAD, x, 6)),
              params + BASIC_6_CONV_0_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + BASIC_6_CONV_0_BIAS),
                         RNET_WITH(STORE, conv, 6), RNET_DO(SILU),
                         RNET_WITH(STORE, silu, 6)));
    /* conv_2 = conv.1.weight * silu + conv.1.bias */
    rnet_conv(run, run->batch, &conv_3x3_6_6_0,
              RNET_STEPS(RNET_WITH(LOAD, silu, 6)),
              params + BASIC_6_CONV_1_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + BASIC_6_CONV_1_BIAS),
                         RNET_WITH(STORE, conv_2, 6)));
    /* avgpool = pool(conv_2) */
    rnet_pool(run, run->batch, &pool_1, conv_2, 6,
              RNET_STEPS(RNET_WITH(STORE, avgpool, 6)));
    /* avgpool_2 = pack(avgpool) */
    rnet_pack_rows(run, run->batch, 6, avgpool, 6,
                   RNET_STEPS(RNET_WITH(STORE, avgpool_2, 6)));
    /* linear = se.0.linear.0.weight avgpool_2 + se.0.linear.0.bias */
    /* silu_2 = silu(linear) */
    rnet_linear(run, run->batch, 6, 2, avgpool_2, 6,
                params + BASIC_6_SE_0_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + BASIC_6_SE_0_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 2), RNET_DO(SILU),
                           RNET_WITH(STORE, silu_2, 2)));
    /* sigmoid = sigmoid(se.0.linear.1.weight silu_2 + se.0.linear.1.bias) */
    rnet_linear(run, run->batch, 2, 6, silu_2, 2,
                params + BASIC_6_SE_0_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + BASIC_6_SE_0_LINEAR_1_BIAS),
                           RNET_DO(SIGMOID), RNET_WITH(STORE, sigmoid, 6)));
    /* sigmoid_2 = unpack(sigmoid) */
    rnet_unpack_rows(run, run->batch, 6, sigmoid, 6,
                     RNET_STEPS(RNET_WITH(STORE, sigmoid_2, 6)));
    /* sum = (conv_2) sigmoid_2 + x */
    /* y = silu(sum) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 30 * run->batch, 30 }, 6,
               RNET_STEPS(RNET_WITH(LOAD, conv_2, 6),
                          RNET_BY_SAMPLE(MUL, sigmoid_2, 6),
                          RNET_WITH(ADD, x, 6), RNET_WITH(STORE, sum, 6),
                          RNET_DO(SILU), RNET_WITH(STORE, y, 6)));
}

static void basic_6_backward(const struct rnet_run *run, const float *params,
                             float *grads, float *saved, float *scratch,
                             const float *x, const float *dy, float *dx)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *sum = saved + 512 * strips + 592 * run->batch;
    float *d_sum = scratch + 256 * strips;
    float *sigmoid = saved + 512 * strips + 576 * run->batch;
    float *d_conv = scratch + 256 * strips + 192 * run->batch;
    float *conv = saved + 384 * run->batch;
    float *sums = scratch + 256 * strips + 384 * run->batch;
    float *sigmoid_2 = saved + 320 * strips + 576 * run->batch;
    float *d_linear = scratch;
    float *silu = saved + 256 * strips + 576 * run->batch;
    float *linear = saved + 192 * strips + 576 * run->batch;
    float *d_linear_2 = scratch + 192 * strips;
    float *avgpool = saved + 576 * run->batch;
    float *d_avgpool = scratch;
    float *d_avgpool_2 = scratch + 256 * strips + 384 * run->batch;
    float *d_conv_2 = scratch + 256 * strips + 192 * run->batch;
    float *conv_2 = saved;
    float *d_conv_3 = scratch + 256 * strips + 384 * run->batch;
    float *silu_2 = saved + 192 * run->batch;
    /* d_sum = silu'(sum) (dy) */
    /* d_conv = (d_sum) sigmoid */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 30 * run->batch, 30 }, 6,
               RNET_STEPS(RNET_WITH(LOAD, dy, 6),
                          RNET_WITH(SILU_GRAD, sum, 6),
                          RNET_WITH(STORE, d_sum, 6),
                          RNET_SUM_WITH(SUM_PRODUCT, conv, 6, sums),
                          RNET_BY_SAMPLE(MUL, sigmoid, 6),
                          RNET_WITH(STORE, d_conv, 6)));
    /* d_linear = sigmoid'(sigmoid_2) (pack(sums)) */
    rnet_pack_rows(run, run->batch, 6, sums, 6,
                   RNET_STEPS(RNET_WITH(SIGMOID_GRAD, sigmoid_2, 6),
                              RNET_WITH(STORE, d_linear, 6)));
    rnet_linear_grad_weight(run, run->batch, 2, 6,
                            grads + BASIC_6_SE_0_LINEAR_1_WEIGHT,
                            grads + BASIC_6_SE_0_LINEAR_1_BIAS, d_linear, 6,
                            silu, 2);
    /* d_linear_2 = silu'(linear) (se.0.linear.1.weight' d_linear) */
    rnet_linear_grad_input(run, run->batch, 2, 6, d_linear, 6,
                           params + BASIC_6_SE_0_LINEAR_1_WEIGHT,
                           RNET_STEPS(RNET_WITH(SILU_GRAD, linear, 2),
                                      RNET_WITH(STORE, d_linear_2, 2)));
    rnet_linear_grad_weight(run, run->batch, 6, 2,
                            grads + BASIC_6_SE_0_LINEAR_0_WEIGHT,
                            grads + BASIC_6_SE_0_LINEAR_0_BIAS, d_linear_2, 2,
                            avgpool, 6);
    /* d_avgpool = se.0.linear.0.weight' d_linear_2 */
    rnet_linear_grad_input(run, run->batch, 6, 2, d_linear_2, 2,
                           params + BASIC_6_SE_0_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_avgpool, 6)));
    /* d_avgpool_2 = unpack(d_avgpool) */
    rnet_unpack_rows(run, run->batch, 6, d_avgpool, 6,
                     RNET_STEPS(RNET_WITH(STORE, d_avgpool_2, 6)));
    /* d_conv_2 = pool_grad(d_avgpool_2) + d_conv */
    rnet_pool_grad(run, run->batch, &pool_1, d_avgpool_2, 6, NULL, 0,
                   RNET_STEPS(RNET_WITH(ADD, d_conv, 6),
                              RNET_WITH(STORE, d_conv_2, 6)));
    /* d_conv_3 = silu'(conv_2) (conv.1.weight' * d_conv_2) */
    rnet_conv_grad(run, run->batch, &conv_3x3_6_6_0,
                   RNET_STEPS(RNET_WITH(LOAD, silu_2, 6)),
                   RNET_STEPS(RNET_WITH(LOAD, d_conv_2, 6)),
                   params + BASIC_6_CONV_1_WEIGHT,
                   grads + BASIC_6_CONV_1_WEIGHT, grads + BASIC_6_CONV_1_BIAS,
                   RNET_STEPS(RNET_WITH(SILU_GRAD, conv_2, 6),
                              RNET_WITH(STORE, d_conv_3, 6)));
    /* dx = conv.0.weight' * d_conv_3 + d_sum */
    rnet_conv_grad(run, run->batch, &conv_3x3_6_6_0,
                   RNET_STEPS(RNET_WITH(LOAD, x, 6)),
                   RNET_STEPS(RNET_WITH(LOAD, d_conv_3, 6)),
                   params + BASIC_6_CONV_0_WEIGHT,
                   grads + BASIC_6_CONV_0_WEIGHT, grads + BASIC_6_CONV_0_BIAS,
                   RNET_STEPS(RNET_WITH(ADD, d_sum, 6),
                              RNET_WITH(STORE, dx, 6)));
}

/* ---- squeeze (squeeze.rnet:11) ----
 *
 *     network squeeze(channels = 6) {
 *         input image [5, 6, 3]
 *         conv(channels, 3) -> silu
 *         repeat 2 { basic(channels) }
 *         avgpool(all) -> linear(3)
 *         output logits
 *         loss cross_entropy(logits, label)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    SQUEEZE_CONV_0_WEIGHT = 0,
    SQUEEZE_CONV_0_BIAS = 432,
    SQUEEZE_LINEAR_0_WEIGHT = 448,
    SQUEEZE_LINEAR_0_BIAS = 544,
};

static void squeeze_infer_pass(const struct rnet_run *run, const float *params,
                               float *scratch, const float *image,
                               const int32_t *label, float *logits)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *silu = scratch + 288 * strips + 192 * run->batch;
    float *x_2 = scratch + 288 * strips + 192 * run->batch;
    float *avgpool = scratch + 288 * strips;
    float *avgpool_2 = scratch;
    float *linear = scratch + 192 * strips;
    /* silu = silu(conv.0.weight * image + conv.0.bias) */
    rnet_conv(run, run->batch, &conv_3x3_3_6_2,
              RNET_STEPS(RNET_WITH(LOAD, image, 3)),
              params + SQUEEZE_CONV_0_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + SQUEEZE_CONV_0_BIAS),
                         RNET_DO(SILU), RNET_WITH(STORE, silu, 6)));
    for (long i = 0; i < 2; i++) {
        const float *p = params + 560 + i * 2048;
        const float *x_3 = i == 0 ? silu : x_2;
        float *y_2 = x_2;
        basic_6_infer(run, p, scratch + 288 * strips + 384 * run->batch, x_3,
                      y_2);
    }
    /* avgpool = pool(x_2) */
    rnet_pool(run, run->batch, &pool_1, x_2, 6,
              RNET_STEPS(RNET_WITH(STORE, avgpool, 6)));
    /* avgpool_2 = pack(avgpool) */
    rnet_pack_rows(run, run->batch, 6, avgpool, 6,
                   RNET_STEPS(RNET_WITH(STORE, avgpool_2, 6)));
    /* linear = linear.0.weight avgpool_2 + linear.0.bias */
    rnet_linear(run, run->batch, 6, 3, avgpool_2, 6,
                params + SQUEEZE_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + SQUEEZE_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 3)));
    /* logits = unpack(linear) */
    rnet_unpack_rows(run, run->batch, 3, linear, 3,
                     RNET_STEPS(RNET_WITH(STORE, logits, 3)));
}

static void squeeze_forward_pass(const struct rnet_run *run,
                                 const float *params, float *saved,
                                 float *scratch, const float *image,
                                 const int32_t *label, float *logits)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *conv = saved;
    float *silu = saved + 192 * run->batch;
    float *x_2 = scratch;
    float *kept_2 = saved + 1312 * strips + 1952 * run->batch;
    float *avgpool = scratch + 192 * run->batch;
    float *avgpool_2 = saved + 384 * run->batch;
    float *linear = saved + 192 * strips + 384 * run->batch;
    /* conv = conv.0.weight * image + conv.0.bias */
    /* silu = silu(conv) */
    rnet_conv(run, run->batch, &conv_3x3_3_6_2,
              RNET_STEPS(RNET_WITH(LOAD, image, 3)),
              params + SQUEEZE_CONV_0_WEIGHT,
              RNET_STEPS(RNET_BY_FEATURE(ADD, params + SQUEEZE_CONV_0_BIAS),
                         RNET_WITH(STORE, conv, 6), RNET_DO(SILU),
                         RNET_WITH(STORE, silu, 6)));
    for (long i = 0; i < 2; i++) {
        const float *p = params + 560 + i * 2048;
        float *kept = saved + 288 * strips + 384 * run->batch + i * (512 * strips + 784 * run->batch);
        const float *x_3 = i ? kept_2 + (i - 1) * (192 * run->batch) : silu;
        float *y_2 = i < 1 ? kept_2 + i * (192 * run->batch) : x_2;
        basic_6_forward(run, p, kept, scratch + 208 * run->batch, x_3, y_2);
    }
    /* avgpool = pool(x_2) */
    rnet_pool(run, run->batch, &pool_1, x_2, 6,
              RNET_STEPS(RNET_WITH(STORE, avgpool, 6)));
    /* avgpool_2 = pack(avgpool) */
    rnet_pack_rows(run, run->batch, 6, avgpool, 6,
                   RNET_STEPS(RNET_WITH(STORE, avgpool_2, 6)));
    /* linear = linear.0.weight avgpool_2 + linear.0.bias */
    rnet_linear(run, run->batch, 6, 3, avgpool_2, 6,
                params + SQUEEZE_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + SQUEEZE_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 3)));
    if (logits) {
        /* logits = unpack(linear) */
        rnet_unpack_rows(run, run->batch, 3, linear, 3,
                         RNET_STEPS(RNET_WITH(STORE, logits, 3)));
    }
}

static void squeeze_backward_pass(const struct rnet_run *run,
                                  const float *params, float *grads,
                                  float *saved, float *scratch,
                                  const float *image, const int32_t *label,
                                  float *loss, float *image_grad)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *linear = saved + 192 * strips + 384 * run->batch;
    float *d_linear = scratch + 192 * strips;
    float *lines = scratch;
    float *avgpool = saved + 384 * run->batch;
    float *d_avgpool = scratch;
    float *d_avgpool_2 = scratch + 288 * strips + 192 * run->batch;
    float *d_x = scratch + 288 * strips;
    float *kept_2 = saved + 1312 * strips + 1952 * run->batch;
    float *silu = saved + 192 * run->batch;
    float *d_silu = scratch + 288 * strips;
    float *conv = saved;
    float *d_conv = scratch + 288 * strips;
    float *d_image = scratch + 288 * strips + 192 * run->batch;
    /* d_linear = dloss / dlinear */
    rnet_cross_entropy(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 },
                       3, 1.0f, linear, 3, label, lines, loss,
                       RNET_STEPS(RNET_WITH(STORE, d_linear, 3)));
    rnet_linear_grad_weight(run, run->batch, 6, 3,
                            grads + SQUEEZE_LINEAR_0_WEIGHT,
                            grads + SQUEEZE_LINEAR_0_BIAS, d_linear, 3,
                            avgpool, 6);
    /* d_avgpool = linear.0.weight' d_linear */
    rnet_linear_grad_input(run, run->batch, 6, 3, d_linear, 3,
                           params + SQUEEZE_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_avgpool, 6)));
    /* d_avgpool_2 = unpack(d_avgpool) */
    rnet_unpack_rows(run, run->batch, 6, d_avgpool, 6,
                     RNET_STEPS(RNET_WITH(STORE, d_avgpool_2, 6)));
    /* d_x = pool_grad(d_avgpool_2) */
    rnet_pool_grad(run, run->batch, &pool_1, d_avgpool_2, 6, NULL, 0,
                   RNET_STEPS(RNET_WITH(STORE, d_x, 6)));
    for (long i = 1; i >= 0; i--) {
        const float *p = params + 560 + i * 2048;
        float *g = grads + 560 + i * 2048;
        float *kept = saved + 288 * strips + 384 * run->batch + i * (512 * strips + 784 * run->batch);
        const float *x_2 = i ? kept_2 + (i - 1) * (192 * run->batch) : silu;
        const float *dy_2 = i == 1 ? d_x : d_silu;
        float *dx_2 = d_silu;
        basic_6_backward(run, p, g, kept,
                         scratch + 288 * strips + 288 * run->batch, x_2, dy_2,
                         dx_2);
    }
    /* d_conv = silu'(conv) (d_silu) */
    rnet_point(run, (struct rnet_rows) { RNET_PLAIN, 30 * run->batch, 30 }, 6,
               RNET_STEPS(RNET_WITH(LOAD, d_silu, 6),
                          RNET_WITH(SILU_GRAD, conv, 6),
                          RNET_WITH(STORE, d_conv, 6)));
    rnet_conv_grad(run, run->batch, &conv_3x3_3_6_2,
                   RNET_STEPS(RNET_WITH(LOAD, image, 3)),
                   RNET_STEPS(RNET_WITH(LOAD, d_conv, 6)),
                   params + SQUEEZE_CONV_0_WEIGHT,
                   grads + SQUEEZE_CONV_0_WEIGHT, grads + SQUEEZE_CONV_0_BIAS,
                   RNET_NO_STEPS);
    if (image_grad) {
        /* d_image = conv.0.weight' * d_conv */
        rnet_conv_grad(run, run->batch, &conv_3x3_3_6_2,
                       RNET_STEPS(RNET_WITH(LOAD, image, 3)),
                       RNET_STEPS(RNET_WITH(LOAD, d_conv, 6)),
                       params + SQUEEZE_CONV_0_WEIGHT, NULL, NULL,
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
_Static_assert(RNET_CONV_WORKER_FLOATS(5, 6, 6,
    5, 6, 6, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 2368, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(6, 6, 3, 3, 1)
    <= 18624, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_WORKER_FLOATS(5, 6, 3,
    5, 6, 6, 3, 3, 1, 1, 1, 1, 1, 1)
    <= 2368, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_CONV_SCRATCH_FLOATS(3, 6, 3, 3, 1)
    <= 18624, "librnet needs more scratch than rnetc knows");

enum rnet_status squeeze_infer(const float *params, const float *image,
                               float *logits, size_t batch,
                               struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, SQUEEZE_INFER_BYTES(batch,
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
    run->worker_floats = 51520;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    squeeze_infer_pass(run, params, memory, image, NULL, logits);
    rnet_end(run);
    return RNET_OK;
}

static enum rnet_status infer_by_table(const float *params,
    const void *const *inputs, float *const *outputs,
    size_t batch, struct rnet_work *work)
{
    if (!inputs || !outputs)
        return RNET_NULL;
    return squeeze_infer(params, (const float *)inputs[0], outputs[0], batch,
                         work);
}

enum rnet_status squeeze_train(float *params, const float *image,
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
    status = rnet_check_work(work, SQUEEZE_TRAIN_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if ((status = rnet_check_array(grads)) != RNET_OK)
        return status;
    if (!image || !label || !loss)
        return RNET_NULL;
    status = rnet_check_indices(label, batch, 3);
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
    run->worker_floats = 51520;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    const long strips = RNET_STRIP_COUNT(1 * run->batch);
    squeeze_forward_pass(run, params, memory,
                         memory + 1312 * strips + 2144 * run->batch, image,
                         label, logits);
    *loss = 0;
    squeeze_backward_pass(run, params, grads, memory,
                          memory + 1312 * strips + 2144 * run->batch, image,
                          label, loss, image_grad);
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
    return squeeze_train(params, (const float *)inputs[0],
                         (const int32_t *)inputs[1],
                         outputs ? outputs[0] : NULL, loss, grads,
                         input_grads ? input_grads[0] : NULL, batch, work);
}

/* ---- the table ---- */

static const struct rnet_tensor tensors[] = {
    { .name = "conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1, .rank = 4,
      .shape = { 6, 3, 3, 3 }, .floats = 432, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.27216553f },
    { .name = "conv.0.bias", .groups = 1, .rank = 1, .shape = { 6 },
      .offset = 432, .floats = 16, .trainable = 1 },
    { .name = "linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 3, 6 }, .offset = 448, .floats = 96,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.57735027f },
    { .name = "linear.0.bias", .groups = 1, .rank = 1, .shape = { 3 },
      .offset = 544, .floats = 16, .trainable = 1 },
    { .name = "basic.#.conv.0.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 6, 6, 3, 3 }, .offset = 560, .floats = 864,
      .repeats = 1, .repeat = { { 2, 2048 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.19245009f },
    { .name = "basic.#.conv.0.bias", .groups = 1, .rank = 1, .shape = { 6 },
      .offset = 1424, .floats = 16, .repeats = 1, .repeat = { { 2, 2048 } },
      .index = { { 0, { 1 } } }, .trainable = 1 },
    { .name = "basic.#.conv.1.weight", .pack = RNET_PACK_CONV, .groups = 1,
      .rank = 4, .shape = { 6, 6, 3, 3 }, .offset = 1440, .floats = 864,
      .repeats = 1, .repeat = { { 2, 2048 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.19245009f },
    { .name = "basic.#.conv.1.bias", .groups = 1, .rank = 1, .shape = { 6 },
      .offset = 2304, .floats = 16, .repeats = 1, .repeat = { { 2, 2048 } },
      .index = { { 0, { 1 } } }, .trainable = 1 },
    { .name = "basic.#.se.0.linear.0.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 2, 6 }, .offset = 2320, .floats = 64,
      .repeats = 1, .repeat = { { 2, 2048 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.57735027f },
    { .name = "basic.#.se.0.linear.0.bias", .groups = 1, .rank = 1,
      .shape = { 2 }, .offset = 2384, .floats = 16,
      .repeats = 1, .repeat = { { 2, 2048 } }, .index = { { 0, { 1 } } },
      .trainable = 1 },
    { .name = "basic.#.se.0.linear.1.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 6, 2 }, .offset = 2400, .floats = 192,
      .repeats = 1, .repeat = { { 2, 2048 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 1.0f },
    { .name = "basic.#.se.0.linear.1.bias", .groups = 1, .rank = 1,
      .shape = { 6 }, .offset = 2592, .floats = 16,
      .repeats = 1, .repeat = { { 2, 2048 } }, .index = { { 0, { 1 } } },
      .trainable = 1 },
};

static const struct rnet_port inputs[] = {
    { .name = "image", .integer = 0, .target = 0, .classes = 0,
      .rank = 3, .shape = { 5, 6, 3 }, .size = 90 },
    { .name = "label", .integer = 1, .target = 1, .classes = 3,
      .rank = 0, .shape = { 0 }, .size = 1 },
};

static const struct rnet_port outputs[] = {
    { .name = "logits", .integer = 0, .target = 0, .classes = 0,
      .rank = 1, .shape = { 3 }, .size = 3 },
};

static size_t infer_bytes(size_t batch, int threads)
{
    (void)batch;
    return SQUEEZE_INFER_BYTES(batch, threads);
}

static size_t train_bytes(size_t batch, int threads)
{
    (void)batch;
    return SQUEEZE_TRAIN_BYTES(batch, threads);
}

const struct rnet_network squeeze = {
    .version = RNET_VERSION,
    .name = "squeeze",
    .trainable = 1573,
    .grad_floats = 4656,
    .param_floats = 4656,
    .tensors = tensors,
    .tensor_rows = 12,
    .inputs = inputs,
    .outputs = outputs,
    .input_count = 2,
    .output_count = 1,
    .infer_bytes = infer_bytes,
    .train_bytes = train_bytes,
    .infer = infer_by_table,
    .train = train_by_table,
};

enum rnet_status squeeze_init(float *params, uint64_t seed)
{
    return rnet_init_params(&squeeze, params, seed);
}
