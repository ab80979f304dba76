/* stream_hyper.c: n streams side by side: hyper-connections, and those whose
 * matrices are doubly stochastic. */
#include "streams.h"

/* ---- hyper-connections ---- */

/* n copies */
struct value *hyper_enter(struct body *body, struct stream *stream,
                          struct value *x, struct span span)
{
    struct value *copies[NODE_INS];

    for (int64_t i = 0; i < stream->n; i++)
        copies[i] = x;
    return build_concat(body, copies, (int)stream->n, x->shape.rank - 1, span);
}

/* The sum of the n streams. */
struct value *hyper_leave(struct body *body, struct stream *stream,
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

struct value *hyper_write(struct body *body, struct stream *stream,
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
    struct param *weight = fixed->shape.rank == 1
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
struct value *hyper_read(struct body *body, struct stream *stream,
                         struct value *x, struct span span)
{
    struct site site = { .path = site_path(body), .n = stream->n };
    int64_t n = stream->n;
    struct param *read = site_vector(body, site.path, "read", n, 0);
    struct param *carry = site_matrix(body, site.path, "carry", n, n);
    struct param *write = site_vector(body, site.path, "write", n, 1);

    site_diagonal(read, 0, 1, 0);
    read->numbered = true;
    site_diagonal(carry, 0, 1, 0);
    if (stream->dynamic) {
        site.normed = stream_normed(body, "layernorm", n, x, span);
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
struct value *manifold_read(struct body *body, struct stream *stream,
                            struct value *x, struct span span)
{
    struct site site = { .path = site_path(body), .n = stream->n };
    int64_t n = stream->n;
    struct param *read = site_vector(body, site.path, "read", n, 0);
    struct param *carry = site_matrix(body, site.path, "carry", n, n);
    struct param *write = site_vector(body, site.path, "write", n, 0);

    site_diagonal(read, -3, 6, 0);
    read->numbered = true;
    site_diagonal(carry, -3, 6, 0);
    site.normed = stream_normed(body, "rmsnorm", 1, x, span);
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
