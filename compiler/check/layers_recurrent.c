/* layers_recurrent.c: layers over sequences [steps, features]: LSTM and GRU.
 * Each is a linear layer for what the inputs give to the gates at all times,
 * and a recurrence. */
#include "layers.h"

#include <inttypes.h>
#include <math.h>

/* What differs: gates; per step and hidden feature, floats of what forward
 * keeps and of the gradient's scratch, and those of the first step more. */
struct cell { enum op op; int64_t gates, keeps, scratch, first; };

static const struct cell lstm_cell = { OP_LSTM, 4, 6, 5, 2 };
static const struct cell gru_cell = { OP_GRU, 3, 5, 8, 1 };

/* PyTorch's: all of a layer's tensors are uniform within 1 / sqrt(hidden);
 * another `init` than the default holds for the weights. */
static void recurrent_init(const struct weight_init *init,
                           struct param *param, int64_t hidden)
{
    if (!param || init->kind != IK_HE)
        return;
    param->init = INIT_UNIFORM;
    param->mean = 0;
    param->spread = init->gain / sqrt((double)hidden);
}

static bool sizes_fit(struct use *use, struct value *x, int64_t outs)
{
    struct shape gates = { 2, { x->shape.axis[0], outs } };
    struct shape inputs = { 2, { outs, x->features } };
    struct shape square = { 2, { outs, use->arg[0].n[0] } };

    return weight_fits(use->body, &square, use->span)
        && weight_fits(use->body, &inputs, use->span)
        && small_enough(use->body, &gates, use->span);
}

/* What the inputs give to the gates, at all times. */
static struct value *gates_of(struct use *use, struct value *x,
                              const struct cell *cell, struct piece *path)
{
    struct body *body = use->body;
    int64_t outs = cell->gates * use->arg[0].n[0];
    struct shape shape = { 2, { outs, x->features } };
    struct param *bias = NULL, *weight
        = weight_leaf(body, path, "weight_ih_l0", PACK_PANELS, 1, &shape,
                      x->features, outs);

    if (use->arg[1].real != 0)
        bias = vector_param(body, path, "bias_ih_l0", outs, 0);
    struct value *gates = build_product(body, x, weight, bias, use->span);
    gates->name = "gates";
    return gates;
}

static struct node *recurrence(struct use *use, const struct cell *cell,
                               struct value *gates, struct piece *path)
{
    struct body *body = use->body;
    int64_t hidden = use->arg[0].n[0], steps = gates->rows;
    struct shape weight = { 2, { cell->gates * hidden, hidden } };
    struct node *node = new_node(body->check->c, cell->op, use->span);

    append_node(body->region, &body->region->nodes, node);
    node_in(node, gates);
    node->set.n[0] = steps;
    node->set.n[1] = hidden;
    node->set.n[2] = use->arg[2].real != 0;
    node->macs = steps * cell->gates * hidden * hidden;
    node->own[1] = hidden * (cell->scratch * steps + 1);
    node->param[0] = weight_leaf(body, path, "weight_hh_l0", PACK_PANELS, 1,
                                 &weight, hidden, cell->gates * hidden);
    if (use->arg[1].real != 0)
        node->param[1] = vector_param(body, path, "bias_hh_l0",
                                      cell->gates * hidden, 0);
    return node;
}

static struct value *apply_cell(struct use *use, struct value *x,
                                const struct cell *cell)
{
    struct body *body = use->body;
    struct compilation *c = body->check->c;
    int64_t hidden = use->arg[0].n[0], steps = x->shape.axis[0];
    struct shape shape = { 2, { steps, hidden } };
    struct shape kept = { 1, { hidden * (cell->keeps * steps
                                         + cell->first) } };
    struct piece *path = next_path(body, use->layer->name);

    if (!sizes_fit(use, x, cell->gates * hidden))
        return NULL;
    struct value *gates = gates_of(use, x, cell, path);
    struct node *node = recurrence(use, cell, gates, path);

    for (int i = 0; i < 2; i++) {
        recurrent_init(init_of(body), gates->producer->param[i], hidden);
        recurrent_init(init_of(body), node->param[i], hidden);
    }
    struct value *y = node_out(node, new_value(c, body->region, FORM_ROWS,
                                               LAYOUT_STRIPS, &shape,
                                               use->layer->name, use->span));
    node_out(node, new_value(c, body->region, FORM_ROWS, LAYOUT_STRIPS, &kept,
                             "states", use->span));
    return y;
}

static struct value *apply_lstm(struct use *use, struct value *x)
{
    return apply_cell(use, x, &lstm_cell);
}

static struct value *apply_gru(struct use *use, struct value *x)
{
    return apply_cell(use, x, &gru_cell);
}

#define CELL_ARGS { { "hidden", ARG_COUNT, true, 0, NULL }, BIAS, \
                    { "reverse", ARG_FLAG, false, 0, NULL }, INIT }

const struct layer recurrent_layers[] = {
    { "lstm", apply_lstm, LAYER_WEIGHTS, 2, 2, NULL, CELL_ARGS },
    { "gru", apply_gru, LAYER_WEIGHTS, 2, 2, NULL, CELL_ARGS },
    { 0 }
};
