/* runtime.c: the runtime, and what the examples read with, with every call
 * that can fail made to fail in turn.
 *
 *     runtime FOLDER [--long]
 *
 * A scene runs with the first call of a kind failing, the second, ... until no
 * such call is left.  It gives a status that fits and a message; no memory, no
 * descriptor, no thread and no temporary file is left, files and parameters
 * are as before or as they should be.  Saving also ends at each of its calls:
 * the old file is whole or the new one is, and saving again works. */
#include "faulty.h"
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data.h"
#include "net.h"
#include "papers.h"
#include "text.h"

enum { BATCH = 3 };

static float *params, *other; /* two sets of parameters */
static char message[600], absolute[600];
static long injected, failures;
static struct folder before, after; /* of a good run */

/* ------------------------------------------------------------------ scenes */

/* 0: all is well; else a status, RNET_IO with errno. */
struct scene {
    const char *name;
    int (*run)(void);
};

static int allocate(void)
{
    float *floats = rnet_alloc(1000);
    void *bytes = rnet_alloc_bytes(1);
    int failed = !floats || !bytes;

    for (int i = 0; floats && i < 1000; i++)
        if (floats[i] != 0)
            failures++;
    rnet_free(floats);
    rnet_free(bytes);
    strcpy(message, "-");
    return failed ? RNET_NO_MEMORY : RNET_OK;
}

static int make_pool(int threads)
{
    struct rnet_pool *pool = rnet_pool_create(threads);
    int failed = !pool;

    rnet_pool_destroy(pool);
    strcpy(message, "-");
    return failed ? RNET_NO_THREADS : RNET_OK;
}

static int pool_of_one(void)
{
    return make_pool(1);
}
static int pool_of_two(void)
{
    return make_pool(2);
}
static int pool_of_five(void)
{
    return make_pool(5);
}

static int save(const char *path)
{
    return rnet_save(&net, params, path, message, sizeof message);
}

static int save_new(void)
{
    return save("new.safetensors");
}
static int save_over(void)
{
    return save("old.safetensors");
}
static int save_by_link(void)
{
    return save("link.safetensors");
}

static int save_absolute(void)
{
    return save(absolute);
}

static int save_elsewhere(void)
{
    int status = save("nowhere/x");

    return status == RNET_IO && errno == ENOENT ? RNET_OK : status;
}

static int save_silently(void)
{
    strcpy(message, "-");
    return rnet_save(&net, params, "old.safetensors", NULL, 0);
}

static int load(const char *path)
{
    static float wanted[NET_PARAM_FLOATS];
    enum rnet_status status;

    memcpy(wanted, params, sizeof wanted);
    memset(other, 7, sizeof wanted);
    status = rnet_load(&net, other, path, message, sizeof message);
    if (status)
        memset(wanted, 7, sizeof wanted);
    if (memcmp(other, wanted, sizeof wanted)) {
        printf("%s: parameters are neither old nor new\n", path);
        failures++;
    }
    return status;
}

static int load_good(void)
{
    return load("good.safetensors");
}

/* What is no weights file stays one, whatever else fails. */
static int load_bad(void)
{
    int status = load("words.txt");
    return status == RNET_BAD_FILE ? RNET_OK : status;
}

static int load_nothing(void)
{
    int status = load("nowhere");
    return status == RNET_IO && errno == ENOENT ? RNET_OK : status;
}

/* The examples say what happened in words alone. */
static int said(int good, const char *text)
{
    if (text != message)
        snprintf(message, sizeof message, "%s", good ? "" : text);
    return good ? RNET_OK : RNET_NO_MEMORY;
}

static int read_idx(void)
{
    struct data_error error = { "" };
    struct data_set set;
    int good = data_read(&set, "images", "labels", 10, &error);

    if (good && set.count != 2)
        failures++;
    data_free(&set);
    return said(good, error.text);
}

static int read_gzip(void)
{
    struct data_error error = { "" };
    struct data_set set;
    int good = data_read(&set, "images.gz", NULL, 10, &error);

    if (good && set.count != 2)
        failures++;
    data_free(&set);
    return said(good, error.text);
}

static int read_folder(void)
{
    struct data_error error = { "" };
    struct data_set train, test;
    int good = data_read_folder(&train, &test, ".", 10, &error);

    if (good && (train.count != 300 || test.count != 300)) {
        printf("%zu and %zu images of 300\n", train.count, test.count);
        failures++;
    }
    data_free(&train);
    data_free(&test);
    return said(good, error.text);
}

static int room_for_data(void)
{
    struct data_set set;
    int good = data_alloc(&set, 3, 4, 5);

    data_free(&set);
    return said(good, "-");
}

static int read_text(void)
{
    struct text text;
    int good = text_read(&text, "words.txt", message, sizeof message);

    if (good && text.count != 100000)
        failures++;
    text_free(&text);
    return said(good, message);
}

static int make_text(void)
{
    struct text text;
    int good = text_sums(&text, 100, 1);

    text_free(&text);
    return said(good, "-");
}

static int read_papers(void)
{
    struct papers papers;
    int good = papers_read(&papers, "nodes", "edges", 9, 3, message,
                           sizeof message);

    if (good && (papers.count != 900 || papers.cites.offsets[900] != 1798)) {
        printf("%zu papers of 900\n", papers.count);
        failures++;
    }
    papers_free(&papers);
    return said(good, message);
}

static int invent_papers(void)
{
    struct papers papers;
    int good = papers_invent(&papers, 30, 3, 1);

    papers_free(&papers);
    return said(good, "-");
}

static const struct scene scenes[] = {
    { "rnet_alloc", allocate },
    { "a pool of one", pool_of_one },
    { "a pool of two", pool_of_two },
    { "a pool of five", pool_of_five },
    { "rnet_save to a new file", save_new },
    { "rnet_save over a file", save_over },
    { "rnet_save by a link", save_by_link },
    { "rnet_save by an absolute path", save_absolute },
    { "rnet_save where no folder is", save_elsewhere },
    { "rnet_save without a message", save_silently },
    { "rnet_load", load_good },
    { "rnet_load of another file", load_bad },
    { "rnet_load of nothing", load_nothing },
    { "IDX files", read_idx },
    { "a gzipped IDX file", read_gzip },
    { "a folder of counts", read_folder },
    { "room for images", room_for_data },
    { "a text", read_text },
    { "sums", make_text },
    { "papers", read_papers },
    { "invented papers", invent_papers },
};

/* -------------------------------------------------------------- the folder */

static void check(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "runtime: cannot prepare: %s\n", what);
        exit(2);
    }
}

static void write_bytes(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "w");

    check(file && fwrite(bytes, 1, count, file) == count, path);
    check(fclose(file) == 0, path);
}

static void write_idx(void)
{
    static const unsigned char images[16 + 8] = { 0, 0, 8, 3, 0, 0, 0, 2, 0,
                                                  0, 0, 2, 0, 0, 0, 2, 1 };
    static const unsigned char labels[8 + 2] = {
        0, 0, 8, 1, 0, 0, 0, 2, 3, 9
    };

    write_bytes("images", images, sizeof images);
    write_bytes("labels", labels, sizeof labels);
    check(system("gzip -k images") == 0, "gzip");
}

static void write_counts(const char *path)
{
    FILE *file = fopen(path, "w");

    for (int i = 0; i < 300; i++) {
        for (int k = 0; k < 64; k++)
            fprintf(file, "%d,", (i + k) % 17);
        fprintf(file, "%d\n", i % 10);
    }
    fclose(file);
}

static void write_papers(void)
{
    FILE *nodes = fopen("nodes", "w"), *edges = fopen("edges", "w");

    for (int i = 0; i < 900; i++) {
        fprintf(nodes, "%d %d train %d %d\n", i, i % 3, i % 9, (i + 1) % 9);
        if (i)
            fprintf(edges, "%d %d\n", i - 1, i);
    }
    fclose(nodes);
    fclose(edges);
}

static void fill_folder(void)
{
    char *text = malloc(100000);

    memset(text, 'x', 100000);
    write_bytes("words.txt", text, 100000);
    free(text);
    write_idx();
    write_counts("optdigits.tra");
    write_counts("optdigits.tes");
    write_papers();
    check(save("good.safetensors") == RNET_OK, "good.safetensors");
    check(symlink("linked", "link.safetensors") == 0, "link.safetensors");
}

/* What a scene may change is as it was. */
static void restore(void)
{
    static const char *const olds[] = { "old.safetensors", "linked" };
    struct folder now = folder_list(".");

    for (int i = 0; i < now.count; i++)
        if (strstr(now.file[i].name, ".tmp"))
            unlink(now.file[i].name);
    unlink("new.safetensors");
    for (int i = 0; i < 2; i++) {
        unlink(olds[i]);
        write_bytes(olds[i], "old weights", 11);
        chmod(olds[i], 0600);
    }
}

/* ----------------------------------------------------------------- verdicts */

static int count_open(void)
{
    int count = 0;

    for (int file = 0; file < 256; file++)
        count += fcntl(file, F_GETFD) >= 0;
    return count;
}

static int count_threads(void)
{
    return folder_list("/proc/self/task").count;
}

static void wrong(const struct scene *scene, const struct fault *fault,
                  int status, const char *what)
{
    failures++;
    if (failures > 40)
        return;
    printf("%s: kinds %x, call %ld, %s, manner %d: %s, errno %s, '%s': %s\n",
           scene->name, fault->kinds, fault->at, strerror(fault->number),
           (int)fault->manner, rnet_status_text((enum rnet_status)status),
           strerror(errno), message, what);
}

static int fits(const struct fault *fault, int status)
{
    if (status == RNET_NO_MEMORY || status == RNET_NO_THREADS)
        return 1;
    if (fault->manner == FAULT_NOTHING) /* as if the file had ended */
        return status == RNET_BAD_FILE || status == RNET_IO;
    return status == RNET_IO && errno == fault->number;
}

static const char *judge(const struct fault *fault, int status)
{
    struct folder now = folder_list(".");

    if (status && !fits(fault, status))
        return "another status or errno";
    if (status && !*message)
        return "no message";
    if (fault->kinds & FAULT_UNLINK) /* a temporary may be left */
        return folder_one_of(&now, &before, &after, ".tmp")
                   ? NULL
                   : "a file is neither old nor new";
    if (status == RNET_IO
        && (strstr(message, "written, but") || !strcmp(message, "-")))
        return folder_same(&now, &after, NULL)
                       || folder_same(&now, &before, NULL)
                   ? NULL
                   : "it is not written";
    if (fault->kinds & FAULT_MODE) /* it may be less open than it was */
        return now.count == after.count ? NULL : "another number of files";
    if (status)
        return folder_same(&now, &before, NULL)
                   ? NULL
                   : "failure, but the folder is not as before";
    return folder_same(&now, &after, NULL)
               ? NULL
               : "success, but the folder is not that of a good run";
}

/* Whether the fault came. */
static int try(const struct scene *scene, struct fault fault)
{
    restore();
    *message = '\0';
    int open = count_open();
    long live = faults_live();
    faults_arm(fault);
    errno = 0;
    int status = scene->run();
    int number = errno, hit = faults_disarm();
    if (!hit)
        return 0;
    injected++;
    errno = number;
    const char *what = judge(&fault, status);
    if (faults_live() != live)
        what = "memory is left";
    if (count_open() != open)
        what = "a file is left open";
    if (count_threads() != 1)
        what = "a thread is left";
    errno = number;
    if (what)
        wrong(scene, &fault, status, what);
    return 1;
}

/* ----------------------------------------------------------- all the faults */

static const struct fault rows[] = {
    { FAULT_MEMORY, 0, ENOMEM, FAULT_ONCE },
    { FAULT_MEMORY, 0, ENOMEM, FAULT_EVER },
    { FAULT_THREAD, 0, EAGAIN, FAULT_ONCE },
    { FAULT_LOCK, 0, ENOMEM, FAULT_ONCE },
    { FAULT_OPEN, 0, EACCES, FAULT_ONCE },
    { FAULT_OPEN, 0, EMFILE, FAULT_EVER },
    { FAULT_OPEN, 0, EINTR, FAULT_ONCE },
    { FAULT_READ, 0, EIO, FAULT_ONCE },
    { FAULT_READ, 0, EINTR, FAULT_ONCE },
    { FAULT_READ, 0, 0, FAULT_SHORT },
    { FAULT_READ, 0, 0, FAULT_NOTHING },
    { FAULT_WRITE, 0, ENOSPC, FAULT_EVER },
    { FAULT_WRITE, 0, EIO, FAULT_ONCE },
    { FAULT_WRITE, 0, EDQUOT, FAULT_ONCE },
    { FAULT_WRITE, 0, EINTR, FAULT_ONCE },
    { FAULT_WRITE, 0, 0, FAULT_SHORT },
    { FAULT_WRITE, 0, 0, FAULT_NOTHING },
    { FAULT_SYNC, 0, EIO, FAULT_ONCE },
    { FAULT_SYNC, 0, EINTR, FAULT_ONCE },
    { FAULT_SYNC, 0, EINVAL, FAULT_EVER },
    { FAULT_CLOSE, 0, EIO, FAULT_ONCE },
    { FAULT_CLOSE, 0, EINTR, FAULT_EVER },
    { FAULT_RENAME, 0, ENOSPC, FAULT_ONCE },
    { FAULT_STAT, 0, EIO, FAULT_ONCE },
    { FAULT_STAT, 0, EACCES, FAULT_EVER },
    { FAULT_MODE, 0, EPERM, FAULT_ONCE },
    { FAULT_PATH, 0, EACCES, FAULT_ONCE },
    { FAULT_RENAME | FAULT_UNLINK, 0, EIO, FAULT_EVER },
    { FAULT_FILE, 0, EIO, FAULT_EVER },
};

/* What an interrupted read or a truncated file does to text is the example's
 * C library's: it is an error or the end. */
static int is_moot(const struct scene *scene, const struct fault *row)
{
    return strncmp(scene->name, "rnet_", 5) && row->kinds == FAULT_READ
           && (row->manner == FAULT_NOTHING || row->number == EINTR);
}

static void try_scene(const struct scene *scene)
{
    struct fault none = { 1, 1L << 40, 0, FAULT_ONCE };

    restore();
    before = folder_list(".");
    if (scene->run()) {
        wrong(scene, &none, 0, "without a fault");
        return;
    }
    after = folder_list(".");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = rows[i];
        for (fault.at = 1; !is_moot(scene, &fault) && try(scene, fault);
             fault.at++)
            ;
    }
}

/* ------------------------------------------------------ the end of a process */

static const enum fault_manner ends[] = { FAULT_BEFORE, FAULT_WITHIN,
                                          FAULT_AFTER };

/* The child's status; it saves and ends at a call, or after all. */
static int save_and_end(const struct scene *scene, const struct fault *fault)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        faults_arm(*fault);
        scene->run();
        faults_disarm();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int try_end(const struct scene *scene, const struct fault *fault)
{
    restore();
    int status = save_and_end(scene, fault);
    if (status == 0)
        return 0;
    injected++;
    struct folder now = folder_list(".");
    if (status != FAULT_EXIT)
        wrong(scene, fault, 0, "it did not end there");
    else if (!folder_one_of(&now, &before, &after, ".tmp"))
        wrong(scene, fault, 0, "a file is neither old nor new");
    else if (scene->run())
        wrong(scene, fault, 0, "saving again fails");
    now = folder_list(".");
    if (!folder_same(&now, &after, ".tmp"))
        wrong(scene, fault, 0, "saving again gives other files");
    return 1;
}

static void try_ends(const struct scene *scene)
{
    restore();
    before = folder_list(".");
    scene->run();
    after = folder_list(".");
    for (int i = 0; i < 3; i++) {
        struct fault fault = { FAULT_FILE, 1, 0, ends[i] };
        for (; try_end(scene, &fault); fault.at++)
            ;
    }
}

/* ------------------------------------------------------------------ promises */

static void expect(int good, const char *what)
{
    injected++;
    if (!good) {
        failures++;
        printf("%s: trace %s\n", what, faults_trace());
    }
}

/* The file is on the disk before it has its name, and the name after. */
static void check_order(void)
{
    struct fault none = { FAULT_FILE, 1L << 40, 0, FAULT_ONCE };

    restore();
    faults_arm(none);
    save_over();
    faults_disarm();
    expect(!strcmp(faults_trace(),
                   "stat realpath open fchmod write write "
                   "write fsync close rename open fsync close"),
           "the order of saving");
}

/* rnet.h: nothing allocates behind the caller's back; nor does it open
 * anything or start threads. */
static void check_calls(void)
{
    struct fault none = { ~0u, 1, ENOMEM, FAULT_EVER };
    float x[BATCH * NET_X_SIZE] = { 1 }, y[BATCH * NET_Y_SIZE], loss,
                    target[BATCH * NET_Y_SIZE] = { 0 };
    struct rnet_work work = { .bytes = NET_TRAIN_BYTES(BATCH, 3) };
    float *grads = rnet_alloc(NET_GRAD_FLOATS),
          *velocity = rnet_alloc(NET_GRAD_FLOATS),
          *moment = rnet_alloc(NET_GRAD_FLOATS);
    struct rnet_sgd sgd = { .rate = 0.1,
                            .momentum = 0.9,
                            .velocity = velocity };
    struct rnet_adam adam = { .rate = 0.1,
                              .beta1 = 0.9,
                              .beta2 = 0.99,
                              .epsilon = 1e-8,
                              .moment1 = velocity,
                              .moment2 = moment };
    struct rnet_entry entry;
    int64_t offsets[3] = { 0, 1, 2 }, offsets_2[3];
    int32_t neighbours[2] = { 1, 0 }, neighbours_2[2];
    struct rnet_graph graph = { .nodes = 2,
                                .offsets = offsets,
                                .neighbours = neighbours },
                      transposed;

    work.memory = rnet_alloc_bytes(work.bytes);
    work.pool = rnet_pool_create(3);
    faults_arm(none);
    int status = net_init(other, 1);
    status |= (int)net_infer(other, x, y, BATCH, &work);
    status |= (int)net_train(other, x, target, y, &loss, grads, NULL, BATCH,
                             &work);
    rnet_clip(&net, grads, 1);
    status |= (int)rnet_sgd_step(&net, &sgd, other, grads, &work);
    status |= (int)rnet_adam_step(&net, &adam, other, grads, &work);
    status |= (int)rnet_tensor_find(&net, "linear.0.weight", &entry);
    status |= (int)rnet_graph_transpose(&graph, &transposed, offsets_2,
                                        neighbours_2, NULL);
    rnet_zero(&net, grads);
    expect(!faults_disarm() && status == RNET_OK,
           "calls that allocate nothing and open nothing");
    rnet_pool_destroy(work.pool);
    rnet_free(work.memory);
    rnet_free(grads);
    rnet_free(velocity);
    rnet_free(moment);
}

int main(int argc, char **argv)
{
    if (argc < 2 || chdir(argv[1]))
        return 2;
    snprintf(absolute, sizeof absolute, "%s/old.safetensors", argv[1]);
    params = rnet_alloc(NET_PARAM_FLOATS);
    other = rnet_alloc(NET_PARAM_FLOATS);
    net_init(params, 3);
    fill_folder();
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        try_scene(&scenes[i]);
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        if (!strncmp(scenes[i].name, "rnet_save", 9))
            try_ends(&scenes[i]);
    check_order();
    check_calls();
    rnet_free(params);
    rnet_free(other);
    printf("runtime: %ld faults injected\n", injected);
    printf("%ld passed, %ld failed\n", injected - failures, failures);
    return failures != 0;
}
