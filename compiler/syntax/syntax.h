/* syntax.h: what the files of the front end share, and no other pass needs:
 * lexer (lex.re), recovery (recover.c), grammar (parse.y), messages
 * (syntax.c), nodes (ast.c). */
#ifndef SYNTAX_H
#define SYNTAX_H

#include "ast.h"

/* A list as it grows, linked by `next`. */
struct list { struct ast *first, *last; };

/* Where a norm goes. */
struct norm_place { enum ast_place place; bool weights; };

/* A token: `kind` is a TOKEN_ of parse.h. */
struct token {
    int kind;
    uint32_t begin, end;
    uint32_t line_begin;        /* where the token's line begins */
    uint32_t indent;            /* bytes before the first token of its line */
    int depth;                  /* brackets open before it */
    bool first;                 /* of its line */
    bool made;                  /* a closing bracket that recovery made up */
};

/* An open bracket, and how its line is indented. */
struct bracket { int kind; uint32_t at, indent; };

/* What the lexer hands over next; see recover.c. */
enum lex_mode { LEX_PLAIN, LEX_RECOVER, LEX_CLOSE, LEX_GIVE_UP, LEX_SYNC };

struct lexer {
    struct parser *parser;
    const char *text;           /* ends in a NUL */
    uint32_t length, cursor;
    uint32_t line_begin, indent;
    bool fresh;                 /* no token on this line yet */
    bool silent;                /* skipping: say nothing */
    bool stray;                 /* a run of closing brackets: reported once */
    uint32_t error_end;         /* of the last token reported */
    int missing;                /* a '{' was, at this depth; or 0 */
    bool quiet_end;             /* a comment ate the end: reported already */
    struct token token, previous;
    struct token keyword;       /* the last that began a statement */
    struct token before;        /* the one before it */
    struct bracket brackets[LIMIT_NESTING];
    int depth;
    struct bracket suspect;     /* '{' that its '}' does not line up with */
    enum lex_mode mode;
    int close_to;               /* LEX_CLOSE: down to this depth */
    uint32_t end;               /* of the last token taken or skipped */
};

union YYSTYPE;

/* lex.re: the next token of the text, in lexer->token, brackets not yet
 * matched; errors are reported unless lexer->silent.  TOKEN_YYerror after an
 * error without a repair. */
int lex_scan(struct lexer *lexer, union YYSTYPE *value);
struct span lex_span(const struct lexer *lexer, uint32_t begin, uint32_t end);
/* Back to where `token` begins: it will be scanned again. */
void lex_rewind(struct lexer *lexer, const struct token *token);
/* The kind of a word: a keyword's, or TOKEN_NAME. */
int lex_word(const char *text, size_t length);
/* The character after blanks (not comments) from `at`: '\0' at the end. */
char lex_peek(const struct lexer *lexer, uint32_t at);

/* recover.c: the parser's source of tokens. */
int yylex(union YYSTYPE *value, struct span *where, struct lexer *lexer);
/* A syntax error was found at lexer->token. */
void recover_begin(struct lexer *lexer);
bool is_statement_keyword(int kind);
bool is_declaration_keyword(int kind);

/* syntax.c: one error for the token that did not fit; `expected` tells for
 * each token kind whether it would have. */
void syntax_report(struct lexer *lexer, const bool *expected);
void syntax_too_deep(struct parser *parser, struct span where);
void syntax_unclosed(struct lexer *lexer, struct bracket bracket,
                     const struct token *at);
const char *syntax_word(int kind);      /* a token as users read it */

/* ast.c: constructors for the grammar's actions.  A node deeper than
 * LIMIT_NESTING is reported once and replaced by AST_BAD. */
struct ast *ast_leaf(struct parser *parser, enum ast_kind kind,
                     struct span span);
struct ast *ast_bad(struct parser *parser, struct span span);
struct ast *ast_one(struct parser *parser, enum ast_kind kind,
                    struct span span, struct ast *a);
struct ast *ast_name(struct parser *parser, enum ast_kind kind,
                     struct span span, const char *name,
                     struct span name_span, struct ast *a);
struct ast *ast_many(struct parser *parser, enum ast_kind kind,
                     struct span span, struct list list);
struct ast *ast_call(struct parser *parser, struct span span,
                     const char *name, struct span name_span,
                     struct list arguments);
struct ast *ast_binary(struct parser *parser, struct span span,
                       enum ast_op op, struct ast *a, struct ast *b);
struct ast *ast_condition(struct parser *parser, struct span span,
                          struct ast *a, struct ast *b, struct ast *c);
struct ast *ast_flow(struct parser *parser, struct span span,
                     struct list links);
struct ast *ast_group(struct parser *parser, enum ast_kind kind,
                      struct span span, struct ast *a, struct ast *b);
struct ast *ast_norm(struct parser *parser, struct span span, struct ast *a,
                     struct norm_place place);
struct ast *ast_if(struct parser *parser, struct span span, struct ast *a,
                   struct ast *b, struct ast *c);
struct ast *ast_input(struct parser *parser, struct span span,
                      const char *name, struct span name_span,
                      const char *type, struct list dims);
struct ast *ast_declare(struct parser *parser, enum ast_kind kind,
                        struct span span, const char *name,
                        struct span name_span, struct list parameters,
                        struct ast *body);
struct ast *ast_import(struct parser *parser, struct span span,
                       const char *path, const char *name,
                       struct span name_span);
struct ast *ast_wrap(struct ast *a, struct span span);  /* ( a ) */
struct list list_one(struct ast *element);
struct list list_add(struct list list, struct ast *element);
/* The last link of a flow gets a name. */
struct list list_as(struct parser *parser, struct list links,
                    const char *name, struct span name_span);
void ast_declared(struct parser *parser, struct ast *declaration);

#endif
