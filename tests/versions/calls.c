/* calls.c: every call that takes a network's table, with a table, a header or a
 * library of another version: it must say so and touch nothing.
 *
 *     calls       the library is of another version
 *     calls N     the table says version N */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

enum { BATCH = 2 };

static int failures, checks;

static void expect(int good, const char *what)
{
    checks++;
    if (!good) {
        failures++;
        printf("FAILED: %s\n", what);
    }
}

static void bad(enum rnet_status status, const char *what)
{
    expect(status == RNET_BAD_VERSION, what);
}

static float *filled(size_t count)
{
    float *array = rnet_alloc(count);

    for (size_t i = 0; i < count; i++)
        array[i] = 7;
    return array;
}

static int untouched(const float *array, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (array[i] != 7)
            return 0;
    return 1;
}

/* The table's functions are the emitted ones, which are of the right version
 * when only the table is wrong. */
static void check_entry_points(float *params, float *grads)
{
    float x[BATCH * NET_X_SIZE] = { 1 }, y[BATCH * NET_Y_SIZE] = { 7 };
    float target[BATCH * NET_Y_SIZE] = { 0 }, loss = 7;
    struct rnet_work work = { .bytes = NET_TRAIN_BYTES(BATCH, 1) };

    work.memory = rnet_alloc_bytes(work.bytes);
    bad(net_infer(params, x, y, BATCH, &work), "NAME_infer");
    bad(net_train(params, x, target, y, &loss, grads, NULL, BATCH, &work),
        "NAME_train");
    bad(net_init(params, 1), "NAME_init");
    expect(loss == 7 && y[0] == 7 && work.step == 0, "results are untouched");
    rnet_free(work.memory);
}

static void check_table(const struct rnet_network *network, float *params,
                        float *grads)
{
    struct rnet_sgd sgd = { .rate = 1 };
    struct rnet_adam adam = { .rate = 1, .moment1 = grads, .moment2 = grads };
    struct rnet_entry entry;
    char message[300] = "";

    bad(rnet_init_params(network, params, 1), "rnet_init_params");
    bad(rnet_save(network, params, "no.safetensors", message, sizeof message),
        "rnet_save");
    expect(strstr(message, "different versions") != NULL, "its message");
    bad(rnet_load(network, params, "no.safetensors", NULL, 0), "rnet_load");
    bad(rnet_sgd_step(network, &sgd, params, grads, NULL), "rnet_sgd_step");
    bad(rnet_adam_step(network, &adam, params, grads, NULL), "rnet_adam_step");
    bad(rnet_tensor_at(network, 0, &entry), "rnet_tensor_at");
    bad(rnet_tensor_find(network, "linear.0.weight", &entry),
        "rnet_tensor_find");
    expect(rnet_tensor_count(network) == 0, "rnet_tensor_count");
    expect(isnan(rnet_clip(network, grads, 1)), "rnet_clip");
    rnet_zero(network, grads);
}

int main(int argc, char **argv)
{
    struct rnet_network doctored = net;
    float *params = filled(NET_PARAM_FLOATS), *grads = filled(NET_GRAD_FLOATS);

    if (argc > 1)
        doctored.version = atoi(argv[1]);
    else
        check_entry_points(params, grads);
    check_table(&doctored, params, grads);
    expect(untouched(params, NET_PARAM_FLOATS), "parameters are untouched");
    expect(untouched(grads, NET_GRAD_FLOATS), "gradients are untouched");
    rnet_free(params);
    rnet_free(grads);
    printf("%d passed, %d failed\n", checks - failures, failures);
    return failures != 0;
}
