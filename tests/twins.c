/* twins.c: two networks that are the same function when the first is as it was
 * initialised.
 *
 *     cc -DFIRST=streamed -DSECOND=plain ...     twins FACTOR TOLERANCE
 *
 * Every tensor of the second is one of the first's, by name, and takes its
 * values; on the same random input the outputs of the first times FACTOR are
 * those of the second, to TOLERANCE of the largest. */
#include "sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct rnet_network FIRST, SECOND;

enum { BATCH = 7 };

static void fail(const char *what, const char *name)
{
    printf("twins: %s: %s\n", name, what);
    exit(1);
}

/* The second's parameters from the first's. */
static void take(const struct sample *from, struct sample *to)
{
    for (size_t i = 0; i < rnet_tensor_count(to->net); i++) {
        struct rnet_entry mine, its;
        rnet_tensor_at(to->net, i, &mine);
        if (rnet_tensor_find(from->net, mine.name, &its) != RNET_OK
            || its.size != mine.size)
            fail("no such tensor in the first network", mine.name);
        float *values = rnet_alloc(mine.size);
        if (!values)
            exit(2);
        rnet_unpack(&its, from->params, values);
        rnet_pack(&mine, to->params, values);
        rnet_free(values);
    }
}

static void infer(struct sample *sample)
{
    enum rnet_status status = sample_infer(sample);
    if (status != RNET_OK)
        fail(rnet_status_text(status), sample->net->name);
}

int main(int count, char **argument)
{
    struct sample first, second;
    double factor = count > 2 ? atof(argument[1]) : 1;
    double tolerance = count > 2 ? atof(argument[2]) : 1e-6;
    double worst = 0, most = 0;
    size_t size = FIRST.outputs[0].size * BATCH;

    sample_make(&first, &FIRST, BATCH, 1, 3);
    sample_make(&second, &SECOND, BATCH, 1, 3);
    rnet_init_params(&FIRST, first.params, 5);
    take(&first, &second);
    memcpy(second.input[0], first.input[0],
           FIRST.inputs[0].size * BATCH * sizeof(float));
    infer(&first);
    infer(&second);
    for (size_t i = 0; i < size; i++) {
        double x = first.output[0][i] * factor, y = second.output[0][i];
        worst = fmax(worst, fabs(x - y));
        most = fmax(most, fabs(y));
    }
    printf("%s: differs by %.1e of the largest, %g\n", FIRST.name,
           worst / most, most);
    sample_free(&first);
    sample_free(&second);
    return !(most > 0.1 && worst <= tolerance * most);
}
