/* expressions.c: what a chain, a name, an operator or a group gives. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

static const struct thing bad_thing = { .kind = THING_BAD };

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

/* A layer or block by its own name; `given`: the arguments that came with it
 * when it was one. */
static struct thing apply_word(struct body *body, struct ast *given,
                               struct ast *call, struct value *x, bool column)
{
    const struct layer *layer = layer_find(call->name);
    struct ast *decl = decl_find(body->check, call->name);

    if (!layer && !decl)
        return unknown_name(body, given ? given : call), bad_thing;
    if (layer && body->stream && x) {
        stream_misplaced(body, call->span);
        return bad_thing;
    }
    if (!layer || !layer_starts(layer))
        has_current(body, call, x);
    return value_thing(layer ? apply_layer(body, layer, call, x, column)
                             : call_block(body, decl, given, call, x));
}

static struct thing use_shared(struct body *body, struct shared *shared,
                               struct ast *ast, struct value *x, bool column)
{
    if (ast->kind != AST_CALL && !shared_starts(shared))
        has_current(body, ast, x);      /* but f(x) need not follow one */
    return value_thing(apply_shared(body, shared, ast, x, column));
}

static struct thing eval_name(struct body *body, struct ast *ast,
                              struct value *x, bool column)
{
    struct env *env = env_find(body->env, ast->name);

    if (env && env->thing.kind == THING_CHAIN)
        return eval_chain(body, &env->thing, x);
    if (env && env->thing.kind == THING_SHARED)
        return use_shared(body, env->thing.shared, ast, x, column);
    if (env && env->thing.kind == THING_GRAPH) {
        fail(body, ast->span, "'%s' is a graph, no value: 'aggregate(%s, "
             "mean)' reads it", ast->name, ast->name);
        return bad_thing;
    }
    if (env && env->thing.kind == THING_VALUE && body->stream) {
        stream_misplaced(body, ast->span);
        return bad_thing;
    }
    return env ? env->thing : apply_word(body, NULL, ast, x, column);
}

/* A call of a parameter: `given` is what it stands for, the result the call by
 * that one's name. */
static struct ast *called(struct body *body, struct ast *ast,
                          const struct thing *thing, struct ast **given)
{
    struct ast *call = ast_copy(body->check->c->arena, ast);

    *given = thing->ast;
    call->name = thing->ast->name;
    return call;
}

struct ast *layer_call(struct body *body, struct ast *ast, struct ast **given)
{
    bool word = ast->kind == AST_NAME || ast->kind == AST_CALL;
    struct env *env = word ? env_find(body->env, ast->name) : NULL;

    *given = NULL;
    if (env && env->thing.kind == THING_BAD)
        return body->bad = true, NULL;
    if (env && is_callable(&env->thing))
        return called(body, ast, &env->thing, given);
    if (word && !env) {
        if (is_layer(ast->name) || decl_find(body->check, ast->name))
            return ast;
        return unknown_name(body, ast), NULL;
    }
    fail(body, ast->span, "'shared' makes one layer or block: put other "
         "chains into a block");
    return NULL;
}

static struct thing eval_call(struct body *body, struct ast *ast,
                              struct value *x, bool column)
{
    struct env *env = env_find(body->env, ast->name);
    struct ast *call, *given;

    if (!env)
        return apply_word(body, NULL, ast, x, column);
    if (env->thing.kind == THING_SHARED)
        return use_shared(body, env->thing.shared, ast, x, column);
    if (env->thing.kind == THING_BAD)
        return body->bad = true, bad_thing;
    if (is_callable(&env->thing)) {
        call = called(body, ast, &env->thing, &given);
        return apply_word(body, given, call, x, column);
    }
    fail(body, ast->span, "'%s' is not a layer or block here", ast->name);
    if (env->thing.kind == THING_CHAIN)
        fail_note(body, env->thing.ast->span, "it stands for this: give the "
                  "name of a layer, or a block with some of its arguments");
    else if (layer_find(ast->name) || decl_find(body->check, ast->name))
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
    if (!body->stream)          /* there it names the block alone */
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
    bool reads = body->stream && x && has_shortcut(ast->list);

    sub.current = reads ? stream_read(body, x, ast->span) : x;
    sub.of_stream = reads ? ast : NULL;
    if (reads && !sub.current)
        return bad_thing;
    if (reads)
        sub.stream = NULL;
    sub.before_weights = sub.after_weights = NULL;
    sub.batch_weights = false;
    run_body(&sub, ast->list);
    body->bad |= sub.bad;
    if (sub.bad)
        return bad_thing;
    return value_thing(reads ? stream_write(body, sub.current, ast->span)
                             : sub.current);
}

/* `checkpoint repeat`: the repeat; `checkpoint {...}`: itself, run once. */
static struct ast *checkpointed(struct ast *ast)
{
    return ast->b->kind == AST_REPEAT ? ast->b : ast;
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

    if (is_number(body, ast))
        return number_value(body, ast);
    if (body->stream && x && !stream_takes(body, ast))
        return bad_thing;
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
        return value_thing(run_repeat(body, ast, x, false));
    case AST_STREAM:
        has_current(body, ast, x);
        return value_thing(run_stream(body, ast, x));
    case AST_FROZEN:
        return unsupported(body, ast, "'frozen'");
    case AST_CHECKPOINT:
        has_current(body, ast, x);
        return value_thing(run_repeat(body, checkpointed(ast), x, true));
    case AST_MEMBER:
        fail(body, ast->span, "a shared layer's parameter is an argument of a "
             "layer, as in 'linear(8, weight = table.weight)'");
        return bad_thing;
    default:
        fail(body, ast->span, "a layer, a block or a value is expected here");
        return bad_thing;
    }
}

/* Blocks that call themselves in parentheses multiply two limits: the product
 * has one of its own, LIMIT_LEVEL, for the machine's stack. */
struct thing eval(struct body *body, struct ast *ast, struct value *x,
                  bool column)
{
    struct check *check = body->check;
    struct thing thing = bad_thing;

    check->steps++;
    if (above_limits(body, ast->span))
        return thing;
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
