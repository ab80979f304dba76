/* run.c: a network named NAME (emitted header given by -include) runs once
 * forward and, with a loss, backward, through its table: all that comes out is
 * finite. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 2, MOST = 512 };

static const struct rnet_network *const rnet_tested = &NAME;

static void *array(const struct rnet_port *port)
{
    float *values = calloc(BATCH * port->size + 1, sizeof *values);

    for (size_t i = 0; values && !port->integer && i < BATCH * port->size; i++)
        values[i] = (float)(i % 5) / 4;
    return values;
}

static int all_finite(float *const *outputs)
{
    for (int k = 0; k < rnet_tested->output_count; k++)
        for (size_t i = 0; i < BATCH * rnet_tested->outputs[k].size; i++)
            if (!isfinite(outputs[k][i]))
                return 0;
    return 1;
}

int main(void)
{
    static const void *inputs[MOST];
    static float *outputs[MOST];
    float *params = rnet_alloc(rnet_tested->param_floats + 16), loss = 0;
    float *grads = rnet_alloc(rnet_tested->grad_floats + 16);
    size_t bytes = rnet_tested->infer_bytes(BATCH, 1);
    struct rnet_work work = { 0 };

    if (rnet_tested->train && rnet_tested->train_bytes(BATCH, 1) > bytes)
        bytes = rnet_tested->train_bytes(BATCH, 1);
    work.memory = rnet_alloc_bytes(work.bytes = bytes);
    for (int k = 0; k < rnet_tested->input_count && k < MOST; k++)
        inputs[k] = array(&rnet_tested->inputs[k]);
    for (int k = 0; k < rnet_tested->output_count && k < MOST; k++)
        outputs[k] = array(&rnet_tested->outputs[k]);
    rnet_init_params(rnet_tested, params, 1);
    if (rnet_tested->infer(params, inputs, outputs, BATCH, &work) != RNET_OK)
        return printf("%s: infer fails\n", rnet_tested->name), 1;
    if (rnet_tested->train && rnet_tested->train(params, inputs, outputs, &loss, grads, NULL,
                                 BATCH, &work) != RNET_OK)
        return printf("%s: train fails\n", rnet_tested->name), 1;
    if (!all_finite(outputs) || !isfinite(loss))
        return printf("%s: not finite\n", rnet_tested->name), 1;
    return 0;
}
