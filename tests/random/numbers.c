/* numbers.c: what emitted networks compute, as files for translate.py.  In the
 * double build.
 *
 *     cc -include double.h -include NETWORKS.h ...     numbers FOLDER
 *
 * NETWORKS.h defines NETWORKS(X) as X(n1) X(n2) ...  FOLDER/1.numbers has, in
 * the form of safetensors with float64: param:NAME of every tensor, input: and
 * target: of every port (of a graph, its matrix), infer: and train: of every
 * output, loss, grad: and input_grad:, after: of the running statistics. */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 4 };

#define DECLARED(name) extern const struct rnet_network name;
NETWORKS(DECLARED)
#define LISTED(name) &name,
static const struct rnet_network *const networks[] = { NETWORKS(LISTED) };

static void *need(void *memory)
{
    if (!memory) {
        fputs("numbers: no memory\n", stderr);
        exit(2);
    }
    return memory;
}

/* ---- the file ---- */

struct output {
    char *header, *data;
    size_t header_size, data_size;
};

static void add_bytes(char **to, size_t *size, const void *bytes, size_t count)
{
    *to = need(realloc(*to, *size + count + 1));
    memcpy(*to + *size, bytes, count);
    *size += count;
}

static void put(struct output *out, const char *kind, const char *name,
                const char *type, const long *shape, int rank,
                const void *data, size_t bytes)
{
    char line[1024], axes[256] = "";

    for (int i = 0; i < rank; i++)
        sprintf(axes + strlen(axes), "%s%ld", i ? "," : "", shape[i]);
    int length = snprintf(line, sizeof line, "%s\"%s%s%s\":{\"dtype\":\"%s\","
        "\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
        out->header_size ? "," : "", kind, *name ? ":" : "", name, type, axes,
        out->data_size, out->data_size + bytes);
    add_bytes(&out->header, &out->header_size, line, (size_t)length);
    add_bytes(&out->data, &out->data_size, data, bytes);
}

static void write_output(struct output *out, const char *path)
{
    uint64_t length = out->header_size + 2;
    FILE *file = fopen(path, "wb");

    if (!file || fwrite(&length, 8, 1, file) != 1 || fputc('{', file) == EOF
        || fwrite(out->header, 1, out->header_size, file) != out->header_size
        || fputc('}', file) == EOF
        || fwrite(out->data, 1, out->data_size, file) != out->data_size
        || fclose(file)) {
        perror(path);
        exit(2);
    }
    free(out->header);
    free(out->data);
}

/* ---- what goes into it ---- */

static void put_tensors(struct output *out, const struct rnet_network *net,
                        const char *kind, const float *array, int trained,
                        int statistics)
{
    for (size_t i = 0; i < rnet_tensor_count(net); i++) {
        struct rnet_entry entry;
        rnet_tensor_at(net, i, &entry);
        if (entry.tensor->trainable ? !trained : !statistics)
            continue;
        float *values = need(rnet_alloc(entry.size));
        rnet_unpack(&entry, array, values);
        put(out, kind, entry.name, "F64", entry.tensor->shape,
            entry.tensor->rank, values, entry.size * sizeof(float));
        rnet_free(values);
    }
}

/* (nodes, nodes): the weight of each edge, the sum of doubled ones. */
static void put_graph(struct output *out, const char *name,
                      const struct rnet_graph *graph)
{
    const long shape[] = { graph->nodes, graph->nodes };
    float *matrix = need(rnet_alloc((size_t)(graph->nodes * graph->nodes)));

    for (long i = 0; i < graph->nodes; i++)
        for (int64_t e = graph->offsets[i]; e < graph->offsets[i + 1]; e++)
            matrix[i * graph->nodes + graph->neighbours[e]]
                += graph->weights[e];
    put(out, "input", name, "F64", shape, 2, matrix,
        (size_t)(graph->nodes * graph->nodes) * sizeof(float));
    rnet_free(matrix);
}

static void put_port(struct output *out, const char *kind,
                     const struct rnet_port *port, const void *data)
{
    long shape[RNET_RANK + 1] = { BATCH };

    memcpy(shape + 1, port->shape, sizeof port->shape);
    put(out, kind, port->name, port->integer ? "I32" : "F64", shape,
        port->rank + 1, data, BATCH * port->size
        * (port->integer ? sizeof(int32_t) : sizeof(float)));
}

static void put_inputs(struct output *out, const struct sample *sample)
{
    for (int i = 0; i < sample->net->input_count; i++) {
        const struct rnet_port *port = &sample->net->inputs[i];
        if (port->graph)
            put_graph(out, port->name, sample->input[i]);
        else
            put_port(out, port->target ? "target" : "input", port,
                     sample->input[i]);
    }
}

static void put_outputs(struct output *out, const struct sample *sample,
                        const char *kind)
{
    for (int i = 0; i < sample->net->output_count; i++)
        put_port(out, kind, &sample->net->outputs[i], sample->output[i]);
}

static void need_ok(const struct rnet_network *net, enum rnet_status status)
{
    if (status == RNET_OK)
        return;
    fprintf(stderr, "%s: %s\n", net->name, rnet_status_text(status));
    exit(1);
}

static void write_numbers(const struct rnet_network *net, const char *folder)
{
    static const long one[] = { 1 };
    struct output out = { 0 };
    struct sample sample;
    char path[1024];

    sample_make(&sample, net, BATCH, 1, 11);
    put_tensors(&out, net, "param", sample.params, 1, 1);
    put_inputs(&out, &sample);
    need_ok(net, sample_infer(&sample));
    put_outputs(&out, &sample, "infer");
    need_ok(net, sample_train(&sample));
    put_outputs(&out, &sample, "train");
    put(&out, "loss", "", "F64", one, 1, &sample.loss, sizeof(float));
    put_tensors(&out, net, "grad", sample.grads, 1, 0);
    put_tensors(&out, net, "after", sample.params, 0, 1);
    for (int i = 0; i < net->input_count; i++)
        if (sample.input_grad[i])
            put_port(&out, "input_grad", &net->inputs[i],
                     sample.input_grad[i]);
    snprintf(path, sizeof path, "%s/%s.numbers", folder, net->name + 1);
    write_output(&out, path);
    sample_free(&sample);
}

int main(int count, char **argument)
{
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        write_numbers(networks[i], count > 1 ? argument[1] : ".");
    return 0;
}
