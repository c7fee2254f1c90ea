/* routes_schedule.c: schedules. Each step is one call of <pawl/pawl.h>; one that waits for a schedule's answer holds a
 * thread of the pool for at most half a minute. */
#include <stdlib.h>
#include <string.h>

#include "host/api/routes.h"
#include "host/api/values.h"
#include "worker/base/error.h"

#define PAGE_MAX 1000u

static bool answer_text(pawl_exchange *exchange, pawl_status status, pawl_text *text, const pawl_error *error)
{
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, error);
    bool answered = pawl_exchange_text(exchange, 200, "application/json", text->data, text->size);
    pawl_text_free(text);
    return answered;
}

static bool answer_done(pawl_exchange *exchange, pawl_status status, const pawl_error *error)
{
    return status == PAWL_OK ? pawl_exchange_json(exchange, 200, json_object()) : pawl_exchange_error(exchange, error);
}

bool pawl_route_schedules(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_text text = {0};
    uint64_t after = 0;
    uint64_t limit = 0;
    pawl_status status = pawl_uri_number(&exchange->uri, "after", 0, UINT64_MAX, 0, &after, &error);
    if (status == PAWL_OK)
        status = pawl_uri_number(&exchange->uri, "limit", 1, PAGE_MAX, 100, &limit, &error);
    if (status == PAWL_OK)
        status = pawl_host_schedule_list(exchange->host, (uint32_t)limit, after, &text, &error);
    return answer_text(exchange, status, &text, &error);
}

bool pawl_route_schedule(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_text text = {0};
    pawl_status status = pawl_host_schedule_show(exchange->host, pawl_exchange_id(exchange), &text, &error);
    return answer_text(exchange, status, &text, &error);
}

static pawl_status read_spec(json_t *body, char **ret, pawl_error *error)
{
    const json_t *spec = json_object_get(body, "spec");
    if (!json_is_object(spec))
        return pawl_error_set(error, PAWL_E_INVALID, "schedule.invalid", "\"spec\" is missing or no object");
    *ret = json_dumps(spec, JSON_COMPACT);
    return *ret == NULL ? pawl_error_set(error, PAWL_E_NOMEM, "api.no_memory", "out of memory") : PAWL_OK;
}

bool pawl_route_schedule_create(pawl_exchange *exchange)
{
    static const char *const keys[] = {"spec", "paused", "note", "replace", NULL};
    static const char *const words[] = {"created", "kept", "replaced"};
    pawl_error error = {0};
    json_t *body = NULL;
    char *spec = NULL;
    const char *note = NULL;
    bool paused = false;
    bool replace = false;
    uint32_t made = 0;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_flag(body, "paused", &paused, &error);
    if (status == PAWL_OK)
        status = pawl_value_flag(body, "replace", &replace, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "note", false, &note, &error);
    if (status == PAWL_OK)
        status = read_spec(body, &spec, &error);
    if (status == PAWL_OK)
        status = pawl_host_schedule_create(exchange->host, pawl_exchange_id(exchange), (pawl_bytes){spec, strlen(spec)},
                                           (paused ? PAWL_SCHEDULE_PAUSED : 0) | (replace ? PAWL_SCHEDULE_REPLACE : 0),
                                           note, &made, &error);
    free(spec);
    json_decref(body);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    return pawl_exchange_json(exchange, made == PAWL_SCHEDULE_CREATED ? 201 : 200,
                              json_pack("{s:s, s:s}", "schedule", pawl_exchange_id(exchange), "made",
                                        words[made <= PAWL_SCHEDULE_REPLACED ? made : 0]));
}

bool pawl_route_schedule_pause(pawl_exchange *exchange)
{
    static const char *const keys[] = {"note", NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    const char *note = NULL;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "note", false, &note, &error);
    if (status == PAWL_OK)
        status = pawl_host_schedule_pause(exchange->host, pawl_exchange_id(exchange), note, &error);
    json_decref(body);
    return answer_done(exchange, status, &error);
}

/* Those that want nothing said with them. */
static bool do_plainly(pawl_exchange *exchange, pawl_status (*act)(pawl_host *, const char *, pawl_error *))
{
    static const char *const keys[] = {NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = act(exchange->host, pawl_exchange_id(exchange), &error);
    json_decref(body);
    return answer_done(exchange, status, &error);
}

bool pawl_route_schedule_resume(pawl_exchange *exchange)
{
    return do_plainly(exchange, pawl_host_schedule_resume);
}

bool pawl_route_schedule_delete(pawl_exchange *exchange)
{
    return do_plainly(exchange, pawl_host_schedule_delete);
}

bool pawl_route_schedule_trigger(pawl_exchange *exchange)
{
    static const char *const keys[] = {"overlap", "id", NULL};
    pawl_error error = {0};
    pawl_text text = {0};
    json_t *body = NULL;
    const char *overlap = NULL;
    const char *id = NULL;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "overlap", false, &overlap, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "id", false, &id, &error);
    if (status == PAWL_OK)
        status = pawl_host_schedule_trigger(exchange->host, pawl_exchange_id(exchange), overlap, id, &text, &error);
    json_decref(body);
    return answer_text(exchange, status, &text, &error);
}

bool pawl_route_schedule_backfill(pawl_exchange *exchange)
{
    static const char *const keys[] = {"from", "to", "overlap", "id", NULL};
    pawl_error error = {0};
    pawl_text text = {0};
    json_t *body = NULL;
    const char *values[4] = {NULL};
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    for (size_t i = 0; status == PAWL_OK && i < 4; i++)
        status = pawl_value_string(body, keys[i], i < 2, &values[i], &error);
    if (status == PAWL_OK)
        status = pawl_host_schedule_backfill(exchange->host, pawl_exchange_id(exchange), values[0], values[1],
                                             values[2], values[3], &text, &error);
    json_decref(body);
    return answer_text(exchange, status, &text, &error);
}
