/* text.h: text as a row of bytes: a file's, or one that the program makes. */
#ifndef EXAMPLES_TEXT_H
#define EXAMPLES_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    uint8_t *bytes;
    size_t count;
};

/* A whole file; false with a line of English in `error`, of `size` bytes. */
bool text_read(struct text *text, const char *path, char *error, size_t size);

/* Lines of sums such as "17+25=42", `count` bytes of them. */
bool text_sums(struct text *text, size_t count, uint64_t seed);

void text_free(struct text *text);

/* `length` bytes from `at`, and the byte after each, as indices. */
void text_window(const struct text *text, size_t at, size_t length,
                 int32_t *tokens, int32_t *next);

#endif
