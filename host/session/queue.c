/* queue.c: the queues of sessions, as consumers and operators see them. Decides nothing: order, leases and tokens
 * are the store's. Who waits for an item is woken by what this host puts into a queue or gives back, or by the time
 * that the store names; nobody looks again and again. */
#include "host/host_internal.h"

#include "host/builtin/builtin.h"
#include "host/view/view.h"
#include "worker/base/sink.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define CLAIMS_MAX    5u
#define LEASE_NS      (30 * PAWL_NS_PER_SECOND)
#define ITEM_LIST_MAX 1000u
#define CONSUMER_MAX  256u

pawl_status pawl_host_queue_table(const pawl_host *host, const pawl_queue_table **ret, pawl_error *error)
{
    const pawl_open_store *open = host->facets.facet[PAWL_FACET_REGISTRY];
    *ret = open->plugin->root->get_factory(PAWL_FACTORY_QUEUE);
    if (*ret == NULL || !PAWL_HAS(*ret, pawl_queue_table, tend))
        return pawl_error_set(error, PAWL_E_UNSUPPORTED, "queue.unsupported",
                              "the store of the process registry has no queues of sessions");
    return PAWL_OK;
}

static pawl_status check(pawl_host *host, const char *session, const pawl_queue_table **table, pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK)
        status = pawl_check_text("session", session, PAWL_SESSION_BYTES_MAX, error);
    return status == PAWL_OK ? pawl_host_queue_table(host, table, error) : status;
}

static const char *state_name(uint32_t state)
{
    return state == PAWL_QUEUE_CLAIMED ? "claimed" : state == PAWL_QUEUE_DEAD ? "dead" : "ready";
}

static json_t *item_json(const pawl_queue_item *item)
{
    json_t *json = json_pack("{s:I, s:s, s:I, s:i}", "item", (json_int_t)item->item, "state", state_name(item->state),
                             "sequence", (json_int_t)item->sequence, "claims", (int)item->claims);
    bool good =
        json != NULL && pawl_view_set(json, "process", pawl_view_text(item->process)) &&
        pawl_view_set(json, "type", pawl_view_text(item->type)) &&
        pawl_view_time(json, "created", item->created_unix_ns) &&
        pawl_view_time(json, "available", item->available_unix_ns) &&
        (item->key.size == 0 || pawl_view_set(json, "key", pawl_view_text(item->key))) &&
        (item->merge.size == 0 || pawl_view_set(json, "merge", pawl_view_text(item->merge))) &&
        (item->exclusive == 0 || pawl_view_set(json, "exclusive", json_true())) &&
        (item->state != PAWL_QUEUE_CLAIMED || (pawl_view_set(json, "consumer", pawl_view_text(item->consumer)) &&
                                               pawl_view_time(json, "expires", item->expires_unix_ns))) &&
        pawl_view_value(json, "input", item->body);
    if (good)
        return json;
    json_decref(json);
    return NULL;
}

typedef struct collecting {
    json_t *items;
    uint64_t token;
    uint64_t last;
    bool failed;
} collecting;

static int32_t collect(void *context, const pawl_queue_item *item)
{
    collecting *own = context;
    own->token = item->token;
    own->last = item->item;
    own->failed = json_array_append_new(own->items, item_json(item)) != 0;
    return own->failed;
}

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for items of a queue");
}

/* What a store said, in a pawl_error. */
static pawl_status explain(pawl_status status, pawl_failure_slot *why, pawl_error *error)
{
    if (status != PAWL_OK)
        status = pawl_failure_error(why, status < 0 ? status : PAWL_E_FAILED, error);
    pawl_failure_finish(why);
    return status;
}

/* ---- waiting ---- */

void pawl_host_queue_changed(pawl_host *host)
{
    pthread_mutex_lock(&host->queue_lock);
    host->queue_changes++;
    pthread_cond_broadcast(&host->queue_changed);
    pthread_mutex_unlock(&host->queue_lock);
}

/* Until something changes after `seen`, the host closes, or the span is over. */
static void wait_for_change(pawl_host *host, uint64_t seen, uint64_t span_ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    span_ns = span_ns > 3600 * PAWL_NS_PER_SECOND ? 3600 * PAWL_NS_PER_SECOND : span_ns;
    uint64_t ns = (uint64_t)until.tv_nsec + span_ns % PAWL_NS_PER_SECOND;
    until.tv_sec += (time_t)(span_ns / PAWL_NS_PER_SECOND + ns / PAWL_NS_PER_SECOND);
    until.tv_nsec = (long)(ns % PAWL_NS_PER_SECOND);
    int waited = 0;
    pthread_mutex_lock(&host->queue_lock);
    while (host->queue_changes == seen && !atomic_load(&host->closing) && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&host->queue_changed, &host->queue_lock, &until);
    pthread_mutex_unlock(&host->queue_lock);
}

/* ---- claiming ---- */

static pawl_status claim_once(pawl_host *host, const pawl_queue_table *table, const pawl_queue_claim *request,
                              collecting *own, uint64_t *again_unix_ns, pawl_error *error)
{
    pawl_failure_slot why;
    pawl_failure_init(&why);
    json_array_clear(own->items);
    pawl_status status = table->claim(host->registry.store, request, collect, own, again_unix_ns, &why);
    status = explain(status, &why, error);
    return status == PAWL_OK && own->failed ? no_memory(error) : status;
}

/* How long until the store would answer otherwise by itself, and no longer than is left. */
static uint64_t span_until(const pawl_host *host, uint64_t again_unix_ns, uint64_t left_ns)
{
    uint64_t now = host->clock->unix_ns(host->clock);
    uint64_t span = again_unix_ns == 0 ? UINT64_MAX : again_unix_ns > now ? again_unix_ns - now : PAWL_NS_PER_MS;
    return span < left_ns ? span : left_ns;
}

static pawl_status claim(pawl_host *host, const pawl_queue_table *table, const pawl_queue_claim *request,
                         uint64_t wait_ns, collecting *own, pawl_error *error)
{
    uint64_t until = host->clock->mono_ns(host->clock) + wait_ns;
    for (;;) {
        uint64_t again = 0;
        pthread_mutex_lock(&host->queue_lock);
        uint64_t seen = host->queue_changes;
        pthread_mutex_unlock(&host->queue_lock);
        pawl_status status = claim_once(host, table, request, own, &again, error);
        uint64_t now = host->clock->mono_ns(host->clock);
        if (status != PAWL_OK || json_array_size(own->items) > 0 || now >= until)
            return status;
        wait_for_change(host, seen, span_until(host, again, until - now));
        status = pawl_host_usable(host, error);
        if (status != PAWL_OK)
            return status;
    }
}

pawl_status pawl_host_queue_claim(pawl_host *host, const char *session, const pawl_queue_claim_options *given,
                                  pawl_text *ret_json, pawl_error *error)
{
    const pawl_queue_table *table;
    pawl_queue_claim_options options;
    pawl_status status = check(host, session, &table, error);
    if (status == PAWL_OK && !pawl_take_struct(&options, sizeof options, given))
        status = pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "options.struct_size is not set");
    if (status == PAWL_OK)
        status = pawl_check_text("consumer", options.consumer, CONSUMER_MAX, error);
    if (status == PAWL_OK && strncmp(options.consumer, PAWL_BUILTIN_KEY_PREFIX, strlen(PAWL_BUILTIN_KEY_PREFIX)) == 0)
        status =
            pawl_error_set(error, PAWL_E_INVALID, "invalid_consumer",
                           "a consumer's name that begins with \"%s\" is kept for processes", PAWL_BUILTIN_KEY_PREFIX);
    if (status != PAWL_OK)
        return status;
    const pawl_queue_claim request = {
        .struct_size = sizeof request,
        .limit = options.limit == 0 ? 1 : options.limit,
        .session = pawl_bytes_text(session),
        .consumer = pawl_bytes_text(options.consumer),
        .lease_ns = options.lease_ns == 0 ? LEASE_NS : options.lease_ns,
        .claims_max = options.claims_max == 0 ? CLAIMS_MAX : options.claims_max,
    };
    collecting own = {.items = json_array()};
    pawl_host_entered(host);
    status = own.items == NULL ? no_memory(error) : claim(host, table, &request, options.wait_ns, &own, error);
    pawl_host_left(host);
    if (status == PAWL_OK)
        return pawl_view_give(json_pack("{s:I, s:o}", "token", (json_int_t)own.token, "items", own.items), ret_json,
                              error);
    json_decref(own.items);
    return status;
}

/* ---- settling ---- */

pawl_status pawl_host_queue_settle(pawl_host *host, const char *session, uint32_t action, uint64_t token,
                                   const uint64_t *items, size_t count, uint64_t delay_ns, pawl_error *error)
{
    const pawl_queue_table *table;
    pawl_status status = check(host, session, &table, error);
    if (status != PAWL_OK)
        return status;
    const pawl_queue_settle request = {.struct_size = sizeof request,
                                       .action = action,
                                       .session = pawl_bytes_text(session),
                                       .items = items,
                                       .item_count = count,
                                       .token = token,
                                       .delay_ns = delay_ns,
                                       .claims_max = CLAIMS_MAX};
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_host_entered(host);
    status = explain(table->settle(host->registry.store, &request, NULL, &why), &why, error);
    pawl_host_queue_changed(host);
    pawl_host_left(host);
    return status;
}

/* ---- looking and tending ---- */

pawl_status pawl_host_queue_list(pawl_host *host, const char *session, uint32_t dead, uint64_t after, uint32_t limit,
                                 pawl_text *ret_json, pawl_error *error)
{
    const pawl_queue_table *table;
    pawl_status status = check(host, session, &table, error);
    if (status == PAWL_OK && limit > ITEM_LIST_MAX)
        status = pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "a page of %u items; at most %u are allowed",
                                limit, ITEM_LIST_MAX);
    if (status != PAWL_OK)
        return status;
    limit = limit == 0 ? 100 : limit;
    collecting own = {.items = json_array()};
    if (own.items == NULL)
        return no_memory(error);
    pawl_failure_slot why;
    pawl_failure_init(&why);
    status =
        explain(table->list(host->registry.store, pawl_bytes_text(session), dead, after, limit, collect, &own, &why),
                &why, error);
    if (status == PAWL_OK && own.failed)
        status = no_memory(error);
    if (status != PAWL_OK) {
        json_decref(own.items);
        return status;
    }
    bool more = json_array_size(own.items) >= limit;
    return pawl_view_give(
        json_pack("{s:o, s:o}", "items", own.items, "next", more ? json_integer((json_int_t)own.last) : json_null()),
        ret_json, error);
}

pawl_status pawl_host_queue_tend(pawl_host *host, const char *session, uint32_t action, const uint64_t *items,
                                 size_t count, uint64_t *ret_done, pawl_error *error)
{
    const pawl_queue_table *table;
    pawl_status status = check(host, session, &table, error);
    if (status != PAWL_OK)
        return status;
    uint64_t done = 0;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_host_entered(host);
    status = explain(table->tend(host->registry.store, pawl_bytes_text(session), action, items, count, &done, &why),
                     &why, error);
    pawl_host_queue_changed(host);
    pawl_host_left(host);
    if (ret_done != NULL)
        *ret_done = done;
    return status;
}
