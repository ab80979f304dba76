/* emit_value.c: names, pointers to values and parameters, steps, and the
 * formulas above them. */
#include "writer.h"

#include <inttypes.h>
#include <string.h>

/* ---- names ---- */

/* base, base_2, base_3, ...: the first that is free.  A name's mark is the
 * last number that was tried behind it, so that none is tried twice. */
const char *unique(struct writer *w, const char *base)
{
    int number = name_mark(w->names, base)->number;
    const char *text = base;

    while (number++ && name_mark(w->names, text)->number)
        text = arena_format(w->c->arena, "%s_%d", base, number);
    name_mark(w->names, text)->number = 1;
    if (text != base)
        name_mark(w->names, base)->number = number - 1;
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

const struct writer *writer_of(const struct writer *w,
                               const struct region *region)
{
    while (w->region != region)
        w = w->outer;
    return w;
}

static const char *base_of(struct writer *w, const struct param *param)
{
    const struct writer *home = writer_of(w, param->region);
    return param->trainable ? home->params : home->state;
}

const char *at(struct writer *w, const char *base, const char *offset)
{
    if (!*offset || strcmp(offset, "0") == 0)
        return base;
    return arena_format(w->c->arena, "%s + %s", base, offset);
}

const char *param_c(struct writer *w, const struct param *param)
{
    return at(w, base_of(w, param), constant_of(w, param));
}

/* The gradient, or what takes its step in its place. */
const char *grad_c(struct writer *w, const struct param *param)
{
    if (!param)
        return "NULL";
    if (param->stepped)
        return param_c(w, param);
    return at(w, writer_of(w, param->region)->grads,
              param->grad_offset == param->offset ? constant_of(w, param)
              : arena_format(w->c->arena, "%" PRId64, param->grad_offset));
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

int64_t stride_of(const struct value *value)
{
    while (value->base && !value->reshaped)
        value = value->base;
    return value->features;
}

/* A pointer to the first element. */
const char *value_c(struct writer *w, struct value *value)
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
static const char *short_name(struct writer *w, const struct ref *ref)
{
    if (ref->param)
        return param_text(w->c, ref->param);
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

/* A step's number, or where it is read. */
static const char *step_number(struct writer *w, const struct step *s)
{
    struct arena *arena = w->c->arena;
    const char *text = s->varies
        ? arena_format(arena, "%s[%" PRId64 "]", w->numbers, s->slot)
        : number_c(arena, s->complement ? 1 - s->number : s->number);

    return s->varies && s->complement ? arena_format(arena, "(1 - %s)", text)
                                      : text;
}

static const char *operand_name(struct writer *w, const struct step *s)
{
    if (s->kind && strcmp(s->kind, "TEMP") == 0)
        return arena_format(w->c->arena, "t%d", s->temp);
    if (s->kind && strcmp(s->kind, "INPUT") == 0)
        return "input";
    if (!s->x.value && !s->x.param)
        return step_number(w, s);
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
    if (!x.value)
        x.param = n->param[0];
    switch (n->op) {
    case OP_LINEAR: case OP_LINEAR_DX:
    case OP_CONV: case OP_CONV_GRAD: case OP_UPCONV:
        return arena_format(arena, "%s%s %s%s", param_text(w->c, n->param[0]),
            n->op == OP_LINEAR || n->op == OP_CONV ? "" : "'",
            op_row(n->op)->traits & CONVOLVES ? "* " : "",
            short_name(w, &in));
    case OP_MIX: case OP_MIX_TRANSPOSED: case OP_DOTS:
        return arena_format(arena, "%s(%s, %s)", op_name(n->op),
                            short_name(w, &in), short_name(w, &x));
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

/* A call whose result no step stores. */
static bool writes_itself(const struct kernel *k)
{
    const struct op_row *row = k->anchor ? op_row(k->anchor->op) : NULL;

    return row && row->arguments && !(row->traits & ACC) && k->anchor->outs;
}

/* "y = ..." of the result's own name. */
static const char *own_formula(struct writer *w, const struct node *n)
{
    const char *formula = op_row(n->op)->formula;

    if (strncmp(formula, "y = ", 4))
        return formula;
    return arena_format(w->c->arena, "%s = %s",
                        memory_c(w, memory_of(n->out[0])), formula + 4);
}

void formulas(struct writer *w, const struct kernel *k)
{
    const char *acc = anchor_formula(w, k), *from = acc;

    if (writes_itself(k))
        comment(w, own_formula(w, k->anchor));
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
    const char *number = step_number(w, s);
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

void steps_c(struct writer *w, struct call *call,
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

/* ---- declarations ---- */

static void declare(struct writer *w, struct text *out, int indent,
                    const char *type, const char *name, const char *value)
{
    (void)w;
    text_add(out, "%*s%s%s = %s;\n", indent, "", type, name, value);
}

/* Strip counts, then pointers to values, of what the text uses. */
void declare_values(struct writer *w, struct text *out, int first)
{
    for (int i = first; i < w->used_count; i++) {
        const struct place *p = w->used[i];
        const char *base = p->kind == PLACE_SAVED ? w->saved : w->scratch;
        const char *offset = form_c(w->c, &p->offset);
        declare(w, out, w->indent, p->value->integer ? "int32_t *" : "float *",
                p->name, at(w, base, offset));
    }
}
