/* classify.c: what comes after training: loads the weights that `train --save`
 * wrote and classifies images with them.  It needs no gradients, no optimiser
 * and no more memory than DIGITS_INFER_BYTES says. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "residual_mlp.h"

#include "data.h"
#include "glyphs.h"
#include "setup.h"

#define CLASSES DIGITS_LOGITS_SIZE
#define BATCH   64

struct request {
    const char *weights, *images, *labels;
    size_t shown;               /* images whose class is printed */
    bool draw;
};

__attribute__((noreturn))
static void usage(const char *program, FILE *out, int status)
{
    fprintf(out, "Usage: %s [option]... WEIGHTS [IMAGES [LABELS]]\n"
            "Classifies the images of an IDX file, or digits that the program"
            " draws,\nwith weights that train --save wrote.\n\n"
            "  --show N  print the classes of the first N images (10)\n"
            "  --draw    print these images too\n"
            "  --help    print this\n", program);
    exit(status);
}

static struct request read_request(int argc, char **argv)
{
    static const struct option options[] = {
        { "show", required_argument, NULL, 's' },
        { "draw", no_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
    };
    struct request request = { .shown = 10 };
    const char **files[] = { &request.weights, &request.images,
                             &request.labels };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (option == 'h')
            usage(argv[0], stdout, 0);
        else if (option == 'd')
            request.draw = true;
        else if (option == 's')
            request.shown = strtoul(optarg, NULL, 10);
        else
            usage(argv[0], stderr, 2);
    if (optind >= argc || argc - optind > 3)
        usage(argv[0], stderr, 2);
    for (int i = 0; optind + i < argc; i++)
        *files[i] = argv[optind + i];
    return request;
}

static void read_images(const struct request *request, struct data_set *set)
{
    struct data_error error = { "no memory for the images" };
    bool good = request->images
        ? data_read(set, request->images, request->labels, CLASSES, &error)
        : glyphs_make(set, 2000, 2);

    if (!good) {
        fprintf(stderr, "error: %s\n", error.text);
        exit(1);
    }
    setup_fits(set, DIGITS_IMAGE_SIZE);
}

/* Two rows of pixels to a line, as characters are twice as high as wide. */
static void draw(const struct data_set *set, size_t index)
{
    static const char inks[] = " .:-=+*#%@";
    const uint8_t *image = set->images + index * set->rows * set->columns;

    for (size_t y = 0; y + 1 < set->rows; y += 2) {
        for (size_t x = 0; x < set->columns; x++) {
            const uint8_t *pixel = image + y * set->columns + x;
            putchar(inks[(pixel[0] + pixel[set->columns]) / 2 * 10 / 256]);
        }
        putchar('\n');
    }
}

/* Prints the most probable class: softmax of the logits. */
static void show(const struct data_set *set, size_t index, const float *logits)
{
    int best = 0;
    double sum = 0;

    for (int k = 1; k < CLASSES; k++)
        best = logits[k] > logits[best] ? k : best;
    for (int k = 0; k < CLASSES; k++)
        sum += exp((double)logits[k] - (double)logits[best]);
    printf("image %zu: class %d, probability %.3f", index, best, 1 / sum);
    if (set->labels)
        printf(", labelled %d", set->labels[index]);
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct request request = read_request(argc, argv);
    float *params = setup_floats(DIGITS_PARAM_FLOATS);
    float *images = setup_floats(BATCH * DIGITS_IMAGE_SIZE);
    float *logits = setup_floats(BATCH * DIGITS_LOGITS_SIZE);
    int32_t labels[BATCH];
    struct rnet_work work = { .bytes = DIGITS_INFER_BYTES(BATCH, 1) };
    struct data_set set;
    size_t correct = 0, count;

    setup_load(&digits, params, request.weights);
    read_images(&request, &set);
    work.memory = rnet_alloc_bytes(work.bytes);
    for (size_t first = 0; first < set.count; first += count) {
        count = set.count - first < BATCH ? set.count - first : BATCH;
        data_batch(&set, NULL, first, count, images,
                   set.labels ? labels : NULL);
        setup_must(digits_infer(params, images, logits, count, &work),
                   "digits_infer");
        for (size_t i = 0; i < count && first + i < request.shown; i++) {
            if (request.draw)
                draw(&set, first + i);
            show(&set, first + i, logits + i * CLASSES);
        }
        correct += set.labels ? setup_correct(logits, labels, count, CLASSES)
                              : 0;
    }
    if (set.labels)
        printf("%zu of %zu right: %.2f %%\n", correct, set.count,
               100.0 * (double)correct / (double)set.count);
    rnet_free(work.memory);
    rnet_free(params);
    rnet_free(images);
    rnet_free(logits);
    data_free(&set);
    return 0;
}
