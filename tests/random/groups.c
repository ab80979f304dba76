/* groups.c: repeats, streams, checkpoints, choices, layers made once. */
#include "gen.h"

static struct item *open_group(struct scope *s, struct scope *inner,
                               const char *head)
{
    struct item *item = item_add(s->body, ITEM_GROUP, head);

    *inner = *s;
    item->body = inner->body = draw_memory(sizeof *inner->body);
    item->weights = true;
    inner->depth++;
    return item;
}

static void close_group(struct scope *s, struct item *item,
                        const struct scope *inner)
{
    item->shape = s->shape = inner->shape;
    s->heat = inner->heat;
}

/* ---- repeats ---- */

static const char *repeat_head(struct gen *g, const struct scope *s,
                               struct item *item, struct scope *inner)
{
    const char *count = write_int(g, s, item->count);

    inner->times *= item->count > 0 ? item->count : 1;
    if (!chance(g, 50))
        return draw_format("repeat %s", count);
    mark(g, "repeat as");
    item->index = inner->index = new_name(g, "i");
    inner->count = item->count;
    return draw_format("repeat %s as %s", count, item->index);
}

static int a_count(struct gen *g)
{
    static const int counts[] = { 2, 2, 2, 3, 3, 4, 5, 1, 1, 7, 0 };
    int count = counts[below(g, 11)];

    if (count < 2)
        mark(g, "repeat once or never");
    return count;
}

bool add_repeat(struct gen *g, struct scope *s)
{
    struct scope inner;
    struct shape shape = s->shape;
    bool checkpoint = chance(g, 15);
    int count = a_count(g);

    if (g->macs < 200 * count || g->params < 20 * count)
        return false;
    struct item *item = open_group(s, &inner, "");
    item->repeat = true;
    item->count = count;
    item->text = repeat_head(g, s, item, &inner);
    inner.own = inner.values;
    inner.repeated = true;
    if (checkpoint) {
        mark(g, "checkpoint repeat");
        item->checkpoint = true;
        item->text = draw_format("checkpoint %s", item->text);
    }
    mark(g, s->times > 1 ? "repeat in repeat" : s->block ? "repeat in block"
         : "repeat");
    make_column(g, &inner, 1 + below(g, 3));
    end_in(g, &inner, &shape);
    cool(g, &inner);
    /* without names it is unrolled: a layer that ends it would have no bias
     * before a batch norm */
    if (!inner.body->first || !g->options.names)
        add_link(&inner, a_function(g), &shape, false);
    close_group(s, item, &inner);
    return true;
}

bool add_checkpoint(struct gen *g, struct scope *s)
{
    struct scope inner;
    struct item *item = open_group(s, &inner, "checkpoint");

    mark(g, "checkpoint");
    item->checkpoint = true;
    inner.own = inner.values;
    make_column(g, &inner, 1 + below(g, 3));
    if (!inner.body->first)
        add_link(&inner, a_function(g), &s->shape, false);
    close_group(s, item, &inner);
    return true;
}

/* ---- if ---- */

const char *a_condition(struct gen *g, const struct scope *s, bool *holds)
{
    if (s->numbers && chance(g, 60)) {
        const struct number *n = &s->number[below(g, s->numbers)];
        int against = 1 + below(g, 9), kind = below(g, 3);
        static const char *const signs[] = { "==", ">", "<=" };
        *holds = kind == 0 ? n->value == against : kind == 1
            ? n->value > against : n->value <= against;
        return draw_format("%s %s %d", n->name, signs[kind], against);
    }
    *holds = chance(g, 60);
    return *holds ? chance(g, 50) ? "yes" : "1 < 2 && 2 != 3"
                  : chance(g, 50) ? "no" : "3 <= 2 || 1 == 0";
}

/* What is not chosen stands there all the same. */
static struct item *bare_group(struct gen *g, const char *head)
{
    struct item *item = draw_memory(sizeof *item);

    item->kind = ITEM_GROUP;
    item->text = head;
    item->body = draw_memory(sizeof *item->body);
    item_add(item->body, ITEM_LINK, a_function(g));
    return item;
}

bool add_choice(struct gen *g, struct scope *s)
{
    struct scope inner;
    bool holds;
    const char *condition = a_condition(g, s, &holds);
    struct item *item = holds ? open_group(s, &inner, "") : NULL;
    struct style style = { .draw = g->draw };
    struct text text = { 0 };

    mark(g, "if");
    if (!holds) {
        item = bare_group(g, "");
        text_add(&text, "if %s {", condition);
        print_body(&style, &text, item->body, 2);
        text_add(&text, " } else");
        item = open_group(s, &inner, text.bytes);
    } else {
        item->text = draw_format("if %s", condition);
    }
    item->kind = ITEM_IF;
    make_column(g, &inner, 1 + below(g, 2));
    if (!inner.body->first)
        add_link(&inner, a_function(g), &s->shape, false);
    close_group(s, item, &inner);
    return true;
}

/* ---- streams ---- */

/* As many blocks and groups; some blocks twice. */
static void add_stream_blocks(struct gen *g, struct scope *s, int count)
{
    struct block *block = NULL;

    for (int i = 0; i < count; i++) {
        if (chance(g, 25) && g->macs > 500 && g->params > 50) {
            add_stream_group(g, s);
            continue;
        }
        struct block *next = i && chance(g, 30) ? NULL : stream_block(g, s);
        block = next ? next : block;
        if (block)
            add_call(g, s, block);
        else
            add_stream_group(g, s);
    }
}

/* The kind, and how many blocks its group must have a multiple of. */
static const char *stream_kind(struct gen *g, const struct scope *s, int *every,
                               double *heat)
{
    int n = 1 + below(g, 4);

    *every = 1;
    switch (below(g, 7)) {
    case 0:
        mark(g, "stream attention");
        return "attention";
    case 1:
        mark(g, "stream attention every");
        *every = 2;
        return "attention(every = 2)";
    case 2:
        mark(g, "stream weighted");
        return "weighted";
    case 3:
        mark(g, "stream hyper");
        *heat = n;
        return draw_format("hyper(%d)", n);
    case 4:
        mark(g, "stream hyper dynamic");
        *heat = n;
        spend(g, s, 0, 60 * n);
        return draw_format("hyper(%d, dynamic)", n);
    case 5:
        mark(g, "stream manifold");
        *heat = n;
        n = n > 3 ? 3 : n;
        spend(g, s, 0, (double)n * (n + 2) * n * last_axis(&s->shape));
        return chance(g, 50) ? draw_format("manifold(%d)", n)
            : draw_format("manifold(%d, iterations = %d)", n, 1 + below(g, 5));
    default:
        if (last_axis(&s->shape) % 2)
            return NULL;
        mark(g, "stream reversible");
        return "reversible";
    }
}

bool add_stream(struct gen *g, struct scope *s)
{
    struct scope inner, half;
    struct shape shape = s->shape;
    int every, count = 1 + below(g, 3);
    double heat = 1;

    if (g->macs < 1500 || g->params < 150 || last_axis(&shape) > 33
        || s->stream)
        return false;
    const char *kind = stream_kind(g, s, &every, &heat);
    if (!kind)
        return false;
    bool halves = kind[0] == 'r';
    struct item *item = open_group(s, &inner, draw_format("stream %s%s", kind,
        chance(g, 70) ? draw_format(" repeat %d", count) : ""));
    inner.times *= count;
    inner.repeated = true;
    inner.stream = item->stream = true;
    inner.index = NULL;
    half = inner;
    half.shape.axis[half.shape.rank - 1] /= halves ? 2 : 1;
    add_stream_blocks(g, &half, every * (1 + below(g, 2)));
    if (!item->body->first) {   /* no budget for blocks */
        item->text = "";
        add_link(&inner, a_function(g), &shape, false);
        inner.shape = shape;
    }
    inner.heat = 2 * heat;
    inner.shape = shape;
    close_group(s, item, &inner);
    cool(g, s);
    return true;
}

/* ---- layers made once ---- */

/* shared f = linear(8), and used twice */
bool add_shared(struct gen *g, struct scope *s)
{
    struct shape shape = s->shape;
    int f = last_axis(&shape), rank = shape.rank;
    const char *name = new_name(g, "s"), *layer;

    if (s->stream || (s->repeated && !g->options.names)
        || !spend(g, s, 2.0 * shape_size(&shape) * f, f * f))
        return false;
    mark(g, "shared");
    switch (below(g, 4)) {
    case 0:
        layer = rank == 3 ? draw_format("conv(%d, 3)", f)
                          : draw_format("linear(%d)", f);
        break;
    case 1: layer = "layernorm(eps = 0.1)"; break;
    case 2: layer = rank == 2 ? draw_format("gru(%d)", f) : "gain"; break;
    default: layer = draw_format("linear(%s)", write_int(g, s, f));
    }
    item_add(s->body, ITEM_LINE, draw_format("shared %s = %s", name, layer));
    if (chance(g, 40)) {
        mark(g, "shared in repeat");
        add_link(s, draw_format("repeat 2 { %s -> %s }", name, a_function(g)),
                 &shape, true);
    } else {
        add_link(s, name, &shape, true);
        add_link(s, a_function(g), &shape, false);
        add_link(s, chance(g, 50) ? name : draw_format("%s(tanh) + identity",
                 name), &shape, true);
    }
    if (layer[0] == 'l' && layer[1] == 'i' && chance(g, 40)) {
        mark(g, "weight tied");
        add_link(s, draw_format("tanh -> linear(%d, weight = %s.weight%s)", f,
                                name, chance(g, 50) ? ", bias = no" : ""),
                 &shape, true);
    }
    return true;
}
