/* schedule.c: `pawl schedule`: what is started at certain times. A spec is put together from the options here; whether
 * it makes sense is the host's to say. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"

const pawl_cli_option pawl_cli_schedule_create_options[] = {
    {"type", "TYPE", "the process type to start"},
    {"cron", "CRON...", "when: MINUTE HOUR DAY MONTH WEEKDAY, or @daily; may be given again for more times"},
    {"every", "SPAN", "when: at every multiple of this since 1970: 15m"},
    {"offset", "SPAN", "with --every: so much later each time"},
    {"time-zone", "ZONE", "of --cron: Europe/Berlin (default: UTC)"},
    {"jitter", "SPAN", "put each run off by up to this"},
    {"from", "TIME", "not before this: 2026-02-03T10:00:00Z"},
    {"until", "TIME", "not after this"},
    {"input", "JSON", "input of each run: JSON, @FILE with JSON, or -"},
    {"session", "NAME", "the session that runs belong to"},
    {"key", "KEY", "as of pawl start"},
    {"priority", "N", "1 (first) to 5 (last)"},
    {"attribute", "NAME=VALUE...", "a search attribute of each run; may be given again for another one"},
    {"deadline", "SPAN", "ask a run to stop that has not ended so long after its start"},
    {"overlap", "POLICY",
     "when a run is due and the last one lives: skip (default), buffer_one, allow, cancel_other,\n"
     "terminate_other"},
    {"catch-up", "SPAN", "start what was missed by no more than this (default 1h)"},
    {"paused", NULL, "begin paused"},
    {"note", "TEXT", "with --paused: why"},
    {"replace", NULL, "change the schedule of this name, if there is one"},
    {NULL, NULL, NULL},
};

const pawl_cli_option pawl_cli_schedule_pause_options[] = {{"note", "TEXT", "why, for others"}, {NULL, NULL, NULL}};

const pawl_cli_option pawl_cli_schedule_trigger_options[] = {
    {"overlap", "POLICY", "for this run, instead of the schedule's"},
    {"id", "ID", "idempotency id of this request (default: a new uuid)"},
    {NULL, NULL, NULL},
};

const pawl_cli_option pawl_cli_schedule_backfill_options[] = {
    {"from", "TIME", "the first time: 2026-02-03T10:00:00Z"},
    {"to", "TIME", "the last time"},
    {"overlap", "POLICY", "allow (default): all at once; buffer_one: one after the other"},
    {"id", "ID", "idempotency id of this request (default: a new uuid)"},
    {NULL, NULL, NULL},
};

static char *path_of(const pawl_cli *cli, const char *suffix)
{
    return pawl_client_path("schedules", cli->arguments[0], suffix);
}

/* ---- create ---- */

static json_t *crons_of(const pawl_cli *cli)
{
    json_t *list = json_array();
    for (size_t i = 0; i < cli->given_count; i++)
        if (strcmp(cli->given[i].name, "cron") == 0)
            (void)json_array_append_new(list, json_string(cli->given[i].value));
    return list;
}

/* The spec, from the options. The exit code; what is wrong was printed. */
static int put_spec(pawl_cli *cli, json_t *spec)
{
    static const char *const texts[][2] = {
        {"type", "type"},     {"every", "every"},       {"offset", "offset"},   {"time-zone", "time_zone"},
        {"jitter", "jitter"}, {"from", "from"},         {"until", "until"},     {"session", "session"},
        {"key", "key"},       {"deadline", "deadline"}, {"overlap", "overlap"}, {"catch-up", "catch_up"}};
    uint64_t priority = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *value = pawl_cli_value(cli, texts[i][0]);
        if (value != NULL && json_object_set_new(spec, texts[i][1], json_string(value)) != 0)
            return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--%s is not UTF-8", texts[i][0]);
    }
    if (pawl_cli_flag(cli, "cron"))
        (void)json_object_set_new(spec, "cron", crons_of(cli));
    if (!pawl_cli_number(cli, "priority", 1, 5, 0, &priority))
        return PAWL_EXIT_USAGE;
    if (priority > 0)
        (void)json_object_set_new(spec, "priority", json_integer((json_int_t)priority));
    const char *input = pawl_cli_value(cli, "input");
    if (input != NULL && !pawl_cli_put_content(cli, spec, "input", input, true))
        return PAWL_EXIT_USAGE;
    return pawl_cli_put_attributes(cli, spec);
}

int pawl_cli_schedule_create(pawl_cli *cli)
{
    json_t *reply = NULL;
    json_t *spec = json_object();
    const char *note = pawl_cli_value(cli, "note");
    json_t *body = json_pack("{s:O, s:b, s:b, s:s*}", "spec", spec, "paused", (int)pawl_cli_flag(cli, "paused"),
                             "replace", (int)pawl_cli_flag(cli, "replace"), "note", note);
    int status = body == NULL ? pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--note is not UTF-8") : PAWL_EXIT_OK;
    if (status == PAWL_EXIT_OK && note != NULL && !pawl_cli_flag(cli, "paused"))
        status = pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--note goes with --paused");
    if (status == PAWL_EXIT_OK)
        status = put_spec(cli, spec);
    if (status == PAWL_EXIT_OK)
        status = pawl_cli_ask_json(cli, "POST", path_of(cli, ""), body, &reply);
    if (status == PAWL_EXIT_OK && !cli->json) {
        pawl_cli_put(cli->out, cli->arguments[0]);
        fprintf(cli->out, " %s\n", pawl_cli_text(reply, "made"));
    }
    json_decref(reply);
    json_decref(body);
    json_decref(spec);
    return status;
}

/* ---- looking ---- */

/* "0 8 * * *, every 15m". */
static void say_when(const json_t *spec, char *text, size_t room)
{
    size_t i;
    const json_t *cron;
    text[0] = '\0';
    json_array_foreach(json_object_get(spec, "cron"), i, cron)
    {
        size_t used = strlen(text);
        snprintf(text + used, room - used, "%s%s", used > 0 ? ", " : "", json_string_value(cron));
    }
    const char *zone = pawl_cli_text(spec, "time_zone");
    size_t used = strlen(text);
    if (used > 0 && strcmp(zone, "UTC") != 0)
        snprintf(text + used, room - used, " %s", zone);
    used = strlen(text);
    if (json_object_get(spec, "every") != NULL)
        snprintf(text + used, room - used, "%severy %s", used > 0 ? ", " : "", pawl_cli_text(spec, "every"));
}

static const char *next_of(const json_t *schedule)
{
    const char *next = json_string_value(json_array_get(json_object_get(schedule, "next"), 0));
    return next == NULL ? "-" : next;
}

static const char *state_of(const json_t *schedule)
{
    const char *status = pawl_cli_text(schedule, "status");
    if (strcmp(status, "stuck") == 0)
        return status;
    return json_is_true(json_object_get(schedule, "paused")) ? "paused" : "active";
}

int pawl_cli_schedule_list(pawl_cli *cli)
{
    static const char *const heads[] = {"SCHEDULE", "STATE", "NEXT", "TYPE", "WHEN"};
    json_t *reply = NULL;
    uint64_t limit = 0;
    char number[24];
    if (!pawl_cli_number(cli, "limit", 1, 1000, 100, &limit))
        return PAWL_EXIT_USAGE;
    snprintf(number, sizeof number, "%" PRIu64, limit);
    char *path = pawl_client_query(strdup("/v1/schedules"), "limit", number);
    path = pawl_client_query(path, "after", pawl_cli_value(cli, "after"));
    int status = pawl_cli_ask_json(cli, "GET", path, NULL, &reply);
    if (status == PAWL_EXIT_OK && !cli->json) {
        size_t i;
        const json_t *one;
        pawl_cli_table table = {.columns = sizeof heads / sizeof *heads};
        for (i = 0; i < table.columns; i++)
            pawl_cli_table_add(&table, PAWL_COLOR_BOLD, heads[i]);
        json_array_foreach(json_object_get(reply, "schedules"), i, one)
        {
            char when[300];
            const json_t *spec = json_object_get(one, "spec");
            const char *state = state_of(one);
            bool active = strcmp(state, "active") == 0;
            say_when(spec, when, sizeof when);
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(one, "schedule"));
            pawl_cli_table_add(&table, active ? PAWL_COLOR_GREEN : PAWL_COLOR_YELLOW, state);
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, active ? next_of(one) : "-");
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, pawl_cli_text(spec, "type"));
            pawl_cli_table_add(&table, PAWL_COLOR_NONE, when);
        }
        pawl_cli_table_print(cli, &table);
        const json_t *next = json_object_get(reply, "next");
        if (json_is_integer(next))
            fprintf(cli->err, "more: --after %" JSON_INTEGER_FORMAT "\n", json_integer_value(next));
    }
    json_decref(reply);
    return status;
}

static void put_times(const pawl_cli *cli, const char *head, const json_t *times)
{
    size_t i;
    const json_t *time;
    json_array_foreach(times, i, time)
    {
        fprintf(cli->out, "%-12s", i == 0 ? head : "");
        pawl_cli_put(cli->out, json_string_value(time) == NULL ? "" : json_string_value(time));
        fputc('\n', cli->out);
    }
}

static void put_line(const pawl_cli *cli, const char *head, const char *text)
{
    if (text[0] == '\0')
        return;
    fprintf(cli->out, "%-12s", head);
    pawl_cli_put(cli->out, text);
    fputc('\n', cli->out);
}

static void put_runs(const pawl_cli *cli, const json_t *runs)
{
    size_t i;
    const json_t *run;
    json_array_foreach(runs, i, run)
    {
        const char *status = pawl_cli_text(run, "status");
        const char *why = pawl_cli_text(run, "why");
        fprintf(cli->out, "%-12s", i == 0 ? "runs" : "");
        pawl_cli_put(cli->out, pawl_cli_text(run, "id"));
        fputs("  ", cli->out);
        pawl_cli_put_color(cli, pawl_cli_status_color(status), status);
        if (why[0] != '\0') {
            fputs("  ", cli->out);
            pawl_cli_put(cli->out, why);
        }
        fputc('\n', cli->out);
    }
}

static void put_counts(const pawl_cli *cli, const json_t *schedule)
{
    static const char *const counts[][2] = {{"started", "started"},
                                            {"skipped", "skipped because a run lived"},
                                            {"missed", "missed by more than the catch-up window"},
                                            {"not_started", "could not be started"}};
    bool first = true;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        json_int_t count = json_integer_value(json_object_get(schedule, counts[i][0]));
        if (count == 0)
            continue;
        fprintf(cli->out, "%-12s%" JSON_INTEGER_FORMAT " %s\n", first ? "counts" : "", count, counts[i][1]);
        first = false;
    }
}

static void put_schedule(const pawl_cli *cli, const json_t *schedule)
{
    char when[300];
    char state[64];
    const json_t *spec = json_object_get(schedule, "spec");
    say_when(spec, when, sizeof when);
    const char *since = pawl_cli_text(schedule, "paused_since");
    snprintf(state, sizeof state, "%s%s%s", state_of(schedule), since[0] == '\0' ? "" : " since ", since);
    put_line(cli, "schedule", pawl_cli_text(schedule, "schedule"));
    put_line(cli, "state", state);
    put_line(cli, "note", pawl_cli_text(schedule, "note"));
    put_line(cli, "why", pawl_cli_text(schedule, "why"));
    put_line(cli, "starts", pawl_cli_text(spec, "type"));
    put_line(cli, "when", when);
    put_line(cli, "overlap", pawl_cli_text(spec, "overlap"));
    put_line(cli, "catch-up", pawl_cli_text(spec, "catch_up"));
    put_line(cli, "jitter", pawl_cli_text(spec, "jitter"));
    put_times(cli, "next", json_object_get(schedule, "next"));
    put_line(cli, "buffered", pawl_cli_text(schedule, "buffered"));
    put_runs(cli, json_object_get(schedule, "runs"));
    put_counts(cli, schedule);
    put_line(cli, "process", pawl_cli_text(schedule, "process"));
}

int pawl_cli_schedule_show(pawl_cli *cli)
{
    json_t *reply = NULL;
    int status = pawl_cli_ask_json(cli, "GET", path_of(cli, ""), NULL, &reply);
    if (status == PAWL_EXIT_OK && !cli->json)
        put_schedule(cli, reply);
    json_decref(reply);
    return status;
}

/* ---- wishes ---- */

/* Takes the body over. */
static int tell(pawl_cli *cli, const char *suffix, json_t *body, json_t **ret)
{
    *ret = NULL;
    if (body == NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "what was given is not UTF-8");
    int status = pawl_cli_ask_json(cli, "POST", path_of(cli, suffix), body, ret);
    json_decref(body);
    return status;
}

static int tell_plainly(pawl_cli *cli, const char *suffix, json_t *body, const char *done)
{
    json_t *reply;
    int status = tell(cli, suffix, body, &reply);
    if (status == PAWL_EXIT_OK && !cli->json) {
        pawl_cli_put(cli->out, cli->arguments[0]);
        fprintf(cli->out, " %s\n", done);
    }
    json_decref(reply);
    return status;
}

int pawl_cli_schedule_pause(pawl_cli *cli)
{
    return tell_plainly(cli, "/pause", json_pack("{s:s*}", "note", pawl_cli_value(cli, "note")), "paused");
}

int pawl_cli_schedule_resume(pawl_cli *cli)
{
    return tell_plainly(cli, "/resume", json_object(), "resumed");
}

int pawl_cli_schedule_delete(pawl_cli *cli)
{
    return tell_plainly(cli, "/delete", json_object(), "deleted");
}

int pawl_cli_schedule_trigger(pawl_cli *cli)
{
    json_t *reply;
    int status = tell(
        cli, "/trigger",
        json_pack("{s:s*, s:s*}", "overlap", pawl_cli_value(cli, "overlap"), "id", pawl_cli_value(cli, "id")), &reply);
    if (status == PAWL_EXIT_OK && !cli->json) {
        pawl_cli_put(cli->out, pawl_cli_text(reply, "id"));
        fprintf(cli->out, " %s\n", pawl_cli_text(reply, "run"));
    }
    json_decref(reply);
    return status;
}

int pawl_cli_schedule_backfill(pawl_cli *cli)
{
    json_t *reply;
    int status =
        tell(cli, "/backfill",
             json_pack("{s:s*, s:s*, s:s*, s:s*}", "from", pawl_cli_value(cli, "from"), "to", pawl_cli_value(cli, "to"),
                       "overlap", pawl_cli_value(cli, "overlap"), "id", pawl_cli_value(cli, "id")),
             &reply);
    if (status == PAWL_EXIT_OK && !cli->json)
        fprintf(cli->out, "%" JSON_INTEGER_FORMAT " times\n", json_integer_value(json_object_get(reply, "times")));
    json_decref(reply);
    return status;
}
