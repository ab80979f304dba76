/* sample.h: random parameters and data for any network, by its table.  Also
 * compiled in the double build, where `float` is double. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <rnet.h>

#define SAMPLE_PORTS 8

struct sample {                 /* what one call of a network works on */
    const struct rnet_network *net;
    size_t batch;
    float *params, *grads;
    float loss;
    void *input[SAMPLE_PORTS];
    float *output[SAMPLE_PORTS];
    float *input_grad[SAMPLE_PORTS];    /* NULL where there is none */
    struct rnet_work work;
    size_t bytes;
};

/* A stream of random numbers (SplitMix64). */
struct source { uint64_t state; };
double sample_uniform(struct source *source);   /* [0, 1) */
double sample_normal(struct source *source);

/* Parameters are scaled by their tensors' sizes, gains lie around 1, running
 * variances in [0.5, 1.5); inputs are normal, targets in [0, 1), indices valid.
 * The work memory serves training and inference by `threads` threads.  Exits
 * when there is no memory. */
void sample_make(struct sample *sample, const struct rnet_network *net,
                 size_t batch, int threads, uint64_t seed);
void sample_free(struct sample *sample);

enum rnet_status sample_infer(struct sample *sample);
/* Clears the gradients first, and restores work.step. */
enum rnet_status sample_train(struct sample *sample);

#endif
