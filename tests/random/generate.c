/* generate.c: writes random programs that rnetc accepts.
 *
 *     generate SEED [DIR]              DIR/SEED.rnet, and what it imports
 *     generate --census N              how many of N programs use what
 *     generate --knows                 the constructs it may use
 *
 * The same seed gives the same bytes on every machine.  The network is called
 * nSEED. */
#include "gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct options everything = { true, true, true };

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

static int write_program(uint64_t seed, const char *folder)
{
    struct program program;
    struct text main = { 0 }, other = { 0 };
    const char *name = draw_format("n%llu", (unsigned long long)seed);
    const char *import = draw_format("%llu.blocks.rnet",
                                     (unsigned long long)seed);

    make_program(&program, seed, name, everything);
    struct style style = { .draw = program.gen.draw };
    style.odd = draw_chance(&style.draw, 30);
    print_program(&program, &style, import, &main, &other);
    int failed = write_file(draw_format("%s/%llu.rnet", folder,
                                        (unsigned long long)seed), &main);
    if (other.length && !failed)
        failed = write_file(draw_format("%s/%s", folder, import), &other);
    draw_release();
    return failed;
}

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
    if ((count == 2 || count == 3) && argument[1][0] != '-')
        return write_program(strtoull(argument[1], NULL, 10),
                             count == 3 ? argument[2] : ".");
    fputs("usage: generate SEED [DIR] | --census N | --knows\n", stderr);
    return 2;
}
