/* stepped.c: --fuse-optimizer: which parameters take their step inside of the
 * kernel that makes their gradient, and where the gradients of the others lie.
 *
 * A weight of a dense layer or convolution is stepped when one layer uses it,
 * in the region that has it, which goes backward exactly once in a training
 * step, and when nothing reads it after that kernel. */
#include "graph.h"

/* ---- who uses what: of the network as written, branches outlined ---- */

static void count_uses(struct region *region, struct node *n)
{
    for (int i = 0; i < NODE_PARAMS; i++) {
        struct param *p = n->param[i];
        if (!p)
            continue;
        p->uses++;
        p->alone = p->uses == 1 && p->region == region
                && (n->op == OP_LINEAR || n->op == OP_CONV);
    }
}

/* What is called from a part that may be left out may have no gradient. */
static void walk_uses(struct region *region, bool perhaps)
{
    for (struct node *n = region->nodes.first; n; n = n->next) {
        count_uses(region, n);
        if (n->op == OP_CALL)
            n->call.callee->often |= perhaps || n->call.weights;
        if (n->op == OP_LOOP)
            walk_uses(n->loop.body, perhaps || n->loop.draw);
    }
}

static void mark_region(struct region *region, bool once)
{
    for (struct param *p = region->params; p; p = p->next)
        p->stepped = once && p->trainable && p->alone;
    for (struct node *n = region->nodes.first; n; n = n->next)
        if (n->op == OP_LOOP)
            mark_region(n->loop.body, once && !n->loop.draw);
}

void mark_stepped(struct compilation *c)
{
    for (struct function *f = c->network->last; f; f = f->previous)
        walk_uses(f->body, f->often);
    for (struct function *f = c->network->functions; f; f = f->next)
        mark_region(f->body, !f->often);
}

/* ---- once gradients are there ---- */

/* The weight whose gradient the node makes, or NULL. */
static struct param *weight_of(const struct node *n)
{
    return n->op == OP_LINEAR_DW ? n->param[0]
         : n->op == OP_CONV_GRAD ? n->param[2] : NULL;
}

bool steps_weight(const struct node *n)
{
    const struct param *weight = weight_of(n);

    return weight && weight->stepped;
}

static bool reads_after(const struct node *n, const struct param *weight)
{
    for (n = n->next; n; n = n->next)
        for (int i = 0; i < NODE_PARAMS; i++)
            if (n->param[i] == weight)
                return true;
    return false;
}

/* A weight and its bias take their step together. */
static void settle_node(const struct node *n)
{
    struct param *weight = weight_of(n), *bias = n->param[1];

    if (!weight)
        return;
    weight->stepped &= !weight->made;
    weight->made = true;
    weight->stepped &= (!bias || bias->stepped) && !reads_after(n, weight);
    if (bias) {
        bias->made = true;
        bias->stepped = weight->stepped;
    }
}

static void settle_region(struct region *region)
{
    for (struct node *n = region->backward.first; n; n = n->next) {
        settle_node(n);
        if (n->op == OP_LOOP_GRAD)
            settle_region(n->loop.body);
    }
    for (struct param *p = region->params; p; p = p->next)
        p->stepped &= p->made;
}

/* ---- where the other gradients lie ---- */

static void place_region(struct region *region)
{
    int64_t floats = 0;

    for (struct param *p = region->params; p; p = p->next) {
        p->grad_offset = floats;
        floats += p->trainable && !p->stepped ? p->floats : 0;
    }
    for (struct shared_weights *w = region->weights; w; w = w->next) {
        w->grads = floats;
        floats += w->function->body->grad_floats;
    }
    for (struct node *n = region->nodes.first; n; n = n->next)
        if (n->op == OP_CALL) {
            n->call.grads = n->call.weights ? n->call.weights->grads : floats;
            floats += n->call.weights ? 0
                    : n->call.callee->body->grad_floats;
        } else if (n->op == OP_LOOP) {
            place_region(n->loop.body);
            n->loop.grads = floats;
            floats += n->loop.count * n->loop.body->grad_floats;
        }
    region->grad_floats = floats;
}

void place_grads(struct compilation *c)
{
    for (struct function *f = c->network->functions; f; f = f->next)
        settle_region(f->body);
    for (struct function *f = c->network->functions; f; f = f->next)
        place_region(f->body);
}
