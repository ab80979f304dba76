/* params.c: where parameters lie.  Requires: the network.  Gives each region's
 * parameters, running statistics and dropout numbers an offset, one run of a
 * loop after the other. */
#include "graph.h"

#include <inttypes.h>

struct sums { int64_t params, state, keys, scalars; bool overflow; };

static void add(struct sums *sums, int64_t *sum, int64_t size, int64_t times)
{
    int64_t product;
    if (!mul_size(size, times, &product) || !add_size(*sum, product, sum)
        || *sum > LIMIT_SIZE)
        sums->overflow = true;
}

static void place_own(struct region *region, struct sums *sums)
{
    for (struct param *p = region->params; p; p = p->next) {
        int64_t *end = p->trainable ? &sums->params : &sums->state;
        p->offset = *end;
        add(sums, end, p->floats, 1);
        if (p->trainable)
            add(sums, &sums->scalars, p->size, 1);
    }
}

static bool place_region(struct region *region);

static void place_inner(struct sums *sums, const struct region *inner,
                        int64_t times)
{
    add(sums, &sums->params, inner->param_floats, times);
    add(sums, &sums->state, inner->state_floats, times);
    add(sums, &sums->keys, inner->keys, times);
    add(sums, &sums->scalars, inner->scalars, times);
}

/* Whether the backward pass runs batch norms forward once more. */
static bool state_again(const struct region *region)
{
    bool again = false;

    for (const struct node *n = region->nodes.first; n; n = n->next)
        if (n->op == OP_CALL)
            again |= n->call.callee->body->state_again;
        else if (n->op == OP_LOOP)
            again |= n->loop.body->state_again;
    return again;
}

/* An inverse has its body's parameters. */
static void place_inverse(struct region *inverse, const struct region *body)
{
    inverse->param_floats = body->param_floats;
    inverse->state_floats = body->state_floats;
    inverse->keys = body->keys;
    inverse->state_again = body->state_again;
    for (struct node *n = inverse->nodes.first; n; n = n->next)
        if (n->op == OP_CALL) {
            n->call.params = n->call.twin->call.params;
            n->call.state = n->call.twin->call.state;
            n->call.keys = n->call.twin->call.keys;
        }
}

static bool place_region(struct region *region)
{
    struct sums sums = { .keys = region->keys };

    place_own(region, &sums);
    for (struct node *n = region->nodes.first; n; n = n->next) {
        if (n->op == OP_CALL) {
            n->call.params = sums.params;
            n->call.state = sums.state;
            n->call.keys = sums.keys;
            place_inner(&sums, n->call.callee->body, 1);
        } else if (n->op == OP_LOOP) {
            sums.overflow |= !place_region(n->loop.body);
            n->loop.body->state_again |= n->loop.recompute
                                      && n->loop.body->state_floats;
            if (n->loop.inverse)
                place_inverse(n->loop.inverse, n->loop.body);
            n->loop.params = sums.params;
            n->loop.state = sums.state;
            n->loop.keys = sums.keys;
            place_inner(&sums, n->loop.body, n->loop.count);
        }
    }
    region->param_floats = sums.params;
    region->state_floats = sums.state;
    region->keys = sums.keys;
    region->scalars = sums.scalars;
    region->state_again = state_again(region);
    return !sums.overflow;
}

bool place_params(struct compilation *c)
{
    bool fits = true;

    for (struct function *f = c->network->functions; f; f = f->next)
        fits &= place_region(f->body);
    if (!fits)
        diag_error(c->diag, &c->network->main->decl->name_span,
                   "the parameters are above the limit of 2^40 scalars");
    c->network->parameters = c->network->main->body->scalars;
    return fits;
}
