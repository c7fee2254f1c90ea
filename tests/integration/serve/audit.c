/* audit.c: see audit.h. It believes neither side: the log is read as text, the journals through the API. */
#include "audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct line {
    char process[80];
    unsigned run;
    unsigned long long ordinal;
    char effect[24];
    unsigned attempt;
    char phase[8];
    char nonce[48];
    char previous[48];
    unsigned long long time;
} line;

typedef struct effect_log {
    line *lines; /* by process, then step, then time */
    size_t count;
} effect_log;

static int by_step(const void *left, const void *right)
{
    const line *a = left;
    const line *b = right;
    int order = strcmp(a->process, b->process);
    if (order == 0)
        order = a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
    if (order == 0)
        order = a->time < b->time ? -1 : a->time > b->time;
    return order;
}

static bool parse(const char *text, line *l)
{
    char key[160];
    if (sscanf(text, "%159s %23s %u %7s %47s %47s %llu", key, l->effect, &l->attempt, l->phase, l->nonce, l->previous,
               &l->time) != 7)
        return false;
    return sscanf(key, "%79[^/]/%u/%llu", l->process, &l->run, &l->ordinal) == 3;
}

static effect_log read_log(const yard *y)
{
    char path[256];
    char text[1024];
    size_t room = 0;
    effect_log log = {NULL, 0};
    yard_path(y, "effects", path);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(text, sizeof text, file) != NULL) {
        if (log.count == room) {
            room = room == 0 ? 1024 : 2 * room;
            log.lines = realloc(log.lines, room * sizeof *log.lines);
            assert_non_null(log.lines);
        }
        if (!parse(text, &log.lines[log.count++]))
            fail_msg("the log of effects has a line that is none: %s", text);
    }
    if (file != NULL)
        fclose(file);
    if (log.count > 0)
        qsort(log.lines, log.count, sizeof *log.lines, by_step);
    return log;
}

size_t audit_log_count(const yard *y, const char *id, const char *effect, const char *phase)
{
    effect_log log = read_log(y);
    size_t count = 0;
    for (size_t i = 0; i < log.count; i++)
        count += (id == NULL || strcmp(log.lines[i].process, id) == 0) &&
                 (effect == NULL || strcmp(log.lines[i].effect, effect) == 0) &&
                 (phase == NULL || strcmp(log.lines[i].phase, phase) == 0);
    free(log.lines);
    return count;
}

/* The lines of one process (ordinal 0), or of one of its steps. */
static const line *lines_of(const effect_log *log, const char *process, unsigned long long ordinal, size_t *ret_count)
{
    size_t low = 0;
    size_t high = log->count;
    while (low < high) { /* the first that is not before */
        size_t middle = low + (high - low) / 2;
        int order = strcmp(log->lines[middle].process, process);
        if (order < 0 || (order == 0 && log->lines[middle].ordinal < ordinal))
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < log->count && strcmp(log->lines[end].process, process) == 0 &&
           (ordinal == 0 || log->lines[end].ordinal == ordinal))
        end++;
    *ret_count = end - low;
    return log->lines + low;
}

/* The first thing that may never be. */
static void trouble(audit *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void trouble(audit *a, const char *format, ...)
{
    va_list arguments;
    if (a->trouble[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(a->trouble, sizeof a->trouble, format, arguments);
    va_end(arguments);
}

/* ---- one process ----------------------------------------------------------------------------------------------------
 */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static unsigned long long number_of(const json_t *object, const char *key)
{
    return (unsigned long long)json_integer_value(json_object_get(object, key));
}

static bool is_step(const json_t *record)
{
    return strcmp(text_of(record, "kind"), "step") == 0 && strncmp(text_of(record, "name"), "probe.", 6) == 0;
}

/* The record of the step that gave this result. */
static const json_t *step_that_gave(const json_t *journal, const char *nonce)
{
    size_t i;
    json_t *record;
    json_array_foreach(journal, i,
                       record) if (is_step(record) && strcmp(text_of(record, "result"), nonce) == 0) return record;
    return NULL;
}

static void check_shape(const char *id, const json_t *journal, audit *a)
{
    size_t i;
    json_t *record;
    size_t size = json_array_size(journal);
    json_array_foreach(journal, i, record)
    {
        const char *kind = text_of(record, "kind");
        if (number_of(record, "sequence") != i + 1)
            trouble(a, "%s: record %zu has sequence %llu", id, i + 1, number_of(record, "sequence"));
        if ((strcmp(kind, "started") == 0) != (i == 0))
            trouble(a, "%s: record %zu is %s", id, i + 1, kind);
        if (strcmp(kind, "ended") == 0 && i + 1 != size)
            trouble(a, "%s: ended at record %zu, and there are %zu", id, i + 1, size);
    }
}

/* What an execution built on must have been recorded before it began, and be the result that stands. */
static void check_dependency(const char *id, const json_t *journal, const line *begun, audit *a)
{
    if (strcmp(begun->previous, "-") == 0 || strcmp(begun->previous, "in_doubt") == 0)
        return;
    const json_t *given = step_that_gave(journal, begun->previous);
    if (given == NULL)
        trouble(a, "%s: step %llu was executed upon result %s, which is not in the journal", id, begun->ordinal,
                begun->previous);
    else if (number_of(given, "time_unix_ns") > begun->time)
        trouble(a, "%s: step %llu was executed %llu ns before the result it builds on was recorded", id, begun->ordinal,
                number_of(given, "time_unix_ns") - begun->time);
}

static bool phase_is(const line *l, const char *phase)
{
    return strcmp(l->phase, phase) == 0;
}

/* The executions of one step, in order of time. */
static void check_executions(const char *id, const json_t *journal, const line *lines, size_t count, audit *a)
{
    size_t begun = 0;
    size_t failed = 0;
    size_t ended = 0;
    unsigned attempt = 0;
    bool once = count > 0 && strcmp(lines->effect, "probe.once") == 0;
    bool check = count > 0 && strcmp(lines->effect, "probe.check") == 0;
    for (size_t i = 0; i < count; i++) {
        if (lines[i].run != 1 || strcmp(lines[i].effect, lines->effect) != 0)
            trouble(a, "%s: step %llu is %s and %s under one key", id, lines[i].ordinal, lines->effect,
                    lines[i].effect);
        failed += phase_is(&lines[i], "fail");
        ended += phase_is(&lines[i], "end");
        a->asked += phase_is(&lines[i], "ask");
        if (!phase_is(&lines[i], "begin"))
            continue;
        if (once && begun > failed)
            trouble(a, "%s: step %llu is at_most_once and was begun again", id, lines[i].ordinal);
        if (check && ended > 0)
            trouble(a, "%s: step %llu had happened, could tell, and was begun again", id, lines[i].ordinal);
        if (lines[i].attempt < attempt)
            trouble(a, "%s: step %llu: attempt %u came after attempt %u", id, lines[i].ordinal, lines[i].attempt,
                    attempt);
        check_dependency(id, journal, &lines[i], a);
        a->repeated += begun > 0 && lines[i].attempt == attempt;
        attempt = lines[i].attempt;
        begun++;
    }
    a->executions += begun;
}

static void check_step(const char *id, const json_t *record, const line *lines, size_t count, audit *a)
{
    const char *result = text_of(record, "result");
    bool given = false;
    unsigned long long ordinal = number_of(record, "ordinal");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(lines[i].effect, text_of(record, "name")) != 0)
            trouble(a, "%s: step %llu is %s in the journal and %s in the log", id, ordinal, text_of(record, "name"),
                    lines[i].effect);
        if (phase_is(&lines[i], "begin") && lines[i].time > number_of(record, "time_unix_ns"))
            trouble(a, "%s: step %llu was recorded, and executed again %llu ns later", id, ordinal,
                    lines[i].time - number_of(record, "time_unix_ns"));
        given = given || (phase_is(&lines[i], "end") && strcmp(lines[i].nonce, result) == 0);
    }
    const char *code = text_of(json_object_get(record, "failure"), "code");
    if (strcmp(code, "in_doubt") == 0)
        a->in_doubt++;
    else if (code[0] == '\0' && !given)
        trouble(a, "%s: step %llu has result %s, which no execution gave", id, ordinal, result);
    a->steps++;
}

/* "1-2,s=go,1-3": what is not a signal must be the results of the steps in the order of the program. */
static void check_output(const char *id, const json_t *journal, const char *output, audit *a)
{
    unsigned long long from = 0;
    char copy[4096];
    char *rest = NULL;
    snprintf(copy, sizeof copy, "%s", output);
    for (char *item = strtok_r(copy, ",", &rest); item != NULL; item = strtok_r(NULL, ",", &rest)) {
        const json_t *given = strchr(item, '=') != NULL ? NULL : step_that_gave(journal, item);
        if (given == NULL && strchr(item, '=') == NULL && strcmp(item, "in_doubt") != 0)
            trouble(a, "%s: its output has %s, which is not in the journal", id, item);
        if (given != NULL && number_of(given, "ordinal") <= from)
            trouble(a, "%s: its output has %s out of order", id, item);
        if (given != NULL)
            from = number_of(given, "ordinal");
    }
}

static void audit_process(const yard *y, const effect_log *log, const char *id, bool must_have_ended, audit *a)
{
    json_t *journal = api_journal(y, id);
    size_t known = 0;
    size_t all;
    size_t i;
    json_t *record;
    check_shape(id, journal, a);
    const line *own = lines_of(log, id, 0, &all);
    for (size_t at = 0; at < all;) {
        size_t end = at;
        while (end < all && own[end].ordinal == own[at].ordinal)
            end++;
        check_executions(id, journal, own + at, end - at, a);
        at = end;
    }
    json_array_foreach(journal, i, record)
    {
        size_t count;
        if (!is_step(record))
            continue;
        const line *lines = lines_of(log, id, number_of(record, "ordinal"), &count);
        check_step(id, record, lines, count, a);
        known += count;
    }
    const json_t *last = json_array_get(journal, json_array_size(journal) - 1);
    bool ended = strcmp(text_of(last, "kind"), "ended") == 0;
    bool completed = ended && strcmp(text_of(last, "status"), "completed") == 0;
    if (must_have_ended && !ended)
        trouble(a, "%s: its last record is %s", id, text_of(last, "kind"));
    if (completed && known != all)
        trouble(a, "%s: effects ran that its journal does not know: %zu lines of %zu belong to a step", id, known, all);
    if (completed)
        check_output(id, journal, text_of(last, "output"), a);
    a->processes++;
    a->completed += completed;
    json_decref(journal);
}

audit audit_quietly(const yard *y, const char *const *ids, size_t count, bool must_have_ended)
{
    audit a = {0};
    effect_log log = read_log(y);
    for (size_t i = 0; i < count; i++)
        audit_process(y, &log, ids[i], must_have_ended, &a);
    free(log.lines);
    return a;
}

audit audit_ended(const yard *y, const char *const *ids, size_t count)
{
    audit a = audit_quietly(y, ids, count, true);
    if (a.trouble[0] != '\0')
        fail_msg("%s", a.trouble);
    return a;
}
