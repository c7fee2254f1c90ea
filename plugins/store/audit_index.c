/* audit_index.c: everything that leads to a process: its id, its places in the lists of status, type, session and
 * parent, in the queue, among the timers and among the ended. All of it is derived from headers. From each header to
 * its rows first, which adds what is missing; then from each row to its header, which takes away what is too much.
 *
 * It must never take a row away because a header could not be read: only one that is surely gone, or says otherwise. */
#include "attribute.h"
#include "audit.h"

#include <stdio.h>

/* ---- from a header to its rows ---- */

static void put_ready(pawl_batch *batch, pawl_bytes key, uint64_t number)
{
    pawl_batch_begin(batch, PAWL_FAMILY_READY, key);
    pawl_buffer_u64(&batch->bytes, number);
    pawl_batch_end(batch);
}

static const char *read_row(pawl_audit *audit, const pawl_audit_place *place, pawl_reader *row)
{
    pawl_fault bad = {0};
    pawl_status status = pawl_kv_get(audit->kv, place->family, place->key, &audit->scratch, &bad);
    if (status == PAWL_E_NOT_FOUND)
        return "no row";
    if (status == PAWL_OK)
        status =
            pawl_row_open(row, place->family, place->key, (pawl_bytes){audit->scratch.data, audit->scratch.size}, &bad);
    return status == PAWL_OK ? NULL : "a row that cannot be read";
}

static pawl_status expect_mark(pawl_audit *audit, const pawl_audit_place *process, pawl_family family,
                               const pawl_key *key, const char *wanted, pawl_fault *fault)
{
    pawl_reader row;
    pawl_audit_place place = *process;
    place.family = family;
    place.key = pawl_key_bytes(key);
    const char *found = read_row(audit, &place, &row);
    if (found == NULL)
        return PAWL_OK;
    pawl_batch_mark(&audit->fix, family, place.key);
    return pawl_store_audit_derived(audit, &place, found, wanted, fault);
}

static pawl_status expect_ident(pawl_audit *audit, const pawl_audit_place *process, pawl_fault *fault)
{
    char words[96];
    pawl_audit_place place = *process;
    pawl_reader row = {0};
    place.family = PAWL_FAMILY_IDENT;
    place.key = place.process;
    const char *found = read_row(audit, &place, &row);
    bool readable = found == NULL;
    if (!readable && found[0] == 'a')
        audit->known_bad_ident++;
    if (readable) {
        uint32_t tag = pawl_reader_u8(&row);
        uint64_t number = pawl_reader_u64(&row);
        if (tag == 0 && number == place.number)
            return PAWL_OK;
        snprintf(words, sizeof words, "%s number %llu", tag == 0 ? "process" : "the tombstone of process",
                 (unsigned long long)number);
        found = words;
    }
    pawl_store_put_ident(&audit->fix, place.process, place.number);
    return pawl_store_audit_derived(audit, &place, found, "the id, leading to its process", fault);
}

static pawl_status expect_ready(pawl_audit *audit, const pawl_audit_place *process, const pawl_store_header *header,
                                pawl_fault *fault)
{
    char words[96];
    pawl_audit_place place = *process;
    pawl_key key;
    pawl_reader row = {0};
    pawl_store_key_ready(&key, &header->identity, header->state.ready_sequence);
    place.family = PAWL_FAMILY_READY;
    place.key = pawl_key_bytes(&key);
    const char *found = read_row(audit, &place, &row);
    if (found != NULL && found[0] == 'a')
        audit->known_bad_ready++;
    if (found == NULL) {
        uint64_t number = pawl_reader_u64(&row);
        if (number == place.number)
            return PAWL_OK;
        snprintf(words, sizeof words, "the place of process number %llu", (unsigned long long)number);
        found = words;
    }
    put_ready(&audit->fix, place.key, place.number);
    return pawl_store_audit_derived(audit, &place, found, "its place in the queue", fault);
}

static pawl_status expect_relations(pawl_audit *audit, const pawl_audit_place *place,
                                    const pawl_store_identity *identity, pawl_fault *fault)
{
    pawl_key key;
    pawl_store_key_relation(&key, 't', identity->type, place->number);
    pawl_status status =
        expect_mark(audit, place, PAWL_FAMILY_RELATION, &key, "its place among those of its type", fault);
    if (status == PAWL_OK && identity->session.size > 0) {
        pawl_store_key_relation(&key, 's', pawl_store_hash(identity->session), place->number);
        status = expect_mark(audit, place, PAWL_FAMILY_RELATION, &key, "its place among those of its session", fault);
    }
    if (status == PAWL_OK && identity->parent.size > 0) {
        pawl_store_key_relation(&key, 'p', pawl_store_hash(identity->parent), place->number);
        status = expect_mark(audit, place, PAWL_FAMILY_RELATION, &key, "its place among those of its parent", fault);
    }
    return status;
}

/* Damaged ones were told of with their process, and lead nowhere. */
static pawl_status expect_attributes(pawl_audit *audit, const pawl_audit_place *place, pawl_fault *fault)
{
    pawl_key key;
    const char *name;
    json_t *value;
    json_t *attributes = NULL;
    pawl_fault bad = {0};
    pawl_status status = PAWL_OK;
    if (pawl_store_attributes_read(audit->kv, place->number, &attributes, &bad) != PAWL_OK)
        return PAWL_OK;
    json_object_foreach(attributes, name, value)
    {
        pawl_store_key_attribute(&key, pawl_bytes_of(name), value, place->number);
        if (status == PAWL_OK)
            status = expect_mark(audit, place, PAWL_FAMILY_RELATION, &key,
                                 "its place among those with this search attribute", fault);
    }
    json_decref(attributes);
    return status;
}

/* Who is exclusive waits for its turn or has it; unless it was asked to stop, for then it may have left the line. */
static pawl_status expect_turn(pawl_audit *audit, const pawl_audit_place *process, const pawl_store_header *header,
                               pawl_fault *fault)
{
    char words[96];
    pawl_key key;
    pawl_reader row = {0};
    uint64_t session = pawl_store_hash(header->identity.session);
    pawl_audit_place place = *process;
    if (header->state.behind) {
        pawl_store_key_turn(&key, session, process->number);
        return expect_mark(audit, process, PAWL_FAMILY_TURN, &key, "its place among those that wait for their turn",
                           fault);
    }
    if (header->state.cancelled)
        return PAWL_OK;
    pawl_store_key_turn(&key, session, 0);
    place.family = PAWL_FAMILY_TURN;
    place.key = pawl_key_bytes(&key);
    const char *found = read_row(audit, &place, &row);
    if (found == NULL) {
        uint64_t number = pawl_reader_u64(&row);
        if (number == place.number)
            return PAWL_OK;
        snprintf(words, sizeof words, "the turn of process number %llu", (unsigned long long)number);
        found = words;
    }
    pawl_batch_begin(&audit->fix, PAWL_FAMILY_TURN, place.key);
    pawl_buffer_u64(&audit->fix.bytes, place.number);
    pawl_batch_end(&audit->fix);
    return pawl_store_audit_derived(audit, &place, found, "its turn", fault);
}

/* See deadline.c. */
static bool has_timed_deadline(const pawl_store_header *header)
{
    return header->identity.deadline_unix_ns != 0 && header->identity.deadline_body.size > 0 &&
           !header->state.untimed && !PAWL_IS_TERMINAL(header->state.status);
}

pawl_status pawl_store_audit_expect_indexes(pawl_audit *audit, uint64_t number, const pawl_store_header *header,
                                            pawl_fault *fault)
{
    pawl_key key;
    const pawl_store_state *state = &header->state;
    pawl_audit_place place = {.process = header->identity.id, .number = number};
    pawl_status status = expect_ident(audit, &place, fault);
    if (status == PAWL_OK) {
        pawl_store_key_status(&key, state->shown, number);
        status = expect_mark(audit, &place, PAWL_FAMILY_STATUS, &key, "its place among those of its status", fault);
    }
    if (status == PAWL_OK)
        status = expect_relations(audit, &place, &header->identity, fault);
    if (status == PAWL_OK && state->has_attributes)
        status = expect_attributes(audit, &place, fault);
    if (status == PAWL_OK && header->identity.exclusive && !PAWL_IS_TERMINAL(state->status))
        status = expect_turn(audit, &place, header, fault);
    if (status == PAWL_OK && state->ready_sequence != 0)
        status = expect_ready(audit, &place, header, fault);
    if (status == PAWL_OK && state->wake_unix_ns != 0) {
        pawl_store_key_wake(&key, header->identity.type, state->wake_unix_ns, number);
        status = expect_mark(audit, &place, PAWL_FAMILY_WAKE, &key, "its timer", fault);
    }
    if (status == PAWL_OK && PAWL_IS_TERMINAL(state->status)) {
        pawl_store_key_ended(&key, state->updated_unix_ns, number);
        status = expect_mark(audit, &place, PAWL_FAMILY_ENDED, &key, "its place among the ended", fault);
        if (status == PAWL_OK && state->has_children) {
            pawl_store_key_relation(&key, STORE_RELATION_ORPHANS, 0, number);
            status = expect_mark(audit, &place, PAWL_FAMILY_RELATION, &key,
                                 "its place among the ended whose children are to be looked after", fault);
        }
    }
    if (status == PAWL_OK && has_timed_deadline(header)) {
        pawl_store_key_relation(&key, STORE_RELATION_DEADLINE, header->identity.deadline_unix_ns, number);
        status = expect_mark(audit, &place, PAWL_FAMILY_RELATION, &key, "its deadline", fault);
    }
    return status;
}

/* ---- from a row to its header ---- */

typedef enum owner_is {
    OWNER_THERE,
    OWNER_GONE,   /* neither header nor journal */
    OWNER_UNKNOWN /* damaged, and told with the process: its rows are left alone */
} owner_is;

static bool has_journal(pawl_audit *audit, uint64_t number)
{
    pawl_key prefix;
    pawl_fault bad = {0};
    pawl_store_key_number(&prefix, number);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(audit->kv, PAWL_FAMILY_JOURNAL, &prefix);
    if (cursor == NULL)
        return true;
    pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix));
    bool any = cursor->valid || pawl_kv_cursor_status(cursor, &bad) != PAWL_OK;
    pawl_kv_cursor_close(cursor);
    return any;
}

static owner_is find_owner(pawl_audit *audit, uint64_t number, pawl_store_header *header)
{
    pawl_fault bad = {0};
    pawl_status status = pawl_store_read_header(audit->kv, number, &audit->header, header, &bad);
    if (status == PAWL_OK)
        return OWNER_THERE;
    if (status != PAWL_E_NOT_FOUND || has_journal(audit, number))
        return OWNER_UNKNOWN;
    return OWNER_GONE;
}

/* Which process a row leads to, by key or value. */
static uint64_t number_of(pawl_family family, pawl_bytes key, pawl_reader row)
{
    if (family == PAWL_FAMILY_READY || (family == PAWL_FAMILY_TURN && key.size == 8))
        return pawl_reader_u64(&row);
    if (key.size < 8)
        return 0;
    pawl_reader tail = pawl_reader_of((pawl_bytes){(const uint8_t *)key.data + key.size - 8, 8});
    return pawl_reader_u64(&tail);
}

/* The row of this name for the value that the process has. Of a process whose attributes cannot be read nobody knows,
 * and the row is left as it is. */
static bool right_attribute(pawl_audit *audit, pawl_bytes key, uint64_t number, pawl_key *right)
{
    json_t *attributes = NULL;
    pawl_fault bad = {0};
    pawl_bytes name = pawl_store_attribute_key_name(key);
    if (pawl_store_attributes_read(audit->kv, number, &attributes, &bad) != PAWL_OK) {
        pawl_key_start(right);
        pawl_key_append(right, key);
        return true;
    }
    const json_t *value = name.size == 0 ? NULL : json_object_getn(attributes, name.data, name.size);
    if (value != NULL)
        pawl_store_key_attribute(right, name, value, number);
    json_decref(attributes);
    return value != NULL;
}

/* The key that this header's row would have here; false: it has none. */
static bool right_key(pawl_audit *audit, pawl_family family, pawl_bytes key, uint64_t number,
                      const pawl_store_header *header, pawl_key *right)
{
    const pawl_store_state *state = &header->state;
    const pawl_store_identity *identity = &header->identity;
    const uint8_t *data = key.data;
    switch (family) {
    case PAWL_FAMILY_READY:
        pawl_store_key_ready(right, identity, state->ready_sequence);
        return state->ready_sequence != 0;
    case PAWL_FAMILY_WAKE:
        pawl_store_key_wake(right, identity->type, state->wake_unix_ns, number);
        return state->wake_unix_ns != 0;
    case PAWL_FAMILY_STATUS:
        pawl_store_key_status(right, state->shown, number);
        return true;
    case PAWL_FAMILY_TURN:
        pawl_store_key_turn(right, pawl_store_hash(identity->session), key.size == 8 ? 0 : number);
        return identity->exclusive && !PAWL_IS_TERMINAL(state->status) && state->behind == (key.size != 8);
    case PAWL_FAMILY_ENDED:
        pawl_store_key_ended(right, state->updated_unix_ns, number);
        return PAWL_IS_TERMINAL(state->status);
    default:
        break;
    }
    if (data[0] == STORE_RELATION_ORPHANS) {
        pawl_store_key_relation(right, data[0], 0, number);
        return PAWL_IS_TERMINAL(state->status) && state->has_children;
    }
    if (data[0] == STORE_RELATION_DEADLINE) {
        pawl_store_key_relation(right, data[0], identity->deadline_unix_ns, number);
        return has_timed_deadline(header);
    }
    if (data[0] == 'a')
        return right_attribute(audit, key, number, right);
    pawl_bytes name = data[0] == 's' ? identity->session : identity->parent;
    uint64_t value = data[0] == 't' ? identity->type : pawl_store_hash(name);
    pawl_store_key_relation(right, data[0], value, number);
    return data[0] == 't' || ((data[0] == 's' || data[0] == 'p') && name.size > 0);
}

/* A row that cannot be read and that a header wants was told of with that header. */
static bool told_already(pawl_audit *audit, pawl_family family, bool is_right)
{
    if (family != PAWL_FAMILY_READY)
        return is_right;
    if (audit->known_bad_ready == 0)
        return false;
    audit->known_bad_ready--;
    return true;
}

static pawl_status check_row(pawl_audit *audit, pawl_family family, pawl_kv_cursor *cursor, pawl_fault *fault)
{
    pawl_key right;
    pawl_fault bad = {0};
    pawl_reader row = {0};
    pawl_store_header header = {0};
    pawl_audit_place place = {.family = family, .key = cursor->key};
    bool readable = pawl_row_open(&row, family, cursor->key, cursor->value, &bad) == PAWL_OK;
    place.number = number_of(family, cursor->key, row);
    owner_is owner = place.number == 0 ? OWNER_GONE : find_owner(audit, place.number, &header);
    uint32_t type;
    uint32_t priority;
    uint64_t lane;
    uint64_t sequence;
    if (family == PAWL_FAMILY_READY && pawl_store_read_ready_key(cursor->key, &type, &priority, &lane, &sequence))
        pawl_store_audit_ticket(audit, sequence);
    if (owner == OWNER_UNKNOWN)
        return PAWL_OK;
    bool is_right = owner == OWNER_THERE && right_key(audit, family, cursor->key, place.number, &header, &right) &&
                    pawl_bytes_equal(pawl_key_bytes(&right), cursor->key);
    if (readable ? is_right : told_already(audit, family, is_right))
        return PAWL_OK;
    if (owner == OWNER_THERE)
        place.process = header.identity.id;
    pawl_batch_delete(&audit->fix, family, cursor->key);
    return pawl_store_audit_derived(audit, &place,
                                    !readable             ? "a row that cannot be read"
                                    : owner == OWNER_GONE ? "a row of a process that is not there"
                                                          : "a row that its header does not know",
                                    "none", fault);
}

/* ---- ids ---- */

/* The row by which it is forgotten one day. */
static pawl_status expect_way(pawl_audit *audit, const pawl_audit_place *tombstone, pawl_reader *row, pawl_fault *fault)
{
    pawl_key key;
    pawl_reader way = {0};
    pawl_audit_place place = *tombstone;
    pawl_store_tombstone left = {.number = tombstone->number, .ended_unix_ns = pawl_reader_u64(row)};
    left.run = pawl_reader_u32(row);
    pawl_store_key_tombstone(&key, &left);
    place.family = PAWL_FAMILY_RELATION;
    place.key = pawl_key_bytes(&key);
    const char *found = read_row(audit, &place, &way);
    if (found == NULL && pawl_bytes_equal(pawl_reader_rest(&way), tombstone->key))
        return PAWL_OK;
    pawl_store_put_tombstone(&audit->fix, tombstone->key, &left);
    return pawl_store_audit_derived(audit, &place, found == NULL ? "the way to another id" : found,
                                    "the way to the id of a pruned process", fault);
}

/* From there back. One that cannot be read was told of with its tombstone, or leads to none. */
static pawl_status check_way(pawl_audit *audit, pawl_kv_cursor *cursor, pawl_fault *fault)
{
    pawl_fault bad = {0};
    pawl_reader row = {0};
    pawl_store_tombstone left = {0};
    pawl_reader key = pawl_reader_of(cursor->key);
    const pawl_audit_place place = {.family = PAWL_FAMILY_RELATION, .key = cursor->key};
    pawl_reader_u8(&key);
    uint64_t ended = pawl_reader_u64(&key);
    uint64_t number = pawl_reader_u64(&key);
    if (pawl_row_open(&row, PAWL_FAMILY_RELATION, cursor->key, cursor->value, &bad) == PAWL_OK) {
        pawl_status status = pawl_store_read_tombstone(audit->kv, pawl_reader_rest(&row), &left, &bad);
        bool leads = status == PAWL_OK && left.number == number && left.ended_unix_ns == ended;
        if (leads || (status != PAWL_OK && status != PAWL_E_NOT_FOUND)) /* in doubt it stays */
            return PAWL_OK;
    }
    pawl_batch_delete(&audit->fix, PAWL_FAMILY_RELATION, cursor->key);
    return pawl_store_audit_derived(audit, &place, "the way to a tombstone that is not there", "none", fault);
}

static void check_tombstone(pawl_audit *audit, const pawl_audit_place *place, owner_is owner,
                            const pawl_store_header *header)
{
    char found[160];
    if (owner == OWNER_GONE || (owner == OWNER_THERE && pawl_bytes_equal(header->identity.id, place->key)))
        return; /* as it should be; or told with its header */
    snprintf(found, sizeof found, "the tombstone of process number %llu, of which there are rows",
             (unsigned long long)place->number);
    pawl_store_audit_primary(audit, place, found, "none of them", PAWL_AUDIT_RESTORE);
}

static pawl_status check_id(pawl_audit *audit, pawl_kv_cursor *cursor, pawl_fault *fault)
{
    char found[160];
    pawl_fault bad = {0};
    pawl_reader row = {0};
    pawl_store_header header = {0};
    pawl_audit_place place = {.family = PAWL_FAMILY_IDENT, .key = cursor->key, .process = cursor->key};
    if (pawl_row_open(&row, PAWL_FAMILY_IDENT, cursor->key, cursor->value, &bad) != PAWL_OK) {
        if (audit->known_bad_ident > 0)
            audit->known_bad_ident--;
        else
            pawl_store_audit_unreadable(audit, &place, &bad, "this id cannot be used until a backup is restored");
        return PAWL_OK;
    }
    uint32_t tag = pawl_reader_u8(&row);
    place.number = pawl_reader_u64(&row);
    if (place.number > audit->largest_number)
        audit->largest_number = place.number;
    owner_is owner = find_owner(audit, place.number, &header);
    if (tag != 0) {
        check_tombstone(audit, &place, owner, &header);
        return owner == OWNER_GONE ? expect_way(audit, &place, &row, fault) : PAWL_OK;
    }
    if (owner == OWNER_GONE) {
        snprintf(found, sizeof found, "the id of process number %llu, which is not there",
                 (unsigned long long)place.number);
        pawl_store_audit_primary(audit, &place, found, "its process, or a tombstone",
                                 "this id cannot be used until a backup is restored");
    } else if (owner == OWNER_THERE && !pawl_bytes_equal(header.identity.id, cursor->key)) {
        snprintf(found, sizeof found, "process number %llu, which has another id", (unsigned long long)place.number);
        pawl_store_audit_primary(audit, &place, found, "the process with this id", PAWL_AUDIT_RESTORE);
    }
    return PAWL_OK;
}

static bool is_way(const pawl_kv_cursor *cursor)
{
    return cursor->key.size == 17 && ((const uint8_t *)cursor->key.data)[0] == STORE_RELATION_TOMBSTONE;
}

pawl_status pawl_store_audit_indexes(pawl_audit *audit, pawl_fault *fault)
{
    static const pawl_family families[] = {PAWL_FAMILY_IDENT, PAWL_FAMILY_STATUS, PAWL_FAMILY_RELATION,
                                           PAWL_FAMILY_READY, PAWL_FAMILY_WAKE,   PAWL_FAMILY_ENDED,
                                           PAWL_FAMILY_TURN};
    const pawl_bytes none = {NULL, 0};
    pawl_status status = PAWL_OK;
    for (size_t i = 0; i < sizeof families / sizeof *families && status == PAWL_OK && !audit->stopped; i++) {
        pawl_kv_cursor *cursor = pawl_kv_cursor_open(audit->kv, families[i], none, none);
        if (cursor == NULL)
            return pawl_fault_nomem(fault);
        for (pawl_kv_cursor_seek(cursor, none);
             status == PAWL_OK && cursor->valid && pawl_store_audit_row(audit, families[i]);
             pawl_kv_cursor_next(cursor)) {
            if (families[i] == PAWL_FAMILY_IDENT)
                status = check_id(audit, cursor, fault);
            else if (families[i] == PAWL_FAMILY_RELATION && is_way(cursor))
                status = check_way(audit, cursor, fault);
            else
                status = check_row(audit, families[i], cursor, fault);
        }
        if (!cursor->valid)
            pawl_store_audit_walked(audit, families[i], cursor);
        pawl_kv_cursor_close(cursor);
    }
    return status;
}
