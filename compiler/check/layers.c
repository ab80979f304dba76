/* layers.c: layers by name: reads the arguments that a row asks for, checks the
 * value's axes and applies the row, with the norms that a block puts round
 * its weights. */
#include "layers.h"

#include <inttypes.h>
#include <string.h>

static const struct layer *const families[] = {
    dense_layers, map_layers, attention_layers, recurrent_layers, shape_layers,
    graph_layers
};

enum { FAMILIES = sizeof families / sizeof families[0] };

const struct layer *layer_find(const char *name)
{
    for (int i = 0; i < FAMILIES; i++)
        for (const struct layer *l = families[i]; l->name; l++)
            if (strcmp(l->name, name) == 0)
                return l;
    return NULL;
}

bool is_layer(const char *name)
{
    return layer_find(name) != NULL;
}

const char *const *layer_names(struct compilation *c, size_t *count)
{
    const char **names = NULL;
    size_t size = 0;

    *count = 0;
    for (int i = 0; i < FAMILIES; i++)
        for (const struct layer *l = families[i]; l->name; l++) {
            GROW_IN(c->arena, names, size, *count);
            names[(*count)++] = l->name;
        }
    return names;
}

bool layer_starts(const struct layer *layer)
{
    return layer->traits & LAYER_STARTS;
}

/* ---- what the families share ---- */

const char *text_of(struct use *use, struct value *x)
{
    return shape_text(use->body->check->c, &x->shape);
}

bool has_bias(const struct use *use, const struct arg *arg)
{
    return arg->given ? arg->real != 0
         : use->body->making || !use->body->batch_weights;
}

struct value *eval_unnamed(struct body *body, struct ast *chain,
                           struct value *x)
{
    const char *as_name = body->as_name;
    const struct weight_init *init = body->layer_init;
    struct shared *making = body->making;

    body->as_name = NULL;
    body->layer_init = NULL;
    body->making = NULL;
    x = eval_value(body, chain, x);
    body->as_name = as_name;
    body->layer_init = init;
    body->making = making;
    return x;
}

/* The argument `init`, or NULL. */
static const struct weight_init *init_given(const struct use *use)
{
    for (int i = 0; i < ARGS; i++)
        if (use->arg[i].given && strcmp(use->layer->arg[i].name, "init") == 0)
            return &use->arg[i].init;
    return NULL;
}

struct param *given_param(const struct use *use, const struct arg *arg,
                          const char *name, const struct shape *shape)
{
    struct body *body = use->body;
    struct compilation *c = body->check->c;
    struct param *param = member_param(body, arg->ast, name);

    if (init_given(use)) {
        fail(body, use->span, "this '%s' is another layer's, which has its "
             "own 'init'", name);
        return NULL;
    }
    if (!param || shape_equal(&param->shape, shape))
        return param;
    fail(body, arg->ast->span, "this '%s' is %s, the layer here needs %s",
         name, shape_text(c, &param->shape), shape_text(c, shape));
    return NULL;
}

/* ---- arguments ---- */

/* The least integer that an argument may be. */
static int64_t least_of(const struct arg_row *row)
{
    return row->kind == ARG_AXIS ? -LIMIT_RANK
         : row->kind == ARG_PAD || row->kind == ARG_SIDES
           || row->kind == ARG_INDEX ? 0 : 1;
}

static bool bad_integer(struct use *use, const struct arg_row *row,
                        struct span span, struct number number)
{
    fail(use->body, span, "'%s' of '%s' must be %s integer, it is %s",
         row->name, use->layer->name, least_of(row) < 0 ? "an"
         : least_of(row) == 0 ? "a non-negative" : "a positive",
         number_text(use->body->check->c, number));
    return false;
}

static bool read_integer(struct use *use, const struct arg_row *row,
                         struct ast *ast, int64_t *n)
{
    struct number number;

    if (!number_of(use->body, ast, &number))
        return false;
    *n = number.integer;
    if (!number.is_integer || *n < least_of(row))
        return bad_integer(use, row, ast->span, number);
    if (*n >= LIMIT_AXIS) {
        fail(use->body, ast->span, "'%s' is %" PRId64 ", above the limit of "
             "2^31", row->name, *n);
        return false;
    }
    return true;
}

/* 5: more than any list of numbers has */
static short list_length(const struct ast *list)
{
    short count = 0;

    for (const struct ast *a = list->list; a && count < 5; a = a->next)
        count++;
    return count;
}

bool read_numbers(struct use *use, const struct arg_row *row, struct ast *ast,
                  struct arg *arg)
{
    bool sides = row->kind == ARG_SIDES;

    if (ast->kind != AST_LIST) {
        if (!read_integer(use, row, ast, &arg->n[0]))
            return false;
        arg->n[1] = arg->n[2] = arg->n[3] = arg->n[0];
        return true;
    }
    arg->count = list_length(ast);
    if (arg->count != 2 && !(sides && arg->count == 4)) {
        fail(use->body, ast->span, "'%s' is one number or %s", row->name,
             sides ? "[top, bottom, left, right]" : "[y, x]");
        return false;
    }
    struct ast *item = ast->list;
    for (int i = 0; i < arg->count; i++, item = item->next)
        if (!read_integer(use, row, item, &arg->n[i]))
            return false;
    return true;
}

static bool in_range(struct use *use, const struct arg_row *row,
                     struct span span, double real)
{
    const char *must = row->kind == ARG_FLAG && real != 0 && real != 1
            ? "is yes or no"
        : strcmp(row->name, "eps") == 0 && real <= 0 ? "must be above 0"
        : strcmp(row->name, "p") == 0 && !(real >= 0 && real < 1)
            ? "must be at least 0 and less than 1" : NULL;

    if (!must)
        return true;
    fail(use->body, span, "'%s' of '%s' %s, it is %g", row->name,
         use->layer->name, must, real);
    return false;
}

/* The word that a row knows, which nothing here is called. */
static bool is_word(struct use *use, const struct arg_row *row,
                    const struct ast *ast)
{
    return row->word && ast->kind == AST_NAME
        && strcmp(ast->name, row->word) == 0
        && !env_find(use->body->env, ast->name);
}

static bool read_arg(struct use *use, const struct arg_row *row,
                     struct ast *ast, struct arg *arg)
{
    struct number number;

    arg->given = true;
    arg->ast = ast;
    if (row->kind == ARG_CHAIN || row->kind == ARG_PARAM)
        return true;
    if (row->kind == ARG_INIT)
        return read_init(use->body, ast, &arg->init);
    if (is_word(use, row, ast)) {
        arg->real = 1;          /* a flag's word alone: yes */
        return arg->is_word = true;
    }
    if (row->kind == ARG_COUNT || row->kind == ARG_INDEX
        || row->kind == ARG_AXIS)
        return read_integer(use, row, ast, &arg->n[0]);
    if (row->kind == ARG_PAIR || row->kind == ARG_PAD
        || row->kind == ARG_SIDES)
        return read_numbers(use, row, ast, arg);
    if (!number_of(use->body, ast, &number))
        return false;
    arg->real = number_real(number);
    return fit_float(use->body, ast->span, &arg->real)
        && in_range(use, row, ast->span, arg->real);
}

static int arg_count(const struct layer *layer)
{
    int count = 0;
    while (count < ARGS && layer->arg[count].kind != ARG_END)
        count++;
    return count;
}

/* `weight` and `init`, which come last, are given by name alone. */
static int positions(const struct layer *layer)
{
    int count = arg_count(layer);

    while (count && (layer->arg[count - 1].kind == ARG_INIT
                     || layer->arg[count - 1].kind == ARG_PARAM))
        count--;
    return count;
}

static int arg_named(struct use *use, struct ast *argument)
{
    const struct layer *layer = use->layer;
    const char *names[ARGS];
    int count = arg_count(layer);

    for (int i = 0; i < count; i++) {
        names[i] = layer->arg[i].name;
        if (strcmp(names[i], argument->name) == 0)
            return i;
    }
    const char *near = diag_nearest(argument->name, names, (size_t)count);
    if (near)
        fail(use->body, argument->name_span, "'%s' has no argument '%s'; did "
             "you mean '%s'?", layer->name, argument->name, near);
    else
        fail(use->body, argument->name_span, "'%s' has no argument '%s'",
             layer->name, argument->name);
    return -1;
}

/* The argument whose word this is, wherever it stands; else the next. */
static int arg_unnamed(struct use *use, const struct ast *ast, int count,
                       int *position)
{
    for (int i = 0; i < count; i++)
        if (i != *position && is_word(use, &use->layer->arg[i], ast))
            return i;
    return (*position)++;
}

static bool read_args(struct use *use)
{
    const struct layer *layer = use->layer;
    int position = 0, count = arg_count(layer), places = positions(layer);

    for (int i = 0; i < count; i++) {
        use->arg[i].real = layer->arg[i].preset;
        use->arg[i].n[0] = use->arg[i].n[1] = (int64_t)layer->arg[i].preset;
    }
    if (count == 1 && layer->arg[0].kind == ARG_VALUES)
        return true;
    for (struct ast *arg = use->call->list; arg; arg = arg->next) {
        int i = arg->name ? arg_named(use, arg)
                          : arg_unnamed(use, arg->a, count, &position);
        if (i < 0)
            return false;
        if (!arg->name && i >= places) {
            fail(use->body, arg->span, places ? "too many arguments: '%s' "
                 "takes at most %d" : "'%s' takes no arguments", layer->name,
                 places);
            return false;
        }
        if (use->arg[i].given) {
            fail(use->body, arg->span, "'%s' is given twice",
                 layer->arg[i].name);
            return false;
        }
        if (!read_arg(use, &layer->arg[i], arg->a, &use->arg[i]))
            return false;
    }
    for (int i = 0; i < count; i++) {
        const struct arg_row *row = &layer->arg[i];

        if (row->required && !use->arg[i].given) {
            fail(use->body, use->span, row->word ? "'%s' needs its argument "
                 "'%s', or '%s'" : "'%s' needs its argument '%s'",
                 layer->name, row->name, row->word);
            return false;
        }
    }
    return true;
}

static const char *takes(const struct layer *layer)
{
    static const char *const maps = "maps [height, width, channels]";
    static const char *const both = "maps [height, width, channels] and "
        "sequences [length, channels]";

    switch (layer->max_rank) {
    case 2: return "sequences [length, channels]";
    case 3: return layer->min_rank == 2 ? both : maps;
    default: return layer->min_rank > 1 ? "values with at least two axes"
                                        : "values with at least one axis";
    }
}

/* The same layer for sequences, or for maps: conv and conv1d. */
static const struct layer *sibling(struct use *use)
{
    struct arena *arena = use->body->check->c->arena;
    const char *name = use->layer->name, *end = strstr(name, "1d");

    return layer_find(end ? arena_text(arena, name, (size_t)(end - name))
                          : arena_format(arena, "%s1d", name));
}

static bool rank_fits(struct use *use, struct value *x)
{
    const struct layer *layer = use->layer, *other = sibling(use);
    int rank = x->shape.rank;

    if (rank >= layer->min_rank && rank <= layer->max_rank)
        return true;
    fail(use->body, use->span, "'%s' takes %s, the value here is %s",
         layer->name, takes(layer), text_of(use, x));
    fail_note(use->body, x->span, "%s comes from here", text_of(use, x));
    if (other && rank >= other->min_rank && rank <= other->max_rank)
        fail_note(use->body, use->span, "'%s' takes %s", other->name,
                  takes(other));
    return false;
}

/* A layer that needs no argument may be applied to a chain. */
static bool applied_to_chain(struct body *body, const struct layer *layer,
                             const struct ast *call)
{
    const struct ast *first = call->list;
    const struct arg_row *row = &layer->arg[0];

    if (!first || first->name || row->required)
        return false;
    if (row->word && first->a->kind == AST_NAME
        && strcmp(first->a->name, row->word) == 0)
        return false;
    return !is_number(body, first->a) && first->a->kind != AST_LIST;
}

/* The norm that the block puts before its weight layers; the first is shared
 * with a projection. */
static struct value *norm_before(struct body *body, struct value *x)
{
    const char *as_name = body->as_name;
    struct value *y;

    body->as_name = NULL;       /* it names the layer, not its norm */
    y = apply_norm(body, body->before_weights, x);
    body->as_name = as_name;
    if (!body->shared) {
        body->before = x;
        body->shared = y;
    }
    return y;
}

static bool value_fits(struct use *use, struct value *x)
{
    const char *name = arena_format(use->body->check->c->arena, "'%s'",
                                    use->layer->name);

    return ((use->layer->traits & LAYER_INTEGERS)
            || need_real(use->body, x, use->span, name))
        && rank_fits(use, x);
}

/* The layer's nodes. */
static struct value *build(struct use *use, struct value *x)
{
    struct body *body = use->body;
    const struct weight_init *outer = body->layer_init;

    body->layer_init = init_given(use);
    x = use->layer->apply(use, x);
    body->layer_init = outer;
    return x && small_enough(body, &x->shape, use->span) ? x : NULL;
}

/* The layer's nodes, and the block's norms round its weights, which are no part
 * of a shared layer. */
static struct value *apply_weights(struct use *use, struct value *x)
{
    struct body *body = use->body;
    struct shared *making = body->making;

    shared_leave(body, making);
    if (body->before_weights)
        x = norm_before(body, x);
    shared_enter(body, making);
    if (x)
        x = build(use, x);
    shared_leave(body, making);
    if (x && body->after_weights)
        x = apply_norm(body, body->after_weights, x);
    shared_enter(body, making);
    return x;
}

/* Not part of the caller's frame, which stands many times on the stack. */
static __attribute__((noinline)) struct value *
apply_row(struct body *body, const struct layer *layer, struct ast *call,
          struct value *x, bool column)
{
    struct use use = { .body = body, .layer = layer, .call = call,
                       .span = call->span, .column = column };

    if (!read_args(&use) || (!x && !layer_starts(layer))
        || (x && !value_fits(&use, x)))
        return NULL;
    if (column && (layer->traits & LAYER_WEIGHTS))
        return apply_weights(&use, x);
    return build(&use, x);
}

struct value *apply_layer(struct body *body, const struct layer *layer,
                          struct ast *call, struct value *x, bool column)
{
    if (!applied_to_chain(body, layer, call))
        return apply_row(body, layer, call, x, column);
    struct ast rest = *call;    /* silu(linear(h)): the chain's value */
    rest.list = call->list->next;
    x = eval_unnamed(body, call->list->a, x);
    return x ? apply_row(body, layer, &rest, x, column) : NULL;
}
