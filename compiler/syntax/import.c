/* import.c: reads the main file and all it imports, each once.
 *
 * A path is looked up from the folder of the file that imports it, then along
 * the folders of -I.  A file is read only where it lies in the main file's
 * folder, or in one of -I, or below, by its path and by where its links lead: a
 * file from elsewhere cannot reach into the rest of the disk.  A name without '/' and '.' is the library's: text in
 * the program, whatever lies on the disk. */
#include "import.h"

#include "library.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file, or a text of the library; which file it is, whatever its name. */
struct origin {
    const char *path;
    const struct library_file *library;
    dev_t device;
    ino_t number;
};

struct file {                   /* one that was read, or is being read */
    bool open;                  /* its imports are being followed */
    struct origin origin;
};

struct loader {
    struct compilation *c;
    const struct options *options;
    const char *here;           /* the current folder; NULL: not known */
    const char *root;           /* the main file's, absolute */
    struct file file[LIMIT_FILES];
    int count;
    struct frame { struct file *file; struct span span; }
        stack[LIMIT_IMPORTS + 1];       /* and where each is imported */
    int depth;
    struct ast **end;           /* of the main tree's list */
};

/* ---- paths, as text ---- */

/* Takes off the last name of `path`; false when there is none to take. */
static bool take_off(struct text *path, size_t root)
{
    size_t length = path->length;

    while (length > root && path->data[length - 1] != '/')
        length--;
    if (path->length == root
        || (path->length - length == 2
            && strncmp(path->data + length, "..", 2) == 0))
        return false;
    path->length = length > root ? length - 1 : root;
    path->data[path->length] = '\0';
    return true;
}

/* Without ".", and without ".." where a name stands before it. */
static const char *collapse(struct arena *arena, const char *path)
{
    size_t root = *path == '/';
    struct text out = { 0 };

    text_put(&out, "/", root);
    while (*path) {
        size_t length = strcspn(path, "/");
        bool up = length == 2 && strncmp(path, "..", 2) == 0;
        bool dot = length == 1 && *path == '.';
        if (length && !dot && !(up && (take_off(&out, root) || root))) {
            text_put(&out, "/", out.length > root);
            text_put(&out, path, length);
        }
        path += length + (path[length] == '/');
    }
    const char *kept = arena_text(arena, out.data, out.length);
    text_free(&out);
    return kept;
}

static const char *join(struct loader *l, const char *folder,
                        const char *path)
{
    struct arena *arena = l->c->arena;

    if (*path == '/' || !*folder)
        return collapse(arena, path);
    return collapse(arena, arena_format(arena, "%s/%s", folder, path));
}

static const char *folder_of(struct loader *l, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return "";
    return arena_text(l->c->arena, path,
                      slash == path ? 1 : (size_t)(slash - path));
}

static bool lies_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0
        && (length == 1 || path[length] == '/');
}

/* In the main file's folder, or in one of -I, or below. */
static bool allowed(struct loader *l, const char *path)
{
    const struct words *folders = &l->options->folders;
    const char *whole = join(l, l->here, path);

    if (lies_in(whole, l->root))
        return true;
    for (int i = 0; i < folders->count; i++)
        if (lies_in(whole, join(l, l->here, folders->word[i])))
            return true;
    return false;
}

/* Where the links of a path lead; NULL: nowhere. */
static const char *real_path(struct loader *l, const char *path)
{
    char *real = realpath(*path ? path : ".", NULL);
    const char *kept = real ? arena_text(l->c->arena, real, strlen(real))
                            : NULL;

    free(real);
    return kept;
}

/* `folder` is a path whose links are followed, too. */
static bool really_in(struct loader *l, const char *real, const char *folder)
{
    const char *whole = real_path(l, folder);
    return whole && lies_in(real, whole);
}

/* The same of what the links lead to.  Where the main file is a link itself,
 * the folder of what it leads to counts as well: a tree that was made of links
 * is read as the one it stands for. */
static bool really_allowed(struct loader *l, const char *path)
{
    const struct words *folders = &l->options->folders;
    const char *real = real_path(l, path), *main = l->options->input;
    const char *main_real = real_path(l, main);

    if (!real)
        return false;
    if (really_in(l, real, folder_of(l, main))
        || (main_real && really_in(l, real, folder_of(l, main_real))))
        return true;
    for (int i = 0; i < folders->count; i++)
        if (really_in(l, real, folders->word[i]))
            return true;
    return false;
}

/* ---- finding ---- */

static void nowhere(struct loader *l, struct ast *import, bool climbed)
{
    struct diag *diag = l->c->diag;
    const struct words *folders = &l->options->folders;

    if (climbed) {
        diag_error(diag, &import->span, "'%s' lies outside of the folder of "
                   "the main file", import->text);
        diag_note(diag, &import->span, "give a folder above it with -I");
        return;
    }
    diag_error(diag, &import->span, "cannot find '%s'", import->text);
    const char *folder = folder_of(l, l->stack[l->depth - 1].file->origin.path);
    diag_note(diag, &import->span, "it is not in '%s'%s",
              *folder ? folder : ".",
              folders->count ? " nor in a folder of -I" : "");
}

static bool exists(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0;
}

static bool is_missing(int reason)
{
    return reason == ENOENT || reason == ENOTDIR;
}

/* A pipe would make the compiler wait. */
static bool can_be_read(struct loader *l, const struct ast *import,
                        const char *path, const struct stat *about)
{
    struct diag *diag = l->c->diag;

    if (!S_ISREG(about->st_mode)) {
        diag_error(diag, &import->span, "'%s' is not a file", import->text);
        return false;
    }
    if (really_allowed(l, path))
        return true;
    diag_error(diag, &import->span, "'%s' is a link that leads out of the "
               "folder of the main file", import->text);
    diag_note(diag, &import->span, "give the folder that it leads to with -I");
    return false;
}

/* The file that `path` names; without a path when there is none, or after an
 * error. */
static struct origin look_at(struct loader *l, const struct ast *import,
                             const char *path, bool *wrong)
{
    struct stat about;

    bool there = stat(path, &about) == 0;
    *wrong = there && !can_be_read(l, import, path, &about);
    if (there && !*wrong)
        return (struct origin) { strcmp(path, "-") ? path : "./-", NULL,
                                 about.st_dev, about.st_ino };
    if (*wrong)
        return (struct origin) { 0 };
    *wrong = !is_missing(errno);
    if (*wrong)
        diag_error(l->c->diag, &import->span, "cannot read '%s': %s", path,
                   strerror(errno));
    return (struct origin) { 0 };
}

/* Without the current folder nobody knows what lies in which. */
static bool knows_folders(struct loader *l, const struct ast *import)
{
    if (!l->here)
        diag_error(l->c->diag, &import->span, "'%s' is not looked for: the "
                   "current folder cannot be found out", import->text);
    return l->here;
}

/* Without a path after an error. */
static struct origin find_path(struct loader *l, struct ast *import)
{
    const struct words *folders = &l->options->folders;
    const char *importer = l->stack[l->depth - 1].file->origin.path;
    struct origin found = { 0 };
    bool climbed = false, wrong = false;

    if (!*import->text || *import->text == '/') {
        diag_error(l->c->diag, &import->span, *import->text
                   ? "'%s' is an absolute path: an import is relative to its "
                     "file, or to a folder of -I"
                   : "this path is empty%s", import->text);
        return found;
    }
    if (strchr(import->text, '\\')      /* the lexer has reported it */
        || !knows_folders(l, import))
        return found;
    for (int i = -1; i < folders->count && !found.path && !wrong; i++) {
        const char *folder = i < 0 ? folder_of(l, importer)
                                   : folders->word[i];
        const char *path = join(l, folder, import->text);
        if (!allowed(l, path))
            climbed = true;
        else
            found = look_at(l, import, path, &wrong);
    }
    if (!found.path && !wrong)
        nowhere(l, import, climbed);
    return found;
}

/* ---- the library ---- */

static bool is_library_name(const char *text)
{
    return *text && !strpbrk(text, "/.\\");
}

static void not_in_library(struct loader *l, const struct ast *import)
{
    struct diag *diag = l->c->diag;
    const char *near = library_nearest(import->text);
    const char *folder = folder_of(l, l->stack[l->depth - 1].file->origin.path);
    const char *file = arena_format(l->c->arena, "%s.rnet", import->text);

    if (near)
        diag_error(diag, &import->span, "the library has no '%s'; did you mean "
                   "'%s'?", import->text, near);
    else
        diag_error(diag, &import->span, "the library has no '%s'",
                   import->text);
    if (exists(join(l, folder, file)))
        diag_note(diag, &import->span, "a file is imported by its whole name: "
                  "\"%s\"", file);
    else
        diag_note(diag, &import->span, "'rnetc --library' lists its files; a "
                  "file of yours is imported by its path: \"./%s\"", file);
}

/* Without a path after an error. */
static struct origin find(struct loader *l, struct ast *import)
{
    const struct library_file *library;

    if (!is_library_name(import->text))
        return find_path(l, import);
    library = library_find(import->text);
    if (!library) {
        not_in_library(l, import);
        return (struct origin) { 0 };
    }
    return (struct origin) { .path = arena_format(l->c->arena,
        "<library>/%s.rnet", import->text), .library = library };
}

/* ---- reading ---- */

static struct file *known(struct loader *l, struct origin origin)
{
    for (int i = 0; i < l->count; i++) {
        const struct origin *other = &l->file[i].origin;
        if (other->library == origin.library && other->number == origin.number
            && other->device == origin.device)
            return &l->file[i];
    }
    return NULL;
}

static void cycle(struct loader *l, struct ast *import,
                  const struct file *file)
{
    int i = l->depth - 1;

    diag_error(l->c->diag, &import->span, "'%s' imports itself",
               file->origin.path);
    for (; l->stack[i].file != file; i--)
        diag_note(l->c->diag, &l->stack[i].span, "by way of '%s', imported "
                  "here", l->stack[i].file->origin.path);
}

static void follow(struct loader *l, const struct ast *list);

/* The index of its source, or -1. */
static int open_origin(struct diag *diag, struct origin origin,
                       const struct span *where)
{
    if (!origin.library)
        return diag_open(diag, origin.path, where);
    const char *text = origin.library->text;
    int index = diag_add(diag, origin.path, text, strlen(text), where);
    if (index >= 0)
        diag->sources[index].built_in = true;
    return index;
}

/* Opens and parses one file, then those it imports. */
static struct ast *load(struct loader *l, struct origin origin,
                        const struct span *where)
{
    struct diag *diag = l->c->diag;
    struct file *file = &l->file[l->count];
    int errors = diag->errors, index = open_origin(diag, origin, where);

    if (index < 0)
        return NULL;
    if (strcmp(origin.path, "-") == 0)
        origin.path = "";
    origin.device = diag->sources[index].device;
    origin.number = diag->sources[index].number;
    *file = (struct file) { true, origin };
    l->count++;
    struct ast *tree = parse_file(l->c->arena, l->c->names, diag, index);
    if (where && diag->errors > errors)
        diag_note(diag, where, "'%s' is imported here", origin.path);
    l->stack[l->depth++] = (struct frame) {
        file, where ? *where : (struct span) { 0 } };
    if (!where)                 /* the main file: the list goes on after it */
        for (l->end = &tree->list; *l->end; l->end = &(*l->end)->next)
            ;
    follow(l, tree->list);
    l->depth--;
    file->open = false;
    return tree;
}

static void import_one(struct loader *l, struct ast *import)
{
    struct diag *diag = l->c->diag;
    struct origin origin = find(l, import);
    struct file *file = origin.path ? known(l, origin) : NULL;

    if (import->name)
        diag_error(diag, &import->name_span, "'as' after an import is not "
                   "supported yet: its blocks are known by their own names");
    if (!origin.path || (file && !file->open))
        return;
    if (file) {
        cycle(l, import, file);
    } else if (l->depth > LIMIT_IMPORTS) {
        diag_error(diag, &import->span, "imports are nested above the limit "
                   "of %d", LIMIT_IMPORTS);
    } else {
        struct ast *tree = load(l, origin, &import->span);
        for (struct ast *d = tree ? tree->list : NULL; d;) {
            struct ast *next = d->next;
            if (d->kind == AST_BLOCK) {
                *l->end = d;
                l->end = &d->next;
                d->next = NULL;
            }
            d = next;
        }
    }
}

/* Until `list` ends, or the blocks of other files begin. */
static void follow(struct loader *l, const struct ast *list)
{
    int file = list ? list->span.file : 0;

    for (; list && list->span.file == file; list = list->next)
        if (list->kind == AST_IMPORT)
            import_one(l, (struct ast *)list);
}

struct ast *import_files(struct compilation *c, const struct options *options)
{
    struct loader *l = NEW(c->arena, struct loader);
    char *here = getcwd(NULL, 0);

    l->c = c;
    l->options = options;
    l->here = here ? arena_text(c->arena, here, strlen(here)) : NULL;
    free(here);
    l->root = l->here ? join(l, l->here, folder_of(l, options->input)) : NULL;
    return load(l, (struct origin) { .path = options->input }, NULL);
}

/* ---- depfiles ---- */

/* As make reads names: '$' doubled; before a blank, '#', ':' and '|' a '\\',
 * and those that stand there doubled.  '%' is a pattern in a target alone. */
static void add_name(struct text *out, const char *name, bool target)
{
    for (const char *p = name; *p; p++) {
        if (*p == '$')
            text_put(out, "$", 1);
        if (strchr(target ? " \t#:|%" : " \t#:|", *p)) {
            for (const char *q = p; q > name && q[-1] == '\\'; q--)
                text_put(out, "\\", 1);
            text_put(out, "\\", 1);
        }
        text_put(out, p, 1);
    }
}

/* No quoting makes these part of a name: make would see the end of the rule, a
 * command, a variable. */
static bool can_be_named(struct compilation *c, const char *name)
{
    size_t length = strlen(name);

    if (!strpbrk(name, "\n\r;=") && (!length || name[length - 1] != '\\'))
        return true;
    diag_error(c->diag, NULL, "'%s' cannot be named in a rule for make: there "
               "is a line's end, ';', '=', or a '\\' at its end, in it", name);
    return false;
}

static void add_targets(struct compilation *c, const struct options *o,
                        struct text *out)
{
    const char *source = options_source(c->arena, o);

    for (int i = 0; i < o->targets.count; i++)
        text_add(out, "%s%s", i ? " " : "", o->targets.word[i]);
    if (o->targets.count)
        return;
    if (strcmp(source, "-") != 0 && can_be_named(c, source)) {
        add_name(out, source, true);
        text_put(out, " ", 1);
    }
    if (can_be_named(c, options_header(c->arena, o)))
        add_name(out, options_header(c->arena, o), true);
}

/* Whether make can look at it. */
static bool is_prerequisite(const struct options *options,
                            const struct diag *diag, int i)
{
    return !diag->sources[i].built_in
        && !(i == 0 && strcmp(options->input, "-") == 0);
}

void import_depfile(struct compilation *c, const struct options *options,
                    struct text *out)
{
    const struct diag *diag = c->diag;

    add_targets(c, options, out);
    text_put(out, ":", 1);
    for (int i = 0; i < diag->source_count; i++) {
        if (!is_prerequisite(options, diag, i)
            || !can_be_named(c, diag->sources[i].path))
            continue;
        text_put(out, i ? " \\\n  " : " ", i ? 5 : 1);
        add_name(out, diag->sources[i].path, false);
    }
    text_put(out, "\n", 1);
    for (int i = 1; i < diag->source_count && options->phony; i++) {
        if (!is_prerequisite(options, diag, i))
            continue;
        add_name(out, diag->sources[i].path, true);
        text_put(out, ":\n", 2);
    }
}
