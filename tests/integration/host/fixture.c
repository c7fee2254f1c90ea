/* fixture.c: see fixture.h. */
#include "fixture.h"

#include "around_plugin.h"
#include "counting_store.h"
#include "session_plugin.h"
#include "test_plugin.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void take_line(void *context, uint32_t level, const char *line)
{
    fixture *own = context;
    (void)level;
    pthread_mutex_lock(&own->lock);
    size_t used = strlen(own->log);
    snprintf(own->log + used, sizeof own->log - used, "%s\n", line);
    pthread_mutex_unlock(&own->lock);
}

bool fixture_logged(fixture *own, const char *text)
{
    pthread_mutex_lock(&own->lock);
    bool found = strstr(own->log, text) != NULL;
    pthread_mutex_unlock(&own->lock);
    return found;
}

fixture *fixture_make(const char *provider)
{
    fixture *own = calloc(1, sizeof *own);
    assert_non_null(own);
    strcpy(own->directory, "/tmp/pawl-host-XXXXXX");
    assert_non_null(mkdtemp(own->directory));
    own->provider = provider;
    pthread_mutex_init(&own->lock, NULL);
    return own;
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

void fixture_remove(fixture *own)
{
    fixture_close(own);
    (void)nftw(own->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    pthread_mutex_destroy(&own->lock);
    free(own);
}

pawl_status fixture_try_open(fixture *own, const char *profile, pawl_error *error)
{
    static const pawl_plugin_entry_fn plugins[] = {test_plugin, counting_store_plugin, session_plugin, around_plugin};
    pawl_host_options options = {.struct_size = sizeof options,
                                 .profile_text = profile,
                                 .no_worker = own->no_worker,
                                 .log = take_line,
                                 .log_context = own,
                                 .static_plugins = plugins,
                                 .static_plugin_count = sizeof plugins / sizeof *plugins};
    return pawl_host_open(&options, &own->host, error);
}

void fixture_open(fixture *own)
{
    char profile[4096];
    pawl_error error = {0};
    snprintf(profile, sizeof profile,
             "profile: test\n"
             "tier: inline\n"
             "data: %s\n"
             "stores: { main: { provider: %s } }\n"
             "log: { level: debug }\n"
             "connectors: { shop: { plugin: test.plugin, config: { greeting: hello } } }\n"
             "%s%s",
             own->directory, own->provider,
             own->extra != NULL && strstr(own->extra, "timeouts:") != NULL ? "" : "timeouts: { stop_grace: 5s }\n",
             own->extra == NULL ? "" : own->extra);
    if (fixture_try_open(own, profile, &error) != PAWL_OK)
        fail_msg("open: %s: %s", error.code, error.message);
}

void fixture_close(fixture *own)
{
    own->host = pawl_host_close(own->host);
}

static int setup(void **state, const char *provider)
{
    fixture *own = fixture_make(provider);
    test_plugin_reset();
    *state = own;
    fixture_open(own);
    return 0;
}

int setup_memory(void **state)
{
    return setup(state, "memory");
}

int setup_rocksdb(void **state)
{
    return setup(state, "rocksdb");
}

int teardown(void **state)
{
    fixture_remove(*state);
    return 0;
}

/* ---- processes ---- */

pawl_status try_start(fixture *own, const char *id, const char *type, const char *input, uint32_t flags,
                      pawl_started *started, pawl_error *error)
{
    pawl_start wanted = {.struct_size = sizeof wanted,
                         .flags = flags,
                         .id = id,
                         .type = type,
                         .input = {input, input == NULL ? 0 : strlen(input)}};
    return pawl_host_start(own->host, &wanted, started, error);
}

void start(fixture *own, const char *id, const char *type, const char *input)
{
    assert_ok(try_start(own, id, type, input, 0, NULL, &why_));
}

json_t *json_of(pawl_text *text)
{
    json_error_t where;
    json_t *json = json_loadb(text->data, text->size, JSON_REJECT_DUPLICATES, &where);
    if (json == NULL)
        fail_msg("not JSON: %s: %s", where.text, text->data);
    pawl_text_free(text);
    return json;
}

json_t *ended(fixture *own, const char *id)
{
    pawl_text text = {0};
    pawl_error why = {0};
    if (pawl_host_wait(own->host, id, LONG_NS, &text, &why) != PAWL_OK) {
        pawl_text now = {0};
        (void)pawl_host_get(own->host, id, &now, NULL);
        fail_msg("wait for %s: %s; it is %s", id, why.message, now.data == NULL ? "?" : now.data);
    }
    return json_of(&text);
}

const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

void expect_end(fixture *own, const char *id, const char *status, const char *output_or_code)
{
    json_t *outcome = ended(own, id);
    char *all = json_dumps(outcome, JSON_COMPACT);
    if (strcmp(text_of(outcome, "status"), status) != 0)
        fail_msg("%s: wanted %s, is %s", id, status, all);
    if (output_or_code != NULL && strcmp(status, "completed") == 0) {
        char *output = json_dumps(json_object_get(outcome, "output"), JSON_COMPACT | JSON_ENCODE_ANY);
        assert_non_null(output);
        assert_string_equal(output, output_or_code);
        free(output);
    } else if (output_or_code != NULL) {
        assert_string_equal(text_of(outcome, "code"), output_or_code);
    }
    free(all);
    json_decref(outcome);
}

json_t *shown(fixture *own, const char *id)
{
    pawl_text text = {0};
    assert_ok(pawl_host_get(own->host, id, &text, &why_));
    return json_of(&text);
}

json_t *until(fixture *own, const char *id, const char *status)
{
    const struct timespec pause = {0, 2000000};
    for (int i = 0; i < 15000; i++) {
        json_t *row = shown(own, id);
        if (strcmp(text_of(row, "status"), status) == 0)
            return row;
        json_decref(row);
        nanosleep(&pause, NULL);
    }
    json_t *row = shown(own, id);
    char *all = json_dumps(row, JSON_COMPACT);
    fail_msg("%s did not become %s: %s", id, status, all);
    return NULL;
}

void signal_it(fixture *own, const char *id, const char *name, const char *payload)
{
    pawl_bytes bytes = {payload, strlen(payload)};
    assert_ok(pawl_host_signal(own->host, id, name, bytes, NULL, NULL, &why_));
}
