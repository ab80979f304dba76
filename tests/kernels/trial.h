/* trial.h: one kernel at one shape, played by the textbook's loops, by the
 * scalar twin and by every instruction set, each on memory of its own that
 * holds the same numbers.
 *
 * Every array ends at a page without access.  What no kernel may read is NaN:
 * features beside a slice, lanes past the last row, outputs before they are
 * written, scratch.  What no kernel may write is looked at afterwards. */
#ifndef TRIAL_H
#define TRIAL_H

#include <math.h>
#include <stdlib.h>

#include "../../runtime/isa.h"
#include "../../runtime/rnet_kernels.h"

#define TRIAL_ARRAYS  96
#define TRIAL_STEPS   10
#define TRIAL_WORKERS 3

struct shape {
    enum rnet_layout layout;
    long rows, per_sample, features;
};

/* (rows, features) within a buffer that is wider. */
struct value {
    struct shape shape;
    float *p;
    long stride;
    long first;                 /* features of the buffer before the slice */
};

/* A tail, or a program that makes an input. */
struct list {
    struct shape shape;
    struct rnet_step step[TRIAL_STEPS];
    int count;
    /* the textbook's sums, and the sums of the terms' magnitudes */
    struct sums { double *sum, *reach; long count; int result; }
        sums[TRIAL_STEPS];
};

struct trial {
    int book;                   /* the textbook's loops, not the kernel */
    int recipe;                 /* of the kernel's steps */
    struct rnet_run run;
    struct rnet_work work;
    struct rnet_update update;
    uint64_t random;
    int turn;                   /* orders of tasks */
    double *acc[40];            /* the textbook's, freed at the end */
    int accs;
    const float *input;         /* RNET_INPUT's plain values, or NULL */
    int takes_input;            /* steps may read it */
    struct list lists[4];
    int list_count;
    /* results in the order in which they were asked for */
    struct result {
        struct value value;
        float *flat;
        long count;
        double reach;           /* what it may be as large as */
    } results[TRIAL_ARRAYS];
    int result_count;
    float *log;                 /* their elements */
    long log_count, log_room;
    const char *broken;         /* memory beside an array was written */
};

/* ----------------------------------------------------------------- numbers */

int pick(struct trial *t, int count);               /* 0 ... count - 1 */
float whole(struct trial *t, int low, int high);
/* Strips, or rows. */
long lines_of(struct shape shape);

/* ------------------------------------------------------------------ memory */

/* NaN. */
void *room(struct trial *t, long count, size_t align);
float *zeros(struct trial *t, long count);
/* Whole numbers: parameters, or the caller's, which need no alignment. */
float *params(struct trial *t, long count, int low, int high);
float *caller(struct trial *t, long count, int low, int high);
int32_t *indices(struct trial *t, long count, int low, int high);
/* An array that is a result, and what it holds before. */
float *written(struct trial *t, long count);
float *added_to(struct trial *t, float *array, long count);

struct shape strips(long rows, long per_sample, long features);
struct shape plain(long rows, long per_sample, long features);
struct rnet_rows rows_of(struct shape shape);

struct value given(struct trial *t, struct shape shape, int low, int high);
struct value asked(struct trial *t, struct shape shape);
/* `v` is a result too. */
void result(struct trial *t, struct value v);
float *at(const struct value *v, long row, long feature);

/* Shared scratch, worker scratch of `worker` floats each; all NaN. */
void scratch(struct trial *t, size_t shared, size_t worker);

/* Weights [out, in] in panels; 0 is their padding. */
float *panels(struct trial *t, long out, long in);
float panel(const float *w, long out, long o, long i);
float *panel_at(float *w, long out, long o, long i);

/* ------------------------------------------------------------------- steps */

/* Steps by the trial's recipe for a result of this shape; the kernel's tail. */
struct rnet_steps tail(struct trial *t, struct shape shape);
/* After a kernel: sums of moments as the book has them. */
void settle_sums(struct trial *t);
/* A program that makes a map: a LOAD of `x`, then `more` steps. */
struct rnet_steps program(struct trial *t, const struct value *x, int more);

/* Weights and `bias` biases that take a step of SGD, in whole numbers: results,
 * as their velocities are.  b is NULL without biases. */
struct stepping { float *w, *b, *velocity; long weights, biases; };
struct stepping stepping(struct trial *t, const float *w, long weights,
                         long biases);
/* The textbook's step by these gradients. */
void book_step(const struct stepping *s, const float *dw, const float *db);

/* Numbers, 0, until the end of the trial. */
double *numbers(struct trial *t, long count);
/* rows * features of them, and what becomes of them in the steps. */
double *accumulator(struct trial *t, struct shape shape);
void book_steps(struct trial *t, struct rnet_steps steps, double *acc);

int recipe_count(void);
const char *recipe_name(int recipe);
/* Whether a kernel whose results are rounded can run it. */
int recipe_is_smooth(int recipe);

/* ----------------------------------------------------------------- kernels */

typedef void play(struct trial *t, const int *d);

#define MOST_DIMS 7
struct kernel {
    const char *name;
    play *play;
    int steps;                  /* it takes steps */
    double tolerance;           /* 0: exact.  Of a result's largest element */
    const int *dims[MOST_DIMS]; /* sizes, each ended by -1 */
    int shapes[2][MOST_DIMS];   /* that every recipe is run at */
};

extern const struct kernel dense_kernels[], norm_kernels[], mix_kernels[],
    loss_kernels[], map_kernels[], time_kernels[];

/* Sizes: around 1, 2 and 3 vectors of 4, 8, 16 and 32; and fewer. */
extern const int around[], some[], few[], layouts[], bits[];

#endif
