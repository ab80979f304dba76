/* recompute.c: a network with `checkpoint` against itself without: in double
 * the same loss, gradients and running statistics, in less memory. */
#include <math.h>
#include <stdio.h>

#include "sample.h"

extern const struct rnet_network NETWORK, PLAIN;

enum { BATCH = 5 };

static double largest_difference(const float *a, const float *b, size_t count)
{
    double most = 0, size = 0;

    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)a[i] - (double)b[i]);
        most = difference > most || difference != difference ? difference
                                                             : most;
        size = fabs((double)b[i]) > size ? fabs((double)b[i]) : size;
    }
    return most / (size > 0 ? size : 1);
}

int main(void)
{
    struct sample again, plain;
    size_t less = NETWORK.train_bytes(1000, 1);
    size_t more = PLAIN.train_bytes(1000, 1);

    sample_make(&again, &NETWORK, BATCH, 1, 3);
    sample_make(&plain, &PLAIN, BATCH, 1, 3);
    if (sample_train(&again) != RNET_OK || sample_train(&plain) != RNET_OK)
        return 1;
    double loss = fabs((double)(again.loss - plain.loss));
    double grads = largest_difference(again.grads, plain.grads,
                                      NETWORK.grad_floats);
    double params = largest_difference(again.params, plain.params,
                                       NETWORK.param_floats);
    printf("%s: loss %.1e, gradients %.1e, statistics %.1e apart; %zu bytes "
           "for %zu\n", NETWORK.name, loss, grads, params, less, more);
    int good = loss < 1e-12 && grads < 1e-11 && params < 1e-12 && less < more;
    sample_free(&again);
    sample_free(&plain);
    return !good;
}
