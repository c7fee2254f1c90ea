/* process.c: telling a process something: signal, update, cancel, terminate, pause, resume, restart, complete. */
#include <stdlib.h>
#include <string.h>

#include "host/api/uri.h"
#include "host/cli/cli.h"

/* POST a body to /v1/processes/ID/WHAT and, without --json, say what was done. The body is taken over. */
static int tell(pawl_cli *cli, const char *what, json_t *body, const char *done)
{
    json_t *reply = NULL;
    if (body == NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.no_memory", "out of memory");
    int status = pawl_cli_ask_json(cli, "POST", pawl_client_process_path(cli->arguments[0], what), body, &reply);
    json_decref(body);
    if (status == PAWL_EXIT_OK && !cli->json) {
        pawl_cli_put(cli->out, cli->arguments[0]);
        fprintf(cli->out, ": %s\n", json_is_true(json_object_get(reply, "replayed")) ? "was sent before" : done);
    }
    json_decref(reply);
    return status;
}

static json_t *with_text(const pawl_cli *cli, const char *option, const char *key, json_t *body)
{
    const char *text = pawl_cli_value(cli, option);
    if (text != NULL && body != NULL)
        json_object_set_new(body, key, json_string(text));
    return body;
}

int pawl_cli_signal(pawl_cli *cli)
{
    const char *payload = cli->argument_count > 2 ? cli->arguments[2] : NULL;
    const char *text = pawl_cli_value(cli, "text");
    if (payload != NULL && text != NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "give PAYLOAD or --text, not both");
    json_t *body =
        with_text(cli, "as", "as", with_text(cli, "signal-id", "id", json_pack("{s:s}", "name", cli->arguments[1])));
    bool good = body != NULL;
    if (good && payload != NULL)
        good = pawl_cli_put_content(cli, body, "payload", payload, true);
    if (good && text != NULL)
        good = pawl_cli_put_content(cli, body, "payload", text, false);
    if (!good) {
        json_decref(body);
        return PAWL_EXIT_USAGE;
    }
    return tell(cli, "/signals", body, "signal sent");
}

/* Prints the reply alone, so that it can be used; a rejection is a failure. */
static int print_answer(pawl_cli *cli, const json_t *reply)
{
    bool rejected = strcmp(pawl_cli_text(reply, "status"), "rejected") == 0;
    if (cli->json) /* printed as it came */
        return rejected ? PAWL_EXIT_FAILED : PAWL_EXIT_OK;
    if (rejected)
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, pawl_cli_text(reply, "code"), "%s",
                             pawl_cli_text(reply, "message"));
    const json_t *value = json_object_get(reply, "reply");
    pawl_cli_put_value(cli->out, value != NULL ? value : json_object_get(reply, "reply_base64"));
    fputc('\n', cli->out);
    return PAWL_EXIT_OK;
}

int pawl_cli_update(pawl_cli *cli)
{
    const char *payload = cli->argument_count > 2 ? cli->arguments[2] : NULL;
    char what[1024];
    uint64_t timeout_ms = 0;
    json_t *reply = NULL;
    if (!pawl_cli_span_ms(cli, "timeout", 10000, &timeout_ms))
        return PAWL_EXIT_USAGE;
    char *name = pawl_uri_encode(cli->arguments[1]);
    json_t *body = with_text(cli, "id", "id", json_pack("{s:I}", "timeout_ms", (json_int_t)timeout_ms));
    if (body == NULL || name == NULL) {
        free(name);
        json_decref(body);
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.no_memory", "out of memory");
    }
    snprintf(what, sizeof what, "/updates/%s", name);
    free(name);
    if (payload != NULL && !pawl_cli_put_content(cli, body, "payload", payload, true)) {
        json_decref(body);
        return PAWL_EXIT_USAGE;
    }
    int status = pawl_cli_ask_json(cli, "POST", pawl_client_process_path(cli->arguments[0], what), body, &reply);
    json_decref(body);
    if (status == PAWL_EXIT_OK)
        status = print_answer(cli, reply);
    json_decref(reply);
    return status;
}

int pawl_cli_cancel(pawl_cli *cli)
{
    return tell(cli, "/cancel", with_text(cli, "as", "as", with_text(cli, "reason", "reason", json_object())),
                "cancel requested");
}

int pawl_cli_terminate(pawl_cli *cli)
{
    return tell(cli, "/terminate", with_text(cli, "as", "as", with_text(cli, "reason", "reason", json_object())),
                "terminated");
}

/* What pause and resume are about: ID, or --type, or --connector; exactly one. NULL: the mistake was printed. */
static const char *what_of(pawl_cli *cli, const char **ret_collection)
{
    const char *id = cli->argument_count > 0 ? cli->arguments[0] : NULL;
    const char *type = pawl_cli_value(cli, "type"), *connector = pawl_cli_value(cli, "connector");
    if ((id != NULL) + (type != NULL) + (connector != NULL) != 1) {
        (void)pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "give exactly one of ID, --type and --connector");
        return NULL;
    }
    *ret_collection = id != NULL ? "processes" : type != NULL ? "types" : "connectors";
    return id != NULL ? id : type != NULL ? type : connector;
}

static int turn(pawl_cli *cli, const char *verb, json_t *body, const char *done)
{
    const char *collection = NULL, *name = what_of(cli, &collection);
    json_t *reply = NULL;
    int status = PAWL_EXIT_USAGE;
    if (name != NULL)
        status = pawl_cli_ask_json(cli, "POST", pawl_client_path(collection, name, verb), body, &reply);
    json_decref(body);
    json_decref(reply);
    if (status == PAWL_EXIT_OK && !cli->json) {
        pawl_cli_put(cli->out, name);
        fprintf(cli->out, ": %s\n", done);
    }
    return status;
}

int pawl_cli_pause(pawl_cli *cli)
{
    return turn(cli, "/pause", with_text(cli, "reason", "reason", json_object()), "paused");
}

int pawl_cli_resume(pawl_cli *cli)
{
    return turn(cli, "/resume", json_object(), "resumed");
}

int pawl_cli_restart(pawl_cli *cli)
{
    uint64_t step = 0;
    bool start = pawl_cli_flag(cli, "from-start");
    bool end = pawl_cli_flag(cli, "at-end");
    bool given = pawl_cli_value(cli, "from") != NULL;
    if (start + end + given > 1)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "give one of --from, --from-start and --at-end");
    if (!pawl_cli_number(cli, "from", 1, INT64_MAX, 1, &step))
        return PAWL_EXIT_USAGE;
    json_t *body = given ? json_pack("{s:I}", "from", (json_int_t)step)
                         : json_pack("{s:s}", "from",
                                     start ? "start"
                                     : end ? "end"
                                           : "failure");
    body = with_text(cli, "request-id", "id", with_text(cli, "reason", "reason", body));
    return tell(cli, "/restart", body, "restarted");
}

int pawl_cli_complete(pawl_cli *cli)
{
    const char *output = pawl_cli_value(cli, "output");
    const char *text = pawl_cli_value(cli, "text");
    const char *code = pawl_cli_value(cli, "fail");
    bool cancelled = pawl_cli_flag(cli, "cancelled");
    if ((output != NULL) + (text != NULL) + (code != NULL) + cancelled != 1)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage",
                             "give exactly one of --output, --text, --fail and --cancelled");
    if (pawl_cli_flag(cli, "message") && code == NULL && !cancelled)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--message goes with --fail or --cancelled");
    json_t *body = json_pack("{s:s}", "status", code != NULL ? "failed" : cancelled ? "cancelled" : "completed");
    body = with_text(cli, "message", "message", with_text(cli, "fail", "code", body));
    bool good = body != NULL;
    if (good && output != NULL)
        good = pawl_cli_put_content(cli, body, "output", output, true);
    if (good && text != NULL)
        good = pawl_cli_put_content(cli, body, "output", text, false);
    if (!good) {
        json_decref(body);
        return PAWL_EXIT_USAGE;
    }
    return tell(cli, "/complete", body, "ended");
}
