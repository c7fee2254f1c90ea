/* cases_outcome.c: calls that do not go their usual way: refused results, a wish to stop, a deadline, the same key
 * again, a question about the past, many at once. */
#include "call.h"
#include "cases.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WRITES_MAX = 10000, ASK_AFTER_MS = 100, DEADLINE_MS = 200, THREADS = 8, CALLS = 4 };
#define NS_PER_MS UINT64_C(1000000)

static bool same_bytes(pawl_bytes a, pawl_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* The same result: JSON that says the same, or the same bytes. */
static bool same_result(const lab_operation *operation, pawl_bytes a, pawl_bytes b)
{
    if (same_bytes(a, b))
        return true;
    if (!lab_gives_json(operation))
        return false;
    json_t *left = json_loadb(a.data, a.size, JSON_DECODE_ANY, NULL);
    json_t *right = json_loadb(b.data, b.size, JSON_DECODE_ANY, NULL);
    bool same = left != NULL && right != NULL && json_equal(left, right);
    json_decref(left);
    json_decref(right);
    return same;
}

/* ---- sinks that refuse ---- */

static void judge_refused(checker_lab *lab, const char *where, const lab_answer *answer, const char *how)
{
    unsigned refused = atomic_load(&answer->out->refused);
    if (refused == 0)
        return; /* it wrote less this time */
    lab_checked(lab);
    if (answer->status == PAWL_OK)
        lab_find(lab, VERDICT_FAIL, where, "the sink's status passed on: `return` what sink_write returns",
                 "PAWL_OK although the sink refused a write (%s)", how);
    if (refused > WRITES_MAX)
        lab_find(lab, VERDICT_FAIL, where, "no more writes after the first that is refused",
                 "%u writes after one was refused (%s)", refused, how);
}

/* Sizes of the result that plain calls give; 0: there is nothing to refuse. */
static size_t plain_size(checker_lab *lab, const lab_walk *walk)
{
    if (walk->now->declared->runs == PAWL_RUNS_ASYNC)
        return 0; /* its result is given whole to the completion */
    const lab_request request = {.operation = walk->now, .input = lab_walk_input(walk)};
    lab_stage(lab, "%s", walk->where);
    lab_answer answer = lab_call(lab, &request);
    size_t size = answer.status == PAWL_OK ? lab_answer_bytes(&answer).size : 0;
    lab_answer_free(&answer);
    return size;
}

static void refuse(checker_lab *lab, const lab_walk *walk, const lab_request *request, const char *how)
{
    lab_stage(lab, "%s with a sink that gives %s", walk->where, how);
    lab_answer answer = lab_call(lab, request);
    judge_refused(lab, walk->where, &answer, how);
    lab_answer_free(&answer);
}

void case_sink_refuses(checker_lab *lab)
{
    static const struct {
        pawl_status fault;
        uint32_t at;
        const char *how;
    } faults[] = {{PAWL_E_NOMEM, 0, "PAWL_E_NOMEM"},
                  {PAWL_E_NOMEM, 1, "PAWL_E_NOMEM at the second write"},
                  {PAWL_E_FULL, 0, "PAWL_E_FULL"},
                  {(pawl_status)-99, 0, "a status of a later host"}};
    lab_walk walk = {0};
    if (!lab_instance(lab))
        return;
    while (lab_walk_next(lab, &walk)) {
        const lab_request plain = {.operation = walk.now, .input = lab_walk_input(&walk)};
        lab_request request = plain;
        size_t size = plain_size(lab, &walk);
        if (size == 0)
            continue;
        request.no_output = true;
        refuse(lab, &walk, &request, "PAWL_E_LIMIT at once");
        request.no_output = size == 1;
        request.output_max = size - 1;
        refuse(lab, &walk, &request, "PAWL_E_LIMIT before the last byte");
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
            request = plain;
            request.fault = faults[i].fault;
            request.fault_at = faults[i].at;
            refuse(lab, &walk, &request, faults[i].how);
        }
    }
    if (lab->checked == 0)
        lab_skip(lab, "no sample gives a result through a sink");
    lab_close(lab);
}

/* ---- a wish to stop ---- */

/* Make the call; what it does not do in time is told, and then this process can only end. */
static void stop_in_time(checker_lab *lab, const lab_walk *walk, const lab_request *request, uint32_t ask_ms,
                         uint32_t grace_ms, const char *what)
{
    lab_answer answer;
    lab_checked(lab);
    if (lab_call_within(lab, request, ask_ms, grace_ms + lab->options->latency_ms, &answer)) {
        lab_answer_free(&answer);
        return;
    }
    lab_find(lab, VERDICT_FAIL, walk->where,
             "a return soon: look at the cancel token (or poll its descriptor) and at deadline_mono_ns while it waits",
             "that it had not returned %u ms after %s", lab->options->latency_ms, what);
    lab_give_up(lab);
}

static void judge_token(checker_lab *lab, const char *where, pawl_cancel_token *token)
{
    const char *spoilt = lab_cancel_spoilt(token);
    if (spoilt != NULL)
        lab_find(lab, VERDICT_FAIL, where, "nothing but poll: it belongs to the host",
                 "that the descriptor of the cancel token was %s", spoilt);
}

static void cancel_each(checker_lab *lab, bool slow, uint32_t ask_ms)
{
    lab_walk walk = {.slow = slow};
    while (lab_walk_next(lab, &walk)) {
        pawl_cancel_token *token = lab_cancel_create();
        const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk), .cancel = token};
        lab_stage(lab, "%s, cancelled %s", walk.where, ask_ms == 0 ? "before it begins" : "while it runs");
        stop_in_time(lab, &walk, &request, ask_ms, 0, "it was cancelled");
        judge_token(lab, walk.where, token);
        lab_cancel_free(token);
    }
}

void case_cancel_latency(checker_lab *lab)
{
    if (!lab_instance(lab))
        return;
    cancel_each(lab, false, 0);
    cancel_each(lab, true, 0);
    cancel_each(lab, true, ASK_AFTER_MS);
    if (!lab_walk_any(lab, true))
        lab_find(lab, VERDICT_PASS, NULL, "one: give --slow NAME=JSON, or an example with \"slow\": true",
                 "no input whose call takes long; whether a cancel ends such a call was not seen");
    lab_close(lab);
}

/* A host asks the token at the deadline, too; `alone`: this one does not. */
static void meet_deadline(checker_lab *lab, bool slow, uint32_t deadline_ms, bool alone)
{
    lab_walk walk = {.slow = slow};
    while (lab_walk_next(lab, &walk)) {
        pawl_cancel_token *token = alone ? NULL : lab_cancel_create();
        const lab_request request = {.operation = walk.now,
                                     .input = lab_walk_input(&walk),
                                     .cancel = token,
                                     .deadline_ns = deadline_ms == 0 ? 1 : deadline_ms * NS_PER_MS};
        lab_stage(lab, "%s with a deadline %s", walk.where, deadline_ms == 0 ? "that has passed" : "that passes");
        stop_in_time(lab, &walk, &request, deadline_ms, alone ? deadline_ms : 0, "its deadline");
        if (token != NULL)
            lab_cancel_free(token);
    }
}

static void meet_deadlines(checker_lab *lab, bool alone)
{
    if (!lab_instance(lab))
        return;
    meet_deadline(lab, false, 0, alone);
    meet_deadline(lab, true, 0, alone);
    meet_deadline(lab, true, DEADLINE_MS, alone);
    lab_close(lab);
}

void case_deadline_latency(checker_lab *lab)
{
    meet_deadlines(lab, false);
}

void case_deadline_alone(checker_lab *lab)
{
    meet_deadlines(lab, true);
}

/* ---- the same key ---- */

static void call_twice(checker_lab *lab, const lab_walk *walk)
{
    char key[80], text[512];
    bool by_key = walk->now->declared->outcome == PAWL_OUTCOME_BY_KEY;
    lab_new_key(key, sizeof key);
    lab_request request = {.operation = walk->now, .input = lab_walk_input(walk), .key = key, .attempt = 1};
    lab_stage(lab, "%s, the first attempt", walk->where);
    lab_answer first = lab_call(lab, &request);
    if (first.status != PAWL_OK) {
        lab_answer_free(&first);
        return;
    }
    request.attempt = 2;
    lab_stage(lab, "%s, another attempt with the same key", walk->where);
    lab_answer second = lab_call(lab, &request);
    lab_checked(lab);
    if (second.status != PAWL_OK)
        lab_find(lab, VERDICT_FAIL, walk->where,
                 by_key ? "the result of the first attempt: a worker that died asks again with the same key"
                        : "success again: the manifest says that doing it twice is harmless",
                 "for another attempt with the same key %s", lab_answer_text(&second, text));
    else if (!same_result(walk->now, lab_answer_bytes(&first), lab_answer_bytes(&second)))
        lab_find(lab, by_key ? VERDICT_FAIL : VERDICT_WARN, walk->where,
                 by_key ? "the result of the first attempt"
                        : "the same result, unless it is about something that changes by itself",
                 "another result for the same key and input");
    lab_answer_free(&first);
    lab_answer_free(&second);
}

void case_key_same(checker_lab *lab)
{
    lab_walk walk = {0};
    if (!lab_instance(lab))
        return;
    while (lab_walk_next(lab, &walk))
        if (walk.now->declared->outcome == PAWL_OUTCOME_BY_KEY ||
            walk.now->declared->outcome == PAWL_OUTCOME_IDEMPOTENT)
            call_twice(lab, &walk);
    if (lab->checked == 0)
        lab_skip(lab, "no operation that is idempotent or by_key has a sample that succeeds");
    lab_close(lab);
}

/* ---- did it happen? ---- */

static bool is_asked(const lab_walk *walk)
{
    return walk->now->declared->outcome == PAWL_OUTCOME_RECONCILE;
}

void case_reconcile_unknown(checker_lab *lab)
{
    char text[512];
    lab_walk walk = {0};
    if (!lab_instance(lab))
        return;
    while (lab_walk_next(lab, &walk)) {
        if (!is_asked(&walk))
            continue;
        lab_stage(lab, "reconcile of %s with a key that no call had", walk.where);
        const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk), .reconcile = true};
        lab_answer answer = lab_call(lab, &request);
        lab_checked(lab);
        if (answer.status >= PAWL_OK)
            lab_find(lab, VERDICT_FAIL, walk.where,
                     "PAWL_E_NOT_FOUND, or another failure when that cannot be told: no call had this key", "%s",
                     answer.status == PAWL_OK ? "PAWL_OK: that it happened" : lab_answer_text(&answer, text));
        lab_answer_free(&answer);
    }
    if (lab->checked == 0)
        lab_skip(lab, "no operation with the outcome reconcile has a sample");
    lab_close(lab);
}

static void ask_about(checker_lab *lab, const lab_walk *walk, const lab_request *done, const lab_answer *made)
{
    char text[512];
    lab_request request = *done;
    request.reconcile = true;
    for (unsigned i = 0; i < 2; i++) {
        lab_stage(lab, "reconcile of %s after it happened", walk->where);
        lab_answer answer = lab_call(lab, &request);
        lab_checked(lab);
        if (answer.status == PAWL_E_NOT_FOUND)
            lab_find(lab, VERDICT_FAIL, walk->where, "PAWL_OK and its result: it did happen, and would be done again",
                     "PAWL_E_NOT_FOUND for a call that succeeded");
        else if (answer.status != PAWL_OK)
            lab_find(lab, VERDICT_WARN, walk->where, "PAWL_OK and its result", "for a call that succeeded %s",
                     lab_answer_text(&answer, text));
        else if (!same_result(walk->now, lab_answer_bytes(made), lab_answer_bytes(&answer)))
            lab_find(lab, VERDICT_FAIL, walk->where, "the result that the call gave", "another result");
        lab_answer_free(&answer);
    }
}

void case_reconcile_done(checker_lab *lab)
{
    char key[80];
    lab_walk walk = {0};
    if (!lab_instance(lab))
        return;
    while (lab_walk_next(lab, &walk)) {
        if (!is_asked(&walk))
            continue;
        lab_new_key(key, sizeof key);
        lab_stage(lab, "%s", walk.where);
        const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk), .key = key};
        lab_answer made = lab_call(lab, &request);
        if (made.status == PAWL_OK)
            ask_about(lab, &walk, &request, &made);
        lab_answer_free(&made);
    }
    if (lab->checked == 0)
        lab_skip(lab, "no operation with the outcome reconcile has a sample that succeeds");
    lab_close(lab);
}

/* ---- many at once ---- */

typedef struct {
    checker_lab *lab;
    const lab_walk *walk;
    pawl_connector *instance;
    const lab_answer *expected; /* NULL: results differ from call to call */
    pawl_status status;         /* of a call alone */
    atomic_uint *other_statuses;
    atomic_uint *other_results;
} crowd;

static void *join_in(void *context)
{
    const crowd *c = context;
    const lab_request request = {.operation = c->walk->now, .input = lab_walk_input(c->walk), .instance = c->instance};
    for (unsigned i = 0; i < CALLS; i++) {
        lab_answer answer = lab_call(c->lab, &request);
        if (answer.status != c->status)
            atomic_fetch_add(c->other_statuses, 1);
        else if (c->expected != NULL && answer.status == PAWL_OK &&
                 !same_result(c->walk->now, lab_answer_bytes(c->expected), lab_answer_bytes(&answer)))
            atomic_fetch_add(c->other_results, 1);
        lab_answer_free(&answer);
    }
    return NULL;
}

static void crowd_in(const crowd *one, pawl_connector *const *instances)
{
    static crowd members[THREADS];
    pthread_t threads[THREADS];
    unsigned started = 0;
    for (; started < THREADS; started++) {
        members[started] = *one;
        members[started].instance = instances[started];
        if (pthread_create(&threads[started], NULL, join_in, &members[started]) != 0)
            break;
    }
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static void try_crowd(checker_lab *lab, const lab_walk *walk, pawl_connector *const *instances)
{
    atomic_uint statuses = 0, results = 0;
    const lab_request request = {.operation = walk->now, .input = lab_walk_input(walk)};
    lab_stage(lab, "%s, alone", walk->where);
    lab_answer first = lab_call(lab, &request);
    lab_answer second = lab_call(lab, &request);
    bool steady = first.status == PAWL_OK && second.status == PAWL_OK &&
                  same_result(walk->now, lab_answer_bytes(&first), lab_answer_bytes(&second));
    const crowd one = {lab, walk, NULL, steady ? &first : NULL, first.status, &statuses, &results};
    if (first.status == second.status) {
        lab_checked(lab);
        lab_stage(lab, "%s, from %u threads at once", walk->where, THREADS);
        crowd_in(&one, instances);
    }
    lab_answer third = lab_call(lab, &request); /* what changes by itself, such as a time, is no matter of threads */
    if (!same_result(walk->now, lab_answer_bytes(&first), lab_answer_bytes(&third)))
        atomic_store(&results, 0);
    lab_answer_free(&third);
    if (atomic_load(&results) > 0)
        lab_find(lab, VERDICT_FAIL, walk->where, "the result it gives alone: calls must not share what they work on",
                 "another result, %u times of %u, when called from %u threads at once", atomic_load(&results),
                 THREADS * CALLS, THREADS);
    if (atomic_load(&statuses) > 0)
        lab_find(lab, first.status == PAWL_OK ? VERDICT_FAIL : VERDICT_WARN, walk->where,
                 "the same as alone, or a limit of `concurrency` in the profile",
                 "another status, %u times of %u, when called from %u threads at once", atomic_load(&statuses),
                 THREADS * CALLS, THREADS);
    lab_answer_free(&first);
    lab_answer_free(&second);
}

/* One instance for all when it may be shared, else one for each thread. */
void case_threads_calls(checker_lab *lab)
{
    pawl_connector *instances[THREADS] = {NULL};
    lab_walk walk = {0};
    if (!lab_instance(lab))
        return;
    for (unsigned i = 0; i < THREADS && lab->instance != NULL; i++) {
        instances[i] = lab->instance;
        lab_why *why = lab_why_create();
        if (!lab->manifest->shared &&
            lab_create_with(lab, &lab->host, "check-crowd", lab_instance_config(lab), &instances[i], why) != PAWL_OK)
            return;
        lab_why_close(why);
    }
    while (lab_walk_next(lab, &walk))
        try_crowd(lab, &walk, instances);
    for (unsigned i = 0; i < THREADS; i++)
        if (instances[i] != NULL && instances[i] != lab->instance)
            lab->tables.connector.destroy(instances[i]);
    if (lab->checked == 0)
        lab_skip_without_samples(lab);
    lab_close(lab);
}

/* Calls of one instance one after another, each on a thread of its own with the least stack there is. */
void case_threads_moved(checker_lab *lab)
{
    char text[512];
    lab_walk walk = {0};
    if (!lab_instance(lab))
        return;
    while (lab_walk_next(lab, &walk)) {
        const lab_request request = {.operation = walk.now, .input = lab_walk_input(&walk)};
        lab_stage(lab, "%s", walk.where);
        lab_answer here = lab_call(lab, &request);
        lab_request moved = request;
        moved.small_stack = true;
        for (unsigned i = 0; i < CALLS; i++) {
            lab_answer there;
            lab_stage(lab, "%s on another thread, with a stack of 1 MiB", walk.where);
            if (!lab_call_within(lab, &moved, 0, lab->options->timeout_ms, &there))
                lab_give_up(lab);
            lab_checked(lab);
            if (here.status == PAWL_OK && there.status != PAWL_OK) {
                lab_find(lab, VERDICT_FAIL, walk.where, "the same: a worker calls from whichever thread is free",
                         "on another thread %s", lab_answer_text(&there, text));
                i = CALLS;
            }
            lab_answer_free(&there);
        }
        lab_answer_free(&here);
    }
    if (lab->checked == 0)
        lab_skip_without_samples(lab);
    lab_close(lab);
}
