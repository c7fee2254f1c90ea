/* report.c: what a test found, as JSON. Texts from the program go in as they are, made safe to print where they were
 * written down. */
#include "tester_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINDINGS_MAX 20u
#define WARNINGS_MAX 50u

static json_t *text_json(const char *data, size_t size)
{
    json_t *text = json_stringn(data, size);
    if (text != NULL)
        return text;
    char *copy = malloc(size + 1); /* not UTF-8 */
    for (size_t i = 0; i < size && copy != NULL; i++)
        copy[i] = (unsigned char)data[i] < 0x80 ? data[i] : '?';
    text = copy == NULL ? NULL : json_stringn(copy, size);
    free(copy);
    return text;
}

json_t *pawl_tester_lines(const char *text)
{
    json_t *lines = json_array();
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        (void)json_array_append_new(lines, text_json(text, size));
        text += size + (text[size] == '\n');
    }
    return lines;
}

/* The number of the first line, from 1, that is not the same; 0: all are. */
static size_t first_difference(const char *left, const char *right)
{
    size_t line = 1;
    while (*left != '\0' || *right != '\0') {
        size_t a = strcspn(left, "\n"), b = strcspn(right, "\n");
        if (a != b || memcmp(left, right, a) != 0 || left[a] != right[b])
            return line;
        left += a + (left[a] == '\n');
        right += b + (right[b] == '\n');
        line++;
    }
    return 0;
}

void pawl_tester_report_group(pawl_tester *t, const pawl_tester_group *group, const char *note)
{
    (void)json_array_append_new(
        t->variations, json_pack("{s:s, s:I, s:I, s:b, s:s*}", "name", group->name, "runs", (json_int_t)group->runs,
                                 "differed", (json_int_t)group->differed, "cut_short", group->cut_short, "note", note));
}

void pawl_tester_warn(pawl_tester *t, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (t->request->strict)
        pawl_tester_find(t, "basic", "warning", text, NULL, NULL);
    else if (json_array_size(t->warnings) < WARNINGS_MAX)
        (void)json_array_append_new(t->warnings, text_json(text, strlen(text)));
}

static const char *instead(uint32_t kind)
{
    switch (kind) {
    case PAWL_TRAP_CLOCK:
        return "the time that is the same in every activation comes from pawl_now";
    case PAWL_TRAP_CHANCE:
        return "what is random and the same in every activation comes from pawl_random and pawl_uuid";
    case PAWL_TRAP_SURROUNDINGS:
        return "what the worker's surroundings say belongs into the process's input, or comes from an effect";
    default:
        return "what a program does outside is an effect";
    }
}

static json_t *hints(pawl_tester *t)
{
    json_t *list = json_array();
    const pawl_trap_call *calls;
    size_t count = pawl_traps_calls(t->traps, &calls);
    char text[256];
    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, "the program calls %s() while it runs: %s", calls[i].name, instead(calls[i].kind));
        (void)json_array_append_new(list, json_string(text));
    }
    if (pawl_traps_statics_changed(t->traps))
        (void)json_array_append_new(list,
                                    json_string("static variables of the plugin change while it runs: what a program "
                                                "remembers must come from its journal"));
    if (json_array_size(list) == 0)
        (void)json_array_append_new(list, json_string("look for what is not the same in every activation: addresses, "
                                                      "memory that was never written, threads"));
    return list;
}

void pawl_tester_find(pawl_tester *t, const char *variation, const char *kind, const char *message,
                      const pawl_tester_text *expected, const pawl_tester_text *found)
{
    t->finding_count++;
    if (json_array_size(t->findings) >= FINDINGS_MAX)
        return;
    bool differs = strcmp(kind, "nondeterminism") == 0 || strcmp(kind, "differs") == 0;
    json_t *one = json_pack("{s:s, s:s, s:o, s:s*}", "variation", variation, "kind", kind, "message",
                            text_json(message, strlen(message)), "context", t->context[0] == '\0' ? NULL : t->context);
    if (expected != NULL && found != NULL) {
        const char *left = pawl_tester_text_of(expected), *right = pawl_tester_text_of(found);
        (void)json_object_set_new(one, "expected", pawl_tester_lines(left));
        (void)json_object_set_new(one, "found", pawl_tester_lines(right));
        (void)json_object_set_new(one, "line", json_integer((json_int_t)first_difference(left, right)));
    } else if (found != NULL) {
        (void)json_object_set_new(one, "found", pawl_tester_lines(pawl_tester_text_of(found)));
    }
    if (differs)
        (void)json_object_set_new(one, "hints", hints(t));
    (void)json_array_append_new(t->findings, one);
}

void pawl_tester_report_traps(pawl_tester *t)
{
    const pawl_trap_call *calls;
    size_t count = pawl_traps_calls(t->traps, &calls);
    for (size_t i = 0; i < count; i++) {
        char text[256];
        snprintf(text, sizeof text, "the program calls %s() while it runs, %" PRIu64 " times in all: %s", calls[i].name,
                 calls[i].count, instead(calls[i].kind));
        if (calls[i].kind == PAWL_TRAP_OUTSIDE)
            pawl_tester_find(t, "basic", "outside", text, NULL, NULL);
        else if (t->finding_count == 0) /* else it is a hint beside what differed */
            pawl_tester_warn(t, "%s; no variation did anything else because of it", text);
    }
    if (t->finding_count == 0 && pawl_traps_statics_changed(t->traps))
        pawl_tester_warn(t,
                         "static variables of the plugin change while it runs; no variation did anything else because "
                         "of it, but what a program remembers must come from its journal");
}

static const char *end_name(const pawl_machine *m)
{
    switch (m->end) {
    case PAWL_END_ENDED:
        return m->status == PAWL_COMPLETED ? "completed" : m->status == PAWL_CANCELLED ? "cancelled" : "failed";
    case PAWL_END_WAITS:
        return "waiting";
    default:
        return "stuck";
    }
}

static json_t *end_json(const pawl_machine *m)
{
    pawl_tester_text text = {0};
    pawl_machine_say_end(m, &text);
    json_t *end = json_pack("{s:s, s:o, s:I, s:I, s:I}", "status", end_name(m), "text",
                            text_json(pawl_tester_text_of(&text), text.size), "virtual_ms",
                            (json_int_t)((m->now - m->subject->script->start_unix_ns) / 1000000), "records",
                            (json_int_t)m->record_count, "events", (json_int_t)m->history_count);
    pawl_tester_text_finish(&text);
    return end;
}

/* Kinds of records and their ordinals, in order. */
static json_t *journal_json(const pawl_machine *m)
{
    json_t *list = json_array();
    pawl_entry entry;
    for (size_t i = 0; i < m->record_count; i++)
        if (pawl_entry_decode(&m->records[i], &entry, NULL) == PAWL_OK)
            (void)json_array_append_new(list, json_pack("{s:s, s:I}", "kind", pawl_record_name(entry.kind), "ordinal",
                                                        (json_int_t)entry.ordinal));
    return list;
}

json_t *pawl_tester_report(pawl_tester *t, uint64_t elapsed_ms)
{
    char digest[65];
    for (size_t i = 0; i < 32; i++)
        snprintf(digest + 2 * i, 3, "%02x", t->plugin->digest[i]);
    json_t *report = json_pack(
        "{s:b, s:s, s:s, s:s, s:i, s:o, s:o, s:O, s:O, s:O, s:I, s:I, s:I}", "ok", t->finding_count == 0, "plugin",
        t->request->plugin, "digest", digest, "type", t->process->name, "revision", (int)t->process->revision, "end",
        end_json(&t->basic), "trace", pawl_tester_lines(pawl_tester_text_of(&t->basic.trace)), "variations",
        t->variations, "findings", t->findings, "warnings", t->warnings, "finding_count", (json_int_t)t->finding_count,
        "runs", (json_int_t)t->runs, "elapsed_ms", (json_int_t)elapsed_ms);
    if (report != NULL)
        (void)json_object_set_new(report, "journal", journal_json(&t->basic));
    if (report != NULL && t->only_trace != NULL)
        (void)json_object_set(report, "only_trace", t->only_trace);
    if (report != NULL && t->orders != NULL)
        (void)json_object_set(report, "orders", t->orders);
    return report;
}
