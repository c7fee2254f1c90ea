/* routes_event.c: events of processes, and the queues of sessions. Each step is one call of <pawl/pawl.h>; waiting for
 * an event holds the connection and no thread, waiting for an item of a queue a thread for a bounded time. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/api/routes.h"
#include "host/api/values.h"
#include "host/api/waits.h"
#include "worker/base/error.h"

#define ITEMS_MAX         1000u
#define CLAIM_WAIT_MS_MAX 30000u
#define SPAN_MS_MAX       (UINT64_C(24) * 3600 * 1000)
#define NS_PER_MS         UINT64_C(1000000)

static bool answer_text(pawl_exchange *exchange, pawl_status status, pawl_text *text, const pawl_error *error)
{
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, error);
    bool answered = pawl_exchange_text(exchange, 200, "application/json", text->data, text->size);
    pawl_text_free(text);
    return answered;
}

/* ---- events ---- */

bool pawl_route_append_event(pawl_exchange *exchange)
{
    static const char *const keys[] = {"type", "key", "payload", "payload_text", "payload_base64", NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    pawl_event event = {.struct_size = sizeof event};
    pawl_event_appended appended = {0};
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "type", true, &event.type, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "key", false, &event.key, &error);
    if (status == PAWL_OK)
        status = pawl_value_content(body, "payload", &event.payload, &error);
    if (status == PAWL_OK)
        status = pawl_host_append_event(exchange->host, pawl_exchange_id(exchange), &event, &appended, &error);
    free((void *)(uintptr_t)event.payload.data);
    json_decref(body);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    return pawl_exchange_json(exchange, 200,
                              json_pack("{s:I, s:b, s:b}", "sequence", (json_int_t)appended.sequence, "replayed",
                                        appended.replayed != 0, "queued", appended.queued != 0));
}

bool pawl_route_events(pawl_exchange *exchange)
{
    pawl_error error = {0};
    uint64_t after = 0;
    uint64_t limit = 0;
    pawl_text text = {0};
    pawl_status status = pawl_uri_number(&exchange->uri, "after", 0, UINT64_MAX, 0, &after, &error);
    if (status == PAWL_OK)
        status = pawl_uri_number(&exchange->uri, "limit", 1, ITEMS_MAX, 100, &limit, &error);
    if (status == PAWL_OK)
        status = pawl_host_events(exchange->host, pawl_exchange_id(exchange), after,
                                  pawl_uri_query(&exchange->uri, "type"), (uint32_t)limit, &text, &error);
    return answer_text(exchange, status, &text, &error);
}

static void work_free(void *work)
{
    pawl_timed_wait_finish(work);
    free(work);
}

static bool answer_event(pawl_exchange *exchange)
{
    const pawl_timed_wait *wait = exchange->work;
    if (wait->status == PAWL_OK)
        return pawl_exchange_text(exchange, 200, "application/json", wait->outcome.output.data,
                                  wait->outcome.output.size);
    if (wait->status == PAWL_E_DEADLINE)
        return pawl_exchange_empty(exchange, 204);
    return pawl_exchange_error(exchange, &wait->error);
}

static void wait_done(pawl_timed_wait *wait)
{
    pawl_exchange_continue(wait->context, answer_event);
}

bool pawl_route_next_event(pawl_exchange *exchange)
{
    pawl_error error = {0};
    uint64_t after = 0;
    uint64_t timeout_ms = 0;
    pawl_status status = pawl_uri_number(&exchange->uri, "timeout_ms", 0, PAWL_API_WAIT_MS_MAX,
                                         PAWL_API_WAIT_MS_DEFAULT, &timeout_ms, &error);
    if (status == PAWL_OK)
        status = pawl_uri_number(&exchange->uri, "after", 0, UINT64_MAX, 0, &after, &error);
    pawl_timed_wait *wait = status == PAWL_OK ? calloc(1, sizeof *wait) : NULL;
    if (status == PAWL_OK && wait == NULL)
        status = pawl_error_set(&error, PAWL_E_NOMEM, "api.no_memory", "out of memory for a wait");
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    exchange->work = wait;
    exchange->work_free = work_free;
    wait->context = exchange;
    wait->done = wait_done;
    wait->is_event = true;
    wait->event_after = after;
    wait->event_type = pawl_uri_query(&exchange->uri, "type");
    if (pawl_exchange_becomes_wait(exchange, &error) != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    pawl_waits_begin(pawl_api_server_waits(exchange->server), pawl_exchange_id(exchange), timeout_ms * NS_PER_MS, wait);
    return false;
}

/* ---- queues ---- */

bool pawl_route_queue(pawl_exchange *exchange)
{
    pawl_error error = {0};
    uint64_t dead = 0;
    uint64_t after = 0;
    uint64_t limit = 0;
    pawl_text text = {0};
    pawl_status status = pawl_uri_number(&exchange->uri, "dead", 0, 1, 0, &dead, &error);
    if (status == PAWL_OK)
        status = pawl_uri_number(&exchange->uri, "after", 0, UINT64_MAX, 0, &after, &error);
    if (status == PAWL_OK)
        status = pawl_uri_number(&exchange->uri, "limit", 1, ITEMS_MAX, 100, &limit, &error);
    if (status == PAWL_OK)
        status = pawl_host_queue_list(exchange->host, pawl_exchange_id(exchange), (uint32_t)dead, after,
                                      (uint32_t)limit, &text, &error);
    return answer_text(exchange, status, &text, &error);
}

static pawl_status read_number(const json_t *body, const char *key, uint64_t most, uint64_t *ret, pawl_error *error)
{
    pawl_status status = pawl_value_number(body, key, 0, ret, error);
    if (status == PAWL_OK && *ret > most)
        return pawl_error_set(error, PAWL_E_INVALID, "api.value",
                              "\"%s\" is %" PRIu64 "; at most %" PRIu64 " is allowed", key, *ret, most);
    return status;
}

bool pawl_route_queue_claim(pawl_exchange *exchange)
{
    static const char *const keys[] = {"consumer", "limit", "lease_ms", "wait_ms", "claims_max", NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    pawl_text text = {0};
    uint64_t limit = 0;
    uint64_t lease_ms = 0;
    uint64_t wait_ms = 0;
    uint64_t claims_max = 0;
    pawl_queue_claim_options options = {.struct_size = sizeof options};
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "consumer", true, &options.consumer, &error);
    if (status == PAWL_OK)
        status = read_number(body, "limit", ITEMS_MAX, &limit, &error);
    if (status == PAWL_OK)
        status = read_number(body, "lease_ms", SPAN_MS_MAX, &lease_ms, &error);
    if (status == PAWL_OK)
        status = read_number(body, "wait_ms", CLAIM_WAIT_MS_MAX, &wait_ms, &error);
    if (status == PAWL_OK)
        status = read_number(body, "claims_max", UINT32_MAX, &claims_max, &error);
    if (status == PAWL_OK && wait_ms > 0)
        status = pawl_exchange_becomes_drain(exchange, &error);
    options.limit = (uint32_t)limit;
    options.lease_ns = lease_ms * NS_PER_MS;
    options.wait_ns = wait_ms * NS_PER_MS;
    options.claims_max = (uint32_t)claims_max;
    if (status == PAWL_OK)
        status = pawl_host_queue_claim(exchange->host, pawl_exchange_id(exchange), &options, &text, &error);
    json_decref(body);
    return answer_text(exchange, status, &text, &error);
}

/* *ret is malloc'ed. */
static pawl_status read_items(const json_t *body, uint64_t **ret, size_t *ret_count, pawl_error *error)
{
    const json_t *items = json_object_get(body, "items");
    *ret_count = json_array_size(items);
    *ret = calloc(*ret_count + 1, sizeof **ret);
    if (*ret == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "api.no_memory", "out of memory for a list of items");
    bool good = (items == NULL || json_is_array(items)) && *ret_count <= ITEMS_MAX;
    for (size_t i = 0; good && i < *ret_count; i++) {
        const json_t *item = json_array_get(items, i);
        good = json_is_integer(item) && json_integer_value(item) > 0;
        (*ret)[i] = (uint64_t)json_integer_value(item);
    }
    return good ? PAWL_OK
                : pawl_error_set(error, PAWL_E_INVALID, "api.items",
                                 "\"items\" is no array of at most 1000 numbers of items");
}

static pawl_status read_action(const json_t *body, uint32_t *ret, pawl_error *error)
{
    static const char *const words[] = {"ack", "release", "extend"};
    const char *word = NULL;
    pawl_status status = pawl_value_string(body, "action", true, &word, error);
    if (status != PAWL_OK)
        return status;
    for (uint32_t i = 0; i < 3; i++)
        if (strcmp(word, words[i]) == 0)
            *ret = PAWL_QUEUE_ACKNOWLEDGE + i;
    return *ret != 0 ? PAWL_OK
                     : pawl_error_set(error, PAWL_E_INVALID, "api.action",
                                      "\"action\" is \"%.64s\"; wanted ack, release or extend", word);
}

bool pawl_route_queue_settle(pawl_exchange *exchange)
{
    static const char *const keys[] = {"action", "token", "items", "delay_ms", NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    uint64_t *items = NULL;
    size_t count = 0;
    uint32_t action = 0;
    uint64_t token = 0;
    uint64_t delay_ms = 0;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = read_action(body, &action, &error);
    if (status == PAWL_OK)
        status = read_number(body, "token", UINT64_MAX, &token, &error);
    if (status == PAWL_OK)
        status = read_number(body, "delay_ms", SPAN_MS_MAX, &delay_ms, &error);
    if (status == PAWL_OK)
        status = read_items(body, &items, &count, &error);
    if (status == PAWL_OK)
        status = pawl_host_queue_settle(exchange->host, pawl_exchange_id(exchange), action, token, items, count,
                                        delay_ms * NS_PER_MS, &error);
    free(items);
    json_decref(body);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    return pawl_exchange_json(exchange, 200, json_pack("{s:I}", "settled", (json_int_t)count));
}

static bool tend(pawl_exchange *exchange, uint32_t action)
{
    static const char *const keys[] = {"items", NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    uint64_t *items = NULL;
    size_t count = 0;
    uint64_t done = 0;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = read_items(body, &items, &count, &error);
    if (status == PAWL_OK)
        status = pawl_host_queue_tend(exchange->host, pawl_exchange_id(exchange), action, items, count, &done, &error);
    free(items);
    json_decref(body);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    return pawl_exchange_json(exchange, 200, json_pack("{s:I}", "done", (json_int_t)done));
}

bool pawl_route_queue_redrive(pawl_exchange *exchange)
{
    return tend(exchange, PAWL_QUEUE_REDRIVE);
}

bool pawl_route_queue_drop(pawl_exchange *exchange)
{
    return tend(exchange, PAWL_QUEUE_DROP);
}
