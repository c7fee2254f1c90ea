/* trust_test.c: which files are believed, and what becomes of their copies. */
#include "fixture.h"

#include "host/loader/trust.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SOMEONE_ELSE = 65534 };

static pawl_status open_it(fixture *f, const char *path, bool dev)
{
    int fd = -1;
    pawl_status status = pawl_trust_open(path, dev, 1 << 20, &fd, &f->error);
    if (status == PAWL_OK) {
        assert_true(fd >= 0);
        assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        close(fd);
    } else {
        assert_int_equal(fd, -1);
    }
    return status;
}

static void refuse(fixture *f, const char *path, const char *code, const char *fragment)
{
    fixture_assert_refused(f, open_it(f, path, false), code, fragment);
}

/* A directory in the fixture's with this mode. */
static const char *make_directory(fixture *f, const char *name, mode_t mode)
{
    const char *path = fixture_path(f, name);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static void test_a_private_file_is_believed(void **state)
{
    fixture f;
    char path[PATH_MAX + 64];
    (void)state;
    fixture_open(&f);
    fixture_write(fixture_path(&f, "x.so"), "x");
    assert_int_equal(open_it(&f, fixture_path(&f, "x.so"), false), PAWL_OK);
    snprintf(path, sizeof path, "%s/./data/..//x.so", f.directory);
    assert_int_equal(open_it(&f, path, false), PAWL_OK);
    fixture_close(&f);
}

static void test_relative_paths_start_where_the_program_is(void **state)
{
    fixture f;
    char before[PATH_MAX];
    (void)state;
    fixture_open(&f);
    assert_non_null(getcwd(before, sizeof before));
    fixture_write(fixture_path(&f, "x.so"), "x");
    assert_int_equal(chdir(f.directory), 0);
    assert_int_equal(open_it(&f, "x.so", false), PAWL_OK);
    assert_int_equal(chmod(f.directory, 0777), 0);
    refuse(&f, "x.so", "loader.parent_writable", f.directory);
    assert_int_equal(chdir(before), 0);
    fixture_close(&f);
}

static void test_what_is_not_a_file_is_refused(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    refuse(&f, fixture_path(&f, "nothing.so"), "loader.not_found", "No such file");
    refuse(&f, fixture_path(&f, "no/thing.so"), "loader.not_found", "No such file");
    refuse(&f, fixture_path(&f, "data"), "loader.not_regular", "is not a regular file");
    refuse(&f, "/", "loader.not_found", NULL);
    refuse(&f, fixture_path(&f, "data/."), "loader.not_regular", "is not a regular file");
    assert_int_equal(mkfifo(fixture_path(&f, "pipe"), 0600), 0);
    refuse(&f, fixture_path(&f, "pipe"), "loader.not_regular", "is not a regular file"); /* and does not wait for it */
    fixture_write(fixture_path(&f, "x.so"), "x");
    refuse(&f, fixture_path(&f, "x.so/y.so"), "loader.not_found", "Not a directory");
    fixture_close(&f);
}

static void test_the_file_may_not_be_a_link(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    fixture_write(fixture_path(&f, "x.so"), "x");
    assert_int_equal(symlink("x.so", fixture_path(&f, "link.so")), 0);
    refuse(&f, fixture_path(&f, "link.so"), "loader.symlink", "is a symbolic link; wanted the file itself");
    fixture_close(&f);
}

static void test_links_on_the_way_are_followed_and_checked(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    make_directory(&f, "real", 0700);
    fixture_write(fixture_path(&f, "real/x.so"), "x");
    assert_int_equal(symlink("real", fixture_path(&f, "relative")), 0);
    assert_int_equal(symlink(fixture_path(&f, "real"), fixture_path(&f, "absolute")), 0);
    assert_int_equal(symlink("loop", fixture_path(&f, "loop")), 0);
    assert_int_equal(open_it(&f, fixture_path(&f, "relative/x.so"), false), PAWL_OK);
    assert_int_equal(open_it(&f, fixture_path(&f, "absolute/x.so"), false), PAWL_OK);
    refuse(&f, fixture_path(&f, "loop/x.so"), "loader.symlink", "more than 40 symbolic links");
    assert_int_equal(chmod(fixture_path(&f, "real"), 0777), 0);
    refuse(&f, fixture_path(&f, "relative/x.so"), "loader.parent_writable", "/real has mode 0777");
    fixture_close(&f);
}

static void test_a_file_that_others_may_write_is_refused(void **state)
{
    fixture f;
    const char *path;
    (void)state;
    fixture_open(&f);
    path = fixture_path(&f, "x.so");
    fixture_write(path, "x");
    assert_int_equal(chmod(path, 0602), 0);
    refuse(&f, path, "loader.writable", "has mode 0602");
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(open_it(&f, path, false), PAWL_OK);
    fixture_close(&f);
}

static void test_a_directory_that_others_may_write_is_refused_unless_sticky(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    make_directory(&f, "open", 0777);
    make_directory(&f, "open/inner", 0700);
    fixture_write(fixture_path(&f, "open/inner/x.so"), "x");
    refuse(&f, fixture_path(&f, "open/inner/x.so"), "loader.parent_writable", "/open has mode 0777");
    assert_int_equal(open_it(&f, fixture_path(&f, "open/inner/x.so"), true), PAWL_E_INVALID);
    assert_int_equal(chmod(fixture_path(&f, "open"), 01777), 0);
    assert_int_equal(open_it(&f, fixture_path(&f, "open/inner/x.so"), false), PAWL_OK);
    fixture_close(&f);
}

static void test_groups_count_as_others(void **state)
{
    fixture f;
    const char *path;
    (void)state;
    if (geteuid() != 0)
        skip();
    fixture_open(&f);
    path = fixture_path(&f, "x.so");
    fixture_write(path, "x");
    assert_int_equal(chown(path, 0, SOMEONE_ELSE), 0);
    assert_int_equal(chmod(path, 0770), 0);
    refuse(&f, path, "loader.writable", "has mode 0770");
    assert_int_equal(open_it(&f, path, true), PAWL_E_INVALID); /* not our own group either */
    assert_int_equal(chown(path, 0, 0), 0);                    /* root's group is root */
    assert_int_equal(open_it(&f, path, false), PAWL_OK);
    fixture_close(&f);
}

static void test_what_belongs_to_someone_else_is_refused(void **state)
{
    fixture f;
    (void)state;
    if (geteuid() != 0)
        skip();
    fixture_open(&f);
    make_directory(&f, "theirs", 0755);
    fixture_write(fixture_path(&f, "theirs/x.so"), "x");
    fixture_write(fixture_path(&f, "x.so"), "x");
    assert_int_equal(symlink("data", fixture_path(&f, "link")), 0);
    fixture_write(fixture_path(&f, "data/x.so"), "x");
    assert_int_equal(chown(fixture_path(&f, "theirs"), SOMEONE_ELSE, SOMEONE_ELSE), 0);
    assert_int_equal(chown(fixture_path(&f, "x.so"), SOMEONE_ELSE, 0), 0);
    assert_int_equal(lchown(fixture_path(&f, "link"), SOMEONE_ELSE, 0), 0);
    refuse(&f, fixture_path(&f, "theirs/x.so"), "loader.parent_owner", "/theirs belongs to user 65534");
    refuse(&f, fixture_path(&f, "x.so"), "loader.owner", "belongs to user 65534");
    refuse(&f, fixture_path(&f, "link/x.so"), "loader.parent_owner", "a symbolic link on the way (to data)");
    fixture_close(&f);
}

static void test_size_has_a_limit(void **state)
{
    fixture f;
    int fd = -1;
    (void)state;
    fixture_open(&f);
    fixture_write(fixture_path(&f, "x.so"), "12345");
    pawl_status status = pawl_trust_open(fixture_path(&f, "x.so"), false, 4, &fd, &f.error);
    fixture_assert_refused(&f, status, "loader.too_large", "has 5 bytes; at most 4");
    assert_int_equal(pawl_trust_open(fixture_path(&f, "x.so"), false, 5, &fd, &f.error), PAWL_OK);
    close(fd);
    fixture_close(&f);
}

static void test_a_read_error_is_told(void **state)
{
    fixture f;
    uint8_t digest[32];
    uint64_t size;
    (void)state;
    fixture_open(&f);
    int directory = open(f.data, O_RDONLY | O_CLOEXEC); /* can be opened, cannot be read */
    pawl_status status = pawl_trust_digest(directory, "x.so", 100, digest, &size, &f.error);
    fixture_assert_refused(&f, status, "loader.unreadable", "x.so: cannot be read: Is a directory");
    close(directory);
    fixture_close(&f);
}

/* ---- copies -------------------------------------------------------------------------------------------------------
 */

#define SHA256_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static pawl_status copy_it(fixture *f, const char *path, const char *pin, char **ret_copy)
{
    uint8_t digest[32];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    pawl_status status = pawl_trust_copy(fd, path, pin, f->data, 1 << 20, digest, ret_copy, &f->error);
    close(fd);
    return status;
}

static void test_a_copy_is_named_by_its_digest(void **state)
{
    fixture f;
    char *copy = NULL;
    char *again = NULL;
    struct stat first, second;
    (void)state;
    fixture_open(&f);
    fixture_write(fixture_path(&f, "x.so"), "abc");
    assert_int_equal(copy_it(&f, fixture_path(&f, "x.so"), SHA256_OF_ABC, &copy), PAWL_OK);
    assert_string_equal(copy, fixture_path(&f, "data/plugins/" SHA256_OF_ABC ".so"));
    assert_int_equal(stat(copy, &first), 0);
    assert_int_equal(first.st_mode & 07777, 0500);
    assert_int_equal(copy_it(&f, fixture_path(&f, "x.so"), NULL, &again), PAWL_OK); /* one that is in use stays */
    assert_int_equal(stat(copy, &second), 0);
    assert_true(first.st_ino == second.st_ino);
    free(copy);
    free(again);
    fixture_close(&f);
}

static void test_a_damaged_copy_is_replaced(void **state)
{
    fixture f;
    char *copy = NULL;
    (void)state;
    fixture_open(&f);
    fixture_write(fixture_path(&f, "x.so"), "abc");
    assert_int_equal(mkdir(fixture_path(&f, "data/plugins"), 0700), 0);
    fixture_write(fixture_path(&f, "data/plugins/" SHA256_OF_ABC ".so"), "abd");
    assert_int_equal(copy_it(&f, fixture_path(&f, "x.so"), NULL, &copy), PAWL_OK);
    assert_string_equal(fixture_sha256(copy), SHA256_OF_ABC);
    free(copy);
    fixture_close(&f);
}

static void test_another_digest_is_refused_and_leaves_nothing(void **state)
{
    fixture f;
    char *copy = NULL;
    (void)state;
    fixture_open(&f);
    fixture_write(fixture_path(&f, "x.so"), "abd");
    pawl_status status = copy_it(&f, fixture_path(&f, "x.so"), SHA256_OF_ABC, &copy);
    fixture_assert_refused(&f, status, "loader.digest", "wanted " SHA256_OF_ABC);
    assert_null(copy);
    assert_int_equal(rmdir(fixture_path(&f, "data/plugins")), 0); /* it is empty */
    fixture_close(&f);
}

static void test_copies_need_a_place_of_their_own(void **state)
{
    fixture f;
    char *copy = NULL;
    (void)state;
    fixture_open(&f);
    fixture_write(fixture_path(&f, "x.so"), "abc");
    make_directory(&f, "data/plugins", 0777);
    fixture_assert_refused(&f, copy_it(&f, fixture_path(&f, "x.so"), NULL, &copy), "loader.copy", "with mode 0777");
    assert_int_equal(rmdir(fixture_path(&f, "data/plugins")), 0);
    assert_int_equal(symlink("/tmp", fixture_path(&f, "data/plugins")), 0);
    fixture_assert_refused(&f, copy_it(&f, fixture_path(&f, "x.so"), NULL, &copy), "loader.copy", "cannot open");
    assert_int_equal(unlink(fixture_path(&f, "data/plugins")), 0);
    assert_int_equal(rmdir(f.data), 0);
    fixture_assert_refused(&f, copy_it(&f, fixture_path(&f, "x.so"), NULL, &copy), "loader.copy", "cannot create");
    fixture_close(&f);
}

static void test_quarantine_is_kept_and_lifted(void **state)
{
    fixture f;
    const uint8_t digest[32] = {1, 2, 3};
    const uint8_t other[32] = {9};
    (void)state;
    fixture_open(&f);
    assert_int_equal(mkdir(fixture_path(&f, "data/plugins"), 0700), 0);
    assert_int_equal(pawl_quarantine_check(f.data, digest, "x.so", &f.error), PAWL_OK);
    assert_int_equal(pawl_quarantine_set(f.data, digest, "it died", &f.error), PAWL_OK);
    pawl_status status = pawl_quarantine_check(f.data, digest, "x.so", &f.error);
    fixture_assert_refused(&f, status, "loader.quarantined", "it died");
    assert_non_null(strstr(f.error.message, "pawl plugin probe x.so"));
    assert_int_equal(pawl_quarantine_check(f.data, other, "y.so", &f.error), PAWL_OK);
    pawl_quarantine_lift(f.data, digest);
    assert_int_equal(pawl_quarantine_check(f.data, digest, "x.so", &f.error), PAWL_OK);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_private_file_is_believed),
        cmocka_unit_test(test_relative_paths_start_where_the_program_is),
        cmocka_unit_test(test_what_is_not_a_file_is_refused),
        cmocka_unit_test(test_the_file_may_not_be_a_link),
        cmocka_unit_test(test_links_on_the_way_are_followed_and_checked),
        cmocka_unit_test(test_a_file_that_others_may_write_is_refused),
        cmocka_unit_test(test_a_directory_that_others_may_write_is_refused_unless_sticky),
        cmocka_unit_test(test_groups_count_as_others),
        cmocka_unit_test(test_what_belongs_to_someone_else_is_refused),
        cmocka_unit_test(test_size_has_a_limit),
        cmocka_unit_test(test_a_read_error_is_told),
        cmocka_unit_test(test_a_copy_is_named_by_its_digest),
        cmocka_unit_test(test_a_damaged_copy_is_replaced),
        cmocka_unit_test(test_another_digest_is_refused_and_leaves_nothing),
        cmocka_unit_test(test_copies_need_a_place_of_their_own),
        cmocka_unit_test(test_quarantine_is_kept_and_lifted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
