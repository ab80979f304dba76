/* layers_maps.c: layers of maps [height, width, channels]: convolution and
 * pooling. */
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

/* Without `padding`, stride 1 keeps the size: dilation (kernel - 1) in all,
 * the odd one below and to the right. */
static void conv_padding(const struct arg *pad, struct conv *conv)
{
    int64_t y = conv->dilation_y * (conv->kernel_height - 1);
    int64_t x = conv->dilation_x * (conv->kernel_width - 1);

    conv->top = pad->given ? pad->n[0] : y / 2;
    conv->left = pad->given ? pad->n[1] : x / 2;
    conv->bottom = pad->given ? pad->n[0] : y - y / 2;
    conv->right = pad->given ? pad->n[1] : x - x / 2;
}

enum { LIMIT_WINDOW = 1 << 20 };        /* kernel, stride, padding, dilation */

static bool windows_small(struct use *use)
{
    for (int i = 0; i < ARGS && use->layer->arg[i].kind; i++)
        for (int j = 0; j < 2; j++)
            if ((use->layer->arg[i].kind == ARG_PAIR
                 || use->layer->arg[i].kind == ARG_PAD)
                && use->arg[i].n[j] > LIMIT_WINDOW) {
                fail(use->body, use->span, "%s is %" PRId64 ", above the "
                     "limit of 2^20", use->layer->arg[i].name,
                     use->arg[i].n[j]);
                return false;
            }
    return true;
}

static struct value *apply_conv(struct use *use, struct value *x)
{
    const struct arg *a = use->arg;
    struct conv conv = {
        .height = x->shape.axis[0], .width = x->shape.axis[1],
        .in = x->features, .out = a[0].n[0],
        .kernel_height = a[1].n[0], .kernel_width = a[1].n[1],
        .stride_y = a[2].n[0], .stride_x = a[2].n[1],
        .dilation_y = a[4].n[0], .dilation_x = a[4].n[1],
        .groups = a[5].n[0],
    };
    if (!windows_small(use))
        return NULL;
    if (conv.in % conv.groups || conv.out % conv.groups) {
        bool in = conv.in % conv.groups;
        fail(use->body, use->span, "%" PRId64 " groups do not divide the %"
             PRId64 " %s channels evenly", conv.groups,
             in ? conv.in : conv.out, in ? "input" : "output");
        if (in)
            fail_note(use->body, x->span, "%s comes from here",
                      text_of(use, x));
        return NULL;
    }
    conv_padding(&a[3], &conv);
    conv.out_height = window_out(conv.height, conv.top + conv.bottom,
                                 conv.kernel_height, conv.dilation_y,
                                 conv.stride_y);
    conv.out_width = window_out(conv.width, conv.left + conv.right,
                                conv.kernel_width, conv.dilation_x,
                                conv.stride_x);
    if (!window_fits(use, x, conv.out_height, conv.out_width))
        return NULL;
    return build_conv(use->body, x, &conv, has_bias(use, &a[6]), !a[6].given,
                      next_path(use->body, "conv"), use->span);
}

static struct value *pool(struct use *use, struct value *x, bool max)
{
    const struct arg *a = use->arg;
    bool all = a[0].is_word;
    struct pool pool = {
        .max = max, .count_pad = true,
        .height = x->shape.axis[0], .width = x->shape.axis[1],
        .channels = x->features, .out_channels = x->features,
    };

    if (!windows_small(use))
        return NULL;
    if (all && (a[1].given || a[2].given)) {
        fail(use->body, use->span, "'all' takes the whole map: a stride or "
             "padding has no meaning with it");
        return NULL;
    }
    pool.kernel_height = all ? pool.height : a[0].n[0];
    pool.kernel_width = all ? pool.width : a[0].n[1];
    pool.stride_y = a[1].given ? a[1].n[0] : pool.kernel_height;
    pool.stride_x = a[1].given ? a[1].n[1] : pool.kernel_width;
    pool.top = a[2].n[0];
    pool.left = a[2].n[1];
    if (2 * pool.top > pool.kernel_height
        || 2 * pool.left > pool.kernel_width) {
        fail(use->body, use->span, "padding of '%s' must be at most half of "
             "its window", use->layer->name);
        return NULL;
    }
    pool.out_height = window_out(pool.height, 2 * pool.top,
                                 pool.kernel_height, 1, pool.stride_y);
    pool.out_width = window_out(pool.width, 2 * pool.left, pool.kernel_width,
                                1, pool.stride_x);
    if (!window_fits(use, x, pool.out_height, pool.out_width))
        return NULL;
    struct value *y = build_pool(use->body, x, &pool, use->layer->name,
                                 use->span);
    struct shape flat = { 1, { x->features } };
    return all ? as_shape(use->body, y, &flat, use->span) : y;
}

static struct value *apply_maxpool(struct use *use, struct value *x)
{
    return pool(use, x, true);
}

static struct value *apply_avgpool(struct use *use, struct value *x)
{
    return pool(use, x, false);
}

const struct layer map_layers[] = {
    { "conv", apply_conv, LAYER_WEIGHTS, 3, 3, NULL, {
        { "channels", ARG_COUNT, true, 0, NULL },
        { "kernel", ARG_PAIR, true, 0, NULL },
        { "stride", ARG_PAIR, false, 1, NULL },
        { "padding", ARG_PAD, false, 0, NULL },
        { "dilation", ARG_PAIR, false, 1, NULL },
        { "groups", ARG_COUNT, false, 1, NULL }, BIAS } },
    { "maxpool", apply_maxpool, false, 3, 3, NULL, {
        { "size", ARG_PAIR, true, 0, "all" },
        { "stride", ARG_PAIR, false, 0, NULL },
        { "padding", ARG_PAD, false, 0, NULL } } },
    { "avgpool", apply_avgpool, 0, 3, 3, NULL, {
        { "size", ARG_PAIR, true, 0, "all" },
        { "stride", ARG_PAIR, false, 0, NULL },
        { "padding", ARG_PAD, false, 0, NULL } } },
    { 0 }
};
