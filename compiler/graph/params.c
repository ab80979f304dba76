/* params.c: where parameters lie.  Requires: the network.  Gives each region's
 * parameters, running statistics, keys of dropout and varying numbers an
 * offset, one run of a loop after the other.  A loop whose iterations have the
 * same numbers has them once. */
#include "graph.h"

#include <inttypes.h>

struct sums { int64_t params, state, keys, numbers, scalars; bool overflow; };

static void add(struct sums *sums, int64_t *sum, int64_t size, int64_t times)
{
    int64_t product;
    if (!mul_size(size, times, &product) || !add_size(*sum, product, sum)
        || *sum > LIMIT_SIZE)
        sums->overflow = true;
}

/* Stops above the limit, which place_params reports. */
static void add_numbers(struct sums *sums, int64_t count, int64_t times)
{
    int64_t product;
    if (!mul_size(count, times, &product) || product > LIMIT_NUMBERS
        || (sums->numbers += product) > LIMIT_NUMBERS)
        sums->numbers = LIMIT_NUMBERS + 1;
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

static void place_numbers(struct region *region, struct sums *sums)
{
    for (struct node *n = region->nodes.first; n; n = n->next)
        if (n->op == OP_POINT && n->point.varies)
            n->point.slot = sums->numbers++;
}

/* What each call and iteration has for itself. */
static void place_draws(struct sums *sums, const struct region *inner,
                        int64_t times, bool varies)
{
    add(sums, &sums->keys, inner->keys, times);
    add_numbers(sums, inner->numbers, varies ? times : 1);
}

static void place_weights(struct sums *sums, const struct region *inner,
                          int64_t times)
{
    add(sums, &sums->params, inner->param_floats, times);
    add(sums, &sums->state, inner->state_floats, times);
    add(sums, &sums->scalars, inner->scalars, times);
}

/* What its calls and loops do: `moves` running statistics, its own or those of
 * a shared layer from outside; in the backward pass, `again`. */
static void mark_state(struct region *region)
{
    for (const struct node *n = region->nodes.first; n; n = n->next) {
        const struct region *body = n->op == OP_CALL ? n->call.callee->body
            : n->op == OP_LOOP ? n->loop.body : NULL;
        region->state_moves |= n->op == OP_BATCH_NORM
                            || (body && body->state_moves);
        region->state_again |= body && body->state_again;
    }
}

static void place_shared(struct region *region, struct sums *sums)
{
    for (struct shared_weights *w = region->weights; w; w = w->next) {
        w->params = sums->params;
        w->state = sums->state;
        place_weights(sums, w->function->body, 1);
    }
}

static void place_call(struct node *n, struct sums *sums)
{
    const struct shared_weights *weights = n->call.weights;
    const struct region *body = n->call.callee->body;

    n->call.params = weights ? weights->params : sums->params;
    n->call.state = weights ? weights->state : sums->state;
    n->call.keys = sums->keys;
    n->call.numbers = sums->numbers;
    if (!weights)
        place_weights(sums, body, 1);
    place_draws(sums, body, 1, false);
}

/* An inverse has its body's parameters. */
static void place_inverse(struct region *inverse, const struct region *body)
{
    inverse->param_floats = body->param_floats;
    inverse->state_floats = body->state_floats;
    inverse->keys = body->keys;
    inverse->numbers = body->numbers;
    inverse->state_again = body->state_again;
    for (struct node *n = inverse->nodes.first; n; n = n->next)
        if (n->op == OP_CALL) {
            n->call.callee = n->call.twin->call.callee;
            n->call.params = n->call.twin->call.params;
            n->call.state = n->call.twin->call.state;
            n->call.keys = n->call.twin->call.keys;
            n->call.numbers = n->call.twin->call.numbers;
        }
}

static bool place_region(struct region *region)
{
    struct sums sums = { .keys = region->keys };

    place_own(region, &sums);
    place_numbers(region, &sums);
    place_shared(region, &sums);
    for (struct node *n = region->nodes.first; n; n = n->next) {
        if (n->op == OP_CALL) {
            place_call(n, &sums);
        } else if (n->op == OP_LOOP) {
            sums.overflow |= !place_region(n->loop.body);
            n->loop.body->state_again |= n->loop.recompute
                                      && n->loop.body->state_moves;
            if (n->loop.inverse)
                place_inverse(n->loop.inverse, n->loop.body);
            n->loop.params = sums.params;
            n->loop.state = sums.state;
            n->loop.keys = sums.keys;
            n->loop.numbers = sums.numbers;
            place_weights(&sums, n->loop.body, n->loop.count);
            place_draws(&sums, n->loop.body, n->loop.count, n->loop.varies);
        }
    }
    region->param_floats = sums.params;
    region->state_floats = sums.state;
    region->keys = sums.keys;
    region->numbers = sums.numbers;
    region->scalars = sums.scalars;
    mark_state(region);
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
    else if (c->network->main->body->numbers > LIMIT_NUMBERS)
        diag_error(c->diag, &c->network->main->decl->name_span,
                   "the numbers that vary with the index of a repeat are more "
                   "than the limit of %d", LIMIT_NUMBERS);
    c->network->parameters = c->network->main->body->scalars;
    return fits && c->network->main->body->numbers <= LIMIT_NUMBERS;
}
