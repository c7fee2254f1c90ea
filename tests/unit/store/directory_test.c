/* directory_test.c: what a store on disk refuses to open, and what it says; settings; errors of the device. */
#include "fixture.h"

#include "plugins/rocksdb/directory.h"
#include "plugins/rocksdb/rocksdb.h"
#include "plugins/rocksdb/rocksdb_kv.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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

static pawl_status try_open(fixture *f, pawl_fault *fault)
{
    char path[128];
    snprintf(path, sizeof path, "%s/store", f->directory);
    pawl_store_config config = {
        .path = path, .sync = true, .value_bytes_max = 1000, .journal_bytes_max = 1000, .write_buffer_bytes = 1u << 20};
    pawl_kv *kv;
    pawl_store *store;
    *fault = (pawl_fault){0};
    pawl_status status = pawl_rocksdb_kv_open(&config, &kv, fault);
    if (status == PAWL_OK)
        status = pawl_store_open(&f->root, &config, kv, &store, fault);
    if (status == PAWL_OK)
        pawl_store_close(store);
    return status;
}

static void write_text(const fixture *f, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/store/%s", f->directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_S10_second_opener_is_refused_and_told_the_holder(void **state)
{
    fixture *f = *state;
    pawl_fault fault;
    char pid[32];
    assert_int_equal(try_open(f, &fault), PAWL_E_BUSY);
    snprintf(pid, sizeof pid, "pid %ld on ", (long)getpid());
    assert_non_null(strstr(fault.message, pid));
    fixture_close_store(f);
    assert_int_equal(try_open(f, &fault), PAWL_OK);
}

static void test_S09_newer_format_is_refused_before_anything_is_written(void **state)
{
    fixture *f = *state;
    pawl_fault fault;
    fixture_close_store(f);
    write_text(f, "pawl.format", "2\n");
    char path[160];
    struct stat before;
    struct stat after;
    snprintf(path, sizeof path, "%s/store", f->directory);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(try_open(f, &fault), PAWL_E_UNSUPPORTED);
    assert_string_equal(fault.code, "store.format_newer");
    assert_non_null(strstr(fault.message, "format 2"));
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    write_text(f, "pawl.format", "one\n");
    assert_int_equal(try_open(f, &fault), PAWL_E_CORRUPT);
    write_text(f, "pawl.format", "1\n");
    assert_int_equal(try_open(f, &fault), PAWL_OK);
}

/* The same said by the row inside, for engines without files. */
static void test_S09_newer_format_row_is_refused(void **state)
{
    fixture *f = *state;
    pawl_fault fault;
    pawl_batch batch = {0};
    pawl_batch_begin(&batch, PAWL_FAMILY_META, BYTES("format"));
    pawl_buffer_u64(&batch.bytes, 7);
    pawl_batch_end(&batch);
    assert_int_equal(pawl_kv_write(&f->kv->base, &batch, true, NULL), PAWL_OK);
    pawl_batch_finish(&batch);
    fixture_close_store(f);
    assert_int_equal(try_open(f, &fault), PAWL_E_UNSUPPORTED);
    assert_non_null(strstr(fault.message, "format 7"));
}

static void test_H06_settings_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *gist;
    } wrong[] = {
        {"{\"path\":\"/x\",\"snyc\":true}", "unknown key \"snyc\""},
        {"{\"path\":\"\"}", "\"path\" is empty"},
        {"{\"path\":7}", "\"path\" is a number"},
        {"{}", "\"path\" is missing"},
        {"{\"path\":\"/x\",\"sync\":\"yes\"}", "\"sync\" is a string"},
        {"{\"path\":\"/x\",\"value_bytes_max\":0}", "\"value_bytes_max\" is 0"},
        {"{\"path\":\"/x\",\"value_bytes_max\":1.5}", "\"value_bytes_max\" is a number"},
        {"{\"path\":\"/x\",\"path\":\"/y\"}", "not JSON"},
        {"[]", "an array"},
        {"{", "not JSON"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        pawl_store_config config;
        pawl_fault fault = {0};
        assert_int_equal(pawl_store_config_read(&config, pawl_bytes_of(wrong[i].json), true, &fault), PAWL_E_INVALID);
        if (strstr(fault.message, wrong[i].gist) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", wrong[i].json, fault.message, wrong[i].gist);
    }
    pawl_store_config config;
    pawl_fault fault = {0};
    assert_int_equal(pawl_store_config_read(&config, BYTES("{\"path\":\"/x\"}"), false, &fault), PAWL_E_INVALID);
    assert_int_equal(pawl_store_config_read(&config, BYTES("{\"path\":\"/x\",\"sync\":false}"), true, &fault), PAWL_OK);
    assert_false(config.sync);
    pawl_store_config_finish(&config);
}

static void test_missing_parent_is_a_clear_error(void **state)
{
    (void)state;
    char path[] = "/nonexistent-pawl/store";
    pawl_store_config config = {.path = path, .sync = true, .write_buffer_bytes = 1u << 20};
    pawl_kv *kv;
    pawl_fault fault = {0};
    assert_int_equal(pawl_rocksdb_kv_open(&config, &kv, &fault), PAWL_E_IO);
    assert_non_null(strstr(fault.message, path));
}

/* The device refuses: the operation fails with a typed error and nothing of it is there; reads go on; what was
 * acknowledged is there after opening again. */
static void test_S10_device_error_is_typed_and_loses_nothing(void **state)
{
    fixture *f = *state;
    struct rlimit old;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(do_register(f, "before", "t", NULL), PAWL_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = {.rlim_cur = 1, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    pawl_status refused = do_register(f, "during", "t", NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(refused, PAWL_E_IO);
    assert_int_equal(do_get(f, "before", NULL, NULL), PAWL_OK);
    assert_int_equal(do_get(f, "during", NULL, NULL), PAWL_E_NOT_FOUND);
    assert_int_equal(do_register(f, "after", "t", NULL), PAWL_E_IO); /* until it is opened again */
    fixture_reopen(f);
    assert_int_equal(do_get(f, "before", NULL, NULL), PAWL_OK);
    assert_int_equal(do_register(f, "again", "t", NULL), PAWL_OK);
}

int main(void)
{
#define ON_DISK(test)                                                                                                  \
    {                                                                                                                  \
#test, test, open_disk, close_any, NULL                                                                        \
    }
    const struct CMUnitTest tests[] = {
        ON_DISK(test_S10_second_opener_is_refused_and_told_the_holder),
        ON_DISK(test_S09_newer_format_is_refused_before_anything_is_written),
        ON_DISK(test_S09_newer_format_row_is_refused),
        ON_DISK(test_S10_device_error_is_typed_and_loses_nothing),
        cmocka_unit_test(test_H06_settings_are_refused_by_name),
        cmocka_unit_test(test_missing_parent_is_a_clear_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
