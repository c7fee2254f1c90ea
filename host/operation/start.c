/* start.c: how processes begin: a start is checked, fingerprinted and registered; when this host's worker has room
 * the process is leased to it in the same step. Never reports a start before it is durable. */
#include "host/host_internal.h"

#include "host/operation/fingerprint.h"
#include "worker/base/sink.h"
#include "worker/child.h"
#include "worker/journal.h"

#include <stdlib.h>
#include <string.h>

/* A start on its way. Its texts are copied behind the struct. */
typedef struct starting {
    pawl_request request;
    pawl_register body;
    pawl_callback callback;
    pawl_session_use use; /* until it is registered */
    pawl_host *host;
    pawl_on_started done; /* NULL: someone waits with lock and changed */
    void *context;
    pthread_mutex_t lock; /* guards ended */
    pthread_cond_t changed;
    bool ended;
    uint8_t fingerprint[PAWL_FINGERPRINT_SIZE];
    pawl_started started;
    uint8_t texts[];
} starting;

/* Against what the type declares; nothing is recorded of an input that does not fit. */
static pawl_status check_input(const pawl_start *start, const pawl_type_rules *rules, pawl_error *error)
{
    if (pawl_schema_check_text(rules->input, start->input, error) == PAWL_OK)
        return PAWL_OK;
    pawl_error why = error == NULL ? (pawl_error){0} : *error;
    return pawl_error_set(error, PAWL_E_INVALID, "schema.input", "the input of process type \"%s\" does not fit: %s",
                          start->type, why.message);
}

static pawl_status check(pawl_host *host, const pawl_start *start, const pawl_type **ret_type, pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK && start->id != NULL)
        status = pawl_check_id(start->id, error);
    if (status == PAWL_OK)
        status = pawl_check_text("process type", start->type, PAWL_TYPE_BYTES_MAX, error);
    if (status == PAWL_OK && start->session != NULL)
        status = pawl_check_session(start->session, error);
    if (status == PAWL_OK && start->key != NULL)
        status = pawl_check_text("key", start->key, PAWL_FAIRNESS_KEY_BYTES_MAX, error);
    if (status != PAWL_OK)
        return status;
    if (start->priority > PAWL_PRIORITY_LOWEST)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_priority",
                              "the priority is %u; wanted %u (first) to %u (last)", start->priority,
                              PAWL_PRIORITY_HIGHEST, PAWL_PRIORITY_LOWEST);
    if ((start->flags & ~(PAWL_START_EXTERNAL | PAWL_START_KNOWN_SESSION)) != 0)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "unknown start flags 0x%x", start->flags);
    bool known = host->profile->sessions.known && start->session != NULL;
    if (known || (start->flags & PAWL_START_KNOWN_SESSION) != 0)
        status = pawl_check_known_session(host, start->session, error);
    if (status != PAWL_OK)
        return status;
    if (start->reuse > PAWL_REUSE_AFTER_FAILURE)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "unknown reuse of an id: %u", start->reuse);
    if (start->deadline_unix_ns != 0 && start->deadline_unix_ns <= start->start_unix_ns)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_deadline",
                              "the deadline is not behind the time at which the process begins");
    *ret_type = pawl_catalog_type(host->assembly.catalog, pawl_bytes_text(start->type));
    if (*ret_type == NULL && (start->flags & PAWL_START_EXTERNAL) == 0)
        return pawl_unknown_type(host, start->type, error);
    status = pawl_check_bytes("input", start->input, host->profile->limits.input_bytes, error);
    const pawl_type_rules *rules = *ret_type == NULL ? NULL : (*ret_type)->rules;
    return status == PAWL_OK && rules != NULL ? check_input(start, rules, error) : status;
}

static pawl_bytes keep(uint8_t **at, pawl_bytes from)
{
    pawl_bytes copy = {*at, from.size};
    if (from.size > 0)
        memcpy(*at, from.data, from.size);
    *at += from.size;
    return copy;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* 0: none. */
static uint64_t deadline_of(const pawl_host *host, const pawl_start *start)
{
    uint64_t deadline;
    if (start->deadline_unix_ns == PAWL_NO_DEADLINE)
        return 0;
    if (start->deadline_unix_ns != 0)
        return start->deadline_unix_ns;
    const pawl_profile_type *type = pawl_profile_find_type(host->profile, start->type);
    if (type == NULL || type->deadline_ns == 0)
        return 0;
    uint64_t now = host->clock->unix_ns(host->clock);
    uint64_t begin = start->start_unix_ns > now ? start->start_unix_ns : now;
    return __builtin_add_overflow(begin, type->deadline_ns, &deadline) ? 0 : deadline;
}

static void fill(starting *own, const pawl_start *start, const char *attributes, const pawl_type *type)
{
    pawl_host *host = own->host;
    uint8_t *at = own->texts;
    bool external = (start->flags & PAWL_START_EXTERNAL) != 0;
    own->body = (pawl_register){
        .struct_size = sizeof own->body,
        .external = external ? 1 : 0,
        .id = pawl_bytes_text(own->started.id),
        .type = keep(&at, pawl_bytes_text(start->type)),
        .profile = pawl_bytes_text(host->profile->name),
        .session = keep(&at, pawl_bytes_text(start->session)),
        .attributes = keep(&at, pawl_bytes_text(attributes)),
        .priority = start->priority,
        .key = keep(&at, pawl_bytes_text(start->key)),
        .input = keep(&at, own->body.input),
        .fingerprint = {own->fingerprint, sizeof own->fingerprint},
        .reuse = start->reuse,
        .start_unix_ns = start->start_unix_ns,
        .deadline_unix_ns = deadline_of(host, start),
        .deadline_body = keep(&at, own->body.deadline_body),
    };
    if (own->body.deadline_unix_ns == 0)
        own->body.deadline_body = (pawl_bytes){NULL, 0};
    if (type != NULL && !external) {
        own->body.revision = type->revision;
        own->body.plugin = pawl_bytes_text(type->plugin);
        if (!is_zero(type->digest, sizeof type->digest))
            own->body.digest = (pawl_bytes){type->digest, sizeof type->digest};
        const pawl_profile_type *limits = pawl_profile_find_type(host->profile, start->type);
        own->body.exclusive = limits != NULL && limits->exclusive && start->session != NULL;
        bool shut = pawl_gate_is_shut(type->gate);
        if (host->worker != NULL && limits == NULL &&
            !shut) /* what has limits is taken from the queue, where they are kept */
            own->body.claim_session = pawl_worker_session(host->worker);
    }
}

static pawl_status encode_input(pawl_arena *arena, const pawl_start *start, pawl_bytes *ret, pawl_bytes *ret_deadline,
                                pawl_error *error)
{
    pawl_entry entry = {.kind = PAWL_RECORD_STARTED, .value = start->input};
    bool external = (start->flags & PAWL_START_EXTERNAL) != 0;
    if (pawl_entry_encode(arena, &entry, ret) != PAWL_OK ||
        pawl_deadline_body(arena, external, ret_deadline) != PAWL_OK)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while starting a process");
    return PAWL_OK;
}

static pawl_status fingerprint(starting *own, const pawl_start *start, pawl_error *error)
{
    const pawl_bytes parts[] = {pawl_bytes_text(start->type), pawl_bytes_text(start->session),
                                pawl_bytes_text((start->flags & PAWL_START_EXTERNAL) != 0 ? "external" : "")};
    return pawl_fingerprint("start", parts, 3, start->input, own->fingerprint, error);
}

/* NULL when there are none; else malloc'ed. */
static pawl_status read_attributes(const pawl_host *host, pawl_bytes given, char **ret, pawl_error *error)
{
    json_t *read = NULL;
    if (given.size == 0)
        return PAWL_OK;
    pawl_status status = pawl_attributes_read(&host->attributes, given, false, &read, error);
    if (status != PAWL_OK)
        return status;
    *ret = json_dumps(read, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    json_decref(read);
    return *ret == NULL ? pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while starting a process")
                        : PAWL_OK;
}

static pawl_status prepare(pawl_host *host, const pawl_start *given, starting **ret, pawl_error *error)
{
    pawl_start start;
    if (!pawl_take_struct(&start, sizeof start, given))
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "start.struct_size is not set");
    const pawl_type *type = NULL;
    pawl_status status = check(host, &start, &type, error);
    if (status != PAWL_OK)
        return status;
    pawl_arena arena = {0};
    pawl_bytes input, deadline;
    status = encode_input(&arena, &start, &input, &deadline, error);
    if (status != PAWL_OK)
        return status;
    char *attributes = NULL; /* as they are stored */
    status = read_attributes(host, start.attributes, &attributes, error);
    if (status != PAWL_OK) {
        pawl_arena_finish(&arena);
        return status;
    }
    size_t room = strlen(start.type) + (start.session == NULL ? 0 : strlen(start.session)) + input.size +
                  (start.key == NULL ? 0 : strlen(start.key)) + (attributes == NULL ? 0 : strlen(attributes)) +
                  deadline.size;
    starting *own = malloc(sizeof *own + room);
    if (own == NULL) {
        free(attributes);
        pawl_arena_finish(&arena);
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while starting a process");
    }
    memset(own, 0, sizeof *own);
    own->host = host;
    own->body.input = input;
    own->body.deadline_body = deadline;
    status = fingerprint(own, &start, error);
    if (start.id != NULL)
        memcpy(own->started.id, start.id, strlen(start.id));
    else
        pawl_new_id(&host->new_ids, host->clock, own->started.id);
    fill(own, &start, attributes, type);
    free(attributes);
    pawl_arena_finish(&arena);
    if (status == PAWL_OK)
        status = pawl_handles_use(host, own->body.session, &own->use, error);
    if (status == PAWL_OK)
        *ret = own;
    else
        free(own);
    return status;
}

static void finish(starting *own)
{
    pawl_request_finish(&own->request);
    free(own);
}

/* A failed registration in the words of who asked for it. */
static pawl_status explain(starting *own, pawl_error *error)
{
    pawl_status status = own->request.op.status;
    if (status == PAWL_OK)
        return status;
    if (status > 0)
        status = PAWL_E_FAILED;
    (void)pawl_failure_error(&own->request.failure, status, error);
    if (status == PAWL_E_CLOSED)
        return pawl_error_set(error, status, "closed", "the host is closing; the process may not have been started");
    (void)pawl_error_wrap(error, "start of process \"%s\"", own->started.id);
    return status;
}

static void call_back(pawl_callback *callback)
{
    starting *own = (starting *)((char *)callback - offsetof(starting, callback));
    pawl_host *host = own->host;
    pawl_error error = {0};
    pawl_status status = explain(own, &error);
    own->done(own->context, status, status == PAWL_OK ? &own->started : NULL, status == PAWL_OK ? NULL : &error);
    finish(own);
    pawl_host_left(host);
}

/* On a thread of the store. */
static void registered(pawl_request *request)
{
    starting *own = request->context;
    pawl_handles_unuse(own->host, &own->use);
    if (request->op.status == PAWL_OK) {
        own->started.existed = (request->op.flags & PAWL_RESULT_EXISTED) != 0;
        if ((request->op.flags & PAWL_RESULT_CLAIMED) != 0)
            pawl_worker_adopt(own->host->worker, request->op.number, request->op.token, (uint32_t)request->op.count,
                              &own->body);
    }
    if (own->done != NULL) {
        pawl_callbacks_post(own->host->callbacks, &own->callback);
        return;
    }
    pthread_mutex_lock(&own->lock);
    own->ended = true;
    pthread_cond_signal(&own->changed);
    pthread_mutex_unlock(&own->lock);
}

static void submit(starting *own)
{
    pawl_host_entered(own->host);
    pawl_request_init(&own->request, PAWL_OP_REGISTER, &own->body, registered, own);
    pawl_registry_submit(&own->host->registry, &own->request);
}

pawl_status pawl_host_start_async(pawl_host *host, const pawl_start *start, pawl_on_started done, void *context,
                                  pawl_error *error)
{
    if (done == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "the callback is missing");
    starting *own;
    pawl_status status = prepare(host, start, &own, error);
    if (status != PAWL_OK)
        return status;
    own->done = done;
    own->context = context;
    own->callback.call = call_back;
    submit(own);
    return PAWL_PENDING;
}

pawl_status pawl_host_start(pawl_host *host, const pawl_start *start, pawl_started *ret, pawl_error *error)
{
    starting *own;
    pawl_status status = prepare(host, start, &own, error);
    if (status != PAWL_OK)
        return status;
    pthread_mutex_init(&own->lock, NULL);
    pthread_cond_init(&own->changed, NULL);
    submit(own);
    pthread_mutex_lock(&own->lock);
    while (!own->ended)
        pthread_cond_wait(&own->changed, &own->lock);
    pthread_mutex_unlock(&own->lock);
    pthread_cond_destroy(&own->changed);
    pthread_mutex_destroy(&own->lock);
    status = explain(own, error);
    if (status == PAWL_OK && ret != NULL)
        *ret = own->started;
    finish(own);
    pawl_host_left(host);
    return status;
}
