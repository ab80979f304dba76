/* expectation.c: what training gives has, over many steps, the mean that
 * inference gives: dropout, stochastic depth of samples and of batches.
 *
 * Each scalar of the output is averaged over STEPS steps with one seed; its
 * standard error is estimated from the same steps.  No scalar may be further
 * from its mean than WORST errors, which chance exceeds once in 3 million
 * times, and over all scalars the errors must be as large as they should be:
 * their mean square is 1, to within what a few dozen independent draws vary. */
#include <rnet.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

extern const struct rnet_network NETWORK;

enum { BATCH = 3, STEPS = 20000 };
#define WORST 5.2
#define SQUARES_FROM 0.6
#define SQUARES_TO 1.6

struct sums { double mean, square; };

static float *inputs_of(const struct rnet_port *port, double first)
{
    float *values = rnet_alloc(BATCH * port->size);
    for (size_t i = 0; i < BATCH * port->size; i++)
        values[i] = (float)sin(first + 1.7 * (double)i);
    return values;
}

/* Welford's running mean and sum of squares of the outputs. */
static int average(float *params, const void *const *inputs, float *output,
                   struct sums *sums, size_t count)
{
    size_t bytes = NETWORK.train_bytes(BATCH, 1);
    struct rnet_work work = { .memory = rnet_alloc_bytes(bytes),
                              .bytes = bytes, .seed = 4 };
    float *grads = rnet_alloc(NETWORK.grad_floats), loss;
    int good = 1;

    for (int step = 1; step <= STEPS; step++) {
        good &= NETWORK.train(params, inputs, &output, &loss, grads, NULL,
                              BATCH, &work) == RNET_OK;
        for (size_t i = 0; i < count; i++) {
            double gap = (double)output[i] - sums[i].mean;
            sums[i].mean += gap / step;
            sums[i].square += gap * ((double)output[i] - sums[i].mean);
        }
    }
    rnet_free(grads);
    rnet_free(work.memory);
    return good;
}

static int compare(const struct sums *sums, const float *expected,
                   size_t count)
{
    double worst = 0, squares = 0;

    for (size_t i = 0; i < count; i++) {
        double error = sqrt(sums[i].square / (STEPS - 1.0) / STEPS);
        double z = fabs(sums[i].mean - (double)expected[i]) / error;
        worst = z > worst || isnan(z) ? z : worst;
        squares += z * z / (double)count;
    }
    int good = worst < WORST && squares > SQUARES_FROM
            && squares < SQUARES_TO;
    printf("%s: %zu means over %d steps, worst %.2f standard errors, mean "
           "square %.2f: %s\n", NETWORK.name, count, STEPS, worst, squares,
           good ? "ok" : "FAILED");
    return good;
}

int main(void)
{
    size_t count = BATCH * NETWORK.outputs[0].size;
    size_t bytes = NETWORK.infer_bytes(BATCH, 1);
    struct rnet_work work = { .memory = rnet_alloc_bytes(bytes),
                              .bytes = bytes };
    float *params = rnet_alloc(NETWORK.param_floats);
    float *expected = rnet_alloc(count), *output = rnet_alloc(count);
    struct sums *sums = calloc(count, sizeof *sums);
    const void *inputs[] = { inputs_of(&NETWORK.inputs[0], 0),
                             inputs_of(&NETWORK.inputs[1], 1) };

    rnet_init_params(&NETWORK, params, 7);
    int good = NETWORK.infer(params, inputs, &expected, BATCH, &work) == RNET_OK
        && average(params, inputs, output, sums, count)
        && compare(sums, expected, count);
    return !good;
}
