/* lab_host.c: the host that a plugin under check sees: pawl.core/1, attachments kept in memory, and tables with nothing
 * behind them for the rest. It answers as a host does and counts what a plugin may not do. Everything it hands out is
 * kept, so that a late use is counted and not a crash. [any] */
#include "lab.h"

#include "blobs.h"
#include "worker/effect/cancel.h"
#include "worker/effect/core_table.h"
#include "world.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define KEPT_AT_ONCE ((size_t)1 << 20)

/* The lab of this process: sinks and completions lead to no host, and there is one lab in a process. */
static lab_offences *offences_of(const lab_offences *set)
{
    static _Atomic(lab_offences *) now;
    static lab_offences nowhere;
    if (set != NULL)
        atomic_store(&now, (lab_offences *)(uintptr_t)set);
    lab_offences *found = atomic_load(&now);
    return found == NULL ? &nowhere : found;
}

/* ---- sinks ---- */

void *lab_keep(size_t size)
{
    static struct {
        pthread_mutex_t lock; /* guards the rest */
        char *at;
        size_t left;
    } kept = {PTHREAD_MUTEX_INITIALIZER, NULL, 0};
    size_t rounded = (size + 15) / 16 * 16;
    pthread_mutex_lock(&kept.lock);
    if (kept.left < rounded) {
        kept.left = KEPT_AT_ONCE;
        kept.at = mmap(NULL, kept.left, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (kept.at == MAP_FAILED)
            abort();
    }
    void *memory = kept.at;
    kept.at += rounded;
    kept.left -= rounded;
    pthread_mutex_unlock(&kept.lock);
    return memory;
}

lab_sink *lab_sink_create(size_t limit)
{
    lab_sink *sink = lab_keep(sizeof *sink);
    pawl_sink_init(&sink->sink, limit);
    return sink;
}

lab_why *lab_why_create(void)
{
    lab_why *why = lab_keep(sizeof *why);
    pawl_failure_init(&why->slot);
    return why;
}

void lab_sink_close(lab_sink *sink)
{
    atomic_store(&sink->closed, true);
}

void lab_why_close(lab_why *why)
{
    atomic_store(&why->closed, true);
}

void lab_sink_free(lab_sink *sink)
{
    if (sink == NULL)
        return;
    lab_sink_close(sink);
    pawl_sink_finish(&sink->sink);
}

void lab_why_free(lab_why *why)
{
    if (why == NULL)
        return;
    lab_why_close(why);
    pawl_failure_finish(&why->slot);
}

pawl_status lab_core_write(pawl_sink *given, const void *data, size_t size)
{
    lab_sink *sink = (lab_sink *)(void *)given;
    if (sink == NULL) {
        atomic_fetch_add(&offences_of(NULL)->null_objects, 1);
        return PAWL_E_INVALID;
    }
    if (data == NULL && size > 0) {
        atomic_fetch_add(&offences_of(NULL)->bad_bytes, 1);
        return PAWL_E_INVALID;
    }
    if (atomic_load(&sink->closed)) {
        atomic_fetch_add(&offences_of(NULL)->late_writes, 1);
        return PAWL_E_CLOSED;
    }
    uint32_t number = atomic_fetch_add(&sink->writes, 1);
    pawl_status status = sink->fault;
    if (status == PAWL_OK || number < sink->fault_at)
        status = pawl_sink_write(&sink->sink, data, size);
    if (status != PAWL_OK)
        atomic_fetch_add(&sink->refused, 1);
    return status;
}

static void host_fail(pawl_failure_sink *given, const pawl_failure *failure)
{
    lab_why *why = (lab_why *)(void *)given;
    if (why == NULL || failure == NULL) {
        atomic_fetch_add(&offences_of(NULL)->null_objects, 1);
        return;
    }
    if (atomic_load(&why->closed)) {
        atomic_fetch_add(&offences_of(NULL)->late_failures, 1);
        return;
    }
    if ((failure->code.data == NULL && failure->code.size > 0) ||
        (failure->message.data == NULL && failure->message.size > 0) ||
        (failure->detail_json.data == NULL && failure->detail_json.size > 0))
        atomic_fetch_add(&offences_of(NULL)->bad_bytes, 1);
    if (atomic_fetch_add(&why->told, 1) == 0) {
        why->code_size = failure->code.size;
        why->message_size = failure->message.size;
    }
    pawl_failure_tell(&why->slot, failure);
}

/* ---- the rest of the core ---- */

pawl_cancel_token *lab_cancel_create(void)
{
    pawl_cancel_token *token = calloc(1, sizeof *token);
    if (token == NULL)
        abort();
    pawl_cancel_init(token);
    return token;
}

void lab_cancel_ask(pawl_cancel_token *token)
{
    pawl_cancel_ask(token);
}

const char *lab_cancel_spoilt(pawl_cancel_token *token)
{
    struct pollfd ready = {.fd = atomic_load(&token->fd), .events = POLLIN};
    if (ready.fd < 0 || pawl_cancel_is_asked(token) == 0)
        return NULL; /* it was never asked for, or is not readable yet */
    if (poll(&ready, 1, 0) == 1 && (ready.revents & POLLNVAL) == 0)
        return NULL;
    return (ready.revents & POLLNVAL) != 0 ? "closed" : "read from";
}

void lab_cancel_free(pawl_cancel_token *token)
{
    pawl_cancel_finish(token);
    free(token);
}

static int32_t host_cancel_requested(const pawl_cancel_token *token)
{
    return token == NULL ? 0 : pawl_cancel_is_asked(token);
}

static int32_t host_cancel_fd(const pawl_cancel_token *token)
{
    return token == NULL ? -1 : pawl_cancel_fd(token);
}

static void host_complete(pawl_completion *completion, pawl_status status, pawl_bytes result,
                          const pawl_failure *failure)
{
    if (completion == NULL) {
        atomic_fetch_add(&offences_of(NULL)->null_objects, 1);
        return;
    }
    completion->complete(completion, status, result, failure);
}

static void host_log(const pawl_host_root *host, uint32_t level, pawl_bytes message, pawl_bytes fields_json)
{
    (void)level;
    (void)fields_json;
    if (host == NULL)
        atomic_fetch_add(&offences_of(NULL)->null_objects, 1);
    if (message.data == NULL && message.size > 0)
        atomic_fetch_add(&offences_of(NULL)->bad_bytes, 1);
}

static uint64_t host_mono_now_ns(const pawl_host_root *host)
{
    (void)host;
    return lab_now_ns();
}

static uint64_t host_unix_now_ns(const pawl_host_root *host)
{
    struct timespec time;
    (void)host;
    clock_gettime(CLOCK_REALTIME, &time);
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

static void no_completed(pawl_registry_op *const *ops, size_t count)
{
    (void)ops;
    (void)count;
}

static void no_event(void *listener, const pawl_registry_event *event)
{
    (void)listener;
    (void)event;
}

/* ---- extensions ---- */

/* A table as a later minor has it: members behind those that this plugin can know, which it must leave alone. */
#define MORE_MEMBERS 8
static void unknown_member(void)
{
    abort();
}

/* NOLINTBEGIN(bugprone-macro-parentheses): a type and a name take none */
#define LONGER(type, name, table)                                                                                      \
    static const struct {                                                                                              \
        type known;                                                                                                    \
        void (*more[MORE_MEMBERS])(void);                                                                              \
    } name = {table, {unknown_member, unknown_member, unknown_member, unknown_member}}

/* NOLINTEND(bugprone-macro-parentheses) */

#define CORE(size)                                                                                                     \
    {                                                                                                                  \
        (uint32_t)(size), 0, lab_core_write, host_fail, host_cancel_requested, host_cancel_fd, host_complete,          \
            host_log, host_mono_now_ns, host_unix_now_ns                                                               \
    }
#define REGISTRY_HOST                                                                                                  \
    {                                                                                                                  \
        sizeof(pawl_registry_host), 0, no_completed, no_event                                                          \
    }

static bool is_newer(const pawl_host_root *host)
{
    return host->abi_minor > PAWL_ABI_MINOR;
}

static const void *host_get_extension(const pawl_host_root *host, const char *id)
{
    static const pawl_core core = CORE(sizeof core);
    LONGER(pawl_core, longer_core, CORE(sizeof longer_core));
    static const pawl_registry_host registry = REGISTRY_HOST;
    const lab_host *own = host->host_data;
    if (id == NULL) {
        atomic_fetch_add(&offences_of(NULL)->null_objects, 1);
        return NULL;
    }
    if (strcmp(id, PAWL_EXT_CORE) == 0)
        return is_newer(host) ? &longer_core.known : &core;
    if (own->bare)
        return NULL;
    if (strcmp(id, PAWL_EXT_ATTACHMENTS) == 0)
        return lab_blobs_table();
    if (strcmp(id, PAWL_EXT_REGISTRY_HOST) == 0)
        return &registry;
    return strcmp(id, PAWL_EXT_PROCESS_HOST) == 0 ? lab_world_table() : NULL;
}

void lab_host_init(lab_host *host, checker_lab *lab)
{
    offences_of(&lab->offences);
    host->lab = lab;
    host->bare = false;
    host->root = (pawl_host_root){sizeof host->root, PAWL_ABI_MAJOR, PAWL_ABI_MINOR, "pawl-plugin-check", "1", host,
                                  host_get_extension};
}

void lab_host_make_newer(lab_host *host)
{
    host->root.abi_minor = (uint16_t)(PAWL_ABI_MINOR + 7);
}

lab_offences *lab_offences_now(void)
{
    return offences_of(NULL);
}
