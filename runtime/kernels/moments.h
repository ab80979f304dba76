/* moments.h: RNET_SUM_MOMENTS on vectors. */
#ifndef RNET_MOMENTS_H
#define RNET_MOMENTS_H

#include "tile.h"
#include "vec.h"

/* rnet_moments_centre of `count` features. */
static ALWAYS_INLINE vf moments_centre(float *line, long features, vf first,
                                       int count)
{
    float *squares = line + features, *centres = squares + features;
    vf so_far = v_load_up_to(squares, count);
    vi fresh = so_far == RNET_BEFORE_FIRST;
    vf centre = v_select(fresh, first, v_load_up_to(centres, count));

    v_store_up_to(centres, centre, count);
    v_store_up_to(squares, v_select(fresh, v_zero(), so_far), count);
    return centre;
}

#endif
