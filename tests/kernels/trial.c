/* trial.c: memory, numbers and comparisons of a trial; the loop over all. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../guarded.h"
#include "trial.h"

const int around[] = { 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 24,
                       25, 31, 32, 33, 47, 48, 49, 63, 64, 65, 95, 96, 97,
                       -1 };
const int some[] = { 1, 3, 4, 5, 15, 16, 17, 31, 32, 33, 49, 64, 65, -1 };
const int few[] = { 1, 2, 5, 16, 33, -1 };
const int layouts[] = { RNET_PLAIN, RNET_STRIPS, -1 };
const int bits[] = { 0, 1, -1 };

/* ----------------------------------------------------------------- numbers */

static uint32_t word(struct trial *t)
{
    t->random = t->random * UINT64_C(6364136223846793005)
                + UINT64_C(1442695040888963407);
    return (uint32_t)(t->random >> 33);
}

int pick(struct trial *t, int count)
{
    return (int)(word(t) % (uint32_t)count);
}

float whole(struct trial *t, int low, int high)
{
    return (float)(low + pick(t, high - low + 1));
}

long lines_of(struct shape shape)
{
    return shape.layout == RNET_STRIPS ? (shape.rows + 31) / 32 : shape.rows;
}

/* ------------------------------------------------------------------ memory */

/* Pages are kept from trial to trial. */
static struct guarded arrays[TRIAL_ARRAYS], workers, shared;
static int array_count;
static int is_input[TRIAL_ARRAYS];      /* no kernel may write it */

static void mark(const void *p, int input)
{
    for (int i = 0; i < array_count; i++) {
        const char *from = arrays[i].data;

        if ((const char *)p >= from && (const char *)p <= from + arrays[i].bytes)
            is_input[i] = input;
    }
}

static void *memory(size_t bytes, size_t align)
{
    struct guarded *g = arrays + array_count;

    is_input[array_count++] = 0;

    if (array_count > TRIAL_ARRAYS)
        abort();
    guarded_renew(g, bytes, align, 0);
    guarded_poison(g);
    return g->data;
}

void *room(struct trial *t, long count, size_t align)
{
    (void)t;
    return memory((size_t)count * sizeof(float), align);
}

static float *filled(struct trial *t, float *p, long count, int low, int high)
{
    for (long i = 0; i < count; i++)
        p[i] = whole(t, low, high);
    mark(p, 1);
    return p;
}

float *zeros(struct trial *t, long count)
{
    float *p = room(t, count, 64);

    memset(p, 0, (size_t)count * sizeof *p);
    return p;
}

float *params(struct trial *t, long count, int low, int high)
{
    return filled(t, room(t, count, 64), count, low, high);
}

float *caller(struct trial *t, long count, int low, int high)
{
    return filled(t, room(t, count, 4), count, low, high);
}

int32_t *indices(struct trial *t, long count, int low, int high)
{
    int32_t *p = memory((size_t)count * sizeof *p, 4);

    for (long i = 0; i < count; i++)
        p[i] = low + pick(t, high - low + 1);
    mark(p, 1);
    return p;
}

float *added_to(struct trial *t, float *array, long count)
{
    mark(array, 0);
    t->results[t->result_count++] = (struct result) { .flat = array,
                                                      .count = count };
    return array;
}

float *written(struct trial *t, long count)
{
    return added_to(t, room(t, count, 64), count);
}

struct shape strips(long rows, long per_sample, long features)
{
    return (struct shape) { RNET_STRIPS, rows, per_sample, features };
}

struct shape plain(long rows, long per_sample, long features)
{
    return (struct shape) { RNET_PLAIN, rows, per_sample, features };
}

struct rnet_rows rows_of(struct shape shape)
{
    return (struct rnet_rows) { shape.layout, shape.rows, shape.per_sample };
}

/* Nothing lies past the last feature of a plain value's last row. */
static struct value buffer(struct trial *t, struct shape shape)
{
    static const int gaps[] = { 0, 0, 1, 3, 16 };
    struct value v = { .shape = shape, .first = gaps[pick(t, 5)] };

    v.stride = v.first + shape.features + gaps[pick(t, 5)];
    if (shape.layout == RNET_STRIPS)
        v.p = room(t, lines_of(shape) * v.stride * 32, 64);
    else
        v.p = room(t, shape.rows ? (shape.rows - 1) * v.stride + v.first
                                       + shape.features : 0, 4);
    v.p += v.first * (shape.layout == RNET_STRIPS ? 32 : 1);
    return v;
}

float *at(const struct value *v, long row, long feature)
{
    if (v->shape.layout == RNET_PLAIN)
        return v->p + row * v->stride + feature;
    return v->p + (row / 32 * v->stride + feature) * 32 + row % 32;
}

struct value given(struct trial *t, struct shape shape, int low, int high)
{
    struct value v = buffer(t, shape);

    for (long r = 0; r < shape.rows; r++)
        for (long f = 0; f < shape.features; f++)
            *at(&v, r, f) = whole(t, low, high);
    mark(v.p, 1);
    return v;
}

void result(struct trial *t, struct value v)
{
    mark(v.p, 0);
    t->results[t->result_count++] = (struct result) { .value = v };
}

struct value asked(struct trial *t, struct shape shape)
{
    struct value v = buffer(t, shape);

    result(t, v);
    return v;
}

void scratch(struct trial *t, size_t count, size_t worker)
{
    worker = (worker + 15) / 16 * 16;
    guarded_renew(&shared, count * sizeof(float), 64, 0);
    guarded_poison(&shared);
    guarded_renew(&workers, worker * TRIAL_WORKERS * sizeof(float), 64, 0);
    guarded_poison(&workers);
    t->run.scratch = shared.data;
    t->run.scratch_floats = count;
    t->run.workers = workers.data;
    t->run.worker_floats = worker;
}

float *panel_at(float *w, long out, long o, long i)
{
    return w + (i / 32 * out + o) * 32 + i % 32;
}

float panel(const float *w, long out, long o, long i)
{
    return *panel_at((float *)w, out, o, i);
}

float *panels(struct trial *t, long out, long in)
{
    long count = (in + 31) / 32 * 32 * out;
    float *w = room(t, count, 64);

    memset(w, 0, (size_t)count * sizeof *w);
    for (long o = 0; o < out; o++)
        for (long i = 0; i < in; i++)
            *panel_at(w, out, o, i) = whole(t, -1, 1);
    mark(w, 1);
    return w;
}

double *numbers(struct trial *t, long count)
{
    double *p = calloc((size_t)count + 1, sizeof *p);

    if (!p || t->accs == (int)(sizeof t->acc / sizeof *t->acc))
        abort();
    return t->acc[t->accs++] = p;
}

double *accumulator(struct trial *t, struct shape shape)
{
    return numbers(t, shape.rows * shape.features);
}

/* ----------------------------------------------------------------- results */

static void note(struct trial *t, float x)
{
    if (t->log_count == t->log_room) {
        t->log_room = t->log_room * 2 + 4096;
        t->log = realloc(t->log, (size_t)t->log_room * sizeof *t->log);
        if (!t->log)
            abort();
    }
    t->log[t->log_count++] = x;
}

static int is_nan(const float *p, long count)
{
    for (long i = 0; i < count; i++)
        if (p[i] == p[i])
            return 0;
    return 1;
}

/* Features beside the slice, in all lanes, and past the last row's none. */
static int beside_is_nan(const struct value *v)
{
    long wide = v->shape.layout == RNET_STRIPS ? 32 : 1;
    long lines = lines_of(v->shape), last = v->shape.layout == RNET_PLAIN;
    long after = v->stride - v->first - v->shape.features;

    for (long k = 0; k < lines; k++) {
        const float *line = v->p + k * v->stride * wide;

        if (!is_nan(line - v->first * wide, v->first * wide))
            return 0;
        if (k < lines - last
            && !is_nan(line + v->shape.features * wide, after * wide))
            return 0;
    }
    return 1;
}

static void note_value(struct trial *t, const struct value *v)
{
    for (long r = 0; r < v->shape.rows; r++)
        for (long f = 0; f < v->shape.features; f++)
            note(t, *at(v, r, f));
    if (!beside_is_nan(v))
        t->broken = "features beside a result were written";
}

struct played {
    float *log;
    long room, count, ends[TRIAL_ARRAYS];
    double reach[TRIAL_ARRAYS];
    uint64_t inputs;            /* their bits */
    int results;
};

/* A word of all that is in the inputs after the kernel. */
static uint64_t inputs_word(void)
{
    uint64_t word = 0;

    for (int i = 0; i < array_count; i++) {
        const uint32_t *p = arrays[i].data;

        for (size_t k = 0; is_input[i] && k < arrays[i].bytes / 4; k++)
            word = (word ^ p[k]) * UINT64_C(0x100000001b3);
    }
    return word;
}

static void note_results(struct trial *t, struct played *to)
{
    for (int i = 0; i < t->result_count; i++) {
        struct result *r = t->results + i;

        for (long k = 0; r->flat && k < r->count; k++)
            note(t, r->flat[k]);
        if (!r->flat)
            note_value(t, &r->value);
        to->ends[i] = t->log_count;
        to->reach[i] = r->reach;
    }
    for (int i = 0; i < array_count; i++)
        if (!guarded_intact(arrays + i))
            t->broken = "memory before an array was written";
    if (t->run.workers && !guarded_intact(&workers))
        t->broken = "memory before the workers' scratch was written";
}

/* ------------------------------------------------------------------- plays */

/* Tasks backwards or in strides, workers in turn. */
static void odd_order(void *user, long tasks, rnet_task *task, void *context)
{
    long step = 1 + *(int *)user % 5;

    for (long first = step - 1; first >= 0; first--)
        for (long i = first; i < tasks; i += step)
            task(context, step > 1 ? tasks - 1 - i : i,
                 (int)(i % TRIAL_WORKERS));
}

static const char *play_once(const struct kernel *kernel, const int *d,
                             int recipe, uint64_t seed, int book, int turn,
                             struct played *to)
{
    struct trial t = { .book = book, .recipe = recipe, .turn = turn,
                       .random = seed, .log = to->log,
                       .log_room = to->room };

    array_count = 0;
    t.work.parallel_for = odd_order;
    t.work.user = &t.turn;
    t.work.workers = TRIAL_WORKERS;
    t.work.seed = UINT64_C(0x123456789abcdef);
    t.work.step = 3;
    rnet_begin(&t.run, &t.work, 0, 1);
    scratch(&t, 0, RNET_WORKER_FLOATS);
    kernel->play(&t, d);
    rnet_end(&t.run);
    if (!book)
        settle_sums(&t);
    note_results(&t, to);
    to->log = t.log;
    to->room = t.log_room;
    to->count = t.log_count;
    to->results = t.result_count;
    to->inputs = inputs_word();
    for (int i = 0; i < t.accs; i++)
        free(t.acc[i]);
    return t.broken;
}

static const char *const players[RNET_ISAS + 2] = {
    "scalar", "base", "avx2", "avx512", "textbook", "other order of tasks"
};
static struct played plays[RNET_ISAS + 2];
static long cases, failures;
#define BOOK  RNET_ISAS
#define AGAIN (RNET_ISAS + 1)

static float largest_of(const float *p, long count)
{
    float most = 0;

    for (long i = 0; i < count; i++)
        if (fabsf(p[i]) > most && fabsf(p[i]) < INFINITY)
            most = fabsf(p[i]);
    return most;
}

static int same(float a, float b, double most)
{
    return a == b || (a != a && b != b) || fabs((double)a - b) <= most;
}

/* Results are measured against their largest element, but no less than this:
 * what is 0 but for rounding. */
#define LEAST 0.01

/* The first difference, told in `text`. */
static int agree(const struct played *a, const struct played *b,
                 double tolerance, char *text, size_t size)
{
    long from = 0;

    if (a->inputs != b->inputs) {
        snprintf(text, size, "an input was written");
        return 0;
    }
    if (a->count != b->count || a->results != b->results) {
        snprintf(text, size, "%ld results, not %ld", b->count, a->count);
        return 0;
    }
    for (int k = 0; k < a->results; from = a->ends[k++]) {
        double most = tolerance
            * fmax(fmax(largest_of(a->log + from, a->ends[k] - from), LEAST),
                   10 * plays[BOOK].reach[k]);

        for (long i = from; i < a->ends[k]; i++)
            if (!same(a->log[i], b->log[i], most)) {
                snprintf(text, size, "result %d, element %ld is %.9g, not %.9g",
                         k, i - from, b->log[i], a->log[i]);
                return 0;
            }
    }
    return 1;
}

/* ------------------------------------------------------------------- trials */

static void complain(const struct kernel *kernel, const int *d, int recipe,
                     int player, const char *text)
{
    failures++;
    printf("%s", kernel->name);
    for (int i = 0; i < MOST_DIMS && kernel->dims[i]; i++)
        printf(" %d", d[i]);
    printf(", steps '%s', %s: %s\n",
           kernel->steps ? recipe_name(recipe) : "", players[player], text);
    fflush(stdout);
}

/* Steps that are no plain arithmetic are rounded in the last places. */
#define ROUNDED 2e-6

static void try_case(const struct kernel *kernel, const int *d, int recipe,
                     uint64_t seed)
{
    double tolerance = kernel->tolerance;
    char text[200];
    const char *broken;

    if (kernel->steps && recipe_is_smooth(recipe) < 2 && tolerance < ROUNDED)
        tolerance = ROUNDED;
    cases++;
    play_once(kernel, d, recipe, seed, 1, 0, plays + BOOK);
    for (int isa = 0; isa < RNET_ISAS; isa++) {
        const struct played *truth = plays + (isa ? 0 : BOOK);

        if (rnet_isa_use((enum rnet_isa)isa) != (enum rnet_isa)isa)
            break;
        broken = play_once(kernel, d, recipe, seed, 0, isa, plays + isa);
        if (broken)
            complain(kernel, d, recipe, isa, broken);
        else if (!agree(truth, plays + isa, tolerance, text, sizeof text))
            complain(kernel, d, recipe, isa, text);
    }
    play_once(kernel, d, recipe, seed, 0, 4, plays + AGAIN);
    if (!agree(plays + rnet_isa(), plays + AGAIN, 0, text, sizeof text))
        complain(kernel, d, recipe, AGAIN, text);
}

/* ------------------------------------------------------------------- shapes */

static long count_of(const int *sizes)
{
    long count = 0;

    while (sizes[count] >= 0)
        count++;
    return count;
}

static long shapes_of(const struct kernel *kernel)
{
    long all = 1;

    for (int i = 0; i < MOST_DIMS && kernel->dims[i]; i++)
        all *= count_of(kernel->dims[i]);
    return all;
}

static void shape_at(const struct kernel *kernel, long index, int *d)
{
    for (int i = 0; i < MOST_DIMS && kernel->dims[i]; i++) {
        long count = count_of(kernel->dims[i]);

        d[i] = kernel->dims[i][index % count];
        index /= count;
    }
}

static uint64_t scramble(uint64_t x)
{
    x = (x ^ x >> 31) * UINT64_C(0x7fb5d329728ea185);
    x = (x ^ x >> 27) * UINT64_C(0x81dadef4bc2dd44d);
    return x ^ x >> 33;
}

/* A recipe that the kernel can run. */
static int some_recipe(const struct kernel *kernel, uint64_t word)
{
    int recipe = (int)(word % (uint64_t)recipe_count());

    while (kernel->tolerance != 0 && !recipe_is_smooth(recipe))
        recipe = (recipe + 1) % recipe_count();
    return recipe;
}

/* Every shape, or `most` of them; each with steps of its own. */
static void all_shapes(const struct kernel *kernel, long most)
{
    long all = shapes_of(kernel);
    int d[MOST_DIMS] = { 0 };

    for (long i = 0; i < all && i < most; i++) {
        uint64_t word = scramble((uint64_t)i + 1);

        shape_at(kernel, all > most ? (long)(word % (uint64_t)all) : i, d);
        try_case(kernel, d, some_recipe(kernel, word >> 20), word);
    }
}

/* Every list of steps, or one in `of`, at both shapes. */
static void all_recipes(const struct kernel *kernel, int of)
{
    for (int recipe = 0; kernel->steps && recipe < recipe_count(); recipe++)
        for (int k = 0; k < 2; k++)
            if ((recipe + k) % of == 0
                && (kernel->tolerance == 0 || recipe_is_smooth(recipe)))
                try_case(kernel, kernel->shapes[k], recipe,
                         scramble((uint64_t)recipe + 77));
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static const struct kernel *const rooms[] = {
    dense_kernels, norm_kernels, mix_kernels, loss_kernels, map_kernels,
    time_kernels
};
#define ROOMS ((int)(sizeof rooms / sizeof rooms[0]))

static int wanted(const char *name, char **list)
{
    for (char **one = list; *one; one++)
        if (!strcmp(*one, name))
            return 1;
    return !*list;
}

/* kernels [--all | --list] [KERNEL...] */
int main(int argc, char **argv)
{
    int all = argc > 1 && !strcmp(argv[1], "--all"), good = 0, count = 0;
    int list = argc > 1 && !strcmp(argv[1], "--list");

    for (int room = 0; room < ROOMS; room++)
        for (const struct kernel *k = rooms[room]; k->name; k++) {
            double start = now();
            long cases_before = cases, failures_before = failures;

            if (list)
                printf("%s\n", k->name);
            if (list || !wanted(k->name, argv + 1 + all))
                continue;
            all_shapes(k, all ? 40000 : 150);
            all_recipes(k, all ? 1 : 4);
            count++;
            good += failures == failures_before;
            printf("%-30s %6ld cases, %5.1f s\n", k->name,
                   cases - cases_before, now() - start);
            fflush(stdout);
        }
    if (!list)
        printf("%ld cases\n%d passed, %d failed\n", cases, good, count - good);
    return good != count;
}
