/* bench_recurrent.c: recurrences, GFLOP/s of their products and share of the
 * FMA peak measured around each line.  One thread.  Arguments: shapes "batch
 * steps hidden", else those below. */
#include "../../runtime/rnet_kernels.h"
#include "peak.h"

struct bench {
    struct rnet_run run;
    struct rnet_work work;
    long batch, steps, hidden, gates;
    float *x, *y, *dx, *w, *dw, *bias, *saved, *scratch;
};

static float *filled(size_t count)
{
    float *p = rnet_alloc(count);

    if (!p)
        exit(1);
    for (size_t i = 0; i < count; i++)
        p[i] = (float)(i % 13) / 16 - 0.375f;
    return p;
}

static void forward(void *context)
{
    struct bench *b = context;
    long h = b->hidden;

    (b->gates == 4 ? rnet_lstm : rnet_gru)
        (&b->run, b->batch, b->steps, h, 0, b->y, h, b->saved, b->x,
         b->gates * h, b->w, b->bias);
}

static void backward(void *context)
{
    struct bench *b = context;
    long h = b->hidden;

    (b->gates == 4 ? rnet_lstm_grad : rnet_gru_grad)
        (&b->run, b->batch, b->steps, h, 0, b->dx, b->gates * h, b->dw,
         b->bias, b->y, h, b->saved, b->w, b->scratch);
}

static void line(struct bench *b, const char *name, void (*run)(void *),
                 int products)
{
    double h = (double)b->hidden;
    double flops = 2.0 * products * (double)(b->batch * b->steps)
                   * (double)b->gates * h * h;
    double before = peak_flops(rnet_isa_name());
    double rate = flops / peak_least(run, b, 9);
    double after = peak_flops(rnet_isa_name());
    double peak = before > after ? before : after;

    printf("  %s %6.1f %3.0f%%", name, rate / 1e9, 100 * rate / peak);
}

static void shape(long batch, long steps, long hidden)
{
    printf("%5ld x %4ld x %4ld", batch, steps, hidden);
    for (int gates = 4; gates >= 3; gates--) {
        struct bench b = { .batch = batch, .steps = steps,
                           .hidden = hidden, .gates = gates };
        size_t rows = (size_t)(batch * steps + 31) / 32 * 32;
        size_t h = (size_t)hidden, panels = (h + 31) / 32 * 32;

        b.run.work = &b.work;
        b.run.batch = batch;
        b.run.worker_floats = RNET_WORKER_FLOATS;
        b.run.workers = filled(RNET_WORKER_FLOATS);
        b.x = filled(rows * (size_t)gates * h);
        b.dx = filled(rows * (size_t)gates * h);
        b.y = filled(rows * h);
        b.w = filled(panels * (size_t)gates * h);
        b.dw = filled(panels * (size_t)gates * h);
        b.bias = filled((size_t)gates * h);
        b.saved = filled(RNET_LSTM_FLOATS(batch, steps, hidden));
        b.scratch = filled(RNET_GRU_SCRATCH_FLOATS(batch, steps, hidden));
        line(&b, gates == 4 ? "lstm" : "gru", forward, 1);
        line(&b, "grad", backward, 2);
        rnet_free(b.run.workers);
        rnet_free(b.x);
        rnet_free(b.dx);
        rnet_free(b.y);
        rnet_free(b.w);
        rnet_free(b.dw);
        rnet_free(b.bias);
        rnet_free(b.saved);
        rnet_free(b.scratch);
    }
    printf("\n");
    fflush(stdout);
}

int main(int count, char **arguments)
{
    static const long shapes[][3] = {
        { 1, 100, 128 }, { 1, 20, 1024 }, { 4, 50, 256 }, { 8, 50, 128 },
        { 32, 28, 64 }, { 32, 50, 128 }, { 64, 35, 256 }, { 128, 28, 128 },
        { 64, 20, 512 }, { 32, 10, 1024 }, { 1000, 28, 128 }
    };

    printf("%s: peak %.1f GFLOP/s; batch x steps x hidden\n", rnet_isa_name(),
           peak_flops(rnet_isa_name()) / 1e9);
    for (int i = 1; i + 2 < count; i += 3)
        shape(atol(arguments[i]), atol(arguments[i + 1]),
              atol(arguments[i + 2]));
    for (size_t i = 0; count == 1 && i < sizeof shapes / sizeof shapes[0]; i++)
        shape(shapes[i][0], shapes[i][1], shapes[i][2]);
    return 0;
}
