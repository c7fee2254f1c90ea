/* matrix_plugin.c: see matrix_plugin.h. It must never tell Pawl anything that its log does not hold, and never look at
 * Pawl's own data. */
#include "matrix_plugin.h"

#include <fcntl.h>
#include <pawl_plugin.h>
#include <pawl_process.h>
#include <pawl_session.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#define NONCE_MAX 40
#define RUNS_ALL  4u

static char log_path[300]; /* written before any call */
static atomic_uint executions;
static atomic_int holding;

void matrix_plugin_use(const char *directory)
{
    snprintf(log_path, sizeof log_path, "%s/effects", directory);
}

bool matrix_plugin_holds(void)
{
    return atomic_load(&holding) > 0;
}

/* ---- effects ---------------------------------------------------------------------------------------------------- */

/* What the outside world sees. False: it could not be written down, so it has not happened. */
static bool note(const pawl_effect_call *call, const char *phase, const char *nonce)
{
    char line[600];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int size = snprintf(line, sizeof line, "%.*s %.*s %u %s %s %.*s %llu\n", (int)call->idempotency_key.size,
                        (const char *)call->idempotency_key.data, (int)call->operation.size,
                        (const char *)call->operation.data, (unsigned)call->attempt, phase, nonce,
                        (int)call->input.size, (const char *)call->input.data,
                        (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec);
    int file = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    bool noted = file >= 0 && size > 0 && (size_t)size < sizeof line && write(file, line, (size_t)size) == size;
    if (file >= 0)
        close(file);
    return noted;
}

/* Run until asked to stop. */
static pawl_status hold(const pawl_core *core, const pawl_effect_call *call, const char *nonce)
{
    struct pollfd stop = {.fd = core->cancel_fd(call->cancel), .events = POLLIN};
    atomic_fetch_add(&holding, 1);
    while (poll(&stop, 1, 1000) == 0)
        ;
    atomic_fetch_sub(&holding, 1);
    note(call, "stop", nonce);
    return PAWL_E_CANCELLED;
}

static void new_nonce(char *nonce)
{
    snprintf(nonce, NONCE_MAX, "%d-%u", (int)getpid(), atomic_fetch_add(&executions, 1u));
}

static pawl_status execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    char nonce[NONCE_MAX];
    new_nonce(nonce);
    if (!note(call, "begin", nonce))
        return pawl_fail_with(core, why, PAWL_TERMINAL, "crash.log", "the log of effects cannot be written");
    if (pawl_is(call->operation, "crash.hold"))
        return hold(core, call, nonce);
    if (pawl_is(call->operation, "crash.bad")) {
        note(call, "fail", nonce);
        return pawl_fail_with(core, why, PAWL_TERMINAL, "crash.bad", "it fails, as asked");
    }
    if (pawl_is(call->operation, "crash.flaky") && call->attempt <= 2) {
        note(call, "fail", nonce);
        return pawl_fail_with(core, why, PAWL_RETRYABLE, "crash.flaky", "attempt %u fails, as asked",
                              (unsigned)call->attempt);
    }
    note(call, "end", nonce);
    return pawl_writef(core, out, "\"%.*s~%s\"", (int)call->operation.size, (const char *)call->operation.data, nonce);
}

/* An async effect: the same on a thread of its own. */
typedef struct later {
    const pawl_effect_call *call;
    pawl_completion *done;
} later;

static void *run_later(void *context)
{
    later own = *(later *)context;
    const pawl_core *core = pawl_core_of(own.call->host);
    char nonce[NONCE_MAX];
    char text[NONCE_MAX + 20];
    free(context);
    new_nonce(nonce);
    note(own.call, "begin", nonce);
    note(own.call, "end", nonce);
    int size = snprintf(text, sizeof text, "\"crash.later~%s\"", nonce);
    core->complete(own.done, PAWL_OK, pawl_bytes_of(text, (size_t)size), NULL);
    return NULL;
}

static pawl_status start(const pawl_effect_call *call, pawl_completion *done, pawl_failure_sink *why)
{
    pthread_t thread;
    later *own = malloc(sizeof *own);
    if (own == NULL)
        return PAWL_E_NOMEM;
    *own = (later){call, done};
    if (pthread_create(&thread, NULL, run_later, own) != 0) {
        free(own);
        return pawl_fail_with(pawl_core_of(call->host), why, PAWL_RETRYABLE, "crash.thread", "no thread");
    }
    pthread_detach(thread);
    return PAWL_PENDING;
}

/* Did it happen? The log knows: an "end" of this key is the deed itself. */
static pawl_status reconcile(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    char line[600];
    char nonce[NONCE_MAX] = "";
    (void)why;
    note(call, "ask", "-");
    FILE *file = fopen(log_path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char key[200];
        char phase[16];
        char found[NONCE_MAX];
        if (sscanf(line, "%199s %*s %*s %15s %39s", key, phase, found) == 3 && strcmp(phase, "end") == 0 &&
            pawl_is(call->idempotency_key, key))
            snprintf(nonce, sizeof nonce, "%s", found);
    }
    if (file != NULL)
        fclose(file);
    return nonce[0] == '\0' ? PAWL_E_NOT_FOUND
                            : pawl_writef(pawl_core_of(call->host), out, "\"%.*s~%s\"", (int)call->operation.size,
                                          (const char *)call->operation.data, nonce);
}

/* ---- the process ------------------------------------------------------------------------------------------------- */

typedef struct trip {
    pawl_process *p;
    const char *previous; /* the nonce of the last effect */
    pawl_bytes given;     /* everything so far, with commas */
} trip;

static void take(trip *t, pawl_bytes value)
{
    t->given = pawl_printf(t->p, "%.*s%s%.*s", (int)t->given.size, (const char *)t->given.data,
                           t->given.size == 0 ? "" : ",", (int)value.size, (const char *)value.data);
}

/* "crash.step~77-3" in quotes: what the next effect builds on is the part behind the ~. */
static pawl_status take_result(trip *t, pawl_future future)
{
    pawl_bytes value;
    pawl_failure failure;
    pawl_status status = pawl_result(t->p, future, &value);
    if (status == PAWL_E_FAILED && pawl_result_failure(t->p, future, &failure) == PAWL_OK &&
        pawl_is(failure.code, "in_doubt")) {
        take(t, pawl_bytes_of_text("crash.once~in_doubt"));
        return PAWL_OK;
    }
    if (status != PAWL_OK)
        return status;
    pawl_bytes bare = pawl_bytes_of((const char *)value.data + 1, value.size - 2);
    take(t, bare);
    const char *nonce = strchr(pawl_cstring(t->p, bare), '~');
    t->previous = nonce == NULL ? "?" : nonce + 1;
    return PAWL_OK;
}

static pawl_future begin_effect(const trip *t, const char *word)
{
    return pawl_start_call(t->p, pawl_cstring(t->p, pawl_printf(t->p, "crash.%s", word)),
                           pawl_bytes_of_text(t->previous));
}

static pawl_status do_all(trip *t)
{
    static const char *const words[RUNS_ALL] = {"step", "keyed", "once", "later"};
    pawl_future futures[RUNS_ALL];
    for (unsigned i = 0; i < RUNS_ALL; i++)
        futures[i] = begin_effect(t, words[i]);
    PAWL_TRY(pawl_await_all_of(t->p, futures, RUNS_ALL));
    for (unsigned i = 0; i < RUNS_ALL; i++)
        PAWL_TRY(take_result(t, futures[i]));
    return PAWL_OK;
}

/* Begun, not awaited; should it happen, it is undone. */
static pawl_status begin_and_undo(const trip *t, const char *word)
{
    return pawl_on_rollback_of(t->p, begin_effect(t, word), "crash.step", pawl_bytes_of_text(t->previous));
}

/* One more under a key of the session's state; what is taken is the count, which a repeated commit would raise twice.
 */
static pawl_status do_count(trip *t)
{
    pawl_bytes value = pawl_bytes_of_text("0");
    uint64_t revision = 0;
    pawl_status status = pawl_session_get(t->p, "count", &value, &revision);
    if (status != PAWL_OK && status != PAWL_E_NOT_FOUND)
        return status;
    value = pawl_printf(t->p, "%ld", strtol(pawl_cstring(t->p, value), NULL, 10) + 1);
    PAWL_TRY(pawl_session_put(t->p, revision, "count", value, &revision));
    take(t, pawl_printf(t->p, "%.*s@%llu", (int)value.size, (const char *)value.data, (unsigned long long)revision));
    return PAWL_OK;
}

static pawl_status do_word(trip *t, const char *word)
{
    const char *argument = strchr(word, ':');
    if (strncmp(word, "sleep:", 6) == 0)
        return pawl_sleep(t->p, (uint64_t)strtoul(argument + 1, NULL, 10) * PAWL_MILLISECOND);
    if (strncmp(word, "signal:", 7) == 0) {
        pawl_bytes payload;
        PAWL_TRY(pawl_signal(t->p, argument + 1, &payload));
        take(t, payload);
        return PAWL_OK;
    }
    if (strncmp(word, "undo:", 5) == 0)
        return pawl_on_rollback(t->p, pawl_cstring(t->p, pawl_printf(t->p, "crash.%s", argument + 1)),
                                pawl_bytes_of_text(t->previous));
    if (strncmp(word, "of:", 3) == 0)
        return begin_and_undo(t, argument + 1);
    if (strncmp(word, "update:", 7) == 0) {
        pawl_future update;
        pawl_bytes payload;
        PAWL_TRY(pawl_update(t->p, argument + 1, &update, &payload));
        take(t, payload);
        return pawl_reply(t->p, update,
                          pawl_printf(t->p, "\"got %.*s\"", (int)payload.size, (const char *)payload.data));
    }
    if (strcmp(word, "all") == 0)
        return do_all(t);
    if (strcmp(word, "count") == 0)
        return do_count(t);
    if (strncmp(word, "version:", 8) == 0)
        return pawl_version(t->p, word, 1, 2) == 2 ? PAWL_OK : pawl_fail(t->p, "crash.version", "an old version");
    if (strcmp(word, "clock") == 0)
        return pawl_now(t->p) == 0 ? pawl_fail(t->p, "crash.clock", "no time") : PAWL_OK;
    if (strcmp(word, "status") == 0)
        return pawl_set_status(t->p, pawl_bytes_of_text("{\"at\":\"status\"}"));
    if (strncmp(word, "mark:", 5) == 0)
        return pawl_set_attributes(t->p, pawl_printf(t->p, "{\"mark\":%s}", argument + 1));
    pawl_future future = begin_effect(t, word);
    PAWL_TRY(pawl_await(t->p, future));
    return take_result(t, future);
}

static pawl_status plan(pawl_process *p)
{
    trip t = {.p = p, .previous = "-"};
    char *rest = NULL;
    for (char *word = strtok_r(pawl_cstring(p, pawl_input(p)), " \"", &rest); word != NULL;
         word = strtok_r(NULL, " \"", &rest))
        PAWL_TRY(do_word(&t, word));
    return pawl_complete(
        p, pawl_printf(p, "\"%.*s\"", (int)t.given.size, t.given.size == 0 ? "" : (const char *)t.given.data));
}

/* ---- the plugin -------------------------------------------------------------------------------------------------- */

PAWL_PROCESSES(PAWL_TYPE("crash.plan", 1, plan))
PAWL_EFFECT_TABLE(effects, execute, start, reconcile);

static const void *get_factory(const char *factory_id)
{
    return strcmp(factory_id, PAWL_FACTORY_EFFECT) == 0 ? (const void *)&effects : pawl_process_factory(factory_id);
}

/* clang-format off */
#define EFFECT(name, runs, outcome) \
    "{\"name\":\"crash." name "\",\"input_schema\":true,\"output_schema\":true,\"runs\":\"" runs "\"," \
    "\"outcome\":\"" outcome "\"}"
#define MANIFEST \
    "{\"manifest_version\":1,\"id\":\"pawl.test.crash\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0}," \
    "\"kinds\":[\"effect\",\"process\"],\"effects\":[" \
    EFFECT("step", "pool", "idempotent") "," EFFECT("quick", "inline", "idempotent") "," \
    EFFECT("later", "async", "idempotent") "," EFFECT("keyed", "pool", "by_key") "," \
    EFFECT("once", "pool", "at_most_once") "," EFFECT("check", "pool", "reconcile") "," \
    EFFECT("flaky", "pool", "idempotent") "," EFFECT("bad", "pool", "idempotent") "," \
    EFFECT("hold", "pool", "idempotent") "]," \
    "\"processes\":[{\"name\":\"crash.plan\",\"revision\":1,\"input_schema\":true}]}"
/* clang-format on */
PAWL_LINKED_PLUGIN(matrix_plugin, "pawl.test.crash", "1.0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit,
                   get_factory);
