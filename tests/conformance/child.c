/* child.c: why it exists: a store's promises hold between OS processes, so some tests need a second one. It must never
 * use fork without exec: the test's own process has threads. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "groups.h"
#include "step.h"
#include "view.h"

extern char **environ;

bool child_start(const struct world_options *options, const char *scenario, const char *directory, int *pid, int *from)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    char *arguments[64];
    int count = 0;
    for (int i = 0; i < options->argument_count && count < 58; i++)
        arguments[count++] = options->arguments[i];
    arguments[count++] = "--child";
    arguments[count++] = (char *)(uintptr_t)scenario;
    arguments[count++] = "--directory";
    arguments[count++] = (char *)(uintptr_t)directory;
    arguments[count] = NULL;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_t started = 0;
    int failed = posix_spawn(&started, "/proc/self/exe", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (failed) {
        close(ends[0]);
        return false;
    }
    *pid = started;
    *from = ends[0];
    return true;
}

int child_run(const struct world_options *options, const char *scenario, const char *directory, char *output,
              size_t size)
{
    int pid;
    int from;
    if (!child_start(options, scenario, directory, &pid, &from))
        return -1;
    size_t used = 0;
    ssize_t got;
    while (used + 1 < size && ((got = read(from, output + used, size - 1 - used)) > 0 || (got < 0 && errno == EINTR)))
        used += got > 0 ? (size_t)got : 0;
    output[used] = '\0';
    close(from);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- the child's side ---- */

static int open_and_tell(struct world *world)
{
    pawl_status status = world_open(world);
    printf("%d %s %s", status, world->why.code, world->why.message);
    fflush(stdout);
    if (world->store)
        world_close(world, true);
    return 0;
}

static int abandon_upload(struct world *world)
{
    pawl_attachment_upload *upload = NULL;
    pawl_failure_sink why = {0};
    if (world_open(world) != PAWL_OK ||
        world->attachment->begin(world->store, text_bytes("s"), text_bytes("a/b"), text_bytes("n"), &upload, &why) ||
        world->attachment->write(upload, text_bytes("abandoned"), &why))
        return 1;
    return 0;
}

/* Registers and leases, tells what was acknowledged, and dies. */
static int die_with_a_lease(struct world *world)
{
    if (world_open(world) != PAWL_OK || step_run(step_register(world, "held", "t", "input")) != PAWL_OK)
        return 1;
    struct row row;
    if (claim_id(world, world->worker, "held", &row) != PAWL_OK)
        return 2;
    struct step *append = step_append(world, row.number, row.token, "acknowledged");
    if (step_run(append) != PAWL_OK)
        return 3;
    printf("%llu %llu", (unsigned long long)row.token, (unsigned long long)append->op.sequence);
    fflush(stdout);
    return 0;
}

/* Posts signals for ever, one after the other, and tells the sequence of each once it is acknowledged. */
static int post_until_killed(struct world *world)
{
    if (world_open(world) != PAWL_OK || step_run(step_register(world, "busy", "t", "input")) != PAWL_OK)
        return 1;
    for (unsigned i = 0;; i++) {
        char post_id[16];
        snprintf(post_id, sizeof(post_id), "s-%u", i);
        struct step *post = step_post(world, PAWL_RECORD_SIGNAL, "busy", post_id, post_id);
        if (step_run(post) != PAWL_OK)
            return 2;
        uint64_t sequence = post->op.sequence;
        step_free(post);
        if (write(STDOUT_FILENO, &sequence, sizeof(sequence)) != (ssize_t)sizeof(sequence))
            return 3;
    }
}

int child_main(const struct world_options *options, const char *scenario, const char *directory)
{
    static const struct {
        const char *name;
        int (*run)(struct world *world);
    } scenarios[] = {
        {"open", open_and_tell},
        {"abandon-upload", abandon_upload},
        {"die-with-a-lease", die_with_a_lease},
        {"post-until-killed", post_until_killed},
    };
    struct world *world = world_create(options, directory);
    if (!world)
        _exit(100);
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        if (strcmp(scenarios[i].name, scenario) == 0)
            _exit(scenarios[i].run(world)); /* no destructor runs: as if it had been killed */
    _exit(101);
}
