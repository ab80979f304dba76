/* folder.c: see folder.h. */
#include "folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t hash_of(int file, long *size)
{
    unsigned char bytes[4096];
    uint64_t hash = 14695981039346656037u;
    ssize_t count;

    *size = 0;
    while ((count = read(file, bytes, sizeof bytes)) > 0) {
        for (ssize_t i = 0; i < count; i++)
            hash = (hash ^ bytes[i]) * 1099511628211u;
        *size += count;
    }
    return hash;
}

static void list_file(struct folder *folder, int at, const char *name)
{
    struct folder_file *file = &folder->file[folder->count++];
    struct stat about;
    int opened = openat(at, name, O_RDONLY);

    memset(file, 0, sizeof *file);
    snprintf(file->name, sizeof file->name, "%s", name);
    fstatat(at, name, &about, AT_SYMLINK_NOFOLLOW);
    file->mode = (int)about.st_mode; /* of a link, that it is one */
    file->hash = hash_of(opened, &file->size);
    close(opened);
}

struct folder folder_list(const char *path)
{
    struct folder folder = { .count = 0 };
    DIR *directory = opendir(path);
    struct dirent *entry;

    while (directory && (entry = readdir(directory))
           && folder.count < FOLDER_FILES)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            list_file(&folder, dirfd(directory), entry->d_name);
    if (directory)
        closedir(directory);
    return folder;
}

const struct folder_file *folder_find(const struct folder *folder,
                                      const char *name)
{
    for (int i = 0; i < folder->count; i++)
        if (!strcmp(folder->file[i].name, name))
            return &folder->file[i];
    return NULL;
}

static int is_in(const struct folder_file *file, const struct folder *folder)
{
    const struct folder_file *other = folder_find(folder, file->name);

    return other && other->size == file->size && other->hash == file->hash
           && other->mode == file->mode;
}

static int is_temporary(const struct folder_file *file, const char *temporary)
{
    return temporary && strstr(file->name, temporary);
}

static int within(const struct folder *a, const struct folder *b,
                  const char *temporary)
{
    for (int i = 0; i < a->count; i++)
        if (!is_in(&a->file[i], b) && !is_temporary(&a->file[i], temporary))
            return 0;
    return 1;
}

int folder_same(const struct folder *now, const struct folder *other,
                const char *temporary)
{
    return within(now, other, temporary) && within(other, now, NULL);
}

int folder_one_of(const struct folder *now, const struct folder *before,
                  const struct folder *after, const char *temporary)
{
    for (int i = 0; i < now->count; i++)
        if (!is_in(&now->file[i], before) && !is_in(&now->file[i], after)
            && !is_temporary(&now->file[i], temporary))
            return 0;
    for (int i = 0; i < before->count; i++)
        if (!folder_find(now, before->file[i].name))
            return 0;
    return 1;
}
