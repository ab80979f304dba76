/* options.c: reads the command line.  An error of usage is one line and a hint
 * on standard error, whatever format the diagnostics of the input have. */
#include "options.h"

#include "emit.h"
#include "library.h"
#include "output.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* Options with a long name alone. */
enum { LONG_HELP = 256, LONG_VERSION, LONG_OUTPUT, LONG_HEADER, LONG_NETWORK,
       LONG_CHECK, LONG_DUMP, LONG_SUMMARY, LONG_BATCH, LONG_THREADS, LONG_DOT,
       LONG_PREFIX, LONG_COLOR, LONG_LIBRARY, LONG_NO_FUSE,
       LONG_FUSE_OPTIMIZER, LONG_REPORT, LONG_MACHINE };

static const struct option longs[] = {
    { "help", no_argument, NULL, LONG_HELP },
    { "version", no_argument, NULL, LONG_VERSION },
    { "output", required_argument, NULL, LONG_OUTPUT },
    { "header", required_argument, NULL, LONG_HEADER },
    { "network", required_argument, NULL, LONG_NETWORK },
    { "check", no_argument, NULL, LONG_CHECK },
    { "dump", required_argument, NULL, LONG_DUMP },
    { "summary", optional_argument, NULL, LONG_SUMMARY },
    { "batch", required_argument, NULL, LONG_BATCH },
    { "threads", required_argument, NULL, LONG_THREADS },
    { "report", required_argument, NULL, LONG_REPORT },
    { "machine", required_argument, NULL, LONG_MACHINE },
    { "dot", no_argument, NULL, LONG_DOT },
    { "prefix", required_argument, NULL, LONG_PREFIX },
    { "color", optional_argument, NULL, LONG_COLOR },
    { "library", optional_argument, NULL, LONG_LIBRARY },
    { "no-fuse", no_argument, NULL, LONG_NO_FUSE },
    { "fuse-optimizer", required_argument, NULL, LONG_FUSE_OPTIMIZER },
    { 0 }
};
enum { LONGS = sizeof longs / sizeof longs[0] - 1 };

static const char help[] =
"Usage: rnetc [OPTION]... FILE\n"
"Compile a residual network, FILE.rnet, to C and its header.  '-' is standard\n"
"input.\n"
"\n"
"Output:\n"
"  -o, --output=FILE    write the C to FILE (default: FILE.c here); '-' is\n"
"                       standard output\n"
"      --header=FILE    write the header to FILE (default: the C file's name\n"
"                       with .h)\n"
"      --prefix=PREFIX  put PREFIX before every name that is visible to the\n"
"                       linker\n"
"      --fuse-optimizer=RULE  NAME_step instead of NAME_train: weights change\n"
"                       where their gradients are made, and no array has\n"
"                       these; sgd, momentum, adam or adamw\n"
"      --no-fuse        every operator a pass of its own, every value memory of\n"
"                       its own: slow; to tell whether fusion is at fault\n"
"  -M                   write what FILE imports as a rule for make, no C\n"
"  -MD                  write that rule too, beside the C, as a .d file\n"
"  -MF FILE             write the rule to FILE\n"
"  -MT TARGET           name TARGET as the rule's target\n"
"  -MP                  add a rule without prerequisites for every import\n"
"\n"
"Input:\n"
"  -D NAME=VALUE        set a parameter of the network\n"
"      --network=NAME   compile this network of several\n"
"  -I FOLDER            look for imports in FOLDER too\n"
"\n"
"Instead of C, to standard output or -o FILE:\n"
"      --check          nothing, only messages\n"
"      --summary[=FORMAT]  a table of layers, parameters, multiply-adds and\n"
"                       bytes, as text or json\n"
"      --batch=N        the batch of --summary's bytes (default: 1 for\n"
"                       inference, 32 for training)\n"
"      --threads=N      the threads of --summary's bytes (default: 1)\n"
"      --report=fusion  kernels: what rides on each, its operations and bytes,\n"
"                       and the rate that a machine allows; at --batch\n"
"      --machine=GFLOPS,GBS  that machine's peak and memory bandwidth for\n"
"                       --report (default: 100,20; 'make bench' measures them)\n"
"      --dot            a drawing for Graphviz\n"
"      --dump=STAGE     what stands after a stage: ast, graph, grad, fuse,\n"
"                       plan or c\n"
"\n"
"Messages:\n"
"  -Wall, -Werror, -w   warn (the default), warnings are errors, no warnings\n"
"  -Wno-NAME            not the warning of this name\n"
"  -fmax-errors=N       stop after N errors (default: 20; 0: never)\n"
"  -fdiagnostics-format=FORMAT  text or json\n"
"      --color[=WHEN]   always, never or auto\n"
"      --library[=NAME] the library's files, or the text of one\n"
"  -h, --help           this text\n"
"  -V, --version        the version\n"
"\n"
"Exit status: 0, 1 after an error in the input or output, 2 after one of\n"
"usage.\n";

/* ---- errors of usage ---- */

struct reader { struct options *o; struct diag *diag; struct names *names;
                const char *task; bool failed; bool done; };

__attribute__((format(printf, 2, 3)))
static void wrong(struct reader *r, const char *format, ...)
{
    struct text text = { 0 };
    va_list arguments;

    if (r->failed)
        return;
    r->failed = true;
    va_start(arguments, format);
    text_vadd(&text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "rnetc: error: %s\nTry 'rnetc --help' for more "
            "information.\n", diag_shown(r->diag->arena, text.data));
    text_free(&text);
}

/* "unknown WHAT 'word'; did you mean 'x'?": x as it would be written. */
static void unknown(struct reader *r, const char *what, const char *dashes,
                    const char *word, const char *const *known, int count)
{
    const char *near = diag_nearest(word, known, (size_t)count);

    if (near)
        wrong(r, "unknown %s '%s%s'; did you mean '%s%s'?", what, dashes, word,
              dashes, near);
    else
        wrong(r, "unknown %s '%s%s'", what, dashes, word);
}

/* "a, b or c" */
static const char *one_of(struct reader *r, const char *const *words, int count)
{
    const char *list = words[0];

    for (int i = 1; i < count; i++)
        list = arena_format(r->diag->arena, "%s%s%s", list,
                            i + 1 < count ? ", " : " or ", words[i]);
    return list;
}

/* Index of `word` in a list, or -1 after an error. */
static int choose(struct reader *r, const char *what, const char *word,
                  const char *const *known, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(known[i], word) == 0)
            return i;
    if (diag_nearest(word, known, (size_t)count))
        unknown(r, what, "", word, known, count);
    else
        wrong(r, "unknown %s '%s': it is %s", what, word,
              one_of(r, known, count));
    return -1;
}

static int64_t read_count(struct reader *r, const char *option,
                          const char *text, int64_t least, int64_t most)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end || errno || n < least
        || n > most)
        wrong(r, "%s takes a number from %lld to %lld, not '%s'", option,
              (long long)least, (long long)most, text);
    return n;
}

/* ---- options with a value ---- */

static void add_word(struct reader *r, struct words *words, const char *word)
{
    GROW_IN(r->diag->arena, words->word, words->size, words->count);
    words->word[words->count++] = word;
}

static void set_once(struct reader *r, const char **slot, const char *option,
                     const char *value)
{
    if (!*value)
        wrong(r, "%s takes a name that is not empty", option);
    *slot = value;
}

static bool is_name_byte(char byte, bool first)
{
    return byte == '_' || (byte >= 'a' && byte <= 'z')
        || (byte >= 'A' && byte <= 'Z')
        || (!first && byte >= '0' && byte <= '9');
}

static bool is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!is_name_byte(text[i], i == 0))
            return false;
    return length > 0;
}

/* A number as the language has them, with a sign. */
static bool read_number(const char *text, struct knob *knob)
{
    const char *digits = *text == '-' ? text + 1 : text;
    char *end;

    if ((*digits < '0' || *digits > '9') && *digits != '.')
        return false;
    errno = 0;
    knob->integer = strtoll(text, &end, 10);
    knob->is_integer = !*end && !errno;
    knob->number = knob->is_integer ? (double)knob->integer
                                    : strtod(text, &end);
    return !*end && isfinite(knob->number)
        && !strpbrk(text, "xXpP");
}

static void set_knob(struct reader *r, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    struct knob *knob = NEW(r->diag->arena, struct knob);

    if (!is_name(text, length) || !equals || !equals[1]) {
        wrong(r, "-D takes name=value, not '%s'", text);
        return;
    }
    if (!read_number(equals + 1, knob))
        wrong(r, "-D %.*s: '%s' is not a number", (int)length, text,
              equals + 1);
    knob->name = intern(r->names, text, length);
    knob->next = r->o->settings;
    r->o->settings = knob;
}

static void set_prefix(struct reader *r, const char *text)
{
    if (!is_name(text, strlen(text)))
        wrong(r, "--prefix takes letters, digits and '_', not '%s'", text);
    r->o->prefix = text;
}

static void set_task(struct reader *r, const char *option, enum task task,
                     enum stage last)
{
    if (r->task && strcmp(r->task, option))
        wrong(r, "%s and %s exclude each other", r->task, option);
    r->task = option;
    r->o->task = task;
    r->o->last = last;
}

static void set_dump(struct reader *r, const char *word)
{
    static const char *const stages[STAGES] = { "ast", "graph", "grad", "fuse",
                                                "plan", "c" };
    int stage = choose(r, "stage", word, stages, STAGES);

    if (stage >= 0)
        set_task(r, "--dump", TASK_DUMP, (enum stage)stage);
}

/* What makes SGD plain or with momentum, Adam of either kind, is said when the
 * step is called. */
static void set_optimizer(struct reader *r, const char *word)
{
    static const char *const rules[] = { "sgd", "momentum", "adam", "adamw" };
    int rule = choose(r, "rule", word, rules, 4);

    if (rule >= 0)
        r->o->optimizer = rule < 2 ? OPTIMIZER_SGD : OPTIMIZER_ADAM;
}

static void set_summary(struct reader *r, const char *word)
{
    static const char *const formats[] = { "text", "json" };
    int format = choose(r, "format", word ? word : "text", formats, 2);

    set_task(r, "--summary", format == 1 ? TASK_SUMMARY_JSON : TASK_SUMMARY,
             STAGE_PLAN);
}

static void set_report(struct reader *r, const char *word)
{
    static const char *const reports[] = { "fusion" };

    if (choose(r, "report", word, reports, 1) == 0)
        set_task(r, "--report", TASK_FUSION, STAGE_PLAN);
}

/* Two numbers above 0. */
static void set_machine(struct reader *r, const char *text)
{
    char *end;
    double peak = strtod(text, &end);
    double bandwidth = *end == ',' ? strtod(end + 1, &end) : 0;

    if (*end || !(peak > 0 && peak < 1e9)
        || !(bandwidth > 0 && bandwidth < 1e9))
        wrong(r, "--machine takes GFLOP/s and GB/s, as 100,20, not '%s'", text);
    r->o->peak = peak;
    r->o->bandwidth = bandwidth;
}

static void set_batch(struct reader *r, const char *text)
{
    r->o->infer_batch = r->o->train_batch
        = read_count(r, "--batch", text, 1, LIMIT_BATCH);
}

/* ---- -M... -f... -W... and colours ---- */

/* The value of an option of two letters: attached, or the next word. */
static const char *next_word(struct reader *r, const char *option,
                             const char *attached, int argc, char **argv)
{
    if (*attached)
        return attached;
    if (optind < argc)
        return argv[optind++];
    wrong(r, "option '%s' needs a value", option);
    return "?";
}

static void set_depfile(struct reader *r, const char *word, int argc,
                        char **argv)
{
    if (!word) {
        set_task(r, "-M", TASK_DEPENDENCIES, STAGE_AST);
    } else if (strcmp(word, "D") == 0) {
        r->o->depfile = true;
    } else if (strcmp(word, "P") == 0) {
        r->o->phony = true;
    } else if (*word == 'F') {
        set_once(r, &r->o->depfile_path, "-MF",
                 next_word(r, "-MF", word + 1, argc, argv));
    } else if (*word == 'T') {
        add_word(r, &r->o->targets,
                 next_word(r, "-MT", word + 1, argc, argv));
    } else {
        wrong(r, "unknown option '-M%s'; there are -M, -MD, -MF, -MT and -MP",
              word);
    }
}

/* The color that `auto` comes to on standard error. */
static bool auto_color(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return (!no || !*no) && term && strcmp(term, "dumb")
        && isatty(STDERR_FILENO);
}

static void set_color(struct reader *r, const char *when)
{
    static const char *const words[] = { "always", "never", "auto" };
    int chosen = choose(r, "time for colors", when ? when : "always", words,
                        3);

    r->diag->color = chosen == 0 || (chosen == 2 && auto_color());
}

/* What follows "word=" in `text`, or NULL. */
static const char *after_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    return strncmp(text, word, length) ? NULL : text + length;
}

static void set_format(struct reader *r, const char *text)
{
    static const char *const known[] = { "max-errors", "diagnostics-format",
                                         "diagnostics-color" };
    static const char *const formats[] = { "text", "json" };
    const char *value;

    if ((value = after_word(text, "max-errors=")) != NULL)
        r->diag->max_errors = (int)read_count(r, "-fmax-errors", value, 0,
                                              LIMIT_ERRORS);
    else if ((value = after_word(text, "diagnostics-format=")) != NULL)
        r->diag->format = choose(r, "format", value, formats, 2) == 1
            ? DIAG_JSON : DIAG_TEXT;
    else if ((value = after_word(text, "diagnostics-color=")) != NULL)
        set_color(r, value);
    else
        unknown(r, "option", "-f", text, known, 3);
}

/* -Wno-NAME, -WNAME: whether `word` was one. */
static bool set_one_warning(struct reader *r, const char *word)
{
    bool off = strncmp(word, "no-", 3) == 0;

    for (int i = 0; diag_warnings[i]; i++)
        if (strcmp(diag_warnings[i], word + (off ? 3 : 0)) == 0) {
            r->diag->off &= ~((uint64_t)1 << i);
            r->diag->off |= (uint64_t)off << i;
            return true;
        }
    return false;
}

static void set_warning(struct reader *r, const char *word)
{
    static const char *const known[] = { "all", "extra", "error", "no-error" };
    if (set_one_warning(r, word))
        return;
    int chosen = choose(r, "warning option, after -W,", word, known, 4);

    if (chosen >= 2)
        r->diag->warnings_are_errors = chosen == 2;
}

/* ---- the whole ---- */

static void not_known(struct reader *r, const char *word)
{
    const char *names[LONGS];
    char whole[64];

    for (int i = 0; i < LONGS; i++)
        names[i] = longs[i].name;
    snprintf(whole, sizeof whole, "%.*s", (int)strcspn(word, "="), word);
    unknown(r, "option", "--", whole, names, LONGS);
}

/* getopt_long's '?' and ':'. */
static void bad_option(struct reader *r, int result, char **argv)
{
    const char *word = argv[optind - 1];

    if (result == ':' && optopt >= LONG_HELP)
        wrong(r, "option '%s' needs a value", word);
    else if (result == ':')
        wrong(r, "option '-%c' needs a value", optopt);
    else if (optopt >= LONG_HELP)
        wrong(r, "option '%.*s' takes no value", (int)strcspn(word, "="),
              word);
    else if (optopt)
        wrong(r, "unknown option '-%c'", optopt);
    else
        not_known(r, word + 2);
}

static void answer(struct reader *r, const char *text)
{
    if (!output_print(STDOUT_FILENO, text, strlen(text)))
        diag_error(r->diag, NULL, "cannot write standard output: %s",
                   strerror(errno));
    r->done = true;
}

static void list_library(struct text *out)
{
    size_t count;
    const struct library_file *files = library_files(&count);

    for (size_t i = 0; i < count; i++) {
        text_add(out, "%-12s ", files[i].name);
        library_title(&files[i], out);
        text_put(out, "\n", 1);
    }
}

static void answer_library(struct reader *r, const char *name)
{
    const struct library_file *file = name ? library_find(name) : NULL;
    const char *near = name ? library_nearest(name) : NULL;
    struct text list = { 0 };

    if (file) {
        answer(r, file->text);
    } else if (name) {
        wrong(r, near ? "the library has no '%s'; did you mean '%s'?"
                      : "the library has no '%s'", name, near);
    } else {
        list_library(&list);
        answer(r, list.data);
        text_free(&list);
    }
}

static void set_option(struct reader *r, int option, int argc, char **argv)
{
    struct options *o = r->o;

    switch (option) {
    case 'h': case LONG_HELP: answer(r, help); break;
    case 'V': case LONG_VERSION:
        answer(r, "rnetc (rnetc) " RNETC_VERSION "\n");
        break;
    case 'o': case LONG_OUTPUT: set_once(r, &o->output, "-o", optarg); break;
    case LONG_HEADER: set_once(r, &o->header, "--header", optarg); break;
    case LONG_NETWORK: set_once(r, &o->network, "--network", optarg); break;
    case LONG_PREFIX: set_prefix(r, optarg); break;
    case 'D': set_knob(r, optarg); break;
    case 'I': add_word(r, &o->folders, *optarg ? optarg : "."); break;
    case LONG_CHECK: set_task(r, "--check", TASK_CHECK, STAGE_C); break;
    case LONG_DUMP: set_dump(r, optarg); break;
    case LONG_SUMMARY: set_summary(r, optarg); break;
    case LONG_DOT: set_task(r, "--dot", TASK_DOT, STAGE_GRAPH); break;
    case LONG_BATCH: set_batch(r, optarg); break;
    case LONG_THREADS:
        o->threads = (int)read_count(r, "--threads", optarg, 1,
                                     LIMIT_THREADS);
        break;
    case 'M': set_depfile(r, optarg, argc, argv); break;
    case 'f': set_format(r, optarg); break;
    case 'W': set_warning(r, optarg); break;
    case 'w': r->diag->no_warnings = true; break;
    case LONG_COLOR: set_color(r, optarg); break;
    case LONG_REPORT: set_report(r, optarg); break;
    case LONG_MACHINE: set_machine(r, optarg); break;
    case LONG_NO_FUSE: o->no_fuse = true; break;
    case LONG_FUSE_OPTIMIZER: set_optimizer(r, optarg); break;
    case LONG_LIBRARY: answer_library(r, optarg); break;
    default: bad_option(r, option, argv);
    }
}

static void check_together(struct reader *r)
{
    struct options *o = r->o;
    bool compiles = o->task == TASK_COMPILE;
    bool depends = o->depfile || o->task == TASK_DEPENDENCIES;
    const char *source = options_source(r->diag->arena, o);

    if (!compiles && o->header)
        wrong(r, "%s writes no header", r->task);
    if (!compiles && o->depfile)
        wrong(r, "-MD goes with an output of C, not with %s", r->task);
    if (!depends && (o->depfile_path || o->targets.count || o->phony))
        wrong(r, "-MF, -MT and -MP go with -M or -MD");
    if (o->task == TASK_DEPENDENCIES && o->output && o->depfile_path)
        wrong(r, "-M writes one file: give it by -o or by -MF");
    if (!compiles)
        return;
    if (strcmp(o->input, "-") == 0 && !o->output)
        wrong(r, "name the output of standard input with -o");
    if (strcmp(source, "-") == 0 && !o->header)
        wrong(r, "'-o -' needs --header: the C includes it");
    else if (strcmp(source, options_header(r->diag->arena, o)) == 0)
        wrong(r, "the C and its header would both be '%s'", source);
    if (o->depfile && strcmp(source, options_depfile(r->diag->arena, o)) == 0)
        wrong(r, "the C and its depfile would both be '%s'", source);
}

static void find_input(struct reader *r, int argc, char **argv)
{
    if (optind == argc)
        wrong(r, "no input file");
    else if (optind + 1 < argc)
        wrong(r, "one input file at a time: '%s' and '%s'", argv[optind],
              argv[optind + 1]);
    else
        r->o->input = argv[optind];
    if (r->o->input && !*r->o->input)
        wrong(r, "the input's name is empty");
}

enum options_result options_read(struct options *options, struct diag *diag,
                                 struct names *names, int argc, char **argv)
{
    struct reader r = { .o = options, .diag = diag, .names = names };
    int option;

    options->last = STAGE_C;
    options->infer_batch = options->threads = 1;
    options->train_batch = 32;
    options->peak = 100;
    options->bandwidth = 20;
    diag->color = auto_color();
    opterr = 0;
    while (!r.failed && !r.done
           && (option = getopt_long(argc, argv, ":ho:VD:I:M::f:W:w", longs,
                                    NULL)) != -1)
        set_option(&r, option, argc, argv);
    if (r.done)
        return OPTIONS_DONE;
    find_input(&r, argc, argv);
    if (!r.failed)
        check_together(&r);
    return r.failed ? OPTIONS_WRONG : OPTIONS_RUN;
}

/* ---- names of files ---- */

const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const char *with_suffix(struct arena *arena, const char *path,
                               const char *suffix)
{
    const char *base = base_name(path), *dot = strrchr(base, '.');
    int length = dot && dot > base ? (int)(dot - path) : (int)strlen(path);
    return arena_format(arena, "%.*s%s", length, path, suffix);
}

const char *options_source(struct arena *arena, const struct options *options)
{
    if (options->output && options->task == TASK_COMPILE)
        return options->output;
    return with_suffix(arena, base_name(options->input), ".c");
}

const char *options_header(struct arena *arena, const struct options *options)
{
    if (options->header)
        return options->header;
    return with_suffix(arena, options_source(arena, options), ".h");
}

const char *options_depfile(struct arena *arena, const struct options *options)
{
    const char *source = options_source(arena, options);

    if (options->depfile_path)
        return options->depfile_path;
    if (strcmp(source, "-") == 0)
        source = base_name(options->input);
    return with_suffix(arena, source, ".d");
}
