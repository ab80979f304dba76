/* rows.c: entry points of dense layers, embeddings and changes of layout: the
 * split into tasks, by size alone, and the choice of kernels. */
#include "isa.h"
#include "kernels/rows.h"
#include "kernels/tile.h"

static const struct rows_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(rows_kernels);

/* ------------------------------------------------------------------ tails */

/* The operand of the next step when it is `op` of `kind`; steps past it. */
static const struct rnet_step *take(struct rnet_steps *steps, enum rnet_op op,
                                    enum rnet_kind kind)
{
    if (steps->count == 0 || steps->step->op != op
        || steps->step->kind != kind)
        return NULL;
    steps->count--;
    return steps->step++;
}

static const float *take_full(struct rnet_steps *steps, enum rnet_op op,
                              long *stride)
{
    const struct rnet_step *step = take(steps, op, RNET_FULL);
    if (!step)
        return NULL;
    *stride = step->stride;
    return step->x;
}

struct rows_tail rnet_rows_tail(struct rnet_steps steps)
{
    struct rows_tail tail = { 0 };
    const struct rnet_step *step = take(&steps, RNET_ADD, RNET_FEATURE);
    tail.bias = step ? step->x : NULL;
    tail.before = take_full(&steps, RNET_ADD, &tail.before_stride);
    tail.mask = take_full(&steps, RNET_RELU_GRAD, &tail.mask_stride);
    tail.inner_relu = take(&steps, RNET_RELU, RNET_NONE) != NULL;
    tail.after = take_full(&steps, RNET_ADD, &tail.after_stride);
    tail.relu = take(&steps, RNET_RELU, RNET_NONE) != NULL;
    step = take(&steps, RNET_ACCUMULATE, RNET_FULL);
    tail.accumulate = step != NULL;
    if (!step)
        step = take(&steps, RNET_STORE, RNET_FULL);
    if (step && steps.count == 0) {
        tail.out = step->x;
        tail.out_stride = step->stride;
    }
    return tail;
}

/* ------------------------------------------------------------------ tasks */

/* A task has about this many multiply-adds, or moves this many floats: some
 * 20 microseconds, several times what waking a thread costs. */
#define TASK_WORK  (1L << 20)
#define TASK_MOVES (1L << 16)
#define MOST_TASKS 256

/* Up to this many rows have kernels whose time is that of reading weights. */
#define FEW 4

/* Floats of x in strips that a task goes through again and again: they stay
 * in the second-level cache. */
#define STRIPS_FLOATS (96L * 1024)

static long divide_up(long a, long b) { return (a + b - 1) / b; }
static long most(long a, long b) { return a > b ? a : b; }

/* Tasks are the cells of a grid: `across` parts of `units` units by `down`
 * parts of the strips (or of what `strips` counts). */
struct grid {
    const struct rows_job *job;
    rows_kernel *kernel;
    long strips, down;
    long units, across;
    long unit;                  /* features of a unit */
    long features;
    int weights;                /* strips are panels of a weight gradient */
};

static long tasks_of(double work, double each)
{
    double tasks = work / each;
    return tasks < 1 ? 1 : tasks > MOST_TASKS ? MOST_TASKS : (long)tasks;
}

static void run_cell(void *context, long index, int worker)
{
    const struct grid *grid = context;
    const struct rnet_run *run = grid->job->run;
    long row = index / grid->across, column = index % grid->across;
    long strip = row * grid->strips / grid->down;
    long strips = (row + 1) * grid->strips / grid->down - strip;
    long feature = column * grid->units / grid->across * grid->unit;
    long end = (column + 1) * grid->units / grid->across * grid->unit;
    struct rows_part part = { .feature = feature };

    part.features = rows_least(end, grid->features) - feature;
    if (grid->weights) {
        part.panel = strip;
        part.panels = strips;
        part.strips = divide_up(grid->job->rows, RNET_LANES);
    } else {
        part.strip = strip;
        part.strips = strips;
    }
    grid->kernel(grid->job, &part, run->workers
                 ? run->workers + (size_t)worker * run->worker_floats : NULL);
}

static void run_grid(struct grid *grid)
{
    if (grid->strips > 0)
        rnet_parallel(grid->job->run, grid->down * grid->across, run_cell,
                      grid);
}

static long samples_rows(const struct rnet_run *run, long rows)
{
    return run->batch > 0 ? most(1, rows / run->batch) : 1;
}

/* Tasks of a product whose result is (rows, features) in strips, from `depth`
 * features: few blocks of strips, so that weights are read few times, and
 * ranges of features as many as it takes. */
static void run_product(const struct rows_job *job, rows_kernel *kernel,
                        long depth, long features, long unit)
{
    struct grid grid = { .job = job, .kernel = kernel, .unit = unit,
                         .features = features };
    long strips = divide_up(job->rows, RNET_LANES);
    long lanes = job->rows <= FEW ? FEW : strips * RNET_LANES;
    double work = (double)lanes * (double)depth * (double)features;
    long tasks = tasks_of(work, TASK_WORK);
    long block = most(1, STRIPS_FLOATS / (depth * RNET_LANES));

    grid.strips = strips;
    grid.units = divide_up(features, unit);
    grid.down = most(divide_up(most(1, strips), block),
                     rows_least(tasks, divide_up(strips, 4)));
    grid.across = rows_least(grid.units, divide_up(tasks, grid.down));
    if (rnet_steps_sum_all(job->steps))
        grid.across = 1;
    run_grid(&grid);
}

/* Tasks of what only moves (rows, features). */
static void run_moves(const struct rows_job *job, rows_kernel *kernel,
                      long features)
{
    struct grid grid = { .job = job, .kernel = kernel, .unit = RNET_LANES,
                         .features = features };
    long tasks = tasks_of((double)job->rows * (double)features, TASK_MOVES);

    grid.strips = divide_up(job->rows, RNET_LANES);
    grid.units = divide_up(features, RNET_LANES);
    grid.down = most(1, rows_least(grid.strips, tasks));
    grid.across = rows_least(grid.units, divide_up(tasks, grid.down));
    if (rnet_steps_sum_all(job->steps))
        grid.across = 1;
    run_grid(&grid);
}

/* ----------------------------------------------------------- entry points */

void rnet_linear(const struct rnet_run *run, long rows, long in, long out,
                 const float *x, long x_stride, const float *w,
                 struct rnet_steps tail)
{
    struct rows_job job = {
        .run = run, .rows = rows, .rows_per_sample = samples_rows(run, rows),
        .in = in, .out = out, .x = x, .x_stride = x_stride, .w = w,
        .steps = tail, .tail = rnet_rows_tail(tail)
    };
    run_product(&job, tables[rnet_isa()]->linear, in, out, 14);
}

void rnet_linear_grad_input(const struct rnet_run *run, long rows, long in,
                            long out, const float *dy, long dy_stride,
                            const float *w, struct rnet_steps tail)
{
    struct rows_job job = {
        .run = run, .rows = rows, .rows_per_sample = samples_rows(run, rows),
        .in = in, .out = out, .dy = dy, .dy_stride = dy_stride, .w = w,
        .steps = tail, .tail = rnet_rows_tail(tail)
    };
    run_product(&job, tables[rnet_isa()]->grad_input, out, in, RNET_LANES);
}

/* Each task packs the panels of x that it needs: dy's features are split only
 * where panels are few, into ranges of 128 at least. */
static void run_weights(const struct rows_job *job, rows_kernel *kernel)
{
    long rows = job->rows, in = job->in, out = job->out;
    struct grid grid = { .job = job, .kernel = kernel, .unit = 14,
                         .features = out, .weights = 1 };
    long tasks = tasks_of((double)rows * (double)in * (double)out, TASK_WORK);

    if (rows <= 0)
        return;
    grid.strips = divide_up(in, RNET_LANES);
    grid.units = divide_up(out, grid.unit);
    grid.down = rows_least(rows_least(tasks, 64), grid.strips);
    grid.across = rows_least(divide_up(rows_least(tasks, 32), grid.down),
                             divide_up(out, 128));
    run_grid(&grid);
}

void rnet_linear_grad_weight(const struct rnet_run *run, long rows, long in,
                             long out, float *dw, float *db, const float *dy,
                             long dy_stride, const float *x, long x_stride)
{
    const struct rows_job job = {
        .run = run, .rows = rows, .in = in, .out = out, .x = x,
        .x_stride = x_stride, .dy = dy, .dy_stride = dy_stride, .dw = dw,
        .db = db, .dw_stride = out
    };

    run_weights(&job, tables[rnet_isa()]->grad_weight);
}

void rnet_linear_step(const struct rnet_run *run, long rows, long in, long out,
                      float *w, float *b, const float *dy, long dy_stride,
                      const float *x, long x_stride)
{
    const struct rows_job job = {
        .run = run, .rows = rows, .in = in, .out = out, .x = x,
        .x_stride = x_stride, .dy = dy, .dy_stride = dy_stride, .step_w = w,
        .step_b = b
    };

    run_weights(&job, tables[rnet_isa()]->step_weight);
}

void rnet_embedding(const struct rnet_run *run, long rows, long vocabulary,
                    long width, const int32_t *index, const float *table,
                    struct rnet_steps tail)
{
    struct rows_job job = {
        .run = run, .rows = rows, .rows_per_sample = samples_rows(run, rows),
        .out = width, .w = table, .vocabulary = vocabulary, .index = index,
        .steps = tail, .tail = rnet_rows_tail(tail)
    };
    run_moves(&job, tables[rnet_isa()]->embedding, width);
}

/* A task owns a panel of the table: rows that meet are added in their order. */
void rnet_embedding_grad(const struct rnet_run *run, long rows,
                         long vocabulary, long width, float *dtable,
                         const int32_t *index, const float *dy, long dy_stride)
{
    struct rows_job job = {
        .run = run, .rows = rows, .rows_per_sample = samples_rows(run, rows),
        .out = width, .vocabulary = vocabulary, .dw = dtable,
        .index = index, .dy = dy, .dy_stride = dy_stride
    };
    struct grid grid = { .job = &job, .unit = RNET_LANES, .features = width };
    long tasks = tasks_of((double)rows * (double)width, TASK_MOVES);

    grid.kernel = tables[rnet_isa()]->embedding_grad;
    grid.strips = divide_up(rows, RNET_LANES);
    grid.down = 1;
    grid.units = divide_up(width, RNET_LANES);
    grid.across = rows_least(grid.units, tasks);
    run_grid(&grid);
}

void rnet_pack_rows(const struct rnet_run *run, long rows, long features,
                    const float *x, long stride, struct rnet_steps tail)
{
    struct rows_job job = {
        .run = run, .rows = rows, .rows_per_sample = samples_rows(run, rows),
        .out = features, .x = x, .x_stride = stride, .steps = tail,
        .tail = rnet_rows_tail(tail)
    };
    run_moves(&job, tables[rnet_isa()]->pack, features);
}

/* A chunk of a plain value is a sample, which may lie in several strips: with
 * sums one task does all of it. */
void rnet_unpack_rows(const struct rnet_run *run, long rows, long features,
                      const float *x, long stride, struct rnet_steps tail)
{
    struct rows_job job = {
        .run = run, .rows = rows, .rows_per_sample = samples_rows(run, rows),
        .out = features, .x = x, .x_stride = stride, .steps = tail
    };
    struct grid grid = { .job = &job, .units = 1, .across = 1,
                         .unit = features, .features = features };
    long tasks = tasks_of((double)rows * (double)features, TASK_MOVES);

    grid.kernel = tables[rnet_isa()]->unpack;
    grid.strips = divide_up(rows, RNET_LANES);
    grid.down = rnet_steps_sum(tail) ? 1 : rows_least(grid.strips, tasks);
    run_grid(&grid);
}
