/* schedule.h: a region's work in one mode as a list of kernels, each one call
 * into the runtime (or of a block, or a loop) with the steps that ride on it,
 * and where every value lies. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "graph.h"

/* Memory that a step or kernel points at: a value's, or a parameter's. */
struct ref { struct value *value; struct param *param; int64_t offset; };

/* One struct rnet_step of rnet_kernels.h. */
struct step {
    const char *op;             /* "ADD" */
    const char *kind;           /* "FULL"; NULL: no operand */
    int temp;                   /* "TEMP": which register */
    struct ref x, a, b, c, sums;
    double number;
    bool has_number;
    bool complement;            /* one minus the number */
    bool varies; int64_t slot;  /* the number is the region's at `slot` */
    int64_t key;
    struct node *node;          /* that it does, or NULL */
};

struct steps { struct step *step; int count; size_t size;
               struct arena *arena; };

struct kernel {
    struct node *anchor;        /* NULL: a pass of its own, rnet_point */
    struct value *result;       /* what the anchor leaves in acc, or NULL */
    struct value *like;         /* rows and features that acc runs over */
    struct node **tail; int tail_count; size_t tail_size;
    struct steps input, output, steps;
    bool optional;              /* only for gradients of inputs */
    struct port *port;          /* only when the caller wants this */
    struct value *extra;        /* scratch of the kernel's own, or NULL */
};

/* A size that depends on the batch: constant + per_sample * batch +
 * sum per_strips[i] * strips of batch * rows[i]. */
enum { UNITS = LIMIT_UNITS };
struct form_size { int64_t constant, per_sample, per_strips[UNITS]; };
struct units { int64_t rows[UNITS]; int count; };

enum place_kind { PLACE_NONE, PLACE_ARGUMENT, PLACE_PORT, PLACE_SAVED,
                  PLACE_SCRATCH };

struct place {
    enum place_kind kind;
    const char *argument;       /* "x", "y", "dx", "dy", or the port's name */
    struct form_size offset;    /* SAVED, SCRATCH */
    struct form_size size;
    struct value *value;
    int first, last;            /* kernels that write and read it */
    struct place *merged;       /* lies in the memory of this one */
    struct place *newest;       /* the last that took this memory over */
    const char *name;           /* the emitted variable */
};

enum loop_memory { LOOP_IN_PLACE, LOOP_TWO_BUFFERS, LOOP_KEPT };

struct schedule {
    struct kernel *kernel; int count; size_t size;
    bool in_place;              /* y may be x, dx may be dy */
    bool numbers;               /* its steps, or what it calls, read some */
    struct form_size frame;     /* scratch of this region's values */
    struct form_size scratch;   /* with what it calls: above the frame */
    struct form_size saved;     /* TRAIN: kept for backward */
    struct place **places; int place_count; size_t place_size;
};

void join(struct compilation *c);           /* joins.c */
void fuse(struct compilation *c);           /* fuse.c */
bool plan(struct compilation *c);           /* plan.c; false after an error */
void fuse_dump(FILE *out, const struct network *network);
void plan_dump(FILE *out, const struct network *network);

/* sizes.c */
int64_t form_floats(const struct form_size *form, const struct units *units,
                    int64_t batch);
struct form_size form_add(struct form_size a, struct form_size b);
struct form_size form_max(struct form_size a, struct form_size b);
struct form_size form_times(struct form_size a, int64_t n);
struct form_size value_size(struct compilation *c, const struct value *value);
bool form_zero(const struct form_size *form);
bool form_too_large(const struct form_size *form);      /* plan() reports it */
/* worker and shared scratch of the kernels of a mode, in floats */
void kernel_scratch(const struct network *network, bool training,
                    int64_t *worker, int64_t *shared);

/* plan.c */
struct value *memory_of(struct value *value);      /* through views */
struct place *place_of(const struct value *value, enum mode mode);
/* What a loop that recomputes needs between its region's frame and its body's
 * scratch: what the body keeps, and backward the result of an iteration, after
 * two inputs of iterations where those are made by an inverse. */
struct form_size again_size(struct compilation *c, const struct node *loop,
                            enum mode mode);
enum loop_memory loop_memory(const struct node *loop, enum mode mode);

#endif
