/* faulty.h: calls of the C library that fail when they are told to.
 *
 * faulty.c defines malloc, open, write and so on over the C library's.  It is
 * linked into a test, or preloaded into a program as it is (LD_PRELOAD; then
 * FAULTS in the environment says which call fails, see faulty.c).  With
 * -DWRAPPED it is for `-Wl,--wrap=`, under a sanitizer that has a malloc of its
 * own: then calls that the C library makes itself are not seen. */
#ifndef FAULTY_H
#define FAULTY_H

enum fault_kind {                        /* which calls are counted */
                  FAULT_MEMORY = 1 << 0, /* malloc calloc realloc aligned_alloc
                                   posix_memalign, also within the library */
                  FAULT_THREAD = 1 << 1, /* pthread_create */
                  FAULT_LOCK = 1
                               << 2, /* pthread_mutex_init pthread_cond_init */
                  FAULT_OPEN = 1 << 3,  /* open fopen mkstemp */
                  FAULT_READ = 1 << 4,  /* read, also a stream's */
                  FAULT_WRITE = 1 << 5, /* write */
                  FAULT_SYNC = 1 << 6,  /* fsync */
                  FAULT_CLOSE
                  = 1 << 7, /* close: the descriptor is closed even so */
                  FAULT_RENAME = 1 << 8,
                  FAULT_UNLINK = 1 << 9,
                  FAULT_STAT = 1 << 10, /* stat lstat fstat access */
                  FAULT_MODE = 1 << 11, /* fchmod */
                  FAULT_LINK = 1 << 12,
                  FAULT_PATH = 1 << 13, /* realpath getcwd */
                  FAULT_KINDS = 14,
                  FAULT_FILE = ((1 << FAULT_KINDS) - 1)
                               & ~7 /* all that touch files */
};

enum fault_manner {
    FAULT_ONCE,    /* that call fails, those after it do not */
    FAULT_EVER,    /* and all after it */
    FAULT_SHORT,   /* it reads half of the bytes, writes all but one */
    FAULT_NOTHING, /* it reads or writes none and returns 0 */
    FAULT_BEFORE,  /* the process ends before the call */
    FAULT_WITHIN,  /* with half of the bytes written */
    FAULT_AFTER    /* after the call */
};

enum { FAULT_EXIT = 99 }; /* status of a process that ended so */

struct fault {
    unsigned kinds;
    long at;    /* which of these calls, from 1 */
    int number; /* errno */
    enum fault_manner manner;
};

/* From now on; returns at once. */
void faults_arm(struct fault fault);
/* No more; whether the fault came. */
int faults_disarm(void);
/* Blocks of memory that were allocated and not freed. */
long faults_live(void);
/* The calls that were counted since faults_arm, by name: "open write fsync". */
const char *faults_trace(void);

#endif
