/* point.h: the step interpreter's neighbours, and rnet_point's kernel. */
#ifndef RNET_POINT_H
#define RNET_POINT_H

#include <math.h>

#include "tile.h"

/* A rectangle of a value: one task's share.  Strips: `row` is a multiple of 32
 * and count at most 32.  `chunk` is its line in the steps' sums. */
struct rnet_part {
    struct rnet_rows rows;
    long features;              /* of the whole value */
    long row, row_count;
    long feature, feature_count;
    long chunk, sample;
};

struct point_kernels {
    /* acc = 0, then the steps, over the rectangle */
    void (*part)(const struct rnet_run *run, const struct rnet_part *part,
                 struct rnet_steps steps);
};
extern const struct point_kernels rnet_scalar_point_kernels,
    rnet_base_point_kernels, rnet_avx2_point_kernels,
    rnet_avx512_point_kernels;

/* Dropout keeps words from here on: ceil(p 2^32), p in [0, 1); with p >= 1
 * (which the compiler refuses) all but one word are dropped, and that one is
 * scaled by 0. */
static inline uint32_t rnet_dropout_limit(float p)
{
    double limit = ceil((double)p * 4294967296.0);

    return limit < 4294967295.0 ? (uint32_t)limit : UINT32_MAX;
}

static inline float rnet_dropout_scale(float p)
{
    return p < 1 ? (float)(1.0 / (1.0 - (double)p)) : 0;
}

/* Widest tile of a plain value: long rows, yet several of them. */
#define RNET_POINT_WIDTH 256

/* Tiles of a rectangle, which is not empty, one after the other, in order:
 * features in the outer loop, so that sums over rows go through one line at a
 * time. */
static inline void rnet_tile_first(struct rnet_tile *tile,
                                  const struct rnet_part *part, float *acc)
{
    tile->acc = acc;
    tile->layout = part->rows.layout;
    tile->rows_per_sample = part->rows.rows_per_sample;
    tile->row = part->row;
    tile->row_step = 1;
    tile->feature = part->feature;
    tile->features = part->features;
    tile->chunk = part->chunk;
    tile->sample = part->sample;
    tile->input = NULL;
    tile->input_stride = 0;
}

/* Sizes of the tile at tile->row, tile->feature. */
static inline void rnet_tile_size(struct rnet_tile *tile,
                                  const struct rnet_part *part)
{
    long rows = part->row + part->row_count - tile->row;
    long wide = part->feature + part->feature_count - tile->feature;

    if (tile->layout == RNET_STRIPS) {
        tile->acc_stride = RNET_LANES;
        tile->outer = wide < RNET_LANES ? (int)wide : RNET_LANES;
        tile->inner = (int)rows;
        return;
    }
    tile->inner = wide < RNET_POINT_WIDTH ? (int)wide : RNET_POINT_WIDTH;
    tile->acc_stride = (tile->inner + 15) / 16 * 16;
    tile->outer = (int)(RNET_TILE_FLOATS / tile->acc_stride);
    if (tile->outer > rows)
        tile->outer = (int)rows;
}

/* Moves on to the next tile; 0 when there is none. */
static inline int rnet_tile_next(struct rnet_tile *tile,
                                 const struct rnet_part *part)
{
    if (tile->layout == RNET_STRIPS) {
        tile->feature += tile->outer;
        return tile->feature < part->feature + part->feature_count;
    }
    tile->row += tile->outer;
    if (tile->row < part->row + part->row_count)
        return 1;
    tile->row = part->row;
    tile->feature += tile->inner;
    return tile->feature < part->feature + part->feature_count;
}

/* A kernel that goes by rows: rows [row, row + count) are of one strip or of
 * one block of 32; plain, also of one sample when the steps ask for it. */
typedef void rnet_rows_task(void *context, long row, long count);

/* Every row, in tasks that own whole blocks of 32 rows and whole chunks of the
 * steps' sums. */
void rnet_by_rows(const struct rnet_run *run, struct rnet_rows rows,
                  struct rnet_steps steps, rnet_rows_task *task,
                  void *context);

/* All features of rows [row, row + count). */
static inline struct rnet_part rnet_rows_part(struct rnet_rows rows,
                                              long features, long row,
                                              long count)
{
    struct rnet_part part = { rows, features, row, count, 0, features,
                              row / RNET_LANES, row / rows.rows_per_sample };

    if (rows.layout == RNET_PLAIN)
        part.chunk = part.sample;
    return part;
}

/* True when a chunk of the steps' sums begins with this row. */
static inline int rnet_rows_begin(struct rnet_rows rows, long row)
{
    return rows.layout == RNET_STRIPS || row % rows.rows_per_sample == 0;
}

#endif
