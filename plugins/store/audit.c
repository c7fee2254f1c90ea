/* audit.c: see audit.h. How problems are told and mended, what stands in the meta family, and the order of the walks:
 * first what is primary, so that what leads to it is judged by what is really there. */
#include "audit.h"

#include "meta.h"

#include <stdio.h>
#include <stdlib.h>

#define PROGRESS_ROWS 50000u

/* ---- telling ---- */

static pawl_bytes text(const char *words)
{
    return words == NULL ? (pawl_bytes){NULL, 0} : pawl_bytes_of(words);
}

static void tell(pawl_audit *audit, uint32_t kind, const pawl_audit_place *place, const char *found, const char *wanted,
                 const char *advice)
{
    const pawl_care_finding finding = {
        .struct_size = sizeof finding,
        .kind = kind,
        .place = text(pawl_family_name(place->family)),
        .key = place->key,
        .process = place->process,
        .number = place->number,
        .found = text(found),
        .wanted = text(wanted),
        .advice = text(advice),
        .rows = audit->rows,
    };
    if (audit->visit != NULL && audit->visit(audit->context, &finding) != 0)
        audit->stopped = true;
}

bool pawl_store_audit_row(pawl_audit *audit, pawl_family family)
{
    audit->rows++;
    if (audit->rows % PROGRESS_ROWS == 0)
        tell(audit, PAWL_FINDING_PROGRESS, &(pawl_audit_place){.family = family}, NULL, NULL, NULL);
    return !audit->stopped;
}

void pawl_store_audit_primary(pawl_audit *audit, const pawl_audit_place *place, const char *found, const char *wanted,
                              const char *advice)
{
    audit->problems++;
    tell(audit, PAWL_FINDING_PRIMARY, place, found, wanted, advice);
}

static pawl_status stopped(pawl_fault *fault)
{
    return pawl_fault_set(fault, PAWL_E_CANCELLED, "store.stopped", "the check was stopped before its end");
}

pawl_status pawl_store_audit_derived(pawl_audit *audit, const pawl_audit_place *place, const char *found,
                                     const char *wanted, pawl_fault *fault)
{
    pawl_status status = PAWL_OK;
    audit->problems++;
    audit->repairable++;
    if (audit->repair)
        status = pawl_kv_write(audit->kv, &audit->fix, false, fault); /* flushed at the end, and in this order */
    if (status == PAWL_OK) {
        audit->repaired += audit->repair;
        tell(audit, audit->repair ? PAWL_FINDING_REPAIRED : PAWL_FINDING_DERIVED, place, found, wanted, NULL);
    }
    pawl_batch_clear(&audit->fix);
    return status == PAWL_OK && audit->stopped ? stopped(fault) : status;
}

void pawl_store_audit_unreadable(pawl_audit *audit, const pawl_audit_place *place, const pawl_fault *fault,
                                 const char *advice)
{
    char words[640];
    snprintf(words, sizeof words, "%.600s", fault->message);
    const char *row = strstr(words, "\": "); /* of what pawl_row_bad says, what place does not say already */
    char *end = row == NULL ? NULL : strstr(row, "; restore");
    if (end != NULL)
        *end = '\0';
    pawl_store_audit_primary(audit, place, end == NULL ? words : row + 3, "a row as it was written", advice);
}

void pawl_store_audit_walked(pawl_audit *audit, pawl_family family, pawl_kv_cursor *cursor)
{
    pawl_fault fault = {0};
    if (audit->stopped || pawl_kv_cursor_status(cursor, &fault) == PAWL_OK)
        return;
    audit->incomplete = true;
    pawl_store_audit_primary(audit, &(pawl_audit_place){.family = family}, fault.message,
                             "rows to the end; those behind were not looked at", PAWL_AUDIT_RESTORE);
}

void pawl_store_audit_ticket(pawl_audit *audit, uint64_t ticket)
{
    if (ticket > audit->largest_ticket)
        audit->largest_ticket = ticket;
}

/* ---- meta ---- */

/* By a function of its own, because it can be rebuilt or needs words of its own. */
static bool is_judged_apart(pawl_bytes key)
{
    static const char *const names[] = {STORE_META_FORMAT, STORE_META_EPOCH, STORE_META_COUNTERS};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (pawl_bytes_equal(key, pawl_bytes_of(names[i])))
            return true;
    return false;
}

/* Only what does not need the other families; those come before counters and epoch are judged. */
static pawl_status check_types(pawl_audit *audit, pawl_fault *fault)
{
    const pawl_bytes none = {NULL, 0};
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(audit->kv, PAWL_FAMILY_META, none, none);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    for (pawl_kv_cursor_seek(cursor, none); cursor->valid && pawl_store_audit_row(audit, PAWL_FAMILY_META);
         pawl_kv_cursor_next(cursor)) {
        const pawl_audit_place place = {.family = PAWL_FAMILY_META, .key = cursor->key};
        pawl_reader row;
        pawl_reader key = pawl_reader_of(cursor->key);
        pawl_fault bad = {0};
        if (is_judged_apart(cursor->key))
            continue;
        if (pawl_row_open(&row, PAWL_FAMILY_META, cursor->key, cursor->value, &bad) != PAWL_OK)
            pawl_store_audit_unreadable(audit, &place, &bad, PAWL_AUDIT_RESTORE);
        if (!pawl_bytes_start_with(cursor->key, pawl_bytes_of(STORE_META_TYPE)))
            continue;
        key.at += strlen(STORE_META_TYPE);
        uint32_t id = pawl_reader_u32(&key);
        if (id != audit->type_count || key.bad || key.at != key.end) {
            pawl_store_audit_primary(audit, &place, "a gap in the numbers of process types", "a name for each",
                                     PAWL_AUDIT_RESTORE);
        }
        audit->type_count = id + 1 > audit->type_count ? id + 1 : audit->type_count;
    }
    pawl_store_audit_walked(audit, PAWL_FAMILY_META, cursor);
    pawl_kv_cursor_close(cursor);
    return PAWL_OK;
}

static pawl_status check_format(pawl_audit *audit, pawl_fault *fault)
{
    uint64_t format = 0;
    pawl_fault bad = {0};
    pawl_status status = pawl_store_meta_number(audit->kv, STORE_META_FORMAT, &format, &bad);
    const pawl_audit_place place = {.family = PAWL_FAMILY_META, .key = pawl_bytes_of(STORE_META_FORMAT)};
    if (status == PAWL_OK && format > STORE_FORMAT) {
        return pawl_fault_set(fault, PAWL_E_UNSUPPORTED, "store.format_newer",
                              "the store has format %llu; this version knows formats up to %u: use the newer version",
                              (unsigned long long)format, STORE_FORMAT);
    }
    if (status == PAWL_E_NOT_FOUND)
        pawl_store_audit_primary(audit, &place, "no row", "the format of the store", PAWL_AUDIT_RESTORE);
    else if (status != PAWL_OK)
        pawl_store_audit_unreadable(audit, &place, &bad, PAWL_AUDIT_RESTORE);
    return PAWL_OK;
}

/* The epoch must lie at or above that of every number given out under it. */
static pawl_status check_epoch(pawl_audit *audit, pawl_fault *fault)
{
    char found[96];
    char wanted[96];
    uint64_t epoch = 0;
    uint64_t seen = audit->largest_ticket >> 32;
    pawl_fault bad = {0};
    pawl_status status = pawl_store_meta_number(audit->kv, STORE_META_EPOCH, &epoch, &bad);
    if (status == PAWL_OK && epoch >= seen && epoch <= UINT32_MAX)
        return PAWL_OK;
    const pawl_audit_place place = {.family = PAWL_FAMILY_META, .key = pawl_bytes_of(STORE_META_EPOCH)};
    uint64_t next = seen + PAWL_STORE_EPOCH_JUMP;
    if (next > UINT32_MAX)
        next = seen;
    pawl_store_meta_put_number(&audit->fix, STORE_META_EPOCH, next);
    snprintf(wanted, sizeof wanted, "an epoch of at least %llu, the largest in any row", (unsigned long long)seen);
    if (status == PAWL_OK)
        snprintf(found, sizeof found, "epoch %llu", (unsigned long long)epoch);
    else
        snprintf(found, sizeof found, "%s", status == PAWL_E_NOT_FOUND ? "no row" : "a row that cannot be read");
    return pawl_store_audit_derived(audit, &place, found, wanted, fault);
}

static void say_counters(char *words, size_t size, uint64_t next_number, const uint64_t *counts)
{
    size_t used = (size_t)snprintf(words, size, "next number %llu, by status", (unsigned long long)next_number);
    for (size_t i = 0; i < STORE_STATUS_COUNT && used < size; i++)
        if (counts[i] > 0)
            used += (size_t)snprintf(words + used, size - used, " %zu:%llu", i, (unsigned long long)counts[i]);
}

static pawl_status check_counters(pawl_audit *audit, pawl_fault *fault)
{
    char found[512] = "no row";
    char wanted[512];
    uint64_t next_number = 1;
    uint64_t counts[STORE_STATUS_COUNT] = {0};
    pawl_fault bad = {0};
    pawl_status status = pawl_store_meta_counters(audit->kv, &next_number, counts, &bad);
    bool right = memcmp(counts, audit->counts, sizeof counts) == 0 && next_number > audit->largest_number;
    if ((status == PAWL_OK || (status == PAWL_E_NOT_FOUND && audit->largest_number == 0)) && right)
        return PAWL_OK;
    if (status == PAWL_OK)
        say_counters(found, sizeof found, next_number, counts);
    else if (status != PAWL_E_NOT_FOUND)
        snprintf(found, sizeof found, "a row that cannot be read");
    if (status != PAWL_OK || next_number <= audit->largest_number)
        next_number = audit->largest_number + 1;
    say_counters(wanted, sizeof wanted, next_number, audit->counts);
    pawl_store_meta_put_counters(&audit->fix, next_number, audit->counts);
    const pawl_audit_place place = {.family = PAWL_FAMILY_META, .key = pawl_bytes_of(STORE_META_COUNTERS)};
    return pawl_store_audit_derived(audit, &place, found, wanted, fault);
}

/* ---- all of it ---- */

/* What was written goes to the device. */
static pawl_status flush(pawl_audit *audit, pawl_fault *fault)
{
    if (audit->repaired == 0)
        return PAWL_OK;
    pawl_batch_delete(&audit->fix, PAWL_FAMILY_META,
                      pawl_bytes_of("flush")); /* never there: flushes what came before */
    pawl_status status = pawl_kv_write(audit->kv, &audit->fix, true, fault);
    pawl_batch_clear(&audit->fix);
    return status;
}

pawl_status pawl_store_audit_run(pawl_audit *audit, pawl_fault *fault)
{
    static pawl_status (*const walks[])(pawl_audit *, pawl_fault *) = {
        check_format,
        check_types,
        pawl_store_audit_processes,
        pawl_store_audit_indexes,
        pawl_store_audit_sessions,
        pawl_store_audit_handles,
        pawl_store_audit_inboxes,
        pawl_store_audit_attachments,
        pawl_store_audit_artifacts,
    };
    pawl_status status = PAWL_OK;
    for (size_t i = 0; i < sizeof walks / sizeof *walks && status == PAWL_OK && !audit->stopped; i++)
        status = walks[i](audit, fault);
    if (status == PAWL_OK && !audit->stopped && !audit->incomplete)
        status = check_epoch(audit, fault);
    if (status == PAWL_OK && !audit->stopped && !audit->incomplete)
        status = check_counters(audit, fault);
    if (status == PAWL_OK)
        status = flush(audit, fault);
    if (status == PAWL_OK && audit->stopped)
        return stopped(fault);
    return status;
}

void pawl_store_audit_finish(pawl_audit *audit)
{
    pawl_batch_finish(&audit->fix);
    pawl_buffer_finish(&audit->header);
    pawl_buffer_finish(&audit->scratch);
}

json_t *pawl_store_audit_facts(const pawl_audit *audit)
{
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"rows", audit->rows},
        {"processes", audit->processes},
        {"sessions", audit->sessions},
        {"queue_items", audit->queue_items},
        {"attachments", audit->attachments},
        {"artifacts", audit->artifacts},
        {"abandoned_uploads", audit->abandoned_uploads},
        {"loose_attachments", audit->loose_attachments},
        {"leftover_chunks", audit->leftover_chunks},
        {"problems", audit->problems},
        {"repairable", audit->repairable},
        {"repaired", audit->repaired},
    };
    json_t *facts = json_object();
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        json_object_set_new(facts, numbers[i].name, json_integer((json_int_t)numbers[i].value));
    json_object_set_new(facts, "complete", json_boolean(!audit->incomplete));
    return facts;
}
