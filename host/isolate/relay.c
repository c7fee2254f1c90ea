/* relay.c: answers what an isolated plugin asks of pawl.attachments/1, on a thread of its own, since it may block. A
 * call stays while one of its questions is answered, even when its guest is gone. A plugin names uploads by numbers:
 * what it invents is refused. */
#include "isolate_internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct question {
    struct question *next;
    uint64_t id; /* of the guest */
    guest *guest;
    uint64_t began_mono_ns; /* of that guest: another process has another */
    isolated_call *call;    /* NULL: an upload that is to be given up */
    pawl_upload *upload;
    wire_ask ask;
    uint8_t bytes[];
} question;

typedef struct upload {
    struct upload *next;
    uint64_t number, call;
    pawl_upload *host;
} upload;

struct isolate_relay {
    pthread_t thread;
    pthread_cond_t work;
    question *first, *last;
    upload *uploads;
    uint64_t last_upload;
    bool stopping;
    const pawl_attachments *table; /* NULL: the host has none */
};

/* ---- uploads; locked ---- */

static upload *find_upload(struct isolate_relay *relay, uint64_t number, uint64_t call)
{
    upload *at = relay->uploads;
    while (at != NULL && (at->number != number || at->call != call))
        at = at->next;
    return at;
}

/* Its host's upload; it is forgotten here. */
static pawl_upload *release(struct isolate_relay *relay, upload *which)
{
    upload **link = &relay->uploads;
    while (*link != which)
        link = &(*link)->next;
    *link = which->next;
    pawl_upload *host = which->host;
    free(which);
    return host;
}

static void append(struct isolate_relay *relay, question *q)
{
    if (relay->first == NULL)
        relay->first = q;
    else
        relay->last->next = q;
    relay->last = q;
    pthread_cond_signal(&relay->work);
}

void pawl_relay_abandon(pawl_isolated *plugin, uint64_t call)
{
    struct isolate_relay *relay = plugin->relay;
    for (upload *at = relay->uploads, *next; at != NULL; at = next) {
        next = at->next;
        question *q = at->call == call ? calloc(1, sizeof *q) : NULL;
        if (q == NULL)
            continue;
        q->upload = release(relay, at);
        append(relay, q);
    }
}

/* ---- answering, without the lock ---- */

typedef struct reply {
    pawl_status status;
    pawl_failure_slot why;
    pawl_sink out;
    uint64_t number;
} reply;

static void begin(pawl_isolated *plugin, const question *q, reply *ret)
{
    struct isolate_relay *relay = plugin->relay;
    upload *made = calloc(1, sizeof *made);
    ret->status = made == NULL
                      ? PAWL_E_NOMEM
                      : relay->table->begin(q->call->abi->context, q->ask.first, q->ask.second, &made->host, &ret->why);
    if (ret->status != PAWL_OK) {
        free(made);
        return;
    }
    pthread_mutex_lock(&plugin->lock);
    made->number = ret->number = ++relay->last_upload;
    made->call = q->call->id;
    made->next = relay->uploads;
    relay->uploads = made;
    q->call->uploads++;
    pthread_mutex_unlock(&plugin->lock);
}

/* It is released first when it ends with this: nobody else may find it then. */
static pawl_upload *upload_of(pawl_isolated *plugin, const question *q, bool ends)
{
    pthread_mutex_lock(&plugin->lock);
    upload *found = find_upload(plugin->relay, q->ask.upload, q->call->id);
    pawl_upload *host = found == NULL ? NULL : ends ? release(plugin->relay, found) : found->host;
    if (found != NULL && ends)
        q->call->uploads--;
    pthread_mutex_unlock(&plugin->lock);
    return host;
}

static void do_as_asked(pawl_isolated *plugin, const question *q, reply *ret)
{
    const pawl_attachments *table = plugin->relay->table;
    bool ends = q->ask.what == WIRE_UPLOAD_COMMIT || q->ask.what == WIRE_UPLOAD_ABORT;
    if (table == NULL) {
        ret->status = PAWL_E_UNSUPPORTED;
    } else if (q->ask.what == WIRE_UPLOAD_BEGIN) {
        begin(plugin, q, ret);
    } else if (q->ask.what == WIRE_READ) {
        ret->status =
            table->read(q->call->abi->context, q->ask.first, q->ask.offset,
                        q->ask.size < WIRE_CHUNK ? q->ask.size : WIRE_CHUNK, &ret->out, &ret->number, &ret->why);
    } else {
        pawl_upload *host = upload_of(plugin, q, ends);
        if (host == NULL)
            ret->status = PAWL_E_INVALID;
        else if (q->ask.what == WIRE_UPLOAD_WRITE)
            ret->status = table->write(host, q->ask.data, &ret->why);
        else if (q->ask.what == WIRE_UPLOAD_COMMIT)
            ret->status = table->commit(host, &ret->out, &ret->why);
        else
            table->abort(host);
    }
}

static void send_answer(const question *q, const reply *from)
{
    wire_end end = {.status = from->status, .number = from->number, .output = pawl_sink_bytes(&from->out)};
    pawl_wire_take_failure(&end, &from->why);
    pawl_wire_end(&q->guest->plugin->scratch, WIRE_ANSWER, q->id, &end);
    pawl_guest_send(q->guest, end.output);
}

static void answer(pawl_isolated *plugin, const question *q)
{
    isolated_call *call = q->call;
    reply made = {.status = PAWL_OK};
    pawl_failure_init(&made.why);
    pawl_sink_init(&made.out, WIRE_CHUNK);
    do_as_asked(plugin, q, &made);
    pthread_mutex_lock(&plugin->lock);
    call->relays--;
    if (q->guest->began_mono_ns == q->began_mono_ns)
        q->guest->questions--;
    bool fallen = call->fallen_code[0] != '\0' && call->relays == 0;
    if (fallen)
        pawl_isolated_take(plugin, call);
    else if (call->fallen_code[0] == '\0' && q->guest->pid != 0 && q->guest->began_mono_ns == q->began_mono_ns)
        send_answer(q, &made);
    pthread_mutex_unlock(&plugin->lock);
    pawl_failure_finish(&made.why);
    pawl_sink_finish(&made.out);
    if (fallen) {
        char *message = call->fallen;
        char code[sizeof call->fallen_code];
        memcpy(code, call->fallen_code, sizeof code);
        pawl_isolated_fail(plugin, call, PAWL_UNKNOWN_OUTCOME, code, 0, message == NULL ? "its plugin ended" : message);
        free(message);
    }
}

static void *answer_all(void *argument)
{
    pawl_isolated *plugin = argument;
    struct isolate_relay *relay = plugin->relay;
    pthread_mutex_lock(&plugin->lock);
    while (relay->first != NULL || !relay->stopping) {
        question *q = relay->first;
        if (q == NULL) {
            pthread_cond_wait(&relay->work, &plugin->lock);
            continue;
        }
        relay->first = q->next;
        pthread_mutex_unlock(&plugin->lock);
        if (q->call != NULL)
            answer(plugin, q);
        else
            relay->table->abort(q->upload);
        free(q);
        pthread_mutex_lock(&plugin->lock);
    }
    pthread_mutex_unlock(&plugin->lock);
    return NULL;
}

/* ---- taking; locked ---- */

static bool open_relay(pawl_isolated *plugin, const pawl_host_root *host)
{
    if (plugin->relay != NULL)
        return true;
    struct isolate_relay *relay = calloc(1, sizeof *relay);
    if (relay == NULL)
        return false;
    relay->table = host == NULL ? NULL : host->get_extension(host, PAWL_EXT_ATTACHMENTS);
    pthread_cond_init(&relay->work, NULL);
    plugin->relay = relay;
    if (pthread_create(&relay->thread, NULL, answer_all, plugin) == 0)
        return true;
    plugin->relay = NULL;
    pthread_cond_destroy(&relay->work);
    free(relay);
    return false;
}

static pawl_bytes take(uint8_t **room, pawl_bytes from)
{
    pawl_bytes copy = {*room, from.size};
    if (from.size > 0)
        memcpy(*room, from.data, from.size);
    *room += from.size;
    return copy;
}

bool pawl_relay_take(guest *g, uint64_t request, const wire_ask *ask)
{
    isolated_call *call = pawl_isolated_find(g->plugin, ask->call);
    if (call == NULL || call->guest != g || call->uploads > ISOLATE_UPLOADS_MAX ||
        g->questions >= g->plugin->isolation->config.threads + ISOLATE_QUESTIONS ||
        !open_relay(g->plugin, call->abi->host))
        return false;
    question *q = calloc(1, sizeof *q + ask->first.size + ask->second.size + ask->data.size);
    if (q == NULL)
        return false;
    uint8_t *room = q->bytes;
    q->id = request;
    q->guest = g;
    q->began_mono_ns = g->began_mono_ns;
    q->call = call;
    q->ask = *ask;
    q->ask.first = take(&room, ask->first);
    q->ask.second = take(&room, ask->second);
    q->ask.data = take(&room, ask->data);
    call->relays++;
    g->questions++;
    append(g->plugin->relay, q);
    return true;
}

void pawl_relay_stop(pawl_isolated *plugin)
{
    struct isolate_relay *relay = plugin->relay;
    if (relay == NULL)
        return;
    pthread_mutex_lock(&plugin->lock);
    relay->stopping = true;
    pthread_cond_signal(&relay->work);
    pthread_mutex_unlock(&plugin->lock);
    pthread_join(relay->thread, NULL);
    for (upload *at = relay->uploads, *next; at != NULL; at = next) {
        next = at->next;
        free(at); /* its host's part is collected with the facet */
    }
    pthread_cond_destroy(&relay->work);
    free(relay);
    plugin->relay = NULL;
}
