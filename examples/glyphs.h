/* glyphs.h: images of handwritten-looking digits that need no download: drawn
 * from strokes of our own, each time a little differently. */
#ifndef EXAMPLES_GLYPHS_H
#define EXAMPLES_GLYPHS_H

#include "data.h"

#define GLYPHS_SIDE    28       /* pixels */
#define GLYPHS_CLASSES 10

/* `count` digits, labels 0 ... 9 in turn, of random shape, shift, rotation,
 * scale, shear, thickness and noise; the same for the same seed.  False
 * without memory. */
bool glyphs_make(struct data_set *set, size_t count, uint64_t seed);

/* The data that the examples train on when they are given none: 10,000 digits
 * and 2,000 others. */
bool glyphs_make_sets(struct data_set *train, struct data_set *test);

#endif
