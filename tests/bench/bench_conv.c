/* bench_conv.c: convolutions, one thread, in percent of the peak that this
 * core shows in the same run.  The gradient of the input is the whole backward
 * call less a call for the weights alone; transposed, it is a layer of its own,
 * with the weights turned in each call.  Behind a share: the fastest library's
 * time over ours, where its weights are as warm.
 *
 *     bench_conv [part of a shape's name]      RNET_ISA=avx2 etc. apply */
#include "../../runtime/rnet_kernels.h"
#include "peak.h"
#include "peers/kernels.h"

struct shape {
    const char *name;
    long batch;
    int size, in, out, kernel, stride;
    int cold;                   /* weights come from memory */
    int groups;
};

static const struct shape shapes[] = {
    { "3x3 16 @32", 32, 32, 16, 16, 3, 1, 0, 1 },
    { "3x3 32 @16", 32, 16, 32, 32, 3, 1, 0, 1 },
    { "3x3 64 @8", 32, 8, 64, 64, 3, 1, 0, 1 },
    { "3x3 16->32 /2 @32", 32, 32, 16, 32, 3, 2, 0, 1 },
    { "3x3 32->64 /2 @16", 32, 16, 32, 64, 3, 2, 0, 1 },
    { "1x1 16->32 /2 @32", 32, 32, 16, 32, 1, 2, 0, 1 },
    { "3x3 3->16 @32", 32, 32, 3, 16, 3, 1, 0, 1 },
    { "1x1 24->48 @32", 16, 32, 24, 48, 1, 1, 0, 1 },
    { "1x1 150->48 @16", 16, 16, 150, 48, 1, 1, 0, 1 },
    { "1x1 300->48 @8", 16, 8, 300, 48, 1, 1, 0, 1 },
    { "3x3 48->12 @32", 16, 32, 48, 12, 3, 1, 0, 1 },
    { "3x3 64 @56", 1, 56, 64, 64, 3, 1, 0, 1 },
    { "3x3 128 @28", 1, 28, 128, 128, 3, 1, 0, 1 },
    { "3x3 256 @14", 1, 14, 256, 256, 3, 1, 0, 1 },
    { "3x3 512 @7", 1, 7, 512, 512, 3, 1, 0, 1 },
    { "3x3 128 /2 @56", 1, 56, 128, 128, 3, 2, 0, 1 },
    { "1x1 64->256 @56", 1, 56, 64, 256, 1, 1, 0, 1 },
    { "1x1 256->64 @56", 1, 56, 256, 64, 1, 1, 0, 1 },
    { "1x1 512->128 @28", 1, 28, 512, 128, 1, 1, 0, 1 },
    { "1x1 512->2048 @7", 1, 7, 512, 2048, 1, 1, 0, 1 },
    { "7x7 3->64 /2 @224", 1, 224, 3, 64, 7, 2, 0, 1 },
    { "3x3 64 @56 x4", 4, 56, 64, 64, 3, 1, 0, 1 },
    { "3x3 256 @14 x4", 4, 14, 256, 256, 3, 1, 0, 1 },
    { "3x3 512 @7 x16", 16, 7, 512, 512, 3, 1, 0, 1 },
    { "1x1 64->256 @56 x4", 4, 56, 64, 256, 1, 1, 0, 1 },
    { "3x3 256 @14 cold", 1, 14, 256, 256, 3, 1, 1, 1 },
    { "3x3 512 @7 cold", 1, 7, 512, 512, 3, 1, 1, 1 },
    { "1x1 1024->256 @14 cold", 1, 14, 1024, 256, 1, 1, 1, 1 },
    { "1x1 512->2048 @7 cold", 1, 7, 512, 2048, 1, 1, 1, 1 },
    { "3x3 128 @56 /32 groups", 4, 56, 128, 128, 3, 1, 0, 32 },
    { "3x3 512 @14 /32 groups", 4, 14, 512, 512, 3, 1, 0, 32 },
    { "3x3 96 @56 depthwise", 4, 56, 96, 96, 3, 1, 0, 96 },
    { "3x3 576 @14 depthwise", 4, 14, 576, 576, 3, 1, 0, 576 },
    { "3x3 64->128 @28 dw x2", 4, 28, 64, 128, 3, 1, 0, 64 },
    { "2x2 64->128 /2 @56 up", 4, 56, 64, 128, 2, 2, 0, 1 },
    { "2x2 512->1024 /2 @14 up", 1, 14, 512, 1024, 2, 2, 0, 1 },
    { "4x4 64 /2 @32 up", 4, 32, 64, 64, 4, 2, 0, 1 },
};

struct call {
    struct rnet_work work;
    struct rnet_run run;
    struct rnet_conv conv;
    long batch;
    float *x, *y, *w, *dw, *dx;
    struct rnet_step load_x, load_dy, store_y, store_dx;
    int whole;                  /* backward: with the input's gradient */
    float *copies;              /* of the weights, to take turns */
    size_t weights;
    int copy, copy_count;
};

#define COLD_FLOATS (32 << 20)  /* more than the last cache holds */

static void forward(void *context)
{
    struct call *c = context;

    if (c->copy_count) {
        c->w = c->copies + (size_t)c->copy * c->weights;
        c->copy = (c->copy + 1) % c->copy_count;
    }

    rnet_conv(&c->run, c->batch, &c->conv,
              (struct rnet_steps) { &c->load_x, 1 }, c->w,
              (struct rnet_steps) { &c->store_y, 1 });
}

static void backward(void *context)
{
    const struct call *c = context;

    rnet_conv_grad(&c->run, c->batch, &c->conv,
                   (struct rnet_steps) { &c->load_x, 1 },
                   (struct rnet_steps) { &c->load_dy, 1 }, c->w, c->dw, NULL,
                   (struct rnet_steps) { &c->store_dx, c->whole });
}

static void transposed(void *context)
{
    const struct call *c = context;

    rnet_upconv(&c->run, c->batch, &c->conv,
                (struct rnet_steps) { &c->load_dy, 1 }, c->w,
                (struct rnet_steps) { &c->store_dx, 1 });
}

static struct rnet_conv conv_of(const struct shape *s)
{
    int pad = s->kernel > s->stride ? (s->kernel - 1) / 2 : 0;
    int out = (s->size + 2 * pad - s->kernel) / s->stride + 1;

    return (struct rnet_conv) {
        s->size, s->size, s->in, out, out, s->out, s->kernel, s->kernel,
        s->stride, s->stride, 1, 1, pad, pad, pad, pad, s->groups
    };
}

static float *values(size_t count)
{
    float *p = rnet_alloc(count + 16);

    if (!p)
        exit(1);
    for (size_t i = 0; i < count; i++)
        p[i] = (float)((i * 2654435761u >> 8 & 255) + 1) / 256 - 0.5f;
    return p;
}

static struct rnet_step full(enum rnet_op op, float *x, long stride)
{
    return (struct rnet_step) { .op = op, .kind = RNET_FULL, .x = x,
                                .stride = stride };
}

static void open_call(struct call *call, const struct shape *s)
{
    struct rnet_conv c = conv_of(s);
    size_t in = (size_t)s->batch * (size_t)(c.height * c.width * c.in);
    size_t out = (size_t)s->batch
                 * (size_t)(c.out_height * c.out_width * c.out);
    size_t weights = RNET_CONV_WEIGHTS(c.in, c.out, s->kernel, s->kernel,
                                       c.groups);

    memset(call, 0, sizeof *call);
    call->conv = c;
    call->batch = s->batch;
    call->x = values(in);
    call->y = values(out);
    call->copy_count = s->cold ? (int)(COLD_FLOATS / weights) + 1 : 0;
    call->weights = weights;
    call->copies = values(weights * (size_t)(call->copy_count + 1));
    call->w = call->copies;
    call->dw = values(weights);
    call->dx = values(in);
    call->load_x = full(RNET_LOAD, call->x, c.in);
    call->store_y = full(RNET_STORE, call->y, c.out);
    call->load_dy = full(RNET_LOAD, call->y, c.out);
    call->store_dx = full(RNET_STORE, call->dx, c.in);
    call->run.work = &call->work;
    call->run.batch = s->batch;
    call->run.worker_floats = RNET_WORKER_FLOATS
        + (RNET_CONV_WORKER_FLOATS(c.height, c.width, c.in, c.out_height,
                                   c.out_width, c.out, s->kernel, s->kernel, 1,
                                   1, c.pad_top, c.pad_left, c.pad_bottom,
                                   c.pad_right) + 15)
          / 16 * 16;
    call->run.workers = rnet_alloc(call->run.worker_floats);
    call->run.scratch_floats = RNET_CONV_SCRATCH_FLOATS(c.in, c.out, s->kernel,
                                                        s->kernel, c.groups);
    call->run.scratch = rnet_alloc(call->run.scratch_floats);
}

static void close_call(struct call *call)
{
    float *all[] = { call->x, call->y, call->copies, call->dw, call->dx,
                     call->run.workers, call->run.scratch };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        rnet_free(all[i]);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Least time of a call, of this process alone, in some 40 ms. */
static double seconds(struct call *call, void (*run)(void *), int whole)
{
    double least = 1e30, total = 0;

    call->whole = whole;
    run(call);
    for (int i = 0; i < 5 || total < 0.04; i++) {
        double start = now();

        run(call);
        double time = now() - start;
        total += time;
        least = time < least ? time : least;
    }
    return least;
}

static struct peer_ratios ratios[3];

static void share(double work, double time, double peak)
{
    printf("   %4.0f%%", 100 * work / time / peak);
}

/* A pass beside the libraries'. */
static void compared(const struct shape *s, const struct rnet_conv *c,
                     enum peer_pass pass, double time)
{
    struct peer_time best = { 0 };

    if (!s->cold)
        best = peer_conv(&(struct peer_conv) {
            s->batch, c->width, c->in, c->out_width, c->out, s->kernel,
            s->stride, c->pad_left,
            (c->out_width - 1) * s->stride + s->kernel - c->width
                - c->pad_left, c->groups
        }, pass);
    peer_ratio(&ratios[pass], s->name, time, best);
}

static void measure(const struct shape *s, double peak)
{
    struct call call;

    open_call(&call, s);
    double pixels = (double)s->batch * call.conv.out_height
                    * call.conv.out_width;
    double work = 2 * pixels * s->in * s->out * s->kernel * s->kernel
                  / call.conv.groups;
    double y = seconds(&call, forward, 0);
    double dw = seconds(&call, backward, 0);
    double both = seconds(&call, backward, 1);
    double up = seconds(&call, transposed, 0);

    printf("%-23s %4ld  %5.1f %4.0f%%", s->name, s->batch, work / y * 1e-9,
           100 * work / y / peak);
    compared(s, &call.conv, PEER_FORWARD, y);
    share(work, both - dw, peak);
    compared(s, &call.conv, PEER_GRAD_INPUT, both - dw);
    share(work, dw, peak);
    compared(s, &call.conv, PEER_GRAD_WEIGHT, dw);
    share(2 * work, both, peak);
    share(work, up, peak);
    printf("\n");
    fflush(stdout);
    close_call(&call);
}

int main(int argc, char **argv)
{
    double peak = peak_flops(rnet_isa_name());

    printf("%s, peak %.1f GFLOP/s\n", rnet_isa_name(), peak * 1e-9);
    peer_about();
    printf("%-23s batch forward     ratio     dx  ratio      dw  ratio    "
           "both  transposed\n", "");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (argc < 2 || strstr(shapes[i].name, argv[1]))
            measure(&shapes[i], peak);
    peer_summary("forward", &ratios[PEER_FORWARD]);
    peer_summary("dx", &ratios[PEER_GRAD_INPUT]);
    peer_summary("dw", &ratios[PEER_GRAD_WEIGHT]);
    return 0;
}
