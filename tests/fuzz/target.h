/* target.h: what a fuzz target is, and what several of them need. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* A target: harms nothing, leaks nothing, returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Paths of two files in memory that hold what was put there last. */
const char *fuzz_file(int which, const uint8_t *data, size_t size);

/* Ends the process: what is promised does not hold. */
void fuzz_check(int holds, const char *promise);

/* A message is one line that a terminal can be given. */
void fuzz_check_message(const char *text, size_t size);

#endif
