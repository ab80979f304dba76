/* gen.c: sizes, numbers, shapes and names. */
#include "gen.h"

#include <string.h>

int below(struct gen *g, int n)
{
    return draw_below(&g->draw, n);
}

bool chance(struct gen *g, int percent)
{
    return draw_chance(&g->draw, percent);
}

/* Around the widths of vectors, and small. */
int a_size(struct gen *g, int most)
{
    static const int sizes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 17,
                                 20, 24, 31, 32, 33, 48, 63, 64, 65 };
    int count = 0;

    while (count < (int)(sizeof sizes / sizeof *sizes) && sizes[count] <= most)
        count++;
    if (count < 2)
        return 1;
    /* one is as rare as the others: it makes values without much in them */
    int i = below(g, count);
    return sizes[i == 0 && chance(g, 70) ? 1 : i];
}

int a_divisor(struct gen *g, int n)
{
    int divisor = 1 + below(g, n);

    while (n % divisor)
        divisor--;
    return divisor;
}

/* ---- numbers as text ---- */

/* n from a number that the scope knows. */
static const char *from_number(struct gen *g, const struct number *number,
                               int n)
{
    const char *name = number->name;
    int v = number->value;

    if (v == n)
        return name;
    mark(g, "expression");
    if (n % v == 0)
        return draw_format("%d * %s", n / v, name);
    if (v % n == 0 && chance(g, 70))
        return draw_format("%s / %d", name, v / n);
    if (n > v)
        return draw_format(chance(g, 50) ? "%s + %d" : "max(%s, 0) + %d", name,
                           n - v);
    if (chance(g, 30))
        return draw_format("min(%s, %d)", name, n);
    return draw_format("%s - %d", name, v - n);
}

static const char *odd_int(struct gen *g, int n)
{
    mark(g, "expression");
    switch (below(g, 7)) {
    case 0: return draw_format("(%d + 1) / 2", 2 * n - 1);
    case 1: return draw_format("floor(%d / 2)", 2 * n + 1);
    case 2: return draw_format("round(sqrt(%d))", n * n);
    case 3: return draw_format("(yes ? %d : 0)", n);
    case 4: return draw_format("(%d < 2 || no ? %d : %d)", n, n, n);
    case 5: return draw_format("2 ^ 3 * %d - 7 * %d", n, n);
    default: return draw_format("ceil(%d.25 + abs(0 - 0.5))", n - 1);
    }
}

const char *write_int(struct gen *g, const struct scope *s, int n)
{
    if (n > 0 && s->numbers && chance(g, 60))
        return from_number(g, &s->number[below(g, s->numbers)], n);
    if (n > 0 && chance(g, 4))
        return odd_int(g, n);
    return draw_format("%d", n);
}

const char *write_real(struct gen *g, int hundredths)
{
    const char *sign = hundredths < 0 ? "-" : "";
    int n = hundredths < 0 ? -hundredths : hundredths;

    if (n % 100 == 0 && chance(g, 50))
        return draw_format("%s%d", sign, n / 100);
    if (chance(g, 15))
        return draw_format("%s%de-2", sign, n);
    if (chance(g, 10)) {
        mark(g, "expression");
        return draw_format("%s%d / 100", sign, n);
    }
    return draw_format("%s%d.%02d", sign, n / 100, n % 100);
}

/* Some names are C's. */
const char *new_name(struct gen *g, const char *stem)
{
    static const char *const odd[] = {
        "float", "while", "i", "x_", "NAN", "I", "linux", "errno", "M_PI",
        "static", "main", "params", "run", "saved", "y", "grad", "NULL",
        "rnet", "batch_", "_a", "value", "loss_", NULL
    };
    int number = ++g->names;

    if (chance(g, 8)) {
        mark(g, "odd name");
        return draw_format("%s%d", draw_of(&g->draw, odd), number);
    }
    return draw_format("%s%d", stem, number);
}

bool spend(struct gen *g, const struct scope *s, double macs, double params)
{
    if (macs * s->times > g->macs || params * s->times > g->params)
        return false;
    g->macs -= macs * s->times;
    g->params -= params * s->times;
    return true;
}

/* ---- shapes ---- */

int last_axis(const struct shape *shape)
{
    return shape->axis[shape->rank - 1];
}

int shape_size(const struct shape *shape)
{
    int size = 1;

    for (int i = 0; i < shape->rank; i++)
        size *= shape->axis[i];
    return size;
}

int shape_rows(const struct shape *shape)
{
    return shape_size(shape) / last_axis(shape);
}

bool shape_same(const struct shape *a, const struct shape *b)
{
    return a->rank == b->rank
        && !memcmp(a->axis, b->axis, (size_t)a->rank * sizeof *a->axis);
}

struct shape shape_of(int rank, int a, int b, int c, int d)
{
    return (struct shape) { rank, { a, b, c, d } };
}

const char *write_shape(struct gen *g, const struct scope *s,
                        const struct shape *shape)
{
    struct text text = { 0 };

    for (int i = 0; i < shape->rank; i++)
        text_add(&text, "%s%s", i ? ", " : "[", write_int(g, s,
                 shape->axis[i]));
    text_add(&text, "]");
    return text.bytes;
}
