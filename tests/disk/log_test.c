/* log_test.c: what is told of the end of a log, with logs that a real RocksDB wrote: every single flipped bit of one is
 * damage, every way to cut it short is not, and whatever the bytes are, nothing is read beyond them. */
#include "plugins/rocksdb/log_record.h"
#include "plugins/rocksdb/log_tail.h"
#include "plugins/rocksdb/manifest.h"
#include "plugins/rocksdb/rocksdb_kv.h"
#include "tests/conformance/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* after those */
#include <cmocka.h>

#define LOG_BYTES_MAX (256u << 10)

static struct test {
    char parent[64];
    uint8_t *data; /* of the log */
    size_t size;
    size_t last; /* where its last record begins */
} own;

static pawl_kv *open_kv_as(const char *path, bool sync)
{
    char copy[256];
    pawl_fault fault = {0};
    pawl_kv *kv = NULL;
    snprintf(copy, sizeof copy, "%s", path);
    const pawl_store_config config = {.path = copy,
                                      .sync = sync,
                                      .value_bytes_max = 1u << 20,
                                      .journal_bytes_max = 1u << 30,
                                      .write_buffer_bytes = 1u << 20,
                                      .block_cache_bytes = 1u << 20};
    if (pawl_rocksdb_kv_open(&config, &kv, &fault) != PAWL_OK)
        fail_msg("%s", fault.message);
    return kv;
}

static pawl_kv *open_kv(const char *path)
{
    return open_kv_as(path, true);
}

static void read_log(const char *directory)
{
    struct file_list *logs = calloc(1, sizeof *logs);
    assert_non_null(logs);
    files_list(directory, ".log", logs);
    assert_int_equal(logs->count, 1);
    FILE *file = fopen(logs->paths[0], "re");
    assert_non_null(file);
    own.size = fread(own.data, 1, LOG_BYTES_MAX, file);
    fclose(file);
    free(logs);
    assert_true(own.size > 0 && own.size < LOG_BYTES_MAX);
}

static void write_row(pawl_kv *kv, unsigned number, size_t size)
{
    static uint8_t content[100000];
    char key[16];
    pawl_batch batch = {0};
    snprintf(key, sizeof key, "key-%u", number);
    for (size_t i = 0; i < size; i++)
        content[i] = (uint8_t)(i * 7 + number);
    pawl_batch_begin(&batch, PAWL_FAMILY_JOURNAL, pawl_bytes_of(key));
    pawl_buffer_append(&batch.bytes, content, size);
    pawl_batch_end(&batch);
    assert_int_equal(pawl_kv_write(kv, &batch, true, NULL), PAWL_OK);
    pawl_batch_finish(&batch);
}

/* Some small records, one over several blocks, one at the end. */
static int make_log(void **state)
{
    const char *base = getenv("TMPDIR");
    char store[80];
    (void)state;
    own.data = malloc(LOG_BYTES_MAX);
    assert_non_null(own.data);
    snprintf(own.parent, sizeof own.parent, "%.30s/pawl-log-XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(own.parent));
    snprintf(store, sizeof store, "%s/store", own.parent);
    pawl_kv *kv = open_kv(store);
    for (unsigned i = 0; i < 5; i++)
        write_row(kv, i, 100 + 30 * i);
    write_row(kv, 5, 80000);
    write_row(kv, 6, 300);
    read_log(store);
    own.last = own.size;
    write_row(kv, 7, 200);
    read_log(store);
    kv->table->close(kv);
    return 0;
}

static int drop_log(void **state)
{
    (void)state;
    free(own.data);
    files_remove(own.parent);
    return 0;
}

static void test_S10_a_whole_log_is_whole(void **state)
{
    (void)state;
    pawl_log_look look = pawl_log_look_at(own.data, own.size, true);
    assert_true(look.complete);
    assert_int_equal(look.whole, own.size);
    assert_int_equal(look.bad, own.size);
}

static void check_flip(size_t byte, unsigned bit)
{
    own.data[byte] = (uint8_t)(own.data[byte] ^ 1u << bit);
    pawl_log_look look = pawl_log_look_at(own.data, own.size, true);
    own.data[byte] = (uint8_t)(own.data[byte] ^ 1u << bit);
    if (look.complete || (!look.flipped && !look.goes_on))
        fail_msg("bit %u of byte %zu of %zu: taken for a %s end", bit, byte, own.size, look.complete ? "good" : "torn");
    if (look.flipped && look.flipped_at != byte)
        fail_msg("bit %u of byte %zu of %zu: found at %zu", bit, byte, own.size, look.flipped_at);
}

static void test_S10_every_flipped_bit_is_damage(void **state)
{
    (void)state;
    for (size_t byte = 0; byte < own.size; byte += byte < 60 || byte + 60 > own.size ? 1 : 499)
        for (unsigned bit = 0; bit < 8; bit++)
            check_flip(byte, bit);
}

static void test_S10_a_log_cut_anywhere_is_torn_and_not_damaged(void **state)
{
    (void)state;
    for (size_t size = 0; size < own.size; size += size < 400 || size + 300 > own.size ? 1 : 499) {
        uint8_t *copy = malloc(size + 1); /* exactly: a byte read behind its end is seen by a sanitizer */
        assert_non_null(copy);
        memcpy(copy, own.data, size);
        pawl_log_look look = pawl_log_look_at(copy, size, true);
        free(copy);
        if (look.flipped || look.goes_on || look.whole > size || (!look.complete && !look.cut_short))
            fail_msg("cut at %zu of %zu: taken for damage", size, own.size);
    }
}

/* What may stand behind the last flush after a power failure. */
static void test_S10_garbage_and_zeros_at_the_end_are_torn(void **state)
{
    unsigned seed = 11;
    uint8_t *copy = malloc(own.size);
    (void)state;
    assert_non_null(copy);
    for (int round = 0; round < 200; round++) {
        size_t from = own.last + (size_t)rand_r(&seed) % (own.size - own.last);
        memcpy(copy, own.data, own.size);
        for (size_t at = from; at < own.size; at++)
            copy[at] = round % 2 == 0 ? 0 : (uint8_t)(rand_r(&seed) >> 8);
        pawl_log_look look = pawl_log_look_at(copy, own.size, true);
        if (!look.complete) /* zeros can be what was there */
            assert_int_equal(look.whole, own.last);
        if (own.size - from > 2)
            assert_false(look.flipped || look.goes_on);
    }
    free(copy);
}

static void test_S10_a_record_in_the_middle_is_missed(void **state)
{
    (void)state;
    uint8_t *copy = malloc(own.size);
    assert_non_null(copy);
    memcpy(copy, own.data, own.size);
    memset(copy + 300, 0, 200);
    pawl_log_look look = pawl_log_look_at(copy, own.size, true);
    assert_true(look.goes_on);
    memcpy(copy, own.data, own.size);
    memset(copy + 20000, 0xff, 60000); /* several blocks */
    look = pawl_log_look_at(copy, own.size, true);
    assert_true(look.goes_on);
    free(copy);
}

static void test_S10_any_bytes_are_borne(void **state)
{
    unsigned seed = 5;
    (void)state;
    for (int round = 0; round < 60; round++) {
        size_t size = (size_t)rand_r(&seed) % 70000;
        uint8_t *bytes = malloc(size + 1);
        uint64_t *numbers = NULL;
        size_t count;
        assert_non_null(bytes);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)(rand_r(&seed) >> 8);
        (void)pawl_log_look_at(bytes, size, round % 2 == 0);
        if (pawl_manifest_tables(bytes, size, &numbers, &count))
            free(numbers);
        free(bytes);
    }
}

/* An unfinished write at the end of a real store is cut off and said; the store is as it was before it. */
static void test_S10_an_unfinished_write_is_cut_off_and_said(void **state)
{
    char store[80];
    char copy[80];
    char key[16] = "key-0";
    pawl_buffer value = {0};
    (void)state;
    snprintf(store, sizeof store, "%s/torn", own.parent);
    snprintf(copy, sizeof copy, "%s/copy", own.parent);
    pawl_kv *kv = open_kv(store);
    write_row(kv, 0, 500);
    write_row(kv, 1, 500);
    assert_true(files_copy(store, copy)); /* as a kill would leave it */
    kv->table->close(kv);
    struct file_list *logs = calloc(1, sizeof *logs);
    assert_non_null(logs);
    files_list(copy, ".log", logs);
    FILE *file = fopen(logs->paths[0], "r+e");
    assert_non_null(file);
    fseek(file, -300, SEEK_END);
    for (int i = 0; i < 300; i++)
        fputc(i * 31 % 251, file);
    fclose(file);
    free(logs);
    kv = open_kv(copy);
    assert_non_null(strstr(kv->notice, "cut off"));
    assert_int_equal(pawl_kv_get(kv, PAWL_FAMILY_JOURNAL, pawl_bytes_of(key), &value, NULL), PAWL_OK);
    assert_int_equal(pawl_kv_get(kv, PAWL_FAMILY_JOURNAL, pawl_bytes_of("key-1"), &value, NULL), PAWL_E_NOT_FOUND);
    kv->table->close(kv);
    kv = open_kv(copy);
    assert_string_equal(kv->notice, "");
    kv->table->close(kv);
    pawl_buffer_finish(&value);
}

#define FIRST 100u /* keys of one length */
#define ROWS  100u

/* Make zeros of what follows the first records, up to the end of their block: pages that were never written. */
static void make_hole(const char *directory)
{
    struct file_list *logs = calloc(1, sizeof *logs);
    assert_non_null(logs);
    files_list(directory, ".log", logs);
    assert_int_equal(logs->count, 1);
    FILE *file = fopen(logs->paths[0], "r+e");
    assert_non_null(file);
    uint8_t *data = malloc(LOG_BYTES_MAX);
    assert_non_null(data);
    size_t size = fread(data, 1, LOG_BYTES_MAX, file);
    assert_true(size > 2 * (size_t)PAWL_LOG_BLOCK_BYTES);
    size_t at = 0;
    pawl_buffer record = {0};
    while (at < PAWL_LOG_BLOCK_BYTES / 2)
        assert_true(pawl_log_next(data, size, &at, &record));
    fseek(file, (long)at, SEEK_SET);
    while (at++ < PAWL_LOG_BLOCK_BYTES)
        fputc(0, file);
    fclose(file);
    pawl_buffer_finish(&record);
    free(data);
    free(logs);
}

/* A store without sync as a kill would leave it, whose log has a first block that ends with the end of a record. */
static void make_unsynced(const char *name, char copy[80])
{
    char store[80];
    snprintf(store, sizeof store, "%s/%s", own.parent, name);
    snprintf(copy, 80, "%s-copy", store);
    pawl_kv *kv = open_kv_as(store, false);
    write_row(kv, FIRST, 1000);
    read_log(store);
    size_t one = own.size;
    size_t left = PAWL_LOG_BLOCK_BYTES - one;
    unsigned next = FIRST + 1;
    for (; left > 3 * one; left -= one)
        write_row(kv, next++, 1000);
    write_row(kv, next++, left - (one - 1000));
    read_log(store);
    assert_int_equal(own.size, PAWL_LOG_BLOCK_BYTES);
    while (next < FIRST + ROWS)
        write_row(kv, next++, 1000);
    assert_true(files_copy(store, copy));
    kv->table->close(kv);
}

/* Open the store. @return how many rows it has; there is none behind one that is missing */
static unsigned count_rows(const char *store, const char *notice)
{
    unsigned found = 0;
    unsigned last = 0;
    pawl_buffer value = {0};
    pawl_kv *kv = open_kv_as(store, false);
    if (notice == NULL)
        assert_string_equal(kv->notice, "");
    else if (strstr(kv->notice, notice) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", notice, kv->notice);
    for (unsigned i = 0; i < ROWS; i++) {
        char key[16];
        snprintf(key, sizeof key, "key-%u", FIRST + i);
        if (pawl_kv_get(kv, PAWL_FAMILY_JOURNAL, pawl_bytes_of(key), &value, NULL) != PAWL_OK)
            continue;
        found++;
        last = i + 1;
    }
    assert_int_equal(found, last);
    kv->table->close(kv);
    pawl_buffer_finish(&value);
    return found;
}

/* Without sync a power failure may leave later pages and not earlier ones: the history ends at the hole, for good. */
static void test_I6_without_sync_the_history_ends_at_a_hole(void **state)
{
    char copy[80];
    (void)state;
    make_unsynced("hole", copy);
    make_hole(copy);
    unsigned found = count_rows(copy, "what followed is lost"); /* it ends at a record that is not whole */
    assert_true(found > 0 && found < ROWS / 2);
    assert_int_equal(count_rows(copy, NULL), found);
}

enum older { OLDER_WHOLE, OLDER_REFUSED, OLDER_SHORT, OLDER_EMPTY };

/* What follows the first block goes to a log of its own, as if RocksDB had begun a new one there. */
static void split_log(const char *directory, enum older older)
{
    struct file_list *logs = calloc(1, sizeof *logs);
    char later[200];
    uint8_t *data = malloc(LOG_BYTES_MAX);
    pawl_buffer record = {0};
    size_t end = 0;
    assert_non_null(logs);
    assert_non_null(data);
    files_list(directory, ".log", logs);
    assert_int_equal(logs->count, 1);
    FILE *file = fopen(logs->paths[0], "re");
    assert_non_null(file);
    size_t size = fread(data, 1, LOG_BYTES_MAX, file);
    fclose(file);
    snprintf(later, sizeof later, "%s/000900.log", directory);
    file = fopen(later, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(data + PAWL_LOG_BLOCK_BYTES, 1, size - PAWL_LOG_BLOCK_BYTES, file),
                     size - PAWL_LOG_BLOCK_BYTES);
    fclose(file);
    while (end < PAWL_LOG_BLOCK_BYTES / 2)
        assert_true(pawl_log_next(data, size, &end, &record));
    size_t kept = older == OLDER_SHORT ? end : older == OLDER_EMPTY ? 0 : PAWL_LOG_BLOCK_BYTES;
    assert_true(files_cut(logs->paths[0], kept));
    if (older == OLDER_REFUSED) {
        file = fopen(logs->paths[0], "ae");
        assert_non_null(file);
        assert_int_equal(fwrite(data + PAWL_LOG_BLOCK_BYTES, 1, 500, file), 500);
        fclose(file);
    }
    pawl_buffer_finish(&record);
    free(data);
    free(logs);
}

/* A power failure may take the end of a log without sync and leave what is in the next one. */
static void test_I6_without_sync_the_history_ends_at_a_gap_between_logs(void **state)
{
    char copy[80];
    (void)state;
    make_unsynced("whole", copy);
    split_log(copy, OLDER_WHOLE);
    assert_int_equal(count_rows(copy, NULL), ROWS);
    make_unsynced("refused", copy); /* a write that a full device refused, and wrote again to the next log */
    split_log(copy, OLDER_REFUSED);
    assert_int_equal(count_rows(copy, "is whole up to byte"), ROWS);
    make_unsynced("short", copy);
    split_log(copy, OLDER_SHORT);
    unsigned found = count_rows(copy, "what stood before 000900.log was not flushed");
    assert_true(found > 0 && found < ROWS / 2);
    assert_int_equal(count_rows(copy, NULL), found);
    make_unsynced("empty", copy);
    split_log(copy, OLDER_EMPTY);
    assert_int_equal(count_rows(copy, "what stood before 000900.log was not flushed"), 0);
    assert_int_equal(count_rows(copy, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_S10_a_whole_log_is_whole),
        cmocka_unit_test(test_S10_every_flipped_bit_is_damage),
        cmocka_unit_test(test_S10_a_log_cut_anywhere_is_torn_and_not_damaged),
        cmocka_unit_test(test_S10_garbage_and_zeros_at_the_end_are_torn),
        cmocka_unit_test(test_S10_a_record_in_the_middle_is_missed),
        cmocka_unit_test(test_S10_any_bytes_are_borne),
        cmocka_unit_test(test_S10_an_unfinished_write_is_cut_off_and_said),
        cmocka_unit_test(test_I6_without_sync_the_history_ends_at_a_hole),
        cmocka_unit_test(test_I6_without_sync_the_history_ends_at_a_gap_between_logs),
    };
    return cmocka_run_group_tests(tests, make_log, drop_log);
}
