/* lease_trace_test.c: the lease protocol told as short stories, each compared to a golden file that a newcomer can
 * read: golden/lease-*.txt. They are driven against the real registry, in virtual time; see narrator.h. */
#include "narrator.h"

#include <string.h>

#define UNUSED(state) (void)(state)

static void test_a_process_from_start_to_end(void **state)
{
    UNUSED(state);
    narrator *n =
        narrator_open(false, "A process from start to end: every lease is taken by a claim and dropped by what "
                             "ends the activation.");
    begins(n, "alice", 30);
    registers(n, "p");
    claims_any(n, "alice");
    shows(n, "p");
    passes(n, 10);
    heartbeats(n, "alice");
    appends(n, "alice", "p");
    suspends(n, "alice", "p", 2, 0);
    shows(n, "p");
    remark(n, "a process that waits is nobody's: it cannot be claimed until something comes");
    claims(n, "alice", "p");
    posts(n, PAWL_RECORD_SIGNAL, "p", "go");
    claims_any(n, "alice");
    completes(n, "alice", "p", 3, PAWL_COMPLETED);
    shows(n, "p");
    claims(n, "alice", "p");
    narrator_close(n, "lease-01-life");
}

static void test_L02_L07_L08_takeover_fences_the_one_before(void **state)
{
    UNUSED(state);
    narrator *n =
        narrator_open(false, "Takeover: alice falls silent; her lease ends exactly at its time, bob takes over, "
                             "and nothing she still tries is written.");
    begins(n, "alice", 30);
    begins(n, "bob", 300);
    registers(n, "p");
    claims(n, "alice", "p");
    appends(n, "alice", "p");
    passes(n, 29.9);
    claims(n, "bob", "p");
    passes(n, 0.1);
    claims(n, "bob", "p");
    remark(n, "alice wakes up and knows of nothing");
    appends(n, "alice", "p");
    suspends(n, "alice", "p", 2, 0);
    completes(n, "alice", "p", 2, PAWL_COMPLETED);
    parks(n, "alice", "p", 2);
    releases(n, "alice", "p");
    heartbeats(n, "alice");
    shows(n, "p");
    remark(n, "a session that is over does not come back; a new one is a new owner");
    begins(n, "alice", 30);
    claims(n, "alice", "p");
    completes(n, "bob", "p", 2, PAWL_COMPLETED);
    narrator_close(n, "lease-02-takeover");
}

static void test_L05_a_heartbeat_carries_every_lease(void **state)
{
    UNUSED(state);
    narrator *n = narrator_open(false, "One heartbeat for all: it extends the session, and with it every lease.");
    begins(n, "alice", 30);
    registers(n, "p");
    registers(n, "q");
    claims_any(n, "alice");
    claims_any(n, "alice");
    passes(n, 20);
    heartbeats(n, "alice");
    passes(n, 20);
    heartbeats(n, "alice");
    shows(n, "p");
    shows(n, "q");
    passes(n, 30);
    shows(n, "p");
    shows(n, "q");
    narrator_close(n, "lease-03-heartbeat");
}

static void test_L06_L15_given_back(void **state)
{
    UNUSED(state);
    narrator *n =
        narrator_open(false, "Given back: a release or the end of a session makes a process claimable at once, "
                             "without waiting for any time.");
    begins(n, "alice", 30);
    begins(n, "bob", 30);
    registers(n, "p");
    claims(n, "alice", "p");
    releases(n, "alice", "p");
    claims_any(n, "bob");
    remark(n, "her token is stale now: releasing again must not touch what is bob's");
    releases(n, "alice", "p");
    shows(n, "p");
    leaves(n, "bob");
    claims_any(n, "alice");
    narrator_close(n, "lease-04-given-back");
}

static void test_L03_I2_reopening_raises_the_epoch(void **state)
{
    UNUSED(state);
    narrator *n =
        narrator_open(true, "Crash and reopen: leases are in memory only, so none survives and nobody waits for "
                            "one; the epoch makes every new token larger.");
    begins(n, "alice", 30);
    registers(n, "p");
    claims(n, "alice", "p");
    appends(n, "alice", "p");
    reopens(n);
    shows(n, "p");
    remark(n, "alice outlived the store, with her token and her session");
    heartbeats(n, "alice");
    appends(n, "alice", "p");
    begins(n, "bob", 30);
    claims_any(n, "bob");
    appends(n, "alice", "p");
    completes(n, "alice", "p", 2, PAWL_COMPLETED);
    completes(n, "bob", "p", 2, PAWL_COMPLETED);
    reopens(n);
    shows(n, "p");
    narrator_close(n, "lease-05-reopen");
}

static void test_I7_C01_cancel_watcher(void **state)
{
    UNUSED(state);
    narrator *n =
        narrator_open(false, "Cancel: asked from outside, past any token; the watcher and the holder are told, "
                             "and a holder that has not seen it cannot end or suspend over it.");
    begins(n, "alice", 30);
    registers(n, "p");
    claims(n, "alice", "p");
    watches_for_cancel(n, "alice", "p", 1);
    posts(n, PAWL_RECORD_SIGNAL, "p", "go");
    remark(n, "the watcher wants cancel requests only");
    posts(n, PAWL_RECORD_CANCEL, "p", "stop");
    shows(n, "p");
    remark(n, "the same request again is the same record");
    posts(n, PAWL_RECORD_CANCEL, "p", "stop");
    completes(n, "alice", "p", 2, PAWL_COMPLETED);
    suspends(n, "alice", "p", 2, 0);
    completes(n, "alice", "p", 3, PAWL_CANCELLED);
    remark(n, "after the end an accepted request is answered as before, a new one refused");
    posts(n, PAWL_RECORD_CANCEL, "p", "stop");
    posts(n, PAWL_RECORD_CANCEL, "p", "really stop");
    watches_for_cancel(n, "alice", "p", 3);
    narrator_close(n, "lease-06-cancel");
}

static void test_I5_a_signal_is_never_slept_over(void **state)
{
    UNUSED(state);
    narrator *n =
        narrator_open(false, "A signal that comes before the suspend is not slept over; one that comes after it "
                             "makes the process ready.");
    begins(n, "alice", 300);
    registers(n, "p");
    claims(n, "alice", "p");
    posts(n, PAWL_RECORD_SIGNAL, "p", "one");
    suspends(n, "alice", "p", 1, 0);
    suspends(n, "alice", "p", 2, 0);
    posts(n, PAWL_RECORD_SIGNAL, "p", "two");
    shows(n, "p");
    claims_any(n, "alice");
    suspends(n, "alice", "p", 3, 60);
    passes(n, 59.9);
    claims_any(n, "alice");
    passes(n, 0.1);
    claims_any(n, "alice");
    narrator_close(n, "lease-07-signal");
}

static void test_I8_parked_resumed_and_never_beyond_reach(void **state)
{
    UNUSED(state);
    narrator *n =
        narrator_open(false, "Parked: a process that cannot go on is stuck until somebody resumes or cancels it. "
                             "A cancel that its holder had not seen does not wait behind the park.");
    begins(n, "alice", 30);
    registers(n, "p");
    claims(n, "alice", "p");
    parks(n, "alice", "p", 1);
    shows(n, "p");
    posts(n, PAWL_RECORD_SIGNAL, "p", "hello");
    claims_any(n, "alice");
    posts(n, PAWL_RECORD_RESUMED, "p", "try again");
    claims_any(n, "alice");
    posts(n, PAWL_RECORD_CANCEL, "p", "stop");
    parks(n, "alice", "p", 4);
    shows(n, "p");
    claims_any(n, "alice");
    completes(n, "alice", "p", 6, PAWL_CANCELLED);
    narrator_close(n, "lease-08-parked");
}

static void test_C06_termination_fences_the_holder(void **state)
{
    UNUSED(state);
    narrator *n =
        narrator_open(false, "Terminated by force: the process ends over its holder's head, who is told and can "
                             "write nothing more.");
    begins(n, "alice", 30);
    registers(n, "p");
    claims(n, "alice", "p");
    watches_for_cancel(n, "alice", "p", 1);
    terminates(n, "p");
    appends(n, "alice", "p");
    completes(n, "alice", "p", 2, PAWL_COMPLETED);
    releases(n, "alice", "p");
    shows(n, "p");
    claims(n, "alice", "p");
    narrator_close(n, "lease-09-terminated");
}

static void test_I3_L12_the_wall_clock_has_no_say(void **state)
{
    UNUSED(state);
    narrator *n =
        narrator_open(false, "Clocks: leases follow the monotonic clock alone. Due times follow the wall clock, "
                             "and setting it back loses nothing that was posted meanwhile.");
    begins(n, "alice", 30);
    begins(n, "bob", 300);
    registers(n, "p");
    claims(n, "alice", "p");
    wall_clock_jumps(n, 2592000);
    claims(n, "bob", "p");
    wall_clock_jumps(n, -2592000);
    shows(n, "p");
    suspends(n, "alice", "p", 1, 20);
    passes(n, 20);
    claims_any(n, "alice");
    remark(n, "a signal, then the clock goes back, then alice is gone");
    posts(n, PAWL_RECORD_SIGNAL, "p", "go");
    wall_clock_jumps(n, -3600);
    passes(n, 30);
    claims_any(n, "bob");
    narrator_close(n, "lease-10-clocks");
}

int main(int argument_count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_process_from_start_to_end),
        cmocka_unit_test(test_L02_L07_L08_takeover_fences_the_one_before),
        cmocka_unit_test(test_L05_a_heartbeat_carries_every_lease),
        cmocka_unit_test(test_L06_L15_given_back),
        cmocka_unit_test(test_L03_I2_reopening_raises_the_epoch),
        cmocka_unit_test(test_I7_C01_cancel_watcher),
        cmocka_unit_test(test_I5_a_signal_is_never_slept_over),
        cmocka_unit_test(test_I8_parked_resumed_and_never_beyond_reach),
        cmocka_unit_test(test_C06_termination_fences_the_holder),
        cmocka_unit_test(test_I3_L12_the_wall_clock_has_no_say),
    };
    if (argument_count > 1 && strcmp(arguments[1], "--regenerate") == 0)
        narrator_regenerate();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
