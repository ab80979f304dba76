/* syntax.c: says what is wrong where the grammar cannot go on.  The tokens
 * expected after a statement are some thirty, a list that helps nobody: the
 * message is chosen from what stands around the error.
 *
 * The choosers below are tried in order; each says its message and returns
 * true, or returns false. */
#include <string.h>

#include "parse.h"

/* What a chooser looks at. */
struct error {
    struct lexer *lexer;
    struct diag *diag;
    const struct token *token;      /* that does not fit */
    const struct token *previous;
    const struct token *keyword;    /* that began the statement before it */
    const bool *expected;           /* by token kind */
    struct span at;                 /* of the token */
    struct span behind;             /* of the token before */
};

static const char *const signs[] = {
    [TOKEN_ARROW] = "->", [TOKEN_DOTS] = "..", [TOKEN_ASSIGN] = "=",
    [TOKEN_ADD_ASSIGN] = "+=", [TOKEN_OR] = "||", [TOKEN_AND] = "&&",
    [TOKEN_EQ] = "==", [TOKEN_NE] = "!=", [TOKEN_LT] = "<", [TOKEN_GT] = ">",
    [TOKEN_LE] = "<=", [TOKEN_GE] = ">=", [TOKEN_PLUS] = "+",
    [TOKEN_MINUS] = "-", [TOKEN_TIMES] = "*", [TOKEN_DIVIDE] = "/",
    [TOKEN_POWER] = "^", [TOKEN_QUESTION] = "?", [TOKEN_COLON] = ":",
    [TOKEN_COMMA] = ",", [TOKEN_DOT] = ".", [TOKEN_OPEN] = "(",
    [TOKEN_CLOSE] = ")", [TOKEN_BEGIN_LIST] = "[", [TOKEN_END_LIST] = "]",
    [TOKEN_BEGIN_BODY] = "{", [TOKEN_END_BODY] = "}"
};

/* A token as it is written, in quotes; long ones are cut. */
static const char *quote(const struct error *e, const struct token *token)
{
    int length = (int)(token->end - token->begin);

    if (token->kind == TOKEN_END)
        return "the end of the file";
    if (signs[token->kind])
        return arena_format(e->lexer->parser->arena, "'%s'",
                            signs[token->kind]);
    if (token->kind == TOKEN_STRING)
        return "a text in quotes";
    return arena_format(e->lexer->parser->arena, "'%.*s%s'",
                        length <= 40 ? length : 40,
                        e->lexer->text + token->begin,
                        length <= 40 ? "" : "...");
}

static const char *quote_text(const struct error *e, const struct token *token)
{
    return arena_format(e->lexer->parser->arena, "%.*s",
                        token->end - token->begin < 40
                        ? (int)(token->end - token->begin) : 40,
                        e->lexer->text + token->begin);
}

static bool is_word(int kind)
{
    return kind >= TOKEN_NAME && kind <= TOKEN_CHECKPOINT;
}

static bool is_keyword(int kind) { return is_word(kind) && kind != TOKEN_NAME; }

static bool is_operator(int kind)
{
    return kind >= TOKEN_OR && kind <= TOKEN_POWER;
}

static bool is_comparison(int kind)
{
    return kind >= TOKEN_EQ && kind <= TOKEN_GE;
}

/* An expression has just ended. */
static bool ends_expression(int kind)
{
    return is_word(kind) || kind == TOKEN_NUMBER || kind == TOKEN_CLOSE
        || kind == TOKEN_END_LIST || kind == TOKEN_END_BODY;
}

static bool is_first(const struct error *e)
{
    return e->token->first || e->token->kind == TOKEN_END;
}

/* Where something is missing: at the token, or behind the one before when the
 * token is on a later line. */
static const struct span *gap(const struct error *e)
{
    return is_first(e) && e->behind.end > e->behind.begin ? &e->behind
                                                          : &e->at;
}

/* "before 'x'" or, at the end of a line, "after 'y'" */
static const char *gap_text(const struct error *e)
{
    bool after = gap(e) == &e->behind;

    return arena_format(e->lexer->parser->arena, "%s %s",
                        after ? "after" : "before",
                        quote(e, after ? e->previous : e->token));
}

/* The innermost bracket that was open before the token. */
static struct bracket open_bracket(const struct error *e)
{
    int depth = e->token->depth;

    return depth > 0 ? e->lexer->brackets[depth - 1] : (struct bracket){0};
}

/* The last keyword is `kind`, and in the same brackets as the token. */
static bool in_statement(const struct error *e, int kind)
{
    return e->keyword->kind == kind && e->keyword->depth == e->token->depth;
}

/* From the last keyword to the token before the error. */
static struct span statement(const struct error *e)
{
    return lex_span(e->lexer, e->keyword->begin, e->previous->end);
}

/* The word that follows a token directly; "..." when none does. */
static const char *word_after(const struct error *e, const struct token *token)
{
    const char *text = e->lexer->text + token->end;
    const char *begin = text + strspn(text, " \t");
    size_t length = strspn(begin, "abcdefghijklmnopqrstuvwxyz_0123456789"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return length == 0 || length > 40 ? "..."
         : arena_text(e->lexer->parser->arena, begin, length);
}

/* ---- the file's level ---- */

static const char *nearest_keyword(const struct error *e,
                                   const struct token *token, int from, int to)
{
    const char *candidates[32];
    const char *name = quote_text(e, token);
    size_t count = 0;

    for (int kind = from; kind <= to; kind++)
        candidates[count++] = syntax_word(kind);
    return token->kind == TOKEN_NAME
        ? diag_nearest(name, candidates, count) : NULL;
}

static bool at_file(const struct error *e)
{
    const char *nearest;

    if (!e->expected[TOKEN_NETWORK] || e->token->depth > 0)
        return false;
    nearest = nearest_keyword(e, e->token, TOKEN_NETWORK, TOKEN_BLOCK);
    if (nearest)
        diag_error(e->diag, &e->at, "did you mean '%s'? A file holds networks "
                   "and blocks", nearest);
    else if (is_word(e->token->kind))
        diag_error(e->diag, &e->at, "%s stands outside of every network and "
                   "block", quote(e, e->token));
    else
        diag_error(e->diag, &e->at, "expected 'network', 'block' or 'import' "
                   "before %s", quote(e, e->token));
    return true;
}

/* A block within a block. */
static bool nested_declaration(const struct error *e)
{
    if (!is_declaration_keyword(e->token->kind) || e->token->depth == 0
        || e->expected[TOKEN_NUMBER])
        return false;
    diag_error(e->diag, &e->at, "'%s' does not stand inside a body: move it to "
               "the file's level", syntax_word(e->token->kind));
    return true;
}

static bool import_path(const struct error *e)
{
    if (!e->expected[TOKEN_STRING])
        return false;
    diag_error(e->diag, gap(e), "expected a file's name in double quotes %s",
               gap_text(e));
    return true;
}

/* ---- names ---- */

/* Nothing but a name fits, or a name and little else. */
static bool name_missing(const struct error *e)
{
    if (!e->expected[TOKEN_NAME] || e->expected[TOKEN_BEGIN_BODY]
        || e->expected[TOKEN_NUMBER] || e->expected[TOKEN_BEGIN_LIST])
        return false;
    if (is_keyword(e->token->kind) && !e->expected[TOKEN_SCALE]
        && (!is_first(e) || e->token->depth > 1)) {
        diag_error(e->diag, &e->at, "'%s' is a word of the language: choose "
                   "another name", syntax_word(e->token->kind));
        return true;
    }
    diag_error(e->diag, gap(e), "expected a name %s", gap_text(e));
    return true;
}

static bool input_shape(const struct error *e)
{
    struct span input = lex_span(e->lexer, e->keyword->begin,
                                 e->keyword->end);

    if (!e->expected[TOKEN_BEGIN_LIST] || e->expected[TOKEN_NUMBER]
        || !in_statement(e, TOKEN_INPUT) || e->previous->kind == TOKEN_GRAPH)
        return false;
    diag_error(e->diag, &input, "an input has a shape: write 'input %s [...]'",
               word_after(e, e->keyword));
    return true;
}

static bool text_in_quotes(const struct error *e)
{
    if (e->token->kind != TOKEN_STRING)
        return false;
    diag_error(e->diag, &e->at, "only 'import' is followed by a text in "
               "quotes");
    return true;
}

/* ---- arguments and parentheses ---- */

static bool colon_for_equals(const struct error *e)
{
    if (e->token->kind != TOKEN_COLON || !is_word(e->previous->kind)
        || open_bracket(e).kind != TOKEN_OPEN)
        return false;
    diag_error(e->diag, &e->at, "an argument's value follows '=': write "
               "'%s = ...'", quote_text(e, e->previous));
    return true;
}

/* `linear(norm)`: a word of the language may name an argument, no value. */
static bool word_for_value(const struct error *e)
{
    struct span word = lex_span(e->lexer, e->previous->begin,
                                e->previous->end);

    if (!e->expected[TOKEN_ASSIGN] || !is_keyword(e->previous->kind)
        || open_bracket(e).kind != TOKEN_OPEN)
        return false;
    diag_error(e->diag, &word, "%s is a word of the language and no value: an "
               "argument of that name has '=' behind it",
               quote(e, e->previous));
    return true;
}

static bool equals_for_equality(const struct error *e)
{
    if (e->token->kind != TOKEN_ASSIGN || !ends_expression(e->previous->kind))
        return false;
    if (e->expected[TOKEN_EQ] && (open_bracket(e).kind != TOKEN_BEGIN_BODY
        || in_statement(e, TOKEN_IF) || in_statement(e, TOKEN_REPEAT)))
        diag_error(e->diag, &e->at, "to compare, write '=='");
    else
        diag_error(e->diag, &e->at, "only a name can be given a value");
    return true;
}

static bool missing_argument(const struct error *e)
{
    int previous = e->previous->kind;

    if (open_bracket(e).kind == TOKEN_BEGIN_BODY || open_bracket(e).kind == 0)
        return false;
    if (e->token->kind == TOKEN_COMMA
        && (previous == TOKEN_COMMA || previous == TOKEN_OPEN
            || previous == TOKEN_BEGIN_LIST)) {
        diag_error(e->diag, &e->at, "nothing stands before this ','");
        return true;
    }
    if (previous == TOKEN_COMMA && (e->token->kind == TOKEN_CLOSE
                                    || e->token->kind == TOKEN_END_LIST)) {
        diag_error(e->diag, &e->behind, "nothing follows this ','");
        return true;
    }
    return false;
}

static bool empty_brackets(const struct error *e)
{
    struct span both = lex_span(e->lexer, e->previous->begin, e->token->end);

    if (e->previous->kind == TOKEN_OPEN && e->token->kind == TOKEN_CLOSE)
        diag_error(e->diag, &both, "nothing stands in these parentheses");
    else if (e->previous->kind == TOKEN_BEGIN_LIST
             && e->token->kind == TOKEN_END_LIST)
        diag_error(e->diag, &both, "a list has at least one element");
    else
        return false;
    return true;
}

static bool in_brackets(const struct error *e)
{
    struct bracket open = open_bracket(e);
    int closing = open.kind == TOKEN_OPEN ? TOKEN_CLOSE : TOKEN_END_LIST;
    struct span at = lex_span(e->lexer, open.at, open.at + 1);

    if ((open.kind != TOKEN_OPEN && open.kind != TOKEN_BEGIN_LIST)
        || !e->expected[closing] || e->expected[TOKEN_NUMBER])
        return false;
    if (e->expected[TOKEN_COMMA])
        diag_error(e->diag, gap(e), "expected ',' or '%s' %s", signs[closing],
                   gap_text(e));
    else
        diag_error(e->diag, gap(e), "expected '%s' %s", signs[closing],
                   gap_text(e));
    if (diag_line(e->diag, at) != diag_line(e->diag, *gap(e)))
        diag_note(e->diag, &at, "to close this '%s'", signs[open.kind]);
    return true;
}

/* ---- statements ---- */

static bool norm_place(const struct error *e)
{
    struct span span = statement(e);

    if (!e->expected[TOKEN_BEFORE] || e->expected[TOKEN_NORM])
        return false;           /* after a '.' every word fits */
    if (e->token->kind == TOKEN_WEIGHTS)
        diag_error(e->diag, &e->at, "write 'before weights' or 'after "
                   "weights'");
    else
        diag_error(e->diag, &span, "where does the norm go? Write 'before', "
                   "'after', 'around', 'before weights' or 'after weights' "
                   "behind it");
    return true;
}

static bool stray_place(const struct error *e)
{
    const char *word = quote_text(e, e->token);
    const char *nearest = nearest_keyword(e, e->previous, TOKEN_NORM,
                                          TOKEN_NORM);

    if (e->token->kind < TOKEN_BEFORE || e->token->kind > TOKEN_WEIGHTS
        || e->expected[TOKEN_NUMBER])
        return false;
    if (nearest)
        diag_error(e->diag, &e->behind, "did you mean '%s'?", nearest);
    else if (!is_first(e) && in_statement(e, TOKEN_NORM))
        diag_error(e->diag, &e->at, "a norm has one place: another one is a "
                   "'norm' of its own");
    else if (!is_first(e))
        diag_error(e->diag, &e->at, "'%s' belongs to 'norm', which this "
                   "statement does not begin with", word);
    else if (e->token->kind == TOKEN_AFTER)
        diag_error(e->diag, &e->at, "'after' belongs to 'norm': what is "
                   "applied to the sum is written 'then %s'",
                   word_after(e, e->token));
    else
        diag_error(e->diag, &e->at, "'%s' belongs to 'norm'", word);
    return true;
}

static bool stray_else(const struct error *e)
{
    if (e->token->kind != TOKEN_ELSE || e->expected[TOKEN_NUMBER])
        return false;
    diag_error(e->diag, &e->at, "this 'else' follows no 'if' and its body");
    return true;
}

static bool chained_comparison(const struct error *e)
{
    if (!is_comparison(e->token->kind) || !ends_expression(e->previous->kind)
        || !(e->expected[TOKEN_AND] || e->expected[TOKEN_PLUS]))
        return false;
    diag_error(e->diag, &e->at, "comparisons do not chain: write "
               "'a < b && b < c'");
    return true;
}

static bool condition(const struct error *e)
{
    if (e->token->kind == TOKEN_QUESTION
        && ends_expression(e->previous->kind)) {
        diag_error(e->diag, &e->at, "what a '?' asks is one expression: put "
                   "the chain before it in parentheses");
        return true;
    }
    if (!e->expected[TOKEN_COLON] || e->expected[TOKEN_NUMBER])
        return false;
    diag_error(e->diag, gap(e), "expected ':' %s: both ways are given, "
               "'c ? a : b'", gap_text(e));
    return true;
}

/* `if { ... }`: what should be the body was read as the condition. */
static bool condition_missing(const struct error *e)
{
    const struct token *keyword = e->keyword;
    struct span span = lex_span(e->lexer, keyword->begin, keyword->end);
    bool repeat = keyword->kind == TOKEN_REPEAT;

    if (!e->expected[TOKEN_BEGIN_BODY] || e->expected[TOKEN_SHORTCUT]
        || !(repeat || keyword->kind == TOKEN_IF)
        || e->previous->kind != TOKEN_END_BODY
        || lex_peek(e->lexer, keyword->end) != '{')
        return false;
    diag_error(e->diag, &span, repeat ? "how often? Write 'repeat n { ... }'"
               : "when? Write 'if c { ... }'");
    return true;
}

/* A body is all that could follow, besides more of an expression. */
static bool body_missing(const struct error *e)
{
    if (!e->expected[TOKEN_BEGIN_BODY] || e->expected[TOKEN_NUMBER]
        || e->expected[TOKEN_SHORTCUT])
        return false;
    if (e->expected[TOKEN_REPEAT])
        diag_error(e->diag, gap(e), "expected a body in braces %s",
                   gap_text(e));
    else if (in_statement(e, TOKEN_REPEAT))
        diag_error(e->diag, gap(e), "expected '{' %s: what is repeated stands "
                   "in braces", gap_text(e));
    else
        diag_error(e->diag, gap(e), "expected '{' %s", gap_text(e));
    if (open_bracket(e).kind == TOKEN_BEGIN_BODY)
        e->lexer->missing = e->token->depth;
    return true;
}

/* `a -> `, `a + `, `shortcut `: something to compute is missing. */
static bool operand_missing(const struct error *e)
{
    const char *what = e->previous->kind == TOKEN_ARROW ? "a layer or block"
                     : is_operator(e->previous->kind) ? "an operand"
                     : "an expression";

    if (!e->expected[TOKEN_NUMBER])
        return false;
    if (is_keyword(e->token->kind) && !is_first(e))
        diag_error(e->diag, &e->at, "expected %s after %s: '%s' is a word of "
                   "the language", what, quote(e, e->previous),
                   syntax_word(e->token->kind));
    else
        diag_error(e->diag, gap(e), "expected %s %s", what,
                   gap(e) == &e->behind || e->previous->made ? gap_text(e)
                   : arena_format(e->lexer->parser->arena, "after %s, not %s",
                                  quote(e, e->previous), quote(e, e->token)));
    return true;
}

static bool called_again(const struct error *e)
{
    if (e->token->kind != TOKEN_OPEN || is_first(e)
        || !ends_expression(e->previous->kind))
        return false;
    if (e->previous->kind == TOKEN_NUMBER)
        diag_error(e->diag, &e->at, "a product needs its '*'");
    else
        diag_error(e->diag, &e->at, "only a name takes arguments; '->' applies "
                   "one layer after another");
    return true;
}

/* `repeet 3 { ... }` reads as a layer, then 3. */
static bool misspelt(const struct error *e)
{
    const char *nearest;

    if (!e->expected[TOKEN_SHORTCUT] || e->previous->kind != TOKEN_NAME
        || is_first(e))
        return false;
    nearest = nearest_keyword(e, e->previous, TOKEN_SHORTCUT,
                              TOKEN_CHECKPOINT);
    if (nearest)
        diag_error(e->diag, &e->behind, "did you mean '%s'?", nearest);
    return nearest != NULL;
}

static bool statement_start(const struct error *e)
{
    const char *text = quote(e, e->token);

    if (!e->expected[TOKEN_SHORTCUT])
        return false;
    if (!is_first(e) && ends_expression(e->previous->kind)
        && e->previous->kind != TOKEN_END_BODY)
        diag_error(e->diag, &e->at, "expected an operator, '->' or the next "
                   "statement, not %s", text);
    else
        diag_error(e->diag, &e->at, "a statement begins with a word or '{', "
                   "not with %s%s", text,
                   e->expected[TOKEN_NUMBER] || e->token->kind == TOKEN_ARROW
                   ? "" : ": put a name first");
    return true;
}

/* ---- choosing ---- */

/* None of the above: the few that would fit, or only what does not. */
static void list_expected(const struct error *e)
{
    struct text list = {0};
    int count = 0;

    for (int kind = TOKEN_NAME; kind < TOKEN_NEGATE; kind++)
        if (e->expected[kind] && kind != TOKEN_SYNC)
            text_add(&list, "%s%s%s%s", count++ ? " or " : "",
                     kind == TOKEN_NAME || kind == TOKEN_NUMBER ? "" : "'",
                     syntax_word(kind),
                     kind == TOKEN_NAME || kind == TOKEN_NUMBER ? "" : "'");
    if (count > 0 && count <= 4)
        diag_error(e->diag, gap(e), "expected %s %s", list.data, gap_text(e));
    else
        diag_error(e->diag, &e->at, "%s does not fit here",
                   quote(e, e->token));
    text_free(&list);
}

void syntax_report(struct lexer *lexer, const bool *expected)
{
    static bool (*const choosers[])(const struct error *) = {
        at_file, import_path, text_in_quotes, stray_else, norm_place,
        stray_place, nested_declaration, missing_argument, empty_brackets,
        name_missing, input_shape, colon_for_equals, word_for_value,
        equals_for_equality,
        condition, chained_comparison, called_again, in_brackets,
        condition_missing, body_missing, operand_missing, misspelt,
        statement_start
    };
    const struct token *token = &lexer->token, *previous = &lexer->previous;
    bool begins = lexer->keyword.begin == token->begin;
    struct error error = {
        lexer, lexer->parser->diag, token, previous,
        begins ? &lexer->before : &lexer->keyword, expected,
        lex_span(lexer, token->begin, token->end),
        lex_span(lexer, previous->begin, previous->end)
    };

    for (size_t i = 0; i < sizeof choosers / sizeof *choosers; i++)
        if (choosers[i](&error))
            return;
    list_expected(&error);
}

void syntax_too_deep(struct parser *parser, struct span where)
{
    if (parser->too_deep)
        return;
    parser->too_deep = true;
    diag_error(parser->diag, &where, "this is nested too deeply: the limit is "
               "%d levels", LIMIT_NESTING);
}

void syntax_unclosed(struct lexer *lexer, struct bracket bracket,
                     const struct token *at)
{
    struct span open = lex_span(lexer, bracket.at, bracket.at + 1);
    struct span here = lex_span(lexer, at->begin, at->end);
    struct diag *diag = lexer->parser->diag;

    diag_error(diag, &open, "this '%s' is never closed", signs[bracket.kind]);
    if (is_declaration_keyword(at->kind))
        diag_note(diag, &here, "'%s' begins here", syntax_word(at->kind));
    else if (at->kind != TOKEN_END)
        diag_note(diag, &here, "it is open still at this '%s'",
                  signs[at->kind]);
}

const char *syntax_word(int kind)
{
    static const char *const words[] = {
        "a name", "import", "as", "network", "block", "shortcut", "norm",
        "scale", "drop", "then", "input", "output", "loss", "init", "shared",
        "if", "else", "before", "after", "around", "weights", "graph",
        "repeat", "stream", "frozen", "checkpoint", "a text in quotes",
        "a number"
    };

    return kind >= TOKEN_ARROW ? signs[kind] : words[kind - TOKEN_NAME];
}
