/* auditor_test.c: an auditor that finds nothing proves nothing. One honest history in which much goes wrong, and for
 * every rule of the auditor a lie told in it that must be found under that rule's name. */
#include "auditor.h"

#include "worker/catalog.h"
#include "worker/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHAIN = 7, LISTENER = 8, WILD = 9, ONCE = 10 };

/* ---- an honest history ---- */

static void event(fleet_history *h, fleet_event e)
{
    fleet_add_event(h, &e);
}

static void opened(fleet_history *h, uint64_t order, uint64_t session)
{
    event(h, (fleet_event){.order = order, .kind = FLEET_OPENED, .session = session, .ttl_ns = 100});
}

/* Worker n has session n. */
static void granted(fleet_history *h, uint64_t order, uint32_t worker, uint64_t number, uint64_t token, uint64_t head,
                    uint64_t mono_ns)
{
    event(h, (fleet_event){.order = order,
                           .begun = order - 1,
                           .kind = FLEET_GRANTED,
                           .worker = worker,
                           .session = worker,
                           .number = number,
                           .token = token,
                           .head = head,
                           .mono_ns = mono_ns});
    event(h, (fleet_event){.order = order + 1, .kind = FLEET_READ, .worker = worker, .number = number});
}

static void tried(fleet_history *h, uint64_t order, uint32_t op, uint64_t number, uint64_t token, pawl_status status,
                  uint64_t sequence)
{
    event(h, (fleet_event){.order = order, .kind = FLEET_HANDED, .number = number, .token = token, .op = op});
    event(h, (fleet_event){.order = order + 1,
                           .kind = FLEET_WROTE,
                           .number = number,
                           .token = token,
                           .op = op,
                           .status = status,
                           .sequence = sequence,
                           .count = status == PAWL_OK});
}

static void wrote(fleet_history *h, uint64_t order, uint32_t op, uint64_t number, uint64_t token, uint64_t sequence,
                  uint32_t kind, uint64_t ordinal)
{
    tried(h, order, op, number, token, PAWL_OK, sequence);
    event(h, (fleet_event){.order = order + 2,
                           .kind = FLEET_KNOWN,
                           .number = number,
                           .token = token,
                           .sequence = sequence,
                           .record_kind = kind,
                           .ordinal = ordinal});
}

static void executed(fleet_history *h, uint64_t begin, uint32_t worker, uint64_t number, uint64_t ordinal,
                     uint32_t effect)
{
    fleet_execution x = {.number = number,
                         .ordinal = ordinal,
                         .begin_order = begin,
                         .end_order = begin + 5,
                         .worker = worker,
                         .attempt = 1,
                         .effect = effect};
    snprintf(x.key, sizeof x.key, "p%u/1/%u", (unsigned)number, (unsigned)ordinal);
    fleet_add_execution(h, &x);
}

static fleet_process *process(fleet_history *h, uint64_t number, const char *id, uint32_t status, uint32_t traits)
{
    fleet_process *p = fleet_process_of(h, number);
    p->status = status;
    p->traits = traits;
    snprintf(p->id, sizeof p->id, "%s", id);
    return p;
}

static void record(fleet_process *p, fleet_record r)
{
    r.sequence = p->record_count + 1;
    r.status = r.kind == PAWL_RECORD_ENDED ? p->status : 0;
    fleet_add_record(p, &r);
    p->head = p->record_count;
}

static void add_listener(fleet_history *h)
{
    fleet_process *p = process(h, LISTENER, "listener-1", PAWL_CANCELLED, FLEET_LISTENER | FLEET_OBEDIENT);
    p->cancelled = true;
    record(p, (fleet_record){.kind = PAWL_RECORD_STARTED});
    record(p, (fleet_record){.kind = PAWL_RECORD_SIGNAL, .value = "a"});
    record(p, (fleet_record){.kind = PAWL_RECORD_STEP, .ordinal = 1, .name = "take", .value = "take(a)"});
    record(p, (fleet_record){.kind = PAWL_RECORD_TIMER, .ordinal = 2, .due_unix_ns = 1000});
    record(p, (fleet_record){.kind = PAWL_RECORD_SIGNAL, .value = "b"});
    record(p, (fleet_record){.kind = PAWL_RECORD_FIRED, .ordinal = 2, .time_unix_ns = 1000});
    record(p, (fleet_record){.kind = PAWL_RECORD_STEP, .ordinal = 3, .name = "take", .value = "take(b)"});
    record(p, (fleet_record){.kind = PAWL_RECORD_CANCEL, .value = "stop"});
    record(p, (fleet_record){.kind = PAWL_RECORD_ENDED});
    fleet_add_post(h, &(fleet_post){LISTENER, 2, PAWL_RECORD_SIGNAL, true, "a"});
    fleet_add_post(h, &(fleet_post){LISTENER, 5, PAWL_RECORD_SIGNAL, true, "b"});
    fleet_add_post(h, &(fleet_post){LISTENER, 0, PAWL_RECORD_SIGNAL, false, "refused"});
    fleet_add_post(h, &(fleet_post){LISTENER, 8, PAWL_RECORD_CANCEL, true, "stop"});
}

/* A takeover: worker 1 loses process 7 to worker 2, comes back, writes and executes too late. */
static void add_takeover(fleet_history *h)
{
    fleet_process *p = process(h, CHAIN, "chain-0", PAWL_COMPLETED, FLEET_SEQUENTIAL | FLEET_OBEDIENT);
    record(p, (fleet_record){.kind = PAWL_RECORD_STARTED});
    record(p, (fleet_record){.kind = PAWL_RECORD_STEP, .ordinal = 1});
    record(p, (fleet_record){.kind = PAWL_RECORD_STEP, .ordinal = 2});
    record(p, (fleet_record){.kind = PAWL_RECORD_ENDED});
    opened(h, 10, 1);
    opened(h, 11, 2);
    granted(h, 20, 1, CHAIN, 10, 1, 5);
    executed(h, 30, 1, CHAIN, 1, 0);
    wrote(h, 40, PAWL_OP_APPEND, CHAIN, 10, 2, PAWL_RECORD_STEP, 1);
    executed(h, 50, 1, CHAIN, 2, 0);
    event(h, (fleet_event){.order = 59, .kind = FLEET_BEAT, .session = 2, .mono_ns = 90});
    granted(h, 62, 2, CHAIN, 11, 2, 200); /* session 1 was over at 100 */
    executed(h, 70, 2, CHAIN, 2, 0);
    tried(h, 80, PAWL_OP_APPEND, CHAIN, 10, PAWL_E_STALE, 0);
    wrote(h, 90, PAWL_OP_APPEND, CHAIN, 11, 3, PAWL_RECORD_STEP, 2);
    executed(h, 100, 1, CHAIN, 2, 0);
    wrote(h, 110, PAWL_OP_COMPLETE, CHAIN, 11, 4, PAWL_RECORD_ENDED, 0);
}

static void honest(fleet_history *h)
{
    fleet_history_init(h);
    h->effects[h->effect_count++] = (fleet_effect){"quick", PAWL_OUTCOME_IDEMPOTENT, 2};
    h->effects[h->effect_count++] = (fleet_effect){"once", PAWL_OUTCOME_AT_MOST_ONCE, 0};
    add_takeover(h);
    add_listener(h);
    fleet_process *wild = process(h, WILD, "wild-2", PAWL_STUCK, FLEET_OFFENDER);
    record(wild, (fleet_record){.kind = PAWL_RECORD_STARTED});
    record(wild, (fleet_record){.kind = PAWL_RECORD_PARKED});
    snprintf(wild->reason_code, sizeof wild->reason_code, "contract");
    fleet_process *once = process(h, ONCE, "chain-3", PAWL_COMPLETED, FLEET_SEQUENTIAL);
    record(once, (fleet_record){.kind = PAWL_RECORD_STARTED});
    record(once, (fleet_record){.kind = PAWL_RECORD_INTENT, .ordinal = 1, .attempt = 1});
    record(once, (fleet_record){.kind = PAWL_RECORD_STEP, .ordinal = 1, .attempt = 1});
    record(once, (fleet_record){.kind = PAWL_RECORD_ENDED});
    granted(h, 120, 2, ONCE, 12, 1, 210);
    executed(h, 130, 2, ONCE, 1, 1);
    event(h, (fleet_event){.order = 140, .kind = FLEET_CLAIMED, .session = 2, .limit = 2, .count = 2});
}

/* ---- lies ---- */

typedef struct lie {
    const char *rule;
    void (*tell)(fleet_history *h);
} lie;

static void assert_found(const auditor_report *report, const char *rule)
{
    for (size_t i = 0; i < report->count && i < AUDITOR_FOUND_MAX; i++)
        if (strcmp(report->found[i].rule, rule) == 0)
            return;
    for (size_t i = 0; i < report->count && i < AUDITOR_FOUND_MAX; i++)
        print_error("found only %s: %s\n", report->found[i].rule, report->found[i].text);
    fail_msg("%s was not found", rule);
}

static void assert_each_is_found(const lie *lies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fleet_history h;
        auditor_report report;
        honest(&h);
        lies[i].tell(&h);
        auditor_judge(&h, &report);
        assert_found(&report, lies[i].rule);
        fleet_history_finish(&h);
    }
}

#define ALL(lies) assert_each_is_found(lies, sizeof(lies) / sizeof *(lies))

static fleet_event *find_event(fleet_history *h, uint64_t order)
{
    for (size_t i = 0; i < h->event_count; i++)
        if (h->events[i].order == order)
            return &h->events[i];
    fail();
    return NULL;
}

static void put(fleet_history *h, uint64_t number, uint64_t sequence, fleet_record r)
{
    r.sequence = sequence;
    fleet_process_of(h, number)->records[sequence - 1] = r;
}

static void test_an_honest_history_is_found_honest(void **state)
{
    (void)state;
    fleet_history h;
    auditor_report report;
    honest(&h);
    auditor_judge(&h, &report);
    for (size_t i = 0; i < report.count && i < AUDITOR_FOUND_MAX; i++)
        print_error("%s: %s\n", report.found[i].rule, report.found[i].text);
    assert_int_equal(report.count, 0);
    assert_int_equal(report.takeovers, 1);
    assert_int_equal(report.writes_refused, 1);
    assert_int_equal(report.late_executions, 1);
    assert_int_equal(report.cancels, 1);
    assert_int_equal(report.signals, 2);
    assert_int_equal(report.timers, 1);
    assert_int_equal(report.stuck, 1);
    fleet_history_finish(&h);
}

/* Worker 1, which was overtaken long ago, reads that it has ended, and that a step is durable. Its successor, who has
 * not heard of the one nor had an answer about the other, is none the wiser. */
static void test_I1_I7_what_a_worker_that_was_overtaken_reads_its_successor_does_not_know(void **state)
{
    (void)state;
    fleet_history h;
    auditor_report report;
    honest(&h);
    h.executions[3].begin_order = 64; /* it executes nothing any more once it has read that */
    h.executions[3].end_order = 66;
    for (uint64_t sequence = 3; sequence <= 4; sequence++)
        event(&h, (fleet_event){.order = 65 + sequence,
                                .kind = FLEET_KNOWN,
                                .worker = 1,
                                .number = CHAIN,
                                .sequence = sequence,
                                .record_kind = sequence == 3 ? PAWL_RECORD_STEP : PAWL_RECORD_ENDED,
                                .ordinal = sequence == 3 ? 2 : 0});
    auditor_judge(&h, &report);
    for (size_t i = 0; i < report.count && i < AUDITOR_FOUND_MAX; i++)
        print_error("%s: %s\n", report.found[i].rule, report.found[i].text);
    assert_int_equal(report.count, 0);
    fleet_history_finish(&h);
}

/* I1 */
static void executes_again(fleet_history *h)
{
    executed(h, 94, 2, CHAIN, 2, 0); /* its own step is durable since 92 */
}
static void runs_ahead(fleet_history *h)
{
    executed(h, 36, 1, CHAIN, 2, 0); /* call 1 is durable at 42 */
}
static void changes_key(fleet_history *h)
{
    snprintf(h->executions[2].key, sizeof h->executions[2].key, "p7/2/2");
}
static void changes_input(fleet_history *h)
{
    h->executions[2].input_hash = 1;
}
static void two_steps(fleet_history *h)
{
    put(h, CHAIN, 3, (fleet_record){.kind = PAWL_RECORD_STEP, .ordinal = 1});
}
static void fires_twice(fleet_history *h)
{
    put(h, LISTENER, 7, (fleet_record){.kind = PAWL_RECORD_FIRED, .ordinal = 2, .time_unix_ns = 1000});
}
static void repeats_blindly(fleet_history *h)
{
    executed(h, 136, 2, ONCE, 1, 1);
}
static void forgets_intent(fleet_history *h)
{
    put(h, ONCE, 2, (fleet_record){.kind = PAWL_RECORD_NOW, .ordinal = 9});
}

static void test_I1_the_auditor_sees_what_is_executed_again(void **state)
{
    (void)state;
    static const lie lies[] = {{"I1.executed_again", executes_again},
                               {"I1.ran_ahead", runs_ahead},
                               {"I1.key", changes_key},
                               {"I1.key", changes_input},
                               {"I1.two_steps", two_steps},
                               {"I1.fired_twice", fires_twice},
                               {"I1.at_most_once", repeats_blindly},
                               {"I1.no_intent", forgets_intent}};
    ALL(lies);
}

/* I2 */
static void stale_write_is_taken(fleet_history *h)
{
    find_event(h, 81)->status = PAWL_OK;
}
static void stale_write_lands_behind_a_grant(fleet_history *h)
{
    find_event(h, 62)->head = 1; /* and so record 2 was written under a token that was stale by then */
}
static void token_shrinks(fleet_history *h)
{
    granted(h, 150, 1, ONCE, 9, 4, 999);
}
static void token_is_granted_twice(fleet_history *h)
{
    granted(h, 64, 1, CHAIN, 11, 2, 999);
}
static void token_is_invented(fleet_history *h)
{
    tried(h, 94, PAWL_OP_APPEND, CHAIN, 99, PAWL_OK, 4);
}
static void stale_release(fleet_history *h)
{
    event(h, (fleet_event){.order = 76, .begun = 75, .kind = FLEET_RELEASED, .number = CHAIN, .token = 10});
}
static void session_is_closed(fleet_history *h)
{
    event(h, (fleet_event){.order = 85, .kind = FLEET_CLOSED, .session = 2});
}
static void granted_after_its_end(fleet_history *h)
{
    granted(h, 118, 2, CHAIN, 13, 4, 300);
}
static void executes_without_a_lease(fleet_history *h)
{
    executed(h, 72, 3, CHAIN, 2, 0);
}

static void test_I2_the_auditor_sees_stale_tokens(void **state)
{
    (void)state;
    static const lie lies[] = {
        {"I2.stale_write", stale_write_is_taken},          {"I2.stale_write", stale_write_lands_behind_a_grant},
        {"I2.token_not_growing", token_shrinks},           {"I2.token_not_growing", token_is_granted_twice},
        {"I2.unknown_token", token_is_invented},           {"I2.stale_release", stale_release},
        {"I2.write_of_closed_session", session_is_closed}, {"I2.granted_after_end", granted_after_its_end},
        {"I2.no_lease", executes_without_a_lease}};
    ALL(lies);
}

/* I3 */
static void takes_a_live_lease(fleet_history *h)
{
    find_event(h, 62)->mono_ns = 99;
}
static void takes_a_renewed_lease(fleet_history *h)
{
    event(h, (fleet_event){.order = 58, .kind = FLEET_BEAT, .session = 1, .mono_ns = 150});
}
static void fires_early(fleet_history *h)
{
    fleet_process_of(h, LISTENER)->records[5].time_unix_ns = 999;
}
static void fires_unset(fleet_history *h)
{
    put(h, LISTENER, 4, (fleet_record){.kind = PAWL_RECORD_NOW, .ordinal = 2});
}

static void test_I3_the_auditor_sees_leases_and_timers_before_their_time(void **state)
{
    (void)state;
    static const lie lies[] = {{"I3.live_lease_taken", takes_a_live_lease},
                               {"I3.live_lease_taken", takes_a_renewed_lease},
                               {"I3.timer_early", fires_early},
                               {"I3.timer_not_set", fires_unset}};
    ALL(lies);
}

/* I4 */
static void loses_a_record(fleet_history *h)
{
    put(h, CHAIN, 2, (fleet_record){.kind = PAWL_RECORD_NOW, .ordinal = 1});
}
static void has_a_gap(fleet_history *h)
{
    fleet_process_of(h, CHAIN)->records[2].sequence = 9;
}
static void has_another_head(fleet_history *h)
{
    fleet_process_of(h, CHAIN)->head = 3;
}
static void starts_twice(fleet_history *h)
{
    put(h, CHAIN, 2, (fleet_record){.kind = PAWL_RECORD_STARTED});
}
static void goes_on_after_its_end(fleet_history *h)
{
    put(h, CHAIN, 3, (fleet_record){.kind = PAWL_RECORD_ENDED});
}
static void has_another_status(fleet_history *h)
{
    fleet_process_of(h, CHAIN)->status = PAWL_FAILED;
}
static void forgets_that_it_was_cancelled(fleet_history *h)
{
    fleet_process_of(h, LISTENER)->cancelled = false;
}

static void test_I4_the_auditor_sees_journals_and_headers_that_differ(void **state)
{
    (void)state;
    static const lie lies[] = {{"I4.record_lost", loses_a_record},
                               {"I4.gap", has_a_gap},
                               {"I4.head", has_another_head},
                               {"I4.started", starts_twice},
                               {"I4.after_end", goes_on_after_its_end},
                               {"I4.status", has_another_status},
                               {"I4.cancelled", forgets_that_it_was_cancelled}};
    ALL(lies);
}

/* A look at a process that waits for its timer. */
static const fleet_record waits[] = {{.kind = PAWL_RECORD_STARTED, .sequence = 1},
                                     {.kind = PAWL_RECORD_TIMER, .sequence = 2, .ordinal = 1, .due_unix_ns = 50}};
static const fleet_record parked[] = {{.kind = PAWL_RECORD_STARTED, .sequence = 1},
                                      {.kind = PAWL_RECORD_PARKED, .sequence = 2}};

static auditor_look look_at(uint32_t status, uint64_t head)
{
    return (auditor_look){.id = "p",
                          .status_before = status,
                          .status_after = status,
                          .head_before = head,
                          .head_after = head,
                          .wake_unix_ns = status == PAWL_WAITING ? 50 : 0,
                          .has_reason_code = status == PAWL_STUCK,
                          .records = status == PAWL_STUCK ? parked : waits,
                          .record_count = 2};
}

/* rule NULL: nothing is wrong. */
static void assert_look(auditor_look look, const char *rule)
{
    auditor_report report = {0};
    auditor_judge_look(&look, &report);
    if (rule == NULL)
        assert_int_equal(report.count, 0);
    else
        assert_found(&report, rule);
}

static void test_I4_the_auditor_sees_a_moment_in_which_they_differ(void **state)
{
    (void)state;
    auditor_look look = look_at(PAWL_WAITING, 2);
    assert_look(look, NULL);
    look.wake_unix_ns = 51;
    assert_look(look, "I4.wake");
    look = look_at(PAWL_WAITING, 2);
    look.cancelled = true;
    assert_look(look, "I4.cancelled");
    look = look_at(PAWL_WAITING, 3);
    assert_look(look, "I4.head");
    look.head_after = 4; /* something was written meanwhile */
    assert_look(look, NULL);
    assert_look(look_at(PAWL_COMPLETED, 2), "I4.status");
    look = look_at(PAWL_STUCK, 2);
    assert_look(look, NULL);
    look.has_reason_code = false;
    assert_look(look, "I4.stuck");
    look = look_at(PAWL_STUCK, 2);
    look.records = waits;
    assert_look(look, "I4.stuck");
}

/* I5 */
static void loses_a_signal(fleet_history *h)
{
    h->posts[2].acknowledged = true;
}
static void moves_a_signal(fleet_history *h)
{
    h->posts[1].sequence = 4;
}
static void loses_a_process(fleet_history *h)
{
    h->posts[0].number = 99;
}
static void takes_a_signal_in_twice(fleet_history *h)
{
    put(h, LISTENER, 4, (fleet_record){.kind = PAWL_RECORD_SIGNAL, .value = "b"});
}
static void delivers_twice(fleet_history *h)
{
    put(h, LISTENER, 7, (fleet_record){.kind = PAWL_RECORD_STEP, .ordinal = 3, .name = "take", .value = "take(a)"});
}
static void delivers_nothing(fleet_history *h)
{
    put(h, LISTENER, 5, (fleet_record){.kind = PAWL_RECORD_NOW, .ordinal = 9});
    h->posts[1].acknowledged = false;
}

static void test_I5_the_auditor_sees_posts_lost_and_delivered_twice(void **state)
{
    (void)state;
    static const lie lies[] = {{"I5.post_lost", loses_a_signal},  {"I5.post_lost", moves_a_signal},
                               {"I5.post_lost", loses_a_process}, {"I5.post_twice", takes_a_signal_in_twice},
                               {"I5.delivery", delivers_twice},   {"I5.delivery", delivers_nothing}};
    ALL(lies);
}

/* I7 */
static void goes_on_though_cancelled(fleet_history *h)
{
    fleet_process *p = fleet_process_of(h, LISTENER);
    fleet_record ended = p->records[8];
    p->status = ended.status = PAWL_COMPLETED;
    p->records[6] = p->records[7]; /* the request came before the last step */
    p->records[6].sequence = 7;
    put(h, LISTENER, 8, (fleet_record){.kind = PAWL_RECORD_STEP, .ordinal = 3, .name = "take", .value = "take(b)"});
    p->records[8] = ended;
}
static void ends_before_its_effects(fleet_history *h)
{
    h->executions[2].end_order = 115; /* the one under token 11 */
}
static void executes_after_its_end(fleet_history *h)
{
    executed(h, 114, 2, CHAIN, 3, 0);
}

static void executes_though_it_has_read_its_end(fleet_history *h)
{
    event(h, (fleet_event){.order = 106,
                           .kind = FLEET_KNOWN,
                           .worker = 2,
                           .number = CHAIN,
                           .sequence = 4,
                           .record_kind = PAWL_RECORD_ENDED});
    executed(h, 107, 2, CHAIN, 3, 0);
}

static void test_I7_the_auditor_sees_a_cancel_ignored_and_an_end_told_too_early(void **state)
{
    (void)state;
    static const lie lies[] = {{"I7.cancel_ignored", goes_on_though_cancelled},
                               {"I7.end_before_effects", ends_before_its_effects},
                               {"I7.executed_after_end", executes_after_its_end},
                               {"I7.executed_after_end", executes_though_it_has_read_its_end}};
    ALL(lies);
}

/* I8, I10 */
static void stalls_an_innocent(fleet_history *h)
{
    fleet_process_of(h, WILD)->traits = 0;
}
static void leaves_one_waiting(fleet_history *h)
{
    fleet_process_of(h, WILD)->status = PAWL_WAITING;
}
static void gives_no_reason(fleet_history *h)
{
    fleet_process_of(h, WILD)->reason_code[0] = '\0';
}

static void test_I8_the_auditor_sees_who_is_stalled_without_cause(void **state)
{
    (void)state;
    static const lie lies[] = {
        {"I8.not_ended", stalls_an_innocent}, {"I8.not_ended", leaves_one_waiting}, {"I8.no_reason", gives_no_reason}};
    ALL(lies);
}

static void crowds_a_bulkhead(fleet_history *h)
{
    for (int i = 0; i < 2; i++)
        executed(h, 71, 2, CHAIN, 2, 0); /* three at once with that of 70 */
}
static void hands_out_too_many(fleet_history *h)
{
    find_event(h, 140)->count = 3;
}

static void test_I10_the_auditor_sees_limits_exceeded(void **state)
{
    (void)state;
    static const lie lies[] = {{"I10.bulkhead", crowds_a_bulkhead}, {"I10.claim", hands_out_too_many}};
    ALL(lies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_honest_history_is_found_honest),
        cmocka_unit_test(test_I1_I7_what_a_worker_that_was_overtaken_reads_its_successor_does_not_know),
        cmocka_unit_test(test_I1_the_auditor_sees_what_is_executed_again),
        cmocka_unit_test(test_I2_the_auditor_sees_stale_tokens),
        cmocka_unit_test(test_I3_the_auditor_sees_leases_and_timers_before_their_time),
        cmocka_unit_test(test_I4_the_auditor_sees_journals_and_headers_that_differ),
        cmocka_unit_test(test_I4_the_auditor_sees_a_moment_in_which_they_differ),
        cmocka_unit_test(test_I5_the_auditor_sees_posts_lost_and_delivered_twice),
        cmocka_unit_test(test_I7_the_auditor_sees_a_cancel_ignored_and_an_end_told_too_early),
        cmocka_unit_test(test_I8_the_auditor_sees_who_is_stalled_without_cause),
        cmocka_unit_test(test_I10_the_auditor_sees_limits_exceeded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
