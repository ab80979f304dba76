/* op_dense.c: y = W x + b; rows of a table; softmax. */
#include "tape.h"

static void linear_forward(struct machine *m, struct step *s)
{
    size_t in = (size_t)s->node->in[0]->features, out = s->features;

    (void)m;
    for (size_t r = 0; r < s->rows; r++)
        for (size_t o = 0; o < out; o++) {
            real sum = s->param[1] ? s->param[1]->x[o] : 0;
            for (size_t i = 0; i < in; i++)
                sum += s->param[0]->x[o * in + i] * s->in[0]->x[r * in + i];
            s->out->x[r * out + o] = sum;
        }
}

static void linear_backward(struct machine *m, struct step *s)
{
    size_t in = (size_t)s->node->in[0]->features, out = s->features;
    const real *w = s->param[0]->x, *x = s->in[0]->x;

    (void)m;
    for (size_t r = 0; r < s->rows; r++)
        for (size_t o = 0; o < out; o++) {
            real dy = s->out->dx[r * out + o];
            for (size_t i = 0; i < in; i++) {
                s->param[0]->dx[o * in + i] += dy * x[r * in + i];
                s->in[0]->dx[r * in + i] += dy * w[o * in + i];
            }
            if (s->param[1])
                s->param[1]->dx[o] += dy;
        }
}

/* Without an index: the row of the position within the sample. */
static size_t looked_up(const struct machine *m, const struct step *s,
                        size_t row)
{
    return s->in[0] ? (size_t)s->in[0]->x[row]
                    : row % (s->rows / m->feed->batch);
}

static void embedding_forward(struct machine *m, struct step *s)
{
    for (size_t r = 0; r < s->rows; r++)
        memcpy(s->out->x + r * s->features,
               s->param[0]->x + looked_up(m, s, r) * s->features,
               s->features * sizeof(real));
}

static void embedding_backward(struct machine *m, struct step *s)
{
    for (size_t r = 0; r < s->rows; r++)
        for (size_t f = 0; f < s->features; f++)
            s->param[0]->dx[looked_up(m, s, r) * s->features + f]
                += s->out->dx[r * s->features + f];
}

static void softmax_forward(struct machine *m, struct step *s)
{
    (void)m;
    for (size_t r = 0; r < s->rows; r++) {
        const real *x = s->in[0]->x + r * s->features;
        real *y = s->out->x + r * s->features, most = x[0], sum = 0;
        for (size_t f = 0; f < s->features; f++)
            most = x[f] > most ? x[f] : most;
        for (size_t f = 0; f < s->features; f++)
            sum += y[f] = exp(x[f] - most);
        for (size_t f = 0; f < s->features; f++)
            y[f] /= sum;
    }
}

/* dx_i = sum_j dy_j y_j ([i = j] - y_i) */
static void softmax_backward(struct machine *m, struct step *s)
{
    (void)m;
    for (size_t r = 0; r < s->rows; r++) {
        size_t at = r * s->features;
        real dot = 0;
        for (size_t f = 0; f < s->features; f++)
            dot += s->out->dx[at + f] * s->out->x[at + f];
        for (size_t f = 0; f < s->features; f++)
            s->in[0]->dx[at + f] += s->out->x[at + f]
                                    * (s->out->dx[at + f] - dot);
    }
}

const struct rule TWIN(dense_rules)[] = {
    { OP_LINEAR, linear_forward, linear_backward },
    { OP_EMBEDDING, embedding_forward, embedding_backward },
    { OP_SOFTMAX, softmax_forward, softmax_backward }, { 0 }
};
