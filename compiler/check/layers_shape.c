/* layers_shape.c: layers that move values about: other axes, parts, joins; and
 * learned values. */
#include "layers.h"

#include <inttypes.h>
#include <string.h>

static struct value *apply_flatten(struct use *use, struct value *x)
{
    struct shape shape = { 1, { shape_size(&x->shape) } };
    return as_shape(use->body, x, &shape, use->span);
}

/* [a, b, ...] as a shape. */
static bool read_shape(struct use *use, struct ast *list, struct shape *shape)
{
    struct number number;

    *shape = (struct shape) { 0 };
    for (struct ast *a = list->kind == AST_LIST ? list->list : list; a;
         a = list->kind == AST_LIST ? a->next : NULL) {
        if (shape->rank == LIMIT_RANK) {
            fail(use->body, a->span, "a shape has at most %d axes",
                 LIMIT_RANK);
            return false;
        }
        if (!number_of(use->body, a, &number))
            return false;
        if (!number.is_integer || number.integer < 1
            || number.integer >= LIMIT_AXIS) {
            fail(use->body, a->span, "an axis must be an integer from 1 to "
                 "2^31 - 1, it is %s", number_text(use->body->check->c,
                                                   number));
            return false;
        }
        shape->axis[shape->rank++] = number.integer;
    }
    return shape->rank > 0 && small_enough(use->body, shape, list->span);
}

static struct value *apply_reshape(struct use *use, struct value *x)
{
    struct shape shape;

    if (!read_shape(use, use->arg[0].ast, &shape))
        return NULL;
    if (shape_size(&shape) != shape_size(&x->shape)) {
        fail(use->body, use->span, "reshape: %s has %" PRId64 " scalars, %s "
             "has %" PRId64, text_of(use, x), shape_size(&x->shape),
             shape_text(use->body->check->c, &shape), shape_size(&shape));
        fail_note(use->body, x->span, "%s comes from here", text_of(use, x));
        return NULL;
    }
    return as_shape(use->body, x, &shape, use->span);
}

/* ---- parts ---- */

/* An argument `axis`: from 0, or from -1, the last, backwards. */
static bool read_axis(struct use *use, const struct arg *arg,
                      const struct value *x, int *axis)
{
    int64_t n = arg->n[0];

    if (n < 0)
        n += x->shape.rank;
    if (n < 0 || n >= x->shape.rank) {
        fail(use->body, arg->ast ? arg->ast->span : use->span, "axis %" PRId64
             " is none of %s: they count from 0, or back from -1",
             arg->n[0], shape_text(use->body->check->c, &x->shape));
        return false;
    }
    *axis = (int)n;
    return true;
}

static struct value *slice(struct use *use, struct value *x, int axis,
                           int64_t first, int64_t end)
{
    int64_t size = x->shape.axis[axis];

    if (first >= 0 && end <= size && first < end)
        return build_slice(use->body, x, axis, first, end - first, use->span);
    fail(use->body, use->span, "from %" PRId64 " to %" PRId64 " is no part of "
         "axis %d of %s: 0 <= from < to <= %" PRId64, first, end, axis,
         text_of(use, x), size);
    fail_note(use->body, x->span, "%s comes from here", text_of(use, x));
    return NULL;
}

/* slice(from, to, axis = -1): from <= i < to */
static struct value *apply_slice(struct use *use, struct value *x)
{
    int axis;

    if (!read_axis(use, &use->arg[2], x, &axis))
        return NULL;
    return slice(use, x, axis, use->arg[0].n[0], use->arg[1].n[0]);
}

/* part(i, n, axis = -1): the i-th of n equal parts */
static struct value *apply_part(struct use *use, struct value *x)
{
    int64_t i = use->arg[0].n[0], n = use->arg[1].n[0];
    int axis;

    if (!read_axis(use, &use->arg[2], x, &axis))
        return NULL;
    if (x->shape.axis[axis] % n) {
        fail(use->body, use->span, "%" PRId64 " parts do not divide axis %d "
             "of %s evenly", n, axis, text_of(use, x));
        fail_note(use->body, x->span, "%s comes from here", text_of(use, x));
        return NULL;
    }
    if (i >= n) {
        fail(use->body, use->arg[0].ast->span, "part %" PRId64 " of %" PRId64
             ": parts count from 0", i, n);
        return NULL;
    }
    int64_t size = x->shape.axis[axis] / n;
    return slice(use, x, axis, i * size, (i + 1) * size);
}

/* row(i): the i-th along the first axis, without that axis */
static struct value *apply_row(struct use *use, struct value *x)
{
    struct shape shape = { x->shape.rank - 1, { 0 } };
    int64_t row = use->arg[0].n[0];

    if (row >= x->shape.axis[0]) {
        fail(use->body, use->arg[0].ast->span, "row %" PRId64 " of %s: rows "
             "count from 0", row, text_of(use, x));
        fail_note(use->body, x->span, "%s comes from here", text_of(use, x));
        return NULL;
    }
    memcpy(shape.axis, x->shape.axis + 1,
           sizeof shape.axis - sizeof shape.axis[0]);
    x = build_slice(use->body, x, 0, row, 1, use->span);
    return as_shape(use->body, x, &shape, use->span);
}

/* ---- joins ---- */

static bool concat_axis(struct use *use, struct ast *arg,
                        const struct value *first, int *axis)
{
    struct number number;
    struct arg row = { .ast = arg };

    *axis = first->shape.rank - 1;
    if (!arg)
        return true;
    if (!number_of(use->body, arg->a, &number))
        return false;
    row.n[0] = number.integer;
    if (number.is_integer)
        return read_axis(use, &row, first, axis);
    fail(use->body, arg->a->span, "an axis must be an integer, it is %s",
         number_text(use->body->check->c, number));
    return false;
}

/* The argument with a name: `axis`, once. */
static bool concat_name(struct use *use, struct ast *arg, struct ast **axis)
{
    bool twice = *axis != NULL, known = strcmp(arg->name, "axis") == 0;

    if (!known)
        fail(use->body, arg->name_span, "'concat' takes values, which have no "
             "names, and 'axis = n'");
    else if (twice)
        fail(use->body, arg->span, "'axis' is given twice");
    *axis = arg;
    return known && !twice;
}

/* Arguments are chains, each starts at the current value; axis = n. */
static struct value *apply_concat(struct use *use, struct value *x)
{
    struct value *values[NODE_INS];
    struct ast *named = NULL;
    int count = 0, axis;

    for (struct ast *arg = use->call->list; arg; arg = arg->next) {
        if (arg->name) {
            if (!concat_name(use, arg, &named))
                return NULL;
            continue;
        }
        if (count == NODE_INS) {
            fail(use->body, arg->span, "concat takes at most %d values",
                 NODE_INS);
            return NULL;
        }
        values[count] = eval_unnamed(use->body, arg->a, x);
        if (!values[count++])
            return NULL;
    }
    if (count < 2) {
        fail(use->body, use->span, "concat takes two values or more");
        return NULL;
    }
    if (!concat_axis(use, named, values[0], &axis))
        return NULL;
    return build_concat(use->body, values, count, axis, use->span);
}

/* ---- learned values ---- */

/* learned(v, [shape]): a parameter, at first v, the same for each sample */
static struct value *apply_learned(struct use *use, struct value *x)
{
    struct body *body = use->body;
    struct shape shape;

    (void)x;
    if (!read_shape(use, use->arg[1].ast, &shape))
        return NULL;
    struct param *param = make_param(body, next_path(body, "learned"),
                                     "value", PACK_FLAT, 1, &shape);
    param->init = INIT_CONSTANT;
    param->mean = use->arg[0].real;
    return build_learned(body, param, use->span);
}

#define AXIS { "axis", ARG_AXIS, false, -1, NULL }

const struct layer shape_layers[] = {
    { "flatten", apply_flatten, 0, 1, LIMIT_RANK, NULL, { { 0 } } },
    { "reshape", apply_reshape, 0, 1, LIMIT_RANK, NULL, {
        { "shape", ARG_CHAIN, true, 0, NULL } } },
    { "slice", apply_slice, 0, 1, LIMIT_RANK, NULL, {
        { "from", ARG_INDEX, true, 0, NULL },
        { "to", ARG_INDEX, true, 0, NULL }, AXIS } },
    { "part", apply_part, 0, 1, LIMIT_RANK, NULL, {
        { "number", ARG_INDEX, true, 0, NULL },
        { "of", ARG_COUNT, true, 0, NULL }, AXIS } },
    { "row", apply_row, 0, 2, LIMIT_RANK, NULL, {
        { "number", ARG_INDEX, true, 0, NULL } } },
    { "concat", apply_concat, LAYER_STARTS, 1, LIMIT_RANK, NULL, {
        { "values", ARG_VALUES, true, 0, NULL } } },
    { "learned", apply_learned, LAYER_STARTS, 0, LIMIT_RANK, NULL, {
        { "value", ARG_REAL, true, 0, NULL },
        { "shape", ARG_CHAIN, true, 0, NULL } } },
    { 0 }
};
