/* layers.c: dense layers, norms and functions, and the table of all layers. */
#include "gen.h"

#include <stdio.h>
#include <string.h>

/* ---- arguments that many layers take ---- */

const char *an_init_value(struct gen *g)
{
    static const char *const kinds[] = {
        "he", "he(uniform)", "he(fan_out)", "he(gain = 0.7)", "xavier",
        "xavier(uniform)", "xavier(gain = 1.2)", "normal(0.3)",
        "normal(0.5 / sqrt(4))", "uniform(0.4)", "constant(0.1)", "zeros",
        "he(fan_out, gain = 0.5)", NULL
    };
    mark(g, "init");
    return draw_of(&g->draw, kinds);
}

const char *an_init(struct gen *g)
{
    return chance(g, 10) ? draw_format(", init = %s", an_init_value(g)) : "";
}

static const char *a_bias(struct gen *g)
{
    static const char *const ways[] = { ", bias = no", ", bias = yes",
                                        ", bias = no", NULL };
    return chance(g, 25) ? draw_of(&g->draw, ways) : "";
}

/* A group of so few numbers is almost constant: with a small eps its gradient
 * would be the difference of two large ones. */
static const char *an_eps(struct gen *g, int group, bool named)
{
    static const char *const large[] = { "0.1", "1e-1", "0.5", NULL };
    static const char *const small[] = { "0.001", "1e-3", "0.01", "0.1", NULL };

    if (group >= 5 && chance(g, 70))
        return "";
    return draw_format("%s%s", named || chance(g, 50) ? "eps = " : "",
                       draw_of(&g->draw, group < 5 ? large : small));
}

static const char *with_arguments(const char *name, const char *arguments)
{
    return *arguments ? draw_format("%s(%s)", name, arguments) : name;
}

/* eps, affine, gamma */
static const char *norm_arguments(struct gen *g, int group, bool affine,
                                  bool named)
{
    struct text text = { 0 };

    text_add(&text, "%s", an_eps(g, group, named));
    if (affine && chance(g, 20)) {
        mark(g, "affine");
        text_add(&text, "%saffine = no", text.length ? ", " : "");
    } else if (chance(g, 8)) {
        mark(g, "gamma");
        text_add(&text, "%sgamma = %s", text.length ? ", " : "",
                 write_real(g, 20 + below(g, 100)));
    }
    return text.bytes;
}

/* ---- weights ---- */

static const char *make_linear(struct gen *g, struct scope *s,
                               struct shape *shape)
{
    int f = last_axis(shape), rows = shape_rows(shape);
    int out = a_size(g, 65);

    if (!spend(g, s, (double)f * out * rows, (double)f * out + out))
        out = 1 + below(g, 4);
    shape->axis[shape->rank - 1] = out;
    return draw_format("linear(%s%s%s%s)", chance(g, 10) ? "out = " : "",
                       write_int(g, s, out), a_bias(g), an_init(g));
}

/* ---- norms ---- */

static const char *make_layernorm(struct gen *g, struct scope *s,
                                  struct shape *shape)
{
    (void)s;
    return with_arguments("layernorm", norm_arguments(g, last_axis(shape),
                                                      true, false));
}

static const char *make_rmsnorm(struct gen *g, struct scope *s,
                                struct shape *shape)
{
    (void)s;
    return with_arguments("rmsnorm", norm_arguments(g, last_axis(shape), true,
                                                    false));
}

static const char *make_batchnorm(struct gen *g, struct scope *s,
                                  struct shape *shape)
{
    (void)s;
    if (!g->options.batch)
        return NULL;
    return with_arguments("batchnorm", norm_arguments(g, shape_rows(shape) * 3,
                                                      false, false));
}

static const char *make_groupnorm(struct gen *g, struct scope *s,
                                  struct shape *shape)
{
    int c = last_axis(shape), groups = a_divisor(g, c);
    const char *more = norm_arguments(g, shape_size(shape) / groups, true,
                                      false);

    return draw_format("groupnorm(%s%s%s)", write_int(g, s, groups),
                       *more ? ", " : "", more);
}

static const char *make_instancenorm(struct gen *g, struct scope *s,
                                     struct shape *shape)
{
    (void)s;
    return with_arguments("instancenorm", norm_arguments(g, shape_rows(shape),
                                                         true, false));
}

/* ---- others ---- */

static const char *make_dropout(struct gen *g, struct scope *s,
                                struct shape *shape)
{
    (void)shape;
    if (!g->options.chance)
        return NULL;
    if (s->index && chance(g, 50)) {
        mark(g, "varying number");
        return draw_format("dropout(%s / %d * 0.4)", s->index, s->count);
    }
    return draw_format("dropout(%s)", write_real(g, below(g, 60)));
}

static const char *make_time_embedding(struct gen *g, struct scope *s,
                                       struct shape *shape)
{
    static const char *const more[] = { "", ", shift = 0", ", base = 50",
                                        ", 100, shift = 0", NULL };
    int features = 4 + 2 * below(g, 8);
    const char *text = draw_format("time_embedding(%s%s)",
                                   write_int(g, s, features),
                                   draw_of(&g->draw, more));

    if (last_axis(shape) != 1) {        /* of one number a row */
        if (!spend(g, s, shape_size(shape), last_axis(shape) + 1))
            return NULL;
        text = draw_format("linear(1) -> %s", text);
    }
    shape->axis[shape->rank - 1] = features;
    return text;
}

static const char *make_softmax(struct gen *g, struct scope *s,
                                struct shape *shape)
{
    (void)g, (void)s, (void)shape;
    return "softmax";
}

static const char *make_identity(struct gen *g, struct scope *s,
                                 struct shape *shape)
{
    (void)g, (void)s, (void)shape;
    return "identity";
}

static const char *one_scalar(struct gen *g, struct scope *s, const char *name,
                              int start)
{
    if (!spend(g, s, 0, 1))
        return NULL;
    return chance(g, 50) ? name
        : draw_format("%s(%s)", name, write_real(g, start));
}

static const char *make_shift(struct gen *g, struct scope *s,
                              struct shape *shape)
{
    (void)shape;
    return one_scalar(g, s, "shift", below(g, 60) - 30);
}

static const char *make_gain(struct gen *g, struct scope *s,
                             struct shape *shape)
{
    (void)shape;
    return one_scalar(g, s, "gain", 50 + below(g, 100));
}

/* ---- functions ---- */

static const char *a_number_of(struct gen *g, struct scope *s, const char *name,
                               const char *argument, int least)
{
    if (chance(g, 40))
        return name;
    if (s->index && chance(g, 50)) {
        mark(g, "varying number");
        return draw_format("%s(0.1 + %s / %d)", name, s->index, s->count * 2);
    }
    return draw_format("%s(%s%s)", name, chance(g, 50) ? argument : "",
                       write_real(g, least + below(g, 60)));
}

static const char *make_leaky_relu(struct gen *g, struct scope *s,
                                   struct shape *shape)
{
    (void)shape;
    return a_number_of(g, s, "leaky_relu", "slope = ", 1);
}

static const char *make_elu(struct gen *g, struct scope *s,
                            struct shape *shape)
{
    (void)shape;
    return a_number_of(g, s, "elu", "alpha = ", 50);
}

static const char *make_gelu(struct gen *g, struct scope *s,
                             struct shape *shape)
{
    (void)s, (void)shape;
    return chance(g, 40) ? "gelu(tanh)" : "gelu";
}

/* Of what is bounded: e^x of what grows would grow out of float's range. */
static const char *make_exp(struct gen *g, struct scope *s,
                            struct shape *shape)
{
    static const char *const bounded[] = { "tanh -> exp", "sigmoid -> exp",
                                           "exp(tanh)", "exp(softmax)", NULL };
    (void)s, (void)shape;
    return draw_of(&g->draw, bounded);
}

/* Of what is not near 0. */
static const char *make_log(struct gen *g, struct scope *s,
                            struct shape *shape)
{
    static const char *const above[] = { "softplus + 0.3 -> log",
                                         "log(sigmoid + 0.1)",
                                         "abs + 0.5 -> log", NULL };
    (void)s, (void)shape;
    mark(g, "number beside value");
    return draw_of(&g->draw, above);
}

/* A function by its name alone. */
#define PLAIN(function)                                                       \
    static const char *make_##function(struct gen *g, struct scope *s,        \
                                       struct shape *shape)                   \
    {                                                                         \
        (void)g, (void)s, (void)shape;                                        \
        return #function;                                                     \
    }
PLAIN(relu)
PLAIN(relu6)
PLAIN(gelu_tanh)
PLAIN(silu)
PLAIN(sigmoid)
PLAIN(tanh)
PLAIN(softplus)
PLAIN(abs)

const char *a_function(struct gen *g)
{
    static const char *const functions[] = {
        "relu", "tanh", "sigmoid", "silu", "gelu", "gelu(tanh)", "elu", "relu6",
        "leaky_relu(0.2)", "softplus", "gelu_tanh", "abs", NULL
    };
    const char *function = draw_of(&g->draw, functions);
    char name[16];

    snprintf(name, sizeof name, "%.*s", (int)strcspn(function, "("), function);
    mark(g, name);
    return function;
}

/* ---- the table ---- */

/* name, axes from and to, how often, heat of the result, parameters */
#define ROW(name, least, most, weight, heat, weights)                         \
    { #name, least, most, weight, heat, weights, make_##name }

const struct maker makers[] = {
    ROW(linear, 1, AXES, 60, 1, true),
    ROW(conv, 3, 3, 90, 1, true),
    ROW(conv1d, 2, 2, 30, 1, true),
    ROW(upconv, 3, 3, 10, 1, true),
    ROW(upconv1d, 2, 2, 8, 1, true),
    ROW(maxpool, 2, 3, 14, 0, false),
    ROW(avgpool, 2, 3, 14, 0, false),
    ROW(upsample, 2, 3, 8, 0, false),
    ROW(pad, 2, 3, 8, 0, false),
    ROW(crop, 2, 3, 8, 0, false),
    ROW(attention, 2, 3, 16, 1, true),
    ROW(positions, 2, 3, 10, 0, true),
    ROW(lstm, 2, 2, 14, 0.5, true),
    ROW(gru, 2, 2, 14, 0.5, true),
    ROW(aggregate, 1, AXES, 14, 0, false),
    ROW(flatten, 1, AXES, 6, 0, false),
    ROW(reshape, 1, AXES, 8, 0, false),
    ROW(slice, 1, AXES, 10, 0, false),
    ROW(part, 1, AXES, 8, 0, false),
    ROW(row, 2, AXES, 5, 0, false),
    ROW(concat, 1, AXES, 16, 0, true),
    ROW(learned, 1, AXES, 8, 1, true),
    ROW(dropout, 1, AXES, 5, 0, false),
    ROW(time_embedding, 1, AXES, 4, 0.7, true),
    ROW(softmax, 1, AXES, 6, 0.5, false),
    ROW(layernorm, 1, AXES, 10, 1, true),
    ROW(rmsnorm, 1, AXES, 10, 1, true),
    ROW(batchnorm, 1, AXES, 14, 1, true),
    ROW(groupnorm, 1, AXES, 10, 1, true),
    ROW(instancenorm, 3, 3, 10, 1, true),
    ROW(shift, 1, AXES, 4, 0, true),
    ROW(gain, 1, AXES, 4, 0, true),
    ROW(identity, 1, AXES, 2, 0, false),
    ROW(relu, 1, AXES, 12, 0, false),
    ROW(leaky_relu, 1, AXES, 6, 0, false),
    ROW(relu6, 1, AXES, 4, 0, false),
    ROW(elu, 1, AXES, 6, 0, false),
    ROW(gelu, 1, AXES, 8, 0, false),
    ROW(gelu_tanh, 1, AXES, 4, 0, false),
    ROW(silu, 1, AXES, 8, 0, false),
    ROW(sigmoid, 1, AXES, 8, 0.6, false),
    ROW(tanh, 1, AXES, 10, 0.6, false),
    ROW(softplus, 1, AXES, 4, 0, false),
    ROW(exp, 1, AXES, 3, 1.2, false),
    ROW(log, 1, AXES, 3, 0.7, false),
    ROW(abs, 1, AXES, 4, 0, false),
    { "embedding", 1, AXES, 0, 1, true, NULL },         /* see program.c */
    { 0 }
};

static const char *make(struct gen *g, struct scope *s,
                        const struct maker *maker, struct shape *shape)
{
    if (shape->rank < maker->least || shape->rank > maker->most)
        return NULL;
    const char *text = maker->make(g, s, shape);
    if (text)
        mark(g, maker->name);
    return text;
}

const struct maker *maker_find(const char *name)
{
    for (const struct maker *m = makers; m->name; m++)
        if (!strcmp(m->name, name))
            return m;
    return NULL;
}

const char *make_named(struct gen *g, struct scope *s, const char *name,
                       struct shape *shape)
{
    return make(g, s, maker_find(name), shape);
}

const char *make_any(struct gen *g, struct scope *s, struct shape *shape,
                     double *heat, bool *weights)
{
    int weight[64] = { 0 }, count = 0;

    for (; makers[count].name; count++)
        weight[count] = shape->rank >= makers[count].least
            && shape->rank <= makers[count].most ? makers[count].weight : 0;
    const struct maker *maker = &makers[draw_weighted(&g->draw, weight, count)];
    struct shape before = *shape;
    const char *text = make(g, s, maker, shape);
    if (!text) {
        *shape = before;
        return NULL;
    }
    *weights = maker->weights;
    if (maker->heat > 0)
        *heat = maker->heat;
    return text;
}

/* ---- norms as properties ---- */

const char *a_norm(struct gen *g, const struct shape *shape, bool weights)
{
    int kind = below(g, 5), c = last_axis(shape), group = c;
    static const char *const names[] = { "layer", "rms", "batch", "group",
                                         "instance" };
    int groups = weights ? 1 : a_divisor(g, c);

    if (kind == 4 && (shape->rank != 3 || weights))
        kind = 0;
    if (kind == 2 && !g->options.batch)
        kind = 1;
    if (kind == 2 || kind == 4)
        group = shape_rows(shape) * (kind == 2 ? 3 : 1);
    if (kind == 3)
        group = shape_size(shape) / groups;
    if (weights && kind != 2)
        group = 0;              /* of values that are not known yet */
    const char *more = norm_arguments(g, group, kind != 2, true);
    mark(g, draw_format("norm %s", names[kind]));
    if (kind == 3)
        return draw_format("group(%d%s%s)", groups, *more ? ", " : "", more);
    return with_arguments(names[kind], more);
}
