/* grad_layers.c: gradients of copies, of layers and of losses. */
#include "grad.h"

#include <string.h>

/* ---- copies and views ---- */

/* A slice's rows are apart: views and blocks need them together. */
struct value *grad_together(struct pass *p, struct value *g)
{
    if (!g->base || g->reshaped)
        return g;
    struct value *copy = back_point(p, "MUL", g, NULL, g->span);
    copy->producer->point.by = BY_CONST;
    copy->producer->point.number = 1;
    return copy;
}

void grad_reshape(struct pass *p, struct node *n, struct value *g)
{
    g = grad_together(p, g);
    struct node *node = back_node(p, OP_RESHAPE, n->span);
    node_in(node, g);
    struct value *dx = back_grad(p, node, n->in[0]);
    dx->base = g;
    dx->reshaped = true;
    add_grad(p, n->in[0], dx);
}

void grad_pack(struct pass *p, struct node *n, struct value *g)
{
    struct node *node = back_node(p, n->op == OP_PACK ? OP_UNPACK : OP_PACK,
                                  n->span);
    node_in(node, g);
    add_grad(p, n->in[0], back_grad(p, node, n->in[0]));
}

void grad_concat(struct pass *p, struct node *n, struct value *g)
{
    int64_t offset = 0;

    for (int i = 0; i < n->ins; i++) {
        struct node *node = back_node(p, OP_SLICE, n->span);
        node_in(node, g);
        struct value *dx = back_grad(p, node, n->in[i]);
        dx->base = g;
        dx->offset = offset;
        offset += n->in[i]->features;
        add_grad(p, n->in[i], dx);
    }
}

/* ---- layers ---- */

/* dW += dy x', db += sum dy */
static void linear_weight_grad(struct pass *p, struct node *n, struct value *g)
{
    struct node *dw = back_node(p, OP_LINEAR_DW, n->span);
    node_in(dw, g);
    node_in(dw, keep(p, n->in[0]));
    dw->param[0] = n->param[0];
    dw->param[1] = n->param[1];
}

/* and dx = W' dy: first, where the other changes W */
void grad_linear(struct pass *p, struct node *n, struct value *g)
{
    bool steps = n->param[0]->stepped;

    if (!steps)
        linear_weight_grad(p, n, g);
    struct node *dx = back_node(p, OP_LINEAR_DX, n->span);
    node_in(dx, g);
    dx->param[0] = n->param[0];
    add_grad(p, n->in[0], back_grad(p, dx, n->in[0]));
    if (steps)
        linear_weight_grad(p, n, g);
}

void grad_embedding(struct pass *p, struct node *n, struct value *g)
{
    struct node *dw = back_node(p, OP_EMBEDDING_DW, n->span);
    node_in(dw, g);
    if (n->ins)
        node_in(dw, keep(p, n->in[0]));
    dw->param[0] = n->param[0];
}

static struct node *conv_grad(struct pass *p, struct node *n, struct value *g)
{
    struct node *node = back_node(p, OP_CONV_GRAD, n->span);
    node->conv = n->conv;
    node_in(node, g);
    node_in(node, keep(p, n->in[0]));
    node->param[0] = n->param[0];
    return node;
}

/* dW += dy * x, db += sum dy; dx = W' * dy.  Where only the caller may want
 * dx, it is a kernel of its own that may be left out (param[2] marks the other),
 * and the first, where the other changes W. */
void grad_conv(struct pass *p, struct node *n, struct value *g)
{
    bool apart = n->in[0]->from_inputs, first = n->param[0]->stepped;
    struct node *dx = apart && first ? conv_grad(p, n, g) : NULL;
    struct node *dw = conv_grad(p, n, g);

    dw->param[1] = n->param[1];
    dw->param[2] = n->param[0];         /* makes dW */
    if (!dx)
        dx = apart ? conv_grad(p, n, g) : dw;
    add_grad(p, n->in[0], back_grad(p, dx, n->in[0]));
}

/* y = W' * x + b: dx = W * dy, dW += x * dy, db += sum dy */
void grad_upconv(struct pass *p, struct node *n, struct value *g)
{
    struct node *dw = back_node(p, OP_CONV_GRAD, n->span);
    dw->conv = n->conv;
    node_in(dw, keep(p, n->in[0]));
    node_in(dw, g);
    dw->param[0] = dw->param[2] = n->param[0];
    if (n->param[1])
        sum_into(p, n->param[1], "SUM", g, NULL, n->span);
    struct node *dx = back_node(p, OP_CONV, n->span);
    dx->conv = n->conv;
    node_in(dx, g);
    dx->param[0] = n->param[0];
    add_grad(p, n->in[0], back_grad(p, dx, n->in[0]));
}

/* Pooling and its gradient, as it is or as a layer. */
void grad_pool(struct pass *p, struct node *n, struct value *g)
{
    struct node *node = back_node(p, n->op == OP_POOL ? OP_POOL_GRAD : OP_POOL,
                                  n->span);
    node->pool = n->pool;
    node_in(node, g);
    if (n->pool.kind == POOL_MAX)
        node_in(node, keep(p, n->in[0]));
    add_grad(p, n->in[0], back_grad(p, node, n->in[0]));
}

static void add_lines(struct pass *p, struct value *lines, int64_t first,
                      struct param *param, struct span span)
{
    if (!param)
        return;
    struct node *add = back_node(p, OP_ADD_SUMS, span);
    node_in(add, lines);
    add->param[0] = param;
    add->sums.first = first;
}

void grad_norm(struct pass *p, struct node *n, struct value *g)
{
    struct node *node = back_node(p, OP_NORM_GRAD, n->span);
    node->norm = n->norm;
    node_in(node, g);
    node_in(node, keep(p, n->out[n->param[0] ? 1 : 0]));    /* x^ */
    node_in(node, keep(p, n->out[2]));
    node->param[0] = n->param[0];
    node->param[1] = n->param[1];
    struct value *dx = back_grad(p, node, n->in[0]);
    if (n->param[0]) {
        struct value *lines = back_lines(p, node, n->norm.maps ? FORM_LINES
                                         : FORM_LINES32, g, 2 * g->features);
        add_lines(p, lines, 0, n->param[0], n->span);
        add_lines(p, lines, g->features, n->param[1], n->span);
    }
    add_grad(p, n->in[0], dx);
}

void grad_batch_norm(struct pass *p, struct node *n, struct value *g)
{
    struct node *node = back_node(p, OP_BATCH_NORM_GRAD, n->span);
    node->norm = n->norm;
    node_in(node, g);
    node_in(node, keep(p, n->in[0]));
    node_in(node, keep(p, n->out[1]));
    node->param[0] = n->param[0];
    node->param[1] = n->param[1];
    add_grad(p, n->in[0], back_grad(p, node, n->in[0]));
}

/* ---- operators whose gradients are rows of ops.h ---- */

static const struct gradient { enum op op, grad; const char *reads, *gives; }
gradients[] = {
#define ROW(op, grad, reads, gives) { OP_##op, OP_##grad, reads, gives },
    GRADIENT_ROWS(ROW)
#undef ROW
};

/* What a row reads of the operator; NULL where a parameter stands for it. */
static struct value *read_of(const struct node *n, const char *word)
{
    int k = word[1] - '0';

    return *word == 'o' ? n->out[k] : k < n->ins ? n->in[k] : NULL;
}

/* The gradient of parameter 0, one for each row of g. */
static void made_weight_grad(struct pass *p, struct node *node,
                             const struct node *n, const struct value *g)
{
    struct shape shape = g->shape;

    shape.axis[shape.rank - 1] = n->param[0]->size;
    node_out(node, new_value(p->c, p->region, FORM_ROWS, g->layout, &shape,
                             arena_format(p->c->arena, "d_%s",
                                          n->param[0]->leaf), n->span));
}

static void grad_row(struct pass *p, struct node *n, struct value *g,
                     const struct gradient *row)
{
    bool gathers = op_row(row->grad)->traits & GATHERS;
    g = gathers ? back_plain(p, g) : g;
    struct node *node = back_node(p, row->grad, n->span);

    node->set = n->set;
    node->worker = n->worker > n->grad_worker ? n->worker : n->grad_worker;
    node->shared = n->shared;
    node->own[0] = n->own[1];
    memcpy(node->param, n->param, sizeof node->param);
    node_in(node, g);
    for (const char *r = row->reads; *r; r += r[2] ? 3 : 2)
        if (read_of(n, r))
            node_in(node, keep(p, read_of(n, r)));
    for (const char *i = row->gives; *i; i += i[1] ? 2 : 1)
        if (*i - '0' < n->ins)
            back_grad(p, node, n->in[*i - '0'])->layout
                = gathers ? LAYOUT_STRIPS : n->in[*i - '0']->layout;
        else
            made_weight_grad(p, node, n, g);
    for (int k = 0; k < node->outs; k++) {
        int to = row->gives[2 * k] - '0';
        if (to < n->ins)
            add_grad(p, n->in[to], node->out[k]);
        else
            sum_into(p, n->param[0], "SUM", node->out[k], NULL, n->span);
    }
}

void grad_rows_of(struct pass *p, struct node *n, struct value *g)
{
    for (size_t i = 0; i < sizeof gradients / sizeof gradients[0]; i++)
        if (gradients[i].op == n->op)
            grad_row(p, n, g, &gradients[i]);
}

/* The loss and its gradient are one kernel, where backward begins. */
void grad_loss(struct pass *p, struct node *n)
{
    struct node *node = back_node(p, OP_LOSS, n->span);
    node->loss = n->loss;
    for (int i = 0; i < n->ins; i++)
        node_in(node, keep(p, n->in[i]));
    add_grad(p, n->in[0], back_grad(p, node, n->in[0]));
}
