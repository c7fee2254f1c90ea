/* follow.c: telling who wants to know of every end. Keeps no queue: whoever follows is called where the end became
 * known, and copies what it needs. Never calls back under its lock, and never after pawl_host_unfollow has returned. */
#include "host/host_internal.h"

#include "host/operation/outcome.h"
#include "worker/base/sink.h"

#include <stdlib.h>
#include <string.h>

struct pawl_follow {
    pawl_host *host;
    pawl_follow *next; /* guarded by host->follow_lock, like telling */
    pawl_on_end on_end;
    void *context;
    size_t telling; /* calls under way; while there are any it stays in the list */
    bool gone;      /* nobody is to be told any more */
};

void pawl_follows_init(pawl_host *host)
{
    atomic_init(&host->follow_count, 0);
    pthread_mutex_init(&host->follow_lock, NULL);
    pthread_cond_init(&host->follow_told, NULL);
}

void pawl_follows_finish(pawl_host *host)
{
    pthread_cond_destroy(&host->follow_told);
    pthread_mutex_destroy(&host->follow_lock);
}

pawl_status pawl_host_follow(pawl_host *host, pawl_on_end on_end, void *context, pawl_follow **ret, pawl_error *error)
{
    if (on_end == NULL || ret == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "the callback is missing");
    pawl_status status = pawl_host_usable(host, error);
    if (status != PAWL_OK)
        return status;
    pawl_follow *follow = malloc(sizeof *follow);
    if (follow == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for following the ends");
    *follow = (pawl_follow){.host = host, .on_end = on_end, .context = context};
    pthread_mutex_lock(&host->follow_lock);
    follow->next = host->follows;
    host->follows = follow;
    atomic_fetch_add(&host->follow_count, 1);
    pthread_mutex_unlock(&host->follow_lock);
    *ret = follow;
    return PAWL_OK;
}

pawl_follow *pawl_host_unfollow(pawl_follow *follow)
{
    if (follow == NULL)
        return NULL;
    pawl_host *host = follow->host;
    pthread_mutex_lock(&host->follow_lock);
    follow->gone = true;
    while (follow->telling > 0)
        pthread_cond_wait(&host->follow_told, &host->follow_lock);
    pawl_follow **at = &host->follows;
    while (*at != follow)
        at = &(*at)->next;
    *at = follow->next;
    atomic_fetch_sub(&host->follow_count, 1);
    pthread_mutex_unlock(&host->follow_lock);
    free(follow);
    return NULL;
}

static void call_all(pawl_host *host, const pawl_end *end)
{
    pthread_mutex_lock(&host->follow_lock);
    pawl_follow *next;
    for (pawl_follow *follow = host->follows; follow != NULL; follow = next) {
        if (!follow->gone) {
            follow->telling++;
            pthread_mutex_unlock(&host->follow_lock);
            follow->on_end(follow->context, end);
            pthread_mutex_lock(&host->follow_lock);
            if (--follow->telling == 0)
                pthread_cond_broadcast(&host->follow_told);
        }
        next = follow->next; /* it is still listed: nobody else can have had the lock since */
    }
    pthread_mutex_unlock(&host->follow_lock);
}

/* With a NUL behind it. */
static const char *text_of(char *room, size_t size, pawl_bytes from)
{
    size_t used = from.size < size ? from.size : size - 1;
    if (used > 0)
        memcpy(room, from.data, used);
    room[used] = '\0';
    return room;
}

void pawl_follows_tell(void *context, const pawl_worker_end *ended)
{
    pawl_host *host = context;
    if (atomic_load_explicit(&host->follow_count, memory_order_acquire) == 0)
        return;
    char id[PAWL_ID_BYTES_MAX + 1];
    char type[PAWL_TYPE_BYTES_MAX + 1];
    char session[PAWL_SESSION_BYTES_MAX + 1];
    pawl_end end = {.struct_size = sizeof end,
                    .id = text_of(id, sizeof id, ended->id),
                    .type = text_of(type, sizeof type, ended->type),
                    .session = text_of(session, sizeof session, ended->session),
                    .ended_unix_ns = host->clock->unix_ns(host->clock)};
    pawl_error error = {0};
    if (pawl_outcome_decode(ended->status, ended->body, &end.outcome, &error) == PAWL_OK)
        call_all(host, &end);
    else
        pawl_log_write(&host->log, PAWL_LOG_ERROR, "an end could not be told", "process", end.id, "error",
                       error.message, (char *)NULL);
}

void pawl_follows_tell_posted(pawl_host *host, const pawl_post *post)
{
    if (atomic_load_explicit(&host->follow_count, memory_order_acquire) == 0)
        return;
    char id[PAWL_ID_BYTES_MAX + 1];
    pawl_arena arena = {0};
    pawl_process_row row;
    pawl_worker_end end = {.id = post->id, .status = post->status, .body = post->body};
    if (pawl_host_row(host, text_of(id, sizeof id, post->id), &arena, &row, NULL) == PAWL_OK) {
        end.type = row.type;
        end.session = row.session;
    }
    pawl_follows_tell(host, &end);
    pawl_arena_finish(&arena);
}
