/* probe_plugin.c: what the tests of `pawl serve` run. A process's input is a plan, words that say what it does one
 * after the other ("step once:20 sleep:50 signal:go"); every effect writes down each of its executions in a log file
 * outside of Pawl, so that an auditor can say afterwards what was really done. It must never tell Pawl anything that
 * the log does not hold, and never look at Pawl's own data.
 *
 * The plugin's config names a directory: {"directory": "/tmp/..."}. There
 *   effects   one line for each thing an effect did, appended with one write:
 *             KEY EFFECT ATTEMPT PHASE NONCE PREVIOUS UNIX_NS
 *   at        a fifo that an effect writes a byte to when it holds
 *   gate      effects that hold go on once this file is there
 *
 * Words of a plan, each with optional numbers NAME:MS:FAIL:HOLD
 *   step, quick, later  an idempotent effect, on the pool, inline, async   keyed, once, check  by_key, at_most_once,
 * reconcile MS: it takes so long; FAIL: so many first attempts fail, retryable; HOLD: 1 hold before it is done, 2
 * after; 3 kill the whole program instead both:N    N steps at once      sleep:MS   signal:NAME   clock post:PATH a
 * POST by the connector instance "web"        fail:CODE
 * attributes:{"NAME":VALUE} without blanks */
#include <pawl_plugin.h>
#include <pawl_process.h>

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NONCE_MAX 48
#define BOTH_MAX  16

static char directory[400]; /* written once, by init, before any call */
static atomic_uint executions;

static pawl_status init(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    json_t *config = json_loadb(config_json.data, config_json.size, 0, NULL);
    const char *given = json_string_value(json_object_get(config, "directory"));
    pawl_status status = PAWL_OK;
    if (pawl_core_of(host) == NULL)
        status = PAWL_E_UNSUPPORTED;
    else if (given == NULL || strlen(given) + 10 > sizeof directory)
        status = pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "probe.config", "wanted a directory");
    else
        snprintf(directory, sizeof directory, "%s", given);
    json_decref(config);
    return status;
}

/* ---- effects ---------------------------------------------------------------------------------------------------- */

typedef struct wish {
    unsigned ms;
    unsigned fail;
    unsigned hold;
    char previous[NONCE_MAX];
} wish;

static void place(char *path, size_t room, const char *name)
{
    snprintf(path, room, "%s/%s", directory, name);
}

/* What the outside world sees. False: it could not be written down, so it has not happened. */
static int note(const pawl_effect_call *call, const char *phase, const char *nonce, const char *previous)
{
    char path[420];
    char line[1024];
    struct timespec now;
    place(path, sizeof path, "effects");
    clock_gettime(CLOCK_REALTIME, &now);
    int size = snprintf(line, sizeof line, "%.*s %.*s %u %s %s %s %llu\n", (int)call->idempotency_key.size,
                        (const char *)call->idempotency_key.data, (int)call->operation.size,
                        (const char *)call->operation.data, (unsigned)call->attempt, phase, nonce, previous,
                        (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int noted = file >= 0 && size > 0 && write(file, line, (size_t)size) == size;
    if (file >= 0)
        close(file);
    return noted;
}

static wish wish_of(const pawl_effect_call *call)
{
    char text[256];
    wish w = {0, 0, 0, "-"};
    snprintf(text, sizeof text, "%.*s", (int)call->input.size, (const char *)call->input.data);
    sscanf(text, "%u %u %u %47s", &w.ms, &w.fail, &w.hold, w.previous);
    return w;
}

/* Wait; 0 when asked to stop meanwhile. */
static int rest(const pawl_core *core, const pawl_effect_call *call, int ms)
{
    struct pollfd stop = {.fd = call->cancel == NULL ? -1 : core->cancel_fd(call->cancel), .events = POLLIN};
    return poll(&stop, 1, ms) == 0;
}

/* Say that we are here and wait for the gate; 0 when asked to stop. */
static int hold(const pawl_core *core, const pawl_effect_call *call)
{
    char path[420];
    place(path, sizeof path, "at");
    int at = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (at >= 0) {
        ssize_t written = write(at, ".", 1);
        (void)written;
        close(at);
    }
    place(path, sizeof path, "gate");
    while (access(path, F_OK) != 0)
        if (!rest(core, call, 2))
            return 0;
    return 1;
}

static pawl_status stopped(const pawl_effect_call *call, const char *nonce)
{
    note(call, "stop", nonce, "-");
    return PAWL_E_CANCELLED;
}

static pawl_status execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    const wish w = wish_of(call);
    char nonce[NONCE_MAX];
    snprintf(nonce, sizeof nonce, "%d-%u", (int)getpid(), atomic_fetch_add(&executions, 1u));
    if (!note(call, "begin", nonce, w.previous))
        return pawl_fail_with(core, why, PAWL_TERMINAL, "probe.log", "the log of effects cannot be written");
    if (w.hold == 1 && !hold(core, call))
        return stopped(call, nonce);
    if (w.ms > 0 && !rest(core, call, (int)w.ms))
        return stopped(call, nonce);
    if (w.hold == 3)
        kill(getpid(), SIGKILL);
    if (call->attempt <= w.fail) {
        note(call, "fail", nonce, w.previous);
        return pawl_fail_with(core, why, PAWL_RETRYABLE, "probe.flaky", "attempt %u fails, as asked",
                              (unsigned)call->attempt);
    }
    note(call, "end", nonce, w.previous);
    if (w.hold == 2 && !hold(core, call))
        return stopped(call, nonce);
    return pawl_writef(core, out, "\"%s\"", nonce);
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
    const wish w = wish_of(own.call);
    char text[NONCE_MAX];
    free(context);
    int size = snprintf(text, sizeof text, "\"%d-%u\"", (int)getpid(), atomic_fetch_add(&executions, 1u));
    char nonce[NONCE_MAX];
    snprintf(nonce, sizeof nonce, "%.*s", size - 2, text + 1);
    note(own.call, "begin", nonce, w.previous);
    if ((w.hold == 1 && !hold(core, own.call)) || (w.ms > 0 && !rest(core, own.call, (int)w.ms))) {
        note(own.call, "stop", nonce, "-");
        core->complete(own.done, PAWL_E_CANCELLED, pawl_bytes_of("", 0), NULL);
        return NULL;
    }
    if (own.call->attempt <= w.fail) {
        pawl_failure failure = pawl_failure_of(PAWL_RETRYABLE, "probe.flaky", "it fails, as asked", 0);
        note(own.call, "fail", nonce, w.previous);
        core->complete(own.done, PAWL_E_FAILED, pawl_bytes_of("", 0), &failure);
        return NULL;
    }
    note(own.call, "end", nonce, w.previous);
    if (w.hold == 2 && !hold(core, own.call))
        core->complete(own.done, PAWL_E_CANCELLED, pawl_bytes_of("", 0), NULL);
    else
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
        return pawl_fail_with(pawl_core_of(call->host), why, PAWL_RETRYABLE, "probe.thread", "no thread");
    }
    pthread_detach(thread);
    return PAWL_PENDING;
}

/* Did it happen? The log knows: an "end" of this key is the deed itself. */
static pawl_status reconcile(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    char path[420];
    char line[1024];
    char nonce[NONCE_MAX] = "";
    (void)why;
    place(path, sizeof path, "effects");
    note(call, "ask", "-", "-");
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char key[300];
        char phase[16];
        char found[NONCE_MAX];
        if (sscanf(line, "%299s %*s %*s %15s %47s", key, phase, found) == 3 && strcmp(phase, "end") == 0 &&
            pawl_is(call->idempotency_key, key))
            snprintf(nonce, sizeof nonce, "%s", found);
    }
    if (file != NULL)
        fclose(file);
    return nonce[0] == '\0' ? PAWL_E_NOT_FOUND : pawl_writef(pawl_core_of(call->host), out, "\"%s\"", nonce);
}

/* ---- the process ------------------------------------------------------------------------------------------------- */

typedef struct trip {
    pawl_process *p;
    const char *previous; /* what the last effect gave */
    pawl_bytes given;     /* everything so far, with commas */
} trip;

static void take(trip *t, const char *kind, pawl_bytes value)
{
    const char *text = value.data;
    size_t size = value.size;
    if (size >= 2 && text[0] == '"') {
        text++;
        size -= 2;
    }
    pawl_bytes bare = pawl_bytes_of(text, size);
    if (kind[0] == '\0')
        t->previous = pawl_cstring(t->p, bare);
    t->given = pawl_printf(t->p, "%.*s%s%s%.*s", (int)t->given.size, (const char *)t->given.data,
                           t->given.size == 0 ? "" : ",", kind, (int)size, text);
}

static pawl_status take_result(trip *t, pawl_future future)
{
    pawl_bytes value;
    pawl_failure failure;
    pawl_status status = pawl_result(t->p, future, &value);
    if (status == PAWL_E_FAILED && pawl_result_failure(t->p, future, &failure) == PAWL_OK &&
        pawl_is(failure.code, "in_doubt")) {
        take(t, "", pawl_bytes_of_text("in_doubt"));
        return PAWL_OK;
    }
    if (status == PAWL_OK)
        take(t, "", value);
    return status;
}

static pawl_status do_call(trip *t, const char *name, const unsigned *numbers)
{
    char effect[64];
    snprintf(effect, sizeof effect, "probe.%s", name);
    pawl_future future = pawl_start_call(
        t->p, effect, pawl_printf(t->p, "%u %u %u %s", numbers[0], numbers[1], numbers[2], t->previous));
    PAWL_TRY(pawl_await(t->p, future));
    return take_result(t, future);
}

static pawl_status do_both(trip *t, unsigned count)
{
    pawl_future futures[BOTH_MAX];
    if (count > BOTH_MAX)
        return pawl_fail(t->p, "probe.plan", "too many at once");
    for (unsigned i = 0; i < count; i++)
        futures[i] = pawl_start_call(t->p, "probe.step", pawl_printf(t->p, "%u 0 0 %s", 1 + i % 3, t->previous));
    PAWL_TRY(pawl_await_all_of(t->p, futures, count));
    for (unsigned i = 0; i < count; i++)
        PAWL_TRY(take_result(t, futures[i]));
    return PAWL_OK;
}

static pawl_status do_signal(trip *t, const char *name)
{
    pawl_bytes payload;
    PAWL_TRY(pawl_signal(t->p, name, &payload));
    take(t, "s=", payload);
    return PAWL_OK;
}

static pawl_status do_post(trip *t, const char *path)
{
    pawl_bytes answer;
    PAWL_TRY(
        pawl_call(t->p, "web.post", pawl_printf(t->p, "{\"path\":\"%s\",\"json\":{\"by\":\"probe\"}}", path), &answer));
    take(t, "s=", pawl_bytes_of_text("posted"));
    return PAWL_OK;
}

static pawl_status do_word(trip *t, char *word)
{
    unsigned numbers[3] = {0, 0, 0};
    char *argument = strchr(word, ':');
    if (argument != NULL) {
        *argument++ = '\0';
        sscanf(argument, "%u:%u:%u", &numbers[0], &numbers[1], &numbers[2]);
    }
    if (strcmp(word, "sleep") == 0)
        return pawl_sleep(t->p, numbers[0] * PAWL_MILLISECOND);
    if (strcmp(word, "signal") == 0 && argument != NULL)
        return do_signal(t, argument);
    if (strcmp(word, "both") == 0)
        return do_both(t, numbers[0]);
    if (strcmp(word, "post") == 0 && argument != NULL)
        return do_post(t, argument);
    if (strcmp(word, "attributes") == 0 && argument != NULL)
        return pawl_set_attributes(t->p, pawl_bytes_of_text(argument));
    if (strcmp(word, "fail") == 0 && argument != NULL)
        return pawl_fail(t->p, argument, "it failed, as planned");
    if (strcmp(word, "clock") == 0)
        return pawl_now(t->p) == 0 ? pawl_fail(t->p, "probe.clock", "no time") : PAWL_OK;
    return do_call(t, word, numbers);
}

static pawl_status plan(pawl_process *p)
{
    trip t = {.p = p, .previous = "-"};
    char *rest_of_plan = NULL;
    for (char *word = strtok_r(pawl_cstring(p, pawl_input(p)), " ", &rest_of_plan); word != NULL;
         word = strtok_r(NULL, " ", &rest_of_plan))
        PAWL_TRY(do_word(&t, word));
    return pawl_complete(
        p, pawl_printf(p, "\"%.*s\"", (int)t.given.size, t.given.size == 0 ? "" : (const char *)t.given.data));
}

/* ---- the plugin -------------------------------------------------------------------------------------------------- */

/* Several names for one program: a worker claims by type. */
PAWL_PROCESSES(PAWL_TYPE("probe.plan", 1, plan), PAWL_TYPE("probe.short", 1, plan), PAWL_TYPE("probe.long", 2, plan),
               PAWL_TYPE("probe.waiter", 1, plan), PAWL_TYPE("probe.fragile", 1, plan),
               PAWL_TYPE("probe.bound", 1, plan))
PAWL_EFFECT_TABLE(effects, execute, start, reconcile);

static const void *get_factory(const char *factory_id)
{
    return strcmp(factory_id, PAWL_FACTORY_EFFECT) == 0 ? (const void *)&effects : pawl_process_factory(factory_id);
}

static void deinit(const pawl_host_root *host)
{
    (void)host;
}

/* clang-format off */
#define EFFECT(name, runs, outcome) \
    "{\"name\":\"" name "\",\"input_schema\":true,\"output_schema\":true,\"runs\":\"" runs "\",\"outcome\":\"" outcome "\"}"
#define TYPE(name, revision) TYPE_WITH(name, revision, "")
#define TYPE_WITH(name, revision, more) \
    "{\"name\":\"" name "\",\"revision\":" revision ",\"input_schema\":true" more "}"
#define MANIFEST \
    "{\"manifest_version\":1,\"id\":\"pawl.test.probe\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0}," \
    "\"kinds\":[\"effect\",\"process\"]," \
    "\"effects\":[" EFFECT("probe.step", "pool", "idempotent") "," EFFECT("probe.quick", "inline", "idempotent") "," \
    EFFECT("probe.later", "async", "idempotent") "," EFFECT("probe.keyed", "pool", "by_key") "," \
    EFFECT("probe.once", "pool", "at_most_once") "," EFFECT("probe.check", "pool", "reconcile") "]," \
    "\"processes\":[" TYPE("probe.plan", "1") "," TYPE("probe.short", "1") "," TYPE("probe.long", "2") "," \
    TYPE("probe.waiter", "1") "," TYPE_WITH("probe.fragile", "1", ",\"recovery_attempts\":3") "," \
    TYPE_WITH("probe.bound", "1", ",\"recovery\":\"owner_bound\"") "]}"
/* clang-format on */
PAWL_PLUGIN("pawl.test.probe", "1.0.0", "Pawl", MANIFEST, init, deinit, get_factory);
