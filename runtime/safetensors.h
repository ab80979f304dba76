/* safetensors.h: the header of a safetensors file; for the runtime alone. */
#ifndef RNET_SAFETENSORS_H
#define RNET_SAFETENSORS_H

#include "rnet.h"

#define RNET_HEADER_BYTES 100000000     /* the format's limit */

/* Where a failure is explained: `message` (or NULL) of `size` bytes. */
struct rnet_report {
    const char *path;
    char *message;
    size_t size;
};
/* Writes "path: " and the text; returns `status`.  Leaves errno alone. */
__attribute__((format(printf, 3, 4)))
enum rnet_status rnet_explain(const struct rnet_report *report,
                              enum rnet_status status, const char *format, ...);

struct rnet_text {
    char *bytes;                        /* any bytes, 0 among them */
    size_t length;
};
/* A text from a file, made fit for a message: short, printable ASCII. */
struct rnet_shown { char text[128]; };
struct rnet_shown rnet_show(struct rnet_text text);

enum rnet_dtype { RNET_F32, RNET_F16, RNET_BF16, RNET_OTHER };

struct rnet_item {                      /* a tensor of the file */
    struct rnet_text name;
    struct rnet_text type_name;
    enum rnet_dtype type;
    uint64_t width;                     /* bytes of a scalar */
    int rank;                           /* RNET_RANK + 1: more axes than that */
    uint64_t shape[RNET_RANK];
    uint64_t scalars;                   /* product of the whole shape */
    uint64_t begin, end;                /* bytes of the data */
    int used;
};
struct rnet_header {
    struct rnet_item *items;            /* in order of their names */
    size_t count, room;
};

/* Reads and checks the JSON `text` (changed on the way, and pointed into by
 * *header): UTF-8, syntax, no key twice, known types, sizes that fit shapes,
 * data without gap or overlap that ends at `data_bytes`.  text[length] is
 * writable.  *header is to be freed also after a failure. */
enum rnet_status rnet_header_read(struct rnet_header *header, char *text,
                                  size_t length, uint64_t data_bytes,
                                  const struct rnet_report *report);
struct rnet_item *rnet_header_find(const struct rnet_header *header,
                                   const char *name);
void rnet_header_free(struct rnet_header *header);

#endif
