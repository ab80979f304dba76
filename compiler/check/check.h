/* check.h: what the parts of the checker share.  number.c: compile-time
 * arithmetic and names; build.c: nodes with their shape rules; layers.h: the
 * layers, a row each; init.c; shared.c: layers made once; losses.c;
 * expressions.c: what chains and names give; blocks.c,
 * body.c, shortcuts.c: blocks and their properties; same.c, repeat.c;
 * streams.c; check.c: files, networks, ports. */
#ifndef CHECK_H
#define CHECK_H

#include "graph.h"


struct number { bool is_integer; int64_t integer; double real; };

enum thing_kind { THING_BAD, THING_NUMBER, THING_VALUE, THING_CHAIN,
                  THING_SHARED, THING_GRAPH };

/* What a name stands for, what an expression gives. */
struct thing {
    enum thing_kind kind;
    struct number number;
    struct value *value;
    struct ast *ast;            /* CHAIN: a layer, to be applied; in env */
    struct env *env;
    struct shared *shared;      /* a layer or block made once */
    struct port *port;          /* GRAPH: an input */
};

struct env { const char *name; struct thing thing; struct env *next;
             struct span span; };

/* Numbers the uses of each name in a body. */
struct counter { const char *name; int64_t next; struct counter *link; };
struct scope { struct piece *prefix; struct counter *counters;
               int loops; };    /* repeats around where it began */

struct weight_init { enum init_kind { IK_HE, IK_XAVIER, IK_NORMAL, IK_UNIFORM,
                                 IK_CONSTANT } kind;
                     bool fan_out, uniform; double number, gain; };

/* `shared name = layer(...)`: its parameters lie in the region where it was
 * made, under its name. */
struct shared {
    const char *name;
    struct span span;
    struct ast *ast, *given;    /* the layer's or block's call: layer_call */
    struct env *env;            /* names where it was made */
    struct weight_init init;
    struct region *region;
    struct piece *path;
    struct shared_param { struct param *param; struct shared_param *next; }
        *params;                /* of a layer, since its first use */
    struct shared_weights *weights;    /* of a block, likewise */
    struct span first;          /* the first use */
    bool used;
    /* while it is applied */
    bool named;                 /* the layer has its path */
    struct span use;
    struct env *outer_env;
    struct weight_init outer_init;
};

/* One body while it is elaborated. */
struct body {
    struct check *check;
    struct region *region;
    struct env *env;
    struct scope *scope;
    struct value *current;      /* NULL: none, or bad */
    bool bad;                   /* `current` follows an error: say no more */
    struct ast *before_weights, *after_weights;     /* AST_NORM */
    struct value *before, *shared;  /* the first input of a weight layer, and
                                   what `norm ... before weights` made of it */
    bool batch_weights;         /* a batch norm round weights: no biases */
    bool in_unit;               /* within a block that has a shortcut */
    struct weight_init init;
    const struct weight_init *layer_init;       /* of the layer being applied */
    const char *label;          /* of the block, for messages */
    const char *as_name;        /* `as` names the next layer's path */
    struct span as_span;
    struct shared *making;      /* the shared layer that is being applied */
    bool is_network;            /* or a nameless block in one */
    bool in_repeat;
    int depth, loops;           /* blocks within blocks; repeats around */
    struct stream *stream;      /* whose group this is; see streams.c */
    const struct ast *of_stream;    /* a block of a stream: where it is used */
    bool blind;                 /* read for its names alone: no value */
    int inputs;                 /* a network's */
};

struct check {
    struct compilation *c;
    struct ast *decls;          /* all files', linked by `next` */
    struct reported { struct span span; struct reported *next; } *reported;
    struct call_site { struct span span; const char *label;
                       struct call_site *outer; } *site;
    struct names *keys;
    struct read_decl { struct ast *decl; struct read_decl *next; } *read;
    int level;                  /* expressions within expressions */
    int steps;                  /* expressions read so far */
    bool too_large;             /* reported */
    struct pitfall *pitfalls;
    bool failed;
};

/* number.c */
bool number_of(struct body *body, struct ast *ast, struct number *number);
bool is_number(struct body *body, struct ast *ast);
struct env *env_find(struct env *env, const char *name);
void env_add(struct body *body, const char *name, struct thing thing,
             struct span span);
struct thing number_thing(struct number number);
/* The number of an expression that is one; a bad thing after an error. */
struct thing number_value(struct body *body, struct ast *ast);
struct thing value_thing(struct value *value);
struct number integer_number(int64_t n);
struct number real_number(double r);
double number_real(struct number number);
const char *number_text(struct compilation *c, struct number number);
bool number_op(struct body *body, enum ast_op op, struct number a,
               struct number b, struct span span, struct number *result);

/* A number that float32 holds: too small a one becomes 0; false after an
 * error. */
bool fit_float(struct body *body, struct span span, double *number);
/* A number, but for what an error or blind reading left unknown. */
bool is_unknown(struct body *body, struct ast *ast);
/* An unknown or misused name is reported where it stands. */
void not_number(struct body *body, struct ast *ast);

/* Whether unfolding the network has come to a limit: reported once, at
 * `span`. */
bool above_limits(struct body *body, struct span span);

/* Errors once a place, with the calls that led there. */
void fail(struct body *body, struct span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void fail_note(struct body *body, struct span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A warning once a place, as above; `name` for -Wno-NAME. */
void warn(struct body *body, const char *name, struct span span,
          const char *format, ...) __attribute__((format(printf, 4, 5)));

/* build.c: each returns the new value in the body's region */
struct value *localize(struct body *body, struct value *value);
struct value *as_layout(struct body *body, struct value *value,
                        enum layout layout);
struct value *as_shape(struct body *body, struct value *value,
                       const struct shape *shape, struct span span);
struct value *build_point(struct body *body, const char *step,
                          struct value *x, const char *name, struct span span);
struct value *own_output(struct body *body, struct value *value);
struct value *build_number(struct body *body, const char *step,
                           struct value *x, double number, const char *name,
                           struct span span);
struct value *build_param_point(struct body *body, const char *step,
                                struct value *x, enum broadcast by,
                                struct param *param, const char *name,
                                struct span span);
/* a op b with broadcasting; NULL after an error */
struct value *build_binary(struct body *body, const char *step,
                           const char *reverse, struct value *a,
                           struct value *b, const char *name,
                           struct span span);
bool small_enough(struct body *body, const struct shape *shape,
                  struct span span);
bool weight_fits(struct body *body, const struct shape *shape,
                 struct span span);
struct piece *next_path(struct body *body, const char *word);
struct piece *fixed_path(struct body *body, const char *word);
/* What a property makes: word, or word.k where nameless groups, a repeat or
 * blocks of this name make more of them in one body. */
struct piece *property_path(struct body *body, const char *word);
/* A parameter of the body's region, or of the shared layer being applied. */
struct param *make_param(struct body *body, struct piece *path,
                         const char *leaf, enum pack pack, int groups,
                         const struct shape *shape);
struct param *weight_leaf(struct body *body, struct piece *path,
                          const char *leaf, enum pack pack, int groups,
                          const struct shape *shape, int64_t fan_in,
                          int64_t fan_out);
/* the same, called "weight" */
struct param *weight_param(struct body *body, struct piece *path,
                           enum pack pack, int groups,
                           const struct shape *shape, int64_t fan_in,
                           int64_t fan_out);
struct param *vector_param(struct body *body, struct piece *path,
                           const char *leaf, int64_t count, double value);
struct value *build_norm(struct body *body, const char *kind, int64_t groups,
                         double epsilon, bool affine, struct value *x,
                         struct span span);
void limit_classes(struct value *x, int64_t classes);
struct value *build_node(struct body *body, enum op op, struct value *x,
                         const char *name, struct span span);
struct param *table_param(struct body *body, struct piece *path,
                          const struct shape *shape);
struct value *build_rows(struct body *body, struct value *index,
                         struct param *table, const struct shape *shape,
                         const char *name, struct span span);
struct value *build_linear(struct body *body, struct value *x, int64_t out,
                           bool bias, bool implicit, struct piece *path,
                           struct span span);
/* y = W x + b for parameters that exist; b may be NULL */
struct value *build_product(struct body *body, struct value *x,
                            struct param *weight, struct param *bias,
                            struct span span);
struct value *build_conv(struct body *body, enum op op, struct value *x,
                         const struct conv *conv, bool bias, bool implicit,
                         struct piece *path, struct span span);
struct value *build_pool(struct body *body, enum op op, struct value *x,
                         const struct pool *pool, const char *name,
                         struct span span);
struct value *build_concat(struct body *body, struct value **values, int count,
                           int axis, struct span span);
struct value *build_slice(struct body *body, struct value *x, int axis,
                          int64_t first, int64_t count, struct span span);
struct value *build_constant(struct body *body, const struct shape *shape,
                             double number, const char *name,
                             struct span span);
struct value *build_learned(struct body *body, struct param *param,
                            struct span span);
struct value *together(struct body *body, struct value *value);

struct value *build_softmax(struct body *body, struct value *x,
                            struct span span);
/* Blocks of features: weights of each row, or a parameter for all. */
struct weights { struct value *value; struct param *param; };
struct value *build_mix(struct body *body, struct value *x, struct weights w,
                        int64_t from, int64_t to, const char *name,
                        struct span span);
struct value *build_mix_transposed(struct body *body, struct value *x,
                                   struct weights w, int64_t from, int64_t to,
                                   const char *name, struct span span);
struct value *build_dots(struct body *body, struct value *x, struct weights y,
                         int64_t from, int64_t to, const char *name,
                         struct span span);
struct value *build_aggregate(struct body *body, struct value *x,
                              int64_t graph, int64_t kind, struct span span);
struct value *build_sinkhorn(struct body *body, struct value *x, int64_t n,
                             int64_t iterations, const char *name,
                             struct span span);

/* layers.c */
const struct layer *layer_find(const char *name);
struct value *apply_layer(struct body *body, const struct layer *layer,
                          struct ast *call, struct value *x, bool column);
const char *const *layer_names(struct compilation *c, size_t *count);
bool is_layer(const char *name);
bool layer_starts(const struct layer *layer);   /* needs no current value */

/* init.c */
/* `he(gain = 2)`: false after an error, *init unchanged. */
bool read_init(struct body *body, struct ast *ast, struct weight_init *init);
/* The layer's, or else the body's. */
const struct weight_init *init_of(const struct body *body);
void initialise(struct param *param, const struct weight_init *init,
                double fan_in, double fan_out);

/* shared.c */
void run_shared(struct body *body, struct ast *item);
struct value *apply_shared(struct body *body, struct shared *shared,
                           struct ast *use, struct value *x, bool column);
bool shared_starts(const struct shared *shared);    /* needs no value */
/* Names and initial weights become those of the place where it was made, until
 * shared_leave; nothing for NULL. */
void shared_enter(struct body *body, struct shared *shared);
void shared_leave(struct body *body, struct shared *shared);
/* Its parameter of that name: made at the first use; an error where a later
 * use needs another shape. */
struct param *shared_param(struct body *body, struct piece *path,
                           const char *leaf, enum pack pack, int groups,
                           const struct shape *shape);
struct shared_weights *weights_of(struct body *body, struct function *function);
/* What a block's parameter stands for, in the names of *env. */
struct ast *resolved(struct ast *ast, struct env **env);
/* `table.weight` as an argument; NULL after an error. */
struct param *member_param(struct body *body, struct ast *ast,
                           const char *argument);

/* losses.c: `loss`: builds its nodes into the body's region */
void build_loss(struct body *body, struct ast *ast, double weight);

/* blocks.c */
bool has_shortcut(const struct ast *items);
bool is_callable(const struct thing *thing);
/* `given`: the arguments that came with the block when it was one, or NULL */
struct value *call_block(struct body *body, struct ast *decl,
                         struct ast *given, struct ast *call,
                         struct value *x);
/* What `shared` makes: a call of a layer or block by its own name; NULL after
 * an error. */
struct ast *layer_call(struct body *body, struct ast *ast,
                       struct ast **given);
const char *near_name(struct body *body, const char *name);
/* The name is none, or none that was expected: an error, with a near one. */
void unknown_name(struct body *body, struct ast *ast);
/* Blocks that nothing called are read for their names. */
void read_unused(struct body *body);

/* expressions.c */
struct thing eval(struct body *body, struct ast *ast, struct value *x,
                  bool column);
struct value *eval_value(struct body *body, struct ast *ast, struct value *x);

/* body.c */
struct ast *chosen(struct body *body, struct ast *item);
/* Of values: a graph is no value that a column begins at. */
int count_inputs(struct body *body, struct ast *items);
bool is_graph(const struct ast *input);     /* check.c */
/* An integer value where real numbers are needed: false after an error. */
bool need_real(struct body *body, const struct value *x, struct span span,
               const char *what);
struct value *apply_norm(struct body *body, struct ast *norm,
                         struct value *x);
void run_body(struct body *body, struct ast *items);
/* The error of what stands directly in a stream and has no shortcut. */
void needs_shortcut(struct body *body, struct span span);

/* same.c */
/* Whether `nth` is `first` but for numbers, and joins it; `count` iterations
 * have done so.  `varies` becomes true when the operators' numbers differ. */
bool join_iteration(struct compilation *c, struct region *first,
                    struct region *nth, int depth, int64_t count,
                    bool *varies);

/* Words of properties; did_you_mean: "; did you mean 'x'?", or "". */
const char *word_of(const struct ast *ast);     /* NULL: none */
bool word_is(const struct ast *ast, const char *word);
const char *did_you_mean(struct body *body, const struct ast *ast,
                         const char *const *words, size_t count);

/* shortcuts.c */
struct gate { enum gate_kind { GATE_MIX, GATE_SHORTCUT, GATE_GRU } kind;
              double bias; struct value *value; };
/* Reads `gated(...)`; what does not wait for the branch is built. */
void begin_gate(struct body *body, struct ast *item, struct value *x,
                struct gate *gate);
/* `after`: the block's norm after weights, which a projection has too */
struct value *join_shortcut(struct body *body, struct ast *item,
                            struct value *x, struct value *branch,
                            const struct gate *gate, struct ast *after);
/* At the layers that gave the branch another shape than x: how many. */
int note_changes(struct body *body, struct value *branch,
                 const struct value *x);

/* pitfalls.c */
enum pitfall_kind { PITFALL_GATE, PITFALL_SCALED, PITFALL_PROJECTED,
                    PITFALL_PRENORM };
struct pitfall_site { struct value *value; struct pitfall_site *next; };
struct pitfall { enum pitfall_kind kind; struct span span; double number;
                 struct pitfall_site *sites; struct pitfall *next; };
void warn_dead_branch(struct body *body, struct span span,
                      const struct value *branch);
void warn_dropped_shortcut(struct body *body, struct span span,
                           const struct value *x, const struct value *skip);
void warn_norm_after(struct body *body, const struct ast *norm);
/* Bad in deep stacks alone: said by warn_pitfalls. */
void note_pitfall(struct body *body, enum pitfall_kind kind, struct span span,
                  struct value *value, double number);
void warn_pitfalls(struct check *check);

/* repeat.c */
/* recompute: by `checkpoint`, which may stand before a group as well */
struct value *run_repeat(struct body *body, struct ast *ast, struct value *x,
                         bool recompute);
/* A repeat that becomes no loop.  `after`, unless NULL, makes of an
 * iteration's result what the next one takes. */
typedef struct value *after_iteration(struct body *body, struct value *x,
                                      void *context);
struct value *unroll_repeat(struct body *body, struct ast *ast,
                            struct value *x, after_iteration *after,
                            void *context);

/* streams.c */
struct value *run_stream(struct body *body, struct ast *ast, struct value *x);
bool stream_unrolls(const struct stream *stream);
/* What a block directly in the stream reads, and what it gives is written. */
struct value *stream_read(struct body *body, struct value *x,
                          struct span span);
struct value *stream_write(struct body *body, struct value *y,
                           struct span span);
/* Whether this may stand directly in a stream; false after an error. */
bool stream_takes(struct body *body, const struct ast *ast);
void stream_misplaced(struct body *body, struct span span);
/* Around an iteration of a repeat in the stream: its inverse, when the stream
 * is reversible and the iteration is made of calls alone; else NULL. */
void stream_iteration(struct body *body);
struct region *stream_inverse(struct body *body, struct region *iteration);

struct ast *decl_find(struct check *check, const char *name);
struct piece *copy_pieces(struct compilation *c, const struct piece *pieces);

/* check.c */
/* input, output and loss of a network */
void network_item(struct body *body, struct ast *item);
struct port *target_port(struct body *body, struct ast *name,
                         const struct shape *shape, bool integer,
                         int64_t classes);

#endif
