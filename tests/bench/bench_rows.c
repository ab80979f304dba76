/* bench_rows.c: dense products, GFLOP/s and share of the FMA peak measured
 * around each line, and the time of the fastest library over ours.  One thread.
 * Arguments: shapes "rows out in", else those of docs' table. */
#include "../../runtime/isa.h"
#include "../../runtime/rnet_kernels.h"
#include "peak.h"
#include "peers/kernels.h"

struct bench {
    struct rnet_run run;
    struct rnet_work work;
    long rows, in, out;
    float *x, *w, *y, *dw, *bias, *residual;
    struct rnet_step step[4];
    struct rnet_steps tail;
};

static float *filled(size_t count, float value)
{
    float *p = rnet_alloc(count);
    if (!p)
        exit(1);
    for (size_t i = 0; i < count; i++)
        p[i] = value + (float)(i % 13) / 16;
    return p;
}

static void forward(void *context)
{
    struct bench *b = context;
    rnet_linear(&b->run, b->rows, b->in, b->out, b->x, b->in, b->w, b->tail);
}

static void backward(void *context)
{
    struct bench *b = context;
    rnet_linear_grad_input(&b->run, b->rows, b->in, b->out, b->y, b->out,
                           b->w, b->tail);
}

static void weights(void *context)
{
    struct bench *b = context;
    rnet_linear_grad_weight(&b->run, b->rows, b->in, b->out, b->dw, b->bias,
                            b->y, b->out, b->x, b->in);
}

/* Seconds of a call. */
static double line(struct bench *b, const char *name, void (*run)(void *))
{
    double flops = 2.0 * (double)b->rows * (double)b->in * (double)b->out;
    double before = peak_flops(rnet_isa_name());
    double seconds = peak_least(run, b, 25);
    double after = peak_flops(rnet_isa_name());
    double peak = before > after ? before : after;
    printf("  %s %6.1f %3.0f%%", name, flops / seconds / 1e9,
           100 * flops / seconds / peak);
    return seconds;
}

static struct peer_ratios ratios[3];

/* The line of a pass alone, beside the libraries. */
static void compared(struct bench *b, const char *name, void (*run)(void *),
                     const struct peer_product *product, int pass)
{
    char what[64];
    double ours = line(b, name, run);

    snprintf(what, sizeof what, "%ld x %ld x %ld", b->rows, b->out, b->in);
    peer_ratio(&ratios[pass], what, ours, peer_product(product));
}

static void set_tail(struct bench *b, const float *to, long stride, int steps)
{
    struct rnet_step add = { .op = RNET_ADD, .kind = RNET_FEATURE,
                             .x = b->bias };
    struct rnet_step residual = { .op = RNET_ADD, .kind = RNET_FULL,
                                  .x = b->residual, .stride = stride };
    struct rnet_step relu = { .op = RNET_RELU };
    struct rnet_step store = { .op = RNET_STORE, .kind = RNET_FULL,
                               .x = (float *)to, .stride = stride };
    const struct rnet_step all[3][4] = {
        { store }, { add, relu, store }, { add, residual, relu, store }
    };
    memcpy(b->step, all[steps], sizeof b->step);
    b->tail = (struct rnet_steps) { b->step, steps + 1 + (steps > 0) };
    if (steps == 0)
        b->tail.count = 1;
}

static void shape(long rows, long out, long in)
{
    struct bench b = { .rows = rows, .in = in, .out = out };
    size_t strips = (size_t)(rows + 31) / 32 * 32;
    size_t panels = (size_t)(in + 31) / 32 * 32;

    b.run.work = &b.work;
    b.run.batch = rows;
    b.run.worker_floats = RNET_WORKER_FLOATS;
    b.run.workers = filled(RNET_WORKER_FLOATS, 0);
    b.x = filled(strips * (size_t)in, -0.5f);
    b.y = filled(strips * (size_t)out, -0.5f);
    b.w = filled(panels * (size_t)out, -0.5f);
    b.dw = filled(panels * (size_t)out, 0);
    b.bias = filled((size_t)out, 0);
    b.residual = filled(strips * (size_t)(in > out ? in : out), 0);
    printf("%5ld x %4ld x %4ld", rows, out, in);
    set_tail(&b, b.y, out, 0);
    compared(&b, "y", forward,
             &(struct peer_product) { rows, out, in, 0, 1, 1 }, 0);
    set_tail(&b, b.y, out, 1);
    line(&b, "+bias,relu", forward);
    set_tail(&b, b.y, out, 2);
    line(&b, "+residual", forward);
    set_tail(&b, b.residual, in, 0);
    compared(&b, "dx", backward,
             &(struct peer_product) { rows, in, out, 0, 0, 1 }, 1);
    compared(&b, "dw", weights,
             &(struct peer_product) { out, in, rows, 1, 0, 0 }, 2);
    printf("\n");
    fflush(stdout);
    rnet_free(b.run.workers);
    rnet_free(b.x);
    rnet_free(b.y);
    rnet_free(b.w);
    rnet_free(b.dw);
    rnet_free(b.bias);
    rnet_free(b.residual);
}

int main(int count, char **arguments)
{
    static const long shapes[][3] = {
        { 64, 64, 64 }, { 128, 128, 128 }, { 1024, 1024, 1024 },
        { 32, 512, 512 }, { 32, 2048, 512 }, { 64, 512, 512 },
        { 128, 768, 3072 }, { 1024, 768, 2304 }, { 784, 64, 576 },
        { 49, 512, 4608 }, { 196, 2304, 256 },
        { 256, 768, 768 }, { 128, 3072, 768 }, { 512, 100, 64 },
        { 16, 512, 512 }, { 1, 512, 512 }, { 4, 512, 512 }
    };

    printf("%s: peak %.1f GFLOP/s\n", rnet_isa_name(),
           peak_flops(rnet_isa_name()) / 1e9);
    peer_about();
    for (int i = 1; i + 2 < count; i += 3)
        shape(atol(arguments[i]), atol(arguments[i + 1]),
              atol(arguments[i + 2]));
    for (size_t i = 0; count == 1 && i < sizeof shapes / sizeof shapes[0]; i++)
        shape(shapes[i][0], shapes[i][1], shapes[i][2]);
    peer_summary("y", &ratios[0]);
    peer_summary("dx", &ratios[1]);
    peer_summary("dw", &ratios[2]);
    return 0;
}
