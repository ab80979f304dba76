/* hits.c: which basic blocks of a program ran: the callback of
 * -fsanitize-coverage=trace-pc.  HITS names a file with a byte for each byte of
 * the program's code; all processes that name it share it. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of the program or library that this is linked into. */
extern char __ehdr_start __attribute__((visibility("hidden")));
extern char etext __attribute__((visibility("hidden")));
static unsigned char *hits;

__attribute__((constructor(101))) static void begin(void)
{
    const char *path = getenv("HITS");
    size_t size = (size_t)(&etext - &__ehdr_start);
    int file = path ? open(path, O_RDWR | O_CREAT, 0600) : -1;

    if (file < 0)
        return;
    void *map = ftruncate(file, (off_t)size) ? MAP_FAILED
        : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (map != MAP_FAILED)
        hits = map;
}

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    if (hits)
        hits[(char *)__builtin_return_address(0) - &__ehdr_start] = 1;
}
