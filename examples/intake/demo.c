/* demo.c: the intake example with a murderer in it. Starts the receiving service, starts `pawl serve`, starts one
 * process for each file, and kills the worker with SIGKILL while they run, at least three times, starting it again each
 * time. Then it asks the journals and the receiving service what happened. Exit 0 only when nothing was lost and
 * nothing repeated. */
#include "api.h"
#include "audit.h"
#include "receiver.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX        400u
#define FILE_BYTES_MAX   (1024 * 1024)
#define BATCH            50u
#define KILLS_WANTED     3u
#define PATIENCE_SECONDS 180

static char *files[FILES_MAX]; /* relative to the directory; nftw takes no context */
static size_t file_count;
static size_t root_length;

static int take_file(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)where;
    if (type == FTW_F && S_ISREG(info->st_mode) && info->st_size > 0 && info->st_size <= FILE_BYTES_MAX &&
        file_count < FILES_MAX && access(path, R_OK) == 0)
        files[file_count++] = strdup(path + root_length + 1);
    return file_count == FILES_MAX;
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int answers(const char *socket)
{
    return api_call(socket, "GET", "/v1/health", NULL, NULL) == 200;
}

static pid_t start_worker(const char *pawl, const char *profile, const char *socket)
{
    pid_t pid = fork();
    if (pid == 0) {
        char log[PATH_MAX]; /* what it says stands beside the profile */
        snprintf(log, sizeof log, "%s.log", profile);
        int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (out >= 0) {
            dup2(out, STDOUT_FILENO);
            dup2(out, STDERR_FILENO);
        }
        execl(pawl, pawl, "serve", "--profile", profile, (char *)NULL);
        fprintf(stderr, "demo: cannot run %s: %s\n", pawl, strerror(errno)); /* into the log */
        _exit(127);
    }
    for (double until = now_seconds() + 30; pid > 0 && now_seconds() < until; usleep(5000)) {
        if (answers(socket))
            return pid;
        if (waitpid(pid, NULL, WNOHANG) == pid)
            break;
    }
    fprintf(stderr, "demo: pawl serve did not come up; see %s.log\n", profile);
    if (pid > 0)
        kill(pid, SIGKILL);
    return -1;
}

static size_t completed_count(const char *socket)
{
    json_t *host = NULL;
    api_call(socket, "GET", "/v1/host", NULL, &host);
    json_t *counts = json_object_get(host, "counts");
    size_t ended = (size_t)(json_integer_value(json_object_get(counts, "completed")) +
                            json_integer_value(json_object_get(counts, "failed")));
    json_decref(host);
    return ended;
}

static void draw(size_t done, size_t all, unsigned kills)
{
    static const char full[] = "########################################";
    if (!isatty(STDOUT_FILENO))
        return;
    int width = (int)(done * 40 / (all == 0 ? 1 : all));
    printf("\r  [%-40.*s] %zu/%zu  kills: %u ", width, full, done, all, kills);
    fflush(stdout);
}

static void file_id(char *id, size_t room, size_t index)
{
    snprintf(id, room, "intake-%04zu", index);
}

/* Start processes [from, to): durable once answered. Starting one again is harmless, so a batch that was cut by a kill
 * is simply sent again. */
static int start_batch(const char *socket, size_t from, size_t to)
{
    json_t *batch = json_array();
    for (size_t i = from; i < to; i++) {
        char id[32];
        file_id(id, sizeof id, i);
        json_array_append_new(batch,
                              json_pack("{sssss{ss}}", "type", "intake.document", "id", id, "input", "path", files[i]));
    }
    json_t *body = json_pack("{so}", "batch", batch);
    long status = api_call(socket, "POST", "/v1/processes", body, NULL);
    json_decref(body);
    return status >= 200 && status < 300;
}

struct run {
    const char *pawl, *profile, *socket;
    pid_t worker;
    unsigned kills;
    size_t started, done;
};

static int kill_and_restart(struct run *run)
{
    kill(run->worker, SIGKILL);
    waitpid(run->worker, NULL, 0);
    run->kills++;
    if (!isatty(STDOUT_FILENO))
        printf("  kill -9 number %u at %zu of %zu done\n", run->kills, run->done, file_count);
    run->worker = start_worker(run->pawl, run->profile, run->socket);
    return run->worker > 0;
}

/* So many may be started by now: something is left to be done until the worker was killed as often as it is to be. */
static size_t started_most(const struct run *run)
{
    size_t parts = KILLS_WANTED + 2;
    size_t most = (file_count * (run->kills + 2) + parts - 1) / parts;
    if (run->kills >= KILLS_WANTED)
        return file_count;
    return most < file_count ? most : file_count - 1;
}

/* Until all are done: start more, look, and kill each time another part of the work is done. */
static int run_all(struct run *run)
{
    double until = now_seconds() + PATIENCE_SECONDS;
    while (run->done < file_count && now_seconds() < until) {
        size_t most = started_most(run);
        if (run->started < most) {
            size_t to = run->started + BATCH < most ? run->started + BATCH : most;
            if (start_batch(run->socket, run->started, to))
                run->started = to;
        }
        run->done = completed_count(run->socket);
        draw(run->done, file_count, run->kills);
        size_t next_kill = file_count * (run->kills + 1) / (KILLS_WANTED + 2);
        if (run->kills < KILLS_WANTED && run->done >= next_kill && !kill_and_restart(run))
            return 0;
        if (waitpid(run->worker, NULL, WNOHANG) == run->worker) {
            fprintf(stderr, "\ndemo: pawl serve ended by itself\n");
            return 0;
        }
        usleep(run->started < most ? 1000 : 10000);
    }
    draw(run->done, file_count, run->kills);
    printf("\n");
    return 1;
}

static int report(const struct run *run, const receiver *r, double seconds)
{
    static char id_text[FILES_MAX][32];
    static char *ids[FILES_MAX];
    for (size_t i = 0; i < file_count; i++) {
        file_id(id_text[i], sizeof id_text[i], i);
        ids[i] = id_text[i];
    }
    audit a;
    size_t requests;
    audit_run(run->socket, ids, file_count, r, &a);
    receiver_deliveries(r, &requests);
    printf("\n  %-44s %8zu\n", "files, one process each", file_count);
    printf("  %-44s %8zu\n", "completed, by their journals", a.completed);
    printf("  %-44s %8zu\n", "steps recorded in the journals", a.steps);
    printf("  %-44s %8zu\n", "requests the receiving service saw", requests);
    printf("  %-44s %8zu\n", "  of these, sent again under the same key", a.resent);
    printf("  %-44s %8.1f\n", "seconds, restarts included", seconds);
    if (a.first_trouble[0] != '\0')
        printf("  first trouble: %s\n", a.first_trouble);
    printf("\ndemo: %zu processes, %zu steps, %u kills, %zu lost, %zu repeated\n", a.processes, a.steps, run->kills,
           a.lost, a.repeated);
    return a.lost == 0 && a.repeated == 0 && a.completed == file_count && run->kills >= KILLS_WANTED;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr,
                "usage: intake_demo PAWL PROFILE-TEMPLATE PROFILE SOCKET DIR (examples/intake/run.sh calls it)\n");
        return 2;
    }
    char root[PATH_MAX];
    if (realpath(argv[5], root) == NULL) {
        fprintf(stderr, "demo: %s: %s\n", argv[5], strerror(errno));
        return 2;
    }
    root_length = strlen(root);
    nftw(root, take_file, 16, FTW_PHYS);
    if (file_count < KILLS_WANTED + 2) {
        fprintf(stderr, "demo: %s has %zu readable files of 1 byte to 1 MiB, wanted at least %u\n", root, file_count,
                KILLS_WANTED + 2);
        return 2;
    }
    receiver *r = receiver_start(argv[4]);
    if (r == NULL)
        return 1;
    /* The profile needs to know where the receiving service listens. */
    char command[4 * PATH_MAX];
    snprintf(command, sizeof command, "sed -e 's|@PORT@|%u|' '%s' >'%s'", receiver_port(r), argv[2], argv[3]);
    if (system(command) != 0)
        return 1;
    printf("demo: %zu files of %s, one durable process each; the worker is killed %u times\n", file_count, root,
           KILLS_WANTED);
    struct run run = {.pawl = argv[1], .profile = argv[3], .socket = argv[4]};
    double start = now_seconds();
    run.worker = start_worker(run.pawl, run.profile, run.socket);
    int good = run.worker > 0 && run_all(&run);
    good = run.worker > 0 && report(&run, r, now_seconds() - start) && good;
    if (run.worker > 0) {
        kill(run.worker, SIGTERM);
        waitpid(run.worker, NULL, 0);
    }
    receiver_stop(r);
    for (size_t i = 0; i < file_count; i++)
        free(files[i]);
    return good ? 0 : 1;
}
