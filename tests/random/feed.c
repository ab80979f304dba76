/* feed.c: parameters about as large as a trained network's, inputs about
 * normal, labels that are valid and some that are ignored, graphs with loops,
 * doubled edges and nodes without neighbours. */
#include "feed.h"

#include <math.h>
#include <string.h>

uint64_t draw_word(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

double draw_uniform(uint64_t *state)
{
    return (double)(draw_word(state) >> 11) * 0x1p-53;
}

int64_t draw_below(uint64_t *state, int64_t n)
{
    return (int64_t)(draw_word(state) % (uint64_t)n);
}

static double draw_normal(uint64_t *state)
{
    double a = draw_uniform(state), b = draw_uniform(state);

    return sqrt(-2 * log(1 - a)) * cos(2 * M_PI * b);
}

/* ---- parameters ---- */

/* Standard deviation around the initial value. */
static double spread_of(const struct param *param)
{
    double outs = (double)param->shape.axis[0];

    if (param->shape.rank < 2 || param->init == INIT_DIAGONAL)
        return 0.3;
    return 1 / sqrt((double)param->size / outs);
}

static double start_of(const struct param *param)
{
    double start = param->init == INIT_CONSTANT ? param->mean : 0;

    return start > 2 ? 2 : start < -2 ? -2 : start;
}

static double draw_scalar(const struct param *param, uint64_t *state,
                          double tame)
{
    if (strcmp(param->leaf, "running_var") == 0)
        return 0.5 + draw_uniform(state);
    return start_of(param) + tame * spread_of(param) * draw_normal(state);
}

static double *draw_tensor(const struct param *param, uint64_t *state,
                           double tame, struct arena *arena)
{
    size_t size = (size_t)param->size;
    double *values = arena_alloc(arena, (size + 1) * sizeof *values);

    for (size_t i = 0; i < size; i++)
        values[i] = (double)(float)draw_scalar(param, state, tame);
    return values;
}

/* ---- inputs and targets ---- */

static double draw_label(const struct port *port, uint64_t *state)
{
    int64_t classes = port->value->classes ? port->value->classes : 3;

    if (port->ignores && draw_uniform(state) < 0.3)
        return (double)port->ignore;
    return (double)draw_below(state, classes);
}

/* positive: attempts for networks with logarithms; targets of bce lie between
 * 0 and 1, weights of rows above 0. */
static double draw_value(const struct port *port, uint64_t *state,
                         bool positive)
{
    if (port->integer)
        return draw_label(port, state);
    if (port->target)
        return (double)(float)draw_uniform(state);
    double x = draw_normal(state);
    return (double)(float)(positive ? 0.3 + fabs(x) : x);
}

static double *draw_port(const struct port *port, size_t batch,
                         uint64_t *state, bool positive, struct arena *arena)
{
    size_t size = batch * (size_t)shape_size(&port->value->shape);
    double *values = arena_alloc(arena, (size + 1) * sizeof *values);

    for (size_t i = 0; i < size; i++)
        values[i] = draw_value(port, state, positive);
    return values;
}

/* ---- graphs ---- */

static void draw_links(struct links *g, size_t nodes, uint64_t *state,
                       struct arena *arena)
{
    size_t most = 5, edges = 0;
    bool weighted = draw_below(state, 2);

    g->offsets = arena_alloc(arena, (nodes + 1) * sizeof *g->offsets);
    g->neighbours = arena_alloc(arena, (nodes * most + 1)
                                * sizeof *g->neighbours);
    if (weighted)
        g->weights = arena_alloc(arena, (nodes * most + 1)
                                 * sizeof *g->weights);
    for (size_t i = 0; i < nodes; i++) {
        size_t degree = (size_t)draw_below(state, (int64_t)most + 1);
        for (size_t k = 0; k < degree; k++, edges++) {
            g->neighbours[edges] = (int32_t)draw_below(state, (int64_t)nodes);
            if (weighted)
                g->weights[edges] = (float)(0.25 + draw_uniform(state));
        }
        g->offsets[i + 1] = (int64_t)edges;
    }
}

/* ---- all ---- */

static int count_inputs(const struct subject *subject)
{
    int count = 0;

    for (const struct port *p = subject->network->inputs; p; p = p->next)
        count++;
    return count;
}

static void new_arrays(const struct subject *subject, struct arena *arena,
                       struct feed *feed)
{
    size_t ports = (size_t)count_inputs(subject) + 1;

    feed->values = arena_alloc(arena, ports * sizeof *feed->values);
    feed->links = arena_alloc(arena, ports * sizeof *feed->links);
    feed->tensors = arena_alloc(arena, (subject->count + 1)
                                * sizeof *feed->tensors);
}

void draw_feed(const struct subject *subject, size_t batch, uint64_t seed,
               int attempt, struct arena *arena, struct feed *feed)
{
    uint64_t state = seed + (uint64_t)attempt * 7919;
    double tame = attempt < 4 ? 1 : 0.3;
    int number = 0;

    *feed = (struct feed) { .batch = batch, .seed = draw_word(&state),
                            .step = draw_word(&state) >> 20 };
    new_arrays(subject, arena, feed);
    for (size_t i = 0; i < subject->count; i++)
        feed->tensors[i] = draw_tensor(subject->tensors[i]->param, &state,
                                       tame, arena);
    for (const struct port *p = subject->network->inputs; p;
         p = p->next, number++)
        if (p->graph)
            draw_links(&feed->links[number], batch, &state, arena);
        else
            feed->values[number] = draw_port(p, batch, &state,
                                             attempt % 4 == 3, arena);
}

/* ---- disturbed ---- */

static double *disturb(const double *values, size_t size, uint64_t *state,
                       struct arena *arena)
{
    double *copy = arena_alloc(arena, (size + 1) * sizeof *copy);

    for (size_t i = 0; i < size; i++)
        copy[i] = values[i] * (1 + (draw_uniform(state) - 0.5) * 0x1p-22);
    return copy;
}

void draw_disturbed(const struct subject *subject, const struct feed *feed,
                    uint64_t seed, struct arena *arena, struct feed *copy)
{
    int number = 0;

    *copy = *feed;
    copy->shaken = true;
    new_arrays(subject, arena, copy);
    copy->links = feed->links;
    for (size_t i = 0; i < subject->count; i++)
        copy->tensors[i] = disturb(feed->tensors[i],
                                   (size_t)subject->tensors[i]->param->size,
                                   &seed, arena);
    for (const struct port *p = subject->network->inputs; p;
         p = p->next, number++) {
        copy->values[number] = feed->values[number];
        if (!p->integer && !p->graph)
            copy->values[number] = disturb(feed->values[number], feed->batch
                * (size_t)shape_size(&p->value->shape), &seed, arena);
    }
}
