/* generate.c: writes random programs that rnetc accepts.
 *
 *     generate SEED [DIR]              DIR/SEED.rnet, and what it imports
 *     generate --pair KIND SEED [DIR]  two programs that give the same numbers,
 *                                      DIR/KINDSEEDa.rnet and ...b.rnet
 *     generate --census N              how many of N programs use what
 *     generate --knows                 the constructs it may use
 *
 * The same seed gives the same bytes on every machine.  The network is called
 * nSEED. */
#include "gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct options everything = { true, true, true, true, FORM_ANY };

static int write_file(const char *path, const struct text *text)
{
    FILE *file = fopen(path, "wb");

    if (!file || fwrite(text->bytes, 1, text->length, file) != text->length
        || fclose(file)) {
        perror(path);
        return 1;
    }
    return 0;
}

/* FOLDER/STEM.rnet, and FOLDER/STEM.blocks.rnet where blocks are imported. */
static int print_files(const struct program *program, struct style *style,
                       const char *folder, const char *stem)
{
    struct text main = { 0 }, other = { 0 };
    const char *import = draw_format("%s.blocks.rnet", stem);

    print_program(program, style, import, &main, &other);
    int failed = write_file(draw_format("%s/%s.rnet", folder, stem), &main);
    if (other.length && !failed)
        failed = write_file(draw_format("%s/%s", folder, import), &other);
    return failed;
}

static int write_program(uint64_t seed, const char *folder)
{
    struct program program;
    const char *stem = draw_format("%llu", (unsigned long long)seed);

    make_program(&program, seed, draw_format("n%s", stem), everything);
    struct style style = { .draw = program.gen.draw };
    style.odd = draw_chance(&style.draw, 30);
    int failed = print_files(&program, &style, folder, stem);
    draw_release();
    return failed;
}

/* ---- pairs ---- */

/* What the programs may have, and how the second is printed. */
static const struct pair {
    const char *kind;
    struct options options;
    struct style style;
} pairs[] = {
    { "unroll", { .batch = true, .curves = true }, { .unroll = true } },
    { "order", { .batch = true, .curves = true, .names = true,
                 .form = FORM_BRANCHES }, { .reorder = true } },
    { "identity", { .batch = true, .curves = true, .names = true },
      { .identities = true } },
    { "inline", { .batch = true, .form = FORM_BLOCKS },
      { .inlined = "inlined" } },
    { "checkpoint", { .batch = true, .curves = true, .names = true },
      { .no_checkpoint = true } },
    { "spelling", { .batch = true, .chance = true, .curves = true,
                    .names = true }, { .odd = true, .at_home = true } },
    /* compared with itself, its batch cut in two */
    { "batch", { .curves = true, .names = true }, { .odd = false } },
};

static const struct pair *find_pair(const char *kind)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (!strcmp(pairs[i].kind, kind))
            return &pairs[i];
    return NULL;
}

static int write_pair(const struct pair *pair, uint64_t seed,
                      const char *folder)
{
    int failed = 0;

    for (int i = 0; i < 2; i++) {
        struct program program;
        const char *stem = draw_format("%s%llu%c", pair->kind,
                                       (unsigned long long)seed, "ab"[i]);
        make_program(&program, seed, stem, pair->options);
        struct style style = i ? pair->style : (struct style) { .odd = false };
        style.draw = program.gen.draw;
        failed |= print_files(&program, &style, folder, stem);
        draw_release();
    }
    return failed;
}

/* ---- the program ---- */

static int census(int networks)
{
    for (int seed = 1; seed <= networks; seed++) {
        struct program program;
        make_program(&program, (uint64_t)seed, "n", everything);
        census_add(&program.gen);
        draw_release();
    }
    return census_print(networks) != 0;
}

int main(int count, char **argument)
{
    if (count == 2 && !strcmp(argument[1], "--knows")) {
        census_knows();
        return 0;
    }
    if (count == 3 && !strcmp(argument[1], "--census"))
        return census(atoi(argument[2]));
    if ((count == 4 || count == 5) && !strcmp(argument[1], "--pair")
        && find_pair(argument[2]))
        return write_pair(find_pair(argument[2]),
                          strtoull(argument[3], NULL, 10),
                          count == 5 ? argument[4] : ".");
    if ((count == 2 || count == 3) && argument[1][0] != '-')
        return write_program(strtoull(argument[1], NULL, 10),
                             count == 3 ? argument[2] : ".");
    fputs("usage: generate SEED [DIR] | --pair KIND SEED [DIR] | --census N "
          "| --knows\n", stderr);
    return 2;
}
