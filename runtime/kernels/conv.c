/* conv.c: the convolution kernels.
 *
 * Accumulators are V units x P pixels (or R taps): a unit is 16 channels, one
 * vector or several.  Unrolled over constants P, V and R, so that they are
 * registers; one function for each size, chosen from a table. */
#include <string.h>

#include "conv.h"
#include "tail.h"
#include "transpose.h"

#define UNIT (16 / RNET_W)      /* vectors of 16 channels */

/* The most pixels with 1, 2 and 4 units, and taps with 1 and 2, such that the
 * accumulators leave registers for the operands. */
#if RNET_W == 16
#define PIXELS1 16
#define PIXELS2 14
#define PIXELS4 7
#define OUTER1 24
#define OUTER2 14
#elif RNET_REGISTERS == 32
#define PIXELS1 6
#define OUTER1 6
#elif RNET_W == 8
#define PIXELS1 6
#define OUTER1 6
#else
#define PIXELS1 3
#define OUTER1 3
#endif

static long least(long a, long b)
{
    return a < b ? a : b;
}

static int divide_up(int a, int b)
{
    return (a + b - 1) / b;
}

/* ------------------------------------------------------- input programs */

static int is_bare(struct rnet_steps program)
{
    return program.count == 1 && program.step->op == RNET_LOAD
           && program.step->kind == RNET_FULL;
}

static void copy_pixels(float *to, long to_stride, const float *from,
                        long from_stride, long pixels, long channels)
{
    if (to_stride == channels && from_stride == channels) {
        memcpy(to, from, (size_t)(pixels * channels) * sizeof *to);
        return;
    }
    for (long p = 0; p < pixels; p++) {
        long c = 0;

        for (; c + RNET_W <= channels; c += RNET_W)
            v_storeu(to + c, v_loadu(from + c));
        for (; c < channels; c++)
            to[c] = from[c];
        to += to_stride;
        from += from_stride;
    }
}

/* A row of pixels in tiles of `wide` channels; the tile is the frame itself
 * where the steps may work in it, else a buffer. */
static void fill_row(const struct rnet_run *run, const struct conv_frame *frame,
                     struct rnet_tile *tile, float *line)
{
    float buffer[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    int channels = frame->channels;
    int wide = (int)least(channels, RNET_TILE_FLOATS);
    int stride = (wide + 15) / 16 * 16, high = RNET_TILE_FLOATS / stride;
    int in_place = channels % 16 == 0;
    long row = tile->row;

    tile->acc_stride = stride;
    for (int x = 0; x < frame->width; x += high)
        for (int c = 0; c < channels; c += wide) {
            float *to = line + (long)x * channels + c;

            tile->row = row + x;
            tile->outer = (int)least(high, frame->width - x);
            tile->feature = c;
            tile->inner = (int)least(wide, channels - c);
            tile->acc = in_place ? to : buffer;
            RNET_NAME(steps)(run, tile, frame->program);
            if (!in_place)
                copy_pixels(to, channels, buffer, stride, tile->outer,
                            tile->inner);
        }
}

/* A row of pixels by a program that is a tail. */
static void run_program(const struct tail *tail, struct rnet_step *to_frame,
                        const struct rnet_step *load, struct rnet_tile *tile,
                        const struct conv_frame *frame, float *line)
{
    tile->acc = load->x + tile->row * load->stride;
    tile->acc_stride = load->stride;
    tile->outer = frame->width;
    tile->feature = 0;
    tile->inner = frame->channels;
    to_frame->x = line - tile->row * frame->channels;
    tail->run(tail->step, tile);
}

static void zero(float *p, long count)
{
    memset(p, 0, (size_t)count * sizeof *p);
}

static void fill(const struct rnet_run *run, const struct conv_frame *frame,
                 long image, int row, int count, float *to)
{
    const struct rnet_step *load = frame->program.step;
    struct rnet_step to_frame = { .kind = RNET_FULL,
                                  .stride = frame->channels };
    struct tail tail = RNET_NAME(program_tail)(frame->program, &to_frame);
    int bare = is_bare(frame->program);
    long channels = frame->channels, width = frame->width;
    long left = frame->left * channels, right = frame->right * channels;
    struct rnet_tile tile = {
        .layout = RNET_PLAIN, .row_step = 1, .features = channels,
        .chunk = image, .sample = image,
        .rows_per_sample = (long)frame->height * width
    };

    to += row * (left + width * channels + right);
    for (int y = row; y < row + count; y++) {
        tile.row = (image * frame->height + y) * width;
        zero(to, left);
        to += left;
        if (bare)
            copy_pixels(to, channels, load->x + tile.row * load->stride,
                        load->stride, width, channels);
        else if (tail.run && channels % 16 == 0)
            run_program(&tail, &to_frame, load, &tile, frame, to);
        else
            fill_row(run, frame, &tile, to);
        to += width * channels;
        zero(to, right);
        to += right;
    }
}

/* --------------------------------------------- tiles of pixels x channels */

/* acc[p][16 V] = sum over taps and k of x[p pixel + ...][k] w[...][k][16 V] */
struct product {
    const float *x, *w;
    float *acc;
    long pixel, w_block;
    long tap_row, tap;
    int rows, columns, length;
};

/* Pixels in threes share a pointer: as many registers as there are. */
#define POINTERS(P) (((P) + 2) / 3)

/* The compiler must not unite these pointers again, nor make more of them: the
 * address x[i] + 4 pixel + k is part of the instruction. */
#define KEEP(variable) __asm__("" : "+r"(variable))

/* The accumulators are registers here: the compiler must not sort the steps of
 * the k-loop by accumulator, which takes more registers than there are. */
#if defined __x86_64__
#define HOLD(vector) __asm__("" : "+v"(vector))
#elif defined __aarch64__
#define HOLD(vector) __asm__("" : "+w"(vector))
#else
#define HOLD(vector) (void)(vector)
#endif

static ALWAYS_INLINE void hold(vf *acc, int count)
{
    UNROLL for (int i = 0; i < count; i++)
        HOLD(acc[i]);
}

static ALWAYS_INLINE void
multiply(vf *acc, const float **x, long pixel, const float *w, long w_block,
         int k, int P, int V)
{
    vf b[4];

    UNROLL for (int v = 0; v < V * UNIT; v++)
        b[v] = v_load(w + v / UNIT * w_block + v % UNIT * RNET_W + k * 16);
    UNROLL for (int p = 0; p < P; p++) {
        vf a = v_set((x[p / 3] + p % 3 * pixel)[k]);

        UNROLL for (int v = 0; v < V * UNIT; v++)
            acc[p * V * UNIT + v] += a * b[v];
        hold(acc + p * V * UNIT, V * UNIT);
    }
}

/* The same for four units, which leave no registers for all of a: it is an
 * operand in memory, read for each unit. */
static ALWAYS_INLINE void
multiply4(vf *acc, const float **x, long pixel, const float *w, long w_block,
          int k, int P)
{
    UNROLL for (int v = 0; v < 4; v++) {
        vf b = v_load(w + v * w_block + k * 16);

        UNROLL for (int p = 0; p < P; p++)
        {
            acc[p * 4 + v] += v_set((x[p / 3] + p % 3 * pixel)[k]) * b;
            hold(acc + p * 4 + v, 1);
        }
        UNROLL for (int i = 0; i < POINTERS(P); i++)
            KEEP(x[i]);
    }
}

/* The k-loop of one tap. */
static ALWAYS_INLINE void
run_tap(vf *acc, const float *from, const float *w,
        const struct product *product, int P, int V)
{
    long pixel = product->pixel, w_block = product->w_block;
    const float *x[6];
    int k = product->length;

    UNROLL for (int i = 0; i < POINTERS(P); i++)
        x[i] = from + 3 * i * pixel;
    for (; k >= 4; k -= 4) {
        UNROLL for (int u = 0; u < 4; u++) {
            if (V == 4)
                multiply4(acc, x, pixel, w, w_block, u, P);
            else
                multiply(acc, x, pixel, w, w_block, u, P, V);
            UNROLL for (int i = 0; i < POINTERS(P); i++)
                KEEP(x[i]);
            KEEP(pixel);
        }
        w += 4 * 16;
        UNROLL for (int i = 0; i < POINTERS(P); i++)
            x[i] += 4;
    }
    for (; k > 0; k--) {
        multiply(acc, x, pixel, w, w_block, 0, P, V);
        w += 16;
        UNROLL for (int i = 0; i < POINTERS(P); i++) {
            x[i]++;
            KEEP(x[i]);
        }
    }
}

static ALWAYS_INLINE void
run_product(const struct product *product, int P, int V)
{
    vf acc[32];
    const float *w = product->w;

    UNROLL for (int i = 0; i < P * V * UNIT; i++)
        acc[i] = v_zero();
    for (int r = 0; r < product->rows; r++)
        for (int s = 0; s < product->columns; s++) {
            run_tap(acc, product->x + r * product->tap_row + s * product->tap,
                    w, product, P, V);
            w += product->length * 16L;
        }
    UNROLL for (int i = 0; i < P * V * UNIT; i++)
        v_store(product->acc + i * RNET_W, acc[i]);
}

typedef void product_kernel(const struct product *product);

#define PRODUCT(P, V) \
    static NOINLINE void product_##P##_##V(const struct product *product) \
    { run_product(product, P, V); }
#define EACH2(define, V) define(1, V) define(2, V)
#define EACH3(define, V) EACH2(define, V) define(3, V)
#define EACH4(define, V) EACH3(define, V) define(4, V)
#define EACH6(define, V) EACH4(define, V) define(5, V) define(6, V)
#define EACH7(define, V) EACH6(define, V) define(7, V)
#define EACH8(define, V) EACH7(define, V) define(8, V)
#define EACH14(define, V) EACH8(define, V) define(9, V) define(10, V) \
    define(11, V) define(12, V) define(13, V) define(14, V)
#define EACH16(define, V) EACH14(define, V) define(15, V) define(16, V)
#define EACH24(define, V) EACH16(define, V) define(17, V) define(18, V) \
    define(19, V) define(20, V) define(21, V) define(22, V) define(23, V) \
    define(24, V)
#define EACH_OF(count) EACH##count
#define EACH(count, define, V) EACH_OF(count)(define, V)
#define NAMED(P, V) product_##P##_##V,

EACH(PIXELS1, PRODUCT, 1)
static product_kernel *const products1[] = { NULL, EACH(PIXELS1, NAMED, 1) };
#ifdef PIXELS2
EACH(PIXELS2, PRODUCT, 2)
EACH(PIXELS4, PRODUCT, 4)
static product_kernel *const products2[] = { NULL, EACH(PIXELS2, NAMED, 2) };
static product_kernel *const products4[] = { NULL, EACH(PIXELS4, NAMED, 4) };
#endif

/* How wide the tiles are: units of channels, and the most pixels. */
struct shape { int units, pixels; product_kernel *const *kernels; };

/* Four units where rows are too short for more pixels, or where their lines,
 * a multiple of 4096 bytes apart, fall into one set of the first-level cache,
 * which holds eight. */
static struct shape shape_of(int blocks, int columns, long pixel)
{
#ifdef PIXELS2
    int few = columns <= PIXELS4 || pixel % 1024 == 0;

    if (blocks >= 4 && few)
        return (struct shape) { 4, PIXELS4, products4 };
    if (blocks >= 2)
        return (struct shape) { 2, few ? PIXELS4 : PIXELS2, products2 };
#endif
    (void)blocks;
    (void)columns;
    (void)pixel;
    return (struct shape) { 1, PIXELS1, products1 };
}

/* ------------------------------------------------------------- depthwise */

/* Sums side by side, since each waits for itself. */
#if RNET_W == 16
#define DEPTH_PIXELS 8
#elif RNET_W == 8
#define DEPTH_PIXELS 4
#else
#define DEPTH_PIXELS 2
#endif

/* acc[p][16] = sum over taps of x[p pixel + ...][16] w[...][16]; w_block
 * floats from tap to tap */
static ALWAYS_INLINE void
run_depthwise(const struct product *product, int P)
{
    vf acc[DEPTH_PIXELS * UNIT];
    const float *w = product->w;

    UNROLL for (int i = 0; i < P * UNIT; i++)
        acc[i] = v_zero();
    for (int r = 0; r < product->rows; r++)
        for (int s = 0; s < product->columns; s++) {
            const float *x = product->x + r * product->tap_row
                             + s * product->tap;

            UNROLL for (int i = 0; i < P * UNIT; i++)
                acc[i] += v_loadu(x + i / UNIT * product->pixel
                                  + i % UNIT * RNET_W)
                          * v_load(w + i % UNIT * RNET_W);
            w += product->w_block;
        }
    UNROLL for (int i = 0; i < P * UNIT; i++)
        v_store(product->acc + i * RNET_W, acc[i]);
}

#define DEPTHWISE(P, V) \
    static NOINLINE void depthwise_##P(const struct product *product) \
    { run_depthwise(product, P); }
#define DEPTHWISE_NAMED(P, V) depthwise_##P,

EACH(DEPTH_PIXELS, DEPTHWISE, 1)
static product_kernel *const depthwise[] = {
    NULL, EACH(DEPTH_PIXELS, DEPTHWISE_NAMED, 1)
};

/* ---------------------------------------------------------------- passes */

/* Memory that each tile fetches its share of. */
struct ahead { const float *p; long share, left; };

/* Tiles are computed side by side into one buffer, and the tail runs when it
 * is full or the next tile does not continue it. */
struct job {
    const struct rnet_run *run;
    const struct conv_pass *pass;
    const struct conv_part *part;
    struct shape shape;
    struct product product;
    struct rnet_tile tile;
    struct tail tail;
    int block;                  /* of the first unit */
    int wide;                   /* floats of a pixel in the buffer */
    int i, j, pixels;           /* what the buffer holds */
    int room;                   /* pixels that fit */
    float *buffer;
    struct ahead ahead[CONV_NEXT];
};

/* The tail's operands for `count` pixels from (i, j), while they are computed:
 * lines that are written would be read first too. */
static void fetch_operands(const struct job *job, int i, int j, int count)
{
    const struct conv_pass *pass = job->pass;
    long y = pass->y + (long)i * pass->step_y;
    long x = pass->x + (long)j * pass->step_x;
    long row = (job->part->image * pass->height + y) * pass->width + x;
    int wide = (int)least(job->wide, pass->count - job->block * 16);

    for (int k = 0; k < pass->tail.count; k++) {
        const struct rnet_step *step = pass->tail.step + k;
        const float *p = step->x + row * step->stride + pass->feature
                         + job->block * 16;

        if (step->kind != RNET_FULL)
            continue;
        for (int n = 0; n < count; n++) {
            for (int c = 0; c < wide; c += 16)
                __builtin_prefetch(p + c, 1, 3);
            p += pass->step_x * step->stride;
        }
    }
}

static void fetch_ahead(struct ahead *ahead)
{
    long count = least(ahead->share, ahead->left);

    for (long i = 0; i < count; i += 16)
        v_prefetch_later(ahead->p + i);
    ahead->p += count;
    ahead->left -= count;
}

/* Shares such that the part's tiles fetch all of it. */
static void share_ahead(struct job *job)
{
    const struct conv_part *part = job->part;
    long tiles = (long)part->row_count * part->block_count / 2
                 * divide_up(job->pass->columns, PIXELS1);

    for (int i = 0; i < CONV_NEXT; i++)
        job->ahead[i] = (struct ahead) {
            part->next[i].p, part->next[i].floats / (tiles + 1) + 16,
            part->next[i].floats
        };
}

static void finish(struct job *job)
{
    if (job->pixels == 0)
        return;
    conv_tile_move(&job->tile, job->pass, job->part, job->i, job->j,
                   job->block * 16, job->pixels,
                   (int)least(job->wide, job->pass->count - job->block * 16));
    if (job->tail.run && job->tile.inner % 16 == 0)
        job->tail.run(job->tail.step, &job->tile);
    else
        RNET_NAME(steps)(job->run, &job->tile, job->pass->tail);
    job->pixels = 0;
}

/* Columns [j, j + count) of row i, of which x is pixel j's first tap. */
static void run_tile(struct job *job, const float *x, int i, int j, int count)
{
    if (job->pixels + count > job->room)
        finish(job);
    if (job->pixels == 0) {
        job->i = i;
        job->j = j;
    }
    fetch_operands(job, i, j, count);
    for (int k = 0; k < CONV_NEXT; k++)
        fetch_ahead(job->ahead + k);
    job->product.x = x;
    job->product.acc = job->buffer + job->pixels * job->wide;
    job->shape.kernels[count](&job->product);
    job->pixels += count;
}

/* Strips of nearly equal width. */
static int strip(const struct job *job, int left)
{
    return divide_up(left, divide_up(left, job->shape.pixels));
}

static void run_row(struct job *job, int i, int columns)
{
    const struct conv_pass *pass = job->pass;
    const struct conv_taps *taps = &pass->taps;
    const float *x = job->part->x + (taps->first + i * taps->pixel_row);
    const float *w = pass->w + job->block * pass->w_block;
    int begin, end;

    conv_tap_range(taps, i, &begin, &end);
    job->product.rows = end - begin;
    x += begin * taps->tap_row;
    if (pass->depthwise) {
        x += job->block * 16;
        w += job->block * 16
             + begin * taps->columns * job->product.w_block;
    } else {
        w += begin * taps->columns * (long)taps->length * 16;
    }
    job->product.w = w;
    for (int j = 0, count; j < columns; j += count) {
        count = strip(job, columns - j);
        run_tile(job, x + j * taps->pixel, i, j, count);
    }
}

/* Do the result's rows follow each other without a gap, also in RNET_INPUT? */
static int rows_join(const struct conv_pass *pass,
                     const struct conv_part *part)
{
    return pass->step_x == 1 && pass->step_y == 1
           && pass->columns == pass->width
           && (!part->input
               || pass->input_row == pass->width * pass->input_pixel);
}

/* Is the whole map one row, for one-pixel kernels without a border? */
static int one_row(const struct conv_pass *pass, const struct conv_part *part)
{
    const struct conv_taps *taps = &pass->taps;

    return rows_join(pass, part) && taps->rows == 1 && taps->row_step == 1
           && taps->row == 0 && taps->height >= pass->rows
           && taps->pixel_row == pass->columns * taps->pixel;
}

/* Rows [row, row + count) of job's blocks. */
static void run_rows(struct job *job, int row, int count)
{
    const struct conv_pass *pass = job->pass;
    const struct conv_part *part = job->part;

    if (one_row(pass, part)) {
        run_row(job, row, count * pass->columns);
        finish(job);
        return;
    }
    for (int i = row; i < row + count; i++) {
        run_row(job, i, pass->columns);
        if (!rows_join(pass, part))
            finish(job);
    }
    finish(job);
}

static struct product product_of(const struct conv_pass *pass)
{
    const struct conv_taps *taps = &pass->taps;

    return (struct product) {
        .pixel = taps->pixel, .tap_row = taps->tap_row, .tap = taps->tap,
        .columns = taps->columns, .length = taps->length,
        .w_block = pass->depthwise ? conv_blocks(pass->count) * 16L
                                   : pass->w_block
    };
}

/* All blocks of the part, for some rows. */
static void run_band(struct job *job, int row, int count)
{
    const struct conv_pass *pass = job->pass;
    int end = job->part->block + job->part->block_count;

    for (int b = job->part->block; b < end; b += job->shape.units) {
        job->shape = pass->depthwise
            ? (struct shape) { 1, DEPTH_PIXELS, depthwise }
            : shape_of(end - b, pass->columns, pass->taps.pixel);
        job->block = b;
        job->wide = job->shape.units * 16;
        job->room = RNET_TILE_FLOATS / job->wide;
        job->tile = conv_tile(pass, job->part, job->buffer, job->wide);
        run_rows(job, row, count);
    }
}

/* While the weights are few, all blocks take turns on rows that stay in the
 * second-level cache; else each block's weights serve all rows. */
#define WEIGHT_FLOATS 98304
#define ROW_FLOATS    32768

static int rows_of_band(const struct conv_pass *pass,
                        const struct conv_part *part)
{
    long row = pass->taps.pixel_row + (long)pass->columns * pass->count;
    long rows = (ROW_FLOATS + row - 1) / row;

    if (part->block_count * pass->w_block > WEIGHT_FLOATS)
        rows = part->row_count;
    return (int)least(rows, part->row_count);
}

static void pass(const struct rnet_run *run, const struct conv_pass *pass,
                 const struct conv_part *part)
{
    float buffer[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    struct job job = { .run = run, .pass = pass, .part = part,
                       .product = product_of(pass), .buffer = buffer,
                       .tail = RNET_NAME(tail)(pass->tail) };
    int band = rows_of_band(pass, part), end = part->row + part->row_count;

    share_ahead(&job);
    for (int row = part->row; row < end; row += band)
        run_band(&job, row, (int)least(band, end - row));
}

/* ------------------------------------------------- gradient of weights */

/* dw[r][16 V] += sum over images, rows and pixels of x[r] dy[16 V], r < R;
 * `first` of the last unit's lanes count. */
struct outer_product {
    const float *x, *dy;
    float *dw;
    long x_image, x_row, x_pixel, dy_image, dy_row, dy_pixel, w_block;
    int images, rows, columns, lanes;
};

/* a += b in the lanes that are channels */
static ALWAYS_INLINE void add_lanes(float *to, vf a, int lanes)
{
    if (lanes >= RNET_W)
        v_store(to, v_load(to) + a);
    else if (lanes > 0)
        v_store(to, v_load(to) + v_keep(vi_first(lanes), a));
}

static ALWAYS_INLINE void
outer_pixel(vf *acc, const float *x, const float *dy, int R, int V)
{
    vf b[4];

    UNROLL for (int v = 0; v < V * UNIT; v++)
        b[v] = v_loadu(dy + v * RNET_W);
    UNROLL for (int r = 0; r < R; r++) {
        vf a = v_set(x[r]);

        UNROLL for (int v = 0; v < V * UNIT; v++)
            acc[r * V * UNIT + v] += a * b[v];
    }
}

static ALWAYS_INLINE void
run_outer(const struct outer_product *outer, int R, int V)
{
    vf acc[32];

    UNROLL for (int i = 0; i < R * V * UNIT; i++)
        acc[i] = v_zero();
    for (int n = 0; n < outer->images; n++)
        for (int i = 0; i < outer->rows; i++) {
            const float *x = outer->x + n * outer->x_image + i * outer->x_row;
            const float *dy = outer->dy + n * outer->dy_image
                              + i * outer->dy_row;

            for (int j = outer->columns; j > 0; j--) {
                outer_pixel(acc, x, dy, R, V);
                hold(acc, R * V * UNIT);
                x += outer->x_pixel;
                dy += outer->dy_pixel;
            }
        }
    UNROLL for (int r = 0; r < R; r++)
        UNROLL for (int v = 0; v < V * UNIT; v++)
            add_lanes(outer->dw + r * 16 + v / UNIT * outer->w_block
                      + v % UNIT * RNET_W, acc[r * V * UNIT + v],
                      outer->lanes - v * RNET_W);
}

typedef void outer_kernel(const struct outer_product *outer);

#define OUTER(R, V) \
    static NOINLINE void outer_##R##_##V(const struct outer_product *outer) \
    { run_outer(outer, R, V); }
#define OUTER_NAMED(R, V) outer_##R##_##V,

EACH(OUTER1, OUTER, 1)
static outer_kernel *const outers1[] = { NULL, EACH(OUTER1, OUTER_NAMED, 1) };
#ifdef OUTER2
EACH(OUTER2, OUTER, 2)
static outer_kernel *const outers2[] = { NULL, EACH(OUTER2, OUTER_NAMED, 2) };
#endif

/* One tap's `length` floats in nearly equal parts. */
static void outer_tap(const struct outer_product *start, int length, int units)
{
    struct outer_product outer = *start;
    outer_kernel *const *kernels = outers1;
    int most = OUTER1;

#ifdef OUTER2
    if (units == 2) {
        kernels = outers2;
        most = OUTER2;
    }
#endif
    (void)units;
    while (length > 0) {
        int part = divide_up(length, divide_up(length, most));

        kernels[part](&outer);
        outer.x += part;
        outer.dw += part * 16;
        length -= part;
    }
}

/* Rows [row, row + count) of the result, for units from `block` on. */
static void outer_band(const struct conv_outer *outer, int row, int count,
                       int block, int units)
{
    const struct conv_taps *taps = &outer->taps;
    struct outer_product product = {
        .x_image = outer->x_image, .x_row = taps->pixel_row,
        .x_pixel = taps->pixel, .dy_image = outer->dy_image,
        .dy_row = outer->dy_row, .dy_pixel = outer->dy_pixel,
        .w_block = outer->w_block, .images = outer->images,
        .columns = outer->columns, .lanes = outer->count - block * 16
    };
    float *dw = outer->dw + block * outer->w_block;

    for (int r = 0; r < taps->rows; r++)
        for (int s = 0; s < taps->columns; s++) {
            int begin, end;

            conv_row_range(taps, r, outer->rows, &begin, &end);
            begin = begin > row ? begin : row;
            end = end < row + count ? end : row + count;
            product.rows = end - begin;
            product.x = outer->x + (taps->first + begin * taps->pixel_row
                                    + r * taps->tap_row + s * taps->tap);
            product.dy = outer->dy + begin * outer->dy_row + block * 16;
            product.dw = dw;
            if (end > begin)
                outer_tap(&product, taps->length, units);
            dw += taps->length * 16L;
        }
}

#define DEPTH_TAPS 4            /* sums side by side: each waits for itself */

/* dw[r][s ... s + S) of channels [c, c + RNET_W) */
static ALWAYS_INLINE void
depthwise_taps(const struct conv_outer *outer, int r, int s, int c, int S)
{
    const struct conv_taps *taps = &outer->taps;
    const float *x = outer->x + taps->first + r * taps->tap_row
                     + s * taps->tap + c;
    vf sum[DEPTH_TAPS];
    int begin, end;

    UNROLL for (int t = 0; t < S; t++)
        sum[t] = v_zero();
    conv_row_range(taps, r, outer->rows, &begin, &end);
    for (int n = 0; n < outer->images; n++)
        for (int i = begin; i < end; i++) {
            const float *from = x + n * outer->x_image + i * taps->pixel_row;
            const float *dy = outer->dy + n * outer->dy_image
                              + i * outer->dy_row + c;

            for (int j = 0; j < outer->columns; j++) {
                vf g = v_loadu(dy + j * outer->dy_pixel);

                UNROLL for (int t = 0; t < S; t++)
                    sum[t] += v_loadu(from + j * taps->pixel + t * taps->tap)
                              * g;
            }
        }
    for (int t = 0; t < S; t++)
        add_lanes(outer->dw + c + (r * taps->columns + s + t)
                                  * conv_blocks(outer->count) * 16L,
                  sum[t], outer->count - c);
}

static NOINLINE void depthwise_tap(const struct conv_outer *outer, int r,
                                   int s, int c)
{
    depthwise_taps(outer, r, s, c, 1);
}

static NOINLINE void depthwise_three(const struct conv_outer *outer, int r,
                                     int s, int c)
{
    depthwise_taps(outer, r, s, c, 3);
}

static NOINLINE void depthwise_four(const struct conv_outer *outer, int r,
                                    int s, int c)
{
    depthwise_taps(outer, r, s, c, 4);
}

static void outer_depthwise(const struct conv_outer *outer)
{
    const struct conv_taps *taps = &outer->taps;

    for (int r = 0; r < taps->rows; r++)
        for (int c = 0; c < outer->count; c += RNET_W)
            for (int s = 0; s < taps->columns;) {
                int left = taps->columns - s;

                (left >= 4 ? depthwise_four : left == 3 ? depthwise_three
                 : depthwise_tap)(outer, r, s, c);
                s += left >= 4 ? 4 : left == 3 ? 3 : 1;
            }
}

/* db[c ... c + W) += sum over all pixels of dy */
static void sum_pixels(const struct conv_outer *outer, int c)
{
    int lanes = (int)least(RNET_W, outer->count - c);
    vf sum = v_zero();

    for (int n = 0; n < outer->images; n++)
        for (int i = 0; i < outer->rows; i++) {
            const float *dy = outer->dy + n * outer->dy_image
                              + i * outer->dy_row + c;

            for (int j = 0; j < outer->columns; j++)
                sum += v_loadu(dy + j * outer->dy_pixel);
        }
    v_store_first(outer->db + c, v_load_first(outer->db + c, lanes) + sum,
                  lanes);
}

/* Rows that go together: x and dy of a band in the first-level cache, yet
 * pixels enough to pay for reading and writing the gradient. */
#define BAND_FLOATS 5120
#define BAND_PIXELS 160

static int band_rows(const struct conv_outer *outer)
{
    long floats = outer->taps.pixel_row + outer->columns * 32;
    long rows = BAND_FLOATS / floats;
    long enough = divide_up(BAND_PIXELS, outer->columns * outer->images);

    rows = rows > enough ? rows : enough;
    return (int)least(rows, outer->rows);
}

static void outer(const struct conv_outer *outer)
{
    int blocks = conv_blocks(outer->count), band = band_rows(outer);
    int units = 1;

    for (int c = 0; outer->db && c < outer->count; c += RNET_W)
        sum_pixels(outer, c);
    if (outer->depthwise) {
        outer_depthwise(outer);
        return;
    }
    for (int row = 0; row < outer->rows; row += band)
        for (int b = 0; b < blocks; b += units) {
#ifdef OUTER2
            units = blocks - b >= 2 ? 2 : 1;
#endif
            outer_band(outer, row, (int)least(band, outer->rows - row), b,
                       units);
        }
}

/* --------------------------------------------------------------- weights */

/* A square of RNET_W: to[o][l] = from[l][o], rows of 16; l >= in give 0. */
static void transpose_part(float *to, const float *from, int in)
{
    vf r[RNET_W];

    UNROLL for (int l = 0; l < RNET_W; l++)
        r[l] = l < in ? v_load(from + l * 16) : v_zero();
    v_transpose(r);
    UNROLL for (int o = 0; o < RNET_W; o++)
        v_store(to + o * 16, r[o]);
}

static void transpose_tail(float *to, const float *from, int in, int out)
{
    for (int o = 0; o < out; o++)
        for (int l = 0; l < 16; l++)
            to[o * 16 + l] = l < in ? from[l * 16 + o] : 0;
}

static void transpose(float *to, const float *from, long block, int in,
                      int out)
{
    for (; out >= 16; out -= 16) {
        for (int o = 0; o < 16; o += RNET_W)
            for (int l = 0; l < 16; l += RNET_W)
                transpose_part(to + o * 16 + l, from + l * 16 + o, in - l);
        to += 16 * 16;
        from += block;
    }
    transpose_tail(to, from, in, out);
}

static void add(float *to, const float *from, long count)
{
    long i = 0;

    for (; i + RNET_W <= count; i += RNET_W)
        v_storeu(to + i, v_loadu(to + i) + v_loadu(from + i));
    for (; i < count; i++)
        to[i] += from[i];
}

const struct conv_kernels RNET_NAME(conv_kernels) = {
    fill, pass, outer, transpose, add
};
