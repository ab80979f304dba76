/* gradcheck.c: gradients of emitted networks by central differences.
 *
 *     cc -DNETWORK=digits -DRNET_ONLY_SCALAR -include double.h ...
 *
 * or, for many in one program, -include a file that defines NETWORKS(X) as
 * X(one) X(two) ...
 *
 * Everything is compiled with double in place of float (docs/CONTRACTS.md).
 * dL/dx is compared with (L(x + e) - L(x - e)) / 2e for scalars of every
 * tensor and input, and along one random direction through all parameters.
 * Inference must give what training does, where nothing is drawn or normalised
 * over the batch.
 *
 * A kink (relu, max pool) between x - e and x + e makes the two one-sided
 * differences disagree by twice its error or more.  Where they disagree by
 * more than a smooth function's would, an error below that is a kink's; it is
 * counted, and too many of them fail. */
#include "sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP 1e-6
#define RELATIVE 1e-6           /* of the largest gradient of the tensor */
#define ABSOLUTE 1e-8
#ifndef EVALUATIONS
#define EVALUATIONS 800         /* about so many pairs a network */
#endif
#define BATCH 5

#ifndef NETWORKS
#define NETWORKS(X) X(NETWORK)
#endif
#define DECLARED(name) extern const struct rnet_network name;
NETWORKS(DECLARED)
#define LISTED(name) &name,
static const struct rnet_network *const networks[] = { NETWORKS(LISTED) };

static const struct rnet_network *net;  /* the one that is checked */

struct check {
    struct sample sample;
    float *start;               /* parameters, with running statistics */
    float *grads;               /* by the network's own backward */
    float *input_grad[SAMPLE_PORTS];
    double centre;              /* the loss there */
    int compared, kinks, failures;
    double worst;
};

/* The loss with parameters as they are in the sample; statistics are put
 * back first. */
static double loss_now(struct check *check)
{
    struct sample *sample = &check->sample;
    size_t trained = net->grad_floats;
    memcpy(sample->params + trained, check->start + trained,
           (net->param_floats - trained) * sizeof(float));
    enum rnet_status status = sample_train(sample);
    if (status != RNET_OK) {
        printf("%s: training: %s\n", net->name, rnet_status_text(status));
        exit(1);
    }
    return sample->loss;
}

/* `slope` is ours; above and below are the losses at x + e and x - e. */
static void compare(struct check *check, const char *name, size_t index,
                    double slope, double scale, double above, double below)
{
    double difference = (above - below) / (2 * STEP);
    double bend = fabs(above - 2 * check->centre + below) / STEP;
    double error = fabs(slope - difference);
    double limit = RELATIVE * scale + ABSOLUTE;
    check->compared++;
    if (error <= limit) {
        check->worst = fmax(check->worst, error / (scale + 1e-3));
    } else if (error <= bend) {
        check->kinks++;
    } else if (check->failures++ < 10) {
        printf("%s: gradient of %s[%zu] is %.10g, differences give %.10g\n",
               net->name, name, index, slope, difference);
    }
}

static float *copy_of(const float *values, size_t count)
{
    float *copy = rnet_alloc(count);
    if (!copy)
        exit(2);
    memcpy(copy, values, count * sizeof *copy);
    return copy;
}

static double largest(const float *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)values[i]));
    return most;
}

/* The loss with values[index] of a tensor moved by `step`. */
static double moved_param(struct check *check, const struct rnet_entry *entry,
                          float *values, size_t index, double step)
{
    float kept = values[index];
    values[index] = kept + (float)step;
    rnet_pack(entry, check->sample.params, values);
    double loss = loss_now(check);
    values[index] = kept;
    rnet_pack(entry, check->sample.params, values);
    return loss;
}

/* All scalars where there are few, else every so many, from a random one. */
static size_t stride_of(size_t size, size_t wanted)
{
    return size <= wanted ? 1 : (size + wanted - 1) / wanted;
}

static void check_tensor(struct check *check, const struct rnet_entry *entry,
                         size_t wanted, struct source *source)
{
    float *values = rnet_alloc(entry->size), *slopes = rnet_alloc(entry->size);
    if (!values || !slopes)
        exit(2);
    rnet_unpack(entry, check->sample.params, values);
    rnet_unpack(entry, check->grads, slopes);
    double scale = largest(slopes, entry->size);
    double most = largest(check->grads, net->grad_floats);
    if (scale < 1e-9 * most)            /* zero, but for rounding */
        scale = most / 100;
    size_t stride = stride_of(entry->size, wanted);
    size_t first = (size_t)(sample_uniform(source) * (double)stride);
    for (size_t i = first; i < entry->size; i += stride)
        compare(check, entry->name, i, slopes[i], scale,
                moved_param(check, entry, values, i, STEP),
                moved_param(check, entry, values, i, -STEP));
    rnet_free(values);
    rnet_free(slopes);
}

static void check_params(struct check *check, struct source *source)
{
    size_t tensors = rnet_tensor_count(net);
    size_t wanted = EVALUATIONS / (tensors + 1) + 2;
    if (net->trainable <= EVALUATIONS)
        wanted = EVALUATIONS;
    for (size_t i = 0; i < tensors; i++) {
        struct rnet_entry entry;
        if (rnet_tensor_at(net, i, &entry) != RNET_OK)
            exit(1);
        if (entry.tensor->trainable)
            check_tensor(check, &entry, wanted, source);
    }
}

static void check_input(struct check *check, int k, struct source *source)
{
    size_t count = check->sample.batch * net->inputs[k].size;
    float *values = check->sample.input[k];
    double scale = largest(check->input_grad[k], count);
    size_t stride = stride_of(count, 60);
    size_t first = (size_t)(sample_uniform(source) * (double)stride);
    for (size_t i = first; i < count; i += stride) {
        float kept = values[i];
        values[i] = kept + (float)STEP;
        double above = loss_now(check);
        values[i] = kept - (float)STEP;
        double below = loss_now(check);
        values[i] = kept;
        compare(check, net->inputs[k].name, i, check->input_grad[k][i], scale,
                above, below);
    }
}

/* The loss at start + step * direction. */
static double moved_along(struct check *check, const float *direction,
                          double step)
{
    for (size_t i = 0; i < net->grad_floats; i++)
        check->sample.params[i] = check->start[i]
            + (float)step * direction[i];
    return loss_now(check);
}

static void check_direction(struct check *check, struct source *source)
{
    float *direction = rnet_alloc(net->grad_floats);
    double slope = 0, scale = 0;
    if (!direction)
        exit(2);
    for (size_t i = 0; i < net->grad_floats; i++) {
        if (check->start[i] != 0)       /* padding stays zero */
            direction[i] = (float)sample_normal(source);
        slope += (double)(check->grads[i] * direction[i]);
        scale += fabs((double)(check->grads[i] * direction[i]));
    }
    compare(check, "all parameters, along direction", 0, slope, scale,
            moved_along(check, direction, STEP),
            moved_along(check, direction, -STEP));
    memcpy(check->sample.params, check->start,
           net->param_floats * sizeof(float));
    rnet_free(direction);
}

/* How far the sample's outputs are from `kept`, relative to their largest. */
static double outputs_differ(const struct check *check, float *const *kept)
{
    double worst = 0;
    for (int k = 0; k < net->output_count; k++) {
        size_t count = BATCH * net->outputs[k].size;
        double most = largest(kept[k], count);
        for (size_t i = 0; i < count; i++)
            worst = fmax(worst, fabs((double)(check->sample.output[k][i]
                                              - kept[k][i])) / (most + 1e-3));
    }
    return worst;
}

/* Inference gives what training does, but where that draws random numbers or
 * takes statistics of the batch. */
static void check_inference(struct check *check)
{
    float *kept[SAMPLE_PORTS] = { 0 };
    for (int k = 0; k < net->output_count; k++)
        kept[k] = copy_of(check->sample.output[k],
                          BATCH * net->outputs[k].size);
    check->sample.work.step++;
    loss_now(check);
    check->sample.work.step--;
    if (net->param_floats == net->grad_floats
        && outputs_differ(check, kept) == 0
        && (sample_infer(&check->sample) != RNET_OK
            || !(outputs_differ(check, kept) <= 1e-9))) {
        printf("%s: inference differs from training by %g\n", net->name,
               outputs_differ(check, kept));
        check->failures++;
    }
    for (int k = 0; k < net->output_count; k++)
        rnet_free(kept[k]);
}

/* Gradients of inputs are set, whatever was there. */
static void poison_input_grads(struct sample *sample)
{
    for (int i = 0; i < net->input_count; i++)
        for (size_t k = 0; sample->input_grad[i]
                           && k < BATCH * net->inputs[i].size; k++)
            sample->input_grad[i][k] = NAN;
}

static void check_start(struct check *check, uint64_t seed)
{
    memset(check, 0, sizeof *check);
    sample_make(&check->sample, net, BATCH, 1, seed);
    poison_input_grads(&check->sample);
    check->start = copy_of(check->sample.params, net->param_floats);
    check->centre = loss_now(check);
    check->grads = copy_of(check->sample.grads, net->grad_floats);
    for (int i = 0; i < net->input_count; i++)
        if (check->sample.input_grad[i])
            check->input_grad[i] = copy_of(check->sample.input_grad[i],
                                           BATCH * net->inputs[i].size);
}

static void check_free(struct check *check)
{
    sample_free(&check->sample);
    rnet_free(check->start);
    rnet_free(check->grads);
    for (int i = 0; i < SAMPLE_PORTS; i++)
        rnet_free(check->input_grad[i]);
}

static int check_network(uint64_t seed)
{
    struct check check;
    struct source source = { 99 };
    check_start(&check, seed);
    check_inference(&check);
    check_direction(&check, &source);
    check_params(&check, &source);
    for (int i = 0; i < net->input_count; i++)
        if (check.input_grad[i])
            check_input(&check, i, &source);
    if (check.kinks * 10 > check.compared) {
        printf("%s: %d of %d lie at kinks\n", net->name, check.kinks,
               check.compared);
        check.failures++;
    }
    printf("%-20s double  %s  %d differences, worst %.1e, %d kinks\n",
           net->name, check.failures ? "FAILED" : "ok    ", check.compared,
           check.worst, check.kinks);
    check_free(&check);
    return check.failures != 0;
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 7;
    int failed = 0;
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        net = networks[i];
        failed |= check_network(seed);
    }
    return failed;
}
