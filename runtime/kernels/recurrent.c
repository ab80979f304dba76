/* recurrent.c: a step of a recurrence and changes of the order of rows, on
 * vectors: samples are in the lanes. */
#include "few.h"
#include "math.h"
#include "product.h"
#include "recurrent.h"
#include "tile.h"
#include "transpose.h"

#define SQUARE (RNET_LANES * RNET_LANES)

/* -------------------------------------------------------------- products */

/* One step's task and what it multiplies by w: x (depth, 32). */
struct step {
    const struct recurrent_job *job;
    int lanes;
    const float *x;
    long depth;
    const float *few;           /* or NULL: x of few samples, row by row */
};

static struct step step_of(const struct recurrent_job *job, long block,
                           const float *x, long depth, float *scratch)
{
    struct step step = { .job = job, .x = x, .depth = depth,
                         .lanes = recurrent_lanes(job->batch, block) };

    if (step.lanes <= FEW_ROWS && depth <= FEW_FEATURES) {
        few_gather(scratch, x, depth, step.lanes);
        step.few = scratch;
    }
    return step;
}

/* y[i] = x[i] + bias[i] + add[i], the first vector of each */
static void add_few(float *y, const float *x, const float *bias,
                    const float *add, long count)
{
    for (long i = 0; i < count; i++) {
        vf acc = v_load(x + i * RNET_LANES);
        if (bias)
            acc += v_set(bias[i]);
        if (add)
            acc += v_load(add + i * RNET_LANES);
        v_store(y + i * RNET_LANES, acc);
    }
}

/* y (count, 32) = w[o ... o + count) x + bias + add; y may be `add`. */
static void product_rows(const struct step *step, long o, long count, float *y,
                         const float *bias, const float *add)
{
    const struct recurrent_job *job = step->job;
    const struct rows_tail tail = { .out = y, .bias = bias, .before = add };
    struct product product = { .b = step->x, .step = job->outs * RNET_LANES,
                               .ahead_step = job->outs * RNET_LANES,
                               .depth = step->depth };
    const float *w = job->w + o * RNET_LANES;

    if (step->few) {
        float acc[SQUARE] __attribute__((aligned(64)));
        few_linear(acc, count, step->lanes, w, product.step, step->few,
                   step->depth);
        add_few(y, acc, bias, add, count);
        return;
    }
    for (long g = 0; g < groups_of(count); g++) {
        long from = group_start(g, count), rows = group_start(g + 1, count);

        product.a = w + from * RNET_LANES;
        rows -= from;
        product.ahead = product.a + rows * RNET_LANES;
        run_tiles(BY_ROWS, (int)rows, step->lanes, &product, &tail,
                  (struct place) { 0, from, 0 });
    }
}

/* y (count, 32) = columns i ... i + count of w times x + add; i a multiple of
 * 32, count at most 32. */
static void product_columns(const struct step *step, long i, long count,
                            float *y, const float *add)
{
    const struct rows_tail tail = { .out = y, .before = add };
    const float *w = step->job->w + i * step->job->outs;
    struct product product = { .b = step->x, .step = SQUARE,
                               .ahead_step = SQUARE, .depth = step->depth };

    for (long r = 0; step->few && r < step->lanes; r++)
        few_columns(y + r, w, step->few + r * few_stride(step->depth),
                    step->depth);
    if (step->few) {
        add_few(y, y, NULL, add, count);
        return;
    }
    for (long g = 0; g < groups_of(count); g++) {
        long from = group_start(g, count), to = group_start(g + 1, count);

        product.a = product.ahead = w + from;
        run_tiles(BY_COLUMNS, (int)(to - from), step->lanes, &product, &tail,
                  (struct place) { 0, from, 0 });
    }
}

/* ------------------------------------------------------------------ steps */

/* Up to 32 features of a step: what lies where.  `next` floats are from one
 * gate of a feature to the next. */
struct chunk {
    const struct recurrent_job *job;
    long feature, count, next;
    int lanes;
    float *gate, *dgate, *carry, *cell, *state;
    float *new_cell, *new_state;
};

static struct chunk chunk_of(const struct recurrent_job *job,
                             const struct recurrent_part *part, long feature)
{
    long h = job->hidden, first = feature * RNET_LANES;
    long gates = recurrent_slot(job, part, part->step, 4 * h) + first;
    long old = recurrent_slot(job, part, part->step, h) + first;
    long new = recurrent_slot(job, part, part->step + 1, h) + first;

    return (struct chunk) {
        .job = job, .feature = feature, .next = h * RNET_LANES,
        .count = rows_least(RNET_LANES, part->feature + part->features
                                            - feature),
        .lanes = recurrent_lanes(job->batch, part->block),
        .gate = job->gate + gates,
        .dgate = job->dgate ? job->dgate + gates : NULL,
        .carry = job->carry ? job->carry + part->block * h * RNET_LANES
                                  + first : NULL,
        .cell = job->cell ? job->cell + old : NULL,
        .new_cell = job->cell ? job->cell + new : NULL,
        .state = job->state + old, .new_state = job->state + new,
    };
}

/* Calls f for each vector of the chunk, at floats from its start. */
typedef void pointwise(const struct chunk *chunk, const float *product,
                       long at);

static ALWAYS_INLINE void for_vectors(const struct chunk *chunk,
                                      const float *product, pointwise *f)
{
    for (long i = 0; i < chunk->count; i++)
        for (int lane = 0; lane < chunk->lanes; lane += RNET_W)
            f(chunk, product, i * RNET_LANES + lane);
}

static ALWAYS_INLINE const float *bias_of(const struct recurrent_job *job,
                                          long o)
{
    return job->bias ? job->bias + o : NULL;
}

/* i, f, o = sigmoid(.), g = tanh(.); c' = f c + i g; h' = o tanh(c') */
static ALWAYS_INLINE void lstm_vector(const struct chunk *c,
                                      const float *product, long at)
{
    float *gate = c->gate + at;
    vf i = v_sigmoid(v_load(gate)), f = v_sigmoid(v_load(gate + c->next));
    vf g = v_tanh(v_load(gate + 2 * c->next));
    vf o = v_sigmoid(v_load(gate + 3 * c->next));
    vf cell = f * v_load(c->cell + at) + i * g;

    (void)product;
    v_store(gate, i);
    v_store(gate + c->next, f);
    v_store(gate + 2 * c->next, g);
    v_store(gate + 3 * c->next, o);
    v_store(c->new_cell + at, cell);
    v_store(c->new_state + at, o * v_tanh(cell));
}

static void lstm(const struct recurrent_job *job,
                 const struct recurrent_part *part, float *scratch)
{
    long h = job->hidden, end = part->feature + part->features;
    long slot = recurrent_slot(job, part, part->step, h);
    struct step step = step_of(job, part->block, job->state + slot, h,
                               scratch);

    for (long f = part->feature; f < end; f += RNET_LANES) {
        struct chunk c = chunk_of(job, part, f);
        for (int k = 0; k < 4; k++)
            product_rows(&step, k * h + f, c.count, c.gate + k * c.next,
                         bias_of(job, k * h + f), c.gate + k * c.next);
        for_vectors(&c, NULL, lstm_vector);
    }
}

/* r, z = sigmoid(.), q = W_hn h + b_hn, n = tanh(. + r q);
 * h' = (1 - z) n + z h.  product: r, z, q of the state, 32 features each. */
static ALWAYS_INLINE void gru_vector(const struct chunk *c,
                                     const float *product, long at)
{
    float *gate = c->gate + at;
    vf r = v_sigmoid(v_load(gate) + v_load(product + at));
    vf z = v_sigmoid(v_load(gate + c->next) + v_load(product + SQUARE + at));
    vf q = v_load(product + 2 * SQUARE + at);
    vf n = v_tanh(v_load(gate + 2 * c->next) + r * q);

    v_store(gate, r);
    v_store(gate + c->next, z);
    v_store(gate + 2 * c->next, n);
    v_store(gate + 3 * c->next, q);
    v_store(c->new_state + at, (1 - z) * n + z * v_load(c->state + at));
}

static void gru(const struct recurrent_job *job,
                const struct recurrent_part *part, float *scratch)
{
    float product[3 * SQUARE] __attribute__((aligned(64)));
    long h = job->hidden, end = part->feature + part->features;
    long slot = recurrent_slot(job, part, part->step, h);
    struct step step = step_of(job, part->block, job->state + slot, h,
                               scratch);

    for (long f = part->feature; f < end; f += RNET_LANES) {
        struct chunk c = chunk_of(job, part, f);
        for (int k = 0; k < 3; k++)
            product_rows(&step, k * h + f, c.count, product + k * SQUARE,
                         bias_of(job, k * h + f), NULL);
        for_vectors(&c, product, gru_vector);
    }
}

/* -------------------------------------------------------------- gradients */

/* product = ∂L/∂h of the step's result.
 * dc = dh o (1 - tanh(c')^2) + carry; carry = dc f */
static ALWAYS_INLINE void lstm_grad_vector(const struct chunk *k,
                                           const float *product, long at)
{
    const float *gate = k->gate + at;
    float *dgate = k->dgate + at;
    vf i = v_load(gate), f = v_load(gate + k->next);
    vf g = v_load(gate + 2 * k->next), o = v_load(gate + 3 * k->next);
    vf c = v_tanh(v_load(k->new_cell + at)), dh = v_load(product + at);
    vf dc = dh * o * (1 - c * c) + v_load(k->carry + at);

    v_store(dgate, dc * g * i * (1 - i));
    v_store(dgate + k->next, dc * v_load(k->cell + at) * f * (1 - f));
    v_store(dgate + 2 * k->next, dc * i * (1 - g * g));
    v_store(dgate + 3 * k->next, dh * c * o * (1 - o));
    v_store(k->carry + at, dc * f);
}

/* dh += carry; carry = dh z */
static ALWAYS_INLINE void gru_grad_vector(const struct chunk *k,
                                          const float *product, long at)
{
    const float *gate = k->gate + at;
    float *dgate = k->dgate + at;
    vf r = v_load(gate), z = v_load(gate + k->next);
    vf n = v_load(gate + 2 * k->next), q = v_load(gate + 3 * k->next);
    vf dh = v_load(product + at) + v_load(k->carry + at);
    vf dn = dh * (1 - z) * (1 - n * n);

    v_store(dgate, dn * q * r * (1 - r));
    v_store(dgate + k->next, dh * (v_load(k->state + at) - n) * z * (1 - z));
    v_store(dgate + 2 * k->next, dn * r);
    v_store(dgate + 3 * k->next, dn);
    v_store(k->carry + at, dh * z);
}

/* ∂L/∂h = dy + w^T dgate of the next step, then the gates'. */
static ALWAYS_INLINE void grad(const struct recurrent_job *job,
                               const struct recurrent_part *part,
                               float *scratch, pointwise *f)
{
    float product[SQUARE] __attribute__((aligned(64)));
    long h = job->hidden, end = part->feature + part->features;
    const float *dy = job->dy + recurrent_slot(job, part, part->step, h);
    int last = part->step + 1 == job->steps;
    const float *next =
        job->dgate + recurrent_slot(job, part, last ? 0 : part->step + 1,
                                    4 * h);
    struct step step = step_of(job, part->block, next, last ? 0 : job->outs,
                               scratch);

    for (long i = part->feature; i < end; i += RNET_LANES) {
        struct chunk c = chunk_of(job, part, i);
        product_columns(&step, i, c.count, product, dy + i * RNET_LANES);
        for_vectors(&c, product, f);
    }
}

static void lstm_grad(const struct recurrent_job *job,
                      const struct recurrent_part *part, float *scratch)
{
    grad(job, part, scratch, lstm_grad_vector);
}

static void gru_grad(const struct recurrent_job *job,
                     const struct recurrent_part *part, float *scratch)
{
    grad(job, part, scratch, gru_grad_vector);
}

/* ---------------------------------------------------------- order of rows */

static ALWAYS_INLINE void copy_lanes(float *to, const float *from)
{
    UNROLL for (int v = 0; v < RNET_LANES; v += RNET_W)
        v_store(to + v, v_load(from + v));
}

static ALWAYS_INLINE void copy_first(float *to, const float *from, int count)
{
    int j = 0;

    for (; j + RNET_W <= count; j += RNET_W)
        v_storeu(to + j, v_loadu(from + j));
    if (j < count)
        v_store_first(to + j, v_load_first(from + j, count - j), count - j);
}

/* Features that move together: in both orders they lie side by side, and
 * what is read and written in one go is 128 bytes of each. */
#define MOVED 4

/* What moves at once: times [time, time + count) of features [feature, feature
 * + features) of a block, at most 32 of MOVED. */
struct moved {
    const struct recurrent_order *order;
    long block, feature, time;
    int features, count, lanes;
    float square[MOVED][SQUARE] __attribute__((aligned(64)));
};

/* Where sample `lane` of the block has its first time: the strip, and the lane
 * in it. */
static ALWAYS_INLINE float *strip_of(const struct moved *m, int lane,
                                     int *first)
{
    long row = lane * m->order->steps + m->time;
    long strip = m->block * m->order->steps + row / RNET_LANES;

    *first = (int)(row % RNET_LANES);
    return m->order->rows + (strip * m->order->stride + m->feature)
                                * RNET_LANES;
}

/* A sample's times lie in one strip or two. */
static void gather_rows(struct moved *m)
{
    float line[MOVED][2 * SQUARE] __attribute__((aligned(64)));
    const float *row[MOVED][RNET_LANES] = { { NULL } };
    long next = m->order->stride * RNET_LANES;

    for (int l = 0; l < m->lanes; l++) {
        int first;
        const float *from = strip_of(m, l, &first);
        for (int f = 0; f < m->features; f++, from += RNET_LANES) {
            float *to = line[f] + 2 * RNET_LANES * l;
            copy_lanes(to, from);
            if (first + m->count > RNET_LANES)
                copy_lanes(to + RNET_LANES, from + next);
            row[f][l] = to + first;
        }
    }
    for (int f = 0; f < m->features; f++)
        transpose_rows(m->square[f], row[f], m->lanes, m->count);
}

static void scatter_rows(const struct moved *m)
{
    long next = m->order->stride * RNET_LANES;

    for (int l = 0; l < m->lanes; l++) {
        int first, count;
        float *to = strip_of(m, l, &first);
        count = (int)rows_least(m->count, RNET_LANES - first);
        for (int f = 0; f < m->features; f++, to += RNET_LANES) {
            const float *from = m->square[f] + l * RNET_LANES;
            copy_first(to + first, from, count);
            copy_first(to + next, from + count, m->count - count);
        }
    }
}

static void scatter_times(const struct moved *m)
{
    for (int j = 0; j < m->count; j++) {
        float *to = recurrent_time(m->order, m->time + j, m->block,
                                   m->feature);
        for (int f = 0; f < m->features; f++)
            copy_lanes(to + f * RNET_LANES, m->square[f] + j * RNET_LANES);
    }
}

static void gather_times(struct moved *m)
{
    float line[MOVED][SQUARE] __attribute__((aligned(64)));
    const float *row[RNET_LANES];

    for (int j = 0; j < m->count; j++) {
        const float *from = recurrent_time(m->order, m->time + j, m->block,
                                           m->feature);
        for (int f = 0; f < m->features; f++)
            copy_lanes(line[f] + j * RNET_LANES, from + f * RNET_LANES);
    }
    for (int f = 0; f < m->features; f++) {
        for (int j = 0; j < m->count; j++)
            row[j] = line[f] + j * RNET_LANES;
        transpose_rows(m->square[f], row, m->count, RNET_LANES);
    }
}

static ALWAYS_INLINE void move(const struct recurrent_order *order, long block,
                               long feature, long features, int to_times)
{
    struct moved m = { .order = order, .block = block,
                       .lanes = recurrent_lanes(order->batch, block) };
    long end = feature + features;

    for (m.feature = feature; m.feature < end; m.feature += MOVED)
        for (m.time = 0; m.time < order->steps; m.time += RNET_LANES) {
            m.features = (int)rows_least(MOVED, end - m.feature);
            m.count = (int)rows_least(RNET_LANES, order->steps - m.time);
            if (to_times) {
                gather_rows(&m);
                scatter_times(&m);
            } else {
                gather_times(&m);
                scatter_rows(&m);
            }
        }
}

static void rows_to_times(const struct recurrent_order *order, long block,
                          long feature, long features)
{
    move(order, block, feature, features, 1);
}

static void times_to_rows(const struct recurrent_order *order, long block,
                          long feature, long features)
{
    move(order, block, feature, features, 0);
}

const struct recurrent_kernels RNET_NAME(recurrent_kernels) = {
    lstm, lstm_grad, gru, gru_grad, rows_to_times, times_to_rows
};
