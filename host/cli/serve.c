/* serve.c: `pawl serve`: a host and its API server, from opening to a clean stop. The main thread only waits for
 * signals; what may block long (a drain) runs on threads of its own, so that a second signal is always heard.
 * Never leaves a process half-stopped: whatever the way out, the server is closed before the host. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/api/server.h"
#include "host/cli/cli.h"

#define STOPS_MAX        3u
#define MEMORY_LOOK_MS   10000
#define MEMORY_SPARE_MIN ((size_t)8 << 20)

typedef struct stopping {
    pawl_host *host;
    int stopped; /* an eventfd: written when the worker has stopped */
    pthread_t threads[STOPS_MAX];
    uint32_t count;
} stopping;

typedef struct drain_job {
    pawl_host *host;
    int stopped;
    uint32_t mode;
} drain_job;

static void *drain_thread(void *context)
{
    drain_job *job = context;
    pawl_error error = {0};
    pawl_host_drain(job->host, job->mode, 0, &error); /* it has stopped in any case, later than wished at worst */
    uint64_t one = 1;
    ssize_t written = write(job->stopped, &one, sizeof one);
    (void)written;
    free(job);
    return NULL;
}

/* One more signal: graceful, then cancel, then abort. */
static void escalate(pawl_cli *cli, stopping *stop)
{
    static const uint32_t modes[STOPS_MAX] = {PAWL_STOP_GRACEFUL, PAWL_STOP_CANCEL, PAWL_STOP_ABORT};
    static const char *const lines[STOPS_MAX] = {
        "stopping: running effects may finish (a second signal cancels them)",
        "stopping: cancelling running effects (a third signal releases everything now)",
        "stopping: releasing everything now",
    };
    if (stop->count == STOPS_MAX)
        return;
    drain_job *job = malloc(sizeof *job);
    if (job == NULL)
        return;
    *job = (drain_job){stop->host, stop->stopped, modes[stop->count]};
    if (pthread_create(&stop->threads[stop->count], NULL, drain_thread, job) != 0) {
        free(job);
        return;
    }
    if (cli->json) {
        json_t *line = json_pack("{s:s, s:s}", "event", "stopping", "message", lines[stop->count]);
        pawl_cli_put_json(cli->err, line);
        json_decref(line);
    } else {
        fprintf(cli->err, "pawl: %s\n", lines[stop->count]);
    }
    fflush(cli->err);
    stop->count++;
}

/* After a burst the C library keeps what was freed, an arena for each thread: give it back, so that a quiet server is a
 * small one. */
static void give_memory_back(void)
{
    if (mallinfo2().fordblks > MEMORY_SPARE_MIN)
        malloc_trim(0);
}

static void wait_until_stopped(pawl_cli *cli, pawl_host *host, int signals)
{
    stopping stop = {.host = host, .stopped = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    for (;;) {
        struct pollfd ends[] = {{.fd = signals, .events = POLLIN}, {.fd = stop.stopped, .events = POLLIN}};
        int happened = poll(ends, 2, MEMORY_LOOK_MS);
        if (happened == 0) {
            give_memory_back();
            continue;
        }
        if (happened < 0 && errno != EINTR)
            break;
        if (ends[1].revents != 0)
            break;
        struct signalfd_siginfo info;
        if (ends[0].revents != 0 && read(signals, &info, sizeof info) == (ssize_t)sizeof info)
            escalate(cli, &stop);
    }
    for (uint32_t i = 0; i < stop.count; i++)
        pthread_join(stop.threads[i], NULL);
    close(stop.stopped);
}

static int say_ready(pawl_cli *cli, const pawl_api_server *server, pawl_host *host, int ready_fd)
{
    pawl_text text = {0};
    json_t *facts = NULL;
    if (pawl_host_describe(host, &text, NULL) == PAWL_OK)
        facts = json_loadb(text.data, text.size, 0, NULL);
    pawl_text_free(&text);
    const char *profile = json_string_value(json_object_get(facts, "profile"));
    const char *tier = json_string_value(json_object_get(facts, "tier"));
    if (cli->json) {
        json_t *line =
            json_pack("{s:s, s:s, s:s*, s:s*, s:s, s:i}", "event", "ready", "version", pawl_library_version(),
                      "profile", profile, "tier", tier, "socket", pawl_api_server_socket(server), "pid", (int)getpid());
        pawl_cli_put_json(cli->out, line);
        json_decref(line);
    } else {
        fprintf(cli->out, "pawl %s ready: profile %s, tier %s, socket %s, pid %d\n", pawl_library_version(),
                profile == NULL ? "?" : profile, tier == NULL ? "?" : tier, pawl_api_server_socket(server),
                (int)getpid());
    }
    json_decref(facts);
    fflush(cli->out);
    if (ready_fd >= 0) {
        if (write(ready_fd, "\n", 1) != 1)
            return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.ready_fd", "descriptor %d cannot be written: %s", ready_fd,
                                 strerror(errno));
        close(ready_fd);
    }
    return PAWL_EXIT_OK;
}

/* A waiting client holds a descriptor, so have as many as we are allowed. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Why the host does not open. What its profile, a plugin or a tier is to blame for has exit code 6. */
static int open_failed(pawl_cli *cli, const pawl_error *error)
{
    int status = pawl_cli_exit_code(error);
    bool blames_profile = error->status == PAWL_E_INVALID || error->status == PAWL_E_UNSUPPORTED ||
                          error->status == PAWL_E_NOT_FOUND || error->status == PAWL_E_FAILED;
    return pawl_cli_fail(cli, blames_profile ? PAWL_EXIT_REFUSED : status, error->code, "%s", error->message);
}

static int serve_host(pawl_cli *cli, pawl_host *host, int signals, int ready_fd)
{
    pawl_error error = {0};
    pawl_api_server *server = NULL;
    pawl_api_server_options options = {.host = host, .socket_path = pawl_cli_value(cli, "socket")};
    if (pawl_api_server_open(&options, &server, &error) != PAWL_OK)
        return pawl_cli_fail_error(cli, &error);
    int status = say_ready(cli, server, host, ready_fd);
    if (status == PAWL_EXIT_OK)
        wait_until_stopped(cli, host, signals);
    pawl_api_server_close(server);
    return status;
}

static int run_host(pawl_cli *cli, int signals, int ready_fd)
{
    pawl_error error = {0};
    pawl_host *host = NULL;
    pawl_host_options options = {.struct_size = sizeof options};
    options.profile_path = pawl_cli_profile(cli);
    options.no_worker = pawl_cli_flag(cli, "no-worker");
    if (options.profile_path == NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage",
                             "which profile? Give --profile FILE, set PAWL_PROFILE, or run where a pawl.yaml is");
    if (pawl_host_open(&options, &host, &error) != PAWL_OK)
        return open_failed(cli, &error);
    int status = serve_host(cli, host, signals, ready_fd);
    pawl_host_close(host);
    if (status == PAWL_EXIT_OK && !cli->json) {
        fputs("pawl stopped\n", cli->out);
        fflush(cli->out);
    }
    return status;
}

int pawl_cli_serve(pawl_cli *cli)
{
    uint64_t ready_fd = 0;
    if (!pawl_cli_number(cli, "ready-fd", 1, 1000000, 0, &ready_fd))
        return PAWL_EXIT_USAGE;
    /* Blocked before the first thread is started, so that every thread inherits it and only the descriptor hears. */
    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGTERM);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    int signals = signalfd(-1, &stop_signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0)
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.signals", "signals cannot be received: %s", strerror(errno));
    int status = run_host(cli, signals, ready_fd == 0 ? -1 : (int)ready_fd);
    close(signals);
    return status;
}
