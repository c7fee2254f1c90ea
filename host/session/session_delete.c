/* session_delete.c: letting go of everything that a session holds. When the registry can do it, and it is not too
 * much, the mark of the deletion, the end of all handles and every request to stop are one batch. Otherwise the mark
 * comes first and the rest is done piece by piece, each of which may be repeated: processes are asked to stop first,
 * and their handles are let go after. Must never ask a process to stop that another session holds. */
#include "host/session/handles_internal.h"

#include "host/view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DELETE_REASON "its session was deleted"
#define TOGETHER_MAX  1000u /* handles and own processes that are let go of in one batch */

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while deleting a session");
}

typedef struct letting_go {
    const char *session;
    pawl_handles_changes *changes;
    uint64_t cancelled, preserved, revoked, attachments;
} letting_go;

/* One process: it is asked to stop unless somebody else holds it, and is then let go with the others of its slice. */
static pawl_status let_go(pawl_host *host, letting_go *own, const char *id, pawl_error *error)
{
    pawl_arena arena = {0};
    pawl_process_row row;
    bool held = true;
    bool belongs = false;
    pawl_status status = pawl_host_row(host, id, &arena, &row, error);
    if (status == PAWL_OK) {
        belongs = pawl_handles_belongs(&row, own->session);
        if (!PAWL_IS_TERMINAL(row.status)) {
            status = pawl_handles_others_hold(host, own->session, id, &row, &held, error);
            own->preserved += status == PAWL_OK && held;
        }
    }
    if (status == PAWL_OK && !held) {
        status = pawl_host_cancel(host, id, DELETE_REASON, error);
        own->cancelled += status == PAWL_OK;
    }
    pawl_arena_finish(&arena);
    if (status != PAWL_OK && status != PAWL_E_TERMINAL && status != PAWL_E_NOT_FOUND)
        return status;
    if (!belongs || (status == PAWL_OK && held && !PAWL_IS_TERMINAL(row.status)))
        pawl_handles_add_revoke(own->changes, own->session, id, belongs);
    return PAWL_OK;
}

static pawl_status let_go_of_handles(pawl_host *host, letting_go *own, pawl_error *error)
{
    char prefix[PAWL_HANDLES_KEY_ROOM];
    pawl_handles_names found;
    pawl_status status;
    pawl_handles_key(prefix, 's', own->session, "");
    do {
        status = pawl_handles_gather(host, prefix, PAWL_HANDLES_SLICE, &found, error);
        for (size_t i = 0; status == PAWL_OK && i < found.count; i++)
            status = let_go(host, own, found.items[i], error);
        free(found.items);
        if (status == PAWL_OK)
            status = pawl_handles_commit(host, own->changes, error);
        own->revoked += status == PAWL_OK ? found.count : 0;
    } while (status == PAWL_OK && found.count == PAWL_HANDLES_SLICE);
    return status;
}

static int32_t PAWL_CALL take_id(void *context, const pawl_process_row *row)
{
    pawl_handles_names *own = context;
    snprintf(own->items[own->count++], PAWL_HANDLES_NAME_ROOM, "%.*s", (int)row->id.size, (const char *)row->id.data);
    return own->count == own->limit;
}

/* One page of the live processes that belong to it. */
static pawl_status own_page(pawl_host *host, const char *session, uint64_t *after, pawl_handles_names *ret,
                            pawl_error *error)
{
    pawl_list list = {.struct_size = sizeof list,
                      .limit = PAWL_HANDLES_SLICE,
                      .after_number = *after,
                      .session = pawl_bytes_text(session),
                      .condition_size = sizeof(pawl_condition)};
    pawl_status status = pawl_view_status_mask("live", &list.status_mask, error);
    *ret =
        (pawl_handles_names){.limit = PAWL_HANDLES_SLICE, .items = calloc(PAWL_HANDLES_SLICE, PAWL_HANDLES_NAME_ROOM)};
    if (status != PAWL_OK || ret->items == NULL)
        return status != PAWL_OK ? status : no_memory(error);
    pawl_failure_slot why;
    pawl_failure_init(&why);
    status = host->registry.table.list(host->registry.store, &list, take_id, ret, after, &why);
    return pawl_handles_told(&why, status, error);
}

static pawl_status let_go_of_own(pawl_host *host, letting_go *own, pawl_error *error)
{
    uint64_t after = 0;
    pawl_status status;
    do {
        pawl_handles_names found;
        status = own_page(host, own->session, &after, &found, error);
        for (size_t i = 0; status == PAWL_OK && i < found.count; i++)
            status = let_go(host, own, found.items[i], error);
        free(found.items);
        if (status == PAWL_OK)
            status = pawl_handles_commit(host, own->changes, error);
    } while (status == PAWL_OK && after != 0);
    return status;
}

/* ---- all in one batch ---- */

typedef struct batch {
    pawl_arena arena; /* of the posts */
    size_t count;     /* of them */
    size_t looked;    /* at handles and own processes */
    const pawl_post *posts[TOGETHER_MAX];
    uint8_t is_new[TOGETHER_MAX];
} batch;

/* As let_go, but nothing is sent yet. */
static pawl_status consider(pawl_host *host, letting_go *own, batch *all, const char *id, pawl_error *error)
{
    pawl_arena arena = {0};
    pawl_process_row row;
    bool held = true;
    bool live = false;
    bool belongs = false;
    pawl_status status = pawl_host_row(host, id, &arena, &row, error);
    if (status == PAWL_OK) {
        belongs = pawl_handles_belongs(&row, own->session);
        live = !PAWL_IS_TERMINAL(row.status);
        if (live)
            status = pawl_handles_others_hold(host, own->session, id, &row, &held, error);
    }
    if (status == PAWL_OK && live && !held)
        status = pawl_host_cancel_post(&all->arena, &row, DELETE_REASON, &all->posts[all->count], error);
    if (status == PAWL_OK && live) {
        all->count += !held;
        own->preserved += held;
    }
    pawl_arena_finish(&arena);
    if (status != PAWL_OK && status != PAWL_E_NOT_FOUND)
        return status;
    if (!belongs || (live && held))
        pawl_handles_add_revoke(own->changes, own->session, id, belongs);
    return PAWL_OK;
}

static pawl_status consider_own(pawl_host *host, letting_go *own, batch *all, bool *fits, pawl_error *error)
{
    uint64_t after = 0;
    pawl_status status;
    do {
        pawl_handles_names found;
        status = own_page(host, own->session, &after, &found, error);
        all->looked += status == PAWL_OK ? found.count : 0;
        *fits = all->looked <= TOGETHER_MAX;
        for (size_t i = 0; status == PAWL_OK && *fits && i < found.count; i++)
            status = consider(host, own, all, found.items[i], error);
        free(found.items);
    } while (status == PAWL_OK && *fits && after != 0);
    return status;
}

static pawl_status gather(pawl_host *host, letting_go *own, batch *all, bool *fits, pawl_error *error)
{
    char prefix[PAWL_HANDLES_KEY_ROOM];
    pawl_handles_names found;
    pawl_handles_key(prefix, 's', own->session, "");
    pawl_status status = pawl_handles_gather(host, prefix, TOGETHER_MAX + 1, &found, error);
    if (status != PAWL_OK)
        return status;
    own->revoked = found.count;
    all->looked = found.count;
    *fits = found.count <= TOGETHER_MAX;
    for (size_t i = 0; status == PAWL_OK && *fits && i < found.count; i++)
        status = consider(host, own, all, found.items[i], error);
    free(found.items);
    return status == PAWL_OK && *fits ? consider_own(host, own, all, fits, error) : status;
}

static pawl_status send(pawl_host *host, letting_go *own, batch *all, pawl_error *error)
{
    const pawl_post_all body = {.struct_size = sizeof body,
                                .posts = all->posts,
                                .post_count = all->count,
                                .is_new = all->is_new,
                                .session = pawl_bytes_text(PAWL_HANDLES_SESSION),
                                .changes = own->changes->list,
                                .change_count = own->changes->count};
    pawl_registry_op op = {.struct_size = sizeof op};
    pawl_host_entered(host);
    pawl_status status = pawl_registry_call(&host->registry, &op, PAWL_OP_POST_ALL, &body, error);
    for (size_t i = 0; status == PAWL_OK && i < all->count; i++)
        if (all->is_new[i] != 0 && all->posts[i]->kind == PAWL_RECORD_ENDED)
            pawl_follows_tell_posted(host, all->posts[i]);
    pawl_host_left(host);
    own->cancelled = all->count;
    own->changes->count = 0;
    return status;
}

static bool can_do_together(const pawl_host *host)
{
    return (host->registry.table.features & PAWL_REGISTRY_POST_ALL) != 0 &&
           host->facets.facet[PAWL_FACET_SESSION]->store == host->registry.store;
}

/* *done stays false when it has to be done in pieces; nothing has happened then. */
static pawl_status let_go_together(pawl_host *host, letting_go *own, bool marks, bool *done, pawl_error *error)
{
    bool fits = false;
    *done = false;
    if (!can_do_together(host))
        return PAWL_OK;
    batch *all = calloc(1, sizeof *all);
    if (all == NULL)
        return no_memory(error);
    if (marks)
        pawl_handles_add(own->changes, true, 'd', own->session, "");
    pawl_status status = gather(host, own, all, &fits, error);
    if (status == PAWL_OK && fits && (own->changes->count > 0 || all->count > 0))
        status = send(host, own, all, error);
    *done = status == PAWL_OK && fits;
    own->changes->count = 0;
    if (!fits)
        own->preserved = own->revoked = 0;
    pawl_arena_finish(&all->arena);
    free(all);
    return status;
}

static pawl_status mark(pawl_host *host, letting_go *own, bool put, pawl_error *error)
{
    pawl_handles_add(own->changes, put, 'd', own->session, "");
    return pawl_handles_commit(host, own->changes, error);
}

static pawl_status remove_state(pawl_host *host, letting_go *own, pawl_error *error)
{
    const pawl_open_store *open = host->facets.facet[PAWL_FACET_SESSION];
    pawl_status status = pawl_host_drop_attachments(host, pawl_bytes_text(own->session), &own->attachments);
    if (status != PAWL_OK)
        return pawl_error_set(error, status, "session.attachments",
                              "the attachments of session \"%s\" could not be let go (status %d)", own->session,
                              status);
    pawl_failure_slot why;
    pawl_failure_init(&why);
    status = open->plugin->session->remove(open->store, pawl_bytes_text(own->session), &why);
    return pawl_handles_told(&why, status, error);
}

/* Every piece may be done again, in the same order, by whoever finds the mark. */
static pawl_status delete_session(pawl_host *host, letting_go *own, pawl_error *error)
{
    bool done = false;
    pawl_status status = pawl_handles_begin_deletion(host, own->session, error);
    if (status == PAWL_OK)
        status = let_go_together(host, own, true, &done, error);
    if (status == PAWL_OK && !done)
        status = mark(host, own, true, error);
    if (status == PAWL_OK && !done)
        status = let_go_of_handles(host, own, error);
    if (status == PAWL_OK && !done)
        status = let_go_of_own(host, own, error);
    if (status == PAWL_OK)
        status = remove_state(host, own, error);
    if (status == PAWL_OK)
        status = mark(host, own, false, error);
    if (status == PAWL_OK)
        pawl_handles_end_deletion(host, own->session); /* else nothing starts in it until this was done again */
    return status;
}

static pawl_status release_session(pawl_host *host, letting_go *own, pawl_error *error)
{
    bool done = false;
    pawl_status status = let_go_together(host, own, false, &done, error);
    if (status == PAWL_OK && !done)
        status = let_go_of_handles(host, own, error);
    return status == PAWL_OK && !done ? let_go_of_own(host, own, error) : status;
}

static pawl_status let_all_go(pawl_host *host, const char *session,
                              pawl_status (*how)(pawl_host *host, letting_go *own, pawl_error *error),
                              pawl_text *ret_json, pawl_error *error)
{
    pawl_handles_asked asked_for;
    pawl_status status = pawl_handles_ask(host, session, NULL, &asked_for, error);
    letting_go own = {.session = session, .changes = asked_for.changes};
    if (status == PAWL_OK) {
        pthread_mutex_lock(&host->handles.lock);
        atomic_store(&host->handles.any, true);
        status = how(host, &own, error);
        pthread_mutex_unlock(&host->handles.lock);
    }
    pawl_handles_asked_finish(&asked_for);
    if (status != PAWL_OK || ret_json == NULL)
        return status;
    return pawl_view_give(json_pack("{s:s, s:I, s:I, s:I, s:I}", "session", session, "cancelled",
                                    (json_int_t)own.cancelled, "preserved", (json_int_t)own.preserved, "revoked",
                                    (json_int_t)own.revoked, "attachments", (json_int_t)own.attachments),
                          ret_json, error);
}

pawl_status pawl_host_session_delete(pawl_host *host, const char *session, pawl_text *ret_json, pawl_error *error)
{
    return let_all_go(host, session, delete_session, ret_json, error);
}

pawl_status pawl_host_session_release(pawl_host *host, const char *session, pawl_text *ret_json, pawl_error *error)
{
    return let_all_go(host, session, release_session, ret_json, error);
}
