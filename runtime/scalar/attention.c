/* attention.c: the scalar twin of attention, query by query. */
#include <math.h>

#include "../kernels/attention.h"

/* One head: its rows begin at `row`, its features at `feature`. */
struct head {
    struct attention_value value;
    enum rnet_layout layout;
    long row, feature;
};

static struct head head_of(const struct attention_job *job,
                           struct attention_value value, long row, long head)
{
    return (struct head) { value, job->shape.layout, row,
                           head * job->shape.head };
}

static float *at(struct head head, long row, long feature)
{
    row += head.row;
    feature += head.feature;
    if (head.layout == RNET_PLAIN)
        return head.value.p + row * head.value.stride + feature;
    return head.value.p
           + (row / RNET_LANES * head.value.stride + feature) * RNET_LANES
           + row % RNET_LANES;
}

static double dot(const struct attention_job *job, struct head a, long row,
                  struct head b, long other)
{
    double sum = 0;

    for (long f = 0; f < job->shape.head; f++)
        sum += (double)*at(a, row, f) * *at(b, other, f);
    return sum;
}

/* row of y += factor * row of x */
static void add(const struct attention_job *job, struct head y, long row,
                double factor, struct head x, long other)
{
    for (long f = 0; f < job->shape.head; f++)
        *at(y, row, f) = (float)(*at(y, row, f) + factor * *at(x, other, f));
}

static void scale(const struct attention_job *job, struct head y, long row,
                  double factor)
{
    for (long f = 0; f < job->shape.head; f++)
        *at(y, row, f) = factor == 0 ? 0 : (float)(factor * *at(y, row, f));
}

static double score(const struct attention_job *job, struct head q, long query,
                    struct head k, long key)
{
    return job->shape.scale * dot(job, q, query, k, key);
}

/* y[query] = sum over the first n keys of e^(score - largest) v, divided by the
 * sum; log_sum */
static void attend(const struct attention_job *job, struct head y,
                   float *log_sum, long query, long n, struct head q,
                   struct head k, struct head v)
{
    double largest = -INFINITY, sum = 0;

    for (long j = 0; j < n; j++) {
        double s = score(job, q, query, k, j);
        largest = s > largest ? s : largest;
    }
    scale(job, y, query, 0);
    for (long j = 0; j < n; j++) {
        double p = exp(score(job, q, query, k, j) - largest);
        sum += p;
        add(job, y, query, p, v, j);
    }
    scale(job, y, query, n > 0 ? 1 / sum : 0);
    if (log_sum)
        log_sum[query] = (float)(largest + log(sum));
}

static void forward(const struct attention_job *job, long sample, long group,
                    long item, long count, float *scratch)
{
    const struct rnet_attention *shape = &job->shape;
    long strips = attention_strips(shape->queries);
    long keys = attention_keys(job, sample);
    struct head k = head_of(job, job->k, sample * shape->keys, group);
    struct head v = head_of(job, job->v, sample * shape->keys, group);

    (void)scratch;
    for (long end = item + count; item < end; item++) {
        long head = group * (shape->heads / shape->groups) + item / strips;
        struct head q = head_of(job, job->q, sample * shape->queries, head);
        struct head y = head_of(job, job->y, sample * shape->queries, head);
        float *sums = job->log_sum
            ? job->log_sum + attention_sums_at(job, sample, head) : NULL;
        long first = item % strips * RNET_LANES;

        for (long i = first; i < first + RNET_LANES && i < shape->queries; i++)
            attend(job, y, sums, i, attention_seen(job, keys, i + 1), q, k, v);
    }
}

/* What a head's gradient reads and adds to. */
struct gradient { struct head q, k, v, y, dy, dq, dk, dv; const float *sums; };

/* ∂L/∂q of one query, and its share of ∂L/∂k and ∂L/∂v of the first n keys */
static void add_gradient(const struct attention_job *job,
                         const struct gradient *g, long query, long n)
{
    double mean = dot(job, g->y, query, g->dy, query);

    scale(job, g->dq, query, 0);
    for (long j = 0; j < n; j++) {
        double p = exp(score(job, g->q, query, g->k, j) - g->sums[query]);
        double ds = job->shape.scale * p
                    * (dot(job, g->dy, query, g->v, j) - mean);

        add(job, g->dv, j, p, g->dy, query);
        add(job, g->dq, query, ds, g->k, j);
        add(job, g->dk, j, ds, g->q, query);
    }
}

static void backward(const struct attention_job *job, long sample, long group,
                     float *scratch)
{
    const struct rnet_attention *shape = &job->shape;
    long share = shape->heads / shape->groups, query = sample * shape->queries;
    long key = sample * shape->keys, keys = attention_keys(job, sample);
    struct gradient g = {
        .k = head_of(job, job->k, key, group),
        .v = head_of(job, job->v, key, group),
        .dk = head_of(job, job->dk, key, group),
        .dv = head_of(job, job->dv, key, group)
    };

    (void)scratch;
    for (long j = 0; j < shape->keys; j++) {
        scale(job, g.dk, j, 0);
        scale(job, g.dv, j, 0);
    }
    for (long head = group * share; head < (group + 1) * share; head++) {
        g.q = head_of(job, job->q, query, head);
        g.y = head_of(job, job->y, query, head);
        g.dy = head_of(job, job->dy, query, head);
        g.dq = head_of(job, job->dq, query, head);
        g.sums = job->log_sum + attention_sums_at(job, sample, head);
        for (long i = 0; i < shape->queries; i++)
            add_gradient(job, &g, i, attention_seen(job, keys, i + 1));
    }
}

const struct attention_kernels RNET_NAME(attention_kernels) = {
    forward, backward
};
