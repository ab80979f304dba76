/* guarded.c: arrays that end at a page without access. */
#define _GNU_SOURCE
#include "guarded.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATTERN 0xa5

/* The array at the end of the pages; all else is the pattern. */
static void lay_out(struct guarded *memory, size_t bytes, size_t align,
                    size_t slack)
{
    unsigned char *end = memory->map + memory->map_bytes - slack - bytes;

    memset(memory->map, PATTERN, memory->map_bytes);
    memory->data = end - (uintptr_t)end % align;
    memory->bytes = bytes;
}

struct guarded guarded_new(size_t bytes, size_t align, size_t slack)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (bytes + align + slack + page - 1) / page * page;
    unsigned char *map = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct guarded memory = { .map = map, .map_bytes = room };

    if (map == MAP_FAILED || mprotect(map + room, page, PROT_NONE)) {
        perror("guarded memory");
        exit(2);
    }
    lay_out(&memory, bytes, align, slack);
    return memory;
}

/* Pages that are many more than needed are given back: filling them takes
 * time. */
void guarded_renew(struct guarded *memory, size_t bytes, size_t align,
                   size_t slack)
{
    size_t needed = bytes + align + slack;

    if (memory->map && needed <= memory->map_bytes
        && memory->map_bytes < 4 * needed + 16384) {
        lay_out(memory, bytes, align, slack);
        return;
    }
    guarded_free(memory);
    *memory = guarded_new(bytes, align, slack);
}

void guarded_free(struct guarded *memory)
{
    if (memory->map)
        munmap(memory->map,
               memory->map_bytes + (size_t)sysconf(_SC_PAGESIZE));
    memset(memory, 0, sizeof *memory);
}

void guarded_poison(struct guarded *memory)
{
    memset(memory->data, 0xff, memory->bytes);
}

static int all_pattern(const unsigned char *from, const unsigned char *to)
{
    while (from < to && *from == PATTERN)
        from++;
    return from == to;
}

int guarded_intact(const struct guarded *memory)
{
    const unsigned char *data = memory->data;
    return all_pattern(memory->map, data)
        && all_pattern(data + memory->bytes, memory->map + memory->map_bytes);
}
