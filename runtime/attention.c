/* attention.c: entry points of attention: one task for the heads that share
 * keys, forward for some of their queries, of each sample. */
#include "isa.h"
#include "kernels/attention.h"

static const struct attention_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(attention_kernels);

static float *scratch_of(const struct rnet_run *run, int worker)
{
    return run->workers + (size_t)worker * run->worker_floats;
}

static long blocks_of(const struct rnet_attention *shape)
{
    long each = RNET_ATTENTION_STRIPS(shape->head);

    return (attention_items(shape) + each - 1) / each;
}

static void forward_task(void *context, long index, int worker)
{
    const struct attention_job *job = context;
    long blocks = blocks_of(&job->shape), groups = job->shape.groups;
    long each = RNET_ATTENTION_STRIPS(job->shape.head);
    long item = index % blocks * each;
    long left = attention_items(&job->shape) - item;

    tables[rnet_isa()]->forward(job, index / blocks / groups,
                                index / blocks % groups, item,
                                left < each ? left : each,
                                scratch_of(job->run, worker));
}

void rnet_attention(const struct rnet_run *run, long batch,
                    const struct rnet_attention *attention, float *y,
                    long y_stride, float *log_sum, const float *q,
                    long q_stride, const float *k, long k_stride,
                    const float *v, long v_stride, const int32_t *lengths)
{
    struct attention_job job = {
        .run = run, .shape = *attention, .y = { y, y_stride },
        .q = { (float *)q, q_stride }, .k = { (float *)k, k_stride },
        .v = { (float *)v, v_stride }, .log_sum = log_sum, .lengths = lengths
    };

    rnet_parallel(run, batch * attention->groups * blocks_of(attention),
                  forward_task, &job);
}

static void backward_task(void *context, long index, int worker)
{
    const struct attention_job *job = context;
    long groups = job->shape.groups;

    tables[rnet_isa()]->backward(job, index / groups, index % groups,
                                 scratch_of(job->run, worker));
}

void rnet_attention_grad(const struct rnet_run *run, long batch,
                         const struct rnet_attention *attention, float *dq,
                         long dq_stride, float *dk, long dk_stride, float *dv,
                         long dv_stride, const float *dy, long dy_stride,
                         const float *y, long y_stride, const float *log_sum,
                         const float *q, long q_stride, const float *k,
                         long k_stride, const float *v, long v_stride,
                         const int32_t *lengths)
{
    struct attention_job job = {
        .run = run, .shape = *attention, .dq = { dq, dq_stride },
        .dk = { dk, dk_stride }, .dv = { dv, dv_stride },
        .dy = { (float *)dy, dy_stride }, .y = { (float *)y, y_stride },
        .q = { (float *)q, q_stride }, .k = { (float *)k, k_stride },
        .v = { (float *)v, v_stride }, .log_sum = (float *)log_sum,
        .lengths = lengths
    };

    rnet_parallel(run, batch * attention->groups, backward_task, &job);
}
