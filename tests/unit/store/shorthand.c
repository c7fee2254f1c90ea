/* shorthand.c: the operations of a test in one line each; see fixture.h. */
#include "fixture.h"

#include "plugins/store/facets.h"

#include <stdlib.h>

static void copy(char *to, size_t size, pawl_bytes from)
{
    size_t used = from.size < size - 1 ? from.size : size - 1;
    if (used > 0)
        memcpy(to, from.data, used);
    to[used] = '\0';
}

pawl_status do_register(fixture *f, const char *id, const char *type, uint64_t *number)
{
    pawl_register request = {.struct_size = sizeof request,
                             .id = pawl_bytes_of(id),
                             .type = pawl_bytes_of(type),
                             .revision = 1,
                             .input = BYTES("input"),
                             .fingerprint = fingerprint_1};
    pawl_registry_op op = {.kind = PAWL_OP_REGISTER, .request = &request};
    pawl_status status = fixture_run(f, &op);
    if (number != NULL)
        *number = op.number;
    return status;
}

pawl_status do_post(fixture *f, const char *id, uint32_t kind, const char *post_id, uint64_t *sequence, uint32_t *flags)
{
    pawl_post request = {.struct_size = sizeof request,
                         .kind = kind,
                         .id = pawl_bytes_of(id),
                         .post_id = pawl_bytes_of(post_id),
                         .fingerprint = fingerprint_1,
                         .body = BYTES("posted")};
    pawl_registry_op op = {.kind = PAWL_OP_POST, .request = &request};
    pawl_status status = fixture_run(f, &op);
    if (sequence != NULL)
        *sequence = op.sequence;
    if (flags != NULL)
        *flags = op.flags;
    return status;
}

pawl_status do_end(fixture *f, const char *id, const char *post_id, uint32_t status, uint32_t force)
{
    pawl_post request = {.struct_size = sizeof request,
                         .kind = PAWL_RECORD_ENDED,
                         .id = pawl_bytes_of(id),
                         .post_id = pawl_bytes_of(post_id),
                         .fingerprint = fingerprint_1,
                         .body = BYTES("ended"),
                         .status = status,
                         .force = force};
    pawl_registry_op op = {.kind = PAWL_OP_POST, .request = &request};
    return fixture_run(f, &op);
}

pawl_status do_append(fixture *f, const row *lease, const char *body, uint64_t *sequence)
{
    pawl_record record = {.struct_size = sizeof record, .kind = 1, .body = pawl_bytes_of(body)};
    pawl_commit request = {.struct_size = sizeof request,
                           .number = lease->number,
                           .token = lease->token,
                           .records = &record,
                           .record_count = 1,
                           .record_size = sizeof record};
    pawl_registry_op op = {.kind = PAWL_OP_APPEND, .request = &request};
    pawl_status status = fixture_run(f, &op);
    if (sequence != NULL)
        *sequence = op.sequence;
    return status;
}

pawl_status do_suspend(fixture *f, const row *lease, uint64_t seen, uint64_t wake, uint32_t *flags)
{
    pawl_commit request = {.struct_size = sizeof request,
                           .number = lease->number,
                           .token = lease->token,
                           .seen = seen,
                           .wake_unix_ns = wake,
                           .reason = BYTES("a bell")};
    pawl_registry_op op = {.kind = PAWL_OP_SUSPEND, .request = &request};
    pawl_status status = fixture_run(f, &op);
    if (flags != NULL)
        *flags = op.flags;
    return status;
}

pawl_status do_complete(fixture *f, const row *lease, uint64_t seen, uint32_t end, uint32_t *flags)
{
    pawl_record record = {.struct_size = sizeof record, .kind = PAWL_RECORD_ENDED, .body = BYTES("done")};
    pawl_commit request = {.struct_size = sizeof request,
                           .status = end,
                           .number = lease->number,
                           .token = lease->token,
                           .seen = seen,
                           .records = &record,
                           .record_count = 1,
                           .record_size = sizeof record};
    pawl_registry_op op = {.kind = PAWL_OP_COMPLETE, .request = &request};
    pawl_status status = fixture_run(f, &op);
    if (flags != NULL)
        *flags = op.flags;
    return status;
}

pawl_status do_park(fixture *f, const row *lease, uint64_t seen)
{
    pawl_record record = {.struct_size = sizeof record, .kind = PAWL_RECORD_PARKED, .body = BYTES("why")};
    pawl_commit request = {.struct_size = sizeof request,
                           .number = lease->number,
                           .token = lease->token,
                           .seen = seen,
                           .records = &record,
                           .record_count = 1,
                           .record_size = sizeof record,
                           .reason_code = BYTES("test.stuck"),
                           .reason = BYTES("no way on")};
    pawl_registry_op op = {.kind = PAWL_OP_PARK, .request = &request};
    return fixture_run(f, &op);
}

uint64_t do_prune(fixture *f, uint64_t before, uint32_t limit)
{
    pawl_prune request = {.struct_size = sizeof request, .limit = limit, .ended_before_unix_ns = before};
    pawl_registry_op op = {.kind = PAWL_OP_PRUNE, .request = &request};
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
    return op.count;
}

uint64_t do_worker(fixture *f, const char *name, uint64_t ttl_ns, void *listener)
{
    uint64_t session = 0;
    assert_int_equal(
        pawl_store_registry_table.worker_open(f->store, pawl_bytes_of(name), ttl_ns, listener, &session, NULL),
        PAWL_OK);
    return session;
}

static void take_row(row *to, const pawl_process_row *from)
{
    *to = (row){.status = from->status,
                .number = from->number,
                .head = from->head,
                .journal_bytes = from->journal_bytes,
                .token = from->token,
                .wake_unix_ns = from->wake_unix_ns,
                .claims = from->claims,
                .lease_left_ns = from->lease_left_ns,
                .cancelled = from->cancelled};
    copy(to->id, sizeof to->id, from->id);
    copy(to->type, sizeof to->type, from->type);
    copy(to->worker, sizeof to->worker, from->worker);
    copy(to->reason, sizeof to->reason, from->reason);
    copy(to->reason_code, sizeof to->reason_code, from->reason_code);
    copy(to->outcome, sizeof to->outcome, from->outcome);
    copy(to->document, sizeof to->document, from->document);
}

typedef struct rows {
    row *at;
    size_t count;
} rows;

static int32_t visit_row(void *context, const pawl_process_row *from)
{
    rows *to = context;
    take_row(&to->at[to->count++], from);
    return 0;
}

size_t do_claim(fixture *f, uint64_t session, const char *type, row *got, uint32_t limit)
{
    pawl_bytes name = pawl_bytes_of(type);
    rows to = {got, 0};
    pawl_claim claim = {.struct_size = sizeof claim,
                        .limit = limit,
                        .session = session,
                        .types = &name,
                        .type_count = 1,
                        .type_size = sizeof name};
    assert_int_equal(pawl_store_registry_table.claim(f->store, &claim, visit_row, &to, NULL), PAWL_OK);
    return to.count;
}

pawl_status do_claim_id(fixture *f, uint64_t session, const char *id, row *got, failure *why)
{
    rows to = {got, 0};
    pawl_claim claim = {.struct_size = sizeof claim, .limit = 1, .session = session, .id = pawl_bytes_of(id)};
    return pawl_store_registry_table.claim(f->store, &claim, visit_row, &to, (pawl_failure_sink *)(void *)why);
}

pawl_status do_get(fixture *f, const char *id, row *got, failure *why)
{
    row unused;
    rows to = {got == NULL ? &unused : got, 0};
    return pawl_store_registry_table.get(f->store, pawl_bytes_of(id), visit_row, &to, (pawl_failure_sink *)(void *)why);
}

static int32_t count_record(void *context, const pawl_record *record)
{
    uint64_t *length = context;
    assert_int_equal(record->sequence, ++*length);
    return 0;
}

uint64_t do_journal_length(fixture *f, uint64_t number)
{
    uint64_t length = 0;
    assert_int_equal(pawl_store_registry_table.journal(f->store, number, 1, 0, count_record, &length, NULL), PAWL_OK);
    return length;
}

void assert_counts(fixture *f, uint64_t ready, uint64_t running, uint64_t waiting, uint64_t stuck, uint64_t ended)
{
    uint64_t counts[32];
    assert_int_equal(pawl_store_registry_table.count(f->store, counts, 32, NULL), PAWL_OK);
    assert_int_equal(counts[PAWL_READY], ready);
    assert_int_equal(counts[PAWL_RUNNING], running);
    assert_int_equal(counts[PAWL_WAITING], waiting);
    assert_int_equal(counts[PAWL_STUCK], stuck);
    assert_int_equal(counts[PAWL_COMPLETED] + counts[PAWL_FAILED] + counts[PAWL_CANCELLED] + counts[PAWL_TERMINATED],
                     ended);
}
