/* attention.c: scaled dot-product attention on vectors, without a matrix of
 * all scores (Dao et al. 2022).
 *
 * Lanes are queries: 32 of one head lie as [feature][32], and so do keys and
 * values; 32 scores of a key are one line, [key][32].  So the softmax is
 * vertical, and each product is one of product.h's:
 *   scores[j] = sum over f of k[f][j] q[f]          by columns
 *   y[f]      = sum over j of v[f][j] p[j]          by rows
 * In strips that begin with a sample, heads lie so already; other values are
 * brought to scratch 32 rows at a time. */
#include <math.h>
#include <string.h>

#include "attention.h"
#include "math.h"
#include "product.h"
#include "transpose.h"

#define SQUARE (RNET_LANES * RNET_LANES)
#define MOST_STRIPS RNET_ATTENTION_STRIPS(1)

/* ------------------------------------------------------ heads and strips */

/* The features of one head, in the rows of one sample. */
struct head {
    float *p;                   /* of the whole value */
    long stride, row, rows, feature, features;
    enum rnet_layout layout;
};

/* 32 rows as [feature][32], and the next 32 `step` floats on. */
struct strips { const float *p; long step; };

static struct head head_of(const struct attention_job *job,
                           struct attention_value value, long sample,
                           long rows, long head)
{
    return (struct head) {
        .p = value.p, .stride = value.stride, .row = sample * rows,
        .rows = rows, .feature = head * job->shape.head,
        .features = job->shape.head, .layout = job->shape.layout
    };
}

/* Features in the last place of a strip in scratch: transposing fills 32. */
static long step_of(const struct head *head)
{
    return (head->features + RNET_LANES - 1) / RNET_LANES * SQUARE;
}

static int rows_in(const struct head *head, long strip)
{
    return (int)rows_least(RNET_LANES, head->rows - strip * RNET_LANES);
}

/* Where the rows of a strip are: `count` of them at `lane` of one strip of the
 * value, the rest at the beginning of the next, `step` floats on. */
struct lanes { float *p; long step; int lane, count; };

static struct lanes lanes_of(const struct head *head, long strip)
{
    long row = head->row + strip * RNET_LANES;
    int lane = (int)(row % RNET_LANES);

    return (struct lanes) {
        .p = head->p + (row / RNET_LANES * head->stride + head->feature)
                           * RNET_LANES,
        .step = head->stride * RNET_LANES, .lane = lane,
        .count = (int)rows_least(RNET_LANES - lane, rows_in(head, strip))
    };
}

static ALWAYS_INLINE void copy_lanes(float *to, const float *from, int count)
{
    int j = 0;

    for (; j + RNET_W <= count; j += RNET_W)
        v_storeu(to + j, v_loadu(from + j));
    if (j < count)
        v_store_first(to + j, v_load_first(from + j, count - j), count - j);
}

static float *plain_row(const struct head *head, long row)
{
    return head->p + (head->row + row) * head->stride + head->feature;
}

static void fetch_plain(float *to, const struct head *head, long strip)
{
    const float *row[RNET_LANES];
    int rows = rows_in(head, strip);

    for (long f = 0; f < head->features; f += RNET_LANES) {
        for (int i = 0; i < rows; i++)
            row[i] = plain_row(head, strip * RNET_LANES + i) + f;
        transpose_rows(to + f * RNET_LANES, row, rows,
                       (int)rows_least(RNET_LANES, head->features - f));
    }
}

/* to = the rows of a strip; lanes past them hold anything */
static void fetch(float *to, const struct head *head, long strip)
{
    struct lanes lanes = lanes_of(head, strip);
    int rows = rows_in(head, strip);

    if (head->layout == RNET_PLAIN) {
        fetch_plain(to, head, strip);
        return;
    }
    for (long f = 0; f < head->features; f++) {
        const float *from = lanes.p + f * RNET_LANES;
        copy_lanes(to + f * RNET_LANES, from + lanes.lane, lanes.count);
        copy_lanes(to + f * RNET_LANES + lanes.count, from + lanes.step,
                   rows - lanes.count);
    }
}

static void store_plain(const struct head *head, long strip, const float *from)
{
    float square[SQUARE] __attribute__((aligned(64)));
    int rows = rows_in(head, strip);

    for (long f = 0; f < head->features; f += RNET_LANES) {
        int count = (int)rows_least(RNET_LANES, head->features - f);
        transpose_lanes(square, from + f * RNET_LANES, count);
        for (int i = 0; i < rows; i++)
            copy_lanes(plain_row(head, strip * RNET_LANES + i) + f,
                       square + i * RNET_LANES, count);
    }
}

/* The rows of a strip = from; no other lane is written */
static void store(const struct head *head, long strip, const float *from)
{
    struct lanes lanes = lanes_of(head, strip);
    int rows = rows_in(head, strip);

    if (head->layout == RNET_PLAIN) {
        store_plain(head, strip, from);
        return;
    }
    for (long f = 0; f < head->features; f++) {
        float *to = lanes.p + f * RNET_LANES;
        copy_lanes(to + lanes.lane, from + f * RNET_LANES, lanes.count);
        copy_lanes(to + lanes.step, from + f * RNET_LANES + lanes.count,
                   rows - lanes.count);
    }
}

/* Strips [strip, strip + count), where they are or in `room`. */
static struct strips take(const struct head *head, long strip, long count,
                          float *room)
{
    long step = step_of(head);

    if (head->layout == RNET_STRIPS && head->row % RNET_LANES == 0)
        return (struct strips) { lanes_of(head, strip).p,
                                 head->stride * RNET_LANES };
    for (long i = 0; i < count; i++)
        fetch(room + i * step, head, strip + i);
    return (struct strips) { room, step };
}

/* -------------------------------------------------------------- products */

/* `to` gets, or adds, `rows` lines of `lanes` lanes. */
static void product(enum form form, const struct product *all, float *to,
                    long rows, int lanes, int accumulate)
{
    struct product p = *all;
    const struct rows_tail tail = { .out = to, .accumulate = accumulate };

    for (long g = 0; g < groups_of(rows); g++) {
        long from = group_start(g, rows), end = group_start(g + 1, rows);
        struct place place = { 0, from, 0 };

        p.a = all->a + from * (form == BY_ROWS ? RNET_LANES : 1);
        p.ahead = p.a;
        run_tiles(form, (int)(end - from), lanes, &p, &tail, place);
    }
}

/* to[j] = sum over features of a[feature][j] b[feature], for `count` j */
static void columns(float *to, struct strips a, long count, const float *b,
                    long features, int lanes)
{
    struct product p = { .b = b, .step = SQUARE, .ahead_step = SQUARE,
                         .depth = features };

    for (long j = 0; j < count; j += RNET_LANES) {
        p.a = a.p + j / RNET_LANES * a.step;
        product(BY_COLUMNS, &p, to + j * RNET_LANES,
                rows_least(RNET_LANES, count - j), lanes, 0);
    }
}

/* to[feature] (+)= sum over j of a[feature][j] b[j], for `count` j */
static void rows(float *to, struct strips a, long count, const float *b,
                 long features, int lanes, int accumulate)
{
    struct product p = { .a = a.p, .b = b, .step = a.step,
                         .ahead_step = a.step, .depth = count };

    product(BY_ROWS, &p, to, features, lanes, accumulate);
}

/* --------------------------------------------------------------- forward */

/* Softmax of 32 queries, while keys go by: the largest score, the sum of
 * e^(scale (score - largest)). */
struct running { float most[RNET_LANES], sum[RNET_LANES]; };

/* Scores that causality hides: key j of the queries before it, where the first
 * query sees the first `seen` keys. */
static void hide(float *s, long seen, long count, float value)
{
    for (long j = seen < 0 ? 0 : seen; j < count; j++)
        for (int v = 0; v < RNET_LANES; v += RNET_W) {
            float *at = s + j * RNET_LANES + v;
            v_store(at, v_select(vi_lanes() + v <= (int)(j - seen),
                                 v_set(value), v_load(at)));
        }
}

static ALWAYS_INLINE vf largest(const float *s, long count, vf most)
{
    vf other = most;
    long j = 0;

    for (; j + 2 <= count; j += 2) {
        most = v_max(most, v_load(s + j * RNET_LANES));
        other = v_max(other, v_load(s + (j + 1) * RNET_LANES));
    }
    if (j < count)
        most = v_max(most, v_load(s + j * RNET_LANES));
    return v_max(most, other);
}

/* s = e^(scale s - shift), and its sum */
static ALWAYS_INLINE vf exponents(float *s, long count, float scale, vf shift)
{
    vf sum = v_zero();

    UNROLL_BY(2)
    for (long j = 0; j < count; j++) {
        vf p = v_exp_negative(v_load(s + j * RNET_LANES) * scale - shift);
        v_store(s + j * RNET_LANES, p);
        sum += p;
    }
    return sum;
}

/* Scores become e^(scale (score - largest)); factor is what sums so far
 * shrink by. */
static void soften(float *s, long count, float scale, int lanes,
                   struct running *running, float *factor)
{
    for (int v = 0; v < lanes; v += RNET_W) {
        vf before = v_loadu(running->most + v);
        vf most = largest(s + v, count, before), shift = most * scale;
        vf shrink = v_exp_negative(before * scale - shift);
        vf sum = exponents(s + v, count, scale, shift);

        v_storeu(running->most + v, most);
        v_storeu(running->sum + v,
                 v_loadu(running->sum + v) * shrink + sum);
        v_store(factor + v, shrink);
    }
}

/* to[feature] = factor * from[feature], lane by lane */
static void shrink(float *y, const float *factor, long features)
{
    for (int v = 0; v < RNET_LANES; v += RNET_W) {
        vf f = v_load(factor + v);
        for (long i = v; i < features * RNET_LANES; i += RNET_LANES)
            v_store(y + i, v_load(y + i) * f);
    }
}

/* One task of the forward pass. */
struct forward {
    const struct attention_job *job;
    struct head k, v;
    long sample, first_head, strips;    /* strips of a head's queries */
    long keys;
    float *keys_room, *values_room, *query_room, *scores, *results;
    struct running running[MOST_STRIPS];
};

/* Query strip `item` and keys [key, key + count), which have been taken. */
static void forward_strip(struct forward *f, long item, int slot, long key,
                          long count, struct strips k, struct strips v)
{
    const struct rnet_attention *shape = &f->job->shape;
    float factor[RNET_LANES] __attribute__((aligned(64)));
    struct head head = head_of(f->job, f->job->q, f->sample, shape->queries,
                               f->first_head + item / f->strips);
    long strip = item % f->strips;
    int lanes = rows_in(&head, strip);
    struct strips q = take(&head, strip, 1, f->query_room);
    float *y = f->results + slot * step_of(&head);

    columns(f->scores, k, count, q.p, head.features, lanes);
    if (shape->causal)
        hide(f->scores, strip * RNET_LANES + 1 - key, count, -INFINITY);
    soften(f->scores, count, shape->scale, lanes, f->running + slot, factor);
    if (key > 0)
        shrink(y, factor, head.features);
    rows(y, v, count, f->scores, head.features, lanes, key > 0);
}

static void forward_keys(struct forward *f, long item, long items, long key,
                         long count)
{
    long strip = key / RNET_LANES, strips = attention_strips(count);
    struct strips k = take(&f->k, strip, strips, f->keys_room);
    struct strips v = take(&f->v, strip, strips, f->values_room);

    for (int slot = 0; slot < items; slot++) {
        long end = ((item + slot) % f->strips + 1) * RNET_LANES;
        long seen = attention_seen(f->job, f->keys, end) - key;
        if (seen > 0)
            forward_strip(f, item + slot, slot, key, rows_least(count, seen),
                          k, v);
    }
}

/* y = results / sum, and log_sum */
static void forward_end(struct forward *f, long item, int slot)
{
    const struct attention_job *job = f->job;
    long head = f->first_head + item / f->strips, strip = item % f->strips;
    struct head to = head_of(job, job->y, f->sample, job->shape.queries, head);
    const struct running *running = f->running + slot;
    float inverse[RNET_LANES] __attribute__((aligned(64)));
    float sums[RNET_LANES] __attribute__((aligned(64)));
    float *y = f->results + slot * step_of(&to);

    for (int v = 0; v < RNET_LANES; v += RNET_W) {
        vf sum = v_loadu(running->sum + v);
        v_store(inverse + v, v_select(sum == 0, v_zero(), 1 / sum));
        v_store(sums + v, v_loadu(running->most + v) * job->shape.scale
                              + v_log(sum));
    }
    shrink(y, inverse, to.features);
    store(&to, strip, y);
    if (job->log_sum)
        copy_lanes(job->log_sum + attention_sums_at(job, f->sample, head)
                       + strip * RNET_LANES, sums, rows_in(&to, strip));
}

/* Rooms in scratch, and sums of no keys for `count` strips. */
static void forward_begin(struct forward *f, long count, float *scratch)
{
    long step = step_of(&f->k);
    long chunk = RNET_ATTENTION_STRIPS(f->job->shape.head);

    f->keys_room = scratch;
    f->values_room = f->keys_room + chunk * step;
    f->results = f->values_room + chunk * step;
    f->query_room = f->results + chunk * step;
    f->scores = f->query_room + step;
    for (int slot = 0; slot < count; slot++)
        for (int j = 0; j < RNET_LANES; j++) {
            f->running[slot].most[j] = -INFINITY;
            f->running[slot].sum[j] = 0;
        }
    if (f->keys == 0)
        memset(f->results, 0, (size_t)(count * step) * sizeof(float));
}

static void forward(const struct attention_job *job, long sample, long group,
                    long item, long count, float *scratch)
{
    const struct rnet_attention *shape = &job->shape;
    struct forward f = {
        .job = job, .sample = sample, .keys = attention_keys(job, sample),
        .k = head_of(job, job->k, sample, shape->keys, group),
        .v = head_of(job, job->v, sample, shape->keys, group),
        .first_head = group * (shape->heads / shape->groups),
        .strips = attention_strips(shape->queries)
    };
    long chunk = RNET_ATTENTION_STRIPS(shape->head) * RNET_LANES;

    forward_begin(&f, count, scratch);
    for (long key = 0; key < f.keys; key += chunk)
        forward_keys(&f, item, count, key, rows_least(chunk, f.keys - key));
    for (int slot = 0; slot < count; slot++)
        forward_end(&f, item + slot, slot);
}

/* -------------------------------------------------------------- backward */

/* One task of the backward pass: the keys of a chunk, and strips of queries
 * that go by, [turned] lines of 32 keys for each query. */
struct backward {
    const struct attention_job *job;
    long sample, chunk;                 /* strips of a chunk */
    long key, count;                    /* of the chunk: those seen */
    struct strips k, v;
    float *keys_room, *values_room, *dk, *dv;
    float *query_room, *slope_room, *strip_room;
    float *p, *ds;                      /* [key][query] */
    float *turned_p, *turned_ds;        /* [key strip][query][key] */
};

/* The head whose queries go by. */
struct query_heads { struct head q, y, dy, dq; const float *log_sum; };

static struct query_heads query_heads_of(const struct backward *b, long head)
{
    const struct attention_job *job = b->job;
    long rows = job->shape.queries;

    return (struct query_heads) {
        head_of(job, job->q, b->sample, rows, head),
        head_of(job, job->y, b->sample, rows, head),
        head_of(job, job->dy, b->sample, rows, head),
        head_of(job, job->dq, b->sample, rows, head),
        job->log_sum + attention_sums_at(job, b->sample, head)
    };
}

/* mean[lane] = sum over features of y dy */
static void means(float *mean, const float *y, const float *dy, long features)
{
    for (int v = 0; v < RNET_LANES; v += RNET_W) {
        vf sum = v_zero();
        for (long i = v; i < features * RNET_LANES; i += RNET_LANES)
            sum += v_load(y + i) * v_load(dy + i);
        v_store(mean + v, sum);
    }
}

/* p = e^(scale score - log_sum) */
static void probabilities(float *p, long count, float scale, int lanes,
                          const float *log_sum)
{
    for (int v = 0; v < lanes; v += RNET_W)
        exponents(p + v, count, scale, v_load(log_sum + v));
}

/* ds = scale p (ds - mean) */
static void score_slopes(float *ds, const float *p, long count, float scale,
                         int lanes, const float *mean)
{
    for (int v = 0; v < lanes; v += RNET_W) {
        vf m = v_load(mean + v) * scale;
        UNROLL_BY(4)
        for (long i = v; i < count * RNET_LANES; i += RNET_LANES)
            v_store(ds + i, (v_load(ds + i) * scale - m) * v_load(p + i));
    }
}

/* to[strip][slot] = the lines of 32 keys each turned over */
static void turn_over(const struct backward *b, float *to, const float *from,
                      long count, int slot)
{
    for (long j = 0; j < count; j += RNET_LANES)
        transpose_lanes(to + (j / RNET_LANES * b->chunk + slot) * SQUARE,
                        from + j * RNET_LANES,
                        (int)rows_least(RNET_LANES, count - j));
}

/* ∂L/∂q of a strip = the chunk's share, added to what others left */
static void store_query_slopes(struct backward *b, const struct head *dq,
                               long strip, long count)
{
    int add = b->key > 0;

    if (add)
        fetch(b->strip_room, dq, strip);
    rows(b->strip_room, b->k, count, b->ds, dq->features, rows_in(dq, strip),
         add);
    store(dq, strip, b->strip_room);
}

/* The first `count` keys of the chunk and one strip of queries. */
static void backward_strip(struct backward *b, const struct query_heads *heads,
                           long strip, int slot, long count, const float *q,
                           const float *dy)
{
    const struct rnet_attention *shape = &b->job->shape;
    float sums[RNET_LANES] __attribute__((aligned(64))) = { 0 };
    float mean[RNET_LANES] __attribute__((aligned(64)));
    long features = shape->head, first = strip * RNET_LANES;
    int lanes = rows_in(&heads->q, strip);
    struct strips y = take(&heads->y, strip, 1, b->strip_room);

    copy_lanes(sums, heads->log_sum + first, lanes);
    means(mean, y.p, dy, features);
    columns(b->p, b->k, count, q, features, lanes);
    probabilities(b->p, count, shape->scale, lanes, sums);
    if (shape->causal)
        hide(b->p, first + 1 - b->key, count, 0);
    columns(b->ds, b->v, count, dy, features, lanes);
    score_slopes(b->ds, b->p, count, shape->scale, lanes, mean);
    store_query_slopes(b, &heads->dq, strip, count);
    turn_over(b, b->turned_p, b->p, count, slot);
    turn_over(b, b->turned_ds, b->ds, count, slot);
}

/* ∂L/∂v += p^T dy, ∂L/∂k += ds^T q: queries from slot `from` on, of strips
 * that hold `queries` together. */
static void add_key_slopes(struct backward *b, long strip, long from,
                           long queries, struct strips q, struct strips dy)
{
    long features = b->job->shape.head, step = step_of(&(struct head) {
        .features = features });
    long at = (strip * b->chunk + from) * SQUARE;
    int lanes = (int)rows_least(RNET_LANES, b->count - strip * RNET_LANES);

    queries -= from * RNET_LANES;
    q.p += from * q.step;
    dy.p += from * dy.step;
    rows(b->dv + strip * step, dy, queries, b->turned_p + at, features, lanes,
         1);
    rows(b->dk + strip * step, q, queries, b->turned_ds + at, features, lanes,
         1);
}

/* Query strips [strip, strip + strips) of one head. */
static void backward_queries(struct backward *b,
                             const struct query_heads *heads, long strip,
                             long strips)
{
    const struct rnet_attention *shape = &b->job->shape;
    struct strips q = take(&heads->q, strip, strips, b->query_room);
    struct strips dy = take(&heads->dy, strip, strips, b->slope_room);
    long first = strip * RNET_LANES;
    long queries = rows_least(strips * RNET_LANES, shape->queries - first);

    for (int slot = 0; slot < strips; slot++) {
        long end = (strip + slot + 1) * RNET_LANES;
        long seen = attention_seen(b->job, b->key + b->count, end) - b->key;
        if (seen > 0 || b->key == 0)
            backward_strip(b, heads, strip + slot, slot, seen,
                           q.p + slot * q.step, dy.p + slot * dy.step);
    }
    for (long s = 0; s * RNET_LANES < b->count; s++) {
        long from = !shape->causal || b->key + s * RNET_LANES < first
                    ? 0 : (b->key - first) / RNET_LANES + s;
        if (from < strips)
            add_key_slopes(b, s, from, queries, q, dy);
    }
}

static void backward_keys(struct backward *b, long group, long strip,
                          long strips)
{
    const struct attention_job *job = b->job;
    const struct rnet_attention *shape = &job->shape;
    struct head k = head_of(job, job->k, b->sample, shape->keys, group);
    struct head v = head_of(job, job->v, b->sample, shape->keys, group);
    struct head dk = head_of(job, job->dk, b->sample, shape->keys, group);
    struct head dv = head_of(job, job->dv, b->sample, shape->keys, group);
    long share = shape->heads / shape->groups;
    long queries = attention_strips(shape->queries), step = step_of(&k);

    memset(b->dk, 0, (size_t)(strips * step) * sizeof(float));
    memset(b->dv, 0, (size_t)(strips * step) * sizeof(float));
    b->k = take(&k, strip, attention_strips(b->count), b->keys_room);
    b->v = take(&v, strip, attention_strips(b->count), b->values_room);
    for (long head = group * share; head < (group + 1) * share; head++) {
        struct query_heads heads = query_heads_of(b, head);
        for (long s = 0; s < queries; s += b->chunk)
            backward_queries(b, &heads, s, rows_least(b->chunk, queries - s));
    }
    for (long s = 0; s < strips; s++) {
        store(&dk, strip + s, b->dk + s * step);
        store(&dv, strip + s, b->dv + s * step);
    }
}

static void backward(const struct attention_job *job, long sample, long group,
                     float *scratch)
{
    const struct rnet_attention *shape = &job->shape;
    long keys = attention_keys(job, sample);
    long all = attention_strips(shape->keys);
    long chunk = RNET_ATTENTION_STRIPS(shape->head);
    struct backward b = { .job = job, .sample = sample, .chunk = chunk };
    long step = step_of(&(struct head) { .features = shape->head });

    b.keys_room = scratch;
    b.values_room = b.keys_room + chunk * step;
    b.dk = b.values_room + chunk * step;
    b.dv = b.dk + chunk * step;
    b.query_room = b.dv + chunk * step;
    b.slope_room = b.query_room + chunk * step;
    b.strip_room = b.slope_room + chunk * step;
    b.p = b.strip_room + step;
    b.ds = b.p + chunk * SQUARE;
    b.turned_p = b.ds + chunk * SQUARE;
    b.turned_ds = b.turned_p + chunk * chunk * SQUARE;
    for (long s = 0; s < all; s += chunk) {
        b.key = s * RNET_LANES;
        b.count = rows_least(chunk * RNET_LANES, keys - b.key);
        if (b.count < 0)
            b.count = 0;
        backward_keys(&b, group, s, rows_least(chunk, all - s));
    }
}

const struct attention_kernels RNET_NAME(attention_kernels) = {
    forward, backward
};
