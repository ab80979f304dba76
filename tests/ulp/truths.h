/* truths.h: the functions that are measured, by libm's, in double and in long
 * double.  (static: each source has its own.) */
#ifndef TRUTHS_H
#define TRUTHS_H

#include <math.h>

/* Each in double and in long double. */
#define TRUTHS(real, of, exp, log, log1p, expm1, tanh, erfc, sqrt) \
    static real of##exp_of(real x) { return exp(x); } \
    static real of##log_of(real x) { return log(x); } \
    static real of##tanh_of(real x) { return tanh(x); } \
    static real of##sqrt_of(real x) { return sqrt(x); } \
    static real of##sigmoid(real x) \
    { \
        return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); \
    } \
    static real of##times(real x, real y) { return y == 0 ? 0 : x * y; } \
    static real of##normal(real x) \
    { \
        return erfc(-x * (real)0.70710678118654752440084436210484904L) / 2; \
    } \
    static real of##bell(real x) \
    { \
        return exp(-x * x / 2) * (real)0.39894228040143267793994605993438187L; \
    } \
    static real of##gelu(real x) { return of##times(x, of##normal(x)); } \
    static real of##silu(real x) { return of##times(x, of##sigmoid(x)); } \
    static real of##elu(real x) { return x > 0 ? x : expm1(x); } \
    static real of##softplus(real x) \
    { \
        return (x < 0 ? 0 : x) + log1p(exp(x < 0 ? x : -x)); \
    } \
    static real of##inner(real x) \
    { \
        const real c = (real)1.5957691216057307117597842397375274738L; \
        return c * x + c * (real)0.044715L * x * x * x; \
    } \
    static real of##gelu_tanh(real x) \
    { \
        return of##times(x, of##sigmoid(of##inner(x))); \
    } \
    static real of##gelu_slope(real x) \
    { \
        return of##normal(x) + of##times(x, of##bell(x)); \
    } \
    static real of##silu_slope(real x) \
    { \
        real s = of##sigmoid(x); \
        return s + of##times(x, s * of##sigmoid(-x)); \
    } \
    static real of##gelu_tanh_slope(real x) \
    { \
        const real c = (real)1.5957691216057307117597842397375274738L; \
        real u = of##inner(x), s = of##sigmoid(u); \
        real slope = c + 3 * c * (real)0.044715L * x * x; \
        return s + of##times(x * slope, s * of##sigmoid(-u)); \
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
