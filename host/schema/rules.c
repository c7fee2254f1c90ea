/* rules.c: see rules.h. Strict: an unknown key or a wrong type is refused with its place in the manifest. */
#include "host/schema/rules.h"

#include "worker/base/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX      256u
#define UPDATES_MAX     256u
#define NAME_BYTES_MAX  256u
#define MERGE_BYTES_MAX 256u
#define AFTER_MS_MAX    ((json_int_t)365 * 24 * 3600 * 1000)

static pawl_status wrong(const char *place, const char *wanted, pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_INVALID, "event_type.invalid", "%s: wanted %s", place, wanted);
}

static pawl_status check_keys(const json_t *object, const char *const *keys, const char *place, pawl_error *error)
{
    if (!json_is_object(object))
        return wrong(place, "an object", error);
    for (void *at = json_object_iter((json_t *)(uintptr_t)object); at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        size_t i = 0;
        while (keys[i] != NULL && strcmp(keys[i], json_object_iter_key(at)) != 0)
            i++;
        if (keys[i] == NULL)
            return pawl_error_set(error, PAWL_E_INVALID, "event_type.invalid", "%s has the unknown key \"%.64s\"",
                                  place, json_object_iter_key(at));
    }
    return PAWL_OK;
}

static pawl_status read_selector(const json_t *object, const char *key, const char *place, const json_t **ret,
                                 pawl_error *error)
{
    char where[160];
    *ret = json_object_get(object, key);
    snprintf(where, sizeof where, "%s.%s", place, key);
    return *ret == NULL ? PAWL_OK : pawl_selector_check(*ret, where, error);
}

static pawl_status read_wake(const json_t *wake, const char *place, pawl_event_type *type, pawl_error *error)
{
    static const char *const keys[] = {"target", "input", "key", "when", "merge", "exclusive", "after_ms", NULL};
    const json_t *merge = json_object_get(wake, "merge");
    const json_t *exclusive = json_object_get(wake, "exclusive");
    const json_t *after = json_object_get(wake, "after_ms");
    pawl_status status = check_keys(wake, keys, place, error);
    if (status == PAWL_OK)
        status = read_selector(wake, "target", place, &type->target, error);
    if (status == PAWL_OK)
        status = read_selector(wake, "input", place, &type->input, error);
    if (status == PAWL_OK)
        status = read_selector(wake, "key", place, &type->key, error);
    if (status == PAWL_OK)
        status = read_selector(wake, "when", place, &type->when, error);
    if (status != PAWL_OK)
        return status;
    if (merge != NULL && (!json_is_string(merge) || json_string_length(merge) > MERGE_BYTES_MAX))
        return wrong(place, "a text of at most 256 bytes as \"merge\"", error);
    if (exclusive != NULL && !json_is_boolean(exclusive))
        return wrong(place, "true or false as \"exclusive\"", error);
    if (after != NULL &&
        (!json_is_integer(after) || json_integer_value(after) < 0 || json_integer_value(after) > AFTER_MS_MAX))
        return wrong(place, "milliseconds from 0 to a year as \"after_ms\"", error);
    type->wakes = true;
    type->merge = merge == NULL ? "" : json_string_value(merge);
    type->exclusive = json_is_true(exclusive);
    type->after_ms = after == NULL ? 0 : (uint64_t)json_integer_value(after);
    return PAWL_OK;
}

static pawl_status read_ends(const json_t *event, const char *place, pawl_event_type *type, pawl_error *error)
{
    static const struct {
        const char *word;
        uint32_t status;
    } words[] = {{"completed", PAWL_COMPLETED}, {"failed", PAWL_FAILED}, {"cancelled", PAWL_CANCELLED}};
    const char *ends = json_string_value(json_object_get(event, "ends"));
    for (size_t i = 0; ends != NULL && i < 3; i++)
        if (strcmp(ends, words[i].word) == 0)
            type->ends = words[i].status;
    if (json_object_get(event, "ends") != NULL && type->ends == 0)
        return wrong(place, "completed, failed or cancelled as \"ends\"", error);
    pawl_status status = read_selector(event, "outcome", place, &type->outcome, error);
    if (status == PAWL_OK && type->outcome != NULL && type->ends == 0)
        return wrong(place, "\"ends\" beside \"outcome\"", error);
    if (status == PAWL_OK && type->ends > PAWL_COMPLETED && type->outcome == NULL)
        return wrong(place, "an \"outcome\" for an event that ends a process as failed or cancelled", error);
    return status;
}

static pawl_status read_event(const json_t *event, const char *place, pawl_type_rules *rules, pawl_error *error)
{
    static const char *const keys[] = {"type", "schema", "ends", "outcome", "wake", NULL};
    pawl_status status = check_keys(event, keys, place, error);
    if (status != PAWL_OK)
        return status;
    const json_t *given = json_object_get(event, "type");
    const char *name = json_string_value(given);
    const json_t *wake = json_object_get(event, "wake");
    const json_t *schema = json_object_get(event, "schema");
    if (name == NULL || name[0] == '\0' || json_string_length(given) > NAME_BYTES_MAX)
        return wrong(place, "a \"type\" of 1 to 256 bytes", error);
    if (pawl_type_rules_event(rules, pawl_bytes_text(name)) != NULL)
        return wrong(place, "each \"type\" once", error);
    pawl_event_type *type = &rules->events[rules->event_count++];
    type->name = name;
    if (schema != NULL && pawl_schema_compile(schema, &type->schema, error) != PAWL_OK) {
        (void)pawl_error_wrap(error, "%s.schema", place);
        return PAWL_E_INVALID;
    }
    status = read_ends(event, place, type, error);
    if (status != PAWL_OK || wake == NULL)
        return status;
    char where[128];
    snprintf(where, sizeof where, "%s.wake", place);
    return read_wake(wake, where, type, error);
}

static pawl_status read_events(const pawl_manifest_process *process, pawl_type_rules *rules, pawl_error *error)
{
    char place[96];
    size_t count = json_array_size(process->events);
    if (count > EVENTS_MAX)
        return wrong("events", "at most 256 event types", error);
    rules->events = calloc(count + 1, sizeof *rules->events);
    if (rules->events == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for event types");
    for (size_t i = 0; i < count; i++) {
        snprintf(place, sizeof place, "events[%zu]", i);
        pawl_status status = read_event(json_array_get(process->events, i), place, rules, error);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}

/* ---- updates ---- */

static const pawl_update_type *find_update(const pawl_type_rules *rules, const char *name)
{
    for (size_t i = 0; i < rules->update_count; i++)
        // NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): what is counted has a name
        if (strcmp(rules->updates[i].name, name) == 0)
            return &rules->updates[i];
    return NULL;
}

static pawl_status read_update(const json_t *update, const char *place, bool enforce, pawl_type_rules *rules,
                               pawl_error *error)
{
    static const char *const keys[] = {"name", "schema", NULL};
    pawl_status status = check_keys(update, keys, place, error);
    if (status != PAWL_OK)
        return status;
    const json_t *given = json_object_get(update, "name");
    const char *name = json_string_value(given);
    const json_t *schema = json_object_get(update, "schema");
    if (name == NULL || name[0] == '\0' || json_string_length(given) > NAME_BYTES_MAX)
        return wrong(place, "a \"name\" of 1 to 256 bytes", error);
    if (find_update(rules, name) != NULL)
        return wrong(place, "each \"name\" once", error);
    pawl_update_type *type = &rules->updates[rules->update_count++];
    type->name = name;
    if (schema != NULL && pawl_schema_compile(schema, &type->schema, error) != PAWL_OK) {
        (void)pawl_error_wrap(error, "%s.schema", place);
        return PAWL_E_INVALID;
    }
    if (!enforce)
        type->schema = pawl_schema_destroy(type->schema);
    return PAWL_OK;
}

static pawl_status read_updates(const pawl_manifest_process *process, bool enforce, pawl_type_rules *rules,
                                pawl_error *error)
{
    char place[96];
    size_t count = json_array_size(process->updates);
    if (count > UPDATES_MAX)
        return wrong("updates", "at most 256 updates", error);
    rules->updates_declared = true;
    rules->updates = calloc(count + 1, sizeof *rules->updates);
    if (rules->updates == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for updates");
    for (size_t i = 0; i < count; i++) {
        snprintf(place, sizeof place, "updates[%zu]", i);
        pawl_status status = read_update(json_array_get(process->updates, i), place, enforce, rules, error);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}

pawl_status pawl_type_rules_update(const pawl_type_rules *rules, const char *name, pawl_bytes payload,
                                   pawl_error *error)
{
    pawl_error why = {0};
    if (rules == NULL || !rules->updates_declared)
        return PAWL_OK;
    const pawl_update_type *type = find_update(rules, name);
    if (type == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "update.undeclared",
                              "the process's type declares the updates it takes, and \"%s\" is none of them", name);
    if (pawl_schema_check_text(type->schema, payload, &why) != PAWL_OK)
        return pawl_error_set(error, PAWL_E_INVALID, "update.payload", "the payload of update \"%s\" does not fit: %s",
                              name, why.message);
    return PAWL_OK;
}

/* ---- types ---- */

static pawl_status check_value(const void *rule, pawl_bytes value, pawl_error *error)
{
    return pawl_schema_check_text(rule, value, error);
}

pawl_status pawl_type_rules_make(const pawl_manifest_process *process, bool enforce, pawl_type_rules **ret,
                                 pawl_error *error)
{
    *ret = NULL;
    pawl_type_rules *made = calloc(1, sizeof *made);
    if (made == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for process types");
    pawl_status status = pawl_schema_compile(process->input_schema, &made->input, error);
    if (status != PAWL_OK)
        (void)pawl_error_wrap(error, "input_schema");
    if (status == PAWL_OK && process->events != NULL)
        status = read_events(process, made, error);
    if (status == PAWL_OK && process->updates != NULL)
        status = read_updates(process, enforce, made, error);
    if (!enforce)
        made->input = pawl_schema_destroy(made->input);
    made->contract = (pawl_contract){.check = check_value, .input = made->input};
    if (status != PAWL_OK || (made->input == NULL && made->event_count == 0 && !made->updates_declared)) {
        if (status != PAWL_OK)
            (void)pawl_error_wrap(error, "process type \"%s\" revision %u", process->name, process->revision);
        pawl_type_rules_finish(made);
        return status;
    }
    *ret = made;
    return PAWL_OK;
}

/* ---- effects ---- */

static bool is_json(const char *media_type)
{
    static const char json[] = "application/json";
    const char *plus = media_type == NULL ? NULL : strrchr(media_type, '+');
    return media_type == NULL || media_type[0] == '\0' || strncmp(media_type, json, sizeof json - 1) == 0 ||
           (plus != NULL && strncmp(plus, "+json", 5) == 0);
}

pawl_status pawl_effect_rules_make(const pawl_manifest_operation *operation, bool enforce, pawl_effect_rules **ret,
                                   pawl_error *error)
{
    *ret = NULL;
    if (operation->input_schema == NULL && operation->output_schema == NULL)
        return PAWL_OK;
    pawl_effect_rules *made = calloc(1, sizeof *made);
    if (made == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for effects");
    pawl_status status = pawl_schema_compile(operation->input_schema, &made->input, error);
    if (status != PAWL_OK)
        (void)pawl_error_wrap(error, "effect \"%s\": input_schema", operation->name);
    if (status == PAWL_OK) {
        status = pawl_schema_compile(operation->output_schema, &made->output, error);
        if (status != PAWL_OK)
            (void)pawl_error_wrap(error, "effect \"%s\": output_schema", operation->name);
    }
    bool checks = enforce && is_json(operation->media_type) && (made->input != NULL || made->output != NULL);
    if (status != PAWL_OK || !checks) {
        pawl_effect_rules_finish(made);
        return status;
    }
    made->contract = (pawl_contract){.check = check_value, .input = made->input, .output = made->output};
    *ret = made;
    return PAWL_OK;
}

void pawl_effect_rules_finish(pawl_effect_rules *list)
{
    while (list != NULL) {
        pawl_effect_rules *next = list->next;
        pawl_schema_destroy(list->input);
        pawl_schema_destroy(list->output);
        free(list);
        list = next;
    }
}

/* ---- the rest of types ---- */

void pawl_type_rules_finish(pawl_type_rules *list)
{
    while (list != NULL) {
        pawl_type_rules *next = list->next;
        for (size_t i = 0; i < list->event_count; i++)
            pawl_schema_destroy(list->events[i].schema);
        for (size_t i = 0; i < list->update_count; i++)
            pawl_schema_destroy(list->updates[i].schema);
        pawl_schema_destroy(list->input);
        free(list->updates);
        free(list->events);
        free(list);
        list = next;
    }
}

const pawl_event_type *pawl_type_rules_event(const pawl_type_rules *rules, pawl_bytes name)
{
    for (size_t i = 0; rules != NULL && i < rules->event_count; i++)
        // NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): what is counted has a name
        if (strlen(rules->events[i].name) == name.size && memcmp(rules->events[i].name, name.data, name.size) == 0)
            return &rules->events[i];
    return NULL;
}
