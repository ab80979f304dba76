/* safetensors.c: weights to and from files, in the format of
 * https://huggingface.co/docs/safetensors: eight bytes that say how long the
 * header is (lowest first), the header in JSON, the data. */
#include "safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tensor.h"

#define PART 4096                       /* scalars converted at a time */

/* --------------------------------------------------------- 32-bit floats */

/* The file's float, whatever `float` means in this build (tests/double.h):
 * the constant's type is the 32-bit one in both. */
union single {
    __typeof__(0.0f) value;
    uint32_t bits;
};

static uint32_t single_bits(float value)
{
    union single single = { .value = value };
    return single.bits;
}

static float from_single_bits(uint32_t bits)
{
    union single single = { .bits = bits };
    return single.value;
}

/* The 32-bit float that equals a 16-bit one (IEEE 754 binary16). */
static uint32_t half_to_single(uint32_t half)
{
    uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31;
    uint32_t fraction = half & 0x3ff;
    if (exponent == 31)
        return sign | 0x7f800000 | fraction << 13;
    if (exponent > 0)
        return sign | (exponent + 112) << 23 | fraction << 13;
    if (fraction == 0)
        return sign;
    for (exponent = 113; !(fraction & 0x400); exponent--)
        fraction <<= 1;
    return sign | exponent << 23 | (fraction & 0x3ff) << 13;
}

static uint64_t read_bytes(const unsigned char *bytes, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static void write_bytes(unsigned char *bytes, int count, uint64_t value)
{
    for (int i = 0; i < count; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
}

static void decode(float *values, const unsigned char *bytes, size_t count,
                   enum rnet_dtype type)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        if (type == RNET_F32)
            bits = (uint32_t)read_bytes(bytes + 4 * i, 4);
        else if (type == RNET_BF16)
            bits = (uint32_t)read_bytes(bytes + 2 * i, 2) << 16;
        else
            bits = half_to_single((uint32_t)read_bytes(bytes + 2 * i, 2));
        values[i] = from_single_bits(bits);
    }
}

/* open, again when a signal came in. */
static int open_again(const char *path, int flags, int mode)
{
    int file;
    do
        file = open(path, flags, mode);
    while (file < 0 && errno == EINTR);
    return file;
}

/* ---------------------------------------------------------------- saving */

/* The file in the making. */
struct saving {
    const struct rnet_network *net;
    const float *params;
    const struct rnet_report *report;
    char *target;                       /* what is replaced, links resolved */
    char *temporary;                    /* beside it */
    char *header;
    size_t header_bytes;
    int mode;                           /* of the file there was; or -1 */
    int file;
};

static enum rnet_status explain_errno(const struct rnet_report *report,
                                      const char *what)
{
    return rnet_explain(report, RNET_IO, "%s: %s", what, strerror(errno));
}

static enum rnet_status explain_memory(const struct rnet_report *report)
{
    return rnet_explain(report, RNET_NO_MEMORY, "out of memory");
}

/* Text that grows; none when memory has run out.  (A stream of open_memstream
 * may lose a piece then and say nothing.) */
struct growing { char *text; size_t length, room; int failed; };

static void reserve(struct growing *out, size_t more)
{
    size_t room = 2 * out->room + more + 1;
    if (out->failed || out->length + more < out->room)
        return;
    char *text = realloc(out->text, room);
    if (!text) {
        out->failed = 1;
        return;
    }
    out->text = text;
    out->room = room;
}

static void put(struct growing *out, const char *text, size_t length)
{
    reserve(out, length);
    if (out->failed)
        return;
    memcpy(out->text + out->length, text, length);
    out->length += length;
}

static void put_text(struct growing *out, const char *text)
{
    put(out, text, strlen(text));
}

static void put_number(struct growing *out, uint64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu",
                          (unsigned long long)number);
    put(out, digits, (size_t)length);
}

static void put_string(struct growing *out, const char *text)
{
    put_text(out, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            put_text(out, "\\");
        put(out, text, 1);
    }
    put_text(out, "\"");
}

static void put_item(struct growing *out, const struct rnet_entry *entry,
                     uint64_t begin)
{
    put_text(out, ",");
    put_string(out, entry->name);
    put_text(out, ":{\"dtype\":\"F32\",\"shape\":[");
    for (int i = 0; i < entry->tensor->rank; i++) {
        put_text(out, i ? "," : "");
        put_number(out, (uint64_t)entry->tensor->shape[i]);
    }
    put_text(out, "],\"data_offsets\":[");
    put_number(out, begin);
    put_text(out, ",");
    put_number(out, begin + 4 * (uint64_t)entry->size);
    put_text(out, "]}");
}

/* The JSON, with spaces up to a multiple of 8, so that the data is aligned. */
static enum rnet_status make_header(struct saving *saving)
{
    struct rnet_walk walk = { .net = saving->net };
    struct rnet_entry entry;
    struct growing out = { 0 };
    uint64_t at = 0;
    put_text(&out, "{\"__metadata__\":{\"format\":\"pt\"}");
    while (rnet_walk_next(&walk, &entry)) {
        put_item(&out, &entry, at);
        at += 4 * (uint64_t)entry.size;
    }
    put_text(&out, "}");
    put(&out, "       ", (8 - out.length % 8) % 8);
    saving->header = out.text;
    saving->header_bytes = out.length;
    if (out.failed)
        return explain_memory(saving->report);
    if (saving->header_bytes > RNET_HEADER_BYTES)
        return rnet_explain(saving->report, RNET_BAD_FILE,
                            "the network has more tensors than the header of "
                            "a safetensors file can name");
    return RNET_OK;
}

static int write_all(int file, const void *bytes, size_t count)
{
    for (const char *at = bytes; count > 0; ) {
        ssize_t wrote = write(file, at, count < 1 << 30 ? count : 1 << 30);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote == 0)
            errno = ENOSPC;
        if (wrote <= 0)
            return 0;
        at += wrote;
        count -= (size_t)wrote;
    }
    return 1;
}

/* The tensors' values, through a buffer that many small tensors share. */
static int write_data(const struct saving *saving)
{
    struct rnet_walk walk = { .net = saving->net };
    struct rnet_entry entry;
    float values[PART];
    unsigned char bytes[4 * PART];
    size_t used = 0;
    while (rnet_walk_next(&walk, &entry))
        for (size_t first = 0; first < entry.size; ) {
            size_t count = entry.size - first;
            if (count > PART - used)
                count = PART - used;
            rnet_unpack_part(&entry, saving->params, first, count, values);
            for (size_t i = 0; i < count; i++)
                write_bytes(bytes + 4 * used++, 4, single_bits(values[i]));
            first += count;
            if (used == PART && !write_all(saving->file, bytes, 4 * PART))
                return 0;
            used %= PART;
        }
    return write_all(saving->file, bytes, 4 * used);
}

/* Some file systems know no syncing: EINVAL is no failure. */
static int sync_file(int file)
{
    while (fsync(file) != 0)
        if (errno != EINTR)
            return errno == EINVAL;
    return 1;
}

static int write_file(const struct saving *saving)
{
    unsigned char length[8];
    write_bytes(length, 8, saving->header_bytes);
    return write_all(saving->file, length, 8)
           && write_all(saving->file, saving->header, saving->header_bytes)
           && write_data(saving) && sync_file(saving->file);
}

static enum rnet_status find_new(struct saving *saving, const char *path)
{
    if (errno != ENOENT)
        return explain_errno(saving->report, "cannot write");
    saving->target = strdup(path);
    return saving->target ? RNET_OK : explain_memory(saving->report);
}

/* Finds what `path` names; a file that is there keeps its permissions. */
static enum rnet_status find_target(struct saving *saving, const char *path)
{
    struct stat there;
    saving->mode = -1;
    if (stat(path, &there) != 0)
        return find_new(saving, path);
    if (!S_ISREG(there.st_mode)) {
        errno = S_ISDIR(there.st_mode) ? EISDIR : EINVAL;
        return rnet_explain(saving->report, RNET_IO,
                            "cannot write: it is there, and not a file");
    }
    saving->mode = there.st_mode & 0777;
    saving->target = realpath(path, NULL);
    return saving->target ? RNET_OK
                          : explain_errno(saving->report, "cannot write");
}

static enum rnet_status open_temporary(struct saving *saving)
{
    size_t room = strlen(saving->target) + 48;
    saving->temporary = malloc(room);
    if (!saving->temporary)
        return explain_memory(saving->report);
    for (int i = 0; i < 1000 && saving->file < 0; i++) {
        snprintf(saving->temporary, room, "%s.%ld.%d.tmp", saving->target,
                 (long)getpid(), i);
        saving->file = open_again(saving->temporary,
                                  O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                                  saving->mode < 0 ? 0666 : saving->mode);
        if (saving->file < 0 && errno != EEXIST)
            break;
    }
    if (saving->file < 0)
        return explain_errno(saving->report,
                             "cannot make a file beside it to write");
    /* what the mask took away; where that fails it is less open than it was */
    if (saving->mode >= 0)
        (void)!fchmod(saving->file, (mode_t)saving->mode);
    return RNET_OK;
}

/* Its name takes the temporary's place, which has been renamed.  A folder that
 * may be written but not read cannot be opened, and goes unsynced. */
static int sync_folder(struct saving *saving)
{
    const char *slash = strrchr(saving->target, '/');
    size_t length = slash ? (size_t)(slash - saving->target) : 0;
    memcpy(saving->temporary, saving->target, length);
    strcpy(saving->temporary + length, slash ? "/" : ".");
    int file = open_again(saving->temporary,
                          O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (file < 0)
        return errno == EACCES;
    int good = sync_file(file), number = errno;
    close(file);
    errno = number;
    return good;
}

/* What is on the disk is not lost by a close that was interrupted. */
static int write_and_close(const struct saving *saving)
{
    int good = write_file(saving), number = errno;
    if (close(saving->file) != 0 && good)
        return errno == EINTR;
    errno = number;
    return good;
}

static enum rnet_status replace_target(struct saving *saving)
{
    if (!write_and_close(saving)
        || rename(saving->temporary, saving->target) != 0) {
        enum rnet_status status = explain_errno(saving->report,
                                                "cannot write");
        int number = errno;
        unlink(saving->temporary);
        errno = number;
        return status;
    }
    if (sync_folder(saving))
        return RNET_OK;
    return explain_errno(saving->report, "written, but its folder cannot be "
                                         "synced");
}

static enum rnet_status save(struct saving *saving, const char *path)
{
    enum rnet_status status = find_target(saving, path);
    if (status == RNET_OK)
        status = make_header(saving);
    if (status == RNET_OK)
        status = open_temporary(saving);
    return status ? status : replace_target(saving);
}

/* What both directions ask of their arguments. */
static enum rnet_status check(const struct rnet_network *net,
                              const float *params, const char *path)
{
    if (!net || !params || !path)
        return RNET_NULL;
    return net->version == RNET_VERSION ? RNET_OK : RNET_BAD_VERSION;
}

static struct rnet_report report_to(const char *path, char *message,
                                    size_t size)
{
    if (message && size)
        *message = '\0';
    return (struct rnet_report) { path ? path : "", message, size };
}

enum rnet_status rnet_save(const struct rnet_network *net, const float *params,
                           const char *path, char *message, size_t size)
{
    struct rnet_report report = report_to(path, message, size);
    enum rnet_status status = check(net, params, path);
    if (status)
        return rnet_explain(&report, status, "%s", rnet_status_text(status));
    struct saving saving = { .net = net, .params = params, .report = &report,
                             .file = -1 };
    status = save(&saving, path);
    int number = errno;
    free(saving.header);
    free(saving.temporary);
    free(saving.target);
    errno = number;
    return status;
}

/* --------------------------------------------------------------- loading */

struct loading {
    const struct rnet_network *net;
    const struct rnet_report *report;
    int file;
    uint64_t file_bytes, header_bytes, data_bytes;
    char *text;                         /* the header, as `header` needs it */
    struct rnet_header header;
    unsigned char *data;
};

static enum rnet_status open_file(struct loading *loading, const char *path)
{
    struct stat there;
    /* a pipe must not make open wait; what is opened is a file or refused */
    loading->file = open_again(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (loading->file < 0 || fstat(loading->file, &there) != 0)
        return explain_errno(loading->report, "cannot open");
    if (!S_ISREG(there.st_mode)) {
        errno = S_ISDIR(there.st_mode) ? EISDIR : EINVAL;
        return rnet_explain(loading->report, RNET_IO, "not a file");
    }
    loading->file_bytes = (uint64_t)there.st_size;
    return RNET_OK;
}

/* The next `count` bytes of the file, which fstat promised. */
static enum rnet_status read_all(const struct loading *loading, void *bytes,
                                 uint64_t count)
{
    for (char *at = bytes; count > 0; ) {
        ssize_t got = read(loading->file, at,
                           count < 1 << 30 ? (size_t)count : 1 << 30);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return explain_errno(loading->report, "cannot read");
        if (got == 0)
            return rnet_explain(loading->report, RNET_BAD_FILE,
                                "the file became shorter while it was read");
        at += got;
        count -= (uint64_t)got;
    }
    return RNET_OK;
}

static enum rnet_status read_length(struct loading *loading)
{
    unsigned char length[8];
    if (loading->file_bytes < 8)
        return rnet_explain(loading->report, RNET_BAD_FILE,
                            "not a valid safetensors file: shorter than 8 "
                            "bytes");
    enum rnet_status status = read_all(loading, length, 8);
    if (status)
        return status;
    loading->header_bytes = read_bytes(length, 8);
    if (loading->header_bytes > RNET_HEADER_BYTES
        || loading->header_bytes > loading->file_bytes - 8)
        return rnet_explain(loading->report, RNET_BAD_FILE,
            "not a valid safetensors file: a header of %llu bytes in a file "
            "of %llu", (unsigned long long)loading->header_bytes,
            (unsigned long long)loading->file_bytes);
    loading->data_bytes = loading->file_bytes - 8 - loading->header_bytes;
    return RNET_OK;
}

static enum rnet_status read_header(struct loading *loading)
{
    enum rnet_status status = read_length(loading);
    if (status)
        return status;
    loading->text = malloc((size_t)loading->header_bytes + 1);
    if (!loading->text)
        return explain_memory(loading->report);
    status = read_all(loading, loading->text, loading->header_bytes);
    if (status)
        return status;
    return rnet_header_read(&loading->header, loading->text,
                            (size_t)loading->header_bytes, loading->data_bytes,
                            loading->report);
}

/* ------------------------------------------ the file against the network */

struct shape_text { char text[256]; };

static void add_axis(struct shape_text *shape, uint64_t axis)
{
    size_t used = strlen(shape->text);
    snprintf(shape->text + used, sizeof shape->text - used, "%s%llu",
             used > 1 ? ", " : "", (unsigned long long)axis);
}

static struct shape_text shape_of_item(const struct rnet_item *item)
{
    struct shape_text shape = { "[" };
    for (int i = 0; i < item->rank && i < RNET_RANK; i++)
        add_axis(&shape, item->shape[i]);
    strcat(shape.text, item->rank > RNET_RANK ? ", ...]" : "]");
    return shape;
}

static struct shape_text shape_of_tensor(const struct rnet_tensor *tensor)
{
    struct shape_text shape = { "[" };
    for (int i = 0; i < tensor->rank; i++)
        add_axis(&shape, (uint64_t)tensor->shape[i]);
    strcat(shape.text, "]");
    return shape;
}

static int same_shape(const struct rnet_item *item,
                      const struct rnet_tensor *tensor)
{
    if (item->rank != tensor->rank)
        return 0;
    for (int i = 0; i < tensor->rank; i++)
        if (item->shape[i] != (uint64_t)tensor->shape[i])
            return 0;
    return 1;
}

static enum rnet_status check_entry(const struct loading *loading,
                                    const struct rnet_entry *entry)
{
    struct rnet_item *item = rnet_header_find(&loading->header, entry->name);
    if (!item)
        return rnet_explain(loading->report, RNET_BAD_NAME,
            "tensor '%s' of network '%s' is missing: was the file saved from "
            "another network, or under other names?", entry->name,
            loading->net->name);
    item->used = 1;
    if (!same_shape(item, entry->tensor))
        return rnet_explain(loading->report, RNET_BAD_SHAPE,
            "tensor '%s' has shape %s, but network '%s' needs %s: was it built "
            "with other sizes?", entry->name, shape_of_item(item).text,
            loading->net->name, shape_of_tensor(entry->tensor).text);
    if (item->type == RNET_OTHER)
        return rnet_explain(loading->report, RNET_BAD_TYPE,
            "tensor '%s' has type %s: F32, F16 and BF16 can be read; convert "
            "it first", entry->name, rnet_show(item->type_name).text);
    return RNET_OK;
}

/* PyTorch's counter of batches, one number, which nothing here needs. */
static int is_counter(const struct rnet_item *item)
{
    static const char name[] = "num_batches_tracked";
    const size_t length = sizeof name - 1;
    const struct rnet_text *text = &item->name;
    return item->scalars <= 1 && text->length >= length
           && !memcmp(text->bytes + text->length - length, name, length)
           && (text->length == length
               || text->bytes[text->length - length - 1] == '.');
}

/* Every tensor of the network is in the file, as it must be, and no other. */
static enum rnet_status check_entries(const struct loading *loading)
{
    struct rnet_walk walk = { .net = loading->net };
    struct rnet_entry entry;
    while (rnet_walk_next(&walk, &entry)) {
        enum rnet_status status = check_entry(loading, &entry);
        if (status)
            return status;
    }
    for (size_t i = 0; i < loading->header.count; i++) {
        const struct rnet_item *item = &loading->header.items[i];
        if (!item->used && !is_counter(item))
            return rnet_explain(loading->report, RNET_BAD_NAME,
                "tensor '%s' is not in network '%s': was the file saved from "
                "another network?", rnet_show(item->name).text,
                loading->net->name);
    }
    return RNET_OK;
}

/* ------------------------------------------------------------ the values */

static enum rnet_status read_data(struct loading *loading)
{
    char more;
    if (loading->data_bytes >= SIZE_MAX)
        return explain_memory(loading->report);
    loading->data = malloc((size_t)loading->data_bytes + 1);
    if (!loading->data)
        return explain_memory(loading->report);
    enum rnet_status status = read_all(loading, loading->data,
                                       loading->data_bytes);
    if (status == RNET_OK && read(loading->file, &more, 1) == 1)
        status = rnet_explain(loading->report, RNET_BAD_FILE,
                              "the file became longer while it was read");
    return status;
}

static void fill_entry(const struct loading *loading,
                       const struct rnet_entry *entry, float *params)
{
    const struct rnet_item *item = rnet_header_find(&loading->header,
                                                    entry->name);
    const unsigned char *bytes = loading->data + item->begin;
    float values[PART];
    for (size_t first = 0; first < entry->size; first += PART) {
        size_t count = entry->size - first;
        if (count > PART)
            count = PART;
        decode(values, bytes + first * item->width, count, item->type);
        rnet_pack_part(entry, params, first, count, values);
    }
}

/* Cannot fail: everything has been checked and read. */
static void fill_params(const struct loading *loading, float *params)
{
    struct rnet_walk walk = { .net = loading->net };
    struct rnet_entry entry;
    memset(params, 0, loading->net->param_floats * sizeof *params);
    while (rnet_walk_next(&walk, &entry))
        fill_entry(loading, &entry, params);
}

static enum rnet_status load(struct loading *loading, const char *path)
{
    enum rnet_status status = open_file(loading, path);
    if (status == RNET_OK)
        status = read_header(loading);
    if (status == RNET_OK)
        status = check_entries(loading);
    return status ? status : read_data(loading);
}

enum rnet_status rnet_load(const struct rnet_network *net, float *params,
                           const char *path, char *message, size_t size)
{
    struct rnet_report report = report_to(path, message, size);
    enum rnet_status status = check(net, params, path);
    if (status)
        return rnet_explain(&report, status, "%s", rnet_status_text(status));
    struct loading loading = { .net = net, .report = &report, .file = -1 };
    status = load(&loading, path);
    int number = errno;
    if (status == RNET_OK)
        fill_params(&loading, params);
    rnet_header_free(&loading.header);
    free(loading.data);
    free(loading.text);
    if (loading.file >= 0)
        close(loading.file);
    errno = number;
    return status;
}
