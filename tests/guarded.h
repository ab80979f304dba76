/* guarded.h: memory whose end is where the program may read no further.
 *
 * An array ends `slack` bytes before a page that cannot be touched: reading or
 * writing past it is a fault at once.  The bytes before it, and the slack,
 * hold a pattern that guarded_intact() looks for. */
#ifndef GUARDED_H
#define GUARDED_H

#include <stddef.h>

struct guarded {
    void *data;
    size_t bytes;
    unsigned char *map;
    size_t map_bytes;           /* without the page that cannot be touched */
};

/* `bytes` bytes at a multiple of `align`, at least `slack` before the end.
 * Exits when there is no memory. */
struct guarded guarded_new(size_t bytes, size_t align, size_t slack);
void guarded_free(struct guarded *memory);

/* Another array in the same pages where they are enough, else in new ones;
 * *memory may be all zero. */
void guarded_renew(struct guarded *memory, size_t bytes, size_t align,
                   size_t slack);

/* Every byte 0xff: as floats, NaN. */
void guarded_poison(struct guarded *memory);

/* 1 when nothing around the array was written. */
int guarded_intact(const struct guarded *memory);

#endif
