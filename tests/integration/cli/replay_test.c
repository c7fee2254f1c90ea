/* replay_test.c: `pawl journal --export` and `pawl test --replay`: journals of real processes, lived again by the very
 * plugin, and by one that was changed without care, which is told apart before it is deployed. */
#include "program.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static place *open_with_letter(void)
{
    place *at = place_open("");
    char input[200];
    snprintf(input, sizeof input, "\"%s/letters\"", at->directory);
    server_start(at);
    EXPECT(at, 0, "l1\n", "start", "it.letter", "--id", "l1", "--input", input);
    AWAIT(at, "answer", "show", "l1");
    return at;
}

static void stop(place *at)
{
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    place_close(at);
}

static void test_a_journal_that_waits_goes_on_with_its_own_plugin(void **state)
{
    (void)state;
    place *at = open_with_letter();
    EXPECT(at, 0, NULL, "journal", "l1", "--export", "l1.journal");
    assert_true(place_lines(at, "l1.journal") >= 3); /* header, started, step */
    EXPECT(at, 0, "goes on  l1.journal", "test", PAWL_TEST_PLUGIN, "--replay", "l1.journal");
    EXPECT(at, 0, "waits for signal answer", "test", PAWL_TEST_PLUGIN, "--replay", "l1.journal");
    assert_int_equal(place_lines(at, "letters"), 1); /* nothing was done again */
    stop(at);
}

static void test_a_journal_that_has_ended_ends_as_it_did(void **state)
{
    (void)state;
    place *at = open_with_letter();
    EXPECT(at, 0, "signal sent", "signal", "l1", "answer", "\"yes\"");
    EXPECT(at, 0, "l1 completed yes", "wait", "l1", "--timeout", "20s");
    EXPECT(at, 0, NULL, "journal", "l1", "--export", "l1.journal");
    EXPECT(at, 0, "ends as it had ended", "test", PAWL_TEST_PLUGIN, "--replay", "l1.journal");
    stop(at);
}

static void test_a_change_that_would_park_processes_is_found_before_it_is_deployed(void **state)
{
    (void)state;
    place *at = open_with_letter();
    EXPECT(at, 0, NULL, "journal", "l1", "--export", "l1.journal");
    EXPECT(at, 1, "nondeterminism", "test", PAWL_TEST_CHANGED_PLUGIN, "--replay", "l1.journal", "--junit", "r.xml");
    EXPECT(at, 1, "it.append", "test", PAWL_TEST_CHANGED_PLUGIN, "--replay", "l1.journal");
    EXPECT(at, 1, "it.nap", "test", PAWL_TEST_CHANGED_PLUGIN, "--replay", "l1.journal");
    EXPECT(at, 1, "0 of 2 journals go on", "test", PAWL_TEST_CHANGED_PLUGIN, "--replay", "l1.journal", "--replay",
           "l1.journal");
    assert_true(place_lines(at, "r.xml") >= 4);
    stop(at);
}

static void test_what_is_no_journal_is_said_to_be_none(void **state)
{
    (void)state;
    place *at = place_open("");
    place_write(at, "wrong.journal", "{\"sequence\": 1}\n");
    EXPECT(at, 1, "no file of `pawl journal", "test", PAWL_TEST_PLUGIN, "--replay", "wrong.journal");
    EXPECT(at, 1, "cannot be read", "test", PAWL_TEST_PLUGIN, "--replay", "absent.journal");
    place_close(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_journal_that_waits_goes_on_with_its_own_plugin),
        cmocka_unit_test(test_a_journal_that_has_ended_ends_as_it_did),
        cmocka_unit_test(test_a_change_that_would_park_processes_is_found_before_it_is_deployed),
        cmocka_unit_test(test_what_is_no_journal_is_said_to_be_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
