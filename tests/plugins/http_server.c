/* http_server.c: see http_server.h. */
#include "tests/plugins/http_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <jansson.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define KEYS_MAX 1024

struct http_server {
    struct MHD_Daemon *daemon;
    uint16_t port;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    int requests, connections;
    bool stopping;
    char keys[KEYS_MAX][256];
};

typedef struct received {
    char *data;
    size_t size;
} received;

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    json_object_set_new(context, name, json_string(value));
    return MHD_YES;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type, const void *data,
                              size_t size, const char *name, const char *value)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)data, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "X-Two", "a");
    MHD_add_response_header(response, "X-Two", "b");
    if (name != NULL && value != NULL)
        MHD_add_response_header(response, name, value);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result echo(struct MHD_Connection *connection, const char *method, const char *target,
                            const received *body)
{
    json_t *headers = json_object();
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, headers);
    json_t *object = json_pack("{s:s, s:s, s:o, s:s%}", "method", method, "target", target, "headers", headers, "body",
                               body->data == NULL ? "" : body->data, body->size);
    char *text = json_dumps(object, 0);
    enum MHD_Result result = answer(connection, 200, "application/json", text, strlen(text), NULL, NULL);
    free(text);
    json_decref(object);
    return result;
}

static ssize_t cut(void *context, uint64_t at, char *buffer, size_t size)
{
    (void)context;
    if (at >= 1000)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size = size < 1000 ? size : 1000;
    memset(buffer, 'c', size);
    return (ssize_t)size;
}

static enum MHD_Result answer_cut(struct MHD_Connection *connection)
{
    struct MHD_Response *response = MHD_create_response_from_callback(100000, 1000, cut, NULL, NULL);
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_bytes(struct MHD_Connection *connection, size_t size)
{
    char *data = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)('a' + i % 26);
    enum MHD_Result result = answer(connection, 200, "text/plain", data, size, NULL, NULL);
    free(data);
    return result;
}

static enum MHD_Result wait_for_the_end(http_server *server)
{
    pthread_mutex_lock(&server->lock);
    while (!server->stopping)
        pthread_cond_wait(&server->changed, &server->lock);
    pthread_mutex_unlock(&server->lock);
    return MHD_NO;
}

static enum MHD_Result answer_redirect(struct MHD_Connection *connection, const char *rest)
{
    char *target;
    unsigned status = (unsigned)strtoul(rest, &target, 10);
    if (strncmp(target, "/http", 5) == 0)
        target++;
    return answer(connection, status, "text/plain", "", 0, "Location", target);
}

static enum MHD_Result route(http_server *server, struct MHD_Connection *connection, const char *method,
                             const char *path, const char *target, const received *body)
{
    const char *type = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "type");
    const char *after = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "after");
    if (strncmp(path, "/status/", 8) == 0) {
        const char *text = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
        text = text == NULL ? "said the server" : text;
        return answer(connection, (unsigned)strtoul(path + 8, NULL, 10), "text/plain", text, strlen(text),
                      "Retry-After", after);
    }
    if (strncmp(path, "/redirect/", 10) == 0)
        return answer_redirect(connection, path + 10);
    if (strncmp(path, "/bytes/", 7) == 0)
        return answer_bytes(connection, strtoul(path + 7, NULL, 10));
    if (strcmp(path, "/content") == 0)
        return answer(connection, 200, type == NULL ? "text/plain" : type, body->data, body->size, NULL, NULL);
    if (strcmp(path, "/slow") == 0)
        return wait_for_the_end(server);
    if (strcmp(path, "/drop") == 0)
        return MHD_NO;
    if (strcmp(path, "/cut") == 0)
        return answer_cut(connection);
    return echo(connection, method, target, body);
}

static void note(http_server *server, struct MHD_Connection *connection)
{
    const char *key = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Idempotency-Key");
    pthread_mutex_lock(&server->lock);
    if (server->requests < KEYS_MAX)
        snprintf(server->keys[server->requests], sizeof server->keys[0], "%s", key == NULL ? "" : key);
    server->requests++;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

typedef struct request {
    received body;
    char *target;
} request;

static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    (void)context;
    (void)connection;
    request *r = calloc(1, sizeof *r);
    r->target = strdup(uri);
    return r;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *size, void **state)
{
    http_server *server = context;
    request *r = *state;
    (void)version;
    if (*size > 0) {
        r->body.data = realloc(r->body.data, r->body.size + *size + 1);
        memcpy(r->body.data + r->body.size, data, *size);
        r->body.size += *size;
        r->body.data[r->body.size] = '\0';
        *size = 0;
        return MHD_YES;
    }
    if (r->body.data == NULL) { /* the first call comes before any content */
        r->body.data = calloc(1, 1);
        return MHD_YES;
    }
    note(server, connection);
    return route(server, connection, method, path, r->target, &r->body);
}

static void on_end(void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    request *r = *state;
    if (r != NULL) {
        free(r->body.data);
        free(r->target);
        free(r);
    }
    *state = NULL;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode code)
{
    http_server *server = context;
    (void)connection;
    (void)state;
    pthread_mutex_lock(&server->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        server->connections++;
    pthread_mutex_unlock(&server->lock);
}

static void no_log(void *context, const char *format, va_list args)
{
    (void)context;
    (void)format;
    (void)args;
}

static int listen_tcp(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        abort();
    *port = ntohs(address.sin_port);
    return fd;
}

static int listen_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        abort();
    return fd;
}

http_server *http_server_open(const char *unix_path, const char *tls_key, const char *tls_certificate)
{
    http_server *server = calloc(1, sizeof *server);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    int fd = unix_path == NULL ? listen_tcp(&server->port) : listen_unix(unix_path);
    if (listen(fd, 64) != 0)
        abort();
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
                     (tls_key != NULL ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)tls_key},
                                   {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)tls_certificate},
                                   {MHD_OPTION_END, 0, NULL}};
    server->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
                         MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
                         MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
                         MHD_OPTION_ARRAY, tls_key == NULL ? tls + 2 : tls, MHD_OPTION_END);
    if (server->daemon == NULL)
        abort();
    return server;
}

void http_server_close(http_server *server)
{
    if (server == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    MHD_stop_daemon(server->daemon);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

uint16_t http_server_port(const http_server *server)
{
    return server->port;
}

int http_server_requests(http_server *server)
{
    pthread_mutex_lock(&server->lock);
    int count = server->requests;
    pthread_mutex_unlock(&server->lock);
    return count;
}

int http_server_connections(http_server *server)
{
    pthread_mutex_lock(&server->lock);
    int count = server->connections;
    pthread_mutex_unlock(&server->lock);
    return count;
}

const char *http_server_key(http_server *server, int n)
{
    assert(n >= 0 && n < http_server_requests(server) && n < KEYS_MAX);
    return server->keys[n];
}

void http_server_wait_for(http_server *server, int requests)
{
    pthread_mutex_lock(&server->lock);
    while (server->requests < requests)
        pthread_cond_wait(&server->changed, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

uint16_t http_free_port(void)
{
    uint16_t port;
    close(listen_tcp(&port)); /* bound once, never listened on */
    return port;
}
