/* unruly.c: see unruly.h. Operations are wrapped in requests of its own, so that the real registry's answer can be kept
 * back; the answer goes to the worker through the same table that a provider uses. */
#include "unruly.h"

#include "lab.h"

#include <stdlib.h>
#include <string.h>

#define RULES_MAX 8

/* One operation on its way through. */
typedef struct passage {
    pawl_request request; /* what the real registry sees */
    pawl_registry_op *op; /* the worker's */
    unruly *owner;
    struct passage *next;
    uint64_t due_mono_ns;
    bool forwarded;
    bool forget;
} passage;

struct unruly {
    pawl_registry registry; /* what the worker sees: store is this struct */
    pawl_registry *real;
    pawl_registry_listener listener; /* what the real registry tells */
    pawl_registry_listener *worker;  /* whom it is meant for */
    uint64_t session;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    unruly_rule rules[RULES_MAX];
    uint32_t rule_count, touched;
    passage *held;   /* not forwarded, or answered and not told */
    passage *answer; /* to be told, when due */
    uint32_t held_count, outstanding;
    uint32_t late_ms, random;
    uint32_t claims, claim_failures, journal_failures, heartbeat_failures;
    pawl_status claim_status, journal_status, heartbeat_status;
    bool cut, deaf, closing;
};

static unruly *of_store(pawl_store *store)
{
    return (unruly *)(void *)store;
}

/* Locked. */
static void to_answer(unruly *u, passage *p)
{
    uint64_t late = 0;
    if (u->late_ms > 0) {
        u->random = u->random * 1103515245u + 12345u;
        late = (u->random >> 8) % (u->late_ms * 1000000u);
    }
    p->due_mono_ns = lab_mono_ns() + late;
    passage **link = &u->answer;
    while (*link != NULL && (*link)->due_mono_ns <= p->due_mono_ns)
        link = &(*link)->next;
    p->next = *link;
    *link = p;
    pthread_cond_broadcast(&u->changed);
}

static void answer_with(passage *p, pawl_status status)
{
    p->request.op.status = status;
    pawl_failure failure = {.struct_size = sizeof failure,
                            .klass = PAWL_RETRYABLE,
                            .code = pawl_bytes_text("unruly"),
                            .message = pawl_bytes_text("the store was told to fail this")};
    pawl_failure_tell(&p->request.failure, &failure);
}

static void hold(unruly *u, passage *p)
{
    p->next = u->held;
    u->held = p;
    u->held_count++;
    pthread_cond_broadcast(&u->changed);
}

/* The real registry has answered. */
static void on_done(pawl_request *request)
{
    passage *p = request->context;
    unruly *u = p->owner;
    pthread_mutex_lock(&u->lock);
    if (u->cut)
        answer_with(p, PAWL_E_CLOSED);
    if (p->forget && !u->cut)
        hold(u, p);
    else
        to_answer(u, p);
    pthread_mutex_unlock(&u->lock);
}

static void tell(passage *p)
{
    pawl_registry_op *op = p->op, *from = &p->request.op;
    op->status = from->status;
    op->flags = from->flags;
    op->number = from->number;
    op->token = from->token;
    op->sequence = from->sequence;
    op->count = from->count;
    op->result_kind = from->result_kind;
    op->result_status = from->result_status;
    if (from->status < 0 && op->why != NULL && p->request.failure.set)
        pawl_failure_tell(op->why, &p->request.failure.failure);
    pawl_registry_host_table()->completed(&op, 1);
    pawl_request_finish(&p->request);
    free(p);
}

static void *answering(void *argument)
{
    unruly *u = argument;
    pthread_mutex_lock(&u->lock);
    for (;;) {
        passage *p = u->answer;
        uint64_t now = lab_mono_ns();
        if (p != NULL && p->due_mono_ns <= now) {
            u->answer = p->next;
            u->outstanding--;
            pthread_mutex_unlock(&u->lock);
            tell(p);
            pthread_mutex_lock(&u->lock);
        } else if (p != NULL) {
            lab_wait(&u->changed, &u->lock, p->due_mono_ns - now);
        } else if (u->closing && u->outstanding == 0) {
            break; /* what its worker left behind at the real registry has come back, too */
        } else {
            pthread_cond_wait(&u->changed, &u->lock);
        }
    }
    pthread_mutex_unlock(&u->lock);
    return NULL;
}

/* ---- what the worker calls ---- */

static bool has_record(const pawl_registry_op *op, uint32_t kind)
{
    if (kind == 0)
        return true;
    if (op->kind < PAWL_OP_APPEND || op->kind > PAWL_OP_PARK)
        return false;
    const pawl_commit *commit = op->request;
    for (size_t i = 0; i < commit->record_count; i++)
        if (commit->records[i].kind == kind)
            return true;
    return false;
}

/* The rule for this operation, used up by one. False: none. Locked. */
static bool match(unruly *u, const pawl_registry_op *op, unruly_rule *ret)
{
    for (uint32_t i = 0; i < u->rule_count; i++) {
        unruly_rule *rule = &u->rules[i];
        if (rule->action == 0 || (rule->op_kind != 0 && rule->op_kind != op->kind) ||
            !has_record(op, rule->record_kind))
            continue;
        if (rule->skip > 0) {
            rule->skip--;
            continue;
        }
        *ret = *rule;
        u->touched++;
        if (rule->times > 0 && --rule->times == 0)
            rule->action = 0; /* used up */
        return true;
    }
    return false;
}

/* True when it is to be forwarded now. Locked. */
static bool judge(unruly *u, passage *p)
{
    unruly_rule rule;
    if (u->cut) {
        answer_with(p, PAWL_E_CLOSED);
        to_answer(u, p);
        return false;
    }
    if (!match(u, p->op, &rule))
        return true;
    if (rule.action == UNRULY_FAIL) {
        answer_with(p, rule.status);
        to_answer(u, p);
        return false;
    }
    if (rule.action == UNRULY_HOLD) {
        hold(u, p);
        return false;
    }
    p->forget = true;
    return true;
}

static void forward(unruly *u, passage *p)
{
    p->forwarded = true;
    pawl_registry_submit(u->real, &p->request);
}

static void submit(pawl_store *store, pawl_registry_op *const *ops, size_t count)
{
    unruly *u = of_store(store);
    for (size_t i = 0; i < count; i++) {
        passage *p = calloc(1, sizeof *p);
        if (p == NULL)
            abort(); /* not a test's thread: an assertion could not be told from here */
        pawl_request_init(&p->request, ops[i]->kind, ops[i]->request, on_done, p);
        p->op = ops[i];
        p->owner = u;
        pthread_mutex_lock(&u->lock);
        u->outstanding++;
        bool now = judge(u, p);
        pthread_mutex_unlock(&u->lock);
        if (now)
            forward(u, p);
    }
}

static void on_event(pawl_registry_listener *listener, const pawl_registry_event *event)
{
    unruly *u = (unruly *)((char *)listener - offsetof(unruly, listener));
    pthread_mutex_lock(&u->lock);
    bool cut = u->cut || u->deaf;
    pawl_registry_listener *worker = u->worker;
    pthread_mutex_unlock(&u->lock);
    if (!cut)
        worker->event(worker, event);
}

static pawl_status worker_open(pawl_store *store, pawl_bytes name, uint64_t ttl_ns, void *listener, uint64_t *session,
                               pawl_failure_sink *why)
{
    unruly *u = of_store(store);
    pthread_mutex_lock(&u->lock);
    bool cut = u->cut;
    u->worker = listener;
    pthread_mutex_unlock(&u->lock);
    if (cut)
        return PAWL_E_IO;
    pawl_status status = u->real->table.worker_open(u->real->store, name, ttl_ns, &u->listener, session, why);
    pthread_mutex_lock(&u->lock);
    u->session = *session;
    pthread_mutex_unlock(&u->lock);
    return status;
}

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

static bool is_cut(unruly *u)
{
    pthread_mutex_lock(&u->lock);
    bool cut = u->cut;
    pthread_mutex_unlock(&u->lock);
    return cut;
}

static pawl_status heartbeat(pawl_store *store, uint64_t session)
{
    unruly *u = of_store(store);
    if (is_cut(u))
        return PAWL_OK;
    if (fails(u, &u->heartbeat_failures))
        return u->heartbeat_status;
    return u->real->table.heartbeat(u->real->store, session);
}

static void worker_close(pawl_store *store, uint64_t session)
{
    unruly *u = of_store(store);
    if (!is_cut(u))
        u->real->table.worker_close(u->real->store, session);
}

static pawl_status claim(pawl_store *store, const pawl_claim *wanted, pawl_row_visit visit, void *context,
                         pawl_failure_sink *why)
{
    unruly *u = of_store(store);
    pthread_mutex_lock(&u->lock);
    u->claims++;
    pthread_mutex_unlock(&u->lock);
    if (is_cut(u))
        return PAWL_E_STALE;
    if (fails(u, &u->claim_failures))
        return u->claim_status;
    return u->real->table.claim(u->real->store, wanted, visit, context, why);
}

static pawl_status release(pawl_store *store, uint64_t number, uint64_t token)
{
    unruly *u = of_store(store);
    return is_cut(u) ? PAWL_E_STALE : u->real->table.release(u->real->store, number, token);
}

static void tick(pawl_store *store)
{
    unruly *u = of_store(store);
    if (!is_cut(u))
        u->real->table.tick(u->real->store);
}

static pawl_status journal(pawl_store *store, uint64_t number, uint64_t from, uint64_t limit, pawl_record_visit visit,
                           void *context, pawl_failure_sink *why)
{
    unruly *u = of_store(store);
    if (is_cut(u))
        return PAWL_E_CLOSED;
    if (fails(u, &u->journal_failures))
        return u->journal_status;
    return u->real->table.journal(u->real->store, number, from, limit, visit, context, why);
}

/* ---- what the test calls ---- */

unruly *unruly_create(pawl_registry *real)
{
    unruly *u = calloc(1, sizeof *u);
    assert_non_null(u);
    u->real = real;
    u->random = 7;
    u->listener.event = on_event;
    u->registry.store = (pawl_store *)(void *)u;
    u->registry.table = (pawl_registry_table){
        .struct_size = sizeof(pawl_registry_table),
        .submit = submit,
        .worker_open = worker_open,
        .heartbeat = heartbeat,
        .worker_close = worker_close,
        .claim = claim,
        .release = release,
        .tick = tick,
        .journal = journal,
    };
    lab_condition_init(&u->changed);
    pthread_mutex_init(&u->lock, NULL);
    assert_int_equal(pthread_create(&u->thread, NULL, answering, u), 0);
    return u;
}

void unruly_destroy(unruly *u)
{
    unruly_let_go(u);
    pthread_mutex_lock(&u->lock);
    u->closing = true;
    pthread_cond_broadcast(&u->changed);
    pthread_mutex_unlock(&u->lock);
    pthread_join(u->thread, NULL);
    pthread_cond_destroy(&u->changed);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

pawl_registry *unruly_registry(unruly *u)
{
    return &u->registry;
}

void unruly_add(unruly *u, const unruly_rule *rule)
{
    pthread_mutex_lock(&u->lock);
    assert_true(u->rule_count < RULES_MAX);
    u->rules[u->rule_count++] = *rule;
    pthread_mutex_unlock(&u->lock);
}

void unruly_let_go(unruly *u)
{
    pthread_mutex_lock(&u->lock);
    passage *held = u->held, *go = NULL;
    u->held = NULL;
    u->held_count = 0;
    u->rule_count = 0;
    while (held != NULL) {
        passage *next = held->next;
        if (held->forwarded || u->cut) {
            if (u->cut)
                answer_with(held, PAWL_E_CLOSED);
            to_answer(u, held);
        } else {
            held->next = go;
            go = held;
        }
        held = next;
    }
    pthread_mutex_unlock(&u->lock);
    while (go != NULL) {
        passage *next = go->next;
        forward(u, go);
        go = next;
    }
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

void unruly_fail_heartbeats(unruly *u, uint32_t times, pawl_status status)
{
    FAIL_NEXT(heartbeat);
}

void unruly_poke(unruly *u, uint32_t times)
{
    pawl_registry_event event = {.struct_size = sizeof event, .kind = PAWL_EVENT_WORK};
    for (uint32_t i = 0; i < times; i++)
        on_event(&u->listener, &event);
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
    u->real->table.worker_close(u->real->store, session);
    unruly_let_go(u);
}
