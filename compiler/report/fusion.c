/* fusion.c: --report=fusion, the kernels of each pass: what rides on them, how
 * much they compute and move.  Requires: plans.
 *
 * Operations are two a multiply-add, one a pointwise step and element; what
 * norms, pools and losses do beyond their steps is not counted.  Bytes
 * are those of all values and parameters that a kernel reads or writes, once
 * each: what must cross the memory bus when no cache holds them.  Their ratio,
 * the arithmetic intensity, bounds the rate (Williams, Waterman, Patterson:
 * Roofline, 2009): peak, or intensity times bandwidth. */
#include "summary.h"

#include "label.h"
#include "schedule.h"

#include <inttypes.h>
#include <string.h>

struct report {
    struct compilation *c;
    const struct options *options;
    struct text *out;
    enum mode mode;
    const char *indent;
    /* of the kernel at hand */
    const void *seen[128];      /* memory that was counted */
    int seen_count;
    double operations, bytes;
};

static double batch_of(const struct report *r)
{
    return (double)(r->mode == MODE_INFER ? r->options->infer_batch
                                          : r->options->train_batch);
}

/* ---- bytes ---- */

static bool first_time(struct report *r, const void *memory)
{
    for (int i = 0; i < r->seen_count; i++)
        if (r->seen[i] == memory)
            return false;
    if (r->seen_count < (int)(sizeof r->seen / sizeof *r->seen))
        r->seen[r->seen_count++] = memory;
    return true;
}

static double floats_of(const struct report *r, const struct value *value)
{
    double one = (double)value->features;

    return value->form == FORM_VECTOR ? one
         : value->form == FORM_ROWS ? one * (double)value->rows * batch_of(r)
         : one * batch_of(r) * (value->layout == LAYOUT_PLAIN ? 1
                                : (double)value->rows / 32);
}

static void move_value(struct report *r, const struct value *value)
{
    if (value && first_time(r, value))
        r->bytes += 4 * floats_of(r, value);
}

static void move_param(struct report *r, const struct param *param)
{
    if (param && first_time(r, param))
        r->bytes += 4 * (double)param->size;
}

static void move_ref(struct report *r, const struct ref *ref)
{
    move_value(r, ref->value);
    move_param(r, ref->param);
}

static void move_steps(struct report *r, const struct steps *steps)
{
    for (int i = 0; i < steps->count; i++) {
        const struct step *s = &steps->step[i];
        move_ref(r, &s->x);
        move_ref(r, &s->a);
        move_ref(r, &s->b);
        move_ref(r, &s->c);
        move_ref(r, &s->sums);
    }
}

/* ---- operations ---- */

static bool makes_weight(const struct node *n)
{
    return n->op == OP_LINEAR_DW || (n->op == OP_CONV_GRAD && n->param[2]);
}

/* Multiply-adds of a convolution or product, one for each weight and pixel. */
static double products(const struct node *n)
{
    const struct value *rows = n->op == OP_CONV ? n->out[0] : n->in[0];
    double one = (double)n->param[0]->size * (double)rows->rows;

    return n->op == OP_CONV_GRAD ? one * ((n->param[2] != NULL)
                                          + (n->outs > 0)) : one;
}

static double anchor_macs(const struct node *n)
{
    switch (n->op) {
    case OP_LINEAR: case OP_LINEAR_DX: case OP_LINEAR_DW:
    case OP_CONV: case OP_CONV_GRAD: case OP_UPCONV:
        return products(n);
    default:
        return (double)n->macs;
    }
}

static double step_operations(const struct steps *steps)
{
    double sum = 0;

    for (int i = 0; i < steps->count; i++) {
        const char *op = steps->step[i].op;
        sum += !strcmp(op, "STORE") || !strcmp(op, "LOAD") ? 0
             : !strcmp(op, "AFFINE") ? 2 : !strcmp(op, "AFFINE2") ? 4
             : !strcmp(op, "SUM_MOMENTS") || !strcmp(op, "SUM_CENTRED") ? 4
             : 1;
    }
    return sum;
}

static double elements_of(const struct report *r, const struct kernel *k)
{
    return k->like ? (double)k->like->features * (double)k->like->rows
                         * batch_of(r) : 0;
}

static void measure(struct report *r, const struct kernel *k)
{
    const struct node *n = k->anchor;

    r->seen_count = 0;
    r->bytes = 0;
    r->operations = step_operations(&k->steps) * elements_of(r, k);
    for (int i = 0; n && i < n->ins; i++)
        if (!n->in[i]->sunk)
            move_value(r, n->in[i]);
    for (int i = 0; n && i < n->outs; i++)
        if (n->out[i]->stored && !n->out[i]->sunk)
            move_value(r, n->out[i]);
    for (int i = 0; n && i < NODE_PARAMS; i++)
        move_param(r, n->param[i]);
    if (n)
        r->operations += 2 * anchor_macs(n) * batch_of(r);
    move_steps(r, &k->input);
    move_steps(r, &k->output);
    move_steps(r, &k->steps);
    if (n && makes_weight(n))   /* gradients are read, too */
        r->bytes += 4 * (double)n->param[0]->size;
}

/* ---- as text ---- */

static const char *lower(struct arena *arena, const char *text)
{
    char *copy = arena_format(arena, "%s", text);

    for (char *p = copy; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a'
                    : *p == '_' ? ' ' : *p);
    return copy;
}

static const char *operand_text(const struct step *s)
{
    return s->x.param ? s->x.param->leaf : s->x.value ? s->x.value->name
         : s->sums.value ? s->sums.value->name : NULL;
}

/* "add bias, relu, store y" */
static const char *steps_text(struct report *r, const struct steps *steps,
                              const char *before)
{
    const char *text = before;

    for (int i = 0; i < steps->count; i++) {
        const struct step *s = &steps->step[i];
        const char *operand = operand_text(s);
        text = arena_format(r->c->arena, "%s%s%s%s%s", text,
                            *text ? ", " : "", lower(r->c->arena, s->op),
                            operand && *operand ? " " : "",
                            operand ? operand : "");
    }
    return text;
}

static const char *kernel_text(struct report *r, const struct kernel *k)
{
    static const struct repeats none;
    const struct node *n = k->anchor;

    if (!n)
        return "point";
    if (!n->param[0])
        return op_name(n->op);
    return arena_format(r->c->arena, "%s %s%s", op_name(n->op),
                        path_text(r->c, &none, n->param[0]->path),
                        steps_weight(n) ? " and step" : "");
}

static void print_kernel(struct report *r, const struct kernel *k)
{
    const struct options *o = r->options;
    double intensity, bound;
    const char *input = k->input.count > 1 ? "input: " : "";
    const char *steps;

    measure(r, k);
    intensity = r->bytes > 0 ? r->operations / r->bytes : 0;
    bound = intensity * o->bandwidth < o->peak ? intensity * o->bandwidth
                                               : o->peak;
    text_add(r->out, "%s  %-34s %10.3f %9.3f %8.2f %8.1f %s\n", r->indent,
             kernel_text(r, k), r->operations * 1e-6, r->bytes * 1e-6,
             intensity, bound, bound < o->peak ? "memory" : "compute");
    if (*input)
        input = arena_format(r->c->arena, "%s%s; ", input,
                             steps_text(r, &k->input, ""));
    steps = steps_text(r, &k->steps, "");
    if (*steps || *input)
        text_add(r->out, "%s      %s%s\n", r->indent, input, steps);
}

static bool calls(const struct kernel *k)
{
    return k->anchor && (k->anchor->op == OP_CALL
                         || k->anchor->op == OP_CALL_GRAD);
}

static void print_region(struct report *r, const struct region *region);

/* A call of a block, whose kernels stand at its own name; or a repeat. */
static void print_inner(struct report *r, const struct node *n)
{
    if (n->op == OP_CALL || n->op == OP_CALL_GRAD) {
        text_add(r->out, "%s  %s: see there\n", r->indent,
                 n->call.callee->name);
        return;
    }
    const char *outer = r->indent;
    text_add(r->out, "%s  %s %" PRId64 " times:\n", outer,
             n->loop.draw ? "perhaps" : "repeat", n->loop.count);
    r->indent = arena_format(r->c->arena, "%s  ", outer);
    print_region(r, n->loop.body);
    r->indent = outer;
}

static void print_region(struct report *r, const struct region *region)
{
    const struct schedule *s = region->schedule[r->mode];

    for (int i = 0; s && i < s->count; i++) {
        const struct kernel *k = &s->kernel[i];
        const struct node *n = k->anchor;
        if (calls(k) || (n && (n->op == OP_LOOP || n->op == OP_LOOP_GRAD)))
            print_inner(r, n);
        else
            print_kernel(r, k);
    }
}

void fusion(struct compilation *c, const struct options *options,
            struct text *out)
{
    static const char *const passes[MODES] = {
        "inference", "forward, in training", "backward" };
    struct report r = { .c = c, .options = options, .out = out, .indent = "" };

    text_add(out, "%s (%s), batch %" PRId64 " in inference and %" PRId64
             " in training\nRoofline of %.4g GFLOP/s and %.4g GB/s: below %.3g "
             "operations a byte memory is the bound\n", c->network->name,
             c->network->source, options->infer_batch, options->train_batch,
             options->peak, options->bandwidth,
             options->peak / options->bandwidth);
    for (const struct function *f = c->network->functions; f; f = f->next)
        for (int mode = 0; mode < MODES; mode++) {
            if (!f->body->schedule[mode])
                continue;
            r.mode = (enum mode)mode;
            text_add(out, "\n%-36s %10s %9s %8s %8s\n",
                     arena_format(c->arena, "%s, %s", f->name, passes[mode]),
                     "MFLOP", "MB", "FLOP/B", "GFLOP/s");
            print_region(&r, f->body);
        }
}
