/* script.c: see script.h. Every mistake in a script is reported with its place; a script with one is not used at all,
 * so that a test never passes because half of it was not read. */
#include "script.h"

#include "host/profile/memory.h"
#include "host/profile/tree.h"
#include "host/profile/value.h"
#include "worker/base/date.h"
#include "worker/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    pawl_script *script;
    pawl_profile_memory *memory;
    pawl_problem_list *problems;
} reader;

typedef struct word {
    const char *text; /* NULL ends a list */
    uint32_t value;
} word;

/* ---- values ---- */

static void wrong(reader *r, const pawl_tree_node *node, const char *what, const char *wanted)
{
    char found[PAWL_FOUND_TEXT];
    pawl_value_found(node, found);
    pawl_problems_add(r->problems, node->place, "script.value", "%s: found %s, wanted %s", what, found, wanted);
}

static json_t *to_json(reader *r, const pawl_tree_node *node);

static json_t *scalar_to_json(reader *r, const pawl_tree_node *node)
{
    double real = 0;
    uint64_t whole = 0;
    bool minus = node->text[0] == '-';
    switch (pawl_value_type(node)) {
    case PAWL_SCALAR_NULL:
        return json_null();
    case PAWL_SCALAR_BOOLEAN:
        return json_boolean(node->text[0] == 't' || node->text[0] == 'T');
    case PAWL_SCALAR_INTEGER:
        if (pawl_parse_count(node->text + minus, &whole) == PAWL_PARSED && whole <= INT64_MAX)
            return json_integer(minus ? -(json_int_t)whole : (json_int_t)whole);
        break;
    case PAWL_SCALAR_FLOAT:
        if (pawl_parse_decimal(node->text + minus, &real) == PAWL_PARSED)
            return json_real(minus ? -real : real);
        break;
    case PAWL_SCALAR_TEXT:
        return json_stringn(node->text, node->size);
    default:
        break;
    }
    wrong(r, node, "a value", "one that JSON can hold; put it in quotes if it is a text");
    return json_null();
}

/* Recursion is as deep as the tree: PAWL_PROFILE_DEPTH_MAX. */
static json_t *to_json(reader *r, const pawl_tree_node *node)
{
    if (node->kind == PAWL_TREE_SCALAR)
        return scalar_to_json(r, node);
    json_t *made = node->kind == PAWL_TREE_MAPPING ? json_object() : json_array();
    for (size_t i = 0; i < node->count; i++) {
        json_t *value = to_json(r, node->entries[i].value);
        if (node->kind == PAWL_TREE_MAPPING)
            (void)json_object_set_new(made, node->entries[i].key->text, value);
        else
            (void)json_array_append_new(made, value);
    }
    return made;
}

static json_t *read_json(reader *r, const pawl_tree_node *node)
{
    return pawl_profile_memory_keep(r->memory, to_json(r, node));
}

/* As the bytes that a plugin would give. */
static pawl_bytes read_value(reader *r, const pawl_tree_node *node)
{
    const json_t *json = read_json(r, node);
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    const char *kept = text == NULL ? NULL : pawl_profile_memory_copy(r->memory, text, strlen(text));
    free(text);
    return kept == NULL ? (pawl_bytes){"", 0} : (pawl_bytes){kept, strlen(kept)};
}

static const char *read_text(reader *r, const pawl_tree_node *node, const char *what)
{
    if (node->kind == PAWL_TREE_SCALAR && strlen(node->text) == node->size)
        return pawl_profile_memory_copy(r->memory, node->text, node->size);
    wrong(r, node, what, "a text");
    return "";
}

static pawl_bytes bytes_of(const char *text)
{
    return text == NULL ? (pawl_bytes){"", 0} : (pawl_bytes){text, strlen(text)};
}

static pawl_bytes read_bytes(reader *r, const pawl_tree_node *node, const char *what)
{
    if (node->kind != PAWL_TREE_SCALAR) {
        wrong(r, node, what, "a text");
        return (pawl_bytes){"", 0};
    }
    const char *copy = pawl_profile_memory_copy(r->memory, node->text, node->size);
    return (pawl_bytes){copy == NULL ? "" : copy, copy == NULL ? 0 : node->size};
}

static uint64_t read_span(reader *r, const pawl_tree_node *node, const char *what)
{
    uint64_t span = 0;
    if (node->kind != PAWL_TREE_SCALAR || pawl_parse_duration(node->text, &span) != PAWL_PARSED)
        wrong(r, node, what, "a span such as 250ms, 30s, 5m");
    return span;
}

static uint64_t read_count(reader *r, const pawl_tree_node *node, const char *what, uint64_t least, uint64_t most)
{
    uint64_t value = least;
    char wanted[96];
    snprintf(wanted, sizeof wanted, "a whole number from %llu to %llu", (unsigned long long)least,
             (unsigned long long)most);
    if (node->kind != PAWL_TREE_SCALAR || pawl_parse_count(node->text, &value) != PAWL_PARSED || value < least ||
        value > most) {
        wrong(r, node, what, wanted);
        return least;
    }
    return value;
}

static bool read_flag(reader *r, const pawl_tree_node *node, const char *what)
{
    if (node->kind == PAWL_TREE_SCALAR && pawl_value_type(node) == PAWL_SCALAR_BOOLEAN)
        return node->text[0] == 't' || node->text[0] == 'T';
    wrong(r, node, what, "true or false");
    return false;
}

static uint32_t read_word(reader *r, const pawl_tree_node *node, const char *what, const word *words)
{
    char wanted[200] = "one of";
    for (const word *w = words; w->text != NULL; w++) {
        if (node->kind == PAWL_TREE_SCALAR && strcmp(node->text, w->text) == 0)
            return w->value;
        size_t used = strlen(wanted);
        snprintf(wanted + used, sizeof wanted - used, "%s %s", w == words ? "" : ",", w->text);
    }
    wrong(r, node, what, wanted);
    return words[0].value;
}

/* Keys that are none of these are reported. False: it is no mapping. */
static bool check_keys(reader *r, const pawl_tree_node *node, const char *what, const char *const *keys)
{
    if (node->kind != PAWL_TREE_MAPPING) {
        wrong(r, node, what, "a mapping");
        return false;
    }
    for (size_t i = 0; i < node->count; i++) {
        const pawl_tree_node *key = node->entries[i].key;
        bool known = false;
        for (const char *const *k = keys; *k != NULL; k++)
            known = known || strcmp(*k, key->text) == 0;
        const char *meant = known ? NULL : pawl_closest(key->text, keys);
        if (!known)
            pawl_problems_add(r->problems, key->place, "script.unknown_key", "%s: there is no key \"%.60s\"%s%s%s",
                              what, key->text, meant == NULL ? "" : "; did you mean \"", meant == NULL ? "" : meant,
                              meant == NULL ? "" : "\"?");
    }
    return true;
}

/* ---- answers ---- */

static const word class_words[] = {
    {"terminal", PAWL_TERMINAL}, {"retryable", PAWL_RETRYABLE}, {"unknown_outcome", PAWL_UNKNOWN_OUTCOME}, {NULL, 0}};

static pawl_failure read_failure(reader *r, const pawl_tree_node *node)
{
    static const char *const keys[] = {"class", "code", "message", "detail", "retry_after", NULL};
    pawl_failure failure = {.struct_size = sizeof failure, .klass = PAWL_TERMINAL};
    failure.code = bytes_of("test.failure");
    failure.message = bytes_of("as scripted");
    if (node->kind == PAWL_TREE_SCALAR) { /* the code alone */
        failure.code = bytes_of(read_text(r, node, "failure"));
        return failure;
    }
    if (!check_keys(r, node, "failure", keys))
        return failure;
    for (size_t i = 0; i < node->count; i++) {
        const char *key = node->entries[i].key->text;
        const pawl_tree_node *value = node->entries[i].value;
        if (strcmp(key, "class") == 0)
            failure.klass = read_word(r, value, "class", class_words);
        else if (strcmp(key, "code") == 0)
            failure.code = bytes_of(read_text(r, value, "code"));
        else if (strcmp(key, "message") == 0)
            failure.message = bytes_of(read_text(r, value, "message"));
        else if (strcmp(key, "detail") == 0)
            failure.detail_json = read_value(r, value);
        else if (strcmp(key, "retry_after") == 0)
            failure.retry_after_ns = read_span(r, value, "retry_after");
    }
    return failure;
}

static void read_doubt(reader *r, const pawl_tree_node *node, pawl_script_answer *answer)
{
    static const word words[] = {
        {"did_not_happen", PAWL_DOUBT_NEVER}, {"cannot_tell", PAWL_DOUBT_CANNOT_TELL}, {NULL, 0}};
    static const char *const keys[] = {"result", NULL};
    if (node->kind != PAWL_TREE_MAPPING) {
        answer->doubt = read_word(r, node, "reconcile", words);
        return;
    }
    const pawl_tree_node *result = check_keys(r, node, "reconcile", keys) ? pawl_tree_get(node, "result") : NULL;
    if (result == NULL) {
        wrong(r, node, "reconcile", "did_not_happen, cannot_tell, or {result: VALUE}");
        return;
    }
    answer->doubt = PAWL_DOUBT_HAPPENED;
    answer->happened = read_value(r, result);
}

#define ANSWER_KEYS "result", "text", "echo", "failure", "unknown", "delay", "deaf", "reconcile", "cancelled"
#define CASE_KEYS   "attempts", "input", "call", "ordinal"

static bool answer_kind(pawl_script_answer *answer, uint32_t kind, uint32_t *kinds)
{
    answer->kind = kind;
    ++*kinds;
    return true;
}

static void read_answer(reader *r, const pawl_tree_node *node, pawl_script_answer *answer)
{
    uint32_t kinds = 0;
    *answer = (pawl_script_answer){.failure.struct_size = sizeof answer->failure};
    for (size_t i = 0; i < node->count; i++) {
        const char *key = node->entries[i].key->text;
        const pawl_tree_node *value = node->entries[i].value;
        if (strcmp(key, "result") == 0 && answer_kind(answer, PAWL_ANSWER_RESULT, &kinds)) {
            answer->value = read_value(r, value);
        } else if (strcmp(key, "text") == 0 && answer_kind(answer, PAWL_ANSWER_RESULT, &kinds)) {
            answer->value = read_bytes(r, value, "text");
        } else if (strcmp(key, "echo") == 0 && answer_kind(answer, PAWL_ANSWER_ECHO, &kinds)) {
            (void)read_flag(r, value, "echo");
        } else if (strcmp(key, "failure") == 0 && answer_kind(answer, PAWL_ANSWER_FAILURE, &kinds)) {
            answer->failure = read_failure(r, value);
            answer->child = PAWL_FAILED;
        } else if (strcmp(key, "cancelled") == 0 && answer_kind(answer, PAWL_ANSWER_FAILURE, &kinds)) {
            (void)read_flag(r, value, "cancelled");
            answer->failure = (pawl_failure){.struct_size = sizeof answer->failure, .klass = PAWL_TERMINAL};
            answer->failure.code = bytes_of("cancelled");
            answer->failure.message = bytes_of("as scripted");
            answer->child = PAWL_CANCELLED;
        } else if (strcmp(key, "unknown") == 0 && answer_kind(answer, PAWL_ANSWER_UNKNOWN, &kinds)) {
            (void)read_flag(r, value, "unknown");
            answer->failure = (pawl_failure){.struct_size = sizeof answer->failure, .klass = PAWL_UNKNOWN_OUTCOME};
            answer->failure.code = bytes_of("test.unknown");
            answer->failure.message = bytes_of("whether it happened is not known, as scripted");
        } else if (strcmp(key, "delay") == 0) {
            answer->delay_ns = read_span(r, value, "delay");
        } else if (strcmp(key, "deaf") == 0) {
            answer->deaf = read_flag(r, value, "deaf");
        } else if (strcmp(key, "reconcile") == 0) {
            read_doubt(r, value, answer);
        }
    }
    if (kinds != 1)
        pawl_problems_add(r->problems, node->place, "script.answer",
                          "an answer has one of result, text, echo, failure, unknown and cancelled; this one has %u",
                          kinds);
}

static void read_attempts(reader *r, const pawl_tree_node *list, pawl_script_case *made)
{
    static const char *const keys[] = {ANSWER_KEYS, NULL};
    if (list->kind != PAWL_TREE_LIST || list->count == 0) {
        wrong(r, list, "attempts", "a list of answers, one for each attempt");
        return;
    }
    made->answers = pawl_profile_memory_array(r->memory, list->count, sizeof *made->answers);
    for (size_t i = 0; i < list->count && made->answers != NULL; i++)
        if (check_keys(r, list->entries[i].value, "attempts", keys))
            read_answer(r, list->entries[i].value, &made->answers[made->count++]);
}

/* alone: it is all that is said of the effect, and may hold its rules, too. */
static void read_case(reader *r, const pawl_tree_node *node, bool alone, pawl_script_case *made)
{
    static const char *const keys[] = {CASE_KEYS, ANSWER_KEYS, NULL};
    static const char *const all_keys[] = {CASE_KEYS, ANSWER_KEYS, "outcome", "timeout", "attempts_max", "calls", NULL};
    if (!check_keys(r, node, "an answer", alone ? all_keys : keys))
        return;
    const pawl_tree_node *attempts = pawl_tree_get(node, "attempts"), *input = pawl_tree_get(node, "input");
    const pawl_tree_node *nth = pawl_tree_get(node, "call"), *ordinal = pawl_tree_get(node, "ordinal");
    if (input != NULL) {
        made->has_input = true;
        made->input = read_json(r, input);
    }
    if (nth != NULL)
        made->nth = (uint32_t)read_count(r, nth, "call", 1, 1000000);
    if (ordinal != NULL)
        made->ordinal = read_count(r, ordinal, "ordinal", 1, 1000000);
    if (attempts != NULL) {
        read_attempts(r, attempts, made);
        return;
    }
    made->answers = pawl_profile_memory_array(r->memory, 1, sizeof *made->answers);
    if (made->answers == NULL)
        return;
    read_answer(r, node, made->answers);
    made->count = 1;
}

static const word outcome_words[] = {{"idempotent", PAWL_OUTCOME_IDEMPOTENT},
                                     {"by_key", PAWL_OUTCOME_BY_KEY},
                                     {"at_most_once", PAWL_OUTCOME_AT_MOST_ONCE},
                                     {"reconcile", PAWL_OUTCOME_RECONCILE},
                                     {NULL, 0}};

static void read_rules(reader *r, const pawl_tree_node *node, pawl_script_effect *effect)
{
    const pawl_tree_node *outcome = pawl_tree_get(node, "outcome"), *timeout = pawl_tree_get(node, "timeout");
    const pawl_tree_node *most = pawl_tree_get(node, "attempts_max");
    if (outcome != NULL)
        effect->outcome = read_word(r, outcome, "outcome", outcome_words);
    if (timeout != NULL)
        effect->timeout_ns = read_span(r, timeout, "timeout");
    if (most != NULL) {
        effect->has_attempts = true;
        effect->attempts_max = (uint32_t)read_count(r, most, "attempts_max", 0, 1000000);
    }
}

/* {result: 1} is the answer to every call; a list, one for each; {outcome: ..., calls: [...]}, with rules. */
static void read_effect(reader *r, const pawl_tree_entry *entry, pawl_script_effect *effect)
{
    static const char *const keys[] = {"calls", "outcome", "timeout", "attempts_max", NULL};
    const pawl_tree_node *node = entry->value, *calls = pawl_tree_get(node, "calls");
    effect->name = read_text(r, entry->key, "a name");
    if (node->kind == PAWL_TREE_MAPPING)
        read_rules(r, node, effect);
    if (calls != NULL && !check_keys(r, node, effect->name, keys))
        return;
    const pawl_tree_node *list = calls != NULL ? calls : node;
    size_t count = list->kind == PAWL_TREE_LIST ? list->count : 1;
    if (calls != NULL && calls->kind != PAWL_TREE_LIST)
        wrong(r, calls, "calls", "a list, with an answer for each call");
    effect->cases = pawl_profile_memory_array(r->memory, count, sizeof *effect->cases);
    if (effect->cases == NULL)
        return;
    effect->count = count;
    for (size_t i = 0; i < count; i++)
        read_case(r, list->kind == PAWL_TREE_LIST ? list->entries[i].value : list, list->kind != PAWL_TREE_LIST,
                  &effect->cases[i]);
}

static void read_effects(reader *r, const pawl_tree_node *node, const char *what, pawl_script_effect **ret,
                         size_t *ret_count)
{
    if (node == NULL)
        return;
    if (node->kind != PAWL_TREE_MAPPING) {
        wrong(r, node, what, "a mapping of names to answers");
        return;
    }
    *ret = pawl_profile_memory_array(r->memory, node->count, sizeof **ret);
    for (size_t i = 0; i < node->count && *ret != NULL; i++)
        read_effect(r, &node->entries[i], &(*ret)[(*ret_count)++]);
}

/* ---- the session's state ---- */

static void read_pairs(reader *r, const pawl_tree_node *node, pawl_script_pair **ret, size_t *ret_count)
{
    if (node->kind != PAWL_TREE_MAPPING) {
        wrong(r, node, "session", "a mapping of keys to values");
        return;
    }
    *ret = pawl_profile_memory_array(r->memory, node->count, sizeof **ret);
    for (size_t i = 0; i < node->count && *ret != NULL; i++) {
        const pawl_tree_node *value = node->entries[i].value;
        (*ret)[i].key = read_bytes(r, node->entries[i].key, "a key");
        (*ret)[i].value = read_value(r, value);
        (*ret)[i].removed = value->kind == PAWL_TREE_SCALAR && pawl_value_type(value) == PAWL_SCALAR_NULL;
        *ret_count = i + 1;
    }
}

/* ---- what comes from outside ---- */

static void read_event(reader *r, const pawl_tree_node *node, pawl_script_event *event)
{
    static const char *const keys[] = {"signal", "update", "cancel", "session", "id", "payload", "text", "at", NULL};
    if (!check_keys(r, node, "an event", keys))
        return;
    uint32_t kinds = 0;
    for (size_t i = 0; i < node->count; i++) {
        const char *key = node->entries[i].key->text;
        const pawl_tree_node *value = node->entries[i].value;
        bool what = strcmp(key, "signal") == 0 || strcmp(key, "update") == 0 || strcmp(key, "cancel") == 0 ||
                    strcmp(key, "session") == 0;
        kinds += what;
        if (strcmp(key, "cancel") == 0) {
            event->kind = PAWL_EVENT_CANCEL;
            event->payload = read_bytes(r, value, "cancel");
        } else if (strcmp(key, "session") == 0) {
            event->kind = PAWL_EVENT_SESSION;
            read_pairs(r, value, &event->pairs, &event->pair_count);
        } else if (what) {
            event->kind = key[0] == 's' ? PAWL_EVENT_SIGNAL : PAWL_EVENT_UPDATE;
            event->name = bytes_of(read_text(r, value, key));
        } else if (strcmp(key, "id") == 0) {
            event->id = bytes_of(read_text(r, value, key));
        } else if (strcmp(key, "payload") == 0) {
            event->payload = read_value(r, value);
        } else if (strcmp(key, "text") == 0) {
            event->payload = read_bytes(r, value, key);
        } else if (strcmp(key, "at") == 0) {
            event->timed = true;
            event->at_ns = read_span(r, value, key);
        }
    }
    if (kinds != 1)
        pawl_problems_add(r->problems, node->place, "script.event",
                          "an event is one of signal: NAME, update: NAME, cancel: REASON and session: {KEY: VALUE}");
    if (event->kind == PAWL_EVENT_UPDATE && event->id.size == 0)
        event->id = bytes_of(pawl_profile_memory_format(r->memory, "update-%zu", r->script->event_count));
}

static void read_events(reader *r, const pawl_tree_node *node)
{
    if (node == NULL)
        return;
    if (node->kind != PAWL_TREE_LIST) {
        wrong(r, node, "events", "a list");
        return;
    }
    r->script->events = pawl_profile_memory_array(r->memory, node->count, sizeof *r->script->events);
    for (size_t i = 0; i < node->count && r->script->events != NULL; i++) {
        r->script->event_count = i + 1;
        read_event(r, node->entries[i].value, &r->script->events[i]);
    }
}

/* ---- the whole ---- */

static void read_attributes(reader *r, const pawl_tree_node *node)
{
    static const word types[] = {{"keyword", PAWL_ATTRIBUTE_KEYWORD}, {"integer", PAWL_ATTRIBUTE_INTEGER},
                                 {"number", PAWL_ATTRIBUTE_NUMBER},   {"boolean", PAWL_ATTRIBUTE_BOOLEAN},
                                 {"time", PAWL_ATTRIBUTE_TIME},       {NULL, 0}};
    if (node == NULL)
        return;
    if (node->kind != PAWL_TREE_MAPPING || node->count > PAWL_ATTRIBUTES_MAX) {
        wrong(r, node, "attributes", "a mapping of at most 64 names to types");
        return;
    }
    pawl_attribute *list = pawl_profile_memory_array(r->memory, node->count, sizeof *list);
    for (size_t i = 0; i < node->count && list != NULL; i++) {
        list[i].name = read_text(r, node->entries[i].key, "a name");
        list[i].type = read_word(r, node->entries[i].value, "its type", types);
    }
    r->script->attributes = (pawl_attribute_schema){list, list == NULL ? 0 : node->count};
}

static void read_expect(reader *r, const pawl_tree_node *node)
{
    static const char *const keys[] = {"status", "output", "code", NULL};
    static const word words[] = {
        {"completed", PAWL_COMPLETED}, {"failed", PAWL_FAILED}, {"cancelled", PAWL_CANCELLED}, {NULL, 0}};
    if (node == NULL || !check_keys(r, node, "expect", keys))
        return;
    const pawl_tree_node *status = pawl_tree_get(node, "status"), *code = pawl_tree_get(node, "code");
    const pawl_tree_node *output = pawl_tree_get(node, "output");
    if (status != NULL)
        r->script->expect.status = read_word(r, status, "status", words);
    if (code != NULL)
        r->script->expect.code = read_text(r, code, "code");
    if (output != NULL)
        r->script->expect.output = read_json(r, output);
}

static void read_process(reader *r, const pawl_tree_node *node)
{
    static const char *const keys[] = {"type", "input", "text", "id", "session", NULL};
    if (node == NULL || !check_keys(r, node, "process", keys))
        return;
    for (size_t i = 0; i < node->count; i++) {
        const char *key = node->entries[i].key->text;
        const pawl_tree_node *value = node->entries[i].value;
        if (strcmp(key, "type") == 0)
            r->script->type = read_text(r, value, key);
        else if (strcmp(key, "id") == 0)
            r->script->id = read_text(r, value, key);
        else if (strcmp(key, "session") == 0)
            r->script->session = read_text(r, value, key);
        else if (strcmp(key, "input") == 0 || strcmp(key, "text") == 0) {
            r->script->has_input = true;
            r->script->input = key[0] == 'i' ? read_value(r, value) : read_bytes(r, value, key);
        }
    }
}

static void read_whole(reader *r, const pawl_tree_node *root)
{
    static const char *const keys[] = {"process",    "start",  "effects", "children",       "events", "expect",
                                       "attributes", "others", "session", "continue_after", NULL};
    static const word others[] = {{"refuse", 0}, {"null", 1}, {NULL, 0}};
    if (root == NULL || !check_keys(r, root, "the script", keys))
        return;
    const pawl_tree_node *start = pawl_tree_get(root, "start"), *other = pawl_tree_get(root, "others");
    int64_t time = 0;
    if (start != NULL && start->kind == PAWL_TREE_SCALAR && pawl_time_read(start->text, &time) && time > 0)
        r->script->start_unix_ns = (uint64_t)time;
    else if (start != NULL)
        wrong(r, start, "start", "a time such as 2026-02-03T10:00:00Z");
    if (other != NULL)
        r->script->answers_all = read_word(r, other, "others", others) != 0;
    if (pawl_tree_get(root, "continue_after") != NULL)
        r->script->continue_after = read_count(r, pawl_tree_get(root, "continue_after"), "continue_after", 1, 10000);
    read_process(r, pawl_tree_get(root, "process"));
    if (pawl_tree_get(root, "session") != NULL) {
        r->script->has_state = true;
        read_pairs(r, pawl_tree_get(root, "session"), &r->script->state, &r->script->state_count);
    }
    read_attributes(r, pawl_tree_get(root, "attributes"));
    read_effects(r, pawl_tree_get(root, "effects"), "effects", &r->script->effects, &r->script->effect_count);
    read_effects(r, pawl_tree_get(root, "children"), "children", &r->script->children, &r->script->child_count);
    read_events(r, pawl_tree_get(root, "events"));
    read_expect(r, pawl_tree_get(root, "expect"));
}

pawl_status pawl_script_read(const char *text, size_t size, pawl_script *ret, pawl_problem_list *problems)
{
    *ret = (pawl_script){.start_unix_ns = PAWL_SCRIPT_START_UNIX, .memory = pawl_profile_memory_create()};
    reader r = {.script = ret, .memory = ret->memory, .problems = problems};
    if (ret->memory == NULL)
        return PAWL_E_NOMEM;
    read_whole(&r, pawl_profile_tree_read(text, size, r.memory, problems));
    if (problems->count + problems->more == 0 && !pawl_profile_memory_failed(r.memory))
        return PAWL_OK;
    bool bad = problems->count + problems->more > 0;
    pawl_script_finish(ret);
    return bad ? PAWL_E_INVALID : PAWL_E_NOMEM;
}

pawl_status pawl_script_auto(pawl_script *ret)
{
    *ret = (pawl_script){.start_unix_ns = PAWL_SCRIPT_START_UNIX, .answers_all = true};
    ret->memory = pawl_profile_memory_create();
    return ret->memory == NULL ? PAWL_E_NOMEM : PAWL_OK;
}

void pawl_script_finish(pawl_script *script)
{
    pawl_profile_memory_destroy(script->memory);
    *script = (pawl_script){0};
}
