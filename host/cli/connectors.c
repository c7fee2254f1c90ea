/* connectors.c: the connectors and effects that something stands in front of, and how that is now. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"

static uint64_t number_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* What middleware says of itself, as it said it. */
static void say_detail(const json_t *guard, char *text, size_t room)
{
    const json_t *detail = json_object_get(guard, "detail");
    char *said = detail == NULL ? NULL : json_dumps(detail, JSON_COMPACT | JSON_ENCODE_ANY);
    snprintf(text, room, "%s", said == NULL ? pawl_cli_text(guard, "plugin") : said);
    free(said);
}

/* How a guard is now, in words. */
static void say_state(const json_t *guard, char *text, size_t room)
{
    const char *state = pawl_cli_text(guard, "state");
    uint64_t calls = number_of(guard, "calls"), failed = number_of(guard, "failed"), slow = number_of(guard, "slow");
    if (strcmp(state, "open") == 0)
        snprintf(text, room,
                 "open for %" PRIu64 " s more: of %" PRIu64 " calls %" PRIu64 " failed, %" PRIu64 " were slow",
                 (number_of(guard, "open_left_ns") + 999999999u) / 1000000000u, calls, failed, slow);
    else if (*state != '\0')
        snprintf(text, room, "%s: of %" PRIu64 " calls %" PRIu64 " failed, %" PRIu64 " were slow",
                 strcmp(state, "half_open") == 0 ? "half open" : state, calls, failed, slow);
    else if (strcmp(pawl_cli_text(guard, "guard"), "middleware") == 0)
        say_detail(guard, text, room);
    else if (json_object_get(guard, "burst") != NULL)
        snprintf(text, room, "%" PRIu64 " of %" PRIu64 " tokens", number_of(guard, "tokens"),
                 number_of(guard, "burst"));
    else
        snprintf(text, room, "%" PRIu64 " of %" PRIu64 " places taken, %" PRIu64 " wait", number_of(guard, "taken"),
                 number_of(guard, "limit"), number_of(guard, "waiting"));
}

static const char *color_of(const json_t *guard)
{
    const char *state = pawl_cli_text(guard, "state");
    return strcmp(state, "open") == 0        ? PAWL_COLOR_RED
           : strcmp(state, "half_open") == 0 ? PAWL_COLOR_YELLOW
                                             : PAWL_COLOR_NONE;
}

static void add_number(pawl_cli_table *table, const json_t *guard, const char *key)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, number_of(guard, key));
    pawl_cli_table_add(table, PAWL_COLOR_NONE, text);
}

static void add_connectors(pawl_cli_table *table, const json_t *connectors)
{
    size_t i;
    json_t *connector;
    json_array_foreach(connectors, i, connector)
    {
        bool paused = json_object_get(connector, "paused") != NULL;
        pawl_cli_table_add(table, PAWL_COLOR_NONE, pawl_cli_text(connector, "name"));
        pawl_cli_table_add(table, PAWL_COLOR_NONE, "connector");
        for (size_t cell = 0; cell < 3; cell++)
            pawl_cli_table_add(table, PAWL_COLOR_NONE, "");
        pawl_cli_table_add(table, paused ? PAWL_COLOR_YELLOW : PAWL_COLOR_NONE,
                           paused                                                  ? "paused by an operator"
                           : json_is_true(json_object_get(connector, "available")) ? "available"
                                                                                   : "its plugin is not there");
    }
}

int pawl_cli_connectors(pawl_cli *cli)
{
    static const char *const heads[] = {"NAME", "WHAT", "PASSED", "HELD", "REFUSED", "NOW"};
    pawl_client_reply reply;
    int status = pawl_cli_ask(cli, "GET", strdup("/v1/host"), NULL, &reply);
    if (status != PAWL_EXIT_OK)
        return status;
    json_t *connectors = json_object_get(reply.json, "connectors"), *guards = json_object_get(reply.json, "guards");
    if (cli->json) {
        json_t *whole = json_pack("{s:O?, s:O?}", "connectors", connectors, "guards", guards);
        pawl_cli_put_json(cli->out, whole);
        json_decref(whole);
    } else {
        pawl_cli_table table = {.columns = 6};
        size_t i;
        json_t *guard;
        for (size_t h = 0; h < 6; h++)
            pawl_cli_table_add(&table, PAWL_COLOR_DIM, heads[h]);
        add_connectors(&table, connectors);
        json_array_foreach(guards, i, guard)
        {
            char text[160];
            say_state(guard, text, sizeof text);
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(guard, "of"));
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(guard, "guard"));
            add_number(&table, guard, "passed");
            add_number(&table, guard, "held");
            add_number(&table, guard, "refused");
            pawl_cli_table_add(&table, color_of(guard), text);
        }
        pawl_cli_table_print(cli, &table);
    }
    pawl_client_reply_finish(&reply);
    return PAWL_EXIT_OK;
}
