/* session_test.c: processes that use the state and the attachments of their session. */
#include "fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_S01_processes_that_commit_at_once_lose_nothing),
        OVER_BOTH(test_S01_a_stale_commit_tells_the_process_the_revision),
        OVER_BOTH(test_S01_any_bytes_go_through_a_commit),
        OVER_BOTH(test_S08_the_first_value_stays),
        OVER_BOTH(test_a_process_without_a_session_has_no_state),
        OVER_BOTH(test_S05_attachments_belong_to_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
