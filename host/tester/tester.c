/* tester.c: a whole test: the script, the plugin, all variations, the report. It runs in a child process that is
 * watched from outside: a program that crashes or never comes back ends the child, and the report says in which
 * variation. */
#include "tester_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS_MAX      UINT64_C(20000) /* of one run */
#define TIME_MS_DEFAULT UINT64_C(60000)
#define HANG_MS_DEFAULT UINT64_C(10000)
#define LOAD_MS         UINT64_C(60000)
#define LOOK_MS         100

static uint64_t mono_ns(void)
{
    return pawl_clock_system()->mono_ns(pawl_clock_system());
}

static pawl_bytes text_bytes(const char *text)
{
    return text == NULL ? (pawl_bytes){"", 0} : (pawl_bytes){text, strlen(text)};
}

/* ---- the script ---- */

static char *read_file(const char *path, size_t *ret_size, pawl_error *error)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        (void)pawl_error_set(error, errno == ENOENT ? PAWL_E_NOT_FOUND : PAWL_E_IO, "test.script", "%s: %s", path,
                             strerror(errno));
        return NULL;
    }
    char *text = malloc(PAWL_SCRIPT_BYTES_MAX + 1);
    *ret_size = text == NULL ? 0 : fread(text, 1, PAWL_SCRIPT_BYTES_MAX + 1, file);
    fclose(file);
    if (text == NULL || *ret_size > PAWL_SCRIPT_BYTES_MAX) {
        free(text);
        (void)pawl_error_set(error, PAWL_E_LIMIT, "test.script", "%s is larger than a script may be", path);
        return NULL;
    }
    return text;
}

static pawl_status read_script(pawl_tester *t, pawl_error *error)
{
    const char *path = t->request->script;
    pawl_problem_list problems = {0};
    size_t size = 0;
    if (path != NULL && strcmp(path, "auto") == 0)
        return pawl_script_auto(&t->script);
    if (path == NULL)
        return pawl_script_read("{}", 2, &t->script, &problems);
    char *text = read_file(path, &size, error);
    if (text == NULL)
        return error->status;
    problems.path = strdup(path);
    pawl_status status = pawl_script_read(text, size, &t->script, &problems);
    char *report = status == PAWL_OK ? NULL : pawl_problems_text(&problems);
    if (status != PAWL_OK)
        (void)pawl_error_set(error, status, "test.script", "%s", report == NULL ? "out of memory" : report);
    free(report);
    free(text);
    pawl_problems_free(&problems);
    return status;
}

/* ---- the test ---- */

static void beat(void *context)
{
    const pawl_tester *t = context;
    if (t->shared != NULL)
        atomic_fetch_add_explicit(&t->shared->beats, 1, memory_order_relaxed);
}

static void set_subject(pawl_tester *t)
{
    const pawl_tester_request *request = t->request;
    t->subject = (pawl_tester_subject){
        .program = t->plugin->process,
        .manifest = t->plugin->manifest,
        .type = text_bytes(t->process->name),
        .id = text_bytes(t->script.id != NULL ? t->script.id : "test"),
        .session = text_bytes(t->script.session != NULL ? t->script.session
                              : t->script.has_state     ? "test"
                                                        : NULL),
        .input = request->input.data != NULL ? request->input : t->script.input,
        .revision = t->process->revision,
        .script = &t->script,
        .traps = t->traps,
        .events_max = EVENTS_MAX,
        .beat = beat,
        .beat_context = t,
    };
    if (t->subject.input.data == NULL)
        t->subject.input = (pawl_bytes){"", 0};
}

static json_t *run_all(pawl_tester *t)
{
    uint64_t began = mono_ns(), most = t->request->time_max_ms == 0 ? TIME_MS_DEFAULT : t->request->time_max_ms;
    t->stop_mono_ns = began + most * 1000000;
    if (pawl_tester_basic(t)) {
        pawl_tester_modes(t);
        pawl_tester_all_crashes(t);
        pawl_tester_cancels(t);
        pawl_tester_faults(t);
        pawl_tester_orders(t);
    }
    pawl_tester_report_traps(t);
    return pawl_tester_report(t, (mono_ns() - began) / 1000000);
}

static void finish(pawl_tester *t)
{
    pawl_machine_finish(&t->basic);
    pawl_tester_text_finish(&t->expected);
    json_decref(t->variations);
    json_decref(t->findings);
    json_decref(t->warnings);
    json_decref(t->orders);
    json_decref(t->only_trace);
    pawl_tester_unload(t);
    pawl_script_finish(&t->script);
}

/* NULL: error says why. */
static json_t *test(const pawl_tester_request *request, pawl_tester_shared *shared, pawl_error *error)
{
    pawl_tester t = {.request = request, .shared = shared};
    json_t *report = NULL;
    t.variations = json_array();
    t.findings = json_array();
    t.warnings = json_array();
    pawl_status status = read_script(&t, error);
    if (status == PAWL_OK)
        status = pawl_tester_load(&t, request->type != NULL ? request->type : t.script.type, error);
    if (status == PAWL_OK) {
        /* A function of the plugin's that is surely its own: the table may lie in the host. */
        uintptr_t inside = 0;
        memcpy(&inside, &t.plugin->process->activate, sizeof inside);
        t.traps = pawl_traps_set((const void *)inside);
        if (request->journal_count > 0) {
            report = pawl_tester_replay(&t, error);
        } else {
            set_subject(&t);
            report = run_all(&t);
        }
    }
    finish(&t);
    return report;
}

/* ---- the child ---- */

static json_t *error_json(const pawl_error *error)
{
    return json_pack("{s:i, s:s, s:s}", "refused", (int)error->status, "code", error->code, "message", error->message);
}

static void write_all(int fd, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t wrote = write(fd, text, left);
        if (wrote < 0 && errno != EINTR)
            return;
        if (wrote > 0) {
            text += wrote;
            left -= (size_t)wrote;
        }
    }
}

__attribute__((noreturn)) static void be_child(const pawl_tester_request *request, pawl_tester_shared *shared, int fd)
{
    pawl_error error = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    json_t *report = test(request, shared, &error);
    if (report == NULL)
        report = error_json(&error);
    char *text = report == NULL ? NULL : json_dumps(report, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (text != NULL)
        write_all(fd, text);
    free(text);
    json_decref(report);
    if (request->progress != NULL)
        fflush(request->progress);
    _exit(0);
}

typedef struct watch {
    const pawl_tester_request *request;
    pawl_tester_shared *shared;
    pid_t pid;
    int fd;
    pawl_tester_text text;
    bool hung;
    bool ended; /* the child has, and is gone */
    int how;
} watch;

/* Until the child has said all. Nothing is killed but what makes no progress in the program itself. */
static void listen_to(watch *w)
{
    uint64_t most = w->request->hang_ms == 0 ? HANG_MS_DEFAULT : w->request->hang_ms;
    uint64_t beats = 0, since = mono_ns(), began = since;
    for (;;) {
        struct pollfd poller = {.fd = w->fd, .events = POLLIN};
        int ready = poll(&poller, 1, LOOK_MS);
        uint64_t now_beats = atomic_load(&w->shared->beats);
        bool loads = now_beats == 0 && mono_ns() - began < LOAD_MS * 1000000; /* its init may take its time */
        if (now_beats != beats || loads || ready > 0) {
            beats = now_beats;
            since = mono_ns();
        } else if (mono_ns() - since > most * 1000000 && !w->hung) {
            w->hung = true;
            if (!w->ended)
                kill(w->pid, SIGKILL);
        }
        if (ready <= 0) { /* what the program has started may hold the pipe open for ever */
            if (w->ended)
                return;
            w->ended = waitpid(w->pid, &w->how, WNOHANG) == w->pid;
            continue;
        }
        char bytes[65536];
        ssize_t size = read(w->fd, bytes, sizeof bytes);
        if (size == 0 || (size < 0 && errno != EINTR))
            return;
        if (size > 0)
            pawl_tester_text_bytes(&w->text, bytes, (size_t)size);
    }
}

/* It did not come back: that is what was found. */
static json_t *lost_report(const watch *w, int how)
{
    char message[400];
    const char *what = w->shared->what[0] == '\0' ? "loading" : w->shared->what;
    if (w->hung)
        snprintf(message, sizeof message, "%s",
                 atomic_load(&w->shared->beats) == 0
                     ? "the plugin did not come back from being loaded"
                     : "the program did not come back from an activation: an activation must never block or go on for "
                       "ever");
    else if (WIFSIGNALED(how))
        snprintf(message, sizeof message, "the program crashed: signal %d (%s)", WTERMSIG(how),
                 strsignal(WTERMSIG(how)));
    else
        snprintf(message, sizeof message, "the program ended its own process: exit code %d", WEXITSTATUS(how));
    return json_pack("{s:b, s:s, s:[{s:s, s:s, s:s}], s:[], s:[], s:I}", "ok", 0, "plugin", w->request->plugin,
                     "findings", "variation", what, "kind", w->hung ? "hangs" : "crash", "message", message,
                     "variations", "warnings", "runs", (json_int_t)atomic_load(&w->shared->runs));
}

static json_t *judge_child(watch *w, int how, pawl_error *error)
{
    json_t *report = NULL;
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
        report = json_loadb(pawl_tester_text_of(&w->text), w->text.size, 0, NULL);
    if (report == NULL)
        return lost_report(w, how);
    const json_t *refused = json_object_get(report, "refused");
    if (refused == NULL)
        return report;
    (void)pawl_error_set(error, (pawl_status)json_integer_value(refused),
                         json_string_value(json_object_get(report, "code")), "%s",
                         json_string_value(json_object_get(report, "message")));
    json_decref(report);
    return NULL;
}

static json_t *test_in_child(const pawl_tester_request *request, pawl_error *error)
{
    int ends[2];
    watch w = {.request = request};
    if (request->progress != NULL)
        fflush(request->progress);
    w.shared = mmap(NULL, sizeof *w.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w.shared == MAP_FAILED || pipe2(ends, O_CLOEXEC) != 0) {
        (void)pawl_error_set(error, PAWL_E_IO, "test.child", "no child process: %s", strerror(errno));
        if (w.shared != MAP_FAILED)
            munmap(w.shared, sizeof *w.shared);
        return NULL;
    }
    w.pid = fork();
    if (w.pid == 0) {
        close(ends[0]);
        be_child(request, w.shared, ends[1]);
    }
    close(ends[1]);
    json_t *report = NULL;
    if (w.pid > 0) {
        w.fd = ends[0];
        listen_to(&w);
        while (!w.ended && waitpid(w.pid, &w.how, 0) < 0 && errno == EINTR)
            ;
        report = judge_child(&w, w.how, error);
    } else {
        (void)pawl_error_set(error, PAWL_E_IO, "test.child", "no child process: %s", strerror(errno));
    }
    close(ends[0]);
    munmap(w.shared, sizeof *w.shared);
    pawl_tester_text_finish(&w.text);
    return report;
}

pawl_status pawl_tester_run(const pawl_tester_request *request, pawl_text *ret_json, pawl_error *error)
{
    pawl_error own = {0};
    pawl_error *why = error != NULL ? error : &own;
    json_t *report = request->in_process ? test(request, NULL, why) : test_in_child(request, why);
    if (report == NULL)
        return why->status != PAWL_OK ? why->status
                                      : pawl_error_set(why, PAWL_E_NOMEM, "out_of_memory", "out of memory");
    char *text = json_dumps(report, JSON_COMPACT);
    json_decref(report);
    if (text == NULL)
        return pawl_error_set(why, PAWL_E_NOMEM, "out_of_memory", "out of memory");
    *ret_json = (pawl_text){text, strlen(text)};
    return PAWL_OK;
}
