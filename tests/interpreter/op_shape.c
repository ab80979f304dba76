/* op_shape.c: values moved about: other axes, parts, joins.  Layouts are the
 * emitted C's business; here all lie [row, feature]. */
#include "tape.h"

static void copy_forward(struct machine *m, struct step *s)
{
    (void)m;
    memcpy(s->out->x, s->in[0]->x, s->out->size * sizeof(real));
}

static void copy_backward(struct machine *m, struct step *s)
{
    (void)m;
    for (size_t i = 0; i < s->out->size; i++)
        s->in[0]->dx[i] += s->out->dx[i];
}

/* Element i of a slice in what it is a slice of. */
static size_t sliced(const struct step *s, size_t i)
{
    const struct node *n = s->node;

    return i / s->features * (size_t)n->in[0]->features
         + (size_t)n->out[0]->offset + i % s->features;
}

static void slice_forward(struct machine *m, struct step *s)
{
    (void)m;
    for (size_t i = 0; i < s->out->size; i++)
        s->out->x[i] = s->in[0]->x[sliced(s, i)];
}

static void slice_backward(struct machine *m, struct step *s)
{
    (void)m;
    for (size_t i = 0; i < s->out->size; i++)
        s->in[0]->dx[sliced(s, i)] += s->out->dx[i];
}

static void concat_forward(struct machine *m, struct step *s)
{
    size_t at = 0;

    (void)m;
    for (int k = 0; k < s->node->ins; k++) {
        size_t features = (size_t)s->node->in[k]->features;
        for (size_t i = 0; i < s->in[k]->size; i++)
            s->out->x[i / features * s->features + at + i % features]
                = s->in[k]->x[i];
        at += features;
    }
}

static void concat_backward(struct machine *m, struct step *s)
{
    size_t at = 0;

    (void)m;
    for (int k = 0; k < s->node->ins; k++) {
        size_t features = (size_t)s->node->in[k]->features;
        for (size_t i = 0; i < s->in[k]->size; i++)
            s->in[k]->dx[i] += s->out->dx[i / features * s->features + at
                                          + i % features];
        at += features;
    }
}

const struct rule TWIN(shape_rules)[] = {
    { OP_RESHAPE, copy_forward, copy_backward },
    { OP_PACK, copy_forward, copy_backward },
    { OP_UNPACK, copy_forward, copy_backward },
    { OP_SLICE, slice_forward, slice_backward },
    { OP_CONCAT, concat_forward, concat_backward }, { 0 }
};
