/* grad.c: the backward pass of every region, one rule an operator.
 * Requires: the network.  Gives: region->backward, in an order in which it can
 * run, seeds and grads; value->kept on the forward values it reads.
 * The rule for an operator states how the gradient of its result, dy, becomes
 * that of its inputs; gradients that meet are added. */
#include "graph.h"

#include <string.h>

struct pass { struct compilation *c; struct region *region; };

/* ---- helpers ---- */

static struct node *emit(struct pass *p, enum op op, struct span span)
{
    struct node *node = new_node(p->c, op, span);

    append_node(p->region, &p->region->backward, node);
    return node;
}

static struct value *made(struct pass *p, struct node *node, enum form form,
                          const struct value *like, const char *name)
{
    struct value *value = new_value(p->c, p->region, form, like->layout,
                                    &like->shape, name, node->span);
    value->rows = like->rows;
    value->features = like->features;
    return node_out(node, value);
}

static const char *grad_name(struct pass *p, const struct value *value)
{
    return arena_format(p->c->arena, "d_%s", value->name);
}

static struct value *made_grad(struct pass *p, struct node *node,
                               const struct value *of)
{
    return made(p, node, FORM_ROWS, of, grad_name(p, of));
}

/* One line of `features` floats for each chunk. */
static struct value *made_lines(struct pass *p, struct node *node,
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
static struct value *keep(struct pass *p, struct value *value)
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

static struct value *point(struct pass *p, const char *step, struct value *x,
                           struct value *operand, struct span span)
{
    struct node *node = emit(p, OP_POINT, span);

    node->point.step = step;
    node_in(node, x);
    if (operand) {
        node_in(node, operand);
        node->point.by = BY_FULL;
    }
    return made(p, node, FORM_ROWS, x, x->name);
}

static struct value *times(struct pass *p, struct value *x, double number,
                           struct span span)
{
    if (number == 1)
        return x;
    struct value *y = point(p, "MUL", x, NULL, span);
    y->producer->point.by = BY_CONST;
    y->producer->point.number = number;
    return y;
}

static struct value *plain(struct pass *p, struct value *x)
{
    if (x->layout == LAYOUT_PLAIN)
        return x;
    struct node *node = emit(p, OP_UNPACK, x->span);
    node_in(node, x);
    struct value *y = made(p, node, FORM_ROWS, x, x->name);
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
static void accumulate(struct pass *p, struct value *value, struct value *g)
{
    if (g->layout != value->layout && packed(value))
        value = packed(value);
    else if (g->layout != value->layout)
        g = plain(p, g);
    if (!wants_grad(value))
        return;
    value->grad = value->grad
        ? point(p, "ADD", g, value->grad, value->span) : g;
    if (value->grad != g)
        value->grad->name = grad_name(p, value);
}

/* ---- slices: their gradients are parts of the whole's ---- */

struct part { int64_t offset; struct value *grad; struct part *next; };

/* Zeros like `features` features of a value. */
static struct value *zeros(struct pass *p, const struct value *like,
                           int64_t features)
{
    struct node *node = emit(p, OP_POINT, like->span);
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
        node_in(whole, zeros(p, like, offset - end));
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
    struct node *node = emit(p, OP_CONCAT, value->span);
    for (int i = 0; i < whole.ins; i++)
        node_in(node, whole.in[i]);
    accumulate(p, value, made_grad(p, node, value));
}

/* The gradient of a value so far, whole. */
static struct value *grad_of(struct pass *p, struct value *value)
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
static void grad_slice(struct pass *p, struct node *n, struct value *g)
{
    struct value *x = n->in[0];
    int64_t offset = n->out[0]->offset, features = n->out[0]->features;
    struct part *same = same_part(x->parts, offset, features), **link;

    if (same) {
        same->grad = point(p, "ADD", g, same->grad, n->span);
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
static void sum_into(struct pass *p, struct param *param, const char *step,
                     struct value *g, struct value *x, struct span span)
{
    bool all = strstr(step, "_ALL") != NULL;
    struct node *reduce = emit(p, OP_REDUCE, span);

    reduce->point.step = step;
    node_in(reduce, g);
    if (x) {
        node_in(reduce, x);
        reduce->point.by = BY_FULL;
    }
    struct value *lines = made_lines(p, reduce, FORM_LINES, g,
                                     all ? 1 : g->features);
    struct node *add = emit(p, OP_ADD_SUMS, span);
    node_in(add, lines);
    add->param[0] = param;
}

/* ---- pointwise ---- */

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
        struct value *dx = point(p, row->grad, g, read, n->span);
        take_number(&dx->producer->point, &n->point);
        dx->name = grad_name(p, n->in[0]);
        accumulate(p, n->in[0], dx);
        return;
    }
}

/* The same step with the same operand on the gradient. */
static struct value *same_step(struct pass *p, struct node *n,
                               struct value *g)
{
    struct value *dx = point(p, n->point.step, g, NULL, n->span);

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
        accumulate(p, n->in[1], times(p, g, b, n->span));
    if (n->point.by == BY_FEATURE)
        sum_into(p, n->param[0], "SUM", times(p, g, b, n->span), NULL,
                 n->span);
    if (n->point.by == BY_SCALAR)
        sum_into(p, n->param[0], "SUM_ALL", times(p, g, b, n->span), NULL,
                 n->span);
    accumulate(p, n->in[0], times(p, g, x, n->span));
}

/* y = x b: dx = dy b, db = dy x */
static void grad_product(struct pass *p, struct node *n, struct value *g)
{
    struct value *x = n->in[0];

    if (n->point.by == BY_FULL)
        accumulate(p, n->in[1], point(p, "MUL", g, keep(p, x), n->span));
    if (n->point.by == BY_FEATURE)
        sum_into(p, n->param[0], "SUM_PRODUCT", g, keep(p, x), n->span);
    if (n->point.by == BY_SCALAR)
        sum_into(p, n->param[0], "SUM_PRODUCT_ALL", g, keep(p, x), n->span);
    accumulate(p, x, same_step(p, n, g));
}

/* y = x / b: dx = dy / b, db = -dy y / b; y = b / x the other way round */
static void grad_quotient(struct pass *p, struct node *n, struct value *g)
{
    bool reverse = strcmp(n->point.step, "RDIV") == 0;
    struct value *top = reverse ? n->in[1] : n->in[0];
    struct value *bottom = reverse ? n->in[0] : n->in[1];

    if (n->point.by == BY_CONST && !reverse) {
        accumulate(p, n->in[0], same_step(p, n, g));
        return;
    }
    struct value *d = point(p, "DIV", g, keep(p, bottom), n->span);
    struct value *db = point(p, "MUL", d, keep(p, n->out[0]), n->span);
    if (n->point.by == BY_FULL)
        accumulate(p, top, d);
    accumulate(p, bottom, times(p, db, -1, n->span));
}

/* The operand is one vector a sample: its gradient sums over the rows of the
 * sample, which are the lines of a plain value. */
static void grad_sample(struct pass *p, struct node *n, struct value *g)
{
    bool product = strcmp(n->point.step, "MUL") == 0;
    struct node *reduce;

    struct value *flat = plain(p, g);
    struct value *x = product ? plain(p, keep(p, n->in[0])) : NULL;
    reduce = emit(p, OP_REDUCE, n->span);
    reduce->point.step = product ? "SUM_PRODUCT" : "SUM";
    node_in(reduce, flat);
    if (x) {
        node_in(reduce, x);
        reduce->point.by = BY_FULL;
    }
    struct value *lines = made_lines(p, reduce, FORM_LINES, flat, g->features);
    struct node *view = emit(p, OP_RESHAPE, n->span);
    node_in(view, lines);
    struct value *db = made_grad(p, view, n->in[1]);
    db->base = lines;
    db->reshaped = true;
    if (strcmp(n->point.step, "SUB") == 0)
        db = times(p, db, -1, n->span);
    accumulate(p, n->in[1], db);
    if (product)
        accumulate(p, n->in[0], same_step(p, n, g));
    else
        accumulate(p, n->in[0], strcmp(n->point.step, "RSUB") ? g
                   : times(p, g, -1, n->span));
}

static bool step_is(const struct node *n, const char *a, const char *b,
                    const char *c)
{
    return strcmp(n->point.step, a) == 0 || strcmp(n->point.step, b) == 0
        || strcmp(n->point.step, c) == 0;
}

static void grad_point(struct pass *p, struct node *n, struct value *g)
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
        accumulate(p, n->in[0], g);     /* run only when the branch is kept */
    else if (step_is(n, "DROPOUT", "DROP_SAMPLE", "DROPOUT"))
        accumulate(p, n->in[0], same_step(p, n, g));
    else
        grad_function(p, n, g);
}

/* ---- copies and views ---- */

/* A slice's rows are apart: views and blocks need them together. */
static struct value *together(struct pass *p, struct value *g)
{
    if (!g->base || g->reshaped)
        return g;
    struct value *copy = point(p, "MUL", g, NULL, g->span);
    copy->producer->point.by = BY_CONST;
    copy->producer->point.number = 1;
    return copy;
}

static void grad_reshape(struct pass *p, struct node *n, struct value *g)
{
    g = together(p, g);
    struct node *node = emit(p, OP_RESHAPE, n->span);
    node_in(node, g);
    struct value *dx = made_grad(p, node, n->in[0]);
    dx->base = g;
    dx->reshaped = true;
    accumulate(p, n->in[0], dx);
}

static void grad_pack(struct pass *p, struct node *n, struct value *g)
{
    struct node *node = emit(p, n->op == OP_PACK ? OP_UNPACK : OP_PACK,
                             n->span);
    node_in(node, g);
    accumulate(p, n->in[0], made_grad(p, node, n->in[0]));
}

static void grad_concat(struct pass *p, struct node *n, struct value *g)
{
    int64_t offset = 0;

    for (int i = 0; i < n->ins; i++) {
        struct node *node = emit(p, OP_SLICE, n->span);
        node_in(node, g);
        struct value *dx = made_grad(p, node, n->in[i]);
        dx->base = g;
        dx->offset = offset;
        offset += n->in[i]->features;
        accumulate(p, n->in[i], dx);
    }
}

/* ---- layers ---- */

/* dW += dy x', db += sum dy; dx = W' dy */
static void grad_linear(struct pass *p, struct node *n, struct value *g)
{
    struct node *dw = emit(p, OP_LINEAR_DW, n->span);
    node_in(dw, g);
    node_in(dw, keep(p, n->in[0]));
    dw->param[0] = n->param[0];
    dw->param[1] = n->param[1];
    struct node *dx = emit(p, OP_LINEAR_DX, n->span);
    node_in(dx, g);
    dx->param[0] = n->param[0];
    accumulate(p, n->in[0], made_grad(p, dx, n->in[0]));
}

static void grad_embedding(struct pass *p, struct node *n, struct value *g)
{
    struct node *dw = emit(p, OP_EMBEDDING_DW, n->span);
    node_in(dw, g);
    if (n->ins)
        node_in(dw, keep(p, n->in[0]));
    dw->param[0] = n->param[0];
}

static struct node *conv_grad(struct pass *p, struct node *n, struct value *g)
{
    struct node *node = emit(p, OP_CONV_GRAD, n->span);
    node->conv = n->conv;
    node_in(node, g);
    node_in(node, keep(p, n->in[0]));
    node->param[0] = n->param[0];
    return node;
}

/* dW += dy * x, db += sum dy; dx = W' * dy.  Where only the caller may want
 * dx, it is a kernel of its own that may be left out (param[2] marks it). */
static void grad_conv(struct pass *p, struct node *n, struct value *g)
{
    struct node *node = conv_grad(p, n, g);
    node->param[1] = n->param[1];
    node->param[2] = n->param[0];       /* makes dW */
    if (n->in[0]->from_inputs)
        node = conv_grad(p, n, g);
    accumulate(p, n->in[0], made_grad(p, node, n->in[0]));
}

/* y = W' * x + b: dx = W * dy, dW += x * dy, db += sum dy */
static void grad_upconv(struct pass *p, struct node *n, struct value *g)
{
    struct node *dw = emit(p, OP_CONV_GRAD, n->span);
    dw->conv = n->conv;
    node_in(dw, keep(p, n->in[0]));
    node_in(dw, g);
    dw->param[0] = dw->param[2] = n->param[0];
    if (n->param[1])
        sum_into(p, n->param[1], "SUM", g, NULL, n->span);
    struct node *dx = emit(p, OP_CONV, n->span);
    dx->conv = n->conv;
    node_in(dx, g);
    dx->param[0] = n->param[0];
    accumulate(p, n->in[0], made_grad(p, dx, n->in[0]));
}

/* Pooling and its gradient, as it is or as a layer. */
static void grad_pool(struct pass *p, struct node *n, struct value *g)
{
    struct node *node = emit(p, n->op == OP_POOL ? OP_POOL_GRAD : OP_POOL,
                             n->span);
    node->pool = n->pool;
    node_in(node, g);
    if (n->pool.kind == POOL_MAX)
        node_in(node, keep(p, n->in[0]));
    accumulate(p, n->in[0], made_grad(p, node, n->in[0]));
}

static void add_lines(struct pass *p, struct value *lines, int64_t first,
                      struct param *param, struct span span)
{
    if (!param)
        return;
    struct node *add = emit(p, OP_ADD_SUMS, span);
    node_in(add, lines);
    add->param[0] = param;
    add->sums.first = first;
}

static void grad_norm(struct pass *p, struct node *n, struct value *g)
{
    struct node *node = emit(p, OP_NORM_GRAD, n->span);
    node->norm = n->norm;
    node_in(node, g);
    node_in(node, keep(p, n->out[n->param[0] ? 1 : 0]));    /* x^ */
    node_in(node, keep(p, n->out[2]));
    node->param[0] = n->param[0];
    node->param[1] = n->param[1];
    struct value *dx = made_grad(p, node, n->in[0]);
    if (n->param[0]) {
        struct value *lines = made_lines(p, node, n->norm.maps ? FORM_LINES
                                         : FORM_LINES32, g, 2 * g->features);
        add_lines(p, lines, 0, n->param[0], n->span);
        add_lines(p, lines, g->features, n->param[1], n->span);
    }
    accumulate(p, n->in[0], dx);
}

static void grad_batch_norm(struct pass *p, struct node *n, struct value *g)
{
    struct node *node = emit(p, OP_BATCH_NORM_GRAD, n->span);
    node->norm = n->norm;
    node_in(node, g);
    node_in(node, keep(p, n->in[0]));
    node_in(node, keep(p, n->out[1]));
    node->param[0] = n->param[0];
    node->param[1] = n->param[1];
    accumulate(p, n->in[0], made_grad(p, node, n->in[0]));
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
    g = gathers ? plain(p, g) : g;
    struct node *node = emit(p, row->grad, n->span);

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
            made_grad(p, node, n->in[*i - '0'])->layout
                = gathers ? LAYOUT_STRIPS : n->in[*i - '0']->layout;
        else
            made_weight_grad(p, node, n, g);
    for (int k = 0; k < node->outs; k++) {
        int to = row->gives[2 * k] - '0';
        if (to < n->ins)
            accumulate(p, n->in[to], node->out[k]);
        else
            sum_into(p, n->param[0], "SUM", node->out[k], NULL, n->span);
    }
}

static void grad_rows_of(struct pass *p, struct node *n, struct value *g)
{
    for (size_t i = 0; i < sizeof gradients / sizeof gradients[0]; i++)
        if (gradients[i].op == n->op)
            grad_row(p, n, g, &gradients[i]);
}

/* The loss and its gradient are one kernel, where backward begins. */
static void grad_loss(struct pass *p, struct node *n)
{
    struct node *node = emit(p, OP_LOSS, n->span);
    node->loss = n->loss;
    for (int i = 0; i < n->ins; i++)
        node_in(node, keep(p, n->in[i]));
    accumulate(p, n->in[0], made_grad(p, node, n->in[0]));
}

/* ---- blocks and repeats ---- */

static void grad_call(struct pass *p, struct node *n, struct value *g)
{
    g = together(p, g);
    struct node *node = emit(p, OP_CALL_GRAD, n->span);
    const struct region *body = n->call.callee->body;

    n->graded = true;
    node->call = n->call;
    node->call.forward = n;
    node_in(node, g);
    node_in(node, body->input_needed[0] ? keep(p, n->in[0]) : n->in[0]);
    node_in(node, body->output_needed[0] ? keep(p, n->out[0]) : n->out[0]);
    if (body->grads[0])
        accumulate(p, n->in[0], made_grad(p, node, n->in[0]));
}

static void grad_region(struct compilation *c, struct region *region);

/* The gradient of a value from outside a loop is the sum over iterations: it
 * starts from what is there already, or from 0. */
static bool captured_sums(struct pass *p, struct node *n, struct value **sums)
{
    const struct region *body = n->loop.body;
    int count = 0;

    for (int i = 1; i < n->ins; i++) {
        struct value *g = body->sums[i] ? grad_of(p, n->in[i]) : NULL;
        if (!body->sums[i])
            continue;
        sums[i] = g ? point(p, "MUL", g, NULL, n->span)
                    : zeros(p, n->in[i], n->in[i]->features);
        sums[i]->producer->point.by = BY_CONST;
        sums[i]->producer->point.number = g ? 1 : 0;
        sums[i]->name = grad_name(p, n->in[i]);
        count++;
    }
    if (body->grads[0] && n->ins + 2 + count <= NODE_INS
        && count < NODE_OUTS)
        return true;
    diag_error(p->c->diag, &n->span, n->loop.draw
               ? "this branch uses more values from outside than can be "
                 "trained when it may be left out; the limit is 6"
               : body->grads[0] ? "this repeat uses more values from outside than can be "
                 "trained through it; the limit is 6"
               : "the result of this repeat does not depend on the value "
                 "that enters it: it cannot be trained");
    return false;
}

static void grad_loop(struct pass *p, struct node *n, struct value *g)
{
    g = together(p, g);
    struct region *body = n->loop.body;
    grad_region(p->c, body);
    struct value *sums[NODE_INS] = { NULL };
    if (!captured_sums(p, n, sums))
        return;
    for (int i = n->loop.inverse ? 1 : 0; i < n->ins; i++)
        body->input_needed[i] |= n->loop.recompute;
    if (n->loop.inverse)        /* x follows from y */
        body->input_needed[0] = false;
    body->output_needed[0] |= n->loop.inverse != NULL;
    struct node *node = emit(p, OP_LOOP_GRAD, n->span);

    n->graded = true;
    node->loop = n->loop;
    node->loop.forward = n;
    node_in(node, g);
    node_in(node, body->input_needed[0] ? keep(p, n->in[0]) : n->in[0]);
    node_in(node, body->output_needed[0] ? keep(p, n->out[0]) : n->out[0]);
    for (int i = 1; i < n->ins; i++)
        node_in(node, body->input_needed[i] ? keep(p, n->in[i]) : n->in[i]);
    struct value *dx = made_grad(p, node, n->in[0]);
    for (int i = 1; i < n->ins; i++)
        if (sums[i]) {
            node_in(node, sums[i]);
            n->in[i]->grad = made_grad(p, node, n->in[i]);
            n->in[i]->grad->base = sums[i];
            n->in[i]->grad->reshaped = true;
        }
    accumulate(p, n->in[0], dx);    /* which may be captured as well */
}

/* ---- the pass ---- */

static void grad_node(struct pass *p, struct node *n, struct value *g)
{
    switch (n->op) {
    case OP_POINT:      grad_point(p, n, g); break;
    case OP_RESHAPE:    grad_reshape(p, n, g); break;
    case OP_SLICE:      grad_slice(p, n, g); break;
    case OP_PACK:
    case OP_UNPACK:     grad_pack(p, n, g); break;
    case OP_CONCAT:     grad_concat(p, n, g); break;
    case OP_LINEAR:     grad_linear(p, n, g); break;
    case OP_EMBEDDING:  grad_embedding(p, n, g); break;
    case OP_CONV:       grad_conv(p, n, g); break;
    case OP_UPCONV:     grad_upconv(p, n, g); break;
    case OP_POOL:
    case OP_UPSAMPLE:   grad_pool(p, n, g); break;
    case OP_NORM:       grad_norm(p, n, g); break;
    case OP_BATCH_NORM: grad_batch_norm(p, n, g); break;
    case OP_CALL:       grad_call(p, n, g); break;
    case OP_LOOP:       grad_loop(p, n, g); break;
    default:            grad_rows_of(p, n, g); break;
    }
}

/* Values that no parameter went into: only the caller may want their
 * gradient. */
static void mark_from_inputs(struct region *region)
{
    for (struct node *n = region->nodes.first; n; n = n->next) {
        bool from = !n->param[0] && n->op != OP_CALL && n->op != OP_LOOP;
        for (int i = 0; i < n->ins; i++)
            from &= n->in[i]->from_inputs;
        for (int i = 0; i < n->outs; i++)
            n->out[i]->from_inputs = from;
    }
}

static void seed(struct pass *p, struct region *region)
{
    struct compilation *c = p->c;

    region->seeds = arena_alloc(c->arena, sizeof *region->seeds
                                * (size_t)(region->output_count + 1));
    for (int i = 0; i < region->output_count; i++) {
        struct value *out = region->outputs[i];
        struct value *g = new_value(c, region, FORM_ROWS, out->layout,
                                    &out->shape, grad_name(p, out), out->span);
        region->seeds[i] = g;
        accumulate(p, out, g);
    }
}

/* A region's results lie in memory of their own. */
static struct value *own_grad(struct pass *p, struct value *g)
{
    if (!g || (g->producer && !g->base))
        return g;
    struct value *copy = point(p, "MUL", g, NULL, g->span);
    copy->producer->point.by = BY_CONST;
    copy->producer->point.number = 1;
    return copy;
}

/* What one iteration adds to the gradient of a captured value. */
static struct value *sum_captured(struct pass *p, struct value *input,
                                  struct value *g)
{
    struct value *sum = new_value(p->c, p->region, FORM_ROWS, input->layout,
                                  &input->shape, grad_name(p, input),
                                  input->span);
    point(p, "ACCUMULATE", together(p, g), sum, input->span);
    return sum;
}

static void collect_grads(struct pass *p, struct region *region)
{
    for (int i = 0; i < region->input_count; i++) {
        struct value *input = region->inputs[i], *g = grad_of(p, input);
        if (i == 0)
            region->grads[i] = own_grad(p, g);
        else if (g)
            region->sums[i] = sum_captured(p, input, g);
    }
}

static void prepare(struct pass *p, struct region *region)
{
    size_t inputs = (size_t)region->input_count + 1;
    size_t outputs = (size_t)region->output_count + 1;

    region->input_needed = arena_alloc(p->c->arena, inputs);
    region->output_needed = arena_alloc(p->c->arena, outputs);
    region->grads = arena_alloc(p->c->arena, sizeof *region->grads * inputs);
    region->sums = arena_alloc(p->c->arena, sizeof *region->sums * inputs);
    seed(p, region);
}

/* What serves no loss has an empty backward list. */
static void no_gradient(struct compilation *c, struct region *region)
{
    struct pass p = { c, region };

    prepare(&p, region);
    for (struct node *n = region->nodes.first; n; n = n->next)
        if (n->op == OP_LOOP)
            no_gradient(c, n->loop.body);
}

static void grad_region(struct compilation *c, struct region *region)
{
    struct pass p = { c, region };

    prepare(&p, region);
    for (struct node *n = region->nodes.last; n; n = n->previous) {
        if (n->op == OP_LOSS)
            grad_loss(&p, n);
        else if (n->outs && grad_of(&p, n->out[0]) && !n->out[0]->integer)
            grad_node(&p, n, n->out[0]->grad);
        else if (n->op == OP_LOOP)
            no_gradient(c, n->loop.body);
    }
    collect_grads(&p, region);
}

static bool has_loss(const struct network *network)
{
    for (const struct node *n = network->main->body->nodes.first; n;
         n = n->next)
        if (n->op == OP_LOSS)
            return true;
    return false;
}

/* Of an input that no loss depends on. */
static struct value *zero_grad(struct pass *p, struct value *input)
{
    struct node *node = emit(p, OP_POINT, input->span);

    node->point.step = "LOAD";
    node->point.by = BY_CONST;
    return node_out(node, new_value(p->c, p->region, FORM_ROWS, LAYOUT_PLAIN,
                                    &input->shape, grad_name(p, input),
                                    input->span));
}

/* Each input's gradient goes to the caller, who may not want it. */
static void output_grads(struct compilation *c)
{
    struct region *main = c->network->main->body;
    struct pass p = { c, main };

    for (struct port *port = c->network->inputs; port; port = port->next) {
        if (port->target || port->integer || port->graph)
            continue;
        struct value *g = grad_of(&p, port->value);
        if (!g)
            g = zero_grad(&p, port->value);
        struct node *node = emit(&p, OP_OUTPUT, g->span);
        node_in(node, g);
        node->output = port;
    }
}

static bool is_needed(const struct node *n, const bool *needed)
{
    bool effect = (op_row(n->op)->traits & EFFECT)
        || (n->op == OP_NORM_GRAD && n->param[0])
        || (n->op == OP_CONV_GRAD && n->param[2]);
    for (int i = 0; i < n->outs; i++)
        effect |= needed[n->out[i]->id];
    return effect;
}

/* What serves only gradients of inputs is left out when nobody asks. */
static void mark_optional(struct compilation *c)
{
    struct region *main = c->network->main->body;
    bool *needed = arena_alloc(c->arena, (size_t)c->network->next_value + 1);

    for (struct node *n = main->backward.last; n; n = n->previous) {
        if (n->op == OP_OUTPUT || !is_needed(n, needed)) {
            n->optional = true;
            continue;
        }
        for (int i = 0; i < n->ins; i++)
            needed[n->in[i]->id] = true;
    }
}

void grad(struct compilation *c)
{
    if (!has_loss(c->network))
        return;
    for (struct port *port = c->network->inputs; port; port = port->next)
        port->value->from_inputs = true;
    mark_from_inputs(c->network->main->body);
    for (struct function *f = c->network->functions; f; f = f->next)
        if (f->trained)
            grad_region(c, f->body);
        else
            no_gradient(c, f->body);
    output_grads(c);
    mark_optional(c);
}
