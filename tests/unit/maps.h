/* maps.h: what the tests of convolution and pooling share: guarded memory,
 * integer data, one run on some threads.  Included once by each test. */
#ifndef MAPS_H
#define MAPS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../runtime/isa.h"
#include "../../runtime/rnet_kernels.h"

/* Takes the place of the library's choice. */
static enum rnet_isa chosen = RNET_ISA_SCALAR;
enum rnet_isa rnet_isa(void) { return chosen; }
static const char *const isa_names[] = { "scalar", "base", "avx2", "avx512" };

static int isa_runs(enum rnet_isa isa)
{
#if defined __x86_64__
    __builtin_cpu_init();
    if (isa == RNET_ISA_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (isa == RNET_ISA_AVX512)
        return __builtin_cpu_supports("avx512f")
               && __builtin_cpu_supports("avx512vl")
               && __builtin_cpu_supports("avx512dq")
               && __builtin_cpu_supports("avx512bw");
    return 1;
#else
    return isa <= RNET_ISA_BASE;
#endif
}

/* ----------------------------------------------------- guarded memory */

/* Floats that end at a page which must not be touched, all NaN. */
struct guarded { float *p; size_t count; void *map; size_t bytes; };

static struct guarded guarded(size_t count)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (count * sizeof(float) + page - 1) / page * page;
    struct guarded g = { .count = count, .bytes = size + page };

    g.map = mmap(NULL, g.bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.map != MAP_FAILED);
    assert_int_equal(mprotect((char *)g.map + size, page, PROT_NONE), 0);
    memset(g.map, 0xff, size);
    g.p = (float *)(void *)((char *)g.map + size) - count;
    return g;
}

static void release(struct guarded *g)
{
    if (g->map)
        munmap(g->map, g->bytes);
    g->map = NULL;
}

static inline struct guarded copy_of(const struct guarded *from)
{
    struct guarded g = guarded(from->count);

    memcpy(g.p, from->p, from->count * sizeof(float));
    return g;
}

/* -------------------------------------------------------------- data */

static uint64_t state = 1;
static uint32_t random_word(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

static int pick(int count) { return (int)(random_word() % (uint32_t)count); }

/* 0 half of the time, else -2 ... 2 */
static float small_integer(void)
{
    return pick(2) ? 0 : (float)(pick(5) - 2);
}

/* The first `features` of each row of `stride`; the rest stays NaN. */
static inline void fill_rows(float *p, long rows, long features, long stride)
{
    for (long r = 0; r < rows; r++)
        for (long f = 0; f < features; f++)
            p[r * stride + f] = small_integer();
}

/* Floats of `rows` rows, the last without its gap. */
static inline size_t floats_of(long rows, long features, long stride)
{
    return (size_t)((rows - 1) * stride + features);
}

static int same(float a, float b)
{
    return a == b || (a != a && b != b);
}

/* Prints the first difference. */
static inline int equal(const struct guarded *a, const struct guarded *b,
                        const char *what)
{
    for (size_t i = 0; i < a->count; i++)
        if (!same(a->p[i], b->p[i])) {
            printf("%s[%zu]: %g, not %g\n", what, i, (double)a->p[i],
                   (double)b->p[i]);
            return 0;
        }
    return 1;
}

/* ---------------------------------------------------------------- runs */

struct bench_run {
    struct rnet_work work;
    struct rnet_run run;
    struct guarded scratch, workers;
};

static struct bench_run open_run(int threads, long batch, size_t scratch,
                                 size_t worker)
{
    struct bench_run b = { 0 };

    worker = (worker + 15) / 16 * 16;
    scratch = (scratch + 15) / 16 * 16;
    b.work.pool = rnet_pool_create(threads);
    b.scratch = guarded(scratch);
    b.workers = guarded(worker * (size_t)threads);
    b.run.batch = batch;
    b.run.scratch = b.scratch.p;
    b.run.scratch_floats = scratch;
    b.run.workers = b.workers.p;
    b.run.worker_floats = worker;
    return b;
}

static void close_run(struct bench_run *b)
{
    rnet_pool_destroy(b->work.pool);
    release(&b->scratch);
    release(&b->workers);
}

#endif
