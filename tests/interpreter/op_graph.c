/* op_graph.c: sums over a graph's edges.  docs/LANGUAGE.md, Graphs. */
#include "tape.h"

static const struct links *links_of(const struct machine *m,
                                    const struct step *s)
{
    const struct port *port = m->subject->network->inputs;
    int number = 0;

    for (; port; port = port->next, number++)
        if (port->graph && port->index == s->node->set.n[0])
            return &m->feed->links[number];
    return NULL;
}

static real weight_of(const struct links *g, int64_t edge)
{
    return g->weights ? (real)g->weights[edge] : 1;
}

static real degree(const struct links *g, size_t node)
{
    real sum = 0;

    for (int64_t e = g->offsets[node]; e < g->offsets[node + 1]; e++)
        sum += weight_of(g, e);
    return sum;
}

/* D^-1/2 with the loop of I */
static real root(const struct links *g, size_t node)
{
    real d = degree(g, node) + 1;

    return d > 0 ? 1 / sqrt(d) : 0;
}

static real factor_of(const struct step *s, const struct links *g, size_t i,
                      size_t j, real weight)
{
    switch ((enum aggregate)s->node->set.n[1]) {
    case AGGREGATE_SUM:
        return weight;
    case AGGREGATE_MEAN:
        return degree(g, i) == 0 ? 0 : weight / degree(g, i);
    case AGGREGATE_SYMMETRIC:
        return root(g, i) * weight * root(g, j);
    }
    return 0;
}

/* y_i += a x_j for all features, or the other way round. */
static void add_row(const struct step *s, real *y, size_t i, const real *x,
                    size_t j, real a)
{
    for (size_t f = 0; f < s->features; f++)
        y[i * s->features + f] += a * x[j * s->features + f];
}

static void each_edge(struct machine *m, struct step *s, bool back)
{
    const struct links *g = links_of(m, s);
    bool loops = s->node->set.n[1] == AGGREGATE_SYMMETRIC;

    for (size_t i = 0; i < s->rows; i++)
        for (int64_t e = g->offsets[i]; e < g->offsets[i + 1] + loops; e++) {
            bool loop = e == g->offsets[i + 1];
            size_t j = loop ? i : (size_t)g->neighbours[e];
            real a = factor_of(s, g, i, j, loop ? 1 : weight_of(g, e));
            if (back)
                add_row(s, s->in[0]->dx, j, s->out->dx, i, a);
            else
                add_row(s, s->out->x, i, s->in[0]->x, j, a);
        }
}

static void aggregate_forward(struct machine *m, struct step *s)
{
    each_edge(m, s, false);
}

static void aggregate_backward(struct machine *m, struct step *s)
{
    each_edge(m, s, true);
}

const struct rule TWIN(graph_rules)[] = {
    { OP_AGGREGATE, aggregate_forward, aggregate_backward }, { 0 }
};
