/* label.h: what reports call the parts of a network. */
#ifndef LABEL_H
#define LABEL_H

#include "graph.h"

/* The repeats around a node within its function, the outermost first. */
struct repeats { int64_t times[LIMIT_NEST_REPEAT]; int count; };

/* "conv.0 3x3 / 2": a layer by its parameters' path, or by its function. */
const char *layer_text(struct compilation *c, const struct repeats *repeats,
                       const struct node *node);
/* "basic.3..5" of a path that repeats number. */
const char *path_text(struct compilation *c, const struct repeats *repeats,
                      const struct piece *pieces);

/* Moves between layouts, and copies: nothing a user wrote. */
bool is_hidden(const struct node *node);
/* The [1, 1, c] of a pool over a whole map becomes [c]. */
bool ends_pool(const struct node *node);
/* The only call of a list, or NULL. */
const struct node *lone_call(const struct list *list);

#endif
