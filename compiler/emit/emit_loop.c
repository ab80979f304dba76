/* emit_loop.c: a repeat is a loop; where its iterations read and write is what
 * plan.c's loop_memory says. */
#include "writer.h"

#include <inttypes.h>
#include <string.h>

/* ---- loops ---- */

static const char *size_c(struct writer *w, const struct value *value)
{
    struct form_size size = value_size(w->c, value);
    return form_c(w->c, &size);
}

/* Room for two inputs that an inverse makes: this one's and the last one's,
 * which was the result of this one. */
static const char *inputs_c(struct writer *w, const struct node *n)
{
    struct form_size size = value_size(w->c, n->loop.body->outputs[0]);
    struct form_size two = form_times(size, 2);

    return w->mode == MODE_BACKWARD && n->loop.inverse ? form_c(w->c, &two)
                                                       : "";
}

/* Iterations that have the same numbers read them at the same place. */
static void loop_numbers(struct writer *w, const struct node *n,
                         const char *i, const struct writer *outer)
{
    const char *base = number_offset(w, outer->numbers, n->loop.numbers);

    if (base == outer->numbers && !n->loop.varies)
        return;
    w->numbers = unique(w, "n");
    text_add(w->out, "%*sconst float *%s = %s", w->indent, "", w->numbers,
             base);
    if (n->loop.varies)
        text_add(w->out, " + %s * %" PRId64, i, n->loop.body->numbers);
    text_add(w->out, ";\n");
}

static void loop_saved(struct writer *w, const struct node *n, const char *i,
                       const struct writer *outer)
{
    const struct schedule *s = n->loop.body->schedule[MODE_TRAIN];
    const char *first = at(w, outer->saved,
                           form_c(w->c, n->loop.forward->loop.saved));

    w->saved = first;
    if (n->loop.count == 1)
        return;
    w->saved = unique(w, "kept");
    text_add(w->out, "%*sfloat *%s = %s + %s * (%s);\n", w->indent, "",
             w->saved, first, i, form_c(w->c, &s->saved));
}

static void loop_bases(struct writer *w, const struct node *n,
                       const char *i, struct writer *outer)
{
    const struct region *r = n->loop.body;
    const struct node *forward = n->op == OP_LOOP ? n : n->loop.forward;

#define BASE(field, type, name, offset, stride, takes) \
    if (takes && n->loop.count == 1) { \
        w->field = number_offset(outer, outer->field, offset); \
    } else if (takes) { \
        w->field = unique(w, name); \
        text_add(w->out, "%*s" type "%s = %s + %s * %" PRId64 ";\n", \
                 w->indent, "", w->field, \
                 number_offset(w, outer->field, offset), i, stride); \
    }
    if (*params_const(w->c, w->mode)) {
        BASE(params, "const float *", "p", n->loop.params, r->param_floats,
             takes_params(r))
    } else {
        BASE(params, "float *", "p", n->loop.params, r->param_floats,
             takes_params(r))
    }
    BASE(grads, "float *", "g", forward->loop.grads, r->grad_floats,
         takes_grads(r, w->mode))
    if (w->mode == MODE_INFER) {
        BASE(state, "const float *", "s", n->loop.state, r->state_floats,
             takes_state(r, w->mode))
    } else {
        BASE(state, "float *", "s", n->loop.state, r->state_floats,
             takes_state(r, w->mode))
    }
    BASE(key, "const long ", "k", n->loop.keys, r->keys,
         takes_key(r, w->mode))
#undef BASE
    if (takes_numbers(r, w->mode))
        loop_numbers(w, n, i, outer);
    const char *above = inner_scratch(outer);   /* the frame */
    struct form_size again = again_size(w->c, n, w->mode);
    if (n->loop.recompute && w->mode != MODE_INFER) {
        w->saved = at(w, above, inputs_c(w, n));
        above = at(w, above, form_c(w->c, &again));
    } else if (takes_saved(r, w->mode)) {
        loop_saved(w, n, i, outer);
    }
    w->scratch = above;         /* of this pass, or of the forward one that it
                                   runs again */
}

/* x = i ? where the iteration before left y : the loop's x */
static void loop_forward_values(struct writer *w, const struct node *n,
                                struct writer *outer, const char *i)
{
    const char *x = value_c(outer, n->in[0]), *y = value_c(outer, n->out[0]);
    const char *xn = unique(w, "x"), *yn = unique(w, "y");

    const char *base = value_c(outer, n->loop.forward->loop.slots);
    const char *size = size_c(w, n->out[0]);
    text_add(w->out, "%*sconst float *%s = %s ? %s + (%s - 1) * (%s) : %s;\n",
             w->indent, "", xn, i, base, i, size, x);
    text_add(w->out, "%*sfloat *%s = %s < %" PRId64
             " ? %s + %s * (%s) : %s;\n", w->indent, "", yn, i,
             n->loop.count - 1, base, i, size, y);
    w->x = xn;
    w->y = yn;
}

/* The two buffers alternate so that the last iteration writes the result. */
static void loop_two_buffers(struct writer *w, const char *from,
                             const char *to, const char *other,
                             const char *odd, const char *first,
                             const char *in_name, const char *out_name)
{
    text_add(w->out, "%*sfloat *%s = %s ? %s : %s;\n", w->indent, "",
             out_name, odd, other, to);
    text_add(w->out, "%*sconst float *%s = %s ? %s : %s ? %s : %s;\n",
             w->indent, "", in_name, first, from, odd, to, other);
}

/* A group of its own reads and writes where its node does. */
static void group_values(struct writer *w, const struct node *n,
                         struct writer *outer)
{
    bool backward = w->mode == MODE_BACKWARD;
    const char *in = value_c(outer, n->in[0]);
    const char *out = n->outs ? value_c(outer, n->out[0]) : NULL;

    if (!backward) {
        w->x = in;
        w->y = out;
        return;
    }
    w->dy = in;
    w->dx = out;
    if (n->loop.inverse)
        w->x = inner_scratch(outer);
    else if (n->loop.body->input_needed[0])
        w->x = value_c(outer, n->in[1]);
    if (n->loop.body->output_needed[0])
        w->y = value_c(outer, n->in[2]);
}

static void loop_gradients(struct writer *w, const struct node *n,
                           struct writer *outer, const char *i)
{
    const struct region *r = n->loop.body;
    const struct node *forward = n->loop.forward;
    bool kept = r->input_needed[0] || r->output_needed[0];

    if (n->loop.inverse) {
        const char *size = size_c(w, r->outputs[0]);
        const char *base = inner_scratch(outer);
        w->x = unique(w, "x");
        w->y = unique(w, "y");
        text_add(w->out, "%*sfloat *%s = %s + %s %% 2 * (%s);\n", w->indent,
                 "", w->x, base, i, size);
        text_add(w->out, "%*sconst float *%s = %s < %" PRId64 " ? %s + (%s + 1)"
                 " %% 2 * (%s) : %s;\n", w->indent, "", w->y, i,
                 n->loop.count - 1, base, i, size, value_c(outer, n->in[2]));
    } else if (kept) {
        const char *base = value_c(outer, forward->loop.slots);
        const char *size = size_c(w, forward->out[0]);
        if (r->input_needed[0]) {
            w->x = unique(w, "x");
            text_add(w->out, "%*sconst float *%s = %s ? %s + (%s - 1) * (%s) "
                     ": %s;\n", w->indent, "", w->x, i, base, i, size,
                     value_c(outer, n->in[1]));
        }
        if (r->output_needed[0]) {
            w->y = unique(w, "y");
            text_add(w->out, "%*sconst float *%s = %s < %" PRId64
                     " ? %s + %s * (%s) : %s;\n", w->indent, "", w->y, i,
                     n->loop.count - 1, base, i, size,
                     value_c(outer, n->in[2]));
        }
    }
}

static void loop_in_and_out(struct writer *w, const struct node *n,
                            const struct kernel *k, struct writer *outer,
                            const char *i)
{
    bool backward = w->mode == MODE_BACKWARD;
    const char *from = value_c(outer, n->in[0]);
    const char *to = n->outs ? value_c(outer, n->out[0]) : NULL;
    const char *in = unique(w, backward ? "dy" : "x");
    const char *out = unique(w, backward ? "dx" : "y");
    int64_t last = n->loop.count - 1;
    const char *first = backward
        ? arena_format(w->c->arena, "%s == %" PRId64, i, last)
        : arena_format(w->c->arena, "%s == 0", i);

    if (k->extra) {
        const char *odd = backward
            ? arena_format(w->c->arena, "%s %% 2", i)
            : arena_format(w->c->arena, "(%" PRId64 " - %s) %% 2", last, i);
        loop_two_buffers(w, from, to, value_c(outer, k->extra), odd, first,
                         in, out);
    } else {
        text_add(w->out, "%*sconst float *%s = %s ? %s : %s;\n", w->indent,
                 "", in, first, from, to);
        text_add(w->out, "%*sfloat *%s = %s;\n", w->indent, "", out, to);
    }
    if (backward) {
        w->dy = in;
        w->dx = out;
    } else {
        w->x = in;
        w->y = out;
    }
}

static void captured_names(struct writer *w, const struct node *n,
                           struct writer *outer)
{
    const struct region *r = n->loop.body;

    for (int i = 1; i < r->input_count; i++) {
        int j = n->op == OP_LOOP_GRAD ? i + 2 : i;
        struct place *place = r->inputs[i]->place[w->mode];
        if (place && (w->mode != MODE_BACKWARD || r->input_needed[i]))
            place->name = value_c(outer, n->in[j]);
    }
    int j = r->input_count + 2;         /* the sums, after what is captured */
    for (int i = 1; w->mode == MODE_BACKWARD && i < r->input_count; i++)
        if (r->sums[i])
            r->sums[i]->place[MODE_BACKWARD]->name
                = value_c(outer, n->in[j++]);
}

/* The kernels of a region, below the declarations of what they use. */
static void statements_c(struct writer *w, const struct region *r)
{
    struct text *out = w->out, statements = { 0 };

    w->used = NULL;
    w->used_count = 0;
    w->used_size = 0;
    w->out = &statements;
    schedule_c(w, r);
    declare_values(w, out, 0);
    text_put(out, statements.data, statements.length);
    text_free(&statements);
    w->out = out;
}

/* Backward, the iteration's forward once more: what the gradient reads is in
 * scratch then. */
static void recompute_c(struct writer *w, const struct node *n,
                        struct writer *outer)
{
    const struct region *r = n->loop.body;
    struct writer again = *w;

    again.mode = MODE_TRAIN;
    again.y = unique(&again, "again");
    text_add(w->out, "%*sfloat *%s = %s;\n", w->indent, "", again.y,
             at(w, w->saved, form_c(w->c, &r->schedule[MODE_TRAIN]->saved)));
    text_add(w->out, "%*s{\n", w->indent, "");
    again.indent += 4;
    captured_names(&again, n, outer);
    statements_c(&again, r);
    text_add(w->out, "%*s}\n", w->indent, "");
}

/* Backward, x from y. */
static void inverse_c(struct writer *w, const struct node *n)
{
    const struct region *r = n->loop.inverse;
    bool holds = n->loop.body->state_floats > 0;
    struct writer inverse = *w;

    inverse.mode = MODE_TRAIN;
    inverse.region = r;
    inverse.outer = w;
    inverse.x = w->y;
    inverse.y = w->x;
    inverse.scratch = at(w, w->saved, form_c(w->c,
                         &r->schedule[MODE_TRAIN]->saved));
    if (holds)
        text_add(w->out, "%*srnet_hold(run);\n", w->indent, "");
    text_add(w->out, "%*s{\n", w->indent, "");
    inverse.indent += 4;
    statements_c(&inverse, r);
    text_add(w->out, "%*s}\n", w->indent, "");
    if (holds)
        text_add(w->out, "%*srnet_release(run);\n", w->indent, "");
}

/* Running statistics move where an iteration is run for its gradient, if it
 * is. */
static void hold_c(struct writer *w, const struct node *n, const char *what)
{
    if (n->loop.recompute && n->graded && w->mode == MODE_TRAIN
        && n->loop.body->state_moves)
        text_add(w->out, "%*srnet_%s(run);\n", w->indent, "", what);
}

/* ---- branches that may be left out ---- */

static const char *draw_c(struct writer *w, const struct point *draw)
{
    struct arena *arena = w->c->arena;
    const char *p = draw->varies
        ? arena_format(arena, "%s[%" PRId64 "]", w->numbers, draw->slot)
        : number_c(arena, draw->number);

    return arena_format(arena, "rnet_keeps_batch(run, %s + %" PRId64 ", %s)",
                        w->key, draw->key, p);
}

static bool same_place(const struct value *a, const struct value *b,
                       enum mode mode)
{
    const struct place *p = place_of(a, mode), *q = place_of(b, mode);

    while (p->merged)
        p = p->merged;
    while (q->merged)
        q = q->merged;
    return p == q;
}

/* Left out: y = x, dx = dy. */
static void left_out_c(struct writer *w, const struct node *n)
{
    if (same_place(n->in[0], n->out[0], w->mode))
        return;
    text_add(w->out, "%*s} else {\n", w->indent, "");
    w->indent += 4;
    copy_c(w, n->in[0], n->out[0]);
    w->indent -= 4;
}

/* ---- the loop ---- */

static void begin_c(struct writer *w, const struct node *n, const char *i)
{
    int64_t count = n->loop.count;

    if (n->loop.draw)
        text_add(w->out, "%*sif (%s) {\n", w->indent, "",
                 draw_c(w, &n->loop.draw->point));
    else if (count == 1)
        text_add(w->out, "%*s{\n", w->indent, "");
    else if (w->mode == MODE_BACKWARD)
        text_add(w->out, "%*sfor (long %s = %" PRId64 "; %s >= 0; %s--) {\n",
                 w->indent, "", i, count - 1, i, i);
    else
        text_add(w->out, "%*sfor (long %s = 0; %s < %" PRId64 "; %s++) {\n",
                 w->indent, "", i, i, count, i);
}

/* Of the lines "type name = ...;" those whose name is used. */
static void put_used(struct compilation *c, struct text *out,
                     const char *lines, const char *text)
{
    const char *end;

    for (const char *line = lines; *line; line = end) {
        end = strchr(line, '\n') + 1;
        const char *after = strstr(line, " = "), *name = after;
        while (name[-1] != ' ' && name[-1] != '*')
            name--;
        if (has_word(text, arena_text(c->arena, name, (size_t)(after - name))))
            text_put(out, line, (size_t)(end - line));
    }
}

void loop_c(struct writer *w, const struct kernel *k)
{
    const struct node *n = k->anchor;
    const struct region *r = n->loop.body;
    const char *i = unique(w, "i");
    struct text bases = { 0 }, body = { 0 };
    struct writer inner = *w;
    bool backward = w->mode == MODE_BACKWARD;

    hold_c(w, n, "hold");
    begin_c(w, n, i);
    inner.indent += 4;
    inner.out = &bases;
    inner.region = r;
    inner.outer = w;
    loop_bases(&inner, n, i, w);
    inner.out = &body;
    if (n->loop.count == 1)
        group_values(&inner, n, w);
    else if (backward)
        loop_gradients(&inner, n, w, i);
    if (n->loop.count == 1)
        ;
    else if (backward || loop_memory(n, w->mode) != LOOP_KEPT)
        loop_in_and_out(&inner, n, k, w, i);
    else
        loop_forward_values(&inner, n, w, i);
    if (backward && n->loop.inverse)
        inverse_c(&inner, n);
    if (backward && n->loop.recompute)
        recompute_c(&inner, n, w);
    captured_names(&inner, n, w);
    statements_c(&inner, r);
    put_used(w->c, w->out, bases.data ? bases.data : "",
             body.data ? body.data : "");
    text_put(w->out, body.data, body.length);
    text_free(&bases);
    text_free(&body);
    if (n->loop.draw)
        left_out_c(w, n);
    text_add(w->out, "%*s}\n", w->indent, "");
    hold_c(w, n, "release");
}
