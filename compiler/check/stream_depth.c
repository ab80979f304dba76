/* stream_depth.c: streams that look at all that was before: attention over
 * depth, and learned sums after each iteration. */
#include "streams.h"

#include <inttypes.h>

/* ---- attention ---- */

static struct value *key_of(struct body *body, struct value *x,
                            struct span span)
{
    return stream_normed(body, "rmsnorm", 1, x, span);
}

/* One more value to attend to. */
struct value *attention_enter(struct body *body, struct stream *stream,
                              struct value *x, struct span span)
{
    struct value *key = key_of(body, x, span);

    if (stream->count++ == 0) {
        stream->values = x;
        stream->keys = key;
        return x;
    }
    stream->values = stream_beside(body, stream->values, x, span);
    if (!stream->values)
        return NULL;
    stream->keys = stream_beside(body, stream->keys, key, span);
    return x;
}

/* h = sum of a_i v_i, a = softmax of <query, v_i / rms(v_i)> */
static struct value *attend(struct body *body, struct value *values,
                            struct value *keys, int64_t count,
                            struct span span)
{
    struct piece *path = site_path(body);

    if (count == 1)             /* whatever the query, the weight is 1 */
        return values;
    struct param *query = site_vector(body, path, "query",
                                      values->features / count, 0);
    struct value *a = build_dots(body, keys, (struct weights) { NULL, query },
                                 count, 1, "scores", span);
    a = build_softmax(body, a, span);
    return build_mix(body, values, (struct weights) { a, NULL }, count, 1,
                     "attended", span);
}

struct value *attention_read(struct body *body, struct stream *stream,
                             struct value *x, struct span span)
{
    struct value *values = stream->values, *keys = stream->keys;
    int64_t count = stream->count;

    (void)x;
    if (stream->within) {
        values = stream_beside(body, values, stream->partial, span);
        if (!values)
            return NULL;
        keys = stream_beside(body, keys, key_of(body, stream->partial, span),
                             span);
        count++;
    }
    return attend(body, values, keys, count, span);
}

struct value *attention_write(struct body *body, struct stream *stream,
                              struct value *y, struct span span)
{
    stream->blocks++;
    stream->partial = stream->within
        ? build_binary(body, "ADD", "ADD", y, stream->partial, "sum", span)
        : y;
    if (++stream->within < stream->every)
        return stream->partial;
    stream->within = 0;
    return attention_enter(body, stream, stream->partial, span);
}

struct value *attention_leave(struct body *body, struct stream *stream,
                              struct value *x, struct span span)
{
    (void)x;
    if (stream->within == 0)
        return attend(body, stream->values, stream->keys, stream->count, span);
    fail(body, span, "'every = %" PRId64 "' does not divide the %" PRId64
         " blocks of this stream evenly", stream->every, stream->blocks);
    return NULL;
}

/* ---- weighted ---- */

/* Later blocks read what earlier ones made, so it cannot be dropped. */
bool stream_no_checkpoint(struct body *body, const struct ast *ast)
{
    fail(body, ast->span, "this stream looks back at all before it: a "
         "'checkpoint' belongs within its blocks or iterations");
    return false;
}

/* y = sum of w_i x_i over all iterations and what entered the first; at first
 * the last of them. */
static struct value *weigh(struct body *body, struct value *x, void *context)
{
    struct stream *stream = context;
    struct compilation *c = body->check->c;
    struct span span = stream_span(stream);
    int64_t count = ++stream->count + 1;
    struct shape one = stream->values->shape;

    one.axis[one.rank - 1] /= stream->count;
    if (!shape_equal(&one, &x->shape)) {
        fail(body, stream->ast->b->span, "what stands in a weighted stream "
             "keeps its shape: this makes %s of %s",
             shape_text(c, &x->shape), shape_text(c, &one));
        fail_note(body, x->span, "%s comes from here",
                  shape_text(c, &x->shape));
        return NULL;
    }
    stream->values = stream_beside(body, stream->values, x, span);
    if (!stream->values)
        return NULL;
    struct param *weight = site_vector(body, site_path(body), "weight", count,
                                       0);
    site_diagonal(weight, 0, 1, count - 1);
    return build_mix(body, stream->values, (struct weights) { NULL, weight },
                     count, 1, "weighted", span);
}

struct value *run_weighted(struct body *body, struct stream *stream,
                           struct value *x)
{
    struct body sub = *body;
    struct ast *group = stream->ast->b;

    stream->values = x;
    if (group->kind == AST_CHECKPOINT && !stream_no_checkpoint(body, group))
        return NULL;
    if (group->kind == AST_REPEAT)
        return unroll_repeat(body, group, x, weigh, stream);
    x = eval_value(&sub, group, x);
    body->bad |= sub.bad;
    return x ? weigh(body, x, stream) : NULL;
}
