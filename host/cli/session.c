/* session.c: `pawl session`: the state of sessions, looked at and changed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/api/uri.h"
#include "host/cli/cli.h"

static char *session_path(const pawl_cli *cli, const char *suffix)
{
    return pawl_client_path("sessions", cli->arguments[0], suffix);
}

/* --after and --limit, behind a path that is consumed. */
static int page(pawl_cli *cli, char *path, json_t **ret)
{
    uint64_t limit = 0;
    char number[24];
    if (!pawl_cli_number(cli, "limit", 1, 1000, 100, &limit)) {
        free(path);
        return PAWL_EXIT_USAGE;
    }
    snprintf(number, sizeof number, "%" PRIu64, limit);
    path = pawl_client_query(path, "limit", number);
    path = pawl_client_query(path, "after", pawl_cli_value(cli, "after"));
    return pawl_cli_ask_json(cli, "GET", path, NULL, ret);
}

static void say_next(const pawl_cli *cli, const json_t *reply)
{
    const char *next = json_string_value(json_object_get(reply, "next"));
    if (next == NULL)
        return;
    fputs("more: --after ", cli->err);
    pawl_cli_put(cli->err, next);
    fputc('\n', cli->err);
}

int pawl_cli_session_list(pawl_cli *cli)
{
    json_t *reply = NULL;
    int status = page(cli, strdup("/v1/sessions"), &reply);
    if (status == PAWL_EXIT_OK && !cli->json) {
        size_t index;
        json_t *one;
        pawl_cli_table table = {.columns = 2};
        pawl_cli_table_add(&table, PAWL_COLOR_BOLD, "SESSION");
        pawl_cli_table_add(&table, PAWL_COLOR_BOLD, "REVISION");
        json_array_foreach(json_object_get(reply, "sessions"), index, one)
        {
            char revision[24];
            snprintf(revision, sizeof revision, "%" JSON_INTEGER_FORMAT,
                     json_integer_value(json_object_get(one, "revision")));
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(one, "session"));
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, revision);
        }
        pawl_cli_table_print(cli, &table);
        say_next(cli, reply);
    }
    json_decref(reply);
    return status;
}

static void print_values(const pawl_cli *cli, const json_t *reply)
{
    size_t index;
    json_t *one;
    fprintf(cli->out, "revision %" JSON_INTEGER_FORMAT "\n", json_integer_value(json_object_get(reply, "revision")));
    json_array_foreach(json_object_get(reply, "values"), index, one)
    {
        const json_t *value = json_object_get(one, "value");
        pawl_cli_put(cli->out, pawl_cli_text(one, "key"));
        fputs(value != NULL ? "  " : "  (base64) ", cli->out);
        pawl_cli_put_value(cli->out, value != NULL ? value : json_object_get(one, "value_base64"));
        fputc('\n', cli->out);
    }
}

int pawl_cli_session_show(pawl_cli *cli)
{
    json_t *reply = NULL;
    char *path = pawl_client_query(session_path(cli, ""), "prefix", pawl_cli_value(cli, "prefix"));
    int status = page(cli, path, &reply);
    if (status == PAWL_EXIT_OK && !cli->json) {
        print_values(cli, reply);
        say_next(cli, reply);
    }
    json_decref(reply);
    return status;
}

int pawl_cli_session_get(pawl_cli *cli)
{
    json_t *reply = NULL;
    char *key = pawl_uri_encode(cli->arguments[1]);
    char *suffix = key == NULL ? NULL : malloc(strlen(key) + sizeof "/state/");
    if (suffix != NULL)
        sprintf(suffix, "/state/%s", key);
    char *path = suffix == NULL ? NULL : session_path(cli, suffix);
    free(key);
    free(suffix);
    int status = pawl_cli_ask_json(cli, "GET", path, NULL, &reply);
    if (status == PAWL_EXIT_OK && !cli->json) {
        const json_t *value = json_object_get(reply, "value");
        pawl_cli_put_value(cli->out, value != NULL ? value : json_object_get(reply, "value_base64"));
        fputc('\n', cli->out);
    }
    json_decref(reply);
    return status;
}

/* Commit one change, which is taken over, against --revision. */
static int commit(pawl_cli *cli, json_t *change)
{
    uint64_t revision = 0;
    json_t *reply = NULL;
    if (change == NULL || !pawl_cli_number(cli, "revision", 0, INT64_MAX, 0, &revision)) {
        json_decref(change);
        return change == NULL ? pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.no_memory", "out of memory")
                              : PAWL_EXIT_USAGE;
    }
    json_t *body = json_pack("{s:[o]}", "changes", change);
    if (pawl_cli_value(cli, "revision") != NULL)
        (void)json_object_set_new(body, "revision", json_integer((json_int_t)revision));
    int status = pawl_cli_ask_json(cli, "POST", session_path(cli, "/commit"), body, &reply);
    json_decref(body);
    if (status == PAWL_EXIT_OK && !cli->json) {
        pawl_cli_put(cli->out, cli->arguments[0]);
        fprintf(cli->out, ": revision %" JSON_INTEGER_FORMAT "\n",
                json_integer_value(json_object_get(reply, "revision")));
    }
    json_decref(reply);
    return status;
}

int pawl_cli_session_set(pawl_cli *cli)
{
    const char *text = pawl_cli_value(cli, "text");
    const char *value = cli->argument_count > 2 ? cli->arguments[2] : NULL;
    if ((text == NULL) == (value == NULL))
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "give VALUE or --text, one of them");
    json_t *change = json_pack("{s:s}", pawl_cli_flag(cli, "new") ? "put_new" : "put", cli->arguments[1]);
    if (change != NULL && !pawl_cli_put_content(cli, change, "value", value != NULL ? value : text, value != NULL)) {
        json_decref(change);
        return PAWL_EXIT_USAGE;
    }
    return commit(cli, change);
}

int pawl_cli_session_unset(pawl_cli *cli)
{
    return commit(cli, json_pack("{s:s}", "delete", cli->arguments[1]));
}

/* ---- handles and the end of a session ---- */

static int let_go(pawl_cli *cli, const char *what, const char *done)
{
    json_t *reply = NULL;
    json_t *body = json_object();
    int status = pawl_cli_ask_json(cli, "POST", session_path(cli, what), body, &reply);
    json_decref(body);
    if (status == PAWL_EXIT_OK && !cli->json) {
        pawl_cli_put(cli->out, cli->arguments[0]);
        fprintf(cli->out, ": %s; %" JSON_INTEGER_FORMAT " processes asked to stop, %" JSON_INTEGER_FORMAT " kept\n",
                done, json_integer_value(json_object_get(reply, "cancelled")),
                json_integer_value(json_object_get(reply, "preserved")));
    }
    json_decref(reply);
    return status;
}

int pawl_cli_session_delete(pawl_cli *cli)
{
    return let_go(cli, "/delete", "deleted");
}

int pawl_cli_session_release(pawl_cli *cli)
{
    return let_go(cli, "/release", "released");
}

int pawl_cli_handle_list(pawl_cli *cli)
{
    json_t *reply = NULL;
    int status = pawl_cli_ask_json(cli, "GET", session_path(cli, "/handles"), NULL, &reply);
    size_t index;
    json_t *id;
    if (status == PAWL_EXIT_OK && !cli->json)
        json_array_foreach(json_object_get(reply, "handles"), index, id)
        {
            pawl_cli_put(cli->out, json_string_value(id));
            fputc('\n', cli->out);
        }
    json_decref(reply);
    return status;
}

static int change_handles(pawl_cli *cli, json_t *body, const char *done)
{
    json_t *reply = NULL;
    int status = pawl_cli_ask_json(cli, "POST", session_path(cli, "/handles"), body, &reply);
    json_decref(body);
    json_decref(reply);
    if (status == PAWL_EXIT_OK && !cli->json) {
        pawl_cli_put(cli->out, cli->arguments[0]);
        fprintf(cli->out, ": %s\n", done);
    }
    return status;
}

int pawl_cli_handle_grant(pawl_cli *cli)
{
    return change_handles(cli, json_pack("{s:s}", "grant", cli->arguments[1]), "granted");
}

int pawl_cli_handle_revoke(pawl_cli *cli)
{
    return change_handles(cli, json_pack("{s:s}", "revoke", cli->arguments[1]), "revoked");
}

int pawl_cli_handle_transfer(pawl_cli *cli)
{
    json_t *ids = json_array();
    for (int i = 2; i < cli->argument_count; i++)
        (void)json_array_append_new(ids, json_string(cli->arguments[i]));
    return change_handles(cli, json_pack("{s:o, s:s}", "transfer", ids, "to", cli->arguments[1]), "transferred");
}
