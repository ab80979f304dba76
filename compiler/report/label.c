/* label.c: what reports call the parts of a network, and which of its nodes
 * they leave out. */
#include "label.h"

#include <inttypes.h>
#include <string.h>

/* "basic.3..5", "basic.3": the numbers that the repeats around give a piece;
 * "basic.#" when they are no range. */
static const char *numbers_text(struct compilation *c,
                                const struct repeats *repeats,
                                const struct piece *p)
{
    struct arena *arena = c->arena;
    int64_t last = p->first;
    int steps = 0;

    for (int i = 0; i < repeats->count; i++) {
        last += (repeats->times[i] - 1) * p->step[i];
        steps += p->step[i] == 0 ? 0 : p->step[i] == 1 ? 1 : 2;
    }
    if (!p->indexed)
        return "";
    if (steps == 0)
        return arena_format(arena, ".%" PRId64, p->first);
    if (steps > 1)
        return ".#";
    return arena_format(arena, ".%" PRId64 "..%" PRId64, p->first, last);
}

const char *path_text(struct compilation *c, const struct repeats *repeats,
                      const struct piece *pieces)
{
    const char *text = "";

    for (const struct piece *p = pieces; p; p = p->next)
        text = arena_format(c->arena, "%s%s%s%s", text, *text ? "." : "",
                            p->text, numbers_text(c, repeats, p));
    return text;
}

static const char *conv_text(struct compilation *c, const struct node *n,
                             const char *path)
{
    const struct conv *v = &n->conv;
    const char *text = arena_format(c->arena, "%s %" PRId64 "x%" PRId64,
                                    path, v->kernel_height, v->kernel_width);

    if (v->stride_y != v->stride_x)
        text = arena_format(c->arena, "%s / %" PRId64 "x%" PRId64, text,
                            v->stride_y, v->stride_x);
    else if (v->stride_y > 1)
        text = arena_format(c->arena, "%s / %" PRId64, text, v->stride_y);
    if (v->groups > 1)
        text = arena_format(c->arena, "%s, %" PRId64 " groups", text,
                            v->groups);
    return text;
}

static const char *loss_text(const struct node *n)
{
    static const char *const names[] = {
        [LOSS_CROSS_ENTROPY] = "cross_entropy", [LOSS_SQUARED] = "mse",
        [LOSS_BINARY] = "bce", [LOSS_ABSOLUTE] = "mae",
    };
    return names[n->loss.kind];
}

const char *layer_text(struct compilation *c, const struct repeats *repeats,
                       const struct node *n)
{
    const struct param *param = n->param[0];
    const char *path = param ? path_text(c, repeats, param->path) : "";

    switch (n->op) {
    case OP_INPUT:
        return arena_format(c->arena, "input %s", n->out[0]->name);
    case OP_OUTPUT:
        return arena_format(c->arena, "output %s", n->output->name);
    case OP_LOSS:
        return arena_format(c->arena, "loss %s", loss_text(n));
    case OP_RESHAPE:
        return n->out[0]->shape.rank == 1 ? "flatten" : "reshape";
    case OP_CONV:
    case OP_UPCONV:
        return conv_text(c, n, path);
    case OP_POINT: case OP_MIX: case OP_MIX_TRANSPOSED: case OP_DOTS:
        if (param)
            return arena_format(c->arena, "%s%s%s", path, *path && *param->leaf
                                ? "." : "", param->leaf);
        return n->out[0]->name;
    default:
        return param ? path : n->out[0]->name;
    }
}

/* ---- what is shown ---- */

bool is_hidden(const struct node *n)
{
    return n->op == OP_PACK || n->op == OP_UNPACK
        || (n->op == OP_POINT && n->ins == 1 && !n->param[0]
            && strcmp(n->point.step, "MUL") == 0 && n->point.number == 1
            && !n->point.varies);
}

const struct node *lone_call(const struct list *list)
{
    const struct node *call = NULL;

    for (const struct node *n = list->first; n; n = n->next) {
        if (is_hidden(n))
            continue;
        if (call || n->op != OP_CALL)
            return NULL;
        call = n;
    }
    return call;
}

bool ends_pool(const struct node *n)
{
    const struct value *in = n->op == OP_RESHAPE ? n->in[0] : NULL;

    return in && in->producer && in->producer->op == OP_POOL && in->rows == 1;
}
