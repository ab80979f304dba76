/* lex.re: words, numbers and signs of a .rnet file.  The whole file is in
 * memory and ends in a NUL.  What is easily put right is reported with the fix
 * and handed on as if it had been written so: no second message follows. */
#include <errno.h>
#include <string.h>

#include "parse.h"

struct span lex_span(const struct lexer *lexer, uint32_t begin, uint32_t end)
{
    return (struct span){ lexer->parser->file, begin, end };
}

void lex_rewind(struct lexer *lexer, const struct token *token)
{
    lexer->cursor = token->begin;
    lexer->line_begin = token->line_begin;
    lexer->indent = token->indent;
    lexer->fresh = token->first;
}

char lex_peek(const struct lexer *lexer, uint32_t at)
{
    while (at < lexer->length && strchr(" \t\r\n", lexer->text[at]))
        at++;
    return lexer->text[at];
}

/* An error over the text from the token's beginning to the cursor. */
static void complain(struct lexer *lexer, const char *message)
{
    struct span span = lex_span(lexer, lexer->token.begin, lexer->cursor);

    if (lexer->silent)
        return;
    diag_error(lexer->parser->diag, &span, "%s", message);
    lexer->error_end = lexer->cursor;
}

static int repair(struct lexer *lexer, int kind, const char *message)
{
    complain(lexer, message);
    return kind;
}

/* ---- words ---- */

static const struct { const char *word; int kind; } keywords[] = {
    { "import", TOKEN_IMPORT },     { "as", TOKEN_AS },
    { "network", TOKEN_NETWORK },   { "block", TOKEN_BLOCK },
    { "shortcut", TOKEN_SHORTCUT }, { "norm", TOKEN_NORM },
    { "scale", TOKEN_SCALE },       { "drop", TOKEN_DROP },
    { "then", TOKEN_THEN },         { "input", TOKEN_INPUT },
    { "output", TOKEN_OUTPUT },     { "loss", TOKEN_LOSS },
    { "init", TOKEN_INIT },         { "shared", TOKEN_SHARED },
    { "if", TOKEN_IF },             { "else", TOKEN_ELSE },
    { "before", TOKEN_BEFORE },     { "after", TOKEN_AFTER },
    { "around", TOKEN_AROUND },     { "weights", TOKEN_WEIGHTS },
    { "repeat", TOKEN_REPEAT },     { "stream", TOKEN_STREAM },
    { "frozen", TOKEN_FROZEN },     { "checkpoint", TOKEN_CHECKPOINT },
    { "graph", TOKEN_GRAPH }
};

int lex_word(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strlen(keywords[i].word) == length
            && memcmp(keywords[i].word, text, length) == 0)
            return keywords[i].kind;
    return TOKEN_NAME;
}

static int word(struct lexer *lexer, YYSTYPE *value)
{
    const char *text = lexer->text + lexer->token.begin;
    size_t length = lexer->cursor - lexer->token.begin;

    if (length > LIMIT_NAME) {
        complain(lexer, arena_format(lexer->parser->arena, "this name is too "
                                     "long: the limit is %d bytes",
                                     LIMIT_NAME));
        length = LIMIT_NAME;
    }
    value->TOKEN_NAME = intern(lexer->parser->names, text, length);
    return lex_word(text, length);
}

static int foreign_word(struct lexer *lexer, YYSTYPE *value)
{
    complain(lexer, "a name is written with the letters a-z and A-Z, digits "
             "and '_'");
    return word(lexer, value);
}

/* A file's name: the bytes between the quotes. */
static int string(struct lexer *lexer, YYSTYPE *value, uint32_t quotes)
{
    uint32_t begin = lexer->token.begin + 1;

    value->TOKEN_STRING = arena_text(lexer->parser->arena, lexer->text + begin,
                                     lexer->cursor - begin - (quotes - 1));
    return TOKEN_STRING;
}

/* ---- numbers ---- */

static int number(struct lexer *lexer, YYSTYPE *value)
{
    struct parser *parser = lexer->parser;
    struct span span = lex_span(lexer, lexer->token.begin, lexer->cursor);
    struct ast *ast = ast_leaf(parser, AST_NUMBER, span);
    const char *text = arena_text(parser->arena, lexer->text + span.begin,
                                  span.end - span.begin);

    ast->text = text;
    ast->is_integer = strspn(text, "0123456789") == strlen(text);
    errno = 0;
    if (ast->is_integer)
        ast->integer = strtoll(text, NULL, 10);
    else
        ast->number = strtod(text, NULL);
    if (errno == ERANGE && ast->is_integer)
        complain(lexer, "this integer is too large: the largest is "
                 "9223372036854775807");
    else if (errno == ERANGE)
        complain(lexer, ast->number > 1 ? "this number is too large: the "
                 "largest is about 1.8e308" : "this number is too small to be "
                 "told from zero: write 0");
    value->TOKEN_NUMBER = ast;
    return TOKEN_NUMBER;
}

/* A number that ends `extra` bytes before the cursor; what the message says
 * covers all of them. */
static int bad_number(struct lexer *lexer, YYSTYPE *value, uint32_t extra,
                      const char *message)
{
    uint32_t end = lexer->cursor;
    int kind;

    complain(lexer, message);
    lexer->cursor = end - extra;
    kind = number(lexer, value);
    lexer->cursor = end;
    return kind;
}

/* `2w`, and what else begins with a digit and goes on with a letter. */
static int number_word(struct lexer *lexer, YYSTYPE *value)
{
    const char *text = lexer->text + lexer->token.begin;
    uint32_t length = lexer->cursor - lexer->token.begin;
    uint32_t digits = (uint32_t)strspn(text, "0123456789.");
    const char *rest = text + digits;

    if (digits == 1 && *text == '0' && strchr("xXbBoO", *rest))
        return bad_number(lexer, value, length - digits,
                          "numbers are written in decimal only");
    if (*rest == '_')
        return bad_number(lexer, value, length - digits,
                          "digits are not grouped with '_': leave it out");
    if (digits + 1 == length && (*rest == 'f' || *rest == 'F'))
        return bad_number(lexer, value, 1, "a number has no suffix: leave the "
                          "'f' out");
    return bad_number(lexer, value, length - digits,
                      arena_format(lexer->parser->arena, "a product needs its "
                                   "'*': write '%.*s * %.*s'",
                                   digits < 40 ? (int)digits : 40, text,
                                   length - digits < 40
                                   ? (int)(length - digits) : 40, rest));
}

/* ---- comments ---- */

/* From after the opening; false when the file ends first. */
static bool comment(struct lexer *lexer)
{
    for (uint32_t i = lexer->cursor; i < lexer->length; i++) {
        if (lexer->text[i] == '\n') {
            lexer->line_begin = i + 1;
            lexer->fresh = true;
        }
        if (lexer->text[i] == '*' && lexer->text[i + 1] == '/') {
            lexer->cursor = i + 2;
            return true;
        }
    }
    complain(lexer, "this comment is never closed: '*/' is missing");
    lexer->quiet_end = true;
    lexer->cursor = lexer->length;
    return false;
}

/* ---- signs that are not ASCII ---- */

static int foreign_sign(struct lexer *lexer)
{
    static const struct { const char *sign, *ascii; int kind; } signs[] = {
        { "\u2192", "->", TOKEN_ARROW }, { "\u21D2", "->", TOKEN_ARROW },
        { "\u2212", "-", TOKEN_MINUS },  { "\u2013", "-", TOKEN_MINUS },
        { "\u00D7", "*", TOKEN_TIMES },  { "\u00F7", "/", TOKEN_DIVIDE },
        { "\u2264", "<=", TOKEN_LE },    { "\u2265", ">=", TOKEN_GE },
        { "\u2260", "!=", TOKEN_NE },    { "\u2026", "..", TOKEN_DOTS }
    };
    const char *text = lexer->text + lexer->token.begin;

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strncmp(text, signs[i].sign, strlen(signs[i].sign)) == 0) {
            lexer->cursor = lexer->token.begin
                          + (uint32_t)strlen(signs[i].sign);
            complain(lexer, arena_format(lexer->parser->arena, "write '%s'",
                                         signs[i].ascii));
            return signs[i].kind;
        }
    complain(lexer, "this character is no part of the language outside "
             "comments");
    return TOKEN_YYerror;
}

/* ---- the scanner ---- */

/* Notes where the token that begins at the cursor stands. */
static void begin_token(struct lexer *lexer)
{
    lexer->token = (struct token){
        .begin = lexer->cursor, .line_begin = lexer->line_begin,
        .depth = lexer->depth, .first = lexer->fresh
    };
}

static int end_token(struct lexer *lexer, int kind)
{
    if (lexer->token.first)
        lexer->indent = lexer->token.begin - lexer->token.line_begin;
    lexer->fresh = false;
    lexer->token.indent = lexer->indent;
    lexer->token.end = lexer->cursor;
    lexer->token.kind = kind;
    return kind;
}

/* What the bytes at the cursor are: a token's kind, or SKIPPED. */
enum { SKIPPED = -1 };

static int match(struct lexer *lexer, YYSTYPE *value)
{
    const unsigned char *text = (const unsigned char *)lexer->text;
    const unsigned char *cursor = text + lexer->cursor, *marker;

#define AT_END (lexer->cursor = (uint32_t)(cursor - text))
#define SAY(kind, message) return AT_END, repair(lexer, (kind), (message))
/*!re2c
    re2c:yyfill:enable = 0;
    re2c:sentinel = 0;
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYCURSOR = cursor;
    re2c:define:YYMARKER = marker;

    digits = [0-9]+;
    real   = digits "." digits ([eE] [+-]? digits)? | digits [eE] [+-]? digits;
    letter = [A-Za-z_];
    word   = letter [A-Za-z0-9_]*;
    tail   = [\x80-\xBF];
    far    = ([\xC3-\xDF] | [\xE0\xE1\xE3-\xEF] tail | [\xF0-\xF4] tail tail)
             tail;
    byte   = [^\x00-\x1F\x7F"\\];

    [ \t\r\f\v]+            { AT_END; return SKIPPED; }
    "\n"                    { AT_END; lexer->line_begin = lexer->cursor;
                              lexer->fresh = true; return SKIPPED; }
    "//" [^\n\x00]*         { AT_END; return SKIPPED; }
    "/*"                    { AT_END; comment(lexer); return SKIPPED; }
    "\x00"                  { lexer->cursor = lexer->length; return TOKEN_END; }

    word                    { AT_END; return word(lexer, value); }
    word? far (letter | [0-9] | far)*
                            { AT_END; cursor = text + lexer->token.begin;
                              if (*cursor == 0xC3
                                  && (cursor[1] == 0x97 || cursor[1] == 0xB7))
                                  return foreign_sign(lexer);
                              return foreign_word(lexer, value); }
    digits | real           { AT_END; return number(lexer, value); }
    digits ".."             { cursor -= 2; AT_END;
                              return number(lexer, value); }
    digits "."              { AT_END; return bad_number(lexer, value, 1,
                              "a digit follows the point: write '.0'"); }
    "." digits              { AT_END; return bad_number(lexer, value, 0,
                              "a digit precedes the point: write '0' before "
                              "it"); }
    real ("." digits)+      { AT_END; return bad_number(lexer, value, 0,
                              "a number has one point"); }
    (digits | real) word    { AT_END; return number_word(lexer, value); }

    ["] byte* ["]           { AT_END; return string(lexer, value, 2); }
    ["] [^\x00-\x1F\x7F"]* ["]
                            { AT_END; string(lexer, value, 2);
                              return repair(lexer, TOKEN_STRING, "there is no "
                              "'\\' in a file's name: folders are separated by "
                              "'/'"); }
    ["] [^\x00-\x1F\x7F"]*  { AT_END; string(lexer, value, 1);
                              return repair(lexer, TOKEN_STRING, "this text is "
                              "never closed: '\"' is missing on the line"); }
    ['] [^\x00-\x1F\x7F"']* [']
                            { AT_END; string(lexer, value, 2);
                              return repair(lexer, TOKEN_STRING,
                              "a file's name is written in double quotes"); }

    "->"    { AT_END; return TOKEN_ARROW; }
    ".."    { AT_END; return TOKEN_DOTS; }
    "="     { AT_END; return TOKEN_ASSIGN; }
    "+="    { AT_END; return TOKEN_ADD_ASSIGN; }
    "||"    { AT_END; return TOKEN_OR; }
    "&&"    { AT_END; return TOKEN_AND; }
    "=="    { AT_END; return TOKEN_EQ; }
    "!="    { AT_END; return TOKEN_NE; }
    "<"     { AT_END; return TOKEN_LT; }
    ">"     { AT_END; return TOKEN_GT; }
    "<="    { AT_END; return TOKEN_LE; }
    ">="    { AT_END; return TOKEN_GE; }
    "+"     { AT_END; return TOKEN_PLUS; }
    "-"     { AT_END; return TOKEN_MINUS; }
    "*"     { AT_END; return TOKEN_TIMES; }
    "/"     { AT_END; return TOKEN_DIVIDE; }
    "^"     { AT_END; return TOKEN_POWER; }
    "?"     { AT_END; return TOKEN_QUESTION; }
    ":"     { AT_END; return TOKEN_COLON; }
    ","     { AT_END; return TOKEN_COMMA; }
    "."     { AT_END; return TOKEN_DOT; }
    "("     { AT_END; return TOKEN_OPEN; }
    ")"     { AT_END; return TOKEN_CLOSE; }
    "["     { AT_END; return TOKEN_BEGIN_LIST; }
    "]"     { AT_END; return TOKEN_END_LIST; }
    "{"     { AT_END; return TOKEN_BEGIN_BODY; }
    "}"     { AT_END; return TOKEN_END_BODY; }

    ";"+    { SAY(SKIPPED, "';' is needless: a statement ends where the next "
                  "begins"); }
    "#" [^\n\x00]*
            { SAY(SKIPPED, "a comment begins with '//'"); }
    "!"     { SAY(SKIPPED, "there is no '!': write '== 0', or '!=' to "
                  "compare"); }
    "\xC2\xA0"
            { SAY(SKIPPED, "this blank is a no-break space: write a plain "
                  "one"); }
    "=>"    { SAY(TOKEN_ARROW, "write '->'"); }
    "|>"    { SAY(TOKEN_ARROW, "write '->'"); }
    "-->" | "--->"
            { SAY(TOKEN_ARROW, "write '->'"); }
    "&"     { SAY(TOKEN_AND, "'and' is written '&&'"); }
    "|"     { SAY(TOKEN_OR, "'or' is written '||'"); }
    "**"    { SAY(TOKEN_POWER, "a power is written '^'"); }
    "==="   { SAY(TOKEN_EQ, "write '=='"); }
    "<>"    { SAY(TOKEN_NE, "write '!='"); }
    "=<"    { SAY(TOKEN_LE, "write '<='"); }
    ":="    { SAY(TOKEN_ASSIGN, "write '='"); }
    "..."   { SAY(TOKEN_DOTS, "write '..'"); }
    [-*/^] "="
            { SAY(TOKEN_ADD_ASSIGN, "of these only '+=' exists: write out "
                  "'name = name ...'"); }
    "%"     { SAY(TOKEN_YYerror, "there is no '%'"); }
    "\xE2" tail tail
            { AT_END; return foreign_sign(lexer); }
    *       { AT_END; return repair(lexer, TOKEN_YYerror, "this character is "
                                    "no part of the language"); }
*/
#undef AT_END
#undef SAY
}

int lex_scan(struct lexer *lexer, YYSTYPE *value)
{
    int kind;

    do {
        begin_token(lexer);
        kind = match(lexer, value);
    } while (kind == SKIPPED);
    return end_token(lexer, kind);
}
