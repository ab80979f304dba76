/* compiler.c: fuzz target: the whole pipeline on a .rnet file. */
#include "target.h"
#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);      /* the lexer's NUL is found to miss */

    memcpy(text, data, size);
    text[size] = '\0';
    pipeline(text, size);
    free(text);
    return 0;
}
