/* writer.h: one function of C while it is written; shared by emit_value.c
 * (names, values, steps), emit_kernel.c (a call into the runtime for each
 * kernel), emit_loop.c (repeats), emit_shape.c (constants that describe
 * convolutions and their kin) and emit_block.c (functions). */
#ifndef WRITER_H
#define WRITER_H

#include "emit.h"

/* Constants that describe convolutions, poolings and attention: type name = {
 * fields }; weights of classes: float name[] = ... */
struct shape_name { const char *type, *fields, *name;
                    struct shape_name *next; };

struct writer {
    struct compilation *c;
    const struct function *function;
    enum mode mode;
    struct text *out;           /* the statements of the current braces */
    int indent;
    struct names *names;        /* taken in this function */
    struct place **used; int used_count; size_t used_size;
    const char *params, *grads, *state, *key, *numbers, *saved, *scratch;
    const struct region *region;
    const struct writer *outer; /* of the region around */
    const char *x, *y, *dx, *dy;    /* the region's arguments */
};

/* emit_value.c: text of names, pointers, steps; declarations and formulas */
const char *unique(struct writer *w, const char *base);
/* The writer of this region or one around: whose bases parameters lie at. */
const struct writer *writer_of(const struct writer *w,
                               const struct region *region);
const char *param_c(struct writer *w, const struct param *param);
const char *grad_c(struct writer *w, const struct param *param);
const char *at(struct writer *w, const char *base, const char *offset);
int64_t stride_of(const struct value *value);
const char *value_c(struct writer *w, struct value *value);
void formulas(struct writer *w, const struct kernel *k);
void steps_c(struct writer *w, struct call *call,
             const struct steps *steps);
void declare_values(struct writer *w, struct text *out, int first);

/* emit_kernel.c: one call into the runtime, with its formula above */
void kernel_c(struct writer *w, const struct kernel *k);
/* to = from, which has the same rows, features and layout */
void copy_c(struct writer *w, struct value *from, struct value *to);

/* emit_shape.c: the constants, and the one of a node */
const char *shape_constant(struct writer *w, const struct node *n);
void emit_shapes(struct compilation *c, struct text *out,
                 const struct list *list, int *count);

/* emit_loop.c: a repeat: for (...) { ... } */
void loop_c(struct writer *w, const struct kernel *k);

/* emit_block.c: what a function takes; the kernels of a region */
bool takes_params(const struct region *r);
bool takes_grads(const struct region *r, enum mode mode);
/* "const ", unless the pass changes parameters */
const char *params_const(const struct compilation *c, enum mode mode);
bool takes_state(const struct region *r, enum mode mode);
bool takes_key(const struct region *r, enum mode mode);
bool takes_numbers(const struct region *r, enum mode mode);
bool takes_saved(const struct region *r, enum mode mode);
bool takes_scratch(const struct region *r, enum mode mode);
const char *function_c(struct writer *w, const struct function *f);
const char *number_offset(struct writer *w, const char *base,
                          int64_t offset);
const char *inner_scratch(struct writer *w);
void schedule_c(struct writer *w, const struct region *region);

#endif
