/* fixture.h: reads the files that fixtures/make_fixtures.py writes.  This is
 * not the runtime's reader: what is under test does not test itself. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <stddef.h>

#define FIXTURE_RANK 8

struct piece {                  /* one tensor */
    char name[128];             /* "grad:linear.0.weight" */
    int integer;                /* int32_t, else float */
    int rank;
    long shape[FIXTURE_RANK];
    size_t count;               /* product of shape */
    const void *data;
};

struct fixture {
    unsigned char *bytes;
    size_t size;
    struct piece *pieces;
    int count;
};

/* Reads all of `path`; on failure prints why and exits with 2. */
void fixture_read(struct fixture *fixture, const char *path);
void fixture_free(struct fixture *fixture);

/* The piece called kind:name, or kind alone where name is NULL; NULL when
 * there is none. */
const struct piece *fixture_find(const struct fixture *fixture,
                                 const char *kind, const char *name);

#endif
