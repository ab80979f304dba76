/* attention.h: kernels of scaled dot-product attention: what the entry points
 * in ../attention.c hand to the kernels of an instruction set. */
#ifndef RNET_KERNELS_ATTENTION_H
#define RNET_KERNELS_ATTENTION_H

#include "tile.h"

struct attention_value { float *p; long stride; };

/* One call of an entry point; what a kernel does not need is unset. */
struct attention_job {
    const struct rnet_run *run;
    struct rnet_attention shape;
    struct attention_value q, k, v, y, dy, dq, dk, dv;
    float *log_sum;
    const int32_t *lengths;
};

/* What a task of the forward pass goes through: strips of 32 queries of the
 * heads that share keys, counted head by head. */
static inline long attention_strips(long rows)
{
    return (rows + RNET_LANES - 1) / RNET_LANES;
}

static inline long attention_items(const struct rnet_attention *shape)
{
    return shape->heads / shape->groups * attention_strips(shape->queries);
}

/* Keys that some query of the sample may see. */
static inline long attention_keys(const struct attention_job *job, long sample)
{
    long keys = job->shape.keys;
    long length = job->lengths ? job->lengths[sample] : keys;

    return length < 0 ? 0 : length < keys ? length : keys;
}

/* ... that the queries [0, end) see. */
static inline long attention_seen(const struct attention_job *job, long keys,
                                  long end)
{
    return job->shape.causal && end < keys ? end : keys;
}

static inline long attention_sums_at(const struct attention_job *job,
                                     long sample, long head)
{
    return (sample * job->shape.heads + head) * job->shape.queries;
}

struct attention_kernels {
    /* items [item, item + count), count <= RNET_ATTENTION_STRIPS */
    void (*forward)(const struct attention_job *job, long sample, long group,
                    long item, long count, float *scratch);
    /* all heads of a group */
    void (*backward)(const struct attention_job *job, long sample, long group,
                     float *scratch);
};
extern const struct attention_kernels rnet_scalar_attention_kernels,
    rnet_base_attention_kernels, rnet_avx2_attention_kernels,
    rnet_avx512_attention_kernels;

#endif
