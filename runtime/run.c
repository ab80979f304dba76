/* run.c: what an entry point sets up before its kernels. */
#include <string.h>

#include "modes.h"
#include "rnet_kernels.h"

void rnet_begin(struct rnet_run *run, struct rnet_work *work, size_t batch,
                int training)
{
    memset(run, 0, sizeof *run);
    run->work = work;
    run->batch = (long)batch;
    run->seed = work->seed;
    run->step = work->step;
    run->training = training;
    run->modes = set_modes();
}

void rnet_end(const struct rnet_run *run)
{
    restore_modes(run->modes);
}

/* The run is its entry point's own, const for kernels alone.  `held` counts
 * away from 0: up within what is held, down within what is forward only. */
void rnet_hold(const struct rnet_run *run)
{
    ((struct rnet_run *)run)->held += run->held < 0 ? -1 : 1;
}

void rnet_release(const struct rnet_run *run)
{
    ((struct rnet_run *)run)->held += run->held < 0 ? 1 : -1;
}

void rnet_begin_forward_only(const struct rnet_run *run)
{
    ((struct rnet_run *)run)->held -= run->held <= 0;
}

void rnet_end_forward_only(const struct rnet_run *run)
{
    ((struct rnet_run *)run)->held += run->held < 0;
}
