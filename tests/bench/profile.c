/* profile.c: where the time of a step goes, call by call.  Linked with
 * networks.c so that every kernel that emitted C calls comes here first
 * (ld's --wrap); the environment variable PROFILE names the file to write at
 * the end, a line a kernel and shape:
 *
 *     microseconds of CPU in all, calls, operations of one call, what it was
 *
 * One thread only. */
#include "../../runtime/rnet_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_LINES 256

struct line { char name[80]; double seconds, work; long calls; };
static struct line lines[MAX_LINES];
static int line_count;

static void write_lines(void)
{
    const char *path = getenv("PROFILE");
    FILE *file = path ? fopen(path, "w") : NULL;

    for (int i = 0; file && i < line_count; i++)
        fprintf(file, "%.0f %ld %.0f %s\n", lines[i].seconds * 1e6,
                lines[i].calls, lines[i].work, lines[i].name);
    if (file)
        fclose(file);
}

static struct line *find(const char *name)
{
    for (int i = 0; i < line_count; i++)
        if (!strcmp(lines[i].name, name))
            return &lines[i];
    if (line_count == MAX_LINES)
        return &lines[0];
    if (line_count == 0)
        atexit(write_lines);
    snprintf(lines[line_count].name, sizeof lines[0].name, "%s", name);
    return &lines[line_count++];
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add(const char *name, double start, double work)
{
    double end = now();
    struct line *line = find(name);

    line->seconds += end - start;
    line->work = work;
    line->calls++;
}

/* Runs the real function and notes its time under a name. */
#define TIMED(call, work, ...) \
    char name[80]; \
    snprintf(name, sizeof name, __VA_ARGS__); \
    double start = now(); \
    call; \
    add(name, start, work)

/* A function that is passed on: its parameters, what they are called, its
 * operations and its name. */
#define WRAP(function, parameters, arguments, work, ...) \
    void __real_##function parameters; \
    void __wrap_##function parameters; \
    void __wrap_##function parameters \
    { TIMED(__real_##function arguments, work, __VA_ARGS__); }

#define RUN const struct rnet_run *run

WRAP(rnet_linear,
     (RUN, long rows, long in, long out, const float *x, long x_stride,
      const float *w, struct rnet_steps tail),
     (run, rows, in, out, x, x_stride, w, tail),
     2.0 * (double)(rows * in * out), "linear %ldx%ldx%ld", rows, out, in)
WRAP(rnet_linear_grad_input,
     (RUN, long rows, long in, long out, const float *dy, long dy_stride,
      const float *w, struct rnet_steps tail),
     (run, rows, in, out, dy, dy_stride, w, tail),
     2.0 * (double)(rows * in * out), "linear_grad_input %ldx%ldx%ld", rows,
     out, in)
WRAP(rnet_linear_grad_weight,
     (RUN, long rows, long in, long out, float *dw, float *db,
      const float *dy, long dy_stride, const float *x, long x_stride),
     (run, rows, in, out, dw, db, dy, dy_stride, x, x_stride),
     2.0 * (double)(rows * in * out), "linear_grad_weight %ldx%ldx%ld", rows,
     out, in)

static double work_of(const struct rnet_conv *c, long batch)
{
    return 2.0 * (double)batch * c->out_height * c->out_width * c->out
           * c->kernel_height * c->kernel_width * (c->in / c->groups);
}

WRAP(rnet_conv,
     (RUN, long batch, const struct rnet_conv *c, struct rnet_steps input,
      const float *w, struct rnet_steps tail),
     (run, batch, c, input, w, tail), work_of(c, batch),
     "conv %dx%d %d->%d @%d /%d, %d+%d steps", c->kernel_height,
     c->kernel_width, c->in, c->out, c->height, c->stride_y, input.count,
     tail.count)
WRAP(rnet_conv_grad,
     (RUN, long batch, const struct rnet_conv *c, struct rnet_steps input,
      struct rnet_steps output, const float *w, float *dw, float *db,
      struct rnet_steps tail),
     (run, batch, c, input, output, w, dw, db, tail),
     work_of(c, batch) * ((dw != NULL) + (tail.count > 0)),
     "conv_grad %dx%d %d->%d @%d /%d, %d+%d+%d steps", c->kernel_height,
     c->kernel_width, c->in, c->out, c->height, c->stride_y, input.count,
     output.count, tail.count)

/* The operations of a pointwise pass, as a word. */
static const char *listed(struct rnet_steps steps)
{
    static char word[64];
    int at = 0;

    for (int i = 0; i < steps.count && at < 50; i++)
        at += snprintf(word + at, sizeof word - (size_t)at, " %d",
                       (int)steps.step[i].op);
    return word;
}

WRAP(rnet_point,
     (RUN, struct rnet_rows rows, long features, struct rnet_steps steps),
     (run, rows, features, steps), 0, "point %ldx%ld, ops%s", rows.rows,
     features, listed(steps))
WRAP(rnet_pack_rows,
     (RUN, long rows, long features, const float *x, long stride,
      struct rnet_steps tail),
     (run, rows, features, x, stride, tail), 0, "pack_rows")
WRAP(rnet_unpack_rows,
     (RUN, long rows, long features, const float *x, long stride,
      struct rnet_steps tail),
     (run, rows, features, x, stride, tail), 0, "unpack_rows")
WRAP(rnet_add_sums,
     (RUN, float *y, const float *sums, long chunks, long stride,
      long features, float scale),
     (run, y, sums, chunks, stride, features, scale), 0, "add_sums")
WRAP(rnet_pool,
     (RUN, long batch, const struct rnet_pool_shape *pool, const float *x,
      long x_stride, struct rnet_steps tail),
     (run, batch, pool, x, x_stride, tail), 0, "pool %d @%d",
     pool->channels, pool->height)
WRAP(rnet_pool_grad,
     (RUN, long batch, const struct rnet_pool_shape *pool, const float *dy,
      long dy_stride, const float *x, long x_stride, struct rnet_steps tail),
     (run, batch, pool, dy, dy_stride, x, x_stride, tail), 0,
     "pool_grad %d @%d", pool->channels, pool->height)
WRAP(rnet_norm_rows,
     (RUN, struct rnet_rows rows, long features, enum rnet_norm kind,
      long groups, float epsilon, const float *x, long x_stride, float *rstd,
      struct rnet_steps tail),
     (run, rows, features, kind, groups, epsilon, x, x_stride, rstd, tail), 0,
     "norm_rows")
WRAP(rnet_norm_rows_grad,
     (RUN, struct rnet_rows rows, long features, enum rnet_norm kind,
      long groups, const float *dy, long dy_stride, const float *xhat,
      long xhat_stride, const float *rstd, const float *gamma, float *sums,
      struct rnet_steps tail),
     (run, rows, features, kind, groups, dy, dy_stride, xhat, xhat_stride,
      rstd, gamma, sums, tail), 0, "norm_rows_grad")
WRAP(rnet_batch_norm,
     (RUN, long features, long count, const float *sums, long chunks,
      const float *gamma, const float *beta, float epsilon, float momentum,
      float *running_mean, float *running_var, float *scale, float *shift,
      float *saved),
     (run, features, count, sums, chunks, gamma, beta, epsilon, momentum,
      running_mean, running_var, scale, shift, saved), 0, "batch_norm")
WRAP(rnet_batch_norm_infer,
     (RUN, long features, const float *gamma, const float *beta,
      float epsilon, const float *running_mean, const float *running_var,
      float *scale, float *shift),
     (run, features, gamma, beta, epsilon, running_mean, running_var, scale,
      shift), 0, "batch_norm_infer")
WRAP(rnet_batch_norm_grad,
     (RUN, long features, long count, const float *sums, long chunks,
      const float *gamma, const float *saved, float *dgamma, float *dbeta,
      float *a, float *b, float *c),
     (run, features, count, sums, chunks, gamma, saved, dgamma, dbeta, a, b,
      c), 0, "batch_norm_grad")
WRAP(rnet_cross_entropy,
     (RUN, struct rnet_rows rows, long features, float weight,
      const float *x, long x_stride, const int32_t *label, float *line,
      float *loss, struct rnet_steps tail),
     (run, rows, features, weight, x, x_stride, label, line, loss, tail), 0,
     "cross_entropy")
static double scores_of(const struct rnet_attention *a, long batch)
{
    double keys = a->causal ? (a->keys + 1) / 2.0 : a->keys;
    return 2.0 * (double)batch * a->heads * a->head * a->queries * keys;
}

WRAP(rnet_attention,
     (RUN, long batch, const struct rnet_attention *a, float *y, long y_stride,
      float *sums, const float *q, long q_stride, const float *k,
      long k_stride, const float *v, long v_stride, const int32_t *lengths),
     (run, batch, a, y, y_stride, sums, q, q_stride, k, k_stride, v, v_stride,
      lengths),
     2 * scores_of(a, batch), "attention %dx%d heads %d of %d", a->queries,
     a->keys, a->heads, a->head)
WRAP(rnet_attention_grad,
     (RUN, long batch, const struct rnet_attention *a, float *dq, long s1,
      float *dk, long s2, float *dv, long s3, const float *dy, long s4,
      const float *y, long s5, const float *sums, const float *q, long s6,
      const float *k, long s7, const float *v, long s8,
      const int32_t *lengths),
     (run, batch, a, dq, s1, dk, s2, dv, s3, dy, s4, y, s5, sums, q, s6, k, s7,
      v, s8, lengths),
     5 * scores_of(a, batch), "attention_grad %dx%d heads %d of %d",
     a->queries, a->keys, a->heads, a->head)
WRAP(rnet_embedding,
     (RUN, long rows, long vocabulary, long width, const int32_t *index,
      const float *table, struct rnet_steps tail),
     (run, rows, vocabulary, width, index, table, tail),
     0, "embedding %ldx%ld", rows, width)
WRAP(rnet_embedding_grad,
     (RUN, long rows, long vocabulary, long width, float *dtable,
      const int32_t *index, const float *dy, long stride),
     (run, rows, vocabulary, width, dtable, index, dy, stride),
     0, "embedding_grad %ldx%ld", rows, width)

WRAP(rnet_zero, (const struct rnet_network *net, float *grads), (net, grads),
     0, "zero gradients")

enum rnet_status __real_rnet_sgd_step(const struct rnet_network *net,
                                      struct rnet_sgd *sgd, float *params,
                                      const float *grads,
                                      struct rnet_work *work);
enum rnet_status __wrap_rnet_sgd_step(const struct rnet_network *net,
                                      struct rnet_sgd *sgd, float *params,
                                      const float *grads,
                                      struct rnet_work *work);
enum rnet_status __wrap_rnet_sgd_step(const struct rnet_network *net,
                                      struct rnet_sgd *sgd, float *params,
                                      const float *grads,
                                      struct rnet_work *work)
{
    enum rnet_status status;

    TIMED(status = __real_rnet_sgd_step(net, sgd, params, grads, work), 0,
          "sgd");
    return status;
}

enum rnet_status __real_rnet_adam_step(const struct rnet_network *net,
                                       struct rnet_adam *adam, float *params,
                                       const float *grads,
                                       struct rnet_work *work);
enum rnet_status __wrap_rnet_adam_step(const struct rnet_network *net,
                                       struct rnet_adam *adam, float *params,
                                       const float *grads,
                                       struct rnet_work *work);
enum rnet_status __wrap_rnet_adam_step(const struct rnet_network *net,
                                       struct rnet_adam *adam, float *params,
                                       const float *grads,
                                       struct rnet_work *work)
{
    enum rnet_status status;

    TIMED(status = __real_rnet_adam_step(net, adam, params, grads, work), 0,
          "adam");
    return status;
}
