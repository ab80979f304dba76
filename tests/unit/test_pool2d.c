/* Pooling: every instruction set against the scalar twin, the twin against
 * the textbook's loops. */
#include "maps.h"

struct problem {
    struct rnet_pool_shape shape;
    long batch;
    int x_gap, y_gap;
    int sums;                   /* tails sum too */
};

struct data {
    struct guarded x, dy;               /* read */
    struct guarded y, sums, dx, dx_sums;
};

static long pixels_in(const struct problem *p)
{
    return (long)p->shape.height * p->shape.width;
}

static long pixels_out(const struct problem *p)
{
    return (long)p->shape.out_height * p->shape.out_width;
}

/* Multiples of 3600, so that averages are integers. */
static void scale(struct guarded *g)
{
    for (size_t i = 0; i < g->count; i++)
        g->p[i] *= 3600;
}

static struct guarded integers(long rows, long features, long stride)
{
    struct guarded g = guarded(floats_of(rows, features, stride));

    fill_rows(g.p, rows, features, stride);
    scale(&g);
    return g;
}

static struct data make_data(const struct problem *p)
{
    const struct rnet_pool_shape *s = &p->shape;
    long in = p->batch * pixels_in(p), out = p->batch * pixels_out(p);

    return (struct data) {
        .x = integers(in, s->channels, s->channels + p->x_gap),
        .dy = integers(out, s->out_channels, s->out_channels + p->y_gap),
        .y = guarded(floats_of(out, s->out_channels,
                               s->out_channels + p->y_gap)),
        .sums = guarded((size_t)(p->batch * s->out_channels)),
        .dx = guarded(floats_of(in, s->channels, s->channels + p->x_gap)),
        .dx_sums = guarded((size_t)(p->batch * s->channels)),
    };
}

static void free_outputs(struct data *d)
{
    release(&d->y);
    release(&d->sums);
    release(&d->dx);
    release(&d->dx_sums);
}

static struct data outputs_of(const struct data *d)
{
    struct data e = *d;

    e.y = copy_of(&d->y);
    e.sums = copy_of(&d->sums);
    e.dx = copy_of(&d->dx);
    e.dx_sums = copy_of(&d->dx_sums);
    return e;
}

/* -------------------------------------------------------- the textbook */

/* Offset of input (y, x), channel c; -1 in the padding. */
static long index_in(const struct problem *p, long n, int y, int x, int c)
{
    const struct rnet_pool_shape *s = &p->shape;

    if (y < 0 || x < 0 || y >= s->height || x >= s->width)
        return -1;
    return ((n * s->height + y) * s->width + x) * (s->channels + p->x_gap) + c;
}

/* Of fine pixel p in coarse pixel o, of `out`: what linear interpolation gives
 * at p's centre, between the two centres around it. */
static float tent(int p, int o, int stride, int out)
{
    float at = ((float)p + 0.5f) / (float)stride - 0.5f;
    at = at < 0 ? 0 : at;
    int low = (int)at, high = low < out - 1 ? low + 1 : low;
    float share = at - (float)low;

    return (o == low ? 1 - share : 0) + (o == high ? share : 0);
}

static float weight_of(const struct rnet_pool_shape *s, int y, int x, int oy,
                       int ox)
{
    return s->kind != RNET_POOL_TENT ? 1
        : tent(y, oy, s->stride_y, s->out_height)
          * tent(x, ox, s->stride_x, s->out_width);
}

/* One window: its result, and its gradient d sent back. */
static float window(const struct problem *p, struct data *d, long n, int oy,
                    int ox, int c, float gradient)
{
    const struct rnet_pool_shape *s = &p->shape;
    int count = 0, sums = s->kind != RNET_POOL_MAX;
    long best = -1;
    float sum = 0;

    for (int pass = 0; pass < 2; pass++)
        for (int r = 0; r < s->kernel_height; r++)
            for (int t = 0; t < s->kernel_width; t++) {
                int y = oy * s->stride_y + r - s->pad_top;
                int x = ox * s->stride_x + t - s->pad_left;
                long i = index_in(p, n, y, x, c);
                float weight = weight_of(s, y, x, oy, ox);

                if (pass == 0 && (i >= 0 || s->count_pad))
                    count++;
                if (s->kind == RNET_POOL_SUM || s->kind == RNET_POOL_TENT)
                    count = 1;
                if (pass == 0 && i >= 0) {
                    sum += weight * d->x.p[i];
                    if (best < 0 || d->x.p[i] > d->x.p[best])
                        best = i;
                }
                if (pass == 1 && i >= 0 && sums)
                    d->dx.p[i] += weight * gradient / (float)count;
            }
    if (sums)
        return sum / (float)count;
    d->dx.p[best] += gradient;
    return d->x.p[best];
}

static void add_sums(float *sums, const float *p, long batch, long pixels,
                     int features, long stride)
{
    memset(sums, 0, (size_t)(batch * features) * sizeof *sums);
    for (long row = 0; row < batch * pixels; row++)
        for (int f = 0; f < features; f++)
            sums[row / pixels * features + f] += p[row * stride + f];
}

static void textbook(const struct problem *p, struct data *d)
{
    const struct rnet_pool_shape *s = &p->shape;
    long stride = s->out_channels + p->y_gap;

    for (long row = 0; row < p->batch * pixels_in(p); row++)
        for (int c = 0; c < s->channels; c++)
            d->dx.p[row * (s->channels + p->x_gap) + c] = 0;
    for (long row = 0; row < p->batch * pixels_out(p); row++)
        for (int c = 0; c < s->out_channels; c++) {
            long at = row % pixels_out(p);

            d->y.p[row * stride + c] = c >= s->channels ? 0
                : window(p, d, row / pixels_out(p), (int)(at / s->out_width),
                         (int)(at % s->out_width), c,
                         d->dy.p[row * stride + c]);
        }
    if (!p->sums)
        return;
    add_sums(d->sums.p, d->y.p, p->batch, pixels_out(p), s->out_channels,
             stride);
    add_sums(d->dx_sums.p, d->dx.p, p->batch, pixels_in(p), s->channels,
             s->channels + p->x_gap);
}

/* ---------------------------------------------------------- the library */

static struct rnet_steps tail_of(const struct problem *p,
                                 struct rnet_step *steps, float *y,
                                 long stride, float *sums)
{
    steps[0] = (struct rnet_step) { .op = RNET_STORE, .kind = RNET_FULL,
                                    .x = y, .stride = stride };
    steps[1] = (struct rnet_step) { .op = RNET_SUM, .sums = sums };
    return (struct rnet_steps) { steps, p->sums ? 2 : 1 };
}

static void library(const struct problem *p, struct data *d, int threads)
{
    const struct rnet_pool_shape *s = &p->shape;
    struct bench_run b = open_run(threads, p->batch, 16, RNET_WORKER_FLOATS);
    long in = s->channels + p->x_gap, out = s->out_channels + p->y_gap;
    struct rnet_step steps[2];

    b.run.work = &b.work;
    rnet_pool(&b.run, p->batch, s, d->x.p, in,
              tail_of(p, steps, d->y.p, out, d->sums.p));
    rnet_pool_grad(&b.run, p->batch, s, d->dy.p, out,
                   s->kind == RNET_POOL_MAX ? d->x.p : NULL, in,
                   tail_of(p, steps, d->dx.p, in, d->dx_sums.p));
    close_run(&b);
}

static void check_on(const struct problem *p, const struct data *d,
                     const struct data *expected, int isa)
{
    const struct rnet_pool_shape *s = &p->shape;
    struct data found = outputs_of(d);

    chosen = (enum rnet_isa)isa;
    library(p, &found, 1 + pick(4));
    if (!equal(&found.y, &expected->y, "y")
        || !equal(&found.sums, &expected->sums, "sums")
        || !equal(&found.dx, &expected->dx, "dx")
        || !equal(&found.dx_sums, &expected->dx_sums, "dx_sums"))
        fail_msg("%s: kind %d, batch %ld, %dx%dx%d -> %dx%dx%d, kernel %dx%d, "
                 "stride %d %d, pad %d %d, count_pad %d, gaps %d %d",
                 isa_names[isa], (int)s->kind, p->batch, s->height, s->width,
                 s->channels, s->out_height, s->out_width, s->out_channels,
                 s->kernel_height, s->kernel_width, s->stride_y, s->stride_x,
                 s->pad_top, s->pad_left, s->count_pad, p->x_gap, p->y_gap);
    free_outputs(&found);
}

static void check(const struct problem *p)
{
    struct data d = make_data(p), expected = outputs_of(&d);

    textbook(p, &expected);
    for (int isa = 0; isa < RNET_ISAS; isa++)
        if (isa_runs((enum rnet_isa)isa))
            check_on(p, &d, &expected, isa);
    free_outputs(&expected);
    free_outputs(&d);
    release(&d.x);
    release(&d.dy);
}

/* -------------------------------------------------------------- problems */

static const int channels[] = { 1, 2, 3, 8, 12, 15, 16, 17, 24, 32, 33, 48,
                                64, 130 };

static void finish(struct rnet_pool_shape *s, int pad_bottom, int pad_right)
{
    s->out_height = (s->height + s->pad_top + pad_bottom - s->kernel_height)
                    / s->stride_y + 1;
    s->out_width = (s->width + s->pad_left + pad_right - s->kernel_width)
                   / s->stride_x + 1;
}

/* Windows that fit, padded by less than half. */
static struct problem random_problem(void)
{
    struct problem p = { .batch = 1 + pick(pick(4) ? 3 : 33),
                         .x_gap = pick(2) * pick(20),
                         .y_gap = pick(2) * pick(20), .sums = pick(2) };
    struct rnet_pool_shape *s = &p.shape;

    s->kind = (enum rnet_pool_kind)pick(3);
    s->kernel_height = 1 + pick(5);
    s->kernel_width = 1 + pick(5);
    s->height = s->kernel_height + pick(9);
    s->width = s->kernel_width + pick(9);
    s->stride_y = 1 + pick(3);
    s->stride_x = 1 + pick(3);
    s->pad_top = pick(s->kernel_height / 2 + 1);
    s->pad_left = pick(s->kernel_width / 2 + 1);
    s->count_pad = pick(2);
    s->channels = channels[pick((int)(sizeof channels / sizeof *channels))];
    s->out_channels = s->channels + pick(2) * pick(2 * s->channels + 1);
    finish(s, pick(s->kernel_height / 2 + 1), pick(s->kernel_width / 2 + 1));
    return p;
}

/* Tents, whose weights are exact for these strides. */
static void test_tents(void **unused)
{
    (void)unused;
    for (int k = 0; k < 150; k++) {
        struct problem p = random_problem();
        struct rnet_pool_shape *s = &p.shape;

        s->kind = RNET_POOL_TENT;
        s->stride_y = 1 << pick(3);
        s->stride_x = 1 << pick(3);
        s->kernel_height = 2 * s->stride_y;
        s->kernel_width = 2 * s->stride_x;
        s->pad_top = s->stride_y / 2;
        s->pad_left = s->stride_x / 2;
        s->out_height = 1 + pick(6);
        s->out_width = 1 + pick(6);
        s->height = s->out_height * s->stride_y;
        s->width = s->out_width * s->stride_x;
        s->out_channels = s->channels;
        check(&p);
    }
}

/* Maps that are padded, and maps that are cropped. */
static void test_borders(void **unused)
{
    (void)unused;
    for (int k = 0; k < 100; k++) {
        struct problem p = random_problem();
        struct rnet_pool_shape *s = &p.shape;

        s->kind = RNET_POOL_SUM;
        s->kernel_height = s->kernel_width = s->stride_y = s->stride_x = 1;
        s->pad_top = pick(s->height + 3) - s->height + 1;
        s->pad_left = pick(s->width + 3) - s->width + 1;
        s->out_height = s->height + s->pad_top + pick(4);
        s->out_width = s->width + s->pad_left + pick(4);
        check(&p);
    }
}

static void test_random(void **unused)
{
    (void)unused;
    for (int i = 0; i < 400; i++) {
        struct problem p = random_problem();

        check(&p);
    }
}

/* Windows of the whole map; the shortcut that halves it and adds channels. */
static void test_global(void **unused)
{
    (void)unused;
    for (int k = 0; k < 40; k++) {
        struct problem p = random_problem();
        struct rnet_pool_shape *s = &p.shape;

        s->pad_top = s->pad_left = 0;
        if (k % 2) {
            s->height = s->kernel_height;
            s->width = s->kernel_width;
        } else {
            s->kernel_height = s->kernel_width = 1;
            s->stride_y = s->stride_x = 2;
            s->out_channels = 2 * s->channels;
        }
        finish(s, 0, 0);
        check(&p);
    }
}

/* Few large maps, whose rows or channels are cut into tasks. */
static void test_large(void **unused)
{
    (void)unused;
    for (int k = 0; k < 4; k++) {
        struct problem p = { .batch = 2, .x_gap = k, .sums = k % 2 };
        struct rnet_pool_shape *s = &p.shape;

        s->kind = k < 2 ? RNET_POOL_MAX : RNET_POOL_AVERAGE;
        s->kernel_height = s->kernel_width = 2;
        s->height = 67;
        s->width = 9;
        s->stride_y = s->stride_x = s->pad_top = s->pad_left = 1;
        s->channels = s->out_channels = 150;
        finish(s, 0, 0);
        check(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_tents),
        cmocka_unit_test(test_borders),
        cmocka_unit_test(test_global),
        cmocka_unit_test(test_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
