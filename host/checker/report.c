/* report.c: the result of a check as text for people and as JSON; see report.h. It must never change what was found. */
#include "report.h"

#include "host/loader/manifest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_WIDTH = 22, PAD = 9, OUTPUT_SHOWN = 1500 };

static const char *const level_names[] = {"?", "must", "should", "pedantic"};
static const char *const verdict_names[] = {"pass", "skip", "warn", "fail", "crash", "timeout"};

const char *checker_level_name(checker_level level)
{
    return level_names[level];
}

const char *checker_verdict_name(checker_verdict verdict)
{
    return verdict_names[verdict];
}

const char *checker_kinds_text(uint32_t kinds, char *text, size_t room)
{
    static const char *const words[] = {"effect", "connector", "process", "storage", "middleware", "observer"};
    text[0] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if ((kinds & (1u << i)) != 0)
            snprintf(text + strlen(text), room - strlen(text), "%s%s", text[0] == '\0' ? "" : " ", words[i]);
    if (kinds == 0)
        snprintf(text, room, "all");
    return text;
}

/* ---- deciding ---- */

void checker_report_close(checker_report *report)
{
    memset(report->verdicts, 0, sizeof report->verdicts);
    for (size_t i = 0; i < report->count; i++)
        report->verdicts[report->results[i].verdict]++;
    report->good =
        report->verdicts[VERDICT_FAIL] + report->verdicts[VERDICT_CRASH] + report->verdicts[VERDICT_TIMEOUT] == 0 &&
        (!report->options->warnings_fail || report->verdicts[VERDICT_WARN] == 0);
}

/* ---- repeating ---- */

/* A word as a shell takes it. */
static void put_word(FILE *out, const char *word)
{
    bool plain = word[0] != '\0';
    for (const char *c = word; *c != '\0'; c++)
        plain = plain && (isalnum((unsigned char)*c) || strchr("._-/=@:,%+", *c) != NULL);
    if (plain) {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (const char *c = word; *c != '\0'; c++)
        fputs(*c == '\'' ? "'\\''" : (const char[]){*c, '\0'}, out);
    fputc('\'', out);
}

/* Options that are about the run as a whole, not about one case; with a value of their own or not. */
static int about_the_run(const char *word)
{
    static const char *const with[] = {"--case", "--waive", "--jobs", "--junit", "--level", "--timeout"};
    static const char *const without[] = {"--json", "--color", "--warnings-fail"};
    for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
        size_t size = strlen(with[i]);
        if (strncmp(word, with[i], size) == 0 && (word[size] == '\0' || word[size] == '='))
            return word[size] == '=' ? 1 : 2;
    }
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        if (strcmp(word, without[i]) == 0)
            return 1;
    return 0;
}

char *checker_report_repeat(const checker_options *options, const char *name)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    fputs("gdb --args pawl plugin check", out);
    for (int i = 1; i < options->argc; i++) {
        int drop = about_the_run(options->argv[i]);
        if (drop > 0) {
            i += drop - 1;
            continue;
        }
        fputc(' ', out);
        put_word(out, options->argv[i]);
    }
    fprintf(out, " --case %s --in-process", name);
    fclose(out);
    return text;
}

/* ---- text ---- */

/* What a plugin said may hold anything; a terminal gets none of its control characters. */
static void put_clean(FILE *out, const char *text, const char *indent)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '\n')
            fprintf(out, "\n%s", indent);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\x%02x", c);
        else
            fputc(c, out);
    }
}

static const char *color_of(checker_verdict verdict)
{
    return verdict == VERDICT_PASS ? "32" : verdict == VERDICT_SKIP ? "2" : verdict == VERDICT_WARN ? "33" : "31";
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void put_finding(const json_t *finding, FILE *out)
{
    const char *where = text_of(finding, "where");
    fprintf(out, "%*s", PAD, "");
    put_clean(out, where, "");
    fputs(where[0] == '\0' ? "found " : ": found ", out);
    put_clean(out, text_of(finding, "found"), "           ");
    if (text_of(finding, "wanted")[0] != '\0') {
        fputs("; wanted ", out);
        put_clean(out, text_of(finding, "wanted"), "           ");
    }
    fputc('\n', out);
}

static void put_output(const char *output, FILE *out)
{
    size_t size = output == NULL ? 0 : strlen(output);
    if (size == 0)
        return;
    fprintf(out, "%*sit printed: ", PAD, "");
    put_clean(out, size > OUTPUT_SHOWN ? output + size - OUTPUT_SHOWN : output, "           ");
    fputc('\n', out);
}

void checker_report_one(const checker_report *report, const checker_result *result, FILE *out)
{
    const char *name = verdict_names[result->verdict];
    bool color = report->options->color;
    size_t index;
    json_t *finding;
    fprintf(out, "%s%s%s%-8s%s %-*s %-14s ", color ? "\033[" : "", color ? color_of(result->verdict) : "",
            color ? "m" : "", name, color ? "\033[0m" : "", NAME_WIDTH, result->entry->name, result->entry->rules);
    put_clean(out, result->verdict == VERDICT_SKIP ? result->reason : result->entry->purpose, "           ");
    fputc('\n', out);
    if (result->reason[0] != '\0' && result->verdict >= VERDICT_CRASH) {
        fprintf(out, "%*s", PAD, "");
        put_clean(out, result->reason, "           ");
        fputc('\n', out);
    }
    json_array_foreach(result->findings, index, finding) put_finding(finding, out);
    if (result->verdict < VERDICT_FAIL)
        return;
    put_output(result->output, out);
    char *repeat = checker_report_repeat(report->options, result->entry->name);
    fprintf(out, "%*salone: %s\n", PAD, "", repeat == NULL ? "" : repeat);
    free(repeat);
}

void checker_report_text(const checker_report *report, FILE *out)
{
    static const char *const words[] = {"passed", "skipped", "with a warning", "failed", "crashed", "hung"};
    bool first = true;
    if (report->id[0] != '\0')
        fprintf(out, "%s %s  ", report->id, report->version);
    put_clean(out, report->options->file, "");
    fprintf(out, "  (level %s)\n", checker_level_name(report->options->level));
    for (size_t i = 0; i < report->count; i++)
        checker_report_one(report, &report->results[i], out);
    for (size_t v = 0; v <= VERDICT_TIMEOUT; v++)
        if (report->verdicts[v] > 0) {
            fprintf(out, "%s%zu %s", first ? "" : ", ", report->verdicts[v], words[v]);
            first = false;
        }
    fprintf(out, "%s: the plugin %s\n", first ? "no case" : "", report->good ? "passes" : "does not pass");
}

/* ---- JSON ---- */

static json_t *result_json(const checker_report *report, const checker_result *result)
{
    char *repeat = checker_report_repeat(report->options, result->entry->name);
    bool told = result->verdict == VERDICT_SKIP || result->verdict >= VERDICT_CRASH;
    json_t *output = json_string(result->output == NULL ? "" : result->output);
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:O, s:s, s:s, s:s}", "case", result->entry->name, "rules",
                             result->entry->rules, "level", checker_level_name(result->entry->level), "purpose",
                             result->entry->purpose, "verdict", verdict_names[result->verdict], "took_ms",
                             (json_int_t)result->took_ms, "findings", result->findings, "reason",
                             told ? result->reason : "", "stage", result->verdict >= VERDICT_CRASH ? result->stage : "",
                             "repeat", repeat == NULL ? "" : repeat);
    if (output == NULL)
        output = json_string("(what it printed is no UTF-8)");
    json_object_set_new(json, "output", output);
    free(repeat);
    return json;
}

void checker_report_json(const checker_report *report, FILE *out)
{
    json_t *cases = json_array();
    json_t *counts = json_object();
    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(cases, result_json(report, &report->results[i]));
    for (size_t v = 0; v <= VERDICT_TIMEOUT; v++)
        json_object_set_new(counts, verdict_names[v], json_integer((json_int_t)report->verdicts[v]));
    json_t *whole = json_pack("{s:b, s:s, s:s, s:s, s:s, s:o, s:o}", "ok", report->good, "file", report->options->file,
                              "plugin", report->id, "version", report->version, "level",
                              checker_level_name(report->options->level), "counts", counts, "cases", cases);
    json_dumpf(whole, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(whole);
}

/* ---- the list ---- */

void checker_report_list(const checker_options *options, FILE *out)
{
    char kinds[64];
    json_t *all = json_array();
    for (size_t i = 0; i < checker_case_count; i++) {
        const checker_case *entry = &checker_cases[i];
        checker_kinds_text(entry->kinds, kinds, sizeof kinds);
        if (options->json)
            json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:s, s:s}", "case", entry->name, "rules",
                                                 entry->rules, "level", checker_level_name(entry->level), "kinds",
                                                 kinds, "purpose", entry->purpose));
        else
            fprintf(out, "%-*s %-14s %-8s %s\n", NAME_WIDTH, entry->name, entry->rules,
                    checker_level_name(entry->level), entry->purpose);
    }
    if (options->json) {
        json_dumpf(all, out, JSON_COMPACT);
        fputc('\n', out);
    }
    json_decref(all);
}
