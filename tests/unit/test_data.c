/* The examples' data: IDX files, good and bad, and drawn digits.  Needs
 * examples/data.c and examples/glyphs.c, zlib. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "../../examples/data.h"
#include "../../examples/glyphs.h"

#define CLASSES 10

static char folder[64];

static char *path_of(const char *name)
{
    static char paths[4][160];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/rnet-data-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(path_of(name), "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void write_gzip(const char *name, const void *bytes, size_t size)
{
    gzFile file = gzopen(path_of(name), "wb");

    assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    gzclose(file);
}

/* Three images of 2x2: pixels 0, 10, 20, ...; labels 7, 8, 9. */
static const uint8_t images[] = { 0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2,
                                  0, 0, 0, 2, 0, 10, 20, 30, 40, 50, 60, 70,
                                  80, 90, 100, 110 };
static const uint8_t labels[] = { 0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9 };

static void write_pair(void)
{
    write_file("images", images, sizeof images);
    write_file("labels", labels, sizeof labels);
}

/* Reading must fail, leave nothing behind, and say `why`. */
static void expect_failure(const char *why)
{
    struct data_set set;
    struct data_error error = { "" };

    assert_false(data_read(&set, path_of("images"), path_of("labels"), CLASSES,
                           &error));
    if (!strstr(error.text, why))
        fail_msg("\"%s\" does not say \"%s\"", error.text, why);
    assert_null(set.images);
    assert_null(set.labels);
    assert_int_equal(set.count, 0);
}

static void check_pair(const struct data_set *set)
{
    assert_int_equal(set->count, 3);
    assert_int_equal(set->rows, 2);
    assert_int_equal(set->columns, 2);
    assert_memory_equal(set->images, images + 16, 12);
    assert_memory_equal(set->labels, labels + 8, 3);
}

static void test_plain_and_gzipped(void **state)
{
    struct data_set set;
    struct data_error error;

    (void)state;
    write_pair();
    assert_true(data_read(&set, path_of("images"), path_of("labels"), CLASSES,
                          &error));
    check_pair(&set);
    data_free(&set);
    write_gzip("images", images, sizeof images);
    write_gzip("labels", labels, sizeof labels);
    assert_true(data_read(&set, path_of("images"), path_of("labels"), CLASSES,
                          &error));
    check_pair(&set);
    data_free(&set);
    assert_true(data_read(&set, path_of("images"), NULL, CLASSES, &error));
    assert_null(set.labels);
    data_free(&set);
}

static void test_every_truncation(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof images; size++) {
        write_pair();
        write_file("images", images, size);
        expect_failure("the file is truncated");
    }
    for (size_t size = 0; size < sizeof labels; size++) {
        write_pair();
        write_file("labels", labels, size);
        expect_failure("the file is truncated");
    }
}

/* A gzipped file cut anywhere, its check sum included, is refused. */
static void test_truncated_gzip(void **state)
{
    uint8_t packed[128];

    (void)state;
    write_gzip("packed", images, sizeof images);
    FILE *file = fopen(path_of("packed"), "rb");
    size_t size = fread(packed, 1, sizeof packed, file);
    fclose(file);
    for (size_t cut = 0; cut < size; cut++) {
        write_pair();
        write_file("images", packed, cut);
        expect_failure(cut > 2 ? "the file is truncated" : "images: ");
    }
    packed[size - 8] ^= 1;                      /* the check sum */
    write_file("images", packed, size);
    expect_failure("damaged gzip data");
}

static void test_wrong_magic(void **state)
{
    uint8_t bad[sizeof images];

    (void)state;
    write_pair();
    memcpy(bad, images, sizeof bad);
    bad[2] = 0x0d;                              /* floats */
    write_file("images", bad, sizeof bad);
    expect_failure("not an IDX file of images: it starts with 0x00000d03");
    write_file("images", labels, sizeof labels);
    expect_failure("it is a file of labels");
    write_pair();
    write_file("labels", images, sizeof images);
    expect_failure("it is a file of images");
}

static void test_sizes(void **state)
{
    uint8_t bad[sizeof images + 1] = { 0 };

    (void)state;
    write_pair();
    memcpy(bad, images, sizeof images);
    write_file("images", bad, sizeof bad);
    expect_failure("longer than its header says");
    memset(bad + 4, 0xff, 12);
    write_file("images", bad, sizeof bad);
    expect_failure("the header promises more than");
    memcpy(bad + 4, "\x3f\xff\xff\xff\0\0\0\1\0\0\0\1", 12);
    write_file("images", bad, sizeof images);
    expect_failure("the file is truncated");
    memcpy(bad + 4, "\0\0\0\3\0\0\0\0\0\0\0\2", 12);
    write_file("images", bad, sizeof images);
    expect_failure("axis 1 is empty");
}

static void test_bad_labels(void **state)
{
    uint8_t bad[sizeof labels];

    (void)state;
    write_pair();
    memcpy(bad, labels, sizeof bad);
    bad[9] = 10;
    write_file("labels", bad, sizeof bad);
    expect_failure("label 1 is 10; there are 10 classes");
    memcpy(bad, labels, sizeof bad);
    bad[7] = 2;
    write_file("labels", bad, sizeof bad - 1);
    expect_failure("2 labels for 3 images");
}

static void test_missing(void **state)
{
    struct data_set train, test;
    struct data_error error;

    (void)state;
    write_pair();
    unlink(path_of("labels"));
    expect_failure("labels: No such file or directory");
    assert_false(data_read_folder(&train, &test, folder, CLASSES, &error));
    assert_non_null(strstr(error.text, "no file train-images-idx3-ubyte or "));
    assert_null(train.images);
    assert_null(test.images);
}

static void expect_counts_failure(const char *text, const char *why)
{
    struct data_set set;
    struct data_error error;

    write_file("counts", (const uint8_t *)text, strlen(text));
    assert_false(data_read_counts(&set, path_of("counts"), CLASSES, &error));
    assert_non_null(strstr(error.text, why));
    assert_null(set.images);
}

static void test_counts(void **state)
{
    static const char good[] = "# two images\n0,16,8,1,3\n\n4,4,4,4,9\r\n";
    struct data_set set;
    struct data_error error;

    (void)state;
    write_gzip("counts", (const uint8_t *)good, sizeof good - 1);
    assert_true(data_read_counts(&set, path_of("counts"), CLASSES, &error));
    assert_int_equal(set.count, 2);
    assert_int_equal(set.rows, 2);
    assert_int_equal(set.images[1], 255);
    assert_int_equal(set.images[2], 127);
    assert_int_equal(set.labels[1], 9);
    data_free(&set);
    expect_counts_failure("", "holds no images");
    expect_counts_failure("0,1,2,3\n", "line 1 is not a square");
    expect_counts_failure("0,1,2,3,x\n", "line 1 is not a square");
    expect_counts_failure("0,1,2,3,4\n0,1\n", "line 2 is not a square");
    expect_counts_failure("0,1,2,17,4\n", "line 1 has a count above 16");
    expect_counts_failure("0,1,2,3,10\n", "not below 10");
    expect_counts_failure("0,1,2,3,-1\n", "not below 10");
}

static void test_folder(void **state)
{
    struct data_set train, test;
    struct data_error error;

    (void)state;
    write_gzip("train-images-idx3-ubyte.gz", images, sizeof images);
    write_file("train-labels-idx1-ubyte", labels, sizeof labels);
    write_file("t10k-images-idx3-ubyte", images, sizeof images);
    write_gzip("t10k-labels-idx1-ubyte.gz", labels, sizeof labels);
    assert_true(data_read_folder(&train, &test, folder, CLASSES, &error));
    check_pair(&train);
    check_pair(&test);
    data_free(&train);
    data_free(&test);
}

static void test_batches(void **state)
{
    uint8_t pixels[] = { 0, 255, 1, 254 }, classes[] = { 3, 4, 5, 6 };
    struct data_set set = { 4, 1, 1, pixels, classes };
    uint32_t order[] = { 2, 0 };
    float batch[3] = { -9, -9, -9 };
    int32_t label[3] = { -9, -9, -9 };

    (void)state;
    data_batch(&set, order, 0, 2, batch, label);
    assert_int_equal(label[0], 5);
    assert_int_equal(label[1], 3);
    assert_true(batch[0] > batch[1]);
    assert_true(batch[2] == -9);
    assert_int_equal(label[2], -9);
    data_batch(&set, NULL, 1, 3, batch, NULL);
    assert_true(batch[0] > 1 && batch[1] < 0 && batch[2] > 1);
}

static void test_shuffle(void **state)
{
    uint32_t order[100], again[100];
    bool seen[100] = { false };
    int moved = 0;

    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        order[i] = again[i] = i;
    data_shuffle(order, 100, 5);
    data_shuffle(again, 100, 5);
    assert_memory_equal(order, again, sizeof order);
    for (int i = 0; i < 100; i++) {
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
        moved += order[i] != (uint32_t)i;
    }
    assert_true(moved > 80);
}

static void test_glyphs(void **state)
{
    struct data_set a, b, other;
    size_t size = 200 * GLYPHS_SIDE * GLYPHS_SIDE, ink = 0;

    (void)state;
    assert_true(glyphs_make(&a, 200, 7));
    assert_true(glyphs_make(&b, 200, 7));
    assert_true(glyphs_make(&other, 200, 8));
    assert_memory_equal(a.images, b.images, size);
    assert_memory_equal(a.labels, b.labels, 200);
    assert_memory_not_equal(a.images, other.images, size);
    for (int i = 0; i < 200; i++)
        assert_int_equal(a.labels[i], i % GLYPHS_CLASSES);
    for (size_t i = 0; i < size; i++)
        ink += a.images[i] > 200;
    assert_in_range(ink, size / 50, size / 4);
    data_free(&a);
    data_free(&b);
    data_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_gzipped),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_truncated_gzip),
        cmocka_unit_test(test_wrong_magic),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_bad_labels),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_shuffle),
        cmocka_unit_test(test_glyphs),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
