/* show.c: `pawl show` and `pawl journal`: one process, as it is and as it came to be. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"

#define PAGE           1000u
#define CHILDREN_SHOWN 20u

static bool is_one_of(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        if (strcmp(*keys, key) == 0)
            return true;
    return false;
}

static void print_line(const pawl_cli *cli, const char *key, const json_t *value)
{
    fputs("  ", cli->out);
    pawl_cli_put_color(cli, PAWL_COLOR_DIM, key);
    fprintf(cli->out, "%*s", strlen(key) < 14 ? 14 - (int)strlen(key) : 1, "");
    pawl_cli_put_value(cli->out, value);
    fputc('\n', cli->out);
}

static void print_time(const pawl_cli *cli, const char *key, const json_t *row)
{
    char text[96];
    uint64_t at = pawl_cli_time(row, key);
    if (at == 0)
        return;
    pawl_cli_moment(at, pawl_cli_now_unix_ns(), text, sizeof text);
    json_t *value = json_string(text);
    print_line(cli, key, value);
    json_decref(value);
}

/* The head: what it is, and in the next line the answer to "why is it not running?". */
static void print_head(const pawl_cli *cli, const json_t *row)
{
    const char *status = pawl_cli_text(row, "status");
    pawl_cli_put_color(cli, PAWL_COLOR_BOLD, pawl_cli_text(row, "id"));
    fputs("  ", cli->out);
    pawl_cli_put(cli->out, pawl_cli_text(row, "type"));
    fputs("  ", cli->out);
    pawl_cli_put_color(cli, pawl_cli_status_color(status), status);
    fputc('\n', cli->out);
    if (pawl_cli_text(row, "why")[0] != '\0') {
        fputs("  ", cli->out);
        pawl_cli_put_color(cli, PAWL_COLOR_BOLD, pawl_cli_text(row, "why"));
        fputc('\n', cli->out);
    }
}

/* The rest in the server's order, so that what a later server adds is shown too. */
static void print_rest(const pawl_cli *cli, json_t *row)
{
    static const char *const shown[] = {"id", "type", "status", "why", NULL};
    const char *key;
    json_t *value;
    json_object_foreach(row, key, value)
    {
        size_t size = strlen(key);
        bool exact_time = size > 8 && strcmp(key + size - 8, "_unix_ns") == 0;
        bool empty =
            json_is_null(value) || json_is_false(value) || (json_is_string(value) && json_string_length(value) == 0);
        if (is_one_of(key, shown) || exact_time || empty)
            continue;
        if (pawl_cli_time(row, key) != 0)
            print_time(cli, key, row);
        else
            print_line(cli, key, value);
    }
}

/* Its first children; more are what `pawl ps --parent` is for. */
static void print_children(pawl_cli *cli)
{
    char limit[16];
    json_t *page = NULL;
    json_t *child;
    size_t i;
    snprintf(limit, sizeof limit, "%u", CHILDREN_SHOWN);
    char *path = pawl_client_query(strdup("/v1/processes"), "parent", cli->arguments[0]);
    if (pawl_cli_ask_json(cli, "GET", pawl_client_query(path, "limit", limit), NULL, &page) != PAWL_EXIT_OK)
        return;
    json_array_foreach(json_object_get(page, "processes"), i, child)
    {
        json_t *line = json_sprintf("%s (%s, %s)", pawl_cli_text(child, "id"), pawl_cli_text(child, "type"),
                                    pawl_cli_text(child, "status"));
        print_line(cli, i == 0 ? "children" : "", line);
        json_decref(line);
    }
    if (!json_is_null(json_object_get(page, "next")))
        fprintf(cli->out, "  %-14smore: pawl ps --all --parent %s\n", "", cli->arguments[0]);
    json_decref(page);
}

int pawl_cli_show(pawl_cli *cli)
{
    json_t *row = NULL;
    int status = pawl_cli_ask_json(cli, "GET", pawl_client_process_path(cli->arguments[0], ""), NULL, &row);
    if (status == PAWL_EXIT_OK && !cli->json) {
        print_head(cli, row);
        print_rest(cli, row);
        print_children(cli);
    }
    json_decref(row);
    return status;
}

/* ---- journal ------------------------------------------------------------------------------------------------------
 */

static void print_record(const pawl_cli *cli, json_t *record)
{
    static const char *const shown[] = {"sequence", "kind", "time", "time_unix_ns", "name", "input_digest", NULL};
    const char *key;
    json_t *value;
    char moment[96] = "";
    uint64_t at = pawl_cli_time(record, "time");
    if (at != 0)
        pawl_cli_moment(at, at, moment, sizeof moment);
    moment[strcspn(moment, "(")] = '\0'; /* the time alone */
    fprintf(cli->out, "%6" JSON_INTEGER_FORMAT "  %s ", json_integer_value(json_object_get(record, "sequence")),
            moment);
    pawl_cli_put_color(cli, PAWL_COLOR_CYAN, pawl_cli_text(record, "kind"));
    if (pawl_cli_text(record, "name")[0] != '\0') {
        fputc(' ', cli->out);
        pawl_cli_put_color(cli, PAWL_COLOR_BOLD, pawl_cli_text(record, "name"));
    }
    json_object_foreach(record, key, value)
    {
        size_t size = strlen(key);
        bool detail = (size > 8 && strcmp(key + size - 8, "_unix_ns") == 0) ||
                      (size > 9 && strcmp(key + size - 9, "_encoding") == 0);
        if (detail || is_one_of(key, shown))
            continue;
        fputs("  ", cli->out);
        pawl_cli_put_color(cli, PAWL_COLOR_DIM, key);
        fputc('=', cli->out);
        pawl_cli_put_value(cli->out, value);
    }
    fputc('\n', cli->out);
}

static char *page_path(const pawl_cli *cli, uint64_t from, uint64_t limit, const char *whole)
{
    char number[32];
    char *path = pawl_client_process_path(cli->arguments[0], "/journal");
    snprintf(number, sizeof number, "%" PRIu64, from);
    path = pawl_client_query(path, "from", number);
    snprintf(number, sizeof number, "%" PRIu64, limit);
    path = pawl_client_query(path, "limit", number);
    return pawl_client_query(path, "whole", whole);
}

/* What has to be known of a process to live its journal again; *ret_from: where its present run begins. */
static int export_header(pawl_cli *cli, FILE *out, uint64_t *ret_from)
{
    static const char *const kept[] = {"id", "type", "revision", "run", "session", "plugin", "digest", "status", NULL};
    pawl_client_reply row, host;
    int status = pawl_cli_ask(cli, "GET", pawl_client_process_path(cli->arguments[0], ""), NULL, &row);
    if (status != PAWL_EXIT_OK)
        return status;
    status = pawl_cli_ask(cli, "GET", strdup("/v1/host"), NULL, &host);
    if (status == PAWL_EXIT_OK) {
        json_t *header =
            json_pack("{s:i, s:O*}", "pawl_journal", 1, "attributes", json_object_get(host.json, "attributes"));
        for (const char *const *key = kept; *key != NULL; key++)
            if (json_object_get(row.json, *key) != NULL)
                (void)json_object_set(header, *key, json_object_get(row.json, *key));
        *ret_from = (uint64_t)json_integer_value(json_object_get(row.json, "base"));
        pawl_cli_put_json(out, header);
        json_decref(header);
        pawl_client_reply_finish(&host);
    }
    pawl_client_reply_finish(&row);
    return status;
}

/* One record a line, with its bytes as they are stored and what they say for people. */
static int export_records(pawl_cli *cli, FILE *out, uint64_t from)
{
    while (from != 0) {
        pawl_client_reply reply;
        int status = pawl_cli_ask(cli, "GET", page_path(cli, from, PAGE, "2"), NULL, &reply);
        if (status != PAWL_EXIT_OK)
            return status;
        size_t i;
        json_t *record;
        json_t *records = json_object_get(reply.json, "records");
        json_array_foreach(records, i, record) pawl_cli_put_json(out, record);
        from = json_array_size(records) == 0 ? 0 : (uint64_t)json_integer_value(json_object_get(reply.json, "next"));
        pawl_client_reply_finish(&reply);
    }
    return PAWL_EXIT_OK;
}

static int export_journal(pawl_cli *cli, const char *path)
{
    uint64_t from = 1;
    bool standard = strcmp(path, "-") == 0;
    FILE *out = standard ? cli->out : fopen(path, "we");
    if (out == NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "journal.export", "%s: %s", path, strerror(errno));
    int status = export_header(cli, out, &from);
    if (status == PAWL_EXIT_OK)
        status = export_records(cli, out, from == 0 ? 1 : from);
    bool written = fflush(out) == 0 && ferror(out) == 0;
    if (!standard)
        written = fclose(out) == 0 && written;
    if (status == PAWL_EXIT_OK && !written)
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "journal.export", "%s: %s", path, strerror(errno));
    return status;
}

/* Page by page, so that a long journal is not held. With --json one record a line. */
int pawl_cli_journal(pawl_cli *cli)
{
    if (pawl_cli_value(cli, "export") != NULL)
        return export_journal(cli, pawl_cli_value(cli, "export"));

    uint64_t from = 0;
    uint64_t left = 0;
    const char *whole = pawl_cli_flag(cli, "whole") ? "1" : NULL;
    if (!pawl_cli_number(cli, "from", 1, UINT64_MAX, 1, &from) ||
        !pawl_cli_number(cli, "limit", 1, UINT64_MAX, UINT64_MAX, &left))
        return PAWL_EXIT_USAGE;
    do {
        pawl_client_reply reply;
        int status = pawl_cli_ask(cli, "GET", page_path(cli, from, left < PAGE ? left : PAGE, whole), NULL, &reply);
        if (status != PAWL_EXIT_OK)
            return status;
        size_t i;
        json_t *record;
        json_t *records = json_object_get(reply.json, "records");
        json_array_foreach(records, i, record)
        {
            if (cli->json)
                pawl_cli_put_json(cli->out, record);
            else
                print_record(cli, record);
        }
        left -= json_array_size(records);
        from = json_array_size(records) == 0 ? 0 : (uint64_t)json_integer_value(json_object_get(reply.json, "next"));
        pawl_client_reply_finish(&reply);
    } while (from != 0 && left > 0);
    return PAWL_EXIT_OK;
}
