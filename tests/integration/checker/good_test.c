/* good_test.c: the connectors of Pawl and its examples pass the check, at its default level or above, with inputs that
 * do what they are for. */
#include "checker.h"
#include "tests/plugins/http_server.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Cases that must have looked at something, separated by spaces. */
static void pass(const char *words, const char *looked_at)
{
    json_t *report = NULL;
    size_t index;
    const json_t *one;
    char name[64];
    int code = check_report(words, &report);
    json_array_foreach(json_object_get(report, "cases"), index, one)
    {
        const char *verdict = check_verdict(one);
        char *texts = check_texts(one);
        const char *name_of_one = json_string_value(json_object_get(one, "case"));
        if (strcmp(verdict, "warn") == 0 && strcmp(name_of_one, "key.same") == 0)
            verdict = "pass"; /* the server tells the time, which may be another a moment later */
        if (strcmp(verdict, "pass") != 0 && strcmp(verdict, "skip") != 0)
            fail_msg("%s: %s: %s: %s", words, name_of_one, verdict, texts);
        free(texts);
    }
    assert_int_equal(code, 0);
    for (; *looked_at != '\0'; looked_at += strspn(looked_at, " ")) {
        size_t size = strcspn(looked_at, " ");
        snprintf(name, sizeof name, "%.*s", (int)size, looked_at);
        if (strcmp(check_verdict(check_case(report, name)), "skip") == 0) {
            char *texts = check_texts(check_case(report, name));
            fail_msg("%s: %s was skipped: %s", words, name, texts);
        }
        looked_at += size;
    }
    json_decref(report);
}

#define CALLS                                                                                                          \
    "instance.several instance.bad_config call.output call.borrowed call.late input.odd sink.refuses cancel.latency "  \
    "deadline.latency key.same threads.moved threads.calls state.calls leak.calls leak.instance left.life "

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
    (void)found;
    (void)kind;
    (void)where;
    return remove(path);
}

static void test_P01_the_file_connector_passes_the_check(void **state)
{
    char directory[] = "/tmp/pawl-checked-XXXXXX", path[64], words[2048];
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/a", directory);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs("hello", file);
    fclose(file);
    snprintf(words, sizeof words,
             PAWL_PLUGIN_DIR
             "/pawl-file.so --jobs 1 --level pedantic --instance '{\"roots\":{\"r\":{\"path\":\"%s\",\"write\":"
             "true}}}' --input 'read={\"root\":\"r\",\"path\":\"a\"}'"
             " --input 'write={\"root\":\"r\",\"path\":\"b\",\"text\":\"x\"}' --input 'list={\"root\":"
             "\"r\"}' --input 'stat={\"root\":\"r\",\"path\":\"a\"}'"
             " --input 'remove={\"root\":\"r\",\"path\":\"c\"}'",
             directory);
    pass(words, CALLS "call.failure deadline.alone call.unknown");
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_P01_the_exec_connector_passes_the_check(void **state)
{
    (void)state;
    pass(PAWL_PLUGIN_DIR "/pawl-exec.so --level pedantic --instance '{\"allow\":[\"/bin/echo\",\"/bin/sleep\"]}'"
                         " --input 'run={\"argv\":[\"/bin/echo\",\"hi\"]}'"
                         " --input 'query={\"argv\":[\"/bin/echo\",\"hi\"]}'"
                         " --slow 'query={\"argv\":[\"/bin/sleep\",\"60\"]}'",
         CALLS "call.failure deadline.alone call.unknown");
}

static void test_P01_the_http_connector_passes_the_check(void **state)
{
    char words[1024];
    (void)state;
    http_server *server = http_server_open(NULL, NULL, NULL);
    snprintf(words, sizeof words,
             PAWL_PLUGIN_DIR "/pawl-http.so --instance '{\"base_url\":\"http://127.0.0.1:%u\"}'"
                             " --input 'get={\"path\":\"/bytes/100\"}' --input 'post={\"path\":\"/bytes/5\"}'"
                             " --slow 'get={\"path\":\"/slow\"}'"
                             " --waive 'left.exec=libcurl makes the sockets that wake its loop without close-on-exec'",
             http_server_port(server));
    pass(words, CALLS);
    http_server_close(server);
}

static void test_P01_examples_pass_the_check(void **state)
{
    static const char *const names[] = {"hello", "saga", "cart", "album", "counter", "ledger", "order", "intake"};
    char words[512];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(words, sizeof words, PAWL_PLUGIN_DIR "/%s.so --generate", names[i]);
        pass(words, "entry.pure life.newer_host state.life left.life ");
    }
}

static void test_P01_a_store_passes_the_check(void **state)
{
    (void)state;
    pass(PAWL_MEMORY_STORE " --timeout 300s", "storage.tier storage.open storage.conformance left.life ");
}

static void test_P01_middleware_and_observers_pass_the_check(void **state)
{
    char path[] = "/tmp/pawl-observed-XXXXXX", words[512];
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    pass(PAWL_PLUGIN_DIR "/budget.so --instance '{\"calls\": 10}'",
         "middleware.use middleware.threads leak.middleware ");
    snprintf(words, sizeof words, PAWL_PLUGIN_DIR "/observer.so --instance '{\"path\": \"%s\"}'", path);
    pass(words, "observer.use observer.threads leak.observer ");
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P01_the_file_connector_passes_the_check),
        cmocka_unit_test(test_P01_the_exec_connector_passes_the_check),
        cmocka_unit_test(test_P01_the_http_connector_passes_the_check),
        cmocka_unit_test(test_P01_examples_pass_the_check),
        cmocka_unit_test(test_P01_a_store_passes_the_check),
        cmocka_unit_test(test_P01_middleware_and_observers_pass_the_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
