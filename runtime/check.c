/* check.c: what emitted entry points check before they run a kernel. */
#include "rnet_kernels.h"

enum rnet_status rnet_check_array(const void *array)
{
    if (!array)
        return RNET_NULL;
    return (uintptr_t)array % RNET_ALIGN ? RNET_MISALIGNED : RNET_OK;
}

enum rnet_status rnet_check_work(const struct rnet_work *work, size_t bytes,
                                 int version)
{
    if (version != RNET_VERSION)
        return RNET_BAD_VERSION;
    if (!work)
        return RNET_NULL;
    if (bytes == 0)
        return RNET_OK;
    enum rnet_status status = rnet_check_array(work->memory);
    if (status)
        return status;
    return work->bytes < bytes ? RNET_TOO_SMALL : RNET_OK;
}

/* RNET_BAD_LABEL unless 0 <= index[i] < classes for every i < count. */
enum rnet_status rnet_check_indices(const int32_t *index, size_t count,
                                    long classes)
{
    if (count == 0)
        return RNET_OK;
    if (!index)
        return RNET_NULL;
    /* a negative index is a large one when read as unsigned */
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++)
        if ((uint32_t)index[i] > largest)
            largest = (uint32_t)index[i];
    if (largest > INT32_MAX || (long)largest >= classes)
        return RNET_BAD_LABEL;
    return RNET_OK;
}
