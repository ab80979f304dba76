/* glyphs.c: see glyphs.h.
 *
 * A digit is a few strokes; a stroke is a string of points in a square from
 * (-1, -1), top left, to (1, 1), joined by a smooth curve.  Each image moves
 * every point a little, bends the plane by one affine map, and inks each pixel
 * by its distance from the curve. */
#include "glyphs.h"

#include <math.h>
#include <string.h>

#include "random.h"

#define STROKES 3
#define POINTS  10
#define STEPS   4               /* straight pieces for each piece of a curve */

#define WOBBLE    0.13f         /* of each point */
#define ROTATION  0.30f         /* radians */
#define SHEAR     0.30f
#define SHIFT     2.2f          /* pixels */
#define SMALLEST  6.5f          /* pixels for the square's half side */
#define LARGEST   10.5f
#define THINNEST  0.7f          /* pixels from the middle of a stroke */
#define THICKEST  1.8f
#define SPECKLE   0.25f         /* of full ink, in every pixel */

struct point { float x, y; };
struct stroke { int count; struct point points[POINTS]; };

static const struct stroke digits[GLYPHS_CLASSES][STROKES] = {
    { { 9, { { 0.05f, -1 }, { -0.5f, -0.7f }, { -0.65f, 0 }, { -0.5f, 0.7f },
             { 0, 1 }, { 0.5f, 0.7f }, { 0.65f, 0 }, { 0.5f, -0.7f },
             { 0, -1 } } } },
    { { 3, { { -0.4f, -0.6f }, { 0, -0.8f }, { 0.15f, -1 } } },
      { 3, { { 0.15f, -1 }, { 0.1f, 0 }, { 0.1f, 1 } } } },
    { { 8, { { -0.55f, -0.55f }, { -0.35f, -0.9f }, { 0.1f, -1 },
             { 0.5f, -0.7f }, { 0.4f, -0.2f }, { 0, 0.25f },
             { -0.35f, 0.6f }, { -0.65f, 0.95f } } },
      { 3, { { -0.65f, 0.95f }, { 0, 0.9f }, { 0.65f, 0.95f } } } },
    { { 6, { { -0.5f, -0.85f }, { 0, -1 }, { 0.45f, -0.75f },
             { 0.4f, -0.3f }, { 0.1f, -0.1f }, { -0.15f, -0.05f } } },
      { 6, { { -0.15f, -0.05f }, { 0.35f, 0.1f }, { 0.55f, 0.5f },
             { 0.25f, 0.9f }, { -0.2f, 1 }, { -0.6f, 0.8f } } } },
    { { 4, { { 0.1f, -1 }, { -0.25f, -0.4f }, { -0.6f, 0.2f },
             { -0.65f, 0.3f } } },
      { 3, { { -0.65f, 0.3f }, { 0, 0.3f }, { 0.65f, 0.25f } } },
      { 3, { { 0.3f, -0.35f }, { 0.3f, 0.3f }, { 0.25f, 1 } } } },
    { { 3, { { 0.55f, -0.95f }, { 0, -0.95f }, { -0.4f, -0.95f } } },
      { 3, { { -0.4f, -0.95f }, { -0.45f, -0.5f }, { -0.5f, -0.1f } } },
      { 7, { { -0.5f, -0.1f }, { 0, -0.25f }, { 0.45f, 0 },
             { 0.55f, 0.4f }, { 0.3f, 0.85f }, { -0.15f, 1 },
             { -0.6f, 0.8f } } } },
    { { 10, { { 0.4f, -0.95f }, { -0.1f, -0.7f }, { -0.5f, -0.1f },
              { -0.55f, 0.5f }, { -0.25f, 0.95f }, { 0.25f, 0.95f },
              { 0.5f, 0.55f }, { 0.3f, 0.1f }, { -0.15f, 0.05f },
              { -0.5f, 0.4f } } } },
    { { 3, { { -0.6f, -0.9f }, { 0, -0.95f }, { 0.6f, -0.95f } } },
      { 4, { { 0.6f, -0.95f }, { 0.25f, -0.3f }, { 0, 0.3f },
             { -0.15f, 1 } } } },
    { { 10, { { 0.4f, -0.75f }, { 0, -1 }, { -0.4f, -0.7f },
              { -0.2f, -0.25f }, { 0.3f, 0.1f }, { 0.5f, 0.6f },
              { 0, 1 }, { -0.5f, 0.65f }, { -0.3f, 0.15f },
              { 0.1f, -0.1f } } },
      { 3, { { 0.1f, -0.1f }, { 0.4f, -0.4f }, { 0.4f, -0.75f } } } },
    { { 9, { { 0.5f, -0.55f }, { 0.2f, -0.95f }, { -0.25f, -0.95f },
             { -0.5f, -0.55f }, { -0.35f, -0.15f }, { 0.05f, -0.05f },
             { 0.4f, -0.25f }, { 0.5f, -0.55f }, { 0.5f, -0.5f } } },
      { 4, { { 0.5f, -0.5f }, { 0.5f, 0 }, { 0.4f, 0.5f },
             { 0.15f, 1 } } } },
};

/* How one image is drawn: pixel = map (x, y) + shift, inked within `width` of
 * the middle of a stroke. */
struct pen {
    float map[2][2], shift[2];
    float width;
    float ink[GLYPHS_SIDE * GLYPHS_SIDE];
};

static void hold_pen(struct pen *pen, struct random *random)
{
    float angle = random_range(random, ROTATION);
    float shear = random_range(random, SHEAR);
    float range = (LARGEST - SMALLEST) / 2, middle = (LARGEST + SMALLEST) / 2;
    float wide = middle + random_range(random, range);
    float high = middle + random_range(random, range);
    float c = cosf(angle), s = sinf(angle);

    memset(pen->ink, 0, sizeof pen->ink);
    pen->map[0][0] = c * wide;
    pen->map[0][1] = (c * shear - s) * high;
    pen->map[1][0] = s * wide;
    pen->map[1][1] = (s * shear + c) * high;
    for (int i = 0; i < 2; i++)
        pen->shift[i] = (GLYPHS_SIDE - 1) / 2.0f + random_range(random, SHIFT);
    pen->width = THINNEST + random_unit(random) * (THICKEST - THINNEST);
}

static struct point to_pixels(const struct pen *pen, struct point p)
{
    return (struct point){
        pen->map[0][0] * p.x + pen->map[0][1] * p.y + pen->shift[0],
        pen->map[1][0] * p.x + pen->map[1][1] * p.y + pen->shift[1]
    };
}

/* Distance from (x, y) to the straight piece from a to b. */
static float distance(float x, float y, struct point a, struct point b)
{
    float dx = b.x - a.x, dy = b.y - a.y;
    float squared = dx * dx + dy * dy;
    float t = squared > 0 ? ((x - a.x) * dx + (y - a.y) * dy) / squared : 0;

    t = t < 0 ? 0 : t > 1 ? 1 : t;
    dx = a.x + t * dx - x;
    dy = a.y + t * dy - y;
    return sqrtf(dx * dx + dy * dy);
}

static int clamp_pixel(float x)
{
    return x < 0 ? 0 : x > GLYPHS_SIDE - 1 ? GLYPHS_SIDE - 1 : (int)x;
}

/* Inks the pixels near the straight piece from a to b: fully up to
 * width - 1/2, not at all from width + 1/2, which smooths the edge. */
static void draw_piece(struct pen *pen, struct point a, struct point b)
{
    float reach = pen->width + 1;
    int left = clamp_pixel(fminf(a.x, b.x) - reach);
    int right = clamp_pixel(fmaxf(a.x, b.x) + reach);
    int top = clamp_pixel(fminf(a.y, b.y) - reach);
    int bottom = clamp_pixel(fmaxf(a.y, b.y) + reach);

    for (int y = top; y <= bottom; y++)
        for (int x = left; x <= right; x++) {
            float *ink = &pen->ink[y * GLYPHS_SIDE + x];
            float dark = pen->width + 0.5f
                       - distance((float)x, (float)y, a, b);
            *ink = fmaxf(*ink, fminf(dark, 1));
        }
}

/* The curve between b and c of the points a, b, c, d, at t in [0, 1]: Catmull
 * and Rom's spline, which passes through the points. */
static float curve(float a, float b, float c, float d, float t)
{
    return b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d
                                     + t * (3 * (b - c) + d - a)));
}

static void draw_stroke(struct pen *pen, const struct stroke *stroke,
                        struct random *random)
{
    struct point p[POINTS];
    int last = stroke->count - 1;

    for (int i = 0; i <= last; i++) {
        p[i] = stroke->points[i];
        p[i].x += random_range(random, WOBBLE);
        p[i].y += random_range(random, WOBBLE);
        p[i] = to_pixels(pen, p[i]);
    }
    for (int i = 0; i < last; i++) {
        struct point before = p[i > 0 ? i - 1 : 0];
        struct point after = p[i + 1 < last ? i + 2 : last];
        struct point from = p[i];
        for (int k = 1; k <= STEPS; k++) {
            float t = (float)k / STEPS;
            struct point to = {
                curve(before.x, p[i].x, p[i + 1].x, after.x, t),
                curve(before.y, p[i].y, p[i + 1].y, after.y, t)
            };
            draw_piece(pen, from, to);
            from = to;
        }
    }
}

static void draw_digit(uint8_t *image, int digit, struct random *random)
{
    struct pen pen;

    hold_pen(&pen, random);
    for (int i = 0; i < STROKES && digits[digit][i].count; i++)
        draw_stroke(&pen, &digits[digit][i], random);
    for (int i = 0; i < GLYPHS_SIDE * GLYPHS_SIDE; i++) {
        float grey = pen.ink[i] + random_range(random, SPECKLE);
        image[i] = (uint8_t)(255 * fminf(fmaxf(grey, 0), 1));
    }
}

bool glyphs_make(struct data_set *set, size_t count, uint64_t seed)
{
    struct random random = { seed };

    if (!data_alloc(set, count, GLYPHS_SIDE, GLYPHS_SIDE))
        return false;
    for (size_t i = 0; i < count; i++) {
        set->labels[i] = (uint8_t)(i % GLYPHS_CLASSES);
        draw_digit(set->images + i * GLYPHS_SIDE * GLYPHS_SIDE,
                   set->labels[i], &random);
    }
    return true;
}

bool glyphs_make_sets(struct data_set *train, struct data_set *test)
{
    if (!glyphs_make(train, 10000, 1))
        return false;
    if (glyphs_make(test, 2000, 2))
        return true;
    data_free(train);
    return false;
}
