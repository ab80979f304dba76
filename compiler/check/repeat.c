/* repeat.c: repeats.  Each iteration is elaborated into a region of its own;
 * a run of iterations that differ in nothing but the numbers in their
 * parameters' names becomes one LOOP, whatever its length. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

struct run {                    /* equal iterations, so far */
    struct region *region;      /* of the first */
    int64_t count;
    struct value *x;            /* what enters the first */
    bool recompute;             /* by `checkpoint` */
};

/* ---- are two iterations the same? ---- */

static bool same_pieces(struct piece *a, const struct piece *b, int depth,
                        int64_t nth, bool commit)
{
    for (; a && b; a = a->next, b = b->next) {
        int64_t difference = b->first - a->first;
        if (strcmp(a->text, b->text) || a->indexed != b->indexed)
            return false;
        if (commit)
            a->step[depth] = difference;
        else if (nth > 1 && difference != nth * a->step[depth])
            return false;
    }
    return a == b;
}

static bool same_param(struct param *a, struct param *b, int depth,
                       int64_t nth, bool commit)
{
    b->match = a;
    return same_pieces(a->path, b->path, depth, nth, commit)
        && strcmp(a->leaf, b->leaf) == 0 && a->pack == b->pack
        && a->groups == b->groups && shape_equal(&a->shape, &b->shape)
        && a->init == b->init && a->mean == b->mean && a->spread == b->spread
        && a->column == b->column && a->numbered == b->numbered;
}

static bool same_point(const struct point *a, const struct point *b)
{
    return strcmp(a->step, b->step) == 0 && a->by == b->by
        && a->number == b->number && a->key == b->key;
}

static bool same_region(struct region *a, struct region *b, int depth,
                        int64_t nth, bool commit);

static bool same_details(struct node *a, struct node *b, int depth,
                         int64_t nth, bool commit)
{
    switch (a->op) {
    case OP_POINT:
        return same_point(&a->point, &b->point);
    case OP_CONV:
        return memcmp(&a->conv, &b->conv, sizeof a->conv) == 0;
    case OP_POOL:
        return memcmp(&a->pool, &b->pool, sizeof a->pool) == 0;
    case OP_NORM:
    case OP_BATCH_NORM:
        return a->norm.kind == b->norm.kind && a->norm.groups == b->norm.groups
            && a->norm.epsilon == b->norm.epsilon;
    case OP_CALL:
        return a->call.callee == b->call.callee
            && same_pieces(a->call.path, b->call.path, depth, nth, commit);
    case OP_LOOP:
        return a->loop.count == b->loop.count
            && a->loop.recompute == b->loop.recompute
            && same_region(a->loop.body, b->loop.body, depth, nth, commit);
    default:
        return memcmp(&a->set, &b->set, sizeof a->set) == 0;
    }
}

static bool same_node(struct node *a, struct node *b, int depth, int64_t nth,
                      bool commit)
{
    if (a->op != b->op || a->ins != b->ins || a->outs != b->outs)
        return false;
    for (int i = 0; i < a->ins; i++)
        if (b->in[i]->match != a->in[i])
            return false;
    for (int i = 0; i < NODE_PARAMS; i++)
        if (!a->param[i] != !b->param[i]
            || (a->param[i] && b->param[i]->match != a->param[i]))
            return false;
    for (int i = 0; i < a->outs; i++) {
        b->out[i]->match = a->out[i];
        if (!shape_equal(&a->out[i]->shape, &b->out[i]->shape))
            return false;
    }
    return same_details(a, b, depth, nth, commit);
}

static bool same_region(struct region *a, struct region *b, int depth,
                        int64_t nth, bool commit)
{
    struct param *p = a->params, *q = b->params;
    struct node *m = a->nodes.first, *n = b->nodes.first;

    if (a->input_count != b->input_count || a->keys != b->keys)
        return false;
    for (int i = 0; i < a->input_count; i++) {
        void *outer = i == 0 || !b->captured[i] ? NULL : b->captured[i]->match;
        b->inputs[i]->match = a->inputs[i];
        if (!shape_equal(&a->inputs[i]->shape, &b->inputs[i]->shape)
            || (i > 0 && a->captured[i] != b->captured[i]
                && outer != a->captured[i]))
            return false;
    }
    for (; p && q; p = p->next, q = q->next)
        if (!same_param(p, q, depth, nth, commit))
            return false;
    for (; m && n; m = m->next, n = n->next)
        if (!same_node(m, n, depth, nth, commit))
            return false;
    return p == q && m == n && a->outputs[0] == b->outputs[0]->match;
}

/* The nth iteration of the run: learns the steps of names at the second. */
static bool joins(struct run *run, struct region *region, int depth)
{
    if (!run->region
        || !same_region(run->region, region, depth, run->count, false))
        return false;
    if (run->count == 1)
        same_region(run->region, region, depth, 1, true);
    return true;
}

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

static void move_names_out(struct region *region, int depth, const void *by)
{
    for (struct param *p = region->params; p; p = p->next)
        for (struct piece *piece = p->path; piece; piece = piece->next)
            move_out(piece, depth, by);
    for (struct node *n = region->nodes.first; n; n = n->next)
        if (n->op == OP_CALL) {
            for (struct piece *p = n->call.path; p; p = p->next)
                move_out(p, depth, by);
        } else if (n->op == OP_LOOP) {
            move_names_out(n->loop.body, depth, by);
        }
}

static struct value *close_run(struct body *body, struct ast *ast,
                               struct run *run)
{
    struct span span = ast->span;
    struct region *region = run->region;
    struct value *out = region->outputs[0];

    if (run->count == 1 && ast->kind == AST_REPEAT)
        move_names_out(region, body->loops, run->region);
    if (run->count == 1 && !run->recompute)
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
    node->loop.recompute = run->recompute;
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

static struct region *iterate(struct body *body, struct ast *ast,
                              struct value *x, int64_t index)
{
    struct compilation *c = body->check->c;
    struct body sub = *body;

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

static bool too_many(struct body *body, struct span span)
{
    if (body->check->c->network->node_count <= LIMIT_NODES)
        return false;
    fail(body, span, "the network is above the limit of %d operations",
         LIMIT_NODES);
    return true;
}

/* After an error before it, for its names alone. */
static void read_repeat(struct body *body, struct ast *ast)
{
    struct body sub = *body;

    if (ast->name)
        env_add(&sub, ast->name, (struct thing) { .kind = THING_BAD },
                ast->name_span);
    sub.loops++;
    sub.bad = true;
    sub.current = NULL;
    eval_value(&sub, ast->b, NULL);
    body->bad = true;
}

struct value *run_repeat(struct body *body, struct ast *ast, struct value *x,
                         bool recompute)
{
    struct run run = { .recompute = recompute };
    int64_t count;

    if (!read_count(body, ast, &count) || !x)
        return read_repeat(body, ast), NULL;
    if (!need_real(body, x, ast->span, ast->kind == AST_REPEAT ? "'repeat'"
                   : "'checkpoint'"))
        return NULL;
    if (body->loops == LIMIT_NEST_REPEAT && ast->kind == AST_REPEAT) {
        fail(body, ast->span, "repeats are nested above the limit of %d",
             LIMIT_NEST_REPEAT);
        return NULL;
    }
    for (int64_t i = 0; i < count; i++) {
        struct counter *before = copy_counters(body->check->c,
                                               body->scope->counters);
        struct value *in = run.region ? run.region->outputs[0] : x;
        in = run.region ? in : as_layout(body, together(body, x),
                                         natural_layout(&x->shape));
        struct region *region = too_many(body, ast->span) ? NULL
                              : iterate(body, ast, in, i);
        if (!region)
            return NULL;
        if (joins(&run, region, body->loops)) {
            run.count++;
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
        run = (struct run) { region, 1, x, run.recompute };
    }
    return run.region ? close_run(body, ast, &run) : x;
}
