/* contract_test.c: why it exists: what a manifest says of values holds: inputs and outputs of effects, inputs of
 * children and of further runs, updates; an answer to an update is known in the next run. A schema that is wrong keeps
 * a host from opening. Over both stores. */
#include <pawl_process.h> /* before cmocka, which has a macro "fail" */

#include "fixture.h"

#include <stdatomic.h>
#include <stdio.h>

/* ---- a plugin ---- */

static atomic_int calls;
static atomic_int undone;

/* {"give":TEXT}: gives the text as it is. */
static pawl_status PAWL_CALL execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    char text[128];
    const pawl_core *core = pawl_core_of(call->host);
    (void)why;
    if (pawl_is(call->operation, "con.undo")) {
        atomic_fetch_add(&undone, 1);
        return pawl_write_text(core, out, "null");
    }
    atomic_fetch_add(&calls, 1);
    snprintf(text, sizeof text, "%.*s", (int)call->input.size, (const char *)call->input.data);
    const char *from = strchr(text, ':');
    char *to = strrchr(text, '}');
    if (from == NULL || to == NULL)
        return pawl_write_text(core, out, "1");
    *to = '\0';
    return pawl_write_text(core, out, from + 1);
}
PAWL_EFFECT_TABLE(effects, execute, NULL, NULL);

/* {"effect":NAME,"input":JSON}: calls it once; says how it failed. */
static pawl_status caller(pawl_process *p)
{
    char *text = pawl_cstring(p, pawl_input(p));
    char *end = strstr(text, "\",\"input\":");
    *end = '\0';
    pawl_bytes input = pawl_text(end + 10);
    pawl_bytes value;
    pawl_failure failure;
    input.size--;
    pawl_future call = pawl_start_call(p, text + 11, input);
    PAWL_TRY(pawl_on_rollback_of(p, call, "con.undo", pawl_text("1")));
    PAWL_TRY(pawl_await(p, call));
    pawl_status status = pawl_result(p, call, &value);
    if (status == PAWL_OK)
        return pawl_complete(p, value);
    if (pawl_result_failure(p, call, &failure) != PAWL_OK)
        return status;
    return pawl_fail_as(p, &failure);
}

static pawl_status parent(pawl_process *p)
{
    pawl_bytes output;
    PAWL_TRY(pawl_child(p, "con.strict", pawl_input(p), &output));
    return pawl_complete(p, output);
}

/* Goes on with 7 once, which does not fit; with "word" as input says that. */
static pawl_status strict(pawl_process *p)
{
    if (pawl_is(pawl_input(p), "{\"n\":1}"))
        return pawl_continue_as_new(p, pawl_text("{\"n\":2}"));
    if (pawl_is(pawl_input(p), "{\"n\":2}"))
        return pawl_complete(p, pawl_text("\"both\""));
    return pawl_continue_as_new(p, pawl_text("7"));
}

/* Answers "add" and "ask" with the run's number; every third answer ends the run. */
static pawl_status answerer(pawl_process *p)
{
    for (int answered = 0;;) {
        int first = 0;
        pawl_future waits[2] = {pawl_wait_update(p, "add"), pawl_wait_update(p, "ask")};
        PAWL_TRY(pawl_await_any_of(p, &first, waits, 2));
        if (first == 0)
            PAWL_TRY(pawl_reply(p, waits[0], pawl_printf(p, "%u", pawl_run_number(p))));
        else
            PAWL_TRY(pawl_reject(p, waits[1], "con.no", "never"));
        if (++answered == 3)
            return pawl_continue_as_new(p, pawl_input(p));
    }
}
/* Starts one that goes on by itself; with "own" as input it has a place of its own. */
static pawl_status brood(pawl_process *p)
{
    pawl_child_options options = pawl_child_defaults();
    options.flags = PAWL_CHILD_DETACHED;
    options.parent_close = PAWL_PARENT_CLOSE_ABANDON;
    options.id = pawl_printf(p, "child-of-%s", pawl_cstring(p, pawl_id(p)));
    if (pawl_is(pawl_input(p), "\"own\"")) {
        options.priority = 5;
        options.key = pawl_text("mine");
    }
    PAWL_TRY(pawl_await(p, pawl_start_child_with(p, "con.answerer", pawl_text("1"), &options)));
    return pawl_complete(p, pawl_text("1"));
}

PAWL_PROCESSES(PAWL_TYPE("con.brood", 1, brood), PAWL_TYPE("con.caller", 1, caller), PAWL_TYPE("con.parent", 1, parent),
               PAWL_TYPE("con.strict", 1, strict), PAWL_TYPE("con.answerer", 1, answerer))

static const void *PAWL_CALL get_factory(const char *id)
{
    return strcmp(id, PAWL_FACTORY_EFFECT) == 0 ? (const void *)&effects : pawl_process_factory(id);
}

/* clang-format off */
#define GIVES "\"input_schema\":{\"type\":\"object\",\"required\":[\"give\"]}," \
    "\"output_schema\":{\"type\":\"integer\",\"minimum\":0}"
#define MANIFEST(id, schema) \
    "{\"manifest_version\":1,\"id\":\"" id "\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0}," \
    "\"kinds\":[\"process\",\"effect\"],\"effects\":[" \
    "{\"name\":\"con.pool\",\"outcome\":\"idempotent\"," GIVES "}," \
    "{\"name\":\"con.inline\",\"outcome\":\"idempotent\",\"runs\":\"inline\"," GIVES "}," \
    "{\"name\":\"con.once\",\"outcome\":\"at_most_once\"," GIVES "}," \
    "{\"name\":\"con.bytes\",\"outcome\":\"idempotent\",\"media_type\":\"application/octet-stream\"," GIVES "}," \
    "{\"name\":\"con.undo\",\"outcome\":\"idempotent\",\"input_schema\":" schema "}]," \
    "\"processes\":[{\"name\":\"con.brood\",\"revision\":1},{\"name\":\"con.caller\",\"revision\":1},{\"name\":\"con.parent\",\"revision\":1}," \
    "{\"name\":\"con.strict\",\"revision\":1,\"input_schema\":{\"type\":\"object\"}}," \
    "{\"name\":\"con.answerer\",\"revision\":1,\"updates\":[{\"name\":\"add\",\"schema\":{\"type\":\"integer\"}}," \
    "{\"name\":\"ask\"}]}]}"
PAWL_LINKED_PLUGIN(con_plugin, "con.plugin", "1.0.0", "Pawl tests", MANIFEST("con.plugin", "true"), pawl_plain_init,
                   pawl_plain_deinit, get_factory);
PAWL_LINKED_PLUGIN(bad_plugin, "bad.plugin", "1.0.0", "Pawl tests",
                   MANIFEST("bad.plugin", "{\"properties\":{\"a\":{\"type\":\"text\"}}}"), pawl_plain_init,
                   pawl_plain_deinit, get_factory);
/* clang-format on */

/* ---- what the tests say ---- */

static pawl_status try_open_host(fixture *own, pawl_plugin_entry_fn plugin, pawl_error *error)
{
    char profile[1024];
    snprintf(profile, sizeof profile, "profile: test\ntier: inline\ndata: %s\nstores: { main: { provider: %s } }\n%s",
             own->directory, own->provider, own->extra == NULL ? "" : own->extra);
    pawl_host_options options = {
        .struct_size = sizeof options, .profile_text = profile, .static_plugins = &plugin, .static_plugin_count = 1};
    atomic_store(&calls, 0);
    atomic_store(&undone, 0);
    return pawl_host_open(&options, &own->host, error);
}

static void open_host(fixture *own)
{
    assert_ok(try_open_host(own, con_plugin, &why_));
}

static int make_memory(void **state)
{
    *state = fixture_make("memory");
    open_host(*state);
    return 0;
}

static int make_rocksdb(void **state)
{
    *state = fixture_make("rocksdb");
    open_host(*state);
    return 0;
}

static int make_closed(void **state)
{
    *state = fixture_make("memory");
    return 0;
}

#define OVER_THE_TWO(test)                                                                                             \
    {#test "/memory", test, make_memory, teardown, NULL},                                                              \
    {                                                                                                                  \
#test "/rocksdb", test, make_rocksdb, teardown, NULL                                                           \
    }

static void call(fixture *own, const char *id, const char *effect, const char *input)
{
    char text[256];
    snprintf(text, sizeof text, "{\"effect\":\"%s\",\"input\":%s}", effect, input);
    start(own, id, "con.caller", text);
}

static void expect_failure(fixture *own, const char *id, const char *code, const char *part)
{
    json_t *outcome = ended(own, id);
    assert_string_equal(text_of(outcome, "status"), "failed");
    assert_string_equal(text_of(outcome, "code"), code);
    assert_has(text_of(outcome, "message"), part);
    json_decref(outcome);
}

/* ---- effects ---- */

static void test_an_input_that_does_not_fit_begins_nothing(void **state)
{
    fixture *own = *state;
    static const char *const effects_of[] = {"con.pool", "con.inline", "con.once"};
    for (size_t i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "p-%zu", i);
        call(own, id, effects_of[i], "{\"other\":1}");
        expect_failure(own, id, "effect.input", "at \"\"");
    }
    call(own, "no-json", "con.pool", "{");
    expect_failure(own, "no-json", "effect.input", "not JSON");
    assert_int_equal(atomic_load(&calls), 0);
    assert_int_equal(atomic_load(&undone), 0); /* it surely did not happen */
}

static void test_an_output_that_does_not_fit_has_happened_all_the_same(void **state)
{
    fixture *own = *state;
    static const char *const effects_of[] = {"con.pool", "con.inline", "con.once"};
    for (int i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "p-%d", i);
        call(own, id, effects_of[i], "{\"give\":-5}");
        expect_failure(own, id, "effect.output", "found -5");
        assert_int_equal(atomic_load(&calls), i + 1);  /* no other attempt */
        assert_int_equal(atomic_load(&undone), i + 1); /* and what undoes it was called */
    }
}

static void test_what_fits_passes_and_other_media_are_not_looked_at(void **state)
{
    fixture *own = *state;
    call(own, "pool", "con.pool", "{\"give\":5}");
    expect_end(own, "pool", "completed", "5");
    call(own, "inline", "con.inline", "{\"give\":6}");
    expect_end(own, "inline", "completed", "6");
    call(own, "bytes", "con.bytes", "[:-7}");
    expect_end(own, "bytes", "completed", "-7");
}

static void test_schemas_can_be_switched_off(void **state)
{
    fixture *own = *state;
    own->extra = "schemas: off\n";
    open_host(own);
    call(own, "p", "con.pool", "{\"other\":-1}");
    expect_end(own, "p", "completed", "-1");
    start(own, "strict", "con.parent", "\"no object\"");
    json_t *row = until(own, "strict", "waiting"); /* its child goes round */
    json_decref(row);
    assert_ok(pawl_host_terminate(own->host, "strict", NULL, &why_));
}

static void test_a_wrong_schema_is_refused_with_its_place(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    assert_int_equal(try_open_host(own, bad_plugin, &error), PAWL_E_INVALID);
    assert_has(error.message, "bad.plugin");
    assert_has(error.message, "con.undo");
    assert_has(error.message, "input_schema");
    assert_has(error.message, "/properties/a/type");
}

/* ---- children and runs ---- */

static void test_inputs_of_children_and_runs_are_checked(void **state)
{
    fixture *own = *state;
    start(own, "p", "con.parent", "\"no object\"");
    expect_failure(own, "p", "schema.input", "con.strict");
    pawl_error error = {0};
    pawl_text text = {0};
    assert_int_equal(pawl_host_get(own->host, "p/1/1", &text, &error), PAWL_E_NOT_FOUND); /* nothing was started */
    start(own, "q", "con.parent", "{\"n\":1}");
    expect_end(own, "q", "completed", "\"both\"");
    start(own, "r", "con.parent", "{}"); /* its child cannot go on with 7 */
    expect_failure(own, "r", "schema.input", "next run");
}

static void expect_place(fixture *own, const char *id, const char *input, uint32_t priority, const char *key,
                         json_int_t wanted_priority, const char *wanted_key)
{
    char child[64];
    const pawl_start wanted = {.struct_size = sizeof wanted,
                               .id = id,
                               .type = "con.brood",
                               .input = {input, strlen(input)},
                               .priority = priority,
                               .key = key};
    snprintf(child, sizeof child, "child-of-%s", id);
    assert_ok(pawl_host_start(own->host, &wanted, NULL, &why_));
    expect_end(own, id, "completed", "1");
    json_t *row = shown(own, child);
    assert_int_equal(json_integer_value(json_object_get(row, "priority")), wanted_priority);
    if (wanted_key == NULL)
        assert_null(json_object_get(row, "key"));
    else
        assert_string_equal(text_of(row, "key"), wanted_key);
    json_decref(row);
}

static void test_children_have_the_place_of_their_parent(void **state)
{
    fixture *own = *state;
    expect_place(own, "plain", "1", 0, NULL, PAWL_PRIORITY_NORMAL, NULL);
    expect_place(own, "heir", "1", 2, "tenant", 2, "tenant");
    expect_place(own, "other", "\"own\"", 2, "tenant", 5, "mine");
}

/* ---- updates ---- */

static pawl_status ask(fixture *own, const char *name, const char *payload, const char *id, char answer[256],
                       pawl_error *error)
{
    pawl_text text = {0};
    pawl_status status =
        pawl_host_update(own->host, "p", name, (pawl_bytes){payload, strlen(payload)}, id, LONG_NS, &text, error);
    snprintf(answer, 256, "%.*s", (int)text.size, text.data == NULL ? "" : text.data);
    pawl_text_free(&text);
    return status;
}

static void test_an_update_that_is_not_declared_is_not_recorded(void **state)
{
    fixture *own = *state;
    char answer[256];
    pawl_error error = {0};
    start(own, "p", "con.answerer", "1");
    json_t *row = until(own, "p", "waiting");
    json_int_t head = json_integer_value(json_object_get(row, "head"));
    json_decref(row);
    assert_int_equal(ask(own, "take", "1", NULL, answer, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "update.undeclared");
    assert_int_equal(ask(own, "take", "1", "mine", answer, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "update.undeclared");
    assert_int_equal(ask(own, "add", "\"much\"", "mine", answer, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "update.payload");
    assert_has(error.message, "found \"much\"");
    row = shown(own, "p");
    assert_int_equal(json_integer_value(json_object_get(row, "head")), head);
    json_decref(row);
    assert_ok(ask(own, "add", "1", "mine", answer, &why_));
    assert_string_equal(answer, "{\"status\":\"replied\",\"reply\":1}");
}

/* Three answers a run: what was answered in the run before, and in those before that, is answered so again. */
static void test_E02_an_answer_is_known_in_later_runs(void **state)
{
    fixture *own = *state;
    char answer[256];
    char wanted[64];
    start(own, "p", "con.answerer", "1");
    for (int i = 0; i < 10; i++) {
        char id[16];
        snprintf(id, sizeof id, "u-%d", i);
        snprintf(wanted, sizeof wanted, "{\"status\":\"replied\",\"reply\":%d}", i / 3 + 1);
        assert_ok(ask(own, "add", "1", id, answer, &why_));
        assert_string_equal(answer, wanted);
    }
    for (int i = 0; i < 10; i++) {
        char id[16];
        snprintf(id, sizeof id, "u-%d", i);
        snprintf(wanted, sizeof wanted, "{\"status\":\"replied\",\"reply\":%d}", i / 3 + 1);
        assert_ok(ask(own, "add", "1", id, answer, &why_));
        assert_string_equal(answer, wanted);
    }
    assert_ok(ask(own, "ask", "1", "no", answer, &why_));
    assert_has(answer, "con.no");
    for (int i = 0; i < 4; i++)
        assert_ok(ask(own, "add", "1", NULL, answer, &why_));
    assert_ok(ask(own, "ask", "1", "no", answer, &why_));
    assert_has(answer, "con.no");
}

/* So many are kept, the last ones. */
static void test_I10_so_many_answers_go_over(void **state)
{
    fixture *own = *state;
    char answer[256];
    start(own, "p", "con.answerer", "1");
    for (int i = 0; i < 72; i++) {
        char id[16];
        snprintf(id, sizeof id, "u-%d", i);
        assert_ok(ask(own, "add", "1", id, answer, &why_));
    }
    assert_ok(ask(own, "add", "1", "u-71", answer, &why_));
    assert_ok(ask(own, "add", "1", "u-9", answer, &why_));
    assert_string_equal(answer, "{\"status\":\"replied\",\"reply\":4}");
    json_t *row = shown(own, "p");
    json_int_t kept =
        json_integer_value(json_object_get(row, "head")) - json_integer_value(json_object_get(row, "base"));
    json_decref(row);
    assert_true(kept >= 64 && kept <= 66);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_THE_TWO(test_an_input_that_does_not_fit_begins_nothing),
        OVER_THE_TWO(test_an_output_that_does_not_fit_has_happened_all_the_same),
        OVER_THE_TWO(test_what_fits_passes_and_other_media_are_not_looked_at),
        {"schemas off", test_schemas_can_be_switched_off, make_closed, teardown, NULL},
        {"wrong schema", test_a_wrong_schema_is_refused_with_its_place, make_closed, teardown, NULL},
        OVER_THE_TWO(test_inputs_of_children_and_runs_are_checked),
        OVER_THE_TWO(test_children_have_the_place_of_their_parent),
        OVER_THE_TWO(test_an_update_that_is_not_declared_is_not_recorded),
        OVER_THE_TWO(test_E02_an_answer_is_known_in_later_runs),
        OVER_THE_TWO(test_I10_so_many_answers_go_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
