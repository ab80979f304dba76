#include "summary.h"
void dot(struct compilation *c, const struct options *options, struct text *out){(void)c;(void)options;text_add(out,"digraph{}\n");}
