/* inbox_wait.c: processes that wait for the queue of a session, without being held in memory; see inbox.h. Each has a
 * row. Whatever may make an item claimable tells them all, once, by a record in their journals, and takes their rows
 * away: who comes first claims, and the others wait again. Must never lose a wake-up:
 *
 *  - Rows of those who wait are written and taken by the committer alone, so a delivery comes either before somebody
 *    begins to wait, who looks at the queue once more when that is durable, or behind it, and finds the row.
 *  - What consumers and operators do is no round of the committer. If anybody waits, their write leaves a row of news,
 *    and the committer tells those who wait and takes the news in one write. News that comes while it does so may be
 *    taken along: those who wait are told behind it. */
#include "inbox.h"

#define NEWS_PER_ROUND 16u

/* ---- beginning to wait ---- */

static pawl_status check_wait(const pawl_queue_wait *wait, pawl_fault *fault)
{
    if (wait == NULL || wait->struct_size < sizeof *wait)
        return pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid", "the request of QUEUE_WAIT is too small");
    pawl_status status = pawl_store_check_name("a session id", wait->session, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_name("a process id", wait->id, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("what a process that waits is told", wait->body, PAWL_STORE_QUEUE_WAIT_BYTES_MAX,
                                       fault);
    return status;
}

static pawl_kv_cursor *cursor_of(pawl_store *store, uint8_t tag, pawl_bytes session)
{
    pawl_key prefix;
    pawl_store_inbox_prefix(&prefix, tag, session);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(store->kv, PAWL_FAMILY_INBOX, &prefix);
    if (cursor != NULL)
        pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix));
    return cursor;
}

/* Is there room for one more? Those of this round are not counted, which a limit can bear. */
static pawl_status has_room(pawl_store_round *round, const pawl_key *own, pawl_bytes session, pawl_fault *fault)
{
    size_t count = 0;
    bool known = false;
    pawl_kv_cursor *cursor = cursor_of(round->registry->store, STORE_INBOX_WAIT, session);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    for (; cursor->valid && !known; pawl_kv_cursor_next(cursor), count++)
        known = pawl_bytes_equal(cursor->key, pawl_key_bytes(own));
    pawl_status status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    if (status == PAWL_OK && !known && count >= PAWL_STORE_QUEUE_WAITS_MAX)
        status =
            pawl_store_limit(fault, "the processes that wait for one queue", count + 1, PAWL_STORE_QUEUE_WAITS_MAX);
    return status;
}

pawl_status pawl_store_stage_queue_wait(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault)
{
    char id[300];
    pawl_store_registry *registry = round->registry;
    const pawl_queue_wait *wait = op->request;
    pawl_store_entry *entry = NULL;
    pawl_status status = check_wait(wait, fault);
    if (status == PAWL_OK)
        status = pawl_store_entry_by_id(registry, wait->id, &entry, fault);
    if (status != PAWL_OK)
        return status;
    pthread_mutex_lock(&registry->lock);
    const pawl_store_stage *stage = pawl_store_stage_of(round, entry);
    pawl_store_entry_unpin(registry, entry);
    pthread_mutex_unlock(&registry->lock);
    if (stage == NULL)
        return pawl_fault_nomem(fault);
    if (PAWL_IS_TERMINAL(stage->state.status) || stage->pruned)
        return pawl_fault_set(fault, PAWL_E_TERMINAL, "registry.terminal", "process \"%s\" has already ended",
                              pawl_fault_text(wait->id, id, sizeof id));
    if (stage->entry->identity.external)
        return pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid",
                              "process \"%s\" is external: nothing here runs it that could wait",
                              pawl_fault_text(wait->id, id, sizeof id));
    pawl_key key;
    op->number = stage->entry->number;
    pawl_store_inbox_key(&key, STORE_INBOX_WAIT, wait->session, op->number);
    status = has_room(round, &key, wait->session, fault);
    if (status != PAWL_OK)
        return status;
    pawl_batch_begin(&round->rows, PAWL_FAMILY_INBOX, pawl_key_bytes(&key));
    pawl_buffer_append(&round->rows.bytes, wait->body.data, wait->body.size);
    pawl_batch_end(&round->rows);
    round->queue_waits = true;
    return PAWL_OK;
}

/* ---- being told ---- */

static pawl_status find_waiter(pawl_store_round *round, const pawl_kv_cursor *cursor, pawl_store_queue_waiter *waiter,
                               pawl_fault *fault)
{
    uint8_t tag;
    pawl_bytes session;
    pawl_reader row;
    pawl_fault bad = {0};
    if (!pawl_store_inbox_key_parts(cursor->key, &tag, &session, &waiter->number) ||
        pawl_row_open(&row, PAWL_FAMILY_INBOX, cursor->key, cursor->value, &bad) != PAWL_OK)
        return PAWL_OK; /* damaged: the auditor's business, and in nobody's way */
    const pawl_bytes body = pawl_reader_rest(&row);
    pawl_store_parent *told = &waiter->told;
    pawl_status status = pawl_store_stage_by_number(round, waiter->number, &told->stage, &told->leased, &bad);
    if (status == PAWL_E_CORRUPT || status == PAWL_E_NOT_FOUND) {
        told->stage = NULL;
        return PAWL_OK;
    }
    if (status != PAWL_OK) {
        *fault = bad;
        return status;
    }
    if (PAWL_IS_TERMINAL(told->stage->state.status) || told->stage->pruned || told->stage->queue_told) {
        told->stage = NULL;
        return PAWL_OK;
    }
    uint8_t *copy = pawl_store_arena_take(&round->arena, body.size + 1);
    if (copy == NULL)
        return pawl_fault_nomem(fault);
    if (body.size > 0)
        memcpy(copy, body.data, body.size);
    told->body = (pawl_bytes){copy, body.size};
    return pawl_store_told_prepare(round, told, fault);
}

pawl_status pawl_store_queue_waiters_find(pawl_store_round *round, pawl_bytes session, pawl_store_queue_waiter **ret,
                                          pawl_fault *fault)
{
    *ret = NULL;
    if (round->queue_waits)
        return PAWL_PENDING;
    pawl_kv_cursor *cursor = cursor_of(round->registry->store, STORE_INBOX_WAIT, session);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_status status = PAWL_OK;
    for (; cursor->valid && status == PAWL_OK; pawl_kv_cursor_next(cursor)) {
        pawl_store_queue_waiter *waiter = pawl_store_arena_take(&round->arena, sizeof *waiter);
        if (waiter == NULL) {
            status = pawl_fault_nomem(fault);
            break;
        }
        *waiter = (pawl_store_queue_waiter){.next = *ret};
        *ret = waiter;
        status = find_waiter(round, cursor, waiter, fault);
    }
    if (status == PAWL_OK)
        status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    return status;
}

static void delete_row(pawl_store_round *round, uint8_t tag, pawl_bytes session, uint64_t number)
{
    pawl_key key;
    pawl_store_inbox_key(&key, tag, session, number);
    pawl_batch_delete(&round->rows, PAWL_FAMILY_INBOX, pawl_key_bytes(&key));
}

void pawl_store_queue_waiters_tell(pawl_store_round *round, pawl_bytes session, const pawl_store_queue_waiter *first)
{
    for (const pawl_store_queue_waiter *waiter = first; waiter != NULL; waiter = waiter->next) {
        delete_row(round, STORE_INBOX_WAIT, session, waiter->number);
        pawl_store_told_stage(round, &waiter->told, PAWL_RECORD_NOTICE);
        if (waiter->told.stage != NULL)
            waiter->told.stage->queue_told = true;
    }
}

/* ---- news ---- */

pawl_status pawl_store_queue_news_stage(pawl_store *store, pawl_bytes session, pawl_batch *batch, bool *tell,
                                        pawl_fault *fault)
{
    pawl_kv_cursor *cursor = cursor_of(store, STORE_INBOX_WAIT, session);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    *tell = cursor->valid;
    pawl_status status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    if (status != PAWL_OK || !*tell)
        return status;
    pawl_key key;
    pawl_store_inbox_key(&key, STORE_INBOX_NEWS, session, 0);
    pawl_batch_mark(batch, PAWL_FAMILY_INBOX, pawl_key_bytes(&key));
    return PAWL_OK;
}

void pawl_store_queue_news_tell(pawl_store *store)
{
    atomic_store(&store->registry->queue_news, true);
    pawl_store_poke(store->registry);
}

bool pawl_store_queue_news_left(const pawl_store_registry *registry)
{
    return atomic_load(&registry->queue_news) && !registry->queue_news_wait;
}

static pawl_status tell_news(pawl_store_round *round, pawl_bytes key, pawl_fault *fault)
{
    uint8_t tag;
    uint64_t zero;
    pawl_bytes session;
    pawl_store_queue_waiter *waiters = NULL;
    if (!pawl_store_inbox_key_parts(key, &tag, &session, &zero))
        return PAWL_OK; /* the auditor's business */
    pawl_status status = pawl_store_queue_waiters_find(round, session, &waiters, fault);
    if (status != PAWL_OK)
        return status;
    pawl_store_queue_waiters_tell(round, session, waiters);
    pawl_batch_delete(&round->rows, PAWL_FAMILY_INBOX, key);
    return PAWL_OK;
}

static pawl_status tell_some(pawl_store_round *round, bool *more, pawl_fault *fault)
{
    const pawl_bytes every = {NULL, 0};
    size_t count = 0;
    pawl_kv_cursor *cursor = cursor_of(round->registry->store, STORE_INBOX_NEWS, every);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_status status = PAWL_OK;
    for (; cursor->valid && status == PAWL_OK; pawl_kv_cursor_next(cursor)) {
        if (count++ == NEWS_PER_ROUND || round->rows.bytes.size >= PAWL_STORE_ROUND_BYTES_MAX)
            break;
        status = tell_news(round, cursor->key, fault);
    }
    if (status == PAWL_OK)
        status = pawl_kv_cursor_status(cursor, fault);
    *more = cursor->valid;
    pawl_kv_cursor_close(cursor);
    return status;
}

void pawl_store_stage_queue_news(pawl_store_round *round)
{
    pawl_store_registry *registry = round->registry;
    pawl_fault fault = {0};
    bool more = false;
    if (!pawl_store_queue_news_left(registry) || round->closed || round->queue_waits ||
        round->rows.bytes.size >= PAWL_STORE_ROUND_BYTES_MAX)
        return;
    atomic_store(&registry->queue_news, false); /* first: what comes from here on is looked for again */
    pawl_status status = tell_some(round, &more, &fault);
    if (more || status != PAWL_OK)
        atomic_store(&registry->queue_news, true);
    if (status == PAWL_OK)
        return;
    registry->queue_news_wait = true;
    pawl_store_log(registry->store, PAWL_LOG_ERROR, "processes that wait for a queue are told later: %s",
                   fault.message);
}

/* ---- what was settled last ---- */

static void settled_key(pawl_key *key, pawl_bytes session, pawl_bytes holder)
{
    pawl_store_inbox_key(key, STORE_INBOX_SETTLED, session, pawl_store_hash(holder));
}

void pawl_store_inbox_put_settled(pawl_batch *batch, const pawl_queue_settle *settle)
{
    pawl_key key;
    settled_key(&key, settle->session, settle->holder);
    pawl_batch_begin(batch, PAWL_FAMILY_INBOX, pawl_key_bytes(&key));
    pawl_buffer_bytes(&batch->bytes, settle->holder);
    pawl_buffer_append(&batch->bytes, settle->commit_key.data, settle->commit_key.size);
    pawl_batch_end(batch);
}

pawl_status pawl_store_inbox_was_settled(pawl_store *store, const pawl_queue_settle *settle, pawl_fault *fault)
{
    pawl_key key;
    pawl_reader row;
    pawl_buffer buffer = {0};
    settled_key(&key, settle->session, settle->holder);
    pawl_status status = pawl_kv_get(store->kv, PAWL_FAMILY_INBOX, pawl_key_bytes(&key), &buffer, fault);
    if (status == PAWL_OK)
        status =
            pawl_row_open(&row, PAWL_FAMILY_INBOX, pawl_key_bytes(&key), (pawl_bytes){buffer.data, buffer.size}, fault);
    if (status == PAWL_OK) {
        const pawl_bytes holder = pawl_reader_bytes(&row);
        const pawl_bytes last = pawl_reader_rest(&row);
        if (row.bad || !pawl_bytes_equal(holder, settle->holder) || !pawl_bytes_equal(last, settle->commit_key))
            status = PAWL_E_NOT_FOUND;
    }
    pawl_buffer_finish(&buffer);
    return status;
}

/* ---- forgetting ---- */

/* Looked for first: most processes never had such a row, and a deletion costs every later look. */
pawl_status pawl_store_queue_forget(pawl_store_round *round, const pawl_store_stage *stage, pawl_fault *fault)
{
    const pawl_store_identity *identity = &stage->entry->identity;
    if (identity->session.size == 0)
        return PAWL_OK;
    pawl_key keys[2];
    pawl_store_inbox_key(&keys[0], STORE_INBOX_WAIT, identity->session, stage->entry->number);
    settled_key(&keys[1], identity->session, identity->id);
    for (size_t i = 0; i < 2; i++) {
        pawl_fault none = {0};
        pawl_status status = pawl_kv_get(round->registry->store->kv, PAWL_FAMILY_INBOX, pawl_key_bytes(&keys[i]),
                                         &round->scratch, &none);
        if (status == PAWL_OK || status == PAWL_E_CORRUPT)
            pawl_batch_delete(&round->rows, PAWL_FAMILY_INBOX, pawl_key_bytes(&keys[i]));
        else if (status != PAWL_E_NOT_FOUND) {
            *fault = none;
            return status;
        }
    }
    return PAWL_OK;
}
