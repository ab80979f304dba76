/* isa.c: which instruction set the kernels use, chosen once. */
#include "isa.h"
#include "rnet.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[RNET_ISAS] = {
    [RNET_ISA_SCALAR] = "scalar",
    [RNET_ISA_BASE] = "base",
    [RNET_ISA_AVX2] = "avx2",
    [RNET_ISA_AVX512] = "avx512",
};

/* The best that the CPU and its operating system allow.  The flags are those
 * the Makefile compiles the kernels with. */
static enum rnet_isa best(void)
{
#if defined RNET_ONLY_SCALAR
    return RNET_ISA_SCALAR;
#elif defined __x86_64__
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return RNET_ISA_BASE;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl"))
        return RNET_ISA_AVX512;
    return RNET_ISA_AVX2;
#else
    return RNET_ISA_BASE;
#endif
}

static enum rnet_isa at_most(enum rnet_isa isa)
{
    enum rnet_isa limit = best();
    return isa < limit ? isa : limit;
}

/* The environment's wish; an unknown name is none. */
static enum rnet_isa choose(void)
{
    const char *wish = getenv("RNET_ISA");
    for (int i = 0; wish && i < RNET_ISAS; i++)
        if (!strcmp(wish, names[i]))
            return at_most((enum rnet_isa)i);
    return best();
}

static atomic_int chosen = -1;

enum rnet_isa rnet_isa(void)
{
    int isa = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (isa >= 0)
        return (enum rnet_isa)isa;
    /* of threads that meet here, the first one's choice stays */
    int mine = (int)choose();
    if (atomic_compare_exchange_strong(&chosen, &isa, mine))
        return (enum rnet_isa)mine;
    return (enum rnet_isa)isa;
}

enum rnet_isa rnet_isa_use(enum rnet_isa isa)
{
    enum rnet_isa used = at_most(isa);
    atomic_store(&chosen, (int)used);
    return used;
}

const char *rnet_isa_name(void)
{
    return names[rnet_isa()];
}
