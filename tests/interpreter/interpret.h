/* interpret.h: a network's values and gradients, computed one operation after
 * the other as the documents say them, in double or in float.
 *
 * Knows nothing of gradients, fusion or memory plans: it walks the checked
 * network, iteration by iteration and call by call, keeps every result, and
 * goes back over what it did.  In float, textbook loops show how far rounding
 * alone takes a result from the one in double. */
#ifndef INTERPRET_H
#define INTERPRET_H

#include "subject.h"

/* Directed, by rows, as struct rnet_graph. */
struct links {
    int64_t *offsets;
    int32_t *neighbours;
    float *weights;                     /* or NULL */
};

/* What a caller would pass.  Real numbers that float32 holds; integers in
 * `values` too. */
struct feed {
    size_t batch;
    uint64_t seed, step;
    double **values;                    /* of each input, in order */
    struct links *links;                /* of those that are graphs */
    double **tensors;                   /* of subject->tensors, published */
    bool shaken;                        /* in float, every result and every
                                           gradient is rounded once more, at
                                           random */
};

/* Numbers whose sign decides: how far an operation was from a kink. */
struct margins {
    double *value;
    size_t count;
    struct margins *next;
};

struct outcome {
    double **outputs;                   /* in order */
    double loss;
    double **input_grads;               /* NULL: of integers, graphs, targets */
    double **tensors;                   /* gradients; of running statistics,
                                           what they are afterwards */
    double steepest;                    /* largest term of any gradient */
    struct margins *margins, *last;     /* in the order of execution */
    bool bad_name;                      /* a tensor that no list has */
};

/* Inference gives outputs alone.  All that is made is the arena's. */
void interpret_double(const struct subject *subject, const struct feed *feed,
                      bool training, struct arena *arena,
                      struct outcome *outcome);
void interpret_float(const struct subject *subject, const struct feed *feed,
                     bool training, struct arena *arena,
                     struct outcome *outcome);

#endif
