/* calls.c: calls of a process under test: which rules an effect has, when an attempt begins, and what its end means to
 * a worker (worker/resident/settle.c): a result, another attempt, or doubt. Delays between attempts have no jitter. */
#include "state.h"
#include "world.h"

#include <inttypes.h>
#include <string.h>

#define NS_PER_MS UINT64_C(1000000)

static const pawl_bytes nothing = {NULL, 0};

static pawl_open_call *open_of(const pawl_machine *m, uint64_t ordinal)
{
    pawl_open_call *open = pawl_activation_calls(m->activation);
    while (open != NULL && open->ordinal != ordinal)
        open = open->next;
    return open;
}

bool pawl_world_is_open(const pawl_machine *m, uint64_t ordinal)
{
    return open_of(m, ordinal) != NULL;
}

/* ---- rules of effects ---- */

struct rules {
    uint32_t outcome;
    pawl_retry_policy retry;
    uint64_t timeout_ns, deadline_ns;
};

static struct rules rules_of(const pawl_machine *m, const pawl_open_call *open)
{
    const pawl_script_effect *scripted = pawl_script_effect_of(m->subject->script, open->name);
    const pawl_manifest *manifest = m->subject->manifest;
    struct rules rules = {.outcome = PAWL_OUTCOME_BY_KEY, .retry = pawl_retry_default()};
    for (size_t i = 0; manifest != NULL && i < manifest->effect_count; i++) {
        const pawl_manifest_operation *one = &manifest->effects[i];
        if (strlen(one->name) != open->name.size || memcmp(one->name, open->name.data, open->name.size) != 0)
            continue;
        rules.outcome = one->outcome;
        rules.timeout_ns = one->timeout_ms * NS_PER_MS;
        rules.deadline_ns = one->deadline_ms * NS_PER_MS;
        pawl_manifest_retry(one, &rules.retry);
    }
    if (scripted != NULL && scripted->outcome != 0)
        rules.outcome = scripted->outcome;
    if (scripted != NULL && scripted->timeout_ns != 0)
        rules.timeout_ns = scripted->timeout_ns;
    if (scripted != NULL && scripted->has_attempts)
        rules.retry.attempts_max = scripted->attempts_max;
    if (open->attempts_max != 0)
        rules.retry.attempts_max = open->attempts_max;
    if (open->timeout_ns != 0)
        rules.timeout_ns = open->timeout_ns;
    if (open->deadline_ns != 0)
        rules.deadline_ns = open->deadline_ns;
    rules.retry.jitter = 0;
    return rules;
}

static bool needs_intent(const struct rules *rules)
{
    return rules->outcome == PAWL_OUTCOME_AT_MOST_ONCE || rules->outcome == PAWL_OUTCOME_RECONCILE;
}

/* ---- records of calls ---- */

pawl_entry pawl_tester_call_entry(const pawl_open_call *open, uint32_t kind, uint32_t attempt)
{
    pawl_entry entry = {.kind = kind, .attempt = attempt, .ordinal = open->ordinal, .name = open->name};
    memcpy(entry.digest, open->digest, sizeof entry.digest);
    return entry;
}

static void record_value(pawl_machine *m, const pawl_open_call *open, uint32_t attempt, pawl_bytes value)
{
    pawl_entry entry = pawl_tester_call_entry(open, PAWL_RECORD_STEP, attempt);
    entry.value = value;
    pawl_machine_trace(m, open->ordinal, "came", nothing, value);
    pawl_machine_record(m, &entry); /* open is gone */
}

void pawl_tester_call_record_failure(pawl_machine *m, const pawl_open_call *open, uint32_t attempt,
                                     const pawl_failure *failure)
{
    pawl_entry entry = pawl_tester_call_entry(open, PAWL_RECORD_STEP, attempt);
    entry.failed = true;
    entry.failure = *failure;
    pawl_machine_trace(m, open->ordinal, "failed", failure->code, failure->message);
    pawl_machine_record(m, &entry);
}

pawl_failure pawl_tester_call_failure(uint32_t klass, const char *code, const char *message)
{
    return (pawl_failure){.struct_size = sizeof(pawl_failure),
                          .klass = klass,
                          .code = {code, strlen(code)},
                          .message = {message, strlen(message)}};
}

static void record_doubt(pawl_machine *m, const pawl_open_call *open)
{
    const pawl_failure failure = pawl_tester_call_failure(
        PAWL_UNKNOWN_OUTCOME, "in_doubt",
        "an attempt was begun and its outcome was never recorded; it is not repeated, because its outcome rule "
        "forbids it or its reconcile could not tell");
    m->doubtful = true;
    pawl_tester_call_record_failure(m, open, open->intents == 0 ? 1 : open->intents, &failure);
}

static void record_attempt(pawl_machine *m, const pawl_open_call *open, uint32_t attempt, const pawl_failure *failure,
                           uint64_t due_unix_ns)
{
    pawl_entry entry = pawl_tester_call_entry(open, PAWL_RECORD_ATTEMPT, attempt);
    entry.failed = true;
    entry.failure = *failure;
    entry.due_unix_ns = due_unix_ns;
    pawl_machine_trace(m, open->ordinal, "again", failure->code, failure->message);
    pawl_machine_record(m, &entry);
}

/* ---- beginning ---- */

static void begin(pawl_machine *m, pawl_flight_in *flight, const pawl_open_call *open, const struct rules *rules)
{
    flight->begun = true;
    pawl_machine_trace(m, open->ordinal, flight->attempt > 1 ? "call again" : "call", open->name, open->input);
    if (needs_intent(rules)) {
        pawl_entry entry = pawl_tester_call_entry(open, PAWL_RECORD_INTENT, flight->attempt);
        pawl_machine_record(m, &entry);
    }
}

static uint64_t end_of_attempt(const pawl_script_answer *answer, const struct rules *rules, uint64_t from)
{
    uint64_t delay = answer == NULL ? 0 : answer->delay_ns;
    if (rules->timeout_ns != 0 && delay > rules->timeout_ns)
        delay = rules->timeout_ns;
    return delay > UINT64_MAX - from ? UINT64_MAX : from + delay;
}

enum doubt { NO_DOUBT, SETTLED, HAPPENED };

/* Its worker was lost after it had begun. HAPPENED: its result is asked for, and comes when it would have come. */
static enum doubt settle_doubt(pawl_machine *m, const pawl_open_call *open, const struct rules *rules,
                               const pawl_script_answer *answer)
{
    if (!needs_intent(rules) || open->intents <= open->attempts)
        return NO_DOUBT;
    if (rules->outcome == PAWL_OUTCOME_AT_MOST_ONCE) {
        record_doubt(m, open);
        return SETTLED;
    }
    /* To ask is not to be told to stop: a process that is to stop may be told of a result that it had not waited for.
     */
    m->doubtful |= pawl_activation_cancel_time(m->activation) != 0 || m->result.compensating;
    bool gave = answer == NULL || answer->kind == PAWL_ANSWER_RESULT || answer->kind == PAWL_ANSWER_ECHO;
    if (m->happened && gave)
        return HAPPENED;
    const pawl_failure failure = pawl_tester_call_failure(PAWL_RETRYABLE, "reconcile.did_not_happen",
                                                          "the outside system does not know this attempt");
    record_attempt(m, open, open->intents, &failure, m->now);
    return NO_DOUBT;
}

void pawl_tester_call_begin(pawl_machine *m, pawl_open_call *open)
{
    const pawl_script *script = m->subject->script;
    const pawl_script_effect *effect = pawl_script_effect_of(script, open->name);
    pawl_issue *issue = pawl_world_issue(m, open->ordinal, open->name, false);
    const struct rules rules = rules_of(m, open);
    if (issue == NULL) {
        pawl_machine_stop(m, PAWL_END_MEMORY, "out_of_memory", "out of memory for a call");
        return;
    }
    const pawl_script_answer *answer = pawl_world_answer(m, effect, issue, open->input, open->attempts + 1);
    bool state = answer == NULL && pawl_state_answers(m, open->name);
    if (state && issue->input.data == NULL && !pawl_arena_copy(&m->arena, open->input, &issue->input)) {
        pawl_machine_no_memory(m);
        return;
    }
    if (answer == NULL && !script->answers_all && !state) {
        pawl_world_refuse(m, "it calls", "effects", open->name, issue->nth, open->input);
        return;
    }
    enum doubt doubt = settle_doubt(m, open, &rules, answer);
    if (doubt == SETTLED)
        return;
    if (open->attempts > 0)
        answer = pawl_world_answer(m, effect, issue, open->input, open->attempts + 1);
    if (rules.deadline_ns != 0 && open->deadline_unix_ns == 0) {
        pawl_entry entry = pawl_tester_call_entry(open, PAWL_RECORD_DEADLINE, open->attempts + 1);
        entry.due_unix_ns = rules.deadline_ns > UINT64_MAX - 1 - m->now ? UINT64_MAX - 1 : m->now + rules.deadline_ns;
        pawl_machine_record(m, &entry);
    }
    uint64_t from = open->due_unix_ns > m->now ? open->due_unix_ns : m->now;
    pawl_flight_in made = {.kind = PAWL_HAPPENS_CALL,
                           .run = m->run,
                           .attempt = open->attempts + 1,
                           .nth = issue->nth,
                           .ordinal = open->ordinal,
                           .due_unix_ns = end_of_attempt(answer, &rules, from),
                           .begun = doubt == HAPPENED,
                           .state = state,
                           .answer = answer};
    if (open->deadline_unix_ns != 0 && open->deadline_unix_ns < made.due_unix_ns)
        made.due_unix_ns = open->deadline_unix_ns;
    pawl_flight_in *flight = pawl_world_take_off(m, &made);
    if (flight != NULL && !flight->begun && from <= m->now)
        begin(m, flight, open, &rules);
}

/* ---- ends ---- */

static void fail_late(pawl_machine *m, const pawl_open_call *open, uint32_t attempt, bool begun)
{
    const pawl_failure late =
        pawl_tester_call_failure(begun ? PAWL_UNKNOWN_OUTCOME : PAWL_RETRYABLE, "effect.deadline",
                                 "the deadline of this call is over, or would be before its next attempt");
    pawl_tester_call_record_failure(m, open, attempt, &late);
}

static void after_failure(pawl_machine *m, pawl_open_call *open, const struct rules *rules,
                          const pawl_flight_in *flight, const pawl_failure *failure)
{
    uint32_t attempt = flight->attempt;
    const pawl_script_answer *answer = flight->answer;
    bool unknown = failure->klass == PAWL_UNKNOWN_OUTCOME;
    if (failure->klass == PAWL_TERMINAL || (unknown && rules->outcome == PAWL_OUTCOME_AT_MOST_ONCE)) {
        pawl_tester_call_record_failure(m, open, attempt, failure);
        return;
    }
    const pawl_failure never = pawl_tester_call_failure(PAWL_RETRYABLE, "reconcile.did_not_happen",
                                                        "the outside system does not know this attempt");
    if (unknown && rules->outcome == PAWL_OUTCOME_RECONCILE) {
        if (answer != NULL && answer->doubt == PAWL_DOUBT_HAPPENED) {
            record_value(m, open, attempt, answer->happened);
            return;
        }
        if (answer == NULL || answer->doubt != PAWL_DOUBT_NEVER) {
            record_doubt(m, open);
            return;
        }
        failure = &never;
    }
    uint64_t first =
        open->first_attempt_unix_ns != 0 && open->first_attempt_unix_ns < m->now ? open->first_attempt_unix_ns : m->now;
    uint64_t delay = 0, deadline = open->deadline_unix_ns != 0 ? open->deadline_unix_ns : UINT64_MAX;
    bool again = pawl_retry_next(&rules->retry, attempt, m->now - first, failure, 0, &delay);
    if (m->now >= deadline || (again && delay >= deadline - m->now)) {
        fail_late(m, open, attempt, unknown);
    } else if (again) {
        record_attempt(m, open, attempt, failure, m->now + delay);
        pawl_tester_call_begin(m, open);
    } else if (rules->retry.pause_when_exhausted) {
        pawl_machine_stop(m, PAWL_END_STUCK, "retries_exhausted", "%.*s failed %" PRIu32 " times", (int)open->name.size,
                          (const char *)open->name.data, attempt);
    } else {
        pawl_tester_call_record_failure(m, open, attempt, failure);
    }
}

static void state_answers(pawl_machine *m, const pawl_open_call *open, uint32_t attempt)
{
    pawl_bytes value = {NULL, 0};
    pawl_failure failure = {0};
    if (pawl_state_call(m, open->name, open->input, &value, &failure))
        record_value(m, open, attempt, value);
    else
        pawl_tester_call_record_failure(m, open, attempt, &failure);
}

void pawl_tester_call_end(pawl_machine *m, uint64_t ordinal)
{
    pawl_flight_in *at = pawl_world_flight(m, ordinal, PAWL_HAPPENS_CALL);
    pawl_open_call *open = open_of(m, ordinal);
    if (at == NULL || open == NULL)
        return;
    const struct rules rules = rules_of(m, open);
    bool over = open->deadline_unix_ns != 0 && open->deadline_unix_ns <= m->now && !at->stopped &&
                at->due_unix_ns == open->deadline_unix_ns;
    if (!at->begun && !over)
        begin(m, at, open, &rules);
    const pawl_flight_in flight = *at;
    const pawl_script_answer *answer = flight.answer;
    pawl_world_land(m, at);
    if (flight.stopped) {
        const pawl_failure failure =
            pawl_tester_call_failure(PAWL_RETRYABLE, "cancelled", "it was told to stop, and did");
        pawl_tester_call_record_failure(m, open, flight.attempt, &failure);
    } else if (over) {
        fail_late(m, open, flight.attempt, flight.begun);
    } else if (rules.timeout_ns != 0 && answer != NULL && answer->delay_ns > rules.timeout_ns) {
        const pawl_failure failure =
            pawl_tester_call_failure(PAWL_UNKNOWN_OUTCOME, "deadline", "it took longer than its timeout");
        after_failure(m, open, &rules, &flight, &failure);
    } else if (flight.state) {
        state_answers(m, open, flight.attempt);
    } else if (answer == NULL) {
        record_value(m, open, flight.attempt, (pawl_bytes){"null", 4});
    } else if (answer->kind == PAWL_ANSWER_RESULT || answer->kind == PAWL_ANSWER_ECHO) {
        record_value(m, open, flight.attempt, answer->kind == PAWL_ANSWER_ECHO ? open->input : answer->value);
    } else {
        after_failure(m, open, &rules, &flight, &answer->failure);
    }
}
