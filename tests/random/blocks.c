/* blocks.c: branches with their properties, as blocks that are called and as
 * groups. */
#include "gen.h"

#include <string.h>

enum shortcut { NONE, IDENTITY, NUMBER, GATED, PROJECTION, PADDED, ALWAYS,
                DENSE, CHAIN, SHORTCUTS };

struct branch {
    enum shortcut shortcut;
    struct shape in, out;       /* out: of the branch */
    struct shape sum;           /* of the whole */
};

/* ---- what a property says ---- */

/* Its text, now and then what an `if` leaves. */
static const char *perhaps_chosen(struct gen *g, const struct scope *s,
                                  const char *text)
{
    bool holds;

    if (!chance(g, 10))
        return text;
    mark(g, "property in if");
    const char *condition = a_condition(g, s, &holds);
    if (!holds)
        return draw_format("if %s { then relu -> abs } else { %s }", condition,
                           text);
    return draw_format("if %s { %s }%s", condition, text,
                       chance(g, 50) ? " else { scale 3 }" : "");
}

static void property(struct gen *g, struct scope *s, const char *text)
{
    struct item *item = item_add(s->body, ITEM_LINE,
                                 perhaps_chosen(g, s, text));

    item->free = true;
    item->shape = s->shape;
}

static const char *write_gate(struct gen *g)
{
    static const char *const gates[] = {
        "gated", "gated(highway)", "gated(exclusive)", "gated(shortcut)",
        "gated(gru)", NULL };
    const char *gate = draw_of(&g->draw, gates);

    mark(g, draw_format("shortcut %s", gate));
    if (chance(g, 50))
        return gate;
    const char *bias = write_real(g, below(g, 300) - 200);
    return strchr(gate, '(')
        ? draw_format("%.*s, bias = %s)", (int)strlen(gate) - 1, gate, bias)
        : draw_format("gated(bias = %s)", bias);
}

static const char *write_shortcut(struct gen *g, struct scope *s,
                                  const struct branch *b)
{
    static const char *const words[SHORTCUTS] = {
        [NONE] = "none", [IDENTITY] = "identity", [PROJECTION] = "projection",
        [PADDED] = "projection(pad)", [ALWAYS] = "projection(always)",
        [DENSE] = "dense" };
    const char *word = words[b->shortcut];

    if (b->shortcut == PROJECTION && chance(g, 20))
        word = "projection(conv)";
    if (word) {
        mark(g, draw_format("shortcut %s", word));
        return word;
    }
    if (b->shortcut == GATED)
        return write_gate(g);
    mark(g, b->shortcut == NUMBER ? "shortcut number" : "shortcut chain");
    if (b->shortcut == NUMBER)
        return s->index && chance(g, 30)
            ? draw_format("0.5 + %s / %d", s->index, 2 * s->count)
            : write_real(g, 20 + below(g, 100));
    return chain_to(g, s, b->in, &b->out);
}

static void add_weights_norm(struct gen *g, struct scope *s,
                             const struct branch *b)
{
    static const char *const places[] = { "before", "after", NULL };
    const char *place = draw_of(&g->draw, places);
    const char *curve = chance(g, 30) ? draw_format(" -> %s", a_function(g))
                                      : "";

    mark(g, draw_format("norm %s weights", place));
    property(g, s, draw_format("norm %s%s %s weights", a_norm(g, &b->in, true),
                               curve, place));
}

static void add_norm(struct gen *g, struct scope *s, const struct branch *b,
                     bool stream)
{
    int place = below(g, stream ? 2 : 3);
    static const char *const places[] = { "before", "around", "after" };
    const char *kind = a_norm(g, place == 2 ? &b->sum : &b->in,
                              place == 1 && !shape_same(&b->in, &b->out));
    const char *curve = chance(g, 20) ? draw_format(" -> %s", a_function(g))
                                      : "";

    mark(g, draw_format("norm %s", places[place]));
    property(g, s, draw_format("norm %s%s %s", kind, curve, places[place]));
}

static void add_scale(struct gen *g, struct scope *s, const struct branch *b)
{
    int kind = below(g, 4);

    if (kind == 0 && s->index) {
        mark(g, "varying number");
        property(g, s, draw_format("scale 1 / sqrt(%s + 2)", s->index));
    } else if (kind < 2) {
        mark(g, "scale number");
        property(g, s, draw_format("scale %s", write_real(g, 20
                                   + below(g, 90))));
    } else if (spend(g, s, 0, last_axis(&b->out))) {
        const char *word = kind == 2 ? "learned" : "channel";
        mark(g, draw_format("scale %s", word));
        property(g, s, draw_format("scale %s(%s)", word,
                                   write_real(g, below(g, 100))));
    }
}

static void add_drop(struct gen *g, struct scope *s, const struct branch *b,
                     bool stream)
{
    bool sum = b->shortcut == IDENTITY || b->shortcut == PROJECTION
               || b->shortcut == NUMBER;
    const char *word = sum && !stream && chance(g, 50) ? "batch" : "sample";

    if (!g->options.chance || b->shortcut == NONE)
        return;
    mark(g, draw_format("drop %s", word));
    if (s->index && chance(g, 60)) {
        mark(g, "varying number");
        property(g, s, draw_format("drop %s((%s + 1) / %d * 0.5)", word,
                                   s->index, s->count + 1));
        return;
    }
    property(g, s, draw_format("drop %s(%s)", word, write_real(g, below(g,
                               70))));
}

static void add_then(struct gen *g, struct scope *s)
{
    static const char *const chains[] = { "tanh -> gain", "relu", "identity * "
        "0.7 -> silu", "layernorm(eps = 0.1)", "shift -> tanh", NULL };

    mark(g, "then");
    property(g, s, draw_format("then %s", chance(g, 60) ? a_function(g)
                               : draw_of(&g->draw, chains)));
}

static void add_properties(struct gen *g, struct scope *s,
                           const struct branch *b, bool stream)
{
    if (b->shortcut != NONE || chance(g, 20))
        property(g, s, draw_format("shortcut %s", write_shortcut(g, s, b)));
    if (chance(g, 50))
        add_norm(g, s, b, stream);
    if (chance(g, 25))
        add_weights_norm(g, s, b);
    if (chance(g, 25))
        add_scale(g, s, b);
    if (chance(g, 20))
        add_drop(g, s, b, stream);
    if (!stream && chance(g, 25))
        add_then(g, s);
    if (chance(g, 12)) {
        mark(g, "init property");
        property(g, s, draw_format("init %s", an_init_value(g)));
    }
}

/* ---- the branch ---- */

/* Changes the shape as a projection can follow. */
static void add_stage(struct gen *g, struct scope *s, bool wider)
{
    struct shape shape = s->shape;
    int c = a_size(g, 16), kernel = 1 + 2 * below(g, 2);
    int stride = chance(g, 60) ? 2 : 1 + below(g, 3);
    bool map = shape.rank == 3;
    const char *name = map ? "conv" : "conv1d";

    if (wider)
        c += last_axis(&shape);
    if (shape.rank != 2 && !map) {
        shape.axis[shape.rank - 1] = c;
        spend(g, s, shape_size(&s->shape) * c, last_axis(&s->shape) * c);
        add_link(s, draw_format("linear(%s)", write_int(g, s, c)), &shape,
                 true);
        return;
    }
    int in = last_axis(&shape);
    shape.axis[shape.rank - 1] = c;
    for (int i = 0; i < shape.rank - 1; i++)
        shape.axis[i] = (shape.axis[i] - 1) / stride + 1;
    spend(g, s, (double)shape_size(&shape) * in * kernel * (map ? kernel : 1),
          in * c * kernel * (map ? kernel : 1));
    mark(g, name);
    mark(g, "stage");
    add_link(s, draw_format("%s(%s, %d, %s%d)", name, write_int(g, s, c),
                            kernel, chance(g, 40) ? "stride = " : "", stride),
             &shape, true);
}

static void add_growth(struct gen *g, struct scope *s)
{
    struct shape shape = s->shape;
    int k = 1 + below(g, 9);

    shape.axis[shape.rank - 1] = k;
    spend(g, s, shape_size(&s->shape) * k * (shape.rank == 3 ? 9 : 1),
          last_axis(&s->shape) * k * (shape.rank == 3 ? 9 : 1));
    mark(g, shape.rank == 3 ? "conv" : "linear");
    add_link(s, shape.rank == 3 ? draw_format("conv(%d, 3)", k)
             : draw_format("linear(%d)", k), &shape, true);
}

static void add_curve(struct gen *g, struct scope *s)
{
    struct shape shape = s->shape;

    if (s->curve)
        mark(g, "chain as parameter");
    add_link(s, s->curve ? s->curve : a_function(g), &shape, false);
}

static void make_branch(struct gen *g, struct scope *s, struct branch *b)
{
    b->in = s->shape;
    switch (b->shortcut) {
    case PROJECTION: case PADDED: case ALWAYS:
        if (chance(g, 40))
            add_curve(g, s);
        add_stage(g, s, b->shortcut == PADDED);
        b->out = s->shape;
        if (chance(g, 60)) {
            add_curve(g, s);
            make_column(g, s, 1);
            end_in(g, s, &b->out);
        }
        break;
    case DENSE:
        if (chance(g, 50))
            add_curve(g, s);
        add_growth(g, s);
        break;
    case NONE: case CHAIN:
        make_column(g, s, 1 + below(g, 3));
        break;
    default:
        make_column(g, s, 1 + below(g, 2));
        if (chance(g, 50))
            add_curve(g, s);
        end_in(g, s, &b->in);
    }
    if (!s->body->first)
        add_curve(g, s);
    b->out = b->sum = s->shape;
    if (b->shortcut == DENSE)
        b->sum.axis[b->sum.rank - 1] += last_axis(&b->in);
}

/* The properties come to stand before, between or after the statements. */
static void join_bodies(struct gen *g, struct body *to, struct body *lines,
                        struct body *links)
{
    struct item *line = lines->first, *link = links->first;

    *to = (struct body) { 0 };
    while (line || link) {
        struct item **from = !link || (line && chance(g, 75)) ? &line : &link;
        struct item *item = *from;
        *from = item->next;
        item->next = NULL;
        if (to->last)
            to->last->next = item;
        else
            to->first = item;
        to->last = item;
    }
}

/* Fills the scope's body with a branch and its properties. */
static void make_residual(struct gen *g, struct scope *s, struct branch *b,
                          bool stream)
{
    struct body lines = { 0 }, links = { 0 }, *body = s->body;
    struct scope outer = *s;

    s->body = &links;
    make_branch(g, s, b);
    outer.body = &lines;        /* properties see what was known before */
    outer.depth = s->depth;
    add_properties(g, &outer, b, stream);
    join_bodies(g, body, &lines, &links);
    s->body = body;
    s->shape = b->sum;
    s->heat = 1.5;
}

static enum shortcut a_shortcut(struct gen *g, const struct scope *s)
{
    static const int weight[SHORTCUTS] = {
        [NONE] = 8, [IDENTITY] = 30, [NUMBER] = 6, [GATED] = 16,
        [PROJECTION] = 14, [PADDED] = 6, [ALWAYS] = 6, [DENSE] = 10,
        [CHAIN] = 8 };
    enum shortcut shortcut = (enum shortcut)draw_weighted(&g->draw, weight,
                                                          SHORTCUTS);

    if (shortcut == PADDED && s->shape.rank != 3)
        return PROJECTION;
    if (shortcut == DENSE && last_axis(&s->shape) > 40)
        return IDENTITY;
    return shortcut;
}

/* ---- blocks ---- */

static void add_parameters(struct gen *g, struct scope *s,
                           struct block *block)
{
    struct text formal = { 0 }, actual = { 0 };
    int count = below(g, 4), plain = below(g, count + 1);

    for (int i = 0; i < count; i++) {
        const char *name = new_name(g, "w");
        int value = i == 0 ? last_axis(&s->shape) : a_size(g, 20);
        bool has_default = i >= plain;
        text_add(&formal, "%s%s", i ? ", " : "(", name);
        if (has_default)
            text_add(&formal, " = %s", write_int(g, s, value));
        s->number[s->numbers++] = (struct number) { name, value };
        if (has_default && chance(g, 50))
            continue;
        text_add(&actual, "%s", actual.length ? ", " : "(");
        if (has_default || (i == plain - 1 && chance(g, 30)))
            text_add(&actual, "%s = ", name);
        text_add(&actual, "%d", value);
    }
    if (block->graph)
        text_add(&formal, "%s%s", formal.length ? ", " : "(", block->graph);
    if (g->options.curves && chance(g, 30)) {
        block->curve = s->curve = new_name(g, "curve");
        text_add(&formal, "%s%s = %s", formal.length ? ", " : "(", s->curve,
                 a_function(g));
    }
    block->parameters = formal.length ? draw_format("%s)", formal.bytes) : "";
    block->arguments = actual.length ? actual.bytes : "";
}

/* input x [h, w, c] */
static void add_binding(struct gen *g, struct scope *s)
{
    struct text text = { 0 };
    int rank = s->shape.rank, from = 0;
    const char *name = new_name(g, "x");

    text_add(&text, "input %s [", name);
    if (chance(g, 40) && rank > 1) {
        text_add(&text, "..");
        from = rank - 1;
    }
    for (int i = from; i < rank; i++) {
        int n = s->shape.axis[i];
        text_add(&text, "%s", i ? ", " : "");
        if (chance(g, 20) || s->numbers == NUMBERS) {
            text_add(&text, "%d", n);
            continue;
        }
        const char *axis = new_name(g, "d");
        text_add(&text, "%s", axis);
        s->number[s->numbers++] = (struct number) { axis, n };
    }
    text_add(&text, "]");
    mark(g, "input of a block");
    struct item *item = item_add(s->body, ITEM_LINE, text.bytes);
    item->as = NULL;
    s->value[s->values++] = (struct value) { name, s->shape };
}

struct block *new_block(struct gen *g, const struct scope *at, bool stream)
{
    struct block *block = draw_memory(sizeof *block), *last = g->last;
    struct body head = { 0 }, *body = draw_memory(sizeof *body);
    struct scope s = { .body = &head, .shape = at->shape, .heat = 1,
                       .depth = at->depth + 1, .times = at->times,
                       .repeated = at->repeated,
                       .block = true };
    struct branch branch = { .shortcut = stream ? IDENTITY
                             : a_shortcut(g, at) };
    double macs = g->macs, params = g->params;

    block->name = new_name(g, "b");
    block->in = at->shape;
    if (g->options.curves && at->graph && chance(g, 40))
        block->graph = s.graph = new_name(g, "net");
    add_parameters(g, &s, block);
    if (chance(g, 40))
        add_binding(g, &s);
    int numbers = s.numbers;    /* more are the body's own */
    s.body = body;
    make_residual(g, &s, &branch, stream);
    s.numbers = numbers;
    if (head.first) {
        head.last->next = body->first;
        head.last = body->last;
        *body = head;
    }
    block->numbers = s.numbers;
    memcpy(block->number, s.number, sizeof s.number);
    block->entry = head.first ? s.value[0].name : NULL;
    block->body = body;
    block->out = s.shape;
    block->sums = stream;
    block->macs = (long)((macs - g->macs) / at->times);
    block->params = (long)((params - g->params) / at->times);
    block->leaf = g->last == last;
    block->abroad = block->leaf && chance(g, 25);
    if (g->last)
        g->last->next = block;
    else
        g->blocks = block;
    g->last = block;
    return block;
}

/* `(a = 1`, or nothing yet. */
static void add_argument(struct text *to, const char *name, const char *value)
{
    text_add(to, "%s%s = %s", to->length ? ", " : "(", name, value);
}

const char *call_arguments(struct gen *g, const struct scope *s,
                           const struct block *block)
{
    static const char *const chains[] = { "tanh -> silu", "relu",
        "leaky_relu(0.3)", "identity * 0.5 -> tanh", "gelu", "sigmoid -> log",
        NULL };

    struct text text = { 0 };

    text_add(&text, "%s", block->arguments);
    if (block->graph) {
        mark(g, "graph as argument");
        add_argument(&text, block->graph, s->graph);
    }
    if (block->curve && chance(g, 60)) {
        mark(g, "chain as argument");
        add_argument(&text, block->curve, draw_of(&g->draw, chains));
    }
    if (text.length)
        text_add(&text, ")");
    return text.bytes;
}

void add_call(struct gen *g, struct scope *s, struct block *block)
{
    struct item *item = item_add(s->body, ITEM_CALL,
                                 call_arguments(g, s, block));

    mark(g, "block");
    if (s->block)
        mark(g, "block in block");
    item->block = block;
    item->shape = s->shape = block->out;
    item->weights = true;
    s->heat = 1.5;
    if (g->options.names && chance(g, 8)) {
        mark(g, "block as");
        item->as = new_name(g, "p");
    }
}

/* A block made before that fits, or NULL. */
static struct block *known_block(struct gen *g, const struct scope *s,
                                 bool sums)
{
    struct block *found = NULL;
    int fits = 0;

    for (struct block *b = g->blocks; b; b = b->next)
        if (shape_same(&b->in, &s->shape) && (!sums || b->sums)
            && (!b->graph || s->graph)
            && b->macs * s->times <= g->macs
            && b->params * s->times <= g->params && below(g, ++fits) == 0)
            found = b;
    return found;
}

static struct block *some_block(struct gen *g, const struct scope *s,
                                bool stream)
{
    struct block *block = chance(g, 60) ? known_block(g, s, stream) : NULL;

    if (block) {
        mark(g, "block called again");
        g->macs -= (double)block->macs * s->times;
        g->params -= (double)block->params * s->times;
        return block;
    }
    if (g->macs < 500 || g->params < 50)
        return NULL;
    return new_block(g, s, stream);
}

struct block *stream_block(struct gen *g, const struct scope *s)
{
    return some_block(g, s, true);
}

bool add_block(struct gen *g, struct scope *s)
{
    struct block *block = some_block(g, s, false);

    if (block)
        add_call(g, s, block);
    return block != NULL;
}

static void add_residual(struct gen *g, struct scope *s, struct branch branch,
                         bool stream)
{
    struct item *item = item_add(s->body, ITEM_GROUP, "");
    struct scope inner = *s;

    item->body = inner.body = draw_memory(sizeof *inner.body);
    inner.depth++;
    inner.stream = false;
    inner.values = inner.values > 5 ? 5 : inner.values;
    make_residual(g, &inner, &branch, stream);
    item->shape = s->shape = inner.shape;
    item->weights = true;
    s->heat = 1.5;
}

bool add_group(struct gen *g, struct scope *s)
{
    mark(g, "group");
    add_residual(g, s, (struct branch) { .shortcut = a_shortcut(g, s) }, false);
    return true;
}

void add_stream_group(struct gen *g, struct scope *s)
{
    mark(g, "group in stream");
    add_residual(g, s, (struct branch) { .shortcut = IDENTITY }, true);
}
