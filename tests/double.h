/* double.h: the double build.  `-DRNET_ONLY_SCALAR -include tests/double.h`
 * compiles emitted C, runtime/ and runtime/scalar/ with double in place of
 * float: gradients can then be checked by differences to eight digits.  The
 * system's headers come first, as their declarations must keep their float. */
#ifndef RNET_DOUBLE_H
#define RNET_DOUBLE_H

#ifndef RNET_ONLY_SCALAR
#error "the double build has no vector kernels: add -DRNET_ONLY_SCALAR"
#endif

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define float double
#define RNET_DOUBLE 1

#endif
