/* norms.c: trials of layer, RMS, group and batch norms. */
#include "trial.h"

/* Over blocks of rows and features that are normalised together. */
struct block { long row, rows, feature, features; };

#define EACH(block, r, f) \
    for (long r = (block).row; r < (block).row + (block).rows; r++) \
        for (long f = (block).feature; \
             f < (block).feature + (block).features; f++)

struct norm {
    struct shape shape;
    enum rnet_norm kind;
    long groups;
    int maps;                   /* blocks are whole samples */
    struct value x, xhat;       /* x, or dy */
    float *gamma, *rstd, *sums;
    double *acc;
};

static struct block block_of(const struct norm *n, long index)
{
    long width = n->shape.features / n->groups, row = index / n->groups;
    long rows = n->maps ? n->shape.per_sample : 1;

    return (struct block) { row * rows, rows, index % n->groups * width,
                            width };
}

static long blocks_of(const struct norm *n)
{
    return n->shape.rows / (n->maps ? n->shape.per_sample : 1) * n->groups;
}

/* rstd[(row / 32 * groups + group) * 32 + row % 32], or (batch, groups) */
static float *rstd_of(const struct norm *n, long index)
{
    long row = index / n->groups, group = index % n->groups;

    if (n->maps)
        return n->rstd + index;
    return n->rstd + (row / 32 * n->groups + group) * 32 + row % 32;
}

static void forward_block(const struct norm *n, long index)
{
    struct block block = block_of(n, index);
    double count = (double)block.rows * (double)block.features;
    double mean = 0, squares = 0, rstd;

    EACH(block, r, f)
        mean += n->kind == RNET_NORM_RMS ? 0 : *at(&n->x, r, f) / count;
    EACH(block, r, f)
        squares += pow(*at(&n->x, r, f) - mean, 2);
    rstd = 1 / sqrt(squares / count + 0.5);
    EACH(block, r, f)
        n->acc[r * n->shape.features + f] = (*at(&n->x, r, f) - mean) * rstd;
    if (n->rstd)
        *rstd_of(n, index) = (float)rstd;
}

/* dx = rstd (g - mean g - xhat mean(g xhat)), g = gamma dy; RMS without the
 * mean */
static void backward_block(const struct norm *n, long index)
{
    struct block block = block_of(n, index);
    double count = (double)block.rows * (double)block.features;
    double mean = 0, product = 0;

    EACH(block, r, f) {
        double g = *at(&n->x, r, f) * (n->gamma ? n->gamma[f] : 1);

        mean += n->kind == RNET_NORM_RMS ? 0 : g / count;
        product += g * *at(&n->xhat, r, f) / count;
    }
    EACH(block, r, f)
        n->acc[r * n->shape.features + f] = *rstd_of(n, index)
            * (*at(&n->x, r, f) * (double)(n->gamma ? n->gamma[f] : 1) - mean
               - *at(&n->xhat, r, f) * product);
}

static long chunks_of(const struct norm *n)
{
    return n->maps ? n->shape.rows / n->shape.per_sample
                   : (n->shape.rows + 31) / 32;
}

static void book_sums(const struct norm *n)
{
    long features = n->shape.features;

    for (long i = 0; i < chunks_of(n) * 2 * features; i++)
        n->sums[i] = 0;
    for (long r = 0; r < n->shape.rows; r++)
        for (long f = 0; f < features; f++) {
            long chunk = r / (n->maps ? n->shape.per_sample : 32);
            float *line = n->sums + chunk * 2 * features;

            line[f] += *at(&n->x, r, f) * *at(&n->xhat, r, f);
            line[features + f] += *at(&n->x, r, f);
        }
}

/* rstd of lanes past the last row is anything: rows of a value in strips. */
static float *rstd_array(struct trial *t, const struct norm *n, int asked_for)
{
    struct value v = { .shape = strips(n->shape.rows, 1, n->groups),
                       .stride = n->groups };
    long count = n->maps ? blocks_of(n) : lines_of(v.shape) * 32 * n->groups;

    v.p = room(t, count, n->maps ? 4 : 64);
    if (n->maps && asked_for)
        return added_to(t, v.p, count);
    if (asked_for)
        result(t, v);
    for (long i = 0; !asked_for && i < blocks_of(n); i++) {
        struct norm with = *n;

        with.rstd = v.p;
        *rstd_of(&with, i) = whole(t, 1, 3);
    }
    return v.p;
}

static void forward(struct trial *t, struct norm *n)
{
    struct rnet_steps steps;

    n->x = given(t, n->shape, -3, 3);
    n->rstd = pick(t, 3) ? rstd_array(t, n, 1) : NULL;
    n->acc = accumulator(t, n->shape);
    steps = tail(t, n->shape);
    if (!t->book) {
        (n->maps ? rnet_norm_maps : rnet_norm_rows)(
            &t->run, rows_of(n->shape), n->shape.features, n->kind, n->groups,
            0.5f, n->x.p, n->x.stride, n->rstd, steps);
        return;
    }
    for (long i = 0; i < blocks_of(n); i++)
        forward_block(n, i);
    book_steps(t, steps, n->acc);
}

static void backward(struct trial *t, struct norm *n)
{
    long sums = chunks_of(n) * 2 * n->shape.features;
    struct rnet_steps steps;

    n->x = given(t, n->shape, -3, 3);
    n->xhat = given(t, n->shape, -2, 2);
    n->rstd = rstd_array(t, n, 0);
    n->gamma = pick(t, 2) ? params(t, n->shape.features, -2, 2) : NULL;
    n->sums = pick(t, 2) ? added_to(t, room(t, sums, 4), sums) : NULL;
    n->acc = accumulator(t, n->shape);
    steps = tail(t, n->shape);
    if (!t->book) {
        (n->maps ? rnet_norm_maps_grad : rnet_norm_rows_grad)(
            &t->run, rows_of(n->shape), n->shape.features, n->kind, n->groups,
            n->x.p, n->x.stride, n->xhat.p, n->xhat.stride, n->rstd, n->gamma,
            n->sums, steps);
        return;
    }
    for (long i = 0; i < blocks_of(n); i++)
        backward_block(n, i);
    if (n->sums)
        book_sums(n);
    book_steps(t, steps, n->acc);
}

/* layout, rows, features of a group, groups, RMS */
static struct norm over_rows(struct trial *t, const int *d)
{
    struct norm n = { .kind = d[4] ? RNET_NORM_RMS : RNET_NORM_LAYER,
                      .groups = d[3] };
    long per = d[1] && pick(t, 3) == 0 ? d[1] : d[1] % 2 == 0 && d[1] ? 2 : 1;

    t->run.batch = d[1] / per;
    n.shape = (struct shape) { (enum rnet_layout)d[0], d[1], per,
                               (long)d[2] * d[3] };
    return n;
}

static void norm_rows(struct trial *t, const int *d)
{
    struct norm n = over_rows(t, d);

    forward(t, &n);
}

static void norm_rows_grad(struct trial *t, const int *d)
{
    struct norm n = over_rows(t, d);

    backward(t, &n);
}

/* samples, pixels, channels of a group, groups, RMS */
static struct norm over_maps(struct trial *t, const int *d)
{
    struct norm n = { .kind = d[4] ? RNET_NORM_RMS : RNET_NORM_LAYER,
                      .groups = d[3], .maps = 1 };

    t->run.batch = d[0];
    n.shape = plain((long)d[0] * d[1], d[1], (long)d[2] * d[3]);
    return n;
}

static void norm_maps(struct trial *t, const int *d)
{
    struct norm n = over_maps(t, d);

    forward(t, &n);
}

static void norm_maps_grad(struct trial *t, const int *d)
{
    struct norm n = over_maps(t, d);

    backward(t, &n);
}

/* -------------------------------------------------------------- batch norm */

/* `each` lines of sums of each chunk; the second of three is of squares. */
static float *lines(struct trial *t, long features, long chunks, long each)
{
    float *sums = room(t, chunks * each * features, 4);

    for (long i = 0; i < chunks * each * features; i++)
        sums[i] = each == 3 && i / features % 3 == 1 ? whole(t, 60, 90)
                                                     : whole(t, -5, 5);
    return sums;
}

static double sum_of(const float *sums, long features, long chunks, long f)
{
    double sum = 0;

    for (long chunk = 0; chunk < chunks; chunk++)
        sum += sums[chunk * 2 * features + f];
    return sum;
}

/* Sums of x and of x^2, from those about each chunk's centre. */
static void about_zero(const float *sums, long features, long count, long chunk,
                       double *sum, double *squares)
{
    *sum = *squares = 0;
    for (long at = 0; at < count; at += chunk, sums += 3 * features) {
        double n = count - at < chunk ? count - at : chunk;
        double centre = sums[2 * features];

        *sum += sums[0] + n * centre;
        *squares += sums[features] + 2 * centre * sums[0]
                    + n * centre * centre;
    }
}

static float *maybe(struct trial *t, long features)
{
    return pick(t, 2) ? params(t, features, -3, 3) : NULL;
}

/* Whether running statistics stay, in one of five nests of holds. */
static int hold(const struct rnet_run *run, int way)
{
    if (way == 1 || way == 3)
        rnet_hold(run);
    if (way >= 2)
        rnet_begin_forward_only(run);
    if (way == 2 || way == 4) {
        rnet_hold(run);
        rnet_begin_forward_only(run);
        rnet_end_forward_only(run);
    }
    if (way == 4) {
        rnet_release(run);
        rnet_end_forward_only(run);
        rnet_hold(run);
    }
    return way % 2 == 1 || way == 4;
}

/* features, whole chunks, rows of each; one row more */
static void batch_norm(struct trial *t, const int *d)
{
    long n = d[0], count = (long)d[1] * d[2] + 1;
    const float *sums = lines(t, n, d[1] + 1, 3);
    float *gamma = maybe(t, n), *beta = maybe(t, n);
    float *mean = added_to(t, params(t, n, -2, 2), n);
    float *var = added_to(t, params(t, n, 1, 3), n);
    float *scale = written(t, n), *shift = written(t, n);
    float *saved = written(t, 2 * n);
    int held;

    held = hold(&t->run, pick(t, 5));
    if (!t->book) {
        rnet_batch_norm(&t->run, n, count, sums, d[2], gamma, beta, 0.25f,
                        0.125f, mean, var, scale, shift, saved);
        return;
    }
    for (long f = 0; f < n; f++) {
        double sum, squares, m, v, rstd;

        about_zero(sums + f, n, count, d[2], &sum, &squares);
        m = sum / count;
        v = fmax(squares / count - m * m, 0);
        rstd = 1 / sqrt(v + 0.25);
        if (!held) {
            mean[f] = (float)(0.875 * mean[f] + 0.125 * m);
            var[f] = (float)(0.875 * var[f]
                             + 0.125 * v * count / (count - 1));
        }
        scale[f] = (float)((gamma ? gamma[f] : 1) * rstd);
        shift[f] = (float)((beta ? beta[f] : 0)
                           - m * (gamma ? gamma[f] : 1) * rstd);
        saved[f] = (float)m;
        saved[n + f] = (float)rstd;
    }
}

/* features */
static void batch_norm_infer(struct trial *t, const int *d)
{
    long n = d[0];
    float *gamma = maybe(t, n), *beta = maybe(t, n);
    float *mean = params(t, n, -2, 2), *var = params(t, n, 0, 3);
    float *scale = written(t, n), *shift = written(t, n);

    if (!t->book) {
        rnet_batch_norm_infer(&t->run, n, gamma, beta, 0.25f, mean, var, scale,
                              shift);
        return;
    }
    for (long f = 0; f < n; f++) {
        double factor = (gamma ? gamma[f] : 1) / sqrt(var[f] + 0.25);

        scale[f] = (float)factor;
        shift[f] = (float)((beta ? beta[f] : 0) - mean[f] * factor);
    }
}

/* a dy + b x + c = gamma rstd (dy - mean dy
 *                              - (x - m) rstd^2 mean(dy (x - m))) */
static void batch_norm_grad(struct trial *t, const int *d)
{
    long n = d[0], count = (long)d[1] * d[2] + 1;
    const float *sums = lines(t, n, d[1] + 1, 2);
    float *gamma = maybe(t, n), *saved = params(t, 2 * n, 1, 3);
    float *dgamma = maybe(t, n), *dbeta = maybe(t, n);
    float *a = written(t, n), *b = written(t, n), *c = written(t, n);

    if (dgamma)
        added_to(t, dgamma, n);
    if (dbeta)
        added_to(t, dbeta, n);
    if (!t->book) {
        rnet_batch_norm_grad(&t->run, n, count, sums, d[2], gamma, saved,
                             dgamma, dbeta, a, b, c);
        return;
    }
    for (long f = 0; f < n; f++) {
        double dy = sum_of(sums, n, d[1] + 1, f), rstd = saved[n + f];
        double product = sum_of(sums, n, d[1] + 1, n + f);
        double factor = (gamma ? gamma[f] : 1) * rstd;
        double by = factor * rstd * rstd * product / count;

        if (dgamma)
            dgamma[f] += (float)(product * rstd);
        if (dbeta)
            dbeta[f] += (float)dy;
        a[f] = (float)factor;
        b[f] = (float)-by;
        c[f] = (float)(by * saved[f] - factor * dy / count);
    }
}

static const int rows[] = { 0, 1, 2, 5, 31, 32, 33, 64, 97, -1 };
static const int groups[] = { 1, 2, 3, 8, -1 };
static const int samples[] = { 0, 1, 2, 5, -1 };
static const int pixels[] = { 1, 2, 9, 49, -1 };
static const int chunks[] = { 1, 2, 33, 300, -1 };

const struct kernel norm_kernels[] = {
    { "rnet_norm_rows", norm_rows, 1, 1e-5,
      { layouts, rows, around, groups, bits },
      { { RNET_PLAIN, 34, 21, 1, 0 }, { RNET_STRIPS, 34, 7, 3, 0 } } },
    { "rnet_norm_rows_grad", norm_rows_grad, 1, 1e-5,
      { layouts, rows, around, groups, bits },
      { { RNET_PLAIN, 34, 21, 1, 0 }, { RNET_STRIPS, 34, 7, 3, 0 } } },
    { "rnet_norm_maps", norm_maps, 1, 1e-5,
      { samples, pixels, around, groups, bits },
      { { 2, 9, 7, 3, 0 }, { 2, 9, 16, 2, 0 } } },
    { "rnet_norm_maps_grad", norm_maps_grad, 1, 1e-5,
      { samples, pixels, around, groups, bits },
      { { 2, 9, 7, 3, 0 }, { 2, 9, 16, 2, 0 } } },
    { "rnet_batch_norm", batch_norm, 0, 2e-6, { around, chunks, few },
      { { 0 } } },
    { "rnet_batch_norm_infer", batch_norm_infer, 0, 2e-6, { around },
      { { 0 } } },
    { "rnet_batch_norm_grad", batch_norm_grad, 0, 2e-6,
      { around, chunks, few }, { { 0 } } },
    { NULL, NULL, 0, 0, { NULL }, { { 0 } } },
};
