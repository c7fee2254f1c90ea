/* session.c: the session facet: revisioned key-value state. A commit is checked and written under the lock of its
 * stripe, so two commits of one session never interleave; the engine flushes commits of different sessions together.
 * Reads work on a snapshot and take no lock. */
#include "session.h"

#include "inbox.h"

#include <xxhash.h>

#define TAG_HEAD  0u /* -> revision */
#define TAG_VALUE 1u /* key -> value */

static pawl_status emit(const pawl_store *store, pawl_failure_sink *why, const pawl_fault *fault, pawl_status status)
{
    if (status != PAWL_OK && fault->status != PAWL_OK)
        pawl_fault_emit(&store->core, why, fault);
    return status;
}

static void key_of(pawl_key *key, pawl_bytes session, uint8_t tag, pawl_bytes name)
{
    pawl_key_start(key);
    pawl_key_part(key, session);
    pawl_key_u8(key, tag);
    pawl_key_append(key, name);
}

static void commit_key_of(pawl_key *key, pawl_bytes session, pawl_bytes commit_key)
{
    pawl_key_start(key);
    pawl_key_part(key, session);
    pawl_key_append(key, commit_key);
}

pthread_mutex_t *pawl_store_session_lock(pawl_store *store, pawl_bytes session)
{
    return &store->session_locks[XXH3_64bits(session.data, session.size) % STORE_STRIPES];
}

/* ---- commit ---- */

typedef struct committing {
    pawl_store *store;
    pawl_bytes session;
    pawl_bytes commit_key;
    const pawl_session_change *const *changes;
    size_t count;
    uint64_t fingerprint[2]; /* of the changes */
    uint64_t revision;       /* the current one */
    pawl_fault *fault;
} committing;

#define INVALID(...) pawl_fault_set(c->fault, PAWL_E_INVALID, "session.invalid", __VA_ARGS__)

static pawl_status check_change(committing *c, size_t index)
{
    const pawl_session_change *change = c->changes[index];
    if (change == NULL || change->struct_size < sizeof *change)
        return INVALID("change %zu of a session commit is too small", index + 1);
    if (change->kind != PAWL_SESSION_PUT && change->kind != PAWL_SESSION_DELETE && change->kind != PAWL_SESSION_PUT_NEW)
        return INVALID("change %zu of a session commit has the unknown kind %u", index + 1, change->kind);
    pawl_status status =
        pawl_store_check_name("a session key", change->key, PAWL_STORE_SESSION_KEY_BYTES_MAX, c->fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("a session value", change->value, c->store->value_bytes_max, c->fault);
    return status;
}

static pawl_status check(committing *c)
{
    pawl_status status = pawl_store_check_name("a session id", c->session, PAWL_STORE_ID_BYTES_MAX, c->fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("a commit key", c->commit_key, PAWL_STORE_POST_ID_BYTES_MAX, c->fault);
    if (status == PAWL_OK && c->count > PAWL_STORE_SESSION_CHANGES_MAX)
        status =
            pawl_store_limit(c->fault, "the changes of a session commit", c->count, PAWL_STORE_SESSION_CHANGES_MAX);
    for (size_t i = 0; i < c->count && status == PAWL_OK; i++)
        status = check_change(c, i);
    return status;
}

static void add_bytes(XXH3_state_t *hash, pawl_bytes bytes)
{
    const uint64_t size = bytes.size;
    XXH3_128bits_update(hash, &size, sizeof size);
    XXH3_128bits_update(hash, bytes.data, bytes.size);
}

static pawl_status take_fingerprint(committing *c)
{
    XXH3_state_t *hash = XXH3_createState();
    if (hash == NULL)
        return pawl_fault_nomem(c->fault);
    XXH3_128bits_reset(hash);
    for (size_t i = 0; i < c->count; i++) {
        const pawl_session_change *change = c->changes[i];
        XXH3_128bits_update(hash, &change->kind, sizeof change->kind);
        add_bytes(hash, change->key);
        if (change->kind != PAWL_SESSION_DELETE)
            add_bytes(hash, change->value);
    }
    XXH128_hash_t digest = XXH3_128bits_digest(hash);
    c->fingerprint[0] = digest.high64;
    c->fingerprint[1] = digest.low64;
    XXH3_freeState(hash);
    return PAWL_OK;
}

static pawl_status read_revision(committing *c)
{
    pawl_key key;
    pawl_buffer buffer = {0};
    pawl_reader reader = {0};
    key_of(&key, c->session, TAG_HEAD, (pawl_bytes){NULL, 0});
    pawl_status status = pawl_kv_get(c->store->kv, PAWL_FAMILY_SESSION, pawl_key_bytes(&key), &buffer, c->fault);
    if (status == PAWL_OK)
        status = pawl_row_open(&reader, PAWL_FAMILY_SESSION, pawl_key_bytes(&key),
                               (pawl_bytes){buffer.data, buffer.size}, c->fault);
    if (status == PAWL_OK)
        c->revision = pawl_reader_u64(&reader);
    pawl_buffer_finish(&buffer);
    return status == PAWL_E_NOT_FOUND ? PAWL_OK : status;
}

/* PAWL_E_NOT_FOUND: the commit key is new. PAWL_OK: the first outcome is in *revision. */
static pawl_status replay(committing *c, uint64_t *revision)
{
    if (c->commit_key.size == 0)
        return PAWL_E_NOT_FOUND;
    char text[300];
    pawl_key key;
    pawl_buffer buffer = {0};
    pawl_reader reader = {0};
    commit_key_of(&key, c->session, c->commit_key);
    pawl_status status = pawl_kv_get(c->store->kv, PAWL_FAMILY_COMMIT_KEY, pawl_key_bytes(&key), &buffer, c->fault);
    if (status == PAWL_OK)
        status = pawl_row_open(&reader, PAWL_FAMILY_COMMIT_KEY, pawl_key_bytes(&key),
                               (pawl_bytes){buffer.data, buffer.size}, c->fault);
    if (status == PAWL_OK) {
        uint64_t first = pawl_reader_u64(&reader);
        uint64_t high = pawl_reader_u64(&reader);
        uint64_t low = pawl_reader_u64(&reader);
        if (reader.bad)
            status = pawl_row_bad(PAWL_FAMILY_COMMIT_KEY, pawl_key_bytes(&key), "it is too short", c->fault);
        else if (high != c->fingerprint[0] || low != c->fingerprint[1])
            status = pawl_fault_set(c->fault, PAWL_E_CONFLICT, "session.conflict",
                                    "commit key \"%s\" was used before with other changes (revision %llu)",
                                    pawl_fault_text(c->commit_key, text, sizeof text), (unsigned long long)first);
        else
            *revision = first;
    }
    pawl_buffer_finish(&buffer);
    return status;
}

/* Is the key there, after the changes in front of this one? */
static pawl_status is_there(committing *c, size_t index, bool *there)
{
    pawl_bytes name = c->changes[index]->key;
    for (size_t i = index; i-- > 0;) {
        if (pawl_bytes_equal(c->changes[i]->key, name)) {
            *there = c->changes[i]->kind != PAWL_SESSION_DELETE;
            return PAWL_OK;
        }
    }
    pawl_key key;
    pawl_buffer buffer = {0};
    key_of(&key, c->session, TAG_VALUE, name);
    pawl_status status = pawl_kv_get(c->store->kv, PAWL_FAMILY_SESSION, pawl_key_bytes(&key), &buffer, c->fault);
    pawl_buffer_finish(&buffer);
    *there = status == PAWL_OK;
    return status == PAWL_E_NOT_FOUND ? PAWL_OK : status;
}

static pawl_status check_new_keys(committing *c)
{
    char text[300];
    for (size_t i = 0; i < c->count; i++) {
        bool there = false;
        if (c->changes[i]->kind != PAWL_SESSION_PUT_NEW)
            continue;
        pawl_status status = is_there(c, i, &there);
        if (status != PAWL_OK)
            return status;
        if (there)
            return pawl_fault_set(c->fault, PAWL_E_CONFLICT, "session.exists",
                                  "session key \"%s\" is there already; its first value stays",
                                  pawl_fault_text(c->changes[i]->key, text, sizeof text));
    }
    return PAWL_OK;
}

static void put_changes(const committing *c, pawl_batch *batch)
{
    pawl_key key;
    for (size_t i = 0; i < c->count; i++) {
        const pawl_session_change *change = c->changes[i];
        key_of(&key, c->session, TAG_VALUE, change->key);
        if (change->kind == PAWL_SESSION_DELETE) {
            pawl_batch_delete(batch, PAWL_FAMILY_SESSION, pawl_key_bytes(&key));
            continue;
        }
        pawl_batch_begin(batch, PAWL_FAMILY_SESSION, pawl_key_bytes(&key));
        pawl_buffer_append(&batch->bytes, change->value.data, change->value.size);
        pawl_batch_end(batch);
    }
    key_of(&key, c->session, TAG_HEAD, (pawl_bytes){NULL, 0});
    pawl_batch_begin(batch, PAWL_FAMILY_SESSION, pawl_key_bytes(&key));
    pawl_buffer_u64(&batch->bytes, c->revision + 1);
    pawl_batch_end(batch);
    if (c->commit_key.size > 0) {
        commit_key_of(&key, c->session, c->commit_key);
        pawl_batch_begin(batch, PAWL_FAMILY_COMMIT_KEY, pawl_key_bytes(&key));
        pawl_buffer_u64(&batch->bytes, c->revision + 1);
        pawl_buffer_u64(&batch->bytes, c->fingerprint[0]);
        pawl_buffer_u64(&batch->bytes, c->fingerprint[1]);
        pawl_batch_end(batch);
    }
}

static pawl_status write_changes(committing *c)
{
    pawl_batch batch = {0};
    put_changes(c, &batch);
    pawl_status status = pawl_kv_write(c->store->kv, &batch, true, c->fault);
    pawl_batch_finish(&batch);
    return status;
}

/* Under the session's lock; the checks in the order of the contract. PAWL_SUSPEND: known already, see *revision. */
static pawl_status check_locked(committing *c, uint64_t expected_revision, uint64_t *revision)
{
    pawl_status status = read_revision(c);
    if (status != PAWL_OK)
        return status;
    *revision = c->revision;
    status = replay(c, revision);
    if (status != PAWL_E_NOT_FOUND)
        return status == PAWL_OK ? PAWL_SUSPEND : status;
    if (expected_revision != PAWL_REVISION_ANY && expected_revision != c->revision)
        return pawl_fault_set(c->fault, PAWL_E_STALE, "session.stale",
                              "the session has revision %llu, not the expected %llu", (unsigned long long)c->revision,
                              (unsigned long long)expected_revision);
    return check_new_keys(c);
}

static pawl_status commit_locked(committing *c, uint64_t expected_revision, uint64_t *revision)
{
    pawl_status status = check_locked(c, expected_revision, revision);
    if (status == PAWL_SUSPEND)
        return PAWL_OK;
    if (status == PAWL_OK)
        status = write_changes(c);
    if (status == PAWL_OK)
        *revision = c->revision + 1;
    return status;
}

pawl_status pawl_store_session_stage(pawl_store *store, const pawl_queue_settle *settle, pawl_batch *batch,
                                     uint64_t *revision, pawl_fault *fault)
{
    committing c = {.store = store,
                    .session = settle->session,
                    .commit_key = settle->commit_key,
                    .changes = settle->changes,
                    .count = settle->change_count,
                    .fault = fault};
    pawl_status status = check(&c);
    if (status == PAWL_OK)
        status = take_fingerprint(&c);
    if (status == PAWL_OK)
        status = check_locked(&c, settle->expected_revision, revision);
    if (status != PAWL_OK)
        return status;
    put_changes(&c, batch);
    *revision = c.revision + 1;
    return PAWL_OK;
}

pawl_status pawl_store_session_commit(pawl_store *store, pawl_bytes session, uint64_t expected_revision,
                                      pawl_bytes commit_key, const pawl_session_change *const *changes, size_t count,
                                      uint64_t *revision, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    uint64_t result = 0;
    committing c = {.store = store,
                    .session = session,
                    .commit_key = commit_key,
                    .changes = changes,
                    .count = count,
                    .fault = &fault};
    pawl_status status = check(&c);
    if (status == PAWL_OK)
        status = take_fingerprint(&c);
    if (status == PAWL_OK) {
        pthread_mutex_lock(pawl_store_session_lock(store, session));
        status = commit_locked(&c, expected_revision, &result);
        pthread_mutex_unlock(pawl_store_session_lock(store, session));
        if (revision != NULL)
            *revision = result;
    }
    return emit(store, why, &fault, status);
}

/* ---- reading ---- */

/* A snapshot of one session, and its revision. */
static pawl_status open_snapshot(pawl_store *store, pawl_bytes session, pawl_kv_cursor **cursor, uint64_t *revision,
                                 pawl_fault *fault)
{
    pawl_key key;
    pawl_status status = pawl_store_check_name("a session id", session, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status != PAWL_OK)
        return status;
    pawl_key_start(&key);
    pawl_key_part(&key, session);
    *cursor = pawl_kv_cursor_prefix(store->kv, PAWL_FAMILY_SESSION, &key);
    if (*cursor == NULL)
        return pawl_fault_nomem(fault);
    key_of(&key, session, TAG_HEAD, (pawl_bytes){NULL, 0});
    pawl_kv_cursor_seek(*cursor, pawl_key_bytes(&key));
    status = pawl_kv_cursor_status(*cursor, fault);
    uint64_t found = 0;
    if (status == PAWL_OK && (*cursor)->valid) {
        pawl_reader reader = {0};
        status = pawl_row_open(&reader, PAWL_FAMILY_SESSION, (*cursor)->key, (*cursor)->value, fault);
        found = pawl_reader_u64(&reader);
    }
    if (status == PAWL_OK && revision != NULL)
        *revision = found;
    return status;
}

pawl_status pawl_store_session_get(pawl_store *store, pawl_bytes session, pawl_bytes name, pawl_sink *value,
                                   uint64_t *revision, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_key key;
    pawl_reader reader;
    pawl_kv_cursor *cursor = NULL;
    pawl_status status = pawl_store_check_name("a session key", name, PAWL_STORE_SESSION_KEY_BYTES_MAX, &fault);
    if (status == PAWL_OK)
        status = open_snapshot(store, session, &cursor, revision, &fault);
    if (status == PAWL_OK) {
        key_of(&key, session, TAG_VALUE, name);
        pawl_kv_cursor_seek(cursor, pawl_key_bytes(&key));
        status = pawl_kv_cursor_status(cursor, &fault);
    }
    if (status == PAWL_OK && (!cursor->valid || !pawl_bytes_equal(cursor->key, pawl_key_bytes(&key))))
        status = pawl_fault_set(&fault, PAWL_E_NOT_FOUND, "session.not_found", "the session has no such key");
    if (status == PAWL_OK)
        status = pawl_row_open(&reader, PAWL_FAMILY_SESSION, cursor->key, cursor->value, &fault);
    if (status == PAWL_OK) {
        pawl_bytes found = pawl_reader_rest(&reader);
        status = value == NULL ? PAWL_OK : store->core.sink_write(value, found.data, found.size);
    }
    pawl_kv_cursor_close(cursor);
    return emit(store, why, &fault, status);
}

static pawl_status visit_values(pawl_kv_cursor *cursor, pawl_bytes session, pawl_bytes prefix, pawl_session_visit visit,
                                void *context, pawl_fault *fault)
{
    pawl_key start;
    pawl_reader reader;
    key_of(&start, session, TAG_VALUE, prefix);
    size_t skip = start.size - prefix.size;
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&start));
         cursor->valid && pawl_bytes_start_with(cursor->key, pawl_key_bytes(&start)); pawl_kv_cursor_next(cursor)) {
        pawl_status status = pawl_row_open(&reader, PAWL_FAMILY_SESSION, cursor->key, cursor->value, fault);
        if (status != PAWL_OK)
            return status;
        pawl_bytes name = {(const char *)cursor->key.data + skip, cursor->key.size - skip};
        if (visit(context, name, pawl_reader_rest(&reader)) != 0)
            return PAWL_OK;
    }
    return pawl_kv_cursor_status(cursor, fault);
}

pawl_status pawl_store_session_scan(pawl_store *store, pawl_bytes session, pawl_bytes prefix, pawl_session_visit visit,
                                    void *context, uint64_t *revision, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_kv_cursor *cursor = NULL;
    pawl_status status =
        pawl_store_check_size("a prefix of session keys", prefix, PAWL_STORE_SESSION_KEY_BYTES_MAX, &fault);
    if (status == PAWL_OK)
        status = open_snapshot(store, session, &cursor, revision, &fault);
    if (status == PAWL_OK)
        status = visit_values(cursor, session, prefix, visit, context, &fault);
    pawl_kv_cursor_close(cursor);
    return emit(store, why, &fault, status);
}

/* ---- list ---- */

/* The session that a row belongs to; its name lies behind two bytes of length. False: the auditor's business. */
static bool session_of(pawl_bytes key, pawl_bytes *session)
{
    const uint8_t *data = key.data;
    size_t size = key.size < 2 ? SIZE_MAX : (size_t)data[0] << 8 | data[1];
    if (size > PAWL_STORE_ID_BYTES_MAX || size + 2 > key.size)
        return false;
    *session = (pawl_bytes){data + 2, size};
    return true;
}

static pawl_status visit_session(pawl_kv_cursor *cursor, pawl_bytes session, pawl_session_name_visit visit,
                                 void *context, bool *enough, pawl_fault *fault)
{
    pawl_reader reader = {0};
    pawl_status status = pawl_row_open(&reader, PAWL_FAMILY_SESSION, cursor->key, cursor->value, fault);
    if (status == PAWL_OK)
        *enough = visit(context, session, pawl_reader_u64(&reader)) != 0;
    return status;
}

pawl_status pawl_store_session_list(pawl_store *store, pawl_bytes after, uint32_t limit, pawl_session_name_visit visit,
                                    void *context, pawl_failure_sink *why)
{
    const pawl_bytes none = {NULL, 0};
    pawl_fault fault = {0};
    pawl_key from;
    pawl_status status = pawl_store_check_size("a session id", after, PAWL_STORE_ID_BYTES_MAX, &fault);
    if (status != PAWL_OK)
        return emit(store, why, &fault, status);
    pawl_key_start(&from);
    if (after.size > 0) {
        pawl_key_part(&from, after);
        pawl_key_successor(&from);
    }
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(store->kv, PAWL_FAMILY_SESSION, pawl_key_bytes(&from), none);
    if (cursor == NULL)
        return emit(store, why, &fault, pawl_fault_nomem(&fault));
    bool enough = limit == 0;
    pawl_kv_cursor_seek(cursor, pawl_key_bytes(&from));
    for (uint32_t count = 0; !enough && cursor->valid && status == PAWL_OK; enough = enough || ++count == limit) {
        pawl_bytes session;
        if (!session_of(cursor->key, &session))
            break;
        pawl_key_start(&from);
        pawl_key_part(&from, session);
        status = visit_session(cursor, session, visit, context, &enough, &fault);
        pawl_key_successor(&from);
        pawl_kv_cursor_seek(cursor, pawl_key_bytes(&from));
    }
    if (status == PAWL_OK)
        status = pawl_kv_cursor_status(cursor, &fault);
    pawl_kv_cursor_close(cursor);
    return emit(store, why, &fault, status);
}

/* ---- remove ---- */

static void delete_all(pawl_batch *batch, pawl_family family, pawl_bytes session)
{
    pawl_key from;
    pawl_key to;
    pawl_key_start(&from);
    pawl_key_part(&from, session);
    pawl_key_start(&to);
    pawl_key_part(&to, session);
    pawl_key_successor(&to); /* always there: the length in front is not all ones */
    pawl_batch_delete_range(batch, family, pawl_key_bytes(&from), pawl_key_bytes(&to));
}

pawl_status pawl_store_session_remove(pawl_store *store, pawl_bytes session, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_batch batch = {0};
    pawl_status status = pawl_store_check_name("a session id", session, PAWL_STORE_ID_BYTES_MAX, &fault);
    if (status == PAWL_OK) {
        delete_all(&batch, PAWL_FAMILY_SESSION, session);
        delete_all(&batch, PAWL_FAMILY_COMMIT_KEY, session);
        pawl_store_inbox_forget_session(&batch, session);
        pthread_mutex_lock(pawl_store_session_lock(store, session));
        status = pawl_kv_write(store->kv, &batch, true, &fault);
        pthread_mutex_unlock(pawl_store_session_lock(store, session));
    }
    pawl_batch_finish(&batch);
    return emit(store, why, &fault, status);
}
