/* emit_block.c: a function of C for each block and mode, forward beside
 * backward.  Requires: schedules and places. */
#include "writer.h"

#include <inttypes.h>
#include <string.h>

/* ---- calls of blocks ---- */

bool takes_params(const struct region *r)
{
    return r->param_floats > 0;
}

bool takes_grads(const struct region *r, enum mode mode)
{
    return r->grad_floats > 0 && mode == MODE_BACKWARD;
}

const char *params_const(const struct compilation *c, enum mode mode)
{
    return c->optimizer && mode == MODE_BACKWARD ? "" : "const ";
}

bool takes_state(const struct region *r, enum mode mode)
{
    return r->state_floats > 0 && (mode != MODE_BACKWARD || r->state_again);
}
bool takes_key(const struct region *r, enum mode mode)
{
    return r->keys > 0 && mode != MODE_INFER;
}
bool takes_numbers(const struct region *r, enum mode mode)
{
    return r->schedule[mode]->numbers;
}
bool takes_saved(const struct region *r, enum mode mode)
{
    return mode != MODE_INFER && !form_zero(&r->schedule[MODE_TRAIN]->saved);
}
bool takes_scratch(const struct region *r, enum mode mode)
{
    return !form_zero(&r->schedule[mode]->scratch);
}

static const char *const mode_names[] = { "infer", "forward", "backward" };

const char *function_c(struct writer *w, const struct function *f)
{
    if (f == w->c->network->main)
        return arena_format(w->c->arena, "%s_%s_pass", network_c(w->c),
                            mode_names[w->mode]);
    return arena_format(w->c->arena, "%s_%s",
                        identifier(w->c->arena, f->name),
                        mode_names[w->mode]);
}

const char *number_offset(struct writer *w, const char *base,
                          int64_t offset)
{
    return offset ? arena_format(w->c->arena, "%s + %" PRId64, base, offset)
                  : base;
}

const char *inner_scratch(struct writer *w)
{
    return at(w, w->scratch, form_c(w->c, &w->region->schedule[w->mode]
                                           ->frame));
}

/* What the block would run again for its gradient is not run again here. */
static void forward_only_c(struct writer *w, const struct node *n,
                           const char *what)
{
    if (w->mode == MODE_TRAIN && !n->graded
        && n->call.callee->body->state_again)
        text_add(w->out, "%*srnet_%s_forward_only(run);\n", w->indent, "",
                 what);
}

static void block_call_c(struct writer *w, const struct kernel *k)
{
    const struct node *n = k->anchor, *forward = n->call.forward;
    const struct region *r = n->call.callee->body;
    const struct shared_weights *weights = n->call.weights;
    const struct writer *home = weights ? writer_of(w, weights->region) : w;
    struct call call;

    forward_only_c(w, n, "begin");
    call_begin(&call, w->out, w->indent, function_c(w, n->call.callee));
    call_argument(&call, "run");
    if (takes_params(r))
        call_argument(&call, "%s", number_offset(w, home->params,
                                                 n->call.params));
    if (takes_grads(r, w->mode))
        call_argument(&call, "%s", number_offset(w, home->grads,
                                                 forward->call.grads));
    if (takes_state(r, w->mode))
        call_argument(&call, "%s", number_offset(w, home->state,
                                                 n->call.state));
    if (takes_key(r, w->mode))
        call_argument(&call, "%s", number_offset(w, w->key, n->call.keys));
    if (takes_numbers(r, w->mode))
        call_argument(&call, "%s", number_offset(w, w->numbers,
                                                 n->call.numbers));
    if (takes_saved(r, w->mode))
        call_argument(&call, "%s", at(w, w->saved,
                                      form_c(w->c, forward->call.saved)));
    if (takes_scratch(r, w->mode))
        call_argument(&call, "%s", inner_scratch(w));
    if (w->mode == MODE_BACKWARD && r->input_needed[0])
        call_argument(&call, "%s", value_c(w, n->in[1]));
    if (w->mode == MODE_BACKWARD && r->output_needed[0])
        call_argument(&call, "%s", value_c(w, n->in[2]));
    call_argument(&call, "%s", value_c(w, n->in[0]));
    if (n->outs)
        call_argument(&call, "%s", value_c(w, n->out[0]));
    call_end(&call);
    forward_only_c(w, n, "end");
}

/* ---- regions ---- */

static void one_kernel(struct writer *w, const struct kernel *k)
{
    const struct node *n = k->anchor;

    if (n && (n->op == OP_CALL || n->op == OP_CALL_GRAD))
        block_call_c(w, k);
    else if (n && (n->op == OP_LOOP || n->op == OP_LOOP_GRAD))
        loop_c(w, k);
    else
        kernel_c(w, k);
}

static bool does_nothing(const struct kernel *k)
{
    const struct node *n = k->anchor;

    if (!n)
        return k->steps.count == 0;
    return (n->op == OP_LINEAR_DX || n->op == OP_POOL_GRAD
            || n->op == OP_PACK || n->op == OP_UNPACK)
        && k->steps.count == 0;
}

static const char *condition(struct writer *w, const struct kernel *k)
{
    if (k->optional || (k->port && w->mode == MODE_BACKWARD)) {
        const char *text = "";
        for (const struct port *p = w->c->network->inputs; p; p = p->next)
            if (wants_grad(p) && (!k->port || k->port == p))
                text = arena_format(w->c->arena, "%s%s%s", text,
                    *text ? " || " : "", port_c(w->c, arena_format(
                        w->c->arena, "%s_grad", p->name)));
        return text;
    }
    return k->port ? port_c(w->c, k->port->name) : "";
}

void schedule_c(struct writer *w, const struct region *region)
{
    const struct schedule *s = region->schedule[w->mode];
    const char *open = "";

    for (int i = 0; i < s->count; i++) {
        const struct kernel *k = &s->kernel[i];
        if (does_nothing(k))
            continue;
        const char *test = condition(w, k);
        if (*open && strcmp(open, test)) {
            w->indent -= 4;
            text_add(w->out, "%*s}\n", w->indent, "");
        }
        if (*test && strcmp(open, test)) {
            text_add(w->out, "%*sif (%s) {\n", w->indent, "", test);
            w->indent += 4;
        }
        open = test;
        one_kernel(w, k);
    }
    if (*open) {
        w->indent -= 4;
        text_add(w->out, "%*s}\n", w->indent, "");
    }
}

/* ---- functions ---- */

static void port_parameters(struct compilation *c, struct call *call,
                            enum mode mode)
{
    for (const struct port *p = c->network->inputs; p; p = p->next)
        if (!p->graph)
            call_argument(call, "const %s *%s", port_type_c(p),
                          port_c(c, p->name));
    for (const struct port *p = c->network->outputs; p; p = p->next)
        if (mode != MODE_BACKWARD)
            call_argument(call, "float *%s", port_c(c, p->name));
    if (mode != MODE_BACKWARD)
        return;
    call_argument(call, "float *loss");
    for (const struct port *p = c->network->inputs; p; p = p->next)
        if (wants_grad(p))
            call_argument(call, "float *%s", port_c(c,
                          arena_format(c->arena, "%s_grad", p->name)));
}

static void block_parameters(struct call *call, const struct region *r,
                             enum mode mode)
{
    bool backward = mode == MODE_BACKWARD;

    if (backward && r->input_needed[0])
        call_argument(call, "const float *x");
    if (backward && r->output_needed[0])
        call_argument(call, "const float *y");
    call_argument(call, backward ? "const float *dy" : "const float *x");
    if (!backward)
        call_argument(call, "float *y");
    else if (r->grads[0])
        call_argument(call, "float *dx");
}

void emit_signature(struct compilation *c, struct text *out,
                    const struct function *f, enum mode mode)
{
    const struct region *r = f->body;
    struct writer w = { .c = c, .mode = mode };
    struct call call;

    text_add(out, "static ");
    call_begin(&call, out, 0, arena_format(c->arena, "void %s",
                                           function_c(&w, f)));
    call.indent += 7;
    call.column += 7;
    call_argument(&call, "const struct rnet_run *run");
    if (takes_params(r))
        call_argument(&call, "%sfloat *params", params_const(c, mode));
    if (takes_grads(r, mode))
        call_argument(&call, "float *grads");
    if (takes_state(r, mode))
        call_argument(&call, mode == MODE_INFER ? "const float *state"
                      : "float *state");
    if (takes_key(r, mode))
        call_argument(&call, "long key");
    if (takes_numbers(r, mode))
        call_argument(&call, "const float *numbers");
    if (takes_saved(r, mode))
        call_argument(&call, "float *saved");
    if (takes_scratch(r, mode))
        call_argument(&call, "float *scratch");
    if (f == c->network->main)
        port_parameters(c, &call, mode);
    else
        block_parameters(&call, r, mode);
    text_add(out, ")\n");
}

static void unused(struct text *out, const char *text, const char *name,
                   bool parameter)
{
    if (parameter && !has_word(text, name))
        text_add(out, "    (void)%s;\n", name);
}

static void declare_strips(struct compilation *c, struct text *out,
                           const char *text)
{
    const struct units *units = c->network->units;

    for (int i = 0; i < units->count; i++) {
        int64_t rows = units->rows[i];
        const char *name = rows == 1 ? "strips"
            : arena_format(c->arena, "strips_%" PRId64, rows);
        if (has_word(text, name) && rows == 1)
            text_add(out, "    const long strips = "
                     "RNET_STRIP_COUNT(run->batch);\n");
        else if (has_word(text, name))
            text_add(out, "    const long %s = RNET_STRIP_COUNT(%" PRId64
                     " * run->batch);\n", name, rows);
    }
}

static void mark_unused(struct compilation *c, struct text *out,
                        const struct function *f, enum mode mode,
                        const char *text)
{
    const struct region *r = f->body;
    bool backward = mode == MODE_BACKWARD;

    unused(out, text, "run", true);
    unused(out, text, "params", takes_params(r));
    unused(out, text, "grads", takes_grads(r, mode));
    unused(out, text, "state", takes_state(r, mode));
    unused(out, text, "key", takes_key(r, mode));
    unused(out, text, "numbers", takes_numbers(r, mode));
    unused(out, text, "saved", takes_saved(r, mode));
    unused(out, text, "scratch", takes_scratch(r, mode));
    if (f != c->network->main) {
        unused(out, text, "x", !backward || r->input_needed[0]);
        unused(out, text, "y", !backward || r->output_needed[0]);
        unused(out, text, "dx", backward && r->grads[0]);
        unused(out, text, "dy", backward);
        return;
    }
    for (const struct port *p = c->network->inputs; p; p = p->next) {
        unused(out, text, port_c(c, p->name), !p->graph);
        if (backward && wants_grad(p))
            unused(out, text, port_c(c, arena_format(c->arena, "%s_grad",
                                                     p->name)), true);
    }
    for (const struct port *p = c->network->outputs; p; p = p->next)
        unused(out, text, port_c(c, p->name), !backward);
}

/* The header's macros, whose names a user's in capitals may have. */
static void macro_names(struct writer *w)
{
    struct arena *arena = w->c->arena;
    const char *prefix = macro_c(w->c);

    for (const struct knob *k = w->c->network->knobs; k; k = k->next)
        unique(w, arena_format(arena, "%s_%s", prefix, upper(arena, k->name)));
}

static void reserve_names(struct writer *w)
{
    static const char *const names[] = { "run", "params", "grads", "state",
        "key", "numbers", "saved", "scratch", "x", "y", "dx", "dy", "loss", "strips",
        "tensors", "inputs", "outputs", "infer_bytes", "train_bytes" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unique(w, names[i]);
    unique(w, network_c(w->c));
    for (const struct shape_name *s = w->c->network->shapes; s; s = s->next)
        unique(w, s->name);
    macro_names(w);
    for (const struct port *p = w->c->network->inputs; p; p = p->next) {
        unique(w, port_c(w->c, p->name));
        unique(w, arena_format(w->c->arena, "%s_grad", p->name));
    }
    for (const struct port *p = w->c->network->outputs; p; p = p->next)
        unique(w, port_c(w->c, p->name));
}

static void emit_function(struct compilation *c, struct text *out,
                          const struct function *f, enum mode mode)
{
    struct text statements = { 0 }, body = { 0 };
    struct arena for_names = { 0 };
    struct names taken_names = { .arena = &for_names };
    struct writer w = { .names = &taken_names, .c = c, .function = f, .mode = mode,
        .out = &statements, .indent = 4, .params = "params", .grads = "grads",
        .state = "state", .key = "key", .numbers = "numbers",
        .saved = "saved", .scratch = "scratch", .region = f->body, .x = "x", .y = "y",
        .dx = "dx", .dy = "dy" };

    reserve_names(&w);
    schedule_c(&w, f->body);
    declare_values(&w, &body, 0);
    text_put(&body, statements.data, statements.length);
    const char *text = body.data;
    emit_signature(c, out, f, mode);
    text_add(out, "{\n");
    declare_strips(c, out, text);
    mark_unused(c, out, f, mode, text);
    text_put(out, text, body.length);
    text_add(out, "}\n\n");
    text_free(&statements);
    text_free(&body);
    arena_release(&for_names);
}

/* ---- all of them ---- */

static void name_params(struct compilation *c, const struct function *f,
                        const struct region *region, struct text *out,
                        struct writer *w)
{
    for (struct param *p = region->params; p; p = p->next) {
        const char *name = upper(c->arena, arena_format(c->arena, "%s_%s",
                                 identifier(c->arena, f->name),
                                 param_text(c, p)));
        p->constant = unique(w, name);
        text_add(out, "    %s = %" PRId64 ",\n", p->constant, p->offset);
    }
    for (const struct node *n = region->nodes.first; n; n = n->next)
        if (n->op == OP_LOOP)
            name_params(c, f, n->loop.body, out, w);
}

static void emit_params(struct compilation *c, struct text *out,
                        const struct function *f, struct writer *w)
{
    struct text names = { 0 };

    name_params(c, f, f->body, &names, w);
    if (names.length)
        text_add(out, "enum {           /* where its parameters lie, in "
                 "floats */\n%.*s};\n\n", (int)names.length, names.data);
    text_free(&names);
}

/* The block as the user wrote it, as a comment. */
static void quote(struct text *out, const char *text, uint32_t length)
{
    for (const char *end = text + length; text < end;) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t bytes = (size_t)((stop ? stop : end) - text);

        text_add(out, " *     ");
        comment_text(out, text, bytes);
        text_add(out, "\n");
        text += bytes + 1;
    }
}

/* The block's text, but once, and what it is applied to. */
static void emit_title(struct compilation *c, struct text *out,
                       const struct function *f)
{
    const struct span *span = &f->decl->span;
    const struct source *source = &c->diag->sources[span->file];
    const struct function *first = c->network->functions;
    const char *path = strrchr(source->path, '/');

    path = path ? path + 1 : source->path;
    while (first->decl != f->decl)
        first = first->next;
    text_add(out, "/* ---- %s (", f->name);
    comment_text(out, path, strlen(path));
    text_add(out, ":%d)", diag_line(c->diag, *span));
    if (f != c->network->main)
        text_add(out, " of %s", shape_text(c, &f->body->inputs[0]->shape));
    if (first == f) {
        text_add(out, " ----\n *\n");
        quote(out, source->text + span->begin, span->end - span->begin);
    } else {
        text_add(out, ", as %s ----", first->name);
    }
    text_add(out, " */\n\n");
}

void emit_functions(struct compilation *c, struct text *out)
{
    struct names taken_names = { .arena = c->arena };
    struct writer names = { .c = c, .names = &taken_names };
    int shapes = 0;

    macro_names(&names);
    for (const struct function *f = c->network->functions; f; f = f->next)
        emit_shapes(c, out, &f->body->nodes, &shapes);
    if (shapes)
        text_add(out, "\n");
    for (const struct function *f = c->network->functions; f; f = f->next) {
        emit_title(c, out, f);
        emit_params(c, out, f, &names);
        for (int mode = 0; mode < MODES; mode++)
            if (f->body->schedule[mode])
                emit_function(c, out, f, (enum mode)mode);
    }
}
