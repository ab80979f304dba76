/* shortcuts.c: how a block's branch and what enters it become one: skip adds
 * with projections, gates, concatenations. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

/* What a property makes has names under the property's. */
static struct scope *enter(struct body *body, const char *word)
{
    struct scope *outer = body->scope;
    struct scope *scope = NEW(body->check->c->arena, struct scope);

    scope->prefix = property_path(body, word);
    scope->loops = body->loops;
    body->scope = scope;
    return outer;
}

static struct value *weights(struct body *body, struct value *x, int64_t out,
                             const struct conv *shape, bool bias,
                             struct span span)
{
    if (!shape->groups)
        return build_linear(body, x, out, bias, true,
                            next_path(body, "linear"), span);
    return build_conv(body, OP_CONV, x, shape, bias, true,
                      next_path(body, x->shape.rank == 2 ? "conv1d" : "conv"),
                      span);
}

/* A 1x1 convolution from x's map, or sequence, to y's. */
static bool pointwise_conv(const struct shape *x, const struct shape *y,
                           struct conv *conv)
{
    int last = x->rank - 1;
    int64_t height = last == 2 ? x->axis[0] : 1, width = x->axis[last - 1];
    int64_t rows = last == 2 ? y->axis[0] : 1, columns = y->axis[last - 1];

    *conv = (struct conv) {
        .height = height, .width = width, .in = x->axis[last],
        .out_height = rows, .out_width = columns, .out = y->axis[last],
        .kernel_height = 1, .kernel_width = 1,
        .stride_y = (height + rows - 1) / rows,
        .stride_x = (width + columns - 1) / columns,
        .dilation_y = 1, .dilation_x = 1, .groups = 1,
    };
    return (conv->height - 1) / conv->stride_y + 1 == conv->out_height
        && (conv->width - 1) / conv->stride_x + 1 == conv->out_width;
}

/* Whether a linear layer or a 1x1 convolution leads from x to y. */
static bool projection_fits(const struct shape *x, const struct shape *y,
                            struct conv *conv)
{
    if (x->rank != y->rank)
        return false;
    if (x->rank == 3 || (x->rank == 2 && x->axis[0] != y->axis[0]))
        return pointwise_conv(x, y, conv);
    for (int i = 0; i + 1 < x->rank; i++)
        if (x->axis[i] != y->axis[i])
            return false;
    return true;
}

/* What entered the layer that made the value: a layer may be several
 * operators. */
static struct value *layer_input(const struct value *value)
{
    const struct node *n = value->producer;
    struct value *in = n->in[0];

    while (in && in->producer
           && memcmp(&in->producer->span, &n->span, sizeof n->span) == 0)
        in = in->producer->in[0];
    return in;
}

int note_changes(struct body *body, struct value *branch,
                 const struct value *x)
{
    int notes = 0;

    for (struct value *v = branch, *in; v && v != x && v->producer && notes < 2;
         v = in) {
        in = layer_input(v);
        if (in && !shape_equal(&in->shape, &v->shape)) {
            fail_note(body, v->producer->span, "the branch changes its shape "
                      "here: %s to %s",
                      shape_text(body->check->c, &in->shape),
                      shape_text(body->check->c, &v->shape));
            notes++;
        }
    }
    return notes;
}

static void misfit(struct body *body, struct ast *item, struct value *skip,
                   struct value *branch, const struct value *x)
{
    struct compilation *c = body->check->c;
    struct conv conv;

    fail(body, item->span, "skip add in '%s' does not fit: shortcut is %s, "
         "branch is %s", body->label, shape_text(c, &skip->shape),
         shape_text(c, &branch->shape));
    fail_note(body, skip->span, "the shortcut's %s comes from here",
              shape_text(c, &skip->shape));
    if (!note_changes(body, branch, x))
        fail_note(body, branch->span, "the branch's %s comes from here",
                  shape_text(c, &branch->shape));
    if (!word_is(item->a, "identity") && !word_is(item->a, "gated"))
        return;
    if (!projection_fits(&x->shape, &branch->shape, &conv))
        fail_note(body, item->a->span, "let the branch end in %s",
                  shape_text(c, &x->shape));
    else if (word_is(item->a, "identity"))
        fail_note(body, item->a->span, "use 'shortcut projection' to match "
                  "shapes");
    else
        fail_note(body, item->a->span, "a gate mixes equal shapes: change the "
                  "shape in a layer before the block");
}

/* He 2015, option A: every stride-th pixel, new channels zero. */
static struct value *pad_shortcut(struct body *body, struct value *x,
                                  const struct conv *conv, struct span span)
{
    struct pool pool = {
        .height = conv->height, .width = conv->width, .channels = conv->in,
        .out_height = conv->out_height, .out_width = conv->out_width,
        .out_channels = conv->out, .kernel_height = 1, .kernel_width = 1,
        .stride_y = conv->stride_y, .stride_x = conv->stride_x,
    };
    return build_pool(body, OP_POOL, x, &pool, "shortcut", span);
}

/* Options A (pad), B (conv, where shapes change), C (always). */
static struct value *projection(struct body *body, struct ast *item,
                                struct value *x, struct value *branch,
                                struct ast *after)
{
    struct ast *word = item->a->list ? item->a->list->a : NULL;
    static const char *const words[] = { "pad", "conv", "always" };
    bool pad = word_is(word, "pad"), always = word_is(word, "always");
    bool known = pad || always || word_is(word, "conv");
    struct conv conv = { 0 };
    struct value *y;

    if (item->a->list && (item->a->list->next || !known)) {
        fail(body, item->a->list->span, "a projection is 'projection', "
             "'projection(conv)', 'projection(pad)' or 'projection(always)'%s",
             known ? "" : did_you_mean(body, word, words, 3));
        return NULL;
    }
    if (shape_equal(&x->shape, &branch->shape) && !always)
        return x;
    bool fits = projection_fits(&x->shape, &branch->shape, &conv);
    if (!fits || (pad && (x->shape.rank != 3 || conv.in > conv.out))) {
        misfit(body, item, x, branch, x);
        fail_note(body, item->a->span, fits ? "zero padding can only stride "
                  "over maps and add channels: 'shortcut projection' does "
                  "more" : x->shape.rank != 3 || branch->shape.rank != 3
                  ? "a projection changes the last axis alone"
                  : "no stride leads from the one to the other: check the "
                  "branch's strides and paddings");
        return NULL;
    }
    if (pad)
        return pad_shortcut(body, x, &conv, item->span);
    if (body->shared && body->before == x)
        x = body->shared;       /* He 2016: both ways take the first norm */
    struct scope *outer = enter(body, "shortcut");
    y = weights(body, x, branch->features, &conv, false, item->span);
    if (y && after)
        y = apply_norm(body, after, y);
    body->scope = outer;
    return y;
}

/* ---- gates ---- */

static bool gate_bias(struct body *body, struct ast *argument,
                      struct gate *gate)
{
    struct number bias;

    if (!number_of(body, argument->a, &bias))
        return false;
    gate->bias = number_real(bias);
    return fit_float(body, argument->span, &gate->bias);
}

static const struct gate_row { const char *word; enum gate_kind kind;
                               double bias; } gate_rows[] = {
    { "highway", GATE_MIX, 0 }, { "exclusive", GATE_MIX, 0 },
    { "shortcut", GATE_SHORTCUT, 0 }, { "gru", GATE_GRU, 2 },
};
enum { GATE_ROWS = sizeof gate_rows / sizeof gate_rows[0] };

static const struct gate_row *gate_row(const struct ast *argument)
{
    for (size_t i = 0; i < GATE_ROWS; i++)
        if (!argument->name && word_is(argument->a, gate_rows[i].word))
            return &gate_rows[i];
    return NULL;
}

static void bad_gate(struct body *body, struct ast *argument)
{
    static const char *const words[] = { "highway", "exclusive", "shortcut",
                                         "gru", "bias" };

    fail(body, argument->span, "gated takes one of highway, exclusive, "
         "shortcut, gru, and bias = b%s",
         did_you_mean(body, argument->name ? argument : argument->a, words,
                      5));
}

/* gated, gated(highway), gated(exclusive, bias = b), gated(shortcut) */
static bool read_gate(struct body *body, struct ast *item, struct gate *gate)
{
    bool bias = false, word = false;

    *gate = (struct gate) { .kind = GATE_MIX };
    for (struct ast *a = item->a->list; a; a = a->next) {
        const struct gate_row *row = gate_row(a);
        bool *given = a->name ? &bias : &word;
        if (!row && !(a->name && strcmp(a->name, "bias") == 0)) {
            bad_gate(body, a);
            return false;
        }
        if (*given) {
            fail(body, a->span, "the %s of a gate is given twice",
                 a->name ? "bias" : "kind");
            return false;
        }
        *given = true;
        if (!row && !gate_bias(body, a, gate))
            return false;
        if (row)
            gate->kind = row->kind;
        if (row && !bias)
            gate->bias = row->bias;
    }
    return true;
}

/* W x, of maps a 1x1 convolution, both from x's features to as many. */
static struct value *gate_weights(struct body *body, struct value *x,
                                  const char *name, bool bias,
                                  struct span span)
{
    struct conv conv = { 0 };

    if (x->shape.rank == 3)
        pointwise_conv(&x->shape, &x->shape, &conv);
    body->as_name = name;
    return weights(body, x, x->features, &conv, bias, span);
}

/* T = sigmoid(W x + b), before the branch so that the branch's last kernel
 * can mix. */
static struct value *mixing_gate(struct body *body, struct ast *item,
                                 struct value *x, const struct gate *gate)
{
    struct scope *outer = enter(body, "gate");
    struct value *t = gate_weights(body, x, NULL, true, item->span);

    body->scope = outer;
    if (!t)
        return NULL;
    t->producer->param[1]->implicit = false;
    t->producer->param[1]->mean = gate->bias;
    return build_point(body, "SIGMOID", t, "gate", item->span);
}

void begin_gate(struct body *body, struct ast *item, struct value *x,
                struct gate *gate)
{
    if (read_gate(body, item, gate) && x && gate->kind != GATE_GRU)
        gate->value = mixing_gate(body, item, x, gate);
    if (gate->value && gate->kind == GATE_MIX && gate->bias >= 0)
        note_pitfall(body, PITFALL_GATE, item->span, gate->value, gate->bias);
}

/* x + t (y - x) */
static struct value *mix(struct body *body, struct value *x, struct value *y,
                         struct value *t, struct span span)
{
    y = build_binary(body, "SUB", "RSUB", y, x, "difference", span);
    y = build_binary(body, "MUL", "MUL", y, t, "gated", span);
    return build_binary(body, "ADD", "ADD", y, x, "sum", span);
}

/* W y + U x, or NULL after an error */
static struct value *gru_sum(struct body *body, struct value *y,
                             const char *w, struct value *x, const char *u,
                             struct span span)
{
    struct value *a = gate_weights(body, x, u, false, span);
    struct value *b = a ? gate_weights(body, y, w, false, span) : NULL;

    return b ? build_binary(body, "ADD", "ADD", b, a, "sum", span) : NULL;
}

/* Parisotto et al. 2019 (GTrXL): r = sigmoid(W_r y + U_r x), z = sigmoid(W_z y
 * + U_z x - b), h = tanh(W_g y + U_g (r x)): (1 - z) x + z h. */
static struct value *gru_gate(struct body *body, struct value *x,
                              struct value *y, const struct gate *gate,
                              struct span span)
{
    struct value *z = gru_sum(body, y, "w_z", x, "u_z", span);
    struct value *r = z ? gru_sum(body, y, "w_r", x, "u_r", span) : NULL;

    if (!r)
        return NULL;
    struct param *bias = vector_param(body,
        copy_pieces(body->check->c, body->scope->prefix), "bias", x->features,
        gate->bias);
    z = build_param_point(body, "SUB", z, BY_FEATURE, bias, "biased", span);
    z = build_point(body, "SIGMOID", z, "update", span);
    r = build_point(body, "SIGMOID", r, "reset", span);
    r = build_binary(body, "MUL", "MUL", r, x, "kept", span);
    struct value *h = gru_sum(body, y, "w_g", r, "u_g", span);
    return h ? mix(body, x, build_point(body, "TANH", h, "candidate", span),
                   z, span) : NULL;
}

/* Srivastava 2015: T F + (1 - T) x, also He 2016's exclusive gate; He 2016's
 * shortcut-only gate: F + (1 - g) x. */
static struct value *gated(struct body *body, struct ast *item,
                           struct value *x, struct value *branch,
                           const struct gate *gate)
{
    struct span span = item->span;

    if (!gate->value && gate->kind != GATE_GRU)
        return NULL;
    if (!shape_equal(&x->shape, &branch->shape)) {
        misfit(body, item, x, branch, x);
        return NULL;
    }
    if (gate->kind == GATE_MIX)
        return mix(body, x, branch, gate->value, span);
    if (gate->kind == GATE_GRU) {
        struct scope *outer = enter(body, "gate");
        struct value *y = gru_gate(body, x, branch, gate, span);
        body->scope = outer;
        return y;
    }
    struct value *keep = build_number(body, "RSUB", gate->value, 1, "carry",
                                      span);
    keep = build_binary(body, "MUL", "MUL", keep, x, "carried", span);
    return build_binary(body, "ADD", "ADD", branch, keep, "sum", span);
}

/* ---- the sum ---- */

/* Whether a shortcut's word means a layer, a block or a value. */
static bool own_chain(struct body *body, struct ast *ast)
{
    static const char *const words[] = { "none", "identity", "projection",
                                         "gated", "dense" };
    const char *word = word_of(ast);
    const char *guess = did_you_mean(body, ast, words, 5);

    if (!word || is_layer(word) || env_find(body->env, word)
        || decl_find(body->check, word)
        || (!*guess && near_name(body, word)))
        return true;            /* or nearly one: said where it is looked up */
    fail(body, ast->name_span, "unknown shortcut '%s'%s", word, *guess ? guess
         : ": none, identity, projection, gated, dense, a number or a chain of "
         "layers");
    return false;
}

/* What the shortcut of a skip add gives. */
static struct value *skip_of(struct body *body, struct ast *item,
                             struct value *x, struct value *branch,
                             struct ast *after)
{
    struct number number;

    if (word_is(item->a, "identity"))
        return x;
    if (word_is(item->a, "projection"))
        return projection(body, item, x, branch, after);
    if (is_number(body, item->a))       /* He 2016, constant scaling */
        return number_of(body, item->a, &number)
            ? build_number(body, "MUL", x, number_real(number), "shortcut",
                           item->span) : NULL;
    if (!own_chain(body, item->a))
        return NULL;
    struct scope *outer = enter(body, "shortcut");
    struct value *skip = eval_value(body, item->a, x);
    body->scope = outer;
    if (skip)
        warn_dropped_shortcut(body, item->span, x, skip);
    return skip;
}

struct value *join_shortcut(struct body *body, struct ast *item,
                            struct value *x, struct value *branch,
                            const struct gate *gate, struct ast *after)
{
    struct value *skip, *both[2] = { x, branch };

    if (!item || word_is(item->a, "none"))
        return branch;
    if (word_is(item->a, "gated"))
        return gated(body, item, x, branch, gate);
    if (word_is(item->a, "dense"))
        return build_concat(body, both, 2, x->shape.rank - 1, item->span);
    if (word_is(item->a, "attention")) {
        fail(body, item->a->span, "attention over depth is a stream: write "
             "'shortcut identity' here and 'stream attention' before the group "
             "of these blocks");
        return NULL;
    }
    skip = skip_of(body, item, x, branch, after);
    if (!skip || !need_real(body, skip, item->span, "a skip add"))
        return NULL;
    if (!shape_equal(&skip->shape, &branch->shape)) {
        misfit(body, item, skip, branch, x);
        return NULL;
    }
    return build_binary(body, "ADD", "ADD", branch, skip, "sum", item->span);
}
