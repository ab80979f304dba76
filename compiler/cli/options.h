/* options.h: what the command line asks for. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "graph.h"

/* Stages of the pipeline, in order. */
enum stage { STAGE_AST, STAGE_GRAPH, STAGE_GRAD, STAGE_FUSE, STAGE_PLAN,
             STAGE_C, STAGES };

/* What is made of the network; each but the first instead of C. */
enum task { TASK_COMPILE, TASK_CHECK, TASK_DUMP, TASK_SUMMARY,
            TASK_SUMMARY_JSON, TASK_FUSION, TASK_DOT, TASK_DEPENDENCIES };

struct words { const char **word; size_t size; int count; };

struct options {
    const char *input;          /* "-": standard input */
    const char *output;         /* -o; NULL: not given; "-": standard output */
    const char *header, *network, *prefix;      /* NULL: not given */
    struct knob *settings;      /* -D, the last first */
    struct words folders;       /* -I */
    enum task task;
    enum stage last;            /* no stage after it is needed */
    int64_t infer_batch, train_batch;
    int threads;
    double peak, bandwidth;     /* --machine: GFLOP/s, GB/s */
    bool no_fuse;               /* see struct compilation */
    enum optimizer optimizer;   /* likewise */
    /* -MD: a depfile beside the output; -M: nothing but that */
    bool depfile, phony;
    const char *depfile_path;
    struct words targets;       /* -MT */
};

enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

/* Reads the command line: its wishes about messages into `diag`, all else
 * into `options`, zeroed before.  DONE: --help or --version was answered;
 * WRONG: an error of usage was reported. */
enum options_result options_read(struct options *options, struct diag *diag,
                                 struct names *names, int argc, char **argv);

/* The files that are written: of `options`, or made from the input's name. */
const char *options_source(struct arena *arena, const struct options *options);
const char *options_header(struct arena *arena, const struct options *options);
const char *options_depfile(struct arena *arena,
                            const struct options *options);
const char *base_name(const char *path);

#endif
