/* output.h: files that are written whole or not at all. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "graph.h"

enum { OUTPUTS = 3 };           /* C, header, depfile */

struct output {
    const char *path;           /* as the user named it; "-": standard output */
    const char *data;
    size_t length;
    /* output.c */
    const char *target, *temporary;
    bool existed;
};

/* Writes all of `count` files or none: each to a temporary beside its target,
 * to the disk, then under its name.  A target that is a device or a pipe is
 * written to as it is.  False after an error. */
bool output_write(struct compilation *c, struct output *outputs, int count);

#endif
