/* parts_test.c: the parts that the connectors share, by themselves: base64, the check for text, the strict reading of
 * objects and the walk that stands in for openat2. */
#include "tests/plugins/fake_host.h"

#include "plugins/connector/beneath.h"
#include "plugins/connector/fields.h"
#include "plugins/connector/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_base64_both_ways(void **state)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *text = pawl_connector_base64_encode(pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(text, pairs[i][1]);
        void *data;
        size_t size;
        bool memory;
        assert_true(pawl_connector_base64_decode(text, strlen(text), &data, &size, &memory));
        assert_int_equal(size, strlen(pairs[i][0]));
        assert_memory_equal(data, pairs[i][0], size);
        free(data);
        free(text);
    }
}

static void test_base64_is_strict(void **state)
{
    static const char *const bad[] = {
        "Zg=", "Zg", "Z", "Zg==Zg==", "=Zg=", "====", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zm-_"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        void *data;
        size_t size;
        bool memory;
        assert_false(pawl_connector_base64_decode(bad[i], strlen(bad[i]), &data, &size, &memory));
        assert_false(memory);
    }
}

static void test_P08_text_is_utf8_without_nul(void **state)
{
    (void)state;
    assert_true(pawl_connector_is_text(NULL, 0));
    assert_true(pawl_connector_is_text("a\xc3\xa4\xf0\x9f\x98\x80", 7));
    assert_false(pawl_connector_is_text("a\0b", 3));
    assert_false(pawl_connector_is_text("\xc3", 1));
    assert_false(pawl_connector_is_text("\xc0\x80", 2));
    assert_false(pawl_connector_is_text("\xed\xa0\x80", 3));
}

static void test_P07_objects_are_read_strictly(void **state)
{
    static const pawl_connector_field fields[] = {{"name", PAWL_CONNECTOR_TEXT, true, 0, 0},
                                                  {"count", PAWL_CONNECTOR_INTEGER, false, 1, 9},
                                                  {"texts", PAWL_CONNECTOR_TEXTS, false, 0, 0},
                                                  {"list", PAWL_CONNECTOR_LIST, false, 0, 0}};
    static const struct {
        const char *json, *gist;
    } bad[] = {{"{\"count\":1}", "\"name\" is missing"},
               {"{\"name\":1}", "\"name\" is an integer, expected a text"},
               {"{\"name\":null}", "\"name\" is null, expected a text"},
               {"{\"name\":\"\",\"count\":10}", "\"count\" is 10, expected 1 to 9"},
               {"{\"name\":\"\",\"count\":1.0}", "\"count\" is a number, expected an integer"},
               {"{\"name\":\"\",\"texts\":{\"a\":1}}", "\"texts\" is an object, expected an object of texts"},
               {"{\"name\":\"\",\"list\":[\"a\",[]]}", "\"list\" is an array, expected an array of texts"},
               {"{\"name\":\"\",\"nmae\":\"\"}", "unknown key \"nmae\"; known keys: name, count, texts, list"},
               {"{\"name\":\"\",\"name\":\"\"}", "duplicate keys"},
               {"{\"name\":\"pass", "not valid JSON"},
               {"[]", "is an array, expected an object"}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pawl_connector_error error = {0};
        json_t *object = NULL;
        if (pawl_connector_parse(pawl_bytes_of_text(bad[i].json), "here", "x.config", &object, &error) == PAWL_OK)
            pawl_connector_check(object, fields, PAWL_CONNECTOR_COUNT(fields), "here", "x.config", &error);
        json_decref(object);
        assert_int_equal(error.status, PAWL_E_FAILED);
        assert_string_equal(error.code, "x.config");
        assert_memory_equal(error.message, "here", 4);
        if (strstr(error.message, bad[i].gist) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.message, bad[i].gist);
        assert_null(strstr(error.message, "pass"));
    }
}

typedef int (*opener)(int root, const char *path, int flags, mode_t mode);

static void expect_errno(opener open_it, int root, const char *path, int flags, int problem)
{
    int fd = open_it(root, path, flags, 0600);
    if (fd >= 0 || errno != problem)
        fail_msg("\"%s\": got descriptor %d, errno %d, expected %d", path, fd, errno, problem);
}

static void expect_content(opener open_it, int root, const char *path, const char *content)
{
    char found[16] = "";
    int fd = open_it(root, path, O_RDONLY, 0);
    if (fd < 0)
        fail_msg("\"%s\": errno %d", path, errno);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(read(fd, found, sizeof found - 1) >= 0);
    close(fd);
    assert_string_equal(found, content);
}

static void put(int root, const char *path, const char *content)
{
    int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
}

/* Both ways of opening must agree on every one of these. */
static void check_opener(opener open_it, int root)
{
    expect_content(open_it, root, "file", "top");
    expect_content(open_it, root, "./a//b/.././b/file", "deep");
    expect_content(open_it, root, "a/up", "top");
    expect_content(open_it, root, "link/file", "deep");
    expect_content(open_it, root, "a/round/a/b/file", "deep");
    int fd = open_it(root, "", O_RDONLY | O_DIRECTORY, 0);
    assert_true(fd >= 0);
    close(fd);
    expect_errno(open_it, root, "..", O_RDONLY, EXDEV);
    expect_errno(open_it, root, "a/../../x", O_RDONLY, EXDEV);
    expect_errno(open_it, root, "/file", O_RDONLY, EXDEV);
    expect_errno(open_it, root, "absolute", O_RDONLY, EXDEV);
    expect_errno(open_it, root, "leaves/x", O_RDONLY, EXDEV);
    expect_errno(open_it, root, "a/leaves", O_RDONLY, EXDEV);
    expect_errno(open_it, root, "loop", O_RDONLY, ELOOP);
    expect_errno(open_it, root, "none", O_RDONLY, ENOENT);
    expect_errno(open_it, root, "none/x", O_RDONLY, ENOENT);
    expect_errno(open_it, root, "file/x", O_RDONLY, ENOTDIR);
    expect_errno(open_it, root, "file/", O_RDONLY, ENOTDIR);
    expect_errno(open_it, root, "file", O_WRONLY | O_CREAT | O_EXCL, EEXIST);
    expect_errno(open_it, root, "absolute", O_WRONLY | O_CREAT | O_EXCL, EEXIST);
    expect_errno(open_it, root, "a/up", O_RDONLY | O_NOFOLLOW, ELOOP);
}

static void test_P10_both_ways_of_confined_opening_agree(void **state)
{
    (void)state;
    char base[] = "/tmp/pawl-parts-XXXXXX";
    assert_non_null(mkdtemp(base));
    int outer = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    put(outer, "x", "outside");
    assert_int_equal(mkdirat(outer, "root", 0700), 0);
    int root = openat(outer, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(root >= 0);
    assert_int_equal(mkdirat(root, "a", 0700), 0);
    assert_int_equal(mkdirat(root, "a/b", 0700), 0);
    put(root, "file", "top");
    put(root, "a/b/file", "deep");
    static const char *const links[][2] = {
        {"../file", "a/up"}, {"a/b", "link"},         {"..", "a/round"}, {"/etc/passwd", "absolute"},
        {"..", "leaves"},    {"../../x", "a/leaves"}, {"loop", "loop"}};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        assert_int_equal(symlinkat(links[i][0], root, links[i][1]), 0);
    int before = fake_count_descriptors();
    check_opener(pawl_connector_walk_beneath, root);
    check_opener(pawl_connector_open_beneath, root);
    assert_int_equal(fake_count_descriptors(), before);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        assert_int_equal(unlinkat(root, links[i][1], 0), 0);
    assert_int_equal(unlinkat(root, "a/b/file", 0) | unlinkat(root, "a/b", AT_REMOVEDIR) |
                         unlinkat(root, "a", AT_REMOVEDIR) | unlinkat(root, "file", 0) |
                         unlinkat(outer, "root", AT_REMOVEDIR) | unlinkat(outer, "x", 0) | rmdir(base),
                     0);
    close(root);
    close(outer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64_both_ways),
        cmocka_unit_test(test_base64_is_strict),
        cmocka_unit_test(test_P08_text_is_utf8_without_nul),
        cmocka_unit_test(test_P07_objects_are_read_strictly),
        cmocka_unit_test(test_P10_both_ways_of_confined_opening_agree),
    };
    return cmocka_run_group_tests_name("connector parts", tests, NULL, NULL);
}
