/* catalog.c: see catalog.h. Two lists in order of addition, each with a hash index over names; everything is in one
 * arena and goes with it. Never changes after the host has filled it, so lookups take no lock. */
#include "catalog.h"

#include "base/arena.h"
#include "base/sink.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Items start with their name, which is what the index compares. */
typedef struct index_of_names {
    const void **items;
    size_t count;
    size_t room;
    uint32_t *slots; /* position + 1 in items, 0: free; a power of two of them, at most half full */
    size_t slot_count;
} index_of_names;

struct pawl_catalog {
    pawl_arena arena;
    index_of_names effects;
    index_of_names types;
};

static const char *name_of(const void *item)
{
    return *(const char *const *)item;
}

static size_t slot_of(const index_of_names *index, pawl_bytes name)
{
    size_t slot = (size_t)XXH3_64bits(name.data, name.size) & (index->slot_count - 1);
    for (; index->slots[slot] != 0; slot = (slot + 1) & (index->slot_count - 1)) {
        const char *found = name_of(index->items[index->slots[slot] - 1]);
        if (strlen(found) == name.size && memcmp(found, name.data, name.size) == 0)
            break;
    }
    return slot;
}

static const void *find(const index_of_names *index, pawl_bytes name)
{
    if (index->count == 0 || name.data == NULL)
        return NULL;
    uint32_t position = index->slots[slot_of(index, name)];
    return position == 0 ? NULL : index->items[position - 1];
}

static bool grow(index_of_names *index)
{
    if (index->count < index->room)
        return true;
    size_t room = index->room == 0 ? 16 : index->room * 2;
    const void **items = realloc(index->items, room * sizeof *items);
    if (items == NULL)
        return false;
    index->items = items;
    uint32_t *slots = calloc(room * 2, sizeof *slots);
    if (slots == NULL)
        return false;
    free(index->slots);
    index->slots = slots;
    index->slot_count = room * 2;
    index->room = room;
    for (size_t i = 0; i < index->count; i++)
        index->slots[slot_of(index, pawl_bytes_text(name_of(items[i])))] = (uint32_t)i + 1;
    return true;
}

static bool insert(index_of_names *index, const void *item)
{
    if (!grow(index))
        return false;
    index->items[index->count] = item;
    index->slots[slot_of(index, pawl_bytes_text(name_of(item)))] = (uint32_t)index->count + 1;
    index->count++;
    return true;
}

pawl_catalog *pawl_catalog_create(void)
{
    return calloc(1, sizeof(pawl_catalog));
}

pawl_catalog *pawl_catalog_destroy(pawl_catalog *catalog)
{
    if (catalog == NULL)
        return NULL;
    free(catalog->effects.items);
    free(catalog->effects.slots);
    free(catalog->types.items);
    free(catalog->types.slots);
    pawl_arena_finish(&catalog->arena);
    free(catalog);
    return NULL;
}

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while filling the catalog");
}

static bool copy_text(pawl_catalog *catalog, const char **text)
{
    if (*text == NULL)
        return true;
    size_t size = strlen(*text) + 1;
    char *copy = pawl_arena_alloc(&catalog->arena, size);
    if (copy == NULL)
        return false;
    memcpy(copy, *text, size);
    *text = copy;
    return true;
}

static bool copy_codes(pawl_catalog *catalog, const char *const **codes)
{
    if (*codes == NULL)
        return true;
    size_t count = 0;
    while ((*codes)[count] != NULL)
        count++;
    const char **copy = pawl_arena_alloc(&catalog->arena, (count + 1) * sizeof *copy);
    if (copy == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        copy[i] = (*codes)[i];
        if (!copy_text(catalog, &copy[i]))
            return false;
    }
    *codes = copy;
    return true;
}

/* Whether both come from one plugin, in two versions of it. */
static bool is_other_version(const pawl_effect *a, const pawl_effect *b)
{
    return a->effect != NULL && b->effect != NULL && strcmp(a->plugin, b->plugin) == 0 &&
           memcmp(a->digest, b->digest, sizeof a->digest) != 0;
}

/* Put another version of an effect in its place among the others, the current one first. */
static void chain_effect(pawl_catalog *catalog, pawl_effect *added)
{
    uint32_t position = catalog->effects.slots[slot_of(&catalog->effects, pawl_bytes_text(added->name))] - 1;
    const pawl_effect *current = catalog->effects.items[position];
    if (added->rank >= current->rank) {
        added->older = current;
        catalog->effects.items[position] = added;
        return;
    }
    /* The catalog made every one of these: it may write to them. */
    pawl_effect *newer = (pawl_effect *)(uintptr_t)current;
    added->older = newer->older;
    newer->older = added;
}

pawl_status pawl_catalog_add_effect(pawl_catalog *catalog, const pawl_effect *effect, pawl_error *error)
{
    const pawl_effect *there = pawl_catalog_effect(catalog, pawl_bytes_text(effect->name));
    if (there != NULL && !is_other_version(there, effect))
        return pawl_error_set(error, PAWL_E_CONFLICT, "catalog.duplicate_effect",
                              "effect \"%s\" is offered by plugin %s and by plugin %s; only one may offer it",
                              effect->name, there->plugin, effect->plugin);
    pawl_effect *copy = pawl_arena_alloc(&catalog->arena, sizeof *copy);
    if (copy == NULL)
        return no_memory(error);
    *copy = *effect;
    copy->older = NULL;
    if (!copy_text(catalog, &copy->name) || !copy_text(catalog, &copy->plugin) ||
        !copy_text(catalog, &copy->operation) || !copy_codes(catalog, &copy->retry.non_retryable))
        return no_memory(error);
    if (there != NULL)
        chain_effect(catalog, copy);
    else if (!insert(&catalog->effects, copy))
        return no_memory(error);
    return PAWL_OK;
}

/* Does a new process rather begin with a than with b? */
static bool comes_first(const pawl_type *a, const pawl_type *b)
{
    return a->rank != b->rank ? a->rank > b->rank : a->revision > b->revision;
}

/* Put a further revision of a type in its place among the others, that of new processes first. */
static void chain(pawl_catalog *catalog, pawl_type *added)
{
    uint32_t position = catalog->types.slots[slot_of(&catalog->types, pawl_bytes_text(added->name))] - 1;
    const pawl_type *first = catalog->types.items[position];
    if (comes_first(added, first)) {
        added->older = first;
        catalog->types.items[position] = added;
        return;
    }
    /* The catalog made every one of these: it may write to them. */
    pawl_type *before = (pawl_type *)(uintptr_t)first;
    while (before->older != NULL && comes_first(before->older, added))
        before = (pawl_type *)(uintptr_t)before->older;
    added->older = before->older;
    before->older = added;
}

static pawl_status check_type(const pawl_catalog *catalog, const pawl_type *type, pawl_error *error)
{
    const pawl_type *there = pawl_catalog_type(catalog, pawl_bytes_text(type->name));
    if (there != NULL && strcmp(there->plugin, type->plugin) != 0)
        return pawl_error_set(error, PAWL_E_CONFLICT, "catalog.duplicate_type",
                              "process type \"%s\" is offered by plugin %s and by plugin %s; only one may offer it",
                              type->name, there->plugin, type->plugin);
    for (; there != NULL; there = there->older)
        if (there->revision == type->revision && memcmp(there->digest, type->digest, sizeof type->digest) == 0)
            return pawl_error_set(error, PAWL_E_CONFLICT, "catalog.duplicate_type",
                                  "process type \"%s\" revision %u is offered twice by plugin %s", type->name,
                                  type->revision, type->plugin);
    return PAWL_OK;
}

static bool copy_compatible(pawl_catalog *catalog, pawl_type *type)
{
    if (type->compatible_count == 0)
        return true;
    uint32_t *copy = pawl_arena_alloc(&catalog->arena, type->compatible_count * sizeof *copy);
    if (copy == NULL)
        return false;
    memcpy(copy, type->compatible, type->compatible_count * sizeof *copy);
    type->compatible = copy;
    return true;
}

pawl_status pawl_catalog_add_type(pawl_catalog *catalog, const pawl_type *type, pawl_error *error)
{
    pawl_status status = check_type(catalog, type, error);
    if (status != PAWL_OK)
        return status;
    pawl_type *copy = pawl_arena_alloc(&catalog->arena, sizeof *copy);
    if (copy == NULL)
        return no_memory(error);
    *copy = *type;
    copy->older = NULL;
    if (!copy_text(catalog, &copy->name) || !copy_text(catalog, &copy->plugin) || !copy_compatible(catalog, copy))
        return no_memory(error);
    if (pawl_catalog_type(catalog, pawl_bytes_text(copy->name)) != NULL)
        chain(catalog, copy);
    else if (!insert(&catalog->types, copy))
        return no_memory(error);
    return PAWL_OK;
}

pawl_bulkhead *pawl_catalog_bulkhead(pawl_catalog *catalog, uint32_t limit)
{
    pawl_bulkhead *bulkhead = pawl_arena_alloc(&catalog->arena, sizeof *bulkhead);
    if (bulkhead != NULL)
        bulkhead->limit = limit;
    return bulkhead;
}

const pawl_effect *pawl_catalog_effect(const pawl_catalog *catalog, pawl_bytes name)
{
    return find(&catalog->effects, name);
}

const pawl_type *pawl_catalog_type(const pawl_catalog *catalog, pawl_bytes name)
{
    return find(&catalog->types, name);
}

const pawl_effect *pawl_catalog_effect_of(const pawl_catalog *catalog, pawl_bytes name, const pawl_type *of)
{
    const pawl_effect *current = pawl_catalog_effect(catalog, name);
    if (current == NULL || current->older == NULL || of == NULL)
        return current;
    for (const pawl_effect *at = current; at != NULL; at = at->older)
        if (memcmp(at->digest, of->digest, sizeof at->digest) == 0)
            return at;
    return current;
}

static bool is_same_binary(const pawl_type *type, pawl_bytes digest)
{
    static const uint8_t linked_in[32];
    bool whole = digest.size == sizeof type->digest;
    return memcmp(type->digest, whole ? digest.data : linked_in, sizeof type->digest) == 0;
}

static bool is_compatible(const pawl_type *type, const pawl_pinned *pinned)
{
    bool other_plugin =
        pinned->plugin.size > 0 && (strlen(type->plugin) != pinned->plugin.size ||
                                    memcmp(type->plugin, pinned->plugin.data, pinned->plugin.size) != 0);
    if (type->pinned || other_plugin)
        return false;
    bool listed = type->revision == pinned->revision;
    for (size_t i = 0; i < type->compatible_count; i++)
        listed = listed || type->compatible[i] == pinned->revision;
    return listed;
}

const pawl_type *pawl_catalog_type_for(const pawl_catalog *catalog, const pawl_pinned *pinned, bool *ret_trial)
{
    const pawl_type *first = pawl_catalog_type(catalog, pinned->type);
    *ret_trial = false;
    for (const pawl_type *type = first; type != NULL; type = type->older)
        if (type->revision == pinned->revision && is_same_binary(type, pinned->digest))
            return type;
    *ret_trial = true;
    for (const pawl_type *type = first; type != NULL; type = type->older)
        if (is_compatible(type, pinned))
            return type;
    return NULL;
}

/* The items are of one type each; the index only forgets which. */
size_t pawl_catalog_types(const pawl_catalog *catalog, const pawl_type *const **ret)
{
    *ret = (const pawl_type *const *)(const void *)catalog->types.items;
    return catalog->types.count;
}

size_t pawl_catalog_effects(const pawl_catalog *catalog, const pawl_effect *const **ret)
{
    *ret = (const pawl_effect *const *)(const void *)catalog->effects.items;
    return catalog->effects.count;
}
