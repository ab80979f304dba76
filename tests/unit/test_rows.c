/* test_rows.c: dense layers, embeddings and packing, each instruction set
 * against products written out here.  Data are small whole numbers, so that
 * every order of summation gives the same float. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/isa.h"
#include "../../runtime/rnet_kernels.h"

static const int sizes[] = { 1, 2, 3, 13, 14, 15, 16, 17, 31, 32, 33, 63, 64,
                             65, 100 };
#define SIZES ((int)(sizeof sizes / sizeof sizes[0]))
#define MOST_WORKERS 7

/* ------------------------------------------------------ numbers and values */

static uint32_t random_state = 1;

/* -4 ... 4 */
static float whole(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (float)((int)(random_state >> 16) % 9 - 4);
}

/* Any float in (-1, 1). */
static float fraction(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (float)(int32_t)random_state / 2147483648.0f;
}

static float *numbers(long count, float (*next)(void))
{
    float *p = rnet_alloc((size_t)count + 1);
    assert_non_null(p);
    for (long i = 0; i < count; i++)
        p[i] = next();
    return p;
}

static long strips_of(long rows)
{
    return (rows + 31) / 32;
}

static long at(long row, long feature, long stride)
{
    return (row / 32 * stride + feature) * 32 + row % 32;
}

/* A value in strips: `features` of `stride`, starting at feature `first`; NaN
 * everywhere else, lanes past the last row too. */
struct value { float *all, *p; long rows, features, stride, first; };

static struct value nans(long rows, long features, long extra)
{
    struct value v = { .rows = rows, .features = features,
                       .stride = features + extra, .first = extra / 2 };
    long count = strips_of(rows) * v.stride * 32;
    v.all = rnet_alloc((size_t)count + 1);
    assert_non_null(v.all);
    for (long i = 0; i < count; i++)
        v.all[i] = NAN;
    v.p = v.all + v.first * 32;
    return v;
}

/* ... whose elements are those of the plain (rows, features) array. */
static struct value value(const float *plain, long rows, long features,
                          long extra)
{
    struct value v = nans(rows, features, extra);
    for (long r = 0; r < rows; r++)
        for (long f = 0; f < features; f++)
            v.p[at(r, f, v.stride)] = plain[r * features + f];
    return v;
}

/* Elements are those of the plain array and nothing lies beside the slice. */
static void assert_value(const struct value *v, const float *plain,
                         const char *what)
{
    for (long r = 0; r < v->rows; r++)
        for (long f = 0; f < v->stride; f++) {
            float got = v->all[at(r, f, v->stride)];
            long i = f - v->first;
            if (i < 0 || i >= v->features) {
                if (!isnan(got))
                    fail_msg("%s: wrote beside the slice", what);
            } else if (got != plain[r * v->features + i]) {
                fail_msg("%s: row %ld feature %ld is %g, not %g", what, r, i,
                         (double)got, (double)plain[r * v->features + i]);
            }
        }
}

/* [out, in] in panels, padding `pad`. */
static float *panels(const float *w, long out, long in, float pad)
{
    long floats = strips_of(in) * out * 32;
    float *p = rnet_alloc((size_t)floats);
    assert_non_null(p);
    for (long i = 0; i < floats; i++)
        p[i] = pad;
    for (long o = 0; o < out; o++)
        for (long i = 0; i < in; i++)
            p[at(i, o, out)] = w[o * in + i];
    return p;
}

/* ------------------------------------------------------------------ calls */

/* Plays the tasks in an order of its own, worker by worker in turn. */
struct player { long step; };

static void play(void *user, long tasks, rnet_task *task, void *context)
{
    long step = ((struct player *)user)->step % tasks, index = 0;
    char *done = calloc((size_t)tasks, 1);
    assert_non_null(done);
    for (long i = 0; i < tasks; i++) {
        while (done[index])
            index = (index + 1) % tasks;
        done[index] = 1;
        task(context, index, (int)(i % MOST_WORKERS));
        index = (index + step) % tasks;
    }
    free(done);
}

struct call { struct rnet_work work; struct rnet_run run; };

static void set_up(struct call *call, long batch)
{
    memset(call, 0, sizeof *call);
    call->run.work = &call->work;
    call->run.batch = batch;
    call->run.worker_floats = RNET_WORKER_FLOATS;
    call->run.workers = rnet_alloc((size_t)RNET_WORKER_FLOATS * MOST_WORKERS);
    assert_non_null(call->run.workers);
    for (long i = 0; i < (long)RNET_WORKER_FLOATS * MOST_WORKERS; i++)
        call->run.workers[i] = NAN;
}

static void tear_down(struct call *call)
{
    rnet_free(call->run.workers);
}

/* Tests run for each instruction set that the CPU has. */
static int use(int isa)
{
    return rnet_isa_use((enum rnet_isa)isa) == (enum rnet_isa)isa;
}

/* --------------------------------------------------------- textbook loops */

static float *product(const float *x, const float *w, long rows, long in,
                      long out)
{
    float *y = rnet_alloc((size_t)(rows * out));
    assert_non_null(y);
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < out; o++)
            for (long i = 0; i < in; i++)
                y[r * out + o] += x[r * in + i] * w[o * in + i];
    return y;
}

static float *input_product(const float *dy, const float *w, long rows,
                            long in, long out)
{
    float *dx = rnet_alloc((size_t)(rows * in));
    assert_non_null(dx);
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < out; o++)
            for (long i = 0; i < in; i++)
                dx[r * in + i] += dy[r * out + o] * w[o * in + i];
    return dx;
}

static void add_weight_product(float *dw, float *db, const float *dy,
                               const float *x, long rows, long in, long out)
{
    for (long r = 0; r < rows; r++)
        for (long o = 0; o < out; o++) {
            db[o] += dy[r * out + o];
            for (long i = 0; i < in; i++)
                dw[o * in + i] += dy[r * out + o] * x[r * in + i];
        }
}

/* ------------------------------------------------------------------ tails */

enum { TAILS = 11, STEPS = 6 };

/* What a tail works on, as plain arrays and in strips. */
struct tail {
    long rows, features;
    float *bias, *residual, *mask, *old;        /* plain */
    struct value residual_value, mask_value, out, second;
    float *sums, *sums_all;
    struct rnet_step step[STEPS];
    struct rnet_steps steps;
};

static void tail_make(struct tail *tail, long rows, long features)
{
    memset(tail, 0, sizeof *tail);
    tail->rows = rows;
    tail->features = features;
    tail->bias = numbers(features, whole);
    tail->residual = numbers(rows * features, whole);
    tail->mask = numbers(rows * features, whole);
    tail->old = numbers(rows * features, whole);
    tail->residual_value = value(tail->residual, rows, features, 1);
    tail->mask_value = value(tail->mask, rows, features, 4);
    tail->out = value(tail->old, rows, features, 3);
    tail->second = nans(rows, features, 0);
    tail->sums = numbers(strips_of(rows) * features, fraction);
    tail->sums_all = numbers(strips_of(rows), fraction);
}

static void tail_free(struct tail *tail)
{
    rnet_free(tail->bias);
    rnet_free(tail->residual);
    rnet_free(tail->mask);
    rnet_free(tail->old);
    rnet_free(tail->residual_value.all);
    rnet_free(tail->mask_value.all);
    rnet_free(tail->out.all);
    rnet_free(tail->second.all);
    rnet_free(tail->sums);
    rnet_free(tail->sums_all);
}

static struct rnet_step step_on(enum rnet_op op, const struct value *v)
{
    return (struct rnet_step) { .op = op, .kind = RNET_FULL, .x = v->p,
                                .stride = v->stride };
}

static void tail_steps(struct tail *tail, int which)
{
    const struct rnet_step bias = { .op = RNET_ADD, .kind = RNET_FEATURE,
                                    .x = tail->bias };
    const struct rnet_step relu = { .op = RNET_RELU };
    const struct rnet_step twice = { .op = RNET_MUL, .kind = RNET_CONST,
                                     .value = 2 };
    const struct rnet_step sum = { .op = RNET_SUM, .sums = tail->sums };
    const struct rnet_step all = { .op = RNET_SUM_ALL,
                                   .sums = tail->sums_all };
    const struct rnet_step add = step_on(RNET_ADD, &tail->residual_value);
    const struct rnet_step own = step_on(RNET_ADD, &tail->out);
    const struct rnet_step mask = step_on(RNET_RELU_GRAD, &tail->mask_value);
    const struct rnet_step store = step_on(RNET_STORE, &tail->out);
    const struct rnet_step keep = step_on(RNET_STORE, &tail->second);
    const struct rnet_step more = step_on(RNET_ACCUMULATE, &tail->out);
    const struct rnet_step all_tails[TAILS][STEPS] = {
        { store }, { bias, store }, { bias, add, relu, store },
        { bias, own, store }, { mask, store }, { mask, add, store },
        { own, mask, add, store }, { more }, { twice, bias, store },
        { bias, keep, relu, sum, store }, { add, all, sum, twice, more }
    };
    static const int counts[TAILS] = { 1, 2, 4, 3, 2, 3, 4, 1, 3, 5, 5 };

    memcpy(tail->step, all_tails[which], sizeof tail->step);
    tail->steps = (struct rnet_steps) { tail->step, counts[which] };
}

/* Element i of the result when acc is `acc`; what SUM sees in *seen. */
static float tail_result(const struct tail *tail, int which, float acc, long i,
                         float *seen)
{
    float bias = tail->bias[i % tail->features], add = tail->residual[i];
    float old = tail->old[i], masked = tail->mask[i] > 0 ? acc : 0;
    float own = tail->mask[i] > 0 ? acc + old : 0;
    float biased = acc + bias, rectified = fmaxf(biased, 0);
    const float results[TAILS] = {
        acc, biased, fmaxf(biased + add, 0), biased + old, masked,
        masked + add, own + add, acc + old, acc * 2 + bias, rectified,
        (acc + add) * 2 + old
    };

    *seen = which == TAILS - 1 ? acc + add : rectified;
    return results[which];
}

/* Everything the tail should have left behind, from the plain acc. */
static void tail_check(const struct tail *tail, int which, const float *acc,
                       const char *what)
{
    long count = tail->rows * tail->features;
    float *result = rnet_alloc((size_t)count);
    float *lines = rnet_alloc((size_t)(strips_of(tail->rows)
                                       * (tail->features + 1)));
    float *all = lines + strips_of(tail->rows) * tail->features;

    assert_non_null(result);
    assert_non_null(lines);
    for (long i = 0; i < count; i++) {
        long strip = i / tail->features / 32;
        float seen;
        result[i] = tail_result(tail, which, acc[i], i, &seen);
        lines[strip * tail->features + i % tail->features] += seen;
        all[strip] += seen;
    }
    assert_value(&tail->out, result, what);
    for (long i = 0; which >= 9 && i < all - lines; i++)
        if (tail->sums[i] != lines[i])
            fail_msg("%s: sum %ld is %g, not %g", what, i,
                     (double)tail->sums[i], (double)lines[i]);
    for (long i = 0; which == 10 && i < strips_of(tail->rows); i++)
        assert_true(tail->sums_all[i] == all[i]);
    rnet_free(result);
    rnet_free(lines);
}

/* --------------------------------------------------------- dense products */

struct dense {
    long rows, in, out;
    float *x, *w, *dy;          /* plain */
    float *y, *dx;              /* plain products */
    float *panels;
    struct value xs, dys;
};

static void dense_make(struct dense *d, long rows, long in, long out)
{
    d->rows = rows;
    d->in = in;
    d->out = out;
    d->x = numbers(rows * in, whole);
    d->w = numbers(out * in, whole);
    d->dy = numbers(rows * out, whole);
    d->y = product(d->x, d->w, rows, in, out);
    d->dx = input_product(d->dy, d->w, rows, in, out);
    d->panels = panels(d->w, out, in, NAN);
    d->xs = value(d->x, rows, in, 2);
    d->dys = value(d->dy, rows, out, 3);
}

static void dense_free(struct dense *d)
{
    rnet_free(d->x);
    rnet_free(d->w);
    rnet_free(d->dy);
    rnet_free(d->y);
    rnet_free(d->dx);
    rnet_free(d->panels);
    rnet_free(d->xs.all);
    rnet_free(d->dys.all);
}

static void check_linear(struct call *call, const struct dense *d, int which,
                         const char *what)
{
    struct tail tail;
    tail_make(&tail, d->rows, d->out);
    tail_steps(&tail, which);
    rnet_linear(&call->run, d->rows, d->in, d->out, d->xs.p, d->xs.stride,
                d->panels, tail.steps);
    tail_check(&tail, which, d->y, what);
    tail_free(&tail);
}

static void check_grad_input(struct call *call, const struct dense *d,
                             int which, const char *what)
{
    struct tail tail;
    tail_make(&tail, d->rows, d->in);
    tail_steps(&tail, which);
    rnet_linear_grad_input(&call->run, d->rows, d->in, d->out, d->dys.p,
                           d->dys.stride, d->panels, tail.steps);
    tail_check(&tail, which, d->dx, what);
    tail_free(&tail);
}

static void check_same(const float *a, const float *b, long count,
                       const char *what)
{
    for (long i = 0; i < count; i++)
        if (a[i] != b[i])
            fail_msg("%s: number %ld is %g, not %g", what, i, (double)a[i],
                     (double)b[i]);
}

/* Gradients are added to what is there; padding stays zero. */
static void check_grad_weight(struct call *call, const struct dense *d,
                              const char *what)
{
    float *plain = numbers(d->out * d->in, whole);
    float *bias = numbers(d->out, whole), *db = numbers(d->out, whole);
    float *dw = panels(plain, d->out, d->in, 0), *expected;

    memcpy(db, bias, (size_t)d->out * sizeof(float));
    rnet_linear_grad_weight(&call->run, d->rows, d->in, d->out, dw, db,
                            d->dys.p, d->dys.stride, d->xs.p, d->xs.stride);
    add_weight_product(plain, bias, d->dy, d->x, d->rows, d->in, d->out);
    expected = panels(plain, d->out, d->in, 0);
    check_same(dw, expected, strips_of(d->in) * d->out * 32, what);
    check_same(db, bias, d->out, what);
    rnet_linear_grad_weight(&call->run, d->rows, d->in, d->out, dw, NULL,
                            d->dys.p, d->dys.stride, d->xs.p, d->xs.stride);
    check_same(db, bias, d->out, what);
    rnet_free(plain);
    rnet_free(bias);
    rnet_free(db);
    rnet_free(dw);
    rnet_free(expected);
}

static void check_dense(struct call *call, long rows, long in, long out,
                        int which)
{
    struct dense d;
    char what[96];

    dense_make(&d, rows, in, out);
    call->run.batch = rows;
    for (int isa = 0; isa < RNET_ISAS; isa++) {
        if (!use(isa))
            continue;
        snprintf(what, sizeof what, "%s %ldx%ldx%ld tail %d", rnet_isa_name(),
                 rows, in, out, which);
        check_linear(call, &d, which, what);
        check_grad_input(call, &d, which, what);
        check_grad_weight(call, &d, what);
    }
    dense_free(&d);
}

/* All sizes in all three dimensions, the tails in turn. */
static void dense_sizes(void **state)
{
    struct call call;
    int which = 0;

    (void)state;
    set_up(&call, 0);
    for (int r = 0; r < SIZES; r++)
        for (int i = 0; i < SIZES; i++)
            for (int o = 0; o < SIZES; o++)
                check_dense(&call, sizes[r], sizes[i], sizes[o],
                            which++ % TAILS);
    tear_down(&call);
}

/* All tails, with tasks in several orders and by several workers; sizes large
 * enough for several tasks, blocks of strips and bands of rows. */
static void dense_tails(void **state)
{
    static const long shapes[][3] = {
        { 1, 70, 40 }, { 5, 33, 100 }, { 45, 70, 61 }, { 300, 300, 170 },
        { 1100, 130, 70 }
    };
    struct call call;

    (void)state;
    set_up(&call, 0);
    call.work.parallel_for = play;
    call.work.workers = MOST_WORKERS;
    for (int s = 0; s < 5; s++)
        for (int which = 0; which < TAILS; which++) {
            struct player player = { which * 5 + 1 };
            call.work.user = &player;
            check_dense(&call, shapes[s][0], shapes[s][1], shapes[s][2],
                        which);
        }
    tear_down(&call);
}

/* Long sums of features: 4,500 and 40. */
static void dense_deep(void **state)
{
    struct call call;

    (void)state;
    set_up(&call, 0);
    check_dense(&call, 65, 4500, 40, 9);
    check_dense(&call, 65, 40, 4500, 2);
    check_dense(&call, 2, 4500, 40, 2);
    check_dense(&call, 1, 40, 4500, 9);
    tear_down(&call);
}

/* ---------------------------------------------------- any number of threads */

/* Bits of all results of one call with fractions, by 1, 2, 3, 7 threads. */
static void threads_run(struct call *call, int isa, float *const results[4],
                        const struct dense *d)
{
    struct value y = nans(d->rows, d->out, 0), dx = nans(d->rows, d->in, 0);
    struct rnet_step store_y = step_on(RNET_STORE, &y);
    struct rnet_step store_dx = step_on(RNET_STORE, &dx);

    use(isa);
    rnet_linear(&call->run, d->rows, d->in, d->out, d->xs.p, d->xs.stride,
                d->panels, (struct rnet_steps) { &store_y, 1 });
    rnet_linear_grad_input(&call->run, d->rows, d->in, d->out, d->dys.p,
                           d->dys.stride, d->panels,
                           (struct rnet_steps) { &store_dx, 1 });
    for (long r = 0; r < d->rows; r++) {
        for (long o = 0; o < d->out; o++)
            results[0][r * d->out + o] = y.p[at(r, o, y.stride)];
        for (long i = 0; i < d->in; i++)
            results[1][r * d->in + i] = dx.p[at(r, i, dx.stride)];
    }
    memset(results[2], 0, (size_t)(strips_of(d->in) * d->out * 32)
                              * sizeof(float));
    memset(results[3], 0, (size_t)d->out * sizeof(float));
    rnet_linear_grad_weight(&call->run, d->rows, d->in, d->out, results[2],
                            results[3], d->dys.p, d->dys.stride, d->xs.p,
                            d->xs.stride);
    rnet_free(y.all);
    rnet_free(dx.all);
}

static void threads_same(int isa, const struct dense *d)
{
    static const int threads[] = { 1, 2, 3, 7 };
    const long counts[4] = { d->rows * d->out, d->rows * d->in,
                             strips_of(d->in) * d->out * 32, d->out };
    float *results[2][4];

    for (int i = 0; i < 8; i++)
        results[i / 4][i % 4] = rnet_alloc((size_t)counts[i % 4]);
    for (int t = 0; t < 4; t++) {
        struct call call;
        set_up(&call, d->rows);
        call.work.pool = rnet_pool_create(threads[t]);
        assert_non_null(call.work.pool);
        threads_run(&call, isa, results[t > 0], d);
        rnet_pool_destroy(call.work.pool);
        tear_down(&call);
        for (int i = 0; t > 0 && i < 4; i++)
            assert_memory_equal(results[0][i], results[1][i],
                                (size_t)counts[i] * sizeof(float));
    }
    for (int i = 0; i < 8; i++)
        rnet_free(results[i / 4][i % 4]);
}

static void dense_threads(void **state)
{
    const long rows = 200, in = 330, out = 270;
    struct dense d = { .rows = rows, .in = in, .out = out };

    (void)state;
    d.x = numbers(rows * in, fraction);
    d.w = numbers(out * in, fraction);
    d.dy = numbers(rows * out, fraction);
    d.panels = panels(d.w, out, in, 0);
    d.xs = value(d.x, rows, in, 0);
    d.dys = value(d.dy, rows, out, 0);
    for (int isa = 0; isa < RNET_ISAS; isa++)
        if (use(isa))
            threads_same(isa, &d);
    dense_free(&d);
}

/* ------------------------------------------ embeddings, changes of layout */

/* Those of a call; positions: each row's number in its sample, which is what
 * kernels take when they are given none. */
static int32_t *indices(long count, long classes, int positions)
{
    int32_t *index = rnet_alloc_bytes((size_t)count * sizeof *index);
    assert_non_null(index);
    for (long i = 0; i < count; i++)
        index[i] = positions ? (int32_t)(i % classes)
                   : (int32_t)((unsigned)(whole() + 7 * whole() + 40)
                               % (unsigned)classes);
    return index;
}

static void check_embedding(struct call *call, long rows, long vocabulary,
                            long width, int which, int positions)
{
    int32_t *index = indices(rows, vocabulary, positions);
    float *table = numbers(vocabulary * width, whole);
    float *packed = panels(table, vocabulary, width, NAN);
    float *acc = rnet_alloc((size_t)(rows * width));

    for (long i = 0; i < rows * width; i++)
        acc[i] = table[index[i / width] * width + i % width];
    for (int isa = 0; isa < RNET_ISAS; isa++) {
        struct tail tail;
        if (!use(isa))
            continue;
        tail_make(&tail, rows, width);
        tail_steps(&tail, which);
        rnet_embedding(&call->run, rows, vocabulary, width,
                       positions ? NULL : index, packed, tail.steps);
        tail_check(&tail, which, acc, "embedding");
        tail_free(&tail);
    }
    rnet_free(index);
    rnet_free(table);
    rnet_free(packed);
    rnet_free(acc);
}

static void check_embedding_grad(struct call *call, long rows, long vocabulary,
                                 long width, int positions)
{
    int32_t *index = indices(rows, vocabulary, positions);
    float *table = numbers(vocabulary * width, whole);
    float *dy = numbers(rows * width, whole);
    struct value dys = value(dy, rows, width, 5);
    float *grads[RNET_ISAS], *expected;

    for (int isa = 0; isa < RNET_ISAS; isa++)
        grads[isa] = panels(table, vocabulary, width, 0);
    for (long i = 0; i < rows * width; i++)
        table[index[i / width] * width + i % width] += dy[i];
    expected = panels(table, vocabulary, width, 0);
    for (int isa = 0; isa < RNET_ISAS; isa++) {
        if (use(isa)) {
            rnet_embedding_grad(&call->run, rows, vocabulary, width,
                                grads[isa], positions ? NULL : index, dys.p,
                                dys.stride);
            check_same(grads[isa], expected,
                       strips_of(width) * vocabulary * 32, "embedding_grad");
        }
        rnet_free(grads[isa]);
    }
    rnet_free(index);
    rnet_free(table);
    rnet_free(dy);
    rnet_free(dys.all);
    rnet_free(expected);
}

/* A plain array with `stride`, ending exactly at the end of its memory. */
static float *with_stride(const float *plain, long rows, long features,
                          long stride)
{
    float *x = malloc((size_t)((rows - 1) * stride + features)
                      * sizeof(float));
    assert_non_null(x);
    for (long i = 0; i < (rows - 1) * stride + features; i++)
        x[i] = NAN;
    for (long i = 0; i < rows * features; i++)
        x[i / features * stride + i % features] = plain[i];
    return x;
}

static void check_pack(struct call *call, long rows, long features, int which)
{
    float *plain = numbers(rows * features, whole);
    float *x = with_stride(plain, rows, features, features + 3);

    for (int isa = 0; isa < RNET_ISAS; isa++) {
        struct tail tail;
        if (!use(isa))
            continue;
        tail_make(&tail, rows, features);
        tail_steps(&tail, which);
        rnet_pack_rows(&call->run, rows, features, x, features + 3,
                       tail.steps);
        tail_check(&tail, which, plain, "pack");
        tail_free(&tail);
    }
    rnet_free(plain);
    free(x);
}

static void check_unpack(struct call *call, long rows, long features)
{
    float *plain = numbers(rows * features, whole);
    struct value x = value(plain, rows, features, 2);
    long stride = features + 3;

    for (int isa = 0; isa < RNET_ISAS; isa++) {
        float *y = with_stride(plain, rows, features, stride);
        struct rnet_step store = { .op = RNET_STORE, .kind = RNET_FULL,
                                   .x = y, .stride = stride };
        for (long i = 0; i < rows * features; i++)
            y[i / features * stride + i % features] = NAN;
        if (use(isa)) {
            rnet_unpack_rows(&call->run, rows, features, x.p, x.stride,
                             (struct rnet_steps) { &store, 1 });
            for (long i = 0; i < (rows - 1) * stride + features; i++)
                assert_true(i % stride < features
                            ? y[i] == plain[i / stride * features + i % stride]
                            : isnan(y[i]));
        }
        free(y);
    }
    rnet_free(plain);
    rnet_free(x.all);
}

/* y += acc s[sample] with sums by sample; samples straddle strips. */
static void check_unpack_samples(struct call *call, long batch, long per,
                                 long features)
{
    long rows = batch * per;
    float *plain = numbers(rows * features, whole);
    float *scale = numbers(batch, whole);
    struct value x = value(plain, rows, features, 0);

    call->run.batch = batch;
    for (int isa = 0; isa < RNET_ISAS; isa++) {
        float *y = numbers(rows * features, whole);
        float *sums = numbers(batch * features, fraction);
        float *expected = rnet_alloc((size_t)(batch * features));
        struct rnet_step steps[3] = {
            { .op = RNET_MUL, .kind = RNET_SAMPLE, .x = scale },
            { .op = RNET_SUM, .sums = sums },
            { .op = RNET_STORE, .kind = RNET_FULL, .x = y,
              .stride = features }
        };
        for (long i = 0; i < rows * features; i++)
            expected[i / features / per * features + i % features] +=
                plain[i] * scale[i / features / per];
        if (use(isa)) {
            rnet_unpack_rows(&call->run, rows, features, x.p, x.stride,
                             (struct rnet_steps) { steps, 3 });
            for (long i = 0; i < rows * features; i++)
                assert_true(y[i] == plain[i] * scale[i / features / per]);
            check_same(sums, expected, batch * features, "unpack");
        }
        rnet_free(y);
        rnet_free(sums);
        rnet_free(expected);
    }
    rnet_free(plain);
    rnet_free(scale);
    rnet_free(x.all);
}

static void copies(void **state)
{
    struct call call;
    struct player player = { 3 };
    int which = 0;

    (void)state;
    set_up(&call, 0);
    call.work.parallel_for = play;
    call.work.workers = MOST_WORKERS;
    call.work.user = &player;
    for (int r = 0; r < SIZES; r++)
        for (int f = 0; f < SIZES; f++) {
            call.run.batch = sizes[r];
            check_embedding(&call, sizes[r], 11, sizes[f], which % TAILS, 0);
            check_embedding_grad(&call, sizes[r], 11, sizes[f], 0);
            check_pack(&call, sizes[r], sizes[f], which++ % TAILS);
            check_unpack(&call, sizes[r], sizes[f]);
        }
    call.run.batch = 700;
    check_embedding(&call, 700, 50, 300, 2, 0);
    check_embedding_grad(&call, 700, 50, 300, 0);
    check_pack(&call, 700, 300, 10);
    check_unpack(&call, 700, 300);
    call.run.batch = 5;
    for (int f = 0; f < SIZES; f++) {
        check_embedding(&call, 5 * 23, 23, sizes[f], f % TAILS, 1);
        check_embedding_grad(&call, 5 * 23, 23, sizes[f], 1);
    }
    tear_down(&call);
}

static void unpack_samples(void **state)
{
    static const long shapes[][3] = { { 3, 1, 5 }, { 40, 1, 33 }, { 7, 9, 40 },
                                      { 3, 50, 31 }, { 2, 32, 64 } };
    struct call call;

    (void)state;
    set_up(&call, 0);
    for (int i = 0; i < 5; i++)
        check_unpack_samples(&call, shapes[i][0], shapes[i][1], shapes[i][2]);
    tear_down(&call);
}

/* A NaN or an infinity in x reaches its row of the result and no other; lanes
 * past the last row reach nothing. */
static void nan_stays_in_its_row(void **state)
{
    struct call call;
    struct dense d;

    (void)state;
    set_up(&call, 40);
    dense_make(&d, 40, 50, 20);
    d.xs.p[at(35, 7, d.xs.stride)] = NAN;
    for (int isa = 0; isa < RNET_ISAS; isa++) {
        struct value y = nans(40, 20, 0);
        struct rnet_step steps[2] = { { .op = RNET_RELU },
                                      step_on(RNET_STORE, &y) };
        if (use(isa)) {
            rnet_linear(&call.run, 40, 50, 20, d.xs.p, d.xs.stride, d.panels,
                        (struct rnet_steps) { steps, 2 });
            for (long i = 0; i < 40 * 20; i++)
                assert_true((i / 20 == 35)
                            == !!isnan(y.p[at(i / 20, i % 20, 20)]));
        }
        rnet_free(y.all);
    }
    dense_free(&d);
    tear_down(&call);
}

static void no_rows(void **state)
{
    struct call call;
    float nothing[64] __attribute__((aligned(64))) = { 0 };
    struct rnet_steps none = RNET_NO_STEPS;

    (void)state;
    set_up(&call, 0);
    for (int isa = 0; isa < RNET_ISAS; isa++) {
        if (!use(isa))
            continue;
        rnet_linear(&call.run, 0, 8, 1, nothing, 8, nothing, none);
        rnet_linear_grad_input(&call.run, 0, 8, 1, nothing, 8, nothing, none);
        rnet_linear_grad_weight(&call.run, 0, 8, 1, nothing, nothing, nothing,
                                8, nothing, 8);
        rnet_pack_rows(&call.run, 0, 8, nothing, 8, none);
        rnet_unpack_rows(&call.run, 0, 8, nothing, 8, none);
    }
    for (int i = 0; i < 64; i++)
        assert_true(nothing[i] == 0);
    tear_down(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_sizes),
        cmocka_unit_test(dense_tails),
        cmocka_unit_test(dense_deep),
        cmocka_unit_test(dense_threads),
        cmocka_unit_test(copies),
        cmocka_unit_test(unpack_samples),
        cmocka_unit_test(nan_stays_in_its_row),
        cmocka_unit_test(no_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
