/* denseformer: emitted by rnetc 0.1.0 from denseformer.rnet; do not edit.
 *
 * 1333 parameters, 2 blocks.  Values lie where the plan put them: `saved` is
 * what the backward pass reads, `scratch` lives for one pass.  The layouts
 * and the kernels are described in rnet_kernels.h. */
#include "denseformer.h"

#include <rnet_kernels.h>

/* ---- curve (denseformer.rnet:8) of [3, 8] ----
 *
 *     block curve { input x [.., d]  shortcut identity  norm layer before  linear(d) -> tanh }
 */

enum {           /* where its parameters lie, in floats */
    CURVE_LAYERNORM_0_WEIGHT = 0,
    CURVE_LAYERNORM_0_BIAS = 16,
    CURVE_LINEAR_0_WEIGHT = 32,
    CURVE_LINEAR_0_BIAS = 288,
};

static void curve_infer(const struct rnet_run *run, const float *params,
                        float *scratch, const float *x, float *y)
{
    float *layernorm = scratch;
    /* layernorm = layernorm.0.weight (norm(x)) + layernorm.0.bias */
    rnet_norm_rows(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 },
                   8, RNET_NORM_LAYER, 1, 1e-05f, x, 8, NULL,
                   RNET_STEPS(RNET_SCALE_SHIFT(params + CURVE_LAYERNORM_0_WEIGHT, params + CURVE_LAYERNORM_0_BIAS),
                              RNET_WITH(STORE, layernorm, 8)));
    /* y = tanh(linear.0.weight layernorm + linear.0.bias) + x */
    rnet_linear(run, 3 * run->batch, 8, 8, layernorm, 8,
                params + CURVE_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + CURVE_LINEAR_0_BIAS),
                           RNET_DO(TANH), RNET_WITH(ADD, x, 8),
                           RNET_WITH(STORE, y, 8)));
}

static void curve_forward(const struct rnet_run *run, const float *params,
                          float *saved, const float *x, float *y)
{
    const long strips_3 = RNET_STRIP_COUNT(3 * run->batch);
    float *normalized = saved + 256 * strips_3;
    float *layernorm = saved;
    float *rstd = saved + 512 * strips_3;
    float *tanh = saved + 544 * strips_3;
    /* normalized = norm(x) */
    /* layernorm = layernorm.0.weight (normalized) + layernorm.0.bias */
    rnet_norm_rows(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 },
                   8, RNET_NORM_LAYER, 1, 1e-05f, x, 8, rstd,
                   RNET_STEPS(RNET_WITH(STORE, normalized, 8),
                              RNET_SCALE_SHIFT(params + CURVE_LAYERNORM_0_WEIGHT, params + CURVE_LAYERNORM_0_BIAS),
                              RNET_WITH(STORE, layernorm, 8)));
    /* tanh = tanh(linear.0.weight layernorm + linear.0.bias) */
    /* y = tanh + x */
    rnet_linear(run, 3 * run->batch, 8, 8, layernorm, 8,
                params + CURVE_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + CURVE_LINEAR_0_BIAS),
                           RNET_DO(TANH), RNET_WITH(STORE, tanh, 8),
                           RNET_WITH(ADD, x, 8), RNET_WITH(STORE, y, 8)));
}

static void curve_backward(const struct rnet_run *run, const float *params,
                           float *grads, float *saved, float *scratch,
                           const float *dy, float *dx)
{
    const long strips_3 = RNET_STRIP_COUNT(3 * run->batch);
    float *tanh = saved + 544 * strips_3;
    float *d_linear = scratch;
    float *layernorm = saved;
    float *d_layernorm = scratch + 256 * strips_3;
    float *normalized = saved + 256 * strips_3;
    float *rstd = saved + 512 * strips_3;
    float *sums = scratch;
    /* d_linear = tanh'(tanh) (dy) */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, dy, 8),
                          RNET_WITH(TANH_GRAD, tanh, 8),
                          RNET_WITH(STORE, d_linear, 8)));
    rnet_linear_grad_weight(run, 3 * run->batch, 8, 8,
                            grads + CURVE_LINEAR_0_WEIGHT,
                            grads + CURVE_LINEAR_0_BIAS, d_linear, 8,
                            layernorm, 8);
    /* d_layernorm = linear.0.weight' d_linear */
    rnet_linear_grad_input(run, 3 * run->batch, 8, 8, d_linear, 8,
                           params + CURVE_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_layernorm, 8)));
    /* dx = norm'(normalized) d_layernorm + dy */
    rnet_norm_rows_grad(run,
                        (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 },
                        8, RNET_NORM_LAYER, 1, d_layernorm, 8, normalized, 8,
                        rstd, params + CURVE_LAYERNORM_0_WEIGHT, sums,
                        RNET_STEPS(RNET_WITH(ADD, dy, 8),
                                   RNET_WITH(STORE, dx, 8)));
    rnet_add_sums(run, grads + CURVE_LAYERNORM_0_WEIGHT, sums, strips_3, 16, 8,
                  1);
    rnet_add_sums(run, grads + CURVE_LAYERNORM_0_BIAS, sums + 8, strips_3, 16,
                  8, 1);
}

/* ---- feed_2 (denseformer.rnet:2) of [3, 8] ----
 *
 *     block feed(mult = 2) {
 *         input x [.., d]
 *         shortcut identity
 *         norm layer before
 *         linear(mult * d) -> gelu -> linear(d)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    FEED_2_LAYERNORM_0_WEIGHT = 0,
    FEED_2_LAYERNORM_0_BIAS = 16,
    FEED_2_LINEAR_0_WEIGHT = 32,
    FEED_2_LINEAR_0_BIAS = 544,
    FEED_2_LINEAR_1_WEIGHT = 560,
    FEED_2_LINEAR_1_BIAS = 816,
};

static void feed_2_infer(const struct rnet_run *run, const float *params,
                         float *scratch, const float *x, float *y)
{
    const long strips_3 = RNET_STRIP_COUNT(3 * run->batch);
    float *layernorm = scratch + 1024 * strips_3;
    float *gelu = scratch + 512 * strips_3;
    /* layernorm = layernorm.0.weight (norm(x)) + layernorm.0.bias */
    rnet_norm_rows(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 },
                   8, RNET_NORM_LAYER, 1, 1e-05f, x, 8, NULL,
                   RNET_STEPS(RNET_SCALE_SHIFT(params + FEED_2_LAYERNORM_0_WEIGHT, params + FEED_2_LAYERNORM_0_BIAS),
                              RNET_WITH(STORE, layernorm, 8)));
    /* gelu = gelu(linear.0.weight layernorm + linear.0.bias) */
    rnet_linear(run, 3 * run->batch, 8, 16, layernorm, 8,
                params + FEED_2_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + FEED_2_LINEAR_0_BIAS),
                           RNET_DO(GELU), RNET_WITH(STORE, gelu, 16)));
    /* y = linear.1.weight gelu + linear.1.bias + x */
    rnet_linear(run, 3 * run->batch, 16, 8, gelu, 16,
                params + FEED_2_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + FEED_2_LINEAR_1_BIAS),
                           RNET_WITH(ADD, x, 8), RNET_WITH(STORE, y, 8)));
}

static void feed_2_forward(const struct rnet_run *run, const float *params,
                           float *saved, const float *x, float *y)
{
    const long strips_3 = RNET_STRIP_COUNT(3 * run->batch);
    float *normalized = saved + 256 * strips_3;
    float *layernorm = saved;
    float *rstd = saved + 512 * strips_3;
    float *linear = saved + 544 * strips_3;
    float *gelu = saved + 1056 * strips_3;
    /* normalized = norm(x) */
    /* layernorm = layernorm.0.weight (normalized) + layernorm.0.bias */
    rnet_norm_rows(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 },
                   8, RNET_NORM_LAYER, 1, 1e-05f, x, 8, rstd,
                   RNET_STEPS(RNET_WITH(STORE, normalized, 8),
                              RNET_SCALE_SHIFT(params + FEED_2_LAYERNORM_0_WEIGHT, params + FEED_2_LAYERNORM_0_BIAS),
                              RNET_WITH(STORE, layernorm, 8)));
    /* linear = linear.0.weight layernorm + linear.0.bias */
    /* gelu = gelu(linear) */
    rnet_linear(run, 3 * run->batch, 8, 16, layernorm, 8,
                params + FEED_2_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + FEED_2_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 16), RNET_DO(GELU),
                           RNET_WITH(STORE, gelu, 16)));
    /* y = linear.1.weight gelu + linear.1.bias + x */
    rnet_linear(run, 3 * run->batch, 16, 8, gelu, 16,
                params + FEED_2_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + FEED_2_LINEAR_1_BIAS),
                           RNET_WITH(ADD, x, 8), RNET_WITH(STORE, y, 8)));
}

static void feed_2_backward(const struct rnet_run *run, const float *params,
                            float *grads, float *saved, float *scratch,
                            const float *dy, float *dx)
{
    const long strips_3 = RNET_STRIP_COUNT(3 * run->batch);
    float *gelu = saved + 1056 * strips_3;
    float *linear = saved + 544 * strips_3;
    float *d_linear = scratch;
    float *layernorm = saved;
    float *d_layernorm = scratch + 512 * strips_3;
    float *normalized = saved + 256 * strips_3;
    float *rstd = saved + 512 * strips_3;
    float *sums = scratch;
    rnet_linear_grad_weight(run, 3 * run->batch, 16, 8,
                            grads + FEED_2_LINEAR_1_WEIGHT,
                            grads + FEED_2_LINEAR_1_BIAS, dy, 8, gelu, 16);
    /* d_linear = gelu'(linear) (linear.1.weight' dy) */
    rnet_linear_grad_input(run, 3 * run->batch, 16, 8, dy, 8,
                           params + FEED_2_LINEAR_1_WEIGHT,
                           RNET_STEPS(RNET_WITH(GELU_GRAD, linear, 16),
                                      RNET_WITH(STORE, d_linear, 16)));
    rnet_linear_grad_weight(run, 3 * run->batch, 8, 16,
                            grads + FEED_2_LINEAR_0_WEIGHT,
                            grads + FEED_2_LINEAR_0_BIAS, d_linear, 16,
                            layernorm, 8);
    /* d_layernorm = linear.0.weight' d_linear */
    rnet_linear_grad_input(run, 3 * run->batch, 8, 16, d_linear, 16,
                           params + FEED_2_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_layernorm, 8)));
    /* dx = norm'(normalized) d_layernorm + dy */
    rnet_norm_rows_grad(run,
                        (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 },
                        8, RNET_NORM_LAYER, 1, d_layernorm, 8, normalized, 8,
                        rstd, params + FEED_2_LAYERNORM_0_WEIGHT, sums,
                        RNET_STEPS(RNET_WITH(ADD, dy, 8),
                                   RNET_WITH(STORE, dx, 8)));
    rnet_add_sums(run, grads + FEED_2_LAYERNORM_0_WEIGHT, sums, strips_3, 16,
                  8, 1);
    rnet_add_sums(run, grads + FEED_2_LAYERNORM_0_BIAS, sums + 8, strips_3, 16,
                  8, 1);
}

/* ---- denseformer (denseformer.rnet:9) ----
 *
 *     network denseformer(layers = 3, width = 8) {
 *         input x [3, 6]
 *         linear(width)
 *         stream weighted repeat layers { curve feed }
 *         layernorm -> flatten -> linear(4)
 *         output logits
 *         loss cross_entropy(logits, label)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    DENSEFORMER_LINEAR_0_WEIGHT = 0,
    DENSEFORMER_LINEAR_0_BIAS = 256,
    DENSEFORMER_STREAM_0_WEIGHT = 272,
    DENSEFORMER_STREAM_1_WEIGHT = 288,
    DENSEFORMER_STREAM_2_WEIGHT = 304,
    DENSEFORMER_LAYERNORM_0_WEIGHT = 320,
    DENSEFORMER_LAYERNORM_0_BIAS = 336,
    DENSEFORMER_LINEAR_1_WEIGHT = 352,
    DENSEFORMER_LINEAR_1_BIAS = 480,
};

static void denseformer_infer_pass(const struct rnet_run *run,
                                   const float *params, float *scratch,
                                   const float *x, const int32_t *label,
                                   float *logits)
{
    const long strips_3 = RNET_STRIP_COUNT(3 * run->batch);
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *x_3 = scratch + 1280 * strips_3;
    float *linear = scratch + 1024 * strips_3;
    float *concat = scratch;
    float *curve = scratch + 1024 * strips_3;
    float *feed = scratch + 1024 * strips_3;
    float *weighted = scratch + 1024 * strips_3;
    float *curve_2 = scratch + 1024 * strips_3;
    float *feed_2 = scratch + 1024 * strips_3;
    float *weighted_2 = scratch + 1024 * strips_3;
    float *curve_3 = scratch + 1024 * strips_3;
    float *feed_3 = scratch + 1024 * strips_3;
    float *weighted_3 = scratch + 1024 * strips_3;
    float *layernorm = scratch;
    float *layernorm_2 = scratch + 1472 * strips_3 + 896 * strips;
    float *layernorm_3 = scratch + 1472 * strips_3;
    float *linear_2 = scratch + 1472 * strips_3 + 768 * strips;
    /* x_3 = pack(x) */
    rnet_pack_rows(run, 3 * run->batch, 6, x, 6,
                   RNET_STEPS(RNET_WITH(STORE, x_3, 6)));
    /* linear = linear.0.weight x_3 + linear.0.bias */
    /* concat = linear */
    rnet_linear(run, 3 * run->batch, 6, 8, x_3, 6,
                params + DENSEFORMER_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + DENSEFORMER_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 8),
                           RNET_WITH(STORE, concat, 32)));
    curve_infer(run, params + 496,
                scratch + 1472 * strips_3 + 896 * strips + 32 * run->batch,
                linear, curve);
    feed_2_infer(run, params + 800,
                 scratch + 1472 * strips_3 + 896 * strips + 32 * run->batch,
                 curve, feed);
    /* concat = feed */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, feed, 8),
                          RNET_WITH(STORE, concat + 256, 32)));
    /* weighted = mix(concat, stream.0.weight) */
    rnet_mix(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 2, 1,
             8, concat, 32, params + DENSEFORMER_STREAM_0_WEIGHT, 0,
             RNET_STEPS(RNET_WITH(STORE, weighted, 8)));
    curve_infer(run, params + 1632,
                scratch + 1472 * strips_3 + 896 * strips + 32 * run->batch,
                weighted, curve_2);
    feed_2_infer(run, params + 1936,
                 scratch + 1472 * strips_3 + 896 * strips + 32 * run->batch,
                 curve_2, feed_2);
    /* concat = feed_2 */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, feed_2, 8),
                          RNET_WITH(STORE, concat + 512, 32)));
    /* weighted_2 = mix(concat, stream.1.weight) */
    rnet_mix(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 3, 1,
             8, concat, 32, params + DENSEFORMER_STREAM_1_WEIGHT, 0,
             RNET_STEPS(RNET_WITH(STORE, weighted_2, 8)));
    curve_infer(run, params + 2768,
                scratch + 1472 * strips_3 + 896 * strips + 32 * run->batch,
                weighted_2, curve_3);
    feed_2_infer(run, params + 3072,
                 scratch + 1472 * strips_3 + 896 * strips + 32 * run->batch,
                 curve_3, feed_3);
    /* concat = feed_3 */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, feed_3, 8),
                          RNET_WITH(STORE, concat + 768, 32)));
    /* weighted_3 = mix(concat, stream.2.weight) */
    rnet_mix(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 4, 1,
             8, concat, 32, params + DENSEFORMER_STREAM_2_WEIGHT, 0,
             RNET_STEPS(RNET_WITH(STORE, weighted_3, 8)));
    /* layernorm = layernorm.0.weight (norm(weighted_3)) + layernorm.0.bias */
    rnet_norm_rows(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 },
                   8, RNET_NORM_LAYER, 1, 1e-05f, weighted_3, 8, NULL,
                   RNET_STEPS(RNET_SCALE_SHIFT(params + DENSEFORMER_LAYERNORM_0_WEIGHT, params + DENSEFORMER_LAYERNORM_0_BIAS),
                              RNET_WITH(STORE, layernorm, 8)));
    /* layernorm_2 = unpack(layernorm) */
    rnet_unpack_rows(run, 3 * run->batch, 8, layernorm, 8,
                     RNET_STEPS(RNET_WITH(STORE, layernorm_2, 8)));
    /* layernorm_3 = pack(layernorm_2) */
    rnet_pack_rows(run, run->batch, 24, layernorm_2, 24,
                   RNET_STEPS(RNET_WITH(STORE, layernorm_3, 24)));
    /* linear_2 = linear.1.weight layernorm_3 + linear.1.bias */
    rnet_linear(run, run->batch, 24, 4, layernorm_3, 24,
                params + DENSEFORMER_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + DENSEFORMER_LINEAR_1_BIAS),
                           RNET_WITH(STORE, linear_2, 4)));
    /* logits = unpack(linear_2) */
    rnet_unpack_rows(run, run->batch, 4, linear_2, 4,
                     RNET_STEPS(RNET_WITH(STORE, logits, 4)));
}

static void denseformer_forward_pass(const struct rnet_run *run,
                                     const float *params, float *saved,
                                     float *scratch, const float *x,
                                     const int32_t *label, float *logits)
{
    const long strips_3 = RNET_STRIP_COUNT(3 * run->batch);
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *x_3 = saved;
    float *linear = scratch;
    float *concat = saved + 192 * strips_3;
    float *curve = scratch;
    float *feed = scratch;
    float *weighted = scratch;
    float *curve_2 = scratch;
    float *feed_2 = scratch;
    float *weighted_2 = scratch;
    float *curve_3 = scratch;
    float *feed_3 = scratch;
    float *weighted_3 = scratch;
    float *normalized = saved + 1216 * strips_3;
    float *layernorm = scratch + 256 * strips_3;
    float *rstd = saved + 1472 * strips_3;
    float *layernorm_2 = scratch + 512 * strips_3;
    float *layernorm_3 = saved + 1504 * strips_3;
    float *linear_2 = saved + 1504 * strips_3 + 768 * strips;
    /* x_3 = pack(x) */
    rnet_pack_rows(run, 3 * run->batch, 6, x, 6,
                   RNET_STEPS(RNET_WITH(STORE, x_3, 6)));
    /* linear = linear.0.weight x_3 + linear.0.bias */
    /* concat = linear */
    rnet_linear(run, 3 * run->batch, 6, 8, x_3, 6,
                params + DENSEFORMER_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + DENSEFORMER_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 8),
                           RNET_WITH(STORE, concat, 32)));
    curve_forward(run, params + 496, saved + 1504 * strips_3 + 896 * strips,
                  linear, curve);
    feed_2_forward(run, params + 800, saved + 2304 * strips_3 + 896 * strips,
                   curve, feed);
    /* concat = feed */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, feed, 8),
                          RNET_WITH(STORE, concat + 256, 32)));
    /* weighted = mix(concat, stream.0.weight) */
    rnet_mix(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 2, 1,
             8, concat, 32, params + DENSEFORMER_STREAM_0_WEIGHT, 0,
             RNET_STEPS(RNET_WITH(STORE, weighted, 8)));
    curve_forward(run, params + 1632, saved + 3872 * strips_3 + 896 * strips,
                  weighted, curve_2);
    feed_2_forward(run, params + 1936, saved + 4672 * strips_3 + 896 * strips,
                   curve_2, feed_2);
    /* concat = feed_2 */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, feed_2, 8),
                          RNET_WITH(STORE, concat + 512, 32)));
    /* weighted_2 = mix(concat, stream.1.weight) */
    rnet_mix(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 3, 1,
             8, concat, 32, params + DENSEFORMER_STREAM_1_WEIGHT, 0,
             RNET_STEPS(RNET_WITH(STORE, weighted_2, 8)));
    curve_forward(run, params + 2768, saved + 6240 * strips_3 + 896 * strips,
                  weighted_2, curve_3);
    feed_2_forward(run, params + 3072, saved + 7040 * strips_3 + 896 * strips,
                   curve_3, feed_3);
    /* concat = feed_3 */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, feed_3, 8),
                          RNET_WITH(STORE, concat + 768, 32)));
    /* weighted_3 = mix(concat, stream.2.weight) */
    rnet_mix(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 4, 1,
             8, concat, 32, params + DENSEFORMER_STREAM_2_WEIGHT, 0,
             RNET_STEPS(RNET_WITH(STORE, weighted_3, 8)));
    /* normalized = norm(weighted_3) */
    /* layernorm = layernorm.0.weight (normalized) + layernorm.0.bias */
    rnet_norm_rows(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 },
                   8, RNET_NORM_LAYER, 1, 1e-05f, weighted_3, 8, rstd,
                   RNET_STEPS(RNET_WITH(STORE, normalized, 8),
                              RNET_SCALE_SHIFT(params + DENSEFORMER_LAYERNORM_0_WEIGHT, params + DENSEFORMER_LAYERNORM_0_BIAS),
                              RNET_WITH(STORE, layernorm, 8)));
    /* layernorm_2 = unpack(layernorm) */
    rnet_unpack_rows(run, 3 * run->batch, 8, layernorm, 8,
                     RNET_STEPS(RNET_WITH(STORE, layernorm_2, 8)));
    /* layernorm_3 = pack(layernorm_2) */
    rnet_pack_rows(run, run->batch, 24, layernorm_2, 24,
                   RNET_STEPS(RNET_WITH(STORE, layernorm_3, 24)));
    /* linear_2 = linear.1.weight layernorm_3 + linear.1.bias */
    rnet_linear(run, run->batch, 24, 4, layernorm_3, 24,
                params + DENSEFORMER_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + DENSEFORMER_LINEAR_1_BIAS),
                           RNET_WITH(STORE, linear_2, 4)));
    if (logits) {
        /* logits = unpack(linear_2) */
        rnet_unpack_rows(run, run->batch, 4, linear_2, 4,
                         RNET_STEPS(RNET_WITH(STORE, logits, 4)));
    }
}

static void denseformer_backward_pass(const struct rnet_run *run,
                                      const float *params, float *grads,
                                      float *saved, float *scratch,
                                      const float *x, const int32_t *label,
                                      float *loss, float *x_grad)
{
    const long strips_3 = RNET_STRIP_COUNT(3 * run->batch);
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)x;
    float *linear = saved + 1504 * strips_3 + 768 * strips;
    float *d_linear = scratch + 2048 * strips_3 + 768 * strips;
    float *lines = scratch + 2048 * strips_3;
    float *layernorm = saved + 1504 * strips_3;
    float *d_layernorm = scratch + 2048 * strips_3;
    float *d_layernorm_2 = scratch + 2048 * strips_3 + 896 * strips;
    float *d_layernorm_3 = scratch;
    float *normalized = saved + 1216 * strips_3;
    float *d_weighted = scratch + 1024 * strips_3;
    float *rstd = saved + 1472 * strips_3;
    float *sums = scratch + 256 * strips_3;
    float *d_concat = scratch;
    float *concat = saved + 192 * strips_3;
    float *sums_2 = scratch + 1280 * strips_3;
    float *d_feed = scratch + 1792 * strips_3;
    float *d_curve = scratch + 1792 * strips_3;
    float *d_weighted_2 = scratch + 1792 * strips_3;
    float *d_concat_2 = scratch + 1024 * strips_3;
    float *sums_3 = scratch;
    float *d_feed_2 = scratch + 512 * strips_3;
    float *d_curve_2 = scratch + 512 * strips_3;
    float *d_weighted_3 = scratch + 512 * strips_3;
    float *d_concat_3 = scratch;
    float *sums_4 = scratch + 768 * strips_3;
    float *d_feed_3 = scratch + 512 * strips_3;
    float *d_curve_3 = scratch + 512 * strips_3;
    float *d_linear_2 = scratch + 512 * strips_3;
    float *d_linear_3 = scratch + 512 * strips_3;
    float *x_3 = saved;
    float *d_x = scratch;
    /* d_linear = dloss / dlinear */
    rnet_cross_entropy(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 },
                       4, 1.0f, linear, 4, label, lines, loss,
                       RNET_STEPS(RNET_WITH(STORE, d_linear, 4)));
    rnet_linear_grad_weight(run, run->batch, 24, 4,
                            grads + DENSEFORMER_LINEAR_1_WEIGHT,
                            grads + DENSEFORMER_LINEAR_1_BIAS, d_linear, 4,
                            layernorm, 24);
    /* d_layernorm = linear.1.weight' d_linear */
    rnet_linear_grad_input(run, run->batch, 24, 4, d_linear, 4,
                           params + DENSEFORMER_LINEAR_1_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_layernorm, 24)));
    /* d_layernorm_2 = unpack(d_layernorm) */
    rnet_unpack_rows(run, run->batch, 24, d_layernorm, 24,
                     RNET_STEPS(RNET_WITH(STORE, d_layernorm_2, 24)));
    /* d_layernorm_3 = pack(d_layernorm_2) */
    rnet_pack_rows(run, 3 * run->batch, 8, d_layernorm_2, 8,
                   RNET_STEPS(RNET_WITH(STORE, d_layernorm_3, 8)));
    /* d_weighted = norm'(normalized) d_layernorm_3 */
    rnet_norm_rows_grad(run,
                        (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 },
                        8, RNET_NORM_LAYER, 1, d_layernorm_3, 8, normalized, 8,
                        rstd, params + DENSEFORMER_LAYERNORM_0_WEIGHT, sums,
                        RNET_STEPS(RNET_WITH(STORE, d_weighted, 8)));
    rnet_add_sums(run, grads + DENSEFORMER_LAYERNORM_0_WEIGHT, sums, strips_3,
                  16, 8, 1);
    rnet_add_sums(run, grads + DENSEFORMER_LAYERNORM_0_BIAS, sums + 8,
                  strips_3, 16, 8, 1);
    /* d_concat = mix_grad_input(d_weighted) */
    rnet_mix_transposed(run,
                        (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 },
                        1, 4, 8, d_weighted, 8,
                        params + DENSEFORMER_STREAM_2_WEIGHT, 0,
                        RNET_STEPS(RNET_WITH(STORE, d_concat, 32)));
    rnet_dots(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 4, 1,
              8, concat, 32, d_weighted, 8,
              RNET_STEPS(RNET_SUM_TO(SUM, sums_2)));
    rnet_add_sums(run, grads + DENSEFORMER_STREAM_2_WEIGHT, sums_2, strips_3,
                  4, 4, 1);
    /* d_feed = (d_concat) 1.0f */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, d_concat + 768, 32),
                          RNET_BY(MUL, 1.0f), RNET_WITH(STORE, d_feed, 8)));
    feed_2_backward(run, params + 3072, grads + 3072,
                    saved + 7040 * strips_3 + 896 * strips,
                    scratch + 2048 * strips_3 + 896 * strips + 32 * run->batch,
                    d_feed, d_curve);
    curve_backward(run, params + 2768, grads + 2768,
                   saved + 6240 * strips_3 + 896 * strips,
                   scratch + 2048 * strips_3 + 896 * strips + 32 * run->batch,
                   d_curve, d_weighted_2);
    /* d_concat_2 = mix_grad_input(d_weighted_2) + d_concat */
    rnet_mix_transposed(run,
                        (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 },
                        1, 3, 8, d_weighted_2, 8,
                        params + DENSEFORMER_STREAM_1_WEIGHT, 0,
                        RNET_STEPS(RNET_WITH(ADD, d_concat, 32),
                                   RNET_WITH(STORE, d_concat_2, 24)));
    rnet_dots(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 3, 1,
              8, concat, 32, d_weighted_2, 8,
              RNET_STEPS(RNET_SUM_TO(SUM, sums_3)));
    rnet_add_sums(run, grads + DENSEFORMER_STREAM_1_WEIGHT, sums_3, strips_3,
                  3, 3, 1);
    /* d_feed_2 = (d_concat_2) 1.0f */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, d_concat_2 + 512, 24),
                          RNET_BY(MUL, 1.0f), RNET_WITH(STORE, d_feed_2, 8)));
    feed_2_backward(run, params + 1936, grads + 1936,
                    saved + 4672 * strips_3 + 896 * strips,
                    scratch + 2048 * strips_3 + 896 * strips + 32 * run->batch,
                    d_feed_2, d_curve_2);
    curve_backward(run, params + 1632, grads + 1632,
                   saved + 3872 * strips_3 + 896 * strips,
                   scratch + 2048 * strips_3 + 896 * strips + 32 * run->batch,
                   d_curve_2, d_weighted_3);
    /* d_concat_3 = mix_grad_input(d_weighted_3) + d_concat_2 */
    rnet_mix_transposed(run,
                        (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 },
                        1, 2, 8, d_weighted_3, 8,
                        params + DENSEFORMER_STREAM_0_WEIGHT, 0,
                        RNET_STEPS(RNET_WITH(ADD, d_concat_2, 24),
                                   RNET_WITH(STORE, d_concat_3, 16)));
    rnet_dots(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 2, 1,
              8, concat, 32, d_weighted_3, 8,
              RNET_STEPS(RNET_SUM_TO(SUM, sums_4)));
    rnet_add_sums(run, grads + DENSEFORMER_STREAM_0_WEIGHT, sums_4, strips_3,
                  2, 2, 1);
    /* d_feed_3 = (d_concat_3) 1.0f */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, d_concat_3 + 256, 16),
                          RNET_BY(MUL, 1.0f), RNET_WITH(STORE, d_feed_3, 8)));
    feed_2_backward(run, params + 800, grads + 800,
                    saved + 2304 * strips_3 + 896 * strips,
                    scratch + 2048 * strips_3 + 896 * strips + 32 * run->batch,
                    d_feed_3, d_curve_3);
    curve_backward(run, params + 496, grads + 496,
                   saved + 1504 * strips_3 + 896 * strips,
                   scratch + 2048 * strips_3 + 896 * strips + 32 * run->batch,
                   d_curve_3, d_linear_2);
    /* d_linear_3 = d_linear_2 + d_concat_3 */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, 3 * run->batch, 3 }, 8,
               RNET_STEPS(RNET_WITH(LOAD, d_linear_2, 8),
                          RNET_WITH(ADD, d_concat_3, 16),
                          RNET_WITH(STORE, d_linear_3, 8)));
    rnet_linear_grad_weight(run, 3 * run->batch, 6, 8,
                            grads + DENSEFORMER_LINEAR_0_WEIGHT,
                            grads + DENSEFORMER_LINEAR_0_BIAS, d_linear_3, 8,
                            x_3, 6);
    if (x_grad) {
        /* d_x = linear.0.weight' d_linear_3 */
        rnet_linear_grad_input(run, 3 * run->batch, 6, 8, d_linear_3, 8,
                               params + DENSEFORMER_LINEAR_0_WEIGHT,
                               RNET_STEPS(RNET_WITH(STORE, d_x, 6)));
        /* x_grad = unpack(d_x) */
        rnet_unpack_rows(run, 3 * run->batch, 6, d_x, 6,
                         RNET_STEPS(RNET_WITH(STORE, x_grad, 6)));
    }
}

/* ---- entry points ---- */

_Static_assert(RNET_WORKER_FLOATS == 49152,
               "librnet and rnetc do not belong together");
enum rnet_status denseformer_infer(const float *params, const float *x,
                                   float *logits, size_t batch,
                                   struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, DENSEFORMER_INFER_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if (!x || !logits)
        return RNET_NULL;
    if (batch == 0)
        return RNET_OK;
    struct rnet_run here, *run = &here;
    float *memory = (float *)work->memory;

    rnet_begin(run, work, batch, 0);
    run->scratch = memory;
    run->scratch_floats = 0;
    run->workers = memory + 0;
    run->worker_floats = 49152;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    denseformer_infer_pass(run, params, memory, x, NULL, logits);
    rnet_end(run);
    return RNET_OK;
}

static enum rnet_status infer_by_table(const float *params,
    const void *const *inputs, float *const *outputs,
    size_t batch, struct rnet_work *work)
{
    if (!inputs || !outputs)
        return RNET_NULL;
    return denseformer_infer(params, (const float *)inputs[0], outputs[0],
                             batch, work);
}

enum rnet_status denseformer_train(float *params, const float *x,
                                   const int32_t *label, float *logits,
                                   float *loss, float *grads, float *x_grad,
                                   size_t batch, struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, DENSEFORMER_TRAIN_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if ((status = rnet_check_array(grads)) != RNET_OK)
        return status;
    if (!x || !label || !loss)
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
    run->scratch_floats = 0;
    run->workers = memory + 0;
    run->worker_floats = 49152;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    const long strips_3 = RNET_STRIP_COUNT(3 * run->batch);
    const long strips = RNET_STRIP_COUNT(1 * run->batch);
    denseformer_forward_pass(run, params, memory,
                             memory + 8608 * strips_3 + 896 * strips, x, label,
                             logits);
    *loss = 0;
    denseformer_backward_pass(run, params, grads, memory,
                              memory + 8608 * strips_3 + 896 * strips, x,
                              label, loss, x_grad);
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
    return denseformer_train(params, (const float *)inputs[0],
                             (const int32_t *)inputs[1],
                             outputs ? outputs[0] : NULL, loss, grads,
                             input_grads ? input_grads[0] : NULL, batch, work);
}

/* ---- the table ---- */

static const struct rnet_tensor tensors[] = {
    { .name = "linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 8, 6 }, .floats = 256, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.57735027f },
    { .name = "linear.0.bias", .groups = 1, .rank = 1, .shape = { 8 },
      .offset = 256, .floats = 16, .trainable = 1 },
    { .name = "stream.0.weight", .groups = 1, .rank = 1, .shape = { 2 },
      .offset = 272, .floats = 16, .diagonal = { 1, { 0 } }, .trainable = 1,
      .init = RNET_INIT_DIAGONAL, .spread = 1.0f },
    { .name = "stream.1.weight", .groups = 1, .rank = 1, .shape = { 3 },
      .offset = 288, .floats = 16, .diagonal = { 2, { 0 } }, .trainable = 1,
      .init = RNET_INIT_DIAGONAL, .spread = 1.0f },
    { .name = "stream.2.weight", .groups = 1, .rank = 1, .shape = { 4 },
      .offset = 304, .floats = 16, .diagonal = { 3, { 0 } }, .trainable = 1,
      .init = RNET_INIT_DIAGONAL, .spread = 1.0f },
    { .name = "layernorm.0.weight", .groups = 1, .rank = 1, .shape = { 8 },
      .offset = 320, .floats = 16, .trainable = 1, .mean = 1.0f },
    { .name = "layernorm.0.bias", .groups = 1, .rank = 1, .shape = { 8 },
      .offset = 336, .floats = 16, .trainable = 1 },
    { .name = "linear.1.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 4, 24 }, .offset = 352, .floats = 128,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.28867513f },
    { .name = "linear.1.bias", .groups = 1, .rank = 1, .shape = { 4 },
      .offset = 480, .floats = 16, .trainable = 1 },
    { .name = "curve.0.layernorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 496, .floats = 16, .trainable = 1,
      .mean = 1.0f },
    { .name = "curve.0.layernorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 512, .floats = 16, .trainable = 1 },
    { .name = "curve.0.linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 8, 8 }, .offset = 528, .floats = 256,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.5f },
    { .name = "curve.0.linear.0.bias", .groups = 1, .rank = 1, .shape = { 8 },
      .offset = 784, .floats = 16, .trainable = 1 },
    { .name = "feed.0.layernorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 800, .floats = 16, .trainable = 1,
      .mean = 1.0f },
    { .name = "feed.0.layernorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 816, .floats = 16, .trainable = 1 },
    { .name = "feed.0.linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 16, 8 }, .offset = 832, .floats = 512,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.5f },
    { .name = "feed.0.linear.0.bias", .groups = 1, .rank = 1, .shape = { 16 },
      .offset = 1344, .floats = 16, .trainable = 1 },
    { .name = "feed.0.linear.1.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 8, 16 }, .offset = 1360, .floats = 256,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.35355339f },
    { .name = "feed.0.linear.1.bias", .groups = 1, .rank = 1, .shape = { 8 },
      .offset = 1616, .floats = 16, .trainable = 1 },
    { .name = "curve.1.layernorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 1632, .floats = 16, .trainable = 1,
      .mean = 1.0f },
    { .name = "curve.1.layernorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 1648, .floats = 16, .trainable = 1 },
    { .name = "curve.1.linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 8, 8 }, .offset = 1664, .floats = 256,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.5f },
    { .name = "curve.1.linear.0.bias", .groups = 1, .rank = 1, .shape = { 8 },
      .offset = 1920, .floats = 16, .trainable = 1 },
    { .name = "feed.1.layernorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 1936, .floats = 16, .trainable = 1,
      .mean = 1.0f },
    { .name = "feed.1.layernorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 1952, .floats = 16, .trainable = 1 },
    { .name = "feed.1.linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 16, 8 }, .offset = 1968, .floats = 512,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.5f },
    { .name = "feed.1.linear.0.bias", .groups = 1, .rank = 1, .shape = { 16 },
      .offset = 2480, .floats = 16, .trainable = 1 },
    { .name = "feed.1.linear.1.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 8, 16 }, .offset = 2496, .floats = 256,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.35355339f },
    { .name = "feed.1.linear.1.bias", .groups = 1, .rank = 1, .shape = { 8 },
      .offset = 2752, .floats = 16, .trainable = 1 },
    { .name = "curve.2.layernorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 2768, .floats = 16, .trainable = 1,
      .mean = 1.0f },
    { .name = "curve.2.layernorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 2784, .floats = 16, .trainable = 1 },
    { .name = "curve.2.linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 8, 8 }, .offset = 2800, .floats = 256,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.5f },
    { .name = "curve.2.linear.0.bias", .groups = 1, .rank = 1, .shape = { 8 },
      .offset = 3056, .floats = 16, .trainable = 1 },
    { .name = "feed.2.layernorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 3072, .floats = 16, .trainable = 1,
      .mean = 1.0f },
    { .name = "feed.2.layernorm.0.bias", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 3088, .floats = 16, .trainable = 1 },
    { .name = "feed.2.linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 16, 8 }, .offset = 3104, .floats = 512,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.5f },
    { .name = "feed.2.linear.0.bias", .groups = 1, .rank = 1, .shape = { 16 },
      .offset = 3616, .floats = 16, .trainable = 1 },
    { .name = "feed.2.linear.1.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 8, 16 }, .offset = 3632, .floats = 256,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.35355339f },
    { .name = "feed.2.linear.1.bias", .groups = 1, .rank = 1, .shape = { 8 },
      .offset = 3888, .floats = 16, .trainable = 1 },
};

static const struct rnet_port inputs[] = {
    { .name = "x", .integer = 0, .target = 0, .classes = 0,
      .rank = 2, .shape = { 3, 6 }, .size = 18 },
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
    return DENSEFORMER_INFER_BYTES(batch, threads);
}

static size_t train_bytes(size_t batch, int threads)
{
    (void)batch;
    return DENSEFORMER_TRAIN_BYTES(batch, threads);
}

const struct rnet_network denseformer = {
    .version = RNET_VERSION,
    .name = "denseformer",
    .trainable = 1333,
    .grad_floats = 3904,
    .param_floats = 3904,
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

enum rnet_status denseformer_init(float *params, uint64_t seed)
{
    return rnet_init_params(&denseformer, params, seed);
}
