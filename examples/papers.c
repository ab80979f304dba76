/* papers.c: see papers.h. */
#include "papers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

/* Where a reader is, and what it says when it fails. */
struct reader {
    const char *path;
    FILE *file;
    char *line;
    size_t room;
    long number;                /* of the line */
    bool broken;                /* the lines ended before the file */
    char *error;
    size_t size;
};

/* Pairs of papers, a word each: the smaller number above the larger. */
struct pairs { uint64_t *pair; size_t count, room; };

static bool fail(struct reader *r, const char *why)
{
    if (r->number)
        snprintf(r->error, r->size, "%s:%ld: %s", r->path, r->number, why);
    else
        snprintf(r->error, r->size, "%s: %s", r->path, why);
    return false;
}

static bool reader_open(struct reader *r, const char *path)
{
    r->path = path;
    r->number = 0;
    r->broken = false;
    r->file = fopen(path, "r");
    return r->file || fail(r, strerror(errno));
}

static void reader_close(struct reader *r)
{
    if (r->file)
        fclose(r->file);
    free(r->line);
    r->file = NULL;
    r->line = NULL;
    r->room = 0;
}

/* The next line that says something. */
static bool next_line(struct reader *r)
{
    do {
        if (getline(&r->line, &r->room, r->file) < 0) {
            r->broken = !feof(r->file);
            return false;
        }
        r->number++;
    } while (*r->line == '#' || *r->line == '\n');
    return true;
}

/* A number from 0 to below `end`; moves on behind it. */
static bool number(const char **at, size_t end, size_t *n)
{
    char *behind;
    unsigned long value = strtoul(*at, &behind, 10);

    if (behind == *at || value >= end || strchr(*at, '-') == *at)
        return false;
    *at = behind;
    *n = value;
    return true;
}

static bool at_end(const char *at)
{
    return at[strspn(at, " \t\r\n")] == 0;
}

/* ------------------------------------------------------------------ memory */

static bool papers_room(struct papers *papers, size_t count, size_t words)
{
    *papers = (struct papers) {
        .count = count, .words = rnet_alloc(count * words),
        .subject = calloc(count + 1, sizeof *papers->subject),
        .part = calloc(count + 1, sizeof *papers->part),
        .cites = { .nodes = (long)count }
    };
    return papers->words && papers->subject && papers->part;
}

void papers_free(struct papers *papers)
{
    rnet_free(papers->words);
    free(papers->subject);
    free(papers->part);
    free((void *)papers->cites.offsets);
    free((void *)papers->cites.neighbours);
    *papers = (struct papers) { 0 };
}

/* Rows of words sum to 1, as Kipf & Welling have it. */
static void share(float *words, size_t count)
{
    float sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += words[i];
    for (size_t i = 0; i < count && sum > 0; i++)
        words[i] /= sum;
}

/* ------------------------------------------------------------------- graph */

/* Itself is no neighbour: the network adds that. */
static bool add_pair(struct pairs *pairs, size_t a, size_t b)
{
    if (a == b)
        return true;
    if (pairs->count == pairs->room) {
        pairs->room = pairs->room ? 2 * pairs->room : 4096;
        uint64_t *pair = realloc(pairs->pair, pairs->room * sizeof *pair);
        if (!pair)
            return false;
        pairs->pair = pair;
    }
    pairs->pair[pairs->count++] = a < b ? (uint64_t)a << 32 | b
                                        : (uint64_t)b << 32 | a;
    return true;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Each pair once, in order. */
static void sort_pairs(struct pairs *pairs)
{
    size_t kept = 0;

    if (pairs->count)
        qsort(pairs->pair, pairs->count, sizeof *pairs->pair, by_value);
    for (size_t i = 0; i < pairs->count; i++)
        if (!kept || pairs->pair[kept - 1] != pairs->pair[i])
            pairs->pair[kept++] = pairs->pair[i];
    pairs->count = kept;
}

/* The graph of the pairs, both ways: how many neighbours each has, where they
 * begin, and then they themselves. */
static bool make_graph(struct papers *papers, struct pairs *pairs)
{
    int64_t *offsets = calloc(papers->count + 2, sizeof *offsets);
    int32_t *neighbours = calloc(2 * pairs->count + 1, sizeof *neighbours);

    papers->cites.offsets = offsets;
    papers->cites.neighbours = neighbours;
    if (!offsets || !neighbours)
        return false;
    sort_pairs(pairs);
    for (size_t i = 0; i < pairs->count; i++) {
        offsets[(pairs->pair[i] >> 32) + 2]++;
        offsets[(pairs->pair[i] & UINT32_MAX) + 2]++;
    }
    for (size_t i = 2; i <= papers->count; i++)
        offsets[i] += offsets[i - 1];
    for (size_t i = 0; i < pairs->count; i++) {
        uint64_t a = pairs->pair[i] >> 32, b = pairs->pair[i] & UINT32_MAX;

        neighbours[offsets[a + 1]++] = (int32_t)b;
        neighbours[offsets[b + 1]++] = (int32_t)a;
    }
    papers->cites.transposed = &papers->cites;
    return true;
}

/* ------------------------------------------------------------------- files */

/* "train" */
static bool read_part(const char **at, enum papers_part *part)
{
    static const char *const words[] = { "none", "train", "val", "test" };

    *at += strspn(*at, " \t");
    size_t length = strcspn(*at, " \t\r\n");
    for (int i = 0; i < 4; i++)
        if (strlen(words[i]) == length && !strncmp(words[i], *at, length)) {
            *part = (enum papers_part)i;
            *at += length;
            return true;
        }
    return false;
}

static bool read_paper(struct reader *r, struct papers *papers, size_t i,
                       size_t words, int32_t subjects)
{
    const char *at = r->line;
    float *row = papers->words + i * words;
    size_t n;

    if (!number(&at, SIZE_MAX, &n) || n != i)
        return fail(r, "papers are numbered 0, 1, 2, ... in order");
    if (!number(&at, (size_t)subjects, &n))
        return fail(r, "the subject is none that the network knows: see -D "
                    "subjects=N");
    papers->subject[i] = (int32_t)n;
    if (!read_part(&at, &papers->part[i]))
        return fail(r, "after the subject comes train, val, test or none");
    while (number(&at, words, &n))
        row[n] = 1;
    share(row, words);
    return at_end(at) || fail(r, "a word is a number that the network knows: "
                              "see -D words=N");
}

static const char unreadable[] = "the file cannot be read to its end";

static size_t count_lines(struct reader *r)
{
    size_t count = 0;

    while (next_line(r))
        count++;
    rewind(r->file);
    r->number = 0;
    return count;
}

static bool read_nodes(struct reader *r, struct papers *papers,
                       const char *path, size_t words, int32_t subjects)
{
    if (!reader_open(r, path))
        return false;
    size_t count = count_lines(r);
    if (r->broken)
        return fail(r, unreadable);
    if (count == 0 || count > INT32_MAX)
        return fail(r, "there are no papers, or too many");
    if (!papers_room(papers, count, words))
        return fail(r, "no memory");
    for (size_t i = 0; i < count; i++)
        if (!next_line(r))
            return fail(r, unreadable);
        else if (!read_paper(r, papers, i, words, subjects))
            return false;
    return true;
}

static bool read_edges(struct reader *r, struct papers *papers,
                       const char *path, struct pairs *pairs)
{
    size_t a, b;

    if (!reader_open(r, path))
        return false;
    while (next_line(r)) {
        const char *at = r->line;
        if (!number(&at, papers->count, &a) || !number(&at, papers->count, &b)
            || !at_end(at))
            return fail(r, "a line is the numbers of two papers");
        if (!add_pair(pairs, a, b))
            return fail(r, "no memory");
    }
    if (r->broken)
        return fail(r, unreadable);
    return make_graph(papers, pairs) || fail(r, "no memory");
}

bool papers_read(struct papers *papers, const char *nodes, const char *edges,
                 size_t words, int32_t subjects, char *error, size_t size)
{
    struct reader r = { .error = error, .size = size };
    struct pairs pairs = { 0 };

    *papers = (struct papers) { 0 };
    bool good = read_nodes(&r, papers, nodes, words, subjects);
    reader_close(&r);
    good = good && read_edges(&r, papers, edges, &pairs);
    reader_close(&r);
    free(pairs.pair);
    if (!good)
        papers_free(papers);
    return good;
}

/* ---------------------------------------------------------------- invented */

enum { INVENTED = 2500, WORDS = 20, CITES = 2, TRAIN = 20, VAL = 500,
       TEST = 1000 };

/* One word in five is of the subject: each has a slice of the vocabulary. */
static void invent_words(struct papers *papers, size_t i, size_t words,
                         int32_t subjects, struct random *random)
{
    float *row = papers->words + i * words;
    size_t slice = words / (size_t)subjects;

    for (int k = 0; k < WORDS; k++) {
        uint32_t any = random_below(random, (uint32_t)words);
        uint32_t own = random_below(random, (uint32_t)(slice ? slice : 1))
            + (uint32_t)((size_t)papers->subject[i] * slice);
        row[random_below(random, 5) ? any : own] = 1;
    }
    share(row, words);
}

/* Four in five of what a paper cites are of its own subject: subjects go round
 * with the numbers. */
static bool invent_cites(struct pairs *pairs, size_t i, int32_t subjects,
                         struct random *random)
{
    for (int k = 0; k < CITES; k++) {
        size_t other = random_below(random, INVENTED);
        if (random_below(random, 5))
            other += (i + (size_t)subjects - other % (size_t)subjects)
                     % (size_t)subjects;
        if (!add_pair(pairs, i, other < INVENTED ? other : i))
            return false;
    }
    return true;
}

bool papers_invent(struct papers *papers, size_t words, int32_t subjects,
                   uint64_t seed)
{
    struct random random = { seed };
    struct pairs pairs = { 0 };
    size_t train = TRAIN * (size_t)subjects;
    bool good = papers_room(papers, INVENTED, words);

    for (size_t i = 0; good && i < INVENTED; i++) {
        papers->subject[i] = (int32_t)(i % (size_t)subjects);
        papers->part[i] = i < train ? PAPERS_TRAIN
            : i < train + VAL ? PAPERS_VAL
            : i < train + VAL + TEST ? PAPERS_TEST : PAPERS_OTHER;
        invent_words(papers, i, words, subjects, &random);
        good = invent_cites(&pairs, i, subjects, &random);
    }
    good = good && make_graph(papers, &pairs);
    free(pairs.pair);
    if (!good)
        papers_free(papers);
    return good;
}
