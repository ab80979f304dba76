/* program.c: a network: its parameters, inputs, column, outputs and losses. */
#include "gen.h"

#include <stdlib.h>

/* ---- inputs ---- */

static struct shape an_input_shape(struct gen *g)
{
    static const int weight[] = { 20, 26, 40, 5, 3 };
    int rank = 1 + draw_weighted(&g->draw, weight, AXES);
    struct shape shape = { .rank = rank };

    for (int i = 0; i < rank; i++)
        shape.axis[i] = a_size(g, rank == 1 ? 65 : rank == 2 ? 17
                               : rank == 3 ? 9 : 4);
    if (rank == 3)
        shape.axis[2] = a_size(g, chance(g, 80) ? 8 : 33);
    if (rank == 2 && chance(g, 20))
        shape.axis[0] = a_size(g, 65);
    return shape;
}

static const char *input_name(struct gen *g)
{
    static const char *const plain[] = { "x", "image", "z", "data", NULL };

    return chance(g, 50) ? draw_format("%s%d", draw_of(&g->draw, plain),
                                       ++g->names) : new_name(g, "x");
}

static void remember_input(struct scope *s, const char *name,
                           const struct shape *shape)
{
    s->value[s->values++] = (struct value) { name, *shape };
}

static void real_input(struct gen *g, struct scope *s)
{
    struct shape shape = an_input_shape(g);
    const char *name = input_name(g);

    mark(g, "input");
    item_add(s->body, ITEM_LINE, draw_format("input %s %s", name,
             write_shape(g, s, &shape)));
    remember_input(s, name, &shape);
}

/* Integers, and what they stand for. */
static void word_input(struct gen *g, struct scope *s)
{
    int rank = 1 + below(g, 2), vocabulary = 2 + below(g, 20);
    struct shape shape = shape_of(rank, a_size(g, rank == 1 ? 17 : 5),
                                  a_size(g, 5), 0, 0);
    const char *name = input_name(g), *value = new_name(g, "e");
    int width = a_size(g, 17);

    mark(g, "input int");
    item_add(s->body, ITEM_LINE, draw_format("input %s int %s", name,
             write_shape(g, s, &shape)));
    mark(g, "embedding");
    spend(g, s, 0, vocabulary * width);
    shape.axis[shape.rank++] = width;
    if (g->options.form != FORM_BLOCKS && chance(g, 30)) {
        /* a table that also scores */
        const char *table = new_name(g, "s");
        mark(g, "tied table");
        item_add(s->body, ITEM_LINE, draw_format("shared %s = embedding(%s, %s)",
                 table, write_int(g, s, vocabulary), write_int(g, s, width)));
        item_add(s->body, ITEM_LINE, draw_format("%s = %s -> %s", value, name,
                                                 table));
        remember_input(s, value, &shape);
        value = new_name(g, "e");
        item_add(s->body, ITEM_LINE, draw_format(
                 "%s = %s -> %s -> linear(%d, weight = %s.weight)", value,
                 name, table, vocabulary, table));
        shape.axis[shape.rank - 1] = vocabulary;
    } else {
        item_add(s->body, ITEM_LINE, draw_format(
                 "%s = %s -> embedding(%s, %s%s)", value, name,
                 write_int(g, s, vocabulary), write_int(g, s, width),
                 an_init(g)));
    }
    remember_input(s, value, &shape);
}

static void add_inputs(struct gen *g, struct scope *s)
{
    int reals = chance(g, 75) ? 1 : 2, words = 0;

    if (chance(g, 15)) {
        words = 1;
        reals = below(g, 2);
    }
    for (int i = 0; i < reals; i++)
        real_input(g, s);
    if (words)
        word_input(g, s);
    if (g->options.batch && g->options.form != FORM_BLOCKS
        && chance(g, 12)) {
        mark(g, "input graph");
        s->graph = new_name(g, "graph");
        item_add(s->body, ITEM_LINE, draw_format("input %s graph", s->graph));
    }
    if (s->value[0].shape.rank > 1 && g->options.form != FORM_BLOCKS
        && chance(g, 15)) {
        g->lengths = new_name(g, "seen");
        g->lengths_of = s->value[0].shape;
        item_add(s->body, ITEM_LINE, draw_format("input %s int [1]",
                                                 g->lengths));
    }
    s->shape = s->value[0].shape;
    s->heat = 1;
    add_link(s, s->value[0].name, &s->shape, false);
}

/* Every input must be read: what is not yet, is by a small branch. */
static void use_lengths(struct gen *g, struct scope *s)
{
    const struct value *v = &s->value[0];

    if (!g->lengths)
        return;
    mark(g, "lengths");
    mark(g, "attention");
    const char *name = new_name(g, "v");
    item_add(s->body, ITEM_VALUE, draw_format(
             "%s = %s -> attention(2, head = 3, lengths = %s)", name, v->name,
             g->lengths));
    s->value[s->values++] = (struct value) { name, v->shape };
}

/* ---- outputs and losses ---- */

static const char *weights_of(struct gen *g, int classes)
{
    struct text text = { 0 };

    for (int i = 0; i < classes; i++)
        text_add(&text, "%s%s", i ? ", " : "[", write_real(g, 20
                 + below(g, 150)));
    text_add(&text, "]");
    return text.bytes;
}

static const char *cross_entropy(struct gen *g, const char *value,
                                 const struct shape *shape)
{
    struct text text = { 0 };

    mark(g, "cross_entropy");
    text_add(&text, "cross_entropy(%s, %s", value, new_name(g, "label"));
    if (chance(g, 30)) {
        mark(g, "smoothing");
        text_add(&text, ", smoothing = %s", write_real(g, below(g, 100)));
    }
    if (g->options.batch && last_axis(shape) <= 12 && chance(g, 25)) {
        mark(g, "class weights");
        text_add(&text, ", weights = %s", weights_of(g, last_axis(shape)));
    }
    if (g->options.batch && chance(g, 20)) {
        mark(g, "ignore");
        text_add(&text, ", ignore = %d", chance(g, 50) ? -1
                 : below(g, last_axis(shape)));
    }
    if (g->options.batch && chance(g, 20)) {
        mark(g, "row weights");
        text_add(&text, ", weight = %s", new_name(g, "trust"));
    }
    text_add(&text, ")");
    return text.bytes;
}

static const char *a_loss(struct gen *g, const char *value,
                          const struct shape *shape)
{
    static const char *const kinds[] = { "mse", "mae", "bce", "mse", NULL };
    const char *kind = draw_of(&g->draw, kinds);

    if (last_axis(shape) > 1 && chance(g, 45))
        return cross_entropy(g, value, shape);
    mark(g, kind);
    return draw_format("%s(%s, %s)", kind, value, new_name(g, "target"));
}

static void add_loss(struct gen *g, struct scope *s, const char *loss)
{
    if (chance(g, 20)) {
        mark(g, "loss times a number");
        loss = draw_format("%s * %s", write_real(g, 20 + below(g, 200)), loss);
    }
    item_add(s->body, ITEM_LINE, draw_format("loss %s", loss));
}

/* Names the current value as an output. */
static const char *add_output(struct gen *g, struct scope *s)
{
    const char *name = new_name(g, "out");

    if (chance(g, 25)) {
        struct shape shape = s->shape;
        const char *chain = chance(g, 50) ? a_function(g)
            : make_named(g, s, "linear", &shape);
        mark(g, "output of a side line");
        item_add(s->body, ITEM_LINE, draw_format("output %s = %s", name,
                                                 chain));
        s->value[s->values < VALUES ? s->values++ : VALUES - 1]
            = (struct value) { name, shape };
        return name;
    }
    mark(g, "output");
    item_add(s->body, ITEM_LINE, draw_format("output %s", name));
    s->value[s->values < VALUES ? s->values++ : VALUES - 1]
        = (struct value) { name, s->shape };
    return name;
}

static const struct shape *shape_named(const struct scope *s, int back)
{
    return &s->value[s->values - 1 - back].shape;
}

/* The last layers: to a vector, or as it is. */
static void add_head(struct gen *g, struct scope *s)
{
    struct shape shape = s->shape;
    int classes = 2 + below(g, 9);

    cool(g, s);
    if (shape.rank > 1 && chance(g, 50)) {
        shape = shape_of(1, classes, 0, 0, 0);
        end_in(g, s, &shape);
    } else if (last_axis(&shape) < 2 || chance(g, 60)) {
        shape.axis[shape.rank - 1] = classes;
        end_in(g, s, &shape);
    }
}

static void add_ends(struct gen *g, struct scope *s)
{
    add_head(g, s);
    const char *name = add_output(g, s);
    const char *loss = a_loss(g, name, shape_named(s, 0));

    if (chance(g, 15)) {        /* two in one line */
        mark(g, "sum of losses");
        loss = draw_format("%s + 0.3 * %s", loss,
                           a_loss(g, name, shape_named(s, 0)));
    }
    add_loss(g, s, loss);
    if (chance(g, 25)) {
        mark(g, "several losses");
        add_loss(g, s, a_loss(g, name, shape_named(s, 0)));
    }
}

/* ---- programs of two versions ---- */

/* Values that follow from inputs each on its own, in lines of free order. */
static void add_branches(struct gen *g, struct scope *s)
{
    int inputs = s->values;

    for (int i = 0; i < 3; i++) {
        const struct value *from = &s->value[below(g, inputs)];
        struct scope at = *s;
        at.shape = from->shape;
        struct block *block = new_block(g, &at, false);
        const char *name = new_name(g, "v");
        item_add(s->body, ITEM_VALUE, draw_format("%s = %s -> %s%s as %s", name,
                 from->name, block->name, call_arguments(g, s, block),
                 new_name(g, "p")))->free = true;
        s->value[s->values++] = (struct value) { name, block->out };
    }
}

/* Three calls and no layer between: the one in the middle may be inlined, and
 * no other layer's name follows from its. */
static void add_calls(struct gen *g, struct scope *s)
{
    static const char *const names[] = { "first", "inlined", "last" };

    for (int i = 0; i < 3; i++) {
        add_call(g, s, new_block(g, s, false));
        s->body->last->as = names[i];
    }
}

static void end_calls(struct gen *g, struct scope *s)
{
    item_add(s->body, ITEM_LINE, "output out");
    s->value[0] = (struct value) { "out", s->shape };
    add_loss(g, s, a_loss(g, "out", &s->shape));
}

/* ---- the network ---- */

static const char *network_parameters(struct gen *g, struct scope *s)
{
    struct text text = { 0 };
    int count = below(g, 4);

    text_add(&text, "%s", "");
    for (int i = 0; i < count; i++) {
        const char *name = new_name(g, "k");
        int value = a_size(g, 17);
        text_add(&text, "%s%s = %s", i ? ", " : "(", name,
                 write_int(g, s, value));
        s->number[s->numbers++] = (struct number) { name, value };
    }
    if (count)
        mark(g, "knob");
    if (count && chance(g, 20))
        text_add(&text, ", %s = 0.3 * 2", new_name(g, "r"));
    return count ? draw_format("%s)", text.bytes) : "";
}

static void middle_output(struct gen *g, struct scope *s)
{
    mark(g, "several outputs");
    const char *name = add_output(g, s);
    if (chance(g, 60)) {
        mark(g, "several losses");
        add_loss(g, s, a_loss(g, name, shape_named(s, 0)));
    }
}

void make_program(struct program *p, uint64_t seed, const char *name,
                  struct options options)
{
    struct gen *g = &p->gen;

    *p = (struct program) { .gen = { .draw = { seed * 0x2545f4914f6cdd1du },
                                     .options = options, .name = name } };
    struct scope s = { .body = &p->body, .times = 1, .heat = 1 };
    for (int i = 0; i < 4; i++)
        draw_word(&g->draw);
    g->macs = 1e4 * (1 << below(g, 6));
    g->params = 600 * (1 << below(g, 4));
    p->parameters = network_parameters(g, &s);
    add_inputs(g, &s);
    if (options.form == FORM_BLOCKS) {
        add_calls(g, &s);
        end_calls(g, &s);
        return;
    }
    if (options.form == FORM_BRANCHES)
        add_branches(g, &s);
    use_lengths(g, &s);
    if (chance(g, 10)) {
        mark(g, "init property");
        item_add(s.body, ITEM_LINE, draw_format("init %s", an_init_value(g)));
    }
    make_column(g, &s, 3 + below(g, 7));
    if (chance(g, 25) && shape_size(&s.shape) < 300) {
        middle_output(g, &s);
        make_column(g, &s, 1 + below(g, 3));
    }
    if (s.graph && !used(g, "aggregate"))
        add_link(&s, draw_format("aggregate(%s, mean)", s.graph), &s.shape,
                 false);
    add_ends(g, &s);
}

/* ---- as text ---- */

static void print_blocks(const struct gen *g, struct style *style, bool abroad,
                         struct text *to)
{
    for (const struct block *b = g->blocks; b; b = b->next)
        if ((b->abroad && !style->at_home) == abroad) {
            print_block(style, to, b);
            text_add(to, "%s", draw_chance(&style->draw, 30) ? "\n" : "");
        }
}

void print_program(const struct program *p, struct style *style,
                   const char *import, struct text *main, struct text *other)
{
    const struct gen *g = &p->gen;
    bool first = draw_chance(&style->draw, 70);

    print_blocks(g, style, true, other);
    if (other->length)
        text_add(main, "import \"./%s\"\n", import);
    for (int i = 0; i < g->imports; i++)
        text_add(main, "import \"%s\"\n", g->import[i]);
    if (first)
        print_blocks(g, style, false, main);
    text_add(main, "network %s%s {", g->name, p->parameters);
    print_body(style, main, &p->body, 1);
    text_add(main, "\n}\n");
    if (!first)
        print_blocks(g, style, false, main);
}
