/* shared.c: layers and blocks that are made once and applied often.  The
 * parameters belong to the region where `shared` stands, so that a loop inside
 * of it uses the same ones in every iteration; gradients of all uses add up. */
#include "check.h"

#include <string.h>

/* ---- making one ---- */

static struct value *apply(struct body *body, struct shared *shared,
                           struct value *x, bool column)
{
    struct ast *call = shared->ast;
    const struct layer *layer = layer_find(call->name);

    return layer ? apply_layer(body, layer, call, x, column)
         : call_block(body, decl_find(body->check, call->name), shared->given,
                      call, x);
}

/* Its arguments are checked here, its parameters made at the first use. */
void run_shared(struct body *body, struct ast *item)
{
    struct shared *shared = NEW(body->check->c->arena, struct shared);
    struct thing thing = { .kind = THING_SHARED, .shared = shared };

    body->as_name = item->name;
    body->as_span = item->name_span;
    *shared = (struct shared) {
        .name = item->name, .span = item->span, .env = body->env,
        .init = body->init, .region = body->region,
        .path = next_path(body, item->name),
    };
    shared->ast = layer_call(body, item->a, &shared->given);
    if (!shared->ast)
        thing.kind = THING_BAD;
    else if (!shared_starts(shared))
        apply(body, shared, NULL, false);
    env_add(body, item->name, thing, item->name_span);
}

/* ---- applying it ---- */

void shared_enter(struct body *body, struct shared *shared)
{
    if (!shared)
        return;
    shared->outer_env = body->env;
    shared->outer_init = body->init;
    body->env = shared->env;
    body->init = shared->init;
    body->making = shared;
}

void shared_leave(struct body *body, struct shared *shared)
{
    if (!shared)
        return;
    body->env = shared->outer_env;
    body->init = shared->outer_init;
    body->making = NULL;
}

/* f(chain) is chain -> f. */
static struct value *argument(struct body *body, struct shared *shared,
                              struct ast *use, struct value *x)
{
    struct ast *list = use->kind == AST_CALL ? use->list : NULL;

    if (!list)
        return x;
    if (list->name || list->next || is_number(body, list->a)) {
        fail(body, use->span, "'%s' is a shared layer: its arguments stand "
             "where it is made; here it takes a value at most", shared->name);
        fail_note(body, shared->span, "'%s' is made here", shared->name);
        return NULL;
    }
    return eval_value(body, list->a, x);
}

bool shared_starts(const struct shared *shared)
{
    const struct layer *layer = layer_find(shared->ast->name);

    return layer && layer_starts(layer);
}

struct value *apply_shared(struct body *body, struct shared *shared,
                           struct ast *use, struct value *x, bool column)
{
    struct check *check = body->check;
    struct call_site site = { use->span, shared->name, check->site };

    body->as_name = NULL;       /* `f as n` names the value */
    x = argument(body, shared, use, x);
    if (!shared->used)
        shared->first = use->span;
    shared->used = true;
    if (!x && !shared_starts(shared))
        return NULL;
    shared->use = use->span;
    shared->named = false;
    check->site = &site;
    shared_enter(body, shared);
    struct value *y = apply(body, shared, x, column);
    shared_leave(body, shared);
    check->site = site.outer;
    if (y && y != x)
        y->span = use->span;    /* where it comes from, for messages */
    return y;
}

/* ---- parameters of a layer ---- */

static bool same_path(const struct piece *a, const struct piece *b)
{
    for (; a && b; a = a->next, b = b->next)
        if (strcmp(a->text, b->text) || a->first != b->first)
            return false;
    return a == b;
}

static struct param *find_param(const struct shared *shared,
                                const struct piece *path, const char *leaf)
{
    for (struct shared_param *p = shared->params; p; p = p->next)
        if (strcmp(p->param->leaf, leaf) == 0
            && same_path(p->param->path, path))
            return p->param;
    return NULL;
}

static void misfit(struct body *body, const struct shared *shared,
                   const char *what, const struct shape *first,
                   const struct shape *here)
{
    struct compilation *c = body->check->c;

    fail(body, shared->use, "'%s' does not fit here: its %s is %s, this use "
         "needs %s", shared->name, what, shape_text(c, first),
         shape_text(c, here));
    fail_note(body, shared->first, "its first use, here, gave it this shape");
}

struct param *shared_param(struct body *body, struct piece *path,
                           const char *leaf, enum pack pack, int groups,
                           const struct shape *shape)
{
    struct shared *shared = body->making;
    struct compilation *c = body->check->c;
    struct param *param = find_param(shared, path, leaf);

    if (param && !shape_equal(&param->shape, shape))
        misfit(body, shared, leaf, &param->shape, shape);
    if (param)
        return param;
    struct shared_param *p = NEW(c->arena, struct shared_param);
    param = new_param(c, shared->region, path, leaf, pack, groups, shape);
    param->shared = true;
    *p = (struct shared_param) { param, shared->params };
    shared->params = p;
    return param;
}

/* ---- parameters of a block ---- */

static struct node *next_part(struct node *n)
{
    while (n && !(n->op == OP_LOOP
                  || (n->op == OP_CALL && !n->call.weights)))
        n = n->next;
    return n;
}

static bool same_weights(struct body *body, const struct region *a,
                         const struct region *b);

static bool same_part(struct body *body, const struct node *m,
                      const struct node *n)
{
    if (m->op != n->op)
        return false;
    if (m->op == OP_CALL)
        return same_weights(body, m->call.callee->body, n->call.callee->body);
    return m->loop.count == n->loop.count
        && same_weights(body, m->loop.body, n->loop.body);
}

/* Two functions of one block, for two shapes: do their parameters have the
 * same order and shapes?  A shape that differs is reported. */
static bool same_weights(struct body *body, const struct region *a,
                         const struct region *b)
{
    const struct param *p = a->params, *q = b->params;
    const struct shared_weights *i = a->weights, *j = b->weights;
    struct node *m = next_part(a->nodes.first), *n = next_part(b->nodes.first);

    for (; p && q; p = p->next, q = q->next) {
        if (!shape_equal(&p->shape, &q->shape)) {
            misfit(body, body->making, param_text(body->check->c, p),
                   &p->shape, &q->shape);
            return false;
        }
        if (p->pack != q->pack || p->groups != q->groups
            || p->trainable != q->trainable)
            return false;
    }
    for (; i && j; i = i->next, j = j->next)
        if (!same_weights(body, i->function->body, j->function->body))
            return false;
    for (; m && n; m = next_part(m->next), n = next_part(n->next))
        if (!same_part(body, m, n))
            return false;
    return !p && !q && !i && !j && !m && !n;
}

struct shared_weights *weights_of(struct body *body, struct function *function)
{
    struct shared *shared = body->making;
    struct shared_weights **end = &shared->region->weights;

    if (shared->weights) {
        if (!same_weights(body, shared->weights->function->body,
                          function->body)) {
            fail(body, shared->use, "'%s' does not fit here: it has other "
                 "parameters for this shape", shared->name);
            fail_note(body, shared->first, "its first use, here, made its "
                      "parameters");
        }
        return shared->weights;
    }
    while (*end)
        end = &(*end)->next;
    *end = NEW(body->check->c->arena, struct shared_weights);
    **end = (struct shared_weights) {
        .function = function, .path = shared->path, .region = shared->region,
    };
    return shared->weights = *end;
}

/* ---- parameters as arguments ---- */

struct ast *resolved(struct ast *ast, struct env **env)
{
    for (;;) {
        struct env *e = ast->kind == AST_NAME ? env_find(*env, ast->name)
                                              : NULL;
        if (!e || e->thing.kind != THING_CHAIN)
            return ast;
        ast = e->thing.ast;
        *env = e->thing.env;
    }
}

static void no_such_param(struct body *body, const struct shared *shared,
                          const struct ast *ast)
{
    const char *text = "";

    for (struct shared_param *p = shared->params; p; p = p->next)
        text = arena_format(body->check->c->arena, "'%s'%s%s",
                            p->param->leaf, *text ? ", " : "", text);
    if (*text)
        fail(body, ast->name_span, "'%s' has no parameter '%s': it has %s",
             shared->name, ast->name, text);
    else if (shared->used && !shared->weights)
        body->bad = true;       /* its use is in error */
    else
        fail(body, ast->span, shared->weights
             ? "'%s' is a block: only a layer's parameters have names here"
             : "'%s' has not been applied yet, so the shapes of its "
             "parameters are not known", shared->name);
}

static struct param *member_of(struct body *body, struct ast *ast,
                               struct env *env)
{
    struct ast *owner = resolved(ast->a, &env);
    struct env *e = owner->kind == AST_NAME ? env_find(env, owner->name)
                                            : NULL;

    if (e && e->thing.kind == THING_BAD) {
        body->bad = true;
        return NULL;
    }
    if (!e || e->thing.kind != THING_SHARED) {
        fail(body, owner->span, "only a shared layer's parameters can be "
             "used again: make it with 'shared %s = ...'",
             owner->kind == AST_NAME ? owner->name : "name");
        return NULL;
    }
    struct shared *shared = e->thing.shared;
    struct param *param = find_param(shared, shared->path, ast->name);
    if (!param)
        no_such_param(body, shared, ast);
    return param;
}

struct param *member_param(struct body *body, struct ast *ast,
                           const char *argument)
{
    struct env *env = body->env;
    struct ast *member = resolved(ast, &env);

    if (member->kind == AST_MEMBER)
        return member_of(body, member, env);
    if (is_unknown(body, ast))
        body->bad = true;
    else
        fail(body, ast->span, "'%s' is a parameter of a shared layer, as in "
             "'%s = table.weight'", argument, argument);
    return NULL;
}
