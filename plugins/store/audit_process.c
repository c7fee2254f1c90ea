/* audit_process.c: headers, journals, posts and documents. All four are sorted by process number, so they are walked
 * side by side: what has a header is checked with it, what has none is an orphan. Nothing here is changed by a repair
 * but posts and documents of processes that are gone for good. */
#include "attribute.h"
#include "audit.h"

#include <stdio.h>

#define ADVICE_JOURNAL                                                                                                 \
    "terminate this process (pawl terminate ID) and start what it did not do anew, or restore a backup"

enum { HEADER, JOURNAL, POST, DOCUMENT, CURSORS };

typedef struct process_scan {
    pawl_audit *audit;
    pawl_kv_cursor *at[CURSORS];
    pawl_store_header header; /* of the process at hand; its bytes are the cursor's */
    uint64_t number;
    bool has_header; /* there is a row */
    bool readable;   /* and it could be read */
    pawl_fault *fault;
} process_scan;

/* Kinds of records that are posted, each with its id. */
static const struct {
    uint32_t kind;
    const char *name;
} posted_kinds[] = {{PAWL_RECORD_SIGNAL, "signals"},           {PAWL_RECORD_CANCEL, "cancel requests"},
                    {PAWL_RECORD_RESUMED, "resumptions"},      {PAWL_RECORD_PAUSED, "pauses"},
                    {PAWL_RECORD_CONTINUED, "ends of pauses"}, {PAWL_RECORD_EVENT, "events"}};
#define POSTED_KINDS  (sizeof posted_kinds / sizeof *posted_kinds)
#define CANCEL_POSTED 1u

/* What was read of one journal. */
typedef struct journal_facts {
    uint64_t records;
    uint64_t base; /* sequence of the first; 0: whatever it is */
    uint64_t next; /* sequence; 0: any */
    uint64_t bytes;
    uint64_t last_posted;
    uint32_t last_kind;
    bool compensating;             /* it has a record of that kind */
    uint64_t posted[POSTED_KINDS]; /* by posted_kinds */
    uint64_t paused;               /* sequence of the PAUSED record that counts; 0: none */
    uint64_t children;             /* records of kind CHILD */
    uint64_t cancels;              /* that surely count: behind the last rewind */
    uint64_t rewinds;
    bool broken; /* told already */
} journal_facts;

static const pawl_family families[CURSORS] = {PAWL_FAMILY_PROCESS, PAWL_FAMILY_JOURNAL, PAWL_FAMILY_POST,
                                              PAWL_FAMILY_DOCUMENT};

static pawl_audit_place place_of(const process_scan *scan, int which)
{
    pawl_audit_place place = {.family = families[which], .number = scan->number};
    if (scan->at[which]->valid)
        place.key = scan->at[which]->key;
    if (scan->readable)
        place.process = scan->header.identity.id;
    return place;
}

static uint64_t number_at(const pawl_kv_cursor *cursor)
{
    pawl_reader key = pawl_reader_of(cursor->key);
    return pawl_reader_u64(&key);
}

static bool here(const process_scan *scan, int which)
{
    return scan->at[which]->valid && number_at(scan->at[which]) == scan->number && !scan->audit->stopped;
}

static void step(process_scan *scan, int which)
{
    pawl_kv_cursor_next(scan->at[which]);
    (void)pawl_store_audit_row(scan->audit, families[which]);
}

/* Its place in posted_kinds; POSTED_KINDS: it is not one of them. */
static size_t posted_kind(uint32_t kind)
{
    size_t at = 0;
    while (at < POSTED_KINDS && posted_kinds[at].kind != kind)
        at++;
    return at;
}

/* ---- journals ---- */

/* One difference in a journal is told; those that follow from it are not. */
static void journal_problem(process_scan *scan, journal_facts *facts, const char *found, const char *wanted)
{
    pawl_audit_place place = place_of(scan, JOURNAL);
    if (!facts->broken)
        pawl_store_audit_primary(scan->audit, &place, found, wanted, ADVICE_JOURNAL);
    facts->broken = true;
}

static void check_fields(process_scan *scan, journal_facts *facts, const pawl_store_record *record)
{
    char found[160];
    char wanted[160];
    uint64_t bytes = facts->bytes + record->body.size;
    if ((record->sequence == facts->base) != (record->kind == PAWL_RECORD_STARTED)) {
        snprintf(found, sizeof found, "record %llu of kind %u", (unsigned long long)record->sequence, record->kind);
        journal_problem(scan, facts, found, "the kind started (64) as the first record, and only there");
    } else if (facts->last_kind == PAWL_RECORD_ENDED && record->kind != PAWL_RECORD_REWOUND) {
        snprintf(found, sizeof found, "record %llu behind the end", (unsigned long long)record->sequence);
        journal_problem(scan, facts, found, "nothing but a rewind (76) behind a record of kind ended (68)");
    } else if (record->journal_bytes != bytes) {
        snprintf(found, sizeof found, "%llu bytes up to record %llu", (unsigned long long)record->journal_bytes,
                 (unsigned long long)record->sequence);
        snprintf(wanted, sizeof wanted, "%llu", (unsigned long long)bytes);
        journal_problem(scan, facts, found, wanted);
    } else if (record->previous_posted != facts->last_posted) {
        snprintf(found, sizeof found, "record %llu says that the last one from outside is %llu",
                 (unsigned long long)record->sequence, (unsigned long long)record->previous_posted);
        snprintf(wanted, sizeof wanted, "%llu", (unsigned long long)facts->last_posted);
        journal_problem(scan, facts, found, wanted);
    }
}

static void take_record(journal_facts *facts, const pawl_store_record *record)
{
    facts->bytes = record->journal_bytes;
    facts->last_kind = record->kind;
    facts->last_posted = record->kind > PAWL_RECORD_STARTED ? record->sequence : record->previous_posted;
    facts->compensating = facts->compensating || record->kind == PAWL_RECORD_COMPENSATING;
    facts->children += record->kind == PAWL_RECORD_CHILD;
    size_t posted = posted_kind(record->kind);
    if (posted < POSTED_KINDS)
        facts->posted[posted]++;
    if (record->kind == PAWL_RECORD_PAUSED)
        facts->paused = record->sequence;
    else if (record->kind == PAWL_RECORD_CONTINUED || record->kind == PAWL_RECORD_CANCEL ||
             record->kind == PAWL_RECORD_PARKED || record->kind == PAWL_RECORD_ENDED)
        facts->paused = 0;
    facts->cancels += record->kind == PAWL_RECORD_CANCEL;
    if (record->kind != PAWL_RECORD_REWOUND)
        return;
    facts->cancels = 0; /* its body says whether those before it count */
    facts->compensating = false;
    facts->paused = 0;
    facts->rewinds++;
}

/* The fields of one record can be checked against the one before only if that could be read. */
static void check_record(process_scan *scan, journal_facts *facts)
{
    char found[96];
    char wanted[96];
    pawl_fault bad = {0};
    pawl_store_record record = {0};
    const pawl_kv_cursor *cursor = scan->at[JOURNAL];
    pawl_reader key = pawl_reader_of(cursor->key);
    pawl_reader_u64(&key);
    uint64_t sequence = pawl_reader_u64(&key);
    pawl_audit_place place = place_of(scan, JOURNAL);
    facts->records++;
    if (key.bad || key.at != key.end) {
        pawl_store_audit_primary(scan->audit, &place, "a key of another length", "a process number and a sequence",
                                 ADVICE_JOURNAL);
        return;
    }
    if (facts->next == 0) { /* its header does not tell */
        facts->base = sequence;
    } else if (sequence != facts->next && scan->has_header) {
        snprintf(found, sizeof found, "record %llu", (unsigned long long)sequence);
        snprintf(wanted, sizeof wanted, "record %llu next", (unsigned long long)facts->next);
        journal_problem(scan, facts, found, wanted);
    }
    facts->next = sequence + 1;
    if (pawl_store_decode_record(cursor->key, cursor->value, &record, &bad) != PAWL_OK) {
        pawl_store_audit_unreadable(scan->audit, &place, &bad, ADVICE_JOURNAL);
        facts->broken = true; /* what the next one builds on is not known */
        facts->last_kind = 0;
        return;
    }
    if (!facts->broken && scan->has_header)
        check_fields(scan, facts, &record);
    take_record(facts, &record);
}

/* ---- posts ---- */

static void check_post(process_scan *scan, const journal_facts *journal, uint64_t *posts)
{
    char found[160];
    pawl_fault bad = {0};
    pawl_reader row;
    pawl_store_record record = {0};
    const pawl_kv_cursor *cursor = scan->at[POST];
    pawl_audit_place place = place_of(scan, POST);
    pawl_reader key = pawl_reader_of(cursor->key);
    pawl_reader_u64(&key);
    uint32_t kind = pawl_reader_u8(&key);
    size_t posted = posted_kind(kind);
    if (posted < POSTED_KINDS)
        posts[posted]++;
    if (pawl_row_open(&row, PAWL_FAMILY_POST, cursor->key, cursor->value, &bad) != PAWL_OK) {
        pawl_store_audit_unreadable(scan->audit, &place, &bad,
                                    "what was posted is in the journal; were it sent again, it would be taken as new");
        return;
    }
    uint64_t sequence = pawl_reader_u64(&row);
    pawl_status status =
        pawl_store_read_record(scan->audit->kv, scan->number, sequence, &scan->audit->scratch, &record, &bad);
    if (status == PAWL_E_CORRUPT || (status == PAWL_OK && record.kind == kind) || journal->broken ||
        (sequence != 0 && sequence < journal->base))
        return; /* right, or told already, or of an earlier run: the id is still known */
    snprintf(found, sizeof found, "a post of kind %u that points at record %llu, which %s", kind,
             (unsigned long long)sequence, status == PAWL_OK ? "is of another kind" : "is not there");
    pawl_store_audit_primary(scan->audit, &place, found, "the record that was posted", PAWL_AUDIT_RESTORE);
}

static void check_posts(process_scan *scan, const journal_facts *journal)
{
    char found[160];
    uint64_t posts[POSTED_KINDS] = {0};
    while (here(scan, POST)) {
        check_post(scan, journal, posts);
        step(scan, POST);
    }
    for (size_t i = 0; i < POSTED_KINDS && !journal->broken; i++) {
        if (posts[i] >= journal->posted[i])
            continue;
        pawl_audit_place place = place_of(scan, POST);
        place.key = (pawl_bytes){NULL, 0};
        snprintf(found, sizeof found, "%llu %s in the journal, and the ids of %llu",
                 (unsigned long long)journal->posted[i], posted_kinds[i].name, (unsigned long long)posts[i]);
        pawl_store_audit_primary(scan->audit, &place, found, "the id of each, so that it is taken once",
                                 "nothing is lost; were one sent again, it would be taken as new");
    }
}

/* ---- headers ---- */

static void header_problem(process_scan *scan, const char *found, const char *wanted)
{
    pawl_audit_place place = place_of(scan, HEADER);
    pawl_store_audit_primary(scan->audit, &place, found, wanted, PAWL_AUDIT_RESTORE);
}

static bool is_stored_status(uint32_t status)
{
    return status == PAWL_READY || status == PAWL_WAITING || status == PAWL_STUCK || PAWL_IS_TERMINAL(status);
}

static void check_header(process_scan *scan)
{
    char found[160];
    const pawl_store_state *state = &scan->header.state;
    const pawl_store_identity *identity = &scan->header.identity;
    if (!is_stored_status(state->status)) {
        snprintf(found, sizeof found, "status %u", state->status);
        header_problem(scan, found, "a status that is stored");
    }
    if ((state->status == PAWL_READY) != (state->ready_sequence != 0)) {
        snprintf(found, sizeof found, "status %u and place %llu in the queue", state->status,
                 (unsigned long long)state->ready_sequence);
        header_problem(scan, found, "a place when it is ready, and only then");
    }
    if (state->wake_unix_ns != 0 && state->status != PAWL_WAITING) {
        snprintf(found, sizeof found, "status %u and a time to wake", state->status);
        header_problem(scan, found, "such a time only while it waits");
    }
    if (state->run == 1 && state->base != 1) {
        snprintf(found, sizeof found, "run 1, which begins with record %llu", (unsigned long long)state->base);
        header_problem(scan, found, "record 1");
    }
    if (state->paused != 0 && (state->status != PAWL_WAITING || state->wake_unix_ns != 0)) {
        snprintf(found, sizeof found, "a pause, and status %u", state->status);
        header_problem(scan, found, "that it waits, without a time to wake");
    }
    if (identity->type >= scan->audit->type_count) {
        snprintf(found, sizeof found, "process type number %u", identity->type);
        header_problem(scan, found, "one of those that have a name");
    }
    if (identity->id.size == 0)
        header_problem(scan, "no id", "an id");
}

/* A broken journal says nothing about its header. */
static void check_against_journal(process_scan *scan, const journal_facts *journal)
{
    char found[160];
    const pawl_store_state *state = &scan->header.state;
    if (journal->records == 0) {
        header_problem(scan, "no journal", "at least the record of its start");
        return;
    }
    if (journal->broken)
        return;
    bool ended = journal->last_kind == PAWL_RECORD_ENDED;
    if (PAWL_IS_TERMINAL(state->status) != ended) {
        snprintf(found, sizeof found, "status %u and a last record of kind %u", state->status, journal->last_kind);
        header_problem(scan, found, "an end in both or in neither");
    }
    if (state->rewinds != journal->rewinds) {
        snprintf(found, sizeof found, "%u rewinds, and %llu records of them", state->rewinds,
                 (unsigned long long)journal->rewinds);
        header_problem(scan, found, "as many");
    }
    if (state->paused != journal->paused) {
        snprintf(found, sizeof found, "a pause since record %llu (0: none), and by the journal since record %llu",
                 (unsigned long long)state->paused, (unsigned long long)journal->paused);
        header_problem(scan, found, "the same in both");
    }
    if (state->cancelled && journal->posted[CANCEL_POSTED] == 0)
        header_problem(scan, "cancel was asked for, and no record of it", "a record of kind cancel (66)");
    if (!state->cancelled && journal->cancels != 0)
        header_problem(scan, "a record of kind cancel (66), and a header that does not know", "both");
    if (state->compensating != journal->compensating)
        header_problem(scan,
                       state->compensating ? "it undoes its steps, and no record of that"
                                           : "a record of kind compensating (82), and a header that does not know",
                       "both or neither");
}

static bool is_key(pawl_bytes found, const pawl_key *key)
{
    return pawl_bytes_equal(found, pawl_key_bytes(key));
}

static void check_document(process_scan *scan)
{
    pawl_fault bad = {0};
    pawl_reader row;
    pawl_audit_place place = place_of(scan, DOCUMENT);
    const pawl_kv_cursor *cursor = scan->at[DOCUMENT];
    if (pawl_row_open(&row, PAWL_FAMILY_DOCUMENT, cursor->key, cursor->value, &bad) != PAWL_OK)
        pawl_store_audit_unreadable(scan->audit, &place, &bad, "the process writes a new one with its next status");
    else if (scan->readable && !scan->header.state.has_document)
        pawl_store_audit_primary(scan->audit, &place, "a status document that the header does not know", "none",
                                 PAWL_AUDIT_RESTORE);
}

static void check_attributes(process_scan *scan)
{
    json_t *read = NULL;
    pawl_fault bad = {0};
    pawl_audit_place place = place_of(scan, DOCUMENT);
    if (pawl_store_attributes_read(scan->audit->kv, scan->number, &read, &bad) != PAWL_OK)
        pawl_store_audit_unreadable(scan->audit, &place, &bad, PAWL_AUDIT_RESTORE);
    else if (scan->readable && !scan->header.state.has_attributes)
        pawl_store_audit_primary(scan->audit, &place, "search attributes that the header does not know", "none",
                                 PAWL_AUDIT_RESTORE);
    json_decref(read);
}

/* What stands beside the header: the status document and the search attributes. */
static void check_documents(process_scan *scan)
{
    pawl_key document;
    pawl_key attributes;
    bool has_document = false;
    bool has_attributes = false;
    pawl_store_key_number(&document, scan->number);
    pawl_store_key_attributes(&attributes, scan->number);
    for (; here(scan, DOCUMENT); step(scan, DOCUMENT)) {
        pawl_audit_place place = place_of(scan, DOCUMENT);
        if (is_key(place.key, &document)) {
            has_document = true;
            check_document(scan);
        } else if (is_key(place.key, &attributes)) {
            has_attributes = true;
            check_attributes(scan);
        } else {
            pawl_store_audit_primary(scan->audit, &place, "a key of another form",
                                     "a process number, alone or with 'a' behind it", PAWL_AUDIT_RESTORE);
        }
    }
    if (scan->readable && scan->header.state.has_document && !has_document)
        header_problem(scan, "no status document", "the one that the header knows");
    if (scan->readable && scan->header.state.has_attributes && !has_attributes)
        header_problem(scan, "no search attributes", "those that the header knows");
}

/* ---- one number ---- */

static void count_process(process_scan *scan)
{
    pawl_audit *audit = scan->audit;
    const pawl_store_state *state = &scan->header.state;
    audit->counts[state->shown]++;
    pawl_store_audit_ticket(audit, state->token);
    pawl_store_audit_ticket(audit, state->ready_sequence);
}

static pawl_status check_process(process_scan *scan)
{
    pawl_audit *audit = scan->audit;
    journal_facts journal = {0};
    pawl_fault bad = {0};
    const pawl_kv_cursor *cursor = scan->at[HEADER];
    scan->has_header = true;
    scan->readable = false;
    audit->processes++;
    bool readable = pawl_store_decode_header(cursor->key, cursor->value, &scan->header, &bad) == PAWL_OK;
    scan->readable = readable;
    if (!readable) {
        pawl_audit_place place = place_of(scan, HEADER);
        pawl_store_audit_unreadable(audit, &place, &bad, PAWL_AUDIT_RESTORE);
        audit->incomplete = true; /* its status is not known: counters say nothing */
    } else {
        check_header(scan);
        count_process(scan);
        journal.base = journal.next = scan->header.state.base;
    }
    for (; here(scan, JOURNAL); step(scan, JOURNAL))
        check_record(scan, &journal);
    if (readable)
        check_against_journal(scan, &journal);
    check_posts(scan, &journal);
    check_documents(scan);
    if (!readable || audit->stopped)
        return PAWL_OK;
    pawl_status status =
        journal.broken ? PAWL_OK
                       : pawl_store_audit_children(audit, scan->number, &scan->header, journal.children, scan->fault);
    if (status != PAWL_OK)
        return status;
    return pawl_store_audit_expect_indexes(audit, scan->number, &scan->header, scan->fault);
}

static pawl_status drop_orphan(process_scan *scan, int which)
{
    pawl_audit_place place = place_of(scan, which);
    pawl_batch_delete(&scan->audit->fix, families[which], place.key);
    return pawl_store_audit_derived(scan->audit, &place, "a row of a process that is not there", "none", scan->fault);
}

/* Rows without a header. With a journal, the header is what is missing, and nothing is given up. */
static pawl_status check_orphans(process_scan *scan)
{
    char found[96];
    pawl_status status = PAWL_OK;
    scan->has_header = scan->readable = false;
    journal_facts journal = {0};
    for (; here(scan, JOURNAL); step(scan, JOURNAL))
        check_record(scan, &journal);
    if (journal.records > 0) {
        pawl_key key;
        pawl_store_key_number(&key, scan->number);
        snprintf(found, sizeof found, "no header, and a journal of %llu records", (unsigned long long)journal.records);
        pawl_store_audit_primary(
            scan->audit,
            &(pawl_audit_place){.family = PAWL_FAMILY_PROCESS, .key = pawl_key_bytes(&key), .number = scan->number},
            found, "a header", PAWL_AUDIT_RESTORE);
        scan->audit->incomplete = true;
    }
    for (int which = POST; which <= DOCUMENT && status == PAWL_OK; which++)
        for (; here(scan, which) && status == PAWL_OK; step(scan, which))
            if (journal.records == 0)
                status = drop_orphan(scan, which);
    return status;
}

/* The smallest number that any cursor stands at; false at the end of all. */
static bool next_number(process_scan *scan)
{
    bool any = false;
    for (int i = 0; i < CURSORS; i++) {
        if (!scan->at[i]->valid)
            continue;
        uint64_t number = number_at(scan->at[i]);
        if (!any || number < scan->number)
            scan->number = number;
        any = true;
    }
    return any;
}

static pawl_status walk(process_scan *scan)
{
    pawl_audit *audit = scan->audit;
    pawl_status status = PAWL_OK;
    while (status == PAWL_OK && !audit->stopped && next_number(scan)) {
        for (int i = 0; i < CURSORS; i++) { /* after a failure nobody knows what is an orphan */
            pawl_fault bad = {0};
            if (!scan->at[i]->valid && pawl_kv_cursor_status(scan->at[i], &bad) != PAWL_OK)
                return PAWL_OK;
        }
        if (scan->number > audit->largest_number)
            audit->largest_number = scan->number;
        bool has_header = here(scan, HEADER);
        status = has_header ? check_process(scan) : check_orphans(scan);
        if (has_header && status == PAWL_OK)
            step(scan, HEADER);
    }
    return status;
}

pawl_status pawl_store_audit_processes(pawl_audit *audit, pawl_fault *fault)
{
    const pawl_bytes none = {NULL, 0};
    process_scan scan = {.audit = audit, .fault = fault};
    pawl_status status = PAWL_OK;
    for (int i = 0; i < CURSORS && status == PAWL_OK; i++) {
        scan.at[i] = pawl_kv_cursor_open(audit->kv, families[i], none, none);
        if (scan.at[i] == NULL)
            status = pawl_fault_nomem(fault);
        else
            pawl_kv_cursor_seek(scan.at[i], none);
    }
    if (status == PAWL_OK)
        status = walk(&scan);
    for (int i = 0; i < CURSORS; i++) {
        if (scan.at[i] != NULL && !scan.at[i]->valid)
            pawl_store_audit_walked(audit, families[i], scan.at[i]);
        pawl_kv_cursor_close(scan.at[i]);
    }
    return status;
}
