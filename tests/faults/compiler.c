/* compiler.c: rnetc with every call that can fail made to fail in turn.
 *
 *     compiler RNETC FAULTY.so FOLDER [--long NETWORK.rnet...]
 *
 * Each task runs once as it is; then again and again in a fresh folder, with
 * the first call of a kind failing, the second, ... until a run has no such
 * call left.  After each run: it ended by itself, with status 0 and all that a
 * good run leaves, or with 1, a message and the folder as it was before; no
 * memory or descriptor is left.  Then the same with the process ending at each
 * call: every file is as it was or as it will be, and the next run works. */
#include "faulty.h"
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 12, SECONDS = 20 };

/* The folder "in" has the inputs; a task runs in "run", a copy of it. */
struct task {
    const char *name;
    const char *words[WORDS];
    const char *old[4]; /* files that were there before */
    const char *input;  /* of the standard stream, or NULL */
    int status;         /* of a good run */
};

static const struct task tasks[] = {
    { "compile", { "net.rnet", "-o", "out.c", "-MD", "-MP" }, { 0 }, NULL, 0 },
    { "compile over old ones",
      { "net.rnet", "-o", "out.c", "-MD" },
      { "out.c", "out.h", "out.d" },
      NULL,
      0 },
    { "compile over one",
      { "net.rnet", "-o", "out.c" },
      { "out.h" },
      NULL,
      0 },
    { "compile by a link",
      { "net.rnet", "-o", "link.c" },
      { "real.c", "link.h" },
      NULL,
      0 },
    { "compile to a device",
      { "net.rnet", "-o", "/dev/null", "--header=out.h" },
      { "out.h" },
      NULL,
      0 },
    { "compile standard input",
      { "-", "-o", "out.c" },
      { "out.c" },
      "one.rnet",
      0 },
    { "an input is no output",
      { "one.rnet", "-o", "one.rnet" },
      { 0 },
      NULL,
      1 },
    { "check", { "--check", "net.rnet" }, { 0 }, NULL, 0 },
    { "depfile", { "-M", "net.rnet", "-MF", "out.d" }, { "out.d" }, NULL, 0 },
    { "dump ast",
      { "--dump=ast", "one.rnet", "-o", "out" },
      { "out" },
      NULL,
      0 },
    { "dump graph", { "--dump=graph", "one.rnet" }, { 0 }, NULL, 0 },
    { "dump grad", { "--dump=grad", "one.rnet" }, { 0 }, NULL, 0 },
    { "dump fuse", { "--dump=fuse", "one.rnet" }, { 0 }, NULL, 0 },
    { "dump plan", { "--dump=plan", "one.rnet" }, { 0 }, NULL, 0 },
    { "dump c", { "--dump=c", "one.rnet", "-o", "out" }, { 0 }, NULL, 0 },
    { "drawing", { "--dot", "one.rnet", "-o", "out" }, { "out" }, NULL, 0 },
    { "summary", { "--summary", "one.rnet" }, { 0 }, NULL, 0 },
    { "summary as JSON",
      { "--summary=json", "one.rnet", "-o", "out" },
      { 0 },
      NULL,
      0 },
    { "library", { "--library" }, { 0 }, NULL, 0 },
    { "file of the library", { "--library=se" }, { 0 }, NULL, 0 },
    { "help", { "--help" }, { 0 }, NULL, 0 },
    { "errors", { "bad.rnet" }, { 0 }, NULL, 1 },
    { "errors as JSON",
      { "bad.rnet", "-fdiagnostics-format=json" },
      { 0 },
      NULL,
      1 },
    { "imports that fail", { "astray.rnet" }, { 0 }, NULL, 1 },
    { "wrong options", { "--zzz", "-q" }, { 0 }, NULL, 2 },
};

static const struct row {
    unsigned kinds;
    int number;
    enum fault_manner manner;
} rows[] = {
    { FAULT_MEMORY, ENOMEM, FAULT_ONCE }, { FAULT_MEMORY, ENOMEM, FAULT_EVER },
    { FAULT_OPEN, EACCES, FAULT_ONCE },   { FAULT_OPEN, EMFILE, FAULT_EVER },
    { FAULT_OPEN, EINTR, FAULT_ONCE },    { FAULT_READ, EIO, FAULT_ONCE },
    { FAULT_READ, EINTR, FAULT_ONCE },    { FAULT_READ, 0, FAULT_SHORT },
    { FAULT_WRITE, ENOSPC, FAULT_EVER },  { FAULT_WRITE, EIO, FAULT_ONCE },
    { FAULT_WRITE, EDQUOT, FAULT_ONCE },  { FAULT_WRITE, EINTR, FAULT_ONCE },
    { FAULT_WRITE, 0, FAULT_SHORT },      { FAULT_WRITE, 0, FAULT_NOTHING },
    { FAULT_SYNC, EIO, FAULT_ONCE },      { FAULT_SYNC, EINTR, FAULT_ONCE },
    { FAULT_SYNC, EINVAL, FAULT_EVER },   { FAULT_CLOSE, EIO, FAULT_ONCE },
    { FAULT_CLOSE, EINTR, FAULT_EVER },   { FAULT_RENAME, ENOSPC, FAULT_ONCE },
    { FAULT_LINK, EPERM, FAULT_EVER },    { FAULT_STAT, EIO, FAULT_ONCE },
    { FAULT_STAT, EACCES, FAULT_EVER },   { FAULT_MODE, EPERM, FAULT_ONCE },
    { FAULT_PATH, ENOMEM, FAULT_ONCE },   { FAULT_UNLINK, EIO, FAULT_EVER },
    { FAULT_RENAME, EIO, FAULT_EVER },    { FAULT_FILE, EIO, FAULT_EVER },
    { FAULT_FILE, 0, FAULT_BEFORE },      { FAULT_WRITE, 0, FAULT_WITHIN },
    { FAULT_FILE, 0, FAULT_AFTER },
};

static const char *rnetc, *faulty, *folder;
static long runs, injected, failures;
static long part;               /* 0: every allocation */

static const char temporary[] = ".rnetc-";

/* ----------------------------------------------------------------- a run */

struct outcome {
    int status, signalled, hit, open, said;
    long live;
};

static void write_old(const char *name)
{
    FILE *file = fopen(name, "w");

    fprintf(file, "what was in %s\n", name);
    fclose(file);
    chmod(name, 0640);
}

static void copy(const char *from, const char *to)
{
    char bytes[1 << 14];
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    size_t count = fread(bytes, 1, sizeof bytes, in);

    fwrite(bytes, 1, count, out);
    fclose(in);
    fclose(out);
}

/* An empty folder with the inputs and the old files; goes there. */
static void prepare(const struct task *task)
{
    struct folder inputs;
    char from[600], path[600];

    snprintf(path, sizeof path, "%s/run", folder);
    if (chdir(path))
        exit(2);
    inputs = folder_list(".");
    for (int i = 0; i < inputs.count; i++)
        unlink(inputs.file[i].name);
    snprintf(from, sizeof from, "%s/in", folder);
    inputs = folder_list(from);
    for (int i = 0; i < inputs.count; i++) {
        snprintf(path, sizeof path, "%s/in/%s", folder, inputs.file[i].name);
        copy(path, inputs.file[i].name);
    }
    for (int i = 0; i < 4 && task->old[i]; i++)
        write_old(task->old[i]);
    if (task->old[0] && !strcmp(task->old[0], "real.c")
        && symlink("real.c", "link.c"))
        exit(2);
}

static void redirect(const char *path, int flags, int to)
{
    int file = open(path, flags, 0666);

    if (file < 0 || dup2(file, to) < 0)
        _exit(126);
    close(file);
}

static void begin(const struct task *task, const struct fault *fault)
{
    char text[100], *words[WORDS + 2] = { (char *)rnetc };

    for (int i = 0; task->words[i]; i++)
        words[i + 1] = (char *)task->words[i];
    redirect(task->input ? task->input : "/dev/null", O_RDONLY, 0);
    redirect("../out", O_WRONLY | O_CREAT | O_TRUNC, 1);
    redirect("../err", O_WRONLY | O_CREAT | O_TRUNC, 2);
    unlink("../log");
    snprintf(text, sizeof text, "%u %ld %d %d", fault->kinds, fault->at,
             fault->number, (int)fault->manner);
    setenv("FAULTS", text, 1);
    setenv("FAULTS_LOG", "../log", 1);
    setenv("LD_PRELOAD", faulty, 1);
    alarm(SECONDS);
    execv(rnetc, words);
    _exit(127);
}

static int says_error(const char *path)
{
    char text[1 << 14];
    FILE *file = fopen(path, "r");
    size_t count = file ? fread(text, 1, sizeof text - 1, file) : 0;

    if (file)
        fclose(file);
    text[count] = '\0';
    return strstr(text, "error: ") || strstr(text, "\"error\"");
}

static struct outcome run(const struct task *task, const struct fault *fault)
{
    struct outcome outcome = { 0 };
    int status;
    pid_t child = fork();

    if (child == 0)
        begin(task, fault);
    waitpid(child, &status, 0);
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    outcome.signalled = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    outcome.said = says_error("../err");
    FILE *log = fopen("../log", "r");
    if (!log
        || fscanf(log, "%d %ld %d", &outcome.hit, &outcome.live, &outcome.open)
               != 3)
        outcome.hit = outcome.status == FAULT_EXIT;
    if (log)
        fclose(log);
    runs++;
    return outcome;
}

/* --------------------------------------------------------------- verdicts */

static const char *const kinds[FAULT_KINDS] = {
    "memory", "thread", "lock",   "open", "read", "write", "sync",
    "close",  "rename", "unlink", "stat", "mode", "link",  "path"
};

static int show(const char *path)
{
    char line[200];
    FILE *file = fopen(path, "r");

    for (int i = 0; file && i < 4 && fgets(line, sizeof line, file); i++)
        printf("    | %s", line);
    if (file)
        fclose(file);
    return 0;
}

static void wrong(const struct task *task, const struct fault *fault,
                  const struct outcome *outcome, const char *what)
{
    const char *kind = "file";

    for (int i = 0; i < FAULT_KINDS; i++)
        if (fault->kinds == 1u << i)
            kind = kinds[i];
    failures++;
    if (failures > 40)
        return;
    printf("%s: call %ld of %s, %s, manner %d: status %d, signal %d: %s\n",
           task->name, fault->at, kind, strerror(fault->number),
           (int)fault->manner, outcome->status, outcome->signalled, what);
    show("../err");
    fflush(stdout);
}

struct expected {
    struct folder before, after;
    struct outcome good;
};

/* After a fault that the process outlived. */
static const char *judge(const struct task *task, const struct fault *fault,
                         const struct outcome *o, const struct expected *e)
{
    struct folder now = folder_list(".");
    int hopeless = fault->manner == FAULT_EVER
                   && fault->kinds & (FAULT_RENAME | FAULT_UNLINK);

    if (o->signalled || (o->status != task->status && o->status != 1))
        return "not the status of a failure";
    if (o->status && !o->said)
        return "no message";
    if (fault->kinds != FAULT_MEMORY && o->live > e->good.live)
        return "memory is left";
    if (fault->kinds != FAULT_MEMORY && o->open > e->good.open)
        return "a file is left open";
    if (hopeless)
        return folder_one_of(&now, &e->before, &e->after, temporary)
                   ? NULL
                   : "a file is neither old nor new";
    if (o->status == 0)
        return folder_same(&now, &e->after, NULL)
                   ? NULL
                   : "success, but the files are not those of a good run";
    return folder_same(&now, &e->before, NULL)
               ? NULL
               : "failure, but the files are not as before";
}

/* After the end of the process at some call. */
static const char *judge_end(const struct task *task, const struct outcome *o,
                             const struct expected *e)
{
    const struct fault none = { 0 };
    struct folder now = folder_list(".");

    if (o->status != FAULT_EXIT)
        return "it did not end there";
    if (!folder_one_of(&now, &e->before, &e->after, temporary))
        return "a file is neither old nor new";
    struct outcome again = run(task, &none);
    now = folder_list(".");
    return again.status == task->status
                   && folder_same(&now, &e->after, temporary)
               ? NULL
               : "the next run does not give what it should";
}

/* Of many allocations not every one fails: the next is 1 / part further on. */
static long next(long at, const struct row *row)
{
    if (!part || row->kinds != FAULT_MEMORY || at < 12)
        return at + 1;
    return at + 1 + at / (row->manner == FAULT_EVER ? part / 2 : part);
}

static void try_row(const struct task *task, const struct row *row,
                    const struct expected *e)
{
    for (long at = 1;; at = next(at, row)) {
        struct fault fault = { row->kinds, at, row->number, row->manner };
        prepare(task);
        struct outcome o = run(task, &fault);
        if (!o.hit && !o.signalled)
            break;
        const char *what = row->manner >= FAULT_BEFORE
                               ? judge_end(task, &o, e)
                               : judge(task, &fault, &o, e);
        injected++;
        if (what)
            wrong(task, &fault, &o, what);
    }
}

static void try_task(const struct task *task)
{
    const struct fault none = { 1, 1L << 40, 0, FAULT_ONCE };
    struct expected e;

    prepare(task);
    e.before = folder_list(".");
    e.good = run(task, &none);
    e.after = folder_list(".");
    if (e.good.status != task->status) {
        wrong(task, &none, &e.good, "without a fault");
        return;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        try_row(task, &rows[i], &e);
}

/* A whole network, compiled and shown. */
static void try_network(char *name)
{
    const struct task list[] = {
        { name,
          { name, "-o", "out.c", "-MD" },
          { "out.c", "out.h" },
          NULL,
          0 },
        { name, { name, "--dump=plan", "-o", "out" }, { 0 }, NULL, 0 },
        { name, { name, "--dot", "-o", "out" }, { 0 }, NULL, 0 },
        { name, { name, "--summary" }, { 0 }, NULL, 0 },
    };

    for (int i = 0; i < 4; i++)
        try_task(&list[i]);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    rnetc = argv[1];
    faulty = argv[2];
    folder = argv[3];
    part = argc > 4 ? 0 : 5;
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        try_task(&tasks[i]);
    part = 40;
    for (int i = 5; i < argc; i++)
        try_network(argv[i]);
    printf("compiler: %ld faults injected\n", injected);
    printf("%ld passed, %ld failed\n", injected - failures, failures);
    return failures != 0;
}
