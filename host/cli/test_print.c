/* test_print.c: see test_print.h. The first difference is what people look for: it is shown as two traces side by side,
 * with the line at which they part. */
#include "host/cli/test_print.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINES_BEFORE 8u
#define LINES_AFTER  10u
#define TRACE_MAX    400u
#define WIDTH        160
#define WIDTH_LEAST  80

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static int width_of(const pawl_cli *cli)
{
    struct winsize size = {0};
    int fd = fileno(cli->out);
    if (fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= WIDTH_LEAST)
        return size.ws_col;
    return WIDTH;
}

/* ---- traces ---- */

static const char *line_at(const json_t *lines, size_t at)
{
    const char *text = json_string_value(json_array_get(lines, at));
    return text == NULL ? "" : text;
}

/* At most so many columns; bytes of one character count as one. */
static void put_cell(FILE *out, const char *text, int room)
{
    int used = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        bool follows = (*c & 0xc0) == 0x80;
        if (!follows && used == room - 1 && strlen((const char *)c) > 1) {
            fputs(">", out);
            used++;
            break;
        }
        if (!follows)
            used++;
        fputc(*c < 0x20 || *c == 0x7f ? '?' : *c, out);
    }
    for (; used < room; used++)
        fputc(' ', out);
}

static void put_pair(const pawl_cli *cli, const char *left, const char *right, bool parted, int column)
{
    fputs(parted ? " > " : "   ", cli->out);
    put_cell(cli->out, left, column);
    fputs(parted ? " | " : "   ", cli->out);
    put_cell(cli->out, right, column);
    fputc('\n', cli->out);
}

static void put_both(const pawl_cli *cli, const json_t *finding)
{
    const json_t *expected = json_object_get(finding, "expected"), *found = json_object_get(finding, "found");
    size_t parted = (size_t)number(finding, "line"), from = parted > LINES_BEFORE ? parted - LINES_BEFORE : 0;
    size_t left = json_array_size(expected), right = json_array_size(found);
    size_t to = left > right ? left : right;
    int column = (width_of(cli) - 8) / 2;
    if (parted == 0) /* they do not part as far as they go */
        from = to > LINES_BEFORE ? to - LINES_BEFORE : 0;
    else if (to > parted + LINES_AFTER)
        to = parted + LINES_AFTER;
    put_pair(cli, "expected", "found", false, column);
    if (from > 0)
        fprintf(cli->out, "   ... %zu lines alike\n", from);
    for (size_t i = from; i < to; i++)
        put_pair(cli, i < left ? line_at(expected, i) : "(ends here)", i < right ? line_at(found, i) : "(ends here)",
                 parted != 0 && i + 1 == parted, column);
}

static void put_one(const pawl_cli *cli, const json_t *lines)
{
    size_t count = json_array_size(lines), from = count > 2 * LINES_BEFORE ? count - 2 * LINES_BEFORE : 0;
    for (size_t i = from; i < count; i++) {
        fputs("   ", cli->out);
        pawl_cli_put(cli->out, line_at(lines, i));
        fputc('\n', cli->out);
    }
}

/* A word as a shell takes it. */
static void put_word(const pawl_cli *cli, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/=@+,:";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        fputs(word, cli->out);
        return;
    }
    fputc('\'', cli->out);
    for (; *word != '\0'; word++)
        if (*word == '\'')
            fputs("'\\''", cli->out);
        else
            fputc(*word, cli->out);
    fputc('\'', cli->out);
}

/* The command that shows this variation alone. */
static void put_again(const pawl_cli *cli, const json_t *finding)
{
    if (strcmp(pawl_cli_text(finding, "variation"), "basic") == 0)
        return;
    fputs("   again: pawl test ", cli->out);
    put_word(cli, cli->arguments[0]);
    for (size_t i = 0; i < cli->given_count; i++) {
        if (strcmp(cli->given[i].name, "only") == 0 || strcmp(cli->given[i].name, "junit") == 0)
            continue;
        fprintf(cli->out, " --%s%s", cli->given[i].name, cli->given[i].value[0] == '\0' ? "" : " ");
        if (cli->given[i].value[0] != '\0')
            put_word(cli, cli->given[i].value);
    }
    fputs(" --only ", cli->out);
    put_word(cli, pawl_cli_text(finding, "variation"));
    fputc('\n', cli->out);
}

static void put_finding(const pawl_cli *cli, const json_t *finding)
{
    size_t i;
    const json_t *hint;
    fputc('\n', cli->out);
    pawl_cli_put_color(cli, PAWL_COLOR_RED, pawl_cli_text(finding, "kind"));
    fputs(" in ", cli->out);
    pawl_cli_put_color(cli, PAWL_COLOR_BOLD, pawl_cli_text(finding, "variation"));
    fputs(": ", cli->out);
    pawl_cli_put(cli->out, pawl_cli_text(finding, "message"));
    if (pawl_cli_text(finding, "context")[0] != '\0') {
        fputs("\n   when: ", cli->out);
        pawl_cli_put(cli->out, pawl_cli_text(finding, "context"));
    }
    fputc('\n', cli->out);
    if (json_object_get(finding, "expected") != NULL)
        put_both(cli, finding);
    else
        put_one(cli, json_object_get(finding, "found"));
    json_array_foreach(json_object_get(finding, "hints"), i, hint)
    {
        fputs("   hint: ", cli->out);
        pawl_cli_put(cli->out, json_string_value(hint));
        fputc('\n', cli->out);
    }
    put_again(cli, finding);
}

/* ---- the whole ---- */

static void put_trace(const pawl_cli *cli, const json_t *report)
{
    size_t i;
    const json_t *line;
    const json_t *end = json_object_get(report, "end");
    const json_t *only = json_object_get(report, "only_trace");
    if (end == NULL)
        return;
    fprintf(cli->out, "%s/%" JSON_INTEGER_FORMAT " of %s\n", pawl_cli_text(report, "type"), number(report, "revision"),
            pawl_cli_text(report, "plugin"));
    if (only == NULL)
        only = json_object_get(report, "trace");
    size_t count = json_array_size(only);
    json_array_foreach(only, i, line)
    {
        if (count > TRACE_MAX && i >= TRACE_MAX / 2 && i < count - TRACE_MAX / 2) {
            if (i == TRACE_MAX / 2)
                fprintf(cli->out, "   ... %zu lines; --json has all\n", count - TRACE_MAX);
            continue;
        }
        pawl_cli_put(cli->out, json_string_value(line));
        fputc('\n', cli->out);
    }
    if (only == json_object_get(report, "only_trace"))
        return;
    fprintf(cli->out, "%9" JSON_INTEGER_FORMAT ".%03" JSON_INTEGER_FORMAT " s        ",
            number(end, "virtual_ms") / 1000, number(end, "virtual_ms") % 1000);
    pawl_cli_put_color(cli, pawl_cli_status_color(pawl_cli_text(end, "status")), pawl_cli_text(end, "text"));
    fprintf(cli->out, "\n\n");
}

static void put_variations(const pawl_cli *cli, const json_t *report)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(report, "variations"), i, one)
    {
        fprintf(cli->out, "%-10s %7" JSON_INTEGER_FORMAT " %s", pawl_cli_text(one, "name"), number(one, "runs"),
                number(one, "runs") == 1 ? "run " : "runs");
        if (number(one, "differed") > 0)
            fprintf(cli->out, "  %" JSON_INTEGER_FORMAT " otherwise", number(one, "differed"));
        if (pawl_cli_text(one, "note")[0] != '\0')
            fprintf(cli->out, "  %s", pawl_cli_text(one, "note"));
        if (json_is_true(json_object_get(one, "cut_short")))
            fputs("  (the time was over: --time)", cli->out);
        fputc('\n', cli->out);
    }
}

static void put_outcomes(const pawl_cli *cli, const json_t *report)
{
    size_t i;
    const json_t *one;
    const json_t *outcomes = json_object_get(json_object_get(report, "orders"), "outcomes");
    if (json_array_size(outcomes) < 2)
        return;
    fputs("ends by order:\n", cli->out);
    json_array_foreach(outcomes, i, one)
    {
        fprintf(cli->out, "  %6" JSON_INTEGER_FORMAT " %s  ", number(one, "orders"),
                number(one, "orders") == 1 ? "order " : "orders");
        pawl_cli_put(cli->out, pawl_cli_text(one, "end"));
        fputs("\n           first in ", cli->out);
        pawl_cli_put(cli->out, pawl_cli_text(one, "first"));
        fputs(": ", cli->out);
        pawl_cli_put(cli->out, pawl_cli_text(one, "order"));
        fputc('\n', cli->out);
    }
}

static void put_sum(const pawl_cli *cli, const json_t *report)
{
    json_int_t runs = number(report, "runs"), ms = number(report, "elapsed_ms");
    json_int_t findings = number(report, "finding_count");
    if (findings == 0)
        findings = (json_int_t)json_array_size(json_object_get(report, "findings"));
    bool good = json_is_true(json_object_get(report, "ok"));
    pawl_cli_put_color(cli, good ? PAWL_COLOR_GREEN : PAWL_COLOR_RED, good ? "nothing found" : "found something");
    if (!good)
        fprintf(cli->out, " (%" JSON_INTEGER_FORMAT ")", findings);
    fprintf(cli->out, " in %" JSON_INTEGER_FORMAT " %s", runs, runs == 1 ? "run" : "runs");
    if (ms > 0)
        fprintf(cli->out, ", %" JSON_INTEGER_FORMAT " ms", ms);
    if (ms > 0 && runs >= 100)
        fprintf(cli->out, ", %" JSON_INTEGER_FORMAT " runs/s", runs * 1000 / ms);
    fputc('\n', cli->out);
}

void pawl_cli_test_print(const pawl_cli *cli, const json_t *report)
{
    size_t i;
    const json_t *one;
    put_trace(cli, report);
    put_variations(cli, report);
    put_outcomes(cli, report);
    json_array_foreach(json_object_get(report, "findings"), i, one) put_finding(cli, one);
    json_array_foreach(json_object_get(report, "warnings"), i, one)
    {
        pawl_cli_put_color(cli, PAWL_COLOR_YELLOW, "warning: ");
        pawl_cli_put(cli->out, json_string_value(one));
        fputc('\n', cli->out);
    }
    put_sum(cli, report);
}

void pawl_cli_test_print_replay(const pawl_cli *cli, const json_t *report)
{
    size_t i, bad = 0;
    const json_t *one;
    const json_t *journals = json_object_get(report, "journals");
    json_array_foreach(journals, i, one)
    {
        bool good = json_is_true(json_object_get(one, "goes_on"));
        bad += !good;
        pawl_cli_put_color(cli, good ? PAWL_COLOR_GREEN : PAWL_COLOR_RED, good ? "goes on  " : "differs  ");
        pawl_cli_put(cli->out, pawl_cli_text(one, "file"));
        fprintf(cli->out, "  %" JSON_INTEGER_FORMAT " records  ", number(one, "records"));
        pawl_cli_put(cli->out, pawl_cli_text(one, "message"));
        fputc('\n', cli->out);
        if (!good && json_object_get(one, "found") != NULL)
            put_one(cli, json_object_get(one, "found"));
    }
    fprintf(cli->out, "%zu of %zu journals go on with this plugin\n", json_array_size(journals) - bad,
            json_array_size(journals));
}

/* ---- JUnit ---- */

static void put_xml(FILE *out, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        switch (*c) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\n':
            fputs("&#10;", out);
            break;
        default:
            fputc(*c < 0x20 && *c != '\t' ? '?' : *c, out);
        }
}

static bool belongs(const char *variation, const char *group)
{
    size_t size = strlen(group);
    return strncmp(variation, group, size) == 0 && (variation[size] == '\0' || variation[size] == '@');
}

static void put_failure(FILE *out, const json_t *finding)
{
    size_t i;
    const json_t *line;
    fputs("<failure type=\"", out);
    put_xml(out, pawl_cli_text(finding, "kind"));
    fputs("\" message=\"", out);
    put_xml(out, pawl_cli_text(finding, "variation"));
    fputs(": ", out);
    put_xml(out, pawl_cli_text(finding, "message"));
    fputs("\">", out);
    json_array_foreach(json_object_get(finding, "found"), i, line)
    {
        put_xml(out, json_string_value(line));
        fputc('\n', out);
    }
    fputs("</failure>", out);
}

static void put_case(FILE *out, const json_t *report, const char *name)
{
    size_t i;
    const json_t *one;
    fputs("  <testcase classname=\"pawl.test\" name=\"", out);
    put_xml(out, name);
    fputs("\">", out);
    json_array_foreach(json_object_get(report, "findings"), i, one) if (belongs(pawl_cli_text(one, "variation"), name))
        put_failure(out, one);
    fputs("</testcase>\n", out);
}

static void put_journal_cases(FILE *out, const json_t *journals)
{
    size_t i;
    const json_t *one;
    json_array_foreach(journals, i, one)
    {
        fputs("  <testcase classname=\"pawl.test.replay\" name=\"", out);
        put_xml(out, pawl_cli_text(one, "file"));
        fputs("\">", out);
        if (!json_is_true(json_object_get(one, "goes_on"))) {
            fputs("<failure message=\"", out);
            put_xml(out, pawl_cli_text(one, "message"));
            fputs("\"/>", out);
        }
        fputs("</testcase>\n", out);
    }
}

void pawl_cli_test_junit(FILE *out, const json_t *report)
{
    static const char *const groups[] = {"basic",  "twice", "dropped", "kept",   "crash",
                                         "cancel", "fault", "order",   "loading"};
    const size_t group_count = sizeof groups / sizeof *groups;
    size_t i, bad = 0, cases = 0;
    const json_t *one;
    const json_t *journals = json_object_get(report, "journals");
    bool listed[sizeof groups / sizeof *groups] = {true};
    json_array_foreach(json_object_get(report, "variations"), i, one) for (size_t g = 0; g < group_count; g++)
        listed[g] |= strcmp(pawl_cli_text(one, "name"), groups[g]) == 0;
    json_array_foreach(json_object_get(report, "findings"), i, one) for (size_t g = 0; g < group_count; g++)
        listed[g] |= belongs(pawl_cli_text(one, "variation"), groups[g]);
    json_array_foreach(journals, i, one) bad += !json_is_true(json_object_get(one, "goes_on"));
    for (size_t g = 0; g < group_count; g++)
        cases += listed[g];
    if (journals != NULL)
        cases = json_array_size(journals);
    else
        bad = json_array_size(json_object_get(report, "findings"));
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"", out);
    put_xml(out, pawl_cli_text(report, "type")[0] != '\0' ? pawl_cli_text(report, "type") : "pawl test");
    fprintf(out, "\" tests=\"%zu\" failures=\"%zu\" time=\"%.3f\">\n", cases, bad,
            (double)number(report, "elapsed_ms") / 1000.0);
    if (journals != NULL)
        put_journal_cases(out, journals);
    else
        for (size_t g = 0; g < group_count; g++)
            if (listed[g])
                put_case(out, report, groups[g]);
    fputs("</testsuite>\n", out);
}
