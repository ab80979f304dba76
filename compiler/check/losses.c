/* losses.c: `loss`: a row for each kind, and the sums they are written in. */
#include "check.h"

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

static void build_one_loss(struct body *body, struct ast *call, double weight)
{
    const struct loss_row *row = loss_find(body, call);
    struct ast *second = call->list ? call->list->next : NULL;

    if (!row)
        return;
    if (!second || second->next) {
        fail(body, call->span, "'%s' takes two arguments: the network's value "
             "and its target", call->name);
        return;
    }
    for (struct ast *a = call->list; a; a = a->next)
        if (a->name) {
            fail(body, a->span, "the arguments of a loss have no names: "
                 "write '%s(value, target)'", call->name);
            return;
        }
    struct value *x = eval_value(body, call->list->a, body->current);
    if (!x || !need_real(body, x, call->list->a->span, "a loss"))
        return;
    x = localize(body, x);
    struct shape shape = x->shape;
    if (row->classes)
        shape.rank--;
    struct value *target = target_port(body, second->a, &shape, row->classes,
                                       row->classes ? x->features : 0);
    if (!target)
        return;
    struct node *node = new_node(body->check->c, OP_LOSS, call->span);
    append_node(body->region, &body->region->nodes, node);
    node->loss.kind = row->kind;
    node->loss.weight = weight;
    node_in(node, x);
    node_in(node, target);
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
    } else if (ast->kind != AST_BAD) {
        fail(body, ast->span, "a loss is written cross_entropy(value, target), "
             "a number times a loss, or a sum of losses");
    }
}
