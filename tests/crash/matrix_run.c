/* matrix_run.c: see matrix_run.h. What it says to Pawl it says again in the next life, under the same ids; what Pawl
 * had acknowledged before must then be known to it. */
#include "matrix_run.h"
#include "matrix_plugin.h"
#include "seam/crash_point.h"

#include <fcntl.h>
#include <jansson.h>
#include <pawl/pawl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S       120 /* for a whole life */
#define SCENE_PATIENCE_S 60  /* for one process to come to its end, or to where it is told something */

const scene matrix_scenes[] = {
    {.id = "rules", .plan = "step quick later keyed step"},
    {.id = "once", .plan = "once step once"},
    {.id = "check", .plan = "check step check"},
    {.id = "retry", .plan = "step flaky once"},
    {.id = "timer", .plan = "step sleep:10 once clock"},
    {.id = "signal", .plan = "step signal:go once", .poke = POKE_SIGNAL},
    {.id = "cancel", .plan = "keyed signal:never step", .poke = POKE_CANCEL},
    {.id = "held", .plan = "step hold step", .poke = POKE_CANCEL_HELD, .outcome_alone = true},
    {.id = "extern", .poke = POKE_COMPLETE},
    {.id = "fail", .plan = "once bad step"},
    {.id = "ask", .plan = "step update:ask once", .poke = POKE_UPDATE},
    {.id = "undo", .plan = "step undo:step keyed undo:keyed once undo:check check bad"},
    {.id = "undo2",
     .plan = "undo:flaky step of:keyed of:once of:bad signal:never",
     .poke = POKE_CANCEL,
     .any_order = true},
    {.id = "unmade", .plan = "step undo:bad step undo:keyed bad"},
    {.id = "marks", .plan = "mark:1 step mark:2 once mark:3 step mark:4 sleep:5 mark:5"},
    {.id = "pause", .plan = "step signal:go once step", .poke = POKE_PAUSE, .outcome_alone = true},
    {.id = "state", .plan = "count step count once count sleep:5 count", .session = "matrix"},
    {.id = "version", .plan = "version:a step version:b once version:a"},
    {.id = "late", .plan = "signal:never", .deadline_ms = 30},
    {.id = "all", .plan = "all status all", .any_order = true},
};
const size_t matrix_scene_count = sizeof matrix_scenes / sizeof *matrix_scenes;

/* ---- the child's side ------------------------------------------------------------------------------------------- */

typedef struct life {
    const char *directory;
    pawl_host *host;
} life;

static void give_up(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void give_up(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("crash matrix: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    _exit(3);
}

static void no_log(void *context, uint32_t level, const char *line)
{
    (void)context;
    if (level >= PAWL_LOG_ERROR)
        fprintf(stderr, "%s\n", line);
}

static void open_host(life *own)
{
    static const pawl_plugin_entry_fn plugins[] = {matrix_plugin};
    char profile[1000];
    pawl_error error = {0};
    snprintf(profile, sizeof profile,
             "profile: crash\ntier: durable\ndata: %s/data\nstores: { main: { provider: rocksdb } }\n"
             "log: { level: error }\nretry: { attempts: 20, first_delay: 5ms, max_delay: 10ms }\n"
             "timeouts: { stop_grace: 30s }\nattributes: { mark: integer }\n",
             own->directory);
    pawl_host_options options = {.struct_size = sizeof options,
                                 .profile_text = profile,
                                 .log = no_log,
                                 .static_plugins = plugins,
                                 .static_plugin_count = 1};
    if (pawl_host_open(&options, &own->host, &error) != PAWL_OK)
        give_up("cannot open: %s: %s", error.code, error.message);
}

/* What was acknowledged goes into a file at once, and the next life insists on it. */
static void told(const life *own, const char *what, const char *id)
{
    char path[300];
    char line[64];
    snprintf(path, sizeof path, "%s/told", own->directory);
    int size = snprintf(line, sizeof line, "%s %s\n", what, id);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || write(file, line, (size_t)size) != size)
        give_up("cannot write %s", path);
    close(file);
}

static bool was_told(const life *own, const char *what, const char *id)
{
    char path[300];
    char line[64];
    char wanted[64];
    bool found = false;
    snprintf(path, sizeof path, "%s/told", own->directory);
    snprintf(wanted, sizeof wanted, "%s %s\n", what, id);
    FILE *file = fopen(path, "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = strcmp(line, wanted) == 0;
    if (file != NULL)
        fclose(file);
    return found;
}

static uint64_t unix_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void start(const life *own, const scene *s)
{
    char input[80];
    int size = snprintf(input, sizeof input, "\"%s\"", s->plan == NULL ? "" : s->plan);
    pawl_start wanted = {.struct_size = sizeof wanted,
                         .flags = s->plan == NULL ? PAWL_START_EXTERNAL : 0,
                         .id = s->id,
                         .type = "crash.plan",
                         .input = {input, (size_t)size},
                         .session = s->session};
    if (s->deadline_ms != 0) /* of the first start; a later one does not move it */
        wanted.deadline_unix_ns = unix_now_ns() + s->deadline_ms * 1000000ull;
    pawl_started started;
    pawl_error error = {0};
    if (pawl_host_start(own->host, &wanted, &started, &error) != PAWL_OK)
        give_up("start %s: %s: %s", s->id, error.code, error.message);
    if (!started.existed && was_told(own, "start", s->id))
        give_up("the start of %s was acknowledged before the crash and is lost", s->id);
    told(own, "start", s->id);
}

static json_t *json_of(pawl_text *text)
{
    json_t *value = json_loadb(text->data, text->size, 0, NULL);
    pawl_text_free(text);
    if (value == NULL)
        give_up("what the host says is no JSON");
    return value;
}

static json_t *look(const life *own, const char *id)
{
    pawl_text text = {0};
    pawl_error error = {0};
    if (pawl_host_get(own->host, id, &text, &error) != PAWL_OK)
        give_up("get %s: %s: %s", id, error.code, error.message);
    return json_of(&text);
}

static bool has_status(const life *own, const char *id, const char *const *wanted)
{
    bool found = false;
    json_t *process = look(own, id);
    for (size_t i = 0; wanted[i] != NULL && !found; i++)
        found = strcmp(json_string_value(json_object_get(process, "status")), wanted[i]) == 0;
    json_decref(process);
    return found;
}

static bool has_ended(const life *own, const char *id)
{
    static const char *const ends[] = {"completed", "failed", "cancelled", "terminated", NULL};
    return has_status(own, id, ends);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void give_up_on(const life *own, const scene *s, const char *what)
{
    char *text = json_dumps(look(own, s->id), JSON_COMPACT);
    give_up("%s has not come to %s within %d s: %s", s->id, what, SCENE_PATIENCE_S, text);
}

/* Until it waits for what it is told, or has ended. */
static void await_moment(const life *own, const scene *s)
{
    static const char *const waits[] = {"waiting", NULL};
    static const struct timespec soon = {0, 500000};
    double until = seconds_now() + SCENE_PATIENCE_S;
    while (!has_ended(own, s->id) &&
           !(s->poke == POKE_CANCEL_HELD ? matrix_plugin_holds() : has_status(own, s->id, waits))) {
        if (seconds_now() > until)
            give_up_on(own, s, "where it is told something");
        nanosleep(&soon, NULL);
    }
}

/* However often it is asked, in this life and in those before: one answer, also after its end. */
static void ask(const life *own, const scene *s)
{
    const uint64_t patience_ns = SCENE_PATIENCE_S * 1000000000ull;
    for (int i = 0; i < 2; i++) {
        pawl_text text = {0};
        pawl_error error = {0};
        if (pawl_host_update(own->host, s->id, "ask", (pawl_bytes){"7", 1}, "u1", patience_ns, &text, &error) !=
            PAWL_OK)
            give_up("ask %s: %s: %s", s->id, error.code, error.message);
        json_t *answer = json_of(&text);
        const char *reply = json_string_value(json_object_get(answer, "reply"));
        if (reply == NULL || strcmp(reply, "got 7") != 0)
            give_up("%s gave another answer", s->id);
        json_decref(answer);
    }
    pawl_error error = {0};
    if (pawl_host_update(own->host, s->id, "ask", (pawl_bytes){"8", 1}, "u1", patience_ns, NULL, &error) !=
        PAWL_E_CONFLICT)
        give_up("%s was asked something else under the same id", s->id);
}

/* Nobody is left who could answer. */
static void ask_too_late(const life *own, const scene *s)
{
    pawl_error error = {0};
    pawl_status status =
        pawl_host_update(own->host, s->id, "ask", (pawl_bytes){"9", 1}, "u2", 1000000000ull, NULL, &error);
    if (status != PAWL_E_TERMINAL)
        give_up("%s has ended and was asked: %d %s", s->id, (int)status, error.code);
}

static bool is_paused(const life *own, const scene *s)
{
    json_t *process = look(own, s->id);
    bool paused = json_object_get(process, "paused") != NULL;
    json_decref(process);
    return paused;
}

/* A pause that was acknowledged holds over every death until its end is asked for; what comes meanwhile is kept. */
static void pause_and_go_on(const life *own, const scene *s)
{
    pawl_error error = {0};
    uint32_t replayed = 0;
    bool held = was_told(own, "pause", s->id), freed = was_told(own, "unpause", s->id);
    if (held && !freed && !was_told(own, "unpausing", s->id) && (!is_paused(own, s) || has_ended(own, s->id)))
        give_up("the pause of %s was acknowledged before the crash and is lost", s->id);
    if (freed && is_paused(own, s))
        give_up("the end of the pause of %s was acknowledged before the crash and is lost", s->id);
    if (!held && pawl_host_pause(own->host, PAWL_PAUSE_PROCESS, s->id, "look", &error) != PAWL_OK)
        give_up("pause %s: %s: %s", s->id, error.code, error.message);
    told(own, "pause", s->id);
    if (pawl_host_signal(own->host, s->id, "go", (pawl_bytes){"7", 1}, "s1", &replayed, &error) != PAWL_OK)
        give_up("signal %s: %s: %s", s->id, error.code, error.message);
    if (!was_told(own, "unpausing", s->id) && !is_paused(own, s))
        give_up("%s went on though it was paused", s->id);
    told(own, "unpausing", s->id);
    if (is_paused(own, s) && pawl_host_unpause(own->host, PAWL_PAUSE_PROCESS, s->id, &error) != PAWL_OK)
        give_up("unpause %s: %s: %s", s->id, error.code, error.message);
    told(own, "unpause", s->id);
}

static void tell(const life *own, const scene *s)
{
    pawl_error error = {0};
    pawl_status status = PAWL_OK;
    uint32_t replayed = 0;
    bool before = was_told(own, "poke", s->id);
    pawl_outcome outcome = {
        .struct_size = sizeof outcome, .status = PAWL_COMPLETED, .output = {"\"from outside\"", 14}};
    if (s->poke == POKE_PAUSE) {
        pause_and_go_on(own, s);
        return;
    }
    if (s->poke != POKE_COMPLETE)
        await_moment(own, s);
    if (s->poke == POKE_UPDATE)
        ask(own, s);
    else if (s->poke == POKE_SIGNAL)
        status = pawl_host_signal(own->host, s->id, "go", (pawl_bytes){"7", 1}, "s1", &replayed, &error);
    else if (s->poke == POKE_COMPLETE)
        status = pawl_host_complete(own->host, s->id, &outcome, &error);
    else
        status = pawl_host_cancel(own->host, s->id, "enough", &error);
    bool is_cancel = s->poke == POKE_CANCEL || s->poke == POKE_CANCEL_HELD;
    if (status != PAWL_OK && !(is_cancel && status == PAWL_E_TERMINAL))
        give_up("tell %s: %s: %s", s->id, error.code, error.message);
    if (s->poke == POKE_SIGNAL && before && replayed == 0)
        give_up("the signal to %s was acknowledged before the crash and is lost", s->id);
    if (before && s->poke == POKE_CANCEL_HELD && matrix_plugin_holds())
        give_up("the cancel of %s was acknowledged before the crash, and its effect runs again", s->id);
    told(own, "poke", s->id);
}

static json_t *end_of(const life *own, const scene *s)
{
    pawl_text text = {0};
    pawl_error error = {0};
    pawl_status status = pawl_host_wait(own->host, s->id, SCENE_PATIENCE_S * 1000000000ull, &text, &error);
    if (status == PAWL_E_DEADLINE)
        give_up_on(own, s, "its end");
    if (s->poke == POKE_UPDATE)
        ask_too_late(own, s);
    if (status != PAWL_OK)
        give_up("wait %s: %s: %s", s->id, error.code, error.message);
    pawl_text_free(&text);
    if (pawl_host_journal(own->host, s->id, 1, 0, 1, &text, &error) != PAWL_OK)
        give_up("journal %s: %s: %s", s->id, error.code, error.message);
    json_t *journal = json_of(&text);
    json_t *records = json_incref(json_object_get(journal, "records"));
    json_decref(journal);
    return json_pack("{s:o, s:o}", "process", look(own, s->id), "records", records);
}

static void write_points(const life *own)
{
    char path[300];
    snprintf(path, sizeof path, "%s/points", own->directory);
    FILE *file = fopen(path, "we");
    if (file == NULL || fprintf(file, "%u\n", pawl_crash_points_passed()) < 0 || fclose(file) != 0)
        give_up("cannot write %s", path);
}

static void live(const char *directory)
{
    char path[300];
    life own = {.directory = directory};
    json_t *state = json_array();
    matrix_plugin_use(directory);
    open_host(&own);
    for (size_t i = 0; i < matrix_scene_count; i++)
        start(&own, &matrix_scenes[i]);
    for (size_t i = 0; i < matrix_scene_count; i++)
        if (matrix_scenes[i].poke != POKE_NOTHING)
            tell(&own, &matrix_scenes[i]);
    for (size_t i = 0; i < matrix_scene_count; i++)
        json_array_append_new(state, end_of(&own, &matrix_scenes[i]));
    pawl_host_close(own.host);
    snprintf(path, sizeof path, "%s/state", directory);
    if (json_dump_file(state, path, JSON_INDENT(1)) != 0)
        give_up("cannot write %s", path);
    json_decref(state);
    write_points(&own);
}

/* ---- the test's side -------------------------------------------------------------------------------------------- */

static int end_of_child(pid_t child)
{
    int status = 0;
    struct timespec soon = {0, 1000000};
    for (double until = seconds_now() + PATIENCE_S; seconds_now() < until; nanosleep(&soon, NULL))
        if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    kill(child, SIGABRT);
    waitpid(child, &status, 0);
    return -SIGALRM;
}

int matrix_live(const char *directory, const char *point)
{
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        return 127;
    if (child > 0)
        return end_of_child(child);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (point != NULL)
        setenv("PAWL_CRASH_POINT", point, 1);
    else
        unsetenv("PAWL_CRASH_POINT");
    live(directory);
    exit(MATRIX_DONE);
}

unsigned matrix_points(const char *directory)
{
    char path[300];
    unsigned points = 0;
    snprintf(path, sizeof path, "%s/points", directory);
    FILE *file = fopen(path, "re");
    if (file == NULL || fscanf(file, "%u", &points) != 1)
        points = 0;
    if (file != NULL)
        fclose(file);
    return points;
}
