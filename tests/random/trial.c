/* trial.c: a reference in double, and three runs in float beside it.
 *
 * Tolerances: a share of the largest magnitude, as in tests/compare.c, and a
 * few times what textbook loops in float32 miss.  Undecided, and drawn again,
 * is what float32 cannot tell: a number so near to a kink that rounding may
 * take it to the other side; a result of which it keeps less than two digits;
 * one that is not finite.
 *
 * Three runs in float tell roughly how far rounding goes.  What seems to differ
 * is looked at again with thirty (compare.c). */
#include "trial.h"

#include <math.h>
#include <string.h>

enum { ATTEMPTS = 8 };

#define ACTIVATION_TOLERANCE 5e-6
#define GRADIENT_TOLERANCE   2e-5
#define ROUNDINGS            8      /* times what a run in float misses */
#define USELESS              1e-2   /* of its magnitude: no two digits */
/* A small gradient is measured against this share of the largest term of any,
 * one that is zero but for rounding against the second. */
#define GRADIENT_FLOOR       1e-2
#define ZERO_FLOOR           1e-1
#define ZERO                 1e-7

const char *verdict_text(enum verdict verdict)
{
    static const char *const texts[] = { "decided", "near a kink",
                                         "ill-conditioned", "not finite" };
    return texts[verdict];
}

/* ---- arrays ---- */

static double largest(const double *values, size_t count)
{
    double most = 0;

    for (size_t i = 0; i < count; i++)
        most = isnan(values[i]) ? (double)INFINITY
                                : fmax(most, fabs(values[i]));
    return most;
}

static double apart(const double *a, const double *b, size_t count)
{
    double most = 0;

    for (size_t i = 0; i < count; i++) {
        double gap = fabs(a[i] - b[i]);
        most = isnan(gap) ? (double)INFINITY : fmax(most, gap);
    }
    return most;
}

/* ---- one array's bound ---- */

static void undecided(struct trial *t, enum verdict verdict, const char *name,
                      double difference)
{
    if (t->verdict != DECIDED)
        return;
    t->verdict = verdict;
    t->name = name;
    t->difference = difference;
}

/* From the largest difference of the runs in float to what is allowed. */
static double bound_of(struct trial *t, const char *name, const double *values,
                       size_t count, double missed, double tolerance,
                       double floor)
{
    double most = largest(values, count), scale = fmax(most, floor);

    if (!isfinite(most) || !isfinite(missed))
        undecided(t, NOT_FINITE, name, 1);
    else if (ROUNDINGS * missed > USELESS * scale)
        undecided(t, ILL_CONDITIONED, name, ROUNDINGS * missed / scale);
    return tolerance * scale + ROUNDINGS * missed;
}

/* The largest difference from any of the runs in float; `at` finds the array
 * of an outcome. */
#define MISSED(reference, floats, member, count) __extension__ ({ \
    double most_ = 0; \
    for (int f_ = 0; f_ < t->runs; f_++) \
        most_ = fmax(most_, apart((reference)->member, (floats)[f_].member, \
                                  (count))); \
    most_; })

/* ---- bounds of all ---- */

static void bound_outputs(struct trial *t, const struct outcome *reference,
                          const struct outcome *floats, struct bounds *bounds)
{
    size_t i = 0;

    bounds->outputs = arena_alloc(&t->arena, sizeof(double) * 64);
    for (const struct port *p = t->subject->network->outputs; p && i < 64;
         p = p->next, i++) {
        size_t count = t->feed.batch * (size_t)shape_size(&p->value->shape);
        bounds->outputs[i] = bound_of(t, p->name, reference->outputs[i], count,
            MISSED(reference, floats, outputs[i], count),
            ACTIVATION_TOLERANCE, 1e-3);
    }
}

static double gradient_floor(const struct trial *t, const double *values,
                             size_t count)
{
    double most = t->trained.steepest;

    return largest(values, count) < ZERO * most ? ZERO_FLOOR * most
                                                : GRADIENT_FLOOR * most;
}

static void bound_tensors(struct trial *t, const struct outcome *floats)
{
    struct bounds *bounds = &t->train_bounds;

    bounds->tensors = arena_alloc(&t->arena, sizeof(double)
                                  * (t->subject->count + 1));
    for (size_t i = 0; i < t->subject->count; i++) {
        const struct named *n = t->subject->tensors[i];
        size_t count = (size_t)n->param->size;
        bool grad = n->param->trainable;
        bounds->tensors[i] = bound_of(t, n->name, t->trained.tensors[i], count,
            MISSED(&t->trained, floats, tensors[i], count),
            grad ? GRADIENT_TOLERANCE : ACTIVATION_TOLERANCE,
            grad ? gradient_floor(t, t->trained.tensors[i], count) : 1e-3);
    }
}

static void bound_input_grads(struct trial *t, const struct outcome *floats)
{
    struct bounds *bounds = &t->train_bounds;
    size_t i = 0;

    bounds->input_grads = arena_alloc(&t->arena, sizeof(double) * 64);
    for (const struct port *p = t->subject->network->inputs; p && i < 64;
         p = p->next, i++) {
        size_t count = t->feed.batch * (size_t)shape_size(&p->value->shape);
        if (t->trained.input_grads[i])
            bounds->input_grads[i] = bound_of(t, p->name,
                t->trained.input_grads[i], count,
                MISSED(&t->trained, floats, input_grads[i], count),
                GRADIENT_TOLERANCE,
                gradient_floor(t, t->trained.input_grads[i], count));
    }
}

static void bound_loss(struct trial *t, const struct outcome *floats)
{
    double missed = 0;

    for (int f = 0; f < t->runs; f++)
        missed = fmax(missed, apart(&t->trained.loss, &floats[f].loss, 1));
    t->train_bounds.loss = bound_of(t, "the loss", &t->trained.loss, 1, missed,
                                    ACTIVATION_TOLERANCE, 1e-3);
}

/* ---- kinks ---- */

/* How far float is from double in any of these margins. */
static double margin_error(const struct margins *m,
                           struct margins *const *floats, int runs)
{
    double most = 0;

    for (int f = 0; f < runs; f++)
        most = fmax(most, apart(m->value, floats[f]->value, m->count));
    return most;
}

/* Exactly on it in all runs is no doubt: the rule for ties holds. */
static bool is_near(const struct margins *m, struct margins *const *floats,
                    int runs, size_t i, double error)
{
    bool exact = m->value[i] == 0;

    for (int f = 0; f < runs && exact; f++)
        exact = floats[f]->value[i] == 0;
    return !exact && fabs(m->value[i]) <= ROUNDINGS * error;
}

static void find_kinks(struct trial *t, const struct outcome *floats)
{
    struct margins *f[MOST_RUNS];

    for (int i = 0; i < t->runs; i++)
        f[i] = floats[i].margins;
    for (const struct margins *m = t->trained.margins; m; m = m->next) {
        double error = margin_error(m, f, t->runs);
        for (size_t i = 0; i < m->count; i++)
            if (is_near(m, f, t->runs, i, error))
                undecided(t, NEAR_A_KINK, "", fabs(m->value[i]));
        for (int i = 0; i < t->runs; i++)
            f[i] = f[i]->next;
    }
}

/* ---- one attempt ---- */

static void run_floats(struct trial *t, bool training, uint64_t seed,
                       struct outcome *floats)
{
    struct feed disturbed;

    interpret_float(t->subject, &t->feed, training, &t->arena, &floats[0]);
    for (int f = 1; f < t->runs; f++) {
        draw_disturbed(t->subject, &t->feed, seed + (uint64_t)f, &t->arena,
                       &disturbed);
        interpret_float(t->subject, &disturbed, training, &t->arena,
                        &floats[f]);
    }
}

static void attempt(struct trial *t, uint64_t seed, int number)
{
    struct outcome floats[MOST_RUNS];

    draw_feed(t->subject, t->feed.batch, seed, number, &t->arena, &t->feed);
    interpret_double(t->subject, &t->feed, false, &t->arena, &t->inferred);
    run_floats(t, false, seed, floats);
    bound_outputs(t, &t->inferred, floats, &t->infer_bounds);
    t->bad_name = t->inferred.bad_name;
    if (!t->trains || t->bad_batch)
        return;
    interpret_double(t->subject, &t->feed, true, &t->arena, &t->trained);
    run_floats(t, true, seed, floats);
    bound_outputs(t, &t->trained, floats, &t->train_bounds);
    bound_loss(t, floats);
    bound_tensors(t, floats);
    bound_input_grads(t, floats);
    find_kinks(t, floats);
}

static bool has_loss(const struct region *main)
{
    const struct node *n = main->nodes.first;

    while (n && n->op != OP_LOSS)
        n = n->next;
    return n != NULL;
}

void trial_make(const struct subject *subject, size_t batch, uint64_t seed,
                int runs, struct trial *t)
{
    int64_t rows = subject->normalises ? subject->least_rows : 2;

    for (int i = 0; i < ATTEMPTS; i++) {
        if (i >= ATTEMPTS / 2 && (int64_t)(batch / 2) * rows >= 2)
            batch /= 2;                 /* fewer numbers near to a kink */
        *t = (struct trial) {
            .subject = subject, .feed.batch = batch, .runs = runs,
            .trains = has_loss(subject->network->main->body),
            .bad_batch = (int64_t)batch * rows < 2,
        };
        attempt(t, seed, i);
        if (t->verdict == DECIDED || i + 1 == ATTEMPTS)
            return;
        trial_free(t);
    }
}

void trial_free(struct trial *trial)
{
    arena_release(&trial->arena);
}
