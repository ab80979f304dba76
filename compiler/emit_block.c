/* emit_block.c: a function of C for each block and mode, forward beside
 * backward.  Requires: schedules and places. */
#include "emit.h"

#include <inttypes.h>
#include <string.h>

/* Convolutions and poolings, each described by one constant. */
struct shape_name { bool pool; struct conv conv; struct pool p;
                    const char *name; struct shape_name *next; };

/* One function of C while it is written. */
struct writer {
    struct compilation *c;
    const struct function *function;
    enum mode mode;
    struct text *out;           /* the statements of the current braces */
    int indent;
    struct name { const char *text; struct name *next; } **names;
    struct place **used; int used_count; size_t used_size;
    const char *params, *grads, *state, *key, *saved, *scratch;
    const struct region *region;
    const char *x, *y, *dx, *dy;    /* the region's arguments */
};

/* ---- names ---- */

static bool taken(const struct writer *w, const char *text)
{
    for (const struct name *n = *w->names; n; n = n->next)
        if (strcmp(n->text, text) == 0)
            return true;
    return false;
}

static const char *unique(struct writer *w, const char *base)
{
    const char *text = base;

    for (int i = 2; taken(w, text); i++)
        text = arena_format(w->c->arena, "%s_%d", base, i);
    struct name *name = NEW(w->c->arena, struct name);
    *name = (struct name) { text, *w->names };
    *w->names = name;
    return text;
}

const char *port_c(struct compilation *c, const char *name)
{
    return identifier(c->arena, name);
}

/* "RESIDUAL_128_LINEAR_0_WEIGHT" */
static const char *constant_of(struct writer *w, const struct param *param)
{
    return param->constant ? param->constant
         : arena_format(w->c->arena, "%" PRId64, param->offset);
}

static const char *base_of(struct writer *w, const struct param *param)
{
    return param->trainable ? w->params : w->state;
}

static const char *at(struct writer *w, const char *base, const char *offset)
{
    if (!*offset || strcmp(offset, "0") == 0)
        return base;
    return arena_format(w->c->arena, "%s + %s", base, offset);
}

static const char *param_c(struct writer *w, const struct param *param)
{
    return at(w, base_of(w, param), constant_of(w, param));
}

static const char *grad_c(struct writer *w, const struct param *param)
{
    return param ? at(w, w->grads, constant_of(w, param)) : "NULL";
}

/* ---- values ---- */

static const char *argument_c(struct writer *w, const struct place *place)
{
    if (strcmp(place->argument, "x") == 0)
        return w->x;
    if (strcmp(place->argument, "y") == 0)
        return w->y;
    if (strcmp(place->argument, "dx") == 0)
        return w->dx;
    if (strcmp(place->argument, "dy") == 0)
        return w->dy;
    return place->name ? place->name : place->argument;
}

static void use(struct writer *w, struct place *place)
{
    for (int i = 0; i < w->used_count; i++)
        if (w->used[i] == place)
            return;
    GROW_IN(w->c->arena, w->used, w->used_size, w->used_count);
    w->used[w->used_count++] = place;
    place->name = unique(w, identifier(w->c->arena, place->value->name));
}

static const char *memory_c(struct writer *w, struct value *value)
{
    struct place *place = place_of(value, w->mode);

    if (place->kind == PLACE_ARGUMENT)
        return argument_c(w, place);
    if (place->kind == PLACE_PORT)
        return port_c(w->c, place->argument);
    use(w, place);
    return place->name;
}

static int64_t stride_of(const struct value *value)
{
    while (value->base && !value->reshaped)
        value = value->base;
    return value->features;
}

/* A pointer to the first element. */
static const char *value_c(struct writer *w, struct value *value)
{
    int64_t offset = 0;

    for (const struct value *v = value; v->base; v = v->base)
        offset += v->layout == LAYOUT_STRIPS ? 32 * v->offset : v->offset;
    const char *base = memory_c(w, memory_of(value));
    return offset ? arena_format(w->c->arena, "%s + %" PRId64, base, offset)
                  : base;
}

static const char *ref_c(struct writer *w, const struct ref *ref)
{
    return ref->param ? param_c(w, ref->param) : value_c(w, ref->value);
}

/* ---- formulas ---- */

/* Comments say what a kernel computes: y = relu(W x + b). */
static const char *param_name(struct writer *w, const struct param *param)
{
    const char *path = piece_text(w->c, param->path);
    return arena_format(w->c->arena, "%s%s%s", path, *path ? "." : "",
                        param->leaf);
}

static const char *short_name(struct writer *w, const struct ref *ref)
{
    if (ref->param)
        return param_name(w, ref->param);
    if (!ref->value)
        return "0";
    struct place *place = place_of(ref->value, w->mode);
    return place ? memory_c(w, memory_of(ref->value)) : ref->value->name;
}

static const char *lower_c(struct writer *w, const char *text)
{
    char *copy = arena_text(w->c->arena, text, strlen(text));
    for (char *p = copy; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return copy;
}

static const char *operand_name(struct writer *w, const struct step *s)
{
    if (s->kind && strcmp(s->kind, "TEMP") == 0)
        return arena_format(w->c->arena, "t%d", s->temp);
    if (s->kind && strcmp(s->kind, "INPUT") == 0)
        return "input";
    if (!s->x.value && !s->x.param)
        return number_c(w->c->arena, s->number);
    return short_name(w, &s->x);
}

static const char *step_formula(struct writer *w, const struct step *s,
                                const char *acc)
{
    static const struct { const char *op, *format; } rows[] = {
        { "ADD", "%s + %s" }, { "SUB", "%s - %s" }, { "MUL", "(%s) %s" },
        { "DIV", "(%s) / %s" },
    };
    struct arena *arena = w->c->arena;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(s->op, rows[i].op) == 0)
            return arena_format(arena, rows[i].format, acc,
                                operand_name(w, s));
    if (strcmp(s->op, "RSUB") == 0)
        return arena_format(arena, "%s - (%s)", operand_name(w, s), acc);
    if (strcmp(s->op, "RDIV") == 0)
        return arena_format(arena, "%s / (%s)", operand_name(w, s), acc);
    if (strcmp(s->op, "LOAD") == 0)
        return operand_name(w, s);
    if (strcmp(s->op, "AFFINE") == 0)
        return arena_format(arena, "%s (%s) + %s", short_name(w, &s->a), acc,
                            short_name(w, &s->b));
    if (strcmp(s->op, "AFFINE2") == 0)
        return arena_format(arena, "%s (%s) + %s %s + %s",
                            short_name(w, &s->a), acc, short_name(w, &s->b),
                            operand_name(w, s), short_name(w, &s->c));
    if (strstr(s->op, "_GRAD"))
        return arena_format(arena, "%.*s'(%s) (%s)",
                            (int)(strstr(s->op, "_GRAD") - s->op),
                            lower_c(w, s->op), operand_name(w, s), acc);
    if (strncmp(s->op, "SUM", 3) == 0)
        return acc;
    return arena_format(arena, "%s(%s)", lower_c(w, s->op), acc);
}

static const char *anchor_formula(struct writer *w, const struct kernel *k)
{
    const struct node *n = k->anchor;
    struct ref in = { .value = n && n->ins ? n->in[0] : NULL };
    struct ref x = { .value = n && n->ins > 1 ? n->in[1] : NULL };
    struct arena *arena = w->c->arena;

    if (!n)
        return "0";
    switch (n->op) {
    case OP_LINEAR: case OP_LINEAR_DX: case OP_CONV: case OP_CONV_GRAD:
        return arena_format(arena, "%s%s %s%s", param_name(w, n->param[0]),
            n->op == OP_LINEAR_DX || n->op == OP_CONV_GRAD ? "'" : "",
            n->op == OP_CONV || n->op == OP_CONV_GRAD ? "* " : "",
            short_name(w, &in));
    case OP_LOSS:     return arena_format(arena, "dloss / d%s",
                                          short_name(w, &in));
    case OP_NORM_GRAD: return arena_format(arena, "norm'(%s) %s",
                                           short_name(w, &x),
                                           short_name(w, &in));
    default:
        return arena_format(arena, "%s(%s)", op_name(n->op),
                            short_name(w, &in));
    }
}

static void comment(struct writer *w, const char *text)
{
    if (w->indent + strlen(text) + 6 <= 79)
        text_add(w->out, "%*s/* %s */\n", w->indent, "", text);
}

static void formulas(struct writer *w, const struct kernel *k)
{
    const char *acc = anchor_formula(w, k), *from = acc;

    for (int i = 0; i < k->steps.count; i++) {
        const struct step *s = &k->steps.step[i];
        if (strcmp(s->op, "STORE")) {
            acc = step_formula(w, s, acc);
            continue;
        }
        const char *name = operand_name(w, s);
        if (acc != from)
            comment(w, arena_format(w->c->arena, "%s = %s", name, acc));
        else if (k->anchor)
            comment(w, arena_format(w->c->arena, "%s = %s", name, acc));
        acc = from = name;
    }
}

/* ---- steps ---- */

static const char *temp_c(struct arena *arena, const struct step *s,
                          const char *number)
{
    if (s->has_number)
        return arena_format(arena, "RNET_WITH_TEMP_VALUE(%s, %d, %s)", s->op,
                            s->temp, number);
    return arena_format(arena, "RNET_WITH_TEMP(%s, %d)", s->op, s->temp);
}

static const char *step_c(struct writer *w, const struct step *s)
{
    struct arena *arena = w->c->arena;
    const char *number = number_c(arena, s->number);
    const char *x = s->x.value || s->x.param ? ref_c(w, &s->x) : NULL;
    int64_t stride = s->x.value ? stride_of(s->x.value) : 0;

    if (s->kind && strcmp(s->kind, "TEMP") == 0)
        return temp_c(arena, s, number);
    if (s->kind && strcmp(s->kind, "INPUT") == 0)
        return arena_format(arena, "RNET_WITH_INPUT(%s, %s)", s->op, number);
    if (strcmp(s->op, "AFFINE") == 0)
        return arena_format(arena, "RNET_SCALE_SHIFT(%s, %s)",
                            ref_c(w, &s->a), ref_c(w, &s->b));
    if (strcmp(s->op, "AFFINE2") == 0)
        return arena_format(arena, "RNET_COMBINE(%s, %" PRId64
                            ", %s, %s, %s)", x, stride, ref_c(w, &s->a),
                            ref_c(w, &s->b), ref_c(w, &s->c));
    if (strcmp(s->op, "SUM_MOMENTS") == 0)
        return arena_format(arena, "RNET_SHIFTED_SUMS(%s, %s)",
                            ref_c(w, &s->b), ref_c(w, &s->sums));
    if (strcmp(s->op, "SUM_CENTRED") == 0)
        return arena_format(arena, "RNET_CENTRED_SUMS(%s, %" PRId64
                            ", %s, %s)", x, stride, ref_c(w, &s->b),
                            ref_c(w, &s->sums));
    if (s->sums.value && x)
        return arena_format(arena, "RNET_SUM_WITH(%s, %s, %" PRId64 ", %s)",
                            s->op, x, stride, ref_c(w, &s->sums));
    if (s->sums.value)
        return arena_format(arena, "RNET_SUM_TO(%s, %s)", s->op,
                            ref_c(w, &s->sums));
    if (strncmp(s->op, "DROP", 4) == 0)
        return arena_format(arena, "RNET_DROP(%s, %s, %s + %" PRId64 ")",
                            s->op, number, w->key, s->key);
    if (!s->kind)
        return s->has_number
            ? arena_format(arena, "RNET_DO_VALUE(%s, %s)", s->op, number)
            : arena_format(arena, "RNET_DO(%s)", s->op);
    if (strcmp(s->kind, "CONST") == 0)
        return arena_format(arena, "RNET_BY(%s, %s)", s->op, number);
    if (strcmp(s->kind, "FEATURE") == 0)
        return arena_format(arena, "RNET_BY_FEATURE(%s, %s)", s->op, x);
    if (strcmp(s->kind, "SCALAR") == 0)
        return arena_format(arena, "RNET_BY_SCALAR(%s, %s)", s->op, x);
    if (strcmp(s->kind, "SAMPLE_FEATURE") == 0)
        return arena_format(arena, "RNET_BY_SAMPLE(%s, %s, %" PRId64 ")",
                            s->op, x, stride);
    if (s->has_number)
        return arena_format(arena, "RNET_WITH_VALUE(%s, %s, %" PRId64
                            ", %s)", s->op, x, stride, number);
    return arena_format(arena, "RNET_WITH(%s, %s, %" PRId64 ")", s->op, x,
                        stride);
}

/* A long step goes on on the next line, after its last comma that fits. */
static const char *broken(struct writer *w, const char *step, int indent)
{
    int room = 76 - indent, at = 0;

    if ((int)strlen(step) <= room)
        return step;
    for (int i = 0; step[i] && i < room; i++)
        if (step[i] == ',' && step[i + 1] == ' ')
            at = i + 1;
    int inner = indent + (int)(strchr(step, '(') - step) + 1;
    return !at ? step : arena_format(w->c->arena, "%.*s\n%*s%s", at, step,
                                     inner, "", step + at + 1);
}

static void steps_c(struct writer *w, struct call *call,
                    const struct steps *steps)
{
    const char *text = "RNET_STEPS(";
    int column = call->indent + 11;

    if (!steps->count) {
        call_argument(call, "RNET_NO_STEPS");
        return;
    }
    for (int i = 0; i < steps->count; i++) {
        const char *step = step_c(w, &steps->step[i]);
        bool wrap = i && column + (int)strlen(step) + 4 > 79;
        text = arena_format(w->c->arena, "%s%s%s", text, !i ? "" : wrap
            ? arena_format(w->c->arena, ",\n%*s", call->indent + 11, "")
            : ", ", broken(w, step, call->indent + 11));
        column = (wrap ? call->indent + 11 : column + 2) + (int)strlen(step);
    }
    call->column = 1000;            /* on a line of their own */
    call_argument(call, "%s)", text);
}

/* ---- kernels ---- */

static const char *rows_c(struct writer *w, int64_t rows)
{
    return rows == 1 ? "run->batch"
         : arena_format(w->c->arena, "%" PRId64 " * run->batch", rows);
}

static const char *layout_c(struct writer *w, const struct value *value)
{
    return arena_format(w->c->arena, "(struct rnet_rows) { %s, %s, %" PRId64
                        " }", value->layout == LAYOUT_STRIPS ? "RNET_STRIPS"
                        : "RNET_PLAIN", rows_c(w, value->rows), value->rows);
}

static const char *chunks_c(struct writer *w, const struct value *lines)
{
    if (lines->form == FORM_LINES && lines->layout == LAYOUT_PLAIN)
        return "run->batch";
    return lines->rows == 1 ? "strips"
         : arena_format(w->c->arena, "strips_%" PRId64, lines->rows);
}

static void value_argument(struct writer *w, struct call *call,
                           struct value *value)
{
    call_argument(call, "%s", value_c(w, value));
    call_argument(call, "%" PRId64, stride_of(value));
}

static const char *optional_c(struct writer *w, struct value *value)
{
    return value && value->stored && place_of(value, w->mode)
        ? value_c(w, value) : "NULL";
}

static void linear_c(struct writer *w, struct call *call,
                     const struct kernel *k)
{
    const struct node *n = k->anchor;
    const struct shape *shape = &n->param[0]->shape;

    call_argument(call, "run");
    call_argument(call, "%s", rows_c(w, n->in[0]->rows));
    call_argument(call, "%" PRId64, shape->axis[1]);
    call_argument(call, "%" PRId64, shape->axis[0]);
    if (n->op == OP_LINEAR_DW) {
        call_argument(call, "%s", grad_c(w, n->param[0]));
        call_argument(call, "%s", grad_c(w, n->param[1]));
        value_argument(w, call, n->in[0]);
        value_argument(w, call, n->in[1]);
        return;
    }
    value_argument(w, call, n->in[0]);
    call_argument(call, "%s", param_c(w, n->param[0]));
    steps_c(w, call, &k->steps);
}

static void embedding_c(struct writer *w, struct call *call,
                        const struct kernel *k)
{
    const struct node *n = k->anchor;
    const struct shape *shape = &n->param[0]->shape;
    bool grad = n->op == OP_EMBEDDING_DW;

    call_argument(call, "run");
    call_argument(call, "%s", rows_c(w, n->in[0]->rows));
    call_argument(call, "%" PRId64, shape->axis[0]);
    call_argument(call, "%" PRId64, shape->axis[1]);
    if (grad) {
        call_argument(call, "%s", grad_c(w, n->param[0]));
        call_argument(call, "%s", value_c(w, n->in[1]));
        value_argument(w, call, n->in[0]);
        return;
    }
    call_argument(call, "%s", value_c(w, n->in[0]));
    call_argument(call, "%s", param_c(w, n->param[0]));
    steps_c(w, call, &k->steps);
}

/* The constant that describes a convolution or pooling; emit_shapes made it. */
static const char *shape_constant(struct writer *w, const struct node *n);

static void conv_c(struct writer *w, struct call *call,
                   const struct kernel *k)
{
    const struct node *n = k->anchor;

    call_argument(call, "run");
    call_argument(call, "run->batch");
    call_argument(call, "&%s", shape_constant(w, n));
    steps_c(w, call, &k->input);
    if (n->op == OP_CONV_GRAD)
        steps_c(w, call, &k->output);
    call_argument(call, "%s", param_c(w, n->param[0]));
    if (n->op == OP_CONV_GRAD) {
        call_argument(call, "%s", grad_c(w, n->param[2]));
        call_argument(call, "%s", grad_c(w, n->param[1]));
    }
    steps_c(w, call, &k->steps);
}

static void pool_c(struct writer *w, struct call *call,
                   const struct kernel *k)
{
    const struct node *n = k->anchor;

    call_argument(call, "run");
    call_argument(call, "run->batch");
    call_argument(call, "&%s", shape_constant(w, n));
    value_argument(w, call, n->in[0]);
    if (n->op == OP_POOL_GRAD && n->ins > 1) {
        value_argument(w, call, n->in[1]);
    } else if (n->op == OP_POOL_GRAD) {
        call_argument(call, "NULL");
        call_argument(call, "0");
    }
    steps_c(w, call, &k->steps);
}

static void norm_c(struct writer *w, struct call *call,
                   const struct kernel *k)
{
    const struct node *n = k->anchor;
    const struct value *x = n->in[0];

    call_argument(call, "run");
    call_argument(call, "%s", layout_c(w, x));
    call_argument(call, "%" PRId64, x->features);
    call_argument(call, n->norm.kind == NORM_RMS ? "RNET_NORM_RMS"
                  : "RNET_NORM_LAYER");
    call_argument(call, "%" PRId64, n->norm.groups);
    if (n->op == OP_NORM) {
        call_argument(call, "%s", number_c(w->c->arena, n->norm.epsilon));
        value_argument(w, call, n->in[0]);
        call_argument(call, "%s", optional_c(w, n->out[2]));
    } else {
        value_argument(w, call, n->in[0]);
        value_argument(w, call, n->in[1]);
        call_argument(call, "%s", value_c(w, n->in[2]));
        call_argument(call, "%s", n->param[0] ? param_c(w, n->param[0])
                      : "NULL");
        call_argument(call, "%s", n->outs > 1 ? optional_c(w, n->out[1])
                      : "NULL");
    }
    steps_c(w, call, &k->steps);
}

static void batch_norm_c(struct writer *w, struct call *call,
                         const struct node *n)
{
    struct value *lines = n->ins ? n->in[0] : NULL;
    int64_t features = n->param[0]->size;

    call_argument(call, "run");
    call_argument(call, "%" PRId64, features);
    if (lines) {
        call_argument(call, "%s", rows_c(w, lines->rows));
        call_argument(call, "%s", value_c(w, lines));
        call_argument(call, "%s", chunks_c(w, lines));
    }
    call_argument(call, "%s", param_c(w, n->param[0]));
    if (n->op == OP_BN_GRAD_FINISH) {
        call_argument(call, "%s", value_c(w, n->in[1]));
        call_argument(call, "%s", grad_c(w, n->param[0]));
        call_argument(call, "%s", grad_c(w, n->param[1]));
    } else {
        call_argument(call, "%s", param_c(w, n->param[1]));
        call_argument(call, "%s", number_c(w->c->arena, n->norm.epsilon));
        if (n->op == OP_BN_FINISH)
            call_argument(call, "%s", number_c(w->c->arena,
                                               n->norm.momentum));
        call_argument(call, "%s", param_c(w, n->param[2]));
        call_argument(call, "%s", param_c(w, n->param[3]));
    }
    for (int i = 0; i < n->outs; i++)
        call_argument(call, "%s", value_c(w, n->out[i]));
}

static void softmax_c(struct writer *w, struct call *call,
                      const struct kernel *k)
{
    const struct node *n = k->anchor;
    bool grad = n->op == OP_SOFTMAX_GRAD;

    call_argument(call, "run");
    call_argument(call, "%s", layout_c(w, n->in[0]));
    call_argument(call, "%" PRId64, n->in[0]->features);
    value_argument(w, call, n->in[grad ? 1 : 0]);
    if (grad)
        value_argument(w, call, n->in[0]);
    steps_c(w, call, &k->steps);
}

static void loss_c(struct writer *w, struct call *call,
                   const struct kernel *k)
{
    static const char *const kinds[] = {
        [LOSS_SQUARED] = "RNET_LOSS_SQUARED",
        [LOSS_BINARY] = "RNET_LOSS_BINARY",
        [LOSS_ABSOLUTE] = "RNET_LOSS_ABSOLUTE",
    };
    const struct node *n = k->anchor;

    call_argument(call, "run");
    call_argument(call, "%s", layout_c(w, n->in[0]));
    call_argument(call, "%" PRId64, n->in[0]->features);
    if (n->loss.kind != LOSS_CROSS_ENTROPY)
        call_argument(call, "%s", kinds[n->loss.kind]);
    call_argument(call, "%s", number_c(w->c->arena, n->loss.weight));
    value_argument(w, call, n->in[0]);
    call_argument(call, "%s", value_c(w, n->in[1]));
    call_argument(call, "%s", value_c(w, k->extra));
    call_argument(call, "loss");
    steps_c(w, call, &k->steps);
}

static void add_sums_c(struct writer *w, struct call *call,
                       const struct node *n)
{
    struct value *lines = n->in[0];

    call_argument(call, "run");
    call_argument(call, "%s", grad_c(w, n->param[0]));
    call_argument(call, "%s", n->sums.first
        ? arena_format(w->c->arena, "%s + %" PRId64, value_c(w, lines),
                       n->sums.first) : value_c(w, lines));
    call_argument(call, "%s", chunks_c(w, lines));
    call_argument(call, "%" PRId64, lines->features);
    call_argument(call, "%" PRId64, n->param[0]->size);
    call_argument(call, "1");
}

static void pack_c(struct writer *w, struct call *call,
                   const struct kernel *k)
{
    const struct node *n = k->anchor;

    call_argument(call, "run");
    call_argument(call, "%s", rows_c(w, n->in[0]->rows));
    call_argument(call, "%" PRId64, n->in[0]->features);
    value_argument(w, call, n->in[0]);
    steps_c(w, call, &k->steps);
}

static void point_c(struct writer *w, struct call *call,
                    const struct kernel *k)
{
    call_argument(call, "run");
    call_argument(call, "%s", layout_c(w, k->like));
    call_argument(call, "%" PRId64, k->like->features);
    steps_c(w, call, &k->steps);
}

static const char *runtime_name(const struct kernel *k)
{
    if (!k->anchor)
        return "rnet_point";
    switch (k->anchor->op) {
    case OP_LINEAR:        return "rnet_linear";
    case OP_LINEAR_DX:     return "rnet_linear_grad_input";
    case OP_LINEAR_DW:     return "rnet_linear_grad_weight";
    case OP_EMBEDDING:     return "rnet_embedding";
    case OP_EMBEDDING_DW:  return "rnet_embedding_grad";
    case OP_CONV:          return "rnet_conv";
    case OP_CONV_GRAD:     return "rnet_conv_grad";
    case OP_POOL:          return "rnet_pool";
    case OP_POOL_GRAD:     return "rnet_pool_grad";
    case OP_NORM:          return k->anchor->norm.maps ? "rnet_norm_maps"
                                                       : "rnet_norm_rows";
    case OP_NORM_GRAD:     return k->anchor->norm.maps ? "rnet_norm_maps_grad"
                                                       : "rnet_norm_rows_grad";
    case OP_BN_FINISH:     return "rnet_batch_norm";
    case OP_BN_INFER:      return "rnet_batch_norm_infer";
    case OP_BN_GRAD_FINISH: return "rnet_batch_norm_grad";
    case OP_SOFTMAX:       return "rnet_softmax";
    case OP_SOFTMAX_GRAD:  return "rnet_softmax_grad";
    case OP_LOSS:          return k->anchor->loss.kind == LOSS_CROSS_ENTROPY
                                ? "rnet_cross_entropy" : "rnet_loss";
    case OP_ADD_SUMS:      return "rnet_add_sums";
    case OP_PACK:          return "rnet_pack_rows";
    case OP_UNPACK:        return "rnet_unpack_rows";
    default:               return "";
    }
}

static void arguments_c(struct writer *w, struct call *call,
                        const struct kernel *k)
{
    if (!k->anchor) {
        point_c(w, call, k);
        return;
    }
    switch (k->anchor->op) {
    case OP_LINEAR: case OP_LINEAR_DX: case OP_LINEAR_DW:
        linear_c(w, call, k); break;
    case OP_EMBEDDING: case OP_EMBEDDING_DW:
        embedding_c(w, call, k); break;
    case OP_CONV: case OP_CONV_GRAD:
        conv_c(w, call, k); break;
    case OP_POOL: case OP_POOL_GRAD:
        pool_c(w, call, k); break;
    case OP_NORM: case OP_NORM_GRAD:
        norm_c(w, call, k); break;
    case OP_BN_FINISH: case OP_BN_INFER: case OP_BN_GRAD_FINISH:
        batch_norm_c(w, call, k->anchor); break;
    case OP_SOFTMAX: case OP_SOFTMAX_GRAD:
        softmax_c(w, call, k); break;
    case OP_LOSS:
        loss_c(w, call, k); break;
    case OP_ADD_SUMS:
        add_sums_c(w, call, k->anchor); break;
    default:
        pack_c(w, call, k); break;
    }
}

static void kernel_c(struct writer *w, const struct kernel *k)
{
    struct call call;

    formulas(w, k);
    call_begin(&call, w->out, w->indent, runtime_name(k));
    arguments_c(w, &call, k);
    call_end(&call);
}

/* ---- calls of blocks ---- */

static bool takes_params(const struct region *r) { return r->param_floats > 0; }
static bool takes_state(const struct region *r, enum mode mode)
{
    return r->state_floats > 0 && mode != MODE_BACKWARD;
}
static bool takes_key(const struct region *r, enum mode mode)
{
    return r->keys > 0 && mode != MODE_INFER;
}
static bool takes_saved(const struct region *r, enum mode mode)
{
    return mode != MODE_INFER && !form_zero(&r->schedule[MODE_TRAIN]->saved);
}
static bool takes_scratch(const struct region *r, enum mode mode)
{
    return !form_zero(&r->schedule[mode]->scratch);
}

static const char *const mode_names[] = { "infer", "forward", "backward" };

static const char *function_c(struct writer *w, const struct function *f)
{
    if (f == w->c->network->main)
        return arena_format(w->c->arena, "%s_%s_pass",
                            identifier(w->c->arena, f->name),
                            mode_names[w->mode]);
    return arena_format(w->c->arena, "%s_%s",
                        identifier(w->c->arena, f->name),
                        mode_names[w->mode]);
}

static const char *number_offset(struct writer *w, const char *base,
                                 int64_t offset)
{
    return offset ? arena_format(w->c->arena, "%s + %" PRId64, base, offset)
                  : base;
}

static const char *inner_scratch(struct writer *w)
{
    return at(w, w->scratch, form_c(w->c, &w->region->schedule[w->mode]
                                           ->frame));
}

static void block_call_c(struct writer *w, const struct kernel *k)
{
    const struct node *n = k->anchor, *forward = n->call.forward;
    const struct region *r = n->call.callee->body;
    struct call call;

    call_begin(&call, w->out, w->indent, function_c(w, n->call.callee));
    call_argument(&call, "run");
    if (takes_params(r))
        call_argument(&call, "%s", number_offset(w, w->params,
                                                 n->call.params));
    if (takes_params(r) && w->mode == MODE_BACKWARD)
        call_argument(&call, "%s", number_offset(w, w->grads,
                                                 n->call.params));
    if (takes_state(r, w->mode))
        call_argument(&call, "%s", number_offset(w, w->state, n->call.state));
    if (takes_key(r, w->mode))
        call_argument(&call, "%s", number_offset(w, w->key, n->call.keys));
    if (takes_saved(r, w->mode))
        call_argument(&call, "%s", at(w, w->saved,
                                      form_c(w->c, forward->call.saved)));
    if (takes_scratch(r, w->mode))
        call_argument(&call, "%s", inner_scratch(w));
    if (w->mode == MODE_BACKWARD && r->input_needed[0])
        call_argument(&call, "%s", value_c(w, n->in[1]));
    if (w->mode == MODE_BACKWARD && r->output_needed[0])
        call_argument(&call, "%s", value_c(w, n->in[2]));
    call_argument(&call, "%s", value_c(w, n->in[0]));
    if (n->outs)
        call_argument(&call, "%s", value_c(w, n->out[0]));
    call_end(&call);
}

static void schedule_c(struct writer *w, const struct region *region);

static void declare(struct writer *w, struct text *out, int indent,
                    const char *type, const char *name, const char *value)
{
    (void)w;
    text_add(out, "%*s%s%s = %s;\n", indent, "", type, name, value);
}

/* Strip counts, then pointers to values, of what the text uses. */
static void declare_values(struct writer *w, struct text *out, int first)
{
    for (int i = first; i < w->used_count; i++) {
        const struct place *p = w->used[i];
        const char *base = p->kind == PLACE_SAVED ? w->saved : w->scratch;
        const char *offset = form_c(w->c, &p->offset);
        declare(w, out, w->indent, p->value->integer ? "int32_t *" : "float *",
                p->name, at(w, base, offset));
    }
}

/* ---- loops ---- */

struct loop_names { const char *i, *x, *y, *other; };

static void loop_bases(struct writer *w, const struct node *n,
                       const char *i, struct writer *outer)
{
    struct arena *arena = w->c->arena;
    const struct region *r = n->loop.body;

#define BASE(field, type, name, offset, stride, takes) \
    if (takes) { \
        w->field = unique(w, name); \
        text_add(w->out, "%*s" type "%s = %s + %s * %" PRId64 ";\n", \
                 w->indent, "", w->field, \
                 number_offset(w, outer->field, offset), i, stride); \
    }
    BASE(params, "const float *", "p", n->loop.params, r->param_floats,
         takes_params(r))
    BASE(grads, "float *", "g", n->loop.params, r->param_floats,
         takes_params(r) && w->mode == MODE_BACKWARD)
    if (w->mode == MODE_INFER) {
        BASE(state, "const float *", "s", n->loop.state, r->state_floats,
             takes_state(r, w->mode))
    } else {
        BASE(state, "float *", "s", n->loop.state, r->state_floats,
             takes_state(r, w->mode))
    }
    BASE(key, "const long ", "k", n->loop.keys, r->keys,
         takes_key(r, w->mode))
#undef BASE
    if (takes_saved(r, w->mode)) {
        const struct node *forward = n->loop.forward;
        const char *stride = form_c(w->c, &r->schedule[MODE_TRAIN]->saved);
        w->saved = unique(w, "kept");
        text_add(w->out, "%*sfloat *%s = %s + %s * (%s);\n", w->indent, "",
                 w->saved, at(w, outer->saved,
                              form_c(w->c, forward->loop.saved)), i, stride);
    }
    if (takes_scratch(r, w->mode))
        w->scratch = arena_format(arena, "%s", inner_scratch(outer));
}

static const char *size_c(struct writer *w, const struct value *value)
{
    struct form_size size = value_size(w->c, value);
    return form_c(w->c, &size);
}

/* x = i ? where the iteration before left y : the loop's x */
static void loop_forward_values(struct writer *w, const struct node *n,
                                struct writer *outer, const char *i)
{
    const char *x = value_c(outer, n->in[0]), *y = value_c(outer, n->out[0]);
    const char *xn = unique(w, "x"), *yn = unique(w, "y");

    const char *base = value_c(outer, n->loop.forward->loop.slots);
    const char *size = size_c(w, n->out[0]);
    text_add(w->out, "%*sconst float *%s = %s ? %s + (%s - 1) * (%s) : %s;\n",
             w->indent, "", xn, i, base, i, size, x);
    text_add(w->out, "%*sfloat *%s = %s < %" PRId64
             " ? %s + %s * (%s) : %s;\n", w->indent, "", yn, i,
             n->loop.count - 1, base, i, size, y);
    w->x = xn;
    w->y = yn;
}

/* The two buffers alternate so that the last iteration writes the result. */
static void loop_two_buffers(struct writer *w, const char *from,
                             const char *to, const char *other,
                             const char *odd, const char *first,
                             const char *in_name, const char *out_name)
{
    text_add(w->out, "%*sfloat *%s = %s ? %s : %s;\n", w->indent, "",
             out_name, odd, other, to);
    text_add(w->out, "%*sconst float *%s = %s ? %s : %s ? %s : %s;\n",
             w->indent, "", in_name, first, from, odd, to, other);
}

static void loop_gradients(struct writer *w, const struct node *n,
                           struct writer *outer, const char *i)
{
    const struct region *r = n->loop.body;
    const struct node *forward = n->loop.forward;
    bool kept = r->input_needed[0] || r->output_needed[0];

    if (kept) {
        const char *base = value_c(outer, forward->loop.slots);
        const char *size = size_c(w, forward->out[0]);
        if (r->input_needed[0]) {
            w->x = unique(w, "x");
            text_add(w->out, "%*sconst float *%s = %s ? %s + (%s - 1) * (%s) "
                     ": %s;\n", w->indent, "", w->x, i, base, i, size,
                     value_c(outer, n->in[1]));
        }
        if (r->output_needed[0]) {
            w->y = unique(w, "y");
            text_add(w->out, "%*sconst float *%s = %s < %" PRId64
                     " ? %s + %s * (%s) : %s;\n", w->indent, "", w->y, i,
                     n->loop.count - 1, base, i, size,
                     value_c(outer, n->in[2]));
        }
    }
}

static void loop_in_and_out(struct writer *w, const struct node *n,
                            const struct kernel *k, struct writer *outer,
                            const char *i)
{
    bool backward = w->mode == MODE_BACKWARD;
    const char *from = value_c(outer, n->in[0]);
    const char *to = n->outs ? value_c(outer, n->out[0]) : NULL;
    const char *in = unique(w, backward ? "dy" : "x");
    const char *out = unique(w, backward ? "dx" : "y");
    int64_t last = n->loop.count - 1;
    const char *first = backward
        ? arena_format(w->c->arena, "%s == %" PRId64, i, last)
        : arena_format(w->c->arena, "%s == 0", i);

    if (k->extra) {
        const char *odd = backward
            ? arena_format(w->c->arena, "%s %% 2", i)
            : arena_format(w->c->arena, "(%" PRId64 " - %s) %% 2", last, i);
        loop_two_buffers(w, from, to, value_c(outer, k->extra), odd, first,
                         in, out);
    } else {
        text_add(w->out, "%*sconst float *%s = %s ? %s : %s;\n", w->indent,
                 "", in, first, from, to);
        text_add(w->out, "%*sfloat *%s = %s;\n", w->indent, "", out, to);
    }
    if (backward) {
        w->dy = in;
        w->dx = out;
    } else {
        w->x = in;
        w->y = out;
    }
}

static void captured_names(struct writer *w, const struct node *n,
                           struct writer *outer)
{
    const struct region *r = n->loop.body;

    for (int i = 1; i < r->input_count; i++) {
        int j = w->mode == MODE_BACKWARD ? i + 2 : i;
        struct place *place = r->inputs[i]->place[w->mode];
        if (place && (w->mode != MODE_BACKWARD || r->input_needed[i]))
            place->name = value_c(outer, n->in[j]);
    }
    int j = r->input_count + 2;         /* the sums, after what is captured */
    for (int i = 1; w->mode == MODE_BACKWARD && i < r->input_count; i++)
        if (r->sums[i])
            r->sums[i]->place[MODE_BACKWARD]->name
                = value_c(outer, n->in[j++]);
}

static void loop_c(struct writer *w, const struct kernel *k)
{
    const struct node *n = k->anchor;
    const struct region *r = n->loop.body;
    const char *i = unique(w, "i");
    struct text body = { 0 };
    struct writer inner = *w;
    bool backward = w->mode == MODE_BACKWARD;

    if (backward)
        text_add(w->out, "%*sfor (long %s = %" PRId64 "; %s >= 0; %s--) {\n",
                 w->indent, "", i, n->loop.count - 1, i, i);
    else
        text_add(w->out, "%*sfor (long %s = 0; %s < %" PRId64 "; %s++) {\n",
                 w->indent, "", i, i, n->loop.count, i);
    inner.indent += 4;
    inner.out = &body;
    inner.region = r;
    loop_bases(&inner, n, i, w);
    if (backward)
        loop_gradients(&inner, n, w, i);
    if (backward || loop_memory(n, w->mode) != LOOP_KEPT)
        loop_in_and_out(&inner, n, k, w, i);
    else
        loop_forward_values(&inner, n, w, i);
    captured_names(&inner, n, w);
    text_put(w->out, body.data ? body.data : "", body.length);
    text_free(&body);
    inner.used = NULL;
    inner.used_count = 0;
    inner.used_size = 0;
    struct text statements = { 0 };
    inner.out = &statements;
    schedule_c(&inner, r);
    declare_values(&inner, w->out, 0);
    text_put(w->out, statements.data ? statements.data : "",
             statements.length);
    text_free(&statements);
    text_add(w->out, "%*s}\n", w->indent, "");
}

/* ---- regions ---- */

static void one_kernel(struct writer *w, const struct kernel *k)
{
    const struct node *n = k->anchor;

    if (n && (n->op == OP_CALL || n->op == OP_CALL_GRAD))
        block_call_c(w, k);
    else if (n && (n->op == OP_LOOP || n->op == OP_LOOP_GRAD))
        loop_c(w, k);
    else
        kernel_c(w, k);
}

static bool does_nothing(const struct kernel *k)
{
    const struct node *n = k->anchor;

    if (!n)
        return k->steps.count == 0;
    return (n->op == OP_LINEAR_DX || n->op == OP_POOL_GRAD
            || n->op == OP_PACK || n->op == OP_UNPACK)
        && k->steps.count == 0;
}

static const char *condition(struct writer *w, const struct kernel *k)
{
    if (k->optional || (k->port && w->mode == MODE_BACKWARD)) {
        const char *text = "";
        for (const struct port *p = w->c->network->inputs; p; p = p->next)
            if (p->value->grad && !p->target && (!k->port || k->port == p))
                text = arena_format(w->c->arena, "%s%s%s", text,
                    *text ? " || " : "", port_c(w->c, arena_format(
                        w->c->arena, "%s_grad", p->name)));
        return text;
    }
    return k->port ? port_c(w->c, k->port->name) : "";
}

static void schedule_c(struct writer *w, const struct region *region)
{
    const struct schedule *s = region->schedule[w->mode];
    const char *open = "";

    for (int i = 0; i < s->count; i++) {
        const struct kernel *k = &s->kernel[i];
        if (does_nothing(k))
            continue;
        const char *test = condition(w, k);
        if (*open && strcmp(open, test)) {
            w->indent -= 4;
            text_add(w->out, "%*s}\n", w->indent, "");
        }
        if (*test && strcmp(open, test)) {
            text_add(w->out, "%*sif (%s) {\n", w->indent, "", test);
            w->indent += 4;
        }
        open = test;
        one_kernel(w, k);
    }
    if (*open) {
        w->indent -= 4;
        text_add(w->out, "%*s}\n", w->indent, "");
    }
}

/* ---- functions ---- */

static void port_parameters(struct compilation *c, struct call *call,
                            enum mode mode)
{
    for (const struct port *p = c->network->inputs; p; p = p->next)
        call_argument(call, "const %s *%s", p->integer ? "int32_t" : "float",
                      port_c(c, p->name));
    for (const struct port *p = c->network->outputs; p; p = p->next)
        if (mode != MODE_BACKWARD)
            call_argument(call, "float *%s", port_c(c, p->name));
    if (mode != MODE_BACKWARD)
        return;
    call_argument(call, "float *loss");
    for (const struct port *p = c->network->inputs; p; p = p->next)
        if (!p->integer && !p->target)
            call_argument(call, "float *%s", port_c(c,
                          arena_format(c->arena, "%s_grad", p->name)));
}

static void block_parameters(struct call *call, const struct region *r,
                             enum mode mode)
{
    bool backward = mode == MODE_BACKWARD;

    if (backward && r->input_needed[0])
        call_argument(call, "const float *x");
    if (backward && r->output_needed[0])
        call_argument(call, "const float *y");
    call_argument(call, backward ? "const float *dy" : "const float *x");
    if (!backward)
        call_argument(call, "float *y");
    else if (r->grads[0])
        call_argument(call, "float *dx");
}

void emit_signature(struct compilation *c, struct text *out,
                    const struct function *f, enum mode mode)
{
    const struct region *r = f->body;
    struct writer w = { .c = c, .mode = mode };
    struct call call;

    text_add(out, "static ");
    call_begin(&call, out, 0, arena_format(c->arena, "void %s",
                                           function_c(&w, f)));
    call.indent += 7;
    call.column += 7;
    call_argument(&call, "const struct rnet_run *run");
    if (takes_params(r))
        call_argument(&call, "const float *params");
    if (takes_params(r) && mode == MODE_BACKWARD)
        call_argument(&call, "float *grads");
    if (takes_state(r, mode))
        call_argument(&call, mode == MODE_INFER ? "const float *state"
                      : "float *state");
    if (takes_key(r, mode))
        call_argument(&call, "long key");
    if (takes_saved(r, mode))
        call_argument(&call, "float *saved");
    if (takes_scratch(r, mode))
        call_argument(&call, "float *scratch");
    if (f == c->network->main)
        port_parameters(c, &call, mode);
    else
        block_parameters(&call, r, mode);
    text_add(out, ")\n");
}

static void unused(struct text *out, const char *text, const char *name,
                   bool parameter)
{
    if (parameter && !has_word(text, name))
        text_add(out, "    (void)%s;\n", name);
}

static void declare_strips(struct compilation *c, struct text *out,
                           const char *text)
{
    const struct units *units = c->network->units;

    for (int i = 0; i < units->count; i++) {
        int64_t rows = units->rows[i];
        const char *name = rows == 1 ? "strips"
            : arena_format(c->arena, "strips_%" PRId64, rows);
        if (has_word(text, name) && rows == 1)
            text_add(out, "    const long strips = "
                     "RNET_STRIP_COUNT(run->batch);\n");
        else if (has_word(text, name))
            text_add(out, "    const long %s = RNET_STRIP_COUNT(%" PRId64
                     " * run->batch);\n", name, rows);
    }
}

static void mark_unused(struct compilation *c, struct text *out,
                        const struct function *f, enum mode mode,
                        const char *text)
{
    const struct region *r = f->body;
    bool backward = mode == MODE_BACKWARD;

    unused(out, text, "run", true);
    unused(out, text, "params", takes_params(r));
    unused(out, text, "grads", takes_params(r) && backward);
    unused(out, text, "state", takes_state(r, mode));
    unused(out, text, "key", takes_key(r, mode));
    unused(out, text, "saved", takes_saved(r, mode));
    unused(out, text, "scratch", takes_scratch(r, mode));
    if (f != c->network->main) {
        unused(out, text, "x", !backward || r->input_needed[0]);
        unused(out, text, "y", !backward || r->output_needed[0]);
        unused(out, text, "dx", backward && r->grads[0]);
        unused(out, text, "dy", backward);
        return;
    }
    for (const struct port *p = c->network->inputs; p; p = p->next) {
        unused(out, text, port_c(c, p->name), true);
        if (backward && !p->integer && !p->target)
            unused(out, text, port_c(c, arena_format(c->arena, "%s_grad",
                                                     p->name)), true);
    }
    for (const struct port *p = c->network->outputs; p; p = p->next)
        unused(out, text, port_c(c, p->name), !backward);
}

static void reserve_names(struct writer *w)
{
    static const char *const names[] = { "run", "params", "grads", "state",
        "key", "saved", "scratch", "x", "y", "dx", "dy", "loss", "strips",
        "tensors", "inputs", "outputs", "infer_bytes", "train_bytes" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unique(w, names[i]);
    unique(w, identifier(w->c->arena, w->c->network->name));
    for (const struct shape_name *s = w->c->network->shapes; s; s = s->next)
        unique(w, s->name);
    for (const struct port *p = w->c->network->inputs; p; p = p->next) {
        unique(w, port_c(w->c, p->name));
        unique(w, arena_format(w->c->arena, "%s_grad", p->name));
    }
    for (const struct port *p = w->c->network->outputs; p; p = p->next)
        unique(w, port_c(w->c, p->name));
}

static void emit_function(struct compilation *c, struct text *out,
                          const struct function *f, enum mode mode)
{
    struct text statements = { 0 }, body = { 0 };
    struct name *taken_names = NULL;
    struct writer w = { .names = &taken_names, .c = c, .function = f, .mode = mode,
        .out = &statements, .indent = 4, .params = "params", .grads = "grads",
        .state = "state", .key = "key", .saved = "saved",
        .scratch = "scratch", .region = f->body, .x = "x", .y = "y",
        .dx = "dx", .dy = "dy" };

    reserve_names(&w);
    schedule_c(&w, f->body);
    declare_values(&w, &body, 0);
    text_put(&body, statements.data ? statements.data : "",
             statements.length);
    const char *text = body.data ? body.data : "";
    emit_signature(c, out, f, mode);
    text_add(out, "{\n");
    declare_strips(c, out, text);
    mark_unused(c, out, f, mode, text);
    text_put(out, text, body.length);
    text_add(out, "}\n\n");
    text_free(&statements);
    text_free(&body);
}

/* ---- constants ---- */

static const char *emit_conv(struct compilation *c, const char *name,
                             const struct conv *v)
{
    return arena_format(c->arena, "static const struct rnet_conv %s = {\n"
        "    .height = %" PRId64 ", .width = %" PRId64 ", .in = %" PRId64
        ",\n    .out_height = %" PRId64 ", .out_width = %" PRId64
        ", .out = %" PRId64 ",\n    .kernel_height = %" PRId64
        ", .kernel_width = %" PRId64 ",\n    .stride_y = %" PRId64
        ", .stride_x = %" PRId64 ", .dilation_y = %" PRId64
        ", .dilation_x = %" PRId64 ",\n    .pad_top = %" PRId64
        ", .pad_left = %" PRId64 ", .pad_bottom = %" PRId64
        ", .pad_right = %" PRId64 ",\n    .groups = %" PRId64 "\n};\n", name,
        v->height, v->width, v->in, v->out_height, v->out_width, v->out,
        v->kernel_height, v->kernel_width, v->stride_y, v->stride_x,
        v->dilation_y, v->dilation_x, v->top, v->left, v->bottom, v->right,
        v->groups);
}

static const char *emit_pool(struct compilation *c, const char *name,
                             const struct pool *p)
{
    return arena_format(c->arena, "static const struct rnet_pool_shape %s = "
        "{\n    .kind = %s, .height = %" PRId64 ", .width = %" PRId64
        ",\n    .channels = %" PRId64 ", .out_height = %" PRId64
        ", .out_width = %" PRId64 ",\n    .out_channels = %" PRId64
        ", .kernel_height = %" PRId64 ", .kernel_width = %" PRId64
        ",\n    .stride_y = %" PRId64 ", .stride_x = %" PRId64
        ", .pad_top = %" PRId64 ", .pad_left = %" PRId64
        ",\n    .count_pad = %d\n};\n", name,
        p->max ? "RNET_POOL_MAX" : "RNET_POOL_AVERAGE", p->height, p->width,
        p->channels, p->out_height, p->out_width, p->out_channels,
        p->kernel_height, p->kernel_width, p->stride_y, p->stride_x, p->top,
        p->left, p->count_pad);
}

static struct shape_name *find_shape(struct compilation *c,
                                     const struct node *n)
{
    struct shape_name *s = c->network->shapes;
    bool pool = n->op == OP_POOL || n->op == OP_POOL_GRAD;

    while (s && (s->pool != pool
                 || (pool ? memcmp(&s->p, &n->pool, sizeof s->p)
                          : memcmp(&s->conv, &n->conv, sizeof s->conv))))
        s = s->next;
    return s;
}

static const char *shape_constant(struct writer *w, const struct node *n)
{
    return find_shape(w->c, n)->name;
}

static void emit_shape(struct compilation *c, struct text *out,
                       const struct node *n, int *count)
{
    bool pool = n->op == OP_POOL;
    struct shape_name *s;

    if ((n->op != OP_CONV && !pool) || find_shape(c, n))
        return;
    s = NEW(c->arena, struct shape_name);
    s->pool = pool;
    if (pool)
        s->p = n->pool;
    else
        s->conv = n->conv;
    s->name = pool
        ? arena_format(c->arena, "pool_%d", (*count)++)
        : arena_format(c->arena, "conv_%" PRId64 "x%" PRId64 "_%" PRId64 "_%"
                       PRId64 "_%d", n->conv.kernel_height,
                       n->conv.kernel_width, n->conv.in, n->conv.out,
                       (*count)++);
    s->next = c->network->shapes;
    c->network->shapes = s;
    text_add(out, "%s", pool ? emit_pool(c, s->name, &s->p)
                             : emit_conv(c, s->name, &s->conv));
}

static void emit_shapes(struct compilation *c, struct text *out,
                        const struct list *list, int *count)
{
    for (const struct node *n = list->first; n; n = n->next) {
        emit_shape(c, out, n, count);
        if (n->op == OP_LOOP)
            emit_shapes(c, out, &n->loop.body->nodes, count);
    }
}

static void name_params(struct compilation *c, const struct function *f,
                        const struct region *region, struct text *out,
                        struct writer *w)
{
    for (struct param *p = region->params; p; p = p->next) {
        const char *path = piece_text(c, p->path);
        const char *name = upper(c->arena, arena_format(c->arena, "%s_%s%s%s",
            f->name, path, *path ? "_" : "", p->leaf));
        p->constant = unique(w, name);
        text_add(out, "    %s = %" PRId64 ",\n", p->constant, p->offset);
    }
    for (const struct node *n = region->nodes.first; n; n = n->next)
        if (n->op == OP_LOOP)
            name_params(c, f, n->loop.body, out, w);
}

static void emit_params(struct compilation *c, struct text *out,
                        const struct function *f, struct writer *w)
{
    struct text names = { 0 };

    name_params(c, f, f->body, &names, w);
    if (names.length)
        text_add(out, "enum {           /* where its parameters lie, in "
                 "floats */\n%.*s};\n\n", (int)names.length, names.data);
    text_free(&names);
}

/* The block as the user wrote it, as a comment: nothing in it can end the
 * comment. */
static void quote(struct text *out, const char *text, uint32_t length)
{
    text_add(out, " *     ");
    for (uint32_t i = 0; i < length; i++) {
        char c = text[i], next = i + 1 < length ? text[i + 1] : ' ';
        if (c == '\n')
            text_add(out, "\n *     ");
        else if ((unsigned char)c >= ' ' && (unsigned char)c < 127)
            text_add(out, "%c", c);
        if ((c == '*' && next == '/') || (c == '/' && next == '*')
            || (c == '?' && next == '?'))
            text_add(out, " ");
    }
    text_add(out, "\n");
}

static void emit_title(struct compilation *c, struct text *out,
                       const struct function *f)
{
    const struct span *span = &f->decl->span;
    const struct source *source = &c->diag->sources[span->file];
    const char *path = strrchr(source->path, '/');

    text_add(out, "/* ---- %s (%s:%d) ----\n *\n", f->name,
             path ? path + 1 : source->path, diag_line(c->diag, *span));
    quote(out, source->text + span->begin, span->end - span->begin);
    text_add(out, " */\n\n");
}

void emit_functions(struct compilation *c, struct text *out)
{
    struct name *taken_names = NULL;
    struct writer names = { .c = c, .names = &taken_names };
    int shapes = 0;

    for (const struct function *f = c->network->functions; f; f = f->next)
        emit_shapes(c, out, &f->body->nodes, &shapes);
    if (shapes)
        text_add(out, "\n");
    for (const struct function *f = c->network->functions; f; f = f->next) {
        emit_title(c, out, f);
        emit_params(c, out, f, &names);
        for (int mode = 0; mode < MODES; mode++)
            if (f->body->schedule[mode])
                emit_function(c, out, f, (enum mode)mode);
    }
}
