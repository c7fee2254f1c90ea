/* list.c: pages of processes, and how many there are. Rows are copied out of the store before anything is done
 * with them, so that nothing of the host runs inside the store. */
#include "host/host_internal.h"

#include "host/operation/where.h"
#include "host/view/view.h"
#include "worker/base/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIST_DEFAULT  100u
#define LIST_MAX      1000u
#define COUNT_DEFAULT UINT64_C(1000000)

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while reading processes");
}

typedef struct row_page {
    pawl_arena arena;
    pawl_process_row *rows;
    size_t count;
    size_t room;
    uint32_t parts; /* PAWL_ROW_* */
    const pawl_list_options *pinned;
    bool full;
    pawl_status status;
} row_page;

/* Stores know nothing of plugins: what a process is pinned to is looked at here. */
static bool is_pinned_so(const pawl_process_row *row, const pawl_list_options *options)
{
    char hex[65] = "";
    for (size_t i = 0; options->digest != NULL && i < row->digest.size && i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", ((const uint8_t *)row->digest.data)[i]);
    bool plugin = options->plugin == NULL || (strlen(options->plugin) == row->plugin.size &&
                                              memcmp(options->plugin, row->plugin.data, row->plugin.size) == 0);
    return plugin && (options->digest == NULL || strncasecmp(hex, options->digest, strlen(options->digest)) == 0);
}

static int32_t PAWL_CALL take_rows(void *context, const pawl_process_row *row)
{
    row_page *rows = context;
    if (!is_pinned_so(row, rows->pinned))
        return 0;
    rows->full = rows->count == rows->room;
    if (rows->full)
        return 1;
    rows->status = pawl_row_copy(&rows->arena, row, rows->parts, &rows->rows[rows->count]);
    rows->count += rows->status == PAWL_OK;
    return rows->status != PAWL_OK;
}

static json_t *view_page(pawl_host *host, const row_page *rows, uint64_t next)
{
    json_t *list = json_array();
    json_t *json = json_pack("{s:o}", "processes", list);
    bool made = json != NULL;
    for (size_t i = 0; made && i < rows->count; i++)
        made = json_array_append_new(list, pawl_view_process(host, &rows->rows[i], false)) == 0;
    made = made && pawl_view_set(json, "next", next == 0 ? json_null() : json_integer((json_int_t)next));
    if (made)
        return json;
    json_decref(json);
    return NULL;
}

/* What was asked for, as the store takes it. */
typedef struct question {
    pawl_list list;
    pawl_where where; /* the list's conditions */
    pawl_list_options options;
} question;

static pawl_status read_options(pawl_host *host, const pawl_list_options *given, question *ret, pawl_error *error)
{
    ret->options = (pawl_list_options){.struct_size = sizeof ret->options};
    pawl_list_options *options = &ret->options;
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK && given != NULL && !pawl_take_struct(options, sizeof *options, given))
        status = pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "options.struct_size is not set");
    if (status == PAWL_OK && options->limit > LIST_MAX)
        status = pawl_error_set(error, PAWL_E_LIMIT, "limit", "a page of %u processes was asked for; at most %u fit",
                                options->limit, LIST_MAX);
    if (status == PAWL_OK && options->digest != NULL &&
        (options->digest[0] == '\0' || strlen(options->digest) > 64 ||
         strspn(options->digest, "0123456789abcdefABCDEF") != strlen(options->digest)))
        status = pawl_error_set(error, PAWL_E_INVALID, "invalid_digest",
                                "the digest is \"%.80s\"; wanted 1 to 64 hex digits of the SHA-256", options->digest);
    if (status == PAWL_OK && options->where != NULL)
        status = pawl_where_read(options->where, &host->attributes, &ret->where, error);
    if (status != PAWL_OK)
        return status;
    ret->list = (pawl_list){.struct_size = sizeof ret->list,
                            .limit = options->limit == 0 ? LIST_DEFAULT : options->limit,
                            .after_number = options->after,
                            .descending = options->newest_first != 0,
                            .type = pawl_bytes_text(options->type),
                            .session = pawl_bytes_text(options->session),
                            .parent = pawl_bytes_text(options->parent),
                            .id_prefix = pawl_bytes_text(options->id_prefix),
                            .conditions = ret->where.conditions,
                            .condition_count = ret->where.count,
                            .condition_size = sizeof(pawl_condition)};
    return pawl_view_status_mask(options->status, &ret->list.status_mask, error);
}

static pawl_status ask(pawl_host *host, const pawl_list *list, pawl_row_visit visit, void *context, uint64_t *next,
                       pawl_error *error)
{
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_status status = host->registry.table.list(host->registry.store, list, visit, context, next, &why);
    if (status != PAWL_OK)
        (void)pawl_failure_error(&why, status, error);
    pawl_failure_finish(&why);
    return status;
}

static pawl_status list_page(pawl_host *host, const question *asked, pawl_text *ret_json, pawl_error *error)
{
    uint64_t next = 0;
    row_page rows = {.room = asked->list.limit,
                     .pinned = &asked->options,
                     .rows = calloc(asked->list.limit, sizeof *rows.rows),
                     .parts = asked->options.documents != 0 ? PAWL_ROW_DOCUMENT : 0};
    if (rows.rows == NULL)
        return no_memory(error);
    pawl_list list = asked->list;
    if (asked->options.plugin != NULL || asked->options.digest != NULL)
        list.limit = LIST_MAX; /* most are left out */
    pawl_host_entered(host);
    pawl_status status = ask(host, &list, take_rows, &rows, &next, error);
    if (status == PAWL_OK && rows.status != PAWL_OK)
        status = no_memory(error);
    if (rows.full)
        next = rows.rows[rows.count - 1].number;
    if (status == PAWL_OK)
        status = pawl_view_give(view_page(host, &rows, next), ret_json, error);
    pawl_host_left(host);
    pawl_arena_finish(&rows.arena);
    free(rows.rows);
    return status;
}

pawl_status pawl_host_list(pawl_host *host, const pawl_list_options *given, pawl_text *ret_json, pawl_error *error)
{
    question *asked = calloc(1, sizeof *asked);
    if (asked == NULL)
        return no_memory(error);
    pawl_status status = read_options(host, given, asked, error);
    if (status == PAWL_OK)
        status = list_page(host, asked, ret_json, error);
    pawl_where_finish(&asked->where);
    free(asked);
    return status;
}

/* ---- counting ---- */

typedef struct tally {
    uint64_t count;
    const pawl_list_options *pinned;
} tally;

static int32_t PAWL_CALL count_row(void *context, const pawl_process_row *row)
{
    tally *own = context;
    own->count += is_pinned_so(row, own->pinned);
    return 0;
}

/* By pages, so that the host can close in between. */
static pawl_status count_all(pawl_host *host, question *asked, uint64_t limit, uint64_t *count, bool *complete,
                             pawl_error *error)
{
    pawl_status status = PAWL_OK;
    tally all = {.pinned = &asked->options};
    asked->list.limit = LIST_MAX;
    asked->list.after_number = 0;
    asked->list.descending = 0;
    for (uint64_t pages = 0; status == PAWL_OK; pages++) {
        uint64_t next = 0;
        *complete = false;
        if (pages > 0 && (*count >= limit || pages > limit / LIST_MAX))
            return PAWL_OK;
        status = pawl_host_usable(host, error);
        if (status != PAWL_OK)
            return status;
        pawl_host_entered(host);
        status = ask(host, &asked->list, count_row, &all, &next, error);
        pawl_host_left(host);
        *count = all.count;
        *complete = next == 0;
        if (next == 0)
            break;
        asked->list.after_number = next;
    }
    return status;
}

pawl_status pawl_host_count(pawl_host *host, const pawl_list_options *given, uint64_t limit_rows, pawl_text *ret_json,
                            pawl_error *error)
{
    uint64_t count = 0;
    bool complete = false;
    question *asked = calloc(1, sizeof *asked);
    if (asked == NULL)
        return no_memory(error);
    pawl_status status = read_options(host, given, asked, error);
    if (status == PAWL_OK)
        status = count_all(host, asked, limit_rows == 0 ? COUNT_DEFAULT : limit_rows, &count, &complete, error);
    if (status == PAWL_OK)
        status = pawl_view_give(json_pack("{s:I, s:b}", "count", (json_int_t)count, "complete", (int)complete),
                                ret_json, error);
    pawl_where_finish(&asked->where);
    free(asked);
    return status;
}
