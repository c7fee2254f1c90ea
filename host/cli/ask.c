/* ask.c: finding the server and asking it. Connects only when a command asks something. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/cli.h"

#define ANSWER_MS_MAX 120000u /* beyond any wait that the server holds */

const char *pawl_cli_profile(const pawl_cli *cli)
{
    const char *path = pawl_cli_value(cli, "profile");
    if (path == NULL || path[0] == '\0')
        path = getenv("PAWL_PROFILE");
    if (path != NULL && path[0] != '\0')
        return path;
    return access("pawl.yaml", F_OK) == 0 ? "pawl.yaml" : NULL;
}

static pawl_status connect_client(pawl_cli *cli, pawl_error *error)
{
    const char *socket_path = pawl_cli_value(cli, "socket");
    const char *profile = pawl_cli_profile(cli);
    pawl_server_place place = {.socket = ""};
    if (socket_path == NULL && profile == NULL) {
        *error = (pawl_error){.status = PAWL_E_INVALID};
        snprintf(error->code, sizeof error->code, "usage");
        snprintf(error->message, sizeof error->message,
                 "which server? Give --profile FILE or --socket PATH, set PAWL_PROFILE, or run in a directory with a "
                 "pawl.yaml");
        return PAWL_E_INVALID;
    }
    if (socket_path != NULL)
        return pawl_client_open(socket_path, NULL, &cli->client, error);
    pawl_status status = pawl_api_find_server(profile, &place, error);
    return status == PAWL_OK ? pawl_client_open(place.socket, profile, &cli->client, error) : status;
}

static int not_connected(pawl_cli *cli, const pawl_error *error)
{
    bool named = pawl_cli_value(cli, "socket") != NULL;
    int status = strcmp(error->code, "usage") == 0 ? PAWL_EXIT_USAGE
                 : named                           ? pawl_cli_exit_code(error)
                                                   : PAWL_EXIT_REFUSED; /* the profile did not say where */
    return pawl_cli_fail(cli, status, error->code, "%s", error->message);
}

pawl_status pawl_cli_try(pawl_cli *cli, const char *method, const char *path, const json_t *body,
                         pawl_client_reply *ret, pawl_error *error)
{
    memset(ret, 0, sizeof *ret);
    pawl_status status = cli->client == NULL ? connect_client(cli, error) : PAWL_OK;
    return status == PAWL_OK ? pawl_client_call(cli->client, method, path, body, 0, ret, error) : status;
}

int pawl_cli_connect(pawl_cli *cli)
{
    pawl_error error = {0};
    return cli->client == NULL && connect_client(cli, &error) != PAWL_OK ? not_connected(cli, &error) : PAWL_EXIT_OK;
}

int pawl_cli_ask(pawl_cli *cli, const char *method, char *path, const json_t *body, pawl_client_reply *ret)
{
    pawl_error error = {0};
    memset(ret, 0, sizeof *ret);
    int status = PAWL_EXIT_OK;
    if (cli->client == NULL && connect_client(cli, &error) != PAWL_OK)
        status = not_connected(cli, &error);
    if (status == PAWL_EXIT_OK &&
        pawl_client_call(cli->client, method, path, body, ANSWER_MS_MAX, ret, &error) != PAWL_OK)
        status = pawl_cli_fail_error(cli, &error);
    free(path);
    return status;
}

int pawl_cli_ask_json(pawl_cli *cli, const char *method, char *path, const json_t *body, json_t **ret_json)
{
    pawl_client_reply reply;
    *ret_json = NULL;
    int status = pawl_cli_ask(cli, method, path, body, &reply);
    if (status != PAWL_EXIT_OK)
        return status;
    if (reply.json == NULL) {
        pawl_client_reply_finish(&reply);
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "client.reply", "the server's answer is not JSON");
    }
    *ret_json = json_incref(reply.json);
    pawl_client_reply_finish(&reply);
    if (cli->json)
        pawl_cli_put_json(cli->out, *ret_json);
    return PAWL_EXIT_OK;
}
