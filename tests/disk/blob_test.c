/* blob_test.c: large results do not go through the tree of the journal: they are written beside it, once, read back
 * from there after a reopening, and a damaged one is named. */
#include "plugins/rocksdb/rocksdb_kv.h"
#include "plugins/store/kv.h"
#include "tests/conformance/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
/* after those */
#include <cmocka.h>

#define LARGE_BYTES 100000u
#define SMALL_BYTES 100u
#define ROWS        40u

static char parent[64];

static pawl_kv *open_kv(const char *path)
{
    char copy[256];
    pawl_fault fault = {0};
    pawl_kv *kv = NULL;
    snprintf(copy, sizeof copy, "%s", path);
    const pawl_store_config config = {.path = copy,
                                      .sync = true,
                                      .value_bytes_max = 1u << 20,
                                      .journal_bytes_max = 1u << 30,
                                      .write_buffer_bytes = 1u << 20,
                                      .block_cache_bytes = 1u << 20};
    if (pawl_rocksdb_kv_open(&config, &kv, &fault) != PAWL_OK)
        fail_msg("%s", fault.message);
    return kv;
}

static void close_kv(pawl_kv *kv)
{
    kv->table->close(kv);
}

static void make_key(char *key, size_t room, unsigned row)
{
    snprintf(key, room, "journal row %03u", row);
}

/* Bytes that do not compress. */
static void fill(uint8_t *to, size_t size, unsigned row)
{
    uint64_t state = row * 2654435761u + 1;
    for (size_t i = 0; i < size; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        to[i] = (uint8_t)(state >> 56);
    }
}

static void put_rows(pawl_kv *kv, size_t size)
{
    uint8_t *value = malloc(size);
    assert_non_null(value);
    for (unsigned row = 0; row < ROWS; row++) {
        char key[32];
        pawl_batch batch = {0};
        make_key(key, sizeof key, row);
        fill(value, size, row);
        pawl_batch_begin(&batch, PAWL_FAMILY_JOURNAL, (pawl_bytes){key, strlen(key)});
        pawl_buffer_append(&batch.bytes, value, size);
        pawl_batch_end(&batch);
        assert_int_equal(pawl_kv_write(kv, &batch, true, NULL), PAWL_OK);
        pawl_batch_finish(&batch);
    }
    free(value);
}

/* @return how many rows read back as they were written; those that do not must be reported as damaged */
static unsigned read_rows(pawl_kv *kv, size_t size)
{
    unsigned good = 0;
    uint8_t *wanted = malloc(size);
    assert_non_null(wanted);
    for (unsigned row = 0; row < ROWS; row++) {
        char key[32];
        pawl_buffer value = {0};
        pawl_fault fault = {0};
        make_key(key, sizeof key, row);
        fill(wanted, size, row);
        pawl_status status = pawl_kv_get(kv, PAWL_FAMILY_JOURNAL, (pawl_bytes){key, strlen(key)}, &value, &fault);
        if (status == PAWL_OK) {
            pawl_reader reader;
            assert_int_equal(pawl_row_open(&reader, PAWL_FAMILY_JOURNAL, (pawl_bytes){key, strlen(key)},
                                           (pawl_bytes){value.data, value.size}, &fault),
                             PAWL_OK);
            pawl_bytes rest = pawl_reader_rest(&reader);
            assert_int_equal(rest.size, size);
            assert_memory_equal(rest.data, wanted, size);
            good++;
        } else {
            assert_int_equal(status, PAWL_E_CORRUPT);
            assert_non_null(strstr(fault.message, ".blob"));
        }
        pawl_buffer_finish(&value);
    }
    free(wanted);
    return good;
}

static uint64_t bytes_of_files(const char *path, const char *suffix, char *first, size_t room)
{
    struct file_list *files = calloc(1, sizeof *files);
    uint64_t sum = 0;
    assert_non_null(files);
    files_list(path, suffix, files);
    for (size_t i = 0; i < files->count; i++) {
        struct stat facts;
        assert_int_equal(stat(files->paths[i], &facts), 0);
        sum += (uint64_t)facts.st_size;
        if (i == 0)
            snprintf(first, room, "%s", files->paths[i]);
    }
    free(files);
    return sum;
}

static void test_large_results_are_written_beside_the_tree(void **state)
{
    char path[128], blob[256] = "", table[256] = "";
    (void)state;
    snprintf(path, sizeof path, "%s/large", parent);
    pawl_kv *kv = open_kv(path);
    put_rows(kv, LARGE_BYTES);
    assert_int_equal(read_rows(kv, LARGE_BYTES), ROWS);
    close_kv(kv);
    uint64_t beside = bytes_of_files(path, ".blob", blob, sizeof blob);
    uint64_t inside = bytes_of_files(path, ".sst", table, sizeof table);
    assert_true(beside >= (uint64_t)LARGE_BYTES * ROWS / 2); /* the last ones may still stand in the log */
    assert_true(inside < (uint64_t)LARGE_BYTES * 4);
    kv = open_kv(path);
    assert_int_equal(read_rows(kv, LARGE_BYTES), ROWS);
    close_kv(kv);
    assert_true(files_flip(blob, LARGE_BYTES / 2, 3));
    kv = open_kv(path);
    assert_int_equal(read_rows(kv, LARGE_BYTES), ROWS - 1);
    close_kv(kv);
}

static void test_small_results_stay_in_the_tree(void **state)
{
    char path[128], blob[256] = "";
    (void)state;
    snprintf(path, sizeof path, "%s/small", parent);
    pawl_kv *kv = open_kv(path);
    put_rows(kv, SMALL_BYTES);
    close_kv(kv);
    kv = open_kv(path); /* its recovery writes a table of what stood in the log */
    assert_int_equal(read_rows(kv, SMALL_BYTES), ROWS);
    close_kv(kv);
    assert_int_equal(bytes_of_files(path, ".blob", blob, sizeof blob), 0);
}

static int make_parent(void **state)
{
    (void)state;
    snprintf(parent, sizeof parent, "/tmp/pawl-blob-XXXXXX");
    return mkdtemp(parent) == NULL;
}

static int remove_parent(void **state)
{
    (void)state;
    files_remove(parent);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_results_are_written_beside_the_tree),
        cmocka_unit_test(test_small_results_stay_in_the_tree),
    };
    return cmocka_run_group_tests(tests, make_parent, remove_parent);
}
