/* tile.h: one tile of a kernel's result and the steps that ride on it.
 *
 * Sources in this folder are compiled once for each instruction set, with
 * RNET_ISA defined as `base`, `avx2` or `avx512`; every external name goes
 * through RNET_NAME.  The scalar twins in ../scalar define RNET_ISA scalar. */
#ifndef RNET_TILE_H
#define RNET_TILE_H

#include "../rnet_kernels.h"

#define RNET_PASTE2(a, b, c) a##b##_##c
#define RNET_PASTE(a, b, c) RNET_PASTE2(a, b, c)
#define RNET_NAME(name) RNET_PASTE(rnet_, RNET_ISA, name)

/* The largest tile, in floats with its stride: 16 pixels of 64 channels, or
 * 32 features of 32 lanes. */
#define RNET_TILE_FLOATS 1024

/* acc[i * acc_stride + j], i < outer, j < inner.
 * Strips: i is a feature, j a lane: (row + j, feature + i); row is a multiple
 *         of 32, acc_stride is 32, inner the valid lanes (all 32 may be
 *         computed and stored).
 * Plain:  i is a row, j a feature: (row + i * row_step, feature + j);
 *         acc_stride is a multiple of 16, acc is readable up to it. */
struct rnet_tile {
    float *acc;                 /* 64-byte aligned */
    long acc_stride;
    int outer, inner;
    enum rnet_layout layout;
    long row, row_step;
    long feature;
    long features;              /* of the whole result (for sums' lines) */
    long chunk;                 /* line of `sums` */
    long sample;                /* plain: row / rows_per_sample of all rows in
                                   the tile; strips: of the first row */
    long rows_per_sample;
    const float *input;         /* RNET_INPUT: element (i, j) is
                                   input[i * input_stride + feature + j] */
    long input_stride;
};

/* Applies the steps to the tile. */
void RNET_NAME(steps)(const struct rnet_run *run, const struct rnet_tile *tile,
                      struct rnet_steps steps);

/* Zeroes what the steps will add to in line `chunk` of their sums, for
 * features [feature, feature + count): once before the first tile of them.
 * SUM_ALL lines are zeroed when feature == 0.  A task that owns a chunk runs
 * all tiles of that chunk's feature range in order. */
void rnet_steps_begin(struct rnet_steps steps, long chunk, long feature,
                      long count, long features);

/* Lines of a chunk's sums. */
static inline long rnet_sum_lines(enum rnet_op op)
{
    return op == RNET_SUM_MOMENTS ? 3 : op == RNET_SUM_CENTRED ? 2 : 1;
}

/* The first of them, at the tile's first feature; the next is `features` on. */
static inline float *rnet_sum_line(const struct rnet_step *step,
                                   const struct rnet_tile *tile)
{
    return step->sums + tile->feature
           + rnet_sum_lines(step->op) * tile->chunk * tile->features;
}

/* SUM_MOMENTS sums about the row of a chunk that comes first: about a fixed
 * number the mean's square would drown the variance.  Squares of BEFORE_FIRST
 * say that no row has come yet. */
#define RNET_BEFORE_FIRST (-1.0f)

/* What a feature's rows are summed about: `first` when it is the first.  line:
 * its sum; squares and centre are `features` and twice as far. */
static inline float rnet_moments_centre(float *line, long features,
                                        float first)
{
    if (line[features] == RNET_BEFORE_FIRST) {
        line[features] = 0;
        line[2 * features] = first;
    }
    return line[2 * features];
}

/* True when some step sums over features too (SUM_ALL, SUM_PRODUCT_ALL): then
 * one task must own all features of a chunk. */
int rnet_steps_sum_all(struct rnet_steps steps);
/* True when some step sums over rows. */
int rnet_steps_sum(struct rnet_steps steps);
/* True when some step reads tile.sample or tile.chunk: then a plain tile lies
 * within one sample. */
int rnet_steps_by_sample(struct rnet_steps steps);

#endif
