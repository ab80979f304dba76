/* repeat.c: repeats.  Each iteration is elaborated into a region of its own;
 * a run of iterations that differ in nothing but numbers (same.c) becomes one
 * LOOP, whatever its length. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

struct run {                    /* equal iterations, so far */
    struct region *region;      /* of the first */
    int64_t count;
    struct value *x;            /* what enters the first */
    bool recompute;             /* by `checkpoint` */
    struct region *inverse;     /* of the first; see streams.c */
    bool varies;                /* they differ in their operators' numbers */
    struct region **iterations; size_t size;    /* all, where they may */
};

/* ---- a finished run becomes a loop, or, run once, part of the body ---- */

static struct value *replaced(struct region *from, struct region *to,
                              struct value *value, struct value *x)
{
    if (value == from->inputs[0])
        return x;
    for (int i = 1; i < from->input_count; i++)
        if (value == from->inputs[i])
            return from->captured[i];
    if (value->region == from)
        value->region = to;
    return value;
}

static void splice_params(struct region *from, struct region *to)
{
    for (struct param *p = from->params; p; p = p->next)
        p->region = to;
    if (from->params) {
        *to->params_end = from->params;
        to->params_end = from->params_end;
    }
}

static void splice_weights(struct region *from, struct region *to)
{
    struct shared_weights **end = &to->weights;

    for (struct shared_weights *i = from->weights; i; i = i->next)
        i->region = to;
    while (*end)
        end = &(*end)->next;
    *end = from->weights;
}

static void splice_captured(struct region *from, struct region *to,
                            struct region *loop, struct value *x)
{
    loop->parent = to;
    for (int i = 1; i < loop->input_count; i++)
        loop->captured[i] = replaced(from, to, loop->captured[i], x);
}

static struct value *splice(struct body *body, struct run *run)
{
    struct region *from = run->region, *to = body->region;
    struct node *next;

    for (struct node *node = from->nodes.first; node; node = next) {
        next = node->next;
        for (int i = 0; i < node->ins; i++)
            node->in[i] = replaced(from, to, node->in[i], run->x);
        for (int i = 0; i < node->outs; i++) {
            node->out[i]->region = to;
            if (node->out[i]->base)
                node->out[i]->base = replaced(from, to, node->out[i]->base,
                                              run->x);
        }
        if (node->op == OP_POINT)
            node->point.key += to->keys;
        if (node->op == OP_LOOP)
            splice_captured(from, to, node->loop.body, run->x);
        append_node(to, &to->nodes, node);
    }
    to->keys += from->keys;
    splice_params(from, to);
    splice_weights(from, to);
    return replaced(from, to, from->outputs[0], run->x);
}

/* Names below a repeat that turned out to be none: the repeats within it are
 * one level further out. */
static void move_out(struct piece *piece, int depth, const void *by)
{
    if (piece->moved == by)     /* parameters of one layer share their path */
        return;
    piece->moved = by;
    for (int i = depth; i + 1 < LIMIT_NEST_REPEAT; i++)
        piece->step[i] = piece->step[i + 1];
    piece->step[LIMIT_NEST_REPEAT - 1] = 0;
}

static void move_path_out(struct piece *path, int depth, const void *by)
{
    for (; path; path = path->next)
        move_out(path, depth, by);
}

static void move_names_out(struct region *region, int depth, const void *by)
{
    for (struct param *p = region->params; p; p = p->next)
        move_path_out(p->path, depth, by);
    for (struct shared_weights *i = region->weights; i; i = i->next)
        move_path_out(i->path, depth, by);
    for (struct node *n = region->nodes.first; n; n = n->next)
        if (n->op == OP_CALL)
            move_path_out(n->call.path, depth, by);
        else if (n->op == OP_LOOP)
            move_names_out(n->loop.body, depth, by);
}

static struct value *close_run(struct body *body, struct ast *ast,
                               struct run *run)
{
    struct span span = ast->span;
    struct region *region = run->region;
    struct value *out = region->outputs[0];

    if (run->count == 1 && ast->kind == AST_REPEAT)
        move_names_out(region, body->loops, run->region);
    if (run->count == 1 && !run->recompute && !run->inverse)
        return splice(body, run);
    if (region->input_count > NODE_INS) {
        fail(body, span, "a repeat may use at most %d values from outside",
             NODE_INS - 1);
        return NULL;
    }
    struct node *node = new_node(body->check->c, OP_LOOP, span);
    node_in(node, run->x);
    for (int i = 1; i < region->input_count; i++)
        node_in(node, together(body, region->captured[i]));
    append_node(body->region, &body->region->nodes, node);
    node->loop.body = region;
    node->loop.count = run->count;
    node->loop.recompute = run->recompute || run->inverse;
    node->loop.inverse = run->inverse;
    node->loop.varies = run->varies;
    node->loop.iterations = run->varies ? run->iterations : NULL;
    region->loop = node;
    return node_out(node, new_value(body->check->c, body->region, FORM_ROWS,
                                    out->layout, &out->shape, "x", span));
}

/* ---- elaborating ---- */

static bool read_count(struct body *body, struct ast *ast, int64_t *count)
{
    struct number number;

    *count = 1;
    if (ast->kind != AST_REPEAT)
        return true;
    if (!number_of(body, ast->a, &number))
        return false;
    *count = number.integer;
    if (!number.is_integer || *count < 0) {
        fail(body, ast->a->span, "a repeat count must be an integer of at "
             "least 0, it is %s", number_text(body->check->c, number));
        return false;
    }
    if (*count > LIMIT_REPEAT) {
        fail(body, ast->a->span, "%" PRId64 " iterations are above the limit "
             "of %d", *count, LIMIT_REPEAT);
        return false;
    }
    return true;
}

static void add_iteration(struct compilation *c, struct run *run,
                          struct region *region)
{
    GROW_IN(c->arena, run->iterations, run->size, (size_t)run->count);
    run->iterations[run->count++] = region;
}

/* Whether the region is one more iteration of the run.  Without an index all
 * iterations have the same numbers, those of repeats within them too. */
static bool joins(struct body *body, const struct ast *ast, struct run *run,
                  struct region *region)
{
    struct compilation *c = body->check->c;
    bool varies = false;

    if (!run->region || !join_iteration(c, run->region, region, body->loops,
                                        run->count, &varies))
        return false;
    run->varies |= varies && ast->name;
    add_iteration(c, run, region);
    return true;
}

static struct region *iterate(struct body *body, struct ast *ast,
                              struct value *x, int64_t index,
                              struct region **inverse)
{
    struct compilation *c = body->check->c;
    struct body sub = *body;

    stream_iteration(body);
    sub.region = new_region(c, body->region->function, body->region);
    sub.in_repeat = true;
    sub.loops += ast->kind == AST_REPEAT;
    struct value *in = new_value(c, sub.region, FORM_ROWS, x->layout,
                                 &x->shape, x->name, x->span);
    GROW_IN(c->arena, sub.region->captured, sub.region->captured_size, 0);
    sub.region->captured[0] = NULL;
    add_input(c, sub.region, in);
    if (ast->name)
        env_add(&sub, ast->name, number_thing(integer_number(index)),
                ast->name_span);
    sub.current = in;
    struct value *out = eval_value(&sub, ast->b, in);
    body->bad |= sub.bad;
    if (!out || !need_real(body, out, ast->b->span, "a repeat's result"))
        return NULL;
    add_output(c, sub.region, own_output(&sub, out));
    *inverse = stream_inverse(&sub, sub.region);
    return sub.region;
}

/* Counts as if the iteration since `before` had run `times` more. */
static void advance(struct counter *now, const struct counter *before,
                    int64_t times)
{
    for (; now; now = now->link)
        for (const struct counter *b = before; b; b = b->link)
            if (b->name == now->name)
                now->next += (now->next - b->next) * times;
}

static struct counter *copy_counters(struct compilation *c,
                                     const struct counter *counters)
{
    if (!counters)
        return NULL;
    struct counter *copy = NEW(c->arena, struct counter);
    *copy = *counters;
    copy->link = copy_counters(c, counters->link);
    return copy;
}

/* After an error before it, for its names alone. */
static void read_repeat(struct body *body, struct ast *ast)
{
    struct body sub = *body;

    if (ast->name)
        env_add(&sub, ast->name, (struct thing) { .kind = THING_BAD },
                ast->name_span);
    sub.in_repeat = true;
    sub.loops++;
    sub.bad = true;
    sub.current = NULL;
    eval_value(&sub, ast->b, NULL);
    body->bad = true;
}

/* How often to repeat; false after an error. */
static bool begin_repeat(struct body *body, struct ast *ast, struct value *x,
                         int64_t *count)
{
    if (!read_count(body, ast, count) || !x) {
        read_repeat(body, ast);
        return false;
    }
    if (!need_real(body, x, ast->span, ast->kind == AST_REPEAT ? "'repeat'"
                   : "'checkpoint'"))
        return false;
    if (body->loops < LIMIT_NEST_REPEAT || ast->kind != AST_REPEAT)
        return true;
    fail(body, ast->span, "repeats are nested above the limit of %d",
         LIMIT_NEST_REPEAT);
    return false;
}

/* No loop stands for an iteration that is written out: those within it, after
 * `last`, are one level further out. */
static void move_loops_out(struct body *body, const struct node *last)
{
    const void *by = NEW(body->check->c->arena, char);
    const struct node *n = last ? last->next : body->region->nodes.first;

    for (; n; n = n->next)
        if (n->op == OP_LOOP)
            move_names_out(n->loop.body, body->loops, by);
}

static struct value *unrolled(struct body *body, struct ast *ast,
                              struct value *x, int64_t index)
{
    const struct node *last = body->region->nodes.last;
    struct body sub = *body;

    sub.in_repeat = true;
    sub.loops++;
    if (ast->name)
        env_add(&sub, ast->name, number_thing(integer_number(index)),
                ast->name_span);
    sub.current = x;
    x = eval_value(&sub, ast->b, x);
    move_loops_out(body, last);
    body->bad |= sub.bad;
    return x && need_real(body, x, ast->b->span, "a repeat's result") ? x
                                                                      : NULL;
}

struct value *unroll_repeat(struct body *body, struct ast *ast,
                            struct value *x, after_iteration *after,
                            void *context)
{
    int64_t count;

    if (!begin_repeat(body, ast, x, &count))
        return NULL;
    for (int64_t i = 0; i < count && x; i++) {
        x = above_limits(body, ast->span) ? NULL : unrolled(body, ast, x, i);
        if (x && after)
            x = after(body, x, context);
    }
    return x;
}

struct value *run_repeat(struct body *body, struct ast *ast, struct value *x,
                         bool recompute)
{
    struct run run = { .recompute = recompute };
    int64_t count;

    if (body->stream && stream_unrolls(body->stream))
        return unroll_repeat(body, ast, x, NULL, NULL);
    if (!begin_repeat(body, ast, x, &count))
        return NULL;
    for (int64_t i = 0; i < count; i++) {
        struct counter *before = copy_counters(body->check->c,
                                               body->scope->counters);
        struct value *in = run.region ? run.region->outputs[0] : x;
        in = run.region ? in : as_layout(body, together(body, x),
                                         natural_layout(&x->shape));
        struct region *inverse = NULL;
        struct region *region = above_limits(body, ast->span) ? NULL
                              : iterate(body, ast, in, i, &inverse);
        if (!region)
            return NULL;
        if (joins(body, ast, &run, region)) {
            if (!ast->name) {
                advance(body->scope->counters, before, count - 1 - i);
                run.count += count - 1 - i;
                break;
            }
            continue;
        }
        if (run.region)
            x = close_run(body, ast, &run);
        if (!x)
            return NULL;
        x = as_layout(body, together(body, x), natural_layout(&x->shape));
        run = (struct run) { .region = region, .x = x, .inverse = inverse,
                             .recompute = run.recompute };
        add_iteration(body->check->c, &run, region);
    }
    return run.region ? close_run(body, ast, &run) : x;
}
