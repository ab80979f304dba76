/* setup.h: what the example programs share around their networks: options,
 * data, the learning rate, and failures that end the program. */
#ifndef EXAMPLES_SETUP_H
#define EXAMPLES_SETUP_H

#include <rnet.h>

#include "data.h"
#include "progress.h"

struct options {
    const char *data;           /* folder of IDX files, or NULL: glyphs */
    const char *load, *save;    /* weights, or NULL */
    int epochs, threads;
    size_t batch;
    float rate;                 /* the highest learning rate */
    const char *schedule;       /* "cosine" or "step" */
    uint64_t seed;              /* of the initial weights and the shuffling */
};

/* Reads the command line over the defaults that `options` holds; 0 threads
 * become as many as the machine has processors.  Ends the program after
 * --help, and with status 2 when an option is wrong. */
void setup_options(struct options *options, int argc, char **argv);

/* The data that the options ask for; ends the program when it is bad or its
 * images are not of `size` pixels.  A batch is at most all images. */
void setup_data(struct options *options, size_t size,
                struct data_set *train, struct data_set *test);

/* Says what is trained, and starts to show how it goes. */
void setup_progress(const struct options *options,
                    const struct rnet_network *net, size_t images,
                    struct progress *progress);

/* The learning rate of a step among `steps`: it rises over the first
 * twentieth, then falls along a cosine, or to a tenth after half and again
 * after three quarters. */
float setup_rate(const struct options *options, size_t step, size_t steps);

/* Ends the program unless the images are of `size` pixels. */
void setup_fits(const struct data_set *set, size_t size);

/* Ends the program with a message unless all is well. */
void setup_must(enum rnet_status status, const char *what);

/* Load and save weights, unless `path` is NULL; end the program on failure. */
void setup_load(const struct rnet_network *net, float *params,
                const char *path);
void setup_save(const struct rnet_network *net, const float *params,
                const char *path);

/* Arrays, never NULL: floats as rnet_alloc gives them, labels, and the
 * numbers 0 ... count - 1. */
float *setup_floats(size_t count);
int32_t *setup_labels(size_t count);
uint32_t *setup_order(size_t count);

/* Memory for training and inference with a batch, and the threads. */
struct rnet_work setup_work(const struct rnet_network *net, size_t batch,
                            int threads);
void setup_work_free(struct rnet_work *work);

/* How many of `count` rows of `classes` scores are highest at their label. */
size_t setup_correct(const float *scores, const int32_t *labels, size_t count,
                     size_t classes);

#endif
