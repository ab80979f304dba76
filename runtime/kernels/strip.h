/* strip.h: results in strips and what is done with them: tails in registers,
 * other steps over a buffer of 32 features of 32 lanes. */
#ifndef RNET_STRIP_H
#define RNET_STRIP_H

#include "rows.h"
#include "tile.h"
#include "vec.h"

/* Accumulators, two vectors of b and one coefficient fill the registers. */
#if RNET_REGISTERS == 32
#define TILE_ROWS 14
#else
#define TILE_ROWS 6
#endif
#define TILE_LANES (2 * RNET_W)
#define FINISH_ROWS 4           /* of a buffer, at a time */

/* Where in its value a tile lies. */
struct place { long strip, feature; int lane; };

static ALWAYS_INLINE long place_in(struct place place, long stride)
{
    return (place.strip * stride + place.feature) * RNET_LANES + place.lane;
}

/* ------------------------------------------------------ tails in registers */

static ALWAYS_INLINE void add_value(vf acc[TILE_ROWS][2], int rows, int wide,
                                    const float *x)
{
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < wide; v++)
            acc[i][v] += v_load(x + i * RNET_LANES + v * RNET_W);
}

static ALWAYS_INLINE void add_bias(vf acc[TILE_ROWS][2], int rows, int wide,
                                   const float *bias)
{
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < wide; v++)
            acc[i][v] += v_set(bias[i]);
}

static ALWAYS_INLINE void mask_value(vf acc[TILE_ROWS][2], int rows, int wide,
                                     const float *y)
{
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < wide; v++)
            acc[i][v] = v_where_positive(
                v_load(y + i * RNET_LANES + v * RNET_W), acc[i][v]);
}

static ALWAYS_INLINE void rectify(vf acc[TILE_ROWS][2], int rows, int wide)
{
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < wide; v++)
            acc[i][v] = v_max(v_zero(), acc[i][v]);
}

static ALWAYS_INLINE void store_value(vf acc[TILE_ROWS][2], int rows, int wide,
                                      float *y)
{
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < wide; v++)
            v_store(y + i * RNET_LANES + v * RNET_W, acc[i][v]);
}

static ALWAYS_INLINE void finish(vf acc[TILE_ROWS][2], int rows, int wide,
                                 const struct rows_tail *tail,
                                 struct place place)
{
    float *out = tail->out + place_in(place, tail->out_stride);

    if (tail->bias)
        add_bias(acc, rows, wide, tail->bias + place.feature);
    if (tail->before)
        add_value(acc, rows, wide,
                  tail->before + place_in(place, tail->before_stride));
    if (tail->mask)
        mask_value(acc, rows, wide,
                   tail->mask + place_in(place, tail->mask_stride));
    if (tail->inner_relu)
        rectify(acc, rows, wide);
    if (tail->after)
        add_value(acc, rows, wide,
                  tail->after + place_in(place, tail->after_stride));
    if (tail->relu)
        rectify(acc, rows, wide);
    if (tail->accumulate)
        add_value(acc, rows, wide, out);
    store_value(acc, rows, wide, out);
}

/* ------------------------------------------------------------------ buffer */

/* A buffer of 32 features of 32 lanes for results whose tail is steps. */
struct buffer {
    float acc[RNET_LANES * RNET_LANES] __attribute__((aligned(64)));
    struct rnet_tile tile;
    struct rows_tail tail;      /* that stores into acc */
};

/* Lanes that no kernel writes are 0. */
static inline void buffer_init(struct buffer *buffer,
                               const struct rows_job *job, long features)
{
    for (int i = 0; i < RNET_LANES * RNET_LANES; i += RNET_W)
        v_store(buffer->acc + i, v_zero());
    buffer->tail = (struct rows_tail) { .out = buffer->acc };
    buffer->tile = (struct rnet_tile) {
        .acc = buffer->acc, .acc_stride = RNET_LANES, .layout = RNET_STRIPS,
        .row_step = 1, .features = features,
        .rows_per_sample = job->rows_per_sample
    };
}

/* Runs the steps on the `count` features in the buffer. */
static inline void buffer_flush(struct buffer *buffer,
                                const struct rows_job *job, long strip,
                                long feature, long count)
{
    struct rnet_tile *tile = &buffer->tile;

    tile->outer = (int)count;
    tile->inner = rows_lanes(job, strip);
    tile->row = strip * RNET_LANES;
    tile->sample = tile->row / tile->rows_per_sample;
    tile->chunk = strip;
    tile->feature = feature;
    RNET_NAME(steps)(job->run, tile, job->steps);
}

/* `rows` features of the buffer from feature `from` on, of all `lanes`. */
static ALWAYS_INLINE void buffer_rows(const struct buffer *buffer, int rows,
                                      const struct rows_tail *tail,
                                      struct place place, long from, int lanes)
{
    const float *at = buffer->acc + from * RNET_LANES;

    place.feature += from;
    for (place.lane = 0; place.lane < lanes; place.lane += RNET_W) {
        vf acc[TILE_ROWS][2];
        UNROLL for (int i = 0; i < rows; i++)
            acc[i][0] = v_load(at + i * RNET_LANES + place.lane);
        finish(acc, rows, 1, tail, place);
    }
}

/* The tail on what lies in a buffer already. */
static inline void buffer_finish(struct buffer *buffer,
                                 const struct rows_job *job, long strip,
                                 long feature, long count)
{
    struct place place = { strip, feature, 0 };
    int lanes = rows_lanes(job, strip);
    long i = 0;

    if (!job->tail.out) {
        buffer_flush(buffer, job, strip, feature, count);
        return;
    }
    for (; i + FINISH_ROWS <= count; i += FINISH_ROWS)
        buffer_rows(buffer, FINISH_ROWS, &job->tail, place, i, lanes);
    for (; i < count; i++)
        buffer_rows(buffer, 1, &job->tail, place, i, lanes);
}

/* Zeroes the sums of a part's strips. */
static inline void buffer_begin(const struct rows_job *job,
                                const struct rows_part *part, long features)
{
    if (job->tail.out || !rnet_steps_sum(job->steps))
        return;
    for (long s = part->strip; s < part->strip + part->strips; s++)
        rnet_steps_begin(job->steps, s, part->feature, part->features,
                               features);
}

#endif
