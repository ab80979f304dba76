/* import.h: the files of one compilation. */
#ifndef IMPORT_H
#define IMPORT_H

#include "graph.h"
#include "options.h"


/* The tree of options->input, its declarations followed by the blocks of every
 * file it imports, however far away.  NULL when it cannot be read; errors go
 * to diag.  The files read are diag->sources, the main one first. */
struct ast *import_files(struct compilation *c,
                         const struct options *options);

/* "m.c m.h: m.rnet lib.rnet": what the outputs are made from, for make; an
 * error where make cannot be told a name. */
void import_depfile(struct compilation *c, const struct options *options,
                    struct text *out);

#endif
