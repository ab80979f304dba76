/* parameters.c: parameters of layers: their names in a body, their initial
 * values. */
#include "check.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct piece *copy_pieces(struct compilation *c, const struct piece *pieces)
{
    if (!pieces)
        return NULL;
    struct piece *copy = NEW(c->arena, struct piece);
    *copy = *pieces;
    copy->next = copy_pieces(c, pieces->next);
    return copy;
}

static struct piece *join(struct compilation *c, const struct piece *prefix,
                          struct piece *last)
{
    if (!prefix)
        return last;
    struct piece *copy = copy_pieces(c, prefix), *end = copy;
    while (end->next)
        end = end->next;
    end->next = last;
    return copy;
}

static struct counter *counter_of(struct body *body, const char *word)
{
    struct counter *counter = body->scope->counters;

    while (counter && strcmp(counter->name, word) != 0)
        counter = counter->link;
    if (!counter) {
        counter = NEW(body->check->c->arena, struct counter);
        *counter = (struct counter) { word, 0, body->scope->counters };
        body->scope->counters = counter;
    }
    return counter;
}

/* X.k for the k-th use of X in this body, or the name that `as` or `shared`
 * gave: n, and n.k where a repeat comes by several times. */
struct piece *next_path(struct body *body, const char *word)
{
    struct compilation *c = body->check->c;

    if (body->making && !body->making->named) {
        body->making->named = true;
        return copy_pieces(c, body->making->path);
    }
    struct piece *piece = NEW(c->arena, struct piece);
    piece->text = word;
    piece->indexed = true;
    if (body->as_name) {
        piece->text = body->as_name;
        piece->indexed = body->loops > body->scope->loops;
        word = piece->indexed ? piece->text
                              : arena_format(c->arena, "as %s", piece->text);
        body->as_name = NULL;
    }
    struct counter *counter = counter_of(body, word);
    if (piece->indexed)
        piece->first = counter->next;
    else if (counter->next)
        fail(body, body->as_span, "'%s' names a layer or block of this body "
             "already", piece->text);
    counter->next++;
    return join(c, body->scope->prefix, piece);
}

struct piece *fixed_path(struct body *body, const char *word)
{
    struct piece *piece = NEW(body->check->c->arena, struct piece);

    piece->text = word;
    return join(body->check->c, body->scope->prefix, piece);
}

struct piece *property_path(struct body *body, const char *word)
{
    struct arena *arena = body->check->c->arena;
    struct piece *piece = NEW(arena, struct piece);
    struct counter *bare = counter_of(body, arena_format(arena, "as %s", word));
    struct counter *counter = counter_of(body, word);

    piece->text = word;
    piece->indexed = body->loops > body->scope->loops || bare->next > 0
                  || counter->next > 0;
    bare->next += !piece->indexed;      /* word, word.1, word.2, ... */
    piece->first = counter->next++;
    return join(body->check->c, body->scope->prefix, piece);
}

static bool too_large(const struct shape *shape)
{
    return shape_size(shape) > LIMIT_SIZE;
}

bool small_enough(struct body *body, const struct shape *shape,
                  struct span span)
{
    bool fits = !too_large(shape);

    for (int i = 0; i < shape->rank; i++)
        fits &= shape->axis[i] < LIMIT_AXIS;
    if (!fits)
        fail(body, span, "the result, %s, is above the limit of 2^31 an axis "
             "or 2^40 scalars in all", shape_text(body->check->c, shape));
    return fits;
}

bool weight_fits(struct body *body, const struct shape *shape,
                 struct span span)
{
    if (too_large(shape))
        fail(body, span, "the weight of this layer, %s, is above the limit "
             "of 2^40 scalars", shape_text(body->check->c, shape));
    return !too_large(shape);
}

struct param *make_param(struct body *body, struct piece *path,
                         const char *leaf, enum pack pack, int groups,
                         const struct shape *shape)
{
    return body->making
        ? shared_param(body, path, leaf, pack, groups, shape)
        : new_param(body->check->c, body->region, path, leaf, pack, groups,
                    shape);
}

struct param *weight_leaf(struct body *body, struct piece *path,
                          const char *leaf, enum pack pack, int groups,
                          const struct shape *shape, int64_t fan_in,
                          int64_t fan_out)
{
    struct param *param = make_param(body, path, leaf, pack, groups, shape);

    param->decay = true;
    initialise(param, init_of(body), (double)fan_in, (double)fan_out);
    return param;
}

struct param *weight_param(struct body *body, struct piece *path,
                           enum pack pack, int groups,
                           const struct shape *shape, int64_t fan_in,
                           int64_t fan_out)
{
    return weight_leaf(body, path, "weight", pack, groups, shape, fan_in,
                       fan_out);
}

struct param *vector_param(struct body *body, struct piece *path,
                           const char *leaf, int64_t count, double value)
{
    struct shape shape = { 1, { count } };
    struct param *param = make_param(body, path, leaf, PACK_FLAT, 1, &shape);
    param->init = INIT_CONSTANT;
    param->mean = value;
    return param;
}

/* What the caller passes for this value lies below `classes`. */
void limit_classes(struct value *x, int64_t classes)
{
    while (x) {
        struct value *outer = NULL;
        if (!x->classes || classes < x->classes)
            x->classes = classes;
        for (int i = 1; x->region->captured && i < x->region->input_count; i++)
            if (x->region->inputs[i] == x)
                outer = x->region->captured[i];
        x = outer;
    }
}
