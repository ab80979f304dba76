/* losses.c: trials of softmax and the losses. */
#include "trial.h"

/* layout, rows, classes */
static struct shape shape_of(struct trial *t, const int *d)
{
    long per = d[1] && pick(t, 3) == 0 ? d[1] : d[1] % 2 == 0 && d[1] ? 2 : 1;

    t->run.batch = d[1] / per;
    return (struct shape) { (enum rnet_layout)d[0], d[1], per, d[2] };
}

/* A loss alone has no steps. */
static struct rnet_steps maybe_tail(struct trial *t, struct shape shape)
{
    int before = t->result_count;
    struct rnet_steps steps = tail(t, shape);

    if (pick(t, 5) == 0) {
        t->result_count = before;
        t->lists[0].count = steps.count = 0;
    }
    return steps;
}

static double softmax_sum(const struct value *x, long row)
{
    double sum = 0;

    for (long f = 0; f < x->shape.features; f++)
        sum += exp(*at(x, row, f));
    return sum;
}

static void softmax(struct trial *t, const int *d)
{
    struct shape shape = shape_of(t, d);
    struct value x = given(t, shape, -6, 6);
    struct rnet_steps steps = tail(t, shape);
    double *acc = accumulator(t, shape);

    if (!t->book) {
        rnet_softmax(&t->run, rows_of(shape), d[2], x.p, x.stride, steps);
        return;
    }
    for (long r = 0; r < d[1]; r++)
        for (long f = 0; f < d[2]; f++)
            acc[r * d[2] + f] = exp(*at(&x, r, f)) / softmax_sum(&x, r);
    book_steps(t, steps, acc);
}

static void softmax_grad(struct trial *t, const int *d)
{
    struct shape shape = shape_of(t, d);
    struct value y = given(t, shape, -2, 2), dy = given(t, shape, -2, 2);
    struct rnet_steps steps = tail(t, shape);
    double *acc = accumulator(t, shape);

    if (!t->book) {
        rnet_softmax_grad(&t->run, rows_of(shape), d[2], y.p, y.stride, dy.p,
                          dy.stride, steps);
        return;
    }
    for (long r = 0; r < d[1]; r++) {
        double sum = 0;

        for (long f = 0; f < d[2]; f++)
            sum += *at(&y, r, f) * *at(&dy, r, f);
        for (long f = 0; f < d[2]; f++)
            acc[r * d[2] + f] = *at(&y, r, f) * (*at(&dy, r, f) - sum);
    }
    book_steps(t, steps, acc);
}

/* ----------------------------------------------------------- cross-entropy */

#define WEIGHT 0.5f

struct entropy {
    struct value x;
    const struct rnet_entropy *by;      /* or NULL */
    const int32_t *label;
    long classes;
};

static double class_weight(const struct entropy *e, long c)
{
    return e->by && e->by->classes ? e->by->classes[c] : 1;
}

static double row_weight(const struct entropy *e, long r)
{
    if (e->by && e->by->ignores && e->label[r] == e->by->ignore)
        return 0;
    return e->by && e->by->rows ? e->by->rows[r] : 1;
}

/* l of a row, and its gradient by x_f into *slope */
static double row_loss(const struct entropy *e, long r, double *slope)
{
    double log_sum = log(softmax_sum(&e->x, r)), loss = 0;
    double s = e->by ? (double)e->by->smoothing : 0, all = 0;

    for (long c = 0; c < e->classes; c++) {
        double share = (c == e->label[r] ? (1 - s) * class_weight(e, c) : 0)
                       + s / (double)e->classes * class_weight(e, c);

        loss += share * (log_sum - *at(&e->x, r, c));
        all += share;
    }
    for (long c = 0; c < e->classes; c++) {
        double share = (c == e->label[r] ? (1 - s) * class_weight(e, c) : 0)
                       + s / (double)e->classes * class_weight(e, c);

        slope[c] = all * exp(*at(&e->x, r, c) - log_sum) - share;
    }
    return loss;
}

static void book_entropy(const struct entropy *e, double *acc, float *loss)
{
    double sum = 0, weights = 0;
    long rows = e->x.shape.rows, classes = e->classes;

    for (long r = 0; r < rows; r++)
        if (row_weight(e, r) != 0) {
            weights += row_weight(e, r) * class_weight(e, e->label[r]);
            sum += row_weight(e, r) * row_loss(e, r, acc + r * classes);
        }
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < classes; c++)
            acc[r * classes + c] *= weights == 0 ? 0
                : WEIGHT * row_weight(e, r) / weights;
    if (weights != 0)
        *loss += (float)(WEIGHT * sum / weights);
}

static void entropy(struct trial *t, const int *d, struct rnet_entropy *by)
{
    struct shape shape = shape_of(t, d);
    struct entropy e = { .x = given(t, shape, -6, 6), .by = by,
                         .classes = d[2] };
    int32_t *label = indices(t, d[1], 0, d[2] - 1);
    float *lines = room(t, (d[1] + 31L) / 32, 4);
    float *loss = added_to(t, caller(t, 1, 1, 1), 1);
    struct rnet_steps steps = maybe_tail(t, shape);
    double *acc = accumulator(t, shape);

    e.label = label;
    for (long r = 0; by && by->ignores && r < d[1]; r++)
        if (pick(t, 3) == 0)
            label[r] = by->ignore;
    if (t->book) {
        book_entropy(&e, acc, loss);
        book_steps(t, steps, acc);
    } else if (by) {
        rnet_weighted_cross_entropy(&t->run, rows_of(shape), d[2], WEIGHT, by,
                                    e.x.p, e.x.stride, label, lines, loss,
                                    steps);
    } else {
        rnet_cross_entropy(&t->run, rows_of(shape), d[2], WEIGHT, e.x.p,
                           e.x.stride, label, lines, loss, steps);
    }
}

static void cross_entropy(struct trial *t, const int *d)
{
    entropy(t, d, NULL);
}

/* layout, rows, classes, which of the settings: smoothing 1, weights of classes
 * 2, of rows 4, an ignored label 8 */
static void weighted_cross_entropy(struct trial *t, const int *d)
{
    struct rnet_entropy by = { .smoothing = d[3] & 1 ? 0.25f : 0,
                               .ignores = (d[3] & 8) != 0, .ignore = -100 };

    if (d[3] & 2)
        by.classes = params(t, d[2], 0, 3);
    if (d[3] & 4)
        by.rows = caller(t, d[1], 0, 3);
    entropy(t, d, &by);
}

/* ------------------------------------------------------------- other losses */

static double error(enum rnet_loss kind, double x, double y, double *slope)
{
    switch (kind) {
    case RNET_LOSS_SQUARED:
        *slope = 2 * (x - y);
        return (x - y) * (x - y);
    case RNET_LOSS_BINARY:
        *slope = 1 / (1 + exp(-x)) - y;
        return fmax(x, 0) - x * y + log1p(exp(-fabs(x)));
    default:
        *slope = (x > y) - (x < y);
        return fabs(x - y);
    }
}

/* layout, rows, features, kind */
static void loss_of(struct trial *t, const int *d)
{
    struct shape shape = shape_of(t, d);
    enum rnet_loss kind = (enum rnet_loss)d[3];
    struct value x = given(t, shape, -6, 6);
    long count = (long)d[1] * d[2];
    float *target = caller(t, count, kind == RNET_LOSS_BINARY ? 0 : -3,
                           kind == RNET_LOSS_BINARY ? 1 : 3);
    float *lines = room(t, (d[1] + 31L) / 32, 4);
    float *loss = added_to(t, caller(t, 1, 1, 1), 1);
    struct rnet_steps steps = maybe_tail(t, shape);
    double *acc = accumulator(t, shape), sum = 0;

    if (!t->book) {
        rnet_loss(&t->run, rows_of(shape), d[2], kind, WEIGHT, x.p, x.stride,
                  target, lines, loss, steps);
        return;
    }
    for (long i = 0; i < count; i++) {
        sum += error(kind, *at(&x, i / d[2], i % d[2]), target[i], acc + i);
        acc[i] *= (double)WEIGHT / (double)count;
    }
    if (count)
        *loss += (float)(WEIGHT * sum / (double)count);
    book_steps(t, steps, acc);
}

static const int rows[] = { 0, 1, 2, 5, 31, 32, 33, 63, 64, 65, 97, -1 };
static const int settings[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
                                14, 15, -1 };
static const int kinds[] = { 0, 1, 2, -1 };

#define SHAPES(more) \
    { { RNET_PLAIN, 34, 21, more }, { RNET_STRIPS, 34, 16, more } }

const struct kernel loss_kernels[] = {
    { "rnet_softmax", softmax, 1, 1e-5, { layouts, rows, around }, SHAPES(0) },
    { "rnet_softmax_grad", softmax_grad, 1, 1e-5, { layouts, rows, around },
      SHAPES(0) },
    { "rnet_cross_entropy", cross_entropy, 1, 1e-5, { layouts, rows, around },
      SHAPES(0) },
    { "rnet_weighted_cross_entropy", weighted_cross_entropy, 1, 1e-5,
      { layouts, rows, around, settings }, SHAPES(15) },
    { "rnet_loss", loss_of, 1, 1e-5, { layouts, rows, around, kinds },
      SHAPES(1) },
    { NULL, NULL, 0, 0, { NULL }, { { 0 } } },
};
