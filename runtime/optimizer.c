/* optimizer.c: a step of SGD or Adam over the flat array of parameters, and
 * the norm of the gradients.  The array is cut into chunks of equal size,
 * whatever tensors lie in them; decay is one number for each 16 floats, as no
 * two tensors share those. */
#include "modes.h"
#include "rnet_kernels.h"

#include <math.h>
#include <string.h>

#include "isa.h"
#include "kernels/optimizer.h"

#define GROUP 16
#define CHUNK 16384                     /* floats of a task */

static const struct optimizer_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(optimizer_kernels);

/* ----------------------------------------------------------------- decay */

/* Groups [low, low + count) and what they decay by. */
struct decays {
    size_t low, count;
    float value;
    float each[CHUNK / GROUP];
};

/* Sets the decay of one tensor's groups, as far as they are in the chunk. */
static void mark_tensor(struct decays *decays, size_t first, size_t end)
{
    size_t high = decays->low + decays->count;
    if (first < decays->low)
        first = decays->low;
    if (end > high)
        end = high;
    for (size_t i = first; i < end; i++)
        decays->each[i - decays->low] = decays->value;
}

/* The instances of a row that repeats i, i + 1, ... make from `offset` on:
 * goes straight to those that the chunk cuts. */
static void mark_row(struct decays *decays, const struct rnet_tensor *tensor,
                     int i, size_t offset)
{
    size_t low = decays->low * GROUP, end = low + decays->count * GROUP;
    size_t extent = tensor->floats;
    if (i == tensor->repeats) {
        mark_tensor(decays, offset / GROUP,
                    (offset + extent + GROUP - 1) / GROUP);
        return;
    }
    for (int j = i + 1; j < tensor->repeats; j++)
        extent += (size_t)(tensor->repeat[j].count - 1)
                  * tensor->repeat[j].stride;
    size_t count = (size_t)tensor->repeat[i].count;
    size_t stride = tensor->repeat[i].stride, k = 0;
    if (offset + extent <= low)
        k = (low - offset - extent) / stride + 1;
    for (; k < count && offset + k * stride < end; k++)
        mark_row(decays, tensor, i + 1, offset + k * stride);
}

static void find_decays(struct decays *decays, const struct rnet_network *net,
                        int all)
{
    if (all || decays->value == 0) {
        for (size_t i = 0; i < decays->count; i++)
            decays->each[i] = decays->value;
        return;
    }
    memset(decays->each, 0, sizeof decays->each);
    for (int row = 0; row < net->tensor_rows; row++) {
        const struct rnet_tensor *tensor = &net->tensors[row];
        if (tensor->trainable && tensor->decay)
            mark_row(decays, tensor, 0, tensor->offset);
    }
}

/* ----------------------------------------------------------------- steps */

struct step {
    const struct rnet_network *net;
    float *params, *state1, *state2;
    const float *grads;
    float decay;
    int decay_all;
    struct rnet_sgd_rule sgd;
    struct rnet_adam_rule adam;
};

/* The index-th chunk: its first float; *decays is set. */
static size_t open_chunk(const struct step *step, long index,
                         struct decays *decays)
{
    size_t groups = step->net->grad_floats / GROUP;
    decays->low = (size_t)index * (CHUNK / GROUP);
    decays->count = groups - decays->low;
    if (decays->count > CHUNK / GROUP)
        decays->count = CHUNK / GROUP;
    decays->value = step->decay;
    find_decays(decays, step->net, step->decay_all);
    return decays->low * GROUP;
}

static void sgd_chunk(void *context, long index, int worker)
{
    const struct step *step = context;
    struct decays decays;
    size_t at = open_chunk(step, index, &decays);
    (void)worker;
    tables[rnet_isa()]->sgd(step->params + at,
                            step->state1 ? step->state1 + at : NULL,
                            step->grads + at, decays.each, (long)decays.count,
                            &step->sgd);
}

static void adam_chunk(void *context, long index, int worker)
{
    const struct step *step = context;
    struct decays decays;
    size_t at = open_chunk(step, index, &decays);
    (void)worker;
    tables[rnet_isa()]->adam(step->params + at, step->state1 + at,
                             step->state2 + at, step->grads + at, decays.each,
                             (long)decays.count, &step->adam);
}

static long chunks(const struct rnet_network *net)
{
    return (long)((net->grad_floats / GROUP * GROUP + CHUNK - 1) / CHUNK);
}

static void run_chunks(struct step *step, struct rnet_work *work,
                       rnet_task *task)
{
    const struct rnet_run run = { .work = work };
    rnet_parallel(&run, chunks(step->net), task, step);
}

static enum rnet_status check(const struct rnet_network *net,
                              const float *params, const float *grads)
{
    if (!net)
        return RNET_NULL;
    if (net->version != RNET_VERSION)
        return RNET_BAD_VERSION;
    enum rnet_status status = rnet_check_array(params);
    return status ? status : rnet_check_array(grads);
}

static struct rnet_sgd_rule sgd_rule(const struct rnet_sgd *sgd)
{
    return (struct rnet_sgd_rule) {
        .rate = (float)sgd->rate, .momentum = (float)sgd->momentum,
        .fresh = sgd->step ? (float)(1 - sgd->dampening) : 1,
        .nesterov = sgd->nesterov };
}

static struct rnet_adam_rule adam_rule(const struct rnet_adam *adam)
{
    double steps = (double)adam->step + 1;
    double bias1 = 1 - pow(adam->beta1, steps);
    double bias2 = 1 - pow(adam->beta2, steps);
    return (struct rnet_adam_rule) {
        .beta1 = (float)adam->beta1, .fresh1 = (float)(1 - adam->beta1),
        .beta2 = (float)adam->beta2, .fresh2 = (float)(1 - adam->beta2),
        .rate = (float)(adam->rate / bias1), .root = (float)(1 / sqrt(bias2)),
        .epsilon = (float)adam->epsilon,
        .coupled = adam->decoupled ? 0 : 1,
        .decoupled = adam->decoupled ? (float)adam->rate : 0 };
}

enum rnet_status rnet_check_sgd(const struct rnet_sgd *sgd)
{
    if (!sgd)
        return RNET_NULL;
    return sgd->momentum != 0 ? rnet_check_array(sgd->velocity) : RNET_OK;
}

enum rnet_status rnet_check_adam(const struct rnet_adam *adam)
{
    enum rnet_status status = adam ? rnet_check_array(adam->moment1)
                                   : RNET_NULL;
    return status ? status : rnet_check_array(adam->moment2);
}

enum rnet_status rnet_sgd_step(const struct rnet_network *net,
                               struct rnet_sgd *sgd, float *params,
                               const float *grads, struct rnet_work *work)
{
    enum rnet_status status = sgd ? check(net, params, grads) : RNET_NULL;
    if (status == RNET_OK)
        status = rnet_check_sgd(sgd);
    if (status)
        return status;
    uint64_t modes = set_modes();
    struct step step = {
        .net = net, .params = params, .grads = grads,
        .state1 = sgd->momentum != 0 ? sgd->velocity : NULL,
        .decay = (float)sgd->decay, .decay_all = sgd->decay_all,
        .sgd = sgd_rule(sgd) };
    run_chunks(&step, work, sgd_chunk);
    sgd->step++;
    restore_modes(modes);
    return RNET_OK;
}

enum rnet_status rnet_adam_step(const struct rnet_network *net,
                                struct rnet_adam *adam, float *params,
                                const float *grads, struct rnet_work *work)
{
    enum rnet_status status = adam ? check(net, params, grads) : RNET_NULL;
    if (status == RNET_OK)
        status = rnet_check_adam(adam);
    if (status)
        return status;
    uint64_t modes = set_modes();
    struct step step = {
        .net = net, .params = params, .grads = grads, .state1 = adam->moment1,
        .state2 = adam->moment2, .decay = (float)adam->decay,
        .decay_all = adam->decay_all, .adam = adam_rule(adam) };
    run_chunks(&step, work, adam_chunk);
    adam->step++;
    restore_modes(modes);
    return RNET_OK;
}

/* -------------------------------------------- updates within a backward pass */

void rnet_begin_sgd(struct rnet_run *run, struct rnet_update *update,
                    const struct rnet_sgd *sgd, float *params)
{
    *update = (struct rnet_update) {
        .params = params, .state1 = sgd->momentum != 0 ? sgd->velocity : NULL,
        .sgd = sgd_rule(sgd), .decay = (float)sgd->decay,
        .decay_rest = sgd->decay_all ? (float)sgd->decay : 0 };
    run->update = update;
}

void rnet_begin_adam(struct rnet_run *run, struct rnet_update *update,
                     const struct rnet_adam *adam, float *params)
{
    *update = (struct rnet_update) {
        .params = params, .state1 = adam->moment1, .state2 = adam->moment2,
        .adam = 1, .moments = adam_rule(adam), .decay = (float)adam->decay,
        .decay_rest = adam->decay_all ? (float)adam->decay : 0 };
    run->update = update;
}

void rnet_clear(float *x, size_t floats)
{
    memset(x, 0, floats * sizeof *x);
}

/* At most CHUNK floats at params + at. */
static void update_chunk(const struct rnet_update *update, size_t at,
                         const float *grad, long floats, const float *decays)
{
    float *w = update->params + at;
    float *state1 = update->state1 ? update->state1 + at : NULL;
    if (update->adam)
        tables[rnet_isa()]->adam(w, state1, update->state2 + at, grad, decays,
                                 floats / GROUP, &update->moments);
    else
        tables[rnet_isa()]->sgd(w, state1, grad, decays, floats / GROUP,
                                &update->sgd);
}

void rnet_update(const struct rnet_run *run, float *w, const float *grad,
                 long floats, int decay)
{
    const struct rnet_update *update = run->update;
    float decays[CHUNK / GROUP];
    for (int i = 0; i < CHUNK / GROUP && i * GROUP < floats; i++)
        decays[i] = decay ? update->decay : update->decay_rest;
    for (long done = 0; done < floats; done += CHUNK) {
        long count = floats - done < CHUNK ? floats - done : CHUNK;
        update_chunk(update, (size_t)(w - update->params) + (size_t)done,
                     grad + done, count, decays);
    }
}

/* One tensor, in chunks. */
struct rest {
    const struct rnet_run *run;
    float *w;
    const float *grad;
    long floats;
    int decay;
};

static void rest_chunk(void *context, long index, int worker)
{
    const struct rest *rest = context;
    long at = index * CHUNK, left = rest->floats - at;
    (void)worker;
    rnet_update(rest->run, rest->w + at, rest->grad + at,
                left < CHUNK ? left : CHUNK, rest->decay);
}

/* The instances of a row that repeats i, i + 1, ... make. */
static void update_row(const struct rnet_run *run,
                       const struct rnet_tensor *tensor, int i, size_t at,
                       const float *grad)
{
    if (i < tensor->repeats) {
        for (long k = 0; k < tensor->repeat[i].count; k++)
            update_row(run, tensor, i + 1,
                       at + (size_t)k * tensor->repeat[i].stride,
                       grad + (size_t)k * tensor->rests[i]);
        return;
    }
    struct rest rest = { run, run->update->params + at, grad,
                         (long)(tensor->floats + GROUP - 1) / GROUP * GROUP,
                         tensor->decay };
    rnet_parallel(run, (rest.floats + CHUNK - 1) / CHUNK, rest_chunk, &rest);
}

void rnet_update_rest(const struct rnet_run *run,
                      const struct rnet_network *net, const float *grads)
{
    for (int row = 0; row < net->tensor_rows; row++) {
        const struct rnet_tensor *tensor = &net->tensors[row];
        if (tensor->trainable && !tensor->stepped)
            update_row(run, tensor, 0, tensor->offset, grads + tensor->rest);
    }
}

/* -------------------------------------------------------------- clipping */

struct clip {
    float *grads;
    size_t groups;
    double sum;
    float factor;
};

/* The index-th chunk: its groups; *at is its first float. */
static long clip_chunk(const struct clip *clip, long index, size_t *at)
{
    size_t low = (size_t)index * (CHUNK / GROUP), left = clip->groups - low;
    *at = low * GROUP;
    return (long)(left < CHUNK / GROUP ? left : CHUNK / GROUP);
}

static void add_squares(void *context, long index, int worker)
{
    struct clip *clip = context;
    size_t at;
    long groups = clip_chunk(clip, index, &at);
    (void)worker;
    clip->sum += tables[rnet_isa()]->squares(clip->grads + at, groups);
}

static void scale_chunk(void *context, long index, int worker)
{
    struct clip *clip = context;
    size_t at;
    long groups = clip_chunk(clip, index, &at);
    (void)worker;
    tables[rnet_isa()]->scale(clip->grads + at, clip->factor, groups);
}

double rnet_clip(const struct rnet_network *net, float *grads, double limit)
{
    /* no work, no threads: chunks one after the other, in order */
    const struct rnet_run run = { .work = NULL };
    struct clip clip = { .grads = grads, .groups = net->grad_floats / GROUP };
    if (net->version != RNET_VERSION)
        return NAN;
    uint64_t modes = set_modes();
    rnet_parallel(&run, chunks(net), add_squares, &clip);
    double norm = sqrt(clip.sum), factor = limit / (norm + 1e-6);
    if (isfinite(norm) && factor < 1) {
        clip.factor = (float)factor;
        rnet_parallel(&run, chunks(net), scale_chunk, &clip);
    }
    restore_modes(modes);
    return norm;
}
