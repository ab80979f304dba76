/* test_optimizer.c: against PyTorch's numbers, vector kernels against scalar
 * ones, decay by tensor, padding, clipping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/isa.h"
#include "../../runtime/kernels/optimizer.h"
#include "../fixtures/optimizer_fixture.h"

/* ------------------------------------------------------- PyTorch's numbers */

enum { AT_BIAS = 32, FLOATS = 48 };     /* where the fixture's tensors lie */
static const struct rnet_tensor pair_tensors[] = {
    { .name = "weight", .groups = 1, .rank = 1, .shape = { WEIGHT },
      .floats = 32, .trainable = 1, .decay = 1 },
    { .name = "bias", .groups = 1, .rank = 1, .shape = { BIAS },
      .offset = AT_BIAS, .floats = 16, .trainable = 1 } };
static const struct rnet_network pair = {
    .version = RNET_VERSION, .grad_floats = FLOATS, .param_floats = FLOATS,
    .tensors = pair_tensors, .tensor_rows = 2 };

static void spread(float *array, const float *values)
{
    memset(array, 0, FLOATS * sizeof *array);
    memcpy(array, values, WEIGHT * sizeof *array);
    memcpy(array + AT_BIAS, values + WEIGHT, BIAS * sizeof *array);
}

static void assert_spread(const float *array, const float *values)
{
    for (int i = 0; i < FLOATS; i++) {
        double wanted = 0;              /* padding */
        if (i < WEIGHT)
            wanted = values[i];
        else if (i >= AT_BIAS && i < AT_BIAS + BIAS)
            wanted = values[i - AT_BIAS + WEIGHT];
        if (!(fabs(array[i] - wanted) <= 2e-6 * fabs(wanted) + 1e-7))
            fail_msg("[%d] is %.9g, should be %.9g", i, array[i], wanted);
        if (wanted == 0)
            assert_true(array[i] == 0);
    }
}

static void run_setting(const struct expected *want)
{
    float *w = rnet_alloc(FLOATS), *grad = rnet_alloc(FLOATS);
    float *state1 = rnet_alloc(FLOATS), *state2 = rnet_alloc(FLOATS);
    struct rnet_sgd sgd = {
        .rate = want->rate, .momentum = want->momentum, .decay = want->decay,
        .dampening = want->dampening, .nesterov = want->nesterov,
        .decay_all = want->decay_all,
        .velocity = want->momentum != 0 ? state1 : NULL };
    struct rnet_adam adam = {
        .rate = want->rate, .beta1 = want->beta1, .beta2 = want->beta2,
        .epsilon = want->epsilon, .decay = want->decay,
        .decoupled = want->decoupled, .decay_all = want->decay_all,
        .moment1 = state1, .moment2 = state2 };
    spread(w, start);
    for (int i = 0; i < STEPS; i++) {
        spread(grad, gradients[i]);
        assert_int_equal(want->adam
                         ? rnet_adam_step(&pair, &adam, w, grad, NULL)
                         : rnet_sgd_step(&pair, &sgd, w, grad, NULL), RNET_OK);
        if (i == 0)
            assert_spread(w, want->first);
    }
    assert_spread(w, want->last);
    assert_int_equal(want->adam ? adam.step : sgd.step, STEPS);
    rnet_free(w);
    rnet_free(grad);
    rnet_free(state1);
    rnet_free(state2);
}

static void test_pytorch(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        run_setting(&expected[i]);
}

static void test_clip(void **state)
{
    float *grad = rnet_alloc(FLOATS), before[FLOATS];
    (void)state;
    spread(grad, gradients[0]);
    double norm = rnet_clip(&pair, grad, 2.5);
    assert_true(fabs(norm - clipped_norm) <= 1e-6 * norm);
    assert_spread(grad, clipped);
    memcpy(before, grad, sizeof before);
    norm = rnet_clip(&pair, grad, 2.6);
    assert_true(fabs(norm - 2.5) < 1e-4);
    assert_memory_equal(grad, before, sizeof before);
    grad[5] = INFINITY;
    memcpy(before, grad, sizeof before);
    assert_true(isinf(rnet_clip(&pair, grad, 1)));
    assert_memory_equal(grad, before, sizeof before);
    grad[5] = NAN;
    assert_true(isnan(rnet_clip(&pair, grad, 1)));
    rnet_free(grad);
}

/* ----------------------------------------------------------- larger arrays */

enum { LARGE = 3 * 16384 + 48 };

static float noise(long i)
{
    uint32_t words[4], counter[4] = { (uint32_t)i, 0, 0, 0 }, key[2] = { 9, 9 };
    rnet_philox(counter, key, words);
    return (float)(words[0] / 4294967296.0 - 0.5);
}

/* Tensors of 16 floats, and a few of others, as repeats in repeats: what
 * decays is marked one by one in `marks`. */
static void test_decay_by_tensor(void **state)
{
    struct rnet_tensor tensors[] = {
        { .name = "a.#", .offset = 16, .floats = 16, .trainable = 1,
          .decay = 1, .repeats = 1, .repeat = { { 1000, 48 } } },
        { .name = "b.#", .offset = 0, .floats = 16, .trainable = 1,
          .repeats = 1, .repeat = { { 1000, 48 } } },
        { .name = "c.#", .offset = 48000, .floats = 32, .trainable = 1,
          .decay = 1, .repeats = 3,
          .repeat = { { 3, 400 }, { 2, 160 }, { 2, 64 } } },
        { .name = "d", .offset = 49152 - 32, .floats = 64, .trainable = 1,
          .decay = 1 },
        { .name = "e", .offset = LARGE, .floats = 64, .decay = 1 } };
    struct rnet_network net = {
        .version = RNET_VERSION, .grad_floats = LARGE,
        .param_floats = LARGE + 64, .tensors = tensors, .tensor_rows = 5 };
    float *w = rnet_alloc(LARGE + 64), *grad = rnet_alloc(LARGE);
    char *marks = calloc(LARGE + 64, 1);
    struct rnet_sgd sgd = { .rate = 1, .decay = 0.5 };
    (void)state;
    for (size_t i = 0; i < 1000; i++)
        memset(marks + 16 + 48 * i, 1, 16);
    for (size_t i = 0; i < 12; i++)
        memset(marks + 48000 + i / 4 * 400 + i / 2 % 2 * 160 + i % 2 * 64, 1,
               32);
    memset(marks + 49152 - 32, 1, 64);
    for (int i = 0; i < LARGE + 64; i++)
        w[i] = 2;
    assert_int_equal(rnet_sgd_step(&net, &sgd, w, grad, NULL), RNET_OK);
    for (int i = 0; i < LARGE + 64; i++)
        assert_true(w[i] == (marks[i] ? 1.0f : 2.0f));
    sgd.decay_all = 1;
    assert_int_equal(rnet_sgd_step(&net, &sgd, w, grad, NULL), RNET_OK);
    for (int i = 0; i < LARGE + 64; i++)
        assert_true(w[i] == (i >= LARGE ? 2.0f : marks[i] ? 0.5f : 1.0f));
    free(marks);
    rnet_free(w);
    rnet_free(grad);
}

/* Parameters whose gradients lie one after the other; a tensor with its step
 * elsewhere, and a statistic, stay. */
static void test_update_rest(void **state)
{
    static const struct rnet_tensor tensors[] = {
        { .name = "a.#", .offset = 32, .floats = 16, .trainable = 1,
          .decay = 1, .rest = 16, .repeats = 2,
          .repeat = { { 3, 208 }, { 2, 64 } }, .rests = { 64, 32 } },
        { .name = "b.#", .floats = 16, .trainable = 1, .stepped = 1,
          .repeats = 1, .repeat = { { 3, 208 } } },
        { .name = "c", .offset = 640, .floats = 20000, .trainable = 1,
          .rest = 208 },
        { .name = "d", .offset = 20640, .floats = 16 } };
    static const struct rnet_network net = {
        .version = RNET_VERSION, .grad_floats = 20640, .param_floats = 20656,
        .tensors = tensors, .tensor_rows = 4 };
    float *w = rnet_alloc(20656), *grad = rnet_alloc(20208);
    float *velocity = rnet_alloc(20640);
    struct rnet_sgd sgd = { .rate = 1, .momentum = 0.5, .decay = 0.5,
                            .velocity = velocity };
    struct rnet_update update;
    struct rnet_run run = { 0 };

    (void)state;
    for (int i = 0; i < 20656; i++)
        w[i] = 2;
    rnet_clear(velocity, 20640);
    for (int i = 0; i < 20208; i++)
        grad[i] = (float)i;
    assert_int_equal(rnet_check_sgd(&sgd), RNET_OK);
    rnet_begin_sgd(&run, &update, &sgd, w);
    rnet_update_rest(&run, &net, grad);
    for (int i = 0; i < 640; i++) {
        int k = i % 208 - 32, which = i / 208 * 64 + k / 64 * 32;
        int is_a = i < 624 && k >= 0 && k < 128 && k % 64 < 16;
        float g = is_a ? (float)(16 + which + k % 64 + 1) : 0;

        assert_true(velocity[i] == g && w[i] == 2 - g);
    }
    for (int i = 0; i < 20000; i++)
        assert_true(w[640 + i] == 2 - (float)(208 + i));
    for (int i = 20640; i < 20656; i++)
        assert_true(w[i] == 2);
    rnet_free(w);
    rnet_free(grad);
    rnet_free(velocity);
}

/* One parameter at a time as all at once. */
static void test_update(void **state)
{
    float *w = rnet_alloc(64), *other = rnet_alloc(64), *grad = rnet_alloc(64);
    float *m = rnet_alloc(128), *v = rnet_alloc(128);
    static const struct rnet_tensor tensor = { .name = "a", .floats = 64,
                                               .trainable = 1, .decay = 1 };
    static const struct rnet_network net = {
        .version = RNET_VERSION, .grad_floats = 64, .param_floats = 64,
        .tensors = &tensor, .tensor_rows = 1 };
    struct rnet_adam adam = { .rate = 0.1, .beta1 = 0.9, .beta2 = 0.99,
        .epsilon = 1e-3, .decay = 0.1, .decoupled = 1, .moment1 = m,
        .moment2 = v };
    struct rnet_update update;
    struct rnet_run run = { 0 };

    (void)state;
    for (int i = 0; i < 64; i++) {
        w[i] = other[i] = noise(i);
        grad[i] = noise(100 + i);
    }
    rnet_clear(m, 128);
    rnet_clear(v, 128);
    assert_int_equal(rnet_check_adam(&adam), RNET_OK);
    rnet_begin_adam(&run, &update, &adam, w);
    rnet_update(&run, w + 16, grad + 16, 48, 1);
    rnet_update(&run, w, grad, 16, 1);
    adam.moment1 = m + 64;
    adam.moment2 = v + 64;
    assert_int_equal(rnet_adam_step(&net, &adam, other, grad, NULL), RNET_OK);
    assert_memory_equal(w, other, 64 * sizeof *w);
    assert_int_equal(rnet_check_adam(NULL), RNET_NULL);
    assert_int_equal(rnet_check_sgd(NULL), RNET_NULL);
    adam.moment2 = NULL;
    assert_int_not_equal(rnet_check_adam(&adam), RNET_OK);
    rnet_free(w);
    rnet_free(other);
    rnet_free(grad);
    rnet_free(m);
    rnet_free(v);
}

static void adam_steps(struct rnet_work *work, float *w)
{
    struct rnet_network net = { .version = RNET_VERSION, .grad_floats = LARGE,
                                .param_floats = LARGE };
    float *grad = rnet_alloc(LARGE);
    struct rnet_adam adam = {
        .rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8,
        .decay = 0.1, .decoupled = 1, .decay_all = 1,
        .moment1 = rnet_alloc(LARGE), .moment2 = rnet_alloc(LARGE) };
    for (int step = 0; step < 3; step++) {
        for (int i = 0; i < LARGE; i++)
            grad[i] = noise(i + 1000 * step);
        assert_int_equal(rnet_adam_step(&net, &adam, w, grad, work), RNET_OK);
    }
    rnet_free(grad);
    rnet_free(adam.moment1);
    rnet_free(adam.moment2);
}

/* The same bits with any number of threads. */
static void test_threads(void **state)
{
    float *one = rnet_alloc(LARGE), *many = rnet_alloc(LARGE);
    struct rnet_pool *pool = rnet_pool_create(3);
    struct rnet_work work = { .pool = pool };
    (void)state;
    adam_steps(NULL, one);
    adam_steps(&work, many);
    assert_memory_equal(one, many, LARGE * sizeof *one);
    assert_true(one[LARGE - 1] != 0);
    rnet_pool_destroy(pool);
    rnet_free(one);
    rnet_free(many);
}

/* Padding and gradients of 0 or too small to square stay harmless, also with
 * an epsilon of 0. */
static void test_no_nan(void **state)
{
    const double epsilons[] = { 0, 1e-45, 1e-30, 1e-8 };
    (void)state;
    for (int e = 0; e < 4; e++) {
        float *w = rnet_alloc(FLOATS), *grad = rnet_alloc(FLOATS);
        struct rnet_adam adam = {
            .rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = epsilons[e],
            .moment1 = rnet_alloc(FLOATS), .moment2 = rnet_alloc(FLOATS) };
        for (int step = 0; step < 20; step++) {
            grad[0] = 1e-20f;
            grad[1] = 1e-42f;
            grad[2] = step ? 0 : 1;
            grad[3] = 1e19f;
            rnet_adam_step(&pair, &adam, w, grad, NULL);
        }
        for (int i = 0; i < 4; i++)
            assert_true(fabsf(w[i]) <= 0.5f);
        for (int i = 4; i < FLOATS; i++)
            assert_true(w[i] == 0);
        rnet_free(w);
        rnet_free(grad);
        rnet_free(adam.moment1);
        rnet_free(adam.moment2);
    }
}

/* ----------------------------------------- kernels of each instruction set */

#define GROUPS 9

struct arrays {
    _Alignas(64) float w[GROUPS * 16], a[GROUPS * 16], b[GROUPS * 16];
    _Alignas(64) float grad[GROUPS * 16];
    float decay[GROUPS];
};

static void fill(struct arrays *arrays)
{
    for (int i = 0; i < GROUPS * 16; i++) {
        arrays->w[i] = noise(4 * i);
        arrays->a[i] = noise(4 * i + 1);
        arrays->b[i] = fabsf(noise(4 * i + 2));
        arrays->grad[i] = noise(4 * i + 3);
        arrays->decay[i / 16] = (float)(i / 16) / 10;
    }
}

/* Runs kernel `which` over the first GROUPS - 1 groups. */
static double run_kernel(const struct optimizer_kernels *kernels, int which,
                         struct arrays *arrays)
{
    struct rnet_sgd_rule sgd = { 0.1f, 0.9f, 0.6f, which == 1 };
    struct rnet_adam_rule adam = { 0.9f, 0.1f, 0.99f, 0.01f, 0.02f, 3.0f,
                                   1e-8f, which == 4, 0.5f * (which == 3) };
    fill(arrays);
    switch (which) {
    case 0: case 1: case 2:
        kernels->sgd(arrays->w, which < 2 ? arrays->a : NULL, arrays->grad,
                     arrays->decay, GROUPS - 1, &sgd);
        return 0;
    case 3: case 4:
        kernels->adam(arrays->w, arrays->a, arrays->b, arrays->grad,
                      arrays->decay, GROUPS - 1, &adam);
        return 0;
    case 5:
        return kernels->squares(arrays->w, GROUPS - 1);
    default:
        kernels->scale(arrays->w, 0.3f, GROUPS - 1);
        return 0;
    }
}

static void assert_close(const float *x, const float *y)
{
    for (int i = 0; i < GROUPS * 16; i++)
        assert_true(fabsf(x[i] - y[i]) <= (i < 16 * (GROUPS - 1) ? 1e-6f : 0));
}

static void test_kernels(void **state)
{
    static const struct optimizer_kernels *const tables[RNET_ISAS] =
        RNET_TABLES(optimizer_kernels);
    struct arrays wanted, got;
    (void)state;
    for (int isa = 1; isa <= (int)rnet_isa(); isa++)
        for (int which = 0; which < 7; which++) {
            double sum = run_kernel(tables[0], which, &wanted);
            double other = run_kernel(tables[isa], which, &got);
            assert_true(fabs(sum - other) <= 1e-12 * sum);
            assert_close(got.w, wanted.w);
            assert_close(got.a, wanted.a);
            assert_close(got.b, wanted.b);
        }
}

static void test_refusals(void **state)
{
    float *w = rnet_alloc(FLOATS), *grad = rnet_alloc(FLOATS);
    struct rnet_network other = pair;
    struct rnet_sgd sgd = { .rate = 1 };
    struct rnet_adam adam = { .rate = 1, .moment1 = w };
    (void)state;
    assert_int_equal(rnet_sgd_step(NULL, &sgd, w, grad, NULL), RNET_NULL);
    assert_int_equal(rnet_sgd_step(&pair, NULL, w, grad, NULL), RNET_NULL);
    assert_int_equal(rnet_sgd_step(&pair, &sgd, w, NULL, NULL), RNET_NULL);
    assert_int_equal(rnet_sgd_step(&pair, &sgd, w + 1, grad, NULL),
                     RNET_MISALIGNED);
    sgd.momentum = 0.9;
    assert_int_equal(rnet_sgd_step(&pair, &sgd, w, grad, NULL), RNET_NULL);
    assert_int_equal(rnet_adam_step(&pair, &adam, w, grad, NULL), RNET_NULL);
    other.version++;
    assert_int_equal(rnet_adam_step(&other, &adam, w, grad, NULL),
                     RNET_BAD_VERSION);
    assert_int_equal(sgd.step + adam.step, 0);
    rnet_free(w);
    rnet_free(grad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pytorch),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_decay_by_tensor),
        cmocka_unit_test(test_update_rest),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_no_nan),
        cmocka_unit_test(test_kernels),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
