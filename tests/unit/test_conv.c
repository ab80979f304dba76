/* Convolution: every instruction set against the scalar twin, the twin
 * against the textbook's loops, on integers, exactly. */
#include "maps.h"

enum { STORE, AFFINE_ADD_RELU, MOMENTS, SLICE, ACCUMULATE, ODD, TAILS };
enum { NO_TAIL, INPUT_STORE, INPUT_MASK, INPUT_CENTRED, INPUT_ADD, INPUT_ODD,
       INPUT_MOMENTS, INPUT_TAILS };

struct problem {
    struct rnet_conv conv;
    long batch;
    int x_gap, y_gap;           /* strides beyond the channels */
    int program;                /* LOAD; LOAD, AFFINE, RELU; LOAD, AFFINE2;
                                   LOAD, ADD, RELU, STORE */
    int tail, grad_tail, bias;
    int transposed;             /* dx is made by rnet_upconv */
};

/* Everything one problem reads and writes. */
struct data {
    struct guarded x, a, b;             /* input; AFFINE of the program */
    struct guarded y, add, bias, sums;  /* forward; also AFFINE's b, shift */
    struct guarded dy, dw, db;          /* backward */
    struct guarded dx, dx_add, dx_sums;
    struct guarded kept;                /* what the program stores */
    struct guarded w;                   /* packed */
    float *published;
};

/* -------------------------------------------------------------- sizes */

static int depthwise(const struct rnet_conv *c)
{
    return c->in == c->groups && c->out == c->groups;
}

static size_t packed_index(const struct rnet_conv *c, int o, int i, int r,
                           int s)
{
    int in = c->in / c->groups, out = c->out / c->groups;
    int g = o / out, l = o % out, blocks = (out + 15) / 16;
    size_t tap = (size_t)(r * c->kernel_width + s);
    size_t taps = (size_t)(c->kernel_height * c->kernel_width);

    if (depthwise(c))
        return tap * (size_t)((c->out + 15) / 16 * 16) + (size_t)o;
    return ((((size_t)(g * blocks + l / 16) * taps + tap) * (size_t)in
             + (size_t)i) * 16) + (size_t)(l % 16);
}

static size_t packed_floats(const struct rnet_conv *c)
{
    size_t taps = (size_t)(c->kernel_height * c->kernel_width);
    int in = c->in / c->groups, out = c->out / c->groups;

    if (depthwise(c))
        return taps * (size_t)((c->out + 15) / 16 * 16);
    return (size_t)(c->groups * ((out + 15) / 16) * in * 16) * taps;
}

static size_t published_index(const struct rnet_conv *c, int o, int i, int r,
                              int s)
{
    return (((size_t)o * (size_t)(c->in / c->groups) + (size_t)i)
            * (size_t)c->kernel_height + (size_t)r)
           * (size_t)c->kernel_width + (size_t)s;
}

static size_t worker_floats(const struct rnet_conv *c)
{
    return RNET_WORKER_FLOATS
        + RNET_CONV_WORKER_FLOATS(c->height, c->width, c->in, c->out_height,
                                  c->out_width, c->out, c->kernel_height,
                                  c->kernel_width, c->dilation_y,
                                  c->dilation_x, c->pad_top, c->pad_left,
                                  c->pad_bottom, c->pad_right);
}

static size_t scratch_floats(const struct rnet_conv *c)
{
    return RNET_CONV_SCRATCH_FLOATS(c->in, c->out, c->kernel_height,
                                    c->kernel_width, c->groups);
}

static long pixels_in(const struct rnet_conv *c)
{
    return (long)c->height * c->width;
}

static long pixels_out(const struct rnet_conv *c)
{
    return (long)c->out_height * c->out_width;
}

static void finish(struct rnet_conv *c)
{
    c->out_height = (c->height + c->pad_top + c->pad_bottom
                     - c->dilation_y * (c->kernel_height - 1) - 1)
                    / c->stride_y + 1;
    c->out_width = (c->width + c->pad_left + c->pad_right
                    - c->dilation_x * (c->kernel_width - 1) - 1)
                   / c->stride_x + 1;
}

static void print_problem(const struct problem *p)
{
    const struct rnet_conv *c = &p->conv;

    printf("batch %ld, %dx%dx%d -> %dx%dx%d, kernel %dx%d, stride %d %d, "
           "dilation %d %d, pad %d %d %d %d, groups %d, gaps %d %d, program "
           "%d, tails %d %d, transposed %d\n", p->batch, c->height, c->width, c->in,
           c->out_height, c->out_width, c->out, c->kernel_height,
           c->kernel_width, c->stride_y, c->stride_x, c->dilation_y,
           c->dilation_x, c->pad_top, c->pad_left, c->pad_bottom,
           c->pad_right, c->groups, p->x_gap, p->y_gap, p->program, p->tail,
           p->grad_tail, p->transposed);
}

/* --------------------------------------------------------------- data */

static struct guarded integers(long rows, long features, long stride)
{
    struct guarded g = guarded(floats_of(rows, features, stride));

    fill_rows(g.p, rows, features, stride);
    return g;
}

static void make_weights(struct data *d, const struct rnet_conv *c)
{
    size_t count = (size_t)c->out * (size_t)(c->in / c->groups)
                   * (size_t)(c->kernel_height * c->kernel_width);

    d->published = malloc(count * sizeof(float));
    d->w = guarded(packed_floats(c));
    memset(d->w.p, 0, d->w.count * sizeof(float));
    for (int o = 0; o < c->out; o++)
        for (int i = 0; i < c->in / c->groups; i++)
            for (int r = 0; r < c->kernel_height; r++)
                for (int s = 0; s < c->kernel_width; s++) {
                    float value = small_integer();

                    d->published[published_index(c, o, i, r, s)] = value;
                    d->w.p[packed_index(c, o, i, r, s)] = value;
                }
}

/* Lines of an image's sums. */
static long sums_of(int moments)
{
    return moments ? 3 : 2;
}

static struct data make_data(const struct problem *p)
{
    const struct rnet_conv *c = &p->conv;
    long in_rows = p->batch * pixels_in(c), out_rows = p->batch * pixels_out(c);
    struct data d = {
        .x = integers(in_rows, c->in, c->in + p->x_gap),
        .a = integers(1, c->in, c->in), .b = integers(1, c->in, c->in),
        .y = integers(out_rows, c->out, c->out + p->y_gap),
        .add = integers(out_rows, c->out, c->out + p->y_gap),
        .bias = integers(1, c->out, c->out),
        .sums = guarded((size_t)(p->batch * sums_of(p->tail == MOMENTS)
                                * c->out)),
        .dy = integers(out_rows, c->out, c->out + p->y_gap),
        .dw = integers(1, (long)packed_floats(c), (long)packed_floats(c)),
        .db = integers(1, c->out, c->out),
        .dx = integers(in_rows, c->in, c->in + p->x_gap),
        .dx_add = integers(in_rows, c->in, c->in + p->x_gap),
        .dx_sums = guarded((size_t)(p->batch
                                   * sums_of(p->grad_tail == INPUT_MOMENTS)
                                   * c->in)),
        .kept = guarded(floats_of(in_rows, c->in, c->in + p->x_gap)),
    };

    make_weights(&d, c);
    return d;
}

static void free_data(struct data *d)
{
    struct guarded *all[] = { &d->x, &d->a, &d->b, &d->y, &d->add, &d->bias,
                              &d->sums, &d->dy, &d->dw, &d->db, &d->dx,
                              &d->dx_add, &d->dx_sums, &d->kept, &d->w };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        release(all[i]);
    free(d->published);
}

/* The same inputs, and outputs of its own. */
static struct data outputs_of(const struct data *d)
{
    struct data e = *d;

    e.y = copy_of(&d->y);
    e.sums = copy_of(&d->sums);
    e.dw = copy_of(&d->dw);
    e.db = copy_of(&d->db);
    e.dx = copy_of(&d->dx);
    e.dx_sums = copy_of(&d->dx_sums);
    e.kept = copy_of(&d->kept);
    return e;
}

static void free_outputs(struct data *e)
{
    release(&e->y);
    release(&e->sums);
    release(&e->dw);
    release(&e->db);
    release(&e->dx);
    release(&e->dx_sums);
    release(&e->kept);
}

/* -------------------------------------------------------- the textbook */

static float input_at(const struct problem *p, const struct data *d, long n,
                      int y, int x, int i)
{
    const struct rnet_conv *c = &p->conv;
    float v;

    if (y < 0 || x < 0 || y >= c->height || x >= c->width)
        return 0;
    long at = ((n * c->height + y) * c->width + x) * (c->in + p->x_gap) + i;

    v = d->x.p[at];
    if (p->program == 1)
        v = v * d->a.p[i] + d->b.p[i];
    if (p->program == 2)
        v = v * d->a.p[i] + d->b.p[i] * d->dx_add.p[at] + d->a.p[i];
    if (p->program == 3)
        v += d->dx_add.p[at];
    return v > 0 || p->program % 2 == 0 ? v : 0;
}

static void textbook_kept(const struct problem *p, struct data *d)
{
    const struct rnet_conv *c = &p->conv;

    for (long row = 0; p->program == 3 && row < p->batch * pixels_in(c); row++)
        for (int i = 0; i < c->in; i++)
            d->kept.p[row * (c->in + p->x_gap) + i]
                = input_at(p, d, row / pixels_in(c),
                           (int)(row % pixels_in(c) / c->width),
                           (int)(row % c->width), i);
}

static float gradient_at(const struct problem *p, const struct data *d,
                         long row, int o)
{
    return d->dy.p[row * (p->conv.out + p->y_gap) + o];
}

static float textbook_y(const struct problem *p, const struct data *d, long n,
                        int oy, int ox, int o)
{
    const struct rnet_conv *c = &p->conv;
    int in = c->in / c->groups, g = o / (c->out / c->groups);
    float sum = 0;

    for (int r = 0; r < c->kernel_height; r++)
        for (int s = 0; s < c->kernel_width; s++)
            for (int i = 0; i < in; i++)
                sum += input_at(p, d, n,
                                oy * c->stride_y + r * c->dilation_y
                                - c->pad_top,
                                ox * c->stride_x + s * c->dilation_x
                                - c->pad_left, g * in + i)
                       * d->published[published_index(c, o, i, r, s)];
    return sum;
}

/* About what the image's first pixel has. */
static void add_moments(float *sums, long channels, float acc, int first)
{
    if (first)
        sums[2 * channels] = acc;
    acc -= sums[2 * channels];
    sums[0] += acc;
    sums[channels] += acc * acc;
}

static void textbook_tail(const struct problem *p, struct data *d, long n,
                          long row, int o, float acc)
{
    const struct rnet_conv *c = &p->conv;
    float *y = d->y.p + row * (c->out + p->y_gap) + o;
    float *sums = d->sums.p + n * sums_of(p->tail == MOMENTS) * c->out + o;
    float bias = d->bias.p[o], add = d->add.p[row * (c->out + p->y_gap) + o];

    switch (p->tail) {
    case AFFINE_ADD_RELU:
        acc = acc * bias + bias + add;
        *y = acc > 0 ? acc : 0;
        break;
    case MOMENTS:
        add_moments(sums, c->out, acc, row % pixels_out(c) == 0);
        *y = acc;
        break;
    case ACCUMULATE:
        *y += acc + bias;
        break;
    case ODD:
        *y = (acc + add) * 2 - add;
        break;
    default:
        *y = acc;
    }
}

static void textbook_forward(const struct problem *p, struct data *d)
{
    const struct rnet_conv *c = &p->conv;

    if (p->tail == MOMENTS)
        memset(d->sums.p, 0, d->sums.count * sizeof(float));
    for (long n = 0; n < p->batch; n++)
        for (int oy = 0; oy < c->out_height; oy++)
            for (int ox = 0; ox < c->out_width; ox++)
                for (int o = 0; o < c->out; o++)
                    textbook_tail(p, d, n, (n * c->out_height + oy)
                                           * c->out_width + ox, o,
                                  textbook_y(p, d, n, oy, ox, o));
}

static void textbook_input_tail(const struct problem *p, struct data *d,
                                long n, long row, int y, int x, int i,
                                float acc)
{
    const struct rnet_conv *c = &p->conv;
    float *dx = d->dx.p + row * (c->in + p->x_gap) + i;
    float add = d->dx_add.p[row * (c->in + p->x_gap) + i];
    float *sums = d->dx_sums.p
                  + n * sums_of(p->grad_tail == INPUT_MOMENTS) * c->in + i;
    float value = input_at(p, d, n, y, x, i);

    switch (p->grad_tail) {
    case NO_TAIL:
        break;
    case INPUT_STORE:
        *dx = acc;
        break;
    case INPUT_MASK:
        *dx = value > 0 ? acc : 0;
        break;
    case INPUT_CENTRED:
        acc = value > 0 ? acc : 0;
        *dx = acc;
        sums[0] += acc;
        sums[c->in] += acc * (add - d->b.p[i]);
        break;
    case INPUT_ADD:
        *dx += acc;
        break;
    case INPUT_MOMENTS:
        *dx = acc + add;
        add_moments(sums, c->in, *dx, y == 0 && x == 0);
        break;
    default:
        *dx = (acc + add) * 2 - value;
    }
}

/* dx, one output at a time into `sum`, then the tail. */
static void textbook_dx(const struct problem *p, struct data *d)
{
    const struct rnet_conv *c = &p->conv;
    int in = c->in / c->groups, out = c->out / c->groups;
    float *sum = calloc((size_t)(p->batch * pixels_in(c) * c->in),
                        sizeof *sum);

    for (long row = 0; row < p->batch * pixels_out(c); row++)
        for (int o = 0; o < c->out; o++)
            for (int r = 0; r < c->kernel_height; r++)
                for (int s = 0; s < c->kernel_width; s++) {
                    long n = row / pixels_out(c), at = row % pixels_out(c);
                    long y = at / c->out_width * c->stride_y
                             + r * c->dilation_y - c->pad_top;
                    long x = at % c->out_width * c->stride_x
                             + s * c->dilation_x - c->pad_left;

                    if (y < 0 || x < 0 || y >= c->height || x >= c->width)
                        continue;
                    for (int i = 0; i < in; i++)
                        sum[((n * c->height + y) * c->width + x) * c->in
                            + o / out * in + i]
                            += gradient_at(p, d, row, o)
                               * d->published[published_index(c, o, i, r, s)];
                }
    if (p->grad_tail == INPUT_CENTRED || p->grad_tail == INPUT_MOMENTS)
        memset(d->dx_sums.p, 0, d->dx_sums.count * sizeof(float));
    for (long row = 0; row < p->batch * pixels_in(c); row++)
        for (int i = 0; i < c->in; i++)
            textbook_input_tail(p, d, row / pixels_in(c), row,
                                (int)(row % pixels_in(c) / c->width),
                                (int)(row % c->width), i,
                                sum[row * c->in + i]);
    free(sum);
}

static void textbook_backward(const struct problem *p, struct data *d)
{
    const struct rnet_conv *c = &p->conv;
    int in = c->in / c->groups, out = c->out / c->groups;

    for (long row = 0; row < p->batch * pixels_out(c); row++)
        for (int o = 0; o < c->out; o++) {
            long n = row / pixels_out(c), at = row % pixels_out(c);
            float g = gradient_at(p, d, row, o);

            if (p->bias)
                d->db.p[o] += g;
            for (int r = 0; r < c->kernel_height; r++)
                for (int s = 0; s < c->kernel_width; s++)
                    for (int i = 0; i < in; i++)
                        d->dw.p[packed_index(c, o, i, r, s)] += g * input_at(
                            p, d, n,
                            (int)(at / c->out_width) * c->stride_y
                            + r * c->dilation_y - c->pad_top,
                            (int)(at % c->out_width) * c->stride_x
                            + s * c->dilation_x - c->pad_left,
                            o / out * in + i);
        }
    if (p->grad_tail != NO_TAIL)
        textbook_dx(p, d);
}

/* ---------------------------------------------------------- the library */

#define FULL(o, pointer, s) \
    { .op = RNET_##o, .kind = RNET_FULL, .x = pointer, .stride = s }
#define BARE(o) { .op = RNET_##o }
#define CONSTANT(o, v) { .op = RNET_##o, .kind = RNET_CONST, .value = v }
#define INPUT(o) { .op = RNET_##o, .kind = RNET_INPUT }
#define FEATURE(o, pointer) \
    { .op = RNET_##o, .kind = RNET_FEATURE, .x = pointer }
#define TEMP(o) { .op = RNET_##o, .kind = RNET_TEMP, .stride = 1 }

static struct rnet_steps program_of(const struct problem *p,
                                    const struct data *d,
                                    struct rnet_step *steps)
{
    static const int counts[] = { 1, 3, 2, 4 };
    long stride = p->conv.in + p->x_gap;

    steps[0] = (struct rnet_step) FULL(LOAD, d->x.p, stride);
    steps[1] = (struct rnet_step) { .op = RNET_AFFINE, .a = d->a.p,
                                    .b = d->b.p };
    steps[2] = (struct rnet_step) BARE(RELU);
    steps[3] = (struct rnet_step) FULL(STORE, d->kept.p, stride);
    if (p->program == 2)
        steps[1] = (struct rnet_step) {
            .op = RNET_AFFINE2, .kind = RNET_FULL, .x = d->dx_add.p,
            .stride = stride, .a = d->a.p, .b = d->b.p, .c = d->a.p
        };
    if (p->program == 3)
        steps[1] = (struct rnet_step) FULL(ADD, d->dx_add.p, stride);
    return (struct rnet_steps) { steps, counts[p->program] };
}

static struct rnet_steps tail_of(const struct problem *p,
                                 const struct data *d, struct rnet_step *s)
{
    long stride = p->conv.out + p->y_gap;
    const struct rnet_step store = FULL(STORE, d->y.p, stride);
    const struct rnet_step add = FULL(ADD, d->add.p, stride);

    s[0] = store;
    switch (p->tail) {
    case AFFINE_ADD_RELU:
        s[0] = (struct rnet_step) { .op = RNET_AFFINE, .a = d->bias.p,
                                    .b = d->bias.p };
        s[1] = add;
        s[2] = (struct rnet_step) BARE(RELU);
        s[3] = store;
        return (struct rnet_steps) { s, 4 };
    case MOMENTS:
        s[0] = (struct rnet_step) { .op = RNET_SUM_MOMENTS, .sums = d->sums.p };
        s[1] = store;
        return (struct rnet_steps) { s, 2 };
    case ACCUMULATE:
        s[0] = (struct rnet_step) FEATURE(ADD, d->bias.p);
        s[1] = (struct rnet_step) FULL(ACCUMULATE, d->y.p, stride);
        return (struct rnet_steps) { s, 2 };
    case ODD:
        s[0] = add;
        s[1] = (struct rnet_step) TEMP(STORE);
        s[2] = (struct rnet_step) TEMP(ADD);
        s[3] = (struct rnet_step) FULL(SUB, d->add.p, stride);
        s[4] = store;
        return (struct rnet_steps) { s, 5 };
    default:
        return (struct rnet_steps) { s, 1 };
    }
}

static struct rnet_steps grad_tail_of(const struct problem *p,
                                      const struct data *d,
                                      struct rnet_step *s)
{
    long stride = p->conv.in + p->x_gap;
    const struct rnet_step store = FULL(STORE, d->dx.p, stride);

    switch (p->grad_tail) {
    case NO_TAIL:
        return RNET_NO_STEPS;
    case INPUT_STORE:
        s[0] = store;
        return (struct rnet_steps) { s, 1 };
    case INPUT_MASK:
        s[0] = (struct rnet_step) INPUT(RELU_GRAD);
        s[1] = store;
        return (struct rnet_steps) { s, 2 };
    case INPUT_CENTRED:
        s[0] = (struct rnet_step) INPUT(RELU_GRAD);
        s[1] = store;
        s[2] = (struct rnet_step) {
            .op = RNET_SUM_CENTRED, .kind = RNET_FULL, .x = d->dx_add.p,
            .stride = stride, .b = d->b.p, .sums = d->dx_sums.p
        };
        return (struct rnet_steps) { s, 3 };
    case INPUT_ADD:
        s[0] = (struct rnet_step) FULL(ACCUMULATE, d->dx.p, stride);
        return (struct rnet_steps) { s, 1 };
    case INPUT_MOMENTS:
        s[0] = (struct rnet_step) FULL(ADD, d->dx_add.p, stride);
        s[1] = (struct rnet_step) { .op = RNET_SUM_MOMENTS,
                                    .sums = d->dx_sums.p };
        s[2] = store;
        return (struct rnet_steps) { s, 3 };
    default:
        s[0] = (struct rnet_step) FULL(ADD, d->dx_add.p, stride);
        s[1] = (struct rnet_step) CONSTANT(MUL, 2);
        s[2] = (struct rnet_step) INPUT(SUB);
        s[3] = store;
        return (struct rnet_steps) { s, 4 };
    }
}

static void library(const struct problem *p, struct data *d, int threads)
{
    const struct rnet_conv *c = &p->conv;
    struct bench_run b = open_run(threads, p->batch, scratch_floats(c),
                                  worker_floats(c));
    struct rnet_step program[4], output[1], tail[6], grad_tail[6];
    struct rnet_steps input = program_of(p, d, program);

    b.run.work = &b.work;
    output[0] = (struct rnet_step) FULL(LOAD, d->dy.p, c->out + p->y_gap);
    rnet_conv(&b.run, p->batch, c, input, d->w.p, tail_of(p, d, tail));
    struct rnet_steps last = grad_tail_of(p, d, grad_tail);
    if (p->transposed)
        rnet_upconv(&b.run, p->batch, c, (struct rnet_steps) { output, 1 },
                    d->w.p, last);
    rnet_conv_grad(&b.run, p->batch, c, input,
                   (struct rnet_steps) { output, 1 }, d->w.p, d->dw.p,
                   p->bias ? d->db.p : NULL,
                   p->transposed ? RNET_NO_STEPS : last);
    close_run(&b);
}

/* Sums about 0: which pixel of an image comes first is the kernel's choice. */
static void about_zero(float *sums, long images, long channels, long pixels)
{
    for (long n = 0; n < images; n++, sums += 3 * channels)
        for (long c = 0; c < channels; c++) {
            double sum = sums[c], centre = sums[2 * channels + c];

            sums[c] += (float)(centre * (double)pixels);
            sums[channels + c] += (float)(centre * (2 * sum + centre
                                                    * (double)pixels));
            sums[2 * channels + c] = 0;
        }
}

static void centre_sums(const struct problem *p, struct data *d)
{
    const struct rnet_conv *c = &p->conv;

    if (p->tail == MOMENTS)
        about_zero(d->sums.p, p->batch, c->out, pixels_out(c));
    if (p->grad_tail == INPUT_MOMENTS)
        about_zero(d->dx_sums.p, p->batch, c->in, pixels_in(c));
}

static int agree(const struct data *a, const struct data *b)
{
    return equal(&a->y, &b->y, "y") && equal(&a->sums, &b->sums, "sums")
           && equal(&a->dw, &b->dw, "dw") && equal(&a->db, &b->db, "db")
           && equal(&a->dx, &b->dx, "dx")
           && equal(&a->dx_sums, &b->dx_sums, "dx_sums")
           && equal(&a->kept, &b->kept, "kept");
}

/* Padded output channels: their gradient is not touched. */
static void check_on(const struct problem *p, const struct data *d,
                     const struct data *expected, enum rnet_isa isa,
                     int threads)
{
    struct data found = outputs_of(d);

    chosen = isa;
    library(p, &found, threads);
    centre_sums(p, &found);
    if (!agree(&found, expected)) {
        print_problem(p);
        fail_msg("%s, %d threads", isa_names[isa], threads);
    }
    free_outputs(&found);
}

/* Whether rnet_upconv can end in this tail. */
static int stands_alone(int grad_tail)
{
    return grad_tail == INPUT_STORE || grad_tail == INPUT_ADD
           || grad_tail == INPUT_MOMENTS;
}

static void check(const struct problem *p)
{
    struct data d = make_data(p), expected = outputs_of(&d);

    textbook_kept(p, &expected);
    textbook_forward(p, &expected);
    textbook_backward(p, &expected);
    centre_sums(p, &expected);
    for (int isa = 0; isa < RNET_ISAS; isa++)
        if (isa_runs((enum rnet_isa)isa))
            check_on(p, &d, &expected, (enum rnet_isa)isa, 1 + pick(3));
    free_outputs(&expected);
    free_data(&d);
}

/* -------------------------------------------------------------- problems */

static struct problem plain(long batch, int size, int in, int out, int kernel,
                            int stride)
{
    struct problem p = {
        .conv = { .height = size, .width = size, .in = in, .out = out,
                  .kernel_height = kernel, .kernel_width = kernel,
                  .stride_y = stride, .stride_x = stride, .dilation_y = 1,
                  .dilation_x = 1, .pad_top = kernel / 2,
                  .pad_left = kernel / 2, .pad_bottom = kernel / 2,
                  .pad_right = kernel / 2, .groups = 1 },
        .batch = batch, .grad_tail = INPUT_STORE, .bias = 1
    };

    finish(&p.conv);
    return p;
}

static const int channels[] = { 1, 2, 3, 8, 12, 15, 16, 17, 24, 32, 33, 48,
                                64 };
#define CHANNELS (int)(sizeof channels / sizeof *channels)

static void test_channels(void **unused)
{
    (void)unused;
    for (int i = 0; i < CHANNELS; i++)
        for (int o = 0; o < CHANNELS; o++) {
            struct problem p = plain(1 + pick(2), 3 + pick(3), channels[i],
                                     channels[o], 3, 1);

            p.tail = pick(TAILS);
            p.grad_tail = pick(INPUT_TAILS);
            p.transposed = pick(2) && stands_alone(p.grad_tail);
            p.program = pick(4);
            check(&p);
        }
}

/* Widths around the sizes of the tiles. */
static void test_widths(void **unused)
{
    (void)unused;
    for (int width = 1; width <= 34; width++)
        for (int out = 16; out <= 64; out += 16) {
            struct problem p = plain(1, 2, 3, out, 1 + 2 * pick(2), 1);

            p.conv.width = width;
            finish(&p.conv);
            p.tail = pick(TAILS);
            p.grad_tail = pick(INPUT_TAILS);
            p.transposed = pick(2) && stands_alone(p.grad_tail);
            check(&p);
        }
}

static void test_batches(void **unused)
{
    static const long batches[] = { 1, 2, 3, 7, 33 };

    (void)unused;
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
        for (int size = 7; size <= 12; size += 2)
            for (int tail = 0; tail < TAILS; tail++) {
                struct problem p = plain(batches[i], size, 5, 18, 3,
                                         1 + tail % 2);

                p.tail = tail;
                p.grad_tail = tail % INPUT_TAILS;
                p.transposed = stands_alone(p.grad_tail);
                check(&p);
            }
}

static void random_kernel(struct rnet_conv *c)
{
    static const int kernels[][2] = { { 1, 1 }, { 3, 3 }, { 5, 5 }, { 7, 7 },
                                      { 2, 3 }, { 1, 4 }, { 3, 1 } };
    const int *kernel = kernels[pick(7)];

    c->kernel_height = kernel[0];
    c->kernel_width = kernel[1];
    c->stride_y = 1 + pick(3);
    c->stride_x = pick(2) ? c->stride_y : 1 + pick(3);
    c->dilation_y = 1 + pick(2);
    c->dilation_x = 1 + pick(2);
    c->pad_top = pick(c->kernel_height + 1);
    c->pad_left = pick(c->kernel_width + 1);
    c->pad_bottom = pick(c->kernel_height + 1);
    c->pad_right = pick(c->kernel_width + 1);
}

static void random_channels(struct rnet_conv *c)
{
    c->groups = 1;
    c->in = channels[pick(CHANNELS)];
    c->out = channels[pick(CHANNELS)];
    switch (pick(4)) {
    case 0:                     /* depthwise */
        c->out = c->groups = c->in;
        break;
    case 1:                     /* groups */
        c->groups = 1 + pick(4);
        c->in = c->groups * (1 + pick(20));
        c->out = c->groups * (1 + pick(20));
        break;
    default:
        break;
    }
}

static struct problem random_problem(void)
{
    struct problem p = { .batch = 1 + pick(4), .program = pick(4),
                         .tail = pick(TAILS), .bias = pick(2),
                         .grad_tail = pick(INPUT_TAILS) };

    do {
        p.conv.height = 1 + pick(12);
        p.conv.width = 1 + pick(12);
        random_kernel(&p.conv);
        random_channels(&p.conv);
        finish(&p.conv);
    } while (p.conv.height + p.conv.pad_top + p.conv.pad_bottom
                 <= p.conv.dilation_y * (p.conv.kernel_height - 1)
             || p.conv.width + p.conv.pad_left + p.conv.pad_right
                 <= p.conv.dilation_x * (p.conv.kernel_width - 1));
    if (pick(3) == 0)
        p.x_gap = pick(20);
    if (p.tail == SLICE || pick(3) == 0)
        p.y_gap = pick(20);
    p.transposed = stands_alone(p.grad_tail) && pick(2);
    return p;
}

static void test_random(void **unused)
{
    const char *count = getenv("RNET_TEST_COUNT");

    (void)unused;
    for (int i = 0; i < (count ? atoi(count) : 400); i++) {
        struct problem p = random_problem();

        check(&p);
    }
}

/* Kernels larger than their strides, as large, smaller; maps that are cut into
 * rows and blocks of channels; batches that are not. */
static void test_transposed(void **unused)
{
    static const int kernels[][2] = { { 2, 2 }, { 4, 2 }, { 3, 2 }, { 1, 3 },
                                      { 5, 3 } };
    static const int tails[] = { INPUT_STORE, INPUT_ADD, INPUT_MOMENTS };
    static const long batches[] = { 1, 2, 33 };

    (void)unused;
    for (int k = 0; k < 5; k++)
        for (int t = 0; t < 3; t++)
            for (int b = 0; b < 3; b++) {
                int size = b == 2 ? 7 : 29;
                struct problem p = plain(batches[b], size, 17 + 16 * t, 32,
                                         kernels[k][0], kernels[k][1]);

                p.grad_tail = tails[t];
                p.transposed = 1;
                check(&p);
            }
}

/* Real numbers: the same bits for any number of threads. */
static void test_threads(void **unused)
{
    static const int threads[] = { 2, 3, 7 };

    (void)unused;
    for (int k = 0; k < 12; k++) {
        struct problem p = k % 3 ? random_problem()
                                 : plain(1 + k, 16, 32, 48, 3, 1 + k % 2);
        p.program = 1;
        p.batch = 1 + k * 2;
        struct data d = make_data(&p);

        for (int i = 0; i < p.conv.in; i++)
            d.b.p[i] = 0.1f * (float)i + 0.37f;
        for (size_t i = 0; i < d.w.count; i++)
            d.w.p[i] *= 0.3f;
        struct data expected = outputs_of(&d);
        for (int isa = 0; isa < RNET_ISAS; isa++) {
            if (!isa_runs((enum rnet_isa)isa))
                continue;
            free_outputs(&expected);
            expected = outputs_of(&d);
            chosen = (enum rnet_isa)isa;
            library(&p, &expected, 1);
            centre_sums(&p, &expected);
            for (int t = 0; t < 3; t++)
                check_on(&p, &d, &expected, (enum rnet_isa)isa, threads[t]);
        }
        free_outputs(&expected);
        free_data(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_transposed),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
