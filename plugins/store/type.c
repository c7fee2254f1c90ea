/* type.c: process type names and their dense numbers, and what claims and the clock know of each; see registry.h.
 * Types are few and stay in memory until the store is closed. */
#include "meta.h"
#include "row.h"

#include <stdlib.h>

static int compare_types(const pawl_store_type *a, const pawl_store_type *b)
{
    return pawl_bytes_compare(pawl_store_type_name(a), pawl_store_type_name(b));
}

RB_GENERATE_INTERNAL(pawl_store_type_tree, pawl_store_type, link, compare_types, static __attribute__((unused)))

pawl_store_type *pawl_store_type_find(pawl_store_registry *registry, pawl_bytes name)
{
    for (pawl_store_type *type = RB_ROOT(&registry->types); type != NULL;) {
        int order = pawl_bytes_compare(name, pawl_store_type_name(type));
        if (order == 0)
            return type;
        type = order < 0 ? RB_LEFT(type, link) : RB_RIGHT(type, link);
    }
    return NULL;
}

pawl_store_type *pawl_store_type_by_id(pawl_store_registry *registry, uint32_t id)
{
    return id < registry->type_count ? registry->types_by_id[id] : NULL;
}

static pawl_store_type *add(pawl_store_registry *registry, pawl_bytes name, pawl_fault *fault)
{
    if (registry->type_count >= PAWL_STORE_TYPES_MAX) {
        pawl_store_limit(fault, "process types", registry->type_count + 1ull, PAWL_STORE_TYPES_MAX);
        return NULL;
    }
    pawl_store_type **types = realloc(registry->types_by_id, (registry->type_count + 1ul) * sizeof(pawl_store_type *));
    if (types != NULL)
        registry->types_by_id = types;
    pawl_store_type *type = types == NULL ? NULL : calloc(1, sizeof *type + name.size);
    if (type == NULL) {
        pawl_fault_nomem(fault);
        return NULL;
    }
    memcpy(type->name, name.data, name.size);
    type->name_size = name.size;
    type->id = registry->type_count;
    pawl_store_queue_init(type);
    type->next_due = STORE_NEVER;
    TAILQ_INIT(&type->returned);
    registry->types_by_id[registry->type_count++] = type;
    RB_INSERT(pawl_store_type_tree, &registry->types, type);
    return type;
}

pawl_store_type *pawl_store_type_intern(pawl_store_registry *registry, pawl_bytes name, pawl_fault *fault)
{
    pawl_store_type *type = pawl_store_type_find(registry, name);
    return type != NULL ? type : add(registry, name, fault);
}

/* When the first wake row of a type is due. */
static pawl_status first_due(pawl_store_registry *registry, pawl_store_type *type, pawl_fault *fault)
{
    pawl_key prefix;
    pawl_key_start(&prefix);
    pawl_key_u32(&prefix, type->id);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(registry->store->kv, PAWL_FAMILY_WAKE, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix));
    pawl_status status = pawl_kv_cursor_status(cursor, fault);
    if (status == PAWL_OK && cursor->valid) {
        pawl_reader key = pawl_reader_of(cursor->key);
        pawl_reader_u32(&key);
        type->next_due = pawl_reader_u64(&key);
    }
    pawl_kv_cursor_close(cursor);
    return status;
}

static pawl_status open_type(pawl_store_registry *registry, pawl_kv_cursor *cursor, pawl_fault *fault)
{
    pawl_reader row;
    pawl_status status = pawl_row_open(&row, PAWL_FAMILY_META, cursor->key, cursor->value, fault);
    if (status != PAWL_OK)
        return status;
    pawl_reader key = pawl_reader_of(cursor->key);
    key.at += strlen(STORE_META_TYPE);
    if (pawl_reader_u32(&key) != registry->type_count || key.bad)
        return pawl_row_bad(PAWL_FAMILY_META, cursor->key, "the numbers of the process types have a gap", fault);
    pawl_store_type *type = add(registry, pawl_reader_rest(&row), fault);
    if (type == NULL)
        return fault->status;
    registry->types_stored++;
    pawl_store_queue_reopen(type);
    return first_due(registry, type, fault);
}

pawl_status pawl_store_types_open(pawl_store_registry *registry, pawl_fault *fault)
{
    pawl_key prefix;
    pawl_key_start(&prefix);
    pawl_key_append(&prefix, pawl_bytes_of(STORE_META_TYPE));
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(registry->store->kv, PAWL_FAMILY_META, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_status status = PAWL_OK;
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix)); status == PAWL_OK && cursor->valid;
         pawl_kv_cursor_next(cursor))
        status = open_type(registry, cursor, fault);
    if (status == PAWL_OK)
        status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    return status;
}

void pawl_store_put_type(pawl_batch *batch, const pawl_store_type *type)
{
    pawl_key key;
    pawl_key_start(&key);
    pawl_key_append(&key, pawl_bytes_of(STORE_META_TYPE));
    pawl_key_u32(&key, type->id);
    pawl_batch_begin(batch, PAWL_FAMILY_META, pawl_key_bytes(&key));
    pawl_buffer_append(&batch->bytes, type->name, type->name_size);
    pawl_batch_end(batch);
}

void pawl_store_types_finish(pawl_store_registry *registry)
{
    for (uint32_t i = 0; i < registry->type_count; i++) {
        pawl_store_queue_finish(registry, registry->types_by_id[i]);
        free(registry->types_by_id[i]);
    }
    free(registry->types_by_id);
}

void pawl_store_type_note_wake(pawl_store_type *type, uint64_t due, uint64_t number)
{
    type->wake_writes++;
    if (due < type->wake_cursor_due || (due == type->wake_cursor_due && number < type->wake_cursor_number)) {
        type->wake_cursor_due = due;
        type->wake_cursor_number = number;
    }
    if (due < type->next_due) {
        type->next_due = due;
        type->announced = false;
    }
}
