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

static void add_joined(pawl_cli_table *table, const json_t *list)
{
    char text[256] = "";
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) if (json_is_string(item))
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? "," : "", json_string_value(item));
    pawl_cli_table_add(table, PAWL_COLOR_NONE, text);
}

int pawl_cli_plugin_list(pawl_cli *cli)
{
    static const char *const heads[] = {"ID", "VERSION", "KINDS", "DIGEST", "PATH"};
    pawl_client_reply reply;
    int status = pawl_cli_ask(cli, "GET", strdup("/v1/host"), NULL, &reply);
    if (status != PAWL_EXIT_OK)
        return status;
    json_t *plugins = json_object_get(reply.json, "plugins");
    if (cli->json) {
        json_t *whole = json_pack("{s:O?}", "plugins", plugins);
        pawl_cli_put_json(cli->out, whole);
        json_decref(whole);
    } else {
        pawl_cli_table table = {.columns = 5};
        size_t i;
        json_t *plugin;
        for (size_t h = 0; h < 5; h++)
            pawl_cli_table_add(&table, PAWL_COLOR_DIM, heads[h]);
        json_array_foreach(plugins, i, plugin)
        {
            char digest[16];
            snprintf(digest, sizeof digest, "%.12s", pawl_cli_text(plugin, "digest"));
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(plugin, "id"));
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(plugin, "version"));
            add_joined(&table, json_object_get(plugin, "kinds"));
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, digest);
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(plugin, "path"));
        }
        pawl_cli_table_print(cli, &table);
    }
    pawl_client_reply_finish(&reply);
    return PAWL_EXIT_OK;
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
