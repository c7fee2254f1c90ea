/* attribute.c: see attribute.h. Must never let an index row and the object that it stands for be written apart. */
#include "attribute.h"

#include <stdio.h>
#include <stdlib.h>

#define RELATION_ATTRIBUTE 'a'
#define DOCUMENT_ATTRIBUTE 'a'

#define KIND_FALSE   'b'
#define KIND_REAL    'd'
#define KIND_INTEGER 'i'
#define KIND_STRING  's'

/* ---- keys ---- */

static uint8_t kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return KIND_STRING;
    case JSON_INTEGER:
        return KIND_INTEGER;
    case JSON_REAL:
        return KIND_REAL;
    default:
        return KIND_FALSE;
    }
}

/* Bits that sort as the numbers do. */
static uint64_t sortable(double number)
{
    uint64_t bits;
    if (number == 0)
        number = 0; /* there are two zeros, and they are equal */
    memcpy(&bits, &number, sizeof bits);
    return (bits >> 63) != 0 ? ~bits : bits | 1ull << 63;
}

static void key_name(pawl_key *key, pawl_bytes name, uint8_t kind)
{
    pawl_key_start(key);
    pawl_key_u8(key, RELATION_ATTRIBUTE);
    pawl_key_u8(key, (uint8_t)name.size);
    pawl_key_append(key, name);
    pawl_key_u8(key, kind);
}

void pawl_store_key_attribute_kind(pawl_key *key, pawl_bytes name, const json_t *value)
{
    key_name(key, name, kind_of(value));
}

void pawl_store_key_attribute_prefix(pawl_key *key, pawl_bytes name, pawl_bytes prefix)
{
    key_name(key, name, KIND_STRING);
    pawl_key_append(key, prefix);
}

void pawl_store_key_attribute_value(pawl_key *key, pawl_bytes name, const json_t *value)
{
    pawl_store_key_attribute_kind(key, name, value);
    switch (kind_of(value)) {
    case KIND_STRING: /* the NUL behind it, which no value holds, puts it in front of what it begins */
        pawl_key_append(key, (pawl_bytes){json_string_value(value), json_string_length(value)});
        pawl_key_u8(key, 0);
        break;
    case KIND_INTEGER:
        pawl_key_u64(key, (uint64_t)json_integer_value(value) ^ 1ull << 63);
        break;
    case KIND_REAL:
        pawl_key_u64(key, sortable(json_real_value(value)));
        break;
    default:
        pawl_key_u8(key, json_is_true(value));
        break;
    }
}

void pawl_store_key_attribute(pawl_key *key, pawl_bytes name, const json_t *value, uint64_t number)
{
    pawl_store_key_attribute_value(key, name, value);
    pawl_key_u64(key, number);
}

void pawl_store_key_attributes(pawl_key *key, uint64_t number)
{
    pawl_store_key_number(key, number);
    pawl_key_u8(key, DOCUMENT_ATTRIBUTE);
}

pawl_bytes pawl_store_attribute_key_name(pawl_bytes key)
{
    const uint8_t *data = key.data;
    if (key.size < 2 || data[0] != RELATION_ATTRIBUTE || key.size < 2u + data[1])
        return (pawl_bytes){NULL, 0};
    return (pawl_bytes){data + 2, data[1]};
}

/* ---- objects ---- */

#define INVALID(...) pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid", __VA_ARGS__)

static pawl_status check_member(const char *name, const json_t *value, bool patch, pawl_fault *fault)
{
    size_t size = strlen(name);
    if (size == 0 || size > PAWL_STORE_ATTRIBUTE_NAME_BYTES_MAX)
        return INVALID("the name of a search attribute has %zu bytes; wanted 1 to %u", size,
                       PAWL_STORE_ATTRIBUTE_NAME_BYTES_MAX);
    if (json_is_string(value) && json_string_length(value) > PAWL_STORE_ATTRIBUTE_VALUE_BYTES_MAX)
        return pawl_fault_set(fault, PAWL_E_LIMIT, "registry.limit",
                              "the value of search attribute \"%s\" has %zu bytes; at most %u are allowed", name,
                              json_string_length(value), PAWL_STORE_ATTRIBUTE_VALUE_BYTES_MAX);
    if (json_is_string(value) || json_is_number(value) || json_is_boolean(value) || (patch && json_is_null(value)))
        return PAWL_OK;
    return INVALID("the value of search attribute \"%s\" is %s; wanted a string, a number, true or false", name,
                   json_is_object(value)  ? "an object"
                   : json_is_array(value) ? "an array"
                                          : "null");
}

pawl_status pawl_store_attributes_parse(pawl_bytes json, bool patch, json_t **ret, pawl_fault *fault)
{
    const char *name;
    json_t *value;
    pawl_status status = PAWL_OK;
    if (json.size > PAWL_STORE_ATTRIBUTES_BYTES_MAX)
        return pawl_store_limit(fault, "the bytes of search attributes", json.size, PAWL_STORE_ATTRIBUTES_BYTES_MAX);
    json_t *object = json_loadb(json.data, json.size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return INVALID("search attributes are not a JSON object");
    }
    json_object_foreach(object, name, value)
    {
        if (status == PAWL_OK)
            status = check_member(name, value, patch, fault);
    }
    if (status == PAWL_OK && json_object_size(object) > PAWL_STORE_ATTRIBUTES_MAX)
        status = pawl_store_limit(fault, "the search attributes", json_object_size(object), PAWL_STORE_ATTRIBUTES_MAX);
    if (status != PAWL_OK) {
        json_decref(object);
        return status;
    }
    *ret = object;
    return PAWL_OK;
}

pawl_status pawl_store_attributes_bytes(pawl_kv *kv, uint64_t number, pawl_buffer *buffer, pawl_bytes *ret,
                                        pawl_fault *fault)
{
    pawl_key key;
    pawl_reader reader;
    pawl_store_key_attributes(&key, number);
    pawl_status status = pawl_kv_get(kv, PAWL_FAMILY_DOCUMENT, pawl_key_bytes(&key), buffer, fault);
    if (status == PAWL_OK)
        status = pawl_row_open(&reader, PAWL_FAMILY_DOCUMENT, pawl_key_bytes(&key),
                               (pawl_bytes){buffer->data, buffer->size}, fault);
    if (status == PAWL_OK)
        *ret = pawl_reader_rest(&reader);
    return status;
}

pawl_status pawl_store_attributes_read(pawl_kv *kv, uint64_t number, json_t **ret, pawl_fault *fault)
{
    pawl_key key;
    pawl_bytes json;
    pawl_buffer buffer = {0};
    pawl_fault bad = {0};
    pawl_status status = pawl_store_attributes_bytes(kv, number, &buffer, &json, fault);
    if (status == PAWL_OK && pawl_store_attributes_parse(json, false, ret, &bad) != PAWL_OK) {
        pawl_store_key_attributes(&key, number);
        status = pawl_row_bad(PAWL_FAMILY_DOCUMENT, pawl_key_bytes(&key), bad.message, fault);
    }
    pawl_buffer_finish(&buffer);
    if (status != PAWL_E_NOT_FOUND)
        return status;
    *ret = json_object();
    return *ret == NULL ? pawl_fault_nomem(fault) : PAWL_OK;
}

/* ---- changes ---- */

static pawl_status merge(json_t *after, json_t *patch, pawl_fault *fault)
{
    const char *name;
    json_t *value;
    json_object_foreach(patch, name, value)
    {
        if (json_is_null(value))
            (void)json_object_del(after, name);
        else if (json_object_set(after, name, value) != 0)
            return pawl_fault_nomem(fault);
    }
    if (json_object_size(after) > PAWL_STORE_ATTRIBUTES_MAX)
        return pawl_store_limit(fault, "the search attributes", json_object_size(after), PAWL_STORE_ATTRIBUTES_MAX);
    return PAWL_OK;
}

/* What earlier operations of this round have staged, or else what is stored. */
static pawl_status current(pawl_store_round *round, const pawl_store_stage *stage, json_t **ret, pawl_fault *fault)
{
    if (stage != NULL && stage->attributes != NULL)
        return pawl_store_attributes_parse(pawl_bytes_of(stage->attributes), false, ret, fault);
    if (stage != NULL && stage->state.has_attributes)
        return pawl_store_attributes_read(round->registry->store->kv, stage->entry->number, ret, fault);
    *ret = json_object();
    return *ret == NULL ? pawl_fault_nomem(fault) : PAWL_OK;
}

pawl_status pawl_store_attributes_prepare(pawl_store_round *round, const pawl_store_stage *stage, pawl_bytes patch,
                                          pawl_store_attribute_change *ret, pawl_fault *fault)
{
    json_t *wanted = NULL;
    pawl_store_attribute_change change = {0};
    pawl_status status = pawl_store_attributes_parse(patch, true, &wanted, fault);
    if (status == PAWL_OK)
        status = current(round, stage, &change.before, fault);
    if (status == PAWL_OK) {
        change.after = json_copy(change.before);
        status = change.after == NULL ? pawl_fault_nomem(fault) : merge(change.after, wanted, fault);
    }
    json_decref(wanted);
    bool same = status == PAWL_OK && json_equal(change.before, change.after);
    if (status == PAWL_OK && !same) {
        char *text = json_dumps(change.after, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
        change.text = text == NULL ? NULL : pawl_store_arena_take(&round->arena, strlen(text) + 1);
        if (change.text != NULL)
            memcpy(change.text, text, strlen(text) + 1);
        else
            status = pawl_fault_nomem(fault);
        free(text);
    }
    if (status == PAWL_OK && !same)
        *ret = change;
    else
        pawl_store_attributes_forget(&change);
    return status;
}

/* The index rows of one that the other has not. */
static void stage_rows(pawl_batch *batch, uint64_t number, json_t *one, json_t *other, bool put)
{
    pawl_key key;
    const char *name;
    json_t *value;
    json_object_foreach(one, name, value)
    {
        const json_t *same = json_object_get(other, name);
        if (same != NULL && json_equal(value, same))
            continue;
        pawl_store_key_attribute(&key, pawl_bytes_of(name), value, number);
        if (put)
            pawl_batch_mark(batch, PAWL_FAMILY_RELATION, pawl_key_bytes(&key));
        else
            pawl_batch_delete(batch, PAWL_FAMILY_RELATION, pawl_key_bytes(&key));
    }
}

bool pawl_store_attributes_stage(pawl_store_round *round, pawl_store_stage *stage, pawl_store_attribute_change *change)
{
    pawl_key key;
    uint64_t number = stage->entry->number;
    if (change->text == NULL)
        return false;
    stage_rows(&round->rows, number, change->before, change->after, false);
    stage_rows(&round->rows, number, change->after, change->before, true);
    pawl_store_key_attributes(&key, number);
    pawl_batch_begin(&round->rows, PAWL_FAMILY_DOCUMENT, pawl_key_bytes(&key));
    pawl_buffer_append(&round->rows.bytes, change->text, strlen(change->text));
    pawl_batch_end(&round->rows);
    stage->attributes = change->text;
    bool first = !stage->state.has_attributes;
    stage->state.has_attributes = true;
    pawl_store_attributes_forget(change);
    return first;
}

void pawl_store_attributes_forget(pawl_store_attribute_change *change)
{
    json_decref(change->before);
    json_decref(change->after);
    *change = (pawl_store_attribute_change){0}; /* the text is the round's */
}

void pawl_store_attributes_remove(pawl_batch *batch, uint64_t number, json_t *attributes)
{
    pawl_key key;
    stage_rows(batch, number, attributes, NULL, false);
    pawl_store_key_attributes(&key, number);
    pawl_batch_delete(batch, PAWL_FAMILY_DOCUMENT, pawl_key_bytes(&key));
}
