/* modes.h: the floating-point modes of a thread while it computes: rounding to
 * nearest, no traps, denormals taken as zero and none made, as they cost a
 * hundred times as much.  Results do not depend on the caller's modes, which are
 * as before when a call returns, flags included. */
#ifndef MODES_H
#define MODES_H

#include <stdint.h>

/* set_modes returns what restore_modes needs. */
#if defined __SSE2__
static inline uint64_t set_modes(void)
{
    uint64_t saved = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(0x9fc0);
    return saved;
}
static inline void restore_modes(uint64_t saved)
{
    __builtin_ia32_ldmxcsr((unsigned)saved);
}
#elif defined __aarch64__
static inline void restore_modes(uint64_t saved)
{
    __asm__ volatile ("msr fpcr, %0" : : "r"(saved) : "memory");
}
static inline uint64_t set_modes(void)
{
    uint64_t saved;
    __asm__ volatile ("mrs %0, fpcr" : "=r"(saved) : : "memory");
    restore_modes((uint64_t)1 << 24);
    return saved;
}
#else
static inline uint64_t set_modes(void) { return 0; }
static inline void restore_modes(uint64_t saved) { (void)saved; }
#endif

#endif
