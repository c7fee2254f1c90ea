/* restart.c: doing the steps of a process again from one on. Reads its journal to say what can be done; that it is
 * done is one record, appended like whatever else comes from outside. Never changes or removes a record. */
#include "host/host_internal.h"

#include "host/operation/fingerprint.h"
#include "worker/base/sink.h"
#include "worker/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REASON_BYTES_MAX  4096u
#define POST_ID_BYTES_MAX 256u

/* What a journal says of the steps that can be done again. */
typedef struct steps {
    uint64_t last;         /* the largest ordinal; 0: none */
    uint64_t failed;       /* of the call that failed last; 0: none */
    uint64_t after_cancel; /* the smallest with a record behind the cancel request; 0: none */
    bool cancelled;
    pawl_status status;
    pawl_error *error;
} steps;

static bool is_command(uint32_t kind)
{
    return kind < PAWL_RECORD_STARTED;
}

static void take_command(steps *known, const pawl_entry *entry)
{
    if (entry->ordinal == 0)
        return; /* of the program, not of a step of it */
    if (entry->ordinal > known->last)
        known->last = entry->ordinal;
    if (entry->kind == PAWL_RECORD_STEP && entry->failed)
        known->failed = entry->ordinal;
    if (known->cancelled && (known->after_cancel == 0 || entry->ordinal < known->after_cancel))
        known->after_cancel = entry->ordinal;
}

static int32_t PAWL_CALL take_record(void *context, const pawl_record *given)
{
    steps *known = context;
    pawl_record record = {0};
    pawl_entry entry;
    memcpy(&record, given, given->struct_size < sizeof record ? given->struct_size : sizeof record);
    known->status = pawl_entry_decode(&record, &entry, known->error);
    if (known->status != PAWL_OK)
        return 1;
    if (is_command(entry.kind)) {
        take_command(known, &entry);
    } else if (entry.kind == PAWL_RECORD_CANCEL) {
        known->cancelled = true;
    } else if (entry.kind == PAWL_RECORD_REWOUND) { /* nothing before it, from its step on, counts */
        known->last = known->last >= entry.ordinal ? entry.ordinal - 1 : known->last;
        known->failed = known->failed >= entry.ordinal ? 0 : known->failed;
        known->cancelled = false;
        known->after_cancel = 0;
    }
    return 0;
}

static pawl_status read_steps(pawl_host *host, const pawl_process_row *row, steps *known, pawl_error *error)
{
    pawl_failure_slot why;
    pawl_failure_init(&why);
    known->error = error;
    pawl_status status =
        host->registry.table.journal(host->registry.store, row->number, row->base, 0, take_record, known, &why);
    if (status != PAWL_OK)
        (void)pawl_failure_error(&why, status, error);
    pawl_failure_finish(&why);
    return status == PAWL_OK ? known->status : status;
}

/* The ordinal that is meant, if it can be done. */
static pawl_status choose(const char *id, const steps *known, uint64_t wanted, uint64_t *ret, pawl_error *error)
{
    uint64_t step = wanted == PAWL_RESTART_FROM_FAILURE ? known->failed
                    : wanted == PAWL_RESTART_AT_END     ? known->last + 1
                                                        : wanted;
    if (step == 0)
        return pawl_error_set(error, PAWL_E_INVALID, "no_failed_step",
                              "no call of process \"%s\" has failed; say from which of its %" PRIu64
                              " steps it is to be done again, or from the start",
                              id, known->last);
    if (step > known->last + 1)
        return pawl_error_set(error, PAWL_E_INVALID, "no_such_step",
                              "process \"%s\" has come to step %" PRIu64 "; it cannot be done again from step %" PRIu64,
                              id, known->last, step);
    *ret = step;
    return PAWL_OK;
}

static pawl_status check(pawl_host *host, const char *id, const char *reason, const char *request_id, pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK)
        status = pawl_check_id(id, error);
    if (status == PAWL_OK && reason != NULL && reason[0] != '\0')
        status = pawl_check_text("reason", reason, REASON_BYTES_MAX, error);
    if (status == PAWL_OK && request_id != NULL)
        status = pawl_check_text("request id", request_id, POST_ID_BYTES_MAX, error);
    return status;
}

/* What came behind a cancel request belongs to the way of stopping. Where some of that stays, so does the request:
 * without it the program would not go that way. */
static bool keeps_cancel(const steps *known, uint64_t step)
{
    return known->after_cancel != 0 && step > known->after_cancel;
}

static pawl_status find_step(pawl_host *host, const char *id, uint64_t wanted, pawl_entry *ret, uint64_t *ret_head,
                             pawl_error *error)
{
    pawl_arena arena = {0};
    pawl_process_row row;
    steps known = {0};
    pawl_host_entered(host);
    pawl_status status = pawl_host_row(host, id, &arena, &row, error);
    if (status == PAWL_OK && row.external != 0)
        status = pawl_error_set(error, PAWL_E_INVALID, "external",
                                "process \"%s\" is external: it has no steps here that could be done again", id);
    if (status == PAWL_OK)
        status = read_steps(host, &row, &known, error);
    if (status == PAWL_OK)
        status = choose(id, &known, wanted, &ret->ordinal, error);
    ret->status = status == PAWL_OK && keeps_cancel(&known, ret->ordinal);
    *ret_head = status == PAWL_OK ? row.head : 0;
    pawl_host_left(host);
    pawl_arena_finish(&arena);
    return status;
}

pawl_status pawl_host_restart(pawl_host *host, const char *id, uint64_t wanted, const char *reason,
                              const char *request_id, uint32_t *ret_replayed, pawl_error *error)
{
    pawl_entry entry = {.kind = PAWL_RECORD_REWOUND, .value = pawl_bytes_text(reason == NULL ? "" : reason)};
    uint64_t head = 0;
    char step_text[24];
    char own_id[64];
    uint8_t fingerprint[PAWL_FINGERPRINT_SIZE];
    pawl_status status = check(host, id, reason, request_id, error);
    if (status != PAWL_OK)
        return status;
    /* What was wished, not what it came to: said again, it may come to something else by then. */
    snprintf(step_text, sizeof step_text, "%" PRIu64, wanted);
    const pawl_bytes parts[] = {pawl_bytes_text(step_text)};
    status = pawl_fingerprint("restart", parts, 1, pawl_bytes_text(reason == NULL ? "" : reason), fingerprint, error);
    if (status == PAWL_OK)
        status = find_step(host, id, wanted, &entry, &head, error);
    if (status != PAWL_OK)
        return status;
    /* Two operators who restart it at once do it once: the id is that of the place where it stands. */
    snprintf(own_id, sizeof own_id, "restart:%" PRIu64 ":%" PRIu64, head, entry.ordinal);
    pawl_post body = {.post_id = pawl_bytes_text(request_id == NULL ? own_id : request_id),
                      .fingerprint = {fingerprint, sizeof fingerprint},
                      .force = entry.status};
    return pawl_host_post(host, id, &body, &entry, ret_replayed, error);
}
