/* words.c: fuzz target: a file of names. */
#include "target.h"

#include "words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct words words;

    if (!words_read(&words, fuzz_file(0, data, size), size)) {
        fuzz_check(!words.text && !words.start, "there is nothing to free");
        return 0;
    }
    fuzz_check(words.count >= 20, "there are 20 names");
    for (size_t i = 0; i < words.count; i++) {
        const int32_t *name = words.text + words.start[i];
        int length = 0;
        while (name[length])
            length++;
        fuzz_check(length > 0 && length <= WORDS_LONGEST,
                   "names are as long as is said");
        words_possible(name);
    }
    words_free(&words);
    return 0;
}
