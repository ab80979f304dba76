/* layers_dense.c: layers of rows of features: linear, embedding, norms,
 * functions. */
#include "layers.h"

#include <inttypes.h>
#include <string.h>

/* ---- dense ---- */

/* Weights of another layer. */
static struct value *tied_linear(struct use *use, struct value *x,
                                 const struct arg *weight, bool bias)
{
    int64_t out = use->arg[0].n[0];
    struct shape shape = { 2, { out, x->features } };
    struct piece *path = next_path(use->body, "linear");
    struct param *param = given_param(use, weight, "weight", &shape);

    return !param ? NULL
        : build_product(use->body, x, param, !bias ? NULL
                        : vector_param(use->body, path, "bias", out, 0),
                        use->span);
}

static struct value *apply_linear(struct use *use, struct value *x)
{
    const struct arg *bias = &use->arg[1], *weight = &use->arg[2];

    if (weight->given)
        return tied_linear(use, x, weight, has_bias(use, bias));
    return build_linear(use->body, x, use->arg[0].n[0], has_bias(use, bias),
                        !bias->given, next_path(use->body, "linear"),
                        use->span);
}

static bool table_fits(struct use *use, struct value *x,
                       const struct shape *table)
{
    struct body *body = use->body;

    if (!x->integer) {
        fail(body, use->span, "'embedding' looks up integers, the value here "
             "is real: declare the input as 'input name int [...]'");
        fail_note(body, x->span, "%s comes from here", text_of(use, x));
        return false;
    }
    if (shape_size(table) <= LIMIT_SIZE)
        return true;
    fail(body, use->span, "the table of this embedding, %s, is above the "
         "limit of 2^40 scalars", shape_text(body->check->c, table));
    return false;
}

static struct value *apply_embedding(struct use *use, struct value *x)
{
    struct body *body = use->body;
    int64_t vocabulary = use->arg[0].n[0], width = use->arg[1].n[0];
    struct shape weight = { 2, { vocabulary, width } }, shape = x->shape;

    if (!table_fits(use, x, &weight))
        return NULL;
    struct param *table = use->arg[2].given
        ? given_param(use, &use->arg[2], "weight", &weight)
        : table_param(body, next_path(body, "embedding"), &weight);
    if (!table)
        return NULL;
    limit_classes(x, vocabulary);
    shape.axis[shape.rank++] = width;
    return build_rows(body, x, table, &shape, "embedding", use->span);
}

/* ---- norms, softmax, dropout ---- */

/* What gamma is at first: 0 in the last norm of a branch makes a residual block
 * begin as the identity (Goyal et al. 2017, section 5.1). */
static struct value *with_gamma(struct use *use, const struct arg *gamma,
                                struct value *y)
{
    struct param *param = y->producer->param[0];

    if (param) {
        param->mean = gamma->real;
        return y;
    }
    if (!gamma->given)
        return y;
    fail(use->body, gamma->ast->span, "without 'affine' a norm has no gamma");
    return NULL;
}

static struct value *apply_row_norm(struct use *use, struct value *x)
{
    return with_gamma(use, &use->arg[2],
        build_norm(use->body, use->layer->name, 1, use->arg[0].real,
                   use->arg[1].real != 0, x, use->span));
}

static struct value *apply_batchnorm(struct use *use, struct value *x)
{
    return with_gamma(use, &use->arg[1],
        build_norm(use->body, "batchnorm", 1, use->arg[0].real, true, x,
                   use->span));
}

static struct value *apply_groupnorm(struct use *use, struct value *x)
{
    int64_t groups = use->arg[0].n[0];

    if (x->features % groups) {
        fail(use->body, use->span, "%" PRId64 " groups do not divide the %"
             PRId64 " channels of %s evenly", groups, x->features,
             text_of(use, x));
        fail_note(use->body, x->span, "%s comes from here", text_of(use, x));
        return NULL;
    }
    return with_gamma(use, &use->arg[3],
        build_norm(use->body, "groupnorm", groups, use->arg[1].real,
                   use->arg[2].real != 0, x, use->span));
}

static struct value *apply_instancenorm(struct use *use, struct value *x)
{
    return with_gamma(use, &use->arg[2],
        build_norm(use->body, "instancenorm", x->features, use->arg[0].real,
                   use->arg[1].real != 0, x, use->span));
}

static struct value *apply_softmax(struct use *use, struct value *x)
{
    return build_softmax(use->body, x, use->span);
}

/* Of a number that stands for a time: [.., 1] -> [.., features]. */
static struct value *apply_time_embedding(struct use *use, struct value *x)
{
    struct body *body = use->body;
    int64_t features = use->arg[0].n[0], shift = use->arg[2].n[0];
    struct shape shape = x->shape;
    struct node *node;

    if (x->features != 1) {
        fail(body, use->span, "'time_embedding' takes one number, [.., 1], the "
             "value here is %s", text_of(use, x));
        fail_note(body, x->span, "%s comes from here", text_of(use, x));
        return NULL;
    }
    if (features % 2 || features / 2 <= shift) {
        fail(body, use->span, "'time_embedding' makes pairs of sine and "
             "cosine: its features must be an even number, %" PRId64 " at "
             "least", 2 * shift + 2);
        return NULL;
    }
    if (use->arg[1].real <= 1) {
        fail(body, use->arg[1].ast->span, "the base must be above 1, as "
             "10000");
        return NULL;
    }
    x = localize(body, x);
    node = new_node(body->check->c, OP_SINE_FEATURES, use->span);
    append_node(body->region, &body->region->nodes, node);
    node_in(node, x);
    node->set.n[0] = shape.axis[shape.rank - 1] = features;
    node->set.n[1] = shift;
    node->set.r[0] = use->arg[1].real;
    return node_out(node, new_value(body->check->c, body->region, FORM_ROWS,
                                    x->layout, &shape, "time_embedding",
                                    use->span));
}

static struct value *apply_dropout(struct use *use, struct value *x)
{
    struct value *y = build_point(use->body, "DROPOUT", x, "dropout",
                                  use->span);
    y->producer->point.number = use->arg[0].real;
    y->producer->point.has_number = true;
    y->producer->point.key = use->body->region->keys++;
    y->producer->training_only = true;
    return y;
}

/* ---- pointwise ---- */

/* The gradient tells by the sign of y which way x went. */
static bool is_rising(struct use *use)
{
    const struct arg *arg = &use->arg[0];

    if (use->layer->arg[0].kind != ARG_REAL || arg->real >= 0)
        return true;
    fail(use->body, arg->ast ? arg->ast->span : use->span, "the %s of '%s' "
         "must be at least 0, it is %g", use->layer->arg[0].name,
         use->layer->name, arg->real);
    return false;
}

static struct value *apply_pointwise(struct use *use, struct value *x)
{
    const char *step = use->layer->step;
    if (!is_rising(use))
        return NULL;
    if (strcmp(step, "GELU") == 0 && use->arg[0].is_word)
        step = "GELU_TANH";
    else if (strcmp(step, "GELU") == 0 && use->arg[0].given) {
        fail(use->body, use->arg[0].ast->span, "'gelu' is exact, or "
             "'gelu(tanh)'");
        return NULL;
    }
    struct value *y = build_point(use->body, step, x, use->layer->name,
                                  use->span);
    if (use->layer->arg[0].kind == ARG_REAL) {
        y->producer->point.number = use->arg[0].real;
        y->producer->point.has_number = true;
    }
    return y;
}

/* shift: x + b, gain: a x; one parameter */
static struct value *apply_scalar(struct use *use, struct value *x)
{
    const char *name = use->layer->name, *step = use->layer->step;
    struct param *param
        = vector_param(use->body, next_path(use->body, name),
                       strcmp(step, "ADD") ? "weight" : "bias", 1,
                       use->arg[0].real);

    return build_param_point(use->body, step, x, BY_SCALAR, param, name,
                             use->span);
}

static struct value *apply_identity(struct use *use, struct value *x)
{
    (void)use;
    return x;
}

const struct layer dense_layers[] = {
    { "linear", apply_linear, LAYER_WEIGHTS, 1, LIMIT_RANK, NULL, {
        { "out", ARG_COUNT, true, 0, NULL }, BIAS, WEIGHT,
        INIT } },
    { "embedding", apply_embedding, LAYER_INTEGERS, 1, LIMIT_RANK - 1, NULL, {
        { "vocabulary", ARG_COUNT, true, 0, NULL },
        { "width", ARG_COUNT, true, 0, NULL }, WEIGHT, INIT } },
    { "dropout", apply_dropout, 0, 1, LIMIT_RANK, NULL, {
        { "p", ARG_REAL, true, 0, NULL } } },
    { "time_embedding", apply_time_embedding, 0, 1, LIMIT_RANK, NULL, {
        { "features", ARG_COUNT, true, 0, NULL },
        { "base", ARG_REAL, false, 10000, NULL },
        { "shift", ARG_INDEX, false, 1, NULL } } },
    { "softmax", apply_softmax, 0, 1, LIMIT_RANK, NULL, { { 0 } } },
    { "layernorm", apply_row_norm, 0, 1, LIMIT_RANK, NULL,
        { EPSILON, AFFINE, GAMMA } },
    { "rmsnorm", apply_row_norm, 0, 1, LIMIT_RANK, NULL,
        { EPSILON, AFFINE, GAMMA } },
    { "batchnorm", apply_batchnorm, 0, 1, LIMIT_RANK, NULL, {
        EPSILON, GAMMA } },
    { "groupnorm", apply_groupnorm, 0, 1, LIMIT_RANK, NULL, {
        { "groups", ARG_COUNT, true, 0, NULL }, EPSILON, AFFINE, GAMMA } },
    { "instancenorm", apply_instancenorm, 0, 3, 3, NULL,
        { EPSILON, AFFINE, GAMMA } },
    { "shift", apply_scalar, 0, 1, LIMIT_RANK, "ADD", {
        { "start", ARG_REAL, false, 0, NULL } } },
    { "gain", apply_scalar, 0, 1, LIMIT_RANK, "MUL", {
        { "start", ARG_REAL, false, 1, NULL } } },
    { "identity", apply_identity, 0, 1, LIMIT_RANK, NULL, { { 0 } } },
#define INPUT_ARG  { 0 }
#define LEAKY_ARG  { "slope", ARG_REAL, false, 0.01, NULL }
#define ELU_ARG    { "alpha", ARG_REAL, false, 1, NULL }
#define GELU_ARG   { "form", ARG_COUNT, false, 1, "tanh" }
#define ARG_RELU INPUT_ARG
#define ARG_LEAKY LEAKY_ARG
#define ARG_RELU6 INPUT_ARG
#define ARG_ELU ELU_ARG
#define ARG_GELU GELU_ARG
#define ARG_GELU_TANH INPUT_ARG
#define ARG_SILU INPUT_ARG
#define ARG_SIGMOID INPUT_ARG
#define ARG_TANH INPUT_ARG
#define ARG_SOFTPLUS INPUT_ARG
#define ARG_EXP INPUT_ARG
#define ARG_LOG INPUT_ARG
#define ARG_ABS INPUT_ARG
#define ROW(name, step, grad, reads, preset, formula, derivative) \
    { #name, apply_pointwise, 0, 1, LIMIT_RANK, #step, { ARG_##step } },
    POINTWISE_ROWS(ROW)
#undef ROW
    { 0 }
};
