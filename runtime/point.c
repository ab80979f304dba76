/* point.c: pointwise passes, sums of lines, dropout's words. */
#include "isa.h"
#include "kernels/point.h"

static const struct point_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(point_kernels);

/* Elements one task is worth, about. */
#define TASK_ELEMENTS 16384
/* Features of a strip or a sample that one task takes. */
#define TASK_FEATURES 512

int rnet_steps_sum_all(struct rnet_steps steps)
{
    for (int k = 0; k < steps.count; k++)
        if (steps.step[k].op == RNET_SUM_ALL
            || steps.step[k].op == RNET_SUM_PRODUCT_ALL)
            return 1;
    return 0;
}

int rnet_steps_sum(struct rnet_steps steps)
{
    for (int k = 0; k < steps.count; k++)
        if (steps.step[k].op >= RNET_SUM)
            return 1;
    return 0;
}

/* Line `line` of what a step sums over the chunk. */
static void clear(const struct rnet_step *step, long chunk, int line,
                  long feature, long count, long features, float value)
{
    float *sums = step->sums + feature
        + (chunk * rnet_sum_lines(step->op) + line) * features;

    for (long f = 0; f < count; f++)
        sums[f] = value;
}

void rnet_steps_begin(struct rnet_steps steps, long chunk, long feature,
                      long count, long features)
{
    for (int k = 0; k < steps.count; k++) {
        const struct rnet_step *step = steps.step + k;

        if (step->op >= RNET_SUM_ALL) {
            if (feature == 0)
                step->sums[chunk] = 0;
        } else if (step->op >= RNET_SUM) {
            clear(step, chunk, 0, feature, count, features, 0);
            if (step->op == RNET_SUM_MOMENTS)
                clear(step, chunk, 1, feature, count, features,
                      RNET_BEFORE_FIRST);
            if (step->op == RNET_SUM_CENTRED)
                clear(step, chunk, 1, feature, count, features, 0);
        }
    }
}

int rnet_steps_by_sample(struct rnet_steps steps)
{
    for (int k = 0; k < steps.count; k++)
        if (steps.step[k].op >= RNET_SUM
            || steps.step[k].op == RNET_DROP_SAMPLE
            || steps.step[k].kind == RNET_SAMPLE
            || steps.step[k].kind == RNET_SAMPLE_FEATURE)
            return 1;
    return 0;
}

uint32_t rnet_dropout_word(const struct rnet_run *run, uint32_t key, long row,
                           long feature)
{
    const uint32_t counter[4] = { (uint32_t)row, (uint32_t)(feature / 4), key,
                                  (uint32_t)run->step };
    const uint32_t seed[2] = { (uint32_t)run->seed,
                               (uint32_t)(run->seed >> 32) };
    uint32_t words[4];

    rnet_philox(counter, seed, words);
    return words[feature % 4];
}

int rnet_keeps_batch(const struct rnet_run *run, long key, float p)
{
    return rnet_dropout_word(run, (uint32_t)key, 0, 0)
        >= rnet_dropout_limit(p);
}

/* ------------------------------------------------------------- rnet_point */

struct point {
    const struct rnet_run *run;
    struct rnet_rows rows;
    long features;
    struct rnet_steps steps;
    long blocks, block;         /* of features: how many, how wide */
    long samples;               /* plain, by sample: samples of a task */
    long count;                 /* plain, else: rows of a task */
};

static long at_most(long a, long b)
{
    return a < b ? a : b;
}

static long quotient_up(long a, long b)
{
    return (a + b - 1) / b;
}

/* The part of task `index` whose rows are yet to be said. */
static struct rnet_part part_of(const struct point *point, long index)
{
    struct rnet_part part = { .rows = point->rows,
                              .features = point->features };

    part.feature = index % point->blocks * point->block;
    part.feature_count = at_most(point->block,
                                 point->features - part.feature);
    return part;
}

static void strip_task(void *context, long index, int worker)
{
    const struct point *point = context;
    struct rnet_part part = part_of(point, index);

    (void)worker;
    part.chunk = index / point->blocks;
    part.row = part.chunk * RNET_LANES;
    part.row_count = at_most(RNET_LANES, point->rows.rows - part.row);
    part.sample = part.row / point->rows.rows_per_sample;
    tables[rnet_isa()]->part(point->run, &part, point->steps);
}

static void sample_task(void *context, long index, int worker)
{
    const struct point *point = context;
    struct rnet_part part = part_of(point, index);
    long samples = point->rows.rows / point->rows.rows_per_sample;
    long first = index / point->blocks * point->samples;
    long last = at_most(first + point->samples, samples);

    (void)worker;
    part.row_count = point->rows.rows_per_sample;
    for (long sample = first; sample < last; sample++) {
        part.chunk = part.sample = sample;
        part.row = sample * part.row_count;
        tables[rnet_isa()]->part(point->run, &part, point->steps);
    }
}

static void rows_task(void *context, long index, int worker)
{
    const struct point *point = context;
    struct rnet_part part = part_of(point, index);

    (void)worker;
    part.row = index / point->blocks * point->count;
    part.row_count = at_most(point->count, point->rows.rows - part.row);
    tables[rnet_isa()]->part(point->run, &part, point->steps);
}

/* True when element (row, feature) of every operand lies at the same place:
 * then rows and features are one long row, which leaves fewer odd ends. */
static int is_flat(struct rnet_steps steps, long features)
{
    for (int k = 0; k < steps.count; k++) {
        const struct rnet_step *step = steps.step + k;
        int everywhere = step->kind == RNET_NONE || step->kind == RNET_CONST
                         || step->kind == RNET_SCALAR
                         || step->kind == RNET_TEMP;

        if (step->op >= RNET_SUM
            || (step->op >= RNET_AFFINE && step->op <= RNET_DROP_SAMPLE))
            return 0;
        if (!everywhere
            && !(step->kind == RNET_FULL && step->stride == features))
            return 0;
    }
    return 1;
}

static void plain(struct point *point)
{
    long tasks;

    if (rnet_steps_by_sample(point->steps)) {
        long rows = point->rows.rows_per_sample;

        point->samples = TASK_ELEMENTS / (rows * point->block);
        if (point->samples < 1)
            point->samples = 1;
        tasks = quotient_up(point->rows.rows / rows, point->samples);
        rnet_parallel(point->run, tasks * point->blocks, sample_task, point);
        return;
    }
    if (point->features % 16 && is_flat(point->steps, point->features)) {
        point->features *= point->rows.rows;
        point->rows.rows = 1;
        point->block = TASK_ELEMENTS;
        point->blocks = quotient_up(point->features, point->block);
    }
    point->count = TASK_ELEMENTS / point->block;
    tasks = quotient_up(point->rows.rows, point->count);
    rnet_parallel(point->run, tasks * point->blocks, rows_task, point);
}

void rnet_point(const struct rnet_run *run, struct rnet_rows rows,
                long features, struct rnet_steps steps)
{
    struct point point = { .run = run, .rows = rows, .features = features,
                           .steps = steps };

    if (rows.rows == 0)
        return;
    point.block = rnet_steps_sum_all(steps) ? features
                                            : at_most(features, TASK_FEATURES);
    point.blocks = quotient_up(features, point.block);
    if (rows.layout == RNET_STRIPS)
        rnet_parallel(run, quotient_up(rows.rows, RNET_LANES) * point.blocks,
                      strip_task, &point);
    else
        plain(&point);
}

/* ----------------------------------------------------------- rnet_by_rows */

struct by_rows {
    struct rnet_rows rows;
    int by_sample;
    long each;                  /* rows of a task */
    rnet_rows_task *task;
    void *context;
};

/* The least common multiple of 32 and the rows of a sample. */
static long common_rows(long rows_per_sample)
{
    long a = RNET_LANES, b = rows_per_sample, rest;

    while ((rest = a % b)) {
        a = b;
        b = rest;
    }
    return RNET_LANES / b * rows_per_sample;
}

static void by_rows_task(void *context, long index, int worker)
{
    const struct by_rows *by = context;
    long sample = by->rows.rows_per_sample, row = index * by->each;
    long end = at_most(row + by->each, by->rows.rows);

    (void)worker;
    while (row < end) {
        long next = at_most((row / RNET_LANES + 1) * RNET_LANES, end);

        if (by->by_sample)
            next = at_most(next, (row / sample + 1) * sample);
        by->task(by->context, row, next - row);
        row = next;
    }
}

void rnet_by_rows(const struct rnet_run *run, struct rnet_rows rows,
                  struct rnet_steps steps, rnet_rows_task *task, void *context)
{
    struct by_rows by = {
        .rows = rows, .task = task, .context = context,
        .by_sample = rows.layout == RNET_PLAIN && rnet_steps_by_sample(steps),
        .each = RNET_LANES,
    };

    if (by.by_sample)
        by.each = common_rows(rows.rows_per_sample);
    rnet_parallel(run, quotient_up(rows.rows, by.each), by_rows_task, &by);
}

/* ---------------------------------------------------------- rnet_add_sums */

#define LINE_BLOCK 64

struct lines {
    float *y;
    const float *sums;
    long chunks, stride, features;
    float scale;
};

/* One block of features: its lines in order, in double. */
static void add_lines(void *context, long index, int worker)
{
    const struct lines *lines = context;
    long first = index * LINE_BLOCK;
    long count = at_most(LINE_BLOCK, lines->features - first);
    double total[LINE_BLOCK] = { 0 };

    (void)worker;
    for (long chunk = 0; chunk < lines->chunks; chunk++)
        for (long f = 0; f < count; f++)
            total[f] += lines->sums[chunk * lines->stride + first + f];
    for (long f = 0; f < count; f++)
        lines->y[first + f] += (float)(total[f] * lines->scale);
}

void rnet_add_sums(const struct rnet_run *run, float *y, const float *sums,
                   long chunks, long stride, long features, float scale)
{
    struct lines lines = { y, sums, chunks, stride, features, scale };
    long tasks = quotient_up(features, LINE_BLOCK);

    if (chunks * features >= TASK_ELEMENTS) {
        rnet_parallel(run, tasks, add_lines, &lines);
        return;
    }
    for (long task = 0; task < tasks; task++)
        add_lines(&lines, task, 0);
}
