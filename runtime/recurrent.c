/* recurrent.c: entry points of recurrent layers: the order of rows, the split
 * into tasks, by size alone, and the choice of kernels.
 *
 * In order of time a step's rows lie side by side; so the gates are moved into
 * it first, the results out of it at last, and only the steps between depend
 * on each other. */
#include <string.h>

#include "isa.h"
#include "kernels/recurrent.h"

static const struct recurrent_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(recurrent_kernels);

/* A task that moves has about this many floats. */
#define TASK_MOVES (1L << 16)
/* Multiply-adds of a step that are worth a task of their own, some 10
 * microseconds; blocks that are enough tasks by themselves. */
#define TASK_WORK   (1L << 19)
#define MANY_BLOCKS 16
/* Up to this many samples have kernels without idle lanes. */
#define FEW 4

static long divide_up(long a, long b) { return (a + b - 1) / b; }

static long within(long a, long low, long high)
{
    return a < low ? low : a > high ? high : a;
}

/* ---------------------------------------------------------- order of rows */

struct moves {
    const struct recurrent_order *order;
    recurrent_move *kernel;
    long features, each, across;
};

static void move_task(void *context, long index, int worker)
{
    const struct moves *moves = context;
    long feature = index % moves->across * moves->each;

    (void)worker;
    moves->kernel(moves->order, index / moves->across, feature,
                  recurrent_least(moves->each, moves->features - feature));
}

static void move(const struct rnet_run *run,
                 const struct recurrent_order *order, recurrent_move *kernel,
                 long features)
{
    struct moves moves = { .order = order, .kernel = kernel,
                           .features = features };

    moves.each = within(TASK_MOVES / (RNET_LANES * order->steps), 1,
                        features);
    moves.across = divide_up(features, moves.each);
    rnet_parallel(run, order->blocks * moves.across, move_task, &moves);
}

static struct recurrent_order order_of(const struct recurrent_job *job,
                                       const float *rows, long stride,
                                       const float *times, long width)
{
    return (struct recurrent_order) {
        .batch = job->batch, .blocks = job->blocks, .steps = job->steps,
        .reverse = job->reverse, .rows = (float *)rows, .stride = stride,
        .times = (float *)times, .width = width
    };
}

/* ------------------------------------------------------------------ steps */

/* Tasks are the blocks, each through all steps; or, where they are few and
 * large, parts of the blocks' features, step by step. */
struct steps {
    const struct recurrent_job *job;
    recurrent_kernel *kernel;
    int backward;
    long parts;                 /* of a block's features */
    long first, last;           /* steps, in the order of execution */
};

static void steps_task(void *context, long index, int worker)
{
    const struct steps *steps = context;
    const struct recurrent_job *job = steps->job;
    const struct rnet_run *run = job->run;
    long panels = divide_up(job->hidden, RNET_LANES);
    long part = index % steps->parts;
    struct recurrent_part to = {
        .block = index / steps->parts,
        .feature = part * panels / steps->parts * RNET_LANES
    };

    to.features = recurrent_least((part + 1) * panels / steps->parts
                                      * RNET_LANES, job->hidden) - to.feature;
    for (long k = steps->first; k < steps->last; k++) {
        to.step = steps->backward ? job->steps - 1 - k : k;
        steps->kernel(job, &to, run->workers
                                    + (size_t)worker * run->worker_floats);
    }
}

static long parts_of(const struct recurrent_job *job)
{
    double lanes = job->batch <= FEW ? FEW : RNET_LANES;
    double work = lanes * (double)job->outs * (double)job->hidden;

    if (job->blocks >= MANY_BLOCKS || work < 2 * TASK_WORK)
        return 1;
    return within((long)(work / TASK_WORK), 1,
                  divide_up(job->hidden, RNET_LANES));
}

static void run_steps(const struct recurrent_job *job,
                      recurrent_kernel *kernel, int backward)
{
    struct steps steps = { .job = job, .kernel = kernel, .backward = backward,
                           .parts = parts_of(job) };
    long each = steps.parts > 1 ? 1 : job->steps;

    for (steps.first = 0; steps.first < job->steps; steps.first += each) {
        steps.last = steps.first + each;
        rnet_parallel(job->run, job->blocks * steps.parts, steps_task,
                      &steps);
    }
}

/* ---------------------------------------------------------------- forward */

/* `saved` holds the gates, the states and an LSTM's cells. */
static struct recurrent_job job_of(const struct rnet_run *run, long batch,
                                   long steps, long hidden, int reverse,
                                   int gates, const float *saved,
                                   const float *w)
{
    struct recurrent_job job = {
        .run = run, .batch = batch, .blocks = divide_up(batch, RNET_LANES),
        .steps = steps, .hidden = hidden, .outs = gates * hidden,
        .reverse = reverse, .w = w, .gate = (float *)saved
    };
    long slot = job.blocks * hidden * RNET_LANES;

    job.state = job.gate + 4 * steps * slot;
    if (gates == 4)
        job.cell = job.state + (steps + 1) * slot;
    return job;
}

static void forward(const struct recurrent_job *job, recurrent_kernel *kernel,
                    float *y, long y_stride, const float *gates,
                    long gates_stride)
{
    long h = job->hidden, slot = job->blocks * h * RNET_LANES;
    struct recurrent_order in = order_of(job, gates, gates_stride, job->gate,
                                         4 * h);
    struct recurrent_order out = order_of(job, y, y_stride, job->state + slot,
                                          h);

    memset(job->state, 0, (size_t)slot * sizeof *job->state);
    if (job->cell)
        memset(job->cell, 0, (size_t)slot * sizeof *job->cell);
    move(job->run, &in, tables[rnet_isa()]->rows_to_times, job->outs);
    run_steps(job, kernel, 0);
    move(job->run, &out, tables[rnet_isa()]->times_to_rows, h);
}

void rnet_lstm(const struct rnet_run *run, long batch, long steps, long hidden,
               int reverse, float *y, long y_stride, float *saved,
               const float *gates, long gates_stride, const float *w,
               const float *b)
{
    struct recurrent_job job = job_of(run, batch, steps, hidden, reverse, 4,
                                      saved, w);

    job.bias = b;
    forward(&job, tables[rnet_isa()]->lstm, y, y_stride, gates, gates_stride);
}

void rnet_gru(const struct rnet_run *run, long batch, long steps, long hidden,
              int reverse, float *y, long y_stride, float *saved,
              const float *gates, long gates_stride, const float *w,
              const float *b)
{
    struct recurrent_job job = job_of(run, batch, steps, hidden, reverse, 3,
                                      saved, w);

    job.bias = b;
    forward(&job, tables[rnet_isa()]->gru, y, y_stride, gates, gates_stride);
}

/* --------------------------------------------------------------- gradient */

/* dgate and carry from dy; scratch becomes dy in order of time, dgate,
 * carry. */
static void backward(struct recurrent_job *job, recurrent_kernel *kernel,
                     const float *dy, long dy_stride, float *scratch)
{
    long h = job->hidden, slot = job->blocks * h * RNET_LANES;
    struct recurrent_order in = order_of(job, dy, dy_stride, scratch, h);

    job->dy = scratch;
    job->dgate = scratch + job->steps * slot;
    job->carry = job->dgate + 4 * job->steps * slot;
    memset(job->carry, 0, (size_t)slot * sizeof *job->carry);
    move(job->run, &in, tables[rnet_isa()]->rows_to_times, h);
    run_steps(job, kernel, 1);
}

/* dw += sum over rows of dgate and the state before the step; `state` is
 * scratch for that, (rows, hidden). */
static void weight_grad(const struct recurrent_job *job, float *state,
                        const float *dgate, long stride, float *dw, float *db)
{
    long h = job->hidden;
    struct recurrent_order out = order_of(job, state, h, job->state, h);

    move(job->run, &out, tables[rnet_isa()]->times_to_rows, h);
    rnet_linear_grad_weight(job->run, job->batch * job->steps, h, job->outs,
                            dw, db, dgate, stride, state, h);
}

void rnet_lstm_grad(const struct rnet_run *run, long batch, long steps,
                    long hidden, int reverse, float *dgates,
                    long dgates_stride, float *dw, float *db, const float *dy,
                    long dy_stride, const float *saved, const float *w,
                    float *scratch)
{
    struct recurrent_job job = job_of(run, batch, steps, hidden, reverse, 4,
                                      saved, w);
    struct recurrent_order out;

    backward(&job, tables[rnet_isa()]->lstm_grad, dy, dy_stride, scratch);
    out = order_of(&job, dgates, dgates_stride, job.dgate, job.outs);
    move(run, &out, tables[rnet_isa()]->times_to_rows, job.outs);
    weight_grad(&job, scratch, dgates, dgates_stride, dw, db);
}

/* What multiplies w, r, z, q, differs from what the inputs get, r, z, n. */
void rnet_gru_grad(const struct rnet_run *run, long batch, long steps,
                   long hidden, int reverse, float *dgates,
                   long dgates_stride, float *dw, float *db, const float *dy,
                   long dy_stride, const float *saved, const float *w,
                   float *scratch)
{
    struct recurrent_job job = job_of(run, batch, steps, hidden, reverse, 3,
                                      saved, w);
    long slot = job.blocks * hidden * RNET_LANES;
    float *products = scratch + (5 * steps + 1) * slot;
    struct recurrent_order out;

    backward(&job, tables[rnet_isa()]->gru_grad, dy, dy_stride, scratch);
    out = order_of(&job, dgates, dgates_stride, job.dgate, 4 * hidden);
    move(run, &out, tables[rnet_isa()]->times_to_rows, 2 * hidden);
    out.rows += 2 * hidden * RNET_LANES;
    out.times += 3 * hidden * RNET_LANES;
    move(run, &out, tables[rnet_isa()]->times_to_rows, hidden);
    out = order_of(&job, products, job.outs, job.dgate, 4 * hidden);
    move(run, &out, tables[rnet_isa()]->times_to_rows, job.outs);
    weight_grad(&job, scratch, products, job.outs, dw, db);
}
