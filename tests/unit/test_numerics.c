/* test_numerics.c: what is decided where mathematics leaves a choice, or floats
 * leave their range; a test for each row of docs/NUMERICS.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/isa.h"
#include "../../runtime/rnet_kernels.h"
#include "numerics/attended.h"
#include "numerics/deep.h"
#include "numerics/gathered.h"
#include "numerics/normed.h"

/* Each instruction set that the CPU has. */
#define EACH_ISA(isa) \
    for (int isa = 0; isa < RNET_ISAS; isa++) \
        if (rnet_isa_use((enum rnet_isa)isa) == (enum rnet_isa)isa)

/* ------------------------------------------------------- kernels and networks */

/* One call of a kernel. */
struct call { struct rnet_work work; struct rnet_run run; };

static struct rnet_run *begin(struct call *call, long batch)
{
    memset(call, 0, sizeof *call);
    rnet_begin(&call->run, &call->work, (size_t)batch, 1);
    call->run.worker_floats = RNET_WORKER_FLOATS;
    call->run.workers = rnet_alloc(RNET_WORKER_FLOATS);
    assert_non_null(call->run.workers);
    return &call->run;
}

static void end(struct call *call)
{
    rnet_end(&call->run);
    rnet_free(call->run.workers);
}

static struct rnet_rows plain(long rows)
{
    return (struct rnet_rows) { RNET_PLAIN, rows, 1 };
}

/* A network with its initial weights. */
struct session {
    const struct rnet_network *net;
    float *params, *grads;
    struct rnet_work work;
};

static struct session open_session(const struct rnet_network *net,
                                   size_t batch)
{
    struct session s = { .net = net };

    s.params = rnet_alloc(net->param_floats);
    s.grads = rnet_alloc(net->grad_floats);
    s.work.bytes = net->train_bytes(batch, 1);
    s.work.memory = rnet_alloc_bytes(s.work.bytes);
    assert_non_null(s.params);
    assert_non_null(s.grads);
    assert_non_null(s.work.memory);
    assert_int_equal(rnet_init_params(net, s.params, 7), RNET_OK);
    return s;
}

static void close_session(struct session *s)
{
    rnet_free(s->params);
    rnet_free(s->grads);
    rnet_free(s->work.memory);
}

static void fill(float *p, long count)
{
    for (long i = 0; i < count; i++)
        p[i] = (float)((i * 37 + 11) % 23 - 11) / 8;
}

static void assert_finite(const float *p, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(isfinite(p[i]));
}

/* y = op(x), or dy * f' where y is what the step reads */
static float step(enum rnet_op op, float acc, float operand)
{
    struct call call;
    float y = -1;

    rnet_point(begin(&call, 1), plain(1), 1, RNET_STEPS(
        { .op = RNET_LOAD, .kind = RNET_SCALAR, .x = &acc },
        { .op = op, .kind = RNET_SCALAR, .x = &operand, .value = 0.25f },
        { .op = RNET_STORE, .kind = RNET_FULL, .x = &y, .stride = 1 }));
    end(&call);
    return y;
}

/* --------------------------------------------------------------- softmax */

static void softmax_of_a_masked_row(void **state)
{
    float x[6] = { -INFINITY, -INFINITY, -INFINITY, 0, -INFINITY, 0 };
    const float truth[6] = { 0, 0, 0, 0.5f, 0, 0.5f };
    float y[6], dx[6], dy[6] = { 1, 2, 3, 1, 2, 3 };
    struct call call;

    (void)state;
    begin(&call, 2);
    EACH_ISA(isa) {
        rnet_softmax(&call.run, plain(2), 3, x, 3,
                     RNET_STEPS(RNET_WITH(STORE, y, 3)));
        rnet_softmax_grad(&call.run, plain(2), 3, y, 3, dy, 3,
                          RNET_STEPS(RNET_WITH(STORE, dx, 3)));
        for (int i = 0; i < 6; i++)
            assert_true(y[i] == truth[i]);
        assert_true(dx[0] == 0 && dx[1] == 0 && dx[2] == 0);
        assert_finite(dx, 6);
    }
    end(&call);
}

static void softmax_at_large_values(void **state)
{
    float x[6] = { 1e4f, -1e4f, 1e4f, 3e38f, 3e38f, -3e38f }, y[6];
    const float truth[6] = { 0.5f, 0, 0.5f, 0.5f, 0.5f, 0 };
    struct call call;

    (void)state;
    begin(&call, 2);
    EACH_ISA(isa) {
        rnet_softmax(&call.run, plain(2), 3, x, 3,
                     RNET_STEPS(RNET_WITH(STORE, y, 3)));
        for (int i = 0; i < 6; i++)
            assert_true(y[i] == truth[i]);
    }
    end(&call);
}

/* ----------------------------------------------------------------- losses */

static void cross_entropy_at_large_logits(void **state)
{
    float x[6] = { 1e4f, -1e4f, 0, 1e4f, -1e4f, 0 }, dx[6], lines[1];
    const int32_t label[2] = { 1, 0 };
    const float truth[6] = { 0.5f, -0.5f, 0, 0, 0, 0 };
    struct call call;

    (void)state;
    begin(&call, 2);
    EACH_ISA(isa) {
        float loss = 0;

        rnet_cross_entropy(&call.run, plain(2), 3, 1, x, 3, label, lines,
                           &loss, RNET_STEPS(RNET_WITH(STORE, dx, 3)));
        assert_true(loss == 1e4f);
        for (int i = 0; i < 6; i++)
            assert_true(dx[i] == truth[i]);
    }
    end(&call);
}

static void binary_loss_at_large_logits(void **state)
{
    float x[4] = { 1e4f, -1e4f, 1e4f, -1e4f }, dx[4], lines[1];
    float target[4] = { 0, 1, 1, 0 };
    const float truth[4] = { 0.25f, -0.25f, 0, 0 };
    struct call call;

    (void)state;
    begin(&call, 1);
    EACH_ISA(isa) {
        float loss = 0;

        rnet_loss(&call.run, plain(1), 4, RNET_LOSS_BINARY, 1, x, 4, target,
                  lines, &loss, RNET_STEPS(RNET_WITH(STORE, dx, 4)));
        assert_true(loss == 5e3f);
        for (int i = 0; i < 4; i++)
            assert_true(dx[i] == truth[i]);
    }
    end(&call);
}

/* An infinite logit of another class is certain; of the label, infinite; one of
 * +infinity, and all of -infinity, are no distribution. */
static void cross_entropy_at_infinite_logits(void **state)
{
    float x[2] = { -INFINITY, 0 }, up[2] = { INFINITY, 0 }, dx[2], lines[1];
    const float none[2] = { -INFINITY, -INFINITY };
    const int32_t first = 0, second = 1;
    struct call call;

    (void)state;
    begin(&call, 1);
    EACH_ISA(isa) {
        struct rnet_steps to = RNET_STEPS(RNET_WITH(STORE, dx, 2));
        float loss = 0;

        rnet_cross_entropy(&call.run, plain(1), 2, 1, x, 2, &second, lines,
                           &loss, to);
        assert_true(loss == 0 && dx[0] == 0 && dx[1] == 0);
        rnet_cross_entropy(&call.run, plain(1), 2, 1, x, 2, &first, lines,
                           &loss, to);
        assert_true(loss == INFINITY);
        loss = 0;
        rnet_cross_entropy(&call.run, plain(1), 2, 1, up, 2, &first, lines,
                           &loss, to);
        assert_true(isnan(loss));
        loss = 0;
        rnet_cross_entropy(&call.run, plain(1), 2, 1, none, 2, &first, lines,
                           &loss, to);
        assert_true(isnan(loss));
    }
    end(&call);
}

static void mean_of_no_rows(void **state)
{
    float x[6] = { 1, 2, 3, 4, 5, 6 }, dx[6], lines[1];
    const float no_weights[3] = { 0, 0, 0 };
    const int32_t ignored[2] = { -100, -100 }, label[2] = { 0, 2 };
    struct rnet_entropy cases[2] = {
        { .ignores = 1, .ignore = -100 }, { .classes = no_weights }
    };
    struct call call;

    (void)state;
    begin(&call, 2);
    EACH_ISA(isa)
        for (int k = 0; k < 2; k++) {
            float loss = 3;

            rnet_weighted_cross_entropy(
                &call.run, plain(2), 3, 1, cases + k, x, 3,
                k ? label : ignored, lines, &loss,
                RNET_STEPS(RNET_WITH(STORE, dx, 3)));
            assert_true(loss == 3);
            for (int i = 0; i < 6; i++)
                assert_true(dx[i] == 0);
        }
    end(&call);
}

/* ------------------------------------------------------------------ norms */

static void layer_norm_of_a_constant_row(void **state)
{
    float x[66], y[66], dy[66], dx[66], rstd[64], gamma[33];
    struct call call;

    (void)state;
    begin(&call, 2);
    for (int i = 0; i < 66; i++) {
        x[i] = i < 33 ? 0.1f : 1e6f / 3;
        dy[i] = (float)(i % 5);
        gamma[i % 33] = 1;
    }
    EACH_ISA(isa) {
        rnet_norm_rows(&call.run, plain(2), 33, RNET_NORM_LAYER, 1, 1e-5f, x,
                       33, rstd, RNET_STEPS(RNET_WITH(STORE, y, 33)));
        rnet_norm_rows_grad(&call.run, plain(2), 33, RNET_NORM_LAYER, 1, dy,
                            33, y, 33, rstd, gamma, NULL,
                            RNET_STEPS(RNET_WITH(STORE, dx, 33)));
        for (int i = 0; i < 33; i++)
            assert_true(fabsf(y[i]) < 1e-5f);
        assert_finite(y, 66);
        assert_finite(dx, 66);
    }
    end(&call);
}

/* dx of a group of one value; two rows, maps of one pixel too. */
static void norm_of_one_value(void **state)
{
    const float xhat[10] = { 0 };
    float dy[10], dx[10], gamma[5], rstd[5 * RNET_LANES];
    struct call call;

    (void)state;
    begin(&call, 2);
    for (int i = 0; i < 5 * RNET_LANES; i++)
        rstd[i] = 300;
    for (int i = 0; i < 10; i++) {
        dy[i] = 0.1f * (float)(i + 1);
        gamma[i / 2] = 1.1f + 0.3f * (float)i;
    }
    EACH_ISA(isa)
        for (int maps = 0; maps < 2; maps++) {
            (maps ? rnet_norm_maps_grad : rnet_norm_rows_grad)(
                &call.run, plain(2), 5, RNET_NORM_LAYER, 5, dy, 5, xhat, 5,
                rstd, gamma, NULL, RNET_STEPS(RNET_WITH(STORE, dx, 5)));
            for (int i = 0; i < 10; i++)
                assert_true(dx[i] == 0);
        }
    end(&call);
}

/* Relative errors are small where angles are. */
static void sines_of_small_numbers(void **state)
{
    float x[4] = { 1e-3f, -3e-6f, 7e-20f, -7e-20f }, y[16];
    struct call call;

    (void)state;
    begin(&call, 4);
    EACH_ISA(isa) {
        rnet_sine_features(&call.run, plain(4), 4, 100, 0, x, 1,
                           RNET_STEPS(RNET_WITH(STORE, y, 4)));
        for (int i = 0; i < 4; i++)
            for (int k = 0; k < 2; k++) {
                double angle = (double)x[i] * pow(100, -k / 2.0);

                assert_true(fabs(y[4 * i + k] / sin(angle) - 1) < 2e-7);
            }
    }
    end(&call);
}

static void batch_norm_of_one_value(void **state)
{
    struct session s = open_session(&normed, 2);
    float x[12], y[6] = { 0 }, loss = 5, before;
    int32_t label[2] = { 0, 1 };

    (void)state;
    fill(x, 12);
    before = s.params[0];
    assert_int_equal(normed_train(s.params, x, label, NULL, &loss, s.grads,
                                  NULL, 1, &s.work), RNET_BAD_BATCH);
    assert_true(loss == 5 && s.params[0] == before && s.work.step == 0);
    for (size_t i = 0; i < normed.grad_floats; i++)
        assert_true(s.grads[i] == 0);
    assert_int_equal(normed_train(s.params, x, label, NULL, &loss, s.grads,
                                  NULL, 2, &s.work), RNET_OK);
    assert_true(isfinite(loss));
    assert_int_equal(normed_infer(s.params, x, y, 1, &s.work), RNET_OK);
    assert_finite(y, 3);
    close_session(&s);
}

/* Of 1 and 3: variance 1, unbiased 2. */
static void running_variance_is_unbiased(void **state)
{
    float sums[3] = { 2, 4, 1 }, mean = 0, var = 1, scale, shift, saved[2];
    struct call call;

    (void)state;
    rnet_batch_norm(begin(&call, 2), 1, 2, sums, 2, NULL, NULL, 0, 0.1f, &mean,
                    &var, &scale, &shift, saved);
    assert_true(fabsf(mean - 0.2f) < 1e-6f && fabsf(var - 1.1f) < 1e-6f);
    assert_true(scale == 1 && shift == -2);
    end(&call);
}

/* 10,000 and 0 to 96: variance (97^2 - 1) / 12, whatever the running mean is. */
static void batch_norm_far_from_zero(void **state)
{
    float x[97], sums[4 * 3], mean, var, scale, shift, saved[2];
    struct call call;

    (void)state;
    begin(&call, 97);
    for (int i = 0; i < 97; i++)
        x[i] = 10000 + (float)(i * 37 % 97);
    EACH_ISA(isa)
        for (int strips = 0; strips < 2; strips++) {
            struct rnet_rows rows = { strips ? RNET_STRIPS : RNET_PLAIN, 97,
                                      97 };
            float in_strips[128] = { 0 };

            memcpy(in_strips, x, sizeof x);
            mean = 0, var = 1;
            rnet_point(&call.run, rows, 1,
                       RNET_STEPS(RNET_WITH(LOAD, in_strips, 1),
                                  RNET_SUM_TO(SUM_MOMENTS, sums)));
            rnet_batch_norm(&call.run, 1, 97, sums, strips ? RNET_LANES : 97,
                            NULL, NULL, 0, 0.1f, &mean, &var, &scale, &shift,
                            saved);
            assert_true(saved[0] == 10048);
            assert_true(fabs(saved[1] * sqrt(784) - 1) < 1e-7);
        }
    end(&call);
}

/* Rounding may take the sum of squares below what the mean takes from it. */
static void batch_norm_of_a_constant_channel(void **state)
{
    float sums[3] = { 1, 0.4999f, 0.5f }, mean = 0, var = 1, scale, shift, saved[2];
    struct call call;

    (void)state;
    rnet_batch_norm(begin(&call, 2), 1, 2, sums, 2, NULL, NULL, 0.25f, 0.5f,
                    &mean, &var, &scale, &shift, saved);
    assert_true(scale == 2 && shift == -2);
    assert_true(mean == 0.5f && var == 0.5f);
    end(&call);
}

/* -------------------------------------------------------------- pointwise */

static void gradients_at_kinks(void **state)
{
    (void)state;
    EACH_ISA(isa) {
        assert_true(step(RNET_RELU_GRAD, 3, 0) == 0);
        assert_true(step(RNET_RELU_GRAD, 3, -0.0f) == 0);
        assert_true(step(RNET_LEAKY_GRAD, 4, 0) == 1);
        assert_true(step(RNET_RELU6_GRAD, 3, 0) == 0);
        assert_true(step(RNET_RELU6_GRAD, 3, 6) == 0);
        assert_true(step(RNET_ABS_GRAD, 3, 0) == 0);
    }
}

static void nan_passes_through_functions(void **state)
{
    (void)state;
    EACH_ISA(isa) {
        for (int op = RNET_RELU; op <= RNET_SOFTPLUS; op++)
            assert_true(isnan(step((enum rnet_op)op, NAN, 0)));
        for (int op = RNET_ADD; op <= RNET_MIN; op++) {
            assert_true(isnan(step((enum rnet_op)op, NAN, 1)));
            assert_true(isnan(step((enum rnet_op)op, 1, NAN)));
        }
        assert_true(step(RNET_RELU_GRAD, 3, NAN) == 0);
    }
}

/* Limits, where PyTorch's formulas give infinity times 0. */
static const struct special {
    enum rnet_op op;
    float x, y;
} specials[] = {
    { RNET_EXP, -INFINITY, 0 }, { RNET_EXP, INFINITY, INFINITY },
    { RNET_EXP, 0, 1 }, { RNET_EXP, 1000, INFINITY }, { RNET_EXP, -1000, 0 },
    { RNET_LOG, 0, -INFINITY }, { RNET_LOG, INFINITY, INFINITY },
    { RNET_LOG, -1, NAN }, { RNET_LOG, -INFINITY, NAN }, { RNET_LOG, 1, 0 },
    { RNET_TANH, INFINITY, 1 }, { RNET_TANH, -INFINITY, -1 },
    { RNET_TANH, 0, 0 }, { RNET_SIGMOID, INFINITY, 1 },
    { RNET_SIGMOID, -INFINITY, 0 }, { RNET_SIGMOID, 0, 0.5f },
    { RNET_GELU, INFINITY, INFINITY }, { RNET_GELU, -INFINITY, 0 },
    { RNET_GELU, 0, 0 }, { RNET_GELU_TANH, INFINITY, INFINITY },
    { RNET_GELU_TANH, -INFINITY, 0 }, { RNET_SILU, INFINITY, INFINITY },
    { RNET_SILU, -INFINITY, 0 }, { RNET_SOFTPLUS, INFINITY, INFINITY },
    { RNET_SOFTPLUS, -INFINITY, 0 }, { RNET_ELU, -INFINITY, -0.25f },
    { RNET_ELU, INFINITY, INFINITY }, { RNET_GELU_GRAD, INFINITY, 1 },
    { RNET_GELU_GRAD, -INFINITY, 0 }, { RNET_GELU_TANH_GRAD, INFINITY, 1 },
    { RNET_GELU_TANH_GRAD, -INFINITY, 0 }, { RNET_SILU_GRAD, INFINITY, 1 },
    { RNET_SILU_GRAD, -INFINITY, 0 }, { RNET_SILU_GRAD, 0, 0.5f },
    { RNET_GELU_GRAD, 0, 0.5f }, { RNET_RELU, -INFINITY, 0 },
    { RNET_RELU_GRAD, 0, 0 }, { RNET_RELU_GRAD, -1, 0 },
    { RNET_RELU_GRAD, 1e-30f, 1 }, { RNET_ABS_GRAD, 0, 0 },
    { RNET_ABS_GRAD, -2, -1 }, { RNET_SOFTPLUS_GRAD, -INFINITY, 0 },
    { RNET_SQRT, -1, NAN }, { RNET_SQRT, INFINITY, INFINITY },
};

/* Their limits, and what they are at 0; tests/ulp.sh measures the rest. */
static void functions_at_infinity(void **state)
{
    (void)state;
    EACH_ISA(isa)
        for (size_t k = 0; k < sizeof specials / sizeof *specials; k++) {
            const struct special *s = specials + k;
            float y = s->op >= RNET_RELU_GRAD ? step(s->op, 1, s->x)
                                              : step(s->op, s->x, 0);

            assert_true(isnan(s->y) ? isnan(y) : y == s->y);
        }
}

/* ------------------------------------------------------- floating-point modes */

/* What a number becomes on its way through a task. */
static float through_a_task(float x)
{
    return step(RNET_MUL, x, 1);
}

static void denormals_are_zero_in_tasks(void **state)
{
    (void)state;
#if defined __SSE2__ || defined __aarch64__
    EACH_ISA(isa) {
        assert_true(through_a_task(1e-40f) == 0);
        assert_true(through_a_task(2e-38f) == 2e-38f);
        assert_true(step(RNET_MUL, 1e-20f, 1e-20f) == 0);
    }
#endif
}

/* Rounding and denormals are as the caller had them, and no concern of tasks. */
static void modes_are_the_callers(void **state)
{
#if defined __SSE2__
    struct session s = open_session(&normed, 2);
    unsigned before = __builtin_ia32_stmxcsr(), odd = before | 0x4000;
    float x[12], y[6], z[6], loss;
    int32_t label[2] = { 0, 1 };

    fill(x, 12);
    assert_int_equal(normed_infer(s.params, x, y, 2, &s.work), RNET_OK);
    __builtin_ia32_ldmxcsr(odd);
    assert_int_equal(normed_infer(s.params, x, z, 2, &s.work), RNET_OK);
    assert_int_equal(__builtin_ia32_stmxcsr() & 0xffc0, odd & 0xffc0);
    assert_int_equal(normed_train(s.params, x, label, NULL, &loss, s.grads,
                                  NULL, 2, &s.work), RNET_OK);
    assert_int_equal(__builtin_ia32_stmxcsr() & 0xffc0, odd & 0xffc0);
    __builtin_ia32_ldmxcsr(before);
    for (int i = 0; i < 6; i++)
        assert_true(y[i] == z[i]);
    close_session(&s);
#endif
    (void)state;
}

/* ---------------------------------------------------------------- pooling */

/* One channel: a map of 2 * 2, or 5 * 5, ... */
static struct rnet_pool_shape square(enum rnet_pool_kind kind, int size,
                                     int kernel, int stride, int pad)
{
    int out = (size + 2 * pad - kernel) / stride + 1;

    return (struct rnet_pool_shape) { kind, size, size, 1, out, out, 1, kernel,
                                      kernel, stride, stride, pad, pad, 1 };
}

static void max_pool_ties(void **state)
{
    float x[8] = { 1, 1, 1, 1, -INFINITY, -INFINITY, -INFINITY, -INFINITY };
    float dy[2] = { 5, 7 }, y[2], dx[8];
    struct rnet_pool_shape shape = square(RNET_POOL_MAX, 2, 2, 2, 0);
    const float truth[8] = { 5, 0, 0, 0, 7, 0, 0, 0 };
    struct call call;

    (void)state;
    begin(&call, 2);
    EACH_ISA(isa) {
        rnet_pool(&call.run, 2, &shape, x, 1,
                  RNET_STEPS(RNET_WITH(STORE, y, 1)));
        rnet_pool_grad(&call.run, 2, &shape, dy, 1, x, 1,
                       RNET_STEPS(RNET_WITH(STORE, dx, 1)));
        assert_true(y[0] == 1 && y[1] == -INFINITY);
        for (int i = 0; i < 8; i++)
            assert_true(dx[i] == truth[i]);
    }
    end(&call);
}

static void nan_wins_a_max_pool(void **state)
{
    float x[4] = { 1, NAN, 3, 2 }, dy = 5, y, dx[4];
    struct rnet_pool_shape shape = square(RNET_POOL_MAX, 2, 2, 2, 0);
    struct call call;

    (void)state;
    begin(&call, 1);
    EACH_ISA(isa) {
        rnet_pool(&call.run, 1, &shape, x, 1,
                  RNET_STEPS(RNET_WITH(STORE, &y, 1)));
        rnet_pool_grad(&call.run, 1, &shape, &dy, 1, x, 1,
                       RNET_STEPS(RNET_WITH(STORE, dx, 1)));
        assert_true(isnan(y));
        assert_true(dx[0] == 0 && dx[1] == 5 && dx[3] == 0);
    }
    end(&call);
}

/* Rows and columns that fill no window are left out; padding counts in an
 * average when it is to, and never wins. */
static void partial_windows(void **state)
{
    float x[25], y[9];
    struct rnet_pool_shape max = square(RNET_POOL_MAX, 5, 2, 2, 0);
    struct rnet_pool_shape mean = square(RNET_POOL_AVERAGE, 3, 3, 2, 1);
    struct rnet_pool_shape padded = square(RNET_POOL_MAX, 3, 3, 2, 1);
    struct call call;

    (void)state;
    begin(&call, 1);
    assert_int_equal(max.out_height, 2);
    EACH_ISA(isa) {
        struct rnet_steps to = RNET_STEPS(RNET_WITH(STORE, y, 1));

        for (int i = 0; i < 25; i++)
            x[i] = (float)i;
        rnet_pool(&call.run, 1, &max, x, 1, to);
        assert_true(y[0] == 6 && y[1] == 8 && y[2] == 16 && y[3] == 18);
        for (int i = 0; i < 25; i++)
            x[i] = -9;
        rnet_pool(&call.run, 1, &mean, x, 1, to);
        assert_true(y[0] == -4);
        mean.count_pad = 0;
        rnet_pool(&call.run, 1, &mean, x, 1, to);
        mean.count_pad = 1;
        assert_true(y[0] == -9);
        rnet_pool(&call.run, 1, &padded, x, 1, to);
        assert_true(y[0] == -9);
    }
    end(&call);
}

/* --------------------------------------------------------------- networks */

static void batch_of_zero(void **state)
{
    struct session s = open_session(&normed, 1);
    float x[6] = { 0 }, y[3] = { 1, 2, 3 }, loss = 5;
    int32_t label = 0;

    (void)state;
    assert_int_equal(normed_infer(s.params, x, y, 0, &s.work), RNET_OK);
    assert_int_equal(normed_train(s.params, x, &label, y, &loss, s.grads, NULL,
                                  0, &s.work), RNET_OK);
    assert_true(y[0] == 1 && y[1] == 2 && y[2] == 3);
    assert_true(loss == 0 && s.work.step == 0);
    for (size_t i = 0; i < normed.grad_floats; i++)
        assert_true(s.grads[i] == 0);
    close_session(&s);
}

static void a_thousand_blocks(void **state)
{
    struct session s = open_session(&deep, 3);
    float x[24], first = 0, loss;
    int32_t label[3] = { 0, 3, 1 };

    (void)state;
    fill(x, 24);
    EACH_ISA(isa) {
        rnet_zero(&deep, s.grads);
        assert_int_equal(deep_train(s.params, x, label, NULL, &loss, s.grads,
                                    NULL, 3, &s.work), RNET_OK);
        assert_true(isfinite(loss));
        assert_finite(s.grads, deep.grad_floats);
        if (isa == 0)
            first = loss;
        assert_true(fabsf(loss - first) <= 1e-4f * first);
    }
    close_session(&s);
}

/* Samples do not meet where no layer lets them; NaN and infinities stay in
 * their own, as whatever lies in lanes past the last sample does. */
static void odd_inputs_stay_in_their_sample(void **state)
{
    struct session s = open_session(&deep, 40);
    static float x[320], y[160], z[160];
    const float odd[3] = { NAN, INFINITY, -INFINITY };

    (void)state;
    fill(x, 320);
    EACH_ISA(isa)
        for (int k = 0; k < 3; k++) {
            float kept = x[35 * 8 + 2];

            assert_int_equal(deep_infer(s.params, x, y, 40, &s.work), RNET_OK);
            x[35 * 8 + 2] = odd[k];
            assert_int_equal(deep_infer(s.params, x, z, 40, &s.work), RNET_OK);
            x[35 * 8 + 2] = kept;
            for (int i = 0; i < 160; i++)
                assert_true(i / 4 == 35 ? !isfinite(z[i]) : z[i] == y[i]);
        }
    close_session(&s);
}

static void labels_out_of_range(void **state)
{
    struct session s = open_session(&deep, 1);
    float x[8], loss = 5;
    const int32_t bad[4] = { -1, 4, INT32_MAX, INT32_MIN };

    (void)state;
    fill(x, 8);
    for (int i = 0; i < 4; i++)
        assert_int_equal(deep_train(s.params, x, bad + i, NULL, &loss, s.grads,
                                    NULL, 1, &s.work), RNET_BAD_LABEL);
    assert_true(loss == 5 && s.work.step == 0);
    for (size_t i = 0; i < deep.grad_floats; i++)
        assert_true(s.grads[i] == 0);
    close_session(&s);
}

/* The sample gets out_proj's bias; its gradients are 0 but for that bias. */
static void attention_of_length_zero(void **state)
{
    struct session s = open_session(&attended, 2);
    float x[80], y[80], target[80] = { 0 }, dx[80], loss, bias[8];
    const int32_t seen[2] = { 0, 5 }, more[2] = { 0, 6 };
    struct rnet_entry entry;

    (void)state;
    fill(x, 80);
    for (size_t i = 0; i < attended.grad_floats; i++)
        s.params[i] += s.params[i] == 0 ? 0 : 0.01f;
    assert_int_equal(rnet_tensor_find(&attended, "attention.0.out_proj.bias",
                                      &entry), RNET_OK);
    for (int i = 0; i < 8; i++)
        bias[i] = (float)(i + 1);
    rnet_pack(&entry, s.params, bias);
    EACH_ISA(isa) {
        rnet_zero(&attended, s.grads);
        assert_int_equal(attended_train(s.params, x, seen, target, y, &loss,
                                        s.grads, dx, 2, &s.work), RNET_OK);
        for (int i = 0; i < 40; i++)
            assert_true(y[i] == bias[i % 8] && dx[i] == 0);
        assert_finite(y, 80);
        assert_finite(dx, 80);
        assert_finite(s.grads, attended.grad_floats);
    }
    assert_int_equal(attended_infer(s.params, x, more, y, 2, &s.work),
                     RNET_BAD_LABEL);
    close_session(&s);
}

static void graph_without_edges(void **state)
{
    struct session s = open_session(&gathered, 3);
    float x[9], near[9], far[9], zero[9] = { 0 }, loss, dx[9];
    const int64_t offsets[4] = { 0 };
    struct rnet_graph g = { .nodes = 3, .offsets = offsets };

    (void)state;
    fill(x, 9);
    EACH_ISA(isa) {
        assert_int_equal(gathered_train(s.params, x, &g, zero, zero, near, far,
                                        &loss, s.grads, dx, 3, &s.work),
                         RNET_OK);
        for (int i = 0; i < 9; i++)
            assert_true(near[i] == 0 && far[i] == x[i]);
        assert_finite(dx, 9);
    }
    close_session(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_of_a_masked_row),
        cmocka_unit_test(softmax_at_large_values),
        cmocka_unit_test(cross_entropy_at_large_logits),
        cmocka_unit_test(binary_loss_at_large_logits),
        cmocka_unit_test(cross_entropy_at_infinite_logits),
        cmocka_unit_test(mean_of_no_rows),
        cmocka_unit_test(layer_norm_of_a_constant_row),
        cmocka_unit_test(norm_of_one_value),
        cmocka_unit_test(sines_of_small_numbers),
        cmocka_unit_test(batch_norm_of_one_value),
        cmocka_unit_test(running_variance_is_unbiased),
        cmocka_unit_test(batch_norm_far_from_zero),
        cmocka_unit_test(batch_norm_of_a_constant_channel),
        cmocka_unit_test(gradients_at_kinks),
        cmocka_unit_test(nan_passes_through_functions),
        cmocka_unit_test(functions_at_infinity),
        cmocka_unit_test(denormals_are_zero_in_tasks),
        cmocka_unit_test(modes_are_the_callers),
        cmocka_unit_test(max_pool_ties),
        cmocka_unit_test(nan_wins_a_max_pool),
        cmocka_unit_test(partial_windows),
        cmocka_unit_test(batch_of_zero),
        cmocka_unit_test(a_thousand_blocks),
        cmocka_unit_test(odd_inputs_stay_in_their_sample),
        cmocka_unit_test(labels_out_of_range),
        cmocka_unit_test(attention_of_length_zero),
        cmocka_unit_test(graph_without_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
