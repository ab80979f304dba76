/* faulty.c: see faulty.h.
 *
 * -DPRELOADED: FAULTS="kinds at errno manner", four numbers, arms it;
 * FAULTS_LOG names a file that gets, when the program exits, "hit live open":
 * whether the fault came, blocks of memory not freed, descriptors above 2. */
#include "faulty.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined WRAPPED
#define FAKE(name) __wrap_##name
#define REAL(name) __real_##name
#define DECLARE(type, name, ...) type __real_##name(__VA_ARGS__);
#define MEMORY(name) REAL(name)
#else
#define FAKE(name) name
#define REAL(name) ((__typeof__(name) *)real(&found_##name, #name))
#define DECLARE(type, name, ...) static void *_Atomic found_##name;
#define MEMORY(name) __libc_##name

/* The C library's own; its dlsym may allocate, which is why its allocator is
 * called by the names below. */
static void *real(void *_Atomic *found, const char *name)
{
    void *address = atomic_load(found);

    if (!address) {
        address = dlsym(RTLD_NEXT, name);
        atomic_store(found, address);
    }
    return address;
}

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);
#endif

DECLARE(int, pthread_create, pthread_t *, const pthread_attr_t *,
        void *(*)(void *), void *)
DECLARE(int, pthread_mutex_init, pthread_mutex_t *,
        const pthread_mutexattr_t *)
DECLARE(int, pthread_cond_init, pthread_cond_t *, const pthread_condattr_t *)
DECLARE(int, open, const char *, int, ...)
DECLARE(int, mkstemp, char *)
DECLARE(ssize_t, read, int, void *, size_t)
DECLARE(ssize_t, write, int, const void *, size_t)
DECLARE(int, fsync, int)
DECLARE(int, close, int)
DECLARE(int, rename, const char *, const char *)
DECLARE(int, link, const char *, const char *)
DECLARE(int, unlink, const char *)
DECLARE(int, stat, const char *, struct stat *)
DECLARE(int, lstat, const char *, struct stat *)
DECLARE(int, fstat, int, struct stat *)
DECLARE(int, access, const char *, int)
DECLARE(int, fchmod, int, mode_t)
DECLARE(char *, realpath, const char *, char *)
DECLARE(char *, getcwd, char *, size_t)

/* ----------------------------------------------------------------- the plan */

static struct fault plan;
static atomic_int armed;
static atomic_long calls, live;
static atomic_int hits;
static char trace[1 << 13];
static size_t traced;
static pthread_mutex_t tracing = PTHREAD_MUTEX_INITIALIZER;

static void note(const char *name)
{
    size_t length = strlen(name);

    pthread_mutex_lock(&tracing);
    if (traced + length + 2 < sizeof trace) {
        if (traced)
            trace[traced++] = ' ';
        memcpy(trace + traced, name, length + 1);
        traced += length;
    }
    pthread_mutex_unlock(&tracing);
}

void faults_arm(struct fault fault)
{
    plan = fault;
    traced = 0;
    trace[0] = '\0';
    atomic_store(&calls, 0);
    atomic_store(&hits, 0);
    atomic_store(&armed, 1);
}

int faults_disarm(void)
{
    atomic_store(&armed, 0);
    return atomic_load(&hits) > 0;
}

long faults_live(void)
{
    return atomic_load(&live);
}

const char *faults_trace(void)
{
    return trace;
}

/* What becomes of a call. */
enum fate {
    FATE_NONE,
    FATE_FAIL,
    FATE_HALF,
    FATE_ZERO,
    FATE_END_HALF,
    FATE_END
};

static enum fate fate(enum fault_kind kind, const char *name)
{
    if (!atomic_load(&armed) || !(plan.kinds & kind))
        return FATE_NONE;
    if (kind != FAULT_MEMORY)
        note(name);
    long call = atomic_fetch_add(&calls, 1) + 1;
    if (call < plan.at || (call > plan.at && plan.manner != FAULT_EVER))
        return FATE_NONE;
    atomic_fetch_add(&hits, 1);
    errno = plan.number;
    switch (plan.manner) {
    case FAULT_BEFORE: _exit(FAULT_EXIT);
    case FAULT_AFTER: return FATE_END;
    case FAULT_WITHIN: return FATE_END_HALF;
    case FAULT_SHORT: return FATE_HALF;
    case FAULT_NOTHING: return FATE_ZERO;
    default: return FATE_FAIL;
    }
}

/* The body of a call that only fails or not. */
#define CALL(kind, name, failed, ...) \
    do { \
        enum fate what = fate(kind, #name); \
        if (what == FATE_FAIL || what == FATE_HALF || what == FATE_ZERO) \
            return failed; \
        __typeof__(REAL(name)(__VA_ARGS__)) result = REAL(name)(__VA_ARGS__); \
        if (what != FATE_NONE) \
            _exit(FAULT_EXIT); \
        return result; \
    } while (0)

/* ------------------------------------------------------------------- memory */

static int no_memory(void)
{
    return fate(FAULT_MEMORY, "malloc") != FATE_NONE;
}

static void *counted(void *memory)
{
    if (memory)
        atomic_fetch_add(&live, 1);
    return memory;
}

void *FAKE(malloc)(size_t bytes);
void *FAKE(calloc)(size_t count, size_t bytes);
void *FAKE(realloc)(void *memory, size_t bytes);
void *FAKE(aligned_alloc)(size_t alignment, size_t bytes);
void FAKE(free)(void *memory);
#if defined WRAPPED
DECLARE(void *, malloc, size_t)
DECLARE(void *, calloc, size_t, size_t)
DECLARE(void *, realloc, void *, size_t)
DECLARE(void *, aligned_alloc, size_t, size_t)
DECLARE(void, free, void *)
#else
#define __libc_aligned_alloc __libc_memalign

int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    *memory = aligned_alloc(alignment, bytes);
    return *memory ? 0 : ENOMEM;
}
#endif

void *FAKE(malloc)(size_t bytes)
{
    return no_memory() ? NULL : counted(MEMORY(malloc)(bytes));
}

void *FAKE(calloc)(size_t count, size_t bytes)
{
    return no_memory() ? NULL : counted(MEMORY(calloc)(count, bytes));
}

void *FAKE(aligned_alloc)(size_t alignment, size_t bytes)
{
    return no_memory() ? NULL
                       : counted(MEMORY(aligned_alloc)(alignment, bytes));
}

void *FAKE(realloc)(void *memory, size_t bytes)
{
    if (no_memory())
        return NULL;
    void *moved = MEMORY(realloc)(memory, bytes);
    return memory ? moved : counted(moved);
}

void FAKE(free)(void *memory)
{
    int number = errno;

    if (memory)
        atomic_fetch_sub(&live, 1);
    MEMORY(free)(memory);
    errno = number;
}

/* ------------------------------------------------------------------ threads */

int FAKE(pthread_create)(pthread_t *thread, const pthread_attr_t *attributes,
                         void *(*run)(void *), void *argument)
{
    CALL(FAULT_THREAD, pthread_create, EAGAIN, thread, attributes, run,
         argument);
}

int FAKE(pthread_mutex_init)(pthread_mutex_t *mutex,
                             const pthread_mutexattr_t *attributes)
{
    CALL(FAULT_LOCK, pthread_mutex_init, ENOMEM, mutex, attributes);
}

int FAKE(pthread_cond_init)(pthread_cond_t *cond,
                            const pthread_condattr_t *attributes)
{
    CALL(FAULT_LOCK, pthread_cond_init, ENOMEM, cond, attributes);
}

/* -------------------------------------------------------------------- files */

static int open_file(const char *path, int flags, mode_t mode)
{
    CALL(FAULT_OPEN, open, -1, path, flags, mode);
}

int FAKE(open)(const char *path, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? (mode_t)va_arg(arguments, int) : 0;
    va_end(arguments);
    return open_file(path, flags, mode);
}

#if !defined WRAPPED
int open64(const char *path, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? (mode_t)va_arg(arguments, int) : 0;
    va_end(arguments);
    return open_file(path, flags, mode);
}
#endif

int FAKE(mkstemp)(char *path)
{
    CALL(FAULT_OPEN, mkstemp, -1, path);
}

ssize_t FAKE(read)(int file, void *bytes, size_t count)
{
    enum fate what = fate(FAULT_READ, "read");

    if (what == FATE_FAIL)
        return -1;
    if (what == FATE_ZERO)
        return 0;
    ssize_t got = REAL(read)(file, bytes,
                             what == FATE_HALF ? (count + 1) / 2 : count);
    if (what == FATE_END || what == FATE_END_HALF)
        _exit(FAULT_EXIT);
    return got;
}

ssize_t FAKE(write)(int file, const void *bytes, size_t count)
{
    enum fate what = fate(FAULT_WRITE, "write");

    if (what == FATE_FAIL)
        return -1;
    if (what == FATE_ZERO)
        return 0;
    if (what == FATE_HALF)      /* all but one byte */
        count -= count > 0;
    ssize_t wrote = REAL(write)(file, bytes, what == FATE_END_HALF ? count / 2
                                                                   : count);
    if (what == FATE_END || what == FATE_END_HALF)
        _exit(FAULT_EXIT);
    return wrote;
}

int FAKE(fsync)(int file)
{
    CALL(FAULT_SYNC, fsync, -1, file);
}

/* As Linux has it: the descriptor is gone whatever close says. */
int FAKE(close)(int file)
{
    enum fate what = fate(FAULT_CLOSE, "close");
    int result = REAL(close)(file);

    if (what == FATE_END || what == FATE_END_HALF)
        _exit(FAULT_EXIT);
    if (what == FATE_NONE)
        return result;
    errno = plan.number;
    return -1;
}

int FAKE(rename)(const char *from, const char *to)
{
    CALL(FAULT_RENAME, rename, -1, from, to);
}

int FAKE(link)(const char *from, const char *to)
{
    CALL(FAULT_LINK, link, -1, from, to);
}

int FAKE(unlink)(const char *path)
{
    CALL(FAULT_UNLINK, unlink, -1, path);
}

int FAKE(stat)(const char *path, struct stat *about)
{
    CALL(FAULT_STAT, stat, -1, path, about);
}

int FAKE(lstat)(const char *path, struct stat *about)
{
    CALL(FAULT_STAT, lstat, -1, path, about);
}

int FAKE(fstat)(int file, struct stat *about)
{
    CALL(FAULT_STAT, fstat, -1, file, about);
}

int FAKE(access)(const char *path, int mode)
{
    CALL(FAULT_STAT, access, -1, path, mode);
}

int FAKE(fchmod)(int file, mode_t mode)
{
    CALL(FAULT_MODE, fchmod, -1, file, mode);
}

char *FAKE(realpath)(const char *path, char *to)
{
    CALL(FAULT_PATH, realpath, NULL, path, to);
}

char *FAKE(getcwd)(char *to, size_t size)
{
    CALL(FAULT_PATH, getcwd, NULL, to, size);
}

/* ------------------------------------------------------------------ streams */

#if !defined WRAPPED
/* A stream that reads and writes with the calls above. */
static ssize_t stream_read(void *cookie, char *bytes, size_t count)
{
    return read((int)(intptr_t)cookie, bytes, count);
}

static ssize_t stream_write(void *cookie, const char *bytes, size_t count)
{
    ssize_t wrote = write((int)(intptr_t)cookie, bytes, count);
    return wrote < 0 ? 0 : wrote;
}

static int stream_seek(void *cookie, off64_t *offset, int whence)
{
    *offset = lseek((int)(intptr_t)cookie, *offset, whence);
    return *offset < 0 ? -1 : 0;
}

static int stream_close(void *cookie)
{
    return close((int)(intptr_t)cookie);
}

FILE *fopen(const char *path, const char *mode)
{
    int flags = *mode == 'r'
                    ? O_RDONLY
                    : O_WRONLY | O_CREAT | (*mode == 'w' ? O_TRUNC : O_APPEND);
    int file = open(path, flags, 0666);

    if (file < 0)
        return NULL;
    FILE *stream = fopencookie(
        (void *)(intptr_t)file, mode,
        (cookie_io_functions_t){ stream_read, stream_write, stream_seek,
                                 stream_close });
    if (!stream) {
        int number = errno;
        REAL(close)(file);
        errno = number;
    }
    return stream;
}
#endif

/* ------------------------------------------------------- a program as it is */

#if defined PRELOADED
static int open_files(void)
{
    int count = 0;

    for (int file = 3; file < 256; file++)
        count += fcntl(file, F_GETFD) >= 0;
    return count;
}

static void report(void)
{
    const char *path = getenv("FAULTS_LOG");
    char line[64];

    faults_disarm();
    int files = open_files();
    int log = path ? REAL(open)(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    if (log < 0)
        return;
    int length = snprintf(line, sizeof line, "%d %ld %d\n", atomic_load(&hits),
                          faults_live(), files);
    if (REAL(write)(log, line, (size_t)length) != length)
        _exit(FAULT_EXIT);
    REAL(close)(log);
}

typedef int program(int, char **, char **);
static program *program_main;

static int run_program(int argc, char **argv, char **environment)
{
    const char *text = getenv("FAULTS");
    struct fault fault = { 0 };
    int manner;

    if (text
        && sscanf(text, "%u %ld %d %d", &fault.kinds, &fault.at, &fault.number,
                  &manner)
               == 4) {
        fault.manner = (enum fault_manner)manner;
        atexit(report);
        faults_arm(fault);
    }
    return program_main(argc, argv, environment);
}

/* Around main: neither what runs before it is to fail nor what runs after it,
 * as gcov's writing of its counts. */
int __libc_start_main(program *main, int argc, char **argv,
                      void (*begin)(void), void (*end)(void),
                      void (*loader_end)(void), void *stack)
{
    __typeof__(__libc_start_main) *start = dlsym(RTLD_NEXT,
                                                 "__libc_start_main");

    program_main = main;
    return start(run_program, argc, argv, begin, end, loader_end, stack);
}
#endif
