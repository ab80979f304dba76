/* kernels.c: OpenBLAS, oneDNN 2 and libxsmm, as far as bench.sh found them:
 * WITH_OPENBLAS, WITH_ONEDNN, WITH_LIBXSMM. */
#include "kernels.h"

#include <math.h>

#include "../peak.h"

#ifdef WITH_OPENBLAS
#include <cblas-openblas.h>
#endif
#ifdef WITH_ONEDNN
#include <dnnl.h>
#if DNNL_VERSION_MAJOR != 2     /* its interface is another one */
#undef WITH_ONEDNN
#endif
#endif
#ifdef WITH_LIBXSMM
#include <libxsmm.h>
#endif

#define ROUNDS 15

__attribute__((unused))
static float *filled(size_t count)
{
    float *p = aligned_alloc(64, (count * sizeof *p + 63) / 64 * 64);

    if (!p)
        exit(1);
    for (size_t i = 0; i < count; i++)
        p[i] = (float)(i % 13) / 16 - 0.5f;
    return p;
}

/* Keeps the faster. */
__attribute__((unused))
static void take(struct peer_time *best, struct peer_time other)
{
    if (other.seconds > 0
        && (best->seconds == 0 || other.seconds < best->seconds))
        *best = other;
}

#if defined WITH_OPENBLAS || defined WITH_LIBXSMM
struct operands {
    const struct peer_product *product;
    float *a, *b, *c;
};
#endif

/* ----------------------------------------------------------------- OpenBLAS */

#ifdef WITH_OPENBLAS
static void run_openblas(void *context)
{
    const struct operands *o = context;
    const struct peer_product *p = o->product;

    cblas_sgemm(CblasRowMajor, p->a_across ? CblasTrans : CblasNoTrans,
                p->b_across ? CblasTrans : CblasNoTrans, (int)p->m, (int)p->n,
                (int)p->k, 1, o->a, (int)(p->a_across ? p->m : p->k), o->b,
                (int)(p->b_across ? p->k : p->n), 0, o->c, (int)p->n);
}
#endif

/* ------------------------------------------------------------------ libxsmm */

#ifdef WITH_LIBXSMM
/* By columns: the transpose of C is that of B times that of A. */
static void run_libxsmm(void *context)
{
    const struct operands *o = context;
    const struct peer_product *p = o->product;
    const float one = 1, zero = 0;
    libxsmm_blasint m = (int)p->m, n = (int)p->n, k = (int)p->k;
    libxsmm_blasint row_a = p->a_across ? m : k, row_b = p->b_across ? k : n;

    libxsmm_sgemm(p->b_across ? "T" : "N", p->a_across ? "T" : "N", &n, &m, &k,
                  &one, o->b, &row_b, o->a, &row_a, &zero, o->c, &n);
}
#endif

/* ------------------------------------------------------------------- oneDNN */

#ifdef WITH_ONEDNN
#define MAX_TENSORS 3

/* A primitive with its tensors, or with none when oneDNN has no such. */
struct primitive {
    dnnl_primitive_t primitive;
    dnnl_stream_t stream;
    dnnl_memory_t memory[MAX_TENSORS];
    dnnl_exec_arg_t arguments[MAX_TENSORS];
};

static dnnl_engine_t engine(void)
{
    static dnnl_engine_t made;

    if (!made && dnnl_engine_create(&made, dnnl_cpu, 0) != dnnl_success)
        exit(1);
    return made;
}

static void run_primitive(void *context)
{
    const struct primitive *p = context;

    dnnl_primitive_execute(p->primitive, p->stream, MAX_TENSORS, p->arguments);
    dnnl_stream_wait(p->stream);
}

/* What a tensor is in a primitive: a query of its layout and an argument. */
struct role { dnnl_query_t query; int argument; };

static void set_tensor(struct primitive *p, int i, dnnl_primitive_desc_t desc,
                       struct role role)
{
    const dnnl_memory_desc_t *layout =
        dnnl_primitive_desc_query_md(desc, role.query, 0);
    void *values;

    dnnl_memory_create(&p->memory[i], layout, engine(), DNNL_MEMORY_ALLOCATE);
    dnnl_memory_get_data_handle(p->memory[i], &values);
    for (size_t k = 0; k < dnnl_memory_desc_get_size(layout) / 4; k++)
        ((float *)values)[k] = (float)(k % 13) / 16 - 0.5f;
    p->arguments[i] = (dnnl_exec_arg_t) { role.argument, p->memory[i] };
}

/* How long what `operation` says takes; 0 when oneDNN does not know it. */
static struct peer_time primitive_time(const_dnnl_op_desc_t operation,
                                       const_dnnl_primitive_desc_t hint,
                                       const struct role *roles)
{
    struct peer_time time = { 0, "oneDNN", 0 };
    const char *kind = "";
    struct primitive p;
    dnnl_primitive_desc_t desc;

    if (dnnl_primitive_desc_create(&desc, operation, NULL, engine(), hint)
        != dnnl_success)
        return time;
    for (int i = 0; i < MAX_TENSORS; i++)
        set_tensor(&p, i, desc, roles[i]);
    dnnl_stream_create(&p.stream, engine(), dnnl_stream_default_flags);
    dnnl_primitive_create(&p.primitive, desc);
    dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &kind);
    time.winograd = strstr(kind, "wino") != NULL;
    time.seconds = peak_least(run_primitive, &p, ROUNDS);
    dnnl_primitive_destroy(p.primitive);
    dnnl_stream_destroy(p.stream);
    for (int i = 0; i < MAX_TENSORS; i++)
        dnnl_memory_destroy(p.memory[i]);
    dnnl_primitive_desc_destroy(desc);
    return time;
}

/* A matrix of rows x columns, which may lie as its transpose. */
static dnnl_memory_desc_t matrix(long rows, long columns, int across)
{
    dnnl_memory_desc_t layout;
    dnnl_dims_t shape = { rows, columns };
    dnnl_dims_t strides = { across ? 1 : columns, across ? rows : 1 };

    dnnl_memory_desc_init_by_strides(&layout, 2, shape, dnnl_f32, strides);
    return layout;
}

/* `free`: B in the layout that oneDNN likes. */
static struct peer_time onednn_product(const struct peer_product *p, int free)
{
    static const struct role roles[] = {
        { dnnl_query_src_md, DNNL_ARG_SRC },
        { dnnl_query_weights_md, DNNL_ARG_WEIGHTS },
        { dnnl_query_dst_md, DNNL_ARG_DST },
    };
    dnnl_memory_desc_t a = matrix(p->m, p->k, p->a_across);
    dnnl_memory_desc_t b = matrix(p->k, p->n, p->b_across);
    dnnl_memory_desc_t c = matrix(p->m, p->n, 0);
    dnnl_dims_t shape = { p->k, p->n };
    dnnl_matmul_desc_t operation;

    if (free)
        dnnl_memory_desc_init_by_tag(&b, 2, shape, dnnl_f32,
                                     dnnl_format_tag_any);
    if (dnnl_matmul_desc_init(&operation, &a, &b, NULL, &c) != dnnl_success)
        return (struct peer_time) { 0 };
    return primitive_time(&operation, NULL, roles);
}

struct conv_layouts { dnnl_memory_desc_t x, w, y; };

/* Every tensor as oneDNN likes it. */
static struct conv_layouts conv_layouts(const struct peer_conv *c)
{
    struct conv_layouts all;
    dnnl_dims_t x = { c->batch, c->in, c->size, c->size };
    dnnl_dims_t y = { c->batch, c->out, c->out_size, c->out_size };
    dnnl_dims_t w = { c->out, c->in, c->kernel, c->kernel };
    dnnl_dims_t grouped = { c->groups, c->out / c->groups, c->in / c->groups,
                            c->kernel, c->kernel };

    dnnl_memory_desc_init_by_tag(&all.x, 4, x, dnnl_f32, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&all.y, 4, y, dnnl_f32, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&all.w, c->groups > 1 ? 5 : 4,
                                 c->groups > 1 ? grouped : w, dnnl_f32,
                                 dnnl_format_tag_any);
    return all;
}

static struct peer_time onednn_conv(const struct peer_conv *c,
                                    enum peer_pass pass, dnnl_alg_kind_t way)
{
    static const struct role roles[][MAX_TENSORS] = {
        { { dnnl_query_src_md, DNNL_ARG_SRC },
          { dnnl_query_weights_md, DNNL_ARG_WEIGHTS },
          { dnnl_query_dst_md, DNNL_ARG_DST } },
        { { dnnl_query_diff_src_md, DNNL_ARG_DIFF_SRC },
          { dnnl_query_weights_md, DNNL_ARG_WEIGHTS },
          { dnnl_query_diff_dst_md, DNNL_ARG_DIFF_DST } },
        { { dnnl_query_src_md, DNNL_ARG_SRC },
          { dnnl_query_diff_weights_md, DNNL_ARG_DIFF_WEIGHTS },
          { dnnl_query_diff_dst_md, DNNL_ARG_DIFF_DST } },
    };
    struct conv_layouts t = conv_layouts(c);
    dnnl_dims_t stride = { c->stride, c->stride }, before = { c->pad, c->pad };
    dnnl_dims_t after = { c->pad_end, c->pad_end };
    dnnl_convolution_desc_t forward, backward;
    dnnl_primitive_desc_t hint;

    dnnl_convolution_forward_desc_init(&forward, dnnl_forward_training, way,
                                       &t.x, &t.w, NULL, &t.y, stride, before,
                                       after);
    if (pass == PEER_FORWARD)
        return primitive_time(&forward, NULL, roles[pass]);
    if (pass == PEER_GRAD_INPUT)
        dnnl_convolution_backward_data_desc_init(&backward, way, &t.x, &t.w,
                                                 &t.y, stride, before, after);
    else
        dnnl_convolution_backward_weights_desc_init(&backward, way, &t.x, &t.w,
                                                    NULL, &t.y, stride, before,
                                                    after);
    if (dnnl_primitive_desc_create(&hint, &forward, NULL, engine(), NULL)
        != dnnl_success)
        return (struct peer_time) { 0 };
    struct peer_time time = primitive_time(&backward, hint, roles[pass]);
    dnnl_primitive_desc_destroy(hint);
    return time;
}
#endif

/* ---------------------------------------------------------------- the best */

struct peer_time peer_product(const struct peer_product *p)
{
    struct peer_time best = { 0 };
#if defined WITH_OPENBLAS || defined WITH_LIBXSMM
    struct operands o = { p, filled((size_t)(p->m * p->k)),
                          filled((size_t)(p->k * p->n)),
                          filled((size_t)(p->m * p->n)) };
#endif
#ifdef WITH_OPENBLAS
    take(&best, (struct peer_time) { peak_least(run_openblas, &o, ROUNDS),
                                     "OpenBLAS", 0 });
#endif
#ifdef WITH_LIBXSMM
    take(&best, (struct peer_time) { peak_least(run_libxsmm, &o, ROUNDS),
                                     "libxsmm", 0 });
#endif
#if defined WITH_OPENBLAS || defined WITH_LIBXSMM
    free(o.a);
    free(o.b);
    free(o.c);
#endif
#ifdef WITH_ONEDNN
    take(&best, onednn_product(p, 0));
    if (p->weights)
        take(&best, onednn_product(p, 1));
#endif
    (void)p;
    return best;
}

struct peer_time peer_conv(const struct peer_conv *conv, enum peer_pass pass)
{
    struct peer_time best = { 0 };
#ifdef WITH_ONEDNN
    take(&best, onednn_conv(conv, pass, dnnl_convolution_direct));
    take(&best, onednn_conv(conv, pass, dnnl_convolution_auto));
#endif
    (void)conv;
    (void)pass;
    return best;
}

void peer_about(void)
{
    printf("Beside:");
#ifdef WITH_OPENBLAS
    openblas_set_num_threads(1);
    printf("%s(%s)", OPENBLAS_VERSION, openblas_get_corename());
#endif
#ifdef WITH_ONEDNN
    printf(" oneDNN %d.%d", dnnl_version()->major, dnnl_version()->minor);
#endif
#ifdef WITH_LIBXSMM
    printf(" libxsmm %s", LIBXSMM_VERSION);
#endif
#if !defined WITH_OPENBLAS && !defined WITH_ONEDNN && !defined WITH_LIBXSMM
    printf(" no library");
#endif
    printf("\n");
}

void peer_ratio(struct peer_ratios *ratios, const char *what, double ours,
                struct peer_time peer)
{
    double ratio = peer.seconds / ours;

    if (peer.seconds == 0) {
        printf("%7s", "");
        return;
    }
    printf(" %5.2f%c", ratio, peer.winograd ? 'w' : ' ');
    ratios->logarithms += log(ratio);
    if (ratios->count++ == 0 || ratio < ratios->worst) {
        ratios->worst = ratio;
        snprintf(ratios->name, sizeof ratios->name, "%s, %s%s", what,
                 peer.name, peer.winograd ? " with Winograd" : "");
    }
}

void peer_summary(const char *title, const struct peer_ratios *ratios)
{
    if (ratios->count)
        printf("%s: library's time over ours, geometric mean %.3f of %d, "
               "worst %.2f (%s)\n", title,
               exp(ratios->logarithms / ratios->count), ratios->count,
               ratios->worst, ratios->name);
}
