/* ceilings.c: the limits of one core that everything is compared to. */
#include <rnet.h>

#include "peak.h"

int main(void)
{
    const char *isa = rnet_isa_name();

    printf("One core, %s: %.1f GFLOP/s of fused multiply-adds; copies, read "
           "and written, GB/s: %.0f in the first cache, %.0f in the second, "
           "%.0f in 8 MB, %.0f in memory\n", isa, peak_flops(isa) * 1e-9,
           peak_bandwidth(16 << 10) * 1e-9, peak_bandwidth(400 << 10) * 1e-9,
           peak_bandwidth(4 << 20) * 1e-9, peak_bandwidth(256 << 20) * 1e-9);
    return 0;
}
