/* papers.h: papers that cite each other, each of a subject: from files, or
 * invented. */
#ifndef EXAMPLES_PAPERS_H
#define EXAMPLES_PAPERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rnet.h>

enum papers_part { PAPERS_OTHER, PAPERS_TRAIN, PAPERS_VAL, PAPERS_TEST };

struct papers {
    size_t count;
    float *words;               /* (count, words of the vocabulary): 1 / so many
                                   where the paper has the word */
    int32_t *subject;
    enum papers_part *part;
    struct rnet_graph cites;    /* both ways, each pair once: its own
                                   transposed */
};

/* `nodes` has a line a paper, "number subject part word word ...": numbers in
 * order from 0, part is train, val, test or none, words are below `words`,
 * subjects below `subjects`.  `edges` has a line a pair, "number number".
 * Lines that begin with # say nothing.  False with a line of English in
 * `error`, of `size` bytes. */
bool papers_read(struct papers *papers, const char *nodes, const char *edges,
                 size_t words, int32_t subjects, char *error, size_t size);

/* 2,500 papers that cite mostly their own subject, and have a few of its words
 * among many others: a stochastic block model with noisy features.  20 of a
 * subject to train with, 500 to validate, 1,000 to test. */
bool papers_invent(struct papers *papers, size_t words, int32_t subjects,
                   uint64_t seed);

void papers_free(struct papers *papers);

#endif
