/* manifest.c: see manifest.h. It must never trust a manifest further than it has checked it: every number has a range,
 * every list a limit, every name a form. */
#include "manifest.h"
#include "manifest_reader.h"
#include "refuse.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES   ((size_t)128)
#define TIMEOUT_MAX_MS   (UINT64_C(30) * 24 * 3600 * 1000)
#define DELAY_MAX_MS     (UINT64_C(24) * 3600 * 1000)
#define ATTEMPTS_MAX     UINT64_C(1000000)
#define FACTOR_MAX       100.0
#define NS_PER_MS        UINT64_C(1000000)
#define MEDIA_TYPE_PLAIN "application/json"
#define KINDS_MAX        6
#define KIND_NAMES       "effect, connector, process, storage, middleware, observer"

static const manifest_word kind_words[] = {{"effect", PAWL_KIND_EFFECT},
                                           {"connector", PAWL_KIND_CONNECTOR},
                                           {"process", PAWL_KIND_PROCESS},
                                           {"storage", PAWL_KIND_STORAGE},
                                           {"middleware", PAWL_KIND_MIDDLEWARE},
                                           {"observer", PAWL_KIND_OBSERVER},
                                           {NULL, 0}};
static const manifest_word runs_words[] = {
    {"inline", PAWL_RUNS_INLINE}, {"pool", PAWL_RUNS_POOL}, {"async", PAWL_RUNS_ASYNC}, {NULL, 0}};
static const manifest_word outcome_words[] = {{"idempotent", PAWL_OUTCOME_IDEMPOTENT},
                                              {"by_key", PAWL_OUTCOME_BY_KEY},
                                              {"at_most_once", PAWL_OUTCOME_AT_MOST_ONCE},
                                              {"reconcile", PAWL_OUTCOME_RECONCILE},
                                              {NULL, 0}};
static const manifest_word sharing_words[] = {{"serial", 0}, {"shared", 1}, {NULL, 0}};
static const manifest_word tier_words[] = {{"inline", PAWL_TIER_INLINE},
                                           {"crash_safe", PAWL_TIER_CRASH_SAFE},
                                           {"durable", PAWL_TIER_DURABLE},
                                           {"replicated", PAWL_TIER_REPLICATED},
                                           {NULL, 0}};
static const manifest_word facet_words[] = {{"session", PAWL_FACET_SESSION},
                                            {"attachment", PAWL_FACET_ATTACHMENT},
                                            {"artifact", PAWL_FACET_ARTIFACT},
                                            {"registry", PAWL_FACET_REGISTRY},
                                            {NULL, 0}};
#define RECOVERY_ATTEMPTS_MAX 1000u
#define EXAMPLES_MAX          16u

static const manifest_word recovery_words[] = {
    {"rerun", PAWL_RECOVERY_RERUN}, {"owner_bound", PAWL_RECOVERY_OWNER_BOUND}, {NULL, 0}};

/* ---- forms of texts -----------------------------------------------------------------------------------------------
 */

static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789";

/* Segments of [a-z0-9] and the extra characters, separated by single dots. */
static bool is_dotted(const char *text, const char *extra)
{
    bool filled = false;
    for (; *text != '\0'; text++) {
        if (*text == '.' && !filled)
            return false;
        if (*text != '.' && strchr(lower, *text) == NULL && strchr(extra, *text) == NULL)
            return false;
        filled = *text != '.';
    }
    return filled;
}

/* A number of a semantic version: digits without a leading zero. Returns what follows, or NULL. */
static const char *skip_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits == 0 || digits > 9 || (digits > 1 && text[0] == '0') ? NULL : text + digits;
}

/* "1.2.3", "1.2.3-rc.1", "1.2.3+build.7" */
static bool is_semantic_version(const char *text)
{
    for (int part = 0; part < 3; part++) {
        text = skip_number(text);
        if (text == NULL || (part < 2 && *text++ != '.'))
            return false;
    }
    bool labelled = false;
    if (*text == '\0')
        return true;
    if (*text != '-' && *text != '+')
        return false;
    for (bool build = *text == '+'; *++text != '\0';) {
        if (*text == '+' && !build && labelled) {
            build = true;
            labelled = false;
            continue;
        }
        bool letter = strchr(lower, *text) != NULL || (*text >= 'A' && *text <= 'Z') || *text == '-';
        if (!letter && (*text != '.' || !labelled))
            return false;
        labelled = letter;
    }
    return labelled;
}

/* "type/subtype", printable and without spaces. */
static bool is_media_type(const char *text)
{
    const char *slash = strchr(text, '/');
    if (slash == NULL || slash == text || slash[1] == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static void run_out_of_memory(manifest_reader *reader)
{
    pawl_error_set(reader->error, PAWL_E_NOMEM, "loader.nomem", "out of memory");
    reader->status = PAWL_E_NOMEM;
}

/* ---- parts --------------------------------------------------------------------------------------------------------
 */

static void read_abi(manifest_reader *reader, const json_t *root, pawl_manifest *manifest)
{
    static const char *const keys[] = {"major", "minor", NULL};
    const json_t *abi = json_object_get(root, "abi");
    size_t place = pawl_reader_enter_key(reader, "abi");
    if (pawl_reader_object(reader, abi, keys)) {
        manifest->abi_major = (uint32_t)pawl_reader_integer(reader, abi, "major", NULL, 0, UINT16_MAX);
        manifest->abi_minor = (uint32_t)pawl_reader_integer(reader, abi, "minor", NULL, 0, UINT16_MAX);
    }
    pawl_reader_leave(reader, place);
}

static void read_kinds(manifest_reader *reader, const json_t *root, pawl_manifest *manifest)
{
    const json_t *kinds = pawl_reader_array(reader, root, "kinds", KINDS_MAX);
    if (kinds == NULL) {
        pawl_reader_problem(reader, "kinds", json_object_get(root, "kinds"), "an array of " KIND_NAMES);
        return;
    }
    size_t place = pawl_reader_enter_key(reader, "kinds");
    for (size_t i = 0; i < json_array_size(kinds); i++) {
        const json_t *kind = json_array_get(kinds, i);
        size_t element = pawl_reader_enter_index(reader, i);
        uint32_t value = 0;
        if (!json_is_string(kind) || !pawl_reader_word_value(kind_words, json_string_value(kind), &value))
            pawl_reader_problem(reader, NULL, kind, "one of " KIND_NAMES);
        else if ((manifest->kinds & value) != 0)
            pawl_reader_problem(reader, NULL, kind, "each kind once");
        manifest->kinds |= value;
        pawl_reader_leave(reader, element);
    }
    pawl_reader_leave(reader, place);
}

static void check_factor(manifest_reader *reader, const json_t *retry)
{
    const json_t *factor = json_object_get(retry, "factor");
    double value = json_is_number(factor) ? json_number_value(factor) : 0;
    if (factor != NULL && !(value >= 1.0 && value <= FACTOR_MAX))
        pawl_reader_problem(reader, "factor", factor, "a number from 1 to %g", FACTOR_MAX);
}

static json_t *read_retry(manifest_reader *reader, const json_t *object)
{
    static const char *const keys[] = {"attempts", "first_delay_ms", "factor", "max_delay_ms", NULL};
    static const uint64_t none = 0;
    json_t *retry = json_object_get(object, "retry");
    if (retry == NULL)
        return NULL;
    size_t place = pawl_reader_enter_key(reader, "retry");
    if (pawl_reader_object(reader, retry, keys)) {
        uint64_t first = pawl_reader_integer(reader, retry, "first_delay_ms", &none, 0, DELAY_MAX_MS);
        uint64_t most = DELAY_MAX_MS;
        pawl_reader_integer(reader, retry, "attempts", &none, 0, ATTEMPTS_MAX);
        pawl_reader_integer(reader, retry, "max_delay_ms", &most, first, DELAY_MAX_MS);
        check_factor(reader, retry);
    }
    pawl_reader_leave(reader, place);
    return retry;
}

/* A name in the form all names have, not used by an earlier element of this list. */
static const char *read_name(manifest_reader *reader, const json_t *object)
{
    const char *name = pawl_reader_text(reader, object, "name", NULL, NAME_MAX_BYTES);
    if (!is_dotted(name, "_-"))
        pawl_reader_problem(reader, "name", json_object_get(object, "name"),
                            "segments of a-z, 0-9, _ and -, separated by dots");
    return name;
}

/* A schema that is not given allows everything. json_true() is jansson's own and needs no reference. */
static json_t *schema_or_anything(manifest_reader *reader, const json_t *object, const char *key)
{
    json_t *schema = pawl_reader_schema(reader, object, key);
    return schema == NULL ? json_true() : schema;
}

/* Inputs that may be tried: {input, output: a schema, slow}. */
static json_t *read_examples(manifest_reader *reader, const json_t *object)
{
    static const char *const keys[] = {"input", "output", "slow", NULL};
    json_t *array = pawl_reader_array(reader, object, "examples", EXAMPLES_MAX);
    size_t place = pawl_reader_enter_key(reader, "examples");
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *value = json_array_get(array, i);
        size_t element = pawl_reader_enter_index(reader, i);
        if (pawl_reader_object(reader, value, keys)) {
            if (json_object_get(value, "input") == NULL)
                pawl_reader_problem(reader, "input", NULL, "an input to try the operation with");
            pawl_reader_schema(reader, value, "output");
            pawl_reader_flag(reader, value, "slow", false);
        }
        pawl_reader_leave(reader, element);
    }
    pawl_reader_leave(reader, place);
    return array;
}

static void read_operation(manifest_reader *reader, const json_t *value, pawl_manifest_operation *operation)
{
    static const char *const keys[] = {"name",  "input_schema", "output_schema", "media_type", "runs",     "outcome",
                                       "local", "timeout",      "retry",         "deadline",   "examples", NULL};
    static const uint32_t pool = PAWL_RUNS_POOL;
    static const uint64_t none = 0;
    operation->name = "";
    if (!pawl_reader_object(reader, value, keys))
        return;
    operation->name = read_name(reader, value);
    operation->input_schema = schema_or_anything(reader, value, "input_schema");
    operation->output_schema = schema_or_anything(reader, value, "output_schema");
    operation->media_type = pawl_reader_text(reader, value, "media_type", MEDIA_TYPE_PLAIN, NAME_MAX_BYTES);
    if (!is_media_type(operation->media_type))
        pawl_reader_problem(reader, "media_type", json_object_get(value, "media_type"),
                            "a media type, \"type/subtype\"");
    operation->runs = pawl_reader_choice(reader, value, "runs", runs_words, &pool);
    operation->outcome = pawl_reader_choice(reader, value, "outcome", outcome_words, NULL);
    operation->local = pawl_reader_flag(reader, value, "local", false);
    if (operation->local && operation->outcome != PAWL_OUTCOME_IDEMPOTENT)
        pawl_reader_problem(reader, "local", json_object_get(value, "local"),
                            "false, or the outcome \"idempotent\": what shows nothing outside can be done again");
    operation->timeout_ms = pawl_reader_integer(reader, value, "timeout", &none, 1, TIMEOUT_MAX_MS);
    operation->deadline_ms = pawl_reader_integer(reader, value, "deadline", &none, 1, TIMEOUT_MAX_MS);
    operation->retry = read_retry(reader, value);
    operation->examples = read_examples(reader, value);
}

static bool name_taken(const pawl_manifest_operation *operations, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(operations[i].name, name) == 0)
            return true;
    return false;
}

static void read_operations(manifest_reader *reader, const json_t *object, const char *key,
                            pawl_manifest_operation **ret_operations, size_t *ret_count)
{
    const json_t *array = pawl_reader_array(reader, object, key, PAWL_MANIFEST_ENTRIES_MAX);
    if (array == NULL)
        return;
    size_t place = pawl_reader_enter_key(reader, key);
    size_t count = json_array_size(array);
    pawl_manifest_operation *operations = calloc(count, sizeof *operations);
    if (operations == NULL)
        run_out_of_memory(reader);
    *ret_operations = operations;
    for (size_t i = 0; i < count && reader->status == PAWL_OK; i++) {
        size_t element = pawl_reader_enter_index(reader, i);
        const json_t *value = json_array_get(array, i);
        read_operation(reader, value, &operations[i]);
        if (reader->status == PAWL_OK && name_taken(operations, i, operations[i].name))
            pawl_reader_problem(reader, "name", json_object_get(value, "name"), "each name once");
        *ret_count = i + 1;
        pawl_reader_leave(reader, element);
    }
    pawl_reader_leave(reader, place);
}

static void read_connector(manifest_reader *reader, const json_t *root, pawl_manifest *manifest)
{
    static const char *const keys[] = {"concurrency", "config_schema", "operations", NULL};
    static const uint32_t serial = 0;
    const json_t *connector = json_object_get(root, "connector");
    if (connector == NULL)
        return;
    size_t place = pawl_reader_enter_key(reader, "connector");
    if (pawl_reader_object(reader, connector, keys)) {
        manifest->shared = pawl_reader_choice(reader, connector, "concurrency", sharing_words, &serial) != 0;
        manifest->config_schema = pawl_reader_schema(reader, connector, "config_schema");
        read_operations(reader, connector, "operations", &manifest->operations, &manifest->operation_count);
        if (manifest->operation_count == 0)
            pawl_reader_problem(reader, "operations", json_object_get(connector, "operations"),
                                "at least one operation");
    }
    pawl_reader_leave(reader, place);
}

static bool is_listed(const pawl_manifest_process *process, json_int_t revision)
{
    for (size_t i = 0; i < process->compatible_count; i++)
        if (process->compatible[i] == revision)
            return true;
    return false;
}

static void read_compatible(manifest_reader *reader, const json_t *value, pawl_manifest_process *process)
{
    static const char key[] = "compatible_with";
    const json_t *array = pawl_reader_array(reader, value, key, PAWL_COMPATIBLE_MAX);
    if (array == NULL)
        return;
    if (process->pinned)
        pawl_reader_problem(reader, key, array, "nothing, where \"pinned\" is true: one of them");
    process->compatible = calloc(json_array_size(array) + 1, sizeof *process->compatible);
    if (process->compatible == NULL) {
        run_out_of_memory(reader);
        return;
    }
    size_t place = pawl_reader_enter_key(reader, key);
    for (size_t i = 0; i < json_array_size(array) && reader->status == PAWL_OK; i++) {
        const json_t *revision = json_array_get(array, i);
        json_int_t number = json_is_integer(revision) ? json_integer_value(revision) : 0;
        size_t element = pawl_reader_enter_index(reader, i);
        if (number < 1 || number > UINT32_MAX || number == process->revision || is_listed(process, number))
            pawl_reader_problem(reader, NULL, revision, "another revision than its own, from 1 on, each once");
        else
            process->compatible[process->compatible_count++] = (uint32_t)number;
        pawl_reader_leave(reader, element);
    }
    pawl_reader_leave(reader, place);
}

static void read_process(manifest_reader *reader, const json_t *value, pawl_manifest_process *process)
{
    static const char *const keys[] = {"name",     "revision",          "input_schema",    "events", "updates", "tier",
                                       "recovery", "recovery_attempts", "compatible_with", "pinned", NULL};
    static const uint32_t rerun = PAWL_RECOVERY_RERUN;
    static const uint64_t attempts = PAWL_RECOVERY_ATTEMPTS;
    static const uint32_t lowest = PAWL_TIER_INLINE;
    process->name = "";
    if (!pawl_reader_object(reader, value, keys))
        return;
    process->name = read_name(reader, value);
    process->revision = (uint32_t)pawl_reader_integer(reader, value, "revision", NULL, 1, UINT32_MAX);
    process->input_schema = schema_or_anything(reader, value, "input_schema");
    process->events = pawl_reader_array(reader, value, "events", PAWL_MANIFEST_ENTRIES_MAX);
    process->updates = pawl_reader_array(reader, value, "updates", PAWL_MANIFEST_ENTRIES_MAX);
    process->tier_given = json_object_get(value, "tier") != NULL;
    process->tier = pawl_reader_choice(reader, value, "tier", tier_words, &lowest);
    process->recovery = pawl_reader_choice(reader, value, "recovery", recovery_words, &rerun);
    process->recovery_attempts =
        (uint32_t)pawl_reader_integer(reader, value, "recovery_attempts", &attempts, 1, RECOVERY_ATTEMPTS_MAX);
    process->pinned = pawl_reader_flag(reader, value, "pinned", false);
    read_compatible(reader, value, process);
}

static bool type_taken(const pawl_manifest_process *processes, size_t count, const pawl_manifest_process *process)
{
    for (size_t i = 0; i < count; i++)
        if (processes[i].revision == process->revision && strcmp(processes[i].name, process->name) == 0)
            return true;
    return false;
}

static void read_processes(manifest_reader *reader, const json_t *root, pawl_manifest *manifest)
{
    const json_t *array = pawl_reader_array(reader, root, "processes", PAWL_MANIFEST_ENTRIES_MAX);
    if (array == NULL)
        return;
    size_t place = pawl_reader_enter_key(reader, "processes");
    size_t count = json_array_size(array);
    manifest->processes = calloc(count, sizeof *manifest->processes);
    if (manifest->processes == NULL)
        run_out_of_memory(reader);
    for (size_t i = 0; i < count && reader->status == PAWL_OK; i++) {
        size_t element = pawl_reader_enter_index(reader, i);
        const json_t *value = json_array_get(array, i);
        read_process(reader, value, &manifest->processes[i]);
        if (reader->status == PAWL_OK && type_taken(manifest->processes, i, &manifest->processes[i]))
            pawl_reader_problem(reader, "name", json_object_get(value, "name"), "each name and revision once");
        manifest->process_count = i + 1;
        pawl_reader_leave(reader, element);
    }
    pawl_reader_leave(reader, place);
}

static void read_facets(manifest_reader *reader, const json_t *root, pawl_manifest *manifest)
{
    static const char *const keys[] = {"facet", "tier", NULL};
    const json_t *array = pawl_reader_array(reader, root, "facets", PAWL_FACET_COUNT);
    size_t place = pawl_reader_enter_key(reader, "facets");
    for (size_t i = 0; i < json_array_size(array) && reader->status == PAWL_OK; i++) {
        size_t element = pawl_reader_enter_index(reader, i);
        const json_t *value = json_array_get(array, i);
        if (pawl_reader_object(reader, value, keys)) {
            uint32_t facet = pawl_reader_choice(reader, value, "facet", facet_words, NULL);
            if ((manifest->facets & (1u << facet)) != 0)
                pawl_reader_problem(reader, "facet", json_object_get(value, "facet"), "each facet once");
            manifest->facets |= 1u << facet;
            manifest->tiers[facet] = pawl_reader_choice(reader, value, "tier", tier_words, NULL);
        }
        pawl_reader_leave(reader, element);
    }
    pawl_reader_leave(reader, place);
}

/* Of a kind whose instances the profile makes, and which has nothing else to tell. */
static void read_configured(manifest_reader *reader, const json_t *root, const char *key, json_t **ret_schema)
{
    static const char *const keys[] = {"config_schema", NULL};
    const json_t *part = json_object_get(root, key);
    if (part == NULL)
        return;
    size_t place = pawl_reader_enter_key(reader, key);
    if (pawl_reader_object(reader, part, keys))
        *ret_schema = pawl_reader_schema(reader, part, "config_schema");
    pawl_reader_leave(reader, place);
}

/* A kind and what it needs stand together or not at all. */
static void check_kinds(manifest_reader *reader, const json_t *root, const pawl_manifest *manifest)
{
    static const struct {
        uint32_t kind;
        const char *name;
        const char *key;
    } pairs[] = {{PAWL_KIND_EFFECT, "effect", "effects"},
                 {PAWL_KIND_CONNECTOR, "connector", "connector"},
                 {PAWL_KIND_PROCESS, "process", "processes"},
                 {PAWL_KIND_STORAGE, "storage", "facets"},
                 {PAWL_KIND_MIDDLEWARE, "middleware", "middleware"},
                 {PAWL_KIND_OBSERVER, "observer", "observer"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const json_t *part = json_object_get(root, pairs[i].key);
        bool declared = (manifest->kinds & pairs[i].kind) != 0;
        if (declared && part == NULL)
            pawl_reader_problem(reader, pairs[i].key, part, "what the kind \"%s\" of $.kinds offers", pairs[i].name);
        if (!declared && part != NULL)
            pawl_reader_problem(reader, pairs[i].key, part, "nothing, or \"%s\" among $.kinds", pairs[i].name);
    }
}

static void read_root(manifest_reader *reader, const json_t *root, pawl_manifest *manifest)
{
    static const char *const keys[] = {"manifest_version", "id",        "version", "abi",        "kinds",    "effects",
                                       "connector",        "processes", "facets",  "middleware", "observer", NULL};
    static const uint64_t first = 1;
    if (!pawl_reader_object(reader, root, keys))
        return;
    pawl_reader_integer(reader, root, "manifest_version", &first, 1, 1);
    manifest->id = pawl_reader_text(reader, root, "id", NULL, NAME_MAX_BYTES);
    if (!is_dotted(manifest->id, "-"))
        pawl_reader_problem(reader, "id", json_object_get(root, "id"), "segments of a-z, 0-9 and -, separated by dots");
    manifest->version = pawl_reader_text(reader, root, "version", NULL, NAME_MAX_BYTES);
    if (!is_semantic_version(manifest->version))
        pawl_reader_problem(reader, "version", json_object_get(root, "version"), "a semantic version such as 1.2.3");
    read_abi(reader, root, manifest);
    read_kinds(reader, root, manifest);
    read_operations(reader, root, "effects", &manifest->effects, &manifest->effect_count);
    read_connector(reader, root, manifest);
    read_processes(reader, root, manifest);
    read_facets(reader, root, manifest);
    read_configured(reader, root, "middleware", &manifest->middleware_schema);
    read_configured(reader, root, "observer", &manifest->observer_schema);
    check_kinds(reader, root, manifest);
}

/* ---- public -------------------------------------------------------------------------------------------------------
 */

static json_t *parse_json(pawl_bytes text, pawl_error *error)
{
    json_error_t problem;
    if (text.size > PAWL_MANIFEST_BYTES_MAX || (text.data == NULL && text.size > 0)) {
        pawl_loader_refuse(error, "loader.manifest_invalid", "manifest", "found %zu bytes at %p, wanted at most %zu",
                           text.size, text.data, PAWL_MANIFEST_BYTES_MAX);
        return NULL;
    }
    json_t *root = json_loadb(text.data == NULL ? "" : text.data, text.size, JSON_REJECT_DUPLICATES, &problem);
    if (root == NULL)
        pawl_loader_refuse(error, "loader.manifest_invalid", "manifest", "is not JSON at line %d, column %d: %s",
                           problem.line, problem.column, problem.text);
    return root;
}

/* Before anything else: a manifest of another time may have keys that are unknown here, and the reason to give for that
 * is its time. */
static pawl_status check_abi(const json_t *root, pawl_error *error)
{
    const json_t *abi = json_object_get(root, "abi");
    const json_t *major = json_object_get(abi, "major");
    const json_t *minor = json_object_get(abi, "minor");
    if (json_is_integer(major) && json_integer_value(major) != PAWL_ABI_MAJOR)
        return pawl_loader_refuse(error, "loader.abi_major", "manifest",
                                  "was built for ABI major %" JSON_INTEGER_FORMAT
                                  "; wanted %u, the one this host has: get "
                                  "a build of the plugin for it",
                                  json_integer_value(major), PAWL_ABI_MAJOR);
    if (json_is_integer(minor) && json_integer_value(minor) > (json_int_t)PAWL_ABI_MINOR)
        return pawl_loader_refuse(error, "loader.needs_newer_minor", "manifest",
                                  "needs a host with ABI %u.%" JSON_INTEGER_FORMAT " or later; this host has %u.%u: "
                                  "upgrade the host or use an older plugin",
                                  PAWL_ABI_MAJOR, json_integer_value(minor), PAWL_ABI_MAJOR, PAWL_ABI_MINOR);
    return PAWL_OK;
}

pawl_status pawl_manifest_parse(pawl_bytes text, pawl_manifest **ret, pawl_error *error)
{
    json_t *root = parse_json(text, error);
    if (root == NULL)
        return PAWL_E_INVALID;
    pawl_status abi_status = check_abi(root, error);
    if (abi_status != PAWL_OK) {
        json_decref(root);
        return abi_status;
    }
    pawl_manifest *manifest = calloc(1, sizeof *manifest);
    if (manifest == NULL) {
        json_decref(root);
        return pawl_error_set(error, PAWL_E_NOMEM, "loader.nomem", "out of memory");
    }
    manifest->json = root;
    manifest_reader reader = {.error = error, .status = PAWL_OK, .length = 1, .path = "$"};
    read_root(&reader, root, manifest);
    if (reader.status != PAWL_OK) {
        pawl_manifest_destroy(manifest);
        return reader.status;
    }
    *ret = manifest;
    return PAWL_OK;
}

pawl_manifest *pawl_manifest_destroy(pawl_manifest *manifest)
{
    if (manifest == NULL)
        return NULL;
    free(manifest->effects);
    free(manifest->operations);
    for (size_t i = 0; i < manifest->process_count; i++)
        free(manifest->processes[i].compatible);
    free(manifest->processes);
    json_decref(manifest->json);
    free(manifest);
    return NULL;
}

void pawl_manifest_retry(const pawl_manifest_operation *operation, pawl_retry_policy *policy)
{
    const json_t *attempts = json_object_get(operation->retry, "attempts");
    const json_t *first = json_object_get(operation->retry, "first_delay_ms");
    const json_t *factor = json_object_get(operation->retry, "factor");
    const json_t *most = json_object_get(operation->retry, "max_delay_ms");
    if (attempts != NULL)
        policy->attempts_max = (uint32_t)json_integer_value(attempts);
    if (first != NULL)
        policy->first_delay_ns = (uint64_t)json_integer_value(first) * NS_PER_MS;
    if (factor != NULL)
        policy->factor = json_number_value(factor);
    if (most != NULL)
        policy->delay_max_ns = (uint64_t)json_integer_value(most) * NS_PER_MS;
}

const char *pawl_manifest_runs_name(uint32_t runs)
{
    return pawl_reader_word_of(runs_words, runs);
}

const char *pawl_manifest_outcome_name(uint32_t outcome)
{
    return pawl_reader_word_of(outcome_words, outcome);
}

const char *pawl_manifest_tier_name(uint32_t tier)
{
    return pawl_reader_word_of(tier_words, tier);
}

const char *pawl_manifest_facet_name(uint32_t facet)
{
    return pawl_reader_word_of(facet_words, facet);
}

const char *pawl_manifest_recovery_name(uint32_t recovery)
{
    return pawl_reader_word_of(recovery_words, recovery);
}
