/* check.c: what callers hand in is checked here, in the same words at every entry, before anything is stored. */
#include "host/host_internal.h"

#include "worker/base/sink.h"

#include <string.h>

bool pawl_take_struct(void *to, size_t size, const void *from)
{
    uint32_t given = 0;
    memset(to, 0, size);
    if (from == NULL)
        return false;
    memcpy(&given, from, sizeof given); /* every such struct begins with its struct_size */
    if (given < 2 * sizeof(uint32_t) || given > 4096)
        return false;
    memcpy(to, from, given < size ? given : size);
    return true;
}

/* The length of the well-formed UTF-8 sequence at text, 0 if there is none. Text ends with NUL, which stops every step.
 */
static size_t sequence_length(const uint8_t *text)
{
    uint8_t first = text[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xC2 && first < 0xE0   ? 2
                    : (first & 0xF0) == 0xE0        ? 3
                    : first >= 0xF0 && first < 0xF5 ? 4
                                                    : 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (first == 0xE0 && text[1] < 0xA0) || (first == 0xF0 && text[1] < 0x90);
    bool beyond = (first == 0xED && text[1] > 0x9F) || (first == 0xF4 && text[1] > 0x8F);
    return overlong || beyond ? 0 : length;
}

static bool printable(const char *text)
{
    for (const uint8_t *at = (const uint8_t *)text; *at != '\0';) {
        size_t length = sequence_length(at);
        if (length == 0 || *at < 0x20 || *at == 0x7F)
            return false;
        at += length;
    }
    return true;
}

static bool blank(const char *text)
{
    return text[strspn(text, " \t\r\n\v\f")] == '\0';
}

pawl_status pawl_check_id(const char *id, pawl_error *error)
{
    if (id == NULL || blank(id))
        return pawl_error_set(error, PAWL_E_INVALID, "missing_process_id",
                              "the process id is missing or blank; give 1 to %u bytes of text", PAWL_ID_BYTES_MAX);
    if (strnlen(id, PAWL_ID_BYTES_MAX + 1) > PAWL_ID_BYTES_MAX)
        return pawl_error_set(error, PAWL_E_LIMIT, "process_id_too_long",
                              "the process id has %zu bytes; at most %u are allowed", strlen(id), PAWL_ID_BYTES_MAX);
    if (!printable(id))
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_process_id",
                              "the process id is not printable UTF-8 text; control characters are not allowed");
    return PAWL_OK;
}

pawl_status pawl_check_text(const char *what, const char *text, size_t bytes_max, pawl_error *error)
{
    if (text == NULL || blank(text))
        return pawl_error_set(error, PAWL_E_INVALID, "missing_argument", "the %s is missing or blank", what);
    if (strnlen(text, bytes_max + 1) > bytes_max)
        return pawl_error_set(error, PAWL_E_LIMIT, "argument_too_long", "the %s has %zu bytes; at most %zu are allowed",
                              what, strlen(text), bytes_max);
    if (!printable(text))
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "the %s is not printable UTF-8 text", what);
    return PAWL_OK;
}

pawl_status pawl_check_session(const char *session, pawl_error *error)
{
    pawl_status status = pawl_check_text("session", session, PAWL_SESSION_BYTES_MAX, error);
    if (status != PAWL_OK)
        return status;
    if (strncmp(session, PAWL_PROCESS_SCOPE, sizeof PAWL_PROCESS_SCOPE - 1) == 0)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_session",
                              "the session name begins with \"" PAWL_PROCESS_SCOPE "\", which is kept for processes");
    if (strncmp(session, PAWL_HOST_SCOPE, sizeof PAWL_HOST_SCOPE - 1) == 0)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_session",
                              "the session name begins with \"" PAWL_HOST_SCOPE "\", which is kept for the host");
    return PAWL_OK;
}

pawl_status pawl_check_bytes(const char *what, pawl_bytes bytes, uint64_t bytes_max, pawl_error *error)
{
    if (bytes.size > 0 && bytes.data == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "the %s has a size but no data", what);
    if (bytes.size > bytes_max)
        return pawl_error_set(error, PAWL_E_LIMIT, "value_too_large",
                              "the %s has %zu bytes; the profile allows %llu. Store large content as an attachment",
                              what, bytes.size, (unsigned long long)bytes_max);
    return PAWL_OK;
}

pawl_status pawl_unknown_process(const char *id, pawl_status status, pawl_error *error)
{
    if (status != PAWL_E_NOT_FOUND || error == NULL || strcmp(error->code, "registry.no_longer_retained") == 0)
        return status;
    return pawl_error_set(error, status, "unknown_process", "there is no process \"%s\"", id);
}

/* Edit distance, for names up to a limit; 1000 beyond it. */
static size_t distance(const char *a, const char *b)
{
    enum { NAME = 64 };
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    if (a_size > NAME || b_size > NAME)
        return 1000;
    size_t row[NAME + 1];
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t replace = corner + (a[i - 1] != b[j - 1]);
            size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            corner = row[j];
            row[j] = replace < least ? replace : least;
        }
    }
    return row[b_size];
}

static bool is_close(const char *wanted, const char *name)
{
    size_t size = strlen(wanted);
    const char *last = strrchr(name, '.');
    return distance(wanted, name) <= 1 + size / 4 || strncmp(wanted, name, size) == 0 ||
           (last != NULL && strcmp(last + 1, wanted) == 0);
}

static void list_name(pawl_sink *names, const char *name)
{
    if (names->size > 0)
        (void)pawl_sink_write(names, ", ", 2);
    (void)pawl_sink_write(names, name, strlen(name));
}

pawl_status pawl_unknown_type(const pawl_host *host, const char *type, pawl_error *error)
{
    const pawl_type *const *types;
    size_t count = pawl_catalog_types(host->assembly.catalog, &types);
    pawl_sink close;
    pawl_sink all;
    pawl_sink_init(&close, 512);
    pawl_sink_init(&all, 512);
    for (size_t i = 0; i < count; i++) {
        list_name(&all, types[i]->name);
        if (is_close(type, types[i]->name))
            list_name(&close, types[i]->name);
    }
    if (count == 0)
        (void)pawl_error_set(error, PAWL_E_NOT_FOUND, "unknown_process_type",
                             "no process type \"%s\": no plugin of this host offers any; add one to the profile", type);
    else if (close.size > 0)
        (void)pawl_error_set(error, PAWL_E_NOT_FOUND, "unknown_process_type",
                             "no plugin of this host offers process type \"%s\"; close to it: %s", type,
                             pawl_sink_text(&close));
    else
        (void)pawl_error_set(error, PAWL_E_NOT_FOUND, "unknown_process_type",
                             "no plugin of this host offers process type \"%s\"; it has: %s%s", type,
                             pawl_sink_text(&all), all.over ? ", ..." : "");
    pawl_sink_finish(&close);
    pawl_sink_finish(&all);
    return PAWL_E_NOT_FOUND;
}

static int32_t PAWL_CALL look_at_none(void *context, pawl_bytes key, pawl_bytes value)
{
    (void)context;
    (void)key;
    (void)value;
    return 1;
}

pawl_status pawl_check_known_session(pawl_host *host, const char *session, pawl_error *error)
{
    const pawl_open_store *open = host->facets.facet[PAWL_FACET_SESSION];
    uint64_t revision = 0;
    if (session == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "missing_session",
                              "a known session is asked for, and none is named");
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_status status = open->plugin->session->scan(open->store, pawl_bytes_text(session), (pawl_bytes){NULL, 0},
                                                     look_at_none, NULL, &revision, &why);
    if (status != PAWL_OK && status != PAWL_E_NOT_FOUND)
        status = pawl_failure_error(&why, status, error);
    else
        status = revision > 0 ? PAWL_OK
                              : pawl_error_set(error, PAWL_E_NOT_FOUND, "unknown_session",
                                               "there is no session \"%s\": nobody has committed to it", session);
    pawl_failure_finish(&why);
    return status;
}
