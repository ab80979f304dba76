/* library.h: the blocks that come with rnetc, library/NAME.rnet, as text in the
 * program. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include "util.h"

struct library_file { const char *name, *text; };

/* All, by name; `count` of them. */
const struct library_file *library_files(size_t *count);

/* NULL when there is none of that name. */
const struct library_file *library_find(const char *name);

/* The nearest name, or NULL. */
const char *library_nearest(const char *name);

/* Its first line, without the comment's "//". */
void library_title(const struct library_file *file, struct text *out);

#endif
