/* philox.h: Philox4x32-10 (Salmon et al. 2011), one counter a lane. */
#ifndef RNET_KERNELS_PHILOX_H
#define RNET_KERNELS_PHILOX_H

#include "vec.h"

typedef uint64_t vu64 __attribute__((vector_size(RNET_VECTOR_BYTES)));

struct philox_vector { vu word[4]; };

/* a b, in its upper and lower halves */
static ALWAYS_INLINE void vu_wide_product(vu a, uint32_t b, vu *high, vu *low)
{
    vu64 even = ((vu64)a & UINT32_MAX) * b, odd = ((vu64)a >> 32) * b;

    *low = a * b;
    *high = (vu)(even >> 32) | (vu)(odd & ~(uint64_t)UINT32_MAX);
}

/* Counter {row, quad, key, step}, keyed by the seed. */
static ALWAYS_INLINE struct philox_vector philox_vector(vu row, vu quad, uint32_t key,
                                                 uint32_t step, uint64_t seed)
{
    struct philox_vector c = { { row, quad, vu_set(key), vu_set(step) } };
    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);

    for (int round = 0; round < 10; round++) {
        vu high0, low0, high1, low1;

        vu_wide_product(c.word[0], 0xd2511f53, &high0, &low0);
        vu_wide_product(c.word[2], 0xcd9e8d57, &high1, &low1);
        c.word[0] = high1 ^ c.word[1] ^ key0;
        c.word[1] = low1;
        c.word[2] = high0 ^ c.word[3] ^ key1;
        c.word[3] = low0;
        key0 += 0x9e3779b9;
        key1 += 0xbb67ae85;
    }
    return c;
}

#endif
