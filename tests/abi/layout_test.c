/* layout_test.c: where every member of every ABI struct lies. The layout is compared with the one that was released; a
 * difference means that plugins already built would read the wrong bytes. PAWL_UPDATE_GOLDEN=1 writes the file anew:
 * only before the first release of a minor, and never for a smaller one. */
#include "pawl_abi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
    const char *type;
    const char *member; /* NULL: the row of the struct itself */
    size_t offset;
    size_t size;
} layout_row;

#define STRUCT(type)         {#type, NULL, 0, sizeof(type)},
#define MEMBER(type, member) {#type, #member, offsetof(type, member), sizeof(((type *)0)->member)},
static const layout_row rows[] = {
#include "members.h"
};
enum { ROWS = sizeof rows / sizeof *rows, LINE = 128 };

static void print_row(const layout_row *row, char line[LINE])
{
    if (row->member == NULL)
        snprintf(line, LINE, "%s: %zu bytes\n", row->type, row->size);
    else
        snprintf(line, LINE, "%s.%s at %zu, %zu bytes\n", row->type, row->member, row->offset, row->size);
}

/* Without gaps and padding, a member that is not in the list would leave a hole: so there is none. It is also a rule of
 * its own: a later member must not hide in what looked like padding, or struct_size could not tell that it is there. */
static void test_the_members_fill_each_struct(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        size_t end = 0;
        assert_null(rows[i].member);
        size_t first = i;
        for (; i + 1 < ROWS && rows[i + 1].member != NULL; i++) {
            const layout_row *member = &rows[i + 1];
            if (member->offset != end)
                fail_msg("%s has %zu unnamed bytes before %s", member->type, member->offset - end, member->member);
            end = member->offset + member->size;
        }
        if (end != rows[first].size)
            fail_msg("%s has %zu unnamed bytes at its end", rows[first].type, rows[first].size - end);
    }
}

/* A struct that may grow begins with its size; the few that do not are frozen by their own nature. */
static void test_what_may_grow_begins_with_its_size(void **state)
{
    static const char *const frozen[] = {"pawl_bytes", "pawl_process"};
    (void)state;
    for (size_t i = 0; i + 1 < ROWS; i++) {
        if (rows[i].member != NULL)
            continue;
        int exempt = 0;
        for (size_t j = 0; j < sizeof frozen / sizeof *frozen; j++)
            exempt |= strcmp(rows[i].type, frozen[j]) == 0;
        if (!exempt && (strcmp(rows[i + 1].member, "struct_size") != 0 || rows[i + 1].size != sizeof(uint32_t)))
            fail_msg("%s begins with %s", rows[i].type, rows[i + 1].member);
    }
}

static void update(const char *path)
{
    FILE *file = fopen(path, "w");
    char line[LINE];
    assert_non_null(file);
    for (size_t i = 0; i < ROWS; i++) {
        print_row(&rows[i], line);
        assert_true(fputs(line, file) >= 0);
    }
    assert_int_equal(fclose(file), 0);
}

static void test_the_layout_is_the_released_one(void **state)
{
    (void)state;
    if (sizeof(void *) != 8 || sizeof(size_t) != 8)
        skip(); /* the file is for 64-bit machines, all of which agree */
    if (getenv("PAWL_UPDATE_GOLDEN") != NULL)
        update(PAWL_GOLDEN_LAYOUT);
    FILE *file = fopen(PAWL_GOLDEN_LAYOUT, "r");
    char released[LINE];
    char line[LINE];
    int differences = 0;
    assert_non_null(file);
    for (size_t i = 0; i <= ROWS; i++) {
        const char *was = fgets(released, sizeof released, file) == NULL ? "(nothing)\n" : released;
        snprintf(line, sizeof line, "(nothing)\n");
        if (i < ROWS)
            print_row(&rows[i], line);
        if (strcmp(was, line) != 0 && differences++ < 10)
            print_error("released: %snow:      %s", was, line);
    }
    fclose(file);
    assert_int_equal(differences, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_members_fill_each_struct),
        cmocka_unit_test(test_what_may_grow_begins_with_its_size),
        cmocka_unit_test(test_the_layout_is_the_released_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
