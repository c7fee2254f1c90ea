/* routes_host.c: the host as a whole: what it is, whether it answers, its numbers, and stopping its worker. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/api/metrics.h"
#include "host/api/routes.h"
#include "host/api/values.h"
#include "worker/base/error.h"

bool pawl_route_host(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_text text = {0};
    if (pawl_host_describe(exchange->host, &text, &error) != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    bool answered = pawl_exchange_text(exchange, 200, "application/json", text.data, text.size);
    pawl_text_free(&text);
    return answered;
}

bool pawl_route_plugins(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_text text = {0};
    uint64_t limit = 0;
    pawl_status status = pawl_uri_number(&exchange->uri, "limit", 1, UINT64_MAX, 100000, &limit, &error);
    if (status == PAWL_OK)
        status = pawl_host_versions(exchange->host, limit, &text, &error);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    bool answered = pawl_exchange_text(exchange, 200, "application/json", text.data, text.size);
    pawl_text_free(&text);
    return answered;
}

bool pawl_route_forget_plugin(pawl_exchange *exchange)
{
    pawl_error error = {0};
    const char *digest = exchange->uri.segments[2];
    if (pawl_host_forget_version(exchange->host, digest, &error) != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    return pawl_exchange_json(exchange, 200, json_pack("{s:s}", "digest", digest));
}

bool pawl_route_health(pawl_exchange *exchange)
{
    return pawl_exchange_json(
        exchange, 200,
        json_pack("{s:s, s:s, s:i}", "status", "ok", "version", pawl_library_version(), "pid", (int)getpid()));
}

static pawl_status read_mode(const char *name, uint32_t *mode, pawl_error *error)
{
    static const char *const names[] = {"graceful", "cancel", "abort"};
    static const uint32_t modes[] = {PAWL_STOP_GRACEFUL, PAWL_STOP_CANCEL, PAWL_STOP_ABORT};
    *mode = PAWL_STOP_GRACEFUL;
    for (size_t i = 0; i < 3 && name != NULL; i++)
        if (strcmp(name, names[i]) == 0) {
            *mode = modes[i];
            return PAWL_OK;
        }
    if (name == NULL)
        return PAWL_OK;
    return pawl_error_set(error, PAWL_E_INVALID, "api.mode", "\"mode\" is \"%.64s\"; wanted graceful, cancel or abort",
                          name);
}

bool pawl_route_drain(pawl_exchange *exchange)
{
    static const char *const keys[] = {"mode", "timeout_ms", NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    const char *name = NULL;
    uint32_t mode = 0;
    uint64_t timeout_ms = 0;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "mode", false, &name, &error);
    if (status == PAWL_OK)
        status = read_mode(name, &mode, &error);
    if (status == PAWL_OK)
        status = pawl_value_number(body, "timeout_ms", 0, &timeout_ms, &error);
    json_decref(body);
    if (status == PAWL_OK && timeout_ms > UINT64_MAX / 1000000u)
        status = pawl_error_set(&error, PAWL_E_INVALID, "api.timeout", "\"timeout_ms\" is too large");
    if (status == PAWL_OK)
        status = pawl_exchange_becomes_drain(exchange, &error);
    if (status == PAWL_OK)
        status = pawl_host_drain(exchange->host, mode, timeout_ms * 1000000u, &error);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    return pawl_exchange_json(exchange, 200, json_pack("{s:b}", "drained", 1));
}

/* It holds a thread of the pool for long, as a drain does, and counts as one. */
bool pawl_route_backup(pawl_exchange *exchange)
{
    static const char *const keys[] = {"directory", NULL};
    pawl_error error = {0};
    pawl_text text = {0};
    json_t *body = NULL;
    const char *directory = NULL;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "directory", true, &directory, &error);
    if (status == PAWL_OK)
        status = pawl_exchange_becomes_drain(exchange, &error);
    if (status == PAWL_OK)
        status = pawl_host_backup(exchange->host, directory, &text, &error);
    json_decref(body);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    bool answered = pawl_exchange_text(exchange, 200, "application/json", text.data, text.size);
    pawl_text_free(&text);
    return answered;
}

/* A bounded piece of work; who wants more asks again from where the answer says. */
bool pawl_route_prune(pawl_exchange *exchange)
{
    static const char *const keys[] = {"older_than_ms", "type",         "dry_run", "limit",
                                       "after_unix_ns", "after_number", NULL};
    pawl_prune_options options = {.struct_size = sizeof options};
    pawl_error error = {0};
    pawl_text text = {0};
    json_t *body = NULL;
    bool dry_run = false;
    uint64_t older_ms = 0;
    uint64_t limit = 0;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_number(body, "older_than_ms", UINT64_MAX, &older_ms, &error);
    if (status == PAWL_OK && older_ms >= now_ms)
        status = pawl_error_set(&error, PAWL_E_INVALID, "api.older_than",
                                "\"older_than_ms\" is missing or longer ago than 1970");
    if (status == PAWL_OK)
        status = pawl_value_string(body, "type", false, &options.type, &error);
    if (status == PAWL_OK)
        status = pawl_value_flag(body, "dry_run", &dry_run, &error);
    if (status == PAWL_OK)
        status = pawl_value_number(body, "limit", 1000, &limit, &error);
    if (status == PAWL_OK)
        status = pawl_value_number(body, "after_unix_ns", 0, &options.after_unix_ns, &error);
    if (status == PAWL_OK)
        status = pawl_value_number(body, "after_number", 0, &options.after_number, &error);
    options.before_unix_ns = (now_ms - older_ms) * 1000000u;
    options.dry_run = dry_run;
    options.limit = limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit;
    if (status == PAWL_OK)
        status = pawl_host_prune(exchange->host, &options, &text, &error);
    json_decref(body);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    bool answered = pawl_exchange_text(exchange, 200, "application/json", text.data, text.size);
    pawl_text_free(&text);
    return answered;
}

bool pawl_route_metrics(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_text text = {0};
    if (pawl_host_describe(exchange->host, &text, &error) != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    json_t *description = json_loadb(text.data, text.size, 0, NULL);
    pawl_text_free(&text);
    pawl_api_numbers numbers;
    pawl_api_server_numbers(exchange->server, &numbers);
    size_t size = 0;
    char *metrics = pawl_metrics_text(description, &numbers, &size);
    json_decref(description);
    if (metrics == NULL)
        return pawl_exchange_json(exchange, 200, NULL);
    bool answered = pawl_exchange_text(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", metrics, size);
    free(metrics);
    return answered;
}
