/* draw.h: random choices that are the same on every machine, and text made of
 * them.  All memory is one pool, released by draw_release. */
#ifndef DRAW_H
#define DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct draw { uint64_t state; };        /* SplitMix64 */

uint64_t draw_word(struct draw *draw);
int draw_below(struct draw *draw, int n);       /* 0 ... n - 1, n > 0 */
bool draw_chance(struct draw *draw, int percent);
int draw_weighted(struct draw *draw, const int *weight, int count);
/* One of the words of a NULL-ended list. */
const char *draw_of(struct draw *draw, const char *const *words);

/* Zeroed memory; text as printf makes it. */
void *draw_memory(size_t bytes);
char *draw_format(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
void draw_release(void);

/* A text that grows. */
struct text { char *bytes; size_t length, size; };
void text_add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
