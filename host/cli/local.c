/* local.c: what the program does without a server: looking at a plugin file and checking a profile. Never loads a
 * plugin into this process. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/cli.h"

/* Refused by the loader or not loadable at all: exit code 6 but for a file that is not there. */
static int plugin_refused(pawl_cli *cli, const pawl_error *error)
{
    int status = error->status == PAWL_E_NOT_FOUND ? PAWL_EXIT_NOT_FOUND : PAWL_EXIT_REFUSED;
    return pawl_cli_fail(cli, status, error->code, "%s", error->message);
}

static void print_facts(const pawl_cli *cli, const pawl_text *text)
{
    json_t *facts = json_loadb(text->data, text->size, JSON_DECODE_ANY, NULL);
    if (cli->json && facts != NULL) {
        pawl_cli_put_json(cli->out, facts);
    } else if (json_is_object(facts)) {
        (void)json_object_del(facts, "manifest"); /* for people it is said above; --json has it whole */
        pawl_cli_put_object(cli, facts, 0);
    }
    json_decref(facts);
}

int pawl_cli_plugin_show(pawl_cli *cli)
{
    pawl_text text = {0};
    pawl_error error = {0};
    if (pawl_plugin_inspect(cli->arguments[0], &text, &error) != PAWL_OK)
        return plugin_refused(cli, &error);
    print_facts(cli, &text);
    pawl_text_free(&text);
    return PAWL_EXIT_OK;
}

int pawl_cli_plugin_probe(pawl_cli *cli)
{
    pawl_text text = {0};
    pawl_error error = {0};
    pawl_server_place place = {.data = ""};
    const char *profile = pawl_cli_profile(cli);
    if (profile != NULL && pawl_api_find_server(profile, &place, &error) != PAWL_OK)
        return pawl_cli_fail(cli, PAWL_EXIT_REFUSED, error.code, "%s", error.message);
    /* Before the first `pawl serve` there is no data directory, and so no quarantine either. */
    const char *data = place.data[0] != '\0' && access(place.data, F_OK) == 0 ? place.data : NULL;
    if (pawl_plugin_probe(cli->arguments[0], data, &text, &error) != PAWL_OK)
        return plugin_refused(cli, &error);
    print_facts(cli, &text);
    if (!cli->json)
        fputs("the probe passed\n", cli->out);
    pawl_text_free(&text);
    return PAWL_EXIT_OK;
}

static void print_report(pawl_cli *cli, const char *profile, const char *report, bool good)
{
    if (!cli->json) {
        fputs(report, good ? cli->out : cli->err);
        if (good)
            fprintf(cli->out, "%s: no problems\n", profile);
        return;
    }
    json_t *lines = json_array();
    while (*report != '\0') {
        size_t size = strcspn(report, "\n");
        if (size > 0)
            json_array_append_new(lines, json_stringn(report, size));
        report += size + (report[size] == '\n');
    }
    json_t *whole = json_pack("{s:b, s:s, s:o}", "ok", good, "profile", profile, "problems", lines);
    pawl_cli_put_json(cli->out, whole);
    json_decref(whole);
}

int pawl_cli_check(pawl_cli *cli)
{
    pawl_text report = {0};
    pawl_error error = {0};
    const char *profile = cli->argument_count > 0 ? cli->arguments[0] : pawl_cli_profile(cli);
    if (pawl_cli_flag(cli, "store"))
        return pawl_cli_check_store(cli, profile);
    if (pawl_cli_flag(cli, "repair"))
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--repair is for stores: give --store, too");
    if (profile == NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage",
                             "which profile? Give its path, or --profile, or PAWL_PROFILE");
    pawl_status checked = pawl_profile_check(profile, &report, &error);
    if (report.data != NULL && (checked == PAWL_OK || report.size > 0)) {
        print_report(cli, profile, report.data, checked == PAWL_OK);
        pawl_text_free(&report);
        return checked == PAWL_OK ? PAWL_EXIT_OK : PAWL_EXIT_REFUSED;
    }
    pawl_text_free(&report);
    if (checked == PAWL_OK) {
        print_report(cli, profile, "", true);
        return PAWL_EXIT_OK;
    }
    return pawl_cli_fail(cli, checked == PAWL_E_NOT_FOUND ? PAWL_EXIT_NOT_FOUND : PAWL_EXIT_REFUSED, error.code, "%s",
                         error.message);
}
