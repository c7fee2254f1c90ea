/* help.c: the help, made from the table of commands, so that it cannot say something else than the program does. */
#include <string.h>

#include "host/cli/cli.h"

/* By the first words of their commands, each between spaces. */
static const struct {
    const char *title;
    const char *words;
} sections[] = {
    {"Processes",
     " start wait ps count show journal signal update cancel terminate pause resume restart complete prune "},
    {"Schedules", " schedule "},
    {"Events, queues, sessions", " event queue session handle attachment "},
    {"The host", " serve host connectors drain check backup restore "},
    {"Writing plugins", " plugin test "},
    {"Measuring", " bench "},
    {"This program", " version help "},
};

static bool is_one_of(const char *name, const char *words)
{
    size_t size = strcspn(name, " ");
    for (const char *at = words; *at != '\0'; at += 1 + strcspn(at + 1, " "))
        if (strncmp(at + 1, name, size) == 0 && at[1 + size] == ' ')
            return true;
    return false;
}

static void print_section(FILE *out, const char *title, const char *words)
{
    fprintf(out, "\n%s:\n", title);
    for (const pawl_cli_command *command = pawl_cli_commands; command->name != NULL; command++) {
        char head[64];
        snprintf(head, sizeof head, "%s %s", command->name, command->arguments);
        if (is_one_of(command->name, words))
            fprintf(out, "  %-30s %s\n", head, command->summary);
    }
}

void pawl_cli_print_help(FILE *out)
{
    fputs("pawl: durable processes on this machine\n\nUsage: pawl COMMAND [ARGUMENTS] [OPTIONS]\n", out);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        print_section(out, sections[i].title, sections[i].words);
    fputs("\nOptions that every command takes:\n", out);
    for (const pawl_cli_option *option = pawl_cli_common_options; option->name != NULL; option++) {
        char head[64];
        snprintf(head, sizeof head, "--%s %s", option->name, option->value == NULL ? "" : option->value);
        fprintf(out, "  %-30s %s\n", head, option->help);
    }
    fputs(
        "\nThe profile is --profile, else PAWL_PROFILE, else ./pawl.yaml. pawl help COMMAND says more, with examples.\n"
        "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict or already ended, 5 no server, 6 profile, "
        "plugin\n"
        "or tier refused, 7 timed out, 8 the process ended otherwise than completed, 9 a store has\n"
        "problems.\n",
        out);
}

static void print_options(FILE *out, const pawl_cli_option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        char head[64];
        snprintf(head, sizeof head, "--%s %s", options->name, options->value == NULL ? "" : options->value);
        fprintf(out, "  %-22s %s\n", head, options->help);
    }
}

static void print_lines(FILE *out, const char *text)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        fprintf(out, "  %.*s\n", (int)size, text);
        text += size + (text[size] == '\n');
    }
}

void pawl_cli_print_command_help(FILE *out, const pawl_cli_command *command)
{
    fprintf(out, "Usage: pawl %s%s%s [OPTIONS]\n\n%s.\n", command->name, command->arguments[0] == '\0' ? "" : " ",
            command->arguments, command->summary);
    if (command->text != NULL)
        fprintf(out, "\n%s\n", command->text);
    fputs("\nOptions:\n", out);
    print_options(out, command->options);
    print_options(out, pawl_cli_common_options);
    if (command->examples != NULL) {
        fputs("\nExamples:\n", out);
        print_lines(out, command->examples);
    }
}

int pawl_cli_help(pawl_cli *cli)
{
    if (cli->argument_count == 0) {
        pawl_cli_print_help(cli->out);
        return PAWL_EXIT_OK;
    }
    int words = 0;
    const pawl_cli_command *command = pawl_cli_find(cli->argument_count, cli->arguments, &words);
    if (command != NULL && words == cli->argument_count) {
        pawl_cli_print_command_help(cli->out, command);
        return PAWL_EXIT_OK;
    }
    size_t size = strlen(cli->arguments[0]);
    bool group = false;
    for (command = pawl_cli_commands; command->name != NULL; command++) {
        if (strncmp(command->name, cli->arguments[0], size) != 0 || command->name[size] != ' ')
            continue;
        if (group)
            fputs("\n\n", cli->out);
        pawl_cli_print_command_help(cli->out, command);
        group = true;
    }
    if (group)
        return PAWL_EXIT_OK;
    return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "there is no command \"%s\"; pawl help lists them",
                         cli->arguments[0]);
}
