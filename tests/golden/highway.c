/* highway: emitted by rnetc 0.1.0 from highway.rnet; do not edit.
 *
 * 289660 parameters, 1 block.  Values lie where the plan put them: `saved` is
 * what the backward pass reads, `scratch` lives for one pass.  The layouts
 * and the kernels are described in rnet_kernels.h. */
#include "highway.h"

#include <rnet_kernels.h>

/* ---- highway_layer_50 (highway.rnet:6) of [50] ----
 *
 *     block highway_layer(width, bias) {
 *         shortcut gated(bias = bias)
 *         linear(width) -> relu
 *     }
 */

enum {           /* where its parameters lie, in floats */
    HIGHWAY_LAYER_50_GATE_LINEAR_0_WEIGHT = 0,
    HIGHWAY_LAYER_50_GATE_LINEAR_0_BIAS = 3200,
    HIGHWAY_LAYER_50_LINEAR_0_WEIGHT = 3264,
    HIGHWAY_LAYER_50_LINEAR_0_BIAS = 6464,
};

static void highway_layer_50_infer(const struct rnet_run *run,
                                   const float *params, float *scratch,
                                   const float *x, float *y)
{
    float *gate = scratch;
    /* gate = sigmoid(gate.linear.0.weight x + gate.linear.0.bias) */
    rnet_linear(run, run->batch, 50, 50, x, 50,
                params + HIGHWAY_LAYER_50_GATE_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + HIGHWAY_LAYER_50_GATE_LINEAR_0_BIAS),
                           RNET_DO(SIGMOID), RNET_WITH(STORE, gate, 50)));
    /* y = (relu(linear.0.weight x + linear.0.bias) - x) gate + x */
    rnet_linear(run, run->batch, 50, 50, x, 50,
                params + HIGHWAY_LAYER_50_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + HIGHWAY_LAYER_50_LINEAR_0_BIAS),
                           RNET_DO(RELU), RNET_WITH(SUB, x, 50),
                           RNET_WITH(MUL, gate, 50), RNET_WITH(ADD, x, 50),
                           RNET_WITH(STORE, y, 50)));
}

static void highway_layer_50_forward(const struct rnet_run *run,
                                     const float *params, float *saved,
                                     const float *x, float *y)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *gate = saved;
    float *relu = saved + 1600 * strips;
    float *difference = saved + 3200 * strips;
    /* gate = sigmoid(gate.linear.0.weight x + gate.linear.0.bias) */
    rnet_linear(run, run->batch, 50, 50, x, 50,
                params + HIGHWAY_LAYER_50_GATE_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + HIGHWAY_LAYER_50_GATE_LINEAR_0_BIAS),
                           RNET_DO(SIGMOID), RNET_WITH(STORE, gate, 50)));
    /* relu = relu(linear.0.weight x + linear.0.bias) */
    /* difference = relu - x */
    /* y = (difference) gate + x */
    rnet_linear(run, run->batch, 50, 50, x, 50,
                params + HIGHWAY_LAYER_50_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + HIGHWAY_LAYER_50_LINEAR_0_BIAS),
                           RNET_DO(RELU), RNET_WITH(STORE, relu, 50),
                           RNET_WITH(SUB, x, 50),
                           RNET_WITH(STORE, difference, 50),
                           RNET_WITH(MUL, gate, 50), RNET_WITH(ADD, x, 50),
                           RNET_WITH(STORE, y, 50)));
}

static void highway_layer_50_backward(const struct rnet_run *run,
                                      const float *params, float *grads,
                                      float *saved, float *scratch,
                                      const float *x, const float *dy,
                                      float *dx)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    float *difference = saved + 3200 * strips;
    float *gate = saved;
    float *d_x = scratch;
    float *relu = saved + 1600 * strips;
    float *d_linear = scratch + 1600 * strips;
    float *d_linear_2 = scratch + 3200 * strips;
    float *d_x_2 = scratch;
    /* t0 = (dy) difference */
    /* t1 = (dy) gate */
    /* d_x = (t1) -1.0f + dy */
    /* d_linear = relu'(relu) (t1) */
    /* d_linear_2 = sigmoid'(gate) (t0) */
    rnet_point(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 }, 50,
               RNET_STEPS(RNET_WITH(LOAD, dy, 50),
                          RNET_WITH(MUL, difference, 50),
                          RNET_WITH_TEMP(STORE, 0), RNET_WITH(LOAD, dy, 50),
                          RNET_WITH(MUL, gate, 50), RNET_WITH_TEMP(STORE, 1),
                          RNET_BY(MUL, -1.0f), RNET_WITH(ADD, dy, 50),
                          RNET_WITH(STORE, d_x, 50), RNET_WITH_TEMP(LOAD, 1),
                          RNET_WITH(RELU_GRAD, relu, 50),
                          RNET_WITH(STORE, d_linear, 50),
                          RNET_WITH_TEMP(LOAD, 0),
                          RNET_WITH(SIGMOID_GRAD, gate, 50),
                          RNET_WITH(STORE, d_linear_2, 50)));
    rnet_linear_grad_weight(run, run->batch, 50, 50,
                            grads + HIGHWAY_LAYER_50_LINEAR_0_WEIGHT,
                            grads + HIGHWAY_LAYER_50_LINEAR_0_BIAS, d_linear,
                            50, x, 50);
    /* d_x_2 = linear.0.weight' d_linear + d_x */
    rnet_linear_grad_input(run, run->batch, 50, 50, d_linear, 50,
                           params + HIGHWAY_LAYER_50_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(ADD, d_x, 50),
                                      RNET_WITH(STORE, d_x_2, 50)));
    rnet_linear_grad_weight(run, run->batch, 50, 50,
                            grads + HIGHWAY_LAYER_50_GATE_LINEAR_0_WEIGHT,
                            grads + HIGHWAY_LAYER_50_GATE_LINEAR_0_BIAS,
                            d_linear_2, 50, x, 50);
    /* dx = gate.linear.0.weight' d_linear_2 + d_x_2 */
    rnet_linear_grad_input(run, run->batch, 50, 50, d_linear_2, 50,
                           params + HIGHWAY_LAYER_50_GATE_LINEAR_0_WEIGHT,
                           RNET_STEPS(RNET_WITH(ADD, d_x_2, 50),
                                      RNET_WITH(STORE, dx, 50)));
}

/* ---- highway (highway.rnet:11) ----
 *
 *     network highway(width = 50, depth = 49, bias = -4, classes = 10) {
 *         input image [28, 28]
 *         flatten -> linear(width)
 *         repeat depth { highway_layer(width, bias) }
 *         linear(classes)
 *         output logits
 *         loss cross_entropy(logits, label)
 *     }
 */

enum {           /* where its parameters lie, in floats */
    HIGHWAY_LINEAR_0_WEIGHT = 0,
    HIGHWAY_LINEAR_0_BIAS = 40000,
    HIGHWAY_LINEAR_1_WEIGHT = 40064,
    HIGHWAY_LINEAR_1_BIAS = 40704,
};

static void highway_infer_pass(const struct rnet_run *run, const float *params,
                               float *scratch, const float *image,
                               const int32_t *label, float *logits)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *image_2 = scratch;
    float *linear = scratch + 25088 * strips;
    float *x_2 = scratch;
    float *other = scratch + 1600 * strips;
    float *linear_2 = scratch + 1600 * strips;
    /* image_2 = pack(image) */
    rnet_pack_rows(run, run->batch, 784, image, 784,
                   RNET_STEPS(RNET_WITH(STORE, image_2, 784)));
    /* linear = linear.0.weight image_2 + linear.0.bias */
    rnet_linear(run, run->batch, 784, 50, image_2, 784,
                params + HIGHWAY_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + HIGHWAY_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 50)));
    for (long i = 0; i < 49; i++) {
        const float *p = params + 40720 + i * 6528;
        float *y_2 = (48 - i) % 2 ? other : x_2;
        const float *x_3 = i == 0 ? linear : (48 - i) % 2 ? x_2 : other;
        highway_layer_50_infer(run, p, scratch + 26688 * strips, x_3, y_2);
    }
    /* linear_2 = linear.1.weight x_2 + linear.1.bias */
    rnet_linear(run, run->batch, 50, 10, x_2, 50,
                params + HIGHWAY_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + HIGHWAY_LINEAR_1_BIAS),
                           RNET_WITH(STORE, linear_2, 10)));
    /* logits = unpack(linear_2) */
    rnet_unpack_rows(run, run->batch, 10, linear_2, 10,
                     RNET_STEPS(RNET_WITH(STORE, logits, 10)));
}

static void highway_forward_pass(const struct rnet_run *run,
                                 const float *params, float *saved,
                                 const float *image, const int32_t *label,
                                 float *logits)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)label;
    float *image_2 = saved;
    float *linear = saved + 25088 * strips;
    float *x_2 = saved + 26688 * strips;
    float *kept_2 = saved + 263808 * strips;
    float *linear_2 = saved + 28288 * strips;
    /* image_2 = pack(image) */
    rnet_pack_rows(run, run->batch, 784, image, 784,
                   RNET_STEPS(RNET_WITH(STORE, image_2, 784)));
    /* linear = linear.0.weight image_2 + linear.0.bias */
    rnet_linear(run, run->batch, 784, 50, image_2, 784,
                params + HIGHWAY_LINEAR_0_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + HIGHWAY_LINEAR_0_BIAS),
                           RNET_WITH(STORE, linear, 50)));
    for (long i = 0; i < 49; i++) {
        const float *p = params + 40720 + i * 6528;
        float *kept = saved + 28608 * strips + i * (4800 * strips);
        const float *x_3 = i ? kept_2 + (i - 1) * (1600 * strips) : linear;
        float *y_2 = i < 48 ? kept_2 + i * (1600 * strips) : x_2;
        highway_layer_50_forward(run, p, kept, x_3, y_2);
    }
    /* linear_2 = linear.1.weight x_2 + linear.1.bias */
    rnet_linear(run, run->batch, 50, 10, x_2, 50,
                params + HIGHWAY_LINEAR_1_WEIGHT,
                RNET_STEPS(RNET_BY_FEATURE(ADD,
                                           params + HIGHWAY_LINEAR_1_BIAS),
                           RNET_WITH(STORE, linear_2, 10)));
    if (logits) {
        /* logits = unpack(linear_2) */
        rnet_unpack_rows(run, run->batch, 10, linear_2, 10,
                         RNET_STEPS(RNET_WITH(STORE, logits, 10)));
    }
}

static void highway_backward_pass(const struct rnet_run *run,
                                  const float *params, float *grads,
                                  float *saved, float *scratch,
                                  const float *image, const int32_t *label,
                                  float *loss, float *image_grad)
{
    const long strips = RNET_STRIP_COUNT(run->batch);
    (void)image;
    float *linear = saved + 28288 * strips;
    float *d_linear = scratch;
    float *lines = scratch + 320 * strips;
    float *x_2 = saved + 26688 * strips;
    float *d_x = scratch + 25088 * strips;
    float *kept_2 = saved + 263808 * strips;
    float *linear_2 = saved + 25088 * strips;
    float *d_linear_2 = scratch + 25088 * strips;
    float *image_2 = saved;
    float *d_image = scratch;
    /* d_linear = dloss / dlinear */
    rnet_cross_entropy(run, (struct rnet_rows) { RNET_STRIPS, run->batch, 1 },
                       10, 1.0f, linear, 10, label, lines, loss,
                       RNET_STEPS(RNET_WITH(STORE, d_linear, 10)));
    rnet_linear_grad_weight(run, run->batch, 50, 10,
                            grads + HIGHWAY_LINEAR_1_WEIGHT,
                            grads + HIGHWAY_LINEAR_1_BIAS, d_linear, 10, x_2,
                            50);
    /* d_x = linear.1.weight' d_linear */
    rnet_linear_grad_input(run, run->batch, 50, 10, d_linear, 10,
                           params + HIGHWAY_LINEAR_1_WEIGHT,
                           RNET_STEPS(RNET_WITH(STORE, d_x, 50)));
    for (long i = 48; i >= 0; i--) {
        const float *p = params + 40720 + i * 6528;
        float *g = grads + 40720 + i * 6528;
        float *kept = saved + 28608 * strips + i * (4800 * strips);
        const float *x_3 = i ? kept_2 + (i - 1) * (1600 * strips) : linear_2;
        const float *dy_2 = i == 48 ? d_x : d_linear_2;
        float *dx_2 = d_linear_2;
        highway_layer_50_backward(run, p, g, kept, scratch + 26688 * strips,
                                  x_3, dy_2, dx_2);
    }
    rnet_linear_grad_weight(run, run->batch, 784, 50,
                            grads + HIGHWAY_LINEAR_0_WEIGHT,
                            grads + HIGHWAY_LINEAR_0_BIAS, d_linear_2, 50,
                            image_2, 784);
    if (image_grad) {
        /* d_image = linear.0.weight' d_linear_2 */
        rnet_linear_grad_input(run, run->batch, 784, 50, d_linear_2, 50,
                               params + HIGHWAY_LINEAR_0_WEIGHT,
                               RNET_STEPS(RNET_WITH(STORE, d_image, 784)));
        /* image_grad = unpack(d_image) */
        rnet_unpack_rows(run, run->batch, 784, d_image, 784,
                         RNET_STEPS(RNET_WITH(STORE, image_grad, 784)));
    }
}

/* ---- entry points ---- */

_Static_assert(RNET_WORKER_FLOATS == 49152,
               "librnet and rnetc do not belong together");
enum rnet_status highway_infer(const float *params, const float *image,
                               float *logits, size_t batch,
                               struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, HIGHWAY_INFER_BYTES(batch,
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
    highway_infer_pass(run, params, memory, image, NULL, logits);
    rnet_end(run);
    return RNET_OK;
}

static enum rnet_status infer_by_table(const float *params,
    const void *const *inputs, float *const *outputs,
    size_t batch, struct rnet_work *work)
{
    if (!inputs || !outputs)
        return RNET_NULL;
    return highway_infer(params, (const float *)inputs[0], outputs[0], batch,
                         work);
}

enum rnet_status highway_train(float *params, const float *image,
                               const int32_t *label, float *logits,
                               float *loss, float *grads, float *image_grad,
                               size_t batch, struct rnet_work *work)
{
    enum rnet_status status;

    status = rnet_check_work(work, 0, RNET_VERSION);
    if (status != RNET_OK)
        return status;
    if (batch > 1073741824)
        return RNET_BAD_BATCH;
    status = rnet_check_work(work, HIGHWAY_TRAIN_BYTES(batch,
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
    highway_forward_pass(run, params, memory, image, label, logits);
    *loss = 0;
    highway_backward_pass(run, params, grads, memory, memory + 340608 * strips,
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
    return highway_train(params, (const float *)inputs[0],
                         (const int32_t *)inputs[1],
                         outputs ? outputs[0] : NULL, loss, grads,
                         input_grads ? input_grads[0] : NULL, batch, work);
}

/* ---- the table ---- */

static const struct rnet_tensor tensors[] = {
    { .name = "linear.0.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 50, 784 }, .floats = 40000, .trainable = 1,
      .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.050507627f },
    { .name = "linear.0.bias", .groups = 1, .rank = 1, .shape = { 50 },
      .offset = 40000, .floats = 64, .trainable = 1 },
    { .name = "linear.1.weight", .pack = RNET_PACK_PANELS, .groups = 1,
      .rank = 2, .shape = { 10, 50 }, .offset = 40064, .floats = 640,
      .trainable = 1, .decay = 1, .init = RNET_INIT_NORMAL, .spread = 0.2f },
    { .name = "linear.1.bias", .groups = 1, .rank = 1, .shape = { 10 },
      .offset = 40704, .floats = 16, .trainable = 1 },
    { .name = "highway_layer.#.gate.linear.0.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 50, 50 }, .offset = 40720,
      .floats = 3200, .repeats = 1, .repeat = { { 49, 6528 } },
      .index = { { 0, { 1 } } }, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.2f },
    { .name = "highway_layer.#.gate.linear.0.bias", .groups = 1, .rank = 1,
      .shape = { 50 }, .offset = 43920, .floats = 64,
      .repeats = 1, .repeat = { { 49, 6528 } }, .index = { { 0, { 1 } } },
      .trainable = 1, .mean = -4.0f },
    { .name = "highway_layer.#.linear.0.weight", .pack = RNET_PACK_PANELS,
      .groups = 1, .rank = 2, .shape = { 50, 50 }, .offset = 43984,
      .floats = 3200, .repeats = 1, .repeat = { { 49, 6528 } },
      .index = { { 0, { 1 } } }, .trainable = 1, .decay = 1,
      .init = RNET_INIT_NORMAL, .spread = 0.2f },
    { .name = "highway_layer.#.linear.0.bias", .groups = 1, .rank = 1,
      .shape = { 50 }, .offset = 47184, .floats = 64,
      .repeats = 1, .repeat = { { 49, 6528 } }, .index = { { 0, { 1 } } },
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
    return HIGHWAY_INFER_BYTES(batch, threads);
}

static size_t train_bytes(size_t batch, int threads)
{
    (void)batch;
    return HIGHWAY_TRAIN_BYTES(batch, threads);
}

const struct rnet_network highway = {
    .version = RNET_VERSION,
    .name = "highway",
    .trainable = 289660,
    .grad_floats = 360592,
    .param_floats = 360592,
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

enum rnet_status highway_init(float *params, uint64_t seed)
{
    return rnet_init_params(&highway, params, seed);
}
