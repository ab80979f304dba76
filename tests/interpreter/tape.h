/* tape.h: what an operation did, so that its gradient can be found.
 *
 * Everything that includes this is compiled twice, with `real` as double and,
 * with -DNARROW, as float; TWIN gives external names for both. */
#ifndef TAPE_H
#define TAPE_H

#include "interpret.h"

#include <math.h>
#include <string.h>
#include <tgmath.h>

#ifdef NARROW
typedef float real;
#define TWIN(name) name##_float
#else
typedef double real;
#define TWIN(name) name##_double
#endif

#define tensor_new    TWIN(tensor_new)
#define keep          TWIN(keep)
#define margins_new   TWIN(margins_new)
#define dropout_word  TWIN(dropout_word)
#define drop_chance   TWIN(drop_chance)
#define note_term     TWIN(note_term)

/* All samples of a value, [batch, rows, features]; or a parameter.  reached: a
 * loss depends on it. */
struct tensor { real *x, *dx; size_t size; bool reached; };

struct machine {
    const struct subject *subject;
    const struct feed *feed;
    bool training;
    struct arena *arena;
    struct outcome *outcome;
    struct tensor **values;             /* by id */
    struct tensor **tensors;            /* of subject->tensors */
    struct step *last;
    int64_t *idle, *uses;               /* by id; see interpret.c */
    int64_t activation, activations;    /* of regions: this one; so far */
    struct event *event;                /* that is going on */
    real loss;
    uint32_t noise;
};

struct step {
    const struct node *node;
    const struct rule *rule;
    struct tensor *in[NODE_INS], *param[NODE_PARAMS], *out;
    size_t rows, features;              /* of the first result, or else of the
                                           first operand; all samples' rows */
    real *kept;                         /* for backward */
    int64_t key;                        /* of the region's first dropout */
    struct step *before;
};

/* forward fills out->x; backward, or NULL, adds to the dx of in and param from
 * out->dx. */
struct rule {
    enum op op;
    void (*forward)(struct machine *m, struct step *s);
    void (*backward)(struct machine *m, struct step *s);
};

/* Families of rules, each ended by a row without forward. */
extern const struct rule TWIN(point_rules)[], TWIN(shape_rules)[],
    TWIN(dense_rules)[], TWIN(map_rules)[], TWIN(norm_rules)[],
    TWIN(block_rules)[], TWIN(sequence_rules)[], TWIN(graph_rules)[],
    TWIN(loss_rules)[];

struct tensor *tensor_new(struct machine *m, size_t size);
real *keep(struct machine *m, size_t count);
double *margins_new(struct machine *m, size_t count);

/* A term of a gradient, that others may cancel but for its rounding. */
void note_term(struct machine *m, real term);

/* rnet_kernels.h, rnet_dropout_word: one word of Philox; and from which word
 * on an element is kept. */
uint32_t dropout_word(const struct machine *m, int64_t key, size_t row,
                      size_t feature);
double drop_chance(const struct node *node);

/* Numbers of a node as emitted C has them. */
static inline real narrow(double number) { return (real)(float)number; }

#endif
