/* test_check.c: memory, statuses, and the checks of entry points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "../../runtime/rnet_kernels.h"

static void test_memory(void **state)
{
    (void)state;
    for (size_t count = 0; count < 200; count++) {
        float *floats = rnet_alloc(count);
        assert_int_equal(rnet_check_array(floats), RNET_OK);
        for (size_t i = 0; i < count; i++) {
            assert_true(floats[i] == 0);
            floats[i] = 1;
        }
        rnet_free(floats);
    }
    assert_null(rnet_alloc(SIZE_MAX));
    assert_null(rnet_alloc(SIZE_MAX / sizeof(float) + 2));
    assert_null(rnet_alloc(SIZE_MAX / sizeof(float)));
    assert_null(rnet_alloc_bytes(SIZE_MAX));
    assert_null(rnet_alloc_bytes(SIZE_MAX - RNET_ALIGN));
    rnet_free(NULL);
}

static void test_status(void **state)
{
    (void)state;
    for (int i = RNET_OK; i <= RNET_BAD_GRAPH; i++) {
        const char *text = rnet_status_text((enum rnet_status)i);
        assert_non_null(text);
        assert_string_not_equal(text, "unknown status");
        for (int j = RNET_OK; j < i; j++)
            assert_string_not_equal(text, rnet_status_text(j));
    }
    assert_string_equal(rnet_status_text((enum rnet_status)99),
                        "unknown status");
    assert_string_equal(rnet_status_text((enum rnet_status)-1),
                        "unknown status");
}

static void test_arrays(void **state)
{
    _Alignas(64) char memory[128];
    (void)state;
    assert_int_equal(rnet_check_array(NULL), RNET_NULL);
    assert_int_equal(rnet_check_array(memory), RNET_OK);
    assert_int_equal(rnet_check_array(memory + 64), RNET_OK);
    for (int i = 1; i < 64; i++)
        assert_int_equal(rnet_check_array(memory + i), RNET_MISALIGNED);
}

static void test_work(void **state)
{
    _Alignas(64) char memory[128];
    struct rnet_work work = { .memory = memory, .bytes = 100 };
    (void)state;
    assert_int_equal(rnet_check_work(&work, 100, RNET_VERSION), RNET_OK);
    assert_int_equal(rnet_check_work(&work, 101, RNET_VERSION),
                     RNET_TOO_SMALL);
    assert_int_equal(rnet_check_work(&work, SIZE_MAX, RNET_VERSION),
                     RNET_TOO_SMALL);
    assert_int_equal(rnet_check_work(&work, 100, RNET_VERSION + 1),
                     RNET_BAD_VERSION);
    assert_int_equal(rnet_check_work(NULL, 0, RNET_VERSION), RNET_NULL);
    work.memory = memory + 4;
    assert_int_equal(rnet_check_work(&work, 8, RNET_VERSION), RNET_MISALIGNED);
    work.memory = NULL;
    assert_int_equal(rnet_check_work(&work, 8, RNET_VERSION), RNET_NULL);
    assert_int_equal(rnet_check_work(&work, 0, RNET_VERSION), RNET_OK);
}

static void test_indices(void **state)
{
    int32_t index[37] = { 0 };
    (void)state;
    assert_int_equal(rnet_check_indices(index, 37, 1), RNET_OK);
    assert_int_equal(rnet_check_indices(index, 37, 0), RNET_BAD_LABEL);
    assert_int_equal(rnet_check_indices(index, 0, 0), RNET_OK);
    assert_int_equal(rnet_check_indices(NULL, 0, 10), RNET_OK);
    assert_int_equal(rnet_check_indices(NULL, 1, 10), RNET_NULL);
    for (int i = 0; i < 37; i++) {
        static const int32_t bad[] = { -1, INT32_MIN, 10, INT32_MAX };
        for (int k = 0; k < 4; k++) {
            index[i] = bad[k];
            assert_int_equal(rnet_check_indices(index, 37, 10),
                             RNET_BAD_LABEL);
            assert_int_equal(rnet_check_indices(index, (size_t)i, 10), RNET_OK);
        }
        index[i] = 9;
        assert_int_equal(rnet_check_indices(index, 37, 10), RNET_OK);
    }
    index[0] = INT32_MAX;
    assert_int_equal(rnet_check_indices(index, 37, 2147483648), RNET_OK);
}

static void test_labels(void **state)
{
    int32_t label[20] = { 0 };
    (void)state;
    assert_int_equal(rnet_check_labels(label, 20, 1, -1), RNET_OK);
    assert_int_equal(rnet_check_labels(NULL, 0, 1, -1), RNET_OK);
    assert_int_equal(rnet_check_labels(NULL, 1, 1, -1), RNET_NULL);
    for (int i = 0; i < 20; i++) {
        static const int32_t bad[] = { -2, INT32_MIN, 10, 254, INT32_MAX };
        label[i] = -1;
        assert_int_equal(rnet_check_labels(label, 20, 10, -1), RNET_OK);
        assert_int_equal(rnet_check_labels(label, 20, 10, 255),
                         RNET_BAD_LABEL);
        for (int k = 0; k < 5; k++) {
            label[i] = bad[k];
            assert_int_equal(rnet_check_labels(label, 20, 10, -1),
                             RNET_BAD_LABEL);
        }
        label[i] = 255;
        assert_int_equal(rnet_check_labels(label, 20, 10, 255), RNET_OK);
        label[i] = 9;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_work),
        cmocka_unit_test(test_indices),
        cmocka_unit_test(test_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
