/* bench_attention.c: attention and its gradient, GFLOP/s of the scores that
 * are seen and share of the FMA peak measured around each.  One thread, head by
 * head.  Arguments: cases "rows head causal", else those below. */
#include "../../runtime/isa.h"
#include "../../runtime/rnet_kernels.h"
#include "peak.h"

enum { HEADS = 4 };

struct bench {
    struct rnet_run run;
    struct rnet_work work;
    struct rnet_attention shape;
    long batch, stride;
    float *q, *k, *v, *y, *dy, *dq, *dk, *dv, *sums;
};

static float *filled(size_t count)
{
    float *p = rnet_alloc(count);
    if (!p)
        exit(1);
    for (size_t i = 0; i < count; i++)
        p[i] = (float)(i * 7 % 23) / 16 - 0.6f;
    return p;
}

static void forward(void *context)
{
    struct bench *b = context;
    rnet_attention(&b->run, b->batch, &b->shape, b->y, b->stride, b->sums,
                   b->q, b->stride, b->k, b->stride, b->v, b->stride, NULL);
}

static void backward(void *context)
{
    struct bench *b = context;
    rnet_attention_grad(&b->run, b->batch, &b->shape, b->dq, b->stride, b->dk,
                        b->stride, b->dv, b->stride, b->dy, b->stride, b->y,
                        b->stride, b->sums, b->q, b->stride, b->k, b->stride,
                        b->v, b->stride, NULL);
}

/* `products` multiply-adds a score and feature. */
static void line(struct bench *b, const char *name, void (*run)(void *),
                 int products)
{
    double rows = b->shape.queries;
    double scores = b->shape.causal ? rows * (rows + 1) / 2 : rows * rows;
    double flops = 2.0 * products * scores * (double)b->batch
                   * b->shape.heads * b->shape.head;
    double before = peak_flops(rnet_isa_name());
    double rate = flops / peak_least(run, b, 25);
    double after = peak_flops(rnet_isa_name());
    double peak = before > after ? before : after;
    printf("  %s %6.1f %3.0f%%", name, rate / 1e9, 100 * rate / peak);
}

static void measure(int rows, int head, int causal, enum rnet_layout layout)
{
    struct bench b = { .stride = (long)HEADS * head };
    float **all[] = { &b.q, &b.k, &b.v, &b.y, &b.dy, &b.dq, &b.dk, &b.dv };
    size_t floats;

    b.batch = rows > 512 ? 1 : 512 / rows;
    floats = (size_t)(b.batch * rows + 31) / 32 * 32 * (size_t)b.stride;
    b.shape = (struct rnet_attention) {
        .layout = layout, .queries = rows, .keys = rows, .heads = HEADS,
        .groups = HEADS, .head = head, .causal = causal, .scale = 0.125f
    };
    b.run.work = &b.work;
    b.run.batch = b.batch;
    b.run.worker_floats = RNET_ATTENTION_GRAD_FLOATS(head);
    b.run.workers = filled(b.run.worker_floats);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        *all[i] = filled(floats);
    b.sums = filled(RNET_ATTENTION_SUMS(b.batch, rows, HEADS));
    printf("%5d rows, head %3d, %-6s %-6s", rows, head,
           causal ? "causal" : "", layout == RNET_PLAIN ? "plain" : "strips");
    line(&b, "forward", forward, 2);
    line(&b, "backward", backward, 5);
    printf("\n");
    fflush(stdout);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        rnet_free(*all[i]);
    rnet_free(b.sums);
    rnet_free(b.run.workers);
}

int main(int count, char **arguments)
{
    static const int cases[][4] = {
        { 256, 64, 0, RNET_STRIPS }, { 256, 64, 1, RNET_STRIPS },
        { 256, 64, 0, RNET_PLAIN }, { 200, 64, 0, RNET_STRIPS },
        { 64, 64, 0, RNET_STRIPS }, { 1024, 64, 1, RNET_STRIPS },
        { 128, 32, 0, RNET_STRIPS }, { 256, 128, 0, RNET_STRIPS },
        { 49, 32, 0, RNET_STRIPS }
    };

    printf("%s: peak %.1f GFLOP/s\n", rnet_isa_name(),
           peak_flops(rnet_isa_name()) / 1e9);
    for (int i = 1; i + 2 < count; i += 3)
        measure(atoi(arguments[i]), atoi(arguments[i + 1]),
                atoi(arguments[i + 2]), RNET_STRIPS);
    for (size_t i = 0; count == 1 && i < sizeof cases / sizeof cases[0]; i++)
        measure(cases[i][0], cases[i][1], cases[i][2],
                (enum rnet_layout)cases[i][3]);
    return 0;
}
