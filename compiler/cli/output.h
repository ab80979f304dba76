/* output.h: files that are written whole or not at all. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "graph.h"

#include <sys/types.h>

enum { OUTPUTS = 3 };           /* C, header, depfile */

struct output {
    const char *path;           /* as the user named it; "-": standard output */
    const char *data;
    size_t length;
    /* output.c */
    const char *target;         /* the file to replace; NULL: a stream */
    char *temporary, *backup;   /* names beside it */
    bool existed, made, kept, placed;   /* the target, temporary, backup, all */
    mode_t mode;
};

/* Writes all of `count` outputs or none: what is a device or a pipe first and
 * as it is; of files each to a temporary beside its target, to the disk, then
 * under its name.  After an error, of which false tells, the files are those
 * that there were. */
bool output_write(struct compilation *c, struct output *outputs, int count);

/* Text that is no output of a compilation: false when it cannot be written,
 * the reason in errno. */
bool output_print(int file, const char *text, size_t length);

#endif
