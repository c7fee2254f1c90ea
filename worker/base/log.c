/* log.c: see log.h. A line is built whole and handed over once, so that lines of several threads do not mix. A line is
 * cut rather than lost when it is too long. Never waits for anything but the line's receiver. */
#include "log.h"

#include "clock.h"
#include "sink.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_MAX_BYTES 16384u

static const char *level_name(uint32_t level)
{
    switch (level) {
    case PAWL_LOG_DEBUG:
        return "debug";
    case PAWL_LOG_INFO:
        return "info";
    case PAWL_LOG_WARN:
        return "warn";
    default:
        return "error";
    }
}

static void put(pawl_sink *line, const char *text)
{
    (void)pawl_sink_write(line, text, strlen(text));
}

/* The length of the well-formed UTF-8 sequence at text, 0 if there is none. */
static size_t utf8_length(const uint8_t *text, size_t size)
{
    uint8_t first = text[0];
    size_t length = first < 0x80                    ? 1
                    : first >= 0xC2 && first < 0xE0 ? 2
                    : (first & 0xF0) == 0xE0        ? 3
                    : first >= 0xF0 && first < 0xF5 ? 4
                                                    : 0;
    if (length == 0 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    if (length > 2) {
        uint32_t second = text[1];
        bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
        bool beyond = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
        if (overlong || beyond)
            return 0;
    }
    return length;
}

/* What stands between the quotes of a JSON string; also keeps control characters out of a text line. */
static void put_escaped(pawl_sink *line, pawl_bytes text, bool quotes)
{
    const uint8_t *bytes = text.data;
    for (size_t i = 0; i < text.size;) {
        uint8_t byte = bytes[i];
        size_t length = utf8_length(bytes + i, text.size - i);
        char escape[8];
        if (length == 0) {
            put(line, "\xEF\xBF\xBD"); /* U+FFFD stands for a byte that is not text */
            length = 1;
        } else if (byte < 0x20 || byte == 0x7F) {
            snprintf(escape, sizeof escape, "\\u%04x", byte);
            put(line, byte == '\n' ? "\\n" : byte == '\t' ? "\\t" : escape);
        } else if (quotes && (byte == '"' || byte == '\\')) {
            snprintf(escape, sizeof escape, "\\%c", byte);
            put(line, escape);
        } else {
            (void)pawl_sink_write(line, bytes + i, length);
        }
        i += length;
    }
}

static void put_quoted(pawl_sink *line, pawl_bytes text)
{
    put(line, "\"");
    put_escaped(line, text, true);
    put(line, "\"");
}

static bool plain(pawl_bytes text)
{
    const uint8_t *bytes = text.data;
    for (size_t i = 0; i < text.size; i++)
        if (bytes[i] <= ' ' || bytes[i] == '"' || bytes[i] == '=' || bytes[i] == '\\' || bytes[i] >= 0x7F)
            return false;
    return text.size > 0;
}

static void put_field(const pawl_log *log, pawl_sink *line, const char *key, pawl_bytes value)
{
    put(line, log->json ? "," : " ");
    if (log->json)
        put_quoted(line, pawl_bytes_text(key));
    else
        put_escaped(line, pawl_bytes_text(key), true);
    put(line, log->json ? ":" : "=");
    if (!log->json && plain(value))
        put_escaped(line, value, false);
    else
        put_quoted(line, value);
}

static void begin(const pawl_log *log, pawl_sink *line, uint32_t level, pawl_bytes message)
{
    pawl_sink_init(line, LINE_MAX_BYTES);
    const pawl_clock *clock = pawl_clock_system();
    uint64_t now = clock->unix_ns(clock);
    time_t seconds = (time_t)(now / PAWL_NS_PER_SECOND);
    struct tm parts;
    char time_text[32];
    char stamp[48];
    gmtime_r(&seconds, &parts);
    strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(stamp, sizeof stamp, "%s.%03uZ", time_text, (unsigned)(now / PAWL_NS_PER_MS % 1000));
    if (message.size > LINE_MAX_BYTES / 4)
        message.size = LINE_MAX_BYTES / 4;
    put(line, log->json ? "{\"time\":\"" : "");
    put(line, stamp);
    put(line, log->json ? "\",\"level\":\"" : " ");
    put(line, level_name(level));
    put(line, log->json ? "\",\"message\":" : " ");
    if (log->json)
        put_quoted(line, message);
    else
        put_escaped(line, message, false);
}

/* mark: where the line was last whole; a field that did not fit is dropped and the line says so. */
static void end(const pawl_log *log, pawl_sink *line, uint32_t level, size_t mark)
{
    if (line->over) {
        line->size = mark;
        line->over = false;
        line->limit += 64;
        put(line, log->json ? ",\"cut\":true" : " (cut)");
    }
    line->limit += 2;
    put(line, log->json ? "}" : "");
    const char *text = pawl_sink_text(line);
    if (log->line != NULL)
        log->line(log->context, level, text);
    else
        fprintf(stderr, "%s\n", text);
    pawl_sink_finish(line);
}

static bool dropped(const pawl_log *log, uint32_t level)
{
    return log == NULL || level < log->level;
}

void pawl_log_write(const pawl_log *log, uint32_t level, const char *message, ...)
{
    if (dropped(log, level))
        return;
    pawl_sink line;
    begin(log, &line, level, pawl_bytes_text(message));
    size_t mark = line.size;
    va_list args;
    va_start(args, message);
    for (const char *key; (key = va_arg(args, const char *)) != NULL;) {
        const char *value = va_arg(args, const char *);
        put_field(log, &line, key, pawl_bytes_text(value == NULL ? "" : value));
        if (!line.over)
            mark = line.size;
    }
    va_end(args);
    end(log, &line, level, mark);
}

/* The fields of a plugin, as members of its own object (JSON) or key=value (text): they cannot pose as ours. */
static void put_plugin_fields(const pawl_log *log, pawl_sink *line, pawl_bytes fields_json)
{
    json_t *fields = json_loadb(fields_json.data, fields_json.size, 0, NULL);
    if (!json_is_object(fields)) {
        put_field(log, line, "fields", fields_json);
    } else if (log->json) {
        char *text = json_dumps(fields, JSON_COMPACT);
        put(line, ",\"fields\":");
        put(line, text == NULL ? "null" : text);
        free(text);
    } else {
        const char *key;
        json_t *value;
        json_object_foreach(fields, key, value)
        {
            char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
            put_field(log, line, key, pawl_bytes_text(text != NULL ? text : json_string_value(value)));
            free(text);
        }
    }
    json_decref(fields);
}

void pawl_log_plugin(const pawl_log *log, uint32_t level, const char *source, pawl_bytes message,
                     pawl_bytes fields_json)
{
    if (level < PAWL_LOG_DEBUG || level > PAWL_LOG_ERROR)
        level = PAWL_LOG_ERROR;
    if (dropped(log, level))
        return;
    pawl_sink line;
    begin(log, &line, level, message.data == NULL ? pawl_bytes_text("") : message);
    size_t mark = line.size;
    put_field(log, &line, "source", pawl_bytes_text(source == NULL ? "" : source));
    if (!line.over)
        mark = line.size;
    if (fields_json.data != NULL && fields_json.size > 0)
        put_plugin_fields(log, &line, fields_json);
    if (!line.over)
        mark = line.size;
    end(log, &line, level, mark);
}
