/* ahead.pml: results of effects declared local, shown to the program before they are durable, by every interleaving with
 * posts, cancel, takeover, crash, failed writes and a worker that stops. The store is in store.pml, the worker here:
 * worker/resident/ahead.c, and what resident.c, resident/calls.c and resident/commit.c do for it. Both stand for the code
 * named at each part, and must follow it: when that code changes its rules, they change first. README.md says what is
 * left out and how to read a counterexample.
 *
 * The mirror of a worker is what its program knows: the journal, and behind it what is ahead of the store. A step that
 * anybody can see is called V here, the local ones L1, L2, L3. The programs (-DPROGRAM=n), which end as cancelled at the
 * first look that shows a cancel request:
 *   1  L1, L2, L3, then V: as VA when a signal stands before L2, otherwise as VB; the end
 *   2  L1, a wait for a signal, L2, L3, the end
 *   3  L1, then V and L2 side by side, L3, the end
 *   4  L1, then it is stuck until it is resumed; L2, V, the end
 *
 * -DMUTANT_... breaks one rule, -DWITNESS=n turns something that can happen into an error. Both lists are in check.sh. */

#ifndef PROGRAM
#define PROGRAM 1
#endif
#ifndef FAILS
#define FAILS 0 /* attempts of local steps that fail */
#endif
#ifndef REFUSALS
#define REFUSALS 0 /* of an APPEND of what was ahead, for good: by a limit */
#endif

#define ROOM      12
#define AHEAD_MAX 2 /* AHEAD_RECORDS_MAX in the code */

#include "words.pml"

#define R_L1    2
#define R_L2    3
#define R_L3    4
#define R_VA    10
#define R_VB    11
#define R_TRIED 12 /* an attempt that failed */

#define STAGE_OWN_RECORDS(w) stage_own_records(w)
#define CHECK_FOLLOWS(w)     check_follows(w)
#define CHECK_OWN_RECORDS    check_own_records()
#define OWN_RECORDS(w)       (o_ahead[w] + (o_new[w] != 0 -> 1 : 0))

byte o_ahead[2]; /* so many records of the operation were seen ahead ... */
byte o_new[2];   /* ... and this one behind them was not; 0: there is none */

#define MIRROR(w, n) m_rec[(w) * (ROOM + 1) + (n)]

byte m_rec[2 * (ROOM + 1)];
byte m_head[2];
byte m_ahead[2];     /* so many records, the last of the mirror, the store does not have */
bool m_refused[2];   /* the store will never have them */
byte fails = FAILS;
byte refusals = REFUSALS;

/* For the properties alone. */
byte g_way;          /* the first V that was begun */
byte g_runs1;        /* how often L1 was begun */

/* What a worker's look() finds: scratch. */
hidden byte k;
hidden byte last;
hidden byte l1;
hidden byte l2;
hidden byte l3;
hidden byte visible;
hidden byte go_on;
hidden byte early;
hidden byte resumed;
hidden byte cancel;
hidden byte over;

/* ---- what an operation carries ----------------------------------------------------------------------------------- */

/* store/commit.c, append_records() */
inline stage_own_records(w)
{
    CHECK("broken: I5 what was seen ahead stands where it was seen, or nowhere\n",
          o_ahead[w] == 0 || s_head == m_head[w] - o_ahead[w]);
    o_sequence[w] = (OWN_RECORDS(w) > 0 -> s_head + 1 : 0);
    k = m_head[w] - o_ahead[w];
    do
    :: k < m_head[w] -> k++; stage_record(MIRROR(w, k))
    :: else -> break
    od;
    if
    :: o_new[w] != 0 -> stage_record(o_new[w])
    :: else
    fi
}

/* The mirror, as far as `upto`, is the journal. */
inline compare(w, upto, head)
{
    flag = (upto <= head);
    for (i : 1 .. upto) { flag = flag && MIRROR(w, i) == rec[i] }
}

/* A wait, an end and a park are decided by the program: they are true when what it has seen is recorded. */
inline check_follows(w)
{
    if
    :: m_refused[w] /* parked because the store did not take it */
    :: else ->
        compare(w, m_head[w], s_head);
        CHECK("broken: I8 being stuck is no more true than what it follows from\n", flag || o_kind[w] != PARK);
        CHECK("broken: I1 an end or a wait follows from what is recorded\n", flag || o_kind[w] == PARK)
    fi;
#if WITNESS == 12
    CHECK("witness: two local steps and the end are one write\n", o_kind[w] != COMPLETE || o_ahead[w] < 2);
#endif
    skip
}

inline check_own_records()
{
    count_records(R_L1, s_head);
    CHECK("broken: I1 a step is recorded once\n", n <= 1);
    count_records(R_L2, s_head);
    CHECK("broken: I1 a step is recorded once\n", n <= 1);
    count_records(R_L3, s_head);
    CHECK("broken: I1 a step is recorded once\n", n <= 1);
    count_records(R_VA, s_head);
    k = n;
    count_records(R_VB, s_head);
    CHECK("broken: I1 a step is recorded once\n", n + k <= 1)
}

#include "store.pml"

/* ---- the mirror -------------------------------------------------------------------------------------------------- */

inline push(w, kind)
{
    m_head[w]++;
    CHECK("broken: the model has too little room\n", m_head[w] <= ROOM);
    MIRROR(w, m_head[w]) = kind
}

/* resident/load.c, load(), or with what the mirror has already, resident/commit.c, catch_up() */
inline read_journal(w)
{
    for (i : m_head[w] + 1 .. d_head) { MIRROR(w, i) = rec[i] }
    m_head[w] = (d_head > m_head[w] -> d_head : m_head[w]);
    told[w] = (told[w] >> (m_head[w] + 1)) << (m_head[w] + 1)
}

inline forget_mirror(w)
{
    for (i : 1 .. ROOM) { MIRROR(w, i) = 0 }
    m_head[w] = 0; m_ahead[w] = 0; m_refused[w] = false
}

/* resident.c, pawl_resident_feed_early(): posted records whose turn has come. Where one stands is known only when
 * nothing is ahead of the store. */
#ifdef MUTANT_FEEDS_WHILE_AHEAD
#define MAY_FEED(w) ((told[w] & (1 << (m_head[w] + 1))) != 0)
#else
#define MAY_FEED(w) (m_ahead[w] == 0 && (told[w] & (1 << (m_head[w] + 1))) != 0)
#endif

inline feed_one(w)
{
    k = rec[m_head[w] + 1];
    push(w, k);
    told[w] = told[w] & ~(1 << m_head[w])
}

inline feed_posted(w)
{
    do
    :: MAY_FEED(w) -> feed_one(w)
    :: else -> break
    od
}

/* resident/ahead.c, pawl_resident_durable_head() */
#ifdef MUTANT_SEEN_IS_THE_MIRROR
#define DURABLE_HEAD(w) (m_head[w])
#else
#define DURABLE_HEAD(w) (m_head[w] - m_ahead[w])
#endif

/* ---- the program ------------------------------------------------------------------------------------------------- */

#define P_LEAVE   1
#define P_LOCAL   2
#define P_VISIBLE 3
#define P_BOTH    4 /* a local step beside a visible one */
#define P_WAIT    5
#define P_STUCK   6
#define P_END     7

/* What the program does, given the mirror; `step` is the record of the local step that is next. */
inline look(w)
{
    l1 = false; l2 = false; l3 = false; visible = false; go_on = false; early = false; resumed = false; cancel = false;
    over = false; last = 0; step = 0;
    for (i : 1 .. m_head[w]) {
        k = MIRROR(w, i);
        early = early || (k == R_L2 && go_on);
        l1 = l1 || k == R_L1;
        l2 = l2 || k == R_L2;
        l3 = l3 || k == R_L3;
        visible = visible || k == R_VA || k == R_VB;
        go_on = go_on || k == R_SIGNAL;
        resumed = resumed || k == R_RESUMED;
        cancel = cancel || k == R_CANCEL;
        over = over || k == R_ENDED;
        last = (k >= R_SIGNAL && k <= R_ENDED -> i : last)
    }
    if
    :: over -> plan = P_LEAVE
    :: !over && cancel -> plan = P_END
    :: !over && !cancel && !l1 -> plan = P_LOCAL; step = R_L1
#if PROGRAM == 1
    :: !over && !cancel && l1 && !l2 -> plan = P_LOCAL; step = R_L2
    :: !over && !cancel && l2 && !l3 -> plan = P_LOCAL; step = R_L3
    :: !over && !cancel && l3 && !visible -> plan = P_VISIBLE
    :: !over && !cancel && visible -> plan = P_END
#elif PROGRAM == 2
    :: !over && !cancel && l1 && !go_on -> plan = P_WAIT
    :: !over && !cancel && l1 && go_on && !l2 -> plan = P_LOCAL; step = R_L2
    :: !over && !cancel && l2 && !l3 -> plan = P_LOCAL; step = R_L3
    :: !over && !cancel && l3 -> plan = P_END
#elif PROGRAM == 3
    :: !over && !cancel && l1 && !l2 && !visible -> plan = P_BOTH; step = R_L2
    :: !over && !cancel && l1 && l2 && !visible -> plan = P_VISIBLE
    :: !over && !cancel && l1 && !l2 && visible -> plan = P_LOCAL; step = R_L2
    :: !over && !cancel && l2 && visible && !l3 -> plan = P_LOCAL; step = R_L3
    :: !over && !cancel && l3 -> plan = P_END
#else
    :: !over && !cancel && l1 && !resumed -> plan = P_STUCK
    :: !over && !cancel && l1 && resumed && !l2 -> plan = P_LOCAL; step = R_L2
    :: !over && !cancel && l2 && !visible -> plan = P_VISIBLE
    :: !over && !cancel && visible -> plan = P_END
#endif
    fi;
    compare(w, last, d_head);
    CHECK("broken: I5 the order that the program sees is the order recorded\n", flag)
}

/* ---- the worker: resident.c, resident/commit.c, resident/calls.c, resident/ahead.c -------------------------------- */

/* resident/commit.c, pawl_resident_commit(): what is ahead goes in front of what is new. Without anything ahead, an
 * APPEND may come to stand anywhere. */
inline submit(w, kind, record)
{
    o_kind[w] = kind; o_token[w] = token; o_new[w] = record; o_way[w] = QUEUED;
    o_ahead[w] = (m_refused[w] -> 0 : m_ahead[w]);
#ifdef MUTANT_PARKS_WITHOUT
    o_ahead[w] = (kind == PARK -> 0 : o_ahead[w]);
#endif
#ifdef MUTANT_BATCH_STAYS
    if
    :: kept != 0 && record == 0 -> o_new[w] = kept; kept = 0
    :: else
    fi;
#endif
    o_seen[w] = (kind == APPEND && m_ahead[w] == 0 -> 0 : DURABLE_HEAD(w));
    printf("worker %d submits operation %d under %d, seen %d, %d of it ahead\n", w, kind, token, o_seen[w], o_ahead[w])
}

/* resident/ahead.c, pawl_resident_may_go_ahead(): it is the only call, and there is room. (No cancel request was seen:
 * look() says so.) */
#ifdef MUTANT_GOES_AHEAD_BESIDE
#define MAY_GO_AHEAD(w) (m_ahead[w] < AHEAD_MAX)
#else
#define MAY_GO_AHEAD(w) (plan == P_LOCAL && running == 0 && m_ahead[w] < AHEAD_MAX)
#endif

inline begin_local(w)
{
    printf("worker %d runs local step %d under %d, head %d, %d ahead\n", w, step, token, m_head[w], m_ahead[w]);
    d_step {
        count_records(step, d_head);
        CHECK("broken: I1 a recorded step is not run again by the holder\n", !HELD_BY(w, token) || n == 0);
#if WITNESS == 11
        g_runs1 = (step == R_L1 -> g_runs1 + 1 : g_runs1);
        CHECK("witness: a local step runs again, though nothing failed\n", g_runs1 < 2);
#endif
#if WITNESS == 14
        CHECK("witness: a fenced worker shows its program what will never be recorded\n",
              HELD_BY(w, token) || step != R_L2);
#endif
        skip
    }
}

/* resident/calls.c, start_one(), of a call that shows something outside */
inline begin_visible(w)
{
    CHECK("broken: I1 the holder does not begin what it has under way\n", g_effect[w] == 0);
    d_step { look(w); running = (PROGRAM == 1 && early -> R_VA : R_VB) } /* scratch does not last from there to here */
    g_effect[w] = running;
    printf("worker %d begins %d under %d\n", w, g_effect[w], token);
    d_step {
        count_records(R_VA, d_head);
        k = n;
        count_records(R_VB, d_head);
        CHECK("broken: I1 a recorded step is not run again by the holder\n", !HELD_BY(w, token) || n + k == 0);
        compare(w, m_head[w], d_head);
        CHECK("broken: I1 nothing visible begins before what it depends on is durable\n", flag);
        CHECK("broken: I1 what becomes visible is the same for every worker\n", g_way == 0 || g_way == g_effect[w]);
        g_way = g_effect[w];
#if WITNESS == 13
        CHECK("witness: what came in between is what becomes visible\n", !back || g_effect[w] != R_VA);
#endif
        skip
    }
}

inline forget_operation(w)
{
    o_token[w] = 0; o_seen[w] = 0; o_kind[w] = 0; o_ahead[w] = 0; o_new[w] = 0; o_sequence[w] = 0; o_answer[w] = 0
}

proctype worker(byte w)
{
    byte token = 0;
    byte plan = 0;
    byte step = 0;
    byte running = 0; /* the visible step that it knows to be under way */
    bool stopping = false;
    bool parking = false;
#if WITNESS == 13
    bool back = false;
#endif
#ifdef MUTANT_BATCH_STAYS
    byte kept = 0;
#endif

idle:
    atomic { d_step {
        token = 0; plan = 0; step = 0; running = 0; stopping = false; parking = false; g_effect[w] = 0; told[w] = 0;
#if WITNESS == 13
        back = false;
#endif
#ifdef MUTANT_BATCH_STAYS
        kept = 0;
#endif
        forget_mirror(w); forget_operation(w) } }
end_idle:
    if
    :: atomic { CLAIMABLE -> d_step { take_lease(w) } }
    :: atomic { up && d_status == ENDED -> goto gone }
    fi;

load: /* resident/load.c, load(): the journal as far as it is written */
    atomic { up -> d_step { read_journal(w) } printf("worker %d reads the journal, head %d\n", w, m_head[w]) }

next: /* resident.c, step() and advance_suspended() */
    atomic {
        d_step { look(w); skip }
        if
        :: MAY_FEED(w) -> d_step { feed_one(w) } goto next
        :: plan == P_LEAVE -> goto idle
        :: !HELD_BY(w, token) -> printf("worker %d hears that its lease is lost\n", w); goto idle
        :: running != 0 -> /* it has ended: resident/settle.c, pawl_resident_settle() */
            printf("worker %d: %d has ended\n", w, running);
            plan = 0; step = 0; submit(w, APPEND, running); running = 0; g_effect[w] = 0; goto answer
        :: running != 0 && m_ahead[w] > 0 -> goto write /* never, if nothing goes ahead beside it */
        :: releases > 0 && !stopping -> releases--; stopping = true; printf("worker %d stops\n", w); goto next
        :: stopping && !parking -> goto stop
        :: parking && running == 0 -> goto park
        :: !stopping && !parking && plan == P_STUCK && running == 0 -> parking = true; goto park
        :: !stopping && !parking && plan == P_LOCAL && running == 0 && m_ahead[w] < AHEAD_MAX -> goto run_local
        :: !stopping && !parking && plan == P_LOCAL && running == 0 && m_ahead[w] == AHEAD_MAX -> goto write
        :: !stopping && !parking && plan == P_BOTH && running != 0 -> goto run_local
        :: !stopping && !parking && (plan == P_VISIBLE || plan == P_BOTH) && running == 0 ->
#ifndef MUTANT_BEGINS_AHEAD
            if
            :: m_ahead[w] > 0 -> goto write
            :: else
            fi;
#endif
            begin_visible(w); plan = 0; step = 0; goto next
        :: !stopping && !parking && plan == P_WAIT && running == 0 ->
#ifndef MUTANT_SUSPENDS_AHEAD
            if
            :: m_ahead[w] > 0 -> goto write
            :: else
            fi;
#endif
            plan = 0; submit(w, SUSPEND, 0); goto answer
        :: !stopping && !parking && plan == P_END && running == 0 -> plan = 0; submit(w, COMPLETE, 0); goto answer
        fi }

run_local: /* resident/calls.c, start_one(), and resident/ahead.c, pawl_resident_go_ahead() */
    atomic {
        if
        :: fails > 0 -> fails--; printf("worker %d: local step %d fails\n", w, step);
            plan = 0; step = 0; submit(w, APPEND, R_TRIED); goto answer
        :: true ->
            begin_local(w);
            if
            :: MAY_GO_AHEAD(w) ->
                push(w, step); m_ahead[w]++; plan = 0; step = 0; goto next
            :: else -> plan = 0; submit(w, APPEND, step); step = 0; goto answer
            fi
        fi }

write: /* what is ahead, alone: nothing else can be done before */
    atomic {
        plan = 0; step = 0;
        if
        :: refusals > 0 -> /* resident/commit.c, on_refused() */
            refusals--; m_refused[w] = true; parking = true; printf("worker %d: the store refuses what is ahead\n", w);
            goto next
        :: true -> submit(w, APPEND, 0)
        fi }

answer: /* resident/commit.c, pawl_resident_committed() */
    atomic { o_way[w] == ANSWERED ->
        o_way[w] = NONE;
        printf("worker %d has the answer %d\n", w, o_answer[w]);
        if
        :: o_answer[w] == IO -> o_way[w] = QUEUED; o_answer[w] = 0; goto answer /* the same again */
        :: o_answer[w] == STALE || o_answer[w] == CLOSED -> goto idle
        :: o_answer[w] == OK && o_kind[w] != APPEND -> goto idle
#if defined(MUTANT_GOES_ON)
        :: o_answer[w] == MORE && m_ahead[w] > 0 -> m_ahead[w] = 0; d_step { forget_operation(w) } goto next
#elif defined(MUTANT_WRITES_BEHIND)
        :: o_answer[w] == MORE && m_ahead[w] > 0 -> o_seen[w] = d_head; o_answer[w] = 0; o_way[w] = QUEUED; goto answer
#else
        :: o_answer[w] == MORE && m_ahead[w] > 0 -> goto go_back
#endif
        :: o_answer[w] == OK && o_kind[w] == APPEND -> goto feed
        :: o_answer[w] == MORE && m_ahead[w] == 0 -> d_step { forget_operation(w) }
        fi }
    /* resident/commit.c, feed_committed(), when a SUSPEND or COMPLETE has not seen everything */
    if
    :: atomic { MAY_FEED(w) -> d_step { feed_posted(w); skip } goto next }
    :: atomic { up && !MAY_FEED(w) ->
        CHECK("broken: I5 more means more\n", d_head > m_head[w]);
        goto load }
    :: atomic { !HELD_BY(w, token) -> goto idle }
    fi;

feed: /* resident/commit.c, feed_committed() and feed_batch() */
    atomic {
        d_step {
            if
            :: m_ahead[w] > 0 ->
                CHECK("broken: I5 what was seen ahead stands where it was seen, or nowhere\n",
                      o_sequence[w] == m_head[w] - m_ahead[w] + 1);
                m_ahead[w] = 0
            :: else -> feed_posted(w)
            fi;
            flag = (o_ahead[w] > 0 || o_sequence[w] <= m_head[w] + 1); /* it knows all that stands before */
            if
            :: flag && o_new[w] != 0 -> push(w, o_new[w])
            :: else
            fi;
            forget_operation(w);
            plan = flag
        }
        if
        :: plan -> plan = 0; goto next
        :: !plan && up -> goto load
        :: !plan && !up -> goto idle
        fi }

go_back: /* resident/ahead.c, pawl_resident_go_back(): nothing of it was written, and none of it was seen outside */
    atomic {
        printf("worker %d goes back: %d were ahead\n", w, m_ahead[w]);
        d_step {
#ifdef MUTANT_BATCH_STAYS
            kept = MIRROR(w, m_head[w]);
#endif
#ifndef MUTANT_MIRROR_STAYS
            forget_mirror(w);
#else
            m_ahead[w] = 0;
#endif
#if WITNESS == 13
            back = true;
#endif
            forget_operation(w); parking = false; running = 0
        }
        goto load }

park: /* resident.c, step(): what is ahead is written first, for PARK would write it anywhere */
    atomic {
        plan = 0; step = 0;
#if !defined(MUTANT_PARKS_AHEAD) && !defined(MUTANT_PARKS_WITHOUT)
        if
        :: m_ahead[w] > 0 && !m_refused[w] -> goto write
        :: else
        fi;
#endif
        submit(w, PARK, 0); goto answer }

stop: /* a graceful stop writes what is pending; one that aborts does not */
    atomic {
        plan = 0; step = 0;
        if
        :: m_ahead[w] > 0 -> goto write
        :: true -> skip
        fi;
        /* resident.c, release(); lease.c, pawl_store_release() */
        if
        :: up && v_owner != NOBODY && v_token == token ->
            printf("worker %d releases lease %d\n", w, token);
            v_owner = NOBODY; v_returned = true; g_over = true
        :: else
        fi;
        goto idle }
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
        CHECK("broken: I8 what is stuck can be resumed\n", d_status != STUCK);
        CHECK("broken: I8 a process that waits for nothing ends\n", PROGRAM == 2 || d_status == ENDED) }
}

init
{
    atomic {
        rec[1] = R_STARTED;
        run worker(0); run worker(1);
        if :: SIGNALS > 0 -> run poster(SIGNALLER) :: else fi;
        if :: CANCELS > 0 -> run poster(CANCELLER) :: else fi;
        if :: PROGRAM == 4 || REFUSALS > 0 -> run poster(OPERATOR) :: else fi;
        if :: FORCED > 0 -> run poster(FORCER) :: else fi
    }
}
