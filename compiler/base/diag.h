/* diag.h: source files and what is said about them.  Positions everywhere else
 * are byte spans; this module alone knows lines and columns. */
#ifndef DIAG_H
#define DIAG_H

#include <sys/types.h>

#include "util.h"

struct span { int file; uint32_t begin, end; };     /* bytes [begin, end) */

struct source {
    const char *path;           /* as the user wrote it */
    const char *text;           /* `length` bytes, then a NUL */
    uint32_t length;
    uint32_t *lines;            /* where each line begins, line_count of them */
    uint32_t line_count;
    bool built_in;              /* no file: of the library */
    dev_t device;               /* which file it is, whatever its name */
    ino_t number;
};

enum severity { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };
enum diag_format { DIAG_TEXT, DIAG_JSON };

struct diag {
    struct arena *arena;
    struct source sources[LIMIT_FILES];
    int source_count;
    FILE *out;
    bool color;
    enum diag_format format;
    bool warnings_are_errors, no_warnings;
    uint64_t off;               /* bit i: not the i-th of diag_warnings */
    int max_errors;             /* 0: no limit */
    int errors, warnings;
    bool muted;                 /* past max_errors, or this error's notes */
    int listed, children;       /* JSON: objects written, notes of the last */
};

/* The names of all warnings, for -Wno-NAME; NULL ends them. */
extern const char *const diag_warnings[];

/* Reads a file (or "-", standard input): its index, or -1 after an error that
 * points at `where` (NULL: the command line).  Checks size, NUL bytes and
 * UTF-8. */
int diag_open(struct diag *diag, const char *path, const struct span *where);

/* The same for text already in memory, `length` bytes then a NUL, which must
 * stay there: the tests' way in. */
int diag_add(struct diag *diag, const char *path, const char *text,
             size_t length, const struct span *where);

/* gcc's layout: "file:line:col: error: message", the line, a caret.  `where`
 * NULL: "rnetc: error: message".  Notes follow the error they belong to.  A
 * warning carries its name: "[-Wname]". */
void diag_error(struct diag *diag, const struct span *where,
                const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_warning(struct diag *diag, const char *name, const struct span *where,
                  const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void diag_note(struct diag *diag, const struct span *where,
               const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Text as a terminal may show it: a '?' for what it would obey, or what makes
 * text read in another order. */
const char *diag_shown(struct arena *arena, const char *text);

/* Line of a position, from 1. */
int diag_line(const struct diag *diag, struct span span);

/* Closes the list (JSON needs it). */
void diag_finish(struct diag *diag);

/* Of `count` candidates the nearest to `name` within max(1, length / 3)
 * edits; NULL when none is near. */
const char *diag_nearest(const char *name, const char *const *candidates,
                         size_t count);

#endif
