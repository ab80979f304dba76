/* values.h: for tests of pointwise kernels: values in both layouts between
 * guards of NaN, and tasks in odd orders.  Include after cmocka.h. */
#ifndef VALUES_H
#define VALUES_H

#include <math.h>
#include <stdlib.h>

#include "../../runtime/isa.h"
#include "../../runtime/rnet_kernels.h"

static const char *const names[RNET_ISAS] = { "scalar", "base", "avx2",
                                              "avx512" };
static const int sizes[] = { 1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100,
                             513 };
#define SIZES ((int)(sizeof sizes / sizeof sizes[0]))

static inline int use(int isa)
{
    return rnet_isa_use((enum rnet_isa)isa) == (enum rnet_isa)isa;
}

/* ------------------------------------------------------------------- values */

static uint32_t random_state = 1;

/* -8 ... 8 without 0: divisors among them; quotients of powers of two would
 * be exact, others are rounded alike by all. */
static inline float whole(void)
{
    int n;

    random_state = random_state * 1664525u + 1013904223u;
    n = (int)(random_state >> 16) % 16 - 8;
    return (float)(n >= 0 ? n + 1 : n);
}

/* `count` numbers between guards of NaN: reading past either end shows. */
struct array { float *all, *p; long count; };
#define GUARD 64

static inline struct array array(long count, int fill)
{
    struct array a = { rnet_alloc((size_t)(count + 2 * GUARD)), NULL, count };

    assert_non_null(a.all);
    a.p = a.all + GUARD;
    for (long i = 0; i < count + 2 * GUARD; i++)
        a.all[i] = NAN;
    for (long i = 0; fill && i < count; i++)
        a.p[i] = whole();
    return a;
}

/* A value of (rows, features) with stride, in either layout; what lies beside
 * it and in the padding lanes is NaN. */
struct value { struct array array; float *p; long stride; };

static inline long place(enum rnet_layout layout, long stride, long row, long feature)
{
    return layout == RNET_PLAIN
               ? row * stride + feature
               : (row / 32 * stride + feature) * 32 + row % 32;
}

static inline struct value value(struct rnet_rows rows, long features, int fill)
{
    long first = 3, count;
    struct value v = { .stride = features + 5 };

    /* the last row ends where its last feature does */
    count = rows.layout == RNET_PLAIN
                ? first + (rows.rows - 1) * v.stride + features
                : (rows.rows + 31) / 32 * v.stride * 32;
    v.array = array(count, 0);
    v.p = v.array.p + (rows.layout == RNET_PLAIN ? first : first * 32);
    for (long r = 0; fill && r < rows.rows; r++)
        for (long f = 0; f < features; f++)
            v.p[place(rows.layout, v.stride, r, f)] = whole();
    return v;
}

/* Bits of everything that may differ: all of a plain value, the rows of a
 * strip's features. */
static inline int same_value(struct rnet_rows rows, long features,
                      const struct value *a, const struct value *b, double unit)
{
    for (long r = 0; r < rows.rows; r++)
        for (long f = 0; f < features; f++) {
            float x = a->p[place(rows.layout, a->stride, r, f)];
            float y = b->p[place(rows.layout, b->stride, r, f)];

            if (isnan(x) ? !isnan(y)
                         : x != y && !(fabsf(x - y) <= unit * (1 + fabsf(x))))
                return 0;
        }
    return 1;
}

/* Nothing beside the slice was written. */
static inline int intact(struct rnet_rows rows, long features, const struct value *v)
{
    const struct array *a = &v->array;

    for (long i = -GUARD; i < a->count + GUARD; i++) {
        long at = a->p + i - v->p, f, row;

        if (isnan(a->p[i]))
            continue;
        if (rows.layout == RNET_PLAIN) {
            f = at % v->stride;
            row = at / v->stride;
            if (at < 0 || f >= features || row >= rows.rows)
                return 0;
        } else {
            f = at / 32 % v->stride;
            if (at < 0 || f >= features || i < 0 || i >= a->count)
                return 0;
        }
    }
    return 1;
}

/* Plays the tasks in an order of its own. */
static inline void play(void *user, long tasks, rnet_task *task, void *context)
{
    long step = *(long *)user;

    for (long first = 0; first < step; first++)
        for (long i = tasks - 1 - first; i >= 0; i -= step)
            task(context, i, (int)(i % 7));
}

#endif
