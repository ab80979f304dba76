/* inferred.c: what inference runs.  Requires: the network.  Sets node->inferred
 * on the nodes that an output, or a block's result, follows from; what serves a
 * loss alone is left out. */
#include "graph.h"

static void mark_region(struct compilation *c, struct region *region,
                        bool *needed)
{
    for (int i = 0; i < region->output_count; i++)
        needed[region->outputs[i]->id] = true;
    for (struct node *n = region->nodes.last; n; n = n->previous) {
        n->inferred = n->op == OP_OUTPUT || n->op == OP_INPUT;
        for (int i = 0; i < n->outs; i++)
            n->inferred |= needed[n->out[i]->id];
        for (int i = 0; n->inferred && i < n->ins; i++)
            needed[n->in[i]->id] = true;
        if (n->op == OP_LOOP)
            mark_region(c, n->loop.body, needed);
    }
}

void mark_inferred(struct compilation *c)
{
    bool *needed = arena_alloc(c->arena, (size_t)c->network->next_value + 1);

    for (struct function *f = c->network->functions; f; f = f->next)
        mark_region(c, f->body, needed);
}
