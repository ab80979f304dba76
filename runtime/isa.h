/* isa.h: which of the compiled instruction sets this process runs. */
#ifndef RNET_ISA_H
#define RNET_ISA_H

enum rnet_isa { RNET_ISA_SCALAR, RNET_ISA_BASE, RNET_ISA_AVX2, RNET_ISA_AVX512,
                RNET_ISAS };

/* Chosen at the first call; RNET_ISA=scalar|base|avx2|avx512 in the
 * environment lowers the choice. */
enum rnet_isa rnet_isa(void);

/* For tests: from now on `isa`, or the best the CPU has below it, whatever was
 * chosen.  Returns what it is. */
enum rnet_isa rnet_isa_use(enum rnet_isa isa);

/* A table of kernels for each instruction set, by its index: each family of
 * kernels keeps one, defined beside its entry points:
 *     static const struct rows_kernels *const tables[RNET_ISAS] =
 *         RNET_TABLES(rows_kernels);
 * for `rnet_scalar_rows_kernels`, `rnet_base_rows_kernels`, ... */
#if defined RNET_ONLY_SCALAR
#define RNET_TABLES(name) { &rnet_scalar_##name, &rnet_scalar_##name, \
                            &rnet_scalar_##name, &rnet_scalar_##name }
#elif defined __x86_64__
#define RNET_TABLES(name) { &rnet_scalar_##name, &rnet_base_##name, \
                            &rnet_avx2_##name, &rnet_avx512_##name }
#else
#define RNET_TABLES(name) { &rnet_scalar_##name, &rnet_base_##name, \
                            &rnet_base_##name, &rnet_base_##name }
#endif

#endif
