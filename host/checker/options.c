/* options.c: the command line of pawl-plugin-check. Strict: a case, level or sample that is not understood is refused
 * before anything runs. It must never guess. */
#include "checker.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: pawl-plugin-check FILE [OPTIONS]\n"
    "       pawl-plugin-check --list [--json]\n"
    "Checks a plugin by using it, one case per child process. Its operations are called for real, with the samples "
    "that\n"
    "are given here or in its manifest.\n"
    "  --level LEVEL          must, should (default) or pedantic: how much is asked\n"
    "  --case NAME            only this case (may be repeated)\n"
    "  --waive CASE=REASON    leave a case out, and say why (may be repeated)\n"
    "  --config JSON          for init, as `config` of the plugin in a profile; @FILE reads it from a file\n"
    "  --instance JSON        for the connector's instances\n"
    "  --store JSON           for a storage plugin's open; %DIR% stands for a fresh directory\n"
    "  --input NAME=JSON      a sample input of an operation, effect or process type (may be repeated)\n"
    "  --slow NAME=JSON       one whose call takes long: for being cancelled (may be repeated)\n"
    "  --generate             call operations without a sample, too, with an input made from their schema\n"
    "  --timeout SPAN         of one case (30s)\n"
    "  --latency SPAN         a call that was asked to stop may take so long to return (5s)\n"
    "  --jobs N               cases at a time (1: what one does outside, another may see)\n"
    "  --warnings-fail        a warning fails the check\n"
    "  --in-process           run the one --case in this process, for a debugger\n"
    "  --json                 tell the result as JSON\n"
    "  --junit FILE           write it as JUnit XML, too\n"
    "  --list                 list the cases\n";

enum {
    OPTION_LEVEL = 1000,
    OPTION_CASE,
    OPTION_WAIVE,
    OPTION_CONFIG,
    OPTION_INSTANCE,
    OPTION_STORE,
    OPTION_INPUT,
    OPTION_SLOW,
    OPTION_GENERATE,
    OPTION_TIMEOUT,
    OPTION_LATENCY,
    OPTION_JOBS,
    OPTION_WARNINGS_FAIL,
    OPTION_IN_PROCESS,
    OPTION_JSON,
    OPTION_JUNIT,
    OPTION_LIST,
    OPTION_COLOR,
    OPTION_RUN,
    OPTION_BROKEN,
    OPTION_HELP
};

static const struct option table[] = {{"level", required_argument, NULL, OPTION_LEVEL},
                                      {"case", required_argument, NULL, OPTION_CASE},
                                      {"waive", required_argument, NULL, OPTION_WAIVE},
                                      {"config", required_argument, NULL, OPTION_CONFIG},
                                      {"instance", required_argument, NULL, OPTION_INSTANCE},
                                      {"store", required_argument, NULL, OPTION_STORE},
                                      {"input", required_argument, NULL, OPTION_INPUT},
                                      {"slow", required_argument, NULL, OPTION_SLOW},
                                      {"generate", no_argument, NULL, OPTION_GENERATE},
                                      {"timeout", required_argument, NULL, OPTION_TIMEOUT},
                                      {"latency", required_argument, NULL, OPTION_LATENCY},
                                      {"jobs", required_argument, NULL, OPTION_JOBS},
                                      {"warnings-fail", no_argument, NULL, OPTION_WARNINGS_FAIL},
                                      {"in-process", no_argument, NULL, OPTION_IN_PROCESS},
                                      {"json", no_argument, NULL, OPTION_JSON},
                                      {"junit", required_argument, NULL, OPTION_JUNIT},
                                      {"list", no_argument, NULL, OPTION_LIST},
                                      {"color", no_argument, NULL, OPTION_COLOR},
                                      {"run", required_argument, NULL, OPTION_RUN},
                                      {"broken", required_argument, NULL, OPTION_BROKEN},
                                      {"help", no_argument, NULL, OPTION_HELP},
                                      {NULL, 0, NULL, 0}};

static bool mistake(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool mistake(const char *format, ...)
{
    va_list args;
    fputs("pawl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return false;
}

/* The text of an argument, or of the file that "@FILE" names. It lives as long as the program. NULL: printed. */
static char *text_of(const char *option, const char *given)
{
    char *text = NULL;
    size_t size = 0;
    if (given[0] != '@')
        return strdup(given);
    FILE *file = fopen(given + 1, "re");
    if (file == NULL || getdelim(&text, &size, '\0', file) < 0) {
        mistake("--%s: the file %s cannot be read: %s", option, given + 1, strerror(errno));
        free(text);
        text = NULL;
    }
    if (file != NULL)
        fclose(file);
    return text;
}

static json_t *json_of(const char *option, const char *text)
{
    json_error_t problem;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &problem);
    if (json == NULL)
        mistake("--%s: is not JSON at line %d, column %d: %s", option, problem.line, problem.column, problem.text);
    return json;
}

static bool take_config(const char *option, const char *given, const char **ret)
{
    char *text = text_of(option, given);
    json_t *json = text == NULL ? NULL : json_of(option, text);
    bool good = json_is_object(json);
    if (json != NULL && !good)
        mistake("--%s is no JSON object; wanted what the profile has as `config`", option);
    json_decref(json);
    *ret = text;
    return good;
}

static bool take_sample(checker_options *o, const char *given, bool slow)
{
    const char *option = slow ? "slow" : "input";
    const char *equals = strchr(given, '=');
    if (equals == NULL || equals == given)
        return mistake("--%s is \"%s\"; wanted NAME=JSON", option, given);
    if (o->sample_count == CHECKER_SAMPLES_MAX)
        return mistake("more than %u samples", CHECKER_SAMPLES_MAX);
    char *text = text_of(option, equals + 1);
    json_t *input = text == NULL ? NULL : json_of(option, text);
    free(text);
    if (input == NULL)
        return false;
    checker_sample *sample = &o->samples[o->sample_count++];
    sample->name = strndup(given, (size_t)(equals - given));
    sample->input = input;
    sample->slow = slow;
    return sample->name != NULL;
}

static bool take_span(const char *option, const char *text, uint32_t *ret_ms)
{
    char *end = NULL;
    errno = 0;
    unsigned long value = isdigit((unsigned char)text[0]) ? strtoul(text, &end, 10) : 0;
    uint64_t ms = end == NULL              ? 0
                  : strcmp(end, "ms") == 0 ? value
                  : strcmp(end, "s") == 0  ? (uint64_t)value * 1000
                  : strcmp(end, "m") == 0  ? (uint64_t)value * 60000
                                           : 0;
    if (ms == 0 || ms > 3600000 || errno != 0)
        return mistake("--%s is \"%s\"; wanted a span with its unit, up to an hour: 500ms, 30s, 5m", option, text);
    *ret_ms = (uint32_t)ms;
    return true;
}

static bool take_level(checker_options *o, const char *text)
{
    for (checker_level level = LEVEL_MUST; level <= LEVEL_PEDANTIC; level++)
        if (strcmp(text, checker_level_name(level)) == 0) {
            o->level = level;
            return true;
        }
    return mistake("--level is \"%s\"; wanted must, should or pedantic", text);
}

static bool take_case(checker_options *o, const char *name)
{
    if (checker_case_find(name) == NULL)
        return mistake("there is no case \"%s\"; --list has them all", name);
    if (o->only_count == CHECKER_NAMES_MAX)
        return mistake("more than %u cases; leave --case away to run all", CHECKER_NAMES_MAX);
    o->only[o->only_count++] = name;
    return true;
}

static bool take_waiver(checker_options *o, const char *given)
{
    char name[64];
    const char *equals = strchr(given, '=');
    snprintf(name, sizeof name, "%.*s", equals == NULL ? 0 : (int)(equals - given), given);
    if (equals == NULL || equals[1] == '\0')
        return mistake("--waive is \"%s\"; wanted CASE=REASON", given);
    if (checker_case_find(name) == NULL)
        return mistake("--waive: there is no case \"%s\"; --list has them all", name);
    if (o->waived_count == CHECKER_NAMES_MAX)
        return mistake("more than %u waivers", CHECKER_NAMES_MAX);
    o->waived[o->waived_count++] = given;
    return true;
}

static bool take_jobs(checker_options *o, const char *text)
{
    char *end = NULL;
    unsigned long jobs = isdigit((unsigned char)text[0]) ? strtoul(text, &end, 10) : 0;
    if (end == NULL || *end != '\0' || jobs == 0 || jobs > 64)
        return mistake("--jobs is \"%s\"; wanted 1 to 64", text);
    o->jobs = (uint32_t)jobs;
    return true;
}

static bool take_flag(checker_options *o, int option)
{
    switch (option) {
    case OPTION_GENERATE:
        o->generate = true;
        return true;
    case OPTION_WARNINGS_FAIL:
        o->warnings_fail = true;
        return true;
    case OPTION_IN_PROCESS:
        o->in_process = true;
        return true;
    case OPTION_JSON:
        o->json = true;
        return true;
    case OPTION_LIST:
        o->list = true;
        return true;
    case OPTION_COLOR:
        o->color = true;
        return true;
    case OPTION_HELP:
        fputs(usage, stdout);
        exit(CHECKER_EXIT_OK);
    default:
        return mistake("see pawl-plugin-check --help"); /* getopt has said what is wrong */
    }
}

static bool take(checker_options *o, int option, const char *value)
{
    switch (option) {
    case OPTION_LEVEL:
        return take_level(o, value);
    case OPTION_CASE:
        return take_case(o, value);
    case OPTION_WAIVE:
        return take_waiver(o, value);
    case OPTION_CONFIG:
        return take_config("config", value, &o->config);
    case OPTION_INSTANCE:
        return take_config("instance", value, &o->instance);
    case OPTION_STORE:
        return take_config("store", value, &o->store);
    case OPTION_INPUT:
        return take_sample(o, value, false);
    case OPTION_SLOW:
        return take_sample(o, value, true);
    case OPTION_TIMEOUT:
        return take_span("timeout", value, &o->timeout_ms);
    case OPTION_LATENCY:
        return take_span("latency", value, &o->latency_ms);
    case OPTION_JOBS:
        return take_jobs(o, value);
    case OPTION_JUNIT:
        o->junit = value;
        return true;
    case OPTION_BROKEN:
        o->broken = (uint32_t)strtoul(value, NULL, 10);
        return true;
    case OPTION_RUN:
        o->run = value;
        return checker_case_find(value) != NULL || mistake("there is no case \"%s\"", value);
    default:
        return take_flag(o, option);
    }
}

static int check_together(checker_options *o, char **words, int first)
{
    if (o->list)
        return CHECKER_EXIT_OK;
    if (o->argc - first != 1) {
        mistake("%s", o->argc == first ? "which plugin? Give its file; see pawl-plugin-check --help"
                                       : "wanted one file; see pawl-plugin-check --help");
        return CHECKER_EXIT_USAGE;
    }
    if (o->in_process && o->only_count != 1) {
        mistake("--in-process runs one case: give one --case NAME");
        return CHECKER_EXIT_USAGE;
    }
    o->file = words[first];
    if (realpath(o->file, o->path) == NULL || access(o->path, R_OK) != 0) {
        mistake("%s cannot be read: %s", o->file, strerror(errno));
        return CHECKER_EXIT_NOT_FOUND;
    }
    return CHECKER_EXIT_OK;
}

int checker_options_read(int argc, char **argv, checker_options *ret)
{
    checker_options *o = ret;
    int option;
    memset(o, 0, sizeof *o);
    o->argc = argc;
    o->argv = argv;
    o->config = "{}";
    o->level = LEVEL_SHOULD;
    o->jobs = 1;
    o->timeout_ms = CHECKER_TIMEOUT_MS_DEFAULT;
    o->latency_ms = CHECKER_LATENCY_MS_DEFAULT;
    char **words = calloc((size_t)argc + 1, sizeof *words); /* getopt puts them into another order */
    if (words == NULL)
        return CHECKER_EXIT_BROKEN;
    memcpy(words, argv, (size_t)argc * sizeof *words);
    while ((option = getopt_long(argc, words, "", table, NULL)) != -1)
        if (!take(o, option, optarg)) {
            free(words);
            return CHECKER_EXIT_USAGE;
        }
    int code = check_together(o, words, optind);
    free(words);
    return code;
}
