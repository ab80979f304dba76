/* position.c: rotary embeddings, tables of sines and sines of values, on
 * vectors.
 *
 * Positions' angles are fractions of a turn in 64 bits, which wrap by
 * themselves: position times the turn of a pair is exact for any position.
 * Those of 32 rows and up to 32 features of a head are made once for all
 * heads. */
#include <math.h>

#include "position.h"
#include "math.h"

#define BLOCK 32                /* features of a tile */

/* Cosines and sines as a tile lies: [feature][row] in strips, else
 * [row][feature], 32 wide. */
struct angles {
    float cosine[BLOCK * RNET_LANES] __attribute__((aligned(64)));
    float sine[BLOCK * RNET_LANES] __attribute__((aligned(64)));
};

/* A pair's turn a position, in 2^-64. */
static uint64_t turn_of(const struct position_job *job, long pair)
{
    double turn = position_angle(job, pair) * 0.15915494309189535;

    return (uint64_t)ldexp(turn - floor(turn), 64);
}

/* An angle as quarters of a turn and the radians left, -pi / 4 to pi / 4, which
 * a float keeps however small they are; as a tile lies. */
struct reduced {
    int32_t quarter[BLOCK * RNET_LANES] __attribute__((aligned(64)));
    float rest[BLOCK * RNET_LANES] __attribute__((aligned(64)));
};

/* Of `turn` in 2^-64. */
static void reduce_turn(struct reduced *to, long at, uint64_t turn)
{
    uint64_t quarter = (turn + (UINT64_C(1) << 61)) >> 62;

    to->quarter[at] = (int32_t)quarter;
    to->rest[at] = (float)(int64_t)(turn - (quarter << 62)) * 3.40612158e-19f;
}

/* Feature `at` of rows row to row + count - 1: their positions times turn. */
static void reduce_positions(struct reduced *to, const struct position_job *job,
                             long row, long count, uint64_t turn, long at,
                             long step)
{
    uint64_t position = (uint64_t)(row % job->rows.rows_per_sample);

    for (long k = 0; k < count; k++) {
        reduce_turn(to, at + k * step, position * turn);
        if (++position == (uint64_t)job->rows.rows_per_sample)
            position = 0;
    }
}

static void take_sines(struct angles *to, const struct reduced *from)
{
    for (int i = 0; i < BLOCK * RNET_LANES; i += RNET_W) {
        vf sine, cosine;
        v_sine(vi_loadu(from->quarter + i), v_load(from->rest + i), &sine,
               &cosine);
        v_store(to->sine + i, sine);
        v_store(to->cosine + i, cosine);
    }
}

/* Features [feature, feature + features) of a head, for `count` rows. */
static void fill_angles(struct angles *to, const struct position_job *job,
                        long row, long count, long feature, long features)
{
    struct reduced from = { .quarter = { 0 } };
    int strips = job->rows.layout == RNET_STRIPS;

    for (long f = 0; f < features; f++)
        reduce_positions(&from, job, row, count,
                         turn_of(job, position_pair(job, feature + f)),
                         strips ? f * RNET_LANES : f, strips ? 1 : BLOCK);
    take_sines(to, &from);
}

/* ------------------------------------------------------------------ tiles */

/* The tile of `features` features of `count` rows at `feature`; the steps. */
static void set_tile(struct rnet_tile *tile, long feature, long features)
{
    int strips = tile->layout == RNET_STRIPS;
    int rows = strips ? tile->inner : tile->outer;

    tile->feature = feature;
    tile->outer = strips ? (int)features : rows;
    tile->inner = strips ? rows : (int)features;
}

/* A tile of these rows without features. */
static void begin(const struct position_job *job, long features, long row,
                  long count, float *acc, struct rnet_tile *tile)
{
    struct rnet_part part = rnet_rows_part(job->rows, features, row, count);

    if (rnet_rows_begin(job->rows, row))
        rnet_steps_begin(job->steps, part.chunk, 0, features, features);
    rnet_tile_first(tile, &part, acc);
    tile->acc_stride = RNET_LANES;
    tile->outer = tile->inner = (int)count;
}

/* ------------------------------------------------------------------- rope */

/* x cos + other sin */
static ALWAYS_INLINE void turn_strip(const struct position_job *job,
                                     const struct rnet_tile *tile,
                                     const struct angles *angles,
                                     long partner, float sign)
{
    const float *x = job->x + (tile->row / RNET_LANES * job->x_stride
                               + tile->feature) * RNET_LANES;
    long mask = partner ? 0 : 1;        /* neighbours: the row's twin */

    for (int i = 0; i < tile->outer; i++) {
        const float *other = x + ((i ^ mask) + partner) * RNET_LANES;
        vf factor = v_set(mask && i % 2 ? -sign : sign);
        UNROLL
        for (int j = 0; j < RNET_LANES; j += RNET_W) {
            long at = i * RNET_LANES + j;
            v_store(tile->acc + at,
                    v_loadu(x + at) * v_load(angles->cosine + at)
                        + v_loadu(other + j) * factor
                              * v_load(angles->sine + at));
        }
    }
}

/* Lanes 2 i and 2 i + 1 exchanged. */
static ALWAYS_INLINE vf exchanged(vf a)
{
#if RNET_W == 16
    return __builtin_shufflevector(a, a, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10,
                                   13, 12, 15, 14);
#elif RNET_W == 8
    return __builtin_shufflevector(a, a, 1, 0, 3, 2, 5, 4, 7, 6);
#else
    return __builtin_shufflevector(a, a, 1, 0, 3, 2);
#endif
}

static ALWAYS_INLINE void turn_plain(const struct position_job *job,
                                     const struct rnet_tile *tile,
                                     const struct angles *angles,
                                     long partner, float sign)
{
    vf factor = v_set(sign);

    if (!partner)
        factor = v_select((vi_lanes() & 1) != 0, v_set(-sign), factor);
    for (int i = 0; i < tile->outer; i++) {
        const float *x = job->x + (tile->row + i) * job->x_stride
                         + tile->feature;
        for (int j = 0; j < tile->inner; j += RNET_W) {
            int n = tile->inner - j;
            long at = i * RNET_LANES + j;
            vf a = v_load_up_to(x + j, n);
            vf other = partner ? v_load_up_to(x + j + partner, n)
                               : exchanged(a);
            v_store(tile->acc + at,
                    a * v_load(angles->cosine + at)
                        + other * factor * v_load(angles->sine + at));
        }
    }
}

/* Features [feature, feature + features) of every head, whose partners are
 * `partner` features on, or beside each other when 0. */
static void turn_heads(const struct position_job *job, struct rnet_tile *tile,
                       const struct angles *angles, long feature,
                       long features, long partner, float sign)
{
    for (long f = feature; f < job->features; f += job->head) {
        set_tile(tile, f, features);
        if (tile->layout == RNET_STRIPS)
            turn_strip(job, tile, angles, partner, sign);
        else
            turn_plain(job, tile, angles, partner, sign);
        RNET_NAME(steps)(job->run, tile, job->steps);
    }
}

static void rope(const struct position_job *job, long row, long count)
{
    float acc[BLOCK * RNET_LANES] __attribute__((aligned(64)));
    struct angles angles;
    struct rnet_tile tile;
    long half = job->pairing == RNET_HALVES ? job->head / 2 : 0;
    long end = half ? half : job->head;
    float sign = (float)job->sign;

    begin(job, job->features, row, count, acc, &tile);
    for (long f = 0; f < end; f += BLOCK) {
        long features = end - f < BLOCK ? end - f : BLOCK;
        fill_angles(&angles, job, row, count, f, features);
        turn_heads(job, &tile, &angles, f, features, half, -sign);
        if (half)
            turn_heads(job, &tile, &angles, f + half, features, -half, sign);
    }
}

/* ------------------------------------------------------------------ sines */

static void place_sines(const struct rnet_tile *tile,
                        const struct angles *angles)
{
    int strips = tile->layout == RNET_STRIPS;
    vi odd_lanes = (vi_lanes() & 1) != 0;

    for (int i = 0; i < tile->outer; i++)
        for (int j = 0; j < RNET_LANES; j += RNET_W) {
            long at = i * RNET_LANES + j;
            vi odd = strips ? vi_set(-(i & 1)) : odd_lanes;
            v_store(tile->acc + at, v_select(odd, v_load(angles->cosine + at),
                                             v_load(angles->sine + at)));
        }
}

static void sines(const struct position_job *job, long row, long count)
{
    float acc[BLOCK * RNET_LANES] __attribute__((aligned(64)));
    struct angles angles;
    struct rnet_tile tile;

    begin(job, job->features, row, count, acc, &tile);
    for (long f = 0; f < job->features; f += BLOCK) {
        long features = job->features - f < BLOCK ? job->features - f : BLOCK;
        fill_angles(&angles, job, row, count, f, features);
        set_tile(&tile, f, features);
        place_sines(&tile, &angles);
        RNET_NAME(steps)(job->run, &tile, job->steps);
    }
}

/* --------------------------------------------------------- sines of values */

/* Feature 0 of a row. */
static float number_of(const struct position_job *job, long row)
{
    return job->rows.layout == RNET_PLAIN
        ? job->x[row * job->x_stride]
        : job->x[row / RNET_LANES * job->x_stride * RNET_LANES
                 + row % RNET_LANES];
}

/* x `turns`; of what is not finite, 0. */
static void reduce_number(struct reduced *to, long at, float x, double turns)
{
    double turn = isfinite(x) ? (double)x * turns : 0;
    double quarter = floor(4 * turn + 0.5);

    to->quarter[at] = (int32_t)(quarter - 4 * floor(0.25 * quarter));
    to->rest[at] = (float)((turn - 0.25 * quarter) * 6.283185307179586);
}

static void fill_features(struct angles *to, const struct position_job *job,
                          long row, long count, long feature, long features)
{
    struct reduced from = { .quarter = { 0 } };
    int strips = job->rows.layout == RNET_STRIPS;

    for (long f = 0; f < features; f++) {
        double turns = position_rate(job, feature + f) * 0.15915494309189535;
        for (long k = 0; k < count; k++)
            reduce_number(&from, strips ? f * RNET_LANES + k : k * BLOCK + f,
                          number_of(job, row + k), turns);
    }
    take_sines(to, &from);
}

/* acc = from; NaN in the rows whose number is not finite. */
static void place_features(const struct position_job *job,
                           const struct rnet_tile *tile, const float *from)
{
    int strips = tile->layout == RNET_STRIPS;
    const float *x = job->x + tile->row / RNET_LANES * job->x_stride
                              * RNET_LANES;

    for (int i = 0; i < tile->outer; i++)
        for (int j = 0; j < RNET_LANES; j += RNET_W) {
            vf number = strips ? v_loadu(x + j)
                               : v_set(number_of(job, tile->row + i));
            v_store(tile->acc + i * RNET_LANES + j,
                    v_load(from + i * RNET_LANES + j) + 0 * number);
        }
}

static void features(const struct position_job *job, long row, long count)
{
    float acc[BLOCK * RNET_LANES] __attribute__((aligned(64)));
    struct angles angles;
    struct rnet_tile tile;
    long half = job->features / 2;

    begin(job, job->features, row, count, acc, &tile);
    for (long f = 0; f < half; f += BLOCK) {
        long features = half - f < BLOCK ? half - f : BLOCK;
        fill_features(&angles, job, row, count, f, features);
        set_tile(&tile, f, features);
        place_features(job, &tile, angles.sine);
        RNET_NAME(steps)(job->run, &tile, job->steps);
        set_tile(&tile, half + f, features);
        place_features(job, &tile, angles.cosine);
        RNET_NAME(steps)(job->run, &tile, job->steps);
    }
}

/* acc += rate (dy_i y_half+i - dy_half+i y_i), of a strip's rows */
static void add_slope_strip(const struct position_job *job,
                            const struct rnet_tile *tile, long i, float rate)
{
    long strip = tile->row / RNET_LANES, half = job->features / 2;
    const float *dy = job->x + (strip * job->x_stride + i) * RNET_LANES;
    const float *y = job->y + (strip * job->y_stride + i) * RNET_LANES;

    for (long j = 0; j < RNET_LANES; j += RNET_W) {
        long cosine = half * RNET_LANES + j;
        vf slope = v_loadu(dy + j) * v_loadu(y + cosine)
                   - v_loadu(dy + cosine) * v_loadu(y + j);
        v_store(tile->acc + j, v_load(tile->acc + j) + v_set(rate) * slope);
    }
}

static void add_slope_rows(const struct position_job *job,
                           const struct rnet_tile *tile, long i, float rate)
{
    long half = job->features / 2;

    for (long k = 0; k < tile->outer; k++) {
        const float *dy = job->x + (tile->row + k) * job->x_stride + i;
        const float *y = job->y + (tile->row + k) * job->y_stride + i;
        tile->acc[k * RNET_LANES] += rate * (dy[0] * y[half]
                                             - dy[half] * y[0]);
    }
}

static void features_grad(const struct position_job *job, long row,
                          long count)
{
    float acc[BLOCK * RNET_LANES] __attribute__((aligned(64))) = { 0 };
    struct rnet_tile tile;

    begin(job, 1, row, count, acc, &tile);
    set_tile(&tile, 0, 1);
    for (long i = 0; i < job->features / 2; i++)
        (tile.layout == RNET_STRIPS ? add_slope_strip : add_slope_rows)(
            job, &tile, i, (float)position_rate(job, i));
    RNET_NAME(steps)(job->run, &tile, job->steps);
}

const struct position_kernels RNET_NAME(position_kernels) = {
    rope, sines, features, features_grad
};
