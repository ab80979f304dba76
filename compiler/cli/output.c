/* output.c: writes files.  Requires: no error was reported.  Gives: all files
 * with their whole text, or an error and none of them. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

static bool write_all(int file, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t count = write(file, data, length);

        if (count < 0 && errno != EINTR)
            return false;
        if (count > 0) {
            data += count;
            length -= (size_t)count;
        }
    }
    return true;
}

/* ---- what a target is ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* An input must not be lost. */
static bool is_input(struct compilation *c, const struct stat *about)
{
    struct stat input;

    for (int i = 0; i < c->diag->source_count; i++)
        if (stat(c->diag->sources[i].path, &input) == 0
            && same_file(&input, about))
            return true;
    return false;
}

/* Through a symbolic link: the link stays. */
static const char *real_target(struct compilation *c, const char *path)
{
    char *real = realpath(path, NULL);
    const char *kept = real ? arena_text(c->arena, real, strlen(real)) : path;

    free(real);
    return kept;
}

/* ---- the temporary ---- */

static const char *temporary_name(struct compilation *c, const char *target)
{
    const char *slash = strrchr(target, '/');
    int folder = slash ? (int)(slash + 1 - target) : 0;

    return arena_format(c->arena, "%.*s.rnetc-XXXXXX", folder, target);
}

/* As open() would have made it. */
static mode_t new_mode(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return 0666 & ~mask;
}

static bool fill(int file, const struct output *o, mode_t mode)
{
    bool good = write_all(file, o->data, o->length)
             && fchmod(file, mode) == 0 && fsync(file) == 0;
    int reason = errno;

    good = close(file) == 0 && good;
    errno = good ? 0 : reason ? reason : errno;
    return good;
}

static bool make_temporary(struct compilation *c, struct output *o,
                           mode_t mode)
{
    char *name = (char *)temporary_name(c, o->target);
    int file = mkstemp(name);

    if (file < 0)
        return failed(c, o, errno);
    o->temporary = name;
    return fill(file, o, mode) || failed(c, o, errno);
}

static bool prepare(struct compilation *c, struct output *o)
{
    struct stat about;

    if (strcmp(o->path, "-") == 0)
        return true;
    o->existed = stat(o->path, &about) == 0;
    if (!o->existed) {
        o->target = o->path;
        return errno == ENOENT ? make_temporary(c, o, new_mode())
                               : failed(c, o, errno);
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
    o->target = real_target(c, o->path);
    return make_temporary(c, o, about.st_mode & 07777);
}

/* ---- under its name ---- */

static bool write_stream(struct compilation *c, const struct output *o)
{
    bool standard = strcmp(o->path, "-") == 0;
    int file = standard ? STDOUT_FILENO : open(o->path, O_WRONLY | O_CLOEXEC);
    bool good = file >= 0 && write_all(file, o->data, o->length);
    int reason = errno;

    if (file >= 0 && !standard && close(file) != 0 && good) {
        reason = errno;
        good = false;
    }
    return good || failed(c, o, reason);
}

static bool place(struct compilation *c, struct output *o)
{
    if (!o->temporary)
        return write_stream(c, o);
    if (rename(o->temporary, o->target) != 0)
        return failed(c, o, errno);
    o->temporary = NULL;
    return true;
}

/* After an error: no temporary stays, and no file that was not there. */
static void undo(struct output *outputs, int count)
{
    for (int i = 0; i < count; i++) {
        struct output *o = &outputs[i];
        if (o->temporary)
            unlink(o->temporary);
        else if (o->target && !o->existed)
            unlink(o->target);
    }
}

bool output_write(struct compilation *c, struct output *outputs, int count)
{
    bool good = true;

    for (int i = 0; i < count && good; i++)
        good = prepare(c, &outputs[i]);
    for (int i = 0; i < count && good; i++)
        good = place(c, &outputs[i]);
    if (!good)
        undo(outputs, count);
    return good;
}
