/* server.c: connections, admission, limits and the life of an exchange. libmicrohttpd's one thread only moves bytes; it
 * never parses a body, never calls the host, and never waits. What an answer says is decided in routes_*.c. */
#include "host/api/server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/api/ends.h"
#include "host/api/exchange.h"
#include "host/api/pool.h"
#include "host/api/routes.h"
#include "host/api/socket.h"
#include "host/api/waits.h"
#include "worker/base/error.h"

#define HEADER_BYTES       ((size_t)32 * 1024)          /* of one request, all headers together */
#define BODY_BYTES_SPARE   ((uint64_t)1024 * 1024)      /* a body beside twice the largest input */
#define BODIES_BYTES_LEAST ((uint64_t)64 * 1024 * 1024) /* of all bodies being held */
#define IDLE_SECONDS       60u
#define CONNECTIONS_SPARE  64u
#define STREAM_BYTES       ((size_t)16 * 1024) /* written at once */
#define DRAINS_MAX         4u
#define READ_PAST_MAX      ((uint64_t)256 * 1024 * 1024) /* of a body that was refused while it came in */
#define CLOSE_WAIT_SECONDS 2

struct pawl_api_server {
    pawl_host *host;
    pawl_log_line log;
    void *log_context;
    pawl_api_socket socket;
    struct MHD_Daemon *daemon;
    pawl_pool *pool;
    pawl_waits *waits;
    pawl_ends *ends;
    uint32_t requests_max;
    uint64_t body_bytes_max;
    uint64_t bodies_bytes_max;
    pthread_mutex_t hand_lock; /* guards `handed` of exchanges; the library's own locks may be taken under it */
    pthread_mutex_t lock;      /* guards the members below */
    pthread_cond_t changed;
    bool closing;
    size_t open;    /* exchanges that exist */
    size_t working; /* of these, handed to the pool and not answered yet */
    uint64_t bodies_bytes;
    pawl_api_numbers numbers;
};

/* ---- admission -------------------------------------------------------------------------------------------------- */

/* Under the lock. */
static pawl_status refuse(pawl_api_server *server, pawl_error *error, const char *what, uint64_t limit)
{
    server->numbers.refused++;
    return pawl_error_set(error, PAWL_E_CLOSED, "api.busy", "the server is at its limit of %llu %s; try again shortly",
                          (unsigned long long)limit, what);
}

static pawl_status admit(pawl_exchange *exchange, pawl_error *error)
{
    pawl_api_server *server = exchange->server;
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&server->lock);
    if (server->closing)
        status = pawl_error_set(error, PAWL_E_CLOSED, "api.closing", "the server is stopping");
    else if (server->numbers.running >= server->requests_max)
        status = refuse(server, error, "requests at once (limits.requests)", server->requests_max);
    if (status == PAWL_OK) {
        server->numbers.running++;
        exchange->counted = true;
    }
    pthread_mutex_unlock(&server->lock);
    return status;
}

pawl_status pawl_exchange_becomes_wait(pawl_exchange *exchange, pawl_error *error)
{
    pawl_api_server *server = exchange->server;
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&server->lock);
    if (server->numbers.waiting >= PAWL_API_WAITS_MAX) {
        status = refuse(server, error, "waits at once", PAWL_API_WAITS_MAX);
    } else {
        server->numbers.waiting++;
        server->numbers.running--;
        exchange->counted = false;
        exchange->counted_waiting = true;
    }
    pthread_mutex_unlock(&server->lock);
    return status;
}

pawl_status pawl_exchange_becomes_drain(pawl_exchange *exchange, pawl_error *error)
{
    pawl_api_server *server = exchange->server;
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&server->lock);
    if (server->numbers.draining >= DRAINS_MAX) {
        status = refuse(server, error, "drains at once", DRAINS_MAX);
    } else {
        server->numbers.draining++;
        exchange->counted_drain = true;
    }
    pthread_mutex_unlock(&server->lock);
    return status;
}

/* Room for size more bytes of a body, or why there is none. */
static pawl_status reserve_body(pawl_exchange *exchange, size_t size, pawl_error *error)
{
    pawl_api_server *server = exchange->server;
    uint64_t wanted = (uint64_t)exchange->body_size + size;
    if (wanted > server->body_bytes_max)
        return pawl_error_set(error, PAWL_E_LIMIT, "api.body_too_large",
                              "the body is larger than %llu bytes (twice limits.input and 1 MiB)",
                              (unsigned long long)server->body_bytes_max);
    if (wanted <= exchange->body_capacity)
        return PAWL_OK;
    size_t capacity = exchange->body_capacity * 2 > wanted ? exchange->body_capacity * 2 : (size_t)wanted;
    pthread_mutex_lock(&server->lock);
    pawl_status status = PAWL_OK;
    if (server->bodies_bytes + (capacity - exchange->body_capacity) > server->bodies_bytes_max)
        status = refuse(server, error, "bytes of request bodies", server->bodies_bytes_max);
    else
        server->bodies_bytes += capacity - exchange->body_capacity;
    pthread_mutex_unlock(&server->lock);
    if (status != PAWL_OK)
        return status;
    char *larger = realloc(exchange->body, capacity);
    if (larger != NULL)
        exchange->body = larger;
    exchange->body_capacity = capacity; /* what was reserved, which is what is given back */
    return larger != NULL ? PAWL_OK : pawl_error_set(error, PAWL_E_NOMEM, "api.no_memory", "out of memory for a body");
}

void pawl_api_server_numbers(pawl_api_server *server, pawl_api_numbers *ret)
{
    pthread_mutex_lock(&server->lock);
    *ret = server->numbers;
    pthread_mutex_unlock(&server->lock);
}

struct pawl_waits *pawl_api_server_waits(pawl_api_server *server)
{
    return server->waits;
}

struct pawl_ends *pawl_api_server_ends(pawl_api_server *server)
{
    return server->ends;
}

/* ---- the life of an exchange --------------------------------------------------------------------------------------
 */

static void *exchange_create(void *context, const char *raw_uri, struct MHD_Connection *connection)
{
    pawl_api_server *server = context;
    pawl_exchange *exchange = calloc(1, sizeof *exchange);
    char *copy = strdup(raw_uri);
    if (exchange == NULL || copy == NULL) {
        free(exchange);
        free(copy);
        return NULL;
    }
    exchange->server = server;
    exchange->host = server->host;
    exchange->connection = connection;
    exchange->raw_uri = copy;
    exchange->stream_size = MHD_SIZE_UNKNOWN;
    pthread_mutex_lock(&server->lock);
    server->open++;
    server->numbers.requests++;
    pthread_mutex_unlock(&server->lock);
    return exchange;
}

/* A step, for where freeing takes its time. Nobody else knows the exchange any more. */
static bool exchange_free(pawl_exchange *exchange)
{
    if (exchange->work_free != NULL)
        exchange->work_free(exchange->work);
    pawl_uri_finish(&exchange->uri);
    free(exchange->raw_uri);
    free(exchange->body);
    free(exchange->reply);
    free(exchange);
    return false;
}

static void exchange_ended(void *context, struct MHD_Connection *connection, void **slot,
                           enum MHD_RequestTerminationCode why)
{
    (void)connection;
    (void)why;
    pawl_api_server *server = context;
    pawl_exchange *exchange = *slot;
    if (exchange == NULL)
        return;
    *slot = NULL;
    pthread_mutex_lock(&server->lock);
    server->open--;
    server->numbers.running -= exchange->counted;
    server->numbers.waiting -= exchange->counted_waiting;
    server->numbers.draining -= exchange->counted_drain;
    server->bodies_bytes -= exchange->body_capacity;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    exchange->next = exchange_free;
    if (exchange->free_blocks) /* this thread never waits */
        pawl_pool_push(server->pool, exchange);
    else
        (void)exchange_free(exchange);
}

void pawl_exchange_continue(pawl_exchange *exchange, pawl_exchange_step step)
{
    exchange->next = step;
    pawl_pool_push(exchange->server->pool, exchange);
}

/* From the HTTP thread to the pool; it comes back with give_back. Without a server that is stopping: nobody would wait
 * for it. */
static bool hand_over(pawl_exchange *exchange, pawl_exchange_step step)
{
    pawl_api_server *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    bool may = !server->closing;
    server->working += may;
    pthread_mutex_unlock(&server->lock);
    if (!may)
        return false;
    pthread_mutex_lock(&server->hand_lock);
    exchange->handed = true;
    pthread_mutex_unlock(&server->hand_lock);
    MHD_suspend_connection(exchange->connection);
    pawl_exchange_continue(exchange, step);
    return true;
}

/* Back to the HTTP thread, which may end it at once. Taken back and resumed are one thing to that thread: in a body
 * that comes in chunks it may ask for the next one although the connection is suspended. */
static void give_back(pawl_exchange *exchange, pawl_exchange_stage stage)
{
    pawl_api_server *server = exchange->server;
    pthread_mutex_lock(&server->hand_lock);
    exchange->stage = stage;
    exchange->handed = false;
    MHD_resume_connection(exchange->connection);
    pthread_mutex_unlock(&server->hand_lock);
    pthread_mutex_lock(&server->lock);
    server->working--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

static bool is_handed(pawl_exchange *exchange)
{
    pthread_mutex_lock(&exchange->server->hand_lock);
    bool handed = exchange->handed;
    pthread_mutex_unlock(&exchange->server->hand_lock);
    return handed;
}

/* The pool is done with it. An absorbing step that has set a reply is not: the rest of the body is read past first. */
static void exchange_answered(pawl_exchange *exchange)
{
    bool receives = exchange->stage == PAWL_EXCHANGE_RECEIVING;
    give_back(exchange, receives ? PAWL_EXCHANGE_RECEIVING : PAWL_EXCHANGE_ANSWERED);
}

bool pawl_exchange_more(pawl_exchange *exchange)
{
    exchange->body_size = 0;
    give_back(exchange, PAWL_EXCHANGE_RECEIVING);
    return false;
}

bool pawl_exchange_refill(pawl_exchange *exchange, pawl_exchange_step step)
{
    return hand_over(exchange, step);
}

static enum MHD_Result send_reply(pawl_exchange *exchange)
{
    pawl_api_server *server = exchange->server;
    struct MHD_Response *response =
        exchange->stream != NULL
            ? MHD_create_response_from_callback(exchange->stream_size, STREAM_BYTES, exchange->stream, exchange->work,
                                                NULL)
            : MHD_create_response_from_buffer(exchange->reply_size, exchange->reply, MHD_RESPMEM_PERSISTENT);
    if (response == NULL)
        return MHD_NO;
    unsigned status = exchange->reply_status;
    if (exchange->reply_type != NULL)
        MHD_add_response_header(response, "Content-Type", exchange->reply_type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (exchange->allow != NULL)
        MHD_add_response_header(response, "Allow", exchange->allow);
    for (size_t i = 0; i < exchange->header_count; i++)
        MHD_add_response_header(response, exchange->headers[i].name, exchange->headers[i].value);
    if (status == 503 || status == 429)
        MHD_add_response_header(response, "Retry-After", "1");
    enum MHD_Result queued = MHD_queue_response(exchange->connection, status, response);
    MHD_destroy_response(response);
    pthread_mutex_lock(&server->lock);
    if (status / 100 < sizeof server->numbers.replies / sizeof *server->numbers.replies)
        server->numbers.replies[status / 100]++;
    pthread_mutex_unlock(&server->lock);
    return queued;
}

/* The head of the request is there. A refusal is kept as the reply and sent when the body has been read past, so that
 * the client can see it. */
static void begin(pawl_exchange *exchange, const char *method)
{
    pawl_error error = {0};
    exchange->stage = PAWL_EXCHANGE_RECEIVING;
    pawl_status status = pawl_uri_parse(exchange->raw_uri, &exchange->uri, &error);
    if (status == PAWL_OK)
        status = pawl_route_find(method, &exchange->uri, &exchange->route, &exchange->allow, &error);
    if (status == PAWL_OK)
        status = admit(exchange, &error);
    if (status != PAWL_OK)
        pawl_exchange_error(exchange, &error);
    if (exchange->allow != NULL)
        exchange->reply_status = 405;
}

static void receive(pawl_exchange *exchange, const char *data, size_t size)
{
    pawl_error error = {0};
    if (exchange->reply_status != 0) {
        exchange->read_past += size;
        return;
    }
    if (reserve_body(exchange, size, &error) != PAWL_OK) {
        pawl_exchange_error(exchange, &error);
        return;
    }
    memcpy(exchange->body + exchange->body_size, data, size);
    exchange->body_size += size;
}

static void refuse_closing(pawl_exchange *exchange)
{
    pawl_error error = {0};
    (void)pawl_error_set(&error, PAWL_E_CLOSED, "api.closing", "the server is stopping");
    pawl_exchange_error(exchange, &error);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload_data, size_t *upload_size, void **slot)
{
    (void)url; /* decoded already; the raw target is in the exchange */
    (void)version;
    (void)context;
    (void)connection;
    pawl_exchange *exchange = *slot;
    if (exchange == NULL)
        return MHD_NO; /* out of memory: the connection ends */
    if (is_handed(exchange))
        return MHD_YES; /* nothing is taken: it is asked again when the connection is resumed */
    if (exchange->stage == PAWL_EXCHANGE_NEW) {
        begin(exchange, method);
        return MHD_YES;
    }
    if (exchange->stage == PAWL_EXCHANGE_RECEIVING && *upload_size > 0) {
        receive(exchange, upload_data, *upload_size);
        *upload_size = 0;
        if (exchange->read_past > READ_PAST_MAX)
            return MHD_NO; /* it may never end */
        if (exchange->reply_status == 0 && exchange->route->absorb != NULL &&
            exchange->body_size >= PAWL_EXCHANGE_PIECE && !hand_over(exchange, exchange->route->absorb))
            refuse_closing(exchange);
        return MHD_YES;
    }
    if (exchange->reply_status != 0)
        return send_reply(exchange);
    exchange->stage = PAWL_EXCHANGE_WORKING;
    if (hand_over(exchange, exchange->route->step))
        return MHD_YES;
    refuse_closing(exchange);
    return send_reply(exchange);
}

/* ---- opening and closing --------------------------------------------------------------------------------------- */

static void on_library_log(void *context, const char *format, va_list arguments)
{
    pawl_api_server *server = context;
    if (server->log == NULL)
        return;
    char line[512];
    int used = snprintf(line, sizeof line, "api: ");
    vsnprintf(line + used, sizeof line - (size_t)used, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    server->log(server->log_context, PAWL_LOG_DEBUG, line);
}

static pawl_status start_daemon(pawl_api_server *server, pawl_error *error)
{
    unsigned connections = server->requests_max + PAWL_API_WAITS_MAX + CONNECTIONS_SPARE;
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, server,
        MHD_OPTION_EXTERNAL_LOGGER, on_library_log, server, MHD_OPTION_LISTEN_SOCKET, server->socket.descriptor,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_create, server, MHD_OPTION_NOTIFY_COMPLETED, exchange_ended, server,
        MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADER_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (server->daemon != NULL)
        return PAWL_OK;
    server->socket.descriptor = -1; /* the library closes it when it fails */
    return pawl_error_set(error, PAWL_E_FAILED, "api.start", "the API server at %s cannot start", server->socket.path);
}

static void read_limits(pawl_api_server *server)
{
    uint32_t requests = 0;
    uint64_t input_bytes = 0;
    pawl_host_request_limits(server->host, &requests, &input_bytes);
    server->requests_max = requests == 0 ? 1 : requests;
    server->body_bytes_max = input_bytes * 2 + BODY_BYTES_SPARE; /* base64, or escapes in JSON */
    server->bodies_bytes_max =
        server->body_bytes_max * 2 > BODIES_BYTES_LEAST ? server->body_bytes_max * 2 : BODIES_BYTES_LEAST;
}

pawl_status pawl_api_server_open(const pawl_api_server_options *options, pawl_api_server **ret, pawl_error *error)
{
    pawl_api_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "api.no_memory", "out of memory for the API server");
    server->host = options->host;
    server->log = options->log;
    server->log_context = options->log_context;
    server->socket.descriptor = -1;
    pthread_mutex_init(&server->hand_lock, NULL);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    read_limits(server);
    const char *path = options->socket_path != NULL ? options->socket_path : pawl_host_socket(options->host);
    pawl_status status = pawl_waits_open(server->host, &server->waits, error);
    if (status == PAWL_OK)
        status = pawl_ends_open(server->host, &server->ends, error);
    if (status == PAWL_OK)
        status = pawl_pool_open(exchange_answered, &server->pool, error);
    if (status == PAWL_OK)
        status = pawl_api_socket_open(path, &server->socket, error);
    if (status == PAWL_OK)
        status = start_daemon(server, error);
    if (status != PAWL_OK) {
        pawl_api_server_close(server);
        return status;
    }
    *ret = server;
    return PAWL_OK;
}

const char *pawl_api_server_socket(const pawl_api_server *server)
{
    return server->socket.path;
}

/* Until every request that is being worked on has its answer, and, for a moment, until it has been sent. */
static void finish_exchanges(pawl_api_server *server)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CLOSE_WAIT_SECONDS;
    pthread_mutex_lock(&server->lock);
    server->closing = true;
    while (server->working > 0)
        pthread_cond_wait(&server->changed, &server->lock);
    while (server->open > 0 && pthread_cond_timedwait(&server->changed, &server->lock, &until) == 0)
        continue;
    pthread_mutex_unlock(&server->lock);
}

static void stop_daemon(pawl_api_server *server)
{
    if (server->daemon == NULL)
        return;
    MHD_quiesce_daemon(server->daemon);
    pawl_waits_end_all(server->waits);
    pawl_ends_end_all(server->ends);
    finish_exchanges(server);
    MHD_stop_daemon(server->daemon);
}

pawl_api_server *pawl_api_server_close(pawl_api_server *server)
{
    if (server == NULL)
        return NULL;
    pawl_api_socket_remove(&server->socket);
    stop_daemon(server);
    if (server->socket.descriptor >= 0)
        close(server->socket.descriptor);
    pawl_pool_close(server->pool);
    pawl_ends_close(server->ends);
    pawl_waits_close(server->waits);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    pthread_mutex_destroy(&server->hand_lock);
    free(server);
    return NULL;
}
