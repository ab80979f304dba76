/* text.c: fuzz target: a file as a row of bytes. */
#include "target.h"

#include "text.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[300] = "";
    struct text text;

    if (text_read(&text, fuzz_file(0, data, size), error, sizeof error)) {
        fuzz_check(text.count == size && !memcmp(text.bytes, data, size),
                   "the text is the file");
        text_free(&text);
        return 0;
    }
    fuzz_check(size == 0, "a file with bytes can be read");
    fuzz_check_message(error, sizeof error);
    return 0;
}
