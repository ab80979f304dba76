/* truths.h: the functions that are measured, by libm's, in double and in long
 * double.  (static: each source has its own.) */
#ifndef TRUTHS_H
#define TRUTHS_H

#include <math.h>

/* x within bounds past which exp, erfc and tanh are beyond float's range, or 1:
 * libm's vector functions are slow out there. */
#define BOUNDED(x, bound) \
    ((x) < -(bound) ? -(bound) : (x) > (bound) ? (bound) : (x))

/* Each in double and in long double; of negative numbers, log and sqrt are those
 * of the magnitude. */
#define TRUTHS(real, of, exp, log, log1p, expm1, tanh, erfc, sqrt) \
    static real of##exp_of(real x) { return exp(BOUNDED(x, 250)); } \
    static real of##log_of(real x) { return log(x < 0 ? -x : x); } \
    static real of##tanh_of(real x) { return tanh(BOUNDED(x, 60)); } \
    static real of##sqrt_of(real x) { return sqrt(x < 0 ? -x : x); } \
    static real of##sigmoid(real x) \
    { \
        real e = exp(BOUNDED(x < 0 ? x : -x, 250)); \
        return (x < 0 ? e : 1) / (1 + e); \
    } \
    static real of##normal(real x) \
    { \
        return erfc(-BOUNDED(x, 30) \
                    * (real)0.70710678118654752440084436210484904L) / 2; \
    } \
    static real of##bell(real x) \
    { \
        real b = BOUNDED(x, 30); \
        return exp(-b * b / 2) \
               * (real)0.39894228040143267793994605993438187L; \
    } \
    static real of##gelu(real x) { return x * of##normal(x); } \
    static real of##silu(real x) { return x * of##sigmoid(x); } \
    static real of##elu(real x) \
    { \
        return x > 0 ? x : expm1(BOUNDED(x, 250)); \
    } \
    static real of##softplus(real x) \
    { \
        return (x < 0 ? 0 : x) \
               + log1p(exp(BOUNDED(x < 0 ? x : -x, 250))); \
    } \
    static real of##inner(real x) \
    { \
        const real c = (real)1.5957691216057307117597842397375274738L; \
        real b = BOUNDED(x, 16); \
        return c * b + c * (real)0.044715L * b * b * b; \
    } \
    static real of##gelu_tanh(real x) \
    { \
        return x * of##sigmoid(of##inner(x)); \
    } \
    static real of##gelu_slope(real x) \
    { \
        return of##normal(x) + BOUNDED(x, 30) * of##bell(x); \
    } \
    static real of##silu_slope(real x) \
    { \
        real s = of##sigmoid(x); \
        return s + BOUNDED(x, 250) * s * of##sigmoid(-x); \
    } \
    static real of##gelu_tanh_slope(real x) \
    { \
        const real c = (real)1.5957691216057307117597842397375274738L; \
        real u = of##inner(x), s = of##sigmoid(u), b = BOUNDED(x, 16); \
        real slope = c + 3 * c * (real)0.044715L * b * b; \
        return s + b * slope * s * of##sigmoid(-u); \
    }

/* Each function, and what it is called in the table. */
#define EACH_TRUTH(define) \
    define(exp_of) define(log_of) define(tanh_of) define(sigmoid) \
    define(softplus) define(elu) define(silu) define(gelu) \
    define(gelu_tanh) define(sqrt_of) define(silu_slope) \
    define(gelu_slope) define(gelu_tanh_slope)

/* y[i] = the function of x[i], |x[i]| finite: fast.c's, a few units of double's
 * last place off. */
typedef void fast_truth(const float *x, double *y, int count);
#define FAST(name) fast_truth fast_##name;
EACH_TRUTH(FAST)
#undef FAST

#endif
