/* audit_handles.c: the rights that the host keeps as state of a session of its own (seam/handle_key.h). A right is two
 * keys; where one of them is missing it is made anew from the other, since they are only ever written together. A right
 * on a process that is not there is taken away, as pruning the process would have done. Of other sessions nothing is
 * known here, and nothing is looked at. */
#include "audit.h"

#include "seam/handle_key.h"

#include <stdio.h>

#define TAG_VALUE 1u

static void key_of(pawl_key *key, const char *name, size_t size)
{
    pawl_key_start(key);
    pawl_key_part(key, pawl_bytes_of(PAWL_HANDLE_SESSION));
    pawl_key_u8(key, TAG_VALUE);
    pawl_key_append(key, (pawl_bytes){name, size});
}

/* The same right, the other way round. */
static void twin_of(pawl_key *key, char tag, pawl_bytes first, pawl_bytes second)
{
    char head[32];
    int size = snprintf(head, sizeof head, "%c%03zu", tag == 'p' ? 's' : 'p', second.size);
    key_of(key, head, (size_t)size);
    pawl_key_append(key, second);
    pawl_key_append(key, first);
}

static bool is_there(pawl_audit *audit, const pawl_key *key)
{
    pawl_reader row;
    pawl_fault bad = {0};
    const pawl_bytes bytes = pawl_key_bytes(key);
    return pawl_kv_get(audit->kv, PAWL_FAMILY_SESSION, bytes, &audit->scratch, &bad) == PAWL_OK &&
           pawl_row_open(&row, PAWL_FAMILY_SESSION, bytes, (pawl_bytes){audit->scratch.data, audit->scratch.size},
                         &bad) == PAWL_OK;
}

/* A store of sessions alone knows no process. */
static bool knows_processes(pawl_audit *audit)
{
    const pawl_bytes none = {NULL, 0};
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(audit->kv, PAWL_FAMILY_IDENT, none, none);
    if (cursor == NULL)
        return false;
    pawl_kv_cursor_seek(cursor, none);
    bool knows = cursor->valid;
    pawl_kv_cursor_close(cursor);
    return knows;
}

static pawl_status check_right(pawl_audit *audit, const pawl_kv_cursor *cursor, const char *name, bool with_processes,
                               size_t first_size, size_t second_size, pawl_fault *fault)
{
    pawl_key twin;
    pawl_fault why = {0};
    uint64_t number = 0;
    const pawl_bytes first = {name + 1 + PAWL_HANDLE_DIGITS, first_size};
    const pawl_bytes second = {name + 1 + PAWL_HANDLE_DIGITS + first_size, second_size};
    const pawl_audit_place place = {
        .family = PAWL_FAMILY_SESSION, .key = cursor->key, .process = name[0] == 's' ? second : first};
    if (with_processes && pawl_store_read_ident(audit->kv, place.process, &number, &why) == PAWL_E_NOT_FOUND) {
        pawl_batch_delete(&audit->fix, PAWL_FAMILY_SESSION, cursor->key);
        return pawl_store_audit_derived(audit, &place, "a handle of a process that is not there", "none", fault);
    }
    if (name[0] == 'x')
        return PAWL_OK;
    twin_of(&twin, name[0], first, second);
    if (is_there(audit, &twin))
        return PAWL_OK;
    pawl_batch_mark(&audit->fix, PAWL_FAMILY_SESSION, pawl_key_bytes(&twin));
    return pawl_store_audit_derived(audit, &place, "one half of a handle", "both", fault);
}

static pawl_status check_key(pawl_audit *audit, const pawl_kv_cursor *cursor, size_t skip, bool with_processes,
                             pawl_fault *fault)
{
    size_t first = 0;
    size_t second = 0;
    const char *name = (const char *)cursor->key.data + skip;
    const size_t size = cursor->key.size - skip;
    const pawl_audit_place place = {.family = PAWL_FAMILY_SESSION, .key = cursor->key};
    if (size > 1 && size <= 1 + PAWL_HANDLE_NAME && name[0] == 'd')
        return PAWL_OK; /* the next host brings that deletion to its end */
    if (pawl_handle_key_read(name, size, &first, &second))
        return check_right(audit, cursor, name, with_processes, first, second, fault);
    pawl_store_audit_primary(audit, &place, "a key of no known kind among the handles of sessions",
                             "a handle, or the mark of a deletion", PAWL_AUDIT_RESTORE);
    return PAWL_OK;
}

pawl_status pawl_store_audit_handles(pawl_audit *audit, pawl_fault *fault)
{
    pawl_key prefix;
    pawl_status status = PAWL_OK;
    key_of(&prefix, "", 0);
    bool with_processes = knows_processes(audit);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(audit->kv, PAWL_FAMILY_SESSION, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix));
         status == PAWL_OK && cursor->valid && pawl_store_audit_row(audit, PAWL_FAMILY_SESSION);
         pawl_kv_cursor_next(cursor))
        status = check_key(audit, cursor, prefix.size, with_processes, fault);
    pawl_kv_cursor_close(cursor);
    return status;
}
