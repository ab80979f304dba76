/* graph.c: building blocks of the network between checker and writer. */
#include "graph.h"

#include <inttypes.h>
#include <string.h>

static const struct op_row rows[] = {
#define ROW(op, name, formula, function, traits, arguments) \
    { name, formula, function, traits, arguments },
    KERNEL_ROWS(ROW)
#undef ROW
};

const struct op_row *op_row(enum op op) { return &rows[op]; }
const char *op_name(enum op op) { return rows[op].name; }

bool shape_equal(const struct shape *a, const struct shape *b)
{
    return a->rank == b->rank
        && memcmp(a->axis, b->axis, (size_t)a->rank * sizeof a->axis[0]) == 0;
}

int64_t shape_size(const struct shape *shape)
{
    int64_t size = 1;
    for (int i = 0; i < shape->rank; i++)
        if (!mul_size(size, shape->axis[i], &size))
            return INT64_MAX;
    return size;
}

const char *shape_text(struct compilation *c, const struct shape *shape)
{
    const char *text = "[";
    for (int i = 0; i < shape->rank; i++)
        text = arena_format(c->arena, "%s%s%" PRId64, text, i ? ", " : "",
                            shape->axis[i]);
    return arena_format(c->arena, "%s]", text);
}

/* Maps are channels last in memory, all else lies in strips. */
enum layout natural_layout(const struct shape *shape)
{
    return shape->rank == 3 ? LAYOUT_PLAIN : LAYOUT_STRIPS;
}

const struct region *loop_iteration(const struct node *loop, int64_t i)
{
    return loop->loop.iterations ? loop->loop.iterations[i] : loop->loop.body;
}

struct value *new_value(struct compilation *c, struct region *region,
                        enum form form, enum layout layout,
                        const struct shape *shape, const char *name,
                        struct span span)
{
    struct value *value = NEW(c->arena, struct value);

    value->id = c->network->next_value++;
    value->name = name;
    value->form = form;
    value->layout = layout;
    value->shape = *shape;
    value->features = shape->rank ? shape->axis[shape->rank - 1] : 1;
    value->rows = shape_size(shape) / value->features;
    value->region = region;
    value->span = span;
    return value;
}

struct node *new_node(struct compilation *c, enum op op, struct span span)
{
    struct node *node = NEW(c->arena, struct node);

    node->op = op;
    node->span = span;
    c->network->node_count++;
    return node;
}

void append_node(struct region *region, struct list *list, struct node *node)
{
    node->region = region;
    node->previous = list->last;
    node->next = NULL;
    if (list->last)
        list->last->next = node;
    else
        list->first = node;
    list->last = node;
}

void insert_node(struct region *region, struct list *list,
                 struct node *before, struct node *node)
{
    if (!before) {
        append_node(region, list, node);
        return;
    }
    node->region = region;
    node->next = before;
    node->previous = before->previous;
    if (before->previous)
        before->previous->next = node;
    else
        list->first = node;
    before->previous = node;
}

void remove_node(struct list *list, struct node *node)
{
    if (node->previous)
        node->previous->next = node->next;
    else
        list->first = node->next;
    if (node->next)
        node->next->previous = node->previous;
    else
        list->last = node->previous;
}

void node_in(struct node *node, struct value *value)
{
    node->in[node->ins++] = value;
}

struct value *node_out(struct node *node, struct value *value)
{
    node->out[node->outs++] = value;
    if (!value->producer)
        value->producer = node;
    return value;
}

struct region *new_region(struct compilation *c, struct function *function,
                          struct region *parent)
{
    struct region *region = NEW(c->arena, struct region);

    region->function = function;
    region->parent = parent;
    region->params_end = &region->params;
    return region;
}

/* ---- functions ---- */

struct function *function_of_key(struct network *network, const char *key)
{
    return name_mark(&network->function_keys, key)->of;
}

/* The mark of a base says how many versions are taken, from the first on. */
void name_function(struct compilation *c, struct function *function,
                   const char *base)
{
    struct names *names = &c->network->function_names;
    int version = name_mark(names, base)->number;
    const char *name = base;

    do
        name = ++version == 1 ? base
             : arena_format(c->arena, "%s_v%d", base, version);
    while (name_mark(names, name)->of);
    name_mark(names, name)->of = function;
    name_mark(names, base)->number = version;
    function->name = name;
    function->base = base;
    function->version = version;
}

static void free_name(struct names *names, const struct function *function)
{
    struct name_mark *base = name_mark(names, function->base);

    if (base->number >= function->version)
        base->number = function->version - 1;
    *name_mark(names, function->name) = (struct name_mark) { 0 };
}

void add_function(struct network *network, struct function *function)
{
    function->previous = network->last;
    if (network->last)
        network->last->next = function;
    else
        network->functions = function;
    network->last = function;
    if (function->key)
        name_mark(&network->function_keys, function->key)->of = function;
}

void remove_function(struct network *network, struct function *function)
{
    if (function->previous)
        function->previous->next = function->next;
    else
        network->functions = function->next;
    if (function->next)
        function->next->previous = function->previous;
    else
        network->last = function->previous;
    name_mark(&network->function_keys, function->key)->of = NULL;
    free_name(&network->function_names, function);
}

/* ---- regions ---- */

void add_input(struct compilation *c, struct region *region,
               struct value *value)
{
    GROW_IN(c->arena, region->inputs, region->input_size, region->input_count);
    region->inputs[region->input_count++] = value;
}

void add_output(struct compilation *c, struct region *region,
                struct value *value)
{
    GROW_IN(c->arena, region->outputs, region->output_size, region->output_count);
    region->outputs[region->output_count++] = value;
}

static int64_t round_up(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* rnet.h, enum rnet_pack */
static int64_t packed_floats(enum pack pack, int groups,
                             const struct shape *shape)
{
    const int64_t *axis = shape->axis;

    if (pack == PACK_PANELS)
        return round_up(axis[1], 32) * axis[0];
    if (pack == PACK_FLAT)
        return shape_size(shape);
    int64_t taps = shape_size(shape) / axis[0] / axis[1];
    if (axis[1] == 1 && axis[0] == groups && groups > 1)
        return taps * round_up(axis[0], 16);
    return groups * round_up(axis[0] / groups, 16) * axis[1] * taps;
}

struct param *new_param(struct compilation *c, struct region *region,
                        struct piece *path, const char *leaf, enum pack pack,
                        int groups, const struct shape *shape)
{
    struct param *param = NEW(c->arena, struct param);

    param->path = path;
    param->leaf = leaf;
    param->pack = pack;
    param->groups = groups;
    param->shape = *shape;
    param->size = shape_size(shape);
    param->floats = round_up(packed_floats(pack, groups, shape), 16);
    param->trainable = true;
    param->region = region;
    *region->params_end = param;
    region->params_end = &param->next;
    return param;
}

const char *piece_text(struct compilation *c, const struct piece *pieces)
{
    const char *text = "";

    for (const struct piece *p = pieces; p; p = p->next) {
        bool loops = false;
        for (int i = 0; i < LIMIT_NEST_REPEAT; i++)
            loops |= p->step[i] != 0;
        text = arena_format(c->arena, "%s%s%s", text, *text ? "." : "",
                            p->text);
        if (p->indexed && loops)
            text = arena_format(c->arena, "%s.#", text);
        else if (p->indexed)
            text = arena_format(c->arena, "%s.%" PRId64, text, p->first);
    }
    return text;
}

const char *param_text(struct compilation *c, const struct param *param)
{
    const char *path = piece_text(c, param->path);

    return arena_format(c->arena, "%s%s%s", path,
                        *path && *param->leaf ? "." : "", param->leaf);
}

const char *param_word(const struct param *param)
{
    const struct piece *last = param->path;

    while (last && last->next)
        last = last->next;
    return *param->leaf || !last ? param->leaf : last->text;
}

/* ---- dump ---- */

static void dump_value(FILE *out, const struct value *value)
{
    fprintf(out, "%%%d", value->id);
}

static void dump_shape(FILE *out, const struct value *value)
{
    fputs(" [", out);
    for (int i = 0; i < value->shape.rank; i++)
        fprintf(out, "%s%" PRId64, i ? ", " : "", value->shape.axis[i]);
    fprintf(out, "]%s", value->form == FORM_VECTOR ? " vector"
                        : value->form != FORM_ROWS ? " lines"
                        : value->layout == LAYOUT_STRIPS ? " strips" : "");
}

static void dump_list(FILE *out, const struct list *list, bool backward,
                      int indent);

static void dump_details(FILE *out, const struct node *node)
{
    const struct conv *v = &node->conv;

    if (node->op == OP_POINT || node->op == OP_REDUCE) {
        fprintf(out, " %s", node->point.step);
        if (node->point.varies)
            fprintf(out, " numbers[%" PRId64 "]", node->point.slot);
        else if (node->point.has_number || node->point.by == BY_CONST)
            fprintf(out, " %.9g", node->point.number);
    }
    if (op_row(node->op)->traits & CONVOLVES)
        fprintf(out, " %" PRId64 "x%" PRId64 " stride %" PRId64 " groups %"
                PRId64, v->kernel_height, v->kernel_width, v->stride_y,
                v->groups);
    if (node->op == OP_CALL || node->op == OP_CALL_GRAD)
        fprintf(out, " %s", node->call.callee->name);
    if (node->op == OP_LOOP || node->op == OP_LOOP_GRAD)
        fprintf(out, node->loop.draw ? " if kept" : " %" PRId64 " times",
                node->loop.count);
    for (int i = 0; i < NODE_PARAMS; i++)
        if (node->param[i])
            fprintf(out, " %s%s%s", node->param[i]->path
                    ? node->param[i]->path->text : "",
                    *node->param[i]->leaf ? "." : "", node->param[i]->leaf);
}

static void dump_node(FILE *out, const struct node *node, bool backward,
                      int indent)
{
    fprintf(out, "%*s", indent, "");
    for (int i = 0; i < node->outs; i++) {
        fputs(i ? ", " : "", out);
        dump_value(out, node->out[i]);
    }
    fprintf(out, "%s%s", node->outs ? " = " : "", op_name(node->op));
    dump_details(out, node);
    for (int i = 0; i < node->ins; i++) {
        fputs(i ? ", " : " (", out);
        dump_value(out, node->in[i]);
    }
    fputs(node->ins ? ")" : "", out);
    if (node->outs)
        dump_shape(out, node->out[0]);
    fputc('\n', out);
    if (node->op == OP_LOOP)
        dump_list(out, &node->loop.body->nodes, backward, indent + 4);
    if (node->op == OP_LOOP_GRAD)
        dump_list(out, &node->loop.body->backward, backward, indent + 4);
}

static void dump_list(FILE *out, const struct list *list, bool backward,
                      int indent)
{
    for (const struct node *node = list->first; node; node = node->next)
        dump_node(out, node, backward, indent);
}

static void dump_values(FILE *out, const char *word,
                        struct value *const *values, int count)
{
    fprintf(out, " %s", word);
    for (int i = 0; i < count; i++) {
        fputc(' ', out);
        if (values[i])
            dump_value(out, values[i]);
        else
            fputc('-', out);
    }
}

void graph_dump(FILE *out, const struct network *network, bool backward)
{
    for (const struct function *f = network->functions; f; f = f->next) {
        const struct region *body = f->body;
        fprintf(out, "function %s", f->name);
        dump_values(out, "from", body->inputs, body->input_count);
        dump_values(out, "to", body->outputs, body->output_count);
        fputc('\n', out);
        dump_list(out, &body->nodes, backward, 4);
        if (!backward || !body->backward.first)
            continue;
        fprintf(out, "backward %s", f->name);
        dump_values(out, "from", body->seeds, body->output_count);
        dump_values(out, "to", body->grads, body->input_count);
        fputc('\n', out);
        dump_list(out, &body->backward, backward, 4);
    }
}
