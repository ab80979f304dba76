/* tagger: emitted by rnetc 0.1.0 from tagger.rnet; do not edit.
 *
 * 239 parameters, 0 blocks.  Values lie where the plan put them: `saved` is
 * what the backward pass reads, `scratch` lives for one pass.  The layouts
 * and the kernels are described in rnet_kernels.h. */
#include "tagger.h"

#include <rnet_kernels.h>

/* ---- tagger (tagger.rnet:2) ----
 *
 *     network tagger(vocab = 7, context = 3, width = 5) {
 *         input token int [context]
 *         embedding(vocab, width) -> flatten -> linear(10) -> tanh -> linear(4)
 *         output logits
 *         loss cross_entropy(logits, label)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    TAGGER_EMBEDDING_0_WEIGHT = 0,
    TAGGER_LINEAR_0_WEIGHT = 224,
    TAGGER_LINEAR_0_BIAS = 544,
    TAGGER_LINEAR_1_WEIGHT = 560,
    TAGGER_LINEAR_1_BIAS = 688,
};

static void tagger_infer_pass(const struct rnet_run *run, const float *params,
                              float *scratch, const int32_t *token,
                              const int32_t *label, float *logits)
{
    const long strips_3 = RNET_STRIP_COUNT(3 * run->batch);
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *embedding = scratch;
    float *embedding_2 = scratch + 160 * strips_3 + 800 * strips;
    float *embedding_3 = scratch + 160 * strips_3;
    float *tanh = scratch + 160 * strips_3 + 480 * strips;
    float *linear = scratch + 160 * strips_3;
    /* embedding = embedding(token) */
    rnet_embedding(run, 3 * run->batch, 7, 5, token,
                   params + TAGGER_EMBEDDING_0_WEIGHT,
                   RNET_STEPS(RNET_WITH(STORE, embedding, 5)));
    /* embedding_2 = unpack(embedding) */
    rnet_unpack_rows(run, 3 * run->batch, 5, embedding, 5,
                     RNET_STEPS(RNET_WITH(STORE, embedding_2, 5)));
    /* embedding_3 = pack(embedding_2) */
    rnet_pack_rows(run, run->batch, 15, embedding_2, 15,
                   RNET_STEPS(RNET_WITH(STORE, embedding_3, 15)));
    /* tanh = tanh(linear.0.weight embedding_3 + linear.0.bias) */
    rnet_linear(run, run->batch, 15, 10, embedding_3, 15,
                params + TAGGER_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + TAGGER_LINEAR_0_BIAS),
                           RNET_DO(TANH), RNET_WITH(STORE, tanh, 10)));
    /* linear = linear.1.weight tanh + linear.1.bias */
    rnet_linear(run, run->batch, 10, 4, tanh, 10,
                params + TAGGER_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + TAGGER_LINEAR_1_BIAS),
                           RNET_WITH(STORE, linear, 4)));
    /* logits = unpack(linear) */
    rnet_unpack_rows(run, run->batch, 4, linear, 4,
                     RNET_STEPS(RNET_WITH(STORE, logits, 4)));
}

static void tagger_forward_pass(const struct rnet_run *run,
                                const float *params, float *saved,
                                float *scratch, const int32_t *token,
                                const int32_t *label, float *logits)
{
    const long strips_3 = RNET_STRIP_COUNT(3 * run->batch);
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *embedding = scratch;
    float *embedding_2 = scratch + 160 * strips_3;
    float *embedding_3 = saved;
    float *tanh = saved + 480 * strips;
    float *linear = saved + 800 * strips;
    /* embedding = embedding(token) */
    rnet_embedding(run, 3 * run->batch, 7, 5, token,
                   params + TAGGER_EMBEDDING_0_WEIGHT,
                   RNET_STEPS(RNET_WITH(STORE, embedding, 5)));
    /* embedding_2 = unpack(embedding) */
    rnet_unpack_rows(run, 3 * run->batch, 5, embedding, 5,
                     RNET_STEPS(RNET_WITH(STORE, embedding_2, 5)));
    /* embedding_3 = pack(embedding_2) */
    rnet_pack_rows(run, run->batch, 15, embedding_2, 15,
                   RNET_STEPS(RNET_WITH(STORE, embedding_3, 15)));
    /* tanh = tanh(linear.0.weight embedding_3 + linear.0.bias) */
    rnet_linear(run, run->batch, 15, 10, embedding_3, 15,
                params + TAGGER_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + TAGGER_LINEAR_0_BIAS),
                           RNET_DO(TANH), RNET_WITH(STORE, tanh, 10)));
    /* linear = linear.1.weight tanh + linear.1.bias */
    rnet_linear(run, run->batch, 10, 4, tanh, 10,
                params + TAGGER_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + TAGGER_LINEAR_1_BIAS),
                           RNET_WITH(STORE, linear, 4)));
    if (logits) {
        /* logits = unpack(linear) */
        rnet_unpack_rows(run, run->batch, 4, linear, 4,
                         RNET_STEPS(RNET_WITH(STORE, logits, 4)));
    }
}

static void tagger_backward_pass(const struct rnet_run *run,
                                 const float *params, float *grads,
                                 float *saved, float *scratch,
                                 const int32_t *token, const int32_t *label,
                                 float *loss)
{
    const long strips_3 = RNET_STRIP_COUNT(3 * run->batch);
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *linear = saved + 800 * strips;
    float *d_linear = scratch + 160 * strips_3;
    float *lines = scratch + 160 * strips_3 + 128 * strips;
    float *tanh = saved + 480 * strips;
    float *d_linear_2 = scratch + 160 * strips_3 + 480 * strips;
    float *embedding = saved;
    float *d_embedding = scratch + 160 * strips_3;
    float *d_embedding_2 = scratch + 160 * strips_3 + 800 * strips;
    float *d_embedding_3 = scratch;
    /* d_linear = dloss / dlinear */
    rnet_cross_entropy(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 },
                       4, 1.0f, linear, 4, label, lines, loss,
                       RNET_STEPS(RNET_WITH(STORE, d_linear, 4)));
    rnet_linear_grad_weight(run, run->batch, 10, 4,
                            grads + TAGGER_LINEAR_1_WEIGHT,
                            grads + TAGGER_LINEAR_1_BIAS, d_linear, 4, tanh,
                            10);
    /* d_linear_2 = tanh'(tanh) (linear.1.weight' d_linear) */
    rnet_linear_grad_input(run, run->batch, 10, 4, d_linear, 4,
                           params + TAGGER_LINEAR_1_WEIGHT,
                           RNET_STEPS(RNET_WITH(TANH_GRAD, tanh, 10),
                                      RNET_WITH(STORE, d_linear_2, 10)));
    rnet_linear_grad_weight(run, run->batch, 15, 10,
                            grads + TAGGER_LINEAR_0_WEIGHT,
                            grads + TAGGER_LINEAR_0_BIAS, d_linear_2, 10,
                            embedding, 15);
    /* d_embedding = linear.0.weight' d_linear_2 */
    rnet_linear_grad_input(run, run->batch, 15, 10, d_linear_2, 10,
                           params + TAGGER_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_embedding, 15)));
    /* d_embedding_2 = unpack(d_embedding) */
    rnet_unpack_rows(run, run->batch, 15, d_embedding, 15,
                     RNET_STEPS(RNET_WITH(STORE, d_embedding_2, 15)));
    /* d_embedding_3 = pack(d_embedding_2) */
    rnet_pack_rows(run, 3 * run->batch, 5, d_embedding_2, 5,
                   RNET_STEPS(RNET_WITH(STORE, d_embedding_3, 5)));
    rnet_embedding_grad(run, 3 * run->batch, 7, 5,
                        grads + TAGGER_EMBEDDING_0_WEIGHT, token,
                        d_embedding_3, 5);
}

/* ---- entry points ---- */

_Static_assert(RNET_WORKER_FLOATS == 49152,
               "librnet and rnetc do not belong together");
enum rnet_status tagger_infer(const float *params, const int32_t *token,
                              float *logits, size_t batch,
                              struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, TAGGER_INFER_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if (!token || !logits)
        return RNET_NULL;
    status = rnet_check_indices(token, batch * 3, 7);
    if (status != RNET_OK)
        return status;
    if (batch == 0)
        return RNET_OK;
    struct rnet_run here, *run = &here;
    float *memory = (float *)work->memory;

    rnet_begin(run, work, batch, 0);
    run->scratch = memory;
    run->scratch_floats = 0;
    run->workers = memory + 0;
    run->worker_floats = 49152;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    tagger_infer_pass(run, params, memory, token, NULL, logits);
    rnet_end(run);
    return RNET_OK;
}

static enum rnet_status infer_by_table(const float *params,
    const void *const *inputs, float *const *outputs,
    size_t batch, struct rnet_work *work)
{
    if (!inputs || !outputs)
        return RNET_NULL;
    return tagger_infer(params, (const int32_t *)inputs[0], outputs[0], batch,
                        work);
}

enum rnet_status tagger_train(float *params, const int32_t *token,
                              const int32_t *label, float *logits, float *loss,
                              float *grads, size_t batch,
                              struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, TAGGER_TRAIN_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if ((status = rnet_check_array(grads)) != RNET_OK)
        return status;
    if (!token || !label || !loss)
        return RNET_NULL;
    status = rnet_check_indices(token, batch * 3, 7);
    if (status != RNET_OK)
        return status;
    status = rnet_check_indices(label, batch, 4);
    if (status != RNET_OK)
        return status;
    if (batch == 0) {
        *loss = 0;
        return RNET_OK;
    }
    struct rnet_run here, *run = &here;
    float *memory = (float *)work->memory;

    rnet_begin(run, work, batch, 1);
    run->scratch = memory;
    run->scratch_floats = 0;
    run->workers = memory + 0;
    run->worker_floats = 49152;
    memory = run->workers + run->worker_floats
        * (size_t)rnet_work_threads(work);
    const long strips = RNET_STRIP_COUNT(1 * run->batch);
    tagger_forward_pass(run, params, memory, memory + 928 * strips, token,
                        label, logits);
    *loss = 0;
    tagger_backward_pass(run, params, grads, memory, memory + 928 * strips,
                         token, label, loss);
    work->step++;
    rnet_end(run);
    return RNET_OK;
}

static enum rnet_status train_by_table(float *params,
    const void *const *inputs, float *const *outputs, float *loss,
    float *grads, float *const *input_grads,
    size_t batch, struct rnet_work *work)
{
    (void)input_grads;
    if (!inputs)
        return RNET_NULL;
    return tagger_train(params, (const int32_t *)inputs[0],
                        (const int32_t *)inputs[1],
                        outputs ? outputs[0] : NULL, loss, grads, batch, work);
}

/* ---- the table ---- */

static const struct rnet_tensor tensors[] = {
    { .name = "embedding.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 7, 5 }, .floats = 224, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 1.0f },
    { .name = "linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 10, 15 }, .offset = 224, .floats = 320,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.36514837f },
    { .name = "linear.0.bias", .groups = 1, .rank = 1, .shape = { 10 },
      .offset = 544, .floats = 16, .trainable = 1 },
    { .name = "linear.1.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 4, 10 }, .offset = 560, .floats = 128,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.4472136f },
    { .name = "linear.1.bias", .groups = 1, .rank = 1, .shape = { 4 },
      .offset = 688, .floats = 16, .trainable = 1 },
};

static const struct rnet_port inputs[] = {
    { .name = "token", .integer = 1, .target = 0, .classes = 7,
      .rank = 1, .shape = { 3 }, .size = 3 },
    { .name = "label", .integer = 1, .target = 1, .classes = 4,
      .rank = 0, .shape = { 0 }, .size = 1 },
};

static const struct rnet_port outputs[] = {
    { .name = "logits", .integer = 0, .target = 0, .classes = 0,
      .rank = 1, .shape = { 4 }, .size = 4 },
};

static size_t infer_bytes(size_t batch, int threads)
{
    (void)batch;
    return TAGGER_INFER_BYTES(batch, threads);
}

static size_t train_bytes(size_t batch, int threads)
{
    (void)batch;
    return TAGGER_TRAIN_BYTES(batch, threads);
}

const struct rnet_network tagger = {
    .version = RNET_VERSION,
    .name = "tagger",
    .trainable = 239,
    .grad_floats = 704,
    .param_floats = 704,
    .tensors = tensors,
    .tensor_rows = 5,
    .inputs = inputs,
    .outputs = outputs,
    .input_count = 2,
    .output_count = 1,
    .infer_bytes = infer_bytes,
    .train_bytes = train_bytes,
    .infer = infer_by_table,
    .train = train_by_table,
};

enum rnet_status tagger_init(float *params, uint64_t seed)
{
    return rnet_init_params(&tagger, params, seed);
}
