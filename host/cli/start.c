/* start.c: starting a process and waiting for ends. A wait asks again and again for as long as the server holds one
 * request, so that no limit of the server is a limit of the wait. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/cli/cli.h"

#define HOLD_MS 30000u

static uint64_t mono_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* PAWL_EXIT_OK with the outcome; or an exit code, printed. deadline_ms 0: none. */
static int wait_for(pawl_cli *cli, const char *id, uint64_t deadline_ms, json_t **ret_outcome)
{
    for (;;) {
        uint64_t now = mono_now_ms();
        uint64_t left = deadline_ms == 0 ? HOLD_MS : deadline_ms > now ? deadline_ms - now : 0;
        char hold[32];
        snprintf(hold, sizeof hold, "%" PRIu64, left < HOLD_MS ? left : HOLD_MS);
        pawl_client_reply reply;
        int status = pawl_cli_ask(
            cli, "GET", pawl_client_query(pawl_client_process_path(id, "/wait"), "timeout_ms", hold), NULL, &reply);
        if (status != PAWL_EXIT_OK)
            return status;
        json_t *outcome = json_incref(reply.json);
        pawl_client_reply_finish(&reply);
        if (outcome != NULL) {
            *ret_outcome = outcome;
            return PAWL_EXIT_OK;
        }
        if (deadline_ms != 0 && mono_now_ms() >= deadline_ms)
            return pawl_cli_fail(cli, PAWL_EXIT_TIMEOUT, "cli.timeout",
                                 "%s has not ended in time; it goes on (pawl show %s says what it waits for)", id, id);
    }
}

static bool completed(const json_t *outcome)
{
    return strcmp(pawl_cli_text(outcome, "status"), "completed") == 0;
}

/* The output alone, as it is, for `x=$(pawl start --wait ...)`. */
static int print_output(pawl_cli *cli, const char *id, const json_t *outcome)
{
    if (cli->json) {
        json_t *whole = json_pack("{s:s, s:O}", "id", id, "outcome", outcome);
        pawl_cli_put_json(cli->out, whole);
        json_decref(whole);
    }
    if (!completed(outcome)) {
        if (!cli->json)
            pawl_cli_fail(cli, PAWL_EXIT_NOT_COMPLETED, pawl_cli_text(outcome, "code"), "%s %s%s%s", id,
                          pawl_cli_text(outcome, "status"), pawl_cli_text(outcome, "message")[0] == '\0' ? "" : ": ",
                          pawl_cli_text(outcome, "message"));
        return PAWL_EXIT_NOT_COMPLETED;
    }
    const json_t *output = json_object_get(outcome, "output");
    if (!cli->json && output == NULL)
        fprintf(cli->out, "%s\n", pawl_cli_text(outcome, "output_base64"));
    else if (!cli->json)
        pawl_cli_put_json(cli->out, output);
    return PAWL_EXIT_OK;
}

/* One line for people: "order-17 completed {...}". */
static void print_ending(pawl_cli *cli, const char *id, const json_t *outcome)
{
    const char *status = pawl_cli_text(outcome, "status");
    pawl_cli_put(cli->out, id);
    fputc(' ', cli->out);
    pawl_cli_put_color(cli, pawl_cli_status_color(status), status);
    const json_t *output = json_object_get(outcome, "output");
    if (output != NULL && !json_is_null(output)) {
        fputc(' ', cli->out);
        pawl_cli_put_value(cli->out, output);
    }
    if (pawl_cli_text(outcome, "output_base64")[0] != '\0') {
        fputs(" base64 ", cli->out);
        pawl_cli_put(cli->out, pawl_cli_text(outcome, "output_base64"));
    }
    if (pawl_cli_text(outcome, "code")[0] != '\0') {
        fputs(" [", cli->out);
        pawl_cli_put(cli->out, pawl_cli_text(outcome, "code"));
        fputc(']', cli->out);
    }
    if (pawl_cli_text(outcome, "message")[0] != '\0') {
        fputc(' ', cli->out);
        pawl_cli_put(cli->out, pawl_cli_text(outcome, "message"));
    }
    fputc('\n', cli->out);
}

static bool put_time(pawl_cli *cli, json_t *body, const char *option, const char *key)
{
    const char *text = pawl_cli_value(cli, option);
    if (text != NULL && json_object_set_new(body, key, json_string(text)) != 0) {
        pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--%s is not UTF-8", option);
        return false;
    }
    return true;
}

static bool put_span(pawl_cli *cli, json_t *body, const char *option, const char *key)
{
    uint64_t span_ms = 0;
    if (!pawl_cli_span_ms(cli, option, 0, &span_ms))
        return false;
    if (pawl_cli_value(cli, option) != NULL)
        json_object_set_new(body, key, json_integer((json_int_t)span_ms));
    return true;
}

/* The request of a start; NULL: printed. */
static json_t *start_request(pawl_cli *cli)
{
    const char *input = pawl_cli_value(cli, "input");
    const char *text = pawl_cli_value(cli, "text");
    if (input != NULL && text != NULL) {
        pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "give --input or --text, not both");
        return NULL;
    }
    uint64_t priority = 0;
    if (!pawl_cli_number(cli, "priority", PAWL_PRIORITY_HIGHEST, PAWL_PRIORITY_LOWEST, 0, &priority))
        return NULL;
    json_t *body = json_pack("{s:s, s:s*, s:s*, s:s*}", "type", cli->arguments[0], "id", pawl_cli_value(cli, "id"),
                             "session", pawl_cli_value(cli, "session"), "reuse", pawl_cli_value(cli, "reuse"));
    if (body == NULL) {
        pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "the type, id or session is not UTF-8");
        return NULL;
    }
    if (pawl_cli_value(cli, "key") != NULL)
        json_object_set_new(body, "key", json_string(pawl_cli_value(cli, "key")));
    if (pawl_cli_flag(cli, "priority"))
        json_object_set_new(body, "priority", json_integer((json_int_t)priority));
    if (pawl_cli_flag(cli, "known-session"))
        json_object_set_new(body, "known_session", json_true());
    if (pawl_cli_flag(cli, "external"))
        json_object_set_new(body, "external", json_true());
    bool good = put_time(cli, body, "at", "start_at") && put_span(cli, body, "after", "delay_ms") &&
                put_time(cli, body, "deadline-at", "deadline_at") && put_span(cli, body, "deadline", "deadline_ms");
    if (good && input != NULL)
        good = pawl_cli_put_content(cli, body, "input", input, true);
    if (good && text != NULL)
        good = pawl_cli_put_content(cli, body, "input", text, false);
    if (good && pawl_cli_put_attributes(cli, body) == PAWL_EXIT_OK)
        return body;
    json_decref(body);
    return NULL;
}

static int start_and_print(pawl_cli *cli, const json_t *body)
{
    json_t *reply = NULL;
    int status = pawl_cli_ask_json(cli, "POST", strdup("/v1/processes"), body, &reply);
    if (status == PAWL_EXIT_OK && !cli->json) {
        pawl_cli_put(cli->out, pawl_cli_text(reply, "id"));
        fputc('\n', cli->out);
    }
    json_decref(reply);
    return status;
}

static int start_and_wait(pawl_cli *cli, const json_t *body, uint64_t deadline_ms)
{
    pawl_client_reply reply;
    int status = pawl_cli_ask(cli, "POST", strdup("/v1/processes"), body, &reply);
    if (status != PAWL_EXIT_OK)
        return status;
    json_t *started = json_incref(reply.json);
    pawl_client_reply_finish(&reply);
    const char *id = pawl_cli_text(started, "id");
    json_t *outcome = NULL;
    status = wait_for(cli, id, deadline_ms, &outcome);
    if (status == PAWL_EXIT_OK)
        status = print_output(cli, id, outcome);
    json_decref(outcome);
    json_decref(started);
    return status;
}

int pawl_cli_start(pawl_cli *cli)
{
    uint64_t timeout_ms = 0;
    bool wait = pawl_cli_flag(cli, "wait");
    if (!pawl_cli_span_ms(cli, "timeout", 0, &timeout_ms))
        return PAWL_EXIT_USAGE;
    if (pawl_cli_flag(cli, "timeout") && !wait)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--timeout goes with --wait");
    uint64_t deadline_ms = pawl_cli_flag(cli, "timeout") ? mono_now_ms() + timeout_ms : 0;
    json_t *body = start_request(cli);
    if (body == NULL)
        return PAWL_EXIT_USAGE;
    int status = wait ? start_and_wait(cli, body, deadline_ms) : start_and_print(cli, body);
    json_decref(body);
    return status;
}

int pawl_cli_wait(pawl_cli *cli)
{
    uint64_t timeout_ms = 0;
    if (!pawl_cli_span_ms(cli, "timeout", 0, &timeout_ms))
        return PAWL_EXIT_USAGE;
    uint64_t deadline_ms = pawl_cli_flag(cli, "timeout") ? mono_now_ms() + timeout_ms : 0;
    int worst = PAWL_EXIT_OK;
    for (int i = 0; i < cli->argument_count; i++) {
        json_t *outcome = NULL;
        int status = wait_for(cli, cli->arguments[i], deadline_ms, &outcome);
        if (status != PAWL_EXIT_OK)
            return status;
        if (cli->json) {
            json_t *whole = json_pack("{s:s, s:O}", "id", cli->arguments[i], "outcome", outcome);
            pawl_cli_put_json(cli->out, whole);
            json_decref(whole);
        } else {
            print_ending(cli, cli->arguments[i], outcome);
        }
        if (!completed(outcome))
            worst = PAWL_EXIT_NOT_COMPLETED;
        json_decref(outcome);
        fflush(cli->out);
    }
    return worst;
}
