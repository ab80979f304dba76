/* philox.h: Philox4x32-10 (Salmon et al. 2011), one counter a lane. */
#ifndef RNET_KERNELS_PHILOX_H
#define RNET_KERNELS_PHILOX_H

#include "vec.h"

typedef uint64_t vu64 __attribute__((vector_size(RNET_VECTOR_BYTES)));

struct philox_vector { vu word[4]; };

/* The even lanes of a, each times b, 64 bits wide. */
static ALWAYS_INLINE vu64 vu_even_product(vu a, vu b)
{
#if defined __AVX512F__
    return (vu64)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined __AVX2__
    return (vu64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined __SSE2__
    return (vu64)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return ((vu64)a & UINT32_MAX) * ((vu64)b & UINT32_MAX);
#endif
}

/* a b, in its upper and lower halves */
static ALWAYS_INLINE void vu_wide_product(vu a, uint32_t b, vu *high, vu *low)
{
    const uint64_t upper = ~(uint64_t)UINT32_MAX;
    vu64 even = vu_even_product(a, vu_set(b));
    vu64 odd = vu_even_product((vu)((vu64)a >> 32), vu_set(b));

    *low = (vu)((even & UINT32_MAX) | (odd << 32));
    *high = (vu)((even >> 32) | (odd & upper));
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
