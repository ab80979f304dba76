/* fast.c: the truths of many numbers at once.  Compiled with -ffast-math, by
 * which loops call the vector functions of libm where there are some: those are
 * within 4 units of double's last place, 1e-8 of float's. */
#include "truths.h"

TRUTHS(double, , exp, log, log1p, expm1, tanh, erfc, sqrt)

#define FAST(name) \
    void fast_##name(const float *x, double *y, int count) \
    { \
        for (int i = 0; i < count; i++) \
            y[i] = name((double)x[i]); \
    }
EACH_TRUTH(FAST)
