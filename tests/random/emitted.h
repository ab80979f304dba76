/* emitted.h: runs emitted code on a trial's numbers and compares. */
#ifndef EMITTED_H
#define EMITTED_H

#include "trial.h"

#include <rnet.h>

/* The pools of one process, made once. */
struct pools;
struct pools *pools_new(void);

enum { THREAD_COUNTS = 5 };     /* none, 1, 2, 3, 7 */

/* Everything about one emitted network: its table, and in the instruction set
 * of this process inference and training, in all numbers of threads.  Prints
 * what differs and returns how often; `form` says which code it is. */
int emitted_judge(const struct rnet_network *net, const char *form,
                  const struct trial *trial, struct pools *pools);

#endif
