/* kv_test.c: the seam itself, on both engines: batches, cursors, snapshots, seals. A random run is compared with a
 * sorted array that does the same. */
#include "fixture.h"

#include "plugins/store/row.h"

#include <stdio.h>
#include <stdlib.h>

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

static const pawl_bytes none = {NULL, 0};

static void put(pawl_batch *batch, const char *key, const char *value)
{
    pawl_batch_begin(batch, PAWL_FAMILY_SESSION, pawl_bytes_of(key));
    pawl_buffer_append(&batch->bytes, value, strlen(value));
    pawl_batch_end(batch);
}

static void write_one(pawl_kv *kv, const char *key, const char *value)
{
    pawl_batch batch = {0};
    if (value == NULL)
        pawl_batch_delete(&batch, PAWL_FAMILY_SESSION, pawl_bytes_of(key));
    else
        put(&batch, key, value);
    assert_int_equal(pawl_kv_write(kv, &batch, false, NULL), PAWL_OK);
    pawl_batch_finish(&batch);
}

static pawl_kv *engine(void **state)
{
    fixture *f = *state;
    return &f->kv->base;
}

/* "a=1 b=2 " of what a cursor sees in this direction. */
static const char *walk(pawl_kv_cursor *cursor, bool forward, char *text)
{
    text[0] = '\0';
    if (forward)
        pawl_kv_cursor_seek(cursor, none);
    else
        pawl_kv_cursor_last(cursor);
    while (cursor->valid) {
        pawl_reader reader;
        assert_int_equal(pawl_row_open(&reader, PAWL_FAMILY_SESSION, cursor->key, cursor->value, NULL), PAWL_OK);
        pawl_bytes value = pawl_reader_rest(&reader);
        sprintf(text + strlen(text), "%.*s=%.*s ", (int)cursor->key.size, (const char *)cursor->key.data,
                (int)value.size, (const char *)value.data);
        if (forward)
            pawl_kv_cursor_next(cursor);
        else
            pawl_kv_cursor_previous(cursor);
    }
    assert_int_equal(pawl_kv_cursor_status(cursor, NULL), PAWL_OK);
    return text;
}

static const char *all(pawl_kv *kv, const char *lower, const char *upper, bool forward, char *text)
{
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(kv, PAWL_FAMILY_SESSION, pawl_bytes_of(lower), pawl_bytes_of(upper));
    walk(cursor, forward, text);
    pawl_kv_cursor_close(cursor);
    return text;
}

static void test_a_batch_is_applied_in_order(void **state)
{
    char text[256];
    pawl_kv *kv = engine(state);
    pawl_batch batch = {0};
    put(&batch, "a", "1");
    put(&batch, "b", "2");
    put(&batch, "c", "3");
    pawl_batch_delete_range(&batch, PAWL_FAMILY_SESSION, BYTES("a"), BYTES("c"));
    put(&batch, "b", "4");
    pawl_batch_delete(&batch, PAWL_FAMILY_SESSION, BYTES("c"));
    put(&batch, "d", "5");
    put(&batch, "d", "6");
    assert_int_equal(pawl_kv_write(kv, &batch, true, NULL), PAWL_OK);
    pawl_batch_finish(&batch);
    assert_string_equal(all(kv, "", "", true, text), "b=4 d=6 ");
}

static void test_cursors_keep_to_their_bounds(void **state)
{
    char text[256];
    pawl_kv *kv = engine(state);
    const char *const keys[] = {"a", "b", "ba", "bb", "c", "d"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        write_one(kv, keys[i], "x");
    assert_string_equal(all(kv, "b", "c", true, text), "b=x ba=x bb=x ");
    assert_string_equal(all(kv, "b", "c", false, text), "bb=x ba=x b=x ");
    assert_string_equal(all(kv, "bb", "", true, text), "bb=x c=x d=x ");
    assert_string_equal(all(kv, "e", "", false, text), "");
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(kv, PAWL_FAMILY_SESSION, BYTES("b"), BYTES("d"));
    pawl_kv_cursor_seek(cursor, BYTES("a")); /* in front of the bounds: the first inside */
    assert_true(cursor->valid && pawl_bytes_equal(cursor->key, BYTES("b")));
    pawl_kv_cursor_before(cursor, BYTES("bb"));
    assert_true(cursor->valid && pawl_bytes_equal(cursor->key, BYTES("ba")));
    pawl_kv_cursor_before(cursor, BYTES("bx"));
    assert_true(cursor->valid && pawl_bytes_equal(cursor->key, BYTES("bb")));
    pawl_kv_cursor_before(cursor, BYTES("b"));
    assert_false(cursor->valid);
    pawl_kv_cursor_close(cursor);
}

static void test_a_cursor_sees_a_snapshot(void **state)
{
    char text[256];
    pawl_kv *kv = engine(state);
    write_one(kv, "a", "1");
    write_one(kv, "b", "1");
    write_one(kv, "c", "1");
    pawl_kv_cursor *old = pawl_kv_cursor_open(kv, PAWL_FAMILY_SESSION, none, none);
    write_one(kv, "a", "2");
    write_one(kv, "b", NULL);
    write_one(kv, "d", "2");
    pawl_kv_cursor *young = pawl_kv_cursor_open(kv, PAWL_FAMILY_SESSION, none, none);
    write_one(kv, "b", "3");
    write_one(kv, "c", NULL);
    assert_string_equal(walk(old, true, text), "a=1 b=1 c=1 ");
    assert_string_equal(walk(young, false, text), "d=2 c=1 a=2 ");
    pawl_kv_cursor_close(old);
    pawl_kv_cursor_close(young);
    write_one(kv, "e", "4"); /* with no cursor open, the past is cleared up */
    assert_string_equal(all(kv, "", "", true, text), "a=2 b=3 d=2 e=4 ");
}

static void test_a_flipped_bit_is_noticed(void **state)
{
    (void)state;
    pawl_batch batch = {0};
    put(&batch, "key", "some value");
    pawl_batch_item item;
    pawl_reader reader;
    pawl_fault fault;
    size_t at = 0;
    assert_true(pawl_batch_next(&batch, &at, &item));
    uint8_t copy[64];
    memcpy(copy, item.value.data, item.value.size);
    const pawl_bytes damaged = {copy, item.value.size};
    assert_int_equal(pawl_row_open(&reader, item.family, item.key, damaged, &fault), PAWL_OK);
    for (size_t bit = 0; bit < item.value.size * 8; bit++) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(pawl_row_open(&reader, item.family, item.key, damaged, &fault), PAWL_E_CORRUPT);
        assert_non_null(strstr(fault.message, "\"session\""));
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < item.value.size; size++)
        assert_int_equal(pawl_row_open(&reader, item.family, item.key, (pawl_bytes){copy, size}, &fault),
                         PAWL_E_CORRUPT);
    /* A whole row in the wrong place is damage, too. */
    assert_int_equal(pawl_row_open(&reader, item.family, BYTES("kez"), damaged, &fault), PAWL_E_CORRUPT);
    assert_int_equal(pawl_row_open(&reader, PAWL_FAMILY_LINK, item.key, damaged, &fault), PAWL_E_CORRUPT);
    pawl_batch_finish(&batch);
}

/* ---- random runs against an array ---- */

#define KEYS 64

typedef struct oracle {
    int values[KEYS]; /* 0: absent */
} oracle;

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void key_of(char *text, int key)
{
    sprintf(text, "%c%c", 'a' + key / 8, 'a' + key % 8);
}

static void compare(pawl_kv_cursor *cursor, const oracle *expected)
{
    char text[2048];
    char wanted[2048] = "";
    for (int i = 0; i < KEYS; i++) {
        char key[3];
        key_of(key, i);
        if (expected->values[i] != 0)
            sprintf(wanted + strlen(wanted), "%s=%d ", key, expected->values[i]);
    }
    assert_string_equal(walk(cursor, true, text), wanted);
}

static void random_batch(pawl_kv *kv, oracle *now, uint64_t *seed)
{
    pawl_batch batch = {0};
    for (uint64_t left = 1 + next_random(seed) % 6; left > 0; left--) {
        char key[3];
        char value[16];
        int at = (int)(next_random(seed) % KEYS);
        key_of(key, at);
        uint64_t choice = next_random(seed) % 10;
        if (choice < 6) {
            now->values[at] = 1 + (int)(next_random(seed) % 1000);
            sprintf(value, "%d", now->values[at]);
            put(&batch, key, value);
        } else if (choice < 9) {
            now->values[at] = 0;
            pawl_batch_delete(&batch, PAWL_FAMILY_SESSION, pawl_bytes_of(key));
        } else {
            char end[3];
            int to = at + (int)(next_random(seed) % 8);
            to = to < KEYS ? to : KEYS - 1;
            key_of(end, to);
            for (int i = at; i < to; i++)
                now->values[i] = 0;
            pawl_batch_delete_range(&batch, PAWL_FAMILY_SESSION, pawl_bytes_of(key), pawl_bytes_of(end));
        }
    }
    assert_int_equal(pawl_kv_write(kv, &batch, false, NULL), PAWL_OK);
    pawl_batch_finish(&batch);
}

static void test_random_runs_agree_with_an_array(void **state)
{
    enum { OPEN = 4, STEPS = 3000 };
    pawl_kv *kv = engine(state);
    uint64_t seed = 0x9e3779b97f4a7c15;
    const char *given = getenv("PAWL_TEST_SEED");
    if (given != NULL)
        seed = strtoull(given, NULL, 0);
    print_message("seed 0x%llx (PAWL_TEST_SEED)\n", (unsigned long long)seed);
    oracle now = {{0}};
    oracle past[OPEN];
    pawl_kv_cursor *cursors[OPEN] = {NULL};
    for (int step = 0; step < STEPS; step++) {
        random_batch(kv, &now, &seed);
        size_t which = next_random(&seed) % OPEN;
        if (cursors[which] != NULL) {
            compare(cursors[which], &past[which]);
            pawl_kv_cursor_close(cursors[which]);
            cursors[which] = NULL;
        } else if (next_random(&seed) % 4 == 0) {
            cursors[which] = pawl_kv_cursor_open(kv, PAWL_FAMILY_SESSION, none, none);
            past[which] = now;
        }
    }
    for (size_t i = 0; i < OPEN; i++)
        pawl_kv_cursor_close(cursors[i]);
    pawl_kv_cursor *last = pawl_kv_cursor_open(kv, PAWL_FAMILY_SESSION, none, none);
    compare(last, &now);
    pawl_kv_cursor_close(last);
}

static void test_keys_sort_as_numbers_and_parts_do_not_collide(void **state)
{
    (void)state;
    pawl_key a;
    pawl_key b;
    pawl_store_key_journal(&a, 1, 255);
    pawl_store_key_journal(&b, 1, 256);
    assert_true(pawl_bytes_compare(pawl_key_bytes(&a), pawl_key_bytes(&b)) < 0);
    pawl_key_start(&a);
    pawl_key_part(&a, BYTES("ab"));
    pawl_key_part(&a, BYTES("c"));
    pawl_key_start(&b);
    pawl_key_part(&b, BYTES("a"));
    pawl_key_part(&b, BYTES("bc"));
    assert_false(pawl_bytes_equal(pawl_key_bytes(&a), pawl_key_bytes(&b)));
    pawl_key_start(&a);
    pawl_key_u32(&a, UINT32_MAX);
    assert_false(pawl_key_successor(&a));
    pawl_key_start(&a);
    pawl_key_u32(&a, 0x01ffffff);
    assert_true(pawl_key_successor(&a));
    assert_int_equal(a.size, 1);
    assert_int_equal(a.data[0], 2);
}

int main(void)
{
#define ON_BOTH(test)                                                                                                  \
    {#test "[memory]", test, open_memory, close_any, NULL},                                                            \
    {                                                                                                                  \
#test "[rocksdb]", test, open_disk, close_any, NULL                                                            \
    }
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_a_batch_is_applied_in_order),
        ON_BOTH(test_cursors_keep_to_their_bounds),
        ON_BOTH(test_a_cursor_sees_a_snapshot),
        ON_BOTH(test_random_runs_agree_with_an_array),
        cmocka_unit_test(test_a_flipped_bit_is_noticed),
        cmocka_unit_test(test_keys_sort_as_numbers_and_parts_do_not_collide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
