/* progress.c: see progress.h. */
#include "progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define REFRESH     0.1         /* seconds between two live lines */
#define PLAIN_LINES 4           /* in an epoch, without a terminal */
#define BAR         20          /* characters */
#define LINE        160

double progress_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool can_rewrite(FILE *out)
{
    const char *terminal = getenv("TERM");

    return isatty(fileno(out)) && terminal && strcmp(terminal, "dumb") != 0;
}

/* Columns of the terminal: a longer line would wrap and not be rewritten. */
static int columns(FILE *out)
{
    struct winsize window;

    if (ioctl(fileno(out), TIOCGWINSZ, &window) != 0 || window.ws_col == 0)
        return 80;
    return window.ws_col;
}

static void start_epoch(struct progress *progress)
{
    progress->step = progress->samples = progress->correct = 0;
    progress->loss = 0;
    progress->started = progress->shown = progress_seconds();
    progress->latest = progress->started;
}

void progress_start(struct progress *progress, FILE *out, int epochs,
                    size_t steps)
{
    *progress = (struct progress){ .out = out, .live = can_rewrite(out),
                                   .epoch = 1, .epochs = epochs,
                                   .steps = steps };
    start_epoch(progress);
}

void progress_clear(struct progress *progress)
{
    if (progress->width > 0)
        fprintf(progress->out, "\r%*s\r", progress->width, "");
    progress->width = 0;
    fflush(progress->out);
}

static double samples_per_second(const struct progress *progress)
{
    double seconds = progress->latest - progress->started;

    return seconds > 0 ? (double)progress->samples / seconds : 0;
}

/* "[=====>    ]" */
static void draw_bar(char bar[BAR + 3], const struct progress *progress)
{
    int filled = (int)(BAR * progress->step / progress->steps);

    memset(bar + 1, ' ', BAR);
    memset(bar + 1, '=', (size_t)filled);
    if (filled < BAR)
        bar[1 + filled] = '>';
    bar[0] = '[';
    bar[BAR + 1] = ']';
    bar[BAR + 2] = '\0';
}

/* The numbers come before what may be cut off at the screen's edge. */
static void show_live(struct progress *progress, const char *numbers)
{
    char bar[BAR + 3], line[LINE + BAR];
    int room = columns(progress->out) - 1, old = progress->width;

    draw_bar(bar, progress);
    int length = snprintf(line, sizeof line, "%d/%d %s %s", progress->epoch,
                          progress->epochs, bar, numbers);
    progress->width = length < room ? length : room;
    fprintf(progress->out, "\r%.*s", progress->width, line);
    if (old > progress->width)
        fprintf(progress->out, "%*s", old - progress->width, "");
    fflush(progress->out);
}

static bool due(const struct progress *progress)
{
    size_t step = progress->step, steps = progress->steps;

    if (progress->live)
        return progress->latest - progress->shown >= REFRESH;
    return step * PLAIN_LINES / steps != (step - 1) * PLAIN_LINES / steps
        && step < steps;
}

void progress_step(struct progress *progress, const struct progress_step *step)
{
    char numbers[LINE];

    progress->step++;
    progress->latest = progress_seconds();
    progress->samples += step->samples;
    progress->correct += step->correct;
    progress->loss += (double)step->loss * (double)step->samples;
    if (!due(progress))
        return;
    progress->shown = progress->latest;
    snprintf(numbers, sizeof numbers,
             "loss %.4f  acc %.2f %%  %.0f samples/s  rate %.2g  grad %.2g",
             progress->loss / (double)progress->samples,
             100.0 * (double)progress->correct / (double)progress->samples,
             samples_per_second(progress), (double)step->rate,
             step->gradient);
    if (progress->live)
        show_live(progress, numbers);
    else
        fprintf(progress->out, "epoch %d/%d  step %zu/%zu  %s\n",
                progress->epoch, progress->epochs, progress->step,
                progress->steps, numbers);
    fflush(progress->out);
}

void progress_epoch(struct progress *progress, double accuracy)
{
    double samples = progress->samples ? (double)progress->samples : 1;

    progress_clear(progress);
    fprintf(progress->out, "epoch %d/%d  loss %.4f  acc %.2f %%  "
            "test acc %.2f %%  %.0f samples/s\n", progress->epoch,
            progress->epochs, progress->loss / samples,
            100.0 * (double)progress->correct / samples, 100 * accuracy,
            samples_per_second(progress));
    fflush(progress->out);
    progress->epoch++;
    start_epoch(progress);
}
