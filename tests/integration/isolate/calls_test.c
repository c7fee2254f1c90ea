/* calls_test.c: what works inside the host works in a process of its own, with the same results. */
#include "place.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const wish inside = {.isolation = "none", .greeting = "hello"};
static const wish outside = {.greeting = "hello"};

/* Effects, inputs, and whatever they gave; the same for both. */
static void expect_everything(fixture *own)
{
    expect_call(own, "wild.echo", "{\"a\":[1,2,3]}", "completed", "{\"a\":[1,2,3]}");
    expect_call(own, "wild.quick", "\"inline\"", "completed", "\"inline\"");
    expect_call(own, "wild.later", "\"later\"", "completed", "\"later\"");
    expect_call(own, "wild.later", "\"fail\"", "failed", "wild.later");
    expect_call(own, "wild.later", "\"refuse\"", "failed", "wild.refused");
    expect_call(own, "wild.fail", "\"plain\"", "failed", "wild.plain");
    expect_call(own, "wild.fail", "\"detail\"", "failed", "wild.detail");
    expect_call(own, "wild.fail", "\"bare\"", "failed", "conflict");
    expect_call(own, "wild.fail", "\"odd\"", "failed", "effect.contract");
    expect_failure(own, "wild.fail", "\"large\"", "effect.output_too_large",
                   "plugin test.wild, wild.fail: the result is larger than the limit of 4194304 bytes");
    expect_call(own, "wild.typed", "7", "completed", "7");
    expect_call(own, "wild.typed", "\"7\"", "failed", "effect.input");
    expect_call(own, "wild.typed", "70", "failed", "effect.output");
    expect_call(own, "shop.greet", "\"\"", "completed", "\"hello from shop\"");
}

static void test_the_same_results_in_both_modes(void **state)
{
    fixture *own = *state;
    place_open(own, &inside);
    expect_everything(own);
    fixture_close(own);
    place_open(own, &outside);
    expect_everything(own);
    assert_int_equal(isolation_number(own, "deaths"), 0);
    assert_true(isolation_number(own, "calls") >= 13);
}

static void test_it_sees_its_call_and_nothing_of_the_host(void **state)
{
    fixture *own = *state;
    char id[] = "whose";
    setenv("WILD_SECRET", "hunter2", 1);
    const wish secret = {.greeting = "{ secret: \"env:WILD_SECRET\" }"};
    int open_here = dup(0);
    place_open(own, &secret);
    pid_t worker = worker_of(own);
    start(own, id, "test.call", "{\"effect\":\"wild.tell\",\"input\":1}");
    json_t *outcome = ended(own, id);
    json_t *told = json_object_get(outcome, "output");
    assert_int_equal(json_integer_value(json_object_get(told, "pid")), worker);
    assert_int_equal(json_integer_value(json_object_get(told, "parent")), getpid());
    assert_true(json_is_null(json_object_get(told, "secret")));
    assert_null(strstr(text_of(told, "command"), "hunter2"));
    assert_has(text_of(told, "command"), "test.wild");
    assert_int_equal(json_integer_value(json_object_get(told, "descriptors")), 4); /* three, and the host */
    assert_has(text_of(told, "key"), "whose/1/");
    assert_int_equal(json_integer_value(json_object_get(told, "attempt")), 1);
    assert_int_equal(json_integer_value(json_object_get(told, "deadline")), 1);
    json_decref(outcome);
    expect_call(own, "shop.greet", "\"\"", "completed", "\"hunter2 from shop\"");
    assert_true(fixture_logged(own, "it was told to tell all"));
    assert_false(fixture_logged(own, "hunter2"));
    close(open_here);
    unsetenv("WILD_SECRET");
}

static void test_large_values_go_both_ways(void **state)
{
    fixture *own = *state;
    size_t size = (size_t)3 << 20;
    char *input = malloc(size + 100);
    assert_non_null(input);
    place_open(own, &outside);
    size_t used = (size_t)sprintf(input, "{\"effect\":\"wild.echo\",\"input\":\"");
    for (size_t i = 0; i < size; i++)
        input[used++] = (char)('a' + i % 26);
    strcpy(input + used, "\"}");
    start(own, "large", "test.call", input);
    json_t *outcome = ended(own, "large");
    const char *output = json_string_value(json_object_get(outcome, "output"));
    assert_non_null(output);
    assert_int_equal(strlen(output), size);
    assert_int_equal(output[size - 1], 'a' + (size - 1) % 26);
    json_decref(outcome);
    free(input);
}

static void test_a_thousand_calls_at_once(void **state)
{
    fixture *own = *state;
    const wish busy = {.limits = "workers: 2", .extra = "worker: { effect_threads: 4 }\n"};
    char id[32];
    place_open(own, &busy);
    for (int i = 0; i < 1000; i++) {
        static const char *const effects[] = {"wild.echo", "wild.later", "wild.quick"};
        char input[32];
        snprintf(id, sizeof id, "c%d", i);
        snprintf(input, sizeof input, "\"%d\"", i);
        call(own, id, effects[i % 3], input);
    }
    for (int i = 0; i < 1000; i++) {
        char output[32];
        snprintf(id, sizeof id, "c%d", i);
        snprintf(output, sizeof output, "\"%d\"", i);
        expect_end(own, id, "completed", output);
    }
    assert_true(isolation_number(own, "calls") >= 1000); /* more when a thread could not be made, and was tried again */
    assert_int_equal(isolation_number(own, "waiting"), 0);
}

static void test_attachments_go_through_the_host(void **state)
{
    fixture *own = *state;
    place_open(own, &outside);
    json_t *reference = output_of(own, "wild.store", "1000000");
    char input[100];
    snprintf(input, sizeof input, "\"%s\"", json_string_value(reference));
    /* Another process holds nothing of it. */
    expect_call(own, "wild.load", input, "failed", "attachment.not_found");
    json_decref(reference);
    expect_call(own, "wild.store", "665", "completed", "null"); /* begun and forgotten */
    assert_int_equal(isolation_number(own, "deaths"), 0);
}

static void test_what_a_call_stored_it_can_read(void **state)
{
    fixture *own = *state;
    place_open(own, &outside);
    pawl_start wanted = {.struct_size = sizeof wanted, .id = "s1", .type = "test.call", .session = "shared"};
    wanted.input = (pawl_bytes){"{\"effect\":\"wild.store\",\"input\":1000000}", 0};
    wanted.input.size = strlen(wanted.input.data);
    assert_ok(pawl_host_start(own->host, &wanted, NULL, &why_));
    json_t *outcome = ended(own, "s1");
    char input[200];
    snprintf(input, sizeof input, "{\"effect\":\"wild.load\",\"input\":\"%s\"}", text_of(outcome, "output"));
    json_decref(outcome);
    wanted.id = "s2";
    wanted.input = (pawl_bytes){input, strlen(input)};
    assert_ok(pawl_host_start(own->host, &wanted, NULL, &why_));
    outcome = ended(own, "s2");
    json_t *read = json_object_get(outcome, "output");
    unsigned long sum = 0;
    for (size_t i = 0; i < 1000000; i++)
        sum += 'a' + i % 23;
    assert_int_equal(json_integer_value(json_object_get(read, "size")), 1000000);
    assert_int_equal(json_integer_value(json_object_get(read, "total")), 1000000);
    assert_int_equal(json_integer_value(json_object_get(read, "sum")), sum);
    assert_string_equal(text_of(read, "head"), "bcdef");
    json_decref(outcome);
}

static void test_a_wish_to_stop_reaches_it(void **state)
{
    fixture *own = *state;
    const wish loose = {.limits = "seccomp: off", .extra = "effects: { wild.echo: { timeout: 1s } }\n"};
    place_open(own, &loose);
    call(own, "stopped", "wild.wait", "1");
    await_note(own, "waiting");
    assert_ok(pawl_host_cancel(own->host, "stopped", NULL, &why_));
    expect_end(own, "stopped", "cancelled", NULL);
    assert_int_equal(isolation_number(own, "deaths"), 0);
}

static void test_a_deadline_stops_a_call(void **state)
{
    fixture *own = *state;
    const wish brief = {.extra = "effects: { wild.wait: { timeout: 100ms, retry: { attempts: 1 } } }\n"};
    place_open(own, &brief);
    expect_call(own, "wild.wait", "1", "failed", NULL);
    assert_int_equal(isolation_number(own, "deaths"), 0);
}

static void leave_note(const fixture *own, const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", own->directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void test_time_begins_when_a_thread_is_there(void **state)
{
    fixture *own = *state;
    const wish narrow = {.limits = "seccomp: off",
                         .extra = "worker: { effect_threads: 1 }\n"
                                  "effects: { wild.echo: { timeout: 100ms, retry: { attempts: 1 } } }\n"};
    place_open(own, &narrow);
    call(own, "first", "wild.hold", "1");
    await_note(own, "held");
    call(own, "second", "wild.echo", "2"); /* no thread is there for it */
    for (int i = 0; i < 200; i++)          /* more than its timeout */
        rest();
    leave_note(own, "go");
    expect_end(own, "first", "completed", "\"let go\"");
    expect_end(own, "second", "completed", "2");
}

static void test_its_instances_end_with_the_host(void **state)
{
    fixture *own = *state;
    const wish loose = {.limits = "seccomp: off", .greeting = "hello"};
    place_open(own, &loose);
    pid_t worker = worker_of(own);
    expect_call(own, "shop.greet", "\"\"", "completed", NULL);
    assert_false(is_noted(own, "destroyed"));
    fixture_close(own);
    assert_true(is_noted(own, "destroyed"));
    assert_true(is_noted(own, "deinited"));
    await_gone(worker);
}

int main(void)
{
#define PLACE(test) cmocka_unit_test_setup_teardown(test, setup_place, teardown_place)
    const struct CMUnitTest tests[] = {
        PLACE(test_the_same_results_in_both_modes),     PLACE(test_it_sees_its_call_and_nothing_of_the_host),
        PLACE(test_large_values_go_both_ways),          PLACE(test_a_thousand_calls_at_once),
        PLACE(test_attachments_go_through_the_host),    PLACE(test_what_a_call_stored_it_can_read),
        PLACE(test_a_wish_to_stop_reaches_it),          PLACE(test_a_deadline_stops_a_call),
        PLACE(test_time_begins_when_a_thread_is_there), PLACE(test_its_instances_end_with_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
