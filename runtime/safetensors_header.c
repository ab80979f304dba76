/* safetensors_header.c: reads the JSON header of a safetensors file.
 *
 * The format knows two kinds of value: __metadata__, an object of strings, and
 * a tensor, an object of dtype, shape and data_offsets.  So nothing here
 * recurses, and whatever nests deeper is an error where it begins. */
#include "safetensors.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------- messages */

enum rnet_status rnet_explain(const struct rnet_report *report,
                              enum rnet_status status, const char *format, ...)
{
    int number = errno;
    va_list arguments;
    if (!report->message || report->size == 0)
        return status;
    int used = snprintf(report->message, report->size, "%s: ", report->path);
    if (used >= 0 && (size_t)used < report->size) {
        va_start(arguments, format);
        vsnprintf(report->message + used, report->size - (size_t)used, format,
                  arguments);
        va_end(arguments);
    }
    errno = number;
    return status;
}

struct rnet_shown rnet_show(struct rnet_text text)
{
    struct rnet_shown shown;
    size_t room = sizeof shown.text - 4, i = 0;
    for (; i < text.length && i < room; i++)
        shown.text[i] = text.bytes[i] >= ' ' && text.bytes[i] <= '~'
                        ? text.bytes[i] : '?';
    snprintf(shown.text + i, 4, "%s", i < text.length ? "..." : "");
    return shown;
}

/* ------------------------------------------------------------------ text */

struct reader {
    char *start, *at, *end;             /* *end is 0 */
    struct rnet_text tensor;            /* being read; no bytes: none */
    const struct rnet_report *report;
    enum rnet_status status;            /* of the first failure */
};

/* Notes what is wrong, the first time; returns 0. */
static int fail(struct reader *reader, const char *what)
{
    if (reader->status)
        return 0;
    long at = (long)(reader->at - reader->start) + 8;
    if (reader->tensor.bytes)
        reader->status = rnet_explain(reader->report, RNET_BAD_FILE,
            "not a valid safetensors file: tensor '%s', near byte %ld: %s",
            rnet_show(reader->tensor).text, at, what);
    else
        reader->status = rnet_explain(reader->report, RNET_BAD_FILE,
            "not a valid safetensors file: near byte %ld: %s", at, what);
    return 0;
}

/* Bytes of the UTF-8 character at p, or 0 when it is none (Unicode, table
 * 3-7).  The byte after the text is 0, so that no character runs over it. */
static int utf8_bytes(const unsigned char *p)
{
    unsigned low = 0x80, high = 0xbf;
    int more = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
    if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4)
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;                    /* no surrogates */
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;                    /* nothing past U+10FFFF */
    for (int i = 1; i <= more; i++) {
        if (p[i] < low || p[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return 1 + more;
}

static int check_utf8(struct reader *reader)
{
    for (; reader->at < reader->end; ) {
        int bytes = utf8_bytes((const unsigned char *)reader->at);
        if (bytes == 0)
            return fail(reader, "invalid UTF-8");
        reader->at += bytes;
    }
    reader->at = reader->start;
    return 1;
}

static void skip_space(struct reader *reader)
{
    while (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n'
           || *reader->at == '\r')
        reader->at++;
}

static int expect(struct reader *reader, char wanted, const char *otherwise)
{
    skip_space(reader);
    if (*reader->at != wanted)
        return fail(reader, otherwise);
    reader->at++;
    return 1;
}

/* Goes on in a list that `close` ends: 1 when one more element follows. */
static int next(struct reader *reader, char close, int *first)
{
    if (reader->status)
        return 0;
    skip_space(reader);
    if (*reader->at == close) {
        reader->at++;
        return 0;
    }
    if (!*first && !expect(reader, ',', "',' or an end expected"))
        return 0;
    *first = 0;
    skip_space(reader);
    return 1;
}

/* --------------------------------------------------------------- strings */

/* Four hexadecimal digits; -1: not that. */
static long read_hex(struct reader *reader)
{
    long value = 0;
    for (int i = 0; i < 4; i++) {
        char c = *reader->at++;
        int lower = c | 0x20;
        if (c >= '0' && c <= '9')
            value = value * 16 + c - '0';
        else if (lower >= 'a' && lower <= 'f')
            value = value * 16 + lower - 'a' + 10;
        else {
            reader->at--;
            return -1;
        }
    }
    return value;
}

static char *put_utf8(char *to, long code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *to++ = (char)(0xe0 | code >> 12);
        } else {
            *to++ = (char)(0xf0 | code >> 18);
            *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (code & 0x3f));
    return to;
}

/* After "\u": a character, of two escapes when it is past U+FFFF. */
static char *read_unicode(struct reader *reader, char *to)
{
    long code = read_hex(reader), low = -1;
    if (code >= 0xd800 && code < 0xdc00) {
        if (reader->at[0] == '\\' && reader->at[1] == 'u') {
            reader->at += 2;
            low = read_hex(reader);
        }
        if (low < 0xdc00 || low > 0xdfff)
            code = -1;
        else
            code = 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00);
    } else if (code >= 0xdc00 && code <= 0xdfff) {
        code = -1;
    }
    if (code < 0) {
        fail(reader, "bad \\u escape in a string");
        return to;
    }
    return put_utf8(to, code);
}

/* After a backslash. */
static char *read_escape(struct reader *reader, char *to)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char letter = *reader->at++;
    if (letter == 'u')
        return read_unicode(reader, to);
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (!found) {
        reader->at--;
        fail(reader, "bad escape in a string");
        return to;
    }
    *to++ = meant[found - letters];
    return to;
}

/* Decodes a string where it stands: an escape is longer than what it means. */
static int read_string(struct reader *reader, struct rnet_text *text)
{
    if (!expect(reader, '"', "a string expected"))
        return 0;
    char *to = text->bytes = reader->at;
    while (!reader->status && *reader->at != '"') {
        if ((unsigned char)*reader->at < ' ')
            return fail(reader, "a string does not end, or has a control "
                                "character in it");
        if (*reader->at == '\\') {
            reader->at++;
            to = read_escape(reader, to);
        } else {
            *to++ = *reader->at++;
        }
    }
    if (reader->status)
        return 0;
    reader->at++;
    text->length = (size_t)(to - text->bytes);
    return 1;
}

static int same(struct rnet_text text, const char *word)
{
    return text.length == strlen(word)
           && !memcmp(text.bytes, word, text.length);
}

static int compare_texts(const void *a, const void *b)
{
    const struct rnet_text *x = a, *y = b;
    size_t shorter = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->bytes, y->bytes, shorter);
    if (order)
        return order;
    return (x->length > y->length) - (x->length < y->length);
}

/* --------------------------------------------------------------- numbers */

static int read_number(struct reader *reader, uint64_t *number)
{
    const char *digits = reader->at;
    *number = 0;
    for (; *reader->at >= '0' && *reader->at <= '9'; reader->at++)
        if (__builtin_mul_overflow(*number, (uint64_t)10, number)
            || __builtin_add_overflow(*number, (uint64_t)(*reader->at - '0'),
                                      number))
            return fail(reader, "the number is too large");
    if (reader->at == digits)
        return fail(reader, "a number, not negative, expected");
    if (*digits == '0' && reader->at > digits + 1)
        return fail(reader, "a number starts with 0");
    if (*reader->at == '.' || *reader->at == 'e' || *reader->at == 'E')
        return fail(reader, "a whole number expected");
    return 1;
}

/* ------------------------------------------------------- a tensor's fields */

static const struct { const char *name; enum rnet_dtype type; int width; }
    types[] = {
        { "F32", RNET_F32, 4 }, { "F16", RNET_F16, 2 },
        { "BF16", RNET_BF16, 2 }, { "F64", RNET_OTHER, 8 },
        { "I64", RNET_OTHER, 8 }, { "I32", RNET_OTHER, 4 },
        { "I16", RNET_OTHER, 2 }, { "I8", RNET_OTHER, 1 },
        { "U64", RNET_OTHER, 8 }, { "U32", RNET_OTHER, 4 },
        { "U16", RNET_OTHER, 2 }, { "U8", RNET_OTHER, 1 },
        { "BOOL", RNET_OTHER, 1 }, { "F8_E4M3", RNET_OTHER, 1 },
        { "F8_E5M2", RNET_OTHER, 1 }, { "C64", RNET_OTHER, 8 },
    };

static int read_type(struct reader *reader, struct rnet_item *item)
{
    if (!read_string(reader, &item->type_name))
        return 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (same(item->type_name, types[i].name)) {
            item->type = types[i].type;
            item->width = (uint64_t)types[i].width;
            return 1;
        }
    reader->status = rnet_explain(reader->report, RNET_BAD_TYPE,
        "tensor '%s' has the unknown type '%s': F32, F16 and BF16 can be read",
        rnet_show(item->name).text, rnet_show(item->type_name).text);
    return 0;
}

static int read_shape(struct reader *reader, struct rnet_item *item)
{
    int first = 1;
    item->scalars = 1;
    if (!expect(reader, '[', "'[' expected: shape is a list of numbers"))
        return 0;
    while (next(reader, ']', &first)) {
        uint64_t axis;
        if (!read_number(reader, &axis))
            return 0;
        if (__builtin_mul_overflow(item->scalars, axis, &item->scalars))
            return fail(reader, "the shape is too large");
        if (item->rank < RNET_RANK)
            item->shape[item->rank] = axis;
        if (item->rank <= RNET_RANK)
            item->rank++;
    }
    return !reader->status;
}

static int read_offsets(struct reader *reader, struct rnet_item *item)
{
    static const char wrong[] = "data_offsets is [begin, end]";
    if (!expect(reader, '[', wrong))
        return 0;
    skip_space(reader);
    if (!read_number(reader, &item->begin) || !expect(reader, ',', wrong))
        return 0;
    skip_space(reader);
    if (!read_number(reader, &item->end) || !expect(reader, ']', wrong))
        return 0;
    return item->begin <= item->end
           || fail(reader, "data_offsets ends before it begins");
}

/* Does the range of bytes hold the shape's scalars? */
static int check_size(struct reader *reader, const struct rnet_item *item)
{
    uint64_t bytes;
    if (__builtin_mul_overflow(item->scalars, item->width, &bytes))
        return fail(reader, "the shape is too large");
    return bytes == item->end - item->begin
           || fail(reader, "data_offsets does not fit dtype and shape");
}

/* {"dtype": "F32", "shape": [...], "data_offsets": [begin, end]} */
static int read_item(struct reader *reader, struct rnet_item *item)
{
    static const char *const fields[] = { "dtype", "shape", "data_offsets" };
    static int (*const readers[])(struct reader *, struct rnet_item *) = {
        read_type, read_shape, read_offsets };
    int seen[3] = { 0 }, first = 1;
    if (!expect(reader, '{', "'{' expected: a tensor is an object"))
        return 0;
    while (next(reader, '}', &first)) {
        struct rnet_text key;
        int k = 0;
        if (!read_string(reader, &key)
            || !expect(reader, ':', "':' expected"))
            return 0;
        while (k < 3 && !same(key, fields[k]))
            k++;
        if (k == 3)
            return fail(reader, "unknown key of a tensor");
        if (seen[k]++)
            return fail(reader, "a key of the tensor stands there twice");
        skip_space(reader);
        if (!readers[k](reader, item))
            return 0;
    }
    if (reader->status)
        return 0;
    if (!seen[0] || !seen[1] || !seen[2])
        return fail(reader, "dtype, shape or data_offsets is missing");
    return check_size(reader, item);
}

/* ------------------------------------------------------------- the header */

/* Room for one more element of `size` bytes; NULL when there is no memory. */
static void *grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    size_t larger = *room ? *room * 2 : 64, bytes;
    if (__builtin_mul_overflow(larger, size, &bytes))
        return NULL;
    void *moved = realloc(array, bytes);
    if (moved)
        *room = larger;
    return moved;
}

static int no_memory(struct reader *reader)
{
    reader->status = rnet_explain(reader->report, RNET_NO_MEMORY,
                                  "out of memory");
    return 0;
}

static int read_metadata_keys(struct reader *reader, struct rnet_text **keys,
                              size_t *count)
{
    size_t room = 0;
    int first = 1;
    if (!expect(reader, '{', "'{' expected: __metadata__ is an object"))
        return 0;
    while (next(reader, '}', &first)) {
        struct rnet_text value;
        struct rnet_text *moved = grow(*keys, *count, &room, sizeof **keys);
        if (!moved)
            return no_memory(reader);
        *keys = moved;
        if (!read_string(reader, &moved[(*count)++])
            || !expect(reader, ':', "':' expected")
            || !read_string(reader, &value))
            return 0;
    }
    return !reader->status;
}

/* Ignored, but for its syntax. */
static int read_metadata(struct reader *reader)
{
    struct rnet_text *keys = NULL;
    size_t count = 0;
    int good = read_metadata_keys(reader, &keys, &count);
    if (good && count > 1) {
        qsort(keys, count, sizeof *keys, compare_texts);
        for (size_t i = 1; good && i < count; i++)
            if (compare_texts(&keys[i - 1], &keys[i]) == 0)
                good = fail(reader, "__metadata__ has a key twice");
    }
    free(keys);
    return good;
}

static int read_tensor(struct reader *reader, struct rnet_header *header,
                       struct rnet_text name)
{
    struct rnet_item *items = grow(header->items, header->count, &header->room,
                                   sizeof *items);
    if (!items)
        return no_memory(reader);
    header->items = items;
    items += header->count++;
    *items = (struct rnet_item) { .name = name };
    reader->tensor = name;
    int good = read_item(reader, items);
    reader->tensor.bytes = NULL;
    return good;
}

static int read_all(struct reader *reader, struct rnet_header *header)
{
    int first = 1, metadata = 0;
    if (*reader->at != '{')
        return fail(reader, "the header does not start with '{'");
    reader->at++;
    while (next(reader, '}', &first)) {
        struct rnet_text name;
        if (!read_string(reader, &name) || !expect(reader, ':', "':' expected"))
            return 0;
        skip_space(reader);
        if (!same(name, "__metadata__")) {
            if (!read_tensor(reader, header, name))
                return 0;
        } else if (metadata++) {
            return fail(reader, "__metadata__ stands there twice");
        } else if (!read_metadata(reader)) {
            return 0;
        }
    }
    skip_space(reader);
    if (!reader->status && reader->at != reader->end)
        return fail(reader, "something follows the header's '}'");
    return !reader->status;
}

static int compare_ranges(const void *a, const void *b)
{
    const struct rnet_item *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static int compare_names(const void *a, const void *b)
{
    const struct rnet_item *x = a, *y = b;
    return compare_texts(&x->name, &y->name);
}

/* The tensors lie side by side, from the first byte of the data to the last. */
static enum rnet_status check_ranges(struct rnet_header *header,
                                     uint64_t data_bytes,
                                     const struct rnet_report *report)
{
    uint64_t at = 0;
    if (header->count)
        qsort(header->items, header->count, sizeof *header->items,
              compare_ranges);
    for (size_t i = 0; i < header->count; i++) {
        const struct rnet_item *item = &header->items[i];
        if (item->begin != at)
            return rnet_explain(report, RNET_BAD_FILE,
                "not a valid safetensors file: the data of tensor '%s' begins "
                "at %llu, %s %llu", rnet_show(item->name).text,
                (unsigned long long)item->begin, item->begin < at
                ? "inside of what ends at" : "after a gap from",
                (unsigned long long)at);
        at = item->end;
    }
    if (at == data_bytes)
        return RNET_OK;
    return rnet_explain(report, RNET_BAD_FILE,
        "not a valid safetensors file: %llu bytes of data, but the tensors "
        "take %llu: was it cut short?", (unsigned long long)data_bytes,
        (unsigned long long)at);
}

static enum rnet_status check_names(struct rnet_header *header,
                                    const struct rnet_report *report)
{
    if (header->count)
        qsort(header->items, header->count, sizeof *header->items,
              compare_names);
    for (size_t i = 1; i < header->count; i++)
        if (compare_names(&header->items[i - 1], &header->items[i]) == 0)
            return rnet_explain(report, RNET_BAD_FILE,
                "not a valid safetensors file: tensor '%s' stands there twice",
                rnet_show(header->items[i].name).text);
    return RNET_OK;
}

enum rnet_status rnet_header_read(struct rnet_header *header, char *text,
                                  size_t length, uint64_t data_bytes,
                                  const struct rnet_report *report)
{
    struct reader reader = { .start = text, .at = text, .end = text + length,
                             .report = report };
    *header = (struct rnet_header) { 0 };
    text[length] = '\0';
    if (!check_utf8(&reader) || !read_all(&reader, header))
        return reader.status;
    enum rnet_status status = check_ranges(header, data_bytes, report);
    return status ? status : check_names(header, report);
}

struct rnet_item *rnet_header_find(const struct rnet_header *header,
                                   const char *name)
{
    struct rnet_item wanted = { .name = { (char *)name, strlen(name) } };
    if (header->count == 0)
        return NULL;
    return bsearch(&wanted, header->items, header->count,
                   sizeof *header->items, compare_names);
}

void rnet_header_free(struct rnet_header *header)
{
    free(header->items);
    *header = (struct rnet_header) { 0 };
}
