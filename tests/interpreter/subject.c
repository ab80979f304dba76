/* subject.c: reads a network and lists its tensors, walking what the user
 * wrote: each iteration and each call as it was elaborated. */
#include "subject.h"

#include "import.h"
#include "options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static int64_t number_of_piece(const struct frame *frame,
                               const struct piece *piece)
{
    int64_t number = piece->first;

    for (int i = 0; i < frame->depth; i++)
        number += piece->step[i] * frame->index[i];
    return number;
}

static const char *longer(struct arena *arena, const char *text,
                          const char *more)
{
    return *text ? arena_format(arena, "%s.%s", text, more) : more;
}

const char *subject_name(struct arena *arena, const struct frame *frame,
                         const struct piece *path, const char *leaf)
{
    const char *text = frame->prefix;

    for (const struct piece *p = path; p; p = p->next) {
        text = longer(arena, text, p->text);
        if (p->indexed)
            text = arena_format(arena, "%s.%" PRId64, text,
                                number_of_piece(frame, p));
    }
    return leaf && *leaf ? longer(arena, text, leaf) : text;
}

static size_t hash(const char *text)
{
    size_t h = 5381;

    while (*text)
        h = h * 33 + (unsigned char)*text++;
    return h % 4096;
}

const struct named *subject_find(const struct subject *subject,
                                 const char *name)
{
    const struct named *n = subject->slots[hash(name)];

    while (n && strcmp(n->name, name))
        n = n->next;
    return n;
}

static void add_tensor(struct subject *s, const struct frame *frame,
                       const struct param *param)
{
    const char *name = subject_name(&s->arena, frame, param->path,
                                    param->leaf);
    struct named *n = NEW(&s->arena, struct named);
    size_t slot = hash(name);

    if (s->shared_call)
        return;
    GROW_IN(&s->arena, s->tensors, s->size, s->count);
    *n = (struct named) { name, param, s->count, s->slots[slot] };
    s->slots[slot] = n;
    s->tensors[s->count++] = n;
}

/* ---- frames ---- */

struct pair pair_first(const struct frame *frame)
{
    return (struct pair) { frame->region->nodes.first,
                           frame->code->nodes.first };
}

struct pair pair_next(struct pair pair)
{
    return (struct pair) { pair.node->next, pair.code->next };
}

struct frame frame_main(const struct subject *subject)
{
    const struct region *main = subject->network->main->body;

    return (struct frame) { .region = main, .code = main, .prefix = "" };
}

struct frame frame_iteration(const struct subject *subject,
                             const struct frame *outer, struct pair loop,
                             int64_t i, int64_t key)
{
    struct frame frame = *outer;

    frame.outer = outer;
    frame.region = loop_iteration(loop.node, i);
    frame.code = loop.code->loop.body;
    frame.key = key + i * subject_keys(subject, frame.region);
    if (loop.code->loop.count > 1 && frame.depth < LIMIT_NEST_REPEAT)
        frame.index[frame.depth++] = i;
    return frame;
}

const struct frame *frame_of(const struct frame *frame,
                             const struct region *code)
{
    while (frame && frame->code != code)
        frame = frame->outer;
    return frame;
}

struct frame frame_call(struct arena *arena, const struct frame *outer,
                        struct pair call, int64_t key)
{
    const struct shared_weights *weights = call.code->call.weights;
    const struct frame *home = weights ? frame_of(outer, weights->region)
                                       : outer;

    return (struct frame) {
        .region = call.node->call.instance->body,
        .code = call.code->call.callee->body, .key = key,
        .prefix = subject_name(arena, home, weights ? weights->path
                               : call.code->call.path, NULL),
    };
}

/* ---- numbers of dropouts ---- */

int64_t subject_keys_of(const struct subject *s, const struct node *n)
{
    if (n->op == OP_CALL)
        return subject_keys(s, n->call.instance->body);
    if (n->op == OP_LOOP)
        return n->loop.count * subject_keys(s, n->loop.body);
    return 0;
}

static int64_t count_keys(const struct subject *s, const struct region *r)
{
    int64_t keys = r->keys;

    for (const struct node *n = r->nodes.first; n; n = n->next)
        keys += subject_keys_of(s, n);
    return keys;
}

int64_t subject_keys(const struct subject *s, const struct region *r)
{
    int64_t *known = &s->keys[r->inputs[0]->id];

    if (*known == 0)
        *known = count_keys(s, r) + 1;
    return *known - 1;
}

/* ---- the walk ---- */

static void list_frame(struct subject *s, const struct frame *frame);

/* About what one operation costs for a sample. */
static double work_of(const struct node *n)
{
    double size = n->outs ? (double)n->out[0]->rows
                                * (double)n->out[0]->features : 1;
    double each = 4;

    if (n->op == OP_LINEAR)
        each = (double)n->in[0]->features;
    else if (n->op == OP_CONV)
        each = (double)n->param[0]->size / (double)n->conv.out;
    else if (n->op == OP_UPCONV)
        each = (double)n->param[0]->size / (double)n->conv.in;
    else if (n->op == OP_POOL)
        each = (double)(n->pool.kernel_height * n->pool.kernel_width);
    return size * each + (double)n->macs;
}

static void list_shared(struct subject *s, const struct frame *frame)
{
    for (const struct shared_weights *w = frame->code->weights; w;
         w = w->next) {
        struct frame body = {
            .region = w->function->body, .code = w->function->body,
            .prefix = subject_name(&s->arena, frame, w->path, NULL),
        };
        list_frame(s, &body);
    }
}

static void list_call(struct subject *s, const struct frame *frame,
                      struct pair call)
{
    struct frame body = frame_call(&s->arena, frame, call, 0);
    bool shared = call.code->call.weights != NULL;

    s->shared_call += shared;
    list_frame(s, &body);
    s->shared_call -= shared;
}

static void list_pair(struct subject *s, const struct frame *frame,
                      struct pair pair)
{
    const struct node *n = pair.node;

    s->work += work_of(n);
    if (n->op == OP_BATCH_NORM
        && (!s->normalises || n->in[0]->rows < s->least_rows)) {
        s->normalises = true;
        s->least_rows = n->in[0]->rows;
    }
    if (n->op == OP_CALL)
        list_call(s, frame, pair);
    for (int64_t i = 0; n->op == OP_LOOP && i < n->loop.count; i++) {
        struct frame body = frame_iteration(s, frame, pair, i, 0);
        list_frame(s, &body);
    }
}

static void list_frame(struct subject *s, const struct frame *frame)
{
    for (const struct param *p = frame->code->params; p; p = p->next)
        add_tensor(s, frame, p);
    list_shared(s, frame);
    for (struct pair p = pair_first(frame); p.node; p = pair_next(p))
        list_pair(s, frame, p);
}

/* ---- reading ---- */

static bool read_network(struct subject *s, int argc, char **argv)
{
    struct options options = { 0 };
    struct compilation *c = &s->c;

    s->names.arena = s->diag.arena = &s->arena;
    s->diag.out = stderr;
    s->diag.max_errors = 20;
    s->diag.no_warnings = true;
    *c = (struct compilation) { .arena = &s->arena, .names = &s->names,
                                .diag = &s->diag };
    if (options_read(&options, &s->diag, &s->names, argc, argv)
        != OPTIONS_RUN)
        return false;
    struct ast *tree = import_files(c, &options);
    return tree && !s->diag.errors
        && check(c, tree, options.network, options.settings);
}

struct subject *subject_read(int argc, char **argv)
{
    struct subject *s = calloc(1, sizeof *s);

    if (!s || !read_network(s, argc, argv)) {
        if (s)
            subject_free(s);
        return NULL;
    }
    s->network = s->c.network;
    s->keys = arena_alloc(&s->arena, sizeof *s->keys
                          * ((size_t)s->network->next_value + 1));
    struct frame main = frame_main(s);
    list_frame(s, &main);
    return s;
}

void subject_free(struct subject *s)
{
    arena_release(&s->arena);
    free(s);
}
