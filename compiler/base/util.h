/* util.h: memory, names, text and checked arithmetic for one compilation. */
#ifndef UTIL_H
#define UTIL_H

#include "limit.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* An arena: memory that lives until the whole of it is released.  Running out
 * of memory ends the process with a message: the compiler has nothing to
 * save. */
struct arena { struct arena_chunk *chunk; size_t bytes; };
void *arena_alloc(struct arena *arena, size_t bytes);   /* zeroed */
void arena_release(struct arena *arena);
#define NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

/* Text in an arena. */
char *arena_text(struct arena *arena, const char *text, size_t length);
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says so and ends the program: the compiler has nothing to save.  Files that
 * are being written are not left half-done: see output.c. */
void out_of_memory(void) __attribute__((noreturn));

/* Interned names: equal text, equal pointer. */
struct names { struct arena *arena; struct name_slot *slots; size_t used, size; };
const char *intern(struct names *names, const char *text, size_t length);
const char *intern_text(struct names *names, const char *text);
/* What a table says of a name, 0 and NULL at first; it lies there until the
 * next name is met. */
struct name_mark { int number; void *of; };
struct name_mark *name_mark(struct names *names, const char *text);

/* Text that grows. */
struct text { char *data; size_t length, size; };
void text_add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_vadd(struct text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void text_put(struct text *text, const char *data, size_t length);
void text_free(struct text *text);

/* a array that grows: GROW makes room for one more in array[count] */
void *grow(void *array, size_t *size, size_t count, size_t element);
#define GROW(array, size, count) \
    ((array) = grow((array), &(size), (count), sizeof *(array)))

/* likewise for an array that lives in an arena */
void *arena_grow(struct arena *arena, void *array, size_t *size, size_t count,
                 size_t element);
#define GROW_IN(arena, array, size, count) \
    ((array) = arena_grow((arena), (array), &(size), (count), \
                          sizeof *(array)))

/* Checked arithmetic: false when the result does not fit. */
bool add_size(int64_t a, int64_t b, int64_t *result);
bool mul_size(int64_t a, int64_t b, int64_t *result);

/* Edit distance (Levenshtein, with transpositions), at most `limit` + 1. */
int edit_distance(const char *a, const char *b, int limit);

#endif
