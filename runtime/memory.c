/* memory.c: aligned, zeroed memory for parameters and work. */
#include "rnet.h"

#include <stdlib.h>
#include <string.h>

/* Zeroed and RNET_ALIGN-aligned; 0 bytes gives a pointer to free as well. */
void *rnet_alloc_bytes(size_t bytes)
{
    if (bytes > SIZE_MAX - RNET_ALIGN)
        return NULL;
    size_t rounded = (bytes / RNET_ALIGN + 1) * RNET_ALIGN;
    void *memory = aligned_alloc(RNET_ALIGN, rounded);
    if (memory)
        memset(memory, 0, rounded);
    return memory;
}

float *rnet_alloc(size_t count)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, sizeof(float), &bytes))
        return NULL;
    return rnet_alloc_bytes(bytes);
}

void rnet_free(void *memory)
{
    free(memory);
}
