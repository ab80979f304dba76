/* peak.h: what this core can do now, to which benchmarks compare: times of a
 * shared machine wander, ratios taken in one run do not.
 *
 * Include it in one file of a benchmark, compiled without special flags. */
#ifndef RNET_PEAK_H
#define RNET_PEAK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Seconds of this thread: the turns of others do not count. */
static inline double peak_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Least seconds of one run(context), over `rounds` rounds of as many runs as
 * take some milliseconds. */
static inline double peak_least(void (*run)(void *), void *context, int rounds)
{
    double least = 1e30;
    long runs = 1;
    run(context);
    for (int i = 0; i < rounds; i++) {
        double start = peak_clock();
        for (long k = 0; k < runs; k++)
            run(context);
        double seconds = peak_clock() - start;
        if (seconds / (double)runs < least)
            least = seconds / (double)runs;
        if (seconds < 2e-3 && runs < 1L << 24)
            runs = (long)(4e-3 / least) + 1;
    }
    return least;
}

/* Twelve independent chains of fused multiply-adds of `bytes`-wide vectors:
 * enough for two pipes of four cycles each. */
#define PEAK_CHAINS 12
#define PEAK_TURNS 4096
#define PEAK_DEFINE(name, bytes, isa)                                        \
    typedef float peak_##name                                                \
        __attribute__((vector_size(bytes)));                                 \
    __attribute__((target(isa), noinline)) static void                       \
    peak_run_##name(void *context)                                           \
    {                                                                        \
        peak_##name a0 = { 1 }, a1 = { 2 }, a2 = { 3 }, a3 = { 4 },          \
            a4 = { 5 }, a5 = { 6 }, a6 = { 7 }, a7 = { 8 }, a8 = { 9 },      \
            a9 = { 10 }, a10 = { 11 }, a11 = { 12 };                         \
        peak_##name x = { 0 }, y = { 0 };                                    \
        x += 0.5f;                                                           \
        y += 0.25f;                                                          \
        for (int i = 0; i < PEAK_TURNS; i++) {                               \
            __asm__ volatile("" : "+x"(x), "+x"(y));                         \
            a0 = a0 * x + y; a1 = a1 * x + y; a2 = a2 * x + y;               \
            a3 = a3 * x + y; a4 = a4 * x + y; a5 = a5 * x + y;               \
            a6 = a6 * x + y; a7 = a7 * x + y; a8 = a8 * x + y;               \
            a9 = a9 * x + y; a10 = a10 * x + y; a11 = a11 * x + y;           \
        }                                                                    \
        a0 += a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11;        \
        *(float *)context = a0[0];                                           \
    }

#if defined __x86_64__
PEAK_DEFINE(wide, 64, "avx512f,fma")
PEAK_DEFINE(middle, 32, "avx2,fma")
PEAK_DEFINE(narrow, 16, "sse2")
#endif

/* Floating-point operations a second of one core, in the instruction set
 * `isa` (rnet_isa_name()'s words); a multiply-add is two. */
static inline double peak_flops(const char *isa)
{
    float sink = 0;
    double lanes = 4;
    void (*run)(void *) = NULL;
#if defined __x86_64__
    run = peak_run_narrow;
    if (!strcmp(isa, "avx512") && __builtin_cpu_supports("avx512f")) {
        run = peak_run_wide;
        lanes = 16;
    } else if (!strcmp(isa, "avx2") && __builtin_cpu_supports("avx2")) {
        run = peak_run_middle;
        lanes = 8;
    }
#endif
    if (!run)
        return 0;
    return 2 * lanes * PEAK_CHAINS * PEAK_TURNS / peak_least(run, &sink, 12);
}

struct peak_copy { float *to; const float *from; size_t bytes; };

static inline void peak_run_copy(void *context)
{
    struct peak_copy *copy = context;
    memcpy(copy->to, copy->from, copy->bytes);
    __asm__ volatile("" : : "r"(copy->to) : "memory");
}

/* Bytes a second of a copy of `bytes` bytes, read and written both counted;
 * 0 without memory. */
static inline double peak_bandwidth(size_t bytes)
{
    struct peak_copy copy = { malloc(bytes), malloc(bytes), bytes };
    double rate = 0;
    if (copy.to && copy.from) {
        memset((void *)copy.from, 1, bytes);
        __asm__ volatile("" : : "r"(copy.from) : "memory");
        rate = 2 * (double)bytes / peak_least(peak_run_copy, &copy, 6);
    }
    free(copy.to);
    free((void *)copy.from);
    return rate;
}

#endif
