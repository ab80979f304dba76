/* conv.c: for now the scalar twins, compiled for each instruction set. */
#include "../scalar/conv.c"
