/* post.c: what comes to a process from outside: signals, wishes that it stop, its end. Each is one operation with
 * an idempotency id of its own, so that sending it again does no harm; none is judged by who runs the process. */
#include "host/host_internal.h"

#include "host/operation/fingerprint.h"
#include "host/schema/rules.h"
#include "host/view/view.h"
#include "worker/base/sink.h"
#include "worker/journal.h"

#include <stdio.h>
#include <string.h>

#define REASON_BYTES_MAX  4096u
#define SIGNAL_NAME_MAX   256u
#define POST_ID_BYTES_MAX 256u
#define CODE_BYTES_MAX    128u

/* "cancel:" and the first 32 hex digits of a fingerprint: the same content gives the same id. What was asked before the
 * process was restarted is void: the same wish is a new one then. */
static void derive_id(const char *prefix, uint32_t rewinds, const uint8_t fingerprint[PAWL_FINGERPRINT_SIZE], char *id,
                      size_t room)
{
    int used = rewinds == 0 ? snprintf(id, room, "%s:", prefix) : snprintf(id, room, "%s~%u:", prefix, rewinds);
    for (size_t i = 0; i < 16 && used > 0 && (size_t)used + 2 < room; i++)
        used += snprintf(id + used, room - (size_t)used, "%02x", fingerprint[i]);
}

/* Send one, and put what the store says into words that name the process. */
static pawl_status post_at(pawl_host *host, const char *id, pawl_post *body, const pawl_entry *entry,
                           uint32_t *ret_replayed, uint64_t *ret_sequence, pawl_error *error)
{
    pawl_arena arena = {0};
    pawl_status status = pawl_entry_encode(&arena, entry, &body->body);
    if (status != PAWL_OK) {
        pawl_arena_finish(&arena);
        return pawl_error_set(error, status, pawl_status_name(status), "the request could not be encoded: %s",
                              pawl_status_name(status));
    }
    body->struct_size = sizeof *body;
    body->id = pawl_bytes_text(id);
    body->kind = entry->kind;
    pawl_registry_op op;
    pawl_host_entered(host);
    status = pawl_registry_call(&host->registry, &op, PAWL_OP_POST, body, error);
    if (status == PAWL_OK && body->kind == PAWL_RECORD_ENDED && (op.flags & PAWL_RESULT_REPLAYED) == 0)
        pawl_follows_tell_posted(host, body);
    pawl_host_left(host);
    pawl_arena_finish(&arena);
    status = status > 0 ? PAWL_OK : pawl_unknown_process(id, status, error);
    if (status == PAWL_OK && ret_sequence != NULL)
        *ret_sequence = op.sequence;
    if (status == PAWL_OK && ret_replayed != NULL)
        *ret_replayed = (op.flags & PAWL_RESULT_REPLAYED) != 0;
    if (status == PAWL_OK)
        return status;
    if (error != NULL && strcmp(error->code, "unknown_process") != 0)
        (void)pawl_error_wrap(error, "%s for process \"%s\"", pawl_record_name(entry->kind), id);
    return status;
}

pawl_status pawl_host_post(pawl_host *host, const char *id, pawl_post *body, const pawl_entry *entry,
                           uint32_t *ret_replayed, pawl_error *error)
{
    return post_at(host, id, body, entry, ret_replayed, NULL, error);
}

pawl_status pawl_host_post_entry(pawl_host *host, const char *id, const char *post_id, const pawl_entry *entry,
                                 pawl_error *error)
{
    uint8_t fingerprint[PAWL_FINGERPRINT_SIZE];
    pawl_status status =
        pawl_fingerprint(pawl_record_name(entry->kind), NULL, 0, pawl_bytes_text(post_id), fingerprint, error);
    if (status != PAWL_OK)
        return status;
    pawl_post body = {.post_id = pawl_bytes_text(post_id), .fingerprint = {fingerprint, sizeof fingerprint}};
    return pawl_host_post(host, id, &body, entry, NULL, error);
}

static pawl_status check(pawl_host *host, const char *id, pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    return status == PAWL_OK ? pawl_check_id(id, error) : status;
}

static pawl_status check_reason(const char *reason, pawl_error *error)
{
    if (reason == NULL || reason[0] == '\0')
        return PAWL_OK;
    return pawl_check_text("reason", reason, REASON_BYTES_MAX, error);
}

pawl_status pawl_host_signal(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                             const char *signal_id, uint32_t *ret_replayed, pawl_error *error)
{
    pawl_status status = check(host, id, error);
    if (status == PAWL_OK)
        status = pawl_check_text("signal name", name, SIGNAL_NAME_MAX, error);
    if (status == PAWL_OK && signal_id != NULL)
        status = pawl_check_text("signal id", signal_id, POST_ID_BYTES_MAX, error);
    if (status == PAWL_OK)
        status = pawl_check_bytes("payload", payload, host->profile->limits.value_bytes, error);
    if (status != PAWL_OK)
        return status;
    uint8_t fingerprint[PAWL_FINGERPRINT_SIZE];
    const pawl_bytes parts[] = {pawl_bytes_text(name)};
    status = pawl_fingerprint("signal", parts, 1, payload, fingerprint, error);
    if (status != PAWL_OK)
        return status;
    char made[PAWL_NEW_ID_SIZE];
    if (signal_id == NULL)
        pawl_new_id(&host->new_ids, host->clock, made);
    pawl_post body = {.post_id = pawl_bytes_text(signal_id == NULL ? made : signal_id),
                      .fingerprint = {fingerprint, sizeof fingerprint}};
    pawl_entry entry = {.kind = PAWL_RECORD_SIGNAL, .name = pawl_bytes_text(name), .value = payload};
    return pawl_host_post(host, id, &body, &entry, ret_replayed, error);
}

static pawl_failure failure_of(const char *code, const char *message)
{
    pawl_failure failure = {.struct_size = sizeof failure,
                            .klass = PAWL_TERMINAL,
                            .code = pawl_bytes_text(code),
                            .message = pawl_bytes_text(message)};
    return failure;
}

/* End a process from outside without an outcome of its own: cancelled or terminated. */
static pawl_status end(pawl_host *host, const char *id, uint32_t rewinds, uint32_t terminal, uint32_t force,
                       const char *word, const char *reason, pawl_error *error)
{
    uint8_t fingerprint[PAWL_FINGERPRINT_SIZE];
    char post_id[64];
    pawl_status status = pawl_fingerprint(word, NULL, 0, pawl_bytes_text(reason), fingerprint, error);
    if (status != PAWL_OK)
        return status;
    derive_id(word, rewinds, fingerprint, post_id, sizeof post_id);
    pawl_post body = {.post_id = pawl_bytes_text(post_id),
                      .fingerprint = {fingerprint, sizeof fingerprint},
                      .status = terminal,
                      .force = force};
    pawl_entry entry = {
        .kind = PAWL_RECORD_ENDED, .failed = true, .status = terminal, .failure = failure_of(word, reason)};
    return pawl_host_post(host, id, &body, &entry, NULL, error);
}

/* A post of its own, for a batch: everything that it points to is in the arena. */
pawl_status pawl_host_cancel_post(pawl_arena *arena, const pawl_process_row *row, const char *reason,
                                  const pawl_post **ret, pawl_error *error)
{
    bool external = row->external != 0; /* no code of ours runs it: nobody else could end it on this wish */
    const char *word = external ? "cancelled" : "cancel";
    uint8_t fingerprint[PAWL_FINGERPRINT_SIZE];
    char post_id[64];
    pawl_status status = pawl_fingerprint(word, NULL, 0, pawl_bytes_text(reason), fingerprint, error);
    if (status != PAWL_OK)
        return status;
    derive_id(word, external ? 0 : row->rewinds, fingerprint, post_id, sizeof post_id);
    const pawl_entry asked = {.kind = PAWL_RECORD_CANCEL, .value = pawl_bytes_text(reason)};
    const pawl_entry ended = {
        .kind = PAWL_RECORD_ENDED, .failed = true, .status = PAWL_CANCELLED, .failure = failure_of(word, reason)};
    const pawl_entry *entry = external ? &ended : &asked;
    pawl_post *post = pawl_arena_alloc(arena, sizeof *post);
    if (post != NULL)
        *post = (pawl_post){.struct_size = sizeof *post, .kind = entry->kind, .status = entry->status};
    if (post == NULL || !pawl_arena_copy(arena, row->id, &post->id) ||
        !pawl_arena_copy(arena, pawl_bytes_text(post_id), &post->post_id) ||
        !pawl_arena_copy(arena, (pawl_bytes){fingerprint, sizeof fingerprint}, &post->fingerprint) ||
        pawl_entry_encode(arena, entry, &post->body) != PAWL_OK)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for a request to stop");
    *ret = post;
    return PAWL_OK;
}

/* May this process be asked this? The one place for what can be known before the request is recorded. */
static pawl_status admit_update(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                                pawl_error *error)
{
    pawl_arena arena = {0};
    pawl_process_row row;
    pawl_status status = pawl_host_row(host, id, &arena, &row, error);
    if (status == PAWL_OK)
        status = pawl_type_rules_update(pawl_host_rules_of(host, &row), name, payload, error);
    pawl_arena_finish(&arena);
    return status == PAWL_E_NOT_FOUND ? pawl_unknown_process(id, status, error) : status;
}

static pawl_status check_update(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                                const char *update_id, pawl_error *error)
{
    pawl_status status = check(host, id, error);
    if (status == PAWL_OK)
        status = pawl_check_text("update name", name, SIGNAL_NAME_MAX, error);
    if (status == PAWL_OK)
        status = pawl_check_bytes("payload", payload, host->profile->limits.value_bytes, error);
    if (status == PAWL_OK && update_id != NULL)
        status = pawl_check_text("update id", update_id, POST_ID_BYTES_MAX, error);
    return status;
}

pawl_status pawl_host_post_update(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                                  const char *update_id, char own_id[PAWL_UPDATE_ID_SIZE], uint64_t *ret_sequence,
                                  pawl_error *error)
{
    pawl_error refused = {0};
    pawl_status status = check_update(host, id, name, payload, update_id, error);
    if (status != PAWL_OK)
        return status;
    pawl_status admitted = admit_update(host, id, name, payload, &refused);
    if (admitted != PAWL_OK && (admitted != PAWL_E_INVALID || update_id == NULL)) {
        if (error != NULL)
            *error = refused;
        return admitted;
    }
    uint8_t fingerprint[PAWL_FINGERPRINT_SIZE];
    const pawl_bytes parts[] = {pawl_bytes_text(name)};
    status = pawl_fingerprint("update", parts, 1, payload, fingerprint, error);
    if (status != PAWL_OK)
        return status;
    char made[PAWL_NEW_ID_SIZE];
    if (update_id == NULL)
        pawl_new_id(&host->new_ids, host->clock, made);
    snprintf(own_id, PAWL_UPDATE_ID_SIZE, "%s", update_id == NULL ? made : update_id);
    pawl_post body = {.post_id = pawl_bytes_text(own_id), .fingerprint = {fingerprint, sizeof fingerprint}};
    pawl_entry entry = {.kind = PAWL_RECORD_UPDATE, .name = pawl_bytes_text(name), .value = payload};
    entry.failure.code = pawl_bytes_text(own_id);
    body.look =
        admitted == PAWL_OK ? 0 : 1; /* an id that is known is answered as before, whatever is declared by now */
    status = post_at(host, id, &body, &entry, NULL, ret_sequence, error);
    if (admitted == PAWL_OK || status == PAWL_OK)
        return status;
    if (error != NULL)
        *error = refused;
    return admitted;
}

/* Of a paused type nothing is claimed; but stopping is not going on. */
static void claim_at_once(pawl_host *host, const char *id)
{
    pawl_host_entered(host);
    pawl_worker_claim_one(host->worker, pawl_bytes_text(id));
    pawl_host_left(host);
}

pawl_status pawl_host_cancel(pawl_host *host, const char *id, const char *reason, pawl_error *error)
{
    pawl_status status = check(host, id, error);
    if (status == PAWL_OK)
        status = check_reason(reason, error);
    if (status != PAWL_OK)
        return status;
    reason = reason == NULL ? "" : reason;
    pawl_arena arena = {0};
    pawl_process_row row;
    status = pawl_host_row(host, id, &arena, &row, error);
    const pawl_type *type = status == PAWL_OK ? pawl_catalog_type(host->assembly.catalog, row.type) : NULL;
    pawl_arena_finish(&arena);
    if (status != PAWL_OK)
        return status;
    if (row.external != 0) /* no code of ours runs it: nobody else could end it on this wish */
        return end(host, id, 0, PAWL_CANCELLED, 0, "cancelled", reason, error);
    uint8_t fingerprint[PAWL_FINGERPRINT_SIZE];
    char post_id[64];
    status = pawl_fingerprint("cancel", NULL, 0, pawl_bytes_text(reason), fingerprint, error);
    if (status != PAWL_OK)
        return status;
    derive_id("cancel", row.rewinds, fingerprint, post_id, sizeof post_id);
    pawl_post body = {.post_id = pawl_bytes_text(post_id), .fingerprint = {fingerprint, sizeof fingerprint}};
    pawl_entry entry = {.kind = PAWL_RECORD_CANCEL, .value = pawl_bytes_text(reason)};
    status = pawl_host_post(host, id, &body, &entry, NULL, error);
    if (status == PAWL_OK && type != NULL && pawl_gate_is_shut(type->gate) && host->worker != NULL)
        claim_at_once(host, id);
    return status;
}

pawl_status pawl_host_terminate(pawl_host *host, const char *id, const char *reason, pawl_error *error)
{
    pawl_status status = check(host, id, error);
    if (status == PAWL_OK)
        status = check_reason(reason, error);
    pawl_arena arena = {0};
    pawl_process_row row;
    if (status == PAWL_OK)
        status = pawl_host_row(host, id, &arena, &row, error);
    pawl_arena_finish(&arena);
    if (status != PAWL_OK)
        return status;
    return end(host, id, row.rewinds, PAWL_TERMINATED, 1, "terminated", reason == NULL ? "" : reason, error);
}

pawl_status pawl_host_resume(pawl_host *host, const char *id, pawl_error *error)
{
    pawl_status status = check(host, id, error);
    if (status != PAWL_OK)
        return status;
    pawl_arena arena = {0};
    pawl_process_row row;
    status = pawl_host_row(host, id, &arena, &row, error);
    pawl_arena_finish(&arena);
    if (status != PAWL_OK)
        return status;
    if (PAWL_IS_TERMINAL(row.status))
        return pawl_error_set(error, PAWL_E_TERMINAL, "already_terminal", "process \"%s\" has ended: it is %s", id,
                              pawl_view_status(row.status));
    if (row.status != PAWL_STUCK && row.paused_unix_ns == 0)
        return pawl_error_set(error, PAWL_E_CONFLICT, "not_stuck",
                              "process \"%s\" is not stuck and not paused: it is %s", id, pawl_view_status(row.status));
    /* Two operators who resume it at once do it once: the id is that of the place where it is stuck, or of the pause.
     */
    bool paused = row.paused_unix_ns != 0;
    char post_id[64];
    snprintf(post_id, sizeof post_id, "resume:%llu", (unsigned long long)(paused ? row.paused_unix_ns : row.head));
    const pawl_entry entry = {.kind = paused ? PAWL_RECORD_CONTINUED : PAWL_RECORD_RESUMED};
    return pawl_host_post_entry(host, id, post_id, &entry, error);
}

static pawl_status check_outcome(pawl_host *host, const pawl_outcome *outcome, pawl_error *error)
{
    uint32_t ended = outcome->status;
    if (ended != PAWL_COMPLETED && ended != PAWL_FAILED && ended != PAWL_CANCELLED)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_outcome",
                              "outcome status %u is not completed, failed or cancelled", ended);
    uint64_t room = host->profile->limits.value_bytes;
    pawl_status status = pawl_check_bytes("output", outcome->output, room, error);
    if (status == PAWL_OK)
        status = pawl_check_bytes("failure detail", outcome->detail_json, room, error);
    if (status == PAWL_OK)
        status = pawl_check_bytes("failure code", outcome->code, CODE_BYTES_MAX, error);
    if (status == PAWL_OK)
        status = pawl_check_bytes("failure message", outcome->message, REASON_BYTES_MAX, error);
    if (status == PAWL_OK && ended == PAWL_FAILED && outcome->code.size == 0)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_outcome", "a failed outcome needs a code");
    return status;
}

pawl_status pawl_host_complete(pawl_host *host, const char *id, const pawl_outcome *given, pawl_error *error)
{
    pawl_outcome outcome;
    pawl_status status = check(host, id, error);
    if (status == PAWL_OK && !pawl_take_struct(&outcome, sizeof outcome, given))
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "outcome.struct_size is not set");
    if (status == PAWL_OK)
        status = check_outcome(host, &outcome, error);
    if (status != PAWL_OK)
        return status;
    pawl_arena arena = {0};
    pawl_process_row row;
    status = pawl_host_row(host, id, &arena, &row, error);
    pawl_arena_finish(&arena);
    if (status != PAWL_OK)
        return status;
    if (row.external == 0)
        return pawl_error_set(error, PAWL_E_INVALID, "not_external",
                              "process \"%s\" is run by a worker; only an external one is completed from outside", id);
    bool failed = outcome.status != PAWL_COMPLETED;
    char status_text[16];
    snprintf(status_text, sizeof status_text, "%u", outcome.status);
    const pawl_bytes parts[] = {pawl_bytes_text(status_text), outcome.code, outcome.message, outcome.detail_json};
    uint8_t fingerprint[PAWL_FINGERPRINT_SIZE];
    char post_id[64];
    status = pawl_fingerprint("complete", parts, 4, outcome.output, fingerprint, error);
    if (status != PAWL_OK)
        return status;
    derive_id("complete", 0, fingerprint, post_id, sizeof post_id);
    pawl_post body = {.post_id = pawl_bytes_text(post_id),
                      .fingerprint = {fingerprint, sizeof fingerprint},
                      .status = outcome.status};
    pawl_entry entry = {.kind = PAWL_RECORD_ENDED, .status = outcome.status, .failed = failed};
    if (failed) {
        entry.failure = failure_of("", "");
        entry.failure.code = outcome.code.size > 0 ? outcome.code : pawl_bytes_text("cancelled");
        entry.failure.message = outcome.message;
        entry.failure.detail_json = outcome.detail_json;
    } else {
        entry.value = outcome.output;
    }
    return pawl_host_post(host, id, &body, &entry, NULL, error);
}
