/* subject.h: a checked network and the names of its tensors.
 *
 * The compiler's front end gives the network; nothing after check() is asked.
 * Names are put together here, from the pieces of paths, and are what a tensor
 * is known by: in the interpreter, and in the emitted table. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "graph.h"

/* One run of a region: where its parameters' names begin, and the indices of
 * the repeats around it in its function.  `code` is the region that stands for
 * it where several are alike but for numbers; parameters have their names
 * there.  Both have the same operations in the same order. */
struct frame {
    const struct region *region, *code;
    const struct frame *outer;          /* of a loop's body; or NULL */
    const char *prefix;
    int64_t index[LIMIT_NEST_REPEAT];
    int depth;
    int64_t key;                        /* number of its first dropout */
};

struct named {                          /* one tensor, repeats unrolled */
    const char *name;
    const struct param *param;
    size_t number;                      /* in subject->tensors */
    struct named *next;                 /* with the same hash */
};

struct subject {
    struct compilation c;
    struct arena arena;
    struct names names;
    struct diag diag;
    const struct network *network;
    struct named **tensors;
    size_t count, size;
    struct named *slots[4096];          /* by name */
    int64_t *keys;                      /* by id of a region's first input */
    double work;                        /* multiply-adds of a sample, about */
    bool normalises;                    /* has a batch norm: the fewest of */
    int64_t least_rows;                 /* rows of a sample in any of them */
    int shared_call;                    /* while its tensors are listed: of
                                           blocks whose tensors are known */
};

/* Reads a network as `rnetc argv[1] ...` would; messages go to stderr.  NULL
 * after an error. */
struct subject *subject_read(int argc, char **argv);
void subject_free(struct subject *subject);

/* The tensor of that name, or NULL. */
const struct named *subject_find(const struct subject *subject,
                                 const char *name);

/* The name that a path has within a frame; leaf NULL: of a block. */
const char *subject_name(struct arena *arena, const struct frame *frame,
                         const struct piece *path, const char *leaf);

/* An operation, and the one that stands for it. */
struct pair { const struct node *node, *code; };
struct pair pair_first(const struct frame *frame);
struct pair pair_next(struct pair pair);

/* Frames: of the network; of iteration i of a loop; of a call. */
struct frame frame_main(const struct subject *subject);
struct frame frame_iteration(const struct subject *subject,
                             const struct frame *outer, struct pair loop,
                             int64_t i, int64_t key);
struct frame frame_call(struct arena *arena, const struct frame *outer,
                        struct pair call, int64_t key);
/* The frame, this or one around it, whose parameters the code holds. */
const struct frame *frame_of(const struct frame *frame,
                             const struct region *region);

/* Dropouts in one run of the region, and of what it calls and repeats; those
 * of a call or loop. */
int64_t subject_keys(const struct subject *subject,
                     const struct region *region);
int64_t subject_keys_of(const struct subject *subject,
                        const struct node *node);

#endif
