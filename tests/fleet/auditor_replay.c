/* auditor_replay.c: what can only be judged in the order in which it happened: who held a lease when something was
 * written or executed, and what was durable by then. See auditor.h. */
#include "auditor_internal.h"

#include "worker/journal.h"

#include <stdlib.h>
#include <string.h>

#define ORDINALS_MAX 256
#define WORKERS_MAX  64

typedef struct lease {
    uint64_t token, session, order, head;
    uint64_t begun;        /* its claim; what was known by then its worker reads */
    uint64_t last_written; /* sequence of the last record it has written */
    uint64_t handed_order; /* of the commit that is on its way; 0: none */
    uint32_t handed_op, worker;
    int running;    /* executions under it */
    bool may_be_up; /* given back, or about to be */
    bool loaded;    /* its worker has begun to read the journal under it: it executes under no older one */
    bool knows_end; /* its worker has read it under this lease */
    bool knows_step[ORDINALS_MAX];
} lease;

typedef struct track {
    const fleet_process *process;
    lease *leases; /* in the order in which they were seen */
    size_t lease_count, lease_room;
    uint64_t known_order[ORDINALS_MAX]; /* when the step of a call was known to be durable; 0: not yet */
    uint64_t wrote_token[ORDINALS_MAX]; /* of whoever wrote it; 0: nobody has had an answer yet */
    uint64_t ended_order, ended_token;  /* the same of its end; token 0: it came from outside, or nobody knows it */
} track;

typedef struct session {
    uint64_t id, alive_until_mono_ns, ttl_ns, closed_order;
    bool closing;
} session;

typedef struct replay {
    const fleet_history *history;
    auditor_report *report;
    fleet_event *events; /* with the executions among them */
    size_t event_count;
    track *tracks; /* by number */
    size_t track_count;
    session *sessions;
    size_t session_count;
    uint64_t *grants; /* pairs of order and the largest token so far */
    size_t grant_count;
    uint64_t *executed_under; /* the token, by execution */
    int running[WORKERS_MAX][16];
} replay;

#define FIND(r, rule, ...) auditor_find((r)->report, rule, __VA_ARGS__)

static const char *id_of(const track *t)
{
    return t->process == NULL ? "?" : t->process->id;
}

static session *find_session(replay *r, uint64_t id)
{
    for (size_t i = r->session_count; i > 0; i--)
        if (r->sessions[i - 1].id == id)
            return &r->sessions[i - 1];
    session *made = &r->sessions[r->session_count++]; /* there is room for one an event */
    *made = (session){.id = id};
    return made;
}

static lease *find_lease(track *t, uint64_t token)
{
    for (size_t i = t->lease_count; i > 0; i--)
        if (t->leases[i - 1].token == token)
            return &t->leases[i - 1];
    return NULL;
}

/* The latest one below a token that a worker had. loaded: of those that it had taken up. */
static lease *lease_of_worker(track *t, uint32_t worker, bool loaded, uint64_t below)
{
    lease *latest = NULL;
    for (size_t i = 0; i < t->lease_count; i++)
        if (t->leases[i].worker == worker && t->leases[i].loaded >= loaded && t->leases[i].token < below &&
            (latest == NULL || t->leases[i].token > latest->token))
            latest = &t->leases[i];
    return latest;
}

/* ---- grants ---- */

static bool gives_up(uint32_t op)
{
    return op == PAWL_OP_SUSPEND || op == PAWL_OP_COMPLETE || op == PAWL_OP_PARK;
}

/* I3: nobody takes what a live session holds; live by the store's own monotonic clock. */
static void check_takeover(replay *r, const track *t, const fleet_event *e)
{
    const lease *before = NULL;
    for (size_t i = 0; i < t->lease_count; i++)
        if (t->leases[i].token < e->token && (before == NULL || t->leases[i].token > before->token))
            before = &t->leases[i];
    if (before == NULL || before->may_be_up || gives_up(before->handed_op))
        return;
    const session *s = find_session(r, before->session);
    if (s->closing)
        return;
    r->report->takeovers++;
    if (e->mono_ns < s->alive_until_mono_ns)
        FIND(r, "I3.live_lease_taken", "%s: token %llu was granted %llu ns before the lease under %llu could expire",
             id_of(t), (wide)e->token, (wide)(s->alive_until_mono_ns - e->mono_ns), (wide)before->token);
}

/* I2: a token is larger than any granted before its claim began, of whatever process. */
static void check_growing(replay *r, const track *t, const fleet_event *e)
{
    size_t i = r->grant_count;
    while (i > 0 && r->grants[2 * (i - 1)] >= e->begun)
        i--;
    if (i > 0 && r->grants[2 * (i - 1) + 1] >= e->token)
        FIND(r, "I2.token_not_growing", "%s: token %llu was granted after %llu", id_of(t), (wide)e->token,
             (wide)r->grants[2 * (i - 1) + 1]);
    uint64_t most = r->grant_count == 0 ? 0 : r->grants[2 * (r->grant_count - 1) + 1];
    r->grants[2 * r->grant_count] = e->order;
    r->grants[2 * r->grant_count + 1] = e->token > most ? e->token : most;
    r->grant_count++;
}

static void on_granted(replay *r, track *t, const fleet_event *e)
{
    r->report->grants++;
    check_growing(r, t, e);
    check_takeover(r, t, e);
    for (size_t i = 0; i < t->lease_count; i++) {
        const lease *other = &t->leases[i];
        if (other->token == e->token)
            FIND(r, "I2.token_not_growing", "%s: token %llu was granted twice", id_of(t), (wide)e->token);
        if (other->token < e->token && other->last_written > e->head)
            FIND(r, "I2.stale_write", "%s: record %llu was written under %llu, after %llu was granted at %llu",
                 id_of(t), (wide)other->last_written, (wide)other->token, (wide)e->token, (wide)e->head);
    }
    if (t->ended_order != 0 && e->begun > t->ended_order)
        FIND(r, "I2.granted_after_end", "%s: token %llu was granted after its end", id_of(t), (wide)e->token);
    if (t->lease_count == t->lease_room) {
        t->lease_room = t->lease_room == 0 ? 4 : t->lease_room * 2;
        t->leases = realloc(t->leases, t->lease_room * sizeof *t->leases);
        if (t->leases == NULL)
            abort();
    }
    t->leases[t->lease_count++] = (lease){.token = e->token,
                                          .session = e->session,
                                          .order = e->order,
                                          .begun = e->begun,
                                          .head = e->head,
                                          .worker = e->worker};
}

static void on_released(replay *r, track *t, const fleet_event *e)
{
    for (size_t i = 0; i < t->lease_count; i++)
        if (t->leases[i].token > e->token && t->leases[i].order < e->begun)
            FIND(r, "I2.stale_release", "%s: the lease under %llu was given back while %llu held it", id_of(t),
                 (wide)e->token, (wide)t->leases[i].token);
}

/* ---- writes ---- */

static void on_handed(replay *r, track *t, const fleet_event *e)
{
    lease *l = find_lease(t, e->token);
    if (l == NULL) {
        FIND(r, "I2.unknown_token", "%s: a write carries token %llu, which nobody was granted", id_of(t),
             (wide)e->token);
        return;
    }
    l->handed_op = e->op;
    l->handed_order = e->order;
    if (e->op == PAWL_OP_COMPLETE && l->running > 0)
        FIND(r, "I7.end_before_effects", "%s: its end was handed over under %llu while %d of its effects ran", id_of(t),
             (wide)e->token, l->running);
}

static void check_written(replay *r, const track *t, const lease *l, const fleet_event *e)
{
    uint64_t last = e->count == 0 ? 0 : e->sequence + e->count - 1;
    for (size_t i = 0; i < t->lease_count; i++) {
        const lease *other = &t->leases[i];
        if (other->token > e->token && (last > other->head || l->handed_order > other->order))
            FIND(r, "I2.stale_write", "%s: %llu records from %llu on were written under %llu; %llu was granted at %llu",
                 id_of(t), (wide)e->count, (wide)e->sequence, (wide)e->token, (wide)other->token, (wide)other->head);
    }
    const session *s = find_session(r, l->session);
    if (s->closed_order != 0 && l->handed_order > s->closed_order)
        FIND(r, "I2.write_of_closed_session", "%s: a write under %llu was taken after its session was closed", id_of(t),
             (wide)e->token);
}

static void on_wrote(replay *r, track *t, const fleet_event *e)
{
    lease *l = find_lease(t, e->token);
    if (l == NULL)
        return; /* found when it was handed over */
    bool more = (e->flags & PAWL_RESULT_MORE) != 0;
    if (e->status == PAWL_OK) {
        r->report->writes++;
        if (!more || e->op == PAWL_OP_SUSPEND) {
            check_written(r, t, l, e);
            if (e->count > 0)
                l->last_written = e->sequence + e->count - 1;
        }
        if (gives_up(e->op) && !more)
            l->may_be_up = true;
    } else if (e->status == PAWL_E_STALE || e->status == PAWL_E_TERMINAL) {
        r->report->writes_refused++;
    }
    l->handed_op = 0;
}

/* Who has read something under an old lease says nothing about a newer one, which may have been granted before. */
static void on_end_known(track *t, const fleet_event *e)
{
    lease *reader = e->token == 0 ? lease_of_worker(t, e->worker, false, UINT64_MAX) : NULL;
    if (reader != NULL)
        reader->knows_end = true;
    if (t->ended_order == 0)
        t->ended_order = e->order;
    if (e->token != 0)
        t->ended_token = e->token;
}

static void on_step_known(track *t, const fleet_event *e)
{
    lease *reader = e->token == 0 ? lease_of_worker(t, e->worker, false, UINT64_MAX) : NULL;
    if (reader != NULL)
        reader->knows_step[e->ordinal] = true;
    if (t->known_order[e->ordinal] == 0)
        t->known_order[e->ordinal] = e->order;
    if (e->token != 0)
        t->wrote_token[e->ordinal] = e->token;
}

/* Whoever has written it, has read it, or was granted the process afterwards, knows it. */
static bool knows_step(const track *t, const lease *l, uint64_t ordinal)
{
    return l->knows_step[ordinal] || (t->wrote_token[ordinal] != 0 && l->token >= t->wrote_token[ordinal]) ||
           (t->known_order[ordinal] != 0 && l->begun > t->known_order[ordinal]);
}

static bool knows_end(const track *t, const lease *l)
{
    return l->knows_end || (t->ended_token != 0 && l->token >= t->ended_token) ||
           (t->ended_order != 0 && l->begun > t->ended_order);
}

/* An acknowledged record is in the journal for good; from now on its step must not be executed again. */
static void on_known(replay *r, track *t, const fleet_event *e)
{
    const fleet_process *p = t->process;
    if (p != NULL &&
        (e->sequence == 0 || e->sequence > p->record_count || p->records[e->sequence - 1].kind != e->record_kind ||
         p->records[e->sequence - 1].ordinal != e->ordinal))
        FIND(r, "I4.record_lost", "%s: record %llu (kind %u, call %llu) was durable, and the journal has it no more",
             p->id, (wide)e->sequence, e->record_kind, (wide)e->ordinal);
    if (e->record_kind == PAWL_RECORD_ENDED)
        on_end_known(t, e);
    else if (e->record_kind == PAWL_RECORD_STEP && e->ordinal < ORDINALS_MAX)
        on_step_known(t, e);
}

/* ---- executions ---- */

/* A sequential program has seen the result of every earlier call, so each of them was durable. */
static void check_dependence(replay *r, const track *t, const fleet_event *e)
{
    const fleet_process *p = t->process;
    if (p == NULL || (p->traits & FLEET_SEQUENTIAL) == 0)
        return;
    for (size_t i = 0; i < p->record_count; i++)
        if (p->records[i].kind == PAWL_RECORD_STEP && p->records[i].ordinal < e->ordinal &&
            p->records[i].ordinal < ORDINALS_MAX && t->known_order[p->records[i].ordinal] == 0)
            FIND(r, "I1.ran_ahead", "%s: call %llu began before the result of call %llu was durable", p->id,
                 (wide)e->ordinal, (wide)p->records[i].ordinal);
}

static void check_bulkhead(replay *r, const track *t, const fleet_event *e)
{
    uint32_t effect = r->history->executions[e->index].effect;
    if (e->worker >= WORKERS_MAX || effect >= r->history->effect_count)
        return;
    int running = ++r->running[e->worker][effect];
    uint32_t limit = r->history->effects[effect].limit;
    if (limit != 0 && running > (int)limit)
        FIND(r, "I10.bulkhead", "%s: worker %u runs %d of %s, at most %u are allowed", id_of(t), e->worker, running,
             r->history->effects[effect].name, limit);
}

/* What a thread had taken to execute before its lease was lost is told to stop, and may begin after the worker has
 * taken up another lease of the same process. */
static lease *executing_lease(const replay *r, track *t, const fleet_event *e)
{
    lease *latest = lease_of_worker(t, e->worker, true, UINT64_MAX);
    lease *older = latest == NULL ? NULL : lease_of_worker(t, e->worker, true, latest->token);
    return r->history->executions[e->index].told_at_once && older != NULL ? older : latest;
}

static void on_begun(replay *r, track *t, const fleet_event *e)
{
    lease *l = executing_lease(r, t, e);
    r->report->executions++;
    check_bulkhead(r, t, e);
    if (l == NULL) {
        FIND(r, "I2.no_lease", "%s: worker %u executes call %llu and never took up a lease", id_of(t), e->worker,
             (wide)e->ordinal);
        return;
    }
    l->running++;
    r->executed_under[e->index] = l->token;
    check_dependence(r, t, e);
    bool executes = !r->history->executions[e->index].reconcile; /* asking whether it happened repeats nothing */
    if (executes && e->ordinal < ORDINALS_MAX && t->known_order[e->ordinal] != 0) {
        r->report->late_executions++;
        if (knows_step(t, l, e->ordinal))
            FIND(r, "I1.executed_again", "%s: call %llu was executed under %llu, which knew that it was recorded",
                 id_of(t), (wide)e->ordinal, (wide)l->token);
    }
    if (knows_end(t, l))
        FIND(r, "I7.executed_after_end", "%s: call %llu was executed after its end was durable", id_of(t),
             (wide)e->ordinal);
}

static void on_ended(replay *r, track *t, const fleet_event *e)
{
    uint32_t effect = r->history->executions[e->index].effect;
    lease *l = find_lease(t, r->executed_under[e->index]);
    if (l != NULL)
        l->running--;
    if (e->worker < WORKERS_MAX && effect < r->history->effect_count)
        r->running[e->worker][effect]--;
}

/* ---- sessions ---- */

static void on_alive(replay *r, const fleet_event *e)
{
    session *s = find_session(r, e->session);
    if (e->kind == FLEET_OPENED)
        s->ttl_ns = e->ttl_ns;
    if (e->mono_ns + s->ttl_ns > s->alive_until_mono_ns)
        s->alive_until_mono_ns = e->mono_ns + s->ttl_ns;
}

static void on_event(replay *r, const fleet_event *e)
{
    track *t = e->number < r->track_count ? &r->tracks[e->number] : &r->tracks[0];
    lease *l;
    switch (e->kind) {
    case FLEET_OPENED:
    case FLEET_BEAT:
        on_alive(r, e);
        break;
    case FLEET_CLOSING:
        find_session(r, e->session)->closing = true;
        break;
    case FLEET_CLOSED:
        find_session(r, e->session)->closed_order = e->order;
        break;
    case FLEET_GRANTED:
        on_granted(r, t, e);
        break;
    case FLEET_READ:
        if ((l = lease_of_worker(t, e->worker, false, UINT64_MAX)) != NULL)
            l->loaded = true;
        break;
    case FLEET_CLAIMED:
        if (e->count > e->limit)
            FIND(r, "I10.claim", "a claim of at most %llu was given %llu", (wide)e->limit, (wide)e->count);
        break;
    case FLEET_RELEASING:
        if ((l = find_lease(t, e->token)) != NULL)
            l->may_be_up = true;
        break;
    case FLEET_RELEASED:
        on_released(r, t, e);
        break;
    case FLEET_HANDED:
        on_handed(r, t, e);
        break;
    case FLEET_WROTE:
        on_wrote(r, t, e);
        break;
    case FLEET_KNOWN:
        on_known(r, t, e);
        break;
    case FLEET_BEGUN:
        on_begun(r, t, e);
        break;
    case FLEET_ENDED:
        on_ended(r, t, e);
        break;
    default:
        break;
    }
}

/* ---- putting it in order ---- */

static int by_order(const void *left, const void *right)
{
    uint64_t a = ((const fleet_event *)left)->order, b = ((const fleet_event *)right)->order;
    return (a > b) - (a < b);
}

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static void gather(replay *r)
{
    const fleet_history *h = r->history;
    r->events = must(calloc(h->event_count + 2 * h->execution_count + 1, sizeof *r->events));
    memcpy(r->events, h->events, h->event_count * sizeof *r->events);
    r->event_count = h->event_count;
    for (size_t i = 0; i < h->execution_count; i++) {
        const fleet_execution *x = &h->executions[i];
        fleet_event e = {.order = x->begin_order,
                         .kind = FLEET_BEGUN,
                         .worker = x->worker,
                         .number = x->number,
                         .ordinal = x->ordinal,
                         .index = i};
        r->events[r->event_count++] = e;
        e.kind = FLEET_ENDED;
        e.order = x->end_order;
        if (x->end_order != 0)
            r->events[r->event_count++] = e;
    }
    qsort(r->events, r->event_count, sizeof *r->events, by_order);
    for (size_t i = 0; i < r->event_count; i++)
        if (r->events[i].number >= r->track_count)
            r->track_count = r->events[i].number + 1;
}

void auditor_replay(const fleet_history *history, auditor_report *report)
{
    replay *r = must(calloc(1, sizeof *r));
    r->history = history;
    r->report = report;
    r->track_count = 1;
    gather(r);
    r->tracks = must(calloc(r->track_count, sizeof *r->tracks));
    r->sessions = must(calloc(r->event_count + 1, sizeof *r->sessions));
    r->grants = must(calloc(2 * r->event_count + 2, sizeof *r->grants));
    r->executed_under = must(calloc(history->execution_count + 1, sizeof *r->executed_under));
    for (size_t i = 0; i < r->track_count; i++)
        r->tracks[i].process = auditor_process(history, i);
    for (size_t i = 0; i < r->event_count; i++)
        on_event(r, &r->events[i]);
    for (size_t i = 0; i < r->track_count; i++)
        free(r->tracks[i].leases);
    free(r->executed_under);
    free(r->grants);
    free(r->sessions);
    free(r->tracks);
    free(r->events);
    free(r);
}
