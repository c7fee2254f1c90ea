/* turn_test.c: what a schedule decides, turn by turn, in a world of a few lines and a time that the test sets. */
#include "host/schedule/turn.h"
#include "worker/base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after those */
#include <cmocka.h>

#define NS     UINT64_C(1000000000)
#define MINUTE (60 * NS)
#define HOUR   (60 * MINUTE)

/* ---- the world ---- */

#define RUNS_MAX 4000

typedef struct world {
    char ids[RUNS_MAX][PAWL_RUN_ID_SIZE]; /* in the order of their starts */
    uint32_t fates[RUNS_MAX];
    size_t count;
    size_t again; /* starts of what was there */
    size_t cancels;
    size_t fails_at;     /* this start fails in a way that passes; 0: none does */
    pawl_status refuses; /* every start, for good */
} world;

static size_t find(const world *w, const char *id)
{
    size_t i = 0;
    while (i < w->count && strcmp(w->ids[i], id) != 0)
        i++;
    return i;
}

static pawl_status start_run(void *context, const pawl_schedule_spec *spec, const char *id, uint64_t now,
                             pawl_error *error)
{
    world *w = context;
    (void)now;
    assert_string_equal(spec->type, "t");
    if (w->refuses != PAWL_OK)
        return pawl_error_set(error, w->refuses, "test.refused", "no");
    if (find(w, id) < w->count) {
        w->again++;
        return PAWL_OK;
    }
    if (w->fails_at > 0 && w->count + 1 == w->fails_at)
        return pawl_error_set(error, PAWL_E_FULL, "store.full", "no space");
    assert_true(w->count < RUNS_MAX);
    snprintf(w->ids[w->count], PAWL_RUN_ID_SIZE, "%s", id);
    w->fates[w->count++] = PAWL_RUN_LIVE;
    return PAWL_OK;
}

static pawl_status look(void *context, const char *id, uint32_t *fate, pawl_error *error)
{
    world *w = context;
    (void)error;
    size_t i = find(w, id);
    *fate = i == w->count ? PAWL_RUN_FORGOTTEN : w->fates[i];
    return PAWL_OK;
}

static pawl_status cancel_run(void *context, const char *id, pawl_error *error)
{
    world *w = context;
    (void)error;
    assert_true(find(w, id) < w->count);
    w->cancels++;
    return PAWL_OK;
}

static pawl_status terminate_run(void *context, const char *id, pawl_error *error)
{
    world *w = context;
    (void)error;
    w->fates[find(w, id)] = PAWL_RUN_TERMINATED;
    return PAWL_OK;
}

/* ---- a schedule in it ---- */

typedef struct fixture {
    world world;
    pawl_schedule_spec spec;
    pawl_schedule_state state;
    pawl_schedule_turn last;
    uint64_t now;
} fixture;

static uint64_t moment(const char *text)
{
    int64_t unix_ns;
    assert_true(pawl_time_read(text, &unix_ns));
    return (uint64_t)unix_ns;
}

static json_t *json_of(const char *text)
{
    json_error_t why;
    json_t *json = json_loads(text, 0, &why);
    if (json == NULL)
        fail_msg("%s: %s", text, why.text);
    return json;
}

static fixture *make(const char *spec, const char *now)
{
    fixture *f = calloc(1, sizeof *f);
    pawl_error error = {0};
    json_t *json = json_of(spec);
    assert_non_null(f);
    if (pawl_schedule_spec_read("s", json, &f->spec, NULL, &error) != PAWL_OK)
        fail_msg("%s", error.message);
    json_decref(json);
    f->now = moment(now);
    f->state.considered = f->now;
    return f;
}

static void drop(fixture *f)
{
    json_decref(f->last.reply);
    pawl_schedule_spec_finish(&f->spec);
    free(f);
}

/* The state goes through its JSON each time, as in a journal. */
static pawl_status try_turn(fixture *f, const char *wish)
{
    const pawl_schedule_world table = {&f->world, start_run, look, cancel_run, terminate_run};
    pawl_error error = {0};
    json_t *asked = wish == NULL ? NULL : json_of(wish);
    json_t *state = pawl_schedule_state_json(&f->state);
    pawl_schedule_state copy;
    assert_true(pawl_schedule_state_read(state, &copy));
    json_decref(state);
    json_decref(f->last.reply);
    pawl_status status = pawl_schedule_do_turn("s", &f->spec, &copy, asked, f->now, &table, &f->last, &error);
    if (status == PAWL_OK)
        f->state = copy;
    else
        f->last.reply = NULL;
    json_decref(asked);
    return status;
}

static void turn(fixture *f)
{
    assert_int_equal(try_turn(f, NULL), PAWL_OK);
}

static void wish(fixture *f, const char *text)
{
    assert_int_equal(try_turn(f, text), PAWL_OK);
}

/* As the program does: turn after turn, at the times they ask for, until then. */
static void live(fixture *f, const char *until)
{
    uint64_t end = moment(until);
    for (;;) {
        turn(f);
        if (f->last.again)
            continue;
        if (f->last.wake_unix_ns == 0 || f->last.wake_unix_ns > end)
            break;
        assert_true(f->last.wake_unix_ns > f->now);
        f->now = f->last.wake_unix_ns;
    }
    f->now = end;
}

static void assert_runs(const fixture *f, const char *const *ids)
{
    size_t count = 0;
    for (; ids[count] != NULL; count++) {
        assert_true(count < f->world.count);
        assert_string_equal(f->world.ids[count], ids[count]);
    }
    assert_int_equal(f->world.count, count);
}

static const char *reply(const fixture *f, const char *key)
{
    return json_string_value(json_object_get(f->last.reply, key));
}

#define IDS(...)     ((const char *const[]){__VA_ARGS__, NULL})
#define HOURLY(more) "{\"cron\":\"0 * * * *\",\"type\":\"t\"" more "}"

/* ---- tests ---- */

static void test_each_time_runs_once_under_its_own_id(void **state)
{
    fixture *f = make(HOURLY(",\"overlap\":\"allow\""), "2026-11-21T07:59:00Z");
    (void)state;
    turn(f);
    assert_int_equal(f->world.count, 0);
    assert_int_equal(f->last.wake_unix_ns, moment("2026-11-21T08:00:00Z"));
    live(f, "2026-11-21T10:30:00Z");
    assert_runs(f, IDS("s/2026-11-21T08:00:00Z", "s/2026-11-21T09:00:00Z", "s/2026-11-21T10:00:00Z"));
    turn(f); /* nothing new */
    assert_int_equal(f->world.count, 3);
    assert_int_equal(f->state.started, 3);
    drop(f);
}

static void test_a_turn_that_is_done_again_starts_nothing_twice(void **state)
{
    fixture *f = make(HOURLY(",\"overlap\":\"allow\",\"catch_up\":\"1d\""), "2026-11-21T00:30:00Z");
    (void)state;
    f->now = moment("2026-11-21T04:30:00Z"); /* four times are due at once */
    f->world.fails_at = 3;
    assert_int_equal(try_turn(f, NULL), PAWL_E_FULL);
    assert_int_equal(f->world.count, 2);
    f->world.fails_at = 0;
    turn(f);
    assert_int_equal(f->world.count, 4);
    assert_int_equal(f->world.again, 2);
    assert_int_equal(f->state.started, 4);
    assert_int_equal(f->state.run_count, 4);
    drop(f);
}

static void test_what_was_missed_within_the_window_is_made_up_for_and_the_rest_is_counted(void **state)
{
    fixture *f = make(HOURLY(",\"overlap\":\"allow\",\"catch_up\":\"2h\""), "2026-11-20T00:30:00Z");
    (void)state;
    f->now = moment("2026-11-21T08:30:00Z"); /* 32 times later */
    turn(f);
    assert_runs(f, IDS("s/2026-11-21T07:00:00Z", "s/2026-11-21T08:00:00Z"));
    assert_int_equal(f->state.missed, 30);
    assert_int_equal(f->last.wake_unix_ns, moment("2026-11-21T09:00:00Z"));
    drop(f);
}

static void test_very_many_times_come_in_several_turns(void **state)
{
    fixture *f =
        make("{\"every\":\"1s\",\"type\":\"t\",\"overlap\":\"allow\",\"catch_up\":\"10m\"}", "2026-11-20T00:00:00Z");
    size_t turns = 0;
    (void)state;
    f->now = moment("2026-11-22T00:00:00Z");
    do {
        turn(f);
        turns++;
        assert_true(f->world.count <= turns * PAWL_SCHEDULE_STARTS_MAX);
    } while (f->last.again);
    assert_int_equal(f->world.count, 601);
    assert_int_equal(f->state.missed, 2 * 24 * 3600 - 601);
    drop(f);
}

static void test_skip_lets_times_go_while_a_run_lives(void **state)
{
    fixture *f = make(HOURLY(""), "2026-11-21T07:30:00Z");
    (void)state;
    live(f, "2026-11-21T10:30:00Z");
    assert_runs(f, IDS("s/2026-11-21T08:00:00Z"));
    assert_int_equal(f->state.skipped, 2);
    f->world.fates[0] = PAWL_RUN_FAILED;
    live(f, "2026-11-21T11:30:00Z");
    assert_runs(f, IDS("s/2026-11-21T08:00:00Z", "s/2026-11-21T11:00:00Z"));
    assert_int_equal(f->state.runs[0].fate, PAWL_RUN_FAILED);
    assert_string_equal(f->last.watch, "");
    drop(f);
}

static void test_buffer_one_runs_one_more_when_the_run_has_ended(void **state)
{
    fixture *f = make(HOURLY(",\"overlap\":\"buffer_one\""), "2026-11-21T07:30:00Z");
    (void)state;
    live(f, "2026-11-21T11:30:00Z");
    assert_int_equal(f->world.count, 1);
    assert_int_equal(f->state.skipped, 2);
    assert_string_equal(f->last.watch, "s/2026-11-21T08:00:00Z");
    f->world.fates[0] = PAWL_RUN_COMPLETED;
    turn(f);
    assert_runs(f, IDS("s/2026-11-21T08:00:00Z", "s/2026-11-21T09:00:00Z"));
    assert_string_equal(f->last.watch, ""); /* nothing waits any more */
    drop(f);
}

static void test_cancel_other_waits_for_the_end_and_runs_the_latest(void **state)
{
    fixture *f = make(HOURLY(",\"overlap\":\"cancel_other\""), "2026-11-21T07:30:00Z");
    (void)state;
    live(f, "2026-11-21T10:30:00Z");
    assert_int_equal(f->world.count, 1);
    assert_int_equal(f->world.cancels, 2);
    assert_int_equal(f->state.skipped, 1);
    f->world.fates[0] = PAWL_RUN_CANCELLED;
    turn(f);
    assert_runs(f, IDS("s/2026-11-21T08:00:00Z", "s/2026-11-21T10:00:00Z"));
    drop(f);
}

static void test_terminate_other_makes_room_at_once(void **state)
{
    fixture *f = make(HOURLY(",\"overlap\":\"terminate_other\""), "2026-11-21T07:30:00Z");
    (void)state;
    live(f, "2026-11-21T09:30:00Z");
    assert_runs(f, IDS("s/2026-11-21T08:00:00Z", "s/2026-11-21T09:00:00Z"));
    assert_int_equal(f->world.fates[0], PAWL_RUN_TERMINATED);
    assert_int_equal(f->world.fates[1], PAWL_RUN_LIVE);
    drop(f);
}

static void test_a_pause_lets_times_go_by_and_says_why(void **state)
{
    fixture *f = make(HOURLY(",\"overlap\":\"allow\""), "2026-11-21T07:30:00Z");
    (void)state;
    wish(f, "{\"do\":\"pause\",\"note\":\"ask ann\"}");
    assert_int_equal(f->last.wake_unix_ns, 0);
    json_t *document = pawl_schedule_document("s", &f->spec, &f->state);
    assert_string_equal(json_string_value(json_object_get(document, "note")), "ask ann");
    assert_string_equal(json_string_value(json_object_get(document, "paused_since")), "2026-11-21T07:30:00Z");
    json_decref(document);
    f->now = moment("2026-11-21T09:30:00Z");
    turn(f);
    assert_int_equal(f->world.count, 0);
    wish(f, "{\"do\":\"resume\"}");
    live(f, "2026-11-21T10:30:00Z");
    assert_runs(f, IDS("s/2026-11-21T10:00:00Z"));
    assert_int_equal(f->state.missed, 0);
    drop(f);
}

static void test_a_time_that_is_due_when_it_is_paused_still_runs(void **state)
{
    fixture *f = make(HOURLY(""), "2026-11-21T07:30:00Z");
    (void)state;
    f->now = moment("2026-11-21T08:00:01Z");
    wish(f, "{\"do\":\"pause\"}");
    assert_runs(f, IDS("s/2026-11-21T08:00:00Z"));
    drop(f);
}

static void test_a_run_by_hand_has_an_id_of_its_own_and_obeys_the_policy(void **state)
{
    fixture *f = make(HOURLY(""), "2026-11-21T07:30:05Z");
    (void)state;
    wish(f, "{\"do\":\"pause\"}");
    wish(f, "{\"do\":\"trigger\"}");
    assert_string_equal(reply(f, "id"), "s/2026-11-21T07:30:05Z/1");
    assert_string_equal(reply(f, "run"), "started");
    wish(f, "{\"do\":\"trigger\"}");
    assert_string_equal(reply(f, "run"), "skipped");
    wish(f, "{\"do\":\"trigger\",\"overlap\":\"allow\"}");
    assert_string_equal(reply(f, "run"), "started");
    assert_runs(f, IDS("s/2026-11-21T07:30:05Z/1", "s/2026-11-21T07:30:05Z/3"));
    wish(f, "{\"do\":\"trigger\",\"overlap\":\"buffer_one\"}");
    assert_string_equal(reply(f, "run"), "buffered");
    wish(f, "{\"do\":\"trigger\",\"overlap\":\"never\"}");
    assert_string_equal(f->last.code, "schedule.invalid");
    assert_int_equal(f->state.skipped, 1);
    drop(f);
}

static void test_a_backfill_runs_what_has_not_run(void **state)
{
    fixture *f = make(HOURLY(""), "2026-11-21T07:30:00Z");
    (void)state;
    live(f, "2026-11-21T08:30:00Z");
    wish(f, "{\"do\":\"backfill\",\"from\":\"2026-11-21T06:00:00Z\",\"to\":\"2026-11-21T08:00:00Z\"}");
    assert_int_equal(json_integer_value(json_object_get(f->last.reply, "times")), 3);
    assert_runs(f, IDS("s/2026-11-21T08:00:00Z", "s/2026-11-21T06:00:00Z", "s/2026-11-21T07:00:00Z"));
    assert_int_equal(f->state.backfill_count, 0);
    wish(f, "{\"do\":\"backfill\",\"from\":\"2026-11-21T06:00:00Z\",\"to\":\"2026-11-21T08:00:00Z\"}");
    assert_int_equal(f->world.count, 3);
    drop(f);
}

static void test_a_backfill_one_by_one_waits_for_each(void **state)
{
    fixture *f = make(HOURLY(""), "2026-11-21T12:30:00Z");
    (void)state;
    wish(f, "{\"do\":\"backfill\",\"from\":\"2026-11-21T06:00:00Z\",\"to\":\"2026-11-21T08:00:00Z\","
            "\"overlap\":\"buffer_one\"}");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(f->world.count, i + 1);
        assert_string_equal(f->last.watch, i < 2 || f->state.backfill_count > 0 ? f->world.ids[i] : "");
        turn(f);
        assert_int_equal(f->world.count, i + 1);
        f->world.fates[i] = PAWL_RUN_COMPLETED;
        turn(f);
    }
    assert_int_equal(f->world.count, 3);
    assert_int_equal(f->state.backfill_count, 0);
    drop(f);
}

static void test_another_spec_holds_from_then_on(void **state)
{
    fixture *f = make(HOURLY(",\"overlap\":\"allow\""), "2026-11-21T07:30:00Z");
    (void)state;
    f->now = moment("2026-11-21T08:10:00Z");
    wish(f, "{\"do\":\"replace\",\"spec\":{\"cron\":\"5 * * * *\",\"type\":\"t\"}}");
    assert_true(f->last.respecified);
    assert_runs(f, IDS("s/2026-11-21T08:00:00Z")); /* it was due */
    assert_int_equal(f->last.wake_unix_ns, moment("2026-11-21T09:05:00Z"));
    wish(f, "{\"do\":\"replace\",\"spec\":{\"cron\":\"5 * * * *\"}}");
    assert_string_equal(f->last.code, "schedule.invalid");
    assert_non_null(strstr(f->last.message, "type: missing"));
    assert_string_equal(f->spec.type, "t");
    drop(f);
}

static void test_what_cannot_be_started_is_told_and_the_schedule_goes_on(void **state)
{
    fixture *f = make(HOURLY(""), "2026-11-21T07:30:00Z");
    (void)state;
    f->world.refuses = PAWL_E_INVALID;
    live(f, "2026-11-21T08:30:00Z");
    assert_int_equal(f->state.not_started, 1);
    assert_string_equal(f->state.runs[0].why, "test.refused: no");
    wish(f, "{\"do\":\"trigger\"}");
    assert_string_equal(f->last.code, "schedule.not_started");
    f->world.refuses = PAWL_OK;
    live(f, "2026-11-21T09:30:00Z");
    assert_runs(f, IDS("s/2026-11-21T09:00:00Z"));
    drop(f);
}

static void test_a_request_that_comes_again_is_answered_again_and_not_done(void **state)
{
    fixture *f = make(HOURLY(",\"overlap\":\"allow\""), "2026-11-21T07:30:00Z");
    (void)state;
    wish(f, "{\"do\":\"trigger\",\"id\":\"a\"}");
    f->now += MINUTE;
    wish(f, "{\"do\":\"trigger\",\"id\":\"a\"}");
    assert_string_equal(reply(f, "id"), "s/2026-11-21T07:30:00Z/1");
    assert_int_equal(f->world.count, 1);
    for (unsigned i = 0; i < 2 * PAWL_SCHEDULE_ANSWERS_MAX; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"do\":\"trigger\",\"id\":\"b%u\"}", i);
        wish(f, text);
    }
    assert_int_equal(f->world.count, 1 + 2 * PAWL_SCHEDULE_ANSWERS_MAX);
    wish(f, "{\"do\":\"trigger\",\"id\":\"b19\"}");
    assert_int_equal(f->world.count, 1 + 2 * PAWL_SCHEDULE_ANSWERS_MAX);
    drop(f);
}

static void test_nonsense_is_refused(void **state)
{
    static const char *const wishes[] = {
        "{\"do\":\"dance\"}",
        "{}",
        "{\"do\":\"backfill\"}",
        "{\"do\":\"backfill\",\"from\":\"yesterday\",\"to\":\"2026-11-21T08:00:00Z\"}",
        "{\"do\":\"backfill\",\"from\":\"2026-11-21T06:00:00Z\",\"to\":\"2027-11-21T08:00:00Z\"}",
        "{\"do\":\"backfill\",\"from\":\"2026-11-21T06:00:00Z\",\"to\":\"2026-11-20T08:00:00Z\"}",
        "{\"do\":\"backfill\",\"from\":\"2026-11-20T06:00:00Z\",\"to\":\"2026-11-20T08:00:00Z\",\"overlap\":\"skip\"}",
        "{\"do\":\"trigger\",\"overlap\":1}",
        "{\"do\":\"pause\",\"note\":1}",
        "{\"do\":\"replace\"}",
    };
    fixture *f = make(HOURLY(""), "2026-11-21T07:30:00Z");
    (void)state;
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        wish(f, wishes[i]);
        if (strcmp(f->last.code, "schedule.invalid") != 0 || f->last.message[0] == '\0' || f->last.reply != NULL)
            fail_msg("%s: \"%s\"", wishes[i], f->last.code);
    }
    assert_int_equal(f->world.count, 0);
    assert_false(f->state.paused);
    drop(f);
}

static void test_the_document_shows_what_comes_and_what_was(void **state)
{
    fixture *f = make(HOURLY(",\"overlap\":\"allow\",\"input\":{\"a\":1}"), "2026-11-21T07:30:00Z");
    (void)state;
    live(f, "2026-11-21T20:30:00Z"); /* 13 runs, of which ten are remembered */
    json_t *document = pawl_schedule_document("s", &f->spec, &f->state);
    char *text = json_dumps(json_object_get(document, "next"), JSON_COMPACT);
    assert_string_equal(text, "[\"2026-11-21T21:00:00Z\",\"2026-11-21T22:00:00Z\",\"2026-11-21T23:00:00Z\","
                              "\"2026-11-22T00:00:00Z\",\"2026-11-22T01:00:00Z\"]");
    free(text);
    const json_t *runs = json_object_get(document, "runs");
    assert_int_equal(json_array_size(runs), PAWL_SCHEDULE_RUNS_MAX);
    assert_string_equal(json_string_value(json_object_get(json_array_get(runs, 0), "id")), "s/2026-11-21T20:00:00Z");
    assert_int_equal(json_integer_value(json_object_get(document, "started")), 13);
    json_decref(document);
    drop(f);
}

static void test_two_that_mean_the_same_have_one_digest(void **state)
{
    static const char *const same[] = {
        "{\"cron\":\"0 8 * * *\",\"type\":\"t\"}",
        "{\"type\":\"t\",\"cron\":[\"0 8 * * *\"],\"time_zone\":\"UTC\",\"overlap\":\"skip\",\"catch_up\":\"60m\"}",
    };
    static const char *const others[] = {"{\"cron\":\"0 9 * * *\",\"type\":\"t\"}",
                                         "{\"cron\":\"0 8 * * *\",\"type\":\"t\",\"input\":null}"};
    fixture *first = make(same[0], "2026-11-21T07:30:00Z");
    fixture *second = make(same[1], "2026-11-21T07:30:00Z");
    (void)state;
    assert_string_equal(first->spec.digest, second->spec.digest);
    for (size_t i = 0; i < 2; i++) {
        fixture *other = make(others[i], "2026-11-21T07:30:00Z");
        assert_string_not_equal(other->spec.digest, first->spec.digest);
        drop(other);
    }
    drop(first);
    drop(second);
}

static void test_a_spec_that_is_wrong_is_refused_with_its_member(void **state)
{
    static const struct {
        const char *spec;
        const char *member;
        int element;
        const char *words;
    } cases[] = {
        {"[]", "schedule", -1, "wanted an object"},
        {"{\"cron\":\"0 8 * * *\"}", "type", -1, "missing"},
        {"{\"type\":\"t\"}", "cron", -1, "missing"},
        {"{\"type\":\"t\",\"cron\":[\"@daily\",\"0 25 * * *\"]}", "cron", 1, "column 3"},
        {"{\"type\":\"t\",\"cron\":[]}", "cron", -1, "wanted 1 to 16"},
        {"{\"type\":\"t\",\"cron\":5}", "cron", -1, "found a number"},
        {"{\"type\":\"t\",\"every\":\"5\"}", "every", -1, "wanted a span with its unit"},
        {"{\"type\":\"t\",\"every\":\"500ms\"}", "every", -1, "out of range"},
        {"{\"type\":\"t\",\"every\":\"1500ms\"}", "every", -1, "whole seconds"},
        {"{\"type\":\"t\",\"every\":\"5m\",\"offset\":\"5m\"}", "offset", -1, "less than"},
        {"{\"type\":\"t\",\"every\":\"5m\",\"time_zone\":\"Mars/Olympus\"}", "time_zone", -1, "no time zone"},
        {"{\"type\":\"t\",\"every\":\"5m\",\"overlap\":\"maybe\"}", "overlap", -1, "wanted skip"},
        {"{\"type\":\"t\",\"every\":\"5m\",\"priority\":6}", "priority", -1, "1 (first)"},
        {"{\"type\":\"t\",\"every\":\"5m\",\"from\":\"soon\"}", "from", -1, "wanted a time"},
        {"{\"type\":\"t\",\"every\":\"5m\",\"from\":\"2027-01-01T00:00:00Z\",\"until\":\"2026-01-01T00:00:00Z\"}",
         "until", -1, "before"},
        {"{\"type\":\"t\",\"every\":\"5m\",\"ever\":1}", "ever", -1, "unknown"},
        {"{\"type\":\"t\",\"every\":\"5m\",\"attributes\":[]}", "attributes", -1, "wanted an object"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pawl_schedule_spec spec;
        pawl_schedule_place place;
        pawl_error error = {0};
        json_t *json = json_of(cases[i].spec);
        if (pawl_schedule_spec_read("s", json, &spec, &place, &error) != PAWL_E_INVALID)
            fail_msg("%s was taken", cases[i].spec);
        if (strcmp(place.member, cases[i].member) != 0 || place.element != cases[i].element ||
            strstr(error.message, cases[i].words) == NULL)
            fail_msg("%s: %s[%d]: %s", cases[i].spec, place.member, place.element, error.message);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_time_runs_once_under_its_own_id),
        cmocka_unit_test(test_a_turn_that_is_done_again_starts_nothing_twice),
        cmocka_unit_test(test_what_was_missed_within_the_window_is_made_up_for_and_the_rest_is_counted),
        cmocka_unit_test(test_very_many_times_come_in_several_turns),
        cmocka_unit_test(test_skip_lets_times_go_while_a_run_lives),
        cmocka_unit_test(test_buffer_one_runs_one_more_when_the_run_has_ended),
        cmocka_unit_test(test_cancel_other_waits_for_the_end_and_runs_the_latest),
        cmocka_unit_test(test_terminate_other_makes_room_at_once),
        cmocka_unit_test(test_a_pause_lets_times_go_by_and_says_why),
        cmocka_unit_test(test_a_time_that_is_due_when_it_is_paused_still_runs),
        cmocka_unit_test(test_a_run_by_hand_has_an_id_of_its_own_and_obeys_the_policy),
        cmocka_unit_test(test_a_backfill_runs_what_has_not_run),
        cmocka_unit_test(test_a_backfill_one_by_one_waits_for_each),
        cmocka_unit_test(test_another_spec_holds_from_then_on),
        cmocka_unit_test(test_what_cannot_be_started_is_told_and_the_schedule_goes_on),
        cmocka_unit_test(test_a_request_that_comes_again_is_answered_again_and_not_done),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_the_document_shows_what_comes_and_what_was),
        cmocka_unit_test(test_two_that_mean_the_same_have_one_digest),
        cmocka_unit_test(test_a_spec_that_is_wrong_is_refused_with_its_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
