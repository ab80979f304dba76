/* moments.h: RNET_SUM_MOMENTS on vectors. */
#ifndef RNET_MOMENTS_H
#define RNET_MOMENTS_H

#include "tile.h"
#include "vec.h"

static ALWAYS_INLINE vf moments_load(const float *p, int count)
{
    return count == RNET_W ? v_loadu(p) : v_load_first(p, count);
}

static ALWAYS_INLINE void moments_store(float *p, vf a, int count)
{
    if (count == RNET_W)
        v_storeu(p, a);
    else
        v_store_first(p, a, count);
}

/* rnet_moments_centre of `count` features. */
static ALWAYS_INLINE vf moments_centre(float *line, long features, vf first,
                                       int count)
{
    float *squares = line + features, *centres = squares + features;
    vf so_far = moments_load(squares, count);
    vi fresh = so_far == RNET_BEFORE_FIRST;
    vf centre = v_select(fresh, first, moments_load(centres, count));

    moments_store(centres, centre, count);
    moments_store(squares, v_select(fresh, v_zero(), so_far), count);
    return centre;
}

#endif
