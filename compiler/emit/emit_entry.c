/* emit_entry.c: entry points: everything the caller passes is checked, then
 * the passes run and cannot fail. */
#include "writer.h"

#include <inttypes.h>
#include <string.h>

/* Largest batch for which no size overflows. */
static int64_t max_batch(struct compilation *c)
{
    int64_t worker, batch = (int64_t)1 << 30;
    struct form_size size = total_size(c, trains(c), &worker);

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

static const char *samples_c(struct compilation *c, int64_t size)
{
    return size == 1 ? "batch"
         : arena_format(c->arena, "batch * %" PRId64, size);
}

static void check_graphs(struct compilation *c, struct text *out,
                         bool training)
{
    for (const struct port *p = c->network->inputs; p; p = p->next)
        if (p->graph)
            text_add(out, "    status = rnet_check_graph(%s, batch, %d);\n"
                     "    if (status != RNET_OK)\n        return status;\n",
                     identifier(c->arena, p->name), training);
}

static void check_indices(struct compilation *c, struct text *out,
                          bool training)
{
    for (const struct port *p = c->network->inputs; p; p = p->next)
        if (p->integer && (training || !p->target))
            text_add(out, "    status = rnet_check_%s(%s, %s, %" PRId64 "%s"
                     ");\n    if (status != RNET_OK)\n        return status;"
                     "\n", p->ignores ? "labels" : "indices",
                     identifier(c->arena, p->name),
                     samples_c(c, shape_size(&p->value->shape)),
                     p->value->classes, p->ignores
                     ? arena_format(c->arena, ", %" PRId64, p->ignore) : "");
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
             "    if (status != RNET_OK)\n        return status;\n", macro_c(c),
             bytes);
    text_add(out, "    if ((status = rnet_check_array(params)) != RNET_OK)\n"
             "        return status;\n");
    if (training && c->optimizer)
        text_add(out, "    if ((status = rnet_check_%s(optimizer)) != RNET_OK)"
                 "\n        return status;\n", optimizer_type(c) + 5);
    else if (training)
        text_add(out, "    if ((status = rnet_check_array(grads)) != RNET_OK)"
                 "\n        return status;\n");
    check_pointers(c, out, training);
    check_indices(c, out, training);
    check_graphs(c, out, training);
}

/* Kernels find graphs in the run: blocks and repeats need not hand them on. */
static void give_graphs(struct compilation *c, struct text *out)
{
    const char *list = "";

    for (const struct port *p = c->network->inputs; p; p = p->next)
        if (p->graph)
            list = arena_format(c->arena, "%s%s%s", list, *list ? ", " : "",
                                identifier(c->arena, p->name));
    if (*list)
        text_add(out, "    run->graphs = (const struct rnet_graph *const[]) "
                 "{ %s };\n", list);
}

static void begin_run(struct compilation *c, struct text *out, bool training)
{
    int64_t worker, shared;

    kernel_scratch(c->network, training, &worker, &shared);
    bool steps = training && c->optimizer;
    text_add(out, "    struct rnet_run here, *run = &here;\n%s"
             "    float *memory = (float *)work->memory;\n\n"
             "    rnet_begin(run, work, batch, %d);\n",
             steps ? "    struct rnet_update update;\n" : "", training);
    if (steps)
        text_add(out, "    rnet_begin_%s(run, &update, optimizer, params);\n",
                 optimizer_type(c) + 5);
    text_add(out, "    run->scratch = memory;\n"
             "    run->scratch_floats = %" PRId64 ";\n"
             "    run->workers = memory + %" PRId64 ";\n"
             "    run->worker_floats = %" PRId64 ";\n", shared, shared,
             worker + WORKER_FLOATS);
    give_graphs(c, out);
}

static void pass_call(struct compilation *c, struct text *out, enum mode mode)
{
    const struct region *r = c->network->main->body;
    struct call call;
    static const char *const names[] = { "infer", "forward", "backward" };

    call_begin(&call, out, 4, arena_format(c->arena, "%s_%s_pass", network_c(c),
                                           names[mode]));
    call_argument(&call, "run");
    if (r->param_floats)
        call_argument(&call, "params");
    if (takes_grads(r, mode))
        call_argument(&call, "grads");
    if (takes_state(r, mode))
        call_argument(&call, "params + %s_GRAD_FLOATS", macro_c(c));
    if (r->keys && mode != MODE_INFER)
        call_argument(&call, "0");
    if (r->schedule[mode]->numbers)
        call_argument(&call, "numbers");
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
        if (!p->graph)
            call_argument(&call, "%s", p->target && mode == MODE_INFER
                          ? "NULL" : identifier(c->arena, p->name));
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
    int64_t held = held_grads(c, training);
    if (held)
        text_add(out, "    float *const grads = memory;\n"
                 "    memory += %" PRId64 ";\n", held);
    if (training) {
        pass_call(c, &calls, MODE_TRAIN);
        text_add(&calls, "    *loss = 0;\n");
        if (held)
            text_add(&calls, "    rnet_clear(grads, %" PRId64 ");\n", held);
        pass_call(c, &calls, MODE_BACKWARD);
        if (held)
            text_add(&calls, "    rnet_update_rest(run, &%s, grads);\n",
                     network_c(c));
        if (c->optimizer)
            text_add(&calls, "    optimizer->step++;\n");
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
    prototype_c(c, out, training);
    text_add(out, "\n{\n");
    checks(c, out, training);
    if (training)
        text_add(out, "    if (batch == 0) {\n        *loss = 0;\n"
                 "        return RNET_OK;\n    }\n");
    else
        text_add(out, "    if (batch == 0)\n        return RNET_OK;\n");
    begin_run(c, out, training);
    run_passes(c, out, training);
    text_add(out, "    rnet_end(run);\n    return RNET_OK;\n}\n\n");
}

static void generic_arguments(struct compilation *c, struct call *call,
                              bool training)
{
    int k = 0;

    for (const struct port *p = c->network->inputs; p; p = p->next, k++)
        if (training || !p->target)
            call_argument(call, "(const %s *)inputs[%d]", port_type_c(p),
                          k);
    k = 0;
    for (const struct port *p = c->network->outputs; p; p = p->next, k++)
        call_argument(call, training ? "outputs ? outputs[%d] : NULL"
                      : "outputs[%d]", k);
    if (!training)
        return;
    call_argument(call, "loss");
    call_argument(call, c->optimizer ? "(struct %s *)optimizer" : "grads",
                  optimizer_type(c));
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
    const char *word = entry_word(c, training);

    text_add(out, "static enum rnet_status %s_by_table(%sfloat *params,\n"
             "    const void *const *inputs, float *const *outputs,%s\n"
             "    size_t batch, struct rnet_work *work)\n{\n", word,
             training ? "" : "const ", !training ? "" : c->optimizer
             ? " float *loss,\n    void *optimizer, float *const *input_grads,"
             : " float *loss,\n    float *grads, float *const *input_grads,");
    if (training)
        text_add(out, "    (void)input_grads;\n    if (!inputs)\n"
                 "        return RNET_NULL;\n");
    else
        text_add(out, "    if (!inputs || !outputs)\n"
                 "        return RNET_NULL;\n");
    call_begin(&call, out, 4, arena_format(c->arena, "return %s_%s",
                                           network_c(c), word));
    call_argument(&call, "params");
    generic_arguments(c, &call, training);
    call_argument(&call, "batch");
    call_argument(&call, "work");
    call_end(&call);
    text_add(out, "}\n\n");
}

static const char *worker_assert(struct compilation *c, const struct conv *v,
                                 int64_t worker)
{
    return arena_format(c->arena, "_Static_assert(RNET_CONV_WORKER_FLOATS(%"
        PRId64 ", %" PRId64 ", %" PRId64 ",\n    %" PRId64 ", %" PRId64 ", %"
        PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %"
        PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ")\n    <= %" PRId64
        ", \"librnet needs more scratch than rnetc knows\");\n",
        v->height, v->width, v->in, v->out_height, v->out_width, v->out,
        v->kernel_height, v->kernel_width, v->dilation_y, v->dilation_x,
        v->top, v->left, v->bottom, v->right, worker);
}

/* macro: RNET_CONV_SCRATCH_FLOATS, RNET_CONV_WEIGHTS */
static const char *shared_assert(struct compilation *c, const char *macro,
                                 const struct conv *v, int64_t shared)
{
    return arena_format(c->arena, "_Static_assert(%s(%" PRId64 ", %" PRId64
        ", %" PRId64 ", %" PRId64 ", %" PRId64 ")\n    <= %" PRId64
        ", \"librnet needs more scratch than rnetc knows\");\n", macro, v->in,
        v->out, v->kernel_height, v->kernel_width, v->groups, shared);
}

static const char *attention_assert(struct compilation *c, int64_t head,
                                    bool training, int64_t worker)
{
    return arena_format(c->arena, "_Static_assert(RNET_ATTENTION_%sFLOATS(%"
        PRId64 ")\n    <= %" PRId64 ", \"librnet needs more scratch than "
        "rnetc knows\");\n", training ? "GRAD_" : "", head,
        WORKER_FLOATS + worker);
}

static void add_once(struct text *out, const char *line)
{
    if (!out->data || !strstr(out->data, line))
        text_add(out, "%s", line);
}

/* What a node needs beyond what every kernel may count on. */
static void node_asserts(struct compilation *c, struct text *out,
                         const struct node *n, int64_t worker, int64_t shared)
{
    if (n->op == OP_ATTENTION || n->op == OP_ATTENTION_GRAD)
        add_once(out, attention_assert(c, n->set.n[4],
                                       n->op == OP_ATTENTION_GRAD, worker));
    if (op_row(n->op)->traits & CONVOLVES)
        add_once(out, worker_assert(c, &n->conv, worker));
    if (n->op == OP_UPCONV)
        add_once(out, shared_assert(c, "RNET_CONV_WEIGHTS", &n->conv, shared));
    if (n->op == OP_CONV_GRAD)
        add_once(out, shared_assert(c, steps_weight(n)
                                    ? "RNET_CONV_STEP_FLOATS"
                                    : "RNET_CONV_SCRATCH_FLOATS", &n->conv,
                                    shared));
}

/* The nodes that sizes.c (list_scratch) looks at. */
static void assert_scratch(struct compilation *c, struct text *out,
                           const struct list *list, int64_t worker,
                           int64_t shared)
{
    for (const struct node *n = list->first; n; n = n->next) {
        if (n->op == OP_LOOP || n->op == OP_LOOP_GRAD)
            assert_scratch(c, out, n->op == OP_LOOP ? &n->loop.body->nodes
                           : &n->loop.body->backward, worker, shared);
        node_asserts(c, out, n, worker, shared);
    }
}

static void scratch_asserts(struct compilation *c, struct text *out)
{
    int64_t worker, shared;
    struct text lines = { 0 };

    kernel_scratch(c->network, trains(c), &worker, &shared);
    for (const struct function *f = c->network->functions; f; f = f->next)
        for (int grad = 0; grad < (trains(c) ? 2 : 1); grad++)
            assert_scratch(c, &lines, grad ? &f->body->backward
                           : &f->body->nodes, worker, shared);
    if (lines.length)
        text_add(out, "%s\n", lines.data);
    text_free(&lines);
}

/* After the passes, whose parameters have the same name. */
static void emit_numbers(struct compilation *c, struct text *out)
{
    int64_t count = c->network->main->body->numbers;
    int column = 0;

    if (!count)
        return;
    text_add(out, "/* What varies from one run of a block or repeat to the "
             "next. */\nstatic const float numbers[] = {");
    for (int64_t i = 0; i < count; i++) {
        const char *number = number_c(c->arena, c->network->numbers[i]);
        int length = (int)strlen(number) + 2;
        bool wrap = i == 0 || column + length > 78;
        column = (wrap ? 3 : column) + length;
        text_add(out, "%s%s,", wrap ? "\n    " : " ", number);
    }
    text_add(out, "\n};\n\n");
}

void emit_entry_points(struct compilation *c, struct text *out)
{
    emit_numbers(c, out);
    text_add(out, "/* ---- entry points ---- */\n\n");
    text_add(out, "_Static_assert(RNET_WORKER_FLOATS == %d,\n"
             "               \"librnet and rnetc do not belong together\");"
             "\n", WORKER_FLOATS);
    scratch_asserts(c, out);
    entry_point(c, out, false);
    generic_entry(c, out, false);
    if (trains(c)) {
        entry_point(c, out, true);
        generic_entry(c, out, true);
    }
}
