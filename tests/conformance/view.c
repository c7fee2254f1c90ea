/* view.c: why it exists: tests compare values, so what a visitor is lent must be copied. It must never assert or jump
 * out of a visitor: there is a provider's frame in between. */
#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 1000

uint64_t bytes_hash(pawl_bytes bytes)
{
    const uint8_t *data = bytes.data;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

void text_copy(struct text *to, pawl_bytes from)
{
    size_t kept = from.size < sizeof(to->head) - 1 ? from.size : sizeof(to->head) - 1;
    if (kept > 0)
        memcpy(to->head, from.data, kept);
    to->head[kept] = '\0';
    to->size = from.size;
    to->hash = bytes_hash(from);
}

void row_copy(struct row *to, const pawl_process_row *from)
{
    to->status = from->status;
    to->number = from->number;
    text_copy(&to->id, from->id);
    text_copy(&to->type, from->type);
    text_copy(&to->plugin, from->plugin);
    text_copy(&to->digest, from->digest);
    text_copy(&to->profile, from->profile);
    text_copy(&to->session, from->session);
    text_copy(&to->parent, from->parent);
    text_copy(&to->reason_code, from->reason_code);
    text_copy(&to->reason, from->reason);
    text_copy(&to->document, from->document);
    text_copy(&to->outcome, from->outcome);
    text_copy(&to->worker, from->worker);
    to->revision = from->revision;
    to->run = from->run;
    to->external = from->external;
    to->cancelled = from->cancelled;
    to->token = from->token;
    to->head = from->head;
    to->journal_bytes = from->journal_bytes;
    to->created_unix_ns = from->created_unix_ns;
    to->updated_unix_ns = from->updated_unix_ns;
    to->wake_unix_ns = from->wake_unix_ns;
    to->lease_left_ns = from->lease_left_ns;
    to->claims = from->claims;
    to->paused_unix_ns = from->paused_unix_ns;
    text_copy(&to->paused, from->paused);
    text_copy(&to->parent_note, from->parent_note);
    text_copy(&to->key, from->key);
    to->parent_close = from->parent_close;
    to->priority = from->priority;
    to->deadline_unix_ns = from->deadline_unix_ns;
    to->base = from->base;
    to->rewinds = from->rewinds;
}

struct collect {
    struct row *rows;
    struct entry *entries;
    size_t capacity;
    size_t count;
};

static int32_t collect_row(void *context, const pawl_process_row *row)
{
    struct collect *collect = context;
    if (collect->count < collect->capacity)
        row_copy(&collect->rows[collect->count], row);
    collect->count++;
    return 0;
}

static int32_t collect_entry(void *context, const pawl_record *record)
{
    struct collect *collect = context;
    if (collect->count < collect->capacity) {
        struct entry *entry = &collect->entries[collect->count];
        entry->kind = record->kind;
        entry->sequence = record->sequence;
        entry->time_unix_ns = record->time_unix_ns;
        text_copy(&entry->body, record->body);
    }
    collect->count++;
    return 0;
}

pawl_status row_get(struct world *world, const char *id, struct row *row)
{
    memset(row, 0, sizeof(*row));
    failure_reset(&world->why);
    struct collect collect = {.rows = row, .capacity = 1};
    pawl_status status = world->registry->get(world->store, text_bytes(id), collect_row, &collect, &world->why);
    if (collect.count != (status == PAWL_OK ? 1u : 0u))
        host_violation(world->host, "get: %zu visits with status %d\n", collect.count, status);
    return status;
}

struct row row_of(struct world *world, const char *id)
{
    struct row row;
    pawl_status status = row_get(world, id, &row);
    if (status != PAWL_OK)
        fail_msg("get %s: %d %s", id, status, world->why.message);
    return row;
}

size_t rows_list(struct world *world, const pawl_list *list, struct row *rows, size_t capacity, uint64_t *next,
                 pawl_status *status)
{
    failure_reset(&world->why);
    struct collect collect = {.rows = rows, .capacity = capacity};
    pawl_status result = world->registry->list(world->store, list, collect_row, &collect, next, &world->why);
    if (status)
        *status = result;
    return collect.count;
}

size_t rows_all(struct world *world, pawl_list list, uint32_t page_size, struct row *rows, size_t capacity)
{
    size_t count = 0;
    list.struct_size = sizeof(list);
    list.limit = page_size;
    for (;;) {
        uint64_t next = 0;
        pawl_status status;
        size_t room = count < capacity ? capacity - count : 0;
        size_t got = rows_list(world, &list, room ? rows + count : NULL, room, &next, &status);
        count += got;
        if (status != PAWL_OK || got > page_size)
            host_violation(world->host, "list: status %d, %zu rows of at most %u: %s\n", status, got, page_size,
                           world->why.message);
        if (next == 0 || status != PAWL_OK)
            return count;
        list.after_number = next;
    }
}

size_t journal_read(struct world *world, uint64_t number, uint64_t from, uint64_t limit, struct entry *entries,
                    size_t capacity, pawl_status *status)
{
    failure_reset(&world->why);
    struct collect collect = {.entries = entries, .capacity = capacity};
    pawl_status result =
        world->registry->journal(world->store, number, from, limit, collect_entry, &collect, &world->why);
    if (status)
        *status = result;
    return collect.count;
}

pawl_status claim_id(struct world *world, uint64_t session, const char *id, struct row *row)
{
    memset(row, 0, sizeof(*row));
    failure_reset(&world->why);
    struct collect collect = {.rows = row, .capacity = 1};
    pawl_claim claim = {.struct_size = sizeof(claim), .limit = 1, .session = session, .type_size = sizeof(pawl_bytes)};
    claim.id = text_bytes(id);
    return world->registry->claim(world->store, &claim, collect_row, &collect, &world->why);
}

size_t claim_types_within(struct world *world, uint64_t session, const pawl_bytes *types,
                          const pawl_type_limits *const *limits, size_t type_count, uint32_t limit, struct row *rows,
                          pawl_status *status, pawl_failure_sink *why)
{
    failure_reset(why);
    struct collect collect = {.rows = rows, .capacity = limit};
    pawl_claim claim = {
        .struct_size = sizeof(claim),
        .limit = limit,
        .session = session,
        .types = types,
        .type_count = type_count,
        .type_size = sizeof(pawl_bytes),
        .limits = limits,
    };
    *status = world->registry->claim(world->store, &claim, collect_row, &collect, why);
    if (collect.count > limit)
        host_violation(world->host, "claim: %zu rows of at most %u\n", collect.count, limit);
    return collect.count;
}

size_t claim_types_with(struct world *world, uint64_t session, const pawl_bytes *types, size_t type_count,
                        uint32_t limit, struct row *rows, pawl_status *status, pawl_failure_sink *why)
{
    return claim_types_within(world, session, types, NULL, type_count, limit, rows, status, why);
}

size_t claim_type(struct world *world, uint64_t session, const char *type, uint32_t limit, struct row *rows)
{
    pawl_bytes types[1] = {text_bytes(type)};
    pawl_status status;
    size_t count = claim_types_with(world, session, types, 1, limit, rows, &status, &world->why);
    if (status != PAWL_OK)
        host_violation(world->host, "claim of type %s: status %d: %s\n", type, status, world->why.message);
    return count;
}

/* ---- everything as text ---- */

static bool may_be_claimed_or_is(const struct world *world, const struct row *row)
{
    if (row->status == PAWL_READY || row->status == PAWL_RUNNING)
        return true;
    return row->status == PAWL_WAITING && row->wake_unix_ns != 0 && row->wake_unix_ns <= host_unix_ns(world->host);
}

static void dump_text(FILE *out, const char *name, const struct text *text)
{
    fprintf(out, " %s=%zu:%016" PRIx64, name, text->size, text->hash);
}

static void dump_row(const struct world *world, FILE *out, const struct row *row)
{
    bool active = may_be_claimed_or_is(world, row);
    fprintf(out, "process %" PRIu64 " %.40s status=", row->number, row->id.head);
    if (row->paused_unix_ns != 0) /* leased or waiting: a pause takes no lease, and a closed store forgets it */
        fprintf(out, "paused");
    else if (active)
        fprintf(out, "active");
    else
        fprintf(out, "%u wake=%" PRIu64 " updated=%" PRIu64, row->status, row->wake_unix_ns, row->updated_unix_ns);
    fprintf(out,
            " revision=%u run=%u base=%" PRIu64 " external=%u cancelled=%u head=%" PRIu64 " bytes=%" PRIu64
            " created=%" PRIu64,
            row->revision, row->run, row->base, row->external, row->cancelled, row->head, row->journal_bytes,
            row->created_unix_ns);
    dump_text(out, "id", &row->id);
    dump_text(out, "type", &row->type);
    dump_text(out, "plugin", &row->plugin);
    dump_text(out, "digest", &row->digest);
    dump_text(out, "profile", &row->profile);
    dump_text(out, "session", &row->session);
    dump_text(out, "parent", &row->parent);
    dump_text(out, "parent_note", &row->parent_note);
    dump_text(out, "key", &row->key);
    fprintf(out, " paused=%" PRIu64, row->paused_unix_ns);
    dump_text(out, "pause", &row->paused);
    fprintf(out, " parent_close=%u priority=%u deadline=%" PRIu64, row->parent_close, row->priority,
            row->deadline_unix_ns);
    dump_text(out, "document", &row->document);
    dump_text(out, "outcome", &row->outcome);
    if (!active && row->paused_unix_ns == 0) {
        dump_text(out, "reason_code", &row->reason_code);
        dump_text(out, "reason", &row->reason);
    }
    fputc('\n', out);
}

static int32_t dump_record(void *context, const pawl_record *record)
{
    fprintf(context, "  record %" PRIu64 " kind=%u time=%" PRIu64 " body=%zu:%016" PRIx64 "\n", record->sequence,
            record->kind, record->time_unix_ns, record->body.size, bytes_hash(record->body));
    return 0;
}

static void dump_counts(struct world *world, FILE *out, const uint64_t listed[32])
{
    uint64_t counts[32] = {0};
    pawl_status status = world->registry->count(world->store, counts, 32, &world->why);
    if (status != PAWL_OK)
        host_violation(world->host, "count: status %d\n", status);
    fprintf(out, "counts unended=%" PRIu64, counts[PAWL_READY] + counts[PAWL_RUNNING] + counts[PAWL_WAITING]);
    for (uint32_t i = 0; i < 32; i++) {
        if (counts[i] != listed[i])
            host_violation(world->host, "count says %" PRIu64 " of status %u, list says %" PRIu64 "\n", counts[i], i,
                           listed[i]);
        if (counts[i] != 0 && i > PAWL_WAITING)
            fprintf(out, " %u=%" PRIu64, i, counts[i]);
    }
    fputc('\n', out);
}

static void dump_registry(struct world *world, FILE *out)
{
    pawl_list all = {0};
    size_t capacity = rows_all(world, all, PAGE, NULL, 0) + 1;
    struct row *rows = calloc(capacity, sizeof(*rows));
    if (!rows)
        abort();
    size_t count = rows_all(world, all, PAGE, rows, capacity);
    uint64_t listed[32] = {0};
    for (size_t i = 0; i < count && i < capacity; i++) {
        if (rows[i].status < 32)
            listed[rows[i].status]++;
        dump_row(world, out, &rows[i]);
        pawl_status status =
            world->registry->journal(world->store, rows[i].number, 1, 0, dump_record, out, &world->why);
        if (status != PAWL_OK)
            fprintf(out, "  journal: status %d\n", status);
    }
    dump_counts(world, out, listed);
    free(rows);
}

static int32_t dump_value(void *context, pawl_bytes key, pawl_bytes value)
{
    fprintf(context, "  key %016" PRIx64 " %.*s=%zu:%016" PRIx64 "\n", bytes_hash(key), (int)key.size,
            (const char *)key.data, value.size, bytes_hash(value));
    return 0;
}

static int32_t dump_attachment(void *context, const pawl_attachment_info *info)
{
    fprintf(context, "  attachment %016" PRIx64 " size=%" PRIu64 " created=%" PRIu64 " type=%.*s name=%.*s\n",
            bytes_hash(bytes_of(info->digest, 32)), info->size, info->created_unix_ns, (int)info->media_type.size,
            (const char *)info->media_type.data, (int)info->name.size, (const char *)info->name.data);
    return 0;
}

static void dump_others(struct world *world, FILE *out)
{
    for (size_t i = 0; i < world->session_count; i++) {
        uint64_t revision = 0;
        pawl_failure_sink why = {0};
        fprintf(out, "session %s\n", world->sessions[i]);
        pawl_status status = world->session->scan(world->store, text_bytes(world->sessions[i]), text_bytes(""),
                                                  dump_value, out, &revision, &why);
        fprintf(out, "  status=%d revision=%" PRIu64 "\n", status, revision);
    }
    for (size_t i = 0; i < world->scope_count; i++) {
        pawl_failure_sink why = {0};
        fprintf(out, "scope %s\n", world->scopes[i]);
        pawl_status status =
            world->attachment->list(world->store, text_bytes(world->scopes[i]), dump_attachment, out, &why);
        fprintf(out, "  status=%d\n", status);
    }
    for (size_t i = 0; i < world->artifact_count; i++) {
        pawl_sink content = {0};
        pawl_sink kind = {0};
        pawl_failure_sink why = {0};
        pawl_status status = world->artifact->get(world->store, world->artifacts[i], &content, &kind, &why);
        fprintf(out, "artifact status=%d content=%zu:%016" PRIx64 " kind=%016" PRIx64 "\n", status, content.size,
                bytes_hash(bytes_of(content.data, content.size)), bytes_hash(bytes_of(kind.data, kind.size)));
        sink_reset(&content);
        sink_reset(&kind);
    }
}

char *view_dump(struct world *world)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    if (world->registry)
        dump_registry(world, out);
    dump_others(world, out);
    fclose(out);
    return text;
}

static size_t line_length(const char *text)
{
    return strcspn(text, "\n");
}

void view_print_difference(const char *before, const char *after)
{
    while (*before && *after && line_length(before) == line_length(after) &&
           memcmp(before, after, line_length(before)) == 0) {
        before += line_length(before) + (before[line_length(before)] == '\n');
        after += line_length(after) + (after[line_length(after)] == '\n');
    }
    fprintf(stderr, "before: %.*s\nafter:  %.*s\n", (int)line_length(before), before, (int)line_length(after), after);
}
