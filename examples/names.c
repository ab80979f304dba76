/* names.c: trains a language model of names, letter by letter, and lets it
 * invent some.
 *
 *     names [FILE [STEPS]]
 *
 * FILE has a name a line; without it names are invented, by rules that the
 * network is not told, and what a letter costs at least is known: the loss can
 * be compared with it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "letters.h"

#include "random.h"
#include "setup.h"
#include "words.h"

#define BATCH   64              /* sequences of LETTERS_LENGTH letters */
#define SHOWN   100             /* steps between two lines */
#define HELD_OUT 1024           /* names to test with, at most */
#define SAMPLES 200             /* names that it invents at the end */
#define PRINTED 20

_Static_assert(LETTERS_SYMBOLS == WORDS_LETTERS, "letters");
_Static_assert(LETTERS_LENGTH > WORDS_LONGEST, "a name fits in a sequence");

struct trainer {
    struct words words;
    size_t learnt;              /* names; those after them are held out */
    float *params, *grads, *logits;
    struct rnet_adam adam;
    struct rnet_work work;
    struct random random;
    int32_t letter[SAMPLES][LETTERS_LENGTH], next[BATCH][LETTERS_LENGTH];
};

/* Some of the names: learnt, or held out. */
struct range { size_t first, end; };

/* Names of the range one after the other, from one of them on, a 0 before
 * each, cut at LETTERS_LENGTH. */
static void sequence(const struct words *words, struct range range,
                     size_t name, int32_t *letter, int32_t *next)
{
    const int32_t *from = words->text + words->start[name];
    int32_t before = 0;

    for (int t = 0; t < LETTERS_LENGTH; t++) {
        letter[t] = before;
        next[t] = before = *from++;
        if (before)
            continue;
        name = name + 1 < range.end ? name + 1 : range.first;
        from = words->text + words->start[name];
    }
}

static void batch(struct trainer *t, struct range range)
{
    uint32_t count = (uint32_t)(range.end - range.first);

    for (size_t i = 0; i < BATCH; i++)
        sequence(&t->words, range,
                 range.first + random_below(&t->random, count), t->letter[i],
                 t->next[i]);
}

static float step(struct trainer *t, float rate)
{
    float loss = 0;

    batch(t, (struct range) { 0, t->learnt });
    rnet_zero(&letters, t->grads);
    setup_must(letters_train(t->params, t->letter[0], t->next[0], NULL, &loss,
                           t->grads, BATCH, &t->work), "training");
    rnet_clip(&letters, t->grads, 1);
    t->adam.rate = rate;
    setup_must(rnet_adam_step(&letters, &t->adam, t->params, t->grads,
                              &t->work), "the optimiser");
    return loss;
}

static void infer(struct trainer *t, size_t count)
{
    setup_must(letters_infer(t->params, t->letter[0], t->logits, count,
                           &t->work), "inference");
}

/* log sum e^x */
static double log_sum(const float *x)
{
    double sum = 1;

    for (int i = 1; i < LETTERS_SYMBOLS; i++)
        sum += exp((double)x[i] - (double)x[0]);
    return log(sum) + (double)x[0];
}

/* Sum of -log p over the letters of sequence i up to its end, and how many. */
static double cost(const struct trainer *t, int i, const int32_t *name,
                   size_t *count)
{
    const float *x = t->logits + i * LETTERS_LENGTH * LETTERS_SYMBOLS;
    double sum = 0;

    do {
        sum += log_sum(x) - (double)x[*name];
        x += LETTERS_SYMBOLS;
        ++*count;
    } while (*name++);
    return sum;
}

/* Mean of -log p over the letters of names that were not learnt, some at
 * most, each by itself. */
static double held_out_loss(struct trainer *t)
{
    double sum = 0;
    size_t costs = 0, end = t->words.count;

    if (end > t->learnt + HELD_OUT)
        end = t->learnt + HELD_OUT;
    for (size_t first = t->learnt; first < end; first += BATCH) {
        int count = end - first < BATCH ? (int)(end - first) : BATCH;
        for (int i = 0; i < count; i++)
            sequence(&t->words, (struct range) { t->learnt, end },
                     first + (size_t)i, t->letter[i], t->next[i]);
        infer(t, (size_t)count);
        for (int i = 0; i < count; i++)
            sum += cost(t, i, t->words.text + t->words.start[first
                                                             + (size_t)i],
                        &costs);
    }
    return sum / (double)costs;
}

/* A letter with its probability. */
static int32_t draw(struct trainer *t, const float *x)
{
    double left = (double)random_unit(&t->random), all = log_sum(x);
    int32_t letter = 0;

    while (letter < LETTERS_SYMBOLS - 1
           && (left -= exp((double)x[letter] - all)) >= 0)
        letter++;
    return letter;
}

/* t->letter[i] becomes a 0, a name, its 0. */
static void invent(struct trainer *t)
{
    memset(t->letter, 0, sizeof t->letter);
    for (int at = 0; at + 2 < LETTERS_LENGTH; at++) {
        infer(t, SAMPLES);
        for (int i = 0; i < SAMPLES; i++)
            if (at == 0 || t->letter[i][at])
                t->letter[i][at + 1] =
                    draw(t, t->logits + (i * LETTERS_LENGTH + at)
                                            * LETTERS_SYMBOLS);
    }
}

static void print_invented(struct trainer *t, bool by_rules)
{
    int possible = 0;

    invent(t);
    printf("invented:");
    for (int i = 0; i < SAMPLES; i++) {
        possible += words_possible(t->letter[i] + 1);
        for (int k = 1; i < PRINTED && t->letter[i][k]; k++)
            printf("%s%c", k == 1 ? " " : "", 'a' - 1 + t->letter[i][k]);
    }
    putchar('\n');
    if (by_rules)
        printf("%d of %d follow the rules\n", possible, SAMPLES);
}

static void set_up(struct trainer *t)
{
    int threads = (int)sysconf(_SC_NPROCESSORS_ONLN);

    t->learnt = t->words.count - t->words.count / 10;
    t->params = setup_floats(LETTERS_PARAM_FLOATS);
    t->grads = setup_floats(LETTERS_GRAD_FLOATS);
    t->logits = setup_floats((size_t)SAMPLES * LETTERS_LOGITS_SIZE);
    t->adam = (struct rnet_adam) {
        .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8,
        .moment1 = setup_floats(LETTERS_GRAD_FLOATS),
        .moment2 = setup_floats(LETTERS_GRAD_FLOATS)
    };
    t->work = setup_work(&letters, SAMPLES, threads > 0 ? threads : 1);
    t->random = (struct random) { 1 };
    setup_must(letters_init(t->params, 1), "initial weights");
}

static void clean_up(struct trainer *t)
{
    words_free(&t->words);
    rnet_free(t->params);
    rnet_free(t->grads);
    rnet_free(t->logits);
    rnet_free(t->adam.moment1);
    rnet_free(t->adam.moment2);
    setup_work_free(&t->work);
}

/* Losses are nats a letter, the end of a name is one. */
static void train(struct trainer *t, int steps)
{
    double sum = 0, started = progress_seconds();

    for (int i = 1; i <= steps; i++) {
        sum += (double)step(t, 4e-3f * (float)(steps - i + 1) / (float)steps);
        if (i % SHOWN && i != steps)
            continue;
        printf("step %5d  loss %.4f  held out %.4f  %.0f letters/s\n", i,
               sum / ((i - 1) % SHOWN + 1), held_out_loss(t),
               (double)i * BATCH * LETTERS_LENGTH
                   / (progress_seconds() - started));
        fflush(stdout);
        sum = 0;
    }
}

int main(int argc, char **argv)
{
    static struct trainer trainer;
    struct trainer *t = &trainer;
    const char *path = argc > 1 ? argv[1] : NULL;
    int steps = argc > 2 ? atoi(argv[2]) : 1000;

    if (argc > 3 || steps < 1 || (path && *path == '-')) {
        fputs("usage: names [FILE [STEPS]]\n", stderr);
        return 2;
    }
    if (path && !words_read(&t->words, path, 1)) {
        fprintf(stderr, "error: %s: cannot read 20 names from it\n", path);
        return 1;
    }
    if (!path)
        t->words = words_invent(20000, 1);
    set_up(t);
    printf("%zu names, %d LSTMs of %d, %d parameters\n", t->words.count,
           LETTERS_DEPTH, LETTERS_WIDTH, LETTERS_PARAMETERS);
    if (!path)
        printf("no loss can be below their rules' %.4f\n",
               t->words.surprise / (double)t->words.letters);
    train(t, steps);
    print_invented(t, !path);
    clean_up(t);
    return 0;
}
