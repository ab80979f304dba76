/* layers_graph.c: layers over the graph that the caller passes: a node is a
 * sample of the batch. */
#include "layers.h"

#include <string.h>

static bool is_input(struct use *use, const struct ast *ast)
{
    const struct port *port = use->body->check->c->network->inputs;

    while (port && !(port->graph && ast->kind == AST_NAME
                     && port->name == ast->name))
        port = port->next;
    return port != NULL;
}

/* The graph that an argument names, or NULL after an error. */
static const struct port *graph_of(struct use *use, struct ast *ast)
{
    const struct env *env = ast->kind == AST_NAME
        ? env_find(use->body->env, ast->name) : NULL;

    if (env && env->thing.kind == THING_GRAPH)
        return env->thing.port;
    if (env && env->thing.kind == THING_BAD)
        use->body->bad = true;
    else if (!env && is_input(use, ast))
        fail(use->body, ast->span, "a block sees its parameters alone: give "
             "it the graph '%s' as an argument", ast->name);
    else if (ast->kind == AST_NAME && !env)
        unknown_name(use->body, ast);
    else
        fail(use->body, ast->span, "'%s' takes a graph first: the name of an "
             "'input g graph'", use->layer->name);
    return NULL;
}

/* One of the words, perhaps by a block's parameter; -1 after an error. */
static int kind_of(struct use *use, struct ast *ast)
{
    static const char *const words[] = {
        [AGGREGATE_SUM] = "sum", [AGGREGATE_MEAN] = "mean",
        [AGGREGATE_SYMMETRIC] = "symmetric",
    };
    const struct env *env = ast->kind == AST_NAME
        ? env_find(use->body->env, ast->name) : NULL;
    const struct ast *word = env && env->thing.kind == THING_CHAIN
        ? env->thing.ast : ast;

    for (int i = 0; word->kind == AST_NAME && i < 3; i++)
        if (strcmp(words[i], word->name) == 0)
            return i;
    fail(use->body, ast->span, "'%s' takes sum, mean or symmetric after the "
         "graph", use->layer->name);
    return -1;
}

/* Gathers rows, whatever their axes. */
static struct value *apply_aggregate(struct use *use, struct value *x)
{
    const struct port *graph = graph_of(use, use->arg[0].ast);
    int kind = graph ? kind_of(use, use->arg[1].ast) : -1;

    return kind < 0 ? NULL
        : build_aggregate(use->body, x, graph->index, kind, use->span);
}

const struct layer graph_layers[] = {
    { "aggregate", apply_aggregate, 0, 1, LIMIT_RANK, NULL,
      { { "graph", ARG_CHAIN, true, 0, NULL },
        { "kind", ARG_CHAIN, true, 0, NULL } } },
    { 0 }
};
