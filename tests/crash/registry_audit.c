/* registry_audit.c: see registry_audit.h. Every family is walked once and compared with the headers; what one operation
 * wrote is recognised by the bodies of its records ("op 3/7.2 of 5"), so that a half of one is seen. */
#include "registry_audit.h"

#include "plugins/rocksdb/rocksdb_kv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void problem(audit *own, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void problem(audit *own, const char *format, ...)
{
    size_t used = strlen(own->problems);
    if (used + 300 > sizeof own->problems)
        return; /* enough to see that something is wrong */
    va_list args;
    va_start(args, format);
    int size = vsnprintf(own->problems + used, 280, format, args);
    va_end(args);
    used += size < 280 ? (size_t)size : 279;
    memcpy(own->problems + used, "\n", 2);
}

static const audit_process *find_number(const audit *own, uint64_t number)
{
    size_t low = 0;
    size_t high = own->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (own->processes[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < own->count && own->processes[low].number == number ? &own->processes[low] : NULL;
}

/* ---- walking ---- */

typedef void (*visit_row)(audit *own, pawl_reader key, pawl_reader row, void *context);

/* Call visit for every row of a family; journal rows are decoded elsewhere. */
static uint64_t walk(audit *own, pawl_family family, visit_row visit, void *context)
{
    const pawl_bytes none = {NULL, 0};
    pawl_fault fault = {0};
    uint64_t count = 0;
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(own->kv, family, none, none);
    if (cursor == NULL) {
        problem(own, "no cursor for family %s", pawl_family_name(family));
        return 0;
    }
    for (pawl_kv_cursor_seek(cursor, none); cursor->valid; pawl_kv_cursor_next(cursor)) {
        pawl_reader row;
        if (pawl_row_open(&row, family, cursor->key, cursor->value, &fault) != PAWL_OK)
            problem(own, "%.200s", fault.message);
        else
            visit(own, pawl_reader_of(cursor->key), row, context);
        count++;
    }
    if (pawl_kv_cursor_status(cursor, &fault) != PAWL_OK)
        problem(own, "%.200s", fault.message);
    pawl_kv_cursor_close(cursor);
    return count;
}

/* ---- headers ---- */

static void add_header(audit *own, pawl_reader key, pawl_reader row, void *context)
{
    (void)row;
    size_t *room = context;
    pawl_buffer header_buffer = {0};
    pawl_buffer tail_buffer = {0};
    pawl_store_header header;
    pawl_store_record tail;
    pawl_fault fault = {0};
    uint64_t number = pawl_reader_u64(&key);
    if (own->count == *room) {
        *room = *room * 2 + 64;
        own->processes = realloc(own->processes, *room * sizeof *own->processes);
    }
    if (pawl_store_read_process(own->kv, number, &header_buffer, &header, &tail_buffer, &tail, &fault) != PAWL_OK) {
        problem(own, "process number %llu: %.200s", (unsigned long long)number, fault.message);
    } else {
        audit_process *made = &own->processes[own->count++];
        pawl_store_state_advance(&header.state, &tail);
        *made = (audit_process){
            .number = number,
            .state = header.state,
            .type = header.identity.type,
            .external = header.identity.external != 0,
            .has_session = header.identity.session.size > 0,
        };
        snprintf(made->id, sizeof made->id, "%.*s", (int)header.identity.id.size,
                 (const char *)header.identity.id.data);
        const bool terminal = PAWL_IS_TERMINAL(header.state.status);
        if (terminal != (tail.kind == PAWL_RECORD_ENDED))
            problem(own, "%s has status %u and its last record has kind %u", made->id, header.state.status, tail.kind);
        if ((header.state.status == PAWL_READY) != (header.state.ready_sequence != 0))
            problem(own, "%s has status %u and ready sequence %llu", made->id, header.state.status,
                    (unsigned long long)header.state.ready_sequence);
        if (header.state.status != PAWL_WAITING && header.state.wake_unix_ns != 0)
            problem(own, "%s has status %u and a wake time", made->id, header.state.status);
    }
    pawl_buffer_finish(&header_buffer);
    pawl_buffer_finish(&tail_buffer);
}

static void check_ident(audit *own, pawl_reader key, pawl_reader row, void *context)
{
    size_t *live = context;
    bool pruned = pawl_reader_u8(&row) != 0;
    uint64_t number = pawl_reader_u64(&row);
    const audit_process *process = find_number(own, number);
    int size = (int)(key.end - key.at);
    const char *id = (const char *)key.at;
    own->pruned += pruned;
    *live += !pruned;
    if (pruned && process != NULL)
        problem(own, "%.*s is a tombstone and has a header", size, id);
    if (!pruned && process == NULL)
        problem(own, "%.*s is known and has no header", size, id);
    if (!pruned && process != NULL &&
        (strlen(process->id) != (size_t)size || memcmp(process->id, id, (size_t)size) != 0))
        problem(own, "%.*s leads to the header of %s", size, id, process->id);
}

/* ---- journals ---- */

typedef struct journal_walk {
    const audit_process *process;
    uint64_t sequence;
    uint64_t bytes;
    uint64_t posted;
    unsigned incarnation, op, part, parts; /* of the record before */
    size_t journals;
} journal_walk;

static void end_journal(audit *own, const journal_walk *at)
{
    if (at->process == NULL)
        return;
    if (at->part + 1 != at->parts)
        problem(own, "%s ends with a half of operation %u/%u", at->process->id, at->incarnation, at->op);
    if (at->sequence != at->process->state.head || at->bytes != at->process->state.journal_bytes)
        problem(own, "%s: its last record does not fit its journal", at->process->id);
}

/* Bodies name the operation that wrote them, and how many records it had. */
static void check_parts(audit *own, journal_walk *at, const pawl_store_record *record)
{
    char text[64];
    unsigned incarnation;
    unsigned op;
    unsigned part;
    unsigned parts;
    snprintf(text, sizeof text, "%.*s", (int)(record->body.size < 60 ? record->body.size : 60),
             (const char *)record->body.data);
    if (sscanf(text, "op %u/%u.%u of %u", &incarnation, &op, &part, &parts) != 4) {
        problem(own, "%s: record %llu is \"%s\"", at->process->id, (unsigned long long)record->sequence, text);
        return;
    }
    bool first = part == 0 && at->part + 1 == at->parts;
    bool next = incarnation == at->incarnation && op == at->op && part == at->part + 1 && parts == at->parts;
    if (!first && !next)
        problem(own, "%s: record %llu is \"%s\" behind %u/%u.%u of %u", at->process->id,
                (unsigned long long)record->sequence, text, at->incarnation, at->op, at->part, at->parts);
    at->incarnation = incarnation;
    at->op = op;
    at->part = part;
    at->parts = parts;
}

static void check_record(audit *own, journal_walk *at, const pawl_store_record *record)
{
    const char *id = at->process->id;
    if (record->sequence != at->sequence + 1)
        problem(own, "%s: record %llu stands behind %llu", id, (unsigned long long)record->sequence,
                (unsigned long long)at->sequence);
    if ((record->sequence == 1) != (record->kind == PAWL_RECORD_STARTED))
        problem(own, "%s: record %llu has kind %u", id, (unsigned long long)record->sequence, record->kind);
    if (record->kind == PAWL_RECORD_ENDED && record->sequence != at->process->state.head)
        problem(own, "%s goes on after its end", id);
    at->bytes += record->body.size;
    if (record->journal_bytes != at->bytes || record->previous_posted != at->posted)
        problem(own, "%s: record %llu says %llu bytes, last posted %llu; found %llu and %llu", id,
                (unsigned long long)record->sequence, (unsigned long long)record->journal_bytes,
                (unsigned long long)record->previous_posted, (unsigned long long)at->bytes,
                (unsigned long long)at->posted);
    if (record->kind > PAWL_RECORD_STARTED)
        at->posted = record->sequence;
    at->sequence = record->sequence;
    own->records[record->kind & 127]++;
    check_parts(own, at, record);
}

static void check_journals(audit *own)
{
    const pawl_bytes none = {NULL, 0};
    pawl_fault fault = {0};
    journal_walk at = {.parts = 1};
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(own->kv, PAWL_FAMILY_JOURNAL, none, none);
    for (pawl_kv_cursor_seek(cursor, none); cursor->valid; pawl_kv_cursor_next(cursor)) {
        pawl_store_record record;
        pawl_reader key = pawl_reader_of(cursor->key);
        uint64_t number = pawl_reader_u64(&key);
        if (pawl_store_decode_record(cursor->key, cursor->value, &record, &fault) != PAWL_OK) {
            problem(own, "%.200s", fault.message);
            continue;
        }
        if (at.process == NULL || at.process->number != number) {
            end_journal(own, &at);
            at = (journal_walk){.process = find_number(own, number), .parts = 1, .journals = at.journals + 1};
        }
        if (at.process == NULL)
            problem(own, "process number %llu has a journal and no header", (unsigned long long)number);
        else
            check_record(own, &at, &record);
    }
    end_journal(own, &at);
    if (pawl_kv_cursor_status(cursor, &fault) != PAWL_OK)
        problem(own, "%.200s", fault.message);
    pawl_kv_cursor_close(cursor);
    if (at.journals != own->count)
        problem(own, "%zu headers, %zu journals", own->count, at.journals);
}

/* ---- indexes ---- */

static void check_ready(audit *own, pawl_reader key, pawl_reader row, void *context)
{
    (void)context;
    uint32_t type;
    uint32_t priority;
    uint64_t lane;
    uint64_t sequence;
    const pawl_bytes bytes = {key.at, (size_t)(key.end - key.at)};
    const audit_process *process = find_number(own, pawl_reader_u64(&row));
    if (!pawl_store_read_ready_key(bytes, &type, &priority, &lane, &sequence)) {
        problem(own, "a ready row's key of %zu bytes is none", bytes.size);
        return;
    }
    if (process == NULL || process->state.status != PAWL_READY || process->state.ready_sequence != sequence ||
        process->type != type)
        problem(own, "a ready row %u/%llu does not fit %s", type, (unsigned long long)sequence,
                process == NULL ? "any process" : process->id);
}

static void check_wake(audit *own, pawl_reader key, pawl_reader row, void *context)
{
    (void)context;
    (void)row;
    uint32_t type = pawl_reader_u32(&key);
    uint64_t due = pawl_reader_u64(&key);
    const audit_process *process = find_number(own, pawl_reader_u64(&key));
    if (process == NULL || process->state.status != PAWL_WAITING || process->state.wake_unix_ns != due ||
        process->type != type)
        problem(own, "a wake row of %llu does not fit %s", (unsigned long long)due,
                process == NULL ? "any process" : process->id);
}

static void check_status(audit *own, pawl_reader key, pawl_reader row, void *context)
{
    (void)context;
    (void)row;
    uint32_t status = pawl_reader_u32(&key);
    const audit_process *process = find_number(own, pawl_reader_u64(&key));
    if (process == NULL || process->state.status != status)
        problem(own, "a status row %u does not fit %s", status, process == NULL ? "any process" : process->id);
}

static void check_ended(audit *own, pawl_reader key, pawl_reader row, void *context)
{
    (void)context;
    (void)row;
    pawl_reader_u64(&key);
    const audit_process *process = find_number(own, pawl_reader_u64(&key));
    if (process == NULL || !PAWL_IS_TERMINAL(process->state.status))
        problem(own, "an ended row does not fit %s", process == NULL ? "any process" : process->id);
}

static void check_document(audit *own, pawl_reader key, pawl_reader row, void *context)
{
    (void)context;
    (void)row;
    const audit_process *process = find_number(own, pawl_reader_u64(&key));
    if (process == NULL || !process->state.has_document)
        problem(own, "a document does not fit %s", process == NULL ? "any process" : process->id);
}

/* The way to the tombstone of a process that ended then. */
static void check_way(audit *own, uint64_t ended_unix_ns, uint64_t number, pawl_bytes id)
{
    pawl_store_tombstone left = {0};
    pawl_fault fault = {0};
    if (pawl_store_read_tombstone(own->kv, id, &left, &fault) != PAWL_OK || left.number != number ||
        left.ended_unix_ns != ended_unix_ns)
        problem(own, "the way to %.*s does not fit any tombstone", (int)id.size, (const char *)id.data);
}

static void check_relation(audit *own, pawl_reader key, pawl_reader row, void *context)
{
    size_t *counts = context;
    uint8_t relation = pawl_reader_u8(&key);
    uint64_t value = pawl_reader_u64(&key);
    uint64_t number = pawl_reader_u64(&key);
    const audit_process *process = find_number(own, number);
    counts[relation]++;
    if (relation == STORE_RELATION_TOMBSTONE) {
        check_way(own, value, number, pawl_reader_rest(&row));
        return;
    }
    if (process == NULL || (relation == 't' && value != process->type))
        problem(own, "a relation row '%c' does not fit %s", relation, process == NULL ? "any process" : process->id);
}

static void check_post(audit *own, pawl_reader key, pawl_reader row, void *context)
{
    (void)context;
    const audit_process *process = find_number(own, pawl_reader_u64(&key));
    uint32_t wanted = pawl_reader_u8(&key);
    uint64_t sequence = pawl_reader_u64(&row);
    uint32_t kind = 0;
    own->posts[wanted & 127]++;
    if (process == NULL || !audit_record(own, process->number, sequence, &kind, NULL, 0) || kind != wanted)
        problem(own, "a post row of kind %u leads %s to record %llu of kind %u", wanted,
                process == NULL ? "nobody" : process->id, (unsigned long long)sequence, kind);
}

static void check_counts(audit *own)
{
    const uint32_t posted[] = {PAWL_RECORD_SIGNAL, PAWL_RECORD_CANCEL, PAWL_RECORD_RESUMED};
    size_t live = 0;
    size_t relations[256] = {0};
    uint64_t ready = 0;
    uint64_t wakes = 0;
    uint64_t ended = 0;
    uint64_t documents = 0;
    uint64_t sessions = 0;
    for (size_t i = 0; i < own->count; i++) {
        const pawl_store_state *state = &own->processes[i].state;
        ready += state->status == PAWL_READY;
        wakes += state->wake_unix_ns != 0;
        ended += PAWL_IS_TERMINAL(state->status);
        documents += state->has_document;
        sessions += own->processes[i].has_session;
    }
    walk(own, PAWL_FAMILY_IDENT, check_ident, &live);
    walk(own, PAWL_FAMILY_RELATION, check_relation, relations);
    walk(own, PAWL_FAMILY_POST, check_post, NULL);
    if (relations[STORE_RELATION_TOMBSTONE] != own->pruned)
        problem(own, "%zu tombstones, and %zu ways to them", own->pruned, relations[STORE_RELATION_TOMBSTONE]);
    if (live != own->count || relations['t'] != own->count || relations['s'] != sessions)
        problem(own, "%zu headers, %zu ids, %zu under their type; %llu with a session, %zu under it", own->count, live,
                relations['t'], (unsigned long long)sessions, relations['s']);
    if (walk(own, PAWL_FAMILY_STATUS, check_status, NULL) != own->count)
        problem(own, "not as many status rows as headers");
    if (walk(own, PAWL_FAMILY_READY, check_ready, NULL) != ready)
        problem(own, "not as many ready rows as ready processes");
    if (walk(own, PAWL_FAMILY_WAKE, check_wake, NULL) != wakes)
        problem(own, "not as many wake rows as processes with a wake time");
    if (walk(own, PAWL_FAMILY_ENDED, check_ended, NULL) != ended)
        problem(own, "not as many ended rows as processes that have ended");
    if (walk(own, PAWL_FAMILY_DOCUMENT, check_document, NULL) != documents)
        problem(own, "not as many documents as headers that have one");
    for (size_t i = 0; i < sizeof posted / sizeof posted[0]; i++)
        if (own->posts[posted[i]] != own->records[posted[i]])
            problem(own, "%llu records of kind %u, %llu post rows", (unsigned long long)own->records[posted[i]],
                    posted[i], (unsigned long long)own->posts[posted[i]]);
}

static void check_counters(audit *own)
{
    pawl_buffer buffer = {0};
    pawl_reader reader = {0};
    const pawl_bytes key = pawl_bytes_of("counters");
    uint64_t found[STORE_STATUS_COUNT] = {0};
    for (size_t i = 0; i < own->count; i++)
        found[own->processes[i].state.status]++;
    pawl_status status = pawl_kv_get(own->kv, PAWL_FAMILY_META, key, &buffer, NULL);
    if (status == PAWL_OK)
        status = pawl_row_open(&reader, PAWL_FAMILY_META, key, (pawl_bytes){buffer.data, buffer.size}, NULL);
    if (status == PAWL_OK) {
        uint64_t next = pawl_reader_u64(&reader);
        uint32_t count = pawl_reader_u32(&reader);
        if (own->count > 0 && next <= own->processes[own->count - 1].number)
            problem(own, "the next process number is %llu and %llu is taken", (unsigned long long)next,
                    (unsigned long long)own->processes[own->count - 1].number);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t counted = pawl_reader_u64(&reader);
            if (counted != found[i])
                problem(own, "status %u is counted %llu times; found %llu", i, (unsigned long long)counted,
                        (unsigned long long)found[i]);
        }
    } else if (own->count > 0) {
        problem(own, "the counters cannot be read");
    }
    pawl_buffer_finish(&buffer);
}

/* ---- from outside ---- */

audit *audit_open(const char *path)
{
    audit *own = calloc(1, sizeof *own);
    pawl_fault fault = {0};
    size_t room = 0;
    char *copy = strdup(path);
    pawl_store_config config = {.path = copy,
                                .sync = false,
                                .value_bytes_max = 1u << 20,
                                .journal_bytes_max = 1u << 30,
                                .write_buffer_bytes = 16u << 20,
                                .block_cache_bytes = 1u << 20};
    pawl_status status = own == NULL || copy == NULL ? PAWL_E_NOMEM : pawl_rocksdb_kv_open(&config, &own->kv, &fault);
    free(copy);
    if (status != PAWL_OK) {
        fprintf(stderr, "cannot audit %s: %s\n", path, fault.message);
        free(own);
        return NULL;
    }
    walk(own, PAWL_FAMILY_PROCESS, add_header, &room);
    check_journals(own);
    check_counts(own);
    check_counters(own);
    return own;
}

void audit_close(audit *own)
{
    if (own == NULL)
        return;
    own->kv->table->close(own->kv);
    free(own->processes);
    free(own);
}

const audit_process *audit_find(const audit *own, const char *id)
{
    for (size_t i = 0; i < own->count; i++)
        if (strcmp(own->processes[i].id, id) == 0)
            return &own->processes[i];
    return NULL;
}

bool audit_is_pruned(audit *own, const char *id)
{
    uint64_t number;
    pawl_fault fault = {0};
    return pawl_store_read_ident(own->kv, pawl_bytes_of(id), &number, &fault) == PAWL_E_NOT_FOUND &&
           strcmp(fault.code, STORE_NO_LONGER_RETAINED) == 0;
}

bool audit_record(audit *own, uint64_t number, uint64_t sequence, uint32_t *kind, char *body, size_t size)
{
    pawl_buffer buffer = {0};
    pawl_store_record record;
    bool found = pawl_store_read_record(own->kv, number, sequence, &buffer, &record, NULL) == PAWL_OK;
    if (found) {
        *kind = record.kind;
        if (size > 0)
            snprintf(body, size, "%.*s", (int)record.body.size, (const char *)record.body.data);
    }
    pawl_buffer_finish(&buffer);
    return found;
}
