/* same.c: are two iterations of a repeat the same?  They are one loop when
 * they differ in nothing but numbers: those in their parameters' names, whose
 * steps are learned here, and those that their operators take, which are
 * marked as varying and read from a table (numbers.c).  Calls of functions
 * that differ likewise are calls of the first one's code; each keeps the
 * function that the user wrote, its instance, where the numbers stand. */
#include "check.h"

#include <string.h>

struct comparison {
    struct compilation *c;
    int depth;                  /* of the repeat; WITHIN: in functions, where
                                   names are equal */
    int64_t nth;                /* iteration after the first */
    bool commit;                /* learns the steps of names */
};
enum { WITHIN = -1 };

/* A function that an instance is like, but for numbers. */
struct alike { const struct function *code; bool marked; struct alike *next; };

/* ---- is the code the same? ---- */

static bool same_piece(const struct comparison *how, struct piece *a,
                       const struct piece *b)
{
    int64_t difference = b->first - a->first;

    if (strcmp(a->text, b->text) || a->indexed != b->indexed)
        return false;
    if (how->depth == WITHIN)
        return difference == 0
            && memcmp(a->step, b->step, sizeof a->step) == 0;
    if (how->commit)
        a->step[how->depth] = difference;
    return how->commit || how->nth == 1
        || difference == how->nth * a->step[how->depth];
}

static bool same_pieces(const struct comparison *how, struct piece *a,
                        const struct piece *b)
{
    for (; a && b; a = a->next, b = b->next)
        if (!same_piece(how, a, b))
            return false;
    return a == b;
}

/* A parameter from outside is the same in both. */
static bool same_use(const struct param *a, const struct param *b)
{
    return a == b || (a && b && b->match == a);
}

static bool same_param(const struct comparison *how, struct param *a,
                       struct param *b)
{
    b->match = a;
    return same_pieces(how, a->path, b->path)
        && strcmp(a->leaf, b->leaf) == 0 && a->pack == b->pack
        && a->groups == b->groups && shape_equal(&a->shape, &b->shape)
        && a->init == b->init && a->mean == b->mean && a->spread == b->spread
        && a->column == b->column && a->numbered == b->numbered;
}

static bool same_point(const struct point *a, const struct point *b)
{
    return strcmp(a->step, b->step) == 0 && a->by == b->by
        && a->has_number == b->has_number && a->key == b->key;
}

static bool same_region(const struct comparison *how, struct region *a,
                        struct region *b);
static bool alike(struct compilation *c, struct function *code,
                  struct function *instance);

/* A shared block of this iteration, or one from outside. */
static bool same_call(const struct comparison *how, struct node *a,
                      struct node *b)
{
    const struct shared_weights *own = a->call.weights;
    const struct shared_weights *other = b->call.weights;
    bool same = own ? other && (own == other || other->match == own)
              : !other && same_pieces(how, a->call.path, b->call.path);

    return same && (how->commit
                    || alike(how->c, a->call.callee, b->call.instance));
}

static bool same_weights(const struct comparison *how, struct shared_weights *a,
                         struct shared_weights *b)
{
    for (; a && b; a = a->next, b = b->next) {
        b->match = a;
        if (!same_pieces(how, a->path, b->path)
            || !(how->commit || alike(how->c, a->function, b->function)))
            return false;
    }
    return a == b;
}

static bool same_details(const struct comparison *how, struct node *a,
                         struct node *b)
{
    int traits = op_row(a->op)->traits;

    if (traits & CONVOLVES)
        return memcmp(&a->conv, &b->conv, sizeof a->conv) == 0;
    if (traits & POOLS)
        return memcmp(&a->pool, &b->pool, sizeof a->pool) == 0;
    switch (a->op) {
    case OP_POINT:
        return same_point(&a->point, &b->point);
    case OP_NORM:
    case OP_BATCH_NORM:
        return a->norm.kind == b->norm.kind && a->norm.groups == b->norm.groups
            && a->norm.epsilon == b->norm.epsilon;
    case OP_CALL:
        return same_call(how, a, b);
    case OP_LOOP:
        return a->loop.count == b->loop.count
            && a->loop.recompute == b->loop.recompute
            && !a->loop.inverse == !b->loop.inverse
            && same_region(how, a->loop.body, b->loop.body);
    default:
        return memcmp(&a->set, &b->set, sizeof a->set) == 0;
    }
}

static bool same_node(const struct comparison *how, struct node *a,
                      struct node *b)
{
    if (a->op != b->op || a->ins != b->ins || a->outs != b->outs)
        return false;
    for (int i = 0; i < a->ins; i++)
        if (b->in[i]->match != a->in[i])
            return false;
    for (int i = 0; i < NODE_PARAMS; i++)
        if (!same_use(a->param[i], b->param[i]))
            return false;
    for (int i = 0; i < a->outs; i++) {
        b->out[i]->match = a->out[i];
        if (!shape_equal(&a->out[i]->shape, &b->out[i]->shape))
            return false;
    }
    return same_details(how, a, b);
}

/* What enters: the shapes, and from outside the same values. */
static bool same_inputs(struct region *a, struct region *b)
{
    if (a->input_count != b->input_count)
        return false;
    for (int i = 0; i < a->input_count; i++) {
        b->inputs[i]->match = a->inputs[i];
        if (!shape_equal(&a->inputs[i]->shape, &b->inputs[i]->shape))
            return false;
        if (i > 0 && a->captured[i] != b->captured[i]
            && b->captured[i]->match != a->captured[i])
            return false;
    }
    return true;
}

static bool same_region(const struct comparison *how, struct region *a,
                        struct region *b)
{
    struct param *p = a->params, *q = b->params;
    struct node *m = a->nodes.first, *n = b->nodes.first;

    if (a->keys != b->keys || !same_inputs(a, b))
        return false;
    for (; p && q; p = p->next, q = q->next)
        if (!same_param(how, p, q))
            return false;
    if (!same_weights(how, a->weights, b->weights))
        return false;
    for (; m && n; m = m->next, n = n->next)
        if (!same_node(how, m, n))
            return false;
    return p == q && m == n && a->outputs[0] == b->outputs[0]->match;
}

static struct alike *known_alike(const struct function *code,
                                 const struct function *instance)
{
    struct alike *known = instance->alike;

    while (known && known->code != code)
        known = known->next;
    return known;
}

/* Remembered: a function may be called twice by each of two that are compared,
 * and so on inwards. */
static bool alike(struct compilation *c, struct function *code,
                  struct function *instance)
{
    struct comparison within = { .c = c, .depth = WITHIN };

    if (code == instance || known_alike(code, instance))
        return true;
    if (code->decl != instance->decl
        || !same_region(&within, code->body, instance->body))
        return false;
    struct alike *known = NEW(c->arena, struct alike);
    *known = (struct alike) { code, false, instance->alike };
    instance->alike = known;
    return true;
}

/* ---- which numbers vary? ---- */

static bool mark_region(struct region *code, const struct region *instance);

static void mark_function(struct function *code,
                          const struct function *instance)
{
    struct alike *known = known_alike(code, instance);

    if (!known || known->marked)
        return;
    known->marked = true;
    mark_region(code->body, instance->body);
}

static bool mark_loop(struct node *code, const struct node *instance)
{
    bool differ = mark_region(code->loop.body, instance->loop.body);

    for (int64_t i = 1; instance->loop.varies && i < instance->loop.count; i++)
        mark_region(code->loop.body, loop_iteration(instance, i));
    code->loop.varies |= instance->loop.varies;
    return differ || instance->loop.varies;
}

static bool mark_node(struct node *code, const struct node *instance)
{
    bool differ;

    switch (code->op) {
    case OP_POINT:
        differ = code->point.number != instance->point.number;
        code->point.varies |= differ;
        return differ;
    case OP_CALL:
        mark_function(code->call.callee, instance->call.instance);
        return code->call.instance != instance->call.instance;
    case OP_LOOP:
        return mark_loop(code, instance);
    default:
        return false;
    }
}

/* Marks the numbers of `code` that differ from the instance's; true when the
 * instance is another set of numbers. */
static bool mark_region(struct region *code, const struct region *instance)
{
    struct node *m = code->nodes.first;
    bool differ = false;

    for (const struct node *n = instance->nodes.first; n; n = n->next) {
        differ |= mark_node(m, n);
        m = m->next;
    }
    return differ;
}

/* ---- code that nothing calls any more ---- */

static void release(struct network *network, const struct region *region)
{
    for (struct node *n = region->nodes.first; n; n = n->next) {
        if (n->op == OP_LOOP)
            release(network, n->loop.body);
        if (n->op != OP_CALL || --n->call.callee->uses)
            continue;
        remove_function(network, n->call.callee);
        release(network, n->call.callee->body);
    }
}

bool join_iteration(struct compilation *c, struct region *first,
                    struct region *nth, int depth, int64_t count,
                    bool *varies)
{
    struct comparison how = { .c = c, .depth = depth, .nth = count };

    if (!same_region(&how, first, nth))
        return false;
    how.commit = true;
    if (count == 1)
        same_region(&how, first, nth);
    *varies |= mark_region(first, nth);
    release(c->network, nth);
    return true;
}
