/* words.h: names for the language model: read from a file, one a line, or
 * invented.  Letters are 1 to 26; a 0 ends each name. */
#ifndef EXAMPLES_WORDS_H
#define EXAMPLES_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_LETTERS 27
#define WORDS_LONGEST 30        /* letters of a name, its end not counted */

struct words {
    int32_t *text;              /* all names, each with its 0 */
    size_t *start;              /* of each in the text */
    size_t count, letters;      /* names; letters with the ends */
    double surprise;            /* invented: sum of -log p, in nats */
};

/* Of `count` invented names.  Two to four syllables of a consonant and a
 * vowel, at the end sometimes a consonant; all vowels of a name are front (e,
 * i, y) or all back (a, o, u), as in Finnish or Turkish: what the first is must
 * be remembered to the end. */
struct words words_invent(size_t count, uint64_t seed);
/* Whether it could have been invented; `name` ends with its 0. */
bool words_possible(const int32_t *name);

/* The file's names in lower case, those with other letters than a to z left
 * out, in an order by `seed`.  False, and nothing to free, when there are fewer
 * than 20. */
bool words_read(struct words *words, const char *path, uint64_t seed);
void words_free(struct words *words);

#endif
