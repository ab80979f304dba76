/* train.c: trains residual_mlp.rnet to tell images of ten kinds apart: digits
 * that the program draws itself or, with --data, IDX files such as
 * Fashion-MNIST's.  All memory is the program's own; the network is three
 * calls: digits_init, digits_train and digits_infer. */
#include <stdio.h>
#include <stdlib.h>

#include "residual_mlp.h"

#include "data.h"
#include "progress.h"
#include "setup.h"

#define CLASSES DIGITS_LOGITS_SIZE

struct trainer {
    struct options options;
    struct data_set data, test;
    uint32_t *order;            /* of the training images */
    float *params, *grads;
    struct rnet_adam adam;
    struct rnet_work work;
    float *images, *logits;     /* of one batch */
    int32_t *labels;
};

static void set_up(struct trainer *t)
{
    size_t batch = t->options.batch;

    t->params = setup_floats(DIGITS_PARAM_FLOATS);
    t->grads = setup_floats(DIGITS_GRAD_FLOATS);
    t->adam = (struct rnet_adam){           /* a beta2 for short runs */
        .beta1 = 0.9f, .beta2 = 0.99f, .epsilon = 1e-8f, .decay = 0.05f,
        .decoupled = 1, .moment1 = setup_floats(DIGITS_GRAD_FLOATS),
        .moment2 = setup_floats(DIGITS_GRAD_FLOATS)
    };
    t->work = setup_work(&digits, batch, t->options.threads);
    t->images = setup_floats(batch * DIGITS_IMAGE_SIZE);
    t->logits = setup_floats(batch * DIGITS_LOGITS_SIZE);
    t->labels = setup_labels(batch);
    t->order = setup_order(t->data.count);
    setup_must(digits_init(t->params, t->options.seed), "initial weights");
}

static void clean_up(struct trainer *t)
{
    rnet_free(t->params);
    rnet_free(t->grads);
    rnet_free(t->adam.moment1);
    rnet_free(t->adam.moment2);
    rnet_free(t->images);
    rnet_free(t->logits);
    setup_work_free(&t->work);
    free(t->labels);
    free(t->order);
    data_free(&t->data);
    data_free(&t->test);
}

/* One step on the `count` images that `order` begins with. */
static struct progress_step train_batch(struct trainer *t,
                                        const uint32_t *order, size_t count,
                                        float rate)
{
    struct progress_step step = { .samples = count, .rate = rate };

    data_batch(&t->data, order, 0, count, t->images, t->labels);
    rnet_zero(&digits, t->grads);
    setup_must(digits_train(t->params, t->images, t->labels, t->logits,
                            &step.loss, t->grads, NULL, count, &t->work),
               "digits_train");
    step.gradient = rnet_clip(&digits, t->grads, 1);
    t->adam.rate = rate;
    setup_must(rnet_adam_step(&digits, &t->adam, t->params, t->grads,
                              &t->work), "rnet_adam_step");
    step.correct = setup_correct(t->logits, t->labels, count, CLASSES);
    return step;
}

static double test_accuracy(struct trainer *t)
{
    size_t correct = 0, count;

    for (size_t first = 0; first < t->test.count; first += count) {
        count = t->test.count - first;
        count = count < t->options.batch ? count : t->options.batch;
        data_batch(&t->test, NULL, first, count, t->images, t->labels);
        setup_must(digits_infer(t->params, t->images, t->logits, count,
                                &t->work), "digits_infer");
        correct += setup_correct(t->logits, t->labels, count, CLASSES);
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
        float rate = setup_rate(&t->options, before * progress->steps + i, all);
        struct progress_step step =
            train_batch(t, t->order + i * batch, left < batch ? left : batch,
                        rate);
        progress_step(progress, &step);
    }
    progress_epoch(progress, test_accuracy(t));
}

int main(int argc, char **argv)
{
    struct trainer trainer = { .options = {
        .epochs = 10, .batch = 64, .rate = 1e-3f, .schedule = "cosine",
        .seed = 1 } };
    struct trainer *t = &trainer;
    struct progress progress;

    setup_options(&t->options, argc, argv);
    setup_data(&t->options, DIGITS_IMAGE_SIZE, &t->data, &t->test);
    set_up(t);
    setup_load(&digits, t->params, t->options.load);
    setup_progress(&t->options, &digits, t->data.count, &progress);
    for (int epoch = 0; epoch < t->options.epochs; epoch++) {
        train_epoch(t, &progress);
        setup_save(&digits, t->params, t->options.save);
    }
    printf("test accuracy %.2f %%\n", 100 * test_accuracy(t));
    clean_up(t);
    return 0;
}
