/* options.c: the options and arguments of a command line. Never ignores one: what a command does not know is an error,
 * with the closest name that it does know. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"

#define WORD_MAX 64u

/* Levenshtein's distance; words that are too long for it are far away. */
static size_t distance(const char *a, const char *b)
{
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    size_t row[WORD_MAX + 1];
    if (a_size > WORD_MAX || b_size > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t above = row[j];
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = above;
        }
    }
    return row[b_size];
}

const char *pawl_cli_closest(const char *word, const char *const *words)
{
    const char *closest = NULL;
    size_t least = strlen(word) / 3 + 2; /* beyond this it would be a guess */
    for (; *words != NULL; words++) {
        size_t found = distance(word, *words);
        if (found < least && found < strlen(*words)) {
            least = found;
            closest = *words;
        }
    }
    return closest;
}

static const pawl_cli_option *find_option(const pawl_cli_command *command, const char *name, size_t size)
{
    const pawl_cli_option *lists[] = {command->options, pawl_cli_common_options};
    for (size_t l = 0; l < 2; l++)
        for (const pawl_cli_option *option = lists[l]; option != NULL && option->name != NULL; option++)
            if (strlen(option->name) == size && memcmp(option->name, name, size) == 0)
                return option;
    return NULL;
}

static int unknown_option(pawl_cli *cli, const char *word)
{
    const char *names[PAWL_CLI_OPTIONS_MAX * 2] = {NULL};
    char name[WORD_MAX] = "";
    size_t count = 0;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const pawl_cli_option *lists[] = {cli->command->options, pawl_cli_common_options};
    for (size_t l = 0; l < 2; l++)
        for (const pawl_cli_option *option = lists[l]; option != NULL && option->name != NULL; option++)
            if (count + 1 < sizeof names / sizeof *names)
                names[count++] = option->name;
    const char *close = pawl_cli_closest(name, names);
    if (close != NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "%s has no option --%s; did you mean --%s?",
                             cli->command->name, name, close);
    return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "%s has no option --%s; see: pawl help %s", cli->command->name,
                         name, cli->command->name);
}

/* One option; *at moves on when its value is the next word. */
static int take_option(pawl_cli *cli, int count, char **words, int *at)
{
    const char *word = words[*at];
    size_t size = strcspn(word + 2, "=");
    const pawl_cli_option *option = find_option(cli->command, word + 2, size);
    if (option == NULL)
        return unknown_option(cli, word);
    bool many = option->value != NULL && strstr(option->value, "...") != NULL;
    if (!many && pawl_cli_value(cli, option->name) != NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--%s is given twice", option->name);
    const char *value = word[2 + size] == '=' ? word + 2 + size + 1 : NULL;
    if (option->value == NULL && value != NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--%s takes no value", option->name);
    if (option->value != NULL && value == NULL) {
        if (*at + 1 >= count)
            return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--%s wants a value: --%s %s", option->name,
                                 option->name, option->value);
        value = words[++*at];
    }
    if (cli->given_count == PAWL_CLI_OPTIONS_MAX)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "too many options");
    cli->given[cli->given_count].name = option->name;
    cli->given[cli->given_count].value = value == NULL ? "" : value;
    cli->given_count++;
    return PAWL_EXIT_OK;
}

static int check_count(pawl_cli *cli)
{
    const pawl_cli_command *command = cli->command;
    if (pawl_cli_flag(cli, "help"))
        return PAWL_EXIT_OK;
    if (cli->argument_count >= command->least && cli->argument_count <= command->most)
        return PAWL_EXIT_OK;
    return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "%s: too %s arguments; usage: pawl %s%s%s [OPTIONS]",
                         command->name, cli->argument_count < command->least ? "few" : "many", command->name,
                         command->arguments[0] == '\0' ? "" : " ", command->arguments);
}

int pawl_cli_parse(pawl_cli *cli, int count, char **words)
{
    bool only_arguments = false;
    for (int i = 0; i < count; i++) {
        int status = PAWL_EXIT_OK;
        if (!only_arguments && strcmp(words[i], "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && strcmp(words[i], "-h") == 0) {
            cli->given[0].name = "help";
            cli->given[0].value = "";
            cli->given_count = 1;
            return PAWL_EXIT_OK;
        } else if (!only_arguments && strncmp(words[i], "--", 2) == 0) {
            status = take_option(cli, count, words, &i);
        } else if (!only_arguments && words[i][0] == '-' && isalpha((unsigned char)words[i][1])) {
            status =
                pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "unknown option %s; options have two dashes", words[i]);
        } else if ((unsigned)cli->argument_count == PAWL_CLI_ARGUMENTS_MAX) {
            status = pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "more than %u arguments", PAWL_CLI_ARGUMENTS_MAX);
        } else {
            cli->arguments[cli->argument_count++] = words[i];
        }
        if (status != PAWL_EXIT_OK)
            return status;
    }
    return check_count(cli);
}

const char *pawl_cli_value(const pawl_cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->given_count; i++)
        if (strcmp(cli->given[i].name, name) == 0)
            return cli->given[i].value;
    return NULL;
}

bool pawl_cli_flag(const pawl_cli *cli, const char *name)
{
    return pawl_cli_value(cli, name) != NULL;
}

bool pawl_cli_number(pawl_cli *cli, const char *name, uint64_t least, uint64_t most, uint64_t fallback, uint64_t *ret)
{
    const char *text = pawl_cli_value(cli, name);
    *ret = fallback;
    if (text == NULL)
        return true;
    char *end = NULL;
    errno = 0;
    unsigned long long value = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 10) : 0;
    if (end == NULL || *end != '\0' || errno != 0 || value < least || value > most) {
        pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--%s is \"%s\"; wanted a whole number from %llu to %llu", name,
                      text, (unsigned long long)least, (unsigned long long)most);
        return false;
    }
    *ret = value;
    return true;
}

bool pawl_cli_span_ms(pawl_cli *cli, const char *name, uint64_t fallback, uint64_t *ret)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    const char *text = pawl_cli_value(cli, name);
    *ret = fallback;
    if (text == NULL)
        return true;
    char *end = NULL;
    errno = 0;
    unsigned long long value = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 10) : 0;
    for (size_t i = 0; end != NULL && errno == 0 && i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].unit) == 0 && value <= 3650 * units[4].ms / units[i].ms) {
            *ret = value * units[i].ms;
            return true;
        }
    pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--%s is \"%s\"; wanted a span with its unit: 250ms, 30s, 5m, 2h, 1d",
                  name, text);
    return false;
}
