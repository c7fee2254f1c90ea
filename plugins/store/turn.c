/* turn.c: exclusive processes: of those registered in one session, one runs from its start to its end before the next
 * one begins, in the order of their registration. One row for each such session says whose turn it is; the others have
 * a row each and wait. Whoever ends hands the turn on in the same write, so that a crash changes nothing of the order.
 *
 * It must never leave a session whose turn nobody has while others wait. */
#include "round.h"

#include <stdio.h>

/* What this round has done to one session: its rows are in the batch, not in the engine. */
struct pawl_store_turns {
    struct pawl_store_turns *next;
    uint64_t session; /* hash */
    uint64_t holder;  /* number; 0: nobody */
    struct waiting_turn *added;
    struct waiting_turn *removed;
};

typedef struct waiting_turn {
    struct waiting_turn *next;
    uint64_t number;
} waiting_turn;

static uint64_t session_of(const pawl_store_stage *stage)
{
    return pawl_store_hash(stage->entry->identity.session);
}

pawl_status pawl_store_read_turn(pawl_kv *kv, uint64_t session, uint64_t *holder, pawl_fault *fault)
{
    pawl_key key;
    pawl_buffer buffer = {0};
    pawl_reader reader;
    pawl_store_key_turn(&key, session, 0);
    *holder = 0;
    pawl_status status = pawl_kv_get(kv, PAWL_FAMILY_TURN, pawl_key_bytes(&key), &buffer, fault);
    if (status == PAWL_OK)
        status = pawl_row_open(&reader, PAWL_FAMILY_TURN, pawl_key_bytes(&key), (pawl_bytes){buffer.data, buffer.size},
                               fault);
    if (status == PAWL_OK)
        *holder = pawl_reader_u64(&reader);
    pawl_buffer_finish(&buffer);
    return status == PAWL_E_NOT_FOUND ? PAWL_OK : status;
}

/* The session as this round sees it. */
static pawl_status turns_of(pawl_store_round *round, uint64_t session, struct pawl_store_turns **ret, pawl_fault *fault)
{
    struct pawl_store_turns *turns = round->turns;
    while (turns != NULL && turns->session != session)
        turns = turns->next;
    *ret = turns;
    if (turns != NULL)
        return PAWL_OK;
    turns = pawl_store_arena_take(&round->arena, sizeof *turns);
    if (turns == NULL)
        return pawl_fault_nomem(fault);
    turns->session = session;
    pawl_status status = pawl_store_read_turn(round->registry->store->kv, session, &turns->holder, fault);
    if (status != PAWL_OK)
        return status;
    turns->next = round->turns;
    round->turns = turns;
    *ret = turns;
    return PAWL_OK;
}

static bool is_in(const waiting_turn *list, uint64_t number)
{
    while (list != NULL && list->number != number)
        list = list->next;
    return list != NULL;
}

static bool put_in(pawl_store_round *round, waiting_turn **list, uint64_t number)
{
    waiting_turn *made = pawl_store_arena_take(&round->arena, sizeof *made);
    if (made == NULL)
        return false;
    *made = (waiting_turn){*list, number};
    *list = made;
    return true;
}

static void put_holder(pawl_store_round *round, struct pawl_store_turns *turns, uint64_t holder)
{
    pawl_key key;
    pawl_store_key_turn(&key, turns->session, 0);
    turns->holder = holder;
    if (holder == 0) {
        pawl_batch_delete(&round->rows, PAWL_FAMILY_TURN, pawl_key_bytes(&key));
        return;
    }
    pawl_batch_begin(&round->rows, PAWL_FAMILY_TURN, pawl_key_bytes(&key));
    pawl_buffer_u64(&round->rows.bytes, holder);
    pawl_batch_end(&round->rows);
}

/* Out of memory makes the whole round fail, so that nothing is half done. */
static void wait_no_more(pawl_store_round *round, struct pawl_store_turns *turns, uint64_t number)
{
    pawl_key key;
    pawl_store_key_turn(&key, turns->session, number);
    pawl_batch_delete(&round->rows, PAWL_FAMILY_TURN, pawl_key_bytes(&key));
    if (!put_in(round, &turns->removed, number))
        round->rows.bytes.failed = true;
}

/* ---- registering ---- */

pawl_status pawl_store_turn_ask(pawl_store_round *round, const pawl_register *request, bool *behind, pawl_fault *fault)
{
    struct pawl_store_turns *turns = NULL;
    *behind = false;
    if (request->exclusive == 0)
        return PAWL_OK;
    if (request->session.size == 0 || request->external != 0 || request->start_unix_ns != 0)
        return pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid",
                              "an exclusive process has a session, is not external and has no time to start at");
    pawl_status status = turns_of(round, pawl_store_hash(request->session), &turns, fault);
    *behind = status == PAWL_OK && turns->holder != 0;
    return status;
}

void pawl_store_turn_take_place(pawl_store_round *round, pawl_store_stage *stage)
{
    pawl_key key;
    pawl_fault fault = {0};
    struct pawl_store_turns *turns = NULL;
    uint64_t number = stage->entry->number;
    if (!stage->entry->identity.exclusive || turns_of(round, session_of(stage), &turns, &fault) != PAWL_OK)
        return; /* asked before: it is in memory */
    if (turns->holder == 0) {
        put_holder(round, turns, number);
        return;
    }
    stage->state.behind = true;
    pawl_store_key_turn(&key, turns->session, number);
    pawl_batch_mark(&round->rows, PAWL_FAMILY_TURN, pawl_key_bytes(&key));
    if (!put_in(round, &turns->added, number))
        round->rows.bytes.failed = true;
}

/* ---- ending, and leaving the line ---- */

/* The first that waits behind `from` and that this round has not taken away; 0: nobody. */
static pawl_status first_waiting(pawl_store_round *round, const struct pawl_store_turns *turns, uint64_t from,
                                 uint64_t *ret, pawl_fault *fault)
{
    pawl_key prefix;
    pawl_key key;
    *ret = 0;
    pawl_key_start(&prefix);
    pawl_key_u64(&prefix, turns->session);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(round->registry->store->kv, PAWL_FAMILY_TURN, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_store_key_turn(&key, turns->session, from);
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&key)); cursor->valid && *ret == 0; pawl_kv_cursor_next(cursor)) {
        pawl_reader reader = pawl_reader_of(cursor->key);
        pawl_reader_u64(&reader);
        uint64_t number = pawl_reader_u64(&reader);
        *ret = reader.bad || is_in(turns->removed, number) ? 0 : number;
    }
    pawl_status status = cursor->valid ? PAWL_OK : pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    for (const waiting_turn *added = *ret == 0 ? turns->added : NULL; added != NULL; added = added->next)
        if (added->number >= from && !is_in(turns->removed, added->number) && (*ret == 0 || added->number < *ret))
            *ret = added->number;
    return status;
}

/* The stage of whoever is next, with a ticket for the queue. One that is damaged stalls nobody else. */
static pawl_status find_next(pawl_store_round *round, const struct pawl_store_turns *turns, uint64_t from,
                             pawl_store_turn *ret, pawl_fault *fault)
{
    pawl_store_registry *registry = round->registry;
    for (;;) {
        uint64_t number = 0;
        pawl_store_entry *entry;
        pawl_fault bad = {0};
        pawl_status status = first_waiting(round, turns, from, &number, fault);
        if (status != PAWL_OK || number == 0)
            return status;
        status = pawl_store_entry_by_number(registry, number, &entry, &bad);
        if (status == PAWL_E_CORRUPT || status == PAWL_E_NOT_FOUND) {
            pawl_store_log(registry->store, PAWL_LOG_ERROR, "a turn passes over a process: %s", bad.message);
            from = number + 1;
            continue;
        }
        if (status != PAWL_OK) {
            *fault = bad;
            return status;
        }
        pthread_mutex_lock(&registry->lock);
        ret->next = pawl_store_stage_of(round, entry);
        pawl_store_entry_unpin(registry, entry);
        pthread_mutex_unlock(&registry->lock);
        return ret->next == NULL ? pawl_fault_nomem(fault) : pawl_store_ticket(registry->store, &ret->ready, fault);
    }
}

pawl_status pawl_store_turn_find(pawl_store_round *round, const pawl_store_stage *stage, pawl_store_turn *ret,
                                 pawl_fault *fault)
{
    *ret = (pawl_store_turn){0};
    if (!stage->entry->identity.exclusive)
        return PAWL_OK;
    pawl_status status = turns_of(round, session_of(stage), &ret->turns, fault);
    if (status != PAWL_OK || ret->turns->holder != stage->entry->number)
        return status;
    ret->hands_on = true;
    return find_next(round, ret->turns, stage->entry->number + 1, ret, fault);
}

void pawl_store_turn_leave(pawl_store_round *round, pawl_store_stage *stage, const pawl_store_turn *turn)
{
    if (turn->turns == NULL || !stage->state.behind)
        return;
    stage->state.behind = false;
    wait_no_more(round, turn->turns, stage->entry->number);
}

void pawl_store_turn_hand_on(pawl_store_round *round, pawl_store_stage *stage, const pawl_store_turn *turn)
{
    const pawl_bytes none = {NULL, 0};
    pawl_store_turn_leave(round, stage, turn);
    if (!turn->hands_on)
        return;
    put_holder(round, turn->turns, turn->next == NULL ? 0 : turn->next->entry->number);
    if (turn->next == NULL)
        return;
    turn->next->state.behind = false;
    wait_no_more(round, turn->turns, turn->next->entry->number);
    if (turn->next->state.paused == 0) /* else it keeps still, with the turn, until it is to go on */
        pawl_store_stage_move(round, turn->next, PAWL_READY, 0, turn->ready);
    pawl_store_stage_header(round, turn->next, none, none);
}
