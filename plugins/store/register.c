/* register.c: REGISTER: a new process, or the one that is there already. */
#include "attribute.h"

#include <stdlib.h>

static bool is_blank(pawl_bytes bytes)
{
    const unsigned char *data = bytes.data;
    for (size_t i = 0; i < bytes.size; i++)
        if (data[i] != ' ' && (data[i] < '\t' || data[i] > '\r'))
            return false;
    return true;
}

/* What a start may choose beside what it is. */
static pawl_status check_choices(const pawl_register *request, pawl_fault *fault)
{
    if ((request->parent_close & ~PAWL_PARENT_CLOSE_UNTOLD) > PAWL_PARENT_CLOSE_ABANDON)
        return pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid",
                              "the parent-close policy of a process is %u; wanted 0 to %u", request->parent_close,
                              PAWL_PARENT_CLOSE_ABANDON);
    if (request->priority > PAWL_PRIORITY_LOWEST)
        return pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid",
                              "the priority of a process is %u; wanted %u (first) to %u (last), or 0",
                              request->priority, PAWL_PRIORITY_HIGHEST, PAWL_PRIORITY_LOWEST);
    pawl_status status =
        pawl_store_check_size("a parent note", request->parent_note, PAWL_PARENT_NOTE_BYTES_MAX, fault);
    if (status == PAWL_OK && request->parent.size == 0 && request->parent_note.size > 0)
        status = pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid", "a parent note without a parent");
    if (status == PAWL_OK)
        status = pawl_store_check_size("what closes a child", request->close_body, PAWL_CLOSE_BODY_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("what is posted at a deadline", request->deadline_body,
                                       PAWL_CLOSE_BODY_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("the key of a process", request->key, PAWL_STORE_ID_BYTES_MAX, fault);
    return status;
}

static pawl_status check(const pawl_store_round *round, const pawl_register *request, pawl_fault *fault)
{
    if (request == NULL || request->struct_size < sizeof *request)
        return pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid", "the request of REGISTER is too small");
    const pawl_store *store = round->registry->store;
    if (request->reuse > PAWL_REUSE_AFTER_FAILURE)
        return pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid", "REGISTER has reuse %u, which is none",
                              request->reuse);
    pawl_status status = pawl_store_check_name("a process id", request->id, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status == PAWL_OK && is_blank(request->id))
        status = pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid",
                                "a process id is blank; wanted 1 to %u bytes that are not all white space",
                                PAWL_STORE_ID_BYTES_MAX);
    if (status == PAWL_OK)
        status = pawl_store_check_name("a process type", request->type, PAWL_STORE_TYPE_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_fingerprint(request->fingerprint, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("a plugin id", request->plugin, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status == PAWL_OK && request->digest.size != 0 && request->digest.size != PAWL_STORE_DIGEST_BYTES)
        status = pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid",
                                "a plugin digest has %zu bytes; wanted %u or none", request->digest.size,
                                PAWL_STORE_DIGEST_BYTES);
    if (status == PAWL_OK)
        status = pawl_store_check_size("a profile name", request->profile, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("a session id", request->session, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("a parent id", request->parent, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = check_choices(request, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("the input of a process", request->input, store->value_bytes_max, fault);
    if (status == PAWL_OK && request->input.size > store->journal_bytes_max)
        status = pawl_store_limit(fault, "the bytes of a journal", request->input.size, store->journal_bytes_max);
    return status;
}

/* The id is known: the same process, or another one. */
static pawl_status existing(const pawl_register *request, const pawl_store_entry *entry, pawl_registry_op *op,
                            pawl_fault *fault)
{
    char id[300];
    char found[80];
    char wanted[80];
    char type[80];
    pawl_fault_text(request->id, id, sizeof id);
    if (!pawl_bytes_equal(request->type, pawl_store_type_name(entry->type)))
        return pawl_fault_set(fault, PAWL_E_CONFLICT, "registry.conflict",
                              "process \"%s\" exists with another type: \"%s\", not \"%s\"", id,
                              pawl_fault_text(pawl_store_type_name(entry->type), type, sizeof type),
                              pawl_fault_text(request->type, wanted, sizeof wanted));
    if (!pawl_bytes_equal(request->fingerprint, entry->identity.fingerprint))
        return pawl_fault_set(fault, PAWL_E_CONFLICT, "registry.conflict",
                              "process \"%s\" exists with other content: fingerprint %s, not %s", id,
                              pawl_fault_hex(entry->identity.fingerprint, found, sizeof found),
                              pawl_fault_hex(request->fingerprint, wanted, sizeof wanted));
    op->number = entry->number;
    op->flags |= PAWL_RESULT_EXISTED;
    return PAWL_OK;
}

static pawl_store_type *intern(pawl_store_round *round, pawl_bytes name, pawl_fault *fault)
{
    pthread_mutex_lock(&round->registry->lock);
    pawl_store_type *type = pawl_store_type_intern(round->registry, name, fault);
    pthread_mutex_unlock(&round->registry->lock);
    return type;
}

static pawl_store_entry *new_entry(pawl_store_round *round, const pawl_register *request, pawl_store_type *type)
{
    const pawl_bytes none = {NULL, 0};
    const pawl_store_identity identity = {
        .type = type->id,
        .revision = request->revision,
        .external = request->external != 0,
        .created_unix_ns = round->now_unix_ns,
        .id = request->id,
        .plugin = request->plugin,
        .digest = request->digest,
        .profile = request->profile,
        .session = request->session,
        .parent = request->parent,
        .fingerprint = request->fingerprint,
        .parent_note = request->parent_note,
        .key = request->key,
        .parent_close = request->parent_close,
        .close_body = request->close_body,
        .priority = request->priority == 0 ? PAWL_PRIORITY_NORMAL : request->priority,
        .deadline_unix_ns = request->deadline_unix_ns,
        .deadline_body = request->deadline_unix_ns == 0 ? none : request->deadline_body,
        .exclusive = request->exclusive != 0,
    };
    pawl_buffer_clear(&round->scratch);
    pawl_store_identity_encode(&round->scratch, &identity);
    if (round->scratch.failed)
        return NULL;
    pawl_store_entry *entry =
        pawl_store_entry_create(round->next_number, type, (pawl_bytes){round->scratch.data, round->scratch.size});
    if (entry != NULL)
        entry->fresh = true;
    return entry;
}

static void put_relations(pawl_store_round *round, const pawl_store_entry *entry)
{
    pawl_key key;
    pawl_store_key_relation(&key, 't', entry->type->id, entry->number);
    pawl_batch_mark(&round->rows, PAWL_FAMILY_RELATION, pawl_key_bytes(&key));
    if (entry->identity.session.size > 0) {
        pawl_store_key_relation(&key, 's', pawl_store_hash(entry->identity.session), entry->number);
        pawl_batch_mark(&round->rows, PAWL_FAMILY_RELATION, pawl_key_bytes(&key));
    }
    if (entry->identity.parent.size > 0) {
        pawl_store_key_relation(&key, 'p', pawl_store_hash(entry->identity.parent), entry->number);
        pawl_batch_mark(&round->rows, PAWL_FAMILY_RELATION, pawl_key_bytes(&key));
    }
}

/* The row of a type that is new, and of those before it that an earlier failed write left out. */
static void put_types(pawl_store_round *round, const pawl_store_type *type)
{
    while (round->types_stored <= type->id)
        pawl_store_put_type(&round->rows, round->registry->types_by_id[round->types_stored++]);
}

/* Into the tables; NULL when out of memory. */
static pawl_store_stage *insert(pawl_store_round *round, pawl_store_entry *entry)
{
    pawl_store_registry *registry = round->registry;
    pthread_mutex_lock(&registry->lock);
    pawl_store_entry_insert(registry, entry);
    pawl_store_stage *stage = pawl_store_stage_of(round, entry);
    if (stage == NULL)
        pawl_store_entry_remove(registry, entry);
    pthread_mutex_unlock(&registry->lock);
    return stage;
}

/* run: 1, or one more than that of the process that had this id before. */
static pawl_status create(pawl_store_round *round, pawl_registry_op *op, uint32_t run, pawl_fault *fault)
{
    const pawl_register *request = op->request;
    const pawl_bytes none = {NULL, 0};
    uint64_t ready = 0;
    uint64_t token = 0;
    bool external = request->external != 0;
    bool later = request->start_unix_ns > round->now_unix_ns && !external;
    bool behind = false;
    pawl_status status = pawl_store_turn_ask(round, request, &behind, fault);
    bool claims = request->claim_session != 0 && !external && !later && !behind;
    if (status == PAWL_OK && !external && !later && !behind)
        status = pawl_store_ticket(round->registry->store, &ready, fault);
    if (status == PAWL_OK && claims)
        status = pawl_store_ticket(round->registry->store, &token, fault);
    if (status == PAWL_OK && request->attributes.size > 0)
        status = pawl_store_attributes_prepare(round, NULL, request->attributes, &round->attributes, fault);
    if (status == PAWL_OK)
        status = pawl_store_parent_adopt(round, request, fault);
    pawl_store_type *type = status == PAWL_OK ? intern(round, request->type, fault) : NULL;
    if (type == NULL)
        return fault->status;
    pawl_store_entry *entry = new_entry(round, request, type);
    pawl_store_stage *stage = entry == NULL ? NULL : insert(round, entry);
    if (stage == NULL)
        return pawl_fault_nomem(fault);
    round->next_number++;
    put_types(round, type);
    pawl_store_put_ident(&round->rows, request->id, entry->number);
    put_relations(round, entry);
    stage->state.run = run;
    stage->state.base = 1;
    pawl_store_stage_record(round, stage, PAWL_RECORD_STARTED, request->input);
    (void)pawl_store_attributes_stage(round, stage, &round->attributes);
    pawl_store_turn_take_place(round, stage);
    pawl_store_deadline_set(round, stage);
    pawl_store_stage_move(round, stage, external || later || behind ? PAWL_WAITING : PAWL_READY,
                          later ? request->start_unix_ns : 0, ready);
    pawl_store_stage_header(round, stage, none,
                            later    ? (pawl_bytes){"its start", 9}
                            : behind ? (pawl_bytes){"its turn", 8}
                                     : none);
    stage->claim = claims ? op : NULL;
    stage->claim_token = token;
    op->number = entry->number;
    op->sequence = stage->state.head;
    op->count = run;
    return PAWL_OK;
}

/* ---- an id that is known ---- */

/* Does a new process take the place of this one? */
static bool replaces(const pawl_register *request, const pawl_store_state *state)
{
    if (!PAWL_IS_TERMINAL(state->status) || state->run == UINT32_MAX)
        return false;
    return request->reuse == PAWL_REUSE_AFTER_END ||
           (request->reuse == PAWL_REUSE_AFTER_FAILURE && state->status != PAWL_COMPLETED);
}

/* The former one goes in the same batch, and with it everything that was posted to it: a retry of that is no retry of
 * anything that concerns the new one. */
static pawl_status replace(pawl_store_round *round, pawl_store_entry *former, pawl_registry_op *op, pawl_fault *fault)
{
    pawl_store_registry *registry = round->registry;
    pthread_mutex_lock(&registry->lock);
    pawl_store_stage *stage = pawl_store_stage_of(round, former);
    pthread_mutex_unlock(&registry->lock);
    if (stage == NULL)
        return pawl_fault_nomem(fault);
    const size_t size = round->rows.bytes.size;
    const size_t count = round->rows.count;
    pawl_status status = pawl_store_stage_remove(round, stage, stage->state.updated_unix_ns, fault);
    if (status == PAWL_OK)
        status = create(round, op, stage->state.run + 1, fault);
    if (status != PAWL_OK && stage->pruned) { /* nothing of it was done */
        stage->pruned = false;
        round->deltas[stage->state.status]++;
        round->rows.bytes.size = size;
        round->rows.count = count;
    }
    round->closed = true; /* what follows must find the new one */
    return status;
}

static pawl_status known(pawl_store_round *round, pawl_store_entry *entry, pawl_registry_op *op, pawl_fault *fault)
{
    const pawl_register *request = op->request;
    const pawl_store_state *state = entry->stage != NULL ? &entry->stage->state : &entry->state;
    char id[300];
    if (request->reuse == PAWL_REUSE_REJECT)
        return pawl_fault_set(fault, PAWL_E_CONFLICT, "registry.exists",
                              "process \"%s\" exists already, and its id was not to be used again",
                              pawl_fault_text(request->id, id, sizeof id));
    if (!replaces(request, state))
        return existing(request, entry, op, fault);
    if (state->has_children)
        return pawl_fault_set(fault, PAWL_E_BUSY, "registry.children",
                              "process \"%s\" has ended and its children are being looked after; try again",
                              pawl_fault_text(request->id, id, sizeof id));
    return entry->stage != NULL ? PAWL_PENDING : replace(round, entry, op, fault);
}

/* The id of a pruned process. */
static pawl_status known_no_more(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault)
{
    const pawl_register *request = op->request;
    pawl_store_tombstone left = {0};
    pawl_key key;
    char id[300];
    if (request->reuse != PAWL_REUSE_AFTER_END)
        return pawl_fault_set(fault, PAWL_E_CONFLICT, STORE_NO_LONGER_RETAINED,
                              "process \"%s\" has ended and is no longer retained; its id can be used again only if "
                              "the start says so (reuse after the end)",
                              pawl_fault_text(request->id, id, sizeof id));
    *fault = (pawl_fault){0};
    pawl_status status = pawl_store_read_tombstone(round->registry->store->kv, request->id, &left, fault);
    if (status == PAWL_OK)
        status = create(round, op, left.run + 1, fault);
    if (status == PAWL_OK) {
        pawl_store_key_tombstone(&key, &left);
        pawl_batch_delete(&round->rows, PAWL_FAMILY_RELATION, pawl_key_bytes(&key));
    }
    return status;
}

static pawl_status stage_register(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault)
{
    pawl_store_registry *registry = round->registry;
    const pawl_register *request = op->request;
    pawl_status status = check(round, request, fault);
    if (status != PAWL_OK)
        return status;
    pawl_store_entry *entry;
    status = pawl_store_entry_by_id(registry, request->id, &entry, fault);
    if (status == PAWL_OK) {
        status = known(round, entry, op, fault);
        pthread_mutex_lock(&registry->lock);
        pawl_store_entry_unpin(registry, entry);
        pthread_mutex_unlock(&registry->lock);
        return status;
    }
    if (status != PAWL_E_NOT_FOUND)
        return status;
    if (strcmp(fault->code, STORE_NO_LONGER_RETAINED) == 0)
        return known_no_more(round, op, fault);
    *fault = (pawl_fault){0};
    return create(round, op, 1, fault);
}

pawl_status pawl_store_stage_register(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault)
{
    pawl_status status = stage_register(round, op, fault);
    pawl_store_attributes_forget(&round->attributes);
    return status;
}
