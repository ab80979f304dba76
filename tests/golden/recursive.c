/* recursive: emitted by rnetc 0.1.0 from recursive.rnet; do not edit.
 *
 * 524 parameters, 5 blocks.  Values lie where the plan put them: `saved` is
 * what the backward pass reads, `scratch` lives for one pass.  The layouts
 * and the kernels are described in rnet_kernels.h. */
#include "recursive.h"

#include <rnet_kernels.h>

/* ---- nest_1 (recursive.rnet:3) of [9] ----
 *
 *     block nest(n, act) {
 *         input x [.., d]
 *         shortcut identity
 *         linear(d) -> act
 *         if n > 1 { nest(n - 1, act) }
 *     }
 */

enum {           /* where its parameters lie, in floats */
    NEST_1_LINEAR_0_WEIGHT = 0,
    NEST_1_LINEAR_0_BIAS = 288,
};

static void nest_1_infer(const struct rnet_run *run, const float *params,
                         const float *x, float *y)
{
    /* y = tanh(linear.0.weight x + linear.0.bias) + x */
    rnet_linear(run, run->batch, 9, 9, x, 9, params + NEST_1_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + NEST_1_LINEAR_0_BIAS),
                           RNET_DO(TANH), RNET_WITH(ADD, x, 9),
                           RNET_WITH(STORE, y, 9)));
}

static void nest_1_forward(const struct rnet_run *run, const float *params,
                           float *saved, const float *x, float *y)
{
    float *tanh = saved;
    /* tanh = tanh(linear.0.weight x + linear.0.bias) */
    /* y = tanh + x */
    rnet_linear(run, run->batch, 9, 9, x, 9, params + NEST_1_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + NEST_1_LINEAR_0_BIAS),
                           RNET_DO(TANH), RNET_WITH(STORE, tanh, 9),
                           RNET_WITH(ADD, x, 9), RNET_WITH(STORE, y, 9)));
}

static void nest_1_backward(const struct rnet_run *run, const float *params,
                            float *grads, float *saved, float *scratch,
                            const float *x, const float *dy, float *dx)
{
    float *tanh = saved;
    float *d_linear = scratch;
    /* d_linear = tanh'(tanh) (dy) */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 9,
               RNET_STEPS(RNET_WITH(LOAD, dy, 9),
                          RNET_WITH(TANH_GRAD, tanh, 9),
                          RNET_WITH(STORE, d_linear, 9)));
    rnet_linear_grad_weight(run, run->batch, 9, 9,
                            grads + NEST_1_LINEAR_0_WEIGHT,
                            grads + NEST_1_LINEAR_0_BIAS, d_linear, 9, x, 9);
    /* dx = linear.0.weight' d_linear + dy */
    rnet_linear_grad_input(run, run->batch, 9, 9, d_linear, 9,
                           params + NEST_1_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(ADD, dy, 9),
                                      RNET_WITH(STORE, dx, 9)));
}

/* ---- nest_2 (recursive.rnet:3) of [9], as nest_1 ---- */

enum {           /* where its parameters lie, in floats */
    NEST_2_LINEAR_0_WEIGHT = 0,
    NEST_2_LINEAR_0_BIAS = 288,
};

static void nest_2_infer(const struct rnet_run *run, const float *params,
                         float *scratch, const float *x, float *y)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *tanh = scratch;
    float *nest = scratch + 288 * strips;
    /* tanh = tanh(linear.0.weight x + linear.0.bias) */
    rnet_linear(run, run->batch, 9, 9, x, 9, params + NEST_2_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + NEST_2_LINEAR_0_BIAS),
                           RNET_DO(TANH), RNET_WITH(STORE, tanh, 9)));
    nest_1_infer(run, params + 304, tanh, nest);
    /* y = nest + x */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 9,
               RNET_STEPS(RNET_WITH(LOAD, nest, 9), RNET_WITH(ADD, x, 9),
                          RNET_WITH(STORE, y, 9)));
}

static void nest_2_forward(const struct rnet_run *run, const float *params,
                           float *saved, float *scratch, const float *x,
                           float *y)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *tanh = saved;
    float *nest = scratch;
    /* tanh = tanh(linear.0.weight x + linear.0.bias) */
    rnet_linear(run, run->batch, 9, 9, x, 9, params + NEST_2_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + NEST_2_LINEAR_0_BIAS),
                           RNET_DO(TANH), RNET_WITH(STORE, tanh, 9)));
    nest_1_forward(run, params + 304, saved + 288 * strips, tanh, nest);
    /* y = nest + x */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 9,
               RNET_STEPS(RNET_WITH(LOAD, nest, 9), RNET_WITH(ADD, x, 9),
                          RNET_WITH(STORE, y, 9)));
}

static void nest_2_backward(const struct rnet_run *run, const float *params,
                            float *grads, float *saved, float *scratch,
                            const float *x, const float *dy, float *dx)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *tanh = saved;
    float *d_tanh = scratch;
    float *d_linear = scratch;
    nest_1_backward(run, params + 304, grads + 304, saved + 288 * strips,
                    scratch + 288 * strips, tanh, dy, d_tanh);
    /* d_linear = tanh'(tanh) (d_tanh) */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 9,
               RNET_STEPS(RNET_WITH(LOAD, d_tanh, 9),
                          RNET_WITH(TANH_GRAD, tanh, 9),
                          RNET_WITH(STORE, d_linear, 9)));
    rnet_linear_grad_weight(run, run->batch, 9, 9,
                            grads + NEST_2_LINEAR_0_WEIGHT,
                            grads + NEST_2_LINEAR_0_BIAS, d_linear, 9, x, 9);
    /* dx = linear.0.weight' d_linear + dy */
    rnet_linear_grad_input(run, run->batch, 9, 9, d_linear, 9,
                           params + NEST_2_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(ADD, dy, 9),
                                      RNET_WITH(STORE, dx, 9)));
}

/* ---- nest_3 (recursive.rnet:3) of [9], as nest_1 ---- */

enum {           /* where its parameters lie, in floats */
    NEST_3_LINEAR_0_WEIGHT = 0,
    NEST_3_LINEAR_0_BIAS = 288,
};

static void nest_3_infer(const struct rnet_run *run, const float *params,
                         float *scratch, const float *x, float *y)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *tanh = scratch;
    float *nest = scratch;
    /* tanh = tanh(linear.0.weight x + linear.0.bias) */
    rnet_linear(run, run->batch, 9, 9, x, 9, params + NEST_3_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + NEST_3_LINEAR_0_BIAS),
                           RNET_DO(TANH), RNET_WITH(STORE, tanh, 9)));
    nest_2_infer(run, params + 304, scratch + 288 * strips, tanh, nest);
    /* y = nest + x */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 9,
               RNET_STEPS(RNET_WITH(LOAD, nest, 9), RNET_WITH(ADD, x, 9),
                          RNET_WITH(STORE, y, 9)));
}

static void nest_3_forward(const struct rnet_run *run, const float *params,
                           float *saved, float *scratch, const float *x,
                           float *y)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *tanh = saved;
    float *nest = scratch;
    /* tanh = tanh(linear.0.weight x + linear.0.bias) */
    rnet_linear(run, run->batch, 9, 9, x, 9, params + NEST_3_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + NEST_3_LINEAR_0_BIAS),
                           RNET_DO(TANH), RNET_WITH(STORE, tanh, 9)));
    nest_2_forward(run, params + 304, saved + 288 * strips,
                   scratch + 288 * strips, tanh, nest);
    /* y = nest + x */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 9,
               RNET_STEPS(RNET_WITH(LOAD, nest, 9), RNET_WITH(ADD, x, 9),
                          RNET_WITH(STORE, y, 9)));
}

static void nest_3_backward(const struct rnet_run *run, const float *params,
                            float *grads, float *saved, float *scratch,
                            const float *x, const float *dy, float *dx)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *tanh = saved;
    float *d_tanh = scratch;
    float *d_linear = scratch;
    nest_2_backward(run, params + 304, grads + 304, saved + 288 * strips,
                    scratch + 288 * strips, tanh, dy, d_tanh);
    /* d_linear = tanh'(tanh) (d_tanh) */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 9,
               RNET_STEPS(RNET_WITH(LOAD, d_tanh, 9),
                          RNET_WITH(TANH_GRAD, tanh, 9),
                          RNET_WITH(STORE, d_linear, 9)));
    rnet_linear_grad_weight(run, run->batch, 9, 9,
                            grads + NEST_3_LINEAR_0_WEIGHT,
                            grads + NEST_3_LINEAR_0_BIAS, d_linear, 9, x, 9);
    /* dx = linear.0.weight' d_linear + dy */
    rnet_linear_grad_input(run, run->batch, 9, 9, d_linear, 9,
                           params + NEST_3_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(ADD, dy, 9),
                                      RNET_WITH(STORE, dx, 9)));
}

/* ---- nest_1_v2 (recursive.rnet:3) of [9], as nest_1 ---- */

enum {           /* where its parameters lie, in floats */
    NEST_1_V2_LINEAR_0_WEIGHT = 0,
    NEST_1_V2_LINEAR_0_BIAS = 288,
};

static void nest_1_v2_infer(const struct rnet_run *run, const float *params,
                            float *scratch, const float *x, float *y)
{
    (void)scratch;
    /* y = silu(linear.0.weight x + linear.0.bias) + x */
    rnet_linear(run, run->batch, 9, 9, x, 9,
                params + NEST_1_V2_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + NEST_1_V2_LINEAR_0_BIAS),
                           RNET_DO(SILU), RNET_WITH(ADD, x, 9),
                           RNET_WITH(STORE, y, 9)));
}

static void nest_1_v2_forward(const struct rnet_run *run, const float *params,
                              float *saved, const float *x, float *y)
{
    float *linear = saved;
    /* linear = linear.0.weight x + linear.0.bias */
    /* y = silu(linear) + x */
    rnet_linear(run, run->batch, 9, 9, x, 9,
                params + NEST_1_V2_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + NEST_1_V2_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 9), RNET_DO(SILU),
                           RNET_WITH(ADD, x, 9), RNET_WITH(STORE, y, 9)));
}

static void nest_1_v2_backward(const struct rnet_run *run, const float *params,
                               float *grads, float *saved, float *scratch,
                               const float *x, const float *dy, float *dx)
{
    float *linear = saved;
    float *d_linear = scratch;
    /* d_linear = silu'(linear) (dy) */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 9,
               RNET_STEPS(RNET_WITH(LOAD, dy, 9),
                          RNET_WITH(SILU_GRAD, linear, 9),
                          RNET_WITH(STORE, d_linear, 9)));
    rnet_linear_grad_weight(run, run->batch, 9, 9,
                            grads + NEST_1_V2_LINEAR_0_WEIGHT,
                            grads + NEST_1_V2_LINEAR_0_BIAS, d_linear, 9, x, 9);
    /* dx = linear.0.weight' d_linear + dy */
    rnet_linear_grad_input(run, run->batch, 9, 9, d_linear, 9,
                           params + NEST_1_V2_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(ADD, dy, 9),
                                      RNET_WITH(STORE, dx, 9)));
}

/* ---- nest_2_v2 (recursive.rnet:3) of [9], as nest_1 ---- */

enum {           /* where its parameters lie, in floats */
    NEST_2_V2_LINEAR_0_WEIGHT = 0,
    NEST_2_V2_LINEAR_0_BIAS = 288,
};

static void nest_2_v2_infer(const struct rnet_run *run, const float *params,
                            float *scratch, const float *x, float *y)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *silu = scratch + 288 * strips;
    float *nest = scratch;
    /* silu = silu(linear.0.weight x + linear.0.bias) */
    rnet_linear(run, run->batch, 9, 9, x, 9,
                params + NEST_2_V2_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + NEST_2_V2_LINEAR_0_BIAS),
                           RNET_DO(SILU), RNET_WITH(STORE, silu, 9)));
    nest_1_v2_infer(run, params + 304, scratch + 576 * strips, silu, nest);
    /* y = nest + x */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 9,
               RNET_STEPS(RNET_WITH(LOAD, nest, 9), RNET_WITH(ADD, x, 9),
                          RNET_WITH(STORE, y, 9)));
}

static void nest_2_v2_forward(const struct rnet_run *run, const float *params,
                              float *saved, float *scratch, const float *x,
                              float *y)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *linear = saved;
    float *silu = saved + 288 * strips;
    float *nest = scratch;
    /* linear = linear.0.weight x + linear.0.bias */
    /* silu = silu(linear) */
    rnet_linear(run, run->batch, 9, 9, x, 9,
                params + NEST_2_V2_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + NEST_2_V2_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 9), RNET_DO(SILU),
                           RNET_WITH(STORE, silu, 9)));
    nest_1_v2_forward(run, params + 304, saved + 576 * strips, silu, nest);
    /* y = nest + x */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 9,
               RNET_STEPS(RNET_WITH(LOAD, nest, 9), RNET_WITH(ADD, x, 9),
                          RNET_WITH(STORE, y, 9)));
}

static void nest_2_v2_backward(const struct rnet_run *run, const float *params,
                               float *grads, float *saved, float *scratch,
                               const float *x, const float *dy, float *dx)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *silu = saved + 288 * strips;
    float *d_silu = scratch;
    float *linear = saved;
    float *d_linear = scratch;
    nest_1_v2_backward(run, params + 304, grads + 304, saved + 576 * strips,
                       scratch + 288 * strips, silu, dy, d_silu);
    /* d_linear = silu'(linear) (d_silu) */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 9,
               RNET_STEPS(RNET_WITH(LOAD, d_silu, 9),
                          RNET_WITH(SILU_GRAD, linear, 9),
                          RNET_WITH(STORE, d_linear, 9)));
    rnet_linear_grad_weight(run, run->batch, 9, 9,
                            grads + NEST_2_V2_LINEAR_0_WEIGHT,
                            grads + NEST_2_V2_LINEAR_0_BIAS, d_linear, 9, x, 9);
    /* dx = linear.0.weight' d_linear + dy */
    rnet_linear_grad_input(run, run->batch, 9, 9, d_linear, 9,
                           params + NEST_2_V2_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(ADD, dy, 9),
                                      RNET_WITH(STORE, dx, 9)));
}

/* ---- recursive (recursive.rnet:9) ----
 *
 *     network recursive(width = 9) {
 *         input x [5]
 *         linear(width) -> nest(3, tanh) -> nest(2, silu)
 *         linear(2)
 *         output y
 *         loss mse(y, target)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    RECURSIVE_LINEAR_0_WEIGHT = 0,
    RECURSIVE_LINEAR_0_BIAS = 288,
    RECURSIVE_LINEAR_1_WEIGHT = 304,
    RECURSIVE_LINEAR_1_BIAS = 368,
};

static void recursive_infer_pass(const struct rnet_run *run,
                                 const float *params, float *scratch,
                                 const float *x, const float *target, float *y)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)target;
    float *x_3 = scratch + 288 * strips;
    float *linear = scratch;
    float *nest = scratch;
    float *nest_2 = scratch;
    float *linear_2 = scratch + 288 * strips;
    /* x_3 = pack(x) */
    rnet_pack_rows(run, run->batch, 5, x, 5,
                   RNET_STEPS(RNET_WITH(STORE, x_3, 5)));
    /* linear = linear.0.weight x_3 + linear.0.bias */
    rnet_linear(run, run->batch, 5, 9, x_3, 5,
                params + RECURSIVE_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + RECURSIVE_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 9)));
    nest_3_infer(run, params + 384, scratch + 448 * strips, linear, nest);
    nest_2_v2_infer(run, params + 1296, scratch + 448 * strips, nest, nest_2);
    /* linear_2 = linear.1.weight nest_2 + linear.1.bias */
    rnet_linear(run, run->batch, 9, 2, nest_2, 9,
                params + RECURSIVE_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + RECURSIVE_LINEAR_1_BIAS),
                           RNET_WITH(STORE, linear_2, 2)));
    /* y = unpack(linear_2) */
    rnet_unpack_rows(run, run->batch, 2, linear_2, 2,
                     RNET_STEPS(RNET_WITH(STORE, y, 2)));
}

static void recursive_forward_pass(const struct rnet_run *run,
                                   const float *params, float *saved,
                                   float *scratch, const float *x,
                                   const float *target, float *y)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)target;
    float *x_3 = saved;
    float *linear = saved + 160 * strips;
    float *nest = saved + 448 * strips;
    float *nest_2 = saved + 736 * strips;
    float *linear_2 = saved + 1024 * strips;
    /* x_3 = pack(x) */
    rnet_pack_rows(run, run->batch, 5, x, 5,
                   RNET_STEPS(RNET_WITH(STORE, x_3, 5)));
    /* linear = linear.0.weight x_3 + linear.0.bias */
    rnet_linear(run, run->batch, 5, 9, x_3, 5,
                params + RECURSIVE_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + RECURSIVE_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 9)));
    nest_3_forward(run, params + 384, saved + 1088 * strips, scratch, linear,
                   nest);
    nest_2_v2_forward(run, params + 1296, saved + 1952 * strips, scratch, nest,
                      nest_2);
    /* linear_2 = linear.1.weight nest_2 + linear.1.bias */
    rnet_linear(run, run->batch, 9, 2, nest_2, 9,
                params + RECURSIVE_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + RECURSIVE_LINEAR_1_BIAS),
                           RNET_WITH(STORE, linear_2, 2)));
    if (y) {
        /* y = unpack(linear_2) */
        rnet_unpack_rows(run, run->batch, 2, linear_2, 2,
                         RNET_STEPS(RNET_WITH(STORE, y, 2)));
    }
}

static void recursive_backward_pass(const struct rnet_run *run,
                                    const float *params, float *grads,
                                    float *saved, float *scratch,
                                    const float *x, const float *target,
                                    float *loss, float *x_grad)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)x;
    float *linear = saved + 1024 * strips;
    float *d_linear = scratch + 288 * strips;
    float *lines = scratch;
    float *nest = saved + 736 * strips;
    float *d_nest = scratch;
    float *nest_2 = saved + 448 * strips;
    float *d_nest_2 = scratch;
    float *linear_2 = saved + 160 * strips;
    float *d_linear_2 = scratch;
    float *x_3 = saved;
    float *d_x = scratch + 288 * strips;
    /* d_linear = dloss / dlinear */
    rnet_loss(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 2,
              RNET_LOSS_SQUARED, 1.0f, linear, 2, target, lines, loss,
              RNET_STEPS(RNET_WITH(STORE, d_linear, 2)));
    rnet_linear_grad_weight(run, run->batch, 9, 2,
                            grads + RECURSIVE_LINEAR_1_WEIGHT,
                            grads + RECURSIVE_LINEAR_1_BIAS, d_linear, 2, nest,
                            9);
    /* d_nest = linear.1.weight' d_linear */
    rnet_linear_grad_input(run, run->batch, 9, 2, d_linear, 2,
                           params + RECURSIVE_LINEAR_1_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_nest, 9)));
    nest_2_v2_backward(run, params + 1296, grads + 1296, saved + 1952 * strips,
                       scratch + 448 * strips, nest_2, d_nest, d_nest_2);
    nest_3_backward(run, params + 384, grads + 384, saved + 1088 * strips,
                    scratch + 448 * strips, linear_2, d_nest_2, d_linear_2);
    rnet_linear_grad_weight(run, run->batch, 5, 9,
                            grads + RECURSIVE_LINEAR_0_WEIGHT,
                            grads + RECURSIVE_LINEAR_0_BIAS, d_linear_2, 9,
                            x_3, 5);
    if (x_grad) {
        /* d_x = linear.0.weight' d_linear_2 */
        rnet_linear_grad_input(run, run->batch, 5, 9, d_linear_2, 9,
                               params + RECURSIVE_LINEAR_0_WEIGHT,
                               RNET_STEPS(RNET_WITH(STORE, d_x, 5)));
        /* x_grad = unpack(d_x) */
        rnet_unpack_rows(run, run->batch, 5, d_x, 5,
                         RNET_STEPS(RNET_WITH(STORE, x_grad, 5)));
    }
}

/* ---- entry points ---- */

_Static_assert(RNET_WORKER_FLOATS == 49152,
               "librnet and rnetc do not belong together");
enum rnet_status recursive_infer(const float *params, const float *x, float *y,
                                 size_t batch, struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, RECURSIVE_INFER_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if (!x || !y)
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
    recursive_infer_pass(run, params, memory, x, NULL, y);
    rnet_end(run);
    return RNET_OK;
}

static enum rnet_status infer_by_table(const float *params,
    const void *const *inputs, float *const *outputs,
    size_t batch, struct rnet_work *work)
{
    if (!inputs || !outputs)
        return RNET_NULL;
    return recursive_infer(params, (const float *)inputs[0], outputs[0], batch,
                           work);
}

enum rnet_status recursive_train(float *params, const float *x,
                                 const float *target, float *y, float *loss,
                                 float *grads, float *x_grad, size_t batch,
                                 struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, RECURSIVE_TRAIN_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if ((status = rnet_check_array(grads)) != RNET_OK)
        return status;
    if (!x || !target || !loss)
        return RNET_NULL;
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
    const long strips = RNET_STRIP_COUNT(1 * run->batch);
    recursive_forward_pass(run, params, memory, memory + 2816 * strips, x,
                           target, y);
    *loss = 0;
    recursive_backward_pass(run, params, grads, memory, memory + 2816 * strips,
                            x, target, loss, x_grad);
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
    return recursive_train(params, (const float *)inputs[0],
                           (const float *)inputs[1],
                           outputs ? outputs[0] : NULL, loss, grads,
                           input_grads ? input_grads[0] : NULL, batch, work);
}

/* ---- the table ---- */

static const struct rnet_tensor tensors[] = {
    { .name = "linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 9, 5 }, .floats = 288, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.6324555f },
    { .name = "linear.0.bias", .groups = 1, .rank = 1, .shape = { 9 },
      .offset = 288, .floats = 16, .trainable = 1 },
    { .name = "linear.1.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 2, 9 }, .offset = 304, .floats = 64,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.47140452f },
    { .name = "linear.1.bias", .groups = 1, .rank = 1, .shape = { 2 },
      .offset = 368, .floats = 16, .trainable = 1 },
    { .name = "nest.0.linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 9, 9 }, .offset = 384, .floats = 288,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.47140452f },
    { .name = "nest.0.linear.0.bias", .groups = 1, .rank = 1, .shape = { 9 },
      .offset = 672, .floats = 16, .trainable = 1 },
    { .name = "nest.0.nest.0.linear.0.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 9, 9 }, .offset = 688, .floats = 288,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.47140452f },
    { .name = "nest.0.nest.0.linear.0.bias", .groups = 1, .rank = 1,
      .shape = { 9 }, .offset = 976, .floats = 16, .trainable = 1 },
    { .name = "nest.0.nest.0.nest.0.linear.0.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 9, 9 }, .offset = 992, .floats = 288,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.47140452f },
    { .name = "nest.0.nest.0.nest.0.linear.0.bias", .groups = 1, .rank = 1,
      .shape = { 9 }, .offset = 1280, .floats = 16, .trainable = 1 },
    { .name = "nest.1.linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 9, 9 }, .offset = 1296, .floats = 288,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.47140452f },
    { .name = "nest.1.linear.0.bias", .groups = 1, .rank = 1, .shape = { 9 },
      .offset = 1584, .floats = 16, .trainable = 1 },
    { .name = "nest.1.nest.0.linear.0.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 9, 9 }, .offset = 1600, .floats = 288,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.47140452f },
    { .name = "nest.1.nest.0.linear.0.bias", .groups = 1, .rank = 1,
      .shape = { 9 }, .offset = 1888, .floats = 16, .trainable = 1 },
};

static const struct rnet_port inputs[] = {
    { .name = "x", .integer = 0, .target = 0, .classes = 0,
      .rank = 1, .shape = { 5 }, .size = 5 },
    { .name = "target", .integer = 0, .target = 1, .classes = 0,
      .rank = 1, .shape = { 2 }, .size = 2 },
};

static const struct rnet_port outputs[] = {
    { .name = "y", .integer = 0, .target = 0, .classes = 0,
      .rank = 1, .shape = { 2 }, .size = 2 },
};

static size_t infer_bytes(size_t batch, int threads)
{
    (void)batch;
    return RECURSIVE_INFER_BYTES(batch, threads);
}

static size_t train_bytes(size_t batch, int threads)
{
    (void)batch;
    return RECURSIVE_TRAIN_BYTES(batch, threads);
}

const struct rnet_network recursive = {
    .version = RNET_VERSION,
    .name = "recursive",
    .trainable = 524,
    .grad_floats = 1904,
    .param_floats = 1904,
    .tensors = tensors,
    .tensor_rows = 14,
    .inputs = inputs,
    .outputs = outputs,
    .input_count = 2,
    .output_count = 1,
    .infer_bytes = infer_bytes,
    .train_bytes = train_bytes,
    .infer = infer_by_table,
    .train = train_by_table,
};

enum rnet_status recursive_init(float *params, uint64_t seed)
{
    return rnet_init_params(&recursive, params, seed);
}
