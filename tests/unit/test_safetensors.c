/* test_safetensors.c: round trips, and every kind of file that is not one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "small_network.h"

static char folder[] = "/tmp/rnet_safetensors_XXXXXX";
static char path[100], message[300];

/* A network of "a" [2] and "b" [1], as the hand-made files have them. */
static const struct rnet_tensor tiny_tensors[] = {
    { .name = "a", .groups = 1, .rank = 1, .shape = { 2 }, .floats = 16 },
    { .name = "b", .groups = 1, .rank = 1, .shape = { 1 }, .offset = 16,
      .floats = 16 } };
static const struct rnet_network tiny = {
    .version = RNET_VERSION, .name = "tiny", .param_floats = 32,
    .tensors = tiny_tensors, .tensor_rows = 2 };

/* ----------------------------------------------------------------- helpers */

static int count_files(void)
{
    DIR *files = opendir(folder);
    int count = 0;
    for (struct dirent *file; (file = readdir(files)); )
        count += file->d_name[0] != '.';
    closedir(files);
    return count;
}

static void write_bytes(const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static unsigned char *read_bytes(size_t *count)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *count = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*count + 1);
    assert_int_equal(fread(bytes, 1, *count, file), *count);
    fclose(file);
    return bytes;
}

/* Length, header, data: bytes 0, 1, 2, ... */
static void write_file(const char *header, size_t data_bytes)
{
    size_t length = strlen(header);
    unsigned char *bytes = malloc(8 + length + data_bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)length >> 8 * i);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < data_bytes; i++)
        bytes[8 + length + i] = (unsigned char)i;
    write_bytes(bytes, 8 + length + data_bytes);
    free(bytes);
}

/* Loads the tiny network; after a failure the parameters are as before and
 * there is a message. */
static enum rnet_status load_tiny(void)
{
    static float params[32], before[32];
    for (int i = 0; i < 32; i++)
        params[i] = before[i] = 77;
    memset(message, 0, sizeof message);
    enum rnet_status status = rnet_load(&tiny, params, path, message,
                                        sizeof message);
    if (status) {
        assert_memory_equal(params, before, sizeof params);
        assert_true(strlen(message) > strlen(path));
    } else {
        assert_true(params[2] == 0 && params[31] == 0);
        assert_string_equal(message, "");
    }
    return status;
}

/* ------------------------------------------------------------- round trips */

/* Parameters with something in every scalar and 0 in the padding. */
static float *some_params(void)
{
    float *params = rnet_alloc(PARAM_FLOATS), values[400];
    for (size_t n = 0; n < TENSORS; n++) {
        struct rnet_entry entry;
        rnet_tensor_at(&small, n, &entry);
        for (size_t i = 0; i < entry.size; i++)
            values[i] = (float)(n * 1000 + i + 1) / 7;
        rnet_pack(&entry, params, values);
    }
    return params;
}

static void test_round_trip(void **state)
{
    float *params = some_params(), *loaded = rnet_alloc(PARAM_FLOATS);
    (void)state;
    params[AT_BIAS] = -0.0f;
    params[AT_BIAS + 1] = INFINITY;
    params[AT_BIAS + 2] = 1e-45f;
    params[AT_BIAS + 3] = NAN;
    for (int again = 0; again < 2; again++) {
        for (int i = 0; i < PARAM_FLOATS; i++)
            loaded[i] = 5;
        assert_int_equal(rnet_save(&small, params, path, message,
                                   sizeof message), RNET_OK);
        assert_int_equal(rnet_load(&small, loaded, path, message,
                                   sizeof message), RNET_OK);
        assert_memory_equal(params, loaded, PARAM_FLOATS * sizeof *params);
        assert_int_equal(count_files(), 1);
    }
    rnet_free(params);
    rnet_free(loaded);
}

/* The bytes themselves. */
static void test_bytes(void **state)
{
    static const char wanted[] = "\xb0\0\0\0\0\0\0\0"
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
        "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}"
        "\0\0\x80\x3f" "\0\0\0\xc0" "\0\0\x40\x40";
    float *params = rnet_alloc(32);
    char text[sizeof wanted + 8];
    size_t count, header;
    (void)state;
    params[0] = 1;
    params[1] = -2;
    params[16] = 3;
    assert_int_equal(rnet_save(&tiny, params, path, NULL, 0), RNET_OK);
    unsigned char *bytes = read_bytes(&count);
    header = bytes[0];
    assert_int_equal(header % 8, 0);
    assert_int_equal(count, 8 + header + 12);
    memcpy(text, wanted, 8);
    text[0] = (char)header;
    memset(text + 8, ' ', header);
    memcpy(text + 8, wanted + 8, sizeof wanted - 1 - 8 - 12);
    memcpy(text + 8 + header, wanted + sizeof wanted - 1 - 12, 12);
    assert_memory_equal(bytes, text, count);
    free(bytes);
    rnet_free(params);
}

static void test_many_tensors(void **state)
{
    enum { COUNT = 40000 };
    struct rnet_tensor tensor = {
        .name = "residual.#.scale", .groups = 1, .rank = 1, .shape = { 1 },
        .floats = 16, .repeats = 2,
        .repeat = { { COUNT / 4, 64 }, { 4, 16 } },
        .index = { { 0, { 4, 1 } } } };
    struct rnet_network net = { .version = RNET_VERSION, .name = "many",
        .param_floats = 16 * COUNT, .tensors = &tensor, .tensor_rows = 1 };
    float *params = rnet_alloc(16 * COUNT), *loaded = rnet_alloc(16 * COUNT);
    (void)state;
    for (int i = 0; i < COUNT; i++)
        params[16 * i] = (float)i;
    assert_int_equal(rnet_save(&net, params, path, NULL, 0), RNET_OK);
    assert_int_equal(rnet_load(&net, loaded, path, NULL, 0), RNET_OK);
    assert_memory_equal(params, loaded, 16 * COUNT * sizeof *params);
    rnet_free(params);
    rnet_free(loaded);
}

/* ---------------------------------------------------------- broken files */

static void save_tiny(void)
{
    float *params = rnet_alloc(32);
    assert_int_equal(rnet_save(&tiny, params, path, NULL, 0), RNET_OK);
    rnet_free(params);
}

static void test_every_truncation(void **state)
{
    size_t count;
    (void)state;
    save_tiny();
    assert_int_equal(load_tiny(), RNET_OK);
    free(read_bytes(&count));
    assert_int_equal(truncate(path, (off_t)count + 1), 0);
    assert_int_equal(load_tiny(), RNET_BAD_FILE);
    assert_non_null(strstr(message, "bytes of data"));
    while (count > 0) {
        assert_int_equal(truncate(path, (off_t)--count), 0);
        assert_int_equal(load_tiny(), RNET_BAD_FILE);
    }
}

/* Every byte of length and header as every other byte: no crash, and nothing
 * loaded by halves (load_tiny sees to that). */
static void test_every_corruption(void **state)
{
    size_t count, refused = 0;
    (void)state;
    save_tiny();
    unsigned char *bytes = read_bytes(&count);
    int file = open(path, O_RDWR);
    for (size_t i = 0; i < count - 12; i++) {
        for (int k = 0; k < 256; k++) {
            const unsigned char wrong = (unsigned char)k;
            if (wrong == bytes[i])
                continue;
            assert_int_equal(pwrite(file, &wrong, 1, (off_t)i), 1);
            refused += load_tiny() != RNET_OK;
        }
        assert_int_equal(pwrite(file, bytes + i, 1, (off_t)i), 1);
    }
    /* what may change: characters of the metadata */
    assert_true(refused > (count - 12) * 255 * 9 / 10);
    assert_int_equal(load_tiny(), RNET_OK);
    close(file);
    free(bytes);
}

#define ITEM(name, type, shape, offsets) \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":[" shape "]," \
    "\"data_offsets\":[" offsets "]}"
#define A ITEM("a", "F32", "2", "0,8")
#define B ITEM("b", "F32", "1", "8,12")
#define BIG "18446744073709551616"
#define TWENTY "abcdefghijklmnopqrst"
#define LONG TWENTY TWENTY TWENTY TWENTY TWENTY TWENTY

static const struct {
    const char *header;
    int data_bytes;
    enum rnet_status status;
    const char *message;
} files[] = {
    /* good ones */
    { "{" A "," B "}", 12, RNET_OK, "" },
    { "{" B "," A "}   \n\t\r ", 12, RNET_OK, "" },
    { "{ \"a\" : { \"shape\" : [ 2 ] , \"data_offsets\" : [ 0 , 8 ] , "
      "\"dtype\" : \"F32\" } , " B " }", 12, RNET_OK, "" },
    { "{\"__metadata__\":{}," A "," B "}", 12, RNET_OK, "" },
    { "{" A ",\"__metadata__\":{\"x\":\"\\\"\\u00e9\\ud83d\\ude00\\n\","
      "\"y\":\"\"}," B "}", 12, RNET_OK, "" },
    { "{\"\\u0061\":{\"dtype\":\"F\\u0033\\u0032\",\"shape\":[2],"
      "\"data_offsets\":[0,8]}," B "}", 12, RNET_OK, "" },
    { "{" A "," B "," ITEM("bn.num_batches_tracked", "I64", "", "12,20") "}",
      20, RNET_OK, "" },
    { "{" ITEM("a", "F16", "2", "0,4") "," ITEM("b", "BF16", "1", "4,6") "}", 6,
      RNET_OK, "" },
    /* other tensors */
    { "{" A "}", 8, RNET_BAD_NAME, "'b' of network 'tiny' is missing" },
    { "{}", 0, RNET_BAD_NAME, "'a' of network 'tiny' is missing" },
    { "{" A "," B "," ITEM("c", "F32", "0", "12,12") "}", 12, RNET_BAD_NAME,
      "'c' is not in network 'tiny'" },
    { "{" A "," B "," ITEM("c\\u0000\\u001b[1m", "U8", "", "12,13") "}", 13,
      RNET_BAD_NAME, "'c??[1m' is not" },
    { "{" A "," B "," ITEM("a\\u0000", "U8", "", "12,13") "}", 13,
      RNET_BAD_NAME, "'a?' is not" },
    { "{" A "," B "," ITEM("x_num_batches_tracked", "I64", "", "12,20") "}",
      20, RNET_BAD_NAME, "'x_num_batches_tracked' is not" },
    { "{" A "," B "," ITEM("num_batches_tracked", "U8", "8", "12,20") "}", 20,
      RNET_BAD_NAME, "'num_batches_tracked' is not" },
    /* 124 bytes of a name are shown */
    { "{" A "," B "," ITEM(LONG "1234", "U8", "", "12,13") "}", 13,
      RNET_BAD_NAME, "'" LONG "1234' is not" },
    { "{" A "," B "," ITEM(LONG "12345", "U8", "", "12,13") "}", 13,
      RNET_BAD_NAME, "'" LONG "1234...' is not" },
    { "{" ITEM("a", "F32", "1,2", "0,8") "," B "}", 12, RNET_BAD_SHAPE,
      "'a' has shape [1, 2], but network 'tiny' needs [2]" },
    { "{" ITEM("a", "F32", "", "0,4") "," ITEM("b", "F32", "1", "4,8") "}", 8,
      RNET_BAD_SHAPE, "'a' has shape []" },
    { "{" ITEM("a", "F32", "1,1,1,1,1,1,1,1,1,2", "0,8") "," B "}", 12,
      RNET_BAD_SHAPE, "'a' has shape [1, 1, 1, 1, 1, 1, 1, 1, ...]" },
    { "{" ITEM("a", "F64", "2", "0,16") "," ITEM("b", "F32", "1", "16,20") "}",
      20, RNET_BAD_TYPE, "'a' has type F64" },
    { "{" ITEM("a", "I32", "2", "0,8") "," B "}", 12, RNET_BAD_TYPE,
      "'a' has type I32" },
    { "{" ITEM("a", "F31", "2", "0,8") "," B "}", 12, RNET_BAD_TYPE,
      "'a' has the unknown type 'F31'" },
    { "{" ITEM("a", "f32", "2", "0,8") "," B "}", 12, RNET_BAD_TYPE,
      "'a' has the unknown type 'f32'" },
    /* offsets and sizes */
    { "{" A "," ITEM("b", "F32", "1", "4,8") "}", 8, RNET_BAD_FILE,
      "'b' begins at 4, inside" },
    { "{" ITEM("b", "F32", "1", "0,4") "," A "}", 8, RNET_BAD_FILE,
      "begins at 0, inside" },
    { "{" A "," ITEM("b", "F32", "1", "12,16") "}", 16, RNET_BAD_FILE,
      "'b' begins at 12, after a gap from 8" },
    { "{" ITEM("a", "F32", "2", "4,12") "," ITEM("b", "F32", "1", "12,16") "}",
      16, RNET_BAD_FILE, "'a' begins at 4, after a gap from 0" },
    { "{" A "," B "}", 16, RNET_BAD_FILE, "16 bytes of data" },
    { "{" A "," B "}", 11, RNET_BAD_FILE, "cut short" },
    { "{}", 1, RNET_BAD_FILE, "1 bytes of data" },
    { "{" ITEM("a", "F32", "2", "8,0") "," B "}", 12, RNET_BAD_FILE,
      "'a', near byte" },
    { "{" ITEM("a", "F32", "2", "0,4") "," B "}", 12, RNET_BAD_FILE,
      "does not fit dtype and shape" },
    { "{" ITEM("a", "F32", "3", "0,8") "," B "}", 12, RNET_BAD_FILE,
      "does not fit dtype and shape" },
    { "{" ITEM("a", "F32", "4611686018427387906", "0,8") "," B "}", 12,
      RNET_BAD_FILE, "the shape is too large" },
    { "{" ITEM("a", "F32", "4294967296,4294967296", "0,8") "," B "}", 12,
      RNET_BAD_FILE, "the shape is too large" },
    { "{" ITEM("a", "F32", "4294967296,4294967296,0", "0,0") "," B "}", 12,
      RNET_BAD_FILE, "the shape is too large" },
    { "{" ITEM("a", "F32", BIG, "0,8") "," B "}", 12, RNET_BAD_FILE,
      "the number is too large" },
    { "{" ITEM("a", "F32", "2", "0," BIG "8") "," B "}", 12, RNET_BAD_FILE,
      "the number is too large" },
    { "{" ITEM("a", "F32", "2", "18446744073709551608,0") "," B "}", 12,
      RNET_BAD_FILE, "ends before it begins" },
    { "{" ITEM("a", "F32", "-2", "0,8") "," B "}", 12, RNET_BAD_FILE,
      "not negative" },
    { "{" ITEM("a", "F32", "2.0", "0,8") "," B "}", 12, RNET_BAD_FILE,
      "whole number" },
    { "{" ITEM("a", "F32", "2e0", "0,8") "," B "}", 12, RNET_BAD_FILE,
      "whole number" },
    { "{" ITEM("a", "F32", "02", "0,8") "," B "}", 12, RNET_BAD_FILE,
      "starts with 0" },
    { "{" ITEM("a", "F32", "2", "0,8,8") "," B "}", 12, RNET_BAD_FILE,
      "[begin, end]" },
    { "{" ITEM("a", "F32", "2", "8") "," B "}", 12, RNET_BAD_FILE,
      "[begin, end]" },
    { "{" ITEM("a", "F32", "2,", "0,8") "," B "}", 12, RNET_BAD_FILE,
      "a number" },
    { "{" ITEM("a", "F32", "\"2\"", "0,8") "," B "}", 12, RNET_BAD_FILE,
      "a number" },
    { "{" ITEM("a", "F32", "[[[[[[[[[[[[[[2", "0,8") "," B "}", 12,
      RNET_BAD_FILE, "a number" },
    /* keys */
    { "{" A "," B "," A "}", 12, RNET_BAD_FILE, "begins at 0, inside" },
    { "{" A "," B "," ITEM("a", "F32", "0", "12,12") "}", 12, RNET_BAD_FILE,
      "'a' stands there twice" },
    { "{" A "," B "," ITEM("\\u0061", "F32", "0", "12,12") "}", 12,
      RNET_BAD_FILE, "'a' stands there twice" },
    { "{\"__metadata__\":{},\"__metadata__\":{}," A "," B "}", 12,
      RNET_BAD_FILE, "__metadata__ stands there twice" },
    { "{\"__metadata__\":{\"x\":\"1\",\"y\":\"\",\"x\":\"2\"}," A "," B "}", 12,
      RNET_BAD_FILE, "__metadata__ has a key twice" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"shape\":[2],"
      "\"data_offsets\":[0,8]}," B "}", 12, RNET_BAD_FILE, "twice" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"offsets\":[0,8]}," B "}", 12,
      RNET_BAD_FILE, "unknown key" },
    { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}," B "}", 12, RNET_BAD_FILE,
      "missing" },
    { "{\"a\":{}," B "}", 12, RNET_BAD_FILE, "missing" },
    { "{\"__metadata__\":{\"x\":1}," A "," B "}", 12, RNET_BAD_FILE,
      "a string expected" },
    { "{\"__metadata__\":{\"x\":{\"y\":\"\"}}," A "," B "}", 12, RNET_BAD_FILE,
      "a string expected" },
    { "{\"__metadata__\":null," A "," B "}", 12, RNET_BAD_FILE,
      "__metadata__ is an object" },
    /* syntax */
    { "", 12, RNET_BAD_FILE, "does not start with '{'" },
    { " {" A "," B "}", 12, RNET_BAD_FILE, "does not start with '{'" },
    { "[" A "," B "]", 12, RNET_BAD_FILE, "does not start with '{'" },
    { "{" A "," B, 12, RNET_BAD_FILE, "',' or an end" },
    { "{" A "," B ",}", 12, RNET_BAD_FILE, "a string expected" },
    { "{," A "," B "}", 12, RNET_BAD_FILE, "a string expected" },
    { "{" A " " B "}", 12, RNET_BAD_FILE, "',' or an end" },
    { "{" A "," B "}}", 12, RNET_BAD_FILE, "something follows" },
    { "{" A "," B "} x", 12, RNET_BAD_FILE, "something follows" },
    { "{\"a\"{}," B "}", 12, RNET_BAD_FILE, "':' expected" },
    { "{\"a\":[]," B "}", 12, RNET_BAD_FILE, "a tensor is an object" },
    { "{'a':{}," B "}", 12, RNET_BAD_FILE, "a string expected" },
    { "{\"a", 12, RNET_BAD_FILE, "does not end" },
    { "{\"a\nb\":{}}", 12, RNET_BAD_FILE, "control character" },
    { "{\"a\\", 12, RNET_BAD_FILE, "bad escape" },
    { "{\"a\\x\":{}}", 12, RNET_BAD_FILE, "bad escape" },
    { "{\"a\\u12", 12, RNET_BAD_FILE, "bad \\u escape" },
    { "{\"a\\u12g4\":{}}", 12, RNET_BAD_FILE, "bad \\u escape" },
    { "{\"a\\ud83d\":{}}", 12, RNET_BAD_FILE, "bad \\u escape" },
    { "{\"a\\ud83d\\u0041\":{}}", 12, RNET_BAD_FILE, "bad \\u escape" },
    { "{\"a\\ude00\":{}}", 12, RNET_BAD_FILE, "bad \\u escape" },
    { "{\"a\xff\":{}}", 12, RNET_BAD_FILE, "invalid UTF-8" },
    { "{\"a\xc0\x80\":{}}", 12, RNET_BAD_FILE, "invalid UTF-8" },
    { "{\"a\xed\xa0\x80\":{}}", 12, RNET_BAD_FILE, "invalid UTF-8" },
    { "{\"a\xf4\x90\x80\x80\":{}}", 12, RNET_BAD_FILE, "invalid UTF-8" },
    { "{\"a\xe2\x82", 0, RNET_BAD_FILE, "invalid UTF-8" },
    { "{\"a\xc3(\":{}}", 12, RNET_BAD_FILE, "invalid UTF-8" },
    { "{\"a\xe2\x82(\":{}}", 12, RNET_BAD_FILE, "invalid UTF-8" },
    { "{\"a\xe2\x82\xac\xf0\x9f\x98\x80\":1}", 0, RNET_BAD_FILE, "an object" },
};

static void test_hand_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        write_file(files[i].header, (size_t)files[i].data_bytes);
        enum rnet_status status = load_tiny();
        if (status != files[i].status || !strstr(message, files[i].message))
            fail_msg("%s\ngives %d: %s", files[i].header, (int)status, message);
    }
}

/* Lengths of the header that lie, and nesting without end. */
static void test_lengths(void **state)
{
    static const char *const lengths[] = {
        "\xff\xff\xff\xff\xff\xff\xff\xff", "\xf8\xff\xff\xff\xff\xff\xff\xff",
        "\xf9\xff\xff\xff\xff\xff\xff\xff", "\0\0\0\0\0\0\0\x80",
        "\x01\xe1\xf5\x05\0\0\0\0", "\x0b\0\0\0\0\0\0\0", };
    char bytes[18] = "\0\0\0\0\0\0\0\0{}";
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memcpy(bytes, lengths[i], 8);
        write_bytes(bytes, sizeof bytes);
        assert_int_equal(load_tiny(), RNET_BAD_FILE);
        assert_non_null(strstr(message, "a header of"));
    }
    char *deep = malloc(2000001);
    memset(deep, '[', 2000000);
    deep[2000000] = '\0';
    memcpy(deep, "{\"a\":", 5);
    write_file(deep, 0);
    assert_int_equal(load_tiny(), RNET_BAD_FILE);
    memcpy(deep, "{\"__metadata__\":", 16);
    memset(deep + 16, '{', 2000000 - 16);
    write_file(deep, 0);
    assert_int_equal(load_tiny(), RNET_BAD_FILE);
    free(deep);
}

/* ------------------------------------------------------- other data types */

static void test_halves(void **state)
{
    enum { COUNT = 65536 };
    static const char header[] =
        "{" ITEM("a", "F16", "65536", "0,131072") ","
        ITEM("b", "BF16", "65536", "131072,262144") "}";
    const struct rnet_tensor tensors[] = {
        { .name = "a", .groups = 1, .rank = 1, .shape = { COUNT },
          .floats = COUNT },
        { .name = "b", .groups = 1, .rank = 1, .shape = { COUNT },
          .offset = COUNT, .floats = COUNT } };
    struct rnet_network net = { .version = RNET_VERSION, .name = "halves",
        .param_floats = 2 * COUNT, .tensors = tensors, .tensor_rows = 2 };
    float *params = rnet_alloc(2 * COUNT);
    size_t count;
    (void)state;
    write_file(header, 4 * COUNT);
    unsigned char *bytes = read_bytes(&count);
    for (unsigned i = 0; i < 2 * COUNT; i++) {
        bytes[count - 4 * COUNT + 2 * i] = (unsigned char)i;
        bytes[count - 4 * COUNT + 2 * i + 1] = (unsigned char)(i >> 8);
    }
    write_bytes(bytes, count);
    assert_int_equal(rnet_load(&net, params, path, NULL, 0), RNET_OK);
    for (int i = 0; i < COUNT; i++) {
        int exponent = i >> 10 & 31, fraction = i & 1023;
        double size = exponent ? ldexp(1024 + fraction, exponent - 25)
                               : ldexp(fraction, -24);
        double wanted = i & 0x8000 ? -size : size;
        uint32_t bits;
        if (exponent == 31 && fraction)
            assert_true(isnan(params[i]));
        else if (exponent == 31)
            assert_true(isinf(params[i]));
        else
            assert_true(params[i] == (float)wanted);
        assert_int_equal(!signbit(params[i]), !(i & 0x8000));
        memcpy(&bits, params + COUNT + i, 4);
        assert_int_equal(bits, (uint32_t)i << 16);
    }
    free(bytes);
    rnet_free(params);
}

/* ----------------------------------------------------- the file's troubles */

static void test_refusals(void **state)
{
    struct rnet_network other = tiny;
    float params[32] = { 0 };
    char tiny_message[10] = "xxxxxxxxx";
    (void)state;
    save_tiny();
    assert_int_equal(rnet_load(NULL, params, path, NULL, 0), RNET_NULL);
    assert_int_equal(rnet_load(&tiny, NULL, path, NULL, 0), RNET_NULL);
    assert_int_equal(rnet_load(&tiny, params, NULL, message, 9), RNET_NULL);
    assert_int_equal(rnet_save(&tiny, params, NULL, NULL, 0), RNET_NULL);
    other.version++;
    assert_int_equal(rnet_load(&other, params, path, NULL, 0),
                     RNET_BAD_VERSION);
    assert_int_equal(rnet_load(&tiny, params, folder, message, sizeof message),
                     RNET_IO);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(rnet_load(&tiny, params, "/nowhere/x", tiny_message,
                               sizeof tiny_message), RNET_IO);
    assert_int_equal(errno, ENOENT);
    assert_string_equal(tiny_message, "/nowhere/");
    assert_int_equal(rnet_save(&tiny, params, "/nowhere/x", message,
                               sizeof message), RNET_IO);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(rnet_save(&tiny, params, folder, message,
                               sizeof message), RNET_IO);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(count_files(), 1);
}

/* What is there and is no file is neither replaced nor waited for. */
static void test_pipe(void **state)
{
    char pipe[120];
    struct stat there;
    float params[32] = { 0 };
    (void)state;
    snprintf(pipe, sizeof pipe, "%s/pipe", folder);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    enum rnet_status saved = rnet_save(&tiny, params, pipe, NULL, 0);
    enum rnet_status loaded = rnet_load(&tiny, params, pipe, NULL, 0);
    stat(pipe, &there);
    unlink(pipe);
    assert_int_equal(saved, RNET_IO);
    assert_int_equal(loaded, RNET_IO);
    assert_true(S_ISFIFO(there.st_mode));
}

/* A disk that is full: the old file stays, and nothing else. */
static void test_full_disk(void **state)
{
    struct rlimit old, low = { 4096, 4096 };
    float *params = some_params();
    (void)state;
    save_tiny();
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    low.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &low);
    enum rnet_status status = rnet_save(&small, params, path, message,
                                        sizeof message);
    int number = errno;
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(status, RNET_IO);
    assert_int_equal(number, EFBIG);
    assert_non_null(strstr(message, "cannot write"));
    assert_int_equal(load_tiny(), RNET_OK);
    assert_int_equal(count_files(), 1);
    rnet_free(params);
}

/* Links are followed, permissions kept. */
static void test_link_and_mode(void **state)
{
    char link[120];
    struct stat there;
    float params[32] = { 0 };
    (void)state;
    save_tiny();
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(symlink(path, link), 0);
    params[0] = 3;
    assert_int_equal(rnet_save(&tiny, params, link, NULL, 0), RNET_OK);
    assert_int_equal(lstat(link, &there), 0);
    assert_true(S_ISLNK(there.st_mode));
    assert_int_equal(stat(path, &there), 0);
    assert_int_equal(there.st_mode & 0777, 0640);
    params[0] = 0;
    assert_int_equal(rnet_load(&tiny, params, path, NULL, 0), RNET_OK);
    assert_true(params[0] == 3);
    unlink(link);
}

/* A name without a folder lies in the current one. */
static void test_current_folder(void **state)
{
    float params[32] = { 0 };
    char *here = realpath(".", NULL);
    (void)state;
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(rnet_save(&tiny, params, "x", NULL, 0), RNET_OK);
    assert_int_equal(rnet_load(&tiny, params, "x", NULL, 0), RNET_OK);
    unlink("x");
    assert_int_equal(chdir(here), 0);
    free(here);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/w.safetensors", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_many_tensors),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_corruption),
        cmocka_unit_test(test_hand_made),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_link_and_mode),
        cmocka_unit_test(test_current_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
