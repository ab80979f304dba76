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

static void print_item(struct style *style, struct text *to,
                       const struct item *item, int depth)
{
    switch (item->kind) {
    case ITEM_IF:
    case ITEM_GROUP:
        text_add(to, "%s%s{", item->text, *item->text ? " " : "");
        print_body(style, to, item->body, depth + 1);
        next_line(style, to, depth);
        text_add(to, "}");
        break;
    case ITEM_CALL:
        text_add(to, "%s%s", item->block->name, item->text);
        break;
    default:
        text_add(to, "%s", item->text);
    }
    if (item->as)
        text_add(to, " as %s", item->as);
}

void print_body(struct style *style, struct text *to, const struct body *body,
                int depth)
{
    const struct item *before = NULL;

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
