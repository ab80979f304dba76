/* fixture.c: a reader of safetensors as strict as our own writer. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *path, const char *why)
{
    fprintf(stderr, "%s: %s\n", path, why);
    exit(2);
}

static void read_bytes(struct fixture *fixture, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail(path, "cannot be opened");
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    if (size < 8)
        fail(path, "is too short");
    rewind(file);
    fixture->size = (size_t)size;
    fixture->bytes = malloc(fixture->size + 1);
    if (!fixture->bytes)
        fail(path, "no memory");
    if (fread(fixture->bytes, 1, fixture->size, file) != fixture->size)
        fail(path, "cannot be read");
    fixture->bytes[fixture->size] = 0;
    fclose(file);
}

static size_t header_length(const unsigned char *bytes)
{
    size_t length = 0;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | bytes[i];
    return length;
}

/* Steps over `text`, or returns NULL. */
static const char *skip(const char *at, const char *text)
{
    size_t length = strlen(text);
    return at && !strncmp(at, text, length) ? at + length : NULL;
}

static const char *read_name(const char *at, struct piece *piece)
{
    at = skip(at, "\"");
    const char *end = at ? strchr(at, '"') : NULL;
    if (!end || (size_t)(end - at) >= sizeof piece->name)
        return NULL;
    memcpy(piece->name, at, (size_t)(end - at));
    return end + 1;
}

static const char *read_type(const char *at, struct piece *piece)
{
    const char *real = skip(at, "\"F32\"");
    piece->integer = !real;
    return real ? real : skip(at, "\"I32\"");
}

static const char *read_shape(const char *at, struct piece *piece)
{
    at = skip(at, "[");
    piece->count = 1;
    while (at && *at != ']') {
        char *end;
        if (piece->rank == FIXTURE_RANK)
            return NULL;
        long dim = strtol(at, &end, 10);
        piece->shape[piece->rank++] = dim;
        piece->count *= (size_t)dim;
        at = *end == ',' ? end + 1 : end;
    }
    return skip(at, "]");
}

static const char *read_offsets(const char *at, struct piece *piece,
                                const unsigned char *data, size_t size)
{
    at = skip(at, "[");
    if (!at)
        return NULL;
    char *end;
    unsigned long first = strtoul(at, &end, 10);
    unsigned long last = *end == ',' ? strtoul(end + 1, &end, 10) : 0;
    if (last > size || first > last || last - first != 4 * piece->count)
        return NULL;
    piece->data = data + first;
    return skip(end, "]}");
}

static const char *read_piece(const char *at, struct piece *piece,
                              const unsigned char *data, size_t size)
{
    at = read_name(at, piece);
    at = read_type(skip(at, ":{\"dtype\":"), piece);
    at = read_shape(skip(at, ",\"shape\":"), piece);
    return read_offsets(skip(at, ",\"data_offsets\":"), piece, data, size);
}

void fixture_read(struct fixture *fixture, const char *path)
{
    memset(fixture, 0, sizeof *fixture);
    read_bytes(fixture, path);
    size_t length = header_length(fixture->bytes);
    if (length > fixture->size - 8)
        fail(path, "its header is cut off");
    const unsigned char *data = fixture->bytes + 8 + length;
    const char *at = skip((const char *)fixture->bytes + 8, "{");
    while (at && *at != '}') {
        fixture->pieces = realloc(fixture->pieces,
            (size_t)(fixture->count + 1) * sizeof *fixture->pieces);
        if (!fixture->pieces)
            fail(path, "no memory");
        struct piece *piece = &fixture->pieces[fixture->count++];
        memset(piece, 0, sizeof *piece);
        at = read_piece(at, piece, data, fixture->size - 8 - length);
        if (at && *at == ',')
            at++;
    }
    if (!at)
        fail(path, "its header is not as make_fixtures.py writes it");
}

void fixture_free(struct fixture *fixture)
{
    free(fixture->pieces);
    free(fixture->bytes);
}

const struct piece *fixture_find(const struct fixture *fixture,
                                 const char *kind, const char *name)
{
    char whole[400];
    snprintf(whole, sizeof whole, "%s%s%s", kind, name ? ":" : "",
             name ? name : "");
    for (int i = 0; i < fixture->count; i++)
        if (!strcmp(fixture->pieces[i].name, whole))
            return &fixture->pieces[i];
    return NULL;
}
