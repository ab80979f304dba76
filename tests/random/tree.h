/* tree.h: programs as they are made, and how they become text.  A body is a
 * list of items in their order; pairs of programs (pairs.c) are two ways to
 * print one tree. */
#ifndef TREE_H
#define TREE_H

#include "draw.h"

enum { AXES = 5 };
struct shape { int rank, axis[AXES]; };

enum item_kind {
    ITEM_LINE,                  /* a statement that leaves the column alone */
    ITEM_VALUE,                 /* the same, a side line `name = chain` */
    ITEM_IF,                    /* text { body }, a statement */
    ITEM_LINK,                  /* a link of the column, as text */
    ITEM_CALL,                  /* of a block: text is its arguments */
    ITEM_GROUP                  /* text { body }; text may be empty */
};

struct item {
    enum item_kind kind;
    const char *text;
    const char *as;             /* or NULL */
    bool arrow;                 /* no statement begins with it */
    bool weights;               /* it has parameters */
    struct shape shape;         /* of the value after it */
    struct body *body;          /* of a group */
    struct block *block;        /* of a call */
    int count;                  /* of a repeat; 0: no repeat */
    const char *index;          /* or NULL */
    bool checkpoint;
    struct item *next;
};

struct body { struct item *first, *last; };

struct block {
    const char *text;           /* all of it, or NULL */
    const char *name, *parameters;      /* "" or "(a, b = 3)" */
    struct body *body;
    bool abroad;                        /* in the file that is imported */
    bool leaf;                          /* calls no other */
    struct shape in, out;
    const char *arguments;              /* of a call, "" or "(8)" */
    const char *curve;                  /* a parameter that is a chain */
    bool sums;                          /* shortcut identity and no more */
    long macs, params;
    struct block *next;
};

struct item *item_add(struct body *body, enum item_kind kind,
                      const char *text);

/* How a tree is printed. */
struct style {
    struct draw draw;           /* line breaks, blanks, comments */
    bool odd;                   /* odd blanks and comments */
};
void print_body(struct style *style, struct text *to, const struct body *body,
                int depth);
void print_block(struct style *style, struct text *to,
                 const struct block *block);

#endif
