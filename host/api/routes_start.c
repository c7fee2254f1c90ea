/* routes_start.c: starting one process, or many at once. All processes of a batch are handed to the host before the
 * first is awaited, so that they share commits; each has its own result. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/api/routes.h"
#include "host/api/status.h"
#include "host/api/values.h"
#include "worker/base/date.h"
#include "worker/base/error.h"

typedef struct start_item {
    struct start_work *work;
    pawl_bytes input;
    char *attributes;
    pawl_status status;
    pawl_started started;
    pawl_error *error; /* only when it failed */
} start_item;

typedef struct start_work {
    pawl_exchange *exchange;
    json_t *body;
    bool batch;
    size_t count;
    pthread_mutex_t lock; /* guards pending, and makes the items' results visible to whoever ends last */
    size_t pending;       /* items that have not ended, and one for the step that begins them */
    start_item items[];
} start_work;

static void work_free(void *context)
{
    start_work *work = context;
    for (size_t i = 0; i < work->count; i++) {
        free((void *)(uintptr_t)work->items[i].input.data);
        free(work->items[i].attributes);
        free(work->items[i].error);
    }
    json_decref(work->body);
    pthread_mutex_destroy(&work->lock);
    free(work);
}

static void item_failed(start_item *item, const pawl_error *error)
{
    item->status = error->status;
    item->error = malloc(sizeof *item->error);
    if (item->error != NULL)
        *item->error = *error;
}

static bool answer_one(pawl_exchange *exchange, const start_item *item)
{
    static const pawl_error no_memory = {PAWL_E_NOMEM, "api.no_memory", "out of memory for an error"};
    if (item->status != PAWL_OK)
        return pawl_exchange_error(exchange, item->error == NULL ? &no_memory : item->error);
    return pawl_exchange_json(
        exchange, item->started.existed ? 200 : 201,
        json_pack("{s:o?, s:b}", "id", json_string(item->started.id), "existed", item->started.existed != 0));
}

static bool answer(pawl_exchange *exchange)
{
    const start_work *work = exchange->work;
    if (!work->batch)
        return answer_one(exchange, &work->items[0]);
    json_t *results = json_array();
    for (size_t i = 0; i < work->count; i++) {
        const start_item *item = &work->items[i];
        json_t *result = item->status == PAWL_OK ? json_pack("{s:o?, s:b}", "id", json_string(item->started.id),
                                                             "existed", item->started.existed != 0)
                         : item->error == NULL   ? NULL
                                                 : json_pack("{s:o}", "error", pawl_api_error_json(item->error));
        if (json_array_append_new(results, result) != 0) {
            json_decref(results);
            return pawl_exchange_json(exchange, 200, NULL);
        }
    }
    return pawl_exchange_json(exchange, 200, json_pack("{s:o}", "results", results));
}

static void one_ended(start_work *work)
{
    pthread_mutex_lock(&work->lock);
    bool last = --work->pending == 0;
    pthread_mutex_unlock(&work->lock);
    if (last)
        pawl_exchange_continue(work->exchange, answer);
}

static void on_started(void *context, pawl_status status, const pawl_started *started, const pawl_error *error)
{
    start_item *item = context;
    if (status == PAWL_OK)
        item->started = *started;
    else
        item_failed(item, error);
    one_ended(item->work);
}

static pawl_status read_reuse(const json_t *request, uint32_t *ret, pawl_error *error)
{
    static const char *const names[] = {"existing", "reject", "after_end", "after_failure"};
    const char *name = NULL;
    pawl_status status = pawl_value_string(request, "reuse", false, &name, error);
    *ret = PAWL_REUSE_EXISTING;
    if (status != PAWL_OK || name == NULL)
        return status;
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) {
            *ret = i;
            return PAWL_OK;
        }
    return pawl_error_set(error, PAWL_E_INVALID, "api.reuse",
                          "\"reuse\" is \"%.64s\"; wanted existing, reject, after_end or after_failure", name);
}

#define NS_PER_MS   UINT64_C(1000000)
#define SPAN_MS_MAX (UINT64_C(100) * 366 * 24 * 3600 * 1000)

static uint64_t unix_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A time, as `at` or as so many milliseconds behind `from_ns`; neither: 0. */
static pawl_status read_moment(const json_t *request, const char *at, const char *span, uint64_t from_ns, uint64_t *ret,
                               pawl_error *error)
{
    int64_t time = 0;
    uint64_t span_ms = 0;
    const char *text = NULL;
    bool has_span = json_object_get(request, span) != NULL && !json_is_null(json_object_get(request, span));
    pawl_status status = pawl_value_string(request, at, false, &text, error);
    if (status == PAWL_OK)
        status = pawl_value_number(request, span, 0, &span_ms, error);
    if (status != PAWL_OK)
        return status;
    if (text != NULL && has_span)
        return pawl_error_set(error, PAWL_E_INVALID, "api.time", "give \"%s\" or \"%s\", not both", at, span);
    if (text != NULL && (!pawl_time_read(text, &time) || time <= 0))
        return pawl_error_set(error, PAWL_E_INVALID, "api.time",
                              "\"%s\" is \"%.64s\"; wanted a time as \"2026-02-03T10:00:00Z\"", at, text);
    if (span_ms > SPAN_MS_MAX)
        return pawl_error_set(error, PAWL_E_INVALID, "api.time", "\"%s\" is more than a hundred years", span);
    *ret = text != NULL ? (uint64_t)time : has_span ? from_ns + span_ms * NS_PER_MS : 0;
    return PAWL_OK;
}

/* A deadline that is a span counts from when the process begins. */
static pawl_status read_times(const json_t *request, pawl_start *start, pawl_error *error)
{
    uint64_t now = unix_now_ns();
    pawl_status status = read_moment(request, "start_at", "delay_ms", now, &start->start_unix_ns, error);
    uint64_t begin = start->start_unix_ns > now ? start->start_unix_ns : now;
    return status != PAWL_OK
               ? status
               : read_moment(request, "deadline_at", "deadline_ms", begin, &start->deadline_unix_ns, error);
}

/* PAWL_PENDING, or why it could not be begun. */
static pawl_status begin_item(start_item *item, json_t *request, pawl_error *error)
{
    static const char *const keys[] = {"type",     "id",          "session",      "external",      "key",   "priority",
                                       "input",    "input_text",  "input_base64", "attributes",    "reuse", "start_at",
                                       "delay_ms", "deadline_at", "deadline_ms",  "known_session", NULL};
    uint64_t priority = 0;
    pawl_start start = {.struct_size = sizeof start};
    bool external = false;
    bool known = false;
    pawl_status status = pawl_value_keys(request, "a process to start", keys, error);
    if (status == PAWL_OK)
        status = pawl_value_string(request, "type", true, &start.type, error);
    if (status == PAWL_OK)
        status = pawl_value_string(request, "id", false, &start.id, error);
    if (status == PAWL_OK)
        status = pawl_value_string(request, "session", false, &start.session, error);
    if (status == PAWL_OK)
        status = pawl_value_string(request, "key", false, &start.key, error);
    if (status == PAWL_OK)
        status = pawl_value_number(request, "priority", 0, &priority, error);
    if (status == PAWL_OK)
        status = pawl_value_flag(request, "external", &external, error);
    if (status == PAWL_OK)
        status = pawl_value_flag(request, "known_session", &known, error);
    if (status == PAWL_OK)
        status = read_reuse(request, &start.reuse, error);
    if (status == PAWL_OK)
        status = read_times(request, &start, error);
    if (status == PAWL_OK)
        status = pawl_value_content(request, "input", &item->input, error);
    const json_t *attributes = json_object_get(request, "attributes");
    if (status == PAWL_OK && attributes != NULL && !json_is_null(attributes)) {
        item->attributes = json_dumps(attributes, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17));
        if (item->attributes == NULL)
            status = pawl_error_set(error, PAWL_E_NOMEM, "api.no_memory", "out of memory for a process to start");
    }
    if (status != PAWL_OK)
        return status;
    if (item->attributes != NULL)
        start.attributes = (pawl_bytes){item->attributes, strlen(item->attributes)};
    start.flags = (external ? PAWL_START_EXTERNAL : 0) | (known ? PAWL_START_KNOWN_SESSION : 0);
    start.input = item->input;
    start.priority = priority > PAWL_PRIORITY_LOWEST ? PAWL_PRIORITY_LOWEST + 1 : (uint32_t)priority;
    return pawl_host_start_async(item->work->exchange->host, &start, on_started, item, error);
}

static bool begin_all(start_work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        start_item *item = &work->items[i];
        json_t *request = work->batch ? json_array_get(json_object_get(work->body, "batch"), i) : work->body;
        pawl_error error = {0};
        pawl_status status = begin_item(item, request, &error);
        if (status == PAWL_PENDING)
            continue;
        item_failed(item, &error);
        one_ended(work);
    }
    one_ended(work);
    return false;
}

static pawl_status count_items(json_t *body, bool *batch, size_t *count, pawl_error *error)
{
    static const char *const keys[] = {"batch", NULL};
    const json_t *list = json_object_get(body, "batch");
    *batch = list != NULL;
    *count = 1;
    if (list == NULL)
        return PAWL_OK;
    pawl_status status = pawl_value_keys(body, "a batch", keys, error);
    if (status != PAWL_OK)
        return status;
    *count = json_array_size(list);
    if (*count == 0 || *count > PAWL_API_BATCH_MAX)
        return pawl_error_set(error, json_is_array(list) && *count > 0 ? PAWL_E_LIMIT : PAWL_E_INVALID, "api.batch",
                              "\"batch\" has %zu processes; wanted an array of 1 to %u", *count, PAWL_API_BATCH_MAX);
    return PAWL_OK;
}

bool pawl_route_start(pawl_exchange *exchange)
{
    pawl_error error = {0};
    json_t *body = NULL;
    bool batch = false;
    size_t count = 0;
    pawl_status status = pawl_exchange_body(exchange, NULL, &body, &error);
    if (status == PAWL_OK)
        status = count_items(body, &batch, &count, &error);
    start_work *work = status == PAWL_OK ? calloc(1, sizeof *work + count * sizeof work->items[0]) : NULL;
    if (status == PAWL_OK && work == NULL)
        status =
            pawl_error_set(&error, PAWL_E_NOMEM, "api.no_memory", "out of memory for %zu processes to start", count);
    if (status != PAWL_OK) {
        json_decref(body);
        return pawl_exchange_error(exchange, &error);
    }
    pthread_mutex_init(&work->lock, NULL);
    work->exchange = exchange;
    work->body = body;
    work->batch = batch;
    work->count = count;
    work->pending = count + 1;
    for (size_t i = 0; i < count; i++)
        work->items[i].work = work;
    exchange->work = work;
    exchange->work_free = work_free;
    return begin_all(work);
}
