/* replay.c: journals of real processes, lived again by the plugin under test, as `pawl journal ID --export` wrote them.
 * A journal goes on when the program does again all that is in it, in the same order, and ends as it ended, if it did.
 * Nothing is written, and nothing new begins. */
#include "tester_internal.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VALUE_BYTES_MAX ((size_t)1 << 30)
#define COMMANDS_MAX    ((size_t)10000)
#define KINDS_MAX       256u

typedef struct journal {
    pawl_tester *t;
    json_t *header;
    pawl_arena arena;
    pawl_record *records;
    size_t count, room;
    pawl_entry end; /* ENDED, when it has one that counts */
    bool ended;
    pawl_attribute schema[PAWL_ATTRIBUTES_MAX];
    size_t schema_count;
    pawl_tester_text message;
    bool goes_on;
    pawl_witness witness;
} journal;

/* ---- reading ---- */

static uint32_t kind_of(const char *name)
{
    for (uint32_t kind = 1; name != NULL && kind < KINDS_MAX; kind++)
        if (strcmp(pawl_record_name(kind), name) == 0)
            return kind;
    return 0;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_body(journal *j, const char *hex, pawl_bytes *ret)
{
    size_t size = hex == NULL ? 0 : strlen(hex) / 2;
    uint8_t *bytes = hex == NULL || strlen(hex) % 2 != 0 ? NULL : pawl_arena_alloc(&j->arena, size);
    for (size_t i = 0; i < size && bytes != NULL; i++) {
        int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret = (pawl_bytes){bytes, size};
    return bytes != NULL;
}

static bool add_record(journal *j, const json_t *line)
{
    if (j->count == j->room) {
        size_t room = j->room == 0 ? 64 : j->room * 2;
        pawl_record *records = realloc(j->records, room * sizeof *records);
        if (records == NULL)
            return false;
        j->records = records;
        j->room = room;
    }
    pawl_record *record = &j->records[j->count];
    *record = (pawl_record){.struct_size = sizeof *record};
    record->kind = kind_of(json_string_value(json_object_get(line, "kind")));
    record->sequence = (uint64_t)json_integer_value(json_object_get(line, "sequence"));
    record->time_unix_ns = (uint64_t)json_integer_value(json_object_get(line, "time_unix_ns"));
    if (record->kind == 0 || record->sequence == 0 ||
        !read_body(j, json_string_value(json_object_get(line, "body")), &record->body))
        return false;
    j->count++;
    return true;
}

static void fail(journal *j, const char *words, const char *why)
{
    j->goes_on = false;
    pawl_tester_text_reset(&j->message);
    pawl_tester_text_add(&j->message, "%s%s", words, why);
}

static bool read_lines(journal *j, FILE *file)
{
    char *line = NULL;
    size_t room = 0, number = 0;
    bool good = true;
    char where[64];
    while (good && getline(&line, &room, file) > 0) {
        json_t *json = json_loads(line, 0, NULL);
        number++;
        if (j->header == NULL && json_integer_value(json_object_get(json, "pawl_journal")) == 1)
            j->header = json_incref(json);
        else
            good = j->header != NULL && add_record(j, json);
        json_decref(json);
    }
    free(line);
    snprintf(where, sizeof where, "line %zu", number);
    if (!good || j->count == 0)
        fail(j, "this is no file of `pawl journal ID --export`: ", where);
    return good && j->count > 0;
}

static void read_schema(journal *j)
{
    const char *name;
    json_t *type;
    json_object_foreach(json_object_get(j->header, "attributes"), name, type)
    {
        for (uint32_t kind = PAWL_ATTRIBUTE_KEYWORD; kind <= PAWL_ATTRIBUTE_TIME; kind++)
            if (json_is_string(type) && strcmp(pawl_attribute_type_name(kind), json_string_value(type)) == 0 &&
                j->schema_count < PAWL_ATTRIBUTES_MAX)
                j->schema[j->schema_count++] = (pawl_attribute){name, kind};
    }
}

/* An end that was undone by a restart does not count. What follows it is for people alone. */
static void find_end(journal *j)
{
    for (size_t i = j->count; i > 0; i--) {
        uint32_t kind = j->records[i - 1].kind;
        if (kind == PAWL_RECORD_REWOUND)
            return;
        if (kind != PAWL_RECORD_ENDED)
            continue;
        j->ended = pawl_entry_decode(&j->records[i - 1], &j->end, NULL) == PAWL_OK;
        j->count = i - 1;
        return;
    }
}

/* ---- living it again ---- */

static pawl_bytes text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? (pawl_bytes){"", 0} : (pawl_bytes){text, strlen(text)};
}

/* What runs it here: its own revision, else the newest that says that it can. 0: nothing. */
static uint32_t revision_for(const journal *j, bool *ret_type)
{
    const pawl_manifest *manifest = j->t->plugin->manifest;
    pawl_bytes type = text_of(j->header, "type");
    uint32_t wanted = (uint32_t)json_integer_value(json_object_get(j->header, "revision")), found = 0;
    *ret_type = false;
    for (size_t i = 0; i < manifest->process_count; i++) {
        const pawl_manifest_process *one = &manifest->processes[i];
        if (strlen(one->name) != type.size || memcmp(one->name, type.data, type.size) != 0)
            continue;
        *ret_type = true;
        if (one->revision == wanted)
            return wanted;
        for (size_t c = 0; c < one->compatible_count; c++)
            if (one->compatible[c] == wanted && one->revision > found)
                found = one->revision;
    }
    return found;
}

static pawl_activation *load(journal *j, uint32_t revision)
{
    pawl_error error = {0};
    pawl_activation *made = NULL;
    const pawl_attribute_schema schema = {j->schema, j->schema_count};
    const pawl_activation_config config = {
        .id = text_of(j->header, "id"),
        .session = text_of(j->header, "session"),
        .type = text_of(j->header, "type"),
        .revision = revision,
        .run = (uint32_t)json_integer_value(json_object_get(j->header, "run")),
        .program = pawl_witness_table(),
        .value_bytes_max = VALUE_BYTES_MAX,
        .commands_max = COMMANDS_MAX,
        .warn_records = UINT64_MAX,
        .keep_from = UINT64_MAX,
        .schema = &schema,
    };
    if (pawl_activation_create(&config, &made, &error) != PAWL_OK) {
        fail(j, "", error.message);
        return NULL;
    }
    for (size_t i = 0; i < j->count; i++)
        if (pawl_activation_feed(made, &j->records[i], &error) != PAWL_OK) {
            fail(j, "the journal cannot be read: ", error.message);
            return pawl_activation_destroy(made);
        }
    return made;
}

static bool same_bytes(pawl_bytes left, pawl_bytes right)
{
    return left.size == right.size && (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

static void judge_end(journal *j, const pawl_run_result *result)
{
    const pawl_entry *end = &j->end;
    if (end->status == PAWL_TERMINATED)
        pawl_tester_text_add(&j->message, "it was terminated; up to there all is the same");
    else if (result->kind != PAWL_RUN_ENDED)
        fail(j, "it had ended, and now does not", "");
    else if (result->status != end->status)
        fail(j, "it had ended with another status: ", end->status == PAWL_COMPLETED ? "completed" : "not completed");
    else if (end->status == PAWL_COMPLETED && !same_bytes(result->output, end->value))
        fail(j, "it completes with another output than it had", "");
    else if (end->status != PAWL_COMPLETED && !same_bytes(result->failure.code, end->failure.code))
        fail(j, "it ends with another code than it had", "");
    else
        pawl_tester_text_add(&j->message, "ends as it had ended");
}

static void judge(journal *j, const pawl_run_result *result)
{
    j->goes_on = true;
    if (result->kind == PAWL_RUN_STUCK) {
        fail(j, "", "");
        pawl_tester_text_add(&j->message, "%.*s: %.*s", (int)result->reason_code.size,
                             (const char *)result->reason_code.data, (int)result->reason.size,
                             (const char *)result->reason.data);
    } else if (j->ended) {
        judge_end(j, result);
    } else if (result->kind == PAWL_RUN_SUSPENDED) {
        pawl_tester_text_add(&j->message, "waits for ");
        pawl_tester_text_value(&j->message, result->waits);
    } else {
        pawl_tester_text_add(&j->message, "ends from here");
    }
}

static void live_again(journal *j)
{
    bool has_type = false;
    uint32_t revision = revision_for(j, &has_type);
    if (revision == 0) {
        fail(j, has_type ? "the plugin has no revision that can live it: the journal's is " : "the plugin has no type ",
             "");
        if (has_type)
            pawl_tester_text_add(&j->message, "%" JSON_INTEGER_FORMAT,
                                 json_integer_value(json_object_get(j->header, "revision")));
        else
            pawl_tester_text_value(&j->message, text_of(j->header, "type"));
        return;
    }
    pawl_activation *activation = load(j, revision);
    if (activation == NULL)
        return;
    pawl_run_result result;
    pawl_witness *outer = pawl_witness_enter(&j->witness);
    if (j->t->shared != NULL)
        atomic_fetch_add(&j->t->shared->beats, 1);
    pawl_traps_statics_restore(j->t->traps);
    pawl_traps_enter(j->t->traps, j->records[j->count - 1].time_unix_ns);
    pawl_activation_run(activation, j->records[j->count - 1].time_unix_ns, &result);
    pawl_traps_leave(j->t->traps);
    (void)pawl_witness_enter(outer);
    judge(j, &result);
    (void)pawl_activation_destroy(activation);
}

/* ---- files ---- */

static json_t *view(const journal *j, const char *path)
{
    json_t *json = json_pack("{s:s, s:b, s:I, s:s}", "file", path, "goes_on", j->goes_on, "records",
                             (json_int_t)j->count + j->ended, "message", pawl_tester_text_of(&j->message));
    static const char *const kept[] = {"id", "type", "revision"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (json_object_get(j->header, kept[i]) != NULL)
            (void)json_object_set(json, kept[i], json_object_get(j->header, kept[i]));
    if (!j->goes_on)
        (void)json_object_set_new(json, "found", pawl_tester_lines(pawl_tester_text_of(&j->witness.log)));
    return json;
}

static void replay_file(pawl_tester *t, const char *path, json_t *list)
{
    journal j = {.t = t};
    pawl_witness_init(&j.witness, t->plugin->process);
    if (t->shared != NULL)
        snprintf(t->shared->what, sizeof t->shared->what, "%s", path);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fail(&j, "cannot be read: ", strerror(errno));
    } else if (read_lines(&j, file)) {
        read_schema(&j);
        find_end(&j);
        live_again(&j);
    }
    if (file != NULL)
        fclose(file);
    t->finding_count += !j.goes_on;
    t->runs++;
    (void)json_array_append_new(list, view(&j, path));
    pawl_witness_finish(&j.witness);
    pawl_tester_text_finish(&j.message);
    pawl_arena_finish(&j.arena);
    free(j.records);
    json_decref(j.header);
}

static int is_no_dot(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay_path(pawl_tester *t, const char *path, json_t *list)
{
    struct stat facts;
    struct dirent **names = NULL;
    if (stat(path, &facts) != 0 || !S_ISDIR(facts.st_mode)) {
        replay_file(t, path, list);
        return;
    }
    int count = scandir(path, &names, is_no_dot, alphasort);
    for (int i = 0; i < count; i++) {
        char whole[4096];
        snprintf(whole, sizeof whole, "%s/%s", path, names[i]->d_name);
        if (stat(whole, &facts) == 0 && S_ISREG(facts.st_mode))
            replay_file(t, whole, list);
        free(names[i]);
    }
    free(names);
}

json_t *pawl_tester_replay(pawl_tester *t, pawl_error *error)
{
    char digest[65];
    json_t *list = json_array();
    for (size_t i = 0; i < t->request->journal_count; i++)
        replay_path(t, t->request->journals[i], list);
    if (json_array_size(list) == 0) {
        json_decref(list);
        (void)pawl_error_set(error, PAWL_E_NOT_FOUND, "test.no_journals", "there are no journals in %s",
                             t->request->journals[0]);
        return NULL;
    }
    for (size_t i = 0; i < 32; i++)
        snprintf(digest + 2 * i, 3, "%02x", t->plugin->digest[i]);
    return json_pack("{s:b, s:s, s:s, s:o, s:I}", "ok", t->finding_count == 0, "plugin", t->request->plugin, "digest",
                     digest, "journals", list, "runs", (json_int_t)t->runs);
}
