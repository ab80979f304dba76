/* test_attention.c: attention and its gradient, each instruction set against
 * textbook loops in double over whole matrices of scores. */
#include "maps.h"

#include <math.h>

/* A call and what it reads and writes: whole arrays, ending at a guard page. */
struct call {
    struct rnet_attention shape;
    long batch;
    int32_t *lengths;           /* or NULL */
    long q_stride, k_stride;    /* of q, y, dy, dq; of k, v, dk, dv */
    struct guarded q, k, v, dy, y, sums, dq, dk, dv;
};

/* What the textbook says, plain: [sample][row][head][feature]. */
struct truth { double *y, *dq, *dk, *dv; };

static long place(const struct call *c, long stride, long row, long feature)
{
    return c->shape.layout == RNET_PLAIN
           ? row * stride + feature
           : (row / 32 * stride + feature) * 32 + row % 32;
}

static double get(const struct call *c, const struct guarded *x, long stride,
                  long row, long feature)
{
    return (double)x->p[place(c, stride, row, feature)];
}

/* A value whose other features, and rows past the last, are NaN. */
static struct guarded value(const struct call *c, long rows, long stride,
                            long features, int fill)
{
    long whole = c->shape.layout == RNET_PLAIN
                 ? (rows - 1) * stride + features
                 : (rows + 31) / 32 * 32 * stride;
    struct guarded g = guarded((size_t)whole);

    for (long r = 0; fill && r < rows; r++)
        for (long f = 0; f < features; f++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            g.p[place(c, stride, r, f)] =
                (float)((int32_t)(state >> 32) / 2147483648.0 * 2);
        }
    return g;
}

static long queries_of(const struct call *c)
{
    return c->batch * c->shape.queries;
}

static long keys_of(const struct call *c)
{
    return c->batch * c->shape.keys;
}

/* Strides beyond the features; in strips a multiple of nothing. */
static struct call call(struct rnet_attention shape, long batch, int lengths)
{
    struct call c = { .shape = shape, .batch = batch };
    long wide = (long)shape.heads * shape.head;
    long narrow = (long)shape.groups * shape.head;

    c.q_stride = wide + 3;
    c.k_stride = narrow + 5;
    c.q = value(&c, queries_of(&c), c.q_stride, wide, 1);
    c.dy = value(&c, queries_of(&c), c.q_stride, wide, 1);
    c.k = value(&c, keys_of(&c), c.k_stride, narrow, 1);
    c.v = value(&c, keys_of(&c), c.k_stride, narrow, 1);
    c.y = value(&c, queries_of(&c), c.q_stride, wide, 0);
    c.dq = value(&c, queries_of(&c), c.q_stride, wide, 0);
    c.dk = value(&c, keys_of(&c), c.k_stride, narrow, 0);
    c.dv = value(&c, keys_of(&c), c.k_stride, narrow, 0);
    c.sums = guarded(RNET_ATTENTION_SUMS(batch, shape.queries, shape.heads));
    if (lengths)
        c.lengths = malloc((size_t)batch * sizeof *c.lengths);
    for (long s = 0; lengths && s < batch; s++)
        c.lengths[s] = (int32_t)((s * 7 + lengths) % (shape.keys + 3) - 1);
    return c;
}

static void free_call(struct call *c)
{
    struct guarded *all[] = { &c->q, &c->k, &c->v, &c->dy, &c->y, &c->sums,
                              &c->dq, &c->dk, &c->dv };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        release(all[i]);
    free(c->lengths);
}

/* -------------------------------------------------------- the textbook */

static long seen(const struct call *c, long sample, long query)
{
    long keys = c->shape.keys;

    if (c->lengths && c->lengths[sample] < keys)
        keys = c->lengths[sample] < 0 ? 0 : c->lengths[sample];
    return c->shape.causal && query + 1 < keys ? query + 1 : keys;
}

/* p[key] of one query, over the keys it sees */
static void softmax(const struct call *c, double *p, long sample, long query,
                    long head)
{
    const struct rnet_attention *s = &c->shape;
    long n = seen(c, sample, query), width = s->head;
    long group = head / (s->heads / s->groups);
    double most = -INFINITY, sum = 0;

    for (long j = 0; j < n; j++) {
        p[j] = 0;
        for (long f = 0; f < width; f++)
            p[j] += get(c, &c->q, c->q_stride, sample * s->queries + query,
                        head * width + f)
                    * get(c, &c->k, c->k_stride, sample * s->keys + j,
                          group * width + f);
        p[j] *= (double)s->scale;
        most = fmax(most, p[j]);
    }
    for (long j = 0; j < n; j++)
        sum += p[j] = exp(p[j] - most);
    for (long j = 0; j < n; j++)
        p[j] /= sum;
}

/* One query's result, and its part of the gradients. */
static void attend(const struct call *c, const struct truth *t, double *p,
                   long sample, long query, long head)
{
    const struct rnet_attention *s = &c->shape;
    long n = seen(c, sample, query), width = s->head;
    long group = head / (s->heads / s->groups);
    long row = sample * s->queries + query, key = sample * s->keys;
    long wide = s->heads * width, narrow = s->groups * width;
    double mean = 0;

    softmax(c, p, sample, query, head);
    for (long f = 0; f < width; f++) {
        double *y = t->y + row * wide + head * width + f;
        double dy = get(c, &c->dy, c->q_stride, row, head * width + f);
        for (long j = 0; j < n; j++) {
            *y += p[j] * get(c, &c->v, c->k_stride, key + j,
                             group * width + f);
            t->dv[(key + j) * narrow + group * width + f] += p[j] * dy;
        }
        mean += *y * dy;
    }
    for (long j = 0; j < n; j++) {
        double slope = -mean;
        for (long f = 0; f < width; f++)
            slope += get(c, &c->dy, c->q_stride, row, head * width + f)
                     * get(c, &c->v, c->k_stride, key + j, group * width + f);
        slope *= p[j] * (double)s->scale;
        for (long f = 0; f < width; f++) {
            long g = group * width + f, h = head * width + f;
            t->dq[row * wide + h] +=
                slope * get(c, &c->k, c->k_stride, key + j, g);
            t->dk[(key + j) * narrow + g] +=
                slope * get(c, &c->q, c->q_stride, row, h);
        }
    }
}

static struct truth truth_of(const struct call *c)
{
    const struct rnet_attention *s = &c->shape;
    size_t wide = (size_t)(queries_of(c) * s->heads * s->head);
    size_t narrow = (size_t)(keys_of(c) * s->groups * s->head);
    struct truth t = { calloc(wide, 8), calloc(wide, 8), calloc(narrow, 8),
                       calloc(narrow, 8) };
    double *p = calloc((size_t)s->keys, 8);

    for (long i = 0; i < c->batch; i++)
        for (long h = 0; h < s->heads; h++)
            for (long q = 0; q < s->queries; q++)
                attend(c, &t, p, i, q, h);
    free(p);
    return t;
}

static void free_truth(struct truth *t)
{
    free(t->y);
    free(t->dq);
    free(t->dk);
    free(t->dv);
}

/* ----------------------------------------------------------- comparison */

static void describe(const struct call *c)
{
    const struct rnet_attention *s = &c->shape;

    printf("%s: batch %ld, %d x %d, heads %d / %d of %d%s%s, %s\n",
           isa_names[chosen], c->batch, s->queries, s->keys, s->heads,
           s->groups, s->head, s->causal ? ", causal" : "",
           c->lengths ? ", lengths" : "",
           s->layout == RNET_PLAIN ? "plain" : "strips");
}

/* The rows of x are the truth's; all else is NaN still. */
static void compare(const struct call *c, const char *what,
                    const struct guarded *x, long rows, long stride,
                    long features, const double *truth)
{
    double largest = 1, limit = 3e-6;
    struct guarded other = copy_of(x);

    if (c->shape.scale > 10)    /* rounded scores of thousands */
        limit = 1e-3;

    for (long i = 0; i < rows * features; i++)
        largest = fmax(largest, fabs(truth[i]));
    for (long r = 0; r < rows; r++)
        for (long f = 0; f < features; f++) {
            long at = place(c, stride, r, f);
            double got = (double)x->p[at], want = truth[r * features + f];
            other.p[at] = NAN;
            if (fabs(got - want) <= limit * largest)
                continue;
            describe(c);
            fail_msg("%s[%ld][%ld] is %.9g, not %.9g", what, r, f, got, want);
        }
    for (size_t i = 0; i < other.count; i++)
        if (!isnan(other.p[i])) {
            describe(c);
            fail_msg("%s: [%zu] beside it was written", what, i);
        }
    release(&other);
}

/* Tasks in an order of their own, on three workers. */
static void play(void *user, long tasks, rnet_task *task, void *context)
{
    long step = *(const long *)user;

    for (long first = 0; first < step; first++)
        for (long i = tasks - 1 - first; i >= 0; i -= step)
            task(context, i, (int)(i % 3));
}

/* Scratch is exactly what each needs, and NaN before. */
static void run_call(struct call *c, long order)
{
    struct rnet_work work = { .parallel_for = play, .user = &order };
    struct bench_run b = open_run(3, c->batch, 0,
                                  RNET_ATTENTION_FLOATS(c->shape.head));

    b.run.work = &work;
    rnet_attention(&b.run, c->batch, &c->shape, c->y.p, c->q_stride, c->sums.p,
                   c->q.p, c->q_stride, c->k.p, c->k_stride, c->v.p,
                   c->k_stride, c->lengths);
    close_run(&b);
    b = open_run(3, c->batch, 0, RNET_ATTENTION_GRAD_FLOATS(c->shape.head));
    b.run.work = &work;
    rnet_attention_grad(&b.run, c->batch, &c->shape, c->dq.p, c->q_stride,
                        c->dk.p, c->k_stride, c->dv.p, c->k_stride, c->dy.p,
                        c->q_stride, c->y.p, c->q_stride, c->sums.p, c->q.p,
                        c->q_stride, c->k.p, c->k_stride, c->v.p, c->k_stride,
                        c->lengths);
    close_run(&b);
}

static void check(struct rnet_attention shape, long batch, int lengths)
{
    struct call c = call(shape, batch, lengths);
    struct truth t = truth_of(&c);
    long wide = (long)shape.heads * shape.head;
    long narrow = (long)shape.groups * shape.head;

    for (int isa = 0; isa < RNET_ISAS; isa++)
        for (long order = 1; order < 3; order++) {
            if (!isa_runs((enum rnet_isa)isa) || (!isa && order > 1))
                continue;
            chosen = (enum rnet_isa)isa;
            run_call(&c, order);
            compare(&c, "y", &c.y, queries_of(&c), c.q_stride, wide, t.y);
            compare(&c, "dq", &c.dq, queries_of(&c), c.q_stride, wide, t.dq);
            compare(&c, "dk", &c.dk, keys_of(&c), c.k_stride, narrow, t.dk);
            compare(&c, "dv", &c.dv, keys_of(&c), c.k_stride, narrow, t.dv);
        }
    free_truth(&t);
    free_call(&c);
}

/* ---------------------------------------------------------------- tests */

static struct rnet_attention shape_of(int queries, int keys, int heads,
                                      int groups, int head, int i)
{
    return (struct rnet_attention) {
        .layout = i % 2 ? RNET_STRIPS : RNET_PLAIN, .queries = queries,
        .keys = keys, .heads = heads, .groups = groups, .head = head,
        .causal = queries == keys && i / 2 % 2,
        .scale = (float)(1 / sqrt((double)head))
    };
}

static const int counts[] = { 1, 2, 31, 32, 33, 64, 97, 130, 161 };
static const int heads[] = { 1, 5, 31, 32, 33, 64, 65, 129 };
#define COUNT(x) ((int)(sizeof(x) / sizeof(x)[0]))

/* Both layouts, causal and not, of every number of rows and size of head. */
static void self(void **unused)
{
    (void)unused;
    for (int i = 0; i < COUNT(counts); i++)
        for (int j = 0; j < COUNT(heads); j++)
            for (int way = 0; way < 4; way++) {
                int groups = (i + j + way) % 2 + 1;
                int each = heads[j] > 40 ? 1 : (i + j) % 3 + 1;
                if ((i * 5 + j * 3 + way) % (i < 5 ? 2 : 6))
                    continue;
                check(shape_of(counts[i], counts[i], groups * each, groups,
                               heads[j], way), 1 + (i + j + way) % 3, 0);
            }
}

static void cross(void **unused)
{
    (void)unused;
    for (int i = 0; i < COUNT(counts); i++)
        for (int j = 0; j < COUNT(counts); j++)
            if (i != j && (i + j * 2) % 3 == 1)
                check(shape_of(counts[i], counts[j], 2, 1 + (i + j) % 2,
                               heads[(i + j) % 6], i + 3 * j), 2,
                      j % 3 ? i + 1 : 0);
}

/* Lengths from -1 to more than there are keys: keys that nobody sees have
 * gradients of 0, rows that see none are 0. */
static void lengths(void **unused)
{
    (void)unused;
    for (int i = 0; i < COUNT(counts); i++)
        for (int way = 0; way < 4; way++)
            for (int length = 1; length < counts[i] + 3; length += 23)
                check(shape_of(counts[i], counts[i], 4, 2, 8, way), 3, length);
}

/* Scores of thousands: the largest is subtracted, also when it comes late. */
static void large_scores(void **unused)
{
    (void)unused;
    for (int way = 0; way < 4; way++) {
        struct rnet_attention shape = shape_of(300, 300, 1, 1, 8, way);
        shape.scale = 300;
        check(shape, 1, 0);
    }
}

/* Many short samples that share strips. */
static void short_samples(void **unused)
{
    (void)unused;
    for (int rows = 1; rows < 20; rows += 3)
        for (int way = 0; way < 4; way++)
            check(shape_of(rows, rows, 2, 1, 6, way), 100, way);
}

/* Any number of threads gives the same bits. */
static void threads(void **unused)
{
    struct call c = call(shape_of(161, 161, 6, 3, 24, 3), 3, 0);
    struct guarded *results[] = { &c.y, &c.dq, &c.dk, &c.dv, &c.sums };

    (void)unused;
    for (int isa = 0; isa < RNET_ISAS; isa++) {
        struct guarded first[5];
        if (!isa_runs((enum rnet_isa)isa))
            continue;
        chosen = (enum rnet_isa)isa;
        run_call(&c, 1);
        for (int i = 0; i < 5; i++)
            first[i] = copy_of(results[i]);
        run_call(&c, 5);
        for (int i = 0; i < 5; i++) {
            assert_true(!memcmp(first[i].p, results[i]->p,
                                first[i].count * sizeof(float)));
            release(&first[i]);
        }
    }
    free_call(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(self), cmocka_unit_test(cross),
        cmocka_unit_test(lengths), cmocka_unit_test(large_scores),
        cmocka_unit_test(short_samples), cmocka_unit_test(threads)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
