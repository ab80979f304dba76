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
#include "streams.h"

#include <inttypes.h>
#include <string.h>

/* ---- parameters ---- */

struct piece *site_path(struct body *body)
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

struct param *site_vector(struct body *body, struct piece *path,
                          const char *leaf, int64_t size, double value)
{
    struct shape shape = { 1, { size } };
    return site_param(body, path, leaf, &shape, value);
}

struct param *site_matrix(struct body *body, struct piece *path,
                          const char *leaf, int64_t rows, int64_t columns)
{
    struct shape shape = { 2, { rows, columns } };
    return site_param(body, path, leaf, &shape, 0);
}

/* `spread` more on the diagonal, which begins at a column. */
void site_diagonal(struct param *param, double mean, double spread,
                   int64_t column)
{
    param->init = INIT_DIAGONAL;
    param->mean = mean;
    param->spread = spread;
    param->column = column;
}

/* A norm without parameters, which takes no number from the user's. */
struct value *stream_normed(struct body *body, const char *kind,
                            int64_t groups, struct value *x, struct span span)
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

struct value *stream_beside(struct body *body, struct value *a,
                            struct value *b, struct span span)
{
    struct value *both[2] = { a, b };
    return build_concat(body, both, 2, a->shape.rank - 1, span);
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
      .every = true, .unrolls = true, .enter = attention_enter,
      .read = attention_read, .write = attention_write,
      .leave = attention_leave },
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

struct value *stream_read(struct body *body, struct value *x, struct span span)
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
        return true;
    case AST_CHECKPOINT:
        return !body->stream->kind->unrolls || stream_no_checkpoint(body, ast);
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
    /* values are of the arena, none is of `sub` */
    /* cppcheck-suppress returnDanglingLifetime */
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
    add_output(c, sub.region,
               own_output(&sub, reversible_undo(&sub, stream, y)));
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
