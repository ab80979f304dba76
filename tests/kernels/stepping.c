/* stepping.c: parameters whose step is done where their gradient is made. */
#include "trial.h"

#include <string.h>

/* Velocities of padding are 0, as the padding is. */
static float *velocities(struct trial *t, const float *w, long count)
{
    float *velocity = room(t, count, 64);

    for (long i = 0; i < count; i++)
        velocity[i] = w[i] != 0 ? whole(t, -2, 2) : 0;
    return added_to(t, velocity, count);
}

struct stepping stepping(struct trial *t, const float *w, long weights,
                         long biases)
{
    long count = weights + (biases + 15) / 16 * 16;
    float *all = room(t, count, 64);
    struct stepping s = { .w = all, .b = biases ? all + weights : NULL,
                          .weights = weights, .biases = biases };

    memset(all, 0, (size_t)count * sizeof *all);
    memcpy(all, w, (size_t)weights * sizeof *all);
    for (long i = 0; i < biases; i++)
        s.b[i] = whole(t, -4, 4);
    s.velocity = velocities(t, all, count);
    struct rnet_sgd sgd = { .rate = 1, .momentum = 2, .decay = 1,
                            .velocity = s.velocity };
    rnet_begin_sgd(&t->run, &t->update, &sgd, all);
    added_to(t, all, count);
    return s;
}

/* m = 2 m + g; w -= m */
static void step_one(float *w, float *m, float g)
{
    *m = 2 * *m + g;
    *w -= *m;
}

void book_step(const struct stepping *s, const float *dw, const float *db)
{
    for (long i = 0; i < s->weights; i++)
        step_one(s->w + i, s->velocity + i, dw[i] + s->w[i]);
    for (long i = 0; i < s->biases; i++)
        step_one(s->b + i, s->velocity + s->weights + i, db[i]);
}
