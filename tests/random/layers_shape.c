/* layers_shape.c: layers that take values apart and join them. */
#include "gen.h"

const char *make_flatten(struct gen *g, struct scope *s, struct shape *shape)
{
    (void)g, (void)s;
    if (shape->rank > 1 && shape_size(shape) > 600)
        return NULL;
    *shape = shape_of(1, shape_size(shape), 0, 0, 0);
    return "flatten";
}

/* Some axes with the same product. */
const char *make_reshape(struct gen *g, struct scope *s, struct shape *shape)
{
    int size = shape_size(shape), rank = 1 + below(g, 4);

    *shape = (struct shape) { .rank = rank };
    for (int i = rank - 1; i > 0; i--) {
        shape->axis[i] = a_divisor(g, size);
        size /= shape->axis[i];
    }
    shape->axis[0] = size;
    return draw_format("reshape(%s)", write_shape(g, s, shape));
}

/* An axis of more than one, and how it is written. */
static int an_axis(struct gen *g, const struct shape *shape)
{
    int axis = shape->rank - 1;

    if (chance(g, 60))
        axis = below(g, shape->rank);
    return axis;
}

static const char *write_axis(struct gen *g, const struct shape *shape,
                              int axis)
{
    if (axis == shape->rank - 1 && chance(g, 70))
        return "";
    mark(g, "axis");
    return draw_format(", axis = %d", chance(g, 30) ? axis - shape->rank
                       : axis);
}

const char *make_slice(struct gen *g, struct scope *s, struct shape *shape)
{
    int axis = an_axis(g, shape), size = shape->axis[axis];
    int from = below(g, size), to = from + 1 + below(g, size - from);

    (void)s;
    const char *end = write_axis(g, shape, axis);
    shape->axis[axis] = to - from;
    return draw_format("slice(%d, %d%s)", from, to, end);
}

const char *make_part(struct gen *g, struct scope *s, struct shape *shape)
{
    int axis = an_axis(g, shape), of = a_divisor(g, shape->axis[axis]);

    const char *end = write_axis(g, shape, axis);
    shape->axis[axis] /= of;
    return draw_format("part(%d, %s%s)", below(g, of), write_int(g, s, of),
                       end);
}

const char *make_row(struct gen *g, struct scope *s, struct shape *shape)
{
    int row = below(g, shape->axis[0]);

    (void)s;
    for (int i = 1; i < shape->rank; i++)
        shape->axis[i - 1] = shape->axis[i];
    shape->rank--;
    return draw_format("row(%d)", row);
}

/* One value to be joined along the axis: its length there. */
static const char *one_part(struct gen *g, struct scope *s,
                            const struct shape *shape, int axis, bool new,
                            int *length)
{
    struct shape part = *shape;
    bool last = axis == shape->rank - 1;
    int kind = below(g, last ? 5 : 4);

    *length = part.axis[axis];
    if (kind == 0)
        return a_function(g);
    if (kind == 1 && new) {
        part.axis[axis] = *length = 1 + below(g, 3);
        if (spend(g, s, 0, shape_size(&part))) {
            mark(g, "learned");
            return draw_format("learned(%s, %s)", write_real(g, below(g, 90)),
                               write_shape(g, s, &part));
        }
    }
    if (kind == 4) {
        const char *text = make_named(g, s, "linear", &part);
        *length = last_axis(&part);
        return text;
    }
    *length = shape->axis[axis];
    if (kind == 2) {
        int to = 1 + below(g, *length), whole = *length;
        *length = to;
        mark(g, "slice");
        return draw_format("slice(%d, %d, axis = %d)", whole - to, whole,
                           axis);
    }
    return "identity";
}

const char *make_concat(struct gen *g, struct scope *s, struct shape *shape)
{
    int axis = an_axis(g, shape), count = 2 + below(g, 3), sum = 0, length;
    struct text text = { 0 };

    if (shape_size(shape) > 800)
        return NULL;
    for (int i = 0; i < count; i++) {
        text_add(&text, "%s%s", i ? ", " : "concat(",
                 one_part(g, s, shape, axis, i > 0, &length));
        sum += length;
    }
    text_add(&text, "%s)", write_axis(g, shape, axis));
    shape->axis[axis] = sum;
    return text.bytes;
}

/* A learned value added to the one here. */
const char *make_learned(struct gen *g, struct scope *s, struct shape *shape)
{
    if (!spend(g, s, 0, shape_size(shape)))
        return NULL;
    return draw_format("identity %s learned(%s, %s)", chance(g, 50) ? "+"
                       : "*", write_real(g, 30 + below(g, 90)),
                       write_shape(g, s, shape));
}
