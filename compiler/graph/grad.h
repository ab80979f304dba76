/* grad.h: what the rules of the backward pass share.  A rule adds nodes to the
 * end of region->backward, and gradients to values that the operator reads. */
#ifndef GRAD_H
#define GRAD_H

#include "graph.h"

struct pass { struct compilation *c; struct region *region; };

/* ---- grad_values.c ---- */

/* The next node of the backward pass. */
struct node *back_node(struct pass *p, enum op op, struct span span);
/* A result of the node: a value like another one. */
struct value *back_value(struct pass *p, struct node *node, enum form form,
                         const struct value *like, const char *name);
/* Its gradient. */
struct value *back_grad(struct pass *p, struct node *node,
                        const struct value *of);
/* One line of `features` floats for each chunk. */
struct value *back_lines(struct pass *p, struct node *node, enum form form,
                         const struct value *like, int64_t features);
const char *grad_name(struct pass *p, const struct value *value);
/* A pointwise step on x; the operand may be NULL. */
struct value *back_point(struct pass *p, const char *step, struct value *x,
                         struct value *operand, struct span span);
struct value *back_times(struct pass *p, struct value *x, double number,
                         struct span span);
/* x as [row, feature]. */
struct value *back_plain(struct pass *p, struct value *x);
/* Zeros like `features` features of a value. */
struct value *back_zeros(struct pass *p, const struct value *like,
                         int64_t features);
/* The backward pass reads this forward value. */
struct value *keep(struct pass *p, struct value *value);
/* d value += g; g may be in strips where value is plain */
void add_grad(struct pass *p, struct value *value, struct value *g);
/* What has come together so far, or NULL. */
struct value *grad_of(struct pass *p, struct value *value);
/* d parameter += sum of acc (SUM), of acc x (SUM_PRODUCT), over rows */
void sum_into(struct pass *p, struct param *param, const char *step,
              struct value *acc, struct value *x, struct span span);

/* ---- the rules: dy of n's result is g ---- */

void grad_slice(struct pass *p, struct node *n, struct value *g);
void grad_point(struct pass *p, struct node *n, struct value *g);
void grad_reshape(struct pass *p, struct node *n, struct value *g);
void grad_pack(struct pass *p, struct node *n, struct value *g);
void grad_concat(struct pass *p, struct node *n, struct value *g);
void grad_linear(struct pass *p, struct node *n, struct value *g);
void grad_embedding(struct pass *p, struct node *n, struct value *g);
void grad_conv(struct pass *p, struct node *n, struct value *g);
void grad_upconv(struct pass *p, struct node *n, struct value *g);
void grad_pool(struct pass *p, struct node *n, struct value *g);
void grad_norm(struct pass *p, struct node *n, struct value *g);
void grad_batch_norm(struct pass *p, struct node *n, struct value *g);
/* Operators whose gradients are rows of ops.h. */
void grad_rows_of(struct pass *p, struct node *n, struct value *g);
void grad_loss(struct pass *p, struct node *n);
/* g in one piece of memory. */
struct value *grad_together(struct pass *p, struct value *g);

#endif
