/* look.c: reading processes: one, a page of them, a journal. Rows are copied out of the store before anything is
 * done with them, so that nothing of the host runs inside the store. */
#include "host/host_internal.h"

#include "host/view/view.h"
#include "worker/base/sink.h"
#include "worker/journal_json.h"

#include <stdlib.h>
#include <string.h>

#define JOURNAL_DEFAULT   1000u
#define JOURNAL_BYTES_MAX (16u * 1024u * 1024u) /* of one page: whoever wants more asks for the next */

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while reading processes");
}

pawl_status pawl_row_copy(pawl_arena *arena, const pawl_process_row *row, uint32_t parts_wanted, pawl_process_row *ret)
{
    pawl_process_row whole = {0};
    memcpy(&whole, row, row->struct_size < sizeof whole ? row->struct_size : sizeof whole);
    whole.struct_size = sizeof whole;
    if ((parts_wanted & PAWL_ROW_DOCUMENT) == 0)
        whole.document = pawl_bytes_text("");
    if ((parts_wanted & PAWL_ROW_OUTCOME) == 0)
        whole.outcome = pawl_bytes_text("");
    pawl_bytes *const parts[] = {&whole.id,          &whole.type,     &whole.plugin,     &whole.digest,
                                 &whole.profile,     &whole.session,  &whole.parent,     &whole.reason_code,
                                 &whole.reason,      &whole.document, &whole.outcome,    &whole.worker,
                                 &whole.parent_note, &whole.key,      &whole.attributes, &whole.paused};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        pawl_bytes from = *parts[i];
        if (!pawl_arena_copy(arena, from, parts[i]))
            return PAWL_E_NOMEM;
    }
    *ret = whole;
    return PAWL_OK;
}

typedef struct one_row {
    pawl_arena *arena;
    pawl_process_row *row;
    pawl_status status;
} one_row;

static int32_t PAWL_CALL take_row(void *context, const pawl_process_row *row)
{
    one_row *one = context;
    one->status = pawl_row_copy(one->arena, row, PAWL_ROW_DOCUMENT | PAWL_ROW_OUTCOME, one->row);
    return 0;
}

pawl_status pawl_host_row(pawl_host *host, const char *id, pawl_arena *arena, pawl_process_row *ret, pawl_error *error)
{
    one_row one = {arena, ret, PAWL_E_NOT_FOUND};
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_status status = host->registry.table.get(host->registry.store, pawl_bytes_text(id), take_row, &one, &why);
    if (status >= 0)
        status = one.status;
    if (status == PAWL_E_NOMEM)
        (void)no_memory(error);
    else if (status != PAWL_OK)
        status = pawl_unknown_process(id, pawl_failure_error(&why, status, error), error);
    pawl_failure_finish(&why);
    return status;
}

static pawl_status check(pawl_host *host, const char *id, pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    return status == PAWL_OK ? pawl_check_id(id, error) : status;
}

static int32_t PAWL_CALL take_time(void *context, const pawl_record *record)
{
    *(uint64_t *)context = record->time_unix_ns;
    return 0;
}

/* Since when the present run goes, where it is not the first. A journal that cannot be read hides nothing else. */
static bool set_run_start(pawl_host *host, const pawl_process_row *row, json_t *json)
{
    uint64_t started = 0;
    if (row->run > 1)
        (void)host->registry.table.journal(host->registry.store, row->number, row->base, 1, take_time, &started, NULL);
    return started == 0 || pawl_view_time(json, "run_started", started);
}

static json_t *view_whole(pawl_host *host, const pawl_process_row *row)
{
    json_t *json = pawl_view_process(host, row, true);
    if (json == NULL || set_run_start(host, row, json))
        return json;
    json_decref(json);
    return NULL;
}

pawl_status pawl_host_get(pawl_host *host, const char *id, pawl_text *ret_json, pawl_error *error)
{
    pawl_status status = check(host, id, error);
    if (status != PAWL_OK)
        return status;
    pawl_arena arena = {0};
    pawl_process_row row;
    pawl_host_entered(host);
    status = pawl_host_row(host, id, &arena, &row, error);
    if (status == PAWL_OK)
        status = pawl_view_give(view_whole(host, &row), ret_json, error);
    pawl_host_left(host);
    pawl_arena_finish(&arena);
    return status;
}

/* ---- journals ---- */

typedef struct records {
    json_t *list;
    uint64_t last;
    size_t count;
    size_t limit;
    size_t bytes;
    bool whole;
    bool bodies; /* as they are stored, too */
    bool more;
    pawl_status status;
} records;

/* A record that cannot be read is shown as one that cannot be read: the others still help. */
static json_t *view_record(const pawl_record *record, bool whole)
{
    pawl_entry entry;
    pawl_error error = {0};
    json_t *json = NULL;
    if (pawl_entry_decode(record, &entry, &error) == PAWL_OK)
        return pawl_entry_to_json(&entry, whole, &json) == PAWL_OK ? json : NULL;
    json = json_pack("{s:I, s:s, s:s}", "sequence", (json_int_t)record->sequence, "kind",
                     pawl_record_name(record->kind), "error", error.message);
    if (json != NULL && !pawl_view_time(json, "time", record->time_unix_ns)) {
        json_decref(json);
        return NULL;
    }
    return json;
}

/* As hex digits: whoever gets them can live the journal again. */
static bool view_body(json_t *json, pawl_bytes body)
{
    const uint8_t *bytes = body.data;
    char *text = malloc(2 * body.size + 1);
    for (size_t i = 0; i < body.size && text != NULL; i++) {
        static const char digits[] = "0123456789abcdef";
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    bool good = text != NULL && json_object_set_new(json, "body", json_stringn(text, 2 * body.size)) == 0;
    free(text);
    return good;
}

static int32_t PAWL_CALL take_record(void *context, const pawl_record *given)
{
    records *page = context;
    pawl_record record = {0};
    memcpy(&record, given, given->struct_size < sizeof record ? given->struct_size : sizeof record);
    if (page->count == page->limit || page->bytes > JOURNAL_BYTES_MAX) {
        page->more = true;
        return 1;
    }
    json_t *view = view_record(&record, page->whole);
    if (view != NULL && page->bodies && !view_body(view, record.body)) {
        json_decref(view);
        view = NULL;
    }
    if (json_array_append_new(page->list, view) != 0) {
        page->status = PAWL_E_NOMEM;
        return 1;
    }
    page->count++;
    page->bytes += page->whole ? record.body.size : 0;
    page->last = record.sequence;
    return 0;
}

pawl_status pawl_host_journal(pawl_host *host, const char *id, uint64_t from, uint32_t limit, uint32_t whole_values,
                              pawl_text *ret_json, pawl_error *error)
{
    pawl_status status = check(host, id, error);
    if (status != PAWL_OK)
        return status;
    pawl_arena arena = {0};
    pawl_process_row row;
    records page = {.list = json_array(), .limit = limit == 0 ? JOURNAL_DEFAULT : limit, .whole = whole_values != 0};
    page.bodies = whole_values == 2;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_host_entered(host);
    status = page.list == NULL ? no_memory(error) : pawl_host_row(host, id, &arena, &row, error);
    if (status == PAWL_OK) {
        /* One more than is shown tells whether there is more. */
        status = host->registry.table.journal(host->registry.store, row.number, from == 0 ? 1 : from, page.limit + 1,
                                              take_record, &page, &why);
        if (status < 0)
            (void)pawl_failure_error(&why, status, error);
        else if (page.status != PAWL_OK)
            status = no_memory(error);
        else
            status = pawl_view_give(json_pack("{s:O, s:o}", "records", page.list, "next",
                                              page.more ? json_integer((json_int_t)page.last + 1) : json_null()),
                                    ret_json, error);
    }
    pawl_host_left(host);
    json_decref(page.list);
    pawl_failure_finish(&why);
    pawl_arena_finish(&arena);
    return status;
}
