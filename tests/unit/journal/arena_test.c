/* arena_test.c: memory that is freed all at once. */
#include "worker/base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs setjmp, stdarg and stddef */

static void test_memory_is_zeroed_aligned_and_stays_where_it_is(void **state)
{
    (void)state;
    static const char zeros[64];
    pawl_arena arena = {0};
    unsigned char *given[2000];
    for (size_t i = 0; i < 2000; i++) {
        size_t size = i % 64;
        given[i] = pawl_arena_alloc(&arena, size);
        assert_non_null(given[i]);
        assert_int_equal((uintptr_t)given[i] % alignof(max_align_t), 0);
        assert_memory_equal(given[i], zeros, size);
        memset(given[i], (int)(i % 251), size);
    }
    for (size_t i = 0; i < 2000; i++)
        for (size_t k = 0; k < i % 64; k++)
            assert_int_equal(given[i][k], i % 251);
    assert_in_range(arena.used, 2000 * 32, pawl_arena_held(&arena));
    pawl_arena_finish(&arena);
    assert_int_equal(pawl_arena_held(&arena), 0);
}

static void test_copies_are_never_null(void **state)
{
    (void)state;
    pawl_arena arena = {0};
    pawl_bytes copy = {0};
    assert_true(pawl_arena_copy(&arena, (pawl_bytes){NULL, 0}, &copy));
    assert_non_null(copy.data);
    assert_int_equal(copy.size, 0);
    char text[] = "abc";
    assert_true(pawl_arena_copy(&arena, (pawl_bytes){text, 3}, &copy));
    text[0] = 'x';
    assert_memory_equal(copy.data, "abc", 3);
    pawl_arena_finish(&arena);
}

static void test_a_reset_keeps_one_ordinary_block(void **state)
{
    (void)state;
    pawl_arena arena = {0};
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++)
            memset(pawl_arena_alloc(&arena, 1000), 0xff, 1000);
        assert_non_null(pawl_arena_alloc(&arena, (size_t)10 << 20));
        pawl_arena_reset(&arena);
        assert_int_equal(arena.used, 0);
        assert_in_range(pawl_arena_held(&arena), 1, 70000);
    }
    const unsigned char *again = pawl_arena_alloc(&arena, 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(again[i], 0);
    pawl_arena_finish(&arena);
}

static void test_impossible_sizes_are_refused(void **state)
{
    (void)state;
    pawl_arena arena = {0};
    pawl_bytes copy;
    assert_null(pawl_arena_alloc(&arena, SIZE_MAX));
    assert_null(pawl_arena_alloc(&arena, SIZE_MAX - 15));
    assert_false(pawl_arena_copy(&arena, (pawl_bytes){"", SIZE_MAX}, &copy));
    assert_non_null(pawl_arena_alloc(&arena, 0));
    pawl_arena_reset(&arena);
    pawl_arena_reset(&arena);
    pawl_arena_finish(&arena);
    pawl_arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed_aligned_and_stays_where_it_is),
        cmocka_unit_test(test_copies_are_never_null),
        cmocka_unit_test(test_a_reset_keeps_one_ordinary_block),
        cmocka_unit_test(test_impossible_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
