/* blocks.c: expressions, blocks and their properties.  A block with a
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

static struct thing unknown(struct body *body, struct ast *ast)
{
    const char *near = near_name(body, ast->name);

    if (near)
        fail(body, ast->name_span, "unknown name '%s'; did you mean '%s'?",
             ast->name, near);
    else
        fail(body, ast->name_span, "unknown name '%s'", ast->name);
    return bad_thing;
}

/* ---- calls of blocks ---- */

struct binding { struct thing thing; struct ast *argument; };

static int parameter_index(struct body *body, struct ast *decl,
                           struct ast *argument, int position)
{
    const char *names[LIMIT_PARAMETERS];
    int count = 0;

    for (struct ast *p = decl->parameters; p && count < LIMIT_PARAMETERS;
         p = p->next) {
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

static bool bind_arguments(struct body *body, struct ast *decl,
                           struct ast *call, struct binding *binding)
{
    int position = 0;

    for (struct ast *a = call->list; a; a = a->next) {
        int i = parameter_index(body, decl, a, position);
        if (i < 0)
            return false;
        if (!a->name)
            position++;
        if (binding[i].argument) {
            fail(body, a->span, "this parameter of '%s' is given twice",
                 decl->name);
            return false;
        }
        binding[i].argument = a;
        struct number number;
        if (is_number(body, a->a)) {
            if (!number_of(body, a->a, &number))
                return false;
            binding[i].thing = number_thing(number);
        } else {
            binding[i].thing = (struct thing) { .ast = a->a, .env = body->env,
                .kind = is_unknown(body, a->a) ? THING_BAD : THING_CHAIN };
        }
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
        struct number number;
        if (!binding[i].argument && !p->a) {
            fail(body, call->span, "'%s' needs its parameter '%s'",
                 decl->name, p->name);
            fail_note(body, p->span, "'%s' is declared here, without a "
                      "default", p->name);
            return false;
        }
        if (!binding[i].argument && is_number(sub, p->a)) {
            if (!number_of(sub, p->a, &number))
                return body->bad = true, false;
            binding[i].thing = number_thing(number);
        } else if (!binding[i].argument) {
            binding[i].thing = (struct thing) { .ast = p->a, .env = sub->env,
                .kind = is_unknown(sub, p->a) ? THING_BAD : THING_CHAIN };
        }
        env_add(sub, p->name, binding[i].thing, p->span);
    }
    return true;
}

static bool has_shortcut(const struct ast *items)
{
    for (const struct ast *i = items; i; i = i->next)
        if (i->kind == AST_SHORTCUT
            || (i->kind == AST_IF
                && (has_shortcut(i->b ? i->b->list : NULL)
                    || (i->c && has_shortcut(i->c->kind == AST_IF ? i->c
                                             : i->c->list)))))
            return true;
    return false;
}

/* Text that two calls share when they are the same function; NULL when an
 * argument cannot be told apart by text: then the block becomes part of its
 * caller. */
static const char *function_key(struct body *body, struct ast *decl,
                                struct env *env, struct value *x)
{
    struct compilation *c = body->check->c;
    const char *key = arena_format(c->arena, "%p %d %d %d %.17g",
                                   (void *)decl, body->init.kind,
                                   body->init.fan_out, body->init.uniform,
                                   body->init.number);

    for (struct env *e = env; e; e = e->next) {
        const struct thing *t = &e->thing;
        if (t->kind == THING_NUMBER)
            key = arena_format(c->arena, "%s %s", key,
                               number_text(c, t->number));
        else if (t->kind == THING_CHAIN && t->ast->kind == AST_NAME
                 && !env_find(t->env, t->ast->name))
            key = arena_format(c->arena, "%s %s", key, t->ast->name);
        else
            return NULL;
    }
    key = arena_format(c->arena, "%s %s", key, shape_text(c, &x->shape));
    return intern_text(c->names, key);
}

static bool name_taken(struct network *network, const char *name)
{
    for (struct function *f = network->functions; f; f = f->next)
        if (strcmp(f->name, name) == 0)
            return true;
    return false;
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
    name = arena_format(c->arena, "%s%s", decl->name, name);
    const char *base = name;
    for (int i = 2; name_taken(c->network, name); i++)
        name = arena_format(c->arena, "%s_v%d", base, i);
    return name;
}

static struct function *function_find(struct network *network,
                                      const char *key)
{
    struct function *f = network->functions;
    while (f && f->key != key)
        f = f->next;
    return f;
}

static void add_function(struct network *network, struct function *function)
{
    if (network->last)
        network->last->next = function;
    else
        network->functions = function;
    network->last = function;
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
    function->failed = sub->bad || !sub->current;
    if (!function->failed) {
        add_output(c, sub->region, own_output(sub, sub->current));
    }
    function->name = function_name(c, decl, parameters);
    add_function(c->network, function);
    return function;
}

static struct value *call_function(struct body *body, struct body *sub,
                                   struct ast *decl, struct ast *call,
                                   struct value *x, const char *key)
{
    struct compilation *c = body->check->c;
    struct function *function = function_find(c->network, key);

    if (!function)
        function = instantiate(body, sub, decl, x, key);
    if (function->failed) {
        body->bad = true;
        return NULL;
    }
    function->uses++;
    x = as_layout(body, x, natural_layout(&x->shape));
    struct node *node = new_node(c, OP_CALL, call->span);
    node->call.callee = function;
    node->call.path = next_path(body, decl->name);
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
        struct body sub = { .check = body->check, .label = d->name };
        if (d->kind != AST_BLOCK)
            continue;
        for (struct ast *p = d->parameters; p; p = p->next)
            env_add(&sub, p->name, unknown_yet, p->span);
        read_blind(body, &sub, d);
    }
}

static struct value *call_block(struct body *body, struct ast *decl,
                                struct ast *call, struct value *x)
{
    struct check *check = body->check;
    struct binding binding[LIMIT_PARAMETERS];
    struct call_site site = { call->span, decl->name, check->site };
    struct body sub = { .check = check, .region = body->region,
                        .scope = body->scope, .init = body->init,
                        .label = decl->name, .depth = body->depth + 1,
                        .loops = body->loops };
    struct value *y = NULL;

    memset(binding, 0, sizeof binding);
    if (!bind_arguments(body, decl, call, binding)
        || !bind_parameters(body, &sub, decl, call, binding)
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
    const char *key = function_key(body, decl, sub.env, x);
    sub.in_unit = unit;
    check->site = &site;
    if (key && !x->integer && (unit || !body->in_unit))
        y = call_function(body, &sub, decl, call, x, key);
    else
        y = inline_block(body, &sub, decl, x);
    check->site = site.outer;
    return y;
}

/* ---- expressions ---- */

static struct value *need_value(struct body *body, struct thing thing,
                                struct ast *ast)
{
    if (thing.kind == THING_VALUE)
        return thing.value;
    if (thing.kind == THING_NUMBER)
        fail(body, ast->span, "a layer or a value is expected here, this is "
             "a number");
    return NULL;
}

struct value *eval_value(struct body *body, struct ast *ast, struct value *x)
{
    return need_value(body, eval(body, ast, x, false), ast);
}

static struct value *column_value(struct body *body, struct ast *ast,
                                  struct value *x, bool column)
{
    return need_value(body, eval(body, ast, x, column), ast);
}

static bool has_current(struct body *body, struct ast *ast, struct value *x)
{
    if (x || body->bad || (body->is_network && body->inputs == 0))
        return x != NULL;       /* no input at all: said at the end */
    fail(body, ast->span, "there is no current value here: with several "
         "inputs, name the one to start from");
    return false;
}

static struct thing eval_chain(struct body *body, const struct thing *chain,
                               struct value *x)
{
    struct env *own = body->env;

    body->env = chain->env;
    struct thing thing = eval(body, chain->ast, x, false);
    body->env = own;
    return thing;
}

static struct thing eval_name(struct body *body, struct ast *ast,
                              struct value *x, bool column)
{
    struct env *env = env_find(body->env, ast->name);
    const struct layer *layer;
    struct ast *decl;

    if (env && env->thing.kind == THING_CHAIN)
        return eval_chain(body, &env->thing, x);
    if (env)
        return env->thing;
    if ((layer = layer_find(ast->name)) != NULL) {
        if (!layer_starts(layer))
            has_current(body, ast, x);
        return value_thing(apply_layer(body, layer, ast, x, column));
    }
    if ((decl = decl_find(body->check, ast->name)) != NULL) {
        has_current(body, ast, x);
        return value_thing(call_block(body, decl, ast, x));
    }
    return unknown(body, ast);
}

static struct thing eval_call(struct body *body, struct ast *ast,
                              struct value *x, bool column)
{
    struct env *env = env_find(body->env, ast->name);

    if (!env)
        return eval_name(body, ast, x, column);
    if (env->thing.kind == THING_BAD)
        return body->bad = true, bad_thing;
    fail(body, ast->span, "'%s' is not a layer or block here", ast->name);
    if (layer_find(ast->name) || decl_find(body->check, ast->name))
        fail_note(body, env->span, "this name hides the one of the same name");
    return bad_thing;
}

static struct thing eval_flow(struct body *body, struct ast *ast,
                              struct value *x, bool column)
{
    for (struct ast *link = ast->list; link; link = link->next) {
        x = column_value(body, link, x, column);
        if (!x)
            body->bad = true;
    }
    return value_thing(x);
}

static struct thing eval_as(struct body *body, struct ast *ast,
                            struct value *x, bool column)
{
    if (ast->a->kind == AST_CALL || ast->a->kind == AST_NAME)
        body->as_name = ast->name;
    body->as_span = ast->name_span;
    struct value *y = column_value(body, ast->a, x, column);
    body->as_name = NULL;
    env_add(body, ast->name, value_thing(y), ast->name_span);
    return value_thing(y);
}

static const struct arithmetic { const char *step, *reverse, *name; } arithmetics[] = {
    [AST_ADD] = { "ADD", "ADD", "sum" },
    [AST_SUB] = { "SUB", "RSUB", "difference" },
    [AST_MUL] = { "MUL", "MUL", "product" },
    [AST_DIV] = { "DIV", "RDIV", "quotient" },
};

static struct thing eval_binary(struct body *body, struct ast *ast,
                                struct value *x)
{
    struct thing a = eval(body, ast->a, x, false);
    struct thing b = eval(body, ast->b, x, false);
    const struct arithmetic *row;

    if (a.kind == THING_BAD || b.kind == THING_BAD)
        return bad_thing;
    if (ast->op < AST_ADD || ast->op == AST_POW) {
        if (ast->op == AST_POW && b.kind == THING_NUMBER
            && b.number.is_integer && b.number.integer == 2)
            return value_thing(build_binary(body, "MUL", "MUL", a.value,
                                            a.value, "square", ast->span));
        fail(body, ast->span, "values know + - * / and ^ 2 only");
        return bad_thing;
    }
    if (ast->op == AST_DIV && b.kind == THING_NUMBER
        && number_real(b.number) == 0) {
        fail(body, ast->span, "division by zero");
        return bad_thing;
    }
    row = &arithmetics[ast->op];
    if (b.kind == THING_NUMBER)
        return value_thing(build_number(body, row->step, a.value,
                           number_real(b.number), row->name, ast->span));
    if (a.kind == THING_NUMBER)
        return value_thing(build_number(body, row->reverse, b.value,
                           number_real(a.number), row->name, ast->span));
    return value_thing(build_binary(body, row->step, row->reverse, a.value,
                                    b.value, row->name, ast->span));
}

static struct thing eval_negate(struct body *body, struct ast *ast,
                                struct value *x)
{
    struct value *y = eval_value(body, ast->a, x);

    return value_thing(y ? build_number(body, "MUL", y, -1, "negated",
                                        ast->span) : NULL);
}

static struct thing eval_group(struct body *body, struct ast *ast,
                               struct value *x)
{
    struct body sub = *body;

    sub.current = x;
    sub.before_weights = sub.after_weights = NULL;
    sub.batch_weights = false;
    run_body(&sub, ast->list);
    body->bad |= sub.bad;
    return value_thing(sub.bad ? NULL : sub.current);
}

static struct thing unsupported(struct body *body, struct ast *ast,
                                const char *what)
{
    fail(body, ast->span, "%s is not supported yet", what);
    return bad_thing;
}

static struct thing eval_kind(struct body *body, struct ast *ast,
                              struct value *x, bool column)
{
    struct number number;

    if (ast->kind == AST_BAD)
        return body->bad = true, bad_thing;
    if (is_number(body, ast))
        return number_of(body, ast, &number) ? number_thing(number)
                                             : bad_thing;
    switch (ast->kind) {
    case AST_NAME:
        return eval_name(body, ast, x, column);
    case AST_CALL:
        return eval_call(body, ast, x, column);
    case AST_FLOW:
        return eval_flow(body, ast, x, column);
    case AST_AS:
        return eval_as(body, ast, x, column);
    case AST_BINARY:
        return eval_binary(body, ast, x);
    case AST_NEGATE:
        return eval_negate(body, ast, x);
    case AST_CONDITION:
        if (!number_of(body, ast->a, &number))
            return bad_thing;
        return eval(body, number_real(number) != 0 ? ast->b : ast->c, x,
                    column);
    case AST_BODY:
        return eval_group(body, ast, x);
    case AST_REPEAT:
        has_current(body, ast, x);
        return value_thing(run_repeat(body, ast, x));
    case AST_STREAM:
        return unsupported(body, ast, "'stream'");
    case AST_FROZEN:
        return unsupported(body, ast, "'frozen'");
    case AST_CHECKPOINT:
        return unsupported(body, ast, "'checkpoint'");
    case AST_MEMBER:
        return unsupported(body, ast, "a member of a shared layer");
    default:
        fail(body, ast->span, "a layer, a block or a value is expected here");
        return bad_thing;
    }
}

/* Blocks that call themselves in parentheses multiply two limits: the product
 * has one of its own, for the machine's stack. */
enum { LIMIT_LEVEL = 4000 };

struct thing eval(struct body *body, struct ast *ast, struct value *x,
                  bool column)
{
    struct check *check = body->check;
    struct thing thing = bad_thing;

    if (check->level >= LIMIT_LEVEL) {
        fail(body, ast->span, "expressions and blocks are nested above the "
             "limit of %d levels", LIMIT_LEVEL);
        return thing;
    }
    check->level++;
    thing = eval_kind(body, ast, x, column);
    check->level--;
    return thing;
}
