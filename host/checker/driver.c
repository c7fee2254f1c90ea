/* driver.c: the parent's side of a check: which cases, one child for each, what became of it. It must never run code of
 * the plugin, wait without a deadline, or believe that a child which died had nothing wrong with it. */
#include "host/loader/elf_image.h"
#include "host/loader/manifest.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 65536, JOBS_MAX = 64, POLL_MS = 3, MS_PER_S = 1000, NS_PER_MS = 1000000 };

extern char **environ;

/* A child that runs. */
typedef struct {
    checker_result *result; /* NULL: the place is free */
    pid_t pid;
    int channel, printed; /* what it finds; what the plugin prints. -1: at their end */
    int64_t begun_ms;
    char line[LINE_MAX_BYTES];
    size_t used;
    size_t output_size;
} child;

typedef struct {
    const checker_options *options;
    checker_report report;
    child *children; /* options->jobs of them */
    uint32_t broken; /* STAGE_* whose gate failed, or that were skipped */
    const char *broken_by[16];
} driver;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

/* ---- starting ---- */

/* Its own process group, so that what a plugin starts can be ended with it; no signal blocked or ignored. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int failed = posix_spawnattr_setsigmask(attributes, &none);
    if (failed == 0)
        failed = posix_spawnattr_setsigdefault(attributes, &all);
    if (failed == 0)
        failed = posix_spawnattr_setpgroup(attributes, 0);
    if (failed == 0)
        failed = posix_spawnattr_setflags(attributes,
                                          POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    return failed;
}

static int set_actions(posix_spawn_file_actions_t *actions, int channel, int printed)
{
    int failed = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(actions, printed, STDOUT_FILENO);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(actions, printed, STDERR_FILENO);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(actions, channel, CHECKER_CHANNEL);
    if (failed == 0)
        failed = posix_spawn_file_actions_addclosefrom_np(actions, CHECKER_CHANNEL + 1);
    return failed;
}

/* The same command line, which case, and what not to try. */
static int spawn(const driver *d, const char *name, int channel, int printed, pid_t *ret)
{
    static char run[] = "--run", broken[] = "--broken";
    const checker_options *o = d->options;
    char stages[16];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char **argv = calloc((size_t)o->argc + 5, sizeof *argv);
    if (argv == NULL)
        return ENOMEM;
    argv[0] = o->argv[0];
    argv[1] = run;
    argv[2] = (char *)(uintptr_t)name;
    snprintf(stages, sizeof stages, "%u", d->broken);
    argv[3] = broken;
    argv[4] = stages;
    memcpy(argv + 5, o->argv + 1, ((size_t)o->argc - 1) * sizeof *argv);
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed == 0) {
        failed = posix_spawnattr_init(&attributes);
        if (failed == 0) {
            failed = set_actions(&actions, channel, printed);
            if (failed == 0)
                failed = set_attributes(&attributes);
            if (failed == 0)
                failed = posix_spawn(ret, "/proc/self/exe", &actions, &attributes, argv, environ);
            posix_spawnattr_destroy(&attributes);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    free(argv);
    return failed;
}

/* A descriptor that a child's are not made from by accident. */
static bool make_pair(int pair[2])
{
    int low[2];
    if (pipe2(low, O_CLOEXEC) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        pair[i] = fcntl(low[i], F_DUPFD_CLOEXEC, CHECKER_CHANNEL + 1);
        close(low[i]);
    }
    return pair[0] >= 0 && pair[1] >= 0;
}

static void finish(checker_result *result, checker_verdict verdict)
{
    result->verdict = verdict;
    result->done = true;
}

static void start(const driver *d, child *c, checker_result *result)
{
    int channel[2] = {-1, -1}, printed[2] = {-1, -1};
    *c = (child){.result = result, .channel = -1, .printed = -1, .begun_ms = now_ms()};
    snprintf(result->stage, sizeof result->stage, "starting");
    int failed = make_pair(channel) && make_pair(printed) ? 0 : errno;
    if (failed == 0) {
        failed = spawn(d, result->entry->name, channel[1], printed[1], &c->pid);
        close(channel[1]);
        close(printed[1]);
        c->channel = channel[0];
        c->printed = printed[0];
    }
    if (failed != 0) {
        snprintf(result->reason, sizeof result->reason, "its child could not be started: %s", strerror(failed));
        finish(result, VERDICT_CRASH);
        c->result = NULL;
    }
}

/* ---- listening ---- */

static void take_line(checker_result *result, const char *line)
{
    json_t *json = json_loads(line, 0, NULL);
    const char *stage = json_string_value(json_object_get(json, "stage"));
    const char *done = json_string_value(json_object_get(json, "done"));
    const char *verdict = json_string_value(json_object_get(json, "verdict"));
    if (stage != NULL)
        snprintf(result->stage, sizeof result->stage, "%s", stage);
    if (verdict != NULL && strcmp(verdict, checker_verdict_name(VERDICT_SKIP)) == 0)
        snprintf(result->reason, sizeof result->reason, "%s", json_string_value(json_object_get(json, "found")));
    else if (verdict != NULL)
        json_array_append(result->findings, json);
    for (checker_verdict v = VERDICT_PASS; done != NULL && v <= VERDICT_FAIL; v++)
        if (strcmp(done, checker_verdict_name(v)) == 0)
            finish(result, v);
    json_decref(json);
}

/* False at the end of what it says. */
static bool listen_to(child *c)
{
    ssize_t size = read(c->channel, c->line + c->used, sizeof c->line - 1 - c->used);
    if (size <= 0)
        return size < 0 && (errno == EINTR || errno == EAGAIN);
    c->used += (size_t)size;
    c->line[c->used] = '\0';
    char *line = c->line;
    for (char *end = strchr(line, '\n'); end != NULL; end = strchr(line, '\n')) {
        *end = '\0';
        take_line(c->result, line);
        line = end + 1;
    }
    c->used -= (size_t)(line - c->line);
    memmove(c->line, line, c->used);
    if (c->used + 1 == sizeof c->line)
        c->used = 0; /* no line of ours is so long */
    return true;
}

/* Keep the end of what the plugin prints. */
static bool collect(child *c)
{
    char chunk[4096];
    checker_result *result = c->result;
    ssize_t size = read(c->printed, chunk, sizeof chunk);
    if (size <= 0)
        return size < 0 && (errno == EINTR || errno == EAGAIN);
    if (result->output == NULL)
        result->output = calloc(1, REPORT_OUTPUT_MAX + 1);
    if (result->output == NULL)
        return true;
    size_t room = REPORT_OUTPUT_MAX - c->output_size;
    if ((size_t)size > room) {
        size_t drop = (size_t)size - room;
        memmove(result->output, result->output + drop, c->output_size - drop);
        c->output_size -= drop;
    }
    memcpy(result->output + c->output_size, chunk, (size_t)size);
    c->output_size += (size_t)size;
    result->output[c->output_size] = '\0';
    return true;
}

/* ---- ending ---- */

static void judge(checker_result *result, int end)
{
    if (WIFSIGNALED(end)) {
        snprintf(result->reason, sizeof result->reason, "signal %d (%s) in: %s", WTERMSIG(end),
                 strsignal(WTERMSIG(end)), result->stage);
        finish(result, VERDICT_CRASH);
    } else if (!result->done) {
        snprintf(result->reason, sizeof result->reason,
                 "it ended the program by exit(%d) in: %s; wanted a return: a plugin must never end the program it "
                 "runs in",
                 WEXITSTATUS(end), result->stage);
        finish(result, VERDICT_CRASH);
    }
}

/* What the child wrote before it ended, whoever still holds the other ends. */
static void drain(child *c)
{
    const struct {
        int *fd;
        bool (*read)(child *c);
    } both[] = {{&c->channel, listen_to}, {&c->printed, collect}};
    for (size_t i = 0; i < 2; i++) {
        struct pollfd ready = {.fd = *both[i].fd, .events = POLLIN};
        while (*both[i].fd >= 0 && poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0 && both[i].read(c))
            continue;
        if (*both[i].fd >= 0)
            close(*both[i].fd);
        *both[i].fd = -1;
    }
}

static void attend(const driver *d, child *c)
{
    siginfo_t info = {.si_pid = 0};
    int end = 0;
    bool late = now_ms() - c->begun_ms > d->options->timeout_ms;
    bool ended = waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == c->pid;
    if (!ended && !late)
        return;
    kill(-c->pid, SIGKILL); /* the child, or what it left behind in its group */
    kill(c->pid, SIGKILL);
    while (waitpid(c->pid, &end, 0) < 0 && errno == EINTR)
        continue;
    drain(c);
    c->result->took_ms = (uint64_t)(now_ms() - c->begun_ms);
    if (ended) {
        judge(c->result, end);
    } else {
        snprintf(c->result->reason, sizeof c->result->reason, "it did not end within %u ms; it hung in: %s",
                 d->options->timeout_ms, c->result->stage);
        finish(c->result, VERDICT_TIMEOUT);
    }
    c->result = NULL;
}

/* Wait a while for any child to say or do something. */
static void wait_for_some(driver *d)
{
    struct pollfd fds[2 * JOBS_MAX];
    nfds_t count = 0;
    for (uint32_t i = 0; i < d->options->jobs; i++) {
        child *c = &d->children[i];
        fds[count++] = (struct pollfd){.fd = c->result == NULL ? -1 : c->channel, .events = POLLIN};
        fds[count++] = (struct pollfd){.fd = c->result == NULL ? -1 : c->printed, .events = POLLIN};
    }
    poll(fds, count, POLL_MS);
    for (uint32_t i = 0; i < d->options->jobs; i++) {
        child *c = &d->children[i];
        if (c->result == NULL)
            continue;
        if (fds[2 * i].revents != 0 && !listen_to(c)) {
            close(c->channel);
            c->channel = -1;
        }
        if (fds[2 * i + 1].revents != 0 && !collect(c)) {
            close(c->printed);
            c->printed = -1;
        }
        attend(d, c);
    }
}

/* ---- what to run ---- */

static const char *waiver(const checker_options *o, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < o->waived_count; i++)
        if (strncmp(o->waived[i], name, size) == 0 && o->waived[i][size] == '=')
            return o->waived[i] + size + 1;
    return NULL;
}

/* Skip it before it runs? */
static bool settle_before(const driver *d, checker_result *result)
{
    const char *reason = waiver(d->options, result->entry->name);
    if (reason != NULL) {
        snprintf(result->reason, sizeof result->reason, "waived: %s", reason);
        finish(result, VERDICT_SKIP);
        return true;
    }
    uint32_t missing = result->entry->needs & d->broken;
    if (missing == 0)
        return false;
    int stage = __builtin_ctz(missing);
    snprintf(result->reason, sizeof result->reason, "it needs what %s is about", d->broken_by[stage]);
    finish(result, VERDICT_SKIP);
    return true;
}

/* Begin all that may begin now: gates one after another, the rest when they are through. False: nothing is left. */
static bool begin_more(driver *d, size_t *gate, size_t *rest)
{
    checker_report *report = &d->report;
    for (; *gate < report->count; ++*gate) {
        checker_result *result = &report->results[*gate];
        if (result->entry->gives == 0)
            continue;
        if (d->children[0].result == result)
            return true;
        if (!result->done && !settle_before(d, result)) {
            start(d, &d->children[0], result);
            return true;
        }
        if (result->verdict != VERDICT_PASS && result->verdict != VERDICT_WARN) {
            d->broken |= result->entry->gives;
            d->broken_by[__builtin_ctz(result->entry->gives)] = result->entry->name;
        }
    }
    bool busy = false;
    for (uint32_t i = 0; i < d->options->jobs; i++) {
        child *c = &d->children[i];
        while (c->result == NULL && *rest < report->count) {
            checker_result *result = &report->results[(*rest)++];
            if (!result->done && !settle_before(d, result))
                start(d, c, result);
        }
        busy = busy || c->result != NULL;
    }
    return busy;
}

static bool choose(driver *d, uint32_t kinds)
{
    d->report.results = calloc(checker_case_count, sizeof *d->report.results);
    d->children = calloc(d->options->jobs, sizeof *d->children);
    if (d->report.results == NULL || d->children == NULL)
        return false;
    for (size_t i = 0; i < checker_case_count; i++) {
        const checker_case *entry = &checker_cases[i];
        bool applies = entry->kinds == 0 || kinds == 0 || (entry->kinds & kinds) != 0;
        if (!applies || !checker_wants(d->options, entry))
            continue;
        checker_result *result = &d->report.results[d->report.count++];
        result->entry = entry;
        result->findings = json_array();
    }
    return true;
}

/* ---- the whole ---- */

/* What can be known without running it; a file of which nothing can be known is for the first case to tell. */
static void read_facts(driver *d, elf_image *image, pawl_manifest **ret_manifest)
{
    pawl_error error = {.status = PAWL_OK};
    int fd = open(d->options->path, O_RDONLY | O_CLOEXEC);
    if (pawl_elf_image_read(fd, image, &error) == PAWL_OK && image->manifest != NULL) {
        const pawl_bytes text = {image->manifest, image->manifest_size};
        if (pawl_manifest_parse(text, ret_manifest, &error) == PAWL_OK) {
            d->report.id = (*ret_manifest)->id;
            d->report.version = (*ret_manifest)->version;
        }
    }
    if (fd >= 0)
        close(fd);
}

static bool tell(const driver *d)
{
    if (d->options->json)
        checker_report_json(&d->report, stdout);
    else
        checker_report_text(&d->report, stdout);
    return d->options->junit == NULL || checker_report_junit(&d->report);
}

static void release(driver *d)
{
    for (size_t i = 0; i < d->report.count; i++) {
        json_decref(d->report.results[i].findings);
        free(d->report.results[i].output);
    }
    free(d->report.results);
    free(d->children);
}

int checker_drive(checker_options *options)
{
    driver d = {.options = options, .report = {.options = options, .id = "", .version = ""}};
    elf_image image;
    pawl_manifest *manifest = NULL;
    size_t gate = 0, rest = 0;
    memset(&image, 0, sizeof image);
    signal(SIGPIPE, SIG_IGN);
    read_facts(&d, &image, &manifest);
    bool told = choose(&d, manifest == NULL ? 0 : manifest->kinds);
    if (told) {
        while (begin_more(&d, &gate, &rest))
            wait_for_some(&d);
        checker_report_close(&d.report);
        told = tell(&d);
    } else {
        fputs("pawl: out of memory\n", stderr);
    }
    release(&d);
    pawl_manifest_destroy(manifest);
    pawl_elf_image_finish(&image);
    return !told ? CHECKER_EXIT_BROKEN : d.report.good ? CHECKER_EXIT_OK : CHECKER_EXIT_FAILED;
}
