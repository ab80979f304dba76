/* times.c: trials of recurrences and attention. */
#include <string.h>

#include "trial.h"

/* ------------------------------------------------------------- recurrences */

/* batch, steps, hidden, reverse, with a bias */
struct recurrence {
    long batch, steps, hidden, outs;
    int reverse;
    struct value gates, dy, y, dgates;
    float *w, *b, *dw, *db, *saved;
    /* the textbook's, at [(sample * (steps + 1) + k) * hidden + f], k steps
     * done, and [((sample * steps + k) * 4 + gate) * hidden + f] */
    double *state, *cell, *gate;
};

static long row_of(const struct recurrence *c, long sample, long k)
{
    return sample * c->steps + (c->reverse ? c->steps - 1 - k : k);
}

static double *state_of(const struct recurrence *c, double *from, long sample,
                        long k)
{
    return from + (sample * (c->steps + 1) + k) * c->hidden;
}

static double *gate_of(const struct recurrence *c, long sample, long k,
                       int gate)
{
    return c->gate + ((sample * c->steps + k) * 4 + gate) * c->hidden;
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* w[o] . h + b[o] */
static double product(const struct recurrence *c, const double *h, long o)
{
    double sum = c->b ? c->b[o] : 0;

    for (long i = 0; i < c->hidden; i++)
        sum += panel(c->w, c->outs, o, i) * h[i];
    return sum;
}

static void lstm_step(const struct recurrence *c, long sample, long k)
{
    const double *h = state_of(c, c->state, sample, k);
    const double *cell = state_of(c, c->cell, sample, k);

    for (int g = 0; g < 4; g++)
        for (long f = 0; f < c->hidden; f++) {
            long o = g * c->hidden + f;
            double x = *at(&c->gates, row_of(c, sample, k), o)
                       + product(c, h, o);

            gate_of(c, sample, k, g)[f] = g == 2 ? tanh(x) : logistic(x);
        }
    for (long f = 0; f < c->hidden; f++) {
        double next = gate_of(c, sample, k, 1)[f] * cell[f]
                      + gate_of(c, sample, k, 0)[f]
                            * gate_of(c, sample, k, 2)[f];

        state_of(c, c->cell, sample, k + 1)[f] = next;
        state_of(c, c->state, sample, k + 1)[f] =
            gate_of(c, sample, k, 3)[f] * tanh(next);
    }
}

/* Gates r, z, n, and q = w_n h + b_n */
static void gru_step(const struct recurrence *c, long sample, long k)
{
    const double *h = state_of(c, c->state, sample, k);

    for (long f = 0; f < c->hidden; f++) {
        double x[3], q = product(c, h, 2 * c->hidden + f), r, z, n;

        for (int g = 0; g < 3; g++)
            x[g] = *at(&c->gates, row_of(c, sample, k), g * c->hidden + f);
        r = logistic(x[0] + product(c, h, f));
        z = logistic(x[1] + product(c, h, c->hidden + f));
        n = tanh(x[2] + r * q);
        gate_of(c, sample, k, 0)[f] = r;
        gate_of(c, sample, k, 1)[f] = z;
        gate_of(c, sample, k, 2)[f] = n;
        gate_of(c, sample, k, 3)[f] = q;
        state_of(c, c->state, sample, k + 1)[f] = (1 - z) * n + z * h[f];
    }
}

/* What step k gives to its gates' inputs (`in`) and to w h + b (`to`), from dh
 * and carry, which become those of the step before. */
struct slopes { double *dh, *carry, *in, *to; };

static void lstm_slope(const struct recurrence *c, struct slopes s, long sample,
                       long k, long f)
{
    double i = gate_of(c, sample, k, 0)[f], o = gate_of(c, sample, k, 3)[f];
    double g = gate_of(c, sample, k, 2)[f];
    double forget = gate_of(c, sample, k, 1)[f];
    double before = state_of(c, c->cell, sample, k)[f];
    double t = tanh(state_of(c, c->cell, sample, k + 1)[f]);
    double dc = s.dh[f] * o * (1 - t * t) + s.carry[f];
    long n = c->hidden;

    s.in[f] = s.to[f] = dc * g * i * (1 - i);
    s.in[n + f] = s.to[n + f] = dc * before * forget * (1 - forget);
    s.in[2 * n + f] = s.to[2 * n + f] = dc * i * (1 - g * g);
    s.in[3 * n + f] = s.to[3 * n + f] = s.dh[f] * t * o * (1 - o);
    s.carry[f] = dc * forget;
    s.dh[f] = 0;
}

static void gru_slope(const struct recurrence *c, struct slopes s, long sample,
                      long k, long f)
{
    double r = gate_of(c, sample, k, 0)[f], z = gate_of(c, sample, k, 1)[f];
    double n = gate_of(c, sample, k, 2)[f], q = gate_of(c, sample, k, 3)[f];
    double before = state_of(c, c->state, sample, k)[f];
    double dn = s.dh[f] * (1 - z) * (1 - n * n);
    long wide = c->hidden;

    s.in[f] = s.to[f] = dn * q * r * (1 - r);
    s.in[wide + f] = s.to[wide + f] = s.dh[f] * (before - n) * z * (1 - z);
    s.in[2 * wide + f] = dn;
    s.to[2 * wide + f] = dn * r;
    s.dh[f] *= z;
}

static void add_step(const struct recurrence *c, struct slopes s, long sample,
                     long k, double *dw, double *db)
{
    const double *h = state_of(c, c->state, sample, k);

    for (long o = 0; o < c->outs; o++) {
        *at(&c->dgates, row_of(c, sample, k), o) = (float)s.in[o];
        db[o] += s.to[o];
        for (long i = 0; i < c->hidden; i++) {
            dw[o * c->hidden + i] += s.to[o] * h[i];
            s.dh[i] += s.to[o] * panel(c->w, c->outs, o, i);
        }
    }
}

static void book_forward(struct trial *t, struct recurrence *c)
{
    c->state = numbers(t, c->batch * (c->steps + 1) * c->hidden);
    c->cell = numbers(t, c->batch * (c->steps + 1) * c->hidden);
    c->gate = numbers(t, c->batch * c->steps * 4 * c->hidden);
    for (long sample = 0; sample < c->batch; sample++)
        for (long k = 0; k < c->steps; k++) {
            (c->outs == 4 * c->hidden ? lstm_step : gru_step)(c, sample, k);
            for (long f = 0; f < c->hidden; f++)
                *at(&c->y, row_of(c, sample, k), f) =
                    (float)state_of(c, c->state, sample, k + 1)[f];
        }
}

static void book_backward(struct trial *t, struct recurrence *c)
{
    double *dw = numbers(t, c->outs * c->hidden), *db = numbers(t, c->outs);
    struct slopes s = { numbers(t, c->hidden), numbers(t, c->hidden),
                        numbers(t, c->outs), numbers(t, c->outs) };

    for (long sample = 0; sample < c->batch; sample++) {
        memset(s.dh, 0, (size_t)c->hidden * sizeof *s.dh);
        memset(s.carry, 0, (size_t)c->hidden * sizeof *s.carry);
        for (long k = c->steps - 1; k >= 0; k--) {
            for (long f = 0; f < c->hidden; f++) {
                s.dh[f] += *at(&c->dy, row_of(c, sample, k), f);
                (c->outs == 4 * c->hidden ? lstm_slope : gru_slope)(
                    c, s, sample, k, f);
            }
            add_step(c, s, sample, k, dw, db);
        }
    }
    for (long o = 0; o < c->outs; o++) {
        if (c->db)
            c->db[o] += (float)db[o];
        for (long i = 0; i < c->hidden; i++)
            *panel_at(c->dw, c->outs, o, i) += (float)dw[o * c->hidden + i];
    }
}

/* Not so large that rounding grows from step to step. */
static float *small_panels(struct trial *t, long out, long in)
{
    float *w = panels(t, out, in);

    for (long i = 0; in > 8 && i < (in + 31) / 32 * 32 * out; i++)
        w[i] /= 8;
    return w;
}

static struct recurrence recurrence_of(struct trial *t, const int *d, int gates)
{
    struct recurrence c = { .batch = d[0], .steps = d[1], .hidden = d[2],
                            .outs = gates * (long)d[2], .reverse = d[3] };
    long rows = c.batch * c.steps;
    size_t saved = gates == 4 ? RNET_LSTM_FLOATS(d[0], d[1], d[2])
                              : RNET_GRU_FLOATS(d[0], d[1], d[2]);

    t->run.batch = d[0];
    c.gates = given(t, strips(rows, c.steps, c.outs), -2, 2);
    c.w = small_panels(t, c.outs, c.hidden);
    c.b = d[4] ? params(t, c.outs, -1, 1) : NULL;
    c.y = asked(t, strips(rows, c.steps, c.hidden));
    c.saved = room(t, (long)saved, 64);
    return c;
}

static void forward(struct trial *t, struct recurrence *c)
{
    if (t->book)
        book_forward(t, c);
    else
        (c->outs == 4 * c->hidden ? rnet_lstm : rnet_gru)(
            &t->run, c->batch, c->steps, c->hidden, c->reverse, c->y.p,
            c->y.stride, c->saved, c->gates.p, c->gates.stride, c->w, c->b);
}

static void backward(struct trial *t, struct recurrence *c)
{
    long rows = c->batch * c->steps;
    int lstm = c->outs == 4 * c->hidden;
    size_t needed = lstm
        ? RNET_LSTM_SCRATCH_FLOATS(c->batch, c->steps, c->hidden)
        : RNET_GRU_SCRATCH_FLOATS(c->batch, c->steps, c->hidden);
    float *more = room(t, (long)needed, 64);

    forward(t, c);
    c->dy = given(t, strips(rows, c->steps, c->hidden), -2, 2);
    c->dgates = asked(t, strips(rows, c->steps, c->outs));
    c->dw = added_to(t, panels(t, c->outs, c->hidden),
                     (c->hidden + 31) / 32 * 32 * c->outs);
    if (c->b)
        c->db = added_to(t, params(t, c->outs, -2, 2), c->outs);
    if (t->book)
        book_backward(t, c);
    else
        (lstm ? rnet_lstm_grad : rnet_gru_grad)(
            &t->run, c->batch, c->steps, c->hidden, c->reverse, c->dgates.p,
            c->dgates.stride, c->dw, c->db, c->dy.p, c->dy.stride, c->saved,
            c->w, more);
}

static void lstm(struct trial *t, const int *d)
{
    struct recurrence c = recurrence_of(t, d, 4);

    forward(t, &c);
}

static void lstm_grad(struct trial *t, const int *d)
{
    struct recurrence c = recurrence_of(t, d, 4);

    backward(t, &c);
}

static void gru(struct trial *t, const int *d)
{
    struct recurrence c = recurrence_of(t, d, 3);

    forward(t, &c);
}

static void gru_grad(struct trial *t, const int *d)
{
    struct recurrence c = recurrence_of(t, d, 3);

    backward(t, &c);
}

/* ---------------------------------------------------------------- attention */

/* layout, batch, queries, keys, heads (of 1, 2, 2 in 1, 6 in 2), features of a
 * head, causal 1 and lengths 2 */
struct attention {
    struct rnet_attention shape;
    long batch;
    struct value q, k, v, y, dq, dk, dv, dy;
    const int32_t *lengths;
    float *log_sum;
    double *p, *out;            /* of a head's query: softmax, y */
};

static struct shape shape_of(const struct attention *a, long rows, long heads)
{
    return (struct shape) { a->shape.layout, a->batch * rows, rows,
                            heads * a->shape.head };
}

static struct attention attention_of(struct trial *t, const int *d)
{
    static const int heads[] = { 1, 2, 2, 6 }, groups[] = { 1, 2, 1, 2 };
    struct attention a = { .batch = d[1] };

    a.shape = (struct rnet_attention) {
        .layout = (enum rnet_layout)d[0], .queries = d[2], .keys = d[3],
        .heads = heads[d[4]], .groups = groups[d[4]], .head = d[5],
        .causal = d[6] & 1, .scale = 0.25f
    };
    t->run.batch = d[1];
    a.q = given(t, shape_of(&a, d[2], a.shape.heads), -2, 2);
    a.k = given(t, shape_of(&a, d[3], a.shape.groups), -2, 2);
    a.v = given(t, shape_of(&a, d[3], a.shape.groups), -2, 2);
    a.y = asked(t, shape_of(&a, d[2], a.shape.heads));
    if (d[6] & 2)
        a.lengths = indices(t, d[1], -1, d[3] + 1);
    a.log_sum = room(t, (long)RNET_ATTENTION_SUMS(d[1], d[2], a.shape.heads),
                     4);
    return a;
}

static long seen(const struct attention *a, long sample, long query)
{
    long keys = a->lengths ? a->lengths[sample] : a->shape.keys;

    keys = keys < 0 ? 0 : keys > a->shape.keys ? a->shape.keys : keys;
    return a->shape.causal && query + 1 < keys ? query + 1 : keys;
}

/* One query of one head. */
struct query { long sample, query, head, row, feature, key, group; };

static struct query query_of(const struct attention *a, long sample, long query,
                             long head)
{
    long group = head / (a->shape.heads / a->shape.groups);

    return (struct query) { sample, query, head,
                            sample * a->shape.queries + query,
                            head * a->shape.head, sample * a->shape.keys,
                            group * a->shape.head };
}

static void book_query(struct attention *a, struct query at_query)
{
    struct query w = at_query;
    long n = seen(a, w.sample, w.query);
    double sum = 0;

    for (long j = 0; j < n; j++) {
        double dot = 0;

        for (long f = 0; f < a->shape.head; f++)
            dot += *at(&a->q, w.row, w.feature + f)
                   * *at(&a->k, w.key + j, w.group + f);
        a->p[j] = exp((double)a->shape.scale * dot);
        sum += a->p[j];
    }
    for (long f = 0; f < a->shape.head; f++) {
        a->out[f] = 0;
        for (long j = 0; j < n; j++)
            a->out[f] += a->p[j] / sum * *at(&a->v, w.key + j, w.group + f);
        *at(&a->y, w.row, w.feature + f) = (float)a->out[f];
    }
    for (long j = 0; j < n; j++)
        a->p[j] /= sum;
    a->log_sum[(w.sample * a->shape.heads + w.head) * a->shape.queries
               + w.query] = (float)log(sum);
}

typedef void each_query(struct attention *a, struct query w);

static void every_query(struct attention *a, each_query *f)
{
    for (long sample = 0; sample < a->batch; sample++)
        for (long head = 0; head < a->shape.heads; head++)
            for (long i = 0; i < a->shape.queries; i++)
                f(a, query_of(a, sample, i, head));
}

static void begin_attention(struct trial *t, struct attention *a, int back)
{
    a->p = numbers(t, a->shape.keys);
    a->out = numbers(t, a->shape.head);
    scratch(t, 0, back ? RNET_WORKER_FLOATS
                             + RNET_ATTENTION_GRAD_FLOATS(a->shape.head)
                       : RNET_WORKER_FLOATS
                             + RNET_ATTENTION_FLOATS(a->shape.head));
}

static void run_attention(struct trial *t, struct attention *a, float *log_sum)
{
    if (t->book)
        every_query(a, book_query);
    else
        rnet_attention(&t->run, a->batch, &a->shape, a->y.p, a->y.stride,
                       log_sum, a->q.p, a->q.stride, a->k.p, a->k.stride,
                       a->v.p, a->v.stride, a->lengths);
}

static void attention(struct trial *t, const int *d)
{
    struct attention a = attention_of(t, d);
    int sums = pick(t, 2);

    begin_attention(t, &a, 0);
    run_attention(t, &a, sums ? a.log_sum : NULL);
}

static void add(struct value *v, long row, long feature, double x)
{
    float *p = at(v, row, feature);

    *p = (float)(*p + x);
}

static void book_gradient(struct attention *a, struct query w)
{
    long n = seen(a, w.sample, w.query);
    double mean = 0;

    book_query(a, w);
    for (long f = 0; f < a->shape.head; f++) {
        mean += a->out[f] * *at(&a->dy, w.row, w.feature + f);
        *at(&a->dq, w.row, w.feature + f) = 0;
    }
    for (long j = 0; j < n; j++) {
        double ds = -mean;

        for (long f = 0; f < a->shape.head; f++)
            ds += *at(&a->dy, w.row, w.feature + f)
                  * *at(&a->v, w.key + j, w.group + f);
        ds *= a->p[j] * (double)a->shape.scale;
        for (long f = 0; f < a->shape.head; f++) {
            add(&a->dv, w.key + j, w.group + f,
                a->p[j] * *at(&a->dy, w.row, w.feature + f));
            add(&a->dq, w.row, w.feature + f,
                ds * *at(&a->k, w.key + j, w.group + f));
            add(&a->dk, w.key + j, w.group + f,
                ds * *at(&a->q, w.row, w.feature + f));
        }
    }
}

static void clear(struct value *v)
{
    for (long r = 0; r < v->shape.rows; r++)
        for (long f = 0; f < v->shape.features; f++)
            *at(v, r, f) = 0;
}

static void attention_grad(struct trial *t, const int *d)
{
    struct attention a = attention_of(t, d);

    a.dy = given(t, a.y.shape, -2, 2);
    a.dq = asked(t, a.q.shape);
    a.dk = asked(t, a.k.shape);
    a.dv = asked(t, a.v.shape);
    begin_attention(t, &a, 1);
    if (t->book) {
        clear(&a.dk);
        clear(&a.dv);
        every_query(&a, book_gradient);
        return;
    }
    run_attention(t, &a, a.log_sum);
    rnet_attention_grad(&t->run, a.batch, &a.shape, a.dq.p, a.dq.stride,
                        a.dk.p, a.dk.stride, a.dv.p, a.dv.stride, a.dy.p,
                        a.dy.stride, a.y.p, a.y.stride, a.log_sum, a.q.p,
                        a.q.stride, a.k.p, a.k.stride, a.v.p, a.v.stride,
                        a.lengths);
}

static const int samples[] = { 0, 1, 2, 3, 4, 5, 31, 32, 33, 65, -1 };
static const int steps[] = { 1, 2, 7, -1 };
static const int batches[] = { 0, 1, 3, -1 };
static const int rows[] = { 1, 2, 5, 31, 32, 33, 64, 65, 130, -1 };
static const int heads[] = { 0, 1, 2, 3, -1 };
static const int wide[] = { 1, 2, 4, 8, 15, 16, 17, 31, 32, 33, 64, 65,
                            129, -1 };
static const int masks[] = { 0, 1, 2, 3, -1 };

#define RECURRENT { samples, steps, around, bits, bits }, { { 0 } }
#define ATTENTION \
    { layouts, batches, rows, rows, heads, wide, masks }, { { 0 } }

const struct kernel time_kernels[] = {
    { "rnet_lstm", lstm, 0, 1e-5, RECURRENT },
    { "rnet_lstm_grad", lstm_grad, 0, 3e-5, RECURRENT },
    { "rnet_gru", gru, 0, 1e-5, RECURRENT },
    { "rnet_gru_grad", gru_grad, 0, 3e-5, RECURRENT },
    { "rnet_attention", attention, 0, 1e-5, ATTENTION },
    { "rnet_attention_grad", attention_grad, 0, 3e-5, ATTENTION },
    { NULL, NULL, 0, 0, { NULL }, { { 0 } } },
};
