/* test_philox.c: Random123's known answers for philox4x32-10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../runtime/rnet.h"

static void assert_words(const uint32_t counter[4], const uint32_t key[2],
                         const uint32_t expected[4])
{
    uint32_t words[4] = { 0 };
    rnet_philox(counter, key, words);
    for (int i = 0; i < 4; i++)
        assert_int_equal(words[i], expected[i]);
}

#define WORDS(...) ((const uint32_t[]) { __VA_ARGS__ })

static void test_known_answers(void **state)
{
    const uint32_t ones = 0xffffffff;
    (void)state;
    assert_words(WORDS(0, 0, 0, 0), WORDS(0, 0),
                 WORDS(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
    assert_words(WORDS(ones, ones, ones, ones), WORDS(ones, ones),
                 WORDS(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
    assert_words(WORDS(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344),
                 WORDS(0xa4093822, 0x299f31d0),
                 WORDS(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

/* The words may overwrite the counter. */
static void test_in_place(void **state)
{
    uint32_t words[4] = { 0 };
    (void)state;
    rnet_philox(words, WORDS(0, 0), words);
    assert_int_equal(words[0], 0x6627e8d5);
    assert_int_equal(words[3], 0x9b00dbd8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
