/* test.c: `pawl test`: a process type of a plugin file against a scripted world. Only asks for the test and says what
 * it came to (test_print.c); host/tester does it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
#include "host/cli/test_print.h"
#include "host/tester/tester.h"

#define JOURNALS_MAX PAWL_CLI_OPTIONS_MAX

/* The input as the bytes that a start request would have. False: the mistake was printed. */
static bool read_input(pawl_cli *cli, char **ret_text, pawl_bytes *ret)
{
    const char *json = pawl_cli_value(cli, "input"), *plain = pawl_cli_value(cli, "text");
    if (json == NULL && plain == NULL)
        return true;
    json_t *object = json_object();
    bool good = pawl_cli_put_content(cli, object, "input", json != NULL ? json : plain, json != NULL);
    const json_t *value = json_object_get(object, "input"), *text = json_object_get(object, "input_text");
    if (good && value != NULL)
        *ret_text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    else if (good && text != NULL)
        *ret_text = strdup(json_string_value(text));
    if (good && *ret_text == NULL) {
        pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "an input that is not text belongs into the script");
        good = false;
    }
    if (good)
        *ret = (pawl_bytes){*ret_text, strlen(*ret_text)};
    json_decref(object);
    return good;
}

static bool read_numbers(pawl_cli *cli, pawl_tester_request *request)
{
    uint64_t orders = 0, revision = 0;
    if (!pawl_cli_number(cli, "orders", 1, 10000000, 0, &orders) ||
        !pawl_cli_number(cli, "revision", 1, UINT32_MAX, 0, &revision) ||
        !pawl_cli_number(cli, "seed", 0, UINT64_MAX, 0, &request->seed) ||
        !pawl_cli_span_ms(cli, "time", 0, &request->time_max_ms) ||
        !pawl_cli_span_ms(cli, "hang", 0, &request->hang_ms))
        return false;
    request->orders_max = (uint32_t)orders;
    request->revision = (uint32_t)revision;
    return true;
}

static size_t read_journals(const pawl_cli *cli, const char *journals[JOURNALS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < cli->given_count; i++)
        if (strcmp(cli->given[i].name, "replay") == 0)
            journals[count++] = cli->given[i].value;
    return count;
}

static int write_junit(pawl_cli *cli, const json_t *report)
{
    const char *path = pawl_cli_value(cli, "junit");
    if (path == NULL)
        return PAWL_EXIT_OK;
    FILE *out = fopen(path, "we");
    if (out != NULL)
        pawl_cli_test_junit(out, report);
    if (out == NULL || ferror(out) != 0 || fclose(out) != 0)
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "test.junit", "%s: %s", path, strerror(errno));
    return PAWL_EXIT_OK;
}

static int give(pawl_cli *cli, const pawl_tester_request *request, const json_t *report)
{
    int written = write_junit(cli, report);
    if (cli->json)
        pawl_cli_put_json(cli->out, report);
    else if (request->journal_count > 0)
        pawl_cli_test_print_replay(cli, report);
    else
        pawl_cli_test_print(cli, report);
    bool good = json_is_true(json_object_get(report, "ok"));
    return written != PAWL_EXIT_OK ? written : good ? PAWL_EXIT_OK : PAWL_EXIT_FAILED;
}

static int run(pawl_cli *cli, const pawl_tester_request *request)
{
    pawl_text text = {0};
    pawl_error error = {0};
    if (pawl_tester_run(request, &text, &error) != PAWL_OK)
        return pawl_cli_fail(cli, error.status == PAWL_E_NOT_FOUND ? PAWL_EXIT_NOT_FOUND : PAWL_EXIT_REFUSED,
                             error.code, "%s", error.message);
    json_t *report = json_loadb(text.data, text.size, 0, NULL);
    pawl_text_free(&text);
    int status = report == NULL ? pawl_cli_fail(cli, PAWL_EXIT_FAILED, "out_of_memory", "out of memory")
                                : give(cli, request, report);
    json_decref(report);
    return status;
}

int pawl_cli_test(pawl_cli *cli)
{
    const char *journals[JOURNALS_MAX];
    char *input = NULL;
    pawl_tester_request request = {.plugin = cli->arguments[0],
                                   .type = pawl_cli_value(cli, "type"),
                                   .config = pawl_cli_value(cli, "config"),
                                   .script = pawl_cli_value(cli, "effects"),
                                   .only = pawl_cli_value(cli, "only"),
                                   .all_orders = pawl_cli_flag(cli, "all-orders"),
                                   .same_outcome = pawl_cli_flag(cli, "same-outcome"),
                                   .cancel_everywhere = pawl_cli_flag(cli, "cancel-everywhere"),
                                   .fail_everywhere = pawl_cli_flag(cli, "fail-everywhere"),
                                   .strict = pawl_cli_flag(cli, "strict"),
                                   .in_process = pawl_cli_flag(cli, "in-process"),
                                   .progress = cli->json ? NULL : cli->err};
    if (!read_numbers(cli, &request) || !read_input(cli, &input, &request.input)) {
        free(input);
        return PAWL_EXIT_USAGE;
    }
    request.journals = journals;
    request.journal_count = read_journals(cli, journals);
    int status = run(cli, &request);
    free(input);
    return status;
}
