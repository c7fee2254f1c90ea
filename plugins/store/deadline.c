/* deadline.c: deadlines of processes. One that has not ended, was not asked to stop and has a deadline has a row under
 * that time; the committer looks when the first of them is due, and posts what the start said is to be posted then: to
 * ask the process to stop or, if it is external, to end it. The row goes in the same write, so a crash repeats nothing.
 * Waiting, ready, held, stuck, paused: it is the same for all of them, and costs nothing before its time.
 * Must never hold up what others have asked for: a failure here is tried again later. */
#include "round.h"

#include <stdio.h>

#define DUE_PER_ROUND 256u
#define RETRY_NS      1000000000ull
#define UNIX_LOOK_NS  (60ull * 1000000000ull) /* a clock that was set forward is noticed within this time */
#define POST_ID_ROOM  64u

static const uint8_t fingerprint[16] = "deadline";

static void key_of(pawl_key *key, const pawl_store_entry *entry)
{
    pawl_store_key_relation(key, STORE_RELATION_DEADLINE, entry->identity.deadline_unix_ns, entry->number);
}

static bool has_deadline(const pawl_store_stage *stage)
{
    return stage->entry->identity.deadline_unix_ns != 0 && stage->entry->identity.deadline_body.size > 0;
}

void pawl_store_deadline_set(pawl_store_round *round, pawl_store_stage *stage)
{
    pawl_key key;
    if (!has_deadline(stage))
        return;
    uint64_t due = stage->entry->identity.deadline_unix_ns;
    key_of(&key, stage->entry);
    pawl_batch_mark(&round->rows, PAWL_FAMILY_RELATION, pawl_key_bytes(&key));
    stage->state.untimed = false;
    if (due < round->deadline_set)
        round->deadline_set = due;
}

void pawl_store_deadline_drop(pawl_store_round *round, pawl_store_stage *stage)
{
    pawl_key key;
    if (!has_deadline(stage) || stage->state.untimed)
        return;
    key_of(&key, stage->entry);
    pawl_batch_delete(&round->rows, PAWL_FAMILY_RELATION, pawl_key_bytes(&key));
}

void pawl_store_deadline_void(pawl_store_round *round, pawl_store_stage *stage)
{
    pawl_store_deadline_drop(round, stage);
    stage->state.untimed = has_deadline(stage);
}

void pawl_store_deadline_renew(pawl_store_round *round, pawl_store_stage *stage)
{
    if (!has_deadline(stage))
        return;
    if (stage->entry->identity.deadline_unix_ns > round->now_unix_ns)
        pawl_store_deadline_set(round, stage);
    else
        pawl_store_deadline_void(round, stage);
}

/* ---- when it is due ---- */

/* The run and the number of rewinds make it one of its own: after each rewind a deadline may hold anew. */
static pawl_post *post_of(pawl_store_round *round, const pawl_store_stage *stage)
{
    const pawl_store_identity *identity = &stage->entry->identity;
    pawl_post *post = pawl_store_arena_take(&round->arena, sizeof *post);
    char *id = pawl_store_arena_take(&round->arena, POST_ID_ROOM);
    if (post == NULL || id == NULL)
        return NULL;
    int size = snprintf(id, POST_ID_ROOM, "pawl.deadline:%u:%u", stage->state.run, stage->state.rewinds);
    *post = (pawl_post){
        .struct_size = sizeof *post,
        .kind = identity->external ? PAWL_RECORD_ENDED : PAWL_RECORD_CANCEL,
        .id = identity->id,
        .post_id = {id, (size_t)size},
        .fingerprint = {fingerprint, sizeof fingerprint},
        .body = identity->deadline_body,
        .status = identity->external ? PAWL_FAILED : 0,
    };
    return post;
}

static pawl_status expire(pawl_store_round *round, pawl_bytes key, uint64_t due, uint64_t number, pawl_fault *fault)
{
    pawl_store_stage *stage = NULL;
    bool leased = false;
    uint64_t sequence;
    pawl_status status = pawl_store_stage_by_number(round, number, &stage, &leased, fault);
    if (status == PAWL_E_CORRUPT || status == PAWL_E_NOT_FOUND) {
        *fault = (pawl_fault){0}; /* the auditor's business; the row is not looked at again */
        pawl_batch_delete(&round->rows, PAWL_FAMILY_RELATION, key);
        return PAWL_OK;
    }
    if (status != PAWL_OK)
        return status;
    bool holds = !stage->pruned && !PAWL_IS_TERMINAL(stage->state.status) && !stage->state.untimed &&
                 has_deadline(stage) && stage->entry->identity.deadline_unix_ns == due;
    if (!holds) { /* this very round has ended it, or asked it to stop */
        pawl_batch_delete(&round->rows, PAWL_FAMILY_RELATION, key);
        return PAWL_OK;
    }
    pawl_post *post = post_of(round, stage);
    if (post == NULL)
        return pawl_fault_nomem(fault);
    status = pawl_store_stage_posted(round, stage, leased, post, &sequence, fault); /* takes the row away, too */
    if (status == PAWL_OK && post->kind == PAWL_RECORD_ENDED)
        pawl_store_stage_tell_end(round, stage, post->body, sequence);
    return status;
}

static pawl_status expire_some(pawl_store_round *round, pawl_fault *fault)
{
    pawl_key prefix;
    pawl_key from;
    const pawl_store_deadlines *deadlines = &round->registry->deadlines;
    uint64_t looked_at = 0;
    pawl_key_start(&prefix);
    pawl_key_u8(&prefix, STORE_RELATION_DEADLINE);
    pawl_store_key_relation(&from, STORE_RELATION_DEADLINE, deadlines->from, 0);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(round->registry->store->kv, PAWL_FAMILY_RELATION, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_status status = PAWL_OK;
    uint64_t due = STORE_NEVER;
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&from)); cursor->valid; pawl_kv_cursor_next(cursor)) {
        pawl_reader reader = pawl_reader_of(cursor->key);
        pawl_reader_u8(&reader);
        due = pawl_reader_u64(&reader);
        uint64_t number = pawl_reader_u64(&reader);
        if (due > round->now_unix_ns || looked_at++ == DUE_PER_ROUND ||
            round->rows.bytes.size >= PAWL_STORE_ROUND_BYTES_MAX)
            break;
        status = expire(round, cursor->key, due, number, fault);
        if (status != PAWL_OK)
            break;
    }
    if (status == PAWL_OK)
        status = pawl_kv_cursor_status(cursor, fault);
    if (status == PAWL_OK)
        round->deadline_next = cursor->valid ? due : STORE_NEVER;
    pawl_kv_cursor_close(cursor);
    return status;
}

void pawl_store_stage_deadlines(pawl_store_round *round)
{
    pawl_store_deadlines *deadlines = &round->registry->deadlines;
    pawl_fault fault = {0};
    if (deadlines->next > round->now_unix_ns || deadlines->wait || round->closed ||
        round->rows.bytes.size >= PAWL_STORE_ROUND_BYTES_MAX)
        return;
    round->deadlines_looked_at = true;
    round->deadline_next = deadlines->next;
    if (expire_some(round, &fault) == PAWL_OK)
        return;
    deadlines->wait = true;
    pawl_store_log(round->registry->store, PAWL_LOG_ERROR, "deadlines that have passed are left for later: %s",
                   fault.message);
}

void pawl_store_deadlines_publish(pawl_store_round *round)
{
    pawl_store_deadlines *deadlines = &round->registry->deadlines;
    if (round->deadlines_looked_at) {
        deadlines->next = round->deadline_next;
        if (round->deadline_next != STORE_NEVER)
            deadlines->from = round->deadline_next;
    }
    if (round->deadline_set < deadlines->next)
        deadlines->next = round->deadline_set;
    if (round->deadline_set < deadlines->from)
        deadlines->from = round->deadline_set;
}

uint64_t pawl_store_deadlines_left(const pawl_store_registry *registry)
{
    const pawl_store_deadlines *deadlines = &registry->deadlines;
    if (deadlines->wait)
        return RETRY_NS;
    if (deadlines->next == 0 || deadlines->next == STORE_NEVER)
        return deadlines->next;
    uint64_t now = pawl_store_unix_now(registry->store);
    uint64_t left = deadlines->next > now ? deadlines->next - now : 0;
    return left < UNIX_LOOK_NS ? left : UNIX_LOOK_NS;
}
