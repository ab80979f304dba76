/* facts.c: what papers say of the first step of training and of initial
 * weights, on networks as NAME_init leaves them, in the double build:
 *   ReZero (Bachlechner 2020): with alpha = 0, dx = G, the branch's own
 *       gradients are 0, d alpha = <G, F>
 *   LayerScale (Touvron 2021): d gamma_c = the sum of G_c F_c over all else;
 *       neither decays
 *   hyper-connections (Zhu 2024, Xie 2025): which stream a site reads first
 *   gates that begin at sigmoid(b), blocks that begin as their shortcuts,
 *       spreads of weights */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

#define NETWORKS(X) X(rezero) X(layerscale) X(gate) X(deepnorm) X(gpt) \
    X(gamma) X(fixup) X(hyper) X(manifold)
#define DECLARED(name) extern const struct rnet_network fact_##name; \
    enum rnet_status fact_##name##_init(float *params, uint64_t seed);
NETWORKS(DECLARED)

enum { BATCH = 7, WIDTH = 33, ROWS = 3 * BATCH };
static int passed, failed;

static void expect(const char *what, double got, double want, double most)
{
    if (fabs(got - want) <= most) {
        passed++;
        return;
    }
    failed++;
    printf("%s is %.10g, not %.10g\n", what, got, want);
}

static struct rnet_entry entry_of(const struct rnet_network *net,
                                  const char *name)
{
    struct rnet_entry entry;
    if (rnet_tensor_find(net, name, &entry) != RNET_OK) {
        printf("%s has no %s\n", net->name, name);
        exit(1);
    }
    return entry;
}

static double spread_of(const struct rnet_network *net, const char *name)
{
    const struct rnet_tensor *tensor = entry_of(net, name).tensor;
    return (double)tensor->spread;
}

/* The sample at the network's own initial parameters. */
static void start(struct sample *sample, const struct rnet_network *net,
                  enum rnet_status init(float *params, uint64_t seed))
{
    sample_make(sample, net, BATCH, 1, 5);
    if (init(sample->params, 11) != RNET_OK)
        exit(1);
}

static double largest(const float *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)values[i]));
    return most;
}

/* F(x) = y - x where the scale is 1. */
static void branch_of(struct sample *sample, const struct rnet_entry *scale,
                      float *branch)
{
    const float *x = sample->input[0];
    float kept[WIDTH], ones[WIDTH];

    for (int i = 0; i < WIDTH; i++)
        ones[i] = 1;
    rnet_unpack(scale, sample->params, kept);
    rnet_pack(scale, sample->params, ones);
    sample_infer(sample);
    for (int i = 0; i < ROWS * WIDTH; i++)
        branch[i] = sample->output[0][i] - x[i];
    rnet_pack(scale, sample->params, kept);
}

/* G = dL/dy of the mean of squares, at y. */
static void gradient_of(const struct sample *sample, float *g)
{
    const float *target = sample->input[1];
    for (int i = 0; i < ROWS * WIDTH; i++)
        g[i] = 2 * (sample->output[0][i] - target[i]) / (ROWS * WIDTH);
}

static void rezero(void)
{
    static float branch[ROWS * WIDTH], g[ROWS * WIDTH];
    struct rnet_entry scale = entry_of(&fact_rezero, "alone.0.scale");
    static const char *const inner[] = { "alone.0.linear.0.weight",
        "alone.0.linear.0.bias", "alone.0.linear.1.weight",
        "alone.0.linear.1.bias" };
    struct sample sample;
    double product = 0, apart = 0;
    float alpha;

    start(&sample, &fact_rezero, fact_rezero_init);
    branch_of(&sample, &scale, branch);
    sample_train(&sample);
    gradient_of(&sample, g);
    for (int i = 0; i < ROWS * WIDTH; i++) {
        product += (double)(g[i] * branch[i]);
        apart = fmax(apart, fabs((double)(sample.input_grad[0][i] - g[i])));
    }
    rnet_unpack(&scale, sample.grads, &alpha);
    expect("ReZero's d alpha", (double)alpha, product, 1e-14);
    expect("whether it is 0", product == 0, 0, 0);
    expect("ReZero's dx - G", apart, 0, 1e-17);     /* rounding of G here */
    for (int i = 0; i < 4; i++) {
        struct rnet_entry entry = entry_of(&fact_rezero, inner[i]);
        expect(inner[i], largest(sample.grads + entry.offset,
                                 entry.tensor->floats), 0, 0);
    }
    expect("ReZero's decay", scale.tensor->decay, 0, 0);
    sample_free(&sample);
}

static void layerscale(void)
{
    static float branch[ROWS * WIDTH], g[ROWS * WIDTH];
    struct rnet_entry scale = entry_of(&fact_layerscale, "each.0.scale");
    struct sample sample;
    float gamma[WIDTH];

    start(&sample, &fact_layerscale, fact_layerscale_init);
    rnet_unpack(&scale, sample.params, gamma);
    expect("LayerScale's gamma", (double)gamma[WIDTH - 1], 1e-5, 1e-12);
    expect("LayerScale's decay", scale.tensor->decay, 0, 0);
    branch_of(&sample, &scale, branch);
    sample_train(&sample);
    gradient_of(&sample, g);
    rnet_unpack(&scale, sample.grads, gamma);
    for (int c = 0; c < WIDTH; c++) {
        double sum = 0;
        for (int row = 0; row < ROWS; row++)
            sum += (double)(g[row * WIDTH + c] * branch[row * WIDTH + c]);
        expect("LayerScale's d gamma", (double)gamma[c], sum, 1e-14);
    }
    sample_free(&sample);
}

/* y = by x at the first step */
static void begins_as(const struct rnet_network *net,
                      enum rnet_status init(float *params, uint64_t seed),
                      size_t count, double by, double most)
{
    struct sample sample;

    start(&sample, net, init);
    sample_infer(&sample);
    const float *x = sample.input[0], *y = sample.output[0];
    for (size_t i = 0; i < BATCH * count; i++)
        expect(net->name, (double)y[i], by * (double)x[i], most);
    sample_free(&sample);
}

/* Site k reads stream k mod 3: `on` for it, `off` for the others. */
static void reads_in_turn(const struct rnet_network *net,
                          enum rnet_status init(float *params, uint64_t seed),
                          double on, double off)
{
    struct sample sample;
    float read[3];
    char name[32];

    start(&sample, net, init);
    for (int k = 0; k < 10; k++) {
        snprintf(name, sizeof name, "stream.%d.read", k);
        struct rnet_entry entry = entry_of(net, name);
        rnet_unpack(&entry, sample.params, read);
        for (int i = 0; i < 3; i++)
            expect(name, (double)read[i], i == k % 3 ? on : off, 0);
    }
    sample_free(&sample);
}

int main(void)
{
    rezero();
    layerscale();
    reads_in_turn(&fact_hyper, fact_hyper_init, 1, 0);
    reads_in_turn(&fact_manifold, fact_manifold_init, 3, -3);
    begins_as(&fact_gate, fact_gate_init, 5, 1 - 1 / (1 + exp(6)), 1e-14);
    begins_as(&fact_deepnorm, fact_deepnorm_init, 32, 2.2134, 5e-4);
    begins_as(&fact_gamma, fact_gamma_init, 60, 1, 0);
    expect("beta", spread_of(&fact_deepnorm, "attention.0.out_proj.weight")
           / spread_of(&fact_deepnorm, "attention.0.q_proj.weight"), 0.3195,
           5e-5);
    expect("beta of values",
           spread_of(&fact_deepnorm, "attention.0.v_proj.weight")
           / spread_of(&fact_deepnorm, "attention.0.k_proj.weight"), 0.3195,
           5e-5);
    expect("GPT-2's projection", spread_of(&fact_gpt, "linear.1.weight"),
           0.02 / sqrt(12), 1e-9);
    expect("GPT-2's others", spread_of(&fact_gpt, "linear.0.weight"), 0.02,
           1e-9);
    expect("Fixup's first", spread_of(&fact_fixup,
                                      "fixup_basic.0.conv.0.weight"),
           sqrt(2.0 / (9 * 4)) / 4, 1e-7);
    expect("Fixup's last", spread_of(&fact_fixup,
                                     "fixup_basic.0.conv.1.weight"), 0, 0);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
