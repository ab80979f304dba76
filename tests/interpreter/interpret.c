/* interpret.c: walks the network forward, region by region, iteration by
 * iteration, then back over the steps it took. */
#include "tape.h"

static const struct rule *const families[] = {
    TWIN(point_rules), TWIN(shape_rules), TWIN(dense_rules), TWIN(map_rules),
    TWIN(norm_rules), TWIN(block_rules), TWIN(sequence_rules),
    TWIN(graph_rules), TWIN(loss_rules),
};

static const struct rule *rule_of(enum op op)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        for (const struct rule *r = families[i]; r->forward; r++)
            if (r->op == op)
                return r;
    fprintf(stderr, "interpreter: no rule for '%s'\n", op_name(op));
    abort();
}

/* ---- batch norms move running statistics ----
 *
 * In the order of the forward pass.  But what is recomputed, by `checkpoint`
 * or in a reversible stream, moves them when it is run again: iteration by
 * iteration in the order of the backward pass.  So what happened is kept as a
 * tree: norms; bodies; recomputed loops, whose children are iterations.  A loop
 * that no loss depends on is not run again. */
struct event {
    enum { EVENT_NORM, EVENT_BODY, EVENT_AGAIN } kind;
    const struct step *norm;
    const struct tensor *result;        /* of what may be run again */
    struct event *parent, *first, *last, *next, *previous;
};

static struct event *add_event(struct machine *m, int kind)
{
    struct event *e = NEW(m->arena, struct event), *parent = m->event;

    e->kind = kind;
    e->parent = parent;
    e->previous = parent->last;
    if (parent->last)
        parent->last->next = e;
    else
        parent->first = e;
    parent->last = e;
    return e;
}

static void begin_event(struct machine *m, int kind)
{
    m->event = add_event(m, kind);
}

static void end_event(struct machine *m)
{
    m->event = m->event->parent;
}

/* running += momentum (new - running) */
static void move_statistics(const struct step *s)
{
    real momentum = narrow(s->node->norm.momentum);
    const real *kept = s->kept + s->out->size + s->features;

    for (size_t f = 0; f < s->features; f++) {
        real *mean = &s->param[2]->x[f], *var = &s->param[3]->x[f];
        *mean = (1 - momentum) * *mean + momentum * kept[f];
        *var = (1 - momentum) * *var + momentum * kept[s->features + f];
    }
}

static bool runs_again(const struct event *e)
{
    return e->kind == EVENT_AGAIN && e->result->reached;
}

static void move_forward(const struct event *body)
{
    for (const struct event *e = body->first; e; e = e->next)
        if (e->kind == EVENT_NORM)
            move_statistics(e->norm);
        else if (!runs_again(e))
            move_forward(e);
}

static void move_backward(const struct event *body)
{
    for (const struct event *e = body->last; e; e = e->previous) {
        if (e->kind == EVENT_BODY && runs_again(body))
            move_forward(e);
        if (e->kind != EVENT_NORM)
            move_backward(e);
    }
}

/* ---- branches that a draw leaves out ----
 *
 * `drop batch` with b = 0 runs nothing that its branch alone needs: nodes of
 * the block all of whose results go there. */

static int64_t *uses_of(struct machine *m, const struct region *r)
{
    for (const struct node *n = r->nodes.first; n; n = n->next)
        for (int i = 0; i < n->outs; i++)
            m->uses[n->out[i]->id] = 0;
    for (const struct node *n = r->nodes.first; n; n = n->next)
        for (int i = 0; i < n->ins; i++)
            m->uses[n->in[i]->id]++;
    for (int i = 0; i < r->output_count; i++)
        m->uses[r->outputs[i]->id]++;
    return m->uses;
}

static bool is_idle(const struct machine *m, const struct node *n)
{
    return n->outs && m->idle[n->out[0]->id] == m->activation;
}

/* After a use that was the last one: the node has none left. */
static bool loses_last(const struct machine *m, const struct node *n,
                       const bool *touched)
{
    bool any = false;

    for (int i = 0; i < n->outs; i++) {
        if (m->uses[n->out[i]->id])
            return false;
        any |= touched[n->out[i]->id];
    }
    return any && n->op != OP_INPUT;
}

static void release(struct machine *m, const struct node *n, bool *touched)
{
    for (int i = 0; i < n->ins; i++) {
        m->uses[n->in[i]->id]--;
        touched[n->in[i]->id] = true;
    }
}

static void leave_out(struct machine *m, const struct node *drop)
{
    bool *touched = arena_alloc(m->arena,
                                (size_t)m->subject->network->next_value + 1);

    release(m, drop, touched);
    for (const struct node *n = drop->previous; n; n = n->previous) {
        if (is_idle(m, n) || !n->outs || n->out[0]->id < drop->set.n[0]
            || !loses_last(m, n, touched))
            continue;
        m->idle[n->out[0]->id] = m->activation;
        release(m, n, touched);
    }
}

static bool drops_branch(const struct machine *m, const struct frame *frame,
                         const struct node *n)
{
    return m->training && n->op == OP_POINT
        && strcmp(n->point.step, "DROP_BATCH") == 0
        && (double)dropout_word(m, frame->key + n->point.key, 0, 0)
           < drop_chance(n) * 4294967296.0;
}

/* Marks what is not run this time. */
static void find_idle(struct machine *m, const struct frame *frame)
{
    bool counted = false;

    m->activation = ++m->activations;
    for (const struct node *n = frame->region->nodes.first; n; n = n->next) {
        if (!drops_branch(m, frame, n) || is_idle(m, n))
            continue;
        if (!counted)
            uses_of(m, frame->region);
        counted = true;
        leave_out(m, n);
    }
}

/* ---- one operation ---- */

static struct tensor *tensor_of(struct machine *m, const struct frame *frame,
                                const struct param *param)
{
    const struct frame *home = frame_of(frame, param->region);
    const struct named *n = !home ? NULL
        : subject_find(m->subject, subject_name(m->arena, home, param->path,
                                                param->leaf));

    if (n && n->param->size == param->size)
        return m->tensors[n->number];
    m->outcome->bad_name = true;
    return tensor_new(m, (size_t)param->size);
}

static size_t size_of(const struct machine *m, const struct value *v)
{
    return m->feed->batch * (size_t)v->rows * (size_t)v->features;
}

static void measure(struct machine *m, struct step *s)
{
    const struct node *n = s->node;
    const struct value *like = n->outs ? n->out[0] : n->in[0];

    s->rows = m->feed->batch * (size_t)like->rows;
    s->features = (size_t)like->features;
    if (n->outs)
        s->out = m->values[n->out[0]->id]
               = tensor_new(m, size_of(m, n->out[0]));
}

/* From -1 to 1. */
static real noise(struct machine *m)
{
    m->noise = m->noise * 1664525 + 1013904223;
    return (real)m->noise * (real)0x1p-31 - 1;
}

/* Order and fusion round otherwise: two sums of the same terms that cancel may
 * be 0 and a rounding.  So the runs in float must not agree by chance. */
static void shake(struct machine *m, real *values, size_t size)
{
    if (!m->feed->shaken || sizeof(real) == sizeof(double))
        return;
    for (size_t i = 0; i < size; i++)
        values[i] += values[i] * (real)0x1p-23 * noise(m);
}

static void run_node(struct machine *m, const struct frame *frame,
                     struct pair pair)
{
    struct step *s = NEW(m->arena, struct step);
    const struct node *n = pair.node;

    *s = (struct step) { .node = n, .rule = rule_of(n->op), .key = frame->key,
                         .before = m->last };
    for (int i = 0; i < n->ins; i++)
        s->in[i] = m->values[n->in[i]->id];
    for (int i = 0; i < NODE_PARAMS; i++)
        s->param[i] = n->param[i] ? tensor_of(m, frame, pair.code->param[i])
                                  : NULL;
    measure(m, s);
    if (drops_branch(m, frame, n))
        return;                         /* 0, and no gradient */
    m->last = s;
    s->rule->forward(m, s);
    if (s->out)
        shake(m, s->out->x, s->out->size);
    if (n->op == OP_BATCH_NORM)
        add_event(m, EVENT_NORM)->norm = s;
}

/* ---- regions ---- */

static void run_frame(struct machine *m, const struct frame *frame);

static void run_call(struct machine *m, const struct frame *frame,
                     struct pair pair, int64_t key)
{
    struct frame body = frame_call(m->arena, frame, pair, key);
    const struct node *n = pair.node;

    m->values[body.region->inputs[0]->id] = m->values[n->in[0]->id];
    begin_event(m, EVENT_BODY);
    run_frame(m, &body);
    end_event(m);
    m->values[n->out[0]->id] = m->values[body.region->outputs[0]->id];
}

/* What enters an iteration of a reversible stream is made again from what left
 * it, which errs by rounding: in float, some roundings of the largest, or of
 * the 1 that norms in a branch make. */
static void reconstruct(struct machine *m, struct tensor *x)
{
    real most = 1;

    if (!m->training || sizeof(real) == sizeof(double))
        return;
    for (size_t i = 0; i < x->size; i++)
        most = fabs(x->x[i]) > most ? fabs(x->x[i]) : most;
    for (size_t i = 0; i < x->size; i++)
        x->x[i] += most * (real)0x1p-21 * noise(m);
}

static void run_loop(struct machine *m, const struct frame *frame,
                     struct pair pair, int64_t key)
{
    const struct node *n = pair.node;
    struct tensor *x = m->values[n->in[0]->id];

    begin_event(m, n->loop.recompute ? EVENT_AGAIN : EVENT_BODY);
    for (int64_t i = 0; i < n->loop.count; i++) {
        struct frame body = frame_iteration(m->subject, frame, pair, i, key);
        if (n->loop.inverse)
            reconstruct(m, x);
        m->values[body.region->inputs[0]->id] = x;
        for (int k = 1; k < n->ins; k++)
            m->values[body.region->inputs[k]->id] = m->values[n->in[k]->id];
        begin_event(m, EVENT_BODY);
        run_frame(m, &body);
        end_event(m);
        x = m->values[body.region->outputs[0]->id];
    }
    m->event->result = x;
    end_event(m);
    m->values[n->out[0]->id] = x;
}

static void give(struct machine *m, const struct node *n)
{
    const struct port *port = m->subject->network->outputs;
    const struct tensor *t = m->values[n->in[0]->id];
    int number = 0;

    for (; port != n->output; port = port->next)
        number++;
    double *to = arena_alloc(m->arena, (t->size + 1) * sizeof *to);
    for (size_t i = 0; i < t->size; i++)
        to[i] = (double)t->x[i];
    m->outcome->outputs[number] = to;
}

static void run_any(struct machine *m, const struct frame *frame,
                    struct pair pair, int64_t key)
{
    switch (pair.node->op) {
    case OP_CALL: run_call(m, frame, pair, key); break;
    case OP_LOOP: run_loop(m, frame, pair, key); break;
    case OP_OUTPUT: give(m, pair.node); break;
    case OP_INPUT: break;
    default: run_node(m, frame, pair);
    }
}

/* Dropouts of this region come first, then those of what it calls and repeats,
 * in order. */
static void run_frame(struct machine *m, const struct frame *frame)
{
    int64_t key = frame->key + frame->region->keys, activation;

    find_idle(m, frame);
    activation = m->activation;
    for (struct pair p = pair_first(frame); p.node; p = pair_next(p)) {
        m->activation = activation;
        if (!is_idle(m, p.node))
            run_any(m, frame, p, key);
        key += subject_keys_of(m->subject, p.node);
    }
}

/* ---- all of it ---- */

static struct tensor *filled(struct machine *m, const double *values,
                             size_t size)
{
    struct tensor *t = tensor_new(m, size);

    for (size_t i = 0; i < size; i++)
        t->x[i] = (real)values[i];
    return t;
}

static void begin(struct machine *m)
{
    const struct subject *s = m->subject;
    size_t ids = (size_t)s->network->next_value + 1;
    int number = 0;

    m->values = arena_alloc(m->arena, ids * sizeof *m->values);
    m->idle = arena_alloc(m->arena, ids * sizeof *m->idle);
    m->uses = arena_alloc(m->arena, ids * sizeof *m->uses);
    m->tensors = arena_alloc(m->arena, (s->count + 1) * sizeof *m->tensors);
    m->event = NEW(m->arena, struct event);
    m->event->kind = EVENT_BODY;
    for (size_t i = 0; i < s->count; i++)
        m->tensors[i] = filled(m, m->feed->tensors[i],
                               (size_t)s->tensors[i]->param->size);
    for (const struct port *p = s->network->inputs; p; p = p->next, number++)
        if (!p->graph)
            m->values[p->value->id] = filled(m, m->feed->values[number],
                                             size_of(m, p->value));
}

static double *as_doubles(struct machine *m, const real *from, size_t size)
{
    double *to = arena_alloc(m->arena, (size + 1) * sizeof *to);

    for (size_t i = 0; i < size; i++)
        to[i] = (double)from[i];
    return to;
}

static void take_results(struct machine *m)
{
    const struct subject *s = m->subject;
    int number = 0;

    m->outcome->loss = (double)m->loss;
    for (size_t i = 0; i < s->count; i++) {
        const struct tensor *t = m->tensors[i];
        m->outcome->tensors[i] = as_doubles(
            m, s->tensors[i]->param->trainable ? t->dx : t->x, t->size);
    }
    for (const struct port *p = s->network->inputs; p; p = p->next, number++)
        if (!p->graph && !p->integer && !p->target) {
            const struct tensor *t = m->values[p->value->id];
            m->outcome->input_grads[number] = as_doubles(m, t->dx, t->size);
        }
}

static void step_back(struct machine *m, struct step *s)
{
    if (s->out && !s->out->reached)
        return;
    for (size_t i = 0; s->out && i < s->out->size; i++)
        note_term(m, s->out->dx[i]);
    if (s->out)
        shake(m, s->out->dx, s->out->size);
    for (int i = 0; i < s->node->ins && (s->out || i == 0); i++)
        s->in[i]->reached = true;
    if (s->rule->backward)
        s->rule->backward(m, s);
}

static void train(struct machine *m)
{
    for (struct step *s = m->last; s; s = s->before)
        step_back(m, s);
    move_forward(m->event);
    move_backward(m->event);
    take_results(m);
}

static int count_ports(const struct port *port)
{
    int count = 1;

    for (; port; port = port->next)
        count++;
    return count;
}

void TWIN(interpret)(const struct subject *subject, const struct feed *feed,
                     bool training, struct arena *arena,
                     struct outcome *outcome)
{
    struct machine m = { .subject = subject, .feed = feed,
                         .training = training, .arena = arena,
                         .outcome = outcome };
    struct frame main = frame_main(subject);

    *outcome = (struct outcome) { 0 };
    outcome->outputs = arena_alloc(arena, sizeof(double *)
        * (size_t)count_ports(subject->network->outputs));
    outcome->input_grads = arena_alloc(arena, sizeof(double *)
        * (size_t)count_ports(subject->network->inputs));
    outcome->tensors = arena_alloc(arena, sizeof(double *)
                                   * (subject->count + 1));
    begin(&m);
    run_frame(&m, &main);
    if (training)
        train(&m);
}
