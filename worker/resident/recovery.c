/* resident/recovery.c: what the death of a worker means for the processes it ran. One whose code was running each time
 * is given a pause, and after so many deaths in a row parked, so that it does not take the fleet down with it; one that
 * is bound to its owner ends when that is gone. Deaths are learned of from the flight recorder and put on record in
 * the journal, so that the count survives as the process does. Must never end or park a process because time has
 * passed, nor because of a stop in order, which leaves no victims. */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define BACK_OFF_FIRST_NS PAWL_NS_PER_SECOND
#define BACK_OFF_DOUBLED  5u /* times: 32 s is the longest */

/* ---- putting deaths on record ---- */

static pawl_status report(pawl_worker *worker, const pawl_flight_victim *victim, pawl_error *error)
{
    char post_id[80];
    snprintf(post_id, sizeof post_id, "death/%" PRIu64 "/%u", victim->flight, victim->slot);
    pawl_arena arena = {0};
    pawl_entry entry = {
        .kind = PAWL_RECORD_INTERRUPTED, .name = victim->what, .value = pawl_bytes_text(worker->config.name)};
    pawl_post post = {.struct_size = sizeof post,
                      .kind = PAWL_RECORD_INTERRUPTED,
                      .id = victim->id,
                      .post_id = pawl_bytes_text(post_id)};
    pawl_status status = pawl_entry_encode(&arena, &entry, &post.body);
    if (status == PAWL_OK) {
        /* Reported twice, by workers of different names, it is the same death. */
        XXH128_canonical_t digest;
        XXH128_canonicalFromHash(&digest, XXH3_128bits(victim->what.data, victim->what.size));
        post.fingerprint = (pawl_bytes){digest.digest, sizeof digest.digest};
        pawl_registry_op op = {.struct_size = sizeof op};
        status = pawl_registry_call(worker->config.registry, &op, PAWL_OP_POST, &post, error);
    }
    pawl_arena_finish(&arena);
    return status;
}

pawl_status pawl_resident_report_victims(pawl_worker *worker, pawl_error *error)
{
    if (worker->flight == NULL)
        return PAWL_OK;
    const pawl_flight_victim *victims;
    size_t count = pawl_flight_victims(worker->flight, &victims);
    for (size_t i = 0; i < count; i++) {
        char id[PAWL_FLIGHT_ID_MAX + 1], what[PAWL_FLIGHT_WHAT_MAX + 1];
        snprintf(id, sizeof id, "%.*s", (int)victims[i].id.size, (const char *)victims[i].id.data);
        snprintf(what, sizeof what, "%.*s", (int)victims[i].what.size, (const char *)victims[i].what.data);
        pawl_status status = report(worker, &victims[i], error);
        if (status == PAWL_OK)
            pawl_log_write(worker->config.log, PAWL_LOG_WARN, "an earlier worker died while it ran this process",
                           "process", id, "in", what, (char *)NULL);
        /* Ended, pruned, of another store, or known with other content: nobody needs to hear of it. */
        else if (status != PAWL_E_TERMINAL && status != PAWL_E_NOT_FOUND && status != PAWL_E_CONFLICT)
            return pawl_error_wrap(error, "recording that a worker died while it ran process \"%s\"", id);
    }
    pawl_flight_forget(worker->flight);
    return PAWL_OK;
}

/* ---- what a process is to make of them ---- */

static void copy_text(char *to, size_t room, pawl_bytes from)
{
    snprintf(to, room, "%.*s", (int)(from.size < room ? from.size : room - 1), (const char *)from.data);
}

void pawl_resident_note_recovery(pawl_resident *r, const pawl_record *record)
{
    pawl_recovery *recovery = &r->recovery;
    pawl_entry entry;
    if (record->kind == PAWL_RECORD_INTERRUPTED && pawl_entry_decode(record, &entry, NULL) == PAWL_OK) {
        atomic_fetch_add_explicit(&recovery->deaths, 1, memory_order_relaxed);
        recovery->last_unix_ns = record->time_unix_ns;
        pthread_mutex_lock(&r->shard->table_lock);
        copy_text(recovery->what, sizeof recovery->what, entry.name);
        pthread_mutex_unlock(&r->shard->table_lock);
    } else if (record->kind == PAWL_RECORD_OWNER && pawl_entry_decode(record, &entry, NULL) == PAWL_OK) {
        recovery->owner = entry.due_unix_ns;
        copy_text(recovery->owner_name, sizeof recovery->owner_name, entry.name);
    } else if (record->kind == PAWL_RECORD_STEP || record->kind == PAWL_RECORD_ATTEMPT ||
               record->kind == PAWL_RECORD_FIRED || record->kind == PAWL_RECORD_RESUMED) {
        atomic_store_explicit(&recovery->deaths, 0,
                              memory_order_relaxed); /* it got on, or an operator says that it can */
    }
}

static void give_up(pawl_resident *r)
{
    const pawl_recovery *recovery = &r->recovery;
    uint32_t deaths = atomic_load_explicit(&recovery->deaths, memory_order_relaxed);
    static const char code[] = "process.abandoned";
    r->recovery.abandoned = true;
    r->result = (pawl_run_result){.kind = PAWL_RUN_ENDED, .status = PAWL_FAILED};
    snprintf(r->park_reason, sizeof r->park_reason,
             "it is bound to its owner, worker %s (session %" PRIu64 "), which is gone; it is not run again%s%s",
             recovery->owner_name, recovery->owner, deaths > 0 ? "; that worker died in " : "",
             deaths > 0 ? recovery->what : "");
    r->result.failure = (pawl_failure){.struct_size = sizeof r->result.failure,
                                       .klass = PAWL_TERMINAL,
                                       .code = {code, sizeof code - 1},
                                       .message = pawl_bytes_text(r->park_reason)};
}

/* Only its first worker session may run it. That one is on record before anything of it runs. */
static void bind_to_owner(pawl_resident *r)
{
    uint64_t session = atomic_load(&r->worker->session);
    if (r->recovery.owner != 0) {
        if (r->recovery.owner != session)
            give_up(r);
        return;
    }
    pawl_entry entry = {
        .kind = PAWL_RECORD_OWNER, .name = pawl_bytes_text(r->worker->config.name), .due_unix_ns = session};
    pawl_resident_record(r, &entry, true);
}

void pawl_resident_recover(pawl_resident *r)
{
    pawl_recovery *recovery = &r->recovery;
    const pawl_type *type = r->code;
    if (r->parking || type == NULL)
        return;
    if (type->recovery == PAWL_RECOVERY_OWNER_BOUND) {
        bind_to_owner(r);
        return;
    }
    uint32_t deaths = atomic_load_explicit(&recovery->deaths, memory_order_relaxed);
    uint32_t most = type->recovery_attempts == 0 ? PAWL_RECOVERY_ATTEMPTS : type->recovery_attempts;
    if (deaths >= most) {
        pawl_resident_park(r, "poison",
                           "%u workers in a row died while they ran it, the last one in %s; at most %u are allowed: "
                           "mend the plugin, then resume it, or terminate it",
                           deaths, recovery->what, most);
        return;
    }
    if (deaths < 2)
        return; /* once is nobody's fault, and whoever restarts a worker waits for its processes */
    uint32_t doubled = deaths - 2 < BACK_OFF_DOUBLED ? deaths - 2 : BACK_OFF_DOUBLED;
    atomic_store_explicit(&recovery->back_off_unix_ns, recovery->last_unix_ns + (BACK_OFF_FIRST_NS << doubled),
                          memory_order_relaxed);
}

bool pawl_resident_backs_off(pawl_resident *r)
{
    uint64_t until = atomic_load_explicit(&r->recovery.back_off_unix_ns, memory_order_relaxed);
    if (until == 0)
        return false;
    uint64_t now = resident_unix_now(r);
    /* A clock that was set back must not keep it for longer than the pause. */
    bool over = until <= now || now < r->recovery.last_unix_ns;
    if (over)
        atomic_store_explicit(&r->recovery.back_off_unix_ns, 0, memory_order_relaxed);
    return !over;
}
