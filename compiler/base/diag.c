/* diag.c: reads source files and says what is wrong with them, in gcc's layout
 * or as gcc's JSON.  The only module that knows lines and columns: a line
 * counts from 1, a column counts bytes from 1. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diag.h"

enum {
    LINE_WHOLE = 120,           /* bytes of a line that is shown whole */
    LINE_BEFORE = 40,           /* of a longer one: bytes before the caret */
    TAB_STOP = 8
};

/* A position as people count it, and the line it is on: bytes [begin, end). */
struct place {
    const struct source *source;
    uint32_t line, column, begin, end;
};

/* ---- UTF-8 ---- */

/* Bytes of the character at `text`, 0 when it is not UTF-8: overlong forms,
 * surrogates and codes past U+10FFFF are none. */
static int utf8_length(const char *text, size_t left, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *byte = (const unsigned char *)text;
    int length = byte[0] < 0x80 ? 1 : byte[0] < 0xC0 ? 0 : byte[0] < 0xE0 ? 2
               : byte[0] < 0xF0 ? 3 : byte[0] < 0xF8 ? 4 : 0;

    if (length == 0 || (size_t)length > left)
        return 0;
    *code = length == 1 ? byte[0] : byte[0] & (0x7Fu >> length);
    for (int i = 1; i < length; i++) {
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (byte[i] & 0x3F);
    }
    if (*code < least[length] || *code > 0x10FFFF
        || (*code >= 0xD800 && *code <= 0xDFFF))
        return 0;
    return length;
}

/* A character that a terminal must not be given, among them those that make
 * text read in another order than it is compiled in. */
static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x61C
        || (code >= 0x200E && code <= 0x200F)
        || (code >= 0x2028 && code <= 0x202E)
        || (code >= 0x2066 && code <= 0x2069);
}

/* Columns that a terminal gives a character, near enough. */
static int width_of(uint32_t code)
{
    if (code >= 0x300 && code < 0x370)
        return 0;
    if ((code >= 0x1100 && code < 0x1160) || (code >= 0x2E80 && code < 0xA4D0)
        || (code >= 0xAC00 && code < 0xD7A4)
        || (code >= 0xF900 && code < 0xFB00)
        || (code >= 0xFE30 && code < 0xFE70)
        || (code >= 0xFF00 && code < 0xFF61)
        || (code >= 0x1F300 && code < 0x1F650)
        || (code >= 0x1F900 && code < 0x1FA00)
        || (code >= 0x20000 && code < 0x3FFFE))
        return 2;
    return 1;
}

/* Adds source text as a terminal may show it, tabs as spaces; the column after
 * it, when it began at `column` (from 0). */
static int add_shown(struct text *out, const char *text, size_t length,
                     int column)
{
    for (size_t i = 0; i < length;) {
        uint32_t code = 0;
        int bytes = utf8_length(text + i, length - i, &code);

        if (bytes && code == '\t') {
            do
                text_put(out, " ", 1);
            while (++column % TAB_STOP);
        } else if (bytes == 0 || is_control(code)) {
            text_put(out, "?", 1);
            column++;
        } else {
            text_put(out, text + i, (size_t)bytes);
            column += width_of(code);
        }
        i += bytes ? (size_t)bytes : 1;
    }
    return column;
}

const char *diag_shown(struct arena *arena, const char *text)
{
    struct text shown = { 0 };

    add_shown(&shown, text, strlen(text), 0);
    const char *kept = arena_text(arena, shown.data, shown.length);
    text_free(&shown);
    return kept;
}

/* ---- positions ---- */

/* The line, from 1, of a byte: a binary search of where lines begin. */
static uint32_t line_of(const struct source *source, uint32_t at)
{
    uint32_t low = 0, high = source->line_count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (source->lines[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low + 1;
}

static struct place place_of(const struct source *source, uint32_t at)
{
    struct place place = { .source = source };
    const char *end;

    if (at > source->length)
        at = source->length;
    place.line = line_of(source, at);
    place.begin = source->lines[place.line - 1];
    place.column = at - place.begin + 1;
    end = memchr(source->text + place.begin, '\n',
                 source->length - place.begin);
    place.end = end ? (uint32_t)(end - source->text) : source->length;
    if (place.end > place.begin && source->text[place.end - 1] == '\r')
        place.end--;
    return place;
}

static bool is_known(const struct diag *diag, const struct span *where)
{
    return where && where->file >= 0 && where->file < diag->source_count;
}

int diag_line(const struct diag *diag, struct span span)
{
    if (!is_known(diag, &span))
        return 0;
    return (int)line_of(&diag->sources[span.file], span.begin);
}

/* ---- text, in gcc's layout ---- */

static const char *const severity_name[] = { "error", "warning", "note" };
static const char *const severity_color[] = {
    "\33[01;31m\33[K", "\33[01;35m\33[K", "\33[01;36m\33[K"
};

static void color_on(const struct diag *diag, struct text *out,
                     const char *color)
{
    if (diag->color)
        text_add(out, "%s", color);
}

static void color_off(const struct diag *diag, struct text *out)
{
    color_on(diag, out, "\33[m\33[K");
}

static bool continues(const struct source *source, uint32_t at)
{
    return ((unsigned char)source->text[at] & 0xC0) == 0x80;
}

/* First byte of the character that `at` is in, not before `begin`; `at` itself
 * where more bytes than a character has continue one. */
static uint32_t character_start(const struct source *source, uint32_t at,
                                uint32_t begin)
{
    uint32_t start = at;

    while (start > begin && at - start < 3 && continues(source, start))
        start--;
    return continues(source, start) ? at : start;
}

/* Of a long line, the part about byte `at`. */
static void cut_line(struct place *place, uint32_t at)
{
    uint32_t begin = place->begin;

    if (place->end - place->begin <= LINE_WHOLE)
        return;
    if (at - begin > LINE_BEFORE)
        place->begin = character_start(place->source, at - LINE_BEFORE, begin);
    if (place->end - place->begin > LINE_WHOLE)
        place->end = character_start(place->source, place->begin + LINE_WHOLE,
                                     place->begin);
}

/* The source line and, below it, "^~~~" along the span, to the end of its
 * first line. */
static void add_line(const struct diag *diag, struct text *out,
                     struct place whole, struct span span,
                     enum severity severity)
{
    struct place part = whole;
    const char *text = whole.source->text;
    uint32_t from, to;
    int column, end;

    from = whole.begin + whole.column - 1;
    if (from > whole.end)
        from = whole.end;
    cut_line(&part, from);
    to = span.end < part.end ? span.end : part.end;
    if (to < from)
        to = from;

    text_add(out, "%5u | %s", whole.line,
             part.begin > whole.begin ? "..." : "");
    column = part.begin > whole.begin ? 3 : 0;
    column = add_shown(out, text + part.begin, from - part.begin, column);
    color_on(diag, out, severity_color[severity]);
    end = add_shown(out, text + from, to - from, column);
    color_off(diag, out);
    add_shown(out, text + to, part.end - to, end);
    text_add(out, "%s\n", part.end < whole.end ? "..." : "");

    text_add(out, "      | %*s", column, "");
    color_on(diag, out, severity_color[severity]);
    text_add(out, "^");
    while (++column < end)
        text_put(out, "~", 1);
    color_off(diag, out);
    text_put(out, "\n", 1);
}

static void add_place(struct text *out, const struct place *place)
{
    const char *path = place->source->path;

    add_shown(out, path, strlen(path), 0);
    text_add(out, ":%u:%u:", place->line, place->column);
}

/* "file:line:col: error: message [-Wname]" */
static void add_message(const struct diag *diag, struct text *out,
                        const struct place *place, enum severity severity,
                        const char *option, const struct text *message)
{
    color_on(diag, out, "\33[01m\33[K");
    if (place)
        add_place(out, place);
    else
        text_add(out, "rnetc:");
    color_off(diag, out);
    text_put(out, " ", 1);
    color_on(diag, out, severity_color[severity]);
    text_add(out, "%s: ", severity_name[severity]);
    color_off(diag, out);
    add_shown(out, message->data, message->length, 0);
    if (option) {
        text_put(out, " [", 2);
        color_on(diag, out, severity_color[severity]);
        text_add(out, "%s", option);
        color_off(diag, out);
        text_put(out, "]", 1);
    }
    text_put(out, "\n", 1);
}

static void write_text(const struct diag *diag, const struct span *where,
                       enum severity severity, const char *option,
                       const struct text *message)
{
    struct text out = {0};

    if (is_known(diag, where)) {
        struct place place = place_of(&diag->sources[where->file],
                                      where->begin);

        add_message(diag, &out, &place, severity, option, message);
        add_line(diag, &out, place, *where, severity);
    } else {
        add_message(diag, &out, NULL, severity, option, message);
    }
    fwrite(out.data, 1, out.length, diag->out);
    text_free(&out);
}

/* ---- JSON, as gcc's -fdiagnostics-format=json ---- */

static void add_json_string(struct text *out, const char *text, size_t length)
{
    text_put(out, "\"", 1);
    for (size_t i = 0; i < length;) {
        uint32_t code = 0;
        int bytes = utf8_length(text + i, length - i, &code);

        if (bytes == 0)
            text_add(out, "\\ufffd");
        else if (code == '"' || code == '\\')
            text_add(out, "\\%c", (char)code);
        else if (is_control(code))
            text_add(out, "\\u%04x", code);
        else
            text_put(out, text + i, (size_t)bytes);
        i += bytes ? (size_t)bytes : 1;
    }
    text_put(out, "\"", 1);
}

static void add_json_place(struct text *out, const char *key,
                           const struct source *source, uint32_t at)
{
    struct place place = place_of(source, at);
    struct text shown = {0};
    int column = add_shown(&shown, source->text + place.begin,
                           place.column - 1, 0);

    text_free(&shown);
    text_add(out, "\"%s\": {\"file\": ", key);
    add_json_string(out, source->path, strlen(source->path));
    text_add(out, ", \"line\": %u, \"column\": %u, \"byte-column\": %u,"
             " \"display-column\": %d}", place.line, place.column,
             place.column, column + 1);
}

static void add_json_locations(const struct diag *diag, struct text *out,
                               const struct span *where)
{
    text_add(out, ", \"locations\": [");
    if (is_known(diag, where)) {
        const struct source *source = &diag->sources[where->file];

        text_add(out, "{");
        add_json_place(out, "caret", source, where->begin);
        if (where->end > where->begin + 1) {
            text_add(out, ", ");
            add_json_place(out, "finish", source, where->end - 1);
        }
        text_add(out, "}");
    }
    text_add(out, "]");
}

/* An error stays open, without its "]}", for the notes that may follow. */
static void write_json(struct diag *diag, const struct span *where,
                       enum severity severity, const char *option,
                       const struct text *message)
{
    bool child = severity == DIAG_NOTE && diag->listed > 0;
    struct text out = {0};

    if (child)
        text_add(&out, "%s", diag->children++ ? ",\n  " : "\n  ");
    else
        text_add(&out, "%s", diag->listed++ ? "]},\n " : "[");
    text_add(&out, "{\"kind\": \"%s\", \"message\": ",
             severity_name[severity]);
    add_json_string(&out, message->data, message->length);
    if (option) {
        text_add(&out, ", \"option\": ");
        add_json_string(&out, option, strlen(option));
    }
    add_json_locations(diag, &out, where);
    if (child) {
        text_add(&out, "}");
    } else {
        text_add(&out, ", \"column-origin\": 1, \"escape-source\": false,"
                 " \"children\": [");
        diag->children = 0;
    }
    fwrite(out.data, 1, out.length, diag->out);
    text_free(&out);
}

void diag_finish(struct diag *diag)
{
    if (diag->format == DIAG_JSON)
        fputs(diag->listed ? "]}]\n" : "[]\n", diag->out);
    fflush(diag->out);
}

/* ---- errors, warnings, notes ---- */

static void write_message(struct diag *diag, const struct span *where,
                          enum severity severity, const char *option,
                          const struct text *message)
{
    if (diag->format == DIAG_JSON)
        write_json(diag, where, severity, option, message);
    else
        write_text(diag, where, severity, option, message);
}

static void write_format(struct diag *diag, const struct span *where,
                         enum severity severity, const char *option,
                         const char *format, va_list arguments)
{
    struct text message = {0};

    text_vadd(&message, format, arguments);
    write_message(diag, where, severity, option, &message);
    text_free(&message);
}

static bool is_past_maximum(const struct diag *diag)
{
    return diag->max_errors > 0 && diag->errors > diag->max_errors;
}

/* Counts an error; the first past the maximum says that there are more. */
static void count_error(struct diag *diag)
{
    struct text message = {0};

    diag->muted = is_past_maximum(diag);
    if (diag->errors < INT32_MAX)
        diag->errors++;
    if (diag->muted || !is_past_maximum(diag))
        return;
    diag->muted = true;
    text_add(&message, "too many errors: only the first %d are shown"
             " (-fmax-errors=%d)", diag->max_errors, diag->max_errors);
    write_message(diag, NULL, DIAG_ERROR, NULL, &message);
    text_free(&message);
}

void diag_error(struct diag *diag, const struct span *where,
                const char *format, ...)
{
    va_list arguments;

    count_error(diag);
    if (diag->muted)
        return;
    va_start(arguments, format);
    write_format(diag, where, DIAG_ERROR, NULL, format, arguments);
    va_end(arguments);
}

const char *const diag_warnings[] = {
    "juxtaposition", "dead-branch", "shortcut-dropout", "batchnorm-after-add",
    "gate-bias", "shortcut-not-identity", "final-norm", NULL
};

static bool is_off(const struct diag *diag, const char *name)
{
    int i = 0;

    while (strcmp(diag_warnings[i], name))
        i++;
    return diag->off >> i & 1;
}

void diag_warning(struct diag *diag, const char *name, const struct span *where,
                  const char *format, ...)
{
    bool error = diag->warnings_are_errors;
    struct text option = {0};
    va_list arguments;

    bool none = diag->no_warnings || is_off(diag, name);
    diag->muted = none || is_past_maximum(diag);
    if (!none && error)
        count_error(diag);
    else if (!none && diag->warnings < INT32_MAX)
        diag->warnings++;
    if (diag->muted)
        return;
    text_add(&option, error ? "-Werror=%s" : "-W%s", name);
    va_start(arguments, format);
    write_format(diag, where, error ? DIAG_ERROR : DIAG_WARNING, option.data,
                 format, arguments);
    va_end(arguments);
    text_free(&option);
}

void diag_note(struct diag *diag, const struct span *where,
               const char *format, ...)
{
    va_list arguments;

    if (diag->muted)
        return;
    va_start(arguments, format);
    write_format(diag, where, DIAG_NOTE, NULL, format, arguments);
    va_end(arguments);
}

/* ---- source files ---- */

static void index_lines(struct arena *arena, struct source *source)
{
    uint32_t count = 1;

    for (uint32_t i = 0; i < source->length; i++)
        count += source->text[i] == '\n';
    source->lines = arena_alloc(arena, count * sizeof *source->lines);
    for (uint32_t i = 0; i < source->length; i++)
        if (source->text[i] == '\n')
            source->lines[++source->line_count] = i + 1;
    source->line_count = count;
}

/* False after an error at the first byte that is not text. */
static bool check_text(struct diag *diag, int file, const struct span *where)
{
    const struct source *source = &diag->sources[file];
    const char *message = NULL;
    struct span span = { .file = file };
    uint32_t i = 0, code = 0;

    while (i < source->length && !message) {
        int bytes = utf8_length(source->text + i, source->length - i, &code);

        if (bytes == 0)
            message = "this byte is not UTF-8 text";
        else if (code == 0)
            message = "a NUL byte: this is not a text file";
        else
            i += (uint32_t)bytes;
    }
    if (!message)
        return true;
    if (source->length >= 2 && (memcmp(source->text, "\xFF\xFE", 2) == 0
                                || memcmp(source->text, "\xFE\xFF", 2) == 0))
        message = "this file is UTF-16: save it as UTF-8";
    span.begin = i;
    span.end = i + 1;
    diag_error(diag, &span, "%s", message);
    if (where)
        diag_note(diag, where, "the file is imported here");
    return false;
}

int diag_add(struct diag *diag, const char *path, const char *text,
             size_t length, const struct span *where)
{
    struct source *source = &diag->sources[diag->source_count];

    if (diag->source_count >= LIMIT_FILES) {
        diag_error(diag, where, "too many files: the limit is %d", LIMIT_FILES);
        return -1;
    }
    if (length > LIMIT_FILE_BYTES) {
        diag_error(diag, where, "'%s' is too long: the limit is %d bytes", path,
                   LIMIT_FILE_BYTES);
        return -1;
    }
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        length -= 3;
    }
    *source = (struct source){ .path = path, .text = text,
                               .length = (uint32_t)length };
    index_lines(diag->arena, source);
    diag->source_count++;
    return check_text(diag, diag->source_count - 1, where)
        ? diag->source_count - 1 : -1;
}

/* The rest of a file, up to one byte past the limit; false when reading
 * fails, the reason in errno. */
static bool read_rest(int file, struct text *text)
{
    char buffer[16384];
    ssize_t count;

    text_put(text, "", 0);
    while (text->length <= LIMIT_FILE_BYTES
           && (count = read(file, buffer, sizeof buffer)) != 0) {
        if (count < 0 && errno != EINTR)
            return false;
        if (count > 0)
            text_put(text, buffer, (size_t)count);
    }
    return true;
}

static bool read_open(int file, struct text *text, struct stat *about)
{
    if (fstat(file, about) != 0)
        return false;
    if (S_ISDIR(about->st_mode)) {
        errno = EISDIR;
        return false;
    }
    return read_rest(file, text);
}

/* False, the reason in errno, when the file cannot be read. */
static bool read_file(const char *path, struct text *text, struct stat *about)
{
    int file;

    if (strcmp(path, "-") == 0)
        return read_open(STDIN_FILENO, text, about);
    do
        file = open(path, O_RDONLY | O_CLOEXEC);
    while (file < 0 && errno == EINTR);
    if (file < 0)
        return false;
    bool read = read_open(file, text, about);
    int reason = errno;
    close(file);
    errno = reason;
    return read;
}

int diag_open(struct diag *diag, const char *path, const struct span *where)
{
    int added = diag->source_count;
    struct text text = {0};
    struct stat about;

    if (!read_file(path, &text, &about)) {
        diag_error(diag, where, "cannot read '%s': %s", path, strerror(errno));
        text_free(&text);
        return -1;
    }
    size_t length = text.length;
    const char *kept = arena_text(diag->arena, text.data, length);
    text_free(&text);
    if (strcmp(path, "-") == 0)
        path = "<stdin>";
    int index = diag_add(diag, arena_text(diag->arena, path, strlen(path)),
                         kept, length, where);
    if (diag->source_count > added) {
        diag->sources[added].device = about.st_dev;
        diag->sources[added].number = about.st_ino;
    }
    return index;
}

/* ---- suggestions ---- */

/* A name all of whose letters would change is no suggestion. */
const char *diag_nearest(const char *name, const char *const *candidates,
                         size_t count)
{
    int length = strlen(name) < 256 ? (int)strlen(name) : 256;
    int limit = length / 3 > 1 ? length / 3 : 1;
    const char *nearest = NULL;

    if (limit >= length)
        limit = length - 1;
    for (size_t i = 0; i < count && limit >= 0; i++) {
        int distance = edit_distance(name, candidates[i], limit);

        if (distance <= limit) {
            nearest = candidates[i];
            limit = distance - 1;
        }
    }
    return nearest;
}
