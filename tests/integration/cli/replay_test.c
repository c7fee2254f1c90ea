/* replay_test.c: `pawl journal --export` and `pawl test --replay`: journals of real processes, lived again by the very
 * plugin, and by one that was changed without care, which is told apart before it is deployed. */
#include "program.h"

#include <jansson.h>
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

/* "step 5, " and so on, of the records of a worker, one a line, or of those that a test made up. */
static void list_kinds(const json_t *records, char *text, size_t room)
{
    size_t i;
    const json_t *one;
    json_array_foreach(records, i, one)
    {
        size_t used = strlen(text);
        snprintf(text + used, room - used, "%s %" JSON_INTEGER_FORMAT ", ",
                 json_string_value(json_object_get(one, "kind")), json_integer_value(json_object_get(one, "ordinal")));
    }
}

static void test_a_test_makes_the_journal_that_a_worker_makes(void **state)
{
    (void)state;
    char profile[1024], real[2048] = "", tested[2048] = "";
    place *at = place_open("");
    snprintf(profile, sizeof profile,
             "profile: cli\ntier: durable\ndata: data\nstores: { main: { provider: rocksdb } }\n"
             "plugins:\n  - { path: %s, dev: true }\n",
             PAWL_TEST_SAGA);
    place_write(at, "pawl.yaml", profile);
    place_write(at, "world.yaml",
                "process: {type: trip.book, input: full}\n"
                "effects:\n  trip.train: {result: t}\n  trip.car: {result: c}\n  trip.hotel: {failure: hotel.full}\n"
                "  trip.cancel-car: {result: null}\n  trip.cancel-train: {result: null}\n");
    server_start(at);
    EXPECT(at, 8, "hotel.full", "start", "trip.book", "--id", "s1", "--input", "\"full\"", "--wait");
    command journal = RUN(at, "journal", "s1", "--json");
    json_t *records = json_array();
    for (char *line = strtok(journal.out, "\n"); line != NULL; line = strtok(NULL, "\n"))
        json_array_append_new(records, json_loads(line, 0, NULL));
    list_kinds(records, real, sizeof real);
    json_decref(records);
    command test = RUN(at, "test", PAWL_TEST_SAGA, "--effects", "world.yaml", "--json");
    json_t *report = json_loads(test.out, 0, NULL);
    list_kinds(json_object_get(report, "journal"), tested, sizeof tested);
    json_decref(report);
    assert_string_equal(tested, real);
    assert_non_null(strstr(real, "compensating"));
    stop(at);
}

static void test_a_finding_is_shown_side_by_side_and_can_be_repeated(void **state)
{
    (void)state;
    place *at = place_open("");
    place_write(at, "world.yaml", "effects: {shop.pack: {echo: true}}\n");
    EXPECT(at, 1, " >     completes with  ", "test", PAWL_SUSPECTS, "--type", "bad.chance", "--effects", "world.yaml");
    EXPECT(at, 1, "--type bad.chance --effects world.yaml --only twice", "test", PAWL_SUSPECTS, "--type", "bad.chance",
           "--effects", "world.yaml");
    EXPECT(at, 1, "nondeterminism in twice", "test", PAWL_SUSPECTS, "--type", "bad.chance", "--effects", "world.yaml",
           "--only", "twice");
    EXPECT(at, 0, "nothing found", "test", PAWL_SUSPECTS, "--type", "good.good", "--effects", "auto", "--junit",
           "r.xml");
    assert_true(place_lines(at, "r.xml") >= 7);
    place_close(at);
}

static void test_mistakes_have_codes_of_their_own(void **state)
{
    (void)state;
    place *at = place_open("");
    place_write(at, "wrong.yaml", "effects:\n  a: {resullt: 1}\n");
    EXPECT(at, 6, "wrong.yaml:2:7", "test", PAWL_SUSPECTS, "--type", "good.good", "--effects", "wrong.yaml");
    EXPECT(at, 3, "absent.yaml", "test", PAWL_SUSPECTS, "--type", "good.good", "--effects", "absent.yaml");
    EXPECT(at, 3, "good.good/1", "test", PAWL_SUSPECTS, "--type", "good.bad", "--effects", "auto");
    EXPECT(at, 6, "several process types", "test", PAWL_SUSPECTS, "--effects", "auto");
    EXPECT(at, 3, "absent.so", "test", "./absent.so", "--effects", "auto");
    EXPECT(at, 2, NULL, "test", PAWL_SUSPECTS, "--orders", "none");
    place_close(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_journal_that_waits_goes_on_with_its_own_plugin),
        cmocka_unit_test(test_a_journal_that_has_ended_ends_as_it_did),
        cmocka_unit_test(test_a_change_that_would_park_processes_is_found_before_it_is_deployed),
        cmocka_unit_test(test_what_is_no_journal_is_said_to_be_none),
        cmocka_unit_test(test_a_test_makes_the_journal_that_a_worker_makes),
        cmocka_unit_test(test_a_finding_is_shown_side_by_side_and_can_be_repeated),
        cmocka_unit_test(test_mistakes_have_codes_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
