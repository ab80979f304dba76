/* emit_shape.c: the constants that describe convolutions, poolings and
 * attention, one for each shape; weights of classes. */
#include "writer.h"

#include <inttypes.h>
#include <string.h>

static const char *conv_fields(struct compilation *c, const struct conv *v)
{
    return arena_format(c->arena,
        "    .height = %" PRId64 ", .width = %" PRId64 ", .in = %" PRId64
        ",\n    .out_height = %" PRId64 ", .out_width = %" PRId64
        ", .out = %" PRId64 ",\n    .kernel_height = %" PRId64
        ", .kernel_width = %" PRId64 ",\n    .stride_y = %" PRId64
        ", .stride_x = %" PRId64 ", .dilation_y = %" PRId64
        ", .dilation_x = %" PRId64 ",\n    .pad_top = %" PRId64
        ", .pad_left = %" PRId64 ", .pad_bottom = %" PRId64
        ", .pad_right = %" PRId64 ",\n    .groups = %" PRId64 "\n",
        v->height, v->width, v->in, v->out_height, v->out_width, v->out,
        v->kernel_height, v->kernel_width, v->stride_y, v->stride_x,
        v->dilation_y, v->dilation_x, v->top, v->left, v->bottom, v->right,
        v->groups);
}

static const char *pool_fields(struct compilation *c, const struct pool *p)
{
    static const char *const kinds[] = {
        [POOL_AVERAGE] = "RNET_POOL_AVERAGE", [POOL_MAX] = "RNET_POOL_MAX",
        [POOL_SUM] = "RNET_POOL_SUM", [POOL_TENT] = "RNET_POOL_TENT"
    };

    return arena_format(c->arena,
        "    .kind = %s, .height = %" PRId64 ", .width = %" PRId64
        ",\n    .channels = %" PRId64 ", .out_height = %" PRId64
        ", .out_width = %" PRId64 ",\n    .out_channels = %" PRId64
        ", .kernel_height = %" PRId64 ", .kernel_width = %" PRId64
        ",\n    .stride_y = %" PRId64 ", .stride_x = %" PRId64
        ", .pad_top = %" PRId64 ", .pad_left = %" PRId64
        ",\n    .count_pad = %d\n",
        kinds[p->kind], p->height, p->width, p->channels, p->out_height,
        p->out_width, p->out_channels, p->kernel_height, p->kernel_width,
        p->stride_y, p->stride_x, p->top, p->left, p->count_pad);
}

static const char *attention_fields(struct compilation *c,
                                    const struct node *n)
{
    const int64_t *s = n->set.n;

    return arena_format(c->arena,
        "    .layout = %s, .queries = %" PRId64 ", .keys = %" PRId64
        ",\n    .heads = %" PRId64 ", .groups = %" PRId64 ", .head = %" PRId64
        ",\n    .causal = %" PRId64 ", .scale = %s\n",
        n->out[0]->layout == LAYOUT_STRIPS ? "RNET_STRIPS" : "RNET_PLAIN",
        s[0], s[1], s[2], s[3], s[4], s[5], number_c(c->arena, n->set.r[0]));
}

/* A loss's weights of classes. */
static const char *class_weights(struct compilation *c, const struct node *n)
{
    struct text text = { 0 };
    size_t column = 80;

    for (int64_t i = 0; i < n->in[0]->features; i++) {
        const char *number = number_c(c->arena, n->loss.classes[i]);
        bool wrap = column + strlen(number) + 2 > 78;
        column = (wrap ? 3 : column) + strlen(number) + 2;
        text_add(&text, "%s %s,", !wrap ? "" : i ? "\n   " : "   ", number);
    }
    text_add(&text, "\n");
    const char *kept = arena_text(c->arena, text.data, text.length);
    text_free(&text);
    return kept;
}

/* What describes a node in C: the type, and its fields; NULL: nothing. */
static const char *described(struct compilation *c, const struct node *n,
                             const char **type)
{
    int traits = op_row(n->op)->traits;

    *type = n->op == OP_LOSS ? "float" : traits & CONVOLVES
          ? "struct rnet_conv" : traits & POOLS ? "struct rnet_pool_shape"
          : "struct rnet_attention";
    if (n->op == OP_LOSS)
        return n->loss.classes ? class_weights(c, n) : NULL;
    return traits & CONVOLVES ? conv_fields(c, &n->conv)
         : traits & POOLS ? pool_fields(c, &n->pool)
         : traits & ATTENDS ? attention_fields(c, n) : NULL;
}

static const struct shape_name *find_shape(struct compilation *c,
                                           const char *type,
                                           const char *fields)
{
    const struct shape_name *s = c->network->shapes;

    while (s && (strcmp(s->type, type) || strcmp(s->fields, fields)))
        s = s->next;
    return s;
}

const char *shape_constant(struct writer *w, const struct node *n)
{
    const char *type, *fields = described(w->c, n, &type);

    return find_shape(w->c, type, fields)->name;
}

static const char *name_of(struct compilation *c, const struct node *n,
                           int number)
{
    int traits = op_row(n->op)->traits;

    if (traits & CONVOLVES)
        return arena_format(c->arena, "conv_%" PRId64 "x%" PRId64 "_%" PRId64
                            "_%" PRId64 "_%d", n->conv.kernel_height,
                            n->conv.kernel_width, n->conv.in, n->conv.out,
                            number);
    return arena_format(c->arena, "%s_%d", n->op == OP_LOSS ? "class_weights"
                        : traits & POOLS ? "pool" : "attention", number);
}

static void emit_shape(struct compilation *c, struct text *out,
                       const struct node *n, int *count)
{
    const char *type, *fields = described(c, n, &type);

    if (!fields || find_shape(c, type, fields))
        return;
    struct shape_name *s = NEW(c->arena, struct shape_name);
    *s = (struct shape_name) { type, fields, name_of(c, n, (*count)++),
                               c->network->shapes };
    c->network->shapes = s;
    text_add(out, "static const %s %s%s = {\n%s};\n", type, s->name,
             n->op == OP_LOSS ? "[]" : "", fields);
}

void emit_shapes(struct compilation *c, struct text *out,
                 const struct list *list, int *count)
{
    for (const struct node *n = list->first; n; n = n->next) {
        if (n->inferred || trains(c))
            emit_shape(c, out, n, count);
        if (n->op == OP_LOOP)
            emit_shapes(c, out, &n->loop.body->nodes, count);
    }
}
