/* progress.h: shows how training goes: on a terminal one line that is kept up
 * to date, elsewhere a plain line now and then. */
#ifndef EXAMPLES_PROGRESS_H
#define EXAMPLES_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct progress {
    FILE *out;
    bool live;                  /* a terminal that can rewrite a line */
    int epoch, epochs;
    size_t step, steps;         /* of this epoch */
    size_t samples, correct;    /* of this epoch, seen so far */
    double loss;                /* sum over these samples */
    double started, latest;     /* when the epoch and its last step were */
    double shown;               /* when the last line was */
    int width;                  /* of the line on the screen */
};

/* What one step of training gave. */
struct progress_step {
    size_t samples, correct;
    float loss;                 /* mean over the samples */
    float rate;
    double gradient;            /* norm */
};

void progress_start(struct progress *progress, FILE *out, int epochs,
                    size_t steps);
void progress_step(struct progress *progress,
                   const struct progress_step *step);

/* Ends an epoch with a line that stays: mean loss and accuracy over the epoch,
 * accuracy on the test set, samples per second of training.  `accuracy` is in
 * [0, 1]. */
void progress_epoch(struct progress *progress, double accuracy);

/* Clears the live line, so that something else can be printed. */
void progress_clear(struct progress *progress);

/* Seconds of a clock that only runs forwards. */
double progress_seconds(void);

#endif
