/* world.c: see world.h. What a program asks for is answered from its place in the order of things alone, so that two
 * activations with as much behind them see the same. It must never read a clock or a source of chance. */
#include "world.h"

#include "watch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { THINGS_MAX = 2048, VALUE_SHOWN = 120 };

typedef enum { THING_CALL, THING_TIMER, THING_SIGNAL, THING_CHILD, THING_UPDATE } thing_kind;

typedef struct {
    thing_kind kind;
    char *value; /* what it comes with; malloc'ed */
} thing;

typedef struct block {
    struct block *next;
    char memory[];
} block;

struct world {
    pawl_process process; /* first: this is what a program points to */
    checker_lab *lab;
    const pawl_manifest_process *type;
    char *input;
    world_policy policy;
    uint32_t cancelled_await; /* the number of the await that was told to stop; 0: none yet */

    /* of the activation */
    atomic_bool active;
    pthread_t thread;
    uint32_t reached;
    uint32_t awaits, clocks, chances;
    thing things[THINGS_MAX];
    size_t count;
    block *blocks;
    FILE *trace;
    unsigned lines;
    world_run *run;
};

static atomic_uint strays;

unsigned lab_world_strays(void)
{
    return atomic_load(&strays);
}

/* ---- telling ---- */

static void line(world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line(world *w, const char *format, ...)
{
    va_list args;
    if (w->trace == NULL || w->lines++ >= WORLD_LINES_MAX)
        return;
    va_start(args, format);
    vfprintf(w->trace, format, args);
    va_end(args);
    fputc('\n', w->trace);
}

/* Bytes as part of a line: the beginning, and a sum of the whole. */
static const char *shown(pawl_bytes bytes, char text[VALUE_SHOWN + 64])
{
    const unsigned char *data = bytes.data;
    uint64_t sum = UINT64_C(14695981039346656037);
    size_t used = 0;
    for (size_t i = 0; i < bytes.size && data != NULL; i++) {
        sum = (sum ^ data[i]) * UINT64_C(1099511628211);
        if (used < VALUE_SHOWN)
            text[used++] = data[i] >= 0x20 && data[i] < 0x7f ? (char)data[i] : '?';
    }
    snprintf(text + used, 64, bytes.size > VALUE_SHOWN ? "... (%zu bytes, %" PRIx64 ")" : "", bytes.size, sum);
    return text;
}

/* The world of a call of the host. NULL: no activation of it runs on this thread. `what` changes something: then it may
 * not come after the program had to return. */
static world *enter(pawl_process *p, const char *what)
{
    world *w = (world *)(void *)p;
    if (w == NULL || !atomic_load(&w->active) || !pthread_equal(w->thread, pthread_self())) {
        atomic_fetch_add(&strays, 1);
        return NULL;
    }
    if (what != NULL && (w->run->suspended || w->run->ended)) {
        if (w->run->after_suspend++ == 0)
            snprintf(w->run->after_what, sizeof w->run->after_what, "%s", what);
        line(w, "%s after its end", what);
        return NULL;
    }
    return w;
}

static void invalid(world *w, const char *what)
{
    if (w->run->invalid++ == 0)
        snprintf(w->run->after_what, sizeof w->run->after_what, "%s", what);
}

static const pawl_bytes nothing = {NULL, 0};

/* ---- facts ---- */

static pawl_bytes host_input(pawl_process *p)
{
    const world *w = enter(p, NULL);
    return w == NULL ? nothing : pawl_bytes_text(w->input);
}

static pawl_bytes host_id(pawl_process *p)
{
    return enter(p, NULL) == NULL ? nothing : pawl_bytes_text("check");
}

static pawl_bytes host_session(pawl_process *p)
{
    (void)enter(p, NULL);
    return nothing;
}

static uint32_t host_run(pawl_process *p)
{
    return enter(p, NULL) == NULL ? 0 : 1;
}

static int32_t host_replaying(pawl_process *p)
{
    const world *w = enter(p, NULL);
    return w != NULL && w->count < w->reached;
}

static void *host_alloc(pawl_process *p, size_t size)
{
    world *w = enter(p, NULL);
    block *made = w == NULL || size > SIZE_MAX / 2 ? NULL : calloc(1, sizeof *made + size + 16);
    if (made == NULL)
        return NULL;
    made->next = w->blocks;
    w->blocks = made;
    return (void *)(((uintptr_t)made->memory + 15) & ~(uintptr_t)15);
}

static uint64_t host_now(pawl_process *p)
{
    world *w = enter(p, "now_unix_ns");
    if (w == NULL)
        return 0;
    line(w, "now");
    return UINT64_C(1700000000000000000) + UINT64_C(1000000000) * ++w->clocks;
}

static void fill(world *w, unsigned char *data, size_t size)
{
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * ++w->chances;
    for (size_t i = 0; i < size; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        data[i] = (unsigned char)(state >> 56);
    }
}

static void host_random(pawl_process *p, void *data, size_t size)
{
    world *w = enter(p, "random");
    if (w == NULL)
        return;
    line(w, "random %zu", size);
    fill(w, data, size);
}

static void host_uuid(pawl_process *p, char text[37])
{
    unsigned char bytes[16] = {0};
    world *w = enter(p, "uuid");
    text[0] = '\0';
    if (w == NULL)
        return;
    line(w, "uuid");
    fill(w, bytes, sizeof bytes);
    snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-4%x%02x-8%x%02x-%02x%02x%02x%02x%02x%02x", bytes[0], bytes[1],
             bytes[2], bytes[3], bytes[4], bytes[5], bytes[6] & 15u, bytes[7], bytes[8] & 15u, bytes[9], bytes[10],
             bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]);
}

static uint64_t host_journal_records(pawl_process *p)
{
    const world *w = enter(p, NULL);
    return w == NULL ? 0 : 1 + w->reached;
}

static uint64_t host_journal_bytes(pawl_process *p)
{
    return 100 * host_journal_records(p);
}

static int32_t host_should_continue(pawl_process *p)
{
    (void)enter(p, NULL);
    return 0;
}

static uint32_t host_version(pawl_process *p, pawl_bytes change_id, uint32_t min, uint32_t max)
{
    char text[VALUE_SHOWN + 64];
    world *w = enter(p, "version");
    if (w == NULL)
        return 0;
    line(w, "version %s %u..%u", shown(change_id, text), min, max);
    if (min > max)
        invalid(w, "a version whose min is above its max");
    return max;
}

/* ---- starting ---- */

/* What an effect of this very plugin says that it gives. */
static char *value_of_call(const world *w, pawl_bytes name)
{
    for (size_t i = 0; i < w->lab->operation_count; i++) {
        const pawl_manifest_operation *operation = w->lab->operations[i].declared;
        if (strlen(operation->name) != name.size || memcmp(operation->name, name.data, name.size) != 0)
            continue;
        json_t *made = w->lab->operations[i].result;
        return made == NULL ? NULL : json_dumps(made, JSON_COMPACT | JSON_ENCODE_ANY);
    }
    return NULL;
}

static pawl_future add(world *w, thing_kind kind, char *value)
{
    if (w->count == THINGS_MAX) {
        free(value);
        return 0;
    }
    if (value == NULL && w->policy == WORLD_STRANGE && kind != THING_TIMER)
        value = strdup("\xff\xfe{\"a\":");
    if (value == NULL && kind != THING_TIMER)
        value = strdup("{}");
    w->things[w->count++] = (thing){kind, value};
    return w->count;
}

static pawl_future host_start_call(pawl_process *p, pawl_bytes name, pawl_bytes input, const pawl_call_options *options)
{
    char text[VALUE_SHOWN + 64], body[VALUE_SHOWN + 64];
    world *w = enter(p, "start_call");
    if (w == NULL)
        return 0;
    line(w, "call %s %s attempts %u timeout %" PRIu64, shown(name, text), shown(input, body),
         options == NULL ? 0 : options->attempts_max, options == NULL ? 0 : options->timeout_ns);
    if ((name.data == NULL || name.size == 0) || (input.data == NULL && input.size > 0)) {
        invalid(w, "a call without a name, or with NULL and a length");
        return 0;
    }
    return add(w, THING_CALL, w->policy == WORLD_STRANGE ? NULL : value_of_call(w, name));
}

static pawl_future host_start_timer(pawl_process *p, uint64_t after_ns)
{
    world *w = enter(p, "start_timer");
    if (w == NULL)
        return 0;
    line(w, "timer %" PRIu64, after_ns);
    return add(w, THING_TIMER, NULL);
}

static pawl_future wait_named(pawl_process *p, const char *what, thing_kind kind, pawl_bytes name)
{
    char text[VALUE_SHOWN + 64];
    world *w = enter(p, what);
    if (w == NULL)
        return 0;
    line(w, "%s %s", what, shown(name, text));
    return add(w, kind, NULL);
}

static pawl_future host_wait_signal(pawl_process *p, pawl_bytes name)
{
    return wait_named(p, "wait_signal", THING_SIGNAL, name);
}

static pawl_future host_wait_update(pawl_process *p, pawl_bytes name)
{
    return wait_named(p, "wait_update", THING_UPDATE, name);
}

static pawl_future host_start_child(pawl_process *p, pawl_bytes type, pawl_bytes input,
                                    const pawl_child_options *options)
{
    char text[VALUE_SHOWN + 64], body[VALUE_SHOWN + 64];
    world *w = enter(p, "start_child");
    if (w == NULL)
        return 0;
    line(w, "child %s %s flags %u", shown(type, text), shown(input, body), options == NULL ? 0 : options->flags);
    return add(w, THING_CHILD, NULL);
}

/* ---- awaiting ---- */

static bool has_come(const world *w, pawl_future future)
{
    return future <= w->reached;
}

/* The position of the one that came first; count: none has. Things come in the order of their start. */
static size_t first_come(const world *w, const pawl_future *futures, size_t count)
{
    size_t first = count;
    for (size_t i = 0; i < count; i++)
        if (has_come(w, futures[i]) && (first == count || futures[i] < futures[first]))
            first = i;
    return first;
}

static pawl_status host_await(pawl_process *p, uint32_t mode, const pawl_future *futures, size_t count, size_t *index)
{
    world *w = enter(p, "await");
    size_t come = 0;
    if (w == NULL)
        return PAWL_SUSPEND;
    w->awaits++;
    for (size_t i = 0; i < count; i++) {
        if (futures[i] == 0 || futures[i] > w->count) {
            line(w, "await of what was never started");
            return PAWL_E_INVALID;
        }
        come += has_come(w, futures[i]);
    }
    bool over = mode == PAWL_AWAIT_ALL ? come == count : come > 0;
    bool tell = w->policy == WORLD_CANCELLED && (w->cancelled_await == w->awaits || (w->cancelled_await == 0 && !over));
    if (tell) {
        w->cancelled_await = w->awaits;
        w->run->cancelled = true;
        line(w, "await is cancelled");
        return PAWL_E_CANCELLED;
    }
    if (!over) {
        w->run->suspended = true;
        line(w, "await waits");
        return PAWL_SUSPEND;
    }
    size_t first = first_come(w, futures, count);
    line(w, "await %s of %zu: %zu", mode == PAWL_AWAIT_ALL ? "all" : "any", count, first);
    if (index != NULL)
        *index = first;
    return PAWL_OK;
}

static bool has_failed(const world *w, const thing *t)
{
    return w->policy == WORLD_FAILS && (t->kind == THING_CALL || t->kind == THING_CHILD);
}

static pawl_status host_result(pawl_process *p, pawl_future future, pawl_bytes *value)
{
    world *w = enter(p, NULL);
    if (w == NULL)
        return PAWL_E_INVALID;
    if (future == 0 || future > w->count || !has_come(w, future)) {
        invalid(w, "the result of what has not come");
        return PAWL_E_INVALID;
    }
    const thing *t = &w->things[future - 1];
    if (has_failed(w, t))
        return PAWL_E_FAILED;
    if (value != NULL)
        *value = pawl_bytes_text(t->value);
    return PAWL_OK;
}

static pawl_status host_failure(pawl_process *p, pawl_future future, pawl_failure *failure)
{
    const world *w = enter(p, NULL);
    if (w == NULL || future == 0 || future > w->count || !has_come(w, future) || !has_failed(w, &w->things[future - 1]))
        return PAWL_E_NOT_FOUND;
    *failure = (pawl_failure){.struct_size = sizeof *failure, .klass = PAWL_TERMINAL};
    failure->code = pawl_bytes_text("check.scripted");
    failure->message = pawl_bytes_text("a failure made by the check");
    return PAWL_OK;
}

static pawl_status host_child_id(pawl_process *p, pawl_future future, pawl_bytes *id)
{
    const world *w = enter(p, NULL);
    if (w == NULL || future == 0 || future > w->count || w->things[future - 1].kind != THING_CHILD)
        return PAWL_E_INVALID;
    *id = pawl_bytes_text("check-child");
    return PAWL_OK;
}

/* ---- saying ---- */

static pawl_status host_set_status(pawl_process *p, pawl_bytes document)
{
    char text[VALUE_SHOWN + 64];
    world *w = enter(p, "set_status");
    if (w == NULL)
        return PAWL_E_INVALID;
    line(w, "status %s", shown(document, text));
    return PAWL_OK;
}

static pawl_status host_set_attributes(pawl_process *p, pawl_bytes object)
{
    char text[VALUE_SHOWN + 64];
    world *w = enter(p, "set_attributes");
    if (w == NULL)
        return PAWL_E_INVALID;
    line(w, "attributes %s", shown(object, text));
    return PAWL_OK;
}

static void host_log(pawl_process *p, uint32_t level, pawl_bytes message, pawl_bytes fields_json)
{
    (void)enter(p, NULL);
    (void)level;
    (void)message;
    (void)fields_json;
}

static pawl_bytes host_cancel_reason(pawl_process *p)
{
    const world *w = enter(p, NULL);
    return w != NULL && w->run->cancelled ? pawl_bytes_text("asked by the check") : nothing;
}

static pawl_status host_on_rollback(pawl_process *p, pawl_future of, pawl_bytes name, pawl_bytes input,
                                    const pawl_call_options *options)
{
    char text[VALUE_SHOWN + 64], body[VALUE_SHOWN + 64];
    world *w = enter(p, "on_rollback");
    (void)options;
    if (w == NULL)
        return PAWL_E_INVALID;
    line(w, "rollback of %" PRIu64 " %s %s", of, shown(name, text), shown(input, body));
    return of > w->count ? PAWL_E_INVALID : PAWL_OK;
}

static pawl_status host_answer(pawl_process *p, pawl_future update, pawl_bytes value, const pawl_failure *failure)
{
    char text[VALUE_SHOWN + 64];
    world *w = enter(p, "answer");
    if (w == NULL)
        return PAWL_E_INVALID;
    line(w, "answer %" PRIu64 " %s %s", update, failure == NULL ? "with" : "refused", shown(value, text));
    return update == 0 || update > w->count || w->things[update - 1].kind != THING_UPDATE ? PAWL_E_INVALID : PAWL_OK;
}

/* ---- ending ---- */

static pawl_status end_with(pawl_process *p, const char *what, pawl_bytes value, pawl_status status)
{
    char text[VALUE_SHOWN + 64];
    world *w = enter(p, what);
    if (w == NULL)
        return PAWL_E_INVALID;
    line(w, "%s %s", what, shown(value, text));
    w->run->ended = true;
    return status;
}

static pawl_status host_complete(pawl_process *p, pawl_bytes output)
{
    return end_with(p, "complete", output, PAWL_OK);
}

static pawl_status host_fail(pawl_process *p, const pawl_failure *failure)
{
    return end_with(p, "fail", failure == NULL ? nothing : failure->code, PAWL_E_FAILED);
}

static pawl_status host_continue(pawl_process *p, pawl_bytes input)
{
    return end_with(p, "continue_as_new", input, PAWL_OK);
}

const pawl_process_host *lab_world_table(void)
{
    static const pawl_process_host table = {.struct_size = sizeof table,
                                            .input = host_input,
                                            .id = host_id,
                                            .session = host_session,
                                            .run = host_run,
                                            .replaying = host_replaying,
                                            .alloc = host_alloc,
                                            .start_call = host_start_call,
                                            .start_timer = host_start_timer,
                                            .wait_signal = host_wait_signal,
                                            .await = host_await,
                                            .result = host_result,
                                            .failure = host_failure,
                                            .now_unix_ns = host_now,
                                            .random = host_random,
                                            .uuid = host_uuid,
                                            .set_status = host_set_status,
                                            .log = host_log,
                                            .complete = host_complete,
                                            .fail = host_fail,
                                            .cancel_reason = host_cancel_reason,
                                            .version = host_version,
                                            .journal_bytes = host_journal_bytes,
                                            .journal_records = host_journal_records,
                                            .should_continue = host_should_continue,
                                            .continue_as_new = host_continue,
                                            .start_child = host_start_child,
                                            .child_id = host_child_id,
                                            .set_attributes = host_set_attributes,
                                            .on_rollback = host_on_rollback,
                                            .wait_update = host_wait_update,
                                            .answer = host_answer};
    return &table;
}

/* ---- one activation ---- */

world *lab_world_create(checker_lab *lab, const pawl_manifest_process *type, const char *input, world_policy policy)
{
    world *w = lab_keep(sizeof *w);
    w->process.host = lab_world_table();
    w->lab = lab;
    w->type = type;
    w->input = strdup(input);
    w->policy = policy;
    return w;
}

/* What the activation used. The world itself stays, so that a late use is seen. */
static void clean(world *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->things[i].value);
    w->count = 0;
    while (w->blocks != NULL) {
        block *gone = w->blocks;
        w->blocks = gone->next;
        free(gone);
    }
}

void lab_world_free(world *w)
{
    if (w == NULL)
        return;
    free(w->input);
    w->input = NULL;
}

world_run lab_world_activate(world *w, uint32_t reached)
{
    world_run run = {.status = PAWL_OK};
    size_t size = 0;
    w->reached = reached;
    w->awaits = w->clocks = w->chances = 0;
    w->lines = 0;
    w->run = &run;
    w->thread = pthread_self();
    w->trace = open_memstream(&run.trace, &size);
    atomic_store(&w->active, true);
    uint64_t begun = lab_now_ns();
    lab_watch_begin();
    run.status = w->lab->tables.process.activate(&w->process, pawl_bytes_text(w->type->name), w->type->revision);
    lab_watch_end();
    run.took_ns = lab_now_ns() - begun;
    atomic_store(&w->active, false);
    if (w->trace != NULL)
        fclose(w->trace);
    clean(w);
    return run;
}
