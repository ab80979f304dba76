/* pipeline.h: the whole compiler on text in memory: what the fuzz target of
 * the compiler and the mangler share.
 *
 * The text is the main file.  A line "//// NAME.rnet" ends it and begins one
 * that it may import.  A first line "//: OPTION..." is a command line. */
#ifndef FUZZ_PIPELINE_H
#define FUZZ_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>

/* Compiles, and makes every report, in memory; checks what is promised of
 * messages and outputs, and ends the process where it does not hold.  True
 * when the text compiled. */
bool pipeline(const char *text, size_t length);

/* The messages of the last call, for a report. */
extern char *pipeline_messages;

#endif
