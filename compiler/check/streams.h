/* streams.h: what the kinds of streams share.  streams.c: kinds, arguments,
 * running; stream_depth.c: attention and weighted; stream_hyper.c: hyper and
 * manifold; stream_reversible.c. */
#ifndef STREAMS_H
#define STREAMS_H

#include "check.h"

struct stream {
    const struct kind *kind;
    struct ast *ast;
    int64_t n;                  /* streams */
    int64_t every, iterations;
    bool dynamic;
    struct value *values;       /* attention, weighted: [v_0, v_1, ...] */
    struct value *keys;         /* attention: each of them normalised */
    int64_t count;              /* of them */
    struct value *partial;      /* attention: the sum of a block of `within` */
    int64_t within, blocks;     /* blocks: of the .rnet, so far */
    struct value *carried;      /* hyper: what a block's result is added to */
    struct weights write;       /* hyper: how */
    struct value *first, *second;       /* reversible: the halves, in turn */
    struct node **steps;        /* reversible: calls of this iteration; */
    size_t size, count_steps;
    bool inner;                 /* it has more than calls: a repeat */
};

typedef struct value *stream_step(struct body *body, struct stream *stream,
                                  struct value *x, struct span span);

static inline struct span stream_span(const struct stream *stream)
{
    return stream->ast->a->span;
}

/* A kind's steps: what enters becomes the stream, a block reads it and its
 * result is written to it, and when the group ends it is read out. */
extern stream_step attention_enter, attention_read, attention_write,
    attention_leave, hyper_enter, hyper_read, hyper_write, hyper_leave,
    manifold_read, reversible_enter, reversible_read, reversible_write,
    reversible_leave;

/* The iterations of a weighted stream, each with the sum that follows it. */
struct value *run_weighted(struct body *body, struct stream *stream,
                           struct value *x);
/* False: what looks back at all before it cannot be recomputed in parts. */
bool stream_no_checkpoint(struct body *body, const struct ast *ast);
/* The inverse of an iteration. */
struct value *reversible_undo(struct body *body, struct stream *stream,
                              struct value *y);

/* `stream.k` and parameters under it */
struct piece *site_path(struct body *body);
struct param *site_vector(struct body *body, struct piece *path,
                          const char *leaf, int64_t size, double value);
struct param *site_matrix(struct body *body, struct piece *path,
                          const char *leaf, int64_t rows, int64_t columns);
/* `spread` more on the diagonal, which begins at a column */
void site_diagonal(struct param *param, double mean, double spread,
                   int64_t column);
/* a norm without parameters, which takes no number from the user's */
struct value *stream_normed(struct body *body, const char *kind,
                            int64_t groups, struct value *x, struct span span);
/* [a, b] along features */
struct value *stream_beside(struct body *body, struct value *a,
                            struct value *b, struct span span);

#endif
