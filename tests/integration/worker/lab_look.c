/* lab_look.c: processes seen from outside: posts, headers, journals in words, and the audit. */
#include "lab_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

/* ---- in ---- */

static void fingerprint_of(pawl_bytes content, uint8_t ret[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(content.size == 0 ? "" : content.data, content.size));
    memcpy(ret, canonical.digest, 16);
}

typedef struct registration {
    lab_worker *claims; /* NULL: nobody */
    const char *id, *type, *input;
    uint32_t revision;
    bool external;
} registration;

static pawl_status enlist(lab *own, const registration *wanted, bool *ret_claimed, pawl_error *error)
{
    lab_worker *w = wanted->claims;
    pawl_arena arena = {0};
    pawl_entry entry = {.kind = PAWL_RECORD_STARTED, .value = pawl_bytes_text(wanted->input)};
    pawl_register body = {.struct_size = sizeof body,
                          .external = wanted->external,
                          .id = pawl_bytes_text(wanted->id),
                          .type = pawl_bytes_text(wanted->type),
                          .revision = wanted->revision,
                          .plugin = pawl_bytes_text("lab"),
                          .claim_session = w == NULL ? 0 : pawl_worker_session(w->worker)};
    assert_int_equal(pawl_entry_encode(&arena, &entry, &body.input), PAWL_OK);
    uint8_t fingerprint[16];
    fingerprint_of(body.input, fingerprint);
    body.fingerprint = (pawl_bytes){fingerprint, sizeof fingerprint};
    pawl_registry_op op;
    pawl_status status = pawl_registry_call(own->outside, &op, PAWL_OP_REGISTER, &body, error);
    *ret_claimed = status == PAWL_OK && w != NULL && (op.flags & PAWL_RESULT_CLAIMED) != 0;
    if (*ret_claimed)
        pawl_worker_adopt(w->worker, op.number, op.token, (uint32_t)op.count, &body);
    pawl_arena_finish(&arena);
    return status;
}

static bool must_enlist(lab *own, const registration *wanted)
{
    bool claimed = false;
    pawl_error error = {0};
    if (enlist(own, wanted, &claimed, &error) != PAWL_OK)
        fail_msg("register %s: %s", wanted->id, error.message);
    return claimed;
}

pawl_status lab_try_register(lab *own, const char *id, const char *type, const char *input, bool external)
{
    bool claimed = false;
    pawl_error error = {0};
    return enlist(own, &(registration){NULL, id, type, input, 1, external}, &claimed, &error);
}

void lab_register_revision(lab *own, const char *id, const char *type, uint32_t revision, const char *input)
{
    (void)must_enlist(own, &(registration){NULL, id, type, input, revision, false});
}

bool lab_register_claimed(lab_worker *w, const char *id, const char *type, const char *input)
{
    return must_enlist(w->own, &(registration){w, id, type, input, 1, false});
}

void lab_register(lab *own, const char *id, const char *type, const char *input)
{
    lab_register_revision(own, id, type, 1, input);
}

static pawl_status post(lab *own, const char *id, const char *post_id, const pawl_entry *entry, uint32_t force)
{
    pawl_arena arena = {0};
    pawl_post body = {.struct_size = sizeof body,
                      .kind = entry->kind,
                      .id = pawl_bytes_text(id),
                      .post_id = pawl_bytes_text(post_id),
                      .status = entry->status,
                      .force = force};
    assert_int_equal(pawl_entry_encode(&arena, entry, &body.body), PAWL_OK);
    uint8_t fingerprint[16];
    fingerprint_of(body.body, fingerprint);
    body.fingerprint = (pawl_bytes){fingerprint, sizeof fingerprint};
    pawl_registry_op op;
    pawl_status status = pawl_registry_call(own->outside, &op, PAWL_OP_POST, &body, NULL);
    own->posted = status == PAWL_OK ? op.sequence : 0;
    pawl_arena_finish(&arena);
    return status;
}

pawl_status lab_signal(lab *own, const char *id, const char *post_id, const char *name, const char *payload)
{
    pawl_entry entry = {.kind = PAWL_RECORD_SIGNAL, .name = pawl_bytes_text(name), .value = pawl_bytes_text(payload)};
    return post(own, id, post_id, &entry, 0);
}

pawl_status lab_cancel(lab *own, const char *id, const char *reason)
{
    pawl_entry entry = {.kind = PAWL_RECORD_CANCEL, .value = pawl_bytes_text(reason)};
    char post_id[128];
    snprintf(post_id, sizeof post_id, "cancel:%s", reason);
    return post(own, id, post_id, &entry, 0);
}

pawl_status lab_terminate(lab *own, const char *id)
{
    pawl_entry entry = {.kind = PAWL_RECORD_ENDED, .status = PAWL_TERMINATED, .failed = true};
    entry.failure = (pawl_failure){.struct_size = sizeof entry.failure,
                                   .klass = PAWL_TERMINAL,
                                   .code = pawl_bytes_text("terminated"),
                                   .message = pawl_bytes_text("by the test")};
    return post(own, id, "terminate", &entry, 1);
}

pawl_status lab_finish(lab *own, const char *id, const char *post_id, const char *output)
{
    pawl_entry entry = {.kind = PAWL_RECORD_ENDED, .status = PAWL_COMPLETED, .value = pawl_bytes_text(output)};
    return post(own, id, post_id, &entry, 0);
}

uint64_t lab_posted(const lab *own)
{
    return own->posted;
}

pawl_status lab_resume(lab *own, const char *id)
{
    char post_id[64];
    snprintf(post_id, sizeof post_id, "resume:%llu", (unsigned long long)lab_look(own, id).head);
    pawl_entry entry = {.kind = PAWL_RECORD_RESUMED};
    return post(own, id, post_id, &entry, 0);
}

pawl_status lab_rewind(lab *own, const char *id, const char *post_id, uint64_t ordinal)
{
    pawl_entry entry = {.kind = PAWL_RECORD_REWOUND, .ordinal = ordinal};
    return post(own, id, post_id, &entry, 0);
}

pawl_status lab_prune(lab *own, uint64_t *removed)
{
    pawl_prune body = {
        .struct_size = sizeof body, .limit = 1000, .ended_before_unix_ns = lab_unix_ns(own) + PAWL_NS_PER_SECOND};
    pawl_registry_op op;
    pawl_status status = pawl_registry_call(&own->registry, &op, PAWL_OP_PRUNE, &body, NULL);
    *removed = op.count;
    return status;
}

/* ---- headers ---- */

static void copy_text(char *to, size_t room, pawl_bytes from)
{
    snprintf(to, room, "%.*s", (int)from.size, from.size == 0 ? "" : (const char *)from.data);
}

static void take_outcome(lab_row *ret, pawl_bytes outcome)
{
    pawl_record record = {.struct_size = sizeof record, .kind = PAWL_RECORD_ENDED, .sequence = 1, .body = outcome};
    pawl_entry entry;
    if (outcome.size == 0 || pawl_entry_decode(&record, &entry, NULL) != PAWL_OK)
        return;
    copy_text(ret->output, sizeof ret->output, entry.value);
    copy_text(ret->code, sizeof ret->code, entry.failure.code);
    copy_text(ret->message, sizeof ret->message, entry.failure.message);
}

static int32_t take_row(void *context, const pawl_process_row *row)
{
    lab_row *ret = context;
    *ret = (lab_row){.status = row->status,
                     .number = row->number,
                     .token = row->token,
                     .head = row->head,
                     .base = row->base,
                     .run = row->run,
                     .wake_unix_ns = row->wake_unix_ns,
                     .cancelled = row->cancelled != 0};
    copy_text(ret->reason_code, sizeof ret->reason_code, row->reason_code);
    copy_text(ret->reason, sizeof ret->reason, row->reason);
    copy_text(ret->worker, sizeof ret->worker, row->worker);
    copy_text(ret->document, sizeof ret->document, row->document);
    take_outcome(ret, row->outcome);
    return 0;
}

lab_row lab_look(lab *own, const char *id)
{
    lab_row row = {0};
    if (own->registry.table.get(own->registry.store, pawl_bytes_text(id), take_row, &row, NULL) != PAWL_OK)
        fail_msg("there is no process %s", id);
    return row;
}

lab_row lab_wait_status(lab *own, const char *id, uint32_t status)
{
    uint64_t until = lab_mono_ns() + LAB_PATIENCE_NS;
    for (;;) {
        lab_row row = lab_look(own, id);
        if (row.status == status)
            return row;
        if (lab_mono_ns() > until || PAWL_IS_TERMINAL(row.status))
            fail_msg("%s is %u (%s %s %s), wanted %u: %s\n%s", id, row.status, row.reason_code, row.reason, row.message,
                     status, lab_journal(own, id), lab_log_text(own));
        lab_nap();
    }
}

lab_row lab_wait_end(lab *own, const char *id)
{
    uint64_t until = lab_mono_ns() + LAB_PATIENCE_NS;
    for (;;) {
        lab_row row = lab_look(own, id);
        if (PAWL_IS_TERMINAL(row.status))
            return row;
        if (lab_mono_ns() > until)
            fail_msg("%s does not end: it is %u (%s %s): %s\n%s", id, row.status, row.reason_code, row.reason,
                     lab_journal(own, id), lab_log_text(own));
        lab_nap();
    }
}

uint64_t lab_count(lab *own, uint32_t status)
{
    uint64_t counts[32] = {0};
    assert_int_equal(own->registry.table.count(own->registry.store, counts, 32, NULL), PAWL_OK);
    return counts[status];
}

/* ---- journals ---- */

typedef struct text {
    char *at;
    size_t room;
} text;

static void say(text *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(text *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int used = vsnprintf(to->at, to->room, format, args);
    va_end(args);
    if (used > 0 && (size_t)used < to->room) {
        to->at += used;
        to->room -= (size_t)used;
    }
}

#define TEXT(bytes) (int)((bytes).size < 60 ? (bytes).size : 60), (const char *)(bytes).data

static void say_value(text *to, const pawl_entry *e)
{
    if (e->failed)
        say(to, "! %.*s)", TEXT(e->failure.code));
    else
        say(to, "= %.*s)", TEXT(e->value));
}

static int32_t say_record(void *context, const pawl_record *record)
{
    text *to = context;
    pawl_entry e;
    if (pawl_entry_decode(record, &e, NULL) != PAWL_OK) {
        say(to, " damaged");
        return 0;
    }
    unsigned long long ordinal = (unsigned long long)e.ordinal;
    say(to, "%s%s", record->kind == PAWL_RECORD_STARTED ? "" : " ", pawl_record_name(e.kind));
    switch (e.kind) {
    case PAWL_RECORD_STEP:
    case PAWL_RECORD_ATTEMPT:
        say(to, "(%llu %.*s #%u ", ordinal, TEXT(e.name), e.attempt);
        say_value(to, &e);
        break;
    case PAWL_RECORD_INTENT:
    case PAWL_RECORD_DEADLINE:
        say(to, "(%llu %.*s #%u)", ordinal, TEXT(e.name), e.attempt);
        break;
    case PAWL_RECORD_TIMER:
    case PAWL_RECORD_FIRED:
    case PAWL_RECORD_NOW:
        say(to, "(%llu)", ordinal);
        break;
    case PAWL_RECORD_SIGNAL:
        say(to, "(%.*s ", TEXT(e.name));
        say_value(to, &e);
        break;
    case PAWL_RECORD_CHILD:
        say(to, "(%llu %u ", ordinal, e.status);
        say_value(to, &e);
        break;
    case PAWL_RECORD_ENDED:
        say(to, "(%u ", e.status);
        say_value(to, &e);
        break;
    case PAWL_RECORD_PARKED:
        say(to, "(%.*s)", TEXT(e.failure.code));
        break;
    default:
        break;
    }
    return 0;
}

const char *lab_journal(lab *own, const char *id)
{
    text to = {own->journal_text, sizeof own->journal_text};
    own->journal_text[0] = '\0';
    lab_row row = lab_look(own, id);
    (void)own->registry.table.journal(own->registry.store, row.number, 1, 0, say_record, &to, NULL);
    return own->journal_text;
}

typedef struct counting {
    uint32_t kind, count;
} counting;

static int32_t count_record(void *context, const pawl_record *record)
{
    counting *own = context;
    own->count += record->kind == own->kind;
    return 0;
}

uint32_t lab_records(lab *own, const char *id, uint32_t kind)
{
    counting count = {kind, 0};
    lab_row row = lab_look(own, id);
    assert_int_equal(own->registry.table.journal(own->registry.store, row.number, 1, 0, count_record, &count, NULL),
                     PAWL_OK);
    return count.count;
}
