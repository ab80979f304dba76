/* fuse.c: from operators to kernels.  Requires: the network, its gradient.
 * Gives: region->schedule of each mode, with the steps of every kernel.
 *
 * Whatever is pointwise rides on the latest kernel that one of its operands
 * comes from, when that kernel runs over the same rows and features; else on
 * the latest kernel after all its operands that does; else it is a pass of
 * its own.  What a kernel stores is what others read. */
#include "fuser.h"

#include <inttypes.h>
#include <string.h>

/* ---- values ---- */

struct value *memory_of(struct value *value)
{
    while (value->base)
        value = value->base;
    return value;
}

struct value *actual(struct fuser *f, struct value *value)
{
    while (value->alias[f->mode])
        value = value->alias[f->mode];
    return value;
}

static struct value *fresh(struct fuser *f, enum form form,
                           const struct value *like, int64_t features,
                           const char *name)
{
    struct shape shape = { 1, { features } };
    struct value *value = new_value(f->c, f->region, form, like->layout,
                                    &shape, name, like->span);
    value->rows = like->rows;
    value->kernel = -1;
    return value;
}

/* ---- kernels ---- */

/* Whether pointwise work can ride on it. */
static bool has_acc(enum op op)
{
    return op_row(op)->traits & ACC;
}

static struct kernel *add_kernel(struct fuser *f, struct node *anchor)
{
    struct schedule *s = f->schedule;

    GROW_IN(f->c->arena, s->kernel, s->size, s->count);
    struct kernel *k = &s->kernel[s->count++];
    memset(k, 0, sizeof *k);
    k->input.arena = k->output.arena = k->steps.arena = f->c->arena;
    k->anchor = anchor;
    if (anchor) {
        k->optional = anchor->optional;
        for (int i = 0; i < anchor->outs; i++)
            anchor->out[i]->kernel = s->count - 1;
        if (has_acc(anchor->op) && anchor->outs)
            k->result = k->like = anchor->out[0];
    }
    return k;
}

static void add_tail(struct fuser *f, int index, struct node *node)
{
    struct kernel *k = &f->schedule->kernel[index];

    GROW_IN(f->c->arena, k->tail, k->tail_size, k->tail_count);
    k->tail[k->tail_count++] = node;
    for (int i = 0; i < node->outs; i++) {
        struct value *memory = memory_of(node->out[i]);
        node->out[i]->kernel = index;
        if (memory->kernel < index)     /* a part of it may be made earlier */
            memory->kernel = index;
    }
}

static int kernel_of(struct value *value)
{
    int kernel = value->kernel;
    while (value->base) {
        value = value->base;
        kernel = value->kernel > kernel ? value->kernel : kernel;
    }
    return kernel;
}

static bool same_extent(const struct value *a, const struct value *b)
{
    return a && b && a->layout == b->layout && a->rows == b->rows
        && a->features == b->features;
}

/* What the rows and features of a pointwise node are; a constant has no
 * input. */
static struct value *extent_of(const struct node *node)
{
    return node->ins ? node->in[0] : node->out[0];
}

static bool takes(const struct kernel *k, const struct node *node)
{
    return same_extent(k->like, extent_of(node)) && k->optional == node->optional
        && !k->port;
}

static void add_pass(struct fuser *f, struct node *node)
{
    struct kernel *k = add_kernel(f, NULL);

    k->like = extent_of(node);
    k->optional = node->optional;
    add_tail(f, f->schedule->count - 1, node);
}

/* The kernel a pointwise node rides on: where its last operand is made, or
 * after. */
static void attach(struct fuser *f, struct node *node)
{
    struct schedule *s = f->schedule;
    int first = -1;

    for (int i = 0; i < node->ins; i++) {
        node->in[i] = actual(f, node->in[i]);
        int k = kernel_of(node->in[i]);
        first = k > first ? k : first;
    }
    if (f->c->no_fuse) {
        add_pass(f, node);
        return;
    }
    bool direct = first >= 0 && takes(&s->kernel[first], node);
    for (int i = 1; direct && i < node->ins; i++)
        direct = !node->in[i]->base || kernel_of(node->in[i]) != first;
    if (direct) {
        add_tail(f, first, node);
        return;
    }
    for (int k = s->count - 1; k > first; k--)
        if (takes(&s->kernel[k], node)) {
            add_tail(f, k, node);
            return;
        }
    add_pass(f, node);
}

/* ---- operators that are several ---- */

static struct node *copy_node(struct fuser *f, struct node *node)
{
    struct node *copy = NEW(f->c->arena, struct node);
    *copy = *node;
    if (node->op == OP_CALL)
        copy->call.forward = node;
    if (node->op == OP_LOOP)
        copy->loop.forward = node;
    return copy;
}

static struct node *part(struct fuser *f, const struct node *of, enum op op)
{
    struct node *node = NEW(f->c->arena, struct node);
    node->op = op;
    node->span = of->span;
    node->optional = of->optional;
    node->region = of->region;
    node->norm = of->norm;
    return node;
}

/* y = in, into a slice of the whole, unless it lies there. */
static void fuse_concat(struct fuser *f, struct node *n)
{
    int64_t offset = 0;

    for (int i = 0; i < n->ins; i++) {
        if (i == 0 && n->in[i]->base == n->out[0]) { /* joins.c */
            offset += n->in[i]->features;
            continue;
        }
        struct node *copy = part(f, n, OP_POINT);
        memset(&copy->point, 0, sizeof copy->point);
        struct value *slice = NEW(f->c->arena, struct value);
        node_in(copy, n->in[i]);
        *slice = *actual(f, n->in[i]);
        slice->id = f->c->network->next_value++;
        memset(slice->place, 0, sizeof slice->place);
        slice->kept = false;
        slice->base = n->out[0];
        slice->offset = offset;
        slice->reshaped = false;
        slice->kernel = -1;
        slice->producer = copy;
        offset += slice->features;
        node_out(copy, slice);
        attach(f, copy);
    }
}

static struct node *affine_node(struct fuser *f, struct node *n,
                                struct value *a, struct value *b)
{
    struct node *affine = part(f, n, OP_POINT);

    memset(&affine->point, 0, sizeof affine->point);
    affine->point.step = "AFFINE";
    node_in(affine, n->in[0]);
    node_in(affine, a);
    node_in(affine, b);
    affine->out[affine->outs++] = n->out[0];
    return affine;
}

static void point_affine(struct fuser *f, struct node *n, struct value *a,
                         struct value *b)
{
    attach(f, affine_node(f, n, a, b));
}

static void finish_batch_norm(struct fuser *f, struct node *n, enum op op,
                              struct value *lines)
{
    struct node *finish = part(f, n, op);

    memcpy(finish->param, n->param, sizeof n->param);
    if (lines)
        node_in(finish, lines);
    finish->out[finish->outs++] = n->out[2];
    finish->out[finish->outs++] = n->out[3];
    if (lines)
        finish->out[finish->outs++] = n->out[1];
    add_kernel(f, finish);
}

/* Sums ride on x's producer; then scale and shift; then an affine step. */
static void fuse_batch_norm(struct fuser *f, struct node *n)
{
    struct value *x = actual(f, n->in[0]);

    if (f->mode == MODE_TRAIN) {
        struct node *reduce = part(f, n, OP_REDUCE);
        memset(&reduce->point, 0, sizeof reduce->point);
        reduce->point.step = "SUM_MOMENTS";
        node_in(reduce, x);
        struct value *lines = node_out(reduce, fresh(f, FORM_LINES, x,
                                       3 * x->features, "sums"));
        attach(f, reduce);
        finish_batch_norm(f, n, OP_BN_FINISH, lines);
    }
    if (f->mode == MODE_INFER || !n->out[0]->sunk)
        point_affine(f, n, n->out[2], n->out[3]);
}

static void fuse_batch_norm_grad(struct fuser *f, struct node *n)
{
    struct value *dy = n->in[0], *x = n->in[1], *saved = n->in[2];
    struct node *reduce = part(f, n, OP_REDUCE);
    struct node *finish = part(f, n, OP_BN_GRAD_FINISH);
    struct node *affine = part(f, n, OP_POINT);

    memset(&reduce->point, 0, sizeof reduce->point);
    memset(&affine->point, 0, sizeof affine->point);
    reduce->point.step = "SUM_CENTRED";
    node_in(reduce, dy);
    node_in(reduce, x);
    node_in(reduce, saved);
    node_in(finish, node_out(reduce, fresh(f, FORM_LINES, dy,
                                           2 * dy->features, "sums")));
    attach(f, reduce);
    node_in(finish, saved);
    finish->param[0] = n->param[0];
    finish->param[1] = n->param[1];
    affine->point.step = "AFFINE2";
    node_in(affine, dy);
    node_in(affine, x);
    for (int i = 0; i < 3; i++)
        node_in(affine, node_out(finish, fresh(f, FORM_VECTOR, dy,
                dy->features, i == 0 ? "a" : i == 1 ? "b" : "c")));
    add_kernel(f, finish);
    affine->out[affine->outs++] = n->out[0];
    n->out[0]->program = affine;
    if (!n->out[0]->sunk)
        attach(f, affine);
}

static int uses(const struct list *list, const struct value *value)
{
    int count = 0;

    for (const struct node *n = list->first; n; n = n->next)
        for (int i = 0; i < n->ins; i++)
            count += n->in[i] == value;
    return count;
}

/* The kernel that unpacks x for this output alone: the caller's wish decides
 * whether it runs. */
static struct kernel *sole_unpack(struct fuser *f, const struct node *n,
                                  const struct value *x)
{
    const struct list *list = f->mode == MODE_BACKWARD
        ? &f->region->backward : &f->region->nodes;
    struct kernel *k = x->kernel < 0 ? NULL
                     : &f->schedule->kernel[x->kernel];

    return k && k->anchor && k->anchor->op == OP_UNPACK && !k->tail_count
        && uses(list, x) == 1 && (x == n->in[0] || uses(list, n->in[0]) == 1)
        ? k : NULL;
}

/* To the caller's memory; in training, only when the caller wants it. */
static void fuse_output(struct fuser *f, struct node *n)
{
    struct value *x = actual(f, n->in[0]);
    while (x->base && x->reshaped)
        x = x->base;            /* the same order in memory */
    struct node *copy = part(f, n, OP_POINT);
    struct value *out = fresh(f, FORM_ROWS, x, x->features, n->output->name);

    memset(&copy->point, 0, sizeof copy->point);
    out->shape = x->shape;
    out->rows = x->rows;
    out->features = x->features;
    copy->output = n->output;
    node_in(copy, x);
    node_out(copy, out);
    if (f->mode == MODE_INFER) {
        attach(f, copy);
        return;
    }
    struct kernel *k = sole_unpack(f, n, x);
    if (k) {
        k->port = n->output;
        add_tail(f, x->kernel, copy);
        return;
    }
    k = add_kernel(f, NULL);
    k->like = x;
    k->port = n->output;
    k->optional = false;
    add_tail(f, f->schedule->count - 1, copy);
}

static bool is_output(const struct region *region, const struct value *value)
{
    for (int i = 0; i < region->output_count; i++)
        if (region->outputs[i] == value)
            return true;
    return false;
}

/* A view of what another value stands for is one of that. */
static void fuse_view(struct fuser *f, struct node *n)
{
    struct value *base = actual(f, n->in[0]), *view;

    if (base == n->in[0])
        return;
    view = NEW(f->c->arena, struct value);
    *view = *n->out[0];
    view->id = f->c->network->next_value++;
    view->base = base;
    n->out[0]->alias[f->mode] = view;
}

static bool is_batch_drop(const struct node *n)
{
    return strcmp(n->point.step, "DROP_BATCH") == 0;
}

/* The branch of a batch is run in training only when it is kept; inference
 * has its mean, (1 - p) F(x): Huang et al. 2016. */
static void fuse_batch_drop(struct fuser *f, struct node *n)
{
    struct node *copy = copy_node(f, n);

    if (f->mode == MODE_TRAIN) {
        n->out[0]->alias[f->mode] = n->in[0];
        return;
    }
    copy->point.step = "MUL";
    copy->point.by = BY_CONST;
    copy->point.complement = true;
    attach(f, copy);
}

/* Outside of training, dropout is the value itself, unless that lies apart, in a
 * larger one: what reads it may take it for whole. */
static void fuse_point(struct fuser *f, struct node *n)
{
    struct node *copy = copy_node(f, n);
    const struct value *x = n->ins ? actual(f, n->in[0]) : NULL;
    bool apart = x && x->base && !x->reshaped;

    if (f->mode == MODE_TRAIN && n->out[0]->sunk)
        return;
    if (is_batch_drop(n)) {
        fuse_batch_drop(f, n);
        return;
    }
    if (f->mode == MODE_INFER && n->training_only) {
        if (!apart && !is_output(f->region, n->out[0])) {
            n->out[0]->alias[f->mode] = n->in[0];
            return;
        }
        memset(&copy->point, 0, sizeof copy->point);
        copy->point.step = "MUL";
        copy->point.by = BY_CONST;
        copy->point.number = 1;
    }
    attach(f, copy);
}

static void fuse_list(struct fuser *f, const struct list *list);

/* Inference runs every branch: its operators stand in the column. */
static bool is_open(const struct node *n, enum mode mode)
{
    return n->op == OP_LOOP && n->loop.draw && mode == MODE_INFER;
}

static void fuse_open(struct fuser *f, struct node *n)
{
    const struct region *body = n->loop.body;

    for (int i = 0; i < body->input_count; i++)
        body->inputs[i]->alias[f->mode] = n->in[i];
    fuse_list(f, &body->nodes);
    n->out[0]->alias[f->mode] = body->outputs[0];
}

static void fuse_node(struct fuser *f, struct node *n)
{
    if (is_open(n, f->mode)) {
        fuse_open(f, n);
        return;
    }
    switch (n->op) {
    case OP_INPUT:
        break;
    case OP_RESHAPE:
    case OP_SLICE:
        fuse_view(f, n);
        break;
    case OP_LOSS:
        if (f->mode == MODE_BACKWARD)
            add_kernel(f, copy_node(f, n));
        break;
    case OP_POINT:
        fuse_point(f, n);
        break;
    case OP_REDUCE:          attach(f, copy_node(f, n)); break;
    case OP_CONCAT:          fuse_concat(f, n); break;
    case OP_BATCH_NORM:      fuse_batch_norm(f, n); break;
    case OP_BATCH_NORM_GRAD: fuse_batch_norm_grad(f, n); break;
    case OP_OUTPUT:          fuse_output(f, n); break;
    default: {
        struct node *copy = copy_node(f, n);
        for (int i = 0; i < copy->ins; i++)
            copy->in[i] = actual(f, copy->in[i]);
        add_kernel(f, copy);
    }
    }
}

static bool is_run(const struct node *n, enum mode mode)
{
    return mode != MODE_INFER || n->inferred;
}

static void fuse_list(struct fuser *f, const struct list *list)
{
    for (struct node *n = list->first; n; n = n->next)
        if (is_run(n, f->mode))
            fuse_node(f, n);
}

/* ---- the pass ---- */

static bool steps_read_numbers(const struct steps *steps)
{
    for (int i = 0; i < steps->count; i++)
        if (steps->step[i].varies)
            return true;
    return false;
}

static bool reads_numbers(const struct kernel *k, enum mode mode)
{
    const struct node *n = k->anchor;

    if (n && (n->op == OP_CALL || n->op == OP_CALL_GRAD))
        return n->call.callee->body->schedule[mode]->numbers;
    if (n && (n->op == OP_LOOP || n->op == OP_LOOP_GRAD))
        return n->loop.body->schedule[mode]->numbers
            || (n->loop.draw && n->loop.draw->point.varies);
    return steps_read_numbers(&k->input) || steps_read_numbers(&k->output)
        || steps_read_numbers(&k->steps);
}

/* Recomputation runs the forward pass in the backward one, an inverse its
 * own. */
static void read_again(const struct node *loop, enum mode mode)
{
    struct region *body = loop->loop.body;
    const struct region *inverse = loop->loop.inverse;

    if (mode != MODE_BACKWARD)
        return;
    if (loop->loop.recompute)
        body->schedule[mode]->numbers |= body->schedule[MODE_TRAIN]->numbers;
    if (inverse)
        body->schedule[mode]->numbers |= inverse->schedule[MODE_TRAIN]->numbers;
}

static void reset(const struct list *list, enum mode mode)
{
    for (struct node *n = list->first; n; n = n->next) {
        for (int i = 0; i < n->ins; i++)
            memory_of(n->in[i])->kernel = n->in[i]->kernel = -1;
        for (int i = 0; i < n->outs; i++) {
            n->out[i]->kernel = -1;
            n->out[i]->stored = n->out[i]->reload = false;
        }
        if (is_open(n, mode))
            reset(&n->loop.body->nodes, mode);
    }
}

/* Scales and shifts of inference depend on parameters alone. */
static void infer_batch_norms(struct fuser *f, const struct list *list)
{
    for (struct node *n = list->first; n; n = n->next)
        if (n->op == OP_BATCH_NORM && n->inferred)
            finish_batch_norm(f, n, OP_BN_INFER, NULL);
        else if (is_open(n, f->mode))
            infer_batch_norms(f, &n->loop.body->nodes);
}

static void fuse_region(struct compilation *c, struct region *region,
                        enum mode mode);

static void fuse_inner(struct compilation *c, const struct list *list,
                       enum mode mode)
{
    for (struct node *n = list->first; n; n = n->next) {
        if (is_open(n, mode)) {
            fuse_inner(c, &n->loop.body->nodes, mode);
        } else if (n->op == OP_LOOP || n->op == OP_LOOP_GRAD) {
            fuse_region(c, n->loop.body, mode);
            if (n->loop.inverse && mode == MODE_TRAIN)
                fuse_region(c, n->loop.inverse, mode);
            read_again(n, mode);
        }
    }
}

static void fuse_region(struct compilation *c, struct region *region,
                        enum mode mode)
{
    struct fuser f = { c, region, mode, NEW(c->arena, struct schedule) };
    struct list *list = mode == MODE_BACKWARD ? &region->backward
                                              : &region->nodes;

    region->schedule[mode] = f.schedule;
    fuse_inner(c, list, mode);
    reset(list, mode);
    if (mode == MODE_INFER)
        infer_batch_norms(&f, list);
    fuse_list(&f, list);
    make_steps(&f);
    for (int i = 0; i < f.schedule->count; i++)
        f.schedule->numbers |= reads_numbers(&f.schedule->kernel[i], mode);
}

void fuse(struct compilation *c)
{
    bool train = c->network->main->body->backward.first != NULL;

    for (struct function *fn = c->network->functions; fn; fn = fn->next)
        for (int mode = 0; mode < (train ? MODES : 1); mode++)
            if (mode == MODE_INFER ? fn->inferred
                : mode != MODE_BACKWARD || fn->trained)
                fuse_region(c, fn->body, (enum mode)mode);
}

/* ---- dump ---- */

static void dump_steps(FILE *out, const char *title,
                       const struct steps *steps)
{
    for (int i = 0; i < steps->count; i++) {
        const struct step *s = &steps->step[i];
        fprintf(out, "        %s%s", title, s->op);
        if (s->x.value)
            fprintf(out, " %%%d", s->x.value->id);
        if (s->x.param)
            fprintf(out, " %s", param_word(s->x.param));
        if (s->kind && strcmp(s->kind, "TEMP") == 0)
            fprintf(out, " register %d", s->temp);
        if (s->kind && strcmp(s->kind, "INPUT") == 0)
            fputs(" input", out);
        if (s->complement)
            fputs(" 1 -", out);
        if (s->varies)
            fprintf(out, " numbers[%" PRId64 "]", s->slot);
        else if (s->has_number)
            fprintf(out, " %.9g", s->number);
        if (s->sums.value)
            fprintf(out, " into %%%d", s->sums.value->id);
        fputc('\n', out);
    }
}

static void dump_schedule(FILE *out, const struct schedule *schedule)
{
    for (int i = 0; i < schedule->count; i++) {
        const struct kernel *k = &schedule->kernel[i];
        fprintf(out, "    %d %s", i, k->anchor ? op_name(k->anchor->op)
                                               : "point");
        for (int j = 0; k->anchor && j < k->anchor->ins; j++)
            fprintf(out, "%s%%%d", j ? ", " : " ", k->anchor->in[j]->id);
        fputs(k->optional ? " (only for gradients of inputs)\n" : "\n", out);
        dump_steps(out, "input ", &k->input);
        dump_steps(out, "output ", &k->output);
        dump_steps(out, "", &k->steps);
    }
}

static const char *const mode_names[] = { "infer", "train", "backward" };

static void dump_region(FILE *out, const struct region *region, int mode)
{
    const struct list *list = mode == MODE_BACKWARD ? &region->backward
                                                    : &region->nodes;

    dump_schedule(out, region->schedule[mode]);
    for (const struct node *n = list->first; n; n = n->next)
        if ((n->op == OP_LOOP || n->op == OP_LOOP_GRAD)
            && !is_open(n, (enum mode)mode)) {
            fprintf(out, n->loop.draw ? "    if kept\n"
                    : "    loop of %" PRId64 "\n", n->loop.count);
            dump_region(out, n->loop.body, mode);
        }
}

void fuse_dump(FILE *out, const struct network *network)
{
    for (const struct function *f = network->functions; f; f = f->next)
        for (int mode = 0; mode < MODES; mode++)
            if (f->body->schedule[mode]) {
                fprintf(out, "%s %s\n", mode_names[mode], f->name);
                dump_region(out, f->body, mode);
            }
}
