/* trial.h: what a network must give for numbers that were drawn, and how far
 * from it float32 may be. */
#ifndef TRIAL_H
#define TRIAL_H

#include "feed.h"

/* The largest difference of an array that is rounding alone. */
struct bounds {
    double *outputs, *tensors, *input_grads, loss;
};

/* Near a kink, all but the gradients is decided. */
enum verdict { DECIDED, NEAR_A_KINK, ILL_CONDITIONED, NOT_FINITE };

enum { FEW_RUNS = 3, MOST_RUNS = 30 };  /* in float */

struct trial {
    const struct subject *subject;
    int runs;
    struct arena arena;
    struct feed feed;
    bool trains;                        /* there is a loss */
    bool bad_batch;                     /* a batch norm has one value */
    struct outcome inferred, trained;
    struct bounds infer_bounds, train_bounds;
    enum verdict verdict;
    const char *name;                   /* of what is not decided */
    double difference;                  /* as a share of its magnitude */
    bool bad_name;
};

/* Draws numbers until they decide, a few times; trial_free even then. */
void trial_make(const struct subject *subject, size_t batch, uint64_t seed,
                int runs, struct trial *trial);
void trial_free(struct trial *trial);

const char *verdict_text(enum verdict verdict);

#endif
