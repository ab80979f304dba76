/* blocks.c: calls of blocks.  A block with a
 * shortcut is a function; one without is a function too where it is called
 * from a sequence, and part of the block that calls it elsewhere. */
#include "check.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static const struct thing bad_thing = { .kind = THING_BAD };

struct ast *decl_find(struct check *check, const char *name)
{
    for (struct ast *d = check->decls; d; d = d->next)
        if (d->kind == AST_BLOCK && d->name == name)
            return d;
    return NULL;
}

/* ---- names ---- */

const char *near_name(struct body *body, const char *name)
{
    size_t count, n = 0, size = 0;
    const char *const *layers = layer_names(body->check->c, &count);
    const char **all = NULL;

    for (size_t i = 0; i < count; i++) {
        GROW(all, size, n);
        all[n++] = layers[i];
    }
    for (struct env *e = body->env; e; e = e->next) {
        GROW(all, size, n);
        all[n++] = e->name;
    }
    for (struct ast *d = body->check->decls; d; d = d->next)
        if (d->kind == AST_BLOCK) {
            GROW(all, size, n);
            all[n++] = d->name;
        }
    const char *near = diag_nearest(name, all, n);
    free(all);
    return near;
}

void unknown_name(struct body *body, struct ast *ast)
{
    const char *near = near_name(body, ast->name);

    if (near)
        fail(body, ast->name_span, "unknown name '%s'; did you mean '%s'?",
             ast->name, near);
    else
        fail(body, ast->name_span, "unknown name '%s'", ast->name);
}

/* ---- calls of blocks ---- */

struct binding { struct thing thing; struct ast *argument; };

static int parameter_index(struct body *body, struct ast *decl,
                           struct ast *argument, int position)
{
    const char *names[LIMIT_PARAMETERS];
    int count = 0;

    for (struct ast *p = decl->parameters; p; p = p->next) {
        if (argument->name ? p->name == argument->name : count == position)
            return count;
        names[count++] = p->name;
    }
    if (!argument->name) {
        fail(body, argument->span, "too many arguments: '%s' takes %d",
             decl->name, count);
        fail_note(body, decl->name_span, "'%s' is declared here", decl->name);
        return -1;
    }
    const char *near = diag_nearest(argument->name, names, (size_t)count);
    if (near)
        fail(body, argument->name_span, "'%s' has no parameter '%s'; did you "
             "mean '%s'?", decl->name, argument->name, near);
    else
        fail(body, argument->name_span, "'%s' has no parameter '%s'",
             decl->name, argument->name);
    fail_note(body, decl->name_span, "'%s' is declared here", decl->name);
    return -1;
}

/* ---- chains as arguments ---- */

static struct ast *closed(struct body *body, struct ast *ast);

static struct ast *closed_list(struct body *body, const struct ast *ast)
{
    struct ast *copy = ast_copy(body->check->c->arena, ast);
    struct ast **end = &copy->list;

    for (struct ast *i = ast->list; i; i = i->next) {
        if (!(*end = closed(body, i)))
            return NULL;
        end = &(*end)->next;
    }
    *end = NULL;
    return copy;
}

static struct ast *closed_number(struct body *body, const struct ast *ast,
                                 struct number number)
{
    struct ast *literal = NEW(body->check->c->arena, struct ast);

    *literal = (struct ast) {
        .kind = AST_NUMBER, .span = ast->span, .is_integer = number.is_integer,
        .integer = number.integer, .number = number_real(number),
        .text = number_text(body->check->c, number) };
    return literal;
}

/* A chain that needs no names from around it. */
static bool is_closed(const struct thing *thing)
{
    return thing->kind == THING_CHAIN && !thing->env;
}

/* Whether a parameter may be called: a block, perhaps with some of its
 * arguments, or a layer without any. */
bool is_callable(const struct thing *thing)
{
    const struct ast *ast = thing->ast;

    return is_closed(thing)
        && (ast->kind == AST_NAME || ast->kind == AST_CALL)
        && !(is_layer(ast->name) && ast->list);
}

/* unit(curve = tanh), where `unit` stands for basic(stride = 2): basic(stride
 * = 2, curve = tanh). */
static struct ast *joined(struct body *body, const struct ast *given,
                          struct ast *call)
{
    struct arena *arena = body->check->c->arena;
    struct ast *join = ast_copy(arena, given), **end = &join->list;

    if (!call)
        return NULL;
    join->kind = AST_CALL;
    join->span = call->span;
    for (const struct ast *i = given->list; i; i = i->next) {
        *end = ast_copy(arena, i);
        end = &(*end)->next;
    }
    *end = call->list;
    return join;
}

/* A copy of a layer, a block, a property's word or a chain of them that means
 * the same without the names around it; NULL when it needs these. */
static struct ast *closed(struct body *body, struct ast *ast)
{
    struct number number;
    struct env *env;
    struct ast *a;

    if (is_number(body, ast))
        return number_of(body, ast, &number)
            ? closed_number(body, ast, number) : NULL;
    switch (ast->kind) {
    case AST_NAME:
    case AST_CALL:
        env = env_find(body->env, ast->name);
        if (!env)
            return closed_list(body, ast);
        if (ast->kind == AST_NAME && is_closed(&env->thing))
            return ast_copy(body->check->c->arena, env->thing.ast);
        return is_callable(&env->thing)
            ? joined(body, env->thing.ast, closed_list(body, ast)) : NULL;
    case AST_ARGUMENT:
        if ((a = closed(body, ast->a)) == NULL)
            return NULL;
        ast = ast_copy(body->check->c->arena, ast);
        ast->a = a;
        return ast;
    case AST_LIST:
    case AST_FLOW:
        return closed_list(body, ast);
    default:
        return NULL;
    }
}

/* What an argument or a default stands for; false after an error. */
static bool argument_thing(struct body *body, struct ast *ast,
                           struct thing *thing)
{
    struct number number;
    struct ast *alone;
    const struct env *env = ast->kind == AST_NAME
        ? env_find(body->env, ast->name) : NULL;

    if (env && env->thing.kind == THING_GRAPH) {
        *thing = env->thing;
    } else if (is_number(body, ast)) {
        if (!number_of(body, ast, &number))
            return false;
        *thing = number_thing(number);
    } else if (is_unknown(body, ast)) {
        *thing = bad_thing;
    } else if ((alone = closed(body, ast)) != NULL) {
        *thing = (struct thing) { .kind = THING_CHAIN, .ast = alone };
    } else {
        *thing = (struct thing) { .kind = THING_CHAIN, .ast = ast,
                                  .env = body->env };
    }
    return true;
}

/* `position`: of the next argument without a name. */
static bool bind_arguments(struct body *body, struct ast *decl,
                           struct ast *list, struct binding *binding,
                           int *position)
{
    for (struct ast *a = list; a; a = a->next) {
        int i = parameter_index(body, decl, a, *position);
        if (i < 0)
            return false;
        *position += !a->name;
        if (binding[i].argument) {
            fail(body, a->span, "this parameter of '%s' is given twice",
                 decl->name);
            return false;
        }
        binding[i].argument = a;
        if (!argument_thing(body, a->a, &binding[i].thing))
            return false;
    }
    return true;
}

/* Into `sub`, whose names are the block's alone. */
static bool bind_parameters(struct body *body, struct body *sub,
                            struct ast *decl, struct ast *call,
                            struct binding *binding)
{
    int i = 0;

    for (struct ast *p = decl->parameters; p; p = p->next, i++) {
        if (!binding[i].argument && !p->a) {
            fail(body, call->span, "'%s' needs its parameter '%s'",
                 decl->name, p->name);
            fail_note(body, p->span, "'%s' is declared here, without a "
                      "default", p->name);
            return false;
        }
        if (!binding[i].argument
            && !argument_thing(sub, p->a, &binding[i].thing))
            return body->bad = true, false;
        env_add(sub, p->name, binding[i].thing, p->span);
    }
    return true;
}

bool has_shortcut(const struct ast *items)
{
    for (const struct ast *i = items; i; i = i->next)
        if (i->kind == AST_SHORTCUT
            || (i->kind == AST_IF && (has_shortcut(i->b->list)
                                      || has_shortcut(ast_otherwise(i)))))
            return true;
    return false;
}

enum { LIMIT_KEY = 4000 };      /* bytes of a chain's key */

/* What two chains without names from around them share when they are equal;
 * cut where it gets too long. */
static void add_chain_key(struct text *key, const struct ast *ast)
{
    text_add(key, "%s", ast->kind == AST_NUMBER ? ast->text
                      : ast->name ? ast->name : "");
    if (ast->kind == AST_ARGUMENT) {
        text_put(key, "=", 1);
        add_chain_key(key, ast->a);
    }
    if (ast->list)
        text_put(key, ast->kind == AST_FLOW ? ">" : "(", 1);
    for (const struct ast *i = ast->list; i && key->length < LIMIT_KEY;
         i = i->next) {
        add_chain_key(key, i);
        text_put(key, i->next ? "," : ")", 1);
    }
}

/* Text that two calls share when they are the same function; NULL when an
 * argument cannot be told apart by text: then the block becomes part of its
 * caller. */
static const char *function_key(struct body *body, struct ast *decl,
                                struct env *env, struct value *x)
{
    struct compilation *c = body->check->c;
    struct text key = { 0 };
    bool told = true;

    text_add(&key, "%p %d %d %d %.17g %.17g %s", (void *)decl,
             body->init.kind, body->init.fan_out, body->init.uniform,
             body->init.number, body->init.gain, shape_text(c, &x->shape));
    if (body->stream)
        text_add(&key, " stream");
    for (struct env *e = env; e && told; e = e->next) {
        const struct thing *t = &e->thing;
        text_put(&key, " ", 1);
        told = t->kind == THING_NUMBER || t->kind == THING_GRAPH
            || is_closed(t);
        if (t->kind == THING_NUMBER)
            text_add(&key, "%s", number_text(c, t->number));
        else if (t->kind == THING_GRAPH)
            text_add(&key, "graph %s", t->port->name);
        else if (told)
            add_chain_key(&key, t->ast);
        told &= key.length < LIMIT_KEY;
    }
    const char *kept = told ? intern(c->names, key.data, key.length) : NULL;
    text_free(&key);
    return kept;
}

/* "basic_32_2" of basic(32, stride = 2). */
static const char *function_name(struct compilation *c, struct ast *decl,
                                 struct env *env)
{
    const char *name = "";

    for (struct env *e = env; e; e = e->next)
        if (e->thing.kind == THING_NUMBER && e->thing.number.is_integer
            && e->thing.number.integer >= 0)
            name = arena_format(c->arena, "_%" PRId64 "%s",
                                e->thing.number.integer, name);
    return arena_format(c->arena, "%s%s", decl->name, name);
}

static struct function *instantiate(struct body *body, struct body *sub,
                                    struct ast *decl, struct value *x,
                                    const char *key)
{
    struct compilation *c = body->check->c;
    struct function *function = NEW(c->arena, struct function);
    struct env *parameters = sub->env;

    function->label = decl->name;
    function->decl = decl;
    function->key = key;
    sub->region = function->body = new_region(c, function, NULL);
    sub->scope = NEW(c->arena, struct scope);
    sub->loops = 0;
    struct value *in = new_value(c, sub->region, FORM_ROWS,
                                 natural_layout(&x->shape), &x->shape, "x",
                                 decl->span);
    in->integer = x->integer;
    in->span = x->span;
    add_input(c, sub->region, in);
    sub->current = in;
    run_body(sub, decl->b->list);
    function->failed = sub->bad;
    if (!sub->bad)
        add_output(c, sub->region, own_output(sub, sub->current));
    name_function(c, function, function_name(c, decl, parameters));
    add_function(c->network, function);
    return function;
}

static struct value *call_function(struct body *body, struct body *sub,
                                   struct ast *decl, struct ast *call,
                                   struct value *x, const char *key)
{
    struct compilation *c = body->check->c;
    struct function *function = function_of_key(c->network, key);

    if (!function)
        function = instantiate(body, sub, decl, x, key);
    if (function->failed) {
        body->bad = true;
        return NULL;
    }
    function->uses++;
    x = as_layout(body, together(body, x), natural_layout(&x->shape));
    struct node *node = new_node(c, OP_CALL, call->span);
    node->call.callee = node->call.instance = function;
    node->call.path = next_path(body, decl->name);
    if (body->making) {
        node->call.weights = weights_of(body, function);
        node->call.path = node->call.weights->path;
    }
    node_in(node, x);
    append_node(body->region, &body->region->nodes, node);
    const struct value *out = function->body->outputs[0];
    return node_out(node, new_value(c, body->region, FORM_ROWS, out->layout,
                                    &out->shape, decl->name, call->span));
}

static struct value *inline_block(struct body *body, struct body *sub,
                                  struct ast *decl, struct value *x)
{
    sub->scope = NEW(body->check->c->arena, struct scope);
    sub->scope->prefix = next_path(body, decl->name);
    sub->scope->loops = body->loops;
    sub->in_unit = body->in_unit;
    sub->current = localize(body, x);
    run_body(sub, decl->b->list);
    body->bad |= sub->bad;
    return sub->bad ? NULL : sub->current;
}

static bool too_deep(struct body *body, struct ast *decl, struct span span)
{
    if (body->depth < LIMIT_RECURSION)
        return false;
    fail(body, span, "'%s' is called within itself above the limit of %d",
         decl->name, LIMIT_RECURSION);
    return true;
}

/* Whether a block is read for its names for the first time. */
static bool first_reading(struct check *check, struct ast *decl)
{
    for (struct read_decl *r = check->read; r; r = r->next)
        if (r->decl == decl)
            return false;
    struct read_decl *r = NEW(check->c->arena, struct read_decl);
    *r = (struct read_decl) { decl, check->read };
    check->read = r;
    return true;
}

/* Without a value, a block is read for its names alone, once: after an error
 * before it, or because nobody calls it.  Nothing it makes is kept. */
static void read_blind(struct body *body, struct body *sub, struct ast *decl)
{
    struct compilation *c = body->check->c;

    if (!first_reading(body->check, decl))
        return;
    sub->region = new_region(c, c->network->main, NULL);
    sub->scope = NEW(c->arena, struct scope);
    sub->current = NULL;
    sub->bad = sub->blind = true;
    sub->loops = 0;
    run_body(sub, decl->b->list);
}

void read_unused(struct body *body)
{
    static const struct thing unknown_yet = { .kind = THING_BAD };

    for (struct ast *d = body->check->decls; d; d = d->next) {
        struct body sub = { .check = body->check, .label = d->name,
                            .init = body->init };
        if (d->kind != AST_BLOCK)
            continue;
        for (struct ast *p = d->parameters; p; p = p->next)
            env_add(&sub, p->name, unknown_yet, p->span);
        read_blind(body, &sub, d);
    }
}

/* The arguments given with the block's name as an argument, then the call's. */
static bool bind(struct body *body, struct body *sub, struct ast *decl,
                 struct ast *given, struct ast *call)
{
    struct binding binding[LIMIT_PARAMETERS];
    struct env *names = body->env;
    int position = 0;

    memset(binding, 0, sizeof binding);
    body->env = NULL;
    bool good = !given || bind_arguments(body, decl, given->list, binding,
                                         &position);
    body->env = names;
    return good
        && bind_arguments(body, decl, call->list, binding, &position)
        && bind_parameters(body, sub, decl, call, binding);
}

/* In a stream the block reads and writes it in place of its shortcut. */
struct value *call_block(struct body *body, struct ast *decl,
                         struct ast *given, struct ast *call,
                         struct value *x)
{
    struct check *check = body->check;
    struct call_site site = { body->making && x ? body->making->use
                              : call->span, decl->name, check->site };
    struct body sub = { .check = check, .region = body->region,
                        .scope = body->scope, .init = body->init,
                        .label = decl->name, .depth = body->depth + 1,
                        .loops = body->loops };
    struct value *y = NULL;

    if (!bind(body, &sub, decl, given, call)
        || (x && too_deep(body, decl, call->span)))
        return NULL;
    if (!x) {
        check->site = &site;
        read_blind(body, &sub, decl);
        check->site = site.outer;
        return NULL;
    }
    first_reading(check, decl);
    bool unit = has_shortcut(decl->b->list);
    if (body->stream && !unit)
        return needs_shortcut(body, call->span), NULL;
    if (body->stream)
        x = stream_read(body, x, call->span);
    if (!x)
        return NULL;
    sub.of_stream = body->stream ? call : NULL;
    const char *key = function_key(body, decl, sub.env, x);
    sub.in_unit = unit;
    check->site = &site;
    if (body->making && (!key || x->integer))
        fail(body, call->span, "a shared block takes a value of real numbers, "
             "and as arguments numbers and names of layers or blocks");
    else if (key && !x->integer && (unit || !body->in_unit || body->making))
        y = call_function(body, &sub, decl, call, x, key);
    else
        y = inline_block(body, &sub, decl, x);
    check->site = site.outer;
    return body->stream && y ? stream_write(body, y, call->span) : y;
}
