/* folder.h: what is in a folder, to compare it with what was or should be. */
#ifndef FOLDER_H
#define FOLDER_H

#include <stdint.h>

enum { FOLDER_FILES = 64 };

struct folder_file {
    char name[256];
    long size;
    uint64_t hash;
    int mode;
};
struct folder {
    struct folder_file file[FOLDER_FILES];
    int count;
};

struct folder folder_list(const char *path);

const struct folder_file *folder_find(const struct folder *folder,
                                      const char *name);

/* The same files, but for those of `now` that have `temporary` in their names,
 * unless it is NULL. */
int folder_same(const struct folder *now, const struct folder *other,
                const char *temporary);

/* Each file of `now` is as in one of the two, or temporary; and all that was
 * before is there. */
int folder_one_of(const struct folder *now, const struct folder *before,
                  const struct folder *after, const char *temporary);

#endif
