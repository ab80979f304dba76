/* joins.c: concatenations that grow share memory.  Requires: the network, its
 * gradient.  Gives: value->base of a concatenation that begins another.
 *
 * In b = [a, y], a = [x, z], nothing of a is copied: a is the beginning of b,
 * and what makes x and z writes there.  So n values, each joined to those
 * before it (DenseNet, streams over depth), need n places and not n^2 / 2.  Of
 * several concatenations that begin with a, the last has it. */
#include "schedule.h"

#include <string.h>

/* Whether the call of `op` takes input i by pointer and stride. */
static bool takes_stride(enum op op, int i)
{
    const char *word = op_row(op)->arguments;

    for (; word && *word; word += strcspn(word, " "), word += *word == ' ')
        if ((*word == 'x' || *word == 'v') && word[1] - '0' == i)
            return true;
    return false;
}

static bool reads_strided(const struct node *n, int i)
{
    switch (n->op) {
    case OP_CONCAT: case OP_SLICE: case OP_NORM: case OP_NORM_GRAD:
        return true;
    case OP_POINT: case OP_REDUCE:
        return i == 0 || n->point.by == BY_FULL;
    default:
        return takes_stride(n->op, i);
    }
}

static bool list_strided(const struct list *list, const struct value *value)
{
    for (const struct node *n = list->first; n; n = n->next)
        for (int i = 0; i < n->ins; i++)
            if (n->in[i] == value && !reads_strided(n, i))
                return false;
    return true;
}

/* Its features may lie apart, within a larger value's. */
static bool may_join(const struct region *region, const struct value *value)
{
    if (!value->producer || value->producer->op != OP_CONCAT || value->base
        || value->region != region)
        return false;
    for (int i = 0; i < region->output_count; i++)
        if (region->outputs[i] == value)
            return false;
    return list_strided(&region->nodes, value)
        && list_strided(&region->backward, value);
}

static void join_region(struct region *region)
{
    for (struct node *n = region->nodes.last; n; n = n->previous) {
        if (n->op == OP_LOOP)
            join_region(n->loop.body);
        if (n->op != OP_CONCAT || !may_join(region, n->in[0]))
            continue;
        n->in[0]->base = n->out[0];
        memory_of(n->out[0])->kept |= n->in[0]->kept;
    }
}

void join(struct compilation *c)
{
    for (struct function *f = c->network->functions; f; f = f->next)
        join_region(f->body);
}
