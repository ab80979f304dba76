/* emitted.c: one emitted network against the interpreter.  All memory is
 * exactly as large as promised, filled with NaN and guarded on both sides. */
#include "emitted.h"
#include "step.h"

#include "../guarded.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PORTS = 64, SHOWN = 3,
       BEFORE = 4096 };         /* bytes before work memory that are watched */

/* ---- messages ---- */

static struct {
    char where[200];
    const char *form;
    const struct trial *trial;
    int failures;
} now;

static void fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
static void fail(const char *format, ...)
{
    va_list list;

    if (now.failures++ >= SHOWN)
        return;
    printf("    %s, %s, batch %zu: ", now.form, rnet_isa_name(),
           now.trial->feed.batch);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
}

static void faulted(int number)
{
    static const char text[] = "    a fault, most likely an access beyond an "
                               "array: ";

    (void)number;
    if (write(STDOUT_FILENO, text, sizeof text - 1) < 0
        || write(STDOUT_FILENO, now.where, strlen(now.where)) < 0
        || write(STDOUT_FILENO, "\n", 1) < 0)
        _exit(2);
    _exit(1);
}

/* ---- pools ---- */

static const int thread_counts[THREAD_COUNTS] = { 0, 1, 2, 3, 7 };

struct pools { struct rnet_pool *pool[THREAD_COUNTS]; };

struct pools *pools_new(void)
{
    struct pools *pools = calloc(1, sizeof *pools);

    for (int i = 1; pools && i < THREAD_COUNTS; i++)
        pools->pool[i] = rnet_pool_create(thread_counts[i]);
    signal(SIGSEGV, faulted);
    signal(SIGBUS, faulted);
    return pools;
}

/* ---- the table ---- */

static void check_entry(const struct rnet_network *net, const struct named *n)
{
    struct rnet_entry entry;

    if (rnet_tensor_find(net, n->name, &entry) != RNET_OK) {
        fail("there is no tensor %s", n->name);
        return;
    }
    bool same = entry.tensor->rank == n->param->shape.rank
        && entry.size == (size_t)n->param->size;
    for (int i = 0; same && i < entry.tensor->rank; i++)
        same = entry.tensor->shape[i] == n->param->shape.axis[i];
    if (!same)
        fail("%s has another shape", n->name);
    if (entry.tensor->trainable != n->param->trainable)
        fail("%s: trainable is wrong", n->name);
}

static void check_ports(const struct rnet_port *ports, int count,
                        const struct port *expected)
{
    int i = 0;

    for (; expected; expected = expected->next, i++) {
        const struct value *v = expected->value;
        if (i >= count || strcmp(ports[i].name, expected->name))
            fail("there is no port %s at place %d", expected->name, i);
        else if (!expected->graph
                 && (ports[i].size != (size_t)shape_size(&v->shape)
                     || ports[i].integer != expected->integer
                     || ports[i].target != expected->target
                     || ports[i].classes != v->classes))
            fail("port %s is described wrongly", expected->name);
    }
    if (i != count)
        fail("there are %d ports, not %d", count, i);
}

static void check_table(const struct rnet_network *net,
                        const struct subject *subject)
{
    size_t trainable = 0;

    for (size_t i = 0; i < subject->count; i++) {
        const struct param *p = subject->tensors[i]->param;
        check_entry(net, subject->tensors[i]);
        if (subject_find(subject, subject->tensors[i]->name)
            != subject->tensors[i])
            fail("two tensors are called %s", subject->tensors[i]->name);
        trainable += p->trainable ? (size_t)p->size : 0;
    }
    if (rnet_tensor_count(net) != subject->count)
        fail("the table has %zu tensors, not %zu", rnet_tensor_count(net),
             subject->count);
    if (net->trainable != trainable)
        fail("the table says %zu trainable scalars, there are %zu",
             net->trainable, trainable);
    check_ports(net->inputs, net->input_count, subject->network->inputs);
    check_ports(net->outputs, net->output_count, subject->network->outputs);
}

/* ---- the caller's arrays ---- */

struct call {
    size_t batch;
    struct guarded params, start, grads, loss;
    struct guarded inputs[PORTS], outputs[PORTS], input_grads[PORTS];
    struct rnet_graph *graphs;
    const void *input[PORTS];
    float *output[PORTS], *input_grad[PORTS];
};

static void pack_tensors(const struct rnet_network *net,
                         const struct trial *t, float *params)
{
    for (size_t i = 0; i < t->subject->count; i++) {
        const struct named *n = t->subject->tensors[i];
        size_t size = (size_t)n->param->size;
        float *values = malloc((size + 1) * sizeof *values);
        struct rnet_entry entry;
        for (size_t k = 0; k < size; k++)
            values[k] = (float)t->feed.tensors[i][k];
        if (rnet_tensor_find(net, n->name, &entry) == RNET_OK)
            rnet_pack(&entry, params, values);
        free(values);
    }
}

static void fill_input(struct call *c, int i, const struct rnet_port *port,
                       const struct trial *t)
{
    size_t count = t->feed.batch * port->size;
    const struct links *g = &t->feed.links[i];

    if (port->graph) {
        c->graphs[i] = (struct rnet_graph) { (long)t->feed.batch, g->offsets,
                                             g->neighbours, g->weights, NULL };
        c->input[i] = &c->graphs[i];
        return;
    }
    c->inputs[i] = guarded_new(count * 4, 4, 0);
    c->input[i] = c->inputs[i].data;
    for (size_t k = 0; k < count; k++)
        if (port->integer)
            ((int32_t *)c->inputs[i].data)[k] = (int32_t)t->feed.values[i][k];
        else
            ((float *)c->inputs[i].data)[k] = (float)t->feed.values[i][k];
    if (port->integer || port->target)
        return;
    c->input_grads[i] = guarded_new(count * 4, 4, 0);
    c->input_grad[i] = c->input_grads[i].data;
}

static size_t work_bytes(const struct rnet_network *net, size_t batch,
                         int threads, bool training)
{
    return (training ? net->train_bytes : net->infer_bytes)(batch, threads);
}

/* For any call, and what stands before it. */
static size_t most_work(const struct rnet_network *net, size_t batch)
{
    size_t infer = work_bytes(net, batch, 7, false);
    size_t train = can_train(net) ? work_bytes(net, batch, 7, true) : 0;

    return (infer > train ? infer : train) + BEFORE;
}

static struct call call_new(const struct rnet_network *net,
                            const struct trial *t)
{
    struct call c = { .batch = t->feed.batch,
                      .graphs = calloc(PORTS, sizeof *c.graphs) };

    c.params = guarded_new(net->param_floats * 4, RNET_ALIGN, 0);
    c.start = guarded_new(net->param_floats * 4, RNET_ALIGN, 0);
    c.grads = guarded_new(net->grad_floats * 4, RNET_ALIGN, 0);
    c.loss = guarded_new(4, 4, 0);
    for (int i = 0; i < net->input_count && i < PORTS; i++)
        fill_input(&c, i, &net->inputs[i], t);
    for (int i = 0; i < net->output_count && i < PORTS; i++) {
        c.outputs[i] = guarded_new(c.batch * net->outputs[i].size * 4, 4, 0);
        c.output[i] = c.outputs[i].data;
    }
    memset(c.start.data, 0, net->param_floats * 4);
    pack_tensors(net, t, c.start.data);
    return c;
}

static void call_free(struct call *c)
{
    struct guarded *arrays[] = { &c->params, &c->start, &c->grads, &c->loss };

    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        guarded_free(arrays[i]);
    free(c->graphs);
    for (int i = 0; i < PORTS; i++) {
        guarded_free(&c->inputs[i]);
        guarded_free(&c->outputs[i]);
        guarded_free(&c->input_grads[i]);
    }
}

static bool is_intact(const struct guarded *memory)
{
    return !memory->map || guarded_intact(memory);
}

static void check_intact(const struct call *c)
{
    bool intact = is_intact(&c->params) && is_intact(&c->grads)
        && is_intact(&c->loss);

    for (int i = 0; i < PORTS; i++)
        intact = intact && is_intact(&c->inputs[i])
            && is_intact(&c->outputs[i]) && is_intact(&c->input_grads[i]);
    if (!intact)
        fail("%s writes beside the caller's arrays", now.where);
}

/* ---- a call ---- */

/* NaN wherever a result is to be; the work memory ends where the promised bytes
 * do, at most a little before what cannot be touched, and has a pattern before
 * it. */
static struct rnet_work prepare(const struct rnet_network *net,
                                struct call *c, const struct trial *t,
                                const struct guarded *work, int threads,
                                bool training)
{
    size_t bytes = work_bytes(net, c->batch, threads ? threads : 1, training);
    unsigned char *memory = (unsigned char *)work->data + BEFORE
        + (work->bytes - BEFORE - bytes) / RNET_ALIGN * RNET_ALIGN;

    guarded_poison(&c->loss);
    for (int i = 0; i < PORTS; i++) {
        if (c->outputs[i].map)
            guarded_poison(&c->outputs[i]);
        if (c->input_grads[i].map)
            guarded_poison(&c->input_grads[i]);
    }
    memcpy(c->params.data, c->start.data, c->params.bytes);
    memset(c->grads.data, 0, c->grads.bytes);
    memset(memory - BEFORE, 0xa5, BEFORE);
    memset(memory, 0xff, bytes);
    return (struct rnet_work) { .memory = memory, .bytes = bytes,
                                .seed = t->feed.seed, .step = t->feed.step };
}

static void check_before(const struct rnet_work *work)
{
    const unsigned char *memory = work->memory;

    for (const unsigned char *at = memory - BEFORE; at < memory; at++)
        if (*at != 0xa5) {
            fail("%s writes before its work memory", now.where);
            return;
        }
}

static enum rnet_status run(const struct rnet_network *net, struct call *c,
                            const struct trial *t, struct pools *pools,
                            const struct guarded *memory, int number,
                            bool training)
{
    struct rnet_work work = prepare(net, c, t, memory, thread_counts[number],
                                    training);
    enum rnet_status status;

    snprintf(now.where, sizeof now.where, "%s, %s, %s, batch %zu, %d threads",
             now.form, rnet_isa_name(), training ? "training" : "inference",
             c->batch, thread_counts[number]);
    work.pool = pools->pool[number];
    status = training
        ? gradients_of(net, c->params.data, c->input, c->output, c->loss.data,
                     c->grads.data, c->input_grad, c->batch, &work)
        : net->infer(c->params.data, c->input, c->output, c->batch, &work);
    check_before(&work);
    check_intact(c);
    return status;
}

/* ---- against the reference ---- */

static void compare(const char *what, const char *name, const float *found,
                    const double *expected, size_t count, double bound)
{
    size_t worst = 0;
    double most = -1;

    for (size_t i = 0; i < count; i++) {
        double gap = fabs((double)found[i] - expected[i]);
        if (isnan(gap) || gap > most) {
            most = isnan(gap) ? (double)INFINITY : gap;
            worst = i;
        }
    }
    if (count && !(most <= bound))
        fail("%s%s[%zu] is %.9g, not %.9g: %.2g apart, at most %.2g", what,
             name, worst, (double)found[worst], expected[worst], most, bound);
}

static void compare_outputs(const struct rnet_network *net,
                            const struct call *c, const char *what,
                            const struct outcome *expected,
                            const struct bounds *bounds)
{
    for (int i = 0; i < net->output_count && i < PORTS; i++)
        compare(what, net->outputs[i].name, c->output[i],
                expected->outputs[i], c->batch * net->outputs[i].size,
                bounds->outputs[i]);
}

static void compare_tensor(const struct rnet_network *net,
                           const struct call *c, const struct trial *t,
                           size_t i)
{
    const struct named *n = t->subject->tensors[i];
    bool grad = n->param->trainable;
    struct rnet_entry entry;

    if (rnet_tensor_find(net, n->name, &entry) != RNET_OK)
        return;
    float *values = malloc((entry.size + 1) * sizeof *values);
    rnet_unpack(&entry, grad ? c->grads.data : c->params.data, values);
    compare(grad ? "gradient of " : "", n->name, values, t->trained.tensors[i],
            entry.size, t->train_bounds.tensors[i]);
    free(values);
}

static void compare_training(const struct rnet_network *net,
                             const struct call *c, const struct trial *t)
{
    compare_outputs(net, c, "in training, output ", &t->trained,
                    &t->train_bounds);
    compare("", "loss", c->loss.data, &t->trained.loss, 1,
            t->train_bounds.loss);
    bool grads = t->verdict == DECIDED;
    for (size_t i = 0; i < t->subject->count; i++)
        if (grads || !t->subject->tensors[i]->param->trainable)
            compare_tensor(net, c, t, i);
    for (int i = 0; i < net->input_count && i < PORTS; i++)
        if (grads && c->input_grad[i])
            compare("gradient of input ", net->inputs[i].name,
                    c->input_grad[i], t->trained.input_grads[i],
                    c->batch * net->inputs[i].size,
                    t->train_bounds.input_grads[i]);
}

/* Trained parameters stay as they are; and so does padding, as zero. */
static void check_untouched(const struct rnet_network *net,
                            const struct call *c, bool training)
{
    size_t floats = training ? net->grad_floats : net->param_floats;

    if (memcmp(c->params.data, c->start.data, floats * 4))
        fail("%s changes parameters", now.where);
}

static bool same(const struct guarded *a, const struct guarded *b)
{
    return !a->map || !memcmp(a->data, b->data, a->bytes);
}

static void expect_same(const struct call *a, const struct call *b)
{
    bool equal = same(&a->params, &b->params) && same(&a->grads, &b->grads)
        && same(&a->loss, &b->loss);

    for (int i = 0; i < PORTS; i++)
        equal = equal && same(&a->outputs[i], &b->outputs[i])
            && same(&a->input_grads[i], &b->input_grads[i]);
    if (!equal)
        fail("%s: other bits than without a pool", now.where);
}

static void judge(const struct rnet_network *net, const struct trial *t,
                  struct pools *pools, const struct guarded *work,
                  bool training)
{
    struct call first = call_new(net, t), other = call_new(net, t);
    enum rnet_status expected = training && t->bad_batch ? RNET_BAD_BATCH
                                                         : RNET_OK;

    for (int k = 0; k < THREAD_COUNTS; k++) {
        struct call *c = k ? &other : &first;
        enum rnet_status status = run(net, c, t, pools, work, k, training);
        if (status != expected)
            fail("%s: status is \"%s\", not \"%s\"", now.where,
                 rnet_status_text(status), rnet_status_text(expected));
        if (status != RNET_OK)
            break;
        check_untouched(net, c, training);
        if (k)
            expect_same(&first, &other);
        else if (training)
            compare_training(net, c, t);
        else
            compare_outputs(net, c, "output ", &t->inferred,
                            &t->infer_bounds);
    }
    call_free(&first);
    call_free(&other);
}

int emitted_judge(const struct rnet_network *net, const char *form,
                  const struct trial *trial, struct pools *pools)
{
    now.form = form;
    now.trial = trial;
    now.failures = 0;
    check_table(net, trial->subject);
    if (!can_train(net) != !trial->trains)
        fail("it %s, but has %s loss", can_train(net) ? "can be trained"
             : "cannot be trained", trial->trains ? "a" : "no");
    if (now.failures)
        return now.failures;
    struct guarded work = guarded_new(most_work(net, trial->feed.batch),
                                      RNET_ALIGN, 0);
    judge(net, trial, pools, &work, false);
    if (trial->trains)
        judge(net, trial, pools, &work, true);
    guarded_free(&work);
    return now.failures;
}
