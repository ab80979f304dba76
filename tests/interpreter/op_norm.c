/* op_norm.c: norms.  Ba et al. 2016, Zhang & Sennrich 2019, Wu & He 2018,
 * Ioffe & Szegedy 2015. */
#include "tape.h"

/* What is normalised together: `rows` rows from `row` on, `size` features from
 * `feature` on. */
struct set { size_t row, rows, feature, size; };

static size_t sets_of(const struct machine *m, const struct step *s)
{
    size_t groups = (size_t)s->node->norm.groups;

    return (s->node->norm.maps ? m->feed->batch : s->rows) * groups;
}

static struct set set_of(const struct machine *m, const struct step *s,
                         size_t i)
{
    size_t groups = (size_t)s->node->norm.groups, size = s->features / groups;
    size_t rows = s->node->norm.maps ? s->rows / m->feed->batch : 1;

    return (struct set) { i / groups * rows, rows, i % groups * size, size };
}

static size_t element(const struct step *s, const struct set *set, size_t i)
{
    return (set->row + i / set->size) * s->features + set->feature
         + i % set->size;
}

static real gamma_at(const struct step *s, size_t at)
{
    return s->param[0] ? s->param[0]->x[at % s->features] : 1;
}

/* kept: the normalised value of each element, then 1 / deviation of each set */
static void normalise(struct step *s, const struct set *set, size_t number)
{
    bool centred = s->node->norm.kind != NORM_RMS;
    size_t count = set->rows * set->size;
    real mean = 0, square = 0;

    for (size_t i = 0; i < count && centred; i++)
        mean += s->in[0]->x[element(s, set, i)] / (real)count;
    for (size_t i = 0; i < count; i++) {
        real x = s->in[0]->x[element(s, set, i)] - mean;
        square += x * x / (real)count;
    }
    real scale = 1 / sqrt(square + narrow(s->node->norm.epsilon));
    for (size_t i = 0; i < count; i++) {
        size_t at = element(s, set, i);
        s->kept[at] = (s->in[0]->x[at] - mean) * scale;
        s->out->x[at] = gamma_at(s, at) * s->kept[at]
            + (s->param[1] ? s->param[1]->x[at % s->features] : 0);
    }
    s->kept[s->out->size + number] = scale;
}

static void norm_forward(struct machine *m, struct step *s)
{
    size_t sets = sets_of(m, s);

    s->kept = keep(m, s->out->size + sets);
    for (size_t i = 0; i < sets; i++) {
        struct set set = set_of(m, s, i);
        normalise(s, &set, i);
    }
}

static void parameter_grads(struct step *s)
{
    for (size_t i = 0; i < s->out->size; i++) {
        if (s->param[0])
            s->param[0]->dx[i % s->features] += s->out->dx[i] * s->kept[i];
        if (s->param[1])
            s->param[1]->dx[i % s->features] += s->out->dx[i];
    }
}

/* dx = scale (g - mean g - x^ mean(g x^)), g = gamma dy */
static void normalise_grad(struct machine *m, struct step *s,
                           const struct set *set, size_t number)
{
    bool centred = s->node->norm.kind != NORM_RMS;
    size_t count = set->rows * set->size;
    real mean = 0, along = 0, scale = s->kept[s->out->size + number];

    for (size_t i = 0; i < count; i++) {
        size_t at = element(s, set, i);
        real g = gamma_at(s, at) * s->out->dx[at];
        note_term(m, scale * g);
        mean += centred ? g / (real)count : 0;
        along += g * s->kept[at] / (real)count;
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = element(s, set, i);
        s->in[0]->dx[at] += scale * (gamma_at(s, at) * s->out->dx[at] - mean
                                     - s->kept[at] * along);
    }
}

static void norm_backward(struct machine *m, struct step *s)
{
    size_t sets = sets_of(m, s);

    parameter_grads(s);
    for (size_t i = 0; i < sets; i++) {
        struct set set = set_of(m, s, i);
        normalise_grad(m, s, &set, i);
    }
}

/* ---- batch norm ---- */

/* Mean and mean square of what lies around `shift`. */
static void moments(const struct step *s, size_t f, real shift, real *mean,
                    real *square)
{
    *mean = *square = 0;
    for (size_t r = 0; r < s->rows; r++) {
        real x = s->in[0]->x[r * s->features + f] - shift;
        *mean += x / (real)s->rows;
        *square += x * x / (real)s->rows;
    }
}

/* kept: x^, 1 / deviation, mean, unbiased variance.  In float in one pass, as
 * rnet_kernels.h promises, from sums that the running mean shifts: where that
 * is far from the batch's, digits are lost. */
static void batch_statistics(struct step *s, size_t f, real *mean, real *var)
{
    real shift = s->param[2]->x[f], count = (real)s->rows, rest;

    moments(s, f, shift, mean, var);
    *var -= *mean * *mean;
    *mean += shift;
    if (sizeof(real) == sizeof(double))
        moments(s, f, *mean, &rest, var);
    *var = *var < 0 ? 0 : *var;
    s->kept[s->out->size + s->features + f] = *mean;
    s->kept[s->out->size + 2 * s->features + f]
        = *var * count / (count - 1);
}

static void batch_norm_forward(struct machine *m, struct step *s)
{
    s->kept = keep(m, s->out->size + 3 * s->features);
    for (size_t f = 0; f < s->features; f++) {
        real mean = s->param[2]->x[f], var = s->param[3]->x[f];
        if (m->training)
            batch_statistics(s, f, &mean, &var);
        real scale = 1 / sqrt(var + narrow(s->node->norm.epsilon));
        for (size_t r = 0; r < s->rows; r++) {
            size_t at = r * s->features + f;
            s->kept[at] = (s->in[0]->x[at] - mean) * scale;
            s->out->x[at] = s->param[0]->x[f] * s->kept[at]
                          + s->param[1]->x[f];
        }
        s->kept[s->out->size + f] = scale;
    }
}

static void batch_norm_backward(struct machine *m, struct step *s)
{
    real count = (real)s->rows;

    for (size_t f = 0; f < s->features; f++) {
        real sum = 0, along = 0;
        for (size_t r = 0; r < s->rows; r++) {
            sum += s->out->dx[r * s->features + f];
            along += s->out->dx[r * s->features + f]
                     * s->kept[r * s->features + f];
            note_term(m, s->kept[s->out->size + f] * s->param[0]->x[f]
                         * s->out->dx[r * s->features + f]);
        }
        s->param[0]->dx[f] += along;
        s->param[1]->dx[f] += sum;
        for (size_t r = 0; r < s->rows; r++) {
            size_t at = r * s->features + f;
            s->in[0]->dx[at] += s->kept[s->out->size + f] * s->param[0]->x[f]
                * (s->out->dx[at] - sum / count - s->kept[at] * along / count);
        }
    }
}

const struct rule TWIN(norm_rules)[] = {
    { OP_NORM, norm_forward, norm_backward },
    { OP_BATCH_NORM, batch_norm_forward, batch_norm_backward }, { 0 }
};
