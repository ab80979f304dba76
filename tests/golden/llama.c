/* llama: emitted by rnetc 0.1.0 from llama.rnet; do not edit.
 *
 * 1128 parameters, 2 blocks.  Values lie where the plan put them: `saved` is
 * what the backward pass reads, `scratch` lives for one pass.  The layouts
 * and the kernels are described in rnet_kernels.h. */
#include "llama.h"

#include <rnet_kernels.h>

static const struct rnet_attention attention_0 = {
    .layout = RNET_STRIPS, .queries = 35, .keys = 35,
    .heads = 4, .groups = 2, .head = 2,
    .causal = 1, .scale = 0.70710678f
};

/* ---- attend_4_2 (llama.rnet:2) of [35, 8] ----
 *
 *     block attend(heads, groups) {
 *         shortcut identity
 *         norm rms before
 *         attention(heads, causal, groups = groups, rope, bias = no)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    ATTEND_4_2_RMSNORM_0_WEIGHT = 0,
    ATTEND_4_2_ATTENTION_0_Q_PROJ_WEIGHT = 16,
    ATTEND_4_2_ATTENTION_0_K_PROJ_WEIGHT = 272,
    ATTEND_4_2_ATTENTION_0_V_PROJ_WEIGHT = 400,
    ATTEND_4_2_ATTENTION_0_OUT_PROJ_WEIGHT = 528,
};

static void attend_4_2_infer(const struct rnet_run *run, const float *params,
                             float *scratch, const float *x, float *y)
{
    const long strips_35 = RNET_STRIP_COUNT(35 * run->batch);
    float *rmsnorm = scratch;
    float *q = scratch + 256 * strips_35;
    float *k = scratch + 512 * strips_35;
    float *v = scratch + 640 * strips_35;
    float *rope = scratch;
    float *rope_2 = scratch + 768 * strips_35;
    float *attention = scratch + 256 * strips_35;
    /* rmsnorm = (norm(x)) rmsnorm.0.weight */
    rnet_norm_rows(run,
                   (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 }, 8,
                   RNET_NORM_RMS, 1, 1e-05f, x, 8, NULL,
                   RNET_STEPS(RNET_BY_FEATURE(MUL,
                                              params + ATTEND_4_2_RMSNORM_0_WEIGHT),
                              RNET_WITH(STORE, rmsnorm, 8)));
    /* q = attention.0.q_proj.weight rmsnorm */
    rnet_linear(run, 35 * run->batch, 8, 8, rmsnorm, 8,
                params + ATTEND_4_2_ATTENTION_0_Q_PROJ_WEIGHT,
                RNET_STEPS(RNET_WITH(STORE, q, 8)));
    /* k = attention.0.k_proj.weight rmsnorm */
    rnet_linear(run, 35 * run->batch, 8, 4, rmsnorm, 8,
                params + ATTEND_4_2_ATTENTION_0_K_PROJ_WEIGHT,
                RNET_STEPS(RNET_WITH(STORE, k, 4)));
    /* v = attention.0.v_proj.weight rmsnorm */
    rnet_linear(run, 35 * run->batch, 8, 4, rmsnorm, 8,
                params + ATTEND_4_2_ATTENTION_0_V_PROJ_WEIGHT,
                RNET_STEPS(RNET_WITH(STORE, v, 4)));
    /* rope = rope(q) */
    rnet_rope(run, (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 }, 8,
              2, 0, 1e+04f, q, 8,
              RNET_STEPS(RNET_WITH(STORE, rope, 8)));
    /* rope_2 = rope(k) */
    rnet_rope(run, (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 }, 4,
              2, 0, 1e+04f, k, 4,
              RNET_STEPS(RNET_WITH(STORE, rope_2, 4)));
    /* attention = softmax(q k' / sqrt(head)) v, head by head */
    rnet_attention(run, run->batch, &attention_0, attention, 8, NULL, rope, 8,
                   rope_2, 4, v, 4, NULL);
    /* y = attention.0.out_proj.weight attention + x */
    rnet_linear(run, 35 * run->batch, 8, 8, attention, 8,
                params + ATTEND_4_2_ATTENTION_0_OUT_PROJ_WEIGHT,
                RNET_STEPS(RNET_WITH(ADD, x, 8), RNET_WITH(STORE, y, 8)));
}

static void attend_4_2_forward(const struct rnet_run *run, const float *params,
                               float *saved, float *scratch, const float *x,
                               float *y)
{
    const long strips_35 = RNET_STRIP_COUNT(35 * run->batch);
    float *normalized = saved + 256 * strips_35;
    float *rmsnorm = saved;
    float *rstd = saved + 512 * strips_35;
    float *q = scratch;
    float *k = scratch + 256 * strips_35;
    float *v = saved + 544 * strips_35;
    float *rope = saved + 672 * strips_35;
    float *rope_2 = saved + 928 * strips_35;
    float *attention = saved + 1056 * strips_35;
    float *log_sum = saved + 1312 * strips_35;
    /* normalized = norm(x) */
    /* rmsnorm = (normalized) rmsnorm.0.weight */
    rnet_norm_rows(run,
                   (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 }, 8,
                   RNET_NORM_RMS, 1, 1e-05f, x, 8, rstd,
                   RNET_STEPS(RNET_WITH(STORE, normalized, 8),
                              RNET_BY_FEATURE(MUL,
                                              params + ATTEND_4_2_RMSNORM_0_WEIGHT),
                              RNET_WITH(STORE, rmsnorm, 8)));
    /* q = attention.0.q_proj.weight rmsnorm */
    rnet_linear(run, 35 * run->batch, 8, 8, rmsnorm, 8,
                params + ATTEND_4_2_ATTENTION_0_Q_PROJ_WEIGHT,
                RNET_STEPS(RNET_WITH(STORE, q, 8)));
    /* k = attention.0.k_proj.weight rmsnorm */
    rnet_linear(run, 35 * run->batch, 8, 4, rmsnorm, 8,
                params + ATTEND_4_2_ATTENTION_0_K_PROJ_WEIGHT,
                RNET_STEPS(RNET_WITH(STORE, k, 4)));
    /* v = attention.0.v_proj.weight rmsnorm */
    rnet_linear(run, 35 * run->batch, 8, 4, rmsnorm, 8,
                params + ATTEND_4_2_ATTENTION_0_V_PROJ_WEIGHT,
                RNET_STEPS(RNET_WITH(STORE, v, 4)));
    /* rope = rope(q) */
    rnet_rope(run, (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 }, 8,
              2, 0, 1e+04f, q, 8,
              RNET_STEPS(RNET_WITH(STORE, rope, 8)));
    /* rope_2 = rope(k) */
    rnet_rope(run, (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 }, 4,
              2, 0, 1e+04f, k, 4,
              RNET_STEPS(RNET_WITH(STORE, rope_2, 4)));
    /* attention = softmax(q k' / sqrt(head)) v, head by head */
    rnet_attention(run, run->batch, &attention_0, attention, 8, log_sum, rope,
                   8, rope_2, 4, v, 4, NULL);
    /* y = attention.0.out_proj.weight attention + x */
    rnet_linear(run, 35 * run->batch, 8, 8, attention, 8,
                params + ATTEND_4_2_ATTENTION_0_OUT_PROJ_WEIGHT,
                RNET_STEPS(RNET_WITH(ADD, x, 8), RNET_WITH(STORE, y, 8)));
}

static void attend_4_2_backward(const struct rnet_run *run,
                                const float *params, float *grads,
                                float *saved, float *scratch, const float *dy,
                                float *dx)
{
    const long strips_35 = RNET_STRIP_COUNT(35 * run->batch);
    float *attention = saved + 1056 * strips_35;
    float *d_attention = scratch;
    float *d_rope = scratch + 256 * strips_35;
    float *d_rope_2 = scratch + 512 * strips_35;
    float *d_v = scratch + 640 * strips_35;
    float *log_sum = saved + 1312 * strips_35;
    float *rope = saved + 672 * strips_35;
    float *rope_2 = saved + 928 * strips_35;
    float *v = saved + 544 * strips_35;
    float *d_k = scratch + 768 * strips_35;
    float *d_q = scratch;
    float *rmsnorm = saved;
    float *d_rmsnorm = scratch + 256 * strips_35;
    float *d_rmsnorm_2 = scratch + 256 * strips_35;
    float *d_rmsnorm_3 = scratch + 256 * strips_35;
    float *normalized = saved + 256 * strips_35;
    float *rstd = saved + 512 * strips_35;
    float *sums = scratch;
    rnet_linear_grad_weight(run, 35 * run->batch, 8, 8,
                            grads + ATTEND_4_2_ATTENTION_0_OUT_PROJ_WEIGHT,
                            NULL, dy, 8, attention, 8);
    /* d_attention = attention.0.out_proj.weight' dy */
    rnet_linear_grad_input(run, 35 * run->batch, 8, 8, dy, 8,
                           params + ATTEND_4_2_ATTENTION_0_OUT_PROJ_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_attention, 8)));
    /* dv = p' dy, ds = p (dy v' - y dy), dq = ds k, dk = ds' q */
    rnet_attention_grad(run, run->batch, &attention_0, d_rope, 8, d_rope_2, 4,
                        d_v, 4, d_attention, 8, attention, 8, log_sum, rope, 8,
                        rope_2, 4, v, 4, NULL);
    /* d_k = rope_grad(d_rope_2) */
    rnet_rope_grad(run,
                   (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 }, 4,
                   2, 0, 1e+04f, d_rope_2, 4,
                   RNET_STEPS(RNET_WITH(STORE, d_k, 4)));
    /* d_q = rope_grad(d_rope) */
    rnet_rope_grad(run,
                   (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 }, 8,
                   2, 0, 1e+04f, d_rope, 8,
                   RNET_STEPS(RNET_WITH(STORE, d_q, 8)));
    rnet_linear_grad_weight(run, 35 * run->batch, 8, 4,
                            grads + ATTEND_4_2_ATTENTION_0_V_PROJ_WEIGHT, NULL,
                            d_v, 4, rmsnorm, 8);
    /* d_rmsnorm = attention.0.v_proj.weight' d_v */
    rnet_linear_grad_input(run, 35 * run->batch, 8, 4, d_v, 4,
                           params + ATTEND_4_2_ATTENTION_0_V_PROJ_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_rmsnorm, 8)));
    rnet_linear_grad_weight(run, 35 * run->batch, 8, 4,
                            grads + ATTEND_4_2_ATTENTION_0_K_PROJ_WEIGHT, NULL,
                            d_k, 4, rmsnorm, 8);
    /* d_rmsnorm_2 = attention.0.k_proj.weight' d_k + d_rmsnorm */
    rnet_linear_grad_input(run, 35 * run->batch, 8, 4, d_k, 4,
                           params + ATTEND_4_2_ATTENTION_0_K_PROJ_WEIGHT,
                           RNET_STEPS(RNET_WITH(ADD, d_rmsnorm, 8),
                                      RNET_WITH(STORE, d_rmsnorm_2, 8)));
    rnet_linear_grad_weight(run, 35 * run->batch, 8, 8,
                            grads + ATTEND_4_2_ATTENTION_0_Q_PROJ_WEIGHT, NULL,
                            d_q, 8, rmsnorm, 8);
    /* d_rmsnorm_3 = attention.0.q_proj.weight' d_q + d_rmsnorm_2 */
    rnet_linear_grad_input(run, 35 * run->batch, 8, 8, d_q, 8,
                           params + ATTEND_4_2_ATTENTION_0_Q_PROJ_WEIGHT,
                           RNET_STEPS(RNET_WITH(ADD, d_rmsnorm_2, 8),
                                      RNET_WITH(STORE, d_rmsnorm_3, 8)));
    /* dx = norm'(normalized) d_rmsnorm_3 + dy */
    rnet_norm_rows_grad(run,
                        (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 },
                        8, RNET_NORM_RMS, 1, d_rmsnorm_3, 8, normalized, 8,
                        rstd, params + ATTEND_4_2_RMSNORM_0_WEIGHT, sums,
                        RNET_STEPS(RNET_WITH(ADD, dy, 8),
                                   RNET_WITH(STORE, dx, 8)));
    rnet_add_sums(run, grads + ATTEND_4_2_RMSNORM_0_WEIGHT, sums, strips_35,
                  16, 8, 1);
}

/* ---- swiglu_11 (llama.rnet:7) of [35, 8] ----
 *
 *     block swiglu(h) {
 *         input x [.., d]
 *         shortcut identity
 *         norm rms before
 *         silu(linear(h, bias = no)) * linear(h, bias = no) -> linear(d, bias = no)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    SWIGLU_11_RMSNORM_0_WEIGHT = 0,
    SWIGLU_11_LINEAR_0_WEIGHT = 16,
    SWIGLU_11_LINEAR_1_WEIGHT = 368,
    SWIGLU_11_LINEAR_2_WEIGHT = 720,
};

static void swiglu_11_infer(const struct rnet_run *run, const float *params,
                            float *scratch, const float *x, float *y)
{
    const long strips_35 = RNET_STRIP_COUNT(35 * run->batch);
    float *rmsnorm = scratch + 704 * strips_35;
    float *silu = scratch + 352 * strips_35;
    float *product = scratch + 352 * strips_35;
    /* rmsnorm = (norm(x)) rmsnorm.0.weight */
    rnet_norm_rows(run,
                   (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 }, 8,
                   RNET_NORM_RMS, 1, 1e-05f, x, 8, NULL,
                   RNET_STEPS(RNET_BY_FEATURE(MUL,
                                              params + SWIGLU_11_RMSNORM_0_WEIGHT),
                              RNET_WITH(STORE, rmsnorm, 8)));
    /* silu = silu(linear.0.weight rmsnorm) */
    rnet_linear(run, 35 * run->batch, 8, 11, rmsnorm, 8,
                params + SWIGLU_11_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_DO(SILU), RNET_WITH(STORE, silu, 11)));
    /* product = (linear.1.weight rmsnorm) silu */
    rnet_linear(run, 35 * run->batch, 8, 11, rmsnorm, 8,
                params + SWIGLU_11_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_WITH(MUL, silu, 11),
                           RNET_WITH(STORE, product, 11)));
    /* y = linear.2.weight product + x */
    rnet_linear(run, 35 * run->batch, 11, 8, product, 11,
                params + SWIGLU_11_LINEAR_2_WEIGHT,
                RNET_STEPS(RNET_WITH(ADD, x, 8), RNET_WITH(STORE, y, 8)));
}

static void swiglu_11_forward(const struct rnet_run *run, const float *params,
                              float *saved, const float *x, float *y)
{
    const long strips_35 = RNET_STRIP_COUNT(35 * run->batch);
    float *normalized = saved + 256 * strips_35;
    float *rmsnorm = saved;
    float *rstd = saved + 512 * strips_35;
    float *linear = saved + 544 * strips_35;
    float *silu = saved + 896 * strips_35;
    float *linear_2 = saved + 1248 * strips_35;
    float *product = saved + 1600 * strips_35;
    /* normalized = norm(x) */
    /* rmsnorm = (normalized) rmsnorm.0.weight */
    rnet_norm_rows(run,
                   (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 }, 8,
                   RNET_NORM_RMS, 1, 1e-05f, x, 8, rstd,
                   RNET_STEPS(RNET_WITH(STORE, normalized, 8),
                              RNET_BY_FEATURE(MUL,
                                              params + SWIGLU_11_RMSNORM_0_WEIGHT),
                              RNET_WITH(STORE, rmsnorm, 8)));
    /* linear = linear.0.weight rmsnorm */
    /* silu = silu(linear) */
    rnet_linear(run, 35 * run->batch, 8, 11, rmsnorm, 8,
                params + SWIGLU_11_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_WITH(STORE, linear, 11), RNET_DO(SILU),
                           RNET_WITH(STORE, silu, 11)));
    /* linear_2 = linear.1.weight rmsnorm */
    /* product = (linear_2) silu */
    rnet_linear(run, 35 * run->batch, 8, 11, rmsnorm, 8,
                params + SWIGLU_11_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_WITH(STORE, linear_2, 11),
                           RNET_WITH(MUL, silu, 11),
                           RNET_WITH(STORE, product, 11)));
    /* y = linear.2.weight product + x */
    rnet_linear(run, 35 * run->batch, 11, 8, product, 11,
                params + SWIGLU_11_LINEAR_2_WEIGHT,
                RNET_STEPS(RNET_WITH(ADD, x, 8), RNET_WITH(STORE, y, 8)));
}

static void swiglu_11_backward(const struct rnet_run *run, const float *params,
                               float *grads, float *saved, float *scratch,
                               const float *dy, float *dx)
{
    const long strips_35 = RNET_STRIP_COUNT(35 * run->batch);
    float *product = saved + 1600 * strips_35;
    float *silu = saved + 896 * strips_35;
    float *d_product = scratch;
    float *linear = saved + 1248 * strips_35;
    float *linear_2 = saved + 544 * strips_35;
    float *d_linear = scratch + 352 * strips_35;
    float *rmsnorm = saved;
    float *d_rmsnorm = scratch + 704 * strips_35;
    float *d_rmsnorm_2 = scratch + 704 * strips_35;
    float *normalized = saved + 256 * strips_35;
    float *rstd = saved + 512 * strips_35;
    float *sums = scratch;
    rnet_linear_grad_weight(run, 35 * run->batch, 11, 8,
                            grads + SWIGLU_11_LINEAR_2_WEIGHT, NULL, dy, 8,
                            product, 11);
    /* t0 = linear.2.weight' dy */
    /* d_product = (t0) silu */
    /* d_linear = silu'(linear_2) ((t0) linear) */
    rnet_linear_grad_input(run, 35 * run->batch, 11, 8, dy, 8,
                           params + SWIGLU_11_LINEAR_2_WEIGHT,
                           RNET_STEPS(RNET_WITH_TEMP(STORE, 0),
                                      RNET_WITH(MUL, silu, 11),
                                      RNET_WITH(STORE, d_product, 11),
                                      RNET_WITH_TEMP(LOAD, 0),
                                      RNET_WITH(MUL, linear, 11),
                                      RNET_WITH(SILU_GRAD, linear_2, 11),
                                      RNET_WITH(STORE, d_linear, 11)));
    rnet_linear_grad_weight(run, 35 * run->batch, 8, 11,
                            grads + SWIGLU_11_LINEAR_1_WEIGHT, NULL, d_product,
                            11, rmsnorm, 8);
    /* d_rmsnorm = linear.1.weight' d_product */
    rnet_linear_grad_input(run, 35 * run->batch, 8, 11, d_product, 11,
                           params + SWIGLU_11_LINEAR_1_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_rmsnorm, 8)));
    rnet_linear_grad_weight(run, 35 * run->batch, 8, 11,
                            grads + SWIGLU_11_LINEAR_0_WEIGHT, NULL, d_linear,
                            11, rmsnorm, 8);
    /* d_rmsnorm_2 = linear.0.weight' d_linear + d_rmsnorm */
    rnet_linear_grad_input(run, 35 * run->batch, 8, 11, d_linear, 11,
                           params + SWIGLU_11_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(ADD, d_rmsnorm, 8),
                                      RNET_WITH(STORE, d_rmsnorm_2, 8)));
    /* dx = norm'(normalized) d_rmsnorm_2 + dy */
    rnet_norm_rows_grad(run,
                        (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 },
                        8, RNET_NORM_RMS, 1, d_rmsnorm_2, 8, normalized, 8,
                        rstd, params + SWIGLU_11_RMSNORM_0_WEIGHT, sums,
                        RNET_STEPS(RNET_WITH(ADD, dy, 8),
                                   RNET_WITH(STORE, dx, 8)));
    rnet_add_sums(run, grads + SWIGLU_11_RMSNORM_0_WEIGHT, sums, strips_35, 16,
                  8, 1);
}

/* ---- llama (llama.rnet:13) ----
 *
 *     network llama(vocab = 11, context = 35, width = 8, layers = 2, heads = 4, groups = 2, hidden = 11) {
 *         input word int [context]
 *         embedding(vocab, width)
 *         repeat layers { attend(heads, groups) swiglu(hidden) }
 *         rmsnorm -> linear(vocab, bias = no)
 *         output logits
 *         loss cross_entropy(logits, next)
 *         init normal(0.02)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    LLAMA_EMBEDDING_0_WEIGHT = 0,
    LLAMA_RMSNORM_0_WEIGHT = 352,
    LLAMA_LINEAR_0_WEIGHT = 368,
};

static void llama_infer_pass(const struct rnet_run *run, const float *params,
                             float *scratch, const int32_t *word,
                             const int32_t *next, float *logits)
{
    const long strips_35 = RNET_STRIP_COUNT(35 * run->batch);
    (void)next;
    float *embedding = scratch;
    float *x_2 = scratch + 256 * strips_35;
    float *other = scratch + 512 * strips_35;
    float *rmsnorm = scratch + 512 * strips_35;
    float *linear = scratch;
    /* embedding = embedding(word) */
    rnet_embedding(run, 35 * run->batch, 11, 8, word,
                   params + LLAMA_EMBEDDING_0_WEIGHT,
                   RNET_STEPS(RNET_WITH(STORE, embedding, 8)));
    for (long i = 0; i < 2; i++) {
        const float *p = params + 720 + i * 1760;
        float *y_2 = (1 - i) % 2 ? other : x_2;
        const float *x_3 = i == 0 ? embedding : (1 - i) % 2 ? x_2 : other;
        float *attend = scratch + 768 * strips_35;
        attend_4_2_infer(run, p, scratch + 768 * strips_35 + 256 * strips_35,
                         x_3, attend);
        swiglu_11_infer(run, p + 784,
                        scratch + 768 * strips_35 + 256 * strips_35, attend,
                        y_2);
    }
    /* rmsnorm = (norm(x_2)) rmsnorm.0.weight */
    rnet_norm_rows(run,
                   (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 }, 8,
                   RNET_NORM_RMS, 1, 1e-05f, x_2, 8, NULL,
                   RNET_STEPS(RNET_BY_FEATURE(MUL,
                                              params + LLAMA_RMSNORM_0_WEIGHT),
                              RNET_WITH(STORE, rmsnorm, 8)));
    /* linear = linear.0.weight rmsnorm */
    rnet_linear(run, 35 * run->batch, 8, 11, rmsnorm, 8,
                params + LLAMA_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_WITH(STORE, linear, 11)));
    /* logits = unpack(linear) */
    rnet_unpack_rows(run, 35 * run->batch, 11, linear, 11,
                     RNET_STEPS(RNET_WITH(STORE, logits, 11)));
}

static void llama_forward_pass(const struct rnet_run *run, const float *params,
                               float *saved, float *scratch,
                               const int32_t *word, const int32_t *next,
                               float *logits)
{
    const long strips_35 = RNET_STRIP_COUNT(35 * run->batch);
    (void)next;
    float *embedding = scratch;
    float *x_2 = scratch + 256 * strips_35;
    float *other = scratch + 512 * strips_35;
    float *normalized = saved + 256 * strips_35;
    float *rmsnorm = saved;
    float *rstd = saved + 512 * strips_35;
    float *linear = saved + 544 * strips_35;
    /* embedding = embedding(word) */
    rnet_embedding(run, 35 * run->batch, 11, 8, word,
                   params + LLAMA_EMBEDDING_0_WEIGHT,
                   RNET_STEPS(RNET_WITH(STORE, embedding, 8)));
    for (long i = 0; i < 2; i++) {
        const float *p = params + 720 + i * 1760;
        float *kept = saved + 896 * strips_35 + i * (3264 * strips_35 + 144 * run->batch);
        float *y_2 = (1 - i) % 2 ? other : x_2;
        const float *x_3 = i == 0 ? embedding : (1 - i) % 2 ? x_2 : other;
        float *attend = scratch + 768 * strips_35;
        attend_4_2_forward(run, p, kept,
                           scratch + 768 * strips_35 + 256 * strips_35, x_3,
                           attend);
        swiglu_11_forward(run, p + 784,
                          kept + 1312 * strips_35 + 144 * run->batch, attend,
                          y_2);
    }
    /* normalized = norm(x_2) */
    /* rmsnorm = (normalized) rmsnorm.0.weight */
    rnet_norm_rows(run,
                   (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 }, 8,
                   RNET_NORM_RMS, 1, 1e-05f, x_2, 8, rstd,
                   RNET_STEPS(RNET_WITH(STORE, normalized, 8),
                              RNET_BY_FEATURE(MUL,
                                              params + LLAMA_RMSNORM_0_WEIGHT),
                              RNET_WITH(STORE, rmsnorm, 8)));
    /* linear = linear.0.weight rmsnorm */
    rnet_linear(run, 35 * run->batch, 8, 11, rmsnorm, 8,
                params + LLAMA_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_WITH(STORE, linear, 11)));
    if (logits) {
        /* logits = unpack(linear) */
        rnet_unpack_rows(run, 35 * run->batch, 11, linear, 11,
                         RNET_STEPS(RNET_WITH(STORE, logits, 11)));
    }
}

static void llama_backward_pass(const struct rnet_run *run,
                                const float *params, float *grads,
                                float *saved, float *scratch,
                                const int32_t *word, const int32_t *next,
                                float *loss)
{
    const long strips_35 = RNET_STRIP_COUNT(35 * run->batch);
    float *linear = saved + 544 * strips_35;
    float *d_linear = scratch;
    float *lines = scratch + 352 * strips_35;
    float *rmsnorm = saved;
    float *d_rmsnorm = scratch + 352 * strips_35;
    float *normalized = saved + 256 * strips_35;
    float *d_x = scratch;
    float *rstd = saved + 512 * strips_35;
    float *sums = scratch + 256 * strips_35;
    float *d_embedding = scratch + 256 * strips_35;
    float *other = scratch + 512 * strips_35;
    /* d_linear = dloss / dlinear */
    rnet_cross_entropy(run,
                       (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 },
                       11, 1.0f, linear, 11, next, lines, loss,
                       RNET_STEPS(RNET_WITH(STORE, d_linear, 11)));
    rnet_linear_grad_weight(run, 35 * run->batch, 8, 11,
                            grads + LLAMA_LINEAR_0_WEIGHT, NULL, d_linear, 11,
                            rmsnorm, 8);
    /* d_rmsnorm = linear.0.weight' d_linear */
    rnet_linear_grad_input(run, 35 * run->batch, 8, 11, d_linear, 11,
                           params + LLAMA_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_rmsnorm, 8)));
    /* d_x = norm'(normalized) d_rmsnorm */
    rnet_norm_rows_grad(run,
                        (struct rnet_rows) { RNET_STRIPS, 35 * run->batch, 35 },
                        8, RNET_NORM_RMS, 1, d_rmsnorm, 8, normalized, 8, rstd,
                        params + LLAMA_RMSNORM_0_WEIGHT, sums,
                        RNET_STEPS(RNET_WITH(STORE, d_x, 8)));
    rnet_add_sums(run, grads + LLAMA_RMSNORM_0_WEIGHT, sums, strips_35, 16, 8,
                  1);
    for (long i = 1; i >= 0; i--) {
        const float *p = params + 720 + i * 1760;
        float *g = grads + 720 + i * 1760;
        float *kept = saved + 896 * strips_35 + i * (3264 * strips_35 + 144 * run->batch);
        float *dx_2 = i % 2 ? other : d_embedding;
        const float *dy_2 = i == 1 ? d_x : i % 2 ? d_embedding : other;
        float *d_attend = scratch + 768 * strips_35;
        swiglu_11_backward(run, p + 784, g + 784,
                           kept + 1312 * strips_35 + 144 * run->batch,
                           scratch + 768 * strips_35 + 256 * strips_35, dy_2,
                           d_attend);
        attend_4_2_backward(run, p, g, kept,
                            scratch + 768 * strips_35 + 256 * strips_35,
                            d_attend, dx_2);
    }
    rnet_embedding_grad(run, 35 * run->batch, 11, 8,
                        grads + LLAMA_EMBEDDING_0_WEIGHT, word, d_embedding, 8);
}

/* ---- entry points ---- */

_Static_assert(RNET_WORKER_FLOATS == 49152,
               "librnet and rnetc do not belong together");
_Static_assert(RNET_ATTENTION_FLOATS(2)
    <= 66560, "librnet needs more scratch than rnetc knows");
_Static_assert(RNET_ATTENTION_GRAD_FLOATS(2)
    <= 66560, "librnet needs more scratch than rnetc knows");

enum rnet_status llama_infer(const float *params, const int32_t *word,
                             float *logits, size_t batch,
                             struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, LLAMA_INFER_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if (!word || !logits)
        return RNET_NULL;
    status = rnet_check_indices(word, batch * 35, 11);
    if (status != RNET_OK)
        return status;
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
    llama_infer_pass(run, params, memory, word, NULL, logits);
    rnet_end(run);
    return RNET_OK;
}

static enum rnet_status infer_by_table(const float *params,
    const void *const *inputs, float *const *outputs,
    size_t batch, struct rnet_work *work)
{
    if (!inputs || !outputs)
        return RNET_NULL;
    return llama_infer(params, (const int32_t *)inputs[0], outputs[0], batch,
                       work);
}

enum rnet_status llama_train(float *params, const int32_t *word,
                             const int32_t *next, float *logits, float *loss,
                             float *grads, size_t batch,
                             struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, LLAMA_TRAIN_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if ((status = rnet_check_array(grads)) != RNET_OK)
        return status;
    if (!word || !next || !loss)
        return RNET_NULL;
    status = rnet_check_indices(word, batch * 35, 11);
    if (status != RNET_OK)
        return status;
    status = rnet_check_indices(next, batch * 35, 11);
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
    run->worker_floats = 66560;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    const long strips_35 = RNET_STRIP_COUNT(35 * run->batch);
    llama_forward_pass(run, params, memory,
                       memory + 7424 * strips_35 + 288 * run->batch, word,
                       next, logits);
    *loss = 0;
    llama_backward_pass(run, params, grads, memory,
                        memory + 7424 * strips_35 + 288 * run->batch, word,
                        next, loss);
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
    return llama_train(params, (const int32_t *)inputs[0],
                       (const int32_t *)inputs[1], outputs ? outputs[0] : NULL,
                       loss, grads, batch, work);
}

/* ---- the table ---- */

static const struct rnet_tensor tensors[] = {
    { .name = "embedding.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 11, 8 }, .floats = 352, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.02f },
    { .name = "rmsnorm.0.weight", .groups = 1, .rank = 1, .shape = { 8 },
      .offset = 352, .floats = 16, .trainable = 1, .mean = 1.0f },
    { .name = "linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 11, 8 }, .offset = 368, .floats = 352,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.02f },
    { .name = "attend.#.rmsnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 720, .floats = 16,
      .repeats = 1, .repeat = { { 2, 1760 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .mean = 1.0f },
    { .name = "attend.#.attention.0.q_proj.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 8, 8 }, .offset = 736, .floats = 256,
      .repeats = 1, .repeat = { { 2, 1760 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.02f },
    { .name = "attend.#.attention.0.k_proj.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 4, 8 }, .offset = 992, .floats = 128,
      .repeats = 1, .repeat = { { 2, 1760 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.02f },
    { .name = "attend.#.attention.0.v_proj.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 4, 8 }, .offset = 1120, .floats = 128,
      .repeats = 1, .repeat = { { 2, 1760 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.02f },
    { .name = "attend.#.attention.0.out_proj.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 8, 8 }, .offset = 1248, .floats = 256,
      .repeats = 1, .repeat = { { 2, 1760 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.02f },
    { .name = "swiglu.#.rmsnorm.0.weight", .groups = 1, .rank = 1,
      .shape = { 8 }, .offset = 1504, .floats = 16,
      .repeats = 1, .repeat = { { 2, 1760 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .mean = 1.0f },
    { .name = "swiglu.#.linear.0.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 11, 8 }, .offset = 1520,
      .floats = 352, .repeats = 1, .repeat = { { 2, 1760 } },
      .index = { { 0, { 1 } } }, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.02f },
    { .name = "swiglu.#.linear.1.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 11, 8 }, .offset = 1872,
      .floats = 352, .repeats = 1, .repeat = { { 2, 1760 } },
      .index = { { 0, { 1 } } }, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.02f },
    { .name = "swiglu.#.linear.2.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 8, 11 }, .offset = 2224,
      .floats = 256, .repeats = 1, .repeat = { { 2, 1760 } },
      .index = { { 0, { 1 } } }, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.02f },
};

static const struct rnet_port inputs[] = {
    { .name = "word", .integer = 1, .target = 0, .classes = 11,
      .rank = 1, .shape = { 35 }, .size = 35 },
    { .name = "next", .integer = 1, .target = 1, .classes = 11,
      .rank = 1, .shape = { 35 }, .size = 35 },
};

static const struct rnet_port outputs[] = {
    { .name = "logits", .integer = 0, .target = 0, .classes = 0,
      .rank = 2, .shape = { 35, 11 }, .size = 385 },
};

static size_t infer_bytes(size_t batch, int threads)
{
    (void)batch;
    return LLAMA_INFER_BYTES(batch, threads);
}

static size_t train_bytes(size_t batch, int threads)
{
    (void)batch;
    return LLAMA_TRAIN_BYTES(batch, threads);
}

const struct rnet_network llama = {
    .version = RNET_VERSION,
    .name = "llama",
    .trainable = 1128,
    .grad_floats = 4240,
    .param_floats = 4240,
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

enum rnet_status llama_init(float *params, uint64_t seed)
{
    return rnet_init_params(&llama, params, seed);
}
