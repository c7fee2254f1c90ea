/* rules_test.c: no refusal without a rule, no rule without words, no code without a test: the list of refusals, the
 * document and the tests say the same. Also the copier that lets old and new tables meet. */
#include "fixture.h"

#include "host/loader/contract.h"
#include "host/loader/refuse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
    const char *code;
    const char *rule;
    pawl_status status;
} row;
#define ROW(code, rule, status) {code, rule, status},
static const row rows[] = {PAWL_LOADER_REFUSALS(ROW)};
enum { ROWS = sizeof rows / sizeof *rows };

/* Append a file of the source tree to a text. */
static char *slurp(char *text, const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", PAWL_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    size_t used = strlen(text);
    size_t size;
    char chunk[4096];
    while ((size = fread(chunk, 1, sizeof chunk, file)) > 0) {
        text = realloc(text, used + size + 1);
        assert_non_null(text);
        memcpy(text + used, chunk, size);
        used += size;
        text[used] = '\0';
    }
    fclose(file);
    return text;
}

static void test_every_refusal_is_in_the_document_under_its_rule(void **state)
{
    char *text = slurp(calloc(1, 1), "docs/abi-rules.md");
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        char heading[32], code[80];
        snprintf(heading, sizeof heading, "\n| %s |", rows[i].rule);
        snprintf(code, sizeof code, "`%s`", rows[i].code);
        const char *line = strstr(text, heading);
        if (line == NULL)
            fail_msg("docs/abi-rules.md has no row %s", rows[i].rule);
        const char *end = strchr(line + 1, '\n');
        const char *found = strstr(line, code);
        if (found == NULL || found > end)
            fail_msg("row %s of docs/abi-rules.md does not name %s", rows[i].rule, code);
    }
    free(text);
}

static void test_every_refusal_is_tested(void **state)
{
    static const char *const files[] = {"tests/abi/hostile_test.c", "tests/unit/loader/trust_test.c",
                                        "tests/unit/loader/image_test.c", "tests/unit/loader/set_test.c",
                                        "tests/unit/loader/probe_test.c"};
    char *text = calloc(1, 1);
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        text = slurp(text, files[i]);
    for (size_t i = 0; i < ROWS; i++) {
        char code[80];
        snprintf(code, sizeof code, "\"%s\"", rows[i].code);
        if (strstr(text, code) == NULL)
            fail_msg("no test names %s", code);
    }
    free(text);
}

static void test_codes_are_there_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        assert_string_equal(pawl_loader_rule(rows[i].code), rows[i].rule);
        assert_true(rows[i].status < 0);
        for (size_t j = i + 1; j < ROWS; j++)
            assert_string_not_equal(rows[i].code, rows[j].code);
    }
    assert_null(pawl_loader_rule("loader.unheard_of"));
    assert_null(pawl_loader_rule(NULL));
}

/* A table of revision 1.0 as an old plugin has it, and of a later minor as a new host knows it. */
typedef struct {
    uint32_t struct_size;
    uint32_t flags;
    void *first;
} old_table;
typedef struct {
    uint32_t struct_size;
    uint32_t flags;
    void *first;
    void *later[2];
} new_table;

static void test_P02_old_and_new_tables_meet(void **state)
{
    int a = 1, b = 2, c = 3;
    const old_table old = {sizeof old, 5, &a};
    const new_table new = {sizeof new, 6, &b, {&c, &c}};
    new_table mine_new;
    struct {
        old_table table;
        uint64_t guard;
    } mine_old = {.guard = UINT64_MAX};
    (void)state;
    memset(&mine_new, 0xff, sizeof mine_new);
    pawl_contract_copy(&mine_new, sizeof mine_new, &old, old.struct_size); /* new host, old plugin: the rest is NULL */
    assert_ptr_equal(mine_new.first, &a);
    assert_int_equal(mine_new.flags, 5);
    assert_null(mine_new.later[0]);
    assert_null(mine_new.later[1]);
    pawl_contract_copy(&mine_old.table, sizeof mine_old.table, &new, new.struct_size); /* old host, new plugin */
    assert_ptr_equal(mine_old.table.first, &b);
    assert_true(mine_old.guard == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_refusal_is_in_the_document_under_its_rule),
        cmocka_unit_test(test_every_refusal_is_tested),
        cmocka_unit_test(test_codes_are_there_once),
        cmocka_unit_test(test_P02_old_and_new_tables_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
