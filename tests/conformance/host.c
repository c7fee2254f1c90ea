/* host.c: why it exists: a provider must be tested through the host's side of the contract, with a clock that a test
 * can turn and a record of every call. It must never block a provider's thread for longer than it takes to append to
 * a list, and never interpret what it records. */
#include "host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct host *of_root(const pawl_host_root *root)
{
    return (struct host *)root->host_data;
}

/* ---- pawl.core/1 ---- */

static pawl_status core_sink_write(pawl_sink *sink, const void *data, size_t size)
{
    if (size == 0)
        return PAWL_OK;
    if (sink->limit != 0 && sink->size + size > sink->limit)
        return PAWL_E_LIMIT;
    if (sink->size + size > sink->capacity) {
        size_t capacity = sink->capacity * 2 > sink->size + size ? sink->capacity * 2 : sink->size + size;
        uint8_t *grown = realloc(sink->data, capacity);
        if (!grown)
            return PAWL_E_NOMEM;
        sink->data = grown;
        sink->capacity = capacity;
    }
    memcpy(sink->data + sink->size, data, size);
    sink->size += size;
    return PAWL_OK;
}

static void copy_text(char *to, size_t capacity, pawl_bytes from)
{
    size_t size = from.size < capacity - 1 ? from.size : capacity - 1;
    if (size > 0)
        memcpy(to, from.data, size);
    to[size] = '\0';
}

static void core_fail(pawl_failure_sink *sink, const pawl_failure *failure)
{
    if (!sink || sink->set)
        return;
    sink->set = true;
    sink->klass = failure->klass;
    copy_text(sink->code, sizeof(sink->code), failure->code);
    copy_text(sink->message, sizeof(sink->message), failure->message);
    if (PAWL_HAS(failure, pawl_failure, detail_json))
        copy_text(sink->detail, sizeof(sink->detail), failure->detail_json);
}

static int32_t core_cancel_requested(const pawl_cancel_token *token)
{
    (void)token;
    return 0;
}

static int32_t core_cancel_fd(const pawl_cancel_token *token)
{
    (void)token;
    return -1;
}

static void core_complete(pawl_completion *completion, pawl_status status, pawl_bytes result,
                          const pawl_failure *failure)
{
    (void)completion;
    (void)status;
    (void)result;
    (void)failure;
}

static void core_log(const pawl_host_root *root, uint32_t level, pawl_bytes message, pawl_bytes fields_json)
{
    (void)root;
    (void)fields_json;
    if (level >= PAWL_LOG_ERROR && getenv("PAWL_CONFORMANCE_LOG"))
        fprintf(stderr, "provider: %.*s\n", (int)message.size, (const char *)message.data);
}

static uint64_t real_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * HOST_SECOND_NS + (uint64_t)now.tv_nsec;
}

uint64_t host_mono_ns(const struct host *host)
{
    return host->real_time ? real_ns(CLOCK_MONOTONIC) : __atomic_load_n(&host->mono_ns, __ATOMIC_SEQ_CST);
}

uint64_t host_unix_ns(const struct host *host)
{
    return host->real_time ? real_ns(CLOCK_REALTIME) : __atomic_load_n(&host->unix_ns, __ATOMIC_SEQ_CST);
}

static uint64_t core_mono_now_ns(const pawl_host_root *root)
{
    uint32_t delay_us = __atomic_load_n(&of_root(root)->clock_delay_us, __ATOMIC_RELAXED);
    if (delay_us > 0)
        usleep(delay_us);
    return host_mono_ns(of_root(root));
}

static uint64_t core_unix_now_ns(const pawl_host_root *root)
{
    return host_unix_ns(of_root(root));
}

static const pawl_core core_table = {
    .struct_size = sizeof(pawl_core),
    .sink_write = core_sink_write,
    .fail = core_fail,
    .cancel_requested = core_cancel_requested,
    .cancel_fd = core_cancel_fd,
    .complete = core_complete,
    .log = core_log,
    .mono_now_ns = core_mono_now_ns,
    .unix_now_ns = core_unix_now_ns,
};

/* ---- pawl.registry-host/1 ---- */

/* Under the mutex. */
static struct log_entry *append_entry(struct host *host)
{
    if (host->log_size == host->log_capacity) {
        size_t capacity = host->log_capacity ? host->log_capacity * 2 : 256;
        struct log_entry *grown = realloc(host->log, capacity * sizeof(*grown));
        if (!grown)
            abort();
        host->log = grown;
        host->log_capacity = capacity;
    }
    struct log_entry *entry = &host->log[host->log_size++];
    memset(entry, 0, sizeof(*entry));
    return entry;
}

static void violation_locked(struct host *host, const char *format, va_list arguments)
{
    size_t used = strlen(host->violations);
    int wrote = vsnprintf(host->violations + used, sizeof(host->violations) - used, format, arguments);
    (void)wrote;
}

static void violation_here(struct host *host, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void violation_here(struct host *host, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    violation_locked(host, format, arguments);
    va_end(arguments);
}

static void registry_completed(pawl_registry_op *const *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct pending *pending = ops[i]->host_data;
        struct host *host = pending->host;
        pthread_mutex_lock(&host->mutex);
        if (pthread_getspecific(host->submitting))
            violation_here(host, "completed() was called from inside submit (kind %u)\n", ops[i]->kind);
        if (pending->done) {
            violation_here(host, "an operation of kind %u was completed twice\n", ops[i]->kind);
        } else {
            struct log_entry *entry = append_entry(host);
            entry->what = HOST_LOG_COMPLETED;
            entry->op = ops[i];
            entry->number = ops[i]->number;
            entry->sequence = ops[i]->sequence;
            pending->order = host->log_size;
            pending->done = true;
        }
        pthread_cond_broadcast(&host->changed);
        pthread_mutex_unlock(&host->mutex);
    }
}

static void registry_event(void *context, const pawl_registry_event *event)
{
    struct listener *listener = context;
    struct host *host = listener->host;
    pthread_mutex_lock(&host->mutex);
    if (listener->closed)
        violation_here(host, "an event of kind %u came after worker_close returned\n", event->kind);
    struct log_entry *entry = append_entry(host);
    entry->what = event->kind;
    entry->listener = listener;
    entry->number = event->number;
    entry->token = event->token;
    if ((event->kind == PAWL_EVENT_POSTED || event->kind == PAWL_EVENT_ENDED) && event->record) {
        entry->sequence = event->record->sequence;
        entry->kind = event->record->kind;
        entry->body_size = event->record->body.size;
        size_t kept = entry->body_size < sizeof(entry->body) ? entry->body_size : sizeof(entry->body);
        if (kept > 0)
            memcpy(entry->body, event->record->body.data, kept);
    } else if (event->kind == PAWL_EVENT_POSTED || event->kind == PAWL_EVENT_ENDED) {
        violation_here(host, "an event of kind %u had no record\n", event->kind);
    }
    if (event->kind == PAWL_EVENT_ENDED)
        snprintf(entry->text, sizeof entry->text, "%.*s %.*s %.*s %u", (int)event->id.size,
                 (const char *)event->id.data, (int)event->type.size, (const char *)event->type.data,
                 (int)event->session.size, (const char *)event->session.data, event->status);
    pthread_cond_broadcast(&host->changed);
    pthread_mutex_unlock(&host->mutex);
}

static const pawl_registry_host registry_host_table = {
    .struct_size = sizeof(pawl_registry_host),
    .completed = registry_completed,
    .event = registry_event,
};

static const void *get_extension(const pawl_host_root *root, const char *id)
{
    (void)root;
    if (strcmp(id, PAWL_EXT_CORE) == 0)
        return &core_table;
    if (strcmp(id, PAWL_EXT_REGISTRY_HOST) == 0)
        return &registry_host_table;
    return NULL;
}

/* ---- the host itself ---- */

struct host *host_create(bool real_time)
{
    struct host *host = calloc(1, sizeof(*host));
    if (!host)
        abort();
    host->root = (pawl_host_root){
        .struct_size = sizeof(pawl_host_root),
        .abi_major = PAWL_ABI_MAJOR,
        .abi_minor = PAWL_ABI_MINOR,
        .name = "pawl-conformance",
        .version = "1.0.0",
        .host_data = host,
        .get_extension = get_extension,
    };
    host->real_time = real_time;
    host->mono_ns = HOST_START_MONO_NS;
    host->unix_ns = HOST_START_UNIX_NS;
    pthread_key_create(&host->submitting, NULL);
    pthread_mutex_init(&host->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&host->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return host;
}

void host_destroy(struct host *host)
{
    if (!host)
        return;
    pthread_cond_destroy(&host->changed);
    pthread_mutex_destroy(&host->mutex);
    pthread_key_delete(host->submitting);
    free(host->log);
    free(host);
}

void host_advance_mono(struct host *host, uint64_t span_ns)
{
    __atomic_add_fetch(&host->mono_ns, span_ns, __ATOMIC_SEQ_CST);
}

void host_advance_unix(struct host *host, uint64_t span_ns)
{
    __atomic_add_fetch(&host->unix_ns, span_ns, __ATOMIC_SEQ_CST);
}

void host_advance(struct host *host, uint64_t span_ns)
{
    host_advance_unix(host, span_ns);
    host_advance_mono(host, span_ns);
}

void host_set_unix(struct host *host, uint64_t unix_ns)
{
    __atomic_store_n(&host->unix_ns, unix_ns, __ATOMIC_SEQ_CST);
}

void host_delay_clock(struct host *host, uint32_t delay_us)
{
    __atomic_store_n(&host->clock_delay_us, delay_us, __ATOMIC_RELAXED);
}

void host_violation(struct host *host, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&host->mutex);
    violation_locked(host, format, arguments);
    pthread_mutex_unlock(&host->mutex);
    va_end(arguments);
}

void host_submit(struct host *host, const pawl_registry_table *registry, pawl_store *store,
                 pawl_registry_op *const *ops, size_t count)
{
    pthread_setspecific(host->submitting, host);
    registry->submit(store, ops, count);
    pthread_setspecific(host->submitting, NULL);
}

static struct timespec wait_end(void)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += HOST_WAIT_S;
    return end;
}

bool host_wait(struct host *host, const struct pending *pending)
{
    struct timespec end = wait_end();
    pthread_mutex_lock(&host->mutex);
    int failed = 0;
    while (!pending->done && failed == 0)
        failed = pthread_cond_timedwait(&host->changed, &host->mutex, &end);
    bool done = pending->done;
    pthread_mutex_unlock(&host->mutex);
    return done;
}

bool host_is_done(struct host *host, const struct pending *pending)
{
    pthread_mutex_lock(&host->mutex);
    bool done = pending->done;
    pthread_mutex_unlock(&host->mutex);
    return done;
}

/* Under the mutex. */
static bool find_entry(const struct host *host, uint32_t what, const struct listener *listener, uint64_t number,
                       size_t *position, struct log_entry *found)
{
    for (size_t i = *position; i < host->log_size; i++) {
        const struct log_entry *entry = &host->log[i];
        if (entry->what != what || (listener && entry->listener != listener) || (number && entry->number != number))
            continue;
        *position = i + 1;
        if (found)
            *found = *entry;
        return true;
    }
    return false;
}

bool host_wait_event(struct host *host, uint32_t what, const struct listener *listener, uint64_t number,
                     size_t *position, struct log_entry *found)
{
    struct timespec end = wait_end();
    pthread_mutex_lock(&host->mutex);
    bool there = find_entry(host, what, listener, number, position, found);
    int failed = 0;
    while (!there && failed == 0) {
        failed = pthread_cond_timedwait(&host->changed, &host->mutex, &end);
        there = find_entry(host, what, listener, number, position, found);
    }
    pthread_mutex_unlock(&host->mutex);
    return there;
}

bool host_has_event(struct host *host, uint32_t what, const struct listener *listener, uint64_t number,
                    size_t *position, struct log_entry *found)
{
    pthread_mutex_lock(&host->mutex);
    bool there = find_entry(host, what, listener, number, position, found);
    pthread_mutex_unlock(&host->mutex);
    return there;
}

size_t host_log_size(struct host *host)
{
    pthread_mutex_lock(&host->mutex);
    size_t size = host->log_size;
    pthread_mutex_unlock(&host->mutex);
    return size;
}

void sink_reset(pawl_sink *sink)
{
    free(sink->data);
    memset(sink, 0, sizeof(*sink));
}

void failure_reset(pawl_failure_sink *why)
{
    memset(why, 0, sizeof(*why));
}

bool failure_mentions(const pawl_failure_sink *why, const char *text)
{
    return strstr(why->code, text) || strstr(why->message, text) || strstr(why->detail, text);
}
