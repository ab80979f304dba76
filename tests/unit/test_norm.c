/* test_norm.c: the norms against textbook loops in double, for every
 * instruction set and both layouts; the gradients against differences of
 * these loops' formulas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "values.h"

#define EPSILON 1e-5f
#define WORKERS 7

/* One norm of a value: over rows, or over maps. */
struct norm {
    struct rnet_rows rows;
    long features, groups;
    enum rnet_norm kind;
    int maps;
    struct rnet_run run;
    struct rnet_work work;
    struct value x, dy, xhat;           /* xhat: the truth */
    struct array gamma;
    double *truth, *slope, *mean, *rstd;        /* (rows, features), plain;
                                                   (rows, groups) */
};

static double fraction(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (double)(int32_t)random_state / 2147483648.0;
}

static float *at(const struct norm *n, const struct value *v, long row, long f)
{
    return v->p + place(n->rows.layout, v->stride, row, f);
}

static int same_block(const struct norm *n, long row, long other)
{
    return n->maps ? row / n->rows.rows_per_sample
                         == other / n->rows.rows_per_sample : row == other;
}

/* Rows normalised together with `row`: [first, last). */
static void block(const struct norm *n, long row, long *first, long *last)
{
    long each = n->maps ? n->rows.rows_per_sample : 1;

    *first = row / each * each;
    *last = *first + each;
    assert_true(same_block(n, row, *first));
}

static void truth_of_block(struct norm *n, long first, long last, long group)
{
    long width = n->features / n->groups;
    double count = (double)(last - first) * (double)width;
    double mean = 0, var = 0, g_mean = 0, product = 0, rstd;

    for (long r = first; r < last; r++)
        for (long f = group * width; f < (group + 1) * width; f++)
            mean += n->kind == RNET_NORM_RMS ? 0 : *at(n, &n->x, r, f) / count;
    for (long r = first; r < last; r++)
        for (long f = group * width; f < (group + 1) * width; f++)
            var += pow(*at(n, &n->x, r, f) - mean, 2) / count;
    rstd = 1 / sqrt(var + (double)EPSILON);
    for (long r = first; r < last; r++)
        for (long f = group * width; f < (group + 1) * width; f++) {
            double g = (double)n->gamma.p[f] * *at(n, &n->dy, r, f);
            double xhat = (*at(n, &n->x, r, f) - mean) * rstd;

            n->truth[r * n->features + f] = xhat;
            *at(n, &n->xhat, r, f) = (float)xhat;
            g_mean += n->kind == RNET_NORM_RMS ? 0 : g / count;
            product += g * xhat / count;
        }
    for (long r = first; r < last; r++) {
        n->rstd[r * n->groups + group] = rstd;
        for (long f = group * width; f < (group + 1) * width; f++)
            n->slope[r * n->features + f] =
                rstd * ((double)n->gamma.p[f] * *at(n, &n->dy, r, f) - g_mean
                        - n->truth[r * n->features + f] * product);
    }
}

static double *doubles(long count)
{
    double *p = calloc((size_t)count, sizeof *p);

    assert_non_null(p);
    return p;
}

static void make(struct norm *n, double offset)
{
    long rows = n->rows.rows, first, last;

    n->x = value(n->rows, n->features, 1);
    n->dy = value(n->rows, n->features, 1);
    n->xhat = value(n->rows, n->features, 0);
    n->gamma = array(n->features, 1);
    n->truth = doubles(rows * n->features);
    n->slope = doubles(rows * n->features);
    n->rstd = doubles(rows * n->groups);
    n->run.worker_floats = RNET_WORKER_FLOATS;
    n->run.workers = rnet_alloc(WORKERS * RNET_WORKER_FLOATS);
    for (long r = 0; r < rows; r++)
        for (long f = 0; f < n->features; f++) {
            *at(n, &n->x, r, f) = (float)(offset + fraction());
            *at(n, &n->dy, r, f) = (float)fraction();
        }
    for (long r = 0; r < rows; r = last) {
        block(n, r, &first, &last);
        for (long group = 0; group < n->groups; group++)
            truth_of_block(n, first, last, group);
    }
}

static void drop(struct norm *n)
{
    rnet_free(n->x.array.all);
    rnet_free(n->dy.array.all);
    rnet_free(n->xhat.array.all);
    rnet_free(n->gamma.all);
    rnet_free(n->run.workers);
    free(n->truth);
    free(n->slope);
    free(n->rstd);
}

static void close_to(const char *what, int isa, const struct norm *n,
                     const struct value *y, const double *truth, double limit)
{
    for (long r = 0; r < n->rows.rows; r++)
        for (long f = 0; f < n->features; f++) {
            double t = truth[r * n->features + f];
            double got = *at(n, y, r, f);
            double scale = n->rstd[r * n->groups
                                   + f / (n->features / n->groups)];

            /* the mean is a float: half a unit of it, times rstd */
            if (!(fabs(got - t) <= limit * (1 + fabs(t)) + 1e-7 * scale))
                fail_msg("%s, %s: %ld x %ld, %ld groups, kind %d, layout %d, "
                         "(%ld, %ld): %.9g, not %.9g", names[isa], what,
                         n->rows.rows, n->features, n->groups, n->kind,
                         n->rows.layout, r, f, got, t);
        }
    if (!intact(n->rows, n->features, y))
        fail_msg("%s, %s: wrote outside", names[isa], what);
}

/* Where rstd of (row, group) lies. */
static long rstd_at(const struct norm *n, long row, long group)
{
    if (n->maps)
        return row / n->rows.rows_per_sample * n->groups + group;
    return (row / 32 * n->groups + group) * 32 + row % 32;
}

static struct array rstds(const struct norm *n)
{
    return array((n->rows.rows + 31) / 32 * 32 * n->groups, 0);
}

static struct rnet_step store(const struct value *y)
{
    return (struct rnet_step) { .op = RNET_STORE, .kind = RNET_FULL,
                                .x = y->p, .stride = y->stride };
}

/* A sum rides on the tail too: of acc, by chunks of the steps. */
static void call(struct norm *n, struct rnet_step *step, float *rstd)
{
    struct rnet_steps tail = { step, 2 };

    if (n->maps)
        rnet_norm_maps(&n->run, n->rows, n->features, n->kind, n->groups,
                       EPSILON, n->x.p, n->x.stride, rstd, tail);
    else
        rnet_norm_rows(&n->run, n->rows, n->features, n->kind, n->groups,
                       EPSILON, n->x.p, n->x.stride, rstd, tail);
}

static void call_grad(struct norm *n, struct rnet_step *step,
                      const float *rstd, float *sums)
{
    struct rnet_steps tail = { step, 2 };

    if (n->maps)
        rnet_norm_maps_grad(&n->run, n->rows, n->features, n->kind, n->groups,
                            n->dy.p, n->dy.stride, n->xhat.p, n->xhat.stride,
                            rstd, n->gamma.p, sums, tail);
    else
        rnet_norm_rows_grad(&n->run, n->rows, n->features, n->kind, n->groups,
                            n->dy.p, n->dy.stride, n->xhat.p, n->xhat.stride,
                            rstd, n->gamma.p, sums, tail);
}

static long step_chunk(const struct norm *n, long row)
{
    return n->rows.layout == RNET_STRIPS ? row / 32
                                         : row / n->rows.rows_per_sample;
}

/* The tail's sums are those of what it stored. */
static void check_tail_sums(const struct norm *n, int isa,
                            const struct value *y, const struct array *sums)
{
    double *truth = doubles(sums->count);

    for (long r = 0; r < n->rows.rows; r++)
        for (long f = 0; f < n->features; f++)
            truth[step_chunk(n, r) * n->features + f] += *at(n, y, r, f);
    for (long i = 0; i < sums->count; i++)
        if (!(fabs(sums->p[i] - truth[i]) <= 1e-4))
            fail_msg("%s: tail's sum %ld is %g, not %g", names[isa], i,
                     (double)sums->p[i], truth[i]);
    free(truth);
}

/* Lines sum dy xhat and sum dy. */
static void check_lines(const struct norm *n, int isa,
                        const struct array *sums)
{
    double *truth = doubles(sums->count);

    for (long r = 0; r < n->rows.rows; r++)
        for (long f = 0; f < n->features; f++) {
            long chunk = n->maps ? r / n->rows.rows_per_sample : r / 32;
            double dy = *at(n, &n->dy, r, f);
            double *line = truth + chunk * 2 * n->features;

            line[f] += dy * n->truth[r * n->features + f];
            line[n->features + f] += dy;
        }
    for (long i = 0; i < sums->count; i++)
        if (!(fabs(sums->p[i] - truth[i]) <= 1e-4))
            fail_msg("%s: %ld x %ld, layout %d, line %ld is %g, not %g",
                     names[isa], n->rows.rows, n->features, n->rows.layout, i,
                     (double)sums->p[i], truth[i]);
    free(truth);
}

static void check_on(struct norm *n, int isa, double limit)
{
    long chunks = step_chunk(n, n->rows.rows - 1) + 1;
    long lines = n->maps ? n->rows.rows / n->rows.rows_per_sample
                         : (n->rows.rows + 31) / 32;
    struct value y = value(n->rows, n->features, 0);
    struct value dx = value(n->rows, n->features, 0);
    struct array rstd = rstds(n), tail = array(chunks * n->features, 0);
    struct array sums = array(lines * 2 * n->features, 0);
    struct rnet_step step[2] = {
        store(&y), { .op = RNET_SUM, .sums = tail.p },
    };

    call(n, step, rstd.p);
    close_to("forward", isa, n, &y, n->truth, limit);
    check_tail_sums(n, isa, &y, &tail);
    for (long r = 0; r < n->rows.rows; r++)
        for (long g = 0; g < n->groups; g++) {
            double t = n->rstd[r * n->groups + g];

            assert_true(fabs(rstd.p[rstd_at(n, r, g)] - t)
                        <= (limit + 1e-5) * t);
        }
    step[0] = store(&dx);
    call_grad(n, step, rstd.p, sums.p);
    close_to("gradient", isa, n, &dx, n->slope, 3 * limit + 3e-5);
    check_tail_sums(n, isa, &dx, &tail);
    check_lines(n, isa, &sums);
    rnet_free(y.array.all);
    rnet_free(dx.array.all);
    rnet_free(rstd.all);
    rnet_free(tail.all);
    rnet_free(sums.all);
}

static void check(struct norm n, double offset, double limit)
{
    make(&n, offset);
    for (int isa = 0; isa < RNET_ISAS; isa++)
        if (use(isa))
            check_on(&n, isa, limit);
    drop(&n);
}

static void rows(void **state)
{
    (void)state;
    for (int i = 0; i < SIZES; i++)
        for (int j = 0; j < SIZES; j++)
            for (int k = 0; k < 4; k++) {
                long sample = k & 2 || sizes[i] % 3 ? 1 : 3;

                if (sizes[j] < 2)
                    continue;
                check((struct norm) {
                    .rows = { k & 1 ? RNET_STRIPS : RNET_PLAIN, sizes[i],
                              sample },
                    .features = sizes[j], .groups = 1,
                    .kind = k & 2 ? RNET_NORM_RMS : RNET_NORM_LAYER,
                }, 0.5, 1e-5);
            }
}

static void groups_of_rows(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++)
        for (long groups = 2; groups <= 10; groups += 4)
            check((struct norm) {
                .rows = { k & 1 ? RNET_STRIPS : RNET_PLAIN, 70, 35 },
                .features = groups * (k & 2 ? 5 : 40), .groups = groups,
            }, 0.5, 1e-5);
}

static void maps(void **state)
{
    static const int shapes[][3] = {    /* pixels, features, groups */
        { 1, 16, 2 }, { 49, 12, 3 }, { 64, 64, 8 }, { 100, 66, 33 },
        { 200, 20, 1 }, { 9, 300, 2 }, { 65, 130, 65 },
    };

    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++)
        for (int kind = 0; kind < 2; kind++)
            check((struct norm) {
                .rows = { RNET_PLAIN, 3 * shapes[k][0], shapes[k][0] },
                .features = shapes[k][1], .groups = shapes[k][2],
                .kind = (enum rnet_norm)kind, .maps = 1,
            }, 0.5, 2e-5);
}

/* mean / standard deviation = 1,700: x keeps 13 bits, all of them count. */
static void far_from_zero(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++)
        check((struct norm) {
            .rows = { k == 1 ? RNET_STRIPS : RNET_PLAIN, 128, 64 },
            .features = 512, .groups = 1, .maps = k == 2,
        }, 1000, 3e-4);
}

/* A constant row has xhat 0. */
static void constant_rows(void **state)
{
    (void)state;
    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (int layout = 0; layout < 2 && use(isa); layout++) {
            struct rnet_rows rows = { (enum rnet_layout)layout, 3, 1 };
            struct value x = value(rows, 40, 1), y = value(rows, 40, 0);
            struct rnet_step step = store(&y);
            struct rnet_run run = { 0 };

            for (long r = 0; r < 3; r++)
                for (long f = 0; f < 40; f++)
                    x.p[place(rows.layout, x.stride, r, f)] = 1234.56f;
            rnet_norm_rows(&run, rows, 40, RNET_NORM_LAYER, 1, EPSILON, x.p,
                           x.stride, NULL, (struct rnet_steps) { &step, 1 });
            for (long r = 0; r < 3; r++)
                for (long f = 0; f < 40; f++)
                    assert_true(y.p[place(rows.layout, y.stride, r, f)] == 0);
            rnet_free(x.array.all);
            rnet_free(y.array.all);
        }
}

/* ------------------------------------------------------------- batch norm */

/* Mean 300 and deviation 1, the running mean far. */
static void batch_norm(void **state)
{
    enum { ROWS = 96, SAMPLE = 16, FEATURES = 70, CHUNKS = ROWS / SAMPLE };
    struct rnet_rows rows = { RNET_PLAIN, ROWS, SAMPLE };
    struct value x = value(rows, FEATURES, 1), y = value(rows, FEATURES, 0);
    struct value dy = value(rows, FEATURES, 1), dx = value(rows, FEATURES, 0);
    struct array gamma = array(FEATURES, 1), beta = array(FEATURES, 1);
    float sums[CHUNKS * 3 * FEATURES], saved[2 * FEATURES];
    float mean[FEATURES], var[FEATURES], scale[FEATURES], shift[FEATURES];
    float dgamma[FEATURES], dbeta[FEATURES];
    float a[FEATURES], b[FEATURES], c[FEATURES];
    struct rnet_run run = { 0 };

    (void)state;
    for (long f = 0; f < FEATURES; f++) {
        mean[f] = 2;
        var[f] = 2;
        dgamma[f] = dbeta[f] = 1;
        for (long r = 0; r < ROWS; r++)
            x.p[r * x.stride + f] = (float)(300 + fraction());
    }
    struct rnet_step load = { .op = RNET_LOAD, .kind = RNET_FULL, .x = x.p,
                              .stride = x.stride };
    struct rnet_step forward[] = {
        load, { .op = RNET_SUM_MOMENTS, .sums = sums },
    };
    struct rnet_step apply[] = {
        load, { .op = RNET_AFFINE, .a = scale, .b = shift }, store(&y),
    };
    struct rnet_step load_dy = { .op = RNET_LOAD, .kind = RNET_FULL,
                                 .x = dy.p, .stride = dy.stride };
    struct rnet_step back[] = { load_dy, load }, last[] = {
        load_dy, load, store(&dx),
    };

    back[1].op = RNET_SUM_CENTRED;
    back[1].b = saved;
    back[1].sums = sums;
    last[1].op = RNET_AFFINE2;
    last[1].a = a;
    last[1].b = b;
    last[1].c = c;
    rnet_point(&run, rows, FEATURES, (struct rnet_steps) { forward, 2 });
    rnet_batch_norm(&run, FEATURES, ROWS, sums, SAMPLE, gamma.p, beta.p,
                    EPSILON, 0.1f, mean, var, scale, shift, saved);
    rnet_point(&run, rows, FEATURES, (struct rnet_steps) { apply, 3 });
    rnet_point(&run, rows, FEATURES, (struct rnet_steps) { back, 2 });
    rnet_batch_norm_grad(&run, FEATURES, ROWS, sums, SAMPLE, gamma.p, saved,
                         dgamma, dbeta, a, b, c);
    rnet_point(&run, rows, FEATURES, (struct rnet_steps) { last, 3 });
    for (long f = 0; f < FEATURES; f++) {
        double m = 0, v = 0, g = 0, gx = 0, rstd;

        for (long r = 0; r < ROWS; r++)
            m += (double)x.p[r * x.stride + f] / ROWS;
        for (long r = 0; r < ROWS; r++)
            v += pow(x.p[r * x.stride + f] - m, 2) / ROWS;
        rstd = 1 / sqrt(v + (double)EPSILON);
        for (long r = 0; r < ROWS; r++) {
            double d = dy.p[r * dy.stride + f];
            double xhat = (x.p[r * x.stride + f] - m) * rstd;

            g += d;
            gx += d * xhat;
            assert_true(fabs(y.p[r * y.stride + f]
                             - (xhat * (double)gamma.p[f]
                                + (double)beta.p[f])) < 1e-3);
        }
        for (long r = 0; r < ROWS; r++) {
            double xhat = (x.p[r * x.stride + f] - m) * rstd;
            double t = (double)gamma.p[f] * rstd
                       * (dy.p[r * dy.stride + f] - g / ROWS
                          - xhat * gx / ROWS);

            assert_true(fabs(dx.p[r * dx.stride + f] - t) < 1e-3);
        }
        assert_true(fabs(saved[f] - m) < 1e-4);
        assert_true(fabs(saved[FEATURES + f] - rstd) < 1e-5 * rstd);
        assert_true(fabs(mean[f] - (2 * 0.9 + m * 0.1)) < 1e-4);
        assert_true(fabs(var[f] - (2 * 0.9 + v * ROWS / (ROWS - 1) * 0.1))
                    < 1e-6);
        assert_true(fabs(dgamma[f] - (1 + gx)) < 1e-2);
        assert_true(fabs(dbeta[f] - (1 + g)) < 1e-4);
    }
    rnet_batch_norm_infer(&run, FEATURES, gamma.p, beta.p, EPSILON, mean, var,
                          scale, shift);
    for (long f = 0; f < FEATURES; f++) {
        double s = (double)gamma.p[f] / sqrt((double)var[f] + (double)EPSILON);

        assert_true(fabs(scale[f] - s) <= 1e-6 * fabs(s));
        assert_true(fabs(shift[f] - ((double)beta.p[f] - mean[f] * s))
                    <= 1e-6 * fabs(mean[f] * s));
    }
    rnet_free(x.array.all);
    rnet_free(y.array.all);
    rnet_free(dy.array.all);
    rnet_free(dx.array.all);
    rnet_free(gamma.all);
    rnet_free(beta.all);
}

/* The same bits in any order of tasks. */
static void orders(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) {
        struct norm n = { .rows = { k == 1 ? RNET_STRIPS : RNET_PLAIN, 400, 50 },
                          .features = 96, .groups = 4, .maps = k == 2 };
        struct value y[4];

        make(&n, 0.5);
        use(RNET_ISAS - 1);
        for (long i = 0; i < 4; i++) {
            struct array tail = array(13 * 96, 0);

            y[i] = value(n.rows, 96, 0);
            struct rnet_step step[2] = {
                store(&y[i]), { .op = RNET_SUM, .sums = tail.p },
            };
            n.work = (struct rnet_work) { .parallel_for = play, .user = &i,
                                          .workers = WORKERS };
            n.run.work = i ? &n.work : NULL;
            call(&n, step, NULL);
            assert_true(same_value(n.rows, 96, &y[0], &y[i], 0));
            rnet_free(tail.all);
        }
        for (int i = 0; i < 4; i++)
            rnet_free(y[i].array.all);
        drop(&n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(groups_of_rows),
        cmocka_unit_test(maps),
        cmocka_unit_test(far_from_zero),
        cmocka_unit_test(constant_rows),
        cmocka_unit_test(batch_norm),
        cmocka_unit_test(orders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
