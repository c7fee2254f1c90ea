/* versions.c: `pawl plugin list`, `unused` and `forget`: versions of plugins, and what is pinned to them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"

static void add_joined(pawl_cli_table *table, const json_t *list)
{
    char text[256] = "";
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) if (json_is_string(item))
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? "," : "", json_string_value(item));
    pawl_cli_table_add(table, PAWL_COLOR_NONE, text);
}

static void add_row(pawl_cli_table *table, const json_t *plugin, bool complete)
{
    char digest[16], processes[40];
    bool loaded = json_is_true(json_object_get(plugin, "loaded"));
    bool current = json_is_true(json_object_get(plugin, "current"));
    snprintf(digest, sizeof digest, "%.12s", pawl_cli_text(plugin, "digest"));
    snprintf(processes, sizeof processes, "%" JSON_INTEGER_FORMAT "%s",
             json_integer_value(json_object_get(plugin, "processes")), complete ? "" : " or more");
    pawl_cli_table_add(table, PAWL_COLOR_NONE, pawl_cli_text(plugin, "id"));
    pawl_cli_table_add(table, PAWL_COLOR_NONE, pawl_cli_text(plugin, "version"));
    add_joined(table, json_object_get(plugin, "kinds"));
    pawl_cli_table_add(table, PAWL_COLOR_NONE, digest);
    pawl_cli_table_add(table, PAWL_COLOR_NONE, !loaded ? "not loaded" : current ? "current" : "older");
    pawl_cli_table_add(table, PAWL_COLOR_NONE, processes);
    pawl_cli_table_add(table, PAWL_COLOR_NONE, pawl_cli_text(plugin, "path"));
}

static void print(pawl_cli *cli, const json_t *plugins, bool complete)
{
    static const char *const heads[] = {"ID", "VERSION", "KINDS", "DIGEST", "STATE", "PROCESSES", "PATH"};
    pawl_cli_table table = {.columns = 7};
    size_t i;
    json_t *plugin;
    for (size_t h = 0; h < 7; h++)
        pawl_cli_table_add(&table, PAWL_COLOR_DIM, heads[h]);
    json_array_foreach(plugins, i, plugin) add_row(&table, plugin, complete);
    pawl_cli_table_print(cli, &table);
}

static int ask(pawl_cli *cli, json_t **ret_plugins, bool *ret_complete)
{
    uint64_t limit = 0;
    char number[32];
    pawl_client_reply reply;
    if (!pawl_cli_number(cli, "limit", 1, UINT64_MAX, 100000, &limit))
        return PAWL_EXIT_USAGE;
    snprintf(number, sizeof number, "%" PRIu64, limit);
    int status = pawl_cli_ask(cli, "GET", pawl_client_query(strdup("/v1/plugins"), "limit", number), NULL, &reply);
    if (status != PAWL_EXIT_OK)
        return status;
    *ret_plugins = json_incref(json_object_get(reply.json, "plugins"));
    *ret_complete = json_is_true(json_object_get(reply.json, "complete"));
    pawl_client_reply_finish(&reply);
    return PAWL_EXIT_OK;
}

static void show(pawl_cli *cli, const json_t *plugins, bool complete)
{
    if (cli->json) {
        json_t *whole = json_pack("{s:O?, s:b}", "plugins", plugins, "complete", (int)complete);
        pawl_cli_put_json(cli->out, whole);
        json_decref(whole);
    } else {
        print(cli, plugins, complete);
    }
    if (!complete && !cli->json)
        fputs("not every live process was looked at (--limit)\n", cli->err);
}

int pawl_cli_plugin_list(pawl_cli *cli)
{
    json_t *plugins = NULL;
    bool complete = false;
    int status = ask(cli, &plugins, &complete);
    if (status == PAWL_EXIT_OK)
        show(cli, plugins, complete);
    json_decref(plugins);
    return status;
}

/* Storage and what is linked in are no versions; what is current is used by what begins next. */
static bool is_unused(const json_t *plugin)
{
    return json_is_string(json_object_get(plugin, "digest")) &&
           json_integer_value(json_object_get(plugin, "processes")) == 0 &&
           !json_is_true(json_object_get(plugin, "current"));
}

int pawl_cli_plugin_unused(pawl_cli *cli)
{
    json_t *plugins = NULL;
    bool complete = false;
    int status = ask(cli, &plugins, &complete);
    if (status != PAWL_EXIT_OK)
        return status;
    json_t *unused = json_array();
    size_t i;
    json_t *plugin;
    json_array_foreach(plugins, i, plugin) if (is_unused(plugin)) json_array_append(unused, plugin);
    if (!complete)
        status = pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.incomplete",
                               "there are more live processes than were looked at: give a larger --limit");
    else
        show(cli, unused, true);
    json_decref(unused);
    json_decref(plugins);
    return status;
}

int pawl_cli_plugin_forget(pawl_cli *cli)
{
    char path[200];
    json_t *reply = NULL;
    if (strspn(cli->arguments[0], "0123456789abcdef") != 64 || strlen(cli->arguments[0]) != 64)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage",
                             "DIGEST is \"%.80s\"; wanted 64 hex digits, as pawl plugin unused --json shows them",
                             cli->arguments[0]);
    snprintf(path, sizeof path, "/v1/plugins/%s/forget", cli->arguments[0]);
    json_t *body = json_object();
    int status = pawl_cli_ask_json(cli, "POST", strdup(path), body, &reply);
    if (status == PAWL_EXIT_OK && !cli->json)
        fputs("forgotten\n", cli->out);
    json_decref(body);
    json_decref(reply);
    return status;
}
