/* ends.c: see ends.h. Never blocks who tells of an end: a line is made outside of the lock, and dropped where it does
 * not fit. */
#include "host/api/ends.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "host/api/ends_recent.h"
#include "worker/base/error.h"

#define LINE_SPARE 256u /* of the buffer, for what is said about the stream itself */

struct pawl_listener {
    pawl_ends *ends;
    LIST_ENTRY(pawl_listener) link;
    pawl_listener_options options;
    char *buffer; /* from here on guarded by ends->lock */
    size_t begin; /* of what was not read */
    size_t end;
    size_t capacity;
    bool parked;     /* the connection is suspended */
    bool told_close; /* the last line is in the buffer */
    uint64_t number; /* of the last end up to which it has been told everything, or that something is missing */
    uint64_t missed;
    uint64_t missed_unix_ns; /* when the first of these ended */
    uint64_t beat_mono_ms;   /* the next heartbeat */
};

struct pawl_ends {
    pawl_follow *follow;
    pthread_mutex_t lock; /* guards the members below and the listeners */
    pthread_cond_t changed;
    LIST_HEAD(, pawl_listener) list;
    size_t count;
    pawl_recent recent;
    uint64_t idle_mono_ms; /* when the last listener went */
    bool closing;
    bool stop;
    pthread_t thread;
};

static uint64_t mono_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static uint64_t unix_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- buffers, under the lock ------------------------------------------------------------------------------------- */

/* Room for size more bytes, spare ones left; false when there is none. */
static bool make_room(pawl_listener *listener, size_t size, size_t spare)
{
    size_t used = listener->end - listener->begin;
    if (used + size + spare > PAWL_API_LISTENER_BYTES_MAX)
        return false;
    if (listener->end + size <= listener->capacity)
        return true;
    if (listener->begin > 0) {
        memmove(listener->buffer, listener->buffer + listener->begin, used);
        listener->begin = 0;
        listener->end = used;
    }
    if (used + size <= listener->capacity)
        return true;
    size_t capacity = (used + size) * 2 < PAWL_API_LISTENER_BYTES_MAX ? (used + size) * 2 : PAWL_API_LISTENER_BYTES_MAX;
    char *larger = realloc(listener->buffer, capacity);
    if (larger == NULL)
        return false;
    listener->buffer = larger;
    listener->capacity = capacity;
    return true;
}

static bool put(pawl_listener *listener, const char *line, size_t size, size_t spare)
{
    if (!make_room(listener, size, spare) || listener->buffer == NULL)
        return false;
    memcpy(listener->buffer + listener->end, line, size);
    listener->end += size;
    return true;
}

static void wake(pawl_listener *listener)
{
    if (!listener->parked)
        return;
    listener->parked = false;
    MHD_resume_connection(listener->options.connection);
}

static void put_beat(pawl_listener *listener)
{
    char line[LINE_SPARE], position[PAWL_POSITION_ROOM];
    pawl_recent_position(&listener->ends->recent, listener->number, position);
    int size = snprintf(line, sizeof line, "{\"heartbeat\":%" PRIu64 ",\"at\":\"%s\"}\n",
                        listener->options.heartbeat_ms, position);
    (void)put(listener, line, (size_t)size, 0); /* a full buffer needs none */
    listener->beat_mono_ms = mono_now_ms() + listener->options.heartbeat_ms;
    wake(listener);
}

/* What there is to say when all was read. */
static void put_news(pawl_listener *listener)
{
    char line[LINE_SPARE];
    if (listener->missed > 0) {
        int size = snprintf(line, sizeof line, "{\"lagged\":{\"missed\":%" PRIu64 ",\"since_unix_ns\":%" PRIu64 "}}\n",
                            listener->missed, listener->missed_unix_ns);
        if (put(listener, line, (size_t)size, 0)) {
            listener->missed = 0;
            listener->number = listener->ends->recent.number;
        }
    } else if (listener->ends->closing && !listener->told_close) {
        static const char closed[] = "{\"closed\":\"the server is stopping\"}\n";
        (void)put(listener, closed, sizeof closed - 1, 0);
        listener->told_close = true;
    }
}

ssize_t pawl_listener_read(void *context, uint64_t position, char *to, size_t room)
{
    (void)position;
    pawl_listener *listener = context;
    pthread_mutex_lock(&listener->ends->lock);
    if (listener->begin == listener->end)
        put_news(listener);
    size_t size = listener->end - listener->begin;
    ssize_t given = (ssize_t)(size < room ? size : room);
    if (given > 0) {
        memcpy(to, listener->buffer + listener->begin, (size_t)given);
        listener->begin += (size_t)given;
        if (listener->begin == listener->end)
            listener->begin = listener->end = 0;
    } else if (listener->told_close) {
        given = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        listener->parked = true;
        MHD_suspend_connection(listener->options.connection);
    }
    pthread_mutex_unlock(&listener->ends->lock);
    return given;
}

/* ---- ends ---------------------------------------------------------------------------------------------------------
 */

static bool wants(const pawl_listener *listener, const pawl_recent_end *end)
{
    const pawl_listener_options *want = &listener->options;
    return (want->type == NULL || strcmp(want->type, end->type) == 0) &&
           (want->session == NULL || strcmp(want->session, end->session) == 0) &&
           (want->prefix == NULL || strncmp(want->prefix, end->id, strlen(want->prefix)) == 0);
}

/* Once something is missing nothing follows until that has been said, so that the order is true. */
static void miss(pawl_listener *listener, uint64_t ended_unix_ns)
{
    if (listener->missed++ == 0)
        listener->missed_unix_ns = ended_unix_ns;
}

static void tell(pawl_listener *listener, const pawl_recent_end *end, uint64_t ended_unix_ns)
{
    bool wanted = wants(listener, end);
    if (wanted && (listener->missed > 0 || !put(listener, end->line, end->line_size, LINE_SPARE)))
        miss(listener, ended_unix_ns);
    if (listener->missed == 0)
        listener->number = end->number;
    if (wanted)
        wake(listener);
}

/* Is anybody here, or might come back? */
static bool is_heard(pawl_ends *ends)
{
    if (ends->count == 0 && ends->recent.keeping && mono_now_ms() - ends->idle_mono_ms > PAWL_RECENT_IDLE_MS)
        pawl_recent_keep(&ends->recent, false);
    return ends->recent.keeping;
}

static void on_end(void *context, const pawl_end *end)
{
    pawl_ends *ends = context;
    pthread_mutex_lock(&ends->lock);
    bool heard = is_heard(ends);
    pthread_mutex_unlock(&ends->lock);
    if (!heard)
        return;
    pawl_recent_end *made = pawl_recent_make(end);
    pawl_listener *listener;
    pthread_mutex_lock(&ends->lock);
    if (made != NULL)
        pawl_recent_number(&ends->recent, made);
    else
        pawl_recent_lost(&ends->recent);
    LIST_FOREACH(listener, &ends->list, link)
    {
        if (made != NULL) {
            tell(listener, made, end->ended_unix_ns);
        } else {
            miss(listener, end->ended_unix_ns);
            wake(listener);
        }
    }
    if (made != NULL)
        pawl_recent_add(&ends->recent, made);
    pthread_mutex_unlock(&ends->lock);
}

/* ---- listeners ----------------------------------------------------------------------------------------------------
 */

/* Beats what is due; the time of the next one, or 0 when nobody listens. */
static uint64_t beat(pawl_ends *ends)
{
    uint64_t now = mono_now_ms();
    uint64_t next = 0;
    pawl_listener *listener;
    LIST_FOREACH(listener, &ends->list, link)
    {
        if (listener->beat_mono_ms <= now)
            put_beat(listener);
        if (next == 0 || listener->beat_mono_ms < next)
            next = listener->beat_mono_ms;
    }
    return next;
}

static void *heartbeat_thread(void *context)
{
    pawl_ends *ends = context;
    pthread_mutex_lock(&ends->lock);
    while (!ends->stop) {
        uint64_t next = beat(ends);
        struct timespec until = {.tv_sec = (time_t)(next / 1000u), .tv_nsec = (long)(next % 1000u) * 1000000};
        if (next == 0)
            pthread_cond_wait(&ends->changed, &ends->lock);
        else
            pthread_cond_timedwait(&ends->changed, &ends->lock, &until);
    }
    pthread_mutex_unlock(&ends->lock);
    return NULL;
}

/* What a new listener hears first: what came behind the position it names, or that this is not known; then a heartbeat.
 */
static void begin(pawl_listener *listener)
{
    pawl_recent *recent = &listener->ends->recent;
    pawl_recent_keep(recent, true);
    listener->number = recent->number;
    if (listener->options.after != NULL) {
        static const char gap[] = "{\"gap\":\"what ended behind that position is not known in full\"}\n";
        if (!pawl_recent_find(recent, listener->options.after, &listener->number))
            (void)put(listener, gap, sizeof gap - 1, 0);
        pawl_recent_end *end;
        uint64_t from = listener->number;
        STAILQ_FOREACH(end, &recent->list, link)
        {
            if (end->number > from)
                tell(listener, end, 0);
        }
    }
    put_beat(listener);
}

pawl_status pawl_ends_listen(pawl_ends *ends, const pawl_listener_options *options, pawl_listener **ret,
                             pawl_error *error)
{
    pawl_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "api.no_memory", "out of memory for a listener");
    listener->ends = ends;
    listener->options = *options;
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&ends->lock);
    if (ends->closing)
        status = pawl_error_set(error, PAWL_E_CLOSED, "api.closing", "the server is stopping");
    else if (ends->count >= PAWL_API_LISTENERS_MAX)
        status =
            pawl_error_set(error, PAWL_E_CLOSED, "api.busy",
                           "the server is at its limit of %u listeners; try again shortly", PAWL_API_LISTENERS_MAX);
    if (status == PAWL_OK) {
        begin(listener);
        LIST_INSERT_HEAD(&ends->list, listener, link);
        ends->count++;
        pthread_cond_signal(&ends->changed);
    }
    pthread_mutex_unlock(&ends->lock);
    if (status == PAWL_OK)
        *ret = listener;
    else
        free(listener);
    return status;
}

void pawl_listener_close(void *context)
{
    pawl_listener *listener = context;
    if (listener == NULL)
        return;
    pthread_mutex_lock(&listener->ends->lock);
    LIST_REMOVE(listener, link);
    if (--listener->ends->count == 0)
        listener->ends->idle_mono_ms = mono_now_ms();
    pthread_mutex_unlock(&listener->ends->lock);
    free(listener->buffer);
    free(listener);
}

pawl_status pawl_ends_open(pawl_host *host, pawl_ends **ret, pawl_error *error)
{
    pawl_ends *ends = calloc(1, sizeof *ends);
    if (ends == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "api.no_memory", "out of memory for the API server");
    LIST_INIT(&ends->list);
    pawl_recent_init(&ends->recent, unix_now_ns());
    pthread_mutex_init(&ends->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&ends->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pawl_status status = PAWL_OK;
    int failed = pthread_create(&ends->thread, NULL, heartbeat_thread, ends);
    if (failed != 0) {
        pthread_cond_destroy(&ends->changed);
        pthread_mutex_destroy(&ends->lock);
        free(ends);
        return pawl_error_set(error, PAWL_E_FAILED, "api.start", "cannot start a thread of the API server: %s",
                              strerror(failed));
    }
    status = pawl_host_follow(host, on_end, ends, &ends->follow, error);
    if (status != PAWL_OK)
        pawl_ends_close(ends);
    else
        *ret = ends;
    return status;
}

void pawl_ends_end_all(pawl_ends *ends)
{
    pawl_listener *listener;
    pthread_mutex_lock(&ends->lock);
    ends->closing = true;
    LIST_FOREACH(listener, &ends->list, link)
    wake(listener);
    pthread_mutex_unlock(&ends->lock);
}

pawl_ends *pawl_ends_close(pawl_ends *ends)
{
    if (ends == NULL)
        return NULL;
    pawl_host_unfollow(ends->follow);
    pthread_mutex_lock(&ends->lock);
    ends->stop = true;
    pthread_cond_signal(&ends->changed);
    pthread_mutex_unlock(&ends->lock);
    pthread_join(ends->thread, NULL);
    pawl_recent_finish(&ends->recent);
    pthread_cond_destroy(&ends->changed);
    pthread_mutex_destroy(&ends->lock);
    free(ends);
    return NULL;
}
