/* write.c: laying out C text. */
#include "emit.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { COLUMNS = 79 };

void call_begin(struct call *call, struct text *out, int indent,
                const char *name)
{
    text_add(out, "%*s%s(", indent, "", name);
    int column = indent + (int)strlen(name) + 1;
    *call = (struct call) { out, column, column, 0 };
}

void call_argument(struct call *call, const char *format, ...)
{
    struct text text = { 0 };
    va_list arguments;

    va_start(arguments, format);
    text_vadd(&text, format, arguments);
    va_end(arguments);
    int length = (int)text.length;
    if (call->count++) {
        text_add(call->out, ",");
        if (call->column + length + 3 > COLUMNS) {
            text_add(call->out, "\n%*s", call->indent, "");
            call->column = call->indent;
        } else {
            text_add(call->out, " ");
            call->column += 2;
        }
    }
    text_put(call->out, text.data, text.length);
    call->column += length;
    text_free(&text);
}

void call_end(struct call *call)
{
    text_add(call->out, ");\n");
}

const char *upper(struct arena *arena, const char *text)
{
    char *copy = arena_text(arena, text, strlen(text));
    for (char *p = copy; *p; p++)
        *p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p)
                                        : '_';
    return copy;
}

/* ---- names ---- */

/* Words that a user may write but that C, C++ or a header of theirs knows, and
 * names that the emitted C has itself where a user's name may stand. */
static const char *const words[] = {
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor",
    "bool", "break", "case", "catch", "char", "char16_t", "char32_t", "char8_t",
    "class", "co_await", "co_return", "co_yield", "compl", "complex", "concept",
    "const", "const_cast", "consteval", "constexpr", "constinit", "continue",
    "decltype", "default", "delete", "do", "double", "dynamic_cast", "else",
    "enum", "environ", "errno", "explicit", "export", "extern", "false",
    "float", "for", "friend", "goto", "i386", "if", "imaginary", "import",
    "inline", "int", "linux", "long", "module", "mutable", "namespace", "new",
    "noexcept", "noreturn", "not", "not_eq", "nullptr", "operator", "or",
    "or_eq", "private", "protected", "public", "register",
    "reinterpret_cast", "requires", "restrict", "return", "short", "signed",
    "sizeof", "static", "static_assert", "static_cast", "stderr", "stdin",
    "stdout", "struct", "switch", "template", "this", "thread_local", "throw",
    "true", "try", "typedef", "typeid", "typename", "typeof",
    "typeof_unqual", "union", "unix", "unsigned", "using", "virtual", "void",
    "volatile", "while", "xor", "xor_eq",
    /* types that stand beside parameters */
    "size_t", "ptrdiff_t", "wchar_t", "nullptr_t", "max_align_t", "intmax_t",
    "uintmax_t", "intptr_t", "uintptr_t", "int8_t", "int16_t", "int32_t",
    "int64_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t",
    /* parameters and locals of the emitted functions */
    "main", "params", "grads", "batch", "work", "loss", "run", "here", "memory",
    "state", "saved", "scratch", "key", "numbers", "status", "tensors",
    "optimizer", "update",
    "inputs", "outputs", "input_grads", "seed", "threads"
};

static bool has_end(const char *text, size_t length, const char *end)
{
    size_t bytes = strlen(end);

    return length > bytes && strncmp(text + length - bytes, end, bytes) == 0;
}

/* Ends of the names of the emitted functions. */
static bool is_function_name(const char *text, size_t length)
{
    static const char *const ends[] = { "_infer", "_forward", "_backward",
        "_train", "_init", "_pass", "_by_table", "_bytes" };

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (has_end(text, length, ends[i]))
            return true;
    return false;
}

/* Macros, and the enumerators of the emitted C. */
static bool is_capitals(const char *text, size_t length)
{
    bool letters = *text == 'I' || length > 1;

    for (size_t i = 0; i < length && letters; i++)
        letters = !(text[i] >= 'a' && text[i] <= 'z');
    return letters;
}

/* Of the constants that describe convolutions and their kin: emit_shape.c. */
static bool is_constant(const char *text, size_t length)
{
    static const char *const starts[] = { "conv_", "pool_", "attention_",
                                          "class_weights_" };
    bool found = false;

    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        found |= strncmp(text, starts[i], strlen(starts[i])) == 0;
    return found && isdigit((unsigned char)text[length - 1]);
}

static bool is_word(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == length
            && strncmp(words[i], text, length) == 0)
            return true;
    return strncmp(text, "rnet", 4) == 0 || strncmp(text, "strips", 6) == 0;
}

/* A name with '_' behind it is as reserved as without: so no two names become
 * one. */
static bool is_reserved(const char *text)
{
    size_t length = strlen(text);

    while (length > 1 && text[length - 1] == '_')
        length--;
    return is_word(text, length) || is_function_name(text, length)
        || is_capitals(text, length) || is_constant(text, length);
}

/* A name that begins with '_' gets a 'u' before it, as does one of 'u's and
 * '_', that no two become one. */
static const char *without_underscore(struct arena *arena, const char *text)
{
    return text[strspn(text, "u")] == '_' ? arena_format(arena, "u%s", text)
                                          : text;
}

const char *identifier(struct arena *arena, const char *text)
{
    text = without_underscore(arena, text);
    return is_reserved(text) ? arena_format(arena, "%s_", text) : text;
}

/* What the linker sees: NAME, NAME_init, ... must not stand in for the
 * library's. */
static bool hides_library(const char *text)
{
    char name[LIMIT_NAME + 8];

    snprintf(name, sizeof name, "%.*s_init", LIMIT_NAME, text);
    return c_library_has(text) || c_library_has(name);
}

const char *global_identifier(struct arena *arena, const char *text)
{
    text = identifier(arena, text);
    return hides_library(text) ? arena_format(arena, "%s_", text) : text;
}

/* ---- comments ---- */

/* Printable ASCII; '*' and '/' that would meet, two '?', and a '\\' at the end
 * of a line stay apart. */
void comment_text(struct text *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i] == '\t' ? ' ' : text[i];
        char last = out->length ? out->data[out->length - 1] : ' ';

        if (c < ' ' || c > '~')
            continue;
        if ((last == '*' && c == '/') || (last == '/' && c == '*')
            || (last == '?' && c == '?'))
            text_put(out, " ", 1);
        text_put(out, &c, 1);
    }
}

static bool word_character(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *p = text; *p; p++) {
        if (p[0] == '/' && p[1] == '*')
            p = strstr(p, "*/") + 1;
        else if (*p == *word && strncmp(p, word, length) == 0
                 && !word_character(p[length])
                 && (p == text || !word_character(p[-1])))
            return true;
    }
    return false;
}

/* The shortest decimal that reads back as the same float. */
const char *number_c(struct arena *arena, double number)
{
    char text[64];

    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if ((float)strtod(text, NULL) == (float)number)
            break;
    }
    return arena_format(arena, "%s%s", text,
                        strpbrk(text, ".e") ? "f" : ".0f");
}

static const char *strips_name(struct compilation *c, int64_t rows)
{
    return rows == 1 ? "strips"
                     : arena_format(c->arena, "strips_%" PRId64, rows);
}

static const char *term(struct compilation *c, const char *text, int64_t n,
                        const char *unit)
{
    return arena_format(c->arena, "%s%s%" PRId64 "%s%s", text,
                        *text ? " + " : "", n, *unit ? " * " : "", unit);
}

const char *form_c(struct compilation *c, const struct form_size *form)
{
    const struct units *units = c->network->units;
    const char *text = "";

    for (int i = 0; i < units->count; i++)
        if (form->per_strips[i])
            text = term(c, text, form->per_strips[i],
                        strips_name(c, units->rows[i]));
    if (form->per_sample)
        text = term(c, text, form->per_sample, "run->batch");
    if (form->constant)
        text = term(c, text, form->constant, "");
    return text;
}

const char *form_macro(struct compilation *c, const struct form_size *form)
{
    const struct units *units = c->network->units;
    const char *text = arena_format(c->arena, "(size_t)%" PRId64,
                                    form->constant);

    for (int i = 0; i < units->count; i++)
        if (form->per_strips[i])
            text = arena_format(c->arena, "%s \\\n     + (size_t)%" PRId64
                " * (((size_t)(batch)%s + 31) / 32)", text,
                form->per_strips[i], units->rows[i] == 1 ? ""
                : arena_format(c->arena, " * %" PRId64, units->rows[i]));
    if (form->per_sample)
        text = arena_format(c->arena, "%s \\\n     + (size_t)%" PRId64
                            " * (size_t)(batch)", text, form->per_sample);
    return text;
}
