/* init.c: initial weights, of a body or of one layer: the words, and what they
 * mean for a parameter. */
#include "check.h"

#include <math.h>
#include <string.h>

static bool one_number(struct body *body, struct ast *ast,
                       struct weight_init *init, const char *word,
                       double *value)
{
    struct number number;

    if (!number_of(body, ast, &number))
        return false;
    *value = number_real(number);
    if (init->kind != IK_CONSTANT && *value < 0) {
        fail(body, ast->span, "the spread of init '%s' must be at least 0, it "
             "is %g", word, *value);
        return false;
    }
    return fit_float(body, ast->span, value);
}

/* normal(sd), uniform(bound), constant(v) */
static bool read_number(struct body *body, struct ast *call,
                        struct weight_init *init)
{
    if (!call->list || call->list->next) {
        fail(body, call->span, "init '%s' takes one number", call->name);
        return false;
    }
    return one_number(body, call->list->a, init, call->name, &init->number);
}

static bool is_word(const struct ast *argument, const char *word)
{
    const struct ast *ast = argument->a;

    return !argument->name && ast->kind == AST_NAME
        && strcmp(ast->name, word) == 0;
}

static bool read_word(struct body *body, struct ast *call, struct ast *argument,
                      struct weight_init *init)
{
    bool fans = init->kind != IK_CONSTANT;      /* zeros */

    if (fans && argument->name && strcmp(argument->name, "gain") == 0)
        return one_number(body, argument->a, init, call->name, &init->gain);
    if (fans && is_word(argument, "uniform"))
        return init->uniform = true;
    if (init->kind == IK_HE && is_word(argument, "fan_out"))
        return init->fan_out = true;
    fail(body, argument->span, !fans ? "init '%s' takes no argument"
         : init->kind == IK_HE ? "init '%s' knows 'uniform', 'fan_out' and "
         "'gain = g'" : "init '%s' knows 'uniform' and 'gain = g'",
         call->name);
    return false;
}

static bool read_words(struct body *body, struct ast *call,
                       struct weight_init *init)
{
    bool good = true;

    for (struct ast *a = call->list; a; a = a->next)
        good &= read_word(body, call, a, init);
    return good;
}

static const struct init_row { const char *name; enum init_kind kind;
                               bool number; }
rows[] = {
    { "he", IK_HE, false }, { "xavier", IK_XAVIER, false },
    { "normal", IK_NORMAL, true }, { "uniform", IK_UNIFORM, true },
    { "constant", IK_CONSTANT, true }, { "zeros", IK_CONSTANT, false },
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void unknown_init(struct body *body, const struct ast *ast,
                         const char *word)
{
    const char *names[ROWS], *near;

    for (size_t i = 0; i < ROWS; i++)
        names[i] = rows[i].name;
    near = word ? diag_nearest(word, names, ROWS) : NULL;
    if (near)
        fail(body, ast->span, "unknown init '%s'; did you mean '%s'?", word,
             near);
    else
        fail(body, ast->span, "init is he, xavier, normal(sd), "
             "uniform(bound), constant(value) or zeros");
}

bool read_init(struct body *body, struct ast *ast, struct weight_init *init)
{
    struct env *own = body->env;
    struct ast *call = resolved(ast, &body->env);
    const char *word = call->kind == AST_NAME || call->kind == AST_CALL
                     ? call->name : NULL;
    struct weight_init read = { .gain = 1 };
    bool good = false;
    size_t i = 0;

    while (i < ROWS && (!word || strcmp(word, rows[i].name)))
        i++;
    if (i == ROWS) {
        unknown_init(body, call, word);
    } else {
        read.kind = rows[i].kind;
        good = rows[i].number ? read_number(body, call, &read)
                              : read_words(body, call, &read);
    }
    body->env = own;
    if (good)
        *init = read;
    return good;
}

const struct weight_init *init_of(const struct body *body)
{
    return body->layer_init ? body->layer_init : &body->init;
}

/* He 2015 (gain of a rectifier), Glorot 2010, or as given. */
void initialise(struct param *param, const struct weight_init *init,
                double fan_in, double fan_out)
{
    double variance = init->kind == IK_XAVIER ? 2 / (fan_in + fan_out)
                    : 2 / (init->fan_out ? fan_out : fan_in);

    param->init = INIT_NORMAL;
    param->spread = init->gain * sqrt(variance);
    if (init->kind == IK_NORMAL || init->kind == IK_UNIFORM)
        param->spread = init->number;
    else if (init->uniform)
        param->spread = init->gain * sqrt(3 * variance);
    if (init->uniform || init->kind == IK_UNIFORM)
        param->init = INIT_UNIFORM;
    if (init->kind == IK_CONSTANT) {
        param->init = INIT_CONSTANT;
        param->mean = init->number;
    }
}
