/* process_test.c: starting processes and waiting for them, over each provider. */
#include "fixture.h"

#include "test_plugin.h"

#include <stdio.h>
#include <stdlib.h>

static void test_a_process_runs_to_its_end(void **state)
{
    fixture *own = *state;
    start(own, "echo", "test.echo", "{\"a\": [1, 2.5, \"x\"]}");
    expect_end(own, "echo", "completed", "{\"a\":[1,2.5,\"x\"]}");
    start(own, "upper", "test.upper", "\"shout\"");
    expect_end(own, "upper", "completed", "\"SHOUT\"");
    start(own, "fail", "test.fail", "null");
    expect_end(own, "fail", "failed", "test.wanted");
    start(own, "sleep", "test.sleep", "20");
    expect_end(own, "sleep", "completed", "\"woke\"");
}

static void test_H08_an_outcome_stays_to_be_asked_for(void **state)
{
    fixture *own = *state;
    start(own, "p", "test.echo", "7");
    for (int i = 0; i < 3; i++)
        expect_end(own, "p", "completed", "7");
}

static void test_H04_every_way_to_wait_tells_a_failure(void **state)
{
    fixture *own = *state;
    start(own, "p", "test.fail", "0");
    json_t *outcome = ended(own, "p");
    assert_string_equal(text_of(outcome, "status"), "failed");
    assert_string_equal(text_of(outcome, "message"), "as asked for");
    json_decref(outcome);
    json_t *row = shown(own, "p");
    assert_string_equal(text_of(row, "status"), "failed");
    assert_string_equal(text_of(json_object_get(row, "outcome"), "code"), "test.wanted");
    json_decref(row);
}

static void test_R01_same_id_and_content_is_the_same_process(void **state)
{
    fixture *own = *state;
    pawl_started first = {0};
    pawl_started second = {0};
    assert_ok(try_start(own, "p", "test.echo", "{\"a\":1}", 0, &first, &why_));
    expect_end(own, "p", "completed", "{\"a\":1}");
    assert_ok(try_start(own, "p", "test.echo", "{\"a\":1}", 0, &second, &why_)); /* also after its end */
    assert_int_equal(first.existed, 0);
    assert_int_equal(second.existed, 1);
    assert_string_equal(second.id, "p");
}

static void test_R02_json_input_is_compared_by_meaning(void **state)
{
    fixture *own = *state;
    pawl_started again = {0};
    start(own, "p", "test.gate", "{\"b\": 2.0, \"a\": [1e1, {\"y\": 1, \"x\": 2}]}");
    assert_ok(try_start(own, "p", "test.gate", "{\"a\":[10,{\"x\":2,\"y\":1}],\"b\":2}", 0, &again, &why_));
    assert_int_equal(again.existed, 1);
}

static void test_R03_other_content_is_a_conflict(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    start(own, "p", "test.gate", "{\"a\":1}");
    assert_int_equal(try_start(own, "p", "test.gate", "{\"a\":2}", 0, NULL, &error), PAWL_E_CONFLICT);
    assert_has(error.message, "\"p\"");
    assert_int_equal(try_start(own, "p", "test.echo", "{\"a\":1}", 0, NULL, &error), PAWL_E_CONFLICT);
    assert_int_equal(try_start(own, "p", "test.gate", "{\"a\":1}", PAWL_START_EXTERNAL, NULL, &error), PAWL_E_CONFLICT);
    pawl_start other = {
        .struct_size = sizeof other, .id = "p", .type = "test.gate", .session = "s", .input = {"{\"a\":1}", 7}};
    assert_int_equal(pawl_host_start(own->host, &other, NULL, &error), PAWL_E_CONFLICT);
    signal_it(own, "p", "go", "1");
    expect_end(own, "p", "completed", "1");
}

static void test_an_id_is_made_when_none_is_given(void **state)
{
    fixture *own = *state;
    pawl_started one = {0};
    pawl_started two = {0};
    assert_ok(try_start(own, NULL, "test.echo", "1", 0, &one, &why_));
    assert_ok(try_start(own, NULL, "test.echo", "1", 0, &two, &why_));
    assert_int_equal(strlen(one.id), 36);
    assert_string_not_equal(one.id, two.id);
    expect_end(own, one.id, "completed", "1");
}

static void test_an_unknown_type_names_close_ones(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    assert_int_equal(try_start(own, "p", "test.ehco", "1", 0, NULL, &error), PAWL_E_NOT_FOUND);
    assert_string_equal(error.code, "unknown_process_type");
    assert_has(error.message, "test.echo");
    assert_int_equal(pawl_host_get(own->host, "p", NULL, &error), PAWL_E_NOT_FOUND); /* nothing was stored */
    assert_string_equal(error.code, "unknown_process");
}

static void test_I10_input_beyond_the_limit_is_refused_and_stores_nothing(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    size_t size = 5u << 20;
    char *large = malloc(size + 1);
    memset(large, '7', size);
    large[size] = '\0';
    assert_int_equal(try_start(own, "p", "test.echo", large, 0, NULL, &error), PAWL_E_LIMIT);
    assert_has(error.message, "5242880");
    free(large);
    assert_int_equal(pawl_host_get(own->host, "p", NULL, &error), PAWL_E_NOT_FOUND);
}

/* ---- asynchronous ---- */

enum { MANY = 500 };

typedef struct tally {
    fixture *own;
    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t changed;
    int started;
    int ended;
    int wrong;
} tally;

static void on_outcome(void *context, pawl_status status, const pawl_outcome *outcome, const pawl_error *error)
{
    tally *all = context;
    bool right = status == PAWL_OK && error == NULL && outcome->status == PAWL_COMPLETED && outcome->output.size == 4;
    pthread_mutex_lock(&all->lock);
    all->ended++;
    all->wrong += !right;
    pthread_cond_signal(&all->changed);
    pthread_mutex_unlock(&all->lock);
}

/* Callbacks may use the API themselves. */
static void on_started(void *context, pawl_status status, const pawl_started *started, const pawl_error *error)
{
    tally *all = context;
    bool right = status == PAWL_OK && error == NULL &&
                 pawl_host_wait_async(all->own->host, started->id, on_outcome, all, NULL, NULL) == PAWL_PENDING;
    pthread_mutex_lock(&all->lock);
    all->started++;
    all->wrong += !right;
    pthread_cond_signal(&all->changed);
    pthread_mutex_unlock(&all->lock);
}

static void test_many_start_and_end_without_blocking(void **state)
{
    tally all = {.own = *state};
    pthread_mutex_init(&all.lock, NULL);
    pthread_cond_init(&all.changed, NULL);
    for (int i = 0; i < MANY; i++) {
        pawl_start wanted = {.struct_size = sizeof wanted, .type = "test.upper", .input = {"\"ab\"", 4}};
        assert_int_equal(pawl_host_start_async(all.own->host, &wanted, on_started, &all, NULL), PAWL_PENDING);
    }
    pthread_mutex_lock(&all.lock);
    while (all.wrong == 0 && (all.started < MANY || all.ended < MANY))
        pthread_cond_wait(&all.changed, &all.lock);
    int wrong = all.wrong;
    pthread_mutex_unlock(&all.lock);
    assert_int_equal(wrong, 0);
    assert_int_equal(atomic_load(&test_plugin_calls), MANY); /* each step once */
    pthread_cond_destroy(&all.changed);
    pthread_mutex_destroy(&all.lock);
}

/* ---- many threads, one id ---- */

typedef struct starter {
    pthread_t thread;
    fixture *own;
    pawl_status status;
    pawl_started started;
} starter;

static void *start_one(void *context)
{
    starter *one = context;
    one->status = try_start(one->own, "one", "test.upper", "\"a\"", 0, &one->started, NULL);
    return NULL;
}

static void test_R07_concurrent_starts_of_one_id_make_one_process(void **state)
{
    starter all[8] = {0};
    int created = 0;
    for (int i = 0; i < 8; i++) {
        all[i].own = *state;
        assert_int_equal(pthread_create(&all[i].thread, NULL, start_one, &all[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(all[i].thread, NULL);
        assert_int_equal(all[i].status, PAWL_OK);
        created += all[i].started.existed == 0;
    }
    assert_int_equal(created, 1);
    expect_end(*state, "one", "completed", "\"A\"");
    assert_int_equal(atomic_load(&test_plugin_calls), 1);
}

/* ---- waiting ---- */

static void test_a_wait_ends_at_its_timeout_and_the_process_goes_on(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    start(own, "p", "test.gate", "1");
    assert_int_equal(pawl_host_wait(own->host, "p", 20000000, NULL, &error), PAWL_E_DEADLINE);
    assert_string_equal(error.code, "wait_timeout");
    signal_it(own, "p", "go", "2");
    expect_end(own, "p", "completed", "2");
    assert_int_equal(pawl_host_wait(own->host, "nobody", LONG_NS, NULL, &error), PAWL_E_NOT_FOUND);
}

typedef struct one_wait {
    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t changed;
    bool called;
    pawl_status status;
    char code[64];
} one_wait;

static void on_one(void *context, pawl_status status, const pawl_outcome *outcome, const pawl_error *error)
{
    one_wait *one = context;
    (void)outcome;
    pthread_mutex_lock(&one->lock);
    one->called = true;
    one->status = status;
    if (error != NULL)
        snprintf(one->code, sizeof one->code, "%s", error->code);
    pthread_cond_signal(&one->changed);
    pthread_mutex_unlock(&one->lock);
}

static void await_one(one_wait *one)
{
    pthread_mutex_lock(&one->lock);
    while (!one->called)
        pthread_cond_wait(&one->changed, &one->lock);
    pthread_mutex_unlock(&one->lock);
}

static void test_a_wait_can_be_cancelled(void **state)
{
    fixture *own = *state;
    one_wait one = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, ""};
    pawl_wait *wait = NULL;
    start(own, "p", "test.gate", "1");
    assert_int_equal(pawl_host_wait_async(own->host, "p", on_one, &one, &wait, NULL), PAWL_PENDING);
    pawl_wait_cancel(wait);
    await_one(&one);
    assert_int_equal(one.status, PAWL_E_CANCELLED);
    assert_string_equal(one.code, "wait_cancelled");
}

static void test_waits_end_as_closed_when_the_host_closes(void **state)
{
    fixture *own = *state;
    one_wait one = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, ""};
    start(own, "p", "test.gate", "1");
    assert_int_equal(pawl_host_wait_async(own->host, "p", on_one, &one, NULL, NULL), PAWL_PENDING);
    fixture_close(own);
    assert_true(one.called);
    assert_int_equal(one.status, PAWL_E_CLOSED);
}

/* ---- ids ---- */

static void expect_missing(pawl_status status, pawl_error *error)
{
    assert_int_equal(status, PAWL_E_INVALID);
    assert_string_equal(error->code, "missing_process_id");
    *error = (pawl_error){0};
}

static void test_G08_a_blank_id_has_one_code_at_every_entry(void **state)
{
    fixture *own = *state;
    static const char *const blank[] = {"", " ", "\t \n"};
    for (size_t i = 0; i < sizeof blank / sizeof *blank; i++) {
        pawl_host *host = own->host;
        const char *id = blank[i];
        pawl_error e = {0};
        pawl_outcome outcome = {.struct_size = sizeof outcome, .status = PAWL_COMPLETED};
        pawl_start wanted = {.struct_size = sizeof wanted, .id = id, .type = "test.echo"};
        expect_missing(try_start(own, id, "test.echo", "1", 0, NULL, &e), &e);
        expect_missing(pawl_host_start_async(host, &wanted, on_started, NULL, &e), &e);
        expect_missing(pawl_host_wait(host, id, 1, NULL, &e), &e);
        expect_missing(pawl_host_wait_async(host, id, on_one, NULL, NULL, &e), &e);
        expect_missing(pawl_host_signal(host, id, "go", (pawl_bytes){"", 0}, NULL, NULL, &e), &e);
        expect_missing(pawl_host_cancel(host, id, NULL, &e), &e);
        expect_missing(pawl_host_terminate(host, id, NULL, &e), &e);
        expect_missing(pawl_host_resume(host, id, &e), &e);
        expect_missing(pawl_host_complete(host, id, &outcome, &e), &e);
        expect_missing(pawl_host_get(host, id, NULL, &e), &e);
        expect_missing(pawl_host_journal(host, id, 1, 0, 0, NULL, &e), &e);
    }
    pawl_error e = {0};
    expect_missing(pawl_host_get(own->host, NULL, NULL, &e), &e);
    char large[300];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    assert_int_equal(try_start(own, large, "test.echo", "1", 0, NULL, &e), PAWL_E_LIMIT);
    large[256] = '\0';
    assert_int_equal(try_start(own, large, "test.echo", "1", 0, NULL, &e), PAWL_OK);
    assert_int_equal(try_start(own,
                               "a\x01"
                               "b",
                               "test.echo", "1", 0, NULL, &e),
                     PAWL_E_INVALID);
    assert_int_equal(try_start(own, "a\xC3", "test.echo", "1", 0, NULL, &e), PAWL_E_INVALID);
    assert_int_equal(try_start(own, "Zo\xC3\xAB/\xE2\x82\xAC 1", "test.echo", "1", 0, NULL, &e), PAWL_OK);
    expect_end(own, "Zo\xC3\xAB/\xE2\x82\xAC 1", "completed", "1");
}

static void test_R09_a_session_cannot_pose_as_a_process(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    pawl_start wanted = {.struct_size = sizeof wanted, .id = "p", .type = "test.echo", .session = "process:q"};
    assert_int_equal(pawl_host_start(own->host, &wanted, NULL, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "invalid_session");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_a_process_runs_to_its_end),
        OVER_BOTH(test_H08_an_outcome_stays_to_be_asked_for),
        OVER_BOTH(test_H04_every_way_to_wait_tells_a_failure),
        OVER_BOTH(test_R01_same_id_and_content_is_the_same_process),
        OVER_BOTH(test_R02_json_input_is_compared_by_meaning),
        OVER_BOTH(test_R03_other_content_is_a_conflict),
        OVER_BOTH(test_an_id_is_made_when_none_is_given),
        OVER_BOTH(test_an_unknown_type_names_close_ones),
        OVER_BOTH(test_I10_input_beyond_the_limit_is_refused_and_stores_nothing),
        OVER_BOTH(test_many_start_and_end_without_blocking),
        OVER_BOTH(test_R07_concurrent_starts_of_one_id_make_one_process),
        OVER_BOTH(test_a_wait_ends_at_its_timeout_and_the_process_goes_on),
        OVER_BOTH(test_a_wait_can_be_cancelled),
        OVER_BOTH(test_waits_end_as_closed_when_the_host_closes),
        OVER_BOTH(test_G08_a_blank_id_has_one_code_at_every_entry),
        OVER_BOTH(test_R09_a_session_cannot_pose_as_a_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
