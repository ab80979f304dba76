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

/* Words that a user may write but C does not let be a name, and names that
 * the emitted C uses itself. */
static bool reserved(const char *text)
{
    static const char *const words[] = {
        "auto", "break", "case", "char", "const", "continue", "default", "do",
        "double", "else", "enum", "extern", "float", "for", "goto", "if",
        "inline", "int", "long", "register", "restrict", "return", "short",
        "signed", "sizeof", "static", "struct", "switch", "typedef", "union",
        "unsigned", "void", "volatile", "while", "asm", "typeof", "alignas",
        "alignof", "bool", "constexpr", "false", "nullptr", "static_assert",
        "thread_local", "true", "and", "or", "not", "xor", "catch", "class",
        "delete", "explicit", "export", "friend", "mutable", "namespace",
        "new", "operator", "private", "protected", "public", "template",
        "this", "throw", "try", "typename", "using", "virtual", "linux",
        "unix", "errno", "stdin", "stdout", "stderr", "main", "params",
        "grads", "batch", "work", "loss", "run", "state", "saved", "scratch",
        "key", "numbers", "status", "inputs", "outputs", "input_grads", "strips", "NULL",
        "NAN", "INFINITY", "EOF", "I",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], text) == 0)
            return true;
    return *text == '_' || strncmp(text, "rnet", 4) == 0
        || strncmp(text, "RNET", 4) == 0;
}

/* Names of the C library: a network is a global of the program. */
static bool is_library(const char *text)
{
    static const char *const words[] = {
        "abort", "abs", "accept", "access", "acos", "alarm", "asin", "assert",
        "atan", "atexit", "atof", "atoi", "bind", "bsearch", "calloc", "cbrt",
        "ceil", "clock", "close", "connect", "cos", "cosh", "creat", "daemon",
        "div", "dup", "environ", "erf", "erfc", "exec", "exit", "exp", "exp2",
        "expm1", "fabs", "fclose", "fdim", "fflush", "floor", "fma", "fmax",
        "fmin", "fmod", "fopen", "fork", "fprintf", "fread", "free", "frexp",
        "fwrite", "gamma", "getc", "getenv", "gets", "gmtime", "hypot",
        "index", "int16_t", "int32_t", "int64_t", "int8_t", "ioctl",
        "isalpha", "isdigit", "isspace", "j0", "j1", "jn", "kill", "labs",
        "ldexp", "lgamma", "link", "listen", "localtime", "log", "log10",
        "log1p", "log2", "longjmp", "lseek", "malloc", "memchr", "memcmp",
        "memcpy", "memmove", "memset", "mktime", "mmap", "modf", "nan",
        "nice", "offsetof", "open", "optarg", "optind", "pause", "perror",
        "pipe", "poll", "pow", "printf", "ptrdiff_t", "putc", "putchar",
        "puts", "qsort", "raise", "rand", "random", "read", "realloc", "recv",
        "remainder", "remove", "rename", "rewind", "rindex", "rint", "round",
        "scanf", "select", "send", "setjmp", "signal", "sin", "sinh",
        "size_t", "sleep", "socket", "sprintf", "sqrt", "srand", "stat",
        "strcat", "strchr", "strcmp", "strcpy", "strdup", "strlen", "strstr",
        "strtod", "strtol", "sync", "system", "tan", "tanh", "tgamma", "time",
        "times", "tolower", "toupper", "trunc", "uint16_t", "uint32_t",
        "uint64_t", "uint8_t", "unlink", "wait", "write", "y0", "y1", "yn",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], text) == 0)
            return true;
    return false;
}

const char *global_identifier(struct arena *arena, const char *text)
{
    return is_library(text) ? arena_format(arena, "%s_", text)
                            : identifier(arena, text);
}

const char *identifier(struct arena *arena, const char *text)
{
    if (!reserved(text))
        return text;
    return arena_format(arena, "%s%s_", *text == '_' ? "x" : "", text);
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
