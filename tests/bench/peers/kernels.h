/* kernels.h: the kernels of libraries, for ratios to ours.  One thread; what
 * may be laid out once (a layer's weights) is laid out as they like it, before
 * the time is taken. */
#ifndef PEERS_KERNELS_H
#define PEERS_KERNELS_H

struct peer_time {
    double seconds;             /* 0: no library does this */
    const char *name;
    int winograd;
};

/* C (m, n) = A (m, k) B (k, n); a factor that is `across` lies in memory as its
 * transpose.  `weights`: B is a layer's. */
struct peer_product { long m, n, k; int a_across, b_across, weights; };
struct peer_time peer_product(const struct peer_product *product);

struct peer_conv {
    long batch;
    int size, in, out_size, out, kernel, stride, pad, pad_end, groups;
};
enum peer_pass { PEER_FORWARD, PEER_GRAD_INPUT, PEER_GRAD_WEIGHT };
struct peer_time peer_conv(const struct peer_conv *conv, enum peer_pass pass);

/* The libraries that this program was linked with, in a line. */
void peer_about(void);

/* Our ratios to the best library: their geometric mean and the worst. */
struct peer_ratios { int count; double logarithms, worst; char name[64]; };

/* Prints and notes a ratio, library's time over ours, with a w behind where
 * that is Winograd's algorithm; a blank without one. */
void peer_ratio(struct peer_ratios *ratios, const char *what, double ours,
                struct peer_time peer);
void peer_summary(const char *title, const struct peer_ratios *ratios);

#endif
