/* library.c: blocks of the library, and blocks that take any shape. */
#include "gen.h"

#include <stdio.h>
#include <string.h>

static void import(struct gen *g, const char *file)
{
    for (int i = 0; i < g->imports; i++)
        if (!strcmp(g->import[i], file))
            return;
    if (g->imports < IMPORTS)
        g->import[g->imports++] = file;
}

/* ---- the library ---- */

/* How the shape changes. */
enum change { STAYS, STRIDED, QUADRUPLED, WIDENED };

/* In `call` the first %d is a width that divides what `divides` says. */
static const struct imported {
    const char *file, *call;
    int rank;                   /* 0: any */
    enum change change;
    double cost;                /* of weights: times in * out */
    bool batch;                 /* batch norms */
} imported[] = {
    { "resnet", "basic(%d, %d)", 3, STRIDED, 20, true },
    { "resnet", "basic(%d, stride = %d, kind = layer(eps = 0.1))", 3, STRIDED,
      20, false },
    { "bottleneck", "bottleneck(%d, %d)", 3, QUADRUPLED, 20, true },
    { "preact", "preact_basic(%d, %d)", 3, STRIDED, 20, true },
    { "preact", "preact_basic(%d, %d, projection, layer(eps = 0.1))", 3,
      STRIDED, 20, false },
    { "se", "squeeze_excite(1)", 3, STAYS, 2, false },
    { "rezero", "layerscale(linear(%d) -> tanh, 0.5)", 0, STAYS, 1, false },
    { "rezero", "rezero(linear(%d) -> gelu)", 0, STAYS, 1, false },
    { "highway", "highway_layer(%d)", 1, STAYS, 2, false },
    { "highway", "gated_residual(%d)", 0, STAYS, 4, false },
    { "recurrent", "residual_lstm", 2, STAYS, 8, false },
    { "recurrent", "residual_gru", 2, STAYS, 6, false },
    { "transformer", "prenorm(feed(1))", 2, STAYS, 2, false },
    { "transformer", "postnorm(attention(1), kind = rms(eps = 0.1))", 2, STAYS,
      8, false },
    { "transformer", "sandwich(swiglu(8), kind = layer(eps = 0.1))", 2, STAYS,
      3, false },
    { "temporal", "temporal(%d, 3, 2)", 2, WIDENED, 8, false },
    { "tft", "gated_residual(%d)", 1, STAYS, 5, false },
    { "densenet", "dense_layer(4)", 3, WIDENED, 40, true },
};
enum { IMPORTED = sizeof imported / sizeof *imported };

static bool library_shape(struct gen *g, const struct imported *row,
                          struct shape *shape, int *width, int *stride)
{
    int c = last_axis(shape);

    *width = row->change == STAYS || chance(g, 40) ? c : a_size(g, 12);
    *stride = chance(g, 40) ? 2 : 1;
    if (row->change == STRIDED || row->change == QUADRUPLED)
        for (int i = 0; i < 2; i++)
            shape->axis[i] = (shape->axis[i] - 1) / *stride + 1;
    if (row->change == STRIDED)
        shape->axis[2] = *width;
    if (row->change == QUADRUPLED)
        shape->axis[2] = 4 * *width;
    if (row->change == WIDENED && row->rank == 3)
        shape->axis[2] += 4;
    else if (row->change == WIDENED)
        shape->axis[1] = *width;
    return shape_size(shape) <= 900;
}

bool add_library(struct gen *g, struct scope *s)
{
    const struct imported *row = &imported[below(g, IMPORTED)];
    struct shape shape = s->shape;
    int in = last_axis(&shape), width, stride;

    if ((row->rank && row->rank != shape.rank)
        || (row->batch && !g->options.batch) || s->stream
        || !library_shape(g, row, &shape, &width, &stride))
        return false;
    double size = row->cost * in * last_axis(&shape);
    if (!spend(g, s, size * shape_rows(&s->shape), size))
        return false;
    mark(g, "library");
    import(g, row->file);
    char call[128];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(call, sizeof call, row->call, width, stride);
#pragma GCC diagnostic pop
    add_link(s, draw_format("%s", call), &shape, true);
    s->heat = 1.5;
    return true;
}

/* ---- blocks that fit every shape ---- */

/* Their text; NAME is replaced, and [CURVE] by a function. */
static const struct any_shape {
    const char *text, *call;
    int rank;
    bool batch, strided;
    double cost;
} any_shapes[] = {
    { "block NAME(channels, stride = 1, curve = CURVE, kind = batch) {\n"
      "    shortcut projection\n    norm kind after weights\n"
      "    conv(channels, 3, stride) -> curve -> conv(channels, 3)\n"
      "    then curve\n}\n", "NAME(%d, stride = i == 0 ? %d : 1)", 3, true,
      true, 20 },
    { "block NAME(channels, stride = 1, way = projection) {\n"
      "    shortcut way\n    norm rms(eps = 0.1) -> CURVE before weights\n"
      "    conv(channels, 3, stride = stride) -> conv(channels, [1, 3])\n}\n",
      "NAME(%d, i == 0 ? %d : 1)", 3, false, true, 14 },
    { "block NAME(n, mult = 2) {\n    input x [.., d]\n"
      "    linear(d) -> CURVE\n"
      "    if n > 1 { NAME(n - 1) } else { identity * 0.9 }\n}\n",
      "NAME(3)", 0, false, false, 3 },
    { "block NAME(mult = 2, kind = layer(eps = 0.1)) {\n    input x [.., d]\n"
      "    shortcut identity\n    norm kind before\n"
      "    linear(mult * d) -> CURVE -> linear(d)\n}\n"
      "block outer_NAME(unit, n = 2) { repeat n { unit } -> unit }\n",
      "outer_NAME(NAME(mult = 1, kind = rms(eps = 0.1)))", 0, false, false,
      6 },
    { "block NAME(by, more = by -> CURVE) {\n    shortcut gated(bias = -1)\n"
      "    identity * (by -> sigmoid) + more\n}\n",
      "NAME(tanh)", 0, false, false, 1 },
    { "block NAME(way, place) {\n    input x [.., d]\n    shortcut way\n"
      "    scale place\n    linear(d) -> CURVE\n}\n",
      "NAME(gated(shortcut), learned(0.5))", 0, false, false, 2 },
};
enum { ANY_SHAPES = sizeof any_shapes / sizeof *any_shapes };

static const char *with_name(struct gen *g, const char *text, const char *name)
{
    struct text out = { 0 };

    for (const char *at = text; *at; at++) {
        bool is_name = !strncmp(at, "NAME", 4);
        if (!is_name && strncmp(at, "CURVE", 5)) {
            text_add(&out, "%c", *at);
            continue;
        }
        text_add(&out, "%s", is_name ? name : a_function(g));
        at += is_name ? 3 : 4;
    }
    return out.bytes;
}

static struct block *text_block(struct gen *g, const char *text)
{
    struct block *block = draw_memory(sizeof *block);

    block->text = text;
    block->abroad = chance(g, 30);
    if (g->last)
        g->last->next = block;
    else
        g->blocks = block;
    g->last = block;
    return block;
}

bool add_template(struct gen *g, struct scope *s)
{
    const struct any_shape *row = &any_shapes[below(g, ANY_SHAPES)];
    struct shape shape = s->shape;
    int in = last_axis(&shape), width = a_size(g, 10);
    int stride = 1 + below(g, 2), count = 1 + below(g, 3);
    double size = row->cost * in * (row->strided ? width : in);

    if ((row->rank && shape.rank != row->rank) || s->stream
        || (row->batch && !g->options.batch)
        || !spend(g, s, size * count * shape_rows(&shape), size * count))
        return false;
    const char *name = new_name(g, "t");
    text_block(g, with_name(g, row->text, name));
    const char *call = with_name(g, row->call, name);
    mark(g, "block of any shape");
    if (row->strided) {
        for (int i = 0; i < 2; i++)
            shape.axis[i] = (shape.axis[i] - 1) / stride + 1;
        shape.axis[2] = width;
        char text[200];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, call, width, stride);
#pragma GCC diagnostic pop
        call = draw_format("repeat %d as i { %s }", count, text);
        mark(g, "stage in repeat");
    }
    add_link(s, call, &shape, true);
    s->heat = 1.5;
    return true;
}
