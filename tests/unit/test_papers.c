/* test_papers.c: the papers of examples/train_graph: files as they should be
 * and as they should not, and those that are invented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../examples/papers.h"
#include "../../runtime/rnet_kernels.h"

enum { WORDS = 10, SUBJECTS = 3 };

static char nodes[] = "/tmp/rnet-papers-XXXXXX";
static char edges[] = "/tmp/rnet-citations-XXXXXX";

static int make_files(void **state)
{
    (void)state;
    int a = mkstemp(nodes), b = mkstemp(edges);
    return a < 0 || b < 0 || close(a) || close(b);
}

static int remove_files(void **state)
{
    (void)state;
    return remove(nodes) | remove(edges);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char good_nodes[] = "# number subject part words\n"
    "0 2 train 1 3 3\n1 0 val\n\n2 1 test 9\r\n3 2 none 0 5 6 7\n";
static const char good_edges[] = "0 1\n1 0\n# twice\n2 2\n3 1\n2 3 \n";

/* Both files, or the message about them. */
static const char *read_both(struct papers *papers, const char *of_nodes,
                             const char *of_edges)
{
    static char error[300];

    *error = 0;
    write_file(nodes, of_nodes);
    write_file(edges, of_edges);
    if (papers_read(papers, nodes, edges, WORDS, SUBJECTS, error,
                    sizeof error))
        return NULL;
    assert_null(papers->words);
    return strstr(error, ": ") ? strstr(error, ": ") + 2 : error;
}

static void files(void **state)
{
    static const int64_t offsets[] = { 0, 1, 3, 4, 6 };
    static const int32_t neighbours[] = { 1, 0, 3, 3, 1, 2 };
    struct papers p;

    (void)state;
    assert_null(read_both(&p, good_nodes, good_edges));
    assert_int_equal(p.count, 4);
    assert_int_equal(p.subject[2], 1);
    assert_int_equal(p.part[0], PAPERS_TRAIN);
    assert_int_equal(p.part[3], PAPERS_OTHER);
    assert_true(p.words[1] == 0.5f && p.words[3] == 0.5f && p.words[2] == 0);
    assert_true(p.words[WORDS] == 0);           /* a paper without words */
    assert_true(p.words[3 * WORDS + 7] == 0.25f);
    assert_memory_equal(p.cites.offsets, offsets, sizeof offsets);
    assert_memory_equal(p.cites.neighbours, neighbours, sizeof neighbours);
    assert_int_equal(rnet_check_graph(&p.cites, 4, 1), RNET_OK);
    papers_free(&p);
    assert_null(read_both(&p, "0 0 train 1", ""));
    assert_int_equal(p.cites.offsets[1], 0);
    papers_free(&p);
}

static void bad_files(void **state)
{
    static const struct { const char *nodes, *edges, *says; } rows[] = {
        { "", "", "there are no papers, or too many" },
        { "1 0 train 1\n", "", "papers are numbered" },
        { "0 3 train 1\n", "", "the subject is none" },
        { "0 -1 train 1\n", "", "the subject is none" },
        { "0 1 training 1\n", "", "after the subject comes" },
        { "0 1\n", "", "after the subject comes" },
        { "0 1 val 10\n", "", "a word is a number" },
        { "0 1 val 1 x\n", "", "a word is a number" },
        { good_nodes, "0 4\n", "a line is the numbers" },
        { good_nodes, "0 1 2\n", "a line is the numbers" },
        { good_nodes, "0\n", "a line is the numbers" },
    };
    struct papers p;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *error = read_both(&p, rows[i].nodes, rows[i].edges);
        assert_non_null(error);
        if (strncmp(error, rows[i].says, strlen(rows[i].says)))
            fail_msg("row %zu: %s", i, error);
    }
    char error[100];
    assert_false(papers_read(&p, "/nonexistent/nodes", edges, WORDS, SUBJECTS,
                             error, sizeof error));
    assert_non_null(strstr(error, "No such file"));
}

static void invented(void **state)
{
    size_t part[4] = { 0 }, own = 0;
    struct papers p;

    (void)state;
    assert_true(papers_invent(&p, 100, 7, 3));
    assert_int_equal(rnet_check_graph(&p.cites, p.count, 1), RNET_OK);
    for (size_t i = 0; i < p.count; i++) {
        part[p.part[i]]++;
        assert_in_range(p.subject[i], 0, 6);
        for (int64_t e = p.cites.offsets[i]; e < p.cites.offsets[i + 1]; e++)
            own += p.subject[p.cites.neighbours[e]] == p.subject[i];
    }
    assert_int_equal(part[PAPERS_TRAIN], 140);
    assert_int_equal(part[PAPERS_TEST], 1000);
    assert_true((double)own > 0.75 * (double)p.cites.offsets[p.count]);
    papers_free(&p);
    assert_true(papers_invent(&p, 1, 2, 3));
    papers_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),
        cmocka_unit_test(bad_files),
        cmocka_unit_test(invented),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
