/* full.c: one emitted network at full size, as full.py drives it.
 *
 *     cc -DNETWORK=digits -include digits.h full.c fixture.c digits.c ...
 *     ./a.out init PARAMS             NAME_init's parameters, saved
 *     ./a.out copy PARAMS COPY        loaded and saved again
 *     ./a.out step PARAMS DATA RESULT NUMBERS
 *
 * `step` loads PARAMS, infers and trains once on DATA (a fixture with input:
 * and target: pieces) with 1, 2, 3 and 7 threads, which must give the same
 * bits.  RESULT has gradients in the place of trained parameters, and running
 * statistics as the step left them; NUMBERS has the loss, then the outputs of
 * inference, then those of training. */
#include "fixture.h"

#include <rnet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 1
#define PORTS 8

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

static const struct rnet_network *const net = &NETWORK;

static void need(int good, const char *what, const char *why)
{
    if (good)
        return;
    printf("%s: %s: %s\n", net->name, what, why);
    exit(1);
}

static void need_ok(enum rnet_status status, const char *what)
{
    need(status == RNET_OK, what, rnet_status_text(status));
}

static void *some(size_t bytes)
{
    void *memory = rnet_alloc_bytes(bytes);
    need(memory != NULL, "memory", rnet_status_text(RNET_NO_MEMORY));
    return memory;
}

static void save(const float *params, const char *path)
{
    char message[256] = "";
    need(rnet_save(net, params, path, message, sizeof message) == RNET_OK,
         path, message);
}

static float *load(const char *path)
{
    char message[256] = "";
    float *params = some(net->param_floats * sizeof *params);
    need(rnet_load(net, params, path, message, sizeof message) == RNET_OK,
         path, message);
    return params;
}

/* ------------------------------------------------------------- one step */

struct step {
    const void *input[PORTS];
    float *infer[PORTS], *train[PORTS];
    float *params, *grads, loss;
    size_t batch;
};

static struct step step_new(const char *path, const struct fixture *data)
{
    struct step step = { .params = load(path) };
    for (int i = 0; i < net->input_count; i++) {
        const struct rnet_port *port = &net->inputs[i];
        const struct piece *piece = fixture_find(
            data, port->target ? "target" : "input", port->name);
        need(piece != NULL, port->name, "not in the data");
        step.input[i] = piece->data;
        step.batch = piece->count / port->size;
    }
    for (int i = 0; i < net->output_count; i++) {
        size_t bytes = step.batch * net->outputs[i].size * sizeof(float);
        step.infer[i] = some(bytes);
        step.train[i] = some(bytes);
    }
    step.grads = some(net->grad_floats * sizeof *step.grads);
    rnet_zero(net, step.grads);
    return step;
}

static void step_run(struct step *step, int threads)
{
    size_t bytes = net->train_bytes(step->batch, threads);
    if (bytes < net->infer_bytes(step->batch, threads))
        bytes = net->infer_bytes(step->batch, threads);
    struct rnet_work work = { .memory = some(bytes), .bytes = bytes,
                              .pool = rnet_pool_create(threads) };
    need(work.pool != NULL, "threads", rnet_status_text(RNET_NO_THREADS));
    need_ok(net->infer(step->params, step->input, step->infer, step->batch,
                       &work), "inference");
    need_ok(net->train(step->params, step->input, step->train, &step->loss,
                       step->grads, NULL, step->batch, &work), "training");
    rnet_pool_destroy(work.pool);
    rnet_free(work.memory);
}

static void expect_same(const struct step *a, const struct step *b)
{
    const char *other = "other bits with another number of threads";
    need(!memcmp(a->params, b->params, net->param_floats * sizeof(float)),
         "running statistics", other);
    need(!memcmp(a->grads, b->grads, net->grad_floats * sizeof(float)),
         "gradients", other);
    need(!memcmp(&a->loss, &b->loss, sizeof a->loss), "the loss", other);
    for (int i = 0; i < net->output_count; i++) {
        size_t bytes = a->batch * net->outputs[i].size * sizeof(float);
        need(!memcmp(a->infer[i], b->infer[i], bytes)
             && !memcmp(a->train[i], b->train[i], bytes), "outputs", other);
    }
}

static void step_free(struct step *step)
{
    for (int i = 0; i < net->output_count; i++) {
        rnet_free(step->infer[i]);
        rnet_free(step->train[i]);
    }
    rnet_free(step->params);
    rnet_free(step->grads);
}

static void write_numbers(const struct step *step, const char *path)
{
    FILE *file = fopen(path, "wb");
    need(file != NULL, path, "cannot be written");
    fwrite(&step->loss, sizeof step->loss, 1, file);
    for (int i = 0; i < net->output_count; i++)
        fwrite(step->infer[i], sizeof(float),
               step->batch * net->outputs[i].size, file);
    for (int i = 0; i < net->output_count; i++)
        fwrite(step->train[i], sizeof(float),
               step->batch * net->outputs[i].size, file);
    need(!fclose(file), path, "cannot be written");
}

static void take_step(char **path)
{
    static const int more[] = { 2, 3, 7 };
    struct fixture data;
    fixture_read(&data, path[1]);
    struct step one = step_new(path[0], &data);
    step_run(&one, 1);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        struct step other = step_new(path[0], &data);
        step_run(&other, more[i]);
        expect_same(&one, &other);
        step_free(&other);
    }
    write_numbers(&one, path[3]);
    memcpy(one.params, one.grads, net->grad_floats * sizeof(float));
    save(one.params, path[2]);
    step_free(&one);
    fixture_free(&data);
    puts(rnet_isa_name());
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "init")) {
        float *params = some(net->param_floats * sizeof *params);
        need_ok(JOIN(NETWORK, _init)(params, SEED), "init");
        save(params, argv[2]);
        rnet_free(params);
    } else if (argc == 4 && !strcmp(argv[1], "copy")) {
        float *params = load(argv[2]);
        save(params, argv[3]);
        rnet_free(params);
    } else if (argc == 6 && !strcmp(argv[1], "step")) {
        take_step(argv + 2);
    } else {
        fprintf(stderr, "usage: init PARAMS, copy PARAMS COPY or "
                        "step PARAMS DATA RESULT NUMBERS\n");
        return 2;
    }
    return 0;
}
