/* losses.c: `loss`: a row for each kind, and the sums they are written in. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

static const struct loss_row { const char *name; enum loss kind;
                               bool classes; } losses[] = {
    { "cross_entropy", LOSS_CROSS_ENTROPY, true },
    { "mse",           LOSS_SQUARED,       false },
    { "bce",           LOSS_BINARY,        false },
    { "mae",           LOSS_ABSOLUTE,      false },
};

static const struct loss_row *loss_find(struct body *body, struct ast *call)
{
    const char *names[8];
    size_t count = sizeof losses / sizeof losses[0];

    for (size_t i = 0; i < count; i++) {
        names[i] = losses[i].name;
        if (strcmp(names[i], call->name) == 0)
            return &losses[i];
    }
    const char *near = diag_nearest(call->name, names, count);
    if (near)
        fail(body, call->name_span, "unknown loss '%s'; did you mean '%s'?",
             call->name, near);
    else
        fail(body, call->name_span, "unknown loss '%s': cross_entropy, mse, "
             "bce and mae are known", call->name);
    return NULL;
}

/* ---- what cross-entropy takes beyond value and target ---- */

static bool read_smoothing(struct body *body, struct ast *ast,
                           struct node *node)
{
    struct number number;

    if (!number_of(body, ast, &number))
        return false;
    node->loss.smoothing = number_real(number);
    if (node->loss.smoothing >= 0 && node->loss.smoothing <= 1)
        return true;
    fail(body, ast->span, "'smoothing' must be from 0 to 1, it is %s",
         number_text(body->check->c, number));
    return false;
}

/* [1, 2, 0.5]: one for each class */
static bool read_weights(struct body *body, struct ast *ast, struct node *node)
{
    int64_t classes = node->in[0]->features, count = 0;
    double *weights = NULL;
    size_t size = 0;
    struct number number;

    for (struct ast *a = ast->kind == AST_LIST ? ast->list : NULL; a;
         a = a->next) {
        GROW_IN(body->check->c->arena, weights, size, (size_t)count);
        if (!number_of(body, a, &number))
            return false;
        weights[count] = number_real(number);
        if (!fit_float(body, a->span, &weights[count]))
            return false;
        if (weights[count++] < 0) {
            fail(body, a->span, "the weight of a class must be at least 0, it "
                 "is %s", number_text(body->check->c, number));
            return false;
        }
    }
    node->loss.classes = weights;
    if (count == classes)
        return true;
    fail(body, ast->span, "'weights' is a list of one number for each class: "
         "%" PRId64 ", not %" PRId64, classes, count);
    fail_note(body, node->in[0]->span, "%s comes from here",
              shape_text(body->check->c, &node->in[0]->shape));
    return false;
}

static bool read_ignore(struct body *body, struct ast *ast, struct node *node)
{
    struct number number;

    if (!number_of(body, ast, &number))
        return false;
    node->loss.ignores = true;
    node->loss.ignore = number.integer;
    if (number.is_integer && number.integer >= INT32_MIN
        && number.integer <= INT32_MAX)
        return true;
    fail(body, ast->span, "'ignore' must be an integer of 32 bits, it is %s",
         number_text(body->check->c, number));
    return false;
}

/* One number for each row of the value. */
static bool read_weight(struct body *body, struct ast *ast, struct node *node)
{
    struct shape shape = node->in[0]->shape;

    shape.rank--;
    struct port *port = target_port(body, ast, &shape, false, 0);
    if (!port)
        return false;
    if (!port->target) {
        fail(body, ast->span, "the weight '%s' is an input of the network: no "
             "gradient goes to a weight, give it a name of its own",
             ast->name);
        return false;
    }
    node_in(node, port->value);
    return true;
}

static const struct option { const char *name;
    bool (*read)(struct body *body, struct ast *ast, struct node *node);
} options[] = {
    { "smoothing", read_smoothing }, { "weights", read_weights },
    { "ignore", read_ignore }, { "weight", read_weight },
};
enum { OPTIONS = sizeof options / sizeof options[0] };

static bool read_option(struct body *body, const struct loss_row *row,
                        struct ast *argument, struct node *node)
{
    const char *names[OPTIONS], *near;

    for (int i = 0; i < OPTIONS; i++) {
        names[i] = options[i].name;
        if (row->classes && strcmp(argument->name, names[i]) == 0)
            return options[i].read(body, argument->a, node);
    }
    near = row->classes ? diag_nearest(argument->name, names, OPTIONS) : NULL;
    if (near)
        fail(body, argument->name_span, "'%s' has no argument '%s'; did you "
             "mean '%s'?", row->name, argument->name, near);
    else
        fail(body, argument->name_span, "'%s' has no argument '%s'%s",
             row->name, argument->name, row->classes ? ": it knows smoothing, "
             "weights, ignore and weight" : "");
    return false;
}

static bool given_before(struct body *body, const struct ast *list,
                         struct ast *argument)
{
    while (list != argument && list->name != argument->name)
        list = list->next;
    if (list == argument)
        return false;
    fail(body, argument->span, "'%s' is given twice", argument->name);
    return true;
}

static bool read_options(struct body *body, const struct loss_row *row,
                         struct ast *list, struct node *node)
{
    for (struct ast *a = list; a; a = a->next)
        if (given_before(body, list, a)
            || !read_option(body, row, a, node))
            return false;
    return true;
}

/* A label that is no class is let through by the check of the port, so all of
 * its losses must leave it out, and nothing else may read it. */
static bool fits_port(struct body *body, struct ast *target,
                      struct port *port, const struct node *node)
{
    int64_t ignore = node->loss.ignore;
    bool outside = node->loss.ignores
        && (ignore < 0 || ignore >= node->in[0]->features);

    if (outside && !port->target) {
        fail(body, target->span, "'%s' is an input, and %" PRId64 ", which the "
             "loss ignores, is none of its values: give the label a name of "
             "its own", target->name, ignore);
        return false;
    }
    if (port->labels && (port->ignores != outside
                         || (outside && port->ignore != ignore))) {
        fail(body, target->span, "losses of the same label '%s' ignore the "
             "same", target->name);
        return false;
    }
    port->labels = true;
    port->ignores = outside;
    port->ignore = ignore;
    return true;
}

/* ---- a loss ---- */

static bool two_arguments(struct body *body, const struct loss_row *row,
                          struct ast *call)
{
    struct ast *named = call->list, *after;
    int count = 0;

    for (; named && !named->name; named = named->next)
        count++;
    for (after = named; after && after->name;)
        after = after->next;
    if (count == 2 && !after)
        return true;
    if (named && count < 2)
        fail(body, named->span, "value and target have no names: write "
             "'%s(value, target)'", call->name);
    else if (after)
        fail(body, after->span, "an argument without a name stands before "
             "those with names");
    else
        fail(body, call->span, "'%s' takes two arguments%s: the network's "
             "value and its target", call->name, row->classes ? " before "
             "those with names" : "");
    return false;
}

static void build_one_loss(struct body *body, struct ast *call, double weight)
{
    const struct loss_row *row = loss_find(body, call);

    if (!row || !two_arguments(body, row, call))
        return;
    struct ast *first = call->list, *second = first->next;
    struct value *x = eval_value(body, first->a, body->current);
    if (!x || !need_real(body, x, first->a->span, "a loss"))
        return;
    x = localize(body, x);
    struct shape shape = x->shape;
    if (row->classes)
        shape.rank--;
    struct port *target = target_port(body, second->a, &shape, row->classes,
                                      row->classes ? x->features : 0);
    if (!target)
        return;
    struct node *node = new_node(body->check->c, OP_LOSS, call->span);
    append_node(body->region, &body->region->nodes, node);
    node->loss.kind = row->kind;
    node->loss.weight = weight;
    node_in(node, x);
    node_in(node, target->value);
    if (read_options(body, row, second->next, node) && row->classes)
        fits_port(body, second->a, target, node);
}

/* number * loss, loss + loss, loss */
void build_loss(struct body *body, struct ast *ast, double weight)
{
    struct number number;

    if (ast->kind == AST_CALL) {
        build_one_loss(body, ast, weight);
    } else if (ast->kind == AST_BINARY && ast->op == AST_ADD) {
        build_loss(body, ast->a, weight);
        build_loss(body, ast->b, weight);
    } else if (ast->kind == AST_BINARY && ast->op == AST_MUL
               && is_number(body, ast->a)) {
        if (number_of(body, ast->a, &number))
            build_loss(body, ast->b, weight * number_real(number));
    } else {
        fail(body, ast->span, "a loss is written cross_entropy(value, target), "
             "a number times a loss, or a sum of losses");
    }
}
