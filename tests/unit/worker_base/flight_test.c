/* flight_test.c: what the next worker finds in the flight recorder of one that died, and that nothing in the file can
 * hurt it. */
#include "test.h"

#include "worker/flight.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct place {
    char directory[64];
    char path[96];
} place;

static int make_place(void **state)
{
    place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    snprintf(p->directory, sizeof p->directory, "/tmp/pawl-flight-XXXXXX");
    assert_non_null(mkdtemp(p->directory));
    snprintf(p->path, sizeof p->path, "%s/flight", p->directory);
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    place *p = *state;
    unlink(p->path);
    assert_int_equal(rmdir(p->directory), 0);
    free(p);
    return 0;
}

static pawl_flight *open_for(const place *p, uint32_t slots, uint64_t now)
{
    pawl_flight *flight = NULL;
    pawl_error error = {0};
    if (pawl_flight_open(p->path, slots, now, &flight, &error) != PAWL_OK)
        fail_msg("%s", error.message);
    return flight;
}

static pawl_bytes text(const char *from)
{
    return (pawl_bytes){from, strlen(from)};
}

/* A worker that dies while one of its two threads runs something; the other has come back. */
static void die_running(const place *p, const char *id, const char *what, uint64_t now)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        pawl_flight *flight = NULL;
        if (pawl_flight_open(p->path, 2, now, &flight, NULL) != PAWL_OK)
            _exit(1);
        pawl_flight_slot *idle = pawl_flight_take(flight);
        pawl_flight_slot *busy = pawl_flight_take(flight);
        pawl_flight_begin(idle, text("innocent"), text("its program"));
        pawl_flight_begin(busy, text("earlier"), text("its program"));
        pawl_flight_end(idle);
        pawl_flight_end(busy);
        pawl_flight_begin(busy, text(id), text(what));
        _exit(7);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void expect_victim(const pawl_flight_victim *victim, const char *id, const char *what, uint64_t flight)
{
    assert_int_equal(victim->id.size, strlen(id));
    assert_memory_equal(victim->id.data, id, victim->id.size);
    assert_int_equal(victim->what.size, strlen(what));
    assert_memory_equal(victim->what.data, what, victim->what.size);
    assert_int_equal(victim->flight, flight);
    assert_int_equal(victim->slot, 1);
}

static void test_V10_the_next_worker_learns_who_was_running(void **state)
{
    const pawl_flight_victim *victims;
    die_running(*state, "order-1", "bank.charge", 100);
    pawl_flight *flight = open_for(*state, 4, 200);
    assert_int_equal(pawl_flight_victims(flight, &victims), 1);
    expect_victim(victims, "order-1", "bank.charge", 100);
    pawl_flight_forget(flight);
    pawl_flight_close(flight);
    flight = open_for(*state, 4, 300);
    assert_int_equal(pawl_flight_victims(flight, &victims), 0);
    pawl_flight_close(flight);
}

/* A worker that dies again before it has put the earlier deaths on record loses none of them. */
static void test_V10_deaths_that_nobody_has_recorded_are_kept(void **state)
{
    const pawl_flight_victim *victims;
    die_running(*state, "order-1", "a", 100);
    die_running(*state, "order-2", "b", 200);
    die_running(*state, "order-3", "c", 300);
    pawl_flight *flight = open_for(*state, 1, 400);
    assert_int_equal(pawl_flight_victims(flight, &victims), 3);
    expect_victim(&victims[0], "order-1", "a", 100);
    expect_victim(&victims[1], "order-2", "b", 200);
    expect_victim(&victims[2], "order-3", "c", 300);
    pawl_flight_close(flight);
}

static void test_a_stop_in_order_leaves_no_victims(void **state)
{
    const pawl_flight_victim *victims;
    pawl_flight *flight = open_for(*state, 1, 100);
    pawl_flight_begin(pawl_flight_take(flight), text("p"), text("its program"));
    pawl_flight_close(flight);
    flight = open_for(*state, 1, 200);
    assert_int_equal(pawl_flight_victims(flight, &victims), 0);
    pawl_flight_close(flight);
}

static void test_a_second_worker_goes_without(void **state)
{
    const place *p = *state;
    pawl_flight *first = open_for(p, 1, 100), *second = NULL;
    pawl_error error = {0};
    assert_int_equal(pawl_flight_open(p->path, 1, 200, &second, &error), PAWL_E_BUSY);
    assert_non_null(strstr(error.message, p->path));
    pawl_flight_close(first);
}

static void test_threads_beyond_the_slots_are_not_recorded(void **state)
{
    pawl_flight *flight = open_for(*state, 1, 100);
    assert_non_null(pawl_flight_take(flight));
    pawl_flight_slot *none = pawl_flight_take(flight);
    assert_null(none);
    pawl_flight_begin(none, text("p"), text("x"));
    pawl_flight_end(none);
    pawl_flight_close(flight);
    assert_null(pawl_flight_take(NULL));
}

static void test_long_names_are_cut_and_nothing_beside_them_is_touched(void **state)
{
    char id[PAWL_FLIGHT_ID_MAX + 50], what[PAWL_FLIGHT_WHAT_MAX + 50];
    const pawl_flight_victim *victims;
    memset(id, 'i', sizeof id);
    memset(what, 'w', sizeof what);
    id[sizeof id - 1] = what[sizeof what - 1] = '\0';
    die_running(*state, id, what, 100);
    pawl_flight *flight = open_for(*state, 2, 200);
    assert_int_equal(pawl_flight_victims(flight, &victims), 1);
    assert_int_equal(victims[0].id.size, PAWL_FLIGHT_ID_MAX);
    assert_int_equal(victims[0].what.size, PAWL_FLIGHT_WHAT_MAX);
    pawl_flight_close(flight);
}

/* Every byte of a file that holds a victim, changed: whatever it is taken for, it is taken whole or not at all. */
static void test_a_damaged_file_is_begun_anew(void **state)
{
    const place *p = *state;
    die_running(p, "order-1", "bank.charge", 100);
    FILE *file = fopen(p->path, "rb");
    static unsigned char whole[4096], bad[4096];
    size_t size = fread(whole, 1, sizeof whole, file);
    fclose(file);
    assert_true(size > 0 && size < sizeof whole);
    for (size_t at = 0; at < size; at++) {
        memcpy(bad, whole, size);
        bad[at] ^= 0xff;
        file = fopen(p->path, "wb");
        assert_int_equal(fwrite(bad, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
        pawl_flight *flight = open_for(p, 1, 200);
        const pawl_flight_victim *victims;
        size_t count = pawl_flight_victims(flight, &victims);
        assert_true(count <= 2);
        for (size_t i = 0; i < count; i++) {
            assert_true(victims[i].id.size >= 1 && victims[i].id.size <= PAWL_FLIGHT_ID_MAX);
            assert_true(victims[i].what.size <= PAWL_FLIGHT_WHAT_MAX);
        }
        if (at < 8)
            assert_int_equal(count, 0); /* it is not ours */
        pawl_flight_close(flight);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_V10_the_next_worker_learns_who_was_running, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_V10_deaths_that_nobody_has_recorded_are_kept, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_a_stop_in_order_leaves_no_victims, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_a_second_worker_goes_without, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_threads_beyond_the_slots_are_not_recorded, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_long_names_are_cut_and_nothing_beside_them_is_touched, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(test_a_damaged_file_is_begun_anew, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
