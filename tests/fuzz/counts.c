/* counts.c: fuzz target: images as text, optdigits' format. */
#include "target.h"

#include "data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct data_error error = { "" };
    struct data_set set;

    if (data_read_counts(&set, fuzz_file(0, data, size), 10, &error)) {
        fuzz_check(set.count > 0 && set.rows == set.columns,
                   "images are squares");
        for (size_t i = 0; i < set.count; i++)
            fuzz_check(set.labels[i] < 10, "labels are below the classes");
        data_free(&set);
        return 0;
    }
    fuzz_check(!set.images && !set.labels && !set.count,
               "a set that cannot be read is empty");
    fuzz_check_message(error.text, sizeof error.text);
    return 0;
}
