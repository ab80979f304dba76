/* emit_table.c: the header, the entry points and the table of a network. */
#include "emit.h"

#include <inttypes.h>
#include <string.h>

static const char *name_c(struct compilation *c)
{
    return identifier(c->arena, c->network->name);
}

static const char *macro(struct compilation *c)
{
    return upper(c->arena, c->network->name);
}

static bool trains(struct compilation *c)
{
    return c->network->main->body->schedule[MODE_BACKWARD] != NULL;
}

static bool wants_grad(const struct port *port)
{
    return !port->integer && !port->target;
}

/* ---- prototypes ---- */

static const char *plain_shape(struct compilation *c,
                               const struct shape *shape)
{
    const char *text = "batch";
    for (int i = 0; i < shape->rank; i++)
        text = arena_format(c->arena, "%s, %" PRId64, text, shape->axis[i]);
    return text;
}

static void inputs_c(struct compilation *c, struct call *call, bool training)
{
    for (const struct port *p = c->network->inputs; p; p = p->next)
        if (training || !p->target)
            call_argument(call, "const %s *%s",
                          p->integer ? "int32_t" : "float",
                          identifier(c->arena, p->name));
    for (const struct port *p = c->network->outputs; p; p = p->next)
        call_argument(call, "float *%s", identifier(c->arena, p->name));
}

static void prototype(struct compilation *c, struct text *out, bool training)
{
    struct call call;
    const char *name = arena_format(c->arena, "enum rnet_status %s_%s",
                                    name_c(c), training ? "train" : "infer");

    call_begin(&call, out, 0, name);
    call_argument(&call, training ? "float *params" : "const float *params");
    inputs_c(c, &call, training);
    if (training) {
        call_argument(&call, "float *loss");
        call_argument(&call, "float *grads");
        for (const struct port *p = c->network->inputs; p; p = p->next)
            if (wants_grad(p))
                call_argument(&call, "float *%s",
                              identifier(c->arena, arena_format(c->arena,
                                         "%s_grad", p->name)));
    }
    call_argument(&call, "size_t batch");
    call_argument(&call, "struct rnet_work *work");
    text_add(out, ")");
}

/* ---- header ---- */

static void define(struct text *out, const char *prefix, const char *name,
                   int64_t value, const char *what)
{
    int width = (int)(strlen(prefix) + strlen(name));
    text_add(out, "#define %s_%s%*s %" PRId64 "%s%s%s\n", prefix, name,
             width < 30 ? 30 - width : 0, "", value, *what ? "  /* " : "",
             what, *what ? " */" : "");
}

static void knobs(struct compilation *c, struct text *out)
{
    for (const struct knob *k = c->network->knobs; k; k = k->next)
        if (k->is_integer)
            define(out, macro(c), upper(c->arena, k->name), k->integer, "");
}

static void port_sizes(struct compilation *c, struct text *out,
                       const struct port *ports, const char *word)
{
    for (const struct port *p = ports; p; p = p->next)
        define(out, macro(c), arena_format(c->arena, "%s_SIZE",
               upper(c->arena, p->name)), shape_size(&p->value->shape),
               arena_format(c->arena, "%s %s %s%s", p->target ? "target"
               : word, p->name, p->integer ? "int " : "",
               shape_text(c, &p->value->shape)));
}

static struct form_size total(struct compilation *c, bool training,
                              int64_t *worker)
{
    const struct region *main = c->network->main->body;
    struct form_size size, other;
    int64_t shared;

    kernel_scratch(c->network, training, worker, &shared);
    if (!training) {
        size = main->schedule[MODE_INFER]->scratch;
    } else {
        size = main->schedule[MODE_TRAIN]->scratch;
        other = main->schedule[MODE_BACKWARD]->scratch;
        size = form_add(main->schedule[MODE_TRAIN]->saved,
                        form_max(size, other));
    }
    size.constant += shared;
    return size;
}

static void bytes_macro(struct compilation *c, struct text *out,
                        bool training)
{
    int64_t worker;
    struct form_size size = total(c, training, &worker);

    text_add(out, "#define %s_%s_BYTES(batch, threads) \\\n    (sizeof(float) * (%s \\\n"
             "     + (size_t)(threads) * %" PRId64 "))\n", macro(c),
             training ? "TRAIN" : "INFER", form_macro(c, &size),
             worker + 49152);
}

static void shape_comment(struct compilation *c, struct text *out,
                          bool training)
{
    for (const struct port *p = c->network->inputs; p; p = p->next)
        if (training || !p->target)
            text_add(out, " * %s (%s)%s\n", p->name,
                     plain_shape(c, &p->value->shape), p->integer
                     ? arena_format(c->arena, ", each 0 ... %" PRId64,
                                    p->value->classes - 1) : "");
    for (const struct port *p = c->network->outputs; p; p = p->next)
        text_add(out, " * %s (%s)%s\n", p->name,
                 plain_shape(c, &p->value->shape),
                 training ? ", or NULL" : "");
}

static void header_functions(struct compilation *c, struct text *out)
{
    text_add(out, "/* The network as a table: names, shapes, offsets, entry "
             "points. */\nextern const struct rnet_network %s;\n\n",
             name_c(c));
    text_add(out, "/* Initial parameters, as the network says. */\n"
             "enum rnet_status %s_init(float *params, uint64_t seed);\n\n",
             name_c(c));
    text_add(out, "/* Forward.  work: %s_INFER_BYTES(batch, threads).\n",
             macro(c));
    shape_comment(c, out, false);
    text_add(out, " */\n");
    prototype(c, out, false);
    text_add(out, ";\n");
    if (!trains(c))
        return;
    text_add(out, "\n/* Forward and backward.  *loss is set; grads += "
             "dloss/dparams; gradients of\n * inputs are set, each may be "
             "NULL.  Running statistics in params move.\n"
             " * work: %s_TRAIN_BYTES(batch, threads).\n", macro(c));
    shape_comment(c, out, true);
    text_add(out, " */\n");
    prototype(c, out, true);
    text_add(out, ";\n");
}

void emit_header(struct compilation *c, struct text *out)
{
    const struct network *n = c->network;
    const struct region *main = n->main->body;
    const char *guard = arena_format(c->arena, "%s_H", macro(c));

    text_add(out, "/* %s: emitted by rnetc " RNETC_VERSION " from %s; do not "
             "edit. */\n#ifndef %s\n#define %s\n\n#include <rnet.h>\n\n"
             "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n", n->name,
             n->source, guard, guard);
    knobs(c, out);
    port_sizes(c, out, n->inputs, "input");
    port_sizes(c, out, n->outputs, "output");
    define(out, macro(c), "PARAMETERS", n->parameters, "trainable scalars");
    define(out, macro(c), "GRAD_FLOATS", main->param_floats,
           "of gradients, of each optimiser state");
    define(out, macro(c), "PARAM_FLOATS",
           main->param_floats + main->state_floats, "of parameters");
    text_add(out, "\n/* Bytes of work memory. */\n");
    bytes_macro(c, out, false);
    if (trains(c))
        bytes_macro(c, out, true);
    text_add(out, "\n");
    header_functions(c, out);
    text_add(out, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}

/* ---- entry points ---- */

/* Largest batch for which no size overflows. */
static int64_t max_batch(struct compilation *c)
{
    int64_t worker, batch = (int64_t)1 << 30;
    struct form_size size = total(c, trains(c), &worker);

    while (batch > 1 && size.per_sample > ((int64_t)1 << 58) / batch)
        batch /= 2;
    for (int i = 0; i < UNITS; i++)
        while (batch > 1
               && size.per_strips[i] > ((int64_t)1 << 57) / batch
                  / (c->network->units->rows[i] + 1))
            batch /= 2;
    return batch;
}

static void check_pointers(struct compilation *c, struct text *out,
                           bool training)
{
    const char *separator = "";

    text_add(out, "    if (");
    for (const struct port *p = c->network->inputs; p; p = p->next)
        if (training || !p->target) {
            text_add(out, "%s!%s", separator, identifier(c->arena, p->name));
            separator = " || ";
        }
    for (const struct port *p = c->network->outputs; p && !training;
         p = p->next) {
        text_add(out, "%s!%s", separator, identifier(c->arena, p->name));
        separator = " || ";
    }
    text_add(out, "%s)\n        return RNET_NULL;\n", training ? " || !loss"
             : "");
}

static void check_indices(struct compilation *c, struct text *out,
                          bool training)
{
    for (const struct port *p = c->network->inputs; p; p = p->next)
        if (p->integer && (training || !p->target))
            text_add(out, "    status = rnet_check_indices(%s, batch * %"
                     PRId64 ",\n                                %" PRId64
                     ");\n    if (status != RNET_OK)\n        return status;"
                     "\n", identifier(c->arena, p->name),
                     shape_size(&p->value->shape), p->value->classes);
}

/* Rows a sample of the smallest value under batch norm; 0: there is none. */
static int64_t least_rows(const struct list *list, int64_t least)
{
    for (const struct node *n = list->first; n; n = n->next) {
        if (n->op == OP_BATCH_NORM
            && (!least || n->in[0]->rows < least))
            least = n->in[0]->rows;
        if (n->op == OP_LOOP)
            least = least_rows(&n->loop.body->nodes, least);
    }
    return least;
}

static bool needs_two(struct compilation *c)
{
    int64_t least = 0;
    for (const struct function *f = c->network->functions; f; f = f->next)
        least = least_rows(&f->body->nodes, least);
    return least == 1;
}

static void checks(struct compilation *c, struct text *out, bool training)
{
    const char *bytes = training ? "TRAIN" : "INFER";

    text_add(out, "    enum rnet_status status;\n\n"
             "    status = rnet_check_work(work, 0, RNET_VERSION);\n"
             "    if (status != RNET_OK)\n        return status;\n"
             "    if (batch > %" PRId64 "%s)\n        return RNET_BAD_BATCH;\n",
             max_batch(c), training && needs_two(c) ? " || batch == 1" : "");
    text_add(out, "    status = rnet_check_work(work, %s_%s_BYTES(batch,\n"
             "            rnet_work_threads(work)), RNET_VERSION);\n"
             "    if (status != RNET_OK)\n        return status;\n", macro(c),
             bytes);
    text_add(out, "    if ((status = rnet_check_array(params)) != RNET_OK)\n"
             "        return status;\n");
    if (training)
        text_add(out, "    if ((status = rnet_check_array(grads)) != RNET_OK)"
                 "\n        return status;\n");
    check_pointers(c, out, training);
    check_indices(c, out, training);
}

static void begin_run(struct compilation *c, struct text *out, bool training)
{
    int64_t worker, shared;

    kernel_scratch(c->network, training, &worker, &shared);
    text_add(out, "    struct rnet_run here, *run = &here;\n"
             "    float *memory = (float *)work->memory;\n\n"
             "    rnet_begin(run, work, batch, %d);\n", training);
    text_add(out, "    run->scratch = memory;\n"
             "    run->scratch_floats = %" PRId64 ";\n"
             "    run->workers = memory + %" PRId64 ";\n"
             "    run->worker_floats = %" PRId64 ";\n", shared, shared,
             worker + 49152);
}

static void pass_call(struct compilation *c, struct text *out, enum mode mode)
{
    const struct region *r = c->network->main->body;
    struct call call;
    static const char *const names[] = { "infer", "forward", "backward" };

    call_begin(&call, out, 4, arena_format(c->arena, "%s_%s_pass", name_c(c),
                                           names[mode]));
    call_argument(&call, "run");
    if (r->param_floats)
        call_argument(&call, "params");
    if (r->param_floats && mode == MODE_BACKWARD)
        call_argument(&call, "grads");
    if (r->state_floats && mode != MODE_BACKWARD)
        call_argument(&call, "params + %s_GRAD_FLOATS", macro(c));
    if (r->keys && mode != MODE_INFER)
        call_argument(&call, "0");
    bool saved = mode != MODE_INFER
              && !form_zero(&r->schedule[MODE_TRAIN]->saved);
    if (saved)
        call_argument(&call, "memory");
    if (!form_zero(&r->schedule[mode]->scratch)) {
        const char *offset = mode == MODE_INFER ? ""
            : form_c(c, &r->schedule[MODE_TRAIN]->saved);
        call_argument(&call, *offset ? "memory + %s" : "memory%s", offset);
    }
    for (const struct port *p = c->network->inputs; p; p = p->next)
        call_argument(&call, "%s", p->target && mode == MODE_INFER ? "NULL"
                      : identifier(c->arena, p->name));
    for (const struct port *p = c->network->outputs; p; p = p->next)
        if (mode != MODE_BACKWARD)
            call_argument(&call, "%s", identifier(c->arena, p->name));
    if (mode == MODE_BACKWARD) {
        call_argument(&call, "loss");
        for (const struct port *p = c->network->inputs; p; p = p->next)
            if (wants_grad(p))
                call_argument(&call, "%s", identifier(c->arena,
                    arena_format(c->arena, "%s_grad", p->name)));
    }
    call_end(&call);
}

/* Work memory: shared scratch, workers' scratch, then values. */
static void run_passes(struct compilation *c, struct text *out, bool training)
{
    text_add(out, "    memory = run->workers + run->worker_floats\n"
             "        * (size_t)rnet_work_threads(work);\n");
    struct text calls = { 0 };
    if (training) {
        pass_call(c, &calls, MODE_TRAIN);
        text_add(&calls, "    *loss = 0;\n");
        pass_call(c, &calls, MODE_BACKWARD);
        text_add(&calls, "    work->step++;\n");
    } else {
        pass_call(c, &calls, MODE_INFER);
    }
    const struct units *units = c->network->units;
    for (int i = 0; i < units->count; i++) {
        int64_t rows = units->rows[i];
        const char *name = rows == 1 ? "strips"
            : arena_format(c->arena, "strips_%" PRId64, rows);
        if (has_word(calls.data, name))
            text_add(out, "    const long %s = RNET_STRIP_COUNT(%" PRId64
                     " * run->batch);\n", name, rows);
    }
    text_put(out, calls.data, calls.length);
    text_free(&calls);
}

static void entry_point(struct compilation *c, struct text *out,
                        bool training)
{
    prototype(c, out, training);
    text_add(out, "\n{\n");
    checks(c, out, training);
    if (training)
        text_add(out, "    if (batch == 0) {\n        *loss = 0;\n"
                 "        return RNET_OK;\n    }\n");
    else
        text_add(out, "    if (batch == 0)\n        return RNET_OK;\n");
    begin_run(c, out, training);
    run_passes(c, out, training);
    text_add(out, "    return RNET_OK;\n}\n\n");
}

static void generic_arguments(struct compilation *c, struct call *call,
                              bool training)
{
    int k = 0;

    for (const struct port *p = c->network->inputs; p; p = p->next, k++)
        if (training || !p->target)
            call_argument(call, "(const %s *)inputs[%d]",
                          p->integer ? "int32_t" : "float", k);
    k = 0;
    for (const struct port *p = c->network->outputs; p; p = p->next, k++)
        call_argument(call, training ? "outputs ? outputs[%d] : NULL"
                      : "outputs[%d]", k);
    if (!training)
        return;
    call_argument(call, "loss");
    call_argument(call, "grads");
    k = 0;
    for (const struct port *p = c->network->inputs; p; p = p->next, k++)
        if (wants_grad(p))
            call_argument(call, "input_grads ? input_grads[%d] : NULL", k);
}

/* The table's entry points take arrays of pointers. */
static void generic_entry(struct compilation *c, struct text *out,
                          bool training)
{
    struct call call;
    const char *word = training ? "train" : "infer";

    text_add(out, "static enum rnet_status %s_by_table(%sfloat *params,\n"
             "    const void *const *inputs, float *const *outputs,%s\n"
             "    size_t batch, struct rnet_work *work)\n{\n", word,
             training ? "" : "const ", training ? " float *loss,\n"
             "    float *grads, float *const *input_grads," : "");
    if (training)
        text_add(out, "    (void)input_grads;\n    if (!inputs)\n"
                 "        return RNET_NULL;\n");
    else
        text_add(out, "    if (!inputs || !outputs)\n"
                 "        return RNET_NULL;\n");
    call_begin(&call, out, 4, arena_format(c->arena, "return %s_%s",
                                           name_c(c), word));
    call_argument(&call, "params");
    generic_arguments(c, &call, training);
    call_argument(&call, "batch");
    call_argument(&call, "work");
    call_end(&call);
    text_add(out, "}\n\n");
}

static void assert_scratch(struct compilation *c, struct text *out,
                           const struct list *list, bool training,
                           int64_t worker, int64_t shared)
{
    for (const struct node *n = list->first; n; n = n->next) {
        if (n->op == OP_LOOP)
            assert_scratch(c, out, &n->loop.body->nodes, training, worker,
                           shared);
        if (n->op != OP_CONV)
            continue;
        const struct conv *v = &n->conv;
        struct text line = { 0 };
        text_add(&line, "_Static_assert(RNET_CONV_WORKER_FLOATS(%" PRId64
            ", %" PRId64 ", %" PRId64 ",\n    %" PRId64 ", %" PRId64 ", %"
            PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %"
            PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ")\n    <= %" PRId64
            ", \"librnet needs more scratch than rnetc knows\");\n",
            v->height, v->width, v->in, v->out_height, v->out_width, v->out,
            v->kernel_height, v->kernel_width, v->dilation_y, v->dilation_x,
            v->top, v->left, v->bottom, v->right, worker);
        if (training)
            text_add(&line, "_Static_assert(RNET_CONV_SCRATCH_FLOATS(%" PRId64
                ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
                ")\n    <= %" PRId64 ", \"librnet needs more scratch than "
                "rnetc knows\");\n", v->in, v->out, v->kernel_height,
                v->kernel_width, v->groups, shared);
        if (!out->data || !strstr(out->data, line.data))
            text_put(out, line.data, line.length);
        text_free(&line);
    }
}

static void scratch_asserts(struct compilation *c, struct text *out)
{
    int64_t worker, shared;
    struct text lines = { 0 };

    kernel_scratch(c->network, trains(c), &worker, &shared);
    for (const struct function *f = c->network->functions; f; f = f->next)
        assert_scratch(c, &lines, &f->body->nodes, trains(c), worker, shared);
    if (lines.length)
        text_add(out, "%s\n", lines.data);
    text_free(&lines);
}

void emit_entry_points(struct compilation *c, struct text *out)
{
    text_add(out, "/* ---- entry points ---- */\n\n");
    text_add(out, "_Static_assert(RNET_WORKER_FLOATS == 49152,\n"
             "               \"librnet and rnetc do not belong together\");"
             "\n");
    scratch_asserts(c, out);
    entry_point(c, out, false);
    generic_entry(c, out, false);
    if (trains(c)) {
        entry_point(c, out, true);
        generic_entry(c, out, true);
    }
}

/* ---- the table ---- */

struct around {                 /* a repeat around what is walked */
    int64_t count, params, state;
};

struct walk {
    struct compilation *c;
    struct text *out;
    struct around around[16];
    int depth;
    int rows;
    bool too_deep;
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
            w->too_deep = true;
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

static void repeats_c(struct walk *w, const struct title *title,
                      bool trainable)
{
    if (!w->depth)
        return;
    text_add(w->out, ",\n      .repeats = %d, .repeat = {", w->depth);
    for (int i = 0; i < w->depth; i++)
        text_add(w->out, "%s{ %" PRId64 ", %" PRId64 " }", i ? ", " : " ",
                 w->around[i].count, trainable ? w->around[i].params
                 : w->around[i].state);
    text_add(w->out, " },\n      .index = {");
    for (int m = 0; m < title->marks; m++) {
        text_add(w->out, "%s{ %" PRId64 ", {", m ? ", " : " ",
                 title->mark[m].first);
        for (int i = 0; i < w->depth; i++)
            text_add(w->out, "%s%" PRId64, i ? ", " : " ",
                     title->mark[m].step[i]);
        text_add(w->out, " } }");
    }
    text_add(w->out, " }");
}

static void tensor_c(struct walk *w, const struct param *p,
                     const struct title *outer, int base, int64_t offset)
{
    static const char *const packs[] = { "RNET_PACK_FLAT", "RNET_PACK_PANELS",
                                         "RNET_PACK_CONV" };
    static const char *const inits[] = { "RNET_INIT_CONSTANT",
                                         "RNET_INIT_NORMAL",
                                         "RNET_INIT_UNIFORM" };
    struct title title = *outer;
    struct arena *arena = w->c->arena;

    extend(w, &title, p->path, base);
    title.text = arena_format(arena, "%s%s%s", title.text,
                              *title.text ? "." : "", p->leaf);
    if (w->depth > LIMIT_NEST_REPEAT || title.marks > LIMIT_NEST_REPEAT
        || strlen(title.text) > LIMIT_NAME)
        w->too_deep = true;
    text_add(w->out, "    { .name = \"%s\", .pack = %s,\n      .groups = %d, "
             ".rank = %d, .shape = {", title.text, packs[p->pack], p->groups,
             p->shape.rank);
    for (int i = 0; i < p->shape.rank; i++)
        text_add(w->out, "%s%" PRId64, i ? ", " : " ", p->shape.axis[i]);
    text_add(w->out, " },\n      .offset = %" PRId64 ", .floats = %" PRId64,
             offset, p->floats);
    repeats_c(w, &title, p->trainable);
    text_add(w->out, ",\n      .trainable = %d, .decay = %d, .init = %s,\n"
             "      .mean = %s, .spread = %s },\n", p->trainable, p->decay,
             inits[p->init], number_c(arena, p->mean),
             number_c(arena, p->spread));
    w->rows++;
}

static void walk_region(struct walk *w, const struct region *r,
                        const struct title *title, int base, int64_t params,
                        int64_t state)
{
    for (const struct param *p = r->params; p; p = p->next)
        tensor_c(w, p, title, base,
                 (p->trainable ? params : state) + p->offset);
    for (const struct node *n = r->nodes.first; n; n = n->next) {
        struct title inner = *title;
        if (n->op == OP_CALL) {
            extend(w, &inner, n->call.path, base);
            walk_region(w, n->call.callee->body, &inner, w->depth,
                        params + n->call.params, state + n->call.state);
        } else if (n->op == OP_LOOP && w->depth < 16) {
            const struct region *body = n->loop.body;
            w->around[w->depth++] = (struct around) { n->loop.count,
                body->param_floats, body->state_floats };
            walk_region(w, body, title, base, params + n->loop.params,
                        state + n->loop.state);
            w->depth--;
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
                 ".classes = %" PRId64 ",\n      .rank = %d, .shape = {",
                 p->name, p->integer, p->target, p->value->classes,
                 shape->rank);
        for (int i = 0; i < shape->rank; i++)
            text_add(out, "%s%" PRId64, i ? ", " : " ", shape->axis[i]);
        text_add(out, "%s }, .size = %" PRId64 " },\n", shape->rank ? ""
                 : " 0", shape_size(shape));
    }
    text_add(out, "};\n\n");
    (void)c;
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
             "    return %s_INFER_BYTES(batch, threads);\n}\n\n", macro(c));
    if (trains(c))
        text_add(out, "static size_t train_bytes(size_t batch, int threads)\n"
                 "{\n    (void)batch;\n"
                 "    return %s_TRAIN_BYTES(batch, threads);\n}\n\n",
                 macro(c));
}

static void tensors_c(struct compilation *c, struct text *out, int *rows)
{
    struct walk walk = { .c = c, .out = out };
    struct title title = { .text = "" };

    text_add(out, "/* ---- the table ---- */\n\n"
             "static const struct rnet_tensor tensors[] = {\n");
    walk_region(&walk, c->network->main->body, &title, 0, 0,
                c->network->main->body->param_floats);
    if (!walk.rows)
        text_add(out, "    { .name = \"\", .rank = 0 },\n");
    text_add(out, "};\n\n");
    *rows = walk.rows;
    if (walk.too_deep)
        diag_error(c->diag, &c->network->main->decl->name_span,
                   "repeats around a parameter are nested above the limit of "
                   "%d, or its name is longer than %d bytes",
                   LIMIT_NEST_REPEAT, LIMIT_NAME);
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
             name_c(c), n->name, n->parameters, main->param_floats,
             main->param_floats + main->state_floats, rows,
             count_ports(n->inputs), count_ports(n->outputs));
    if (trains(c))
        text_add(out, "    .train_bytes = train_bytes,\n");
    text_add(out, "    .infer = infer_by_table,\n");
    if (trains(c))
        text_add(out, "    .train = train_by_table,\n");
    text_add(out, "};\n\nenum rnet_status %s_init(float *params, uint64_t "
             "seed)\n{\n    return rnet_init_params(&%s, params, seed);\n}\n",
             name_c(c), name_c(c));
}
