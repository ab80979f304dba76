/* pool2d.c: the pooling kernels: pixel by pixel, channels in the lanes. */
#include "pool2d.h"
#include "vec.h"

/* A map in memory: pixel (y, x), channel c. */
struct map { const float *p; long row, pixel; };

static struct map image_of(const float *x, long stride, long image, int height,
                           int width)
{
    return (struct map) { x + image * height * width * stride, width * stride,
                          stride };
}

static const float *at(const struct map *map, int y, int x)
{
    return map->p + y * map->row + x * map->pixel;
}

/* --------------------------------------------------------------- forward */

static ALWAYS_INLINE vf
largest(const struct map *map, const struct pool2d_window *window, int c,
        int lanes)
{
    vf best = v_zero();
    int found = 0;

    for (int y = window->top; y < window->bottom; y++)
        for (int x = window->left; x < window->right; x++) {
            vf value = v_load_up_to(at(map, y, x) + c, lanes);

            best = found ? v_select((value > best) | (value != value), value,
                                    best)
                         : value;
            found = 1;
        }
    return best;
}

/* Row by row: the error grows with height + width, not with their product. */
static ALWAYS_INLINE vf
total(const struct map *map, const struct pool2d_window *window, int c,
      int lanes)
{
    vf sum = v_zero();

    for (int y = window->top; y < window->bottom; y++) {
        vf row = v_zero();

        for (int x = window->left; x < window->right; x++)
            row += v_load_up_to(at(map, y, x) + c, lanes);
        sum += row;
    }
    return sum;
}

/* acc[l], l < count, of the channels from c on; past `channels` they are 0 */
static ALWAYS_INLINE void
pool_channels(float *acc, const struct rnet_pool_shape *shape,
              const struct map *map, const struct pool2d_window *window, int c,
              int count, int average)
{
    vf divisor = v_set((float)pool2d_count(shape, window));

    for (int l = 0; l < count; l += RNET_W) {
        int lanes = shape->channels - c - l;

        if (lanes <= 0)
            v_store(acc + l, v_zero());
        else if (average)
            v_store(acc + l, total(map, window, c + l, lanes) / divisor);
        else
            v_store(acc + l, largest(map, window, c + l, lanes));
    }
}

/* A pixel of the result, channels from c on, into acc. */
struct source {
    const struct rnet_pool_shape *shape;
    struct map x, dy;
};
typedef void pixel_kernel(const struct source *source, float *acc, int y,
                          int x, int c, int count);

static void average_pixel(const struct source *source, float *acc, int y,
                          int x, int c, int count)
{
    struct pool2d_window window = pool2d_window(source->shape, y, x);

    pool_channels(acc, source->shape, &source->x, &window, c, count, 1);
}

static void largest_pixel(const struct source *source, float *acc, int y,
                          int x, int c, int count)
{
    struct pool2d_window window = pool2d_window(source->shape, y, x);

    pool_channels(acc, source->shape, &source->x, &window, c, count, 0);
}

static ALWAYS_INLINE void add_scaled(float *acc, const float *from,
                                     float weight, int count)
{
    for (int l = 0; l < count; l += RNET_W)
        v_store(acc + l, v_load(acc + l) + v_set(weight)
                         * v_load_up_to(from + l, count - l));
}

static void clear(float *acc, int count)
{
    for (int l = 0; l < count; l += RNET_W)
        v_store(acc + l, v_zero());
}

static void tent_pixel(const struct source *source, float *acc, int y, int x,
                       int c, int count)
{
    const struct rnet_pool_shape *shape = source->shape;
    struct pool2d_window window = pool2d_window(shape, y, x);

    clear(acc, count);
    if (count > shape->channels - c)
        count = shape->channels - c;
    for (int i = window.top; i < window.bottom; i++)
        for (int j = window.left; j < window.right; j++)
            add_scaled(acc, at(&source->x, i, j) + c,
                       pool2d_tent(i, y, shape->stride_y, shape->out_height)
                       * pool2d_tent(j, x, shape->stride_x, shape->out_width),
                       count);
}

/* -------------------------------------------------------------- gradient */

struct holders { int top, bottom, left, right; };

static struct holders holders_of(const struct rnet_pool_shape *shape, int y,
                                 int x)
{
    struct holders h;

    pool2d_holders(y, shape->kernel_height, shape->stride_y, shape->pad_top,
                   shape->out_height, &h.top, &h.bottom);
    pool2d_holders(x, shape->kernel_width, shape->stride_x, shape->pad_left,
                   shape->out_width, &h.left, &h.right);
    return h;
}

/* dL/dx = sum over the windows that hold the pixel of dL/dy / count */
static void average_gradient(const struct source *source, float *acc, int y,
                             int x, int c, int count)
{
    const struct rnet_pool_shape *shape = source->shape;
    struct holders h = holders_of(shape, y, x);

    clear(acc, count);
    for (int oy = h.top; oy < h.bottom; oy++)
        for (int ox = h.left; ox < h.right; ox++) {
            struct pool2d_window window = pool2d_window(shape, oy, ox);
            vf divisor = v_set((float)pool2d_count(shape, &window));
            const float *dy = at(&source->dy, oy, ox) + c;

            for (int l = 0; l < count; l += RNET_W)
                v_store(acc + l, v_load(acc + l)
                                 + v_load_up_to(dy + l, count - l) / divisor);
        }
}

/* dL/dx = sum over the windows that hold the pixel of its weight dL/dy */
static void tent_gradient(const struct source *source, float *acc, int y,
                          int x, int c, int count)
{
    const struct rnet_pool_shape *shape = source->shape;
    struct holders h = holders_of(shape, y, x);

    clear(acc, count);
    for (int oy = h.top; oy < h.bottom; oy++)
        for (int ox = h.left; ox < h.right; ox++)
            add_scaled(acc, at(&source->dy, oy, ox) + c,
                       pool2d_tent(y, oy, shape->stride_y, shape->out_height)
                       * pool2d_tent(x, ox, shape->stride_x, shape->out_width),
                       count);
}

/* Lanes in which (y, x) wins the window: nothing before it is as large, and
 * nothing after it larger. */
static ALWAYS_INLINE vi
wins(const struct map *map, const struct pool2d_window *window, int y, int x,
     int c, int lanes)
{
    vf value = v_load_up_to(at(map, y, x) + c, lanes);
    vi loses = { 0 };

    for (int i = window->top; i < window->bottom; i++)
        for (int j = window->left; j < window->right; j++) {
            vf other = v_load_up_to(at(map, i, j) + c, lanes);

            loses |= i < y || (i == y && j < x) ? other >= value
                                                : other > value;
        }
    return ~loses;
}

/* dL/dx = sum over the windows that the pixel wins of dL/dy */
static void largest_gradient(const struct source *source, float *acc, int y,
                             int x, int c, int count)
{
    struct holders h = holders_of(source->shape, y, x);

    for (int l = 0; l < count; l += RNET_W) {
        vf sum = v_zero();

        for (int oy = h.top; oy < h.bottom; oy++)
            for (int ox = h.left; ox < h.right; ox++) {
                struct pool2d_window window = pool2d_window(source->shape, oy,
                                                            ox);

                sum += v_keep(wins(&source->x, &window, y, x, c + l,
                                   count - l),
                              v_load_up_to(at(&source->dy, oy, ox) + c + l,
                                         count - l));
            }
        v_store(acc + l, sum);
    }
}

/* ----------------------------------------------------------------- tiles */

/* Columns [x, x + outer) of row y, channels [c, c + inner). */
static void run_tile(const struct rnet_run *run, const struct source *source,
                     pixel_kernel *kernel, struct rnet_tile *tile, int y, int x,
                     struct rnet_steps tail)
{
    for (int i = 0; i < tile->outer; i++)
        kernel(source, tile->acc + i * tile->acc_stride, y, x + i,
               (int)tile->feature, tile->inner);
    RNET_NAME(steps)(run, tile, tail);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* The result has `features` channels and rows of `width` pixels. */
static void run_part(const struct rnet_run *run, const struct source *source,
                     pixel_kernel *kernel, const struct pool2d_part *part,
                     int height, int width, int features,
                     struct rnet_steps tail)
{
    float acc[RNET_TILE_FLOATS] __attribute__((aligned(64)));
    int wide = least(part->feature_count, 128);
    int stride = (wide + 15) / 16 * 16, high = RNET_TILE_FLOATS / stride;
    int end = part->feature + part->feature_count;
    struct rnet_tile tile = {
        .acc = acc, .acc_stride = stride, .layout = RNET_PLAIN, .row_step = 1,
        .features = features, .chunk = part->image, .sample = part->image,
        .rows_per_sample = (long)height * width
    };

    for (int y = part->row; y < part->row + part->row_count; y++)
        for (int x = 0; x < width; x += high)
            for (int c = part->feature; c < end; c += wide) {
                tile.row = (part->image * height + y) * width + x;
                tile.outer = least(high, width - x);
                tile.feature = c;
                tile.inner = least(wide, end - c);
                run_tile(run, source, kernel, &tile, y, x, tail);
            }
}

static pixel_kernel *const pixels[] = {
    [RNET_POOL_MAX] = largest_pixel, [RNET_POOL_AVERAGE] = average_pixel,
    [RNET_POOL_SUM] = average_pixel, [RNET_POOL_TENT] = tent_pixel
};
static pixel_kernel *const gradients[] = {
    [RNET_POOL_MAX] = largest_gradient, [RNET_POOL_AVERAGE] = average_gradient,
    [RNET_POOL_SUM] = average_gradient, [RNET_POOL_TENT] = tent_gradient
};

static void pool(const struct rnet_run *run,
                 const struct rnet_pool_shape *shape, const float *x,
                 long x_stride, struct rnet_steps tail,
                 const struct pool2d_part *part)
{
    struct source source = {
        .shape = shape,
        .x = image_of(x, x_stride, part->image, shape->height, shape->width)
    };

    run_part(run, &source, pixels[shape->kind], part, shape->out_height,
             shape->out_width, shape->out_channels, tail);
}

static void grad(const struct rnet_run *run,
                 const struct rnet_pool_shape *shape, const float *dy,
                 long dy_stride, const float *x, long x_stride,
                 struct rnet_steps tail, const struct pool2d_part *part)
{
    struct source source = {
        .shape = shape,
        .dy = image_of(dy, dy_stride, part->image, shape->out_height,
                       shape->out_width)
    };

    if (shape->kind == RNET_POOL_MAX)
        source.x = image_of(x, x_stride, part->image, shape->height,
                            shape->width);
    run_part(run, &source, gradients[shape->kind], part, shape->height,
             shape->width, shape->channels, tail);
}

const struct pool2d_kernels RNET_NAME(pool2d_kernels) = {
    pool, grad
};
