/* train_steps.c: twenty steps of training against PyTorch's.
 *
 *     cc -DNETWORK=digits train_steps.c fixture.c digits.c ... librnet.a
 *     ./a.out digits.safetensors
 *
 * From the fixture's parameters, on its one batch, with rnet_sgd_step and then
 * with rnet_adam_step, or by the step that --fuse-optimizer makes (then BY_SGD or
 * BY_ADAM is 0): the loss before each step and after the last is that of
 * torch.optim in float64.  The settings are those of fixtures/training.py.
 *
 * TOLERANCE is relative to the first loss.  A step in float32 has errors of
 * rounding, a few 1e-7 of the loss and up to 2e-5 of a gradient (compare.c),
 * and moves the parameters by that share of the step; twenty such errors move
 * the loss by less than a share of 2e-5 unless training is unstable.  Most
 * networks stay below 1e-6, the worst of all on any instruction set has 7e-6.
 * Mistakes are larger: a momentum that is off by a thousandth changes the
 * losses by 1e-4, AdamW's decay of 0.01, left out, by 6e-5. */
#include "fixture.h"

#include <rnet.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 2e-5
#ifndef BY_SGD
#define BY_SGD 1
#endif
#ifndef BY_ADAM
#define BY_ADAM 1
#endif
enum { STEPS = 20, PORTS = 8 };

extern const struct rnet_network NETWORK;
static const struct rnet_network *const net = &NETWORK;

struct training {
    struct fixture fixture;
    size_t batch;
    const void *inputs[PORTS];
    struct rnet_graph graph;    /* of the one port that is a graph */
    int64_t *offsets;
    float *params, *grads, *state1, *state2;
    struct rnet_work work;
};

static const struct piece *need(const struct training *t, const char *kind,
                                const char *name)
{
    const struct piece *piece = fixture_find(&t->fixture, kind, name);

    if (!piece) {
        printf("%s: the fixture has no %s %s\n", net->name, kind,
               name ? name : "");
        exit(1);
    }
    return piece;
}

/* A port's graph; its offsets are 32-bit in fixtures. */
static void set_graph(struct training *t, int i)
{
    char name[128];
    snprintf(name, sizeof name, "%s.offsets", net->inputs[i].name);
    const struct piece *offsets = need(t, "graph", name);
    snprintf(name, sizeof name, "%s.neighbours", net->inputs[i].name);
    const struct piece *neighbours = need(t, "graph", name);
    snprintf(name, sizeof name, "%s.weights", net->inputs[i].name);
    const struct piece *weights = fixture_find(&t->fixture, "graph", name);
    t->offsets = realloc(t->offsets, offsets->count * sizeof *t->offsets);
    for (size_t k = 0; t->offsets && k < offsets->count; k++)
        t->offsets[k] = ((const int32_t *)offsets->data)[k];
    t->graph = (struct rnet_graph) {
        .nodes = (long)offsets->count - 1, .offsets = t->offsets,
        .neighbours = neighbours->data,
        .weights = weights ? weights->data : NULL
    };
    t->inputs[i] = &t->graph;
}

static void set_inputs(struct training *t)
{
    for (int i = 0; i < net->input_count; i++) {
        const struct rnet_port *port = &net->inputs[i];
        if (port->graph) {
            set_graph(t, i);
            continue;
        }
        const struct piece *piece = need(t, port->target ? "target" : "input",
                                         port->name);
        t->inputs[i] = piece->data;
        t->batch = piece->count / port->size;
    }
}

/* From the fixture's parameters, at the step at which its dropouts begin. */
static void start(struct training *t)
{
    const struct piece *drawn = fixture_find(&t->fixture, "dropout", NULL);

    memset(t->params, 0, net->param_floats * sizeof(float));
    memset(t->state1, 0, net->grad_floats * sizeof(float));
    memset(t->state2, 0, net->grad_floats * sizeof(float));
    for (size_t i = 0; i < rnet_tensor_count(net); i++) {
        struct rnet_entry entry;
        if (rnet_tensor_at(net, i, &entry) == RNET_OK)
            rnet_pack(&entry, t->params, need(t, "param", entry.name)->data);
    }
    t->work.step = 0;
    if (drawn) {
        const uint32_t *words = drawn->data;
        t->work.seed = words[0] | (uint64_t)words[1] << 32;
        t->work.step = words[2];
    }
}

/* The loss before a step. */
static float step_by(struct training *t, void *optimizer, int adam)
{
    float loss = 0;

    if (net->step)
        return net->step(t->params, t->inputs, NULL, &loss, optimizer, NULL,
                         t->batch, &t->work) == RNET_OK ? loss : NAN;
    rnet_zero(net, t->grads);
    if (net->train(t->params, t->inputs, NULL, &loss, t->grads, NULL, t->batch,
                   &t->work) != RNET_OK)
        loss = NAN;
    if (adam)
        rnet_adam_step(net, optimizer, t->params, t->grads, &t->work);
    else
        rnet_sgd_step(net, optimizer, t->params, t->grads, &t->work);
    return loss;
}

/* The largest difference, of the first loss. */
static double compare(struct training *t, const char *kind, void *optimizer,
                      int adam)
{
    const float *expected = need(t, kind, NULL)->data;
    double worst = 0;

    start(t);
    for (int step = 0; step <= STEPS; step++) {
        double loss = step_by(t, optimizer, adam);
        double gap = fabs(loss - (double)expected[step])
                   / fabs((double)expected[0]);
        worst = gap > worst || isnan(gap) ? gap : worst;
    }
    return worst;
}

/* In place: an input may be the training's own graph. */
static void set_up(struct training *t, const char *path)
{
    *t = (struct training) { .params = rnet_alloc(net->param_floats),
                             .grads = rnet_alloc(net->grad_floats),
                             .state1 = rnet_alloc(net->grad_floats),
                             .state2 = rnet_alloc(net->grad_floats) };

    fixture_read(&t->fixture, path);
    set_inputs(t);
    t->work.bytes = net->train_bytes(t->batch, 1);
    t->work.memory = rnet_alloc_bytes(t->work.bytes);
    if (!t->params || !t->grads || !t->state1 || !t->state2
        || !t->work.memory) {
        printf("%s: no memory\n", net->name);
        exit(1);
    }
}

static void tear_down(struct training *t)
{
    rnet_free(t->params);
    rnet_free(t->grads);
    rnet_free(t->state1);
    rnet_free(t->state2);
    rnet_free(t->work.memory);
    free(t->offsets);
    fixture_free(&t->fixture);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s fixture.safetensors\n", argv[0]);
        return 2;
    }
    struct training t;
    set_up(&t, argv[1]);
    const float *rates = need(&t, "train_rates", NULL)->data;
    struct rnet_sgd sgd = { .rate = rates[0], .momentum = 0.9, .decay = 0.01,
                            .decay_all = 1, .velocity = t.state1 };
    struct rnet_adam adam = { .rate = rates[1], .beta1 = 0.9, .beta2 = 0.999,
                              .epsilon = 1e-8, .decay = 0.01, .decoupled = 1,
                              .decay_all = 1, .moment1 = t.state1,
                              .moment2 = t.state2 };
    double by_sgd = BY_SGD ? compare(&t, "sgd_losses", &sgd, 0) : 0;
    double by_adam = BY_ADAM ? compare(&t, "adam_losses", &adam, 1) : 0;
    int good = by_sgd <= TOLERANCE && by_adam <= TOLERANCE;

    printf("%-20s %-7s %s  20 steps: SGD %.1e  AdamW %.1e\n", net->name,
           rnet_isa_name(), good ? "ok    " : "FAILED", by_sgd, by_adam);
    tear_down(&t);
    return !good;
}
