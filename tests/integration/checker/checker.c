/* checker.c: see checker.h. */
#include "checker.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { AT_ONCE = 4 };

static FILE *begin_program(const char *program, const char *words)
{
    char command[8192];
    snprintf(command, sizeof command, "%s %s 2>&1", program, words);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    return pipe;
}

static FILE *begin(const char *words)
{
    return begin_program(PAWL_CHECKER, words);
}

static int end(FILE *pipe, char **ret_output)
{
    char *text = NULL;
    size_t size = 0;
    if (getdelim(&text, &size, '\0', pipe) < 0)
        text[0] = '\0';
    int code = pclose(pipe);
    assert_true(WIFEXITED(code));
    *ret_output = text;
    return WEXITSTATUS(code);
}

int check_run(const char *words, char **ret_output)
{
    return end(begin(words), ret_output);
}

int check_program(const char *command, char **ret_output)
{
    return end(begin_program(command, ""), ret_output);
}

static FILE *begin_report(const char *words)
{
    char more[8192];
    snprintf(more, sizeof more, "--json --jobs 6 %s", words);
    return begin(more);
}

static int end_report(FILE *pipe, const char *words, json_t **ret_report)
{
    char *text = NULL;
    int code = end(pipe, &text);
    *ret_report = json_loads(text, 0, NULL);
    if (*ret_report == NULL)
        fail_msg("no report from %s: %s", words, text);
    free(text);
    return code;
}

int check_report(const char *words, json_t **ret_report)
{
    return end_report(begin_report(words), words, ret_report);
}

const char *check_verdict(const json_t *one)
{
    return json_string_value(json_object_get(one, "verdict"));
}

const json_t *check_case(const json_t *report, const char *name)
{
    size_t index;
    const json_t *one;
    json_array_foreach(json_object_get(report, "cases"), index, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "case")), name) == 0)
            return one;
    }
    fail_msg("the report has no case %s", name);
    return NULL;
}

char *check_texts(const json_t *one)
{
    static const char *const keys[] = {"where", "found", "wanted"};
    char *text = NULL;
    size_t size = 0, index;
    const json_t *finding;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    fprintf(out, "%s\n", json_string_value(json_object_get(one, "reason")));
    json_array_foreach(json_object_get(one, "findings"), index, finding)
    {
        for (size_t i = 0; i < 3; i++)
            fprintf(out, "%s; ", json_string_value(json_object_get(finding, keys[i])));
        fputc('\n', out);
    }
    fclose(out);
    return text;
}

static int is_bad(const char *verdict)
{
    return strcmp(verdict, "fail") == 0 || strcmp(verdict, "crash") == 0 || strcmp(verdict, "timeout") == 0;
}

/* Under a sanitizer memory cannot be counted, and the C library's functions are not watched. */
static bool can_be_seen(const check_expectation *e)
{
#ifdef PAWL_SANITIZED
    return e->name == NULL || (strncmp(e->name, "leak.", 5) != 0 && strcmp(e->name, "process.outside") != 0);
#else
    (void)e;
    return true;
#endif
}

static void judge(const check_expectation *e, FILE *pipe)
{
    json_t *report = NULL;
    size_t index;
    const json_t *one;
    int code = end_report(pipe, e->plugin, &report);
    json_array_foreach(json_object_get(report, "cases"), index, one)
    {
        const char *name = json_string_value(json_object_get(one, "case"));
        char *texts = check_texts(one);
        if (e->name != NULL && strcmp(name, e->name) == 0) {
            if (!can_be_seen(e)) {
                free(texts);
                continue;
            }
            if (strcmp(check_verdict(one), e->verdict) != 0 || strstr(texts, e->fragment) == NULL)
                fail_msg("%s: %s: wanted %s with \"%s\", got %s: %s", e->plugin, name, e->verdict, e->fragment,
                         check_verdict(one), texts);
            if (strstr(json_string_value(json_object_get(one, "rules")), e->rules) == NULL)
                fail_msg("%s: %s names the rules %s; wanted %s", e->plugin, name,
                         json_string_value(json_object_get(one, "rules")), e->rules);
        } else if (is_bad(check_verdict(one))) {
            fail_msg("%s: %s is a %s, too: %s", e->plugin, name, check_verdict(one), texts);
        }
        free(texts);
    }
    if (e->name != NULL)
        check_case(report, e->name);
    if (can_be_seen(e))
        assert_int_equal(code, e->name != NULL && is_bad(e->verdict) ? 6 : 0);
    json_decref(report);
}

/* A few at a time: most of a check is waiting. */
void check_meet(const char *directory, const check_expectation *expectations, size_t count)
{
    char words[4096];
    FILE *pipes[AT_ONCE];
    for (size_t first = 0; first < count; first += AT_ONCE) {
        size_t last = first + AT_ONCE < count ? first + AT_ONCE : count;
        for (size_t i = first; i < last; i++) {
            const check_expectation *e = &expectations[i];
            snprintf(words, sizeof words, "%s/%s.so %s", directory, e->plugin, e->words == NULL ? "" : e->words);
            pipes[i - first] = begin_report(words);
        }
        for (size_t i = first; i < last; i++)
            judge(&expectations[i], pipes[i - first]);
    }
}
