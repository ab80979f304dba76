/* product.c: the tiles of dense products, one function for each size, which
 * rows.c and attention.c share. */
#include "product.h"

/* One k. */
static ALWAYS_INLINE void turn(vf acc[TILE_ROWS][2], int rows, int wide,
                               enum form form, const float *a, const float *b)
{
    vf x[2];
    UNROLL for (int v = 0; v < wide; v++)
        x[v] = v_load(b + v * RNET_W);
    UNROLL for (int i = 0; i < rows; i++) {
        vf coefficient = v_set(a[form == BY_ROWS ? i * RNET_LANES : i]);
        UNROLL for (int v = 0; v < wide; v++)
            acc[i][v] += coefficient * x[v];
    }
}

/* 32 values of k.  One line a turn is prefetched, by rows from the 2 KB and by
 * columns from the rows at `ahead`; all four of a block of turns at once would
 * be slower. */
static ALWAYS_INLINE void segment(vf acc[TILE_ROWS][2], int rows, int wide,
                                  enum form form, const float *a,
                                  const float *b, const float *ahead)
{
    const int next = form == BY_ROWS ? 1 : RNET_LANES;
    const int line = form == BY_ROWS ? 16 : RNET_LANES;

    UNROLL_BY(4)
    for (int k = 0; k < RNET_LANES; k++) {
        v_prefetch_later(ahead + k * line);
        turn(acc, rows, wide, form, a + k * next, b + k * RNET_LANES);
    }
}

static ALWAYS_INLINE void tile(int rows, int wide, enum form form,
                               const struct product *p,
                               const struct rows_tail *tail,
                               struct place place)
{
    vf acc[TILE_ROWS][2];
    const float *a = p->a, *b = p->b + place.lane, *ahead = p->ahead;
    long step = p->step, ahead_step = p->ahead_step, left = p->depth;

    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < wide; v++)
            acc[i][v] = v_zero();
    for (int turn = 0; left >= RNET_LANES; left -= RNET_LANES, turn++) {
        segment(acc, rows, wide, form, a, b, ahead);
        a += step;
        ahead = turn < p->thens ? p->then[turn] : ahead + ahead_step;
        b += RNET_LANES * RNET_LANES;
    }
    for (long k = 0; k < left; k++)
        turn(acc, rows, wide, form,
             a + k * (form == BY_ROWS ? 1 : RNET_LANES), b + k * RNET_LANES);
    finish(acc, rows, wide, tail, place);
}

/* A function for each number of rows: constants make the accumulators
 * registers. */
#define TILES(rows)                                                          \
    static void by_rows_##rows(const struct product *p,                      \
                               const struct rows_tail *tail,                 \
                               struct place place)                           \
    { tile(rows, 2, BY_ROWS, p, tail, place); }                              \
    static void by_rows_narrow_##rows(const struct product *p,               \
                                      const struct rows_tail *tail,          \
                                      struct place place)                    \
    { tile(rows, 1, BY_ROWS, p, tail, place); }                              \
    static void by_columns_##rows(const struct product *p,                   \
                                  const struct rows_tail *tail,              \
                                  struct place place)                        \
    { tile(rows, 2, BY_COLUMNS, p, tail, place); }                           \
    static void by_columns_narrow_##rows(const struct product *p,            \
                                         const struct rows_tail *tail,       \
                                         struct place place)                 \
    { tile(rows, 1, BY_COLUMNS, p, tail, place); }
TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6)
#if TILE_ROWS == 14
TILES(7) TILES(8) TILES(9) TILES(10) TILES(11) TILES(12) TILES(13) TILES(14)
#define TILE_LIST(name) { name##1, name##2, name##3, name##4, name##5, \
    name##6, name##7, name##8, name##9, name##10, name##11, name##12, \
    name##13, name##14 }
#else
#define TILE_LIST(name) { name##1, name##2, name##3, name##4, name##5, \
    name##6 }
#endif

tile_function *const RNET_NAME(tiles)[2][2][TILE_ROWS] = {
    { TILE_LIST(by_rows_), TILE_LIST(by_rows_narrow_) },
    { TILE_LIST(by_columns_), TILE_LIST(by_columns_narrow_) }
};
