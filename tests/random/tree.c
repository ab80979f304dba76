/* tree.c: programs as text. */
#include "tree.h"

#include <string.h>

struct item *item_add(struct body *body, enum item_kind kind,
                      const char *text)
{
    struct item *item = draw_memory(sizeof *item);

    item->kind = kind;
    item->text = text;
    if (body->last)
        body->last->next = item;
    else
        body->first = item;
    body->last = item;
    return item;
}

static const char *const comments[] = {
    "// x -> y", "/* { */", "// } \"", "/* ** */", "//", "/* -> (1) */",
    "// \xc3\xa9\xe2\x86\x92", NULL
};
static const char *const breaks[] = { "\n", "\n\n", "\r\n", " \n\t", NULL };

/* A new line, or what reads as one. */
static void next_line(struct style *style, struct text *to, int depth)
{
    if (style->odd && draw_chance(&style->draw, 15)) {
        const char *comment = draw_of(&style->draw, comments);
        text_add(to, " %s%s", comment, comment[1] == '/' ? "\n" : "");
    }
    if (style->odd && draw_chance(&style->draw, 20)) {
        text_add(to, "%s", draw_of(&style->draw, breaks));
        return;
    }
    text_add(to, "\n%*s", 4 * depth, "");
}

static bool is_link(const struct item *item)
{
    return item && item->kind >= ITEM_LINK;
}

/* What stands before an item. */
static void print_joint(struct style *style, struct text *to,
                        const struct item *before, const struct item *item,
                        int depth)
{
    bool arrow = item->arrow || draw_chance(&style->draw, 60);

    if (is_link(before) && is_link(item) && arrow) {
        text_add(to, style->odd && draw_chance(&style->draw, 10) ? "->"
                 : " -> ");
        return;
    }
    next_line(style, to, depth);
    if (item->arrow)
        text_add(to, "identity -> ");
}

/* ---- the same in other words ---- */

static void append(struct body *body, const struct item *item)
{
    struct item *copy = item_add(body, item->kind, item->text);
    struct item *next = copy->next;

    *copy = *item;
    copy->next = next;
}

/* A run of side lines that may stand in any order, backwards. */
static const struct item *append_run(struct body *to, const struct item *first)
{
    const struct item *end = first;

    while (end && end->free && end->kind == ITEM_VALUE)
        end = end->next;
    for (const struct item *stop = end; stop != first;) {
        const struct item *i = first;
        while (i->next != stop)
            i = i->next;
        append(to, i);
        stop = i;
    }
    return end;
}

/* Properties at the end, side lines backwards. */
static struct body reordered(const struct body *body)
{
    struct body to = { 0 }, *last = draw_memory(sizeof *last);
    const struct item *next;

    for (const struct item *i = body->first; i; i = next) {
        next = i->next;
        if (i->free && i->kind == ITEM_VALUE)
            next = append_run(&to, i);
        else
            append(i->free ? last : &to, i);
    }
    for (const struct item *i = last->first; i; i = i->next)
        append(&to, i);
    return to;
}

/* A link that leaves a value of this shape as it is. */
static const char *an_identity(struct style *style, const struct shape *shape)
{
    int c = shape->axis[shape->rank - 1];

    switch (draw_below(&style->draw, 12)) {
    case 0: return "identity * 1";
    case 1: return "identity + 0";
    case 2: return "identity / 1";
    case 3: return "{ shortcut none  identity }";
    case 4: return draw_format("slice(0, %d)", c);
    case 5: return draw_format("part(0, 1, axis = %d)", shape->rank - 1);
    case 6: return shape->rank == 2 || shape->rank == 3 ? "pad(0)" : "identity";
    case 7: return "repeat 1 { identity }";
    case 8: return c < 2 ? "identity" : draw_format(
                "concat(slice(0, %d), slice(%d, %d))", c / 2, c / 2, c);
    case 9: return "-identity -> 0 - identity";
    case 10: return shape->rank == 2 || shape->rank == 3
                 ? "maxpool(1, stride = 1)" : "identity - 0";
    default: break;
    }
    struct text text = { 0 };
    int size = 1;
    for (int i = 0; i < shape->rank; i++)
        size *= shape->axis[i];
    text_add(&text, "reshape([%d, 1]) -> reshape([", size);
    for (int i = 0; i < shape->rank; i++)
        text_add(&text, "%s%d", i ? ", " : "", shape->axis[i]);
    text_add(&text, "])");
    return text.bytes;
}

static void print_item(struct style *style, struct text *to,
                       const struct item *item, int depth);

/* { i = 0  body } -> { i = 1  body } ... */
static void print_unrolled(struct style *style, struct text *to,
                           const struct item *item, int depth)
{
    if (!item->count)
        text_add(to, "identity");
    for (int i = 0; i < item->count; i++) {
        text_add(to, "%s{", i ? " -> " : "");
        if (item->index) {
            next_line(style, to, depth + 1);
            text_add(to, "%s = %d", item->index, i);
        }
        print_body(style, to, item->body, depth + 1);
        next_line(style, to, depth);
        text_add(to, "}");
    }
}

/* A call as a group that has the block's parameters as names. */
static void print_inlined(struct style *style, struct text *to,
                          const struct block *block, int depth)
{
    struct body body = *block->body;

    if (block->entry) {         /* `input x [h, w, c]`: before any norm */
        text_add(to, "identity as %s -> ", block->entry);
        body.first = body.first->next;
    }
    text_add(to, "{");
    for (int i = 0; i < block->numbers; i++) {
        next_line(style, to, depth + 1);
        text_add(to, "%s = %d", block->number[i].name, block->number[i].value);
    }
    print_body(style, to, &body, depth + 1);
    next_line(style, to, depth);
    text_add(to, "}");
}

static void print_group(struct style *style, struct text *to,
                        const struct item *item, int depth)
{
    const char *head = item->text;

    if (item->repeat && style->unroll) {
        print_unrolled(style, to, item, depth);
        return;
    }
    if (item->checkpoint && style->no_checkpoint)
        head = head[10] ? head + 11 : "";       /* after "checkpoint " */
    struct style inner = *style;
    inner.identities &= !item->stream;
    text_add(to, "%s%s{", head, *head ? " " : "");
    print_body(&inner, to, item->body, depth + 1);
    style->draw = inner.draw;
    next_line(style, to, depth);
    text_add(to, "}");
}

static void print_item(struct style *style, struct text *to,
                       const struct item *item, int depth)
{
    if (item->kind == ITEM_IF || item->kind == ITEM_GROUP) {
        print_group(style, to, item, depth);
    } else if (item->kind == ITEM_CALL && style->inlined && item->as
               && !strcmp(item->as, style->inlined)) {
        print_inlined(style, to, item->block, depth);
        return;
    } else if (item->kind == ITEM_CALL) {
        text_add(to, "%s%s", item->block->name, item->text);
    } else {
        text_add(to, "%s", item->text);
    }
    if (item->as)
        text_add(to, " as %s", item->as);
    if (style->identities && is_link(item) && draw_chance(&style->draw, 50))
        text_add(to, " -> %s", an_identity(style, &item->shape));
}

void print_body(struct style *style, struct text *to, const struct body *body,
                int depth)
{
    const struct item *before = NULL;
    struct body other;

    if (style->reorder) {
        other = reordered(body);
        body = &other;
    }
    for (const struct item *i = body->first; i; before = i, i = i->next) {
        print_joint(style, to, before, i, depth);
        print_item(style, to, i, depth);
    }
}

void print_block(struct style *style, struct text *to,
                 const struct block *block)
{
    if (block->text) {
        text_add(to, "%s", block->text);
        return;
    }
    text_add(to, "block %s%s {", block->name, block->parameters);
    print_body(style, to, block->body, 1);
    text_add(to, "\n}\n");
}
