/* branch.c: branches that training may leave out.  Requires: the network with
 * its places.  Gives: for each `drop batch` a LOOP that runs once or, as its
 * draw says, not at all.
 *
 * y = x + DROP_BATCH(F(x)) becomes y = LOOP(x), whose body is x + F(x): when
 * the draw drops the branch, y is x and dx is dy.  The body has what the
 * branch alone needs; what anything else reads, such as a norm that the
 * shortcut shares, stays outside.  Places are those of the region around. */
#include "graph.h"

#include <string.h>

struct branch {
    struct compilation *c;
    struct region *outer, *inner;
    struct node *drop, *sum;
};

/* ---- what the branch alone needs ---- */

static void count_list(const struct list *list)
{
    for (const struct node *n = list->first; n; n = n->next) {
        for (int i = 0; i < n->outs; i++)
            n->out[i]->uses = n->out[i]->reads = 0;
        for (int i = 0; i < n->ins; i++)
            n->in[i]->uses++;
    }
}

/* uses: all; reads: those in the branch, so far none. */
static void count_uses(struct region *region)
{
    for (int i = 0; i < region->input_count; i++)
        region->inputs[i]->uses = region->inputs[i]->reads = 0;
    count_list(&region->nodes);
    for (int i = 0; i < region->output_count; i++)
        region->outputs[i]->uses++;
}

static bool serves_branch(const struct node *n)
{
    int uses = 0, reads = 0;

    for (int i = 0; i < n->outs; i++) {
        uses += n->out[i]->uses;
        reads += n->out[i]->reads;
    }
    return n->op != OP_INPUT && reads > 0 && uses == reads;
}

static bool in_block(const struct branch *b, const struct node *n)
{
    return !n->outs || n->out[0]->id >= b->drop->set.n[0];
}

static void move(struct branch *b, struct node *node)
{
    remove_node(&b->outer->nodes, node);
    insert_node(b->inner, &b->inner->nodes, b->inner->nodes.first, node);
    for (int i = 0; i < node->ins; i++)
        node->in[i]->reads++;
    for (int i = 0; i < node->outs; i++)
        node->out[i]->region = b->inner;
    if (node->op == OP_LOOP)
        node->loop.body->parent = b->inner;
}

static void move_branch(struct branch *b)
{
    struct node *previous = b->drop->previous;

    move(b, b->drop);
    for (struct node *n = previous; n && in_block(b, n); n = previous) {
        previous = n->previous;
        if (serves_branch(n))
            move(b, n);
    }
}

/* ---- the body and what enters it ---- */

static struct value *own_copy(struct branch *b, const struct value *like)
{
    struct value *value = new_value(b->c, b->inner, FORM_ROWS, like->layout,
                                    &like->shape, like->name, like->span);
    value->integer = like->integer;
    value->rows = like->rows;
    value->features = like->features;
    value->form = like->form;
    return value;
}

static void enters(struct branch *b, struct value *outer)
{
    struct region *r = b->inner;

    GROW_IN(b->c->arena, r->captured, r->captured_size, r->input_count);
    r->captured[r->input_count] = outer;
    add_input(b->c, r, own_copy(b, outer));
}

static struct value *inside(struct branch *b, struct value *value)
{
    struct region *r = b->inner;
    int i = 0;

    if (value->region == r)
        return value;
    while (i < r->input_count && r->captured[i] != value)
        i++;
    if (i == r->input_count)
        enters(b, value);
    return r->inputs[i];
}

static void enter_operands(struct branch *b)
{
    for (struct node *n = b->inner->nodes.first; n; n = n->next) {
        for (int i = 0; i < n->ins; i++)
            n->in[i] = inside(b, n->in[i]);
        for (int i = 0; i < n->outs; i++)
            if (n->out[i]->base)
                n->out[i]->base = inside(b, n->out[i]->base);
    }
}

/* A loop takes values that lie together. */
static struct value *whole(struct branch *b, struct node *before,
                           struct value *value)
{
    if (!value->base || value->reshaped)
        return value;
    struct node *node = new_node(b->c, OP_POINT, value->span);
    node->point.step = "MUL";
    node->point.by = BY_CONST;
    node->point.number = 1;
    node_in(node, value);
    struct value *copy = own_copy(b, value);
    copy->region = b->outer;
    insert_node(b->outer, &b->outer->nodes, before, node);
    return node_out(node, copy);
}

/* The loop stands where the sum stood and gives its value. */
static struct node *make_loop(struct branch *b)
{
    struct node *loop = new_node(b->c, OP_LOOP, b->drop->span);
    struct region *inner = b->inner;

    insert_node(b->outer, &b->outer->nodes, b->sum, loop);
    for (int i = 0; i < inner->input_count && i < NODE_INS; i++) {
        struct value *value = inner->captured[i];
        value->uses += (i > 0) - value->reads;  /* the sum read the first */
        value->reads = 0;
        node_in(loop, whole(b, loop, value));
    }
    if (inner->input_count > NODE_INS)
        diag_error(b->c->diag, &b->drop->span, "this branch uses more than %d "
                   "values from outside", NODE_INS - 1);
    loop->out[loop->outs++] = b->sum->out[0];
    loop->loop.body = inner;
    loop->loop.count = 1;
    loop->loop.draw = b->drop;
    inner->loop = loop;
    return loop;
}

static void share_places(struct branch *b)
{
    b->inner->param_floats = b->outer->param_floats;
    b->inner->state_floats = b->outer->state_floats;
    b->inner->state_again = b->outer->state_again;
    b->inner->state_moves = b->outer->state_moves;
    b->inner->keys = b->outer->keys;
    b->inner->numbers = b->outer->numbers;
}

static struct node *move_sum(struct branch *b)
{
    struct node *sum = b->sum, *loop = make_loop(b);
    struct value *y = sum->out[0];

    remove_node(&b->outer->nodes, sum);
    append_node(b->inner, &b->inner->nodes, sum);
    for (int i = 0; i < sum->ins; i++)
        sum->in[i] = inside(b, sum->in[i]);
    sum->out[0] = own_copy(b, y);
    sum->out[0]->producer = sum;
    y->producer = loop;
    add_output(b->c, b->inner, sum->out[0]);
    return loop;
}

/* ---- the pass ---- */

/* The addition of the shortcut: all that reads what the drop gives. */
static struct node *sum_of(const struct node *drop)
{
    struct value *dropped = drop->out[0];
    struct node *n = drop->next;

    while (n && (n->op != OP_POINT || n->point.by != BY_FULL
                 || (n->in[0] != dropped && n->in[1] != dropped)))
        n = n->next;
    return n;
}

static struct node *outline(struct compilation *c, struct region *region,
                            struct node *drop, struct node *sum)
{
    struct branch b = { c, region, new_region(c, region->function, region),
                        drop, sum };

    enters(&b, sum->in[sum->in[0] == drop->out[0]]);
    move_branch(&b);
    enter_operands(&b);
    share_places(&b);
    return move_sum(&b);
}

static void find_drops(struct compilation *c, struct region *region)
{
    struct node *next;

    count_uses(region);
    for (struct node *n = region->nodes.first; n; n = next) {
        next = n->next;
        if (n->op == OP_LOOP && !n->loop.draw)
            find_drops(c, n->loop.body);
        if (n->op != OP_POINT || strcmp(n->point.step, "DROP_BATCH"))
            continue;
        struct node *sum = sum_of(n), *loop = outline(c, region, n, sum);
        next = next == sum ? loop->next : next;
    }
}

void branches(struct compilation *c)
{
    for (struct function *f = c->network->functions; f; f = f->next)
        find_drops(c, f->body);
}
