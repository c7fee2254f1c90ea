/* return.c: see return.h. It walks over what is stuck and nothing else, a page at a time, and posts each
 * resumption with the same id as an operator would: killed at any point, the next start goes on where it was, and
 * nobody is resumed twice for one park. Must never resume what lacks something else, nor keep a host from opening or
 * closing. */
#include "host/operation/return.h"

#include "host/host_internal.h"
#include "worker/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 100u

struct pawl_return {
    pawl_host *host;
    pthread_t thread;
    atomic_bool stop;
};

typedef struct candidate {
    char id[PAWL_ID_BYTES_MAX + 1];
    uint64_t head;
} candidate;

typedef struct page {
    const pawl_host *host;
    candidate items[PAGE_ROWS];
    size_t count;
} page;

static int32_t PAWL_CALL look(void *context, const pawl_process_row *row)
{
    page *own = context;
    const char *profile = own->host->profile->name;
    bool mine = row->profile.size == 0 ||
                (row->profile.size == strlen(profile) && memcmp(row->profile.data, profile, row->profile.size) == 0);
    if (!mine || row->external != 0 || row->id.size > PAWL_ID_BYTES_MAX || own->count == PAGE_ROWS ||
        !pawl_worker_has_again(own->host->assembly.catalog, row))
        return 0;
    candidate *item = &own->items[own->count++];
    memcpy(item->id, row->id.data, row->id.size);
    item->id[row->id.size] = '\0';
    item->head = row->head;
    return 0;
}

/* Ended, resumed by somebody else, or closing: all the same to us. The rest is told, and left as it is. */
static bool resume(pawl_return *own, const candidate *item)
{
    char post_id[64];
    pawl_error error = {0};
    const pawl_entry entry = {.kind = PAWL_RECORD_RESUMED, .value = pawl_bytes_text("what it lacked is here again")};
    snprintf(post_id, sizeof post_id, "resume:%" PRIu64, item->head);
    pawl_status status = pawl_host_post_entry(own->host, item->id, post_id, &entry, &error);
    if (status != PAWL_OK && status != PAWL_E_TERMINAL && status != PAWL_E_NOT_FOUND && status != PAWL_E_CLOSED)
        pawl_log_write(&own->host->log, PAWL_LOG_ERROR, "a process whose plugin is here again could not be resumed",
                       "process", item->id, "error", error.message, (char *)NULL);
    return status == PAWL_OK;
}

static void *run(void *argument)
{
    pawl_return *own = argument;
    const pawl_registry *registry = &own->host->registry;
    page *rows = calloc(1, sizeof *rows);
    pawl_list list = {.struct_size = sizeof list, .limit = PAGE_ROWS, .status_mask = UINT64_C(1) << PAWL_STUCK};
    uint64_t resumed = 0, next = 0;
    do {
        if (rows == NULL)
            break;
        rows->host = own->host;
        rows->count = 0;
        next = 0;
        if (registry->table.list(registry->store, &list, look, rows, &next, NULL) != PAWL_OK)
            break;
        for (size_t i = 0; i < rows->count && !atomic_load(&own->stop); i++)
            resumed += resume(own, &rows->items[i]);
        list.after_number = next;
    } while (next != 0 && !atomic_load(&own->stop));
    free(rows);
    char count[32];
    snprintf(count, sizeof count, "%" PRIu64, resumed);
    if (resumed > 0)
        pawl_log_write(&own->host->log, PAWL_LOG_INFO, "processes go on whose plugin is here again", "count", count,
                       (char *)NULL);
    return NULL;
}

pawl_status pawl_return_start(pawl_host *host, pawl_return **ret, pawl_error *error)
{
    if (host->worker == NULL)
        return PAWL_OK;
    pawl_return *own = calloc(1, sizeof *own);
    if (own == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while opening the host");
    own->host = host;
    atomic_init(&own->stop, false);
    if (pthread_create(&own->thread, NULL, run, own) != 0) {
        free(own);
        return pawl_error_set(error, PAWL_E_NOMEM, "no_thread", "no thread to look for what can go on again");
    }
    *ret = own;
    return PAWL_OK;
}

pawl_return *pawl_return_stop(pawl_return *own)
{
    if (own == NULL)
        return NULL;
    atomic_store(&own->stop, true);
    pthread_join(own->thread, NULL);
    free(own);
    return NULL;
}
