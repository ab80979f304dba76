/* emit.c: the C file and its header, from top to bottom.  Requires: plans. */
#include "emit.h"

#include <inttypes.h>

static void top(struct compilation *c, const char *header, struct text *out)
{
    const struct network *n = c->network;
    int functions = 0;

    for (const struct function *f = n->functions; f; f = f->next)
        functions++;
    emit_origin(c, out);
    text_add(out, ".\n *\n * %" PRId64 " parameters, %d block%s.  Values lie "
             "where the plan put them: `saved` is\n * what the backward pass "
             "reads, `scratch` lives for one pass.  The layouts\n * and the "
             "kernels are described in rnet_kernels.h. */\n#include \"%s\"\n\n"
             "#include <rnet_kernels.h>\n\n", n->parameters, functions - 1, functions == 2 ? "" : "s", header);
}

void emit(struct compilation *c, const char *header_name,
          struct emitted *out)
{
    emit_header(c, &out->header);
    top(c, header_name, &out->source);
    emit_functions(c, &out->source);
    emit_entry_points(c, &out->source);
    emit_table(c, &out->source);
}
