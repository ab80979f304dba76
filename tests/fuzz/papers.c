/* papers.c: fuzz target: papers and who cites whom.  A line "--" ends the
 * first file and begins the second. */
#include "target.h"

#include "papers.h"

#include <string.h>

enum { WORDS = 7, SUBJECTS = 3, LARGEST = 1 << 16 };

static void check_graph(const struct rnet_graph *graph)
{
    fuzz_check(graph->offsets[0] == 0, "offsets begin at 0");
    for (long i = 0; i < graph->nodes; i++) {
        fuzz_check(graph->offsets[i] <= graph->offsets[i + 1],
                   "offsets ascend");
        for (int64_t k = graph->offsets[i]; k < graph->offsets[i + 1]; k++)
            fuzz_check(graph->neighbours[k] >= 0
                       && graph->neighbours[k] < graph->nodes
                       && graph->neighbours[k] != i, "neighbours are others");
    }
}

static void check_papers(const struct papers *papers)
{
    for (size_t i = 0; i < papers->count; i++) {
        fuzz_check(papers->subject[i] >= 0 && papers->subject[i] < SUBJECTS,
                   "subjects are known");
        for (int k = 0; k < WORDS; k++)
            fuzz_check(papers->words[i * WORDS + (size_t)k] <= 1,
                       "a row of words sums to 1");
    }
    check_graph(&papers->cites);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = size ? memmem(data, size, "--\n", 3) : NULL;
    const uint8_t *second = cut ? cut + 3 : data + size;
    size_t first = cut ? (size_t)(cut - data) : size;
    struct papers papers;
    char error[300] = "";

    if (size > LARGEST)
        return 0;
    if (papers_read(&papers, fuzz_file(0, data, first),
                    fuzz_file(1, second, (size_t)(data + size - second)),
                    WORDS, SUBJECTS, error, sizeof error)) {
        check_papers(&papers);
        papers_free(&papers);
        return 0;
    }
    fuzz_check(!papers.words && !papers.subject && !papers.count,
               "there is nothing to free");
    fuzz_check_message(error, sizeof error);
    return 0;
}
