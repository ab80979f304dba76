/* recover.c: the parser's source of tokens.  It matches brackets, and after an
 * error it finds the place where parsing can go on.
 *
 * The grammar takes up again after an error in two ways: in brackets at the
 * closing one, `'(' error ')'`; elsewhere at the end of the statement, `error
 * SYNC`.  So after an error the text from the offending token on is skipped to
 *   - the bracket that closes the innermost open one;
 *   - or a statement's beginning: a word that can begin one at the beginning
 *     of a line (in parentheses: of a line that is not indented further than
 *     the one that opened them), or a later keyword of statements anywhere;
 *   - or a declaration at the beginning of a line, or the end of the file.
 * Brackets left open there are closed by tokens made up, innermost first, and
 * an error at one of those is not reported.  Indentation and lines matter here
 * only, never to the meaning of a correct file.
 *
 * It ends on every input: whatever token parsing goes on with is one that the
 * parser takes there, so the next error is further on. */
#include "parse.h"

bool is_statement_keyword(int kind)
{
    return (kind >= TOKEN_SHORTCUT && kind <= TOKEN_IF);
}

bool is_declaration_keyword(int kind)
{
    return kind == TOKEN_IMPORT || kind == TOKEN_NETWORK || kind == TOKEN_BLOCK;
}

static bool begins_statement(int kind)
{
    return is_statement_keyword(kind) || kind == TOKEN_NAME
        || kind == TOKEN_BEGIN_BODY
        || (kind >= TOKEN_REPEAT && kind <= TOKEN_CHECKPOINT);
}

static bool is_opening(int kind)
{
    return kind == TOKEN_OPEN || kind == TOKEN_BEGIN_LIST
        || kind == TOKEN_BEGIN_BODY;
}

static bool is_closing(int kind)
{
    return kind == TOKEN_CLOSE || kind == TOKEN_END_LIST
        || kind == TOKEN_END_BODY;
}

static int closing_of(int kind)
{
    return kind == TOKEN_OPEN ? TOKEN_CLOSE
         : kind == TOKEN_BEGIN_LIST ? TOKEN_END_LIST : TOKEN_END_BODY;
}

/* The innermost open bracket's kind; 0 outside of all. */
static int innermost(const struct lexer *lexer)
{
    return lexer->depth > 0 ? lexer->brackets[lexer->depth - 1].kind : 0;
}

static bool in_parentheses(const struct lexer *lexer)
{
    return innermost(lexer) == TOKEN_OPEN
        || innermost(lexer) == TOKEN_BEGIN_LIST;
}

/* Brackets open outside of the innermost parentheses. */
static int statement_depth(const struct lexer *lexer)
{
    int depth = lexer->depth;

    while (depth > 0 && lexer->brackets[depth - 1].kind != TOKEN_BEGIN_BODY)
        depth--;
    return depth;
}

/* ---- made-up tokens ---- */

static int make_token(struct lexer *lexer, int kind)
{
    lexer->previous = lexer->token;
    lexer->token = (struct token){
        .kind = kind, .begin = lexer->end, .end = lexer->end,
        .depth = lexer->depth, .made = true
    };
    return kind;
}

/* Closes the innermost bracket.  After the last of a statement's parentheses
 * the statement is given up, or the next would seem to go on with it. */
static int make_closing(struct lexer *lexer)
{
    bool parentheses = in_parentheses(lexer);
    int kind = closing_of(innermost(lexer));

    make_token(lexer, kind);
    lexer->depth--;
    if (parentheses && !in_parentheses(lexer)
        && lexer->text[lexer->cursor] != '{')
        lexer->mode = LEX_GIVE_UP;
    return kind;
}

/* Closes brackets down to `depth`, from an error on: the parser first takes
 * what ends the innermost. */
static int abandon(struct lexer *lexer, int depth)
{
    lexer->close_to = depth;
    lexer->mode = LEX_CLOSE;
    if (in_parentheses(lexer))
        return make_closing(lexer);
    return make_token(lexer, TOKEN_SYNC);
}

/* ---- skipping to where parsing can go on ---- */

enum { GO_ON = -1 };

/* What has been opened and not closed since skipping began, and how the line
 * is indented that opened the first parenthesis. */
struct skipped {
    uint32_t from;              /* the offending token */
    int parentheses, braces;
    uint32_t indent;
};

static bool is_assigned(const struct lexer *lexer)
{
    return lex_peek(lexer, lexer->token.end) == '=';
}

/* A name or a text in quotes follows. */
static bool is_named(const struct lexer *lexer)
{
    char next = lex_peek(lexer, lexer->token.end);

    return next == '"' || next == '_' || (next >= 'A' && next <= 'Z')
        || (next >= 'a' && next <= 'z');
}

static bool is_declaration(const struct lexer *lexer)
{
    const struct token *token = &lexer->token;

    if (!is_declaration_keyword(token->kind) || is_assigned(lexer))
        return false;
    if (lexer->depth == 0)
        return token->first || is_named(lexer);
    return token->first && token->indent <= lexer->brackets[0].indent;
}

static bool is_statement(const struct lexer *lexer, const struct skipped *s)
{
    const struct token *token = &lexer->token;
    bool inside = s->parentheses > 0 || in_parentheses(lexer);

    if (s->braces > 0 || !begins_statement(token->kind)
        || statement_depth(lexer) == 0)
        return false;
    if (!token->first)
        return !inside && is_statement_keyword(token->kind)
            && token->begin > s->from && !is_assigned(lexer)
            && lexer->text[token->begin - 1] != '.';
    if (inside && is_statement_keyword(token->kind))
        return !is_assigned(lexer);
    return !inside || token->indent <= s->indent;
}

/* The body of a declaration whose parameters are not closed. */
static bool is_late_body(const struct lexer *lexer, const struct skipped *s)
{
    return lexer->token.kind == TOKEN_BEGIN_BODY && in_parentheses(lexer)
        && statement_depth(lexer) == 0 && s->parentheses == 0
        && s->braces == 0;
}

static bool closes_innermost(const struct lexer *lexer,
                             const struct skipped *s)
{
    return s->parentheses == 0 && s->braces == 0 && lexer->depth > 0
        && lexer->token.kind == closing_of(innermost(lexer));
}

/* A '}' that closes the body around open parentheses. */
static bool closes_body(const struct lexer *lexer, const struct skipped *s)
{
    return lexer->token.kind == TOKEN_END_BODY && s->braces == 0
        && statement_depth(lexer) > 0;
}

/* The '}' whose '{' is missing and was reported: it is indented further than
 * the line of the brace that it would close.  It is left out. */
static bool closes_missing(struct lexer *lexer)
{
    if (lexer->token.kind != TOKEN_END_BODY || lexer->missing == 0
        || lexer->missing != lexer->depth
        || lexer->token.indent <= lexer->brackets[lexer->depth - 1].indent)
        return false;
    lexer->missing = 0;
    return true;
}

/* When parsing goes on at lexer->token: at how many open brackets. */
static int stop_at(const struct lexer *lexer, const struct skipped *s)
{
    if (lexer->token.kind == TOKEN_END
        || (is_declaration(lexer) && (lexer->depth > 0 || s->braces == 0)))
        return 0;
    if (closes_innermost(lexer, s))
        return lexer->depth;
    if (closes_body(lexer, s) || is_statement(lexer, s)
        || is_late_body(lexer, s))
        return statement_depth(lexer);
    return GO_ON;
}

static void count_skipped(const struct lexer *lexer, struct skipped *s)
{
    int kind = lexer->token.kind;

    if (kind == TOKEN_BEGIN_BODY) {
        s->braces++;
    } else if (kind == TOKEN_END_BODY && s->braces > 0) {
        s->braces--;
    } else if (s->braces == 0 && is_opening(kind)) {
        if (s->parentheses++ == 0 && !in_parentheses(lexer))
            s->indent = lexer->token.indent;
    } else if (s->braces == 0 && is_closing(kind) && s->parentheses > 0) {
        s->parentheses--;
    }
}

/* From the cursor on; lexer->token is the one that parsing goes on with. */
static int skip(struct lexer *lexer, YYSTYPE *value)
{
    int depth, outer = statement_depth(lexer);
    struct skipped skipped = { .from = lexer->cursor };

    if (outer < lexer->depth)
        skipped.indent = lexer->brackets[outer].indent;
    lexer->silent = true;
    for (;;) {
        lex_scan(lexer, value);
        if (skipped.braces == 0 && closes_missing(lexer))
            continue;
        depth = stop_at(lexer, &skipped);
        if (depth != GO_ON)
            break;
        count_skipped(lexer, &skipped);
        lexer->end = lexer->token.end;
    }
    lexer->silent = false;
    return depth;
}

/* The token that the parser takes after `error`. */
static int recover(struct lexer *lexer, YYSTYPE *value)
{
    int depth;

    lexer->mode = LEX_PLAIN;
    lexer->depth = lexer->token.depth;
    if (lexer->token.made)
        return abandon(lexer, lexer->close_to);
    lex_rewind(lexer, &lexer->token);
    depth = skip(lexer, value);
    if (in_parentheses(lexer) && depth == lexer->depth) {
        lexer->depth--;
        lexer->end = lexer->token.end;
        return lexer->token.kind;
    }
    lex_rewind(lexer, &lexer->token);
    return abandon(lexer, depth);
}

/* A closing bracket that the parser did not expect is the very token that it
 * takes after `error`; anything else it drops. */
void recover_begin(struct lexer *lexer)
{
    const struct token *token = &lexer->token;
    int open = token->depth > 0 ? lexer->brackets[token->depth - 1].kind : 0;

    if (!token->made)
        lexer->error_end = token->end;
    if (token->kind == TOKEN_END
        || ((open == TOKEN_OPEN || open == TOKEN_BEGIN_LIST)
            && token->kind == closing_of(open)))
        return;
    lexer->mode = LEX_RECOVER;
}

/* ---- brackets ---- */

/* An error that the lexer has reported, without a repair. */
static int fail(struct lexer *lexer)
{
    lexer->error_end = lexer->token.end;
    lexer->mode = LEX_RECOVER;
    return TOKEN_YYerror;
}

static int open_bracket(struct lexer *lexer)
{
    const struct token *token = &lexer->token;

    if (lexer->depth >= LIMIT_NESTING) {
        syntax_too_deep(lexer->parser,
                        lex_span(lexer, token->begin, token->end));
        return fail(lexer);
    }
    lexer->brackets[lexer->depth++] = (struct bracket){
        token->kind, token->begin, token->indent
    };
    return token->kind;
}

/* A '}' that lines up with an outer line than its '{' tells which brace is the
 * one that is not closed, should one be. */
static void check_alignment(struct lexer *lexer)
{
    const struct bracket *open = &lexer->brackets[lexer->depth - 1];

    if (lexer->token.kind == TOKEN_END_BODY && lexer->token.first
        && lexer->token.indent < open->indent && !lexer->suspect.kind)
        lexer->suspect = *open;
    if (lexer->depth == 1)
        lexer->suspect.kind = 0;
}

/* An error since the bracket was opened: it may be why it is not closed. */
static bool is_explained(const struct lexer *lexer, struct bracket bracket)
{
    return lexer->quiet_end || (bracket.kind != TOKEN_BEGIN_BODY
                                && lexer->error_end > bracket.at);
}

static void say_unclosed(struct lexer *lexer, struct bracket bracket)
{
    if (!is_explained(lexer, bracket))
        syntax_unclosed(lexer, bracket, &lexer->token);
    lexer->error_end = lexer->token.end;
}

static int unclosed(struct lexer *lexer)
{
    struct bracket bracket = lexer->brackets[lexer->depth - 1];

    if (bracket.kind == TOKEN_BEGIN_BODY && lexer->suspect.kind)
        bracket = lexer->suspect;
    say_unclosed(lexer, bracket);
    lexer->suspect.kind = 0;
    return fail(lexer);
}

/* A closing bracket that none is open for: it is left out.  One of several on
 * a line is reported, a ')' only when nothing was wrong on the line before. */
static int stray_bracket(struct lexer *lexer)
{
    const struct token *token = &lexer->token;
    struct span span = lex_span(lexer, token->begin, token->end);

    if (!lexer->stray && (token->kind == TOKEN_END_BODY
                          || lexer->error_end <= token->line_begin))
        diag_error(lexer->parser->diag, &span, "this '%c' closes nothing",
                   lexer->text[token->begin]);
    lexer->stray = true;
    lexer->error_end = token->end;
    return TOKEN_YYEMPTY;
}

/* A closing bracket that does not fit the innermost open one: TOKEN_YYEMPTY
 * when it is left out. */
static int wrong_bracket(struct lexer *lexer)
{
    struct token *token = &lexer->token;
    int depth = lexer->depth;

    if (!in_parentheses(lexer))
        return stray_bracket(lexer);
    if (token->kind == TOKEN_END_BODY && statement_depth(lexer) > 0)
        return unclosed(lexer);
    if (lex_peek(lexer, token->end) == (innermost(lexer) == TOKEN_OPEN ? ')'
                                                                       : ']'))
        return stray_bracket(lexer);
    say_unclosed(lexer, lexer->brackets[depth - 1]);
    if (depth > 1
        && token->kind == closing_of(lexer->brackets[depth - 2].kind))
        lex_rewind(lexer, token);
    token->end = lexer->cursor;
    token->kind = closing_of(innermost(lexer));
    lexer->depth--;
    return token->kind;
}

/* The next token of the text, its brackets matched. */
static int take(struct lexer *lexer, YYSTYPE *value)
{
    int kind = lex_scan(lexer, value);

    if (kind == TOKEN_YYerror)
        return fail(lexer);
    if (lexer->depth > 0 && (kind == TOKEN_END || is_declaration(lexer)))
        return unclosed(lexer);
    if (is_opening(kind))
        return open_bracket(lexer);
    if (!is_closing(kind))
        return kind;
    if (lexer->depth == 0 || kind != closing_of(innermost(lexer)))
        return wrong_bracket(lexer);
    if (closes_missing(lexer))
        return TOKEN_YYEMPTY;
    check_alignment(lexer);
    lexer->depth--;
    return kind;
}

static int take_plain(struct lexer *lexer, YYSTYPE *value)
{
    struct token previous = lexer->token;
    int kind;

    lexer->stray = false;
    do
        kind = take(lexer, value);
    while (kind == TOKEN_YYEMPTY);
    lexer->previous = previous;
    if (lexer->mode == LEX_PLAIN)
        lexer->end = lexer->token.end;
    if ((is_statement_keyword(kind)
         || (kind >= TOKEN_REPEAT && kind <= TOKEN_CHECKPOINT))
        && previous.kind != TOKEN_DOT && !is_assigned(lexer)) {
        lexer->before = lexer->keyword;
        lexer->keyword = lexer->token;
    }
    return kind;
}

/* ---- the parser's source of tokens ---- */

static int next(struct lexer *lexer, YYSTYPE *value)
{
    switch (lexer->mode) {
    case LEX_RECOVER:
        return recover(lexer, value);
    case LEX_GIVE_UP:
        lexer->mode = LEX_SYNC;
        return TOKEN_YYerror;
    case LEX_SYNC:
        lexer->mode = LEX_CLOSE;
        return make_token(lexer, TOKEN_SYNC);
    case LEX_CLOSE:
        if (lexer->depth > lexer->close_to)
            return make_closing(lexer);
        lexer->mode = LEX_PLAIN;
        break;
    case LEX_PLAIN:
        break;
    }
    return take_plain(lexer, value);
}

int yylex(YYSTYPE *value, struct span *where, struct lexer *lexer)
{
    int kind = next(lexer, value);

    *where = lex_span(lexer, lexer->token.begin, lexer->token.end);
    return kind;
}
