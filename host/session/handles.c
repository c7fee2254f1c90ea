/* handles.c: see handles.h; how a key is written says seam/handle_key.h. A commit changes all that belongs
 * together. A deletion is first written down ("d"), with all that it lets go of when that fits into one batch, else
 * before the rest is done piece by piece; each piece first asks processes to stop, which may be repeated, and then lets
 * handles go. So whatever dies in between, the next host finds the mark and goes on, and no process is left that nobody
 * would ever ask. */
#include "host/session/handles_internal.h"

#include "host/view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRANSFER_MAX 1000u

/* ---- reading and writing the session ---- */

void pawl_handles_key(char key[PAWL_HANDLES_KEY_ROOM], char tag, const char *first, const char *second)
{
    snprintf(key, PAWL_HANDLES_KEY_ROOM, "%c%03zu%s%s", tag, strlen(first), first, second);
}

pawl_status pawl_handles_told(pawl_failure_slot *why, pawl_status status, pawl_error *error)
{
    if (status != PAWL_OK) {
        status = pawl_failure_error(why, status < 0 ? status : PAWL_E_FAILED, error);
        (void)pawl_error_wrap(error, "the handles of sessions");
    }
    pawl_failure_finish(why);
    return status;
}

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while working on handles");
}

static int32_t PAWL_CALL take_name(void *context, pawl_bytes key, pawl_bytes value)
{
    pawl_handles_names *own = context;
    (void)value;
    snprintf(own->items[own->count++], PAWL_HANDLES_NAME_ROOM, "%.*s", (int)(key.size - own->skip),
             (const char *)key.data + own->skip);
    return own->count == own->limit;
}

pawl_status pawl_handles_gather(pawl_host *host, const char *prefix, size_t limit, pawl_handles_names *ret,
                                pawl_error *error)
{
    const pawl_open_store *open = host->facets.facet[PAWL_FACET_SESSION];
    uint64_t revision;
    *ret = (pawl_handles_names){.skip = strlen(prefix), .limit = limit, .items = calloc(limit, PAWL_HANDLES_NAME_ROOM)};
    if (ret->items == NULL)
        return no_memory(error);
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_status status = open->plugin->session->scan(open->store, pawl_bytes_text(PAWL_HANDLES_SESSION),
                                                     pawl_bytes_text(prefix), take_name, ret, &revision, &why);
    status = pawl_handles_told(&why, status == PAWL_E_NOT_FOUND ? PAWL_OK : status, error);
    if (status == PAWL_OK)
        return PAWL_OK;
    free(ret->items);
    ret->items = NULL;
    return status;
}

static pawl_status is_there(pawl_host *host, const char *key, bool *ret, pawl_error *error)
{
    const pawl_open_store *open = host->facets.facet[PAWL_FACET_SESSION];
    uint64_t revision;
    pawl_sink value;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_sink_init(&value, 4096);
    pawl_status status = open->plugin->session->get(open->store, pawl_bytes_text(PAWL_HANDLES_SESSION),
                                                    pawl_bytes_text(key), &value, &revision, &why);
    pawl_sink_finish(&value);
    *ret = status == PAWL_OK;
    return pawl_handles_told(&why, status == PAWL_E_NOT_FOUND ? PAWL_OK : status, error);
}

void pawl_handles_add(pawl_handles_changes *own, bool put, char tag, const char *first, const char *second)
{
    char *key = own->keys[own->count];
    if (tag == 'd')
        snprintf(key, PAWL_HANDLES_KEY_ROOM, "d%s", first);
    else
        pawl_handles_key(key, tag, first, second);
    own->changes[own->count] = (pawl_session_change){.struct_size = sizeof own->changes[0],
                                                     .kind = put ? PAWL_SESSION_PUT : PAWL_SESSION_DELETE,
                                                     .key = pawl_bytes_text(key)};
    own->list[own->count] = &own->changes[own->count];
    own->count++;
}

pawl_status pawl_handles_commit(pawl_host *host, pawl_handles_changes *own, pawl_error *error)
{
    const pawl_open_store *open = host->facets.facet[PAWL_FACET_SESSION];
    uint64_t revision;
    if (own->count == 0)
        return PAWL_OK;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_status status =
        open->plugin->session->commit(open->store, pawl_bytes_text(PAWL_HANDLES_SESSION), PAWL_REVISION_ANY,
                                      (pawl_bytes){NULL, 0}, own->list, own->count, &revision, &why);
    own->count = 0;
    return pawl_handles_told(&why, status, error);
}

/* ---- who holds what. A row gives the session that a process belongs to ---- */

bool pawl_handles_belongs(const pawl_process_row *row, const char *session)
{
    return row->session.size > 0 && session != NULL && row->session.size == strlen(session) &&
           memcmp(row->session.data, session, row->session.size) == 0;
}

/* Has it been given up by the session that it belongs to? */
static pawl_status given_up(pawl_host *host, const char *id, const pawl_process_row *row, bool *ret, pawl_error *error)
{
    char owner[PAWL_HANDLES_NAME_ROOM];
    char key[PAWL_HANDLES_KEY_ROOM];
    snprintf(owner, sizeof owner, "%.*s", (int)row->session.size, (const char *)row->session.data);
    pawl_handles_key(key, 'x', id, owner);
    return is_there(host, key, ret, error);
}

static pawl_status holds(pawl_host *host, const char *session, const char *id, const pawl_process_row *row, bool *ret,
                         pawl_error *error)
{
    char key[PAWL_HANDLES_KEY_ROOM];
    *ret = false;
    if (pawl_handles_belongs(row, session)) {
        bool gone = false;
        pawl_status status = given_up(host, id, row, &gone, error);
        *ret = !gone;
        if (status != PAWL_OK || !gone)
            return status;
    }
    pawl_handles_key(key, 'p', id, session);
    return is_there(host, key, ret, error);
}

/* Does anybody but this session hold it? What belongs to no session is the operator's. */
pawl_status pawl_handles_others_hold(pawl_host *host, const char *session, const char *id, const pawl_process_row *row,
                                     bool *ret, pawl_error *error)
{
    char prefix[PAWL_HANDLES_KEY_ROOM];
    pawl_handles_names holders;
    *ret = true;
    if (row->session.size == 0)
        return PAWL_OK;
    if (!pawl_handles_belongs(row, session)) {
        bool gone = false;
        pawl_status status = given_up(host, id, row, &gone, error);
        if (status != PAWL_OK || !gone)
            return status;
    }
    pawl_handles_key(prefix, 'p', id, "");
    pawl_status status = pawl_handles_gather(host, prefix, 2, &holders, error);
    if (status != PAWL_OK)
        return status;
    *ret = false;
    for (size_t i = 0; i < holders.count; i++)
        *ret = *ret || strcmp(holders.items[i], session) != 0;
    free(holders.items);
    return PAWL_OK;
}

static void add_grant(pawl_handles_changes *own, const char *session, const char *id, const pawl_process_row *row)
{
    if (pawl_handles_belongs(row, session)) {
        pawl_handles_add(own, false, 'x', id, session);
        return;
    }
    pawl_handles_add(own, true, 'p', id, session);
    pawl_handles_add(own, true, 's', session, id);
}

void pawl_handles_add_revoke(pawl_handles_changes *own, const char *session, const char *id, bool belongs)
{
    if (belongs) {
        pawl_handles_add(own, true, 'x', id, session);
        return;
    }
    pawl_handles_add(own, false, 'p', id, session);
    pawl_handles_add(own, false, 's', session, id);
}

/* ---- grant, revoke, transfer, check, list ---- */

void pawl_handles_asked_finish(pawl_handles_asked *own)
{
    pawl_arena_finish(&own->arena);
    free(own->changes);
}

pawl_status pawl_handles_ask(pawl_host *host, const char *session, const char *id, pawl_handles_asked *own,
                             pawl_error *error)
{
    *own = (pawl_handles_asked){0};
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK)
        status = pawl_check_session(session, error);
    if (status == PAWL_OK && id != NULL)
        status = pawl_check_id(id, error);
    if (status == PAWL_OK && id != NULL)
        status = pawl_host_row(host, id, &own->arena, &own->row, error);
    if (status != PAWL_OK)
        return status;
    own->changes = malloc(sizeof *own->changes);
    if (own->changes == NULL)
        return no_memory(error);
    own->changes->count = 0;
    return PAWL_OK;
}

static pawl_status no_handle(const char *session, const char *id, pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOT_FOUND, "session.no_handle",
                          "session \"%s\" holds no handle of process \"%s\"", session, id);
}

pawl_status pawl_host_handle_grant(pawl_host *host, const char *session, const char *id, pawl_error *error)
{
    pawl_handles_asked own;
    pawl_status status = pawl_handles_ask(host, session, id, &own, error);
    if (status == PAWL_OK) {
        pthread_mutex_lock(&host->handles.lock);
        status = pawl_handles_may_start(host, session, error);
        add_grant(own.changes, session, id, &own.row);
        atomic_store(&host->handles.any, true);
        if (status == PAWL_OK)
            status = pawl_handles_commit(host, own.changes, error);
        pthread_mutex_unlock(&host->handles.lock);
    }
    pawl_handles_asked_finish(&own);
    return status;
}

pawl_status pawl_host_handle_revoke(pawl_host *host, const char *session, const char *id, pawl_error *error)
{
    pawl_handles_asked own;
    pawl_status status = pawl_handles_ask(host, session, id, &own, error);
    if (status == PAWL_OK) {
        pthread_mutex_lock(&host->handles.lock);
        pawl_handles_add_revoke(own.changes, session, id, pawl_handles_belongs(&own.row, session));
        atomic_store(&host->handles.any, true);
        status = pawl_handles_commit(host, own.changes, error);
        pthread_mutex_unlock(&host->handles.lock);
    }
    pawl_handles_asked_finish(&own);
    return status;
}

static pawl_status stage_transfer(pawl_host *host, const char *from, const char *to, const char *id,
                                  pawl_handles_changes *changes, pawl_error *error)
{
    pawl_arena arena = {0};
    pawl_process_row row;
    bool held = false;
    pawl_status status = pawl_check_id(id, error);
    if (status == PAWL_OK)
        status = pawl_host_row(host, id, &arena, &row, error);
    if (status == PAWL_OK)
        status = holds(host, from, id, &row, &held, error);
    if (status == PAWL_OK && !held)
        status = no_handle(from, id, error);
    if (status == PAWL_OK && strcmp(from, to) != 0) {
        pawl_handles_add_revoke(changes, from, id, pawl_handles_belongs(&row, from));
        add_grant(changes, to, id, &row);
    }
    pawl_arena_finish(&arena);
    return status;
}

pawl_status pawl_host_handle_transfer(pawl_host *host, const char *from, const char *to, const char *const *ids,
                                      size_t count, pawl_error *error)
{
    pawl_handles_asked own;
    if (count > TRANSFER_MAX)
        return pawl_error_set(error, PAWL_E_LIMIT, "session.limit", "%zu handles at once; at most %u", count,
                              TRANSFER_MAX);
    pawl_status status = pawl_handles_ask(host, from, NULL, &own, error);
    if (status == PAWL_OK)
        status = pawl_check_session(to, error);
    if (status == PAWL_OK) {
        pthread_mutex_lock(&host->handles.lock);
        status = pawl_handles_may_start(host, to, error);
        for (size_t i = 0; i < count && status == PAWL_OK; i++)
            status = stage_transfer(host, from, to, ids[i], own.changes, error);
        atomic_store(&host->handles.any, true);
        if (status == PAWL_OK)
            status = pawl_handles_commit(host, own.changes, error);
        pthread_mutex_unlock(&host->handles.lock);
    }
    pawl_handles_asked_finish(&own);
    return status;
}

pawl_status pawl_host_handle_check(pawl_host *host, const char *session, const char *id, pawl_error *error)
{
    pawl_handles_asked own;
    bool held = false;
    pawl_status status = pawl_handles_ask(host, session, id, &own, error);
    if (status == PAWL_OK)
        status = holds(host, session, id, &own.row, &held, error);
    if (status == PAWL_OK && !held)
        status = no_handle(session, id, error);
    pawl_handles_asked_finish(&own);
    return status;
}

pawl_status pawl_host_handle_list(pawl_host *host, const char *session, pawl_text *ret_json, pawl_error *error)
{
    char prefix[PAWL_HANDLES_KEY_ROOM];
    pawl_handles_names held;
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK)
        status = pawl_check_session(session, error);
    if (status != PAWL_OK)
        return status;
    pawl_handles_key(prefix, 's', session, "");
    status = pawl_handles_gather(host, prefix, 10001, &held, error);
    if (status != PAWL_OK)
        return status;
    bool more = held.count == 10001;
    json_t *list = json_array();
    for (size_t i = 0; i < held.count - more; i++)
        (void)json_array_append_new(list, pawl_view_text(pawl_bytes_text(held.items[i])));
    free(held.items);
    return pawl_view_give(json_pack("{s:o?, s:b}", "handles", list, "more", (int)more), ret_json, error);
}

pawl_status pawl_handles_forget(pawl_host *host, pawl_bytes process, pawl_error *error)
{
    char id[PAWL_HANDLES_NAME_ROOM];
    char prefix[PAWL_HANDLES_KEY_ROOM];
    pawl_handles_names found;
    if (!atomic_load(&host->handles.any))
        return PAWL_OK;
    snprintf(id, sizeof id, "%.*s", (int)process.size, (const char *)process.data);
    pawl_handles_changes *changes = malloc(sizeof *changes);
    if (changes == NULL)
        return no_memory(error);
    changes->count = 0;
    pawl_status status = PAWL_OK;
    for (int round = 0; round < 2 && status == PAWL_OK; round++) {
        char tag = "px"[round];
        do {
            pawl_handles_key(prefix, tag, id, "");
            status = pawl_handles_gather(host, prefix, PAWL_HANDLES_SLICE, &found, error);
            for (size_t i = 0; status == PAWL_OK && i < found.count; i++) {
                pawl_handles_add(changes, false, tag, id, found.items[i]);
                if (tag == 'p')
                    pawl_handles_add(changes, false, 's', found.items[i], id);
            }
            if (status == PAWL_OK) {
                free(found.items);
                status = pawl_handles_commit(host, changes, error);
            }
        } while (status == PAWL_OK && found.count == PAWL_HANDLES_SLICE);
    }
    free(changes);
    return status;
}

/* ---- what is being deleted ---- */

static pawl_deleted **find_deleted(pawl_handles *own, const char *session)
{
    pawl_deleted **at = &own->deleted;
    while (*at != NULL && strcmp((*at)->name, session) != 0)
        at = &(*at)->next;
    return at;
}

pawl_status pawl_handles_may_start(pawl_host *host, const char *session, pawl_error *error)
{
    pawl_handles *own = &host->handles;
    if (!atomic_load_explicit(&own->some_deleted, memory_order_acquire))
        return PAWL_OK;
    pthread_mutex_lock(&own->deleted_lock);
    bool found = *find_deleted(own, session) != NULL;
    pthread_mutex_unlock(&own->deleted_lock);
    return !found ? PAWL_OK
                  : pawl_error_set(error, PAWL_E_BUSY, "session.deleting",
                                   "session \"%s\" is being deleted; ask again when that is done", session);
}

pawl_status pawl_handles_use(pawl_host *host, pawl_bytes session, pawl_session_use *use, pawl_error *error)
{
    pawl_handles *own = &host->handles;
    bool deleted = false;
    use->session = (pawl_bytes){NULL, 0};
    if (session.size == 0)
        return PAWL_OK;
    pthread_mutex_lock(&own->deleted_lock);
    for (const pawl_deleted *at = own->deleted; at != NULL && !deleted; at = at->next)
        deleted = strlen(at->name) == session.size && memcmp(at->name, session.data, session.size) == 0;
    if (!deleted) {
        use->session = session;
        LIST_INSERT_HEAD(&own->uses, use, link);
    }
    pthread_mutex_unlock(&own->deleted_lock);
    return !deleted ? PAWL_OK
                    : pawl_error_set(error, PAWL_E_BUSY, "session.deleting",
                                     "session \"%.*s\" is being deleted; ask again when that is done",
                                     (int)session.size, (const char *)session.data);
}

void pawl_handles_unuse(pawl_host *host, pawl_session_use *use)
{
    pawl_handles *own = &host->handles;
    if (use->session.size == 0)
        return;
    pthread_mutex_lock(&own->deleted_lock);
    LIST_REMOVE(use, link);
    use->session = (pawl_bytes){NULL, 0};
    pthread_cond_broadcast(&own->unused);
    pthread_mutex_unlock(&own->deleted_lock);
}

/* Is anything under way in it? Under deleted_lock. */
static bool is_used(const pawl_handles *own, const char *session)
{
    const pawl_session_use *use;
    size_t size = strlen(session);
    LIST_FOREACH(use, &own->uses, link)
    {
        if (use->session.size == size && memcmp(use->session.data, session, size) == 0)
            return true;
    }
    return false;
}

pawl_status pawl_handles_begin_deletion(pawl_host *host, const char *session, pawl_error *error)
{
    pawl_handles *own = &host->handles;
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&own->deleted_lock);
    if (*find_deleted(own, session) == NULL) {
        size_t size = strlen(session) + 1;
        pawl_deleted *made = malloc(sizeof *made + size);
        if (made == NULL) {
            status = no_memory(error);
        } else {
            memcpy(made->name, session, size);
            made->next = own->deleted;
            own->deleted = made;
            atomic_store_explicit(&own->some_deleted, true, memory_order_release);
        }
    }
    while (status == PAWL_OK && is_used(own, session)) /* what is under way is one write of the store */
        pthread_cond_wait(&own->unused, &own->deleted_lock);
    pthread_mutex_unlock(&own->deleted_lock);
    return status;
}

void pawl_handles_end_deletion(pawl_host *host, const char *session)
{
    pawl_handles *own = &host->handles;
    pthread_mutex_lock(&own->deleted_lock);
    pawl_deleted **at = find_deleted(own, session);
    pawl_deleted *found = *at;
    if (found != NULL)
        *at = found->next;
    atomic_store_explicit(&own->some_deleted, own->deleted != NULL, memory_order_release);
    pthread_mutex_unlock(&own->deleted_lock);
    free(found);
}

/* ---- opening ---- */

/* All marks first: nothing may start in such a session from the beginning. */
static pawl_status take_marks(pawl_host *host, pawl_handles_names *ret, pawl_error *error)
{
    pawl_status status = pawl_handles_gather(host, "d", PAWL_HANDLES_SLICE, ret, error);
    for (size_t i = 0; i < ret->count && status == PAWL_OK; i++)
        status = pawl_handles_begin_deletion(host, ret->items[i], error);
    return status;
}

pawl_status pawl_handles_open(pawl_host *host, pawl_error *error)
{
    pawl_handles_names found;
    pthread_mutex_init(&host->handles.lock, NULL);
    pthread_mutex_init(&host->handles.deleted_lock, NULL);
    pthread_cond_init(&host->handles.unused, NULL);
    LIST_INIT(&host->handles.uses);
    host->handles.open = true;
    pawl_status status = pawl_handles_gather(host, "", 1, &found, error);
    if (status != PAWL_OK)
        return status;
    atomic_store(&host->handles.any, found.count > 0);
    free(found.items);
    status = take_marks(host, &found, error);
    for (size_t i = 0; i < found.count && status == PAWL_OK; i++) {
        pawl_error why = {0};
        if (pawl_host_session_delete(host, found.items[i], NULL, &why) != PAWL_OK)
            pawl_log_write(&host->log, PAWL_LOG_ERROR, "a session could not be deleted; ask for it again", "session",
                           found.items[i], "error", why.message, (char *)NULL);
    }
    free(found.items);
    return status;
}

void pawl_handles_close(pawl_handles *own)
{
    if (!own->open)
        return;
    for (pawl_deleted *at = own->deleted, *next; at != NULL; at = next) {
        next = at->next;
        free(at);
    }
    own->deleted = NULL;
    own->open = false;
    pthread_cond_destroy(&own->unused);
    pthread_mutex_destroy(&own->deleted_lock);
    pthread_mutex_destroy(&own->lock);
}
