/* rnet_kernels.h: the kernels that emitted C calls; programs include rnet.h.
 *
 * LAYOUTS.  A value of N samples is `rows` rows of `features` features: a
 * dense value has one row a sample (or one a position), a map (N, H, W, C) has
 * N*H*W rows of C features.  It lies in memory in one of two ways:
 *
 *   RNET_PLAIN   [row][feature]            what callers pass; all maps
 *   RNET_STRIPS  [row / 32][feature][32]   dense layers; rows in the lanes
 *
 * `stride` of a value is the number of features of the buffer it lies in (a
 * slice of a concatenation has a stride larger than its features): element
 * (r, f) is p[r * stride + f], or p[((r / 32) * stride + f) * 32 + r % 32].
 * Lanes past the last row hold anything; kernels that sum over rows leave
 * them out.  No kernel reads or writes past the last element of a plain value.
 *
 * POINTWISE PROGRAMS.  Whatever is element-wise rides on the kernel that
 * produces the value, as a list of steps: the kernel computes one tile at a
 * time into `acc`, and the steps are applied to it while it is in registers or
 * the first-level cache.  A kernel stores nothing but what its steps store.
 *
 * Every kernel splits its work by size, never by thread count, sums in a fixed
 * order, and accumulates (+=) into parameter gradients.  None fails: emitted
 * entry points validate everything first. */
#ifndef RNET_KERNELS_H
#define RNET_KERNELS_H

#include "rnet.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RNET_LANES 32
#define RNET_ROUND16(n) (((size_t)(n) + 15) / 16 * 16)
#define RNET_STRIP_COUNT(rows) (((rows) + RNET_LANES - 1) / RNET_LANES)

enum rnet_layout { RNET_PLAIN, RNET_STRIPS };

/* ------------------------------------------------------------------ steps */

enum rnet_op {
    /* acc = acc o operand, any kind of operand */
    RNET_LOAD,                  /* acc = operand */
    RNET_ADD, RNET_SUB, RNET_RSUB,      /* RSUB: operand - acc */
    RNET_MUL, RNET_DIV, RNET_RDIV,      /* RDIV: operand / acc */
    RNET_MAX, RNET_MIN,         /* NaN on either side gives NaN */
    /* acc = f(acc); LEAKY's slope is `value` */
    RNET_RELU, RNET_LEAKY, RNET_GELU, RNET_GELU_TANH, RNET_SILU,
    RNET_SIGMOID, RNET_TANH, RNET_EXP, RNET_LOG, RNET_SQRT, RNET_SQUARE,
    RNET_ABS, RNET_ELU, RNET_RELU6, RNET_SOFTPLUS,
    /* acc = acc * f'(.), the operand is the OUTPUT y of f */
    RNET_RELU_GRAD, RNET_LEAKY_GRAD,    /* y > 0 ? acc : 0; : value * acc */
    RNET_SIGMOID_GRAD,                  /* acc y (1 - y) */
    RNET_TANH_GRAD,                     /* acc (1 - y^2) */
    RNET_ELU_GRAD,                      /* y > 0 ? acc : acc (y + value) */
    RNET_RELU6_GRAD,                    /* 0 < y < 6 ? acc : 0 */
    /* the operand is the INPUT x of f */
    RNET_GELU_GRAD, RNET_GELU_TANH_GRAD, RNET_SILU_GRAD, RNET_ABS_GRAD,
    RNET_SOFTPLUS_GRAD,
    /* per feature; `a` and `b` point at `features` floats */
    RNET_AFFINE,                /* acc a[f] + b[f] */
    RNET_AFFINE2,               /* acc a[f] + b[f] x + c[f]; x is operand `x`,
                                   a value of stride `stride` */
    /* acc = element kept ? acc / (1 - value) : 0; see rnet_dropout_word */
    RNET_DROPOUT,               /* `key`: which dropout of the network */
    RNET_DROP_SAMPLE,           /* likewise, one word for each sample */
    /* stores; the operand kind says where: FULL or TEMP */
    RNET_STORE,                 /* operand = acc */
    RNET_ACCUMULATE,            /* operand += acc */
    /* sums over rows into `sums`, one line of `features` floats (or of one,
     * for *_ALL) for each chunk: a chunk is one strip, or one image of a map
     * (rows_per_sample rows).  The caller adds the lines up (rnet_add_sums).
     * acc is unchanged */
    RNET_SUM,                   /* sums[chunk][f] = sum acc */
    RNET_SUM_MOMENTS,           /* c = acc of one of the chunk's rows,
                                   sums[chunk][f] = sum (acc - c),
                                   sums[chunk][features + f] = sum ()^2,
                                   sums[chunk][2 features + f] = c */
    RNET_SUM_PRODUCT,           /* sums[chunk][f] = sum acc * x, x an operand */
    RNET_SUM_CENTRED,           /* sums[chunk][f] = sum acc,
                                   sums[chunk][features + f] =
                                   sum acc (x - b[f]) */
    RNET_SUM_ALL,               /* sums[chunk] = sum over features too */
    RNET_SUM_PRODUCT_ALL,
    RNET_OPS
};

enum rnet_kind {                /* what the operand is */
    RNET_NONE,
    RNET_FULL,                  /* x: a value of stride `stride`, in the
                                   layout of the kernel's result */
    RNET_FEATURE,               /* x[f]: `features` floats */
    RNET_ROW,                   /* x[row]: one float for each row */
    RNET_SAMPLE,                /* x[sample]: one float for each sample */
    RNET_SAMPLE_FEATURE,        /* x[sample * stride + f] */
    RNET_SCALAR,                /* *x */
    RNET_CONST,                 /* value */
    RNET_TEMP,                  /* tile register number `stride`, 0 ...
                                   RNET_TEMPS - 1: lives within one tile */
    RNET_INPUT                  /* rnet_conv_grad's tail: the convolution's
                                   input as its input program made it */
};
#define RNET_TEMPS 4

struct rnet_step {
    enum rnet_op op;
    enum rnet_kind kind;
    float *x;                   /* operand; never written but by STORE and
                                   ACCUMULATE */
    long stride;
    float value;
    const float *a, *b, *c;
    float *sums;
    uint32_t key;
};

/* How emitted C writes them: RNET_STEPS(RNET_BY_FEATURE(ADD, bias),
 * RNET_DO(RELU), RNET_WITH(STORE, y, 64)).  RNET_NO_STEPS is none. */
#define RNET_DO(o) { .op = RNET_##o }
#define RNET_DO_VALUE(o, v) { .op = RNET_##o, .value = (float)(v) }
#define RNET_BY(o, v) \
    { .op = RNET_##o, .kind = RNET_CONST, .value = (float)(v) }
#define RNET_WITH(o, p, s) \
    { .op = RNET_##o, .kind = RNET_FULL, .x = (float *)(p), .stride = (s) }
#define RNET_WITH_VALUE(o, p, s, v) \
    { .op = RNET_##o, .kind = RNET_FULL, .x = (float *)(p), .stride = (s), \
      .value = (float)(v) }
#define RNET_BY_FEATURE(o, p) \
    { .op = RNET_##o, .kind = RNET_FEATURE, .x = (float *)(p) }
#define RNET_BY_SCALAR(o, p) \
    { .op = RNET_##o, .kind = RNET_SCALAR, .x = (float *)(p) }
#define RNET_BY_SAMPLE(o, p, s) \
    { .op = RNET_##o, .kind = RNET_SAMPLE_FEATURE, .x = (float *)(p), \
      .stride = (s) }
#define RNET_WITH_TEMP(o, n) \
    { .op = RNET_##o, .kind = RNET_TEMP, .stride = (n) }
#define RNET_WITH_TEMP_VALUE(o, n, v) \
    { .op = RNET_##o, .kind = RNET_TEMP, .stride = (n), .value = (float)(v) }
#define RNET_WITH_INPUT(o, v) \
    { .op = RNET_##o, .kind = RNET_INPUT, .value = (float)(v) }
#define RNET_SCALE_SHIFT(p, q) { .op = RNET_AFFINE, .a = (p), .b = (q) }
#define RNET_COMBINE(p, s, u, v, w) \
    { .op = RNET_AFFINE2, .kind = RNET_FULL, .x = (float *)(p), \
      .stride = (s), .a = (u), .b = (v), .c = (w) }
#define RNET_SUM_TO(o, l) { .op = RNET_##o, .sums = (l) }
#define RNET_SUM_WITH(o, p, s, l) \
    { .op = RNET_##o, .kind = RNET_FULL, .x = (float *)(p), .stride = (s), \
      .sums = (l) }
#define RNET_CENTRED_SUMS(p, s, m, l) \
    { .op = RNET_SUM_CENTRED, .kind = RNET_FULL, .x = (float *)(p), \
      .stride = (s), .b = (m), .sums = (l) }
#define RNET_DROP(o, v, k) \
    { .op = RNET_##o, .value = (float)(v), .key = (uint32_t)(k) }
struct rnet_steps { const struct rnet_step *step; int count; };
#define RNET_STEPS(...) ((struct rnet_steps) { \
    (const struct rnet_step[]) { __VA_ARGS__ }, \
    (int)(sizeof (const struct rnet_step[]) { __VA_ARGS__ } \
          / sizeof(struct rnet_step)) })
#define RNET_NO_STEPS ((struct rnet_steps) { NULL, 0 })

/* --------------------------------------------------------------- one call */

/* What an entry point hands to the kernels it calls. */
struct rnet_run {
    struct rnet_work *work;
    long batch;                 /* samples of this call */
    float *scratch;             /* shared scratch of one kernel call */
    size_t scratch_floats;
    float *workers;             /* `worker_floats` for each worker */
    size_t worker_floats;
    const struct rnet_graph *const *graphs;     /* inputs that are graphs */
    uint64_t seed, step;        /* of dropout */
    int training;
    int held;                   /* > 0: running statistics stay */
    const struct rnet_update *update;   /* what a step does to parameters */
    uint64_t modes;             /* the caller's, of floating point */
};

/* Around what is run forward a second time before its gradient: running
 * statistics stay as they are the first time.  They nest. */
void rnet_hold(const struct rnet_run *run);
void rnet_release(const struct rnet_run *run);
/* Around what has no gradient, so that nothing in it is run again: holds within
 * do not count.  They nest. */
void rnet_begin_forward_only(const struct rnet_run *run);
void rnet_end_forward_only(const struct rnet_run *run);

/* ------------------------------------------- steps of optimisers within backward */

struct rnet_sgd_rule {
    float rate, momentum;
    float fresh;                /* 1 - dampening; 1 at the first step */
    int nesterov;
};

/* Step t of Adam, its bias corrections worked in. */
struct rnet_adam_rule {
    float beta1, fresh1;        /* fresh1 = 1 - beta1 */
    float beta2, fresh2;
    float rate;                 /* rate / (1 - beta1^t) */
    float root;                 /* 1 / sqrt(1 - beta2^t) */
    float epsilon;
    float coupled;              /* of decay, how much goes into the gradient */
    float decoupled;            /* and how much is taken off w at once */
};

/* What a training step that updates while it goes backward does to parameters:
 * they and the states of the optimiser are arrays of one layout. */
struct rnet_update {
    float *params, *state1, *state2;    /* velocity; both moments */
    int adam;
    struct rnet_sgd_rule sgd;
    struct rnet_adam_rule moments;
    float decay, decay_rest;    /* of weights of layers; of all else */
};
enum rnet_status rnet_check_sgd(const struct rnet_sgd *sgd);
enum rnet_status rnet_check_adam(const struct rnet_adam *adam);
void rnet_begin_sgd(struct rnet_run *run, struct rnet_update *update,
                    const struct rnet_sgd *sgd, float *params);
void rnet_begin_adam(struct rnet_run *run, struct rnet_update *update,
                     const struct rnet_adam *adam, float *params);
/* x = 0 */
void rnet_clear(float *x, size_t floats);
/* One step of run->update: w, some of its parameters, from their gradient; `floats`
 * is a multiple of 16.  decays: they are weights of layers. */
void rnet_update(const struct rnet_run *run, float *w, const float *grad,
                 long floats, int decays);
/* The same for every parameter whose row of the table is not `stepped`; grads has
 * theirs, at row->rest. */
void rnet_update_rest(const struct rnet_run *run,
                      const struct rnet_network *net, const float *grads);

/* Worker scratch that every kernel may count on; convolutions need
 * RNET_CONV_WORKER_FLOATS on top. */
#define RNET_WORKER_FLOATS 49152

/* Fills `run` but for its scratch, and sets the thread's floating-point modes,
 * which rnet_end sets back: what is computed between them does not depend on the
 * caller's. */
void rnet_begin(struct rnet_run *run, struct rnet_work *work, size_t batch,
                int training);
void rnet_end(const struct rnet_run *run);

/* What every entry point checks first. */
enum rnet_status rnet_check_work(const struct rnet_work *work, size_t bytes,
                                 int version);
enum rnet_status rnet_check_array(const void *array);   /* NULL, alignment */
enum rnet_status rnet_check_indices(const int32_t *index, size_t count,
                                    long classes);
/* RNET_BAD_LABEL unless each is a class or `ignore`. */
enum rnet_status rnet_check_labels(const int32_t *label, size_t count,
                                   long classes, int32_t ignore);
/* transposed: look at graph->transposed too. */
enum rnet_status rnet_check_graph(const struct rnet_graph *graph,
                                  size_t batch, int transposed);

/* Runs task(context, i, worker) for i in [0, tasks) on the run's threads. */
void rnet_parallel(const struct rnet_run *run, long tasks, rnet_task *task,
                   void *context);

/* Uniform 32-bit word of dropout `key` for element (row, feature): word
 * feature % 4 of Philox4x32-10 at counter {row, feature / 4, key, step (low
 * 32)} with the run's seed as key.  Kept when word >= p * 2^32, p = value.
 * Per sample: row = the sample, feature = 0. */
uint32_t rnet_dropout_word(const struct rnet_run *run, uint32_t key, long row,
                           long feature);

/* Stochastic depth (Huang et al. 2016): whether this step runs the branch of
 * the whole batch, by the word of row 0, feature 0: 1 when word >= p * 2^32. */
int rnet_keeps_batch(const struct rnet_run *run, long key, float p);

/* -------------------------------------------- any layout: pointwise, copies */

/* How many rows there are and how they lie. */
struct rnet_rows {
    enum rnet_layout layout;
    long rows;                  /* all: batch * rows_per_sample */
    long rows_per_sample;
};

/* acc = 0, then the steps, for each of `features` features of each row. */
void rnet_point(const struct rnet_run *run, struct rnet_rows rows,
                long features, struct rnet_steps steps);

/* acc = x in strips, x is (rows, features) plain with stride; and back. */
void rnet_pack_rows(const struct rnet_run *run, long rows, long features,
                    const float *x, long stride, struct rnet_steps tail);
void rnet_unpack_rows(const struct rnet_run *run, long rows, long features,
                      const float *x, long stride, struct rnet_steps tail);

/* y[f] += scale * sum over chunks of sums[chunk * stride + f], f < features. */
void rnet_add_sums(const struct rnet_run *run, float *y, const float *sums,
                   long chunks, long stride, long features, float scale);

/* ------------------------------------------------------------ dense layers */

/* Weights: RNET_PACK_PANELS, [ceil(in/32)][out][32].  x, y in strips.
 * acc (rows, out) = x w^T */
void rnet_linear(const struct rnet_run *run, long rows, long in, long out,
                 const float *x, long x_stride, const float *w,
                 struct rnet_steps tail);
/* acc (rows, in) = dy w */
void rnet_linear_grad_input(const struct rnet_run *run, long rows, long in,
                            long out, const float *dy, long dy_stride,
                            const float *w, struct rnet_steps tail);
/* dw += dy^T x; db (out) += sum over rows of dy, unless db is NULL */
void rnet_linear_grad_weight(const struct rnet_run *run, long rows, long in,
                             long out, float *dw, float *db, const float *dy,
                             long dy_stride, const float *x, long x_stride);

/* What rnet_linear_grad_weight gives, as a step of run->update at once: the
 * weights w and the bias b, or NULL, are among its parameters. */
void rnet_linear_step(const struct rnet_run *run, long rows, long in, long out,
                      float *w, float *b, const float *dy, long dy_stride,
                      const float *x, long x_stride);

/* table: RNET_PACK_PANELS of [vocabulary, width].  acc (rows, width) =
 * table[index[row]], in strips; dtable[index[row]] += dy[row].  index NULL: the
 * position of the row within its sample. */
void rnet_embedding(const struct rnet_run *run, long rows, long vocabulary,
                    long width, const int32_t *index, const float *table,
                    struct rnet_steps tail);
void rnet_embedding_grad(const struct rnet_run *run, long rows,
                         long vocabulary, long width, float *dtable,
                         const int32_t *index, const float *dy, long dy_stride);

/* -------------------------------------------------------- recurrent layers */

/* The recurrence over time alone: what the inputs give to the gates, W_ih x +
 * b_ih of all times, is a linear layer's result.  Values are in strips, a row
 * for each time of each sample: row = sample * steps + time.  The state
 * before the first step is 0; `reverse` goes from the last time to the first.
 * w: RNET_PACK_PANELS of [4 hidden, hidden] or [3 hidden, hidden]; b likewise,
 * or NULL.  Formulas and order of gates are PyTorch's.
 *
 * Floats of `saved`, which forward writes and the gradient reads, and of the
 * gradient's scratch: */
#define RNET_RECURRENT_BLOCK(batch, hidden) \
    (RNET_STRIP_COUNT((size_t)(batch)) * RNET_LANES * (size_t)(hidden))
#define RNET_LSTM_FLOATS(batch, steps, hidden) \
    (RNET_RECURRENT_BLOCK(batch, hidden) * (6 * (size_t)(steps) + 2))
#define RNET_GRU_FLOATS(batch, steps, hidden) \
    (RNET_RECURRENT_BLOCK(batch, hidden) * (5 * (size_t)(steps) + 1))
#define RNET_LSTM_SCRATCH_FLOATS(batch, steps, hidden) \
    (RNET_RECURRENT_BLOCK(batch, hidden) * (5 * (size_t)(steps) + 1))
#define RNET_GRU_SCRATCH_FLOATS(batch, steps, hidden) \
    (RNET_RECURRENT_BLOCK(batch, hidden) * (8 * (size_t)(steps) + 1))

/* Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000:
 * i, f, o = sigmoid(.), g = tanh(.) of gates + w h + b, in the order i, f, g,
 * o; c' = f c + i g; y (rows, hidden) = h' = o tanh(c'). */
void rnet_lstm(const struct rnet_run *run, long batch, long steps, long hidden,
               int reverse, float *y, long y_stride, float *saved,
               const float *gates, long gates_stride, const float *w,
               const float *b);
/* From dy: dgates (rows, 4 hidden) is set; dw, db +=, db may be NULL. */
void rnet_lstm_grad(const struct rnet_run *run, long batch, long steps,
                    long hidden, int reverse, float *dgates,
                    long dgates_stride, float *dw, float *db, const float *dy,
                    long dy_stride, const float *saved, const float *w,
                    float *scratch);

/* Cho et al. 2014, the product before the reset gate: r, z = sigmoid(gates +
 * w h + b), n = tanh(gates + r (w h + b)), in the order r, z, n;
 * y (rows, hidden) = h' = (1 - z) n + z h. */
void rnet_gru(const struct rnet_run *run, long batch, long steps, long hidden,
              int reverse, float *y, long y_stride, float *saved,
              const float *gates, long gates_stride, const float *w,
              const float *b);
/* dgates (rows, 3 hidden) */
void rnet_gru_grad(const struct rnet_run *run, long batch, long steps,
                   long hidden, int reverse, float *dgates,
                   long dgates_stride, float *dw, float *db, const float *dy,
                   long dy_stride, const float *saved, const float *w,
                   float *scratch);

/* ----------------------------------------------------------------- graphs */

/* Rows are nodes; x and dy are plain, acc is in strips.  With w_ij the weight
 * of an edge, d_i = sum_j w_ij:
 *   SUM        y_i = sum_j w_ij x_j
 *   MEAN       y_i = sum_j w_ij x_j / d_i, 0 where d_i is 0
 *   SYMMETRIC  y = D^-1/2 (W + I) D^-1/2 x, D_ii = d_i + 1 (Kipf & Welling
 *              2017); a D_ii that is not positive counts as infinite */
enum rnet_aggregate { RNET_AGGREGATE_SUM, RNET_AGGREGATE_MEAN,
                      RNET_AGGREGATE_SYMMETRIC };

/* acc (nodes, features) = y.  scratch: `nodes` floats. */
void rnet_aggregate(const struct rnet_run *run, const struct rnet_graph *graph,
                    long features, enum rnet_aggregate kind, const float *x,
                    long x_stride, float *scratch, struct rnet_steps tail);
/* acc (nodes, features) = gradient of x, dx_j = sum_i a_ij dy_i.  scratch:
 * nodes * (RNET_ROUND16(features) + 1) floats. */
void rnet_aggregate_grad(const struct rnet_run *run,
                         const struct rnet_graph *graph, long features,
                         enum rnet_aggregate kind, const float *dy,
                         long dy_stride, float *scratch,
                         struct rnet_steps tail);

/* ----------------------------------------------------------- convolutions */

/* Maps are plain (N, height, width, in) -> (N, out_height, out_width, out),
 * out_height = (height + pad_top + pad_bottom - dilation (kernel_height - 1) - 1)
 * / stride + 1, width likewise.  Weights: RNET_PACK_CONV. */
struct rnet_conv {
    int height, width, in;
    int out_height, out_width, out;
    int kernel_height, kernel_width;
    int stride_y, stride_x, dilation_y, dilation_x;
    int pad_top, pad_left, pad_bottom, pad_right;
    int groups;
};

/* Images that a task takes at once: small maps share a pass over the weights,
 * which are many where maps are small. */
#define RNET_CONV_IMAGES(oh, ow) \
    ((size_t)(oh) * (ow) <= 64 ? 4 : (size_t)(oh) * (ow) <= 128 ? 2 : 1)

/* Floats of scratch for each worker beyond RNET_WORKER_FLOATS: the images of
 * the input and of the output gradients, with borders left and right (rows of
 * the kernel outside of the map are skipped). */
#define RNET_CONV_WORKER_FLOATS(height, width, in, oh, ow, out, kh, kw, dy, dx, \
                                pt, pl, pb, pr) \
    (RNET_CONV_IMAGES(oh, ow) \
     * (RNET_ROUND16((size_t)(height) \
                          * ((size_t)(width) + (pl) + (pr)) * (in)) \
        + RNET_ROUND16((size_t)(oh) \
                            * ((size_t)(ow) + 2 * (size_t)((kw) - 1) * (dx) \
                               + 1) * (out))) \
     + 64)

/* Images in groups of fixed number, each with weight gradients of its own,
 * added in order: as many groups as weights are few. */
#define RNET_CONV_GROUPS(weights) \
    ((weights) <= 65536 ? 8 : (weights) <= 1048576 ? 4 : 2)

/* Floats of packed weights, of either direction, padding included.  `in`,
 * `out` are all channels. */
#define RNET_CONV_WEIGHTS(in, out, kh, kw, groups) \
    ((in) == (groups) && (out) == (groups) \
     ? RNET_ROUND16(out) * (kh) * (kw) \
     : (size_t)(groups) * RNET_ROUND16((in) / (groups)) \
           * RNET_ROUND16((out) / (groups)) * (kh) * (kw))

/* Floats of shared scratch of rnet_conv_grad: transposed weights, and weight
 * and bias gradients of the groups of images but the first. */
#define RNET_CONV_SCRATCH_FLOATS(in, out, kh, kw, groups) \
    (RNET_CONV_WEIGHTS(in, out, kh, kw, groups) \
         * RNET_CONV_GROUPS((size_t)(in) / (groups) * (out) * (kh) * (kw)) \
     + RNET_ROUND16(out) * 8 + 64)
/* Of rnet_conv_step, which has those of the first as well. */
#define RNET_CONV_STEP_FLOATS(in, out, kh, kw, groups) \
    (RNET_CONV_WEIGHTS(in, out, kh, kw, groups) \
     + RNET_CONV_SCRATCH_FLOATS(in, out, kh, kw, groups))

/* Image by image: the input program (first step a LOAD; padding stays zero)
 * makes the input in scratch, acc (n, oy, ox, out) = its convolution. */
void rnet_conv(const struct rnet_run *run, long batch,
               const struct rnet_conv *conv, struct rnet_steps input,
               const float *w, struct rnet_steps tail);

/* Image by image: the input program makes the input x once more, the output
 * program (first step a LOAD) makes dy; dw += dy * x unless NULL, and then db +=
 * sum dy unless NULL; acc (n, y, x, in) = gradient of the input, unless tail is empty. */
void rnet_conv_grad(const struct rnet_run *run, long batch,
                    const struct rnet_conv *conv, struct rnet_steps input,
                    struct rnet_steps output, const float *w, float *dw,
                    float *db, struct rnet_steps tail);
/* The same; what dw and db would be is a step of run->update at once: w and b,
 * or NULL, are among its parameters. */
void rnet_conv_step(const struct rnet_run *run, long batch,
                    const struct rnet_conv *conv, struct rnet_steps input,
                    struct rnet_steps output, float *w, float *b,
                    struct rnet_steps tail);

/* Transposed convolution (PyTorch's ConvTranspose2d): the gradient of `conv`
 * as a layer.  The input program makes x (n, out_height, out_width, out),
 * acc (n, height, width, in) (y, x, i) = sum over (oy, ox), taps (r, s) with
 * oy stride + r dilation - pad = y, likewise x, and o of x(oy, ox, o)
 * w(o, i, r, s).  Shared scratch: RNET_CONV_WEIGHTS floats.  Its gradients are
 * rnet_conv of dy, and rnet_conv_grad with dy for its input and x for its
 * output. */
void rnet_upconv(const struct rnet_run *run, long batch,
                 const struct rnet_conv *conv, struct rnet_steps input,
                 const float *w, struct rnet_steps tail);

/* ---------------------------------------------------------------- pooling */

enum rnet_pool_kind { RNET_POOL_MAX, RNET_POOL_AVERAGE, RNET_POOL_SUM,
                      RNET_POOL_TENT };

/* Maps, plain.  Output channels past `channels` are 0 (the zero-padded
 * shortcut, He 2015 option A, is average pooling of size 1).  Average: divided
 * by the whole window when count_pad, else by what lies inside.  Max: ties go
 * to the first; padding never wins.  A pad below 0 crops.
 * The gradients of sums are how maps grow.  Sum, kernel = stride = s: every
 * pixel s x s times.  Tent, kernel 2 s, stride s, pad s / 2, height = s
 * out_height: bilinear interpolation between the centres of pixels, the border
 * repeated (PyTorch's align_corners = False); along each axis pixel p has the
 * weight max(0, 1 - |clamp((p + 1/2) / s - 1/2, 0, out - 1) - o|) in window o. */
struct rnet_pool_shape {
    enum rnet_pool_kind kind;
    int height, width, channels;
    int out_height, out_width, out_channels;
    int kernel_height, kernel_width, stride_y, stride_x, pad_top, pad_left;
    int count_pad;
};
/* acc (n, oy, ox, out_channels) = pool(x) */
void rnet_pool(const struct rnet_run *run, long batch,
               const struct rnet_pool_shape *pool, const float *x,
               long x_stride, struct rnet_steps tail);
/* acc (n, y, x, channels) = gradient of x, from dy; x is read by max alone */
void rnet_pool_grad(const struct rnet_run *run, long batch,
                    const struct rnet_pool_shape *pool, const float *dy,
                    long dy_stride, const float *x, long x_stride,
                    struct rnet_steps tail);

/* ------------------------------------------------------------------ norms */

enum rnet_norm { RNET_NORM_LAYER, RNET_NORM_RMS };

/* Over the features of each row, in `groups` groups of equal size (1 for layer
 * and RMS norm); rows in either layout.  acc (rows, features) = (x - mean) /
 * sqrt(var + epsilon), biased variance; RMS: x / sqrt(mean x^2 + epsilon).
 * rstd (rows rounded up to 32, groups) is stored unless NULL:
 * rstd[(row / 32 * groups + group) * 32 + row % 32]. */
void rnet_norm_rows(const struct rnet_run *run, struct rnet_rows rows,
                    long features, enum rnet_norm kind, long groups,
                    float epsilon, const float *x, long x_stride, float *rstd,
                    struct rnet_steps tail);
/* From dy (gradient of y = gamma xhat + beta), xhat and rstd:
 * acc = gradient of x.  gamma NULL: 1.  sums (chunks, 2 features), unless
 * NULL, gets sum dy xhat and sum dy: one chunk is 32 rows.  */
void rnet_norm_rows_grad(const struct rnet_run *run, struct rnet_rows rows,
                         long features, enum rnet_norm kind, long groups,
                         const float *dy, long dy_stride, const float *xhat,
                         long xhat_stride, const float *rstd,
                         const float *gamma, float *sums,
                         struct rnet_steps tail);

/* Group norm of maps, plain: over the pixels and the channels of each group of
 * each sample.  rstd (batch, groups).  sums: one chunk is one sample. */
void rnet_norm_maps(const struct rnet_run *run, struct rnet_rows rows,
                    long features, enum rnet_norm kind, long groups,
                    float epsilon, const float *x, long x_stride, float *rstd,
                    struct rnet_steps tail);
void rnet_norm_maps_grad(const struct rnet_run *run, struct rnet_rows rows,
                         long features, enum rnet_norm kind, long groups,
                         const float *dy, long dy_stride, const float *xhat,
                         long xhat_stride, const float *rstd,
                         const float *gamma, float *sums,
                         struct rnet_steps tail);

/* Batch norm (Ioffe & Szegedy 2015) rides on its neighbours: RNET_SUM_MOMENTS
 * on the producer of x, then rnet_batch_norm, then RNET_AFFINE with `scale` and
 * `shift` on the consumer.  count: rows summed, `chunk` of them (the last
 * perhaps fewer) in each line of sums: the lines are put together in double
 * (Chan, Golub & LeVeque 1983).  Running statistics take `momentum` of the new,
 * the variance unbiased, as PyTorch's.  saved (2, features): mean and rstd. */
void rnet_batch_norm(const struct rnet_run *run, long features, long count,
                     const float *sums, long chunk, const float *gamma,
                     const float *beta, float epsilon, float momentum,
                     float *running_mean, float *running_var, float *scale,
                     float *shift, float *saved);
/* scale and shift from the running statistics */
void rnet_batch_norm_infer(const struct rnet_run *run, long features,
                           const float *gamma, const float *beta,
                           float epsilon, const float *running_mean,
                           const float *running_var, float *scale,
                           float *shift);
/* After RNET_SUM_CENTRED (acc = dy, x = the norm's input, b = saved mean):
 * dgamma, dbeta +=; a, b, c (features) such that RNET_AFFINE2 (acc = dy) is
 * the gradient of x.  dgamma and dbeta may be NULL. */
void rnet_batch_norm_grad(const struct rnet_run *run, long features,
                          long count, const float *sums, long chunk,
                          const float *gamma, const float *saved,
                          float *dgamma, float *dbeta, float *a, float *b,
                          float *c);

/* ------------------------------------------------------- mixes of blocks */

/* A row of n * features features is n blocks x_0 ... x_(n - 1).  One operand, w
 * or x of a mix, y of dots, may have stride 0: it is one set of floats for all
 * rows, in order; else a value in the rows' layout. */

/* acc (rows, to * features): block j = sum over i of w[i][j] x_i;
 * w (rows, from * to) or (from * to) */
void rnet_mix(const struct rnet_run *run, struct rnet_rows rows, long from,
              long to, long features, const float *x, long x_stride,
              const float *w, long w_stride, struct rnet_steps tail);
/* Block j = sum over i of w[j][i] x_i, w (rows, to * from) or (to * from): with
 * dy for x, the gradient of rnet_mix's x, and the other way round. */
void rnet_mix_transposed(const struct rnet_run *run, struct rnet_rows rows,
                         long from, long to, long features, const float *x,
                         long x_stride, const float *w, long w_stride,
                         struct rnet_steps tail);
/* acc (rows, from * to)[i][j] = <x_i, y_j>; x has `from` blocks, y `to`: with dy
 * for y, the gradient of rnet_mix's w */
void rnet_dots(const struct rnet_run *run, struct rnet_rows rows, long from,
               long to, long features, const float *x, long x_stride,
               const float *y, long y_stride, struct rnet_steps tail);

/* Sinkhorn & Knopp 1967 as in arXiv 2512.24880: from the matrix e^x of each row
 * of n * n features, n <= RNET_SINKHORN_LARGEST, `iterations` times the columns
 * and then the rows are divided by their sums.  acc (rows, n * n).  A column or
 * row of zeros stays. */
#define RNET_SINKHORN_LARGEST 8
#define RNET_SINKHORN_ITERATIONS 32     /* at most */
void rnet_sinkhorn(const struct rnet_run *run, struct rnet_rows rows, int n,
                   int iterations, const float *x, long x_stride,
                   struct rnet_steps tail);
/* acc = gradient of x, through all iterations */
void rnet_sinkhorn_grad(const struct rnet_run *run, struct rnet_rows rows,
                        int n, int iterations, const float *x, long x_stride,
                        const float *dy, long dy_stride,
                        struct rnet_steps tail);

/* -------------------------------------------------------------- attention */

/* Scaled dot-product attention (Vaswani et al. 2017, 3.2), head by head.  The
 * rows of a sample follow each other: `queries` rows of q and y, `keys` rows of
 * k and v.  Heads are slices of `head` features; heads h of q and y with the
 * same h / (heads / groups) share one of k and v (Ainslie et al. 2023). */
struct rnet_attention {
    enum rnet_layout layout;    /* of all values */
    int queries, keys;          /* rows of a sample */
    int heads, groups;          /* of q and y; of k and v: divides heads */
    int head;
    int causal;                 /* query i sees the keys 0 ... i */
    float scale;                /* > 0; 1 / sqrt(head) in the paper */
};

/* Strips of keys, and of queries, that a kernel has before it at once. */
#define RNET_ATTENTION_STRIPS(head) ((head) <= 64 ? 4 : (head) <= 128 ? 2 : 1)

/* Floats of scratch for each worker, RNET_WORKER_FLOATS included.  Forward:
 * strips of k, v and y, one of q, scores.  Gradient: strips of k, v, dk, dv, q
 * and dy, one of dq; scores and their gradients, and both turned over. */
#define RNET_ATTENTION_FLOATS(head) \
    (((size_t)(head) + 31) / 32 * 1024 \
         * (3 * RNET_ATTENTION_STRIPS(head) + 1) \
     + (size_t)1024 * RNET_ATTENTION_STRIPS(head))
#define RNET_ATTENTION_GRAD_FLOATS(head) \
    (((size_t)(head) + 31) / 32 * 1024 \
         * (6 * RNET_ATTENTION_STRIPS(head) + 1) \
     + (size_t)2048 * RNET_ATTENTION_STRIPS(head) \
           * (RNET_ATTENTION_STRIPS(head) + 1))

/* Floats of `log_sum`, the logarithm of the sum of e^score of each row of each
 * head: log_sum[(sample * heads + head) * queries + query]. */
#define RNET_ATTENTION_SUMS(batch, queries, heads) \
    ((size_t)(batch) * (queries) * (heads))

/* y = softmax(scale q k^T) v, head by head.  lengths (batch), unless NULL: keys
 * at and past it are not seen; a row that sees none is 0.  log_sum is for the
 * gradient and may be NULL.  y is stored; lanes of other rows are not touched. */
void rnet_attention(const struct rnet_run *run, long batch,
                    const struct rnet_attention *attention, float *y,
                    long y_stride, float *log_sum, const float *q,
                    long q_stride, const float *k, long k_stride,
                    const float *v, long v_stride, const int32_t *lengths);
/* dq, dk, dv are stored, keys that nobody sees get 0.  With p the softmax made
 * again from log_sum and D = sum over a head's features of y dy:
 *   dv = p^T dy,  ds = scale p (dy v^T - D),  dq = ds k,  dk = ds^T q
 * where heads that share k and v add to the same dk and dv.  y is the result
 * of rnet_attention. */
void rnet_attention_grad(const struct rnet_run *run, long batch,
                         const struct rnet_attention *attention, float *dq,
                         long dq_stride, float *dk, long dk_stride, float *dv,
                         long dv_stride, const float *dy, long dy_stride,
                         const float *y, long y_stride, const float *log_sum,
                         const float *q, long q_stride, const float *k,
                         long k_stride, const float *v, long v_stride,
                         const int32_t *lengths);

/* -------------------------------------------------------------- positions */

/* The position of a row is that within its sample, from 0. */
enum rnet_pairing {
    RNET_HALVES,                /* features i and i + head / 2 of a head */
    RNET_NEIGHBOURS             /* 2 i and 2 i + 1, as in the paper */
};
/* Rotary embedding (Su et al. 2021, 3.2.2): in each head of `head` features, an
 * even number, pair i is turned by position * base^(-2 i / head):
 *   acc a = a cos - b sin,  acc b = b cos + a sin.
 * The gradient turns back. */
void rnet_rope(const struct rnet_run *run, struct rnet_rows rows,
               long features, long head, enum rnet_pairing pairing,
               double base, const float *x, long x_stride,
               struct rnet_steps tail);
void rnet_rope_grad(const struct rnet_run *run, struct rnet_rows rows,
                    long features, long head, enum rnet_pairing pairing,
                    double base, const float *dy, long dy_stride,
                    struct rnet_steps tail);
/* Vaswani et al. 2017, 3.5: acc (row, 2 i) = sin(position base^(-2 i /
 * features)), acc (row, 2 i + 1) = cos of it. */
void rnet_sine_positions(const struct rnet_run *run, struct rnet_rows rows,
                         long features, double base, struct rnet_steps tail);
/* Of a number a row, x (rows, 1): with half = features / 2 and
 * w_i = base^(-i / (half - shift)), acc (row, i) = sin(x w_i),
 * acc (row, half + i) = cos(x w_i).  The time of diffusion models: shift 1 in
 * Ho et al. 2020, 0 in Vaswani et al. 2017. */
void rnet_sine_features(const struct rnet_run *run, struct rnet_rows rows,
                        long features, double base, long shift, const float *x,
                        long x_stride, struct rnet_steps tail);
/* acc (rows, 1) = sum_i w_i (dy_i y_half+i - dy_half+i y_i) */
void rnet_sine_features_grad(const struct rnet_run *run, struct rnet_rows rows,
                             long features, double base, long shift,
                             const float *dy, long dy_stride, const float *y,
                             long y_stride, struct rnet_steps tail);

/* ------------------------------------------------------ softmax and losses */

/* Over features, strips or plain.  acc = softmax(x), and 0 for a
 * row of -infinity alone */
void rnet_softmax(const struct rnet_run *run, struct rnet_rows rows,
                  long features, const float *x, long x_stride,
                  struct rnet_steps tail);
/* acc = y (dy - sum y dy) */
void rnet_softmax_grad(const struct rnet_run *run, struct rnet_rows rows,
                       long features, const float *y, long y_stride,
                       const float *dy, long dy_stride, struct rnet_steps tail);

/* Losses: *loss += weight * mean over all rows (cross-entropy) or elements;
 * acc = its gradient with respect to x, scaled likewise.  `lines`: scratch of
 * ceil(rows / 32) floats.  Targets are plain, as the caller passed them. */
void rnet_cross_entropy(const struct rnet_run *run, struct rnet_rows rows,
                        long features, float weight, const float *x,
                        long x_stride, const int32_t *label, float *lines,
                        float *loss, struct rnet_steps tail);

/* With t the label, s the smoothing, w_c a class's weight, r a row's weight,
 * q = softmax(x):
 *   l = r ((1 - s) w_t (-log q_t) + s / features * sum_c w_c (-log q_c))
 * and the mean is sum l / sum r w_t over the rows whose label is not `ignore`;
 * where that sum is 0 the loss is 0, and its gradient too.  But for r, which it
 * has not, and that case, which it makes NaN, as PyTorch's cross_entropy. */
struct rnet_entropy {
    float smoothing;            /* 0 ... 1 (Szegedy et al. 2016) */
    const float *classes;       /* `features` weights, or NULL: 1 */
    const float *rows;          /* a weight each, or NULL: 1 */
    int ignores;                /* 1: `ignore` is a label */
    int32_t ignore;
};
void rnet_weighted_cross_entropy(const struct rnet_run *run,
                                 struct rnet_rows rows, long features,
                                 float weight,
                                 const struct rnet_entropy *entropy,
                                 const float *x, long x_stride,
                                 const int32_t *label, float *lines,
                                 float *loss, struct rnet_steps tail);

enum rnet_loss {
    RNET_LOSS_SQUARED,          /* (x - t)^2 */
    RNET_LOSS_BINARY,           /* binary cross-entropy, x is a logit */
    RNET_LOSS_ABSOLUTE          /* |x - t| */
};
void rnet_loss(const struct rnet_run *run, struct rnet_rows rows,
               long features, enum rnet_loss kind, float weight,
               const float *x, long x_stride, const float *target,
               float *lines, float *loss, struct rnet_steps tail);

#ifdef __cplusplus
}
#endif
#endif
