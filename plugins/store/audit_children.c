/* audit_children.c: parents against their children: a parent that lives has the record of every end it was to be told
 * of, and knows that it has children. Both stand in journals and headers alone, so a repair changes nothing here. What
 * a parent has heard in runs before its present one is gone with them and not asked for. */
#include "audit.h"

#include <stdio.h>

static bool is_told(const pawl_store_identity *child)
{
    return child->parent_note.size > 0 && (child->parent_close & PAWL_PARENT_CLOSE_UNTOLD) == 0;
}

/* How many children have ended whose end this parent was to be told of. */
static pawl_status count_ended(pawl_audit *audit, pawl_bytes parent, uint64_t *count, pawl_fault *fault)
{
    pawl_key prefix;
    pawl_buffer buffer = {0};
    pawl_status status = PAWL_OK;
    pawl_key_start(&prefix);
    pawl_key_u8(&prefix, 'p');
    pawl_key_u64(&prefix, pawl_store_hash(parent));
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(audit->kv, PAWL_FAMILY_RELATION, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix)); cursor->valid; pawl_kv_cursor_next(cursor)) {
        pawl_fault bad = {0};
        pawl_store_header child;
        pawl_reader tail = pawl_reader_of((pawl_bytes){(const uint8_t *)cursor->key.data + cursor->key.size - 8, 8});
        if (pawl_store_read_header(audit->kv, pawl_reader_u64(&tail), &buffer, &child, &bad) != PAWL_OK)
            continue; /* told with its own number */
        *count += PAWL_IS_TERMINAL(child.state.status) && is_told(&child.identity) &&
                  pawl_bytes_equal(child.identity.parent, parent);
    }
    status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    pawl_buffer_finish(&buffer);
    return status == PAWL_E_CORRUPT ? PAWL_OK : status;
}

static pawl_status check_parent(pawl_audit *audit, const pawl_audit_place *place, const pawl_store_header *header,
                                uint64_t records, pawl_fault *fault)
{
    char found[120];
    uint64_t ended = 0;
    if (PAWL_IS_TERMINAL(header->state.status) || !header->state.has_children || header->state.run != 1)
        return PAWL_OK;
    pawl_status status = count_ended(audit, header->identity.id, &ended, fault);
    if (status != PAWL_OK || ended <= records)
        return status;
    snprintf(found, sizeof found, "%llu children that have ended, and records of %llu", (unsigned long long)ended,
             (unsigned long long)records);
    pawl_store_audit_primary(audit, place, found, "a record of each end",
                             "it waits for what it will not hear: restore a backup, or terminate it");
    return PAWL_OK;
}

static void check_child(pawl_audit *audit, const pawl_audit_place *place, const pawl_store_header *header)
{
    pawl_fault bad = {0};
    pawl_buffer buffer = {0};
    pawl_store_header parent;
    uint64_t number;
    bool known = pawl_store_read_ident(audit->kv, header->identity.parent, &number, &bad) == PAWL_OK &&
                 pawl_store_read_header(audit->kv, number, &buffer, &parent, &bad) == PAWL_OK;
    if (known && !PAWL_IS_TERMINAL(parent.state.status) && !parent.state.has_children)
        pawl_store_audit_primary(audit, place, "a child whose parent does not know that it has any",
                                 "a parent that knows",
                                 "when its parent ends it will not be closed: close it yourself");
    pawl_buffer_finish(&buffer);
}

pawl_status pawl_store_audit_children(pawl_audit *audit, uint64_t number, const pawl_store_header *header,
                                      uint64_t records, pawl_fault *fault)
{
    pawl_key key;
    pawl_store_key_number(&key, number);
    const pawl_audit_place place = {
        .family = PAWL_FAMILY_PROCESS, .key = pawl_key_bytes(&key), .process = header->identity.id, .number = number};
    if (header->identity.parent_note.size > 0 && !PAWL_IS_TERMINAL(header->state.status))
        check_child(audit, &place, header);
    return check_parent(audit, &place, header, records, fault);
}
