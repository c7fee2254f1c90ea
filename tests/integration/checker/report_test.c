/* report_test.c: what a check tells people and programs, how it ends, and what it takes. */
#include "checker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GOOD PAWL_HOSTILE_DIR "/well_behaved.so"
#define BAD  PAWL_BAD_DIR "/state_umask.so"

static void expect(const char *words, int code, const char *fragment)
{
    char *text = NULL;
    int got = check_run(words, &text);
    if (got != code || strstr(text, fragment) == NULL)
        fail_msg("%s: wanted exit code %d and \"%s\", got %d and: %s", words, code, fragment, got, text);
    free(text);
}

static void test_P01_the_check_ends_with_an_exit_code_that_says_how_it_went(void **state)
{
    (void)state;
    expect(GOOD, 0, "the plugin passes");
    expect(BAD, 6, "the plugin does not pass");
    expect("", 2, "which plugin?");
    expect(GOOD " --level strict", 2, "wanted must, should or pedantic");
    expect(GOOD " --case life.inti", 2, "there is no case \"life.inti\"");
    expect(GOOD " --waive life.init", 2, "wanted CASE=REASON");
    expect(GOOD " --config '[]'", 2, "no JSON object");
    expect(GOOD " --input hostile.echo", 2, "wanted NAME=JSON");
    expect(GOOD " --timeout 5", 2, "wanted a span");
    expect(GOOD " --in-process", 2, "give one --case NAME");
    expect("/nowhere.so", 3, "cannot be read");
}

static void test_P01_the_check_tells_how_to_repeat_a_failed_case_alone(void **state)
{
    (void)state;
    expect(BAD, 6, "alone: gdb --args pawl plugin check " BAD " --case state.life --in-process");
    expect(BAD " --config '{\"it'\\''s\": 1}' --jobs 1", 6, "--config '{\"it'\\''s\": 1}' --case state.life");
    expect(BAD " --case state.life --in-process", 6, "the umask was");
    expect(GOOD " --case state.life --in-process", 0, "state.life: pass");
}

static void test_P01_a_case_is_waived_with_a_reason(void **state)
{
    json_t *report = NULL;
    (void)state;
    assert_int_equal(check_report(BAD " --waive 'state.life=it is a daemon'", &report), 0);
    const json_t *one = check_case(report, "state.life");
    assert_string_equal(check_verdict(one), "skip");
    assert_string_equal(json_string_value(json_object_get(one, "reason")), "waived: it is a daemon");
    json_decref(report);
}

static void test_P01_levels_decide_which_cases_run(void **state)
{
    json_t *report = NULL;
    size_t index, counts[3] = {0};
    const json_t *one;
    static const char *const words[] = {GOOD " --level must", GOOD, GOOD " --level pedantic"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        check_report(words[i], &report);
        json_array_foreach(json_object_get(report, "cases"), index, one)
        {
            if (i == 0)
                assert_string_equal(json_string_value(json_object_get(one, "level")), "must");
            counts[i]++;
        }
        json_decref(report);
    }
    assert_true(counts[0] > 5 && counts[0] < counts[1] && counts[1] < counts[2]);
}

static void test_P01_a_report_can_be_read_by_programs(void **state)
{
    char path[] = "/tmp/pawl-junit-XXXXXX", words[512], *text = NULL;
    json_t *report = NULL;
    size_t size = 0;
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    snprintf(words, sizeof words, "%s --junit %s", BAD, path);
    assert_int_equal(check_report(words, &report), 6);
    assert_string_equal(json_string_value(json_object_get(report, "plugin")), "hostile.plugin");
    assert_false(json_is_true(json_object_get(report, "ok")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(report, "counts"), "fail")), 1);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_true(getdelim(&text, &size, '\0', file) > 0);
    fclose(file);
    unlink(path);
    assert_non_null(strstr(text, "failures=\"1\""));
    assert_non_null(strstr(text, "<testcase classname=\"hostile.plugin\" name=\"state.life\""));
    assert_non_null(strstr(text, "<failure type=\"A-18\""));
    free(text);
    json_decref(report);
    expect(GOOD " --junit /nowhere/at/all.xml", 1, "cannot be written");
}

static void test_P01_a_gate_that_fails_is_told_once(void **state)
{
    json_t *report = NULL;
    size_t index, skipped = 0;
    const json_t *one;
    (void)state;
    assert_int_equal(check_report(PAWL_HOSTILE_DIR "/init_crash.so", &report), 6);
    json_array_foreach(json_object_get(report, "cases"), index, one)
    {
        if (strcmp(check_verdict(one), "skip") == 0 &&
            strstr(json_string_value(json_object_get(one, "reason")), "life.init") != NULL)
            skipped++;
    }
    assert_true(skipped >= 5);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(report, "counts"), "crash")), 1);
    json_decref(report);
}

static void test_P07_inputs_are_made_from_schemas(void **state)
{
    json_t *report = NULL;
    (void)state;
    check_report(PAWL_BAD_DIR "/generated.so", &report);
    assert_string_equal(check_verdict(check_case(report, "call.sample")), "skip");
    json_decref(report);
    assert_int_equal(check_report(PAWL_BAD_DIR "/generated.so --generate", &report), 0);
    assert_string_equal(check_verdict(check_case(report, "call.sample")), "pass");
    assert_string_equal(check_verdict(check_case(report, "call.output")), "pass"); /* what was made fits the schema */
    json_decref(report);
}

static void test_P01_pawl_plugin_check_is_the_same_program(void **state)
{
    char *text = NULL, *other = NULL;
    (void)state;
    assert_int_equal(check_program(PAWL_PROGRAM " plugin check " BAD " --case state.life --json", &text), 6);
    json_t *report = json_loads(text, 0, NULL);
    assert_string_equal(check_verdict(check_case(report, "state.life")), "fail");
    json_decref(report);
    free(text);
    assert_int_equal(check_program(PAWL_PROGRAM " plugin check --list", &text), 0);
    assert_int_equal(check_run("--list", &other), 0);
    assert_string_equal(text, other);
    free(other);
    free(text);
    assert_int_equal(check_program(PAWL_PROGRAM " plugin check " BAD " --case state.life --in-process", &text), 6);
    assert_non_null(strstr(text, "state.life: fail"));
    free(text);
    assert_int_equal(check_program(PAWL_PROGRAM " plugin check", &text), 2);
    free(text);
    assert_int_equal(check_program(PAWL_PROGRAM " plugin check /nowhere.so", &text), 3);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P01_the_check_ends_with_an_exit_code_that_says_how_it_went),
        cmocka_unit_test(test_P01_the_check_tells_how_to_repeat_a_failed_case_alone),
        cmocka_unit_test(test_P01_a_case_is_waived_with_a_reason),
        cmocka_unit_test(test_P01_levels_decide_which_cases_run),
        cmocka_unit_test(test_P01_a_report_can_be_read_by_programs),
        cmocka_unit_test(test_P01_a_gate_that_fails_is_told_once),
        cmocka_unit_test(test_P07_inputs_are_made_from_schemas),
        cmocka_unit_test(test_P01_pawl_plugin_check_is_the_same_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
