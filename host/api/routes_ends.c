/* routes_ends.c: the stream of ends: one line for each process that ends, for as long as the client listens. The
 * connection is held; no thread is. */
#include "host/api/ends.h"
#include "host/api/routes.h"

bool pawl_route_ends(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_listener_options options = {.connection = exchange->connection,
                                     .type = pawl_uri_query(&exchange->uri, "type"),
                                     .session = pawl_uri_query(&exchange->uri, "session"),
                                     .prefix = pawl_uri_query(&exchange->uri, "prefix"),
                                     .after = pawl_uri_query(&exchange->uri, "after")};
    pawl_listener *listener = NULL;
    pawl_status status =
        pawl_uri_number(&exchange->uri, "heartbeat_ms", PAWL_API_HEARTBEAT_MS_LEAST, PAWL_API_HEARTBEAT_MS_MOST,
                        PAWL_API_HEARTBEAT_MS, &options.heartbeat_ms, &error);
    if (status == PAWL_OK)
        status = pawl_exchange_becomes_wait(exchange, &error);
    if (status == PAWL_OK)
        status = pawl_ends_listen(pawl_api_server_ends(exchange->server), &options, &listener, &error);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    exchange->work = listener;
    exchange->work_free = pawl_listener_close;
    exchange->stream = pawl_listener_read;
    exchange->reply_status = 200;
    exchange->reply_type = "application/x-ndjson";
    return true;
}
