/* summary.c: --summary, a table of the network's layers.  Requires: plans.
 *
 * A row is a layer, or a block above its own; a repeat is one row "N x", which
 * counts all N, and the rows below it one.  A block that is called again is
 * not opened again.  Parameters are those that are trained, shared ones at
 * their first use; multiply-adds are those of convolutions and linear layers
 * for one sample in inference, without biases. */
#include "summary.h"

#include "label.h"
#include "schedule.h"

#include <inttypes.h>
#include <string.h>

struct row {
    int depth;
    int64_t times;              /* 1: not a repeat */
    const char *label, *op;
    const struct shape *shape;  /* NULL: none */
    int64_t params, macs;
    bool again;                 /* a block whose layers stand above */
};

struct known { const struct function *function; int64_t macs; bool shown; };

struct table {
    struct compilation *c;
    struct row *row; int count; size_t size;
    struct known *known; int known_count; size_t known_size;
    const void **met; int met_count; size_t met_size;   /* shared parameters */
    struct repeats repeats;
    bool overflow;
};

/* ---- counting ---- */

static int64_t times(struct table *t, int64_t a, int64_t b)
{
    int64_t product = 0;
    t->overflow |= !mul_size(a, b, &product);
    return product;
}

static int64_t plus(struct table *t, int64_t a, int64_t b)
{
    int64_t sum = 0;
    t->overflow |= !add_size(a, b, &sum);
    return sum;
}

static struct known *known(struct table *t, const struct function *function)
{
    int i = t->known_count - 1;

    while (i > 0 && t->known[i].function != function)
        i--;
    return &t->known[i];
}

static int64_t list_macs(struct table *t, const struct list *list);

static int64_t node_macs(struct table *t, const struct node *n)
{
    switch (n->op) {
    case OP_LINEAR:
    case OP_CONV:               /* each weight once an output row or pixel */
        return times(t, n->param[0]->size, n->out[0]->rows);
    case OP_UPCONV:             /* and here once an input pixel */
        return times(t, n->param[0]->size, n->in[0]->rows);
    case OP_CALL:
        return known(t, n->call.callee)->macs;
    case OP_LOOP:
        return times(t, n->loop.count, list_macs(t, &n->loop.body->nodes));
    default:
        return n->macs;
    }
}

static int64_t list_macs(struct table *t, const struct list *list)
{
    int64_t sum = 0;

    for (const struct node *n = list->first; n; n = n->next)
        if (n->inferred)
            sum = plus(t, sum, node_macs(t, n));
    return sum;
}

/* Callees come first. */
static void count_functions(struct table *t)
{
    for (const struct function *f = t->c->network->functions; f; f = f->next) {
        int64_t macs = list_macs(t, &f->body->nodes);
        GROW_IN(t->c->arena, t->known, t->known_size, t->known_count);
        t->known[t->known_count++] = (struct known) { f, macs, false };
    }
}

/* Shared parameters count where they are met first. */
static bool met_before(struct table *t, const void *shared)
{
    for (int i = 0; i < t->met_count; i++)
        if (t->met[i] == shared)
            return true;
    GROW_IN(t->c->arena, t->met, t->met_size, t->met_count);
    t->met[t->met_count++] = shared;
    return false;
}

static int64_t own_params(struct table *t, const struct node *n)
{
    int64_t sum = 0;

    for (int i = 0; i < NODE_PARAMS; i++)
        if (n->param[i] && n->param[i]->trainable
            && (!n->param[i]->shared || !met_before(t, n->param[i])))
            sum += n->param[i]->size;
    return sum;
}

static int64_t call_params(struct table *t, const struct node *n,
                           int64_t count)
{
    const struct shared_weights *weights = n->call.weights;
    int64_t scalars = n->call.callee->body->scalars;

    if (!weights)
        return times(t, count, scalars);
    if (met_before(t, weights))
        return 0;
    return times(t, weights->region == n->region ? count : 1, scalars);
}

/* ---- rows ---- */

static void walk(struct table *t, const struct list *list, int depth);

static struct row *add_row(struct table *t, int depth, const char *label,
                           const struct node *n)
{
    GROW_IN(t->c->arena, t->row, t->size, t->count);
    struct row *row = &t->row[t->count++];

    *row = (struct row) {
        .depth = depth, .times = 1, .label = label, .op = op_name(n->op),
        .shape = n->outs ? &n->out[0]->shape : NULL,
        .params = own_params(t, n), .macs = node_macs(t, n),
    };
    return row;
}

static void add_call(struct table *t, const struct node *n, int depth,
                     int64_t count)
{
    const struct region *body = n->call.callee->body;
    struct known *callee = known(t, n->call.callee);
    const char *label = path_text(t->c, &t->repeats, n->call.path);
    struct row *row = add_row(t, depth, label, n);

    row->times = count;
    row->params = call_params(t, n, count);
    row->macs = times(t, count, row->macs);
    row->again = callee->shown;
    callee->shown = true;
    if (row->again)
        return;
    struct repeats outer = t->repeats;
    t->repeats.count = 0;
    walk(t, &body->nodes, depth + 1);
    t->repeats = outer;
}

static void add_loop(struct table *t, const struct node *n, int depth)
{
    const struct region *body = n->loop.body;
    const struct node *call = lone_call(&body->nodes);

    if (n->loop.count == 1) {
        walk(t, &body->nodes, depth);
        return;
    }
    t->repeats.times[t->repeats.count++] = n->loop.count;
    if (call) {
        add_call(t, call, depth, n->loop.count);
    } else {
        struct row *row = add_row(t, depth, "", n);
        row->times = n->loop.count;
        row->params = times(t, n->loop.count, body->scalars);
        walk(t, &body->nodes, depth + 1);
    }
    t->repeats.count--;
}

/* The shape that counts is the one after the pool's reshape. */
static bool shown_above(const struct table *t, const struct node *n)
{
    return ends_pool(n) && t->count
        && t->row[t->count - 1].shape == &n->in[0]->shape;
}

static void walk(struct table *t, const struct list *list, int depth)
{
    for (const struct node *n = list->first; n; n = n->next) {
        if (is_hidden(n))
            continue;
        if (shown_above(t, n))
            t->row[t->count - 1].shape = &n->out[0]->shape;
        else if (n->op == OP_CALL)
            add_call(t, n, depth, 1);
        else if (n->op == OP_LOOP)
            add_loop(t, n, depth);
        else
            add_row(t, depth, layer_text(t->c, &t->repeats, n), n);
    }
}

/* ---- totals ---- */

struct totals {
    int64_t params, macs, param_bytes, infer_bytes;
    int64_t train_bytes;        /* -1: it has no loss */
};

static bool trains(const struct network *network)
{
    return network->main->body->schedule[MODE_BACKWARD] != NULL;
}

/* NAME_INFER_BYTES and NAME_TRAIN_BYTES of the emitted header. */
static int64_t work_bytes(struct table *t, bool training, int64_t batch,
                          int threads)
{
    const struct network *network = t->c->network;
    struct schedule *const *schedule = network->main->body->schedule;
    int64_t worker, shared, floats;
    struct form_size size = schedule[MODE_INFER]->scratch;

    kernel_scratch(network, training, &worker, &shared);
    if (training)
        size = form_add(schedule[MODE_TRAIN]->saved,
                        form_max(schedule[MODE_TRAIN]->scratch,
                                 schedule[MODE_BACKWARD]->scratch));
    size.constant += shared;
    for (int i = 0; i < UNITS; i++)
        times(t, size.per_strips[i], times(t, network->units->rows[i] + 1,
                                           4 * UNITS * batch));
    times(t, size.per_sample, 16 * batch);
    if (t->overflow)
        return 0;
    floats = form_floats(&size, network->units, batch);
    floats = plus(t, floats, (worker + WORKER_FLOATS) * threads);
    return times(t, floats, 4);
}

static struct totals count_all(struct table *t, const struct options *o)
{
    const struct network *network = t->c->network;
    const struct region *main = network->main->body;

    return (struct totals) {
        .params = network->parameters,
        .macs = known(t, network->main)->macs,
        .param_bytes = 4 * (main->param_floats + main->state_floats),
        .infer_bytes = work_bytes(t, false, o->infer_batch, o->threads),
        .train_bytes = trains(network)
            ? work_bytes(t, true, o->train_batch, o->threads) : -1,
    };
}

/* ---- as text ---- */

enum { NUMBER = 32 };

/* "269,722"; "-": none. */
static const char *grouped(int64_t n, char text[NUMBER])
{
    char digits[NUMBER];
    int length = snprintf(digits, sizeof digits, "%" PRId64, n), end = 0;

    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            text[end++] = ',';
        text[end++] = digits[i];
    }
    text[end] = '\0';
    return n ? text : "-";
}

static const char *row_text(struct table *t, const struct row *row)
{
    struct arena *arena = t->c->arena;
    const char *count = row->times == 1 ? ""
        : arena_format(arena, "%" PRId64 " x%s", row->times,
                       *row->label ? " " : "");

    return arena_format(arena, "%*s%s%s%s", 2 * row->depth, "", count,
                        row->label, row->again ? " (as above)" : "");
}

static void line(struct text *out, const int width[2], const char *label,
                 const char *shape, const char *params, const char *macs)
{
    text_add(out, "%-*s  %-*s  %13s  %17s\n", width[0], label, width[1], shape,
             params, macs);
}

static void rule(struct text *out, const int width[2])
{
    for (int i = width[0] + width[1] + 36; i > 0; i--)
        text_put(out, "-", 1);
    text_put(out, "\n", 1);
}

static void print_rows(struct table *t, struct text *out)
{
    const char *const heads[] = { "Layer", "Output" };
    int width[2] = { 24, (int)strlen(heads[1]) };
    char params[NUMBER], macs[NUMBER];

    for (int i = 0; i < t->count; i++) {
        const struct row *row = &t->row[i];
        int label = (int)strlen(row_text(t, row));
        int shape = row->shape ? (int)strlen(shape_text(t->c, row->shape)) : 0;
        width[0] = label > width[0] ? label : width[0];
        width[1] = shape > width[1] ? shape : width[1];
    }
    line(out, width, heads[0], heads[1], "Parameters", "Multiply-adds");
    rule(out, width);
    for (int i = 0; i < t->count; i++) {
        const struct row *row = &t->row[i];
        line(out, width, row_text(t, row),
             row->shape ? shape_text(t->c, row->shape) : "",
             grouped(row->params, params), grouped(row->macs, macs));
    }
    rule(out, width);
}

static void print_total(struct text *out, const char *what, int64_t n,
                        const char *when)
{
    char text[NUMBER];
    text_add(out, "%-16s %19s%s\n", what, grouped(n, text), when);
}

static const char *when(struct table *t, int64_t batch, int threads)
{
    return arena_format(t->c->arena, " bytes  (batch %" PRId64 ", %d thread%s)",
                        batch, threads, threads == 1 ? "" : "s");
}

static void print_title(struct table *t, struct text *out)
{
    const struct network *network = t->c->network;

    text_add(out, "%s (%s)", network->name, network->source);
    for (const struct knob *k = network->knobs; k; k = k->next)
        if (k->is_integer)
            text_add(out, "  %s=%" PRId64, k->name, k->integer);
        else
            text_add(out, "  %s=%.9g", k->name, k->number);
    text_add(out, "\n\n");
}

static void print_text(struct table *t, const struct options *o,
                       const struct totals *totals, struct text *out)
{
    print_title(t, out);
    print_rows(t, out);
    print_total(out, "Parameters", totals->params, "");
    print_total(out, "Multiply-adds", totals->macs, "");
    print_total(out, "Parameter array", totals->param_bytes, " bytes");
    print_total(out, "Inference", totals->infer_bytes,
                when(t, o->infer_batch, o->threads));
    if (totals->train_bytes >= 0)
        print_total(out, "Training", totals->train_bytes,
                    when(t, o->train_batch, o->threads));
}

/* ---- as JSON ---- */

static void json_shape(struct text *out, const struct shape *shape)
{
    text_add(out, "[");
    for (int i = 0; i < shape->rank; i++)
        text_add(out, "%s%" PRId64, i ? ", " : "", shape->axis[i]);
    text_add(out, "]");
}

static void json_row(struct text *out, const struct row *row)
{
    text_add(out, "    { \"name\": \"%s\", \"op\": \"%s\", \"depth\": %d, "
             "\"times\": %" PRId64 ", \"again\": %s, \"shape\": ", row->label,
             row->op, row->depth, row->times, row->again ? "true" : "false");
    if (row->shape)
        json_shape(out, row->shape);
    else
        text_add(out, "null");
    text_add(out, ", \"params\": %" PRId64 ", \"macs\": %" PRId64 " }",
             row->params, row->macs);
}

static void json_knobs(struct table *t, struct text *out)
{
    text_add(out, "  \"knobs\": {");
    for (const struct knob *k = t->c->network->knobs; k; k = k->next) {
        text_add(out, "%s\"%s\": ", k == t->c->network->knobs ? " " : ", ",
                 k->name);
        if (k->is_integer)
            text_add(out, "%" PRId64, k->integer);
        else
            text_add(out, "%.17g", k->number);
    }
    text_add(out, " },\n");
}

static void print_json(struct table *t, const struct options *o,
                       const struct totals *totals, struct text *out)
{
    text_add(out, "{\n  \"name\": \"%s\",\n", t->c->network->name);
    json_knobs(t, out);
    text_add(out, "  \"batch\": { \"infer\": %" PRId64 ", \"train\": %" PRId64
             " },\n  \"threads\": %d,\n", o->infer_batch, o->train_batch,
             o->threads);
    text_add(out, "  \"params\": %" PRId64 ",\n  \"macs\": %" PRId64 ",\n"
             "  \"param_bytes\": %" PRId64 ",\n  \"infer_bytes\": %" PRId64
             ",\n", totals->params, totals->macs, totals->param_bytes,
             totals->infer_bytes);
    if (totals->train_bytes < 0)
        text_add(out, "  \"train_bytes\": null,\n");
    else
        text_add(out, "  \"train_bytes\": %" PRId64 ",\n",
                 totals->train_bytes);
    text_add(out, "  \"layers\": [\n");
    for (int i = 0; i < t->count; i++) {
        json_row(out, &t->row[i]);
        text_add(out, "%s\n", i + 1 < t->count ? "," : "");
    }
    text_add(out, "  ]\n}\n");
}

void summary(struct compilation *c, const struct options *options,
             struct text *out)
{
    struct table table = { .c = c };

    count_functions(&table);
    walk(&table, &c->network->main->body->nodes, 0);
    struct totals totals = count_all(&table, options);
    if (table.overflow)
        diag_error(c->diag, &c->network->main->decl->name_span,
                   "the multiply-adds, or the bytes at this batch, are above "
                   "the limit of 2^63");
    else if (options->task == TASK_SUMMARY_JSON)
        print_json(&table, options, &totals, out);
    else
        print_text(&table, options, &totals, out);
}
