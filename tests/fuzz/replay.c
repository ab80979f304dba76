/* replay.c: runs a target on files: `TARGET [-s SECONDS] [-m MEGABYTES]
 * FILE...`, a folder standing for the files in it.  The first that takes
 * longer, or more memory (without sanitizers, which need it themselves), ends
 * the run, as does a crash: its name is printed before. */
#include "target.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static unsigned seconds = 2;
static long inputs;
static char current[4096];

/* The sanitizers', where they are linked. */
void __sanitizer_set_death_callback(void (*)(void)) __attribute__((weak));

/* The name of what was run stands in the log when the process dies. */
static void say_name(void)
{
    static const char words[] = "replay: failed: ";

    if (write(2, words, sizeof words - 1) < 0
        || write(2, current, strlen(current)) < 0 || write(2, "\n", 1) < 0)
        _exit(3);
}

static void died(int signal_number)
{
    say_name();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* A target does not end the process. */
static void exited(void)
{
    if (*current)
        say_name();
}

/* On a stack of its own: the other may be what is at its end. */
static void watch(void)
{
    static const int deaths[] = { SIGPROF, SIGALRM, SIGABRT, SIGSEGV, SIGBUS,
                                  SIGFPE };
    static char room[1 << 16];
    stack_t stack = { .ss_sp = room, .ss_size = sizeof room };
    struct sigaction action = { .sa_handler = died, .sa_flags = SA_ONSTACK };
    bool sanitized = __sanitizer_set_death_callback != NULL;

    atexit(exited);
    sigaltstack(&stack, NULL);
    for (int i = 0; i < (sanitized ? 3 : 6); i++)
        sigaction(deaths[i], &action, NULL);
    if (sanitized)
        __sanitizer_set_death_callback(say_name);
}

/* Of the processor: the machine may have other work. */
static void watch_time(unsigned limit)
{
    struct itimerval timer = { .it_value.tv_sec = limit };

    setitimer(ITIMER_PROF, &timer, NULL);
    alarm(20 * limit);
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = 0;

    if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        exit(2);
    }
    rewind(file);
    data = malloc((size_t)size + !size);
    size = (long)fread(data, 1, (size_t)size, file);
    fclose(file);
    snprintf(current, sizeof current, "%s", path);
    watch_time(seconds);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    watch_time(0);
    *current = '\0';
    free(data);
    inputs++;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void run_folder(const char *path, DIR *folder)
{
    char **names = NULL, whole[4096];
    size_t count = 0, room = 0;

    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (*entry->d_name == '.')
            continue;
        if (count == room)
            names = realloc(names, (room = 2 * room + 64) * sizeof *names);
        names[count++] = strdup(entry->d_name);
    }
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        snprintf(whole, sizeof whole, "%s/%s", path, names[i]);
        run_file(whole);
        free(names[i]);
    }
    free(names);
}

static void limit_memory(long megabytes)
{
    struct rlimit limit = { (rlim_t)megabytes << 20, (rlim_t)megabytes << 20 };

    setrlimit(RLIMIT_AS, &limit);
}

/* Absolute: a target may change the folder. */
static void run(const char *path)
{
    char *whole = realpath(path, NULL);
    DIR *folder = opendir(path);

    if (folder)
        run_folder(whole, folder);
    else
        run_file(whole ? whole : path);
    if (folder)
        closedir(folder);
    free(whole);
}

int main(int argc, char **argv)
{
    char **paths = calloc((size_t)argc + 1, sizeof *paths);
    int option, count = 0;

    while ((option = getopt(argc, argv, "s:m:")) != -1) {
        if (option == 's')
            seconds = (unsigned)atoi(optarg);
        else if (option == 'm')
            limit_memory(atol(optarg));
        else
            return 2;
    }
    watch();
    for (; optind < argc; optind++)
        paths[count++] = realpath(argv[optind], NULL);
    for (int i = 0; i < count; i++)
        if (paths[i])
            run(paths[i]);
    for (int i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
    printf("%ld inputs replayed\n", inputs);
    return 0;
}
