/* data.c: see data.h.
 *
 * An IDX file is a magic number, 0x08 for unsigned bytes and the number of
 * axes; the length of each axis; and the bytes: big-endian 32-bit numbers.
 * zlib's gzread passes through what is not gzipped, so one reader does both. */
#include "data.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "random.h"

#define IMAGES_MAGIC 0x803u
#define LABELS_MAGIC 0x801u
#define LARGEST_FILE ((uint64_t)1 << 30)
#define FIRST_CHUNK  ((size_t)1 << 20)

/* Grey of typical images of this kind, and its spread, in [0, 1]. */
#define GREY_MEAN   0.25f
#define GREY_SPREAD 0.33f

struct idx_file {
    gzFile file;
    const char *path;
    struct data_error *error;
    uint64_t axes[3];
};

__attribute__((format(printf, 2, 3)))
static bool fail(struct data_error *error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}

bool data_alloc(struct data_set *set, size_t count, size_t rows,
                size_t columns)
{
    *set = (struct data_set){ count, rows, columns, NULL, NULL };
    set->images = calloc(count, rows * columns);
    set->labels = calloc(count, 1);
    if (set->images && set->labels)
        return true;
    data_free(set);
    return false;
}

void data_free(struct data_set *set)
{
    free(set->images);
    free(set->labels);
    *set = (struct data_set){ 0 };
}

/* Why the file gave fewer bytes than asked for: damaged, or just short. */
static bool fail_read(struct idx_file *idx)
{
    int code;
    const char *text = gzerror(idx->file, &code);

    if (code == Z_ERRNO)
        return fail(idx->error, "%s: %s", idx->path, strerror(errno));
    if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR)
        return fail(idx->error, "%s: the file is truncated", idx->path);
    return fail(idx->error, "%s: damaged gzip data (%s)", idx->path, text);
}

static bool read_exactly(struct idx_file *idx, void *bytes, size_t count)
{
    int got = gzread(idx->file, bytes, (unsigned)count);

    return got == (int)count || fail_read(idx);
}

static bool read_number(struct idx_file *idx, uint64_t *number)
{
    uint8_t b[4];

    if (!read_exactly(idx, b, sizeof b))
        return false;
    *number = (uint64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
    return true;
}

static bool check_magic(struct idx_file *idx, uint64_t magic, uint64_t want)
{
    const char *hint = "";

    if (magic == want)
        return true;
    if (magic == IMAGES_MAGIC || magic == LABELS_MAGIC)
        hint = magic == IMAGES_MAGIC ? "; it is a file of images"
                                     : "; it is a file of labels";
    return fail(idx->error, "%s: not an IDX file of %s: it starts with 0x%08x,"
                " not 0x%08x%s", idx->path,
                want == IMAGES_MAGIC ? "images" : "labels", (unsigned)magic,
                (unsigned)want, hint);
}

/* Reads magic number and axes; *size is their product. */
static bool read_header(struct idx_file *idx, uint64_t want, uint64_t *size)
{
    uint64_t magic;

    if (!read_number(idx, &magic) || !check_magic(idx, magic, want))
        return false;
    *size = 1;
    for (int i = 0; i < (int)(want & 0xff); i++) {
        if (!read_number(idx, &idx->axes[i]))
            return false;
        if (idx->axes[i] == 0)
            return fail(idx->error, "%s: axis %d is empty", idx->path, i);
        if (*size > LARGEST_FILE / idx->axes[i])
            return fail(idx->error, "%s: the header promises more than %llu "
                        "bytes", idx->path, (unsigned long long)LARGEST_FILE);
        *size *= idx->axes[i];
    }
    return true;
}

/* Nothing may follow the data; a gzipped file's check sum must be right. */
static bool check_end(struct idx_file *idx)
{
    uint8_t extra;
    int got = gzread(idx->file, &extra, 1), code;

    gzerror(idx->file, &code);
    if (got > 0)
        return fail(idx->error, "%s: the file is longer than its header says",
                    idx->path);
    return (got == 0 && code == Z_OK) || fail_read(idx);
}

/* The rest of the file, which must be `size` bytes.  Memory grows as data
 * arrives, so that a header cannot demand what the file does not have. */
static uint8_t *read_body(struct idx_file *idx, size_t size)
{
    uint8_t *bytes = NULL;
    size_t have = 0, room = FIRST_CHUNK / 2;

    while (have < size) {
        room = 2 * room < size ? 2 * room : size;
        uint8_t *larger = realloc(bytes, room);
        if (!larger) {
            fail(idx->error, "%s: no memory for %zu bytes", idx->path, size);
            break;
        }
        bytes = larger;
        if (!read_exactly(idx, bytes + have, room - have))
            break;
        have = room;
    }
    if (have == size && check_end(idx))
        return bytes;
    free(bytes);
    return NULL;
}

/* NULL with a reason in errno: zlib gives none when there is no memory. */
static gzFile open_gzip(const char *path)
{
    errno = 0;
    gzFile file = gzopen(path, "rb");
    if (!file && errno == 0)
        errno = ENOMEM;
    return file;
}

static uint8_t *read_file(const char *path, uint64_t magic, uint64_t axes[3],
                          struct data_error *error)
{
    struct idx_file idx = { open_gzip(path), path, error, { 0, 1, 1 } };
    uint8_t *bytes = NULL;
    uint64_t size;

    if (!idx.file) {
        fail(error, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (read_header(&idx, magic, &size))
        bytes = read_body(&idx, size);
    memcpy(axes, idx.axes, sizeof idx.axes);
    gzclose(idx.file);
    return bytes;
}

static bool read_labels(struct data_set *set, const char *path,
                        unsigned classes, struct data_error *error)
{
    uint64_t axes[3];

    set->labels = read_file(path, LABELS_MAGIC, axes, error);
    if (!set->labels)
        return false;
    if (axes[0] != set->count)
        return fail(error, "%s: %llu labels for %zu images", path,
                    (unsigned long long)axes[0], set->count);
    for (size_t i = 0; i < set->count; i++)
        if (set->labels[i] >= classes)
            return fail(error, "%s: label %zu is %u; there are %u classes",
                        path, i, set->labels[i], classes);
    return true;
}

bool data_read(struct data_set *set, const char *images, const char *labels,
               unsigned classes, struct data_error *error)
{
    uint64_t axes[3];

    *set = (struct data_set){ 0 };
    set->images = read_file(images, IMAGES_MAGIC, axes, error);
    if (!set->images)
        return false;
    set->count = axes[0];
    set->rows = axes[1];
    set->columns = axes[2];
    if (!labels || read_labels(set, labels, classes, error))
        return true;
    data_free(set);
    return false;
}

/* FOLDER/NAME or FOLDER/NAME.gz, whichever is there. */
static bool find_file(char *path, size_t size, const char *folder,
                      const char *name, struct data_error *error)
{
    static const char *const suffixes[] = { ".gz", "" };

    for (int i = 0; i < 2; i++) {
        int length = snprintf(path, size, "%s/%s%s", folder, name,
                              suffixes[i]);
        if (length < 0 || (size_t)length >= size)
            return fail(error, "%.99s...: the path is too long", folder);
        if (access(path, F_OK) == 0)
            return true;
    }
    return fail(error, "%s: no file %s or %s.gz", folder, name, name);
}

/* ---- counts as text ---- */

enum { MOST_PIXELS = 4096, FULL_COUNT = 16 };

/* The numbers of a line; -1 where something else stands. */
static long read_numbers(const char *line, long *numbers, long most)
{
    long count = 0;
    char *end;

    while (count < most) {
        numbers[count++] = strtol(line, &end, 10);
        if (end == line)
            return -1;
        line = end;
        if (*line != ',')
            break;
        line++;
    }
    return *line && *line != '\n' && *line != '\r' ? -1 : count;
}

/* A square of pixels and a label. */
static bool shape_fits(struct data_set *set, long count)
{
    size_t side = 1;

    while ((long)(side * side) < count - 1)
        side++;
    if (count < 2 || (long)(side * side) != count - 1
        || (set->count && side != set->rows))
        return false;
    set->rows = set->columns = side;
    return true;
}

static bool add_image(struct data_set *set, const long *numbers,
                      unsigned classes)
{
    size_t pixels = set->rows * set->columns;
    long label = numbers[pixels];

    for (size_t k = 0; k < pixels; k++) {
        if (numbers[k] < 0 || numbers[k] > FULL_COUNT)
            return false;
        set->images[set->count * pixels + k] =
            (uint8_t)(numbers[k] * 255 / FULL_COUNT);
    }
    if (label < 0 || label >= (long)classes)
        return false;
    set->labels[set->count++] = (uint8_t)label;
    return true;
}

/* Room for twice as many images when there is none left. */
static bool make_room(struct data_set *set, size_t *room)
{
    size_t pixels = set->rows * set->columns;

    if (set->count < *room)
        return true;
    *room = *room ? 2 * *room : 256;
    uint8_t *images = realloc(set->images, *room * pixels);
    if (images)
        set->images = images;
    uint8_t *labels = realloc(set->labels, *room);
    if (labels)
        set->labels = labels;
    return images && labels && *room * pixels < LARGEST_FILE;
}

static bool read_lines(struct data_set *set, gzFile file, const char *path,
                       unsigned classes, struct data_error *error)
{
    static const char *const wanted = "a square of counts from 0 to 16 and a "
                                      "label, with commas between";
    char line[8 * MOST_PIXELS];
    long numbers[MOST_PIXELS + 1];
    size_t room = 0;
    int code;

    for (long number = 1; gzgets(file, line, sizeof line); number++) {
        if (*line == '#' || *line == '\n' || *line == '\r')
            continue;
        long count = read_numbers(line, numbers, MOST_PIXELS + 1);
        if (!shape_fits(set, count))
            return fail(error, "%s: line %ld is not %s", path, number, wanted);
        if (!make_room(set, &room))
            return fail(error, "%s: no memory for its images", path);
        if (!add_image(set, numbers, classes))
            return fail(error, "%s: line %ld has a count above 16 or a label "
                        "that is not below %u", path, number, classes);
    }
    gzerror(file, &code);
    if (code != Z_OK)
        return fail(error, "%s: cannot be read to its end", path);
    return set->count ? true : fail(error, "%s: holds no images", path);
}

bool data_read_counts(struct data_set *set, const char *path,
                      unsigned classes, struct data_error *error)
{
    gzFile file = open_gzip(path);

    *set = (struct data_set){ 0 };
    if (!file)
        return fail(error, "%s: cannot open: %s", path, strerror(errno));
    bool good = read_lines(set, file, path, classes, error);
    gzclose(file);
    if (!good)
        data_free(set);
    return good;
}

static bool holds_counts(const char *folder)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/optdigits.tra", folder);
    return access(path, F_OK) == 0;
}

static bool read_counts(struct data_set *set, const char *folder,
                        const char *name, unsigned classes,
                        struct data_error *error)
{
    char path[4096];

    return find_file(path, sizeof path, folder, name, error)
        && data_read_counts(set, path, classes, error);
}

static bool read_half(struct data_set *set, const char *folder,
                      const char *images, const char *labels,
                      unsigned classes, struct data_error *error)
{
    char image_path[4096], label_path[4096];

    return find_file(image_path, sizeof image_path, folder, images, error)
        && find_file(label_path, sizeof label_path, folder, labels, error)
        && data_read(set, image_path, label_path, classes, error);
}

bool data_read_folder(struct data_set *train, struct data_set *test,
                      const char *folder, unsigned classes,
                      struct data_error *error)
{
    *train = *test = (struct data_set){ 0 };
    bool read = holds_counts(folder)
        ? read_counts(train, folder, "optdigits.tra", classes, error)
          && read_counts(test, folder, "optdigits.tes", classes, error)
        : read_half(train, folder, "train-images-idx3-ubyte",
                    "train-labels-idx1-ubyte", classes, error)
          && read_half(test, folder, "t10k-images-idx3-ubyte",
                       "t10k-labels-idx1-ubyte", classes, error);

    if (read
        && ((train->rows == test->rows && train->columns == test->columns)
            || fail(error, "%s: training images are %zux%zu, test images "
                    "%zux%zu", folder, train->rows, train->columns,
                    test->rows, test->columns)))
        return true;
    data_free(train);
    data_free(test);
    return false;
}

void data_shuffle(uint32_t *order, size_t count, uint64_t seed)
{
    struct random random = { seed };

    for (size_t i = count; i > 1; i--) {
        size_t j = random_below(&random, (uint32_t)i);
        uint32_t swapped = order[j];
        order[j] = order[i - 1];
        order[i - 1] = swapped;
    }
}

void data_batch(const struct data_set *set, const uint32_t *order,
                size_t first, size_t count, float *images, int32_t *labels)
{
    size_t size = set->rows * set->columns;

    for (size_t i = 0; i < count; i++) {
        size_t sample = order ? order[i] : first + i;
        const uint8_t *from = set->images + sample * size;
        for (size_t k = 0; images && k < size; k++)
            images[i * size + k] =
                ((float)from[k] / 255 - GREY_MEAN) / GREY_SPREAD;
        if (labels)
            labels[i] = set->labels[sample];
    }
}
