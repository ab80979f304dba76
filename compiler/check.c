/* check.c: from the tree of all files to the network: imports, the network's
 * knobs, its inputs, outputs and targets.
 * Requires: trees parsed.  Gives: functions, callees first; every shape
 * known, every value used where its shape fits. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

/* ---- ports ---- */

static struct port *add_port(struct compilation *c, struct port **list,
                             const char *name, struct value *value)
{
    struct port *port = NEW(c->arena, struct port);

    while (*list)
        list = &(*list)->next;
    port->name = name;
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

    if (!port_find(network->inputs, item->name)
        && !port_find(network->outputs, item->name))
        return true;
    fail(body, item->name_span, "an input or output named '%s' exists already",
         item->name);
    return false;
}

static bool read_dims(struct body *body, struct ast *item,
                      struct shape *shape)
{
    for (struct ast *d = item->list; d; d = d->next) {
        struct number number;
        if (shape->rank == LIMIT_RANK) {
            fail(body, d->span, "more than %d axes", LIMIT_RANK);
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
            fail(body, d->span, "an axis must be an integer from 1 to 2^31, "
                 "it is %s", number_text(body->check->c, number));
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

static void network_input(struct body *body, struct ast *item)
{
    struct shape shape = { 0 };
    bool integer = item->type != NULL;

    if (integer && strcmp(item->type, "int")) {
        fail(body, item->span, "an input is real, or 'int': '%s' is unknown",
             item->type);
        return;
    }
    if (!name_free(body, item))
        return;
    if (!read_dims(body, item, &shape)) {
        env_add(body, item->name, (struct thing) { .kind = THING_BAD },
                item->name_span);
        return;
    }
    struct value *value = caller_value(body, item->name, &shape, integer,
                                       item->span);
    add_port(body->check->c, &body->check->c->network->inputs, item->name,
             value);
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
    else if (!value && !body->bad)
        fail(body, item->span, "there is no current value to output here");
    env_add(body, item->name, value_thing(value), item->name_span);
    if (!value || !name_free(body, item))
        return;
    value = as_layout(body, value, LAYOUT_PLAIN);
    struct node *node = new_node(c, OP_OUTPUT, item->span);
    node_in(node, value);
    append_node(body->region, &body->region->nodes, node);
    node->output = add_port(c, &c->network->outputs, item->name, value);
}

/* A loss's target: an input that exists, or a name nobody defined. */
struct value *target_port(struct body *body, struct ast *name,
                          const struct shape *shape, bool integer,
                          int64_t classes)
{
    struct compilation *c = body->check->c;
    struct env *env;
    struct port *port;

    if (name->kind != AST_NAME) {
        fail(body, name->span, "a target is the name of an input");
        return NULL;
    }
    env = env_find(body->env, name->name);
    port = port_find(c->network->inputs, name->name);
    if (env && !port) {
        fail(body, name->span, "'%s' is not an input: a target comes from the "
             "caller", name->name);
        return NULL;
    }
    if (!port) {
        struct value *value = caller_value(body, name->name, shape, integer,
                                           name->span);
        value->classes = classes;
        port = add_port(c, &c->network->inputs, name->name, value);
        port->target = true;
        env_add(body, name->name, value_thing(value), name->span);
    }
    if (port->integer != integer
        || !shape_equal(&port->value->shape, shape)) {
        fail(body, name->span, "the target '%s' is %s%s, the loss needs %s%s",
             name->name, port->integer ? "int " : "",
             shape_text(c, &port->value->shape), integer ? "int " : "",
             shape_text(c, shape));
        return NULL;
    }
    if (classes && (!port->value->classes || classes < port->value->classes))
        port->value->classes = classes;
    return port->value;
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

static bool settings_known(struct body *body, struct ast *decl,
                           const struct knob *settings)
{
    for (; settings; settings = settings->next) {
        struct ast *p = decl->parameters;
        while (p && strcmp(p->name, settings->name))
            p = p->next;
        if (!p) {
            fail(body, decl->name_span, "-D %s: network '%s' has no such "
                 "parameter", settings->name, decl->name);
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

static bool declared_twice(struct check *check)
{
    bool twice = false;

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

static struct ast *network_decl(struct check *check, const char *name)
{
    struct ast *found = NULL;
    int count = 0;

    for (struct ast *d = check->decls; d; d = d->next)
        if (d->kind == AST_NETWORK
            && (!name || strcmp(d->name, name) == 0)) {
            found = d;
            count++;
        }
    if (count == 0)
        diag_error(check->c->diag, NULL, name ? "there is no network '%s'"
                   : "there is no network in this file; blocks alone emit "
                   "nothing", name);
    else if (count > 1)
        diag_error(check->c->diag, &found->name_span, "there are several "
                   "networks: choose one with --network=NAME");
    return count == 1 ? found : NULL;
}

static int count_inputs(const struct ast *items)
{
    int count = 0;
    for (; items; items = items->next)
        count += items->kind == AST_INPUT;
    return count;
}

static bool complete(struct body *body, struct ast *decl)
{
    const struct network *network = body->check->c->network;

    if (!network->inputs)
        fail(body, decl->name_span, "network '%s' has no input: declare one, "
             "as in 'input image [28, 28]'", decl->name);
    else if (!network->outputs)
        fail(body, decl->name_span, "network '%s' has no output: name one, as "
             "in 'output logits'", decl->name);
    return !body->check->failed;
}

struct network *check(struct compilation *c, struct ast *tree,
                      const char *network_name, const struct knob *settings)
{
    struct check check = { .c = c, .decls = tree->list };
    struct network *network = c->network = NEW(c->arena, struct network);
    struct function *main = network->main = NEW(c->arena, struct function);

    struct ast *decl = network_decl(&check, network_name);
    if (declared_twice(&check) || !decl)
        return NULL;
    main->name = main->label = network->name = decl->name;
    main->decl = decl;
    main->body = new_region(c, main, NULL);
    struct body body = { .check = &check, .region = main->body,
                         .scope = NEW(c->arena, struct scope),
                         .label = decl->name, .is_network = true };
    body.inputs = count_inputs(decl->b->list);
    if (!settings_known(&body, decl, settings)
        || !bind_knobs(&body, decl, settings))
        return NULL;
    run_body(&body, decl->b->list);
    if (!complete(&body, decl) || c->diag->errors)
        return NULL;
    if (network->last)
        network->last->next = main;
    else
        network->functions = main;
    network->last = main;
    return network;
}
