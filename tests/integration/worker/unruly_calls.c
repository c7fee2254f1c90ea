/* unruly_calls.c: the half of the unruly registry that has no operations: calls that return at once, and what a test
 * sets. See unruly.h. */
#include "unruly_internal.h"

/* Takes one from a count of failures. */
static bool fails(unruly *u, uint32_t *failures)
{
    pthread_mutex_lock(&u->lock);
    bool fail = *failures > 0;
    if (fail)
        (*failures)--;
    pthread_mutex_unlock(&u->lock);
    return fail;
}

/* A program that is stopped does not call: wait until it goes on. True: it is dead. */
static bool is_cut(unruly *u)
{
    pthread_mutex_lock(&u->lock);
    while (u->frozen)
        pthread_cond_wait(&u->changed, &u->lock);
    bool cut = u->cut;
    pthread_mutex_unlock(&u->lock);
    return cut;
}

static pawl_status worker_open(pawl_store *store, pawl_bytes name, uint64_t ttl_ns, void *listener, uint64_t *session,
                               pawl_failure_sink *why)
{
    unruly *u = unruly_of_store(store);
    bool cut = is_cut(u);
    pthread_mutex_lock(&u->lock);
    u->worker = listener;
    pthread_mutex_unlock(&u->lock);
    if (cut)
        return PAWL_E_IO;
    unruly_saw(u, &(unruly_sight){.kind = UNRULY_SAW_BEATING});
    pawl_status status = u->real->table.worker_open(u->real->store, name, ttl_ns, &u->listener, session, why);
    if (status != PAWL_OK)
        return status;
    unruly_saw(u, &(unruly_sight){.kind = UNRULY_SAW_OPEN, .session = *session, .ttl_ns = ttl_ns});
    pthread_mutex_lock(&u->lock);
    u->session = *session;
    pthread_mutex_unlock(&u->lock);
    return status;
}

static pawl_status heartbeat(pawl_store *store, uint64_t session)
{
    unruly *u = unruly_of_store(store);
    if (is_cut(u))
        return PAWL_OK;
    if (fails(u, &u->heartbeat_failures))
        return u->heartbeat_status;
    unruly_saw(u, &(unruly_sight){.kind = UNRULY_SAW_BEATING, .session = session});
    pawl_status status = u->real->table.heartbeat(u->real->store, session);
    unruly_saw(u, &(unruly_sight){.kind = UNRULY_SAW_BEAT, .session = session, .status = status});
    return status;
}

static void worker_close(pawl_store *store, uint64_t session)
{
    unruly *u = unruly_of_store(store);
    if (is_cut(u))
        return;
    unruly_saw(u, &(unruly_sight){.kind = UNRULY_SAW_CLOSING, .session = session});
    u->real->table.worker_close(u->real->store, session);
    unruly_saw(u, &(unruly_sight){.kind = UNRULY_SAW_CLOSE, .session = session});
    unruly_drop_events(u);
}

typedef struct claiming {
    unruly *u;
    uint64_t session;
    pawl_row_visit visit;
    void *context;
} claiming;

static int32_t see_granted(void *context, const pawl_process_row *row)
{
    claiming *c = context;
    unruly_saw(c->u, &(unruly_sight){.kind = UNRULY_SAW_GRANT,
                                     .session = c->session,
                                     .number = row->number,
                                     .token = row->token,
                                     .head = row->head});
    return c->visit(c->context, row);
}

static pawl_status claim(pawl_store *store, const pawl_claim *wanted, pawl_row_visit visit, void *context,
                         pawl_failure_sink *why)
{
    unruly *u = unruly_of_store(store);
    pthread_mutex_lock(&u->lock);
    u->claims++;
    pthread_mutex_unlock(&u->lock);
    if (is_cut(u))
        return PAWL_E_STALE;
    if (fails(u, &u->claim_failures))
        return u->claim_status;
    claiming c = {u, wanted->session, visit, context};
    unruly_sight sight = {.kind = UNRULY_SAW_CLAIMING, .session = wanted->session, .count = wanted->limit};
    unruly_saw(u, &sight);
    sight.status = u->real->table.claim(u->real->store, wanted, see_granted, &c, why);
    sight.kind = UNRULY_SAW_CLAIMED;
    unruly_saw(u, &sight);
    return sight.status;
}

static pawl_status release(pawl_store *store, uint64_t number, uint64_t token)
{
    unruly *u = unruly_of_store(store);
    if (is_cut(u))
        return PAWL_E_STALE;
    unruly_sight sight = {.kind = UNRULY_SAW_RELEASING, .number = number, .token = token};
    unruly_saw(u, &sight);
    sight.status = u->real->table.release(u->real->store, number, token);
    sight.kind = UNRULY_SAW_RELEASE;
    unruly_saw(u, &sight);
    return sight.status;
}

static void tick(pawl_store *store)
{
    unruly *u = unruly_of_store(store);
    if (!is_cut(u))
        u->real->table.tick(u->real->store);
}

typedef struct reading {
    unruly *u;
    uint64_t number;
    uint64_t omitted;
    pawl_record_visit visit;
    void *context;
} reading;

static int32_t see_record(void *context, const pawl_record *record)
{
    reading *r = context;
    if (record->sequence == r->omitted)
        return 0;
    unruly_saw(r->u, &(unruly_sight){.kind = UNRULY_SAW_RECORD, .number = r->number, .record = record});
    return r->visit(r->context, record);
}

static pawl_status journal(pawl_store *store, uint64_t number, uint64_t from, uint64_t limit, pawl_record_visit visit,
                           void *context, pawl_failure_sink *why)
{
    unruly *u = unruly_of_store(store);
    if (is_cut(u))
        return PAWL_E_CLOSED;
    if (fails(u, &u->journal_failures))
        return u->journal_status;
    pthread_mutex_lock(&u->lock);
    reading r = {u, number, u->omitted, visit, context};
    pthread_mutex_unlock(&u->lock);
    return u->real->table.journal(u->real->store, number, from, limit, see_record, &r, why);
}

void unruly_fill_calls(pawl_registry_table *table)
{
    table->worker_open = worker_open;
    table->heartbeat = heartbeat;
    table->worker_close = worker_close;
    table->claim = claim;
    table->release = release;
    table->tick = tick;
    table->journal = journal;
}

/* ---- what the test calls ---- */

pawl_registry *unruly_registry(unruly *u)
{
    return &u->registry;
}

void unruly_add(unruly *u, const unruly_rule *rule)
{
    pthread_mutex_lock(&u->lock);
    uint32_t at = 0;
    while (at < u->rule_count && u->rules[at].action != 0)
        at++;
    bool room = at < UNRULY_RULES_MAX;
    if (room) {
        u->rules[at] = *rule;
        u->rule_count = at < u->rule_count ? u->rule_count : at + 1;
    }
    pthread_mutex_unlock(&u->lock);
    assert_true(room);
}

bool unruly_wait_held(unruly *u, uint32_t count)
{
    uint64_t until = lab_mono_ns() + LAB_PATIENCE_NS;
    pthread_mutex_lock(&u->lock);
    while (u->held_count < count && lab_mono_ns() < until)
        lab_wait(&u->changed, &u->lock, PAWL_NS_PER_MS * 100);
    bool enough = u->held_count >= count;
    pthread_mutex_unlock(&u->lock);
    return enough;
}

#define READ(member)                                                                                                   \
    pthread_mutex_lock(&u->lock);                                                                                      \
    uint32_t value = u->member;                                                                                        \
    pthread_mutex_unlock(&u->lock);                                                                                    \
    return value

uint32_t unruly_touched(unruly *u)
{
    READ(touched);
}

uint32_t unruly_claims(unruly *u)
{
    READ(claims);
}

void unruly_shuffle(unruly *u, uint32_t late_ms)
{
    pthread_mutex_lock(&u->lock);
    u->late_ms = late_ms;
    pthread_mutex_unlock(&u->lock);
}

void unruly_set_weather(unruly *u, const unruly_weather *weather)
{
    pthread_mutex_lock(&u->lock);
    u->weather = *weather;
    u->spell_left = 0;
    u->random = weather->seed * 2 + 1;
    pthread_mutex_unlock(&u->lock);
}

#define FAIL_NEXT(what)                                                                                                \
    pthread_mutex_lock(&u->lock);                                                                                      \
    u->what##_failures = times;                                                                                        \
    u->what##_status = status;                                                                                         \
    pthread_mutex_unlock(&u->lock)

void unruly_fail_claims(unruly *u, uint32_t times, pawl_status status)
{
    FAIL_NEXT(claim);
}

void unruly_fail_journals(unruly *u, uint32_t times, pawl_status status)
{
    FAIL_NEXT(journal);
}

void unruly_omit_record(unruly *u, uint64_t sequence)
{
    pthread_mutex_lock(&u->lock);
    u->omitted = sequence;
    pthread_mutex_unlock(&u->lock);
}

void unruly_fail_heartbeats(unruly *u, uint32_t times, pawl_status status)
{
    FAIL_NEXT(heartbeat);
}

void unruly_poke(unruly *u, uint32_t times)
{
    pawl_registry_event event = {.struct_size = sizeof event, .kind = PAWL_EVENT_WORK};
    for (uint32_t i = 0; i < times; i++)
        unruly_on_event(&u->listener, &event);
}

void unruly_deafen(unruly *u)
{
    pthread_mutex_lock(&u->lock);
    u->deaf = true;
    pthread_mutex_unlock(&u->lock);
}

void unruly_cut(unruly *u)
{
    pthread_mutex_lock(&u->lock);
    u->cut = true;
    uint64_t session = u->session;
    pthread_mutex_unlock(&u->lock);
    unruly_saw(u, &(unruly_sight){.kind = UNRULY_SAW_CLOSING, .session = session});
    u->real->table.worker_close(u->real->store, session);
    unruly_saw(u, &(unruly_sight){.kind = UNRULY_SAW_CLOSE, .session = session});
    unruly_let_go(u);
}
