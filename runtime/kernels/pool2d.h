/* pool2d.h: pooling as the entry points hand it to the kernels. */
#ifndef RNET_POOL2D_H
#define RNET_POOL2D_H

#include "tile.h"

/* A task's share of the result: rows and channels of one image. */
struct pool2d_part {
    long image;
    int row, row_count;
    int feature, feature_count;
};

struct pool2d_kernels {
    void (*pool)(const struct rnet_run *run,
                 const struct rnet_pool_shape *shape, const float *x,
                 long x_stride, struct rnet_steps tail,
                 const struct pool2d_part *part);
    void (*grad)(const struct rnet_run *run,
                 const struct rnet_pool_shape *shape, const float *dy,
                 long dy_stride, const float *x, long x_stride,
                 struct rnet_steps tail, const struct pool2d_part *part);
};
extern const struct pool2d_kernels rnet_scalar_pool2d_kernels,
    rnet_base_pool2d_kernels, rnet_avx2_pool2d_kernels,
    rnet_avx512_pool2d_kernels;

/* A window's pixels inside of the map: rows [top, bottom), likewise columns. */
struct pool2d_window { int top, bottom, left, right; };

static inline struct pool2d_window
pool2d_window(const struct rnet_pool_shape *shape, int oy, int ox)
{
    int y = oy * shape->stride_y - shape->pad_top;
    int x = ox * shape->stride_x - shape->pad_left;
    int bottom = y + shape->kernel_height, right = x + shape->kernel_width;

    return (struct pool2d_window) {
        y < 0 ? 0 : y, bottom > shape->height ? shape->height : bottom,
        x < 0 ? 0 : x, right > shape->width ? shape->width : right
    };
}

/* What the average divides by; 0 never. */
static inline int pool2d_count(const struct rnet_pool_shape *shape,
                               const struct pool2d_window *window)
{
    int rows = window->bottom - window->top;
    int columns = window->right - window->left;

    if (shape->kind == RNET_POOL_SUM)
        return 1;
    if (shape->count_pad || rows <= 0 || columns <= 0)
        return shape->kernel_height * shape->kernel_width;
    return rows * columns;
}

/* A pixel's weight in a tent's window that holds it, one of `out` along an
 * axis: never below 0. */
static inline float pool2d_tent(int pixel, int window, int stride, int out)
{
    float at = ((float)pixel + (float)0.5) / (float)stride - (float)0.5;
    float away = (at < 0 ? 0 : at > (float)(out - 1) ? (float)(out - 1) : at)
                 - (float)window;

    return away < 0 ? 1 + away : 1 - away;
}

/* Windows [*first, *end) along one axis that hold a pixel. */
static inline void pool2d_holders(int pixel, int kernel, int stride, int pad,
                                  int out, int *first, int *end)
{
    int low = pixel + pad - kernel + 1;

    *first = low <= 0 ? 0 : (low + stride - 1) / stride;
    *end = pixel + pad < 0 ? 0 : (pixel + pad) / stride + 1;
    if (*end > out)
        *end = out;
}

#endif
