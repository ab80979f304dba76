/* networks.c: our side of the benchmark of whole networks.  Runs one network
 * one way and does what its standard input asks, a line an order:
 *
 *     networks NETWORK KIND BATCH THREADS [WEIGHTS]
 *
 *     check N     inference: the sum of the outputs over that of their absolute
 *                 values, and the latter; a gradient: the loss and the sum of
 *                 its absolute values; training: the losses of N steps on the
 *                 same batch from the initial weights
 *     run N       N steps: milliseconds a step by the clock, and of all the
 *                 process's threads; `latency` has the clock around each call,
 *                 and the first number is the median
 *     peak        floating-point operations a second of this core, now
 *     memory      KB this process took at most, beyond what it began with
 *
 * The initial weights go to the file WEIGHTS, the batch is batch_value()'s, so
 * that peers can be asked the same.  A step of training is forward, backward
 * and update, with the gradients kept, or as --fuse-optimizer makes it; `grad`
 * leaves the update out. */
#include <rnet.h>

#include "networks.inc"         /* bench.sh's: headers, NETWORKS */
#include "peak.h"

static const struct model { const char *name; const struct rnet_network *net; }
models[] = { NETWORKS };

static const struct kind {
    const char *name;
    enum update { NOTHING, MOMENTUM, ADAMW } update;
    int backward;
    int single;                 /* the clock is around each call */
} kinds[] = {
    { "infer", NOTHING, 0, 0 },
    { "latency", NOTHING, 0, 1 },
    { "grad", NOTHING, 1, 0 },
    { "train-momentum", MOMENTUM, 1, 0 },
    { "train-adamw", ADAMW, 1, 0 },
};

#define MAX_INPUTS 4

struct job {
    const struct rnet_network *net;
    const struct kind *kind;
    size_t batch;
    float *params, *grads, *output;
    const void *inputs[MAX_INPUTS];     /* what goes in, labels */
    struct rnet_sgd sgd;
    struct rnet_adam adam;
    struct rnet_work work;
};

__attribute__((noreturn))
static void fail(const char *what, const char *why)
{
    fprintf(stderr, "networks: %s: %s\n", what, why);
    exit(1);
}

static void must(enum rnet_status status, const char *what)
{
    if (status != RNET_OK)
        fail(what, rnet_status_text(status));
}

static float *floats(size_t count)
{
    float *p = rnet_alloc(count);

    if (!p)
        fail("memory", "there is none");
    return p;
}

/* ------------------------------------------------------------------ the job */

/* Scalar i of the batch: a hash of i in [-0.5, 0.5), exact in float. */
static float batch_value(size_t i)
{
    uint32_t hash = (uint32_t)i * 2654435761u;

    return (float)(hash >> 16 & 255) / 256 - 0.5f;
}

static const void *batch_of(const struct rnet_port *port, size_t batch)
{
    size_t size = port->size * batch;
    int32_t *index = port->integer ? rnet_alloc_bytes(size * sizeof *index)
                                   : NULL;
    float *value = port->integer ? NULL : floats(size);

    if (port->integer && !index)
        fail("memory", "there is none");
    for (size_t i = 0; i < size; i++)
        if (index)
            index[i] = (int32_t)(i * 7 % (size_t)port->classes);
        else
            value[i] = batch_value(i);
    return index ? (const void *)index : (const void *)value;
}

static void fill_batch(struct job *job)
{
    for (int k = 0; k < job->net->input_count && k < MAX_INPUTS; k++)
        job->inputs[k] = batch_of(&job->net->inputs[k], job->batch);
}

static void make_optimizer(struct job *job)
{
    size_t count = job->net->grad_floats;

    job->sgd = (struct rnet_sgd) { .rate = 1e-3, .momentum = 0.9 };
    job->adam = (struct rnet_adam) {
        .rate = 1e-4, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8,
        .decay = 1e-2, .decoupled = 1, .decay_all = 1
    };
    if (job->kind->update == ADAMW) {
        job->adam.moment1 = floats(count);
        job->adam.moment2 = floats(count);
    }
    if (job->kind->update == MOMENTUM)
        job->sgd.velocity = floats(count);
}

static void make_work(struct job *job, int threads)
{
    job->work.bytes = job->kind->backward
        ? job->net->train_bytes(job->batch, threads)
        : job->net->infer_bytes(job->batch, threads);
    job->work.memory = rnet_alloc_bytes(job->work.bytes);
    if (!job->work.memory)
        fail("memory", "there is none");
    if (threads > 1 && !(job->work.pool = rnet_pool_create(threads)))
        fail("threads", "could not be made");
}

static float fused_step(struct job *job)
{
    float loss = 0;
    void *optimizer = job->kind->update == ADAMW ? (void *)&job->adam
                                                 : (void *)&job->sgd;

    must(job->net->step(job->params, job->inputs, NULL, &loss, optimizer, NULL,
                        job->batch, &job->work), "training");
    return loss;
}

static float train_step(struct job *job)
{
    float loss = 0;

    if (job->net->step)
        return fused_step(job);
    rnet_zero(job->net, job->grads);
    must(job->net->train(job->params, job->inputs, NULL, &loss, job->grads,
                         NULL, job->batch, &job->work), "training");
    if (job->kind->update == ADAMW)
        must(rnet_adam_step(job->net, &job->adam, job->params, job->grads,
                            &job->work), "AdamW");
    if (job->kind->update == MOMENTUM)
        must(rnet_sgd_step(job->net, &job->sgd, job->params, job->grads,
                           &job->work), "SGD");
    return loss;
}

static void infer_step(struct job *job)
{
    must(job->net->infer(job->params, job->inputs, &job->output, job->batch,
                         &job->work), "inference");
}

/* --------------------------------------------------------------- the orders */

static double absolute_sum(const float *values, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)(values[i] < 0 ? -values[i] : values[i]);
    return sum;
}

static double plain_sum(const float *values, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)values[i];
    return sum;
}

static void check(struct job *job, long steps)
{
    size_t count = job->batch * job->net->outputs[0].size;

    if (!job->kind->backward) {
        infer_step(job);
        double absolute = absolute_sum(job->output, count);
        printf("%.7g %.7g", plain_sum(job->output, count) / absolute,
               absolute);
        return;
    }
    if (job->kind->update == NOTHING) {
        printf("%.7g ", (double)train_step(job));
        printf("%.7g", absolute_sum(job->grads, job->net->grad_floats));
        return;
    }
    for (long i = 0; i < steps; i++)
        printf("%.7g ", (double)train_step(job));
}

static double clock_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

static void step(struct job *job)
{
    if (job->kind->backward)
        train_step(job);
    else
        infer_step(job);
}

/* Milliseconds a step in a loop, by the clock and of all threads. */
static void loop(struct job *job, long steps, double *wall, double *cpu)
{
    double start = clock_of(CLOCK_MONOTONIC);
    double start_cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);

    for (long i = 0; i < steps; i++)
        step(job);
    *cpu = (clock_of(CLOCK_PROCESS_CPUTIME_ID) - start_cpu) / (double)steps;
    *wall = (clock_of(CLOCK_MONOTONIC) - start) / (double)steps;
}

static int by_size(const void *one, const void *two)
{
    double a = *(const double *)one, b = *(const double *)two;

    return a < b ? -1 : a > b;
}

/* The median of single calls. */
static double single(struct job *job, long steps)
{
    double *times = rnet_alloc_bytes((size_t)steps * sizeof *times), middle;

    if (!times)
        fail("memory", "there is none");
    for (long i = 0; i < steps; i++) {
        double start = clock_of(CLOCK_MONOTONIC);

        step(job);
        times[i] = clock_of(CLOCK_MONOTONIC) - start;
    }
    qsort(times, (size_t)steps, sizeof *times, by_size);
    middle = times[steps / 2];
    rnet_free(times);
    return middle;
}

static void run(struct job *job, long steps)
{
    double wall, cpu;

    loop(job, steps, &wall, &cpu);
    if (job->kind->single)
        wall = single(job, steps);
    printf("%.6f %.6f", wall, cpu);
}

/* KB that this process has taken at most: VmHWM of Linux, else 0. */
static long memory_peak(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kilobytes = 0;

    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld", &kilobytes) == 1)
            break;
    if (file)
        fclose(file);
    return kilobytes;
}

static void obey(struct job *job, long before)
{
    char line[64], order[16];

    while (fgets(line, sizeof line, stdin)) {
        long count = 1;

        if (sscanf(line, "%15s %ld", order, &count) < 1)
            continue;
        if (!strcmp(order, "check"))
            check(job, count);
        else if (!strcmp(order, "run"))
            run(job, count);
        else if (!strcmp(order, "peak"))
            printf("%.0f", peak_flops(rnet_isa_name()));
        else if (!strcmp(order, "memory"))
            printf("%ld", memory_peak() - before);
        else
            fail(order, "no such order");
        printf("\n");
        fflush(stdout);
    }
}

static const struct rnet_network *find_network(const char *name)
{
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (!strcmp(models[i].name, name))
            return models[i].net;
    fail(name, "no such network");
}

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].name, name))
            return &kinds[i];
    fail(name, "no such kind");
}

int main(int argc, char **argv)
{
    struct job job = { 0 };
    long before = memory_peak();
    char why[256];

    if (argc < 5)
        fail("usage", "networks NETWORK KIND BATCH THREADS [WEIGHTS]");
    job.net = find_network(argv[1]);
    job.kind = find_kind(argv[2]);
    job.batch = (size_t)atol(argv[3]);
    job.params = floats(job.net->param_floats);
    must(rnet_init_params(job.net, job.params, 1), "weights");
    if (argc > 5 && rnet_save(job.net, job.params, argv[5], why, sizeof why))
        fail(argv[5], why);
    fill_batch(&job);
    if (job.kind->backward && !job.net->step)
        job.grads = floats(job.net->grad_floats);
    if (job.kind->update != NOTHING)
        make_optimizer(&job);
    job.output = floats(job.batch * job.net->outputs[0].size);
    make_work(&job, atoi(argv[4]));
    printf("ready librnet (%s)\n", rnet_isa_name());
    fflush(stdout);
    obey(&job, before);
    return 0;
}
