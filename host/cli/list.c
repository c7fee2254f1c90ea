/* list.c: `pawl ps` and `pawl count`. Reads pages until it has what was asked for; holds no more than that. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"

#define PAGE 1000u

static char *page_path(const pawl_cli *cli, uint64_t limit, uint64_t after)
{
    char number[32];
    const char *status = pawl_cli_value(cli, "status");
    if (status == NULL && !pawl_cli_flag(cli, "all"))
        status = "live";
    char *path = pawl_client_query(strdup("/v1/processes"), "status", status);
    path = pawl_client_query(path, "type", pawl_cli_value(cli, "type"));
    path = pawl_client_query(path, "session", pawl_cli_value(cli, "session"));
    path = pawl_client_query(path, "parent", pawl_cli_value(cli, "parent"));
    path = pawl_client_query(path, "prefix", pawl_cli_value(cli, "prefix"));
    path = pawl_client_query(path, "where", pawl_cli_value(cli, "where"));
    path = pawl_client_query(path, "plugin", pawl_cli_value(cli, "plugin"));
    path = pawl_client_query(path, "digest", pawl_cli_value(cli, "digest"));
    path = pawl_client_query(path, "documents", pawl_cli_flag(cli, "documents") ? "1" : NULL);
    path = pawl_client_query(path, "newest", pawl_cli_flag(cli, "newest") ? "1" : NULL);
    snprintf(number, sizeof number, "%" PRIu64, limit);
    path = pawl_client_query(path, "limit", number);
    snprintf(number, sizeof number, "%" PRIu64, after);
    return pawl_client_query(path, "after", after == 0 ? NULL : number);
}

/* All rows asked for, in *rows; *next is where a further page would begin, 0 at the end. */
static int read_rows(pawl_cli *cli, uint64_t limit, uint64_t after, json_t *rows, uint64_t *next)
{
    *next = after;
    do {
        uint64_t left = limit - json_array_size(rows);
        pawl_client_reply reply;
        int status = pawl_cli_ask(cli, "GET", page_path(cli, left < PAGE ? left : PAGE, *next), NULL, &reply);
        if (status != PAWL_EXIT_OK)
            return status;
        json_array_extend(rows, json_object_get(reply.json, "processes"));
        *next = (uint64_t)json_integer_value(json_object_get(reply.json, "next"));
        pawl_client_reply_finish(&reply);
    } while (*next != 0 && json_array_size(rows) < limit);
    return PAWL_EXIT_OK;
}

static void print_table(const pawl_cli *cli, const json_t *rows)
{
    static const char *const heads[] = {"ID", "TYPE", "STATUS", "AGE", "WHY"};
    pawl_cli_table table = {.columns = 5};
    uint64_t now = pawl_cli_now_unix_ns();
    size_t i;
    json_t *row;
    for (size_t h = 0; h < 5; h++)
        pawl_cli_table_add(&table, PAWL_COLOR_DIM, heads[h]);
    json_array_foreach(rows, i, row)
    {
        char age[32];
        const char *status = pawl_cli_text(row, "status");
        pawl_cli_age(pawl_cli_time(row, "created"), now, age, sizeof age);
        pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(row, "id"));
        pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(row, "type"));
        pawl_cli_table_add(&table, pawl_cli_status_color(status), status);
        pawl_cli_table_add(&table, PAWL_COLOR_NONE, age);
        pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(row, "why"));
    }
    pawl_cli_table_print(cli, &table);
}

static void print_rows(pawl_cli *cli, const json_t *rows, uint64_t next)
{
    if (cli->json) {
        json_t *whole = json_pack("{s:O, s:o}", "processes", rows, "next",
                                  next == 0 ? json_null() : json_integer((json_int_t)next));
        pawl_cli_put_json(cli->out, whole);
        json_decref(whole);
    } else if (json_array_size(rows) == 0) {
        fputs("no processes (pawl ps --all shows ended ones too)\n", cli->err);
    } else {
        print_table(cli, rows);
    }
    if (next != 0 && !cli->json)
        fprintf(cli->err, "there are more: pawl ps --after %" PRIu64 ", or a larger --limit\n", next);
}

int pawl_cli_ps(pawl_cli *cli)
{
    uint64_t limit = 0;
    uint64_t after = 0;
    uint64_t next = 0;
    if (!pawl_cli_number(cli, "limit", 1, 1000000000, 100, &limit) ||
        !pawl_cli_number(cli, "after", 1, UINT64_MAX, 0, &after))
        return PAWL_EXIT_USAGE;
    if (pawl_cli_flag(cli, "all") && pawl_cli_flag(cli, "status"))
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "give --all or --status, not both");
    json_t *rows = json_array();
    int status = read_rows(cli, limit, after, rows, &next);
    if (status == PAWL_EXIT_OK)
        print_rows(cli, rows, next);
    json_decref(rows);
    return status;
}

int pawl_cli_count(pawl_cli *cli)
{
    static const char *const keys[] = {"status", "type", "session", "prefix", "where", "plugin", "digest"};
    char number[32];
    uint64_t limit = 0;
    json_t *reply = NULL;
    if (!pawl_cli_number(cli, "limit", 1, UINT64_MAX, 1000000, &limit))
        return PAWL_EXIT_USAGE;
    snprintf(number, sizeof number, "%" PRIu64, limit);
    char *path = pawl_client_query(strdup("/v1/count"), "limit", number);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        path = pawl_client_query(path, keys[i], pawl_cli_value(cli, keys[i]));
    int status = pawl_cli_ask_json(cli, "GET", path, NULL, &reply);
    if (status == PAWL_EXIT_OK && !cli->json) {
        bool complete = json_is_true(json_object_get(reply, "complete"));
        fprintf(cli->out, "%" JSON_INTEGER_FORMAT "%s\n", json_integer_value(json_object_get(reply, "count")),
                complete ? "" : " or more");
        if (!complete)
            fputs("counting stopped at its limit (--limit)\n", cli->err);
    }
    json_decref(reply);
    return status;
}
