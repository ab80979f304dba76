/* plan.c: where every value lies.  Requires: schedules.  Gives: a place for
 * every value that needs memory, the sizes of frames, what may be done in
 * place.
 *
 * A value that the backward pass reads is kept; all others live in their
 * region's frame from the kernel that writes them to the last that reads
 * them, and values whose lives do not meet share memory.  A value takes over
 * the memory of an operand that dies where it is made, when that operand is
 * read element by element.  A called block's frame begins where its caller's
 * ends. */
#include "schedule.h"

#include <inttypes.h>
#include <string.h>

/* ---- places ---- */

struct planner {
    struct compilation *c;
    struct region *region;
    enum mode mode;
    struct schedule *schedule;
    bool failed;
};

struct place *place_of(const struct value *value, enum mode mode)
{
    const struct value *memory = memory_of((struct value *)value);
    struct place *place = memory->place[mode];
    if (!place && mode == MODE_BACKWARD)
        place = memory->place[MODE_TRAIN];
    return place;
}

static struct place *new_place(struct planner *p, struct value *value,
                               enum place_kind kind)
{
    struct schedule *s = p->schedule;
    struct place *place = NEW(p->c->arena, struct place);

    place->kind = kind;
    place->value = value;
    place->first = place->last = -1;
    place->size = value_size(p->c, value);
    if (place->size.constant < 0)
        p->failed = true;
    value->place[p->mode] = place;
    if (kind == PLACE_SCRATCH || kind == PLACE_SAVED) {
        GROW_IN(p->c->arena, s->places, s->place_size, s->place_count);
        s->places[s->place_count++] = place;
    }
    return place;
}

static void argument(struct planner *p, struct value *value, const char *name)
{
    if (value)
        new_place(p, value, PLACE_ARGUMENT)->argument = name;
}

static struct value *real_output(struct planner *p, struct value *value)
{
    while (value->alias[p->mode])
        value = value->alias[p->mode];
    return value;
}

static void arguments(struct planner *p)
{
    struct region *r = p->region;
    bool backward = p->mode == MODE_BACKWARD;

    for (int i = 0; i < r->input_count; i++)
        argument(p, r->inputs[i], i == 0 ? "x"
                 : arena_format(p->c->arena, "c%d", i));
    for (int i = 0; i < r->output_count; i++)
        argument(p, real_output(p, r->outputs[i]), "y");
    for (int i = 0; backward && i < r->output_count; i++)
        argument(p, r->seeds[i], "dy");
    if (backward && r->input_count)
        argument(p, r->grads[0], "dx");
    for (int i = 1; backward && i < r->input_count; i++)
        argument(p, r->sums[i], arena_format(p->c->arena, "sum%d", i));
    if (r != p->c->network->main->body)
        return;
    for (struct port *port = p->c->network->inputs; port; port = port->next) {
        struct place *place = new_place(p, port->value, PLACE_PORT);
        place->argument = port->name;
    }
}

/* ---- lives ---- */

static void touch(struct planner *p, struct value *value, int kernel,
                  bool write)
{
    if (!value || (value->sunk && p->mode != MODE_INFER))
        return;
    struct value *memory = memory_of(value);
    struct place *place = memory->place[p->mode];
    if (!place && p->mode == MODE_BACKWARD && memory->place[MODE_TRAIN])
        return;                     /* kept by the forward pass */
    if (!place)
        place = new_place(p, memory, p->mode == MODE_TRAIN && memory->kept
                          ? PLACE_SAVED : PLACE_SCRATCH);
    if (place->first < 0 || (write && kernel < place->first))
        place->first = kernel;
    if (kernel > place->last)
        place->last = kernel;
}

static bool reads_input(const struct node *n, int i)
{
    const struct region *body;

    if (n->op == OP_CALL_GRAD)
        body = n->call.callee->body;
    else if (n->op == OP_LOOP_GRAD)
        body = n->loop.body;
    else
        return true;
    return i == 0 || (i == 1 ? body->input_needed[0]
           : i == 2 ? body->output_needed[0]
           : i - 2 >= body->input_count || body->input_needed[i - 2]);
}

static void touch_steps(struct planner *p, const struct steps *steps,
                        int kernel)
{
    for (int i = 0; i < steps->count; i++) {
        const struct step *s = &steps->step[i];
        touch(p, s->x.value, kernel, strcmp(s->op, "STORE") == 0);
        touch(p, s->a.value, kernel, false);
        touch(p, s->b.value, kernel, false);
        touch(p, s->c.value, kernel, false);
        touch(p, s->sums.value, kernel, true);
    }
}

static void port_output(struct planner *p, const struct kernel *k)
{
    for (int t = 0; t < k->tail_count; t++)
        if (k->tail[t]->output) {
            struct place *place = new_place(p, k->tail[t]->out[0], PLACE_PORT);
            place->argument = k->tail[t]->output->name;
            if (p->mode == MODE_BACKWARD)
                place->argument = arena_format(p->c->arena, "%s_grad",
                                               k->tail[t]->output->name);
        }
}

/* Scratch of the kernel's own: lines of a loss, a loop's second buffer. */
static void extra(struct planner *p, struct kernel *k, struct node *n)
{
    struct shape one = { 1, { 1 } }, own = { 1, { n->own[0] } };

    if (n->own[0])
        k->extra = new_value(p->c, p->region, FORM_ROWS, LAYOUT_STRIPS, &own,
                             "own", n->span);
    if (n->op == OP_LOSS) {
        k->extra = new_value(p->c, p->region, FORM_LINES32, n->in[0]->layout,
                             &one, "lines", n->span);
        k->extra->rows = n->in[0]->rows;
    }
    if ((n->op == OP_LOOP || n->op == OP_LOOP_GRAD) && n->outs
        && loop_memory(n, p->mode) == LOOP_TWO_BUFFERS) {
        k->extra = new_value(p->c, p->region, FORM_ROWS, n->out[0]->layout,
                             &n->out[0]->shape, "other", n->span);
    }
}

/* Its results after the first have no reader in inference. */
static bool serves_backward(const struct planner *p, const struct node *n)
{
    return p->mode == MODE_INFER && (op_row(n->op)->traits & SAVES);
}

static void lives(struct planner *p)
{
    for (int i = 0; i < p->schedule->count; i++) {
        struct kernel *k = &p->schedule->kernel[i];
        struct node *n = k->anchor;
        port_output(p, k);
        for (int j = 0; n && j < n->ins; j++)
            if (reads_input(n, j))
                touch(p, n->in[j], i, false);
        for (int j = 0; n && j < n->outs; j++)
            if (n->out[j]->stored && !(j && serves_backward(p, n)))
                touch(p, n->out[j], i, true);
        touch_steps(p, &k->input, i);
        touch_steps(p, &k->output, i);
        touch_steps(p, &k->steps, i);
        if (n)
            extra(p, k, n);
        touch(p, k->extra, i, true);
    }
}

/* ---- in place ---- */

static bool same_memory(const struct value *a, const struct value *b)
{
    return a->form == FORM_ROWS && b->form == FORM_ROWS
        && a->layout == b->layout && a->rows == b->rows
        && a->features == b->features && a->integer == b->integer;
}

static bool anchor_reads(const struct node *n, const struct value *value)
{
    for (int i = 0; n && i < n->ins; i++)
        if (reads_input(n, i) && memory_of(n->in[i]) == value)
            return true;
    return false;
}

static bool program_reads(const struct steps *steps, int from,
                          const struct value *value)
{
    for (int i = from; i < steps->count; i++) {
        const struct ref refs[] = { steps->step[i].x, steps->step[i].a,
                                    steps->step[i].b, steps->step[i].c };
        for (int j = 0; j < 4; j++)
            if (refs[j].value && memory_of(refs[j].value) == value)
                return true;
    }
    return false;
}

/* Step `at` of the kernel stores a value of the same size: may it overwrite
 * `value`, which the kernel reads? */
static bool may_overwrite(const struct kernel *k, int at,
                          const struct value *value)
{
    return !anchor_reads(k->anchor, value)
        && !program_reads(&k->input, 0, value)
        && !program_reads(&k->output, 0, value)
        && !program_reads(&k->steps, at + 1, value);
}

static bool callee_in_place(const struct node *n, enum mode mode)
{
    if (n->op == OP_CALL || n->op == OP_CALL_GRAD)
        return n->call.callee->body->schedule[mode]->in_place;
    return loop_memory(n, mode) == LOOP_IN_PLACE;
}

static bool is_call(const struct node *n)
{
    return n && (n->op == OP_CALL || n->op == OP_CALL_GRAD
                 || n->op == OP_LOOP || n->op == OP_LOOP_GRAD);
}

enum loop_memory loop_memory(const struct node *loop, enum mode mode)
{
    const struct region *body = loop->loop.body;

    if (mode == MODE_TRAIN && !loop->loop.inverse
        && (body->input_needed[0] || body->output_needed[0]))
        return LOOP_KEPT;
    return body->schedule[mode]->in_place ? LOOP_IN_PLACE
        : loop->loop.count == 1 ? LOOP_KEPT : LOOP_TWO_BUFFERS;
}

static struct place *root(struct place *place)
{
    while (place->merged)
        place = place->merged;
    return place;
}

static bool can_merge(struct planner *p, struct value *from, struct value *to,
                      int kernel)
{
    struct place *a = from->place[p->mode], *b = to->place[p->mode];

    return !from->base && !to->base && from != to && a && b
        && a->kind == PLACE_SCRATCH && b->kind == PLACE_SCRATCH
        && root(a)->last == kernel && b->first == kernel && !b->merged
        && (root(a)->newest ? root(a)->newest == a : root(a) == a)
        && same_memory(from, to);
}

static void merge(struct planner *p, struct value *from, struct value *to)
{
    struct place *a = root(from->place[p->mode]), *b = to->place[p->mode];

    b->merged = a;
    a->newest = b;
    a->last = b->last > a->last ? b->last : a->last;
}

static void merge_stores(struct planner *p, int index)
{
    struct kernel *k = &p->schedule->kernel[index];

    for (int s = 0; s < k->steps.count; s++) {
        struct step *store = &k->steps.step[s];
        if (strcmp(store->op, "STORE") || !store->x.value)
            continue;
        for (int t = 0; t < s; t++) {
            struct step *read = &k->steps.step[t];
            if (read->x.value && read->kind && strcmp(read->op, "STORE")
                && strcmp(read->kind, "FULL") == 0
                && can_merge(p, read->x.value, store->x.value, index)
                && may_overwrite(k, s, read->x.value)) {
                merge(p, read->x.value, store->x.value);
                break;
            }
        }
    }
}

/* The callee may write over its first input, which is none of its others. */
static bool call_in_place(const struct node *n, enum mode mode)
{
    if (!callee_in_place(n, mode))
        return false;
    for (int i = 1; i < n->ins; i++)
        if (reads_input(n, i) && memory_of(n->in[i]) == memory_of(n->in[0]))
            return false;
    return true;
}

static void merge_call(struct planner *p, int index)
{
    struct node *n = p->schedule->kernel[index].anchor;

    if (is_call(n) && n->outs && call_in_place(n, p->mode)
        && can_merge(p, n->in[0], n->out[0], index))
        merge(p, n->in[0], n->out[0]);
}

/* May the region's result lie where its input lies?  Yes, when nothing reads
 * the input once a piece of the result has been written. */
static bool kernel_in_place(struct planner *p, const struct kernel *k,
                            struct value *x, struct value *y)
{
    if (is_call(k->anchor) && k->anchor->outs && k->anchor->out[0] == y)
        return k->anchor->in[0] == x && call_in_place(k->anchor, p->mode);
    for (int s = 0; s < k->steps.count; s++)
        if (strcmp(k->steps.step[s].op, "STORE") == 0
            && k->steps.step[s].x.value
            && memory_of(k->steps.step[s].x.value) == y) {
            for (int t = 0; t < s; t++)
                if (k->steps.step[t].x.value
                    && memory_of(k->steps.step[t].x.value) == x
                    && k->steps.step[t].x.value->base)
                    return false;
            return !k->steps.step[s].x.value->base && may_overwrite(k, s, x);
        }
    return true;
}

static bool kernel_reads(const struct kernel *k, const struct value *value)
{
    return anchor_reads(k->anchor, value)
        || program_reads(&k->input, 0, value)
        || program_reads(&k->output, 0, value)
        || program_reads(&k->steps, 0, value);
}

static bool region_in_place(struct planner *p)
{
    struct region *r = p->region;
    bool backward = p->mode == MODE_BACKWARD;
    struct value *x, *y;

    if (!r->input_count || p->c->no_fuse)
        return false;
    x = backward ? r->seeds[0] : r->inputs[0];
    y = backward ? r->grads[0] : real_output(p, r->outputs[0]);
    if (!y || !same_memory(x, y))
        return false;
    int first = y->place[p->mode]->first;
    for (int i = 0; i < p->schedule->count; i++) {
        const struct kernel *k = &p->schedule->kernel[i];
        if (i == first ? !kernel_in_place(p, k, x, y)
                       : i > first && kernel_reads(k, x))
            return false;
    }
    return first >= 0;
}

/* ---- packing ---- */

static int64_t amount(const struct form_size *form, int unit)
{
    return unit == UNITS ? form->per_sample
         : unit == UNITS + 1 ? form->constant : form->per_strips[unit];
}

static void set_offset(struct form_size *offset, int unit, int64_t n)
{
    if (unit == UNITS)
        offset->per_sample += n;
    else if (unit == UNITS + 1)
        offset->constant += n;
    else
        offset->per_strips[unit] += n;
}

static bool meet(const struct planner *p, const struct place *a,
                 const struct place *b)
{
    return p->c->no_fuse || (a->first <= b->last && b->first <= a->last);
}

/* The lowest offset at which `place` meets none of the `count` placed. */
static int64_t lowest(const struct planner *p, struct place **placed,
                      const int64_t *offsets, int count,
                      const struct place *place, int unit)
{
    int64_t at = 0, size = amount(&place->size, unit);
    bool moved = true;

    while (moved) {
        moved = false;
        for (int i = 0; i < count; i++) {
            int64_t end = offsets[i] + amount(&placed[i]->size, unit);
            if (meet(p, placed[i], place) && at < end && offsets[i] < at + size) {
                at = end;
                moved = true;
            }
        }
    }
    return at;
}

static int by_size(const void *a, const void *b, void *unit)
{
    const struct place *p = *(struct place *const *)a;
    const struct place *q = *(struct place *const *)b;
    int64_t m = amount(&p->size, *(int *)unit);
    int64_t n = amount(&q->size, *(int *)unit);
    return m != n ? (m < n ? 1 : -1) : p->value->id - q->value->id;
}

/* Largest first, each as low as its life allows (first fit). */
static int64_t pack_unit(struct planner *p, int unit,
                         const struct form_size *base)
{
    struct schedule *s = p->schedule;
    size_t bytes = sizeof(struct place *) * (size_t)(s->place_count + 1);
    struct place **list = arena_alloc(p->c->arena, bytes);
    int64_t *offsets = arena_alloc(p->c->arena, bytes), total = 0;
    int count = 0;

    for (int i = 0; i < s->place_count; i++)
        if (s->places[i]->kind == PLACE_SCRATCH && !s->places[i]->merged
            && amount(&s->places[i]->size, unit))
            list[count++] = s->places[i];
    qsort_r(list, (size_t)count, sizeof *list, by_size, &unit);
    for (int i = 0; i < count; i++) {
        offsets[i] = lowest(p, list, offsets, i, list[i], unit);
        list[i]->offset = *base;
        set_offset(&list[i]->offset, unit, offsets[i]);
        int64_t end = offsets[i] + amount(&list[i]->size, unit);
        total = end > total ? end : total;
    }
    return total;
}

static void pack_frame(struct planner *p)
{
    struct form_size *frame = &p->schedule->frame;

    for (int unit = 0; unit < UNITS + 2; unit++) {
        int64_t size = pack_unit(p, unit, frame);
        set_offset(frame, unit, size);
    }
    for (int i = 0; i < p->schedule->place_count; i++)
        if (p->schedule->places[i]->merged)
            p->schedule->places[i]->offset = root(p->schedule->places[i])
                                             ->offset;
}

/* ---- what is kept ---- */

static struct form_size *copy_form(struct planner *p, struct form_size form)
{
    struct form_size *copy = NEW(p->c->arena, struct form_size);
    *copy = form;
    return copy;
}

static void save_loop(struct planner *p, struct node *n,
                      struct form_size *saved)
{
    struct node *loop = n->loop.forward;
    struct region *body = n->loop.body;

    loop->loop.saved = copy_form(p, *saved);
    if (!n->loop.recompute)
        *saved = form_add(*saved, form_times(body->schedule[MODE_TRAIN]->saved,
                                             n->loop.count));
    if (loop_memory(n, MODE_TRAIN) != LOOP_KEPT)
        return;
    struct value *slots = new_value(p->c, p->region, FORM_ROWS,
                                    n->out[0]->layout, &n->out[0]->shape,
                                    "kept", n->span);
    struct place *place = new_place(p, slots, PLACE_SAVED);
    loop->loop.slots = slots;
    p->schedule->place_count--;         /* placed here */
    place->offset = *saved;
    *saved = form_add(*saved, form_times(place->size, n->loop.count - 1));
}

static void pack_saved(struct planner *p)
{
    struct schedule *s = p->schedule;

    for (int i = 0; i < s->place_count; i++)
        if (s->places[i]->kind == PLACE_SAVED) {
            s->places[i]->offset = s->saved;
            s->saved = form_add(s->saved, s->places[i]->size);
        }
    for (int i = 0; i < s->count; i++) {
        struct node *n = s->kernel[i].anchor;
        if (n && n->op == OP_CALL) {
            n->call.forward->call.saved = copy_form(p, s->saved);
            s->saved = form_add(s->saved, n->call.callee->body
                                ->schedule[MODE_TRAIN]->saved);
        } else if (n && n->op == OP_LOOP) {
            save_loop(p, n, &s->saved);
        }
    }
}

/* ---- the pass ---- */

struct form_size again_size(struct compilation *c, const struct node *loop,
                            enum mode mode)
{
    struct form_size size = { 0 };

    if (!loop->loop.recompute || mode == MODE_INFER)
        return size;
    size = loop->loop.body->schedule[MODE_TRAIN]->saved;
    if (mode == MODE_TRAIN)
        return size;
    return form_add(size, form_times(value_size(c, loop->loop.body->outputs[0]),
                                     loop->loop.inverse ? 3 : 1));
}

/* What the inverse of an iteration needs, after those two inputs. */
static struct form_size inverse_size(struct planner *p, const struct node *n)
{
    const struct schedule *s = n->loop.inverse->schedule[MODE_TRAIN];
    struct form_size x = value_size(p->c, n->loop.body->outputs[0]);

    return form_add(form_times(x, 2), form_add(s->saved, s->scratch));
}

/* Scratch of what a kernel runs, above the frame. */
static struct form_size inner_scratch(struct planner *p, const struct node *n)
{
    const struct region *body;

    if (n->op == OP_CALL || n->op == OP_CALL_GRAD)
        return n->call.callee->body->schedule[p->mode]->scratch;
    body = n->loop.body;
    struct form_size size = body->schedule[p->mode]->scratch;
    if (n->loop.recompute && p->mode == MODE_BACKWARD)
        size = form_max(size, body->schedule[MODE_TRAIN]->scratch);
    size = form_add(again_size(p->c, n, p->mode), size);
    return n->loop.inverse && p->mode == MODE_BACKWARD
        ? form_max(size, inverse_size(p, n)) : size;
}

static void total_scratch(struct planner *p)
{
    struct schedule *s = p->schedule;
    struct form_size inner = { 0 };

    for (int i = 0; i < s->count; i++) {
        struct node *n = s->kernel[i].anchor;
        if (is_call(n))
            inner = form_max(inner, inner_scratch(p, n));
    }
    s->scratch = form_add(s->frame, inner);
}

static bool plan_region(struct compilation *c, struct region *region,
                        enum mode mode)
{
    struct planner p = { c, region, mode, region->schedule[mode], false };

    for (int i = 0; i < p.schedule->count; i++) {
        struct node *n = p.schedule->kernel[i].anchor;
        if (!n || (n->op != OP_LOOP && n->op != OP_LOOP_GRAD))
            continue;
        if (!plan_region(c, n->loop.body, mode)
            || (n->loop.inverse && mode == MODE_TRAIN
                && !plan_region(c, n->loop.inverse, mode)))
            return false;
    }
    arguments(&p);
    lives(&p);
    p.schedule->in_place = region_in_place(&p);
    for (int i = 0; !c->no_fuse && i < p.schedule->count; i++) {
        merge_call(&p, i);
        merge_stores(&p, i);
    }
    pack_frame(&p);
    if (mode == MODE_TRAIN)
        pack_saved(&p);
    total_scratch(&p);
    return !p.failed;
}

static bool too_much_memory(struct compilation *c)
{
    bool large = false;

    for (struct function *f = c->network->functions; f; f = f->next)
        for (int mode = 0; mode < MODES; mode++) {
            const struct schedule *s = f->body->schedule[mode];
            large |= s && (form_too_large(&s->scratch)
                           || form_too_large(&s->saved));
        }
    if (large)
        diag_error(c->diag, &c->network->main->decl->name_span,
                   "the work memory is above the limit of 2^50 floats");
    return large;
}

bool plan(struct compilation *c)
{
    c->network->units = NEW(c->arena, struct units);
    for (struct function *f = c->network->functions; f; f = f->next)
        for (int mode = 0; mode < MODES; mode++)
            if (f->body->schedule[mode]
                && !plan_region(c, f->body, (enum mode)mode)) {
                diag_error(c->diag, &f->decl->name_span, "more than %d "
                           "different numbers of rows in one network", UNITS);
                return false;
            }
    return !too_much_memory(c);
}

/* ---- dump ---- */

static void dump_form(FILE *out, const struct form_size *form,
                      const struct units *units)
{
    const char *plus = "";

    for (int i = 0; i < units->count; i++)
        if (form->per_strips[i]) {
            fprintf(out, "%s%" PRId64 " strips(%" PRId64 ")", plus,
                    form->per_strips[i], units->rows[i]);
            plus = " + ";
        }
    if (form->per_sample) {
        fprintf(out, "%s%" PRId64 " batch", plus, form->per_sample);
        plus = " + ";
    }
    if (form->constant || !*plus)
        fprintf(out, "%s%" PRId64, plus, form->constant);
}

static void dump_plan(FILE *out, const struct region *region, int mode,
                      const struct units *units, int indent)
{
    static const char *const kinds[] = { "none", "argument", "port", "kept",
                                         "scratch" };
    const struct schedule *s = region->schedule[mode];

    for (int i = 0; i < s->place_count; i++) {
        const struct place *place = s->places[i];
        fprintf(out, "%*s%%%d %s %s ", indent, "", place->value->id,
                place->value->name, kinds[place->kind]);
        dump_form(out, &place->size, units);
        fputs(" at ", out);
        dump_form(out, &place->offset, units);
        fprintf(out, ", kernels %d to %d%s\n", place->first, place->last,
                place->merged ? ", in place" : "");
    }
    fprintf(out, "%*s%sframe ", indent, "", s->in_place ? "in place, " : "");
    dump_form(out, &s->frame, units);
    fputs(", kept ", out);
    dump_form(out, &s->saved, units);
    fputc('\n', out);
    for (int i = 0; i < s->count; i++) {
        const struct node *n = s->kernel[i].anchor;
        if (n && (n->op == OP_LOOP || n->op == OP_LOOP_GRAD)) {
            fprintf(out, n->loop.draw ? "%*sif kept\n"
                    : "%*sloop of %" PRId64 "\n", indent, "", n->loop.count);
            dump_plan(out, n->loop.body, mode, units, indent + 4);
        }
    }
}

void plan_dump(FILE *out, const struct network *network)
{
    static const char *const modes[] = { "infer", "train", "backward" };

    for (const struct function *f = network->functions; f; f = f->next)
        for (int mode = 0; mode < MODES; mode++)
            if (f->body->schedule[mode]) {
                fprintf(out, "%s %s\n", modes[mode], f->name);
                dump_plan(out, f->body, mode, network->units, 4);
            }
}
