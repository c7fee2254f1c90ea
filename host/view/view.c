/* view.c: see view.h. The pieces, and one process. */
#include "host/view/view.h"

#include "host/operation/outcome.h"
#include "worker/base/sink.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool pawl_view_set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

json_t *pawl_view_text(pawl_bytes text)
{
    json_t *whole = json_stringn(text.size == 0 ? "" : text.data, text.size);
    if (whole != NULL || text.size == 0)
        return whole;
    char *ascii = malloc(text.size); /* not UTF-8, or out of memory: show what can be shown */
    if (ascii == NULL)
        return NULL;
    const uint8_t *bytes = text.data;
    for (size_t i = 0; i < text.size; i++)
        ascii[i] = (char)(bytes[i] < 0x80 ? bytes[i] : '?');
    whole = json_stringn(ascii, text.size);
    free(ascii);
    return whole;
}

static json_t *base64(pawl_bytes content)
{
    size_t room = (content.size + 2) / 3 * 4 + 1;
    char *text = content.size > INT32_MAX ? NULL : malloc(room);
    if (text == NULL)
        return NULL;
    EVP_EncodeBlock((unsigned char *)text, content.data, (int)content.size);
    json_t *encoded = json_stringn_nocheck(text, room - 1);
    free(text);
    return encoded;
}

bool pawl_view_value(json_t *object, const char *key, pawl_bytes content)
{
    json_t *value = content.size == 0 ? NULL
                                      : json_loadb(content.data, content.size,
                                                   JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (value != NULL)
        return pawl_view_set(object, key, value);
    char encoded_key[64];
    snprintf(encoded_key, sizeof encoded_key, "%s_base64", key);
    return pawl_view_set(object, encoded_key, content.size == 0 ? json_string("") : base64(content));
}

bool pawl_view_time(json_t *object, const char *key, uint64_t unix_ns)
{
    if (unix_ns == 0)
        return true;
    time_t seconds = (time_t)(unix_ns / PAWL_NS_PER_SECOND);
    struct tm parts;
    char day[32];
    char text[48];
    char number_key[64];
    gmtime_r(&seconds, &parts);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text, sizeof text, "%s.%03uZ", day, (unsigned)(unix_ns / PAWL_NS_PER_MS % 1000));
    snprintf(number_key, sizeof number_key, "%s_unix_ns", key);
    return pawl_view_set(object, key, json_string(text)) &&
           pawl_view_set(object, number_key, json_integer((json_int_t)unix_ns));
}

/* ---- JSON as text ---- */

static void put(pawl_sink *out, const char *text)
{
    (void)pawl_sink_write(out, text, strlen(text));
}

/* The shortest of the forms that read back as the same number. */
static void put_real(pawl_sink *out, double number)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    put(out, text);
    if (strpbrk(text, ".e") == NULL)
        put(out, ".0");
}

static void put_scalar(pawl_sink *out, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL)
        out->no_memory = true;
    else
        put(out, text);
    free(text);
}

static void put_json(pawl_sink *out, const json_t *value)
{
    if (json_is_real(value)) {
        put_real(out, json_real_value(value));
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            put(out, i == 0 ? "[" : ",");
            put_json(out, json_array_get(value, i));
        }
        put(out, json_array_size(value) == 0 ? "[]" : "]");
    } else if (json_is_object(value)) {
        const char *key;
        json_t *item;
        bool first = true;
        json_object_foreach((json_t *)value, key, item)
        {
            json_t *name = json_string_nocheck(key);
            put(out, first ? "{" : ",");
            put_scalar(out, name);
            put(out, ":");
            put_json(out, item);
            json_decref(name);
            first = false;
        }
        put(out, first ? "{}" : "}");
    } else {
        put_scalar(out, value);
    }
}

char *pawl_view_dump(const json_t *json, size_t *ret_size)
{
    pawl_sink out;
    pawl_sink_init(&out, SIZE_MAX);
    put_json(&out, json);
    (void)pawl_sink_text(&out); /* ends it with NUL */
    if (out.no_memory || out.data == NULL) {
        pawl_sink_finish(&out);
        return NULL;
    }
    *ret_size = out.size;
    return (char *)out.data;
}

pawl_status pawl_view_give(json_t *json, pawl_text *ret, pawl_error *error)
{
    size_t size = 0;
    char *text = json == NULL ? NULL : pawl_view_dump(json, &size);
    json_decref(json);
    if (text == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while making JSON");
    if (ret != NULL)
        *ret = (pawl_text){text, size};
    else
        free(text);
    return PAWL_OK;
}

/* ---- status words ---- */

static const struct {
    uint32_t status;
    const char *word;
} status_words[] = {
    {PAWL_READY, "ready"},         {PAWL_RUNNING, "running"},       {PAWL_WAITING, "waiting"},
    {PAWL_STUCK, "stuck"},         {PAWL_COMPLETED, "completed"},   {PAWL_FAILED, "failed"},
    {PAWL_CANCELLED, "cancelled"}, {PAWL_TERMINATED, "terminated"}, {PAWL_COMPENSATING, "compensating"},
};

const char *pawl_view_status(uint32_t status)
{
    for (size_t i = 0; i < sizeof status_words / sizeof *status_words; i++)
        if (status_words[i].status == status)
            return status_words[i].word;
    return "unknown";
}

/* The bits of one word; 0: no such word. */
static uint64_t word_mask(const char *word, size_t size)
{
    const uint64_t ended = UINT64_C(1) << PAWL_COMPLETED | UINT64_C(1) << PAWL_FAILED | UINT64_C(1) << PAWL_CANCELLED |
                           UINT64_C(1) << PAWL_TERMINATED;
    const uint64_t live = UINT64_C(1) << PAWL_READY | UINT64_C(1) << PAWL_RUNNING | UINT64_C(1) << PAWL_WAITING |
                          UINT64_C(1) << PAWL_STUCK | UINT64_C(1) << PAWL_COMPENSATING;
    if (size == 4 && memcmp(word, "live", size) == 0)
        return live;
    if (size == 5 && memcmp(word, "ended", size) == 0)
        return ended;
    for (size_t i = 0; i < sizeof status_words / sizeof *status_words; i++)
        if (strlen(status_words[i].word) == size && memcmp(word, status_words[i].word, size) == 0)
            return UINT64_C(1) << status_words[i].status;
    return 0;
}

pawl_status pawl_view_status_mask(const char *words, uint64_t *ret, pawl_error *error)
{
    *ret = 0;
    for (const char *at = words; at != NULL && *at != '\0';) {
        size_t size = strcspn(at, ", ");
        uint64_t mask = size == 0 ? 0 : word_mask(at, size);
        if (size > 0 && mask == 0)
            return pawl_error_set(
                error, PAWL_E_INVALID, "invalid_status",
                "\"%.*s\" is no status; use ready, running, waiting, stuck, compensating, completed, failed, "
                "cancelled, terminated, or live (not ended), ended",
                (int)(size > 64 ? 64 : size), at);
        *ret |= mask;
        at += size;
        at += strspn(at, ", ");
    }
    return PAWL_OK;
}

/* ---- one process ---- */

static bool set_some(json_t *json, const char *key, pawl_bytes text)
{
    return text.size == 0 || pawl_view_set(json, key, pawl_view_text(text));
}

static json_t *view_pause(uint64_t since_unix_ns, pawl_bytes reason)
{
    json_t *json = json_object();
    if (json != NULL && pawl_view_time(json, "since", since_unix_ns) &&
        pawl_view_set(json, "reason", pawl_view_text(reason)))
        return json;
    json_decref(json);
    return NULL;
}

bool pawl_view_set_pause(json_t *json, uint64_t since_unix_ns, pawl_bytes reason)
{
    return pawl_view_set(json, "paused", view_pause(since_unix_ns, reason));
}

pawl_bytes pawl_view_pause_reason(const pawl_process_row *row)
{
    pawl_entry entry;
    const pawl_record record = {.struct_size = sizeof record, .kind = PAWL_RECORD_PAUSED, .body = row->paused};
    return pawl_entry_decode(&record, &entry, NULL) == PAWL_OK ? entry.value : (pawl_bytes){NULL, 0};
}

static bool set_identity(json_t *json, const pawl_process_row *row)
{
    return pawl_view_set(json, "id", pawl_view_text(row->id)) &&
           pawl_view_set(json, "type", pawl_view_text(row->type)) &&
           pawl_view_set(json, "revision", json_integer(row->revision)) &&
           pawl_view_set(json, "status", json_string(pawl_view_status(row->status)));
}

static bool set_state(const pawl_host *host, json_t *json, const pawl_process_row *row)
{
    bool made = row->attributes.size == 0 ||
                pawl_view_set(json, "attributes", pawl_attributes_show(&host->attributes, row->attributes));
    made = made && set_some(json, "session", row->session) && set_some(json, "parent", row->parent) &&
           set_some(json, "worker", row->worker) && pawl_view_set(json, "external", json_boolean(row->external != 0)) &&
           pawl_view_set(json, "cancelled", json_boolean(row->cancelled != 0));
    if (made && !PAWL_IS_TERMINAL(row->status))
        made =
            set_some(json, "reason", row->reason) && set_some(json, "reason_code", row->reason_code) &&
            pawl_view_time(json, "wake", row->wake_unix_ns) &&
            (row->paused_unix_ns == 0 || pawl_view_set_pause(json, row->paused_unix_ns, pawl_view_pause_reason(row)));
    return made && pawl_view_time(json, "created", row->created_unix_ns) &&
           pawl_view_time(json, "updated", row->updated_unix_ns) &&
           pawl_view_time(json, "deadline", row->deadline_unix_ns);
}

static bool set_whole(json_t *json, const pawl_process_row *row)
{
    bool made = pawl_view_set(json, "run", json_integer(row->run)) &&
                pawl_view_set(json, "priority", json_integer(row->priority)) && set_some(json, "key", row->key) &&
                pawl_view_set(json, "base", json_integer((json_int_t)row->base)) &&
                pawl_view_set(json, "head", json_integer((json_int_t)row->head)) &&
                pawl_view_set(json, "journal_bytes", json_integer((json_int_t)row->journal_bytes)) &&
                set_some(json, "plugin", row->plugin) && set_some(json, "profile", row->profile);
    if (made && row->digest.size == 32)
        made = pawl_view_set(json, "digest", pawl_view_digest(row->digest));
    if (!made || !PAWL_IS_TERMINAL(row->status))
        return made;
    pawl_outcome outcome;
    pawl_error error = {0};
    if (pawl_outcome_decode(row->status, row->outcome, &outcome, &error) == PAWL_OK)
        return pawl_view_set(json, "outcome", pawl_outcome_json(&outcome));
    return pawl_view_set(json, "outcome_error", json_string(error.message));
}

json_t *pawl_view_process(pawl_host *host, const pawl_process_row *row, bool whole)
{
    char why[600];
    pawl_view_why(host, row, why, sizeof why);
    json_t *json = json_object();
    bool made = set_identity(json, row);
    if (made && why[0] != '\0')
        made = pawl_view_set(json, "why", pawl_view_text(pawl_bytes_text(why)));
    if (made && row->document.size > 0)
        made = pawl_view_value(json, "document", row->document);
    made = made && set_state(host, json, row) && (!whole || set_whole(json, row));
    if (made)
        return json;
    json_decref(json);
    return NULL;
}
