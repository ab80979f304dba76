/* digits: emitted by rnetc 0.1.0 from residual_mlp.rnet; do not edit.
 *
 * 729866 parameters, 1 block.  Values lie where the plan put them: `saved` is
 * what the backward pass reads, `scratch` lives for one pass.  The layouts
 * and the kernels are described in rnet_kernels.h. */
#include "residual_mlp.h"

#include <rnet_kernels.h>

/* ---- residual_256_4 (residual_mlp.rnet:5) of [256] ----
 *
 *     block residual(width, depth) {
 *         shortcut identity
 *         scale 1 / sqrt(depth)
 *         linear(width) -> relu -> linear(width)
 *         then relu
 *     }
 */

enum {           /* where its parameters lie, in floats */
    RESIDUAL_256_4_LINEAR_0_WEIGHT = 0,
    RESIDUAL_256_4_LINEAR_0_BIAS = 65536,
    RESIDUAL_256_4_LINEAR_1_WEIGHT = 65792,
    RESIDUAL_256_4_LINEAR_1_BIAS = 131328,
};

static void residual_256_4_infer(const struct rnet_run *run,
                                 const float *params, float *scratch,
                                 const float *x, float *y)
{
    float *relu = scratch;
    /* relu = relu(linear.0.weight x + linear.0.bias) */
    rnet_linear(run, run->batch, 256, 256, x, 256,
                params + RESIDUAL_256_4_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + RESIDUAL_256_4_LINEAR_0_BIAS),
                           RNET_DO(RELU), RNET_WITH(STORE, relu, 256)));
    /* y = relu((linear.1.weight relu + linear.1.bias) 0.5f + x) */
    rnet_linear(run, run->batch, 256, 256, relu, 256,
                params + RESIDUAL_256_4_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + RESIDUAL_256_4_LINEAR_1_BIAS),
                           RNET_BY(MUL, 0.5f), RNET_WITH(ADD, x, 256),
                           RNET_DO(RELU), RNET_WITH(STORE, y, 256)));
}

static void residual_256_4_forward(const struct rnet_run *run,
                                   const float *params, float *saved,
                                   const float *x, float *y)
{
    float *relu = saved;
    /* relu = relu(linear.0.weight x + linear.0.bias) */
    rnet_linear(run, run->batch, 256, 256, x, 256,
                params + RESIDUAL_256_4_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + RESIDUAL_256_4_LINEAR_0_BIAS),
                           RNET_DO(RELU), RNET_WITH(STORE, relu, 256)));
    /* y = relu((linear.1.weight relu + linear.1.bias) 0.5f + x) */
    rnet_linear(run, run->batch, 256, 256, relu, 256,
                params + RESIDUAL_256_4_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + RESIDUAL_256_4_LINEAR_1_BIAS),
                           RNET_BY(MUL, 0.5f), RNET_WITH(ADD, x, 256),
                           RNET_DO(RELU), RNET_WITH(STORE, y, 256)));
}

static void residual_256_4_backward(const struct rnet_run *run,
                                    const float *params, float *grads,
                                    float *saved, float *scratch,
                                    const float *x, const float *y,
                                    const float *dy, float *dx)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *d_sum = scratch;
    float *d_linear = scratch + 8192 * strips;
    float *relu = saved;
    float *d_linear_2 = scratch + 16384 * strips;
    /* d_sum = relu'(y) (dy) */
    /* d_linear = (d_sum) 0.5f */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 256,
               RNET_STEPS(RNET_WITH(LOAD, dy, 256),
                          RNET_WITH(RELU_GRAD, y, 256),
                          RNET_WITH(STORE, d_sum, 256), RNET_BY(MUL, 0.5f),
                          RNET_WITH(STORE, d_linear, 256)));
    rnet_linear_grad_weight(run, run->batch, 256, 256,
                            grads + RESIDUAL_256_4_LINEAR_1_WEIGHT,
                            grads + RESIDUAL_256_4_LINEAR_1_BIAS, d_linear,
                            256, relu, 256);
    /* d_linear_2 = relu'(relu) (linear.1.weight' d_linear) */
    rnet_linear_grad_input(run, run->batch, 256, 256, d_linear, 256,
                           params + RESIDUAL_256_4_LINEAR_1_WEIGHT,
                           RNET_STEPS(RNET_WITH(RELU_GRAD, relu, 256),
                                      RNET_WITH(STORE, d_linear_2, 256)));
    rnet_linear_grad_weight(run, run->batch, 256, 256,
                            grads + RESIDUAL_256_4_LINEAR_0_WEIGHT,
                            grads + RESIDUAL_256_4_LINEAR_0_BIAS, d_linear_2,
                            256, x, 256);
    /* dx = linear.0.weight' d_linear_2 + d_sum */
    rnet_linear_grad_input(run, run->batch, 256, 256, d_linear_2, 256,
                           params + RESIDUAL_256_4_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(ADD, d_sum, 256),
                                      RNET_WITH(STORE, dx, 256)));
}

/* ---- digits (residual_mlp.rnet:12) ----
 *
 *     network digits(classes = 10, width = 256, depth = 4) {
 *         input image [28, 28]
 *         flatten -> linear(width) -> relu
 *         repeat depth { residual(width, depth) }
 *         linear(classes)
 *         output logits
 *         loss cross_entropy(logits, label)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    DIGITS_LINEAR_0_WEIGHT = 0,
    DIGITS_LINEAR_0_BIAS = 204800,
    DIGITS_LINEAR_1_WEIGHT = 205056,
    DIGITS_LINEAR_1_BIAS = 207616,
};

static void digits_infer_pass(const struct rnet_run *run, const float *params,
                              float *scratch, const float *image,
                              const int32_t *label, float *logits)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *image_2 = scratch;
    float *relu = scratch + 25088 * strips;
    float *x_2 = scratch + 25088 * strips;
    float *linear = scratch;
    /* image_2 = pack(image) */
    rnet_pack_rows(run, run->batch, 784, image, 784,
                   RNET_STEPS(RNET_WITH(STORE, image_2, 784)));
    /* relu = relu(linear.0.weight image_2 + linear.0.bias) */
    rnet_linear(run, run->batch, 784, 256, image_2, 784,
                params + DIGITS_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + DIGITS_LINEAR_0_BIAS),
                           RNET_DO(RELU), RNET_WITH(STORE, relu, 256)));
    for (long i = 0; i < 4; i++) {
        const float *p = params + 207632 + i * 131584;
        const float *x_3 = i == 0 ? relu : x_2;
        float *y_2 = x_2;
        residual_256_4_infer(run, p, scratch + 33280 * strips, x_3, y_2);
    }
    /* linear = linear.1.weight x_2 + linear.1.bias */
    rnet_linear(run, run->batch, 256, 10, x_2, 256,
                params + DIGITS_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + DIGITS_LINEAR_1_BIAS),
                           RNET_WITH(STORE, linear, 10)));
    /* logits = unpack(linear) */
    rnet_unpack_rows(run, run->batch, 10, linear, 10,
                     RNET_STEPS(RNET_WITH(STORE, logits, 10)));
}

static void digits_forward_pass(const struct rnet_run *run,
                                const float *params, float *saved,
                                const float *image, const int32_t *label,
                                float *logits)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *image_2 = saved;
    float *relu = saved + 25088 * strips;
    float *x_2 = saved + 33280 * strips;
    float *kept_2 = saved + 74560 * strips;
    float *linear = saved + 41472 * strips;
    /* image_2 = pack(image) */
    rnet_pack_rows(run, run->batch, 784, image, 784,
                   RNET_STEPS(RNET_WITH(STORE, image_2, 784)));
    /* relu = relu(linear.0.weight image_2 + linear.0.bias) */
    rnet_linear(run, run->batch, 784, 256, image_2, 784,
                params + DIGITS_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + DIGITS_LINEAR_0_BIAS),
                           RNET_DO(RELU), RNET_WITH(STORE, relu, 256)));
    for (long i = 0; i < 4; i++) {
        const float *p = params + 207632 + i * 131584;
        float *kept = saved + 41792 * strips + i * (8192 * strips);
        const float *x_3 = i ? kept_2 + (i - 1) * (8192 * strips) : relu;
        float *y_2 = i < 3 ? kept_2 + i * (8192 * strips) : x_2;
        residual_256_4_forward(run, p, kept, x_3, y_2);
    }
    /* linear = linear.1.weight x_2 + linear.1.bias */
    rnet_linear(run, run->batch, 256, 10, x_2, 256,
                params + DIGITS_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + DIGITS_LINEAR_1_BIAS),
                           RNET_WITH(STORE, linear, 10)));
    if (logits) {
        /* logits = unpack(linear) */
        rnet_unpack_rows(run, run->batch, 10, linear, 10,
                         RNET_STEPS(RNET_WITH(STORE, logits, 10)));
    }
}

static void digits_backward_pass(const struct rnet_run *run,
                                 const float *params, float *grads,
                                 float *saved, float *scratch,
                                 const float *image, const int32_t *label,
                                 float *loss, float *image_grad)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)image;
    float *linear = saved + 41472 * strips;
    float *d_linear = scratch;
    float *lines = scratch + 320 * strips;
    float *x_2 = saved + 33280 * strips;
    float *d_x = scratch + 25088 * strips;
    float *kept_2 = saved + 74560 * strips;
    float *relu = saved + 25088 * strips;
    float *d_relu = scratch + 25088 * strips;
    float *d_linear_2 = scratch + 25088 * strips;
    float *image_2 = saved;
    float *d_image = scratch;
    /* d_linear = dloss / dlinear */
    rnet_cross_entropy(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 },
                       10, 1.0f, linear, 10, label, lines, loss,
                       RNET_STEPS(RNET_WITH(STORE, d_linear, 10)));
    rnet_linear_grad_weight(run, run->batch, 256, 10,
                            grads + DIGITS_LINEAR_1_WEIGHT,
                            grads + DIGITS_LINEAR_1_BIAS, d_linear, 10, x_2,
                            256);
    /* d_x = linear.1.weight' d_linear */
    rnet_linear_grad_input(run, run->batch, 256, 10, d_linear, 10,
                           params + DIGITS_LINEAR_1_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_x, 256)));
    for (long i = 3; i >= 0; i--) {
        const float *p = params + 207632 + i * 131584;
        float *g = grads + 207632 + i * 131584;
        float *kept = saved + 41792 * strips + i * (8192 * strips);
        const float *x_3 = i ? kept_2 + (i - 1) * (8192 * strips) : relu;
        const float *y_2 = i < 3 ? kept_2 + i * (8192 * strips) : x_2;
        const float *dy_2 = i == 3 ? d_x : d_relu;
        float *dx_2 = d_relu;
        residual_256_4_backward(run, p, g, kept, scratch + 33280 * strips, x_3,
                                y_2, dy_2, dx_2);
    }
    /* d_linear_2 = relu'(relu) (d_relu) */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 256,
               RNET_STEPS(RNET_WITH(LOAD, d_relu, 256),
                          RNET_WITH(RELU_GRAD, relu, 256),
                          RNET_WITH(STORE, d_linear_2, 256)));
    rnet_linear_grad_weight(run, run->batch, 784, 256,
                            grads + DIGITS_LINEAR_0_WEIGHT,
                            grads + DIGITS_LINEAR_0_BIAS, d_linear_2, 256,
                            image_2, 784);
    if (image_grad) {
        /* d_image = linear.0.weight' d_linear_2 */
        rnet_linear_grad_input(run, run->batch, 784, 256, d_linear_2, 256,
                               params + DIGITS_LINEAR_0_WEIGHT,
                               RNET_STEPS(RNET_WITH(STORE, d_image, 784)));
        /* image_grad = unpack(d_image) */
        rnet_unpack_rows(run, run->batch, 784, d_image, 784,
                         RNET_STEPS(RNET_WITH(STORE, image_grad, 784)));
    }
}

/* ---- entry points ---- */

_Static_assert(RNET_WORKER_FLOATS == 49152,
               "librnet and rnetc do not belong together");
enum rnet_status digits_infer(const float *params, const float *image,
                              float *logits, size_t batch,
                              struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, DIGITS_INFER_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if (!image || !logits)
        return RNET_NULL;
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
    digits_infer_pass(run, params, memory, image, NULL, logits);
    rnet_end(run);
    return RNET_OK;
}

static enum rnet_status infer_by_table(const float *params,
    const void *const *inputs, float *const *outputs,
    size_t batch, struct rnet_work *work)
{
    if (!inputs || !outputs)
        return RNET_NULL;
    return digits_infer(params, (const float *)inputs[0], outputs[0], batch,
                        work);
}

enum rnet_status digits_train(float *params, const float *image,
                              const int32_t *label, float *logits, float *loss,
                              float *grads, float *image_grad, size_t batch,
                              struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, DIGITS_TRAIN_BYTES(batch,
            rnet_work_threads(work)), RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if ((status = rnet_check_array(params)) != RNET_OK)
        return status;
    if ((status = rnet_check_array(grads)) != RNET_OK)
        return status;
    if (!image || !label || !loss)
        return RNET_NULL;
    status = rnet_check_indices(label, batch, 10);
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
    digits_forward_pass(run, params, memory, image, label, logits);
    *loss = 0;
    digits_backward_pass(run, params, grads, memory, memory + 99136 * strips,
                         image, label, loss, image_grad);
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
    return digits_train(params, (const float *)inputs[0],
                        (const int32_t *)inputs[1],
                        outputs ? outputs[0] : NULL, loss, grads,
                        input_grads ? input_grads[0] : NULL, batch, work);
}

/* ---- the table ---- */

static const struct rnet_tensor tensors[] = {
    { .name = "linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 256, 784 }, .floats = 204800, .trainable = 1,
      .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.050507627f },
    { .name = "linear.0.bias", .groups = 1, .rank = 1, .shape = { 256 },
      .offset = 204800, .floats = 256, .trainable = 1 },
    { .name = "linear.1.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 10, 256 }, .offset = 205056, .floats = 2560,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL,
      .spread = 0.088388348f },
    { .name = "linear.1.bias", .groups = 1, .rank = 1, .shape = { 10 },
      .offset = 207616, .floats = 16, .trainable = 1 },
    { .name = "residual.#.linear.0.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 256, 256 }, .offset = 207632,
      .floats = 65536, .repeats = 1, .repeat = { { 4, 131584 } },
      .index = { { 0, { 1 } } }, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.088388348f },
    { .name = "residual.#.linear.0.bias", .groups = 1, .rank = 1,
      .shape = { 256 }, .offset = 273168, .floats = 256,
      .repeats = 1, .repeat = { { 4, 131584 } }, .index = { { 0, { 1 } } },
      .trainable = 1 },
    { .name = "residual.#.linear.1.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 256, 256 }, .offset = 273424,
      .floats = 65536, .repeats = 1, .repeat = { { 4, 131584 } },
      .index = { { 0, { 1 } } }, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.088388348f },
    { .name = "residual.#.linear.1.bias", .groups = 1, .rank = 1,
      .shape = { 256 }, .offset = 338960, .floats = 256,
      .repeats = 1, .repeat = { { 4, 131584 } }, .index = { { 0, { 1 } } },
      .trainable = 1 },
};

static const struct rnet_port inputs[] = {
    { .name = "image", .integer = 0, .target = 0, .classes = 0,
      .rank = 2, .shape = { 28, 28 }, .size = 784 },
    { .name = "label", .integer = 1, .target = 1, .classes = 10,
      .rank = 0, .shape = { 0 }, .size = 1 },
};

static const struct rnet_port outputs[] = {
    { .name = "logits", .integer = 0, .target = 0, .classes = 0,
      .rank = 1, .shape = { 10 }, .size = 10 },
};

static size_t infer_bytes(size_t batch, int threads)
{
    (void)batch;
    return DIGITS_INFER_BYTES(batch, threads);
}

static size_t train_bytes(size_t batch, int threads)
{
    (void)batch;
    return DIGITS_TRAIN_BYTES(batch, threads);
}

const struct rnet_network digits = {
    .version = RNET_VERSION,
    .name = "digits",
    .trainable = 729866,
    .grad_floats = 733968,
    .param_floats = 733968,
    .tensors = tensors,
    .tensor_rows = 8,
    .inputs = inputs,
    .outputs = outputs,
    .input_count = 2,
    .output_count = 1,
    .infer_bytes = infer_bytes,
    .train_bytes = train_bytes,
    .infer = infer_by_table,
    .train = train_by_table,
};

enum rnet_status digits_init(float *params, uint64_t seed)
{
    return rnet_init_params(&digits, params, seed);
}
