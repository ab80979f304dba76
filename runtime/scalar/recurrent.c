/* recurrent.c: scalar twins of the recurrences. */
#include <math.h>

#include "../kernels/recurrent.h"
#include "../kernels/tile.h"

/* Element (out, in) of w, in panels. */
static float weight(const struct recurrent_job *job, long o, long i)
{
    return job->w[(i / RNET_LANES * job->outs + o) * RNET_LANES
                  + i % RNET_LANES];
}

static float sigmoid(float x)
{
    return (float)(1 / (1 + exp(-(double)x)));
}

static float tanh_of(float x)
{
    return (float)tanh((double)x);
}

/* The element of a step's slot that (feature, lane) has. */
static float *at(float *p, long slot, long feature, int lane)
{
    return p + slot + feature * RNET_LANES + lane;
}

/* What the state before the step gives to row o: w[o] . h + bias[o] */
static float from_state(const struct recurrent_job *job,
                        const struct recurrent_part *part, long o, int lane)
{
    long slot = recurrent_slot(job, part, part->step, job->hidden);
    float acc = 0;

    for (long i = 0; i < job->hidden; i++)
        acc += weight(job, o, i) * *at(job->state, slot, i, lane);
    return acc + (job->bias ? job->bias[o] : 0);
}

/* ∂L/∂h of the step's result: dy + what step k + 1 had from it */
static float to_state(const struct recurrent_job *job,
                      const struct recurrent_part *part, long i, int lane)
{
    long next = recurrent_slot(job, part, part->step + 1, 4 * job->hidden);
    float acc = 0;

    if (part->step + 1 < job->steps)
        for (long o = 0; o < job->outs; o++)
            acc += *at(job->dgate, next, o, lane) * weight(job, o, i);
    return acc + job->dy[recurrent_slot(job, part, part->step, job->hidden)
                         + i * RNET_LANES + lane];
}

/* A step's element: where its gates, its states before and after it lie. */
struct element { float *gate, *dgate, *before, *after, *cell, *next, *carry; };

static struct element element(const struct recurrent_job *job,
                              const struct recurrent_part *part, long feature,
                              int lane)
{
    long k = part->step, h = job->hidden;
    long gates = recurrent_slot(job, part, k, 4 * h);
    long before = recurrent_slot(job, part, k, h);
    long after = recurrent_slot(job, part, k + 1, h);

    return (struct element) {
        .gate = at(job->gate, gates, feature, lane),
        .dgate = job->dgate ? at(job->dgate, gates, feature, lane) : NULL,
        .before = at(job->state, before, feature, lane),
        .after = at(job->state, after, feature, lane),
        .cell = job->cell ? at(job->cell, before, feature, lane) : NULL,
        .next = job->cell ? at(job->cell, after, feature, lane) : NULL,
        .carry = job->carry ? at(job->carry, part->block * h * RNET_LANES,
                                 feature, lane) : NULL,
    };
}

typedef void one(const struct recurrent_job *job,
                 const struct recurrent_part *part, long feature, int lane,
                 struct element e);

static void each(const struct recurrent_job *job,
                 const struct recurrent_part *part, one *f)
{
    int lanes = recurrent_lanes(job->batch, part->block);

    for (long i = part->feature; i < part->feature + part->features; i++)
        for (int lane = 0; lane < lanes; lane++)
            f(job, part, i, lane, element(job, part, i, lane));
}

/* i, f, o = sigmoid(.), g = tanh(.); c' = f c + i g; h' = o tanh(c') */
static void lstm_one(const struct recurrent_job *job,
                     const struct recurrent_part *part, long feature, int lane,
                     struct element e)
{
    long h = job->hidden, next = h * RNET_LANES;

    for (int k = 0; k < 4; k++) {
        float x = e.gate[k * next]
                  + from_state(job, part, k * h + feature, lane);
        e.gate[k * next] = k == 2 ? tanh_of(x) : sigmoid(x);
    }
    *e.next = e.gate[next] * *e.cell + e.gate[0] * e.gate[2 * next];
    *e.after = e.gate[3 * next] * tanh_of(*e.next);
}

/* dc = dh o (1 - tanh(c')^2) + carry; carry = dc f */
static void lstm_grad_one(const struct recurrent_job *job,
                          const struct recurrent_part *part, long feature,
                          int lane, struct element e)
{
    long next = job->hidden * RNET_LANES;
    float i = e.gate[0], f = e.gate[next], g = e.gate[2 * next];
    float o = e.gate[3 * next], c = tanh_of(*e.next);
    float dh = to_state(job, part, feature, lane);
    float dc = dh * o * (1 - c * c) + *e.carry;

    e.dgate[0] = dc * g * i * (1 - i);
    e.dgate[next] = dc * *e.cell * f * (1 - f);
    e.dgate[2 * next] = dc * i * (1 - g * g);
    e.dgate[3 * next] = dh * c * o * (1 - o);
    *e.carry = dc * f;
}

/* r, z = sigmoid(.), n = tanh(. + r q), h' = (1 - z) n + z h */
static void gru_one(const struct recurrent_job *job,
                    const struct recurrent_part *part, long feature, int lane,
                    struct element e)
{
    long h = job->hidden, next = h * RNET_LANES;
    float q = from_state(job, part, 2 * h + feature, lane), z;

    for (int k = 0; k < 2; k++)
        e.gate[k * next] = sigmoid(e.gate[k * next]
                                   + from_state(job, part, k * h + feature,
                                                lane));
    e.gate[2 * next] = tanh_of(e.gate[2 * next] + e.gate[0] * q);
    e.gate[3 * next] = q;
    z = e.gate[next];
    *e.after = (1 - z) * e.gate[2 * next] + z * *e.before;
}

static void gru_grad_one(const struct recurrent_job *job,
                         const struct recurrent_part *part, long feature,
                         int lane, struct element e)
{
    long next = job->hidden * RNET_LANES;
    float r = e.gate[0], z = e.gate[next], n = e.gate[2 * next];
    float dh = to_state(job, part, feature, lane) + *e.carry;
    float dn = dh * (1 - z) * (1 - n * n);

    e.dgate[0] = dn * e.gate[3 * next] * r * (1 - r);
    e.dgate[next] = dh * (*e.before - n) * z * (1 - z);
    e.dgate[2 * next] = dn * r;
    e.dgate[3 * next] = dn;
    *e.carry = dh * z;
}

static void lstm(const struct recurrent_job *job,
                 const struct recurrent_part *part, float *scratch)
{
    (void)scratch;
    each(job, part, lstm_one);
}

static void lstm_grad(const struct recurrent_job *job,
                      const struct recurrent_part *part, float *scratch)
{
    (void)scratch;
    each(job, part, lstm_grad_one);
}

static void gru(const struct recurrent_job *job,
                const struct recurrent_part *part, float *scratch)
{
    (void)scratch;
    each(job, part, gru_one);
}

static void gru_grad(const struct recurrent_job *job,
                     const struct recurrent_part *part, float *scratch)
{
    (void)scratch;
    each(job, part, gru_grad_one);
}

/* ---------------------------------------------------------- order of rows */

static float *row_at(const struct recurrent_order *order, long row,
                     long feature)
{
    return order->rows + (row / RNET_LANES * order->stride + feature)
                             * RNET_LANES + row % RNET_LANES;
}

static void move(const struct recurrent_order *order, long block, long feature,
                 long features, int to_times)
{
    int lanes = recurrent_lanes(order->batch, block);

    for (long f = feature; f < feature + features; f++)
        for (long time = 0; time < order->steps; time++)
            for (int lane = 0; lane < lanes; lane++) {
                long sample = block * RNET_LANES + lane;
                float *row = row_at(order, sample * order->steps + time, f);
                float *at_time = recurrent_time(order, time, block, f) + lane;

                *(to_times ? at_time : row) = *(to_times ? row : at_time);
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
