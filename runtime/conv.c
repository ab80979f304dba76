/* conv.c: convolutions: how they are cut into passes and into tasks.
 *
 * Images go through a worker's scratch in sets of RNET_CONV_IMAGES: the input
 * program makes them, with their borders, and the kernels run over them while
 * they are in the second-level cache.  Few sets are cut into rows and blocks of
 * channels instead.  Each cut depends on sizes alone. */
#include <string.h>

#include "isa.h"
#include "kernels/conv.h"

static const struct conv_kernels *const tables[RNET_ISAS] =
    RNET_TABLES(conv_kernels);

#define FEW_SETS   8            /* fewer than these are cut */
#define PART_WORK  1000000      /* multiplications of a part, about */
#define PANEL      4            /* blocks of 16 channels that go together */
#define PANEL_FLOATS 131072     /* of weights, which should stay in cache */
#define NEXT_FLOATS 65536       /* most of the next image fetched ahead */
#define ADD_FLOATS 16384        /* of gradients that one task adds up */

/* A map that a program makes, in scratch, or where it is already. */
struct source {
    struct conv_frame frame;
    const float *map;           /* the whole map; NULL: in scratch */
    long pixel, row, image;     /* strides in floats */
    size_t offset;              /* in a worker's scratch */
};

struct plan {
    const struct rnet_run *run;
    const struct conv_kernels *kernels;
    const struct rnet_conv *conv;
    long batch;
    int images;                 /* in a set */
    int depthwise, groups;      /* depthwise counts as one group */
    int in, out;                /* channels of a group */
    long block, group;          /* floats of packed weights */
    struct source x, dy;
    const float *w;
    float *flipped;             /* transposed weights */
    float *dw, *db;
    float *step_w, *step_b;     /* or what an optimiser's step is done to */
    float *partial;             /* weight, then bias gradients of the groups */
    long image_groups;          /*   of images; dw and db are the first's */
    struct rnet_steps tail;
    int tail_input;             /* it reads RNET_INPUT */
};

static long least(long a, long b)
{
    return a < b ? a : b;
}

static long most(long a, long b)
{
    return a > b ? a : b;
}

static long divide_up(long a, long b)
{
    return (a + b - 1) / b;
}

static int divisor(int a, int b)
{
    return b ? divisor(b, a % b) : a;
}

/* -------------------------------------------------------------- sources */

/* A program that is one LOAD of a map which needs no border. */
static const float *bare_map(const struct conv_frame *frame)
{
    struct rnet_steps program = frame->program;

    if (program.count != 1 || program.step->op != RNET_LOAD
        || program.step->kind != RNET_FULL || frame->left || frame->right)
        return NULL;
    return program.step->x;
}

/* in_place: the map may be read where it is. */
static struct source open_source(struct conv_frame frame, int in_place,
                                 size_t offset)
{
    struct source source = { .frame = frame, .offset = offset };

    source.map = in_place ? bare_map(&frame) : NULL;
    source.pixel = source.map ? frame.program.step->stride : frame.channels;
    source.row = (frame.left + frame.width + frame.right) * source.pixel;
    source.image = frame.height * source.row;
    if (!source.map)
        source.image = (source.image + 15) / 16 * 16;
    return source;
}

static float *scratch_of(const struct plan *plan, const struct source *source,
                         int worker, int slot)
{
    return plan->run->workers + (size_t)worker * plan->run->worker_floats
           + RNET_WORKER_FLOATS + source->offset
           + (size_t)slot * (size_t)source->image;
}

/* What the program of an image loads first; from `end` on there is none. */
static struct conv_next next_of(const struct source *source, long image,
                                long end)
{
    const struct rnet_step *load = source->frame.program.step;
    long floats = (long)source->frame.height * source->frame.width;

    if (image >= end || !load || load->kind != RNET_FULL
        || (floats *= load->stride) > NEXT_FLOATS)
        return (struct conv_next) { NULL, 0 };
    return (struct conv_next) { load->x + image * floats, floats };
}

/* Pixel (0, 0) of an image, the slot-th of its set. */
static const float *pixels_of(const struct plan *plan,
                              const struct source *source, int worker,
                              long image, int slot)
{
    if (source->map)
        return source->map + image * source->image;
    return scratch_of(plan, source, worker, slot)
           + source->frame.left * source->pixel;
}

static void fill_source(const struct plan *plan, const struct source *source,
                        int worker, long image, int slot, int row, int count)
{
    const struct conv_frame *frame = &source->frame;

    if (source->map)
        return;
    if (row == 0)
        rnet_steps_begin(frame->program, image, 0, frame->channels,
                         frame->channels);
    plan->kernels->fill(plan->run, frame, image, row, count,
                        scratch_of(plan, source, worker, slot));
}

/* --------------------------------------------------------------- passes */

/* Where group g's taps read the input. */
static struct conv_taps input_taps(const struct plan *plan, int g)
{
    const struct rnet_conv *conv = plan->conv;
    const struct source *x = &plan->x;
    struct conv_taps taps = {
        .rows = conv->kernel_height, .columns = conv->kernel_width,
        .length = plan->in,
        .first = -conv->pad_top * x->row - conv->pad_left * x->pixel
                 + (long)g * plan->in,
        .pixel_row = conv->stride_y * x->row,
        .pixel = conv->stride_x * x->pixel,
        .tap_row = conv->dilation_y * x->row,
        .tap = conv->dilation_x * x->pixel,
        .row = -conv->pad_top, .row_step = conv->stride_y,
        .row_tap = conv->dilation_y, .height = conv->height
    };

    if (!plan->depthwise && taps.tap == taps.length) {
        taps.length *= taps.columns;    /* the taps of a row are neighbours */
        taps.columns = 1;
    }
    return taps;
}

static struct conv_pass forward_pass(const struct plan *plan, int g)
{
    const struct rnet_conv *conv = plan->conv;

    return (struct conv_pass) {
        .taps = input_taps(plan, g),
        .w = plan->w + g * plan->group, .w_block = plan->block,
        .depthwise = plan->depthwise,
        .count = plan->out, .feature = g * plan->out,
        .rows = conv->out_height, .columns = conv->out_width,
        .step_y = 1, .step_x = 1,
        .height = conv->out_height, .width = conv->out_width,
        .channels = conv->out, .tail = plan->tail
    };
}

/* One axis of a gradient's phase: result pixels first, first + stride, ...;
 * from the last tap (offset last) downwards, every stride / divisor-th. */
struct phase {
    int first, count;           /* pixels */
    int taps, last, between;    /* taps, the last one, distance */
    int origin, distance;       /* in dy: of the first pixel and first tap,
                                   and between taps */
};

static struct phase make_phase(int index, int size, int kernel, int stride,
                               int dilation, int pad)
{
    int common = divisor(dilation, stride);
    struct phase phase = {
        .first = ((index - pad) % stride + stride) % stride,
        .between = stride / common, .distance = dilation / common
    };

    phase.count = phase.first < size ? (size - 1 - phase.first) / stride + 1
                                     : 0;
    for (int k = 0; k < kernel; k++)
        if ((k * (long)dilation - index) % stride == 0) {
            phase.taps++;
            phase.last = k;
        }
    if (phase.taps)
        phase.origin = (phase.first + pad - phase.last * dilation) / stride;
    return phase;
}

static struct phase phase_y(const struct rnet_conv *conv, int index)
{
    return make_phase(index, conv->height, conv->kernel_height, conv->stride_y,
                      conv->dilation_y, conv->pad_top);
}

static struct phase phase_x(const struct rnet_conv *conv, int index)
{
    return make_phase(index, conv->width, conv->kernel_width, conv->stride_x,
                      conv->dilation_x, conv->pad_left);
}

/* Taps before a phase, in the transposed weights. */
static long phase_offset(const struct rnet_conv *conv, int index_y,
                         int index_x)
{
    long taps = 0;

    for (int i = 0; i < index_y; i++)
        taps += phase_y(conv, i).taps * (long)conv->kernel_width;
    for (int i = 0; i < index_x; i++)
        taps += phase_x(conv, i).taps * (long)phase_y(conv, index_y).taps;
    return taps;
}

/* Where group g's taps read the output's gradient. */
static struct conv_taps output_taps(const struct plan *plan, int g,
                                    const struct phase *y,
                                    const struct phase *x)
{
    const struct source *dy = &plan->dy;
    struct conv_taps taps = {
        .rows = x->taps ? y->taps : 0, .columns = x->taps, .length = plan->out,
        .first = y->origin * dy->row + x->origin * dy->pixel
                 + (long)g * plan->out,
        .pixel_row = dy->row, .pixel = dy->pixel,
        .tap_row = y->distance * dy->row, .tap = x->distance * dy->pixel,
        .row = y->origin, .row_step = 1, .row_tap = y->distance,
        .height = plan->conv->out_height
    };

    if (!plan->depthwise && taps.tap == taps.length && taps.columns) {
        taps.length *= taps.columns;
        taps.columns = 1;
    }
    return taps;
}

/* dL/dx(Y, X) = sum over ky, kx with oy s + ky d - pad = Y, likewise X, of
 * dL/dy(oy, ox) w(ky, kx)^T */
static struct conv_pass backward_pass(const struct plan *plan, int g,
                                      int index_y, int index_x)
{
    const struct rnet_conv *conv = plan->conv;
    struct phase y = phase_y(conv, index_y), x = phase_x(conv, index_x);
    long taps = (long)conv->kernel_height * conv->kernel_width;
    long inner = plan->depthwise ? conv_blocks(plan->out) : plan->out;
    long block = plan->depthwise ? 0 : taps * inner * 16;
    long group = block * conv_blocks(plan->in);

    return (struct conv_pass) {
        .taps = output_taps(plan, g, &y, &x),
        .w = plan->flipped + g * group
             + phase_offset(conv, index_y, index_x) * inner * 16,
        .w_block = block, .depthwise = plan->depthwise,
        .count = plan->in, .feature = g * plan->in,
        .rows = y.count, .columns = x.count,
        .y = y.first, .x = x.first,
        .step_y = conv->stride_y, .step_x = conv->stride_x,
        .height = conv->height, .width = conv->width, .channels = conv->in,
        .input_row = plan->x.row, .input_pixel = plan->x.pixel,
        .tail = plan->tail
    };
}

/* Blocks of 16 channels whose weights stay in cache from image to image. */
static int panel_blocks(const struct plan *plan, int count, long block)
{
    int blocks = conv_blocks(count);

    if (plan->images == 1)
        return blocks;
    return (int)least(blocks, block * PANEL <= PANEL_FLOATS ? PANEL : 2);
}

/* ---------------------------------------------------------------- plans */

static void plan_weights(struct plan *plan)
{
    const struct rnet_conv *conv = plan->conv;
    long taps = (long)conv->kernel_height * conv->kernel_width;

    plan->depthwise = conv->in == conv->groups && conv->out == conv->groups;
    plan->groups = plan->depthwise ? 1 : conv->groups;
    plan->in = conv->in / plan->groups;
    plan->out = conv->out / plan->groups;
    plan->block = plan->depthwise ? 0 : taps * plan->in * 16;
    plan->group = plan->depthwise ? conv_blocks(plan->out) * 16 * taps
                                  : conv_blocks(plan->out) * plan->block;
}

/* Pixels right of the map that its windows reach. */
static int reach(const struct rnet_conv *conv)
{
    return (int)most(0, (conv->out_width - 1L) * conv->stride_x
                     + (conv->kernel_width - 1L) * conv->dilation_x
                     - conv->pad_left - (conv->width - 1));
}

static int reads_input(struct rnet_steps steps)
{
    for (int i = 0; i < steps.count; i++)
        if (steps.step[i].kind == RNET_INPUT)
            return 1;
    return 0;
}

static void plan_input(struct plan *plan, struct rnet_steps program)
{
    const struct rnet_conv *conv = plan->conv;
    struct conv_frame frame = {
        conv->height, conv->width, conv->in, conv->pad_left, reach(conv),
        program
    };
    int vectors;

    plan->tail_input = reads_input(plan->tail);
    vectors = plan->depthwise || plan->tail_input;
    plan->x = open_source(frame, !vectors || conv->in % 16 == 0, 0);
}

/* The border is as wide as the phases reach, when there is a tail. */
static void plan_output(struct plan *plan, struct rnet_steps program)
{
    const struct rnet_conv *conv = plan->conv;
    struct conv_frame frame = {
        conv->out_height, conv->out_width, conv->out, 0, 0, program
    };
    size_t offset = plan->x.map ? 0
                                : (size_t)plan->images * (size_t)plan->x.image;

    for (int i = 0; i < conv->stride_x && plan->tail.count; i++) {
        struct phase x = phase_x(conv, i);
        int end = x.origin + x.count + (x.taps - 1) * x.distance;

        if (x.taps == 0 || x.count == 0)
            continue;
        frame.left = (int)most(frame.left, -x.origin);
        frame.right = (int)most(frame.right, end - conv->out_width);
    }
    plan->dy = open_source(frame, plan->out % 16 == 0, offset);
}

static struct plan make_plan(const struct rnet_run *run, long batch,
                             const struct rnet_conv *conv, const float *w,
                             struct rnet_steps tail)
{
    struct plan plan = {
        .run = run, .kernels = tables[rnet_isa()], .conv = conv,
        .batch = batch, .w = w, .tail = tail,
        .images = RNET_CONV_IMAGES(conv->out_height, conv->out_width)
    };

    plan_weights(&plan);
    return plan;
}

/* -------------------------------------------------------------- forward */

static struct conv_part part_of(const struct plan *plan,
                                const struct conv_pass *pass, int worker,
                                long image, int slot)
{
    return (struct conv_part) {
        .image = image, .row_count = pass->rows,
        .x = pixels_of(plan, &plan->x, worker, image, slot)
    };
}

/* Blocks [block, block + count) of group g, for a set of images. */
static void forward_panel(const struct plan *plan, int worker, long first,
                          int images, int g, int block, int count)
{
    struct conv_pass pass = forward_pass(plan, g);

    for (int slot = 0; slot < images; slot++) {
        struct conv_part part = part_of(plan, &pass, worker, first + slot,
                                        slot);

        part.block = block;
        part.block_count = count;
        if (block == 0 && g == 0)
            part.next[0] = next_of(&plan->x, first + slot + plan->images,
                                   plan->batch);
        rnet_steps_begin(plan->tail, first + slot,
                         pass.feature + block * 16L,
                         least(count * 16, pass.count - block * 16L),
                         pass.channels);
        plan->kernels->pass(plan->run, &pass, &part);
    }
}

static int set_images(const struct plan *plan, long set)
{
    return (int)least(plan->images, plan->batch - set * plan->images);
}

static void forward_set(void *context, long set, int worker)
{
    const struct plan *plan = context;
    int blocks = conv_blocks(plan->out), images = set_images(plan, set);
    int panel = panel_blocks(plan, plan->out, plan->block);
    long first = set * plan->images;

    for (int slot = 0; slot < images; slot++)
        fill_source(plan, &plan->x, worker, first + slot, slot, 0,
                    plan->conv->height);
    for (int g = 0; g < plan->groups; g++)
        for (int b = 0; b < blocks; b += panel)
            forward_panel(plan, worker, first, images, g, b,
                          (int)least(panel, blocks - b));
}

/* ------------------------------------------------- forward, few images */

/* One set, in worker 0's scratch, cut into tasks. */
struct cut {
    const struct plan *plan;
    const struct source *source;        /* what is read */
    long set;
    int images;
    int rows, bands;            /* rows of a band; bands of an image */
    int blocks, panels;         /* blocks of a panel; panels of a group */
};

static void fill_part(void *context, long index, int worker)
{
    const struct cut *cut = context;
    int slot = (int)(index / cut->bands);
    int row = (int)(index % cut->bands) * cut->rows;

    (void)worker;
    fill_source(cut->plan, cut->source, 0,
                cut->set * cut->plan->images + slot, slot, row,
                (int)least(cut->rows, cut->source->frame.height - row));
}

/* A band's share of the next panel's weights, which may be far away. */
static struct conv_next next_weights(const struct cut *cut,
                                     const struct conv_pass *pass, int panel,
                                     int band)
{
    long block = (panel + 1L) * cut->blocks;
    long count = least(cut->blocks, conv_blocks(pass->count) - block);
    long share = count * pass->w_block / cut->bands;

    if (count <= 0 || count * pass->w_block > PANEL_FLOATS)
        return (struct conv_next) { NULL, 0 };
    return (struct conv_next) { pass->w + block * pass->w_block + band * share,
                                share };
}

static void forward_part(void *context, long index, int worker)
{
    const struct cut *cut = context;
    const struct plan *plan = cut->plan;
    int band = (int)(index % cut->bands);
    int panel = (int)(index / cut->bands % cut->panels);
    int slot = (int)(index / cut->bands / cut->panels % cut->images);
    int g = (int)(index / cut->bands / cut->panels / cut->images);
    long image = cut->set * plan->images + slot;
    struct conv_pass pass = forward_pass(plan, g);
    struct conv_part part = part_of(plan, &pass, 0, image, slot);

    (void)worker;
    part.block = panel * cut->blocks;
    part.block_count = (int)least(cut->blocks,
                                  conv_blocks(plan->out) - part.block);
    part.row = band * cut->rows;
    part.row_count = (int)least(cut->rows, pass.rows - part.row);
    part.next[0] = next_weights(cut, &pass, panel, band);
    if (band == 0)
        rnet_steps_begin(plan->tail, image, pass.feature + part.block * 16L,
                         least(part.block_count * 16,
                               plan->out - part.block * 16),
                         pass.channels);
    plan->kernels->pass(plan->run, &pass, &part);
}

static void cut_rows(struct cut *cut, int height, double work)
{
    double bands = work / PART_WORK;

    bands = bands < 1 ? 1 : bands > height ? height : bands;
    cut->rows = (int)divide_up(height, (long)bands);
    cut->bands = (int)divide_up(height, cut->rows);
}

static void fill_cut(struct cut *cut)
{
    const struct plan *plan = cut->plan;
    const struct conv_frame *frame = &cut->source->frame;
    double floats = (double)frame->height * frame->width * frame->channels;

    if (cut->source->map)
        return;
    cut_rows(cut, frame->height,
             rnet_steps_sum(frame->program) ? 0 : floats * 32);
    rnet_parallel(plan->run, (long)cut->images * cut->bands, fill_part, cut);
}

/* A pass from `in` channels of a group to `out`, `height` rows of it. */
static void run_cut(struct cut *cut, int in, int out, int height,
                    rnet_task *part)
{
    const struct plan *plan = cut->plan;
    const struct rnet_conv *conv = plan->conv;
    double work = (double)conv->kernel_height * conv->kernel_width * in
                  * conv->out_height * conv->out_width * 16;

    cut->blocks = (int)least(PANEL, conv_blocks(out));
    cut->panels = (int)divide_up(conv_blocks(out), cut->blocks);
    cut_rows(cut, height, rnet_steps_sum(plan->tail) ? 0 : work * cut->blocks);
    rnet_parallel(plan->run, (long)plan->groups * cut->images * cut->panels
                  * cut->bands, part, cut);
}

static void forward_cut(const struct plan *plan, long set)
{
    const struct rnet_conv *conv = plan->conv;
    struct cut cut = { .plan = plan, .source = &plan->x, .set = set,
                       .images = set_images(plan, set) };

    fill_cut(&cut);
    run_cut(&cut, plan->in, plan->out, conv->out_height, forward_part);
}

/* Sums over features too need one task for a whole image. */
void rnet_conv(const struct rnet_run *run, long batch,
               const struct rnet_conv *conv, struct rnet_steps input,
               const float *w, struct rnet_steps tail)
{
    struct plan plan = make_plan(run, batch, conv, w, tail);
    long sets = divide_up(batch, plan.images);

    plan_input(&plan, input);
    if (sets >= FEW_SETS || rnet_steps_sum_all(tail))
        rnet_parallel(run, sets, forward_set, &plan);
    else
        for (long set = 0; set < sets; set++)
            forward_cut(&plan, set);
}

/* -------------------------------------------------- transposed weights */

/* The taps of one phase, for 16 input channels: [tap][out][16]. */
static void flip_phase(const struct plan *plan, int g, int block,
                       const struct phase *y, const struct phase *x, float *to)
{
    int width = plan->conv->kernel_width;
    const float *w = plan->w + g * plan->group + block * 16 * 16;
    int in = (int)least(16, plan->in - block * 16);

    for (int r = 0; r < y->taps; r++)
        for (int s = 0; s < x->taps; s++) {
            long tap = (y->last - r * y->between) * (long)width
                       + (x->last - s * x->between);

            plan->kernels->transpose(to, w + tap * plan->in * 16, plan->block,
                                     in, plan->out);
            to += plan->out * 16;
        }
}

static void flip_depthwise(const struct plan *plan, const struct phase *y,
                           const struct phase *x, float *to)
{
    int width = plan->conv->kernel_width;
    long channels = conv_blocks(plan->out) * 16L;

    for (int r = 0; r < y->taps; r++)
        for (int s = 0; s < x->taps; s++) {
            long tap = (y->last - r * y->between) * (long)width
                       + (x->last - s * x->between);

            memcpy(to, plan->w + tap * channels,
                   (size_t)channels * sizeof *to);
            to += channels;
        }
}

static void flip(void *context, long index, int worker)
{
    const struct plan *plan = context;
    int blocks = plan->depthwise ? 1 : conv_blocks(plan->in);
    int g = (int)(index / blocks), block = (int)(index % blocks);

    (void)worker;
    for (int i = 0; i < plan->conv->stride_y; i++)
        for (int j = 0; j < plan->conv->stride_x; j++) {
            struct conv_pass pass = backward_pass(plan, g, i, j);
            struct phase y = phase_y(plan->conv, i);
            struct phase x = phase_x(plan->conv, j);
            float *to = plan->flipped + (pass.w - plan->flipped)
                        + block * pass.w_block;

            if (plan->depthwise)
                flip_depthwise(plan, &y, &x, to);
            else
                flip_phase(plan, g, block, &y, &x, to);
        }
}

static void transpose_weights(struct plan *plan)
{
    rnet_parallel(plan->run, plan->depthwise ? 1 : (long)plan->groups
                  * conv_blocks(plan->in), flip, plan);
}

/* ------------------------------------------------------------- backward */

static float *group_gradient(const struct plan *plan, long index)
{
    if (plan->dw && index == 0)
        return plan->dw;
    return plan->partial + (index - (plan->dw != NULL))
                           * plan->groups * plan->group;
}

static float *group_bias(const struct plan *plan, long index)
{
    if (plan->dw && (!plan->db || index == 0))
        return plan->db;
    if (!plan->dw && !plan->step_b)
        return NULL;
    return group_gradient(plan, plan->image_groups)
           + (index - (plan->dw != NULL)) * conv_blocks(plan->conv->out) * 16L;
}

static void weight_gradient(const struct plan *plan, int worker, long index,
                            long first, int images)
{
    const struct source *dy = &plan->dy;
    float *db = group_bias(plan, index);

    for (int g = 0; g < plan->groups; g++) {
        struct conv_outer outer = {
            .taps = input_taps(plan, g),
            .x = pixels_of(plan, &plan->x, worker, first, 0),
            .dy = pixels_of(plan, dy, worker, first, 0) + g * plan->out,
            .images = images, .rows = plan->conv->out_height,
            .columns = plan->conv->out_width, .x_image = plan->x.image,
            .dy_image = dy->image, .dy_row = dy->row, .dy_pixel = dy->pixel,
            .count = plan->out, .depthwise = plan->depthwise,
            .dw = group_gradient(plan, index) + g * plan->group,
            .db = db ? db + g * plan->out : NULL, .w_block = plan->block
        };

        plan->kernels->outer(&outer);
    }
}

/* All phases, rows [row, row + rows) of each; what is fetched ahead, during the
 * first of them. */
static void run_phases(const struct plan *plan, struct conv_part *part, int g,
                       int row, int rows)
{
    for (int i = 0; i < plan->conv->stride_y; i++)
        for (int j = 0; j < plan->conv->stride_x; j++) {
            struct conv_pass pass = backward_pass(plan, g, i, j);

            part->row = row;
            part->row_count = (int)least(rows, pass.rows - row);
            if (part->row_count <= 0)
                continue;
            plan->kernels->pass(plan->run, &pass, part);
            part->next[0].floats = part->next[1].floats = 0;
        }
}

static void begin_image(const struct plan *plan, long image, int g, int block,
                        int count)
{
    rnet_steps_begin(plan->tail, image, g * plan->in + block * 16L,
                     least(count * 16, plan->in - block * 16L),
                     plan->conv->in);
}

/* Blocks [block, block + count) of one image; the group of images goes on to
 * `end`. */
static void backward_image(const struct plan *plan, int worker, long image,
                           int slot, int g, int block, int count, long end)
{
    struct conv_part part = {
        .image = image, .block = block, .block_count = count,
        .x = pixels_of(plan, &plan->dy, worker, image, slot)
    };

    if (plan->tail_input)
        part.input = pixels_of(plan, &plan->x, worker, image, slot);
    if (g == 0 && block == 0) {
        part.next[0] = next_of(&plan->x, image + plan->images, end);
        part.next[1] = next_of(&plan->dy, image + plan->images, end);
    }
    begin_image(plan, image, g, block, count);
    run_phases(plan, &part, g, 0, plan->conv->height);
}

static void backward_set(const struct plan *plan, int worker, long first,
                         int images, long end)
{
    int blocks = conv_blocks(plan->in);
    int panel = panel_blocks(plan, plan->in, plan->block);

    for (int g = 0; g < plan->groups; g++)
        for (int b = 0; b < blocks; b += panel)
            for (int slot = 0; slot < images; slot++)
                backward_image(plan, worker, first + slot, slot, g, b,
                               (int)least(panel, blocks - b), end);
}

static void clear_group(const struct plan *plan, long index)
{
    size_t weights = (size_t)plan->groups * (size_t)plan->group;

    if (plan->dw ? index == 0 : !plan->step_w)
        return;
    memset(group_gradient(plan, index), 0, weights * sizeof(float));
    if (group_bias(plan, index))
        memset(group_bias(plan, index), 0,
               (size_t)conv_blocks(plan->conv->out) * 16 * sizeof(float));
}

/* One group of images: its gradients, and the input's of each image. */
static void backward_group(void *context, long index, int worker)
{
    const struct plan *plan = context;
    long first = index * plan->batch / plan->image_groups;
    long end = (index + 1) * plan->batch / plan->image_groups;

    clear_group(plan, index);
    for (; first < end; first += plan->images) {
        int images = (int)least(plan->images, end - first);

        for (int slot = 0; slot < images; slot++) {
            fill_source(plan, &plan->x, worker, first + slot, slot, 0,
                        plan->conv->height);
            fill_source(plan, &plan->dy, worker, first + slot, slot, 0,
                        plan->conv->out_height);
        }
        if (plan->dw || plan->step_w)
            weight_gradient(plan, worker, index, first, images);
        if (plan->tail.count)
            backward_set(plan, worker, first, images, end);
    }
}

/* The groups' gradients of some weights, in order. */
static void add_groups(void *context, long task, int worker)
{
    const struct plan *plan = context;
    long first = task * ADD_FLOATS;
    long count = least(ADD_FLOATS, plan->groups * plan->group - first);
    float *dw = group_gradient(plan, 0), *db = group_bias(plan, 0);

    (void)worker;
    for (long i = 1; i < plan->image_groups; i++) {
        plan->kernels->add(dw + first, group_gradient(plan, i) + first, count);
        if (db && task == 0)
            plan->kernels->add(db, group_bias(plan, i), plan->conv->out);
    }
    if (plan->step_w)
        rnet_update(plan->run, plan->step_w + first, dw + first, count, 1);
    if (plan->step_b && task == 0)
        rnet_update(plan->run, plan->step_b, db,
                    conv_blocks(plan->conv->out) * 16L, 0);
}

static void plan_scratch(struct plan *plan)
{
    const struct rnet_conv *conv = plan->conv;
    size_t weights = (size_t)conv->in / (size_t)conv->groups
                     * (size_t)conv->out * (size_t)conv->kernel_height
                     * (size_t)conv->kernel_width;

    plan->image_groups = least(plan->batch, RNET_CONV_GROUPS(weights));
    plan->flipped = plan->run->scratch;
    plan->partial = plan->flipped
        + RNET_CONV_WEIGHTS(conv->in, conv->out, conv->kernel_height,
                            conv->kernel_width, conv->groups);
}

static void run_backward(struct plan *plan)
{
    if (plan->tail.count)
        transpose_weights(plan);
    rnet_parallel(plan->run, plan->image_groups, backward_group, plan);
    if (plan->batch > 0 && (plan->dw || plan->step_w))
        rnet_parallel(plan->run, divide_up(plan->groups * plan->group,
                                           ADD_FLOATS), add_groups, plan);
}

void rnet_conv_grad(const struct rnet_run *run, long batch,
                    const struct rnet_conv *conv, struct rnet_steps input,
                    struct rnet_steps output, const float *w, float *dw,
                    float *db, struct rnet_steps tail)
{
    struct plan plan = make_plan(run, batch, conv, w, tail);

    plan_input(&plan, input);
    plan_output(&plan, output);
    plan_scratch(&plan);
    plan.dw = dw;
    plan.db = dw ? db : NULL;
    run_backward(&plan);
}

void rnet_conv_step(const struct rnet_run *run, long batch,
                    const struct rnet_conv *conv, struct rnet_steps input,
                    struct rnet_steps output, float *w, float *b,
                    struct rnet_steps tail)
{
    struct plan plan = make_plan(run, batch, conv, w, tail);

    plan_input(&plan, input);
    plan_output(&plan, output);
    plan_scratch(&plan);
    plan.step_w = w;
    plan.step_b = b;
    run_backward(&plan);
}

/* ---------------------------------------------------------- transposed */

static void upconv_set(void *context, long set, int worker)
{
    const struct plan *plan = context;
    long first = set * plan->images;
    int images = set_images(plan, set);

    for (int slot = 0; slot < images; slot++)
        fill_source(plan, &plan->dy, worker, first + slot, slot, 0,
                    plan->conv->out_height);
    backward_set(plan, worker, first, images, plan->batch);
}

static void upconv_part(void *context, long index, int worker)
{
    const struct cut *cut = context;
    const struct plan *plan = cut->plan;
    int band = (int)(index % cut->bands);
    int panel = (int)(index / cut->bands % cut->panels);
    int slot = (int)(index / cut->bands / cut->panels % cut->images);
    int g = (int)(index / cut->bands / cut->panels / cut->images);
    long image = cut->set * plan->images + slot;
    struct conv_part part = {
        .image = image, .block = panel * cut->blocks,
        .x = pixels_of(plan, &plan->dy, 0, image, slot)
    };

    (void)worker;
    part.block_count = (int)least(cut->blocks,
                                  conv_blocks(plan->in) - part.block);
    if (band == 0)
        begin_image(plan, image, g, part.block, part.block_count);
    run_phases(plan, &part, g, band * cut->rows, cut->rows);
}

/* A phase has a stride-th of the rows, rounded up at most. */
static void upconv_cut(const struct plan *plan, long set)
{
    const struct rnet_conv *conv = plan->conv;
    struct cut cut = { .plan = plan, .source = &plan->dy, .set = set,
                       .images = set_images(plan, set) };

    fill_cut(&cut);
    run_cut(&cut, plan->out, plan->in,
            (int)divide_up(conv->height, conv->stride_y), upconv_part);
}

void rnet_upconv(const struct rnet_run *run, long batch,
                 const struct rnet_conv *conv, struct rnet_steps input,
                 const float *w, struct rnet_steps tail)
{
    struct plan plan = make_plan(run, batch, conv, w, tail);
    long sets = divide_up(batch, plan.images);

    plan_output(&plan, input);
    plan.flipped = run->scratch;
    transpose_weights(&plan);
    if (sets >= FEW_SETS || rnet_steps_sum_all(tail))
        rnet_parallel(run, sets, upconv_set, &plan);
    else
        for (long set = 0; set < sets; set++)
            upconv_cut(&plan, set);
}
