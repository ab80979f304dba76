/* text.c: see text.h. */
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

static bool fail(char *error, size_t size, const char *path, const char *why)
{
    snprintf(error, size, "%s: %s", path, why);
    return false;
}

/* Until the file ends; false when memory or the file fails. */
static bool read_all(struct text *text, FILE *file)
{
    size_t room = 0;

    while (!feof(file) && !ferror(file)) {
        if (text->count == room) {
            room = room ? 2 * room : 1 << 16;
            uint8_t *bytes = realloc(text->bytes, room);
            if (!bytes)
                return false;
            text->bytes = bytes;
        }
        text->count += fread(text->bytes + text->count, 1,
                             room - text->count, file);
    }
    return !ferror(file);
}

bool text_read(struct text *text, const char *path, char *error, size_t size)
{
    FILE *file = fopen(path, "rb");

    *text = (struct text) { 0 };
    if (!file)
        return fail(error, size, path, strerror(errno));
    bool good = read_all(text, file);
    fclose(file);
    if (good && text->count)
        return true;
    text_free(text);
    return fail(error, size, path, good ? "the file is empty"
                                        : "it cannot be read");
}

bool text_sums(struct text *text, size_t count, uint64_t seed)
{
    struct random random = { seed };

    *text = (struct text) { malloc(count + 32), 0 };
    while (text->bytes && text->count < count) {
        unsigned a = random_below(&random, 100), b = random_below(&random, 100);
        int length = snprintf((char *)text->bytes + text->count, 32,
                              "%u+%u=%u\n", a, b, a + b);
        text->count += (size_t)length;
    }
    return text->bytes != NULL;
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text) { 0 };
}

void text_window(const struct text *text, size_t at, size_t length,
                 int32_t *tokens, int32_t *next)
{
    for (size_t i = 0; i < length; i++) {
        tokens[i] = text->bytes[at + i];
        next[i] = text->bytes[at + i + 1];
    }
}
