/* matrix_audit.c: see matrix_audit.h. */
#include "matrix_audit.h"
#include "matrix_run.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 2000

typedef unsigned long long u64;

typedef struct line {
    char process[40];
    unsigned run;
    u64 ordinal;
    char effect[24];
    unsigned attempt;
    char phase[8];
    char nonce[40];
    char previous[40];
    u64 time;
} line;

typedef struct effect_log {
    line lines[LINES_MAX]; /* in the order of their writing */
    size_t count;
} effect_log;

static void trouble(matrix_audit *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void trouble(matrix_audit *a, const char *format, ...)
{
    va_list arguments;
    if (a->trouble[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(a->trouble, sizeof a->trouble, format, arguments);
    va_end(arguments);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static u64 number_of(const json_t *object, const char *key)
{
    return (u64)json_integer_value(json_object_get(object, key));
}

static bool is_step(const json_t *record)
{
    return strcmp(text_of(record, "kind"), "step") == 0;
}

static bool is_in_doubt(const json_t *record)
{
    return strcmp(text_of(json_object_get(record, "failure"), "code"), "in_doubt") == 0;
}

/* ---- the end state ---------------------------------------------------------------------------------------------- */

/* "crash.step~77-3,now" becomes "crash.step~,now". */
static json_t *without_nonces(const char *text)
{
    char plain[2000];
    size_t size = 0;
    for (const char *at = text; *at != '\0' && size + 1 < sizeof plain;) {
        plain[size++] = *at;
        if (*at++ == '~')
            at += strcspn(at, ",");
    }
    plain[size] = '\0';
    return json_string(plain);
}

static bool differs_by_nature(const char *key)
{
    static const char *const keys[] = {"sequence", "head",   "input_digest", "created", "updated",       "ended",
                                       "due",      "worker", "token",        "attempt", "journal_bytes", "deadline"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return strncmp(key, "time", 4) == 0 || strstr(key, "unix_ns") != NULL;
}

static json_t *plain_of(const json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_string(value))
        return without_nonces(json_string_value(value));
    if (json_is_array(value)) {
        json_t *array = json_array();
        json_array_foreach(value, i, member) json_array_append_new(array, plain_of(member));
        return array;
    }
    if (!json_is_object(value))
        return json_deep_copy(value);
    json_t *object = json_object();
    bool is_clock = strcmp(text_of(value, "kind"), "now") == 0;
    bool is_rollback = strcmp(text_of(value, "kind"), "rollback") == 0; /* its input is a nonce */
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (!differs_by_nature(key) && !(is_clock && strcmp(key, "value") == 0) &&
            !(is_rollback && strcmp(key, "input") == 0))
            json_object_set_new(object, key, plain_of(member));
    }
    if (is_in_doubt(value)) { /* its result, had nothing come between */
        json_object_del(object, "failure");
        json_object_set_new(object, "result", json_sprintf("%s~", text_of(value, "name")));
    }
    return object;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What says that a step was asked about after a crash, and began again because it had not happened; or that there was
 * a crash. */
static bool tells_of_a_crash(const json_t *record)
{
    const char *kind = text_of(record, "kind");
    return strcmp(kind, "interrupted") == 0 || (strcmp(text_of(record, "name"), "crash.check") == 0 &&
                                                (strcmp(kind, "intent") == 0 || strcmp(kind, "attempt") == 0));
}

/* One line for each record, in their order if it is always the same. */
static void put_records(FILE *to, const json_t *records, const scene *s)
{
    char *lines[64];
    size_t count = 0;
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        if (tells_of_a_crash(record))
            continue;
        json_t *plain = plain_of(record);
        if (count < sizeof lines / sizeof *lines)
            lines[count++] = json_dumps(plain, JSON_SORT_KEYS | JSON_COMPACT);
        json_decref(plain);
    }
    if (s->any_order)
        qsort(lines, count, sizeof *lines, by_text);
    for (i = 0; i < count; i++) {
        fprintf(to, "  %s\n", lines[i]);
        free(lines[i]);
    }
}

static json_t *load_state(const char *directory)
{
    char path[300];
    snprintf(path, sizeof path, "%s/state", directory);
    json_t *state = json_load_file(path, 0, NULL);
    if (json_array_size(state) == matrix_scene_count)
        return state;
    json_decref(state);
    return NULL;
}

char *matrix_end_state(const char *directory)
{
    char *text = NULL;
    size_t size = 0;
    json_t *state = load_state(directory);
    FILE *to = state == NULL ? NULL : open_memstream(&text, &size);
    for (size_t i = 0; to != NULL && i < matrix_scene_count; i++) {
        const json_t *one = json_array_get(state, i);
        json_t *process = plain_of(json_object_get(one, "process"));
        char *line_of_process = json_dumps(process, JSON_SORT_KEYS | JSON_COMPACT);
        fprintf(to, "%s %s\n", matrix_scenes[i].id, line_of_process);
        if (!matrix_scenes[i].outcome_alone)
            put_records(to, json_object_get(one, "records"), &matrix_scenes[i]);
        free(line_of_process);
        json_decref(process);
    }
    if (to != NULL && fclose(to) != 0) {
        free(text);
        text = NULL;
    }
    json_decref(state);
    return text;
}

/* ---- the log of effects ----------------------------------------------------------------------------------------- */

static effect_log *read_log(const char *directory, matrix_audit *a)
{
    char path[300];
    char text[700];
    effect_log *all = calloc(1, sizeof *all);
    snprintf(path, sizeof path, "%s/effects", directory);
    FILE *file = fopen(path, "re");
    while (all != NULL && file != NULL && fgets(text, sizeof text, file) != NULL) {
        line *l = &all->lines[all->count];
        if (all->count + 1 == LINES_MAX ||
            sscanf(text, "%39[^/]/%u/%llu %23s %u %7s %39s %39s %llu", l->process, &l->run, &l->ordinal, l->effect,
                   &l->attempt, l->phase, l->nonce, l->previous, &l->time) != 9)
            trouble(a, "the log of effects has a line that is none: %s", text);
        else
            all->count++;
    }
    if (file != NULL)
        fclose(file);
    return all;
}

static bool phase_is(const line *l, const char *phase)
{
    return strcmp(l->phase, phase) == 0;
}

static bool is_of(const line *l, const char *id, u64 ordinal)
{
    return strcmp(l->process, id) == 0 && l->ordinal == ordinal;
}

/* The step whose recorded result has this nonce. */
static const json_t *step_that_gave(const json_t *records, const char *nonce)
{
    size_t i;
    json_t *record;
    json_array_foreach((json_t *)(uintptr_t)records, i, record)
    {
        const char *given = strchr(text_of(record, "result"), '~');
        if (is_step(record) && given != NULL && strcmp(given + 1, nonce) == 0)
            return record;
    }
    return NULL;
}

/* An execution may only begin after the result it builds on was recorded, and that must be the one it got. */
static void check_dependency(const json_t *records, const line *begun, matrix_audit *a)
{
    if (strcmp(begun->previous, "-") == 0)
        return;
    const json_t *given = step_that_gave(records, begun->previous);
    if (given == NULL)
        trouble(a, "%s: step %llu was executed on %s, which its journal does not have", begun->process, begun->ordinal,
                begun->previous);
    else if (number_of(given, "time_unix_ns") > begun->time)
        trouble(a, "%s: step %llu was executed before the result it builds on was recorded", begun->process,
                begun->ordinal);
}

typedef struct count {
    unsigned begun;
    unsigned failed;
    unsigned ended;
    unsigned attempt;
} count;

static void check_execution(const char *id, const line *l, const line *first, count *c, matrix_audit *a)
{
    if (l->run != 1 || strcmp(l->effect, first->effect) != 0)
        trouble(a, "%s: step %llu is %s and %s under one key", id, l->ordinal, first->effect, l->effect);
    c->failed += phase_is(l, "fail");
    c->ended += phase_is(l, "end");
    a->asked += phase_is(l, "ask");
    if (!phase_is(l, "begin"))
        return;
    if (strcmp(l->effect, "crash.once") == 0 && c->begun > 0)
        trouble(a, "%s: step %llu is at_most_once and was begun again", id, l->ordinal);
    if (strcmp(l->effect, "crash.check") == 0 && c->ended > 0)
        trouble(a, "%s: step %llu had happened, could tell, and was begun again", id, l->ordinal);
    if (l->attempt < c->attempt)
        trouble(a, "%s: step %llu: attempt %u came after attempt %u", id, l->ordinal, l->attempt, c->attempt);
    a->repeated += c->begun > 0 && l->attempt == c->attempt;
    c->attempt = l->attempt;
    c->begun++;
}

/* All lines of the step that this one is the first of. */
static void check_step_lines(const effect_log *log, size_t from, const json_t *records, unsigned crashes,
                             matrix_audit *a)
{
    const line *first = &log->lines[from];
    count c = {0};
    for (size_t i = from; i < log->count; i++)
        if (is_of(&log->lines[i], first->process, first->ordinal)) {
            check_execution(first->process, &log->lines[i], first, &c, a);
            if (phase_is(&log->lines[i], "begin"))
                check_dependency(records, &log->lines[i], a);
        }
    a->begun += c.begun;
    if (c.begun > 1 + c.failed + crashes)
        trouble(a, "%s: step %llu was begun %u times: %u failures and %u crashes do not explain that", first->process,
                first->ordinal, c.begun, c.failed, crashes);
}

static void check_step(const effect_log *log, const char *id, const json_t *record, matrix_audit *a)
{
    const char *result = strchr(text_of(record, "result"), '~');
    u64 ordinal = number_of(record, "ordinal");
    bool given = false;
    for (size_t i = 0; i < log->count; i++) {
        const line *l = &log->lines[i];
        if (!is_of(l, id, ordinal))
            continue;
        if (strcmp(l->effect, text_of(record, "name")) != 0)
            trouble(a, "%s: step %llu is %s in the journal and %s in the log", id, ordinal, text_of(record, "name"),
                    l->effect);
        if (phase_is(l, "begin") && l->time > number_of(record, "time_unix_ns"))
            trouble(a, "%s: step %llu was recorded, and executed again %llu ns later", id, ordinal,
                    l->time - number_of(record, "time_unix_ns"));
        given = given || (phase_is(l, "end") && result != NULL && strcmp(l->nonce, result + 1) == 0);
    }
    if (is_in_doubt(record) && strcmp(text_of(record, "name"), "crash.once") != 0)
        trouble(a, "%s: step %llu is in doubt, and may be repeated", id, ordinal);
    a->in_doubt += is_in_doubt(record);
    bool of_host = strncmp(text_of(record, "name"), "pawl.", 5) == 0; /* no effect of ours: its result tells */
    if (json_object_get(record, "failure") == NULL && !given && !of_host)
        trouble(a, "%s: step %llu has result %s, which no execution gave", id, ordinal, text_of(record, "result"));
    a->steps++;
}

static void check_shape(const char *id, const json_t *records, matrix_audit *a)
{
    size_t i;
    size_t size = json_array_size(records);
    json_t *record;
    json_array_foreach((json_t *)(uintptr_t)records, i, record)
    {
        const char *kind = text_of(record, "kind");
        if (number_of(record, "sequence") != i + 1)
            trouble(a, "%s: record %zu has sequence %llu", id, i + 1, number_of(record, "sequence"));
        if ((strcmp(kind, "started") == 0) != (i == 0) || (strcmp(kind, "ended") == 0) != (i + 1 == size))
            trouble(a, "%s: record %zu of %zu is %s", id, i + 1, size, kind);
    }
    if (size < 2)
        trouble(a, "%s: its journal has %zu records", id, size);
}

static bool knows(const json_t *records, u64 ordinal)
{
    size_t i;
    json_t *record;
    json_array_foreach((json_t *)(uintptr_t)records, i, record)
    {
        if (is_step(record) && number_of(record, "ordinal") == ordinal)
            return true;
    }
    return false;
}

static void judge_process(const effect_log *log, const scene *s, const json_t *one, unsigned crashes, matrix_audit *a)
{
    const json_t *records = json_object_get(one, "records");
    size_t i;
    json_t *record;
    check_shape(s->id, records, a);
    json_array_foreach((json_t *)(uintptr_t)records, i, record)
    {
        if (is_step(record))
            check_step(log, s->id, record, a);
    }
    for (i = 0; i < log->count; i++) {
        const line *l = &log->lines[i];
        bool first = strcmp(l->process, s->id) == 0;
        for (size_t k = 0; first && k < i; k++)
            first = !is_of(&log->lines[k], s->id, l->ordinal);
        if (!first)
            continue;
        check_step_lines(log, i, records, crashes, a);
        if (!s->outcome_alone && !knows(records, l->ordinal))
            trouble(a, "%s: %s ran as step %llu, which its journal does not know", s->id, l->effect, l->ordinal);
    }
}

matrix_audit matrix_judge(const char *directory, unsigned crashes)
{
    matrix_audit a = {0};
    json_t *state = load_state(directory);
    effect_log *log = read_log(directory, &a);
    if (state == NULL || log == NULL)
        trouble(&a, "there is no end state");
    else
        for (size_t i = 0; i < matrix_scene_count; i++)
            judge_process(log, &matrix_scenes[i], json_array_get(state, i), crashes, &a);
    free(log);
    json_decref(state);
    return a;
}
