/* steps.c: the steps of every kernel.  Requires: kernels and what rides on them.
 * Says which values need memory, writes the steps in order, and gives what only
 * its own kernel reads again a register of the tile. */
#include "fuser.h"

#include <string.h>

/* ---- what needs memory ---- */

static bool is_sunk(const struct fuser *f, const struct value *value)
{
    return value->sunk && f->mode != MODE_INFER;
}

/* What is made again needs what it is made from. */
static void need(const struct fuser *f, struct value *value)
{
    if (!is_sunk(f, value)) {
        value->stored = true;
        memory_of(value)->stored = true;
        return;
    }
    struct node *n = value->program ? value->program : value->producer;
    for (int i = 0; i < n->ins; i++)
        need(f, n->in[i]);
    for (int i = 2; n->op == OP_BATCH_NORM && i < 4; i++)
        need(f, n->out[i]);
}

static void need_from(const struct fuser *f, struct value *value, int kernel)
{
    if (value->kernel != kernel || value->base)
        need(f, value);
}

static void need_operands(struct fuser *f)
{
    struct schedule *s = f->schedule;

    for (int i = 0; i < s->count; i++) {
        struct kernel *k = &s->kernel[i];
        for (int j = 0; k->anchor && j < k->anchor->ins; j++)
            need(f, k->anchor->in[j]);
        for (int t = 0; t < k->tail_count; t++)
            for (int j = 0; j < k->tail[t]->ins; j++)
                need_from(f, k->tail[t]->in[j], i);
    }
}

/* Only what is read has to be stored; kernels that write without steps write
 * always. */
static void need_results(struct fuser *f)
{
    struct region *r = f->region;
    struct value **out = f->mode == MODE_BACKWARD ? r->grads : r->outputs;
    int count = f->mode == MODE_BACKWARD ? r->input_count : r->output_count;

    for (int i = 0; i < count; i++)
        if (out[i])
            need(f, actual(f, out[i]));
    for (int i = 0; i < f->schedule->count; i++) {
        struct kernel *k = &f->schedule->kernel[i];
        int traits = k->anchor ? op_row(k->anchor->op)->traits : 0;
        for (int j = 0; k->anchor && j < k->anchor->outs; j++)
            if (!(traits & (j ? SAVES : ACC))
                || (f->mode == MODE_TRAIN && k->anchor->out[j]->kept))
                need(f, k->anchor->out[j]);
        for (int t = 0; t < k->tail_count; t++) {
            struct value *v = k->tail[t]->out[0];
            if (k->tail[t]->op == OP_REDUCE || !k->tail[t]->point.step
                || (f->mode == MODE_TRAIN && v->kept))
                need(f, v);
        }
    }
}

/* ---- steps ---- */

static struct step *add_step(struct steps *steps, const char *op,
                             struct node *node)
{
    GROW_IN(steps->arena, steps->step, steps->size, steps->count);
    struct step *step = &steps->step[steps->count++];
    memset(step, 0, sizeof *step);
    step->op = op;
    step->node = node;
    return step;
}

static void full_step(struct steps *steps, const char *op,
                      struct value *value, struct node *node)
{
    struct step *step = add_step(steps, op, node);
    step->kind = "FULL";
    step->x.value = value;
}

static void store(struct steps *steps, struct value *value)
{
    if (value->stored || value->reload)
        full_step(steps, "STORE", value, NULL);
}

static bool commutes(const struct node *node)
{
    return node->point.by == BY_FULL
        && (strcmp(node->point.step, "ADD") == 0
            || strcmp(node->point.step, "MUL") == 0);
}

/* The tail node's first operand is in acc, or is brought there. */
static void bring(struct steps *steps, struct node *node, struct value **acc)
{
    if (!node->ins || *acc == node->in[0])
        return;
    if (node->op == OP_POINT && node->point.step && commutes(node)
        && *acc == node->in[1]) {
        node->in[1] = node->in[0];
        node->in[0] = *acc;
        return;
    }
    full_step(steps, "LOAD", node->in[0], NULL);
    *acc = node->in[0];
}

static void operand(struct fuser *f, struct step *step, struct node *node)
{
    const struct point *point = &node->point;

    step->number = point->number;
    step->complement = point->complement;
    step->varies = point->varies;
    step->slot = point->slot;
    step->has_number = point->has_number || point->by == BY_CONST;
    step->key = point->key;
    switch (point->by) {
    case BY_FULL:
        step->kind = is_sunk(f, node->in[1]) ? "INPUT" : "FULL";
        step->x.value = is_sunk(f, node->in[1]) ? NULL : node->in[1];
        break;
    case BY_SAMPLE_FEATURE:
        step->kind = "SAMPLE_FEATURE";
        step->x.value = node->in[1];
        break;
    case BY_FEATURE: step->kind = "FEATURE"; step->x.param = node->param[0]; break;
    case BY_SCALAR:  step->kind = "SCALAR"; step->x.param = node->param[0]; break;
    case BY_CONST:   step->kind = "CONST"; break;
    case BY_NONE:    break;
    }
}

static void special_operands(struct step *step, struct node *node)
{
    if (strcmp(step->op, "AFFINE") == 0) {
        step->a.value = node->in[1];
        step->b.value = node->in[2];
    } else if (strcmp(step->op, "AFFINE2") == 0) {
        step->kind = "FULL";
        step->x.value = node->in[1];
        step->a.value = node->in[2];
        step->b.value = node->in[3];
        step->c.value = node->in[4];
    } else if (strcmp(step->op, "SUM_CENTRED") == 0) {
        step->kind = "FULL";
        step->x.value = node->in[1];
        step->b.value = node->in[2];
    }
}

static void tail_step(struct fuser *f, struct steps *steps,
                      struct node *node, struct value **acc)
{
    bring(steps, node, acc);
    if (node->point.step) {
        struct step *step = add_step(steps, node->point.step, node);
        operand(f, step, node);
        special_operands(step, node);
        if (node->op == OP_REDUCE)
            step->sums.value = node->out[0];
    }
    if (node->op == OP_REDUCE)
        return;
    *acc = node->out[0];
    store(steps, node->out[0]);
}

/* What the anchor itself adds to its result: a bias, a norm's affine part. */
static void anchor_steps(struct kernel *k)
{
    struct node *n = k->anchor;

    if ((n->op == OP_LINEAR || n->op == OP_CONV || n->op == OP_UPCONV)
        && n->param[1]) {
        struct step *step = add_step(&k->steps, "ADD", n);
        step->kind = "FEATURE";
        step->x.param = n->param[1];
    }
    if (n->op == OP_NORM && n->out[1]->stored)
        full_step(&k->steps, "STORE", n->out[1], NULL);
    if (n->op == OP_NORM && n->param[0]) {
        struct step *step = add_step(&k->steps, n->param[1] ? "AFFINE" : "MUL",
                                     n);
        if (n->param[1]) {
            step->a.param = n->param[0];
            step->b.param = n->param[1];
        } else {
            step->kind = "FEATURE";
            step->x.param = n->param[0];
        }
    }
    if (k->result)
        store(&k->steps, k->result);
}

/* What a convolution reads, from what is stored. */
static void program(struct fuser *f, struct steps *steps,
                    struct value *value)
{
    struct node *n = value->producer;

    if (!is_sunk(f, value)) {
        full_step(steps, "LOAD", value, NULL);
    } else if (n->op == OP_BATCH_NORM) {
        program(f, steps, n->in[0]);
        struct step *step = add_step(steps, "AFFINE", n);
        step->a.value = n->out[2];
        step->b.value = n->out[3];
    } else if (n->op == OP_BATCH_NORM_GRAD) {
        program(f, steps, n->in[0]);
        struct step *step = add_step(steps, "AFFINE2", n);
        special_operands(step, value->program);
    } else {
        program(f, steps, n->in[0]);
        operand(f, add_step(steps, n->point.step, n), n);
    }
}

static void input_programs(struct fuser *f, struct kernel *k)
{
    struct node *n = k->anchor;

    if (n->op == OP_CONV)
        program(f, &k->input, n->in[0]);
    if (n->op == OP_CONV_GRAD) {
        program(f, &k->output, n->in[0]);
        program(f, &k->input, n->in[1]);
    }
    if (n->op == OP_UPCONV)
        program(f, &k->output, n->in[0]);
}

static void kernel_steps(struct fuser *f, struct kernel *k)
{
    struct value *acc = k->result;

    k->steps.count = 0;
    k->input.count = k->output.count = 0;
    if (k->anchor) {
        anchor_steps(k);
        input_programs(f, k);
    }
    for (int t = 0; t < k->tail_count; t++)
        tail_step(f, &k->steps, k->tail[t], &acc);
}

/* An operand that the same kernel made must be in memory when it is read
 * again; making the steps once finds out which. */
static bool need_reloads(struct fuser *f, int index)
{
    struct kernel *k = &f->schedule->kernel[index];
    bool changed = false;

    for (int s = 0; s < k->steps.count; s++) {
        struct value *v = k->steps.step[s].x.value;
        if (v && !v->stored && !v->reload
            && strcmp(k->steps.step[s].op, "STORE")) {
            v->reload = true;
            changed = true;
        }
    }
    return changed;
}

/* The last step that reads the value. */
static int last_read(const struct steps *steps, const struct value *value)
{
    int last = -1;
    for (int s = 0; s < steps->count; s++)
        if (steps->step[s].x.value == value)
            last = s;
    return last;
}

/* Steps with more operands than one take the value from memory. */
static bool read_with_vectors(const struct steps *steps,
                              const struct value *value)
{
    for (int s = 0; s < steps->count; s++)
        if (steps->step[s].x.value == value
            && (steps->step[s].sums.value || steps->step[s].a.value))
            return true;
    return false;
}

static void use_register(struct steps *steps, const struct value *value,
                         int number)
{
    for (int s = 0; s < steps->count; s++)
        if (steps->step[s].x.value == value) {
            steps->step[s].kind = "TEMP";
            steps->step[s].temp = number;
            steps->step[s].x.value = NULL;
        }
}

enum { REGISTERS = 4 };         /* RNET_TEMPS of rnet_kernels.h */

/* What only this kernel reads again stays in a register of the tile; true
 * when there were too few of them and something must lie in memory. */
static bool assign_registers(struct fuser *f, struct kernel *k)
{
    int busy[REGISTERS] = { -1, -1, -1, -1 };
    bool spilled = false;

    for (int s = 0; s < k->steps.count; s++) {
        struct value *v = k->steps.step[s].x.value;
        int free = 0;
        if (!v || v->stored || !v->reload || v->base)
            continue;
        while (free < REGISTERS && busy[free] >= s)
            free++;
        if (free == REGISTERS || read_with_vectors(&k->steps, v)) {
            need(f, v);
            spilled = true;
            continue;
        }
        busy[free] = last_read(&k->steps, v);
        use_register(&k->steps, v, free);
    }
    return spilled;
}

void make_steps(struct fuser *f)
{
    need_operands(f);
    need_results(f);
    for (int i = 0; i < f->schedule->count; i++) {
        struct kernel *k = &f->schedule->kernel[i];
        kernel_steps(f, k);
        if (need_reloads(f, i))
            kernel_steps(f, k);
        while (assign_registers(f, k))
            kernel_steps(f, k);
    }
}
