/* graph.h: the network between the checker and the writer.
 *
 * A function is a block at given arguments and shapes; equal ones are one
 * function.  Its operations stand in regions, in an order in which they can
 * run; a repeat is one LOOP node with a region of its own, however often it
 * runs.  Shapes are those of one sample. */
#ifndef GRAPH_H
#define GRAPH_H

#include "ast.h"
#include "ops.h"

struct shape { int rank; int64_t axis[LIMIT_RANK]; };

enum layout { LAYOUT_PLAIN, LAYOUT_STRIPS };    /* rnet_kernels.h: LAYOUTS */

/* What a value is, which decides how its size depends on the batch. */
enum form {
    FORM_ROWS,          /* rows x features: all values the user sees */
    FORM_VECTOR,        /* `features` floats, whatever the batch */
    FORM_LINES,         /* one line of `features` floats for each chunk of the
                           layout: a sample when plain, a strip in strips */
    FORM_LINES32,       /* one line for each 32 rows, in either layout */
    FORM_STATS          /* rstd: rows rounded up to 32, times features */
};

struct value {
    int id;                     /* unique in the compilation */
    const char *name;           /* for the emitted C: the layer's or user's */
    enum form form;
    enum layout layout;
    bool integer;
    struct shape shape;
    int64_t rows, features;     /* of one sample; features is the last axis */
    struct region *region;      /* where it is made */
    struct node *producer;      /* NULL: a region's input */
    int64_t classes;            /* integer inputs: values are below this */
    struct value *base;         /* a view: shares the memory of base */
    int64_t offset;             /* view: first feature within base */
    bool reshaped;              /* view: same memory, other rows, features */
    struct value *other;        /* the same value in the other layout */
    struct span span;
    void *match;                /* check: its twin in another iteration */
    /* set by grad.c */
    bool kept;                  /* the backward pass reads it */
    bool from_inputs;           /* no parameter went into it */
    struct value *grad;         /* so far, but for: */
    struct part *parts;         /* gradients of slices, by offset */
    /* set by fuse.c and plan.c, for each mode */
    struct value *alias[3];     /* by enum mode: what stands for it */
    int kernel;                 /* that makes it; -1: none */
    bool stored;                /* it needs memory in this mode */
    bool reload;                /* its own kernel reads it again */
    bool sunk;                  /* never stored: see recompute.c */
    struct node *program;       /* sunk gradient: the step that makes it */
    int uses, reads;            /* recompute.c: all, and those it can serve */
    struct place *place[3];     /* by enum mode */
};

/* One piece of a dotted name: text, or text.(first + sum i_n step[n]), i_n
 * the indices of the loops around the scope, the outermost first. */
struct piece {
    const char *text;
    bool indexed;
    int64_t first, step[LIMIT_NEST_REPEAT];
    const void *moved;          /* repeat.c: the last that moved it out */
    struct piece *next;
};

enum pack { PACK_FLAT, PACK_PANELS, PACK_CONV };
enum init { INIT_CONSTANT, INIT_NORMAL, INIT_UNIFORM, INIT_DIAGONAL };

struct param {
    struct piece *path;         /* relative to its region */
    const char *leaf;           /* "weight"; "": the path is all of its name */
    enum pack pack;
    int groups;
    struct shape shape;         /* published */
    int64_t size, floats;       /* scalars; packed, padded to 16 */
    bool trainable, decay, implicit;    /* implicit: a bias nobody asked for */
    enum init init;
    double mean, spread;        /* DIAGONAL: mean, and mean + spread in row r at
                                   column r + column, modulo columns; numbered:
                                   + the last number in the path, too */
    int64_t column;
    bool numbered;
    struct region *region;
    int64_t offset;             /* in its region's parameters (or state) */
    /* stepped.c */
    int uses;                   /* operators of the forward pass */
    bool alone;                 /* one dense layer or convolution of its region */
    bool made;                  /* a kernel makes its gradient */
    bool stepped;               /* and does its step at once; else its gradient */
    int64_t grad_offset;        /* lies here among its region's */
    const char *constant;       /* its name in the emitted C */
    bool shared;                /* several layers may use it */
    void *match;
    struct param *next;
};

/* The parameters of a shared block: one run of its body, for all its calls. */
struct shared_weights {
    struct function *function;  /* of its first call */
    struct piece *path;
    struct region *region;
    int64_t params, state, grads;       /* offsets in the region */
    void *match;
    struct shared_weights *next;
};

/* A step's operand. */
enum broadcast { BY_NONE, BY_FULL, BY_FEATURE, BY_SAMPLE_FEATURE, BY_SCALAR,
                 BY_CONST };

struct point {                  /* one step: acc = in[0] */
    const char *step;           /* "RELU": RNET_RELU */
    enum broadcast by;          /* the operand: in[1], param[0], or number */
    double number;
    bool has_number;            /* RELU has none, LEAKY has */
    bool complement;            /* one minus the number is meant */
    bool varies;                /* the number, from run to run: it is */
    int64_t slot;               /* this one of the region's numbers */
    int64_t key;                /* DROPOUT: its number in the region */
};

struct conv {
    int64_t height, width, in, out_height, out_width, out;
    int64_t kernel_height, kernel_width, stride_y, stride_x;
    int64_t dilation_y, dilation_x, top, left, bottom, right, groups;
};
struct pool {
    enum pool_kind { POOL_AVERAGE, POOL_MAX, POOL_SUM, POOL_TENT } kind;
    int count_pad;
    int64_t height, width, channels, out_height, out_width, out_channels;
    int64_t kernel_height, kernel_width, stride_y, stride_x, top, left;
};
struct norm {
    enum norm_kind { NORM_LAYER, NORM_RMS, NORM_GROUP } kind;
    int64_t groups;
    bool maps;                  /* over pixels too */
    double epsilon, momentum;
};
enum aggregate { AGGREGATE_SUM, AGGREGATE_MEAN, AGGREGATE_SYMMETRIC };
enum loss { LOSS_CROSS_ENTROPY, LOSS_SQUARED, LOSS_BINARY, LOSS_ABSOLUTE };

enum { WORKER_FLOATS = 49152 }; /* RNET_WORKER_FLOATS of rnet_kernels.h */
enum { NODE_INS = LIMIT_OPERANDS, NODE_OUTS = 8, NODE_PARAMS = 4 };

/* Fields by operator (in -> out; params):
 *   POINT       acc [operand] [for AFFINE: scale, shift; AFFINE2: x, a, b, c];
 *               without acc: a constant, LOAD by number; DROP_BATCH: set.n[0]
 *               is where the ids of its block's values begin
 *   REDUCE      acc [x] -> lines; point.step is RNET_SUM...
 *   ADD_SUMS    lines; param[0] receives; number: the line's first feature
 *   EMBEDDING   [index] -> y; table; without an index, of the row's position
 *   LINEAR      x -> y; weight [bias]
 *   LINEAR_DX   dy -> dx; weight        LINEAR_DW  dy, x; weight [bias]
 *   CONV        x -> y; weight [bias]
 *   CONV_GRAD   dy, x -> [dx]; weight [bias]
 *   UPCONV      x -> y; weight [bias]; conv: whose gradient it is
 *   POOL        x -> y                  POOL_GRAD  dy [x] -> dx
 *   UPSAMPLE    x -> y; pool: whose gradient it is
 *   NORM        x -> y [x^, rstd]; [gamma] [beta]
 *   NORM_GRAD   dy, x^, rstd -> dx [lines]; [gamma] [beta]
 *   BATCH_NORM  x -> y moments scale shift; gamma beta running_mean running_var
 *   MIX         x [w] -> y; [w]; set: blocks of x, blocks of y, features of
 *               each; MIX_TRANSPOSED likewise
 *   DOTS        x [y] -> s; [y]; set: blocks of x, of y, features of each
 *   SINKHORN    x -> y; set: n, iterations
 *   SINE_FEATURES  x -> y; set: features, shift; base
 *   LSTM        gates -> y states; weight [bias]; set: steps, hidden,
 *               whether in reverse; GRU likewise
 *   ATTENTION   q k v [lengths] -> y log_sum; set: queries, keys, heads,
 *               groups, features of a head, causal; scale
 *   ROPE        x -> y; set: features of a head, enum rnet_pairing; base
 *   SINES       -> y; set: base
 *   AGGREGATE   x -> y; set: index of the graph, enum aggregate
 *   LOSS        x target [a weight for each row] -> dx
 *   SLICE       x -> a view of some of its features
 *   CALL        x -> y;  callee
 *   CALL_GRAD   dy, forward inputs and outputs -> dx...; callee, forward
 *   LOOP        x, captured values -> y; body, count (1: a group of its own,
 *               to be recomputed: no repeat)
 *   LOOP_GRAD   dy, x, y, captured values, sums of their gradients so far
 *               -> dx, the sums with this loop's added in place */
struct node {
    enum op op;
    struct value *in[NODE_INS], *out[NODE_OUTS];
    int ins, outs;
    struct param *param[NODE_PARAMS];
    struct span span;
    struct node *next, *previous;
    struct region *region;
    union {
        struct point point;
        struct conv conv;
        struct pool pool;
        struct norm norm;
        struct {
            enum loss kind;
            double weight;
            /* cross-entropy: see struct rnet_entropy */
            double smoothing;
            const double *classes;      /* a weight each, or NULL */
            bool ignores;
            int64_t ignore;
        } loss;
        struct {
            struct function *callee;
            struct function *instance;  /* like it, with the call's numbers */
            struct piece *path;
            struct shared_weights *weights;    /* of a shared block, or NULL */
            struct node *forward;       /* CALL_GRAD: its CALL */
            struct node *twin;          /* in an inverse: the CALL whose
                                           parameters it takes */
            int64_t params, state, grads;   /* offsets in this region, or in
                                           that of the shared weights */
            int64_t keys, numbers;      /* in this region */
            struct form_size *saved;    /* likewise; plan.c */
        } call;
        struct {
            struct region *body;
            int64_t count;
            bool recompute;             /* what backward reads is made again
                                           there, not kept */
            struct region *inverse;     /* and so is x, from y: by this, whose
                                           calls name their `twin` */
            struct node *forward;       /* LOOP_GRAD: its LOOP */
            struct node *draw;          /* count 1: runs, or y is x, as this
                                           DROP_BATCH says */
            bool varies;                /* its iterations, by numbers: */
            struct region **iterations; /* where they stand; or NULL */
            int64_t params, state, grads, keys, numbers;
            struct form_size *saved;        /* of the first iteration */
            struct value *slots;            /* KEPT: results but the last */
            struct value *slot;             /* TWO_BUFFERS: the other one */
        } loop;
        struct { int64_t first; } sums; /* ADD_SUMS: first feature of a line */
    };
    struct port *output;        /* OUTPUT: whose memory; backward: the input
                                   whose gradient it is */
    /* settings of an operator that has no struct of its own above, in the
     * order that its row in ops.h writes them */
    struct { int64_t n[8]; double r[4]; } set;
    int64_t worker;             /* floats of scratch for each worker, beyond
                                   RNET_WORKER_FLOATS */
    int64_t grad_worker;        /* likewise of its gradient */
    int64_t shared;             /* floats of scratch for its call */
    int64_t own[2];             /* floats of scratch for each sample, in strips:
                                   of its call, and of its gradient's */
    int64_t macs;               /* for one sample, beyond linear and conv */
    bool inferred;              /* inference runs it: inferred.c */
    bool graded;                /* a CALL or LOOP that has a gradient: grad.c */
    bool training_only;         /* dropout */
    bool optional;              /* only for gradients of the network's inputs */
};

struct list { struct node *first, *last; };

/* Passes over a network: forward alone, forward that keeps what backward
 * reads, backward. */
enum mode { MODE_INFER, MODE_TRAIN, MODE_BACKWARD, MODES };

/* A body: of a function or of a loop.  inputs[0] is the stream. */
struct region {
    struct function *function;
    struct region *parent;      /* of a loop's body */
    struct node *loop;
    struct list nodes;          /* the network as written */
    struct value **inputs; int input_count; size_t input_size;
    struct value **captured;    /* loop: captured[k] outside is inputs[k] */
    size_t captured_size;
    struct value **outputs; int output_count; size_t output_size;
    struct param *params, **params_end;
    struct shared_weights *weights;
    int64_t scalars;            /* trainable, of one run of it */
    int64_t runs, calls;        /* check: for a sample; a function's calls */
    int64_t param_floats, state_floats, keys, numbers;  /* of one run of it */
    int64_t grad_floats;        /* of gradients that lie in memory: stepped.c */
    bool state_moves;           /* a batch norm is in it, or in what it calls */
    bool state_again;           /* backward reads the state: it recomputes */
    /* backward, by grad.c: reads forward values; in `grads` the gradients of
     * inputs (NULL: none) and in `seeds` those of outputs */
    struct list backward;
    struct value **seeds;       /* output_count */
    struct value **grads;       /* input_count */
    struct value **sums;        /* input_count: where a loop's body adds the
                                   gradients of captured values */
    bool *input_needed;         /* backward reads the forward input */
    bool *output_needed;
    /* by fuse.c and plan.c, for each mode */
    struct schedule *schedule[MODES];
};

struct function {
    const char *name;           /* in the emitted C, unique */
    const char *label;          /* the block's name in the .rnet */
    const char *formula;        /* y = x + F(x) */
    struct ast *decl;
    const char *key;            /* what it is an instance of */
    const char *base; int version;  /* name is base, or base_v<version> */
    struct region *body;
    int uses;
    bool written;               /* marks of the passes */
    bool inferred;              /* inference runs it: inferred.c */
    bool trained;               /* a loss follows from it: the same */
    bool failed;                /* an error was reported in it */
    bool often;                 /* its parameters may go backward not once, but
                                   never or several times: stepped.c */
    struct alike *alike;        /* same.c */
    struct function *next, *previous;   /* in the order of completion: callees
                                   first */
};

struct port {
    const char *name;
    struct span span;           /* of the name */
    struct value *value;
    bool integer, target;
    bool graph;                 /* nothing reads its value: kernels find it in */
    int index;                  /* run->graphs */
    int64_t classes;
    bool labels;                /* a cross-entropy's */
    bool ignores;               /* ... which leaves out this one, */
    int64_t ignore;             /* which is no class */
    struct port *next;
};

struct knob { const char *name; bool is_integer; int64_t integer; double number;
              struct knob *next; };

struct network {
    const char *name, *source;  /* source: the file's name without folders */
    struct function *functions, *last;      /* callees first, main last */
    struct names function_names, function_keys;
    struct function *main;
    struct port *inputs, *outputs;          /* targets are inputs */
    struct knob *knobs;
    int64_t parameters;         /* trainable scalars */
    double *numbers;            /* numbers.c: main's */
    int next_value;
    struct units *units;        /* schedule.h */
    struct shape_name *shapes;  /* emit_block.c */
    int64_t node_count;
};

/* What every pass is given. */
struct compilation {
    struct arena *arena;
    struct names *names;
    struct diag *diag;
    struct network *network;
    bool no_fuse;               /* every operator is a kernel of its own, every
                                   value has memory of its own */
    enum optimizer { OPTIMIZER_NONE, OPTIMIZER_SGD, OPTIMIZER_ADAM }
        optimizer;              /* whose step backward does: --fuse-optimizer */
};

/* ---- building: graph.c ---- */
struct value *new_value(struct compilation *c, struct region *region,
                        enum form form, enum layout layout,
                        const struct shape *shape, const char *name,
                        struct span span);
struct node *new_node(struct compilation *c, enum op op, struct span span);
void append_node(struct region *region, struct list *list, struct node *node);
void remove_node(struct list *list, struct node *node);
void insert_node(struct region *region, struct list *list,
                 struct node *before, struct node *node);
void node_in(struct node *node, struct value *value);
struct value *node_out(struct node *node, struct value *value);
struct region *new_region(struct compilation *c, struct function *function,
                          struct region *parent);
/* The one with this key, or NULL. */
struct function *function_of_key(struct network *network, const char *key);
/* base, base_v2, base_v3, ...: the first that is free. */
void name_function(struct compilation *c, struct function *function,
                   const char *base);
/* Into the list of all, behind the last; out of it: its name and key are
 * free again. */
void add_function(struct network *network, struct function *function);
void remove_function(struct network *network, struct function *function);
void add_input(struct compilation *c, struct region *region,
               struct value *value);
void add_output(struct compilation *c, struct region *region,
                struct value *value);
struct param *new_param(struct compilation *c, struct region *region,
                        struct piece *path, const char *leaf, enum pack pack,
                        int groups, const struct shape *shape);
bool shape_equal(const struct shape *a, const struct shape *b);
int64_t shape_size(const struct shape *shape);
const char *shape_text(struct compilation *c, const struct shape *shape);
enum layout natural_layout(const struct shape *shape);
/* The i-th iteration of a LOOP, as it was elaborated. */
const struct region *loop_iteration(const struct node *loop, int64_t i);
const char *op_name(enum op op);
struct op_row { const char *name, *formula, *function; int traits;
                const char *arguments; };
const struct op_row *op_row(enum op op);        /* of ops.h */
/* "conv.0" of a piece list, '#' for what loops number; with a leaf after it */
const char *piece_text(struct compilation *c, const struct piece *pieces);
const char *param_text(struct compilation *c, const struct param *param);
/* The last word of its name. */
const char *param_word(const struct param *param);

/* --dump=graph, grad */
void graph_dump(FILE *out, const struct network *network, bool backward);

/* ---- passes, in order ---- */
/* check.c: tree -> network; NULL after errors. */
struct network *check(struct compilation *c, struct ast *tree,
                      const char *network_name, const struct knob *settings);
/* layout of parameters: params.c */
bool place_params(struct compilation *c);    /* false after an error */

/* ---- stepped.c ---- */
void mark_stepped(struct compilation *c);
void place_grads(struct compilation *c);
/* Whether the node, which makes a weight's gradient, does the optimiser's step. */
bool steps_weight(const struct node *n);
void collect_numbers(struct compilation *c); /* numbers.c */
void branches(struct compilation *c);       /* branch.c */
void mark_inferred(struct compilation *c);  /* inferred.c */
void grad(struct compilation *c);           /* grad.c */
void recompute(struct compilation *c);      /* recompute.c */

#endif
