/* emit_header.c: the header: what the user's program sees. */
#include "emit.h"

#include <inttypes.h>
#include <string.h>

const char *network_c(struct compilation *c)
{
    return global_identifier(c->arena, c->network->name);
}

const char *macro_c(struct compilation *c)
{
    return upper(c->arena, network_c(c));
}

bool trains(struct compilation *c)
{
    return c->network->main->body->schedule[MODE_BACKWARD] != NULL;
}

bool wants_grad(const struct port *port)
{
    return !port->integer && !port->target && !port->graph;
}

const char *port_type_c(const struct port *port)
{
    return port->graph ? "struct rnet_graph" : port->integer ? "int32_t"
         : "float";
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
            call_argument(call, "const %s *%s", port_type_c(p),
                          identifier(c->arena, p->name));
    for (const struct port *p = c->network->outputs; p; p = p->next)
        call_argument(call, "float *%s", identifier(c->arena, p->name));
}

const char *entry_word(const struct compilation *c, bool training)
{
    return !training ? "infer" : c->optimizer ? "step" : "train";
}

const char *optimizer_type(const struct compilation *c)
{
    return c->optimizer == OPTIMIZER_ADAM ? "rnet_adam" : "rnet_sgd";
}

void prototype_c(struct compilation *c, struct text *out, bool training)
{
    struct call call;
    const char *name = arena_format(c->arena, "enum rnet_status %s_%s",
                                    network_c(c), entry_word(c, training));

    call_begin(&call, out, 0, name);
    call_argument(&call, training ? "float *params" : "const float *params");
    inputs_c(c, &call, training);
    if (training) {
        call_argument(&call, "float *loss");
        if (c->optimizer)
            call_argument(&call, "struct %s *optimizer", optimizer_type(c));
        else
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
            define(out, macro_c(c), upper(c->arena, k->name), k->integer, "");
}

static void port_sizes(struct compilation *c, struct text *out,
                       const struct port *ports, const char *word)
{
    for (const struct port *p = ports; p; p = p->next)
        if (!p->graph)
            define(out, macro_c(c), arena_format(c->arena, "%s_SIZE",
                   upper(c->arena, p->name)), shape_size(&p->value->shape),
                   arena_format(c->arena, "%s %s %s%s", p->target ? "target"
                   : word, p->name, p->integer ? "int " : "",
                   shape_text(c, &p->value->shape)));
}

int64_t held_grads(const struct compilation *c, bool training)
{
    return training && c->optimizer ? c->network->main->body->grad_floats : 0;
}

struct form_size total_size(struct compilation *c, bool training,
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
    size.constant += shared + held_grads(c, training);
    return size;
}

static void bytes_macro(struct compilation *c, struct text *out,
                        bool training)
{
    int64_t worker;
    struct form_size size = total_size(c, training, &worker);

    text_add(out, "#define %s_%s_BYTES(batch, threads) \\\n    (sizeof(float) * (%s \\\n"
             "     + (size_t)(threads) * %" PRId64 "))\n", macro_c(c),
             training ? "TRAIN" : "INFER", form_macro(c, &size),
             worker + WORKER_FLOATS);
}

static void shape_comment(struct compilation *c, struct text *out,
                          bool training)
{
    for (const struct port *p = c->network->inputs; p; p = p->next)
        if (p->graph)
            text_add(out, " * %s: a graph of `batch` nodes\n", p->name);
        else if (training || !p->target)
            text_add(out, " * %s (%s)%s\n", p->name,
                     plain_shape(c, &p->value->shape), p->integer
                     ? arena_format(c->arena, ", each 0 ... %" PRId64 "%s",
                                    p->value->classes - 1, p->ignores
                                    ? arena_format(c->arena, " or %" PRId64,
                                                   p->ignore) : "") : "");
    for (const struct port *p = c->network->outputs; p; p = p->next)
        text_add(out, " * %s (%s)%s\n", p->name,
                 plain_shape(c, &p->value->shape),
                 training ? ", or NULL" : "");
}

static void header_functions(struct compilation *c, struct text *out)
{
    text_add(out, "/* The network as a table: names, shapes, offsets, entry "
             "points. */\nextern const struct rnet_network %s;\n\n",
             network_c(c));
    text_add(out, "/* Initial parameters, as the network says. */\n"
             "enum rnet_status %s_init(float *params, uint64_t seed);\n\n",
             network_c(c));
    text_add(out, "/* Forward.  work: %s_INFER_BYTES(batch, threads).\n",
             macro_c(c));
    shape_comment(c, out, false);
    text_add(out, " */\n");
    prototype_c(c, out, false);
    text_add(out, ";\n");
    if (!trains(c))
        return;
    if (c->optimizer)
        text_add(out, "\n/* One step of training: forward, and backward with "
                 "the step of `optimizer`,\n * whose arrays are zero at first.  "
                 "*loss is set, before the step; gradients of\n * inputs are "
                 "set, each may be NULL.  Running statistics in params "
                 "move.\n");
    else
        text_add(out, "\n/* Forward and backward.  *loss is set; grads += "
                 "dloss/dparams; gradients of\n * inputs are set, each may be "
                 "NULL.  Running statistics in params move.\n");
    text_add(out, " * work: %s_TRAIN_BYTES(batch, threads).\n", macro_c(c));
    shape_comment(c, out, true);
    text_add(out, " */\n");
    prototype_c(c, out, true);
    text_add(out, ";\n");
}

void emit_origin(struct compilation *c, struct text *out)
{
    const struct network *n = c->network;

    text_add(out, "/* %s: emitted by rnetc " RNETC_VERSION " from ", n->name);
    comment_text(out, n->source, strlen(n->source));
    text_add(out, "; do not edit");
}

void emit_header(struct compilation *c, struct text *out)
{
    const struct network *n = c->network;
    const struct region *main = n->main->body;
    const char *guard = arena_format(c->arena, "%s_H", macro_c(c));

    emit_origin(c, out);
    text_add(out, ". */\n#ifndef %s\n#define %s\n\n#include <rnet.h>\n\n"
             "#if RNET_VERSION != %d\n#error \"rnetc " RNETC_VERSION " wrote "
             "this for another rnet.h: take both of one release\"\n#endif\n\n"
             "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n", guard, guard,
             CONTRACT);
    knobs(c, out);
    port_sizes(c, out, n->inputs, "input");
    port_sizes(c, out, n->outputs, "output");
    define(out, macro_c(c), "PARAMETERS", n->parameters, "trainable scalars");
    define(out, macro_c(c), "GRAD_FLOATS", main->param_floats,
           c->optimizer ? "of each optimiser state"
           : "of gradients, of each optimiser state");
    define(out, macro_c(c), "PARAM_FLOATS",
           main->param_floats + main->state_floats, "of parameters");
    text_add(out, "\n/* Bytes of work memory. */\n");
    bytes_macro(c, out, false);
    if (trains(c))
        bytes_macro(c, out, true);
    text_add(out, "\n");
    header_functions(c, out);
    text_add(out, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}
