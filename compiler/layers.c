/* layers.c: the layers of the language, one row each: name, arguments, and
 * the function that checks shapes and builds the nodes. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

enum arg_kind {
    ARG_END,
    ARG_COUNT,          /* a positive integer */
    ARG_PAIR,           /* a positive integer, or [y, x] */
    ARG_PAD,            /* an integer >= 0, or [y, x] */
    ARG_REAL,
    ARG_FLAG,           /* yes or no */
    ARG_CHAIN           /* a value: a chain that starts at the current one */
};

struct arg_row { const char *name; enum arg_kind kind; bool required;
                 double preset; const char *word; };

enum { ARGS = 8 };

struct arg {
    bool given, is_word;        /* is_word: the row's special word */
    int64_t n[2];
    double real;
    struct ast *ast;
};

struct use {                    /* one application of a layer */
    struct body *body;
    const struct layer *layer;
    struct arg arg[ARGS];
    struct ast *call;
    struct span span;
    bool column;
};

struct layer {
    const char *name;
    struct value *(*apply)(struct use *use, struct value *x);
    bool weights;               /* `norm ... weights` goes round it */
    int min_rank, max_rank;
    const char *step;           /* pointwise rows */
    struct arg_row arg[ARGS];
};

static const char *text_of(struct use *use, struct value *x)
{
    return shape_text(use->body->check->c, &x->shape);
}

/* ---- dense ---- */

/* Whether a layer has a bias: as written; else not where a batch norm follows
 * (implicit: build_norm takes it away). */
static bool has_bias(const struct use *use, const struct arg *arg)
{
    return arg->given ? arg->real != 0 : !use->body->batch_weights;
}

static struct value *apply_linear(struct use *use, struct value *x)
{
    return build_linear(use->body, x, use->arg[0].n[0],
                        has_bias(use, &use->arg[1]), !use->arg[1].given,
                        next_path(use->body, "linear"), use->span);
}

static struct value *apply_flatten(struct use *use, struct value *x)
{
    struct shape shape = { 1, { shape_size(&x->shape) } };
    return as_shape(use->body, x, &shape, use->span);
}

static struct value *apply_embedding(struct use *use, struct value *x)
{
    struct body *body = use->body;
    int64_t vocabulary = use->arg[0].n[0], width = use->arg[1].n[0];
    struct shape weight = { 2, { vocabulary, width } }, shape = x->shape;

    if (!x->integer) {
        fail(body, use->span, "'embedding' looks up integers, the value here "
             "is real: declare the input as 'input name int [...]'");
        fail_note(body, x->span, "%s comes from here", text_of(use, x));
        return NULL;
    }
    if (shape_size(&weight) > LIMIT_SIZE) {
        fail(body, use->span, "the table of this embedding, %s, is above the "
             "limit of 2^40 scalars", shape_text(body->check->c, &weight));
        return NULL;
    }
    x = localize(body, x);
    struct node *node = new_node(body->check->c, OP_EMBEDDING, use->span);
    append_node(body->region, &body->region->nodes, node);
    node_in(node, x);
    if (!x->classes || vocabulary < x->classes)
        x->classes = vocabulary;
    node->param[0] = weight_param(body, next_path(body, "embedding"),
                                  PACK_PANELS, 1, &weight, width, vocabulary);
    if (body->init.kind == IK_HE) {     /* no fan: PyTorch's N(0, 1) */
        node->param[0]->init = INIT_NORMAL;
        node->param[0]->spread = 1;
    }
    shape.axis[shape.rank++] = width;
    return node_out(node, new_value(body->check->c, body->region, FORM_ROWS,
                                    LAYOUT_STRIPS, &shape, "embedding",
                                    use->span));
}

/* ---- convolution and pooling ---- */

/* Output length along one axis; 0 when nothing fits. */
static int64_t window_out(int64_t size, int64_t pad, int64_t kernel,
                          int64_t dilation, int64_t stride)
{
    int64_t span = size + pad - dilation * (kernel - 1) - 1;
    return span < 0 ? 0 : span / stride + 1;
}

static bool window_fits(struct use *use, struct value *x, int64_t height,
                        int64_t width)
{
    if (height > 0 && width > 0)
        return true;
    fail(use->body, use->span, "the window of '%s' is larger than its padded "
         "input, %s", use->layer->name, text_of(use, x));
    fail_note(use->body, x->span, "%s comes from here", text_of(use, x));
    return false;
}

/* Without `padding`, stride 1 keeps the size: dilation (kernel - 1) in all,
 * the odd one below and to the right. */
static void conv_padding(const struct arg *pad, struct conv *conv)
{
    int64_t y = conv->dilation_y * (conv->kernel_height - 1);
    int64_t x = conv->dilation_x * (conv->kernel_width - 1);

    conv->top = pad->given ? pad->n[0] : y / 2;
    conv->left = pad->given ? pad->n[1] : x / 2;
    conv->bottom = pad->given ? pad->n[0] : y - y / 2;
    conv->right = pad->given ? pad->n[1] : x - x / 2;
}

enum { LIMIT_WINDOW = 1 << 20 };        /* kernel, stride, padding, dilation */

static bool windows_small(struct use *use)
{
    for (int i = 0; i < ARGS && use->layer->arg[i].kind; i++)
        for (int j = 0; j < 2; j++)
            if ((use->layer->arg[i].kind == ARG_PAIR
                 || use->layer->arg[i].kind == ARG_PAD)
                && use->arg[i].n[j] > LIMIT_WINDOW) {
                fail(use->body, use->span, "%s is %" PRId64 ", above the "
                     "limit of 2^20", use->layer->arg[i].name,
                     use->arg[i].n[j]);
                return false;
            }
    return true;
}

static struct value *apply_conv(struct use *use, struct value *x)
{
    const struct arg *a = use->arg;
    struct conv conv = {
        .height = x->shape.axis[0], .width = x->shape.axis[1],
        .in = x->features, .out = a[0].n[0],
        .kernel_height = a[1].n[0], .kernel_width = a[1].n[1],
        .stride_y = a[2].n[0], .stride_x = a[2].n[1],
        .dilation_y = a[4].n[0], .dilation_x = a[4].n[1],
        .groups = a[5].n[0],
    };
    if (!windows_small(use))
        return NULL;
    if (conv.in % conv.groups || conv.out % conv.groups) {
        bool in = conv.in % conv.groups;
        fail(use->body, use->span, "%" PRId64 " groups do not divide the %"
             PRId64 " %s channels evenly", conv.groups,
             in ? conv.in : conv.out, in ? "input" : "output");
        if (in)
            fail_note(use->body, x->span, "%s comes from here",
                      text_of(use, x));
        return NULL;
    }
    conv_padding(&a[3], &conv);
    conv.out_height = window_out(conv.height, conv.top + conv.bottom,
                                 conv.kernel_height, conv.dilation_y,
                                 conv.stride_y);
    conv.out_width = window_out(conv.width, conv.left + conv.right,
                                conv.kernel_width, conv.dilation_x,
                                conv.stride_x);
    if (!window_fits(use, x, conv.out_height, conv.out_width))
        return NULL;
    return build_conv(use->body, x, &conv, has_bias(use, &a[6]), !a[6].given,
                      next_path(use->body, "conv"), use->span);
}

static struct value *pool(struct use *use, struct value *x, bool max)
{
    const struct arg *a = use->arg;
    bool all = a[0].is_word;
    struct pool pool = {
        .max = max, .count_pad = true,
        .height = x->shape.axis[0], .width = x->shape.axis[1],
        .channels = x->features, .out_channels = x->features,
    };

    if (!windows_small(use))
        return NULL;
    if (all && (a[1].given || a[2].given)) {
        fail(use->body, use->span, "'all' takes the whole map: a stride or "
             "padding has no meaning with it");
        return NULL;
    }
    pool.kernel_height = all ? pool.height : a[0].n[0];
    pool.kernel_width = all ? pool.width : a[0].n[1];
    pool.stride_y = a[1].given ? a[1].n[0] : pool.kernel_height;
    pool.stride_x = a[1].given ? a[1].n[1] : pool.kernel_width;
    pool.top = a[2].n[0];
    pool.left = a[2].n[1];
    if (2 * pool.top > pool.kernel_height
        || 2 * pool.left > pool.kernel_width) {
        fail(use->body, use->span, "padding of '%s' must be at most half of "
             "its window", use->layer->name);
        return NULL;
    }
    pool.out_height = window_out(pool.height, 2 * pool.top,
                                 pool.kernel_height, 1, pool.stride_y);
    pool.out_width = window_out(pool.width, 2 * pool.left, pool.kernel_width,
                                1, pool.stride_x);
    if (!window_fits(use, x, pool.out_height, pool.out_width))
        return NULL;
    struct value *y = build_pool(use->body, x, &pool, use->layer->name,
                                 use->span);
    struct shape flat = { 1, { x->features } };
    return all ? as_shape(use->body, y, &flat, use->span) : y;
}

static struct value *apply_maxpool(struct use *use, struct value *x)
{
    return pool(use, x, true);
}

static struct value *apply_avgpool(struct use *use, struct value *x)
{
    return pool(use, x, false);
}

/* ---- norms, softmax, dropout ---- */

static struct value *apply_row_norm(struct use *use, struct value *x)
{
    return build_norm(use->body, use->layer->name, 1, use->arg[0].real,
                      use->arg[1].real != 0, x, use->span);
}

static struct value *apply_batchnorm(struct use *use, struct value *x)
{
    return build_norm(use->body, "batchnorm", 1, use->arg[0].real, true, x,
                      use->span);
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
    return build_norm(use->body, "groupnorm", groups, use->arg[1].real,
                      use->arg[2].real != 0, x, use->span);
}

static struct value *apply_instancenorm(struct use *use, struct value *x)
{
    return build_norm(use->body, "instancenorm", x->features,
                      use->arg[0].real, use->arg[1].real != 0, x, use->span);
}

static struct value *apply_softmax(struct use *use, struct value *x)
{
    struct body *body = use->body;
    struct node *node;

    x = localize(body, x);
    node = new_node(body->check->c, OP_SOFTMAX, use->span);
    append_node(body->region, &body->region->nodes, node);
    node_in(node, x);
    return node_out(node, new_value(body->check->c, body->region, FORM_ROWS,
                                    x->layout, &x->shape, "softmax",
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

static struct value *apply_pointwise(struct use *use, struct value *x)
{
    const char *step = use->layer->step;
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

static struct value *apply_identity(struct use *use, struct value *x)
{
    (void)use;
    return x;
}

/* `f(chain) as n` names f's result and parameters, not the chain's. */
static struct value *eval_unnamed(struct body *body, struct ast *chain,
                                  struct value *x)
{
    const char *as_name = body->as_name;

    body->as_name = NULL;
    x = eval_value(body, chain, x);
    body->as_name = as_name;
    return x;
}

/* Arguments are chains, each starts at the current value. */
static struct value *apply_concat(struct use *use, struct value *x)
{
    struct value *values[NODE_INS];
    int count = 0;

    for (struct ast *arg = use->call->list; arg; arg = arg->next) {
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
    return build_concat(use->body, values, count, use->span);
}

#define EPSILON { "eps", ARG_REAL, false, 1e-5, NULL }
#define AFFINE  { "affine", ARG_FLAG, false, 1, NULL }
#define BIAS    { "bias", ARG_FLAG, false, 1, NULL }

static const struct layer layers[] = {
    { "linear", apply_linear, true, 1, LIMIT_RANK, NULL, {
        { "out", ARG_COUNT, true, 0, NULL }, BIAS } },
    { "conv", apply_conv, true, 3, 3, NULL, {
        { "channels", ARG_COUNT, true, 0, NULL },
        { "kernel", ARG_PAIR, true, 0, NULL },
        { "stride", ARG_PAIR, false, 1, NULL },
        { "padding", ARG_PAD, false, 0, NULL },
        { "dilation", ARG_PAIR, false, 1, NULL },
        { "groups", ARG_COUNT, false, 1, NULL }, BIAS } },
    { "maxpool", apply_maxpool, false, 3, 3, NULL, {
        { "size", ARG_PAIR, true, 0, "all" },
        { "stride", ARG_PAIR, false, 0, NULL },
        { "padding", ARG_PAD, false, 0, NULL } } },
    { "avgpool", apply_avgpool, false, 3, 3, NULL, {
        { "size", ARG_PAIR, true, 0, "all" },
        { "stride", ARG_PAIR, false, 0, NULL },
        { "padding", ARG_PAD, false, 0, NULL } } },
    { "embedding", apply_embedding, false, 1, LIMIT_RANK - 1, NULL, {
        { "vocabulary", ARG_COUNT, true, 0, NULL },
        { "width", ARG_COUNT, true, 0, NULL } } },
    { "flatten", apply_flatten, false, 1, LIMIT_RANK, NULL, { { 0 } } },
    { "concat", apply_concat, false, 1, LIMIT_RANK, NULL, {
        { "values", ARG_CHAIN, true, 0, NULL } } },
    { "dropout", apply_dropout, false, 1, LIMIT_RANK, NULL, {
        { "p", ARG_REAL, true, 0, NULL } } },
    { "softmax", apply_softmax, false, 1, LIMIT_RANK, NULL, { { 0 } } },
    { "layernorm", apply_row_norm, false, 1, LIMIT_RANK, NULL,
        { EPSILON, AFFINE } },
    { "rmsnorm", apply_row_norm, false, 1, LIMIT_RANK, NULL,
        { EPSILON, AFFINE } },
    { "batchnorm", apply_batchnorm, false, 1, LIMIT_RANK, NULL, { EPSILON } },
    { "groupnorm", apply_groupnorm, false, 1, LIMIT_RANK, NULL, {
        { "groups", ARG_COUNT, true, 0, NULL }, EPSILON, AFFINE } },
    { "instancenorm", apply_instancenorm, false, 3, 3, NULL,
        { EPSILON, AFFINE } },
    { "identity", apply_identity, false, 1, LIMIT_RANK, NULL, { { 0 } } },
#define INPUT_ARG  { 0 }
#define LEAKY_ARG  { "slope", ARG_REAL, false, 0.01, NULL }
#define ELU_ARG    { "alpha", ARG_REAL, false, 1, NULL }
#define GELU_ARG   { "form", ARG_COUNT, false, 1, "tanh" }
#define ARG_RELU INPUT_ARG
#define ARG_LEAKY LEAKY_ARG
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
    { #name, apply_pointwise, false, 1, LIMIT_RANK, #step, { ARG_##step } },
    POINTWISE_ROWS(ROW)
#undef ROW
};

enum { LAYERS = sizeof layers / sizeof layers[0] };

const struct layer *layer_find(const char *name)
{
    for (int i = 0; i < LAYERS; i++)
        if (strcmp(layers[i].name, name) == 0)
            return &layers[i];
    return NULL;
}

bool is_layer(const char *name)
{
    return layer_find(name) != NULL;
}

const char *const *layer_names(size_t *count)
{
    static const char *const names[] = {
        "linear", "conv", "maxpool", "avgpool", "embedding", "flatten",
        "concat", "dropout", "softmax", "layernorm", "rmsnorm", "batchnorm",
        "groupnorm", "instancenorm", "identity",
#define ROW(name, step, grad, reads, preset, formula, derivative) #name,
        POINTWISE_ROWS(ROW)
#undef ROW
    };
    *count = sizeof names / sizeof names[0];
    return names;
}

/* ---- arguments ---- */

static bool bad_integer(struct use *use, const struct arg_row *row,
                        struct span span, struct number number)
{
    fail(use->body, span, "'%s' of '%s' must be %s integer, it is %s",
         row->name, use->layer->name,
         row->kind == ARG_PAD ? "a non-negative" : "a positive",
         number_text(use->body->check->c, number));
    return false;
}

static bool read_integer(struct use *use, const struct arg_row *row,
                         struct ast *ast, int64_t *n)
{
    struct number number;

    if (!number_of(use->body, ast, &number))
        return false;
    *n = number.integer;
    if (!number.is_integer || *n < (row->kind == ARG_PAD ? 0 : 1))
        return bad_integer(use, row, ast->span, number);
    if (*n >= LIMIT_AXIS) {
        fail(use->body, ast->span, "'%s' is %" PRId64 ", above the limit of "
             "2^31", row->name, *n);
        return false;
    }
    return true;
}

static bool read_pair(struct use *use, const struct arg_row *row,
                      struct ast *ast, struct arg *arg)
{
    if (ast->kind != AST_LIST) {
        if (!read_integer(use, row, ast, &arg->n[0]))
            return false;
        arg->n[1] = arg->n[0];
        return true;
    }
    if (!ast->list || !ast->list->next || ast->list->next->next) {
        fail(use->body, ast->span, "'%s' is one number or [y, x]", row->name);
        return false;
    }
    return read_integer(use, row, ast->list, &arg->n[0])
        && read_integer(use, row, ast->list->next, &arg->n[1]);
}

static bool in_range(struct use *use, const struct arg_row *row,
                     struct span span, double real)
{
    const char *must = row->kind == ARG_FLAG && real != 0 && real != 1
            ? "is yes or no"
        : strcmp(row->name, "eps") == 0 && real <= 0 ? "must be above 0"
        : strcmp(row->name, "p") == 0 && !(real >= 0 && real < 1)
            ? "must be at least 0 and less than 1" : NULL;

    if (!must)
        return true;
    fail(use->body, span, "'%s' of '%s' %s, it is %g", row->name,
         use->layer->name, must, real);
    return false;
}

static bool read_arg(struct use *use, const struct arg_row *row,
                     struct ast *ast, struct arg *arg)
{
    struct number number;

    arg->given = true;
    arg->ast = ast;
    if (row->kind == ARG_CHAIN)
        return true;
    if (row->word && ast->kind == AST_NAME && !env_find(use->body->env, ast->name)
        && strcmp(ast->name, row->word) == 0)
        return arg->is_word = true;
    if (row->kind == ARG_COUNT)
        return read_integer(use, row, ast, &arg->n[0]);
    if (row->kind == ARG_PAIR || row->kind == ARG_PAD)
        return read_pair(use, row, ast, arg);
    if (!number_of(use->body, ast, &number))
        return false;
    arg->real = number_real(number);
    return fit_float(use->body, ast->span, &arg->real)
        && in_range(use, row, ast->span, arg->real);
}

static int arg_count(const struct layer *layer)
{
    int count = 0;
    while (count < ARGS && layer->arg[count].kind != ARG_END)
        count++;
    return count;
}

static int arg_named(struct use *use, struct ast *argument)
{
    const struct layer *layer = use->layer;
    const char *names[ARGS];
    int count = arg_count(layer);

    for (int i = 0; i < count; i++) {
        names[i] = layer->arg[i].name;
        if (strcmp(names[i], argument->name) == 0)
            return i;
    }
    const char *near = diag_nearest(argument->name, names, (size_t)count);
    if (near)
        fail(use->body, argument->name_span, "'%s' has no argument '%s'; did "
             "you mean '%s'?", layer->name, argument->name, near);
    else
        fail(use->body, argument->name_span, "'%s' has no argument '%s'",
             layer->name, argument->name);
    return -1;
}

static bool read_args(struct use *use)
{
    const struct layer *layer = use->layer;
    int position = 0, count = arg_count(layer);

    for (int i = 0; i < count; i++) {
        use->arg[i].real = layer->arg[i].preset;
        use->arg[i].n[0] = use->arg[i].n[1] = (int64_t)layer->arg[i].preset;
    }
    if (count == 1 && layer->arg[0].kind == ARG_CHAIN)
        return true;
    for (struct ast *arg = use->call->list; arg; arg = arg->next) {
        int i = arg->name ? arg_named(use, arg) : position++;
        if (i < 0)
            return false;
        if (i >= count) {
            fail(use->body, arg->span, count ? "too many arguments: '%s' "
                 "takes at most %d" : "'%s' takes no arguments", layer->name,
                 count);
            return false;
        }
        if (use->arg[i].given) {
            fail(use->body, arg->span, "'%s' is given twice",
                 layer->arg[i].name);
            return false;
        }
        if (!read_arg(use, &layer->arg[i], arg->a, &use->arg[i]))
            return false;
    }
    for (int i = 0; i < count; i++)
        if (layer->arg[i].required && !use->arg[i].given) {
            fail(use->body, use->span, "'%s' needs its argument '%s'",
                 layer->name, layer->arg[i].name);
            return false;
        }
    return true;
}

static bool rank_fits(struct use *use, struct value *x)
{
    const struct layer *layer = use->layer;

    if (x->shape.rank >= layer->min_rank && x->shape.rank <= layer->max_rank)
        return true;
    fail(use->body, use->span, "'%s' takes %s, the value here is %s",
         layer->name, layer->max_rank == 3 ? "maps [height, width, channels]"
         : "values with at least one axis", text_of(use, x));
    fail_note(use->body, x->span, "%s comes from here", text_of(use, x));
    return false;
}

/* A layer that needs no argument may be applied to a chain. */
static bool applied_to_chain(struct body *body, const struct layer *layer,
                             const struct ast *call)
{
    const struct ast *first = call->list;
    const struct arg_row *row = &layer->arg[0];

    if (!first || first->name || row->required)
        return false;
    if (row->word && first->a->kind == AST_NAME
        && strcmp(first->a->name, row->word) == 0)
        return false;
    return !is_number(body, first->a) && first->a->kind != AST_LIST;
}

/* concat names its values: it may stand first. */
bool layer_starts(const struct layer *layer)
{
    return layer->apply == apply_concat;
}

struct value *apply_layer(struct body *body, const struct layer *layer,
                          struct ast *call, struct value *x, bool column)
{
    struct use use = { .body = body, .layer = layer, .call = call,
                       .span = call->span, .column = column };
    struct ast rest;

    if (applied_to_chain(body, layer, call)) {
        rest = *call;           /* silu(linear(h)): the chain's value */
        rest.list = call->list->next;
        use.call = &rest;
        if (!(x = eval_unnamed(body, call->list->a, x)))
            return NULL;
    }
    if (!read_args(&use) || (!x && !layer_starts(layer)))
        return NULL;
    if (x && !rank_fits(&use, x))
        return NULL;
    if (x && x->integer && layer->apply != apply_embedding) {
        need_real(body, x, call->span,
                  arena_format(body->check->c->arena, "'%s'", layer->name));
        return NULL;
    }
    bool weights = column && layer->weights;
    if (weights && body->before_weights) {
        struct value *before = x;
        const char *as_name = body->as_name;
        body->as_name = NULL;   /* it names the layer, not its norm */
        x = apply_norm(body, body->before_weights, x);
        body->as_name = as_name;
        if (!body->shared) {
            body->before = before;
            body->shared = x;
        }
    }
    if (x || layer_starts(layer))
        x = layer->apply(&use, x);
    if (x && !small_enough(body, &x->shape, call->span))
        return NULL;
    if (x && weights && body->after_weights)
        x = apply_norm(body, body->after_weights, x);
    return x;
}

/* ---- losses ---- */

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
