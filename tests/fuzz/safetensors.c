/* safetensors.c: fuzz target: a file of weights loaded into a network of every
 * packing, and names looked up in its table. */
#include "target.h"

#include "../unit/small_network.h"

#include <string.h>

/* "a" [2] and "b" [1]: small enough to be made whole by chance. */
static const struct rnet_tensor two_tensors[] = {
    { .name = "a", .groups = 1, .rank = 1, .shape = { 2 }, .floats = 16 },
    { .name = "b", .groups = 1, .rank = 1, .shape = { 1 }, .offset = 16,
      .floats = 16 } };
static const struct rnet_network two = {
    .version = RNET_VERSION, .name = "two", .param_floats = 32,
    .tensors = two_tensors, .tensor_rows = 2 };

/* rnet_load: all of the parameters or none. */
static void load(const struct rnet_network *net, const uint8_t *data,
                 size_t size)
{
    static float before[PARAM_FLOATS], params[PARAM_FLOATS];
    char message[300] = "";

    for (int i = 0; i < PARAM_FLOATS; i++)
        before[i] = params[i] = (float)i;
    enum rnet_status status = rnet_load(net, params,
                                        fuzz_file(0, data, size), message,
                                        sizeof message);
    if (status == RNET_OK)
        return;
    fuzz_check(!memcmp(before, params, sizeof params),
               "a file that cannot be loaded changes nothing");
    fuzz_check_message(message, sizeof message);
}

/* A name from the file; what is found has it. */
static void find(const uint8_t *data, size_t size)
{
    char name[RNET_NAME_BYTES + 8];
    struct rnet_entry entry;
    size_t length = size < sizeof name - 1 ? size : sizeof name - 1;

    memcpy(name, data, length);
    name[length] = '\0';
    enum rnet_status status = rnet_tensor_find(&small, name, &entry);
    fuzz_check(status == RNET_OK || status == RNET_BAD_NAME,
               "a name is known or not");
    if (status != RNET_OK)
        return;
    fuzz_check(!strcmp(entry.name, name), "what is found has the name");
    fuzz_check(entry.offset + entry.tensor->floats <= PARAM_FLOATS,
               "what is found lies in the parameters");
}

static void at(const uint8_t *data, size_t size)
{
    struct rnet_entry entry;
    size_t index = 0;

    memcpy(&index, data, size < sizeof index ? size : sizeof index);
    enum rnet_status status = rnet_tensor_at(&small, index, &entry);
    fuzz_check((status == RNET_OK) == (index < TENSORS),
               "there are as many tensors as there are");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    load(&small, data, size);
    load(&two, data, size);
    find(data, size);
    at(data, size);
    return 0;
}
