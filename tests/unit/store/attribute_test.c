/* attribute_test.c: search attributes from the inside: what is written for them, and that an index never changes what
 * a list answers, only how fast. */
#include "fixture.h"

#include "plugins/store/attribute.h"
#include "plugins/store/audit.h"
#include "plugins/store/facets.h"

#include <stdio.h>
#include <stdlib.h>

#define TTL 1000000000000ull

static int open_memory(void **state)
{
    *state = fixture_open(false, NULL);
    return 0;
}

static int open_disk(void **state)
{
    *state = fixture_open(true, NULL);
    return 0;
}

static int close_any(void **state)
{
    fixture_close(*state);
    return 0;
}

static pawl_status start_with(fixture *f, const char *id, const char *attributes)
{
    pawl_register request = {.struct_size = sizeof request,
                             .id = pawl_bytes_of(id),
                             .type = BYTES("t"),
                             .revision = 1,
                             .input = BYTES("input"),
                             .fingerprint = fingerprint_1,
                             .attributes = pawl_bytes_of(attributes)};
    pawl_registry_op op = {.kind = PAWL_OP_REGISTER, .request = &request};
    return fixture_run(f, &op);
}

static pawl_status change(fixture *f, const row *lease, const char *attributes)
{
    const pawl_bytes patch = pawl_bytes_of(attributes);
    pawl_commit request = {.struct_size = sizeof request,
                           .number = lease->number,
                           .token = lease->token,
                           .record_size = sizeof(pawl_record),
                           .attributes = &patch};
    pawl_registry_op op = {.kind = PAWL_OP_APPEND, .request = &request};
    return fixture_run(f, &op);
}

/* ---- asking ---- */

typedef struct found {
    size_t count;
    char ids[4096];
    char attributes[512];
} found;

static int32_t PAWL_CALL take(void *context, const pawl_process_row *given)
{
    found *got = context;
    size_t used = strlen(got->ids);
    got->count++;
    snprintf(got->ids + used, sizeof got->ids - used, "%s%.*s", used == 0 ? "" : " ", (int)given->id.size,
             (const char *)given->id.data);
    snprintf(got->attributes, sizeof got->attributes, "%.*s", (int)given->attributes.size,
             (const char *)given->attributes.data);
    return 0;
}

/* All pages, `limit` rows each. */
static pawl_status ask(fixture *f, const pawl_condition *conditions, size_t count, uint32_t limit, bool descending,
                       found *got)
{
    pawl_list list = {.struct_size = sizeof list,
                      .limit = limit,
                      .descending = descending,
                      .conditions = conditions,
                      .condition_count = count,
                      .condition_size = sizeof *conditions};
    pawl_status status;
    *got = (found){0};
    do {
        uint64_t next = 0;
        status = pawl_store_registry_table.list(f->store, &list, take, got, &next, NULL);
        list.after_number = next;
    } while (status == PAWL_OK && list.after_number != 0);
    return status;
}

#define ASKS(operation_, name_, value_)                                                                                \
    {                                                                                                                  \
        .struct_size = sizeof(pawl_condition), .operation = PAWL_CONDITION_##operation_, .name = BYTES(name_),         \
        .value = BYTES(value_)                                                                                         \
    }

#define EXPECT(f, ids_, ...)                                                                                           \
    do {                                                                                                               \
        const pawl_condition asked_[] = {__VA_ARGS__};                                                                 \
        found got_;                                                                                                    \
        assert_int_equal(ask(f, asked_, sizeof asked_ / sizeof *asked_, 2, false, &got_), PAWL_OK);                    \
        assert_string_equal(got_.ids, ids_);                                                                           \
    } while (0)

static pawl_status refused(fixture *f, const pawl_condition *condition)
{
    found got;
    return ask(f, condition, 1, 10, false, &got);
}

/* ---- auditing ---- */

static int32_t PAWL_CALL tell(void *context, const pawl_care_finding *finding)
{
    (void)context;
    if (finding->kind != PAWL_FINDING_PROGRESS)
        print_error("%.*s: %.*s\n", (int)finding->place.size, (const char *)finding->place.data,
                    (int)finding->found.size, (const char *)finding->found.data);
    return 0;
}

static void assert_clean(fixture *f)
{
    pawl_fault fault = {0};
    pawl_audit audit = {.kv = &f->kv->base, .visit = tell};
    assert_int_equal(pawl_store_audit_run(&audit, &fault), PAWL_OK);
    assert_int_equal(audit.problems, 0);
    pawl_store_audit_finish(&audit);
}

static size_t index_rows(fixture *f)
{
    size_t count = 0;
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(&f->kv->base, PAWL_FAMILY_RELATION, BYTES("a"), BYTES("b"));
    for (pawl_kv_cursor_seek(cursor, BYTES("a")); cursor->valid; pawl_kv_cursor_next(cursor))
        count++;
    pawl_kv_cursor_close(cursor);
    return count;
}

/* ---- tests ---- */

static void test_V02_attributes_find_by_value_range_and_prefix(void **state)
{
    fixture *f = *state;
    assert_int_equal(start_with(f, "a", "{\"customer\":\"ab\",\"amount\":-5,\"open\":true}"), PAWL_OK);
    assert_int_equal(start_with(f, "b", "{\"customer\":\"abc\",\"amount\":10,\"rate\":-0.5}"), PAWL_OK);
    assert_int_equal(start_with(f, "c", "{\"customer\":\"b\",\"amount\":11,\"rate\":2.5,\"open\":false}"), PAWL_OK);
    assert_int_equal(start_with(f, "d", ""), PAWL_OK);
    EXPECT(f, "a", ASKS(EQUAL, "customer", "\"ab\""));
    EXPECT(f, "a b", ASKS(PREFIX, "customer", "\"ab\""));
    EXPECT(f, "a b c", ASKS(PREFIX, "customer", "\"\""));
    EXPECT(f, "b c", ASKS(MORE, "customer", "\"ab\""));
    EXPECT(f, "a", ASKS(LESS, "amount", "10"));
    EXPECT(f, "a b", ASKS(AT_MOST, "amount", "10"));
    EXPECT(f, "c", ASKS(MORE, "amount", "10"));
    EXPECT(f, "b c", ASKS(AT_LEAST, "amount", "10"));
    EXPECT(f, "b c", ASKS(NOT_EQUAL, "amount", "-5"));
    EXPECT(f, "b", ASKS(LESS, "rate", "0.0"));
    EXPECT(f, "c", ASKS(AT_LEAST, "rate", "2.5"));
    EXPECT(f, "", ASKS(EQUAL, "amount", "10.0")); /* a real is no integer */
    EXPECT(f, "a", ASKS(EQUAL, "open", "true"));
    EXPECT(f, "a c", ASKS(IN, "amount", "[11, -5, 11, 3]"));
    EXPECT(f, "b", ASKS(PREFIX, "customer", "\"a\""), ASKS(MORE, "amount", "0"));
    EXPECT(f, "a c", ASKS(EQUAL, "customer", "\"ab\""), ASKS(EQUAL, "customer", "\"b\""),
           {.struct_size = sizeof(pawl_condition), .operation = PAWL_CONDITION_OR});
    EXPECT(f, "b c d", ASKS(EQUAL, "customer", "\"ab\""),
           {.struct_size = sizeof(pawl_condition), .operation = PAWL_CONDITION_NOT});
    EXPECT(f, "", ASKS(EQUAL, "customer", "\"ab\""), ASKS(EQUAL, "customer", "\"b\""),
           {.struct_size = sizeof(pawl_condition), .operation = PAWL_CONDITION_AND});
    assert_int_equal(index_rows(f), 10);
    assert_clean(f);
}

static void test_attributes_change_with_the_commit_and_only_then(void **state)
{
    fixture *f = *state;
    row lease;
    failure why = {0};
    uint64_t worker = do_worker(f, "w", TTL, NULL);
    assert_int_equal(start_with(f, "p", "{\"customer\":\"x\",\"amount\":1}"), PAWL_OK);
    assert_int_equal(do_claim_id(f, worker, "p", &lease, &why), PAWL_OK);
    assert_int_equal(change(f, &lease, "{\"amount\":2,\"customer\":null,\"open\":true}"), PAWL_OK);
    EXPECT(f, "", ASKS(EQUAL, "amount", "1"));
    EXPECT(f, "", ASKS(EQUAL, "customer", "\"x\""));
    EXPECT(f, "p", ASKS(EQUAL, "amount", "2"));
    EXPECT(f, "p", ASKS(EQUAL, "open", "true"));
    uint64_t writes = fixture_writes(f);
    assert_int_equal(change(f, &lease, "{\"amount\":2,\"nothing\":null}"), PAWL_OK); /* as it is: not even a row */
    assert_int_equal(index_rows(f), 2);
    assert_in_range(fixture_writes(f), writes, writes + 1);
    fixture_fail_writes(f, 1, PAWL_E_IO);
    assert_int_equal(change(f, &lease, "{\"amount\":3}"), PAWL_E_IO);
    EXPECT(f, "p", ASKS(EQUAL, "amount", "2"));
    lease.token--;
    assert_int_equal(change(f, &lease, "{\"amount\":4}"), PAWL_E_STALE);
    lease.token++;
    EXPECT(f, "p", ASKS(EQUAL, "amount", "2"));
    assert_int_equal(change(f, &lease, "{\"amount\":null,\"open\":null}"), PAWL_OK);
    assert_int_equal(index_rows(f), 0);
    assert_clean(f);
}

/* Two commits of one process in one round: the second sees what the first has staged. */
static void test_attributes_of_one_round_build_on_each_other(void **state)
{
    fixture *f = *state;
    row lease;
    failure why = {0};
    uint64_t worker = do_worker(f, "w", TTL, NULL);
    assert_int_equal(start_with(f, "p", ""), PAWL_OK);
    assert_int_equal(do_claim_id(f, worker, "p", &lease, &why), PAWL_OK);
    const pawl_bytes patches[] = {BYTES("{\"a\":1,\"b\":1}"), BYTES("{\"a\":2,\"c\":1}"), BYTES("{\"b\":null}")};
    pawl_commit commits[3];
    pawl_registry_op ops[3];
    pawl_registry_op *pointers[3];
    for (size_t i = 0; i < 3; i++) {
        commits[i] = (pawl_commit){.struct_size = sizeof commits[i],
                                   .number = lease.number,
                                   .token = lease.token,
                                   .record_size = sizeof(pawl_record),
                                   .attributes = &patches[i]};
        ops[i] = (pawl_registry_op){.struct_size = sizeof ops[i], .kind = PAWL_OP_APPEND, .request = &commits[i]};
        pointers[i] = &ops[i];
    }
    fixture_submit_all(f, pointers, 3);
    for (size_t i = 0; i < 3; i++) {
        fixture_wait(f, pointers[i]);
        assert_int_equal(ops[i].status, PAWL_OK);
    }
    found got;
    const pawl_condition asked = ASKS(EQUAL, "a", "2");
    assert_int_equal(ask(f, &asked, 1, 10, false, &got), PAWL_OK);
    assert_string_equal(got.attributes, "{\"a\":2,\"c\":1}");
    assert_int_equal(index_rows(f), 2);
    assert_clean(f);
}

static void test_attributes_refused_leave_nothing(void **state)
{
    fixture *f = *state;
    row got;
    char many[4096] = "{";
    char text[512] = "{\"a\":\"";
    memset(text + 6, 'x', 257);
    strcpy(text + 6 + 257, "\"}");
    for (int i = 0; i < 65; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%s\"n%d\":%d", i == 0 ? "" : ",", i, i);
    strcat(many, "}");
    assert_int_equal(start_with(f, "p", "[]"), PAWL_E_INVALID);
    assert_int_equal(start_with(f, "p", "{\"a\":{}}"), PAWL_E_INVALID);
    assert_int_equal(start_with(f, "p", "{\"\":1}"), PAWL_E_INVALID);
    assert_int_equal(start_with(f, "p", "{\"a\":\"\\u0000\"}"), PAWL_E_INVALID);
    assert_int_equal(start_with(f, "p", text), PAWL_E_LIMIT);
    assert_int_equal(start_with(f, "p", many), PAWL_E_LIMIT);
    assert_int_equal(do_get(f, "p", &got, NULL), PAWL_E_NOT_FOUND);
    assert_int_equal(refused(f, &(pawl_condition)ASKS(PREFIX, "a", "1")), PAWL_E_INVALID);
    assert_int_equal(refused(f, &(pawl_condition)ASKS(EQUAL, "a", "null")), PAWL_E_INVALID);
    assert_int_equal(refused(f, &(pawl_condition)ASKS(EQUAL, "", "1")), PAWL_E_INVALID);
    assert_int_equal(refused(f, &(pawl_condition)ASKS(IN, "a", "[]")), PAWL_E_INVALID);
    assert_int_equal(refused(f, &(pawl_condition)ASKS(NOT, "a", "1")), PAWL_E_INVALID);
    assert_int_equal(refused(f, &(pawl_condition)ASKS(AND, "a", "1")), PAWL_E_INVALID);
    assert_int_equal(refused(f, &(pawl_condition){.operation = 99}), PAWL_E_INVALID);
    assert_clean(f);
}

static void test_S11_prune_takes_attributes_along(void **state)
{
    fixture *f = *state;
    assert_int_equal(start_with(f, "old", "{\"a\":1}"), PAWL_OK);
    assert_int_equal(start_with(f, "new", "{\"a\":1}"), PAWL_OK);
    assert_int_equal(do_end(f, "old", "e", PAWL_TERMINATED, 1), PAWL_OK);
    EXPECT(f, "old new", ASKS(EQUAL, "a", "1")); /* an ended one is still found */
    fixture_advance(f, 1000);
    assert_int_equal(do_prune(f, f->unix_ns, 10), 1);
    EXPECT(f, "new", ASKS(EQUAL, "a", "1"));
    assert_int_equal(index_rows(f), 1);
    assert_clean(f);
    if (f->directory[0] != '\0') {
        fixture_reopen(f);
        EXPECT(f, "new", ASKS(EQUAL, "a", "1"));
    }
}

/* ---- an index against looking at everything ---- */

#define PROCESSES  400
#define QUESTIONS  300
#define NAMES      3
#define VALUES_MAX 5

/* Small integers of three names; VALUES_MAX: none. */
static int values[PROCESSES][NAMES];

static bool holds(uint32_t operation, int value, int asked)
{
    if (value == VALUES_MAX)
        return false;
    switch (operation) {
    case PAWL_CONDITION_EQUAL:
        return value == asked;
    case PAWL_CONDITION_NOT_EQUAL:
        return value != asked;
    case PAWL_CONDITION_LESS:
        return value < asked;
    case PAWL_CONDITION_AT_MOST:
        return value <= asked;
    case PAWL_CONDITION_MORE:
        return value > asked;
    default:
        return value >= asked;
    }
}

static void make_many(fixture *f)
{
    for (int i = 0; i < PROCESSES; i++) {
        char id[16];
        char json[128] = "{";
        snprintf(id, sizeof id, "p%03d", i);
        for (int name = 0; name < NAMES; name++) {
            values[i][name] = rand() % (VALUES_MAX + 1);
            if (values[i][name] != VALUES_MAX)
                snprintf(json + strlen(json), sizeof json - strlen(json), "%s\"n%d\":%d", json[1] == '\0' ? "" : ",",
                         name, values[i][name]);
        }
        strcat(json, "}");
        assert_int_equal(start_with(f, id, json), PAWL_OK);
    }
}

static void ask_at_random(fixture *f)
{
    pawl_condition asked[4];
    char names[3][8];
    char numbers[3][8];
    int name[3];
    int number[3];
    size_t leaves = 1 + (size_t)rand() % 3;
    size_t count = leaves;
    for (size_t i = 0; i < leaves; i++) {
        name[i] = rand() % NAMES;
        number[i] = rand() % VALUES_MAX;
        snprintf(names[i], sizeof names[i], "n%d", name[i]);
        snprintf(numbers[i], sizeof numbers[i], "%d", number[i]);
        asked[i] = (pawl_condition){.struct_size = sizeof asked[i],
                                    .operation = PAWL_CONDITION_EQUAL + (uint32_t)rand() % 6,
                                    .name = pawl_bytes_of(names[i]),
                                    .value = pawl_bytes_of(numbers[i])};
    }
    uint32_t join = leaves == 1 ? 0 : rand() % 2 == 0 ? PAWL_CONDITION_OR : 0;
    if (join != 0)
        asked[count++] = (pawl_condition){.struct_size = sizeof asked[0], .operation = join};
    bool descending = rand() % 2 == 0;
    found got;
    char expected[4096] = "";
    assert_int_equal(ask(f, asked, count, 1 + (uint32_t)rand() % 40, descending, &got), PAWL_OK);
    for (int at = 0; at < PROCESSES; at++) {
        int i = descending ? PROCESSES - 1 - at : at;
        bool each[3] = {true, true, true};
        for (size_t leaf = 0; leaf < leaves; leaf++)
            each[leaf] = holds(asked[leaf].operation, values[i][name[leaf]], number[leaf]);
        bool last = join == 0 ? each[leaves - 2 < leaves ? leaves - 2 : 0] && each[leaves - 1]
                              : each[leaves - 2] || each[leaves - 1];
        bool fits = leaves == 1 ? each[0] : leaves == 2 ? last : each[0] && last;
        if (fits)
            snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%sp%03d",
                     expected[0] == '\0' ? "" : " ", i);
    }
    assert_string_equal(got.ids, expected);
}

static void test_V02_an_index_answers_as_looking_at_all_would(void **state)
{
    fixture *f = *state;
    srand(4);
    make_many(f);
    for (int i = 0; i < QUESTIONS; i++)
        ask_at_random(f);
    assert_clean(f);
}

#define ON_BOTH(test)                                                                                                  \
    cmocka_unit_test_setup_teardown(test, open_memory, close_any),                                                     \
        cmocka_unit_test_setup_teardown(test, open_disk, close_any)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_V02_attributes_find_by_value_range_and_prefix),
        ON_BOTH(test_attributes_change_with_the_commit_and_only_then),
        ON_BOTH(test_attributes_of_one_round_build_on_each_other),
        ON_BOTH(test_attributes_refused_leave_nothing),
        ON_BOTH(test_S11_prune_takes_attributes_along),
        cmocka_unit_test_setup_teardown(test_V02_an_index_answers_as_looking_at_all_would, open_memory, close_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
