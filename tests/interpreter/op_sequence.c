/* op_sequence.c: what goes over positions: LSTM, GRU, attention, rotary and
 * sine positions. */
#include "tape.h"

static real sigmoid(real x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

/* ---- recurrent layers ---- */

/* A sample's steps in the order in which they are run. */
struct run { size_t steps, hidden, gates, first; bool reverse; };

static struct run run_of(const struct step *s, size_t sample, size_t gates)
{
    const int64_t *n = s->node->set.n;

    return (struct run) { (size_t)n[0], (size_t)n[1], gates,
                          sample * (size_t)n[0], n[2] != 0 };
}

/* The row of the k-th step. */
static size_t row_of(const struct run *run, size_t k)
{
    return run->first + (run->reverse ? run->steps - 1 - k : k);
}

/* s_t = W h + b, h the k-th step's before or 0 */
static void recur(const struct step *s, const struct run *run, size_t k,
                  real *sums)
{
    size_t h = run->hidden;
    const real *before = k ? s->out->x + row_of(run, k - 1) * h : NULL;

    for (size_t j = 0; j < run->gates * h; j++) {
        sums[j] = s->param[1] ? s->param[1]->x[j] : 0;
        for (size_t i = 0; before && i < h; i++)
            sums[j] += s->param[0]->x[j * h + i] * before[i];
    }
}

/* From d sums: dW, db, and into dh the gradient of h before. */
static void recur_grad(struct step *s, const struct run *run, size_t k,
                       const real *d, real *dh)
{
    size_t h = run->hidden;
    const real *before = k ? s->out->x + row_of(run, k - 1) * h : NULL;

    for (size_t j = 0; j < run->gates * h; j++) {
        if (s->param[1])
            s->param[1]->dx[j] += d[j];
        for (size_t i = 0; before && i < h; i++) {
            s->param[0]->dx[j * h + i] += d[j] * before[i];
            dh[i] += d[j] * s->param[0]->x[j * h + i];
        }
    }
}

/* kept, for each row: i, f, g, o, c */
static void lstm_step(struct step *s, const struct run *run, size_t k,
                      real *sums)
{
    size_t h = run->hidden, row = row_of(run, k);
    real *kept = s->kept + row * 5 * h;
    const real *gates = s->in[0]->x + row * 4 * h;
    const real *before = k ? s->kept + row_of(run, k - 1) * 5 * h + 4 * h
                           : NULL;

    recur(s, run, k, sums);
    for (size_t j = 0; j < 4 * h; j++) {
        real a = gates[j] + sums[j];
        kept[j] = j / h == 2 ? tanh(a) : sigmoid(a);
    }
    for (size_t j = 0; j < h; j++) {
        kept[4 * h + j] = kept[j] * kept[2 * h + j]
            + (before ? kept[h + j] * before[j] : 0);
        s->out->x[row * h + j] = kept[3 * h + j] * tanh(kept[4 * h + j]);
    }
}

/* d: of the gates; dh, dc: from the step after, then for the step before */
static void lstm_step_grad(struct step *s, const struct run *run, size_t k,
                           real *d, real *dh, real *dc)
{
    size_t h = run->hidden, row = row_of(run, k);
    const real *kept = s->kept + row * 5 * h;
    const real *before = k ? s->kept + row_of(run, k - 1) * 5 * h + 4 * h
                           : NULL;

    for (size_t j = 0; j < h; j++) {
        real i = kept[j], f = kept[h + j], g = kept[2 * h + j];
        real o = kept[3 * h + j], t = tanh(kept[4 * h + j]);
        real dy = s->out->dx[row * h + j] + dh[j];
        real c = dc[j] + dy * o * (1 - t * t);
        d[j] = c * g * i * (1 - i);
        d[h + j] = before ? c * before[j] * f * (1 - f) : 0;
        d[2 * h + j] = c * i * (1 - g * g);
        d[3 * h + j] = dy * t * o * (1 - o);
        dc[j] = c * f;
        dh[j] = 0;
    }
    for (size_t j = 0; j < 4 * h; j++)
        s->in[0]->dx[row * 4 * h + j] += d[j];
    recur_grad(s, run, k, d, dh);
}

static void lstm_forward(struct machine *m, struct step *s)
{
    real *sums = keep(m, 4 * s->features);

    s->kept = keep(m, s->rows * 5 * s->features);
    for (size_t sample = 0; sample < m->feed->batch; sample++) {
        struct run run = run_of(s, sample, 4);
        for (size_t k = 0; k < run.steps; k++)
            lstm_step(s, &run, k, sums);
    }
}

static void lstm_backward(struct machine *m, struct step *s)
{
    real *d = keep(m, 4 * s->features);

    for (size_t sample = 0; sample < m->feed->batch; sample++) {
        struct run run = run_of(s, sample, 4);
        real *dh = keep(m, run.hidden), *dc = keep(m, run.hidden);
        for (size_t k = run.steps; k-- > 0;)
            lstm_step_grad(s, &run, k, d, dh, dc);
    }
}

/* kept, for each row: r, z, n, and what W_n h + b_n was */
static void gru_step(struct step *s, const struct run *run, size_t k,
                     real *sums)
{
    size_t h = run->hidden, row = row_of(run, k);
    real *kept = s->kept + row * 4 * h;
    const real *gates = s->in[0]->x + row * 3 * h;
    const real *before = k ? s->out->x + row_of(run, k - 1) * h : NULL;

    recur(s, run, k, sums);
    for (size_t j = 0; j < 2 * h; j++)
        kept[j] = sigmoid(gates[j] + sums[j]);
    for (size_t j = 0; j < h; j++) {
        kept[3 * h + j] = sums[2 * h + j];
        kept[2 * h + j] = tanh(gates[2 * h + j] + kept[j] * sums[2 * h + j]);
        s->out->x[row * h + j] = (1 - kept[h + j]) * kept[2 * h + j]
            + (before ? kept[h + j] * before[j] : 0);
    }
}

static void gru_step_grad(struct step *s, const struct run *run, size_t k,
                          real *d, real *dh)
{
    size_t h = run->hidden, row = row_of(run, k);
    const real *kept = s->kept + row * 4 * h;
    const real *before = k ? s->out->x + row_of(run, k - 1) * h : NULL;
    real *dgates = s->in[0]->dx + row * 3 * h;

    for (size_t j = 0; j < h; j++) {
        real r = kept[j], z = kept[h + j], n = kept[2 * h + j];
        real dy = s->out->dx[row * h + j] + dh[j];
        real dn = dy * (1 - z) * (1 - n * n);
        d[j] = dn * kept[3 * h + j] * r * (1 - r);
        d[h + j] = dy * ((before ? before[j] : 0) - n) * z * (1 - z);
        d[2 * h + j] = dn * r;
        dgates[j] += d[j];
        dgates[h + j] += d[h + j];
        dgates[2 * h + j] += dn;
        dh[j] = dy * z;
    }
    recur_grad(s, run, k, d, dh);
}

static void gru_forward(struct machine *m, struct step *s)
{
    real *sums = keep(m, 3 * s->features);

    s->kept = keep(m, s->rows * 4 * s->features);
    for (size_t sample = 0; sample < m->feed->batch; sample++) {
        struct run run = run_of(s, sample, 3);
        for (size_t k = 0; k < run.steps; k++)
            gru_step(s, &run, k, sums);
    }
}

static void gru_backward(struct machine *m, struct step *s)
{
    real *d = keep(m, 3 * s->features);

    for (size_t sample = 0; sample < m->feed->batch; sample++) {
        struct run run = run_of(s, sample, 3);
        real *dh = keep(m, run.hidden);
        for (size_t k = run.steps; k-- > 0;)
            gru_step_grad(s, &run, k, d, dh);
    }
}

/* ---- attention: Vaswani et al. 2017, 3.2.1 ---- */

struct heads { size_t queries, keys, heads, groups, size; bool causal;
               real scale; };

static struct heads heads_of(const struct step *s)
{
    const int64_t *n = s->node->set.n;

    return (struct heads) { (size_t)n[0], (size_t)n[1], (size_t)n[2],
                            (size_t)n[3], (size_t)n[4], n[5] != 0,
                            1 / sqrt((real)n[4]) };
}

/* Keys that query i of a sample sees. */
static size_t seen(const struct step *s, const struct heads *a, size_t sample,
                   size_t i)
{
    size_t count = a->keys;

    if (s->in[3] && (size_t)s->in[3]->x[sample] < count)
        count = (size_t)s->in[3]->x[sample];
    return a->causal && i + 1 < count ? i + 1 : count;
}

/* Where the features of a row's head begin: of q and y, or of k and v. */
static size_t query_at(const struct heads *a, size_t sample, size_t head,
                       size_t row)
{
    return ((sample * a->queries + row) * a->heads + head) * a->size;
}

static size_t key_at(const struct heads *a, size_t sample, size_t head,
                     size_t row)
{
    size_t group = head / (a->heads / a->groups);

    return ((sample * a->keys + row) * a->groups + group) * a->size;
}

typedef void query_visitor(struct step *s, const struct heads *a,
                           size_t sample, size_t head, size_t i, real *p);

/* Every query of every head, and its row of probabilities. */
static void each_query(const struct machine *m, struct step *s,
                       query_visitor *visit)
{
    struct heads a = heads_of(s);
    real *p = s->kept;

    for (size_t sample = 0; sample < m->feed->batch; sample++)
        for (size_t head = 0; head < a.heads; head++)
            for (size_t i = 0; i < a.queries; i++, p += a.keys)
                visit(s, &a, sample, head, i, p);
}

static void probabilities(const struct step *s, const struct heads *a,
                          size_t sample, size_t head, size_t i, real *p)
{
    size_t count = seen(s, a, sample, i), q = query_at(a, sample, head, i);
    real most = -(real)INFINITY, sum = 0;

    for (size_t j = 0; j < count; j++) {
        size_t k = key_at(a, sample, head, j);
        for (size_t f = 0; f < a->size; f++)
            p[j] += s->in[0]->x[q + f] * s->in[1]->x[k + f];
        p[j] *= a->scale;
        most = p[j] > most ? p[j] : most;
    }
    for (size_t j = 0; j < count; j++)
        sum += p[j] = exp(p[j] - most);
    for (size_t j = 0; j < count; j++)
        p[j] /= sum;
}

static void attend(struct step *s, const struct heads *a, size_t sample,
                   size_t head, size_t i, real *p)
{
    size_t y = query_at(a, sample, head, i);

    probabilities(s, a, sample, head, i, p);
    for (size_t j = 0; j < seen(s, a, sample, i); j++)
        for (size_t f = 0; f < a->size; f++)
            s->out->x[y + f] += p[j]
                * s->in[2]->x[key_at(a, sample, head, j) + f];
}

/* dv_j = p_j dy;  dp_j = <dy, v_j>;  d score_j = p_j (dp_j - sum_l p_l dp_l) */
static void attend_grad(struct step *s, const struct heads *a, size_t sample,
                        size_t head, size_t i, real *p)
{
    size_t count = seen(s, a, sample, i), q = query_at(a, sample, head, i);
    const real *dy = s->out->dx + q;
    real mean = 0, dp[count + 1];

    for (size_t j = 0; j < count; j++) {
        size_t v = key_at(a, sample, head, j);
        dp[j] = 0;
        for (size_t f = 0; f < a->size; f++) {
            dp[j] += dy[f] * s->in[2]->x[v + f];
            s->in[2]->dx[v + f] += p[j] * dy[f];
        }
        mean += p[j] * dp[j];
    }
    for (size_t j = 0; j < count; j++) {
        size_t k = key_at(a, sample, head, j);
        real score = p[j] * (dp[j] - mean) * a->scale;
        for (size_t f = 0; f < a->size; f++) {
            s->in[0]->dx[q + f] += score * s->in[1]->x[k + f];
            s->in[1]->dx[k + f] += score * s->in[0]->x[q + f];
        }
    }
}

static void attention_forward(struct machine *m, struct step *s)
{
    struct heads a = heads_of(s);

    s->kept = keep(m, m->feed->batch * a.heads * a.queries * a.keys);
    each_query(m, s, attend);
}

static void attention_backward(struct machine *m, struct step *s)
{
    each_query(m, s, attend_grad);
}

/* ---- rotary positions: Su et al. 2021, 3.2.2 ---- */

/* Turns each pair by sign times its angle: y += rotation of x. */
static void turn(const struct machine *m, const struct step *s, const real *x,
                 real *y, int sign)
{
    size_t head = (size_t)s->node->set.n[0], rows = s->rows / m->feed->batch;
    bool neighbours = s->node->set.n[1] != 0;

    for (size_t r = 0; r < s->rows; r++)
        for (size_t p = 0; p < s->features / 2; p++) {
            size_t i = p % (head / 2), begin = r * s->features
                                             + p / (head / 2) * head;
            size_t a = begin + (neighbours ? 2 * i : i);
            size_t b = begin + (neighbours ? 2 * i + 1 : i + head / 2);
            double angle = (double)(r % rows) * sign
                * pow(s->node->set.r[0], -2.0 * (double)i / (double)head);
            y[a] += x[a] * (real)cos(angle) - x[b] * (real)sin(angle);
            y[b] += x[b] * (real)cos(angle) + x[a] * (real)sin(angle);
        }
}

static void rope_forward(struct machine *m, struct step *s)
{
    turn(m, s, s->in[0]->x, s->out->x, 1);
}

static void rope_backward(struct machine *m, struct step *s)
{
    turn(m, s, s->out->dx, s->in[0]->dx, -1);
}

/* ---- sines ---- */

static void sines_forward(struct machine *m, struct step *s)
{
    size_t rows = s->rows / m->feed->batch;

    for (size_t i = 0; i < s->out->size; i++) {
        size_t f = i % s->features, position = i / s->features % rows;
        double angle = (double)position
            * pow(s->node->set.r[0],
                  -2.0 * (double)(f / 2) / (double)s->features);
        s->out->x[i] = (real)(f % 2 ? cos(angle) : sin(angle));
    }
}

static real frequency(const struct step *s, size_t i)
{
    double half = (double)s->features / 2, shift = (double)s->node->set.n[1];

    return (real)pow(s->node->set.r[0], -(double)i / (half - shift));
}

static void sine_features_forward(struct machine *m, struct step *s)
{
    size_t half = s->features / 2;

    (void)m;
    for (size_t r = 0; r < s->rows; r++)
        for (size_t i = 0; i < half; i++) {
            real angle = frequency(s, i) * s->in[0]->x[r];
            s->out->x[r * s->features + i] = sin(angle);
            s->out->x[r * s->features + half + i] = cos(angle);
        }
}

static void sine_features_backward(struct machine *m, struct step *s)
{
    size_t half = s->features / 2;

    (void)m;
    for (size_t r = 0; r < s->rows; r++)
        for (size_t i = 0; i < half; i++) {
            real w = frequency(s, i), angle = w * s->in[0]->x[r];
            const real *dy = s->out->dx + r * s->features;
            s->in[0]->dx[r] += w * (dy[i] * cos(angle)
                                    - dy[half + i] * sin(angle));
        }
}

const struct rule TWIN(sequence_rules)[] = {
    { OP_LSTM, lstm_forward, lstm_backward },
    { OP_GRU, gru_forward, gru_backward },
    { OP_ATTENTION, attention_forward, attention_backward },
    { OP_ROPE, rope_forward, rope_backward },
    { OP_SINES, sines_forward, NULL },
    { OP_SINE_FEATURES, sine_features_forward, sine_features_backward },
    { 0 }
};
