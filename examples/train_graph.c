/* train_graph.c: trains a graph convolutional network on papers that cite each
 * other, a few of which have a known subject, and tells the others'.
 *
 *     train_graph [NODES EDGES [RUNS]]
 *
 * Without files papers are invented; papers.h says how files are written.  The
 * whole graph is one batch, so a step is an epoch.  The settings are Kipf &
 * Welling's 2017: Adam, 200 epochs, weight decay 5e-4.  What counts is the
 * accuracy on the test papers after the epoch that was best on the validation
 * papers; of several RUNS, with seeds 1, 2, ..., the mean. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gcn.h"

#include "papers.h"
#include "setup.h"

#define EPOCHS 200
#define SHOWN  20               /* epochs between two lines */

struct trainer {
    struct papers papers;
    float *params, *grads, *scores;
    int32_t *subject;           /* of the papers to train with; others: -1 */
    struct rnet_adam adam;
    struct rnet_work work;
};

/* Share of a part's papers whose subject has the highest score. */
static double accuracy(const struct trainer *t, enum papers_part part)
{
    size_t right = 0, count = 0;

    for (size_t i = 0; i < t->papers.count; i++)
        if (t->papers.part[i] == part) {
            right += setup_correct(t->scores + i * GCN_SUBJECTS,
                                   t->papers.subject + i, 1, GCN_SUBJECTS);
            count++;
        }
    return count ? (double)right / (double)count : 0;
}

static float train_epoch(struct trainer *t)
{
    float loss;

    rnet_zero(&gcn, t->grads);
    setup_must(gcn_train(t->params, t->papers.words, &t->papers.cites,
                         t->subject, NULL, &loss, t->grads, NULL,
                         t->papers.count, &t->work), "training");
    setup_must(rnet_adam_step(&gcn, &t->adam, t->params, t->grads, &t->work),
               "rnet_adam_step");
    setup_must(gcn_infer(t->params, t->papers.words, &t->papers.cites,
                         t->scores, t->papers.count, &t->work), "inference");
    return loss;
}

/* A new beginning.  Returns the test accuracy where validation was best. */
static double run(struct trainer *t, uint64_t seed)
{
    double best = -1, chosen = 0;

    memset(t->adam.moment1, 0, GCN_GRAD_FLOATS * sizeof(float));
    memset(t->adam.moment2, 0, GCN_GRAD_FLOATS * sizeof(float));
    t->adam.step = t->work.step = 0;
    t->work.seed = seed;
    setup_must(gcn_init(t->params, seed), "initial weights");
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        float loss = train_epoch(t);
        double valid = accuracy(t, PAPERS_VAL), test = accuracy(t, PAPERS_TEST);

        if (valid > best) {
            best = valid;
            chosen = test;
        }
        if (epoch % SHOWN == 0)
            printf("epoch %3d  loss %.4f  validation %.1f %%  test %.1f %%\n",
                   epoch, (double)loss, 100 * valid, 100 * test);
    }
    printf("seed %llu: test %.1f %% where validation was best, %.1f %%\n",
           (unsigned long long)seed, 100 * chosen, 100 * best);
    fflush(stdout);
    return chosen;
}

static void set_up(struct trainer *t)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    t->params = setup_floats(GCN_PARAM_FLOATS);
    t->grads = setup_floats(GCN_GRAD_FLOATS);
    t->scores = setup_floats(t->papers.count * GCN_SUBJECTS);
    t->subject = setup_labels(t->papers.count);
    for (size_t i = 0; i < t->papers.count; i++)
        t->subject[i] = t->papers.part[i] == PAPERS_TRAIN
            ? t->papers.subject[i] : -1;
    t->adam = (struct rnet_adam) {
        .rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8,
        .decay = 5e-4, .moment1 = setup_floats(GCN_GRAD_FLOATS),
        .moment2 = setup_floats(GCN_GRAD_FLOATS)
    };
    t->work = setup_work(&gcn, t->papers.count,
                         processors > 0 ? (int)processors : 1);
    printf("%s: %zu parameters, %zu papers, %lld citations, %s\n", gcn.name,
           gcn.trainable, t->papers.count,
           (long long)t->papers.cites.offsets[t->papers.count] / 2,
           rnet_isa_name());
}

static void clean_up(struct trainer *t)
{
    rnet_free(t->params);
    rnet_free(t->grads);
    rnet_free(t->scores);
    rnet_free(t->adam.moment1);
    rnet_free(t->adam.moment2);
    setup_work_free(&t->work);
    free(t->subject);
    papers_free(&t->papers);
}

static void get_papers(struct papers *papers, int argc, char **argv)
{
    char error[512] = "no memory for the papers";
    bool good = argc > 2
        ? papers_read(papers, argv[1], argv[2], GCN_WORDS, GCN_SUBJECTS, error,
                      sizeof error)
        : papers_invent(papers, GCN_WORDS, GCN_SUBJECTS, 1);

    if (good)
        return;
    fprintf(stderr, "error: %s\n", error);
    exit(1);
}

int main(int argc, char **argv)
{
    int runs = argc > 3 ? atoi(argv[3]) : 1;
    double sum = 0, squares = 0;
    struct trainer t;

    if (argc == 2 || argc > 4 || runs < 1) {
        fprintf(stderr, "usage: %s [NODES EDGES [RUNS]]\n", argv[0]);
        return 2;
    }
    get_papers(&t.papers, argc, argv);
    set_up(&t);
    for (int i = 1; i <= runs; i++) {
        double test = run(&t, (uint64_t)i);
        sum += test;
        squares += test * test;
    }
    if (runs > 1)
        printf("%d runs: test %.2f %% +- %.2f\n", runs, 100 * sum / runs,
               100 * sqrt(fmax(0, squares / runs - sum * sum / runs / runs)));
    clean_up(&t);
    return 0;
}
