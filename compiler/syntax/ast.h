/* ast.h: the tree that the parser builds, one node type.  docs/GRAMMAR.md has
 * the grammar; each kind says below what its fields hold. */
#ifndef AST_H
#define AST_H

#include "diag.h"

enum ast_kind {
    /* expressions */
    AST_NUMBER,         /* number, integer; text: as written */
    AST_NAME,           /* name */
    AST_CALL,           /* name, list: arguments (AST_ARGUMENT) */
    AST_ARGUMENT,       /* name or NULL (positional), a: chain */
    AST_MEMBER,         /* a, name: a.name */
    AST_NEGATE,         /* a */
    AST_BINARY,         /* op, a, b */
    AST_CONDITION,      /* a ? b : c */
    AST_FLOW,           /* list: the links, a -> b -> c, two or more */
    AST_AS,             /* a, name */
    AST_LIST,           /* list: [a, b, c] (elements are chains) */
    AST_STRING,         /* text */
    AST_DOTS,           /* .. in a shape */
    /* groups: a nameless block, used as a line or an operand */
    AST_BODY,           /* list: items */
    AST_REPEAT,         /* a: count, name: index or NULL, b: AST_BODY or group */
    AST_STREAM,         /* a: kind (NAME or CALL), b: group */
    AST_FROZEN,         /* b: group */
    AST_CHECKPOINT,     /* b: group */
    /* items of a body */
    AST_LINE,           /* a: chain */
    AST_ASSIGN,         /* name, a */
    AST_PLUS_ASSIGN,    /* name, a */
    AST_SHARED,         /* name, a */
    AST_SHORTCUT,       /* a */
    AST_NORM,           /* a: chain, place, weights */
    AST_SCALE,          /* a */
    AST_DROP,           /* a */
    AST_THEN,           /* a */
    AST_INPUT,          /* name, type: "int" or NULL, list: dims (AST_DOTS,
                           expressions, or "t <= 256": AST_BINARY "<=") */
    AST_OUTPUT,         /* name, a or NULL */
    AST_LOSS,           /* a */
    AST_INIT,           /* a */
    AST_IF,             /* a: condition, b: AST_BODY, c: AST_BODY, AST_IF, NULL */
    AST_BAD,            /* where the parser recovered: already reported */
    /* declarations */
    AST_IMPORT,         /* text: path, name: `as` or NULL */
    AST_BLOCK,          /* name, parameters (AST_PARAMETER), b: AST_BODY */
    AST_NETWORK,
    AST_PARAMETER,      /* name, a: default or NULL */
    AST_FILE            /* list: declarations */
};

enum ast_op { AST_OR, AST_AND, AST_EQ, AST_NE, AST_LT, AST_GT, AST_LE, AST_GE,
              AST_ADD, AST_SUB, AST_MUL, AST_DIV, AST_POW };

enum ast_place { PLACE_BEFORE, PLACE_AFTER, PLACE_AROUND };

struct ast {
    enum ast_kind kind;
    struct span span;           /* the whole construct */
    struct span name_span;      /* `name`, where there is one */
    const char *name;           /* interned */
    const char *type;           /* interned */
    const char *text;
    struct ast *a, *b, *c;
    struct ast *list;           /* first element; linked by `next` */
    struct ast *parameters;
    struct ast *next;
    double number;
    int64_t integer;            /* when is_integer */
    bool is_integer;
    bool weights;               /* AST_NORM: round every weight layer */
    enum ast_op op;
    enum ast_place place;
    int depth;                  /* of the tree from here, <= LIMIT_NESTING */
};

/* What the parser needs and gives. */
struct parser {
    struct arena *arena;
    struct names *names;
    struct diag *diag;
    int file;                   /* index of the source */
    struct ast *tree;           /* AST_FILE, also after errors */
    struct ast *last;           /* declaration of it */
    bool too_deep;              /* reported: once a file */
};

/* Parses diag->sources[file].  Errors go to diag; the tree is never NULL. */
struct ast *parse_file(struct arena *arena, struct names *names,
                       struct diag *diag, int file);

/* What an AST_IF has for its `else`: items, or the next AST_IF, or NULL. */
struct ast *ast_otherwise(const struct ast *ast);

/* One node, with the parts of the old one and nothing after it. */
struct ast *ast_copy(struct arena *arena, const struct ast *ast);

/* --dump=ast: the tree as indented text, one node a line. */
void ast_dump(FILE *out, const struct ast *tree);

#endif
