/* train_table.c: the trainer again, for any network that gives scores for the
 * classes of an image.  It knows the network by its table alone, so the same
 * source trains all of them: compile with -DNETWORK=resnet_cifar and link the
 * C that rnetc made of it.  SGD, as He et al. 2015 train their networks. */
#include <stdio.h>
#include <stdlib.h>

#include "data.h"
#include "progress.h"
#include "setup.h"

extern const struct rnet_network NETWORK;

struct trainer {
    const struct rnet_network *net;
    struct options options;
    struct data_set data, test;
    uint32_t *order;            /* of the training images */
    float *params, *grads;
    struct rnet_sgd sgd;
    struct rnet_work work;
    float *images, *scores;     /* of one batch */
    int32_t *labels;
};

/* One input of images, one target of classes, one output of scores. */
static bool suits(const struct rnet_network *net)
{
    return net->train && net->input_count == 2 && net->output_count == 1
        && !net->inputs[0].integer && !net->inputs[0].target
        && net->inputs[1].integer && net->inputs[1].target
        && net->outputs[0].size == (size_t)net->inputs[1].classes;
}

static void set_up(struct trainer *t)
{
    size_t batch = t->options.batch;

    t->params = setup_floats(t->net->param_floats);
    t->grads = setup_floats(t->net->grad_floats);
    t->sgd = (struct rnet_sgd){
        .momentum = 0.9f, .nesterov = 1, .decay = 5e-4f,
        .velocity = setup_floats(t->net->grad_floats)
    };
    t->work = setup_work(t->net, batch, t->options.threads);
    t->images = setup_floats(batch * t->net->inputs[0].size);
    t->scores = setup_floats(batch * t->net->outputs[0].size);
    t->labels = setup_labels(batch);
    t->order = setup_order(t->data.count);
    setup_must(rnet_init_params(t->net, t->params, t->options.seed),
               "initial weights");
}

static void clean_up(struct trainer *t)
{
    rnet_free(t->params);
    rnet_free(t->grads);
    rnet_free(t->sgd.velocity);
    rnet_free(t->images);
    rnet_free(t->scores);
    setup_work_free(&t->work);
    free(t->labels);
    free(t->order);
    data_free(&t->data);
    data_free(&t->test);
}

/* Runs `count` samples, training on them when `step` is given; returns how
 * many were classified rightly. */
static size_t run_batch(struct trainer *t, const struct data_set *set,
                        const uint32_t *order, size_t first, size_t count,
                        struct progress_step *step)
{
    const void *inputs[] = { t->images, t->labels };
    float *outputs[] = { t->scores };

    data_batch(set, order, first, count, t->images, t->labels);
    if (!step) {
        setup_must(t->net->infer(t->params, inputs, outputs, count, &t->work),
                   "inference");
    } else {
        rnet_zero(t->net, t->grads);
        setup_must(t->net->train(t->params, inputs, outputs, &step->loss,
                                 t->grads, NULL, count, &t->work),
                   "training");
        step->gradient = rnet_clip(t->net, t->grads, 5);
        t->sgd.rate = step->rate;
        setup_must(rnet_sgd_step(t->net, &t->sgd, t->params, t->grads,
                                 &t->work), "the optimiser");
    }
    return setup_correct(t->scores, t->labels, count, t->net->outputs[0].size);
}

static double test_accuracy(struct trainer *t)
{
    size_t batch = t->options.batch, correct = 0;

    for (size_t i = 0; i < t->test.count; i += batch) {
        size_t left = t->test.count - i;
        correct += run_batch(t, &t->test, NULL, i, left < batch ? left : batch,
                             NULL);
    }
    return (double)correct / (double)t->test.count;
}

static void train_epoch(struct trainer *t, struct progress *progress)
{
    size_t batch = t->options.batch, before = (size_t)progress->epoch - 1;
    size_t all = (size_t)t->options.epochs * progress->steps;

    data_shuffle(t->order, t->data.count, t->options.seed + before);
    for (size_t i = 0; i < progress->steps; i++) {
        size_t left = t->data.count - i * batch;
        struct progress_step step = {
            .samples = left < batch ? left : batch,
            .rate = setup_rate(&t->options, before * progress->steps + i, all)
        };
        step.correct = run_batch(t, &t->data, t->order + i * batch, 0,
                                 step.samples, &step);
        progress_step(progress, &step);
    }
    progress_epoch(progress, test_accuracy(t));
}

int main(int argc, char **argv)
{
    struct trainer trainer = { .net = &NETWORK, .options = {
        .epochs = 5, .batch = 64, .rate = 0.05f, .schedule = "cosine",
        .seed = 1 } };
    struct trainer *t = &trainer;
    struct progress progress;

    if (!suits(t->net)) {
        fprintf(stderr, "error: %s does not classify\n", t->net->name);
        return 1;
    }
    setup_options(&t->options, argc, argv);
    setup_data(&t->options, t->net->inputs[0].size, &t->data, &t->test);
    set_up(t);
    setup_load(t->net, t->params, t->options.load);
    setup_progress(&t->options, t->net, t->data.count, &progress);
    for (int epoch = 0; epoch < t->options.epochs; epoch++) {
        train_epoch(t, &progress);
        setup_save(t->net, t->params, t->options.save);
    }
    printf("test accuracy %.2f %%\n", 100 * test_accuracy(t));
    clean_up(t);
    return 0;
}
