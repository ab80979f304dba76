/* layers.h: what the families of layers share.  A family is a file layers_*.c
 * with a table of rows: name, function that checks shapes and builds nodes,
 * traits, axes, arguments.  layers.c reads arguments and applies rows. */
#ifndef LAYERS_H
#define LAYERS_H

#include "check.h"

enum arg_kind {
    ARG_END,
    ARG_COUNT,          /* a positive integer */
    ARG_PAIR,           /* a positive integer, or [y, x] */
    ARG_PAD,            /* an integer >= 0, or [y, x] */
    ARG_SIDES,          /* an integer >= 0, or [top, bottom, left, right]; of a
                           sequence, [before, after] */
    ARG_INDEX,          /* an integer >= 0 */
    ARG_AXIS,           /* an integer: an axis, -1 is the last */
    ARG_REAL,
    ARG_FLAG,           /* yes or no; or its word alone */
    ARG_CHAIN,          /* a chain: the layer evaluates it */
    ARG_INIT,           /* how weights begin */
    ARG_PARAM,          /* a shared layer's parameter: given_param */
    ARG_VALUES          /* all arguments are chains: the layer reads them */
};

struct arg_row { const char *name; enum arg_kind kind; bool required;
                 double preset; const char *word; };

enum { ARGS = 14 };

struct arg {
    bool given, is_word;        /* is_word: the row's special word */
    short count;                /* of numbers in a list; else 0 */
    int64_t n[4];
    double real;
    struct weight_init init;
    struct ast *ast;
};

struct use {                    /* one application of a layer */
    struct body *body;
    const struct layer *layer;
    struct arg arg[ARGS];
    struct ast *call;
    struct span span;
    bool column;
};

enum layer_traits {
    LAYER_WEIGHTS = 1,          /* `norm ... weights` goes round it */
    LAYER_STARTS = 2,           /* needs no current value: may stand first */
    LAYER_INTEGERS = 4          /* takes integers */
};

struct layer {
    const char *name;
    struct value *(*apply)(struct use *use, struct value *x);
    int traits;
    int min_rank, max_rank;
    const char *step;           /* pointwise rows */
    struct arg_row arg[ARGS];
};

/* Rows end with one that has no name. */
extern const struct layer dense_layers[], map_layers[], attention_layers[],
    recurrent_layers[], shape_layers[], graph_layers[];

#define EPSILON { "eps", ARG_REAL, false, 1e-5, NULL }
#define AFFINE  { "affine", ARG_FLAG, false, 1, NULL }
#define GAMMA   { "gamma", ARG_REAL, false, 1, NULL }
#define INIT    { "init", ARG_INIT, false, 0, NULL }
#define WEIGHT  { "weight", ARG_PARAM, false, 0, NULL }
#define BIAS    { "bias", ARG_FLAG, false, 1, NULL }

/* layers.c */
const char *text_of(struct use *use, struct value *x);     /* its shape */
/* The parameter that an argument names, which must have this shape; NULL after
 * an error. */
struct param *given_param(const struct use *use, const struct arg *arg,
                          const char *name, const struct shape *shape);
/* Whether a layer has a bias: as written; else not where a batch norm follows
 * (implicit: build_norm takes it away). */
bool has_bias(const struct use *use, const struct arg *arg);
/* An argument that is one number for all, or a list of them. */
bool read_numbers(struct use *use, const struct arg_row *row, struct ast *ast,
                  struct arg *arg);
/* `f(chain) as n` names f's result and parameters, not the chain's. */
struct value *eval_unnamed(struct body *body, struct ast *chain,
                           struct value *x);

#endif
