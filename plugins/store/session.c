/* session.c: the session facet: revisioned key-value state. A commit checks in the order of pawl_abi.h and writes
 * values, revision and commit key in one batch. */
#include "facets.h"
#include "store.h"

#include <xxhash.h>

/* Rows of a session: part(session) 0 -> revision; part(session) 1 key -> value. */
static void revision_key(pawl_key *key, pawl_bytes session)
{
    pawl_key_start(key);
    pawl_key_part(key, session);
    pawl_key_u8(key, 0);
}

static void value_key(pawl_key *key, pawl_bytes session, pawl_bytes name)
{
    pawl_key_start(key);
    pawl_key_part(key, session);
    pawl_key_u8(key, 1);
    pawl_key_append(key, name);
}

static void commit_key_row(pawl_key *key, pawl_bytes session, pawl_bytes commit_key)
{
    pawl_key_start(key);
    pawl_key_part(key, session);
    pawl_key_append(key, commit_key);
}

/* One writer at a time for a session: check and write are one step. */
static pthread_mutex_t *lock_of(pawl_store *store, pawl_bytes session)
{
    return &store->session_locks[XXH3_64bits(session.data, session.size) % STORE_STRIPES];
}

static pawl_status read_revision(pawl_store *store, pawl_bytes session, uint64_t *ret, pawl_fault *fault)
{
    pawl_key key;
    pawl_buffer value = {0};
    revision_key(&key, session);
    *ret = 0;
    pawl_status status = pawl_kv_get(store->kv, PAWL_FAMILY_SESSION, pawl_key_bytes(&key), &value, fault);
    if (status == PAWL_E_NOT_FOUND) {
        status = PAWL_OK;
    } else if (status == PAWL_OK) {
        pawl_reader reader = {0};
        status = pawl_row_open(&reader, PAWL_FAMILY_SESSION, pawl_key_bytes(&key), (pawl_bytes){value.data, value.size},
                               fault);
        if (status == PAWL_OK)
            *ret = pawl_reader_u64(&reader);
        if (status == PAWL_OK && reader.bad)
            status = pawl_row_bad(PAWL_FAMILY_SESSION, pawl_key_bytes(&key), "no revision", fault);
    }
    pawl_buffer_finish(&value);
    return status;
}

static uint64_t fingerprint_of(const pawl_session_change *const *changes, size_t count)
{
    XXH64_hash_t hash = count;
    for (size_t i = 0; i < count; i++) {
        uint64_t sizes[3] = {changes[i]->kind, changes[i]->key.size, changes[i]->value.size};
        hash = XXH3_64bits_withSeed(sizes, sizeof sizes, hash);
        hash = XXH3_64bits_withSeed(changes[i]->key.data, changes[i]->key.size, hash);
        if (changes[i]->kind != PAWL_SESSION_DELETE)
            hash = XXH3_64bits_withSeed(changes[i]->value.data, changes[i]->value.size, hash);
    }
    return hash;
}

static pawl_status check_changes(const pawl_store *store, const pawl_session_change *const *changes, size_t count,
                                 pawl_fault *fault)
{
    if (count > PAWL_STORE_SESSION_CHANGES_MAX)
        return pawl_fault_set(fault, PAWL_E_LIMIT, "session.changes", "%zu changes in one commit, allowed are %u",
                              count, PAWL_STORE_SESSION_CHANGES_MAX);
    for (size_t i = 0; i < count; i++) {
        pawl_status status = store_check_name("session key", changes[i]->key, PAWL_STORE_SESSION_KEY_BYTES_MAX, fault);
        if (status != PAWL_OK)
            return status;
        if (changes[i]->kind < PAWL_SESSION_PUT || changes[i]->kind > PAWL_SESSION_PUT_NEW)
            return pawl_fault_set(fault, PAWL_E_INVALID, "session.change", "change %zu has kind %u, wanted 1 to 3", i,
                                  changes[i]->kind);
        if (changes[i]->value.size > store->value_bytes_max)
            return pawl_fault_set(fault, PAWL_E_LIMIT, "session.value", "a value has %zu bytes, allowed are %llu",
                                  changes[i]->value.size, (unsigned long long)store->value_bytes_max);
    }
    return PAWL_OK;
}

/* The earlier outcome of a commit key, if it was used. PAWL_E_NOT_FOUND: it was not. */
static pawl_status find_commit(pawl_store *store, pawl_bytes session, pawl_bytes commit_key, uint64_t fingerprint,
                               uint64_t *revision, pawl_fault *fault)
{
    pawl_key key;
    pawl_buffer value = {0};
    commit_key_row(&key, session, commit_key);
    pawl_status status = pawl_kv_get(store->kv, PAWL_FAMILY_COMMIT_KEY, pawl_key_bytes(&key), &value, fault);
    pawl_reader reader = {0};
    if (status == PAWL_OK)
        status = pawl_row_open(&reader, PAWL_FAMILY_COMMIT_KEY, pawl_key_bytes(&key),
                               (pawl_bytes){value.data, value.size}, fault);
    if (status == PAWL_OK) {
        uint64_t first = pawl_reader_u64(&reader), used_for = pawl_reader_u64(&reader);
        char text[80];
        if (reader.bad)
            status = pawl_row_bad(PAWL_FAMILY_COMMIT_KEY, pawl_key_bytes(&key), "too short", fault);
        else if (used_for != fingerprint)
            status = pawl_fault_set(fault, PAWL_E_CONFLICT, "session.commit_key",
                                    "commit key %s was used before with other changes, at revision %llu",
                                    pawl_fault_text(commit_key, text, sizeof text), (unsigned long long)first);
        else
            *revision = first;
    }
    pawl_buffer_finish(&value);
    return status;
}

static pawl_status check_new(pawl_store *store, pawl_bytes session, const pawl_session_change *change,
                             pawl_fault *fault)
{
    pawl_key key;
    pawl_buffer value = {0};
    char text[80];
    value_key(&key, session, change->key);
    pawl_status status = pawl_kv_get(store->kv, PAWL_FAMILY_SESSION, pawl_key_bytes(&key), &value, fault);
    pawl_buffer_finish(&value);
    if (status == PAWL_E_NOT_FOUND)
        return PAWL_OK;
    if (status == PAWL_OK)
        return pawl_fault_set(fault, PAWL_E_CONFLICT, "session.exists", "key %s has a value, which stays",
                              pawl_fault_text(change->key, text, sizeof text));
    return status;
}

static pawl_status write_changes(pawl_store *store, pawl_bytes session, pawl_bytes commit_key, uint64_t fingerprint,
                                 uint64_t revision, const pawl_session_change *const *changes, size_t count,
                                 pawl_fault *fault)
{
    pawl_batch batch = {0};
    pawl_key key;
    for (size_t i = 0; i < count; i++) {
        value_key(&key, session, changes[i]->key);
        if (changes[i]->kind == PAWL_SESSION_DELETE) {
            pawl_batch_delete(&batch, PAWL_FAMILY_SESSION, pawl_key_bytes(&key));
            continue;
        }
        pawl_batch_begin(&batch, PAWL_FAMILY_SESSION, pawl_key_bytes(&key));
        pawl_buffer_append(&batch.bytes, changes[i]->value.data, changes[i]->value.size);
        pawl_batch_end(&batch);
    }
    revision_key(&key, session);
    pawl_batch_begin(&batch, PAWL_FAMILY_SESSION, pawl_key_bytes(&key));
    pawl_buffer_u64(&batch.bytes, revision);
    pawl_batch_end(&batch);
    if (commit_key.size > 0) {
        commit_key_row(&key, session, commit_key);
        pawl_batch_begin(&batch, PAWL_FAMILY_COMMIT_KEY, pawl_key_bytes(&key));
        pawl_buffer_u64(&batch.bytes, revision);
        pawl_buffer_u64(&batch.bytes, fingerprint);
        pawl_batch_end(&batch);
    }
    pawl_status status = batch.bytes.failed ? pawl_fault_nomem(fault) : pawl_kv_write(store->kv, &batch, true, fault);
    pawl_batch_finish(&batch);
    return status;
}

/* The checks in their order, then the write. Locked. */
static pawl_status commit_locked(pawl_store *store, pawl_bytes session, uint64_t expected, pawl_bytes commit_key,
                                 const pawl_session_change *const *changes, size_t count, uint64_t *revision,
                                 pawl_fault *fault)
{
    uint64_t fingerprint = fingerprint_of(changes, count);
    if (commit_key.size > 0) {
        pawl_status found = find_commit(store, session, commit_key, fingerprint, revision, fault);
        if (found != PAWL_E_NOT_FOUND)
            return found;
    }
    uint64_t current;
    pawl_status status = read_revision(store, session, &current, fault);
    if (status != PAWL_OK)
        return status;
    *revision = current;
    if (expected != PAWL_REVISION_ANY && expected != current)
        return pawl_fault_set(fault, PAWL_E_STALE, "session.revision",
                              "the session is at revision %llu, expected was %llu", (unsigned long long)current,
                              (unsigned long long)expected);
    for (size_t i = 0; i < count && status == PAWL_OK; i++)
        if (changes[i]->kind == PAWL_SESSION_PUT_NEW)
            status = check_new(store, session, changes[i], fault);
    if (status == PAWL_OK)
        status = write_changes(store, session, commit_key, fingerprint, current + 1, changes, count, fault);
    if (status == PAWL_OK)
        *revision = current + 1;
    return status;
}

static pawl_status commit(pawl_store *store, pawl_bytes session, uint64_t expected_revision, pawl_bytes commit_key,
                          const pawl_session_change *const *changes, size_t count, uint64_t *revision,
                          pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    uint64_t result = 0;
    pawl_status status = store_check_name("session", session, PAWL_STORE_ID_BYTES_MAX, &fault);
    if (status == PAWL_OK && commit_key.size > 0)
        status = store_check_name("commit key", commit_key, PAWL_STORE_POST_ID_BYTES_MAX, &fault);
    if (status == PAWL_OK)
        status = check_changes(store, changes, count, &fault);
    if (status == PAWL_OK) {
        pthread_mutex_lock(lock_of(store, session));
        status = commit_locked(store, session, expected_revision, commit_key, changes, count, &result, &fault);
        pthread_mutex_unlock(lock_of(store, session));
    }
    if (revision != NULL)
        *revision = result;
    return status == PAWL_OK ? PAWL_OK : pawl_fault_emit(&store->core, why, &fault);
}

static pawl_status get(pawl_store *store, pawl_bytes session, pawl_bytes key, pawl_sink *value, uint64_t *revision,
                       pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_key row;
    pawl_buffer found = {0};
    uint64_t current = 0;
    pawl_status status = store_check_name("session", session, PAWL_STORE_ID_BYTES_MAX, &fault);
    if (status == PAWL_OK)
        status = store_check_name("session key", key, PAWL_STORE_SESSION_KEY_BYTES_MAX, &fault);
    pthread_mutex_lock(lock_of(store, session)); /* value and revision belong together */
    if (status == PAWL_OK)
        status = read_revision(store, session, &current, &fault);
    if (status == PAWL_OK) {
        value_key(&row, session, key);
        status = pawl_kv_get(store->kv, PAWL_FAMILY_SESSION, pawl_key_bytes(&row), &found, &fault);
    }
    pthread_mutex_unlock(lock_of(store, session));
    char text[80];
    if (status == PAWL_E_NOT_FOUND) {
        status = pawl_fault_set(&fault, PAWL_E_NOT_FOUND, "session.key", "the session has no key %s",
                                pawl_fault_text(key, text, sizeof text));
    } else if (status == PAWL_OK) {
        pawl_reader reader = {0};
        status = pawl_row_open(&reader, PAWL_FAMILY_SESSION, pawl_key_bytes(&row), (pawl_bytes){found.data, found.size},
                               &fault);
        if (status == PAWL_OK && value != NULL) {
            pawl_bytes rest = pawl_reader_rest(&reader);
            status = store->core.sink_write(value, rest.data, rest.size);
        }
    }
    if (revision != NULL)
        *revision = current;
    pawl_buffer_finish(&found);
    return status == PAWL_OK ? PAWL_OK : fault.status == PAWL_OK ? status : pawl_fault_emit(&store->core, why, &fault);
}

static pawl_status scan(pawl_store *store, pawl_bytes session, pawl_bytes prefix, pawl_session_visit visit,
                        void *context, uint64_t *revision, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    uint64_t current = 0;
    pawl_key from, start;
    pawl_kv_cursor *cursor = NULL;
    pawl_status status = store_check_name("session", session, PAWL_STORE_ID_BYTES_MAX, &fault);
    if (status == PAWL_OK)
        status = store_check_size("prefix", prefix, PAWL_STORE_SESSION_KEY_BYTES_MAX, &fault);
    if (status == PAWL_OK) {
        value_key(&start, session, (pawl_bytes){NULL, 0});
        value_key(&from, session, prefix);
        pthread_mutex_lock(lock_of(store, session)); /* the cursor sees one moment, the revision of the same one */
        status = read_revision(store, session, &current, &fault);
        cursor = status == PAWL_OK ? pawl_kv_cursor_prefix(store->kv, PAWL_FAMILY_SESSION, &from) : NULL;
        pthread_mutex_unlock(lock_of(store, session));
        if (status == PAWL_OK && cursor == NULL)
            status = pawl_fault_nomem(&fault);
    }
    if (revision != NULL)
        *revision = current;
    if (cursor != NULL)
        for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&from)); cursor->valid && status == PAWL_OK;
             pawl_kv_cursor_next(cursor)) {
            pawl_reader reader = {0};
            status = pawl_row_open(&reader, PAWL_FAMILY_SESSION, cursor->key, cursor->value, &fault);
            pawl_bytes name = {(const uint8_t *)cursor->key.data + start.size, cursor->key.size - start.size};
            if (status == PAWL_OK && visit(context, name, pawl_reader_rest(&reader)) != 0)
                break;
        }
    if (cursor != NULL && status == PAWL_OK && !cursor->valid)
        status = pawl_kv_cursor_status(cursor, &fault);
    pawl_kv_cursor_close(cursor);
    return status == PAWL_OK ? PAWL_OK : pawl_fault_emit(&store->core, why, &fault);
}

static pawl_status remove_session(pawl_store *store, pawl_bytes session, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_status status = store_check_name("session", session, PAWL_STORE_ID_BYTES_MAX, &fault);
    if (status == PAWL_OK) {
        pawl_key from, to;
        pawl_batch batch = {0};
        pawl_key_start(&from);
        pawl_key_part(&from, session);
        to = from;
        pawl_key_successor(&to); /* there is one: the part's length is never all ones */
        pawl_batch_delete_range(&batch, PAWL_FAMILY_SESSION, pawl_key_bytes(&from), pawl_key_bytes(&to));
        pawl_batch_delete_range(&batch, PAWL_FAMILY_COMMIT_KEY, pawl_key_bytes(&from), pawl_key_bytes(&to));
        pthread_mutex_lock(lock_of(store, session));
        status = batch.bytes.failed ? pawl_fault_nomem(&fault) : pawl_kv_write(store->kv, &batch, true, &fault);
        pthread_mutex_unlock(lock_of(store, session));
        pawl_batch_finish(&batch);
    }
    return status == PAWL_OK ? PAWL_OK : pawl_fault_emit(&store->core, why, &fault);
}

const pawl_session_table pawl_store_session_table = {
    .struct_size = sizeof(pawl_session_table),
    .commit = commit,
    .get = get,
    .scan = scan,
    .remove = remove_session,
};
