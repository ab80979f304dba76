/* conv.c: the scalar twins of the convolution kernels. */
#include <string.h>

#include "../kernels/conv.h"

#define PIXELS 16

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* ----------------------------------------------------- input programs */

/* `count` pixels from (y, x): channels from c, at most 16 of them. */
static void fill_tile(const struct rnet_run *run,
                      const struct conv_frame *frame, long image, int y, int x,
                      int count, int c, float *to)
{
    float acc[PIXELS * 16] __attribute__((aligned(64)));
    int inner = least(16, frame->channels - c);
    long pixels = (long)frame->height * frame->width;
    struct rnet_tile tile = {
        .acc = acc, .acc_stride = 16, .outer = count, .inner = inner,
        .layout = RNET_PLAIN,
        .row = image * pixels + (long)y * frame->width + x, .row_step = 1,
        .feature = c, .features = frame->channels, .chunk = image,
        .sample = image, .rows_per_sample = pixels
    };

    memset(acc, 0, sizeof acc);
    RNET_NAME(steps)(run, &tile, frame->program);
    for (int i = 0; i < count; i++)
        memcpy(to + (long)i * frame->channels + c, acc + i * 16,
               (size_t)inner * sizeof *to);
}

static void fill(const struct rnet_run *run, const struct conv_frame *frame,
                 long image, int row, int count, float *to)
{
    long pixels = frame->left + frame->width + frame->right;

    for (int y = row; y < row + count; y++) {
        float *line = to + y * pixels * frame->channels;

        memset(line, 0, (size_t)(pixels * frame->channels) * sizeof *line);
        line += (long)frame->left * frame->channels;
        for (int x = 0; x < frame->width; x += PIXELS)
            for (int c = 0; c < frame->channels; c += 16)
                fill_tile(run, frame, image, y, x,
                          least(PIXELS, frame->width - x), c,
                          line + (long)x * frame->channels);
    }
}

/* -------------------------------------------------------------- passes */

/* x is the first tap's first float of the result's pixel. */
static float sum_taps(const struct conv_pass *pass, const float *x, int begin,
                      int end, int c)
{
    const struct conv_taps *taps = &pass->taps;
    const float *w = pass->w + c / 16 * pass->w_block + c % 16;
    float sum = 0;

    for (int r = begin; r < end; r++)
        for (int s = 0; s < taps->columns; s++)
            for (int k = 0; k < taps->length; k++)
                sum += x[r * taps->tap_row + s * taps->tap + k]
                       * w[((r * taps->columns + s) * (long)taps->length + k)
                           * 16];
    return sum;
}

static float sum_depthwise(const struct conv_pass *pass, const float *x,
                           int begin, int end, int c)
{
    const struct conv_taps *taps = &pass->taps;
    long stride = conv_blocks(pass->count) * 16L;
    float sum = 0;

    for (int r = begin; r < end; r++)
        for (int s = 0; s < taps->columns; s++)
            sum += x[r * taps->tap_row + s * taps->tap + c]
                   * pass->w[(r * taps->columns + s) * stride + c];
    return sum;
}

static void tile(const struct rnet_run *run, const struct conv_pass *pass,
                 const struct conv_part *part, int i, int j, int c)
{
    float acc[PIXELS * 16] __attribute__((aligned(64)));
    struct rnet_tile tile = conv_tile(pass, part, acc, 16);
    const float *x = part->x;
    long origin = pass->taps.first + i * pass->taps.pixel_row;
    int begin, end;

    conv_tap_range(&pass->taps, i, &begin, &end);
    conv_tile_move(&tile, pass, part, i, j, c,
                   least(PIXELS, pass->columns - j),
                   least(16, pass->count - c));
    memset(acc, 0, sizeof acc);
    for (int p = 0; p < tile.outer; p++)
        for (int l = 0; l < tile.inner && begin < end; l++)
            acc[p * 16 + l] = (pass->depthwise ? sum_depthwise : sum_taps)(
                pass, x + (origin + (j + p) * pass->taps.pixel), begin, end,
                c + l);
    RNET_NAME(steps)(run, &tile, pass->tail);
}

static void pass(const struct rnet_run *run, const struct conv_pass *pass,
                 const struct conv_part *part)
{
    for (int b = part->block; b < part->block + part->block_count; b++)
        for (int i = part->row; i < part->row + part->row_count; i++)
            for (int j = 0; j < pass->columns; j += PIXELS)
                tile(run, pass, part, i, j, b * 16);
}

/* --------------------------------------------------- gradient of weights */

/* dw(r, s) += sum over the pixels of one row, for channel c; length floats */
static void outer_row(const struct conv_outer *outer, float *dw,
                      const float *x, const float *dy)
{
    for (int j = 0; j < outer->columns; j++)
        for (int k = 0; k < outer->taps.length; k++)
            dw[k * 16] += x[j * outer->taps.pixel + k]
                          * dy[j * outer->dy_pixel];
}

static void outer_row_depthwise(const struct conv_outer *outer, float *dw,
                                const float *x, const float *dy)
{
    for (int j = 0; j < outer->columns; j++)
        *dw += x[j * outer->taps.pixel] * dy[j * outer->dy_pixel];
}

static void outer_tap(const struct conv_outer *outer, int r, int s, int c)
{
    const struct conv_taps *taps = &outer->taps;
    long index = r * taps->columns + s;
    long offset = taps->first + r * taps->tap_row + s * taps->tap;
    int begin, end;

    conv_row_range(taps, r, outer->rows, &begin, &end);
    for (int n = 0; n < outer->images; n++)
        for (int i = begin; i < end; i++) {
            const float *x = outer->x
                + (n * outer->x_image + offset + i * taps->pixel_row);
            const float *dy = outer->dy + n * outer->dy_image
                + i * outer->dy_row + c;

            if (outer->depthwise)
                outer_row_depthwise(outer, outer->dw + c
                                    + index * conv_blocks(outer->count) * 16,
                                    x + c, dy);
            else
                outer_row(outer, outer->dw + c / 16 * outer->w_block + c % 16
                          + index * taps->length * 16, x, dy);
        }
}

static void sum_rows(const struct conv_outer *outer, int c)
{
    for (int n = 0; n < outer->images; n++)
        for (int i = 0; i < outer->rows; i++)
            for (int j = 0; j < outer->columns; j++)
                outer->db[c] += outer->dy[n * outer->dy_image
                                          + i * outer->dy_row
                                          + j * outer->dy_pixel + c];
}

static void outer(const struct conv_outer *outer)
{
    for (int c = 0; c < outer->count; c++) {
        for (int r = 0; r < outer->taps.rows; r++)
            for (int s = 0; s < outer->taps.columns; s++)
                outer_tap(outer, r, s, c);
        if (outer->db)
            sum_rows(outer, c);
    }
}

/* ---------------------------------------------------------------- weights */

static void transpose(float *to, const float *from, long block, int in,
                      int out)
{
    for (int o = 0; o < out; o++)
        for (int l = 0; l < 16; l++)
            to[o * 16 + l] = l < in ? from[o / 16 * block + l * 16 + o % 16]
                                    : 0;
}

static void add(float *to, const float *from, long count)
{
    for (long i = 0; i < count; i++)
        to[i] += from[i];
}

const struct conv_kernels RNET_NAME(conv_kernels) = {
    fill, pass, outer, transpose, add
};
