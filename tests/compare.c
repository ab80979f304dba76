/* compare.c: one emitted network against PyTorch's numbers.
 *
 *     cc -DNETWORK=digits -DPREFIX=DIGITS -include digits.h compare.c ...
 *     ./a.out digits.safetensors
 *
 * Packs the fixture's parameters, runs inference and one training step by the
 * network's table and compares everything; then the same again with other
 * numbers of threads (same bits), other batches, accumulation, NULL outputs
 * and wrong arguments.  All memory is exactly as large as promised, filled
 * with NaN before each call, and guarded on both sides. */
#include "fixture.h"
#include "guarded.h"

#include <rnet.h>

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The tolerances, relative to a tensor's largest magnitude. */
#define ACTIVATION_TOLERANCE 5e-6       /* outputs, losses, statistics */
#define GRADIENT_TOLERANCE   2e-5       /* gradients of parameters, inputs */
#define SUM_TOLERANCE        1e-5       /* the same sum in another order */
/* A small gradient is measured against this share of the network's largest,
 * one that is zero but for rounding (a bias before batch norm; PyTorch's is
 * below ZERO of the largest in float64) against the second. */
#define GRADIENT_FLOOR       1e-2
#define ZERO_FLOOR           1e-1
#define ZERO                 1e-12

#define PORTS 8
#define TILES 13                        /* copies in the larger batch */

extern const struct rnet_network NETWORK;

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

static const struct rnet_network *const net = &NETWORK;
static struct fixture fixture;
static int failures;
static double worst_activation, worst_gradient;

static void fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
static void fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    if (failures++ < 20) {
        printf("%s: ", net->name);
        vprintf(format, list);
        putchar('\n');
    }
    va_end(list);
}

/* The guards around the arrays make wrong accesses end here. */
static void faulted(int number)
{
    static const char text[] =
        "FAILED: a fault, most likely an access beyond an array\n";
    (void)number;
    if (write(STDOUT_FILENO, text, sizeof text - 1) > 0)
        _exit(1);
    _exit(2);
}

/* ------------------------------------------------------------- comparing */

static double largest(const float *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)values[i]));
    return most;
}

/* The largest |a - factor b| as a share of b's largest magnitude, or of
 * `floor`; infinite where a is not a number. */
static double difference(const float *a, const float *b, size_t count,
                         double factor, double floor)
{
    double scale = fmax(fmax(largest(b, count), floor) * factor, 1e-30);
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        double gap = fabs((double)a[i] - factor * (double)b[i]);
        most = isnan(gap) ? (double)INFINITY : fmax(most, gap);
    }
    return most / scale;
}

static void expect_close(const char *what, const char *name, double gap,
                         double tolerance, double *worst)
{
    if (!(gap <= tolerance))
        fail("%s of %s differs by %.2g of its largest (at most %.2g)",
             what, name, gap, tolerance);
    else if (worst)
        *worst = fmax(*worst, gap);
}

static void expect_status(const char *what, enum rnet_status status,
                          enum rnet_status expected)
{
    if (status != expected)
        fail("%s: status is \"%s\", expected \"%s\"", what,
             rnet_status_text(status), rnet_status_text(expected));
}

/* The piece kind:name; a missing one ends the program. */
static const struct piece *need(const char *kind, const char *name)
{
    const struct piece *piece = fixture_find(&fixture, kind, name);
    if (!piece) {
        printf("%s: the fixture has no %s:%s\n", net->name, kind,
               name ? name : "");
        exit(1);
    }
    return piece;
}

/* ------------------------------------------------------------- parameters */

static struct rnet_entry entry_at(size_t index)
{
    struct rnet_entry entry;
    if (rnet_tensor_at(net, index, &entry) != RNET_OK) {
        printf("%s: there is no tensor %zu\n", net->name, index);
        exit(1);
    }
    return entry;
}

/* 1 when the fixture's tensor has the entry's shape. */
static int same_shape(const struct rnet_entry *entry,
                      const struct piece *piece)
{
    const struct rnet_tensor *tensor = entry->tensor;
    if (tensor->rank != piece->rank || entry->size != piece->count)
        return 0;
    for (int i = 0; i < piece->rank; i++)
        if (tensor->shape[i] != piece->shape[i])
            return 0;
    return 1;
}

static void check_entry(const struct rnet_entry *entry)
{
    const struct piece *piece = fixture_find(&fixture, "param", entry->name);
    struct rnet_entry found;
    if (!piece)
        fail("PyTorch's network has no tensor %s", entry->name);
    else if (!same_shape(entry, piece))
        fail("%s has another shape than PyTorch's", entry->name);
    if (rnet_tensor_find(net, entry->name, &found) != RNET_OK
        || found.offset != entry->offset || found.size != entry->size)
        fail("rnet_tensor_find does not find %s", entry->name);
    int trained = fixture_find(&fixture, "grad", entry->name) != NULL;
    if (trained != entry->tensor->trainable)
        fail("%s: trainable is wrong", entry->name);
}

/* Names, shapes and totals; without them nothing else can be compared. */
static void check_table(void)
{
    size_t trainable = 0, count = rnet_tensor_count(net);
    if (net->version != RNET_VERSION)
        fail("the table has version %d", net->version);
    for (size_t i = 0; i < count; i++) {
        struct rnet_entry entry = entry_at(i);
        check_entry(&entry);
        if (entry.tensor->trainable)
            trainable += entry.size;
    }
    for (int i = 0; i < fixture.count; i++) {
        const char *name = fixture.pieces[i].name;
        struct rnet_entry entry;
        if (!strncmp(name, "param:", 6)
            && rnet_tensor_find(net, name + 6, &entry) != RNET_OK)
            fail("there is no tensor %s", name + 6);
    }
    if (net->trainable != trainable)
        fail("the table says %zu trainable scalars, its tensors have %zu",
             net->trainable, trainable);
    if (failures) {
        printf("%s: FAILED, %d errors in the table\n", net->name, failures);
        exit(1);
    }
}

/* Only where the emitted header came along. */
static void check_macros(void)
{
#ifdef PREFIX
    if (JOIN(PREFIX, _PARAMETERS) != net->trainable
        || JOIN(PREFIX, _PARAM_FLOATS) != net->param_floats
        || JOIN(PREFIX, _GRAD_FLOATS) != net->grad_floats)
        fail("the header's sizes are not the table's");
    for (size_t batch = 1; batch < 100; batch += 7) {
        if (JOIN(PREFIX, _INFER_BYTES)(batch, 3) != net->infer_bytes(batch, 3))
            fail("INFER_BYTES(%zu, 3) is not the table's", batch);
        if (JOIN(PREFIX, _TRAIN_BYTES)(batch, 3) != net->train_bytes(batch, 3))
            fail("TRAIN_BYTES(%zu, 3) is not the table's", batch);
    }
#endif
}

static void pack_fixture(float *params)
{
    memset(params, 0, net->param_floats * sizeof *params);
    for (size_t i = 0; i < rnet_tensor_count(net); i++) {
        struct rnet_entry entry = entry_at(i);
        const struct piece *piece = need("param", entry.name);
        float *back = malloc((entry.size + 1) * sizeof *back);
        rnet_pack(&entry, params, piece->data);
        rnet_unpack(&entry, params, back);
        if (memcmp(back, piece->data, entry.size * sizeof *back))
            fail("%s: unpacking is not the inverse of packing", entry.name);
        free(back);
    }
}

/* --------------------------------------------------------------- graphs */

/* The graph of a port: copies of the fixture's, side by side. */
struct net_graph {
    struct rnet_graph graph, transposed;
    struct guarded offsets, neighbours, weights;
    struct guarded back_offsets, back_neighbours, back_weights;
};

static const struct piece *graph_piece(const char *port, const char *what)
{
    char name[128];
    snprintf(name, sizeof name, "%s.%s", port, what);
    return fixture_find(&fixture, "graph", name);
}

static void graph_arrays(struct net_graph *g, size_t nodes, size_t edges)
{
    g->offsets = guarded_new((nodes + 1) * 8, 8, 0);
    g->neighbours = guarded_new(edges * 4, 4, 0);
    g->weights = guarded_new(edges * 4, 4, 0);
    g->back_offsets = guarded_new((nodes + 1) * 8, 8, 0);
    g->back_neighbours = guarded_new(edges * 4, 4, 0);
    g->back_weights = guarded_new(edges * 4, 4, 0);
}

static struct net_graph *net_graph_new(const char *port, size_t copies)
{
    struct net_graph *g = calloc(1, sizeof *g);
    const struct piece *offsets = graph_piece(port, "offsets");
    const struct piece *neighbours = graph_piece(port, "neighbours");
    const struct piece *weights = graph_piece(port, "weights");
    size_t nodes = offsets->count - 1, edges = neighbours->count;
    graph_arrays(g, copies * nodes, copies * edges);
    int64_t *offset = g->offsets.data;
    int32_t *neighbour = g->neighbours.data;
    for (size_t c = 0; c < copies; c++) {
        for (size_t i = 0; i <= nodes; i++)
            offset[c * nodes + i] = (int64_t)(c * edges)
                + ((const int32_t *)offsets->data)[i];
        for (size_t e = 0; e < edges; e++)
            neighbour[c * edges + e] = (int32_t)(c * nodes)
                + ((const int32_t *)neighbours->data)[e];
        if (weights)
            memcpy((char *)g->weights.data + c * edges * 4, weights->data,
                   edges * 4);
    }
    g->graph = (struct rnet_graph) {
        (long)(copies * nodes), offset, neighbour,
        weights ? g->weights.data : NULL, NULL
    };
    return g;
}

/* From now on gradients are gathered, not scattered. */
static void transpose_graph(struct net_graph *g)
{
    expect_status("transposing", rnet_graph_transpose(&g->graph,
                  &g->transposed, g->back_offsets.data,
                  g->back_neighbours.data, g->back_weights.data), RNET_OK);
}

static void net_graph_free(struct net_graph *g)
{
    if (!g)
        return;
    struct guarded *arrays[] = {
        &g->offsets, &g->neighbours, &g->weights, &g->back_offsets,
        &g->back_neighbours, &g->back_weights
    };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        guarded_free(arrays[i]);
    free(g);
}

static int has_graph(void)
{
    for (int i = 0; i < net->input_count; i++)
        if (net->inputs[i].graph)
            return 1;
    return 0;
}

/* ------------------------------------------------------------- one call */

struct trial {
    size_t batch;
    struct net_graph *graphs[PORTS];
    struct guarded params, grads, start;        /* start: params before */
    struct guarded inputs[PORTS], outputs[PORTS], input_grads[PORTS];
    struct guarded loss;
    const void *input[PORTS];
    float *output[PORTS], *input_grad[PORTS];
};

/* The port's values of the fixture, repeated until the batch is full. */
static struct guarded port_values(const struct rnet_port *port, size_t batch,
                                  size_t slack)
{
    const struct piece *piece = need(port->target ? "target" : "input",
                                     port->name);
    size_t row = port->size * 4, rows = piece->count / port->size;
    struct guarded memory = guarded_new(batch * row, 4, slack);
    if (piece->integer != port->integer || piece->count % port->size)
        fail("%s: type or size is not PyTorch's", port->name);
    for (size_t i = 0; i < batch; i++)
        memcpy((char *)memory.data + i * row,
               (const char *)piece->data + i % rows * row, row);
    return memory;
}

static size_t fixture_batch(void)
{
    const struct rnet_port *port = &net->inputs[0];
    while (port->graph)
        port++;
    return need(port->target ? "target" : "input", port->name)->count
        / port->size;
}

/* slack 0: the caller's arrays end at the guard; 4: one float earlier, so that
 * some of them are aligned to no more than a float. */
static struct trial trial_new(size_t batch, size_t slack)
{
    struct trial t = { .batch = batch };
    t.params = guarded_new(net->param_floats * 4, RNET_ALIGN, 0);
    t.start = guarded_new(net->param_floats * 4, RNET_ALIGN, 0);
    t.grads = guarded_new(net->grad_floats * 4, RNET_ALIGN, 0);
    t.loss = guarded_new(4, 4, 0);
    for (int i = 0; i < net->input_count; i++) {
        const struct rnet_port *port = &net->inputs[i];
        if (port->graph) {
            t.graphs[i] = net_graph_new(port->name, batch / fixture_batch());
            t.input[i] = &t.graphs[i]->graph;
            continue;
        }
        t.inputs[i] = port_values(port, batch, slack);
        t.input[i] = t.inputs[i].data;
        if (port->integer || port->target)
            continue;
        t.input_grads[i] = guarded_new(batch * port->size * 4, 4, slack);
        t.input_grad[i] = t.input_grads[i].data;
    }
    for (int i = 0; i < net->output_count; i++) {
        size_t bytes = batch * net->outputs[i].size * 4;
        t.outputs[i] = guarded_new(bytes, 4, slack);
        t.output[i] = t.outputs[i].data;
    }
    pack_fixture(t.start.data);
    memcpy(t.params.data, t.start.data, net->param_floats * 4);
    memset(t.grads.data, 0, net->grad_floats * 4);
    return t;
}

static void trial_free(struct trial *t)
{
    guarded_free(&t->params);
    guarded_free(&t->start);
    guarded_free(&t->grads);
    guarded_free(&t->loss);
    for (int i = 0; i < PORTS; i++) {
        net_graph_free(t->graphs[i]);
        guarded_free(&t->inputs[i]);
        guarded_free(&t->outputs[i]);
        guarded_free(&t->input_grads[i]);
    }
}

static void expect_intact(const struct trial *t, const char *what)
{
    int intact = guarded_intact(&t->params) && guarded_intact(&t->grads)
        && guarded_intact(&t->loss);
    for (int i = 0; i < net->input_count; i++)
        intact &= (!t->inputs[i].map || guarded_intact(&t->inputs[i]))
            && (!t->input_grads[i].map || guarded_intact(&t->input_grads[i]));
    for (int i = 0; i < net->output_count; i++)
        intact &= guarded_intact(&t->outputs[i]);
    if (!intact)
        fail("%s writes beside the caller's arrays", what);
}

static void poison_results(struct trial *t)
{
    guarded_poison(&t->loss);
    for (int i = 0; i < net->output_count; i++)
        guarded_poison(&t->outputs[i]);
    for (int i = 0; i < net->input_count; i++)
        if (t->input_grads[i].map)
            guarded_poison(&t->input_grads[i]);
    memcpy(t->params.data, t->start.data, net->param_floats * 4);
}

/* How a call gets its threads. */
struct manner {
    int threads;
    struct rnet_pool *pool;
    int own;                    /* the caller's parallel_for instead */
};

/* All tasks in one thread, the last first, under changing workers. */
static void backwards(void *user, long tasks, rnet_task *task, void *context)
{
    int workers = *(int *)user;
    for (long i = tasks - 1; i >= 0; i--)
        task(context, i, (int)(i % workers));
}

static struct rnet_work make_work(struct guarded *arena, struct manner *how)
{
    const struct piece *drawn = fixture_find(&fixture, "dropout", NULL);
    struct rnet_work work = { .memory = arena->data, .bytes = arena->bytes };
    work.pool = how->pool;
    if (how->own) {
        work.parallel_for = backwards;
        work.user = &how->threads;
        work.workers = how->threads;
    }
    if (drawn) {
        const uint32_t *words = drawn->data;
        work.seed = words[0] | (uint64_t)words[1] << 32;
        work.step = words[2];
    }
    return work;
}

static enum rnet_status infer(struct trial *t, struct manner how)
{
    size_t bytes = net->infer_bytes(t->batch, how.threads);
    struct guarded arena = guarded_new(bytes, RNET_ALIGN, 0);
    struct rnet_work work = make_work(&arena, &how);
    guarded_poison(&arena);
    poison_results(t);
    enum rnet_status status = net->infer(t->params.data, t->input, t->output,
                                         t->batch, &work);
    if (!guarded_intact(&arena))
        fail("inference writes beside its %zu bytes", bytes);
    if (memcmp(t->params.data, t->start.data, net->param_floats * 4))
        fail("inference changes parameters");
    expect_intact(t, "inference");
    guarded_free(&arena);
    return status;
}

/* Gradients add to what t->grads holds. */
static enum rnet_status train(struct trial *t, struct manner how)
{
    size_t bytes = net->train_bytes(t->batch, how.threads);
    struct guarded arena = guarded_new(bytes, RNET_ALIGN, 0);
    struct rnet_work work = make_work(&arena, &how);
    uint64_t step = work.step;
    guarded_poison(&arena);
    poison_results(t);
    enum rnet_status status = net->train(t->params.data, t->input, t->output,
                                         t->loss.data, t->grads.data,
                                         t->input_grad, t->batch, &work);
    if (!guarded_intact(&arena))
        fail("training writes beside its %zu bytes", bytes);
    if (memcmp(t->params.data, t->start.data, net->grad_floats * 4))
        fail("training changes parameters that are not statistics");
    if (work.step != step + (status == RNET_OK))
        fail("training does not count its step");
    expect_intact(t, "training");
    guarded_free(&arena);
    return status;
}

static void clear_grads(struct trial *t)
{
    memset(t->grads.data, 0, net->grad_floats * 4);
}

/* ------------------------------------------------------------- what it gave */

static void compare_outputs(const struct trial *t, const char *kind)
{
    for (int i = 0; i < net->output_count; i++) {
        const struct rnet_port *port = &net->outputs[i];
        const struct piece *piece = need(kind, port->name);
        size_t rows = piece->count / port->size;
        double gap = 0;
        for (size_t r = 0; r < t->batch; r += rows) {
            size_t count = (t->batch - r < rows ? t->batch - r : rows)
                * port->size;
            const float *at = (const float *)t->outputs[i].data
                + r * port->size;
            gap = fmax(gap, difference(at, piece->data, count, 1, 0));
        }
        expect_close(kind, port->name, gap, ACTIVATION_TOLERANCE,
                     &worst_activation);
    }
}

/* The largest magnitude of any parameter's gradient. */
static double largest_gradient(void)
{
    double most = 0;
    for (int i = 0; i < fixture.count; i++)
        if (!strncmp(fixture.pieces[i].name, "grad:", 5))
            most = fmax(most, largest(fixture.pieces[i].data,
                                      fixture.pieces[i].count));
    return most;
}

/* What a gradient is measured against at least, the network's largest being
 * `most`. */
static double gradient_floor(const struct piece *piece, double most)
{
    int zero = largest(piece->data, piece->count) < ZERO * most;
    return (zero ? ZERO_FLOOR : GRADIENT_FLOOR) * most;
}

/* Tensors of `array` against the pieces `kind`:name, times `factor`; `most` is
 * the largest gradient of the network, or 0 where they are no gradients. */
static void compare_tensors(const char *kind, const float *array,
                            int trainable, double factor, double most,
                            double tolerance, double *worst)
{
    for (size_t i = 0; i < rnet_tensor_count(net); i++) {
        struct rnet_entry entry = entry_at(i);
        if (entry.tensor->trainable != trainable)
            continue;
        const struct piece *piece = need(kind, entry.name);
        float *values = malloc((entry.size + 1) * sizeof *values);
        rnet_unpack(&entry, array, values);
        expect_close(kind, entry.name,
                     difference(values, piece->data, entry.size, factor,
                                gradient_floor(piece, most)),
                     tolerance, worst);
        free(values);
    }
}

static void compare_gradients(const struct trial *t, double factor)
{
    compare_tensors("grad", t->grads.data, 1, factor, largest_gradient(),
                    GRADIENT_TOLERANCE, &worst_gradient);
}

static void compare_loss(const struct trial *t)
{
    expect_close("loss", net->name,
                 difference(t->loss.data, need("loss", NULL)->data, 1, 1, 0),
                 ACTIVATION_TOLERANCE, &worst_activation);
}

/* Gradients of inputs: of a batch of `tiles` copies, so much smaller. */
static void compare_input_grads(const struct trial *t, size_t tiles)
{
    for (int i = 0; i < net->input_count; i++) {
        const struct rnet_port *port = &net->inputs[i];
        if (!t->input_grad[i])
            continue;
        const struct piece *piece = need("input_grad", port->name);
        double gap = 0;
        for (size_t k = 0; k < tiles; k++)
            gap = fmax(gap, difference(t->input_grad[i] + k * piece->count,
                                       piece->data, piece->count,
                                       1 / (double)tiles, 0));
        expect_close("input_grad", port->name, gap, GRADIENT_TOLERANCE,
                     &worst_gradient);
    }
}

/* Padding of the packed gradients is zero. */
static void check_padding(const struct trial *t)
{
    float *mask = calloc(net->grad_floats + 1, sizeof *mask);
    const float *grads = t->grads.data;
    for (size_t i = 0; i < rnet_tensor_count(net); i++) {
        struct rnet_entry entry = entry_at(i);
        float *ones = malloc((entry.size + 1) * sizeof *ones);
        for (size_t k = 0; k < entry.size; k++)
            ones[k] = 1;
        if (entry.tensor->trainable)
            rnet_pack(&entry, mask, ones);
        free(ones);
    }
    for (size_t i = 0; i < net->grad_floats; i++)
        if (mask[i] == 0 && grads[i] != 0) {
            fail("padding at %zu has the gradient %g", i, (double)grads[i]);
            break;
        }
    free(mask);
}

static int same(const struct guarded *a, const struct guarded *b)
{
    return !a->map || !memcmp(a->data, b->data, a->bytes);
}

/* Everything that a call gave is the same, to the bit. */
static void expect_same(const struct trial *a, const struct trial *b,
                        const char *what)
{
    if (!same(&a->params, &b->params))
        fail("%s: running statistics have other bits", what);
    if (!same(&a->grads, &b->grads))
        fail("%s: gradients have other bits", what);
    if (!same(&a->loss, &b->loss))
        fail("%s: the loss has other bits", what);
    for (int i = 0; i < net->output_count; i++)
        if (!same(&a->outputs[i], &b->outputs[i]))
            fail("%s: output %s has other bits", what, net->outputs[i].name);
    for (int i = 0; i < net->input_count; i++)
        if (!same(&a->input_grads[i], &b->input_grads[i]))
            fail("%s: the gradient of %s has other bits", what,
                 net->inputs[i].name);
}

/* ------------------------------------------------------------- the checks */

static const struct manner alone = { 1, NULL, 0 };

/* Against PyTorch, in one thread; `t` keeps what training gave. */
static void check_numbers(struct trial *t)
{
    expect_status("inference", infer(t, alone), RNET_OK);
    compare_outputs(t, "infer");
    expect_status("training", train(t, alone), RNET_OK);
    compare_outputs(t, "train");
    compare_loss(t);
    compare_gradients(t, 1);
    compare_input_grads(t, 1);
    compare_tensors("after", t->params.data, 0, 1, 0, ACTIVATION_TOLERANCE,
                    &worst_activation);
    check_padding(t);
}

static void check_manner(const struct trial *expected_infer,
                         const struct trial *expected_train,
                         struct manner how, const char *what)
{
    struct trial t = trial_new(expected_train->batch, 4);
    expect_status(what, infer(&t, how), RNET_OK);
    expect_same(expected_infer, &t, what);
    expect_status(what, train(&t, how), RNET_OK);
    expect_same(expected_train, &t, what);
    trial_free(&t);
}

/* The same bits, whatever runs the tasks and wherever the data lie. */
static void check_threads(const struct trial *inferred,
                          const struct trial *trained)
{
    static const int counts[] = { 1, 2, 3, 7 };
    check_manner(inferred, trained, alone, "without a pool");
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char what[40];
        struct rnet_pool *pool = rnet_pool_create(counts[i]);
        snprintf(what, sizeof what, "%d threads", counts[i]);
        if (!pool || rnet_pool_threads(pool) != counts[i]) {
            fail("%s cannot be had", what);
            continue;
        }
        check_manner(inferred, trained, (struct manner) { counts[i], pool, 0 },
                     what);
        rnet_pool_destroy(pool);
    }
    check_manner(inferred, trained, (struct manner) { 3, NULL, 1 },
                 "the caller's parallel_for");
}

/* A second call adds its gradients to the first's. */
static void check_accumulation(const struct trial *trained)
{
    struct trial t = trial_new(trained->batch, 0);
    memcpy(t.grads.data, trained->grads.data, t.grads.bytes);
    expect_status("a second step", train(&t, alone), RNET_OK);
    expect_close("twice the gradient", net->name,
                 difference(t.grads.data, trained->grads.data,
                            net->grad_floats, 2, 0), SUM_TOLERANCE, NULL);
    trial_free(&t);
}

/* Results that are not wanted change nothing else. */
static void check_missing_results(const struct trial *trained)
{
    struct trial t = trial_new(trained->batch, 0);
    memset(t.output, 0, sizeof t.output);
    memset(t.input_grad, 0, sizeof t.input_grad);
    expect_status("training without outputs", train(&t, alone), RNET_OK);
    if (!same(&trained->grads, &t.grads) || !same(&trained->loss, &t.loss))
        fail("gradients differ when no output is asked for");
    trial_free(&t);
}

/* With the edges from the other end at hand. */
static void check_transposed(void)
{
    struct trial t = trial_new(fixture_batch(), 0);
    for (int i = 0; i < net->input_count; i++)
        if (t.graphs[i])
            transpose_graph(t.graphs[i]);
    check_numbers(&t);
    trial_free(&t);
}

/* The first sample by itself. */
static void check_batch_of_one(void)
{
    int possible = *(const int32_t *)need("batch_one", NULL)->data;
    struct trial t = trial_new(1, 0);
    expect_status("inference of one sample", infer(&t, alone), RNET_OK);
    compare_outputs(&t, "infer");
    expect_status("training on one sample", train(&t, alone),
                  possible ? RNET_OK : RNET_BAD_BATCH);
    trial_free(&t);
}

/* Copies of the batch: the loss and its gradients are means, and stay. */
static void check_larger_batch(void)
{
    struct trial t = trial_new(TILES * fixture_batch(), 0);
    expect_status("inference of copies", infer(&t, alone), RNET_OK);
    compare_outputs(&t, "infer");
    expect_status("training on copies", train(&t, alone), RNET_OK);
    if (!fixture_find(&fixture, "dropout", NULL)) {
        compare_outputs(&t, "train");
        compare_loss(&t);
        compare_gradients(&t, 1);
        compare_input_grads(&t, TILES);
        check_padding(&t);
    }
    trial_free(&t);
}

/* ------------------------------------------------------------- wrong calls */

struct call {                   /* the arguments of one, to be spoilt */
    float *params, *loss, *grads;
    const void *input[PORTS];
    float *output[PORTS];
    size_t batch;
    struct rnet_work work;
    int without_work;
};

static struct call call_of(struct trial *t, struct guarded *arena)
{
    struct manner how = alone;
    struct call c = { t->params.data, t->loss.data, t->grads.data,
                      .batch = t->batch, .work = make_work(arena, &how) };
    memcpy(c.input, t->input, sizeof c.input);
    memcpy(c.output, t->output, sizeof c.output);
    return c;
}

/* Both entry points refuse it, or training alone, and touch nothing. */
enum asked { BOTH, TRAINING, INFERENCE };

static void expect_refusal(struct trial *t, struct call *c, const char *what,
                           enum rnet_status expected, enum asked asked)
{
    struct rnet_work *work = c->without_work ? NULL : &c->work;
    if (asked != TRAINING)
        expect_status(what, net->infer(c->params, c->input, c->output,
                                       c->batch, work), expected);
    if (asked != INFERENCE)
        expect_status(what, net->train(c->params, c->input, c->output, c->loss,
                                       c->grads, t->input_grad, c->batch,
                                       work), expected);
    if (memcmp(t->params.data, t->start.data, net->param_floats * 4))
        fail("%s: parameters were touched", what);
    for (size_t i = 0; i < net->grad_floats; i++)
        if (((float *)t->grads.data)[i] != 0) {
            fail("%s: gradients were touched", what);
            clear_grads(t);
        }
    expect_intact(t, what);
}

static void check_pointers(struct trial *t, struct guarded *arena)
{
    struct call c = call_of(t, arena);
    c.params = NULL;
    expect_refusal(t, &c, "params NULL", RNET_NULL, BOTH);
    c = call_of(t, arena);
    c.params++;
    expect_refusal(t, &c, "params misaligned", RNET_MISALIGNED, BOTH);
    c = call_of(t, arena);
    c.grads = NULL;
    expect_refusal(t, &c, "grads NULL", RNET_NULL, TRAINING);
    c = call_of(t, arena);
    c.grads++;
    expect_refusal(t, &c, "grads misaligned", RNET_MISALIGNED, TRAINING);
    c = call_of(t, arena);
    c.loss = NULL;
    expect_refusal(t, &c, "loss NULL", RNET_NULL, TRAINING);
    for (int i = 0; i < net->input_count; i++) {
        c = call_of(t, arena);
        c.input[i] = NULL;
        expect_refusal(t, &c, "an input NULL", RNET_NULL,
                       net->inputs[i].target ? TRAINING : BOTH);
    }
}

static void check_work(struct trial *t, struct guarded *arena)
{
    struct call c = call_of(t, arena);
    c.without_work = 1;
    expect_refusal(t, &c, "work NULL", RNET_NULL, BOTH);
    c = call_of(t, arena);
    c.work.memory = NULL;
    expect_refusal(t, &c, "work memory NULL", RNET_NULL, BOTH);
    c = call_of(t, arena);
    c.work.memory = (char *)arena->data + 4;
    expect_refusal(t, &c, "work memory misaligned", RNET_MISALIGNED, BOTH);
    c = call_of(t, arena);
    c.work.bytes = net->train_bytes(t->batch, 1) - 1;
    expect_refusal(t, &c, "one byte less for training", RNET_TOO_SMALL, TRAINING);
    size_t infer_bytes = net->infer_bytes(t->batch, 1);
    c.work.bytes = infer_bytes ? infer_bytes - 1 : 0;
    if (infer_bytes)
        expect_refusal(t, &c, "one byte less for inference",
                       RNET_TOO_SMALL, INFERENCE);
}

static void check_indices(struct trial *t, struct guarded *arena)
{
    for (int i = 0; i < net->input_count; i++) {
        const struct rnet_port *port = &net->inputs[i];
        if (!port->integer)
            continue;
        struct call c = call_of(t, arena);
        int32_t *last = (int32_t *)t->inputs[i].data
            + t->batch * port->size - 1;
        int32_t kept = *last;
        *last = port->ignores && port->ignore == -1 ? -2 : -1;
        expect_refusal(t, &c, "an index below 0", RNET_BAD_LABEL,
                       port->target);
        *last = (int32_t)port->classes + (port->ignores
                                          && port->ignore == port->classes);
        expect_refusal(t, &c, "an index too large", RNET_BAD_LABEL,
                       port->target);
        *last = kept;
    }
}

static void check_graphs(struct trial *t, struct guarded *arena)
{
    for (int i = 0; i < net->input_count; i++) {
        struct net_graph *g = t->graphs[i];
        struct call c = call_of(t, arena);
        if (!g)
            continue;
        g->graph.nodes--;
        expect_refusal(t, &c, "a node less", RNET_BAD_GRAPH, BOTH);
        g->graph.nodes++;
        *(int32_t *)g->neighbours.data += (int32_t)t->batch;
        expect_refusal(t, &c, "no node", RNET_BAD_GRAPH, BOTH);
        *(int32_t *)g->neighbours.data -= (int32_t)t->batch;
        transpose_graph(g);
        g->transposed.nodes--;
        expect_refusal(t, &c, "wrongly transposed", RNET_BAD_GRAPH, TRAINING);
        g->graph.transposed = NULL;
    }
}

static void check_refusals(void)
{
    struct trial t = trial_new(fixture_batch(), 0);
    size_t bytes = net->train_bytes(t.batch, 1);
    if (bytes < net->infer_bytes(t.batch, 1))
        bytes = net->infer_bytes(t.batch, 1);
    struct guarded arena = guarded_new(bytes + 4, RNET_ALIGN, 0);
    check_pointers(&t, &arena);
    check_work(&t, &arena);
    check_indices(&t, &arena);
    check_graphs(&t, &arena);
    guarded_free(&arena);
    trial_free(&t);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s fixture.safetensors\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGSEGV, faulted);
    fixture_read(&fixture, argv[1]);
    check_table();
    check_macros();
    struct trial trained = trial_new(fixture_batch(), 0);
    struct trial inferred = trial_new(fixture_batch(), 0);
    check_numbers(&trained);
    infer(&inferred, alone);
    check_threads(&inferred, &trained);
    check_accumulation(&trained);
    check_missing_results(&trained);
    if (has_graph())
        check_transposed();
    else
        check_batch_of_one();
    check_larger_batch();
    check_refusals();
    trial_free(&trained);
    trial_free(&inferred);
    fixture_free(&fixture);
    printf("%-20s %-7s %s  activations %.1e  gradients %.1e\n", net->name,
           rnet_isa_name(), failures ? "FAILED" : "ok    ", worst_activation,
           worst_gradient);
    return failures != 0;
}
