/* journal_json.c: see journal_json.h. Must cope with whatever bytes a program has put into a value. */
#include "journal_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VALUE_BYTES_SHOWN ((size_t)1024) /* a longer value is cut ... */
#define VALUE_BYTES_CUT   ((size_t)512)  /* ... to this */

/* json_object_set_new takes the value over, also when it fails; NULL values fail. */
static bool put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static json_t *integer(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static bool put_time(json_t *object, const char *key, uint64_t unix_ns)
{
    char text[64], whole[40], numeric_key[32];
    time_t seconds = (time_t)(unix_ns / 1000000000u);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL || strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        return false;
    snprintf(text, sizeof text, "%s.%09" PRIu64 "Z", whole, unix_ns % 1000000000u);
    snprintf(numeric_key, sizeof numeric_key, "%s_unix_ns", key);
    return put(object, key, json_string(text)) && put(object, numeric_key, integer(unix_ns));
}

static char *base64(pawl_bytes bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *from = bytes.data;
    char *text = malloc((bytes.size + 2) / 3 * 4 + 1), *at = text;
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)from[i] << 16;
        group |= left > 1 ? (uint32_t)from[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)from[i + 2] : 0;
        *at++ = digits[group >> 18];
        *at++ = digits[group >> 12 & 63];
        *at++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *at++ = left > 2 ? digits[group & 63] : '=';
    }
    *at = '\0';
    return text;
}

/* A string of the bytes as they are, or in base64. */
static json_t *text_or_base64(pawl_bytes bytes, const char **ret_encoding)
{
    *ret_encoding = "text";
    json_t *value = json_stringn(bytes.size == 0 ? "" : bytes.data, bytes.size);
    if (value != NULL)
        return value;
    *ret_encoding = "base64";
    char *text = base64(bytes);
    value = text == NULL ? NULL : json_string(text);
    free(text);
    return value;
}

/* Cut before a UTF-8 character that would be split. */
static pawl_bytes beginning(pawl_bytes bytes)
{
    const unsigned char *data = bytes.data;
    size_t size = VALUE_BYTES_CUT;
    for (int i = 0; i < 3 && (data[size] & 0xc0) == 0x80; i++)
        size--;
    return (pawl_bytes){data, size};
}

static bool put_extra(json_t *object, const char *word, const char *suffix, const char *text)
{
    char key[32];
    snprintf(key, sizeof key, "%s_%s", word, suffix);
    return put(object, key, json_string(text));
}

static bool put_value(json_t *object, const char *word, pawl_bytes bytes, bool whole)
{
    bool cut = !whole && bytes.size > VALUE_BYTES_SHOWN;
    if (cut) {
        char note[96];
        snprintf(note, sizeof note, "the first %zu of %zu bytes", VALUE_BYTES_CUT, bytes.size);
        if (!put_extra(object, word, "note", note))
            return false;
        bytes = beginning(bytes);
    } else if (bytes.size > 0) {
        json_t *value = json_loadb(bytes.data, bytes.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        if (value != NULL)
            return put(object, word, value);
    }
    const char *encoding;
    json_t *value = text_or_base64(bytes, &encoding);
    return put(object, word, value) && put_extra(object, word, "encoding", encoding);
}

static bool put_text(json_t *object, const char *key, pawl_bytes bytes)
{
    const char *encoding;
    return put(object, key, text_or_base64(bytes, &encoding));
}

static const char *class_name(uint32_t klass)
{
    switch (klass) {
    case PAWL_TERMINAL:
        return "terminal";
    case PAWL_RETRYABLE:
        return "retryable";
    default:
        return "unknown_outcome";
    }
}

static bool put_failure(json_t *object, const pawl_failure *failure, bool whole)
{
    json_t *inner = json_object();
    bool done = inner != NULL && put(inner, "class", json_string(class_name(failure->klass))) &&
                put_text(inner, "code", failure->code) && put_text(inner, "message", failure->message) &&
                (failure->detail_json.size == 0 || put_value(inner, "detail", failure->detail_json, whole)) &&
                (failure->retry_after_ns == 0 || put(inner, "retry_after_ns", integer(failure->retry_after_ns)));
    if (done)
        return put(object, "failure", inner);
    json_decref(inner);
    return false;
}

static bool put_hex(json_t *object, const char *key, pawl_bytes bytes)
{
    char text[65] = "";
    const uint8_t *data = bytes.data;
    for (size_t i = 0; i < bytes.size && i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", data[i]);
    return put(object, key, json_string(text));
}

static bool put_call(json_t *object, const pawl_entry *entry)
{
    char digest[33];
    for (size_t i = 0; i < sizeof entry->digest; i++)
        snprintf(digest + 2 * i, 3, "%02x", entry->digest[i]);
    return put(object, "ordinal", integer(entry->ordinal)) && put(object, "attempt", json_integer(entry->attempt)) &&
           put_text(object, "name", entry->name) && put(object, "input_digest", json_string(digest));
}

static const char *status_name(uint32_t status)
{
    switch (status) {
    case PAWL_COMPLETED:
        return "completed";
    case PAWL_FAILED:
        return "failed";
    case PAWL_CANCELLED:
        return "cancelled";
    case PAWL_TERMINATED:
        return "terminated";
    default:
        return "unknown";
    }
}

static bool put_outcome(json_t *object, const char *word, const pawl_entry *entry, bool whole)
{
    return entry->failed ? put_failure(object, &entry->failure, whole) : put_value(object, word, entry->value, whole);
}

static bool put_members(json_t *object, const pawl_entry *entry, bool whole)
{
    switch (entry->kind) {
    case PAWL_RECORD_STEP:
        return put_call(object, entry) && put_outcome(object, "result", entry, whole);
    case PAWL_RECORD_INTENT:
        return put_call(object, entry);
    case PAWL_RECORD_DEADLINE:
        return put_call(object, entry) && put_time(object, "due", entry->due_unix_ns);
    case PAWL_RECORD_ATTEMPT:
        return put_call(object, entry) && put_time(object, "due", entry->due_unix_ns) &&
               put_failure(object, &entry->failure, whole);
    case PAWL_RECORD_TIMER:
        return put(object, "ordinal", integer(entry->ordinal)) && put(object, "after_ns", integer(entry->after_ns)) &&
               put_time(object, "due", entry->due_unix_ns);
    case PAWL_RECORD_FIRED:
        return put(object, "ordinal", integer(entry->ordinal));
    case PAWL_RECORD_NOW:
        return put(object, "ordinal", integer(entry->ordinal)) && put_time(object, "value", entry->due_unix_ns);
    case PAWL_RECORD_LIMITS:
        return put(object, "bytes", integer(entry->limit_bytes)) &&
               put(object, "records", integer(entry->limit_records));
    case PAWL_RECORD_ROLLBACK:
        return put(object, "ordinal", integer(entry->ordinal)) &&
               (entry->of == 0 || put(object, "of", integer(entry->of))) && put_text(object, "name", entry->name) &&
               put_value(object, "input", entry->value, whole);
    case PAWL_RECORD_COMPENSATING:
        return put(object, "status", json_string(status_name(entry->status))) &&
               put_failure(object, &entry->failure, whole);
    case PAWL_RECORD_UPDATE:
        return put_text(object, "name", entry->name) && put_text(object, "update_id", entry->failure.code) &&
               put_value(object, "payload", entry->value, whole);
    case PAWL_RECORD_REPLY:
        return put(object, "ordinal", integer(entry->ordinal)) && put_text(object, "update_id", entry->name) &&
               put_outcome(object, "reply", entry, whole);
    case PAWL_RECORD_MARKER:
        return put_text(object, "name", entry->name) && put(object, "version", json_integer(entry->status));
    case PAWL_RECORD_PINNED:
        return put_text(object, "plugin", entry->name) && put(object, "revision", json_integer(entry->status)) &&
               put_hex(object, "digest", entry->value);
    case PAWL_RECORD_OWNER:
        return put_text(object, "name", entry->name) &&
               put(object, "session", json_integer((json_int_t)entry->due_unix_ns));
    case PAWL_RECORD_INTERRUPTED:
        return put_text(object, "name", entry->name) && put_text(object, "worker", entry->value);
    case PAWL_RECORD_STARTED:
        return put_value(object, "input", entry->value, whole);
    case PAWL_RECORD_NOTICE:
        return put_text(object, "name", entry->name);
    case PAWL_RECORD_SIGNAL:
        return put_text(object, "name", entry->name) && put_value(object, "payload", entry->value, whole);
    case PAWL_RECORD_EVENT:
        return put_text(object, "type", entry->name) && put_text(object, "key", entry->failure.code) &&
               put_value(object, "payload", entry->value, whole);
    case PAWL_RECORD_REWOUND:
        return put(object, "ordinal", integer(entry->ordinal)) && put_text(object, "reason", entry->value) &&
               (entry->status == 0 || put(object, "keeps_cancel", json_true()));
    case PAWL_RECORD_CANCEL:
        return put_text(object, "reason", entry->value) &&
               (entry->status == 0 || put(object, "by_deadline", json_true()));
    case PAWL_RECORD_RESUMED:
    case PAWL_RECORD_PAUSED:
    case PAWL_RECORD_CONTINUED:
        return put_text(object, "reason", entry->value);
    case PAWL_RECORD_ENDED:
        return put(object, "status", json_string(status_name(entry->status))) &&
               put_outcome(object, "output", entry, whole);
    case PAWL_RECORD_CHILD:
        return put(object, "ordinal", integer(entry->note.ordinal)) && put(object, "run", integer(entry->note.run)) &&
               put(object, "status", json_string(status_name(entry->status))) &&
               put_outcome(object, "output", entry, whole);
    case PAWL_RECORD_PARKED:
        return put_text(object, "code", entry->failure.code) && put_text(object, "message", entry->value);
    default:
        return true;
    }
}

pawl_status pawl_entry_to_json(const pawl_entry *entry, bool with_values, json_t **ret)
{
    json_t *object = json_object();
    if (object != NULL && put(object, "sequence", integer(entry->sequence)) &&
        put_time(object, "time", entry->time_unix_ns) &&
        put(object, "kind", json_string(pawl_record_name(entry->kind))) && put_members(object, entry, with_values)) {
        *ret = object;
        return PAWL_OK;
    }
    json_decref(object);
    return PAWL_E_NOMEM;
}
