/* worker_edge_test.c: what a worker does with a process that nobody can read. */
#include "tests/integration/worker/lab_internal.h"

static pawl_status sleep_long(pawl_process *p, pawl_bytes type_name, uint32_t revision)
{
    (void)type_name;
    (void)revision;
    pawl_future timer = p->host->start_timer(p, 3600 * PAWL_NS_PER_SECOND);
    pawl_status status = p->host->await(p, PAWL_AWAIT_ALL, &timer, 1, NULL);
    return status == PAWL_OK ? p->host->complete(p, pawl_bytes_text("rested")) : status;
}

static const pawl_process_table sleeper = {.struct_size = sizeof sleeper, .activate = sleep_long};

static int32_t keep_lease(void *context, const pawl_process_row *row)
{
    pawl_commit *commit = context;
    commit->number = row->number;
    commit->token = row->token;
    return 0;
}

/* Put a record into its journal that no version of a worker has ever written. */
static void spoil(lab *own, const char *id)
{
    const pawl_registry *registry = &own->registry;
    pawl_record record = {.struct_size = sizeof record, .kind = PAWL_RECORD_STEP, .body = {"\1\377\377\377\377", 5}};
    pawl_commit commit = {
        .struct_size = sizeof commit, .records = &record, .record_count = 1, .record_size = sizeof record};
    pawl_claim claim = {.struct_size = sizeof claim, .id = pawl_bytes_text(id)};
    pawl_registry_op op;
    assert_int_equal(registry->table.worker_open(registry->store, pawl_bytes_text("vandal"), PAWL_NS_PER_SECOND * 60,
                                                 NULL, &claim.session, NULL),
                     PAWL_OK);
    assert_int_equal(registry->table.claim(registry->store, &claim, keep_lease, &commit, NULL), PAWL_OK);
    assert_int_equal(pawl_registry_call(&own->registry, &op, PAWL_OP_APPEND, &commit, NULL), PAWL_OK);
    registry->table.worker_close(registry->store, claim.session);
}

/* It stays stuck, however often it is asked to stop, and can always be terminated. */
static void test_I8_an_unreadable_journal_stays_stuck_when_cancelled(void **state)
{
    (void)state;
    uint64_t removed = 0;
    lab *own = lab_create("memory");
    lab_add_type(own, "sleeper", 1, &sleeper);
    lab_register(own, "p", "sleeper", "");
    spoil(own, "p");
    lab_start(own, NULL);
    lab_row row = lab_wait_status(own, "p", PAWL_STUCK);
    assert_string_equal(row.reason_code, "journal_corrupt");
    uint64_t head = row.head;
    assert_int_equal(lab_cancel(own, "p", "enough"), PAWL_OK);
    LAB_UNTIL(own, (row = lab_look(own, "p")).status == PAWL_STUCK && row.head > head + 1);
    assert_int_equal(row.head, head + 2); /* the request, and that it is stuck again */
    assert_true(row.cancelled);
    assert_int_equal(lab_terminate(own, "p"), PAWL_OK);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_TERMINATED);
    assert_int_equal(lab_prune(own, &removed), PAWL_OK); /* the audit at the end could not read it either */
    assert_int_equal(removed, 1);
    lab_destroy(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_I8_an_unreadable_journal_stays_stuck_when_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
