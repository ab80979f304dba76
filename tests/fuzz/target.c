/* target.c: see target.h. */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const char *fuzz_file(int which, const uint8_t *data, size_t size)
{
    static struct { int file; char path[64]; } files[2];

    if (!files[which].file) {
        files[which].file = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(files[which].path, sizeof files[which].path,
                 "/proc/self/fd/%d", files[which].file);
    }
    fuzz_check(ftruncate(files[which].file, 0) == 0, "memory for a file");
    fuzz_check(pwrite(files[which].file, data, size, 0) == (ssize_t)size,
               "memory for a file");
    return files[which].path;
}

void fuzz_check(int holds, const char *promise)
{
    if (holds)
        return;
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

void fuzz_check_message(const char *text, size_t size)
{
    size_t length = strnlen(text, size);

    fuzz_check(length > 0, "a failure says why");
    fuzz_check(length < size, "a message ends");
    for (size_t i = 0; i < length; i++)
        fuzz_check((unsigned char)text[i] >= ' ' && text[i] != 127,
                   "a message has no control characters");
}
