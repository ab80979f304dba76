/* ast.c: makes the nodes of the tree, and prints it. */
#include <string.h>

#include "syntax.h"

/* ---- depth: passes that walk the tree recurse as deep ---- */

static int deepest(const struct ast *list, int depth)
{
    for (; list; list = list->next)
        if (list->depth > depth)
            depth = list->depth;
    return depth;
}

/* Whether a node may hold another of its own kind any number of times. */
static bool nests(enum ast_kind kind)
{
    switch (kind) {
    case AST_CALL: case AST_MEMBER: case AST_NEGATE: case AST_BINARY:
    case AST_CONDITION: case AST_LIST: case AST_BODY: case AST_REPEAT:
    case AST_STREAM: case AST_FROZEN: case AST_CHECKPOINT: case AST_IF:
    case AST_AS:
        return true;
    default:
        return false;
    }
}

struct ast *ast_otherwise(const struct ast *ast)
{
    return !ast->c || ast->c->kind == AST_IF ? ast->c : ast->c->list;
}

struct ast *ast_copy(struct arena *arena, const struct ast *ast)
{
    struct ast *copy = NEW(arena, struct ast);

    *copy = *ast;
    copy->next = NULL;
    return copy;
}

/* A node whose children are in place. */
static struct ast *finish(struct parser *parser, struct ast *ast)
{
    int depth = deepest(ast->list, deepest(ast->parameters, 0));

    depth = deepest(ast->a, deepest(ast->b, deepest(ast->c, depth)));
    ast->depth = depth + nests(ast->kind);
    if (ast->depth <= LIMIT_NESTING)
        return ast;
    syntax_too_deep(parser, ast->span);
    return ast_bad(parser, ast->span);
}

/* ---- constructors ---- */

struct ast *ast_leaf(struct parser *parser, enum ast_kind kind,
                     struct span span)
{
    struct ast *ast = NEW(parser->arena, struct ast);

    ast->kind = kind;
    ast->span = span;
    ast->name_span = span;
    return ast;
}

struct ast *ast_bad(struct parser *parser, struct span span)
{
    return ast_leaf(parser, AST_BAD, span);
}

struct ast *ast_one(struct parser *parser, enum ast_kind kind,
                    struct span span, struct ast *a)
{
    struct ast *ast = ast_leaf(parser, kind, span);

    ast->a = a;
    return finish(parser, ast);
}

struct ast *ast_name(struct parser *parser, enum ast_kind kind,
                     struct span span, const char *name,
                     struct span name_span, struct ast *a)
{
    struct ast *ast = ast_leaf(parser, kind, span);

    ast->name = name;
    ast->name_span = name_span;
    ast->a = a;
    return finish(parser, ast);
}

struct ast *ast_many(struct parser *parser, enum ast_kind kind,
                     struct span span, struct list list)
{
    struct ast *ast = ast_leaf(parser, kind, span);

    ast->list = list.first;
    return finish(parser, ast);
}

struct ast *ast_call(struct parser *parser, struct span span,
                     const char *name, struct span name_span,
                     struct list arguments)
{
    struct ast *ast = ast_leaf(parser, AST_CALL, span);

    ast->name = name;
    ast->name_span = name_span;
    ast->list = arguments.first;
    return finish(parser, ast);
}

struct ast *ast_binary(struct parser *parser, struct span span,
                       enum ast_op op, struct ast *a, struct ast *b)
{
    struct ast *ast = ast_leaf(parser, AST_BINARY, span);

    ast->op = op;
    ast->a = a;
    ast->b = b;
    return finish(parser, ast);
}

struct ast *ast_condition(struct parser *parser, struct span span,
                          struct ast *a, struct ast *b, struct ast *c)
{
    struct ast *ast = ast_leaf(parser, AST_CONDITION, span);

    ast->a = a;
    ast->b = b;
    ast->c = c;
    return finish(parser, ast);
}

struct ast *ast_flow(struct parser *parser, struct span span,
                     struct list links)
{
    if (links.first == links.last)
        return links.first;
    return ast_many(parser, AST_FLOW, span, links);
}

struct ast *ast_group(struct parser *parser, enum ast_kind kind,
                      struct span span, struct ast *a, struct ast *b)
{
    struct ast *ast = ast_leaf(parser, kind, span);

    ast->a = a;
    ast->b = b;
    return finish(parser, ast);
}

struct ast *ast_norm(struct parser *parser, struct span span, struct ast *a,
                     struct norm_place place)
{
    struct ast *ast = ast_leaf(parser, AST_NORM, span);

    ast->a = a;
    ast->place = place.place;
    ast->weights = place.weights;
    return finish(parser, ast);
}

struct ast *ast_if(struct parser *parser, struct span span, struct ast *a,
                   struct ast *b, struct ast *c)
{
    struct ast *ast = ast_leaf(parser, AST_IF, span);

    ast->a = a;
    ast->b = b;
    ast->c = c;
    return finish(parser, ast);
}

struct ast *ast_input(struct parser *parser, struct span span,
                      const char *name, struct span name_span,
                      const char *type, struct list dims)
{
    struct ast *ast = ast_leaf(parser, AST_INPUT, span);

    ast->name = name;
    ast->name_span = name_span;
    ast->type = type;
    ast->list = dims.first;
    return finish(parser, ast);
}

struct ast *ast_declare(struct parser *parser, enum ast_kind kind,
                        struct span span, const char *name,
                        struct span name_span, struct list parameters,
                        struct ast *body)
{
    struct ast *ast = ast_leaf(parser, kind, span);

    ast->name = name;
    ast->name_span = name_span;
    ast->parameters = parameters.first;
    ast->b = body;
    return finish(parser, ast);
}

struct ast *ast_import(struct parser *parser, struct span span,
                       const char *path, const char *name,
                       struct span name_span)
{
    struct ast *ast = ast_leaf(parser, AST_IMPORT, span);

    ast->text = path;
    ast->name = name;
    ast->name_span = name_span;
    return ast;
}

struct ast *ast_wrap(struct ast *a, struct span span)
{
    a->span = span;
    return a;
}

struct list list_one(struct ast *element)
{
    return (struct list){ element, element };
}

struct list list_add(struct list list, struct ast *element)
{
    if (!list.last)
        return list_one(element);
    list.last->next = element;
    list.last = element;
    return list;
}

/* The link becomes the AST_AS, in its place in the list; what it was moves
 * into a copy. */
struct list list_as(struct parser *parser, struct list links,
                    const char *name, struct span name_span)
{
    struct ast *as = links.last, *copy = NEW(parser->arena, struct ast);

    *copy = *as;
    *as = (struct ast){
        .kind = AST_AS, .span = copy->span, .name = name,
        .name_span = name_span, .a = copy
    };
    as->span.end = name_span.end;
    *as = *finish(parser, as);
    return links;
}

void ast_declared(struct parser *parser, struct ast *declaration)
{
    if (parser->last)
        parser->last->next = declaration;
    else
        parser->tree->list = declaration;
    parser->last = declaration;
}

/* ---- dump ---- */

static const char *const kind_names[] = {
    [AST_NUMBER] = "number", [AST_NAME] = "name", [AST_CALL] = "call",
    [AST_ARGUMENT] = "argument", [AST_MEMBER] = "member",
    [AST_NEGATE] = "negate", [AST_BINARY] = "binary",
    [AST_CONDITION] = "condition", [AST_FLOW] = "flow", [AST_AS] = "as",
    [AST_LIST] = "list", [AST_STRING] = "string", [AST_DOTS] = "dots",
    [AST_BODY] = "body", [AST_REPEAT] = "repeat", [AST_STREAM] = "stream",
    [AST_FROZEN] = "frozen", [AST_CHECKPOINT] = "checkpoint",
    [AST_LINE] = "line", [AST_ASSIGN] = "assign",
    [AST_PLUS_ASSIGN] = "plus-assign", [AST_SHARED] = "shared",
    [AST_SHORTCUT] = "shortcut", [AST_NORM] = "norm", [AST_SCALE] = "scale",
    [AST_DROP] = "drop", [AST_THEN] = "then", [AST_INPUT] = "input",
    [AST_OUTPUT] = "output", [AST_LOSS] = "loss", [AST_INIT] = "init",
    [AST_IF] = "if", [AST_BAD] = "bad", [AST_IMPORT] = "import",
    [AST_BLOCK] = "block", [AST_NETWORK] = "network",
    [AST_PARAMETER] = "parameter", [AST_FILE] = "file"
};
static const char *const op_names[] = {
    "||", "&&", "==", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "^"
};
static const char *const place_names[] = { "before", "after", "around" };

/* What tells a node from others of its kind. */
static void dump_details(FILE *out, const struct ast *ast)
{
    if (ast->name)
        fprintf(out, " %s", ast->name);
    if (ast->type)
        fprintf(out, " of %s", ast->type);
    if (ast->kind == AST_NUMBER)
        fprintf(out, " %s", ast->text);
    if (ast->kind == AST_IMPORT || ast->kind == AST_STRING)
        fprintf(out, " \"%s\"", ast->text);
    if (ast->kind == AST_BINARY)
        fprintf(out, " %s", op_names[ast->op]);
    if (ast->kind == AST_NORM)
        fprintf(out, " %s%s", place_names[ast->place],
                ast->weights ? " weights" : "");
}

static void dump(FILE *out, const struct ast *ast, int indent);

static void dump_list(FILE *out, const struct ast *list, int indent)
{
    for (; list; list = list->next)
        dump(out, list, indent);
}

static void dump(FILE *out, const struct ast *ast, int indent)
{
    fprintf(out, "%*s%s", 2 * indent, "", kind_names[ast->kind]);
    dump_details(out, ast);
    fprintf(out, "  @%u-%u\n", ast->span.begin, ast->span.end);
    dump_list(out, ast->parameters, indent + 1);
    dump_list(out, ast->list, indent + 1);
    if (ast->a)
        dump(out, ast->a, indent + 1);
    if (ast->b)
        dump(out, ast->b, indent + 1);
    if (ast->c)
        dump(out, ast->c, indent + 1);
}

void ast_dump(FILE *out, const struct ast *tree)
{
    dump(out, tree, 0);
}
