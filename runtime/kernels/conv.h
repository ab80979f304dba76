/* conv.h: convolutions as the entry points hand them to the kernels.
 *
 * Forward and the gradient of the input are one computation, a `pass`: on
 * weights as they are, or transposed and in reverse order of taps.  A stride s
 * makes s x s passes of the gradient, each with its share of the taps and of
 * the result's pixels.  The gradient of the weights is an `outer` product. */
#ifndef RNET_CONV_H
#define RNET_CONV_H

#include "tile.h"

/* Where the taps of result pixel (i, j) read an image x: tap (r, s) reads
 * `length` floats from
 *     x + first + i pixel_row + j pixel + r tap_row + s tap
 * in row `row + i row_step + r row_tap` of the map; rows outside of
 * [0, height) are zero and must not be read. */
struct conv_taps {
    int rows, columns, length;
    long first, pixel_row, pixel, tap_row, tap;
    int row, row_step, row_tap, height;
};

/* acc(i, j, c) = sum over taps (r, s) and k < length of
 *     x(i, j, r, s)[k] w[c / 16][r][s][k][c % 16]
 * depthwise, with count rounded up to 16:
 *     x(i, j, r, s)[c] w[r][s][c] */
struct conv_pass {
    struct conv_taps taps;
    const float *w;
    long w_block;               /* floats for 16 channels */
    int depthwise;
    int count;                  /* channels c, which are the result's */
    int feature;                /* feature + c */
    int rows, columns;          /* pixels (i, j), which are the result's */
    int y, x, step_y, step_x;   /* (y + i step_y, x + j step_x) */
    int height, width, channels;
    long input_row, input_pixel;        /* strides of part.input */
    struct rnet_steps tail;
};

/* Memory that is read after the pass, to fetch into the cache during it. */
#define CONV_NEXT 2
struct conv_next { const float *p; long floats; };

/* A task's share of a pass: rows and blocks of 16 channels of one image. */
struct conv_part {
    long image;
    const float *x;             /* pixel (0, 0) of the image */
    const float *input;         /* RNET_INPUT's pixel (0, 0), or NULL */
    int row, row_count;
    int block, block_count;
    struct conv_next next[CONV_NEXT];
};

/* dw[c / 16][r][s][k][c % 16] += sum over images and pixels (i, j) of
 *     x(i, j, r, s)[k] dy(i, j)[c], c < count; db[c] += sum of dy(i, j)[c]
 * depthwise: dw[r][s][c] += ... x(i, j, r, s)[c] dy(i, j)[c]
 * Reads up to 15 floats past the last c. */
struct conv_outer {
    struct conv_taps taps;
    const float *x, *dy;
    int images, rows, columns;
    long x_image, dy_image, dy_row, dy_pixel;
    int count, depthwise;
    float *dw, *db;             /* db may be NULL */
    long w_block;
};

/* A plain map that a program makes, with zeros left and right of each row. */
struct conv_frame {
    int height, width, channels;
    int left, right;
    struct rnet_steps program;
};

struct conv_kernels {
    /* rows [row, row + count) of an image; to: the first float of its frame */
    void (*fill)(const struct rnet_run *run, const struct conv_frame *frame,
                 long image, int row, int count, float *to);
    void (*pass)(const struct rnet_run *run, const struct conv_pass *pass,
                 const struct conv_part *part);
    void (*outer)(const struct conv_outer *outer);
    /* to[o][l] = from[o / 16][l][o % 16], o < out, l < in; 0 for in <= l < 16;
     * `block` floats from one o / 16 to the next */
    void (*transpose)(float *to, const float *from, long block, int in,
                      int out);
    void (*add)(float *to, const float *from, long count);
};
extern const struct conv_kernels rnet_scalar_conv_kernels,
    rnet_base_conv_kernels, rnet_avx2_conv_kernels, rnet_avx512_conv_kernels;

/* Tap rows [*begin, *end) of result row i lie in the map. */
static inline void conv_tap_range(const struct conv_taps *taps, int i,
                                  int *begin, int *end)
{
    int row = taps->row + i * taps->row_step;

    *begin = 0;
    *end = taps->rows;
    while (*begin < *end && row + *begin * taps->row_tap < 0)
        ++*begin;
    while (*end > *begin && row + (*end - 1) * taps->row_tap >= taps->height)
        --*end;
}

/* Result rows [*begin, *end) whose tap row r lies in the map. */
static inline void conv_row_range(const struct conv_taps *taps, int r,
                                  int rows, int *begin, int *end)
{
    int row = taps->row + r * taps->row_tap;

    *begin = 0;
    *end = rows;
    while (*begin < *end && row + *begin * taps->row_step < 0)
        ++*begin;
    while (*end > *begin
           && row + (*end - 1) * taps->row_step >= taps->height)
        --*end;
}

static inline int conv_blocks(int count)
{
    return (count + 15) / 16;
}

/* The parts of a pass's tile that do not change from tile to tile. */
static inline struct rnet_tile conv_tile(const struct conv_pass *pass,
                                         const struct conv_part *part,
                                         float *acc, long acc_stride)
{
    return (struct rnet_tile) {
        .acc = acc, .acc_stride = acc_stride, .layout = RNET_PLAIN,
        .row_step = pass->step_x, .features = pass->channels,
        .chunk = part->image, .sample = part->image,
        .rows_per_sample = (long)pass->height * pass->width,
        .input_stride = pass->step_x * pass->input_pixel
    };
}

/* Moves the tile to `outer` pixels from (i, j), `inner` channels from c. */
static inline void conv_tile_move(struct rnet_tile *tile,
                                  const struct conv_pass *pass,
                                  const struct conv_part *part,
                                  int i, int j, int c, int outer, int inner)
{
    long y = pass->y + (long)i * pass->step_y;
    long x = pass->x + (long)j * pass->step_x;

    tile->row = (part->image * pass->height + y) * pass->width + x;
    tile->feature = pass->feature + c;
    tile->outer = outer;
    tile->inner = inner;
    if (part->input)
        tile->input = part->input + y * pass->input_row
                      + x * pass->input_pixel;
}

#endif
