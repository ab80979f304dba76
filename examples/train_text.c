/* train_text.c: trains a network that predicts the next byte of a text, and
 * lets it write.  It knows the network by its table: one input of `context`
 * indices, a target of as many, one output of scores (context, 256); compile
 * with -DNETWORK=chars.  The last tenth of the text is held back: the loss on
 * it, in nats a byte, is what counts. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "random.h"
#include "setup.h"
#include "text.h"

extern const struct rnet_network NETWORK;

enum { BYTES = 256, SUMS = 400000 };

struct settings {
    const char *text, *load, *save, *prompt;
    long steps, every, write;   /* steps; between two validations; bytes */
    size_t batch;
    int threads;
    double rate, decay, temperature;
    uint64_t seed;
};

struct trainer {
    struct settings set;
    struct text text;
    size_t train;               /* bytes to learn from; the rest validates */
    size_t context;
    float *params, *grads, *scores;
    int32_t *tokens, *next;     /* of a batch */
    struct rnet_adam adam;
    struct rnet_work work;
    struct random random;
};

/* ---- options ---- */

static const struct option long_options[] = {
    { "text", required_argument, NULL, 'x' },
    { "steps", required_argument, NULL, 'n' },
    { "batch", required_argument, NULL, 'b' },
    { "rate", required_argument, NULL, 'r' },
    { "decay", required_argument, NULL, 'd' },
    { "every", required_argument, NULL, 'e' },
    { "threads", required_argument, NULL, 't' },
    { "seed", required_argument, NULL, 's' },
    { "load", required_argument, NULL, 'l' },
    { "save", required_argument, NULL, 'o' },
    { "write", required_argument, NULL, 'w' },
    { "prompt", required_argument, NULL, 'p' },
    { "temperature", required_argument, NULL, 'u' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 }
};

static void print_help(const char *program, const struct settings *set)
{
    printf("Usage: %s [option]...\n"
           "Trains a network on a text, byte by byte, then writes text.\n\n"
           "  --text FILE      what to learn (default: sums that it makes)\n"
           "  --steps N        of training; 0 only writes (%ld)\n"
           "  --batch N        windows of text in a step (%zu)\n"
           "  --rate X         highest learning rate (%g)\n"
           "  --decay X        weight decay (%g)\n"
           "  --every N        steps between two validations (%ld)\n"
           "  --threads N      (as many as there are processors)\n"
           "  --seed N         of weights, windows and writing (%llu)\n"
           "  --load FILE      start from these weights (safetensors)\n"
           "  --save FILE      write the weights at every validation\n"
           "  --write N        bytes to write at the end (%ld)\n"
           "  --prompt TEXT    what the writing begins with\n"
           "  --temperature X  how freely it writes (%g)\n"
           "  --help           print this\n", program, set->steps, set->batch,
           set->rate, set->decay, set->every,
           (unsigned long long)set->seed, set->write, set->temperature);
}

__attribute__((noreturn))
static void wrong_option(const char *program, int option)
{
    const struct option *row = long_options;

    while (row->val != option)
        row++;
    fprintf(stderr, "%s: bad value '%s' of --%s\n", program, optarg,
            row->name);
    exit(2);
}

static double number(const char *program, int option, double low, double high)
{
    char *end;
    double value = strtod(optarg, &end);

    if (end == optarg || *end || !(value >= low && value <= high))
        wrong_option(program, option);
    return value;
}

static void read_option(struct settings *set, int option, const char *program)
{
    switch (option) {
    case 'x': set->text = optarg; return;
    case 'l': set->load = optarg; return;
    case 'o': set->save = optarg; return;
    case 'p': set->prompt = optarg; return;
    case 'n': set->steps = (long)number(program, option, 0, 1e9); return;
    case 'b': set->batch = (size_t)number(program, option, 1, 65536); return;
    case 'e': set->every = (long)number(program, option, 1, 1e9); return;
    case 't': set->threads = (int)number(program, option, 1, 1024); return;
    case 's': set->seed = (uint64_t)number(program, option, 0, 1e15); return;
    case 'w': set->write = (long)number(program, option, 0, 1e9); return;
    case 'r': set->rate = number(program, option, 0, 1e6); return;
    case 'd': set->decay = number(program, option, 0, 1e6); return;
    case 'u': set->temperature = number(program, option, 1e-3, 1e3); return;
    case 'h': print_help(program, set); exit(0);
    default:                    /* getopt has said what is wrong */
        fprintf(stderr, "Try '%s --help'.\n", program);
        exit(2);
    }
}

static void read_options(struct settings *set, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        read_option(set, option, argv[0]);
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected '%s'\n", argv[0], argv[optind]);
        exit(2);
    }
    if (set->threads == 0) {
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        set->threads = processors > 0 ? (int)processors : 1;
    }
}

/* ---- setting up ---- */

__attribute__((noreturn))
static void stop(const char *text)
{
    fprintf(stderr, "error: %s\n", text);
    exit(1);
}

/* The context that the network reads; 0: it is no network of this kind. */
static size_t context_of(const struct rnet_network *net)
{
    bool suits = net->train && net->input_count == 2 && net->output_count == 1
        && net->inputs[0].integer && net->inputs[1].target
        && net->inputs[1].integer && net->inputs[0].classes == BYTES
        && net->outputs[0].size == BYTES * net->inputs[0].size;
    return suits ? net->inputs[0].size : 0;
}

static void get_text(struct trainer *t)
{
    char error[512] = "no memory for the text";
    bool good = t->set.text
        ? text_read(&t->text, t->set.text, error, sizeof error)
        : text_sums(&t->text, SUMS, t->set.seed);

    if (!good)
        stop(error);
    t->train = t->text.count * 9 / 10;
    if (t->text.count - t->train < t->context + 1)
        stop("the text is too short: its last tenth must be longer than the "
             "context");
}

static void set_up(struct trainer *t)
{
    size_t tokens = t->set.batch * t->context;

    t->params = setup_floats(NETWORK.param_floats);
    t->grads = setup_floats(NETWORK.grad_floats);
    t->scores = setup_floats(tokens * BYTES);
    t->tokens = setup_labels(tokens);
    t->next = setup_labels(tokens);
    t->adam = (struct rnet_adam) {
        .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8, .decay = t->set.decay,
        .decoupled = 1, .moment1 = setup_floats(NETWORK.grad_floats),
        .moment2 = setup_floats(NETWORK.grad_floats)
    };
    t->work = setup_work(&NETWORK, t->set.batch, t->set.threads);
    t->work.seed = t->set.seed;
    t->random.state = t->set.seed;
    setup_must(rnet_init_params(&NETWORK, t->params, t->set.seed),
               "initial weights");
    setup_load(&NETWORK, t->params, t->set.load);
}

static void clean_up(struct trainer *t)
{
    rnet_free(t->params);
    rnet_free(t->grads);
    rnet_free(t->scores);
    rnet_free(t->adam.moment1);
    rnet_free(t->adam.moment2);
    setup_work_free(&t->work);
    free(t->tokens);
    free(t->next);
    text_free(&t->text);
}

/* ---- training ---- */

/* Warms up over the first twentieth, then falls along a cosine to a tenth. */
static double rate_at(const struct settings *set, long step)
{
    double done = (double)(step + 1) / (double)set->steps, warm_up = 0.05;

    if (done < warm_up)
        return set->rate * done / warm_up;
    done = (done - warm_up) / (1 - warm_up);
    return set->rate * (0.55 + 0.45 * cos(M_PI * done));
}

static float train_step(struct trainer *t, long step)
{
    const void *inputs[] = { t->tokens, t->next };
    float loss;

    for (size_t i = 0; i < t->set.batch; i++)
        text_window(&t->text,
                    random_below(&t->random, (uint32_t)(t->train - t->context)),
                    t->context, t->tokens + i * t->context,
                    t->next + i * t->context);
    rnet_zero(&NETWORK, t->grads);
    setup_must(NETWORK.train(t->params, inputs, NULL, &loss, t->grads, NULL,
                             t->set.batch, &t->work), "training");
    rnet_clip(&NETWORK, t->grads, 1);
    t->adam.rate = rate_at(&t->set, step);
    setup_must(rnet_adam_step(&NETWORK, &t->adam, t->params, t->grads,
                              &t->work), "rnet_adam_step");
    return loss;
}

/* -log softmax(scores)[byte] */
static double surprise(const float *scores, int32_t byte)
{
    double most = scores[0], sum = 0;

    for (int k = 1; k < BYTES; k++)
        most = scores[k] > most ? scores[k] : most;
    for (int k = 0; k < BYTES; k++)
        sum += exp(scores[k] - most);
    return log(sum) + most - scores[byte];
}

static void infer(struct trainer *t, size_t batch)
{
    const void *inputs[] = { t->tokens, NULL };
    float *outputs[] = { t->scores };

    setup_must(NETWORK.infer(t->params, inputs, outputs, batch, &t->work),
               "inference");
}

/* Nats a byte over all of the text that was held back, window by window. */
static double validate(struct trainer *t)
{
    size_t windows = (t->text.count - t->train - 1) / t->context, batch;
    double sum = 0;

    for (size_t first = 0; first < windows; first += batch) {
        batch = windows - first < t->set.batch ? windows - first
                                               : t->set.batch;
        for (size_t i = 0; i < batch; i++)
            text_window(&t->text, t->train + (first + i) * t->context,
                        t->context, t->tokens + i * t->context,
                        t->next + i * t->context);
        infer(t, batch);
        for (size_t i = 0; i < batch * t->context; i++)
            sum += surprise(t->scores + i * BYTES, t->next[i]);
    }
    return sum / (double)(windows * t->context);
}

static void train(struct trainer *t)
{
    double started = progress_seconds(), loss = 0;
    long since = 0;

    for (long step = 0; step < t->set.steps; step++) {
        loss += (double)train_step(t, step);
        since++;
        if ((step + 1) % t->set.every && step + 1 < t->set.steps)
            continue;
        printf("step %ld  loss %.4f  validation %.4f  %.0f s\n", step + 1,
               loss / (double)since, validate(t),
               progress_seconds() - started);
        fflush(stdout);
        setup_save(&NETWORK, t->params, t->set.save);
        loss = since = 0;
    }
}

/* ---- writing ---- */

static int draw(struct trainer *t, const float *scores)
{
    double most = scores[0], sum = 0, weight[BYTES];

    for (int k = 1; k < BYTES; k++)
        most = scores[k] > most ? scores[k] : most;
    for (int k = 0; k < BYTES; k++)
        sum += weight[k] = exp((scores[k] - most) / t->set.temperature);
    sum *= (double)random_unit(&t->random);
    for (int k = 0; k < BYTES - 1; k++)
        if ((sum -= weight[k]) < 0)
            return k;
    return BYTES - 1;
}

/* What was written so far is the window's beginning, while it fits; the rest
 * does not matter to a network that looks back alone. */
static void write_text(struct trainer *t)
{
    size_t length = 0;

    memset(t->tokens, 0, t->context * sizeof *t->tokens);
    for (const char *p = t->set.prompt; *p && length + 1 < t->context; p++)
        t->tokens[length++] = (uint8_t)*p;
    fwrite(t->set.prompt, 1, strlen(t->set.prompt), stdout);
    for (long i = 0; i < t->set.write; i++) {
        infer(t, 1);
        int byte = draw(t, t->scores + (length - 1) * BYTES);
        putchar(byte);
        if (length == t->context)
            memmove(t->tokens, t->tokens + 1,
                    --length * sizeof *t->tokens);
        t->tokens[length++] = byte;
    }
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct trainer trainer = { .set = {
        .steps = 2000, .every = 250, .batch = 32, .rate = 2e-3, .decay = 0.1,
        .write = 500, .temperature = 0.8, .prompt = "\n", .seed = 1 } };
    struct trainer *t = &trainer;

    read_options(&t->set, argc, argv);
    t->context = context_of(&NETWORK);
    if (!t->context || !*t->set.prompt)
        stop(t->context ? "--prompt needs a byte at least"
             : "this network does not predict bytes");
    get_text(t);
    set_up(t);
    printf("%s: %zu parameters, %zu bytes of text, %d threads, %s\n",
           NETWORK.name, NETWORK.trainable, t->text.count, t->set.threads,
           rnet_isa_name());
    train(t);
    if (t->set.write)
        write_text(t);
    clean_up(t);
    return 0;
}
