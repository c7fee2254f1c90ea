/* cases_state.c: does it leave alone what belongs to the program, and does it give back what it took? */
#include "call.h"
#include "cases.h"
#include "snapshot.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where a difference was found. */
typedef struct {
    checker_lab *lab;
    const char *where;
} place;

static void changed(void *context, const char *difference)
{
    const place *p = context;
    lab_find(p->lab, VERDICT_FAIL, p->where, "what belongs to the program left alone: other plugins rely on it", "%s",
             difference);
}

/* One more snapshot; what differs from the one before is told, and the newer one is kept. */
static snapshot *look(checker_lab *lab, const char *where, snapshot *before)
{
    snapshot *now = lab_snapshot_take();
    place p = {lab, where};
    lab_checked(lab);
    if (before != NULL && now != NULL)
        lab_snapshot_compare(before, now, changed, &p);
    lab_snapshot_free(before);
    return now;
}

/* All samples, each once. */
static unsigned call_all(checker_lab *lab)
{
    unsigned count = 0;
    lab_walk walk = {0};
    while (lab_walk_next(lab, &walk)) {
        lab_stage(lab, "%s", walk.where);
        const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk)};
        lab_answer answer = lab_call(lab, &request);
        lab_answer_free(&answer);
        count++;
    }
    return count;
}

void case_state_life(checker_lab *lab)
{
    if (!lab_load(lab))
        return;
    snapshot *state = lab_snapshot_take();
    if (!lab_init(lab))
        return;
    state = look(lab, "init", state);
    if (lab_instance(lab))
        state = look(lab, "create", state);
    lab_close(lab);
    state = look(lab, "destroy and deinit", state);
    lab_snapshot_free(state);
}

void case_state_calls(checker_lab *lab)
{
    if (!lab_instance(lab))
        return;
    snapshot *state = lab_snapshot_take();
    lab_walk walk = {0};
    while (lab_walk_next(lab, &walk)) {
        lab_stage(lab, "%s", walk.where);
        const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk)};
        lab_answer answer = lab_call(lab, &request);
        state = look(lab, walk.where, state);
        lab_answer_free(&answer);
    }
    lab_snapshot_free(state);
    if (lab->checked == 0)
        lab_skip_without_samples(lab);
    lab_close(lab);
}

/* ---- what it prints ---- */

static int divert(int fd, int to)
{
    int kept = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    dup2(to, fd);
    return kept;
}

void case_state_printed(checker_lab *lab)
{
    char text[301] = "";
    int memory = memfd_create("printed", MFD_CLOEXEC);
    if (memory < 0)
        return;
    fflush(stdout);
    fflush(stderr);
    int out = divert(STDOUT_FILENO, memory), err = divert(STDERR_FILENO, memory);
    FILE *always = fdopen(fcntl(err, F_DUPFD_CLOEXEC, 10), "w"); /* what is told goes where it always went */
    if (always != NULL)
        lab->text = always;
    bool worked = lab_instance(lab);
    if (worked) {
        lab_checked(lab);
        call_all(lab);
        lab_close(lab);
    }
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    lab->text = stderr;
    if (always != NULL)
        fclose(always);
    ssize_t size = pread(memory, text, sizeof text - 1, 0);
    if (size > 0)
        lab_find(lab, VERDICT_FAIL, NULL, "nothing: the output is the program's; log with pawl.core/1",
                 "that it prints: %s", text);
}

/* ---- what it leaves ---- */

static void left(void *context, const char *difference)
{
    lab_find(context, VERDICT_FAIL, "after deinit", "everything given back by then", "%s", difference);
}

void case_left_life(checker_lab *lab)
{
    if (!lab_load(lab))
        return;
    snapshot *before = lab_snapshot_take();
    unsigned threads = lab_count_threads();
    if (!lab_init(lab))
        return;
    if (lab_instance(lab))
        call_all(lab);
    lab_close(lab);
    lab_checked(lab);
    unsigned now = lab_count_threads_until(threads);
    if (now > threads)
        lab_find(lab, VERDICT_FAIL, "after deinit", "every thread of the plugin ended and joined", "%u threads more",
                 now - threads);
    unsigned children = lab_count_children();
    if (children > 0)
        lab_find(lab, VERDICT_FAIL, "after deinit", "every child process ended and waited for", "%u child processes",
                 children);
    snapshot *after = lab_snapshot_take();
    if (before != NULL && after != NULL)
        lab_snapshot_descriptors(before, after, false, left, lab);
}

static void inherited(void *context, const char *difference)
{
    lab_find(context, VERDICT_FAIL, NULL,
             "O_CLOEXEC (SOCK_CLOEXEC, \"e\" in fopen): programs that others start inherit "
             "it otherwise",
             "%s", difference);
}

void case_left_exec(checker_lab *lab)
{
    if (!lab_load(lab))
        return;
    snapshot *before = lab_snapshot_take();
    if (!lab_init(lab))
        return;
    if (lab_instance(lab))
        call_all(lab);
    lab_checked(lab);
    snapshot *after = lab_snapshot_take();
    if (before != NULL && after != NULL)
        lab_snapshot_descriptors(before, after, true, inherited, lab);
    lab_close(lab);
}
