/* numbers.c: the numbers that vary with the index of a repeat.  Requires:
 * places (params.c).  Gives: network->numbers, which main's code reads.
 *
 * Code says which of its numbers vary and where they lie; its instance, the
 * function or iteration that the user wrote, says what they are.  Both have
 * the same operators in the same order and are walked side by side. */
#include "graph.h"

static double *collect(const struct region *code,
                       const struct region *instance, double *at);

static double *collect_own(const struct region *code,
                           const struct region *instance, double *at)
{
    const struct node *n = instance->nodes.first;

    for (const struct node *m = code->nodes.first; m; m = m->next) {
        if (m->op == OP_POINT && m->point.varies)
            *at++ = n->point.number;
        n = n->next;
    }
    return at;
}

static double *collect_loop(const struct node *code,
                            const struct node *instance, double *at)
{
    int64_t times = code->loop.varies ? code->loop.count : 1;

    for (int64_t i = 0; i < times; i++)
        at = collect(code->loop.body, loop_iteration(instance, i), at);
    return at;
}

/* In the order of params.c: a region's own, then those of what it calls. */
static double *collect(const struct region *code,
                       const struct region *instance, double *at)
{
    const struct node *n = instance->nodes.first;

    if (!code->numbers)
        return at;
    at = collect_own(code, instance, at);
    for (const struct node *m = code->nodes.first; m; m = m->next) {
        if (m->op == OP_CALL)
            at = collect(m->call.callee->body, n->call.instance->body, at);
        else if (m->op == OP_LOOP)
            at = collect_loop(m, n, at);
        n = n->next;
    }
    return at;
}

void collect_numbers(struct compilation *c)
{
    const struct region *main = c->network->main->body;

    c->network->numbers = arena_alloc(c->arena, sizeof(double)
                                      * (size_t)(main->numbers + 1));
    collect(main, main, c->network->numbers);
}
