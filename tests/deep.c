/* deep.c: a very deep network trains: its gradient along a random direction
 * agrees with a finite difference, taken in the double build; in float, with
 * the number that the double build found: deep [SLOPE]. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rnet.h"

extern const struct rnet_network NETWORK;

enum { BATCH = 3 };

struct problem {
    float *params, *grads, *image;
    int32_t label[BATCH];
    struct rnet_work work;
};

static float next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(*state >> 40) / (1 << 23) - 1);
}

static int loss_of(struct problem *p, float *loss)
{
    const void *inputs[] = { p->image, p->label };

    rnet_zero(&NETWORK, p->grads);
    return NETWORK.train(p->params, inputs, NULL, loss, p->grads, NULL, BATCH,
                         &p->work) == RNET_OK && isfinite(*loss);
}

static void move(struct problem *p, const float *direction, double length)
{
    for (size_t i = 0; i < NETWORK.grad_floats; i++)
        p->params[i] += (float)(length * (double)direction[i]);
}

/* Padding stays zero: the gradient's own padding is, and masks it. */
static void choose_direction(const struct problem *p, float *direction)
{
    uint64_t state = 7;

    for (size_t i = 0; i < NETWORK.grad_floats; i++) {
        float r = next_random(&state);
        direction[i] = p->grads[i] != 0 ? r : 0;
    }
}

int main(int argc, char **argv)
{
    size_t bytes = NETWORK.train_bytes(BATCH, 1);
    size_t image = NETWORK.inputs[0].size;
    struct problem p = { rnet_alloc(NETWORK.param_floats),
                         rnet_alloc(NETWORK.grad_floats),
                         rnet_alloc(BATCH * image), { 1, 4, 7 },
                         { .memory = rnet_alloc_bytes(bytes),
                           .bytes = bytes } };
    float *direction = rnet_alloc(NETWORK.grad_floats), loss, above = 0, below = 0;
    double step = 1e-7, slope = 0, difference;
    double bound = argc > 1 ? 5e-3 : 1e-6;
    uint64_t state = 3;

    rnet_init_params(&NETWORK, p.params, 1);
    for (size_t i = 0; i < BATCH * image; i++)
        p.image[i] = next_random(&state);
    if (!loss_of(&p, &loss))
        return puts("FAILED: the loss is not finite"), 1;
    choose_direction(&p, direction);
    for (size_t i = 0; i < NETWORK.grad_floats; i++)
        slope += (double)p.grads[i] * (double)direction[i];
    int good = 1;
    if (argc > 1) {
        difference = atof(argv[1]);
    } else {
        move(&p, direction, step);
        good &= loss_of(&p, &above);
        move(&p, direction, -2 * step);
        good &= loss_of(&p, &below);
        difference = ((double)above - (double)below) / (2 * step);
    }
    double error = fabs(difference - slope) / (fabs(slope) + 1e-3);
    printf("%.9g along a direction, expected %.9g, relative error %.2g, loss "
           "%.6f\n", slope, difference, error, (double)loss);
    return good && error < bound ? 0 : 1;
}
