/* view.c: see view.h. */
#include "view.h"

#include <stdio.h>

#include "attribute.h"

static void lay_over(pawl_store_view *view, pawl_store_registry *registry, uint64_t number)
{
    pawl_process_row *row = &view->row;
    pthread_mutex_lock(&registry->lock);
    pawl_store_workers_expire(registry);
    const pawl_store_entry *entry = pawl_store_entry_find(registry, number);
    if (entry != NULL && !entry->fresh) {
        row->token = entry->token > row->token ? entry->token : row->token;
        row->claims = entry->claims;
    }
    const pawl_store_worker *worker = entry == NULL ? NULL : entry->worker;
    /* What is durable comes first: a lease whose end is written and not yet published is over. */
    if (worker != NULL && !PAWL_IS_TERMINAL(row->status) && row->status != PAWL_STUCK) {
        uint64_t now = pawl_store_mono_now(registry->store);
        row->status = row->status == PAWL_COMPENSATING ? PAWL_COMPENSATING : PAWL_RUNNING;
        row->lease_left_ns = worker->expires_mono_ns > now ? worker->expires_mono_ns - now : 0;
        memcpy(view->worker, worker->name, worker->name_size);
        row->worker = (pawl_bytes){view->worker, worker->name_size};
    } else if (row->status == PAWL_READY) {
        uint64_t interval_ns = 0;
        row->held = pawl_store_queue_held_by(view->type, view->lane, pawl_store_mono_now(registry->store),
                                             &row->held_limit, &interval_ns);
        row->held_limit = interval_ns != 0 ? interval_ns : row->held_limit;
    }
    pthread_mutex_unlock(&registry->lock);
}

static pawl_status read_document(pawl_store_view *view, pawl_store_registry *registry, uint64_t number,
                                 pawl_fault *fault)
{
    pawl_key key;
    pawl_reader reader;
    pawl_store_key_number(&key, number);
    pawl_status status =
        pawl_kv_get(registry->store->kv, PAWL_FAMILY_DOCUMENT, pawl_key_bytes(&key), &view->document, fault);
    if (status == PAWL_E_NOT_FOUND)
        return pawl_row_bad(PAWL_FAMILY_DOCUMENT, pawl_key_bytes(&key), "it is missing", fault);
    if (status == PAWL_OK)
        status = pawl_row_open(&reader, PAWL_FAMILY_DOCUMENT, pawl_key_bytes(&key),
                               (pawl_bytes){view->document.data, view->document.size}, fault);
    if (status == PAWL_OK)
        view->row.document = pawl_reader_rest(&reader);
    return status;
}

static pawl_status read_attributes(pawl_store_view *view, pawl_store_registry *registry, uint64_t number,
                                   pawl_fault *fault)
{
    pawl_key key;
    pawl_status status =
        pawl_store_attributes_bytes(registry->store->kv, number, &view->attributes, &view->row.attributes, fault);
    if (status != PAWL_E_NOT_FOUND)
        return status;
    pawl_store_key_attributes(&key, number);
    return pawl_row_bad(PAWL_FAMILY_DOCUMENT, pawl_key_bytes(&key), "it is missing", fault);
}

static pawl_status read_pause(pawl_store_view *view, pawl_kv *kv, uint64_t number, uint64_t sequence, pawl_fault *fault)
{
    pawl_store_record record;
    pawl_status status = pawl_store_read_record(kv, number, sequence, &view->paused, &record, fault);
    if (status == PAWL_OK) {
        view->row.paused_unix_ns = record.time_unix_ns;
        view->row.paused = record.body;
    }
    return status == PAWL_E_NOT_FOUND ? PAWL_OK : status; /* the auditor tells of it */
}

static void fill(pawl_store_view *view, const pawl_store_identity *identity, const pawl_store_state *state,
                 const pawl_store_type *type, uint64_t number)
{
    view->row = (pawl_process_row){
        .struct_size = sizeof view->row,
        .status = state->shown,
        .number = number,
        .id = identity->id,
        .type = pawl_store_type_name(type),
        .revision = identity->revision,
        .run = state->run,
        .plugin = identity->plugin,
        .digest = identity->digest,
        .profile = identity->profile,
        .session = identity->session,
        .parent = identity->parent,
        .external = identity->external,
        .cancelled = state->cancelled,
        .token = state->token,
        .head = state->head,
        .journal_bytes = state->journal_bytes,
        .created_unix_ns = identity->created_unix_ns,
        .updated_unix_ns = state->updated_unix_ns,
        .wake_unix_ns = state->wake_unix_ns,
        .parent_note = identity->parent_note,
        .key = identity->key,
        .parent_close = identity->parent_close,
        .priority = identity->priority,
        .deadline_unix_ns = identity->deadline_unix_ns,
        .rewinds = state->rewinds,
        .base = state->base,
    };
    if (state->pinned_revision != 0) {
        memcpy(view->digest, state->pinned_digest, sizeof view->digest);
        view->row.revision = state->pinned_revision;
        view->row.digest = (pawl_bytes){view->digest, state->pinned_digest_size};
    }
    view->type = type;
    view->priority = pawl_store_priority_of(identity);
    view->lane = identity->lane;
    view->ready_sequence = state->ready_sequence;
}

/* Whose turn it waits for. What cannot be read hides nothing else. */
static void say_behind(pawl_store_view *view, pawl_kv *kv)
{
    pawl_fault bad = {0};
    pawl_buffer buffer = {0};
    pawl_store_header holder;
    char id[PAWL_STORE_ID_BYTES_MAX + 4];
    char session[PAWL_STORE_ID_BYTES_MAX + 4];
    uint64_t number = 0;
    pawl_status status = pawl_store_read_turn(kv, pawl_store_hash(view->row.session), &number, &bad);
    if (status == PAWL_OK && number != 0)
        status = pawl_store_read_header(kv, number, &buffer, &holder, &bad);
    if (status == PAWL_OK && number != 0) {
        int size = snprintf(view->behind, sizeof view->behind, "its turn, behind process \"%s\" of session \"%s\"",
                            pawl_fault_text(holder.identity.id, id, sizeof id),
                            pawl_fault_text(view->row.session, session, sizeof session));
        if (size > 0)
            view->row.reason = (pawl_bytes){view->behind, strlen(view->behind)};
    }
    pawl_buffer_finish(&buffer);
}

pawl_status pawl_store_view_read(pawl_store_view *view, pawl_store_registry *registry, uint64_t number,
                                 pawl_fault *fault)
{
    pawl_store_header header = {0};
    pawl_store_record tail = {0};
    pawl_kv *kv = registry->store->kv;
    pawl_status status = pawl_store_read_process(kv, number, &view->header, &header, &view->tail, &tail, fault);
    /* The tail is read after the header. When the process has ended in between, or was asked to stop, its header says
     * so by now. */
    bool ended = tail.kind == PAWL_RECORD_ENDED && !PAWL_IS_TERMINAL(header.state.status);
    bool asked = tail.kind == PAWL_RECORD_CANCEL && !header.state.cancelled;
    if (status == PAWL_OK && (ended || asked))
        status = pawl_store_read_process(kv, number, &view->header, &header, &view->tail, &tail, fault);
    if (status != PAWL_OK)
        return status;
    pthread_mutex_lock(&registry->lock);
    const pawl_store_type *type = pawl_store_type_by_id(registry, header.identity.type);
    pthread_mutex_unlock(&registry->lock);
    if (type == NULL)
        return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                              "stored data is damaged: process number %llu has the unknown type number %u",
                              (unsigned long long)number, header.identity.type);
    pawl_store_state state = header.state;
    pawl_store_state_advance(&state, &tail);
    fill(view, &header.identity, &state, type, number);
    view->row.reason_code = header.reason_code;
    view->row.reason = header.reason;
    if (header.state.behind)
        say_behind(view, kv);
    if (PAWL_IS_TERMINAL(state.status) && tail.kind == PAWL_RECORD_ENDED)
        view->row.outcome = tail.body;
    if (header.state.has_document)
        status = read_document(view, registry, number, fault);
    if (status == PAWL_OK && header.state.has_attributes)
        status = read_attributes(view, registry, number, fault);
    if (status == PAWL_OK && state.paused != 0)
        status = read_pause(view, kv, number, state.paused, fault);
    if (status == PAWL_E_CORRUPT && !pawl_store_has_header(kv, number))
        return pawl_fault_set(fault, PAWL_E_NOT_FOUND, "registry.not_found", "there is no process number %llu",
                              (unsigned long long)number);
    if (status == PAWL_OK)
        lay_over(view, registry, number);
    return status;
}

pawl_status pawl_store_view_entry(pawl_store_view *view, pawl_store_registry *registry, const pawl_store_entry *entry,
                                  pawl_fault *fault)
{
    pthread_mutex_lock(&registry->lock);
    pawl_store_state state = entry->state;
    pthread_mutex_unlock(&registry->lock);
    fill(view, &entry->identity, &state, entry->type, entry->number);
    pawl_status status = state.has_document ? read_document(view, registry, entry->number, fault) : PAWL_OK;
    if (status == PAWL_OK && state.has_attributes)
        status = read_attributes(view, registry, entry->number, fault);
    if (status == PAWL_OK)
        lay_over(view, registry, entry->number);
    return status;
}

pawl_status pawl_store_view_count_ahead(pawl_store_view *view, pawl_store_registry *registry, pawl_fault *fault)
{
    pawl_key key;
    if (view->row.status != PAWL_READY || view->ready_sequence == 0)
        return PAWL_OK;
    pawl_store_key_lane(&key, view->type->id, view->priority, view->lane);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(registry->store->kv, PAWL_FAMILY_READY, &key);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pthread_mutex_lock(&registry->lock);
    uint64_t from = pawl_store_queue_begins_at(view->type, view->priority, view->lane);
    pthread_mutex_unlock(&registry->lock);
    size_t lane_size = key.size;
    pawl_key_u64(&key, from);
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&key)); cursor->valid; pawl_kv_cursor_next(cursor)) {
        pawl_reader reader = pawl_reader_of(cursor->key);
        reader.at += lane_size;
        if (pawl_reader_u64(&reader) >= view->ready_sequence || view->row.ahead >= PAWL_STORE_AHEAD_MAX)
            break;
        view->row.ahead++;
    }
    pawl_status status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    return status;
}

void pawl_store_view_finish(pawl_store_view *view)
{
    pawl_buffer_finish(&view->header);
    pawl_buffer_finish(&view->tail);
    pawl_buffer_finish(&view->document);
    pawl_buffer_finish(&view->attributes);
    pawl_buffer_finish(&view->paused);
}
