/* vec.h: the vector vocabulary of the kernels.
 *
 * GCC vector extensions, with intrinsics where they have no word for it.
 * RNET_W floats a vector: what the instruction set's registers hold, as wider
 * vectors would live in memory.  a * b + c is one fused multiply-add where the
 * CPU has it: the build says -ffp-contract=fast.  gcc 12 or clang 14. */
#ifndef RNET_VEC_H
#define RNET_VEC_H

#include <stdint.h>

#if defined __x86_64__
#include <immintrin.h>
#endif

#if defined __AVX512F__
#define RNET_W 16
#elif defined __AVX2__
#define RNET_W 8
#else
#define RNET_W 4
#endif
#define RNET_VECTOR_BYTES (4 * RNET_W)

/* Vector registers. */
#if defined __AVX512F__ || defined __aarch64__
#define RNET_REGISTERS 32
#else
#define RNET_REGISTERS 16
#endif

#ifndef ALWAYS_INLINE
#define ALWAYS_INLINE inline __attribute__((always_inline))
#endif
#define NOINLINE __attribute__((noinline))

/* Before a loop.  UNROLL: completely; the count is a constant after inlining,
 * at most 32.  UNROLL_BY(n): n turns at a time.  Without the first, arrays of
 * vectors stay in memory. */
#define RNET_PRAGMA(text) _Pragma(#text)
#if defined __clang__
#define UNROLL RNET_PRAGMA(clang loop unroll(full))
#define UNROLL_BY(n) RNET_PRAGMA(clang loop unroll_count(n))
#else
#define UNROLL RNET_PRAGMA(GCC unroll 32)
#define UNROLL_BY(n) RNET_PRAGMA(GCC unroll n)
#endif

typedef float vf __attribute__((vector_size(RNET_VECTOR_BYTES)));
typedef int32_t vi __attribute__((vector_size(RNET_VECTOR_BYTES)));
typedef uint32_t vu __attribute__((vector_size(RNET_VECTOR_BYTES)));

/* What memory holds: aligned to the vector, or to the element alone. */
typedef float vf_aligned
    __attribute__((vector_size(RNET_VECTOR_BYTES), may_alias));
typedef float vf_loose
    __attribute__((vector_size(RNET_VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t vi_loose
    __attribute__((vector_size(RNET_VECTOR_BYTES), aligned(4), may_alias));

/* ------------------------------------------------------ loads and stores */

static ALWAYS_INLINE vf v_load(const float *p)
{
    return *(const vf_aligned *)p;
}

static ALWAYS_INLINE vf v_loadu(const float *p)
{
    return *(const vf_loose *)p;
}

static ALWAYS_INLINE vi vi_loadu(const int32_t *p)
{
    return *(const vi_loose *)p;
}

static ALWAYS_INLINE void v_store(float *p, vf a)
{
    *(vf_aligned *)p = a;
}

static ALWAYS_INLINE void v_storeu(float *p, vf a)
{
    *(vf_loose *)p = a;
}

static ALWAYS_INLINE void vi_storeu(int32_t *p, vi a)
{
    *(vi_loose *)p = a;
}

/* Every lane is x. */
static ALWAYS_INLINE vf v_set(float x)
{
#if defined __AVX512F__
    return (vf)_mm512_set1_ps(x);
#elif defined __AVX2__
    return (vf)_mm256_set1_ps(x);
#else
    return (vf){ x, x, x, x };
#endif
}

static ALWAYS_INLINE vi vi_set(int32_t x)
{
    return x - (vi){ 0 };
}

static ALWAYS_INLINE vu vu_set(uint32_t x)
{
    return x - (vu){ 0 };
}

static ALWAYS_INLINE vf v_zero(void)
{
    return (vf){ 0 };
}

/* 0, 1, 2, ... */
static ALWAYS_INLINE vi vi_lanes(void)
{
#if RNET_W == 16
    return (vi){ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
#elif RNET_W == 8
    return (vi){ 0, 1, 2, 3, 4, 5, 6, 7 };
#else
    return (vi){ 0, 1, 2, 3 };
#endif
}

/* Hint: the line at p is read (soon; or after the next few thousand cycles). */
static ALWAYS_INLINE void v_prefetch(const float *p)
{
    __builtin_prefetch(p, 0, 3);
}

static ALWAYS_INLINE void v_prefetch_later(const float *p)
{
    __builtin_prefetch(p, 0, 2);
}

/* ------------------------------------------- bits, conversions, selection */

static ALWAYS_INLINE vi v_bits(vf a) { return (vi)a; }
static ALWAYS_INLINE vf v_from_bits(vi a) { return (vf)a; }

/* Integers nearest to 0, and back. */
static ALWAYS_INLINE vi v_truncate(vf a)
{
    return __builtin_convertvector(a, vi);
}

static ALWAYS_INLINE vf v_from_int(vi a)
{
    return __builtin_convertvector(a, vf);
}

/* mask ? a : b, lane by lane; a mask is what comparisons give: 0 or -1. */
static ALWAYS_INLINE vf v_select(vi mask, vf a, vf b)
{
#if defined __AVX512F__
    return (vf)_mm512_mask_blend_ps(
        _mm512_movepi32_mask((__m512i)mask), (__m512)b, (__m512)a);
#elif defined __AVX2__
    return (vf)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)mask);
#else
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
#endif
}

static ALWAYS_INLINE vi vi_select(vi mask, vi a, vi b)
{
    return (vi)v_select(mask, (vf)a, (vf)b);
}

/* mask ? a : 0 */
static ALWAYS_INLINE vf v_keep(vi mask, vf a)
{
    return (vf)(mask & (vi)a);
}

/* Lanes below n. */
static ALWAYS_INLINE vi vi_first(int n)
{
    return vi_lanes() < vi_set(n);
}

/* A product as it is stored elsewhere: rounded, not part of a fused
 * multiply-add.  What is equal in both places then cancels exactly.  (gcc 12
 * takes a barrier of 16 lanes apart, lane by lane.) */
static ALWAYS_INLINE vf v_rounded(vf a)
{
#if defined __x86_64__
    __asm__("" : "+v"(a));
    return a;
#elif defined __aarch64__
    __asm__("" : "+w"(a));
    return a;
#elif defined __clang__
    return a;
#else
    return __builtin_assoc_barrier(a);
#endif
}

/* a > b ? a : b: b when either is NaN. */
static ALWAYS_INLINE vf v_max(vf a, vf b)
{
#if defined __AVX512F__
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined __AVX2__
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined __SSE2__
    return (vf)_mm_max_ps((__m128)a, (__m128)b);
#else
    return v_select(a > b, a, b);
#endif
}

/* a < b ? a : b: b when either is NaN. */
static ALWAYS_INLINE vf v_min(vf a, vf b)
{
#if defined __AVX512F__
    return (vf)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined __AVX2__
    return (vf)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined __SSE2__
    return (vf)_mm_min_ps((__m128)a, (__m128)b);
#else
    return v_select(a < b, a, b);
#endif
}

/* y > 0 ? a : 0, also where y is NaN */
static ALWAYS_INLINE vf v_where_positive(vf y, vf a)
{
#if defined __AVX512F__
    return (vf)_mm512_maskz_mov_ps(
        _mm512_cmp_ps_mask((__m512)y, _mm512_setzero_ps(), _CMP_GT_OQ),
        (__m512)a);
#else
    return v_keep(y > v_zero(), a);
#endif
}

static ALWAYS_INLINE vf v_abs(vf a)
{
    return (vf)((vi)a & 0x7fffffff);
}

static ALWAYS_INLINE vf v_sqrt(vf a)
{
#if defined __AVX512F__
    return (vf)_mm512_sqrt_ps((__m512)a);
#elif defined __AVX2__
    return (vf)_mm256_sqrt_ps((__m256)a);
#elif defined __SSE2__
    return (vf)_mm_sqrt_ps((__m128)a);
#else
    for (int i = 0; i < RNET_W; i++)
        a[i] = __builtin_sqrtf(a[i]);
    return a;
#endif
}

static ALWAYS_INLINE vf v_fma(vf a, vf b, vf c)
{
    return a * b + c;
}

/* ------------------------------------------------------- across the lanes */

typedef float vf4 __attribute__((vector_size(16)));
typedef float vf8 __attribute__((vector_size(32)));

static ALWAYS_INLINE float v_sum4(vf4 a)
{
    a += __builtin_shufflevector(a, a, 2, 3, 0, 1);
    a += __builtin_shufflevector(a, a, 1, 0, 3, 2);
    return a[0];
}

static ALWAYS_INLINE float v_max4(vf4 a)
{
    float low = a[0] > a[1] ? a[0] : a[1], high = a[2] > a[3] ? a[2] : a[3];
    return low > high ? low : high;
}

#if RNET_W >= 8
static ALWAYS_INLINE vf4 v_low4(vf8 a)
{
    return __builtin_shufflevector(a, a, 0, 1, 2, 3);
}

static ALWAYS_INLINE vf4 v_high4(vf8 a)
{
    return __builtin_shufflevector(a, a, 4, 5, 6, 7);
}
#endif

#if RNET_W == 16
static ALWAYS_INLINE vf8 v_low8(vf a)
{
    return __builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7);
}

static ALWAYS_INLINE vf8 v_high8(vf a)
{
    return __builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15);
}
#endif

/* Sum of the lanes: halves onto each other, always in the same order. */
static ALWAYS_INLINE float v_sum(vf a)
{
#if RNET_W == 16
    vf8 half = v_low8(a) + v_high8(a);
    return v_sum4(v_low4(half) + v_high4(half));
#elif RNET_W == 8
    return v_sum4(v_low4(a) + v_high4(a));
#else
    return v_sum4(a);
#endif
}

/* Largest lane; unspecified when there is a NaN. */
static ALWAYS_INLINE float v_highest(vf a)
{
#if RNET_W == 16
    __m256 half = _mm256_max_ps((__m256)v_low8(a), (__m256)v_high8(a));
    return v_max4((vf4)_mm_max_ps(_mm256_castps256_ps128(half),
                                  _mm256_extractf128_ps(half, 1)));
#elif RNET_W == 8
    return v_max4((vf4)_mm_max_ps((__m128)v_low4(a), (__m128)v_high4(a)));
#else
    return v_max4(a);
#endif
}

/* ------------------------------------------- the first n lanes, 0 <= n <= W */

/* Reads nothing past p[n - 1]; the other lanes are 0. */
static ALWAYS_INLINE vf v_load_first(const float *p, int n)
{
#if defined __AVX512F__
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif defined __AVX2__
    return (vf)_mm256_maskload_ps(p, (__m256i)vi_first(n));
#else
    vf a = v_zero();
    for (int i = 0; i < n; i++)
        a[i] = p[i];
    return a;
#endif
}

/* Writes nothing past p[n - 1]. */
static ALWAYS_INLINE void v_store_first(float *p, vf a, int n)
{
#if defined __AVX512F__
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)a);
#elif defined __AVX2__
    _mm256_maskstore_ps(p, (__m256i)vi_first(n), (__m256)a);
#else
    for (int i = 0; i < n; i++)
        p[i] = a[i];
#endif
}

/* Lanes of the vector at j of `count`. */
static ALWAYS_INLINE int v_part(long count, long j)
{
    return count - j < RNET_W ? (int)(count - j) : RNET_W;
}

/* The same for any vector of a row: n may be more, and is as a rule. */
static ALWAYS_INLINE vf v_load_up_to(const float *p, long n)
{
    return n >= RNET_W ? v_loadu(p) : v_load_first(p, (int)n);
}

static ALWAYS_INLINE void v_store_up_to(float *p, vf a, long n)
{
    if (n >= RNET_W)
        v_storeu(p, a);
    else
        v_store_first(p, a, (int)n);
}

#endif
