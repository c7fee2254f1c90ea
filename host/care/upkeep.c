/* upkeep.c: see upkeep.h. A pass begins from what is there, keeps no place of its own and may be repeated:
 * one that is broken off, by closing or by a crash, is continued by the next. Must never remove what is in use; what
 * may go is judged by the stores, under their own locks. */
#include "host/care/upkeep.h"

#include "host/care/prune.h"
#include "host/host_internal.h"
#include "host/view/view.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND_NS       UINT64_C(1000000000)
#define PERIOD_MAX_NS   (60 * SECOND_NS)
#define PERIOD_MIN_NS   SECOND_NS
#define PERIOD_COUNT_NS (2 * SECOND_NS) /* how often it is counted when the profile keeps so many */
#define PERIOD_OF_SPANS 10u
#define REST_OF_WORK    20u   /* never more than a twentieth of one core */
#define COLLECT_SLICE   100u  /* contents and uploads of one call */
#define COLLECT_MAX     5000u /* of one pass */
#define IDS_SLICE       1000u
#define IDS_MAX         50000u

typedef enum work { WORK_PRUNED, WORK_IDS, WORK_COLLECTED, WORK_BYTES, WORK_FAILURES, WORK_COUNT } work;

struct pawl_upkeep {
    pawl_host *host;
    uint64_t least_ns;  /* the shortest time that an ended process is kept; 0: for ever */
    uint64_t period_ns; /* between two passes */
    atomic_ullong done[WORK_COUNT];
    pthread_t thread;
    pthread_mutex_t lock; /* guards stop */
    pthread_cond_t changed;
    bool stop;
};

static bool stops(pawl_upkeep *own)
{
    pthread_mutex_lock(&own->lock);
    bool stop = own->stop;
    pthread_mutex_unlock(&own->lock);
    return stop;
}

/* What a pass did, told and counted. */
static void told(pawl_upkeep *own, work what, uint64_t count, const char *words, pawl_status status,
                 const pawl_error *error)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, count);
    atomic_fetch_add(&own->done[what], count);
    if (status != PAWL_OK && status != PAWL_E_CLOSED) {
        atomic_fetch_add(&own->done[WORK_FAILURES], 1);
        pawl_log_write(&own->host->log, PAWL_LOG_ERROR, "upkeep failed; it is tried again", "error", error->message,
                       (char *)NULL);
    }
    if (count > 0)
        pawl_log_write(&own->host->log, PAWL_LOG_INFO, words, "count", text, (char *)NULL);
}

/* ---- ended processes ---- */

static void prune_old(pawl_upkeep *own, uint64_t now)
{
    pawl_prune_tally all = {.more = true};
    pawl_error error = {0};
    pawl_status status = PAWL_OK;
    if (own->least_ns == 0 || now <= own->least_ns)
        return;
    const pawl_prune_rule which = {.host = own->host, .now_unix_ns = now};
    pawl_ended from = {.struct_size = sizeof from, .limit = PAWL_PRUNE_SLICE, .before_unix_ns = now - own->least_ns};
    while (status == PAWL_OK && all.more && !stops(own))
        status = pawl_prune_slice(&which, &from, false, &all, &error);
    told(own, WORK_PRUNED, all.pruned, "ended processes are no longer retained", status, &error);
}

static uint64_t ended_count(const pawl_host *host)
{
    uint64_t counts[PAWL_TERMINATED + 1] = {0};
    uint64_t sum = 0;
    if (host->registry.table.count(host->registry.store, counts, sizeof counts / sizeof *counts, NULL) < 0)
        return 0;
    for (uint32_t status = PAWL_COMPLETED; status <= PAWL_TERMINATED; status++)
        sum += counts[status];
    return sum;
}

/* The oldest of those that are more than the profile keeps. */
static void prune_many(pawl_upkeep *own)
{
    pawl_host *host = own->host;
    pawl_prune_tally all = {.more = true};
    pawl_error error = {0};
    pawl_status status = PAWL_OK;
    uint64_t kept = host->profile->retention.max;
    uint64_t ended = kept == 0 ? 0 : ended_count(host);
    if (ended <= kept)
        return;
    const pawl_prune_rule which = {.host = host};
    pawl_ended from = {.struct_size = sizeof from, .before_unix_ns = UINT64_MAX};
    for (uint64_t left = ended - kept; status == PAWL_OK && left > 0 && all.more && !stops(own);
         left = ended - kept - (all.looked < ended - kept ? all.looked : ended - kept)) {
        from.limit = left < PAWL_PRUNE_SLICE ? (uint32_t)left : PAWL_PRUNE_SLICE;
        status = pawl_prune_slice(&which, &from, false, &all, &error);
    }
    told(own, WORK_PRUNED, all.pruned, "ended processes are more than are retained, and the oldest go", status, &error);
}

static void forget_ids(pawl_upkeep *own, uint64_t now)
{
    pawl_host *host = own->host;
    uint64_t kept = host->profile->retention.ids_ns;
    uint64_t forgotten = 0;
    pawl_error error = {0};
    pawl_status status = PAWL_OK;
    pawl_registry_op op = {.struct_size = sizeof op, .count = IDS_SLICE};
    if (kept == 0 || now <= kept)
        return;
    const pawl_prune body = {.struct_size = sizeof body, .limit = IDS_SLICE, .ids_before_unix_ns = now - kept};
    while (status == PAWL_OK && op.count == IDS_SLICE && forgotten < IDS_MAX && !stops(own)) {
        status = pawl_registry_call(&host->registry, &op, PAWL_OP_PRUNE, &body, &error);
        forgotten += status == PAWL_OK ? op.count : 0;
    }
    told(own, WORK_IDS, forgotten, "ids of processes that are no longer retained are forgotten", status, &error);
}

/* ---- content ---- */

static void collect(pawl_upkeep *own, uint64_t now)
{
    pawl_host *host = own->host;
    const pawl_attachment_table *table = host->attachments.table;
    uint64_t kept = host->profile->retention.unreferenced_ns;
    uint64_t collected = 0;
    pawl_error error = {0};
    pawl_status status = PAWL_OK;
    pawl_attachment_collect pass = {.struct_size = sizeof pass, .limit = COLLECT_SLICE, .removed = COLLECT_SLICE};
    if (kept == 0 || now <= kept || table->collect == NULL)
        return;
    pass.before_unix_ns = now - kept;
    while (status == PAWL_OK && pass.removed == COLLECT_SLICE && collected < COLLECT_MAX && !stops(own)) {
        pawl_failure_slot why;
        pawl_failure_init(&why);
        pass.removed = pass.bytes = 0;
        status = table->collect(host->attachments.store, &pass, &why);
        if (status != PAWL_OK)
            status = pawl_failure_error(&why, status < 0 ? status : PAWL_E_FAILED, &error);
        pawl_failure_finish(&why);
        collected += pass.removed;
        atomic_fetch_add(&own->done[WORK_BYTES], pass.bytes);
    }
    told(own, WORK_COLLECTED, collected, "attachments that nothing refers to are gone", status, &error);
}

/* ---- the thread ---- */

static void *run(void *argument)
{
    pawl_upkeep *own = argument;
    const pawl_clock *clock = own->host->clock;
    while (!stops(own)) {
        uint64_t began = clock->mono_ns(clock);
        uint64_t now = clock->unix_ns(clock);
        prune_old(own, now);
        prune_many(own);
        forget_ids(own, now);
        collect(own, now);
        uint64_t took = clock->mono_ns(clock) - began;
        uint64_t rest = own->period_ns > REST_OF_WORK * took ? own->period_ns : REST_OF_WORK * took;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (time_t)(rest / SECOND_NS);
        pthread_mutex_lock(&own->lock);
        while (!own->stop && pthread_cond_timedwait(&own->changed, &own->lock, &until) == 0)
            continue;
        pthread_mutex_unlock(&own->lock);
    }
    return NULL;
}

static uint64_t least_kept(const pawl_profile *profile)
{
    uint64_t least = profile->retention.ended_ns;
    for (size_t i = 0; i < profile->retention.type_count; i++) {
        uint64_t kept = profile->retention.types[i].ended_ns;
        if (kept != 0 && (least == 0 || kept < least))
            least = kept;
    }
    return least;
}

/* A tenth of the shortest span, within bounds. 0: there is nothing to do, ever. */
static uint64_t period_of(const pawl_profile *profile, uint64_t least_ns)
{
    const uint64_t spans[] = {least_ns, profile->retention.ids_ns, profile->retention.unreferenced_ns};
    uint64_t period = 0;
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        uint64_t part = spans[i] / PERIOD_OF_SPANS;
        part = part < PERIOD_MIN_NS ? PERIOD_MIN_NS : part > PERIOD_MAX_NS ? PERIOD_MAX_NS : part;
        if (spans[i] != 0 && (period == 0 || part < period))
            period = part;
    }
    if (profile->retention.max != 0 && (period == 0 || period > PERIOD_COUNT_NS))
        period = PERIOD_COUNT_NS;
    return period;
}

static pawl_status check_offered(const pawl_host *host, uint64_t least_ns, pawl_error *error)
{
    const pawl_profile *profile = host->profile;
    if (least_ns != 0 || profile->retention.max != 0) {
        pawl_status status = pawl_prune_offered(host, error);
        if (status != PAWL_OK)
            return status;
    }
    const pawl_profile_store *store = profile->facets[PAWL_FACET_REGISTRY].store;
    if (profile->retention.ids_ns != 0 && (host->registry.table.features & PAWL_REGISTRY_FORGETS) == 0)
        return pawl_error_set(error, PAWL_E_UNSUPPORTED, "store.not_offered",
                              "store \"%s\" cannot forget ids (retention.ids): its provider, %s, does not offer it",
                              store->name, store->provider);
    return PAWL_OK;
}

pawl_status pawl_upkeep_start(pawl_host *host, pawl_upkeep **ret, pawl_error *error)
{
    uint64_t least = least_kept(host->profile);
    uint64_t period = period_of(host->profile, least);
    pawl_status status = check_offered(host, least, error);
    if (status != PAWL_OK || period == 0)
        return status;
    pawl_upkeep *own = calloc(1, sizeof *own);
    pthread_condattr_t attributes;
    if (own == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while opening the host");
    own->host = host;
    own->least_ns = least;
    own->period_ns = period;
    pthread_mutex_init(&own->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&own->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&own->thread, NULL, run, own) != 0) {
        pthread_cond_destroy(&own->changed);
        pthread_mutex_destroy(&own->lock);
        free(own);
        return pawl_error_set(error, PAWL_E_NOMEM, "no_thread", "no thread for the upkeep of the stores");
    }
    *ret = own;
    return PAWL_OK;
}

pawl_upkeep *pawl_upkeep_stop(pawl_upkeep *own)
{
    if (own == NULL)
        return NULL;
    pthread_mutex_lock(&own->lock);
    own->stop = true;
    pthread_cond_signal(&own->changed);
    pthread_mutex_unlock(&own->lock);
    pthread_join(own->thread, NULL);
    pthread_cond_destroy(&own->changed);
    pthread_mutex_destroy(&own->lock);
    free(own);
    return NULL;
}

json_t *pawl_upkeep_view(const pawl_upkeep *own)
{
    static const char *const names[WORK_COUNT] = {"pruned", "ids_forgotten", "attachments_collected", "bytes_collected",
                                                  "failures"};
    json_t *json = json_object();
    for (size_t i = 0; i < WORK_COUNT; i++)
        (void)pawl_view_set(json, names[i], json_integer(own == NULL ? 0 : (json_int_t)atomic_load(&own->done[i])));
    return json;
}
