/* main.c: rnetc's pipeline, one line a pass, and what is made of its end. */
#include "emit.h"
#include "import.h"
#include "options.h"
#include "output.h"
#include "summary.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct job {
    struct compilation *c;
    const struct options *options;
    struct emitted emitted;
    struct ast *tree;
};

/* The function, but `but`, that has this name in C. */
static struct function *named(struct compilation *c, const char *name,
                              const struct function *but)
{
    struct function *f = c->network->functions;

    while (f && (f == but || strcmp(identifier(c->arena, f->name), name)))
        f = f->next;
    return f;
}

/* A block that is called as the network gets a name of its own in C. */
static void name_apart(struct compilation *c, struct network *network)
{
    const char *name = global_identifier(c->arena, network->name);
    struct function *same = named(c, name, network->main);

    while (same && (strcmp(identifier(c->arena, same->name), name) == 0
                    || named(c, identifier(c->arena, same->name), same)))
        same->name = arena_format(c->arena, "%s_block", same->name);
}

/* --prefix; and what emitted files call their source. */
static void name_network(struct job *j)
{
    struct network *network = j->c->network;
    const struct options *o = j->options;

    network->source = diag_shown(j->c->arena,
                                 base_name(j->c->diag->sources[0].path));
    if (o->prefix)
        network->name = network->main->name
            = arena_format(j->c->arena, "%s%s", o->prefix, network->name);
    name_apart(j->c, network);
}

/* Nothing is wanted, or possible, after `stage`. */
static bool ends(const struct job *j, enum stage stage)
{
    return j->c->diag->errors || j->options->last == stage;
}

static void compile(struct job *j)
{
    struct compilation *c = j->c;
    const struct options *o = j->options;
    const char *header = options_header(c->arena, o);

    j->tree = import_files(c, o);
    if (ends(j, STAGE_AST))
        return;
    if (!check(c, j->tree, o->network, o->settings) || !place_params(c))
        return;
    collect_numbers(c);
    branches(c);
    name_network(j);
    mark_inferred(c);
    c->optimizer = o->optimizer;
    if (c->optimizer)
        mark_stepped(c);
    if (ends(j, STAGE_GRAPH))
        return;
    grad(c);
    if (ends(j, STAGE_GRAD))
        return;
    c->no_fuse = o->no_fuse;
    if (!o->no_fuse) {
        recompute(c);
        join(c);
    }
    place_grads(c);
    fuse(c);
    if (ends(j, STAGE_FUSE))
        return;
    if (!plan(c) || ends(j, STAGE_PLAN))
        return;
    emit(c, base_name(header), &j->emitted);
}

/* ---- what is made of it ---- */

static void dump_stage(struct job *j, FILE *out)
{
    const struct network *network = j->c->network;

    switch (j->options->last) {
    case STAGE_AST: ast_dump(out, j->tree); break;
    case STAGE_GRAPH: graph_dump(out, network, false); break;
    case STAGE_GRAD: graph_dump(out, network, true); break;
    case STAGE_FUSE: fuse_dump(out, network); break;
    case STAGE_PLAN: plan_dump(out, network); break;
    default:
        fwrite(j->emitted.source.data, 1, j->emitted.source.length, out);
    }
}

static ssize_t add_to_text(void *text, const char *data, size_t length)
{
    text_put(text, data, length);
    return (ssize_t)length;
}

/* (A stream of open_memstream may lose a piece when memory runs out, and say
 * nothing.) */
static void dump(struct job *j, struct text *out)
{
    FILE *file = fopencookie(out, "w", (cookie_io_functions_t) {
                                           .write = add_to_text });

    if (!file)
        out_of_memory();
    text_put(out, "", 0);
    dump_stage(j, file);
    if (fclose(file) != 0)
        out_of_memory();
}

static struct output output_of(const char *path, const struct text *text)
{
    return (struct output) { .path = path, .data = text->data,
                             .length = text->length };
}

/* Between the quotes of an #include: what ends it, or C may read as something
 * else. */
static bool can_be_included(const char *name)
{
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127 || *p == '"' || *p == '\\'
            || (p[0] == '?' && p[1] == '?'))
            return false;
    return true;
}

/* False after an error. */
static bool check_header(struct job *j)
{
    const char *name = base_name(options_header(j->c->arena, j->options));
    bool good = can_be_included(name);

    if (!good)
        diag_error(j->c->diag, NULL, "the C cannot include a header of this "
                   "name, '%s': give another with --header", name);
    return good;
}

/* The C last: make takes it for the sign that all is there. */
static void write_compiled(struct job *j)
{
    struct compilation *c = j->c;
    const struct options *o = j->options;
    struct output outputs[OUTPUTS];
    struct text rule = { 0 };
    int count = 0;

    if (o->depfile)
        import_depfile(c, o, &rule);
    outputs[count++] = output_of(options_header(c->arena, o),
                                 &j->emitted.header);
    if (o->depfile)
        outputs[count++] = output_of(options_depfile(c->arena, o), &rule);
    outputs[count++] = output_of(options_source(c->arena, o),
                                 &j->emitted.source);
    if (check_header(j) && !c->diag->errors)
        output_write(c, outputs, count);
    text_free(&rule);
}

static void write_report(struct job *j)
{
    const struct options *o = j->options;
    const char *path = o->output ? o->output
                     : o->depfile_path ? o->depfile_path : "-";
    struct text text = { 0 };

    if (o->task == TASK_DUMP)
        dump(j, &text);
    else if (o->task == TASK_DOT)
        dot(j->c, o, &text);
    else if (o->task == TASK_FUSION)
        fusion(j->c, o, &text);
    else if (o->task == TASK_DEPENDENCIES)
        import_depfile(j->c, o, &text);
    else
        summary(j->c, o, &text);
    struct output output = output_of(path, &text);
    if (!j->c->diag->errors)
        output_write(j->c, &output, 1);
    text_free(&text);
}

static void run(struct compilation *c, const struct options *options)
{
    struct job job = { .c = c, .options = options };

    compile(&job);
    if (!c->diag->errors && options->task == TASK_COMPILE)
        write_compiled(&job);
    else if (!c->diag->errors && options->task != TASK_CHECK)
        write_report(&job);
    text_free(&job.emitted.source);
    text_free(&job.emitted.header);
}

/* What a closed standard stream would be is no file of ours: writing to it goes
 * on failing.  A file that grows too large is an error, not a signal. */
static void guard_streams(void)
{
    int file;

    do
        file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (file >= 0 && file <= STDERR_FILENO);
    if (file >= 0)
        close(file);
    signal(SIGXFSZ, SIG_IGN);
}

int main(int argc, char **argv)
{
    struct arena arena = { 0 };
    struct names names = { .arena = &arena };
    struct diag diag = { .arena = &arena, .out = stderr, .max_errors = 20 };
    struct compilation c = { .arena = &arena, .names = &names, .diag = &diag };
    struct options options = { 0 };
    int status = 2;

    guard_streams();
    switch (options_read(&options, &diag, &names, argc, argv)) {
    case OPTIONS_RUN:
        run(&c, &options);
        diag_finish(&diag);
        status = diag.errors ? 1 : 0;
        break;
    case OPTIONS_DONE:
        status = diag.errors ? 1 : 0;
        break;
    case OPTIONS_WRONG:
        break;
    }
    arena_release(&arena);
    return status;
}
