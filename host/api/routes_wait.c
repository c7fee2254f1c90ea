/* routes_wait.c: waiting for the end of a process. The connection is held; no thread is. */
#include <stdlib.h>

#include "host/api/routes.h"
#include "host/api/values.h"
#include "host/api/waits.h"
#include "worker/base/error.h"

static void work_free(void *work)
{
    pawl_timed_wait_finish(work);
    free(work);
}

static bool answer(pawl_exchange *exchange)
{
    const pawl_timed_wait *wait = exchange->work;
    if (wait->status == PAWL_OK)
        return pawl_exchange_json(exchange, 200, pawl_value_outcome(&wait->outcome));
    if (wait->status == PAWL_E_DEADLINE)
        return pawl_exchange_empty(exchange, 204);
    return pawl_exchange_error(exchange, &wait->error);
}

static void wait_done(pawl_timed_wait *wait)
{
    pawl_exchange_continue(wait->context, answer);
}

bool pawl_route_wait(pawl_exchange *exchange)
{
    pawl_error error = {0};
    uint64_t timeout_ms = 0;
    pawl_status status = pawl_uri_number(&exchange->uri, "timeout_ms", 0, PAWL_API_WAIT_MS_MAX,
                                         PAWL_API_WAIT_MS_DEFAULT, &timeout_ms, &error);
    pawl_timed_wait *wait = status == PAWL_OK ? calloc(1, sizeof *wait) : NULL;
    if (status == PAWL_OK && wait == NULL)
        status = pawl_error_set(&error, PAWL_E_NOMEM, "api.no_memory", "out of memory for a wait");
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    exchange->work = wait;
    exchange->work_free = work_free;
    wait->context = exchange;
    wait->done = wait_done;
    if (pawl_exchange_becomes_wait(exchange, &error) != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    pawl_waits_begin(pawl_api_server_waits(exchange->server), pawl_exchange_id(exchange), timeout_ms * 1000000u, wait);
    return false;
}
