/* census.c: which constructs programs used. */
#include "gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beside every layer: what the generator must use now and then. */
static const char *const constructs[] = {
    /* language */
    "+", "-", "* of values", "/ of values", "number beside value", "broadcast",
    "expression", "number by name", "knob", "if", "value as", "side line",
    "value used again", "layer as", "block as", "odd name", "axis",
    "block", "block in block", "block called again", "block of any shape",
    "chain as parameter", "chain as argument", "graph as argument", "input of a block", "group",
    "property in if", "sum of many", "concat of many",
    "repeat", "repeat as", "repeat in repeat", "repeat in block",
    "repeat once or never", "stage", "stage in repeat", "varying number",
    "checkpoint", "checkpoint repeat", "shared", "shared in repeat",
    "weight tied", "tied table", "library", "init", "init property",
    /* layers' arguments */
    "stride", "padding", "causal padding", "dilation", "groups", "depthwise",
    "output_padding", "pool all", "pool padding", "count_pad", "bilinear",
    "crop to a value", "affine", "gamma", "causal", "from", "lengths", "rope",
    "qk_norm", "grouped queries", "positions learned", "positions sine",
    "reverse", "aggregate sum", "aggregate mean", "aggregate symmetric",
    /* properties */
    "shortcut none", "shortcut identity", "shortcut projection",
    "shortcut projection(conv)", "shortcut projection(pad)",
    "shortcut projection(always)", "shortcut gated", "shortcut gated(highway)",
    "shortcut gated(exclusive)", "shortcut gated(shortcut)",
    "shortcut gated(gru)", "shortcut dense", "shortcut number",
    "shortcut chain", "norm layer", "norm rms", "norm batch", "norm group",
    "norm instance", "norm before", "norm after", "norm around",
    "norm before weights", "norm after weights", "scale number",
    "scale learned", "scale channel", "drop sample", "drop batch", "then",
    /* streams */
    "stream attention", "stream attention every", "stream weighted",
    "stream hyper", "stream hyper dynamic", "stream manifold",
    "stream reversible", "group in stream",
    /* ends */
    "input", "input int", "input graph", "output", "output of a side line",
    "several outputs", "several losses", "sum of losses", "loss times a number",
    "cross_entropy", "mse", "mae", "bce", "smoothing", "class weights",
    "row weights", "ignore",
};
enum { CONSTRUCTS = sizeof constructs / sizeof *constructs };

static int count[USED];

static const char *name_of(int row)
{
    return row < CONSTRUCTS ? constructs[row] : makers[row - CONSTRUCTS].name;
}

void mark(struct gen *g, const char *construct)
{
    for (int i = 0; i < CONSTRUCTS || makers[i - CONSTRUCTS].name; i++)
        if (!strcmp(name_of(i), construct)) {
            g->used[i] = true;
            return;
        }
    fprintf(stderr, "generate: '%s' is no row of census.c\n", construct);
    exit(2);
}

bool used(const struct gen *g, const char *construct)
{
    for (int i = 0; i < CONSTRUCTS || makers[i - CONSTRUCTS].name; i++)
        if (!strcmp(name_of(i), construct))
            return g->used[i];
    return false;
}

void census_add(const struct gen *g)
{
    for (int i = 0; i < USED; i++)
        count[i] += g->used[i];
}

int census_print(int networks)
{
    int never = 0;

    printf("%d networks\n", networks);
    for (int i = 0; i < CONSTRUCTS || makers[i - CONSTRUCTS].name; i++) {
        printf("%7d %s\n", count[i], name_of(i));
        never += count[i] == 0;
    }
    return never;
}

void census_knows(void)
{
    for (const struct maker *m = makers; m->name; m++)
        puts(m->name);
    for (int i = 0; i < CONSTRUCTS; i++)
        puts(constructs[i]);
}
