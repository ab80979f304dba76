/* idx.c: fuzz target: IDX files of images and labels.  The first byte says how
 * they are stored: bit 0: there are labels; bit 1: gzipped by this program, so
 * that check sums are right.  The next two say how long the labels' file is. */
#include "target.h"

#include "data.h"

#include <string.h>
#include <zlib.h>

enum { LARGEST = 1 << 16 };

/* As a gzipped file, stored. */
static const char *zipped(int which, const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(which, data, 0);
    gzFile file = gzopen(path, "wb1");

    fuzz_check(file && gzwrite(file, data, (unsigned)size) == (int)size,
               "memory for a file");
    gzclose(file);
    return path;
}

static void check_set(const struct data_set *set, unsigned classes)
{
    uint64_t sum = 0;
    size_t pixels = set->rows * set->columns;
    float image[256];
    int32_t label;

    for (size_t i = 0; i < set->count * pixels; i++)
        sum += set->images[i];
    for (size_t i = 0; set->labels && i < set->count; i++)
        fuzz_check(set->labels[i] < classes, "labels are below the classes");
    if (pixels <= 256 && sum)
        data_batch(set, NULL, set->count - 1, 1, image,
                   set->labels ? &label : NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *(*put)(int, const uint8_t *, size_t);
    struct data_error error = { "" };
    struct data_set set;

    if (size < 3 || size > LARGEST)
        return 0;
    put = data[0] & 2 ? zipped : fuzz_file;
    size_t labels = data[1] | (size_t)data[2] << 8, rest = size - 3;
    labels = labels < rest ? labels : rest;
    const char *label_path = put(1, data + 3, labels);
    const char *image_path = put(0, data + 3 + labels, rest - labels);
    if (data_read(&set, image_path, data[0] & 1 ? label_path : NULL, 10,
                  &error)) {
        check_set(&set, 10);
        data_free(&set);
        return 0;
    }
    fuzz_check(!set.images && !set.labels && !set.count,
               "a set that cannot be read is empty");
    fuzz_check_message(error.text, sizeof error.text);
    return 0;
}
