/* guard.c: see guard.h. */
#include "guard.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define PROBES_LOOK_NS                                                                                                 \
    PAWL_NS_PER_SECOND /* probes that are under way are told about; this is for when that is lost                      \
                        */
/* Asked more often, middleware that is never ready would take a shard for itself; less often, one that is would go
 * unnoticed for good. */
#define MIDDLEWARE_WAIT_MIN_NS PAWL_NS_PER_MS
#define MIDDLEWARE_WAIT_MAX_NS (24 * 3600 * PAWL_NS_PER_SECOND)

/* ---- making ---- */

static pawl_guard *make(pawl_guard_kind kind, const char *of)
{
    pawl_guard *guard = calloc(1, sizeof *guard);
    if (guard == NULL)
        return NULL;
    guard->kind = kind;
    guard->of = of;
    pthread_mutex_init(&guard->lock, NULL);
    return guard;
}

pawl_guard *pawl_guard_rate(const char *of, pawl_rate rate)
{
    pawl_guard *guard = make(PAWL_GUARD_RATE, of);
    if (guard != NULL)
        guard->rate = rate;
    return guard;
}

pawl_guard *pawl_guard_places(const char *of, uint32_t limit)
{
    pawl_guard *guard = make(PAWL_GUARD_PLACES, of);
    if (guard != NULL)
        guard->places.limit = limit == 0 ? 1 : limit;
    return guard;
}

pawl_guard *pawl_guard_circuit(const char *of, const pawl_circuit_config *config)
{
    pawl_guard *guard = make(PAWL_GUARD_CIRCUIT, of);
    if (guard != NULL && !pawl_circuit_init(&guard->circuit, config))
        guard = pawl_guard_destroy(guard);
    return guard;
}

pawl_guard *pawl_guard_middleware(const char *of, const char *plugin, const pawl_middleware_table *table,
                                  pawl_middleware *instance)
{
    pawl_guard *guard = make(PAWL_GUARD_MIDDLEWARE, of);
    if (guard != NULL) {
        guard->middleware.table = table;
        guard->middleware.instance = instance;
        guard->middleware.plugin = plugin;
    }
    return guard;
}

pawl_guard *pawl_guard_destroy(pawl_guard *guard)
{
    if (guard != NULL) {
        pawl_circuit_finish(&guard->circuit);
        pthread_mutex_destroy(&guard->lock);
        free(guard);
    }
    return NULL;
}

const char *pawl_guard_kind_name(pawl_guard_kind kind)
{
    static const char *const names[] = {"rate_limit", "concurrency", "circuit", "middleware"};
    return names[kind];
}

void pawl_guard_look(pawl_guard *guard, uint64_t now_mono_ns, pawl_guard_view *ret)
{
    pthread_mutex_lock(&guard->lock);
    const pawl_circuit *circuit = &guard->circuit;
    *ret = (pawl_guard_view){.kind = guard->kind,
                             .of = guard->of,
                             .passed = guard->passed,
                             .held = guard->held,
                             .refused = guard->refused,
                             .limit = guard->places.limit,
                             .taken = guard->places.taken,
                             .waiting = guard->places.waiting,
                             .state = circuit->state,
                             .calls = circuit->calls,
                             .failed = circuit->failed,
                             .slow = circuit->slow,
                             .longest_ns = guard->longest_ns,
                             .plugin = guard->middleware.plugin};
    if (guard->kind == PAWL_GUARD_RATE) {
        ret->tokens = pawl_rate_tokens(&guard->rate, now_mono_ns);
        ret->burst = guard->rate.burst;
    }
    if (circuit->state == PAWL_CIRCUIT_OPEN) { /* what it was judged by: its window is empty */
        ret->calls = circuit->shown_calls;
        ret->failed = circuit->shown_failed;
        ret->slow = circuit->shown_slow;
        ret->open_left_ns = circuit->until_mono_ns > now_mono_ns ? circuit->until_mono_ns - now_mono_ns : 0;
    }
    for (size_t i = 0; i < 3; i++)
        ret->transitions[i] = circuit->transitions[i];
    pthread_mutex_unlock(&guard->lock);
}

bool pawl_guard_describe(pawl_guard *guard, pawl_sink *json)
{
    const pawl_middleware_table *table = guard->middleware.table;
    return table != NULL && table->describe != NULL && table->describe(guard->middleware.instance, json) == PAWL_OK;
}

/* ---- passing one ---- */

static pawl_pass pass_rate(pawl_guard *guard, uint64_t now, bool returning, pawl_held *held)
{
    bool kept;
    uint64_t wait = pawl_rate_take(&guard->rate, now, returning, &kept);
    if (wait == 0 && kept)
        return PAWL_PASSED;
    held->wait_ns = wait;
    held->is_short = kept;
    held->until_told = false;
    snprintf(held->why, sizeof held->why, "rate limit of %s", guard->of);
    return PAWL_HELD;
}

static pawl_pass pass_places(pawl_guard *guard, pawl_waiter *waiter, pawl_held *held)
{
    if (guard->places.taken < guard->places.limit) {
        guard->places.taken++;
        return PAWL_PASSED;
    }
    waiter->guard = guard;
    waiter->next = NULL;
    waiter->granted = false;
    if (guard->places.first == NULL)
        guard->places.first = waiter;
    else
        guard->places.last->next = waiter;
    guard->places.last = waiter;
    guard->places.waiting++;
    held->wait_ns = UINT64_MAX;
    held->is_short = true;
    held->until_told = false;
    snprintf(held->why, sizeof held->why, "all %u places of %s are taken", guard->places.limit, guard->of);
    return PAWL_HELD;
}

static pawl_pass pass_circuit(pawl_guard *guard, uint64_t now, uint64_t *permit, pawl_held *held)
{
    char cause[64];
    uint64_t wait;
    if (pawl_circuit_ask(&guard->circuit, now, permit, &wait))
        return PAWL_PASSED;
    pawl_circuit_explain(&guard->circuit, cause, sizeof cause);
    snprintf(held->why, sizeof held->why,
             wait == 0 ? "circuit of %s is half open (%s before)" : "circuit of %s is open (%s)", guard->of, cause);
    held->code = "circuit.open";
    held->wait_ns = wait == 0 ? PROBES_LOOK_NS : wait;
    held->is_short = held->wait_ns <= PROBES_LOOK_NS;
    held->until_told = true;
    if (!guard->circuit.config.fails_when_open)
        return PAWL_HELD;
    guard->refused++;
    return PAWL_REFUSED;
}

/* Nothing but these three answers is taken for a yes or a wait. */
static pawl_pass understand(const pawl_guard *guard, pawl_status answer, uint64_t wait_ns, pawl_held *held)
{
    const pawl_failure *said = &held->said.failure;
    if (answer == PAWL_OK)
        return PAWL_PASSED;
    if (answer == PAWL_PENDING) {
        held->wait_ns = wait_ns < MIDDLEWARE_WAIT_MIN_NS   ? MIDDLEWARE_WAIT_MIN_NS
                        : wait_ns > MIDDLEWARE_WAIT_MAX_NS ? MIDDLEWARE_WAIT_MAX_NS
                                                           : wait_ns;
        held->is_short = held->wait_ns <= PROBES_LOOK_NS;
        held->until_told = true;
        if (held->said.set)
            snprintf(held->why, sizeof held->why, "middleware %s: %.*s", guard->of, (int)said->message.size,
                     (const char *)said->message.data);
        else
            snprintf(held->why, sizeof held->why, "middleware %s", guard->of);
        return PAWL_HELD;
    }
    if (answer > 0) { /* a word of another time, or none: whatever it told is not believed either */
        pawl_failure_finish(&held->said);
        pawl_failure_init(&held->said);
        held->code = "middleware.contract";
        snprintf(held->why, sizeof held->why, "middleware %s (%s) answered status %d, which it may not give", guard->of,
                 guard->middleware.plugin, (int)answer);
        return PAWL_REFUSED;
    }
    held->code = "middleware.refused";
    snprintf(held->why, sizeof held->why, "middleware %s refuses it: %s, without saying why", guard->of,
             pawl_status_name(answer));
    return PAWL_REFUSED;
}

static pawl_pass pass_middleware(pawl_passage *passage, pawl_guard *guard, pawl_held *held)
{
    uint64_t wait_ns = 0, *ticket = &passage->permits[passage->passed];
    assert(passage->attempt != NULL && passage->clock != NULL);
    *ticket = 0;
    if (passage->decides != NULL)
        passage->decides(passage, guard);
    uint64_t begun = passage->clock->mono_ns(passage->clock);
    pawl_status answer =
        guard->middleware.table->before(guard->middleware.instance, passage->attempt, ticket, &wait_ns, &held->said);
    uint64_t now = passage->clock->mono_ns(passage->clock);
    if (passage->decides != NULL)
        passage->decides(passage, NULL);
    pawl_pass pass = understand(guard, answer, wait_ns, held);
    pthread_mutex_lock(&guard->lock);
    guard->passed += pass == PAWL_PASSED;
    guard->held += pass == PAWL_HELD;
    guard->refused += pass == PAWL_REFUSED;
    if (now > begun && now - begun > guard->longest_ns)
        guard->longest_ns = now - begun;
    pthread_mutex_unlock(&guard->lock);
    return pass;
}

static pawl_pass pass_one(pawl_passage *passage, uint64_t now, bool returning, pawl_waiter *waiter, pawl_held *held)
{
    pawl_guard *guard = passage->guards->items[passage->passed];
    pawl_pass pass;
    if (guard->kind == PAWL_GUARD_MIDDLEWARE)
        return pass_middleware(passage, guard, held);
    pthread_mutex_lock(&guard->lock);
    if (guard->kind == PAWL_GUARD_RATE)
        pass = pass_rate(guard, now, returning, held);
    else if (guard->kind == PAWL_GUARD_PLACES)
        pass = pass_places(guard, waiter, held);
    else
        pass = pass_circuit(guard, now, &passage->permits[passage->passed], held);
    guard->passed += pass == PAWL_PASSED;
    guard->held += pass == PAWL_HELD;
    pthread_mutex_unlock(&guard->lock);
    return pass;
}

/* ---- leaving one ---- */

/* Under the guard's lock. The one who is to be woken, or NULL. */
static pawl_waiter *leave_place(pawl_guard *guard)
{
    pawl_waiter *next = guard->places.first;
    if (next == NULL) {
        guard->places.taken--;
        return NULL;
    }
    guard->places.first = next->next;
    if (next->next == NULL)
        guard->places.last = NULL;
    guard->places.waiting--;
    guard->passed++;
    next->granted = true;
    return next;
}

void pawl_waiter_return(pawl_waiter *waiter)
{
    pawl_guard *guard = waiter->guard;
    pthread_mutex_lock(&guard->lock);
    pawl_waiter *next = leave_place(guard);
    pthread_mutex_unlock(&guard->lock);
    if (next != NULL)
        next->wake(next);
}

/* end NULL: it was not begun. True: what it holds back may look again. */
static bool leave_middleware(pawl_passage *passage, size_t at, const pawl_call_end *end)
{
    pawl_guard *guard = passage->guards->items[at];
    const pawl_middleware_table *table = guard->middleware.table;
    pawl_attempt_end told = {.struct_size = sizeof told};
    if (table->after == NULL)
        return false;
    if (end != NULL && end->begun) {
        told.begun = 1;
        told.status = end->status;
        told.duration_ns = end->duration_ns;
        told.failure = end->failure;
    }
    return table->after(guard->middleware.instance, passage->attempt, passage->permits[at], &told) != 0;
}

/* end NULL: it was not begun. */
static bool leave_one(pawl_passage *passage, size_t at, uint64_t now, const pawl_call_end *end)
{
    pawl_guard *guard = passage->guards->items[at];
    pawl_waiter *next = NULL;
    bool changed = false;
    if (guard->kind == PAWL_GUARD_MIDDLEWARE)
        return leave_middleware(passage, at, end);
    pthread_mutex_lock(&guard->lock);
    switch (guard->kind) {
    case PAWL_GUARD_RATE:
        if (end == NULL)
            pawl_rate_give_back(&guard->rate, now);
        break;
    case PAWL_GUARD_PLACES:
        next = leave_place(guard);
        break;
    default:
        if (end == NULL || end->unbegun)
            pawl_circuit_give_back(&guard->circuit, passage->permits[at]);
        else
            changed = pawl_circuit_ended(&guard->circuit, now, passage->permits[at],
                                         end->failed || (end->terminal && guard->circuit.config.terminal_fails),
                                         end->duration_ns);
        break;
    }
    pthread_mutex_unlock(&guard->lock);
    if (next != NULL)
        next->wake(next);
    return changed;
}

static bool leave_all(pawl_passage *passage, uint64_t now, const pawl_call_end *end)
{
    bool changed = false;
    while (passage->passed > 0)
        changed |= leave_one(passage, --passage->passed, now, end);
    return changed;
}

/* ---- the passage ---- */

pawl_pass pawl_passage_go(pawl_passage *passage, uint64_t now_mono_ns, bool returning, pawl_waiter *waiter,
                          pawl_held *ret_held)
{
    while (passage->passed < passage->guards->count) {
        pawl_pass pass = pass_one(passage, now_mono_ns, returning, waiter, ret_held);
        if (pass == PAWL_PASSED) {
            passage->passed++;
            continue;
        }
        pawl_guard_kind kind = passage->guards->items[passage->passed]->kind;
        if (pass == PAWL_HELD && kind == PAWL_GUARD_PLACES)
            passage->waiter = waiter; /* what it has passed stays its own while it stands in line */
        else if (pass == PAWL_HELD && kind == PAWL_GUARD_RATE && ret_held->is_short)
            passage->passed++; /* its token is kept for it */
        else
            (void)leave_all(passage, now_mono_ns, NULL);
        return pass;
    }
    return PAWL_PASSED;
}

void pawl_passage_grant(pawl_passage *passage)
{
    passage->waiter = NULL;
    passage->passed++;
}

bool pawl_passage_end(pawl_passage *passage, uint64_t now_mono_ns, const pawl_call_end *end)
{
    return leave_all(passage, now_mono_ns, end);
}

/* Out of its line. False: it has its place already. */
static bool leave_line(pawl_waiter *waiter)
{
    pawl_guard *guard = waiter->guard;
    pthread_mutex_lock(&guard->lock);
    bool granted = waiter->granted;
    pawl_waiter *before = NULL;
    for (pawl_waiter *at = guard->places.first; !granted && at != NULL && at != waiter; at = at->next)
        before = at;
    if (!granted) {
        if (before == NULL)
            guard->places.first = waiter->next;
        else
            before->next = waiter->next;
        if (guard->places.last == waiter)
            guard->places.last = before;
        guard->places.waiting--;
    }
    pthread_mutex_unlock(&guard->lock);
    return !granted;
}

bool pawl_passage_abandon(pawl_passage *passage, uint64_t now_mono_ns)
{
    bool alone = passage->waiter == NULL || leave_line(passage->waiter);
    passage->waiter = NULL;
    (void)leave_all(passage, now_mono_ns, NULL);
    return alone;
}
