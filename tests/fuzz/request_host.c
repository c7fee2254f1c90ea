/* request_host.c: see request_host.h. The name of what is asked about decides the answer: an id that begins with "no"
 * is not there, one with "end" has ended, one with "full" finds no space. It must never be lenient: the checks are what
 * a host relies on. */
#include "request_host.h"

#include <string.h>

#include "fuzz.h"
#include "host/api/ends.h"
#include "host/api/waits.h"
#include "worker/base/error.h"

#define OWED_MAX (PAWL_API_BATCH_MAX + 1u)

/* State of the one request; fuzzing is single-threaded. */
static struct {
    struct {
        pawl_on_started done;
        void *context;
        pawl_status status;
    } started[OWED_MAX];
    size_t started_count;
    pawl_timed_wait *wait;
    pawl_exchange_step next;
} owed;

void request_begin(void)
{
    memset(&owed, 0, sizeof owed);
}

void request_finish(pawl_exchange *exchange)
{
    for (size_t i = 0; i < owed.started_count; i++) {
        pawl_started started = {.existed = 0};
        pawl_error error = {0};
        snprintf(started.id, sizeof started.id, "p-%zu", i);
        if (owed.started[i].status != PAWL_OK)
            pawl_error_set(&error, owed.started[i].status, "host.limit", "as asked");
        owed.started[i].done(owed.started[i].context, owed.started[i].status, &started, &error);
    }
    if (owed.wait != NULL)
        owed.wait->done(owed.wait);
    FUZZ_CHECK(owed.next != NULL); /* or nobody would ever answer */
    FUZZ_CHECK(owed.next(exchange));
}

/* ---- the server ---- */

void pawl_exchange_continue(pawl_exchange *exchange, pawl_exchange_step step)
{
    FUZZ_CHECK(exchange != NULL && owed.next == NULL);
    owed.next = step;
}

void pawl_api_server_numbers(pawl_api_server *server, pawl_api_numbers *ret)
{
    (void)server;
    *ret = (pawl_api_numbers){.requests = 3, .replies = {0, 0, 1, 0, 1, 1}};
}

struct pawl_waits *pawl_api_server_waits(pawl_api_server *server)
{
    (void)server;
    return NULL;
}

pawl_status pawl_exchange_becomes_wait(pawl_exchange *exchange, pawl_error *error)
{
    (void)exchange;
    (void)error;
    return PAWL_OK;
}

pawl_status pawl_exchange_becomes_drain(pawl_exchange *exchange, pawl_error *error)
{
    (void)exchange;
    (void)error;
    return PAWL_OK;
}

static pawl_status answer_about(const char *id, pawl_error *error)
{
    FUZZ_CHECK(id != NULL);
    if (strncmp(id, "no", 2) == 0)
        return pawl_error_set(error, PAWL_E_NOT_FOUND, "registry.not_found", "there is no process \"%s\"", id);
    if (strncmp(id, "end", 3) == 0)
        return pawl_error_set(error, PAWL_E_TERMINAL, "registry.terminal", "\"%s\" has ended", id);
    if (strncmp(id, "full", 4) == 0)
        return pawl_error_set(error, PAWL_E_FULL, "store.no_space", "no space for \"%s\"", id);
    return PAWL_OK;
}

void pawl_waits_begin(pawl_waits *waits, const char *id, uint64_t timeout_ns, pawl_timed_wait *wait)
{
    (void)waits;
    FUZZ_CHECK(timeout_ns <= (uint64_t)PAWL_API_WAIT_MS_MAX * 1000000u);
    wait->status = answer_about(id, &wait->error);
    if (wait->status == PAWL_OK && timeout_ns == 0)
        wait->status = PAWL_E_DEADLINE;
    wait->outcome = (pawl_outcome){.struct_size = sizeof wait->outcome,
                                   .status = PAWL_COMPLETED,
                                   .output = {id, strlen(id)},
                                   .code = {id, strlen(id) > 0}};
    owed.wait = wait;
}

void pawl_timed_wait_finish(pawl_timed_wait *wait)
{
    (void)wait; /* what it points to is the request's */
}

/* ---- the host ---- */

static pawl_status give(const char *json, pawl_status status, pawl_text *ret)
{
    if (status != PAWL_OK)
        return status;
    ret->data = strdup(json);
    ret->size = strlen(json);
    return PAWL_OK;
}

const char *pawl_library_version(void)
{
    return "0.1.0";
}

void pawl_text_free(pawl_text *text)
{
    free(text->data);
    *text = (pawl_text){0};
}

static void check_bytes(pawl_bytes bytes)
{
    FUZZ_CHECK(bytes.data != NULL || bytes.size == 0);
    unsigned sum = 0;
    for (size_t i = 0; i < bytes.size; i++)
        sum += ((const uint8_t *)bytes.data)[i];
    FUZZ_CHECK(sum <= bytes.size * 255);
}

pawl_status pawl_host_start_async(pawl_host *host, const pawl_start *start, pawl_on_started done, void *context,
                                  pawl_error *error)
{
    (void)host;
    FUZZ_CHECK(start->struct_size == sizeof *start && start->type != NULL);
    FUZZ_CHECK((start->flags & ~(uint32_t)PAWL_START_EXTERNAL) == 0);
    FUZZ_CHECK(owed.started_count < OWED_MAX);
    check_bytes(start->input);
    pawl_status status = answer_about(start->type, error);
    if (status != PAWL_OK)
        return status;
    owed.started[owed.started_count].done = done;
    owed.started[owed.started_count].context = context;
    owed.started[owed.started_count++].status = strcmp(start->type, "later") == 0 ? PAWL_E_LIMIT : PAWL_OK;
    return PAWL_PENDING;
}

pawl_status pawl_host_update(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                             const char *update_id, uint64_t timeout_ns, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)id;
    (void)name;
    (void)payload;
    (void)update_id;
    (void)timeout_ns;
    (void)ret_json;
    return pawl_error_set(error, PAWL_E_DEADLINE, "update.timeout", "it has not answered");
}

pawl_status pawl_host_signal(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                             const char *signal_id, uint32_t *ret_replayed, pawl_error *error)
{
    (void)host;
    FUZZ_CHECK(name != NULL);
    check_bytes(payload);
    *ret_replayed = signal_id != NULL;
    return answer_about(id, error);
}

pawl_status pawl_host_cancel(pawl_host *host, const char *id, const char *reason, pawl_error *error)
{
    (void)host;
    (void)reason;
    return answer_about(id, error);
}

pawl_status pawl_host_terminate(pawl_host *host, const char *id, const char *reason, pawl_error *error)
{
    return pawl_host_cancel(host, id, reason, error);
}

pawl_status pawl_host_resume(pawl_host *host, const char *id, pawl_error *error)
{
    return pawl_host_cancel(host, id, NULL, error);
}

pawl_status pawl_host_pause(pawl_host *host, uint32_t kind, const char *name, const char *reason, pawl_error *error)
{
    (void)kind;
    (void)reason;
    return pawl_host_resume(host, name, error);
}

pawl_status pawl_host_unpause(pawl_host *host, uint32_t kind, const char *name, pawl_error *error)
{
    (void)kind;
    return pawl_host_resume(host, name, error);
}

pawl_status pawl_host_restart(pawl_host *host, const char *id, uint64_t step, const char *reason,
                              const char *request_id, uint32_t *ret_replayed, pawl_error *error)
{
    (void)step;
    (void)request_id;
    *ret_replayed = 0;
    return pawl_host_cancel(host, id, reason, error);
}

pawl_status pawl_host_complete(pawl_host *host, const char *id, const pawl_outcome *outcome, pawl_error *error)
{
    (void)host;
    FUZZ_CHECK(outcome->struct_size == sizeof *outcome);
    FUZZ_CHECK(outcome->status >= PAWL_COMPLETED && outcome->status <= PAWL_CANCELLED);
    FUZZ_CHECK(outcome->status == PAWL_COMPLETED || outcome->output.size == 0);
    check_bytes(outcome->output);
    check_bytes(outcome->code);
    check_bytes(outcome->message);
    check_bytes(outcome->detail_json);
    return answer_about(id, error);
}

pawl_status pawl_host_get(pawl_host *host, const char *id, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    return give("{\"id\":\"x\"}", answer_about(id, error), ret_json);
}

pawl_status pawl_host_list(pawl_host *host, const pawl_list_options *options, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    FUZZ_CHECK(options->struct_size == sizeof *options && options->newest_first <= 1);
    FUZZ_CHECK(options->limit >= 1 && options->limit <= 1000);
    return give("{\"processes\":[],\"next\":null}", answer_about(options->type == NULL ? "" : options->type, error),
                ret_json);
}

pawl_status pawl_host_count(pawl_host *host, const pawl_list_options *options, uint64_t limit_rows, pawl_text *ret_json,
                            pawl_error *error)
{
    (void)host;
    FUZZ_CHECK(options->struct_size == sizeof *options && limit_rows >= 1);
    return give("{\"count\":0,\"complete\":true}", answer_about(options->type == NULL ? "" : options->type, error),
                ret_json);
}

pawl_status pawl_host_prune(pawl_host *host, const pawl_prune_options *options, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    FUZZ_CHECK(options->struct_size == sizeof *options && options->before_unix_ns > 0 && options->dry_run <= 1);
    return give("{\"pruned\":0,\"more\":false}", answer_about(options->type == NULL ? "" : options->type, error),
                ret_json);
}

pawl_status pawl_host_session_list(pawl_host *host, const char *after, uint32_t limit, pawl_text *ret_json,
                                   pawl_error *error)
{
    (void)host;
    (void)after;
    (void)limit;
    (void)error;
    return give("{\"sessions\":[],\"next\":null}", PAWL_OK, ret_json);
}

pawl_status pawl_host_session_show(pawl_host *host, const char *session, const char *prefix, const char *after,
                                   uint32_t limit, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)prefix;
    (void)after;
    (void)limit;
    (void)error;
    return give("{\"revision\":0,\"values\":[],\"next\":null}", PAWL_OK, ret_json);
}

pawl_status pawl_host_session_get(pawl_host *host, const char *session, const char *key, pawl_text *ret_value,
                                  uint64_t *ret_revision, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)key;
    (void)ret_value;
    (void)ret_revision;
    return pawl_error_set(error, PAWL_E_NOT_FOUND, "unknown_key", "no such key");
}

pawl_status pawl_host_session_commit(pawl_host *host, const char *session, uint64_t expected_revision,
                                     const char *commit_key, const pawl_session_change *const *changes, size_t count,
                                     uint64_t *ret_revision, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)expected_revision;
    (void)commit_key;
    (void)changes;
    (void)count;
    (void)error;
    *ret_revision = 1;
    return PAWL_OK;
}

pawl_status pawl_host_session_delete(pawl_host *host, const char *session, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)error;
    return give("{}", PAWL_OK, ret_json);
}

pawl_status pawl_host_session_release(pawl_host *host, const char *session, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)error;
    return give("{}", PAWL_OK, ret_json);
}

pawl_status pawl_host_handle_list(pawl_host *host, const char *session, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)error;
    return give("{}", PAWL_OK, ret_json);
}

pawl_status pawl_host_handle_grant(pawl_host *host, const char *session, const char *id, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)id;
    (void)error;
    return PAWL_OK;
}

pawl_status pawl_host_handle_revoke(pawl_host *host, const char *session, const char *id, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)id;
    (void)error;
    return PAWL_OK;
}

pawl_status pawl_host_handle_check(pawl_host *host, const char *session, const char *id, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)id;
    (void)error;
    return PAWL_OK;
}

pawl_status pawl_host_handle_transfer(pawl_host *host, const char *from, const char *to, const char *const *ids,
                                      size_t count, pawl_error *error)
{
    (void)host;
    (void)from;
    (void)to;
    (void)ids;
    (void)count;
    (void)error;
    return PAWL_OK;
}

pawl_status pawl_host_journal(pawl_host *host, const char *id, uint64_t from, uint32_t limit, uint32_t whole_values,
                              pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    FUZZ_CHECK(from >= 1 && limit >= 1 && limit <= 1000 && whole_values <= 1);
    return give("{\"records\":[],\"next\":null}", answer_about(id, error), ret_json);
}

pawl_status pawl_host_describe(pawl_host *host, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)error;
    return give("{\"version\":\"0.1.0\",\"profile\":\"f\",\"counts\":{\"completed\":1}}", PAWL_OK, ret_json);
}

pawl_status pawl_host_drain(pawl_host *host, uint32_t mode, uint64_t timeout_ns, pawl_error *error)
{
    (void)host;
    (void)timeout_ns;
    (void)error;
    FUZZ_CHECK(mode <= PAWL_STOP_ABORT);
    return PAWL_OK;
}

pawl_status pawl_host_backup(pawl_host *host, const char *directory, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    return give("{\"backup\":\"x\"}", answer_about(directory, error), ret_json);
}

pawl_status pawl_host_versions(pawl_host *host, uint64_t rows_max, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)error;
    (void)rows_max;
    return give("{\"plugins\":[]}", PAWL_OK, ret_json);
}

pawl_status pawl_host_forget_version(pawl_host *host, const char *digest, pawl_error *error)
{
    (void)host;
    return answer_about(digest, error);
}

/* ---- the stream of ends ---- */

struct pawl_ends *pawl_api_server_ends(pawl_api_server *server)
{
    (void)server;
    return NULL;
}

pawl_status pawl_ends_listen(pawl_ends *ends, const pawl_listener_options *options, pawl_listener **ret,
                             pawl_error *error)
{
    (void)ends;
    FUZZ_CHECK(options->heartbeat_ms >= PAWL_API_HEARTBEAT_MS_LEAST);
    FUZZ_CHECK(options->heartbeat_ms <= PAWL_API_HEARTBEAT_MS_MOST);
    *ret = NULL;
    return answer_about(options->type == NULL ? "" : options->type, error);
}

ssize_t pawl_listener_read(void *listener, uint64_t position, char *to, size_t room)
{
    (void)listener;
    (void)position;
    (void)to;
    (void)room;
    return MHD_CONTENT_READER_END_OF_STREAM;
}

void pawl_listener_close(void *listener)
{
    (void)listener;
}

/* ---- events and queues: this host has none ---- */

static pawl_status no_events(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_UNSUPPORTED, "fake.no_events", "this host has no events");
}

pawl_status pawl_host_append_event(pawl_host *host, const char *id, const pawl_event *event, pawl_event_appended *ret,
                                   pawl_error *error)
{
    (void)host;
    (void)id;
    (void)event;
    (void)ret;
    return no_events(error);
}

pawl_status pawl_host_events(pawl_host *host, const char *id, uint64_t after, const char *type, uint32_t limit,
                             pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)id;
    (void)after;
    (void)type;
    (void)limit;
    (void)ret_json;
    return no_events(error);
}

pawl_status pawl_host_wait_event_async(pawl_host *host, const char *id, const char *type, uint64_t after,
                                       pawl_on_outcome done, void *context, pawl_wait **ret, pawl_error *error)
{
    (void)host;
    (void)id;
    (void)type;
    (void)after;
    (void)done;
    (void)context;
    (void)ret;
    return no_events(error);
}

pawl_status pawl_host_queue_claim(pawl_host *host, const char *session, const pawl_queue_claim_options *options,
                                  pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)options;
    (void)ret_json;
    return no_events(error);
}

pawl_status pawl_host_queue_settle(pawl_host *host, const char *session, uint32_t action, uint64_t token,
                                   const uint64_t *items, size_t count, uint64_t delay_ns, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)action;
    (void)token;
    (void)items;
    (void)count;
    (void)delay_ns;
    return no_events(error);
}

pawl_status pawl_host_queue_list(pawl_host *host, const char *session, uint32_t dead, uint64_t after, uint32_t limit,
                                 pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)dead;
    (void)after;
    (void)limit;
    (void)ret_json;
    return no_events(error);
}

pawl_status pawl_host_queue_tend(pawl_host *host, const char *session, uint32_t action, const uint64_t *items,
                                 size_t count, uint64_t *ret_done, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)action;
    (void)items;
    (void)count;
    (void)ret_done;
    return no_events(error);
}

/* ---- attachments: those of a scope that is not there, or one with some bytes ---- */

bool pawl_exchange_more(pawl_exchange *exchange)
{
    exchange->body_size = 0;
    return false;
}

bool pawl_exchange_refill(pawl_exchange *exchange, pawl_exchange_step step)
{
    (void)exchange;
    (void)step;
    return false;
}

pawl_status pawl_host_put(pawl_host *host, const pawl_put_options *options, pawl_put **ret, pawl_error *error)
{
    (void)host;
    *ret = (pawl_put *)ret; /* never followed */
    return answer_about(options->scope, error);
}

pawl_status pawl_put_write(pawl_put *put, const void *data, size_t size, pawl_error *error)
{
    (void)error;
    FUZZ_CHECK(put != NULL && (data != NULL || size == 0));
    return PAWL_OK;
}

pawl_status pawl_put_commit(pawl_put *put, char reference[PAWL_REFERENCE_BYTES + 1], uint64_t *ret_size,
                            pawl_error *error)
{
    (void)error;
    FUZZ_CHECK(put != NULL);
    strcpy(reference, "sha256:");
    *ret_size = 0;
    return PAWL_OK;
}

pawl_put *pawl_put_abort(pawl_put *put)
{
    (void)put;
    return NULL;
}

pawl_status pawl_host_attachment_read(pawl_host *host, const char *scope, const char *reference, uint64_t offset,
                                      uint64_t size, pawl_text *ret_bytes, uint64_t *ret_total, pawl_error *error)
{
    (void)host;
    (void)ret_total;
    FUZZ_CHECK(reference != NULL && offset < 10 && size <= 10 - offset);
    return give("0123456789", answer_about(scope, error), ret_bytes);
}

pawl_status pawl_host_attachment_stat(pawl_host *host, const char *scope, const char *reference, pawl_text *ret_json,
                                      pawl_error *error)
{
    (void)host;
    FUZZ_CHECK(reference != NULL);
    return give("{\"size\":10,\"media_type\":\"a/b\"}", answer_about(scope, error), ret_json);
}

pawl_status pawl_host_attachment_list(pawl_host *host, const char *scope, const char *after, uint32_t limit,
                                      pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)after;
    (void)limit;
    return give("{}", answer_about(scope, error), ret_json);
}

pawl_status pawl_host_attachment_share(pawl_host *host, const char *scope, const char *reference, const char *to,
                                       pawl_error *error)
{
    (void)host;
    FUZZ_CHECK(reference != NULL && to != NULL);
    return answer_about(scope, error);
}

pawl_status pawl_host_attachment_drop(pawl_host *host, const char *scope, const char *reference, pawl_error *error)
{
    (void)host;
    FUZZ_CHECK(reference != NULL);
    return answer_about(scope, error);
}
