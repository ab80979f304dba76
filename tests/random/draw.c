/* draw.c: random choices, memory and text. */
#include "draw.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t draw_word(struct draw *draw)
{
    uint64_t z = draw->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

int draw_below(struct draw *draw, int n)
{
    return (int)((draw_word(draw) >> 33) % (uint64_t)n);
}

bool draw_chance(struct draw *draw, int percent)
{
    return draw_below(draw, 100) < percent;
}

int draw_weighted(struct draw *draw, const int *weight, int count)
{
    int sum = 0, i = 0;

    for (int k = 0; k < count; k++)
        sum += weight[k];
    for (int at = draw_below(draw, sum); at >= weight[i]; i++)
        at -= weight[i];
    return i;
}

const char *draw_of(struct draw *draw, const char *const *words)
{
    int count = 0;

    while (words[count])
        count++;
    return words[draw_below(draw, count)];
}

/* ---- memory ---- */

static struct piece { struct piece *next; } *pieces;

void *draw_memory(size_t bytes)
{
    struct piece *piece = calloc(1, sizeof *piece + bytes);

    if (!piece) {
        fputs("generate: no memory\n", stderr);
        exit(2);
    }
    piece->next = pieces;
    pieces = piece;
    return piece + 1;
}

void draw_release(void)
{
    while (pieces) {
        struct piece *next = pieces->next;
        free(pieces);
        pieces = next;
    }
}

static char *format_list(const char *format, va_list list)
{
    va_list again;

    va_copy(again, list);
    size_t size = (size_t)vsnprintf(NULL, 0, format, list) + 1;
    char *bytes = draw_memory(size);
    (void)vsnprintf(bytes, size, format, again);
    va_end(again);
    return bytes;
}

char *draw_format(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    char *bytes = format_list(format, list);
    va_end(list);
    return bytes;
}

void text_add(struct text *text, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    const char *bytes = format_list(format, list);
    va_end(list);
    size_t more = strlen(bytes);
    if (text->length + more + 1 > text->size) {
        size_t size = 2 * (text->length + more + 1);
        char *grown = draw_memory(size);
        memcpy(grown, text->bytes ? text->bytes : "", text->length);
        text->bytes = grown;
        text->size = size;
    }
    memcpy(text->bytes + text->length, bytes, more + 1);
    text->length += more;
}
