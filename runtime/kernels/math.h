/* math.h: exp, log, tanh and their kin on vectors of float.
 *
 * Errors, in units of the last place (tests/unit/test_math.c measures them):
 * exp 1.5, log 2, tanh 2, sigmoid 2.5, gelu 4.  NaN gives NaN; no function
 * branches on its argument. */
#ifndef RNET_MATH_H
#define RNET_MATH_H

#include "vec.h"

/* ------------------------------------------------------- bounds, signs */

/* x within bounds; NaN stays NaN. */
static ALWAYS_INLINE vf v_at_most(vf x, float limit)
{
    return v_min(v_set(limit), x);
}

static ALWAYS_INLINE vf v_at_least(vf x, float limit)
{
    return v_max(v_set(limit), x);
}

static ALWAYS_INLINE vf v_with_sign(vf magnitude, vf sign)
{
    return (vf)((vi)v_abs(magnitude) | ((vi)sign & INT32_MIN));
}

/* ------------------------------------------------------ products in two parts */

/* The upper half of the bits: a product of two of these is exact. */
static ALWAYS_INLINE vf v_upper(vf x)
{
    return (vf)((vi)x & -4096);
}

/* a b - p, p = a b rounded (Dekker 1971; 12 + 12 bits). */
static ALWAYS_INLINE vf v_product_rest(vf a, vf b, vf p)
{
    vf a1 = v_upper(a), b1 = v_upper(b), a2 = a - a1, b2 = b - b1;

    return ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2;
}

/* -------------------------------------------------------------- exponential */

/* x = n ln 2 + r, |r| <= ln 2 / 2; n is returned twice, as bits. */
struct v_reduced { vf r; vf n; vi bits; };

static ALWAYS_INLINE struct v_reduced v_exp_reduce(vf x)
{
    const float magic = 12582912;       /* 1.5 * 2^23: rounds to integers */
    struct v_reduced to;
    vf shifted = x * 1.44269504f + magic;

    to.n = shifted - magic;
    to.bits = (vi)shifted - 0x4b400000;
    to.r = x - to.n * 0.693359375f;     /* ten bits: the product is exact */
    to.r = to.r - to.n * -2.12194440e-4f;
    return to;
}

/* (e^r - 1 - r) / r^2, relative error of the e^r it makes 3e-9 */
static ALWAYS_INLINE vf v_exp_series(vf r)
{
    vf p = 0.0013814467f * r + 0.00836878041f;

    p = p * r + 0.0416683942f;
    p = p * r + 0.166665201f;
    return p * r + 0.499999934f;
}

/* p 2^n in two steps, so that it rounds once among the denormals and goes to
 * infinity by itself; |n| <= 200. */
static ALWAYS_INLINE vf v_scale(vf p, vi n)
{
    vi half = n >> 1;
    vf first = (vf)((half + 127) << 23), second = (vf)((n - half + 127) << 23);

    return p * first * second;
}

/* e^(x + rest), |rest| small against 1 */
static ALWAYS_INLINE vf v_exp_of_sum(vf x, vf rest)
{
    struct v_reduced to = v_exp_reduce(v_at_least(v_at_most(x, 89), -105));
    vf r = to.r + rest;

    return v_scale((r * r * v_exp_series(r) + r) + 1, to.bits);
}

static ALWAYS_INLINE vf v_exp(vf x)
{
    struct v_reduced to = v_exp_reduce(v_at_least(v_at_most(x, 89), -105));
    vf r = to.r;

    return v_scale((r * r * v_exp_series(r) + r) + 1, to.bits);
}

/* e^x for x <= 0; 0 below -87.3, where denormals begin */
static ALWAYS_INLINE vf v_exp_negative(vf x)
{
    struct v_reduced to = v_exp_reduce(v_at_least(x, -87.4f));
    vf r = to.r, p = (r * r * v_exp_series(r) + r) + 1;

    return v_select(x < -87.3365f, v_set(0),
                     p * (vf)((to.bits + 127) << 23));
}

/* e^x - 1 for x <= 0 */
static ALWAYS_INLINE vf v_expm1_negative(vf x)
{
    struct v_reduced to = v_exp_reduce(v_at_least(x, -30));
    vf r = to.r, power = (vf)((to.bits + 127) << 23);

    return power * (r * r * v_exp_series(r) + r) + (power - 1);
}

/* ---------------------------------------------------------------- logarithm */

/* log(1 + f) + n ln 2, 1 + f in [sqrt 1/2, sqrt 2] */
static ALWAYS_INLINE vf v_log_series(vf f, vf n)
{
    vf p = -0.0763449805f * f + 0.127615774f, square = f * f;

    p = p * f + -0.13160182f;
    p = p * f + 0.142017579f;
    p = p * f + -0.166233574f;
    p = p * f + 0.200012269f;
    p = p * f + -0.25000821f;
    p = p * f + 0.333333317f;
    p = p * f * square + n * -2.12194440e-4f;
    p = p - 0.5f * square;
    return (f + p) + n * 0.693359375f;
}

/* log 0 = -infinity, of negative numbers NaN */
static ALWAYS_INLINE vf v_log(vf x)
{
    vi tiny = x < 1.17549435e-38f;
    vf scaled = v_select(tiny, x * 33554432, x);
    vi shift = ((vi)scaled - 0x3f3504f3) & INT32_C(-0x800000);
    vf n = __builtin_convertvector(shift >> 23, vf) - v_keep(tiny, v_set(25));
    vf y = v_log_series((vf)((vi)scaled - shift) - 1, n);

    y = v_select(x == v_set(__builtin_inff()), x, y);
    y = v_select(x == 0, v_set(-__builtin_inff()), y);
    return v_select((x < 0) | (x != x), v_set(__builtin_nanf("")), y);
}

/* log(1 + e), e in [0, 1]: above sqrt 2 - 1, 1 + e = 2 (1 + (e - 1) / 2) */
static ALWAYS_INLINE vf v_log1p_unit(vf e)
{
    vi big = e > 0.41421356f;
    vf f = v_select(big, 0.5f * e - 0.5f, e);

    return v_log_series(f, v_keep(big, v_set(1)));
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|) */
static ALWAYS_INLINE vf v_softplus(vf x)
{
    return v_select(x < 0, v_set(0), x)
           + v_log1p_unit(v_exp_negative(-v_abs(x)));
}

/* ----------------------------------------------------------- sigmoid, tanh */

/* 1 / (1 + e^-x), by e^-|x| */
static ALWAYS_INLINE vf v_sigmoid(vf x)
{
    vf e = v_exp_negative(-v_abs(x));

    return v_select(x < 0, e, v_set(1)) / (1 + e);
}

/* Small: x + x^3 P(x^2); else 1 - 2 / (e^2|x| + 1). */
static ALWAYS_INLINE vf v_tanh(vf x)
{
    vf a = v_abs(x), s = x * x, p;
    vf large = 1 - 2 / (v_exp(v_at_most(2 * a, 40)) + 1);

    p = -0.00571704537f * s + 0.0206505876f;
    p = p * s + -0.0537434982f;
    p = p * s + 0.133314913f;
    p = p * s + -0.333332839f;
    return v_select(a < 0.625f, x + x * s * p, v_with_sign(large, x));
}

/* ------------------------------------------------------- sigmoid's products */

/* x sigmoid(x); at -infinity 0 */
static ALWAYS_INLINE vf v_silu(vf x)
{
    return v_at_least(x, -120) * v_sigmoid(x);
}

/* s + x s (1 - s), s = sigmoid(x) */
static ALWAYS_INLINE vf v_silu_slope(vf x)
{
    vf a = v_at_most(v_abs(x), 120), e = v_exp_negative(-a);
    vf d = 1 / (1 + e), tail = e * d;           /* sigmoid(|x|), sigmoid(-|x|) */
    vf low = tail - a * tail * d;               /* slope at -|x|: 1 - slope(|x|) */

    return v_select(x < 0, low, 1 - low);
}

/* ------------------------------------------------------------ gelu by erf */

/* Phi(-a) e^(a^2/2) for a >= 0 by a polynomial in t = 1 / (1 + 0.3 a),
 * relative error 4e-9 up to a = 14.5, where Phi leaves float's range. */
static ALWAYS_INLINE vf v_normal_tail(vf a)
{
    vf t = 1 / (1 + 0.3f * a), p = -0.0206234614f * t + 0.112435572f;

    p = p * t + -0.228213503f;
    p = p * t + 0.191784407f;
    p = p * t + -0.0794233864f;
    p = p * t + 0.0961567773f;
    p = p * t + 0.0783896682f;
    p = p * t + 0.110235421f;
    p = p * t + 0.119571814f;
    p = p * t + 0.11968669f;
    return p * t;
}

/* e^(-a^2/2), a >= 0, with the bits that rounding a^2 loses */
static ALWAYS_INLINE vf v_bell(vf a)
{
    vf square = a * a;
    vf rest = v_product_rest(a, a, square);

    return v_exp_of_sum(-0.5f * square, -0.5f * rest);
}

/* x Phi(x) = max(x, 0) - |x| Phi(-|x|); at -infinity 0 */
static ALWAYS_INLINE vf v_gelu(vf x)
{
    vf a = v_at_most(v_abs(x), 20);

    return v_select(x < 0, v_set(0), x)
           - a * v_normal_tail(a) * v_bell(a);
}

/* Phi(x) + x phi(x); its value at -|x| is 1 - that at |x|. */
static ALWAYS_INLINE vf v_gelu_slope(vf x)
{
    vf a = v_at_most(v_abs(x), 20);
    vf low = (v_normal_tail(a) - 0.398942280f * a) * v_bell(a);

    return v_select(x < 0, low, 1 - low);
}

/* ----------------------------------------------------------- gelu by tanh */

/* e^-u, u = 2 sqrt(2 / pi) (a + 0.044715 a^3), a >= 0; u is kept in two
 * parts, as its rounding alone would cost u / 2 units. */
static ALWAYS_INLINE vf v_gelu_tanh_exp(vf a)
{
    vf square = a * a, rest = v_product_rest(a, a, square);
    const float c1 = 1.59576917f, c3 = 0.0713548139f;
    const float c1_rest = -4.53406803e-8f, c3_rest = 2.3988324e-9f;
    vf cube = c3 * square, factor = cube + c1;
    vf u = a * factor;

    rest = v_product_rest(square, v_set(c3), cube) + c3 * rest
           + c3_rest * square + c1_rest + ((c1 - factor) + cube);
    rest = v_product_rest(a, factor, u) + a * rest;
    return v_exp_of_sum(-u, -rest);
}

/* x sigmoid(u) */
static ALWAYS_INLINE vf v_gelu_tanh(vf x)
{
    vf a = v_at_most(v_abs(x), 20), e = v_gelu_tanh_exp(a);

    return v_select(x < 0, v_set(0), x) - a * e / (1 + e);
}

/* s + x u' s (1 - s), s = sigmoid(u); its value at -|x| is 1 - that at |x|. */
static ALWAYS_INLINE vf v_gelu_tanh_slope(vf x)
{
    vf a = v_at_most(v_abs(x), 20), e = v_gelu_tanh_exp(a);
    vf d = 1 / (1 + e), tail = e * d;
    vf slope = 0.214064449f * (a * a) + 1.59576917f;
    vf low = tail - (a * slope) * (tail * d);

    return v_select(x < 0, low, 1 - low);
}

#endif
