/* pool2d.c: the scalar twins of the pooling kernels: pixel by pixel. */
#include <string.h>

#include "../kernels/pool2d.h"

/* One pixel of an image, channel 0. */
static const float *pixel_of(const float *x, long stride,
                             const struct rnet_pool_shape *shape, long image,
                             int row, int column)
{
    return x + ((image * shape->height + row) * shape->width + column)
               * stride;
}

static float largest(const struct rnet_pool_shape *shape, const float *x,
                     long stride, long image,
                     const struct pool2d_window *window, int c)
{
    float best = 0;
    int found = 0;

    for (int row = window->top; row < window->bottom; row++)
        for (int column = window->left; column < window->right; column++) {
            float value = pixel_of(x, stride, shape, image, row, column)[c];

            if (!found || value > best || value != value)
                best = value;
            found = 1;
        }
    return best;
}

static float average(const struct rnet_pool_shape *shape, const float *x,
                     long stride, long image,
                     const struct pool2d_window *window, int c)
{
    float sum = 0;

    for (int row = window->top; row < window->bottom; row++) {
        float line = 0;

        for (int column = window->left; column < window->right; column++)
            line += pixel_of(x, stride, shape, image, row, column)[c];
        sum += line;
    }
    return sum / (float)pool2d_count(shape, window);
}

static float tent(const struct rnet_pool_shape *shape, int row, int column,
                  int oy, int ox)
{
    return pool2d_tent(row, oy, shape->stride_y, shape->out_height)
           * pool2d_tent(column, ox, shape->stride_x, shape->out_width);
}

static float weighted(const struct rnet_pool_shape *shape, const float *x,
                      long stride, long image,
                      const struct pool2d_window *window, int oy, int ox,
                      int c)
{
    float sum = 0;

    for (int row = window->top; row < window->bottom; row++)
        for (int column = window->left; column < window->right; column++)
            sum += tent(shape, row, column, oy, ox)
                   * pixel_of(x, stride, shape, image, row, column)[c];
    return sum;
}

/* Runs the tail on one pixel of the result, 16 channels from c on. */
static void finish(const struct rnet_run *run, struct rnet_steps tail,
                   const struct pool2d_part *part, float *acc, long pixels,
                   long pixel, int features, int c, int count)
{
    struct rnet_tile tile = {
        .acc = acc, .acc_stride = 16, .outer = 1, .inner = count,
        .layout = RNET_PLAIN, .row = part->image * pixels + pixel,
        .row_step = 1, .feature = c, .features = features,
        .chunk = part->image, .sample = part->image, .rows_per_sample = pixels
    };

    RNET_NAME(steps)(run, &tile, tail);
}

static int sixteen(const struct pool2d_part *part, int c)
{
    int rest = part->feature + part->feature_count - c;

    return rest < 16 ? rest : 16;
}

static void pool_pixel(const struct rnet_run *run,
                       const struct rnet_pool_shape *shape, const float *x,
                       long x_stride, struct rnet_steps tail,
                       const struct pool2d_part *part, int oy, int ox)
{
    struct pool2d_window window = pool2d_window(shape, oy, ox);
    long pixels = (long)shape->out_height * shape->out_width;
    float acc[16] __attribute__((aligned(64)));

    for (int c = part->feature; c < part->feature + part->feature_count;
         c += 16) {
        memset(acc, 0, sizeof acc);
        for (int l = 0; l < sixteen(part, c) && c + l < shape->channels; l++)
            acc[l] = shape->kind == RNET_POOL_TENT
                ? weighted(shape, x, x_stride, part->image, &window, oy, ox,
                           c + l)
                : (shape->kind == RNET_POOL_MAX ? largest : average)(
                    shape, x, x_stride, part->image, &window, c + l);
        finish(run, tail, part, acc, pixels,
               (long)oy * shape->out_width + ox, shape->out_channels, c,
               sixteen(part, c));
    }
}

static void pool(const struct rnet_run *run,
                 const struct rnet_pool_shape *shape, const float *x,
                 long x_stride, struct rnet_steps tail,
                 const struct pool2d_part *part)
{
    for (int oy = part->row; oy < part->row + part->row_count; oy++)
        for (int ox = 0; ox < shape->out_width; ox++)
            pool_pixel(run, shape, x, x_stride, tail, part, oy, ox);
}

/* ------------------------------------------------------------- gradient */

/* Does pixel (y, x) win its window?  No earlier one is as large, no later one
 * larger; NaN wins too, so that it does not vanish. */
static int wins(const struct rnet_pool_shape *shape, const float *x,
                long stride, long image, const struct pool2d_window *window,
                int y, int column, int c)
{
    float value = pixel_of(x, stride, shape, image, y, column)[c];

    for (int i = window->top; i < window->bottom; i++)
        for (int j = window->left; j < window->right; j++) {
            float other = pixel_of(x, stride, shape, image, i, j)[c];
            int before = i < y || (i == y && j < column);

            if (before ? other >= value : other > value)
                return 0;
        }
    return 1;
}

/* dL/dx(y, x) = sum over the windows that hold it of dL/dy / count, of dL/dy
 * where it wins, or of its weight times dL/dy */
static float gradient(const struct rnet_pool_shape *shape, const float *dy,
                      long dy_stride, const float *x, long x_stride,
                      long image, int y, int column, int c)
{
    int top, bottom, left, right;
    float sum = 0;

    pool2d_holders(y, shape->kernel_height, shape->stride_y, shape->pad_top,
                   shape->out_height, &top, &bottom);
    pool2d_holders(column, shape->kernel_width, shape->stride_x,
                   shape->pad_left, shape->out_width, &left, &right);
    for (int oy = top; oy < bottom; oy++)
        for (int ox = left; ox < right; ox++) {
            struct pool2d_window window = pool2d_window(shape, oy, ox);
            float d = dy[((image * shape->out_height + oy) * shape->out_width
                          + ox) * dy_stride + c];

            if (shape->kind == RNET_POOL_TENT)
                sum += tent(shape, y, column, oy, ox) * d;
            else if (shape->kind != RNET_POOL_MAX)
                sum += d / (float)pool2d_count(shape, &window);
            else if (wins(shape, x, x_stride, image, &window, y, column, c))
                sum += d;
        }
    return sum;
}

static void grad(const struct rnet_run *run,
                 const struct rnet_pool_shape *shape, const float *dy,
                 long dy_stride, const float *x, long x_stride,
                 struct rnet_steps tail, const struct pool2d_part *part)
{
    long pixels = (long)shape->height * shape->width;
    float acc[16] __attribute__((aligned(64)));

    for (int y = part->row; y < part->row + part->row_count; y++)
        for (int column = 0; column < shape->width; column++)
            for (int c = part->feature;
                 c < part->feature + part->feature_count; c += 16) {
                for (int l = 0; l < sixteen(part, c); l++)
                    acc[l] = gradient(shape, dy, dy_stride, x, x_stride,
                                      part->image, y, column, c + l);
                finish(run, tail, part, acc, pixels,
                       (long)y * shape->width + column, shape->channels, c,
                       sixteen(part, c));
            }
}

const struct pool2d_kernels RNET_NAME(pool2d_kernels) = {
    pool, grad
};
