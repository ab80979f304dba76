/* inferred.c: what inference runs.  Requires: the network.  Sets node->inferred
 * on the nodes that an output, or the result of a block that is run, follows
 * from, and function->inferred; what serves a loss alone is left out. */
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

void mark_inferred(struct compilation *c)
{
    bool *needed = arena_alloc(c->arena, (size_t)c->network->next_value + 1);
    struct function **list = NULL;
    size_t count = 0, size = 0;

    for (struct function *f = c->network->functions; f; f = f->next) {
        GROW_IN(c->arena, list, size, count);
        list[count++] = f;
    }
    c->network->main->inferred = true;
    while (count-- > 0)         /* callers stand after what they call */
        if (list[count]->inferred)
            mark_region(list[count]->body, needed);
}
