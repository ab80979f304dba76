/* body.c: what the items of a block mean together: y = then(shortcut(x) +
 * scale drop(norm(branch(norm(x))))).  shortcuts.c has the sum. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

/* A block's properties, each at most once. */
struct properties {
    struct ast *shortcut, *norm, *before, *after, *scale, *drop, *then, *init;
    int first_value;            /* those of the block have this id or more */
};

static void take(struct body *body, struct ast **slot, struct ast *item,
                 const char *what)
{
    if (*slot) {
        fail(body, item->span, "%s is given twice", what);
        fail_note(body, (*slot)->span, "the first is here");
        return;
    }
    *slot = item;
}

static bool around_weights(const struct ast *norm)
{
    return norm->weights;
}

static void take_norm(struct body *body, struct properties *p,
                      struct ast *item)
{
    if (around_weights(item) && item->place == PLACE_AROUND)
        fail(body, item->span, "a norm stands before or after weights: write "
             "one of each");
    else if (!around_weights(item))
        take(body, &p->norm, item, "a norm of the whole block");
    else if (item->place == PLACE_BEFORE)
        take(body, &p->before, item, "a norm before weights");
    else
        take(body, &p->after, item, "a norm after weights");
}

static void take_property(struct body *body, struct properties *p,
                          struct ast *item)
{
    switch (item->kind) {
    case AST_SHORTCUT: take(body, &p->shortcut, item, "'shortcut'"); break;
    case AST_NORM:     take_norm(body, p, item); break;
    case AST_SCALE:    take(body, &p->scale, item, "'scale'"); break;
    case AST_DROP:     take(body, &p->drop, item, "'drop'"); break;
    case AST_THEN:     take(body, &p->then, item, "'then'"); break;
    default:           take(body, &p->init, item, "'init'"); break;
    }
}

/* The items an `if` stands for; both branches are read for their names where
 * the condition is not known. */
struct ast *chosen(struct body *body, struct ast *item)
{
    struct number number;

    if (!number_of(body, item->a, &number))
        return NULL;
    return number_real(number) != 0 ? item->b->list : ast_otherwise(item);
}

/* `shortcut way`: what the parameter `way` stands for, if that is a word of
 * the property and not a layer or block; only shortcuts and `then` know
 * these. */
static struct ast *word_behind(struct body *body, struct ast *ast,
                               bool layers)
{
    const struct env *env = ast->kind == AST_NAME
        ? env_find(body->env, ast->name) : NULL;
    struct ast *word = env && env->thing.kind == THING_CHAIN && !env->thing.env
        ? env->thing.ast : NULL;

    return !word || !word->name
        || (layers && (is_layer(word->name)
                       || decl_find(body->check, word->name))) ? ast : word;
}

/* The property, its word or the first of its chain in place of a parameter. */
static struct ast *spelled(struct body *body, struct ast *item)
{
    struct arena *arena = body->check->c->arena;
    struct ast *old = item->a->kind == AST_FLOW ? item->a->list : item->a;
    struct ast *word = word_behind(body, old, item->kind == AST_SHORTCUT
                                   || item->kind == AST_THEN), *flow;

    if (word == old)
        return item;
    word = ast_copy(arena, word);
    word->next = old->next;
    item = ast_copy(arena, item);
    if (item->a->kind == AST_FLOW) {
        flow = ast_copy(arena, item->a);
        flow->list = word;
        item->a = flow;
    } else {
        item->a = word;
    }
    return item;
}

/* A parameter that is not known, in a block that is read for its names. */
static bool unknown_word(struct body *body, const struct ast *item)
{
    const struct ast *word = item->a->kind == AST_FLOW ? item->a->list
                                                       : item->a;
    const struct env *env = word->kind == AST_NAME
        ? env_find(body->env, word->name) : NULL;

    return env && env->thing.kind == THING_BAD;
}

/* Finds the properties, wherever they stand.  Numbers that are named on the
 * way count for the conditions below them. */
static void collect(struct body *body, struct ast *items,
                    struct properties *p)
{
    for (struct ast *i = items; i; i = i->next) {
        switch (i->kind) {
        case AST_ASSIGN:
            if (is_number(body, i->a))
                env_add(body, i->name, number_value(body, i->a), i->name_span);
            break;
        case AST_SHORTCUT:
        case AST_NORM:
        case AST_SCALE:
        case AST_DROP:
        case AST_THEN:
        case AST_INIT:
            if (unknown_word(body, i))
                body->bad = true;
            else
                take_property(body, p, spelled(body, i));
            break;
        case AST_IF:
            /* an `else if` stands alone: its `next` is NULL.  A condition
             * that is no number is reported where it is run. */
            if (is_number(body, i->a))
                collect(body, chosen(body, i), p);
            break;
        default: break;
        }
    }
}

/* ---- words ---- */

const char *word_of(const struct ast *ast)
{
    return ast && (ast->kind == AST_NAME || ast->kind == AST_CALL) ? ast->name
                                                                  : NULL;
}

bool word_is(const struct ast *ast, const char *word)
{
    return word_of(ast) && strcmp(word_of(ast), word) == 0;
}

/* "; did you mean 'x'?", or "" */
const char *did_you_mean(struct body *body, const struct ast *ast,
                         const char *const *words, size_t count)
{
    const char *near = word_of(ast) ? diag_nearest(ast->name, words, count)
                                    : NULL;
    return near ? arena_format(body->check->c->arena, "; did you mean '%s'?",
                               near) : "";
}

/* ---- norms as properties ---- */

static struct ast *norm_kind(struct ast *norm)
{
    return norm->a->kind == AST_FLOW ? norm->a->list : norm->a;
}

static bool is_batch(struct ast *norm)
{
    return norm && norm_kind(norm)->name
        && strcmp(norm_kind(norm)->name, "batch") == 0;
}

/* `norm layer`, `norm group(8)`, `norm batch -> relu before weights`. */
struct value *apply_norm(struct body *body, struct ast *norm, struct value *x)
{
    static const char *const kinds[] = { "layer", "batch", "rms", "group",
                                         "instance" };
    struct ast *kind = norm_kind(norm), call = *kind;
    size_t count = sizeof kinds / sizeof kinds[0], i = 0;

    while (i < count && (!kind->name || strcmp(kinds[i], kind->name)))
        i++;
    if (i == count) {
        fail(body, kind->span, "a norm is layer, batch, rms, group(n) or "
             "instance%s", did_you_mean(body, kind, kinds, count));
        return NULL;
    }
    call.name = intern_text(body->check->c->names,
                            arena_format(body->check->c->arena, "%snorm",
                                         kinds[i]));
    x = apply_layer(body, layer_find(call.name), &call, x, false);
    if (norm->a->kind == AST_FLOW)
        for (struct ast *link = kind->next; link; link = link->next) {
            x = eval_value(body, link, x);
            body->bad |= !x;
        }
    return x;
}

/* ---- scale and drop ---- */

static bool one_number(struct body *body, struct ast *call,
                       struct number *number)
{
    if (call->kind == AST_CALL && call->list && !call->list->next)
        return number_of(body, call->list->a, number);
    fail(body, call->span, "'%s' takes one number: %s", call->name,
         word_is(call, "sample") ? "the probability to drop a sample's branch"
         : word_is(call, "batch") ? "the probability to drop the branch"
         : "what it starts from, as in 'scale learned(0)'");
    return false;
}

/* Neither `learned` nor `channel`: a number, or a mistake. */
static bool scale_word(struct body *body, struct ast *ast)
{
    static const char *const words[] = { "learned", "channel" };

    if (is_number(body, ast) || ast->kind != AST_CALL)
        return true;
    fail(body, ast->span, "a scale is a number, learned(v) or channel(v)%s",
         did_you_mean(body, ast, words, 2));
    return false;
}

static struct value *apply_scale(struct body *body, struct ast *item,
                                 struct value *x)
{
    double value;
    bool learned = word_is(item->a, "learned");
    struct number number;

    if (!learned && !word_is(item->a, "channel")) {
        if (!scale_word(body, item->a) || !number_of(body, item->a, &number))
            return NULL;
        return build_number(body, "MUL", x, number_real(number), "scaled",
                            item->span);
    }
    if (!one_number(body, item->a, &number))
        return NULL;
    value = number_real(number);
    if (!fit_float(body, item->a->span, &value))
        return NULL;
    if (value == 0)
        warn_dead_branch(body, item->span, x);
    struct param *scale = vector_param(body, property_path(body, "scale"), "",
                                       learned ? 1 : x->features, value);
    return build_param_point(body, "MUL", x, learned ? BY_SCALAR : BY_FEATURE,
                             scale, "scaled", item->span);
}

/* Whether the shortcut is added to the branch. */
static bool is_added(const struct ast *shortcut)
{
    return shortcut && !word_is(shortcut->a, "none")
        && !word_is(shortcut->a, "gated") && !word_is(shortcut->a, "dense");
}

static bool drop_word(struct body *body, const struct properties *p)
{
    static const char *const words[] = { "sample", "batch" };
    struct ast *word = p->drop->a;

    if (!word_is(word, "sample") && !word_is(word, "batch")) {
        fail(body, word->span, "a drop is sample(p) or batch(p)%s",
             did_you_mean(body, word, words, 2));
        return false;
    }
    if (word_is(word, "sample") || is_added(p->shortcut))
        return true;
    fail(body, p->drop->span, body->of_stream
         ? "'drop batch' leaves out the branch of a sum, and a stream has none: "
           "write 'drop sample(p)'"
         : "'drop batch' leaves out the branch of a sum: the shortcut is "
           "identity, a projection or a chain; 'drop sample(p)' takes any");
    return false;
}

/* Huang et al. 2016.  Of the whole batch: branch.c. */
static struct value *apply_drop(struct body *body, const struct properties *p,
                                struct value *x)
{
    bool batch = word_is(p->drop->a, "batch");
    struct number chance;

    if (!drop_word(body, p) || !one_number(body, p->drop->a, &chance))
        return NULL;
    if (number_real(chance) < 0 || number_real(chance) >= 1) {
        fail(body, p->drop->a->span, "the probability is %g; it must be at "
             "least 0 and less than 1", number_real(chance));
        return NULL;
    }
    struct value *y = build_point(body, batch ? "DROP_BATCH" : "DROP_SAMPLE",
                                  x, "dropped", p->drop->span);
    struct node *node = y->producer;
    node->point.number = number_real(chance);
    node->point.has_number = true;
    node->point.key = body->region->keys++;
    node->training_only = !batch;
    node->set.n[0] = p->first_value;
    return y;
}

/* ---- inputs of blocks ---- */

static void bind_axis(struct body *body, struct ast *dim, int64_t axis)
{
    struct number number;

    if (dim->kind == AST_NAME && !env_find(body->env, dim->name)) {
        env_add(body, dim->name, number_thing(integer_number(axis)),
                dim->span);
        return;
    }
    if (!number_of(body, dim, &number))
        return;
    if (!number.is_integer || number.integer != axis)
        fail(body, dim->span, "this axis is %s here, the value has %" PRId64,
             number_text(body->check->c, number), axis);
}

/* After an error: the names are known, what they stand for is not. */
static void bind_nothing(struct body *body, struct ast *item)
{
    struct thing nothing = { .kind = THING_BAD };

    body->bad = true;
    for (struct ast *d = item->list; d; d = d->next)
        if (d->kind == AST_NAME && !env_find(body->env, d->name))
            env_add(body, d->name, nothing, d->span);
    env_add(body, item->name, nothing, item->name_span);
}

static void block_input(struct body *body, struct ast *item)
{
    struct value *x = body->current;
    int dims = 0, dots = 0, i = 0;

    if (!x) {
        bind_nothing(body, item);
        return;
    }
    for (struct ast *d = item->list; d; d = d->next)
        if (d->kind == AST_DOTS)
            dots++;
        else
            dims++;
    if (dots > 1 || (dots ? dims > x->shape.rank : dims != x->shape.rank)) {
        if (dots > 1)
            fail(body, item->span, "'..' stands once at most");
        else
            fail(body, item->span, "'%s' has %s%d axes here, the value is %s",
                 item->name, dots ? "at least " : "", dims,
                 shape_text(body->check->c, &x->shape));
        fail_note(body, x->span, "%s comes from here",
                  shape_text(body->check->c, &x->shape));
        bind_nothing(body, item);
        return;
    }
    for (struct ast *d = item->list; d; d = d->next)
        if (d->kind == AST_DOTS)
            i = x->shape.rank - dims + i;
        else
            bind_axis(body, d, x->shape.axis[i++]);
    env_add(body, item->name, value_thing(x), item->name_span);
}

/* ---- the items in order ---- */

static void run_line(struct body *body, struct ast *item)
{
    struct thing thing = eval(body, item->a, body->current, true);

    if (thing.kind == THING_NUMBER)
        fail(body, item->span, "a layer, a block or a value is expected here, "
             "this is a number");
    body->current = thing.kind == THING_VALUE ? thing.value : NULL;
    body->bad |= !body->current;
}

static void run_unsupported(struct body *body, struct ast *item,
                            const char *what)
{
    fail(body, item->span, "%s is not supported yet", what);
    env_add(body, item->name, (struct thing) { .kind = THING_BAD },
            item->name_span);
}

static void run_if(struct body *body, struct ast *item);

static void run_port(struct body *body, struct ast *item)
{
    const char *word = item->kind == AST_INPUT ? "input"
                     : item->kind == AST_OUTPUT ? "output" : "loss";

    bool inner = body->in_repeat || body->stream || body->of_stream;

    if (body->is_network && !inner)
        network_item(body, item);
    else if (inner && (body->is_network || item->kind != AST_INPUT))
        fail(body, item->span, "'%s' belongs in the network's own column, not "
             "in a %s", word, body->in_repeat ? "repeat" : "stream");
    else if (item->kind != AST_INPUT)
        fail(body, item->span, "'%s' belongs in a network, not in a block",
             word);
}

static void run_assign(struct body *body, struct ast *item)
{
    if (is_number(body, item->a)) {
        env_add(body, item->name, number_value(body, item->a),
                item->name_span);
        return;
    }
    if (body->stream && body->current)
        fail(body, item->span, "directly in a stream there is no value for a "
             "side line to start from: it belongs before the stream, or in a "
             "block");
    struct value *value = body->stream || is_unknown(body, item->a) ? NULL
        : eval_value(body, item->a, body->current);
    if (value)
        value = localize(body, value);
    env_add(body, item->name, value_thing(value), item->name_span);
}

static void run_item(struct body *body, struct ast *item);

static void run_items(struct body *body, struct ast *items)
{
    for (struct ast *i = items; i; i = i->next)
        run_item(body, i);
}

static void run_item(struct body *body, struct ast *item)
{
    switch (item->kind) {
    case AST_LINE:
        run_line(body, item);
        break;
    case AST_ASSIGN:
        run_assign(body, item);
        break;
    case AST_IF:
        run_if(body, item);
        break;
    case AST_INPUT:
    case AST_OUTPUT:
    case AST_LOSS:
        run_port(body, item);
        break;
    case AST_SHARED:
        run_shared(body, item);
        break;
    case AST_PLUS_ASSIGN:
        run_unsupported(body, item, "'+='");
        break;
    default:                    /* properties */
        break;
    }
}

/* Where the condition is not known, both branches are read for their names. */
static void run_if(struct body *body, struct ast *item)
{
    struct number number;

    if (number_of(body, item->a, &number)) {
        run_items(body, chosen(body, item));
        return;
    }
    body->current = NULL;
    run_items(body, item->b->list);
    run_items(body, ast_otherwise(item));
    body->current = NULL;
}

int count_inputs(struct body *body, struct ast *items)
{
    int count = 0;

    for (struct ast *i = items; i; i = i->next)
        if (i->kind == AST_INPUT)
            count += !is_graph(i);
        else if (i->kind == AST_IF && is_number(body, i->a))
            count += count_inputs(body, chosen(body, i));
    return count;
}

static void bind_inputs(struct body *body, struct ast *items)
{
    for (struct ast *i = items; i; i = i->next)
        if (i->kind == AST_INPUT)
            block_input(body, i);
}

/* Sums that deep stacks or batch norms make bad. */
static void note_sum(struct body *body, const struct properties *p,
                     struct value *x, struct value *y)
{
    struct ast *word = p->shortcut->a;
    bool after = p->norm && p->norm->place == PLACE_AFTER;
    bool same = x && shape_equal(&x->shape, &y->shape);
    struct number number;

    if (after && is_added(p->shortcut) && is_batch(p->norm))
        warn_norm_after(body, p->norm);
    if (p->norm && p->norm->place == PLACE_BEFORE && word_is(word, "identity")
        && !p->then)
        note_pitfall(body, PITFALL_PRENORM, p->norm->span, y, 0);
    if (!same || after || !is_added(p->shortcut))
        return;
    if (is_number(body, word) && number_of(body, word, &number))
        note_pitfall(body, PITFALL_SCALED, p->shortcut->span, y,
                     number_real(number));
    else if (word_is(word, "projection") && word->list
             && word_is(word->list->a, "always"))
        note_pitfall(body, PITFALL_PROJECTED, p->shortcut->span, y, 0);
}

static struct value *finish(struct body *body, const struct properties *p,
                            struct value *x, struct value *branch,
                            const struct gate *gate)
{
    struct value *y = branch;

    if (p->norm && p->norm->place == PLACE_AROUND && y)
        y = apply_norm(body, p->norm, y);
    if (p->scale && y)
        y = apply_scale(body, p->scale, y);
    if (p->drop && y)
        y = apply_drop(body, p, y);
    if (y)
        y = join_shortcut(body, p->shortcut, x, y, gate, p->after);
    body->bad |= !y;
    if (y && p->shortcut)
        note_sum(body, p, x, y);
    if (p->norm && p->norm->place == PLACE_AFTER)
        y = apply_norm(body, p->norm, y);
    if (p->then)
        y = eval_value(body, p->then->a, y);
    return y;
}

/* ---- blocks directly in a stream, and its own group ---- */

void needs_shortcut(struct body *body, struct span span)
{
    fail(body, span, "this has no shortcut: what stands directly in a stream "
         "says 'shortcut identity', which is the stream's way");
}

/* The stream adds in place of the block's shortcut. */
static void leave_to_stream(struct body *body, struct properties *p)
{
    if (!p->shortcut)
        needs_shortcut(body, body->of_stream->span);
    else if (!word_is(p->shortcut->a, "identity"))
        fail(body, p->shortcut->span, "directly in a stream the shortcut is "
             "the stream's: write 'shortcut identity'");
    if (p->norm && p->norm->place == PLACE_AFTER)
        fail(body, p->norm->span, "a stream has no sum to normalise: the norm "
             "of a block stands before or around");
    if (p->then)
        fail(body, p->then->span, "a stream has no sum to apply 'then' to");
    p->shortcut = NULL;
}

static void no_property(struct body *body, const struct ast *item)
{
    if (item)
        fail(body, item->span, "this belongs in the blocks of the stream: a "
             "stream has no property of its own");
}

static void stream_group(struct body *body, const struct properties *p)
{
    no_property(body, p->norm);
    no_property(body, p->before);
    no_property(body, p->after);
    no_property(body, p->scale);
    no_property(body, p->drop);
    no_property(body, p->then);
}

static void keeps_shape(struct body *body, const struct ast *shortcut,
                        const struct value *x)
{
    struct compilation *c = body->check->c;
    struct value *y = body->current;

    if (!x || !y || shape_equal(&x->shape, &y->shape))
        return;
    fail(body, shortcut->span, "a block of a stream keeps its shape: this one "
         "makes %s of %s", shape_text(c, &y->shape), shape_text(c, &x->shape));
    note_changes(body, y, x);
}

void run_body(struct body *body, struct ast *items)
{
    struct properties p = {
        .first_value = body->check->c->network->next_value
    };
    struct gate gate = { 0 };
    struct env *names;

    if (!body->is_network)
        bind_inputs(body, items);
    names = body->env;
    collect(body, items, &p);
    body->env = names;
    struct value *x = body->current;
    body->before = body->shared = NULL;
    if (p.init)
        read_init(body, p.init->a, &body->init);
    if (p.before)
        body->before_weights = p.before;
    if (p.after)
        body->after_weights = p.after;
    body->batch_weights |= is_batch(p.before) || is_batch(p.after);
    body->in_unit |= p.shortcut != NULL;
    struct ast *shortcut = p.shortcut;
    if (body->of_stream)
        leave_to_stream(body, &p);
    else if (body->stream)
        stream_group(body, &p);
    if (p.shortcut && word_is(p.shortcut->a, "gated"))
        begin_gate(body, p.shortcut, x, &gate);
    if (p.norm && p.norm->place != PLACE_AFTER)
        body->current = apply_norm(body, p.norm, x);
    if (x && !body->current)
        body->bad = true;
    run_items(body, items);
    if (p.shortcut || p.norm || p.scale || p.drop || p.then)
        body->current = finish(body, &p, x, body->current, &gate);
    if (body->of_stream && shortcut)
        keeps_shape(body, shortcut, x);
    body->bad |= !body->current && !body->is_network;
}
