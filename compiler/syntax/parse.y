/* parse.y: the grammar of .rnet files, LALR(1) without conflicts.  Statements
 * follow each other without terminators: one begins with a word or '{', and
 * no expression goes on with either.  docs/GRAMMAR.md is the readable form.
 *
 * An error in brackets ends at the closing one; any other at the end of its
 * statement, which the lexer marks with SYNC (recover.c). */
%code requires {
#include "syntax.h"
}
%code {
/* Brackets are limited by the lexer; this is for what nests without them. */
#define YYMAXDEPTH 8000

#define YYLLOC_DEFAULT(current, rhs, n) ((current) = span_of((rhs), (n)))
static struct span span_of(const struct span *rhs, int n);
static void yyerror(const struct span *where, struct lexer *lexer,
                    struct parser *parser, const char *message);
static void warn_juxtaposed(struct parser *parser, struct span name,
                            struct span open);
}

%define api.pure full
%define api.token.raw
%define api.token.prefix {TOKEN_}
%define api.value.type union
%define api.location.type {struct span}
%define parse.error custom
%define parse.lac full
%expect 0
%locations
%param {struct lexer *lexer}
%parse-param {struct parser *parser}
%initial-action { @$ = lex_span(lexer, 0, 0); }

%token END 0 "the end of the file"
%token SYNC "the end of the statement"
%token <const char *>
    NAME "a name"  IMPORT "import"  AS "as"  NETWORK "network"  BLOCK "block"
    SHORTCUT "shortcut"  NORM "norm"  SCALE "scale"  DROP "drop"  THEN "then"
    INPUT "input"  OUTPUT "output"  LOSS "loss"  INIT "init"
    SHARED "shared"  IF "if"  ELSE "else"  BEFORE "before"  AFTER "after"
    AROUND "around"  WEIGHTS "weights"  GRAPH "graph"
    REPEAT "repeat"  STREAM "stream"
    FROZEN "frozen"  CHECKPOINT "checkpoint"
%token <const char *> STRING "a text in quotes"
%token <struct ast *> NUMBER "a number"
%token ARROW "->"  DOTS ".."  ASSIGN "="  ADD_ASSIGN "+="
    OR "||"  AND "&&"  EQ "=="  NE "!="  LT "<"  GT ">"  LE "<="  GE ">="
    PLUS "+"  MINUS "-"  TIMES "*"  DIVIDE "/"  POWER "^"
    QUESTION "?"  COLON ":"  COMMA ","  DOT "."
    OPEN "("  CLOSE ")"  BEGIN_LIST "["  END_LIST "]"
    BEGIN_BODY "{"  END_BODY "}"

%left OR
%left AND
%nonassoc EQ NE
%nonassoc LT GT LE GE
%left PLUS MINUS
%left TIMES DIVIDE
%precedence NEGATE
%right POWER

%type <struct ast *> declaration body item line chain expr head atom group
%type <struct ast *> parameter argument dim preset given otherwise
%type <struct norm_place> place
%type <struct list> parameters some_parameters items flow lflow
%type <struct list> arguments some_arguments chains dims some_dims
%type <const char *> word type
%type <bool> weights
%type <enum ast_kind> one_chain

%%

file: declarations END ;

declarations:
    %empty
  | declarations declaration    { ast_declared(parser, $declaration); }
  ;

declaration:
    IMPORT STRING[path]
        { $$ = ast_import(parser, @$, $path, NULL, @path); }
  | IMPORT STRING[path] AS NAME[name]
        { $$ = ast_import(parser, @$, $path, $name, @name); }
  | NETWORK NAME[name] parameters[p] body
        { $$ = ast_declare(parser, AST_NETWORK, @$, $name, @name, $p, $body); }
  | BLOCK NAME[name] parameters[p] body
        { $$ = ast_declare(parser, AST_BLOCK, @$, $name, @name, $p, $body); }
  | error SYNC                  { yyerrok; $$ = ast_bad(parser, @$); }
  ;

parameters:
    %empty                              { $$ = list_one(NULL); }
  | OPEN some_parameters[p] CLOSE       { $$ = $p; }
  | OPEN error CLOSE        { yyerrok; $$ = list_one(ast_bad(parser, @$)); }
  ;
some_parameters:
    parameter                           { $$ = list_one($1); }
  | some_parameters[p] COMMA parameter  { $$ = list_add($p, $parameter); }
  ;
parameter: NAME[name] preset
        { $$ = ast_name(parser, AST_PARAMETER, @$, $name, @name, $preset); }
  ;
preset: %empty { $$ = NULL; }  |  ASSIGN chain { $$ = $chain; } ;

body: BEGIN_BODY items END_BODY
        { $$ = ast_many(parser, AST_BODY, @$, $items); }
  ;
items:
    %empty                      { $$ = list_one(NULL); }
  | items item                  { $$ = list_add($1, $item); }
  ;

item:
    line                        { $$ = ast_one(parser, AST_LINE, @$, $line); }
  | NAME[name] ASSIGN chain
        { $$ = ast_name(parser, AST_ASSIGN, @$, $name, @name, $chain); }
  | NAME[name] ADD_ASSIGN chain
        { $$ = ast_name(parser, AST_PLUS_ASSIGN, @$, $name, @name, $chain); }
  | SHARED NAME[name] ASSIGN chain
        { $$ = ast_name(parser, AST_SHARED, @$, $name, @name, $chain); }
  | one_chain chain             { $$ = ast_one(parser, $1, @$, $chain); }
  | NORM chain place            { $$ = ast_norm(parser, @$, $chain, $place); }
  | INPUT NAME[name] type BEGIN_LIST dims END_LIST
        { $$ = ast_input(parser, @$, $name, @name, $type, $dims); }
  | INPUT NAME[name] GRAPH
        { $$ = ast_input(parser, @$, $name, @name, $GRAPH, list_one(NULL)); }
  | INPUT NAME[name] GRAPH BEGIN_LIST dims END_LIST
        { $$ = ast_input(parser, @$, $name, @name, $GRAPH, $dims); }
  | INPUT NAME[name] type BEGIN_LIST error END_LIST
        { yyerrok;
          $$ = ast_input(parser, @$, $name, @name, $type, list_one(NULL)); }
  | OUTPUT NAME[name] given
        { $$ = ast_name(parser, AST_OUTPUT, @$, $name, @name, $given); }
  | IF expr body otherwise
        { $$ = ast_if(parser, @$, $expr, $body, $otherwise); }
  | error SYNC                  { yyerrok; $$ = ast_bad(parser, @$); }
  ;

one_chain:
    SHORTCUT { $$ = AST_SHORTCUT; }  |  SCALE { $$ = AST_SCALE; }
  | DROP     { $$ = AST_DROP; }      |  THEN  { $$ = AST_THEN; }
  | LOSS     { $$ = AST_LOSS; }      |  INIT  { $$ = AST_INIT; }
  ;
given: %empty { $$ = NULL; }  |  ASSIGN chain { $$ = $chain; } ;
type:  %empty { $$ = NULL; }  |  NAME ;

place:
    BEFORE weights
        { $$ = (struct norm_place){ PLACE_BEFORE, $weights }; }
  | AFTER weights
        { $$ = (struct norm_place){ PLACE_AFTER, $weights }; }
  | AROUND weights
        { $$ = (struct norm_place){ PLACE_AROUND, $weights }; }
  ;
weights: %empty { $$ = false; }  |  WEIGHTS { $$ = true; } ;

dims:
    %empty                      { $$ = list_one(NULL); }
  | some_dims
  ;
some_dims:
    dim                         { $$ = list_one($dim); }
  | some_dims COMMA dim         { $$ = list_add($1, $dim); }
  ;
dim: DOTS { $$ = ast_leaf(parser, AST_DOTS, @$); }  |  expr ;

otherwise:
    %empty                      { $$ = NULL; }
  | ELSE body                   { $$ = $body; }
  | ELSE IF expr body otherwise[more]
        { $$ = ast_if(parser, lex_span(lexer, @2.begin, @$.end), $expr, $body,
                      $more); }
  ;

group:
    body
  | REPEAT expr body
        { $$ = ast_group(parser, AST_REPEAT, @$, $expr, $body); }
  | REPEAT expr AS NAME[name] body
        { $$ = ast_group(parser, AST_REPEAT, @$, $expr, $body);
          $$->name = $name; $$->name_span = @name; }
  | STREAM atom group[of]
        { $$ = ast_group(parser, AST_STREAM, @$, $atom, $of); }
  | FROZEN group[of]
        { $$ = ast_group(parser, AST_FROZEN, @$, NULL, $of); }
  | CHECKPOINT group[of]
        { $$ = ast_group(parser, AST_CHECKPOINT, @$, NULL, $of); }
  ;

chain:
    flow                        { $$ = ast_flow(parser, @$, $flow); }
  | expr QUESTION chain[yes] COLON chain[no]
        { $$ = ast_condition(parser, @$, $expr, $yes, $no); }
  ;
flow:
    expr                        { $$ = list_one($expr); }
  | flow[links] ARROW expr      { $$ = list_add($links, $expr); }
  | flow[links] AS NAME[name]
        { $$ = list_as(parser, $links, $name, @name); }
  ;

/* A chain that begins a statement: never with '(', '-' or '['. */
line:
    lflow                       { $$ = ast_flow(parser, @$, $lflow); }
  | head QUESTION chain[yes] COLON chain[no]
        { $$ = ast_condition(parser, @$, $head, $yes, $no); }
  ;
lflow:
    head                        { $$ = list_one($head); }
  | lflow[links] ARROW expr     { $$ = list_add($links, $expr); }
  | lflow[links] AS NAME[name]
        { $$ = list_as(parser, $links, $name, @name); }
  ;

expr:
    atom
  | group
  | NUMBER
  | BEGIN_LIST chains[list] END_LIST
        { $$ = ast_many(parser, AST_LIST, @$, $list); }
  | BEGIN_LIST error END_LIST   { yyerrok; $$ = ast_bad(parser, @$); }
  | OPEN chain CLOSE            { $$ = ast_wrap($chain, @$); }
  | OPEN error CLOSE            { yyerrok; $$ = ast_bad(parser, @$); }
  | MINUS expr[a] %prec NEGATE
        { $$ = ast_one(parser, AST_NEGATE, @$, $a); }
  | expr[a] OR expr[b]      { $$ = ast_binary(parser, @$, AST_OR, $a, $b); }
  | expr[a] AND expr[b]     { $$ = ast_binary(parser, @$, AST_AND, $a, $b); }
  | expr[a] EQ expr[b]      { $$ = ast_binary(parser, @$, AST_EQ, $a, $b); }
  | expr[a] NE expr[b]      { $$ = ast_binary(parser, @$, AST_NE, $a, $b); }
  | expr[a] LT expr[b]      { $$ = ast_binary(parser, @$, AST_LT, $a, $b); }
  | expr[a] GT expr[b]      { $$ = ast_binary(parser, @$, AST_GT, $a, $b); }
  | expr[a] LE expr[b]      { $$ = ast_binary(parser, @$, AST_LE, $a, $b); }
  | expr[a] GE expr[b]      { $$ = ast_binary(parser, @$, AST_GE, $a, $b); }
  | expr[a] PLUS expr[b]    { $$ = ast_binary(parser, @$, AST_ADD, $a, $b); }
  | expr[a] MINUS expr[b]   { $$ = ast_binary(parser, @$, AST_SUB, $a, $b); }
  | expr[a] TIMES expr[b]   { $$ = ast_binary(parser, @$, AST_MUL, $a, $b); }
  | expr[a] DIVIDE expr[b]  { $$ = ast_binary(parser, @$, AST_DIV, $a, $b); }
  | expr[a] POWER expr[b]   { $$ = ast_binary(parser, @$, AST_POW, $a, $b); }
  ;

head:
    atom
  | group
  | head[a] OR expr[b]      { $$ = ast_binary(parser, @$, AST_OR, $a, $b); }
  | head[a] AND expr[b]     { $$ = ast_binary(parser, @$, AST_AND, $a, $b); }
  | head[a] EQ expr[b]      { $$ = ast_binary(parser, @$, AST_EQ, $a, $b); }
  | head[a] NE expr[b]      { $$ = ast_binary(parser, @$, AST_NE, $a, $b); }
  | head[a] LT expr[b]      { $$ = ast_binary(parser, @$, AST_LT, $a, $b); }
  | head[a] GT expr[b]      { $$ = ast_binary(parser, @$, AST_GT, $a, $b); }
  | head[a] LE expr[b]      { $$ = ast_binary(parser, @$, AST_LE, $a, $b); }
  | head[a] GE expr[b]      { $$ = ast_binary(parser, @$, AST_GE, $a, $b); }
  | head[a] PLUS expr[b]    { $$ = ast_binary(parser, @$, AST_ADD, $a, $b); }
  | head[a] MINUS expr[b]   { $$ = ast_binary(parser, @$, AST_SUB, $a, $b); }
  | head[a] TIMES expr[b]   { $$ = ast_binary(parser, @$, AST_MUL, $a, $b); }
  | head[a] DIVIDE expr[b]  { $$ = ast_binary(parser, @$, AST_DIV, $a, $b); }
  | head[a] POWER expr[b]   { $$ = ast_binary(parser, @$, AST_POW, $a, $b); }
  ;

atom:
    NAME[name]
        { $$ = ast_name(parser, AST_NAME, @$, $name, @name, NULL); }
  | NAME[name] OPEN arguments CLOSE
        { warn_juxtaposed(parser, @name, @OPEN);
          $$ = ast_call(parser, @$, $name, @name, $arguments); }
  | NAME[name] OPEN error CLOSE
        { yyerrok;
          $$ = ast_call(parser, @$, $name, @name,
                        list_one(ast_bad(parser, @$))); }
  | atom[a] DOT word[name]
        { $$ = ast_name(parser, AST_MEMBER, @$, $name, @name, $a); }
  ;

arguments: %empty { $$ = list_one(NULL); }  |  some_arguments ;
some_arguments:
    argument                            { $$ = list_one($1); }
  | some_arguments COMMA argument       { $$ = list_add($1, $argument); }
  ;
argument:
    chain       { $$ = ast_one(parser, AST_ARGUMENT, @$, $chain); }
  | word[name] ASSIGN chain
        { $$ = ast_name(parser, AST_ARGUMENT, @$, $name, @name, $chain); }
  | SHORTCUT[name]                      /* gated(shortcut) */
        { $$ = ast_one(parser, AST_ARGUMENT, @$,
              ast_name(parser, AST_NAME, @name, $name, @name, NULL)); }
  ;

chains:
    chain                       { $$ = list_one($chain); }
  | chains COMMA chain          { $$ = list_add($1, $chain); }
  ;

word:
    NAME | IMPORT | AS | NETWORK | BLOCK | SHORTCUT | NORM | SCALE | DROP
  | THEN | INPUT | OUTPUT | LOSS | INIT | SHARED | IF | ELSE | BEFORE | AFTER
  | AROUND | WEIGHTS | GRAPH | REPEAT | STREAM | FROZEN | CHECKPOINT
  ;

%%

/* From the first symbol to the last; an empty rule lies at the end of what it
 * follows.  What was skipped after an error may end before the token that the
 * error was found at. */
static struct span span_of(const struct span *rhs, int n)
{
    struct span span = rhs[n];

    span.begin = n > 0 ? rhs[1].begin : rhs[0].end;
    if (span.begin > span.end)
        span.begin = span.end;
    return span;
}

/* Bison calls this for one thing only: its stack is full. */
static void yyerror(const struct span *where, struct lexer *lexer,
                    struct parser *parser, const char *message)
{
    (void)lexer;
    (void)message;
    syntax_too_deep(parser, *where);
}

static int yyreport_syntax_error(const yypcontext_t *context,
                                 struct lexer *lexer, struct parser *parser)
{
    yysymbol_kind_t list[YYNTOKENS];
    bool expected[YYNTOKENS] = {false};
    int count = yypcontext_expected_tokens(context, list, YYNTOKENS);

    (void)parser;
    for (int i = 0; i < count; i++)
        expected[list[i]] = true;
    if (!lexer->token.made)
        syntax_report(lexer, expected);
    recover_begin(lexer);
    return 0;
}

/* A '(' at the beginning of a line opens the arguments of the name before. */
static void warn_juxtaposed(struct parser *parser, struct span name,
                            struct span open)
{
    struct diag *diag = parser->diag;

    if (diag_line(diag, name) == diag_line(diag, open))
        return;
    diag_warning(diag, "juxtaposition", &open,
                 "this '(' opens the arguments of the name on the line before");
    diag_note(diag, &name, "write the '(' directly after it");
}

struct ast *parse_file(struct arena *arena, struct names *names,
                       struct diag *diag, int file)
{
    const struct source *source = &diag->sources[file];
    struct parser parser = {
        .arena = arena, .names = names, .diag = diag, .file = file
    };
    struct lexer lexer = {
        .parser = &parser, .text = source->text, .length = source->length,
        .fresh = true
    };

    parser.tree = ast_leaf(&parser, AST_FILE,
                           lex_span(&lexer, 0, source->length));
    yyparse(&lexer, &parser);
    return parser.tree;
}
