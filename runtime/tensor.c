/* tensor.c: the tensors of a network, found by number and by name, and moved
 * between the flat array and their published layouts. */
#include "modes.h"
#include "tensor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --------------------------------------------------------------- numbers */

static size_t instances(const struct rnet_tensor *tensor)
{
    size_t count = 1;
    for (int i = 0; i < tensor->repeats; i++)
        count *= (size_t)tensor->repeat[i].count;
    return count;
}

static size_t scalars(const struct rnet_tensor *tensor)
{
    size_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= (size_t)tensor->shape[i];
    return count;
}

size_t rnet_tensor_count(const struct rnet_network *net)
{
    size_t count = 0;
    if (net->version != RNET_VERSION)
        return 0;
    for (int row = 0; row < net->tensor_rows; row++)
        count += instances(&net->tensors[row]);
    return count;
}

/* What the '#' of `index` stands for in iterations `at`. */
static long number_at(const struct rnet_tensor *tensor,
                      const struct rnet_index *index, const long *at)
{
    long number = index->first;
    for (int i = 0; i < tensor->repeats; i++)
        number += at[i] * index->step[i];
    return number;
}

/* Writes the name of iterations `at`; 0, cut short, when it does not fit. */
static int write_name(const struct rnet_tensor *tensor, const long *at,
                      char name[RNET_NAME_BYTES])
{
    const struct rnet_index *index = tensor->index;
    char *to = name, *end = name + RNET_NAME_BYTES - 1;
    for (const char *c = tensor->name; *c; c++) {
        char piece[24] = { *c };
        if (*c == '#')
            snprintf(piece, sizeof piece, "%ld",
                     number_at(tensor, index++, at));
        size_t length = strlen(piece);
        if (length > (size_t)(end - to))
            break;
        memcpy(to, piece, length);
        to += length;
        if (!c[1]) {
            *to = '\0';
            return 1;
        }
    }
    *to = '\0';
    return 0;
}

static int write_entry(const struct rnet_tensor *tensor, const long *at,
                       struct rnet_entry *entry)
{
    entry->tensor = tensor;
    entry->size = scalars(tensor);
    entry->offset = tensor->offset;
    for (int i = 0; i < tensor->repeats; i++)
        entry->offset += (size_t)at[i] * tensor->repeat[i].stride;
    entry->diagonal = number_at(tensor, &tensor->diagonal, at);
    return write_name(tensor, at, entry->name);
}

/* Instance number `within` as iterations of the repeats. */
static void iterations(const struct rnet_tensor *tensor, size_t within,
                       long at[RNET_NEST])
{
    for (int i = tensor->repeats - 1; i >= 0; i--) {
        at[i] = (long)(within % (size_t)tensor->repeat[i].count);
        within /= (size_t)tensor->repeat[i].count;
    }
}

enum rnet_status rnet_tensor_at(const struct rnet_network *net, size_t index,
                                struct rnet_entry *entry)
{
    if (!net || !entry)
        return RNET_NULL;
    if (net->version != RNET_VERSION)
        return RNET_BAD_VERSION;
    for (int row = 0; row < net->tensor_rows; row++) {
        const struct rnet_tensor *tensor = &net->tensors[row];
        size_t count = instances(tensor);
        if (index < count) {
            long at[RNET_NEST];
            iterations(tensor, index, at);
            return write_entry(tensor, at, entry) ? RNET_OK : RNET_BAD_NAME;
        }
        index -= count;
    }
    return RNET_BAD_NAME;
}

int rnet_walk_next(struct rnet_walk *walk, struct rnet_entry *entry)
{
    const struct rnet_network *net = walk->net;
    while (walk->row < net->tensor_rows) {
        const struct rnet_tensor *tensor = &net->tensors[walk->row];
        if (walk->within < instances(tensor)) {
            long at[RNET_NEST];
            iterations(tensor, walk->within++, at);
            write_entry(tensor, at, entry);
            return 1;
        }
        walk->row++;
        walk->within = 0;
    }
    return 0;
}

/* ----------------------------------------------------------------- names */

/* Reads a number without sign and without leading zeros; NULL: none. */
static const char *read_number(const char *text, long *number)
{
    if (*text < '0' || *text > '9' || (*text == '0' && text[1] >= '0'
                                       && text[1] <= '9'))
        return NULL;
    for (*number = 0; *text >= '0' && *text <= '9'; text++)
        if (__builtin_mul_overflow(*number, 10, number)
            || __builtin_add_overflow(*number, *text - '0', number))
            return NULL;
    return text;
}

/* Matches `name` with the row's pattern; the numbers that stand for its '#'s
 * go to `number`, how many they are to *numbers. */
static int match_pattern(const char *pattern, const char *name,
                         long number[RNET_NEST], int *numbers)
{
    *numbers = 0;
    for (; *pattern; pattern++) {
        if (*pattern != '#') {
            if (*pattern != *name++)
                return 0;
            continue;
        }
        if (*numbers == RNET_NEST)
            return 0;
        name = read_number(name, &number[(*numbers)++]);
        if (!name)
            return 0;
    }
    return !*name;
}

/* Iterations of repeats i, i + 1, ... that make up what is left of each
 * number: sum of at[j] * step[j] over j >= i.  Steps are not negative, so a
 * number bounds at[i] from both sides; mostly to one value. */
static int solve(const struct rnet_tensor *tensor, int i, const long *left,
                 int numbers, long at[RNET_NEST])
{
    if (i == tensor->repeats) {
        for (int k = 0; k < numbers; k++)
            if (left[k] != 0)
                return 0;
        return 1;
    }
    long low = 0, high = tensor->repeat[i].count - 1;
    for (int k = 0; k < numbers; k++) {
        const long *step = tensor->index[k].step;
        long rest = 0;                  /* most that the inner repeats add */
        for (int j = i + 1; j < tensor->repeats; j++)
            rest += (tensor->repeat[j].count - 1) * step[j];
        if (step[i] == 0)
            continue;
        if (left[k] / step[i] < high)
            high = left[k] / step[i];
        if (left[k] > rest && (left[k] - rest - 1) / step[i] + 1 > low)
            low = (left[k] - rest - 1) / step[i] + 1;
    }
    for (at[i] = low; at[i] <= high; at[i]++) {
        long after[RNET_NEST];
        for (int k = 0; k < numbers; k++)
            after[k] = left[k] - at[i] * tensor->index[k].step[i];
        if (solve(tensor, i + 1, after, numbers, at))
            return 1;
    }
    return 0;
}

enum rnet_status rnet_tensor_find(const struct rnet_network *net,
                                  const char *name, struct rnet_entry *entry)
{
    if (!net || !name || !entry)
        return RNET_NULL;
    if (net->version != RNET_VERSION)
        return RNET_BAD_VERSION;
    for (int row = 0; row < net->tensor_rows; row++) {
        const struct rnet_tensor *tensor = &net->tensors[row];
        long left[RNET_NEST], at[RNET_NEST] = { 0 };
        int numbers;
        if (!match_pattern(tensor->name, name, left, &numbers))
            continue;
        for (int k = 0; k < numbers; k++)
            left[k] -= tensor->index[k].first;
        if (solve(tensor, 0, left, numbers, at))
            return write_entry(tensor, at, entry) ? RNET_OK : RNET_BAD_NAME;
    }
    return RNET_BAD_NAME;
}

/* --------------------------------------------------------------- packing */

/* Scalars that follow each other in the published layout and lie `step`
 * floats apart in the array. */
struct run {
    size_t at, count, step;
};

/* [out, in] -> [ceil(in/32)][out][32] */
static struct run panel_run(const struct rnet_tensor *tensor, size_t size,
                            size_t index)
{
    size_t out = (size_t)tensor->shape[0], in = size / out;
    size_t row = index / in, column = index % in, lane = column % 32;
    size_t count = in - column < 32 - lane ? in - column : 32 - lane;
    return (struct run) { (column / 32 * out + row) * 32 + lane, count, 1 };
}

/* [oc, ic/groups, kh, kw] -> [groups][ceil(oc/groups/16)][kh][kw][ic/groups]
 * [16]; depthwise -> [kh][kw][oc rounded up to 16] */
static struct run conv_run(const struct rnet_tensor *tensor, size_t size,
                           size_t index)
{
    size_t groups = (size_t)tensor->groups, all = (size_t)tensor->shape[0];
    size_t out = all / groups, in = (size_t)tensor->shape[1];
    size_t pixels = size / all / in, pixel = index % pixels;
    size_t channel = index / pixels / in, input = index / pixels % in;
    struct run run = { .count = pixels - pixel };
    if (in == 1 && all == groups) {
        run.step = (all + 15) / 16 * 16;
        run.at = pixel * run.step + channel;
        return run;
    }
    size_t block = channel / out * ((out + 15) / 16) + channel % out / 16;
    run.step = in * 16;
    run.at = ((block * pixels + pixel) * in + input) * 16 + channel % out % 16;
    return run;
}

/* The run that starts at scalar `index` of the published layout. */
static struct run run_at(const struct rnet_entry *entry, size_t index)
{
    switch (entry->tensor->pack) {
    case RNET_PACK_PANELS:
        return panel_run(entry->tensor, entry->size, index);
    case RNET_PACK_CONV:
        return conv_run(entry->tensor, entry->size, index);
    default:
        return (struct run) { index, entry->size - index, 1 };
    }
}

void rnet_unpack_part(const struct rnet_entry *entry, const float *array,
                      size_t first, size_t count, float *values)
{
    for (size_t i = 0; i < count; ) {
        struct run run = run_at(entry, first + i);
        const float *from = array + entry->offset + run.at;
        for (size_t k = 0; k < run.count && i < count; k++)
            values[i++] = from[k * run.step];
    }
}

void rnet_pack_part(const struct rnet_entry *entry, float *array,
                    size_t first, size_t count, const float *values)
{
    for (size_t i = 0; i < count; ) {
        struct run run = run_at(entry, first + i);
        float *to = array + entry->offset + run.at;
        for (size_t k = 0; k < run.count && i < count; k++)
            to[k * run.step] = values[i++];
    }
}

void rnet_unpack(const struct rnet_entry *entry, const float *array,
                 float *values)
{
    rnet_unpack_part(entry, array, 0, entry->size, values);
}

void rnet_pack(const struct rnet_entry *entry, float *array,
               const float *values)
{
    memset(array + entry->offset, 0, entry->tensor->floats * sizeof *array);
    rnet_pack_part(entry, array, 0, entry->size, values);
}

/* -------------------------------------------------------- initial values */

#define PART 1024                       /* scalars at a time; 4 divides it */

/* (0, 1), never its ends */
static double unit(uint32_t word)
{
    return (word + 0.5) / 4294967296.0;
}

/* Four values of mean 0 and spread 1 from four words.  Normal: the method of
 * Box and Muller 1958, in double, so that its rounding to float does not
 * depend on the last bits of log and cos. */
static void four_values(enum rnet_init init, const uint32_t words[4],
                        double values[4])
{
    for (int i = 0; i < 4; i += 2) {
        double u = unit(words[i]), v = unit(words[i + 1]);
        double radius = sqrt(-2 * log(u)), angle = 2 * 3.14159265358979324 * v;
        int normal = init == RNET_INIT_NORMAL;
        values[i] = normal ? radius * cos(angle) : 2 * u - 1;
        values[i + 1] = normal ? radius * sin(angle) : 2 * v - 1;
    }
}

/* Scalars [first, first + count) of tensor `number`; `values` has room for
 * count rounded up to 4. */
static void draw(const struct rnet_tensor *tensor, size_t number, uint64_t seed,
                 size_t first, size_t count, float *values)
{
    const uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
    for (size_t i = 0; i < count; i += 4) {
        size_t block = (first + i) / 4;
        const uint32_t counter[4] = { (uint32_t)block, (uint32_t)number,
                                      (uint32_t)((uint64_t)block >> 32), 0 };
        uint32_t words[4];
        double four[4];
        rnet_philox(counter, key, words);
        four_values(tensor->init, words, four);
        for (int k = 0; k < 4; k++)
            values[i + (size_t)k] =
                (float)(tensor->mean + tensor->spread * four[k]);
    }
}

/* Adds the spread to what lies on the diagonal. */
static void add_diagonal(const struct rnet_entry *entry, size_t first,
                         size_t count, float *values)
{
    const struct rnet_tensor *tensor = entry->tensor;
    size_t columns = (size_t)tensor->shape[tensor->rank - 1];

    for (size_t row = first / columns; row * columns < first + count; row++) {
        size_t at = row * columns + (row + (size_t)entry->diagonal) % columns;

        if (at >= first && at < first + count)
            values[at - first] += tensor->spread;
    }
}

static void init_tensor(const struct rnet_entry *entry, size_t number,
                        uint64_t seed, float *params)
{
    const struct rnet_tensor *tensor = entry->tensor;
    float values[PART];
    for (size_t first = 0; first < entry->size; first += PART) {
        size_t count = entry->size - first;
        if (count > PART)
            count = PART;
        for (size_t i = 0; i < count; i++)
            values[i] = tensor->mean;
        if (tensor->init == RNET_INIT_DIAGONAL)
            add_diagonal(entry, first, count, values);
        else if (tensor->init != RNET_INIT_CONSTANT)
            draw(tensor, number, seed, first, count, values);
        rnet_pack_part(entry, params, first, count, values);
    }
}

enum rnet_status rnet_init_params(const struct rnet_network *net, float *params,
                                  uint64_t seed)
{
    struct rnet_walk walk = { .net = net };
    struct rnet_entry entry;
    if (!net || !params)
        return RNET_NULL;
    if (net->version != RNET_VERSION)
        return RNET_BAD_VERSION;
    uint64_t modes = set_modes();
    memset(params, 0, net->param_floats * sizeof *params);
    for (size_t number = 0; rnet_walk_next(&walk, &entry); number++)
        init_tensor(&entry, number, seed, params);
    restore_modes(modes);
    return RNET_OK;
}

void rnet_zero(const struct rnet_network *net, float *grads)
{
    if (net->version == RNET_VERSION)
        memset(grads, 0, net->grad_floats * sizeof *grads);
}
