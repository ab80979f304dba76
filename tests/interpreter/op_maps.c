/* op_maps.c: convolutions, pools, upsampling, over maps [row, column, channel]
 * of each sample. */
#include "tape.h"

/* ---- convolution ---- */

/* One product of a convolution: `in` channels from x on, taps apart in w, and
 * one channel of y. */
struct tap { size_t x, w, y, in, taps; };
typedef void tap_visitor(struct step *s, const struct tap *tap);

/* All taps of output (oy, ox, o) that lie within the map. */
static void taps_of_pixel(struct step *s, size_t image, int64_t oy, int64_t ox,
                          int64_t o, tap_visitor *visit)
{
    const struct conv *c = &s->node->conv;
    int64_t in = c->in / c->groups, group = o / (c->out / c->groups);
    int64_t taps = c->kernel_height * c->kernel_width;
    int64_t base = (int64_t)image * c->out_height * c->out_width;

    for (int64_t k = 0; k < taps; k++) {
        int64_t y = oy * c->stride_y - c->top
                  + k / c->kernel_width * c->dilation_y;
        int64_t x = ox * c->stride_x - c->left
                  + k % c->kernel_width * c->dilation_x;
        if (y < 0 || y >= c->height || x < 0 || x >= c->width)
            continue;
        int64_t pixel = ((int64_t)image * c->height + y) * c->width + x;
        struct tap tap = {
            (size_t)(pixel * c->in + group * in), (size_t)(o * in * taps + k),
            (size_t)((base + oy * c->out_width + ox) * c->out + o),
            (size_t)in, (size_t)taps,
        };
        visit(s, &tap);
    }
}

static void each_tap(const struct machine *m, struct step *s,
                     tap_visitor *visit)
{
    const struct conv *c = &s->node->conv;

    for (size_t image = 0; image < m->feed->batch; image++)
        for (int64_t oy = 0; oy < c->out_height; oy++)
            for (int64_t ox = 0; ox < c->out_width; ox++)
                for (int64_t o = 0; o < c->out; o++)
                    taps_of_pixel(s, image, oy, ox, o, visit);
}

static void conv_tap(struct step *s, const struct tap *t)
{
    for (size_t i = 0; i < t->in; i++)
        s->out->x[t->y] += s->in[0]->x[t->x + i]
                           * s->param[0]->x[t->w + i * t->taps];
}

static void conv_grad_tap(struct step *s, const struct tap *t)
{
    real dy = s->out->dx[t->y];

    for (size_t i = 0; i < t->in; i++) {
        s->param[0]->dx[t->w + i * t->taps] += dy * s->in[0]->x[t->x + i];
        s->in[0]->dx[t->x + i] += dy * s->param[0]->x[t->w + i * t->taps];
    }
}

static void add_bias(struct step *s)
{
    for (size_t i = 0; s->param[1] && i < s->out->size; i++)
        s->out->x[i] += s->param[1]->x[i % s->features];
}

static void bias_grad(struct step *s)
{
    for (size_t i = 0; s->param[1] && i < s->out->size; i++)
        s->param[1]->dx[i % s->features] += s->out->dx[i];
}

static void conv_forward(struct machine *m, struct step *s)
{
    each_tap(m, s, conv_tap);
    add_bias(s);
}

static void conv_backward(struct machine *m, struct step *s)
{
    each_tap(m, s, conv_grad_tap);
    bias_grad(s);
}

/* ---- transposed convolution: x and y change places ---- */

static void upconv_tap(struct step *s, const struct tap *t)
{
    for (size_t i = 0; i < t->in; i++)
        s->out->x[t->x + i] += s->in[0]->x[t->y]
                               * s->param[0]->x[t->w + i * t->taps];
}

static void upconv_grad_tap(struct step *s, const struct tap *t)
{
    for (size_t i = 0; i < t->in; i++) {
        real dy = s->out->dx[t->x + i];
        s->param[0]->dx[t->w + i * t->taps] += dy * s->in[0]->x[t->y];
        s->in[0]->dx[t->y] += dy * s->param[0]->x[t->w + i * t->taps];
    }
}

static void upconv_forward(struct machine *m, struct step *s)
{
    each_tap(m, s, upconv_tap);
    add_bias(s);
}

static void upconv_backward(struct machine *m, struct step *s)
{
    each_tap(m, s, upconv_grad_tap);
    bias_grad(s);
}

/* ---- pools ---- */

/* Part of the map under window (oy, ox), and its pixels. */
struct window { int64_t top, bottom, left, right; };

static struct window window_at(const struct pool *p, int64_t oy, int64_t ox)
{
    int64_t y = oy * p->stride_y - p->top, x = ox * p->stride_x - p->left;
    struct window w = { y, y + p->kernel_height, x, x + p->kernel_width };

    w.top = w.top < 0 ? 0 : w.top;
    w.left = w.left < 0 ? 0 : w.left;
    w.bottom = w.bottom > p->height ? p->height : w.bottom;
    w.right = w.right > p->width ? p->width : w.right;
    return w;
}

static real divisor(const struct pool *p, const struct window *w)
{
    if (p->kind == POOL_SUM)
        return 1;
    return p->count_pad ? (real)(p->kernel_height * p->kernel_width)
                        : (real)((w->bottom - w->top) * (w->right - w->left));
}

/* The pixel of a channel that is largest, the first of equal ones; the second
 * largest value to *second. */
static size_t winner(const struct step *s, const struct window *w,
                     int64_t image, int64_t channel, real *second)
{
    const struct pool *p = &s->node->pool;
    size_t best = SIZE_MAX;

    *second = -(real)INFINITY;
    for (int64_t y = w->top; y < w->bottom; y++)
        for (int64_t x = w->left; x < w->right; x++) {
            size_t at = (size_t)(((image * p->height + y) * p->width + x)
                                 * p->channels + channel);
            real value = s->in[0]->x[at];
            if (best == SIZE_MAX) {
                best = at;
            } else if (value > s->in[0]->x[best]) {
                *second = s->in[0]->x[best];
                best = at;
            } else if (value > *second) {
                *second = value;
            }
        }
    return best;
}

typedef void window_visitor(struct step *s, const struct window *w,
                            int64_t image, int64_t channel, size_t y);

/* Every channel that the pool reads, under every window. */
static void each_window(const struct machine *m, struct step *s,
                        window_visitor *visit)
{
    const struct pool *p = &s->node->pool;

    for (int64_t image = 0; image < (int64_t)m->feed->batch; image++)
        for (int64_t i = 0; i < p->out_height * p->out_width; i++) {
            struct window w = window_at(p, i / p->out_width,
                                        i % p->out_width);
            for (int64_t c = 0; c < p->channels; c++)
                visit(s, &w, image, c,
                      (size_t)((image * p->out_height * p->out_width + i)
                               * p->out_channels + c));
        }
}

static void average(struct step *s, const struct window *w, int64_t image,
                    int64_t channel, size_t out)
{
    const struct pool *p = &s->node->pool;
    real sum = 0;

    for (int64_t y = w->top; y < w->bottom; y++)
        for (int64_t x = w->left; x < w->right; x++)
            sum += s->in[0]->x[((image * p->height + y) * p->width + x)
                               * p->channels + channel];
    s->out->x[out] = sum / divisor(p, w);
}

static void average_grad(struct step *s, const struct window *w, int64_t image,
                         int64_t channel, size_t out)
{
    const struct pool *p = &s->node->pool;

    for (int64_t y = w->top; y < w->bottom; y++)
        for (int64_t x = w->left; x < w->right; x++)
            s->in[0]->dx[((image * p->height + y) * p->width + x)
                         * p->channels + channel]
                += s->out->dx[out] / divisor(p, w);
}

static void largest(struct step *s, const struct window *w, int64_t image,
                    int64_t channel, size_t out)
{
    real second;
    size_t best = winner(s, w, image, channel, &second);

    s->out->x[out] = s->in[0]->x[best];
    s->kept[out] = isinf(second) ? 1 : s->out->x[out] - second;
}

static void largest_grad(struct step *s, const struct window *w, int64_t image,
                         int64_t channel, size_t out)
{
    real second;

    s->in[0]->dx[winner(s, w, image, channel, &second)] += s->out->dx[out];
}

static void pool_forward(struct machine *m, struct step *s)
{
    s->kept = keep(m, s->out->size);
    each_window(m, s, s->node->pool.kind == POOL_MAX ? largest : average);
    if (s->node->pool.kind != POOL_MAX)
        return;
    double *margin = margins_new(m, s->out->size);
    for (size_t i = 0; i < s->out->size; i++)
        margin[i] = (double)s->kept[i];
}

static void pool_backward(struct machine *m, struct step *s)
{
    each_window(m, s, s->node->pool.kind == POOL_MAX ? largest_grad
                                                     : average_grad);
}

/* ---- upsampling, by its definition ---- */

/* Between which two of `count` pixels output i of factor * count lies, and how
 * far from the first. */
static real between(int64_t i, int64_t factor, int64_t count, bool tent,
                    int64_t *first, int64_t *second)
{
    if (!tent)
        return *first = *second = i / factor, 0;
    real at = ((real)i + (real)0.5) / (real)factor - (real)0.5;

    at = at < 0 ? 0 : at > (real)(count - 1) ? (real)(count - 1) : at;
    *first = (int64_t)floor(at);
    *second = *first + 1 < count ? *first + 1 : *first;
    return at - (real)*first;
}

typedef void pixel_visitor(struct step *s, size_t y, size_t x, real weight);

/* The four pixels that output (image, oy, ox) is made of. */
static void four_pixels(struct step *s, int64_t image, int64_t oy, int64_t ox,
                        pixel_visitor *visit)
{
    const struct pool *p = &s->node->pool;
    bool tent = p->kind == POOL_TENT;
    int64_t row[2], column[2];
    real down = between(oy, p->stride_y, p->out_height, tent, row, row + 1);
    real right = between(ox, p->stride_x, p->out_width, tent, column,
                         column + 1);
    int64_t out = (image * p->height + oy) * p->width + ox;

    for (int k = 0; k < 4; k++) {
        int64_t in = (image * p->out_height + row[k / 2]) * p->out_width
                   + column[k % 2];
        real weight = (k / 2 ? down : 1 - down) * (k % 2 ? right : 1 - right);
        for (int64_t c = 0; c < p->channels; c++)
            visit(s, (size_t)(out * p->channels + c),
                  (size_t)(in * p->channels + c), weight);
    }
}

static void each_upsampled(const struct machine *m, struct step *s,
                           pixel_visitor *visit)
{
    const struct pool *p = &s->node->pool;

    for (int64_t image = 0; image < (int64_t)m->feed->batch; image++)
        for (int64_t i = 0; i < p->height * p->width; i++)
            four_pixels(s, image, i / p->width, i % p->width, visit);
}

static void upsample_pixel(struct step *s, size_t y, size_t x, real weight)
{
    s->out->x[y] += weight * s->in[0]->x[x];
}

static void upsample_grad_pixel(struct step *s, size_t y, size_t x,
                                real weight)
{
    s->in[0]->dx[x] += weight * s->out->dx[y];
}

static void upsample_forward(struct machine *m, struct step *s)
{
    each_upsampled(m, s, upsample_pixel);
}

static void upsample_backward(struct machine *m, struct step *s)
{
    each_upsampled(m, s, upsample_grad_pixel);
}

const struct rule TWIN(map_rules)[] = {
    { OP_CONV, conv_forward, conv_backward },
    { OP_UPCONV, upconv_forward, upconv_backward },
    { OP_POOL, pool_forward, pool_backward },
    { OP_UPSAMPLE, upsample_forward, upsample_backward }, { 0 }
};
