/* grad_point.c: gradients of pointwise steps. */
#include "grad.h"

#include <string.h>

static const struct grad_row { const char *step, *grad; bool output; }
grad_rows[] = {
#define OUTPUT true
#define INPUT false
#define ROW(name, step, grad, reads, preset, formula, derivative) \
    { #step, #grad, reads },
    POINTWISE_ROWS(ROW)
#undef ROW
#undef INPUT
#undef OUTPUT
};

/* The gradient's step takes the same number. */
static void take_number(struct point *grad, const struct point *of)
{
    grad->number = of->number;
    grad->has_number = of->has_number;
    grad->varies = of->varies;
    grad->slot = of->slot;
}

static void grad_function(struct pass *p, struct node *n, struct value *g)
{
    for (size_t i = 0; i < sizeof grad_rows / sizeof grad_rows[0]; i++) {
        const struct grad_row *row = &grad_rows[i];
        if (strcmp(row->step, n->point.step))
            continue;
        struct value *read = keep(p, row->output ? n->out[0] : n->in[0]);
        struct value *dx = back_point(p, row->grad, g, read, n->span);
        take_number(&dx->producer->point, &n->point);
        dx->name = grad_name(p, n->in[0]);
        add_grad(p, n->in[0], dx);
        return;
    }
}

/* The same step with the same operand on the gradient. */
static struct value *same_step(struct pass *p, struct node *n,
                               struct value *g)
{
    struct value *dx = back_point(p, n->point.step, g, NULL, n->span);

    dx->producer->point = n->point;
    dx->producer->param[0] = n->param[0];
    dx->name = grad_name(p, n->in[0]);
    if (n->ins > 1)
        node_in(dx->producer, keep(p, n->in[1]));
    return dx;
}

/* y = x + b, x - b, b - x */
static void grad_sum(struct pass *p, struct node *n, struct value *g)
{
    double x = strcmp(n->point.step, "RSUB") == 0 ? -1 : 1;
    double b = strcmp(n->point.step, "SUB") == 0 ? -1 : 1;

    if (n->point.by == BY_FULL)
        add_grad(p, n->in[1], back_times(p, g, b, n->span));
    if (n->point.by == BY_FEATURE)
        sum_into(p, n->param[0], "SUM", back_times(p, g, b, n->span), NULL,
                 n->span);
    if (n->point.by == BY_SCALAR)
        sum_into(p, n->param[0], "SUM_ALL", back_times(p, g, b, n->span), NULL,
                 n->span);
    add_grad(p, n->in[0], back_times(p, g, x, n->span));
}

/* y = x b: dx = dy b, db = dy x */
static void grad_product(struct pass *p, struct node *n, struct value *g)
{
    struct value *x = n->in[0];

    if (n->point.by == BY_FULL)
        add_grad(p, n->in[1], back_point(p, "MUL", g, keep(p, x), n->span));
    if (n->point.by == BY_FEATURE)
        sum_into(p, n->param[0], "SUM_PRODUCT", g, keep(p, x), n->span);
    if (n->point.by == BY_SCALAR)
        sum_into(p, n->param[0], "SUM_PRODUCT_ALL", g, keep(p, x), n->span);
    add_grad(p, x, same_step(p, n, g));
}

/* y = x / b: dx = dy / b, db = -dy y / b; y = b / x the other way round */
static void grad_quotient(struct pass *p, struct node *n, struct value *g)
{
    bool reverse = strcmp(n->point.step, "RDIV") == 0;
    struct value *top = reverse ? n->in[1] : n->in[0];
    struct value *bottom = reverse ? n->in[0] : n->in[1];

    if (n->point.by == BY_CONST && !reverse) {
        add_grad(p, n->in[0], same_step(p, n, g));
        return;
    }
    struct value *d = back_point(p, "DIV", g, keep(p, bottom), n->span);
    struct value *db = back_point(p, "MUL", d, keep(p, n->out[0]), n->span);
    if (n->point.by == BY_FULL)
        add_grad(p, top, d);
    add_grad(p, bottom, back_times(p, db, -1, n->span));
}

/* The operand is one vector a sample: its gradient sums over the rows of the
 * sample, which are the lines of a plain value. */
static void grad_sample(struct pass *p, struct node *n, struct value *g)
{
    bool product = strcmp(n->point.step, "MUL") == 0;
    struct node *reduce;

    struct value *flat = back_plain(p, g);
    struct value *x = product ? back_plain(p, keep(p, n->in[0])) : NULL;
    reduce = back_node(p, OP_REDUCE, n->span);
    reduce->point.step = product ? "SUM_PRODUCT" : "SUM";
    node_in(reduce, flat);
    if (x) {
        node_in(reduce, x);
        reduce->point.by = BY_FULL;
    }
    struct value *lines = back_lines(p, reduce, FORM_LINES, flat, g->features);
    struct node *view = back_node(p, OP_RESHAPE, n->span);
    node_in(view, lines);
    struct value *db = back_grad(p, view, n->in[1]);
    db->base = lines;
    db->reshaped = true;
    if (strcmp(n->point.step, "SUB") == 0)
        db = back_times(p, db, -1, n->span);
    add_grad(p, n->in[1], db);
    if (product)
        add_grad(p, n->in[0], same_step(p, n, g));
    else
        add_grad(p, n->in[0], strcmp(n->point.step, "RSUB") ? g
                   : back_times(p, g, -1, n->span));
}

static bool step_is(const struct node *n, const char *a, const char *b,
                    const char *c)
{
    return strcmp(n->point.step, a) == 0 || strcmp(n->point.step, b) == 0
        || strcmp(n->point.step, c) == 0;
}

void grad_point(struct pass *p, struct node *n, struct value *g)
{
    if (!n->ins)                /* a constant */
        return;
    if (n->point.by == BY_SAMPLE_FEATURE)
        grad_sample(p, n, g);
    else if (step_is(n, "ADD", "SUB", "RSUB"))
        grad_sum(p, n, g);
    else if (step_is(n, "MUL", "MUL", "MUL"))
        grad_product(p, n, g);
    else if (step_is(n, "DIV", "RDIV", "DIV"))
        grad_quotient(p, n, g);
    else if (step_is(n, "DROP_BATCH", "DROP_BATCH", "DROP_BATCH"))
        add_grad(p, n->in[0], g);     /* run only when the branch is kept */
    else if (step_is(n, "DROPOUT", "DROP_SAMPLE", "DROPOUT"))
        add_grad(p, n->in[0], same_step(p, n, g));
    else
        grad_function(p, n, g);
}
