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

static int connect_client(pawl_cli *cli)
{
    const char *socket_path = pawl_cli_value(cli, "socket");
    const char *profile = pawl_cli_profile(cli);
    pawl_server_place place = {.socket = ""};
    pawl_error error = {0};
    if (socket_path == NULL && profile == NULL)
        return pawl_cli_fail(
            cli, PAWL_EXIT_USAGE, "usage",
            "which server? Give --profile FILE or --socket PATH, set PAWL_PROFILE, or run in a directory "
            "with a pawl.yaml");
    if (socket_path == NULL) {
        if (pawl_api_find_server(profile, &place, &error) != PAWL_OK)
            return pawl_cli_fail(cli, PAWL_EXIT_REFUSED, error.code, "%s", error.message);
        socket_path = place.socket;
    } else {
        profile = NULL;
    }
    if (pawl_client_open(socket_path, profile, &cli->client, &error) != PAWL_OK)
        return pawl_cli_fail_error(cli, &error);
    return PAWL_EXIT_OK;
}

int pawl_cli_ask(pawl_cli *cli, const char *method, char *path, const json_t *body, pawl_client_reply *ret)
{
    pawl_error error = {0};
    memset(ret, 0, sizeof *ret);
    int status = cli->client == NULL ? connect_client(cli) : PAWL_EXIT_OK;
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
