/* sizes.c: sizes that depend on the batch, of values and of kernels' scratch. */
#include "schedule.h"

#include <inttypes.h>
#include <string.h>

/* Sums and products stop at LIMIT_MEMORY, which plan() reports. */

static int64_t bounded_add(int64_t a, int64_t b)
{
    int64_t sum;
    return add_size(a, b, &sum) && sum < LIMIT_MEMORY ? sum : LIMIT_MEMORY;
}

static int64_t bounded_times(int64_t a, int64_t n)
{
    int64_t product;
    return mul_size(a, n, &product) && product < LIMIT_MEMORY ? product
                                                              : LIMIT_MEMORY;
}

struct form_size form_add(struct form_size a, struct form_size b)
{
    a.constant = bounded_add(a.constant, b.constant);
    a.per_sample = bounded_add(a.per_sample, b.per_sample);
    for (int i = 0; i < UNITS; i++)
        a.per_strips[i] = bounded_add(a.per_strips[i], b.per_strips[i]);
    return a;
}

struct form_size form_times(struct form_size a, int64_t n)
{
    a.constant = bounded_times(a.constant, n);
    a.per_sample = bounded_times(a.per_sample, n);
    for (int i = 0; i < UNITS; i++)
        a.per_strips[i] = bounded_times(a.per_strips[i], n);
    return a;
}

bool form_too_large(const struct form_size *form)
{
    bool large = form->constant >= LIMIT_MEMORY || form->per_sample >= LIMIT_MEMORY;
    for (int i = 0; i < UNITS; i++)
        large |= form->per_strips[i] >= LIMIT_MEMORY;
    return large;
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

struct form_size form_max(struct form_size a, struct form_size b)
{
    a.constant = larger(a.constant, b.constant);
    a.per_sample = larger(a.per_sample, b.per_sample);
    for (int i = 0; i < UNITS; i++)
        a.per_strips[i] = larger(a.per_strips[i], b.per_strips[i]);
    return a;
}

bool form_zero(const struct form_size *form)
{
    static const struct form_size zero;
    return memcmp(form, &zero, sizeof zero) == 0;
}

int64_t form_floats(const struct form_size *form, const struct units *units,
                    int64_t batch)
{
    int64_t sum = form->constant + form->per_sample * batch;
    for (int i = 0; i < units->count; i++)
        sum += form->per_strips[i] * ((batch * units->rows[i] + 31) / 32);
    return sum;
}

static int64_t round16(int64_t n) { return (n + 15) / 16 * 16; }

static int unit_of(struct units *units, int64_t rows)
{
    int i = 0;
    while (i < units->count && units->rows[i] != rows)
        i++;
    if (i == units->count && i < UNITS) {
        units->rows[i] = rows;
        units->count++;
    }
    return i;
}

/* In floats, a multiple of 16. */
struct form_size value_size(struct compilation *c, const struct value *value)
{
    struct units *units = c->network->units;
    struct form_size size = { 0 };
    int64_t features = value->features;
    bool plain = value->layout == LAYOUT_PLAIN;

    if (value->form == FORM_VECTOR) {
        size.constant = round16(features);
        return size;
    }
    if (plain && (value->form == FORM_ROWS || value->form == FORM_LINES)) {
        size.per_sample = round16(value->form == FORM_ROWS
                                  ? value->rows * features : features);
        return size;
    }
    int unit = unit_of(units, value->rows);
    if (unit == UNITS) {
        size.constant = -1;
        return size;
    }
    size.per_strips[unit] = value->form == FORM_ROWS
        || value->form == FORM_STATS ? 32 * features : round16(features);
    return size;
}

/* ---- scratch of kernels ---- */

static int64_t at_least(int64_t a, int64_t b) { return a > b ? a : b; }

/* RNET_CONV_WORKER_FLOATS, RNET_CONV_WEIGHTS and RNET_CONV_SCRATCH_FLOATS of
 * rnet_kernels.h; the emitted C asserts that they agree. */
static int64_t conv_worker(const struct conv *v)
{
    int64_t pixels = v->out_height * v->out_width;
    int64_t images = pixels <= 64 ? 4 : pixels <= 128 ? 2 : 1;
    int64_t input = v->height * (v->width + v->left + v->right) * v->in;
    int64_t output = v->out_height * (v->out_width + 1
                     + 2 * (v->kernel_width - 1) * v->dilation_x) * v->out;
    return images * (round16(input) + round16(output)) + 64;
}

static int64_t conv_weights(const struct conv *v)
{
    int64_t taps = v->kernel_height * v->kernel_width;

    if (v->in == v->groups && v->out == v->groups)
        return round16(v->out) * taps;
    return v->groups * round16(v->in / v->groups)
         * round16(v->out / v->groups) * taps;
}

static int64_t conv_shared(const struct conv *v)
{
    int64_t size = v->in / v->groups * v->out
                 * v->kernel_height * v->kernel_width;
    int64_t groups = size <= 65536 ? 8 : size <= 1048576 ? 4 : 2;

    return conv_weights(v) * groups + round16(v->out) * 8 + 64;
}

/* rnet_conv_step has the gradients of one group of images more. */
static int64_t conv_grad_shared(const struct node *n)
{
    return conv_shared(&n->conv) + (steps_weight(n) ? conv_weights(&n->conv)
                                                    : 0);
}

static void list_scratch(const struct list *list, int64_t *worker,
                         int64_t *shared)
{
    for (const struct node *n = list->first; n; n = n->next) {
        *worker = at_least(*worker, n->worker);
        *shared = at_least(*shared, n->shared);
        if (op_row(n->op)->traits & CONVOLVES)
            *worker = at_least(*worker, conv_worker(&n->conv));
        if (n->op == OP_UPCONV)
            *shared = at_least(*shared, conv_weights(&n->conv));
        if (n->op == OP_CONV_GRAD)
            *shared = at_least(*shared, conv_grad_shared(n));
        if (n->op == OP_LOOP)
            list_scratch(&n->loop.body->nodes, worker, shared);
        if (n->op == OP_LOOP_GRAD)
            list_scratch(&n->loop.body->backward, worker, shared);
    }
}

void kernel_scratch(const struct network *network, bool training,
                    int64_t *worker, int64_t *shared)
{
    *worker = *shared = 0;
    for (const struct function *f = network->functions; f; f = f->next) {
        list_scratch(&f->body->nodes, worker, shared);
        if (training)
            list_scratch(&f->body->backward, worker, shared);
    }
    *worker = round16(*worker);
    *shared = round16(*shared);
}
