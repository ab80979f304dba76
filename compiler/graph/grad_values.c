/* grad_values.c: what gradients are made of: nodes of the backward pass, values
 * like others, gradients that meet, parts that make up a whole's. */
#include "grad.h"

#include <string.h>

struct node *back_node(struct pass *p, enum op op, struct span span)
{
    struct node *node = new_node(p->c, op, span);

    append_node(p->region, &p->region->backward, node);
    return node;
}

struct value *back_value(struct pass *p, struct node *node, enum form form,
                         const struct value *like, const char *name)
{
    struct value *value = new_value(p->c, p->region, form, like->layout,
                                    &like->shape, name, node->span);
    value->rows = like->rows;
    value->features = like->features;
    return node_out(node, value);
}

const char *grad_name(struct pass *p, const struct value *value)
{
    return arena_format(p->c->arena, "d_%s", value->name);
}

struct value *back_grad(struct pass *p, struct node *node,
                        const struct value *of)
{
    return back_value(p, node, FORM_ROWS, of, grad_name(p, of));
}

/* One line of `features` floats for each chunk. */
struct value *back_lines(struct pass *p, struct node *node,
                         enum form form, const struct value *like,
                         int64_t features)
{
    struct shape shape = { 1, { features } };
    struct value *value = new_value(p->c, p->region, form, like->layout,
                                    &shape, "sums", node->span);
    value->rows = like->rows;
    return node_out(node, value);
}

static bool wants_grad(const struct value *value)
{
    return !value->integer;
}

/* The backward pass reads this forward value. */
struct value *keep(struct pass *p, struct value *value)
{
    struct value *memory = value;

    while (memory->base)
        memory = memory->base;
    memory->kept = true;
    value->kept = true;
    for (int i = 0; i < p->region->input_count; i++)
        if (p->region->inputs[i] == memory)
            p->region->input_needed[i] = true;
    for (int i = 0; i < p->region->output_count; i++)
        if (p->region->outputs[i] == memory)
            p->region->output_needed[i] = true;
    return value;
}

struct value *back_point(struct pass *p, const char *step, struct value *x,
                         struct value *operand, struct span span)
{
    struct node *node = back_node(p, OP_POINT, span);

    node->point.step = step;
    node_in(node, x);
    if (operand) {
        node_in(node, operand);
        node->point.by = BY_FULL;
    }
    return back_value(p, node, FORM_ROWS, x, x->name);
}

struct value *back_times(struct pass *p, struct value *x, double number,
                         struct span span)
{
    if (number == 1)
        return x;
    struct value *y = back_point(p, "MUL", x, NULL, span);
    y->producer->point.by = BY_CONST;
    y->producer->point.number = number;
    return y;
}

struct value *back_plain(struct pass *p, struct value *x)
{
    if (x->layout == LAYOUT_PLAIN)
        return x;
    struct node *node = back_node(p, OP_UNPACK, x->span);
    node_in(node, x);
    struct value *y = back_value(p, node, FORM_ROWS, x, x->name);
    y->layout = LAYOUT_PLAIN;
    return y;
}

/* What a plain value was unpacked from, or NULL. */
static struct value *packed(const struct value *value)
{
    const struct node *n = value->producer;

    return n && n->op == OP_UNPACK ? n->in[0] : NULL;
}

/* d value += g; g may be in strips where value is plain */
void add_grad(struct pass *p, struct value *value, struct value *g)
{
    if (g->layout != value->layout && packed(value))
        value = packed(value);
    else if (g->layout != value->layout)
        g = back_plain(p, g);
    if (!wants_grad(value))
        return;
    value->grad = value->grad
        ? back_point(p, "ADD", g, value->grad, value->span) : g;
    if (value->grad != g)
        value->grad->name = grad_name(p, value);
}

/* ---- slices: their gradients are parts of the whole's ---- */

struct part { int64_t offset; struct value *grad; struct part *next; };

/* Zeros like `features` features of a value. */
struct value *back_zeros(struct pass *p, const struct value *like,
                         int64_t features)
{
    struct node *node = back_node(p, OP_POINT, like->span);
    struct shape shape = like->shape;

    node->point.step = "LOAD";
    node->point.by = BY_CONST;
    shape.axis[shape.rank - 1] = features;
    return node_out(node, new_value(p->c, p->region, FORM_ROWS, like->layout,
                                    &shape, "zero", like->span));
}

/* Adds to a concatenation the part at `offset`, zeros before it. */
static int64_t place_part(struct pass *p, struct node *whole,
                          const struct value *like, int64_t end,
                          int64_t offset, struct value *part)
{
    if (offset > end)
        node_in(whole, back_zeros(p, like, offset - end));
    if (part)
        node_in(whole, part);
    return part ? offset + part->features : offset;
}

/* d value += the parts, side by side, zeros between them */
static void fold_parts(struct pass *p, struct value *value)
{
    struct node whole = { 0 };
    int64_t end = 0;

    for (struct part *part = value->parts; part; part = part->next)
        end = place_part(p, &whole, value, end, part->offset, part->grad);
    place_part(p, &whole, value, end, value->features, NULL);
    value->parts = NULL;
    struct node *node = back_node(p, OP_CONCAT, value->span);
    for (int i = 0; i < whole.ins; i++)
        node_in(node, whole.in[i]);
    add_grad(p, value, back_grad(p, node, value));
}

/* The gradient of a value so far, whole. */
struct value *grad_of(struct pass *p, struct value *value)
{
    if (value->parts)
        fold_parts(p, value);
    return value->grad;
}

static bool apart(const struct part *parts, int64_t offset, int64_t features)
{
    int count = 0;

    for (; parts; parts = parts->next, count++)
        if (offset < parts->offset + parts->grad->features
            && parts->offset < offset + features)
            return false;
    return count < NODE_INS / 2 - 1;    /* each may have zeros before it */
}

static struct part *same_part(struct part *parts, int64_t offset,
                              int64_t features)
{
    while (parts && (parts->offset != offset
                     || parts->grad->features != features))
        parts = parts->next;
    return parts;
}

/* y = some features of x */
void grad_slice(struct pass *p, struct node *n, struct value *g)
{
    struct value *x = n->in[0];
    int64_t offset = n->out[0]->offset, features = n->out[0]->features;
    struct part *same = same_part(x->parts, offset, features), **link;

    if (same) {
        same->grad = back_point(p, "ADD", g, same->grad, n->span);
        return;
    }
    if (!apart(x->parts, offset, features))
        fold_parts(p, x);
    for (link = &x->parts; *link && (*link)->offset < offset;)
        link = &(*link)->next;
    struct part *part = NEW(p->c->arena, struct part);
    *part = (struct part) { offset, g, *link };
    *link = part;
}

/* d parameter += sum of acc (SUM), of acc x (SUM_PRODUCT), over rows */
void sum_into(struct pass *p, struct param *param, const char *step,
              struct value *g, struct value *x, struct span span)
{
    bool all = strstr(step, "_ALL") != NULL;
    struct node *reduce = back_node(p, OP_REDUCE, span);

    reduce->point.step = step;
    node_in(reduce, g);
    if (x) {
        node_in(reduce, x);
        reduce->point.by = BY_FULL;
    }
    struct value *lines = back_lines(p, reduce, FORM_LINES, g,
                                     all ? 1 : g->features);
    struct node *add = back_node(p, OP_ADD_SUMS, span);
    node_in(add, lines);
    add->param[0] = param;
}
