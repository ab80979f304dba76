/* op_loss.c: losses; docs/LANGUAGE.md, Inputs, outputs, losses.  kept: the
 * gradient of the value. */
#include "tape.h"

static real mean_of(struct machine *m, struct step *s,
                    real (*loss)(real x, real t, real *slope))
{
    size_t count = s->in[0]->size;
    real sum = 0, slope;

    (void)m;
    for (size_t i = 0; i < count; i++) {
        sum += loss(s->in[0]->x[i], s->in[1]->x[i], &slope);
        s->kept[i] = slope / (real)count;
    }
    return sum / (real)count;
}

static real squared(real x, real t, real *slope)
{
    return *slope = 2 * (x - t), (x - t) * (x - t);
}

static real absolute(real x, real t, real *slope)
{
    return *slope = x > t ? 1 : x < t ? -1 : 0, fabs(x - t);
}

/* -t log s - (1 - t) log(1 - s) = log(1 + e^x) - t x */
static real binary(real x, real t, real *slope)
{
    real s = x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));

    return *slope = s - t, (x > 0 ? x : 0) + log1p(exp(-fabs(x))) - t * x;
}

/* ---- cross-entropy ---- */

static real class_weight(const struct step *s, size_t class)
{
    const double *weights = s->node->loss.classes;

    return weights ? narrow(weights[class]) : 1;
}

/* What stands before -log q_c of a row: the share of the label, and that of
 * all classes. */
static real share(const struct step *s, size_t label, size_t class)
{
    real smoothing = narrow(s->node->loss.smoothing);
    real part = smoothing / (real)s->features * class_weight(s, class);

    return class == label ? part + (1 - smoothing) * class_weight(s, class)
                          : part;
}

static real row_loss(struct step *s, size_t row, size_t label, real r)
{
    const real *x = s->in[0]->x + row * s->features;
    real *d = s->kept + row * s->features;
    real most = x[0], sum = 0, loss = 0, shares = 0;

    for (size_t c = 1; c < s->features; c++)
        most = x[c] > most ? x[c] : most;
    for (size_t c = 0; c < s->features; c++)
        sum += exp(x[c] - most);
    for (size_t c = 0; c < s->features; c++) {
        loss += r * share(s, label, c) * (log(sum) + most - x[c]);
        shares += share(s, label, c);
    }
    for (size_t c = 0; c < s->features; c++)
        d[c] = r * (shares * exp(x[c] - most) / sum - share(s, label, c));
    return loss;
}

static real cross_entropy(struct step *s)
{
    real loss = 0, weights = 0;

    for (size_t row = 0; row < s->rows; row++) {
        int64_t label = (int64_t)s->in[1]->x[row];
        real r = s->in[2] ? s->in[2]->x[row] : 1;
        if (s->node->loss.ignores && label == s->node->loss.ignore)
            continue;
        weights += r * class_weight(s, (size_t)label);
        loss += row_loss(s, row, (size_t)label, r);
    }
    for (size_t i = 0; i < s->in[0]->size; i++)
        s->kept[i] = weights == 0 ? 0 : s->kept[i] / weights;
    return weights == 0 ? 0 : loss / weights;
}

static void loss_forward(struct machine *m, struct step *s)
{
    enum loss kind = s->node->loss.kind;
    real weight = narrow(s->node->loss.weight);

    if (!m->training)
        return;
    s->kept = keep(m, s->in[0]->size);
    m->loss += weight * (kind == LOSS_CROSS_ENTROPY ? cross_entropy(s)
        : mean_of(m, s, kind == LOSS_SQUARED ? squared
                  : kind == LOSS_BINARY ? binary : absolute));
    for (size_t i = 0; i < s->in[0]->size; i++)
        s->kept[i] *= weight;
    if (kind != LOSS_ABSOLUTE)
        return;
    double *margin = margins_new(m, s->in[0]->size);
    for (size_t i = 0; i < s->in[0]->size; i++)
        margin[i] = (double)(s->in[0]->x[i] - s->in[1]->x[i]);
}

static void loss_backward(struct machine *m, struct step *s)
{
    (void)m;
    for (size_t i = 0; i < s->in[0]->size; i++)
        s->in[0]->dx[i] += s->kept[i];
}

const struct rule TWIN(loss_rules)[] = {
    { OP_LOSS, loss_forward, loss_backward }, { 0 }
};
