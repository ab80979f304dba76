/* library.c: the library's files.  The Makefile makes library.inc of them, a
 * row { "resnet", "text" } each, in the order of their names. */
#include "library.h"

#include "diag.h"

#include <string.h>

static const struct library_file files[] = {
#include "library.inc"
};
enum { FILES = sizeof files / sizeof files[0] };

const struct library_file *library_files(size_t *count)
{
    *count = FILES;
    return files;
}

const struct library_file *library_find(const char *name)
{
    for (int i = 0; i < FILES; i++)
        if (strcmp(files[i].name, name) == 0)
            return &files[i];
    return NULL;
}

const char *library_nearest(const char *name)
{
    const char *names[FILES];

    for (int i = 0; i < FILES; i++)
        names[i] = files[i].name;
    return diag_nearest(name, names, FILES);
}

void library_title(const struct library_file *file, struct text *out)
{
    const char *title = file->text + strspn(file->text, "/ ");

    text_put(out, title, strcspn(title, "\n"));
}
