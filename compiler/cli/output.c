/* output.c: writes files.  Requires: no error was reported.  Gives: all files
 * with their whole text, or an error and none of them.
 *
 * From the first temporary to the last file nothing is allocated, as that may
 * end the program, and no signal comes in: what is begun is finished or taken
 * back.  A process that is killed leaves every file whole, old or new, and
 * perhaps temporaries, whose names begin with ".rnetc-". */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool failed(struct compilation *c, const struct output *o, int reason)
{
    if (strcmp(o->path, "-") == 0)
        diag_error(c->diag, NULL, "cannot write standard output: %s",
                   strerror(reason));
    else
        diag_error(c->diag, NULL, "cannot write '%s': %s", o->path,
                   strerror(reason));
    return false;
}

bool output_print(int file, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t count = write(file, text, length);

        if (count < 0 && errno == EINTR)
            continue;
        if (count == 0)
            errno = ENOSPC;
        if (count <= 0)
            return false;
        text += count;
        length -= (size_t)count;
    }
    return true;
}

/* ---- what a target is ---- */

/* An input must not be lost. */
static bool is_input(struct compilation *c, const struct stat *about)
{
    const struct diag *diag = c->diag;

    for (int i = 0; i < diag->source_count; i++)
        if (!diag->sources[i].built_in
            && diag->sources[i].device == about->st_dev
            && diag->sources[i].number == about->st_ino)
            return true;
    return false;
}

/* Through a symbolic link: the link stays. */
static bool find_target(struct compilation *c, struct output *o)
{
    char *real = realpath(o->path, NULL);

    if (!real)
        return failed(c, o, errno);
    o->target = arena_text(c->arena, real, strlen(real));
    free(real);
    return true;
}

/* As open() would make it. */
static mode_t new_mode(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return 0666 & ~mask;
}

static bool look(struct compilation *c, struct output *o)
{
    struct stat about;

    if (strcmp(o->path, "-") == 0)
        return true;
    o->existed = stat(o->path, &about) == 0;
    o->mode = o->existed ? about.st_mode & 07777 : new_mode();
    if (!o->existed) {
        o->target = o->path;
        return errno == ENOENT || failed(c, o, errno);
    }
    if (S_ISDIR(about.st_mode))
        return failed(c, o, EISDIR);
    if (access(o->path, W_OK) != 0)
        return failed(c, o, errno);
    if (!S_ISREG(about.st_mode))
        return true;
    if (is_input(c, &about)) {
        diag_error(c->diag, NULL, "'%s' is an input: it is not written",
                   o->path);
        return false;
    }
    return find_target(c, o);
}

/* Two names of one file: the second would replace the first. */
static bool apart(struct compilation *c, const struct output *outputs, int i)
{
    for (int k = 0; k < i; k++)
        if (outputs[k].target && outputs[i].target
            && strcmp(outputs[k].target, outputs[i].target) == 0) {
            diag_error(c->diag, NULL, "'%s' and '%s' are one file",
                       outputs[k].path, outputs[i].path);
            return false;
        }
    return true;
}

/* All memory that writing needs. */
static void name_temporary(struct compilation *c, struct output *o)
{
    const char *slash = strrchr(o->target, '/');
    int folder = slash ? (int)(slash + 1 - o->target) : 0;

    o->temporary = arena_format(c->arena, "%.*s.rnetc-XXXXXX", folder,
                                o->target);
    o->backup = arena_format(c->arena, "%s.old", o->temporary);
}

static bool prepare(struct compilation *c, struct output *outputs, int count)
{
    for (int i = 0; i < count; i++) {
        if (!look(c, &outputs[i]) || !apart(c, outputs, i))
            return false;
        if (outputs[i].target)
            name_temporary(c, &outputs[i]);
    }
    return true;
}

/* ---- streams ---- */

static bool write_stream(struct compilation *c, const struct output *o)
{
    bool standard = strcmp(o->path, "-") == 0;
    int file = standard ? STDOUT_FILENO : open(o->path, O_WRONLY | O_CLOEXEC);
    bool good = file >= 0 && output_print(file, o->data, o->length);
    int reason = errno;

    if (file >= 0 && !standard && close(file) != 0 && good && errno != EINTR) {
        reason = errno;
        good = false;
    }
    return good || failed(c, o, reason);
}

/* ---- files: false with a reason in errno, and without memory ---- */

/* Some file systems know no syncing: EINVAL is no failure. */
static bool sync_file(int file)
{
    while (fsync(file) != 0)
        if (errno != EINTR)
            return errno == EINVAL;
    return true;
}

/* What is on the disk is not lost by a close that was interrupted. */
static bool fill(const struct output *o, int file)
{
    bool good = output_print(file, o->data, o->length)
             && fchmod(file, o->mode) == 0 && sync_file(file);
    int reason = errno;

    if (close(file) != 0 && good)
        return errno == EINTR;
    errno = reason;
    return good;
}

static bool make(struct output *o)
{
    int file = mkstemp(o->temporary);

    o->made = file >= 0;
    return o->made && fill(o, file);
}

/* A second name for what is replaced, where the file system has such. */
static void keep(struct output *o)
{
    size_t length = strlen(o->temporary);

    memcpy(o->backup, o->temporary, length);
    o->kept = link(o->target, o->backup) == 0;
}

static bool place(struct output *o)
{
    if (rename(o->temporary, o->target) != 0)
        return false;
    o->made = false;
    o->placed = true;
    return true;
}

static void take_back(struct output *o)
{
    if (o->made)
        unlink(o->temporary);
    if (o->placed && o->kept)
        o->kept = rename(o->backup, o->target) != 0;
    else if (o->placed && !o->existed)
        unlink(o->target);
    else if (o->kept)
        unlink(o->backup);
}

/* Only the last one to be placed needs no way back. */
static struct output *write_files(struct output *outputs, int count)
{
    int last = count - 1;

    while (last > 0 && !outputs[last].target)
        last--;
    for (int i = 0; i <= last; i++)
        if (outputs[i].target && !make(&outputs[i]))
            return &outputs[i];
    for (int i = 0; i < last; i++)
        if (outputs[i].target && outputs[i].existed)
            keep(&outputs[i]);
    for (int i = 0; i <= last; i++)
        if (outputs[i].target && !place(&outputs[i]))
            return &outputs[i];
    return NULL;
}

/* The one that failed, the reason in errno, or NULL. */
static struct output *replace_files(struct output *outputs, int count)
{
    sigset_t all, old;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    struct output *bad = write_files(outputs, count);
    int reason = errno;
    for (int i = 0; i < count; i++) {
        if (bad)
            take_back(&outputs[i]);
        else if (outputs[i].kept)
            unlink(outputs[i].backup);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    errno = reason;
    return bad;
}

bool output_write(struct compilation *c, struct output *outputs, int count)
{
    if (!prepare(c, outputs, count))
        return false;
    for (int i = 0; i < count; i++)
        if (!outputs[i].target && !write_stream(c, &outputs[i]))
            return false;
    struct output *bad = replace_files(outputs, count);
    return !bad || failed(c, bad, errno);
}
