/* inferred.c: what inference runs, and what a loss follows from.  Requires: the
 * network.  Sets node->inferred on the nodes that an output, or the result of a
 * block that is run, follows from, and function->inferred; what serves a loss
 * alone is left out.  Sets function->trained of the blocks that serve one. */
#include "graph.h"

static void mark_region(struct region *region, bool *needed)
{
    for (int i = 0; i < region->output_count; i++)
        needed[region->outputs[i]->id] = true;
    for (struct node *n = region->nodes.last; n; n = n->previous) {
        n->inferred = n->op == OP_OUTPUT || n->op == OP_INPUT;
        for (int i = 0; i < n->outs; i++)
            n->inferred |= needed[n->out[i]->id];
        for (int i = 0; n->inferred && i < n->ins; i++)
            needed[n->in[i]->id] = true;
        if (n->inferred && n->op == OP_CALL)
            n->call.callee->inferred = true;
        if (n->inferred && n->op == OP_LOOP)
            mark_region(n->loop.body, needed);
    }
}

static void mark_losses(struct region *region, bool *needed)
{
    for (int i = 0; i < region->output_count; i++)
        needed[region->outputs[i]->id] = true;
    for (struct node *n = region->nodes.last; n; n = n->previous) {
        bool serves = n->op == OP_LOSS;
        for (int i = 0; i < n->outs; i++)
            serves |= needed[n->out[i]->id];
        for (int i = 0; serves && i < n->ins; i++)
            needed[n->in[i]->id] = true;
        if (serves && n->op == OP_CALL)
            n->call.callee->trained = true;
        if (serves && n->op == OP_LOOP)
            mark_losses(n->loop.body, needed);
    }
}

/* Callers before what they call; the count is *count. */
static struct function **callers_first(struct compilation *c, size_t *count)
{
    struct function **list = NULL;
    size_t size = 0;

    *count = 0;
    for (struct function *f = c->network->functions; f; f = f->next) {
        GROW_IN(c->arena, list, size, *count);
        list[(*count)++] = f;
    }
    for (size_t i = 0; i < *count / 2; i++) {
        struct function *f = list[i];
        list[i] = list[*count - 1 - i];
        list[*count - 1 - i] = f;
    }
    return list;
}

void mark_inferred(struct compilation *c)
{
    size_t count, values = (size_t)c->network->next_value + 1;
    struct function **list = callers_first(c, &count);
    bool *inferred = arena_alloc(c->arena, values);
    bool *trained = arena_alloc(c->arena, values);

    c->network->main->inferred = c->network->main->trained = true;
    for (size_t i = 0; i < count; i++) {
        if (list[i]->inferred)
            mark_region(list[i]->body, inferred);
        if (list[i]->trained)
            mark_losses(list[i]->body, trained);
    }
}
