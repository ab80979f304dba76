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
    bool repeat;                /* of `count`, with an index or NULL */
    int count;
    const char *index;
    bool stream;                /* its body is a stream's */
    bool free;                  /* its place among its neighbours is free */
    bool checkpoint;
    struct item *next;
};

struct body { struct item *first, *last; };

enum { NUMBERS = 8 };
struct number { const char *name; int value; };

struct block {
    const char *text;           /* all of it, or NULL */
    const char *name, *parameters;      /* "" or "(a, b = 3)" */
    struct body *body;
    bool abroad;                        /* in the file that is imported */
    bool leaf;                          /* calls no other */
    struct shape in, out;
    const char *arguments;              /* of a call, "" or "(8)" */
    struct number number[NUMBERS];      /* its parameters and axes */
    int numbers;
    const char *entry;                  /* the name of what enters, or NULL */
    const char *curve, *graph;          /* parameters: a chain, a graph */
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
    /* another program that gives the same numbers: */
    bool unroll;                /* repeats are written out */
    bool reorder;               /* properties and side lines */
    bool identities;            /* links that change nothing */
    bool no_checkpoint;
    bool at_home;               /* nothing is imported */
    const char *inlined;        /* the call of this name is a group */
};
void print_body(struct style *style, struct text *to, const struct body *body,
                int depth);
void print_block(struct style *style, struct text *to,
                 const struct block *block);

#endif
