/* sample.c: random parameters and data for any network. */
#include "sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t next_word(struct source *source)
{
    uint64_t z = source->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

double sample_uniform(struct source *source)
{
    return (double)(next_word(source) >> 11) / 9007199254740992.0;
}

/* The sum of twelve uniform numbers is near enough. */
double sample_normal(struct source *source)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += sample_uniform(source);
    return sum;
}

static void *need(void *memory)
{
    if (!memory) {
        fputs("no memory\n", stderr);
        exit(2);
    }
    return memory;
}

static int ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && !strcmp(name + length - tail, end);
}

static double random_value(const struct rnet_entry *entry,
                           struct source *source)
{
    const char *name = entry->name;
    double normal = sample_normal(source);
    if (ends_with(name, "running_var"))
        return 0.5 + sample_uniform(source);
    if (ends_with(name, "running_mean") || ends_with(name, "bias"))
        return 0.3 * normal;
    if (ends_with(name, "scale"))
        return 0.6 + 0.3 * normal;
    if (entry->tensor->rank < 2)
        return 1 + 0.3 * normal;
    double fan_in = (double)entry->size / (double)entry->tensor->shape[0];
    return normal * sqrt(1.3 / fan_in);
}

/* Names are what tensors are saved and found by: each is one tensor's. */
static void check_name(const struct rnet_network *net,
                       const struct rnet_entry *entry)
{
    struct rnet_entry found;

    if (rnet_tensor_find(net, entry->name, &found) == RNET_OK
        && found.offset == entry->offset)
        return;
    fprintf(stderr, "%s: two tensors are called %s\n", net->name, entry->name);
    exit(2);
}

static void random_params(struct sample *sample, struct source *source)
{
    for (size_t i = 0; i < rnet_tensor_count(sample->net); i++) {
        struct rnet_entry entry;
        if (rnet_tensor_at(sample->net, i, &entry) != RNET_OK)
            exit(2);
        check_name(sample->net, &entry);
        float *values = need(rnet_alloc(entry.size));
        for (size_t k = 0; k < entry.size; k++)
            values[k] = (float)random_value(&entry, source);
        rnet_pack(&entry, sample->params, values);
        rnet_free(values);
    }
}

static void *random_port(const struct rnet_port *port, size_t batch,
                         struct source *source)
{
    size_t count = batch * port->size;
    int32_t *indices = need(rnet_alloc(count));
    float *values = (float *)indices;
    for (size_t i = 0; i < count; i++)
        if (port->integer)
            indices[i] = (int32_t)(sample_uniform(source)
                                   * (double)port->classes);
        else if (port->target)
            values[i] = (float)sample_uniform(source);
        else
            values[i] = (float)sample_normal(source);
    return indices;
}

/* One block of memory: the graph, its arrays, and the same turned round.  Each
 * node has up to four neighbours, itself and doubles among them. */
static void *random_graph(size_t nodes, struct source *source)
{
    size_t edges = 4 * nodes;
    struct rnet_graph *graph = need(rnet_alloc_bytes(
        2 * (sizeof *graph + (nodes + 1) * sizeof(int64_t)
             + edges * (sizeof(int32_t) + sizeof(float)))));
    int64_t *offsets = (int64_t *)(graph + 2);
    float *weights = (float *)(offsets + 2 * (nodes + 1));
    int32_t *neighbours = (int32_t *)(weights + 2 * edges);
    size_t edge = 0;
    for (size_t i = 0; i < nodes; i++) {
        size_t end = edge + (size_t)(5 * sample_uniform(source));
        for (; edge < end; edge++) {
            neighbours[edge] = (int32_t)((double)nodes
                                         * sample_uniform(source));
            weights[edge] = (float)(0.5 + sample_uniform(source));
        }
        offsets[i + 1] = (int64_t)edge;
    }
    *graph = (struct rnet_graph) { (long)nodes, offsets, neighbours, weights,
                                   NULL };
    if (rnet_graph_transpose(graph, graph + 1, offsets + nodes + 1,
                             neighbours + edges, weights + edges) != RNET_OK)
        exit(2);
    return graph;
}

static void make_ports(struct sample *sample, struct source *source)
{
    const struct rnet_network *net = sample->net;
    for (int i = 0; i < net->input_count; i++) {
        const struct rnet_port *port = &net->inputs[i];
        sample->input[i] = port->graph
            ? random_graph(sample->batch, source)
            : random_port(port, sample->batch, source);
        if (!port->integer && !port->target && !port->graph)
            sample->input_grad[i] = need(rnet_alloc(sample->batch
                                                    * port->size));
    }
    for (int i = 0; i < net->output_count; i++)
        sample->output[i] = need(rnet_alloc(sample->batch
                                            * net->outputs[i].size));
}

void sample_make(struct sample *sample, const struct rnet_network *net,
                 size_t batch, int threads, uint64_t seed)
{
    struct source source = { seed };
    *sample = (struct sample) { .net = net, .batch = batch };
    sample->params = need(rnet_alloc(net->param_floats));
    sample->grads = need(rnet_alloc(net->grad_floats));
    random_params(sample, &source);
    make_ports(sample, &source);
    sample->bytes = net->infer_bytes(batch, threads);
    if (net->train && sample->bytes < net->train_bytes(batch, threads))
        sample->bytes = net->train_bytes(batch, threads);
    sample->work.memory = need(rnet_alloc_bytes(sample->bytes + 1));
    sample->work.bytes = sample->bytes;
    sample->work.seed = seed;
}

void sample_free(struct sample *sample)
{
    rnet_free(sample->params);
    rnet_free(sample->grads);
    rnet_free(sample->work.memory);
    for (int i = 0; i < SAMPLE_PORTS; i++) {
        rnet_free(sample->input[i]);
        rnet_free(sample->output[i]);
        rnet_free(sample->input_grad[i]);
    }
}

enum rnet_status sample_infer(struct sample *sample)
{
    return sample->net->infer(sample->params,
                              (const void *const *)sample->input,
                              sample->output, sample->batch, &sample->work);
}

enum rnet_status sample_train(struct sample *sample)
{
    uint64_t step = sample->work.step;
    rnet_zero(sample->net, sample->grads);
    enum rnet_status status = sample->net->train(
        sample->params, (const void *const *)sample->input, sample->output,
        &sample->loss, sample->grads, sample->input_grad, sample->batch,
        &sample->work);
    sample->work.step = step;
    return status;
}
