/* gen.h: what the parts of the generator share.
 *
 * A program is made from its inputs to its outputs.  A `scope` is a place in
 * it: the value that is current there, the names that may be used.  Every
 * layer, block and group knows what shape it gives, so that programs are valid
 * as they are made; `rnetc` has the last word (tests/generate.sh). */
#ifndef GEN_H
#define GEN_H

#include "tree.h"

enum { VALUES = 10, USED = 320, IMPORTS = 32 };

struct value { const char *name; struct shape shape; };

struct scope {
    struct body *body;
    struct shape shape;         /* of the current value */
    double heat;                /* its magnitude, roughly */
    struct value value[VALUES];
    int values;
    int own;                    /* values before it are from outside the
                                   repeat: it may not end with one */
    struct number number[NUMBERS];
    int numbers;
    const char *index;          /* of a repeat of `count`, or NULL */
    int count;
    const char *curve;          /* a block's parameter that is a chain */
    const char *graph;          /* an input, or a block's parameter */
    int depth;                  /* bodies within each other */
    int times;                  /* iterations of all repeats around */
    bool repeated;              /* there is one, if only of one iteration */
    bool block;                 /* only a block's own names */
    bool stream;                /* directly in a stream */
};

/* What a program may have. */
struct options {
    bool batch;                 /* batch norms, graphs, weighted losses:
                                   samples that see each other */
    bool chance;                /* dropout and dropped branches */
    bool curves;                /* blocks with chains and graphs as parameters */
    bool names;                 /* of layers and blocks, by `as` or `shared` */
    enum form { FORM_ANY, FORM_BRANCHES, FORM_BLOCKS } form;
};

struct gen {
    struct draw draw;
    struct options options;
    const char *name;           /* the network's */
    bool used[USED];            /* by rows of census.c */
    double macs, params;        /* left to spend */
    struct block *blocks, *last;
    const char *lengths;        /* an integer input, or NULL */
    struct shape lengths_of;
    const char *import[IMPORTS];
    int imports, names;
    bool rows_loss;
};

/* ---- census.c ---- */

/* This program uses the construct, a row of census.c. */
void mark(struct gen *g, const char *construct);
bool used(const struct gen *g, const char *construct);
void census_add(const struct gen *g);
int census_print(int networks);         /* how many were never used */
void census_knows(void);

/* ---- gen.c: choices ---- */

int below(struct gen *g, int n);
bool chance(struct gen *g, int percent);
/* A size, often odd, at most `most`. */
int a_size(struct gen *g, int most);
/* A divisor of n. */
int a_divisor(struct gen *g, int n);
/* n as the program writes it: a literal, or an expression of known numbers. */
const char *write_int(struct gen *g, const struct scope *s, int n);
/* A number as a literal or an expression that comes to it nearly. */
const char *write_real(struct gen *g, int hundredths);
const char *new_name(struct gen *g, const char *stem);
/* Whether the budget allows it, which is then spent. */
bool spend(struct gen *g, const struct scope *s, double macs, double params);

int last_axis(const struct shape *shape);
int shape_size(const struct shape *shape);
int shape_rows(const struct shape *shape);
bool shape_same(const struct shape *a, const struct shape *b);
struct shape shape_of(int rank, int a, int b, int c, int d);
const char *write_shape(struct gen *g, const struct scope *s,
                        const struct shape *shape);

/* ---- layers*.c ---- */

/* Text of the layer applied to a value of *shape, which becomes that of the
 * result; NULL where it does not fit. */
typedef const char *make_layer(struct gen *g, struct scope *s,
                               struct shape *shape);
struct maker {
    const char *name;
    int least, most;            /* axes */
    int weight;                 /* how often */
    double heat;                /* above 0: of the result; 0: as before */
    bool weights;
    make_layer *make;
};
extern const struct maker makers[];     /* ends with a row without a name */
const struct maker *maker_find(const char *name);
/* A layer that fits, or NULL. */
const char *make_any(struct gen *g, struct scope *s, struct shape *shape,
                     double *heat, bool *weights);
const char *make_named(struct gen *g, struct scope *s, const char *name,
                       struct shape *shape);
make_layer make_conv, make_conv1d, make_upconv, make_upconv1d, make_maxpool,
    make_avgpool, make_upsample, make_pad, make_crop;
make_layer make_attention, make_positions, make_lstm, make_gru,
    make_aggregate;
make_layer make_flatten, make_reshape, make_slice, make_part, make_row,
    make_concat, make_learned;
/* A pointwise function, whose results lie near 1. */
const char *a_function(struct gen *g);
/* `layernorm`, `norm layer` and the like: the name without `norm` that fits
 * the shape, with arguments, for a property. */
const char *a_norm(struct gen *g, const struct shape *shape, bool weights);
/* `, init = he(uniform)`, or nothing. */
const char *an_init(struct gen *g);
const char *an_init_value(struct gen *g);

/* ---- column.c ---- */

/* A chain that leads from one shape to another, in parentheses where it is
 * longer than one layer. */
const char *chain_to(struct gen *g, struct scope *s, struct shape from,
                     const struct shape *to);
/* A chain of some layers. */
const char *some_chain(struct gen *g, struct scope *s, struct shape *shape,
                       int steps);
struct item *add_link(struct scope *s, const char *text,
                      const struct shape *shape, bool weights);
void make_column(struct gen *g, struct scope *s, int steps);
/* Appends what the column lacks to have this shape. */
void end_in(struct gen *g, struct scope *s, const struct shape *shape);
void cool(struct gen *g, struct scope *s);

/* ---- blocks.c, groups.c ---- */

bool add_block(struct gen *g, struct scope *s);         /* a call */
bool add_group(struct gen *g, struct scope *s);         /* with properties */
bool add_repeat(struct gen *g, struct scope *s);
bool add_stream(struct gen *g, struct scope *s);
bool add_checkpoint(struct gen *g, struct scope *s);
bool add_choice(struct gen *g, struct scope *s);        /* if */
/* What stands after `if`, and whether it holds. */
const char *a_condition(struct gen *g, const struct scope *s, bool *holds);
bool add_library(struct gen *g, struct scope *s);
bool add_shared(struct gen *g, struct scope *s);
bool add_template(struct gen *g, struct scope *s);
/* Blocks and groups whose shape stays, with `shortcut identity` alone. */
struct block *stream_block(struct gen *g, const struct scope *s);
void add_stream_group(struct gen *g, struct scope *s);
struct block *new_block(struct gen *g, const struct scope *at, bool stream);
/* What stands after the block's name. */
const char *call_arguments(struct gen *g, const struct scope *s,
                           const struct block *block);
void add_call(struct gen *g, struct scope *s, struct block *block);

/* ---- program.c ---- */

struct program {
    struct gen gen;
    const char *parameters;     /* of the network */
    struct body body;
};
void make_program(struct program *program, uint64_t seed, const char *name,
                  struct options options);
void print_program(const struct program *program, struct style *style,
                   const char *import, struct text *main, struct text *other);

#endif
