/* grad.c: the backward pass of every region, one rule an operator.
 * Requires: the network.  Gives: region->backward, in an order in which it can
 * run, seeds and grads; value->kept on the forward values it reads.
 * The rule for an operator states how the gradient of its result, dy, becomes
 * that of its inputs; gradients that meet are added. */
#include "grad.h"

#include <string.h>

/* ---- blocks and repeats ---- */

static void grad_call(struct pass *p, struct node *n, struct value *g)
{
    g = grad_together(p, g);
    struct node *node = back_node(p, OP_CALL_GRAD, n->span);
    const struct region *body = n->call.callee->body;

    n->graded = true;
    node->call = n->call;
    node->call.forward = n;
    node_in(node, g);
    node_in(node, body->input_needed[0] ? keep(p, n->in[0]) : n->in[0]);
    node_in(node, body->output_needed[0] ? keep(p, n->out[0]) : n->out[0]);
    if (body->grads[0])
        add_grad(p, n->in[0], back_grad(p, node, n->in[0]));
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
        sums[i] = g ? back_point(p, "MUL", g, NULL, n->span)
                    : back_zeros(p, n->in[i], n->in[i]->features);
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
               : body->grads[0]
               ? "this repeat uses more values from outside than can be "
                 "trained through it; the limit is 6"
               : "the result of this repeat does not depend on the value "
                 "that enters it: it cannot be trained");
    return false;
}

static void grad_loop(struct pass *p, struct node *n, struct value *g)
{
    g = grad_together(p, g);
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
    struct node *node = back_node(p, OP_LOOP_GRAD, n->span);

    n->graded = true;
    node->loop = n->loop;
    node->loop.forward = n;
    node_in(node, g);
    node_in(node, body->input_needed[0] ? keep(p, n->in[0]) : n->in[0]);
    node_in(node, body->output_needed[0] ? keep(p, n->out[0]) : n->out[0]);
    for (int i = 1; i < n->ins; i++)
        node_in(node, body->input_needed[i] ? keep(p, n->in[i]) : n->in[i]);
    struct value *dx = back_grad(p, node, n->in[0]);
    for (int i = 1; i < n->ins; i++)
        if (sums[i]) {
            node_in(node, sums[i]);
            n->in[i]->grad = back_grad(p, node, n->in[i]);
            n->in[i]->grad->base = sums[i];
            n->in[i]->grad->reshaped = true;
        }
    add_grad(p, n->in[0], dx);    /* which may be captured as well */
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
        add_grad(p, out, g);
    }
}

/* A region's results lie in memory of their own. */
static struct value *own_grad(struct pass *p, struct value *g)
{
    if (!g || (g->producer && !g->base))
        return g;
    struct value *copy = back_point(p, "MUL", g, NULL, g->span);
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
    back_point(p, "ACCUMULATE", grad_together(p, g), sum, input->span);
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
    struct node *node = back_node(p, OP_POINT, input->span);

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
        struct node *node = back_node(&p, OP_OUTPUT, g->span);
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
