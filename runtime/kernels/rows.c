/* rows.c: dense layers, embeddings and changes of layout, on vectors. */
#include "few.h"
#include "product.h"
#include "transpose.h"

/* Groups of rows whose results go to the steps together. */
#define BATCH (RNET_LANES / TILE_ROWS)

/* -------------------------------------------------------- y = x w^T, dy w */

/* A range of results of a product, of one form. */
struct range {
    const struct rows_job *job;
    const struct rows_part *part;
    enum form form;
    const float *x;             /* in strips */
    long x_stride;
    long features;              /* of the whole result */
    struct product product;
    struct buffer *buffer;
};

/* Coefficients of result `feature`. */
static ALWAYS_INLINE const float *coefficients(const struct range *range,
                                               long feature)
{
    const struct rows_job *job = range->job;
    if (range->form == BY_ROWS)
        return job->w + feature * RNET_LANES;
    return job->w + feature / RNET_LANES * job->out * RNET_LANES
           + feature % RNET_LANES;
}

/* From the coefficients of group g, of `rows` results, to what is wanted some
 * tiles later: the next group's; by columns, one of the two lines of each row
 * of the next panel.  Strips after the first find them in the cache. */
static ALWAYS_INLINE long ahead(const struct range *range, long strip, long g,
                                long rows)
{
    if (strip != range->part->strip)
        return 0;
    return range->form == BY_ROWS ? rows * RNET_LANES
           : range->product.depth * RNET_LANES + g % 2 * 16;
}

/* Features [from, to), in groups `first` to `last` of the features
 * [base, base + count), for one strip. */
static void strip_groups(struct range *range, long strip, long base,
                         long count, long first, long last)
{
    const struct rows_job *job = range->job;
    const struct rows_tail *tail = &job->tail;
    int lanes = rows_lanes(job, strip);
    long from = base + group_start(first, count);

    range->product.b = range->x + strip * range->x_stride * RNET_LANES;
    for (long g = first; g < last; g++) {
        long feature = base + group_start(g, count);
        long end = base + group_start(g + 1, count);
        struct place place = { strip, feature, 0 };

        range->product.a = coefficients(range, feature);
        range->product.ahead = range->product.a
                               + ahead(range, strip, g, end - feature);
        if (!tail->out)
            place = (struct place) { 0, feature - from, 0 };
        run_tiles(range->form, (int)(end - feature), lanes, &range->product,
                  tail->out ? tail : &range->buffer->tail, place);
    }
    if (!tail->out)
        buffer_flush(range->buffer, job, strip, from,
                     base + group_start(last, count) - from);
}

/* Features [base, base + count) for all strips of the part: coefficients are
 * read from far once, for the first strip. */
static void strips_groups(struct range *range, long base, long count)
{
    const struct rows_part *part = range->part;
    long groups = groups_of(count);

    for (long g = 0; g < groups; g += BATCH)
        for (long s = part->strip; s < part->strip + part->strips; s++)
            strip_groups(range, s, base, count, g,
                         rows_least(g + BATCH, groups));
}

static void linear_few(const struct rows_job *job,
                       const struct rows_part *part, float *scratch)
{
    struct buffer buffer;
    long end = part->feature + part->features;

    buffer_init(&buffer, job, job->out);
    buffer_begin(job, part, job->out);
    few_gather(scratch, job->x, job->in, job->rows);
    for (long o = part->feature; o < end; o += RNET_LANES) {
        long count = rows_least(RNET_LANES, end - o);
        few_linear(buffer.acc, count, job->rows, job->w + o * RNET_LANES,
                   job->out * RNET_LANES, scratch, job->in);
        buffer_finish(&buffer, job, 0, o, count);
    }
}

static void linear(const struct rows_job *job, const struct rows_part *part,
                   float *scratch)
{
    struct buffer buffer;
    struct range range = {
        .job = job, .part = part, .form = BY_ROWS, .x = job->x,
        .x_stride = job->x_stride, .features = job->out, .buffer = &buffer,
        .product = { .step = job->out * RNET_LANES, .depth = job->in,
                     .ahead_step = job->out * RNET_LANES }
    };

    if (few_applies(job, job->in)) {
        linear_few(job, part, scratch);
        return;
    }
    if (!job->tail.out)
        buffer_init(&buffer, job, job->out);
    buffer_begin(job, part, job->out);
    strips_groups(&range, part->feature, part->features);
}

static void grad_input_few(const struct rows_job *job,
                           const struct rows_part *part, float *scratch)
{
    struct buffer buffer;
    long end = part->feature + part->features;
    long stride = few_stride(job->out);

    buffer_init(&buffer, job, job->in);
    buffer_begin(job, part, job->in);
    few_gather(scratch, job->dy, job->out, job->rows);
    for (long i = part->feature; i < end; i += RNET_LANES) {
        for (long r = 0; r < job->rows; r++)
            few_columns(buffer.acc + r, job->w + i * job->out,
                        scratch + r * stride, job->out);
        buffer_finish(&buffer, job, 0, i, rows_least(RNET_LANES, end - i));
    }
}

/* ∂L/∂x = dy w: by columns, a panel of 32 features at a time. */
static void grad_input(const struct rows_job *job,
                       const struct rows_part *part, float *scratch)
{
    struct buffer buffer;
    struct range range = {
        .job = job, .part = part, .form = BY_COLUMNS, .x = job->dy,
        .x_stride = job->dy_stride, .features = job->in, .buffer = &buffer,
        .product = { .step = RNET_LANES * RNET_LANES, .depth = job->out,
                     .ahead_step = RNET_LANES * RNET_LANES }
    };
    long end = part->feature + part->features;

    if (few_applies(job, job->out)) {
        grad_input_few(job, part, scratch);
        return;
    }
    if (!job->tail.out)
        buffer_init(&buffer, job, job->in);
    buffer_begin(job, part, job->in);
    for (long i = part->feature; i < end; i += RNET_LANES)
        strips_groups(&range, i, rows_least(RNET_LANES, end - i));
}

/* ----------------------------------------------------- dw += dy^T x */

/* Rows go by in bands; a band of some panels of x, with features in the
 * lanes, is in scratch. */
#define BAND_STRIPS 16
#define BAND_PANELS (RNET_WORKER_FLOATS / (BAND_STRIPS * 1024))

static void pack_band(const struct rows_job *job, float *scratch, long strip,
                      long strips, long panel, long panels)
{
    for (long p = panel; p < panel + panels; p++)
        for (long s = strip; s < strip + strips; s++) {
            long feature = p * RNET_LANES;
            const float *x =
                job->x + (s * job->x_stride + feature) * RNET_LANES;
            transpose_lanes(scratch, x, (int)rows_least(RNET_LANES,
                                                        job->in - feature));
            scratch += RNET_LANES * RNET_LANES;
        }
}

/* What is wanted next: the coefficients at dy of the next group, where there
 * are many of them; else the tile of dw at `tile`, the next panel's or the next
 * group's, or what a step updates there. */
static ALWAYS_INLINE void band_ahead(const struct rows_job *job,
                                     struct product *product, long tile,
                                     const float *dy)
{
    const struct rnet_update *update = job->run->update;
    long at = tile * RNET_LANES;

    product->ahead = dy ? dy : job->step_w ? job->step_w + at : job->dw + at;
    product->ahead_step = dy ? product->step : 0;
    product->thens = 0;
    if (!job->step_w || dy)
        return;
    at += job->step_w - update->params;
    if (update->state1)
        product->then[product->thens++] = update->state1 + at;
    if (update->state2)
        product->then[product->thens++] = update->state2 + at;
}

/* dw of the panels += the band's share: features of dy are the rows of a
 * tile, features of x its lanes, rows are k. */
static void add_band(const struct rows_job *job, const struct rows_part *part,
                     const float *scratch, long strip, long strips, long panel,
                     long panels)
{
    const struct rows_tail tail = { .out = job->dw,
                                    .out_stride = job->dw_stride,
                                    .accumulate = 1 };
    struct product product = {
        .step = job->dy_stride * RNET_LANES,
        .depth = rows_least(strips * RNET_LANES,
                            job->rows - strip * RNET_LANES)
    };
    const float *dy = job->dy + strip * product.step;
    long groups = groups_of(part->features);

    for (long g = 0; g < groups; g++) {
        long o = part->feature + group_start(g, part->features);
        long end = part->feature + group_start(g + 1, part->features);

        product.a = dy + o * RNET_LANES;
        product.b = scratch;
        for (long p = panel; p < panel + panels; p++) {
            struct place place = { p - job->dw_panel, o - job->dw_feature, 0 };
            band_ahead(job, &product, p + 1 < panel + panels
                       ? (p + 1) * job->out + o : panel * job->out + end,
                       p + 1 == panel + panels && strips == BAND_STRIPS
                       ? dy + end * RNET_LANES : NULL);
            run_tiles(BY_ROWS, (int)(end - o),
                      (int)rows_least(RNET_LANES, job->in - p * RNET_LANES),
                      &product, &tail, place);
            product.b += strips * RNET_LANES * RNET_LANES;
        }
    }
}

/* Sum of the first `lanes` lanes at x. */
static ALWAYS_INLINE vf lanes_sum(const float *x, int lanes)
{
    vf sum = v_zero();
    for (int v = 0; v < RNET_LANES; v += RNET_W)
        sum += v_keep(vi_first(lanes - v), v_load(x + v));
    return sum;
}

/* ∂L/∂b = sum over rows of dy */
static void add_bias_grad(const struct rows_job *job,
                          const struct rows_part *part)
{
    for (long o = part->feature; o < part->feature + part->features; o++) {
        vf sum = v_zero();
        for (long s = 0; s < part->strips; s++)
            sum += lanes_sum(job->dy + (s * job->dy_stride + o) * RNET_LANES,
                             rows_lanes(job, s));
        job->db[o] += v_sum(sum);
    }
}

static void grad_weight(const struct rows_job *job,
                        const struct rows_part *part, float *scratch)
{
    long last = part->panel + part->panels;

    for (long s = 0; s < part->strips; s += BAND_STRIPS)
        for (long p = part->panel; p < last; p += BAND_PANELS) {
            long strips = rows_least(BAND_STRIPS, part->strips - s);
            long panels = rows_least(BAND_PANELS, last - p);
            pack_band(job, scratch, s, strips, p, panels);
            add_band(job, part, scratch, s, strips, p, panels);
        }
    if (job->db && part->panel == 0)
        add_bias_grad(job, part);
}

/* ---------------------------------------------- a step, panel by panel */

/* The gradient of one panel of x and this many features of dy is in scratch,
 * before a band of x. */
#define STEP_FEATURES 512
#define STEP_STRIPS ((RNET_WORKER_FLOATS - STEP_FEATURES * RNET_LANES) / 1024)

/* Of the features of the part that begin at its `feature`, one panel. */
static void step_panel(const struct rows_job *whole,
                       const struct rows_part *part, float *gradient,
                       float *band, int packed)
{
    struct rows_job job = *whole;
    long floats = part->features * RNET_LANES;

    job.dw = gradient;
    job.dw_stride = part->features;
    job.dw_panel = part->panel;
    job.dw_feature = part->feature;
    for (long i = 0; i < floats; i += RNET_W)
        v_store(gradient + i, v_zero());
    for (long s = 0; s < part->strips; s += STEP_STRIPS) {
        long strips = rows_least(STEP_STRIPS, part->strips - s);

        if (!packed)
            pack_band(&job, band, s, strips, part->panel, 1);
        add_band(&job, part, band, s, strips, part->panel, 1);
    }
    rnet_update(job.run, job.step_w + (part->panel * job.out + part->feature)
                                          * RNET_LANES, gradient, floats, 1);
}

/* b of the part's features, which begin at a multiple of 16. */
static void step_bias(const struct rows_job *whole,
                      const struct rows_part *part, float *gradient)
{
    struct rows_job job = *whole;
    struct rows_part some = *part;
    long end = part->feature + part->features;

    for (long o = part->feature; o < end; o += STEP_FEATURES) {
        some.feature = o;
        some.features = rows_least(STEP_FEATURES, end - o);
        long floats = (some.features + 15) / 16 * 16;
        for (long i = 0; i < floats; i++)
            gradient[i] = 0;
        job.db = gradient - o;
        add_bias_grad(&job, &some);
        rnet_update(job.run, job.step_b + o, gradient, floats, 0);
    }
}

static void step_weight(const struct rows_job *job,
                        const struct rows_part *part, float *scratch)
{
    struct rows_part all = { .strips = part->strips, .features = job->out };
    struct rows_part some = *part;
    float *band = scratch + STEP_FEATURES * RNET_LANES;
    long end = part->feature + part->features;

    for (; some.panel < part->panel + part->panels; some.panel++)
        for (long o = part->feature; o < end; o += STEP_FEATURES) {
            some.feature = o;
            some.features = rows_least(STEP_FEATURES, end - o);
            step_panel(job, &some, scratch, band,
                       o > part->feature && part->strips <= STEP_STRIPS);
        }
    if (job->step_b && part->panel == 0 && part->feature == 0)
        step_bias(job, &all, scratch);
}

/* ------------------------------------------ embeddings, changes of layout */

/* acc = 32 features of 32 rows anywhere in memory, and the tail.  The first
 * of them belongs to `strip`, `feature`; fewer at the end. */
typedef const float *row_of(const struct rows_job *job, long row,
                            long feature);

static const float *table_row(const struct rows_job *job, long row,
                              long feature)
{
    return job->w + (feature * job->vocabulary
                     + rows_index(job, row) * RNET_LANES);
}

static const float *plain_row(const struct rows_job *job, long row,
                              long feature)
{
    return job->x + row * job->x_stride + feature;
}

static ALWAYS_INLINE void gather_strip(const struct rows_job *job, long strip,
                                       const struct rows_part *part,
                                       struct buffer *buffer, row_of *of)
{
    const float *row[RNET_LANES];
    int lanes = rows_lanes(job, strip);
    long end = part->feature + part->features;

    for (long f = part->feature; f < end; f += RNET_LANES) {
        long count = rows_least(RNET_LANES, end - f);
        for (int i = 0; i < lanes; i++)
            row[i] = of(job, strip * RNET_LANES + i, f);
        transpose_rows(buffer->acc, row, lanes, (int)count);
        buffer_finish(buffer, job, strip, f, count);
    }
}

static ALWAYS_INLINE void gather(const struct rows_job *job,
                                 const struct rows_part *part, row_of *of)
{
    struct buffer buffer;

    buffer_init(&buffer, job, job->out);
    buffer_begin(job, part, job->out);
    for (long s = part->strip; s < part->strip + part->strips; s++)
        gather_strip(job, s, part, &buffer, of);
}

static void embedding(const struct rows_job *job, const struct rows_part *part,
                      float *scratch)
{
    (void)scratch;
    gather(job, part, table_row);
}

static void pack(const struct rows_job *job, const struct rows_part *part,
                 float *scratch)
{
    (void)scratch;
    gather(job, part, plain_row);
}

/* ∂L/∂table[index[row]] += dy[row]; `count` features at `dy`, in strips */
static void add_to_table(const struct rows_job *job, long strip, long feature,
                         int count)
{
    float acc[RNET_LANES * RNET_LANES] __attribute__((aligned(64)));
    int lanes = rows_lanes(job, strip);

    transpose_lanes(acc, job->dy + (strip * job->dy_stride + feature)
                                       * RNET_LANES, count);
    for (int i = 0; i < lanes; i++) {
        long word = rows_index(job, strip * RNET_LANES + i);
        float *to = job->dw + feature * job->vocabulary + word * RNET_LANES;
        for (int j = 0; j < RNET_LANES; j += RNET_W)
            v_store(to + j, v_load(to + j) + v_load(acc + i * RNET_LANES + j));
    }
}

static void embedding_grad(const struct rows_job *job,
                           const struct rows_part *part, float *scratch)
{
    long end = part->feature + part->features;

    (void)scratch;
    for (long f = part->feature; f < end; f += RNET_LANES)
        for (long s = part->strip; s < part->strip + part->strips; s++)
            add_to_table(job, s, f, (int)rows_least(RNET_LANES, end - f));
}

/* The only step of the tail is a store of the whole value. */
static int stores_only(struct rnet_steps steps)
{
    return steps.count == 1 && steps.step->op == RNET_STORE
           && steps.step->kind == RNET_FULL;
}

/* Stores rows x `count` features of acc to plain rows. */
static void store_rows(const struct rnet_step *to, const float *acc, long row,
                       int rows, long feature, int count)
{
    for (int i = 0; i < rows; i++, acc += RNET_LANES) {
        float *y = to->x + (row + i) * to->stride + feature;
        int j = 0;
        for (; j + RNET_W <= count; j += RNET_W)
            v_storeu(y + j, v_load(acc + j));
        if (j < count)
            v_store_first(y + j, v_load(acc + j), count - j);
    }
}

/* Rows [row, row + rows), of one sample when steps look at samples. */
static void unpack_rows(const struct rows_job *job, long row, int rows)
{
    float acc[RNET_LANES * RNET_LANES] __attribute__((aligned(64)));
    long strip = row / RNET_LANES, lane = row % RNET_LANES;
    struct rnet_tile tile = {
        .acc = acc + lane * RNET_LANES, .acc_stride = RNET_LANES,
        .outer = rows, .layout = RNET_PLAIN, .row = row, .row_step = 1,
        .features = job->out, .chunk = row / job->rows_per_sample,
        .sample = row / job->rows_per_sample,
        .rows_per_sample = job->rows_per_sample
    };

    for (long f = 0; f < job->out; f += RNET_LANES) {
        tile.feature = f;
        tile.inner = (int)rows_least(RNET_LANES, job->out - f);
        transpose_lanes(acc, job->x + (strip * job->x_stride + f) * RNET_LANES,
                        tile.inner);
        if (stores_only(job->steps))
            store_rows(job->steps.step, tile.acc, row, rows, f, tile.inner);
        else
            RNET_NAME(steps)(job->run, &tile, job->steps);
    }
}

static void unpack(const struct rows_job *job, const struct rows_part *part,
                   float *scratch)
{
    int by_sample = rows_by_sample(job->steps);
    long row = part->strip * RNET_LANES;
    long end = rows_least(job->rows,
                          (part->strip + part->strips) * RNET_LANES);

    (void)scratch;
    while (row < end) {
        long per = job->rows_per_sample, sample = row / per;
        long rows = rows_least(RNET_LANES - row % RNET_LANES, end - row);
        if (by_sample)
            rows = rows_least(rows, (sample + 1) * per - row);
        if (by_sample && row % per == 0)
            rnet_steps_begin(job->steps, sample, 0, job->out, job->out);
        unpack_rows(job, row, (int)rows);
        row += rows;
    }
}

const struct rows_kernels RNET_NAME(rows_kernels) = {
    linear, grad_input, grad_weight, step_weight, embedding, embedding_grad,
    pack, unpack
};
