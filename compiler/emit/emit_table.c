/* emit_table.c: the network as a table that generic tools read.  Repeats stay
 * repeats: a row stands for as many tensors as they make. */
#include "emit.h"

#include <inttypes.h>
#include <string.h>

struct around {                 /* a repeat around what is walked */
    int64_t count, params, state, grads;
};

/* Where the parameters, statistics and gradients of a region begin. */
struct bases { int64_t params, state, grads; };

struct walk {
    struct compilation *c;
    struct text *out;
    struct around around[16];
    int depth;
    int rows;
    bool too_many;
    const char *too_deep, *too_long;    /* names of such parameters */
};

/* A name so far: text, and for every '#' its first number and steps. */
struct title {
    const char *text;
    int marks;
    struct { int64_t first, step[16]; } mark[16];
};

/* `base`: number of repeats outside of the function the pieces belong to. */
static void extend(struct walk *w, struct title *title,
                   const struct piece *pieces, int base)
{
    for (const struct piece *p = pieces; p; p = p->next) {
        bool loops = false;
        for (int i = 0; i < LIMIT_NEST_REPEAT; i++)
            loops |= p->step[i] != 0;
        title->text = arena_format(w->c->arena, "%s%s%s", title->text,
                                   *title->text ? "." : "", p->text);
        if (!p->indexed)
            continue;
        if (!loops) {
            title->text = arena_format(w->c->arena, "%s.%" PRId64,
                                       title->text, p->first);
            continue;
        }
        title->text = arena_format(w->c->arena, "%s.#", title->text);
        if (title->marks == 16) {
            w->too_deep = title->text;
            return;
        }
        title->mark[title->marks].first = p->first;
        memset(title->mark[title->marks].step, 0,
               sizeof title->mark[0].step);
        for (int i = 0; i < LIMIT_NEST_REPEAT && base + i < 16; i++)
            title->mark[title->marks].step[base + i] = p->step[i];
        title->marks++;
    }
}

/* "1, 2, 3" */
static const char *list_c(struct walk *w, const int64_t *n, int count)
{
    const char *list = "";

    for (int i = 0; i < count; i++)
        list = arena_format(w->c->arena, "%s%s%" PRId64, list,
                            i ? ", " : "", n[i]);
    return list;
}

static void repeats_c(struct walk *w, struct call *row,
                      const struct title *title, bool trainable)
{
    struct arena *arena = w->c->arena;
    const char *repeats = "", *marks = "";

    for (int i = 0; i < w->depth; i++)
        repeats = arena_format(arena, "%s%s{ %" PRId64 ", %" PRId64 " }",
                               repeats, i ? ", " : "", w->around[i].count,
                               trainable ? w->around[i].params
                               : w->around[i].state);
    for (int m = 0; m < title->marks; m++)
        marks = arena_format(arena, "%s%s{ %" PRId64 ", { %s } }", marks,
                             m ? ", " : "", title->mark[m].first,
                             list_c(w, title->mark[m].step, w->depth));
    if (w->depth)
        call_argument(row, ".repeats = %d, .repeat = { %s }", w->depth,
                      repeats);
    if (title->marks)
        call_argument(row, ".index = { %s }", marks);
}

/* Where the diagonal begins: a column, and the number in the path. */
static void diagonal_c(struct walk *w, struct call *row, const struct param *p,
                       int base)
{
    const struct piece *number = NULL;
    int64_t step[16] = { 0 };

    for (const struct piece *i = p->path; i && p->numbered; i = i->next)
        if (i->indexed)
            number = i;
    for (int i = base; number && i < w->depth; i++)
        step[i] = number->step[i - base];
    call_argument(row, ".diagonal = { %" PRId64 ", { %s } }",
                  p->column + (number ? number->first : 0),
                  w->depth ? list_c(w, step, w->depth) : "0");
}

static void init_c(struct walk *w, struct call *row, const struct param *p)
{
    static const char *const inits[] = { "RNET_INIT_CONSTANT",
                                         "RNET_INIT_NORMAL",
                                         "RNET_INIT_UNIFORM",
                                         "RNET_INIT_DIAGONAL" };

    if (p->init != INIT_CONSTANT)
        call_argument(row, ".init = %s", inits[p->init]);
    if (p->mean != 0)
        call_argument(row, ".mean = %s", number_c(w->c->arena, p->mean));
    if (p->init != INIT_CONSTANT)
        call_argument(row, ".spread = %s", number_c(w->c->arena, p->spread));
}

/* Where --fuse-optimizer has its gradient. */
static void step_c(struct walk *w, struct call *row, const struct param *p,
                   int64_t rest)
{
    int64_t strides[16];

    if (p->stepped) {
        call_argument(row, ".stepped = 1");
        return;
    }
    if (rest)
        call_argument(row, ".rest = %" PRId64, rest);
    for (int i = 0; i < w->depth; i++)
        strides[i] = w->around[i].grads;
    if (w->depth)
        call_argument(row, ".rests = { %s }", list_c(w, strides, w->depth));
}

/* One row; what is 0 is left out. */
static void tensor_c(struct walk *w, const struct param *p,
                     const struct title *outer, int base, struct bases at)
{
    static const char *const packs[] = { "RNET_PACK_FLAT", "RNET_PACK_PANELS",
                                         "RNET_PACK_CONV" };
    struct title title = *outer;
    struct call row = { w->out, 6, 6, 0 };
    int64_t offset = (p->trainable ? at.params : at.state) + p->offset;

    extend(w, &title, p->path, base);
    title.text = arena_format(w->c->arena, "%s%s%s", title.text,
                              *title.text && *p->leaf ? "." : "", p->leaf);
    if (w->depth > LIMIT_NEST_REPEAT || title.marks > LIMIT_NEST_REPEAT)
        w->too_deep = title.text;
    if (strlen(title.text) > LIMIT_NAME)
        w->too_long = title.text;
    text_add(w->out, "    { ");
    call_argument(&row, ".name = \"%s\"", title.text);
    if (p->pack != PACK_FLAT)
        call_argument(&row, ".pack = %s", packs[p->pack]);
    call_argument(&row, ".groups = %d", p->groups);
    call_argument(&row, ".rank = %d", p->shape.rank);
    call_argument(&row, ".shape = { %s }",
                  list_c(w, p->shape.axis, p->shape.rank));
    if (offset)
        call_argument(&row, ".offset = %" PRId64, offset);
    call_argument(&row, ".floats = %" PRId64, p->floats);
    repeats_c(w, &row, &title, p->trainable);
    if (p->init == INIT_DIAGONAL)
        diagonal_c(w, &row, p, base);
    if (p->trainable)
        call_argument(&row, ".trainable = 1");
    if (p->decay)
        call_argument(&row, ".decay = 1");
    if (w->c->optimizer && p->trainable)
        step_c(w, &row, p, at.grads + p->grad_offset);
    init_c(w, &row, p);
    text_add(w->out, " },\n");
    w->rows++;
}

static const char *shortened(struct compilation *c, const char *name)
{
    return strlen(name) <= 40 ? name : arena_format(c->arena, "%.40s...", name);
}

static void walk_region(struct walk *w, const struct region *r,
                        const struct title *title, int base, struct bases at);

static void walk_block(struct walk *w, const struct function *f,
                       const struct piece *path, const struct title *outer,
                       int base, struct bases at)
{
    struct title title = *outer;

    extend(w, &title, path, base);
    walk_region(w, f->body, &title, w->depth, at);
}

static struct bases within(struct bases at, int64_t params, int64_t state,
                           int64_t grads)
{
    return (struct bases) { at.params + params, at.state + state,
                            at.grads + grads };
}

static void walk_region(struct walk *w, const struct region *r,
                        const struct title *title, int base, struct bases at)
{
    if (!r->param_floats && !r->state_floats)
        return;
    if (w->rows > LIMIT_TENSORS)
        w->too_many = true;
    if (w->too_many)
        return;
    for (const struct param *p = r->params; p; p = p->next)
        tensor_c(w, p, title, base, at);
    for (const struct shared_weights *i = r->weights; i; i = i->next)
        walk_block(w, i->function, i->path, title, base,
                   within(at, i->params, i->state, i->grads));
    for (const struct node *n = r->nodes.first; n; n = n->next) {
        if (n->op == OP_CALL && !n->call.weights) {
            walk_block(w, n->call.callee, n->call.path, title, base,
                       within(at, n->call.params, n->call.state,
                              n->call.grads));
        } else if (n->op == OP_LOOP && w->depth < 16) {
            const struct region *body = n->loop.body;
            bool repeat = n->loop.count > 1;
            w->around[w->depth++] = (struct around) { n->loop.count,
                body->param_floats, body->state_floats, body->grad_floats };
            w->depth -= !repeat;
            walk_region(w, body, title, base,
                        within(at, n->loop.params, n->loop.state,
                               n->loop.grads));
            w->depth -= repeat;
        }
    }
}

static void ports_c(struct compilation *c, struct text *out,
                    const struct port *ports, const char *name)
{
    text_add(out, "static const struct rnet_port %s[] = {\n", name);
    for (const struct port *p = ports; p; p = p->next) {
        const struct shape *shape = &p->value->shape;
        text_add(out, "    { .name = \"%s\", .integer = %d, .target = %d, "
                 ".classes = %" PRId64 ",\n      %s.rank = %d, .shape = {",
                 p->name, p->integer, p->target, p->value->classes,
                 p->graph ? ".graph = 1, " : p->ignores
                 ? arena_format(c->arena, ".ignores = 1, .ignore = %" PRId64
                                ", ", p->ignore) : "", shape->rank);
        for (int i = 0; i < shape->rank; i++)
            text_add(out, "%s%" PRId64, i ? ", " : " ", shape->axis[i]);
        text_add(out, "%s }, .size = %" PRId64 " },\n", shape->rank ? ""
                 : " 0", p->graph ? 0 : shape_size(shape));
    }
    text_add(out, "};\n\n");
}

static int count_ports(const struct port *ports)
{
    int count = 0;
    for (; ports; ports = ports->next)
        count++;
    return count;
}

static void bytes_functions(struct compilation *c, struct text *out)
{
    text_add(out, "static size_t infer_bytes(size_t batch, int threads)\n{\n"
             "    (void)batch;\n"
             "    return %s_INFER_BYTES(batch, threads);\n}\n\n", macro_c(c));
    if (trains(c))
        text_add(out, "static size_t train_bytes(size_t batch, int threads)\n"
                 "{\n    (void)batch;\n"
                 "    return %s_TRAIN_BYTES(batch, threads);\n}\n\n",
                 macro_c(c));
}

static void tensors_c(struct compilation *c, struct text *out, int *rows)
{
    struct walk walk = { .c = c, .out = out };
    struct title title = { .text = "" };

    text_add(out, "/* ---- the table ---- */\n\n"
             "static const struct rnet_tensor tensors[] = {\n");
    walk_region(&walk, c->network->main->body, &title, 0, (struct bases) {
                    .state = c->network->main->body->param_floats });
    if (!walk.rows)
        text_add(out, "    { .name = \"\", .rank = 0 },\n");
    text_add(out, "};\n\n");
    *rows = walk.rows;
    if (walk.too_many)
        diag_error(c->diag, &c->network->main->decl->name_span,
                   "the network has more than %d rows of parameters: write "
                   "equal blocks as a repeat", LIMIT_TENSORS);
    else if (walk.too_deep)
        diag_error(c->diag, &c->network->main->decl->name_span,
                   "repeats around the parameter '%s' are nested above the "
                   "limit of %d", shortened(c, walk.too_deep),
                   LIMIT_NEST_REPEAT);
    else if (walk.too_long)
        diag_error(c->diag, &c->network->main->decl->name_span,
                   "the name of the parameter '%s' is %zu bytes long, the "
                   "limit is %d bytes: give its blocks shorter names",
                   shortened(c, walk.too_long), strlen(walk.too_long),
                   LIMIT_NAME);
}

void emit_table(struct compilation *c, struct text *out)
{
    const struct network *n = c->network;
    const struct region *main = n->main->body;
    int rows;

    tensors_c(c, out, &rows);
    ports_c(c, out, n->inputs, "inputs");
    ports_c(c, out, n->outputs, "outputs");
    bytes_functions(c, out);
    text_add(out, "const struct rnet_network %s = {\n"
             "    .version = RNET_VERSION,\n    .name = \"%s\",\n"
             "    .trainable = %" PRId64 ",\n    .grad_floats = %" PRId64
             ",\n    .param_floats = %" PRId64 ",\n    .tensors = tensors,\n"
             "    .tensor_rows = %d,\n    .inputs = inputs,\n"
             "    .outputs = outputs,\n    .input_count = %d,\n"
             "    .output_count = %d,\n    .infer_bytes = infer_bytes,\n",
             network_c(c), n->name, n->parameters, main->param_floats,
             main->param_floats + main->state_floats, rows,
             count_ports(n->inputs), count_ports(n->outputs));
    if (trains(c))
        text_add(out, "    .train_bytes = train_bytes,\n");
    text_add(out, "    .infer = infer_by_table,\n");
    if (trains(c))
        text_add(out, "    .%s = %s_by_table,\n", entry_word(c, true),
                 entry_word(c, true));
    text_add(out, "};\n\nenum rnet_status %s_init(float *params, uint64_t "
             "seed)\n{\n    return rnet_init_params(&%s, params, seed);\n}\n",
             network_c(c), network_c(c));
}
