/* flip_test.c: one bit of one file flips, or a file is cut short or gone, under a store that is closed, or was left as
 * a crash leaves it. What is read then is right, or it is refused by the name of the file or the row; never wrong,
 * never silently less, and never a crash: every look is taken by a child.
 *
 * flip-test [--flips N] [--seed N]: the seed is printed, and all choices follow from it. */
#include "plugins/rocksdb/manifest.h"
#include "plugins/rocksdb/rocksdb_kv.h"
#include "tests/conformance/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>
/* after those */
#include <cmocka.h>

#define BATCHES     60u
#define ROWS        9u
#define VALUE_BYTES 9000u
#define SAYS_BYTES  1200u

enum damage { FLIPPED, CUT, GONE };

static struct test {
    unsigned seed;
    unsigned flips;
    char parent[64];
    char closed[80];
    char crashed[80];
    uint64_t sums[BATCHES + 1]; /* of all rows of the first so many batches */
} own = {.flips = 60};

static unsigned below(unsigned limit)
{
    return (unsigned)rand_r(&own.seed) % limit;
}

/* ---- what is stored ---- */

static pawl_status open_kv(const char *path, pawl_kv **kv, pawl_fault *fault)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", path);
    const pawl_store_config config = {.path = copy,
                                      .sync = true,
                                      .value_bytes_max = 1u << 20,
                                      .journal_bytes_max = 1u << 30,
                                      .write_buffer_bytes = 1u << 20,
                                      .block_cache_bytes = 1u << 20};
    return pawl_rocksdb_kv_open(&config, kv, fault);
}

static uint64_t sum_of(pawl_family family, pawl_bytes key, pawl_bytes value)
{
    return XXH3_64bits_withSeed(value.data, value.size, XXH3_64bits_withSeed(key.data, key.size, family + 1u));
}

/* Rows of each family in turn, with small and large values; the key says which batch it came with. */
static void make_batch(uint32_t number, pawl_batch *batch)
{
    static uint8_t content[VALUE_BYTES];
    pawl_batch_item item;
    own.sums[number + 1] = own.sums[number];
    for (uint32_t i = 0; i < ROWS; i++) {
        char text[24];
        pawl_family family = (pawl_family)((number * ROWS + i) % PAWL_FAMILY_COUNT);
        snprintf(text, sizeof text, "key-%08u-%08u", number, i);
        for (size_t at = 0; at < sizeof content; at++)
            content[at] = (uint8_t)(XXH32(text, sizeof text, (uint32_t)at / 16) >> 8);
        pawl_batch_begin(batch, family, pawl_bytes_of(text));
        pawl_buffer_append(&batch->bytes, content, i % 3 == 0 ? VALUE_BYTES - i : 100 + i);
        pawl_batch_end(batch);
    }
    for (size_t at = 0; pawl_batch_next(batch, &at, &item);)
        own.sums[number + 1] += sum_of(item.family, item.key, item.value);
}

static bool write_batch(pawl_kv *kv, uint32_t number)
{
    pawl_batch batch = {0};
    make_batch(number, &batch);
    pawl_status status = pawl_kv_write(kv, &batch, true, NULL);
    pawl_batch_finish(&batch);
    return status == PAWL_OK;
}

/* Writes these batches in a child, which closes the store, or dies with it open. Only a death stops RocksDB's own
 * threads in one moment: a copy of a store they still work at holds files of several moments. */
static void write_in_child(const char *path, uint32_t first, uint32_t end, bool closes)
{
    int status;
    pawl_kv *kv;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (open_kv(path, &kv, NULL) != PAWL_OK)
            _exit(1);
        for (uint32_t number = first; number < end; number++)
            if (!write_batch(kv, number))
                _exit(2);
        if (closes)
            kv->table->close(kv);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int make_stores(void **state)
{
    const char *base = getenv("TMPDIR");
    const uint32_t third = BATCHES / 3;
    (void)state;
    snprintf(own.parent, sizeof own.parent, "%.30s/pawl-flip-XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(own.parent));
    snprintf(own.closed, sizeof own.closed, "%s/closed", own.parent);
    snprintf(own.crashed, sizeof own.crashed, "%s/crashed", own.parent);
    for (uint32_t number = 0; number < BATCHES; number++) {
        pawl_batch batch = {0};
        make_batch(number, &batch);
        pawl_batch_finish(&batch);
    }
    write_in_child(own.closed, 0, third, true);
    write_in_child(own.closed, third, 2 * third, true);
    assert_true(files_copy(own.closed, own.crashed));
    write_in_child(own.closed, 2 * third, BATCHES, true);
    write_in_child(own.crashed, 2 * third, BATCHES, false);
    return 0;
}

static int remove_stores(void **state)
{
    (void)state;
    files_remove(own.parent);
    return 0;
}

/* ---- a look, in a child ---- */

typedef struct sight {
    uint64_t rows;
    uint64_t sum;
    pawl_fault fault;
} sight;

static void see_family(pawl_kv *kv, pawl_family family, sight *seen)
{
    const pawl_bytes none = {NULL, 0};
    pawl_buffer again = {0};
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(kv, family, none, none);
    for (pawl_kv_cursor_seek(cursor, none); cursor->valid && seen->fault.status == PAWL_OK;
         pawl_kv_cursor_next(cursor)) {
        pawl_reader row;
        if (pawl_row_open(&row, family, cursor->key, cursor->value, &seen->fault) != PAWL_OK)
            break;
        seen->rows++;
        seen->sum += sum_of(family, cursor->key, cursor->value);
        /* By key it is found by way of filters and hashes, which lie elsewhere. */
        pawl_status status = pawl_kv_get(kv, family, cursor->key, &again, &seen->fault);
        if (status == PAWL_E_NOT_FOUND)
            pawl_fault_set(&seen->fault, PAWL_E_FAILED, "test", "a row that is there is not found");
    }
    if (seen->fault.status == PAWL_OK)
        (void)pawl_kv_cursor_status(cursor, &seen->fault);
    pawl_kv_cursor_close(cursor);
    pawl_buffer_finish(&again);
}

/* Says "ROWS SUM" or why not, on descriptor `out`. */
static _Noreturn void look(const char *path, int out)
{
    sight seen = {0};
    pawl_kv *kv;
    if (open_kv(path, &kv, &seen.fault) == PAWL_OK) {
        for (size_t i = 0; i < PAWL_FAMILY_COUNT && seen.fault.status == PAWL_OK; i++)
            see_family(kv, (pawl_family)i, &seen);
        kv->table->close(kv);
    }
    if (seen.fault.status == PAWL_OK)
        dprintf(out, "%llu %llu", (unsigned long long)seen.rows, (unsigned long long)seen.sum);
    else
        dprintf(out, "!%s: %s", seen.fault.code, seen.fault.message);
    _exit(0);
}

static void ask(const char *path, const char *what, char says[SAYS_BYTES])
{
    int ends[2];
    int status;
    size_t used = 0;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        look(path, ends[1]);
    assert_true(child > 0);
    close(ends[1]);
    for (ssize_t got; (got = read(ends[0], says + used, SAYS_BYTES - 1 - used)) > 0;)
        used += (size_t)got;
    says[used] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s: the program died of it, status 0x%x", what, (unsigned)status);
}

/* ---- damage ---- */

static const char *base_of(const char *path)
{
    return strrchr(path, '/') + 1;
}

static bool is_of_no_account(const char *name)
{
    return strncmp(name, "LOG", 3) == 0 || strcmp(name, "LOCK") == 0 || strcmp(name, "pawl.holder") == 0;
}

static bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name);
    return size >= strlen(end) && strcmp(name + size - strlen(end), end) == 0;
}

/* How many batches these rows are, or -1 when they are none in whole. */
static int batches_of(const char *says)
{
    unsigned long long rows = 0;
    unsigned long long sum = 0;
    if (sscanf(says, "%llu %llu", &rows, &sum) != 2 || rows % ROWS != 0 || rows / ROWS > BATCHES)
        return -1;
    return own.sums[rows / ROWS] == sum ? (int)(rows / ROWS) : -1;
}

/* The file is named, or the row is. */
static bool is_named(const char *says, const char *name)
{
    return strstr(says, name) != NULL || (strstr(says, "row") != NULL && strstr(says, "key") != NULL);
}

static void judge(const char *says, const char *what, const char *name, enum damage damage, bool closed, int *refused)
{
    if (says[0] == '!') {
        (*refused)++;
        if (!is_named(says + 1, name))
            fail_msg("%s is refused without saying where: %s", what, says + 1);
        return;
    }
    int batches = batches_of(says);
    if (batches < 0)
        fail_msg("%s is taken for good, and is not: %s", what, says);
    bool by_blocks = ends_with(name, ".sst") || ends_with(name, ".blob");
    bool counts_as_crashed = damage == GONE && strcmp(name, "pawl.closed") == 0;
    if (closed && (damage != FLIPPED || !by_blocks) && !is_of_no_account(name) && !counts_as_crashed)
        fail_msg("%s is not noticed", what);
    /* The end of the log of a store that was not closed can be missing: then it is the end of the history. */
    bool may_be_less = !closed && damage != FLIPPED && ends_with(name, ".log");
    if (batches != (int)BATCHES && !may_be_less)
        fail_msg("%s: only %d of %u batches are left, and nothing is said", what, batches, BATCHES);
}

/* May a crash have done this to a store that was not closed? Only the newest log can lack its end: RocksDB flushes a
 * log before it begins the next, and an older one that is cut short looks like one whose last write was refused. */
static bool is_of_a_crash(const struct file_list *files, size_t chosen)
{
    if (!ends_with(files->paths[chosen], ".log"))
        return ends_with(files->paths[chosen], ".sst");
    for (size_t i = 0; i < files->count; i++)
        if (ends_with(files->paths[i], ".log") && strcmp(base_of(files->paths[i]), base_of(files->paths[chosen])) > 0)
            return false;
    return true;
}

static void damage_one(const char *from, bool closed, enum damage damage, int *refused)
{
    char copy[100];
    char name[256];
    char what[400];
    char says[SAYS_BYTES];
    struct file_list *files = calloc(1, sizeof *files);
    assert_non_null(files);
    snprintf(copy, sizeof copy, "%s/copy", own.parent);
    assert_true(files_copy(from, copy));
    files_list(copy, NULL, files);
    size_t chosen = below((unsigned)files->count);
    while (files->sizes[chosen] == 0 || (!closed && damage != FLIPPED && !is_of_a_crash(files, chosen)))
        chosen = below((unsigned)files->count);
    unsigned at = below((unsigned)files->sizes[chosen]);
    unsigned bit = below(8);
    snprintf(name, sizeof name, "%s", base_of(files->paths[chosen]));
    if (damage == FLIPPED)
        assert_true(files_flip(files->paths[chosen], at, bit));
    else if (damage == CUT)
        assert_true(files_cut(files->paths[chosen], at));
    else
        assert_int_equal(unlink(files->paths[chosen]), 0);
    snprintf(what, sizeof what, "%s: %.200s of %llu bytes %s %u", closed ? "closed" : "crashed", name,
             (unsigned long long)files->sizes[chosen],
             damage == FLIPPED ? "with a flipped bit at"
             : damage == CUT   ? "cut at"
                               : "gone, not at",
             at);
    free(files);
    ask(copy, what, says);
    files_remove(copy);
    judge(says, what, name, damage, closed, refused);
}

static void damage_many(const char *from, bool closed, enum damage damage, unsigned count)
{
    int refused = 0;
    for (unsigned i = 0; i < count; i++)
        damage_one(from, closed, damage, &refused);
    print_message("%d of %u refused and named, the others did no harm\n", refused, count);
    assert_true(refused > 0);
}

/* ---- tests ---- */

static void test_S10_whole_stores_are_read_whole(void **state)
{
    char copy[100];
    char says[SAYS_BYTES];
    (void)state;
    snprintf(copy, sizeof copy, "%s/copy", own.parent);
    for (int i = 0; i < 2; i++) {
        assert_true(files_copy(i == 0 ? own.closed : own.crashed, copy));
        ask(copy, "whole", says);
        files_remove(copy);
        if (batches_of(says) != (int)BATCHES)
            fail_msg("a whole store says: %s", says);
    }
}

/* The tables that are looked at before RocksDB opens them are all of them. */
static void test_S10_the_manifest_names_every_table(void **state)
{
    struct file_list *tables = calloc(1, sizeof *tables);
    static uint8_t content[1 << 20];
    uint64_t *numbers = NULL;
    size_t count = 0;
    (void)state;
    assert_non_null(tables);
    files_list(own.closed, ".sst", tables);
    /* The one in use: an older one may lie beside it. */
    char path[200];
    char name_in_use[64] = "";
    snprintf(path, sizeof path, "%s/CURRENT", own.closed);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(name_in_use, sizeof name_in_use, file));
    fclose(file);
    name_in_use[strcspn(name_in_use, "\n")] = '\0';
    snprintf(path, sizeof path, "%s/%s", own.closed, name_in_use);
    file = fopen(path, "re");
    assert_non_null(file);
    size_t size = fread(content, 1, sizeof content, file);
    fclose(file);
    assert_true(pawl_manifest_tables(content, size, &numbers, &count));
    assert_true(count > 0);
    assert_int_equal(count, tables->count);
    for (size_t i = 0; i < count; i++) {
        char name[32];
        size_t found = 0;
        snprintf(name, sizeof name, "%06llu.sst", (unsigned long long)numbers[i]);
        for (size_t t = 0; t < tables->count; t++)
            found += strcmp(base_of(tables->paths[t]), name) == 0;
        assert_int_equal(found, 1);
    }
    free(numbers);
    free(tables);
}

static void test_S10_a_flipped_bit_in_any_file_of_a_closed_store_is_named(void **state)
{
    (void)state;
    damage_many(own.closed, true, FLIPPED, own.flips);
}

static void test_S10_a_flipped_bit_after_a_crash_is_named_and_not_taken_for_a_torn_end(void **state)
{
    (void)state;
    damage_many(own.crashed, false, FLIPPED, own.flips);
}

static void test_S10_a_file_cut_short_or_gone_from_a_closed_store_is_named(void **state)
{
    (void)state;
    damage_many(own.closed, true, CUT, own.flips / 2);
    damage_many(own.closed, true, GONE, own.flips / 4);
}

static void test_S10_a_log_cut_short_after_a_crash_costs_the_end_of_the_history(void **state)
{
    int refused = 0;
    (void)state;
    for (unsigned i = 0; i < own.flips / 4; i++)
        damage_one(own.crashed, false, CUT, &refused);
}

int main(int argc, char **argv)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    own.seed = (unsigned)now.tv_nsec ^ (unsigned)now.tv_sec;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--flips") == 0)
            own.flips = (unsigned)strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seed") == 0)
            own.seed = (unsigned)strtoul(argv[i + 1], NULL, 10);
    }
    print_message("seed %u\n", own.seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_S10_whole_stores_are_read_whole),
        cmocka_unit_test(test_S10_the_manifest_names_every_table),
        cmocka_unit_test(test_S10_a_flipped_bit_in_any_file_of_a_closed_store_is_named),
        cmocka_unit_test(test_S10_a_flipped_bit_after_a_crash_is_named_and_not_taken_for_a_torn_end),
        cmocka_unit_test(test_S10_a_file_cut_short_or_gone_from_a_closed_store_is_named),
        cmocka_unit_test(test_S10_a_log_cut_short_after_a_crash_costs_the_end_of_the_history),
    };
    return cmocka_run_group_tests(tests, make_stores, remove_stores);
}
