/* catalog_test.c: names are found, owned by the catalog, and taken once. */
#include "test.h"

#include "worker/base/sink.h"
#include "worker/catalog.h"

#include <stdio.h>

static const pawl_effect_table no_effects;

static void test_names_are_copied_found_and_kept_in_order(void **state)
{
    (void)state;
    pawl_catalog *catalog = pawl_catalog_create();
    assert_null(pawl_catalog_effect(catalog, pawl_bytes_text("none")));
    char code[] = "declined";
    const char *codes[] = {code, NULL};
    for (int i = 0; i < 1000; i++) {
        char name[32];
        snprintf(name, sizeof name, "bank.charge%d", i);
        pawl_effect effect = {.name = name,
                              .plugin = "bank",
                              .operation = name + 5,
                              .bulkhead = pawl_catalog_bulkhead(catalog, 3),
                              .retry.non_retryable = codes};
        assert_int_equal(pawl_catalog_add_effect(catalog, &effect, NULL), PAWL_OK);
        pawl_type type = {.name = name, .revision = (uint32_t)i, .plugin = "bank"};
        assert_int_equal(pawl_catalog_add_type(catalog, &type, NULL), PAWL_OK);
    }
    memset(code, 'x', sizeof code - 1);
    const pawl_effect *found = pawl_catalog_effect(catalog, pawl_bytes_text("bank.charge777"));
    assert_string_equal(found->operation, "charge777");
    assert_string_equal(found->retry.non_retryable[0], "declined");
    assert_null(found->retry.non_retryable[1]);
    assert_int_equal(found->bulkhead->limit, 3);
    assert_null(pawl_catalog_effect(catalog, (pawl_bytes){"bank.charge777", 13 - 6}));
    assert_int_equal(pawl_catalog_type(catalog, pawl_bytes_text("bank.charge999"))->revision, 999);
    assert_null(pawl_catalog_type(catalog, pawl_bytes_text("bank.charge1000")));

    const pawl_type *const *types;
    assert_int_equal(pawl_catalog_types(catalog, &types), 1000);
    assert_string_equal(types[0]->name, "bank.charge0");
    assert_string_equal(types[999]->name, "bank.charge999");
    const pawl_effect *const *effects;
    assert_int_equal(pawl_catalog_effects(catalog, &effects), 1000);
    assert_ptr_equal(effects[777], found);
    assert_null(pawl_catalog_destroy(catalog));
}

static void test_a_taken_name_names_both_plugins(void **state)
{
    (void)state;
    pawl_catalog *catalog = pawl_catalog_create();
    pawl_effect effect = {.name = "a.b", .plugin = "first"};
    assert_int_equal(pawl_catalog_add_effect(catalog, &effect, NULL), PAWL_OK);
    effect.plugin = "second";
    pawl_error error = {0};
    assert_int_equal(pawl_catalog_add_effect(catalog, &effect, &error), PAWL_E_CONFLICT);
    assert_non_null(strstr(error.message, "first"));
    assert_non_null(strstr(error.message, "second"));
    pawl_type type = {.name = "a.b", .plugin = "first"}; /* types and effects have names of their own */
    assert_int_equal(pawl_catalog_add_type(catalog, &type, NULL), PAWL_OK);
    assert_int_equal(pawl_catalog_add_type(catalog, &type, &error), PAWL_E_CONFLICT);
    assert_string_equal(error.code, "catalog.duplicate_type");
    pawl_catalog_destroy(catalog);
    assert_null(pawl_catalog_destroy(NULL));
}

/* What may run a process of shop.checkout that is pinned to this; mark: each byte of its digest, 0: it has none. */
static const pawl_type *type_for(const pawl_catalog *catalog, uint32_t revision, uint8_t mark, bool trial)
{
    uint8_t digest[32];
    bool found_trial = false;
    memset(digest, mark, sizeof digest);
    const pawl_pinned pinned = {
        pawl_bytes_text("shop.checkout"), pawl_bytes_text("shop"), revision, {digest, mark == 0 ? 0 : sizeof digest}};
    const pawl_type *type = pawl_catalog_type_for(catalog, &pinned, &found_trial);
    assert_int_equal(found_trial, trial);
    return type;
}

static void add_version(pawl_catalog *catalog, uint32_t revision, uint8_t mark, uint32_t rank, uint32_t compatible)
{
    pawl_type type = {.name = "shop.checkout",
                      .plugin = "shop",
                      .revision = revision,
                      .rank = rank,
                      .compatible = &compatible,
                      .compatible_count = compatible != 0,
                      .pinned = revision == 9};
    memset(type.digest, mark, sizeof type.digest);
    assert_int_equal(pawl_catalog_add_type(catalog, &type, NULL), PAWL_OK);
    pawl_effect effect = {.name = "shop.pay", .plugin = "shop", .rank = rank, .effect = &no_effects};
    memset(effect.digest, mark, sizeof effect.digest);
    assert_int_equal(pawl_catalog_add_effect(catalog, &effect, NULL), PAWL_OK);
}

static void test_what_runs_a_process_is_its_binary_or_the_most_current_that_says_so(void **state)
{
    (void)state;
    pawl_catalog *catalog = pawl_catalog_create();
    pawl_bytes name = pawl_bytes_text("shop.checkout"), pay = pawl_bytes_text("shop.pay");
    add_version(catalog, 1, 0xa1, 1, 0);
    add_version(catalog, 2, 0xa2, 3, 1); /* marked as current */
    add_version(catalog, 2, 0xa3, 2, 0);
    add_version(catalog, 9, 0xa9, 1, 0);
    assert_int_equal(pawl_catalog_type(catalog, name)->digest[0], 0xa2);
    assert_int_equal(type_for(catalog, 1, 0xa1, false)->digest[0], 0xa1);
    assert_int_equal(type_for(catalog, 2, 0xa3, false)->digest[0], 0xa3);
    assert_int_equal(type_for(catalog, 2, 0xbb, true)->digest[0], 0xa2); /* rebuilt: the most current first */
    assert_int_equal(type_for(catalog, 1, 0xbb, true)->digest[0], 0xa2); /* compatible_with */
    assert_int_equal(type_for(catalog, 1, 0, true)->digest[0], 0xa2);
    assert_int_equal(type_for(catalog, 9, 0xa9, false)->digest[0], 0xa9);
    assert_null(type_for(catalog, 9, 0xbb, true)); /* pinned */
    assert_null(type_for(catalog, 3, 0xa2, true));
    const pawl_pinned rival = {name, pawl_bytes_text("rival"), 2, {NULL, 0}};
    bool trial;
    assert_null(pawl_catalog_type_for(catalog, &rival, &trial));

    assert_int_equal(pawl_catalog_effect(catalog, pay)->digest[0], 0xa2);
    assert_int_equal(pawl_catalog_effect_of(catalog, pay, NULL)->digest[0], 0xa2);
    assert_int_equal(pawl_catalog_effect_of(catalog, pay, type_for(catalog, 1, 0xa1, false))->digest[0], 0xa1);
    assert_int_equal(pawl_catalog_effect_of(catalog, pay, type_for(catalog, 9, 0xa9, false))->digest[0], 0xa9);
    const pawl_type other = {.name = "x", .plugin = "other"};
    assert_int_equal(pawl_catalog_effect_of(catalog, pay, &other)->digest[0], 0xa2);
    pawl_catalog_destroy(catalog);
}

static void test_a_plugin_may_offer_several_revisions_and_the_newest_is_for_new_processes(void **state)
{
    (void)state;
    pawl_catalog *catalog = pawl_catalog_create();
    static const uint32_t order[] = {2, 5, 3, 1};
    for (size_t i = 0; i < 4; i++) {
        pawl_type type = {.name = "shop.checkout", .plugin = "shop", .revision = order[i]};
        assert_int_equal(pawl_catalog_add_type(catalog, &type, NULL), PAWL_OK);
    }
    pawl_bytes name = pawl_bytes_text("shop.checkout");
    assert_int_equal(pawl_catalog_type(catalog, name)->revision, 5);
    static const uint32_t wanted[] = {1, 2, 3, 5};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(type_for(catalog, wanted[i], 0, false)->revision, wanted[i]);
    assert_null(type_for(catalog, 4, 0, true));
    const pawl_type *const *types;
    assert_int_equal(pawl_catalog_types(catalog, &types), 1);
    pawl_type other = {.name = "shop.checkout", .plugin = "rival", .revision = 6};
    pawl_error error = {0};
    assert_int_equal(pawl_catalog_add_type(catalog, &other, &error), PAWL_E_CONFLICT);
    assert_non_null(strstr(error.message, "rival"));
    pawl_catalog_destroy(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_copied_found_and_kept_in_order),
        cmocka_unit_test(test_a_taken_name_names_both_plugins),
        cmocka_unit_test(test_a_plugin_may_offer_several_revisions_and_the_newest_is_for_new_processes),
        cmocka_unit_test(test_what_runs_a_process_is_its_binary_or_the_most_current_that_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
