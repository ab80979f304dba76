/* mangle.c: parses what is left of good files after harm: `mangle [-s seed]
 * [-n count] file...`.  Every prefix; every token deleted, doubled, swapped
 * with the next or replaced by each sign; then `count` random heaps of their
 * tokens.  Each must end soon, with a whole tree, its spans in order.  The
 * first that fails is printed. */
#include <string.h>
#include <unistd.h>

#include "ast.h"

enum { SECONDS = 10, MOST_TOKENS = 4096 };

struct piece { const char *text; size_t length; };
struct pieces { struct piece piece[MOST_TOKENS]; int count; };

static struct text current;     /* what is being parsed, for the report */

static void fail(const char *reason)
{
    fprintf(stderr, "mangle: %s in:\n%s\n", reason, current.data);
    _exit(1);
}

static void check(const struct ast *ast, const struct span *around, int depth)
{
    for (; ast; ast = ast->next) {
        if (ast->span.begin > ast->span.end
            || ast->span.begin < around->begin || ast->span.end > around->end)
            fail("a span out of order");
        if (depth > 8 * LIMIT_NESTING)
            fail("a tree too deep");
        check(ast->a, &ast->span, depth + 1);
        check(ast->b, &ast->span, depth + 1);
        check(ast->c, &ast->span, depth + 1);
        check(ast->list, &ast->span, depth + 1);
        check(ast->parameters, &ast->span, depth + 1);
    }
}

static bool is_bad(const struct ast *ast)
{
    for (; ast; ast = ast->next)
        if (ast->kind == AST_BAD || is_bad(ast->a) || is_bad(ast->b)
            || is_bad(ast->c) || is_bad(ast->list) || is_bad(ast->parameters))
            return true;
    return false;
}

static int parse(FILE *out)
{
    static struct diag diag;
    struct arena arena = {0};
    struct names names = { .arena = &arena };
    struct ast *tree;
    int file;

    diag = (struct diag){ .arena = &arena, .out = out };
    alarm(SECONDS);
    file = diag_add(&diag, "mangled", current.data, current.length, NULL);
    if (file >= 0) {
        tree = parse_file(&arena, &names, &diag, file);
        if (!tree || tree->kind != AST_FILE)
            fail("no tree");
        check(tree, &tree->span, 0);
        if (diag.errors == 0 && is_bad(tree))
            fail("a bad node without an error");
    }
    diag_finish(&diag);
    arena_release(&arena);
    return diag.errors;
}

static void add(struct piece piece)
{
    text_put(&current, piece.text, piece.length);
}

static void cut(struct pieces *pieces, const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789."
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    while (*text && pieces->count < MOST_TOKENS) {
        size_t length = strspn(text, letters);

        if (length == 0)
            length = strspn(text, " \t\n");
        if (length == 0)
            length = 1;
        pieces->piece[pieces->count++] = (struct piece){ text, length };
        text += length;
    }
}

/* The pieces with number `at` taken out, and `instead` put there. */
static void parse_with(const struct pieces *pieces, int at, int taken,
                       const struct piece *instead, int count, FILE *out)
{
    current.length = 0;
    for (int i = 0; i < at; i++)
        add(pieces->piece[i]);
    for (int i = 0; i < count; i++)
        add(instead[i]);
    for (int i = at + taken; i < pieces->count; i++)
        add(pieces->piece[i]);
    parse(out);
}

static void mangle(const char *text, const struct pieces *pieces, FILE *out)
{
    static const char *const signs[] = {
        "(", ")", "[", "]", "{", "}", "->", "..", "=", "+=", "?", ":", ",",
        ".", "-", "^", "<", ";", "%", "\"", "/*", "block", "then", "as", "if",
        "else", "norm", "after", "repeat", "frozen", "input", "7", "2w", "x"
    };

    for (size_t i = 0; i <= strlen(text); i++) {
        current.length = 0;
        text_put(&current, text, i);
        parse(out);
    }
    for (int i = 0; i < pieces->count; i++) {
        const struct piece *p = &pieces->piece[i];
        struct piece two[2] = { p[0], p[0] };

        parse_with(pieces, i, 1, NULL, 0, out);
        parse_with(pieces, i, 1, two, 2, out);
        for (int j = 1; j <= 2 && i + j < pieces->count; j++) {
            struct piece swapped[3] = { p[j], p[1], p[0] };

            if (j == 1)
                swapped[1] = p[0];
            parse_with(pieces, i, j + 1, swapped, j + 1, out);
        }
        for (size_t j = 0; j < sizeof signs / sizeof *signs; j++) {
            struct piece sign = { signs[j], strlen(signs[j]) };

            parse_with(pieces, i, 1, &sign, 1, out);
        }
    }
}

static unsigned next_random(unsigned *seed)
{
    return *seed = *seed * 1664525u + 1013904223u, *seed >> 8;
}

static void heap(const struct pieces *pieces, int count, unsigned seed,
                 FILE *out)
{
    for (int i = 0; i < count; i++) {
        int length = 2 + (int)(next_random(&seed) % 120);

        current.length = 0;
        text_add(&current, next_random(&seed) % 2 ? "network x {\n" : "");
        while (length-- > 0) {
            add(pieces->piece[next_random(&seed) % (unsigned)pieces->count]);
            text_add(&current, next_random(&seed) % 8 ? " " : "\n");
        }
        parse(out);
    }
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct text text = {0};
    int byte;

    if (!file)
        exit(2);
    while ((byte = getc(file)) != EOF)
        text_put(&text, &(char){ (char)byte }, 1);
    fclose(file);
    return text.data;
}

int main(int count, char **arguments)
{
    FILE *out = fopen("/dev/null", "w");
    unsigned seed = 1;
    int heaps = 2000;

    for (int i = 1; i < count; i++) {
        static struct pieces pieces;
        char *text;

        if (strcmp(arguments[i], "-s") == 0 && i + 1 < count) {
            seed = (unsigned)atoi(arguments[++i]);
            continue;
        }
        if (strcmp(arguments[i], "-n") == 0 && i + 1 < count) {
            heaps = atoi(arguments[++i]);
            continue;
        }
        text = read_file(arguments[i]);
        pieces.count = 0;
        cut(&pieces, text);
        mangle(text, &pieces, out);
        heap(&pieces, heaps, seed, out);
        free(text);
    }
    text_free(&current);
    fclose(out);
    return 0;
}
