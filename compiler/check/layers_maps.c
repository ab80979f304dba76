/* layers_maps.c: layers of maps [height, width, channels], and of sequences
 * [length, channels], which are maps of height 1: convolution, pooling, and
 * what makes maps larger and smaller. */
#include "layers.h"

#include <inttypes.h>
#include <string.h>

/* Output length along one axis; 0 when nothing fits. */
static int64_t window_out(int64_t size, int64_t pad, int64_t kernel,
                          int64_t dilation, int64_t stride)
{
    int64_t span = size + pad - dilation * (kernel - 1) - 1;
    return span < 0 ? 0 : span / stride + 1;
}

static bool window_fits(struct use *use, struct value *x, int64_t height,
                        int64_t width)
{
    if (height > 0 && width > 0)
        return true;
    fail(use->body, use->span, "the window of '%s' is larger than its padded "
         "input, %s", use->layer->name, text_of(use, x));
    fail_note(use->body, x->span, "%s comes from here", text_of(use, x));
    return false;
}

static int64_t height_of(const struct value *x)
{
    return x->shape.rank == 2 ? 1 : x->shape.axis[0];
}

static int64_t width_of(const struct value *x)
{
    return x->shape.axis[x->shape.rank - 2];
}

/* Of a sequence, one number says how a window lies. */
static bool along_sequence(struct use *use, const struct value *x,
                           const struct arg_row *row, struct arg *arg)
{
    if (x->shape.rank != 2)
        return true;
    if (arg->count) {
        fail(use->body, arg->ast->span, "'%s' is one number along a sequence, "
             "%s", row->name, shape_text(use->body->check->c, &x->shape));
        return false;
    }
    arg->n[0] = row->kind == ARG_PAD ? 0 : 1;
    return true;
}

static bool read_windows(struct use *use, struct value *x)
{
    for (int i = 0; i < ARGS && use->layer->arg[i].kind; i++) {
        const struct arg_row *row = &use->layer->arg[i];
        struct arg *arg = &use->arg[i];
        if (row->kind != ARG_PAIR && row->kind != ARG_PAD)
            continue;
        for (int j = 0; j < 2; j++)
            if (arg->n[j] > LIMIT_WINDOW) {
                fail(use->body, use->span, "%s is %" PRId64 ", above the "
                     "limit of 2^20", row->name, arg->n[j]);
                return false;
            }
        if (!along_sequence(use, x, row, arg))
            return false;
    }
    return true;
}

/* ---- convolution ---- */

/* Arguments of conv and of upconv. */
enum { CHANNELS, KERNEL, STRIDE, PADDING, DILATION, GROUPS, WITH_BIAS,
       OUTPUT_PADDING };

static struct conv read_conv(const struct arg *a)
{
    return (struct conv) {
        .kernel_height = a[KERNEL].n[0], .kernel_width = a[KERNEL].n[1],
        .stride_y = a[STRIDE].n[0], .stride_x = a[STRIDE].n[1],
        .dilation_y = a[DILATION].n[0], .dilation_x = a[DILATION].n[1],
        .groups = a[GROUPS].n[0],
        .top = a[PADDING].n[0], .bottom = a[PADDING].n[0],
        .left = a[PADDING].n[1], .right = a[PADDING].n[1],
    };
}

static bool groups_divide(struct use *use, struct value *x, int64_t groups)
{
    int64_t in = x->features, out = use->arg[CHANNELS].n[0];
    bool bad = in % groups;

    if (in % groups == 0 && out % groups == 0)
        return true;
    fail(use->body, use->span, "%" PRId64 " groups do not divide the %"
         PRId64 " %s channels evenly", groups, bad ? in : out,
         bad ? "input" : "output");
    if (bad)
        fail_note(use->body, x->span, "%s comes from here", text_of(use, x));
    return false;
}

/* Without `padding`, stride 1 keeps the size: dilation (kernel - 1) in all,
 * the odd one below and to the right; causal: all of it before. */
static void same_padding(const struct arg *padding, struct conv *conv)
{
    int64_t y = conv->dilation_y * (conv->kernel_height - 1);
    int64_t x = conv->dilation_x * (conv->kernel_width - 1);

    conv->top = y / 2;
    conv->bottom = y - y / 2;
    conv->left = padding->is_word ? x : x / 2;
    conv->right = x - conv->left;
}

static struct value *apply_conv(struct use *use, struct value *x)
{
    const struct arg *a = use->arg;

    if (a[PADDING].is_word && x->shape.rank == 3) {
        fail(use->body, a[PADDING].ast->span, "'causal' is for sequences: of "
             "a map, write the sides as 'pad([top, bottom, left, right])' "
             "before a convolution with 'padding = 0'");
        return NULL;
    }
    if (!read_windows(use, x) || !groups_divide(use, x, a[GROUPS].n[0]))
        return NULL;
    struct conv conv = read_conv(a);
    conv.height = height_of(x);
    conv.width = width_of(x);
    conv.in = x->features;
    conv.out = a[CHANNELS].n[0];
    if (!a[PADDING].given || a[PADDING].is_word)
        same_padding(&a[PADDING], &conv);
    conv.out_height = window_out(conv.height, conv.top + conv.bottom,
                                 conv.kernel_height, conv.dilation_y,
                                 conv.stride_y);
    conv.out_width = window_out(conv.width, conv.left + conv.right,
                                conv.kernel_width, conv.dilation_x,
                                conv.stride_x);
    if (!window_fits(use, x, conv.out_height, conv.out_width))
        return NULL;
    return build_conv(use->body, OP_CONV, x, &conv,
                      has_bias(use, &a[WITH_BIAS]), !a[WITH_BIAS].given,
                      next_path(use->body, use->layer->name), use->span);
}

/* The least length that `size` windows come from, and what is added. */
static int64_t window_in(int64_t size, int64_t pad, int64_t kernel,
                         int64_t dilation, int64_t stride, int64_t more)
{
    return (size - 1) * stride - pad + dilation * (kernel - 1) + 1 + more;
}

static bool output_padding_fits(struct use *use, const struct conv *conv)
{
    const struct arg *more = &use->arg[OUTPUT_PADDING];

    if (more->n[0] < conv->stride_y && more->n[1] < conv->stride_x)
        return true;
    fail(use->body, more->ast->span, "'output_padding' must be less than the "
         "stride");
    return false;
}

/* The gradient of the convolution from its result to x (Zeiler et al. 2010). */
static struct value *apply_upconv(struct use *use, struct value *x)
{
    struct arg *a = use->arg;

    if (!a[STRIDE].given)
        memcpy(a[STRIDE].n, a[KERNEL].n, sizeof a[STRIDE].n);
    if (!read_windows(use, x) || !groups_divide(use, x, a[GROUPS].n[0]))
        return NULL;
    struct conv conv = read_conv(a);
    if (!output_padding_fits(use, &conv))
        return NULL;
    conv.out_height = height_of(x);
    conv.out_width = width_of(x);
    conv.out = x->features;
    conv.in = a[CHANNELS].n[0];
    conv.height = window_in(conv.out_height, 2 * conv.top, conv.kernel_height,
                            conv.dilation_y, conv.stride_y,
                            a[OUTPUT_PADDING].n[0]);
    conv.width = window_in(conv.out_width, 2 * conv.left, conv.kernel_width,
                           conv.dilation_x, conv.stride_x,
                           a[OUTPUT_PADDING].n[1]);
    if (conv.height < 1 || conv.width < 1) {
        fail(use->body, use->span, "the padding of '%s' takes away more than "
             "its kernel makes of %s", use->layer->name, text_of(use, x));
        fail_note(use->body, x->span, "%s comes from here", text_of(use, x));
        return NULL;
    }
    return build_conv(use->body, OP_UPCONV, x, &conv,
                      has_bias(use, &a[WITH_BIAS]), !a[WITH_BIAS].given,
                      next_path(use->body, use->layer->name), use->span);
}

/* ---- pooling ---- */

static bool pool_windows(struct use *use, struct value *x, struct pool *pool)
{
    const struct arg *a = use->arg;
    bool all = a[0].is_word;

    if (!read_windows(use, x))
        return false;
    if (all && (a[1].given || a[2].given)) {
        fail(use->body, use->span, "'all' takes the whole map: a stride or "
             "padding has no meaning with it");
        return false;
    }
    pool->kernel_height = all ? pool->height : a[0].n[0];
    pool->kernel_width = all ? pool->width : a[0].n[1];
    pool->stride_y = a[1].given ? a[1].n[0] : pool->kernel_height;
    pool->stride_x = a[1].given ? a[1].n[1] : pool->kernel_width;
    pool->top = a[2].n[0];
    pool->left = a[2].n[1];
    if (2 * pool->top <= pool->kernel_height
        && 2 * pool->left <= pool->kernel_width)
        return true;
    fail(use->body, use->span, "padding of '%s' must be at most half of its "
         "window", use->layer->name);
    return false;
}

static struct pool pool_of(const struct value *x, enum pool_kind kind)
{
    return (struct pool) {
        .kind = kind, .count_pad = true, .height = height_of(x),
        .width = width_of(x), .channels = x->features,
        .out_channels = x->features,
    };
}

static struct value *apply_pool(struct use *use, struct value *x,
                                struct pool pool)
{
    if (!pool_windows(use, x, &pool))
        return NULL;
    pool.out_height = window_out(pool.height, 2 * pool.top,
                                 pool.kernel_height, 1, pool.stride_y);
    pool.out_width = window_out(pool.width, 2 * pool.left, pool.kernel_width,
                                1, pool.stride_x);
    if (!window_fits(use, x, pool.out_height, pool.out_width))
        return NULL;
    struct value *y = build_pool(use->body, OP_POOL, x, &pool,
                                 use->layer->name, use->span);
    struct shape flat = { 1, { x->features } };
    return use->arg[0].is_word ? as_shape(use->body, y, &flat, use->span) : y;
}

static struct value *apply_maxpool(struct use *use, struct value *x)
{
    return apply_pool(use, x, pool_of(x, POOL_MAX));
}

static struct value *apply_avgpool(struct use *use, struct value *x)
{
    struct pool pool = pool_of(x, POOL_AVERAGE);

    pool.count_pad = use->arg[3].real != 0;
    return apply_pool(use, x, pool);
}

/* ---- larger and smaller maps ---- */

/* Nearest: every pixel, factor x factor times; the gradient of a sum.
 * Bilinear: that of a tent. */
static struct value *apply_upsample(struct use *use, struct value *x)
{
    const struct arg *a = use->arg;

    if (a[1].given && !a[1].is_word) {
        fail(use->body, a[1].ast->span, "'upsample' repeats pixels, or "
             "'upsample(factor, bilinear)'");
        return NULL;
    }
    if (!read_windows(use, x))
        return NULL;
    struct pool pool = pool_of(x, a[1].is_word ? POOL_TENT : POOL_SUM);
    int spread = a[1].is_word ? 2 : 1;
    pool.out_height = pool.height;
    pool.out_width = pool.width;
    pool.height *= a[0].n[0];
    pool.width *= a[0].n[1];
    pool.stride_y = a[0].n[0];
    pool.stride_x = a[0].n[1];
    pool.kernel_height = spread * pool.stride_y;
    pool.kernel_width = spread * pool.stride_x;
    pool.top = spread == 2 ? pool.stride_y / 2 : 0;
    pool.left = spread == 2 ? pool.stride_x / 2 : 0;
    return build_pool(use->body, OP_UPSAMPLE, x, &pool, "upsample", use->span);
}

/* A pool of single pixels that starts `top` above the map and `left` of it, or
 * within it: one pass, and it may write into a concat. */
static struct value *frame(struct use *use, struct value *x, int64_t top,
                           int64_t left, int64_t height, int64_t width)
{
    struct pool pool = pool_of(x, POOL_SUM);

    if (height == pool.height && width == pool.width)
        return x;
    pool.kernel_height = pool.kernel_width = 1;
    pool.stride_y = pool.stride_x = 1;
    pool.top = top;
    pool.left = left;
    pool.out_height = height;
    pool.out_width = width;
    return build_pool(use->body, OP_POOL, x, &pool, use->layer->name,
                      use->span);
}

static struct value *apply_pad(struct use *use, struct value *x)
{
    const struct arg *sides = &use->arg[0];
    const int64_t *n = sides->n;
    bool sequence = x->shape.rank == 2;

    if (sides->count && sides->count != (sequence ? 2 : 4)) {
        fail(use->body, sides->ast->span, "the sides of %s are one number or "
             "%s", text_of(use, x), sequence ? "[before, after]"
             : "[top, bottom, left, right]");
        return NULL;
    }
    if (sequence)
        return frame(use, x, 0, n[0], 1, width_of(x) + n[0] + n[1]);
    return frame(use, x, n[0], n[2], height_of(x) + n[0] + n[1],
                 width_of(x) + n[2] + n[3]);
}

/* The size that crop leaves: numbers, or those of a value. */
static bool crop_size(struct use *use, struct value *x, struct arg *size)
{
    struct body *body = use->body;
    const struct arg_row *row = &use->layer->arg[0];

    if (size->ast->kind == AST_LIST || is_number(body, size->ast))
        return read_numbers(use, row, size->ast, size)
            && along_sequence(use, x, row, size);
    struct value *like = eval_unnamed(body, size->ast, x);
    if (!like)
        return false;
    if (like->shape.rank != x->shape.rank) {
        fail(body, size->ast->span, "'crop' takes the size of a value with as "
             "many axes as %s, this one is %s", text_of(use, x),
             text_of(use, like));
        return false;
    }
    size->n[0] = height_of(like);
    size->n[1] = width_of(like);
    return true;
}

/* The middle; where it has no middle, the odd pixel goes below and right. */
static struct value *apply_crop(struct use *use, struct value *x)
{
    if (!crop_size(use, x, &use->arg[0]))
        return NULL;
    int64_t height = use->arg[0].n[0], width = use->arg[0].n[1];
    int64_t top = height_of(x) - height, left = width_of(x) - width;
    if (top < 0 || left < 0) {
        fail(use->body, use->span, "'crop' leaves [%" PRId64 ", %" PRId64
             "], the value here is smaller: %s", height, width,
             text_of(use, x));
        fail_note(use->body, x->span, "%s comes from here", text_of(use, x));
        return NULL;
    }
    return frame(use, x, -(top / 2), -(left / 2), height, width);
}

#define CONV_ARGS(word) \
    { "channels", ARG_COUNT, true, 0, NULL }, \
    { "kernel", ARG_PAIR, true, 0, NULL }, \
    { "stride", ARG_PAIR, false, 1, NULL }, \
    { "padding", ARG_PAD, false, 0, word }, \
    { "dilation", ARG_PAIR, false, 1, NULL }, \
    { "groups", ARG_COUNT, false, 1, NULL }, BIAS
#define POOL_ARGS \
    { "size", ARG_PAIR, true, 0, "all" }, \
    { "stride", ARG_PAIR, false, 0, NULL }, \
    { "padding", ARG_PAD, false, 0, NULL }
#define MORE { "output_padding", ARG_PAD, false, 0, NULL }

const struct layer map_layers[] = {
    { "conv", apply_conv, LAYER_WEIGHTS, 3, 3, NULL, {
        CONV_ARGS("causal"), INIT } },
    { "conv1d", apply_conv, LAYER_WEIGHTS, 2, 2, NULL, {
        CONV_ARGS("causal"), INIT } },
    { "upconv", apply_upconv, LAYER_WEIGHTS, 3, 3, NULL, {
        CONV_ARGS(NULL), MORE, INIT } },
    { "upconv1d", apply_upconv, LAYER_WEIGHTS, 2, 2, NULL, {
        CONV_ARGS(NULL), MORE, INIT } },
    { "maxpool", apply_maxpool, 0, 2, 3, NULL, { POOL_ARGS } },
    { "avgpool", apply_avgpool, 0, 2, 3, NULL, { POOL_ARGS,
        { "count_pad", ARG_FLAG, false, 1, NULL } } },
    { "upsample", apply_upsample, 0, 2, 3, NULL, {
        { "factor", ARG_PAIR, true, 0, NULL },
        { "form", ARG_COUNT, false, 0, "bilinear" } } },
    { "pad", apply_pad, 0, 2, 3, NULL, {
        { "sides", ARG_SIDES, true, 0, NULL } } },
    { "crop", apply_crop, 0, 2, 3, NULL, {
        { "size", ARG_CHAIN, true, 0, NULL } } },
    { 0 }
};
