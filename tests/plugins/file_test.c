/* file_test.c: the file connector against real directories. */
#include "tests/plugins/fake_host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory with two roots, "in" (writable) and "ro", and something outside of them. */
typedef struct place {
    fake_host *host;
    char base[64];
} place;

static void path_of(const place *p, const char *name, char *path, size_t room)
{
    assert_true((size_t)snprintf(path, room, "%s/%s", p->base, name) < room);
}

static void make_file(const place *p, const char *name, const void *content, size_t size)
{
    char path[256];
    path_of(p, name, path, sizeof path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, size), (ssize_t)size);
    close(fd);
}

static void make_directory(const place *p, const char *name)
{
    char path[256];
    path_of(p, name, path, sizeof path);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void make_link(const place *p, const char *target, const char *name)
{
    char path[256];
    path_of(p, name, path, sizeof path);
    assert_int_equal(symlink(target, path), 0);
}

static void expect_content(const place *p, const char *name, const char *content)
{
    char path[256], found[256] = "";
    path_of(p, name, path, sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(read(fd, found, sizeof found - 1) >= 0);
    close(fd);
    assert_string_equal(found, content);
}

static bool exists(const place *p, const char *name)
{
    char path[256];
    struct stat facts;
    path_of(p, name, path, sizeof path);
    return lstat(path, &facts) == 0;
}

static int count_entries(const place *p, const char *name)
{
    char path[256];
    path_of(p, name, path, sizeof path);
    DIR *directory = opendir(path);
    int count = -2;
    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void remove_tree(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        unlink(path);
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        char child[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        struct stat facts;
        if (lstat(child, &facts) == 0 && S_ISDIR(facts.st_mode))
            remove_tree(child);
        else
            unlink(child);
    }
    closedir(directory);
    rmdir(path);
}

static int open_place(void **state)
{
    place *p = calloc(1, sizeof *p);
    char config[512];
    strcpy(p->base, "/tmp/pawl-file-XXXXXX");
    assert_non_null(mkdtemp(p->base));
    make_directory(p, "in");
    make_directory(p, "in/sub");
    make_directory(p, "ro");
    make_directory(p, "outside");
    make_file(p, "outside/secret", "secret", 6);
    make_file(p, "in/hello", "hello world", 11);
    make_file(p, "ro/fixed", "fixed", 5);
    p->host = fake_host_open("file");
    snprintf(
        config, sizeof config,
        "{\"roots\":{\"in\":{\"path\":\"%s/in\",\"write\":true},\"ro\":{\"path\":\"%s/ro\"}},\"max_inline\":65536}",
        p->base, p->base);
    fake_must_create(p->host, config);
    *state = p;
    return 0;
}

static int close_place(void **state)
{
    place *p = *state;
    fake_host_close(p->host);
    remove_tree(p->base);
    free(p);
    return 0;
}

#define CALL(p, operation, ...) fake_callf((p)->host, operation, __VA_ARGS__)
#define IN(path)                "{\"root\":\"in\",\"path\":\"" path "\"}"

static void test_read_whole_and_in_part(void **state)
{
    place *p = *state;
    fake_answer a = CALL(p, "read", IN("hello"));
    assert_string_equal(fake_text(&a, "text"), "hello world");
    assert_int_equal(fake_integer(&a, "size"), 11);
    assert_int_equal(fake_integer(&a, "total"), 11);
    fake_answer_free(&a);
    a = CALL(p, "read", "{\"root\":\"in\",\"path\":\"sub/../hello\",\"offset\":6,\"length\":3}");
    assert_string_equal(fake_text(&a, "text"), "wor");
    fake_answer_free(&a);
    a = CALL(p, "read", "{\"root\":\"in\",\"path\":\"hello\",\"offset\":99,\"as\":\"base64\"}");
    assert_string_equal(fake_text(&a, "base64"), "");
    fake_answer_free(&a);
    make_file(p, "in/bytes", "\xff\xfe\x00", 3);
    fake_expect_failure(CALL(p, "read", IN("bytes")), PAWL_E_FAILED, PAWL_TERMINAL, "file.not_text");
    a = CALL(p, "read", "{\"root\":\"in\",\"path\":\"bytes\",\"as\":\"base64\"}");
    assert_string_equal(fake_text(&a, "base64"), "//4A");
    fake_answer_free(&a);
}

static void test_attachments_both_ways(void **state)
{
    place *p = *state;
    size_t size = ((size_t)3 << 20) + 7;
    char *content = malloc(size);
    for (size_t i = 0; i < size; i++)
        content[i] = (char)(i * 2654435761u >> 11);
    make_file(p, "in/large", content, size);
    fake_answer a = CALL(p, "read", IN("large"));
    fake_expect_failure(a, PAWL_E_LIMIT, PAWL_TERMINAL, "file.too_large");
    a = CALL(p, "read", "{\"root\":\"in\",\"path\":\"large\",\"as\":\"attachment\"}");
    assert_int_equal(fake_integer(&a, "size"), size);
    const fake_attachment *kept = fake_attachment_find(p->host, fake_text(&a, "attachment"));
    assert_non_null(kept);
    assert_int_equal(kept->size, size);
    assert_memory_equal(kept->data, content, size);
    fake_answer b =
        CALL(p, "write", "{\"root\":\"in\",\"path\":\"copy\",\"attachment\":\"%s\"}", fake_text(&a, "attachment"));
    assert_int_equal(fake_integer(&b, "size"), size);
    fake_answer_free(&b);
    b = CALL(p, "read", "{\"root\":\"in\",\"path\":\"copy\",\"as\":\"attachment\"}");
    assert_string_equal(fake_text(&b, "attachment"), fake_text(&a, "attachment"));
    fake_answer_free(&a);
    fake_answer_free(&b);
    free(content);
}

static void test_P10_nothing_outside_a_root_is_reached(void **state)
{
    place *p = *state;
    char absolute[128];
    path_of(p, "outside/secret", absolute, sizeof absolute);
    make_link(p, absolute, "in/absolute");
    make_link(p, "../outside/secret", "in/relative");
    make_link(p, "../outside", "in/sub/one"); /* stays inside: in/outside, which is not there */
    make_link(p, "../../outside", "in/sub/two");
    make_link(p, "sub/two", "in/chain");
    make_link(p, "/proc/self/root", "in/magic");
    static const char *const out[] = {
        "../outside/secret", "sub/../../outside/secret", "absolute",    "relative",          "sub/two/secret",
        "chain/secret",      "magic/etc/passwd",         "/etc/passwd", "sub/../../in/hello"};
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        const char *const operations[] = {"read", "stat"};
        for (size_t k = 0; k < 2; k++)
            fake_expect_failure(CALL(p, operations[k], "{\"root\":\"in\",\"path\":\"%s\"}", out[i]), PAWL_E_INVALID,
                                PAWL_TERMINAL, "file.outside_root");
    }
    fake_expect_failure(CALL(p, "list", IN("chain")), PAWL_E_INVALID, PAWL_TERMINAL, "file.outside_root");
    fake_expect_failure(CALL(p, "remove", IN("chain/secret")), PAWL_E_INVALID, PAWL_TERMINAL, "file.outside_root");
    fake_expect_failure(CALL(p, "write", "{\"root\":\"in\",\"path\":\"chain/new\",\"text\":\"x\"}"), PAWL_E_INVALID,
                        PAWL_TERMINAL, "file.outside_root");
    fake_expect_failure(CALL(p, "read", IN("sub/one/secret")), PAWL_E_NOT_FOUND, PAWL_TERMINAL, "file.not_found");
    expect_content(p, "outside/secret", "secret");
    assert_int_equal(count_entries(p, "outside"), 1);
}

/* A link that is the target of a write or a remove is itself replaced or removed: it is never followed. */
static void test_P10_a_link_as_target_is_not_followed(void **state)
{
    place *p = *state;
    make_link(p, "../outside/secret", "in/link");
    fake_answer a = CALL(p, "write", "{\"root\":\"in\",\"path\":\"link\",\"text\":\"mine\"}");
    fake_expect_ok(&a);
    fake_answer_free(&a);
    expect_content(p, "outside/secret", "secret");
    expect_content(p, "in/link", "mine");
    make_link(p, "../outside/secret", "in/link2");
    a = CALL(p, "remove", IN("link2"));
    fake_expect_ok(&a);
    fake_answer_free(&a);
    assert_false(exists(p, "in/link2"));
    expect_content(p, "outside/secret", "secret");
}

typedef struct swapper {
    const place *place;
    atomic_bool stop;
} swapper;

/* in/flip is now a directory inside, now a link that leads out. */
static void *swap(void *argument)
{
    swapper *s = argument;
    char flip[256], aside[256], lead[256];
    path_of(s->place, "in/flip", flip, sizeof flip);
    path_of(s->place, "in/aside", aside, sizeof aside);
    path_of(s->place, "in/lead", lead, sizeof lead);
    while (!atomic_load(&s->stop)) {
        assert_int_equal(rename(flip, aside), 0);
        assert_int_equal(rename(lead, flip), 0);
        assert_int_equal(rename(flip, lead), 0);
        assert_int_equal(rename(aside, flip), 0);
    }
    return NULL;
}

static void test_P10_race_of_a_directory_against_a_link(void **state)
{
    place *p = *state;
    make_directory(p, "in/flip");
    make_file(p, "in/flip/secret", "inside", 6);
    make_link(p, "../outside", "in/lead");
    swapper s = {.place = p};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, swap, &s), 0);
    int inside = 0, refused = 0;
    for (int i = 0; i < 20000 && (i < 2000 || inside == 0 || refused == 0); i++) {
        fake_answer a = CALL(p, "read", IN("flip/secret"));
        if (a.status == PAWL_OK) {
            assert_string_equal(fake_text(&a, "text"), "inside");
            inside++;
        } else {
            refused++;
        }
        fake_answer_free(&a);
        a = CALL(p, "write", "{\"root\":\"in\",\"path\":\"flip/w\",\"text\":\"x\"}");
        fake_answer_free(&a);
    }
    atomic_store(&s.stop, true);
    pthread_join(thread, NULL);
    assert_true(inside > 0 && refused > 0); /* the race did take place */
    assert_int_equal(count_entries(p, "outside"), 1);
}

static void test_write_replaces_as_a_whole(void **state)
{
    place *p = *state;
    fake_answer a = CALL(p, "write", "{\"root\":\"in\",\"path\":\"hello\",\"text\":\"\\u00fc\",\"mode\":\"600\"}");
    assert_int_equal(fake_integer(&a, "size"), 2);
    fake_answer_free(&a);
    expect_content(p, "in/hello", "\xc3\xbc");
    a = CALL(p, "stat", IN("hello"));
    assert_string_equal(fake_text(&a, "mode"), "0600");
    assert_string_equal(fake_text(&a, "type"), "file");
    assert_int_equal(fake_integer(&a, "size"), 2);
    fake_answer_free(&a);
    a = CALL(p, "write", "{\"root\":\"in\",\"path\":\"sub/x.json\",\"json\":{\"a\":[1,null]}}");
    fake_expect_ok(&a);
    fake_answer_free(&a);
    expect_content(p, "in/sub/x.json", "{\"a\":[1,null]}");
    a = CALL(p, "write", "{\"root\":\"in\",\"path\":\"empty\",\"text\":\"\"}");
    assert_int_equal(fake_integer(&a, "size"), 0);
    fake_answer_free(&a);
    assert_int_equal(count_entries(p, "in"), 3); /* hello, sub, empty: no temporary file is left */
}

static void test_write_new(void **state)
{
    place *p = *state;
    const char *input = "{\"root\":\"in\",\"path\":\"fresh\",\"text\":\"one\",\"create\":\"new\"}";
    fake_answer a = fake_call(p->host, "write", input, NULL);
    fake_expect_ok(&a);
    fake_answer_free(&a);
    fake_expect_failure(fake_call(p->host, "write", input, NULL), PAWL_E_CONFLICT, PAWL_TERMINAL, "file.exists");
    /* The second attempt of one effect finds what its first one made. */
    a = fake_call(p->host, "write", input, &(fake_options){.attempt = 2});
    fake_expect_ok(&a);
    assert_true(json_is_true(json_object_get(a.json, "existed")));
    fake_answer_free(&a);
    const char *other = "{\"root\":\"in\",\"path\":\"fresh\",\"text\":\"two\",\"create\":\"new\"}";
    fake_expect_failure(fake_call(p->host, "write", other, &(fake_options){.attempt = 2}), PAWL_E_CONFLICT,
                        PAWL_TERMINAL, "file.exists");
    expect_content(p, "in/fresh", "one");
    assert_int_equal(count_entries(p, "in"), 3);
}

static void test_refusals(void **state)
{
    place *p = *state;
    fake_expect_failure(CALL(p, "write", "{\"root\":\"ro\",\"path\":\"x\",\"text\":\"\"}"), PAWL_E_FAILED,
                        PAWL_TERMINAL, "file.read_only");
    fake_expect_failure(CALL(p, "remove", "{\"root\":\"ro\",\"path\":\"fixed\"}"), PAWL_E_FAILED, PAWL_TERMINAL,
                        "file.read_only");
    fake_expect_failure(CALL(p, "read", "{\"root\":\"other\",\"path\":\"x\"}"), PAWL_E_FAILED, PAWL_TERMINAL,
                        "file.unknown_root");
    fake_expect_failure(CALL(p, "read", IN("none")), PAWL_E_NOT_FOUND, PAWL_TERMINAL, "file.not_found");
    fake_expect_failure(CALL(p, "read", IN("hello/x")), PAWL_E_NOT_FOUND, PAWL_TERMINAL, "file.not_found");
    fake_expect_failure(CALL(p, "read", IN("sub")), PAWL_E_INVALID, PAWL_TERMINAL, "file.is_directory");
    fake_expect_failure(CALL(p, "write", "{\"root\":\"in\",\"path\":\"sub\",\"text\":\"\"}"), PAWL_E_INVALID,
                        PAWL_TERMINAL, "file.is_directory");
    fake_expect_failure(CALL(p, "write", "{\"root\":\"in\",\"path\":\"sub/\",\"text\":\"\"}"), PAWL_E_FAILED,
                        PAWL_TERMINAL, "file.invalid_path");
    fake_expect_failure(CALL(p, "write", "{\"root\":\"in\",\"path\":\"no/x\",\"text\":\"\"}"), PAWL_E_NOT_FOUND,
                        PAWL_TERMINAL, "file.not_found");
    make_link(p, "loop", "in/loop");
    fake_expect_failure(CALL(p, "read", IN("loop")), PAWL_E_INVALID, PAWL_TERMINAL, "file.link");
    char pipe_path[256];
    path_of(p, "in/pipe", pipe_path, sizeof pipe_path);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    fake_expect_failure(CALL(p, "read", IN("pipe")), PAWL_E_FAILED, PAWL_TERMINAL, "file.not_regular");
    fake_expect_failure(fake_call(p->host, "chmod", "{}", NULL), PAWL_E_UNSUPPORTED, PAWL_TERMINAL,
                        "file.unknown_operation");
}

static void test_P07_bad_input(void **state)
{
    place *p = *state;
    static const char *const bad[] = {
        "{}",
        "{\"root\":\"in\"}",
        "{\"root\":\"in\",\"path\":1,\"text\":\"\"}",
        "{\"root\":\"in\",\"path\":\"x\"}",
        "{\"root\":\"in\",\"path\":\"x\",\"text\":\"\",\"base64\":\"\"}",
        "{\"root\":\"in\",\"path\":\"x\",\"text\":\"\",\"mode\":\"1777\"}",
        "{\"root\":\"in\",\"path\":\"x\",\"text\":\"\",\"mode\":\"9\"}",
        "{\"root\":\"in\",\"path\":\"x\",\"text\":\"\",\"create\":\"maybe\"}",
        "{\"root\":\"in\",\"path\":\"x\",\"text\":\"\",\"txet\":\"\"}",
        "{\"root\":\"in\",\"path\":\"a\\u0000b\",\"text\":\"\"}",
        "{\"root\":\"in\",\"path\":\"x\",\"attachment\":\"sha256:zz\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fake_answer a = fake_call(p->host, "write", bad[i], NULL);
        assert_non_null(strstr(a.message, "file connector \"unit\""));
        fake_expect_failure(a, PAWL_E_FAILED, PAWL_TERMINAL, "file.invalid_input");
    }
    assert_int_equal(count_entries(p, "in"), 2);
}

static void test_list_in_pages(void **state)
{
    place *p = *state;
    make_directory(p, "in/many");
    for (int i = 0; i < 25; i++) {
        char name[64];
        snprintf(name, sizeof name, "in/many/%02d", (i * 7) % 25);
        make_file(p, name, "", 0);
    }
    make_file(p, "in/many/.pawl-0123456789abcdef", "", 0); /* what a killed host leaves behind */
    make_file(p, "in/many/\xff", "", 0);
    char after[64] = "";
    int seen = 0;
    for (;;) {
        fake_answer a = CALL(p, "list", "{\"root\":\"in\",\"path\":\"many\",\"limit\":10,\"after\":\"%s\"}", after);
        fake_expect_ok(&a);
        const json_t *entries = json_object_get(a.json, "entries");
        for (size_t i = 0; i < json_array_size(entries); i++) {
            char wanted[8];
            snprintf(wanted, sizeof wanted, "%02d", seen++);
            assert_string_equal(json_string_value(json_object_get(json_array_get(entries, i), "name")), wanted);
        }
        const char *next = json_string_value(json_object_get(a.json, "next"));
        snprintf(after, sizeof after, "%s", next == NULL ? "" : next);
        if (next == NULL)
            assert_int_equal(fake_integer(&a, "unreadable"), 1);
        fake_answer_free(&a);
        if (after[0] == '\0')
            break;
    }
    assert_int_equal(seen, 25);
    fake_answer a = CALL(p, "list", "{\"root\":\"in\"}");
    fake_expect_ok(&a);
    assert_int_equal(json_array_size(json_object_get(a.json, "entries")), 3); /* hello, many, sub */
    fake_answer_free(&a);
}

static void test_remove_is_idempotent(void **state)
{
    place *p = *state;
    for (int i = 0; i < 2; i++) {
        fake_answer a = CALL(p, "remove", IN("hello"));
        fake_expect_ok(&a);
        assert_true(json_is_true(json_object_get(a.json, "removed")) == (i == 0));
        fake_answer_free(&a);
    }
    fake_answer a = CALL(p, "remove", IN("no/such/file"));
    fake_expect_ok(&a);
    fake_answer_free(&a);
    fake_expect_failure(CALL(p, "remove", IN("sub")), PAWL_E_INVALID, PAWL_TERMINAL, "file.is_directory");
    make_file(p, "in/sub/x", "", 0);
    const char *directory = "{\"root\":\"in\",\"path\":\"sub\",\"directory\":true}";
    fake_expect_failure(fake_call(p->host, "remove", directory, NULL), PAWL_E_CONFLICT, PAWL_TERMINAL,
                        "file.not_empty");
    a = CALL(p, "remove", IN("sub/x"));
    fake_answer_free(&a);
    a = fake_call(p->host, "remove", directory, NULL);
    fake_expect_ok(&a);
    fake_answer_free(&a);
    assert_false(exists(p, "in/sub"));
}

static void test_X05_cancel_and_deadline_change_nothing(void **state)
{
    place *p = *state;
    fake_options asked = {.cancel = fake_cancel_create()}, late = {.timeout_ns = 1};
    fake_cancel_ask(asked.cancel);
    const char *input = "{\"root\":\"in\",\"path\":\"hello\",\"text\":\"changed\"}";
    fake_expect_failure(fake_call(p->host, "write", input, &asked), PAWL_E_CANCELLED, PAWL_RETRYABLE, "file.cancelled");
    fake_expect_failure(fake_call(p->host, "write", input, &late), PAWL_E_DEADLINE, PAWL_RETRYABLE, "file.timeout");
    fake_expect_failure(fake_call(p->host, "remove", IN("hello"), &asked), PAWL_E_CANCELLED, PAWL_RETRYABLE,
                        "file.cancelled");
    fake_cancel_destroy(asked.cancel);
    expect_content(p, "in/hello", "hello world");
    assert_int_equal(count_entries(p, "in"), 2);
}

static void test_file_size_limit_leaves_the_old_content(void **state)
{
    place *p = *state;
    struct rlimit before, small;
    char *content = calloc(1, 100001);
    memset(content, 'x', 100000);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 50000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    fake_answer a = CALL(p, "write", "{\"root\":\"in\",\"path\":\"hello\",\"text\":\"%s\"}", content);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    fake_expect_failure(a, PAWL_E_LIMIT, PAWL_TERMINAL, "file.too_large");
    free(content);
    expect_content(p, "in/hello", "hello world");
    assert_int_equal(count_entries(p, "in"), 2);
}

/* A file system of 64 KiB, in a mount namespace of this program's own. Needs the right to make one. */
static void test_full_disk_is_retryable_and_leaves_the_old_content(void **state)
{
    place *p = *state;
    char mount_point[128], config[256];
    path_of(p, "in/sub", mount_point, sizeof mount_point);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", mount_point, "tmpfs", 0, "size=64k") != 0)
        skip();
    snprintf(config, sizeof config, "{\"roots\":{\"in\":{\"path\":\"%s\",\"write\":true}}}", mount_point);
    fake_must_create(p->host, config);
    fake_answer a = CALL(p, "write", "{\"root\":\"in\",\"path\":\"kept\",\"text\":\"old\"}");
    fake_expect_ok(&a);
    fake_answer_free(&a);
    char *content = calloc(1, 200001);
    memset(content, 'x', 200000);
    fake_expect_failure(CALL(p, "write", "{\"root\":\"in\",\"path\":\"kept\",\"text\":\"%s\"}", content), PAWL_E_FULL,
                        PAWL_RETRYABLE, "file.no_space");
    free(content);
    expect_content(p, "in/sub/kept", "old");
    assert_int_equal(count_entries(p, "in/sub"), 1);
    a = CALL(p, "write", "{\"root\":\"in\",\"path\":\"kept\",\"text\":\"new\"}"); /* and it goes on afterwards */
    fake_expect_ok(&a);
    fake_answer_free(&a);
    fake_must_create(p->host, "{\"roots\":{\"in\":{\"path\":\"/\"}}}"); /* lets go of the mount */
    assert_int_equal(umount(mount_point), 0);
}

static void test_P15_result_larger_than_the_host_takes(void **state)
{
    place *p = *state;
    p->host->output_limit = 20;
    fake_expect_failure(CALL(p, "read", IN("hello")), PAWL_E_LIMIT, PAWL_TERMINAL, "file.result_too_large");
    /* The reference does not fit: the upload is committed or dropped, never left open. */
    fake_expect_failure(CALL(p, "read", "{\"root\":\"in\",\"path\":\"hello\",\"as\":\"attachment\"}"), PAWL_E_LIMIT,
                        PAWL_TERMINAL, "file.result_too_large");
}

static void test_configuration_is_strict(void **state)
{
    place *p = *state;
    static const char *const bad[] = {"{}",
                                      "{\"roots\":{}}",
                                      "{\"roots\":{\"a\":\"/tmp\"}}",
                                      "{\"roots\":{\"a\":{\"path\":\"tmp\"}}}",
                                      "{\"roots\":{\"a\":{\"path\":\"/tmp/no/such/directory\"}}}",
                                      "{\"roots\":{\"a\":{\"path\":\"/etc/passwd\"}}}",
                                      "{\"roots\":{\"a\":{\"path\":\"/tmp\",\"wriet\":true}}}",
                                      "{\"roots\":{\"a\":{\"path\":\"/tmp\"},\"b\":{}}}",
                                      "{\"roots\":{\"a\":{\"path\":\"/tmp\"}},\"max_inline\":\"1\"}",
                                      "{\"roots\":{\"a\":{\"path\":\"/tmp\"}},\"rots\":1}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fake_answer a = fake_create(p->host, bad[i]);
        assert_non_null(strstr(a.message, "file connector \"unit\": config"));
        fake_expect_failure(a, PAWL_E_FAILED, PAWL_TERMINAL, "file.config");
    }
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_read_whole_and_in_part),
        EACH(test_attachments_both_ways),
        EACH(test_P10_nothing_outside_a_root_is_reached),
        EACH(test_P10_a_link_as_target_is_not_followed),
        EACH(test_P10_race_of_a_directory_against_a_link),
        EACH(test_write_replaces_as_a_whole),
        EACH(test_write_new),
        EACH(test_refusals),
        EACH(test_P07_bad_input),
        EACH(test_list_in_pages),
        EACH(test_remove_is_idempotent),
        EACH(test_X05_cancel_and_deadline_change_nothing),
        EACH(test_file_size_limit_leaves_the_old_content),
        EACH(test_full_disk_is_retryable_and_leaves_the_old_content),
        EACH(test_P15_result_larger_than_the_host_takes),
        EACH(test_configuration_is_strict),
    };
    return cmocka_run_group_tests_name("file connector", tests, NULL, NULL);
}
