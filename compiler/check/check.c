/* check.c: from the tree of all files to the network: imports, the network's
 * knobs, its inputs, outputs and targets.
 * Requires: trees parsed.  Gives: functions, callees first; every shape
 * known, every value used where its shape fits. */
#include "check.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

enum { LATER_BYTES = 16 << 10 };

/* ---- ports ---- */

static struct port *add_port(struct compilation *c, struct port **list,
                             const char *name, struct span span,
                             struct value *value)
{
    struct port *port = NEW(c->arena, struct port);

    while (*list)
        list = &(*list)->next;
    port->name = name;
    port->span = span;
    port->value = value;
    port->integer = value->integer;
    *list = port;
    return port;
}

static struct port *port_find(struct port *ports, const char *name)
{
    while (ports && ports->name != name)
        ports = ports->next;
    return ports;
}

static struct port *port_find_text(struct port *ports, const char *name)
{
    while (ports && strcmp(ports->name, name) != 0)
        ports = ports->next;
    return ports;
}

/* A value the caller passes: plain, as it lies in the caller's memory. */
static struct value *caller_value(struct body *body, const char *name,
                                  const struct shape *shape, bool integer,
                                  struct span span)
{
    struct value *value = new_value(body->check->c, body->region, FORM_ROWS,
                                    LAYOUT_PLAIN, shape, name, span);
    value->integer = integer;
    if (integer && shape->rank) {       /* one row an index */
        value->rows = shape_size(shape);
        value->features = 1;
    } else if (shape->rank == 0) {
        value->rows = value->features = 1;
    }
    return value;
}

static bool name_free(struct body *body, struct ast *item)
{
    struct network *network = body->check->c->network;
    struct port *port = port_find(network->inputs, item->name);

    if (!port)
        port = port_find(network->outputs, item->name);
    if (!port)
        return true;
    fail(body, item->name_span, "an input or output named '%s' exists already",
         item->name);
    fail_note(body, port->span, "the first is here");
    return false;
}

static bool read_dims(struct body *body, struct ast *item,
                      struct shape *shape)
{
    for (struct ast *d = item->list; d; d = d->next) {
        struct number number;
        if (shape->rank == LIMIT_RANK) {
            fail(body, d->span, "an input has at most %d axes", LIMIT_RANK);
            return false;
        }
        if (d->kind == AST_DOTS
            || (d->kind == AST_BINARY && d->op == AST_LE)) {
            fail(body, d->span, "an axis that varies is not supported yet: "
                 "give its size");
            return false;
        }
        if (!number_of(body, d, &number))
            return false;
        if (!number.is_integer || number.integer < 1
            || number.integer >= LIMIT_AXIS) {
            fail(body, d->span, "an axis must be an integer from 1 to 2^31 - "
                 "1, it is %s", number_text(body->check->c, number));
            return false;
        }
        shape->axis[shape->rank++] = number.integer;
    }
    if (shape_size(shape) > LIMIT_SIZE) {
        fail(body, item->span, "this input is above the limit of 2^40 "
             "scalars");
        return false;
    }
    return true;
}

bool is_graph(const struct ast *input)
{
    return input->type && strcmp(input->type, "graph") == 0;
}

static void graph_input(struct body *body, struct ast *item)
{
    struct network *network = body->check->c->network;
    struct shape none = { 0 };
    struct port *port;
    int index = 0;

    if (item->list)
        fail(body, item->list->span, "a graph has no axes: its nodes are the "
             "samples of the batch");
    for (port = network->inputs; port; port = port->next)
        index += port->graph;
    port = add_port(body->check->c, &network->inputs, item->name,
                    item->name_span, caller_value(body, item->name, &none, false, item->span));
    port->graph = true;
    port->index = index;
    env_add(body, item->name, (struct thing) { .kind = THING_GRAPH,
            .port = port }, item->name_span);
}

static void network_input(struct body *body, struct ast *item)
{
    struct shape shape = { 0 };
    bool integer = item->type != NULL;
    struct thing bad = { .kind = THING_BAD };

    if (integer && strcmp(item->type, "int") && !is_graph(item)) {
        fail(body, item->span, "an input is real, 'int' or 'graph': '%s' is "
             "unknown", item->type);
        env_add(body, item->name, bad, item->name_span);
        return;
    }
    if (!name_free(body, item))
        return;
    if (is_graph(item)) {
        graph_input(body, item);
        return;
    }
    if (!read_dims(body, item, &shape)) {
        env_add(body, item->name, bad, item->name_span);
        return;
    }
    struct value *value = caller_value(body, item->name, &shape, integer,
                                       item->span);
    add_port(body->check->c, &body->check->c->network->inputs, item->name,
             item->name_span, value);
    struct node *node = new_node(body->check->c, OP_INPUT, item->span);
    append_node(body->region, &body->region->nodes, node);
    node_out(node, value);
    env_add(body, item->name, value_thing(value), item->name_span);
    body->current = body->inputs == 1 ? value : NULL;
}

static void network_output(struct body *body, struct ast *item)
{
    struct compilation *c = body->check->c;
    struct value *value = body->current;

    if (item->a)
        value = eval_value(body, item->a, body->current);
    else if (!value && !body->bad && body->inputs)
        fail(body, item->span, "there is no current value here: write 'output "
             "%s = chain'", item->name);
    if (value && !need_real(body, value, item->span, "an output"))
        value = NULL;
    bool unique = name_free(body, item);
    env_add(body, item->name, value_thing(value), item->name_span);
    if (!value || !unique)
        return;
    value = as_layout(body, value, LAYOUT_PLAIN);
    struct node *node = new_node(c, OP_OUTPUT, item->span);
    node_in(node, value);
    append_node(body->region, &body->region->nodes, node);
    node->output = add_port(c, &c->network->outputs, item->name,
                            item->name_span, value);
}

static const char *target_text(struct compilation *c, bool integer,
                               const struct shape *shape)
{
    if (shape->rank == 0)
        return integer ? "one int a sample" : "one number a sample";
    return arena_format(c->arena, "%s%s", integer ? "int " : "real ",
                        shape_text(c, shape));
}

/* A loss's target: an input that exists, or a name nobody defined. */
struct port *target_port(struct body *body, struct ast *name,
                         const struct shape *shape, bool integer,
                         int64_t classes)
{
    struct compilation *c = body->check->c;
    struct env *env;
    struct port *port;

    if (name->kind != AST_NAME) {
        fail(body, name->span, "a target is the name of an input, or a "
             "new name");
        return NULL;
    }
    env = env_find(body->env, name->name);
    port = port_find(c->network->inputs, name->name);
    if (env && (!port || port->graph)) {
        fail(body, name->span, port ? "'%s' is a graph: a target is an array"
             : "'%s' is not an input: a target comes from the caller",
             name->name);
        return NULL;
    }
    if (!port && is_layer(name->name)) {
        fail(body, name->span, "'%s' is a layer: a target is the name of an "
             "input, or a new name", name->name);
        return NULL;
    }
    if (!port) {
        struct value *value = caller_value(body, name->name, shape, integer,
                                           name->span);
        value->classes = classes;
        port = add_port(c, &c->network->inputs, name->name, name->span,
                        value);
        port->target = true;
        env_add(body, name->name, value_thing(value), name->span);
    }
    if (port->integer != integer
        || !shape_equal(&port->value->shape, shape)) {
        fail(body, name->span, "the target '%s' is %s, the loss needs %s",
             name->name, target_text(c, port->integer, &port->value->shape),
             target_text(c, integer, shape));
        fail_note(body, port->value->span, "'%s' comes from here",
                  name->name);
        return NULL;
    }
    if (classes && (!port->value->classes || classes < port->value->classes))
        port->value->classes = classes;
    return port;
}

void network_item(struct body *body, struct ast *item)
{
    if (item->kind == AST_INPUT)
        network_input(body, item);
    else if (item->kind == AST_OUTPUT)
        network_output(body, item);
    else
        build_loss(body, item->a, 1);
}

/* ---- knobs ---- */

static void add_knob(struct compilation *c, const char *name,
                     struct number number)
{
    struct knob *knob = NEW(c->arena, struct knob), **end;

    *knob = (struct knob) { name, number.is_integer, number.integer,
                            number_real(number), NULL };
    for (end = &c->network->knobs; *end; end = &(*end)->next)
        ;
    *end = knob;
}

static const struct knob *setting_of(const struct knob *settings,
                                     const char *name)
{
    while (settings && strcmp(settings->name, name))
        settings = settings->next;
    return settings;
}

static const char *near_parameter(struct body *body, struct ast *decl,
                                  const char *name)
{
    const char *names[LIMIT_PARAMETERS], *near;
    size_t count = 0;

    for (struct ast *p = decl->parameters; p; p = p->next)
        names[count++] = p->name;
    near = diag_nearest(name, names, count);
    return near ? arena_format(body->check->c->arena, "; did you mean '%s'?",
                               near) : "";
}

static bool settings_known(struct body *body, struct ast *decl,
                           const struct knob *settings)
{
    for (; settings; settings = settings->next) {
        struct ast *p = decl->parameters;
        while (p && strcmp(p->name, settings->name))
            p = p->next;
        if (!p) {
            fail(body, decl->name_span, "-D %s: network '%s' has no such "
                 "parameter%s", settings->name, decl->name,
                 near_parameter(body, decl, settings->name));
            return false;
        }
    }
    return true;
}

static bool bind_knobs(struct body *body, struct ast *decl,
                       const struct knob *settings)
{
    for (struct ast *p = decl->parameters; p; p = p->next) {
        const struct knob *knob = setting_of(settings, p->name);
        struct number number;
        if (knob)
            number = knob->is_integer ? integer_number(knob->integer)
                                      : real_number(knob->number);
        else if (!p->a) {
            fail(body, p->span, "parameter '%s' has no default: set it with "
                 "-D %s=value", p->name, p->name);
            return false;
        } else if (!is_number(body, p->a)) {
            env_add(body, p->name, (struct thing) { .kind = THING_CHAIN,
                    .ast = p->a, .env = body->env }, p->span);
            continue;
        } else if (!number_of(body, p->a, &number)) {
            return false;
        }
        env_add(body, p->name, number_thing(number), p->span);
        add_knob(body->check->c, p->name, number);
    }
    return true;
}

/* ---- declarations ---- */

static void parameters_declared(struct check *check, struct ast *decl)
{
    int count = 0;

    for (struct ast *p = decl->parameters; p; p = p->next) {
        if (++count == LIMIT_PARAMETERS + 1)
            diag_error(check->c->diag, &p->span, "'%s' has more parameters "
                       "than the limit of %d", decl->name, LIMIT_PARAMETERS);
        for (struct ast *q = p->next; q; q = q->next)
            if (q->name == p->name) {
                diag_error(check->c->diag, &q->name_span,
                           "'%s' has two parameters '%s'", decl->name,
                           q->name);
                diag_note(check->c->diag, &p->name_span, "the first is here");
            }
    }
    if (decl->kind == AST_BLOCK && is_layer(decl->name))
        diag_error(check->c->diag, &decl->name_span, "'%s' is a layer: a "
                   "block needs another name", decl->name);
}

static bool declared_twice(struct check *check)
{
    bool twice = false;

    for (struct ast *d = check->decls; d; d = d->next)
        if (d->name)
            parameters_declared(check, d);

    for (struct ast *d = check->decls; d; d = d->next)
        for (struct ast *e = d->next; e && d->name; e = e->next)
            if (e->kind == d->kind && e->name == d->name) {
                diag_error(check->c->diag, &e->name_span,
                           "'%s' is declared twice", e->name);
                diag_note(check->c->diag, &d->name_span, "the first is here");
                twice = true;
            }
    return twice;
}

/* " (this file has 'one', 'two')" */
static const char *known_networks(struct check *check)
{
    const char *text = "";

    for (struct ast *d = check->decls; d; d = d->next)
        if (d->kind == AST_NETWORK)
            text = arena_format(check->c->arena, "%s%s'%s'", text,
                                *text ? ", " : "", d->name);
    return *text ? arena_format(check->c->arena, " (this file has %s)", text)
                 : "";
}

static struct ast *network_decl(struct check *check, const char *name)
{
    struct span main_file = { 0 };
    struct ast *found = NULL;
    int count = 0;

    for (struct ast *d = check->decls; d; d = d->next)
        if (d->kind == AST_NETWORK
            && (!name || strcmp(d->name, name) == 0)) {
            found = d;
            count++;
        }
    if (count == 0)
        diag_error(check->c->diag, name ? NULL : &main_file, name
                   ? "there is no network '%s'%s"
                   : "there is no network in this file; blocks alone emit "
                   "nothing", name, known_networks(check));
    else if (count > 1)
        diag_error(check->c->diag, &found->name_span, "there are several "
                   "networks%s: choose one with --network=NAME",
                   known_networks(check));
    return count == 1 ? found : NULL;
}

static bool has_output(const struct ast *items)
{
    for (const struct ast *i = items; i; i = i->next)
        if (i->kind == AST_OUTPUT
            || (i->kind == AST_IF && (has_output(i->b->list)
                                      || has_output(ast_otherwise(i))))
            || (i->kind == AST_LINE && i->a->kind == AST_BODY
                && has_output(i->a->list)))
            return true;
    return false;
}

static bool has_input(const struct network *network)
{
    const struct port *port = network->inputs;

    while (port && (port->graph || port->target))
        port = port->next;
    return port != NULL;
}

static bool complete(struct body *body, struct ast *decl)
{
    const struct network *network = body->check->c->network;

    if (!body->inputs && !has_input(network))
        fail(body, decl->name_span, "network '%s' has no input: declare one, "
             "as in 'input image [28, 28]'", decl->name);
    else if (!network->outputs && !has_output(decl->b->list))
        fail(body, decl->name_span, "network '%s' has no output: name one, as "
             "in 'output logits'", decl->name);
    return !body->check->failed;
}

/* ---- names in the emitted C ---- */

struct c_name { const char *name; struct span span; struct c_name *next; };

static void add_c_name(struct body *body, struct c_name **list,
                       const char *name, struct span span)
{
    struct c_name *n = *list;

    while (n && strcasecmp(n->name, name) != 0)
        n = n->next;
    if (n) {
        fail(body, span, "'%s', in capitals a macro of the emitted header, is "
             "one already: choose another name", name);
        if (n->span.end)
            fail_note(body, n->span, "the other comes from here");
        return;
    }
    n = NEW(body->check->c->arena, struct c_name);
    *n = (struct c_name) { name, span, *list };
    *list = n;
}

static void port_names(struct body *body, struct port *ports,
                       struct c_name **macros)
{
    for (struct port *p = ports; p; p = p->next)
        add_c_name(body, macros, arena_format(body->check->c->arena,
                   "%s_size", p->name), p->span);
}

static bool starts(const char *text, const char *start)
{
    return strncasecmp(text, start, strlen(start)) == 0;
}

/* Macros of C's headers that two names and a '_' may come to: limits of types,
 * and some families. */
static bool is_macro_of_c(const char *name)
{
    static const char *const starts_with[] = {
        "m_", "exit_", "seek_", "rand_", "path_", "name_", "float_", "double_",
        "flt_", "dbl_", "ldbl_", "char_", "schar_", "uchar_", "wchar_",
        "wint_", "shrt_", "ushrt_", "int_", "uint_", "long_", "ulong_",
        "llong_", "ullong_", "size_", "ssize_", "ptrdiff_", "sig_atomic_",
        "int8_", "int16_", "int32_", "int64_", "uint8_", "uint16_",
        "uint32_", "uint64_", "intptr_", "uintptr_", "intmax_", "uintmax_",
        "fp_", "math_", "huge_", "sig_", "lc_", "clocks_per_"
    };
    static const char *const ends[] = {
        "max", "min", "c", "width", "bit", "success", "failure", "set", "cur",
        "end", "dig", "mant_dig", "epsilon", "radix", "e", "pi", "pi_2", "pi_4",
        "1_pi", "2_pi", "2_sqrtpi", "sqrt2", "sqrt1_2", "ln2", "ln10",
        "log2e", "log10e", "nan", "infinite", "zero", "subnormal", "normal",
        "val", "errno", "errexcept", "err", "dfl", "ign", "all", "collate",
        "ctype", "time", "numeric", "monetary", "sec"
    };
    bool found = false;

    for (size_t i = 0; i < sizeof starts_with / sizeof *starts_with; i++)
        for (size_t k = 0; k < sizeof ends / sizeof *ends; k++)
            found |= starts(name, starts_with[i])
                  && strcasecmp(name + strlen(starts_with[i]), ends[k]) == 0;
    return found;
}

static void check_knob(struct body *body, const struct knob *k,
                       struct span span)
{
    struct compilation *c = body->check->c;
    const char *macro = arena_format(c->arena, "%s_%s", body->label, k->name);
    size_t length = strlen(k->name);

    if (is_macro_of_c(macro))
        fail(body, span, "'%s', in capitals a macro of the "
             "emitted header, is one of C's headers: choose another name",
             macro);
    else if (k->name[length - 1] == '_')
        fail(body, span, "'%s' would be a macro that ends "
             "in '_', as other names in the C do: choose another name",
             k->name);
}

/* The header's macros, which are in capitals. */
static void check_names(struct body *body)
{
    static const char *const own[] = { "h", "parameters", "param_floats",
        "grad_floats", "infer_bytes", "train_bytes" };
    struct network *network = body->check->c->network;
    struct c_name *macros = NULL;

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        add_c_name(body, &macros, own[i], (struct span) { 0 });
    port_names(body, network->inputs, &macros);
    port_names(body, network->outputs, &macros);
    for (struct knob *k = network->knobs; k; k = k->next)
        if (k->is_integer) {
            struct span span = env_find(body->env, k->name)->span;
            add_c_name(body, &macros, k->name, span);
            check_knob(body, k, span);
        }
    for (struct port *p = network->inputs; p; p = p->next) {
        const char *grad = arena_format(body->check->c->arena, "%s_grad",
                                        p->name);
        if (!p->target && !p->integer && !p->graph && (port_find_text(network->inputs, grad)
                || port_find_text(network->outputs, grad)))
            fail(body, p->span, "'%s', which receives the "
                 "gradient of input '%s', is another input or output: choose "
                 "another name", grad, p->name);
    }
}

/* ---- what is written out ---- */

static int64_t operations_of(const struct region *region)
{
    int64_t count = 0;

    for (const struct node *n = region->nodes.first; n; n = n->next)
        count += 1 + (n->op == OP_LOOP ? operations_of(n->loop.body) : 0);
    return count;
}

/* The passes after this one take some LATER_BYTES an operation that stands in
 * the C, those of a block or a loop counted once. */
static bool fits(struct body *body, struct ast *decl)
{
    const struct compilation *c = body->check->c;
    int64_t operations = operations_of(c->network->main->body);

    for (const struct function *f = c->network->functions; f; f = f->next)
        operations += operations_of(f->body);
    if (operations < (LIMIT_HEAP - (int64_t)c->arena->bytes) / LATER_BYTES)
        return true;
    fail(body, decl->name_span, "the network is above the limit of %d MiB of "
         "memory to compile it: it comes to %" PRId64 " different operations",
         LIMIT_HEAP >> 20, operations);
    return false;
}

struct network *check(struct compilation *c, struct ast *tree,
                      const char *network_name, const struct knob *settings)
{
    struct check check = { .c = c, .decls = tree->list };
    struct network *network = c->network = NEW(c->arena, struct network);
    struct function *main = network->main = NEW(c->arena, struct function);

    network->function_names.arena = network->function_keys.arena = c->arena;

    if (declared_twice(&check) || c->diag->errors)
        return NULL;
    struct ast *decl = network_decl(&check, network_name);
    if (!decl)
        return NULL;
    main->name = main->label = network->name = decl->name;
    main->decl = decl;
    main->body = new_region(c, main, NULL);
    struct body body = { .check = &check, .region = main->body,
                         .scope = NEW(c->arena, struct scope),
                         .label = decl->name, .is_network = true,
                         .init = { .gain = 1 } };
    if (!settings_known(&body, decl, settings)
        || !bind_knobs(&body, decl, settings))
        return NULL;
    body.inputs = count_inputs(&body, decl->b->list);
    run_body(&body, decl->b->list);
    read_unused(&body);
    check_names(&body);
    if (!complete(&body, decl) || c->diag->errors || !fits(&body, decl))
        return NULL;
    add_function(network, main);
    warn_pitfalls(&check);
    return network;
}
