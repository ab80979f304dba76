/* stream_reversible.c: two halves, each the sum that the other's blocks write
 * to; an iteration of calls can be undone. */
#include "streams.h"

/* ---- reversible ---- */

/* The halves of what enters: those that the block before left, if one did. */
static void take_halves(struct body *body, struct stream *stream,
                        struct value *x, struct span span)
{
    struct node *join = x->producer;
    int64_t half = x->features / 2;
    int axis = x->shape.rank - 1;

    if (join && join->op == OP_CONCAT && join->region == body->region
        && join->in[1] == stream->second) {
        stream->first = join->in[0];
        remove_node(&body->region->nodes, join);        /* nobody reads it */
        return;
    }
    stream->first = build_slice(body, x, axis, 0, half, span);
    stream->second = build_slice(body, x, axis, half, half, span);
}

struct value *reversible_enter(struct body *body, struct stream *stream,
                               struct value *x, struct span span)
{
    (void)stream;
    if (x->features % 2 == 0)
        return x;
    fail(body, span, "a reversible stream splits the last axis in halves: %s "
         "cannot be", shape_text(body->check->c, &x->shape));
    fail_note(body, x->span, "%s comes from here",
              shape_text(body->check->c, &x->shape));
    return NULL;
}

/* (x1, x2): the block reads x2 */
struct value *reversible_read(struct body *body, struct stream *stream,
                              struct value *x, struct span span)
{
    take_halves(body, stream, x, span);
    return stream->second;
}

/* A block that is a call can be undone. */
static void add_step(struct body *body, struct stream *stream, struct value *y)
{
    if (!y->producer || y->producer->op != OP_CALL) {
        stream->inner = true;
        return;
    }
    GROW_IN(body->check->c->arena, stream->steps, stream->size,
            stream->count_steps);
    stream->steps[stream->count_steps++] = y->producer;
}

/* (x1, x2) becomes (x2, x1 + F(x2)) */
struct value *reversible_write(struct body *body, struct stream *stream,
                               struct value *y, struct span span)
{
    struct value *halves[2];

    add_step(body, stream, y);
    halves[0] = stream->second;
    halves[1] = build_binary(body, "ADD", "ADD", y, stream->first, "sum",
                             span);
    if (!halves[1])
        return NULL;
    halves[1] = as_layout(body, halves[1], halves[0]->layout);
    stream->second = halves[1];
    struct value *x = build_concat(body, halves, 2, y->shape.rank - 1, span);
    stream->second = x ? x->producer->in[1] : NULL;
    return x;
}

struct value *reversible_leave(struct body *body, struct stream *stream,
                               struct value *x, struct span span)
{
    (void)body, (void)stream, (void)span;
    return x;
}

/* F(x) once more, in another region, with the parameters of `call`. */
static struct value *call_twin(struct body *body, struct node *call,
                               struct value *x)
{
    struct compilation *c = body->check->c;
    struct node *node = new_node(c, OP_CALL, call->span);
    const struct value *out = call->out[0];

    node->call = call->call;
    node->call.twin = call;
    node_in(node, as_layout(body, together(body, x),
                            natural_layout(&x->shape)));
    append_node(body->region, &body->region->nodes, node);
    return node_out(node, new_value(c, body->region, FORM_ROWS, out->layout,
                                    &out->shape, out->name, call->span));
}

/* From (x2, y) to (y - F(x2), x2), the last step first. */
struct value *reversible_undo(struct body *body, struct stream *stream,
                              struct value *y)
{
    struct span span = stream_span(stream);
    int axis = y->shape.rank - 1;
    int64_t half = y->features / 2;
    struct value *halves[2] = { build_slice(body, y, axis, 0, half, span),
                                build_slice(body, y, axis, half, half, span) };

    for (size_t i = stream->count_steps; i-- > 0;) {
        struct value *f = call_twin(body, stream->steps[i], halves[0]);
        struct value *x = build_binary(body, "RSUB", "SUB", f, halves[1],
                                       "undone", span);
        halves[1] = halves[0];
        halves[0] = x;
    }
    return build_concat(body, halves, 2, axis, span);
}
