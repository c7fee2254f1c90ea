/* cli.c: from the command line to a command. Never runs one with a command line that it did not wholly understand. */
#include "host/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int unknown_command(pawl_cli *cli, int argc, char **argv)
{
    const char *names[128] = {NULL};
    char given[256];
    size_t count = 0;
    for (const pawl_cli_command *command = pawl_cli_commands; command->name != NULL && count < 127; command++)
        names[count++] = command->name;
    const char *close = pawl_cli_closest(argv[1], names);
    if (close == NULL && argc > 2) {
        snprintf(given, sizeof given, "%s %s", argv[1], argv[2]);
        close = pawl_cli_closest(given, names);
    }
    if (close != NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "unknown command \"%s\"; did you mean \"%s\"?", argv[1],
                             close);
    return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "unknown command \"%s\"; pawl help lists the commands",
                         argv[1]);
}

/* Only "plugin" of "plugin list": say which there are. */
static int group_alone(pawl_cli *cli, const char *group)
{
    char known[512] = "";
    size_t size = strlen(group);
    for (const pawl_cli_command *command = pawl_cli_commands; command->name != NULL; command++)
        if (strncmp(command->name, group, size) == 0 && command->name[size] == ' ')
            snprintf(known + strlen(known), sizeof known - strlen(known), "%spawl %s", known[0] == '\0' ? "" : ", ",
                     command->name);
    if (known[0] == '\0')
        return PAWL_EXIT_OK;
    return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "\"%s\" is a group of commands: %s", group, known);
}

static bool wants_color(const pawl_cli *cli)
{
    const char *given = pawl_cli_value(cli, "color");
    if (given != NULL && strcmp(given, "auto") != 0)
        return strcmp(given, "always") == 0;
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if ((no_color != NULL && no_color[0] != '\0') || (terminal != NULL && strcmp(terminal, "dumb") == 0))
        return false;
    int descriptor = fileno(cli->out);
    return descriptor >= 0 && isatty(descriptor);
}

static int check_color(pawl_cli *cli)
{
    const char *given = pawl_cli_value(cli, "color");
    if (given == NULL || strcmp(given, "auto") == 0 || strcmp(given, "always") == 0 || strcmp(given, "never") == 0)
        return PAWL_EXIT_OK;
    return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--color is \"%s\"; wanted auto, always or never", given);
}

/* Before the command line is understood: so that a mistake in it is told as asked for, too. */
static bool asks_for_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

static int run_command(pawl_cli *cli, int argc, char **argv)
{
    int words = 0;
    cli->json = asks_for_json(argc, argv);
    cli->command = pawl_cli_find(argc - 1, (const char *const *)(argv + 1), &words);
    if (cli->command == NULL) {
        int status = group_alone(cli, argv[1]);
        return status != PAWL_EXIT_OK ? status : unknown_command(cli, argc, argv);
    }
    int status = pawl_cli_parse(cli, argc - 1 - words, argv + 1 + words);
    if (status == PAWL_EXIT_OK)
        status = check_color(cli);
    if (status != PAWL_EXIT_OK)
        return status;
    if (pawl_cli_flag(cli, "help")) {
        pawl_cli_print_command_help(cli->out, cli->command);
        return PAWL_EXIT_OK;
    }
    cli->json = pawl_cli_flag(cli, "json");
    cli->color = wants_color(cli);
    status = cli->command->run(cli);
    cli->client = pawl_client_close(cli->client);
    if (fflush(cli->out) != 0 && status == PAWL_EXIT_OK)
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.output", "the output could not be written");
    return status;
}

int pawl_cli_main(int argc, char **argv, FILE *in, FILE *out, FILE *err)
{
    pawl_cli *cli = calloc(1, sizeof *cli);
    if (cli == NULL) {
        fputs("pawl: out of memory\n", err);
        return PAWL_EXIT_FAILED;
    }
    cli->in = in;
    cli->out = out;
    cli->err = err;
    int status = PAWL_EXIT_OK;
    if (argc < 2) {
        pawl_cli_print_help(err);
        status = PAWL_EXIT_USAGE;
    } else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        pawl_cli_print_help(out);
    } else if (strcmp(argv[1], "--version") == 0) {
        fprintf(out, "pawl %s\n", pawl_library_version());
    } else {
        status = run_command(cli, argc, argv);
    }
    fflush(err);
    free(cli);
    return status;
}
