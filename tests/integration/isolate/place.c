/* place.c: see place.h. */
#include "place.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LOOKS 15000 /* of 2 ms */

void rest(void)
{
    const struct timespec pause = {0, 2000000};
    nanosleep(&pause, NULL);
}

pawl_status place_try_open(fixture *own, const wish *wanted, pawl_error *error)
{
    char profile[4096];
    char limits[300] = "";
    char connector[300] = "";
    const char *isolation = wanted->isolation == NULL ? "process" : wanted->isolation;
    if (wanted->limits != NULL)
        snprintf(limits, sizeof limits, ", limits: { %s }", wanted->limits);
    if (wanted->greeting != NULL)
        snprintf(connector, sizeof connector, "connectors: { shop: { plugin: test.wild, config: { greeting: %s } } }\n",
                 wanted->greeting);
    snprintf(profile, sizeof profile,
             "profile: wild\ntier: inline\ndata: %s/data\nstores: { main: { provider: %s } }\n"
             "log: { level: info }\n"
             "plugins: [ { path: %s, dev: true, isolation: %s%s, config: { directory: \"%s\", mood: \"%s\" } } ]\n"
             "%s%s%s",
             own->directory, wanted->provider == NULL ? "memory" : wanted->provider, PAWL_WILD_PLUGIN, isolation,
             limits, own->directory, wanted->mood == NULL ? "" : wanted->mood, connector,
             wanted->extra != NULL && strstr(wanted->extra, "timeouts:") != NULL
                 ? ""
                 : "timeouts: { stop_grace: 5s, cancel_grace: 5s }\n",
             wanted->extra == NULL ? "" : wanted->extra);
    return fixture_try_open(own, profile, error);
}

void place_open(fixture *own, const wish *wanted)
{
    pawl_error error = {0};
    if (place_try_open(own, wanted, &error) != PAWL_OK)
        fail_msg("open: %s: %s", error.code, error.message);
}

void call(fixture *own, const char *id, const char *effect, const char *input)
{
    char request[1024];
    snprintf(request, sizeof request, "{\"effect\":\"%s\",\"input\":%s}", effect, input);
    start(own, id, "test.call", request);
}

/* A name that no process has had. */
static const char *name_of(fixture *own, char id[32])
{
    static unsigned count;
    (void)own;
    snprintf(id, 32, "p%u", ++count);
    return id;
}

void expect_call(fixture *own, const char *effect, const char *input, const char *status, const char *output_or_code)
{
    char id[32];
    call(own, name_of(own, id), effect, input);
    expect_end(own, id, status, output_or_code);
}

json_t *output_of(fixture *own, const char *effect, const char *input)
{
    char id[32];
    call(own, name_of(own, id), effect, input);
    json_t *outcome = ended(own, id);
    if (strcmp(text_of(outcome, "status"), "completed") != 0)
        fail_msg("%s(%s): %s: %s", effect, input, text_of(outcome, "code"), text_of(outcome, "message"));
    json_t *output = json_incref(json_object_get(outcome, "output"));
    json_decref(outcome);
    assert_non_null(output);
    return output;
}

void expect_failure(fixture *own, const char *effect, const char *input, const char *code, const char *words)
{
    char id[32];
    call(own, name_of(own, id), effect, input);
    json_t *outcome = ended(own, id);
    assert_string_equal(text_of(outcome, "status"), "failed");
    if (strcmp(text_of(outcome, "code"), code) != 0)
        fail_msg("%s(%s): wanted %s, is %s: %s", effect, input, code, text_of(outcome, "code"),
                 text_of(outcome, "message"));
    assert_has(text_of(outcome, "message"), words);
    json_decref(outcome);
}

bool is_noted(const fixture *own, const char *name)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", own->directory, name);
    return access(path, F_OK) == 0;
}

void await_note(const fixture *own, const char *name)
{
    for (int i = 0; i < LOOKS; i++) {
        if (is_noted(own, name))
            return;
        rest();
    }
    fail_msg("no note \"%s\"", name);
}

json_t *isolation_of(fixture *own)
{
    pawl_text text = {0};
    assert_ok(pawl_host_describe(own->host, &text, &why_));
    json_t *host = json_of(&text);
    size_t i;
    json_t *plugin;
    json_t *found = NULL;
    json_array_foreach(json_object_get(host, "plugins"), i, plugin) if (strcmp(text_of(plugin, "id"), "test.wild") == 0)
        found = json_incref(json_object_get(plugin, "isolation"));
    json_decref(host);
    assert_non_null(found);
    return found;
}

int64_t isolation_number(fixture *own, const char *key)
{
    json_t *json = isolation_of(own);
    int64_t number = json_integer_value(json_object_get(json, key));
    json_decref(json);
    return number;
}

pid_t worker_of(fixture *own)
{
    for (int i = 0; i < LOOKS; i++) {
        json_t *json = isolation_of(own);
        const json_t *first = json_array_get(json_object_get(json, "workers"), 0);
        bool runs = strcmp(text_of(first, "state"), "running") == 0;
        pid_t pid = (pid_t)json_integer_value(json_object_get(first, "pid"));
        json_decref(json);
        if (runs)
            return pid;
        rest();
    }
    fail_msg("no worker of the plugin runs");
    return 0;
}

void await_gone(pid_t pid)
{
    for (int i = 0; i < LOOKS; i++) {
        if (kill(pid, 0) != 0 && errno == ESRCH)
            return;
        rest();
    }
    fail_msg("process %d is still there", (int)pid);
}

int setup_place(void **state)
{
    test_plugin_reset();
    *state = fixture_make("memory");
    return 0;
}

int teardown_place(void **state)
{
    fixture_remove(*state);
    return 0;
}
