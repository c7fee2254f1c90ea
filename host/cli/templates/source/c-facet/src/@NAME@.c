/* @NAME@.c: a storage provider with one facet: the state of sessions, in memory. Every change is one commit: all of it or
 * nothing, under one lock. What the functions must do stands in pawl_abi.h. */
#include <pawl_plugin.h>
#include <pthread.h>

#include "pawl_manifest.h" /* made of manifest.json */

typedef struct pair { /* a key and its value; or a commit key, what was committed, and the revision that it gave */
    char *key;
    size_t key_size;
    char *value;
    size_t value_size;
    uint64_t revision;
} pair;

typedef struct list {
    pair *at;
    size_t count, room;
} list;

typedef struct session {
    char *name;
    size_t name_size;
    uint64_t revision; /* 0: free */
    list pairs;        /* in order of their keys */
    list commits;
} session;

struct pawl_store {
    pthread_mutex_t lock; /* guards all of it */
    const pawl_core *core;
    session *sessions; /* places stay where they are: the order of a listing does not change */
    size_t count, room;
};

static int compare(const void *a, size_t a_size, const void *b, size_t b_size)
{
    size_t least = a_size < b_size ? a_size : b_size;
    int order = least == 0 ? 0 : memcmp(a, b, least);
    return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

static char *copy(const void *data, size_t size)
{
    char *made = malloc(size + 1);
    if (made != NULL && size > 0)
        memcpy(made, data, size);
    return made;
}

/* Where the key is, or would be. */
static size_t place(const list *l, pawl_bytes key, int *found)
{
    size_t low = 0, high = l->count;
    *found = 0;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = compare(l->at[middle].key, l->at[middle].key_size, key.data, key.size);
        if (order == 0)
            *found = 1;
        low = order < 0 ? middle + 1 : order == 0 ? middle : low;
        high = order > 0 ? middle : high;
    }
    return low;
}

static int reserve(list *l, size_t more)
{
    if (l->count + more <= l->room)
        return 1;
    pair *grown = realloc(l->at, (l->count + more) * 2 * sizeof *grown);
    if (grown == NULL)
        return 0;
    l->at = grown;
    l->room = (l->count + more) * 2;
    return 1;
}

static void drop(list *l, size_t at)
{
    free(l->at[at].key);
    free(l->at[at].value);
    memmove(l->at + at, l->at + at + 1, (l->count - at - 1) * sizeof *l->at);
    l->count--;
}

/* Takes over what made holds; room was reserved. */
static void put(list *l, const pair *made)
{
    int found;
    size_t at = place(l, pawl_bytes_of(made->key, made->key_size), &found);
    if (found)
        drop(l, at);
    memmove(l->at + at + 1, l->at + at, (l->count - at) * sizeof *l->at);
    l->at[at] = *made;
    l->count++;
}

static int make(pair *made, pawl_bytes key, pawl_bytes value, uint64_t revision)
{
    *made = (pair){copy(key.data, key.size), key.size, copy(value.data, value.size), value.size, revision};
    if (made->key != NULL && made->value != NULL)
        return 1;
    free(made->key);
    free(made->value);
    return 0;
}

static void empty(session *s)
{
    while (s->pairs.count > 0)
        drop(&s->pairs, s->pairs.count - 1);
    while (s->commits.count > 0)
        drop(&s->commits, s->commits.count - 1);
    s->revision = 0;
}

static session *find(pawl_store *store, pawl_bytes name)
{
    for (size_t i = 0; i < store->count; i++)
        if (compare(store->sessions[i].name, store->sessions[i].name_size, name.data, name.size) == 0)
            return &store->sessions[i];
    return NULL;
}

static session *find_or_make(pawl_store *store, pawl_bytes name)
{
    session *found = find(store, name);
    if (found != NULL)
        return found;
    if (store->count == store->room) {
        session *grown = realloc(store->sessions, (store->room + 8) * 2 * sizeof *grown);
        if (grown == NULL)
            return NULL;
        store->sessions = grown;
        store->room = (store->room + 8) * 2;
    }
    char *text = copy(name.data, name.size);
    if (text == NULL)
        return NULL;
    store->sessions[store->count] = (session){.name = text, .name_size = name.size};
    return &store->sessions[store->count++];
}

/* The changes as one text, to tell the same commit from another one with its key. NULL: no memory. */
static char *written(const pawl_session_change *const *changes, size_t count, size_t *size)
{
    size_t room = 1;
    for (size_t i = 0; i < count; i++)
        room += 64 + changes[i]->key.size + changes[i]->value.size;
    char *text = malloc(room);
    *size = 0;
    for (size_t i = 0; text != NULL && i < count; i++) {
        *size += (size_t)sprintf(text + *size, "%u %zu %zu ", (unsigned)changes[i]->kind, changes[i]->key.size,
                                 changes[i]->value.size);
        memcpy(text + *size, changes[i]->key.size > 0 ? changes[i]->key.data : "", changes[i]->key.size);
        *size += changes[i]->key.size;
        memcpy(text + *size, changes[i]->value.size > 0 ? changes[i]->value.data : "", changes[i]->value.size);
        *size += changes[i]->value.size;
    }
    return text;
}

/* May these changes be made? PUT_NEW counts what the same commit did before. */
static pawl_status judge(const session *s, const pawl_session_change *const *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int there;
        if (changes[i]->kind < PAWL_SESSION_PUT || changes[i]->kind > PAWL_SESSION_PUT_NEW)
            return PAWL_E_INVALID;
        if (changes[i]->kind != PAWL_SESSION_PUT_NEW)
            continue;
        (void)place(&s->pairs, changes[i]->key, &there);
        for (size_t before = 0; before < i; before++)
            if (pawl_bytes_equal(changes[before]->key, changes[i]->key))
                there = changes[before]->kind != PAWL_SESSION_DELETE;
        if (there)
            return PAWL_E_CONFLICT;
    }
    return PAWL_OK;
}

/* All memory is taken before anything changes. */
static pawl_status apply(session *s, pawl_bytes key, pawl_bytes body, const pawl_session_change *const *changes,
                         size_t count)
{
    pair commit = {0};
    size_t made = 0;
    pair *pairs = calloc(count + 1, sizeof *pairs);
    int good = pairs != NULL && reserve(&s->pairs, count) && reserve(&s->commits, 1) &&
               (key.size == 0 || make(&commit, key, body, s->revision + 1));
    while (good && made < count) {
        good = make(&pairs[made], changes[made]->key, changes[made]->value, 0);
        made += good != 0;
    }
    for (size_t i = 0; i < made; i++) {
        int found;
        size_t at = place(&s->pairs, changes[i]->key, &found);
        if (good && changes[i]->kind != PAWL_SESSION_DELETE) {
            put(&s->pairs, &pairs[i]);
            continue;
        }
        if (good && found)
            drop(&s->pairs, at);
        free(pairs[i].key);
        free(pairs[i].value);
    }
    free(pairs);
    if (good && key.size > 0)
        put(&s->commits, &commit);
    if (good)
        s->revision++;
    else if (commit.key != NULL)
        free(commit.key), free(commit.value);
    return good ? PAWL_OK : PAWL_E_NOMEM;
}

static pawl_status commit_locked(pawl_store *store, pawl_bytes name, uint64_t expected, pawl_bytes key, pawl_bytes body,
                                 const pawl_session_change *const *changes, size_t count, uint64_t *revision)
{
    int known = 0;
    session *s = find_or_make(store, name);
    if (s == NULL)
        return PAWL_E_NOMEM;
    size_t at = key.size == 0 ? 0 : place(&s->commits, key, &known);
    if (known && !pawl_bytes_equal(pawl_bytes_of(s->commits.at[at].value, s->commits.at[at].value_size), body))
        return PAWL_E_CONFLICT;
    if (known) {
        *revision = s->commits.at[at].revision;
        return PAWL_OK;
    }
    *revision = s->revision;
    if (expected != PAWL_REVISION_ANY && expected != s->revision)
        return PAWL_E_STALE;
    pawl_status status = judge(s, changes, count);
    if (status == PAWL_OK)
        status = apply(s, key, body, changes, count);
    *revision = s->revision;
    return status;
}

static pawl_status commit(pawl_store *store, pawl_bytes name, uint64_t expected, pawl_bytes key,
                          const pawl_session_change *const *changes, size_t count, uint64_t *revision,
                          pawl_failure_sink *why)
{
    uint64_t now = 0;
    size_t size;
    char *body = written(changes, count, &size);
    (void)why;
    if (body == NULL)
        return PAWL_E_NOMEM;
    pthread_mutex_lock(&store->lock);
    pawl_status status = commit_locked(store, name, expected, key, pawl_bytes_of(body, size), changes, count, &now);
    pthread_mutex_unlock(&store->lock);
    free(body);
    if (revision != NULL)
        *revision = now;
    return status;
}

static pawl_status get(pawl_store *store, pawl_bytes name, pawl_bytes key, pawl_sink *value, uint64_t *revision,
                       pawl_failure_sink *why)
{
    int found = 0;
    pawl_status status = PAWL_E_NOT_FOUND;
    (void)why;
    pthread_mutex_lock(&store->lock);
    session *s = find(store, name);
    size_t at = s == NULL ? 0 : place(&s->pairs, key, &found);
    if (found)
        status = store->core->sink_write(value, s->pairs.at[at].value, s->pairs.at[at].value_size);
    if (revision != NULL)
        *revision = s == NULL ? 0 : s->revision;
    pthread_mutex_unlock(&store->lock);
    return status;
}

static pawl_status scan(pawl_store *store, pawl_bytes name, pawl_bytes prefix, pawl_session_visit visit, void *context,
                        uint64_t *revision, pawl_failure_sink *why)
{
    int found, stop = 0;
    (void)why;
    pthread_mutex_lock(&store->lock);
    session *s = find(store, name);
    for (size_t at = s == NULL ? 0 : place(&s->pairs, prefix, &found); s != NULL && at < s->pairs.count && !stop; at++) {
        const pair *one = &s->pairs.at[at];
        if (one->key_size < prefix.size || (prefix.size > 0 && memcmp(one->key, prefix.data, prefix.size) != 0))
            break;
        stop = visit(context, pawl_bytes_of(one->key, one->key_size), pawl_bytes_of(one->value, one->value_size)) != 0;
    }
    if (revision != NULL)
        *revision = s == NULL ? 0 : s->revision;
    pthread_mutex_unlock(&store->lock);
    return PAWL_OK;
}

static pawl_status forget(pawl_store *store, pawl_bytes name, pawl_failure_sink *why)
{
    (void)why;
    pthread_mutex_lock(&store->lock);
    session *s = find(store, name);
    if (s != NULL)
        empty(s);
    pthread_mutex_unlock(&store->lock);
    return PAWL_OK;
}

static pawl_status names(pawl_store *store, pawl_bytes after, uint32_t limit, pawl_session_name_visit visit,
                         void *context, pawl_failure_sink *why)
{
    (void)why;
    pthread_mutex_lock(&store->lock);
    session *behind = after.size == 0 ? NULL : find(store, after);
    size_t at = behind == NULL ? 0 : (size_t)(behind - store->sessions) + 1;
    for (; at < store->count && limit > 0; at++) {
        const session *s = &store->sessions[at];
        if (s->revision == 0)
            continue;
        limit--;
        if (visit(context, pawl_bytes_of(s->name, s->name_size), s->revision) != 0)
            break;
    }
    pthread_mutex_unlock(&store->lock);
    return PAWL_OK;
}

static pawl_status tier(pawl_bytes config_json, uint32_t facet, uint32_t *ret_tier, pawl_failure_sink *why)
{
    (void)config_json;
    (void)why;
    if (facet != PAWL_FACET_SESSION)
        return PAWL_E_UNSUPPORTED;
    *ret_tier = PAWL_TIER_INLINE;
    return PAWL_OK;
}

static pawl_status open_store(const pawl_host_root *host, pawl_bytes config_json, pawl_store **store,
                              pawl_failure_sink *why)
{
    (void)config_json;
    (void)why;
    pawl_store *made = calloc(1, sizeof *made);
    if (made == NULL)
        return PAWL_E_NOMEM;
    made->core = pawl_core_of(host);
    pthread_mutex_init(&made->lock, NULL);
    *store = made;
    return PAWL_OK;
}

static void close_store(pawl_store *store)
{
    for (size_t i = 0; i < store->count; i++) {
        empty(&store->sessions[i]);
        free(store->sessions[i].pairs.at);
        free(store->sessions[i].commits.at);
        free(store->sessions[i].name);
    }
    free(store->sessions);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

static pawl_status describe(pawl_store *store, pawl_sink *json, pawl_failure_sink *why)
{
    (void)why;
    pthread_mutex_lock(&store->lock);
    size_t count = store->count;
    pthread_mutex_unlock(&store->lock);
    return pawl_writef(store->core, json, "{\"sessions\":%zu}", count);
}

static const pawl_storage_table storage = {
    sizeof storage, 1u << PAWL_FACET_SESSION, tier, open_store, close_store, describe};
static const pawl_session_table sessions = {sizeof sessions, 0, commit, get, scan, forget, names};

static const void *get_factory(const char *wanted)
{
    if (strcmp(wanted, PAWL_FACTORY_STORAGE) == 0)
        return &storage;
    return strcmp(wanted, PAWL_FACTORY_SESSION) == 0 ? &sessions : NULL;
}

PAWL_PLUGIN(PAWL_MANIFEST_ID, PAWL_MANIFEST_VERSION, "@VENDOR@", PAWL_MANIFEST, pawl_plain_init, pawl_plain_deinit,
            get_factory);
