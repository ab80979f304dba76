/* recompute.c: values that are made again where a convolution reads them.
 * Requires: the network and its gradient.  Sets value->sunk.
 *
 * A batch norm's output, with the activation after it, costs two reads a
 * channel to make from the norm's input: when nothing but convolutions reads
 * it, the convolution's input program makes it, forward and once more
 * backward, and it is never stored.  So with the gradient of a batch norm's
 * input that only a convolution's gradient reads. */
#include "graph.h"

#include <string.h>

/* Gradient steps that read the output of their function: the convolution's
 * gradient has it at hand as its input. */
static bool reads_output(const char *step)
{
#define OUTPUT true
#define INPUT false
#define ROW(name, forward, grad, reads, preset, formula, derivative) \
    if (reads && strcmp(step, #grad) == 0) \
        return strcmp(step, "MUL") != 0;
    POINTWISE_ROWS(ROW)
#undef ROW
#undef INPUT
#undef OUTPUT
    return false;
}

static bool is_activation(const struct node *n)
{
#define OUTPUT true
#define INPUT false
#define ROW(name, forward, grad, reads, preset, formula, derivative) \
    if (reads && strcmp(n->point.step, #forward) == 0) \
        return strcmp(#grad, "MUL") != 0;
    POINTWISE_ROWS(ROW)
#undef ROW
#undef INPUT
#undef OUTPUT
    return false;
}

static void count(struct list *list, bool backward)
{
    for (struct node *n = list->first; n; n = n->next)
        for (int i = 0; i < n->ins; i++) {
            struct value *v = n->in[i];
            bool serves = n->op == OP_CONV || (backward
                && (n->op == OP_CONV_GRAD
                    || (n->op == OP_POINT && i == 1
                        && reads_output(n->point.step))));
            v->uses++;
            v->reads += serves;
        }
}

static void clear(struct list *list)
{
    for (struct node *n = list->first; n; n = n->next) {
        for (int i = 0; i < n->ins; i++)
            n->in[i]->uses = n->in[i]->reads = 0;
        for (int i = 0; i < n->outs; i++)
            n->out[i]->uses = n->out[i]->reads = 0;
    }
}

static bool only_convolutions(const struct value *v)
{
    return v->uses > 0 && v->uses == v->reads && !v->base;
}

static bool is_batch_norm(const struct value *v)
{
    return v->producer && v->producer->op == OP_BATCH_NORM
        && v->layout == LAYOUT_PLAIN;
}

static void keep(struct value *value)
{
    value->kept = true;
}

static void sink_forward(struct node *n)
{
    struct value *v = n->out[0], *norm = v;

    if (n->op == OP_POINT && n->ins == 1 && is_activation(n))
        norm = n->in[0];
    else if (n->op != OP_BATCH_NORM)
        return;
    if (!only_convolutions(v) || !is_batch_norm(norm)
        || (norm != v && norm->uses != 1))
        return;
    v->sunk = norm->sunk = true;
    keep(norm->producer->in[0]);
    keep(norm->producer->out[2]);
    keep(norm->producer->out[3]);
}

static void sink_region(struct region *region)
{
    clear(&region->nodes);
    clear(&region->backward);
    count(&region->nodes, false);
    count(&region->backward, true);
    for (int i = 0; i < region->output_count; i++)
        region->outputs[i]->uses++;
    for (int i = 0; i < region->input_count; i++)
        if (region->grads[i])
            region->grads[i]->uses++;
    for (struct node *n = region->nodes.first; n; n = n->next) {
        sink_forward(n);
        if (n->op == OP_LOOP)
            sink_region(n->loop.body);
    }
    for (struct node *n = region->backward.first; n; n = n->next)
        if (n->op == OP_BATCH_NORM_GRAD
            && n->out[0]->layout == LAYOUT_PLAIN
            && only_convolutions(n->out[0]))
            n->out[0]->sunk = true;
}

void recompute(struct compilation *c)
{
    if (c->network->main->body->backward.first)
        for (struct function *f = c->network->functions; f; f = f->next)
            sink_region(f->body);
}
