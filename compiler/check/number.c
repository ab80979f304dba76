/* number.c: arithmetic at compile time, names, and errors with their calls. */
#include "check.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct number integer_number(int64_t n)
{
    return (struct number) { true, n, (double)n };
}

struct number real_number(double r)
{
    return (struct number) { false, 0, r };
}

double number_real(struct number number)
{
    return number.is_integer ? (double)number.integer : number.real;
}

struct thing number_thing(struct number number)
{
    return (struct thing) { .kind = THING_NUMBER, .number = number };
}

struct thing value_thing(struct value *value)
{
    return (struct thing) { .kind = value ? THING_VALUE : THING_BAD,
                            .value = value };
}

struct thing number_value(struct body *body, struct ast *ast)
{
    struct number number;

    return number_of(body, ast, &number) ? number_thing(number)
                                         : value_thing(NULL);
}

/* The shortest that reads back as the same number. */
const char *number_text(struct compilation *c, struct number number)
{
    if (number.is_integer)
        return arena_format(c->arena, "%" PRId64, number.integer);
    const char *text = "";
    for (int digits = 6; digits <= 17; digits++) {
        text = arena_format(c->arena, "%.*g", digits, number.real);
        if (strtod(text, NULL) == number.real)
            break;
    }
    return text;
}

struct env *env_find(struct env *env, const char *name)
{
    while (env && env->name != name)
        env = env->next;
    return env;
}

void env_add(struct body *body, const char *name, struct thing thing,
             struct span span)
{
    struct env *env = NEW(body->check->c->arena, struct env);

    *env = (struct env) { name, thing, body->env, span };
    body->env = env;
}

/* ---- errors ---- */

static bool same_span(struct span a, struct span b)
{
    return a.file == b.file && a.begin == b.begin && a.end == b.end;
}

static bool reported_before(struct check *check, struct span span)
{
    for (struct reported *r = check->reported; r; r = r->next)
        if (same_span(r->span, span))
            return true;
    struct reported *r = NEW(check->c->arena, struct reported);
    *r = (struct reported) { span, check->reported };
    check->reported = r;
    return false;
}

/* Where the block was called, unless that is what the error shows; a block of
 * the library, up to the user's call. */
static void note_calls(struct check *check, struct span span)
{
    struct diag *diag = check->c->diag;
    bool ours = true;

    for (struct call_site *s = check->site; s && ours; s = s->outer) {
        if (!same_span(s->span, span))
            diag_note(diag, &s->span, "in '%s', used here", s->label);
        ours = diag->sources[s->span.file].built_in;
    }
}

/* The block is checked once for each set of arguments: the same place is
 * reported once. */
void fail(struct body *body, struct span span, const char *format, ...)
{
    struct check *check = body->check;
    struct text text = { 0 };
    va_list arguments;

    body->bad = true;
    check->failed = true;
    if (reported_before(check, span)) {
        check->c->diag->muted = true;
        return;
    }
    va_start(arguments, format);
    text_vadd(&text, format, arguments);
    va_end(arguments);
    diag_error(check->c->diag, &span, "%s", text.data);
    text_free(&text);
    note_calls(check, span);
}

/* ---- limits ---- */

bool above_limits(struct body *body, struct span span)
{
    struct check *check = body->check;
    bool before = check->too_large;

    check->too_large = true;
    if (before)
        body->bad = true;
    else if (check->c->network->node_count > LIMIT_NODES)
        fail(body, span, "the network is above the limit of %d operations",
             LIMIT_NODES);
    else if (check->steps > LIMIT_STEPS)
        fail(body, span, "the network is above the limit of %d expressions, "
             "those of a block or repeat counted each time", LIMIT_STEPS);
    else if (check->c->arena->bytes > LIMIT_HEAP)
        fail(body, span, "the network is above the limit of %d MiB of memory "
             "to compile it", LIMIT_HEAP >> 20);
    else
        check->too_large = false;
    return check->too_large;
}

void warn(struct body *body, const char *name, struct span span,
          const char *format, ...)
{
    struct check *check = body->check;
    struct text text = { 0 };
    va_list arguments;

    if (reported_before(check, span))
        return;
    va_start(arguments, format);
    text_vadd(&text, format, arguments);
    va_end(arguments);
    diag_warning(check->c->diag, name, &span, "%s", text.data);
    text_free(&text);
    note_calls(check, span);
}

void fail_note(struct body *body, struct span span, const char *format, ...)
{
    struct text text = { 0 };
    va_list arguments;

    va_start(arguments, format);
    text_vadd(&text, format, arguments);
    va_end(arguments);
    diag_note(body->check->c->diag, &span, "%s", text.data);
    text_free(&text);
}

bool fit_float(struct body *body, struct span span, double *number)
{
    if ((float)*number == 0)
        *number = 0;
    if (fabs(*number) <= FLT_MAX)
        return true;
    fail(body, span, "%g does not fit in a float32", *number);
    return false;
}

/* ---- operators ---- */

static bool overflow(struct body *body, struct span span)
{
    fail(body, span, "integer overflow: the result does not fit in 64 bits");
    return false;
}

static bool compare(enum ast_op op, double a, double b, struct number *result)
{
    bool is = op == AST_EQ ? a == b : op == AST_NE ? a != b
            : op == AST_LT ? a < b : op == AST_GT ? a > b
            : op == AST_LE ? a <= b : a >= b;
    *result = integer_number(is);
    return true;
}

static bool integer_power(int64_t base, int64_t exponent, int64_t *result)
{
    *result = 1;
    if (base == 0 || base == 1 || base == -1) {
        *result = exponent == 0 ? 1 : base == -1 && exponent % 2 == 0 ? 1
                : base;
        return true;
    }
    for (; exponent > 0; exponent--)
        if (!mul_size(*result, base, result))
            return false;
    return true;
}

static bool real_op(struct body *body, enum ast_op op, double a, double b,
                    struct span span, struct number *result)
{
    double r = op == AST_ADD ? a + b : op == AST_SUB ? a - b
             : op == AST_MUL ? a * b : op == AST_DIV ? a / b : pow(a, b);
    if (!isfinite(r)) {
        fail(body, span, "the result of this arithmetic is not finite");
        return false;
    }
    *result = real_number(r);
    return true;
}

bool number_op(struct body *body, enum ast_op op, struct number a,
               struct number b, struct span span, struct number *result)
{
    int64_t n = 0;

    if (op == AST_OR || op == AST_AND) {
        bool left = number_real(a) != 0, right = number_real(b) != 0;
        *result = integer_number(op == AST_OR ? left || right : left && right);
        return true;
    }
    if (op <= AST_GE)
        return compare(op, number_real(a), number_real(b), result);
    if (op == AST_DIV && number_real(b) == 0) {
        fail(body, span, "division by zero");
        return false;
    }
    bool exact = a.is_integer && b.is_integer;
    if (exact && op == AST_DIV)
        exact = !(a.integer == INT64_MIN && b.integer == -1)
             && a.integer % b.integer == 0;
    if (exact && op == AST_POW)
        exact = b.integer >= 0;
    if (!exact)
        return real_op(body, op, number_real(a), number_real(b), span, result);
    bool fits = op == AST_ADD ? add_size(a.integer, b.integer, &n)
              : op == AST_SUB ? !__builtin_sub_overflow(a.integer, b.integer, &n)
              : op == AST_MUL ? mul_size(a.integer, b.integer, &n)
              : op == AST_POW ? integer_power(a.integer, b.integer, &n)
              : (n = a.integer / b.integer, true);
    *result = integer_number(n);
    return fits || overflow(body, span);
}

/* ---- functions of numbers ---- */

static double minimum(double a, double b) { return a < b ? a : b; }
static double maximum(double a, double b) { return a > b ? a : b; }

static const struct function_row {
    const char *name;
    double (*one)(double);
    double (*two)(double, double);
    bool integer;               /* the result is an integer */
    bool only_numbers;          /* not also a layer of that name */
} functions[] = {
    { "sqrt",  sqrt,  NULL,    false, true },
    { "floor", floor, NULL,    true,  true },
    { "ceil",  ceil,  NULL,    true,  true },
    { "round", round, NULL,    true,  true },
    { "log",   log,   NULL,    false, false },
    { "exp",   exp,   NULL,    false, false },
    { "abs",   fabs,  NULL,    false, false },
    { "min",   NULL,  minimum, false, true },
    { "max",   NULL,  maximum, false, true },
};

static const struct function_row *function_find(const char *name)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    return NULL;
}

static bool call_number(struct body *body, struct ast *call,
                        struct number *result)
{
    const struct function_row *row = function_find(call->name);
    struct number a, b;
    struct ast *second = call->list ? call->list->next : NULL;

    if (!call->list || (row->two != NULL) != (second != NULL)
        || (second && second->next)) {
        fail(body, call->span, "'%s' takes %s", row->name,
             row->two ? "two numbers" : "one number");
        return false;
    }
    if (!number_of(body, call->list->a, &a)
        || (second && !number_of(body, second->a, &b)))
        return false;
    double r = row->one ? row->one(number_real(a))
                        : row->two(number_real(a), number_real(b));
    if (!isfinite(r)) {
        fail(body, call->span, "the result of '%s' is not finite", row->name);
        return false;
    }
    bool whole = row->integer || (row->two && a.is_integer && b.is_integer)
              || (row->one == fabs && a.is_integer);
    *result = whole && fabs(r) < 9e15 ? integer_number((int64_t)r)
                                      : real_number(r);
    return true;
}

/* ---- expressions ---- */

bool is_number(struct body *body, struct ast *ast)
{
    struct env *env;

    switch (ast->kind) {
    case AST_NUMBER:
        return true;
    case AST_NAME:
        env = env_find(body->env, ast->name);
        if (!env)
            return strcmp(ast->name, "yes") == 0 || strcmp(ast->name, "no") == 0;
        return env->thing.kind == THING_NUMBER;
    case AST_NEGATE:
        return is_number(body, ast->a);
    case AST_BINARY:
        return is_number(body, ast->a) && is_number(body, ast->b);
    case AST_CONDITION:
        return is_number(body, ast->a) && is_number(body, ast->b)
            && is_number(body, ast->c);
    case AST_CALL:
        if (!function_find(ast->name) || env_find(body->env, ast->name))
            return false;
        for (struct ast *p = ast->list; p; p = p->next)
            if (!is_number(body, p->a))
                return false;
        return ast->list != NULL || function_find(ast->name)->only_numbers;
    default:
        return false;
    }
}

bool is_unknown(struct body *body, struct ast *ast)
{
    const struct env *env;

    switch (ast->kind) {
    case AST_NAME:
        env = env_find(body->env, ast->name);
        return env && env->thing.kind == THING_BAD;
    case AST_NEGATE:
        return is_unknown(body, ast->a);
    case AST_BINARY:
        return is_unknown(body, ast->a) || is_unknown(body, ast->b);
    case AST_CONDITION:
        return is_unknown(body, ast->a) || is_unknown(body, ast->b)
            || is_unknown(body, ast->c);
    case AST_CALL:
        if (function_find(ast->name) && !env_find(body->env, ast->name))
            for (struct ast *p = ast->list; p; p = p->next)
                if (is_unknown(body, p->a))
                    return true;
        return false;
    default:
        return false;
    }
}

static bool name_number(struct body *body, struct ast *ast,
                        struct number *number)
{
    struct env *env = env_find(body->env, ast->name);

    if (!env) {
        *number = integer_number(strcmp(ast->name, "yes") == 0);
        return true;
    }
    *number = env->thing.number;
    return true;
}

static void name_not_number(struct body *body, struct ast *ast)
{
    struct env *env = env_find(body->env, ast->name);
    const char *near = near_name(body, ast->name);

    if (env && env->thing.kind == THING_BAD) {
        body->bad = true;
    } else if (env) {
        fail(body, ast->span, "'%s' is not a number known at compile time",
             ast->name);
        fail_note(body, env->span, "'%s' comes from here", ast->name);
    } else if (is_layer(ast->name) || decl_find(body->check, ast->name)) {
        fail(body, ast->span, "a number is expected here, '%s' is a %s",
             ast->name, is_layer(ast->name) ? "layer" : "block");
    } else if (near && !is_layer(near)) {
        fail(body, ast->span, "unknown name '%s'; did you mean '%s'?",
             ast->name, near);
    } else {
        fail(body, ast->span, "unknown name '%s': a number is expected here",
             ast->name);
    }
}

/* The parts of an expression that are no numbers. */
static void parts_not_number(struct body *body, struct ast *const *parts)
{
    for (; *parts; parts++)
        if (!is_number(body, *parts))
            not_number(body, *parts);
}

void not_number(struct body *body, struct ast *ast)
{
    struct ast *parts[4] = { ast->a, ast->b, ast->c, NULL };

    switch (ast->kind) {
    case AST_NAME:
        name_not_number(body, ast);
        return;
    case AST_NEGATE:
    case AST_BINARY:
    case AST_CONDITION:
        parts_not_number(body, parts);
        return;
    case AST_CALL:
        if (!ast->list || !function_find(ast->name)
            || env_find(body->env, ast->name))
            break;
        for (struct ast *argument = ast->list; argument;
             argument = argument->next)
            parts_not_number(body, (struct ast *[]) { argument->a, NULL });
        return;
    default:
        break;
    }
    fail(body, ast->span, "a number known at compile time is expected here");
}

bool number_of(struct body *body, struct ast *ast, struct number *number)
{
    struct number a, b;

    if (!is_number(body, ast)) {
        not_number(body, ast);
        return false;
    }
    switch (ast->kind) {
    case AST_NUMBER:
        *number = ast->is_integer ? integer_number(ast->integer)
                                  : real_number(ast->number);
        return true;
    case AST_NAME:
        return name_number(body, ast, number);
    case AST_NEGATE:
        return number_of(body, ast->a, &a)
            && number_op(body, AST_SUB, integer_number(0), a, ast->span,
                         number);
    case AST_BINARY:
        return number_of(body, ast->a, &a) && number_of(body, ast->b, &b)
            && number_op(body, ast->op, a, b, ast->span, number);
    case AST_CONDITION:
        return number_of(body, ast->a, &a)
            && number_of(body, number_real(a) != 0 ? ast->b : ast->c, number);
    default:
        return call_number(body, ast, number);
    }
}
