/* spec.c: see spec.h. The normal form is made while reading: each member is written down as what it was taken for. */
#include "spec.h"

#include "worker/base/date.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#define NS            UINT64_C(1000000000)
#define TEXT_MAX      256u
#define PRIORITY_LAST 5u
#define YEAR_NS       (UINT64_C(365) * 24 * 3600 * NS)

static const char *const overlaps[] = {"skip", "buffer_one", "allow", "cancel_other", "terminate_other"};

typedef struct reader {
    const char *name;
    const json_t *from;
    pawl_schedule_spec *spec;
    pawl_schedule_place *place;
    pawl_error *error;
} reader;

typedef struct member {
    const char *name;
    pawl_status (*read)(reader *r, const char *name, const json_t *value);
} member;

static pawl_status wrong(reader *r, const char *name, int element, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static pawl_status wrong(reader *r, const char *name, int element, const char *format, ...)
{
    char what[400];
    char where[48];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (element < 0)
        snprintf(where, sizeof where, "%.31s", name);
    else
        snprintf(where, sizeof where, "%.31s[%d]", name, element);
    if (r->place != NULL) {
        snprintf(r->place->member, sizeof r->place->member, "%.31s", name);
        r->place->element = element;
    }
    return pawl_error_set(r->error, PAWL_E_INVALID, "schedule.invalid", "%s: %s", where, what);
}

static pawl_status no_memory(reader *r)
{
    return pawl_error_set(r->error, PAWL_E_NOMEM, "out_of_memory", "out of memory while reading a schedule");
}

/* Into the normal form. Takes the value over. */
static pawl_status keep(reader *r, const char *name, json_t *value)
{
    return json_object_set_new(r->spec->json, name, value) == 0 ? PAWL_OK : no_memory(r);
}

static const char *kind_of(const json_t *value)
{
    static const char *const kinds[] = {"an object", "a list", "a text", "a number",
                                        "a number",  "true",   "false",  "null"};
    return value == NULL ? "nothing" : kinds[json_typeof(value)];
}

int pawl_overlap_read(const char *word)
{
    for (size_t i = 0; i < sizeof overlaps / sizeof *overlaps; i++)
        if (strcmp(word, overlaps[i]) == 0)
            return (int)i;
    return -1;
}

bool pawl_span_read(const char *text, uint64_t *ret_ns)
{
    static const struct {
        const char *unit;
        uint64_t ns;
    } units[] = {{"ms", NS / 1000}, {"s", NS}, {"m", 60 * NS}, {"h", 3600 * NS}, {"d", 24 * 3600 * NS}};
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15)
        return false;
    uint64_t count = strtoull(text, NULL, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(text + digits, units[i].unit) == 0)
            return !__builtin_mul_overflow(count, units[i].ns, ret_ns);
    *ret_ns = 0;
    return count == 0 && text[digits] == '\0';
}

static json_t *span_json(uint64_t ns)
{
    static const struct {
        const char *unit;
        uint64_t ns;
    } units[] = {{"d", 24 * 3600 * NS}, {"h", 3600 * NS}, {"m", 60 * NS}, {"s", NS}, {"ms", NS / 1000}};
    size_t i = 0;
    while (ns % units[i].ns != 0)
        i++;
    return json_sprintf("%llu%s", (unsigned long long)(ns / units[i].ns), units[i].unit);
}

void pawl_moment_write(uint64_t unix_ns, char text[PAWL_MOMENT_SIZE])
{
    struct tm parts;
    time_t seconds = (time_t)(unix_ns / NS);
    size_t used = strftime(text, PAWL_MOMENT_SIZE, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &parts));
    if (unix_ns % NS != 0) {
        used += (size_t)snprintf(text + used, PAWL_MOMENT_SIZE - used, ".%09llu", (unsigned long long)(unix_ns % NS));
        while (text[used - 1] == '0')
            used--;
    }
    text[used] = 'Z';
    text[used + 1] = '\0';
}

/* ---- kinds of members ---- */

static pawl_status read_text(reader *r, const char *name, const json_t *value, const char **ret)
{
    if (!json_is_string(value))
        return wrong(r, name, -1, "found %s; wanted a text", kind_of(value));
    size_t size = json_string_length(value);
    if (size == 0 || size > TEXT_MAX || strlen(json_string_value(value)) != size)
        return wrong(r, name, -1, "a text of %zu bytes; wanted 1 to %u, none of them NUL", size, TEXT_MAX);
    pawl_status status = keep(r, name, json_string(json_string_value(value)));
    if (status == PAWL_OK)
        *ret = json_string_value(json_object_get(r->spec->json, name));
    return status;
}

static pawl_status read_span(reader *r, const char *name, const json_t *value, uint64_t least, uint64_t unit,
                             uint64_t *ret)
{
    uint64_t ns;
    const char *text = json_string_value(value);
    if (text == NULL || !pawl_span_read(text, &ns))
        return wrong(r, name, -1, "found %s%s%.40s%s; wanted a span with its unit (ms, s, m, h, d), such as 30s",
                     text == NULL ? kind_of(value) : "", text == NULL ? "" : "\"", text == NULL ? "" : text,
                     text == NULL ? "" : "\"");
    if (ns < least || ns > 100 * YEAR_NS || ns % unit != 0)
        return wrong(r, name, -1, "\"%.40s\" is out of range; wanted %s to 100 years%s", text,
                     least >= NS ? "1 second" : "0", unit == NS ? ", in whole seconds" : "");
    *ret = ns;
    return keep(r, name, span_json(ns));
}

static pawl_status read_moment(reader *r, const char *name, const json_t *value, uint64_t *ret)
{
    int64_t ns;
    char text[PAWL_MOMENT_SIZE];
    if (!json_is_string(value) || !pawl_time_read(json_string_value(value), &ns))
        return wrong(r, name, -1, "found %s%.60s; wanted a time such as 2026-11-21T08:00:00Z",
                     json_is_string(value) ? "" : kind_of(value),
                     json_is_string(value) ? json_string_value(value) : "");
    if (ns <= 0 || (uint64_t)ns > PAWL_CALENDAR_TIME_MAX)
        return wrong(r, name, -1, "%.60s is out of range; wanted a time between 1970 and 2500",
                     json_string_value(value));
    *ret = (uint64_t)ns;
    pawl_moment_write(*ret, text);
    return keep(r, name, json_string(text));
}

/* ---- the members ---- */

static pawl_status read_cron(reader *r, const char *name, const json_t *value)
{
    pawl_calendar *calendar = &r->spec->calendar;
    bool list = json_is_array(value);
    size_t count = list ? json_array_size(value) : 1;
    json_t *kept = json_array();
    if (kept == NULL || keep(r, name, kept) != PAWL_OK)
        return no_memory(r);
    if (count == 0 || count > PAWL_CALENDAR_CRONS_MAX)
        return wrong(r, name, -1, "%zu expressions; wanted 1 to %u", count, PAWL_CALENDAR_CRONS_MAX);
    for (size_t i = 0; i < count; i++) {
        const json_t *one = list ? json_array_get(value, i) : value;
        pawl_error why = {0};
        int element = list ? (int)i : -1;
        if (!json_is_string(one))
            return wrong(r, name, element, "found %s; wanted a cron expression, as text", kind_of(one));
        if (pawl_cron_read(json_string_value(one), &calendar->crons[i], NULL, &why) != PAWL_OK)
            return wrong(r, name, element, "%s", why.message);
        if (json_array_append_new(kept, json_string(json_string_value(one))) != 0)
            return no_memory(r);
        calendar->cron_count++;
    }
    return PAWL_OK;
}

static pawl_status read_zone(reader *r, const char *name, const json_t *value)
{
    const char *zone = "";
    pawl_status status = read_text(r, name, value, &zone);
    if (status != PAWL_OK)
        return status;
    r->spec->calendar.zone = pawl_zone_open(zone);
    if (r->spec->calendar.zone == NULL)
        return wrong(r, name, -1,
                     "no time zone \"%.64s\"; wanted a name of the IANA data base, such as Europe/Berlin or UTC "
                     "(package tzdata)",
                     zone);
    return PAWL_OK;
}

static pawl_status read_every(reader *r, const char *name, const json_t *value)
{
    return read_span(r, name, value, PAWL_CALENDAR_INTERVAL_MIN, NS, &r->spec->calendar.interval_ns);
}

static pawl_status read_offset(reader *r, const char *name, const json_t *value)
{
    return read_span(r, name, value, 0, NS, &r->spec->calendar.offset_ns);
}

static pawl_status read_jitter(reader *r, const char *name, const json_t *value)
{
    return read_span(r, name, value, 0, 1, &r->spec->calendar.jitter_ns);
}

static pawl_status read_from(reader *r, const char *name, const json_t *value)
{
    return read_moment(r, name, value, &r->spec->calendar.from_unix_ns);
}

static pawl_status read_until(reader *r, const char *name, const json_t *value)
{
    return read_moment(r, name, value, &r->spec->calendar.until_unix_ns);
}

static pawl_status read_type(reader *r, const char *name, const json_t *value)
{
    return read_text(r, name, value, &r->spec->type);
}

static pawl_status read_session(reader *r, const char *name, const json_t *value)
{
    return read_text(r, name, value, &r->spec->session);
}

static pawl_status read_key(reader *r, const char *name, const json_t *value)
{
    return read_text(r, name, value, &r->spec->key);
}

static pawl_status read_input(reader *r, const char *name, const json_t *value)
{
    pawl_status status = keep(r, name, json_incref((json_t *)(uintptr_t)value));
    r->spec->input = json_object_get(r->spec->json, name);
    return status;
}

static pawl_status read_attributes(reader *r, const char *name, const json_t *value)
{
    if (!json_is_object(value))
        return wrong(r, name, -1, "found %s; wanted an object of search attributes", kind_of(value));
    pawl_status status = keep(r, name, json_incref((json_t *)(uintptr_t)value));
    r->spec->attributes = json_object_get(r->spec->json, name);
    return status;
}

static pawl_status read_priority(reader *r, const char *name, const json_t *value)
{
    json_int_t priority = json_integer_value(value);
    if (!json_is_integer(value) || priority < 1 || priority > (json_int_t)PRIORITY_LAST)
        return wrong(r, name, -1, "wanted 1 (first) to %u (last)", PRIORITY_LAST);
    r->spec->priority = (uint32_t)priority;
    return keep(r, name, json_integer(priority));
}

static pawl_status read_deadline(reader *r, const char *name, const json_t *value)
{
    return read_span(r, name, value, NS, NS / 1000, &r->spec->deadline_ns);
}

static pawl_status read_overlap(reader *r, const char *name, const json_t *value)
{
    int found = json_is_string(value) ? pawl_overlap_read(json_string_value(value)) : -1;
    if (found < 0)
        return wrong(r, name, -1, "found %s%.40s; wanted skip, buffer_one, allow, cancel_other or terminate_other",
                     json_is_string(value) ? "" : kind_of(value),
                     json_is_string(value) ? json_string_value(value) : "");
    r->spec->overlap = (uint32_t)found;
    return keep(r, name, json_string(overlaps[found]));
}

static pawl_status read_catch_up(reader *r, const char *name, const json_t *value)
{
    return read_span(r, name, value, 0, NS / 1000, &r->spec->catch_up_ns);
}

static const member members[] = {
    {"cron", read_cron},
    {"every", read_every},
    {"offset", read_offset},
    {"time_zone", read_zone},
    {"jitter", read_jitter},
    {"from", read_from},
    {"until", read_until},
    {"type", read_type},
    {"input", read_input},
    {"session", read_session},
    {"key", read_key},
    {"priority", read_priority},
    {"attributes", read_attributes},
    {"deadline", read_deadline},
    {"overlap", read_overlap},
    {"catch_up", read_catch_up},
};
#define MEMBER_COUNT (sizeof members / sizeof *members)

static pawl_status check_names(reader *r)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)r->from, name, value)
    {
        size_t i = 0;
        while (i < MEMBER_COUNT && strcmp(members[i].name, name) != 0)
            i++;
        if (i == MEMBER_COUNT)
            return wrong(r, name, -1,
                         "unknown; wanted cron, every, offset, time_zone, jitter, from, until, type, input, session, "
                         "key, priority, attributes, deadline, overlap or catch_up");
    }
    return PAWL_OK;
}

/* What the members must be to each other. */
static pawl_status check_together(reader *r)
{
    pawl_schedule_spec *spec = r->spec;
    pawl_calendar *calendar = &spec->calendar;
    if (spec->type == NULL)
        return wrong(r, "type", -1, "missing: which process type is to be started?");
    if (calendar->cron_count == 0 && calendar->interval_ns == 0)
        return wrong(r, "cron", -1, "missing: wanted \"cron\", \"every\", or both, to say when");
    if (calendar->offset_ns > 0 && calendar->offset_ns >= calendar->interval_ns)
        return wrong(r, "offset", -1, "wanted less than \"every\"");
    if (calendar->until_unix_ns > 0 && calendar->until_unix_ns < calendar->from_unix_ns)
        return wrong(r, "until", -1, "it is before \"from\"");
    if (spec->session != NULL && strncmp(spec->session, "pawl:", 5) == 0)
        return wrong(r, "session", -1, "a name that begins with \"pawl:\" is Pawl's own");
    return PAWL_OK;
}

typedef struct sealing {
    XXH3_state_t *state;
    size_t size;
} sealing;

static int take_piece(const char *text, size_t size, void *context)
{
    sealing *own = context;
    own->size += size;
    return XXH3_128bits_update(own->state, text, size) == XXH_OK ? 0 : -1;
}

/* The digest, of the normal form as it would be written. */
static pawl_status seal(reader *r)
{
    pawl_schedule_spec *spec = r->spec;
    sealing own = {.state = XXH3_createState()};
    bool sealed = own.state != NULL && XXH3_128bits_reset(own.state) == XXH_OK &&
                  json_dump_callback(spec->json, take_piece, &own, JSON_COMPACT | JSON_SORT_KEYS) == 0;
    XXH128_hash_t hash = sealed ? XXH3_128bits_digest(own.state) : (XXH128_hash_t){0};
    XXH3_freeState(own.state);
    if (!sealed)
        return no_memory(r);
    snprintf(spec->digest, sizeof spec->digest, "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
    return own.size <= PAWL_SCHEDULE_INPUT_BYTES_MAX
               ? PAWL_OK
               : wrong(r, "input", -1, "the schedule has %zu bytes; wanted at most %u", own.size,
                       PAWL_SCHEDULE_INPUT_BYTES_MAX);
}

/* What is not said, so that the normal form says it. */
static pawl_status fill_defaults(reader *r)
{
    static const struct {
        const char *name;
        const char *value;
    } defaults[] = {{"time_zone", "UTC"}, {"overlap", "skip"}, {"catch_up", "1h"}};
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        if (json_object_get(r->from, defaults[i].name) != NULL)
            continue;
        json_t *value = json_string(defaults[i].value);
        pawl_status status = PAWL_E_NOMEM;
        for (size_t k = 0; value != NULL && k < MEMBER_COUNT; k++)
            if (strcmp(members[k].name, defaults[i].name) == 0)
                status = members[k].read(r, defaults[i].name, value);
        json_decref(value);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}

pawl_status pawl_schedule_spec_read(const char *name, const json_t *json, pawl_schedule_spec *ret,
                                    pawl_schedule_place *place, pawl_error *error)
{
    pawl_schedule_spec spec = {.json = json_object()};
    reader r = {.name = name, .from = json, .spec = &spec, .place = place, .error = error};
    if (place != NULL)
        *place = (pawl_schedule_place){.element = -1};
    pawl_status status = spec.json == NULL ? no_memory(&r) : PAWL_OK;
    if (status == PAWL_OK && !json_is_object(json))
        status = wrong(&r, "schedule", -1, "found %s; wanted an object", kind_of(json));
    if (status == PAWL_OK)
        status = check_names(&r);
    for (size_t i = 0; status == PAWL_OK && i < MEMBER_COUNT; i++) {
        const json_t *value = json_object_get(json, members[i].name);
        if (value != NULL)
            status = members[i].read(&r, members[i].name, value);
    }
    if (status == PAWL_OK)
        status = fill_defaults(&r);
    if (status == PAWL_OK)
        status = check_together(&r);
    if (status == PAWL_OK)
        status = seal(&r);
    spec.calendar.seed = XXH3_64bits(name, strlen(name));
    if (status == PAWL_OK)
        *ret = spec;
    else
        pawl_schedule_spec_finish(&spec);
    return status;
}

void pawl_schedule_spec_finish(pawl_schedule_spec *spec)
{
    pawl_calendar_finish(&spec->calendar);
    json_decref(spec->json);
    *spec = (pawl_schedule_spec){0};
}

pawl_status pawl_schedule_check_name(const char *name, pawl_error *error)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t size = name == NULL ? 0 : strlen(name);
    if (size > 0 && size <= PAWL_SCHEDULE_NAME_BYTES_MAX && strspn(name, letters) == size)
        return PAWL_OK;
    return pawl_error_set(error, PAWL_E_INVALID, "schedule.invalid_name",
                          "the name of a schedule is \"%.60s\"; wanted 1 to %u letters, digits, '.', '_' and '-'",
                          name == NULL ? "" : name, PAWL_SCHEDULE_NAME_BYTES_MAX);
}
