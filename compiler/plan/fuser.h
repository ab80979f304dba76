/* fuser.h: one region in one mode while it is fused: fuse.c, steps.c. */
#ifndef FUSER_H
#define FUSER_H

#include "schedule.h"

struct fuser {
    struct compilation *c;
    struct region *region;
    enum mode mode;
    struct schedule *schedule;
};

/* What stands for a value in this mode. */
struct value *actual(struct fuser *f, struct value *value);

void make_steps(struct fuser *f);           /* steps.c */

#endif
