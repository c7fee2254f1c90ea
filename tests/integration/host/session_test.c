/* session_test.c: processes that use the state and the attachments of their session. */
#include "fixture.h"

#include "host/host_internal.h"
#include "session_plugin.h"

#include <stdio.h>
#include <stdlib.h>

static void start_in(fixture *own, const char *id, const char *type, const char *session, const char *input)
{
    pawl_start begin = {
        .struct_size = sizeof begin, .id = id, .type = type, .session = session, .input = {input, strlen(input)}};
    assert_ok(pawl_host_start(own->host, &begin, NULL, &why_));
}

#define BUMPERS 12

/* Of many that read and commit at once nobody's change is lost. */
static void test_S01_processes_that_commit_at_once_lose_nothing(void **state)
{
    fixture *own = *state;
    char id[16];
    for (int i = 0; i < BUMPERS; i++) {
        snprintf(id, sizeof id, "bump-%d", i);
        start_in(own, id, "state.bump", "ann", "1");
    }
    start_in(own, "elsewhere", "state.bump", "bob", "5");
    int most = 0;
    for (int i = 0; i < BUMPERS; i++) {
        snprintf(id, sizeof id, "bump-%d", i);
        json_t *outcome = ended(own, id);
        assert_string_equal(text_of(outcome, "status"), "completed");
        int count = (int)json_integer_value(json_object_get(outcome, "output"));
        most = count > most ? count : most;
        json_decref(outcome);
    }
    assert_int_equal(most, BUMPERS);
    expect_end(own, "elsewhere", "completed", "5"); /* another session's count is another one */
}

static void test_S01_a_stale_commit_tells_the_process_the_revision(void **state)
{
    fixture *own = *state;
    start_in(own, "first", "state.bump", "ann", "1");
    expect_end(own, "first", "completed", "1");
    start_in(own, "second", "state.bump", "ann", "1");
    expect_end(own, "second", "completed", "2");
    start_in(own, "late", "state.stale", "ann", "1");
    expect_end(own, "late", "completed", "[-10,2]");
    start_in(own, "third", "state.bump", "ann", "0");
    expect_end(own, "third", "completed", "2"); /* the stale one changed nothing */
}

static void test_S01_any_bytes_go_through_a_commit(void **state)
{
    fixture *own = *state;
    start_in(own, "p", "state.scan", "ann", "1");
    expect_end(own, "p", "completed", "\"scanned\"");
}

static void test_S08_the_first_value_stays(void **state)
{
    fixture *own = *state;
    start_in(own, "first", "state.once", "ann", "1");
    expect_end(own, "first", "completed", "true");
    start_in(own, "second", "state.once", "ann", "2");
    expect_end(own, "second", "failed", "session.exists");
}

static void test_a_process_without_a_session_has_no_state(void **state)
{
    fixture *own = *state;
    start_in(own, "p", "state.bump", NULL, "1");
    expect_end(own, "p", "failed", "session.none");
}

static void test_S05_attachments_belong_to_the_session(void **state)
{
    fixture *own = *state;
    start_in(own, "keeper", "state.attach", "ann", "\"keep\"");
    expect_end(own, "keeper", "completed", "\"kept\"");
    start_in(own, "other", "state.attach", "bob", "1"); /* drops its own, not that of the other session */
    expect_end(own, "other", "failed", "attachment.not_found");
    start_in(own, "alone", "state.attach", NULL, "1");
    expect_end(own, "alone", "failed", "attachment.not_found");
    start_in(own, "again", "state.attach", "ann", "\"keep\"");
    expect_end(own, "again", "completed", "\"kept\"");
}

static pawl_session_change change_of(uint32_t kind, const char *key, const char *value)
{
    pawl_session_change change = {
        .struct_size = sizeof change, .kind = kind, .key = {key, strlen(key)}, .value = {value, strlen(value)}};
    return change;
}

static pawl_status commit(fixture *own, uint64_t expected, const char *key, uint64_t *revision, pawl_error *error)
{
    const pawl_session_change put = change_of(PAWL_SESSION_PUT, "count", "40");
    const pawl_session_change *const changes[] = {&put};
    return pawl_host_session_commit(own->host, "ann", expected, key, changes, 1, revision, error);
}

/* What is written from outside is what processes find, and the other way round. */
static void test_S01_S02_state_is_one_from_inside_and_outside(void **state)
{
    fixture *own = *state;
    uint64_t revision = 0;
    pawl_error error = {0};
    pawl_text text = {0};
    assert_ok(commit(own, 0, "first", &revision, &why_));
    assert_int_equal(revision, 1);
    start_in(own, "p", "state.bump", "ann", "2");
    expect_end(own, "p", "completed", "42");
    assert_ok(commit(own, 0, "first", &revision, &why_)); /* the same again: its first outcome */
    assert_int_equal(revision, 1);
    assert_int_equal(commit(own, 1, "second", &revision, &error), PAWL_E_STALE);
    assert_string_equal(error.code, "session.stale");
    assert_int_equal(revision, 2);
    assert_ok(pawl_host_session_get(own->host, "ann", "count", &text, &revision, &why_));
    assert_string_equal(text.data, "42");
    pawl_text_free(&text);
    assert_int_equal(pawl_host_session_get(own->host, "ann", "nothing", &text, &revision, &error), PAWL_E_NOT_FOUND);
    assert_int_equal(commit(own, PAWL_REVISION_ANY, "", &revision, &error), PAWL_E_INVALID);
    const pawl_session_change put = change_of(PAWL_SESSION_PUT, "k", "1");
    const pawl_session_change *const changes[] = {&put};
    assert_int_equal(pawl_host_session_commit(own->host, "pawl:operator", 0, NULL, changes, 1, NULL, &error),
                     PAWL_E_INVALID);
    assert_string_equal(error.code, "invalid_session");
}

static void test_sessions_are_shown_in_pages(void **state)
{
    fixture *own = *state;
    pawl_text text = {0};
    char name[8], after[8] = "";
    int seen = 0;
    for (int i = 0; i < 7; i++) {
        const pawl_session_change put[] = {change_of(PAWL_SESSION_PUT, "a", "1"),
                                           change_of(PAWL_SESSION_PUT, "b", "text"),
                                           change_of(PAWL_SESSION_PUT, "c", "[3]")};
        const pawl_session_change *const changes[] = {&put[0], &put[1], &put[2]};
        snprintf(name, sizeof name, "s%d", i);
        assert_ok(pawl_host_session_commit(own->host, name, 0, NULL, changes, 3, NULL, &why_));
    }
    /* A pause leaves a session of Pawl's own, which is nobody else's business. */
    assert_ok(pawl_host_pause(own->host, PAWL_PAUSE_TYPE, "test.echo", NULL, &why_));
    for (;;) {
        assert_ok(pawl_host_session_list(own->host, after[0] == '\0' ? NULL : after, 3, &text, &why_));
        json_t *page = json_of(&text);
        size_t index;
        json_t *one;
        json_array_foreach(json_object_get(page, "sessions"), index, one)
        {
            snprintf(name, sizeof name, "s%d", seen++);
            assert_string_equal(text_of(one, "session"), name);
        }
        snprintf(after, sizeof after, "%s", text_of(page, "next"));
        json_decref(page);
        if (after[0] == '\0')
            break;
    }
    assert_int_equal(seen, 7);
    assert_ok(pawl_host_session_show(own->host, "s3", NULL, "a", 1, &text, &why_));
    json_t *page = json_of(&text);
    assert_string_equal(text_of(json_array_get(json_object_get(page, "values"), 0), "key"), "b");
    assert_string_equal(text_of(json_array_get(json_object_get(page, "values"), 0), "value_base64"), "dGV4dA==");
    assert_string_equal(text_of(page, "next"), "b");
    json_decref(page);
}

/* ---- handles and deletion ---- */

static json_t *deleted(fixture *own, const char *session)
{
    pawl_text text = {0};
    assert_ok(pawl_host_session_delete(own->host, session, &text, &why_));
    return json_of(&text);
}

static void expect_number(json_t *report, const char *key, int wanted)
{
    int found = (int)json_integer_value(json_object_get(report, key));
    if (found != wanted)
        fail_msg("%s is %d, wanted %d", key, found, wanted);
}

static void expect_held(fixture *own, const char *session, const char *id, bool held)
{
    pawl_error error = {0};
    assert_int_equal(pawl_host_handle_check(own->host, session, id, &error), held ? PAWL_OK : PAWL_E_NOT_FOUND);
    if (!held)
        assert_string_equal(error.code, "session.no_handle");
}

static void test_R06_a_process_is_its_sessions_from_the_start(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    start_in(own, "p", "test.gate", "ann", "1");
    expect_held(own, "ann", "p", true);
    expect_held(own, "bob", "p", false);
    assert_ok(pawl_host_handle_grant(own->host, "bob", "p", &why_));
    assert_ok(pawl_host_handle_grant(own->host, "bob", "p", &why_));
    expect_held(own, "bob", "p", true);
    fixture_close(own);
    if (strcmp(own->provider, "rocksdb") != 0) {
        fixture_open(own);
        return;
    }
    fixture_open(own);
    expect_held(own, "bob", "p", true);
    assert_ok(pawl_host_handle_revoke(own->host, "ann", "p", &why_)); /* also the session that it belongs to */
    assert_ok(pawl_host_handle_revoke(own->host, "ann", "p", &why_));
    expect_held(own, "ann", "p", false);
    assert_ok(pawl_host_handle_grant(own->host, "ann", "p", &why_));
    expect_held(own, "ann", "p", true);
    assert_int_equal(pawl_host_handle_grant(own->host, "bob", "nobody", &error), PAWL_E_NOT_FOUND);
}

static void test_handles_are_transferred_all_or_none(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    const char *const ids[] = {"p", "q"};
    start_in(own, "p", "test.gate", "ann", "1");
    start_in(own, "q", "test.gate", "carl", "1");
    assert_int_equal(pawl_host_handle_transfer(own->host, "ann", "bob", ids, 2, &error), PAWL_E_NOT_FOUND);
    expect_held(own, "ann", "p", true);
    expect_held(own, "bob", "p", false);
    assert_ok(pawl_host_handle_grant(own->host, "ann", "q", &why_));
    assert_ok(pawl_host_handle_transfer(own->host, "ann", "bob", ids, 2, &why_));
    expect_held(own, "ann", "p", false);
    expect_held(own, "ann", "q", false);
    expect_held(own, "bob", "p", true);
    expect_held(own, "bob", "q", true);
    expect_held(own, "carl", "q", true);
}

static void test_C09_a_deleted_session_takes_its_orphans_along(void **state)
{
    fixture *own = *state;
    pawl_text text = {0};
    start_in(own, "mine", "test.gate", "ann", "1");
    start_in(own, "shared", "test.gate", "ann", "1");
    start_in(own, "theirs", "test.gate", "bob", "1");
    assert_ok(try_start(own, "nobodys", "test.gate", "1", 0, NULL, &why_));
    start_in(own, "keeper", "state.attach", "ann", "\"keep\"");
    expect_end(own, "keeper", "completed", NULL);
    start_in(own, "p", "state.bump", "ann", "1");
    expect_end(own, "p", "completed", "1");
    assert_ok(pawl_host_handle_grant(own->host, "bob", "shared", &why_));
    assert_ok(pawl_host_handle_grant(own->host, "ann", "theirs", &why_));
    assert_ok(pawl_host_handle_grant(own->host, "ann", "nobodys", &why_));
    json_t *report = deleted(own, "ann");
    expect_number(report, "cancelled", 1);
    expect_number(report, "preserved", 3);
    expect_number(report, "revoked", 2);
    expect_number(report, "attachments", 1);
    json_decref(report);
    expect_end(own, "mine", "cancelled", NULL);
    json_decref(until(own, "shared", "waiting"));
    expect_held(own, "ann", "shared", false);
    expect_held(own, "ann", "theirs", false);
    assert_ok(pawl_host_session_show(own->host, "ann", NULL, NULL, 0, &text, &why_));
    json_t *page = json_of(&text);
    expect_number(page, "revision", 0);
    json_decref(page);
    report = deleted(own, "ann"); /* again */
    expect_number(report, "cancelled", 0);
    expect_number(report, "revoked", 0);
    json_decref(report);
    report = deleted(own, "bob"); /* now nobody else holds them */
    expect_number(report, "cancelled", 2);
    json_decref(report);
    expect_end(own, "shared", "cancelled", NULL);
    expect_end(own, "theirs", "cancelled", NULL);
    json_decref(until(own, "nobodys", "waiting"));
}

static void test_C12_a_release_keeps_what_others_hold(void **state)
{
    fixture *own = *state;
    pawl_text text = {0};
    start_in(own, "p", "state.bump", "ann", "1");
    expect_end(own, "p", "completed", "1");
    start_in(own, "mine", "test.gate", "ann", "1");
    start_in(own, "shared", "test.gate", "ann", "1");
    assert_ok(pawl_host_handle_grant(own->host, "bob", "shared", &why_));
    assert_ok(pawl_host_session_release(own->host, "ann", &text, &why_));
    json_t *report = json_of(&text);
    expect_number(report, "cancelled", 1);
    expect_number(report, "preserved", 1);
    json_decref(report);
    expect_end(own, "mine", "cancelled", NULL);
    expect_held(own, "bob", "shared", true);
    expect_held(own, "ann", "shared", false);
    uint64_t revision = 0;
    assert_ok(pawl_host_session_get(own->host, "ann", "count", NULL, &revision, &why_)); /* the state stays */
}

/* What a host leaves that dies right after it has written down what it is going to do. */
static void write_mark(fixture *own, const char *key)
{
    const pawl_open_store *open = own->host->facets.facet[PAWL_FACET_SESSION];
    const pawl_session_change put = change_of(PAWL_SESSION_PUT, key, "");
    const pawl_session_change *const changes[] = {&put};
    uint64_t revision;
    assert_int_equal(open->plugin->session->commit(open->store, (pawl_bytes){"pawl:handles", 12}, PAWL_REVISION_ANY,
                                                   (pawl_bytes){NULL, 0}, changes, 1, &revision, NULL),
                     PAWL_OK);
}

static void test_C09_a_deletion_that_died_is_done_by_the_next_host(void **state)
{
    fixture *own = *state;
    start_in(own, "mine", "test.gate", "ann", "1");
    start_in(own, "shared", "test.gate", "ann", "1");
    start_in(own, "p", "state.bump", "ann", "1");
    expect_end(own, "p", "completed", "1");
    assert_ok(pawl_host_handle_grant(own->host, "bob", "shared", &why_));
    write_mark(own, "dann");
    fixture_close(own);
    fixture_open(own);
    expect_end(own, "mine", "cancelled", NULL);
    json_decref(until(own, "shared", "waiting"));
    pawl_error error = {0};
    assert_int_equal(pawl_host_session_get(own->host, "ann", "count", NULL, NULL, &error), PAWL_E_NOT_FOUND);
    start_in(own, "again", "state.bump", "ann", "1"); /* it is done: the name is free again */
    expect_end(own, "again", "completed", "1");
}

#define MANY 1003 /* more than one batch takes */

static void test_C09_a_large_session_goes_piece_by_piece(void **state)
{
    fixture *own = *state;
    char id[16];
    pawl_text text = {0};
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "p%d", i);
        const pawl_start begin = {.struct_size = sizeof begin,
                                  .flags = PAWL_START_EXTERNAL,
                                  .id = id,
                                  .type = "elsewhere",
                                  .session = "ann",
                                  .input = {"1", 1}};
        assert_ok(pawl_host_start(own->host, &begin, NULL, &why_));
    }
    assert_ok(pawl_host_handle_grant(own->host, "bob", "p7", &why_));
    assert_ok(pawl_host_session_delete(own->host, "ann", &text, &why_));
    json_t *done = json_of(&text);
    assert_int_equal(json_integer_value(json_object_get(done, "cancelled")), MANY - 1);
    assert_int_equal(json_integer_value(json_object_get(done, "preserved")), 1);
    json_decref(done);
    expect_end(own, "p0", "cancelled", NULL);
    expect_end(own, "p1002", "cancelled", NULL);
    assert_int_equal(pawl_host_handle_check(own->host, "ann", "p7", NULL), PAWL_E_NOT_FOUND);
    json_decref(until(own, "p7", "waiting"));
}

static void test_G11_a_session_that_must_be_there_is_asked_for(void **state)
{
    fixture *own = *state;
    uint64_t revision = 0;
    pawl_error error = {0};
    pawl_start begin = {.struct_size = sizeof begin,
                        .id = "p",
                        .type = "test.echo",
                        .session = "ann",
                        .input = {"1", 1},
                        .flags = PAWL_START_KNOWN_SESSION};
    assert_int_equal(pawl_host_start(own->host, &begin, NULL, &error), PAWL_E_NOT_FOUND);
    assert_string_equal(error.code, "unknown_session");
    assert_ok(pawl_host_session_commit(own->host, "ann", 0, NULL, NULL, 0, &revision, &why_));
    assert_ok(pawl_host_start(own->host, &begin, NULL, &why_));
    expect_end(own, "p", "completed", "1");
}

/* The same by the profile, for every start in a session. */
static void test_G11_the_profile_can_ask_for_known_sessions(void **state)
{
    (void)state;
    fixture *own = fixture_make("memory");
    own->extra = "sessions: { known: true }\n";
    fixture_open(own);
    uint64_t revision = 0;
    pawl_error error = {0};
    pawl_start begin = {
        .struct_size = sizeof begin, .id = "p", .type = "test.echo", .session = "ann", .input = {"1", 1}};
    assert_int_equal(pawl_host_start(own->host, &begin, NULL, &error), PAWL_E_NOT_FOUND);
    assert_string_equal(error.code, "unknown_session");
    assert_ok(pawl_host_session_commit(own->host, "ann", 0, NULL, NULL, 0, &revision, &why_));
    assert_ok(pawl_host_start(own->host, &begin, NULL, &why_));
    expect_end(own, "p", "completed", "1");
    begin.session = NULL;
    begin.id = "of nobody";
    assert_ok(pawl_host_start(own->host, &begin, NULL, &why_));
    expect_end(own, "of nobody", "completed", "1");
    fixture_remove(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_S01_processes_that_commit_at_once_lose_nothing),
        OVER_BOTH(test_S01_a_stale_commit_tells_the_process_the_revision),
        OVER_BOTH(test_S01_any_bytes_go_through_a_commit),
        OVER_BOTH(test_S08_the_first_value_stays),
        OVER_BOTH(test_a_process_without_a_session_has_no_state),
        OVER_BOTH(test_S05_attachments_belong_to_the_session),
        OVER_BOTH(test_S01_S02_state_is_one_from_inside_and_outside),
        OVER_BOTH(test_sessions_are_shown_in_pages),
        OVER_BOTH(test_R06_a_process_is_its_sessions_from_the_start),
        OVER_BOTH(test_handles_are_transferred_all_or_none),
        OVER_BOTH(test_C09_a_deleted_session_takes_its_orphans_along),
        cmocka_unit_test_setup_teardown(test_C09_a_deletion_that_died_is_done_by_the_next_host, setup_rocksdb,
                                        teardown),
        OVER_BOTH(test_C12_a_release_keeps_what_others_hold),
        cmocka_unit_test_setup_teardown(test_C09_a_large_session_goes_piece_by_piece, setup_memory, teardown),
        OVER_BOTH(test_G11_a_session_that_must_be_there_is_asked_for),
        cmocka_unit_test(test_G11_the_profile_can_ask_for_known_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
