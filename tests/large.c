/* large.c: one inference and one step of training of a large network, from its
 * own initial weights, on random data: times, work memory, a finite loss and
 * gradient.  large BATCH THREADS */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sample.h"

extern const struct rnet_network NETWORK;

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double norm(const float *x, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

int main(int argc, char **argv)
{
    size_t batch = argc > 1 ? (size_t)atol(argv[1]) : 1;
    int threads = argc > 2 ? atoi(argv[2]) : 1;
    struct sample s;

    sample_make(&s, &NETWORK, batch, threads, 1);
    rnet_init_params(&NETWORK, s.params, 1);
    double start = seconds();
    enum rnet_status inferred = sample_infer(&s);
    double middle = seconds();
    enum rnet_status trained = sample_train(&s);
    double end = seconds(), gradient = norm(s.grads, NETWORK.grad_floats);
    printf("batch %zu, %d threads: parameters %.0f MB, work memory %.0f MB to "
           "infer, %.0f MB to train; %.2f s to infer, %.2f s to train; loss "
           "%.4f, gradient %.4g\n", batch, threads,
           (double)NETWORK.param_floats * 4e-6,
           (double)NETWORK.infer_bytes(batch, threads) * 1e-6,
           (double)NETWORK.train_bytes(batch, threads) * 1e-6, middle - start,
           end - middle, (double)s.loss, gradient);
    sample_free(&s);
    return inferred != RNET_OK || trained != RNET_OK || !isfinite(s.loss)
        || !isfinite(gradient) || gradient == 0;
}
