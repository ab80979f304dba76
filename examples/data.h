/* data.h: labelled grey images in memory, and the IDX files they come in (the
 * format of MNIST and Fashion-MNIST). */
#ifndef EXAMPLES_DATA_H
#define EXAMPLES_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct data_set {
    size_t count;               /* images */
    size_t rows, columns;       /* of each */
    uint8_t *images;            /* (count, rows, columns), 255 is full ink */
    uint8_t *labels;            /* (count), or NULL */
};

/* Why a call failed, in one line of English. */
struct data_error { char text[512]; };

/* Room for `count` images and labels; false without memory. */
bool data_alloc(struct data_set *set, size_t count, size_t rows,
                size_t columns);
void data_free(struct data_set *set);

/* Reads an IDX file of images, and one of labels unless `labels` is NULL;
 * each plain or gzipped.  Every label is below `classes`.  On failure the set
 * is empty and `error` says which file is bad and why. */
bool data_read(struct data_set *set, const char *images, const char *labels,
               unsigned classes, struct data_error *error);

/* Reads square images of counts 0 ... 16 as text, a line an image: its pixels
 * and its label, with commas between; lines that begin with '#' are comments
 * (the format of UCI's optical digits, 8x8), plain or gzipped. */
bool data_read_counts(struct data_set *set, const char *path,
                      unsigned classes, struct data_error *error);

/* Reads the two sets of a folder that holds MNIST's usual file names:
 * train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
 * t10k-labels-idx1-ubyte, with or without ".gz"; or those of UCI's optical
 * digits, optdigits.tra and optdigits.tes. */
bool data_read_folder(struct data_set *train, struct data_set *test,
                      const char *folder, unsigned classes,
                      struct data_error *error);

/* Puts `order`, a permutation of 0 ... count - 1, into a random order. */
void data_shuffle(uint32_t *order, size_t count, uint64_t seed);

/* images (count, rows, columns) and labels (count), each unless NULL, of the
 * samples order[0] ... order[count - 1], or first ... first + count - 1 when
 * `order` is NULL.  Bytes become floats of about mean 0 and deviation 1. */
void data_batch(const struct data_set *set, const uint32_t *order,
                size_t first, size_t count, float *images, int32_t *labels);

#endif
