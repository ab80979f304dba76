/* random.h: random numbers for the examples' data: the same for a seed on
 * every machine. */
#ifndef EXAMPLES_RANDOM_H
#define EXAMPLES_RANDOM_H

#include <stdint.h>

/* The state is a counter, so any value is a good seed. */
struct random { uint64_t state; };

/* SplitMix64, Steele, Lea & Flood 2014: a counter in steps of the golden
 * ratio, scrambled. */
static inline uint64_t random_word(struct random *random)
{
    uint64_t word = random->state += 0x9e3779b97f4a7c15u;

    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
    return word ^ (word >> 31);
}

/* Uniform in [0, 1). */
static inline float random_unit(struct random *random)
{
    return (float)(random_word(random) >> 40) / (1 << 24);
}

/* Uniform in [-range, range). */
static inline float random_range(struct random *random, float range)
{
    return (2 * random_unit(random) - 1) * range;
}

/* Uniform in 0 ... count - 1.  The bias is below count / 2^32. */
static inline uint32_t random_below(struct random *random, uint32_t count)
{
    return (uint32_t)(((random_word(random) >> 32) * count) >> 32);
}

#endif
