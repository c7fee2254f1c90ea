/* store.pml: the store of the models: leases, fenced commits, posts, rounds of the committer, expiry, crash and reopening
 * of one process, and the clients that post. lease.pml and ahead.pml include it and add a worker. It stands for the code
 * named at each part, and must follow it: when that code changes its rules, this changes first.
 *
 * Clocks have no value here: a session may expire and a due time may come, and be taken back, at any moment (I3).
 *
 * Who includes it, behind words.pml, has said these: STAGE_OWN_RECORDS(w): stage the records that an operation of worker
 * w carries, and set o_sequence[w]; OWN_RECORDS(w): how many these are; CHECK_FOLLOWS(w): what must be true when they are
 * staged and the operation takes effect; CHECK_OWN_RECORDS: what must be true of the records about to be written. */

/* ---- what is on disk -------------------------------------------------------------------------------------------- */

byte d_epoch = 1;
byte d_status = READY;
bool d_ready = true; /* has a ready row: ready, or leased by way of it */
bool d_wake;         /* has a wake row */
byte d_head = 1;
byte rec[ROOM + 1];  /* the journal; what is behind d_head is staged only */
byte d_post[ACTORS]; /* idempotency rows: the sequence of the first time */

/* ---- what the store has in memory: registry.h ------------------------------------------------------------------- */

bool up = true;
byte counter;          /* of tickets under this epoch: store.c, pawl_store_ticket */
byte v_owner = NOBODY; /* entry->worker */
byte v_token;          /* entry->token */
byte v_cancel;         /* entry->cancel_sequence */
bool v_returned;       /* entry->returned: claimable without a look at the rows */
short told[2];         /* POSTED events on their way to a worker: bit n for record n */

/* The running round's stage of this process: round.h, pawl_store_stage. What is published equals what is on disk but
 * between the write and the publishing; then the stage stands, and nobody may claim. */
bool s_on;
bool s_written;
byte s_status;
bool s_ready;
bool s_wake;
byte s_head;
byte s_cancel;
bool s_drop;
bool s_ended;
bool s_made_ready;
short s_told;
byte s_post[ACTORS];
byte s_holder; /* whose SUSPEND, COMPLETE or PARK it is */

/* ---- operations under way --------------------------------------------------------------------------------------- */

byte o_way[ACTORS];
byte o_kind[2];
byte o_token[2];
byte o_seen[2];
byte o_sequence[2];
byte o_answer[ACTORS];

/* ---- for the properties alone ----------------------------------------------------------------------------------- */

byte g_token;        /* of the last lease that was ever granted */
bool g_over;         /* that lease has ended */
bool g_acked[ACTORS];
byte g_effect[2];    /* the effect that a worker has under way; 0: none */
bool due;            /* the wall clock stands behind the due time */
byte crashes = CRASHES;
byte expiries = EXPIRIES;
byte releases = RELEASES;
byte failures = FAILURES;
byte parks = PARKS;
byte turns = TURNS;
byte losses = LOSSES;

/* Scratch, used within one d_step only: it is no part of a state. */
hidden byte i;
hidden byte n;
hidden byte flag;

inline count_records(kind, upto)
{
    n = 0;
    for (i : 1 .. upto) {
        if
        :: rec[i] == kind -> n++
        :: else
        fi
    }
}

inline forget_stage()
{
    s_on = false; s_written = false; s_status = 0; s_ready = false; s_wake = false; s_head = 0; s_cancel = 0;
    s_drop = false; s_ended = false; s_made_ready = false; s_told = 0; s_holder = 0;
    for (i : 0 .. ACTORS - 1) { s_post[i] = 0 }
    for (i : d_head + 1 .. ROOM) { rec[i] = 0 }
}

/* ---- staging: round.c, commit.c, post.c -------------------------------------------------------------------------- */

/* pawl_store_stage_of */
inline stage_of()
{
    if
    :: !s_on ->
        s_on = true; s_status = d_status; s_ready = d_ready; s_wake = d_wake; s_head = d_head;
        for (i : 0 .. ACTORS - 1) { s_post[i] = d_post[i] }
    :: else
    fi
}

/* pawl_store_stage_record */
inline stage_record(kind)
{
    s_head++;
    CHECK("broken: the model has too little room\n", s_head <= ROOM);
    rec[s_head] = kind
}

/* pawl_store_stage_move */
inline stage_move(status, wake)
{
    if
    :: status == READY && !s_ready -> s_ready = true; s_made_ready = true
    :: status != READY -> s_ready = false; s_made_ready = false
    :: else
    fi;
    s_wake = (status == WAITING && wake);
    s_status = status;
    s_ended = s_ended || status == ENDED
}

/* store/commit.c, fence(): asked on the committer's thread, in the order of operations */
#if defined(MUTANT_NO_FENCE)
#define FENCE(w) (true)
#elif defined(MUTANT_FENCE_AT_SUBMIT)
#define FENCE(w) (true)
#else
#define FENCE(w) (v_owner != NOBODY && v_token == o_token[w] && (!s_on || (!s_drop && !s_ended)))
#endif
#define HELD_BY(w, token) (up && v_owner == w && v_token == token)

#ifdef MUTANT_APPEND_IGNORES_SEEN
#define OVERTAKEN(w) (false)
#else /* store/commit.c, is_overtaken() */
#define OVERTAKEN(w) (o_seen[w] != 0 && s_head > o_seen[w])
#endif
#ifdef MUTANT_SUSPEND_IGNORES_SEEN
#define SUSPEND_SEES_ALL(w) (true)
#else
#define SUSPEND_SEES_ALL(w) (s_head <= o_seen[w])
#endif
#ifdef MUTANT_COMPLETE_IGNORES_SEEN
#define COMPLETE_SEES_ALL(w) (true)
#else
#define COMPLETE_SEES_ALL(w) (s_head <= o_seen[w])
#endif
#ifdef MUTANT_PARK_IGNORES_CANCEL
#define UNSEEN_CANCEL(w) (false)
#else /* store/commit.c, has_unseen_cancel() */
#define UNSEEN_CANCEL(w) ((s_cancel != 0 && s_cancel > o_seen[w]) || (s_cancel == 0 && v_cancel > o_seen[w]))
#endif

/* store/commit.c, pawl_store_stage_commit(): an operation of worker w */
inline stage_commit(w, wake)
{
    if
    :: !FENCE(w) -> o_answer[w] = STALE
    :: else ->
        CHECK("broken: I2 a stale token stages nothing\n", o_token[w] == g_token && !g_over);
        stage_of();
        o_answer[w] = OK;
        if
        :: o_kind[w] == APPEND && OVERTAKEN(w) -> o_answer[w] = MORE
        :: o_kind[w] == APPEND && !OVERTAKEN(w) -> STAGE_OWN_RECORDS(w)
        :: o_kind[w] == SUSPEND && !SUSPEND_SEES_ALL(w) -> STAGE_OWN_RECORDS(w); o_answer[w] = MORE
        :: o_kind[w] == SUSPEND && SUSPEND_SEES_ALL(w) ->
            STAGE_OWN_RECORDS(w); CHECK_FOLLOWS(w);
            stage_move(WAITING, wake); s_drop = true; s_holder = w
        :: o_kind[w] == COMPLETE && !COMPLETE_SEES_ALL(w) -> o_answer[w] = MORE
        :: o_kind[w] == COMPLETE && COMPLETE_SEES_ALL(w) ->
            STAGE_OWN_RECORDS(w); CHECK_FOLLOWS(w);
            stage_record(R_ENDED); stage_move(ENDED, false); s_drop = true; s_holder = w
        :: o_kind[w] == PARK ->
            STAGE_OWN_RECORDS(w); CHECK_FOLLOWS(w);
            stage_record(R_PARKED);
            if
            :: UNSEEN_CANCEL(w) -> stage_move(READY, false)
            :: else -> stage_move(STUCK, false)
            fi;
            s_drop = true; s_holder = w
        fi
    fi;
    o_way[w] = STAGED
}

/* post.c, makes_ready() */
#ifdef MUTANT_POST_TRUSTS_THE_HOLDER
#define MAKES_READY(kind) ((s_status == WAITING && !flag) || (s_status == STUCK && kind != R_SIGNAL))
#else
#define MAKES_READY(kind) (s_status == WAITING || (s_status == STUCK && kind != R_SIGNAL))
#endif
#ifdef MUTANT_NO_POST_ID
#define KNOWN(who) (false)
#else
#define KNOWN(who) (s_post[who] != 0)
#endif

/* post.c, stage_post(): past any token */
inline stage_post(who, kind)
{
    stage_of();
    if
    :: KNOWN(who) ->
#if WITNESS == 7
        CHECK("witness: a post that was written and not acknowledged comes again\n", false);
#endif
        o_answer[who] = OK
    :: !KNOWN(who) && s_status == ENDED -> o_answer[who] = TERMINAL
    :: else ->
        o_answer[who] = OK;
        flag = (v_owner != NOBODY && !s_drop && !s_ended); /* leased */
        stage_record(kind);
        s_post[who] = s_head;
        if
        :: flag && kind != R_ENDED -> s_told = s_told | (1 << s_head)
        :: else
        fi;
        if
        :: kind == R_CANCEL -> s_cancel = s_head
        :: else
        fi;
        if
        :: kind == R_ENDED -> stage_move(ENDED, false)
        :: kind != R_ENDED && MAKES_READY(kind) -> stage_move(READY, false)
        :: else
        fi
    fi;
    o_way[who] = STAGED;
#ifdef MUTANT_ACK_BEFORE_WRITE
    o_way[who] = ANSWERED
#endif
}

/* ---- one round: committer.c -------------------------------------------------------------------------------------- */

/* Facts about what is about to be on disk. */
inline check_written()
{
    CHECK("broken: I2 a stale token writes nothing\n",
          (o_way[0] != STAGED || o_answer[0] != OK || o_token[0] == g_token) &&
          (o_way[1] != STAGED || o_answer[1] != OK || o_token[1] == g_token));
#if WITNESS == 4
    CHECK("witness: an end as cancelled while a fenced worker's effect still runs\n",
          !(s_drop && s_status == ENDED) || g_effect[1 - s_holder] == 0);
#endif
#if WITNESS == 5
    count_records(R_CANCEL, s_head);
    CHECK("witness: an end that is none of a cancel\n", !(s_drop && s_status == ENDED && n == 0));
#endif
    CHECK("broken: I2 nothing is written after the end\n", d_status != ENDED || s_head == d_head);
    count_records(R_ENDED, s_head);
    CHECK("broken: I4 an end is there once, and with its status\n", n == (s_status == ENDED -> 1 : 0));
    CHECK_OWN_RECORDS;
    count_records(R_SIGNAL, s_head);
    CHECK("broken: I5 a post happens once\n", n <= 1);
    count_records(R_CANCEL, s_head);
    CHECK("broken: I5 a post happens once\n", n <= 1);
    CHECK("broken: I5 what was posted is not slept over\n",
          !(s_drop && s_status == WAITING) || o_seen[s_holder] + OWN_RECORDS(s_holder) == s_head);
    if
    :: s_drop && s_status != READY && s_post[FORCER] == 0 ->
        flag = false;
        for (i : o_seen[s_holder] + 1 .. s_head) { flag = flag || rec[i] == R_CANCEL }
        CHECK("broken: I7 no end, no wait and no park over a cancel that was not seen\n", !flag)
    :: else
    fi;
    CHECK("broken: I7 an end is reported when the effects of its holder have ended\n",
          !(s_drop && s_status == ENDED && s_post[FORCER] == 0) || g_effect[s_holder] == 0)
}

/* What must be true of the rows whenever the store is opened. */
inline check_rows()
{
    CHECK("broken: I4 ready is what has a ready row\n", (d_status == READY) == d_ready);
    CHECK("broken: I4 an end is a status and a record\n", (d_status == ENDED) == (rec[d_head] == R_ENDED));
    flag = true;
    for (i : SIGNALLER .. ACTORS - 1) { flag = flag && (!g_acked[i] || d_post[i] != 0) }
    CHECK("broken: I5 what was acknowledged is there\n", flag)
}

/* pawl_kv_write() of the round's rows: all or nothing */
inline write_journal()
{
    d_head = s_head;
    for (i : 0 .. ACTORS - 1) { d_post[i] = s_post[i] }
}
inline write_header()
{
    d_status = s_status; d_ready = s_ready; d_wake = s_wake
}

/* round.c, publish_stage(): what was staged is what everybody sees; then events, then answers */
inline publish()
{
    if
    :: v_owner != NOBODY -> /* tell_posted() */
        if
        :: true
        :: losses > 0 && s_told != 0 -> losses--; s_told = 0; printf("store   an event is lost\n") /* events are hints */
        fi;
        told[v_owner] = told[v_owner] | s_told
    :: else
    fi;
    if
    :: v_owner != NOBODY && (s_drop || s_ended) -> v_owner = NOBODY; g_over = true
    :: else
    fi;
    v_cancel = (s_cancel != 0 -> s_cancel : v_cancel);
    v_returned = ((v_returned && v_owner == NOBODY && s_status == READY) ||
                  (s_drop && s_status == READY && !s_made_ready));
    answer_round(false)
}

/* answer_round: failed: nobody may believe what the round staged, nor be judged by it (round.c, pawl_store_round_undo) */
inline answer_round(failed)
{
    for (i : 0 .. ACTORS - 1) {
        if
        :: o_way[i] == STAGED ->
            o_way[i] = ANSWERED;
            o_answer[i] = (failed -> IO : o_answer[i])
        :: else
        fi
    }
    forget_stage()
}

#define STAGING (up && !s_written)
#define ANY_STAGED (o_way[0] == STAGED || o_way[1] == STAGED || o_way[2] == STAGED || o_way[3] == STAGED || \
                    o_way[4] == STAGED || o_way[5] == STAGED)

active proctype committer()
{
end:
    do
    :: atomic { STAGING && o_way[0] == QUEUED ->
        printf("store   stages operation %d of worker 0, token %d, seen %d\n", o_kind[0], o_token[0], o_seen[0]);
        d_step { stage_commit(0, TURNS > 0) }
        printf("store   answer will be %d\n", o_answer[0]) }
    :: atomic { STAGING && o_way[1] == QUEUED ->
        printf("store   stages operation %d of worker 1, token %d, seen %d\n", o_kind[1], o_token[1], o_seen[1]);
        d_step { stage_commit(1, TURNS > 0) }
        printf("store   answer will be %d\n", o_answer[1]) }
    :: atomic { STAGING && o_way[SIGNALLER] == QUEUED ->
        printf("store   stages the signal\n"); d_step { stage_post(SIGNALLER, R_SIGNAL) } }
    :: atomic { STAGING && o_way[CANCELLER] == QUEUED ->
        printf("store   stages the cancel request\n"); d_step { stage_post(CANCELLER, R_CANCEL) } }
    :: atomic { STAGING && o_way[OPERATOR] == QUEUED ->
        printf("store   stages the resumption\n"); d_step { stage_post(OPERATOR, R_RESUMED) } }
    :: atomic { STAGING && o_way[FORCER] == QUEUED ->
        printf("store   stages an end by force\n"); d_step { stage_post(FORCER, R_ENDED) } }
#ifdef MUTANT_TWO_WRITES
    :: atomic { STAGING && s_on -> d_step { check_written(); write_journal(); skip }
        printf("store   writes the journal alone, head %d\n", d_head) }
        atomic { if
        :: up && s_on ->
#else
    :: atomic { STAGING && s_on -> d_step { check_written(); write_journal(); skip }
#endif
        d_step { write_header(); s_written = true }
        printf("store   writes: status %d, head %d\n", d_status, d_head)
#ifdef MUTANT_TWO_WRITES
        :: else /* it died between the two */
        fi
#endif
        }
    :: atomic { STAGING && !s_on && ANY_STAGED -> s_written = true } /* all refused: nothing to write */
    :: atomic { up && s_written -> publish(); printf("store   publishes and answers\n") }
    :: atomic { failures > 0 && STAGING && s_on && ANY_STAGED ->
        failures--; printf("store   a write fails: nothing of the round has happened\n");
        d_step { answer_round(true); skip } }
    od
}

/* Every fault may also stop happening for good, at any time: what must come about then is judged without it. */

/* ---- crash and reopening: store.c, pawl_store_tickets_open() ----------------------------------------------------- */

active proctype crash()
{
end:
    do
    :: atomic { up && crashes > 0 ->
        printf("store   dies\n");
        crashes--; up = false;
        d_step {
            for (i : 0 .. ACTORS - 1) {
                if
                :: o_way[i] == QUEUED || o_way[i] == STAGED -> o_way[i] = ANSWERED; o_answer[i] = CLOSED
                :: else
                fi
            }
            v_owner = NOBODY; v_token = 0; v_cancel = 0; v_returned = false; told[0] = 0; told[1] = 0; counter = 0;
            g_over = true;
            forget_stage();
            check_rows()
        } }
    :: crashes > 0 -> crashes = 0
    :: atomic { !up ->
#ifndef MUTANT_EPOCH_NOT_RAISED
        d_epoch++;
#endif
        up = true; printf("store   is opened: epoch %d, status %d, head %d\n", d_epoch, d_status, d_head) }
    od
}

/* ---- clocks ------------------------------------------------------------------------------------------------------ */

/* lease.c, expire() and return_all(): at any moment, whatever the round is doing */
active proctype clock()
{
end:
    do
    :: atomic { up && v_owner != NOBODY && expiries > 0 ->
        printf("store   the session of worker %d expires: lease %d is over\n", v_owner, v_token);
        expiries--; v_owner = NOBODY; v_returned = true; g_over = true }
    :: expiries > 0 -> expiries = 0
    :: turns > 0 -> turns = 0
    :: atomic { turns > 0 -> turns--; due = !due; printf("clock   due: %d\n", due) }
    od
}

/* ---- outside: post ids make a repeated post harmless ------------------------------------------------------------- */

proctype poster(byte who)
{
end_again:
    if
    :: atomic { up && (who != OPERATOR || (!s_on && d_status == STUCK)) ->
        o_way[who] = QUEUED; printf("outside %d posts\n", who) }
    :: who != OPERATOR -> goto quiet /* it never does, or gives up */
    fi;
    atomic { o_way[who] == ANSWERED ->
        o_way[who] = NONE;
        if
        :: o_answer[who] == OK ->
            g_acked[who] = true; printf("outside %d is acknowledged\n", who);
#ifndef MUTANT_ACK_BEFORE_WRITE
            CHECK("broken: I5 what is acknowledged is on disk\n", d_post[who] != 0)
#endif
        :: o_answer[who] == TERMINAL
        :: else -> o_answer[who] = 0; goto end_again /* the same post id */
        fi;
        o_answer[who] = 0 }
quiet:
    skip
}

/* ---- claims ------------------------------------------------------------------------------------------------------ */

/* claim.c, lease() and claim_entry() */
#ifdef MUTANT_CLAIM_IN_ROUND
#define NOT_IN_ROUND (true)
#else
#define NOT_IN_ROUND (!s_on)
#endif
#define CLAIMABLE (up && NOT_IN_ROUND && v_owner == NOBODY && \
                   ((d_status == READY && (d_ready || v_returned)) || (d_status == WAITING && d_wake && due)))

inline take_lease(w)
{
    counter++;
    token = d_epoch * EPOCH + counter;
    CHECK("broken: I2 tokens only grow\n", token > g_token);
    v_owner = w; v_token = token; v_returned = false; told[w] = 0;
    g_token = token; g_over = false;
#ifdef MUTANT_CLAIM_CONSUMES
    d_ready = false;
#endif
    printf("worker %d claims: lease %d, head %d\n", w, token, d_head)
}
