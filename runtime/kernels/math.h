/* math.h: exp, log, tanh and their kin on vectors of float.
 *
 * Errors, in units of the last place (tests/ulp.sh measures them over all
 * floats): log, e^x - 1 1, exp 1.1, tanh 1.4, softplus 2, sigmoid 2.5, silu
 * and gelu by tanh 3.5, gelu 5.5; slopes 1.5 of no less than 1.  Denormal
 * results are rounded once.  NaN gives NaN; no function branches on its
 * argument. */
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

/* a b - p for p near a b, which is exact (without FMA: Dekker 1971, parts of
 * 12 bits). */
static ALWAYS_INLINE vf v_product_rest(vf a, vf b, vf p)
{
#if defined __AVX512F__
    return (vf)_mm512_fmsub_ps((__m512)a, (__m512)b, (__m512)p);
#elif defined __AVX2__ && defined __FMA__
    return (vf)_mm256_fmsub_ps((__m256)a, (__m256)b, (__m256)p);
#else
    vf a1 = v_upper(a), b1 = v_upper(b), a2 = a - a1, b2 = b - b1;

    return ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2;
#endif
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

/* e^(r + rest), |rest| small against 1 */
static ALWAYS_INLINE vf v_exp_near(vf r, vf rest)
{
    r = r + rest;
    return (r * r * v_exp_series(r) + r) + 1;
}

/* 2^n, a normal number */
static ALWAYS_INLINE vf v_power(vi n)
{
    return (vf)((n + 127) << 23);
}

/* p 2^n, rounded once among the denormals, infinity by itself; |n| <= 200. */
static ALWAYS_INLINE vf v_scale(vf p, struct v_reduced to)
{
#if defined __AVX512F__
    return (vf)_mm512_scalef_ps((__m512)p, (__m512)to.n);
#else
    vi half = to.bits >> 1;

    return p * v_power(half) * v_power(to.bits - half);
#endif
}

static ALWAYS_INLINE vf v_exp(vf x)
{
    struct v_reduced to = v_exp_reduce(v_at_least(v_at_most(x, 89), -105));

    return v_scale(v_exp_near(to.r, v_zero()), to);
}

/* e^x, |x| < 87 */
static ALWAYS_INLINE vf v_exp_within(vf x)
{
    struct v_reduced to = v_exp_reduce(x);

    return v_exp_near(to.r, v_zero()) * v_power(to.bits);
}

/* e^(x + rest) / V_LOW, x <= 0, |rest| small against 1: a normal number, so
 * that a product with V_LOW at the end rounds once among the denormals, and
 * one with a large number first is none of them.  Below -115 as there. */
#define V_LOW 0x1p-40f
static ALWAYS_INLINE vf v_exp_raised(vf x, vf rest)
{
    struct v_reduced to = v_exp_reduce(v_at_least(x, -115));

    return v_exp_near(to.r, rest) * v_power(to.bits + 40);
}

/* e^x for x <= 0; 0 below -87.3, where denormals begin */
static ALWAYS_INLINE vf v_exp_negative(vf x)
{
    struct v_reduced to = v_exp_reduce(v_at_least(x, -87.4f));

    return v_select(x < -87.3365f, v_set(0),
                    v_exp_near(to.r, v_zero()) * v_power(to.bits));
}

/* e^x - 1 for x <= 0 */
static ALWAYS_INLINE vf v_expm1_negative(vf x)
{
    struct v_reduced to = v_exp_reduce(v_at_least(x, -30));
    vf r = to.r, power = v_power(to.bits);

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
           + v_log1p_unit(v_exp_raised(-v_abs(x), v_zero()) * V_LOW);
}

/* ----------------------------------------------------------- sigmoid, tanh */

/* x / (1 + e^-t), by e^-|t| */
static ALWAYS_INLINE vf v_gated(vf x, vf t)
{
    vf e = v_exp_raised(-v_abs(t), v_zero());
    vf gate = v_select(t < 0, e, v_set(1)) / (e * V_LOW + 1);

    return x * gate * v_select(t < 0, v_set(V_LOW), v_set(1));
}

static ALWAYS_INLINE vf v_sigmoid(vf x)
{
    return v_gated(v_set(1), x);
}

/* Small: x + x^3 P(x^2); else 1 - 2 / (e^2|x| + 1). */
static ALWAYS_INLINE vf v_tanh(vf x)
{
    vf a = v_abs(x), s = x * x, p;
    vf large = 1 - 2 / (v_exp_within(v_at_most(2 * a, 40)) + 1);

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
    return v_gated(v_at_least(x, -120), x);
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

/* Phi(-a) = tail e^(-a^2/2 + rest): a >= 0.  The tail is a polynomial in
 * t = 1 / (1 + 0.3 a), relative error 4e-9 up to a = 14.5, where Phi leaves
 * float's range; `rest` is what rounding took from t, relatively. */
struct v_normal { vf tail, rest; };

static ALWAYS_INLINE struct v_normal v_normal_tail(vf a)
{
    const float c = 0.3f;
    vf d = c * a + 1, t = 1 / d, p = -0.0206234615f * t + 0.11243556f;
    struct v_normal to;

    p = p * t + -0.228213443f;
    p = p * t + 0.191784303f;
    p = p * t + -0.0794233132f;
    p = p * t + 0.0961567371f;
    p = p * t + 0.0783896806f;
    p = p * t + 0.110235422f;
    p = p * t + 0.119571819f;
    p = p * t + 0.119686695f;
    to.tail = p * t;
    to.rest = -v_product_rest(d, t, v_set(1)) - t * (c * a + (1 - d));
    return to;
}

/* e^(-a^2/2 + rest) / V_LOW, a >= 0, with the bits that rounding a^2 loses */
static ALWAYS_INLINE vf v_bell(vf a, vf rest)
{
    vf square = a * a;

    rest = rest - 0.5f * v_product_rest(a, a, square);
    return v_exp_raised(-0.5f * square, rest);
}

/* x (1/2 + x R(x^2)), |x| < 1 */
static ALWAYS_INLINE vf v_gelu_near(vf x)
{
    vf s = x * x, p = -7.47756017e-06f * s + 0.000112996473f;

    p = p * s + -0.00118583501f;
    p = p * s + 0.00997310419f;
    p = p * s + -0.0664903202f;
    p = p * s + 0.398942278f;
    return x * (x * p + 0.5f);
}

/* x Phi(x); away from 0 as max(x, 0) - |x| Phi(-|x|); at -infinity 0 */
static ALWAYS_INLINE vf v_gelu(vf x)
{
    vf a = v_at_most(v_abs(x), 20);
    struct v_normal normal = v_normal_tail(a);
    vf far = v_select(x < 0, v_zero(), x)
             - a * normal.tail * v_bell(a, normal.rest) * V_LOW;

    return v_select(a < 1, v_gelu_near(x), far);
}

/* 1/2 + x S(x^2), |x| < 1 */
static ALWAYS_INLINE vf v_gelu_slope_near(vf x)
{
    vf s = x * x, p = -8.70840973e-05f * s + 0.00112328802f;

    p = p * s + -0.0094806056f;
    p = p * s + 0.0598362323f;
    p = p * s + -0.265960902f;
    p = p * s + 0.79788454f;
    return x * p + 0.5f;
}

/* Phi(x) + x phi(x); its value at -|x| is 1 - that at |x|. */
static ALWAYS_INLINE vf v_gelu_slope(vf x)
{
    vf a = v_at_most(v_abs(x), 20);
    struct v_normal normal = v_normal_tail(a);
    vf bell = v_bell(a, v_zero());
    vf low = (normal.tail + (normal.tail * normal.rest - 0.398942280f * a))
             * bell * V_LOW;

    return v_select(a < 1, v_gelu_slope_near(x),
                    v_select(x < 0, low, 1 - low));
}

/* ----------------------------------------------------------- gelu by tanh */

/* e^-u / V_LOW, u = 2 sqrt(2 / pi) (a + 0.044715 a^3), a >= 0; u is kept in two
 * parts, as its rounding alone would cost u / 2 units. */
static ALWAYS_INLINE vf v_gelu_tanh_exp(vf a)
{
    vf square = a * a, rest = v_product_rest(a, a, square);
    const float c1 = 1.59576917f, c3 = 0.0713548139f;
    const float c1_rest = -4.53406803e-8f, c3_rest = 2.3988324e-9f;
    vf cube = c3 * square, factor = cube + c1;
    vf u = a * factor, other = factor - cube;

    rest = v_product_rest(square, v_set(c3), cube) + c3 * rest
           + c3_rest * square + c1_rest
           + ((cube - (factor - other)) + (c1 - other));
    rest = v_product_rest(a, factor, u) + a * rest;
    return v_exp_raised(-u, -rest);
}

/* x sigmoid(u) */
static ALWAYS_INLINE vf v_gelu_tanh(vf x)
{
    vf a = v_at_most(v_abs(x), 20), e = v_gelu_tanh_exp(a);

    return v_select(x < 0, v_set(0), x) - a * e / (e * V_LOW + 1) * V_LOW;
}

/* s + x u' s (1 - s), s = sigmoid(u); its value at -|x| is 1 - that at |x|. */
static ALWAYS_INLINE vf v_gelu_tanh_slope(vf x)
{
    vf a = v_at_most(v_abs(x), 20), e = v_gelu_tanh_exp(a) * V_LOW;
    vf d = 1 / (1 + e), tail = e * d;
    vf slope = 0.214064449f * (a * a) + 1.59576917f;
    vf low = tail - (a * slope) * (tail * d);

    return v_select(x < 0, low, 1 - low);
}

/* ------------------------------------------------------- sine and cosine */

/* Of `quarter` quarters of a turn and r radians, |r| <= pi / 4: within 1.5 units
 * of the last place, and so however small the angle is.  Polynomials of the
 * Cephes library's sinf and cosf. */
static ALWAYS_INLINE void v_sine(vi quarter, vf r, vf *sine, vf *cosine)
{
    vf z = r * r;
    vf s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z
            + -1.6666654611e-1f) * z * r + r;
    vf c = ((2.443315711809948e-5f * z + -1.388731625493765e-3f) * z
            + 4.166664568298827e-2f) * z * z - 0.5f * z + 1;
    vi odd = (quarter & 1) != 0;

    *sine = (vf)((vu)v_select(odd, c, s) ^ (vu)(quarter & 2) << 30);
    *cosine = (vf)((vu)v_select(odd, s, c) ^ (vu)((quarter + 1) & 2) << 30);
}

#endif
