/* feed.h: numbers for a network: parameters, inputs, targets, graphs. */
#ifndef FEED_H
#define FEED_H

#include "interpret.h"

/* Uniform 64-bit words from a seed: splitmix64 (Steele et al. 2014). */
uint64_t draw_word(uint64_t *state);
double draw_uniform(uint64_t *state);               /* [0, 1) */
int64_t draw_below(uint64_t *state, int64_t n);     /* 0 ... n - 1 */

/* All that a call needs, the arena's.  `attempt` counts from 0: later ones are
 * tamer, for networks that overflow or take logarithms. */
void draw_feed(const struct subject *subject, size_t batch, uint64_t seed,
               int attempt, struct arena *arena, struct feed *feed);

/* A copy whose real numbers differ by at most a rounding of float32. */
void draw_disturbed(const struct subject *subject, const struct feed *feed,
                    uint64_t seed, struct arena *arena, struct feed *copy);

#endif
