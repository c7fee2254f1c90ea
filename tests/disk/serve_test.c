/* serve_test.c: a whole `pawl serve` on a disk that fills up, fails to flush, or loses what was not flushed. The disk
 * is played by a library preloaded into the server alone (full_disk.c, power_loss.c). */
#include "power_image.h"
#include "tests/integration/serve/audit.h"
#include "tests/integration/serve/yard.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CROWD      40
#define STARTS_MAX 400 /* of one round: no disk takes so many */
#define ROUNDS_MAX 100
#define NAMES_MAX  ((STARTS_MAX + 1) * ROUNDS_MAX)

static unsigned rounds = 2;
static unsigned seed;

static int open_yard(void **state)
{
    *state = yard_open("timeouts: { stop_grace: 600s, call: 0s }\n");
    return 0;
}

/* Small buffers: files are written under way, and a disk fills up in the background, too. */
static int open_small_yard(void **state)
{
    yard *y = yard_open("");
    *state = y;
    yard_write(y, "pawl.yaml",
               "profile: yard\ntier: durable\ndata: data\nsocket: s\n"
               "stores: { main: { provider: rocksdb, config: { write_buffer_bytes: 1048576 } } }\n"
               "plugins:\n  - { path: %s, dev: true, config: { directory: %s } }\n",
               PROBE_PLUGIN, y->directory);
    return 0;
}

static int close_yard(void **state)
{
    *state = yard_close(*state);
    return 0;
}

/* Start the server with a library between it and its store. */
static void serve_upon(yard *y, const char *library, const char *kind)
{
    char name[64];
    char path[256];
    yard_path(y, "data/store", path);
    snprintf(name, sizeof name, "%s_STORE", kind);
    setenv(name, path, 1);
    yard_path(y, strcmp(kind, "FULL_DISK") == 0 ? "disk" : "shadow", path);
    snprintf(name, sizeof name, "%s_%s", kind, strcmp(kind, "FULL_DISK") == 0 ? "CONTROL" : "SHADOW");
    setenv(name, path, 1);
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1); /* heard by a build with it alone */
    setenv("LD_PRELOAD", library, 1);
    YARD_SERVE(y, NULL);
    unsetenv("LD_PRELOAD");
}

static void heal_disk(const yard *y)
{
    char path[256];
    yard_path(y, "disk", path);
    unlink(path);
}

static long try_start(const yard *y, const char *id, const char *plan, json_t **ret_answer)
{
    json_t *body = json_pack("{s:s, s:s, s:s}", "type", "probe.plan", "id", id, "input_text", plan);
    return api_call(y, "POST", "/v1/processes", body, ret_answer);
}

/* The refusal says what it is about. */
static void expect_refused(const yard *y, const char *id, long http, const char *part)
{
    json_t *answer = NULL;
    long status = try_start(y, id, "step", &answer);
    char *text = json_dumps(answer, JSON_COMPACT | JSON_ENCODE_ANY);
    if (status != http || text == NULL || strstr(text, part) == NULL)
        fail_msg("start %s: HTTP status %ld, wanted %ld and \"%s\": %s", id, status, http, part,
                 text == NULL ? "" : text);
    free(text);
    json_decref(answer);
}

/* Nobody tells when there is space again: try until it is taken. */
static void await_start(const yard *y, const char *id)
{
    long status = 0;
    for (double until = seconds_now() + YARD_PATIENCE_S; seconds_now() < until; look_again_soon()) {
        status = try_start(y, id, "step", NULL);
        if (status == 201 || status == 200)
            return;
    }
    fail_msg("start %s is still refused with HTTP status %ld", id, status);
}

/* ---- full -------------------------------------------------------------------------------------------------------- */

static void test_S10_I10_a_full_disk_refuses_new_work_and_goes_on_by_itself(void **state)
{
    yard *y = *state;
    const char *ids[] = {"done", "waits", "held", "later"};
    serve_upon(y, FULL_DISK_LIBRARY, "FULL_DISK");
    api_start(y, "probe.plan", "done", "step once");
    api_expect_end(y, "done", "completed");
    api_start(y, "probe.plan", "waits", "step signal:go once");
    api_await_status(y, "waits", "waiting");
    api_start(y, "probe.plan", "held", "step once:0:0:1 step keyed");
    yard_await_held(y, 1);
    yard_write(y, "disk", "budget 0\n");

    expect_refused(y, "refused", 507, "store.full");
    YARD_EXPECT(y, 1, "store.full", "start", "probe.plan", "--id", "refused", "--text", "step", "--json");
    YARD_EXPECT(y, 1, "No space left", "start", "probe.plan", "--id", "refused", "--text", "step");
    assert_int_equal(api_process(y, "POST", "waits", "/signals", json_pack("{s:s}", "name", "go"), NULL), 507);
    assert_int_equal(api_process(y, "GET", "done", "", NULL, NULL), 200);
    assert_int_equal(api_process(y, "GET", "refused", "", NULL, NULL), 404);
    YARD_EXPECT(y, 0, "started", "journal", "done");
    yard_open_gate(y); /* the effect ends now, and its record has no place */
    for (double until = seconds_now() + YARD_PATIENCE_S;
         seconds_now() < until && audit_log_count(y, "held", "probe.once", "end") == 0;)
        look_again_soon();
    let_pass_ms(300); /* some attempts to write it */
    api_await_status(y, "held", "running");

    heal_disk(y);
    await_start(y, "later");
    api_expect_end(y, "held", "completed");
    api_expect_end(y, "later", "completed");
    (void)api_signal(y, "waits", "go", "1", "one");
    api_expect_end(y, "waits", "completed");
    audit a = audit_ended(y, ids, 4);
    assert_int_equal(a.completed, 4);
    assert_int_equal(a.repeated, 0); /* nothing was done twice for want of space */
    assert_int_equal(a.in_doubt, 0);
    yard_kill(y);
    YARD_SERVE(y, NULL);
    a = audit_ended(y, ids, 4);
    assert_int_equal(a.completed, 4);
    assert_int_equal(api_process(y, "GET", "refused", "", NULL, NULL), 404);
    yard_stop(y);
}

static unsigned long long store_bytes(const yard *y)
{
    char path[256];
    char file[600];
    struct stat facts;
    unsigned long long sum = 0;
    yard_path(y, "data/store", path);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (const struct dirent *found = readdir(directory); found != NULL; found = readdir(directory)) {
        snprintf(file, sizeof file, "%s/%s", path, found->d_name);
        if (lstat(file, &facts) == 0 && S_ISREG(facts.st_mode))
            sum += (unsigned long long)facts.st_size;
    }
    closedir(directory);
    return sum;
}

/* Filled up to the brim by work, again and again, with files being written in the background; killed in between. */
static void test_S10_I10_a_disk_filled_by_work_loses_nothing_acknowledged(void **state)
{
    yard *y = *state;
    static char plan[60000];
    static char names[NAMES_MAX][16];
    static const char *ids[NAMES_MAX];
    size_t count = 0;
    memcpy(plan, "step once", 9);
    memset(plan + 9, ' ', sizeof plan - 10);
    serve_upon(y, FULL_DISK_LIBRARY, "FULL_DISK");
    assert_in_range(rounds, 1, ROUNDS_MAX);
    for (unsigned round = 0; round < rounds; round++) {
        unsigned long long room = 4000000 + round % 5 * 777777;
        long status = 201;
        for (unsigned i = 0; i < STARTS_MAX; i++) {
            /* What the store itself gives back in between is taken by others, in the end all of it. */
            if (i % 32 == 0) {
                unsigned long long left = i < STARTS_MAX / 2 ? room / (1 + i / 32) : 0;
                yard_write(y, "disk", "budget %llu\n", store_bytes(y) + left);
            }
            snprintf(names[count], sizeof names[count], "f%u-%u", round, i);
            status = try_start(y, names[count], plan, NULL);
            if (status != 201)
                break;
            ids[count] = names[count];
            count++;
        }
        assert_int_equal(status, 507);
        for (size_t i = 0; i < count; i += 7)
            assert_int_equal(api_process(y, "GET", ids[i], "", NULL, NULL), 200);
        if (round % 2 == 1) {
            yard_kill(y); /* opening needs space: given first */
            heal_disk(y);
            serve_upon(y, FULL_DISK_LIBRARY, "FULL_DISK");
        }
        heal_disk(y);
        snprintf(names[count], sizeof names[count], "more-%u", round);
        await_start(y, names[count]);
        ids[count] = names[count];
        count++;
    }
    api_await_ended(y, (json_int_t)count);
    audit a = audit_ended(y, ids, count);
    assert_int_equal(a.completed, count);
    print_message("%zu processes, %zu steps, %zu in doubt, %zu executed again after a kill\n", count, a.steps,
                  a.in_doubt, a.repeated);
    yard_kill(y);
    YARD_SERVE(y, NULL);
    assert_int_equal(audit_ended(y, ids, count).processes, count);
    yard_stop(y);
}

/* ---- a flush that failed ------------------------------------------------------------------------------------------
 */

static void test_S10_after_a_failed_flush_nothing_is_acknowledged_until_it_is_opened_again(void **state)
{
    yard *y = *state;
    const char *ids[] = {"before", "held", "anew"};
    serve_upon(y, FULL_DISK_LIBRARY, "FULL_DISK");
    api_start(y, "probe.plan", "before", "step once");
    api_expect_end(y, "before", "completed");
    api_start(y, "probe.plan", "held", "step step:0:0:1 step");
    yard_await_held(y, 1);
    yard_write(y, "disk", "eio\n");
    expect_refused(y, "during", 500, "until it is opened again");
    heal_disk(y); /* the device pretends that all is well: what it has dropped, nobody knows */
    for (int i = 0; i < 5; i++) {
        expect_refused(y, "during", 500, "until it is opened again");
        let_pass_ms(300);
    }
    YARD_EXPECT(y, 1, "opened again", "start", "probe.plan", "--id", "during", "--text", "step");
    assert_int_equal(api_process(y, "GET", "before", "", NULL, NULL), 200);
    YARD_EXPECT(y, 0, "\"device_failed\":true", "host", "--json");
    yard_kill(y);
    yard_open_gate(y);
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", "anew", "step");
    api_expect_end(y, "anew", "completed");
    api_expect_end(y, "held", "completed");
    assert_int_equal(audit_ended(y, ids, 3).completed, 3);
    yard_stop(y);
}

/* ---- damage ------------------------------------------------------------------------------------------------------ */

/* The operator is told which file, by the program that refuses to start. */
static void test_S10_a_server_refuses_a_damaged_store_by_the_name_of_the_file(void **state)
{
    yard *y = *state;
    char path[256];
    char byte;
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", "one", "step");
    api_expect_end(y, "one", "completed");
    yard_stop(y);
    yard_path(y, "data/store/CURRENT", path);
    FILE *file = fopen(path, "r+e");
    assert_non_null(file);
    assert_int_equal(fread(&byte, 1, 1, file), 1);
    byte ^= 4;
    rewind(file);
    assert_int_equal(fwrite(&byte, 1, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    YARD_EXPECT(y, 1, "store/CURRENT is damaged", "serve");
    YARD_EXPECT(y, 1, "store.corrupt", "serve", "--json");
}

/* ---- power ------------------------------------------------------------------------------------------------------- */

static void test_I1_I5_a_server_whose_power_fails_keeps_every_acknowledged_start_step_and_signal(void **state)
{
    static const char *const plans[] = {"step quick once signal:go step", "quick keyed sleep:20 step",
                                        "step check quick", "later signal:go once keyed"};
    yard *y = *state;
    static char names[200][CROWD][16];
    const char *ids[200 * CROWD];
    char store[256];
    char shadow[256];
    uint64_t unflushed = 0;
    size_t count = 0;
    yard_path(y, "data/store", store);
    yard_path(y, "shadow", shadow);
    for (unsigned round = 0; round < rounds && round < 200; round++) {
        power_image_prepare(store, shadow);
        serve_upon(y, POWER_LOSS_LIBRARY, "POWER_LOSS");
        for (size_t i = 0; i < CROWD; i++) {
            snprintf(names[round][i], 16, "p%u-%zu", round, i);
            api_start(y, "probe.plan", names[round][i], plans[i % 4]);
            ids[count++] = names[round][i];
            if (i % 4 == 0) /* its plan waits for it */
                (void)api_signal(y, names[round][i], "go", "1", "one");
        }
        let_pass_ms((unsigned)rand_r(&seed) % 60);
        yard_kill(y);
        unflushed += power_image_cut(store, shadow, (enum power_tail)((unsigned)rand_r(&seed) % POWER_TAILS), &seed);
    }
    YARD_SERVE(y, NULL);
    for (size_t i = 0; i < count; i++)
        if (i % 4 == 3) /* not told yet */
            (void)api_process(y, "POST", ids[i], "/signals", json_pack("{s:s, s:s}", "name", "go", "id", "two"), NULL);
    api_await_ended(y, (json_int_t)count);
    audit a = audit_ended(y, ids, count);
    print_message("%zu processes, %zu steps, %zu executed again, %zu in doubt, %llu bytes had not been flushed\n",
                  a.processes, a.steps, a.repeated, a.in_doubt, (unsigned long long)unflushed);
    assert_int_equal(a.processes, count);
    yard_stop(y);
}

#define TEST(name, open) cmocka_unit_test_setup_teardown(name, open, close_yard)

int main(int argc, char **argv)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    seed = (unsigned)now.tv_nsec ^ (unsigned)now.tv_sec;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--rounds") == 0)
            rounds = (unsigned)strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seed") == 0)
            seed = (unsigned)strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--only") == 0)
            cmocka_set_test_filter(argv[i + 1]);
    }
    print_message("seed %u\n", seed);
    const struct CMUnitTest tests[] = {
        TEST(test_S10_I10_a_full_disk_refuses_new_work_and_goes_on_by_itself, open_yard),
        TEST(test_S10_I10_a_disk_filled_by_work_loses_nothing_acknowledged, open_small_yard),
        TEST(test_S10_after_a_failed_flush_nothing_is_acknowledged_until_it_is_opened_again, open_yard),
        TEST(test_S10_a_server_refuses_a_damaged_store_by_the_name_of_the_file, open_yard),
        TEST(test_I1_I5_a_server_whose_power_fails_keeps_every_acknowledged_start_step_and_signal, open_small_yard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
