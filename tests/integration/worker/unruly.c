/* unruly.c: see unruly.h. Operations are wrapped in requests of its own, so that the real registry's answer can be kept
 * back; the answer goes to the worker through the same table that a provider uses. Answers and events leave by one
 * thread, so that their order for one process is the real registry's. */
#include "unruly_internal.h"

#include <stdlib.h>
#include <string.h>

void unruly_saw(const unruly *u, unruly_sight *sight)
{
    if (u->observer == NULL)
        return;
    sight->who = u->observed_as;
    u->observer->saw(u->observer, sight);
}

uint64_t unruly_roll(unruly *u, uint64_t most)
{
    u->random = u->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return most == 0 ? 0 : (u->random >> 33) % most;
}

/* Late, but not before what was to be told of the same process. Locked. */
static void to_answer(unruly *u, passage *p)
{
    p->due_mono_ns = lab_mono_ns() + unruly_roll(u, u->late_ms * PAWL_NS_PER_MS);
    for (const passage *other = u->answer; p->number != 0 && other != NULL; other = other->next)
        if (other->number == p->number && other->due_mono_ns > p->due_mono_ns)
            p->due_mono_ns = other->due_mono_ns;
    passage **link = &u->answer;
    while (*link != NULL && (*link)->due_mono_ns <= p->due_mono_ns)
        link = &(*link)->next;
    p->next = *link;
    *link = p;
    pthread_cond_broadcast(&u->changed);
}

static void answer_with(passage *p, pawl_status status)
{
    p->answered = true;
    p->request.op.status = status;
    pawl_failure failure = {.struct_size = sizeof failure,
                            .klass = PAWL_RETRYABLE,
                            .code = pawl_bytes_text("unruly"),
                            .message = pawl_bytes_text("the store was told to fail this")};
    pawl_failure_tell(&p->request.failure, &failure);
}

static void hold(unruly *u, passage *p)
{
    p->next = NULL;
    *u->held_end = p;
    u->held_end = &p->next;
    u->held_count++;
    pthread_cond_broadcast(&u->changed);
}

/* The real registry has answered. */
static void on_done(pawl_request *request)
{
    passage *p = request->context;
    unruly *u = p->owner;
    unruly_saw(u, &(unruly_sight){.kind = UNRULY_SAW_ANSWER, .op = &request->op});
    pthread_mutex_lock(&u->lock);
    p->answered = true;
    if (u->cut)
        answer_with(p, PAWL_E_CLOSED);
    if ((p->forget || u->frozen) && !u->cut)
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

/* Locked; the lock is given up for the call. */
static void pass_on(unruly *u, passage *p)
{
    if (p->op != NULL) {
        u->outstanding--;
        pthread_mutex_unlock(&u->lock);
        tell(p);
        pthread_mutex_lock(&u->lock);
        return;
    }
    pawl_registry_listener *worker = u->cut || u->deaf ? NULL : u->worker;
    u->telling_event = worker != NULL;
    pthread_mutex_unlock(&u->lock);
    if (worker != NULL)
        worker->event(worker, &p->event);
    free(p);
    pthread_mutex_lock(&u->lock);
    u->telling_event = false;
    pthread_cond_broadcast(&u->changed);
}

static void *answering(void *argument)
{
    unruly *u = argument;
    pthread_mutex_lock(&u->lock);
    for (;;) {
        passage *p = u->answer;
        uint64_t now = lab_mono_ns();
        if (p != NULL && !u->frozen && p->due_mono_ns <= now) {
            u->answer = p->next;
            pass_on(u, p);
        } else if (p != NULL && !u->frozen) {
            lab_wait(&u->changed, &u->lock, p->due_mono_ns - now);
        } else if (p == NULL && u->closing && u->outstanding == 0) {
            break; /* what its worker left behind at the real registry has come back, too */
        } else {
            pthread_cond_wait(&u->changed, &u->lock);
        }
    }
    pthread_mutex_unlock(&u->lock);
    return NULL;
}

/* ---- operations ---- */

static const pawl_commit *commit_of(const pawl_registry_op *op)
{
    return op->kind < PAWL_OP_APPEND || op->kind > PAWL_OP_PARK ? NULL : op->request;
}

static bool has_record(const pawl_registry_op *op, uint32_t kind)
{
    const pawl_commit *commit = commit_of(op);
    if (kind == 0)
        return true;
    for (size_t i = 0; commit != NULL && i < commit->record_count; i++)
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

/* What chance has for this operation: OK, or how it fails. Locked. */
static pawl_status by_chance(unruly *u)
{
    static const pawl_status failures[] = {PAWL_E_IO, PAWL_E_BUSY, PAWL_E_FULL, PAWL_E_NOMEM};
    const unruly_weather *weather = &u->weather;
    if (u->spell_left > 0) {
        u->spell_left--;
        return u->spell_status;
    }
    if (weather->spell_permille > 0 && unruly_roll(u, 1000) < weather->spell_permille) {
        u->spell_left = (uint32_t)unruly_roll(u, weather->spell_max);
        u->spell_status = failures[unruly_roll(u, 4)];
        return u->spell_status;
    }
    bool fails = weather->fail_permille > 0 && unruly_roll(u, 1000) < weather->fail_permille;
    return fails ? failures[unruly_roll(u, 4)] : PAWL_OK;
}

static void fail_now(unruly *u, passage *p, pawl_status status)
{
    answer_with(p, status);
    to_answer(u, p);
}

/* True when it is to be forwarded now. Locked. */
static bool judge(unruly *u, passage *p)
{
    unruly_rule rule;
    if (u->cut) {
        fail_now(u, p, PAWL_E_CLOSED);
        return false;
    }
    if (u->frozen) {
        hold(u, p);
        return false;
    }
    pawl_status chance = by_chance(u);
    if (chance != PAWL_OK) {
        fail_now(u, p, chance);
        return false;
    }
    if (!match(u, p->op, &rule))
        return true;
    if (rule.action == UNRULY_FAIL) {
        fail_now(u, p, rule.status);
        return false;
    }
    if (rule.action == UNRULY_HOLD) {
        hold(u, p);
        return false;
    }
    p->forget = true;
    return true;
}

/* A provider may take a lease back at any time; that is told by the commit that comes too late. */
static void fence_by_chance(unruly *u, const pawl_registry_op *op)
{
    const pawl_commit *commit = commit_of(op);
    pthread_mutex_lock(&u->lock);
    bool fence = commit != NULL && u->weather.fence_permille > 0 && unruly_roll(u, 1000) < u->weather.fence_permille;
    pthread_mutex_unlock(&u->lock);
    if (fence)
        (void)u->registry.table.release(u->registry.store, commit->number, commit->token);
}

static void forward(unruly *u, passage *p)
{
    fence_by_chance(u, &p->request.op);
    unruly_saw(u, &(unruly_sight){.kind = UNRULY_SAW_FORWARD, .op = &p->request.op});
    pawl_registry_submit(u->real, &p->request);
}

static void submit(pawl_store *store, pawl_registry_op *const *ops, size_t count)
{
    unruly *u = unruly_of_store(store);
    for (size_t i = 0; i < count; i++) {
        passage *p = calloc(1, sizeof *p);
        if (p == NULL)
            abort(); /* not a test's thread: an assertion could not be told from here */
        pawl_request_init(&p->request, ops[i]->kind, ops[i]->request, on_done, p);
        p->op = ops[i];
        p->owner = u;
        p->number = commit_of(ops[i]) == NULL ? 0 : commit_of(ops[i])->number;
        pthread_mutex_lock(&u->lock);
        u->outstanding++;
        bool now = judge(u, p);
        pthread_mutex_unlock(&u->lock);
        if (now)
            forward(u, p);
    }
}

/* ---- events ---- */

void unruly_on_event(pawl_registry_listener *listener, const pawl_registry_event *event)
{
    unruly *u = (unruly *)((char *)listener - offsetof(unruly, listener));
    if (event->kind == PAWL_EVENT_ENDED)
        return; /* what it says is borrowed, and no worker of the lab tells of ends */
    size_t size = event->record == NULL ? 0 : event->record->body.size;
    passage *p = calloc(1, sizeof *p + size);
    if (p == NULL)
        abort();
    p->owner = u;
    p->answered = true;
    p->number = event->number;
    p->event = *event;
    if (event->record != NULL) {
        p->record = *event->record;
        if (size > 0)
            memcpy(p + 1, event->record->body.data, size);
        p->record.body = (pawl_bytes){p + 1, size};
        p->event.record = &p->record;
    }
    pthread_mutex_lock(&u->lock);
    bool lost = event->number != 0 && u->weather.deaf_permille > 0 && unruly_roll(u, 1000) < u->weather.deaf_permille;
    if (lost)
        free(p);
    else if (u->frozen)
        hold(u, p);
    else
        to_answer(u, p);
    pthread_mutex_unlock(&u->lock);
}

/* Takes events out of a list. Locked. */
static void drop_from(passage **link, uint32_t *count)
{
    while (*link != NULL) {
        passage *p = *link;
        if (p->op != NULL) {
            link = &p->next;
            continue;
        }
        *link = p->next;
        if (count != NULL)
            (*count)--;
        free(p);
    }
}

void unruly_drop_events(unruly *u)
{
    pthread_mutex_lock(&u->lock);
    drop_from(&u->answer, NULL);
    drop_from(&u->held, &u->held_count);
    u->held_end = &u->held;
    while (*u->held_end != NULL)
        u->held_end = &(*u->held_end)->next;
    while (u->telling_event && !pthread_equal(pthread_self(), u->thread))
        pthread_cond_wait(&u->changed, &u->lock);
    pthread_mutex_unlock(&u->lock);
}

/* ---- holding, and going on ---- */

/* What is held is told, or returned to be forwarded. Locked. */
static passage *take_held(unruly *u)
{
    passage *held = u->held, *go = NULL, **go_end = &go;
    u->held = NULL;
    u->held_end = &u->held;
    u->held_count = 0;
    while (held != NULL) {
        passage *next = held->next;
        held->next = NULL;
        if (held->answered || u->cut) {
            if (u->cut && held->op != NULL)
                answer_with(held, PAWL_E_CLOSED);
            to_answer(u, held);
        } else {
            *go_end = held;
            go_end = &held->next;
        }
        held = next;
    }
    return go;
}

static void forward_all(unruly *u, passage *go)
{
    while (go != NULL) {
        passage *next = go->next;
        forward(u, go);
        go = next;
    }
}

void unruly_let_go(unruly *u)
{
    pthread_mutex_lock(&u->lock);
    u->rule_count = 0;
    u->frozen = false;
    passage *go = take_held(u);
    pthread_cond_broadcast(&u->changed);
    pthread_mutex_unlock(&u->lock);
    forward_all(u, go);
}

void unruly_freeze(unruly *u)
{
    pthread_mutex_lock(&u->lock);
    u->frozen = !u->cut;
    pthread_mutex_unlock(&u->lock);
}

void unruly_thaw(unruly *u)
{
    pthread_mutex_lock(&u->lock);
    u->frozen = false;
    passage *go = take_held(u);
    pthread_cond_broadcast(&u->changed);
    pthread_mutex_unlock(&u->lock);
    forward_all(u, go);
}

/* ---- coming and going ---- */

unruly *unruly_create(pawl_registry *real)
{
    unruly *u = calloc(1, sizeof *u);
    assert_non_null(u);
    u->real = real;
    u->random = 7;
    u->held_end = &u->held;
    u->listener.event = unruly_on_event;
    u->registry.store = (pawl_store *)(void *)u;
    u->registry.table = (pawl_registry_table){.struct_size = sizeof(pawl_registry_table), .submit = submit};
    unruly_fill_calls(&u->registry.table);
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

void unruly_observe(unruly *u, const unruly_observer *observer, uint32_t who)
{
    u->observer = observer;
    u->observed_as = who;
}
