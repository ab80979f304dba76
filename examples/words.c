/* words.c: names from a file, or invented. */
#include "words.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

static void *resized(void *memory, size_t bytes)
{
    memory = realloc(memory, bytes);
    if (!memory) {
        fputs("error: no memory for the names\n", stderr);
        exit(1);
    }
    return memory;
}

/* `name` ends with its 0. */
static void add(struct words *words, const int32_t *name)
{
    size_t length = 1;

    while (name[length - 1])
        length++;
    if (!(words->count & (words->count + 1))) {     /* grows by doubling */
        size_t names = 2 * words->count + 2;
        words->start = resized(words->start, names * sizeof *words->start);
        words->text = resized(words->text, names * (WORDS_LONGEST + 1)
                                               * sizeof *words->text);
    }
    words->start[words->count++] = words->letters;
    memcpy(words->text + words->letters, name, length * sizeof *name);
    words->letters += length;
}

void words_free(struct words *words)
{
    free(words->text);
    free(words->start);
    *words = (struct words) { 0 };
}

/* --------------------------------------------------------------- invented */

static const char consonants[] = "bdghklmnprstv", ends[] = "nrs";
static const char *const vowels[] = { "eiy", "aou" };

static int32_t code(char letter) { return letter - 'a' + 1; }

/* One of the letters; *surprise grows by -log of its probability. */
static int32_t pick(struct random *random, const char *letters,
                    double *surprise)
{
    uint32_t count = (uint32_t)strlen(letters);

    *surprise += log(count);
    return code(letters[random_below(random, count)]);
}

static double invent(int32_t *name, struct random *random)
{
    double surprise = log(2) + log(3) + log(2);     /* of the three choices */
    const char *vowel = vowels[random_below(random, 2)];
    uint32_t syllables = 2 + random_below(random, 3);

    while (syllables--) {
        *name++ = pick(random, consonants, &surprise);
        *name++ = pick(random, vowel, &surprise);
    }
    if (random_below(random, 2))
        *name++ = pick(random, ends, &surprise);
    *name = 0;
    return surprise;
}

struct words words_invent(size_t count, uint64_t seed)
{
    struct words words = { 0 };
    struct random random = { seed };
    int32_t name[WORDS_LONGEST + 1];

    while (words.count < count) {
        words.surprise += invent(name, &random);
        add(&words, name);
    }
    return words;
}

static bool is_one(int32_t letter, const char *of)
{
    return letter > 0 && strchr(of, letter - 1 + 'a');
}

bool words_possible(const int32_t *name)
{
    const char *vowel = vowels[name[0] && is_one(name[1], vowels[1])];
    int syllables = 0;

    while (is_one(name[0], consonants) && is_one(name[1], vowel)) {
        name += 2;
        syllables++;
    }
    if (is_one(name[0], ends))
        name++;
    return !name[0] && syllables >= 2 && syllables <= 4;
}

/* ------------------------------------------------------------ from a file */

/* False when the line is no name. */
static bool read_name(const char *line, int32_t *name)
{
    int length = 0;

    for (; *line && !isspace((unsigned char)*line); line++) {
        int letter = tolower((unsigned char)*line);
        if (letter < 'a' || letter > 'z' || length == WORDS_LONGEST)
            return false;
        name[length++] = code((char)letter);
    }
    name[length] = 0;
    return length > 0;
}

/* Fisher and Yates. */
static void shuffle(struct words *words, uint64_t seed)
{
    struct random random = { seed };

    for (size_t i = words->count; i > 1; i--) {
        size_t j = random_below(&random, (uint32_t)i);
        size_t start = words->start[i - 1];
        words->start[i - 1] = words->start[j];
        words->start[j] = start;
    }
}

bool words_read(struct words *words, const char *path, uint64_t seed)
{
    int32_t name[WORDS_LONGEST + 1];
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;

    *words = (struct words) { 0 };
    while (file && getline(&line, &size, file) >= 0)
        if (read_name(line, name))
            add(words, name);
    free(line);
    bool good = file && feof(file) && words->count >= 20;
    if (file)
        fclose(file);
    if (good)
        shuffle(words, seed);
    else
        words_free(words);
    return good;
}
