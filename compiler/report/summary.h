/* summary.h: the reports that count and draw a network. */
#ifndef SUMMARY_H
#define SUMMARY_H

#include "options.h"

/* --summary.  Requires: plans.  Does not write after an error. */
void summary(struct compilation *c, const struct options *options,
             struct text *out);

/* --report=fusion: fusion.c.  Requires: plans. */
void fusion(struct compilation *c, const struct options *options,
            struct text *out);

/* --dot: dot.c.  Requires: the network. */
void dot(struct compilation *c, const struct options *options,
         struct text *out);

#endif
