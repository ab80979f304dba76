/* maps.c: trials of convolutions and pooling. */
#include "trial.h"

/* ------------------------------------------------------------ convolutions */

/* A convolution whose sizes are drawn: kernels larger than the map, strides
 * larger than the kernel, borders that differ.  mode: 0 one group, 1 some, 2
 * depthwise, 3 one group of one pixel and tap. */
static struct rnet_conv draw(struct trial *t, int in, int out, int mode)
{
    static const int maps[] = { 1, 2, 3, 5, 8, 9 };
    static const int kernels[] = { 1, 1, 2, 3, 3, 5 };
    struct rnet_conv c = { .in = in, .out = mode == 2 ? in : out,
                           .groups = mode == 2 ? in : 1 };
    int y, x;

    do {
        c.height = mode == 3 ? 1 : maps[pick(t, 6)];
        c.width = mode == 3 ? 1 : maps[pick(t, 6)];
        c.kernel_height = mode == 3 ? 1 : kernels[pick(t, 6)];
        c.kernel_width = mode == 3 ? 1 : kernels[pick(t, 6)];
        c.stride_y = 1 + pick(t, 3);
        c.stride_x = 1 + pick(t, 3);
        c.dilation_y = 1 + (pick(t, 4) == 0);
        c.dilation_x = 1 + (pick(t, 4) == 0);
        c.pad_top = pick(t, 3);
        c.pad_left = pick(t, 3);
        c.pad_bottom = pick(t, 3);
        c.pad_right = pick(t, 3);
        y = c.height + c.pad_top + c.pad_bottom
            - c.dilation_y * (c.kernel_height - 1) - 1;
        x = c.width + c.pad_left + c.pad_right
            - c.dilation_x * (c.kernel_width - 1) - 1;
    } while (y < 0 || x < 0);
    c.out_height = y / c.stride_y + 1;
    c.out_width = x / c.stride_x + 1;
    for (int g = 2; mode == 1 && g < 5; g++)
        if (in % g == 0 && out % g == 0)
            c.groups = g;
    return c;
}

struct conv {
    struct rnet_conv c;
    long batch;
    int depthwise;
    int in, out;                /* of a group */
};

static struct conv conv_of(struct trial *t, const int *d)
{
    struct conv conv = { .c = draw(t, d[1], d[2], d[3]), .batch = d[0] };
    const struct rnet_conv *c = &conv.c;

    conv.depthwise = c->groups == c->in && c->groups == c->out;
    conv.in = c->in / c->groups;
    conv.out = c->out / c->groups;
    t->run.batch = d[0];
    return conv;
}

static void conv_scratch(struct trial *t, const struct rnet_conv *c)
{
    size_t worker = RNET_CONV_WORKER_FLOATS(
        c->height, c->width, c->in, c->out_height, c->out_width, c->out,
        c->kernel_height, c->kernel_width, c->dilation_y, c->dilation_x,
        c->pad_top, c->pad_left, c->pad_bottom, c->pad_right);

    scratch(t, RNET_CONV_STEP_FLOATS(c->in, c->out, c->kernel_height,
                                     c->kernel_width, c->groups),
            RNET_WORKER_FLOATS + worker);
}

static long taps_of(const struct conv *conv)
{
    return (long)conv->c.kernel_height * conv->c.kernel_width;
}

static long weights_of(const struct conv *conv)
{
    long blocks = conv->depthwise ? (conv->c.out + 15) / 16
                                  : (conv->out + 15) / 16 * conv->c.groups;

    return blocks * 16 * taps_of(conv) * (conv->depthwise ? 1 : conv->in);
}

/* RNET_PACK_CONV: [groups][out / 16][kh][kw][in][16], depthwise
 * [kh][kw][out rounded up to 16] */
static float *weight(const struct conv *conv, float *w, int o, int i, long tap)
{
    long blocks = (conv->out + 15) / 16;

    if (conv->depthwise)
        return w + tap * ((conv->c.out + 15) / 16 * 16) + o;
    return w + (((o / conv->out * blocks + o % conv->out / 16) * taps_of(conv)
                 + tap) * conv->in + i) * 16 + o % conv->out % 16;
}

/* 0 is their padding. */
static float *weights(struct trial *t, const struct conv *conv)
{
    float *w = params(t, weights_of(conv), 0, 0);

    for (int o = 0; o < conv->c.out; o++)
        for (int i = 0; i < conv->in; i++)
            for (long tap = 0; tap < taps_of(conv); tap++)
                *weight(conv, w, o, i, tap) = whole(t, -1, 1);
    return w;
}

static struct shape input_shape(const struct conv *conv)
{
    long pixels = (long)conv->c.height * conv->c.width;

    return plain(conv->batch * pixels, pixels, conv->c.in);
}

static struct shape output_shape(const struct conv *conv)
{
    long pixels = (long)conv->c.out_height * conv->c.out_width;

    return plain(conv->batch * pixels, pixels, conv->c.out);
}

/* One product of a convolution: what it reads and what it makes. */
struct product { long x, y; int o, i; long tap; };
typedef void visit(void *context, const struct product *p);

/* Taps of one pixel of the result. */
static void at_pixel(const struct conv *conv, struct product p, long image,
                     int oy, int ox, visit *f, void *context)
{
    const struct rnet_conv *c = &conv->c;
    long pixel = (image * c->out_height + oy) * c->out_width + ox;

    for (p.tap = 0; p.tap < taps_of(conv); p.tap++) {
        long y = (long)oy * c->stride_y - c->pad_top
                 + p.tap / c->kernel_width * c->dilation_y;
        long x = (long)ox * c->stride_x - c->pad_left
                 + p.tap % c->kernel_width * c->dilation_x;

        if (y < 0 || y >= c->height || x < 0 || x >= c->width)
            continue;
        p.y = pixel * c->out + p.o;
        p.x = ((image * c->height + y) * c->width + x) * c->in
              + p.o / conv->out * conv->in + p.i;
        f(context, &p);
    }
}

static void every_product(const struct conv *conv, visit *f, void *context)
{
    struct product p = { 0 };

    for (long image = 0; image < conv->batch; image++)
        for (int oy = 0; oy < conv->c.out_height; oy++)
            for (int ox = 0; ox < conv->c.out_width; ox++)
                for (p.o = 0; p.o < conv->c.out; p.o++)
                    for (p.i = 0; p.i < conv->in; p.i++)
                        at_pixel(conv, p, image, oy, ox, f, context);
}

struct book {
    const struct conv *conv;
    double *x, *y;
    float *w, *dw;
};

static void add_forward(void *context, const struct product *p)
{
    struct book *b = context;

    b->y[p->y] += b->x[p->x] * *weight(b->conv, b->w, p->o, p->i, p->tap);
}

static void add_input_grad(void *context, const struct product *p)
{
    struct book *b = context;

    b->x[p->x] += b->y[p->y] * *weight(b->conv, b->w, p->o, p->i, p->tap);
}

static void add_weight_grad(void *context, const struct product *p)
{
    struct book *b = context;

    *weight(b->conv, b->dw, p->o, p->i, p->tap) +=
        (float)(b->x[p->x] * b->y[p->y]);
}

/* batch, in, out, mode */
static void conv(struct trial *t, const int *d)
{
    struct conv k = conv_of(t, d);
    struct value x = given(t, input_shape(&k), -2, 2);
    struct rnet_steps input = program(t, &x, pick(t, 4)), steps;
    struct book book = { .conv = &k, .w = weights(t, &k) };

    steps = tail(t, output_shape(&k));
    conv_scratch(t, &k.c);
    if (!t->book) {
        rnet_conv(&t->run, d[0], &k.c, input, book.w, steps);
        return;
    }
    book.x = accumulator(t, input_shape(&k));
    book.y = accumulator(t, output_shape(&k));
    book_steps(t, input, book.x);
    every_product(&k, add_forward, &book);
    book_steps(t, steps, book.y);
}

/* db += sum dy */
static void book_bias(const struct conv *k, const double *y, float *db)
{
    for (long i = 0; i < output_shape(k).rows * k->c.out; i++)
        db[i % k->c.out] += (float)y[i];
}

/* What the input program made, which steps of the tail may read. */
static const float *made_input(struct trial *t, const struct conv *k,
                               const double *x)
{
    long count = input_shape(k).rows * k->c.in;
    float *input = room(t, count, 64);

    for (long i = 0; i < count; i++)
        input[i] = (float)x[i];
    return input;
}

/* What the backward kernels are given. */
struct back {
    struct value x, dy;
    struct rnet_steps input, output, tail;
    struct book book;
    const struct conv *conv;
};

/* `asked` & 4: for the input's gradient */
static struct back back_of(struct trial *t, const struct conv *k, int asked)
{
    struct back back = { .conv = k, .tail = RNET_NO_STEPS };

    back.x = given(t, input_shape(k), -2, 2);
    back.dy = given(t, output_shape(k), -2, 2);
    back.input = program(t, &back.x, pick(t, 4));
    back.output = program(t, &back.dy, pick(t, 3));
    back.book = (struct book) { .conv = k, .w = weights(t, k) };
    t->takes_input = 1;
    if (asked & 4)
        back.tail = tail(t, input_shape(k));
    return back;
}

static void book_back(struct trial *t, struct back *back, float *db)
{
    const struct conv *k = back->conv;
    struct book *book = &back->book;

    book->x = accumulator(t, input_shape(k));
    book->y = accumulator(t, output_shape(k));
    book_steps(t, back->input, book->x);
    book_steps(t, back->output, book->y);
    if (db)
        book_bias(k, book->y, db);
    if (book->dw)
        every_product(k, add_weight_grad, book);
    t->input = made_input(t, k, book->x);
    book->x = accumulator(t, input_shape(k));
    every_product(k, add_input_grad, book);
    if (back->tail.count)
        book_steps(t, back->tail, book->x);
}

/* ..., what is asked for: dw 1, db too 2, the input's gradient 4 */
static void conv_grad(struct trial *t, const int *d)
{
    struct conv k = conv_of(t, d);
    struct back back = back_of(t, &k, d[4]);
    float *db = d[4] & 2 ? added_to(t, params(t, k.c.out, -2, 2), k.c.out)
                         : NULL;

    if (d[4] & 1)
        back.book.dw = added_to(t, weights(t, &k), weights_of(&k));
    conv_scratch(t, &k.c);
    if (t->book)
        book_back(t, &back, db);
    else
        rnet_conv_grad(&t->run, d[0], &k.c, back.input, back.output,
                       back.book.w, back.book.dw, db, back.tail);
}

/* ..., what takes a step: the weights, a bias too 2; the input's gradient 4 */
static void conv_step(struct trial *t, const int *d)
{
    struct conv k = conv_of(t, d);
    struct back back = back_of(t, &k, d[4]);
    struct stepping s = stepping(t, back.book.w, weights_of(&k),
                                 d[4] & 2 ? k.c.out : 0);

    conv_scratch(t, &k.c);
    if (!t->book) {
        rnet_conv_step(&t->run, d[0], &k.c, back.input, back.output, s.w, s.b,
                       back.tail);
        return;
    }
    float *db = zeros(t, k.c.out);
    back.book.dw = zeros(t, weights_of(&k));
    book_back(t, &back, db);
    if (d[0] > 0)
        book_step(&s, back.book.dw, db);
}

static void upconv(struct trial *t, const int *d)
{
    struct conv k = conv_of(t, d);
    struct value y = given(t, output_shape(&k), -2, 2);
    struct rnet_steps input = program(t, &y, pick(t, 4)), steps;
    struct book book = { .conv = &k, .w = weights(t, &k) };

    steps = tail(t, input_shape(&k));
    conv_scratch(t, &k.c);
    if (!t->book) {
        rnet_upconv(&t->run, d[0], &k.c, input, book.w, steps);
        return;
    }
    book.x = accumulator(t, input_shape(&k));
    book.y = accumulator(t, output_shape(&k));
    book_steps(t, input, book.y);
    every_product(&k, add_input_grad, &book);
    book_steps(t, steps, book.x);
}

/* ---------------------------------------------------------------- pooling */

/* A window of an axis, and the pixels it holds. */
struct axis { int size, out, kernel, stride, pad; };

static int first_of(struct axis a, int o)
{
    int first = o * a.stride - a.pad;

    return first < 0 ? 0 : first;
}

static int end_of(struct axis a, int o)
{
    int end = o * a.stride - a.pad + a.kernel;

    return end > a.size ? a.size : end;
}

/* Sizes of one axis: kernels larger than the map, gaps between windows, what
 * crops. */
static struct axis draw_axis(struct trial *t, int kind)
{
    static const int sizes[] = { 1, 2, 3, 5, 8, 9 };
    struct axis a;
    int room;

    if (kind == RNET_POOL_TENT) {
        int s = 2 + pick(t, 3), out = 1 + pick(t, 4);

        return (struct axis) { s * out, out, 2 * s, s, s / 2 };
    }
    do {
        a.size = sizes[pick(t, 6)];
        a.kernel = 1 + pick(t, 5);
        a.stride = 1 + pick(t, 4);
        a.pad = kind == RNET_POOL_SUM ? pick(t, 4) - 1
                                      : pick(t, a.kernel / 2 + 1);
        room = a.size + 2 * a.pad - a.kernel;
    } while (room < 0);
    a.out = room / a.stride + 1;
    return a;
}

struct pool { struct axis y, x; struct rnet_pool_shape shape; };

/* batch, kind, channels, count the padding, more channels of the output */
static struct pool pool_of(struct trial *t, const int *d)
{
    struct pool p = { .y = draw_axis(t, d[1]), .x = draw_axis(t, d[1]) };

    if (d[0] == 1 && d[2] == 65 && d[1] != RNET_POOL_TENT)
        p.y = p.x = (struct axis) { 41, 20, 3, 2, 0 };  /* several tasks */
    t->run.batch = d[0];
    p.shape = (struct rnet_pool_shape) {
        .kind = (enum rnet_pool_kind)d[1], .height = p.y.size,
        .width = p.x.size, .channels = d[2], .out_height = p.y.out,
        .out_width = p.x.out, .out_channels = d[2] + d[4],
        .kernel_height = p.y.kernel, .kernel_width = p.x.kernel,
        .stride_y = p.y.stride, .stride_x = p.x.stride, .pad_top = p.y.pad,
        .pad_left = p.x.pad, .count_pad = d[3]
    };
    return p;
}

static double tent(struct axis a, int pixel, int o)
{
    double place = (pixel + 0.5) / a.stride - 0.5;
    double clamped = fmax(0, fmin(place, a.out - 1));

    return fmax(0, 1 - fabs(clamped - o));
}

static int winner(const struct pool *p, const struct value *x, long image,
                  int oy, int ox, int c, int *column)
{
    int row = -1;
    double best = 0;

    for (int i = first_of(p->y, oy); i < end_of(p->y, oy); i++)
        for (int j = first_of(p->x, ox); j < end_of(p->x, ox); j++) {
            double v = *at(x, (image * p->y.size + i) * p->x.size + j, c);

            if (row < 0 || v > best) {
                best = v;
                row = i;
                *column = j;
            }
        }
    return row;
}

static double share(const struct pool *p, int i, int j, int oy, int ox)
{
    int rows = end_of(p->y, oy) - first_of(p->y, oy);
    int columns = end_of(p->x, ox) - first_of(p->x, ox);

    if (p->shape.kind == RNET_POOL_TENT)
        return tent(p->y, i, oy) * tent(p->x, j, ox);
    if (p->shape.kind == RNET_POOL_SUM)
        return 1;
    return 1.0 / (p->shape.count_pad ? p->y.kernel * p->x.kernel
                                     : rows * columns);
}

/* One window of one channel: y from x, or x's gradient from y. */
static void window(const struct pool *p, const struct value *x, double *small,
                   double *large, long image, int oy, int ox, int c, int back)
{
    double *y = small + ((image * p->y.out + oy) * p->x.out + ox)
                            * (back ? p->shape.channels
                                    : p->shape.out_channels) + c;
    double *map = large ? large + image * p->y.size * p->x.size
                                      * p->shape.channels + c : NULL;
    int column = 0, row;

    if (p->shape.kind == RNET_POOL_MAX) {
        row = winner(p, x, image, oy, ox, c, &column);
        if (row >= 0 && back)
            map[(row * p->x.size + column) * p->shape.channels] += *y;
        else if (row >= 0)
            *y = *at(x, (image * p->y.size + row) * p->x.size + column, c);
        return;
    }
    for (int i = first_of(p->y, oy); i < end_of(p->y, oy); i++)
        for (int j = first_of(p->x, ox); j < end_of(p->x, ox); j++)
            if (back)
                map[(i * p->x.size + j) * p->shape.channels] +=
                    *y * share(p, i, j, oy, ox);
            else
                *y += share(p, i, j, oy, ox)
                      * *at(x, (image * p->y.size + i) * p->x.size + j, c);
}

static void every_window(const struct pool *p, long batch,
                         const struct value *x, double *small, double *large,
                         int back)
{
    for (long image = 0; image < batch; image++)
        for (int oy = 0; oy < p->y.out; oy++)
            for (int ox = 0; ox < p->x.out; ox++)
                for (int c = 0; c < p->shape.channels; c++)
                    window(p, x, small, large, image, oy, ox, c, back);
}

static struct shape map_of(long batch, int height, int width, int channels)
{
    long pixels = (long)height * width;

    return plain(batch * pixels, pixels, channels);
}

static void pool(struct trial *t, const int *d)
{
    struct pool p = pool_of(t, d);
    struct shape from = map_of(d[0], p.y.size, p.x.size, d[2]);
    struct shape to = map_of(d[0], p.y.out, p.x.out, p.shape.out_channels);
    struct value x = given(t, from, -4, 4);
    struct rnet_steps steps = tail(t, to);
    double *acc = accumulator(t, to);

    if (!t->book) {
        rnet_pool(&t->run, d[0], &p.shape, x.p, x.stride, steps);
        return;
    }
    every_window(&p, d[0], &x, acc, NULL, 0);
    book_steps(t, steps, acc);
}

static void pool_grad(struct trial *t, const int *d)
{
    struct pool p = pool_of(t, d);
    struct shape from = map_of(d[0], p.y.out, p.x.out, d[2]);
    struct shape to = map_of(d[0], p.y.size, p.x.size, d[2]);
    struct value dy = given(t, from, -4, 4), x = given(t, to, -2, 2);
    struct rnet_steps steps = tail(t, to);
    double *acc = accumulator(t, to), *y = accumulator(t, from);
    int max = p.shape.kind == RNET_POOL_MAX;

    if (!t->book) {
        rnet_pool_grad(&t->run, d[0], &p.shape, dy.p, dy.stride,
                       max ? x.p : NULL, max ? x.stride : 0, steps);
        return;
    }
    for (long i = 0; i < from.rows * d[2]; i++)
        y[i] = *at(&dy, i / d[2], i % d[2]);
    every_window(&p, d[0], &x, y, acc, 1);
    book_steps(t, steps, acc);
}

static const int batches[] = { 0, 1, 2, 5, 9, -1 };
static const int channels[] = { 1, 2, 3, 4, 8, 15, 16, 17, 31, 32, 33, 48, 64,
                                65, -1 };
static const int modes[] = { 0, 1, 2, 3, -1 };
static const int asked_for[] = { 1, 3, 4, 5, 7, -1 };
static const int kinds[] = { 0, 1, 2, 3, -1 };
static const int more[] = { 0, 1, 16, 33, -1 };

const struct kernel map_kernels[] = {
    { "rnet_conv", conv, 1, 0, { batches, channels, channels, modes },
      { { 2, 3, 21, 0 }, { 2, 16, 32, 0 } } },
    { "rnet_conv_grad", conv_grad, 1, 0,
      { batches, channels, channels, modes, asked_for },
      { { 2, 21, 3, 0, 7 }, { 2, 32, 16, 0, 4 } } },
    { "rnet_conv_step", conv_step, 1, 0,
      { batches, channels, channels, modes, asked_for },
      { { 2, 21, 3, 0, 7 }, { 2, 32, 16, 0, 4 } } },
    { "rnet_upconv", upconv, 1, 0, { batches, channels, channels, modes },
      { { 2, 21, 3, 0 }, { 2, 32, 16, 0 } } },
    { "rnet_pool", pool, 1, 2e-6, { batches, kinds, around, bits, more },
      { { 2, RNET_POOL_MAX, 21, 0, 0 }, { 2, RNET_POOL_AVERAGE, 32, 0, 3 } } },
    { "rnet_pool_grad", pool_grad, 1, 2e-6, { batches, kinds, around, bits },
      { { 2, RNET_POOL_MAX, 21, 0, 0 }, { 2, RNET_POOL_AVERAGE, 32, 0, 0 } } },
    { NULL, NULL, 0, 0, { NULL }, { { 0 } } },
};
