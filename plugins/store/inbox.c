/* inbox.c: what consumers and operators do with the queue of a session; see inbox.h. Each function reads, checks and
 * writes one batch under the session's lock, and calls nobody back before that is done. */
#include "inbox.h"
#include "session.h"

#include <stdlib.h>

#define CLAIM_BYTES_MAX (32u << 20) /* a claim takes no further item beyond this */
#define TEND_BATCH      256u

static pawl_status finish(pawl_store *store, pawl_failure_sink *why, const pawl_fault *fault, pawl_status status)
{
    if (status < 0 && fault->status != PAWL_OK)
        pawl_fault_emit(&store->core, why, fault);
    return status;
}

#define INVALID(...) pawl_fault_set(fault, PAWL_E_INVALID, "queue.invalid", __VA_ARGS__)

static pawl_status read_claims(pawl_store *store, pawl_bytes session, uint64_t item, pawl_buffer *buffer,
                               pawl_store_inbox_claims *claims, pawl_fault *fault)
{
    pawl_key key;
    pawl_store_inbox_key(&key, STORE_INBOX_CLAIM, session, item);
    *claims = (pawl_store_inbox_claims){0};
    pawl_status status = pawl_kv_get(store->kv, PAWL_FAMILY_INBOX, pawl_key_bytes(&key), buffer, fault);
    if (status == PAWL_E_NOT_FOUND)
        return PAWL_OK;
    if (status == PAWL_OK)
        status = pawl_store_inbox_decode_claims(pawl_key_bytes(&key), (pawl_bytes){buffer->data, buffer->size}, claims,
                                                fault);
    return status;
}

static void apply_claims(pawl_queue_item *item, const pawl_store_inbox_claims *claims, uint64_t now)
{
    item->claims += claims->count;
    if (claims->token != 0 && claims->until_unix_ns > now) {
        item->state = PAWL_QUEUE_CLAIMED;
        item->token = claims->token;
        item->expires_unix_ns = claims->until_unix_ns;
        item->consumer = claims->consumer;
    } else if (claims->token == 0 && claims->until_unix_ns > item->available_unix_ns) {
        item->available_unix_ns = claims->until_unix_ns;
    }
}

static void delete_row(pawl_batch *batch, uint8_t tag, pawl_bytes session, uint64_t item)
{
    pawl_key key;
    pawl_store_inbox_key(&key, tag, session, item);
    pawl_batch_delete(batch, PAWL_FAMILY_INBOX, pawl_key_bytes(&key));
}

static void set_aside(pawl_batch *batch, pawl_bytes session, const pawl_queue_item *item)
{
    pawl_key key;
    delete_row(batch, STORE_INBOX_ITEM, session, item->item);
    delete_row(batch, STORE_INBOX_CLAIM, session, item->item);
    pawl_store_inbox_key(&key, STORE_INBOX_DEAD, session, item->item);
    pawl_store_inbox_put_item(batch, &key, item);
}

static pawl_status write_batch(pawl_store *store, const pawl_batch *batch, pawl_fault *fault)
{
    if (batch->bytes.failed)
        return pawl_fault_nomem(fault);
    return batch->count == 0 ? PAWL_OK : pawl_kv_write(store->kv, batch, true, fault);
}

/* ---- claim ---- */

/* A claim on its way. The rows of what was taken are kept until the write is done. */
typedef struct claiming {
    pawl_store *store;
    const pawl_queue_claim *request;
    uint64_t token;
    uint64_t now;
    uint64_t expires;
    uint64_t again;
    size_t taken;
    bool exclusive; /* the first one is */
    bool resumes;   /* what is taken was claimed before */
    pawl_buffer merge;
    pawl_buffer rows; /* of what was taken: key size, value size, key, value, claims */
    pawl_buffer scratch;
    pawl_batch batch;
} claiming;

static void keep_row(claiming *c, const pawl_kv_cursor *cursor, uint32_t claims)
{
    pawl_buffer_u32(&c->rows, (uint32_t)cursor->key.size);
    pawl_buffer_u32(&c->rows, (uint32_t)cursor->value.size);
    pawl_buffer_u32(&c->rows, claims);
    pawl_buffer_append(&c->rows, cursor->key.data, cursor->key.size);
    pawl_buffer_append(&c->rows, cursor->value.data, cursor->value.size);
}

/* May it go with those taken already? */
static bool fits(const claiming *c, const pawl_queue_item *item)
{
    if (c->taken == 0)
        return true;
    return !c->exclusive && item->exclusive == 0 && c->rows.size < CLAIM_BYTES_MAX &&
           pawl_bytes_equal(item->merge, (pawl_bytes){c->merge.data, c->merge.size});
}

/* The consumer has it already, and asks for that. */
static bool is_own(const claiming *c, const pawl_store_inbox_claims *claims)
{
    return c->request->resume != 0 && claims->token != 0 && pawl_bytes_equal(claims->consumer, c->request->consumer);
}

static void take_again(claiming *c, const pawl_kv_cursor *cursor, const pawl_queue_item *item,
                       const pawl_store_inbox_claims *claims)
{
    pawl_key key;
    pawl_store_inbox_claims held = *claims;
    c->taken++;
    c->resumes = true;
    c->token = claims->token;
    held.until_unix_ns = c->expires;
    held.consumer = c->request->consumer;
    pawl_store_inbox_key(&key, STORE_INBOX_CLAIM, c->request->session, item->item);
    pawl_store_inbox_put_claims(&c->batch, &key, &held);
    keep_row(c, cursor, item->claims + claims->count);
}

static void take(claiming *c, const pawl_kv_cursor *cursor, const pawl_queue_item *item)
{
    pawl_key key;
    if (c->taken++ == 0) {
        c->exclusive = item->exclusive != 0;
        pawl_buffer_append(&c->merge, item->merge.data, item->merge.size);
    }
    const pawl_store_inbox_claims claims = {
        .token = c->token, .until_unix_ns = c->expires, .count = item->claims + 1, .consumer = c->request->consumer};
    pawl_store_inbox_key(&key, STORE_INBOX_CLAIM, c->request->session, item->item);
    pawl_store_inbox_put_claims(&c->batch, &key, &claims);
    keep_row(c, cursor, claims.count);
}

/* From the first item on, up to one that cannot be claimed. */
static pawl_status take_items(claiming *c, pawl_kv_cursor *cursor, pawl_fault *fault)
{
    const pawl_queue_claim *request = c->request;
    for (; cursor->valid && c->taken < request->limit; pawl_kv_cursor_next(cursor)) {
        pawl_queue_item item;
        pawl_store_inbox_claims claims;
        pawl_status status = pawl_store_inbox_decode(cursor->key, cursor->value, &item, fault);
        if (status == PAWL_OK)
            status = read_claims(c->store, request->session, item.item, &c->scratch, &claims, fault);
        if (status != PAWL_OK)
            return status;
        if (is_own(c, &claims) && (c->taken == 0 || (c->resumes && claims.token == c->token))) {
            take_again(c, cursor, &item, &claims);
            continue;
        }
        if (c->resumes)
            break;
        apply_claims(&item, &claims, c->now);
        c->again = item.state == PAWL_QUEUE_CLAIMED ? item.expires_unix_ns : item.available_unix_ns;
        if (c->again > c->now)
            return PAWL_OK;
        if (request->claims_max != 0 && item.claims >= request->claims_max) {
            set_aside(&c->batch, request->session, &item);
            continue;
        }
        if (!fits(c, &item))
            return PAWL_OK;
        take(c, cursor, &item);
    }
    c->again = 0;
    return pawl_kv_cursor_status(cursor, fault);
}

static pawl_status claim_locked(claiming *c, pawl_fault *fault)
{
    pawl_key prefix;
    pawl_store_inbox_prefix(&prefix, STORE_INBOX_ITEM, c->request->session);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(c->store->kv, PAWL_FAMILY_INBOX, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix));
    pawl_status status = take_items(c, cursor, fault);
    pawl_kv_cursor_close(cursor);
    if (status == PAWL_OK && (c->rows.failed || c->merge.failed))
        status = pawl_fault_nomem(fault);
    return status == PAWL_OK ? write_batch(c->store, &c->batch, fault) : status;
}

static void show(const claiming *c, pawl_queue_visit visit, void *context)
{
    pawl_reader rows = pawl_reader_of((pawl_bytes){c->rows.data, c->rows.size});
    for (size_t i = 0; i < c->taken; i++) {
        size_t key_size = pawl_reader_u32(&rows);
        size_t value_size = pawl_reader_u32(&rows);
        uint32_t claims = pawl_reader_u32(&rows);
        pawl_queue_item item;
        const pawl_bytes key = {rows.at, key_size};
        const pawl_bytes value = {rows.at + key_size, value_size};
        rows.at += key_size + value_size;
        if (pawl_store_inbox_decode(key, value, &item, NULL) != PAWL_OK)
            continue; /* it was decoded before */
        item.state = PAWL_QUEUE_CLAIMED;
        item.token = c->token;
        item.claims = claims;
        item.expires_unix_ns = c->expires;
        item.consumer = c->request->consumer;
        if (visit(context, &item) != 0)
            return;
    }
}

static pawl_status check_claim(const pawl_queue_claim *claim, pawl_fault *fault)
{
    if (claim == NULL || claim->struct_size < sizeof *claim)
        return INVALID("the request of a claim is too small");
    pawl_status status = pawl_store_check_name("a session id", claim->session, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_name("a consumer", claim->consumer, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status == PAWL_OK && (claim->limit == 0 || claim->limit > PAWL_STORE_LIST_PAGE_MAX))
        return INVALID("a claim of %u items; wanted 1 to %u", claim->limit, PAWL_STORE_LIST_PAGE_MAX);
    if (status == PAWL_OK && claim->lease_ns == 0)
        return INVALID("a claim for no time; wanted at least one nanosecond");
    return status;
}

static uint64_t later(uint64_t now, uint64_t span)
{
    return span > UINT64_MAX - now ? UINT64_MAX : now + span;
}

pawl_status pawl_store_inbox_claim(pawl_store *store, const pawl_queue_claim *claim, pawl_queue_visit visit,
                                   void *context, uint64_t *again_unix_ns, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    claiming c = {.store = store, .request = claim};
    pawl_status status = check_claim(claim, &fault);
    if (status == PAWL_OK)
        status = pawl_store_ticket(store, &c.token, &fault);
    if (status == PAWL_OK) {
        pthread_mutex_t *lock = pawl_store_session_lock(store, claim->session);
        pthread_mutex_lock(lock);
        c.now = pawl_store_unix_now(store);
        c.expires = later(c.now, claim->lease_ns);
        status = claim_locked(&c, &fault);
        pthread_mutex_unlock(lock);
    }
    if (status == PAWL_OK)
        show(&c, visit, context);
    if (again_unix_ns != NULL)
        *again_unix_ns = c.taken > 0 ? 0 : c.again;
    pawl_batch_finish(&c.batch);
    pawl_buffer_finish(&c.merge);
    pawl_buffer_finish(&c.rows);
    pawl_buffer_finish(&c.scratch);
    return finish(store, why, &fault, status);
}

/* ---- settle ---- */

static pawl_status stale(uint64_t item, uint64_t token, pawl_fault *fault)
{
    return pawl_fault_set(fault, PAWL_E_STALE, "queue.claim_expired",
                          "claim %llu does not hold item %llu any more: it was settled, or its time was over and "
                          "somebody else has claimed it",
                          (unsigned long long)token, (unsigned long long)item);
}

static pawl_status release_item(pawl_store *store, const pawl_queue_settle *settle, const pawl_key *key,
                                const pawl_store_inbox_claims *claims, uint64_t now, pawl_batch *batch,
                                pawl_fault *fault)
{
    pawl_key item_key;
    uint64_t number = 0;
    uint8_t tag;
    pawl_bytes session;
    const pawl_store_inbox_claims given_back = {.until_unix_ns = later(now, settle->delay_ns), .count = claims->count};
    pawl_store_inbox_put_claims(batch, key, &given_back);
    if (settle->claims_max == 0 || claims->count < settle->claims_max)
        return PAWL_OK;
    pawl_queue_item item;
    pawl_buffer buffer = {0};
    (void)pawl_store_inbox_key_parts(pawl_key_bytes(key), &tag, &session, &number);
    pawl_store_inbox_key(&item_key, STORE_INBOX_ITEM, settle->session, number);
    pawl_status status = pawl_kv_get(store->kv, PAWL_FAMILY_INBOX, pawl_key_bytes(&item_key), &buffer, fault);
    if (status == PAWL_OK)
        status =
            pawl_store_inbox_decode(pawl_key_bytes(&item_key), (pawl_bytes){buffer.data, buffer.size}, &item, fault);
    if (status == PAWL_OK) {
        item.claims += claims->count;
        set_aside(batch, settle->session, &item);
    }
    pawl_buffer_finish(&buffer);
    return status;
}

static pawl_status settle_item(pawl_store *store, const pawl_queue_settle *settle, uint64_t number, uint64_t now,
                               pawl_batch *batch, pawl_buffer *scratch, pawl_fault *fault)
{
    pawl_key key;
    pawl_store_inbox_claims claims;
    pawl_status status = read_claims(store, settle->session, number, scratch, &claims, fault);
    if (status != PAWL_OK)
        return status;
    if (claims.token == 0 || claims.token != settle->token)
        return stale(number, settle->token, fault);
    pawl_store_inbox_key(&key, STORE_INBOX_CLAIM, settle->session, number);
    switch (settle->action) {
    case PAWL_QUEUE_ACKNOWLEDGE:
        delete_row(batch, STORE_INBOX_ITEM, settle->session, number);
        delete_row(batch, STORE_INBOX_CLAIM, settle->session, number);
        return PAWL_OK;
    case PAWL_QUEUE_EXTEND:
        claims.until_unix_ns = later(now, settle->delay_ns);
        pawl_store_inbox_put_claims(batch, &key, &claims);
        return PAWL_OK;
    default:
        return release_item(store, settle, &key, &claims, now, batch, fault);
    }
}

/* Everything is checked before anything is written; the commit first, whose key may answer for an earlier try. */
static pawl_status settle_locked(pawl_store *store, const pawl_queue_settle *settle, uint64_t *revision, bool *tell,
                                 pawl_fault *fault)
{
    pawl_batch batch = {0};
    pawl_buffer scratch = {0};
    uint64_t now = pawl_store_unix_now(store);
    pawl_status status = PAWL_OK;
    if (settle->commit != 0) {
        status = pawl_store_session_stage(store, settle, &batch, revision, fault);
    } else if (settle->holder.size > 0) {
        status = pawl_store_inbox_was_settled(store, settle, fault);
        status = status == PAWL_OK ? PAWL_SUSPEND : status == PAWL_E_NOT_FOUND ? PAWL_OK : status;
        pawl_store_inbox_put_settled(&batch, settle);
    }
    if (status == PAWL_OK && settle->action != PAWL_QUEUE_EXTEND)
        status = pawl_store_queue_news_stage(store, settle->session, &batch, tell, fault);
    for (size_t i = 0; i < settle->item_count && status == PAWL_OK; i++)
        status = settle_item(store, settle, settle->items[i], now, &batch, &scratch, fault);
    if (status == PAWL_OK)
        status = write_batch(store, &batch, fault);
    pawl_buffer_finish(&scratch);
    pawl_batch_finish(&batch);
    *tell = *tell && status == PAWL_OK;
    return status == PAWL_SUSPEND ? PAWL_OK : status;
}

static pawl_status check_items(const uint64_t *items, size_t count, pawl_fault *fault)
{
    if (count > PAWL_STORE_LIST_PAGE_MAX)
        return pawl_store_limit(fault, "the items of one request", count, PAWL_STORE_LIST_PAGE_MAX);
    if (count > 0 && items == NULL)
        return INVALID("%zu items and no list of them", count);
    return PAWL_OK;
}

static pawl_status check_settle(const pawl_queue_settle *settle, pawl_fault *fault)
{
    if (settle == NULL || settle->struct_size < sizeof *settle)
        return INVALID("the request that settles a claim is too small");
    if (settle->action < PAWL_QUEUE_ACKNOWLEDGE || settle->action > PAWL_QUEUE_EXTEND)
        return INVALID("a claim is settled by action %u; wanted 1 to 3", settle->action);
    if (settle->commit != 0 && settle->action != PAWL_QUEUE_ACKNOWLEDGE)
        return INVALID("only what acknowledges items can commit state with it");
    if (settle->item_count == 0)
        return INVALID("a claim is settled for no items");
    if (settle->holder.size > 0 && settle->commit == 0 && settle->commit_key.size == 0)
        return INVALID("what a process settles needs a key");
    pawl_status status = check_items(settle->items, settle->item_count, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_name("a session id", settle->session, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("a commit key", settle->commit_key, PAWL_STORE_POST_ID_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("the holder of a claim", settle->holder, PAWL_STORE_ID_BYTES_MAX, fault);
    return status;
}

pawl_status pawl_store_inbox_settle(pawl_store *store, const pawl_queue_settle *settle, uint64_t *revision,
                                    pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    uint64_t result = 0;
    bool tell = false;
    pawl_status status = check_settle(settle, &fault);
    if (status == PAWL_OK) {
        pthread_mutex_t *lock = pawl_store_session_lock(store, settle->session);
        pthread_mutex_lock(lock);
        status = settle_locked(store, settle, &result, &tell, &fault);
        pthread_mutex_unlock(lock);
    }
    if (tell)
        pawl_store_queue_news_tell(store);
    if (revision != NULL)
        *revision = result;
    return finish(store, why, &fault, status);
}

/* ---- looking and tending ---- */

static pawl_status visit_items(pawl_store *store, pawl_kv_cursor *cursor, pawl_bytes session, uint32_t limit,
                               pawl_queue_visit visit, void *context, pawl_fault *fault)
{
    pawl_buffer scratch = {0};
    uint64_t now = pawl_store_unix_now(store);
    pawl_status status = PAWL_OK;
    for (uint32_t i = 0; i < limit && cursor->valid && status == PAWL_OK; i++, pawl_kv_cursor_next(cursor)) {
        pawl_queue_item item;
        pawl_store_inbox_claims claims = {0};
        status = pawl_store_inbox_decode(cursor->key, cursor->value, &item, fault);
        if (status == PAWL_OK && item.state != PAWL_QUEUE_DEAD)
            status = read_claims(store, session, item.item, &scratch, &claims, fault);
        if (status != PAWL_OK)
            break;
        apply_claims(&item, &claims, now);
        if (visit(context, &item) != 0)
            break;
    }
    pawl_buffer_finish(&scratch);
    return status == PAWL_OK ? pawl_kv_cursor_status(cursor, fault) : status;
}

pawl_status pawl_store_inbox_list(pawl_store *store, pawl_bytes session, uint32_t dead, uint64_t after, uint32_t limit,
                                  pawl_queue_visit visit, void *context, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    uint8_t tag = dead != 0 ? STORE_INBOX_DEAD : STORE_INBOX_ITEM;
    pawl_status status = pawl_store_check_name("a session id", session, PAWL_STORE_ID_BYTES_MAX, &fault);
    pawl_kv_cursor *cursor = NULL;
    if (status == PAWL_OK) {
        pawl_key prefix;
        pawl_store_inbox_prefix(&prefix, tag, session);
        cursor = pawl_kv_cursor_prefix(store->kv, PAWL_FAMILY_INBOX, &prefix);
        if (cursor == NULL)
            status = pawl_fault_nomem(&fault);
    }
    if (status == PAWL_OK && after != UINT64_MAX) {
        pawl_key from;
        pawl_store_inbox_key(&from, tag, session, after + 1);
        pawl_kv_cursor_seek(cursor, pawl_key_bytes(&from));
        status = visit_items(store, cursor, session, limit, visit, context, &fault);
    }
    pawl_kv_cursor_close(cursor);
    return finish(store, why, &fault, status);
}

/* An item by its number, dead or not. */
static pawl_status find_item(pawl_store *store, pawl_bytes session, uint64_t number, pawl_buffer *buffer,
                             pawl_queue_item *item, pawl_fault *fault)
{
    static const uint8_t tags[] = {STORE_INBOX_DEAD, STORE_INBOX_ITEM};
    for (size_t i = 0; i < sizeof tags; i++) {
        pawl_key key;
        pawl_store_inbox_key(&key, tags[i], session, number);
        pawl_status status = pawl_kv_get(store->kv, PAWL_FAMILY_INBOX, pawl_key_bytes(&key), buffer, fault);
        if (status == PAWL_OK)
            return pawl_store_inbox_decode(pawl_key_bytes(&key), (pawl_bytes){buffer->data, buffer->size}, item, fault);
        if (status != PAWL_E_NOT_FOUND)
            return status;
    }
    return pawl_fault_set(fault, PAWL_E_NOT_FOUND, "queue.not_found", "the queue has no item %llu",
                          (unsigned long long)number);
}

static pawl_status redrive(pawl_store *store, pawl_bytes session, pawl_queue_item *item, pawl_batch *batch,
                           pawl_fault *fault)
{
    pawl_key key;
    uint64_t place;
    if (item->state != PAWL_QUEUE_DEAD)
        return pawl_fault_set(fault, PAWL_E_NOT_FOUND, "queue.not_dead", "item %llu is in the queue; it is not dead",
                              (unsigned long long)item->item);
    pawl_status status = pawl_store_ticket(store, &place, fault);
    if (status != PAWL_OK)
        return status;
    delete_row(batch, STORE_INBOX_DEAD, session, item->item);
    item->claims = 0;
    pawl_store_inbox_key(&key, STORE_INBOX_ITEM, session, place);
    pawl_store_inbox_put_item(batch, &key, item);
    return PAWL_OK;
}

static pawl_status drop(pawl_store *store, pawl_bytes session, const pawl_queue_item *item, pawl_batch *batch,
                        pawl_fault *fault)
{
    pawl_buffer scratch = {0};
    pawl_store_inbox_claims claims = {0};
    pawl_status status = PAWL_OK;
    if (item->state != PAWL_QUEUE_DEAD)
        status = read_claims(store, session, item->item, &scratch, &claims, fault);
    if (status == PAWL_OK && claims.token != 0 && claims.until_unix_ns > pawl_store_unix_now(store))
        status = pawl_fault_set(fault, PAWL_E_BUSY, "queue.claimed", "item %llu is claimed now",
                                (unsigned long long)item->item);
    pawl_buffer_finish(&scratch);
    if (status != PAWL_OK)
        return status;
    delete_row(batch, STORE_INBOX_DEAD, session, item->item);
    delete_row(batch, STORE_INBOX_ITEM, session, item->item);
    delete_row(batch, STORE_INBOX_CLAIM, session, item->item);
    return PAWL_OK;
}

static pawl_status tend_one(pawl_store *store, pawl_bytes session, uint32_t action, pawl_queue_item *item,
                            pawl_batch *batch, pawl_fault *fault)
{
    return action == PAWL_QUEUE_REDRIVE ? redrive(store, session, item, batch, fault)
                                        : drop(store, session, item, batch, fault);
}

static pawl_status tend_some(pawl_store *store, pawl_bytes session, uint32_t action, const uint64_t *items,
                             size_t count, uint64_t *done, bool *tell, pawl_fault *fault)
{
    pawl_batch batch = {0};
    pawl_buffer buffer = {0};
    pawl_status status = PAWL_OK;
    for (size_t i = 0; i < count && status == PAWL_OK; i++) {
        pawl_queue_item item;
        status = find_item(store, session, items[i], &buffer, &item, fault);
        if (status == PAWL_OK)
            status = tend_one(store, session, action, &item, &batch, fault);
    }
    if (status == PAWL_OK)
        status = pawl_store_queue_news_stage(store, session, &batch, tell, fault);
    if (status == PAWL_OK)
        status = write_batch(store, &batch, fault);
    if (status == PAWL_OK)
        *done = count;
    pawl_buffer_finish(&buffer);
    pawl_batch_finish(&batch);
    return status;
}

/* All dead ones, so many at a time: it may stop anywhere, and *done says how far it came. */
static pawl_status tend_all(pawl_store *store, pawl_bytes session, uint32_t action, uint64_t *done, bool *tell,
                            pawl_fault *fault)
{
    pawl_key prefix;
    pawl_batch batch = {0};
    pawl_store_inbox_prefix(&prefix, STORE_INBOX_DEAD, session);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(store->kv, PAWL_FAMILY_INBOX, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_status status = PAWL_OK;
    uint64_t staged = 0;
    pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix));
    while (status == PAWL_OK) {
        bool more = cursor->valid;
        pawl_queue_item item;
        if (more)
            status = pawl_store_inbox_decode(cursor->key, cursor->value, &item, fault);
        if (more && status == PAWL_OK)
            status = tend_one(store, session, action, &item, &batch, fault);
        staged += more && status == PAWL_OK;
        if (status == PAWL_OK && staged > 0 && (!more || staged == TEND_BATCH)) {
            status = pawl_store_queue_news_stage(store, session, &batch, tell, fault);
            if (status == PAWL_OK)
                status = write_batch(store, &batch, fault);
            *done += status == PAWL_OK ? staged : 0;
            staged = 0;
            pawl_batch_clear(&batch);
        }
        if (!more)
            break;
        pawl_kv_cursor_next(cursor);
    }
    if (status == PAWL_OK)
        status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    pawl_batch_finish(&batch);
    return status;
}

pawl_status pawl_store_inbox_tend(pawl_store *store, pawl_bytes session, uint32_t action, const uint64_t *items,
                                  size_t count, uint64_t *done, pawl_failure_sink *why)
{
    pawl_fault bad = {0};
    pawl_fault *fault = &bad;
    uint64_t made = 0;
    bool tell = false;
    pawl_status status = pawl_store_check_name("a session id", session, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status == PAWL_OK && action != PAWL_QUEUE_REDRIVE && action != PAWL_QUEUE_DROP)
        status = INVALID("a queue is tended by action %u; wanted 1 or 2", action);
    if (status == PAWL_OK)
        status = check_items(items, count, fault);
    if (status == PAWL_OK) {
        pthread_mutex_t *lock = pawl_store_session_lock(store, session);
        pthread_mutex_lock(lock);
        status = count == 0 ? tend_all(store, session, action, &made, &tell, fault)
                            : tend_some(store, session, action, items, count, &made, &tell, fault);
        pthread_mutex_unlock(lock);
    }
    if (tell)
        pawl_store_queue_news_tell(store);
    if (done != NULL)
        *done = made;
    return finish(store, why, fault, status);
}
