/* emit.h: what the parts of the writer share.  The writer decides nothing:
 * schedules say which kernels run and where values lie. */
#ifndef EMIT_H
#define EMIT_H

#include "schedule.h"

#define RNETC_VERSION "0.1.0"
#define CONTRACT 5              /* RNET_VERSION of the rnet.h that it writes for */

/* model.c and model.h, as text. */
struct emitted { struct text source, header; };

void emit(struct compilation *c, const char *header_name,
          struct emitted *out);

/* write.c: laying out C */
struct call { struct text *out; int indent, column, count; };
void call_begin(struct call *call, struct text *out, int indent,
                const char *name);
void call_argument(struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void call_end(struct call *call);
const char *upper(struct arena *arena, const char *text);
/* What a user's name is called in C: different for different names, and never
 * a word, macro or name of C, C++, their headers or the emitted text. */
const char *identifier(struct arena *arena, const char *text);
const char *global_identifier(struct arena *arena, const char *text);
/* text of the user's, within a comment */
void comment_text(struct text *out, const char *text, size_t length);
/* library_names.c */
bool c_library_has(const char *text);
/* outside of the comments, all of which end */
bool has_word(const char *text, const char *word);
const char *number_c(struct arena *arena, double number);
/* "512 * strips + 16": the terms of a size for run->batch */
const char *form_c(struct compilation *c, const struct form_size *form);
/* the same for a macro's argument `batch`, as size_t */
const char *form_macro(struct compilation *c, const struct form_size *form);

/* emit_block.c: the functions of blocks and of the network */
void emit_functions(struct compilation *c, struct text *out);
void emit_signature(struct compilation *c, struct text *out,
                    const struct function *f, enum mode mode);
const char *port_c(struct compilation *c, const char *name);

/* emit_header.c */
void emit_header(struct compilation *c, struct text *out);
/* the first words of both files, a comment that is still open */
void emit_origin(struct compilation *c, struct text *out);
const char *network_c(struct compilation *c);       /* the network's name */
const char *macro_c(struct compilation *c);         /* in capitals */
bool trains(struct compilation *c);
bool wants_grad(const struct port *port);
const char *port_type_c(const struct port *port);   /* "float" */
/* "enum rnet_status NAME_train(...)" */
void prototype_c(struct compilation *c, struct text *out, bool training);
/* "infer", "train", or "step" with --fuse-optimizer, and what that takes */
const char *entry_word(const struct compilation *c, bool training);
const char *optimizer_type(const struct compilation *c);
/* floats of gradients that a step has in work memory */
int64_t held_grads(const struct compilation *c, bool training);
/* floats of work memory but for the workers', whose part is *worker each */
struct form_size total_size(struct compilation *c, bool training,
                            int64_t *worker);

void emit_entry_points(struct compilation *c, struct text *out);
void emit_table(struct compilation *c, struct text *out);

#endif
