/* limit.h: every limit on what the compiler takes.  The message that reports
 * one says its number; docs/RELIABILITY.md has them as a table. */
#ifndef LIMIT_H
#define LIMIT_H

#include <stdint.h>

enum {
    LIMIT_FILE_BYTES  = 16 << 20,   /* bytes of one source file */
    LIMIT_FILES       = 256,        /* files of one compilation */
    LIMIT_IMPORTS     = 64,         /* imports within imports */
    LIMIT_NAME        = 200,        /* bytes of a name, dotted names included */
    LIMIT_NESTING     = 200,        /* parentheses, braces, blocks in blocks */
    LIMIT_PARAMETERS  = 64,         /* parameters of a block or network */
    LIMIT_RECURSION   = 200,        /* blocks that call themselves */
    LIMIT_LEVEL       = 3000,       /* calls and expressions within one another */
    LIMIT_NEST_REPEAT = 4,          /* repeats within repeats */
    LIMIT_REPEAT      = 1000000,    /* iterations of one repeat */
    LIMIT_NODES       = 200000,     /* operations of one network */
    LIMIT_STEPS       = 2000000,    /* expressions read to unfold a network */
    LIMIT_HEAP        = 224 << 20,  /* bytes of memory that compiling takes */
    LIMIT_NUMBERS     = 1 << 20,    /* numbers that vary with a repeat's index */
    LIMIT_TENSORS     = 100000,     /* rows of the table of parameters */
    LIMIT_RANK        = 8,          /* axes of a value */
    LIMIT_OPERANDS    = 16,         /* values joined, or used within a repeat */
    LIMIT_UNITS       = 16,         /* different numbers of rows in a network */
    LIMIT_WINDOW      = 1 << 20,    /* kernel, stride, dilation, padding */
    LIMIT_OPEN        = 1000,       /* boxes of --dot before blocks stay closed */
    LIMIT_ERRORS      = 1000000,    /* -fmax-errors */
    LIMIT_BATCH       = 1 << 30,    /* batch of a call, and of --batch */
    LIMIT_THREADS     = 1024        /* --threads */
};
#define LIMIT_AXIS   ((int64_t)1 << 31)     /* one axis of a shape */
#define LIMIT_SIZE   ((int64_t)1 << 40)     /* scalars of a value or tensor */
#define LIMIT_MEMORY ((int64_t)1 << 50)     /* floats of work memory */

#endif
