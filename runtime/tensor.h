/* tensor.h: walking a network's tensors; for the runtime alone. */
#ifndef RNET_TENSOR_H
#define RNET_TENSOR_H

#include "rnet.h"

/* Every tensor in the order of their numbers: rows of the table, and in each
 * row its repeats, the outermost slowest.  Start with { .net = net }. */
struct rnet_walk {
    const struct rnet_network *net;
    int row;
    size_t within;              /* next instance of the row */
};
/* Sets *entry to the next tensor: 1, or 0 at the end.  A name that does not
 * fit is cut short. */
int rnet_walk_next(struct rnet_walk *walk, struct rnet_entry *entry);

/* Scalars [first, first + count) of the published layout, as rnet_unpack and
 * rnet_pack; padding is left alone. */
void rnet_unpack_part(const struct rnet_entry *entry, const float *array,
                      size_t first, size_t count, float *values);
void rnet_pack_part(const struct rnet_entry *entry, float *array,
                    size_t first, size_t count, const float *values);

#endif
