/* dot.c: --dot, the network as a drawing for Graphviz.  Requires: the network.
 *
 * Blocks and repeats are boxes round their layers; what leaves the column is
 * coloured: shortcuts, gates, and what a concat adds.  A large network's later
 * blocks stay closed. */
#include "summary.h"

#include "label.h"

#include <inttypes.h>
#include <string.h>

enum line { LINE_COLUMN, LINE_SHORTCUT, LINE_GATE, LINE_CONCAT };
static const char *const colors[] = { NULL, "royalblue", "darkorange",
                                      "seagreen" };

struct drawing {
    struct compilation *c;
    struct text *out, edges;
    int *origin;                /* of each value: the box it comes from, or 0 */
    int boxes, indent;
    struct repeats repeats;
};

static void draw_list(struct drawing *d, const struct region *region);

/* ---- boxes ---- */

static const char *node_style(const struct node *n)
{
    switch (n->op) {
    case OP_INPUT: case OP_OUTPUT: case OP_LOSS:
        return "shape=ellipse";
    case OP_LINEAR: case OP_CONV: case OP_UPCONV: case OP_EMBEDDING:
        return "style=filled, fillcolor=lightsteelblue";
    case OP_NORM: case OP_BATCH_NORM:
        return "style=filled, fillcolor=honeydew";
    case OP_CALL:
        return "shape=box3d";
    default:
        return "style=filled, fillcolor=white";
    }
}

static int add_box(struct drawing *d, const struct node *n, const char *label)
{
    const char *shape = n->outs ? shape_text(d->c, &n->out[0]->shape) : "";

    text_add(d->out, "%*sn%d [label=\"%s%s%s\", %s];\n", d->indent, "",
             ++d->boxes, label, *shape ? "\\n" : "", shape, node_style(n));
    return d->boxes;
}

static void open_cluster(struct drawing *d, const char *label,
                         const char *color)
{
    text_add(d->out, "%*ssubgraph cluster_%d {\n", d->indent, "", ++d->boxes);
    d->indent += 4;
    text_add(d->out, "%*slabel=\"%s\"; bgcolor=%s;\n", d->indent, "", label,
             color);
}

static void close_cluster(struct drawing *d)
{
    d->indent -= 4;
    text_add(d->out, "%*s}\n", d->indent, "");
}

/* ---- lines ---- */

/* Through moves between layouts to what was moved. */
static const struct value *moved(const struct value *value)
{
    while (value->producer && is_hidden(value->producer))
        value = value->producer->in[0];
    return value;
}

static bool is_stream(const struct region *region, const struct value *value)
{
    return region->input_count && moved(value) == region->inputs[0];
}

/* A dense block appends to its input: the input takes the shortcut.  Else
 * what follows the first operand was brought here. */
static enum line concat_line(const struct region *region,
                             const struct node *n, int operand)
{
    for (int i = 0; i < n->ins; i++)
        if (is_stream(region, n->in[i]))
            return is_stream(region, n->in[operand]) ? LINE_SHORTCUT
                                                     : LINE_COLUMN;
    return operand ? LINE_CONCAT : LINE_COLUMN;
}

static bool begins(const struct node *n, const char *property)
{
    const struct piece *path = n->param[0] ? n->param[0]->path : NULL;

    return (path && strcmp(path->text, property) == 0)
        || (n->op == OP_POOL && strcmp(n->out[0]->name, property) == 0);
}

static enum line line_of(const struct region *region, const struct node *n,
                         int operand)
{
    if (n->op == OP_CONCAT)
        return concat_line(region, n, operand);
    if (begins(n, "shortcut"))
        return LINE_SHORTCUT;
    if (begins(n, "gate"))
        return LINE_GATE;
    if (n->op != OP_POINT || operand == 0)
        return LINE_COLUMN;
    const char *name = moved(n->in[operand])->name;
    return strcmp(name, "gate") == 0 ? LINE_GATE : LINE_SHORTCUT;
}

static void add_line(struct drawing *d, int from, int to, enum line line)
{
    if (!from)
        return;
    text_add(&d->edges, "    n%d -> n%d", from, to);
    if (line != LINE_COLUMN)
        text_add(&d->edges, " [color=%s, penwidth=2]", colors[line]);
    text_add(&d->edges, ";\n");
}

/* ---- nodes ---- */

static void draw_layer(struct drawing *d, const struct region *region,
                       const struct node *n)
{
    int box = add_box(d, n, layer_text(d->c, &d->repeats, n));

    for (int i = 0; i < n->ins; i++)
        add_line(d, d->origin[n->in[i]->id], box, line_of(region, n, i));
    for (int i = 0; i < n->outs; i++)
        d->origin[n->out[i]->id] = box;
}

/* What enters `body` comes from where the node's operands come from. */
static void enter(struct drawing *d, const struct node *n,
                  const struct region *body)
{
    for (int i = 0; i < n->ins && i < body->input_count; i++)
        d->origin[body->inputs[i]->id] = d->origin[n->in[i]->id];
}

static void leave(struct drawing *d, const struct node *n,
                  const struct region *body)
{
    for (int i = 0; i < n->outs && i < body->output_count; i++)
        d->origin[n->out[i]->id] = d->origin[body->outputs[i]->id];
}

static void draw_closed(struct drawing *d, const struct node *n,
                        const char *label)
{
    int box = add_box(d, n, label);

    for (int i = 0; i < n->ins; i++)
        add_line(d, d->origin[n->in[i]->id], box, LINE_COLUMN);
    d->origin[n->out[0]->id] = box;
}

static void draw_call(struct drawing *d, const struct node *n, int64_t times)
{
    const struct region *body = n->call.callee->body;
    const char *label = path_text(d->c, &d->repeats, n->call.path);
    struct repeats outer = d->repeats;

    if (times > 1)
        label = arena_format(d->c->arena, "%" PRId64 " x %s", times, label);
    if (d->boxes > LIMIT_OPEN) {
        draw_closed(d, n, label);
        return;
    }
    open_cluster(d, label, times > 1 ? "gray88" : "gray94");
    d->repeats.count = 0;
    enter(d, n, body);
    draw_list(d, body);
    leave(d, n, body);
    d->repeats = outer;
    close_cluster(d);
}

static void draw_loop(struct drawing *d, const struct node *n)
{
    const struct region *body = n->loop.body;
    const struct node *call = lone_call(&body->nodes);

    if (n->loop.draw) {
        enter(d, n, body);
        draw_list(d, body);
        leave(d, n, body);
        return;
    }
    bool group = n->loop.count == 1;    /* of its own, to be recomputed */

    if (!group)
        d->repeats.times[d->repeats.count++] = n->loop.count;
    enter(d, n, body);
    if (call) {
        d->origin[call->in[0]->id] = d->origin[moved(call->in[0])->id];
        draw_call(d, call, n->loop.count);
        d->origin[n->out[0]->id] = d->origin[call->out[0]->id];
    } else {
        open_cluster(d, group ? "recomputed"
                     : arena_format(d->c->arena, "%" PRId64 " x",
                                    n->loop.count), "gray88");
        draw_list(d, body);
        leave(d, n, body);
        close_cluster(d);
    }
    d->repeats.count -= !group;
}

static void draw_list(struct drawing *d, const struct region *region)
{
    for (const struct node *n = region->nodes.first; n; n = n->next) {
        if (is_hidden(n) || ends_pool(n))
            d->origin[n->out[0]->id] = d->origin[n->in[0]->id];
        else if (n->op == OP_CALL)
            draw_call(d, n, 1);
        else if (n->op == OP_LOOP)
            draw_loop(d, n);
        else
            draw_layer(d, region, n);
    }
}

/* Quotes and backslashes as Graphviz reads them. */
static const char *quoted(struct arena *arena, const char *text)
{
    struct text out = { 0 };

    text_put(&out, "", 0);
    for (; *text; text++)
        text_add(&out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    const char *kept = arena_text(arena, out.data, out.length);
    text_free(&out);
    return kept;
}

void dot(struct compilation *c, const struct options *options,
         struct text *out)
{
    struct drawing d = { .c = c, .out = out, .indent = 4 };
    const struct network *network = c->network;

    (void)options;
    d.origin = arena_alloc(c->arena, sizeof *d.origin
                           * (size_t)(network->next_value + 1));
    text_add(out, "digraph \"%s\" {\n    label=\"%s (%s), %" PRId64
             " parameters\"; labelloc=t;\n    fontname=\"sans-serif\";\n"
             "    node [shape=box, fontname=\"sans-serif\", fontsize=11];\n",
             network->name, network->name, quoted(c->arena, network->source),
             network->parameters);
    draw_list(&d, network->main->body);
    text_put(out, d.edges.data, d.edges.length);
    text_add(out, "}\n");
    text_free(&d.edges);
}
