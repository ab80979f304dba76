/* ast_main.c: parses files and prints their trees: `ast_dump [-q] [--json]
 * file...`.  Errors go to standard output too, before the tree; -q leaves the
 * trees out.  Ends with 1 after an error. */
#include <string.h>

#include "ast.h"

int main(int count, char **arguments)
{
    static struct diag diag;
    struct arena arena = {0};
    struct names names = { .arena = &arena };
    bool quiet = false;

    diag.arena = &arena;
    diag.out = stdout;
    diag.max_errors = 20;
    for (int i = 1; i < count; i++) {
        struct ast *tree;
        int file;

        if (strcmp(arguments[i], "-q") == 0) {
            quiet = true;
            continue;
        }
        if (strcmp(arguments[i], "--json") == 0) {
            diag.format = DIAG_JSON;
            continue;
        }
        if (strcmp(arguments[i], "--color") == 0) {
            diag.color = true;
            continue;
        }
        file = diag_open(&diag, arguments[i], NULL);
        if (file < 0)
            continue;
        tree = parse_file(&arena, &names, &diag, file);
        if (!quiet)
            ast_dump(stdout, tree);
    }
    diag_finish(&diag);
    arena_release(&arena);
    return diag.errors > 0;
}
