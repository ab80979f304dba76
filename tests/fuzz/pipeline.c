/* pipeline.c: see pipeline.h.  main.c is included: its passes are static. */
#define main rnetc_main
#include "../../compiler/main.c"
#undef main
#include "pipeline.h"

#include <ctype.h>
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 8, WORDS = 32, NAME_BYTES = 32 };

/* A file of the input, and where it lies in the empty folder. */
struct file_piece { char name[NAME_BYTES]; const char *text; size_t length; };
struct file_pieces { struct file_piece piece[FILES]; int count; };

char *pipeline_messages;
static size_t message_bytes;

static void broken(const char *promise, const char *text)
{
    fprintf(stderr, "pipeline: %s:\n%.2000s\n", promise, text ? text : "");
    abort();
}

/* ---- what is promised of texts ---- */

static bool is_plain(unsigned char byte)
{
    return byte == '\n' || (byte >= ' ' && byte < 127);
}

/* No control character that a terminal would obey. */
static void check_shown(const char *what, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte != '\n' && (byte < ' ' || byte == 127))
            broken(what, text);
        if (byte == 0xC2 && (unsigned char)text[i + 1] < 0xA0)
            broken(what, text);
    }
}

/* Printable ASCII, every comment ended before the next begins, no trigraph. */
static void check_c(const struct text *text)
{
    bool in_comment = false;

    for (size_t i = 0; i < text->length; i++) {
        const char *at = text->data + i;
        bool opens = at[0] == '/' && at[1] == '*';
        bool closes = at[0] == '*' && at[1] == '/';

        if (!is_plain((unsigned char)*at))
            broken("a byte in the C that is not plain", text->data);
        if (at[0] == '?' && at[1] == '?')
            broken("a trigraph in the C", text->data);
        if (opens == in_comment && (opens || closes))
            broken("a comment in the C ends too soon", text->data);
        if (opens || closes) {
            in_comment = opens;
            i++;
        }
    }
    if (in_comment)
        broken("a comment in the C is never closed", text->data);
}

/* Quoted strings end, brackets match: as much as JSON and dot share. */
static void check_quoted(const char *what, const struct text *text)
{
    bool quoted = false;
    int depth = 0;

    check_shown(what, text->data, text->length);
    for (size_t i = 0; i < text->length; i++) {
        char c = text->data[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (quoted && c == '\n')
            broken(what, text->data);
        else if (!quoted)
            depth += (c == '{') - (c == '}');
    }
    if (quoted || depth)
        broken(what, text->data);
}

/* "<stdin>:2:5: error: ...": the position of every message, but for those
 * that speak of the command line. */
static bool is_located(const char *line)
{
    const char *at = strstr(line, ": ");
    int numbers = 0;

    for (; at && at > line && numbers < 2; numbers++) {
        const char *digits = at;
        while (digits > line && isdigit((unsigned char)digits[-1]))
            digits--;
        if (digits == at || digits == line || digits[-1] != ':')
            return false;
        at = digits - 1;
    }
    return numbers == 2;
}

/* "   12 | ...", a line of the program. */
static bool is_excerpt(const char *line)
{
    return strncmp(line + strspn(line, " 0123456789"), "| ", 2) == 0;
}

static void check_messages(const struct diag *diag, bool options)
{
    check_shown("a control character in a message", pipeline_messages,
                message_bytes);
    if (diag->errors && !message_bytes)
        broken("an error without a message", "");
    if (diag->format == DIAG_JSON || diag->color)
        return;
    for (const char *line = pipeline_messages; *line;) {
        size_t length = strcspn(line, "\n");
        char first[256];

        snprintf(first, sizeof first, "%.*s",
                 (int)(length < 255 ? length : 255), line);
        if (strstr(first, ": error: ") && !is_excerpt(first) && !options
            && !is_located(first) && !strstr(first, "too many errors"))
            broken("an error without a place", pipeline_messages);
        line += length + (line[length] == '\n');
    }
}

/* ---- what is promised of the tree ---- */

/* Spans in their parents', no deeper than the limits allow. */
static void check_tree(const struct ast *ast, const struct span *around,
                       int depth)
{
    for (; ast; ast = ast->next) {
        if (ast->span.begin > ast->span.end
            || ast->span.begin < around->begin || ast->span.end > around->end)
            broken("a span out of order", "");
        if (depth > 8 * LIMIT_NESTING)
            broken("a tree too deep", "");
        check_tree(ast->a, &ast->span, depth + 1);
        check_tree(ast->b, &ast->span, depth + 1);
        check_tree(ast->c, &ast->span, depth + 1);
        check_tree(ast->parameters, &ast->span, depth + 1);
        check_tree(ast->list, &ast->span, depth + 1);
    }
}

/* A node that stands for what could not be read. */
static bool has_bad(const struct ast *ast)
{
    for (; ast; ast = ast->next)
        if (ast->kind == AST_BAD || has_bad(ast->a) || has_bad(ast->b)
            || has_bad(ast->c) || has_bad(ast->list)
            || has_bad(ast->parameters))
            return true;
    return false;
}

/* The main file's: import_files has put the others' blocks behind. */
static void check_file(const struct ast *tree, const struct diag *diag)
{
    if (!tree)
        return;
    for (struct ast *d = tree->list; d; d = d->next) {
        struct ast one = *d;

        one.next = NULL;
        check_tree(&one, &one.span, 0);
    }
    if (!diag->errors && has_bad(tree))
        broken("a bad node without an error", "");
}

/* ---- reports ---- */

static void dump_all(struct job *j)
{
    struct options options = *j->options;

    for (int stage = STAGE_AST; stage <= STAGE_C; stage++) {
        struct text text = { 0 };
        struct job again = *j;

        options.last = (enum stage)stage;
        again.options = &options;
        dump(&again, &text);
        if (text.length)
            check_shown("a control character in a dump", text.data,
                        text.length);
        text_free(&text);
    }
}

static void summaries(struct job *j)
{
    struct options options = *j->options;

    for (int json = 0; json < 2; json++) {
        struct text text = { 0 };

        options.task = json ? TASK_SUMMARY_JSON : TASK_SUMMARY;
        summary(j->c, &options, &text);
        if (text.length)
            check_shown("a control character in the summary", text.data,
                        text.length);
        if (json && text.length)
            check_quoted("JSON that is none", &text);
        text_free(&text);
    }
}

static void reports(struct job *j)
{
    struct text drawing = { 0 }, rule = { 0 };

    check_c(&j->emitted.source);
    check_c(&j->emitted.header);
    dot(j->c, j->options, &drawing);
    if (drawing.length)
        check_quoted("a drawing that is none", &drawing);
    import_depfile(j->c, j->options, &rule);
    summaries(j);
    dump_all(j);
    text_free(&drawing);
    text_free(&rule);
}

/* ---- files and the command line ---- */

/* [a-z]+.rnet: nothing outside of the folder can be named. */
static bool read_name(const char *line, size_t length, char *name)
{
    size_t letters = 0;

    while (letters < length && islower((unsigned char)line[letters]))
        letters++;
    if (letters == 0 || letters + 5 != length || length >= NAME_BYTES
        || strncmp(line + letters, ".rnet", 5) != 0)
        return false;
    memcpy(name, line, length);
    name[length] = '\0';
    return true;
}

/* The next line that names a file, or the end. */
static const char *next_piece(const char *at, const char *end, char *name)
{
    for (; at < end; at++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        if (!stop)
            break;
        if (stop - at > 5 && strncmp(at, "//// ", 5) == 0
            && read_name(at + 5, (size_t)(stop - at - 5), name))
            return at;
        at = stop;
    }
    return end;
}

static void cut(struct file_pieces *pieces, const char *text, size_t length)
{
    const char *at = text, *end = text + length;
    char name[NAME_BYTES] = "main.rnet";

    while (pieces->count < FILES) {
        struct file_piece *piece = &pieces->piece[pieces->count++];

        memcpy(piece->name, name, sizeof name);
        piece->text = at;
        at = next_piece(at, end, name);
        piece->length = (size_t)(at - piece->text);
        if (at == end)
            return;
        at += strcspn(at, "\n") + 1;
    }
}

static void write_pieces(const struct file_pieces *pieces)
{
    for (int i = 0; i < pieces->count; i++) {
        FILE *file = fopen(pieces->piece[i].name, "wb");

        if (!file)
            continue;
        fwrite(pieces->piece[i].text, 1, pieces->piece[i].length, file);
        fclose(file);
    }
}

static void remove_pieces(const struct file_pieces *pieces)
{
    for (int i = 0; i < pieces->count; i++)
        unlink(pieces->piece[i].name);
}

static const char *folder;

static void leave_folder(void)
{
    rmdir(folder);
}

/* Imports find nothing but the pieces. */
static void enter_empty_folder(void)
{
    static char memory[] = "/dev/shm/rnetc-fuzz-XXXXXX";
    static char disk[] = "/tmp/rnetc-fuzz-XXXXXX";

    if (folder)
        return;
    folder = mkdtemp(memory) ? memory : mkdtemp(disk);
    if (!folder || chdir(folder) != 0)
        abort();
    atexit(leave_folder);
}

/* The words of "//: -D n=3 ..."; those that name files are given up. */
static int read_words(char *line, char **words)
{
    int count = 0;

    words[count++] = "rnetc";
    for (char *word = strtok(line, " "); word && count < WORDS - 4;
         word = strtok(NULL, " "))
        words[count++] = word;
    words[count++] = "-o";
    words[count++] = "model.c";
    words[count++] = "main.rnet";
    words[count] = NULL;
    return count;
}

/* False: there is nothing to compile. */
static bool read_options(struct options *options, struct compilation *c,
                         const char *text, size_t length, bool *given)
{
    char *words[WORDS];
    size_t bytes = length > 3 && strncmp(text, "//:", 3) == 0
        ? strcspn(text + 3, "\n") : 0;

    *given = bytes > 0;
    int count = read_words(arena_text(c->arena, text + 3 * *given, bytes), words);
    optind = 0;
    enum options_result result = options_read(options, c->diag, c->names,
                                              count, words);
    options->folders.count = 0;
    return result == OPTIONS_RUN && strcmp(options->input, "main.rnet") == 0;
}

/* ---- the whole ---- */

static bool compile_all(struct compilation *c, const struct options *options,
                        bool given)
{
    struct options whole = *options;
    struct job job = { .c = c, .options = &whole };

    whole.task = TASK_COMPILE;
    whole.last = STAGE_C;
    compile(&job);
    diag_finish(c->diag);
    fflush(c->diag->out);
    check_messages(c->diag, given);
    check_file(job.tree, c->diag);
    bool good = !c->diag->errors;
    if (good)
        reports(&job);
    text_free(&job.emitted.source);
    text_free(&job.emitted.header);
    return good;
}

static bool run_pieces(const struct file_pieces *pieces)
{
    const struct file_piece *first = &pieces->piece[0];
    static struct diag diag;
    struct arena arena = { 0 };
    struct names names = { .arena = &arena };
    struct compilation c = { .arena = &arena, .names = &names,
                             .diag = &diag };
    struct options options = { 0 };
    bool given, good = false;

    diag = (struct diag) { .arena = &arena, .max_errors = 20 };
    free(pipeline_messages);
    diag.out = open_memstream(&pipeline_messages, &message_bytes);
    if (!diag.out)
        abort();
    if (read_options(&options, &c, first->text, first->length, &given))
        good = compile_all(&c, &options, given);
    fclose(diag.out);
    arena_release(&arena);
    return good;
}

bool pipeline(const char *text, size_t length)
{
    struct file_pieces pieces = { 0 };

    enter_empty_folder();
    cut(&pieces, text, length);
    write_pieces(&pieces);
    bool good = run_pieces(&pieces);
    remove_pieces(&pieces);
    return good;
}
