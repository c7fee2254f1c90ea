/* receiver.c: see receiver.h. */
#include "receiver.h"

#include "api.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct receiver {
    struct MHD_Daemon *daemon;
    char socket[108];
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t more;
    delivery *deliveries;
    size_t count, room;
    size_t signalled; /* deliveries before this one have been signalled, or need no signal */
    int stopping;
    pthread_t signaller;
};

/* The body of one request, as it comes in. */
struct upload {
    char *text;
    size_t size;
};

static uint64_t now_unix_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int seen_before(const receiver *r, const char *key)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->deliveries[i].key, key) == 0)
            return 1;
    return 0;
}

static int remember(receiver *r, const char *key, const char *process)
{
    int ok = 1;
    pthread_mutex_lock(&r->lock);
    if (r->count == r->room) {
        size_t room = r->room == 0 ? 256 : r->room * 2;
        delivery *grown = realloc(r->deliveries, room * sizeof *grown);
        ok = grown != NULL;
        if (ok) {
            r->deliveries = grown;
            r->room = room;
        }
    }
    if (ok) {
        delivery *d = &r->deliveries[r->count];
        memset(d, 0, sizeof *d);
        snprintf(d->key, sizeof d->key, "%s", key);
        snprintf(d->process, sizeof d->process, "%s", process);
        d->unix_ns = now_unix_ns();
        d->repeated = seen_before(r, key);
        r->count++;
        pthread_cond_signal(&r->more);
    }
    pthread_mutex_unlock(&r->lock);
    return ok;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *json)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(json), (void *)(uintptr_t)json, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result take_item(receiver *r, struct MHD_Connection *connection, const struct upload *upload)
{
    const char *key = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Idempotency-Key");
    json_t *item = json_loadb(upload->text == NULL ? "" : upload->text, upload->size, 0, NULL);
    const char *process = json_string_value(json_object_get(item, "process"));
    enum MHD_Result result;
    if (key == NULL || process == NULL)
        result = answer(connection, 400, "{\"error\":\"wanted an Idempotency-Key and a process\"}");
    else if (!remember(r, key, process))
        result = answer(connection, 503, "{\"error\":\"no memory\"}");
    else
        result = answer(connection, 202, "{\"received\":true}");
    json_decref(item);
    return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **request)
{
    (void)version;
    struct upload *upload = *request;
    if (upload == NULL) {
        *request = calloc(1, sizeof *upload);
        return *request == NULL ? MHD_NO : MHD_YES;
    }
    if (*size > 0) {
        char *grown = realloc(upload->text, upload->size + *size);
        if (grown == NULL)
            return MHD_NO;
        memcpy(grown + upload->size, data, *size);
        upload->text = grown;
        upload->size += *size;
        *size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "POST") != 0 || strcmp(url, "/items") != 0)
        return answer(connection, 404, "{\"error\":\"POST /items is all there is\"}");
    return take_item(context, connection, upload);
}

static void forget(void *context, struct MHD_Connection *connection, void **request,
                   enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    struct upload *upload = *request;
    if (upload != NULL) {
        free(upload->text);
        free(upload);
    }
}

/* Tell Pawl that an item was accepted. The signal's id is the key, so telling it twice is telling it once. False:
 * nobody listens just now. */
static int signal_accepted(const receiver *r, const delivery *d)
{
    json_t *body = json_pack("{sssss{sb}}", "name", "accepted", "id", d->key, "payload", "accepted", 1);
    char path[1024];
    api_path(path, sizeof path, d->process, "/signals");
    long status = api_call(r->socket, "POST", path, body, NULL);
    json_decref(body);
    return status == 200 || status == 201 || status == 202 || status == 204 || status == 404 || status == 409 ||
           status == 410;
}

static void *signal_thread(void *argument)
{
    receiver *r = argument;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (!r->stopping && r->signalled == r->count)
            pthread_cond_wait(&r->more, &r->lock);
        if (r->stopping)
            break;
        delivery next = r->deliveries[r->signalled];
        pthread_mutex_unlock(&r->lock);
        int told = next.repeated || signal_accepted(r, &next);
        if (!told)
            usleep(20000); /* the worker is down: that is what the demo is about */
        pthread_mutex_lock(&r->lock);
        r->signalled += told ? 1 : 0;
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

receiver *receiver_start(const char *socket)
{
    receiver *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    snprintf(r->socket, sizeof r->socket, "%s", socket);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->more, NULL);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    r->daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, handle, r, MHD_OPTION_SOCK_ADDR,
                         (struct sockaddr *)&address, MHD_OPTION_NOTIFY_COMPLETED, forget, NULL, MHD_OPTION_END);
    if (r->daemon == NULL || pthread_create(&r->signaller, NULL, signal_thread, r) != 0) {
        fprintf(stderr, "demo: the receiving service cannot start\n");
        if (r->daemon != NULL)
            MHD_stop_daemon(r->daemon);
        free(r);
        return NULL;
    }
    return r;
}

unsigned receiver_port(const receiver *r)
{
    return MHD_get_daemon_info(r->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void receiver_stop(receiver *r)
{
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    r->stopping = 1;
    pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->signaller, NULL);
    MHD_stop_daemon(r->daemon);
    free(r->deliveries);
    free(r);
}

const delivery *receiver_deliveries(const receiver *r, size_t *ret_count)
{
    *ret_count = r->count;
    return r->deliveries;
}
