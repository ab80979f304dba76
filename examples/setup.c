/* setup.c: see setup.h. */
#include "setup.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "glyphs.h"

static const struct option long_options[] = {
    { "data", required_argument, NULL, 'd' },
    { "epochs", required_argument, NULL, 'e' },
    { "batch", required_argument, NULL, 'b' },
    { "rate", required_argument, NULL, 'r' },
    { "schedule", required_argument, NULL, 'c' },
    { "threads", required_argument, NULL, 't' },
    { "seed", required_argument, NULL, 's' },
    { "load", required_argument, NULL, 'l' },
    { "save", required_argument, NULL, 'o' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 }
};

static void print_help(const char *program, const struct options *options)
{
    printf("Usage: %s [option]...\n"
           "Trains a network to tell ten kinds of 28x28 images apart.\n\n"
           "  --data DIR       IDX files named as MNIST's, plain or gzipped\n"
           "                   (default: digits that the program draws)\n"
           "  --epochs N       passes over the data; 0 only tests (%d)\n"
           "  --batch N        images in a step (%zu)\n"
           "  --rate X         highest learning rate (%g)\n"
           "  --schedule NAME  how the rate falls: cosine or step (%s)\n"
           "  --threads N      (as many as there are processors)\n"
           "  --seed N         of the first weights and the shuffling (%llu)\n"
           "  --load FILE      start from these weights (safetensors)\n"
           "  --save FILE      write the weights after every epoch\n"
           "  --help           print this\n", program, options->epochs,
           options->batch, (double)options->rate, options->schedule,
           (unsigned long long)options->seed);
}

__attribute__((noreturn))
static void wrong_option(const char *program, int option, const char *value)
{
    const struct option *row = long_options;

    while (row->val != option)
        row++;
    fprintf(stderr, "%s: bad value '%s' of --%s\n", program, value, row->name);
    exit(2);
}

/* A number in [low, high], or the program ends. */
static double number(const char *program, int option, double low, double high)
{
    char *end;
    double value = strtod(optarg, &end);

    if (end == optarg || *end || !(value >= low && value <= high))
        wrong_option(program, option, optarg);
    return value;
}

static unsigned long long whole(const char *program, int option,
                                unsigned long long low,
                                unsigned long long high)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(optarg, &end, 10);

    if (end == optarg || *end || errno || strchr(optarg, '-') || value < low
        || value > high)
        wrong_option(program, option, optarg);
    return value;
}

static void read_option(struct options *options, int option,
                        const char *program)
{
    switch (option) {
    case 'd': options->data = optarg; return;
    case 'l': options->load = optarg; return;
    case 'o': options->save = optarg; return;
    case 'e': options->epochs = (int)whole(program, option, 0, 100000); return;
    case 'b': options->batch = whole(program, option, 1, 1 << 20); return;
    case 'r': options->rate = (float)number(program, option, 0, 1e6); return;
    case 't': options->threads = (int)whole(program, option, 1, 1024); return;
    case 's': options->seed = whole(program, option, 0, UINT64_MAX); return;
    case 'h': print_help(program, options); exit(0);
    case 'c':
        if (strcmp(optarg, "cosine") != 0 && strcmp(optarg, "step") != 0)
            wrong_option(program, option, optarg);
        options->schedule = optarg;
        return;
    default:                    /* getopt has said what is wrong */
        fprintf(stderr, "Try '%s --help'.\n", program);
        exit(2);
    }
}

void setup_options(struct options *options, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        read_option(options, option, argv[0]);
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected '%s'\n", argv[0], argv[optind]);
        exit(2);
    }
    if (options->threads == 0) {
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        options->threads = processors > 0 ? (int)processors : 1;
    }
}

void setup_data(struct options *options, size_t size,
                struct data_set *train, struct data_set *test)
{
    struct data_error error = { "no memory for the data" };
    bool good = options->data
        ? data_read_folder(train, test, options->data, GLYPHS_CLASSES, &error)
        : glyphs_make_sets(train, test);

    if (!good) {
        fprintf(stderr, "error: %s\n", error.text);
        exit(1);
    }
    setup_fits(train, size);
    if (options->batch > train->count)
        options->batch = train->count;
}

void setup_fits(const struct data_set *set, size_t size)
{
    if (set->rows * set->columns == size)
        return;
    fprintf(stderr, "error: the images are %zux%zu, but the network reads %zu"
            " pixels\n", set->rows, set->columns, size);
    exit(1);
}

void setup_progress(const struct options *options,
                    const struct rnet_network *net, size_t images,
                    struct progress *progress)
{
    printf("%s: %zu parameters, %zu images, %d threads, %s\n", net->name,
           net->trainable, images, options->threads, rnet_isa_name());
    progress_start(progress, stdout, options->epochs,
                   (images + options->batch - 1) / options->batch);
}

float setup_rate(const struct options *options, size_t step, size_t steps)
{
    double done = ((double)step + 1) / (double)steps, warm_up = 0.05;

    if (done < warm_up)
        return (float)(options->rate * done / warm_up);
    if (strcmp(options->schedule, "step") == 0)
        return options->rate * (done > 0.75 ? 0.01f : done > 0.5 ? 0.1f : 1);
    done = (done - warm_up) / (1 - warm_up);
    return (float)(options->rate * (1 + cos(M_PI * done)) / 2);
}

void setup_must(enum rnet_status status, const char *what)
{
    if (status == RNET_OK)
        return;
    fprintf(stderr, "error: %s: %s\n", what, rnet_status_text(status));
    exit(1);
}

static void weights_must(enum rnet_status status, const char *message)
{
    if (status == RNET_OK)
        return;
    fprintf(stderr, "error: %s\n", message);
    exit(1);
}

void setup_load(const struct rnet_network *net, float *params,
                const char *path)
{
    char message[512];

    if (path)
        weights_must(rnet_load(net, params, path, message, sizeof message),
                     message);
}

void setup_save(const struct rnet_network *net, const float *params,
                const char *path)
{
    char message[512];

    if (path)
        weights_must(rnet_save(net, params, path, message, sizeof message),
                     message);
}

float *setup_floats(size_t count)
{
    float *floats = rnet_alloc(count);

    if (!floats)
        setup_must(RNET_NO_MEMORY, "arrays");
    return floats;
}

int32_t *setup_labels(size_t count)
{
    int32_t *labels = calloc(count, sizeof *labels);

    if (!labels)
        setup_must(RNET_NO_MEMORY, "arrays");
    return labels;
}

uint32_t *setup_order(size_t count)
{
    uint32_t *order = calloc(count, sizeof *order);

    if (!order)
        setup_must(RNET_NO_MEMORY, "arrays");
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    return order;
}

struct rnet_work setup_work(const struct rnet_network *net, size_t batch,
                            int threads)
{
    size_t infer = net->infer_bytes(batch, threads);
    size_t train = net->train ? net->train_bytes(batch, threads) : 0;
    struct rnet_work work = { .bytes = infer > train ? infer : train };

    work.memory = rnet_alloc_bytes(work.bytes);
    if (!work.memory)
        setup_must(RNET_NO_MEMORY, "work memory");
    work.pool = rnet_pool_create(threads);
    if (!work.pool)
        setup_must(RNET_NO_THREADS, "threads");
    return work;
}

void setup_work_free(struct rnet_work *work)
{
    rnet_pool_destroy(work->pool);
    rnet_free(work->memory);
}

size_t setup_correct(const float *scores, const int32_t *labels, size_t count,
                     size_t classes)
{
    size_t correct = 0;

    for (size_t i = 0; i < count; i++) {
        const float *row = scores + i * classes;
        size_t best = 0;
        for (size_t k = 1; k < classes; k++)
            best = row[k] > row[best] ? k : best;
        correct += best == (size_t)labels[i];
    }
    return correct;
}
