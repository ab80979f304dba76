/* test_tensor.c: tensors by number and by name, their packing, their initial
 * values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "small_network.h"

static const char *const names[TENSORS] = {
    "linear.0.weight", "linear.0.bias",
    "residual.0.scale", "residual.3.scale", "residual.6.scale",
    "residual.1.linear.0.weight", "residual.2.linear.0.weight",
    "residual.4.linear.0.weight", "residual.5.linear.0.weight",
    "residual.7.linear.0.weight", "residual.8.linear.0.weight",
    "stage.0.block.5.conv.0.weight", "stage.0.block.15.conv.0.weight",
    "stage.1.block.5.conv.0.weight", "stage.1.block.15.conv.0.weight",
    "conv.0.weight", "conv.1.weight",
    "batchnorm.0.running_mean", "batchnorm.0.running_var",
};

static void test_names(void **state)
{
    struct rnet_entry entry, found;
    (void)state;
    assert_int_equal(rnet_tensor_count(&small), TENSORS);
    for (size_t i = 0; i < TENSORS; i++) {
        assert_int_equal(rnet_tensor_at(&small, i, &entry), RNET_OK);
        assert_string_equal(entry.name, names[i]);
        assert_int_equal(rnet_tensor_find(&small, names[i], &found), RNET_OK);
        assert_string_equal(found.name, names[i]);
        assert_ptr_equal(found.tensor, entry.tensor);
        assert_int_equal(found.offset, entry.offset);
        assert_int_equal(found.size, entry.size);
    }
    assert_int_equal(rnet_tensor_at(&small, TENSORS, &entry), RNET_BAD_NAME);
    assert_int_equal(rnet_tensor_at(&small, SIZE_MAX, &entry), RNET_BAD_NAME);
}

static void test_offsets(void **state)
{
    struct rnet_entry entry;
    (void)state;
    rnet_tensor_find(&small, "residual.5.linear.0.weight", &entry);
    assert_int_equal(entry.offset, AT_RESIDUAL + STRIDE_OUTER + 16
                                   + STRIDE_INNER);
    assert_int_equal(entry.size, 99);
    rnet_tensor_find(&small, "stage.1.block.15.conv.0.weight", &entry);
    assert_int_equal(entry.offset, AT_STAGE + 3 * CONV_FLOATS);
    assert_int_equal(entry.size, 360);
}

static void test_unknown_names(void **state)
{
    static const char *const unknown[] = {
        "", "linear.0.weigh", "linear.0.weights", "linear.00.weight",
        "residual.1.scale", "residual.9.scale", "residual.03.scale",
        "residual.-3.scale", "residual.+3.scale", "residual. 3.scale",
        "residual..scale", "residual.#.scale", "residual.3",
        "residual.9223372036854775807.scale",
        "residual.18446744073709551619.scale",
        "residual.99999999999999999999999.scale",
        "residual.0.linear.0.weight", "residual.3.linear.0.weight",
        "residual.9.linear.0.weight", "residual.10.linear.0.weight",
        "stage.2.block.5.conv.0.weight", "stage.0.block.6.conv.0.weight",
        "stage.0.block.25.conv.0.weight", "stage.0.block.0.conv.0.weight",
    };
    struct rnet_entry entry;
    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_int_equal(rnet_tensor_find(&small, unknown[i], &entry),
                         RNET_BAD_NAME);
}

/* Ten thousand blocks are three rows; a name that does not fit is an error. */
static void test_many_and_long(void **state)
{
    char name[300];
    struct rnet_tensor tensors[2] = {
        { .name = "a.#.b.#", .rank = 1, .shape = { 16 }, .floats = 16,
          .repeats = 3,
          .repeat = { { 50, 16 * 200 }, { 20, 16 * 10 }, { 10, 16 } },
          .index = { { 7, { 200, 10, 1 } }, { 3, { 0, 0, 0 } } } },
        { .name = name, .rank = 1, .shape = { 1 }, .floats = 16 } };
    struct rnet_network net = { .version = RNET_VERSION, .tensors = tensors,
                                .tensor_rows = 2 };
    struct rnet_entry entry;
    (void)state;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(rnet_tensor_count(&net), 10001);
    for (int i = 0; i < 10000; i += 37) {
        char wanted[40];
        snprintf(wanted, sizeof wanted, "a.%d.b.3", 7 + i);
        assert_int_equal(rnet_tensor_at(&net, (size_t)i, &entry), RNET_OK);
        assert_string_equal(entry.name, wanted);
        assert_int_equal(rnet_tensor_find(&net, wanted, &entry), RNET_OK);
        assert_int_equal(entry.offset, 16 * i);
    }
    assert_int_equal(rnet_tensor_find(&net, "a.6.b.3", &entry), RNET_BAD_NAME);
    assert_int_equal(rnet_tensor_find(&net, "a.10007.b.3", &entry),
                     RNET_BAD_NAME);
    assert_int_equal(rnet_tensor_at(&net, 10000, &entry), RNET_BAD_NAME);
    name[RNET_NAME_BYTES] = '\0';
    assert_int_equal(rnet_tensor_at(&net, 10000, &entry), RNET_BAD_NAME);
    name[RNET_NAME_BYTES - 1] = '\0';
    assert_int_equal(rnet_tensor_at(&net, 10000, &entry), RNET_OK);
    assert_string_equal(entry.name, name);
}

/* --------------------------------------------------------------- packing */

/* Where rnet.h says that element (a, b, c, d) of the shape lies. */
static size_t place(const struct rnet_tensor *t, long a, long b, long c, long d)
{
    long out = t->shape[0] / t->groups, in = t->shape[1];
    long height = t->shape[2], width = t->shape[3], group, block;
    switch (t->pack) {
    case RNET_PACK_PANELS:
        return (size_t)((b / 32 * t->shape[0] + a) * 32 + b % 32);
    case RNET_PACK_CONV:
        if (in == 1 && t->groups == t->shape[0])
            return (size_t)((c * width + d) * ((t->shape[0] + 15) / 16 * 16)
                            + a);
        group = a / out;
        block = group * ((out + 15) / 16) + a % out / 16;
        return (size_t)((((block * height + c) * width + d) * in + b) * 16
                        + a % out % 16);
    default:
        return (size_t)a;
    }
}

static size_t place_of(const struct rnet_entry *entry, size_t i)
{
    const struct rnet_tensor *t = entry->tensor;
    long sizes[4] = { 1, 1, 1, 1 }, at[4];
    for (int k = 0; k < t->rank; k++)
        sizes[k] = t->shape[k];
    for (int k = 3; k >= 0; k--) {
        at[k] = (long)i % sizes[k];
        i /= (size_t)sizes[k];
    }
    return entry->offset + place(t, at[0], at[1], at[2], at[3]);
}

static void check_packing(const struct rnet_entry *entry)
{
    float *array = malloc(PARAM_FLOATS * sizeof *array);
    float *values = malloc(entry->size * sizeof *values);
    for (int i = 0; i < PARAM_FLOATS; i++)
        array[i] = -1;
    for (size_t i = 0; i < entry->size; i++)
        values[i] = (float)(i + 1);
    rnet_pack(entry, array, values);
    memset(values, 0, entry->size * sizeof *values);
    rnet_unpack(entry, array, values);
    for (size_t i = 0; i < entry->size; i++) {
        assert_true(values[i] == (float)(i + 1));
        assert_true(array[place_of(entry, i)] == (float)(i + 1));
        array[place_of(entry, i)] = 0;
    }
    for (size_t i = 0; i < PARAM_FLOATS; i++) {     /* what is left: padding */
        int inside = i >= entry->offset
                     && i < entry->offset + entry->tensor->floats;
        assert_true(array[i] == (inside ? 0.0f : -1.0f));
    }
    free(values);
    free(array);
}

static void test_packing(void **state)
{
    struct rnet_entry entry;
    (void)state;
    for (size_t i = 0; i < TENSORS; i++) {
        rnet_tensor_at(&small, i, &entry);
        check_packing(&entry);
    }
}

/* -------------------------------------------------------- initial values */

/* Scalars 4k ... 4k + 3 of tensor n, straight from the definition. */
static void expected_four(const struct rnet_tensor *t, uint32_t n,
                          uint64_t seed, uint32_t k, float four[4])
{
    const uint32_t counter[4] = { k, n, 0, 0 };
    const uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
    uint32_t words[4];
    double pi = acos(-1), u[4];
    rnet_philox(counter, key, words);
    for (int i = 0; i < 4; i++)
        u[i] = ldexp(words[i] + 0.5, -32);
    for (int i = 0; i < 4; i++) {
        double normal = sqrt(-2 * log(u[i / 2 * 2]))
                        * sin(2 * pi * u[i / 2 * 2 + 1]
                              + (i % 2 ? 0 : pi / 2));
        four[i] = t->init == RNET_INIT_CONSTANT ? t->mean
                  : (float)(t->mean + t->spread * (t->init == RNET_INIT_NORMAL
                                               ? normal : 2 * u[i] - 1));
    }
}

static void test_init(void **state)
{
    const uint64_t seed = 0x123456789abcdef0;
    float *params = rnet_alloc(PARAM_FLOATS), values[400], four[4];
    struct rnet_entry entry;
    (void)state;
    for (int i = 0; i < PARAM_FLOATS; i++)
        params[i] = NAN;
    assert_int_equal(rnet_init_params(&small, params, seed), RNET_OK);
    for (uint32_t n = 0; n < TENSORS; n++) {
        rnet_tensor_at(&small, n, &entry);
        rnet_unpack(&entry, params, values);
        for (uint32_t i = 0; i < entry.size; i++) {
            if (i % 4 == 0)
                expected_four(entry.tensor, n, seed, i / 4, four);
            assert_true(fabsf(values[i] - four[i % 4]) <= 1e-6f);
        }
        for (size_t i = 0; i < entry.size; i++)
            params[place_of(&entry, i)] = 0;
    }
    for (int i = 0; i < PARAM_FLOATS; i++)
        assert_true(params[i] == 0);
    rnet_free(params);
}

/* [3, 5], five times: ones from column 2 + 3 i on, 0.25 elsewhere; and one
 * [2000, 1000], which is initialised in parts. */
static void test_diagonal(void **state)
{
    static const struct rnet_tensor tensors[] = {
        { .name = "w.#", .groups = 1, .rank = 2, .shape = { 3, 5 },
          .floats = 16, .repeats = 1, .repeat = { { 5, 16 } },
          .index = { { 0, { 1 } } }, .init = RNET_INIT_DIAGONAL,
          .mean = 0.25f, .spread = 0.75f, .diagonal = { 2, { 3 } } },
        { .name = "large", .groups = 1, .rank = 2, .shape = { 2000, 1000 },
          .offset = 80, .floats = 2000000, .init = RNET_INIT_DIAGONAL,
          .spread = 1 },
    };
    struct rnet_network net = { .version = RNET_VERSION, .tensors = tensors,
                                .tensor_rows = 2, .param_floats = 2000080 };
    float *params = rnet_alloc(net.param_floats);
    (void)state;
    assert_int_equal(rnet_init_params(&net, params, 7), RNET_OK);
    for (int n = 0; n < 5; n++)
        for (int row = 0; row < 3; row++)
            for (int column = 0; column < 5; column++)
                assert_true(params[n * 16 + row * 5 + column]
                            == ((row + 2 + 3 * n) % 5 == column ? 1 : 0.25f));
    for (long i = 0; i < 2000000; i++)
        assert_true(params[80 + i] == (i % 1000 == i / 1000 % 1000));
    rnet_free(params);
}

/* Mean, variance and kurtosis of many values. */
static void check_moments(enum rnet_init init, double variance, double kurtosis)
{
    const long size = 200000;
    struct rnet_tensor tensor = { .name = "w", .groups = 1, .rank = 1,
        .shape = { size }, .floats = (size_t)size, .init = init,
        .mean = 3, .spread = 2 };
    struct rnet_network net = { .version = RNET_VERSION, .tensors = &tensor,
                                .tensor_rows = 1,
                                .param_floats = (size_t)size };
    float *params = rnet_alloc((size_t)size);
    double sum1 = 0, sum2 = 0, sum4 = 0;
    assert_int_equal(rnet_init_params(&net, params, 7), RNET_OK);
    for (long i = 0; i < size; i++) {
        double x = params[i] - 3;
        sum1 += x;
        sum2 += x * x;
        sum4 += x * x * x * x;
    }
    assert_true(fabs(sum1 / size) < 0.02);
    assert_true(fabs(sum2 / size - variance) < 0.02 * variance);
    assert_true(fabs(sum4 / size / variance / variance - kurtosis) < 0.1);
    rnet_free(params);
}

static void test_moments(void **state)
{
    (void)state;
    check_moments(RNET_INIT_NORMAL, 4, 3);
    check_moments(RNET_INIT_UNIFORM, 4.0 / 3, 1.8);
}

static void test_refusals(void **state)
{
    struct rnet_network other = small;
    struct rnet_entry entry;
    float params[1];
    (void)state;
    other.version++;
    assert_int_equal(rnet_init_params(&other, params, 1), RNET_BAD_VERSION);
    assert_int_equal(rnet_init_params(&small, NULL, 1), RNET_NULL);
    assert_int_equal(rnet_tensor_find(&small, NULL, &entry), RNET_NULL);
    assert_int_equal(rnet_tensor_at(&small, 0, NULL), RNET_NULL);
}

static void test_zero(void **state)
{
    float *grads = rnet_alloc(PARAM_FLOATS);
    (void)state;
    for (int i = 0; i < PARAM_FLOATS; i++)
        grads[i] = 1;
    rnet_zero(&small, grads);
    for (int i = 0; i < PARAM_FLOATS; i++)
        assert_true(grads[i] == (i < GRAD_FLOATS ? 0.0f : 1.0f));
    rnet_free(grads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_many_and_long),
        cmocka_unit_test(test_packing),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_diagonal),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
