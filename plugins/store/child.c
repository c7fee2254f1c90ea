/* child.c: what parents have to do with the commits of their children: a child is registered only while somebody holds
 * its parent, and however it ends, the record that tells its parent is in the same write. Whether the parent's code
 * still wants to know is not asked here. A parent that is damaged must never keep its child from ending. */
#include "round.h"

#include <stdlib.h>

/* The stage of a process by id; its entry stays for as long as the round. */
static pawl_status stage_by_id(pawl_store_round *round, pawl_bytes id, pawl_store_stage **ret, bool *leased,
                               pawl_fault *fault)
{
    pawl_store_registry *registry = round->registry;
    pawl_store_entry *entry;
    pawl_status status = pawl_store_entry_by_id(registry, id, &entry, fault);
    if (status != PAWL_OK)
        return status;
    pthread_mutex_lock(&registry->lock);
    *ret = pawl_store_stage_of(round, entry);
    *leased = *ret != NULL && pawl_store_stage_is_leased(*ret);
    pawl_store_entry_unpin(registry, entry);
    pthread_mutex_unlock(&registry->lock);
    return *ret == NULL ? pawl_fault_nomem(fault) : PAWL_OK;
}

static bool wakes(const pawl_store_stage *parent)
{
    return parent->state.paused == 0 && parent->state.status == PAWL_WAITING && !parent->entry->identity.external;
}

static pawl_status prepare(pawl_store_round *round, pawl_bytes note, pawl_bytes ended, pawl_store_parent *ret,
                           pawl_fault *fault)
{
    uint8_t *body = pawl_store_arena_take(&round->arena, note.size + ended.size);
    if (body == NULL)
        return pawl_fault_nomem(fault);
    memcpy(body, note.data, note.size);
    if (ended.size > 0)
        memcpy(body + note.size, ended.data, ended.size);
    ret->body = (pawl_bytes){body, note.size + ended.size};
    return pawl_store_told_prepare(round, ret, fault);
}

pawl_status pawl_store_told_prepare(pawl_store_round *round, pawl_store_parent *ret, pawl_fault *fault)
{
    ret->event = pawl_store_arena_take(&round->arena, sizeof *ret->event);
    if (ret->event == NULL)
        return pawl_fault_nomem(fault);
    if (wakes(ret->stage) && pawl_store_stage_needs_ready(ret->stage))
        return pawl_store_ticket(round->registry->store, &ret->ready, fault);
    return PAWL_OK;
}

pawl_status pawl_store_parent_find(pawl_store_round *round, const pawl_store_stage *child, pawl_bytes ended,
                                   pawl_store_parent *ret, pawl_fault *fault)
{
    const pawl_store_identity *identity = &child->entry->identity;
    *ret = (pawl_store_parent){0};
    if (identity->parent_note.size == 0 || (identity->parent_close & PAWL_PARENT_CLOSE_UNTOLD) != 0)
        return PAWL_OK;
    pawl_fault bad = {0};
    pawl_status status = stage_by_id(round, identity->parent, &ret->stage, &ret->leased, &bad);
    if (status == PAWL_E_CORRUPT)
        pawl_store_log(round->registry->store, PAWL_LOG_ERROR,
                       "process number %llu ends and its parent cannot be told: %s",
                       (unsigned long long)child->entry->number, bad.message);
    if (status == PAWL_E_CORRUPT || status == PAWL_E_NOT_FOUND) {
        ret->stage = NULL;
        return PAWL_OK;
    }
    if (status != PAWL_OK) {
        *fault = bad;
        return status;
    }
    if (PAWL_IS_TERMINAL(ret->stage->state.status)) {
        ret->stage = NULL;
        return PAWL_OK;
    }
    return prepare(round, identity->parent_note, ended, ret, fault);
}

void pawl_store_parent_tell(pawl_store_round *round, const pawl_store_parent *parent)
{
    pawl_store_told_stage(round, parent, PAWL_RECORD_CHILD);
}

void pawl_store_told_stage(pawl_store_round *round, const pawl_store_parent *told, uint32_t kind)
{
    const pawl_bytes none = {NULL, 0};
    pawl_store_stage *stage = told->stage;
    if (stage == NULL)
        return;
    bool ready = wakes(stage);
    uint64_t sequence = pawl_store_stage_record(round, stage, kind, told->body);
    if (!pawl_store_stage_note_posted(round, stage, kind, sequence))
        round->rows.bytes.failed = true; /* out of memory: the whole round fails, and nothing is half done */
    if (told->leased) {
        told->event->next = NULL;
        told->event->record = (pawl_record){
            .struct_size = sizeof told->event->record,
            .kind = kind,
            .sequence = sequence,
            .time_unix_ns = round->now_unix_ns,
            .body = told->body,
        };
        *stage->events_end = told->event;
        stage->events_end = &told->event->next;
    }
    if (!ready)
        return;
    pawl_store_stage_move(round, stage, PAWL_READY, 0, told->ready);
    pawl_store_stage_header(round, stage, none, none);
}

pawl_status pawl_store_parent_adopt(pawl_store_round *round, const pawl_register *request, pawl_fault *fault)
{
    const pawl_bytes none = {NULL, 0};
    char id[300];
    pawl_store_stage *stage = NULL;
    bool leased = false;
    if (request->parent_note.size == 0)
        return PAWL_OK;
    pawl_status status = stage_by_id(round, request->parent, &stage, &leased, fault);
    if (status != PAWL_OK)
        return status;
    if (!leased || PAWL_IS_TERMINAL(stage->state.status))
        return pawl_fault_set(fault, PAWL_E_STALE, "registry.parent_not_held",
                              "nobody runs process \"%s\", so it cannot start a child",
                              pawl_fault_text(request->parent, id, sizeof id));
    if (stage->state.has_children)
        return PAWL_OK;
    stage->state.has_children = true;
    pawl_store_stage_header(round, stage, none, none);
    return PAWL_OK;
}
