/* host.c: the running host as a whole: what it is, its plugins, stopping its worker; and what this program is. */
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"

int pawl_cli_host(pawl_cli *cli)
{
    json_t *host = NULL;
    int status = pawl_cli_ask_json(cli, "GET", strdup("/v1/host"), NULL, &host);
    if (status == PAWL_EXIT_OK && !cli->json)
        pawl_cli_put_object(cli, host, 0);
    json_decref(host);
    return status;
}

int pawl_cli_drain(pawl_cli *cli)
{
    const char *mode = pawl_cli_value(cli, "mode");
    uint64_t timeout_ms = 0;
    if (!pawl_cli_span_ms(cli, "timeout", 0, &timeout_ms))
        return PAWL_EXIT_USAGE;
    json_t *body =
        json_pack("{s:s, s:I}", "mode", mode == NULL ? "graceful" : mode, "timeout_ms", (json_int_t)timeout_ms);
    json_t *reply = NULL;
    int status = pawl_cli_ask_json(cli, "POST", strdup("/v1/drain"), body, &reply);
    if (status == PAWL_EXIT_OK && !cli->json)
        fputs("the worker has stopped; the server goes on answering\n", cli->out);
    json_decref(body);
    json_decref(reply);
    return status;
}

int pawl_cli_version(pawl_cli *cli)
{
    if (cli->json)
        fprintf(cli->out, "{\"version\":\"%s\",\"abi\":\"%u.%u\"}\n", pawl_library_version(), PAWL_ABI_MAJOR,
                PAWL_ABI_MINOR);
    else
        fprintf(cli->out, "pawl %s (plugin ABI %u.%u)\n", pawl_library_version(), PAWL_ABI_MAJOR, PAWL_ABI_MINOR);
    return PAWL_EXIT_OK;
}
