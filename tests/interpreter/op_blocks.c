/* op_blocks.c: a row's features as blocks: mixed by weights, multiplied with
 * each other; matrices made doubly stochastic.  docs/LANGUAGE.md, Streams. */
#include "tape.h"

struct blocks { size_t from, to, size; };

static struct blocks blocks_of(const struct step *s)
{
    const int64_t *n = s->node->set.n;

    return (struct blocks) { (size_t)n[0], (size_t)n[1], (size_t)n[2] };
}

/* Weights, or another row: of each row, or a parameter for all. */
static struct tensor *other(const struct step *s)
{
    return s->in[1] ? s->in[1] : s->param[0];
}

static size_t other_at(const struct step *s, size_t row, size_t count)
{
    return s->in[1] ? row * count : 0;
}

/* y_j = sum_i w_ij x_i; turned: w_ji */
static size_t weight_at(const struct blocks *b, bool turned, size_t i,
                        size_t j)
{
    return turned ? j * b->from + i : i * b->to + j;
}

typedef void block_visitor(struct step *s, size_t x, size_t y, size_t w);

/* Every triple of scalars x in block i, y in block j and weight. */
static void each_triple(struct step *s, bool turned, block_visitor *visit)
{
    struct blocks b = blocks_of(s);

    for (size_t r = 0; r < s->rows; r++)
        for (size_t i = 0; i < b.from; i++)
            for (size_t j = 0; j < b.to; j++)
                for (size_t k = 0; k < b.size; k++)
                    visit(s, (r * b.from + i) * b.size + k,
                          (r * b.to + j) * b.size + k,
                          other_at(s, r, b.from * b.to)
                          + weight_at(&b, turned, i, j));
}

static void mix_triple(struct step *s, size_t x, size_t y, size_t w)
{
    s->out->x[y] += other(s)->x[w] * s->in[0]->x[x];
}

static void mix_grad_triple(struct step *s, size_t x, size_t y, size_t w)
{
    s->in[0]->dx[x] += other(s)->x[w] * s->out->dx[y];
    other(s)->dx[w] += s->in[0]->x[x] * s->out->dx[y];
}

static bool is_turned(const struct step *s)
{
    return s->node->op == OP_MIX_TRANSPOSED;
}

static void mix_forward(struct machine *m, struct step *s)
{
    (void)m;
    each_triple(s, is_turned(s), mix_triple);
}

static void mix_backward(struct machine *m, struct step *s)
{
    (void)m;
    each_triple(s, is_turned(s), mix_grad_triple);
}

/* ---- s_ij = <x_i, y_j> ---- */

static void each_product(struct step *s, block_visitor *visit)
{
    struct blocks b = blocks_of(s);

    for (size_t r = 0; r < s->rows; r++)
        for (size_t i = 0; i < b.from; i++)
            for (size_t j = 0; j < b.to; j++)
                for (size_t k = 0; k < b.size; k++)
                    visit(s, (r * b.from + i) * b.size + k,
                          other_at(s, r, b.to * b.size) + j * b.size + k,
                          (r * b.from + i) * b.to + j);
}

static void dot_triple(struct step *s, size_t x, size_t y, size_t product)
{
    s->out->x[product] += s->in[0]->x[x] * other(s)->x[y];
}

static void dot_grad_triple(struct step *s, size_t x, size_t y,
                            size_t product)
{
    s->in[0]->dx[x] += s->out->dx[product] * other(s)->x[y];
    other(s)->dx[y] += s->out->dx[product] * s->in[0]->x[x];
}

static void dots_forward(struct machine *m, struct step *s)
{
    (void)m;
    each_product(s, dot_triple);
}

static void dots_backward(struct machine *m, struct step *s)
{
    (void)m;
    each_product(s, dot_grad_triple);
}

/* ---- Sinkhorn & Knopp ---- */

/* Element k of line `line`: of a column, or of a row. */
static size_t line_at(size_t n, bool columns, size_t line, size_t k)
{
    return columns ? k * n + line : line * n + k;
}

/* y = x / sum of its line */
static void divide(real *y, const real *x, size_t n, bool columns)
{
    for (size_t line = 0; line < n; line++) {
        real sum = 0;
        for (size_t k = 0; k < n; k++)
            sum += x[line_at(n, columns, line, k)];
        for (size_t k = 0; k < n; k++) {
            size_t at = line_at(n, columns, line, k);
            y[at] = sum == 0 ? x[at] : x[at] / sum;
        }
    }
}

/* dx = (dy - sum dy y) / sum x, in place */
static void divide_grad(real *d, const real *y, const real *x, size_t n,
                        bool columns)
{
    for (size_t line = 0; line < n; line++) {
        real sum = 0, dot = 0;
        for (size_t k = 0; k < n; k++) {
            sum += x[line_at(n, columns, line, k)];
            dot += d[line_at(n, columns, line, k)]
                   * y[line_at(n, columns, line, k)];
        }
        for (size_t k = 0; k < n; k++) {
            size_t at = line_at(n, columns, line, k);
            d[at] = sum == 0 ? d[at] : (d[at] - dot) / sum;
        }
    }
}

/* kept: of each row, the matrix at first and after each division */
static void sinkhorn_forward(struct machine *m, struct step *s)
{
    size_t n = (size_t)s->node->set.n[0], square = n * n;
    size_t divisions = 2 * (size_t)s->node->set.n[1];

    s->kept = keep(m, s->rows * square * (divisions + 1));
    for (size_t r = 0; r < s->rows; r++) {
        real *at = s->kept + r * square * (divisions + 1);
        for (size_t i = 0; i < square; i++)
            at[i] = exp(s->in[0]->x[r * square + i]);
        for (size_t k = 0; k < divisions; k++, at += square)
            divide(at + square, at, n, k % 2 == 0);
        memcpy(s->out->x + r * square, at, square * sizeof(real));
    }
}

static void sinkhorn_backward(struct machine *m, struct step *s)
{
    size_t n = (size_t)s->node->set.n[0], square = n * n;
    size_t divisions = 2 * (size_t)s->node->set.n[1];
    real *d = keep(m, square);

    for (size_t r = 0; r < s->rows; r++) {
        const real *first = s->kept + r * square * (divisions + 1);
        memcpy(d, s->out->dx + r * square, square * sizeof(real));
        for (size_t k = divisions; k-- > 0;)
            divide_grad(d, first + (k + 1) * square, first + k * square, n,
                        k % 2 == 0);
        for (size_t i = 0; i < square; i++)
            s->in[0]->dx[r * square + i] += d[i] * first[i];
    }
}

const struct rule TWIN(block_rules)[] = {
    { OP_MIX, mix_forward, mix_backward },
    { OP_MIX_TRANSPOSED, mix_forward, mix_backward },
    { OP_DOTS, dots_forward, dots_backward },
    { OP_SINKHORN, sinkhorn_forward, sinkhorn_backward }, { 0 }
};
