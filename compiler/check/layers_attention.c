/* layers_attention.c: layers whose rows see each other or know their place:
 * attention, positions. */
#include "layers.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum attention_arg { HEADS, CAUSAL, GROUPS, HEAD, FROM, LENGTHS, BIASES, ROPE,
                     NEIGHBOURS, QK_NORM, WEIGHTS, V_WEIGHTS, OUT_WEIGHTS };

/* What a layer's arguments come to. */
struct attention {
    struct value *x, *from, *lengths;   /* from: x, or another's rows */
    int64_t heads, groups, head;
    double base;                /* of rotary embedding; 0: none */
};

/* ---- arguments ---- */

static bool bad(struct use *use, const struct arg *arg, const char *text)
{
    fail(use->body, arg->ast ? arg->ast->span : use->span, "%s", text);
    return false;
}

static bool divides(struct use *use, int64_t n, int64_t whole,
                    const char *text)
{
    if (whole % n == 0)
        return true;
    fail(use->body, use->span, "%" PRId64 " %s", n, text);
    return false;
}

static bool read_heads(struct use *use, struct attention *a)
{
    struct arena *arena = use->body->check->c->arena;
    const struct arg *arg = use->arg;

    a->heads = arg[HEADS].n[0];
    a->groups = arg[GROUPS].given ? arg[GROUPS].n[0] : a->heads;
    a->head = arg[HEAD].n[0];
    if (!arg[HEAD].given) {
        if (!divides(use, a->heads, a->x->features, arena_format(arena,
                     "heads do not divide the %" PRId64 " features of %s "
                     "evenly: 'head = n' gives each n", a->x->features,
                     text_of(use, a->x)))) {
            fail_note(use->body, a->x->span, "%s comes from here",
                      text_of(use, a->x));
            return false;
        }
        a->head = a->x->features / a->heads;
    }
    if (!divides(use, a->groups, a->heads, arena_format(arena, "groups do "
                 "not divide %" PRId64 " heads evenly", a->heads)))
        return false;
    return (a->heads <= LIMIT_AXIS / a->head && a->x->rows < LIMIT_AXIS)
        || bad(use, &arg[HEADS], "attention is above the limit of 2^31 "
               "positions or features");
}

static bool read_from(struct use *use, struct attention *a)
{
    const struct arg *arg = &use->arg[FROM];
    struct body *body = use->body;

    a->from = a->x;
    if (!arg->given)
        return true;
    a->from = eval_unnamed(body, arg->ast, a->x);
    if (!a->from || !need_real(body, a->from, arg->ast->span, "'from'"))
        return false;
    if (use->arg[CAUSAL].real != 0)
        return bad(use, &use->arg[CAUSAL], "causal attention sees the "
                   "positions before its own: 'from' brings others");
    if (use->arg[ROPE].given)
        return bad(use, &use->arg[ROPE], "'rope' turns queries and keys of "
                   "one sequence: 'from' brings another");
    if (a->from->shape.rank > 1 && a->from->rows < LIMIT_AXIS)
        return true;
    fail(body, arg->ast->span, "'from' takes positions and features, this is "
         "%s", text_of(use, a->from));
    fail_note(body, a->from->span, "%s comes from here",
              text_of(use, a->from));
    return false;
}

/* One integer a sample, which the caller may not set above the positions. */
static bool read_lengths(struct use *use, struct attention *a)
{
    const struct arg *arg = &use->arg[LENGTHS];

    if (!arg->given)
        return true;
    a->lengths = eval_unnamed(use->body, arg->ast, a->x);
    if (!a->lengths)
        return false;
    if (a->lengths->integer && shape_size(&a->lengths->shape) == 1) {
        limit_classes(a->lengths, a->from->rows + 1);
        a->lengths = localize(use->body, a->lengths);
        return true;
    }
    fail(use->body, arg->ast->span, "'lengths' is one integer a sample: "
         "declare it as 'input name int [1]'");
    fail_note(use->body, a->lengths->span, "%s comes from here",
              text_of(use, a->lengths));
    return false;
}

static bool read_rope(struct use *use, struct attention *a)
{
    const struct arg *arg = &use->arg[ROPE];

    a->base = arg->is_word ? 10000 : arg->real;
    if (a->base != 0 && a->base <= 1)
        return bad(use, arg, "the base of 'rope' must be above 1: write 'rope', "
                   "which is 10000, or 'rope = 500000'");
    if (use->arg[NEIGHBOURS].real != 0 && a->base == 0)
        return bad(use, &use->arg[NEIGHBOURS], "'neighbours' says which "
                   "features 'rope' turns together: there is no 'rope'");
    if (a->base == 0 || a->head % 2 == 0)
        return true;
    fail(use->body, use->span, "'rope' turns pairs of features: heads of %"
         PRId64 " are odd", a->head);
    return false;
}

static bool read_norm(struct use *use)
{
    const struct arg *arg = &use->arg[QK_NORM];
    const char *word = arg->given && (arg->ast->kind == AST_NAME
                                      || arg->ast->kind == AST_CALL)
                       ? arg->ast->name : "";

    return !arg->given || strcmp(word, "layer") == 0
        || strcmp(word, "rms") == 0
        || bad(use, arg, "'qk_norm' is layer or rms");
}

/* ---- nodes ---- */

/* A linear layer of its own; `init`: its weights', if given. */
static struct value *project(struct use *use, struct value *x,
                             int64_t features, const char *word,
                             const struct arg *init)
{
    struct body *body = use->body;
    const struct weight_init *outer = body->layer_init;
    bool out = strcmp(word, "out_proj") == 0;
    const struct arg *bias = &use->arg[BIASES];

    if (init && init->given)
        body->layer_init = &init->init;
    x = build_linear(body, x, features, out ? has_bias(use, bias)
                     : bias->real != 0, out && !bias->given,
                     fixed_path(body, word), use->span);
    body->layer_init = outer;
    return x;
}

static struct value *named(struct value *x, const char *name)
{
    if (x)
        x->name = name;
    return x;
}

/* K of each head's features, one gamma for all heads. */
static struct value *normalise(struct use *use, const struct attention *a,
                               struct value *x, const char *name)
{
    struct body *body = use->body;
    struct shape shape = x->shape, heads = { 2, { x->rows * x->features
                                                  / a->head, a->head } };
    struct ast norm = { .kind = AST_NORM, .a = use->arg[QK_NORM].ast };

    if (!use->arg[QK_NORM].given)
        return x;
    x = as_shape(body, x, &heads, use->span);
    body->as_name = name;
    x = apply_norm(body, &norm, x);
    return x ? as_shape(body, x, &shape, use->span) : NULL;
}

static struct value *turn(struct use *use, const struct attention *a,
                          struct value *x)
{
    if (!x || a->base == 0)
        return x;
    struct value *y = build_node(use->body, OP_ROPE, x, "rope", use->span);
    y->producer->set.n[0] = a->head;
    y->producer->set.n[1] = use->arg[NEIGHBOURS].real != 0;
    y->producer->set.r[0] = a->base;
    return y;
}

/* RNET_ATTENTION_FLOATS and RNET_ATTENTION_GRAD_FLOATS of rnet_kernels.h,
 * beyond WORKER_FLOATS; the emitted C asserts that they are enough. */
static void reserve(struct node *node, int64_t head)
{
    int64_t strips = head <= 64 ? 4 : head <= 128 ? 2 : 1;
    int64_t step = (head + 31) / 32 * 1024;
    int64_t floats = step * (3 * strips + 1) + 1024 * strips;
    int64_t grad = step * (6 * strips + 1) + 2048 * strips * (strips + 1);

    node->worker = floats > WORKER_FLOATS ? floats - WORKER_FLOATS : 0;
    node->grad_worker = grad > WORKER_FLOATS ? grad - WORKER_FLOATS : 0;
}

/* Products of queries and keys, and of probabilities and values. */
static int64_t macs_of(const struct value *q, const struct value *k)
{
    int64_t scores, macs;

    return mul_size(q->rows, k->rows, &scores)
        && mul_size(scores, 2 * q->features, &macs) ? macs : INT64_MAX;
}

static struct value *attend(struct use *use, const struct attention *a,
                            struct value *q, struct value *k, struct value *v)
{
    struct body *body = use->body;
    struct compilation *c = body->check->c;
    struct shape sums = q->shape;

    k = as_layout(body, k, q->layout);
    v = as_layout(body, v, q->layout);
    struct value *y = build_node(body, OP_ATTENTION, q, "attention",
                                 use->span);
    struct node *node = y->producer;
    node_in(node, k);
    node_in(node, v);
    if (a->lengths)
        node_in(node, a->lengths);
    sums.axis[sums.rank - 1] = a->heads;
    node_out(node, new_value(c, body->region, FORM_ROWS, LAYOUT_PLAIN, &sums,
                             "log_sum", use->span));
    const int64_t set[] = { q->rows, k->rows, a->heads, a->groups, a->head,
                            use->arg[CAUSAL].real != 0 };
    memcpy(node->set.n, set, sizeof set);
    node->set.r[0] = 1 / sqrt((double)a->head);
    node->macs = macs_of(q, k);
    reserve(node, a->head);
    return y;
}

static struct value *build_attention(struct use *use,
                                     const struct attention *a)
{
    int64_t wide = a->heads * a->head, narrow = a->groups * a->head;
    struct value *q = named(project(use, a->x, wide, "q_proj", NULL), "q");
    struct value *k = named(project(use, a->from, narrow, "k_proj", NULL),
                            "k");
    struct value *v = named(project(use, a->from, narrow, "v_proj",
                                    &use->arg[V_WEIGHTS]), "v");

    if (!q || !k || !v)
        return NULL;
    q = turn(use, a, normalise(use, a, q, "q_norm"));
    k = turn(use, a, normalise(use, a, k, "k_norm"));
    if (!q || !k)
        return NULL;
    return project(use, attend(use, a, q, k, v), a->x->features, "out_proj",
                   &use->arg[OUT_WEIGHTS]);
}

static struct value *apply_attention(struct use *use, struct value *x)
{
    struct attention a = { .x = x };
    struct body *body = use->body;
    struct scope inner = { 0 }, *outer = body->scope;

    if (!read_heads(use, &a) || !read_from(use, &a) || !read_lengths(use, &a)
        || !read_rope(use, &a) || !read_norm(use))
        return NULL;
    inner.prefix = next_path(body, "attention");
    inner.loops = body->loops;
    body->scope = &inner;
    struct value *y = build_attention(use, &a);
    body->scope = outer;
    return y;
}

/* ---- positions ---- */

enum positions_arg { KIND, COUNT, BASE };

static struct value *learned_positions(struct use *use, const struct value *x)
{
    struct body *body = use->body;
    int64_t count = use->arg[COUNT].given ? use->arg[COUNT].n[0] : x->rows;
    struct shape table = { 2, { count, x->features } };

    if (count < x->rows) {
        fail(body, use->span, "%" PRId64 " learned positions are less than "
             "the %" PRId64 " of %s", count, x->rows,
             shape_text(body->check->c, &x->shape));
        fail_note(body, x->span, "%s comes from here",
                  shape_text(body->check->c, &x->shape));
        return NULL;
    }
    if (!weight_fits(body, &table, use->span))
        return NULL;
    return build_rows(body, NULL, table_param(body, next_path(body,
                      "positions"), &table), &x->shape, "positions",
                      use->span);
}

static struct value *sine_positions(struct use *use, const struct value *x)
{
    struct body *body = use->body;
    struct node *node = new_node(body->check->c, OP_SINES, use->span);

    append_node(body->region, &body->region->nodes, node);
    node->set.r[0] = use->arg[BASE].real;
    return node_out(node, new_value(body->check->c, body->region, FORM_ROWS,
                                    x->layout, &x->shape, "positions",
                                    use->span));
}

/* x + a vector of each position, the same for every sample. */
static struct value *apply_positions(struct use *use, struct value *x)
{
    const struct ast *kind = use->arg[KIND].ast;
    const char *word = kind->kind == AST_NAME ? kind->name : "";
    bool sine = strcmp(word, "sine") == 0;
    struct value *table = NULL;

    x = localize(use->body, x);
    if (!sine && strcmp(word, "learned"))
        bad(use, &use->arg[KIND], "positions are learned or sine");
    else if (use->arg[sine ? COUNT : BASE].given)
        bad(use, &use->arg[sine ? COUNT : BASE], sine
            ? "'positions(sine)' has no table: there is no number of rows"
            : "'base' is for 'positions(sine)'");
    else if (use->arg[BASE].real <= 1)
        bad(use, &use->arg[BASE], "the base must be above 1, as 10000");
    else
        table = sine ? sine_positions(use, x) : learned_positions(use, x);
    return table ? build_binary(use->body, "ADD", "ADD", table, x, "positions",
                                use->span) : NULL;
}

const struct layer attention_layers[] = {
    { "attention", apply_attention, LAYER_WEIGHTS, 2, LIMIT_RANK, NULL, {
        [HEADS] = { "heads", ARG_COUNT, true, 0, NULL },
        [CAUSAL] = { "causal", ARG_FLAG, false, 0, "causal" },
        [GROUPS] = { "groups", ARG_COUNT, false, 0, NULL },
        [HEAD] = { "head", ARG_COUNT, false, 0, NULL },
        [FROM] = { "from", ARG_CHAIN, false, 0, NULL },
        [LENGTHS] = { "lengths", ARG_CHAIN, false, 0, NULL },
        [BIASES] = BIAS,
        [ROPE] = { "rope", ARG_REAL, false, 0, "rope" },
        [NEIGHBOURS] = { "neighbours", ARG_FLAG, false, 0, "neighbours" },
        [QK_NORM] = { "qk_norm", ARG_CHAIN, false, 0, NULL },
        [WEIGHTS] = INIT,
        [V_WEIGHTS] = { "v_init", ARG_INIT, false, 0, NULL },
        [OUT_WEIGHTS] = { "out_init", ARG_INIT, false, 0, NULL } } },
    { "positions", apply_positions, 0, 2, LIMIT_RANK, NULL, {
        [KIND] = { "kind", ARG_CHAIN, true, 0, NULL },
        [COUNT] = { "count", ARG_COUNT, false, 0, NULL },
        [BASE] = { "base", ARG_REAL, false, 10000, NULL }, INIT } },
    { 0 }
};
