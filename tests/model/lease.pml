/* lease.pml: the lease protocol as Spin can check it: claim, fenced commit, suspend, takeover, cancel, park, crash and
 * reopening of one process, by every interleaving. The store is in store.pml, the worker here. Both stand for the code
 * named at each part, and must follow it: when that code changes its rules, they change first. README.md says what is
 * left out and how to read a counterexample.
 *
 * The program of the process: call effect 1; wait for a signal (or a due time); call effect 2; end. It ends as cancelled
 * at the first look that shows a cancel request.
 *
 * -DMUTANT_... breaks one rule: Spin must then find a counterexample. -DWITNESS=n turns something that can happen into an
 * error, so that Spin shows it. Both lists are in check.sh. */

#include "words.pml"

#define R_STEP1 2
#define R_STEP2 3
#define R_FIRED 4

#define STAGE_OWN_RECORDS(w) \
    if :: o_record[w] != 0 -> stage_record(o_record[w]); o_sequence[w] = s_head :: else fi
#define OWN_RECORDS(w) (o_record[w] != 0 -> 1 : 0)
#define CHECK_FOLLOWS(w) skip
#define CHECK_OWN_RECORDS \
    count_records(R_STEP1, s_head); \
    CHECK("broken: I1 a step is recorded once\n", n <= 1); \
    count_records(R_STEP2, s_head); \
    CHECK("broken: I1 a step is recorded once\n", n <= 1)

byte o_record[2]; /* the record of an APPEND; 0: none */

#include "store.pml"

byte g_runs1; /* how often effect 1 was begun */

/* What a worker's look() finds: scratch, too. */
hidden byte step1;
hidden byte step2;
hidden byte go_on;
hidden byte cancel;
hidden byte over;

/* ---- the worker: worker/resident/resident.c, commit.c, calls.c --------------------------------------------------- */

/* pawl_resident_feed_early(): posted records whose turn has come */
inline feed_posted(w)
{
    do
    :: told[w] & (1 << (seen + 1)) -> seen++
    :: else -> break
    od
}

#define P_LEAVE   1
#define P_EFFECT1 2
#define P_EFFECT2 3
#define P_SUSPEND 4
#define P_FIRED   5
#define P_END     6

/* What the program does, given records 1 .. seen */
inline look()
{
    step1 = false; go_on = false; step2 = false; cancel = false; over = false;
    for (i : 1 .. seen) {
        step1 = step1 || rec[i] == R_STEP1;
        step2 = step2 || rec[i] == R_STEP2;
        go_on = go_on || rec[i] == R_SIGNAL || rec[i] == R_FIRED;
        cancel = cancel || rec[i] == R_CANCEL;
        over = over || rec[i] == R_ENDED
    }
    if
    :: over -> plan = P_LEAVE
    :: !over && cancel -> plan = P_END
    :: !over && !cancel && !step1 -> plan = P_EFFECT1
    :: !over && !cancel && step1 && !go_on && !(d_wake && due) -> plan = P_SUSPEND
    :: !over && !cancel && step1 && !go_on && d_wake && due -> plan = P_FIRED
    :: !over && !cancel && step1 && go_on && !step2 -> plan = P_EFFECT2
    :: !over && !cancel && step2 -> plan = P_END
    fi
}

/* pawl_resident_commit() */
inline submit(w, kind, record)
{
    o_kind[w] = kind; o_token[w] = token; o_record[w] = record; o_way[w] = QUEUED;
    o_seen[w] = (kind == APPEND -> 0 : seen);
#ifdef MUTANT_FENCE_AT_SUBMIT
    if
    :: !HELD_BY(w, token) -> o_way[w] = ANSWERED; o_answer[w] = STALE
    :: else
    fi;
#endif
    printf("worker %d submits operation %d under %d, seen %d\n", w, kind, token, seen)
}

/* resident/calls.c, start_one(). A worker that has lost its lease and does not know may run a recorded step again: with
 * the same idempotency key, which is what the key is for. */
inline begin_effect(w, number)
{
    g_effect[w] = number;
    printf("worker %d begins effect %d under %d\n", w, number, token);
    d_step {
        count_records((number == 1 -> R_STEP1 : R_STEP2), d_head);
        CHECK("broken: I1 a recorded step is not run again by the holder\n", !HELD_BY(w, token) || n == 0);
#if WITNESS == 2
        CHECK("witness: a fenced worker runs a recorded step again\n", n == 0);
#endif
        count_records(R_STEP1, d_head);
        CHECK("broken: I1 nothing begins before what it depends on is durable\n", number == 1 || n == 1);
#if WITNESS == 1
        g_runs1 = (number == 1 && g_runs1 < 2 -> g_runs1 + 1 : g_runs1);
        CHECK("witness: an effect runs twice, with one key\n", g_runs1 < 2)
#endif
        skip
    }
}

proctype worker(byte w)
{
    byte token = 0;
    byte seen = 0;
    byte effect = 0;
    byte plan = 0;

idle:
    atomic { token = 0; seen = 0; effect = 0; plan = 0; g_effect[w] = 0; told[w] = 0; o_token[w] = 0; o_seen[w] = 0; o_kind[w] = 0;
        o_record[w] = 0; o_sequence[w] = 0; o_answer[w] = 0 }
end_idle:
    if
    :: atomic { CLAIMABLE -> d_step { take_lease(w) }
#if WITNESS == 3
        CHECK("witness: a takeover while the one before still writes\n", o_way[1 - w] != QUEUED)
#endif
        }
    :: atomic { up && d_status == ENDED -> goto gone }
    fi;

    /* resident/load.c, load(): the journal as far as it is written */
    atomic { up ->
#ifdef MUTANT_LOADS_NOTHING
        seen = 1
#else
        seen = d_head
#endif
    }

next: /* resident.c, step() */
    atomic {
        d_step { feed_posted(w); look(); skip }
        if
        :: plan == P_LEAVE -> goto idle
        :: !HELD_BY(w, token) -> printf("worker %d hears that its lease is lost\n", w); goto idle
        :: HELD_BY(w, token) && releases > 0 -> releases--; plan = 0; goto release
        :: parks > 0 && plan != P_LEAVE -> parks--; plan = 0; submit(w, PARK, 0)
        :: plan == P_EFFECT1 -> plan = 0; effect = 1; begin_effect(w, 1); goto running
        :: plan == P_EFFECT2 -> plan = 0; effect = 2; begin_effect(w, 2); goto running
        :: plan == P_SUSPEND -> plan = 0; submit(w, SUSPEND, 0)
        :: plan == P_FIRED -> plan = 0; submit(w, APPEND, R_FIRED)
        :: plan == P_END -> plan = 0; submit(w, COMPLETE, 0)
        fi }

answer: /* resident/commit.c, pawl_resident_committed() */
    atomic { o_way[w] == ANSWERED ->
        o_way[w] = NONE;
        printf("worker %d has the answer %d\n", w, o_answer[w]);
        if
        :: o_answer[w] == IO -> o_way[w] = QUEUED; o_answer[w] = 0; goto answer /* the same again */
        :: o_answer[w] == STALE || o_answer[w] == CLOSED -> goto idle
        :: o_answer[w] == OK && o_kind[w] != APPEND -> goto idle
        :: o_answer[w] == OK && o_kind[w] == APPEND ->
            d_step { /* feed_committed() */
                feed_posted(w);
                CHECK("broken: I5 a holder is told of a post before what comes after it\n",
                      seen + 1 == o_sequence[w] || !HELD_BY(w, token) || losses < LOSSES);
#ifdef MUTANT_TRUSTS_EVENTS
                CHECK("broken: I5 a lost event is made good\n", seen + 1 == o_sequence[w] || !HELD_BY(w, token));
#endif
                seen = (seen + 1 == o_sequence[w] -> o_sequence[w] : d_head); /* catch_up() */
                feed_posted(w);
                skip
            }
            o_answer[w] = 0; o_sequence[w] = 0; o_kind[w] = 0; o_token[w] = 0; o_seen[w] = 0; o_record[w] = 0;
            goto next
        :: o_answer[w] == MORE ->
#if WITNESS == 6
            CHECK("witness: more has come than the holder had seen\n", false);
#endif
            o_answer[w] = 0; o_kind[w] = 0; o_token[w] = 0; o_seen[w] = 0
        fi }
    if
    :: atomic { told[w] & (1 << (seen + 1)) -> goto next }
#ifndef MUTANT_WAITS_FOR_EVENTS
    :: atomic { up && !(told[w] & (1 << (seen + 1))) -> /* catch_up() */
        CHECK("broken: I5 more means more\n", d_head > seen);
        seen = d_head; goto next }
#endif
    :: atomic { !HELD_BY(w, token) -> goto idle }
    fi;

running:
#ifdef MUTANT_EFFECT_BEFORE_RECORD
    if
    :: atomic { effect == 1 -> begin_effect(w, 2) }
    :: else
    fi;
#endif
    if
#ifdef MUTANT_CANCELLED_EARLY
    :: atomic { told[w] != 0 && g_effect[w] != 0 ->
        d_step { feed_posted(w); look(); skip }
        if
        :: plan == P_END -> plan = 0; submit(w, COMPLETE, 0); goto answer
        :: else -> plan = 0; goto running
        fi }
#endif
    :: atomic { g_effect[w] = 0; printf("worker %d: effect %d has ended\n", w, effect);
        submit(w, APPEND, (effect == 1 -> R_STEP1 : R_STEP2)); effect = 0; goto answer }
    :: atomic { !HELD_BY(w, token) -> goto idle } /* lose(): the effect is asked to stop, and forgotten */
    fi;

release: /* resident.c, release(); lease.c, pawl_store_release(): not part of a round */
#ifdef MUTANT_STALE_RELEASE
    atomic {
        if
        :: up && v_owner != NOBODY ->
            CHECK("broken: I2 a stale token releases nothing\n", token == g_token);
            v_owner = NOBODY; v_returned = true; g_over = true
        :: else
        fi }
#else
    atomic {
        if
        :: up && v_owner != NOBODY && v_token == token ->
            CHECK("broken: I2 a stale token releases nothing\n", token == g_token);
            printf("worker %d releases lease %d\n", w, token);
            v_owner = NOBODY; v_returned = true; g_over = true
        :: else -> printf("worker %d releases lease %d: stale\n", w, token)
        fi }
#endif
    goto idle;
gone:
    skip
}

/* ---- when nothing more can happen -------------------------------------------------------------------------------- */

active proctype judge()
{
end:
    atomic { timeout ->
        CHECK("broken: I8 nobody holds a process and does nothing\n", v_owner == NOBODY);
        CHECK("broken: I8 what is ready is claimed\n", d_status != READY);
        CHECK("broken: I7 an acknowledged cancel takes effect\n", !g_acked[CANCELLER] || d_status == ENDED);
        CHECK("broken: I5 an acknowledged signal is acted upon\n", !g_acked[SIGNALLER] || d_status == ENDED);
        CHECK("broken: I8 what is stuck can be resumed\n", d_status != STUCK) }
}

init
{
    atomic {
        rec[1] = R_STARTED;
        run worker(0); run worker(1);
        if :: SIGNALS > 0 -> run poster(SIGNALLER) :: else fi;
        if :: CANCELS > 0 -> run poster(CANCELLER) :: else fi;
        if :: PARKS > 0 -> run poster(OPERATOR) :: else fi;
        if :: FORCED > 0 -> run poster(FORCER) :: else fi
    }
}
