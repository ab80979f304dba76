/* main.c: rnetc's command line and its pipeline, one line a pass. */
#include "emit.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

enum stage { STAGE_NONE, STAGE_AST, STAGE_GRAPH, STAGE_GRAD, STAGE_FUSE,
             STAGE_PLAN };

struct options {
    const char *input, *output, *header, *network;
    struct knob *settings;
    enum stage dump;
    bool check;
};

static bool write_file(struct compilation *c, const char *path,
                       const struct text *text)
{
    const char *temporary = arena_format(c->arena, "%s.tmp%ld", path,
                                         (long)getpid());
    FILE *file = fopen(temporary, "wb");
    bool good = file != NULL;

    if (file) {
        good = fwrite(text->data, 1, text->length, file) == text->length;
        good &= fclose(file) == 0;
        good = good && rename(temporary, path) == 0;
    }
    if (!good) {
        diag_error(c->diag, NULL, "cannot write '%s': %s", path,
                   strerror(errno));
        unlink(temporary);
    }
    return good;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const char *with_suffix(struct compilation *c, const char *path,
                               const char *suffix)
{
    const char *dot = strrchr(base_name(path), '.');
    int length = dot ? (int)(dot - path) : (int)strlen(path);
    return arena_format(c->arena, "%.*s%s", length, path, suffix);
}

static void write_output(struct compilation *c, const struct options *o)
{
    struct emitted out = { 0 };
    const char *source = o->output ? o->output
        : with_suffix(c, base_name(o->input), ".c");
    const char *header = o->header ? o->header
        : with_suffix(c, source, ".h");

    emit(c, base_name(header), &out);
    if (!c->diag->errors && write_file(c, header, &out.header))
        write_file(c, source, &out.source);
    text_free(&out.source);
    text_free(&out.header);
}

static void compile(struct compilation *c, const struct options *o)
{
    int file = diag_open(c->diag, o->input, NULL);
    if (file < 0)
        return;
    struct ast *tree = parse_file(c->arena, c->names, c->diag, file);
    if (o->dump == STAGE_AST)
        ast_dump(stdout, tree);
    if (c->diag->errors || o->dump == STAGE_AST)
        return;
    struct network *network = check(c, tree, o->network, o->settings);
    if (!network || c->diag->errors || !place_params(c) || o->check)
        return;
    network->source = base_name(o->input);
    if (o->dump == STAGE_GRAPH) {
        graph_dump(stdout, network, false);
        return;
    }
    grad(c);
    if (c->diag->errors)
        return;
    if (o->dump == STAGE_GRAD) {
        graph_dump(stdout, network, true);
        return;
    }
    fuse(c);
    if (o->dump == STAGE_FUSE) {
        fuse_dump(stdout, network);
        return;
    }
    if (!plan(c))
        return;
    if (o->dump == STAGE_PLAN) {
        plan_dump(stdout, network);
        return;
    }
    write_output(c, o);
}

static bool set_knob(struct compilation *c, struct options *o,
                     const char *text)
{
    const char *equals = strchr(text, '=');
    struct knob *knob = NEW(c->arena, struct knob);
    char *end;

    if (!equals || equals == text || !equals[1])
        return false;
    knob->name = intern(c->names, text, (size_t)(equals - text));
    errno = 0;
    knob->integer = strtoll(equals + 1, &end, 10);
    knob->is_integer = !*end && !errno;
    if (!knob->is_integer)
        knob->number = strtod(equals + 1, &end);
    else
        knob->number = (double)knob->integer;
    knob->next = o->settings;
    o->settings = knob;
    return !*end;
}

static bool set_stage(struct options *o, const char *word)
{
    static const char *const stages[] = { "", "ast", "graph", "grad", "fuse",
                                          "plan" };
    for (int i = STAGE_AST; i <= STAGE_PLAN; i++)
        if (strcmp(stages[i], word) == 0)
            o->dump = (enum stage)i;
    return o->dump != STAGE_NONE;
}

int main(int argc, char **argv)
{
    static struct diag diag;
    struct arena arena = { 0 };
    struct names names = { .arena = &arena };
    struct compilation c = { &arena, &names, &diag, NULL };
    struct options options = { 0 };
    static const struct option longs[] = {
        { "dump", required_argument, NULL, 'd' },
        { "check", no_argument, NULL, 'c' },
        { "network", required_argument, NULL, 'n' },
        { 0 }
    };
    int option;

    diag.arena = &arena;
    diag.out = stderr;
    diag.max_errors = 20;
    while ((option = getopt_long(argc, argv, "o:D:", longs, NULL)) != -1)
        switch (option) {
        case 'o': options.output = optarg; break;
        case 'D': if (!set_knob(&c, &options, optarg)) return 2; break;
        case 'd': if (!set_stage(&options, optarg)) return 2; break;
        case 'c': options.check = true; break;
        case 'n': options.network = optarg; break;
        default: return 2;
        }
    if (optind + 1 != argc)
        return 2;
    options.input = argv[optind];
    compile(&c, &options);
    diag_finish(&diag);
    int status = diag.errors ? 1 : 0;
    arena_release(&arena);
    return status;
}
