/* orphan.c: what becomes of children whose parent has ended. The end of a parent that has any leaves a row; the
 * committer works such rows off by and by, some children in each of its rounds, and takes the row away in the write
 * that closes the last of them. Closing a child is a post with an id of its own, so a crash in between repeats nothing.
 * Must never hold up what others have asked for: a failure here waits for the next round. */
#include "round.h"

#include <stdlib.h>
#include <string.h>

#define PARENTS_MAX        65536u /* remembered; more are found by their rows */
#define CHILDREN_PER_ROUND 256u

#define CLOSE_POST_ID "pawl.parent_close"
static const uint8_t close_fingerprint[16] = "parent_close";

/* Is there anything to say to it? */
static bool is_to_be_closed(const pawl_store_stage *child, pawl_bytes parent)
{
    const pawl_store_identity *identity = &child->entry->identity;
    if (PAWL_IS_TERMINAL(child->state.status) || !pawl_bytes_equal(identity->parent, parent) ||
        identity->close_body.size == 0)
        return false;
    switch (identity->parent_close & ~PAWL_PARENT_CLOSE_UNTOLD) {
    case PAWL_PARENT_CLOSE_TERMINATE:
        return true;
    case PAWL_PARENT_CLOSE_CANCEL:
        return !child->state.cancelled && !identity->external;
    default:
        return false;
    }
}

void pawl_store_stage_tell_end(pawl_store_round *round, pawl_store_stage *child, pawl_bytes body, uint64_t sequence)
{
    const pawl_store_identity *identity = &child->entry->identity;
    const pawl_bytes from[] = {identity->id, pawl_store_type_name(child->entry->type), identity->session, body};
    pawl_store_told_end *told = pawl_store_arena_take(&round->arena, sizeof *told);
    if (told == NULL)
        return;
    *told = (pawl_store_told_end){.status = child->state.status};
    told->record = (pawl_record){.struct_size = sizeof told->record,
                                 .kind = PAWL_RECORD_ENDED,
                                 .sequence = sequence,
                                 .time_unix_ns = child->state.updated_unix_ns};
    pawl_bytes *const to[] = {&told->id, &told->type, &told->session, &told->record.body};
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        void *copy = pawl_store_arena_take(&round->arena, from[i].size + 1);
        if (copy == NULL)
            return;
        if (from[i].size > 0)
            memcpy(copy, from[i].data, from[i].size);
        *to[i] = (pawl_bytes){copy, from[i].size};
    }
    child->told_end = told;
}

static pawl_status close_child(pawl_store_round *round, pawl_bytes parent, uint64_t number, pawl_fault *fault)
{
    pawl_store_stage *child;
    bool leased;
    uint64_t sequence;
    pawl_status status = pawl_store_stage_by_number(round, number, &child, &leased, fault);
    if (status == PAWL_E_CORRUPT || status == PAWL_E_NOT_FOUND)
        return PAWL_OK; /* pruned, or the auditor's business */
    if (status != PAWL_OK || !is_to_be_closed(child, parent))
        return status;
    pawl_post *post = pawl_store_arena_take(&round->arena, sizeof *post);
    if (post == NULL)
        return pawl_fault_nomem(fault);
    const pawl_store_identity *identity = &child->entry->identity;
    bool ends = (identity->parent_close & ~PAWL_PARENT_CLOSE_UNTOLD) == PAWL_PARENT_CLOSE_TERMINATE;
    *post = (pawl_post){
        .struct_size = sizeof *post,
        .kind = ends ? PAWL_RECORD_ENDED : PAWL_RECORD_CANCEL,
        .id = identity->id,
        .post_id = {CLOSE_POST_ID, sizeof CLOSE_POST_ID - 1},
        .fingerprint = {close_fingerprint, sizeof close_fingerprint},
        .body = identity->close_body,
        .status = ends ? PAWL_TERMINATED : 0,
        .force = ends,
    };
    status = pawl_store_stage_posted(round, child, leased, post, &sequence, fault);
    if (status == PAWL_OK && ends)
        pawl_store_stage_tell_end(round, child, identity->close_body, sequence);
    return status;
}

/* Some of the children behind the last one looked at. *done: there are no more. */
static pawl_status close_some(pawl_store_round *round, const pawl_store_entry *parent, bool *done, pawl_fault *fault)
{
    pawl_key prefix;
    pawl_key from;
    uint64_t hash = pawl_store_hash(parent->identity.id);
    pawl_key_start(&prefix);
    pawl_key_u8(&prefix, 'p');
    pawl_key_u64(&prefix, hash);
    pawl_store_key_relation(&from, 'p', hash, round->orphan_after + 1);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(round->registry->store->kv, PAWL_FAMILY_RELATION, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_status status = PAWL_OK;
    uint64_t looked_at = 0;
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&from)); cursor->valid && status == PAWL_OK;
         pawl_kv_cursor_next(cursor)) {
        if (looked_at++ == CHILDREN_PER_ROUND || round->rows.bytes.size >= PAWL_STORE_ROUND_BYTES_MAX)
            break;
        pawl_reader tail = pawl_reader_of((pawl_bytes){(const uint8_t *)cursor->key.data + cursor->key.size - 8, 8});
        uint64_t number = pawl_reader_u64(&tail);
        status = close_child(round, parent->identity.id, number, fault);
        if (status == PAWL_OK)
            round->orphan_after = number;
    }
    if (status == PAWL_OK)
        status = pawl_kv_cursor_status(cursor, fault);
    *done = status == PAWL_OK && !cursor->valid;
    pawl_kv_cursor_close(cursor);
    return status;
}

static void finish(pawl_store_round *round, uint64_t parent)
{
    pawl_key key;
    pawl_store_key_relation(&key, STORE_RELATION_ORPHANS, 0, parent);
    pawl_batch_delete(&round->rows, PAWL_FAMILY_RELATION, pawl_key_bytes(&key));
    round->orphans_done = true;
}

static pawl_status look_after(pawl_store_round *round, uint64_t number, pawl_fault *fault)
{
    const pawl_bytes none = {NULL, 0};
    pawl_store_stage *parent;
    bool leased;
    bool done = false;
    round->orphan_parent = number;
    round->orphan_after = round->registry->orphans.parent == number ? round->registry->orphans.after : 0;
    pawl_status status = pawl_store_stage_by_number(round, number, &parent, &leased, fault);
    if (status == PAWL_E_CORRUPT || status == PAWL_E_NOT_FOUND ||
        (status == PAWL_OK && !PAWL_IS_TERMINAL(parent->state.status))) {
        finish(round, number); /* damaged, which the auditor tells; or live again */
        return PAWL_OK;
    }
    if (status == PAWL_OK)
        status = close_some(round, parent->entry, &done, fault);
    if (status != PAWL_OK || !done)
        return status;
    parent->state.has_children = false;
    pawl_store_stage_header(round, parent, none, none);
    finish(round, number);
    return PAWL_OK;
}

/* The first parent whose row stands behind the last one found so. 0: none. */
static pawl_status scan(pawl_store_round *round, uint64_t *number, pawl_fault *fault)
{
    pawl_key prefix;
    pawl_key from;
    pawl_key_start(&prefix);
    pawl_key_u8(&prefix, STORE_RELATION_ORPHANS);
    pawl_key_u64(&prefix, 0);
    pawl_store_key_relation(&from, STORE_RELATION_ORPHANS, 0, round->registry->orphans.scan_after + 1);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(round->registry->store->kv, PAWL_FAMILY_RELATION, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_kv_cursor_seek(cursor, pawl_key_bytes(&from));
    if (cursor->valid) {
        pawl_reader tail = pawl_reader_of((pawl_bytes){(const uint8_t *)cursor->key.data + cursor->key.size - 8, 8});
        *number = pawl_reader_u64(&tail);
    }
    pawl_status status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    return status;
}

bool pawl_store_orphans_left(const pawl_store_registry *registry)
{
    const pawl_store_orphans *orphans = &registry->orphans;
    return !orphans->wait && (orphans->count > 0 || orphans->scan || orphans->parent != 0);
}

void pawl_store_stage_orphans(pawl_store_round *round)
{
    pawl_store_orphans *orphans = &round->registry->orphans;
    pawl_fault fault = {0};
    pawl_status status = PAWL_OK;
    uint64_t number = orphans->parent;
    if (!pawl_store_orphans_left(round->registry) || round->closed ||
        round->rows.bytes.size >= PAWL_STORE_ROUND_BYTES_MAX)
        return;
    if (number == 0 && orphans->count > 0)
        number = orphans->parents[orphans->count - 1];
    if (number == 0) {
        status = scan(round, &number, &fault);
        round->orphan_scanned = number != 0;
        if (status == PAWL_OK && number == 0)
            orphans->scan = false;
    }
    if (status == PAWL_OK && number != 0)
        status = look_after(round, number, &fault);
    if (status == PAWL_OK)
        return;
    orphans->wait = true;
    pawl_store_log(round->registry->store, PAWL_LOG_ERROR,
                   "the children of a process that has ended are left for later: %s", fault.message);
}

void pawl_store_orphans_publish(pawl_store_round *round)
{
    pawl_store_orphans *orphans = &round->registry->orphans;
    if (round->orphan_parent == 0)
        return;
    orphans->parent = round->orphans_done ? 0 : round->orphan_parent;
    orphans->after = round->orphans_done ? 0 : round->orphan_after;
    if (round->orphan_scanned)
        orphans->scan_after = round->orphan_parent;
    for (size_t i = orphans->count; round->orphans_done && i > 0; i--) {
        if (orphans->parents[i - 1] != round->orphan_parent)
            continue;
        orphans->parents[i - 1] = orphans->parents[--orphans->count];
        break;
    }
}

void pawl_store_orphans_note(pawl_store_registry *registry, uint64_t parent)
{
    pawl_store_orphans *orphans = &registry->orphans;
    if (orphans->count == orphans->capacity) {
        size_t capacity = orphans->capacity == 0 ? 16 : orphans->capacity * 2;
        uint64_t *parents =
            capacity > PARENTS_MAX ? NULL : realloc(orphans->parents, capacity * sizeof *orphans->parents);
        if (parents == NULL) { /* their rows have them */
            orphans->scan = true;
            orphans->scan_after = 0;
            return;
        }
        orphans->parents = parents;
        orphans->capacity = capacity;
    }
    orphans->parents[orphans->count++] = parent;
}
