/* emit_shape.c: the constants that describe convolutions and poolings, one for
 * each shape. */
#include "writer.h"

#include <inttypes.h>
#include <string.h>

static const char *emit_conv(struct compilation *c, const char *name,
                             const struct conv *v)
{
    return arena_format(c->arena, "static const struct rnet_conv %s = {\n"
        "    .height = %" PRId64 ", .width = %" PRId64 ", .in = %" PRId64
        ",\n    .out_height = %" PRId64 ", .out_width = %" PRId64
        ", .out = %" PRId64 ",\n    .kernel_height = %" PRId64
        ", .kernel_width = %" PRId64 ",\n    .stride_y = %" PRId64
        ", .stride_x = %" PRId64 ", .dilation_y = %" PRId64
        ", .dilation_x = %" PRId64 ",\n    .pad_top = %" PRId64
        ", .pad_left = %" PRId64 ", .pad_bottom = %" PRId64
        ", .pad_right = %" PRId64 ",\n    .groups = %" PRId64 "\n};\n", name,
        v->height, v->width, v->in, v->out_height, v->out_width, v->out,
        v->kernel_height, v->kernel_width, v->stride_y, v->stride_x,
        v->dilation_y, v->dilation_x, v->top, v->left, v->bottom, v->right,
        v->groups);
}

static const char *emit_pool(struct compilation *c, const char *name,
                             const struct pool *p)
{
    static const char *const kinds[] = {
        [POOL_AVERAGE] = "RNET_POOL_AVERAGE", [POOL_MAX] = "RNET_POOL_MAX",
        [POOL_SUM] = "RNET_POOL_SUM", [POOL_TENT] = "RNET_POOL_TENT"
    };

    return arena_format(c->arena, "static const struct rnet_pool_shape %s = "
        "{\n    .kind = %s, .height = %" PRId64 ", .width = %" PRId64
        ",\n    .channels = %" PRId64 ", .out_height = %" PRId64
        ", .out_width = %" PRId64 ",\n    .out_channels = %" PRId64
        ", .kernel_height = %" PRId64 ", .kernel_width = %" PRId64
        ",\n    .stride_y = %" PRId64 ", .stride_x = %" PRId64
        ", .pad_top = %" PRId64 ", .pad_left = %" PRId64
        ",\n    .count_pad = %d\n};\n", name,
        kinds[p->kind], p->height, p->width, p->channels, p->out_height,
        p->out_width, p->out_channels, p->kernel_height, p->kernel_width,
        p->stride_y, p->stride_x, p->top, p->left, p->count_pad);
}

static struct shape_name *find_shape(struct compilation *c,
                                     const struct node *n)
{
    struct shape_name *s = c->network->shapes;
    bool pool = op_row(n->op)->traits & POOLS;

    while (s && (s->pool != pool
                 || (pool ? memcmp(&s->p, &n->pool, sizeof s->p)
                          : memcmp(&s->conv, &n->conv, sizeof s->conv))))
        s = s->next;
    return s;
}

const char *shape_constant(struct writer *w, const struct node *n)
{
    return find_shape(w->c, n)->name;
}

static void emit_shape(struct compilation *c, struct text *out,
                       const struct node *n, int *count)
{
    int traits = op_row(n->op)->traits;
    bool pool = traits & POOLS;
    struct shape_name *s;

    if (!(traits & (POOLS | CONVOLVES)) || find_shape(c, n))
        return;
    s = NEW(c->arena, struct shape_name);
    s->pool = pool;
    if (pool)
        s->p = n->pool;
    else
        s->conv = n->conv;
    s->name = pool
        ? arena_format(c->arena, "pool_%d", (*count)++)
        : arena_format(c->arena, "conv_%" PRId64 "x%" PRId64 "_%" PRId64 "_%"
                       PRId64 "_%d", n->conv.kernel_height,
                       n->conv.kernel_width, n->conv.in, n->conv.out,
                       (*count)++);
    s->next = c->network->shapes;
    c->network->shapes = s;
    text_add(out, "%s", pool ? emit_pool(c, s->name, &s->p)
                             : emit_conv(c, s->name, &s->conv));
}

void emit_shapes(struct compilation *c, struct text *out,
                 const struct list *list, int *count)
{
    for (const struct node *n = list->first; n; n = n->next) {
        emit_shape(c, out, n, count);
        if (n->op == OP_LOOP)
            emit_shapes(c, out, &n->loop.body->nodes, count);
    }
}
