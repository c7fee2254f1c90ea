/* metrics.c: see metrics.h. Never makes a label of a process id, a session or anything else that grows. */
#include "host/api/metrics.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void print_label(FILE *out, const char *name, const char *value)
{
    fprintf(out, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            fputs("\\n", out);
        else if (*value == '"' || *value == '\\')
            fprintf(out, "\\%c", *value);
        else
            fputc(*value, out);
    }
    fputc('"', out);
}

static void print_number(FILE *out, const json_t *value)
{
    if (json_is_integer(value))
        fprintf(out, " %" JSON_INTEGER_FORMAT "\n", json_integer_value(value));
    else if (json_is_real(value))
        fprintf(out, " %.17g\n", json_real_value(value));
    else
        fprintf(out, " %d\n", json_is_true(value));
}

static void print_head(FILE *out, const char *name, const char *help)
{
    size_t size = strlen(name);
    const char *type = size > 6 && strcmp(name + size - 6, "_total") == 0 ? "counter" : "gauge";
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void metric_name(char *name, size_t room, const char *prefix, const char *key)
{
    snprintf(name, room, "%s%s", prefix, key);
    for (char *at = name; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && *at != '_')
            *at = '_';
}

/* Those of the worker's numbers that only grow. */
static bool is_counter(const char *key)
{
    static const char *const keys[] = {"claimed", "activations", "steps", "retries", "commits", "lost_leases"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

/* Every number that the worker tells about itself, under its own name. */
static void print_worker(FILE *out, json_t *worker)
{
    const char *key;
    json_t *value;
    json_object_foreach(worker, key, value)
    {
        if (!json_is_number(value) && !json_is_boolean(value))
            continue;
        char name[128];
        metric_name(name, sizeof name, "pawl_worker_", key);
        if (is_counter(key))
            strncat(name, "_total", sizeof name - strlen(name) - 1);
        print_head(out, name, "Of the worker in this host.");
        fputs(name, out);
        print_number(out, value);
    }
}

/* What was put away since the host was opened; all of it only grows. */
static void print_upkeep(FILE *out, json_t *upkeep)
{
    const char *key;
    json_t *value;
    json_object_foreach(upkeep, key, value)
    {
        char name[128];
        char total[140];
        metric_name(name, sizeof name, "pawl_upkeep_", key);
        snprintf(total, sizeof total, "%s_total", name);
        print_head(out, total, "Put away by this host.");
        fputs(total, out);
        print_number(out, value);
    }
}

/* Labels are names of the profile: as many as it has guards. */
static void print_guard_number(FILE *out, const json_t *guard, const char *name, const char *key)
{
    const json_t *value = json_object_get(guard, key);
    if (value == NULL)
        return;
    fprintf(out, "%s{", name);
    print_label(out, "of", text_of(guard, "of"));
    fputc(',', out);
    print_label(out, "guard", text_of(guard, "guard"));
    fputc('}', out);
    print_number(out, value);
}

static void print_circuits(FILE *out, const json_t *guards)
{
    static const char *const states[] = {"closed", "open", "half_open"};
    size_t i;
    json_t *guard;
    print_head(out, "pawl_circuit_state", "1 for the state that a circuit is in.");
    json_array_foreach(guards, i, guard) for (size_t s = 0; s < 3 && json_object_get(guard, "state") != NULL; s++)
    {
        fputs("pawl_circuit_state{", out);
        print_label(out, "of", text_of(guard, "of"));
        fprintf(out, ",state=\"%s\"} %d\n", states[s], strcmp(text_of(guard, "state"), states[s]) == 0);
    }
    print_head(out, "pawl_circuit_transitions_total", "How often a circuit went into a state.");
    json_array_foreach(guards, i, guard) for (size_t s = 0; s < 3 && json_object_get(guard, "state") != NULL; s++)
    {
        fputs("pawl_circuit_transitions_total{", out);
        print_label(out, "of", text_of(guard, "of"));
        fprintf(out, ",to=\"%s\"}", states[s]);
        print_number(out, json_object_get(json_object_get(guard, "transitions"), states[s]));
    }
}

static void print_guards(FILE *out, const json_t *guards)
{
    static const struct {
        const char *name, *key, *help;
    } shown[] = {{"pawl_guard_passed_total", "passed", "Attempts that a guard let through."},
                 {"pawl_guard_held_total", "held", "Times that a guard held an attempt back."},
                 {"pawl_guard_refused_total", "refused", "Calls that a guard let fail."},
                 {"pawl_guard_waiting", "waiting", "Calls that stand in the line of a guard now."},
                 {"pawl_guard_tokens", "tokens", "Tokens in the bucket of a rate limit now."}};
    if (json_array_size(guards) == 0)
        return;
    for (size_t n = 0; n < sizeof shown / sizeof *shown; n++) {
        size_t i;
        json_t *guard;
        print_head(out, shown[n].name, shown[n].help);
        json_array_foreach(guards, i, guard) print_guard_number(out, guard, shown[n].name, shown[n].key);
    }
    print_circuits(out, guards);
}

/* One line for each observer: two of the same plugin are told apart by their place in the profile. */
static void print_observers(FILE *out, const json_t *observers)
{
    static const struct {
        const char *name, *key, *help;
    } shown[] = {{"pawl_observer_told_total", "told", "Times that an observer was told of something."},
                 {"pawl_observer_slow_total", "slow", "Times that this took longer than the profile allows."},
                 {"pawl_observer_nanoseconds_total", "total_ns", "Time that observers took from the worker."},
                 {"pawl_observer_left_out", "left_out", "1: it was too slow too often, and is told no more."}};
    for (size_t n = 0; json_array_size(observers) > 0 && n < sizeof shown / sizeof *shown; n++) {
        size_t i;
        json_t *observer;
        print_head(out, shown[n].name, shown[n].help);
        json_array_foreach(observers, i, observer)
        {
            fprintf(out, "%s{", shown[n].name);
            print_label(out, "plugin", text_of(observer, "plugin"));
            fprintf(out, ",place=\"%zu\"}", i);
            print_number(out, json_object_get(observer, shown[n].key));
        }
    }
}

/* Plugins that run in processes of their own. */
static void print_isolated(FILE *out, const json_t *plugins)
{
    static const struct {
        const char *name, *key, *help;
    } shown[] = {{"pawl_plugin_available", "available", "Whether calls of an isolated plugin can be run."},
                 {"pawl_plugin_calls_total", "calls", "Calls of an isolated plugin."},
                 {"pawl_plugin_waiting", "waiting", "Calls that wait for a process of an isolated plugin."},
                 {"pawl_plugin_deaths_total", "deaths", "Processes of an isolated plugin that ended unasked."}};
    for (size_t n = 0; n < sizeof shown / sizeof *shown; n++) {
        size_t i;
        json_t *plugin;
        bool headed = false;
        json_array_foreach(plugins, i, plugin)
        {
            const json_t *isolation = json_object_get(plugin, "isolation");
            if (isolation == NULL)
                continue;
            if (!headed)
                print_head(out, shown[n].name, shown[n].help);
            headed = true;
            fprintf(out, "%s{", shown[n].name);
            print_label(out, "plugin", text_of(plugin, "id"));
            fputc(',', out);
            print_label(out, "version", text_of(plugin, "version"));
            fputc('}', out);
            print_number(out, json_object_get(isolation, shown[n].key));
        }
    }
}

static void print_counts(FILE *out, json_t *counts)
{
    const char *key;
    json_t *value;
    print_head(out, "pawl_processes", "Processes in the registry by status.");
    json_object_foreach(counts, key, value)
    {
        if (!json_is_number(value))
            continue;
        fputs("pawl_processes{", out);
        print_label(out, "status", key);
        fputc('}', out);
        print_number(out, value);
    }
}

static void print_server(FILE *out, const pawl_api_numbers *server)
{
    print_head(out, "pawl_api_requests_total", "Requests that the API server has received.");
    fprintf(out, "pawl_api_requests_total %" PRIu64 "\n", server->requests);
    print_head(out, "pawl_api_refused_total", "Requests refused because a limit was reached.");
    fprintf(out, "pawl_api_refused_total %" PRIu64 "\n", server->refused);
    print_head(out, "pawl_api_replies_total", "Replies by class of HTTP status.");
    for (size_t i = 1; i < sizeof server->replies / sizeof *server->replies; i++)
        fprintf(out, "pawl_api_replies_total{class=\"%zuxx\"} %" PRIu64 "\n", i, server->replies[i]);
    print_head(out, "pawl_api_requests_running", "Requests being worked on now.");
    fprintf(out, "pawl_api_requests_running %" PRIu64 "\n", server->running);
    print_head(out, "pawl_api_waits", "Requests that wait for the end of a process.");
    fprintf(out, "pawl_api_waits %" PRIu64 "\n", server->waiting);
}

char *pawl_metrics_text(const json_t *description, const pawl_api_numbers *server, size_t *ret_size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_size);
    if (out == NULL)
        return NULL;
    print_head(out, "pawl_info", "What runs here.");
    fputs("pawl_info{", out);
    print_label(out, "version", text_of(description, "version"));
    fputc(',', out);
    print_label(out, "profile", text_of(description, "profile"));
    fputc(',', out);
    print_label(out, "tier", text_of(description, "tier"));
    fputs("} 1\n", out);
    print_counts(out, json_object_get(description, "counts"));
    print_worker(out, json_object_get(description, "worker"));
    print_guards(out, json_object_get(description, "guards"));
    print_isolated(out, json_object_get(description, "plugins"));
    print_upkeep(out, json_object_get(description, "upkeep"));
    print_observers(out, json_object_get(description, "observers"));
    print_server(out, server);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
