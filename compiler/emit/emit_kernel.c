/* emit_kernel.c: a call into the runtime for each kernel, its arguments in the
 * order of rnet_kernels.h. */
#include "writer.h"

#include <inttypes.h>
#include <string.h>

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

/* Rows of each line but the last. */
static const char *chunk_c(struct writer *w, const struct value *lines)
{
    return lines->layout == LAYOUT_PLAIN
        ? arena_format(w->c->arena, "%" PRId64, lines->rows) : "RNET_LANES";
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
        call_argument(call, "%s", chunk_c(w, lines));
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

/* Cross-entropy that does not count each row once. */
static bool is_weighted(const struct node *n)
{
    return n->loss.smoothing != 0 || n->loss.classes || n->loss.ignores
        || n->ins > 2;
}

/* A struct rnet_entropy: the fields that are not 0, a line each. */
static void entropy_c(struct writer *w, struct call *call,
                      const struct node *n)
{
    struct arena *arena = w->c->arena;
    const char *text = "&(struct rnet_entropy) {";
    const char *line = arena_format(arena, "\n%*s", call->indent + 4, "");

    if (n->loss.smoothing != 0)
        text = arena_format(arena, "%s%s.smoothing = %s,", text, line,
                            number_c(arena, n->loss.smoothing));
    if (n->loss.classes)
        text = arena_format(arena, "%s%s.classes = %s,", text, line,
                            shape_constant(w, n));
    if (n->ins > 2)
        text = arena_format(arena, "%s%s.rows = %s,", text, line,
                            value_c(w, n->in[2]));
    if (n->loss.ignores)
        text = arena_format(arena, "%s%s.ignores = 1, .ignore = %" PRId64 ",",
                            text, line, n->loss.ignore);
    call->column = 1000;            /* on lines of its own */
    call_argument(call, "%s }", text);
    call->column = 1000;
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
    if (is_weighted(n))
        entropy_c(w, call, n);
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

static void point_c(struct writer *w, struct call *call,
                    const struct kernel *k)
{
    call_argument(call, "run");
    call_argument(call, "%s", layout_c(w, k->like));
    call_argument(call, "%" PRId64, k->like->features);
    steps_c(w, call, &k->steps);
}

/* ---- calls as the rows of ops.h write them ---- */

static void input_c(struct writer *w, struct call *call, const struct node *n,
                    int k)
{
    if (k < n->ins) {
        value_argument(w, call, n->in[k]);
        return;
    }
    call_argument(call, "NULL");
    call_argument(call, "0");
}

/* An input, or the parameter that stands for it: one for all rows. */
static void shared_c(struct writer *w, struct call *call, const struct node *n,
                     int k)
{
    if (k < n->ins) {
        value_argument(w, call, n->in[k]);
        return;
    }
    call_argument(call, "%s", param_c(w, n->param[0]));
    call_argument(call, "0");
}

/* One of the operand's kinds, the letters of ops.h. */
static const char *operand_c(struct writer *w, const struct node *n,
                             char kind, int k)
{
    struct arena *arena = w->c->arena;

    switch (kind) {
    case 'i': return k < n->ins ? value_c(w, n->in[k]) : "NULL";
    case 'o': return k < n->outs ? optional_c(w, n->out[k]) : "NULL";
    case 'w': return n->param[k] ? param_c(w, n->param[k]) : "NULL";
    case 'g': return grad_c(w, n->param[k]);
    case 'a': return arena_format(arena, "%" PRId64,
                                  n->param[0]->shape.axis[k]);
    case 'm': return rows_c(w, n->in[k]->rows);
    case 'l': return layout_c(w, n->in[k]);
    case 'f': return arena_format(arena, "%" PRId64, n->in[k]->features);
    case 'M': return rows_c(w, n->out[k]->rows);
    case 'L': return layout_c(w, n->out[k]);
    case 'F': return arena_format(arena, "%" PRId64, n->out[k]->features);
    case 'n': return arena_format(arena, "%" PRId64, n->set.n[k]);
    default:  return number_c(arena, n->set.r[k]);
    }
}

static void word_c(struct writer *w, struct call *call,
                   const struct kernel *k, const char *word)
{
    static const char *const kinds[] = {
        [AGGREGATE_SUM] = "RNET_AGGREGATE_SUM",
        [AGGREGATE_MEAN] = "RNET_AGGREGATE_MEAN",
        [AGGREGATE_SYMMETRIC] = "RNET_AGGREGATE_SYMMETRIC",
    };
    const struct node *n = k->anchor;

    if (strcmp(word, "batch") == 0)
        call_argument(call, "run->batch");
    else if (strcmp(word, "shape") == 0)
        call_argument(call, "&%s", shape_constant(w, n));
    else if (strcmp(word, "steps") == 0)
        steps_c(w, call, &k->steps);
    else if (strcmp(word, "input") == 0)
        steps_c(w, call, &k->input);
    else if (strcmp(word, "output") == 0)
        steps_c(w, call, &k->output);
    else if (strcmp(word, "graph") == 0)
        call_argument(call, "run->graphs[%" PRId64 "]", n->set.n[0]);
    else if (strcmp(word, "kind") == 0)
        call_argument(call, "%s", kinds[n->set.n[1]]);
    else if (strcmp(word, "own") == 0)
        call_argument(call, "%s", value_c(w, k->extra));
    else if (*word == 'y')
        value_argument(w, call, n->out[word[1] - '0']);
    else if (*word == 'x')
        input_c(w, call, n, word[1] - '0');
    else if (*word == 'v')
        shared_c(w, call, n, word[1] - '0');
    else
        call_argument(call, "%s", operand_c(w, n, *word, word[1] - '0'));
}

static void words_c(struct writer *w, struct call *call,
                    const struct kernel *k, const char *arguments)
{
    call_argument(call, "run");
    while (*arguments) {
        size_t length = strcspn(arguments, " ");
        word_c(w, call, k, arena_text(w->c->arena, arguments, length));
        arguments += length + (arguments[length] == ' ');
    }
}

/* Operators whose function depends on what they do. */
static const char *runtime_name(const struct kernel *k)
{
    const struct node *n = k->anchor;

    if (!n)
        return "rnet_point";
    switch (n->op) {
    case OP_LINEAR_DW: return steps_weight(n) ? "rnet_linear_step"
                                              : op_row(n->op)->function;
    case OP_CONV_GRAD: return steps_weight(n) ? "rnet_conv_step"
                                              : op_row(n->op)->function;
    case OP_NORM:      return n->norm.maps ? "rnet_norm_maps"
                                           : "rnet_norm_rows";
    case OP_NORM_GRAD: return n->norm.maps ? "rnet_norm_maps_grad"
                                           : "rnet_norm_rows_grad";
    case OP_LOSS:      return n->loss.kind != LOSS_CROSS_ENTROPY
                            ? "rnet_loss" : is_weighted(n)
                            ? "rnet_weighted_cross_entropy"
                            : "rnet_cross_entropy";
    default:           return op_row(n->op)->function;
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
    case OP_NORM: case OP_NORM_GRAD:
        norm_c(w, call, k); break;
    case OP_BN_FINISH: case OP_BN_INFER: case OP_BN_GRAD_FINISH:
        batch_norm_c(w, call, k->anchor); break;
    case OP_LOSS:
        loss_c(w, call, k); break;
    case OP_ADD_SUMS:
        add_sums_c(w, call, k->anchor); break;
    case OP_CONV_GRAD:
        words_c(w, call, k, steps_weight(k->anchor)
                ? "batch shape input output g2 g1 steps"
                : op_row(OP_CONV_GRAD)->arguments); break;
    default:
        words_c(w, call, k, op_row(k->anchor->op)->arguments); break;
    }
}

void kernel_c(struct writer *w, const struct kernel *k)
{
    struct call call;

    formulas(w, k);
    call_begin(&call, w->out, w->indent, runtime_name(k));
    arguments_c(w, &call, k);
    call_end(&call);
}

void copy_c(struct writer *w, struct value *from, struct value *to)
{
    struct step steps[2] = {
        { .op = "LOAD", .kind = "FULL", .x.value = from },
        { .op = "STORE", .kind = "FULL", .x.value = to },
    };
    struct kernel copy = { .like = to, .steps = { .step = steps, .count = 2 } };

    kernel_c(w, &copy);
}
