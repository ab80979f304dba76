/* pairs.c: two programs that must give the same numbers, in the double build.
 *
 *     cc -include double.h -include PAIRS.h ...
 *
 * PAIRS.h defines PAIRS(X) as X(unroll1a, unroll1b) X(...) ...  The second of
 * each takes the first's parameters, tensor by tensor, and its inputs, port by
 * port; outputs of inference and of training, loss, running statistics and all
 * gradients must agree.  Of a pair whose names begin with "batch" the second
 * gets the first's batch in two parts: its losses are means. */
#include "sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 1e-9          /* of the largest magnitude compared */
#define FLOOR 0.01              /* of the largest gradient: below it a
                                   gradient is compared as if it were as large */
enum { BATCH = 7, FIRST_PART = 3 };

#define DECLARED(a, b) extern const struct rnet_network a, b;
PAIRS(DECLARED)
#define LISTED(a, b) { &a, &b },
static const struct { const struct rnet_network *first, *second; } pairs[] = {
    PAIRS(LISTED)
};

/* ---- comparing ---- */

struct comparison {
    const char *pair;
    int failures, values;
    double worst;
};

static void same(struct comparison *to, const char *what, const char *name,
                 const float *a, const float *b, size_t count, double least)
{
    double most = least, error = 0;

    for (size_t i = 0; i < count; i++) {
        most = fmax(most, fabs((double)a[i]));
        error = fmax(error, isfinite(b[i]) ? fabs((double)(a[i] - b[i]))
                                           : INFINITY);
    }
    to->values += (int)count;
    to->worst = fmax(to->worst, most > 0 ? error / most : error);
    if (error <= TOLERANCE * most)
        return;
    to->failures++;
    printf("%s: %s%s differs by %.1e of %.1e\n", to->pair, what, name, error,
           most);
}

/* ---- names ---- */

/* What the two versions call differently: the inlined call's name goes, the
 * first of a property's names may have a number. */
static void plain_name(const char *name, char *plain)
{
    static const char *const words[] = { "scale", "gate", "shortcut" };

    if (!strncmp(name, "inlined.", 8))
        name += 8;
    while (*name) {
        size_t length = strcspn(name, ".");
        memcpy(plain, name, length);
        plain += length;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (length == strlen(words[i]) && !strncmp(name, words[i], length)
                && !(name[length] == '.' && name[length + 1] >= '0'
                     && name[length + 1] <= '9')) {
                memcpy(plain, ".0", 2);
                plain += 2;
            }
        name += length;
        if (*name)
            *plain++ = *name++;
    }
    *plain = 0;
}

/* The tensor of `net` that has the name, up to that; false: none. */
static int find(const struct rnet_network *net, const char *name,
                struct rnet_entry *found)
{
    char wanted[2 * RNET_NAME_BYTES], has[2 * RNET_NAME_BYTES];

    plain_name(name, wanted);
    for (size_t i = 0; i < rnet_tensor_count(net); i++) {
        rnet_tensor_at(net, i, found);
        plain_name(found->name, has);
        if (!strcmp(has, wanted))
            return 1;
    }
    return 0;
}

static float *unpacked(const struct rnet_entry *entry, const float *array)
{
    float *values = rnet_alloc(entry->size);

    if (!values)
        exit(2);
    rnet_unpack(entry, array, values);
    return values;
}

static int is_bias(const char *name)
{
    const char *end = strrchr(name, '.');
    return !strcmp(end ? end + 1 : name, "bias");
}

/* A bias that only one has stands before a batch norm: it begins at 0. */
static void take_params(struct comparison *to, const struct sample *from,
                        struct sample *sample)
{
    size_t found = 0;

    for (size_t i = 0; i < rnet_tensor_count(sample->net); i++) {
        struct rnet_entry mine, its;
        rnet_tensor_at(sample->net, i, &mine);
        if (!find(from->net, mine.name, &its) || its.size != mine.size) {
            float *zeros = rnet_alloc(mine.size);
            to->failures += !is_bias(mine.name);
            if (!is_bias(mine.name))
                printf("%s: no tensor for %s\n", to->pair, mine.name);
            rnet_pack(&mine, sample->params, zeros);
            rnet_free(zeros);
            continue;
        }
        float *values = unpacked(&its, from->params);
        rnet_pack(&mine, sample->params, values);
        rnet_free(values);
        found++;
    }
    if (found != rnet_tensor_count(from->net)) {
        to->failures++;
        printf("%s: %zu tensors of %zu\n", to->pair, found,
               rnet_tensor_count(from->net));
    }
}

/* ---- ports ---- */

static int port_index(const struct rnet_port *ports, int count,
                      const char *name)
{
    int i = 0;

    while (i < count && strcmp(ports[i].name, name))
        i++;
    return i;
}

static void take_inputs(struct comparison *to, const struct sample *from,
                        struct sample *sample)
{
    const struct rnet_network *net = sample->net;

    for (int i = 0; i < net->input_count; i++) {
        int k = port_index(from->net->inputs, from->net->input_count,
                           net->inputs[i].name);
        if (k == from->net->input_count
            || from->net->inputs[k].size != net->inputs[i].size) {
            printf("%s: no input %s\n", to->pair, net->inputs[i].name);
            exit(1);
        }
        rnet_free(sample->input[i]);
        sample->input[i] = from->input[k];
    }
}

static void need(struct comparison *to, enum rnet_status status)
{
    if (status == RNET_OK)
        return;
    printf("%s: %s\n", to->pair, rnet_status_text(status));
    to->failures++;
}

/* ---- two versions ---- */

static void compare_outputs(struct comparison *to, const struct sample *a,
                            const struct sample *b, const char *what)
{
    const struct rnet_network *net = b->net;

    for (int i = 0; i < net->output_count; i++) {
        int k = port_index(a->net->outputs, a->net->output_count,
                           net->outputs[i].name);
        same(to, what, net->outputs[i].name, a->output[k], b->output[i],
             net->outputs[i].size * b->batch, 1e-3);
    }
}

static double largest(const float *values, size_t count)
{
    double most = 0;

    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)values[i]));
    return most;
}

/* Tensors from two arrays, parameters or gradients. */
static void compare_tensors(struct comparison *to, const struct sample *a,
                            const struct sample *b, int grads)
{
    double least = grads ? FLOOR * largest(a->grads, a->net->grad_floats)
                         : 1e-3;

    for (size_t i = 0; i < rnet_tensor_count(a->net); i++) {
        struct rnet_entry mine, its;
        rnet_tensor_at(a->net, i, &mine);
        if ((grads && !mine.tensor->trainable)
            || !find(b->net, mine.name, &its))
            continue;
        float *x = unpacked(&mine, grads ? a->grads : a->params);
        float *y = unpacked(&its, grads ? b->grads : b->params);
        same(to, grads ? "gradient of " : "", mine.name, x, y, mine.size,
             least);
        rnet_free(x);
        rnet_free(y);
    }
}

static void compare_input_grads(struct comparison *to, const struct sample *a,
                                const struct sample *b)
{
    double least = FLOOR * largest(a->grads, a->net->grad_floats);

    for (int i = 0; i < b->net->input_count; i++) {
        int k = port_index(a->net->inputs, a->net->input_count,
                           b->net->inputs[i].name);
        if (b->input_grad[i] && a->input_grad[k])
            same(to, "gradient of ", b->net->inputs[i].name, a->input_grad[k],
                 b->input_grad[i], b->net->inputs[i].size * b->batch, least);
    }
}

static void compare_versions(struct comparison *to, struct sample *a,
                             struct sample *b)
{
    b->work.seed = a->work.seed;
    take_params(to, a, b);
    take_inputs(to, a, b);
    need(to, sample_infer(a));
    need(to, sample_infer(b));
    compare_outputs(to, a, b, "inferred ");
    need(to, sample_train(a));
    need(to, sample_train(b));
    compare_outputs(to, a, b, "trained ");
    same(to, "loss", "", &a->loss, &b->loss, 1, 1e-3);
    compare_tensors(to, a, b, 0);
    compare_tensors(to, a, b, 1);
    compare_input_grads(to, a, b);
}

/* ---- one batch in two parts ---- */

static void *cut(const struct rnet_port *port, const void *data, size_t from,
                 size_t count)
{
    size_t one = port->size * (port->integer ? sizeof(int32_t)
                                             : sizeof(float));
    char *copy = rnet_alloc_bytes(one * count + 1);

    if (!copy)
        exit(2);
    memcpy(copy, (const char *)data + from * one, one * count);
    return copy;
}

/* Trains on part of a's batch, and adds its share to the sums. */
static void train_part(struct comparison *to, const struct sample *a,
                       struct sample *part, size_t from, size_t count,
                       struct sample *sums)
{
    float share = (float)count / BATCH;

    for (int i = 0; i < part->net->input_count; i++)
        part->input[i] = cut(&part->net->inputs[i], a->input[i], from, count);
    part->batch = count;
    need(to, sample_train(part));
    sums->loss += share * part->loss;
    for (size_t i = 0; i < part->net->grad_floats; i++)
        sums->grads[i] += share * part->grads[i];
    for (int k = 0; k < part->net->output_count; k++)
        memcpy(sums->output[k] + from * part->net->outputs[k].size,
               part->output[k],
               count * part->net->outputs[k].size * sizeof(float));
    for (int k = 0; k < part->net->input_count; k++)
        for (size_t i = 0; part->input_grad[k]
             && i < count * part->net->inputs[k].size; i++)
            sums->input_grad[k][from * part->net->inputs[k].size + i]
                = share * part->input_grad[k][i];
}

static void compare_parts(struct comparison *to, struct sample *a,
                          struct sample *b)
{
    struct sample sums;

    sample_make(&sums, b->net, BATCH, 1, 1);
    rnet_zero(sums.net, sums.grads);
    sums.loss = 0;
    take_params(to, a, b);
    take_params(to, a, &sums);
    need(to, sample_train(a));
    train_part(to, a, b, 0, FIRST_PART, &sums);
    train_part(to, a, b, FIRST_PART, BATCH - FIRST_PART, &sums);
    compare_outputs(to, a, &sums, "");
    same(to, "loss", "", &a->loss, &sums.loss, 1, 1e-3);
    compare_tensors(to, a, &sums, 1);
    compare_input_grads(to, a, &sums);
}

int main(void)
{
    int failed = 0;

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct comparison to = { .pair = pairs[i].first->name };
        struct sample a, b;
        sample_make(&a, pairs[i].first, BATCH, 1, 3);
        sample_make(&b, pairs[i].second, BATCH, 1, 4);
        if (strncmp(to.pair, "batch", 5))
            compare_versions(&to, &a, &b);
        else
            compare_parts(&to, &a, &b);
        printf("%s: %s %d values, worst %.1e\n", to.pair,
               to.failures ? "FAILED" : "ok", to.values, to.worst);
        fflush(stdout);
        failed += to.failures != 0;
    }
    return failed != 0;
}
