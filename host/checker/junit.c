/* junit.c: the result of a check as JUnit XML, as build servers read it. It must never write a byte that XML does not
 * allow, whatever a plugin printed. */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Text for an attribute or an element: markup escaped; what XML 1.0 cannot hold, or is not plain ASCII, as '?'. */
static void put(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '<')
            fputs("&lt;", out);
        else if (c == '>')
            fputs("&gt;", out);
        else if (c == '&')
            fputs("&amp;", out);
        else if (c == '"')
            fputs("&quot;", out);
        else if (c == '\n')
            fputs("&#10;", out);
        else
            fputc(c < 0x20 || c >= 0x7f ? '?' : c, out);
    }
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void put_failure(FILE *out, const checker_report *report, const checker_result *result)
{
    size_t index;
    json_t *finding;
    char *repeat = checker_report_repeat(report->options, result->entry->name);
    fputs("      <failure type=\"", out);
    put(out, result->entry->rules);
    fputs("\" message=\"", out);
    put(out, checker_verdict_name(result->verdict));
    fputs(": ", out);
    put(out, result->entry->purpose);
    fputs("\">", out);
    if (result->verdict >= VERDICT_CRASH)
        put(out, result->reason);
    json_array_foreach(result->findings, index, finding)
    {
        put(out, text_of(finding, "where"));
        fputs(": found ", out);
        put(out, text_of(finding, "found"));
        fputs("; wanted ", out);
        put(out, text_of(finding, "wanted"));
        fputs("&#10;", out);
    }
    fputs("alone: ", out);
    put(out, repeat == NULL ? "" : repeat);
    fputs("</failure>\n", out);
    free(repeat);
}

static void put_case(FILE *out, const checker_report *report, const checker_result *result)
{
    bool failed =
        result->verdict >= VERDICT_FAIL || (result->verdict == VERDICT_WARN && report->options->warnings_fail);
    fprintf(out, "    <testcase classname=\"");
    put(out, report->id[0] == '\0' ? report->options->file : report->id);
    fprintf(out, "\" name=\"%s\" time=\"%llu.%03llu\">\n", result->entry->name,
            (unsigned long long)(result->took_ms / 1000), (unsigned long long)(result->took_ms % 1000));
    if (failed)
        put_failure(out, report, result);
    if (result->verdict == VERDICT_SKIP) {
        fputs("      <skipped message=\"", out);
        put(out, result->reason);
        fputs("\"/>\n", out);
    }
    if (result->output != NULL && result->output[0] != '\0') {
        fputs("      <system-out>", out);
        put(out, result->output);
        fputs("</system-out>\n", out);
    }
    fputs("    </testcase>\n", out);
}

bool checker_report_junit(const checker_report *report)
{
    const char *path = report->options->junit;
    size_t failed =
        report->verdicts[VERDICT_FAIL] + report->verdicts[VERDICT_CRASH] + report->verdicts[VERDICT_TIMEOUT];
    if (report->options->warnings_fail)
        failed += report->verdicts[VERDICT_WARN];
    FILE *out = fopen(path, "we");
    if (out != NULL) {
        fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"pawl plugin check");
        fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n", report->count, failed,
                report->verdicts[VERDICT_SKIP]);
        for (size_t i = 0; i < report->count; i++)
            put_case(out, report, &report->results[i]);
        fputs("  </testsuite>\n</testsuites>\n", out);
    }
    bool good = out != NULL && ferror(out) == 0;
    if (out != NULL && fclose(out) != 0)
        good = false;
    if (!good)
        fprintf(stderr, "pawl: %s cannot be written: %s\n", path, strerror(errno));
    return good;
}
