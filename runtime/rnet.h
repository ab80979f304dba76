/* rnet.h: what programs that use a network emitted by rnetc see.
 *
 * Nothing here allocates behind the caller's back, prints, exits, or keeps
 * state between calls, except where a comment says so.  Every failure is a
 * returned status.  Arrays are float32 and row-major ("shape (N, C)" means
 * N rows of C); shapes in comments are what the caller passes. */
#ifndef RNET_H
#define RNET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of the contract between emitted C, this header and librnet.  Emitted C does
 * not compile with a header of another version; with a library of another one
 * each call that gives a status gives RNET_BAD_VERSION and does nothing else,
 * rnet_tensor_count gives 0, rnet_clip NAN, rnet_zero does nothing. */
#define RNET_VERSION 5
#define RNET_ALIGN   64         /* bytes: parameters, gradients, work memory */
#define RNET_RANK    8          /* largest number of axes of a tensor */
#define RNET_NEST    4          /* repeats that may nest around one tensor */
#define RNET_NAME_BYTES 256     /* of a tensor's longest name, with NUL */

enum rnet_status {
    RNET_OK = 0,
    RNET_NULL,                  /* a required pointer is NULL */
    RNET_MISALIGNED,            /* a pointer is not RNET_ALIGN-aligned */
    RNET_TOO_SMALL,             /* work memory is smaller than *_BYTES says */
    RNET_BAD_LABEL,             /* a class or token index is out of range */
    RNET_BAD_BATCH,             /* batch too large, or one value a channel
                                   under batch norm in training */
    RNET_BAD_VERSION,           /* emitted C and librnet do not belong together */
    RNET_NO_MEMORY,
    RNET_IO,                    /* reading or writing failed; see errno */
    RNET_BAD_FILE,              /* not a valid safetensors file */
    RNET_BAD_NAME,              /* a tensor is missing, extra or unknown */
    RNET_BAD_SHAPE,             /* a tensor has another shape */
    RNET_BAD_TYPE,              /* a tensor has a type that cannot be read */
    RNET_NO_THREADS,            /* threads could not be created */
    RNET_BAD_GRAPH              /* see struct rnet_graph */
};

/* One line of English for a status; never NULL. */
const char *rnet_status_text(enum rnet_status status);

/* ---------------------------------------------------------------- memory */

/* `count` zeroed floats, RNET_ALIGN-aligned; NULL when there is no memory. */
float *rnet_alloc(size_t count);
void *rnet_alloc_bytes(size_t bytes);
void rnet_free(void *memory);

/* --------------------------------------------------------------- threads */

/* A pool of `threads` workers, the calling thread among them (1 to 4096).
 * NULL when threads or memory cannot be had.  Two works may share a pool: a
 * call that finds it taken runs on its own thread alone. */
struct rnet_pool *rnet_pool_create(int threads);
void rnet_pool_destroy(struct rnet_pool *pool);
int rnet_pool_threads(const struct rnet_pool *pool);

typedef void rnet_task(void *context, long index, int worker);

/* The memory and the threads of one call.  One rnet_work serves one call at
 * a time; two models in two threads use two of them.
 * Threads: with `parallel_for` set, it must call task(context, i, worker) once
 * for every i in [0, tasks), each `worker` in [0, workers) used by one thread
 * at a time, and return when all are done.  Else `pool`; else none.
 * Results do not depend on the number of threads. */
struct rnet_work {
    void *memory;               /* RNET_ALIGN-aligned */
    size_t bytes;               /* at least NAME_TRAIN_BYTES(batch, threads) */
    struct rnet_pool *pool;     /* or NULL: the calling thread alone */
    void (*parallel_for)(void *user, long tasks, rnet_task *task, void *context);
    void *user;
    int workers;                /* of parallel_for */
    uint64_t seed;              /* of dropout */
    uint64_t step;              /* training calls so far: each train adds 1 */
};

/* Threads that `work` brings: at least 1. */
int rnet_work_threads(const struct rnet_work *work);

/* ---------------------------------------------------------------- graphs */

/* Who is whose neighbour, in compressed rows: what an `input g graph` takes.
 * A sample of the batch is a node.  Node i reads the nodes
 * neighbours[offsets[i]] ... neighbours[offsets[i + 1] - 1], so an edge that
 * goes both ways stands twice.  The arrays are the caller's and need no
 * alignment.  RNET_BAD_GRAPH: the nodes are not as many as the batch, offsets
 * do not ascend from 0, a neighbour is no node, or `transposed` has not the
 * same edges. */
struct rnet_graph {
    long nodes;
    const int64_t *offsets;     /* nodes + 1 */
    const int32_t *neighbours;  /* offsets[nodes]; NULL when there are none */
    const float *weights;       /* one an edge, or NULL: each is 1 */
    /* The same edges from the other end; an undirected graph is its own
     * (g.transposed = &g).  Training is faster with it.  Or NULL. */
    const struct rnet_graph *transposed;
};

/* Fills the arrays, as long as graph's, with the edges from the other end, and
 * points each graph at the other.  weights: NULL when the graph has none. */
enum rnet_status rnet_graph_transpose(struct rnet_graph *graph,
                                      struct rnet_graph *transposed,
                                      int64_t *offsets, int32_t *neighbours,
                                      float *weights);

/* --------------------------------------------------- a network, as a table */

enum rnet_pack {                /* published layout -> order in the flat array */
    RNET_PACK_FLAT,             /* any shape, as it is, padded to 16 floats */
    RNET_PACK_PANELS,           /* [out, in] -> [ceil(in/32)][out][32] */
    RNET_PACK_CONV              /* [oc, ic/groups, kh, kw] -> [groups]
                                   [ceil(oc/groups/16)][kh][kw][ic/groups][16];
                                   ic/groups == 1 and oc == groups (depthwise):
                                   [kh][kw][oc rounded up to 16] */
};
/* Padding is zero and stays zero, in parameters and in gradients; so offsets,
 * strides and sizes are multiples of 16 floats. */

enum rnet_init { RNET_INIT_CONSTANT, RNET_INIT_NORMAL, RNET_INIT_UNIFORM,
                 RNET_INIT_DIAGONAL };

/* A tensor, or as many equal ones as the repeats around it make: iteration i
 * of repeat[0] (the outermost), j of repeat[1], ... lies at
 * offset + i * repeat[0].stride + j * repeat[1].stride + ... floats.  The n-th
 * '#' in `name` stands for the number
 * index[n].first + i * index[n].step[0] + j * index[n].step[1] + ... */
struct rnet_tensor {
    const char *name;           /* PyTorch's: "basic.3.conv.0.weight" */
    enum rnet_pack pack;
    int groups;                 /* RNET_PACK_CONV; else 1 */
    int rank;
    long shape[RNET_RANK];      /* published: PyTorch's axes */
    size_t offset, floats;      /* in the flat array, padding included */
    int repeats;
    struct rnet_repeat { long count; size_t stride; } repeat[RNET_NEST];
    struct rnet_index { long first, step[RNET_NEST]; } index[RNET_NEST];
    int trainable;              /* 0: a running statistic */
    int decay;                  /* 1: weight decay applies (weights of layers) */
    int stepped;                /* 1: `step` has no gradient of it in memory; */
    size_t rest;                /* 0: it lies here among those that it has, */
    size_t rests[RNET_NEST];    /* with these strides */
    enum rnet_init init;
    float mean, spread;         /* constant: mean; normal: mean, standard
                                   deviation; uniform: mean -+ spread;
                                   diagonal: mean, and mean + spread in row r
                                   at column r + diagonal, modulo columns */
    struct rnet_index diagonal;
};

struct rnet_port {              /* an input, a target or an output */
    const char *name;
    int integer;                /* 1: int32_t, 0: float */
    int graph;                  /* 1: const struct rnet_graph *, no array */
    int target;                 /* 1: only the loss reads it */
    long classes;               /* integer: values are 0 ... classes - 1, */
    int ignores;                /* 1: and `ignore`, a label that does not */
    int32_t ignore;             /* count */
    int rank;
    long shape[RNET_RANK];      /* of one sample */
    size_t size;                /* product of shape */
};

/* Everything generic tools need.  `inputs[k]` and `outputs[k]` follow the
 * order of the ports; outputs may be NULL one by one, and in training as a
 * whole, as may `input_grads`. */
struct rnet_network {
    int version;                /* RNET_VERSION it was emitted for */
    const char *name;
    size_t trainable;           /* trainable scalars, padding not counted */
    size_t grad_floats;         /* of the gradient array; the parameters that
                                   are trained are as many, and come first */
    size_t param_floats;        /* of the parameter array: trained ones, then
                                   running statistics */
    const struct rnet_tensor *tensors;
    int tensor_rows;
    const struct rnet_port *inputs, *outputs;
    int input_count, output_count;
    size_t (*infer_bytes)(size_t batch, int threads);
    size_t (*train_bytes)(size_t batch, int threads);
    enum rnet_status (*infer)(const float *params, const void *const *inputs,
                              float *const *outputs, size_t batch,
                              struct rnet_work *work);
    /* NULL for a network without a loss */
    enum rnet_status (*train)(float *params, const void *const *inputs,
                              float *const *outputs, float *loss, float *grads,
                              float *const *input_grads, size_t batch,
                              struct rnet_work *work);
    /* NULL but with --fuse-optimizer, which has no `train`: one step of training,
     * optimizer: a struct rnet_sgd or rnet_adam, as the option says */
    enum rnet_status (*step)(float *params, const void *const *inputs,
                             float *const *outputs, float *loss,
                             void *optimizer, float *const *input_grads,
                             size_t batch, struct rnet_work *work);
};

/* Tensors one by one, repeats unrolled: how many, and the index-th. */
struct rnet_entry {
    char name[RNET_NAME_BYTES];
    const struct rnet_tensor *tensor;
    size_t offset;              /* of this one */
    size_t size;                /* scalars: product of the shape */
    long diagonal;              /* of this one */
};
size_t rnet_tensor_count(const struct rnet_network *net);
enum rnet_status rnet_tensor_at(const struct rnet_network *net, size_t index,
                                struct rnet_entry *entry);
enum rnet_status rnet_tensor_find(const struct rnet_network *net,
                                  const char *name, struct rnet_entry *entry);

/* One tensor between the flat array and its published layout.
 * `values` has entry->size floats.  unpack: values = array; pack: array =
 * values, padding zero.  `array` is params, or grads (trainable ones). */
void rnet_unpack(const struct rnet_entry *entry, const float *array,
                 float *values);
void rnet_pack(const struct rnet_entry *entry, float *array,
               const float *values);

/* Initial values as the network says, from Philox4x32-10 keyed by `seed`: scalar
 * i of tensor n comes from the counter {i / 4, n, 0, 0}, whatever its packing.
 * The same on every machine (normal ones as far as its log, sin and cos agree
 * to float's precision).  Running statistics: mean 0, variance 1. */
enum rnet_status rnet_init_params(const struct rnet_network *net, float *params,
                                  uint64_t seed);
void rnet_zero(const struct rnet_network *net, float *grads);

/* Weights as safetensors, float32, dotted names, PyTorch's layouts; running
 * statistics are among them, the states of optimisers are not.
 * Save writes a temporary file beside `path`, syncs and renames it.
 * Load validates the whole file before it touches `params`; it takes F32, F16
 * and BF16, and ignores tensors named num_batches_tracked.  On failure
 * `message` (or NULL), of `size` bytes, says which tensor and why. */
enum rnet_status rnet_save(const struct rnet_network *net, const float *params,
                           const char *path, char *message, size_t size);
enum rnet_status rnet_load(const struct rnet_network *net, float *params,
                           const char *path, char *message, size_t size);

/* ------------------------------------------------------------ optimisers */

/* Each step updates net->grad_floats parameters from as many gradients.
 * State arrays are net->grad_floats floats, aligned, zero at the start.  The
 * formulas are torch.optim's; the settings are double, as Python's.
 * decay_all: 1, every parameter decays, as in torch.optim with one group of
 * parameters; 0, only those whose table row says `decay` (weights of layers).
 * `work` lends threads, its memory is not used; NULL: the calling thread. */
struct rnet_sgd {               /* g = grad + decay w; m = momentum m +      */
    double rate, momentum;      /* (1 - dampening) g, at the first step      */
    double decay, dampening;    /* m = g; w -= rate m (Nesterov: w -=        */
    int nesterov;               /* rate (g + momentum m))                    */
    int decay_all;
    float *velocity;            /* m; NULL when momentum is 0 */
    uint64_t step;              /* steps so far; the call adds 1 */
};
struct rnet_adam {              /* Kingma & Ba 2015; decoupled: AdamW,       */
    double rate, beta1, beta2;  /* Loshchilov & Hutter 2019                  */
    double epsilon, decay;
    int decoupled;
    int decay_all;
    float *moment1, *moment2;
    uint64_t step;              /* steps so far; the call adds 1 */
};
enum rnet_status rnet_sgd_step(const struct rnet_network *net,
                               struct rnet_sgd *sgd, float *params,
                               const float *grads, struct rnet_work *work);
enum rnet_status rnet_adam_step(const struct rnet_network *net,
                                struct rnet_adam *adam, float *params,
                                const float *grads, struct rnet_work *work);

/* Norm of the gradients over all parameters; above `limit` (> 0) they are
 * scaled by limit / (norm + 1e-6), as torch.nn.utils.clip_grad_norm_ does.  A
 * norm that is not finite leaves them alone.  Returns the norm before. */
double rnet_clip(const struct rnet_network *net, float *grads, double limit);

/* ---------------------------------------------------------- random numbers */

/* Philox4x32-10 (Salmon et al. 2011): four words for a counter and a key. */
void rnet_philox(const uint32_t counter[4], const uint32_t key[2],
                 uint32_t words[4]);

/* Name of the instruction set in use: "avx512", "avx2", "base", "scalar".
 * Chosen once for the process, at the first call into librnet; the
 * environment variable RNET_ISA overrides it where the CPU allows. */
const char *rnet_isa_name(void);

#ifdef __cplusplus
}
#endif
#endif
