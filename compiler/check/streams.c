/* streams.c: what carries values from block to block in place of a sum.
 *
 * `stream kind group`: every block directly in the group reads the stream,
 * and what its branch gives is written to it; when the group ends the stream
 * is read out.  A kind is a row of `kinds`:
 *   attention  a softmax over depth, arXiv 2603.15031
 *   weighted   learned sums over depth, DenseFormer (Pagliardini et al. 2024)
 *   hyper      n streams, mixed by learned matrices, arXiv 2409.19606
 *   manifold   the same with doubly stochastic matrices, arXiv 2512.24880
 *   reversible two halves, each the sum that the other's blocks write to
 *              (RevNet, Gomez et al. 2017); iterations have an inverse
 * The first two look at all that was before, so that their repeats are
 * unrolled; the others carry one value of n * features, and repeats stay
 * loops.  A site is a use of the stream's parameters; the k-th of a body has
 * its under `stream.k`. */
#include "check.h"

#include <inttypes.h>
#include <string.h>

struct stream {
    const struct kind *kind;
    struct ast *ast;
    int64_t n;                  /* streams */
    int64_t every, iterations;
    bool dynamic;
    struct value *values;       /* attention, weighted: [v_0, v_1, ...] */
    struct value *keys;         /* attention: each of them normalised */
    int64_t count;              /* of them */
    struct value *partial;      /* attention: the sum of a block of `within` */
    int64_t within, blocks;     /* blocks: of the .rnet, so far */
    struct value *carried;      /* hyper: what a block's result is added to */
    struct weights write;       /* hyper: how */
    struct value *first, *second;       /* reversible: the halves, in turn */
    struct node **steps;        /* reversible: calls of this iteration; */
    size_t size, count_steps;
    bool inner;                 /* it has more than calls: a repeat */
};

typedef struct value *stream_step(struct body *body, struct stream *stream,
                                  struct value *x, struct span span);

static struct span stream_span(const struct stream *stream)
{
    return stream->ast->a->span;
}

/* ---- parameters ---- */

static struct piece *site_path(struct body *body)
{
    const char *as_name = body->as_name;    /* the block's */

    body->as_name = NULL;
    struct piece *path = next_path(body, "stream");
    body->as_name = as_name;
    return path;
}

static struct param *site_param(struct body *body, struct piece *path,
                                const char *leaf, const struct shape *shape,
                                double value)
{
    struct param *param = new_param(body->check->c, body->region, path, leaf,
                                    PACK_FLAT, 1, shape);
    param->init = INIT_CONSTANT;
    param->mean = value;
    return param;
}

static struct param *site_vector(struct body *body, struct piece *path,
                                 const char *leaf, int64_t size, double value)
{
    struct shape shape = { 1, { size } };
    return site_param(body, path, leaf, &shape, value);
}

static struct param *site_matrix(struct body *body, struct piece *path,
                                 const char *leaf, int64_t rows,
                                 int64_t columns)
{
    struct shape shape = { 2, { rows, columns } };
    return site_param(body, path, leaf, &shape, 0);
}

/* `spread` more on the diagonal, which begins at a column. */
static void diagonal(struct param *param, double mean, double spread,
                     int64_t column)
{
    param->init = INIT_DIAGONAL;
    param->mean = mean;
    param->spread = spread;
    param->column = column;
}

/* A norm without parameters, which takes no number from the user's. */
static struct value *normalised(struct body *body, const char *kind,
                                int64_t groups, struct value *x,
                                struct span span)
{
    struct scope *outer = body->scope, own = { 0 };
    const char *as_name = body->as_name;

    body->scope = &own;
    body->as_name = NULL;
    x = build_norm(body, kind, groups, 1e-5, false, x, span);
    body->scope = outer;
    body->as_name = as_name;
    return x;
}

static struct value *beside(struct body *body, struct value *a,
                            struct value *b, struct span span)
{
    struct value *both[2] = { a, b };
    return build_concat(body, both, 2, a->shape.rank - 1, span);
}

/* ---- attention ---- */

static struct value *key_of(struct body *body, struct value *x,
                            struct span span)
{
    return normalised(body, "rmsnorm", 1, x, span);
}

/* One more value to attend to. */
static struct value *push(struct body *body, struct stream *stream,
                          struct value *x, struct span span)
{
    struct value *key = key_of(body, x, span);

    stream->values = stream->count++ ? beside(body, stream->values, x, span)
                                     : x;
    if (stream->values)
        stream->keys = stream->keys ? beside(body, stream->keys, key, span)
                                    : key;
    return stream->values ? x : NULL;
}

/* h = sum of a_i v_i, a = softmax of <query, v_i / rms(v_i)> */
static struct value *attend(struct body *body, struct value *values,
                            struct value *keys, int64_t count,
                            struct span span)
{
    struct piece *path = site_path(body);

    if (count == 1)             /* whatever the query, the weight is 1 */
        return values;
    struct param *query = site_vector(body, path, "query",
                                      values->features / count, 0);
    struct value *a = build_dots(body, keys, (struct weights) { NULL, query },
                                 count, 1, "scores", span);
    a = build_softmax(body, a, span);
    return build_mix(body, values, (struct weights) { a, NULL }, count, 1,
                     "attended", span);
}

static struct value *attention_read(struct body *body, struct stream *stream,
                                    struct value *x, struct span span)
{
    struct value *values = stream->values, *keys = stream->keys;
    int64_t count = stream->count;

    (void)x;
    if (stream->within) {
        values = beside(body, values, stream->partial, span);
        if (!values)
            return NULL;
        keys = beside(body, keys, key_of(body, stream->partial, span), span);
        count++;
    }
    return attend(body, values, keys, count, span);
}

static struct value *attention_write(struct body *body, struct stream *stream,
                                     struct value *y, struct span span)
{
    stream->blocks++;
    stream->partial = stream->within
        ? build_binary(body, "ADD", "ADD", y, stream->partial, "sum", span)
        : y;
    if (++stream->within < stream->every)
        return stream->partial;
    stream->within = 0;
    return push(body, stream, stream->partial, span);
}

static struct value *attention_leave(struct body *body, struct stream *stream,
                                     struct value *x, struct span span)
{
    (void)x;
    if (stream->within == 0)
        return attend(body, stream->values, stream->keys, stream->count, span);
    fail(body, span, "'every = %" PRId64 "' does not divide the %" PRId64
         " blocks of this stream evenly", stream->every, stream->blocks);
    return NULL;
}

/* ---- weighted ---- */

/* Later blocks read what earlier ones made, so it cannot be dropped. */
static bool no_checkpoint(struct body *body, const struct ast *ast)
{
    fail(body, ast->span, "this stream looks back at all before it: a "
         "'checkpoint' belongs within its blocks or iterations");
    return false;
}

/* y = sum of w_i x_i over all iterations and what entered the first; at first
 * the last of them. */
static struct value *weigh(struct body *body, struct value *x, void *context)
{
    struct stream *stream = context;
    struct compilation *c = body->check->c;
    struct span span = stream_span(stream);
    int64_t count = ++stream->count + 1;
    struct shape one = stream->values->shape;

    one.axis[one.rank - 1] /= stream->count;
    if (!shape_equal(&one, &x->shape)) {
        fail(body, stream->ast->b->span, "what stands in a weighted stream "
             "keeps its shape: this makes %s of %s",
             shape_text(c, &x->shape), shape_text(c, &one));
        fail_note(body, x->span, "%s comes from here",
                  shape_text(c, &x->shape));
        return NULL;
    }
    stream->values = beside(body, stream->values, x, span);
    if (!stream->values)
        return NULL;
    struct param *weight = site_vector(body, site_path(body), "weight", count,
                                       0);
    diagonal(weight, 0, 1, count - 1);
    return build_mix(body, stream->values, (struct weights) { NULL, weight },
                     count, 1, "weighted", span);
}

static struct value *run_weighted(struct body *body, struct stream *stream,
                                  struct value *x)
{
    struct body sub = *body;
    struct ast *group = stream->ast->b;

    stream->values = x;
    if (group->kind == AST_CHECKPOINT && !no_checkpoint(body, group))
        return NULL;
    if (group->kind == AST_REPEAT)
        return unroll_repeat(body, group, x, weigh, stream);
    x = eval_value(&sub, group, x);
    body->bad |= sub.bad;
    return x ? weigh(body, x, stream) : NULL;
}

/* ---- hyper-connections ---- */

/* n copies */
static struct value *hyper_enter(struct body *body, struct stream *stream,
                                 struct value *x, struct span span)
{
    struct value *copies[NODE_INS];

    for (int64_t i = 0; i < stream->n; i++)
        copies[i] = x;
    return build_concat(body, copies, (int)stream->n, x->shape.rank - 1, span);
}

/* The sum of the n streams. */
static struct value *hyper_leave(struct body *body, struct stream *stream,
                                 struct value *x, struct span span)
{
    int axis = x->shape.rank - 1;
    int64_t size = x->features / stream->n;
    struct value *sum = build_slice(body, x, axis, 0, size, span);

    for (int64_t i = 1; i < stream->n; i++)
        sum = build_binary(body, "ADD", "ADD", sum,
                           build_slice(body, x, axis, i * size, size, span),
                           "sum", span);
    return sum;
}

static struct value *hyper_write(struct body *body, struct stream *stream,
                                 struct value *y, struct span span)
{
    y = build_mix(body, y, stream->write, 1, stream->n, "written", span);
    return build_binary(body, "ADD", "ADD", y, stream->carried, "streams",
                        span);
}

/* What makes the weights of one site. */
struct site {
    struct piece *path;
    int64_t n;
    struct value *normed;       /* NULL: they are parameters alone */
    struct param *alpha, *beta;
};

/* scale tanh(<normed_i, weight_j>) + fixed_ij, j < to */
static struct weights hyper_weights(struct body *body, const struct site *site,
                                    struct param *fixed, const char *leaf,
                                    int64_t to, struct param *scale,
                                    struct span span)
{
    if (!site->normed)
        return (struct weights) { NULL, fixed };
    int64_t size = site->normed->features / site->n;
    struct param *weight = to == 1
        ? site_vector(body, site->path, leaf, size, 0)
        : site_matrix(body, site->path, leaf, to, size);
    weight->decay = true;
    struct value *w = build_dots(body, site->normed,
                                 (struct weights) { NULL, weight }, site->n,
                                 to, leaf, span);
    w = build_point(body, "TANH", w, leaf, span);
    w = build_param_point(body, "MUL", w, BY_SCALAR, scale, leaf, span);
    w = build_param_point(body, "ADD", w, BY_FEATURE, fixed, leaf, span);
    return (struct weights) { w, NULL };
}

/* h = A_m' H, carried = A_r' H; A_m = e_k mod n at site k, A_r = 1, B = 1. */
static struct value *hyper_read(struct body *body, struct stream *stream,
                                struct value *x, struct span span)
{
    struct site site = { .path = site_path(body), .n = stream->n };
    int64_t n = stream->n;
    struct param *read = site_vector(body, site.path, "read", n, 0);
    struct param *carry = site_matrix(body, site.path, "carry", n, n);
    struct param *write = site_vector(body, site.path, "write", n, 1);

    diagonal(read, 0, 1, 0);
    read->numbered = true;
    diagonal(carry, 0, 1, 0);
    if (stream->dynamic) {
        site.normed = normalised(body, "layernorm", n, x, span);
        site.alpha = site_vector(body, site.path, "alpha_scale", 1, 0.01);
        site.beta = site_vector(body, site.path, "beta_scale", 1, 0.01);
    }
    struct weights by = hyper_weights(body, &site, read, "read_weight", 1,
                                      site.alpha, span);
    struct value *h = build_mix(body, x, by, n, 1, "read", span);
    by = hyper_weights(body, &site, carry, "carry_weight", n, site.alpha,
                       span);
    stream->carried = build_mix(body, x, by, n, n, "carried", span);
    stream->write = hyper_weights(body, &site, write, "write_weight", 1,
                                  site.beta, span);
    return h;
}

/* ---- manifold-constrained hyper-connections ---- */

/* scale W normed + fixed */
static struct value *manifold_weights(struct body *body,
                                      const struct site *site,
                                      const char *name, struct param *fixed,
                                      struct span span)
{
    struct arena *arena = body->check->c->arena;
    struct value *w = build_linear(body, site->normed, fixed->size, false,
                                   false, site->path, span);
    if (!w)
        return NULL;
    struct param *weight = w->producer->param[0];
    weight->leaf = arena_format(arena, "%s_weight", name);
    weight->init = INIT_CONSTANT;
    weight->mean = 0;
    struct param *scale = site_vector(body, site->path,
                                      arena_format(arena, "%s_scale", name),
                                      1, 0.01);
    w = build_param_point(body, "MUL", w, BY_SCALAR, scale, name, span);
    return build_param_point(body, "ADD", w, BY_FEATURE, fixed, name, span);
}

/* H_pre = sigmoid, H_post = 2 sigmoid, H_res the projection.  At first H_pre
 * reads stream k mod n at site k, H_post is 1 and H_res near 1. */
static struct value *manifold_read(struct body *body, struct stream *stream,
                                   struct value *x, struct span span)
{
    struct site site = { .path = site_path(body), .n = stream->n };
    int64_t n = stream->n;
    struct param *read = site_vector(body, site.path, "read", n, 0);
    struct param *carry = site_matrix(body, site.path, "carry", n, n);
    struct param *write = site_vector(body, site.path, "write", n, 0);

    diagonal(read, -3, 6, 0);
    read->numbered = true;
    diagonal(carry, -3, 6, 0);
    site.normed = normalised(body, "rmsnorm", 1, x, span);
    struct value *pre = manifold_weights(body, &site, "read", read, span);
    struct value *res = manifold_weights(body, &site, "carry", carry, span);
    struct value *post = manifold_weights(body, &site, "write", write, span);
    if (!pre || !res || !post)
        return NULL;
    pre = build_point(body, "SIGMOID", pre, "read", span);
    struct value *h = build_mix(body, x, (struct weights) { pre, NULL }, n, 1,
                                "read", span);
    res = build_sinkhorn(body, res, n, stream->iterations, "carry", span);
    stream->carried = build_mix_transposed(
        body, x, (struct weights) { res, NULL }, n, n, "carried", span);
    post = build_point(body, "SIGMOID", post, "write", span);
    post = build_number(body, "MUL", post, 2, "write", span);
    stream->write = (struct weights) { post, NULL };
    return h;
}

/* ---- reversible ---- */

/* The halves of what enters: those that the block before left, if one did. */
static void take_halves(struct body *body, struct stream *stream,
                        struct value *x, struct span span)
{
    struct node *join = x->producer;
    int64_t half = x->features / 2;
    int axis = x->shape.rank - 1;

    if (join && join->op == OP_CONCAT && join->region == body->region
        && join->in[1] == stream->second) {
        stream->first = join->in[0];
        remove_node(&body->region->nodes, join);        /* nobody reads it */
        return;
    }
    stream->first = build_slice(body, x, axis, 0, half, span);
    stream->second = build_slice(body, x, axis, half, half, span);
}

static struct value *reversible_enter(struct body *body,
                                      struct stream *stream, struct value *x,
                                      struct span span)
{
    (void)stream;
    if (x->features % 2 == 0)
        return x;
    fail(body, span, "a reversible stream splits the last axis in halves: %s "
         "cannot be", shape_text(body->check->c, &x->shape));
    fail_note(body, x->span, "%s comes from here",
              shape_text(body->check->c, &x->shape));
    return NULL;
}

/* (x1, x2): the block reads x2 */
static struct value *reversible_read(struct body *body, struct stream *stream,
                                     struct value *x, struct span span)
{
    take_halves(body, stream, x, span);
    return stream->second;
}

/* A block that is a call can be undone. */
static void add_step(struct body *body, struct stream *stream,
                     struct value *y)
{
    if (!y->producer || y->producer->op != OP_CALL) {
        stream->inner = true;
        return;
    }
    GROW_IN(body->check->c->arena, stream->steps, stream->size,
            stream->count_steps);
    stream->steps[stream->count_steps++] = y->producer;
}

/* (x1, x2) becomes (x2, x1 + F(x2)) */
static struct value *reversible_write(struct body *body,
                                      struct stream *stream, struct value *y,
                                      struct span span)
{
    struct value *halves[2];

    add_step(body, stream, y);
    halves[0] = stream->second;
    halves[1] = build_binary(body, "ADD", "ADD", y, stream->first, "sum", span);
    if (!halves[1])
        return NULL;
    halves[1] = as_layout(body, halves[1], halves[0]->layout);
    stream->second = halves[1];
    struct value *x = build_concat(body, halves, 2, y->shape.rank - 1, span);
    stream->second = x ? x->producer->in[1] : NULL;
    return x;
}

static struct value *reversible_leave(struct body *body,
                                      struct stream *stream, struct value *x,
                                      struct span span)
{
    (void)body, (void)stream, (void)span;
    return x;
}

/* F(x) once more, in another region, with the parameters of `call`. */
static struct value *call_twin(struct body *body, struct node *call,
                               struct value *x)
{
    struct compilation *c = body->check->c;
    struct node *node = new_node(c, OP_CALL, call->span);
    const struct value *out = call->out[0];

    node->call = call->call;
    node->call.twin = call;
    node_in(node, as_layout(body, together(body, x),
                            natural_layout(&x->shape)));
    append_node(body->region, &body->region->nodes, node);
    return node_out(node, new_value(c, body->region, FORM_ROWS, out->layout,
                                    &out->shape, out->name, call->span));
}

/* From (x2, y) to (y - F(x2), x2), the last step first. */
static struct value *undo_steps(struct body *body, struct stream *stream,
                                struct value *y)
{
    struct span span = stream_span(stream);
    int axis = y->shape.rank - 1;
    int64_t half = y->features / 2;
    struct value *halves[2] = { build_slice(body, y, axis, 0, half, span),
                                build_slice(body, y, axis, half, half, span) };

    for (size_t i = stream->count_steps; i-- > 0;) {
        struct value *f = call_twin(body, stream->steps[i], halves[0]);
        struct value *x = build_binary(body, "RSUB", "SUB", f, halves[1],
                                       "undone", span);
        halves[1] = halves[0];
        halves[0] = x;
    }
    return build_concat(body, halves, 2, axis, span);
}

/* ---- kinds and their arguments ---- */

static const struct kind {
    const char *name, *usage;
    int64_t most;               /* streams, 0: no such argument */
    bool every, dynamic, iterations;
    bool unrolls, inverts;
    stream_step *enter, *read, *write, *leave;
} kinds[] = {
    { "attention", "'stream attention' or 'stream attention(every = n)'",
      .every = true, .unrolls = true, .enter = push, .read = attention_read,
      .write = attention_write, .leave = attention_leave },
    { "weighted", "'stream weighted'", .most = 0 },
    { "hyper", "'stream hyper(n)' or 'stream hyper(n, dynamic)'",
      .most = NODE_INS, .dynamic = true, .enter = hyper_enter,
      .read = hyper_read, .write = hyper_write, .leave = hyper_leave },
    { "manifold", "'stream manifold(n)' or 'stream manifold(n, iterations = "
      "k)'", .most = 8 /* RNET_SINKHORN_LARGEST */, .iterations = true,
      .enter = hyper_enter, .read = manifold_read, .write = hyper_write,
      .leave = hyper_leave },
    { "reversible", "'stream reversible'", .inverts = true,
      .enter = reversible_enter,
      .read = reversible_read, .write = reversible_write,
      .leave = reversible_leave },
};
enum { KINDS = sizeof kinds / sizeof kinds[0],
       LIMIT_ITERATIONS = 32 };         /* RNET_SINKHORN_ITERATIONS */

static bool read_whole(struct body *body, struct ast *argument,
                       const char *what, int64_t most, int64_t *to)
{
    struct number number;

    if (!number_of(body, argument->a, &number))
        return false;
    *to = number.integer;
    if (number.is_integer && *to >= 1 && *to <= most)
        return true;
    if (most < INT64_MAX)
        fail(body, argument->span, "%s is an integer from 1 to %" PRId64
             ", it is %s", what, most, number_text(body->check->c, number));
    else
        fail(body, argument->span, "%s is an integer of at least 1, it is %s",
             what, number_text(body->check->c, number));
    return false;
}

/* One argument of the kind; false after an error. */
static bool read_argument(struct body *body, struct stream *stream,
                          struct ast *a, bool first)
{
    const struct kind *kind = stream->kind;
    const char *word = a->name ? a->name : a->a->kind == AST_NAME ? a->a->name
                     : "";

    if (a->name && kind->every && strcmp(word, "every") == 0)
        return read_whole(body, a, "'every'", INT64_MAX, &stream->every);
    if (a->name && kind->iterations && strcmp(word, "iterations") == 0)
        return read_whole(body, a, "'iterations'", LIMIT_ITERATIONS,
                          &stream->iterations);
    if (!a->name && first && kind->most)
        return read_whole(body, a, "the number of streams", kind->most,
                          &stream->n);
    if (!a->name && kind->dynamic && strcmp(word, "dynamic") == 0)
        return stream->dynamic = true;
    fail(body, a->span, "this stream is written %s", kind->usage);
    return false;
}

static bool unknown_kind(struct body *body, const struct ast *ast)
{
    const char *names[KINDS], *near;

    for (int i = 0; i < KINDS; i++)
        names[i] = kinds[i].name;
    near = ast->name ? diag_nearest(ast->name, names, KINDS) : NULL;
    if (near)
        fail(body, ast->span, "unknown stream '%s'; did you mean '%s'?",
             ast->name, near);
    else
        fail(body, ast->span, "a stream is attention, weighted, hyper(n), "
             "manifold(n) or reversible");
    return false;
}

static bool read_kind(struct body *body, struct stream *stream)
{
    const struct ast *ast = stream->ast->a;
    bool named = ast->kind == AST_NAME || ast->kind == AST_CALL, good = true;
    int i = 0;

    while (named && i < KINDS && strcmp(kinds[i].name, ast->name))
        i++;
    if (!named || i == KINDS)
        return unknown_kind(body, ast);
    stream->kind = &kinds[i];
    for (struct ast *a = ast->list; a; a = a->next)
        good &= read_argument(body, stream, a, a == ast->list);
    if (good && kinds[i].most && !stream->n) {
        fail(body, ast->span, "this stream is written %s", kinds[i].usage);
        return false;
    }
    return good;
}

/* ---- running ---- */

bool stream_unrolls(const struct stream *stream)
{
    return stream->kind->unrolls;
}

struct value *stream_read(struct body *body, struct value *x,
                          struct span span)
{
    return body->stream->kind->read(body, body->stream, localize(body, x),
                                    span);
}

struct value *stream_write(struct body *body, struct value *y,
                           struct span span)
{
    return body->stream->kind->write(body, body->stream, localize(body, y),
                                     span);
}

void stream_misplaced(struct body *body, struct span span)
{
    fail(body, span, "directly in a stream stand blocks and groups with "
         "'shortcut identity', and repeats of them");
}

bool stream_takes(struct body *body, const struct ast *ast)
{
    switch (ast->kind) {
    case AST_NAME: case AST_CALL: case AST_FLOW: case AST_AS:
    case AST_CONDITION: case AST_BODY: case AST_REPEAT: case AST_FROZEN:
    case AST_BAD:
        return true;
    case AST_CHECKPOINT:
        return !body->stream->kind->unrolls || no_checkpoint(body, ast);
    case AST_STREAM:
        fail(body, ast->span, "a stream cannot stand directly in a stream");
        return false;
    default:
        stream_misplaced(body, ast->span);
        return false;
    }
}

static struct value *run_sites(struct body *body, struct stream *stream,
                               struct value *x)
{
    const struct kind *kind = stream->kind;
    struct body sub = *body;

    sub.stream = stream;
    x = kind->enter(&sub, stream, localize(&sub, x), stream_span(stream));
    if (x)
        x = eval_value(&sub, stream->ast->b, x);
    if (x)
        x = kind->leave(&sub, stream, x, stream_span(stream));
    body->bad |= sub.bad || !x;
    return x;
}

void stream_iteration(struct body *body)
{
    if (body->stream) {
        body->stream->count_steps = 0;
        body->stream->inner = false;
    }
}

struct region *stream_inverse(struct body *body, struct region *iteration)
{
    struct compilation *c = body->check->c;
    struct stream *stream = body->stream;
    struct value *out = iteration->outputs[0];
    struct body sub = *body;

    if (!stream || !stream->kind->inverts)
        return NULL;
    bool inner = stream->inner;
    stream->inner = true;       /* for a repeat around this one */
    if (inner || !stream->count_steps)
        return NULL;
    sub.region = new_region(c, iteration->function, iteration->parent);
    struct value *y = new_value(c, sub.region, FORM_ROWS, out->layout,
                                &out->shape, out->name, out->span);
    GROW_IN(c->arena, sub.region->captured, sub.region->captured_size, 0);
    sub.region->captured[0] = NULL;
    add_input(c, sub.region, y);
    add_output(c, sub.region, own_output(&sub, undo_steps(&sub, stream, y)));
    return sub.region;
}

struct value *run_stream(struct body *body, struct ast *ast, struct value *x)
{
    struct stream stream = { .ast = ast, .every = 1, .iterations = 20 };
    struct body sub = *body;

    if (read_kind(body, &stream) && x
        && need_real(body, x, ast->span, "'stream'"))
        return stream.kind->enter ? run_sites(body, &stream, x)
                                  : run_weighted(body, &stream, x);
    sub.current = NULL;         /* for its names alone */
    sub.bad = true;
    eval_value(&sub, ast->b, NULL);
    body->bad = true;
    return NULL;
}
