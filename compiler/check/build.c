/* build.c: nodes of the network, each with its shape rule.  Every function
 * appends to the body's region and returns the new value; NULL after an
 * error. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

/* The value as the body's region sees it: what lies outside a loop's body
 * becomes an input of the body. */
static struct value *localize_in(struct compilation *c, struct region *region,
                                 struct value *value)
{
    if (value->region == region || !region->parent)
        return value;
    struct value *outer = localize_in(c, region->parent, value);
    for (int i = 1; i < region->input_count; i++)
        if (region->captured[i] == outer)
            return region->inputs[i];
    struct value *inner = new_value(c, region, outer->form, outer->layout,
                                    &outer->shape, outer->name, outer->span);
    inner->integer = outer->integer;
    inner->classes = outer->classes;
    GROW_IN(c->arena, region->captured, region->captured_size,
            region->input_count);
    region->captured[region->input_count] = outer;
    add_input(c, region, inner);
    return inner;
}

struct value *localize(struct body *body, struct value *value)
{
    return localize_in(body->check->c, body->region, value);
}

static struct node *add_node(struct body *body, enum op op, struct span span)
{
    struct node *node = new_node(body->check->c, op, span);

    append_node(body->region, &body->region->nodes, node);
    return node;
}

static struct value *result(struct body *body, struct node *node,
                            enum layout layout, const struct shape *shape,
                            const char *name)
{
    return node_out(node, new_value(body->check->c, body->region, FORM_ROWS,
                                    layout, shape, name, node->span));
}

struct value *as_layout(struct body *body, struct value *value,
                        enum layout layout)
{
    value = localize(body, value);
    if (value->layout == layout)
        return value;
    if (!value->other) {
        struct node *node = add_node(body, layout == LAYOUT_STRIPS ? OP_PACK
                                     : OP_UNPACK, value->span);
        node_in(node, value);
        value->other = result(body, node, layout, &value->shape, value->name);
        value->other->other = value;
    }
    return value->other;
}

/* A slice's rows lie apart: views, blocks and repeats need them together. */
struct value *together(struct body *body, struct value *value)
{
    value = localize(body, value);
    if (!value->base || value->reshaped)
        return value;
    return build_number(body, "MUL", value, 1, value->name, value->span);
}

/* The same scalars in memory order under other axes. */
struct value *as_shape(struct body *body, struct value *value,
                       const struct shape *shape, struct span span)
{
    value = localize(body, value);
    if (shape_equal(&value->shape, shape))
        return value;
    value = as_layout(body, together(body, value), LAYOUT_PLAIN);
    struct node *node = add_node(body, OP_RESHAPE, span);
    node_in(node, value);
    struct value *view = result(body, node, LAYOUT_PLAIN, shape, value->name);
    view->base = value;
    view->reshaped = true;
    return view;
}

bool need_real(struct body *body, const struct value *x, struct span span,
               const char *what)
{
    if (!x->integer)
        return true;
    fail(body, span, "%s takes real numbers, '%s' is integer: look it up "
         "with 'embedding(vocabulary, width)'", what, x->name);
    return false;
}

struct value *build_point(struct body *body, const char *step,
                          struct value *x, const char *name, struct span span)
{
    x = localize(body, x);
    struct node *node = add_node(body, OP_POINT, span);
    node->point.step = step;
    node_in(node, x);
    return result(body, node, x->layout, &x->shape, name);
}

/* The value as a region's output: in its natural layout, in memory that is
 * neither the region's input's nor another value's. */
struct value *own_output(struct body *body, struct value *value)
{
    value = as_layout(body, localize(body, value),
                      natural_layout(&value->shape));
    if (!value->producer || value->base)
        value = build_number(body, "MUL", value, 1, value->name, value->span);
    return value;
}

struct value *build_number(struct body *body, const char *step,
                           struct value *x, double number, const char *name,
                           struct span span)
{
    if (!need_real(body, x, span, "arithmetic")
        || !fit_float(body, span, &number))
        return NULL;
    struct value *y = build_point(body, step, x, name, span);
    y->producer->point.by = BY_CONST;
    y->producer->point.number = number;
    return y;
}

struct value *build_param_point(struct body *body, const char *step,
                                struct value *x, enum broadcast by,
                                struct param *param, const char *name,
                                struct span span)
{
    struct value *y = build_point(body, step, x, name, span);
    y->producer->point.by = by;
    y->producer->param[0] = param;
    return y;
}

/* [C] against [.., C]: the same for every row of a sample. */
static bool trailing(const struct shape *small, const struct shape *large)
{
    return small->rank == 1 && large->rank > 1
        && small->axis[0] == large->axis[large->rank - 1];
}

struct value *build_binary(struct body *body, const char *step,
                           const char *reverse, struct value *a,
                           struct value *b, const char *name,
                           struct span span)
{
    if (!need_real(body, a, span, "arithmetic")
        || !need_real(body, b, span, "arithmetic"))
        return NULL;
    if (trailing(&a->shape, &b->shape))
        return build_binary(body, reverse, step, b, a, name, span);
    bool sample = trailing(&b->shape, &a->shape);
    if (!sample && !shape_equal(&a->shape, &b->shape)) {
        fail(body, span, "shapes do not fit: %s and %s",
             shape_text(body->check->c, &a->shape),
             shape_text(body->check->c, &b->shape));
        fail_note(body, a->span, "%s comes from here",
                  shape_text(body->check->c, &a->shape));
        fail_note(body, b->span, "%s comes from here",
                  shape_text(body->check->c, &b->shape));
        return NULL;
    }
    /* a quotient by rows is a product: grad.c knows sums and products */
    if (sample && strcmp(step, "DIV") == 0) {
        b = build_number(body, "RDIV", b, 1, "reciprocal", span);
        step = "MUL";
    } else if (sample && strcmp(step, "RDIV") == 0) {
        a = build_number(body, "RDIV", a, 1, "reciprocal", span);
        step = "MUL";
    }
    a = localize(body, a);
    b = as_layout(body, b, sample ? LAYOUT_PLAIN : a->layout);
    struct value *y = build_point(body, step, a, name, span);
    node_in(y->producer, b);
    y->producer->point.by = sample ? BY_SAMPLE_FEATURE : BY_FULL;
    return y;
}

/* ---- layers ---- */

/* An operator whose first result is like x. */
struct value *build_node(struct body *body, enum op op, struct value *x,
                         const char *name, struct span span)
{
    x = localize(body, x);
    struct node *node = add_node(body, op, span);
    node_in(node, x);
    return result(body, node, x->layout, &x->shape, name);
}

/* A table [count, width] of rows to look up. */
struct param *table_param(struct body *body, struct piece *path,
                          const struct shape *shape)
{
    const struct weight_init *init = init_of(body);
    struct param *table = weight_param(body, path, PACK_PANELS, 1, shape,
                                       shape->axis[1], shape->axis[0]);

    if (init->kind == IK_HE) {          /* no fan: PyTorch's N(0, 1) */
        table->init = INIT_NORMAL;
        table->spread = init->gain;
    }
    return table;
}

/* Rows of a table by an index, or NULL: by their position; shape: the
 * result's. */
struct value *build_rows(struct body *body, struct value *index,
                         struct param *table, const struct shape *shape,
                         const char *name, struct span span)
{
    if (index)
        index = localize(body, index);
    struct node *node = add_node(body, OP_EMBEDDING, span);
    if (index)
        node_in(node, index);
    node->param[0] = table;
    return result(body, node, LAYOUT_STRIPS, shape, name);
}

struct value *build_product(struct body *body, struct value *x,
                            struct param *weight, struct param *bias,
                            struct span span)
{
    struct shape shape = x->shape;

    x = as_layout(body, x, LAYOUT_STRIPS);
    struct node *node = add_node(body, OP_LINEAR, span);
    shape.axis[shape.rank - 1] = weight->shape.axis[0];
    node_in(node, x);
    node->param[0] = weight;
    node->param[1] = bias;
    return result(body, node, LAYOUT_STRIPS, &shape, "linear");
}

struct value *build_linear(struct body *body, struct value *x, int64_t out,
                           bool bias, bool implicit, struct piece *path,
                           struct span span)
{
    struct shape shape = { 2, { out, x->features } };
    struct param *vector = NULL;

    if (!weight_fits(body, &shape, span))
        return NULL;
    struct param *weight = weight_param(body, path, PACK_PANELS, 1, &shape,
                                        x->features, out);
    if (bias) {
        vector = vector_param(body, path, "bias", out, 0);
        vector->implicit = implicit;
    }
    return build_product(body, x, weight, vector, span);
}

/* A map's axes as those of a value whose rank is x's: [length, channels] is a
 * map of height 1. */
static struct shape map_shape(const struct value *x, int64_t height,
                              int64_t width, int64_t channels)
{
    if (x->shape.rank == 2)
        return (struct shape) { 2, { width, channels } };
    return (struct shape) { 3, { height, width, channels } };
}

/* op: CONV; UPCONV: from conv's result to what it reads. */
struct value *build_conv(struct body *body, enum op op, struct value *x,
                         const struct conv *conv, bool bias, bool implicit,
                         struct piece *path, struct span span)
{
    int64_t in = conv->in / conv->groups, out = conv->out / conv->groups;
    int64_t taps = conv->kernel_height * conv->kernel_width;
    struct shape weight = { 4, { conv->out, in, conv->kernel_height,
                                 conv->kernel_width } };
    struct shape shape = op == OP_UPCONV
        ? map_shape(x, conv->height, conv->width, conv->in)
        : map_shape(x, conv->out_height, conv->out_width, conv->out);

    if (x->shape.rank == 2)
        weight = (struct shape) { 3, { conv->out, in, conv->kernel_width } };
    if (shape_size(&weight) > LIMIT_SIZE || shape_size(&shape) > LIMIT_SIZE) {
        fail(body, span, "this convolution is above the limit of 2^40 "
             "scalars a tensor");
        return NULL;
    }
    x = as_layout(body, x, LAYOUT_PLAIN);
    struct node *node = add_node(body, op, span);
    node->conv = *conv;
    node_in(node, x);
    node->param[0] = weight_param(body, path, PACK_CONV, (int)conv->groups,
                                  &weight, in * taps, out * taps);
    struct value *y = result(body, node, LAYOUT_PLAIN, &shape, op_name(op));
    if (bias) {
        node->param[1] = vector_param(body, path, "bias", y->features, 0);
        node->param[1]->implicit = implicit;
    }
    return y;
}

/* op: POOL; UPSAMPLE: from pool's result to what it reads. */
struct value *build_pool(struct body *body, enum op op, struct value *x,
                         const struct pool *pool, const char *name,
                         struct span span)
{
    struct shape shape = op == OP_UPSAMPLE
        ? map_shape(x, pool->height, pool->width, pool->channels)
        : map_shape(x, pool->out_height, pool->out_width, pool->out_channels);

    x = as_layout(body, x, LAYOUT_PLAIN);
    struct node *node = add_node(body, op, span);
    node->pool = *pool;
    node_in(node, x);
    return result(body, node, LAYOUT_PLAIN, &shape, name);
}

/* ---- parts and joins ---- */

/* The axes before `axis` as rows, it and those after as one of features. */
static struct shape rows_of(const struct shape *shape, int axis)
{
    struct shape rows = { axis + 1, { 0 } };
    int64_t features = 1;

    memcpy(rows.axis, shape->axis, sizeof rows.axis);
    for (int i = axis; i < shape->rank; i++)
        features *= shape->axis[i];
    rows.axis[axis] = features;
    return rows;
}

static bool joins_with(struct body *body, const struct value *a,
                       const struct value *b, int axis, struct span span)
{
    struct shape other = b->shape;

    if (axis < other.rank)
        other.axis[axis] = a->shape.axis[axis];
    if (shape_equal(&a->shape, &other))
        return true;
    fail(body, span, "concat: %s and %s differ in more than %s",
         shape_text(body->check->c, &a->shape),
         shape_text(body->check->c, &b->shape), axis == a->shape.rank - 1
         ? "the last axis"
         : arena_format(body->check->c->arena, "axis %d", axis));
    fail_note(body, a->span, "%s comes from here",
              shape_text(body->check->c, &a->shape));
    fail_note(body, b->span, "%s comes from here",
              shape_text(body->check->c, &b->shape));
    return false;
}

/* Along the last axis; `layout`: of the result. */
static struct value *join_features(struct body *body, struct value **values,
                                   int count, const struct shape *shape,
                                   enum layout layout, struct span span)
{
    for (int i = 0; i < count; i++)
        values[i] = as_layout(body, values[i], layout);
    struct node *node = add_node(body, OP_CONCAT, span);
    for (int i = 0; i < count; i++)
        node_in(node, values[i]);
    return result(body, node, layout, shape, "concat");
}

struct value *build_concat(struct body *body, struct value **values, int count,
                           int axis, struct span span)
{
    struct shape shape = values[0]->shape;
    struct value *parts[NODE_INS];
    int64_t size = 0;

    for (int i = 0; i < count; i++) {
        if (!need_real(body, values[i], span, "concat")
            || !joins_with(body, values[0], values[i], axis, span))
            return NULL;
        size += values[i]->shape.axis[axis];
    }
    shape.axis[axis] = size;
    if (!small_enough(body, &shape, span))
        return NULL;
    memcpy(parts, values, sizeof *parts * (size_t)count);
    if (axis == shape.rank - 1)
        return join_features(body, parts, count, &shape,
                             natural_layout(&shape), span);
    for (int i = 0; i < count; i++) {
        struct shape rows = rows_of(&parts[i]->shape, axis);
        parts[i] = as_shape(body, parts[i], &rows, span);
    }
    struct shape rows = rows_of(&shape, axis);
    struct value *y = join_features(body, parts, count, &rows, LAYOUT_PLAIN,
                                    span);
    return as_shape(body, y, &shape, span);
}

/* `count` features from `first` on: a view. */
static struct value *slice_features(struct body *body, struct value *x,
                                    int64_t first, int64_t count,
                                    struct span span)
{
    struct node *node = add_node(body, OP_SLICE, span);
    struct shape shape = x->shape;

    shape.axis[shape.rank - 1] = count;
    node_in(node, x);
    struct value *y = result(body, node, x->layout, &shape, "part");
    y->base = x;
    y->offset = first;
    return y;
}

/* x[first ... first + count - 1] along an axis */
struct value *build_slice(struct body *body, struct value *x, int axis,
                          int64_t first, int64_t count, struct span span)
{
    struct shape shape = x->shape, rows = rows_of(&x->shape, axis);
    int64_t inner = rows.axis[axis] / shape.axis[axis];

    x = localize(body, x);
    if (count == shape.axis[axis])
        return x;
    shape.axis[axis] = count;
    if (axis == shape.rank - 1)
        return slice_features(body, x, first, count, span);
    x = as_shape(body, x, &rows, span);
    x = as_layout(body, x, LAYOUT_PLAIN);
    x = slice_features(body, x, first * inner, count * inner, span);
    return as_shape(body, x, &shape, span);
}

/* The same number everywhere. */
struct value *build_constant(struct body *body, const struct shape *shape,
                             double number, const char *name,
                             struct span span)
{
    struct node *node = add_node(body, OP_POINT, span);

    node->point.step = "LOAD";
    node->point.by = BY_CONST;
    node->point.number = number;
    return result(body, node, LAYOUT_PLAIN, shape, name);
}

/* A parameter as a value, the same for every sample. */
struct value *build_learned(struct body *body, struct param *param,
                            struct span span)
{
    struct shape flat = { 1, { param->size } };
    struct value *zero = build_constant(body, &flat, 0, "zero", span);
    struct value *y = build_param_point(body, "ADD", zero, BY_FEATURE, param,
                                        "learned", span);
    return as_shape(body, y, &param->shape, span);
}

/* Rows go from node to node whole: axes are one meanwhile. */
struct value *build_aggregate(struct body *body, struct value *x,
                              int64_t graph, int64_t kind, struct span span)
{
    struct shape flat = { 1, { shape_size(&x->shape) } }, shape = x->shape;

    x = as_layout(body, as_shape(body, x, &flat, span), LAYOUT_PLAIN);
    struct node *node = add_node(body, OP_AGGREGATE, span);
    node->set.n[0] = graph;
    node->set.n[1] = kind;
    node->own[0] = 1;
    node->own[1] = (x->features + 15) / 16 * 16 + 1;
    node_in(node, x);
    return as_shape(body, result(body, node, LAYOUT_STRIPS, &flat,
                                 "aggregate"), &shape, span);
}

/* ---- norms ---- */

/* "A convolution or linear layer directly before a batch norm has no bias":
 * the norm subtracts it.  A shared one keeps it: other uses may need it. */
static void drop_bias(struct value *x)
{
    struct node *node = x->producer;

    if (!node || (node->op != OP_CONV && node->op != OP_UPCONV
                  && node->op != OP_LINEAR)
        || !node->param[1] || !node->param[1]->implicit
        || node->param[1]->shared)
        return;
    struct region *region = node->param[1]->region;
    struct param **link = &region->params;
    while (*link != node->param[1])
        link = &(*link)->next;
    *link = node->param[1]->next;
    if (region->params_end == &node->param[1]->next)
        region->params_end = link;
    node->param[1] = NULL;
}

static void vector_out(struct body *body, struct node *node, int64_t features,
                       const char *name)
{
    struct shape shape = { 1, { features } };
    node_out(node, new_value(body->check->c, body->region, FORM_VECTOR,
                             LAYOUT_PLAIN, &shape, name, node->span));
}

static struct value *build_batch_norm(struct body *body, double epsilon,
                                      struct value *x, struct piece *path,
                                      struct span span)
{
    drop_bias(x);
    struct node *node = add_node(body, OP_BATCH_NORM, span);
    node->norm.epsilon = epsilon;
    node->norm.momentum = 0.1;
    node_in(node, x);
    node->param[0] = vector_param(body, path, "weight", x->features, 1);
    node->param[1] = vector_param(body, path, "bias", x->features, 0);
    node->param[2] = vector_param(body, path, "running_mean", x->features, 0);
    node->param[3] = vector_param(body, path, "running_var", x->features, 1);
    node->param[2]->trainable = node->param[3]->trainable = false;
    struct value *y = result(body, node, x->layout, &x->shape, "batchnorm");
    vector_out(body, node, 2 * x->features, "moments");
    vector_out(body, node, x->features, "scale");
    vector_out(body, node, x->features, "shift");
    return y;
}

/* kind: "layernorm", "rmsnorm", "groupnorm", "instancenorm", "batchnorm". */
struct value *build_norm(struct body *body, const char *kind, int64_t groups,
                         double epsilon, bool affine, struct value *x,
                         struct span span)
{
    struct compilation *c = body->check->c;
    struct piece *path = next_path(body, kind);

    x = localize(body, x);
    if (strcmp(kind, "batchnorm") == 0)
        return build_batch_norm(body, epsilon, x, path, span);
    bool rms = strcmp(kind, "rmsnorm") == 0, layer = *kind == 'l';
    bool maps = !rms && !layer && x->rows > 1;
    if (maps)
        x = as_layout(body, x, LAYOUT_PLAIN);
    struct node *node = add_node(body, OP_NORM, span);
    node->norm.kind = rms ? NORM_RMS : layer ? NORM_LAYER : NORM_GROUP;
    node->norm.groups = groups;
    node->norm.maps = maps;
    node->norm.epsilon = epsilon;
    node_in(node, x);
    if (affine)
        node->param[0] = vector_param(body, path, "weight", x->features, 1);
    if (affine && !rms)
        node->param[1] = vector_param(body, path, "bias", x->features, 0);
    struct value *y = result(body, node, x->layout, &x->shape, kind);
    struct shape stats = { 1, { groups } };
    node_out(node, new_value(c, body->region, FORM_ROWS, x->layout, &x->shape,
                             "normalized", span));
    struct value *rstd = new_value(c, body->region, node->norm.maps
                                   ? FORM_LINES : FORM_STATS, x->layout,
                                   &stats, "rstd", span);
    rstd->rows = x->rows;
    node_out(node, rstd);
    return y;
}

struct value *build_softmax(struct body *body, struct value *x,
                            struct span span)
{
    x = localize(body, x);
    struct node *node = add_node(body, OP_SOFTMAX, span);
    node_in(node, x);
    return result(body, node, x->layout, &x->shape, "softmax");
}

/* ---- blocks of features ---- */

/* `from` blocks in x; weights: a value, or a parameter for all rows. */
static struct value *of_blocks(struct body *body, enum op op, struct value *x,
                               struct weights by, int64_t from, int64_t to,
                               int64_t features, const char *name,
                               struct span span)
{
    x = localize(body, x);
    if (by.value)
        by.value = as_layout(body, by.value, x->layout);
    struct node *node = add_node(body, op, span);
    struct shape shape = x->shape;
    int64_t size = x->features / from;

    shape.axis[shape.rank - 1] = features;
    node_in(node, x);
    if (by.value)
        node_in(node, by.value);
    node->param[0] = by.param;
    node->set.n[0] = from;
    node->set.n[1] = to;
    node->set.n[2] = size;
    node->macs = x->rows * from * to * size;
    return result(body, node, x->layout, &shape, name);
}

/* y_j = sum of w_ij x_i over `from` blocks, j < to; w [from, to] */
struct value *build_mix(struct body *body, struct value *x, struct weights w,
                        int64_t from, int64_t to, const char *name,
                        struct span span)
{
    return of_blocks(body, OP_MIX, x, w, from, to, x->features / from * to,
                     name, span);
}

/* y_j = sum of w_ji x_i; w [to, from] */
struct value *build_mix_transposed(struct body *body, struct value *x,
                                   struct weights w, int64_t from, int64_t to,
                                   const char *name, struct span span)
{
    return of_blocks(body, OP_MIX_TRANSPOSED, x, w, from, to,
                     x->features / from * to, name, span);
}

/* s_ij = <x_i, y_j> for `from` blocks of x and `to` of y */
struct value *build_dots(struct body *body, struct value *x, struct weights y,
                         int64_t from, int64_t to, const char *name,
                         struct span span)
{
    return of_blocks(body, OP_DOTS, x, y, from, to, from * to, name, span);
}

/* From n * n features, a matrix whose rows and columns sum to 1, nearly. */
struct value *build_sinkhorn(struct body *body, struct value *x, int64_t n,
                             int64_t iterations, const char *name,
                             struct span span)
{
    x = localize(body, x);
    struct node *node = add_node(body, OP_SINKHORN, span);
    node_in(node, x);
    node->set.n[0] = n;
    node->set.n[1] = iterations;
    return result(body, node, x->layout, &x->shape, name);
}
