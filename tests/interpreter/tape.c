/* tape.c: memory of tensors; the words that dropout draws. */
#include "tape.h"

struct tensor *tensor_new(struct machine *m, size_t size)
{
    struct tensor *t = NEW(m->arena, struct tensor);

    t->size = size;
    t->x = keep(m, size);
    t->dx = m->training ? keep(m, size) : NULL;
    return t;
}

real *keep(struct machine *m, size_t count)
{
    return arena_alloc(m->arena, (count + 1) * sizeof(real));
}

double *margins_new(struct machine *m, size_t count)
{
    struct outcome *o = m->outcome;
    struct margins *margins = NEW(m->arena, struct margins);

    margins->count = count;
    margins->value = arena_alloc(m->arena, (count + 1) * sizeof(double));
    if (o->last)
        o->last->next = margins;
    else
        o->margins = margins;
    o->last = margins;
    return margins->value;
}

void note_term(struct machine *m, real term)
{
    if (fabs((double)term) > m->outcome->steepest)
        m->outcome->steepest = fabs((double)term);
}

/* Philox4x32-10: Salmon et al. 2011, "Parallel random numbers: as easy as 1,
 * 2, 3", section 3.3 and table 2. */
static void philox(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    for (int round = 0; round < 10; round++) {
        uint64_t a = UINT64_C(0xD2511F53) * c[0];
        uint64_t b = UINT64_C(0xCD9E8D57) * c[2];
        uint32_t c1 = c[1], c3 = c[3];

        c[0] = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c[1] = (uint32_t)b;
        c[2] = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c[3] = (uint32_t)a;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
}

uint32_t dropout_word(const struct machine *m, int64_t key, size_t row,
                      size_t feature)
{
    uint32_t words[4] = { (uint32_t)row, (uint32_t)(feature / 4),
                          (uint32_t)key, (uint32_t)m->feed->step };

    philox(words, (uint32_t)m->feed->seed, (uint32_t)(m->feed->seed >> 32));
    return words[feature % 4];
}

double drop_chance(const struct node *node)
{
    return (double)(float)node->point.number;
}
