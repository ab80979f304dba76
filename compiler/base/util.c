/* util.c: memory, names, text and checked arithmetic.  Running out of memory
 * ends the process: the compiler has nothing to save. */
#include <string.h>

#include "util.h"

enum { CHUNK_BYTES = 64 << 10, ALIGNMENT = 16, LONGEST_COMPARED = 64 };

void out_of_memory(void)
{
    fputs("rnetc: error: out of memory\n", stderr);
    exit(EXIT_FAILURE);
}

/* ---- arena ---- */

struct arena_chunk {
    struct arena_chunk *below;
    size_t used, size;
    _Alignas(ALIGNMENT) unsigned char data[];
};

/* Puts a chunk with room for `bytes` on top. */
static void arena_push(struct arena *arena, size_t bytes)
{
    struct arena_chunk *chunk;
    size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;

    if (size > PTRDIFF_MAX - sizeof *chunk)
        out_of_memory();
    chunk = calloc(1, sizeof *chunk + size);
    if (!chunk)
        out_of_memory();
    chunk->size = size;
    chunk->below = arena->chunk;
    arena->chunk = chunk;
    arena->bytes += size;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    struct arena_chunk *chunk;
    void *memory;

    if (bytes > PTRDIFF_MAX - ALIGNMENT)
        out_of_memory();
    bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (!arena->chunk || arena->chunk->size - arena->chunk->used < bytes)
        arena_push(arena, bytes);
    chunk = arena->chunk;
    memory = chunk->data + chunk->used;
    chunk->used += bytes;
    return memory;
}

void arena_release(struct arena *arena)
{
    while (arena->chunk) {
        struct arena_chunk *below = arena->chunk->below;

        free(arena->chunk);
        arena->chunk = below;
    }
    arena->bytes = 0;
}

char *arena_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    if (length)
        memcpy(copy, text, length);
    return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    struct text text = {0};
    va_list arguments;
    char *copy;

    va_start(arguments, format);
    text_vadd(&text, format, arguments);
    va_end(arguments);
    copy = arena_text(arena, text.data, text.length);
    text_free(&text);
    return copy;
}

/* ---- names: an open hash table, never more than half full ---- */

struct name_slot { const char *name; size_t length; uint32_t hash;
                   struct name_mark mark; };

/* FNV-1a */
static uint32_t name_hash(const char *text, size_t length)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

/* The slot that holds `text`, or the free one where it belongs. */
static struct name_slot *name_find(const struct names *names, const char *text,
                                   size_t length, uint32_t hash)
{
    size_t i = hash & (names->size - 1);

    for (;; i = (i + 1) & (names->size - 1)) {
        struct name_slot *slot = &names->slots[i];

        if (!slot->name)
            return slot;
        if (slot->hash == hash && slot->length == length
            && memcmp(slot->name, text, length) == 0)
            return slot;
    }
}

static void names_enlarge(struct names *names)
{
    struct names larger = *names;

    larger.size = names->size ? names->size * 2 : 256;
    larger.slots = arena_alloc(names->arena,
                               larger.size * sizeof *larger.slots);
    for (size_t i = 0; i < names->size; i++) {
        const struct name_slot *slot = &names->slots[i];

        if (slot->name)
            *name_find(&larger, slot->name, slot->length, slot->hash) = *slot;
    }
    *names = larger;
}

static struct name_slot *name_slot(struct names *names, const char *text,
                                   size_t length)
{
    uint32_t hash = name_hash(text, length);
    struct name_slot *slot;

    if (names->used * 2 >= names->size)
        names_enlarge(names);
    slot = name_find(names, text, length, hash);
    if (!slot->name) {
        slot->name = arena_text(names->arena, text, length);
        slot->length = length;
        slot->hash = hash;
        names->used++;
    }
    return slot;
}

const char *intern(struct names *names, const char *text, size_t length)
{
    return name_slot(names, text, length)->name;
}

const char *intern_text(struct names *names, const char *text)
{
    return intern(names, text, strlen(text));
}

struct name_mark *name_mark(struct names *names, const char *text)
{
    return &name_slot(names, text, strlen(text))->mark;
}

/* ---- text and arrays that grow ---- */

/* Room for `more` bytes and the NUL after them. */
static void text_reserve(struct text *text, size_t more)
{
    size_t need, size;

    if (more > PTRDIFF_MAX / 2 || text->length > PTRDIFF_MAX / 2)
        out_of_memory();
    need = text->length + more + 1;
    if (need <= text->size)
        return;
    size = text->size ? text->size * 2 : 64;
    if (size < need)
        size = need;
    text->data = realloc(text->data, size);
    if (!text->data)
        out_of_memory();
    text->size = size;
}

/* Formats into what room there is, and again when that was too little. */
void text_vadd(struct text *text, const char *format, va_list arguments)
{
    va_list again;
    size_t room;
    int length;

    text_reserve(text, 0);
    room = text->size - text->length;
    va_copy(again, arguments);
    length = vsnprintf(text->data + text->length, room, format, again);
    va_end(again);
    if (length < 0)
        out_of_memory();
    if ((size_t)length >= room) {
        text_reserve(text, (size_t)length);
        vsnprintf(text->data + text->length, (size_t)length + 1, format,
                  arguments);
    }
    text->length += (size_t)length;
}

void text_add(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_vadd(text, format, arguments);
    va_end(arguments);
}

void text_put(struct text *text, const char *data, size_t length)
{
    text_reserve(text, length);
    if (length)
        memcpy(text->data + text->length, data, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

void *grow(void *array, size_t *size, size_t count, size_t element)
{
    size_t larger, bytes;

    if (count < *size)
        return array;
    if (__builtin_mul_overflow(*size, (size_t)2, &larger))
        out_of_memory();
    if (larger <= count)
        larger = count + 1;
    if (larger < 8)
        larger = 8;
    if (__builtin_mul_overflow(larger, element, &bytes) || bytes > PTRDIFF_MAX)
        out_of_memory();
    array = realloc(array, bytes);
    if (!array)
        out_of_memory();
    *size = larger;
    return array;
}

/* ---- arithmetic ---- */

bool add_size(int64_t a, int64_t b, int64_t *result)
{
    return !__builtin_add_overflow(a, b, result);
}

bool mul_size(int64_t a, int64_t b, int64_t *result)
{
    return !__builtin_mul_overflow(a, b, result);
}

/* ---- edit distance ---- */

static int least(int a, int b) { return a < b ? a : b; }

/* One row of the table: row[j] is the distance from a[0..i] to b[0..j). */
static void edit_row(const char *a, int i, const char *b, int width,
                     const int *above_two, const int *above, int *row)
{
    row[0] = i + 1;
    for (int j = 0; j < width; j++) {
        int best = above[j] + (a[i] != b[j]);

        best = least(best, above[j + 1] + 1);
        best = least(best, row[j] + 1);
        if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
            best = least(best, above_two[j - 1] + 1);
        row[j + 1] = best;
    }
}

/* Very long names are only ever equal or far apart: the table stays small. */
int edit_distance(const char *a, const char *b, int limit)
{
    int rows[3][LONGEST_COMPARED + 1] = {{0}};
    size_t height = strlen(a), width = strlen(b);

    if (height > LONGEST_COMPARED || width > LONGEST_COMPARED)
        return strcmp(a, b) == 0 ? 0 : limit + 1;
    for (size_t j = 0; j <= width; j++)
        rows[2][j] = (int)j;
    for (int i = 0; i < (int)height; i++)
        edit_row(a, i, b, (int)width, rows[(i + 1) % 3], rows[(i + 2) % 3],
                 rows[i % 3]);
    return least(rows[(height + 2) % 3][width], limit + 1);
}

void *arena_grow(struct arena *arena, void *array, size_t *size, size_t count,
                 size_t element)
{
    if (count < *size)
        return array;
    *size = *size ? *size * 2 : 4;
    void *larger = arena_alloc(arena, *size * element);
    if (count)
        memcpy(larger, array, count * element);
    return larger;
}
