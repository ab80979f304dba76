/* dense.c: trials of dense layers, embeddings, copies and pointwise passes. */
#include "trial.h"

/* Rows of `d` in samples of one row, or of three when they can be cut so. */
static long samples(struct trial *t, long rows)
{
    long per = rows % 3 == 0 && rows > 0 && pick(t, 2) ? 3 : 1;

    t->run.batch = rows / per;
    return per;
}

static struct shape shape_of(struct trial *t, int layout, long rows,
                             long features)
{
    struct shape shape = { (enum rnet_layout)layout, rows, samples(t, rows),
                           features };

    return shape;
}

/* ------------------------------------------------ pointwise passes, copies */

/* Begins with a LOAD of x, which the textbook does by itself. */
static struct rnet_steps loaded(struct list *list, const struct value *x)
{
    for (int i = list->count++; i > 0; i--) {
        list->step[i] = list->step[i - 1];
        list->sums[i] = list->sums[i - 1];
    }
    list->sums[0].count = 0;
    list->step[0] = (struct rnet_step) { .op = RNET_LOAD, .kind = RNET_FULL,
                                         .x = x->p, .stride = x->stride };
    return (struct rnet_steps) { list->step, list->count };
}

/* layout, rows, features, of x or of 0 */
static void point(struct trial *t, const int *d)
{
    struct shape shape = shape_of(t, d[0], d[1], d[2]);
    struct value x = given(t, shape, -4, 4);
    struct rnet_steps steps = tail(t, shape);
    double *acc = accumulator(t, shape);

    if (d[3])
        steps = loaded(t->lists, &x);
    if (t->book)
        book_steps(t, steps, acc);
    else
        rnet_point(&t->run, rows_of(shape), shape.features, steps);
}

/* rows, features; in plain, out in strips */
static void pack_rows(struct trial *t, const int *d)
{
    struct shape to = shape_of(t, RNET_STRIPS, d[0], d[1]);
    struct value x = given(t, plain(d[0], 1, d[1]), -4, 4);
    struct rnet_steps steps = tail(t, to);
    double *acc = accumulator(t, to);

    if (!t->book) {
        rnet_pack_rows(&t->run, d[0], d[1], x.p, x.stride, steps);
        return;
    }
    for (long i = 0; i < (long)d[0] * d[1]; i++)
        acc[i] = *at(&x, i / d[1], i % d[1]);
    book_steps(t, steps, acc);
}

static void unpack_rows(struct trial *t, const int *d)
{
    struct shape to = shape_of(t, RNET_PLAIN, d[0], d[1]);
    struct value x = given(t, strips(d[0], 1, d[1]), -4, 4);
    struct rnet_steps steps = tail(t, to);
    double *acc = accumulator(t, to);

    if (!t->book) {
        rnet_unpack_rows(&t->run, d[0], d[1], x.p, x.stride, steps);
        return;
    }
    for (long i = 0; i < (long)d[0] * d[1]; i++)
        acc[i] = *at(&x, i / d[1], i % d[1]);
    book_steps(t, steps, acc);
}

/* chunks, features */
static void add_sums(struct trial *t, const int *d)
{
    long stride = d[1] + pick(t, 3), count = d[0] ? (d[0] - 1) * stride + d[1]
                                                  : 0;
    float *sums = caller(t, count, -9, 9);
    float *y = added_to(t, caller(t, d[1], -4, 4), d[1]);

    if (!t->book) {
        rnet_add_sums(&t->run, y, sums, d[0], stride, d[1], 0.5f);
        return;
    }
    for (long chunk = 0; chunk < d[0]; chunk++)
        for (long f = 0; f < d[1]; f++)
            y[f] += 0.5f * sums[chunk * stride + f];
}

/* ------------------------------------------------------------ dense layers */

/* rows, in, out */
static void linear(struct trial *t, const int *d)
{
    struct shape to = shape_of(t, RNET_STRIPS, d[0], d[2]);
    struct value x = given(t, strips(d[0], 1, d[1]), -2, 2);
    float *w = panels(t, d[2], d[1]);
    struct rnet_steps steps = tail(t, to);
    double *acc = accumulator(t, to);

    if (!t->book) {
        rnet_linear(&t->run, d[0], d[1], d[2], x.p, x.stride, w, steps);
        return;
    }
    for (long r = 0; r < d[0]; r++)
        for (long o = 0; o < d[2]; o++)
            for (long i = 0; i < d[1]; i++)
                acc[r * d[2] + o] += *at(&x, r, i) * panel(w, d[2], o, i);
    book_steps(t, steps, acc);
}

static void linear_grad_input(struct trial *t, const int *d)
{
    struct shape to = shape_of(t, RNET_STRIPS, d[0], d[1]);
    struct value dy = given(t, strips(d[0], 1, d[2]), -2, 2);
    float *w = panels(t, d[2], d[1]);
    struct rnet_steps steps = tail(t, to);
    double *acc = accumulator(t, to);

    if (!t->book) {
        rnet_linear_grad_input(&t->run, d[0], d[1], d[2], dy.p, dy.stride, w,
                               steps);
        return;
    }
    for (long r = 0; r < d[0]; r++)
        for (long o = 0; o < d[2]; o++)
            for (long i = 0; i < d[1]; i++)
                acc[r * d[1] + i] += *at(&dy, r, o) * panel(w, d[2], o, i);
    book_steps(t, steps, acc);
}

static void add_linear_grads(const int *d, const struct value *x,
                             const struct value *dy, float *dw, float *db)
{
    for (long r = 0; r < d[0]; r++)
        for (long o = 0; o < d[2]; o++) {
            for (long i = 0; i < d[1]; i++)
                *panel_at(dw, d[2], o, i) += *at(dy, r, o) * *at(x, r, i);
            if (db)
                db[o] += *at(dy, r, o);
        }
}

/* rows, in, out, with a bias; no step without rows */
static void linear_step(struct trial *t, const int *d)
{
    long count = (d[1] + 31L) / 32 * 32 * d[2];
    struct value x = given(t, strips(d[0], 1, d[1]), -2, 2);
    struct value dy = given(t, strips(d[0], 1, d[2]), -2, 2);
    struct stepping s = stepping(t, panels(t, d[2], d[1]), count,
                                 d[3] ? d[2] : 0);

    t->run.batch = d[0];
    if (!t->book) {
        rnet_linear_step(&t->run, d[0], d[1], d[2], s.w, s.b, dy.p, dy.stride,
                         x.p, x.stride);
        return;
    }
    float *dw = zeros(t, count), *db = zeros(t, d[2]);
    add_linear_grads(d, &x, &dy, dw, db);
    if (d[0] > 0)
        book_step(&s, dw, db);
}

/* rows, in, out, with a bias */
static void linear_grad_weight(struct trial *t, const int *d)
{
    long count = (d[1] + 31L) / 32 * 32 * d[2];
    struct value x = given(t, strips(d[0], 1, d[1]), -2, 2);
    struct value dy = given(t, strips(d[0], 1, d[2]), -2, 2);
    float *dw = added_to(t, panels(t, d[2], d[1]), count);
    float *db = d[3] ? added_to(t, params(t, d[2], -4, 4), d[2]) : NULL;

    t->run.batch = d[0];
    if (!t->book) {
        rnet_linear_grad_weight(&t->run, d[0], d[1], d[2], dw, db, dy.p,
                                dy.stride, x.p, x.stride);
        return;
    }
    add_linear_grads(d, &x, &dy, dw, db);
}

/* -------------------------------------------------------------- embeddings */

/* Rows of the table: by index, or the position within samples of `per`. */
struct lookup { const int32_t *index; long per; };

static struct lookup lookup(struct trial *t, long rows, long vocabulary,
                            int by_index)
{
    struct lookup lookup = { NULL, 1 };

    if (by_index)
        lookup.index = indices(t, rows, 0, (int)vocabulary - 1);
    for (long per = 1; !by_index && per <= vocabulary; per++)
        if (rows % per == 0)
            lookup.per = per;
    t->run.batch = rows / lookup.per;
    return lookup;
}

static long found(struct lookup lookup, long row)
{
    return lookup.index ? lookup.index[row] : row % lookup.per;
}

/* rows, vocabulary, width, by index */
static void embedding(struct trial *t, const int *d)
{
    struct lookup by = lookup(t, d[0], d[1], d[3]);
    struct shape to = strips(d[0], by.per, d[2]);
    float *table = panels(t, d[1], d[2]);
    struct rnet_steps steps = tail(t, to);
    double *acc = accumulator(t, to);

    if (!t->book) {
        rnet_embedding(&t->run, d[0], d[1], d[2], by.index, table, steps);
        return;
    }
    for (long r = 0; r < d[0]; r++)
        for (long f = 0; f < d[2]; f++)
            acc[r * d[2] + f] = panel(table, d[1], found(by, r), f);
    book_steps(t, steps, acc);
}

static void embedding_grad(struct trial *t, const int *d)
{
    struct lookup by = lookup(t, d[0], d[1], d[3]);
    struct value dy = given(t, strips(d[0], by.per, d[2]), -2, 2);
    float *dtable = added_to(t, panels(t, d[1], d[2]),
                             (d[2] + 31L) / 32 * 32 * d[1]);

    if (!t->book) {
        rnet_embedding_grad(&t->run, d[0], d[1], d[2], dtable, by.index, dy.p,
                            dy.stride);
        return;
    }
    for (long r = 0; r < d[0]; r++)
        for (long f = 0; f < d[2]; f++)
            *panel_at(dtable, d[1], found(by, r), f) += *at(&dy, r, f);
}

static const int rows[] = { 0, 1, 2, 3, 4, 5, 31, 32, 33, 63, 64, 65, 95, 96,
                            97, 129, -1 };
static const int words[] = { 1, 2, 7, 33, -1 };
static const int chunks[] = { 0, 1, 2, 33, 700, -1 };

const struct kernel dense_kernels[] = {
    { "rnet_point", point, 1, 0, { layouts, rows, around, bits },
      { { RNET_PLAIN, 33, 21, 1 }, { RNET_STRIPS, 33, 21, 1 } } },
    { "rnet_pack_rows", pack_rows, 1, 0, { rows, around },
      { { 36, 21 }, { 64, 32 } } },
    { "rnet_unpack_rows", unpack_rows, 1, 0, { rows, around },
      { { 36, 21 }, { 64, 32 } } },
    { "rnet_add_sums", add_sums, 0, 0, { chunks, around }, { { 0 } } },
    { "rnet_linear", linear, 1, 0, { rows, around, around },
      { { 3, 17, 35 }, { 65, 16, 48 } } },
    { "rnet_linear_grad_input", linear_grad_input, 1, 0,
      { rows, around, around }, { { 3, 35, 17 }, { 65, 48, 16 } } },
    { "rnet_linear_grad_weight", linear_grad_weight, 0, 0,
      { rows, around, around, bits }, { { 0 } } },
    { "rnet_linear_step", linear_step, 0, 0, { rows, around, around, bits },
      { { 0 } } },
    { "rnet_embedding", embedding, 1, 0, { rows, words, around, bits },
      { { 35, 7, 21, 1 }, { 66, 3, 48, 0 } } },
    { "rnet_embedding_grad", embedding_grad, 0, 0,
      { rows, words, around, bits }, { { 0 } } },
    { NULL, NULL, 0, 0, { NULL }, { { 0 } } },
};
