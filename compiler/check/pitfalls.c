/* pitfalls.c: what is right by the rules and known to train badly.  Where one
 * block shows it the warning stands at once; where it takes a deep stack, sites
 * are noted and counted at the end, by how often their regions run.  Every
 * warning has a name for -Wno-NAME (diag.c). */
#include "check.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { DEEP = 10 };             /* blocks of a stack that is called deep */

/* ---- one block ---- */

static bool is_zero_param(const struct param *param)
{
    return !param || (param->init == INIT_CONSTANT && param->mean == 0);
}

/* Whether a value is 0 with the weights as they begin. */
static bool begins_at_zero(const struct value *value)
{
    const struct node *n = value->producer;

    if (!n)
        return false;
    switch (n->op) {
    case OP_LINEAR: case OP_CONV: case OP_UPCONV:
        return is_zero_param(n->param[0]) && is_zero_param(n->param[1]);
    case OP_NORM: case OP_BATCH_NORM:
        return n->param[0] && is_zero_param(n->param[0])
            && is_zero_param(n->param[1]);
    case OP_PACK: case OP_UNPACK:
        return begins_at_zero(n->in[0]);
    case OP_POINT:
        return strncmp(n->point.step, "DROP", 4) == 0
            && begins_at_zero(n->in[0]);
    default:
        return false;
    }
}

void warn_dead_branch(struct body *body, struct span span,
                      const struct value *branch)
{
    if (begins_at_zero(branch))
        warn(body, "dead-branch", span, "branch and scale both begin at 0: "
             "neither has a gradient, the block stays its shortcut");
}

void warn_dropped_shortcut(struct body *body, struct span span,
                           const struct value *x, const struct value *skip)
{
    for (const struct value *v = skip; v != x && v->producer
         && v->producer->ins; v = v->producer->in[0])
        if (v->producer->op == OP_POINT
            && strncmp(v->producer->point.step, "DROP", 4) == 0) {
            warn(body, "shortcut-dropout", span, "dropout on the shortcut "
                 "stops the stream in every block; it belongs on the branch "
                 "(He et al. 2016, section 3.1)");
            return;
        }
}

void warn_norm_after(struct body *body, const struct ast *norm)
{
    warn(body, "batchnorm-after-add", norm->span, "a batch norm after the sum "
         "changes the shortcut's signal in every block; before or after the "
         "weights it does not (He et al. 2016, section 4.1)");
}

/* ---- deep stacks ---- */

static struct pitfall *place_of_pitfall(struct body *body,
                                        enum pitfall_kind kind,
                                        struct span span)
{
    struct pitfall **end = &body->check->pitfalls;

    while (*end && ((*end)->kind != kind || (*end)->span.file != span.file
                    || (*end)->span.begin != span.begin))
        end = &(*end)->next;
    if (!*end) {
        *end = NEW(body->check->c->arena, struct pitfall);
        **end = (struct pitfall) { .kind = kind, .span = span };
    }
    return *end;
}

void note_pitfall(struct body *body, enum pitfall_kind kind, struct span span,
                  struct value *value, double number)
{
    struct pitfall *p = place_of_pitfall(body, kind, span);
    struct pitfall_site *site = NEW(body->check->c->arena,
                                    struct pitfall_site);

    *site = (struct pitfall_site) { value, p->sites };
    p->sites = site;
    p->number = number;
}

/* How often each region runs for a sample; callers come after callees. */
static void count_runs(struct region *region, int64_t times)
{
    int64_t inner;

    if (!add_size(region->runs, times, &region->runs))
        region->runs = INT64_MAX;
    for (struct node *n = region->nodes.first; n; n = n->next)
        if (n->op == OP_CALL) {
            struct region *body = n->call.callee->body;
            if (!add_size(body->calls, times, &body->calls))
                body->calls = INT64_MAX;
        } else if (n->op == OP_LOOP) {
            count_runs(n->loop.body, mul_size(times, n->loop.count, &inner)
                       ? inner : INT64_MAX);
        }
}

static void count_functions(struct function *f)
{
    struct function **list = NULL;
    size_t count = 0, size = 0;

    for (; f; f = f->next) {
        GROW(list, size, count);
        list[count++] = f;
    }
    if (count)
        list[count - 1]->body->calls = 1;       /* the network itself */
    while (count--)
        count_runs(list[count]->body, list[count]->body->calls);
    free(list);
}

/* Of all blocks that come from one place. */
static int64_t depth_of(const struct pitfall *p)
{
    int64_t depth = 0;

    for (const struct pitfall_site *s = p->sites; s; s = s->next)
        if (!add_size(depth, s->value->region->runs, &depth))
            return INT64_MAX;
    return depth;
}

static void warn_gate(struct diag *diag, const struct pitfall *p,
                      int64_t depth)
{
    diag_warning(diag, "gate-bias", &p->span, "%" PRId64 " gates begin with a "
                 "bias of %g, which closes the way for what enters: deep "
                 "stacks want it below zero, as 'gated(bias = -2)' "
                 "(Srivastava et al. 2015)", depth, p->number);
}

static void warn_scaled(struct diag *diag, const struct pitfall *p,
                        int64_t depth)
{
    double gain = pow(fabs(p->number), (double)depth);

    if (gain < 0.01 || gain > 100)
        diag_warning(diag, "shortcut-not-identity", &p->span, "%" PRId64
                     " shortcuts times %g are %.2g in all, and so is what the "
                     "gradient is multiplied by", depth, p->number, gain);
}

static void warn_projected(struct diag *diag, const struct pitfall *p,
                           int64_t depth)
{
    diag_warning(diag, "shortcut-not-identity", &p->span, "%" PRId64
                 " blocks have a shortcut that is not the identity: signal and "
                 "gradient go through all of them (He et al. 2016, section "
                 "3)", depth);
}

/* ---- the final norm ---- */

static bool is_prenorm_sum(const struct check *check,
                           const struct value *value, int64_t *depth)
{
    for (const struct pitfall *p = check->pitfalls; p; p = p->next)
        for (const struct pitfall_site *s = p->sites;
             s && p->kind == PITFALL_PRENORM; s = s->next)
            if (s->value == value) {
                *depth = depth_of(p);
                return true;
            }
    return false;
}

/* The sum of pre-norm blocks that reaches this value without a norm; NULL:
 * none. */
static const struct value *bare_sum(const struct check *check,
                                    const struct value *value, int64_t *depth)
{
    const struct node *n;

    while ((n = value->producer) != NULL) {
        if (is_prenorm_sum(check, value, depth))
            return value;
        if (n->op == OP_POINT && n->ins != 1)
            return NULL;        /* another sum, or a learned value */
        switch (n->op) {
        case OP_CALL: value = n->call.callee->body->outputs[0]; break;
        case OP_LOOP: value = n->loop.body->outputs[0]; break;
        case OP_LINEAR: case OP_POOL: case OP_RESHAPE: case OP_PACK:
        case OP_UNPACK: case OP_POINT: value = n->in[0]; break;
        default: return NULL;
        }
    }
    return NULL;
}

static void warn_final_norm(const struct check *check)
{
    struct compilation *c = check->c;
    int64_t depth = 0;

    for (struct node *n = c->network->main->body->nodes.first; n; n = n->next)
        if (n->op == OP_OUTPUT && bare_sum(check, n->in[0], &depth)
            && depth >= DEEP)
            diag_warning(c->diag, "final-norm", &n->span, "'%s' comes from "
                         "%" PRId64 " blocks with norms before their branches, "
                         "and no norm after the last: its size grows with the "
                         "depth", n->output->name, depth);
}

void warn_pitfalls(struct check *check)
{
    struct diag *diag = check->c->diag;

    count_functions(check->c->network->functions);
    for (struct pitfall *p = check->pitfalls; p; p = p->next) {
        int64_t depth = depth_of(p);
        if (depth < DEEP)
            continue;
        if (p->kind == PITFALL_GATE)
            warn_gate(diag, p, depth);
        else if (p->kind == PITFALL_SCALED)
            warn_scaled(diag, p, depth);
        else if (p->kind == PITFALL_PROJECTED)
            warn_projected(diag, p, depth);
    }
    warn_final_norm(check);
}
