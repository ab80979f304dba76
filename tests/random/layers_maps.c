/* layers_maps.c: convolutions, pools, and what makes maps larger or smaller. */
#include "gen.h"

/* One number a direction; of a sequence only x counts. */
struct pair { int y, x; };

static struct pair a_pair(struct gen *g, bool map, int least, int most)
{
    int n = least + below(g, most - least + 1);
    struct pair pair = { n, n };

    if (map && chance(g, 25))
        pair.y = least + below(g, most - least + 1);
    return pair;
}

static const char *write_pair(struct gen *g, const struct scope *s,
                              struct pair pair)
{
    return pair.y == pair.x && !chance(g, 5) ? write_int(g, s, pair.x)
        : draw_format("[%d, %d]", pair.y, pair.x);
}

/* A window along a sequence is one number. */
static const char *write_window(struct gen *g, const struct scope *s,
                                bool map, struct pair pair)
{
    return map ? write_pair(g, s, pair) : write_int(g, s, pair.x);
}

static void get_size(const struct shape *shape, int *h, int *w)
{
    *h = shape->rank == 2 ? 1 : shape->axis[0];
    *w = shape->axis[shape->rank - 2];
}

static void set_map(struct shape *shape, int h, int w, int c)
{
    if (shape->rank == 3)
        shape->axis[0] = h;
    shape->axis[shape->rank - 2] = w;
    shape->axis[shape->rank - 1] = c;
}

static int window(int size, int padding, int kernel, int dilation, int stride)
{
    int span = size + padding - dilation * (kernel - 1) - 1;
    return span < 0 ? 0 : span / stride + 1;
}

/* ---- convolutions ---- */

enum padding { SAME, CAUSAL, GIVEN };

struct window {
    struct pair kernel, stride, padding, dilation;
    enum padding kind;
    int channels, groups;
};

static void draw_groups(struct gen *g, struct window *w, int in)
{
    w->channels = a_size(g, 33);
    w->groups = 1;
    if (chance(g, 25)) {
        w->groups = chance(g, 50) ? in : a_divisor(g, in);
        w->channels = w->groups * (1 + below(g, 3));
        mark(g, w->groups == in && in > 1 ? "depthwise" : "groups");
    }
}

static struct window draw_window(struct gen *g, bool map, int in)
{
    struct window w = { .stride = { 1, 1 }, .dilation = { 1, 1 } };

    w.kernel = a_pair(g, map, 1, chance(g, 60) ? 3 : 5);
    if (chance(g, 30)) {
        w.stride = a_pair(g, map, 1, 3);
        mark(g, "stride");
    }
    if (chance(g, 20)) {
        w.dilation = a_pair(g, map, 1, 3);
        mark(g, "dilation");
    }
    if (chance(g, 30)) {
        w.padding = a_pair(g, map, 0, 3);
        w.kind = GIVEN;
        mark(g, "padding");
    } else if (!map && chance(g, 40)) {
        w.kind = CAUSAL;
        mark(g, "causal padding");
    }
    draw_groups(g, &w, in);
    return w;
}

static int conv_out(const struct window *w, int size, int padding, int kernel,
                    int dilation, int stride)
{
    return window(size, w->kind == GIVEN ? 2 * padding
                  : dilation * (kernel - 1), kernel, dilation, stride);
}

static const char *more_arguments(struct gen *g, const struct scope *s,
                                  bool map, const struct window *w,
                                  struct pair usual)
{
    struct text text = { 0 };
    bool plain = w->stride.y == usual.y && w->stride.x == usual.x;

    text_add(&text, "%s", "");
    if (!plain)
        text_add(&text, ", %s%s", chance(g, 50) ? "stride = " : "",
                 write_window(g, s, map, w->stride));
    if (w->kind == GIVEN)
        text_add(&text, ", padding = %s", write_window(g, s, map, w->padding));
    if (w->kind == CAUSAL)
        text_add(&text, ", padding = causal");
    if (w->dilation.y != 1 || w->dilation.x != 1)
        text_add(&text, ", dilation = %s",
                 write_window(g, s, map, w->dilation));
    if (w->groups != 1)
        text_add(&text, ", groups = %s", write_int(g, s, w->groups));
    if (chance(g, 20))
        text_add(&text, ", bias = %s", chance(g, 60) ? "no" : "yes");
    text_add(&text, "%s", an_init(g));
    return text.bytes;
}

static const char *conv(struct gen *g, struct scope *s, struct shape *shape,
                        const char *name)
{
    bool map = shape->rank == 3;
    int h, w, in = last_axis(shape);
    struct window win = draw_window(g, map, in);

    get_size(shape, &h, &w);
    if (map)
        h = conv_out(&win, h, win.padding.y, win.kernel.y, win.dilation.y,
                     win.stride.y);
    w = conv_out(&win, w, win.padding.x, win.kernel.x, win.dilation.x,
                 win.stride.x);
    double size = (double)in / win.groups * win.channels * win.kernel.x
                  * (map ? win.kernel.y : 1);
    if (h < 1 || w < 1 || !spend(g, s, size * h * w, size + win.channels))
        return NULL;
    set_map(shape, h, w, win.channels);
    return draw_format("%s(%s, %s%s)", name, write_int(g, s, win.channels),
                       write_window(g, s, map, win.kernel),
                       more_arguments(g, s, map, &win, (struct pair) { 1, 1 }));
}

const char *make_conv(struct gen *g, struct scope *s, struct shape *shape)
{
    return conv(g, s, shape, "conv");
}

const char *make_conv1d(struct gen *g, struct scope *s, struct shape *shape)
{
    return conv(g, s, shape, "conv1d");
}

static int up_out(int size, int stride, int padding, int dilation, int kernel,
                  int more)
{
    return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1
        + more;
}

static const char *upconv(struct gen *g, struct scope *s, struct shape *shape,
                          const char *name)
{
    bool map = shape->rank == 3;
    int h, w, in = last_axis(shape), most = chance(g, 70) ? 2 : 3;
    struct window win = { .dilation = { 1, 1 }, .kind = GIVEN };
    struct pair more = { 0, 0 };

    get_size(shape, &h, &w);
    win.kernel = a_pair(g, map, 1, 4);
    win.stride = chance(g, 50) ? win.kernel : a_pair(g, map, 1, most);
    if (chance(g, 30))
        win.padding = a_pair(g, map, 0, 1);
    if (chance(g, 20))
        win.dilation = a_pair(g, map, 1, 2);
    if (chance(g, 30) && win.stride.x > 1) {
        more.x = more.y = 1 + below(g, win.stride.x - 1);
        if (!map || win.stride.y <= more.y)
            more.y = 0;
    }
    draw_groups(g, &win, in);
    if (map)
        h = up_out(h, win.stride.y, win.padding.y, win.dilation.y,
                   win.kernel.y, more.y);
    w = up_out(w, win.stride.x, win.padding.x, win.dilation.x, win.kernel.x,
               more.x);
    double size = (double)in / win.groups * win.channels * win.kernel.x
                  * (map ? win.kernel.y : 1);
    if (h < 1 || w < 1 || h > 24 || w > 40
        || !spend(g, s, size * h * w, size + win.channels))
        return NULL;
    if (!win.padding.y && !win.padding.x)
        win.kind = SAME;        /* none is written */
    set_map(shape, h, w, win.channels);
    const char *extra = !more.x && !more.y ? ""
        : draw_format(", output_padding = %s", map ? draw_format("[%d, %d]",
                      more.y, more.x) : draw_format("%d", more.x));
    if (*extra)
        mark(g, "output_padding");
    return draw_format("%s(%s, %s%s%s)", name, write_int(g, s, win.channels),
                       write_window(g, s, map, win.kernel), extra,
                       more_arguments(g, s, map, &win, map ? win.kernel
                           : (struct pair) { win.stride.y, win.kernel.x }));
}

const char *make_upconv(struct gen *g, struct scope *s, struct shape *shape)
{
    return upconv(g, s, shape, "upconv");
}

const char *make_upconv1d(struct gen *g, struct scope *s, struct shape *shape)
{
    return upconv(g, s, shape, "upconv1d");
}

/* ---- pools ---- */

static const char *pool(struct gen *g, struct scope *s, struct shape *shape,
                        const char *name, bool average)
{
    bool map = shape->rank == 3;
    int h, w, c = last_axis(shape);
    struct pair size = a_pair(g, map, 1, 3), stride = size, pad = { 0, 0 };

    if (chance(g, 25)) {
        mark(g, "pool all");
        *shape = shape_of(1, c, 0, 0, 0);
        return draw_format("%s(all)", name);
    }
    get_size(shape, &h, &w);
    if (chance(g, 50))
        stride = a_pair(g, map, 1, 3);
    if (chance(g, 30))
        pad = (struct pair) { size.y / 2, size.x / 2 };
    if (map)
        h = window(h, 2 * pad.y, size.y, 1, stride.y);
    w = window(w, 2 * pad.x, size.x, 1, stride.x);
    if (h < 1 || w < 1)
        return NULL;
    set_map(shape, h, w, c);
    struct text text = { 0 };
    text_add(&text, "%s(%s", name, write_window(g, s, map, size));
    if (stride.x != size.x || stride.y != size.y)
        text_add(&text, ", %s%s", chance(g, 50) ? "stride = " : "",
                 write_window(g, s, map, stride));
    if (pad.x || pad.y) {
        mark(g, "pool padding");
        text_add(&text, ", padding = %s", write_window(g, s, map, pad));
        if (average && chance(g, 50)) {
            mark(g, "count_pad");
            text_add(&text, ", count_pad = no");
        }
    }
    text_add(&text, ")");
    return text.bytes;
}

const char *make_maxpool(struct gen *g, struct scope *s, struct shape *shape)
{
    return pool(g, s, shape, "maxpool", false);
}

const char *make_avgpool(struct gen *g, struct scope *s, struct shape *shape)
{
    return pool(g, s, shape, "avgpool", true);
}

/* ---- larger and smaller ---- */

const char *make_upsample(struct gen *g, struct scope *s, struct shape *shape)
{
    bool map = shape->rank == 3, bilinear = chance(g, 50);
    int h, w;
    struct pair factor = a_pair(g, map, 1, 3);

    get_size(shape, &h, &w);
    if (h * factor.y > 20 || w * factor.x > 33)
        return NULL;
    set_map(shape, h * factor.y, w * factor.x, last_axis(shape));
    if (bilinear)
        mark(g, "bilinear");
    return draw_format("upsample(%s%s)", write_window(g, s, map, factor),
                       bilinear ? ", bilinear" : "");
}

const char *make_pad(struct gen *g, struct scope *s, struct shape *shape)
{
    bool map = shape->rank == 3, all = chance(g, 50);
    int h, w, side[4];

    get_size(shape, &h, &w);
    for (int i = 0; i < 4; i++)
        side[i] = below(g, 3);
    if (all)
        side[1] = side[2] = side[3] = side[0];
    if (h + 4 > 24 || w + 4 > 40)
        return NULL;
    set_map(shape, h + side[0] + side[1], w + (map ? side[2] + side[3]
            : side[0] + side[1]), last_axis(shape));
    if (all)
        return draw_format("pad(%s)", write_int(g, s, side[0]));
    return map ? draw_format("pad([%d, %d, %d, %d])", side[0], side[1],
                             side[2], side[3])
               : draw_format("pad([%d, %d])", side[0], side[1]);
}

const char *make_crop(struct gen *g, struct scope *s, struct shape *shape)
{
    bool map = shape->rank == 3;
    int h, w;

    get_size(shape, &h, &w);
    struct pair size = { 1 + below(g, h), 1 + below(g, w) };
    if (map && size.y > w)
        size.y = h;
    if (chance(g, 25)) {        /* to what another value has */
        struct shape other = *shape;
        const char *to = pool(g, s, &other, "maxpool", false);
        if (to && other.rank == shape->rank) {
            get_size(&other, &size.y, &size.x);
            if (size.y <= h && size.x <= w) {
                mark(g, "crop to a value");
                set_map(shape, size.y, size.x, last_axis(shape));
                return draw_format("crop(%s)", to);
            }
        }
        size = (struct pair) { h, w };
    }
    set_map(shape, size.y, size.x, last_axis(shape));
    return draw_format("crop(%s)", map ? draw_format("[%d, %d]", size.y,
                       size.x) : write_int(g, s, size.x));
}
