/* pool2d.c: for now the scalar twins, compiled for each instruction set. */
#include "../scalar/pool2d.c"
