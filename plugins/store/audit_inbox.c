/* audit_inbox.c: the queues of sessions. Items and what is known to be delivered are primary; who has claimed an item
 * is primary too, but a claim of an item that is not there can go. */
#include "audit.h"
#include "inbox.h"

#define ADVICE_ITEM "what it says is in the event of its process; deliver it anew, or restore a backup"

/* By its key, into audit->scratch. */
static bool is_there(pawl_audit *audit, pawl_family family, const pawl_key *key)
{
    pawl_fault bad = {0};
    return pawl_kv_get(audit->kv, family, pawl_key_bytes(key), &audit->scratch, &bad) != PAWL_E_NOT_FOUND;
}

static pawl_status check_claims(pawl_audit *audit, const pawl_audit_place *place, pawl_bytes value, pawl_bytes session,
                                uint64_t item, pawl_fault *fault)
{
    pawl_key key;
    pawl_fault bad = {0};
    pawl_store_inbox_claims claims = {0};
    if (pawl_store_inbox_decode_claims(place->key, value, &claims, &bad) != PAWL_OK)
        pawl_store_audit_unreadable(audit, place, &bad, "the item may be claimed again");
    else
        pawl_store_audit_ticket(audit, claims.token);
    pawl_store_inbox_key(&key, STORE_INBOX_ITEM, session, item);
    if (is_there(audit, PAWL_FAMILY_INBOX, &key))
        return PAWL_OK;
    pawl_batch_delete(&audit->fix, PAWL_FAMILY_INBOX, place->key);
    return pawl_store_audit_derived(audit, place, "a claim of an item that is not there", "none", fault);
}

/* Somebody who waits, and must be there; what somebody has settled; or news. */
static pawl_status check_note(pawl_audit *audit, const pawl_audit_place *place, pawl_bytes value, uint8_t tag,
                              uint64_t number, pawl_fault *fault)
{
    pawl_key key;
    pawl_reader row;
    pawl_fault bad = {0};
    if (pawl_row_open(&row, PAWL_FAMILY_INBOX, place->key, value, &bad) != PAWL_OK)
        pawl_store_audit_unreadable(audit, place, &bad,
                                    tag == STORE_INBOX_WAIT
                                        ? "send the process a signal by hand, so that it looks again"
                                        : "nothing is lost but what repeats an acknowledgement");
    pawl_store_key_number(&key, number);
    if (tag != STORE_INBOX_WAIT || is_there(audit, PAWL_FAMILY_PROCESS, &key))
        return PAWL_OK;
    pawl_batch_delete(&audit->fix, PAWL_FAMILY_INBOX, place->key);
    return pawl_store_audit_derived(audit, place, "a process that waits and is not there", "none", fault);
}

static pawl_status check_row(pawl_audit *audit, pawl_kv_cursor *cursor, pawl_fault *fault)
{
    uint8_t tag;
    uint64_t number;
    pawl_bytes session;
    pawl_queue_item item;
    pawl_fault bad = {0};
    const pawl_audit_place place = {.family = PAWL_FAMILY_INBOX, .key = cursor->key};
    if (!pawl_store_inbox_key_parts(cursor->key, &tag, &session, &number)) {
        pawl_store_audit_primary(audit, &place, "a key of no known kind", "a session and an item", PAWL_AUDIT_RESTORE);
        return PAWL_OK;
    }
    if (tag == STORE_INBOX_CLAIM)
        return check_claims(audit, &place, cursor->value, session, number, fault);
    if (tag == STORE_INBOX_WAIT || tag == STORE_INBOX_NEWS || tag == STORE_INBOX_SETTLED)
        return check_note(audit, &place, cursor->value, tag, number, fault);
    pawl_store_audit_ticket(audit, number);
    if (pawl_store_inbox_decode(cursor->key, cursor->value, &item, &bad) != PAWL_OK)
        pawl_store_audit_unreadable(audit, &place, &bad, ADVICE_ITEM);
    audit->queue_items++;
    return PAWL_OK;
}

static pawl_status check_delivery(pawl_audit *audit, pawl_kv_cursor *cursor, pawl_fault *fault)
{
    pawl_key key;
    pawl_reader row;
    pawl_fault bad = {0};
    const pawl_audit_place place = {.family = PAWL_FAMILY_DELIVERY, .key = cursor->key};
    pawl_reader reader = pawl_reader_of(cursor->key);
    uint64_t number = pawl_reader_u64(&reader);
    if (pawl_row_open(&row, PAWL_FAMILY_DELIVERY, cursor->key, cursor->value, &bad) != PAWL_OK)
        pawl_store_audit_unreadable(audit, &place, &bad, "were this delivered again, it would be taken as new");
    pawl_store_key_number(&key, number);
    if (reader.bad || is_there(audit, PAWL_FAMILY_PROCESS, &key))
        return PAWL_OK;
    pawl_batch_delete(&audit->fix, PAWL_FAMILY_DELIVERY, cursor->key);
    return pawl_store_audit_derived(audit, &place, "a delivery of a process that is not there", "none", fault);
}

typedef pawl_status (*check)(pawl_audit *audit, pawl_kv_cursor *cursor, pawl_fault *fault);

static pawl_status walk(pawl_audit *audit, pawl_family family, check look, pawl_fault *fault)
{
    const pawl_bytes none = {NULL, 0};
    pawl_status status = PAWL_OK;
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(audit->kv, family, none, none);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    for (pawl_kv_cursor_seek(cursor, none); status == PAWL_OK && cursor->valid && pawl_store_audit_row(audit, family);
         pawl_kv_cursor_next(cursor))
        status = look(audit, cursor, fault);
    if (status == PAWL_OK && !cursor->valid)
        pawl_store_audit_walked(audit, family, cursor);
    pawl_kv_cursor_close(cursor);
    return status;
}

pawl_status pawl_store_audit_inboxes(pawl_audit *audit, pawl_fault *fault)
{
    pawl_status status = walk(audit, PAWL_FAMILY_INBOX, check_row, fault);
    if (status == PAWL_OK && !audit->stopped)
        status = walk(audit, PAWL_FAMILY_DELIVERY, check_delivery, fault);
    return status;
}
