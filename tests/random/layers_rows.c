/* layers_rows.c: layers whose rows see each other: attention, recurrence,
 * positions, graphs. */
#include "gen.h"

/* ---- attention ---- */

struct heads { int heads, groups, head; };

static struct heads draw_heads(struct gen *g, int features)
{
    struct heads a;

    a.heads = 1 + below(g, 4);
    a.head = 1 + below(g, 8);
    if (chance(g, 60)) {
        a.heads = a_divisor(g, features);
        a.head = features / a.heads;
    }
    a.groups = chance(g, 30) ? a_divisor(g, a.heads) : a.heads;
    return a;
}

/* Rotary positions turn pairs. */
static void add_rope(struct gen *g, struct text *text, int head)
{
    static const char *const ways[] = { "rope", "rope = 100", "rope = 1e4",
                                        "rope, neighbours",
                                        "rope = 50, neighbours = yes", NULL };
    if (head % 2 || !chance(g, 40))
        return;
    mark(g, "rope");
    text_add(text, ", %s", draw_of(&g->draw, ways));
}

static void add_qk_norm(struct gen *g, struct text *text)
{
    static const char *const norms[] = {
        "layer(eps = 0.1)", "rms(eps = 0.1)", "rms(eps = 0.01)",
        "layer(eps = 0.1, affine = no)", NULL };
    if (!chance(g, 20))
        return;
    mark(g, "qk_norm");
    text_add(text, ", qk_norm = %s", draw_of(&g->draw, norms));
}

/* Another value, for keys and values. */
static const char *other_rows(struct gen *g, struct scope *s,
                              const struct shape *shape)
{
    for (int i = 0; i < s->values; i++)
        if (s->value[i].shape.rank > 1
            && shape_rows(&s->value[i].shape) <= 40)
            return s->value[i].name;
    struct shape other = *shape;
    if (!spend(g, s, shape_size(shape) * 5, 5 * last_axis(shape) + 5))
        return NULL;
    (void)other;
    return draw_format("%s -> linear(5)", a_function(g));
}

static bool add_sight(struct gen *g, struct scope *s, struct text *text,
                      const struct shape *shape)
{
    const char *from = NULL;

    switch (below(g, 4)) {
    case 0:
        mark(g, "causal");
        text_add(text, ", causal");
        return true;
    case 1:
        from = other_rows(g, s, shape);
        if (!from)
            return true;
        mark(g, "from");
        text_add(text, ", from = %s", from);
        return false;
    default:
        return true;
    }
}

static void add_lengths(struct gen *g, const struct scope *s,
                        struct text *text, const struct shape *shape)
{
    if (s->block || !g->lengths || !chance(g, 60)
        || shape_rows(shape) < shape_rows(&g->lengths_of))
        return;
    mark(g, "lengths");
    text_add(text, ", lengths = %s", g->lengths);
}

const char *make_attention(struct gen *g, struct scope *s,
                           struct shape *shape)
{
    int f = last_axis(shape), rows = shape_rows(shape);
    struct heads a = draw_heads(g, f);
    double wide = (double)a.heads * a.head, narrow = (double)a.groups * a.head;
    struct text text = { 0 };

    if (rows > 70 || !spend(g, s, rows * (2 * wide * f + 2 * narrow * f
                                          + 2 * wide * rows),
                            (2 * wide + 2 * narrow) * (f + 1)))
        return NULL;
    text_add(&text, "attention(%s", write_int(g, s, a.heads));
    if (a.groups != a.heads) {
        mark(g, "grouped queries");
        text_add(&text, ", groups = %s", write_int(g, s, a.groups));
    }
    if (a.heads * a.head != f)
        text_add(&text, ", head = %s", write_int(g, s, a.head));
    bool own = add_sight(g, s, &text, shape);
    if (own) {
        add_lengths(g, s, &text, shape);
        add_rope(g, &text, a.head);
    }
    add_qk_norm(g, &text);
    if (chance(g, 25))
        text_add(&text, ", bias = no");
    if (chance(g, 15))
        text_add(&text, ", %s = %s", chance(g, 50) ? "v_init" : "out_init",
                 an_init_value(g));
    text_add(&text, ")");
    return text.bytes;
}

const char *make_positions(struct gen *g, struct scope *s,
                           struct shape *shape)
{
    int rows = shape_rows(shape), more = chance(g, 30) ? below(g, 4) : 0;

    if (chance(g, 40)) {
        mark(g, "positions sine");
        return chance(g, 60) ? "positions(sine)"
                             : "positions(sine, base = 60)";
    }
    if (!spend(g, s, 0, shape_size(shape) + more * last_axis(shape)))
        return NULL;
    mark(g, "positions learned");
    return more ? draw_format("positions(learned, %s%s)", chance(g, 50)
                              ? "count = " : "", write_int(g, s, rows + more))
                : "positions(learned)";
}

/* ---- recurrence ---- */

static const char *cell(struct gen *g, struct scope *s, struct shape *shape,
                        const char *name, int gates)
{
    int t = shape->axis[0], f = shape->axis[1], hidden = a_size(g, 33);
    double size = (double)gates * hidden * (f + hidden);
    const char *reverse = "";

    if (!spend(g, s, size * t, size + 2.0 * gates * hidden))
        return NULL;
    shape->axis[1] = hidden;
    if (chance(g, 30)) {
        mark(g, "reverse");
        reverse = ", reverse = yes";
    }
    return draw_format("%s(%s%s%s%s)", name, write_int(g, s, hidden),
                       chance(g, 20) ? ", bias = no" : "", reverse,
                       an_init(g));
}

const char *make_lstm(struct gen *g, struct scope *s, struct shape *shape)
{
    return cell(g, s, shape, "lstm", 4);
}

const char *make_gru(struct gen *g, struct scope *s, struct shape *shape)
{
    return cell(g, s, shape, "gru", 3);
}

/* ---- graphs ---- */

const char *make_aggregate(struct gen *g, struct scope *s,
                           struct shape *shape)
{
    static const char *const kinds[] = { "sum", "mean", "symmetric", NULL };
    const char *kind = draw_of(&g->draw, kinds);

    (void)shape;
    if (!s->graph)
        return NULL;
    mark(g, draw_format("aggregate %s", kind));
    /* a sum of several neighbours is larger */
    return draw_format("aggregate(%s, %s)%s", s->graph, kind,
                       kind[1] == 'u' ? " * 0.5" : "");
}
