/* seed.c: a file of weights as rnet_save writes it: `seed FILE`. */
#include "../unit/small_network.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    static float params[PARAM_FLOATS];
    char message[300];

    for (int i = 0; i < PARAM_FLOATS; i++)
        params[i] = (float)(i % 7);
    if (argc == 2 && rnet_save(&small, params, argv[1], message,
                               sizeof message) == RNET_OK)
        return 0;
    fprintf(stderr, "seed: %s\n", argc == 2 ? message : "usage: seed FILE");
    return 1;
}
