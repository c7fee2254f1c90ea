/* memory_kv.c: see memory_kv.h. One red-black tree for each family, and in each node the versions of its value, newest
 * first. A cursor reads as of the version at which it was opened, so it sees a snapshot and nothing moves under it:
 * while any cursor is open no version and no node is freed; the next write without open cursors clears up.
 *
 * It must never allocate while it applies a batch: a batch that does not fit in memory changes nothing. */
#include "memory_kv.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/tree.h>

struct version {
    struct version *older;
    struct version *next_pending; /* while its batch is prepared */
    struct node *node;
    uint64_t at;
    bool deleted;
    size_t size;
    uint8_t data[];
};

struct node {
    RB_ENTRY(node) link;
    struct node *next_garbage;
    bool garbage; /* is on the list of nodes to clear up */
    pawl_family family;
    struct version *versions;
    size_t key_size;
    uint8_t key[];
};

RB_HEAD(tree, node);

struct memory_kv {
    pawl_kv base;
    pthread_rwlock_t lock; /* guards the trees, the versions in them, the garbage list and `now` */
    struct tree trees[PAWL_FAMILY_COUNT];
    struct node *garbage;
    uint64_t now; /* version of the last batch */
    atomic_size_t cursors;
};

struct memory_cursor {
    pawl_kv_cursor base;
    struct memory_kv *kv;
    pawl_family family;
    uint64_t at;
    struct node *node;
    pawl_bytes lower;
    pawl_bytes upper;
    uint8_t bounds[];
};

static pawl_bytes node_key(const struct node *node)
{
    return (pawl_bytes){node->key, node->key_size};
}

static int compare_nodes(const struct node *a, const struct node *b)
{
    return pawl_bytes_compare(node_key(a), node_key(b));
}

RB_GENERATE_INTERNAL(tree, node, link, compare_nodes, static __attribute__((unused)))

/* The first node at or behind a key. Own walk, because the tree's macros compare nodes, not keys. */
static struct node *find_from(struct tree *tree, pawl_bytes key)
{
    struct node *found = NULL;
    for (struct node *node = RB_ROOT(tree); node != NULL;) {
        int order = pawl_bytes_compare(key, node_key(node));
        if (order == 0)
            return node;
        if (order < 0) {
            found = node;
            node = RB_LEFT(node, link);
        } else {
            node = RB_RIGHT(node, link);
        }
    }
    return found;
}

static struct node *find_exact(struct tree *tree, pawl_bytes key)
{
    struct node *node = find_from(tree, key);
    return node != NULL && pawl_bytes_equal(node_key(node), key) ? node : NULL;
}

static struct version *visible(const struct node *node, uint64_t at)
{
    struct version *version = node->versions;
    while (version != NULL && version->at > at)
        version = version->older;
    return version == NULL || version->deleted ? NULL : version;
}

/* ---- reading ---- */

static pawl_status kv_get(pawl_kv *base, pawl_family family, pawl_bytes key, pawl_buffer *value, pawl_fault *fault)
{
    struct memory_kv *kv = (struct memory_kv *)base;
    pawl_buffer_clear(value);
    pthread_rwlock_rdlock(&kv->lock);
    struct node *node = find_exact(&kv->trees[family], key);
    struct version *version = node == NULL ? NULL : visible(node, kv->now);
    if (version != NULL)
        pawl_buffer_append(value, version->data, version->size);
    pthread_rwlock_unlock(&kv->lock);
    if (version == NULL)
        return PAWL_E_NOT_FOUND;
    return value->failed ? pawl_fault_nomem(fault) : PAWL_OK;
}

static const pawl_kv_table table;

static pawl_kv_cursor *kv_cursor_open(pawl_kv *base, pawl_family family, pawl_bytes lower, pawl_bytes upper)
{
    struct memory_kv *kv = (struct memory_kv *)base;
    struct memory_cursor *cursor = calloc(1, sizeof *cursor + lower.size + upper.size);
    if (cursor == NULL)
        return NULL;
    cursor->base.table = &table;
    cursor->kv = kv;
    cursor->family = family;
    if (lower.size > 0)
        memcpy(cursor->bounds, lower.data, lower.size);
    if (upper.size > 0)
        memcpy(cursor->bounds + lower.size, upper.data, upper.size);
    cursor->lower = (pawl_bytes){cursor->bounds, lower.size};
    cursor->upper = (pawl_bytes){cursor->bounds + lower.size, upper.size};
    pthread_rwlock_rdlock(&kv->lock);
    atomic_fetch_add(&kv->cursors, 1);
    cursor->at = kv->now;
    pthread_rwlock_unlock(&kv->lock);
    return &cursor->base;
}

static bool in_bounds(const struct memory_cursor *cursor, const struct node *node)
{
    return pawl_bytes_compare(node_key(node), cursor->lower) >= 0 &&
           (cursor->upper.size == 0 || pawl_bytes_compare(node_key(node), cursor->upper) < 0);
}

/* Take the node, or the nearest one in this direction that the cursor's snapshot can see. */
static void settle(struct memory_cursor *cursor, struct node *node, bool forward)
{
    struct version *version = NULL;
    while (node != NULL && in_bounds(cursor, node) && (version = visible(node, cursor->at)) == NULL)
        node = forward ? RB_NEXT(tree, NULL, node) : RB_PREV(tree, NULL, node);
    cursor->base.valid = version != NULL;
    if (version == NULL)
        return;
    cursor->node = node;
    cursor->base.key = node_key(node);
    cursor->base.value = (pawl_bytes){version->data, version->size};
}

static void kv_cursor_seek(pawl_kv_cursor *base, pawl_bytes key)
{
    struct memory_cursor *cursor = (struct memory_cursor *)base;
    if (pawl_bytes_compare(key, cursor->lower) < 0)
        key = cursor->lower;
    pthread_rwlock_rdlock(&cursor->kv->lock);
    settle(cursor, find_from(&cursor->kv->trees[cursor->family], key), true);
    pthread_rwlock_unlock(&cursor->kv->lock);
}

static void kv_cursor_before(pawl_kv_cursor *base, pawl_bytes key)
{
    struct memory_cursor *cursor = (struct memory_cursor *)base;
    struct tree *tree = &cursor->kv->trees[cursor->family];
    if (cursor->upper.size > 0 && (key.size == 0 || pawl_bytes_compare(key, cursor->upper) > 0))
        key = cursor->upper;
    pthread_rwlock_rdlock(&cursor->kv->lock);
    struct node *node = key.size == 0 ? NULL : find_from(tree, key);
    settle(cursor, node == NULL ? RB_MAX(tree, tree) : RB_PREV(tree, tree, node), false);
    pthread_rwlock_unlock(&cursor->kv->lock);
}

static void kv_cursor_last(pawl_kv_cursor *base)
{
    kv_cursor_before(base, (pawl_bytes){NULL, 0});
}

static void move(pawl_kv_cursor *base, bool forward)
{
    struct memory_cursor *cursor = (struct memory_cursor *)base;
    if (!base->valid)
        return;
    pthread_rwlock_rdlock(&cursor->kv->lock);
    struct node *node = forward ? RB_NEXT(tree, NULL, cursor->node) : RB_PREV(tree, NULL, cursor->node);
    settle(cursor, node, forward);
    pthread_rwlock_unlock(&cursor->kv->lock);
}

static void kv_cursor_next(pawl_kv_cursor *base)
{
    move(base, true);
}

static void kv_cursor_previous(pawl_kv_cursor *base)
{
    move(base, false);
}

static pawl_status kv_cursor_status(pawl_kv_cursor *base, pawl_fault *fault)
{
    (void)base;
    (void)fault;
    return PAWL_OK;
}

static void kv_cursor_close(pawl_kv_cursor *base)
{
    struct memory_cursor *cursor = (struct memory_cursor *)base;
    pthread_rwlock_rdlock(&cursor->kv->lock); /* so that a writer sees a count that holds while it writes */
    atomic_fetch_sub(&cursor->kv->cursors, 1);
    pthread_rwlock_unlock(&cursor->kv->lock);
    free(cursor);
}

/* ---- writing ---- */

static void mark_garbage(struct memory_kv *kv, struct node *node)
{
    if (node->garbage)
        return;
    node->garbage = true;
    node->next_garbage = kv->garbage;
    kv->garbage = node;
}

static void free_versions(struct version *version)
{
    while (version != NULL) {
        struct version *older = version->older;
        free(version);
        version = older;
    }
}

static void clear_up(struct memory_kv *kv)
{
    if (atomic_load(&kv->cursors) > 0)
        return;
    while (kv->garbage != NULL) {
        struct node *node = kv->garbage;
        kv->garbage = node->next_garbage;
        node->garbage = false;
        if (node->versions != NULL) {
            free_versions(node->versions->older);
            node->versions->older = NULL;
        }
        if (node->versions == NULL || node->versions->deleted) {
            RB_REMOVE(tree, &kv->trees[node->family], node);
            free_versions(node->versions);
            free(node);
        }
    }
}

struct pending {
    struct version *first;
    struct version **last;
};

static bool prepare(struct pending *pending, struct node *node, pawl_bytes value, bool deleted)
{
    struct version *version = malloc(sizeof *version + value.size);
    if (version == NULL)
        return false;
    *version = (struct version){.node = node, .deleted = deleted, .size = value.size};
    if (value.size > 0)
        memcpy(version->data, value.data, value.size);
    *pending->last = version;
    pending->last = &version->next_pending;
    return true;
}

static bool prepare_put(struct memory_kv *kv, struct pending *pending, const pawl_batch_item *item)
{
    struct tree *tree = &kv->trees[item->family];
    struct node *node = find_exact(tree, item->key);
    if (node == NULL) {
        node = calloc(1, sizeof *node + item->key.size);
        if (node == NULL)
            return false;
        node->family = item->family;
        node->key_size = item->key.size;
        memcpy(node->key, item->key.data, item->key.size);
        RB_INSERT(tree, tree, node);
        mark_garbage(kv, node); /* until it gets a version, it is there in vain */
    }
    return prepare(pending, node, item->value, false);
}

static bool prepare_item(struct memory_kv *kv, struct pending *pending, const pawl_batch_item *item)
{
    const pawl_bytes none = {NULL, 0};
    if (item->kind == PAWL_BATCH_PUT)
        return prepare_put(kv, pending, item);
    struct tree *tree = &kv->trees[item->family];
    if (item->kind == PAWL_BATCH_DELETE) {
        struct node *node = find_exact(tree, item->key);
        return node == NULL || prepare(pending, node, none, true);
    }
    for (struct node *node = find_from(tree, item->key);
         node != NULL && pawl_bytes_compare(node_key(node), item->value) < 0; node = RB_NEXT(tree, tree, node))
        if (!prepare(pending, node, none, true))
            return false;
    return true;
}

static void apply(struct memory_kv *kv, struct version *version)
{
    struct node *node = version->node;
    version->at = kv->now;
    version->older = node->versions;
    node->versions = version;
    if (version->older != NULL || version->deleted)
        mark_garbage(kv, node);
}

static pawl_status kv_write(pawl_kv *base, const pawl_batch *batch, bool sync, pawl_fault *fault)
{
    (void)sync;
    struct memory_kv *kv = (struct memory_kv *)base;
    if (batch->bytes.failed)
        return pawl_fault_nomem(fault);
    struct pending pending = {NULL, NULL};
    pending.last = &pending.first;
    bool fits = true;
    pthread_rwlock_wrlock(&kv->lock);
    pawl_batch_item item;
    for (size_t at = 0; fits && pawl_batch_next(batch, &at, &item);)
        fits = prepare_item(kv, &pending, &item);
    kv->now += fits ? 1 : 0;
    for (struct version *version = pending.first, *next; version != NULL; version = next) {
        next = version->next_pending;
        if (fits)
            apply(kv, version);
        else
            free(version);
    }
    clear_up(kv);
    pthread_rwlock_unlock(&kv->lock);
    return fits ? PAWL_OK : pawl_fault_nomem(fault);
}

static void kv_describe(pawl_kv *base, json_t *facts)
{
    (void)base;
    json_object_set_new(facts, "engine", json_string("memory"));
}

static void kv_close(pawl_kv *base)
{
    struct memory_kv *kv = (struct memory_kv *)base;
    for (size_t i = 0; i < PAWL_FAMILY_COUNT; i++) {
        struct node *node;
        while ((node = RB_MIN(tree, &kv->trees[i])) != NULL) {
            RB_REMOVE(tree, &kv->trees[i], node);
            free_versions(node->versions);
            free(node);
        }
    }
    pthread_rwlock_destroy(&kv->lock);
    free(kv);
}

static const pawl_kv_table table = {
    .get = kv_get,
    .cursor_open = kv_cursor_open,
    .cursor_seek = kv_cursor_seek,
    .cursor_last = kv_cursor_last,
    .cursor_before = kv_cursor_before,
    .cursor_next = kv_cursor_next,
    .cursor_previous = kv_cursor_previous,
    .cursor_status = kv_cursor_status,
    .cursor_close = kv_cursor_close,
    .write = kv_write,
    .describe = kv_describe,
    .close = kv_close,
};

pawl_status pawl_memory_kv_open(pawl_kv **kv, pawl_fault *fault)
{
    struct memory_kv *made = calloc(1, sizeof *made);
    if (made == NULL)
        return pawl_fault_nomem(fault);
    made->base.table = &table;
    pthread_rwlock_init(&made->lock, NULL);
    for (size_t i = 0; i < PAWL_FAMILY_COUNT; i++)
        RB_INIT(&made->trees[i]);
    *kv = &made->base;
    return PAWL_OK;
}
