/* column.c: links of a column: layers, sums and products with other chains,
 * values that get names and are used again, blocks and groups. */
#include "gen.h"

#include <math.h>

struct item *add_link(struct scope *s, const char *text,
                      const struct shape *shape, bool weights)
{
    struct item *item = item_add(s->body, ITEM_LINK, text);

    item->shape = *shape;
    item->weights = weights;
    s->shape = *shape;
    return item;
}

/* ---- chains ---- */

const char *some_chain(struct gen *g, struct scope *s, struct shape *shape,
                       int steps)
{
    struct text text = { 0 };
    double heat = 1;
    bool weights;

    for (int i = 0; i < steps; i++) {
        struct shape next = *shape;
        const char *link = make_any(g, s, &next, &heat, &weights);
        if (!link || shape_size(&next) > 700)
            continue;
        *shape = next;
        text_add(&text, "%s%s", text.length ? " -> " : "", link);
    }
    return text.length ? text.bytes : "identity";
}

/* Whether all axes but the last agree. */
static bool same_rows(const struct shape *a, const struct shape *b)
{
    struct shape x = *a;

    x.axis[x.rank - 1] = last_axis(b);
    return shape_same(&x, b);
}

/* Through a vector: its features are put in the shape. */
static const char *through_vector(struct gen *g, struct scope *s,
                                  struct shape from, const struct shape *to)
{
    int size = shape_size(to), in = shape_size(&from);
    struct text text = { 0 };

    text_add(&text, "%s", "");
    if (from.rank > 1 && from.rank < 4 && chance(g, 50)) {
        text_add(&text, "%s(all) -> ", chance(g, 50) ? "avgpool" : "maxpool");
        in = last_axis(&from);
    } else if (from.rank > 1) {
        text_add(&text, "flatten -> ");
    }
    if (in > 40) {              /* so that the layer stays small */
        int cut = 8 + below(g, 24);
        text_add(&text, "slice(%d, %d) -> ", in - cut, in);
        in = cut;
    }
    if (to->rank > 1 && size > 40) {
        text_add(&text, "linear(%d)", last_axis(to));
        spend(g, s, in * last_axis(to), in * last_axis(to));
        return text.bytes;      /* [C] goes with [.., C] */
    }
    spend(g, s, in * size, in * size);
    text_add(&text, "linear(%s)", write_int(g, s, size));
    if (to->rank > 1)
        text_add(&text, " -> reshape(%s)", write_shape(g, s, to));
    return text.bytes;
}

/* Gives the shape, or [C] of [.., C]. */
static const char *chain_near(struct gen *g, struct scope *s,
                              struct shape from, const struct shape *to)
{
    if (!same_rows(&from, to))
        return through_vector(g, s, from, to);
    if (shape_same(&from, to) && chance(g, 50))
        return a_function(g);
    int f = last_axis(&from), out = last_axis(to);
    spend(g, s, (double)f * out * shape_rows(to), (double)f * out);
    if (from.rank == 3 && chance(g, 60)) {
        mark(g, "conv");
        return draw_format("conv(%s, 1)", write_int(g, s, out));
    }
    mark(g, "linear");
    return draw_format("linear(%s)", write_int(g, s, out));
}

static bool narrow(const struct shape *from, const struct shape *to)
{
    return !same_rows(from, to) && to->rank > 1 && shape_size(to) > 40;
}

const char *chain_to(struct gen *g, struct scope *s, struct shape from,
                     const struct shape *to)
{
    const char *text = chain_near(g, s, from, to);

    if (narrow(&from, to))      /* as many as there are, by a vector's sum */
        text = draw_format("learned(0, %s) + (%s)", write_shape(g, s, to),
                           text);
    return text;
}

/* ---- expressions ---- */

static const char *squash(struct gen *g)
{
    static const char *const curves[] = { "sigmoid", "tanh", "softmax", "gelu",
                                          "silu", NULL };
    return draw_of(&g->draw, curves);
}

/* What has the column's shape, or is a vector of its features: another value,
 * or a chain from here. */
static const char *an_operand(struct gen *g, struct scope *s)
{
    if (s->values && chance(g, 50)) {
        const struct value *v = &s->value[below(g, s->values)];
        mark(g, "value used again");
        if (shape_same(&v->shape, &s->shape))
            return v->name;
        if (v->shape.rank == 1 && last_axis(&v->shape) == last_axis(&s->shape))
        {
            mark(g, "broadcast");
            return v->name;
        }
        return draw_format("(%s -> %s)", v->name,
                           chain_near(g, s, v->shape, &s->shape));
    }
    if (s->shape.rank > 1 && s->shape.rank < 4 && chance(g, 30)) {
        int c = last_axis(&s->shape);
        if (spend(g, s, c * c, c * c)) {
            mark(g, "broadcast");
            return draw_format("(avgpool(all) -> linear(%s))",
                               write_int(g, s, c));
        }
    }
    return draw_format("(%s)", chain_near(g, s, s->shape, &s->shape));
}

static const char *a_factor(struct gen *g, const struct scope *s)
{
    if (s->index && chance(g, 60)) {
        mark(g, "varying number");
        return draw_format(chance(g, 50) ? "(%s + 1) / %d"
                           : "0.9 / sqrt(%s + %d)", s->index, s->count);
    }
    return write_real(g, 20 + below(g, 100));
}

/* identity + 0.5, and the like */
static const char *with_number(struct gen *g, const struct scope *s,
                               bool *arrow)
{
    const char *n = a_factor(g, s);

    mark(g, "number beside value");
    switch (below(g, 9)) {
    case 0: return draw_format("identity * %s", n);
    case 1: return draw_format("identity + %s", n);
    case 2: return draw_format("identity - %s", n);
    case 3: return draw_format("identity / (%s + 0.5)", n);
    case 4: *arrow = true; return draw_format("%s * identity", n);
    case 5: *arrow = true; return draw_format("%s - identity", n);
    case 6: *arrow = true; return "-tanh";
    case 7: return draw_format("tanh ^ 2 * %s", n);
    default: return draw_format("%s / (sigmoid + 0.5)", "tanh");
    }
}

/* identity op another */
static const char *with_value(struct gen *g, struct scope *s)
{
    const char *operand = an_operand(g, s);

    switch (below(g, 7)) {
    case 0: mark(g, "-"); return draw_format("identity - %s", operand);
    case 1: mark(g, "* of values");
            return draw_format("identity * (%s -> %s)", operand, squash(g));
    case 2: mark(g, "/ of values");
            return draw_format("identity / (abs(%s) + 1)", operand);
    case 3: mark(g, "* of values");
            return draw_format("%s(%s) * identity", squash(g), operand);
    case 4: mark(g, "/ of values");
            return draw_format("tanh(%s) / (softplus + 0.5)", operand);
    default: mark(g, "+");
             return draw_format("identity + %s", operand);
    }
}

/* identity + a + b - c + ...: three to seven others */
static const char *with_many(struct gen *g, struct scope *s)
{
    struct text text = { 0 };
    int count = 3 + below(g, 5);

    mark(g, "sum of many");
    text_add(&text, "identity");
    for (int i = 0; i < count; i++)
        text_add(&text, " %s %s", chance(g, 80) ? "+" : "-",
                 chance(g, 50) ? a_function(g) : an_operand(g, s));
    return text.bytes;
}

/* Two chains from here, one a gate. */
static const char *gated_pair(struct gen *g, struct scope *s,
                              struct shape *shape)
{
    struct shape other = *shape;
    const char *one = make_named(g, s, "linear", shape);

    const char *two = draw_format("linear(%d, bias = no)", last_axis(shape));
    spend(g, s, shape_size(&other) * last_axis(shape),
          last_axis(&other) * last_axis(shape));
    mark(g, "* of values");
    return draw_format("%s(%s) * %s", squash(g), one, two);
}

/* ---- taming ---- */

/* Values that have grown are brought back. */
void cool(struct gen *g, struct scope *s)
{
    struct shape shape = s->shape;
    int way = below(g, 4);

    if (s->heat < 2.5)
        return;
    if (way == 0)
        add_link(s, "identity * 0.25", &shape, false);
    else if (way == 1)
        add_link(s, "tanh", &shape, false);
    else
        add_link(s, make_named(g, s, way == 2 ? "rmsnorm" : "layernorm",
                               &shape), &shape, true);
    s->heat = way ? 1 : s->heat / 4;
}

/* ---- steps ---- */

static bool add_layer(struct gen *g, struct scope *s)
{
    struct shape shape = s->shape;
    bool weights = false;
    double heat = s->heat;
    const char *text = make_any(g, s, &shape, &heat, &weights);

    if (!text || shape_size(&shape) > 900)
        return false;
    struct item *item = add_link(s, text, &shape, weights);
    s->heat = heat;
    if (g->options.names && weights && chance(g, 4)) {
        mark(g, "layer as");
        item->as = new_name(g, "p");
    }
    return true;
}

/* A layer that was drawn may not fit. */
static void add_some_layer(struct gen *g, struct scope *s)
{
    for (int i = 0; i < 5 && !add_layer(g, s); i++)
        ;
}

static void add_expression(struct gen *g, struct scope *s)
{
    struct shape shape = s->shape;
    bool arrow = false;
    const char *text;
    int kind = below(g, 16);

    if (kind == 15) {
        text = with_many(g, s);
        s->heat += 4;
    } else if (kind < 3) {
        text = gated_pair(g, s, &shape);
    } else if (kind < 9) {
        text = with_value(g, s);
        s->heat += 1;
    } else {
        text = with_number(g, s, &arrow);
    }
    add_link(s, text, &shape, true)->arrow = arrow;
}

static void remember(struct scope *s, const char *name,
                     const struct shape *shape)
{
    int at = s->values < VALUES ? s->values++ : VALUES - 1;

    s->value[at] = (struct value) { name, *shape };
}

static void name_value(struct gen *g, struct scope *s)
{
    struct item *item = s->body->last;

    if (s->stream || !item || item->kind < ITEM_LINK || item->as)
        return;
    mark(g, "value as");
    if (item->weights || item->kind != ITEM_LINK)
        item = add_link(s, a_function(g), &s->shape, false);
    item->as = new_name(g, "v");
    remember(s, item->as, &item->shape);
}

/* name = chain */
static void side_line(struct gen *g, struct scope *s)
{
    const char *name = new_name(g, "v");
    struct shape shape = s->shape;
    const char *chain = some_chain(g, s, &shape, 1 + below(g, 2));

    mark(g, "side line");
    item_add(s->body, ITEM_VALUE, draw_format("%s = %s", name, chain))->as
        = NULL;
    remember(s, name, &shape);
}

/* Goes on from an older value. */
static void go_back(struct gen *g, struct scope *s)
{
    if (s->values <= s->own)
        return;
    const struct value *v = &s->value[s->own + below(g, s->values - s->own)];
    mark(g, "value used again");
    struct shape shape = v->shape;
    add_link(s, v->name, &shape, false);
}

/* concat(tanh, v1, identity, v1, ...): of the values of this shape */
static void join_many(struct gen *g, struct scope *s)
{
    struct shape shape = s->shape;
    struct text text = { 0 };
    int count = 3 + below(g, 6), axis = below(g, shape.rank);

    if (shape_size(&shape) * count > 700)
        return;
    mark(g, "concat of many");
    text_add(&text, "concat(identity");
    for (int i = 1; i < count; i++) {
        const struct value *v = s->values ? &s->value[below(g, s->values)]
                                          : NULL;
        bool fits = v && shape_same(&v->shape, &shape);
        text_add(&text, ", %s", fits ? v->name : a_function(g));
    }
    text_add(&text, axis == shape.rank - 1 ? ")" : ", axis = %d)", axis);
    shape.axis[axis] *= count;
    add_link(s, text.bytes, &shape, false);
}

/* concat(identity, another value) */
static void join_values(struct gen *g, struct scope *s)
{
    if (!s->values)
        return;
    const struct value *v = &s->value[below(g, s->values)];
    struct shape shape = s->shape;
    int axis = shape.rank - 1;
    if (v->shape.rank == shape.rank && chance(g, 50))
        axis = below(g, shape.rank);
    struct shape a = shape, b = v->shape;
    a.axis[axis] = b.axis[b.rank == a.rank ? axis : 0] = 1;
    if (!shape_same(&a, &b))
        return;
    mark(g, "concat");
    shape.axis[axis] += v->shape.axis[axis];
    add_link(s, draw_format("concat(%s, %s%s)", chance(g, 50) ? "identity"
             : "tanh", v->name, axis == shape.rank - 1 ? ""
             : draw_format(", axis = %d", axis)), &shape, false);
}

/* half = 8 / 2 */
static void name_number(struct gen *g, struct scope *s)
{
    int n = 1 + below(g, 9);

    if (s->numbers == NUMBERS)
        return;
    mark(g, "number by name");
    const char *name = new_name(g, "n");
    item_add(s->body, ITEM_LINE, draw_format("%s = %s", name,
                                             write_int(g, s, n)));
    s->number[s->numbers++] = (struct number) { name, n };
}

static bool try_bodies(struct gen *g, struct scope *s)
{
    typedef bool add(struct gen *g, struct scope *s);
    static const struct { add *add; int weight; } ways[] = {
        { add_block, 30 }, { add_group, 20 }, { add_repeat, 24 },
        { add_stream, 12 }, { add_checkpoint, 8 }, { add_choice, 6 },
        { add_library, 12 }, { add_shared, 12 }, { add_template, 14 },
    };
    enum { WAYS = sizeof ways / sizeof *ways };
    int weight[WAYS];

    if (s->depth > 3 || s->times > 12)
        return false;
    for (int i = 0; i < WAYS; i++)
        weight[i] = ways[i].weight;
    return ways[draw_weighted(&g->draw, weight, WAYS)].add(g, s);
}

void make_column(struct gen *g, struct scope *s, int steps)
{
    for (int i = 0; i < steps; i++) {
        cool(g, s);
        int kind = below(g, 100);
        if (kind < 42)
            add_some_layer(g, s);
        else if (kind < 54)
            add_expression(g, s);
        else if (kind < 60)
            name_value(g, s);
        else if (kind < 64)
            side_line(g, s);
        else if (kind < 67)
            go_back(g, s);
        else if (kind < 70)
            chance(g, 20) ? join_many(g, s) : join_values(g, s);
        else if (kind < 72)
            name_number(g, s);
        else if (!try_bodies(g, s) && !try_bodies(g, s))
            add_some_layer(g, s);
    }
}

void end_in(struct gen *g, struct scope *s, const struct shape *shape)
{
    if (shape_same(&s->shape, shape))
        return;
    add_link(s, chain_to(g, s, s->shape, shape), shape, true);
    s->heat = 1;
}
